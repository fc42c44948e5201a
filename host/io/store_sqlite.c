/* io/store_sqlite.c: the plug point of symbi/sys/store.h over SQLite. The database may have been tampered with: every type
 * and length is checked on the way out. */
#include "io/store_in.h"
#include "base/err.h"
#include "base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const sql[SY_Q_COUNT] = {
    [SY_Q_BEGIN] = "BEGIN IMMEDIATE",
    [SY_Q_COMMIT] = "COMMIT",
    [SY_Q_ROLLBACK] = "ROLLBACK",
    [SY_Q_TAIL] = "SELECT seq, ts, hash FROM entry WHERE chain = ?1 ORDER BY seq DESC LIMIT 1",
    [SY_Q_ROW] = "SELECT ts, iteration, loop_id, agent_id, event, prev_hash, hash, signature FROM entry WHERE chain = ?1 AND seq = ?2",
    [SY_Q_ADD] = "INSERT INTO entry(chain, seq, ts, iteration, loop_id, agent_id, event, prev_hash, hash, signature) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
    [SY_Q_CP_ADD] = "INSERT INTO checkpoint(chain, len, head, ts, public_key, signature) VALUES(?1,?2,?3,?4,?5,?6)",
    [SY_Q_CP_LAST] = "SELECT len, head, ts, public_key, signature FROM checkpoint WHERE chain = ?1 ORDER BY len DESC LIMIT 1",
    [SY_Q_CP_AT] = "SELECT len, head, ts, public_key, signature FROM checkpoint WHERE chain = ?1 ORDER BY len LIMIT 1 OFFSET ?2",
    [SY_Q_CP_AFTER] = "SELECT len, head, ts, public_key, signature FROM checkpoint WHERE chain = ?1 AND len > ?2 ORDER BY len LIMIT 1",
    [SY_Q_KV_GET] = "SELECT value FROM kv WHERE ns = ?1 AND key = ?2",
    [SY_Q_KV_NEXT] = "SELECT key, value FROM kv WHERE ns = ?1 AND key > ?2 ORDER BY key LIMIT 1",
    [SY_Q_KV_SET] = "INSERT INTO kv(ns, key, value) VALUES(?1,?2,?3) ON CONFLICT(ns, key) DO UPDATE SET value = excluded.value",
    [SY_Q_KV_DEL] = "DELETE FROM kv WHERE ns = ?1 AND key = ?2",
};

symbi_status sy_db_fail(const sy_store *s, int rc, symbi_err *err)
{
    const char *msg = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc);
    int xrc = s->db ? sqlite3_extended_errcode(s->db) : rc, e = s->db ? sqlite3_system_errno(s->db) : 0;
    if ((xrc & 0xff) != (rc & 0xff)) xrc = rc;
    if ((rc & 0xff) == SQLITE_NOMEM || xrc == SQLITE_IOERR_NOMEM) return sy_fail_nomem(err);
    switch (rc & 0xff) {
    case SQLITE_FULL: sy_fail(err, SYMBI_EIO, "the disk is full: nothing was stored; free space on that file system"); break;
    case SQLITE_READONLY:
        sy_fail(err, SYMBI_EIO, "the database is read-only: make the folder and the files in it writable for this user, or choose another folder with --state DIR");
        break;
    case SQLITE_NOTADB:
        sy_fail(err, SYMBI_EIO, "this is not a SQLite database (another file, or a damaged one): restore it from a backup, or move the whole state folder away to start afresh");
        break;
    case SQLITE_CORRUPT:
        sy_fail(err, SYMBI_EIO, "the database is damaged (%s): restore it from a backup, or move the whole state folder away to start afresh", msg);
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: sy_fail(err, SYMBI_EIO, "another process has kept the database locked for more than %d ms", s->busy_ms); break;
    case SQLITE_CANTOPEN: return sy_fail_errno(err, s->path, "the database cannot be opened", e ? e : EACCES);
    case SQLITE_IOERR:
        if (e) return sy_fail_errno(err, s->path, "the database cannot be read or written", e);
        sy_fail(err, SYMBI_EIO, "the database cannot be read or written: %s", msg);
        break;
    case SQLITE_CONSTRAINT: sy_fail(err, SYMBI_EIO, "the database refuses the entry (%s): a row stands where none should be; run 'symbi-lua audit verify'", msg); break;
    default: sy_fail(err, SYMBI_EIO, "the database reports: %s", msg); break;
    }
    sy_err_path(err, symbi_str_z(s->path));
    return SYMBI_EIO;
}

