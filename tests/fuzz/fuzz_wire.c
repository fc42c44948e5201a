/* Fuzz target: symbi/wire.h. The first byte chooses the codec and how the input is split; however it is split, the events must be the
 * same, and what a codec accepts it must be able to write again. */
#include "symbi/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

typedef struct log_t {
    uint64_t h;
    size_t n;
} log_t;

static void note(log_t *l, const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) l->h = (l->h ^ b[i]) * 1099511628211u;
    l->n += n;
}

static symbi_str piece(symbi_str *all, size_t step)
{
    symbi_str p = { all->p, all->n < step ? all->n : step };
    all->p += p.n, all->n -= p.n;
    return p;
}

static symbi_status sse(symbi_ctx *cx, symbi_str all, size_t step, log_t *l)
{
    symbi_sse *s;
    symbi_sse_event e;
    symbi_err err;
    symbi_status st = SYMBI_EAGAIN;
    must(symbi_sse_new(cx, 256, &s, &err) == SYMBI_OK);
    while (all.n && st == SYMBI_EAGAIN) {
        symbi_str p = piece(&all, step);
        while ((st = symbi_sse_next(s, &p, &e, &err)) == SYMBI_OK) {
            must(e.data.n <= 256 && e.retry_ms >= -1);
            note(l, e.event.p, e.event.n);
            note(l, "|", 1);
            note(l, e.data.p, e.data.n);
            note(l, "|", 1);
            note(l, e.id.p, e.id.n);
        }
        must(st == SYMBI_ELIMIT || p.n == 0);
    }
    symbi_sse_free(s);
    return st;
}

static symbi_status http1(symbi_ctx *cx, symbi_str all, size_t step, symbi_http1_kind kind, bool head, log_t *l)
{
    symbi_http1_options o = { .kind = kind, .head = head, .max_head = 4096, .max_body = 2000 };
    symbi_http1 *h;
    symbi_err err;
    symbi_status st = SYMBI_EAGAIN;
    size_t body = 0;
    bool end = false;
    must(symbi_http1_new(cx, &o, &h, &err) == SYMBI_OK);
    while (all.n && st == SYMBI_EAGAIN && !end) {
        symbi_str p = piece(&all, step), d;
        symbi_http1_what w;
        while (!end && (st = symbi_http1_next(h, &p, &w, &d, &err)) == SYMBI_OK) {
            if (w == SYMBI_HTTP1_HEAD) {
                const symbi_http1_message *m = symbi_http1_head(h);
                must(m != NULL && !(m->chunked && m->has_length));
                for (size_t i = 0; i < m->nfields; i++) note(l, m->fields[i].name.p, m->fields[i].name.n), note(l, m->fields[i].value.p, m->fields[i].value.n);
            }
            body += d.n;
            note(l, d.p, d.n);
            end = w == SYMBI_HTTP1_END;
        }
        if (st == SYMBI_EAGAIN) must(p.n == 0);
    }
    must(body <= 2000);
    if (st == SYMBI_EAGAIN) st = symbi_http1_eof(h, &err);
    note(l, end ? "E" : "-", 1);
    symbi_http1_free(h);
    return st;
}

static void url(symbi_ctx *cx, symbi_str all)
{
    symbi_url u, v;
    symbi_err err;
    symbi_text t, t2;
    const char *nl = memchr(all.p, '\n', all.n);
    symbi_str base = { all.p, nl ? (size_t)(nl - all.p) : all.n }, ref = { nl ? nl + 1 : "", nl ? all.n - base.n - 1 : 0 };
    symbi_status st = symbi_url_parse(base, &u, &err);
    if (st) {
        must(err.code == st && err.msg[0]);
        return;
    }
    must(u.host.n > 0 && u.port > 0);
    must(symbi_url_authority(cx, &u, &t, &err) == SYMBI_OK);
    must(!memchr(t.p, '@', t.n) && !memchr(t.p, '/', t.n) && !memchr(t.p, '\r', t.n));
    symbi_text_free(&t);
    if (symbi_url_join(cx, base, ref, &t, &err)) return;
    must(symbi_url_parse(symbi_text_str(&t), &v, &err) == SYMBI_OK);
    /* joining with nothing changes nothing more (but for the fragment, which never survives a join) */
    if (!v.has_fragment && symbi_url_join(cx, symbi_text_str(&t), (symbi_str){ "", 0 }, &t2, &err) == SYMBI_OK) {
        must(t2.n == t.n && !memcmp(t2.p, t.p, t.n));
        symbi_text_free(&t2);
    }
    if (symbi_http1_write_request(cx, (symbi_str){ "GET", 3 }, &v, NULL, 0, (symbi_str){ "", 0 }, true, &t2, &err) == SYMBI_OK) {
        log_t l = { 0, 0 };
        must(http1(cx, symbi_text_str(&t2), 7, SYMBI_HTTP1_REQUEST, false, &l) == SYMBI_OK || t2.n > 4096);
        symbi_text_free(&t2);
    }
    symbi_text_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_ctx *cx;
    symbi_str all;
    log_t a = { 0, 0 }, b = { 0, 0 };
    symbi_status st, st2;
    size_t step;
    if (!size) return 0;
    all.p = (const char *)data + 1;
    all.n = size - 1;
    step = 1 + data[0] / 8;
    must(symbi_ctx_new(NULL, &cx, NULL) == SYMBI_OK);
    switch (data[0] % 8) {
    case 0:
    case 1:
        st = sse(cx, all, all.n + 1, &a);
        st2 = sse(cx, all, step, &b);
        must(st == st2 && a.h == b.h && a.n == b.n);
        break;
    case 2: url(cx, all); break;
    default:
        st = http1(cx, all, all.n + 1, data[0] & 1 ? SYMBI_HTTP1_REQUEST : SYMBI_HTTP1_RESPONSE, data[0] % 8 == 4, &a);
        st2 = http1(cx, all, step, data[0] & 1 ? SYMBI_HTTP1_REQUEST : SYMBI_HTTP1_RESPONSE, data[0] % 8 == 4, &b);
        must(st == st2);
        if (!st) must(a.h == b.h && a.n == b.n); /* a refused message may have given out more or less of its body */
    }
    symbi_ctx_free(cx);
    return 0;
}
