/* toolclad/browser_do.c: the commands of section 14, step by step. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "toolclad/browser_in.h"
#include <stdio.h>

const char *const sy_browser_commands[SY_DO_COUNT + 1] = { "navigate", "click", "type_text", "submit_form", "snapshot", "extract_html", "screenshot",
    "execute_js", "wait_for", "go_back", "list_tabs", "network_timing", "scroll", "login", NULL };

sy_do sy_browser_do(symbi_str s)
{
    size_t i = 0;
    if (sy_str_eqz(s, "extract")) return SY_DO_HTML; /* upstream's other name for it */
    while (i < SY_DO_COUNT && !sy_str_eqz(s, sy_browser_commands[i])) i++;
    return (sy_do)i;
}

enum { POLL_MS = 100 };

static symbi_str arg(const symbi_browser *b, const char *name) { return symbi_value_str(b->plan->args, name, SY_LIT("")); }

static int64_t arg_int(const symbi_browser *b, const char *name, int64_t dflt)
{
    const symbi_value *v = symbi_value_getz(b->plan->args, name);
    return v && v->kind == SYMBI_INT ? v->u.i : dflt;
}

static void set_content(symbi_browser *b, symbi_str s, bool cut)
{
    size_t n = sy_utf8_cut(s, SY_CDP_CONTENT);
    b->content = sy_val_str(sy_arena_dup(&b->a, (symbi_str){ s.p, n }));
    b->has_content = true;
    b->truncated = b->truncated || cut || n < s.n;
}

/* Any value; one that is too large to tell becomes the beginning of its JSON text. */
static void set_value(symbi_browser *b, const symbi_value *v)
{
    symbi_text t = { 0 };
    symbi_err e;
    if (v && v->kind == SYMBI_STRING) {
        set_content(b, v->u.s, false);
        return;
    }
    b->has_content = true;
    b->content = sy_val_null();
    if (!v || symbi_json_write(b->cx, v, 0, &t, &e)) return;
    if (t.n > SY_CDP_CONTENT) set_content(b, symbi_text_str(&t), true);
    else if (sy_value_copy(&b->a, v, &b->content, b->cx->limits.doc_depth, &e)) b->content = sy_val_null();
    symbi_text_free(&t);
}

static void navigate(symbi_browser *b, symbi_str url)
{
    symbi_browser_where where;
    symbi_err e;
    if (symbi_browser_judge_url(b->scope, url, false, &where, &e)) {
        b->denied = true;
        sy_do_fail(b, "%s", e.msg);
        sy_do_end_page(b);
        return;
    }
    sy_step_to(b, SY_STEP_NAVIGATE);
    b->want = sy_cdp_text(b, "Page.navigate", b->tab, "{\"url\":", url, "}");
}

/* The gate decided by what the page was when the last command ended. Another tab, or a page of another host that came since, is not what it
 * decided about: then nothing is done but to say so, and to look again. */
static bool elsewhere(symbi_browser *b)
{
    symbi_str domain = symbi_value_str(symbi_browser_state(b), "domain", SY_LIT(""));
    if (!b->state || b->what == SY_DO_NAVIGATE || b->what == SY_DO_TABS || b->what == SY_DO_LOGIN) return false;
    if (b->tab->order != b->state_tab) sy_do_fail(b, "the tab of the last command was closed: look at the page that is there now");
    else if (sy_browser_tells(b->settings, "domain") && !sy_str_eqz(domain, b->tab->host)) sy_do_fail(b, "the page went on to '%s' by itself: look again", b->tab->host);
    else return false;
    sy_do_end_page(b);
    return true;
}

static void insert_text(symbi_browser *b)
{
    sy_step_to(b, SY_STEP_INSERT);
    b->want = sy_cdp_text(b, "Input.insertText", b->tab, "{\"text\":", arg(b, "text"), "}");
}

static void evaluate(symbi_browser *b)
{
    sy_step_to(b, SY_STEP_EVAL);
    b->want = sy_cdp_text(b, "Runtime.evaluate", b->tab, "{\"returnByValue\":true,\"awaitPromise\":true,\"silent\":true,\"userGesture\":true,\"expression\":", arg(b, "expression"), "}");
}

static bool mode_is(const symbi_browser *b, const char *z) { return sy_str_eqz(symbi_value_str(b->settings, "extract_mode", SY_LIT("accessibility_tree")), z); }

