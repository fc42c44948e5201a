/* gate/gate.c: making a gate, and the check: contract, profile, budget, clock, policy, approval, permit, in this order. Each step
 * either passes or leaves a deny; nothing after the last step can allow. */
#include "gate/gate.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/build.h"
#include "gate/lint.h"
#include "gate/permit.h"
#include "symbi/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SY_AGENT_MAX = 127, SY_NAME_MAX = 135, SY_SCRATCH_MAX = 4 << 20 }; /* names fit whole into a verdict */

void symbi_gate_options_init(symbi_gate_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
}

symbi_status symbi_gate_new(symbi_ctx *cx, const symbi_gate_options *o, symbi_gate **out, symbi_err *err)
{
    symbi_gate *g;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    if (o->size != sizeof *o) return sy_fail(err, SYMBI_EINVAL, "symbi_gate_options.size is wrong; call symbi_gate_options_init first");
    if (o->insecure_allow_all && o->production)
        return sy_fail(err, SYMBI_EDENIED, "insecure_allow_all is refused when SYMBIONT_ENV is production; load policies instead");
    if (o->compat_allow && (o->production || !o->compat))
        return sy_fail(err, SYMBI_EDENIED, "compat_allow is for a gate in compat mode outside production (SYMBIONT_ENV)");
    if (o->surface.n >= sizeof g->surface || memchr(o->surface.n ? o->surface.p : "x", 0, o->surface.n ? o->surface.n : 1))
        return sy_fail(err, SYMBI_EINVAL, "the surface name is longer than %zu bytes or holds a NUL", sizeof g->surface - 1);
    g = sy_calloc(&cx->alloc, 1, sizeof *g);
    if (!g) return sy_fail_nomem(err);
    g->refs = 1;
    g->cx = cx;
    sy_arena_init(&g->insteads.arena, cx->alloc, 0);
    sy_nonces_init(&g->used, cx->alloc, cx->limits.permits_used);
    sy_arena_init(&g->scratch, cx->alloc, SY_SCRATCH_MAX);
    g->allow_all = o->insecure_allow_all;
    g->compat = o->compat;
    g->compat_allow = o->compat_allow;
    g->permit_ttl_ms = o->permit_ttl_ms > 0 ? o->permit_ttl_ms : 60000;
    g->max_tool_calls = o->max_tool_calls;
    g->audit = o->audit;
    if (o->surface.n) memcpy(g->surface, o->surface.p, o->surface.n);
    if (o->tools) g->tools = symbi_toolset_ref(o->tools);
    g->comm = symbi_comm_rules_ref(o->comm);
    if (o->entities) g->entities = symbi_cedar_entities_ref(o->entities);
    g->has_profile = o->has_profile;
    g->require_identity = o->require_identity;
    g->require_verified = o->require_verified;
    g->require_scope = o->require_scope;
    g->scope = symbi_scope_ref(o->scope);
    if (o->has_profile) st = sy_names_copy(cx, o->profile, o->nprofile, true, &g->profile);
    if (!st) st = sy_names_copy(cx, o->verified_tools, o->nverified_tools, true, &g->verified_tools);
    if (!st) st = sy_names_copy(cx, (const symbi_str *)(const void *)o->identities, 2 * o->nidentities, false, &g->identities); /* pairs of names lie as names do */
    if (!st && o->identity_issuer.n) st = sy_names_copy(cx, &o->identity_issuer, 1, false, &g->issuer);
    if (st) {
        sy_fail_nomem(err);
        goto fail;
    }
    if (o->key.n && o->key.n != sizeof g->key) {
        st = sy_fail(err, SYMBI_EINVAL, "a gate's key has %zu bytes, got %zu", sizeof g->key, o->key.n);
        goto fail;
    }
    g->shared_key = o->key.n != 0;
    if (o->key.n) memcpy(g->key, o->key.p, sizeof g->key);
    if ((st = sy_gate_own(g, err))) goto fail;
    if ((st = symbi_cedar_eval_new(cx, &g->eval, err))) goto fail;
    if ((st = symbi_gate_reload(g, o->policies, err))) goto fail;
    if (g->compat)
        sy_log(cx, SYMBI_LOG_WARN, "gate", "COMPAT: mode = compat decides as upstream's gate does: policies that fail are skipped, forbids too%s",
               g->compat_allow ? ", and without policies everything is allowed" : "");
    if (g->allow_all) sy_log(cx, SYMBI_LOG_WARN, "gate", "INSECURE: insecure_allow_all is set; policies are not asked");
    *out = g;
    return SYMBI_OK;
fail:
    symbi_gate_free(g);
    return st;
}

