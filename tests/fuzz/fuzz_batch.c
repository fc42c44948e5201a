/* Fuzz target: symbi_audit_apply: the batch that a worker hands to a writer. The check sum is made to fit first, so that the
 * bytes behind it are reached. Whatever comes: nothing is half applied, and what is applied verifies. */
#include "symbi/audit.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t zero[32];
    symbi_ctx *cx;
    symbi_store s;
    symbi_err err;
    symbi_status st;
    symbi_store_checkpoint cp;
    symbi_audit_report rep;
    symbi_str batch;
    uint8_t receipt[32], head[32];
    uint64_t len;
    int64_t ms;
    char *copy = malloc(size ? size : 1), chain[65] = "";
    must(copy != NULL);
    must(symbi_ctx_new(NULL, &cx, NULL) == SYMBI_OK);
    must(symbi_memstore_new(cx, &s, NULL) == SYMBI_OK);
    if (size) memcpy(copy, data, size);
    if (size > 32) must(symbi_sha256(cx, (symbi_str){ copy, size - 32 }, (uint8_t *)copy + size - 32, NULL) == SYMBI_OK);
    batch = (symbi_str){ copy, size };
    st = symbi_audit_apply(cx, &s, batch, receipt, &err);
    if (st) must(err.code == st && err.msg[0] && memcmp(receipt, zero, 32) == 0);
    else {
        size_t n = (size_t)(unsigned char)copy[22]; /* the chain's name: 15 bytes of magic, flags, length */
        must(n < sizeof chain && n <= size - 23);
        memcpy(chain, copy + 23, n);
        must(s.checkpoint(s.ud, (symbi_str){ chain, n }, UINT64_MAX, &cp, NULL) == SYMBI_OK);
        must(s.tail(s.ud, (symbi_str){ chain, n }, &len, head, &ms, NULL) == SYMBI_OK && len > 0 && memcmp(head, receipt, 32) == 0);
        must(symbi_audit_verify(cx, &s, (symbi_str){ chain, n }, cp.public_key, NULL, &rep, &err) == SYMBI_OK && rep.result == SYMBI_AUDIT_OK);
        must(symbi_audit_apply(cx, &s, batch, head, &err) == SYMBI_OK && memcmp(head, receipt, 32) == 0); /* again: the same receipt */
    }
    symbi_memstore_free(&s);
    symbi_ctx_free(cx);
    free(copy);
    return 0;
}