static void begin_command(symbi_browser *b)
{
    if (elsewhere(b)) return;
    switch (b->what) {
    case SY_DO_NAVIGATE: navigate(b, arg(b, "url")); break;
    case SY_DO_LOGIN:
        if (sy_login_begin(b)) navigate(b, symbi_value_str(b->login, "login_url", SY_LIT("")));
        break;
    case SY_DO_SNAPSHOT:
        if (mode_is(b, "accessibility_tree") && !arg(b, "selector").n) sy_page_ask(b, SY_STEP_TREE, "Accessibility.getFullAXTree", "{}");
        else sy_page_world(b, SY_STEP_WORLD);
        break;
    case SY_DO_TYPE:
        if (arg(b, "selector").n) sy_page_world(b, SY_STEP_WORLD);
        else insert_text(b);
        break;
    case SY_DO_SCREENSHOT: sy_page_ask(b, SY_STEP_SHOT, "Page.captureScreenshot", "{\"format\":\"png\"}"); break;
    case SY_DO_JS: evaluate(b); break;
    case SY_DO_BACK: sy_page_ask(b, SY_STEP_HISTORY, "Page.getNavigationHistory", "{}"); break;
    case SY_DO_TABS:
        sy_step_to(b, SY_STEP_TABS);
        b->want = sy_cdp_simple(b, "Target.getTargets", NULL, "{}");
        break;
    default:
        if (b->what == SY_DO_WAIT) {
            b->poll_until = sy_browser_now(b) + arg_int(b, "timeout_ms", 5000);
            if (b->poll_until > b->deadline - sy_do_reserve(b)) b->poll_until = b->deadline - sy_do_reserve(b);
        }
        sy_page_world(b, SY_STEP_WORLD);
        break;
    }
}

static void world_made(symbi_browser *b, const symbi_value *r)
{
    static const int64_t max = SY_CDP_CONTENT;
    const symbi_value *id = symbi_value_getz(r, "executionContextId");
    symbi_str selector = arg(b, "selector"), direction = arg(b, "direction");
    int64_t amount = arg_int(b, "amount", 600);
    b->world = id && id->kind == SYMBI_INT ? id->u.i : 0;
    if (b->what != SY_DO_WAIT && elsewhere(b)) return; /* it came while this began */
    switch (b->what) {
    case SY_DO_LOGIN: sy_login_world(b); break;
    case SY_DO_CLICK: sy_page_call(b, SY_STEP_CALL, SY_FN_POINT, &selector, 1, NULL, true); break;
    case SY_DO_TYPE: sy_page_call(b, SY_STEP_CALL, SY_FN_FOCUS, &selector, 1, NULL, true); break;
    case SY_DO_SUBMIT: sy_page_call(b, SY_STEP_CALL, SY_FN_SUBMIT, &selector, 1, NULL, true); break;
    case SY_DO_SNAPSHOT:
        if (mode_is(b, "accessibility_tree")) sy_page_call(b, SY_STEP_CALL, SY_FN_NODE, &selector, 1, NULL, false);
        else sy_page_call(b, SY_STEP_CALL, mode_is(b, "html") ? SY_FN_HTML : SY_FN_TEXT, &selector, 1, &max, true);
        break;
    case SY_DO_HTML: sy_page_call(b, SY_STEP_CALL, SY_FN_HTML, &selector, 1, &max, true); break;
    case SY_DO_WAIT: sy_page_call(b, SY_STEP_CALL, SY_FN_THERE, &selector, 1, NULL, true); break;
    case SY_DO_TIMING: sy_page_call(b, SY_STEP_CALL, SY_FN_TIMING, NULL, 0, NULL, true); break;
    default:
        if (amount < 0) amount = 0;
        if (amount > 100000) amount = 100000;
        sy_page_call(b, SY_STEP_CALL, SY_FN_SCROLL, &direction, 1, &amount, true);
        break;
    }
}

static void mouse(symbi_browser *b)
{
    if (!sy_page_mouse(b)) sy_do_settle(b);
}

static bool coordinate(const symbi_value *v, double *out)
{
    if (!v || (v->kind != SYMBI_INT && v->kind != SYMBI_DOUBLE)) return false;
    *out = v->kind == SYMBI_INT ? (double)v->u.i : v->u.d;
    return *out >= 0 && *out < 100000;
}

