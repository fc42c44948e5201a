/* state/secrets_in.h: memory that is overwritten before it is given back. */
#ifndef SY_STATE_SECRETS_IN_H
#define SY_STATE_SECRETS_IN_H
#include "base/ctx.h"

/* Allocations through `wiping` go to `under`, and every block is overwritten when it is freed or moved. Set up with sy_wiping_init; the
 * struct must not move while it is used. */
typedef struct sy_wiping {
    symbi_alloc under, wiping;
} sy_wiping;
void sy_wiping_init(sy_wiping *w, symbi_alloc under);
/* A ctx like cx whose documents and buffers come from w. For parsing and writing only: it must not reach the crypto functions, whose
 * cache belongs to cx. */
symbi_ctx sy_wiping_ctx(const symbi_ctx *cx, const sy_wiping *w);
#endif
