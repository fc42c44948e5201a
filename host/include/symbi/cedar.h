/* symbi/cedar.h: the Cedar policy engine (spec cedar.md): policy sets, entities, requests, decisions.
 * Policy sets and entity stores are immutable, atomically refcounted, shareable between threads and may outlive the ctx
 * that made them. A symbi_cedar_eval is scratch memory for decisions: one thread at a time; after a warm-up no call on it
 * allocates. Plain Cedar semantics: an erroring policy is skipped and listed; a caller that must fail closed looks at
 * forbid_error (or denies on any error). */
#ifndef SYMBI_CEDAR_H
#define SYMBI_CEDAR_H
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct symbi_cedar symbi_cedar;                   /* a policy set */
typedef struct symbi_cedar_entities symbi_cedar_entities; /* an entity store */
typedef struct symbi_cedar_eval symbi_cedar_eval;         /* reusable scratch of one thread */

typedef struct symbi_cedar_uid {
    symbi_str type, id; /* type as "A::B", id unescaped */
} symbi_cedar_uid;
/* Reads User::"a" (Cedar text) into *out, memory from and freed with *hold. EPARSE with the column. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_uid_parse(symbi_ctx *cx, symbi_str text, symbi_cedar_uid *out, symbi_text *hold, symbi_err *err);

/* ---- policy sets ---- */

enum {
    SYMBI_CEDAR_SYMBI_ALIAS = 1,    /* a leading `Symbi::` in entity types means the bare type */
    SYMBI_CEDAR_LEGACY_SCOPE = 2,   /* accept the seed dialect: string literals in the scope are rewritten (gates.md 4), each with a warning */
    SYMBI_CEDAR_IDS_BY_POSITION = 4, /* ids "policyN" over the whole set, whatever the sources are called */
    SYMBI_CEDAR_IDS_ANNOTATED = 8   /* @id("x") names a policy; a second policy of that name is EEXISTS */
};

/* One text with its name (file or policy name; "" is anonymous). Both are copied. */
typedef struct symbi_cedar_source {
    symbi_str name, text;
} symbi_cedar_source;

/* Parses n sources into one set, in order; n == 0 gives the empty set (which denies everything). All or nothing: any error
 * refuses the set, with err->path = the source's name, line and column. Ids: "<name>#<n>" (n from 0 within the source) for
 * named sources, "policyN" (N counts over the whole set) for anonymous ones. Limits: policy_bytes per text, policy_count,
 * expr_depth, arena_bytes. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_parse(symbi_ctx *cx, const symbi_cedar_source *src, size_t n, unsigned flags, symbi_cedar **out, symbi_err *err);
SYMBI_API symbi_cedar *symbi_cedar_ref(symbi_cedar *set); /* returns set */
SYMBI_API void symbi_cedar_unref(symbi_cedar *set);       /* NULL is fine */
/* SHA-256 over names, texts and options in source order: what binds a decision to the set that made it. */
SYMBI_API void symbi_cedar_hash(const symbi_cedar *set, uint8_t out[32]);

typedef enum symbi_cedar_effect { SYMBI_CEDAR_FORBID = 0, SYMBI_CEDAR_PERMIT = 1 } symbi_cedar_effect;
typedef enum symbi_cedar_role {
    SYMBI_CEDAR_STATIC = 0, /* decides */
    SYMBI_CEDAR_TEMPLATE,   /* has slots; never decides by itself */
    SYMBI_CEDAR_LINK        /* a template with its slots filled; decides */
} symbi_cedar_role;

/* All strings borrowed from the set. */
typedef struct symbi_cedar_policy_info {
    symbi_str id, source, text;  /* text: from the first annotation to the `;` ("" for a link) */
    symbi_str template_id;       /* of a link */
    symbi_cedar_effect effect;
    symbi_cedar_role role;
    uint32_t line, col;          /* of the policy in its source, 1-based; 0 when it did not come from text */
    size_t annotation_count;
} symbi_cedar_policy_info;
/* Policies are numbered 0..count-1 in source order, templates included, links last. */
SYMBI_API size_t symbi_cedar_count(const symbi_cedar *set);
SYMBI_API void symbi_cedar_policy(const symbi_cedar *set, size_t i, symbi_cedar_policy_info *out); /* zeroed past the end */
/* The k-th annotation of policy i, sorted by key; an annotation without a value has value.p == NULL. False past the end. */
SYMBI_API bool symbi_cedar_annotation(const symbi_cedar *set, size_t i, size_t k, symbi_str *key, symbi_str *value);
/* Its value by key; {NULL,0} when absent. */
SYMBI_API symbi_str symbi_cedar_annotation_get(const symbi_cedar *set, size_t i, symbi_str key);
SYMBI_API size_t symbi_cedar_find(const symbi_cedar *set, symbi_str id); /* index of the policy, SIZE_MAX when absent */
/* What was rewritten or looks wrong at load, one line each, "name:line:col: ..."; empty past the end. */
SYMBI_API size_t symbi_cedar_warning_count(const symbi_cedar *set);
SYMBI_API symbi_str symbi_cedar_warning(const symbi_cedar *set, size_t i);

