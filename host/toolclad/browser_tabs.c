/* toolclad/browser_tabs.c: who is attached: tabs, frames and workers, from the moment that they exist. None runs before its requests are held; how
 * far a tab is with what it loads is kept here, for the commands that wait for it. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "toolclad/browser_in.h"

sy_target *sy_tab_find(const symbi_browser *b, symbi_str session)
{
    for (sy_target *t = b->targets; t; t = t->next)
        if (sy_cdp_is(&t->session, session)) return t;
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
void sy_tab_drop(symbi_browser *b, sy_target *t)
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

void sy_tab_attached(symbi_browser *b, const sy_target *parent, const symbi_value *p, symbi_status *st)
{
    const symbi_value *info = symbi_value_getz(p, "targetInfo"), *wait = symbi_value_getz(p, "waitingForDebugger");
    symbi_str type = symbi_value_str(info, "type", SY_LIT("")), opener = symbi_value_str(info, "openerId", SY_LIT(""));
    bool waiting = wait && wait->kind == SYMBI_BOOL && wait->u.b, ours = !b->live || parent;
    sy_target *t;
    sy_cdp_id session, target;
    if (!sy_cdp_take_id(symbi_value_str(p, "sessionId", SY_LIT("")), &session) || !sy_cdp_take_id(symbi_value_str(info, "targetId", SY_LIT("")), &target)) return;
    if (sy_tab_find(b, symbi_str_z(session.s))) return;
    if (!ours) { /* a browser that people use: their tabs are none of our business */
        ours = sy_cdp_is(&b->made, symbi_str_z(target.s));
        for (t = b->targets; t && !ours; t = t->next) ours = t->kind == SY_TARGET_PAGE && sy_cdp_is(&t->target, opener);
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
        sy_tab_drop(b, t);
        return;
    }
    if (!b->tab) b->tab = t;
    else t->loading = t->awaited = true; /* somebody opened it to load something */
}

void sy_tab_detached(symbi_browser *b, const symbi_value *p)
{
    symbi_str session = symbi_value_str(p, "sessionId", SY_LIT(""));
    for (sy_target **at = &b->targets; *at; at = &(*at)->next) {
        sy_target *t = *at;
        if (!sy_cdp_is(&t->session, session)) continue;
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

void sy_tab_held(symbi_browser *b, sy_target *t, bool fine)
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
}

void sy_tab_arrived(symbi_browser *b, sy_target *t)
{
    t->begun = true;
    t->awaited = t->asked = false;
    b->news++;
}

/* How far a tab is with what it loads. The order of these events differs: a new tab does not say that it started loading, and one that goes back
 * may say that it stopped before its document is there. */
void sy_tab_progress(symbi_browser *b, sy_target *t, symbi_str method, const symbi_value *p)
{
    symbi_str what = sy_str_starts(method, SY_LIT("Page.")) ? (symbi_str){ method.p + 5, method.n - 5 } : method, name = symbi_value_str(p, "name", SY_LIT(""));
    if (t->kind != SY_TARGET_PAGE || !sy_cdp_is(&t->target, symbi_value_str(p, "frameId", SY_LIT("")))) return;
    if (sy_str_eqz(what, "lifecycleEvent")) {
        symbi_str loader = symbi_value_str(p, "loaderId", SY_LIT(""));
        if (sy_str_eqz(name, "init")) t->idle = false;
        else if (sy_str_eqz(name, "networkIdle") && !t->awaited && (!t->loader.s[0] || !loader.n || sy_cdp_is(&t->loader, loader))) t->idle = true;
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
        sy_tab_arrived(b, t);
        t->idle = true; /* nothing was loaded */
    } else {
        return;
    }
    b->news++;
}
