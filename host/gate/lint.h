/* gate/lint.h: collecting findings; shared by the two linters. */
#ifndef SY_GATE_LINT_H
#define SY_GATE_LINT_H
#include "base/arena.h"
#include "base/err.h"
#include "codec/build.h"
#include "symbi/gate_lint.h"

typedef struct sy_lint {
    sy_arena *a;
    sy_arr list;
    symbi_str policy, source; /* named in each finding where p is set */
} sy_lint;

#define SY_NO_ANSWER "no policy permits Action::\"respond\": agents under these policies cannot answer"
bool sy_policies_answer(const symbi_cedar *set);

/* message is copied. */
void sy_lint_add(sy_lint *l, const char *rule, const char *severity, uint32_t line, uint32_t col, symbi_str message);
#endif
