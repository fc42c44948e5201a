/* gate/identity.c: who is calling, and is this the tool that somebody signed for. The proofs were made elsewhere (agentpin/, schemapin/) and are
 * objects that only those make; here is looked whether they are good now, and of exactly this agent and this contract. One that is not denies,
 * whether or not one was asked for: whoever shows a bad one is not the same as who shows none. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "gate/gate.h"

#include <stdlib.h>
#include <string.h>

static int by_bytes(const void *a, const void *b) { return sy_str_cmp(*(const symbi_str *)a, *(const symbi_str *)b); }

symbi_status sy_names_copy(symbi_ctx *cx, const symbi_str *in, size_t n, bool sorted, sy_names *out)
{
    size_t bytes;
    char *p;
    memset(out, 0, sizeof *out);
    if (!n) return SYMBI_OK;
    if (__builtin_mul_overflow(n, sizeof *in, &bytes)) return SYMBI_ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (__builtin_add_overflow(bytes, in[i].n, &bytes)) return SYMBI_ENOMEM;
    out->v = sy_alloc(&cx->alloc, bytes);
    if (!out->v) return SYMBI_ENOMEM;
    out->bytes = bytes;
    out->n = n;
    p = (char *)(out->v + n);
    for (size_t i = 0; i < n; i++) {
        if (in[i].n) memcpy(p, in[i].p, in[i].n);
        out->v[i].p = p;
        out->v[i].n = in[i].n;
        p += in[i].n;
    }
    if (sorted) qsort(out->v, n, sizeof *out->v, by_bytes);
    return SYMBI_OK;
}

void sy_names_free(symbi_ctx *cx, sy_names *n)
{
    sy_free(&cx->alloc, n->v, n->bytes);
    memset(n, 0, sizeof *n);
}

bool sy_names_has(const sy_names *n, symbi_str s) { return n->n && bsearch(&s, n->v, n->n, sizeof *n->v, by_bytes) != NULL; }

/* ---- the agent ---- */

bool sy_gate_check_identity(symbi_gate *g, const symbi_action *a, symbi_verdict *v)
{
    symbi_agentpin_result *r = a->identity;
    symbi_str sub, want = a->agent, why;
    if (!r) return !g->require_identity || sy_deny(v, SYMBI_CODE_IDENTITY_REQUIRED, "agent %s shows no identity, and must", v->agent);
    v->identity_ = symbi_agentpin_result_ref(r);
    if (!symbi_agentpin_result_valid(r)) {
        why = symbi_agentpin_result_message(r);
        return sy_deny(v, SYMBI_CODE_IDENTITY_INVALID, "the identity of agent %s did not verify: %.*s", v->agent, (int)(why.n > 200 ? 200 : why.n), why.n ? why.p : "");
    }
    if (!symbi_agentpin_result_valid_at(r, symbi_ctx_now_ms(g->cx) / 1000)) return sy_deny(v, SYMBI_CODE_IDENTITY_EXPIRED, "the identity of agent %s has expired", v->agent);
    for (size_t i = 0; i + 1 < g->identities.n; i += 2)
        if (sy_str_eq(g->identities.v[i], a->agent)) want = g->identities.v[i + 1];
    sub = symbi_agentpin_result_agent_id(r);
    if (!sy_str_eq(sub, want)) return sy_deny(v, SYMBI_CODE_IDENTITY_MISMATCH, "agent %s shows the identity of %.*s", v->agent, (int)(sub.n > 128 ? 128 : sub.n), sub.n ? sub.p : "");
    why = symbi_agentpin_result_issuer(r);
    if (g->issuer.n && !sy_str_eq(why, g->issuer.v[0]))
        return sy_deny(v, SYMBI_CODE_IDENTITY_MISMATCH, "the identity of agent %s was issued by %.*s, whose word does not count here", v->agent, (int)(why.n > 128 ? 128 : why.n), why.n ? why.p : "");
    v->identified = true;
    return true;
}

/* ---- the tool ---- */

