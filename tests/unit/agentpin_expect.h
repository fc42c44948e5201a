/* tests/unit/agentpin_expect.h: one verifier, one document, and what a credential must end in. */
#ifndef AGENTPIN_EXPECT_H
#define AGENTPIN_EXPECT_H
#include "agentpin_make.h"

static inline const char *code_of(const symbi_agentpin_result *r) { return symbi_agentpin_code_name(symbi_agentpin_result_code(r)); }
static inline const char *why_of(const symbi_agentpin_result *r) { return symbi_agentpin_reason_name(symbi_agentpin_result_reason(r)); }

typedef struct fixture {
    symbi_ctx *cx;
    symbi_key *k;
    symbi_doc *doc, *rev;
    symbi_agentpin_options o;
} fixture;

static inline void setup(fixture *f)
{
    f->cx = new_ctx();
    f->k = new_key(f->cx);
    f->doc = discovery(f->cx, "example.com", f->k, "k1");
    f->rev = no_revocations(f->cx, "example.com");
    symbi_agentpin_options_init(&f->o);
    f->o.now = NOW;
}

static inline void teardown(fixture *f)
{
    symbi_doc_unref(f->doc);
    symbi_doc_unref(f->rev);
    symbi_key_unref(f->k);
    symbi_ctx_free(f->cx);
}

static inline symbi_agentpin_result *verify(fixture *f, symbi_str jwt)
{
    symbi_agentpin_result *r = NULL;
    symbi_err err;
    symbi_status st = symbi_agentpin_verify(f->cx, jwt, symbi_doc_root(f->doc), symbi_doc_root(f->rev), &f->o, &r, &err);
    CHECK_OK(st, err);
    return r;
}

static inline void expect(fixture *f, symbi_str jwt, const char *code, const char *why)
{
    symbi_agentpin_result *r = verify(f, jwt);
    if (!r) return;
    if (strcmp(code_of(r), code) || strcmp(why_of(r), why)) {
        printf("got %s %s (%.*s), expected %s %s\n", code_of(r), why_of(r), (int)symbi_agentpin_result_message(r).n, symbi_agentpin_result_message(r).p, code, why);
        t_now_failed = 1;
    }
    CHECK(symbi_agentpin_result_valid(r) == !*code);
    if (*code) { /* nothing of the identity leaks out of a refusal */
        CHECK(symbi_agentpin_result_agent_id(r).n == 0 && symbi_agentpin_result_issuer(r).n == 0 && symbi_agentpin_result_capability_count(r) == 0);
        CHECK(!symbi_agentpin_result_capabilities(r) && !symbi_agentpin_result_constraints(r) && !symbi_agentpin_result_delegation(r));
        CHECK(!symbi_agentpin_result_valid_at(r, NOW) && symbi_agentpin_result_exp(r) == 0);
        CHECK(symbi_agentpin_result_message(r).n > 0);
    }
    symbi_agentpin_result_unref(r);
}

static inline void expect_token(fixture *f, claims c, const char *code, const char *why)
{
    symbi_text t = token(f->cx, f->k, c);
    expect(f, symbi_text_str(&t), code, why);
    symbi_text_free(&t);
}

static inline void expect_raw(fixture *f, const char *header, const char *body, const char *code, const char *why)
{
    symbi_text t = raw_token(f->cx, f->k, header, body);
    expect(f, symbi_text_str(&t), code, why);
    raw_free(&t);
}
#endif
