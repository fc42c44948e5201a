/* gate/gate.h: the inside of a gate, shared by the files of this folder. */
#ifndef SY_GATE_GATE_H
#define SY_GATE_GATE_H
#include "base/arena.h"
#include "gate/instead.h"
#include "gate/nonces.h"
#include "symbi/gate.h"

enum { SY_APPROVALS_MAX = 1024, SY_NONCE_POOL = 32, SY_MODIFY_POLICIES = 16 };

/* A tool whose contract somebody's signature stands for. */
typedef struct sy_proof {
    const symbi_tool *tool; /* of the gate's toolset */
    uint8_t schema[32];     /* what a signature over its schema is of */
    symbi_schemapin_result *r;
} sy_proof;

/* Copies of names in one allocation, the array first. */
typedef struct sy_names {
    symbi_str *v;
    size_t n, bytes;
} sy_names;

/* A person's answer, waiting to be used once by a check of the same action. */
typedef struct sy_approval {
    uint8_t digest[32];
    int64_t expiry_ms;
    bool approved, stored;
} sy_approval;

struct symbi_gate {
    unsigned refs; /* runs keep their gate, so that garbage collectors may free in any order */
    symbi_ctx *cx;
    symbi_cedar *policies, *shadow;
    symbi_cedar_entities *entities;
    symbi_toolset *tools;
    symbi_comm_rules *comm;
    symbi_cedar_eval *eval;
    symbi_audit *audit;
    sy_names profile, verified_tools; /* sorted by bytes */
    sy_names identities;              /* agent, identity, agent, identity ... */
    sy_names issuer;                  /* one, or none */
    sy_proof *proofs;                 /* by address of the tool */
    size_t nproofs, proofs_cap;
    bool require_identity, require_verified, require_scope;
    symbi_scope *scope;
    bool has_profile, allow_all, compat, compat_allow;
    char surface[64];
    int64_t permit_ttl_ms;
    uint64_t max_tool_calls;
    uint64_t generation, shadow_asked, shadow_differed;
    uint8_t key[32];
    bool person;          /* the last check was one that a person approves */
    bool shared_key;      /* given by the host, because the executor checks orders elsewhere */
    long pid;             /* who drew key and pool: a forked child draws its own */
    uint8_t pool[SY_NONCE_POOL][16];
    size_t pool_left;
    uint8_t policy_hash[32];
    sy_nonces used;
    sy_approval *approvals;
    size_t napprovals, approvals_cap;
    sy_arena scratch; /* the request of one check; reset by each */
    sy_insteads insteads; /* of the set in force */
    const sy_instead *changes[SY_MODIFY_POLICIES]; /* asked for by the last answer; they belong to insteads */
    size_t nchanges;
    int64_t retry_ms;     /* likewise */
    struct sy_narrowing *narrow; /* narrow.c: a compiled .symbi agent, or NULL */
};

/* Fills *v with a deny. Returns false, so that a step of the check may `return sy_deny(...)`. */
bool sy_deny(symbi_verdict *v, symbi_code c, const char *fmt, ...) SYMBI_PRINTF(3, 4);
/* After a fork the child is another gate: own key, own nonces, nothing redeemed. Called before key and pool are used. */
SYMBI_MUST_USE symbi_status sy_gate_own(symbi_gate *g, symbi_err *err);
/* The code for a failed status that is nobody's fault outside. */
symbi_code sy_code_of(symbi_status st);

/* request.c: asks Cedar. YES: it allows (v then has its policies). Else *v is a deny; but where every policy that forbids asks for something
 * instead and some policy permits, the answer is what they ask for. approved fills has_human_approval. */
typedef enum sy_asked { SY_ASKED_NO = 0, SY_ASKED_YES, SY_ASKED_STEP_UP, SY_ASKED_MODIFY, SY_ASKED_DEFER } sy_asked;
sy_asked sy_gate_ask_cedar(symbi_gate *g, const symbi_action *a, const symbi_facts *f, bool approved, symbi_verdict *v);
/* modify.c: v->input with the changes of the last answer, validated; false with the deny in *v. The digest is the caller's to renew. */
bool sy_gate_modify(symbi_gate *g, symbi_verdict *v);