static size_t proof_place(const symbi_gate *g, const symbi_tool *t)
{
    size_t lo = 0, hi = g->nproofs;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if ((uintptr_t)g->proofs[mid].tool < (uintptr_t)t) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

static bool proves(const sy_proof *p, const symbi_tool_info *ti, int64_t now)
{
    return symbi_schemapin_result_proves(p->r, SYMBI_SCHEMAPIN_FILE, ti->manifest_sha256, now) || symbi_schemapin_result_proves(p->r, SYMBI_SCHEMAPIN_SCHEMA, p->schema, now);
}

bool sy_gate_check_proof(symbi_gate *g, symbi_verdict *v)
{
    int64_t now = symbi_ctx_now_ms(g->cx) / 1000;
    size_t i = proof_place(g, v->tool);
    symbi_schemapin_info si;
    symbi_tool_info ti;
    const sy_proof *p = i < g->nproofs && g->proofs[i].tool == v->tool ? &g->proofs[i] : NULL;
    if (!p && !g->require_verified && !g->verified_tools.n) return true;
    symbi_tool_get_info(v->tool, &ti);
    if (!p) {
        if (!g->require_verified && !sy_names_has(&g->verified_tools, ti.name) && !sy_names_has(&g->verified_tools, ti.manifest)) return true;
        return sy_deny(v, SYMBI_CODE_TOOL_UNVERIFIED, "the contract of tool '%s' must be verified, and nobody did", v->name);
    }
    v->proof_ = symbi_schemapin_result_ref(p->r);
    if (proves(p, &ti, now)) {
        v->tool_verified = true;
        return true;
    }
    symbi_schemapin_result_info(p->r, &si);
    if (!si.valid) return sy_deny(v, SYMBI_CODE_TOOL_PROOF_INVALID, "the signature of tool '%s' did not verify: %.*s", v->name, (int)(si.message.n > 200 ? 200 : si.message.n), si.message.n ? si.message.p : "");
    if (si.expired || si.expiry_unreadable || now > si.valid_until) return sy_deny(v, SYMBI_CODE_TOOL_PROOF_EXPIRED, "the signature of tool '%s' has expired", v->name);
    return sy_deny(v, SYMBI_CODE_TOOL_CHANGED, "the contract of tool '%s' is not the one that %.*s signed", v->name, (int)(si.domain.n > 128 ? 128 : si.domain.n), si.domain.n ? si.domain.p : "");
}

static symbi_status schema_digest(symbi_gate *g, const symbi_tool *t, uint8_t out[32], symbi_err *err)
{
    const symbi_str none = { "", 0 };
    symbi_doc *d;
    symbi_status st = symbi_tool_schema(g->cx, t, &d, err);
    if (st) return st;
    st = symbi_schemapin_hash(g->cx, none, symbi_doc_root(d), 0, out, NULL, err);
    symbi_doc_unref(d);
    return st;
}

symbi_status symbi_gate_prove(symbi_gate *g, symbi_str tool, symbi_schemapin_result *r, symbi_err *err)
{
    symbi_tool *t = g->tools ? symbi_toolset_find(g->tools, tool) : NULL;
    uint8_t digest[32];
    symbi_status st;
    size_t i;
    if (!t) return sy_fail(err, SYMBI_ENOTFOUND, "this gate has no tool '%.*s'", SY_FMT(tool));
    i = proof_place(g, t);
    if (i < g->nproofs && g->proofs[i].tool == t) {
        symbi_schemapin_result *old = g->proofs[i].r;
        if (r) g->proofs[i].r = symbi_schemapin_result_ref(r);
        else memmove(&g->proofs[i], &g->proofs[i + 1], (--g->nproofs - i) * sizeof *g->proofs);
        symbi_schemapin_result_unref(old);
        return SYMBI_OK;
    }
    if (!r) return SYMBI_OK;
    if ((st = schema_digest(g, t, digest, err))) return st;
    if (sy_grow(&g->cx->alloc, (void **)&g->proofs, &g->proofs_cap, g->nproofs + 1, sizeof *g->proofs)) return sy_fail_nomem(err);
    memmove(&g->proofs[i + 1], &g->proofs[i], (g->nproofs++ - i) * sizeof *g->proofs);
    g->proofs[i].tool = t;
    memcpy(g->proofs[i].schema, digest, sizeof digest);
    g->proofs[i].r = symbi_schemapin_result_ref(r);
    return SYMBI_OK;
}

void sy_gate_drop_proofs(symbi_gate *g)
{
    for (size_t i = 0; i < g->nproofs; i++) symbi_schemapin_result_unref(g->proofs[i].r);
    sy_free(&g->cx->alloc, g->proofs, g->proofs_cap * sizeof *g->proofs);
    g->proofs = NULL;
    g->nproofs = g->proofs_cap = 0;
}
