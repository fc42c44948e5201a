/* gate/permit.c: a permit proves that this gate allowed one action until a moment; an order binds it to one plan. The MACs
 * are over different texts (each begins with its own label), so that neither can stand for the other. */
#include "gate/permit.h"
#include "base/err.h"

#include <string.h>

static const char k_permit[] = "SYP1", k_order[] = "symbi-order-v1";

static void put_u64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> (56 - 8 * i));
}

int64_t sy_permit_expiry(const uint8_t *permit)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | permit[SY_PERMIT_EXPIRY + i];
    return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static symbi_status mac(symbi_ctx *cx, const uint8_t key[32], const void *p, size_t n, uint8_t out[32], symbi_err *err)
{
    symbi_str k = { (const char *)key, 32 }, d = { p, n };
    return symbi_hmac_sha256(cx, k, d, out, err);
}

symbi_status sy_permit_mint(symbi_ctx *cx, const uint8_t key[32], const uint8_t nonce[16], const uint8_t action[32], const uint8_t policy[32],
                            int64_t expiry_ms, symbi_permit *out, symbi_err *err)
{
    symbi_status st;
    uint8_t *p = out->bytes;
    memcpy(p, k_permit, 4);
    memcpy(p + SY_PERMIT_NONCE, nonce, 16);
    put_u64(p + SY_PERMIT_EXPIRY, (uint64_t)expiry_ms);
    memcpy(p + SY_PERMIT_ACTION, action, 32);
    memcpy(p + SY_PERMIT_POLICY, policy, 32);
    if ((st = mac(cx, key, p, SY_PERMIT_MAC, p + SY_PERMIT_MAC, err))) memset(out, 0, sizeof *out);
    return st;
}

static bool same(const void *a, const void *b, size_t n)
{
    symbi_str x = { a, n }, y = { b, n };
    return symbi_ct_equal(x, y);
}

symbi_code sy_permit_check(symbi_ctx *cx, const uint8_t key[32], symbi_str permit, int64_t now_ms)
{
    uint8_t want[32];
    if (permit.n != SYMBI_PERMIT_BYTES || memcmp(permit.p, k_permit, 4) != 0) return SYMBI_CODE_PERMIT_FOREIGN;
    if (mac(cx, key, permit.p, SY_PERMIT_MAC, want, NULL)) return SYMBI_CODE_CRYPTO_FAILED;
    if (!same(want, permit.p + SY_PERMIT_MAC, 32)) return SYMBI_CODE_PERMIT_FOREIGN;
    if (now_ms > sy_permit_expiry((const uint8_t *)permit.p)) return SYMBI_CODE_PERMIT_EXPIRED;
    return SYMBI_CODE_ALLOWED;
}

static symbi_status order_mac(symbi_ctx *cx, const uint8_t key[32], const uint8_t *order, uint8_t out[32], symbi_err *err)
{
    uint8_t text[sizeof k_order - 1 + SYMBI_PERMIT_BYTES + 32];
    memcpy(text, k_order, sizeof k_order - 1);
    memcpy(text + sizeof k_order - 1, order, SYMBI_PERMIT_BYTES + 32);
    return mac(cx, key, text, sizeof text, out, err);
}

symbi_status sy_order_mint(symbi_ctx *cx, const uint8_t key[32], const symbi_permit *p, const uint8_t plan_digest[32], symbi_order *out, symbi_err *err)
{
    symbi_status st;
    memcpy(out->bytes, p->bytes, SYMBI_PERMIT_BYTES);
    memcpy(out->bytes + SYMBI_PERMIT_BYTES, plan_digest, 32);
    if ((st = order_mac(cx, key, out->bytes, out->bytes + SYMBI_PERMIT_BYTES + 32, err))) memset(out, 0, sizeof *out);
    return st;
}

symbi_status symbi_order_check(symbi_ctx *cx, const uint8_t key[32], symbi_str order, const uint8_t plan_digest[32], int64_t now_ms,
                               symbi_code *code, symbi_err *err)
{
    uint8_t want[32];
    symbi_str permit = { order.p, SYMBI_PERMIT_BYTES };
    symbi_code c;
    if (order.n != SYMBI_ORDER_BYTES) {
        c = SYMBI_CODE_PERMIT_FOREIGN;
    } else if (order_mac(cx, key, (const uint8_t *)order.p, want, NULL)) {
        c = SYMBI_CODE_CRYPTO_FAILED;
    } else if (!same(want, order.p + SYMBI_PERMIT_BYTES + 32, 32)) {
        c = SYMBI_CODE_PERMIT_FOREIGN;
    } else if ((c = sy_permit_check(cx, key, permit, now_ms)) == SYMBI_CODE_ALLOWED) {
        if (!same(order.p + SYMBI_PERMIT_BYTES, plan_digest, 32)) c = SYMBI_CODE_PERMIT_MISMATCH;
    }
    if (code) *code = c;
    if (c != SYMBI_CODE_ALLOWED) return sy_fail(err, SYMBI_EPERMIT, "%s", symbi_code_text(c));
    return SYMBI_OK;
}