/* What a function of ours gave. */
static void called(symbi_browser *b, const symbi_value *r)
{
    const symbi_value *thrown = symbi_value_getz(r, "exceptionDetails"), *object = symbi_value_getz(r, "result"), *v = symbi_value_getz(object, "value");
    symbi_str error = symbi_value_str(v, "error", SY_LIT("")), node = symbi_value_str(object, "objectId", SY_LIT(""));
    if (thrown) error = symbi_value_str(symbi_value_getz(thrown, "exception"), "description", symbi_value_str(thrown, "text", SY_LIT("the page refused")));
    if (error.n) {
        const char *nl = memchr(error.p, '\n', error.n);
        if (nl) error.n = (size_t)(nl - error.p);
        sy_do_fail(b, "%.*s", SY_FMT(error));
        sy_do_end_page(b);
        return;
    }
    if (b->what == SY_DO_LOGIN && !sy_login_called(b, v)) return;
    if (b->what == SY_DO_CLICK && elsewhere(b)) return;
    switch (b->what) {
    case SY_DO_LOGIN:
    case SY_DO_CLICK:
        if (!coordinate(symbi_value_getz(v, "x"), &b->x) || !coordinate(symbi_value_getz(v, "y"), &b->y)) {
            sy_do_fail(b, "the element is nowhere on the page");
            sy_do_end_page(b);
            return;
        }
        b->mouse = 0;
        mouse(b);
        return;
    case SY_DO_TYPE: insert_text(b); return;
    case SY_DO_SUBMIT: sy_do_settle(b); return;
    case SY_DO_WAIT: {
        const symbi_value *ok = symbi_value_getz(v, "ok");
        if (ok && ok->kind == SYMBI_BOOL && ok->u.b) sy_do_end_page(b);
        else sy_step_to(b, SY_STEP_POLL);
        return;
    }
    case SY_DO_SNAPSHOT:
        if (mode_is(b, "accessibility_tree")) {
            if (!node.n) {
                symbi_str s = arg(b, "selector");
                sy_do_fail(b, "no element matches %.*s", SY_FMT(s));
                sy_do_end_page(b);
                return;
            }
            sy_step_to(b, SY_STEP_TREE);
            b->want = sy_cdp_text(b, "Accessibility.queryAXTree", b->tab, "{\"objectId\":", node, "}");
            return;
        }
        /* fall through */
    case SY_DO_HTML: {
        const symbi_value *cut = symbi_value_getz(v, "cut");
        set_content(b, symbi_value_str(v, "text", SY_LIT("")), cut && cut->kind == SYMBI_BOOL && cut->u.b);
        break;
    }
    default: set_value(b, symbi_value_getz(v, "value")); break;
    }
    sy_do_end_page(b);
}

static void evaluated(symbi_browser *b, const symbi_value *r)
{
    const symbi_value *thrown = symbi_value_getz(r, "exceptionDetails");
    if (thrown) {
        symbi_str why = symbi_value_str(symbi_value_getz(thrown, "exception"), "description", symbi_value_str(thrown, "text", SY_LIT("unknown")));
        sy_do_fail(b, "the script failed: %.*s", SY_FMT(why));
    } else {
        set_value(b, symbi_value_getz(symbi_value_getz(r, "result"), "value"));
    }
    sy_do_settle(b);
}

static void go_back(symbi_browser *b, const symbi_value *r)
{
    int64_t at;
    const symbi_value *e = sy_history_entry(r, -1, &at), *id = symbi_value_getz(e, "id");
    symbi_str url = symbi_value_str(e, "url", SY_LIT(""));
    symbi_browser_where where;
    symbi_err why;
    if (!e || !id || id->kind != SYMBI_INT) {
        sy_do_fail(b, "there is no page before this one");
        sy_do_end_page(b);
        return;
    }
    if (!sy_str_eqz(url, "about:blank") && symbi_browser_judge_url(b->scope, url, false, &where, &why)) {
        b->denied = true;
        sy_do_fail(b, "%s", why.msg);
        sy_do_end_page(b);
        return;
    }
    sy_step_to(b, SY_STEP_GO);
    b->want = sy_cdp_begin(b, "Page.navigateToHistoryEntry", b->tab);
    sy_buf_addf(&b->out, "{\"entryId\":%lld}", (long long)id->u.i);
    sy_cdp_end(b);
}

