/* symbi/triage.h: the typed, grounded decision (spec toolclad.md 16.2). What an agent concludes from text that a stranger wrote reaches a
 * privileged decision as words of a closed list, and beside what the text itself supports: a claim of "critical" counts only as far as
 * the ticket bears it out. Nothing here reads prose for intent; an escalation is Cedar's to permit. */
#ifndef SYMBI_TRIAGE_H
#define SYMBI_TRIAGE_H
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef enum symbi_severity { SYMBI_SEVERITY_LOW = 0, SYMBI_SEVERITY_MEDIUM, SYMBI_SEVERITY_HIGH, SYMBI_SEVERITY_CRITICAL } symbi_severity;
typedef enum symbi_category { SYMBI_CATEGORY_OTHER = 0, SYMBI_CATEGORY_UI, SYMBI_CATEGORY_BILLING, SYMBI_CATEGORY_INFRA, SYMBI_CATEGORY_ACCOUNT } symbi_category;
typedef enum symbi_queue { SYMBI_QUEUE_FRONTEND = 0, SYMBI_QUEUE_BILLING, SYMBI_QUEUE_INFRA, SYMBI_QUEUE_EXEC_ESCALATION } symbi_queue;
SYMBI_API const char *symbi_severity_name(symbi_severity s); /* "low" "medium" "high" "critical" */
SYMBI_API const char *symbi_category_name(symbi_category c); /* "other" "ui" "billing" "infra" "account" */
SYMBI_API const char *symbi_queue_name(symbi_queue q);       /* "frontend" "billing" "infra" "exec_escalation" */
/* Blanks around and ASCII case do not count; an unknown word is the least of the list. */
SYMBI_API symbi_severity symbi_severity_of(symbi_str word);
SYMBI_API symbi_category symbi_category_of(symbi_str word);

/* What the ticket's own words support. untrusted: its author could have written them for us, so never more than high. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_ticket_severity(symbi_ctx *cx, symbi_str ticket, bool untrusted, symbi_severity *out, symbi_err *err);
/* The queue of a category at a severity; of what is claimed as far as the ticket supports it; and when policy was asked for
 * tool_call::escalate with {category, claimed_severity, ticket_severity} (symbi_triage_context) and said permitted. */
SYMBI_API symbi_queue symbi_triage_route(symbi_category c, symbi_severity s);
SYMBI_API symbi_queue symbi_triage_grounded(symbi_category c, symbi_severity claimed, symbi_severity ticket);
SYMBI_API symbi_queue symbi_triage_decided(symbi_category c, bool permitted);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_triage_context(symbi_ctx *cx, symbi_category c, symbi_severity claimed, symbi_severity ticket, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
