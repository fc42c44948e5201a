/* symbi/comm.h: the Communication Policy Gate: which agent may send what to which agent. Rule sets are immutable, atomically
 * refcounted and shareable between threads; a decision allocates nothing and takes time linear in the names. Whatever is
 * wrong is a deny. Sources: spec gates.md section 9 ("Take" 1-10, and 9.2 for the runtime's form), rest-api.md 4.2.
 *
 * A rule, in the seed's request shape (camelCase names and plain from/to are accepted, answers use these names):
 *   {"id": "r1", "name": "…", "from_agent": "analyst", "to_agent": "report-*", "action": "send_message",
 *    "effect": "allow", "reason": "…", "priority": 10, "max_depth": 3}
 *  - from_agent, to_agent, action are required: exact names, or patterns with * (any run) and ? (one character); case matters.
 *  - action "allow" or "deny" is the effect itself, for every action; so is "*" without the effect. Effective effect: deny when
 *    effect or action is "deny", else allow. A contradiction is a deny, and the rule carries a "warning".
 *  - max_depth: an allow rule does not apply to a message deeper than this (1 is a direct message); deny rules ignore it.
 *  - id is made ("rule-<n>") where it is missing.
 * or in the runtime's: {"id", "name", "condition": {"sender_is": …} | {"recipient_is": …} | {"always": true} | {"all": […]} |
 *   {"any": […]}, "effect": {"allow": true} | {"deny": "reason"}, "priority": 0..4294967295}.
 *
 * The first rule that matches decides. Order: higher priority, then deny before allow, then insertion; with
 * SYMBI_COMM_FIRST_WINS higher priority, then insertion (the runtime's order). No match: deny. */
#ifndef SYMBI_COMM_H
#define SYMBI_COMM_H
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SYMBI_COMM_MAX_RULES = 4096,   /* rules in one set */
    SYMBI_COMM_MAX_NAME = 256,     /* bytes of an agent name, an action, a pattern, a rule's id or name */
    SYMBI_COMM_MAX_REASON = 1024,  /* bytes of a rule's reason */
    SYMBI_COMM_MAX_NESTING = 32,   /* condition within condition */
    SYMBI_COMM_MAX_CONDITIONS = 256 /* conditions in one rule */
};

enum {
    SYMBI_COMM_DEFAULT_ALLOW = 1, /* no match: allow */
    SYMBI_COMM_FIRST_WINS = 2,    /* at equal priority the rule that came first decides, not the one that denies */
    SYMBI_COMM_KEEP_UNKNOWN = 4   /* members that are no field of a rule are kept and shown; else they are an error */
};

typedef struct symbi_comm_rules symbi_comm_rules;

/* doc: a list of rules, or {"rules": […], "default": "deny"|"allow", "ties": "deny"|"first"}, or the runtime's
 * {"rules": […], "mode": "deny_by_default"|"permissive"} (ties: first). What the document says goes above flags. Anything wrong
 * in any rule (unknown or repeated field, wrong type, duplicate id, …) refuses the whole: ESCHEMA or ELIMIT, the message names
 * rule and field, err->path is a JSON pointer. One reference for the caller; *out is NULL on failure. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_comm_rules_parse(symbi_ctx *cx, const symbi_value *doc, unsigned flags, symbi_comm_rules **out, symbi_err *err);
SYMBI_API symbi_comm_rules *symbi_comm_rules_ref(symbi_comm_rules *r); /* returns r; NULL is fine */
SYMBI_API void symbi_comm_rules_unref(symbi_comm_rules *r);            /* NULL is fine */
SYMBI_API size_t symbi_comm_rules_count(const symbi_comm_rules *r);
/* All rules in insertion order, as an array of objects with every field; borrowed while a reference is held. */
SYMBI_API const symbi_value *symbi_comm_rules_value(const symbi_comm_rules *r);
SYMBI_API const symbi_value *symbi_comm_rules_get(const symbi_comm_rules *r, symbi_str id); /* NULL: no such rule */
/* SHA-256 of the canonical JSON of {"default", "rules", "ties"}: names this version of the rules on an audit trail. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_comm_rules_hash(symbi_ctx *cx, const symbi_comm_rules *r, uint8_t out[32], symbi_err *err);

/* What led to an answer. */
typedef enum symbi_comm_cause {
    SYMBI_COMM_BAD_REQUEST = 0, /* a name is empty, too long or not UTF-8, or the request is malformed: deny */
    SYMBI_COMM_NO_RULE,         /* the default */
    SYMBI_COMM_RULE,            /* the rule */
    SYMBI_COMM_TOO_DEEP         /* only allow rules matched, and the message is deeper than their max_depth: deny */
} symbi_comm_cause;

/* Zeroed = deny. Pointers are borrowed from the rules (or static). */
typedef struct symbi_comm_answer {
    bool allowed;
    symbi_comm_cause cause;
    const symbi_value *rule; /* as shown by symbi_comm_rules_value; NULL: none. TOO_DEEP: the first whose depth was exceeded */
    symbi_str rule_id;       /* "" without a rule */
    symbi_str reason;        /* allow: the rule's reason; deny: "[<name or id>] <reason>" */
} symbi_comm_answer;

/* Decides one message. action: "send_message", "delegate", …; depth: 1 for a direct message (0 counts as 1). No other failure:
 * rules == NULL denies. Allocates nothing, never blocks; any number of threads at once. */
SYMBI_API void symbi_comm_check(const symbi_comm_rules *r, symbi_str from, symbi_str to, symbi_str action, uint32_t depth, symbi_comm_answer *out);
/* The same for {"sender", "recipient", "action", "depth"?}; strict. On a malformed request *out denies and the status says why. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_comm_evaluate(const symbi_comm_rules *r, const symbi_value *request, symbi_comm_answer *out, symbi_err *err);

/* An answer in the response shape {"allowed", "effect", "reason", "rule"}; lives in *room and in what the answer borrows. */
typedef struct symbi_comm_view {
    symbi_member m[4];
    symbi_value v;
} symbi_comm_view;
SYMBI_API const symbi_value *symbi_comm_answer_value(const symbi_comm_answer *a, symbi_comm_view *room);

/* A list that changes one rule at a time; each change makes a new immutable set, whole or not at all. One thread at a time. */
typedef struct symbi_comm_list symbi_comm_list;
/* start: the rules to begin with (NULL: none); flags as above. Where start is given, its default and ties hold. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_comm_list_new(symbi_ctx *cx, symbi_comm_rules *start, unsigned flags, symbi_comm_list **out, symbi_err *err);
SYMBI_API void symbi_comm_list_free(symbi_comm_list *l); /* NULL is fine */
/* *added: the rule as stored, id included, borrowed from the set now in force. A known id is EEXISTS, or with replace takes the
 * place of that rule. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_comm_list_add(symbi_comm_list *l, const symbi_value *rule, bool replace, const symbi_value **added, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_comm_list_remove(symbi_comm_list *l, symbi_str id, symbi_err *err); /* ENOTFOUND */
SYMBI_API symbi_comm_rules *symbi_comm_list_rules(const symbi_comm_list *l); /* the set now in force; borrowed until the next change */

#ifdef __cplusplus
}
#endif
#endif
