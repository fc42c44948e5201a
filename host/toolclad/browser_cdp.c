/* toolclad/browser_cdp.c: the browser machine's protocol side: messages out, messages in, who is attached, and the decision on every request
 * that the browser wants to make. Nothing that comes in is believed beyond its form: a session that we do not know is not answered, a
 * request that cannot be read stays paused, and a page found outside the scope ends the browser. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "toolclad/browser_in.h"
#include <stdarg.h>
#include <stdio.h>

/* ---- messages out ---- */

int64_t sy_cdp_begin(symbi_browser *b, const char *method, const sy_target *t)
{
    int64_t id = ++b->last_id;
    sy_buf_addf(&b->out, "{\"id\":%lld,\"method\":\"%s\",", (long long)id, method);
    if (t) sy_buf_addf(&b->out, "\"sessionId\":\"%s\",", t->session.s); /* an id has no character that JSON escapes */
    sy_buf_addz(&b->out, "\"params\":");
    return id;
}

void sy_cdp_z(symbi_browser *b, const char *raw) { sy_buf_addz(&b->out, raw); }
void sy_cdp_int(symbi_browser *b, int64_t i) { sy_buf_addi(&b->out, i); }

void sy_cdp_str(symbi_browser *b, symbi_str s)
{
    symbi_json_out o;
    symbi_json_out_init(b->cx, &o);
    symbi_json_out_string(&o, s);
    if (o.status == SYMBI_ENOMEM) {
        sy_buf_free(&b->out);
        b->out.status = SYMBI_ENOMEM;
    } else if (o.status) {
        sy_buf_addz(&b->out, "\"\"");
    } else {
        sy_buf_add(&b->out, o.p, o.n);
    }
    symbi_json_out_free(&o);
}

void sy_cdp_end(symbi_browser *b)
{
    sy_buf_addc(&b->out, '}');
    sy_buf_addc(&b->out, 0);
    if (sy_buf_status(&b->out) == SYMBI_ELIMIT) {
        sy_browser_end(b, "the browser does not take what it is told");
        sy_buf_clear(&b->out);
        b->out_at = 0;
    }
}

int64_t sy_cdp_simple(symbi_browser *b, const char *method, const sy_target *t, const char *params)
{
    int64_t id = sy_cdp_begin(b, method, t);
    sy_cdp_z(b, params);
    sy_cdp_end(b);
    return id;
}

symbi_str symbi_browser_out(const symbi_browser *b)
{
    symbi_str s = { NULL, 0 };
    if (b->out.status || b->out_at >= b->out.n) return s;
    s.p = b->out.p + b->out_at;
    s.n = strlen(s.p);
    return s;
}

void symbi_browser_sent(symbi_browser *b)
{
    symbi_str s = symbi_browser_out(b);
    if (!s.p) return;
    b->out_at += s.n + 1;
    if (b->out_at < b->out.n) return;
    sy_buf_clear(&b->out);
    b->out_at = 0;
}

void sy_browser_end(symbi_browser *b, const char *why)
{
    if (b->ended) return;
    sy_clean_line(b->ended_text, sizeof b->ended_text, symbi_str_z(why));
    b->ended = b->ended_text;
    if (b->plan && b->step != SY_STEP_DONE) {
        if (!b->error[0]) sy_do_fail(b, "%s", b->ended_text);
        sy_do_finish(b);
    }
}

void symbi_browser_lost(symbi_browser *b, const char *why) { sy_browser_end(b, why); }

bool symbi_browser_ended(const symbi_browser *b, const char **why)
{
    if (why) *why = b->ended;
    return b->ended != NULL;
}

/* ---- ids and targets ---- */

bool sy_cdp_take_id(symbi_str s, sy_cdp_id *out)
{
    out->s[0] = 0;
    if (!s.n || s.n > SY_CDP_ID) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_')) return false;
    }
    memcpy(out->s, s.p, s.n);
    out->s[s.n] = 0;
    return true;
}

static bool is_id(const sy_cdp_id *id, symbi_str s) { return id->s[0] && sy_str_eqz(s, id->s); }

static sy_target *find_session(const symbi_browser *b, symbi_str session)
{
    for (sy_target *t = b->targets; t; t = t->next)
        if (is_id(&t->session, session)) return t;
    return NULL;
}

