/* gate/lint_policy.h: the two halves of the policy linter: scopes and pairs of policies (lint_set.c), conditions (lint_expr.c). */
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

/* Reports in lp->l what in the conditions can fail. */
void sy_lint_conditions(sy_lint_policy *lp);
/* 1 always true, 0 always false, -1 it depends. */
int sy_lint_truth(sy_lint_policy *lp, uint32_t node, size_t depth);
/* Line and column of a node. */
void sy_lint_at(const sy_lint_policy *lp, const sy_cnode *n, uint32_t *line, uint32_t *col);
#endif
