/* symbi/approval.h: step-ups that wait for a person, in the store: requested, approved or denied, used once. One record per action
 * digest in the namespace "approvals", changed only together with an audit entry in the same transaction, so that an approval
 * survives a restart, is bound to the exact arguments, and cannot be used twice, by however many processes. Times are wall-clock
 * milliseconds. Sources: design.md section 7, orga-oats.md section 1 (8.5). */
#ifndef SYMBI_APPROVAL_H
#define SYMBI_APPROVAL_H
#include "symbi/audit.h"
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef enum symbi_approval_status {
    SYMBI_APPROVAL_NONE = 0, /* no record */
    SYMBI_APPROVAL_PENDING,
    SYMBI_APPROVAL_APPROVED,
    SYMBI_APPROVAL_DENIED,
    SYMBI_APPROVAL_USED,
    SYMBI_APPROVAL_EXPIRED   /* pending or approved, but past its time */
} symbi_approval_status;
SYMBI_API const char *symbi_approval_status_name(symbi_approval_status s); /* "none" "pending" "approved" "denied" "used" "expired" */

/* What is put before a person. Everything borrowed for the call. */
typedef struct symbi_approval_request {
    uint8_t action_digest[32];
    symbi_str agent, kind, name, loop_id, reason;
    const symbi_value *args; /* validated arguments, or NULL */
    uint64_t iteration;
    int64_t ttl_ms;          /* how long the answer may take, and then how long an approval waits for its use; 0 = 300000 */
} symbi_approval_request;

/* Puts the request in the store with an entry step_up_requested. One that is pending, approved or denied and still in time stays as it is:
 * then *status says which (and nothing is written). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_approval_ask(symbi_ctx *cx, symbi_audit *audit, const symbi_approval_request *rq, symbi_approval_status *status, symbi_err *err);
/* A person's answer, with an entry step_up_resolved. id: the action digest in hex, or at least 8 digits that only one record begins
 * with. ENOTFOUND, ESTATE when it is not pending any more (or expired), EINVAL without a name of the approver, EDENIED when an agent would approve what it asked for itself. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_approval_decide(symbi_ctx *cx, symbi_audit *audit, symbi_str id, bool approved, symbi_str approver, symbi_err *err);
/* Where a request stands. approver (may be NULL) is freed by the caller. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_approval_status_of(symbi_ctx *cx, symbi_audit *audit, const uint8_t action_digest[32], symbi_approval_status *status, symbi_text *approver, symbi_err *err);
/* The change that uses an approved record up, for the transaction that carries the decision: EEXISTS from that commit means somebody
 * else used or changed it. *hold keeps the bytes that *kv points to; free it afterwards. ESTATE when it is not approved (any more). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_approval_use(symbi_ctx *cx, symbi_audit *audit, const uint8_t action_digest[32], symbi_store_kv *kv, symbi_text *hold, symbi_err *err);
/* All records: a list of objects {action_digest, agent, kind, name, arguments, reason, loop_id, status, created_ms, expires_ms,
 * approver?, decided_ms?}, by digest; status as of now. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_approval_list(symbi_ctx *cx, symbi_audit *audit, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
