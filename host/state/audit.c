/* state/audit.c: the writer of the audit trail. Everything is decided upon a tail that was read and checked; a commit is one
 * call of the store, all or nothing. Formats in audit_chain.c, the batch for writers elsewhere in audit_batch.c. */
#include "state/audit_in.h"
#include "state/secrets_in.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "state/audit_chain.h"
#include "symbi/json.h"

#include <inttypes.h>
#include <stdio.h>

enum { DEFAULT_SLACK_MS = 5000, TRIES = 8, MAX_EVENTS = 65536, MAX_ID = 1024 };

symbi_str sy_audit_chain(const symbi_audit *a)
{
    symbi_str s = { a->chain, a->chain_n };
    return s;
}

/* ---- reading the tail ------------------------------------------------------------------------------------------------ */

static symbi_status tampered(symbi_audit *a, symbi_err *err, const char *what)
{
    return sy_fail(err, SYMBI_EVERIFY, "the audit trail (chain %s) was altered: %s; nothing is written until it is checked with "
                   "'symbi-lua audit verify' and the state folder is restored or moved away", a->chain, what);
}

/* The last entry must hash to the head and the last checkpoint must cover it, by our key. *moved: another process wrote
 * between the reads. */
static symbi_status read_tail(symbi_audit *a, bool *moved, symbi_err *err)
{
    symbi_str chain = sy_audit_chain(a);
    symbi_store_checkpoint cp;
    symbi_store_row row;
    uint8_t hash[32];
    uint64_t len, len2;
    int64_t last, last2;
    uint8_t head[32], head2[32];
    symbi_status st, cst;
    *moved = false;
    st = a->store.tail(a->store.ud, chain, &len, head, &last, err);
    if (st) return st;
    cst = a->store.checkpoint(a->store.ud, chain, UINT64_MAX, &cp, err);
    if (cst && cst != SYMBI_ENOTFOUND) return cst;
    if (cst == SYMBI_ENOTFOUND ? len != 0 : cp.len != len) {
        st = a->store.tail(a->store.ud, chain, &len2, head2, &last2, err);
        if (st) return st;
        if (len2 != len) {
            *moved = true;
            return SYMBI_OK;
        }
        return tampered(a, err, len == 0 ? "all entries are gone" : cst || cp.len < len ? "the last entries have no checkpoint" : "the last entries are gone");
    }
    if (len) {
        if (memcmp(cp.head, head, 32) != 0) return tampered(a, err, "the last entry is not the one that was signed");
        st = sy_checkpoint_check(a->cx, a->key, &cp, err);
        if (st) return st;
        st = a->store.row(a->store.ud, chain, len - 1, &row, err);
        if (st) return st == SYMBI_ENOTFOUND ? tampered(a, err, "the last entry is gone") : st;
        st = sy_audit_hash(a->cx, &a->scratch, &row, hash, err);
        if (st) return st;
        if (row.sequence != len - 1 || memcmp(hash, head, 32) != 0) return tampered(a, err, "the last entry was edited");
        last = row.timestamp_ms;
    }
    a->len = len;
    memcpy(a->head, head, 32);
    a->last_ms = len ? last : INT64_MIN;
    return SYMBI_OK;
}

/* Was the batch in doubt stored after all? */
static symbi_status settle_doubt(symbi_audit *a, symbi_err *err)
{
    symbi_store_row row;
    symbi_status st;
    if (!a->doubt.open) return SYMBI_OK;
    if (a->len >= a->doubt.len) {
        st = a->store.row(a->store.ud, sy_audit_chain(a), a->doubt.len - 1, &row, err);
        if (st && st != SYMBI_ENOTFOUND) return st;
        if (!st && memcmp(row.hash, a->doubt.head, 32) == 0) a->lost -= a->doubt.lost < a->lost ? a->doubt.lost : a->lost;
    }
    a->doubt.open = false;
    return SYMBI_OK;
}

