/* state/memstore.h: the inside of the in-memory store, for tests that tamper with it. */
#ifndef SY_STATE_MEMSTORE_H
#define SY_STATE_MEMSTORE_H
#include "symbi/audit.h"

typedef struct sy_mem_chain {
    char *name;
    size_t name_n;
    symbi_store_row *rows; /* each row's three strings are one block that loop_id.p points to */
    size_t nrows, cap_rows;
    symbi_store_checkpoint *cps;
    size_t ncps, cap_cps;
} sy_mem_chain;

typedef struct sy_mem_kv {
    symbi_str ns, key, value; /* one block, at ns.p */
} sy_mem_kv;

typedef struct sy_memstore {
    symbi_alloc alloc;
    sy_mem_chain *chains;
    size_t nchains, cap_chains;
    sy_mem_kv *kv; /* sorted by (ns, key) */
    size_t nkv, cap_kv;
} sy_memstore;
#endif