symbi_status sy_db_exec(sy_store *s, const char *text, symbi_err *err)
{
    int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SYMBI_OK : sy_db_fail(s, rc, err);
}

static int stmt(sy_store *s, enum sy_stmt which, sqlite3_stmt **out)
{
    int rc = SQLITE_OK;
    if (!s->q[which]) rc = sqlite3_prepare_v3(s->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, &s->q[which], NULL);
    *out = s->q[which];
    return rc;
}

static int bind_str(sqlite3_stmt *q, int i, symbi_str v) { return sqlite3_bind_text64(q, i, v.n ? v.p : "", v.n, SQLITE_STATIC, SQLITE_UTF8); }
static int bind_bytes(sqlite3_stmt *q, int i, const void *p, size_t n) { return sqlite3_bind_blob64(q, i, n ? p : "", n, SQLITE_STATIC); }

/* Steps once and gives the statement back. Only for statements without an answer. */
static int run(sqlite3_stmt *q)
{
    int rc = sqlite3_step(q);
    int rrc = sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rrc != SQLITE_OK ? rrc : rc;
}

static void done(sqlite3_stmt *q)
{
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
}

static bool col_str(sqlite3_stmt *q, int i, symbi_str *out)
{
    if (sqlite3_column_type(q, i) != SQLITE_TEXT) return false;
    out->p = (const char *)sqlite3_column_text(q, i);
    out->n = (size_t)sqlite3_column_bytes(q, i);
    return out->p != NULL;
}
static bool col_fixed(sqlite3_stmt *q, int i, uint8_t *out, int n)
{
    const void *p;
    if (sqlite3_column_type(q, i) != SQLITE_BLOB || sqlite3_column_bytes(q, i) != n) return false;
    p = sqlite3_column_blob(q, i);
    if (!p) return false;
    memcpy(out, p, (size_t)n);
    return true;
}
static bool col_int(sqlite3_stmt *q, int i, int64_t *out)
{
    if (sqlite3_column_type(q, i) != SQLITE_INTEGER) return false;
    *out = sqlite3_column_int64(q, i);
    return true;
}

static symbi_status damaged(const sy_store *s, symbi_err *err, const char *what, uint64_t i)
{
    sy_fail(err, SYMBI_EVERIFY, "%s %" PRIu64 " is damaged: a field has a wrong type or size", what, i);
    sy_err_path(err, symbi_str_z(s->path));
    return SYMBI_EVERIFY;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static symbi_status read_tail(sy_store *s, symbi_str chain, uint64_t *len, uint8_t head[32], int64_t *last_ms, symbi_err *err)
{
    sqlite3_stmt *q;
    symbi_status st = SYMBI_OK;
    int64_t seq = 0;
    int rc = stmt(s, SY_Q_TAIL, &q);
    *len = 0;
    *last_ms = 0;
    memset(head, 0, 32);
    if (rc == SQLITE_OK) rc = bind_str(q, 1, chain);
    if (rc != SQLITE_OK) return sy_db_fail(s, rc, err);
    rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        if (!col_int(q, 0, &seq) || seq < 0 || seq == INT64_MAX) st = damaged(s, err, "the last entry of the chain, number", 0);
        else {
            *len = (uint64_t)seq + 1;
            /* In a read-only store a damaged tail must not hide the rest from the verification. */
            if ((!col_int(q, 1, last_ms) || !col_fixed(q, 2, head, 32)) && !s->readonly) st = damaged(s, err, "entry", (uint64_t)seq);
        }
    } else if (rc != SQLITE_DONE) st = sy_db_fail(s, rc, err);
    done(q);
    return st;
}

