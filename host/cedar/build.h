/* cedar/build.h: making a policy set: growing arrays from the ctx's allocator, names interned on the way, everything copied
 * tight into the set's own memory at the end. The text parser, the JSON reader and linking all build through this. */
#ifndef SY_CEDAR_BUILD_H
#define SY_CEDAR_BUILD_H
#include "base/ctx.h"
#include "cedar/ast.h"

typedef struct sy_cbuild {
    symbi_ctx *cx;
    symbi_cedar *set; /* owns the memory of strings and constants from the start */
    symbi_err *err;   /* never NULL */
    unsigned flags;
    bool failed_mem;  /* sticky: out of memory or over arena_bytes */
    bool limited;
    sy_map str_map;   /* text -> string */
    uint32_t *uid_slots;
    uint32_t uid_mask;
    sy_cnode *nodes; size_t nnodes, cap_nodes;
    uint32_t *list; size_t nlist, cap_list;
    symbi_str *strs; size_t nstrs, cap_strs;
    sy_cuid *uids; size_t nuids, cap_uids;      /* texts borrowed from strs */
    uint32_t *uid_type, *uid_id; size_t cap_uid_type, cap_uid_id;
    sy_cval *vals; size_t nvals, cap_vals;
    sy_cpolicy *policies; size_t npolicies, cap_policies;
    sy_cann *anns; size_t nanns, cap_anns;
    sy_csource *sources; size_t nsources, cap_sources;
    symbi_str *warnings; size_t nwarnings, cap_warnings;
    uint32_t *stack; size_t nstack, cap_stack;  /* operands of lists being read */
} sy_cbuild;

/* After a failure of memory every function returns 0 or SY_NONE and sets failed_mem; look once at the end of a policy. */
symbi_status sy_cbuild_init(sy_cbuild *b, symbi_ctx *cx, unsigned flags, symbi_err *err);
/* A builder that holds all of set, to which more can be added. */
symbi_status sy_cbuild_copy(sy_cbuild *b, symbi_ctx *cx, const symbi_cedar *set, symbi_err *err);
uint32_t sy_cbuild_str(sy_cbuild *b, symbi_str s, bool borrow); /* borrow: s lives as long as the set */
uint32_t sy_cbuild_uid(sy_cbuild *b, uint32_t type, uint32_t id);
uint32_t sy_cbuild_node(sy_cbuild *b, sy_cop op, unsigned sub, uint32_t x, uint32_t y, uint32_t pos);
uint32_t sy_cbuild_long(sy_cbuild *b, int64_t v, uint32_t pos);
void sy_cbuild_push(sy_cbuild *b, uint32_t v);
/* Moves stack[base..] into the list; returns where it starts. */
uint32_t sy_cbuild_list(sy_cbuild *b, size_t base);
/* Set and call nodes from stack[base..], with their constant when all operands are literals. */
uint32_t sy_cbuild_set(sy_cbuild *b, size_t base, uint32_t pos);
uint32_t sy_cbuild_call(sy_cbuild *b, sy_cfn fn, size_t base, uint32_t pos);
/* Record from stack[base..] of (string, node) pairs: sorts them; SY_NONE with *dup = the string when a key occurs twice. */
uint32_t sy_cbuild_record(sy_cbuild *b, size_t base, uint32_t pos, uint32_t *dup);
bool sy_cbuild_policy(sy_cbuild *b, const sy_cpolicy *p);
uint32_t sy_cbuild_ann(sy_cbuild *b, uint32_t key, uint32_t val);
bool sy_cbuild_source(sy_cbuild *b, symbi_str name, symbi_str text, sy_csource *out); /* copies both */
void sy_cbuild_warn(sy_cbuild *b, symbi_str w); /* copied */
symbi_status sy_cbuild_nomem(const sy_cbuild *b, symbi_err *err);
/* Duplicate ids are EEXISTS. Frees the builder whatever happens. */
symbi_status sy_cbuild_finish(sy_cbuild *b, symbi_cedar **out);
void sy_cbuild_abort(sy_cbuild *b);
#endif
