/* symbi/gate.h: the one decision. From a typed action to a verdict: contract (tool known, arguments valid), executor
 * profile, Cedar policy, approval; and from a verdict that allows, through the audit trail, to an order that an executor can
 * act on. No I/O: nothing here blocks. One thread at a time per gate (it belongs to its ctx); policy sets and toolsets are
 * shareable. Sources: design.md sections 1 and 6, spec gates.md section 3, orga-oats.md C1-C6 and section 8.6.
 *
 * The life of a permitted action:
 *   check   -> verdict with a permit (124 bytes: nonce, action digest, expiry, policy-set hash, HMAC under the gate's key)
 *   commit  -> the decision is on the trail
 *   redeem  -> the permit is consumed (once), and only then the plan leaves, with an order for the executor
 *
 * Five decisions. ALLOW and DENY are Cedar's, with doubt on the side of DENY. The other three are what a forbid may ask for instead of a
 * plain no, with an annotation (any other reader of the policy sees a forbid, and denies):
 *   @instead("step_up")                     a person must approve; then the forbid is met
 *   @instead("modify limit = 100; drop to") these arguments: JSON values, or left out. The changed action is validated against the contract,
 *                                           digested and judged again, as if it had been proposed like that; only if it is then allowed,
 *                                           the decision is MODIFY, with a permit for the changed action alone
 *   @instead("defer") @instead("defer 30s") not now: no permit; ask again later (retry_after_ms)
 * It counts only where some permit is satisfied and every satisfied forbid says so: one plain forbid is a plain no. Where several ask for
 * different things, putting off comes before changing, and changing before asking a person. An @instead that is not understood, or that
 * stands on a permit or a template, keeps the whole set from being put in force.
 *
 * The action digest is SHA-256 of our canonical JSON of {"agent","arguments","kind","name"}; arguments are the validated
 * ones, 64-bit integers exact. */
#ifndef SYMBI_GATE_H
#define SYMBI_GATE_H
#include "symbi/agentpin.h"
#include "symbi/approval.h"
#include "symbi/audit.h"
#include "symbi/cedar.h"
#include "symbi/comm.h"
#include "symbi/schemapin.h"
#include "symbi/scope.h"
#include "symbi/toolclad.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef enum symbi_action_kind {
    SYMBI_ACTION_NONE = 0, /* denied */
    SYMBI_ACTION_TOOL_CALL,
    SYMBI_ACTION_DELEGATE,
    SYMBI_ACTION_SEND_MESSAGE,
    SYMBI_ACTION_RESPOND,
    SYMBI_ACTION_TERMINATE
} symbi_action_kind;
SYMBI_API const char *symbi_action_kind_name(symbi_action_kind k); /* "tool_call" "delegate" "send_message" "respond" "terminate" "none" */
SYMBI_API symbi_action_kind symbi_action_kind_of(symbi_str name);  /* NONE for an unknown word */

/* What somebody wants to do. Everything borrowed for the call. */
typedef struct symbi_action {
    symbi_action_kind kind;
    symbi_str agent;            /* the principal's id: from the runtime, never from the model */
    symbi_str name;             /* tool (exact bytes), target agent; "" for respond and terminate */
    symbi_str call_id;          /* correlation only; not part of the digest */
    const symbi_value *args;    /* tool_call: an object; NULL: args_text is parsed instead */
    symbi_str args_text;        /* tool_call: JSON text as the model wrote it */
    symbi_agentpin_result *identity; /* how the agent proved who it is; NULL: it did not. One that did not verify denies */
    symbi_str content;          /* message, answer or reason: bound by the digest, not shown to policy */
} symbi_action;

/* Trusted facts of the moment, from the runtime. NULL pointers and zeros are fine. */
typedef struct symbi_facts {
    const symbi_value *context;     /* object merged at the top level of the Cedar context; a reserved key in it denies */
    const symbi_value *agent_attrs; /* object: name, capabilities, domain, tags */
    symbi_str loop_id;
    uint64_t iteration;             /* 1-based while a loop runs */
    uint64_t tool_calls, denied;    /* so far in this loop */
    uint32_t depth;                 /* of delegation, for communication rules; 0 counts as 1 */
    int64_t tokens_left, time_left_ms; /* -1: unlimited */
    int64_t now_ms;                 /* context.now; 0: the wall clock (a replay gives the moment of the recorded decision) */
} symbi_facts;

