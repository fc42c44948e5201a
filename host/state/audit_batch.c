/* state/audit_batch.c: the transaction as bytes, for a writer outside the worker (the COMMIT effect): prepare, confirm,
 * abandon on the worker's side, apply on the writer's.
 *
 * Layout, version 1, all numbers big-endian, text = u32 length and bytes:
 *   "symbi-batch-v1" LF | u32 flags (bit 0, always set: durable) | text chain | u64 len before | head before (32)
 *   u32 rows, each: u64 timestamp_ms | u64 iteration | text loop_id, agent_id, event | u8 has_signature [64]
 *   checkpoint: u64 timestamp_ms | head (32) | public key (32) | signature (64)
 *   u32 records, each: text ns, key | u8 1 set, 0 delete | text value | u8 check | text expect
 *   SHA-256 of all the above (32)
 * Sequences, links and hashes are not in it: apply computes them, and the signed head proves that nothing differs. */
#include "state/audit_in.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "state/audit_chain.h"

static const char magic[] = "symbi-batch-v1\n";
enum { FLAG_DURABLE = 1, MAX_ROWS = 65537, ROW_MIN = 29, KV_MIN = 18 };

/* ---- worker's side --------------------------------------------------------------------------------------------------- */

static void add_text(sy_buf *b, symbi_str s)
{
    sy_buf_u32be(b, (uint32_t)s.n);
    sy_buf_adds(b, s);
}

static symbi_status encode(symbi_audit *a, const symbi_store_kv *kv, size_t nkv, symbi_text *out, symbi_err *err)
{
    const struct sy_draft *d = &a->draft;
    uint8_t sum[32];
    symbi_status st;
    sy_buf b;
    sy_buf_init(&b, a->cx->alloc, a->cx->limits.output_bytes < UINT32_MAX ? a->cx->limits.output_bytes : UINT32_MAX);
    sy_buf_add(&b, magic, sizeof magic - 1);
    sy_buf_u32be(&b, FLAG_DURABLE);
    add_text(&b, sy_audit_chain(a));
    sy_buf_u64be(&b, a->len);
    sy_buf_add(&b, a->head, 32);
    sy_buf_u32be(&b, (uint32_t)d->nrows);
    for (size_t i = 0; i < d->nrows; i++) {
        const symbi_store_row *r = &d->rows[i];
        sy_buf_u64be(&b, (uint64_t)r->timestamp_ms);
        sy_buf_u64be(&b, r->iteration);
        add_text(&b, r->loop_id);
        add_text(&b, r->agent_id);
        add_text(&b, r->event);
        sy_buf_addc(&b, r->has_signature ? 1 : 0);
        if (r->has_signature) sy_buf_add(&b, r->signature, 64);
    }
    sy_buf_u64be(&b, (uint64_t)d->cp.timestamp_ms);
    sy_buf_add(&b, d->cp.head, 32);
    sy_buf_add(&b, d->cp.public_key, 32);
    sy_buf_add(&b, d->cp.signature, 64);
    sy_buf_u32be(&b, (uint32_t)nkv);
    for (size_t i = 0; i < nkv; i++) {
        add_text(&b, kv[i].ns);
        add_text(&b, kv[i].key);
        sy_buf_addc(&b, kv[i].value.p ? 1 : 0);
        add_text(&b, kv[i].value.p ? kv[i].value : SY_LIT(""));
        sy_buf_addc(&b, (char)kv[i].check);
        add_text(&b, kv[i].check == SYMBI_KV_EQUALS ? kv[i].expect : SY_LIT(""));
    }
    st = sy_buf_status(&b) ? SYMBI_OK : symbi_sha256(a->cx, sy_buf_str(&b), sum, err);
    if (st) {
        sy_buf_free(&b);
        return st;
    }
    sy_buf_add(&b, sum, 32);
    return sy_buf_take(&b, out, "the audit batch", err);
}

