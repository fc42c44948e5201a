/* state/audit_verify.c: checking a trail, entry by entry: sequence, then link and hash, then signature; each checkpoint
 * where it closes; at the end what the checkpoints and an outside anchor cover. The first fault is the verdict. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "state/audit_chain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct symbi_audit_verifier {
    symbi_ctx *cx;
    symbi_key *key;
    symbi_store_checkpoint anchor;
    bool has_anchor, anchor_seen, finished;
    sy_buf scratch;
    uint64_t last_cp; /* len of the last checkpoint */
    uint8_t head[32];
    int64_t last_ms;
    symbi_audit_report rep;
};

const char *symbi_audit_result_name(symbi_audit_result r)
{
    switch (r) {
    case SYMBI_AUDIT_UNVERIFIED: return "unverified";
    case SYMBI_AUDIT_OK: return "ok";
    case SYMBI_AUDIT_SEQUENCE: return "sequence";
    case SYMBI_AUDIT_CHAIN: return "chain_integrity";
    case SYMBI_AUDIT_SIGNATURE: return "invalid_signature";
    case SYMBI_AUDIT_TRUNCATED: return "truncated";
    case SYMBI_AUDIT_ANCHOR: return "anchor_mismatch";
    case SYMBI_AUDIT_UNANCHORED: return "not_anchored";
    }
    return "unverified";
}

SYMBI_PRINTF(4, 5) static void fault(symbi_audit_verifier *v, symbi_audit_result r, uint64_t at, const char *fmt, ...)
{
    va_list ap;
    char raw[200];
    if (v->rep.result != SYMBI_AUDIT_UNVERIFIED) return; /* the first one counts */
    v->rep.result = r;
    v->rep.bad_sequence = at;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    sy_clean_line(v->rep.detail, sizeof v->rep.detail, symbi_str_z(raw));
}

static bool faulty(const symbi_audit_verifier *v) { return v->rep.result != SYMBI_AUDIT_UNVERIFIED; }

static bool all_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i]) return false;
    return true;
}

symbi_status symbi_audit_verifier_new(symbi_ctx *cx, const uint8_t pub[32], const symbi_store_checkpoint *anchor, symbi_audit_verifier **out, symbi_err *err)
{
    symbi_audit_verifier *v = sy_calloc(&cx->alloc, 1, sizeof *v);
    symbi_status st;
    *out = NULL;
    if (!v) return sy_fail_nomem(err);
    v->cx = cx;
    sy_buf_init(&v->scratch, cx->alloc, SIZE_MAX / 2);
    st = symbi_ed25519_from_public(cx, pub, &v->key, err);
    if (st == SYMBI_OK && anchor) {
        v->has_anchor = true;
        v->anchor = *anchor;
        if (!all_zero(anchor->signature, 64)) {
            st = sy_checkpoint_check(cx, v->key, anchor, err);
            if (st == SYMBI_EVERIFY) {
                fault(v, SYMBI_AUDIT_SIGNATURE, 0, "the anchor is not signed by this key: it was altered or belongs to another trail");
                st = SYMBI_OK;
            }
        }
    }
    if (st) symbi_audit_verifier_free(v);
    else *out = v;
    return st;
}

void symbi_audit_verifier_free(symbi_audit_verifier *v)
{
    if (!v) return;
    symbi_key_unref(v->key);
    sy_buf_free(&v->scratch);
    sy_free(&v->cx->alloc, v, sizeof *v);
}

static void check_anchor(symbi_audit_verifier *v, uint64_t count)
{
    if (!v->has_anchor || v->anchor.len != count || faulty(v)) return;
    v->anchor_seen = true;
    if (memcmp(v->anchor.head, v->head, 32) != 0)
        fault(v, SYMBI_AUDIT_ANCHOR, count ? count - 1 : 0,
              "the first %" PRIu64 " entries are not those of the outside anchor: the trail was rolled back and rewritten, or replaced", count);
    else if (v->rep.anchored < count) v->rep.anchored = count;
}

