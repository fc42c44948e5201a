/* dsl/compile.h: from an agent's rules and settings to Cedar and limits: what compile.c, guard.c, target.c and limits.c share. */
#ifndef SY_DSL_COMPILE_H
#define SY_DSL_COMPILE_H
#include "base/buf.h"
#include "codec/build.h"
#include "dsl/dsl.h"

/* A name that a rule's target binds: `read(path)` makes path mean the argument. */
typedef struct sy_bind {
    symbi_str name, arg;
    bool target; /* what delegate or send_message addresses */
} sy_bind;

enum { SY_BINDS_MAX = 64 };

typedef struct sy_comp {
    symbi_ctx *cx;
    const symbi_dsl *d;
    sy_arena *a; /* of the list of problems */
    sy_arr problems;
    size_t refused;
    uint32_t first_node;  /* what the first refusal is about */
    symbi_str first_text, first_nearest;
    symbi_toolset *tools; /* or NULL */
    uint32_t agent;
    symbi_str principal;
    /* the rule at hand */
    sy_bind binds[SY_BINDS_MAX];
    size_t nbinds;
    bool approval;      /* its guard looks at a person's approval */
    /* the result */
    bool any_approval;
    bool names_respond, names_terminate; /* by an allow rule */
    bool allows;        /* some allow rule is there */
    symbi_narrow_limits limits;
    uint32_t tools_attr; /* `tools = [...]`, or 0 */
} sy_comp;

/* Both give false. nearest: the form that works, or NULL. */
bool sy_comp_refuse(sy_comp *c, uint32_t node, const char *construct, const char *nearest, const char *fmt, ...) SYMBI_PRINTF(5, 6);
void sy_comp_note(sy_comp *c, uint32_t node, const char *construct, const char *fmt, ...) SYMBI_PRINTF(4, 5);

/* guard.c: an expression as Cedar text. False when it was refused. */
bool sy_comp_guard(sy_comp *c, sy_buf *b, uint32_t expr);
bool sy_comp_literal(sy_comp *c, sy_buf *b, uint32_t node); /* string, whole number, boolean */
bool sy_comp_string(sy_comp *c, uint32_t node, sy_buf *out); /* the text that a string literal means */
void sy_comp_quote(sy_buf *b, symbi_str s, bool pattern);    /* as a Cedar string; pattern: for `like`, stars taken literally */

/* target.c: `read(path)`, "name", [a, b], any: writes the action's constraint (", action == ..." after the principal) and the conditions
 * that the arguments set (" && ..." each). False when refused. is_target: the expression has the form of one. */
bool sy_comp_is_target(const symbi_dsl *d, uint32_t expr);
bool sy_comp_target(sy_comp *c, sy_buf *scope, sy_buf *conds, uint32_t expr, char effect);

/* limits.c */
void sy_comp_with(sy_comp *c, uint32_t with);
#endif
