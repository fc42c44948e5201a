/* cedar/print.h: policies as text. */
#ifndef SY_CEDAR_PRINT_H
#define SY_CEDAR_PRINT_H
#include "base/buf.h"
#include "cedar/ast.h"

void sy_cprint_policy(sy_buf *b, const symbi_cedar *s, uint32_t i);
void sy_cprint_expr(sy_buf *b, const symbi_cedar *s, uint32_t node);
#endif