symbi_status sy_audit_refresh(symbi_audit *a, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    bool moved = true;
    if (a->detached) return sy_audit_closed(err);
    if (!a->stale) return SYMBI_OK;
    for (int i = 0; i < TRIES && moved; i++) {
        st = read_tail(a, &moved, err);
        if (st) return st;
    }
    if (moved) return sy_fail(err, SYMBI_EIO, "the audit trail is written so fast by others that its end cannot be read");
    st = settle_doubt(a, err);
    if (st) return st;
    a->stale = false;
    return SYMBI_OK;
}

symbi_status symbi_audit_open(symbi_ctx *cx, const symbi_store *store, const symbi_audit_options *o, symbi_audit **out, symbi_err *err)
{
    symbi_str chain = o->chain.n ? o->chain : SY_LIT("main");
    symbi_audit *a;
    symbi_status st;
    *out = NULL;
    if (store->size < offsetof(symbi_store, begin) || store->size > 4096 || !store->commit || !store->tail || !store->row || !store->checkpoint)
        return sy_fail(err, SYMBI_EINVAL, "symbi_store is incomplete");
    if (!o->key || !symbi_key_is_private(o->key)) return sy_fail(err, SYMBI_EINVAL, "the audit trail needs a private Ed25519 key");
    if (!sy_chain_name_ok(chain))
        return sy_fail(err, SYMBI_EINVAL, "'%.*s' is no chain name: 1 to 64 letters, digits, '.', '_' or '-'", SY_FMT(chain));
    if (o->clock_slack_ms < 0) return sy_fail(err, SYMBI_EINVAL, "clock_slack_ms must not be negative");
    a = sy_calloc(&cx->alloc, 1, sizeof *a);
    if (!a) return sy_fail_nomem(err);
    a->cx = cx;
    memcpy(&a->store, store, store->size < sizeof *store ? store->size : sizeof *store); /* one of an older header is shorter */
    a->key = symbi_key_ref(o->key);
    a->chain_n = chain.n;
    memcpy(a->chain, chain.p, chain.n);
    a->sign_entries = o->sign_entries;
    a->slack_ms = o->clock_slack_ms ? o->clock_slack_ms : DEFAULT_SLACK_MS;
    a->stale = true;
    sy_buf_init(&a->scratch, cx->alloc, cx->limits.output_bytes);
    st = sy_audit_refresh(a, err);
    if (st) symbi_audit_free(a);
    else *out = a;
    return st;
}

static void drop_held(symbi_audit *a)
{
    for (size_t i = 0; i < a->nheld; i++) symbi_text_free(&a->held[i]);
    a->nheld = 0;
}

void symbi_audit_free(symbi_audit *a)
{
    symbi_alloc al;
    if (!a) return;
    al = a->cx->alloc;
    symbi_key_unref(a->key);
    symbi_redactor_free(a->redactor);
    drop_held(a);
    sy_free(&al, a->held, a->held_cap * sizeof *a->held);
    sy_buf_free(&a->scratch);
    sy_free(&al, a->draft.rows, a->draft.cap * sizeof *a->draft.rows);
    sy_free(&al, a, sizeof *a);
}

void symbi_audit_detach(symbi_audit *a)
{
    a->detached = true;
    memset(&a->store, 0, sizeof a->store);
}
symbi_status sy_audit_closed(symbi_err *err) { return sy_fail(err, SYMBI_EIO, "the audit trail is closed"); }

uint64_t symbi_audit_len(const symbi_audit *a) { return a->len; }
void symbi_audit_head(const symbi_audit *a, uint8_t head[32]) { memcpy(head, a->head, 32); }

/* ---- clock ----------------------------------------------------------------------------------------------------------- */

