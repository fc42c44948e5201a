/* toolclad/browser_request.c: the decision on every request that the browser wants to make: it goes on, it is refused, or, to a host outside, we make
 * it in the browser's place. A request that cannot be read stays paused. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "toolclad/browser_in.h"
#include <stdio.h>

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

/* The one decision. */
void sy_request_paused(symbi_browser *b, sy_target *t, const symbi_value *p, symbi_status *st)
{
    const symbi_value *rq = symbi_value_getz(p, "request");
    symbi_str url = symbi_value_str(rq, "url", SY_LIT("")), type = symbi_value_str(p, "resourceType", SY_LIT("Document"));
    bool document = sy_str_eqz(type, "Document"), top = document && t->kind == SY_TARGET_PAGE && sy_cdp_is(&t->target, symbi_value_str(p, "frameId", SY_LIT("")));
    symbi_browser_where where = SYMBI_BROWSER_NOWHERE;
    sy_cdp_id request;
    symbi_err why;
    if (!sy_cdp_take_id(symbi_value_str(p, "requestId", SY_LIT("")), &request)) return; /* it stays paused */
    symbi_err_clear(&why);
    if (!top && (sy_str_starts(url, SY_LIT("data:")) || sy_str_starts(url, SY_LIT("blob:")) || sy_str_eqz(url, "about:blank") || sy_str_eqz(url, "about:srcdoc"))) where = SYMBI_BROWSER_INSIDE; /* they fetch nothing */
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
    if (b->tab == t && b->plan && b->step > SY_STEP_UP && b->step < SY_STEP_END_SHOT && !b->denied) {
        b->denied = true;
        sy_do_fail(b, "navigation refused: %s", why.msg);
    }
    if (b->tab != t && !t->was_somewhere) sy_tab_drop(b, t);
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
    t = sy_tab_find(b, symbi_str_z(f->session.s));
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
