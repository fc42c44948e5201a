/* tests/fuzz/fuzz_schemapin_documents.c: discovery documents, revocation lists, pin files, TXT records, domains and canonical forms
 * from anybody. The first byte chooses. What must hold: a canonical form is a fixed point, a pin file that was read is read again
 * after writing with the same pins, and a lookup fed with the bytes ends. */
#include "symbi/schemapin_net.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void canonical(symbi_ctx *cx, symbi_str s, unsigned flags)
{
    symbi_text a, b;
    symbi_err err;
    if (symbi_schemapin_canonical(cx, s, NULL, flags, &a, NULL, &err)) return;
    if (symbi_schemapin_canonical(cx, symbi_text_str(&a), NULL, 0, &b, NULL, &err)) abort();
    if (a.n != b.n || memcmp(a.p, b.p, a.n)) abort();
    symbi_text_free(&a);
    symbi_text_free(&b);
    if (!symbi_schemapin_runtime_input(cx, s, &a, &b, &err)) {
        symbi_text_free(&a);
        symbi_text_free(&b);
    }
}

static void pins(symbi_ctx *cx, symbi_str s)
{
    symbi_schemapin_pins *p, *q;
    symbi_text t, u;
    symbi_err err;
    if (symbi_schemapin_pins_new(cx, &p, &err) || symbi_schemapin_pins_new(cx, &q, &err)) abort();
    if (!symbi_schemapin_pins_load(p, s, NULL, &err)) {
        if (symbi_schemapin_pins_json(p, false, &t, &err)) abort();
        if (symbi_schemapin_pins_load(q, symbi_text_str(&t), NULL, &err)) abort();
        if (symbi_schemapin_pins_count(p) != symbi_schemapin_pins_count(q)) abort();
        if (symbi_schemapin_pins_json(q, false, &u, &err)) abort();
        if (t.n != u.n || memcmp(t.p, u.p, t.n)) abort();
        symbi_text_free(&u);
        symbi_text_free(&t);
        for (size_t i = 0; i < symbi_schemapin_pins_count(p); i++) {
            symbi_schemapin_pin at, found;
            if (!symbi_schemapin_pins_at(p, i, &at) || !symbi_schemapin_pins_find(p, at.tool_id, at.domain, &found)) abort();
        }
    }
    symbi_schemapin_pins_free(p);
    symbi_schemapin_pins_free(q);
}

static void lookup(symbi_ctx *cx, symbi_str s)
{
    symbi_schemapin_online *m;
    symbi_schemapin_ask ask;
    symbi_schemapin_answer a;
    symbi_schemapin_found f;
    symbi_err err;
    int steps = 0;
    if (symbi_schemapin_online_new(cx, symbi_str_z("example.com"), true, &m, &err)) abort();
    memset(&a, 0, sizeof a);
    a.http_status = 200;
    a.body = s;
    a.records = &s;
    a.nrecords = 1;
    while (!symbi_schemapin_online_next(m, &ask, &err) && ask.kind) {
        if (++steps > 3) abort();
        if (symbi_schemapin_online_resolve(m, ask.id, &a, &err)) abort();
    }
    if (symbi_schemapin_online_found(m, &f, &err)) abort();
    if (!f.code && !f.discovery) abort();
    symbi_schemapin_online_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx; /* one for all inputs: what it keeps between them must not matter */
    symbi_str s;
    symbi_err err;
    if (!cx && symbi_ctx_new(NULL, &cx, NULL)) return 0;
    if (!size) return 0;
    s.p = (const char *)data + 1;
    s.n = size - 1;
    switch (data[0]) {
    case 'c': canonical(cx, s, 0); break;
    case 's': canonical(cx, s, SYMBI_SCHEMAPIN_STRICT | SYMBI_SCHEMAPIN_FOR_SIGNING); break;
    case 'p': pins(cx, s); break;
    case 'l': lookup(cx, s); break;
    case 'd': {
        symbi_schemapin_discovery *d;
        if (!symbi_schemapin_discovery_read(cx, s, NULL, &d, &err)) symbi_schemapin_discovery_unref(d);
        break;
    }
    case 'r': {
        symbi_schemapin_revocation *r;
        if (!symbi_schemapin_revocation_read(cx, s, NULL, &r, &err)) {
            char why[200];
            (void)symbi_schemapin_revoked(symbi_str_z("sha256:00"), NULL, r, why);
            symbi_schemapin_revocation_unref(r);
        }
        break;
    }
    case 't': {
        symbi_schemapin_txt t;
        int64_t ms;
        if (!symbi_schemapin_txt_parse(s, &t, &err) && t.fingerprint.n < 7) abort();
        (void)symbi_schemapin_time(s, &ms);
        break;
    }
    case 'n': {
        char buf[SYMBI_SCHEMAPIN_MAX_DOMAIN + 1], again[SYMBI_SCHEMAPIN_MAX_DOMAIN + 1];
        symbi_text t;
        if (!symbi_schemapin_domain(s, buf, &err)) { /* one spelling */
            if (symbi_schemapin_domain(symbi_str_z(buf), again, &err) || strcmp(buf, again)) abort();
            if (strpbrk(buf, "/@?#\\ %")) abort();
        }
        if (!symbi_schemapin_url(cx, s, &t, &err)) symbi_text_free(&t);
        break;
    }
    default: break;
    }
    return 0;
}