/* Once per chain, before anything is built upon it: the outside copy of the checkpoint must still be part of the chain. */
static symbi_status check_anchor(sy_store *s, symbi_str chain, symbi_err *err)
{
    symbi_store_checkpoint cp;
    sy_anchor *a;
    sqlite3_stmt *q;
    symbi_key *k = s->key;
    symbi_status st;
    uint8_t hash[32], pub[32];
    uint64_t len;
    int64_t last;
    int rc;
    bool same = false;
    if (s->readonly) return SYMBI_OK;
    a = sy_anchor_of(s, chain);
    if (!a || a->checked) return SYMBI_OK;
    st = sy_anchor_read(s, chain, &cp, err);
    if (st == SYMBI_ENOTFOUND) {
        a->checked = true;
        return SYMBI_OK;
    }
    if (st == SYMBI_EPARSE) {
        sy_fail(err, SYMBI_EVERIFY, "the anchor of chain %s is damaged: check the trail with 'symbi-lua audit verify', then delete the anchor file to go on", a->chain);
        sy_err_path(err, symbi_str_z(s->dir));
        return SYMBI_EVERIFY;
    }
    if (st) return st;
    symbi_ed25519_public(k, pub);
    st = read_tail(s, chain, &len, hash, &last, err);
    if (st) return st;
    if (cp.len && cp.len <= len) {
        rc = stmt(s, SY_Q_ROW, &q);
        if (rc == SQLITE_OK) rc = bind_str(q, 1, chain);
        if (rc == SQLITE_OK) rc = sqlite3_bind_int64(q, 2, (sqlite3_int64)(cp.len - 1));
        if (rc != SQLITE_OK) return sy_db_fail(s, rc, err);
        rc = sqlite3_step(q);
        same = rc == SQLITE_ROW && col_fixed(q, 6, hash, 32) && memcmp(hash, cp.head, 32) == 0;
        done(q);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE) return sy_db_fail(s, rc, err);
    }
    if (!same || memcmp(pub, cp.public_key, 32) != 0) {
        if (cp.len > len)
            sy_fail(err, SYMBI_EVERIFY, "the audit trail was cut or rolled back: the anchor covers %" PRIu64 " entries of chain %s, %" PRIu64 " are there; "
                    "restore the database, or move the whole state folder away to start afresh", cp.len, a->chain, len);
        else
            sy_fail(err, SYMBI_EVERIFY, "the audit trail (chain %s) is not the one that the anchor was made from: restore the database, or move the whole state folder away to start afresh", a->chain);
        sy_err_path(err, symbi_str_z(s->path));
        return SYMBI_EVERIFY;
    }
    a->checked = true;
    return SYMBI_OK;
}

static symbi_status s_tail(void *ud, symbi_str chain, uint64_t *len, uint8_t head[32], int64_t *last_ms, symbi_err *err)
{
    symbi_status st = check_anchor(ud, chain, err);
    return st ? st : read_tail(ud, chain, len, head, last_ms, err);
}

/* Copies borrowed texts into s->out, so that no statement stays open between calls. */
static symbi_status keep(sy_store *s, symbi_str *const v[], size_t n, symbi_err *err)
{
    size_t at = 0;
    sy_buf_clear(&s->out);
    for (size_t i = 0; i < n; i++) sy_buf_adds(&s->out, *v[i]);
    sy_buf_addc(&s->out, 0);
    if (sy_buf_status(&s->out)) return sy_buf_status(&s->out) == SYMBI_ENOMEM ? sy_fail_nomem(err) : sy_fail(err, SYMBI_ELIMIT, "a stored text is larger than %zu bytes", s->out.max);
    for (size_t i = 0; i < n; i++) {
        v[i]->p = s->out.p + at;
        at += v[i]->n;
    }
    return SYMBI_OK;
}

