/* crypto/argon2.c: Argon2id version 19 (RFC 9106) through libargon2, and its PHC text.
 * Its working memory is malloc's and not the ctx's: libargon2 takes allocation callbacks, but hands them no user data, and
 * there are no globals here to keep the ctx in. libargon2 wipes that memory before it frees it. Lanes are computed one after the
 * other: the result is the same, and a library must not start threads in the process of its host. */
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "symbi/crypto.h"

#include <argon2.h>
#include <string.h>

enum {
    M_MAX = 1 << 20, /* KiB */
    T_MAX = 64,
    P_MAX = 16,
    OUT_MIN = 4,
    OUT_MAX = 1024,
    SALT_MIN = 8,
    SALT_MAX = 64,
    HASH_BYTES = 32, /* of a PHC text made here */
    SALT_BYTES = 16,
    PHC_HASH_MAX = 64
};

static symbi_status check_cost(symbi_argon2_cost c, symbi_err *err)
{
    if (c.m_kib > M_MAX || c.t > T_MAX || c.p > P_MAX)
        return sy_fail(err, SYMBI_ELIMIT, "Argon2id with m=%u KiB, t=%u, p=%u is above the ceiling of m=%d, t=%d, p=%d", (unsigned)c.m_kib, (unsigned)c.t, (unsigned)c.p, M_MAX, T_MAX, P_MAX);
    if (!c.t || !c.p || c.m_kib < 8 * c.p) return sy_fail(err, SYMBI_EINVAL, "Argon2id needs t and p of at least 1 and m of at least 8 KiB for each p");
    return SYMBI_OK;
}

symbi_status symbi_argon2id(symbi_ctx *cx, symbi_str password, symbi_str salt, symbi_argon2_cost cost, uint8_t *out, size_t out_n, symbi_err *err)
{
    argon2_context a;
    symbi_status st = check_cost(cost, err);
    int rc;
    (void)cx;
    if (st) return st;
    if (out_n < OUT_MIN || out_n > OUT_MAX) return sy_fail(err, SYMBI_EINVAL, "Argon2id gives %d to %d bytes, not %zu", OUT_MIN, OUT_MAX, out_n);
    if (salt.n < SALT_MIN || salt.n > SALT_MAX) return sy_fail(err, SYMBI_EINVAL, "the salt must be %d to %d bytes long, it is %zu", SALT_MIN, SALT_MAX, salt.n);
    if (password.n > UINT32_MAX) return sy_fail(err, SYMBI_ELIMIT, "the password is too long");
    memset(&a, 0, sizeof a);
    a.out = out;
    a.outlen = (uint32_t)out_n;
    /* libargon2 does not write to these unless a flag asks it to. */
    a.pwd = (uint8_t *)(uintptr_t)(password.n ? password.p : "");
    a.pwdlen = (uint32_t)password.n;
    a.salt = (uint8_t *)(uintptr_t)salt.p;
    a.saltlen = (uint32_t)salt.n;
    a.t_cost = cost.t;
    a.m_cost = cost.m_kib;
    a.lanes = cost.p;
    a.threads = 1;
    a.version = ARGON2_VERSION_13;
    a.flags = ARGON2_DEFAULT_FLAGS;
    rc = argon2_ctx(&a, Argon2_id);
    if (rc == ARGON2_OK) return SYMBI_OK;
    memset(out, 0, out_n);
    if (rc == ARGON2_MEMORY_ALLOCATION_ERROR) return sy_fail_nomem(err);
    return sy_fail(err, SYMBI_ECRYPTO, "Argon2id failed: %s", argon2_error_message(rc));
}