symbi_status symbi_audit_prepare(symbi_audit *a, const symbi_audit_event *ev, size_t n, const symbi_store_kv *kv, size_t nkv, symbi_text *out, symbi_err *err)
{
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (a->detached) return sy_audit_closed(err);
    if (a->prepared) return sy_fail(err, SYMBI_ESTATE, "a prepared batch waits for its receipt; confirm or abandon it first");
    if (n == 0) return sy_fail(err, SYMBI_EINVAL, "a batch needs at least one event");
    st = sy_audit_check_input(a, ev, n, kv, nkv, err);
    if (st == SYMBI_EINVAL || st == SYMBI_EPARSE || st == SYMBI_ELIMIT) return st;
    a->draft.nrows = 0;
    a->draft.events = n;
    if (!st) st = sy_audit_refresh(a, err);
    if (!st) st = sy_audit_build(a, SY_BUILD_NORMAL, ev, n, err);
    if (!st) st = encode(a, kv, nkv, out, err);
    if (st) {
        a->draft.nrows = 0; /* it never left */
        sy_audit_lose(a, st);
        return st;
    }
    /* The caller's strings are not needed any more. */
    a->prepared = true;
    return SYMBI_OK;
}

symbi_status symbi_audit_confirm(symbi_audit *a, symbi_str receipt, symbi_err *err)
{
    symbi_str want = { (const char *)a->draft.cp.head, 32 };
    if (!a->prepared) return sy_fail(err, SYMBI_ESTATE, "no batch is prepared");
    if (!symbi_ct_equal(receipt, want)) return sy_fail(err, SYMBI_EVERIFY, "the receipt is not that of the prepared batch");
    a->prepared = false;
    sy_audit_advance(a);
    return SYMBI_OK;
}

void symbi_audit_abandon(symbi_audit *a)
{
    if (!a->prepared) return;
    a->prepared = false;
    sy_audit_lose(a, SYMBI_EABORT);
}

void symbi_audit_retract(symbi_audit *a)
{
    if (!a->prepared) return;
    a->prepared = false;
    a->stale = true;
}

/* ---- writer's side --------------------------------------------------------------------------------------------------- */

typedef struct reader {
    const uint8_t *p;
    size_t n;
    bool bad;
} reader;

static const uint8_t *take(reader *r, size_t n)
{
    const uint8_t *p = r->p;
    if (r->bad || n > r->n) {
        r->bad = true;
        return NULL;
    }
    r->p += n;
    r->n -= n;
    return p;
}
static uint64_t take_num(reader *r, size_t bytes)
{
    const uint8_t *p = take(r, bytes);
    uint64_t v = 0;
    for (size_t i = 0; p && i < bytes; i++) v = v << 8 | p[i];
    return v;
}
static symbi_str take_text(reader *r)
{
    symbi_str s = { "", 0 };
    size_t n = (size_t)take_num(r, 4);
    const uint8_t *p = take(r, n);
    if (p) s.p = (const char *)p, s.n = n;
    return s;
}
static void take_copy(reader *r, uint8_t *out, size_t n)
{
    const uint8_t *p = take(r, n);
    if (p) memcpy(out, p, n);
}

static symbi_status broken(symbi_err *err, const char *what) { return sy_fail(err, SYMBI_EPARSE, "the audit batch is damaged: %s", what); }

typedef struct decoded {
    symbi_store_batch b;
    symbi_store_row *rows;
    symbi_store_kv *kv;
    symbi_store_checkpoint cp;
} decoded;