static symbi_status s_row(void *ud, symbi_str chain, uint64_t seq, symbi_store_row *out, symbi_err *err)
{
    sy_store *s = ud;
    sqlite3_stmt *q;
    symbi_status st = SYMBI_OK;
    int64_t iter = 0;
    int rc;
    memset(out, 0, sizeof *out);
    if (seq > INT64_MAX) return sy_fail(err, SYMBI_ENOTFOUND, "no entry %" PRIu64, seq);
    rc = stmt(s, SY_Q_ROW, &q);
    if (rc == SQLITE_OK) rc = bind_str(q, 1, chain);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(q, 2, (sqlite3_int64)seq);
    if (rc != SQLITE_OK) return sy_db_fail(s, rc, err);
    rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        out->sequence = seq;
        out->has_signature = sqlite3_column_type(q, 7) != SQLITE_NULL;
        if (!col_int(q, 0, &out->timestamp_ms) || !col_int(q, 1, &iter) || !col_str(q, 2, &out->loop_id) || !col_str(q, 3, &out->agent_id) ||
            !col_str(q, 4, &out->event) || !col_fixed(q, 5, out->prev_hash, 32) || !col_fixed(q, 6, out->hash, 32) ||
            (out->has_signature && !col_fixed(q, 7, out->signature, 64)))
            st = damaged(s, err, "entry", seq);
        else {
            symbi_str *const v[] = { &out->loop_id, &out->agent_id, &out->event };
            out->iteration = (uint64_t)iter;
            st = keep(s, v, 3, err);
        }
    } else if (rc == SQLITE_DONE) st = sy_fail(err, SYMBI_ENOTFOUND, "there is no entry %" PRIu64, seq);
    else st = sy_db_fail(s, rc, err);
    done(q);
    return st;
}

static symbi_status s_checkpoint(void *ud, symbi_str chain, uint64_t i, symbi_store_checkpoint *out, symbi_err *err)
{
    sy_store *s = ud;
    sqlite3_stmt *q;
    symbi_status st = SYMBI_OK;
    bool walk = i != UINT64_MAX && i > 0 && s->walk_i + 1 == i && sy_str_eqz(chain, s->walk_chain);
    int64_t len = 0;
    int rc = stmt(s, i == UINT64_MAX ? SY_Q_CP_LAST : walk ? SY_Q_CP_AFTER : SY_Q_CP_AT, &q);
    memset(out, 0, sizeof *out);
    if (i != UINT64_MAX && i > INT64_MAX) return sy_fail(err, SYMBI_ENOTFOUND, "no such checkpoint");
    if (rc == SQLITE_OK) rc = bind_str(q, 1, chain);
    if (rc == SQLITE_OK && i != UINT64_MAX) rc = sqlite3_bind_int64(q, 2, (sqlite3_int64)(walk ? s->walk_len : i));
    if (rc != SQLITE_OK) return sy_db_fail(s, rc, err);
    rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        if (!col_int(q, 0, &len) || len < 0 || !col_fixed(q, 1, out->head, 32) || !col_int(q, 2, &out->timestamp_ms) || !col_fixed(q, 3, out->public_key, 32) ||
            !col_fixed(q, 4, out->signature, 64))
            st = damaged(s, err, "checkpoint", i == UINT64_MAX ? (uint64_t)len : i);
        out->len = (uint64_t)len;
        if (!st && i != UINT64_MAX && chain.n < sizeof s->walk_chain) {
            memcpy(s->walk_chain, chain.p, chain.n);
            s->walk_chain[chain.n] = 0;
            s->walk_i = i;
            s->walk_len = out->len;
        }
    } else if (rc == SQLITE_DONE) st = sy_fail(err, SYMBI_ENOTFOUND, "no such checkpoint");
    else st = sy_db_fail(s, rc, err);
    done(q);
    return st;
}

static bool col_blob(sqlite3_stmt *q, int i, symbi_str *out)
{
    if (sqlite3_column_type(q, i) != SQLITE_BLOB) return false;
    out->p = sqlite3_column_blob(q, i);
    out->n = (size_t)sqlite3_column_bytes(q, i);
    if (!out->p) out->p = "";
    return true;
}

static symbi_status s_get(void *ud, symbi_str ns, symbi_str key, symbi_str *value, symbi_err *err)
{
    sy_store *s = ud;
    sqlite3_stmt *q;
    symbi_status st = SYMBI_OK;
    int rc = stmt(s, SY_Q_KV_GET, &q);
    if (rc == SQLITE_OK) rc = bind_str(q, 1, ns);
    if (rc == SQLITE_OK) rc = bind_str(q, 2, key);
    if (rc != SQLITE_OK) return sy_db_fail(s, rc, err);
    rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        symbi_str *const v[] = { value };
        st = col_blob(q, 0, value) ? keep(s, v, 1, err) : damaged(s, err, "a record, column", 0);
    } else if (rc == SQLITE_DONE) st = sy_fail(err, SYMBI_ENOTFOUND, "there is no record %.*s/%.*s", SY_FMT(ns), SY_FMT(key));
    else st = sy_db_fail(s, rc, err);
    done(q);
    return st;
}

