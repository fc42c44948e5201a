/* base/ctx.h: the inside of symbi_ctx, for the library's own files. */
#ifndef SY_BASE_CTX_H
#define SY_BASE_CTX_H
#include "symbi/ctx.h"

struct symbi_ctx {
    symbi_alloc alloc, shared;
    symbi_clock clock;
    symbi_rand rand;
    symbi_log log;
    symbi_limits limits;
    uint64_t seed[2]; /* keys of the seeded maps */
    /* Caches of upper layers (there are no globals to keep them in), freed with the ctx, last slot first. */
    void *slot[4];
    void (*slot_free[4])(symbi_ctx *cx, void *p);
    struct sy_supply *supply; /* random.c: random bytes for names, or NULL */
    bool no_supply;          /* it cannot be had here */
    void *crypto_mem[4]; /* what slot[SY_SLOT_CRYPTO] points to: part of the ctx, so that first use allocates nothing */
};

enum { SY_SLOT_CRYPTO = 0 }; /* host/crypto: fetched algorithms */

/* Random bytes for names that only must not meet by chance: read from the system many at a time, each given out once. Never for a key, a
 * nonce or whatever nobody may guess: those bytes have lain in memory (symbi_ctx_random asks anew each time). */
symbi_status sy_ctx_random_name(symbi_ctx *cx, void *buf, size_t n, symbi_err *err);
void sy_supply_free(symbi_ctx *cx);
int sy_random_default(void *ud, void *buf, size_t n); /* the random source of a ctx that is given none */

/* One line to the logger, if there is one. Never pass a secret. */
void sy_log(const symbi_ctx *cx, symbi_level lv, const char *module, const char *fmt, ...) SYMBI_PRINTF(4, 5);
#endif
