/* toolclad/browser_feed.c: messages of the browser: replies and events go where they belong. Nothing that comes in is believed beyond its form: a
 * session that we do not know is not answered, and a page found outside the scope ends the browser. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/browser_in.h"
#include <stdio.h>

/* A document is there. Requests were judged before, so this can only be a page of the scope, or none at all. */
static void navigated(symbi_browser *b, sy_target *t, const symbi_value *p)
{
    const symbi_value *frame = symbi_value_getz(p, "frame");
    symbi_str url = symbi_value_str(frame, "url", SY_LIT(""));
    symbi_browser_where where;
    sy_scope_host h;
    symbi_err why;
    bool top = t->kind == SY_TARGET_PAGE && sy_cdp_is(&t->target, symbi_value_str(frame, "id", SY_LIT("")));
    if (top) {
        sy_tab_arrived(b, t);
        if (!sy_cdp_take_id(symbi_value_str(frame, "loaderId", SY_LIT("")), &t->loader)) t->loader.s[0] = 0;
    }
    if (sy_str_eqz(url, "about:blank") || sy_str_starts(url, SY_LIT("chrome-error://"))) return;
    if (!top && (sy_str_starts(url, SY_LIT("about:")) || sy_str_starts(url, SY_LIT("data:")) || sy_str_starts(url, SY_LIT("blob:")) || !url.n)) return;
    if (symbi_browser_judge_url(b->scope, url, false, &where, &why)) {
        sy_blocked_add(b, url, why.msg);
        if (b->plan && b->step != SY_STEP_DONE && !b->error[0]) {
            b->denied = true;
            sy_do_fail(b, "the browser left its scope: %s", why.msg);
        }
        sy_browser_end(b, "the browser left its scope");
        return;
    }
    if (!top) return;
    t->was_somewhere = true;
    if (!sy_scope_read(url, &h)) memcpy(t->host, h.host, h.n + 1);
}

static void event(symbi_browser *b, sy_target *t, symbi_str method, const symbi_value *p, symbi_status *st)
{
    if (sy_str_eqz(method, "Target.attachedToTarget")) {
        sy_tab_attached(b, t, p, st);
    } else if (sy_str_eqz(method, "Target.detachedFromTarget")) {
        sy_tab_detached(b, p);
    } else if (!t) {
        return; /* nothing else comes from the browser itself, or from strangers */
    } else if (sy_str_eqz(method, "Fetch.requestPaused")) {
        sy_request_paused(b, t, p, st);
    } else if (sy_str_eqz(method, "Page.frameNavigated")) {
        navigated(b, t, p);
    } else if (sy_str_eqz(method, "Page.windowOpen")) {
        b->news++;
        b->popup_at = symbi_ctx_mono_ms(b->cx);
        if (b->popups < SY_CDP_TABS) b->popups++;
    } else if (sy_str_eqz(method, "Page.javascriptDialogOpening")) {
        /* nobody is there to answer; leaving a page is never prevented */
        sy_cdp_simple(b, "Page.handleJavaScriptDialog", t, sy_str_eqz(symbi_value_str(p, "type", SY_LIT("")), "beforeunload") ? "{\"accept\":true}" : "{\"accept\":false}");
    } else if (sy_str_eqz(method, "Inspector.targetCrashed") && t == b->tab) {
        if (b->plan && b->step > SY_STEP_UP && b->step < SY_STEP_DONE) {
            sy_do_fail(b, "the page crashed");
            sy_do_finish(b);
        }
        sy_tab_drop(b, t);
    } else {
        sy_tab_progress(b, t, method, p);
    }
}

static void reply(symbi_browser *b, int64_t id, const symbi_value *result, const char *error)
{
    if (id == b->made_id && id) {
        sy_cdp_id made;
        b->made_id = 0;
        if (!result || !sy_cdp_take_id(symbi_value_str(result, "targetId", SY_LIT("")), &made)) {
            sy_browser_end(b, "the browser does not open a tab");
            return;
        }
        if (!b->live) return; /* it is attached by itself */
        b->made = made;
        if (!b->attach_id) b->attach_id = sy_cdp_simple(b, "Target.setAutoAttach", NULL, "{\"autoAttach\":true,\"waitForDebuggerOnStart\":true,\"flatten\":true}");
        return;
    }
    if (id == b->attach_id && id) {
        if (!result) sy_browser_end(b, "the browser cannot be watched");
        else if (!b->live) sy_browser_need_tab(b); /* there is one already, as a rule */
        return;
    }
    if (id == b->want && id && b->plan) {
        b->want = 0;
        sy_do_advance(b, result, error);
        return;
    }
    for (sy_target *t = b->targets; t; t = t->next)
        if (t->fetch_id == id && id) {
            sy_tab_held(b, t, result != NULL);
            return;
        }
}