/* Why an action was not allowed: name, number, whose text is the start of the reason. The zero value is the least specific deny. */
#define SYMBI_DENY_LIST(X)                                                                                  \
    X(UNSPECIFIED, 0, "denied")                                                                             \
    X(ALLOWED, 1, "allowed")                                                                                \
    X(NO_POLICIES, 2, "no policies are loaded, so everything is denied")                                    \
    X(DEFAULT_DENY, 3, "no policy permits this")                                                            \
    X(FORBIDDEN, 4, "a policy forbids this")                                                                \
    X(POLICY_ERROR, 5, "a policy that could forbid this cannot be evaluated")                               \
    X(UNKNOWN_TOOL, 6, "no such tool")                                                                      \
    X(NOT_IN_PROFILE, 7, "the tool is not in this agent's executor profile")                                \
    X(BAD_ARGUMENTS_JSON, 8, "the arguments are not valid JSON")                                            \
    X(ARGUMENTS_NOT_OBJECT, 9, "the arguments are not a JSON object")                                       \
    X(INVALID_ARGUMENTS, 10, "the arguments break the tool's contract")                                     \
    X(ARGUMENTS_TOO_LARGE, 11, "the arguments are too large")                                               \
    X(BAD_ACTION, 12, "the action is malformed")                                                            \
    X(RESERVED_CONTEXT_KEY, 13, "the trusted context uses a key that only the runtime fills")               \
    X(BAD_CONTEXT, 14, "the context cannot be shown to policies")                                           \
    X(EVALUATION_LIMIT, 15, "evaluating the policies took too many steps")                                  \
    X(APPROVAL_REQUIRED, 16, "a person must approve this first")                                            \
    X(APPROVAL_DENIED, 17, "a person denied this")                                                          \
    X(APPROVAL_EXPIRED, 18, "nobody approved this in time")                                                 \
    X(BUDGET_TOOL_CALLS, 19, "the tool-call budget is used up")                                             \
    X(CLOCK_BACKWARD, 20, "the clock stands behind the audit trail")                                        \
    X(AUDIT_FAILED, 21, "the decision cannot be recorded")                                                  \
    X(OUT_OF_MEMORY, 22, "out of memory")                                                                   \
    X(NO_RANDOM, 23, "the random source failed")                                                            \
    X(CRYPTO_FAILED, 24, "a cryptographic operation failed")                                                \
    X(INTERNAL, 25, "an internal error")                                                                    \
    X(PERMIT_USED, 26, "the permit was used already")                                                       \
    X(PERMIT_EXPIRED, 27, "the permit has expired")                                                         \
    X(PERMIT_FOREIGN, 28, "the permit is not this gate's, or was altered")                                  \
    X(PERMIT_MISMATCH, 29, "the permit is for another action")                                              \
    X(PERMIT_STALE, 30, "the policies changed since the permit was minted")                                 \
    X(NOT_COMMITTED, 31, "the decision is not on the audit trail yet")                                      \
    X(PERMIT_STORE_FULL, 32, "too many permits were redeemed within their life time")                       \
    X(COMM_DENIED, 33, "the communication rules do not let this agent address that one")                    \
    X(DSL_DENIED, 34, "a rule of the agent's .symbi definition does not let it do this")                    \
    X(OBLIGATION_UNMET, 35, "what the agent's .symbi definition requires is not met")                       \
    X(DEFERRED, 36, "a policy puts this off")                                                               \
    X(MODIFY_FAILED, 37, "the change that a policy asks for makes no permitted action of this")            \
    X(IDENTITY_REQUIRED, 38, "the agent must show a verified identity")                                     \
    X(IDENTITY_INVALID, 39, "the agent's identity did not verify")                                          \
    X(IDENTITY_EXPIRED, 40, "the agent's identity has expired")                                             \
    X(IDENTITY_MISMATCH, 41, "the identity is not this agent's")                                            \
    X(TOOL_UNVERIFIED, 42, "the tool's contract must be verified, and is not")                              \
    X(TOOL_PROOF_INVALID, 43, "the signature of the tool's contract did not verify")                        \
    X(TOOL_PROOF_EXPIRED, 44, "the signature of the tool's contract has expired")                           \
    X(TOOL_CHANGED, 45, "the tool's contract is not the one whose signature was verified")                  \
    X(OUT_OF_SCOPE, 46, "a target lies outside the scope")                                                   \
    X(TOOL_REPLAN, 47, "the tool's contract changed since this was decided: re-plan")

