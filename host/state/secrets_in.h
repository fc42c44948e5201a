/* state/secrets_in.h: memory that is overwritten before it is given back. */
#ifndef SY_STATE_SECRETS_IN_H
#define SY_STATE_SECRETS_IN_H
#include "base/ctx.h"
#include "symbi/secrets.h"

/* Allocations through `wiping` go to `under`, and every block is overwritten when it is freed or moved. Set up with sy_wiping_init; the
 * struct must not move while it is used. */
typedef struct sy_wiping {
    symbi_alloc under, wiping;
} sy_wiping;
void sy_wiping_init(sy_wiping *w, symbi_alloc under);
/* A ctx like cx whose documents and buffers come from w. For parsing and writing only: it must not reach the crypto functions, whose
 * cache belongs to cx. */
symbi_ctx sy_wiping_ctx(const symbi_ctx *cx, const sy_wiping *w);
/* JSON text without known secrets: *out is empty when there was none in it, else the same document written anew (canonical), so that it is
 * JSON whatever was taken out. r may be NULL. */
symbi_status sy_redact_json(const symbi_redactor *r, symbi_ctx *cx, symbi_str json, symbi_text *out, symbi_err *err);
#endif
