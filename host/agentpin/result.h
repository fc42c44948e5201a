/* agentpin/result.h: the inside of a verification result. Only verify.c, bundle.c and online.c make one. */
#ifndef SY_AGENTPIN_RESULT_H
#define SY_AGENTPIN_RESULT_H
#include "agentpin/int.h"
#include "base/ref.h"

struct symbi_agentpin_result {
    sy_ref refs;
    sy_arena arena;
    bool valid; /* false until the last check passed */
    symbi_agentpin_code code;
    symbi_agentpin_reason reason;
    uint8_t step[SYMBI_AGENTPIN_STEPS];
    symbi_str message, agent_id, issuer, audience, jti, kid, agent_name, first_seen;
    int64_t iat, exp, skew;
    symbi_value capabilities, constraints, delegation, warnings, claimed;
    bool has_claimed;
    int delegation_verified;
    symbi_agentpin_pinning pinning;
};

symbi_status sy_ap_result_new(symbi_ctx *cx, symbi_agentpin_result **out, symbi_err *err);
/* Marks the step as failed and fills code, reason and message. Returns SYMBI_OK: a refusal is a result. */
symbi_status sy_ap_result_refuse(symbi_agentpin_result *r, symbi_agentpin_step step, symbi_agentpin_code code, symbi_agentpin_reason reason, const char *fmt, ...) SYMBI_PRINTF(5, 6);
void sy_ap_result_claimed(symbi_agentpin_result *r, const symbi_value *claims, symbi_str kid);

/* Step 1 of a fresh result: OK with *go = false for a refusal. t is to be freed in any case. */
symbi_status sy_ap_verify_token(symbi_ctx *cx, symbi_str jwt, const symbi_agentpin_options *o, sy_ap_token *t, symbi_agentpin_result *r, bool *go, symbi_err *err);
/* Step 2 alone: false with r filled. The machine looks before it asks the network. */
bool sy_ap_verify_time(const sy_ap_token *t, const symbi_agentpin_options *o, symbi_agentpin_result *r);
/* Steps 2 to 13. */
symbi_status sy_ap_verify_rest(symbi_ctx *cx, const sy_ap_token *t, const symbi_value *discovery, const symbi_value *revocation, const symbi_agentpin_options *o, symbi_agentpin_result *r, symbi_err *err);
/* Step 10 in full: refuses through r (then *ok is false), or fills r->delegation. */
symbi_status sy_ap_verify_chain(symbi_ctx *cx, const sy_ap_token *t, const symbi_value *discovery, const symbi_value *revocation, const symbi_agentpin_options *o, symbi_agentpin_result *r, bool *ok, symbi_err *err);
/* The document about `domain` in a list, first match; NULL. */
const symbi_value *sy_ap_by_entity(const symbi_value *list, symbi_str domain);
/* now and skew, kept in a range where sums do not overflow. */
int64_t sy_ap_now(const symbi_agentpin_options *o);
int64_t sy_ap_skew(const symbi_agentpin_options *o);
#endif
