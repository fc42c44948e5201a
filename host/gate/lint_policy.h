/* gate/lint_policy.h: the parts of the policy linter: scopes and pairs of policies (lint_set.c), conditions (lint_expr.c), what the
 * gate shows policies (lint_known.c). */
#ifndef SY_GATE_LINT_POLICY_H
#define SY_GATE_LINT_POLICY_H
#include "cedar/ast.h"
#include "gate/lint.h"
#include "symbi/gate.h"

/* What a policy's scope leaves open, as far as the gate's requests go. */
typedef struct sy_lint_scope {
    unsigned kinds;          /* bit per symbi_action_kind */
    const symbi_tool **tools; /* the tools it can be about, when all of them are known */
    size_t ntools;
    bool any_tool;           /* some tool that we do not know, or any */
} sy_lint_scope;

typedef struct sy_lint_policy {
    sy_lint *l;
    const symbi_cedar *set;
    const sy_cpolicy *policy;
    sy_lint_scope scope;
    size_t depth, work;      /* levels of expression, and nodes, that are still looked at */
    unsigned reported;
    symbi_str *facts;        /* paths known to be present, and tags; a stack */
    size_t nfacts, cap;
} sy_lint_policy;

enum {
    T_BOOL = 1, T_LONG = 2, T_STR = 4, T_ENT = 8, T_SET = 16, T_REC = 32, T_DEC = 64, T_IP = 128, T_DATE = 256, T_DUR = 512,
    T_EXT = T_DEC | T_IP | T_DATE | T_DUR, T_ORDERED = T_LONG | T_DATE | T_DUR, T_ANY = 1023
};

typedef struct sy_shape {
    unsigned mask;
    bool known;     /* the mask is what the gate puts there, or what a literal is */
    symbi_str path; /* "context.input.path", parts joined by a byte 1; p NULL when it is no chain of attributes */
    bool untrusted; /* made from tool arguments */
} sy_shape;

typedef enum sy_presence { SY_ALWAYS, SY_SOMETIMES, SY_NEVER } sy_presence;

/* What the gate's requests hold at a path (its last part is attr), as far as the policy's scope goes: lint_known.c. */
sy_presence sy_lint_lookup(const sy_lint_policy *lp, symbi_str path, symbi_str attr, sy_shape *out);
/* Reports in lp->l what in the conditions can fail. */
void sy_lint_conditions(sy_lint_policy *lp);
/* 1 always true, 0 always false, -1 it depends. */
int sy_lint_truth(sy_lint_policy *lp, uint32_t node, size_t depth);
/* Line and column of a node. */
void sy_lint_at(const sy_lint_policy *lp, const sy_cnode *n, uint32_t *line, uint32_t *col);
#endif