typedef enum symbi_code {
#define SYMBI_CODE_ENUM(name, num, text) SYMBI_CODE_##name = num,
    SYMBI_DENY_LIST(SYMBI_CODE_ENUM)
#undef SYMBI_CODE_ENUM
    SYMBI_CODE_MAX_ = 0x7fff
} symbi_code;
SYMBI_API const char *symbi_code_name(symbi_code c); /* "FORBIDDEN" */
SYMBI_API const char *symbi_code_text(symbi_code c);
SYMBI_API bool symbi_code_at(size_t i, symbi_code *c, const char **name); /* walk the list; false past the end */

enum { SYMBI_PERMIT_BYTES = 124, SYMBI_ORDER_BYTES = 188, SYMBI_VERDICT_POLICIES = 8 };

typedef struct symbi_permit {
    uint8_t bytes[SYMBI_PERMIT_BYTES]; /* "SYP1" | nonce 16 | expiry u64be ms | action digest 32 | policy hash 32 | HMAC-SHA256 32 */
} symbi_permit;
/* What an executor outside the gate's process checks: the permit, the plan's digest, and an HMAC over both. */
typedef struct symbi_order {
    uint8_t bytes[SYMBI_ORDER_BYTES]; /* permit 124 | plan digest 32 | HMAC-SHA256 32 */
} symbi_order;

/* A policy that determined the verdict, or that failed. */
typedef struct symbi_verdict_policy {
    char id[96];
    char source[160]; /* file or name it was loaded under */
    uint32_t line;
    bool forbid, failed; /* failed: it could not be evaluated */
    char message[160];   /* of the failure */
} symbi_verdict_policy;

/* Caller-owned; zeroed = deny. Written in full by every check. Release with symbi_verdict_clear. Small: what few callers read (who said so,
 * and in which words) is kept as references and told by the functions below. */
typedef struct symbi_verdict {
    symbi_decision decision;
    symbi_code code;
    symbi_action_kind kind;
    bool has_permit;        /* only for ALLOW and MODIFY */
    bool committed, redeemed;
    bool stored_approval;   /* allowed by an approval that the store holds: the commit uses it up */
    bool compat;            /* the gate decides as upstream's does (options.compat) */
    bool context_replaced;  /* compat: the context could not be converted, and policies saw an empty one */
    bool modified;          /* a policy asked for other arguments: input, action_digest and permit are of those. proposed_: the others */
    bool identified;        /* identity_ verified, is not expired and is this agent's: principal.domain, .capabilities and .verified are its */
    bool tool_verified;     /* proof_ proves exactly the contract in force: resource.verified, .verified_by */
    bool audited;           /* an audit rule of the agent's .symbi definition asks for this record: symbi_verdict_audit_rule */
    bool has_shadow;        /* a shadow set was asked too: */
    symbi_decision shadow;  /* what it would have said to the same request, ALLOW or DENY; without effect */
    uint32_t shadow_policy_; /* in shadow_set_, when that is not NULL */
    uint8_t action_digest[32], policy_hash[32];
    symbi_permit permit;
    uint64_t sequence;      /* of the audit entry, when committed */
    int64_t retry_after_ms; /* DEFER: when asking again may be worth it; 0: nobody knows */
    symbi_doc *input;       /* validated arguments (an object), or NULL */
    symbi_doc *proposed_;   /* modified: the arguments as they were proposed */
    symbi_tool *tool;       /* tool_call: a reference, or NULL */
    symbi_agentpin_result *identity_; /* references: what was shown, good or not */
    symbi_schemapin_result *proof_;
    symbi_cedar *set_, *shadow_set_, *audit_set_; /* the sets that policies_, shadow_policy_ and audit_rule_ are numbers in: references */
    uint32_t audit_rule_;
    symbi_doc *failures_;   /* a message for each place of policies_, where some policy failed; or NULL */
    size_t npolicies;       /* all that determined or failed; the first 8 are listed: symbi_verdict_policy_at */
    uint32_t policies_[SYMBI_VERDICT_POLICIES]; /* index in the set, and whether it failed */
    char agent[128], name[136]; /* copies on one clean line; longer ids are refused */
    char reason[400];
} symbi_verdict;
/* The i-th listed policy; false past the end of the list. */
SYMBI_API bool symbi_verdict_policy_at(const symbi_verdict *v, size_t i, symbi_verdict_policy *out);
/* The first policy that determined the shadow set's answer, or "". */
SYMBI_API void symbi_verdict_shadow_policy(const symbi_verdict *v, char id[96]);
/* The audit rule that marked this verdict, "rule (file:line)", or "". */
SYMBI_API void symbi_verdict_audit_rule(const symbi_verdict *v, char out[240]);
SYMBI_API void symbi_verdict_clear(symbi_verdict *v); /* drops references, zeroes: a deny again */