static sy_target *newest_page(const symbi_browser *b)
{
    sy_target *best = NULL;
    for (sy_target *t = b->targets; t; t = t->next)
        if (t->kind == SY_TARGET_PAGE && !t->closing && (!best || t->order > best->order)) best = t;
    return best;
}

size_t sy_browser_pages(const symbi_browser *b)
{
    size_t n = 0;
    for (const sy_target *t = b->targets; t; t = t->next) n += t->kind == SY_TARGET_PAGE && !t->closing;
    return n;
}

void sy_browser_need_tab(symbi_browser *b)
{
    if (b->tab || b->made_id || b->ended) return;
    b->made_id = sy_cdp_simple(b, "Target.createTarget", NULL, "{\"url\":\"about:blank\"}");
}

static void close_target(symbi_browser *b, const sy_cdp_id *target)
{
    sy_cdp_begin(b, "Target.closeTarget", NULL);
    sy_buf_addf(&b->out, "{\"targetId\":\"%s\"}", target->s);
    sy_cdp_end(b);
}

/* A tab that may not stay. */
static void drop(symbi_browser *b, sy_target *t)
{
    if (!t->closing) close_target(b, &t->target);
    t->closing = true;
    t->changed_at = symbi_ctx_mono_ms(b->cx);
    b->news++;
}

void symbi_browser_goodbye(symbi_browser *b)
{
    if (!b->live || sy_buf_status(&b->out)) return;
    for (const sy_target *t = b->targets; t; t = t->next)
        if (t->kind == SY_TARGET_PAGE) close_target(b, &t->target);
}

/* In a browser that people use the network stack is not ours, and Fetch does not hold sockets: pages and workers there have none. */
#define NO_SOCKETS "for(const k of ['WebSocket','WebSocketStream','WebTransport','RTCPeerConnection','webkitRTCPeerConnection'])delete globalThis[k]"

/* Everything that a target asks for is paused from here on; it runs once the browser has confirmed that. */
static void set_up(symbi_browser *b, sy_target *t)
{
    t->fetch_id = sy_cdp_simple(b, "Fetch.enable", t, "{\"patterns\":[{\"urlPattern\":\"*\",\"requestStage\":\"Request\"}]}");
    sy_cdp_simple(b, "Target.setAutoAttach", t, "{\"autoAttach\":true,\"waitForDebuggerOnStart\":true,\"flatten\":true}");
    if (t->kind == SY_TARGET_WORKER) {
        if (b->live) sy_cdp_simple(b, "Runtime.evaluate", t, "{\"silent\":true,\"expression\":\"" NO_SOCKETS "\"}");
        return;
    }
    sy_cdp_simple(b, "Page.enable", t, "{}");
    if (b->live) sy_cdp_simple(b, "Page.addScriptToEvaluateOnNewDocument", t, "{\"source\":\"" NO_SOCKETS "\"}");
    sy_cdp_simple(b, "Page.setLifecycleEventsEnabled", t, "{\"enabled\":true}");
    sy_cdp_simple(b, "Page.setInterceptFileChooserDialog", t, "{\"enabled\":true}");
    sy_cdp_simple(b, "Network.enable", t, "{}");
    sy_cdp_simple(b, "Network.setBypassServiceWorker", t, "{\"bypass\":true}");
}

static void release(symbi_browser *b, const sy_cdp_id *session, bool waiting)
{
    sy_target t;
    memset(&t, 0, sizeof t);
    t.session = *session;
    if (waiting) sy_cdp_simple(b, "Runtime.runIfWaitingForDebugger", &t, "{}");
    sy_cdp_begin(b, "Target.detachFromTarget", NULL);
    sy_buf_addf(&b->out, "{\"sessionId\":\"%s\"}", session->s);
    sy_cdp_end(b);
}