static symbi_status clock_ok(const symbi_audit *a, int64_t now, symbi_err *err)
{
    if (now < 0) return sy_fail(err, SYMBI_ECLOCK, "the wall clock stands before 1970");
    if (a->len == 0 || now >= a->last_ms) return SYMBI_OK;
    /* last_ms > now >= 0: no overflow */
    if (a->last_ms - now <= a->slack_ms) return SYMBI_OK;
    return sy_fail(err, SYMBI_ECLOCK, "the wall clock stands %" PRId64 " ms behind the last audit entry (%" PRId64 " ms are allowed): set the clock, wait, "
                   "or accept the earlier time with 'symbi-lua audit accept-clock'", a->last_ms - now, a->slack_ms);
}

symbi_status symbi_audit_check_clock(symbi_audit *a, symbi_err *err)
{
    symbi_status st = sy_audit_refresh(a, err);
    return st ? st : clock_ok(a, symbi_ctx_now_ms(a->cx), err);
}

/* ---- building -------------------------------------------------------------------------------------------------------- */

static symbi_status check_id(symbi_str s, const char *what, size_t i, symbi_err *err)
{
    if (s.n > MAX_ID) return sy_fail(err, SYMBI_EINVAL, "event %zu: %s is longer than %d bytes", i + 1, what, MAX_ID);
    if (!sy_utf8_valid(s, NULL)) return sy_fail(err, SYMBI_EINVAL, "event %zu: %s is not valid UTF-8", i + 1, what);
    return SYMBI_OK;
}

symbi_status sy_audit_check_input(symbi_audit *a, const symbi_audit_event *ev, size_t n, const symbi_store_kv *kv, size_t nkv, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    if (n > MAX_EVENTS || nkv > MAX_EVENTS) return sy_fail(err, SYMBI_EINVAL, "more than %d events or records in one commit", MAX_EVENTS);
    for (size_t i = 0; i < n && !st; i++) {
        symbi_doc *doc = NULL;
        st = check_id(ev[i].loop_id, "loop_id", i, err);
        if (!st) st = check_id(ev[i].agent_id, "agent_id", i, err);
        if (!st) st = symbi_json_parse(a->cx, ev[i].event, &doc, err);
        if (!st && symbi_doc_root(doc)->kind != SYMBI_OBJECT) st = sy_fail(err, SYMBI_EPARSE, "event %zu is not a JSON object", i + 1);
        symbi_doc_unref(doc);
    }
    for (size_t i = 0; i < nkv && !st; i++) {
        if (kv[i].ns.n == 0 || kv[i].key.n == 0 || kv[i].ns.n > MAX_ID || kv[i].key.n > MAX_ID)
            st = sy_fail(err, SYMBI_EINVAL, "record %zu: namespace and key must have 1 to %d bytes", i + 1, MAX_ID);
        else if (!sy_utf8_valid(kv[i].ns, NULL) || !sy_utf8_valid(kv[i].key, NULL))
            st = sy_fail(err, SYMBI_EINVAL, "record %zu: namespace and key must be valid UTF-8", i + 1);
        else if (kv[i].check != SYMBI_KV_ANY && kv[i].check != SYMBI_KV_ABSENT && kv[i].check != SYMBI_KV_EQUALS)
            st = sy_fail(err, SYMBI_EINVAL, "record %zu: unknown check", i + 1);
    }
    return st;
}

void symbi_audit_redact(symbi_audit *a, symbi_redactor *r)
{
    if (r) symbi_redactor_ref(r);
    symbi_redactor_free(a->redactor);
    a->redactor = r;
}

static symbi_status without_secrets(symbi_audit *a, symbi_str *event, symbi_err *err)
{
    symbi_text t;
    symbi_status st = sy_redact_json(a->redactor, a->cx, *event, &t, err);
    if (st || !t.n) return st;
    if (sy_grow(&a->cx->alloc, (void **)&a->held, &a->held_cap, a->nheld + 1, sizeof *a->held)) {
        symbi_text_free(&t);
        return sy_fail_nomem(err);
    }
    *event = symbi_text_str(&t);
    a->held[a->nheld++] = t;
    return SYMBI_OK;
}