symbi_status symbi_audit_verifier_entry(symbi_audit_verifier *v, const symbi_store_row *r, symbi_err *err)
{
    uint64_t i = v->rep.entries;
    uint8_t hash[32];
    symbi_status st;
    if (v->finished) return sy_fail(err, SYMBI_ESTATE, "the verification is finished");
    if (i == 0) check_anchor(v, 0);
    if (faulty(v)) {
        v->rep.entries++;
        return SYMBI_OK;
    }
    if (r->sequence != i) {
        fault(v, SYMBI_AUDIT_SEQUENCE, i, "entry %" PRIu64 " is missing or out of order: sequence %" PRIu64 " stands in its place", i, r->sequence);
        v->rep.entries++;
        return SYMBI_OK;
    }
    st = sy_audit_hash(v->cx, &v->scratch, r, hash, err);
    if (st) return st;
    v->rep.entries++;
    if (memcmp(hash, r->hash, 32) != 0) {
        fault(v, SYMBI_AUDIT_CHAIN, i, "entry %" PRIu64 " does not match its hash: it was edited", i);
        return SYMBI_OK;
    }
    if (memcmp(r->prev_hash, v->head, 32) != 0) {
        if (i) fault(v, SYMBI_AUDIT_CHAIN, i, "entry %" PRIu64 " is not linked to entry %" PRIu64 ": one of the two was replaced", i, i - 1);
        else fault(v, SYMBI_AUDIT_CHAIN, i, "entry 0 is linked to an entry before it: the start of the trail is gone");
        return SYMBI_OK;
    }
    if (r->has_signature) {
        st = sy_audit_check_hash(v->cx, v->key, hash, r->signature, err);
        if (st == SYMBI_EVERIFY) {
            fault(v, SYMBI_AUDIT_SIGNATURE, i, "the signature of entry %" PRIu64 " does not verify under this key", i);
            return SYMBI_OK;
        }
        if (st) return st;
        v->rep.anchored = i + 1;
    }
    if (i && r->timestamp_ms < v->last_ms) v->rep.clock_back++;
    v->last_ms = r->timestamp_ms;
    memcpy(v->head, hash, 32);
    memcpy(v->rep.head, hash, 32);
    if (sy_str_starts(r->event, SY_LIT("{\"type\":\"audit_gap\""))) v->rep.gaps++;
    check_anchor(v, i + 1);
    return SYMBI_OK;
}

symbi_status symbi_audit_verifier_checkpoint(symbi_audit_verifier *v, const symbi_store_checkpoint *cp, symbi_err *err)
{
    uint64_t n = v->rep.entries;
    symbi_status st;
    if (v->finished) return sy_fail(err, SYMBI_ESTATE, "the verification is finished");
    if (faulty(v)) return SYMBI_OK;
    st = sy_checkpoint_check(v->cx, v->key, cp, err);
    if (st == SYMBI_EVERIFY) {
        fault(v, SYMBI_AUDIT_SIGNATURE, v->last_cp, "the checkpoint over %" PRIu64 " entries is not signed by this key: it was altered or forged", cp->len);
        return SYMBI_OK;
    }
    if (st) return st;
    if (cp->len > n) {
        fault(v, SYMBI_AUDIT_TRUNCATED, n, "%" PRIu64 " entries are there, but a signed checkpoint covers %" PRIu64 ": entries were removed", n, cp->len);
        return SYMBI_OK;
    }
    if (cp->len < n || cp->len == 0 || cp->len <= v->last_cp) {
        fault(v, SYMBI_AUDIT_SEQUENCE, n, "the checkpoint over %" PRIu64 " entries is out of place", cp->len);
        return SYMBI_OK;
    }
    if (memcmp(cp->head, v->head, 32) != 0) {
        fault(v, SYMBI_AUDIT_CHAIN, v->last_cp, "entries %" PRIu64 " to %" PRIu64 " hash, but not to what was signed: at least one was rewritten",
              v->last_cp, n - 1);
        return SYMBI_OK;
    }
    v->last_cp = cp->len;
    v->rep.checkpoints++;
    if (v->rep.anchored < n) v->rep.anchored = n;
    return SYMBI_OK;
}

