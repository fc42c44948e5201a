/* io/spawn_order.c: the permit check of a spawner that serves other processes: an HMAC under the gate's key over this very
 * plan, within its time, once. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "gate/nonces.h"
#include "gate/permit.h"
#include "symbi/io.h"
#include "symbi/json.h"

#include <string.h>

struct symbi_order_book {
    symbi_alloc alloc;
    symbi_ctx *cx; /* of its own: the spawner process must not touch the host's */
    sy_nonces used;
    int64_t ttl_ms;
    uint8_t key[32];
};

symbi_status symbi_order_book_new(symbi_ctx *cx, const uint8_t key[32], int64_t ttl_ms, size_t max_used, symbi_order_book **out, symbi_err *err)
{
    symbi_order_book *b = *out = sy_calloc(&cx->alloc, 1, sizeof *b);
    symbi_status st;
    if (!b) return sy_fail_nomem(err);
    b->alloc = cx->alloc;
    if ((st = symbi_ctx_new(NULL, &b->cx, err))) {
        sy_free(&b->alloc, b, sizeof *b);
        *out = NULL;
        return st;
    }
    sy_nonces_init(&b->used, b->cx->alloc, max_used ? max_used : cx->limits.permits_used);
    b->ttl_ms = ttl_ms > 0 ? ttl_ms : 60000;
    memcpy(b->key, key, sizeof b->key);
    return SYMBI_OK;
}

void symbi_order_book_free(symbi_order_book *b)
{
    symbi_alloc a;
    if (!b) return;
    a = b->alloc;
    sy_nonces_free(&b->used);
    symbi_ctx_free(b->cx);
    symbi_wipe(b->key, sizeof b->key);
    sy_free(&a, b, sizeof *b);
}

/* The digest takes the arguments as text: that text must be one JSON object and nothing else. */
static symbi_status args_ok(symbi_ctx *cx, symbi_str json, symbi_err *err)
{
    symbi_doc *d;
    symbi_status st = SYMBI_OK;
    if (!json.n) return SYMBI_OK;
    if ((st = symbi_json_parse(cx, json, &d, err))) return st;
    if (symbi_doc_root(d)->kind != SYMBI_OBJECT) st = sy_fail(err, SYMBI_ESCHEMA, "the arguments are no object");
    symbi_doc_unref(d);
    return st;
}

symbi_status symbi_order_book_check(void *book, const symbi_exec_request *rq, int64_t now_ms, symbi_err *err)
{
    symbi_order_book *b = book;
    const uint8_t *order = (const uint8_t *)rq->permit.p;
    uint8_t digest[32];
    int64_t expiry;
    symbi_status st = args_ok(b->cx, rq->args_json, err);
    if (!st) st = symbi_plan_digest(b->cx, &rq->plan, rq->args_json, digest, err); /* of what would run, not of what is claimed */
    if (!st) st = symbi_order_check(b->cx, b->key, rq->permit, digest, now_ms, NULL, err);
    if (st) return st == SYMBI_EPERMIT ? st : sy_fail(err, SYMBI_EPERMIT, "the order cannot be checked: %s", symbi_status_text(st));
    expiry = sy_permit_expiry(order);
    if (expiry < b->ttl_ms || expiry - b->ttl_ms < rq->since_ms) return sy_fail(err, SYMBI_EPERMIT, "the permit is older than this spawner, so it may have been used with an earlier one");
    if (sy_nonces_has(&b->used, order + SY_PERMIT_NONCE, expiry)) return sy_fail(err, SYMBI_EPERMIT, "%s", symbi_code_text(SYMBI_CODE_PERMIT_USED));
    st = sy_nonces_add(&b->used, order + SY_PERMIT_NONCE, expiry, now_ms);
    if (st) return sy_fail(err, SYMBI_EPERMIT, "%s", st == SYMBI_ELIMIT ? symbi_code_text(SYMBI_CODE_PERMIT_STORE_FULL) : symbi_status_text(st));
    return SYMBI_OK;
}
