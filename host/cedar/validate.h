/* cedar/validate.h: the strict validator (spec 12), inside. types: the lattice; typecheck: one policy in one environment;
 * validate: passes, environments, findings. */
#ifndef SY_CEDAR_VALIDATE_H
#define SY_CEDAR_VALIDATE_H
#include "base/buf.h"
#include "base/ctx.h"
#include "cedar/ast.h"
#include "cedar/schema.h"

extern const sy_ctype sy_ty_never, sy_ty_true, sy_ty_false, sy_ty_bool, sy_ty_long, sy_ty_string, sy_ty_any_entity, sy_ty_any_set, sy_ty_any_record, sy_ty_entity_set;
const sy_ctype *sy_ty_ext(sy_ctag tag);
/* May a value of type `is` stand where `want` is expected? The permissive relation: any entity for AnyEntity, any record for
 * the open one, any set for the set of anything. */
bool sy_ty_fits(const sy_ctype *is, const sy_ctype *want);
/* Least upper bound under strict rules; NULL when the types are incompatible. *oom is set when memory ran out. */
const sy_ctype *sy_ty_lub(const sy_ctype *a, const sy_ctype *b, sy_scratch *mem, bool *oom);
void sy_ty_print(sy_buf *b, const sy_ctype *t, unsigned depth);

/* What an expression guarantees when it is true: that base (a node, then attributes) has attr, or has the tag `tag`. */
typedef struct sy_ccap {
    const struct sy_ccap *next;
    uint32_t node;
    const uint32_t *path; /* strings */
    uint32_t npath;
    uint32_t attr;        /* string, or SY_NONE */
    uint32_t tag;         /* node, when attr is SY_NONE */
} sy_ccap;

/* One typecheck. */
typedef struct sy_cenv {
    symbi_ctx *cx;
    const symbi_cedar *set;
    const sy_cschema *schema;
    sy_scratch *mem;
    uint32_t principal, resource; /* entity types */
    uint32_t action;
    uint32_t slot[2];             /* entity types of ?principal, ?resource */
    const sy_cpolicy *policy;
    void (*report)(void *ud, const char *kind, uint32_t pos, symbi_str message); /* inside this library only */
    void *ud;
    uint64_t work, budget;
    bool stop;                    /* memory or budget ran out */
} sy_cenv;

/* The whole policy. 1: false here, 0: typed, -1: has errors. */
int sy_ctypecheck(sy_cenv *e);

/* Text warnings (12.7): NULL or the kind. ident: names rather than string literals. */
const char *sy_ctext_warning(symbi_str s, bool ident);
#endif