symbi_status sy_audit_build(symbi_audit *a, enum sy_build how, const symbi_audit_event *ev, size_t n, symbi_err *err)
{
    struct sy_draft *d = &a->draft;
    int64_t now = symbi_ctx_now_ms(a->cx), ts = now;
    size_t k = 0;
    symbi_status st;
    drop_held(a);
    d->nrows = 0;
    d->events = n;
    d->gap_lost = 0;
    if (how == SY_BUILD_NORMAL) {
        st = clock_ok(a, now, err);
        if (st) return st;
        /* Never back: otherwise a clock set back by a little less than the slack, again and again, would go unnoticed. */
        if (a->len && ts < a->last_ms) ts = a->last_ms;
    } else if (now < 0) return clock_ok(a, now, err);
    if (a->len > (uint64_t)INT64_MAX - MAX_EVENTS - 1) return sy_fail(err, SYMBI_ELIMIT, "the audit trail is full");
    if (sy_grow(&a->cx->alloc, (void **)&d->rows, &d->cap, n + 1, sizeof *d->rows)) return sy_fail_nomem(err);
    memset(d->rows, 0, (n + 1) * sizeof *d->rows);
    if (how == SY_BUILD_ACCEPT_CLOCK) {
        int w = snprintf(d->note, sizeof d->note, "{\"type\":\"clock_accepted\",\"from_ms\":%" PRId64 ",\"to_ms\":%" PRId64 "}", a->last_ms, now);
        d->rows[k].event = (symbi_str){ d->note, (size_t)w };
        k++;
    } else if (a->lost) {
        int w = snprintf(d->note, sizeof d->note, "{\"type\":\"audit_gap\",\"lost\":%" PRIu64 ",\"since_ms\":%" PRId64 ",\"code\":\"%s\"}", a->lost,
                         a->lost_since, symbi_status_name(a->lost_code));
        d->rows[k].event = (symbi_str){ d->note, (size_t)w };
        d->gap_lost = a->lost;
        k++;
    }
    for (size_t i = 0; i < n; i++, k++) {
        d->rows[k].loop_id = ev[i].loop_id;
        d->rows[k].agent_id = ev[i].agent_id;
        d->rows[k].iteration = ev[i].iteration;
        d->rows[k].event = ev[i].event;
        if ((st = without_secrets(a, &d->rows[k].event, err))) return st;
    }
    d->nrows = k;
    for (size_t i = 0; i < k; i++) {
        symbi_store_row *r = &d->rows[i];
        r->sequence = a->len + i;
        r->timestamp_ms = ts;
        memcpy(r->prev_hash, i ? r[-1].hash : a->head, 32);
        st = sy_audit_hash(a->cx, &a->scratch, r, r->hash, err);
        if (st) return st;
        if (a->sign_entries) {
            st = sy_audit_sign_hash(a->cx, a->key, r->hash, r->signature, err);
            if (st) return st;
            r->has_signature = true;
        }
    }
    memset(&d->cp, 0, sizeof d->cp);
    d->cp.len = a->len + k;
    d->cp.timestamp_ms = ts;
    memcpy(d->cp.head, k ? d->rows[k - 1].hash : a->head, 32);
    return k ? sy_checkpoint_sign(a->cx, a->key, &d->cp, err) : SYMBI_OK;
}

void sy_audit_advance(symbi_audit *a)
{
    struct sy_draft *d = &a->draft;
    if (d->nrows == 0) return;
    a->len = d->cp.len;
    memcpy(a->head, d->cp.head, 32);
    a->last_ms = d->cp.timestamp_ms;
    a->lost -= d->gap_lost;
    a->doubt.open = false;
}

void sy_audit_lose(symbi_audit *a, symbi_status code)
{
    struct sy_draft *d = &a->draft;
    a->stale = true;
    if (d->nrows) {
        a->doubt.open = true;
        a->doubt.len = d->cp.len;
        memcpy(a->doubt.head, d->cp.head, 32);
        a->doubt.lost = d->gap_lost + d->events;
    }
    if (d->events) {
        if (a->lost == 0) {
            a->lost_since = symbi_ctx_now_ms(a->cx);
            a->lost_code = code;
        }
        a->lost += d->events;
        sy_log(a->cx, SYMBI_LOG_ERROR, "audit", "%llu events could not be recorded: %s", (unsigned long long)d->events, symbi_status_text(code));
    }
}

