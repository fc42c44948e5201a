/* symbi/sys/store.h: plug point for durable state. A store is one struct of functions plus ud; the library calls it only
 * from the thread of the ctx that uses it. Rows are the audit entries of spec orga-oats.md 3.1, one chain per name; kv
 * holds small records (approvals, budgets) that change in the same transaction. Strings are borrowed for the call. */
#ifndef SYMBI_SYS_STORE_H
#define SYMBI_SYS_STORE_H
#include "symbi/base.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct symbi_store_row {
    uint64_t sequence;
    int64_t timestamp_ms;
    uint64_t iteration;
    symbi_str loop_id, agent_id, event; /* event: the exact JSON text that is hashed */
    uint8_t prev_hash[32], hash[32];
    uint8_t signature[64]; /* Ed25519, when has_signature */
    bool has_signature;
} symbi_store_row;

typedef struct symbi_store_checkpoint {
    uint64_t len; /* entries covered: sequences 0..len-1 */
    uint8_t head[32];
    int64_t timestamp_ms;
    uint8_t public_key[32], signature[64];
} symbi_store_checkpoint;

typedef enum symbi_kv_check {
    SYMBI_KV_ANY = 0,    /* no condition */
    SYMBI_KV_ABSENT,     /* the key must not exist */
    SYMBI_KV_EQUALS      /* the key must hold exactly `expect` */
} symbi_kv_check;

typedef struct symbi_store_kv {
    symbi_str ns, key;
    symbi_str value; /* p NULL: delete */
    symbi_kv_check check; /* compared inside the transaction: EEXISTS and nothing is written when it does not hold, so that a
                             single-use record is used once, whoever else writes */
    symbi_str expect;
} symbi_store_kv;

typedef struct symbi_store_batch {
    symbi_str chain;
    uint64_t expect_len;     /* the chain's length before this batch... */
    uint8_t expect_head[32]; /* ...and its head (zeros when empty) */
    const symbi_store_row *rows;
    size_t nrows;
    const symbi_store_checkpoint *checkpoint; /* NULL: none */
    const symbi_store_kv *kv;
    size_t nkv;
    bool durable; /* on stable storage before commit returns (releases a TOOL effect) */
} symbi_store_batch;

typedef struct symbi_store {
    uint32_t size; /* sizeof(symbi_store) */
    void *ud;
    /* All of the batch in one transaction, or nothing. ESTATE when the chain is not at expect_len/expect_head any more
     * (another process wrote): the caller reads the tail again and rebuilds. EIO with a message otherwise. */
    symbi_status (*commit)(void *ud, const symbi_store_batch *b, symbi_err *err);
    /* Length, head and last timestamp of a chain; zeros when empty. */
    symbi_status (*tail)(void *ud, symbi_str chain, uint64_t *len, uint8_t head[32], int64_t *last_ms, symbi_err *err);
    /* One row; strings borrowed until the next call into the store. ENOTFOUND past the end or where a row is missing. */
    symbi_status (*row)(void *ud, symbi_str chain, uint64_t sequence, symbi_store_row *out, symbi_err *err);
    /* The i-th checkpoint by len (0-based), ENOTFOUND past the end; UINT64_MAX asks for the last. */
    symbi_status (*checkpoint)(void *ud, symbi_str chain, uint64_t i, symbi_store_checkpoint *out, symbi_err *err);
    /* Value of a key, borrowed until the next call; ENOTFOUND. */
    symbi_status (*get)(void *ud, symbi_str ns, symbi_str key, symbi_str *value, symbi_err *err);
    /* The key after `after` in byte order ("" starts), borrowed; ENOTFOUND at the end. */
    symbi_status (*next)(void *ud, symbi_str ns, symbi_str after, symbi_str *key, symbi_str *value, symbi_err *err);
    /* Optional (both or none; NULL where nobody else writes). begin keeps other writers out until the next commit or end, so
     * that a writer that lost the race for the tail once does not lose it again; durable as in the batch that follows. */
    symbi_status (*begin)(void *ud, bool durable, symbi_err *err);
    void (*end)(void *ud);
} symbi_store;

#ifdef __cplusplus
}
#endif
#endif
