/* cedar/index.h: which policies can matter to a request. */
#ifndef SY_CEDAR_INDEX_H
#define SY_CEDAR_INDEX_H
#include "cedar/ast.h"
#include "symbi/ctx.h"

symbi_status sy_cindex_build(symbi_ctx *cx, symbi_cedar *set, symbi_err *err);
#endif