symbi_status sy_gate_own(symbi_gate *g, symbi_err *err)
{
    long pid = (long)getpid();
    symbi_status st;
    if (g->pid == pid) return SYMBI_OK;
    if (!g->shared_key && (st = symbi_ctx_random(g->cx, g->key, sizeof g->key, err))) return st;
    g->pool_left = 0;
    if (!g->shared_key) sy_nonces_free(&g->used); /* permits of the old key open nothing any more */
    g->napprovals = 0;                            /* the parent has them, and each is for once */
    g->pid = pid;
    return SYMBI_OK;
}

/* Nonces come from the random source by the pool: one system call for many permits. */
static symbi_status next_nonce(symbi_gate *g, const uint8_t **nonce, symbi_err *err)
{
    symbi_status st;
    if (!g->pool_left) {
        if ((st = symbi_ctx_random(g->cx, g->pool, sizeof g->pool, err))) return st;
        g->pool_left = SY_NONCE_POOL;
    }
    *nonce = g->pool[--g->pool_left];
    return SYMBI_OK;
}

symbi_gate *symbi_gate_ref(symbi_gate *g)
{
    g->refs++;
    return g;
}

void symbi_gate_free(symbi_gate *g)
{
    symbi_alloc al;
    if (!g || --g->refs) return;
    al = g->cx->alloc;
    symbi_cedar_eval_free(g->eval);
    symbi_cedar_unref(g->policies);
    symbi_cedar_unref(g->shadow);
    symbi_cedar_entities_unref(g->entities);
    symbi_toolset_unref(g->tools);
    symbi_comm_rules_unref(g->comm);
    symbi_scope_unref(g->scope);
    sy_nonces_free(&g->used);
    sy_arena_free(&g->scratch);
    sy_narrow_free(g);
    sy_insteads_free(&g->insteads);
    sy_free(&al, g->approvals, g->approvals_cap * sizeof *g->approvals);
    sy_gate_drop_proofs(g);
    sy_names_free(g->cx, &g->profile);
    sy_names_free(g->cx, &g->verified_tools);
    sy_names_free(g->cx, &g->identities);
    sy_names_free(g->cx, &g->issuer);
    explicit_bzero(g->key, sizeof g->key);
    explicit_bzero(g->pool, sizeof g->pool);
    sy_free(&al, g, sizeof *g);
}

symbi_str symbi_gate_warning_of(const symbi_cedar *set, bool compat, size_t i)
{
    size_t n = set ? symbi_cedar_warning_count(set) : 0;
    if (i < n) return symbi_cedar_warning(set, i);
    if (i == n && !compat && (!set || !symbi_cedar_count(set))) return SY_LIT("no policies are loaded: everything is denied");
    if (i == n && !compat && !sy_policies_answer(set)) return SY_LIT(SY_NO_ANSWER);
    return SY_LIT("");
}

symbi_status symbi_gate_ready_for(symbi_ctx *cx, const symbi_cedar *set, symbi_err *err)
{
    sy_insteads in;
    symbi_status st = sy_insteads_read(cx, set, &in, err);
    if (!st) sy_insteads_free(&in);
    return st;
}

/* Whole or not at all: the set in force changes when nothing can fail any more. */
symbi_status symbi_gate_reload(symbi_gate *g, symbi_cedar *policies, symbi_err *err)
{
    symbi_cedar *old = g->policies;
    sy_insteads fresh;
    uint8_t hash[32];
    symbi_status st;
    if ((st = sy_insteads_read(g->cx, g->compat ? NULL : policies, &fresh, err))) return st;
    memcpy(hash, g->policy_hash, sizeof hash);
    memset(g->policy_hash, 0, sizeof g->policy_hash);
    if (policies) symbi_cedar_hash(policies, g->policy_hash);
    if ((st = sy_narrow_bind(g, err))) {
        memcpy(g->policy_hash, hash, sizeof hash);
        sy_insteads_free(&fresh);
        return st;
    }
    g->policies = policies ? symbi_cedar_ref(policies) : NULL;
    symbi_cedar_unref(old);
    sy_insteads_free(&g->insteads);
    g->insteads = fresh;
    g->nchanges = 0;
    g->generation++;
    for (size_t i = 0; !g->allow_all; i++) { /* what policies lack is of no account there */
        symbi_str s = symbi_gate_warning_of(policies, g->compat, i);
        if (!s.n) break;
        sy_log(g->cx, SYMBI_LOG_WARN, "gate", "%.*s", SY_FMT(s));
    }
    return SYMBI_OK;
}