static void attached(symbi_browser *b, const sy_target *parent, const symbi_value *p, symbi_status *st)
{
    const symbi_value *info = symbi_value_getz(p, "targetInfo"), *wait = symbi_value_getz(p, "waitingForDebugger");
    symbi_str type = symbi_value_str(info, "type", SY_LIT("")), opener = symbi_value_str(info, "openerId", SY_LIT(""));
    bool waiting = wait && wait->kind == SYMBI_BOOL && wait->u.b, ours = !b->live || parent;
    sy_target *t;
    sy_cdp_id session, target;
    if (!sy_cdp_take_id(symbi_value_str(p, "sessionId", SY_LIT("")), &session) || !sy_cdp_take_id(symbi_value_str(info, "targetId", SY_LIT("")), &target)) return;
    if (find_session(b, symbi_str_z(session.s))) return;
    if (!ours) { /* a browser that people use: their tabs are none of our business */
        ours = is_id(&b->made, symbi_str_z(target.s));
        for (t = b->targets; t && !ours; t = t->next) ours = t->kind == SY_TARGET_PAGE && is_id(&t->target, opener);
        if (!ours && waiting && b->popups && sy_str_eqz(type, "page")) ours = true;
        if (!ours) {
            release(b, &session, waiting);
            return;
        }
    }
    if (b->ntargets >= SY_CDP_TARGETS) {
        sy_browser_end(b, "the page opened more frames, workers and windows than one may");
        return;
    }
    t = sy_calloc(&b->cx->alloc, 1, sizeof *t);
    if (!t) {
        *st = SYMBI_ENOMEM;
        return;
    }
    t->kind = sy_str_eqz(type, "page") ? SY_TARGET_PAGE : sy_str_eqz(type, "iframe") ? SY_TARGET_FRAME : SY_TARGET_WORKER;
    t->session = session;
    t->target = target;
    t->paused = waiting;
    t->order = ++b->orders;
    t->changed_at = symbi_ctx_mono_ms(b->cx);
    t->next = b->targets;
    b->targets = t;
    b->ntargets++;
    set_up(b, t);
    if (t->kind != SY_TARGET_PAGE) return;
    b->news++;
    if (b->popups) b->popups--; /* this is it */
    if (sy_browser_pages(b) > SY_CDP_TABS) {
        drop(b, t);
        return;
    }
    if (!b->tab) b->tab = t;
    else t->loading = t->awaited = true; /* somebody opened it to load something */
}

static void detached(symbi_browser *b, const symbi_value *p)
{
    symbi_str session = symbi_value_str(p, "sessionId", SY_LIT(""));
    for (sy_target **at = &b->targets; *at; at = &(*at)->next) {
        sy_target *t = *at;
        if (!is_id(&t->session, session)) continue;
        *at = t->next;
        b->ntargets--;
        b->news++;
        if (b->tab == t) {
            b->tab = newest_page(b);
            if (b->tab && b->step == SY_STEP_SETTLE) { /* what a click may do: the page below is in front again */
                b->want = 0;
            } else if (b->plan && b->step > SY_STEP_UP && b->step < SY_STEP_DONE) {
                sy_do_fail(b, "the tab was closed");
                sy_do_finish(b);
            }
            sy_browser_need_tab(b);
        }
        sy_free(&b->cx->alloc, t, sizeof *t);
        return;
    }
}

/* ---- requests ---- */

void sy_blocked_add(symbi_browser *b, symbi_str url, const char *reason)
{
    sy_blocked *k;
    if (b->nblocked++ >= SY_CDP_BLOCKED) return;
    k = &b->blocked[b->nblocked - 1];
    sy_clean_line(k->url, sizeof k->url, url);
    sy_clean_line(k->reason, sizeof k->reason, symbi_str_z(reason));
}

static void fail_request(symbi_browser *b, const sy_target *t, const sy_cdp_id *request, const char *how)
{
    sy_cdp_begin(b, "Fetch.failRequest", t);
    sy_buf_addf(&b->out, "{\"requestId\":\"%s\",\"errorReason\":\"%s\"}", request->s, how);
    sy_cdp_end(b);
}