static symbi_status decode_rows(symbi_ctx *cx, reader *r, decoded *d, symbi_err *err)
{
    sy_buf scratch;
    symbi_status st = SYMBI_OK;
    sy_buf_init(&scratch, cx->alloc, cx->limits.output_bytes);
    for (size_t i = 0; i < d->b.nrows && !st; i++) {
        symbi_store_row *w = &d->rows[i];
        uint64_t ts = take_num(r, 8), sig;
        w->iteration = take_num(r, 8);
        w->loop_id = take_text(r);
        w->agent_id = take_text(r);
        w->event = take_text(r);
        sig = take_num(r, 1);
        if (sig > 1) r->bad = true;
        w->has_signature = sig == 1;
        if (w->has_signature) take_copy(r, w->signature, 64);
        if (r->bad || ts > INT64_MAX) {
            st = broken(err, "a row is cut short or out of range");
            break;
        }
        w->timestamp_ms = (int64_t)ts;
        w->sequence = d->b.expect_len + i;
        memcpy(w->prev_hash, i ? w[-1].hash : d->b.expect_head, 32);
        if (!sy_utf8_valid(w->loop_id, NULL) || !sy_utf8_valid(w->agent_id, NULL) || !sy_utf8_valid(w->event, NULL))
            st = broken(err, "a text is not valid UTF-8");
        else st = sy_audit_hash(cx, &scratch, w, w->hash, err);
    }
    sy_buf_free(&scratch);
    return st;
}

static symbi_status decode_kv(reader *r, decoded *d, symbi_err *err)
{
    for (size_t i = 0; i < d->b.nkv; i++) {
        symbi_store_kv *k = &d->kv[i];
        symbi_str value;
        uint64_t set, check;
        k->ns = take_text(r);
        k->key = take_text(r);
        set = take_num(r, 1);
        value = take_text(r);
        check = take_num(r, 1);
        k->expect = take_text(r);
        if (r->bad || set > 1 || check > SYMBI_KV_EQUALS || k->ns.n == 0 || k->key.n == 0 || !sy_utf8_valid(k->ns, NULL) || !sy_utf8_valid(k->key, NULL))
            return broken(err, "a record is cut short or out of range");
        if (set) k->value = value;
        k->check = (symbi_kv_check)check;
    }
    return SYMBI_OK;
}

/* Allocates at most in proportion to the bytes that are there. */
static symbi_status decode(symbi_ctx *cx, symbi_str batch, decoded *d, symbi_err *err)
{
    reader r = { (const uint8_t *)batch.p, batch.n, false };
    uint64_t flags, nrows, nkv, ts;
    uint8_t sum[32];
    symbi_status st;
    if (!sy_str_starts(batch, (symbi_str){ magic, sizeof magic - 1 })) {
        if (sy_str_starts(batch, SY_LIT("symbi-batch-v"))) return sy_fail(err, SYMBI_EUNSUPPORTED, "the audit batch has a version that this build does not know");
        return broken(err, "it does not start as one");
    }
    if (batch.n < sizeof magic - 1 + 32) return broken(err, "it is cut short");
    r.n -= 32;
    st = symbi_sha256(cx, (symbi_str){ batch.p, r.n }, sum, err);
    if (st) return st;
    if (memcmp(sum, batch.p + r.n, 32) != 0) return broken(err, "its check sum is wrong");
    take(&r, sizeof magic - 1);
    flags = take_num(&r, 4);
    d->b.chain = take_text(&r);
    d->b.expect_len = take_num(&r, 8);
    take_copy(&r, d->b.expect_head, 32);
    nrows = take_num(&r, 4);
    if (r.bad || flags != FLAG_DURABLE || !sy_chain_name_ok(d->b.chain) || d->b.expect_len > (uint64_t)INT64_MAX - MAX_ROWS) return broken(err, "its head is out of range");
    if (nrows == 0 || nrows > MAX_ROWS || nrows > r.n / ROW_MIN) return broken(err, "its number of rows is out of range");
    d->b.durable = true;
    d->rows = sy_calloc(&cx->alloc, (size_t)nrows, sizeof *d->rows);
    if (!d->rows) return sy_fail_nomem(err);
    d->b.rows = d->rows;
    d->b.nrows = (size_t)nrows;
    st = decode_rows(cx, &r, d, err);
    if (st) return st;
    ts = take_num(&r, 8);
    take_copy(&r, d->cp.head, 32);
    take_copy(&r, d->cp.public_key, 32);
    take_copy(&r, d->cp.signature, 64);
    nkv = take_num(&r, 4);
    if (r.bad || ts > INT64_MAX) return broken(err, "its checkpoint is cut short");
    d->cp.timestamp_ms = (int64_t)ts;
    d->cp.len = d->b.expect_len + nrows;
    d->b.checkpoint = &d->cp;
    if (nkv > MAX_ROWS || nkv > r.n / KV_MIN) return broken(err, "its number of records is out of range");
    if (nkv) {
        d->kv = sy_calloc(&cx->alloc, (size_t)nkv, sizeof *d->kv);
        if (!d->kv) return sy_fail_nomem(err);
        d->b.kv = d->kv;
        d->b.nkv = (size_t)nkv;
        st = decode_kv(&r, d, err);
        if (st) return st;
    }
    return r.n ? broken(err, "bytes follow its end") : SYMBI_OK;
}