void symbi_gate_shadow(symbi_gate *g, symbi_cedar *policies)
{
    if (policies) symbi_cedar_ref(policies);
    symbi_cedar_unref(g->shadow);
    g->shadow = policies;
    g->shadow_asked = g->shadow_differed = 0;
}

void symbi_gate_shadow_counts(const symbi_gate *g, uint64_t *asked, uint64_t *differed)
{
    *asked = g->shadow_asked;
    *differed = g->shadow_differed;
}

uint64_t symbi_gate_generation(const symbi_gate *g) { return g->generation; }
bool symbi_gate_is_compat(const symbi_gate *g) { return g->compat; }
bool symbi_gate_allows_all(const symbi_gate *g) { return g->allow_all; }
symbi_toolset *symbi_gate_tools(const symbi_gate *g) { return g->tools; }
symbi_cedar *symbi_gate_policies(const symbi_gate *g) { return g->policies; }
void symbi_gate_key(const symbi_gate *g, uint8_t key[32]) { memcpy(key, g->key, 32); }

bool symbi_gate_in_profile(const symbi_gate *g, symbi_str tool)
{
    return !g->has_profile || sy_names_has(&g->profile, tool);
}

static bool check_shape(const symbi_action *a, bool compat, symbi_verdict *v)
{
    bool named = a->kind == SYMBI_ACTION_TOOL_CALL || a->kind == SYMBI_ACTION_DELEGATE || a->kind == SYMBI_ACTION_SEND_MESSAGE;
    if (a->kind <= SYMBI_ACTION_NONE || a->kind > SYMBI_ACTION_TERMINATE) return sy_deny(v, SYMBI_CODE_BAD_ACTION, "the action has no kind");
    if (!a->agent.n && !compat) return sy_deny(v, SYMBI_CODE_BAD_ACTION, "the action names no agent");
    if (named && !a->name.n && !compat) return sy_deny(v, SYMBI_CODE_BAD_ACTION, "the %s names no target", symbi_action_kind_name(a->kind));
    if (!named && a->name.n) return sy_deny(v, SYMBI_CODE_BAD_ACTION, "a %s takes no name", symbi_action_kind_name(a->kind));
    if (a->agent.n > SY_AGENT_MAX) return sy_deny(v, SYMBI_CODE_BAD_ACTION, "the agent id is longer than %d bytes", SY_AGENT_MAX);
    if (a->name.n > SY_NAME_MAX) return sy_deny(v, SYMBI_CODE_BAD_ACTION, "the name is longer than %d bytes", SY_NAME_MAX);
    if (!sy_utf8_valid(a->agent, NULL) || !sy_utf8_valid(a->name, NULL) || !sy_utf8_valid(a->content, NULL))
        return sy_deny(v, SYMBI_CODE_BAD_ACTION, "the action holds invalid UTF-8");
    return true;
}

