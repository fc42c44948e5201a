/* tests/fuzz/agentpin_fuzz.h: what the AgentPin fuzz targets share: a key and a credential made once, and input in which the words
 * @X@ and @Y@ stand for the key's coordinates, so that seeds can hold documents that verify. */
#ifndef AGENTPIN_FUZZ_H
#define AGENTPIN_FUZZ_H
#include "symbi/agentpin.h"
#include "symbi/json.h"

#include <stdlib.h>
#include <string.h>

#define NOW ((int64_t)1780000000)

static symbi_ctx *cx;
static symbi_key *key;
static symbi_doc *jwk;
static symbi_text jwt;
static symbi_agentpin_options options;

static inline void must(int ok)
{
    if (!ok) abort();
}

static inline void begin(void)
{
    static const char *const caps[] = { "read:data" };
    symbi_value item, list;
    symbi_agentpin_claims c;
    symbi_err err;
    if (cx) return;
    must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK && symbi_p256_generate(cx, &key, &err) == SYMBI_OK);
    must(symbi_agentpin_jwk(cx, key, symbi_str_z("k1"), &jwk, &err) == SYMBI_OK);
    memset(&item, 0, sizeof item);
    memset(&list, 0, sizeof list);
    memset(&c, 0, sizeof c);
    item.kind = SYMBI_STRING;
    item.u.s = symbi_str_z(caps[0]);
    list.kind = SYMBI_ARRAY;
    list.u.a.items = &item;
    list.u.a.n = 1;
    c.size = sizeof c;
    c.kid = symbi_str_z("k1");
    c.issuer = symbi_str_z("example.com");
    c.agent_id = symbi_str_z("a");
    c.jti = symbi_str_z("j1");
    c.capabilities = &list;
    c.now = NOW;
    c.ttl_secs = 3600;
    must(symbi_agentpin_issue(cx, key, &c, &jwt, &err) == SYMBI_OK);
    symbi_agentpin_options_init(&options);
    options.now = NOW;
}

static inline symbi_doc *document(const uint8_t *data, size_t size)
{
    char *buf = malloc(size * 16 + 64);
    symbi_doc *d = NULL;
    symbi_err err;
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (i + 3 <= size && data[i] == '@' && data[i + 2] == '@' && (data[i + 1] == 'X' || data[i + 1] == 'Y')) {
            symbi_str s = symbi_value_str(symbi_doc_root(jwk), data[i + 1] == 'X' ? "x" : "y", symbi_str_z(""));
            memcpy(buf + n, s.p, s.n);
            n += s.n;
            i += 2;
        } else {
            buf[n++] = (char)data[i];
        }
    }
    if (symbi_json_parse(cx, (symbi_str){ buf, n }, &d, &err)) d = NULL;
    free(buf);
    return d;
}

static inline bool is(const symbi_value *v, const char *name, const char *text)
{
    symbi_str s = symbi_value_str(v, name, symbi_str_z("\x01"));
    return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

/* What a valid result implies, read off the document. */
static inline void check_valid(const symbi_value *doc, const symbi_agentpin_result *r)
{
    const symbi_value *k = symbi_agentpin_find_key(doc, symbi_str_z("k1")), *a = symbi_agentpin_find_agent(doc, symbi_str_z("a"));
    must(symbi_agentpin_result_code(r) == SYMBI_AGENTPIN_NONE && symbi_agentpin_result_reason(r) == SYMBI_AGENTPIN_R_OK);
    must(is(doc, "entity", "example.com") && is(doc, "agentpin_version", "0.1"));
    must(k && symbi_value_equal(symbi_value_getz(k, "x"), symbi_value_getz(symbi_doc_root(jwk), "x")) && symbi_value_equal(symbi_value_getz(k, "y"), symbi_value_getz(symbi_doc_root(jwk), "y")));
    must(a && is(a, "status", "active"));
    must(symbi_agentpin_result_capability_count(r) == 1 && symbi_agentpin_result_agent_id(r).n == 1);
}
static inline void check_refused(const symbi_agentpin_result *r)
{
    must(symbi_agentpin_result_code(r) != SYMBI_AGENTPIN_NONE && symbi_agentpin_result_reason(r) != SYMBI_AGENTPIN_R_OK);
    must(symbi_agentpin_result_message(r).n && !symbi_agentpin_result_agent_id(r).n && !symbi_agentpin_result_capabilities(r));
}
#endif