void symbi_audit_verifier_finish(symbi_audit_verifier *v, symbi_audit_report *out)
{
    uint64_t n = v->rep.entries;
    if (!v->finished) {
        if (n == 0) check_anchor(v, 0);
        if (v->has_anchor && !v->anchor_seen)
            fault(v, SYMBI_AUDIT_TRUNCATED, n, "%" PRIu64 " entries are there, but the outside anchor covers %" PRIu64 ": the end of the trail was removed", n, v->anchor.len);
        if (n > v->rep.anchored)
            fault(v, SYMBI_AUDIT_UNANCHORED, v->rep.anchored, "entries %" PRIu64 " to %" PRIu64 " are covered by no checkpoint: they were added without the key, or their checkpoint was removed",
                  v->rep.anchored, n - 1);
        if (!faulty(v)) v->rep.result = SYMBI_AUDIT_OK;
        v->finished = true;
    }
    *out = v->rep;
}

/* ---- a store --------------------------------------------------------------------------------------------------------- */

typedef struct cursor {
    symbi_store_checkpoint cp;
    uint64_t next;
    bool have;
} cursor;

static symbi_status fetch_cp(const symbi_store *s, symbi_str chain, cursor *c, symbi_err *err)
{
    symbi_status st;
    if (c->have) return SYMBI_OK;
    st = s->checkpoint(s->ud, chain, c->next, &c->cp, err);
    if (st == SYMBI_ENOTFOUND) return SYMBI_OK;
    if (st) return st;
    c->have = true;
    c->next++;
    return SYMBI_OK;
}

/* What stood there when it began: whoever appends faster than this reads must not keep it from ending. */
static symbi_status verify_rows(symbi_audit_verifier *v, const symbi_store *s, symbi_str chain, symbi_err *err)
{
    cursor c = { .next = 0 };
    uint64_t len = 0, now = 0;
    uint8_t head[32];
    int64_t last;
    symbi_status st = s->tail(s->ud, chain, &len, head, &last, err);
    if (st) return st;
    for (;;) {
        symbi_store_row row;
        symbi_err rerr;
        st = fetch_cp(s, chain, &c, err);
        while (!st && c.have && c.cp.len <= v->rep.entries && !faulty(v)) {
            c.have = false;
            st = symbi_audit_verifier_checkpoint(v, &c.cp, err);
            if (!st) st = fetch_cp(s, chain, &c, err);
        }
        if (st == SYMBI_EVERIFY) {
            fault(v, SYMBI_AUDIT_SIGNATURE, v->last_cp, "%s", err ? err->msg : "a checkpoint is damaged");
            st = SYMBI_OK;
        }
        if (st) return st;
        if (faulty(v)) return SYMBI_OK;
        if (v->rep.entries >= len) break;
        st = s->row(s->ud, chain, v->rep.entries, &row, &rerr);
        if (st == SYMBI_ENOTFOUND) fault(v, SYMBI_AUDIT_SEQUENCE, v->rep.entries, "entry %" PRIu64 " is missing", v->rep.entries);
        else if (st == SYMBI_EVERIFY) fault(v, SYMBI_AUDIT_CHAIN, v->rep.entries, "%s", rerr.msg);
        else if (st) {
            if (err) *err = rerr;
            return st;
        } else st = symbi_audit_verifier_entry(v, &row, err);
        if (faulty(v)) return SYMBI_OK;
        if (st) return st;
    }
    if (!c.have) return SYMBI_OK;
    /* A checkpoint beyond the end: either it came with entries that were appended meanwhile, or entries were removed. */
    st = s->tail(s->ud, chain, &now, head, &last, err);
    if (st) return st;
    return now > len && c.cp.len <= now ? SYMBI_OK : symbi_audit_verifier_checkpoint(v, &c.cp, err);
}

symbi_status symbi_audit_verify(symbi_ctx *cx, const symbi_store *store, symbi_str chain, const uint8_t pub[32], const symbi_store_checkpoint *anchor, symbi_audit_report *out, symbi_err *err)
{
    symbi_audit_verifier *v;
    symbi_err own;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (!err) err = &own;
    if (chain.n == 0) chain = SY_LIT("main");
    st = symbi_audit_verifier_new(cx, pub, anchor, &v, err);
    if (st) return st;
    st = verify_rows(v, store, chain, err);
    if (!st) symbi_audit_verifier_finish(v, out);
    symbi_audit_verifier_free(v);
    if (!st) symbi_err_clear(err);
    return st;
}
