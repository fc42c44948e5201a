/* gate/permit.h: minting and checking permits and orders. Layouts in symbi/gate.h. */
#ifndef SY_GATE_PERMIT_H
#define SY_GATE_PERMIT_H
#include "symbi/gate.h"

enum { SY_PERMIT_NONCE = 4, SY_PERMIT_EXPIRY = 20, SY_PERMIT_ACTION = 28, SY_PERMIT_POLICY = 60, SY_PERMIT_MAC = 92 };

/* nonce: 16 bytes that were never used before under this key. */
SYMBI_MUST_USE symbi_status sy_permit_mint(symbi_ctx *cx, const uint8_t key[32], const uint8_t nonce[16], const uint8_t action[32], const uint8_t policy[32],
                                           int64_t expiry_ms, symbi_permit *out, symbi_err *err);
/* CODE_ALLOWED, PERMIT_FOREIGN (length, magic or HMAC), PERMIT_EXPIRED, or CRYPTO_FAILED. */
SYMBI_MUST_USE symbi_code sy_permit_check(symbi_ctx *cx, const uint8_t key[32], symbi_str permit, int64_t now_ms);
int64_t sy_permit_expiry(const uint8_t *permit);
SYMBI_MUST_USE symbi_status sy_order_mint(symbi_ctx *cx, const uint8_t key[32], const symbi_permit *p, const uint8_t plan_digest[32], symbi_order *out, symbi_err *err);
#endif