/* Contract of a tool call: known tool, in the profile, arguments valid. v->input and v->tool are set on success. */
static bool check_contract(symbi_gate *g, const symbi_action *a, symbi_verdict *v)
{
    const symbi_value *args = a->args;
    symbi_doc *parsed = NULL;
    symbi_tool *t = g->tools ? symbi_toolset_find(g->tools, a->name) : NULL;
    symbi_err err;
    symbi_status st;
    if (!t) return sy_deny(v, SYMBI_CODE_UNKNOWN_TOOL, "no tool is called '%s'", v->name);
    v->tool = symbi_tool_ref(t);
    if (!symbi_gate_in_profile(g, a->name)) return sy_deny(v, SYMBI_CODE_NOT_IN_PROFILE, "tool '%s' is not in the executor profile", v->name);
    if (!sy_gate_check_proof(g, v)) return false;
    if (!args) {
        if (a->args_text.n > g->cx->limits.arg_bytes)
            return sy_deny(v, SYMBI_CODE_ARGUMENTS_TOO_LARGE, "tool '%s' arguments are larger than %zu bytes", v->name, g->cx->limits.arg_bytes);
        st = symbi_json_parse(g->cx, a->args_text, &parsed, &err);
        if (st == SYMBI_ENOMEM) return sy_deny(v, SYMBI_CODE_OUT_OF_MEMORY, "out of memory");
        if (st) return sy_deny(v, SYMBI_CODE_BAD_ARGUMENTS_JSON, "tool '%s' arguments are not valid JSON: %u:%u: %s", v->name, err.line, err.col, err.msg);
        args = symbi_doc_root(parsed);
    }
    if (args->kind != SYMBI_OBJECT) {
        const char *got = symbi_kind_name((symbi_kind)args->kind);
        symbi_doc_unref(parsed);
        return sy_deny(v, SYMBI_CODE_ARGUMENTS_NOT_OBJECT, "tool '%s' arguments must be a JSON object, got %s", v->name, got);
    }
    st = symbi_tool_validate(g->cx, t, args, &v->input, &err);
    symbi_doc_unref(parsed);
    if (st == SYMBI_ENOMEM) return sy_deny(v, SYMBI_CODE_OUT_OF_MEMORY, "out of memory");
    if (st) return sy_deny(v, SYMBI_CODE_INVALID_ARGUMENTS, "tool '%s' arguments failed validation: %s%s%s", v->name, err.path, err.path[0] ? ": " : "", err.msg);
    return true;
}

/* The digest that permits, approvals and the trail are bound to. */
static bool digest_action(symbi_gate *g, const symbi_action *a, symbi_verdict *v)
{
    symbi_member m[4], content;
    symbi_value root, args;
    symbi_text t;
    symbi_err err;
    symbi_status st;
    if (v->input) {
        args = *symbi_doc_root(v->input);
    } else {
        content.key = SY_LIT("content");
        content.val = sy_val_str(a->content);
        args = sy_val_object(&content, 1);
    }
    m[0].key = SY_LIT("agent");
    m[0].val = sy_val_str(a->agent);
    m[1].key = SY_LIT("arguments");
    m[1].val = args;
    m[2].key = SY_LIT("kind");
    m[2].val = sy_val_str(symbi_str_z(symbi_action_kind_name(a->kind)));
    m[3].key = SY_LIT("name");
    m[3].val = sy_val_str(a->name);
    root = sy_val_object(m, 4);
    st = symbi_json_write(g->cx, &root, SYMBI_JSON_CANONICAL, &t, &err);
    if (!st) {
        st = symbi_sha256(g->cx, symbi_text_str(&t), v->action_digest, &err);
        symbi_text_free(&t);
    }
    if (st) return sy_deny(v, sy_code_of(st), "the action cannot be hashed: %s", err.msg);
    return true;
}

static sy_asked check_policy(symbi_gate *g, const symbi_action *a, const symbi_facts *f, bool approved, symbi_verdict *v)
{
    if (g->allow_all) return SY_ASKED_YES;
    if (g->compat) return sy_gate_ask_compat(g, a, f, v) ? SY_ASKED_YES : SY_ASKED_NO;
    if (!g->policies || symbi_cedar_count(g->policies) == 0) {
        sy_deny(v, SYMBI_CODE_NO_POLICIES, "no policies are loaded, so everything is denied; put a .cedar file into the policy folder, for example: "
                                           "permit(principal, action == Action::\"%s%s%.100s\", resource);",
                symbi_action_kind_name(a->kind), a->name.n ? "::" : "", v->name);
        return SY_ASKED_NO;
    }
    return sy_gate_ask_cedar(g, a, f, approved, v);
}

/* Who may address whom. The rules narrow what Cedar permits; they permit nothing by themselves. */
static bool check_comm(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v)
{
    symbi_comm_answer ans;
    if (!g->comm || (a->kind != SYMBI_ACTION_DELEGATE && a->kind != SYMBI_ACTION_SEND_MESSAGE)) return true;
    symbi_comm_check(g->comm, a->agent, a->name, symbi_str_z(symbi_action_kind_name(a->kind)), f->depth, &ans);
    if (ans.allowed) return true;
    return sy_deny(v, SYMBI_CODE_COMM_DENIED, "%s from %s to %s: %.*s", symbi_action_kind_name(a->kind), v->agent, v->name, SY_FMT(ans.reason));
}

