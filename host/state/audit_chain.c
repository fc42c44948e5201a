/* state/audit_chain.c: see audit_chain.h. */
#include "state/audit_chain.h"
#include "base/err.h"
#include "base/str.h"

static const char entry_domain[] = "symbi-journal-v1\n";
static const char checkpoint_domain[] = "symbi-checkpoint-v1\n";

static void put64(uint8_t *p, uint64_t v)
{
    for (int i = 7; i >= 0; i--) {
        p[i] = (uint8_t)(v & 0xff);
        v >>= 8;
    }
}

static void add_lenstr(sy_buf *b, symbi_str s)
{
    sy_buf_u32be(b, (uint32_t)s.n);
    sy_buf_adds(b, s);
}

symbi_status sy_audit_hash(symbi_ctx *cx, sy_buf *b, const symbi_store_row *r, uint8_t out[32], symbi_err *err)
{
    if (r->loop_id.n > UINT32_MAX || r->agent_id.n > UINT32_MAX || r->event.n > UINT32_MAX)
        return sy_fail(err, SYMBI_ELIMIT, "an audit entry holds a text of more than 4 GiB");
    sy_buf_clear(b);
    sy_buf_add(b, entry_domain, sizeof entry_domain - 1);
    sy_buf_add(b, r->prev_hash, 32);
    sy_buf_u64be(b, r->sequence);
    sy_buf_u64be(b, (uint64_t)r->timestamp_ms);
    sy_buf_u64be(b, r->iteration);
    add_lenstr(b, r->loop_id);
    add_lenstr(b, r->agent_id);
    add_lenstr(b, r->event);
    if (sy_buf_status(b))
        return sy_buf_status(b) == SYMBI_ENOMEM ? sy_fail_nomem(err)
                                                : sy_fail(err, sy_buf_status(b), "an audit entry is larger than %zu bytes", b->max);
    return symbi_sha256(cx, sy_buf_str(b), out, err);
}

enum { SIGNED_HASH = sizeof entry_domain - 1 + 32 };

static symbi_str signed_hash(const uint8_t hash[32], char out[SIGNED_HASH])
{
    symbi_str s = { out, SIGNED_HASH };
    memcpy(out, entry_domain, sizeof entry_domain - 1);
    memcpy(out + sizeof entry_domain - 1, hash, 32);
    return s;
}

symbi_status sy_audit_sign_hash(symbi_ctx *cx, const symbi_key *k, const uint8_t hash[32], uint8_t sig[64], symbi_err *err)
{
    char b[SIGNED_HASH];
    return symbi_ed25519_sign(cx, k, signed_hash(hash, b), sig, err);
}

symbi_status sy_audit_check_hash(symbi_ctx *cx, const symbi_key *k, const uint8_t hash[32], const uint8_t sig[64], symbi_err *err)
{
    char b[SIGNED_HASH];
    return symbi_ed25519_verify(cx, k, signed_hash(hash, b), sig, err);
}

static symbi_str checkpoint_bytes(const symbi_store_checkpoint *cp, uint8_t out[SY_CHECKPOINT_BYTES])
{
    symbi_str s = { (const char *)out, SY_CHECKPOINT_BYTES };
    size_t d = sizeof checkpoint_domain - 1;
    _Static_assert(sizeof checkpoint_domain - 1 + 8 + 32 + 8 == SY_CHECKPOINT_BYTES, "layout");
    memcpy(out, checkpoint_domain, d);
    put64(out + d, cp->len);
    memcpy(out + d + 8, cp->head, 32);
    put64(out + d + 40, (uint64_t)cp->timestamp_ms);
    return s;
}

symbi_status sy_checkpoint_sign(symbi_ctx *cx, const symbi_key *k, symbi_store_checkpoint *cp, symbi_err *err)
{
    uint8_t b[SY_CHECKPOINT_BYTES];
    symbi_ed25519_public(k, cp->public_key);
    return symbi_ed25519_sign(cx, k, checkpoint_bytes(cp, b), cp->signature, err);
}

symbi_status sy_checkpoint_check(symbi_ctx *cx, const symbi_key *k, const symbi_store_checkpoint *cp, symbi_err *err)
{
    uint8_t b[SY_CHECKPOINT_BYTES], pub[32];
    symbi_status st;
    symbi_ed25519_public(k, pub);
    if (memcmp(pub, cp->public_key, 32) != 0)
        return sy_fail(err, SYMBI_EVERIFY, "the checkpoint over %llu entries is signed by another key", (unsigned long long)cp->len);
    st = symbi_ed25519_verify(cx, k, checkpoint_bytes(cp, b), cp->signature, err);
    if (st != SYMBI_EVERIFY) return st;
    return sy_fail(err, SYMBI_EVERIFY, "the signature of the checkpoint over %llu entries does not verify", (unsigned long long)cp->len);
}

bool sy_chain_name_ok(symbi_str c)
{
    if (c.n == 0 || c.n > 64) return false;
    for (size_t i = 0; i < c.n; i++) {
        char ch = c.p[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '.' || ch == '_' || ch == '-'))
            return false;
    }
    return true;
}