/* The id of a reply that could not be read whole: it stands first. */
static int64_t leading_id(symbi_str m)
{
    static const char head[] = "{\"id\":";
    int64_t id = 0;
    size_t i = sizeof head - 1;
    if (m.n < i || memcmp(m.p, head, i)) return 0;
    for (; i < m.n && m.p[i] >= '0' && m.p[i] <= '9' && id < INT64_MAX / 16; i++) id = id * 10 + (m.p[i] - '0');
    return i < m.n && m.p[i] == ',' ? id : 0;
}

static int hex4(const char *p)
{
    int v = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* Texts of a page may hold half a surrogate pair, which the protocol writes as an escape of its own: U+FFFD then. */
static symbi_status parse_mended(symbi_browser *b, symbi_str m, symbi_doc **out, symbi_err *err)
{
    sy_buf copy;
    symbi_status st;
    sy_buf_init(&copy, b->cx->alloc, b->cx->limits.doc_bytes);
    sy_buf_adds(&copy, m);
    if (sy_buf_status(&copy)) return sy_buf_status(&copy) == SYMBI_ENOMEM ? sy_fail_nomem(err) : SYMBI_EPARSE;
    for (size_t i = 0; i + 6 <= copy.n; i++) {
        int v, low;
        if (copy.p[i] != '\\') continue;
        if (copy.p[i + 1] != 'u') {
            i++; /* an escaped backslash is none that escapes */
            continue;
        }
        v = hex4(copy.p + i + 2);
        if (v < 0xd800 || v > 0xdfff) continue;
        low = v < 0xdc00 && i + 12 <= copy.n && copy.p[i + 6] == '\\' && copy.p[i + 7] == 'u' ? hex4(copy.p + i + 8) : -1;
        if (low >= 0xdc00 && low <= 0xdfff) i += 11;
        else memcpy(copy.p + i + 2, "fffd", 4);
    }
    st = symbi_json_parse(b->cx, sy_buf_str(&copy), out, err);
    sy_buf_free(&copy);
    return st;
}

symbi_status symbi_browser_feed(symbi_browser *b, symbi_str m, bool cut, symbi_err *err)
{
    const symbi_value *root, *id, *result, *error, *params;
    symbi_str session;
    symbi_doc *d = NULL;
    symbi_status st = SYMBI_OK;
    symbi_err why;
    symbi_err_clear(err);
    if (b->ended) return SYMBI_OK;
    if (!cut) st = symbi_json_parse(b->cx, m, &d, &why);
    if (st && st != SYMBI_ENOMEM && st != SYMBI_ELIMIT) st = parse_mended(b, m, &d, &why);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (cut || st) { /* too large, or a page's text with half a character in it */
        int64_t at = leading_id(m);
        if (at) reply(b, at, NULL, cut ? "the page's answer is too large" : "the page's answer cannot be read");
        return sy_buf_status(&b->out) == SYMBI_ENOMEM ? sy_fail_nomem(err) : SYMBI_OK;
    }
    root = symbi_doc_root(d);
    id = symbi_value_getz(root, "id");
    session = symbi_value_str(root, "sessionId", SY_LIT(""));
    if (id && id->kind == SYMBI_INT) {
        result = symbi_value_getz(root, "result");
        error = symbi_value_getz(root, "error");
        if (error || !result || result->kind != SYMBI_OBJECT) {
            char text[200];
            sy_clean_line(text, sizeof text, symbi_value_str(error, "message", SY_LIT("the browser refused")));
            reply(b, id->u.i, NULL, text);
        } else {
            reply(b, id->u.i, result, NULL);
        }
    } else {
        params = symbi_value_getz(root, "params");
        if (params && params->kind == SYMBI_OBJECT) event(b, session.n ? sy_tab_find(b, session) : NULL, symbi_value_str(root, "method", SY_LIT("")), params, &st);
    }
    symbi_doc_unref(d);
    if (b->step == SY_STEP_UP) sy_do_advance(b, NULL, NULL); /* a tab may be ready now */
    if (st == SYMBI_ENOMEM || sy_buf_status(&b->out) == SYMBI_ENOMEM || b->a.status == SYMBI_ENOMEM) return sy_fail_nomem(err);
    return SYMBI_OK;
}