enum { SY_POLICY_FAILED = 1u << 30 }; /* in symbi_verdict.policies_; no set has that many */
/* The request alone. It lives in *q and in the scratch arena, until the next one is built. */
typedef struct sy_gate_request {
    symbi_cedar_request rq;
    symbi_cedar_entity ent[3];
    symbi_cedar_uid group, tool[2]; /* a tool, and the manifest it is a command of */
    symbi_value pa, ra, cv;
} sy_gate_request;
bool sy_gate_build(symbi_gate *g, const symbi_action *a, const symbi_facts *f, bool approved, symbi_verdict *v, sy_gate_request *q);

/* narrow.c: true where no agent's rules are set. ask: they and the limits allow, or false with the deny in *v. mark: the rules that ask for
 * a record are noted in *v, whatever it says. wants_person: they would allow this only after a person's approval. */
bool sy_narrow_ask(symbi_gate *g, const symbi_action *a, const symbi_facts *f, bool approved, symbi_verdict *v);
void sy_narrow_mark(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v);
bool sy_narrow_wants_person(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v);
symbi_status sy_narrow_bind(symbi_gate *g, symbi_err *err); /* puts them into policy_hash, which permits are bound to */
void sy_narrow_free(symbi_gate *g);

/* Adds policy i of the set in force to *v; e: how it failed, or NULL. */
void sy_note_policy(symbi_gate *g, symbi_verdict *v, uint32_t i, const symbi_cedar_error *e);

/* identity.c: what was shown about the agent and the tool goes into *v; false with the deny in *v. */
bool sy_gate_check_identity(symbi_gate *g, const symbi_action *a, symbi_verdict *v);
bool sy_gate_check_proof(symbi_gate *g, symbi_verdict *v);
void sy_gate_drop_proofs(symbi_gate *g);
SYMBI_MUST_USE symbi_status sy_names_copy(symbi_ctx *cx, const symbi_str *in, size_t n, bool sorted, sy_names *out);
void sy_names_free(symbi_ctx *cx, sy_names *n);
bool sy_names_has(const sy_names *n, symbi_str s); /* of sorted ones */

/* What the call of v aims at lies in the scope in force. */
bool sy_gate_in_scope(const symbi_gate *g, const symbi_verdict *v, symbi_err *err);

/* compat.c: the same two steps as upstream's gate takes them. */
bool sy_compat_arguments(symbi_gate *g, const symbi_action *a, symbi_verdict *v);
bool sy_gate_ask_compat(symbi_gate *g, const symbi_action *a, const symbi_facts *f, symbi_verdict *v);

/* approvals.c: -1 none, 0 denied, 1 approved. Taking removes it. */
int sy_approval_find(symbi_gate *g, const uint8_t digest[32], int64_t now_ms, bool *stored);
void sy_approval_take(symbi_gate *g, const uint8_t digest[32]);

/* The kv changes that use up the stored approvals among n verdicts, for the commit that records them. A verdict whose approval is gone
 * becomes a deny. hold: n texts to free. */
SYMBI_MUST_USE symbi_status sy_approvals_use(symbi_ctx *cx, symbi_audit *audit, symbi_verdict *const *v, size_t n, symbi_store_kv *kv, symbi_text *hold, size_t *nkv, symbi_err *err);

/* refuse.c: the permit_refused event, for whoever keeps a trail of their own (a run). */
bool sy_is_refusal(symbi_code code);
SYMBI_MUST_USE symbi_status sy_refusal_event(symbi_ctx *cx, const symbi_verdict *v, symbi_code code, symbi_text *out, symbi_err *err);

/* verdict.c: one policy_evaluated event over n verdicts as JSON text. */
typedef struct sy_decided {
    const symbi_verdict *v;
    const symbi_facts *f; /* may be NULL */
    symbi_str call_id;
} sy_decided;
SYMBI_MUST_USE symbi_status sy_verdicts_event(symbi_ctx *cx, const sy_decided *d, size_t n, uint64_t iteration, symbi_text *out, symbi_err *err);
void sy_verdict_zero(symbi_verdict *v); /* whatever it held is forgotten, not released */
/* Marks what a commit made of a verdict: its entry's sequence, or the deny that a failed commit is. */
void sy_verdict_committed(symbi_verdict *v, uint64_t sequence);
void sy_verdict_commit_failed(symbi_verdict *v, symbi_status st, const char *why);
#endif