/* ---- JSON, templates, text ---- */

/* {"staticPolicies": text | {id: text | policy} | [text | policy], "templates": {id: text | policy}, "templateLinks":
 * [{"templateId","newId","values"}]}, or one policy object by itself (then its id is policy0). All or nothing; err->path is a
 * JSON pointer, or the policy's id with line and column. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_from_json(symbi_ctx *cx, const symbi_value *v, unsigned flags, symbi_cedar **out, symbi_err *err);
/* A new set with one more policy: template_id with its slots filled (NULL for a slot it does not have). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_link(symbi_ctx *cx, const symbi_cedar *set, symbi_str template_id, symbi_str new_id, const symbi_cedar_uid *principal,
                                                       const symbi_cedar_uid *resource, symbi_cedar **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_policy_to_json(symbi_ctx *cx, const symbi_cedar *set, size_t i, symbi_doc **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_to_json(symbi_ctx *cx, const symbi_cedar *set, symbi_doc **out, symbi_err *err);
/* Policy i, or all of them (SIZE_MAX), as Cedar text: one line each, compound operands in parentheses, no comments. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_to_text(symbi_ctx *cx, const symbi_cedar *set, size_t i, symbi_text *out, symbi_err *err);

/* ---- schemas ---- */

typedef struct symbi_cedar_schema symbi_cedar_schema; /* immutable, atomically refcounted */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_schema_parse(symbi_ctx *cx, symbi_str text, symbi_cedar_schema **out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_schema_from_json(symbi_ctx *cx, const symbi_value *v, symbi_cedar_schema **out, symbi_err *err);
SYMBI_API symbi_cedar_schema *symbi_cedar_schema_ref(symbi_cedar_schema *s);
SYMBI_API void symbi_cedar_schema_unref(symbi_cedar_schema *s); /* NULL is fine */
/* A reference to its JSON form, as read or with every name resolved. */
SYMBI_API symbi_doc *symbi_cedar_schema_json(const symbi_cedar_schema *s, bool resolved);
/* Its text form. EUNSUPPORTED for what only JSON can say (a shape that is a common type). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_schema_text(symbi_ctx *cx, const symbi_cedar_schema *s, symbi_text *out, symbi_err *err);
SYMBI_API size_t symbi_cedar_schema_warning_count(const symbi_cedar_schema *s);
SYMBI_API symbi_str symbi_cedar_schema_warning(const symbi_cedar_schema *s, size_t i); /* "line:col: ..."; empty past the end */

/* ---- validation (strict mode) ---- */

enum { SYMBI_CEDAR_ACTION_ERRORS = 1 }; /* a scope that no action applies to is an error, as before Cedar 4.13, not a warning */

typedef struct symbi_cedar_finding {
    uint32_t policy;     /* index in the set */
    bool warning;
    const char *kind;    /* "unsafe_attribute_access" ... (spec 12.5), static */
    uint32_t line, col;  /* in the policy's source; 0 when it did not come from text */
    symbi_str message;
} symbi_cedar_finding;
typedef struct symbi_cedar_report symbi_cedar_report;
/* Looks at every policy, template and link; what is wrong with them is in the report, the status tells whether it could be
 * made. The report owns its strings; kinds of the same fault in several environments are listed once per wording. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_validate(symbi_ctx *cx, const symbi_cedar *set, const symbi_cedar_schema *schema, unsigned flags, symbi_cedar_report **out,
                                                           symbi_err *err);
SYMBI_API void symbi_cedar_report_free(symbi_cedar_report *r); /* NULL is fine */
SYMBI_API bool symbi_cedar_report_valid(const symbi_cedar_report *r); /* no errors */
SYMBI_API size_t symbi_cedar_report_count(const symbi_cedar_report *r);
SYMBI_API const symbi_cedar_finding *symbi_cedar_report_at(const symbi_cedar_report *r, size_t i); /* NULL past the end */

/* ---- entities ---- */

/* An array of {"uid","attrs","parents","tags"?} (spec 9.1-9.3). All or nothing; err->path is a JSON pointer. NULL entities
 * mean none. Limit: entity_count. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_entities_new(symbi_ctx *cx, const symbi_value *entities, symbi_cedar_entities **out, symbi_err *err);
/* The same with a schema (spec 9.4): expected types turn plain JSON into typed values, everything is checked, and the schema's
 * actions are added. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_entities_conform(symbi_ctx *cx, const symbi_value *entities, const symbi_cedar_schema *schema, symbi_cedar_entities **out, symbi_err *err);
SYMBI_API symbi_cedar_entities *symbi_cedar_entities_ref(symbi_cedar_entities *e);
SYMBI_API void symbi_cedar_entities_unref(symbi_cedar_entities *e); /* NULL is fine */
SYMBI_API size_t symbi_cedar_entities_count(const symbi_cedar_entities *e);

/* How a symbi_value becomes a Cedar value. */
typedef enum symbi_cedar_rule {
    SYMBI_CEDAR_STRICT = 0, /* spec 9.2: null and non-integers are errors; __entity and __extn are understood. Trusted data. */
    SYMBI_CEDAR_PLAIN = 1   /* untrusted data (tool arguments): integers Long; other numbers decimal where four digits are exact,
                               else String; null absent; arrays Set, objects Record; no escapes: {"__entity":...} is a record */
} symbi_cedar_rule;

/* ---- requests ---- */

/* An entity that exists for one request. It hides a stored one of the same uid; its ancestors are its parents and theirs. */
typedef struct symbi_cedar_entity {
    symbi_cedar_uid uid;
    const symbi_value *attrs; /* object, or NULL */
    const symbi_value *tags;  /* object, or NULL */
    const symbi_cedar_uid *parents;
    size_t nparents;
    symbi_cedar_rule rule;    /* of attrs and tags */
} symbi_cedar_entity;

/* Rule of one top-level member of the context. */
typedef struct symbi_cedar_member_rule {
    symbi_str key;
    symbi_cedar_rule rule;
} symbi_cedar_member_rule;

/* Zero it, then fill in; everything is borrowed for the call. Types must be plain names as Cedar writes them. */
typedef struct symbi_cedar_request {
    symbi_cedar_uid principal, action, resource;
    const symbi_value *context;           /* object, or NULL for {} */
    symbi_cedar_rule context_rule;        /* of the members that have no rule of their own: */
    const symbi_cedar_member_rule *rules; /* e.g. { "input", SYMBI_CEDAR_PLAIN } */
    size_t nrules;
    const symbi_cedar_entities *entities; /* or NULL */
    const symbi_cedar_entity *overlay;
    size_t noverlay;
    /* With a schema the context is read as the action's (rules above do not apply), and the request is checked against it
     * (spec 9.6) unless unchecked. The entities should have been made with the same schema. */
    const symbi_cedar_schema *schema;
    bool unchecked;
} symbi_cedar_request;

#define SYMBI_CEDAR_ERROR_LIST(X)                                                                  \
    X(TYPE, "type_error")                                                                          \
    X(ATTR, "attr_does_not_exist")                                                                 \
    X(ENTITY, "entity_does_not_exist")                                                             \
    X(TAG, "tag_does_not_exist")                                                                   \
    X(OVERFLOW, "integer_overflow")                                                                \
    X(EXTENSION, "extension_error")                                                                \
    X(NARGS, "wrong_num_args")                                                                     \
    X(RECURSION, "recursion_limit")
typedef enum symbi_cedar_error_kind {
    SYMBI_CEDAR_E_NONE = 0,
#define SYMBI_CEDAR_ERROR_ENUM(name, text) SYMBI_CEDAR_E_##name,
    SYMBI_CEDAR_ERROR_LIST(SYMBI_CEDAR_ERROR_ENUM)
#undef SYMBI_CEDAR_ERROR_ENUM
    SYMBI_CEDAR_E_COUNT_
} symbi_cedar_error_kind;
SYMBI_API const char *symbi_cedar_error_name(symbi_cedar_error_kind k); /* "type_error" ... */

typedef struct symbi_cedar_error {
    uint32_t policy; /* index in the set */
    symbi_cedar_error_kind kind;
    symbi_cedar_effect effect; /* of that policy */
    uint32_t line, col;        /* of the expression that failed, in the policy's source; 0 when unknown */
    symbi_str message;
} symbi_cedar_error;

/* Borrowed from the eval until its next call. Indices ascend. */
typedef struct symbi_cedar_answer {
    symbi_decision decision;  /* SYMBI_DENY or SYMBI_ALLOW */
    const uint32_t *reasons;  /* the satisfied forbids, else the satisfied permits */
    size_t nreasons;
    const symbi_cedar_error *errors;
    size_t nerrors;
    size_t permits;           /* permits that are satisfied, also where forbids decide */
    bool forbid_error;        /* some erroring policy is a forbid: plain Cedar skips it, a gate must deny */
    uint64_t steps;           /* nodes evaluated */
    size_t candidates;        /* policies that the index let through */
} symbi_cedar_answer;

/* Between calls an eval keeps a reference to the set and the entities it last decided on (what it learnt about the pair). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_eval_new(symbi_ctx *cx, symbi_cedar_eval **out, symbi_err *err);
SYMBI_API void symbi_cedar_eval_free(symbi_cedar_eval *ev); /* NULL is fine */
/* Decides. Anything but SYMBI_OK is a deny (and *out says so): ESCHEMA for a context or overlay that is no Cedar data
 * (err->path tells where), EINVAL for a malformed entity type, EBUDGET when limits.eval_steps is used up, ENOMEM. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_authorize(symbi_cedar_eval *ev, const symbi_cedar *set, const symbi_cedar_request *rq, symbi_cedar_answer *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