static symbi_str first_policy(const symbi_verdict *v, symbi_verdict_policy *p)
{
    return symbi_verdict_policy_at(v, 0, p) ? symbi_str_z(p->id) : SY_LIT("?");
}

/* What a call aims at, whatever policy says. */
static bool check_scope(symbi_gate *g, symbi_verdict *v)
{
    symbi_err err;
    return sy_gate_in_scope(g, v, &err) || sy_deny(v, SYMBI_CODE_OUT_OF_SCOPE, "tool '%s': %s", v->name, err.msg);
}

bool sy_gate_in_scope(const symbi_gate *g, const symbi_verdict *v, symbi_err *err)
{
    if (!v->tool || !v->input || (!g->scope && !g->require_scope)) return true;
    return symbi_tool_check_scope(v->tool, symbi_doc_root(v->input), g->scope, g->require_scope, err) == SYMBI_OK;
}

void symbi_gate_rescope(symbi_gate *g, symbi_scope *scope)
{
    symbi_scope *old = g->scope;
    g->scope = symbi_scope_ref(scope);
    symbi_scope_unref(old);
    g->generation++;
}

/* A person's part: what needs approval is stepped up until somebody answered. */
static bool check_approval(symbi_gate *g, bool wanted_by_policy, symbi_verdict *v)
{
    symbi_verdict_policy p;
    bool stored;
    symbi_err err;
    int answer;
    if (sy_gate_own(g, &err)) return sy_deny(v, SYMBI_CODE_NO_RANDOM, "no approval could be looked up: %s", err.msg);
    answer = sy_approval_find(g, v->action_digest, symbi_ctx_now_ms(g->cx), &stored);
    if (answer < 0) {
        if (wanted_by_policy) sy_deny(v, SYMBI_CODE_APPROVAL_REQUIRED, "a person must approve %s %s first, says policy %.*s", symbi_action_kind_name(v->kind), v->name, SY_FMT(first_policy(v, &p)));
        else sy_deny(v, SYMBI_CODE_APPROVAL_REQUIRED, "a person must approve tool '%s' first", v->name);
        v->decision = SYMBI_STEP_UP;
        return false;
    }
    sy_approval_take(g, v->action_digest); /* single use, whichever way it went */
    if (!answer) return sy_deny(v, SYMBI_CODE_APPROVAL_DENIED, "a person denied this %s of '%s'", v->kind == SYMBI_ACTION_TOOL_CALL ? "call" : symbi_action_kind_name(v->kind), v->name);
    v->stored_approval = stored;
    return true;
}

/* Policy and approval together: an action that asks for a person is stepped up, unless policy refuses it even with approval. *change: policy
 * would have it with other arguments. */
static bool check_policy_and_approval(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v, bool *change)
{
    symbi_verdict_policy p;
    symbi_tool_info ti;
    bool person, by_policy = false;
    sy_asked asked;
    *change = false;
    memset(&ti, 0, sizeof ti);
    if (v->tool) symbi_tool_get_info(v->tool, &ti);
    asked = check_policy(g, a, f, ti.human_approval, v);
    if (asked == SY_ASKED_STEP_UP && !ti.human_approval) { /* what would it say once somebody approved? */
        v->npolicies = 0;
        asked = check_policy(g, a, f, true, v);
        by_policy = true;
    }
    if (asked == SY_ASKED_STEP_UP) { /* nothing but a person is missing */
        by_policy = true;
        asked = SY_ASKED_YES;
    }
    if (asked == SY_ASKED_DEFER) {
        int64_t ms = g->retry_ms;
        if (ms) sy_deny(v, SYMBI_CODE_DEFERRED, "policy %.*s puts this off; ask again in %lld ms", SY_FMT(first_policy(v, &p)), (long long)ms);
        else sy_deny(v, SYMBI_CODE_DEFERRED, "policy %.*s puts this off; ask again later", SY_FMT(first_policy(v, &p)));
        v->decision = SYMBI_DEFER;
        v->retry_after_ms = ms;
        return false;
    }
    *change = asked == SY_ASKED_MODIFY;
    if (asked != SY_ASKED_YES || !check_scope(g, v) || !check_comm(g, a, f, v)) return false; /* nobody is asked about what is forbidden anyway */
    person = g->person = ti.human_approval || by_policy || sy_narrow_wants_person(g, a, f, v);
    if (!sy_narrow_ask(g, a, f, person, v)) return false;
    return !person || check_approval(g, by_policy, v);
}