typedef struct symbi_gate symbi_gate;

/* Which identity (sub of a credential) an agent must show where that is not simply its id. */
typedef struct symbi_agent_identity { symbi_str agent, identity; } symbi_agent_identity;

typedef struct symbi_gate_options {
    uint32_t size;                 /* sizeof(symbi_gate_options) */
    symbi_cedar *policies;     /* a reference is taken; NULL or empty: everything is denied */
    symbi_cedar_entities *entities;/* further entities (groups of agents or tools), a reference is taken; may be NULL */
    symbi_comm_rules *comm;        /* a reference is taken; NULL: delegations and messages are Cedar's alone to judge */
    symbi_toolset *tools;          /* a reference is taken; may be NULL: every tool call is UNKNOWN_TOOL */
    const symbi_str *profile;      /* executor profile: the only tools that may run, whatever policy says */
    size_t nprofile;
    bool has_profile;              /* false: every tool of the set */
    symbi_str surface;
    int64_t permit_ttl_ms;         /* 0 = 60000 */
    uint64_t max_tool_calls;       /* per loop; 0 = unlimited */
    bool compat;                   /* decide as upstream's gate does, for comparison: see symbi_compat_policies. Loud. */
    bool compat_allow;             /* compat: allow when there are no policies, as upstream's development default; refused when production is true */
    bool insecure_allow_all;       /* development only: contract and profile still hold; refused when production is true */
    bool production;               /* the host's SYMBIONT_ENV */
    symbi_str key;                 /* 32 bytes shared with the executor that checks orders in another process; empty: drawn at
                                      random, and again in each forked child, whose permits are its own */
    bool require_identity;         /* every action needs a verified AgentPin credential of its agent */
    const symbi_agent_identity *identities; /* copied; an agent that stands here must show exactly that, any other its own id */
    size_t nidentities;
    symbi_str identity_issuer;     /* the only domain whose credentials count; "": any, and policies look at principal.domain */
    bool require_verified;         /* every tool's contract must be proved (symbi_gate_prove) */
    const symbi_str *verified_tools; /* or these tools' contracts; copied */
    size_t nverified_tools;
    symbi_scope *scope;            /* what may be targeted (symbi/scope.h), asked after policy and before a person; a reference is taken; may be NULL */
    bool require_scope;            /* without a scope, calls that name a target are denied */
    symbi_audit *audit;            /* borrowed, must outlive the gate; NULL: no trail, and commit only marks the verdict */
} symbi_gate_options;
SYMBI_API void symbi_gate_options_init(symbi_gate_options *o);

SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_new(symbi_ctx *cx, const symbi_gate_options *o, symbi_gate **out, symbi_err *err);
SYMBI_API symbi_gate *symbi_gate_ref(symbi_gate *g); /* one more owner, same thread: whoever frees last destroys it */
SYMBI_API void symbi_gate_free(symbi_gate *g);       /* gives up one ownership; NULL is fine */
/* The policy set of a compat gate: the sources joined by line ends and read as one text, ids "policyN" by position in it, no alias,
 * no rewrite. n == 0 gives NULL: upstream tells "no active policies" from "policies that hold nothing", and so does such a gate.
 * A compat gate shows policies the bare request (resource and agent without attributes, no groups, the trusted context alone, {} where that
 * cannot be converted), skips what errors, and takes any id; without tools it knows no contracts, and then no permit yields a plan. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_compat_policies(symbi_ctx *cx, const symbi_cedar_source *src, size_t n, symbi_cedar **out, symbi_err *err);
/* Puts another set in force, whole, for the next check; permits minted under the old one are stale. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_reload(symbi_gate *g, symbi_cedar *policies, symbi_err *err);
/* Puts another set of tools in force, whole, for the next check; a reference is taken (NULL: none). What was decided before under a
 * contract that is another now, or gone, is refused when its permit is presented (TOOL_REPLAN). Proofs (symbi_gate_prove) go over by name, and prove nothing where the contract changed. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_retool(symbi_gate *g, symbi_toolset *tools, symbi_err *err);
/* A second set, asked beside the one in force whenever policy is asked: its answer is recorded in the verdict and on the trail,
 * and counted where it differs, without any effect. NULL takes it away. */
