/* cedar/index.c: which policies can matter to a request. */
#include "cedar/index.h"

symbi_status sy_cindex_build(symbi_ctx *cx, symbi_cedar *set, symbi_err *err)
{
    (void)cx;
    (void)set;
    (void)err;
    return SYMBI_OK;
}