/* ---- committing ------------------------------------------------------------------------------------------------------ */

static symbi_status store_draft(symbi_audit *a, const symbi_store_kv *kv, size_t nkv, bool durable, symbi_err *err)
{
    const struct sy_draft *d = &a->draft;
    symbi_store_batch b = { 0 };
    if (d->nrows == 0 && nkv == 0) return SYMBI_OK;
    b.chain = sy_audit_chain(a);
    b.expect_len = a->len;
    memcpy(b.expect_head, a->head, 32);
    b.rows = d->rows;
    b.nrows = d->nrows;
    b.checkpoint = d->nrows ? &d->cp : NULL;
    b.kv = kv;
    b.nkv = nkv;
    b.durable = durable;
    return a->store.commit(a->store.ud, &b, err);
}

static symbi_status commit(symbi_audit *a, enum sy_build how, const symbi_audit_event *ev, size_t n, const symbi_store_kv *kv, size_t nkv,
                           bool durable, symbi_err *err)
{
    symbi_status st = SYMBI_ESTATE;
    bool held = false;
    for (int i = 0; i < TRIES && st == SYMBI_ESTATE; i++) {
        if (i && !held && a->store.begin && a->store.end) { /* lost the race once: now the others wait */
            st = a->store.begin(a->store.ud, durable, err);
            if (st) {
                a->draft.nrows = 0;
                break;
            }
            held = true;
            st = SYMBI_ESTATE;
        }
        a->draft.nrows = 0;
        a->draft.events = n;
        st = sy_audit_refresh(a, err);
        if (!st && how == SY_BUILD_ACCEPT_CLOCK && symbi_ctx_now_ms(a->cx) >= (a->len ? a->last_ms : 0)) {
            a->draft.nrows = 0;
            break;
        }
        if (!st) st = sy_audit_build(a, how, ev, n, err);
        if (st) {
            a->draft.nrows = 0; /* never reached the store: no doubt about its fate */
            break;
        }
        st = store_draft(a, kv, nkv, durable, err);
        if (st == SYMBI_ESTATE) a->stale = true;
    }
    if (held) a->store.end(a->store.ud);
    if (!st) sy_audit_advance(a);
    else if (st == SYMBI_EEXISTS) a->stale = true; /* a kv condition: the caller's to answer */
    else {
        if (st == SYMBI_ESTATE) {
            a->draft.nrows = 0;
            st = sy_fail(err, SYMBI_EIO, "the audit trail moved on %d times while this was written; another process keeps it busy", TRIES);
        }
        sy_audit_lose(a, st);
    }
    return st;
}

symbi_status symbi_audit_commit(symbi_audit *a, const symbi_audit_event *ev, size_t n, const symbi_store_kv *kv, size_t nkv, bool durable, symbi_err *err)
{
    symbi_status st;
    if (a->prepared) return sy_fail(err, SYMBI_ESTATE, "a prepared batch waits for its receipt; confirm or abandon it first");
    st = sy_audit_check_input(a, ev, n, kv, nkv, err);
    if (st == SYMBI_ENOMEM) {
        a->draft.nrows = 0;
        a->draft.events = n;
        sy_audit_lose(a, st);
    }
    return st ? st : commit(a, SY_BUILD_NORMAL, ev, n, kv, nkv, durable, err);
}

symbi_status symbi_audit_accept_clock(symbi_audit *a, symbi_err *err)
{
    if (a->prepared) return sy_fail(err, SYMBI_ESTATE, "a prepared batch waits for its receipt; confirm or abandon it first");
    return commit(a, SY_BUILD_ACCEPT_CLOCK, NULL, 0, NULL, 0, true, err);
}