SYMBI_API void symbi_gate_shadow(symbi_gate *g, symbi_cedar *policies);
SYMBI_API void symbi_gate_shadow_counts(const symbi_gate *g, uint64_t *asked, uint64_t *differed);
SYMBI_API uint64_t symbi_gate_generation(const symbi_gate *g); /* counts reloads, from 1 */
SYMBI_API symbi_toolset *symbi_gate_tools(const symbi_gate *g); /* borrowed, may be NULL */
SYMBI_API symbi_cedar *symbi_gate_policies(const symbi_gate *g); /* borrowed, may be NULL */
/* Whether a set can be put in force in a gate that is not in compat mode: what symbi_gate_reload would say about its @instead annotations. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_ready_for(symbi_ctx *cx, const symbi_cedar *set, symbi_err *err);
/* Keeps the outcome of a SchemaPin check for a tool of this gate (NULL takes it away). It proves the contract when it is of a FILE, and of the bytes
 * that the manifest was read from, or of a SCHEMA, and that is what symbi_tool_schema says: its digest is compared at each check, with
 * its expiry. One that proves nothing, or something else, denies every call of the tool. ENOTFOUND: no such tool. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_prove(symbi_gate *g, symbi_str tool, symbi_schemapin_result *r, symbi_err *err);
/* Puts another scope in force (NULL: none; a reference is taken), for the next check and for permits that are not redeemed yet. */
SYMBI_API void symbi_gate_rescope(symbi_gate *g, symbi_scope *scope);
SYMBI_API bool symbi_gate_is_compat(const symbi_gate *g);
SYMBI_API bool symbi_gate_allows_all(const symbi_gate *g); /* insecure_allow_all */
/* What is probably not meant in a set that is put in force (NULL: none is), one line each, empty past the end: the set's own warnings, and
 * that no policy lets an agent answer. The logger gets them with every new set; compat: upstream says nothing. */
SYMBI_API symbi_str symbi_gate_warning_of(const symbi_cedar *set, bool compat, size_t i);
SYMBI_API bool symbi_gate_in_profile(const symbi_gate *g, symbi_str tool);

/* Decides. *out must be zeroed or cleared when it comes in, and holds the answer on every path; there is no other failure:
 * whatever goes wrong is a deny with its code. Never blocks. */
SYMBI_API void symbi_gate_check(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *out);

/* A person's answer to a step-up: recorded against the action digest, used by the next check of the same action, once.
 * approver: who. ttl_ms: how long it may wait for its use (0 = 300000). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_approve(symbi_gate *g, const uint8_t action_digest[32], bool approved, symbi_str approver, int64_t ttl_ms, symbi_err *err);

/* The same through the store, where the gate has a trail: request puts the step-up of this verdict before people (`symbi-lua
 * approvals`, symbi_approval_decide), load takes an answer from the store for the next check. *status: where it stands. The
 * commit of a decision that used a stored approval uses the record up in the same transaction. EINVAL without a trail. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_request_approval(symbi_gate *g, const symbi_verdict *v, const symbi_facts *f, int64_t ttl_ms, symbi_approval_status *status, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_load_approval(symbi_gate *g, const uint8_t action_digest[32], symbi_approval_status *status, symbi_err *err);

/* Puts the decision on the trail (one policy_evaluated entry) and marks the verdict. Without an audit it only marks. On failure the verdict
 * becomes a deny (AUDIT_FAILED or CLOCK_BACKWARD) and loses its permit. EPERMIT for a permit
 * that another gate gave. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_commit(symbi_gate *g, symbi_verdict *v, const symbi_facts *f, symbi_err *err);

/* Consumes the permit and hands out the plan with its order. permit: the bytes as the driver presents them. EPERMIT with
 * *code = PERMIT_* or NOT_COMMITTED when they are used, expired, foreign, altered or of another action (code may be NULL).
 * *plan carries one reference for the caller. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_gate_redeem(symbi_gate *g, symbi_verdict *v, symbi_str permit, const symbi_plan_options *po, symbi_plan **plan, symbi_order *order, symbi_code *code, symbi_err *err);

/* The executor's side, in another process: the gate's key, and the check of an order against the plan that came with it. The
 * caller keeps the set of used nonces (order->bytes + 4, 16 bytes). */
SYMBI_API void symbi_gate_key(const symbi_gate *g, uint8_t key[32]);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_order_check(symbi_ctx *cx, const uint8_t key[32], symbi_str order, const uint8_t plan_digest[32], int64_t now_ms, symbi_code *code, symbi_err *err);

/* The audit event of a verdict as canonical JSON text (policy_evaluated with one decision); call_id may be empty. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_verdict_event(symbi_ctx *cx, const symbi_verdict *v, symbi_str call_id, const symbi_facts *f, symbi_text *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