static void tabs(symbi_browser *b, const symbi_value *r)
{
    const symbi_value *list = symbi_value_getz(r, "targetInfos");
    sy_arr out = sy_arr_new(&b->a);
    for (size_t i = 0; list && list->kind == SYMBI_ARRAY && i < list->u.a.n && i < 1000; i++) {
        const symbi_value *v = &list->u.a.items[i];
        symbi_str id = symbi_value_str(v, "targetId", SY_LIT("")), url = symbi_value_str(v, "url", SY_LIT("")), title = symbi_value_str(v, "title", SY_LIT(""));
        sy_obj o = sy_obj_new(&b->a);
        symbi_browser_where where;
        sy_target *t = b->targets;
        while (t && !(t->kind == SY_TARGET_PAGE && id.n && sy_str_eqz(id, t->target.s))) t = t->next;
        if (!t || t->closing) continue;
        if (!sy_str_eqz(url, "about:blank") && symbi_browser_judge_url(b->scope, url, false, &where, NULL)) url = title = SY_LIT("");
        title.n = sy_utf8_cut(title, 300);
        url.n = sy_utf8_cut(url, SY_CDP_URL);
        sy_obj_bool(&o, "active", t == b->tab);
        sy_obj_str(&o, "title", sy_arena_dup(&b->a, title));
        sy_obj_str(&o, "url", sy_arena_dup(&b->a, url));
        sy_arr_add(&out, sy_obj_value(&o));
    }
    b->content = sy_arr_value(&out);
    b->has_content = true;
    sy_do_end_page(b);
}

/* ---- step by step ---- */

/* What was asked for was refused. */
static void step_failed(symbi_browser *b, const char *error)
{
    switch (b->step) {
    case SY_STEP_END_HISTORY:
    case SY_STEP_END_WORLD:
    case SY_STEP_END_STATE: /* the page went on meanwhile: there is no state */
        sy_do_finish(b);
        return;
    case SY_STEP_SETTLE: return; /* another page came while we asked this one: that is an answer */
    case SY_STEP_WORLD:
    case SY_STEP_CALL:
        if (b->what == SY_DO_WAIT || (b->what == SY_DO_LOGIN && sy_login_waits(b))) { /* a new page came: look again */
            sy_step_to(b, SY_STEP_POLL);
            return;
        }
        if (b->what == SY_DO_LOGIN && sy_login_went_on(b)) {
            sy_do_settle(b);
            return;
        }
        break;
    case SY_STEP_MOUSE: /* a click that leads away may lose its answer */
        if (b->mouse == 3) {
            sy_do_settle(b);
            return;
        }
        break;
    default: break;
    }
    sy_do_fail(b, "%s", error);
    sy_do_end_page(b);
}

static void settling(symbi_browser *b)
{
    if (!sy_do_settled(b, sy_browser_now(b))) return;
    if (b->what == SY_DO_LOGIN) sy_login_settled(b);
    else sy_do_end_page(b);
}

static void replied(symbi_browser *b, const symbi_value *r)
{
    symbi_str auth = symbi_value_str(b->settings, "authenticated_selector", SY_LIT("")), text;
    const symbi_value *id;
    bool cut;
    switch (b->step) {
    case SY_STEP_NAVIGATE:
        text = symbi_value_str(r, "errorText", SY_LIT(""));
        if (sy_flag(r, "isDownload")) sy_do_fail(b, "the address is a download; downloads are refused");
        else if (text.n && !b->denied) sy_do_fail(b, "the page could not be loaded: %.*s", SY_FMT(text));
        sy_do_settle(b);
        break;
    case SY_STEP_WORLD: world_made(b, r); break;
    case SY_STEP_CALL: called(b, r); break;
    case SY_STEP_SETTLE: settling(b); break;
    case SY_STEP_MOUSE: mouse(b); break;
    case SY_STEP_INSERT: sy_do_settle(b); break;
    case SY_STEP_GO:
        b->tab->asked = true;
        b->tab->changed_at = sy_browser_now(b);
        sy_do_settle(b);
        break;
    case SY_STEP_HISTORY: go_back(b, r); break;
    case SY_STEP_TREE:
        text = sy_ax_text(b->cx, &b->a, symbi_value_getz(r, "nodes"), SY_CDP_CONTENT, &cut);
        b->content = sy_val_str(text);
        b->has_content = text.p != NULL;
        b->truncated = cut;
        sy_do_end_page(b);
        break;
    case SY_STEP_SHOT:
    case SY_STEP_END_SHOT:
        if (!sy_take_picture(b, r)) sy_do_fail(b, "the browser gave no picture");
        sy_do_end_page(b);
        break;
    case SY_STEP_EVAL: evaluated(b, r); break;
    case SY_STEP_TABS: tabs(b, r); break;
    case SY_STEP_END_HISTORY: sy_do_history_came(b, r); break;
    case SY_STEP_END_WORLD:
        id = symbi_value_getz(r, "executionContextId");
        b->world = id && id->kind == SYMBI_INT ? id->u.i : 0;
        sy_page_call(b, SY_STEP_END_STATE, SY_FN_STATE, &auth, 1, NULL, true);
        break;
    case SY_STEP_END_STATE: sy_do_state_came(b, r); break;
    default: break;
    }
}