static bool passes(symbi_str name) /* what goes along with a request that we make for the page */
{
    static const char *const no[] = { "host", "connection", "content-length", "accept-encoding", "transfer-encoding", "upgrade", "te", "trailer", "expect", "proxy-connection", "proxy-authorization", "keep-alive" };
    char low[24];
    if (!name.n || name.n >= sizeof low) return name.n > 0;
    for (size_t i = 0; i < name.n; i++) low[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    low[name.n] = 0;
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (!strcmp(low, no[i])) return false;
    return true;
}

/* Keeps a request for the driver to perform. */
static bool keep_request(symbi_browser *b, const sy_target *t, const sy_cdp_id *request, const symbi_value *rq, symbi_status *st)
{
    const symbi_value *h = symbi_value_getz(rq, "headers"), *has = symbi_value_getz(rq, "hasPostData");
    struct symbi_browser_header *list;
    symbi_str body = symbi_value_str(rq, "postData", SY_LIT(""));
    size_t n = 0, open = 0;
    sy_fetch *f;
    for (const sy_fetch *k = b->fetches; k; k = k->next) open++;
    if (open >= SY_CDP_FETCHES || (has && has->kind == SYMBI_BOOL && has->u.b && !body.n)) return false;
    f = sy_calloc(&b->cx->alloc, 1, sizeof *f);
    if (!f) {
        *st = SYMBI_ENOMEM;
        return true;
    }
    sy_arena_init(&f->a, b->cx->alloc, 4 << 20);
    list = sy_arena_calloc(&f->a, h && h->kind == SYMBI_OBJECT ? h->u.o.n + 1 : 1, sizeof *list);
    for (size_t i = 0; list && h && h->kind == SYMBI_OBJECT && i < h->u.o.n && n < 64; i++) {
        const symbi_member *m = &h->u.o.members[i];
        if (m->val.kind != SYMBI_STRING || !passes(m->key)) continue;
        list[n].name = sy_arena_dup(&f->a, m->key);
        list[n++].value = sy_arena_dup(&f->a, m->val.u.s);
    }
    f->out.headers = list;
    f->out.nheaders = n;
    f->out.method = sy_arena_dup(&f->a, symbi_value_str(rq, "method", SY_LIT("GET")));
    f->out.url = sy_arena_dup(&f->a, symbi_value_str(rq, "url", SY_LIT("")));
    f->out.body = sy_arena_dup(&f->a, body);
    if (f->a.status) {
        if (f->a.status == SYMBI_ENOMEM) *st = SYMBI_ENOMEM;
        sy_arena_free(&f->a);
        sy_free(&b->cx->alloc, f, sizeof *f);
        return *st == SYMBI_ENOMEM;
    }
    f->session = t->session;
    f->request = *request;
    f->out.id = f->id = ++b->last_fetch;
    for (sy_fetch **at = &b->fetches;; at = &(*at)->next)
        if (!*at) {
            *at = f;
            return true;
        }
}

static bool starts(symbi_str s, const char *z)
{
    size_t n = strlen(z);
    return s.n >= n && !memcmp(s.p, z, n);
}

/* The one decision. */
static void request_paused(symbi_browser *b, sy_target *t, const symbi_value *p, symbi_status *st)
{
    const symbi_value *rq = symbi_value_getz(p, "request");
    symbi_str url = symbi_value_str(rq, "url", SY_LIT("")), type = symbi_value_str(p, "resourceType", SY_LIT("Document"));
    bool document = sy_str_eqz(type, "Document"), top = document && t->kind == SY_TARGET_PAGE && is_id(&t->target, symbi_value_str(p, "frameId", SY_LIT("")));
    symbi_browser_where where = SYMBI_BROWSER_NOWHERE;
    sy_cdp_id request;
    symbi_err why;
    if (!sy_cdp_take_id(symbi_value_str(p, "requestId", SY_LIT("")), &request)) return; /* it stays paused */
    symbi_err_clear(&why);
    if (!top && (starts(url, "data:") || starts(url, "blob:") || sy_str_eqz(url, "about:blank") || sy_str_eqz(url, "about:srcdoc"))) where = SYMBI_BROWSER_INSIDE; /* they fetch nothing */
    else if (symbi_browser_judge_url(b->scope, url, !document, &where, &why)) where = SYMBI_BROWSER_NOWHERE;
    if (where == SYMBI_BROWSER_INSIDE) {
        sy_cdp_begin(b, "Fetch.continueRequest", t);
        sy_buf_addf(&b->out, "{\"requestId\":\"%s\"}", request.s);
        sy_cdp_end(b);
        return;
    }
    if (where == SYMBI_BROWSER_OUTSIDE) {
        if (keep_request(b, t, &request, rq, st)) return;
        sy_fail(&why, SYMBI_ELIMIT, "too many requests to hosts outside are open, or this one is too large");
    }
    sy_blocked_add(b, url, why.msg);
    /* Aborted leaves the page that stands there in place. */
    fail_request(b, t, &request, top ? "Aborted" : "BlockedByClient");
    if (!top) return;
    if (b->tab == t && b->plan && b->step > SY_STEP_UP && b->step < SY_STEP_END_HISTORY && !b->denied) {
        b->denied = true;
        sy_do_fail(b, "navigation refused: %s", why.msg);
    }
    if (b->tab != t && !t->was_somewhere) drop(b, t);
}

bool symbi_browser_wanted(symbi_browser *b, symbi_browser_request *out)
{
    for (sy_fetch *f = b->fetches; f; f = f->next)
        if (!f->given) {
            f->given = true;
            *out = f->out;
            return true;
        }
    return false;
}

static bool answer_header(symbi_str name)
{
    return passes(name) && !(name.n == 16 && (name.p[0] | 32) == 'c' && (name.p[8] | 32) == 'e'); /* content-encoding: the body is none of it */
}

symbi_status symbi_browser_fetched(symbi_browser *b, uint64_t id, int status, const struct symbi_browser_header *h, size_t n, symbi_str body, symbi_err *err)
{
    sy_fetch **at = &b->fetches, *f;
    sy_target *t;
    bool first = true;
    symbi_err_clear(err);
    while (*at && (*at)->id != id) at = &(*at)->next;
    if (!*at) return SYMBI_OK;
    f = *at;
    *at = f->next;
    t = find_session(b, symbi_str_z(f->session.s));
    if (!t || b->ended) {
        /* its tab is gone */
    } else if (status < 100 || status > 599) {
        fail_request(b, t, &f->request, "Failed");
    } else {
        sy_cdp_begin(b, "Fetch.fulfillRequest", t);
        sy_buf_addf(&b->out, "{\"requestId\":\"%s\",\"responseCode\":%d,\"responseHeaders\":[", f->request.s, status);
        for (size_t i = 0; i < n; i++) {
            if (!answer_header(h[i].name)) continue;
            sy_cdp_z(b, first ? "{\"name\":" : ",{\"name\":");
            first = false;
            sy_cdp_str(b, h[i].name);
            sy_cdp_z(b, ",\"value\":");
            sy_cdp_str(b, h[i].value);
            sy_cdp_z(b, "}");
        }
        sy_cdp_z(b, "],\"body\":\"");
        sy_base64_add(&b->out, body.p, body.n, SY_BASE64);
        sy_cdp_z(b, "\"}");
        sy_cdp_end(b);
    }
    sy_arena_free(&f->a);
    sy_free(&b->cx->alloc, f, sizeof *f);
    return sy_buf_status(&b->out) == SYMBI_ENOMEM ? sy_fail_nomem(err) : SYMBI_OK;
}

/* ---- events ---- */

static void arrived(symbi_browser *b, sy_target *t)
{
    t->begun = true;
    t->awaited = t->asked = false;
    b->news++;
}

/* A document is there. Requests were judged before, so this can only be a page of the scope, or none at all. */
static void navigated(symbi_browser *b, sy_target *t, const symbi_value *p)
{
    const symbi_value *frame = symbi_value_getz(p, "frame");
    symbi_str url = symbi_value_str(frame, "url", SY_LIT(""));
    symbi_browser_where where;
    symbi_err why;
    bool top = t->kind == SY_TARGET_PAGE && is_id(&t->target, symbi_value_str(frame, "id", SY_LIT("")));
    if (top) {
        arrived(b, t);
        if (!sy_cdp_take_id(symbi_value_str(frame, "loaderId", SY_LIT("")), &t->loader)) t->loader.s[0] = 0;
    }
    if (sy_str_eqz(url, "about:blank") || starts(url, "chrome-error://")) return;
    if (!top && (starts(url, "about:") || starts(url, "data:") || starts(url, "blob:") || !url.n)) return;
    if (symbi_browser_judge_url(b->scope, url, false, &where, &why)) {
        sy_blocked_add(b, url, why.msg);
        if (b->plan && b->step != SY_STEP_DONE && !b->error[0]) {
            b->denied = true;
            sy_do_fail(b, "the browser left its scope: %s", why.msg);
        }
        sy_browser_end(b, "the browser left its scope");
        return;
    }
    if (top) t->was_somewhere = true;
}

/* How far a tab is with what it loads. The order of these events differs: a new tab does not say that it started loading, and one that goes back
 * may say that it stopped before its document is there. */
static void progress(symbi_browser *b, sy_target *t, symbi_str method, const symbi_value *p)
{
    symbi_str what = sy_str_starts(method, SY_LIT("Page.")) ? (symbi_str){ method.p + 5, method.n - 5 } : method, name = symbi_value_str(p, "name", SY_LIT(""));
    if (t->kind != SY_TARGET_PAGE || !is_id(&t->target, symbi_value_str(p, "frameId", SY_LIT("")))) return;
    if (sy_str_eqz(what, "lifecycleEvent")) {
        symbi_str loader = symbi_value_str(p, "loaderId", SY_LIT(""));
        if (sy_str_eqz(name, "init")) t->idle = false;
        else if (sy_str_eqz(name, "networkIdle") && !t->awaited && (!t->loader.s[0] || !loader.n || is_id(&t->loader, loader))) t->idle = true;
        return;
    }
    if (sy_str_eqz(what, "frameRequestedNavigation")) {
        if (!sy_str_eqz(symbi_value_str(p, "disposition", SY_LIT("currentTab")), "currentTab")) return; /* Page.windowOpen tells */
        t->asked = true;
        t->changed_at = symbi_ctx_mono_ms(b->cx);
    } else if (sy_str_eqz(what, "frameStartedNavigating") || sy_str_eqz(what, "frameStartedLoading")) {
        if (sy_str_eqz(symbi_value_str(p, "navigationType", SY_LIT("")), "sameDocument")) return;
        t->begun = t->loading = t->awaited = true;
        t->asked = t->idle = false;
    } else if (sy_str_eqz(what, "frameStoppedLoading")) {
        t->asked = t->loading = false;
        t->stopped_at = symbi_ctx_mono_ms(b->cx);
    } else if (sy_str_eqz(what, "navigatedWithinDocument")) {
        arrived(b, t);
        t->idle = true; /* nothing was loaded */
    } else {
        return;
    }
    b->news++;
}

static void event(symbi_browser *b, sy_target *t, symbi_str method, const symbi_value *p, symbi_status *st)
{
    if (sy_str_eqz(method, "Target.attachedToTarget")) {
        attached(b, t, p, st);
    } else if (sy_str_eqz(method, "Target.detachedFromTarget")) {
        detached(b, p);
    } else if (!t) {
        return; /* nothing else comes from the browser itself, or from strangers */
    } else if (sy_str_eqz(method, "Fetch.requestPaused")) {
        request_paused(b, t, p, st);
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
        drop(b, t);
    } else {
        progress(b, t, method, p);
    }
}

/* ---- replies ---- */

static void fetch_enabled(symbi_browser *b, sy_target *t, bool fine)
{
    t->fetch_id = 0;
    if (!fine && t->kind != SY_TARGET_WORKER) {
        sy_browser_end(b, "the browser does not let its requests be held");
        return;
    }
    if (!fine && b->live) return; /* a worker that cannot be held does not run */
    t->ready = true;
    t->changed_at = symbi_ctx_mono_ms(b->cx);
    b->news++;
    if (t->paused) sy_cdp_simple(b, "Runtime.runIfWaitingForDebugger", t, "{}");
    t->paused = false;
    if (t == b->tab && b->step == SY_STEP_UP) sy_do_advance(b, NULL, NULL);
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
            fetch_enabled(b, t, result != NULL);
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
        if (params && params->kind == SYMBI_OBJECT) event(b, session.n ? find_session(b, session) : NULL, symbi_value_str(root, "method", SY_LIT("")), params, &st);
    }
    symbi_doc_unref(d);
    if (st == SYMBI_ENOMEM || sy_buf_status(&b->out) == SYMBI_ENOMEM || b->a.status == SYMBI_ENOMEM) return sy_fail_nomem(err);
    return SYMBI_OK;
}