static symbi_status s_next(void *ud, symbi_str ns, symbi_str after, symbi_str *key, symbi_str *value, symbi_err *err)
{
    sy_store *s = ud;
    sqlite3_stmt *q;
    symbi_status st = SYMBI_OK;
    int rc = stmt(s, SY_Q_KV_NEXT, &q);
    if (rc == SQLITE_OK) rc = bind_str(q, 1, ns);
    if (rc == SQLITE_OK) rc = bind_str(q, 2, after); /* may be borrowed from s->out: read by the step, before it is overwritten */
    if (rc != SQLITE_OK) return sy_db_fail(s, rc, err);
    rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        symbi_str *const v[] = { key, value };
        st = col_str(q, 0, key) && col_blob(q, 1, value) ? keep(s, v, 2, err) : damaged(s, err, "a record, column", 0);
    } else if (rc == SQLITE_DONE) st = sy_fail(err, SYMBI_ENOTFOUND, "there are no more records");
    else st = sy_db_fail(s, rc, err);
    done(q);
    return st;
}

/* ---- writing ----------------------------------------------------------------------------------------------------------- */

static int add_row(sy_store *s, symbi_str chain, const symbi_store_row *r)
{
    sqlite3_stmt *q;
    int rc = stmt(s, SY_Q_ADD, &q);
    if (rc == SQLITE_OK) rc = bind_str(q, 1, chain);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(q, 2, (sqlite3_int64)r->sequence);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(q, 3, r->timestamp_ms);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(q, 4, (sqlite3_int64)r->iteration);
    if (rc == SQLITE_OK) rc = bind_str(q, 5, r->loop_id);
    if (rc == SQLITE_OK) rc = bind_str(q, 6, r->agent_id);
    if (rc == SQLITE_OK) rc = bind_str(q, 7, r->event);
    if (rc == SQLITE_OK) rc = bind_bytes(q, 8, r->prev_hash, 32);
    if (rc == SQLITE_OK) rc = bind_bytes(q, 9, r->hash, 32);
    if (rc == SQLITE_OK) rc = r->has_signature ? bind_bytes(q, 10, r->signature, 64) : sqlite3_bind_null(q, 10);
    return rc == SQLITE_OK ? run(q) : rc;
}

static int add_checkpoint(sy_store *s, symbi_str chain, const symbi_store_checkpoint *cp)
{
    sqlite3_stmt *q;
    int rc = stmt(s, SY_Q_CP_ADD, &q);
    if (rc == SQLITE_OK) rc = bind_str(q, 1, chain);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(q, 2, (sqlite3_int64)cp->len);
    if (rc == SQLITE_OK) rc = bind_bytes(q, 3, cp->head, 32);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(q, 4, cp->timestamp_ms);
    if (rc == SQLITE_OK) rc = bind_bytes(q, 5, cp->public_key, 32);
    if (rc == SQLITE_OK) rc = bind_bytes(q, 6, cp->signature, 64);
    return rc == SQLITE_OK ? run(q) : rc;
}

static symbi_status check_kv(sy_store *s, const symbi_store_kv *kv, symbi_err *err)
{
    symbi_str v;
    symbi_status st;
    if (kv->check == SYMBI_KV_ANY) return SYMBI_OK;
    st = s_get(s, kv->ns, kv->key, &v, err);
    if (st && st != SYMBI_ENOTFOUND) return st;
    if (kv->check == SYMBI_KV_ABSENT ? st == SYMBI_ENOTFOUND : !st && sy_str_eq(v, kv->expect)) return SYMBI_OK;
    return sy_fail(err, SYMBI_EEXISTS, "record %.*s/%.*s changed since it was read", SY_FMT(kv->ns), SY_FMT(kv->key));
}

static int put_kv(sy_store *s, const symbi_store_kv *kv)
{
    sqlite3_stmt *q;
    int rc = stmt(s, kv->value.p ? SY_Q_KV_SET : SY_Q_KV_DEL, &q);
    if (rc == SQLITE_OK) rc = bind_str(q, 1, kv->ns);
    if (rc == SQLITE_OK) rc = bind_str(q, 2, kv->key);
    if (rc == SQLITE_OK && kv->value.p) rc = bind_bytes(q, 3, kv->value.p, kv->value.n);
    return rc == SQLITE_OK ? run(q) : rc;
}