symbi_status symbi_argon2id_phc(symbi_ctx *cx, symbi_str password, symbi_argon2_cost cost, symbi_text *out, symbi_err *err)
{
    uint8_t salt[SALT_BYTES], hash[HASH_BYTES];
    symbi_str s = { (const char *)salt, sizeof salt };
    symbi_status st;
    sy_buf b;
    memset(out, 0, sizeof *out);
    st = symbi_ctx_random(cx, salt, sizeof salt, err);
    if (!st) st = symbi_argon2id(cx, password, s, cost, hash, sizeof hash, err);
    if (st) return st;
    sy_buf_init(&b, cx->alloc, 256);
    sy_buf_addf(&b, "$argon2id$v=19$m=%u,t=%u,p=%u$", (unsigned)cost.m_kib, (unsigned)cost.t, (unsigned)cost.p);
    sy_base64_add(&b, salt, sizeof salt, SY_BASE64 | SY_BASE64_NOPAD);
    sy_buf_addc(&b, '$');
    sy_base64_add(&b, hash, sizeof hash, SY_BASE64 | SY_BASE64_NOPAD);
    symbi_wipe(hash, sizeof hash);
    return sy_buf_take(&b, out, "the PHC text", err);
}

/* ---- reading: exactly what is written above, the numbers free ---- */

static bool eat(symbi_str *s, const char *z)
{
    symbi_str pre = symbi_str_z(z);
    if (!sy_str_starts(*s, pre)) return false;
    s->p += pre.n;
    s->n -= pre.n;
    return true;
}
/* A number without sign or leading zeros. */
static bool eat_number(symbi_str *s, uint32_t *out)
{
    uint64_t v = 0;
    size_t i = 0;
    while (i < s->n && s->p[i] >= '0' && s->p[i] <= '9' && i < 10) v = v * 10 + (uint64_t)(s->p[i++] - '0');
    if (!i || (i > 1 && s->p[0] == '0') || v > UINT32_MAX) return false;
    s->p += i;
    s->n -= i;
    *out = (uint32_t)v;
    return true;
}
/* base64 up to the next '$' or the end. */
static bool eat_bytes(symbi_str *s, uint8_t *out, size_t max, size_t *n)
{
    uint8_t room[PHC_HASH_MAX + 8];
    symbi_str part = { s->p, 0 };
    while (part.n < s->n && s->p[part.n] != '$') part.n++;
    if (!part.n || sy_base64_decoded_max(part.n) > sizeof room || sy_base64_decode(part, SY_BASE64 | SY_BASE64_NOPAD, room, n, NULL) || *n > max) return false;
    memcpy(out, room, *n);
    s->p += part.n;
    s->n -= part.n;
    return true;
}

symbi_status symbi_argon2id_phc_verify(symbi_ctx *cx, symbi_str phc, symbi_str password, symbi_err *err)
{
    uint8_t salt[SALT_MAX], want[PHC_HASH_MAX], got[PHC_HASH_MAX];
    symbi_argon2_cost cost;
    symbi_str s = { (const char *)salt, 0 }, a = { (const char *)want, 0 }, b = { (const char *)got, 0 };
    symbi_status st;
    if (!eat(&phc, "$argon2id$v=19$m=") || !eat_number(&phc, &cost.m_kib) || !eat(&phc, ",t=") || !eat_number(&phc, &cost.t) || !eat(&phc, ",p=") || !eat_number(&phc, &cost.p) ||
        !eat(&phc, "$") || !eat_bytes(&phc, salt, sizeof salt, &s.n) || !eat(&phc, "$") || !eat_bytes(&phc, want, sizeof want, &a.n) || phc.n || s.n < SALT_MIN || a.n < 16)
        return sy_fail(err, SYMBI_EPARSE, "not a PHC text of Argon2id: $argon2id$v=19$m=..,t=..,p=..$salt$hash is expected");
    st = check_cost(cost, err);
    if (st == SYMBI_EINVAL) st = SYMBI_EPARSE; /* the text says so, not the caller */
    if (!st) st = symbi_argon2id(cx, password, s, cost, got, a.n, err);
    b.n = a.n;
    if (!st && !symbi_ct_equal(a, b)) st = sy_fail(err, SYMBI_EVERIFY, "the password does not fit");
    symbi_wipe(got, sizeof got);
    symbi_wipe(want, sizeof want);
    return st;
}