/* No tab to ask: everything but waiting for one is over. */
static bool without_tab(symbi_browser *b)
{
    if (b->tab || b->step <= SY_STEP_UP || b->step == SY_STEP_DONE) return false;
    sy_do_fail(b, "the tab was closed");
    sy_do_finish(b);
    return true;
}

void sy_do_advance(symbi_browser *b, const symbi_value *result, const char *error)
{
    int64_t now = sy_browser_now(b);
    if (!b->plan || b->step == SY_STEP_DONE || b->step == SY_STEP_NONE || without_tab(b)) return;
    if (error) {
        step_failed(b, error);
        return;
    }
    if (result) {
        replied(b, result);
        return;
    }
    if (b->step == SY_STEP_UP && b->tab && b->tab->ready && !b->tab->closing) begin_command(b);
    else if (b->step == SY_STEP_SETTLE) settling(b);
    else if (b->step == SY_STEP_POLL && now >= b->poll_until) {
        symbi_str s = arg(b, "selector");
        if (b->what == SY_DO_LOGIN) {
            sy_login_late(b);
            return;
        }
        sy_do_fail(b, "nothing matched %.*s in time", SY_FMT(s));
        sy_do_end_page(b);
    } else if (b->step == SY_STEP_END_SHOT && now - b->step_at > SY_CDP_PICTURE_MS) {
        sy_do_fail(b, "the page gave no picture for the evidence in time");
        sy_do_end_page(b);
    } else if (b->step == SY_STEP_POLL && now - b->step_at >= POLL_MS) sy_page_world(b, SY_STEP_WORLD);
    else if (b->step >= SY_STEP_END_HISTORY && b->step < SY_STEP_DONE && now - b->step_at > SY_CDP_STATE_MS) sy_do_finish(b);
}

static void out_of_time(symbi_browser *b, const char *what, int64_t ms)
{
    char text[120];
    snprintf(text, sizeof text, "%s within %lld ms", what, (long long)ms);
    b->timed_out = true;
    b->error[0] = 0;
    sy_do_fail(b, "%s", text);
    sy_browser_end(b, text); /* a page that hangs would hold up whatever comes next */
    sy_do_finish(b);
}

symbi_status symbi_browser_tick(symbi_browser *b, symbi_err *err)
{
    int64_t now = sy_browser_now(b);
    symbi_err_clear(err);
    if (b->plan && b->step != SY_STEP_DONE && b->step != SY_STEP_NONE) {
        if (b->step == SY_STEP_UP && now - b->step_at > b->startup_ms) out_of_time(b, "the browser did not start", b->startup_ms);
        else if (now > b->deadline) out_of_time(b, "the command did not end", b->deadline - b->began);
        else sy_do_advance(b, NULL, NULL);
    }
    return sy_buf_status(&b->out) == SYMBI_ENOMEM || b->a.status == SYMBI_ENOMEM ? sy_fail_nomem(err) : SYMBI_OK;
}

int64_t symbi_browser_due(const symbi_browser *b)
{
    int64_t now = sy_browser_now(b), at;
    if (!b->plan || b->step == SY_STEP_DONE || b->step == SY_STEP_NONE) return -1;
    at = b->deadline + 1;
    if (b->step == SY_STEP_UP) at = b->step_at + b->startup_ms + 1;
    else if (b->step == SY_STEP_SETTLE) at = b->step_at + SY_CDP_SETTLE_MS > now ? b->step_at + SY_CDP_SETTLE_MS : now + 50;
    else if (b->step == SY_STEP_POLL) at = b->step_at + POLL_MS;
    else if (b->step == SY_STEP_END_SHOT) at = b->step_at + SY_CDP_PICTURE_MS + 1;
    else if (b->step >= SY_STEP_END_HISTORY) at = b->step_at + SY_CDP_STATE_MS + 1;
    if (at > b->deadline + 1) at = b->deadline + 1;
    return at > now ? at - now : 0;
}