/* The same, and once more with the arguments that policy asks for: what is then allowed could have been proposed like that. */
static bool judge(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v)
{
    bool change;
    if (check_policy_and_approval(g, a, f, v, &change)) return true;
    if (!change) return false;
    if (!sy_gate_modify(g, v) || !digest_action(g, a, v)) return false;
    if (check_policy_and_approval(g, a, f, v, &change)) return true;
    if (change) return sy_deny(v, SYMBI_CODE_MODIFY_FAILED, "the arguments that policies asked for are not right for them either");
    return false;
}

/* A permit does not outlive the identity that it was given to. */
static int64_t expiry_of(symbi_gate *g, const symbi_verdict *v)
{
    int64_t now = symbi_ctx_now_ms(g->cx), at = now + g->permit_ttl_ms, exp = v->identified ? symbi_agentpin_result_exp(v->identity_) : 0;
    if (exp > now / 1000 && exp < at / 1000) at = exp * 1000;
    return at;
}

static void decide(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v)
{
    const uint8_t *nonce;
    symbi_err err;
    symbi_status st;
    sy_verdict_zero(v);
    v->kind = a->kind > SYMBI_ACTION_NONE && a->kind <= SYMBI_ACTION_TERMINATE ? a->kind : SYMBI_ACTION_NONE;
    sy_clean_line(v->agent, sizeof v->agent, a->agent);
    sy_clean_line(v->name, sizeof v->name, a->name);
    memcpy(v->policy_hash, g->policy_hash, sizeof v->policy_hash);
    v->compat = g->compat;
    if (!check_shape(a, g->compat, v) || !sy_gate_check_identity(g, a, v)) return;
    if (a->kind == SYMBI_ACTION_TOOL_CALL && !(g->compat && !g->tools ? sy_compat_arguments(g, a, v) : check_contract(g, a, v))) return;
    if (!digest_action(g, a, v)) return;
    if (a->kind == SYMBI_ACTION_TOOL_CALL && g->max_tool_calls && f->tool_calls >= g->max_tool_calls) {
        sy_deny(v, SYMBI_CODE_BUDGET_TOOL_CALLS, "the budget of %llu tool calls is used up", (unsigned long long)g->max_tool_calls);
        return;
    }
    if (g->audit && (st = symbi_audit_check_clock(g->audit, &err))) {
        sy_deny(v, sy_code_of(st), "%s", err.msg);
        return;
    }
    if (!judge(g, a, f, v)) return;
    if ((st = sy_gate_own(g, &err)) || (st = next_nonce(g, &nonce, &err))) {
        sy_deny(v, SYMBI_CODE_NO_RANDOM, "no permit could be minted: %s", err.msg);
        return;
    }
    st = sy_permit_mint(g->cx, g->key, nonce, v->action_digest, v->policy_hash, expiry_of(g, v), &v->permit, &err);
    if (st) {
        sy_deny(v, sy_code_of(st), "no permit could be minted: %s", err.msg);
        return;
    }
    v->has_permit = true;
    v->code = SYMBI_CODE_ALLOWED;
    v->decision = v->modified ? SYMBI_MODIFY : SYMBI_ALLOW;
    if (v->modified) memcpy(v->reason, "allowed with the arguments that policy asks for", sizeof "allowed with the arguments that policy asks for");
    else memcpy(v->reason, "allowed", sizeof "allowed");
}

void symbi_gate_check(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v)
{
    symbi_facts none;
    if (!f) {
        memset(&none, 0, sizeof none);
        none.tokens_left = none.time_left_ms = -1;
        f = &none;
    }
    g->person = false;
    decide(g, a, f, v);
    if (g->narrow) sy_narrow_mark(g, a, f, v);
}
