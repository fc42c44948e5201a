/* toolclad/browser_settle.c: waiting for what a command set off: windows, navigations, a network that becomes quiet; and then the end that all
 * commands have, the page's state. URL and title come from the browser's history, not from the page. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/browser_in.h"

enum {
    IDLE_MS = 1000,       /* after a page has loaded: for its network to be quiet */
    SETTLE_MAX_MS = 15000,
    /* Each of these is for what a browser announced and then did not do (a window that was blocked, an address that is no page): what it does is
     * seen to the end, however slow the machine is. */
    ANNOUNCED_MS = 2500,
    HANGS_MS = 5000
};

void sy_do_end_page(symbi_browser *b)
{
    if (!b->tab || b->ended) {
        sy_do_finish(b);
    } else if (!b->pictured && b->what != SY_DO_SCREENSHOT && sy_flag(b->settings, "screenshots")) {
        b->pictured = true;
        sy_page_ask(b, SY_STEP_END_SHOT, "Page.captureScreenshot", "{\"format\":\"png\"}");
    } else {
        sy_page_ask(b, SY_STEP_END_HISTORY, "Page.getNavigationHistory", "{}");
    }
}

/* Does the page hear? Its answer comes after everything that it announced before: that is what makes "nothing was set off" certain. */
static void look(symbi_browser *b)
{
    int64_t since = b->step_at;
    sy_page_ask(b, SY_STEP_SETTLE, "Runtime.evaluate", "{\"expression\":\"0\",\"silent\":true}");
    b->step_at = since;
    b->looked_at = sy_browser_now(b);
    b->news_asked = b->news;
}

void sy_do_settle(symbi_browser *b)
{
    sy_step_to(b, SY_STEP_SETTLE);
    b->looked = false;
    look(b);
}

int64_t sy_do_reserve(const symbi_browser *b)
{
    int64_t quarter = (b->deadline - b->began) / 4;
    return quarter < 2 * SY_CDP_STATE_MS ? quarter : 2 * SY_CDP_STATE_MS;
}

/* Is something under way in a tab? */
static bool tab_busy(const symbi_browser *b, const sy_target *t, int64_t now)
{
    if (!t->ready) return true;
    if (t->closing || t->asked) return now - t->changed_at < ANNOUNCED_MS;
    if (t->loading) return t == b->tab || t->begun || now - t->changed_at < ANNOUNCED_MS;
    return false;
}

/* A window that opened is where a person would look next, once there is a page in it. */
static void to_front(symbi_browser *b)
{
    for (sy_target *t = b->targets; t; t = t->next)
        if (t->kind == SY_TARGET_PAGE && t->was_somewhere && !t->closing && t->order > b->tab->order) b->tab = t;
}

static bool is_quiet(const symbi_browser *b, int64_t now)
{
    const sy_target *tab = b->tab;
    if (now - b->step_at < SY_CDP_SETTLE_MS || (b->want && now - b->looked_at < HANGS_MS) || (b->popups && now - b->popup_at < ANNOUNCED_MS)) return false;
    for (const sy_target *t = b->targets; t; t = t->next)
        if (t->kind == SY_TARGET_PAGE && (t == tab || t->order > tab->order) && tab_busy(b, t, now)) return false;
    return b->denied || tab->stopped_at < b->began || tab->idle || now - tab->stopped_at > IDLE_MS;
}

/* Over when nothing is under way, and the page, asked after that, says that nothing began meanwhile. */
bool sy_do_settled(symbi_browser *b, int64_t now)
{
    bool late = now - b->step_at > SETTLE_MAX_MS || now > b->deadline - sy_do_reserve(b);
    to_front(b);
    if (!late && !is_quiet(b, now)) return false;
    if (late || b->want || (b->looked && b->news == b->news_asked)) return true;
    b->looked = true;
    look(b);
    return false;
}

const symbi_value *sy_history_entry(const symbi_value *r, int64_t offset, int64_t *index)
{
    const symbi_value *now = symbi_value_getz(r, "currentIndex"), *list = symbi_value_getz(r, "entries");
    if (!now || now->kind != SYMBI_INT || !list || list->kind != SYMBI_ARRAY || now->u.i < 0 || now->u.i > 10000) return NULL;
    *index = now->u.i + offset;
    return *index >= 0 && (size_t)*index < list->u.a.n ? &list->u.a.items[*index] : NULL;
}

void sy_do_history_came(symbi_browser *b, const symbi_value *r)
{
    int64_t at;
    const symbi_value *e = sy_history_entry(r, 0, &at);
    symbi_str url = symbi_value_str(e, "url", SY_LIT("")), title = symbi_value_str(e, "title", SY_LIT(""));
    symbi_browser_where where;
    sy_scope_host h;
    symbi_err why;
    if (url.n && !sy_str_eqz(url, "about:blank") && symbi_browser_judge_url(b->scope, url, false, &where, &why)) {
        /* nothing of such a page is handed out */
        b->denied = true;
        b->has_content = false;
        sy_buf_clear(&b->picture);
        sy_do_fail(b, "%s", why.msg);
        sy_browser_end(b, "the browser left its scope");
        return;
    }
    sy_cut_into(b->url, sizeof b->url, url);
    sy_cut_into(b->title, sizeof b->title, title);
    if (!sy_scope_read(url, &h)) memcpy(b->domain, h.host, h.n + 1);
    memcpy(b->tab->host, b->domain, sizeof b->domain);
    sy_page_world(b, SY_STEP_END_WORLD);
}

void sy_do_state_came(symbi_browser *b, const symbi_value *r)
{
    const symbi_value *v = symbi_value_getz(symbi_value_getz(r, "result"), "value");
    b->has_forms = sy_flag(v, "forms");
    b->authenticated = sy_flag(v, "auth") || (b->login_host[0] && !strcmp(b->login_host, b->domain) && !symbi_value_getz(b->settings, "authenticated_selector"));
    b->loaded = sy_flag(v, "loaded");
    sy_do_finish(b);
}