/* Inside the transaction. */
static symbi_status write_batch(sy_store *s, const symbi_store_batch *b, symbi_err *err)
{
    uint64_t len;
    uint8_t head[32];
    int64_t last;
    int rc = SQLITE_OK;
    symbi_status st = read_tail(s, b->chain, &len, head, &last, err);
    if (st) return st;
    if (len != b->expect_len || memcmp(head, b->expect_head, 32) != 0) return sy_fail(err, SYMBI_ESTATE, "chain %.*s has moved on", SY_FMT(b->chain));
    for (size_t i = 0; i < b->nkv && !st; i++) st = check_kv(s, &b->kv[i], err);
    if (st) return st;
    for (size_t i = 0; i < b->nrows && rc == SQLITE_OK; i++) rc = add_row(s, b->chain, &b->rows[i]);
    if (rc == SQLITE_OK && b->checkpoint) rc = add_checkpoint(s, b->chain, b->checkpoint);
    for (size_t i = 0; i < b->nkv && rc == SQLITE_OK; i++) rc = put_kv(s, &b->kv[i]);
    return rc == SQLITE_OK ? SYMBI_OK : sy_db_fail(s, rc, err);
}

static symbi_status simple(sy_store *s, enum sy_stmt which, symbi_err *err)
{
    sqlite3_stmt *q;
    int rc = stmt(s, which, &q);
    if (rc == SQLITE_OK) rc = run(q);
    return rc == SQLITE_OK ? SYMBI_OK : sy_db_fail(s, rc, err);
}

static symbi_status set_sync(sy_store *s, bool full, symbi_err *err)
{
    symbi_status st;
    if (s->sync_full == (int)full) return SYMBI_OK;
    s->sync_full = -1;
    st = sy_db_exec(s, full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err);
    if (!st) s->sync_full = full;
    return st;
}

static void s_end(void *ud)
{
    sy_store *s = ud;
    s->held = false;
    if (!sqlite3_get_autocommit(s->db)) simple(s, SY_Q_ROLLBACK, NULL);
}

static symbi_status s_begin(void *ud, bool durable, symbi_err *err)
{
    sy_store *s = ud;
    symbi_status st;
    if (s->readonly) {
        sy_fail(err, SYMBI_EIO, "the store was opened read-only");
        sy_err_path(err, symbi_str_z(s->path));
        return SYMBI_EIO;
    }
    s_end(s);
    st = set_sync(s, durable, err);
    if (!st) st = simple(s, SY_Q_BEGIN, err);
    s->held = st == SYMBI_OK;
    return st;
}

static symbi_status s_commit(void *ud, const symbi_store_batch *b, symbi_err *err)
{
    sy_store *s = ud;
    sy_anchor *a;
    symbi_status st = check_anchor(s, b->chain, err);
    if (!st && !(s->held && s->sync_full >= (int)b->durable)) st = s_begin(s, b->durable, err);
    if (!st) st = write_batch(s, b, err);
    if (!st) st = simple(s, SY_Q_COMMIT, err);
    s_end(s); /* nothing is left open on any path */
    if (st) return st;
    if (b->checkpoint && (a = sy_anchor_of(s, b->chain)) != NULL) {
        symbi_err werr;
        a->last = *b->checkpoint;
        a->pending = true;
        /* The entries are stored: an anchor that cannot follow weakens a later verification, it does not undo the commit. */
        if (b->durable && sy_anchor_write(s, a, &werr)) sy_log(s->cx, SYMBI_LOG_WARN, "store", "the anchor was not updated: %s: %s", werr.path, werr.msg);
    }
    return SYMBI_OK;
}

void sy_store_bind(sy_store *s, symbi_store *out)
{
    memset(out, 0, sizeof *out);
    out->size = sizeof *out;
    out->ud = s;
    out->commit = s_commit;
    out->tail = s_tail;
    out->row = s_row;
    out->checkpoint = s_checkpoint;
    out->get = s_get;
    out->next = s_next;
    out->begin = s_begin;
    out->end = s_end;
}
