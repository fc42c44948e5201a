/* agentpin/result.c: what a verification found: immutable once handed out, and empty of identity unless it is valid. */
#include "agentpin/result.h"

symbi_status sy_ap_result_new(symbi_ctx *cx, symbi_agentpin_result **out, symbi_err *err)
{
    symbi_agentpin_result *r = *out = sy_calloc(&cx->shared, 1, sizeof *r);
    if (!r) return sy_fail_nomem(err);
    sy_ref_init(&r->refs);
    sy_arena_init(&r->arena, cx->shared, cx->limits.arena_bytes);
    r->delegation_verified = -1;
    r->warnings = sy_val_array(NULL, 0);
    return SYMBI_OK;
}

symbi_agentpin_result *symbi_agentpin_result_ref(symbi_agentpin_result *r)
{
    sy_ref_inc(&r->refs);
    return r;
}

void symbi_agentpin_result_unref(symbi_agentpin_result *r)
{
    symbi_alloc a;
    if (!r || !sy_ref_dec(&r->refs)) return;
    a = r->arena.alloc;
    sy_arena_free(&r->arena);
    sy_free(&a, r, sizeof *r);
}

symbi_status sy_ap_result_refuse(symbi_agentpin_result *r, symbi_agentpin_step step, symbi_agentpin_code code, symbi_agentpin_reason reason, const char *fmt, ...)
{
    symbi_err e;
    va_list ap;
    r->valid = false;
    r->step[step] = SYMBI_AGENTPIN_FAILED;
    r->code = code;
    r->reason = reason;
    va_start(ap, fmt);
    (void)sy_vfail(&e, SYMBI_EVERIFY, 0, 0, fmt, ap);
    va_end(ap);
    r->message = sy_arena_dup(&r->arena, symbi_str_z(e.msg));
    if (!r->message.p) r->message = symbi_str_z(symbi_agentpin_reason_text(reason)); /* still a refusal */
    return SYMBI_OK;
}

void sy_ap_result_claimed(symbi_agentpin_result *r, const symbi_value *claims, symbi_str kid)
{
    static const char *const names[] = { "iss", "sub", "aud", "jti" };
    sy_obj o = sy_obj_new(&r->arena);
    symbi_str s;
    if (!claims) return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (sy_ap_str(claims, names[i], &s)) sy_obj_str(&o, names[i], sy_arena_dup(&r->arena, s));
    }
    if (kid.n) sy_obj_str(&o, "kid", sy_arena_dup(&r->arena, kid));
    r->claimed = sy_obj_value(&o);
    r->has_claimed = true;
}

bool symbi_agentpin_result_valid(const symbi_agentpin_result *r) { return r && r->valid; }
bool symbi_agentpin_result_valid_at(const symbi_agentpin_result *r, int64_t now)
{
    if (!r || !r->valid) return false;
    return now < (r->exp > INT64_MAX - r->skew ? INT64_MAX : r->exp + r->skew);
}
symbi_agentpin_code symbi_agentpin_result_code(const symbi_agentpin_result *r) { return r->code; }
symbi_agentpin_reason symbi_agentpin_result_reason(const symbi_agentpin_result *r) { return r->reason; }
symbi_str symbi_agentpin_result_message(const symbi_agentpin_result *r) { return r->message; }
symbi_agentpin_step_state symbi_agentpin_result_step(const symbi_agentpin_result *r, symbi_agentpin_step s)
{
    return (unsigned)s < SYMBI_AGENTPIN_STEPS ? (symbi_agentpin_step_state)r->step[s] : SYMBI_AGENTPIN_NOT_REACHED;
}

static symbi_str if_valid(const symbi_agentpin_result *r, symbi_str s) { return r->valid ? s : (symbi_str){ "", 0 }; }
symbi_str symbi_agentpin_result_agent_id(const symbi_agentpin_result *r) { return if_valid(r, r->agent_id); }
symbi_str symbi_agentpin_result_issuer(const symbi_agentpin_result *r) { return if_valid(r, r->issuer); }
symbi_str symbi_agentpin_result_audience(const symbi_agentpin_result *r) { return if_valid(r, r->audience); }
symbi_str symbi_agentpin_result_jti(const symbi_agentpin_result *r) { return if_valid(r, r->jti); }
symbi_str symbi_agentpin_result_kid(const symbi_agentpin_result *r) { return if_valid(r, r->kid); }
symbi_str symbi_agentpin_result_agent_name(const symbi_agentpin_result *r) { return if_valid(r, r->agent_name); }
symbi_str symbi_agentpin_result_first_seen(const symbi_agentpin_result *r) { return if_valid(r, r->first_seen); }
int64_t symbi_agentpin_result_iat(const symbi_agentpin_result *r) { return r->valid ? r->iat : 0; }
int64_t symbi_agentpin_result_exp(const symbi_agentpin_result *r) { return r->valid ? r->exp : 0; }
size_t symbi_agentpin_result_capability_count(const symbi_agentpin_result *r) { return r->valid ? r->capabilities.u.a.n : 0; }
symbi_str symbi_agentpin_result_capability(const symbi_agentpin_result *r, size_t i)
{
    return i < symbi_agentpin_result_capability_count(r) ? r->capabilities.u.a.items[i].u.s : (symbi_str){ "", 0 };
}
const symbi_value *symbi_agentpin_result_capabilities(const symbi_agentpin_result *r) { return r->valid ? &r->capabilities : NULL; }
const symbi_value *symbi_agentpin_result_constraints(const symbi_agentpin_result *r)
{
    return r->valid && r->constraints.kind == SYMBI_OBJECT ? &r->constraints : NULL;
}
const symbi_value *symbi_agentpin_result_delegation(const symbi_agentpin_result *r)
{
    return r->valid && r->delegation.kind == SYMBI_ARRAY ? &r->delegation : NULL;
}
int symbi_agentpin_result_delegation_verified(const symbi_agentpin_result *r) { return r->valid ? r->delegation_verified : -1; }
const symbi_value *symbi_agentpin_result_warnings(const symbi_agentpin_result *r)
{
    static const symbi_value none = { .kind = SYMBI_ARRAY };
    return r->valid ? &r->warnings : &none;
}
symbi_agentpin_pinning symbi_agentpin_result_pinning(const symbi_agentpin_result *r) { return r->valid ? r->pinning : SYMBI_AGENTPIN_PIN_NONE; }
const symbi_value *symbi_agentpin_result_claimed(const symbi_agentpin_result *r) { return r->has_claimed ? &r->claimed : NULL; }