/* The signatures: by the expected key, over the hashes computed here. */
static symbi_status check_signed(symbi_ctx *cx, const symbi_store *s, const decoded *d, const uint8_t *pub, symbi_err *err)
{
    symbi_store_checkpoint last;
    symbi_key *k = NULL;
    symbi_status st;
    if (memcmp(d->cp.head, d->rows[d->b.nrows - 1].hash, 32) != 0)
        return sy_fail(err, SYMBI_EVERIFY, "the rows of the audit batch do not hash to its checkpoint");
    if (pub && memcmp(pub, d->cp.public_key, 32) != 0) return sy_fail(err, SYMBI_EVERIFY, "the audit batch is signed by another key");
    st = s->checkpoint(s->ud, d->b.chain, UINT64_MAX, &last, err);
    if (st && st != SYMBI_ENOTFOUND) return st;
    if (!st && memcmp(last.public_key, d->cp.public_key, 32) != 0)
        return sy_fail(err, SYMBI_EVERIFY, "the audit batch is signed by another key than the chain's last checkpoint");
    st = symbi_ed25519_from_public(cx, d->cp.public_key, &k, err);
    if (st) return st == SYMBI_ENOMEM ? st : sy_fail(err, SYMBI_EVERIFY, "the audit batch carries no valid public key");
    st = sy_checkpoint_check(cx, k, &d->cp, err);
    for (size_t i = 0; i < d->b.nrows && !st; i++)
        if (d->rows[i].has_signature) st = sy_audit_check_hash(cx, k, d->rows[i].hash, d->rows[i].signature, err);
    symbi_key_unref(k);
    return st;
}

symbi_status symbi_audit_apply_by(symbi_ctx *cx, const symbi_store *store, symbi_str batch, const uint8_t pub[32], uint8_t receipt[32], symbi_err *err)
{
    decoded d;
    symbi_status st;
    memset(&d, 0, sizeof d);
    memset(receipt, 0, 32);
    st = decode(cx, batch, &d, err);
    if (!st) st = check_signed(cx, store, &d, pub, err);
    if (!st) st = store->commit(store->ud, &d.b, err);
    if (st == SYMBI_ESTATE) { /* applied already? Then the first receipt was lost on its way. */
        symbi_store_row row;
        symbi_status rst = store->row(store->ud, d.b.chain, d.cp.len - 1, &row, NULL);
        if (!rst && memcmp(row.hash, d.cp.head, 32) == 0) {
            st = SYMBI_OK;
            symbi_err_clear(err);
        }
    }
    if (!st) memcpy(receipt, d.cp.head, 32);
    sy_free(&cx->alloc, d.rows, d.b.nrows * sizeof *d.rows);
    sy_free(&cx->alloc, d.kv, d.b.nkv * sizeof *d.kv);
    return st;
}

symbi_status symbi_audit_apply(symbi_ctx *cx, const symbi_store *store, symbi_str batch, uint8_t receipt[32], symbi_err *err)
{
    return symbi_audit_apply_by(cx, store, batch, NULL, receipt, err);
}
