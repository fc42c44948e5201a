/* io/memory_index.c: search through memory by SQLite's FTS5. The index is derived: before each search the files that changed
 * since they were indexed are read again, so a file that was edited by hand, or written by another process, counts at once.
 * A damaged or foreign index file is an error that says to remove it; nothing else depends on it. */
#define _GNU_SOURCE
#include "io/memory_int.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "state/memory_text.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { APP_ID = 0x53594d4d /* "SYMM" */, VERSION = 1 };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS file(key TEXT PRIMARY KEY, ino INTEGER, size INTEGER, mtime INTEGER, ctime INTEGER, row INTEGER, row_end INTEGER) STRICT, WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE IF NOT EXISTS item USING fts5(agent UNINDEXED, section UNINDEXED, text, tokenize = \"unicode61 remove_diacritics 2\");";

static symbi_status db_fail(const symbi_memory_store *m, int rc, symbi_err *err)
{
    symbi_status st = rc == SQLITE_NOMEM ? SYMBI_ENOMEM : rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? SYMBI_ETIMEOUT : SYMBI_EIO;
    sy_fail(err, st, "the search index: %s; it can be removed, it is made again", m->db ? sqlite3_errmsg(m->db) : sqlite3_errstr(rc));
    sy_err_path(err, symbi_str_z(m->index_path));
    return st;
}

static symbi_status exec(symbi_memory_store *m, const char *sql, symbi_err *err)
{
    int rc = sqlite3_exec(m->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SYMBI_OK : db_fail(m, rc, err);
}

void sy_memory_index_close(symbi_memory_store *m)
{
    sqlite3_close(m->db);
    m->db = NULL;
}

static symbi_status pragma(symbi_memory_store *m, const char *sql, int *out, symbi_err *err)
{
    sqlite3_stmt *q;
    int rc = sqlite3_prepare_v2(m->db, sql, -1, &q, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) *out = sqlite3_column_int(q, 0), rc = SQLITE_OK;
    sqlite3_finalize(q);
    return rc == SQLITE_OK ? SYMBI_OK : db_fail(m, rc, err);
}

static symbi_status open_index(symbi_memory_store *m, symbi_err *err)
{
    int app = 0, version = 0, rc;
    char sql[80];
    symbi_status st;
    if (m->db) return SYMBI_OK;
    rc = sqlite3_open_v2(m->index_path, &m->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(m->db, (int)(m->o.lock_ms > 60000 ? 60000 : m->o.lock_ms));
    st = rc == SQLITE_OK ? SYMBI_OK : db_fail(m, rc, err);
    if (!st) st = pragma(m, "PRAGMA application_id", &app, err);
    if (!st) st = pragma(m, "PRAGMA user_version", &version, err);
    if (!st && ((app && app != APP_ID) || version > VERSION)) {
        sy_fail(err, st = SYMBI_EIO, "this file is not a search index of this version: remove it, or name another one");
        sy_err_path(err, symbi_str_z(m->index_path));
    }
    /* It may be lost at any time, so it need not be synced. */
    if (!st) st = exec(m, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA trusted_schema=OFF;", err);
    if (!st && !app) {
        snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d;", (int)APP_ID, (int)VERSION);
        st = exec(m, sql, err);
    }
    if (!st) st = exec(m, schema, err);
    m->data_version = -1;
    if (st) sy_memory_index_close(m);
    return st;
}

static int bind(sqlite3_stmt *q, int i, symbi_str s) { return sqlite3_bind_text64(q, i, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8); }

typedef struct sync {
    sqlite3_stmt *drop, *add, *mark, *forget;
} sync;

static int once(sqlite3_stmt *q)
{
    int rc = sqlite3_step(q);
    sqlite3_reset(q);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* What the index knows, into the entries: once, and again after another process wrote it. */
static symbi_status read_known(symbi_memory_store *m, symbi_err *err)
{
    sqlite3_stmt *q = NULL;
    symbi_status st = SYMBI_OK;
    int version = 0, rc;
    st = pragma(m, "PRAGMA data_version", &version, err);
    if (st || version == m->data_version) return st;
    for (size_t i = 0; i < m->entries; i++) m->entry[i]->indexed = false;
    rc = sqlite3_prepare_v2(m->db, "SELECT key, ino, size, mtime, ctime, row, row_end FROM file", -1, &q, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        const char *key;
        sy_memory_entry *e;
        rc = sqlite3_step(q);
        if (rc != SQLITE_ROW) break;
        key = (const char *)sqlite3_column_text(q, 0);
        if (!key || strlen(key) >= SYMBI_MEMORY_KEY_BYTES) continue;
        st = sy_memory_slot(m, key, &e, err);
        if (st) break;
        e->indexed = true;
        e->index_stamp.ino = (uint64_t)sqlite3_column_int64(q, 1);
        e->index_stamp.size = (uint64_t)sqlite3_column_int64(q, 2);
        e->index_stamp.mtime_ns = sqlite3_column_int64(q, 3);
        e->index_stamp.ctime_ns = sqlite3_column_int64(q, 4);
        e->row = sqlite3_column_int64(q, 5);
        e->row_end = sqlite3_column_int64(q, 6);
    }
    sqlite3_finalize(q);
    if (!st && rc != SQLITE_DONE) st = db_fail(m, rc, err);
    if (!st) m->data_version = version;
    return st;
}

static int drop_items(sync *s, sy_memory_entry *e)
{
    int rc = SQLITE_OK;
    if (e->indexed) {
        rc = sqlite3_bind_int64(s->drop, 1, e->row);
        if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s->drop, 2, e->row_end);
        if (rc == SQLITE_OK) rc = once(s->drop);
        if (rc == SQLITE_OK) rc = bind(s->forget, 1, symbi_str_z(e->key));
        if (rc == SQLITE_OK) rc = once(s->forget);
    }
    if (rc == SQLITE_OK) e->indexed = false;
    return rc;
}

/* The items get rows in a row, so that they can be found again without looking through the index. */
static int add_items(symbi_memory_store *m, sync *s, symbi_str agent, sy_memory_entry *e)
{
    int64_t row = 0, end = -1;
    int rc = SQLITE_OK;
    for (int k = 0; k < SY_MEMORY_SECTIONS && rc == SQLITE_OK; k++) {
        const symbi_value *v = symbi_value_getz(symbi_doc_root(e->doc), sy_memory_member[k]);
        for (size_t i = 0; i < v->u.a.n && rc == SQLITE_OK; i++) {
            rc = bind(s->add, 1, agent);
            if (rc == SQLITE_OK) rc = bind(s->add, 2, symbi_str_z(sy_memory_member[k]));
            if (rc == SQLITE_OK) rc = bind(s->add, 3, v->u.a.items[i].u.s);
            if (rc == SQLITE_OK) rc = once(s->add);
            end = sqlite3_last_insert_rowid(m->db);
            if (!row) row = end;
        }
    }
    e->row = row;
    e->row_end = end;
    return rc;
}

static int mark(sync *s, sy_memory_entry *e)
{
    int rc = bind(s->mark, 1, symbi_str_z(e->key));
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s->mark, 2, (int64_t)e->index_stamp.ino);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s->mark, 3, (int64_t)e->index_stamp.size);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s->mark, 4, e->index_stamp.mtime_ns);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s->mark, 5, e->index_stamp.ctime_ns);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s->mark, 6, e->row);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s->mark, 7, e->row_end);
    if (rc == SQLITE_OK) rc = once(s->mark);
    if (rc == SQLITE_OK) e->indexed = true;
    return rc;
}

static symbi_status begin(symbi_memory_store *m, sync *s, bool *open, symbi_err *err)
{
    static const char *const sql[] = { "DELETE FROM item WHERE rowid BETWEEN ?1 AND ?2", "INSERT INTO item(agent, section, text) VALUES (?1, ?2, ?3)",
                                       "INSERT OR REPLACE INTO file VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "DELETE FROM file WHERE key = ?1" };
    sqlite3_stmt **q[] = { &s->drop, &s->add, &s->mark, &s->forget };
    symbi_status st;
    if (*open) return SYMBI_OK;
    st = exec(m, "BEGIN IMMEDIATE", err);
    if (st) return st;
    *open = true;
    /* Another process may have written since we looked. */
    st = read_known(m, err);
    for (int i = 0; i < 4 && !st; i++) {
        int rc = sqlite3_prepare_v2(m->db, sql[i], -1, q[i], NULL);
        if (rc != SQLITE_OK) st = db_fail(m, rc, err);
    }
    return st;
}

/* Brings one agent up to date. A file that cannot be read leaves the index without its items: it is counted as unread. */
static symbi_status sync_key(symbi_memory_store *m, sync *s, bool *open, const char *key, size_t *unread, symbi_err *err)
{
    char agent[SYMBI_MEMORY_KEY_BYTES];
    sy_memory_entry *e, *same;
    sy_file_stamp stamp;
    bool settled;
    size_t n = 0;
    int rc;
    symbi_status st = sy_memory_slot(m, key, &e, err);
    if (st || sy_memory_look(m, e, &stamp, &settled)) return st; /* a folder without memory is as one that is gone */
    e->seen = m->round;
    if (e->indexed && sy_memory_same(&stamp, &e->index_stamp)) return SYMBI_OK;
    st = begin(m, s, open, err);
    if (st) return st;
    rc = drop_items(s, e);
    if (rc != SQLITE_OK) return db_fail(m, rc, err);
    symbi_memory_agent(symbi_str_z(key), agent, &n);
    st = sy_memory_get(m, key, (symbi_str){ agent, n }, &same, err);
    if (st == SYMBI_ENOMEM) return st;
    if (st) {
        ++*unread;
        return SYMBI_OK;
    }
    e->index_stamp = stamp;
    if (!settled) e->index_stamp.ino = UINT64_MAX >> 1; /* looked at again next time */
    rc = add_items(m, s, (symbi_str){ agent, n }, e);
    if (rc == SQLITE_OK) rc = mark(s, e);
    return rc == SQLITE_OK ? SYMBI_OK : db_fail(m, rc, err);
}

static symbi_status sync_all(symbi_memory_store *m, size_t *unread, symbi_err *err)
{
    sync s = { NULL, NULL, NULL, NULL };
    bool open = false;
    sy_buf keys;
    symbi_status st;
    sy_buf_init(&keys, m->alloc, m->cx->limits.output_bytes);
    m->round++;
    st = read_known(m, err);
    if (!st) st = sy_memory_keys(m, &keys, err);
    sy_memory_watch_pass(m, true);
    for (size_t i = 0; !st && i < keys.n; i += strlen(keys.p + i) + 1) st = sync_key(m, &s, &open, keys.p + i, unread, err);
    sy_memory_watch_pass(m, false);
    for (size_t i = 0; !st && i < m->entries; i++) {
        if (!m->entry[i]->indexed || m->entry[i]->seen == m->round) continue;
        st = begin(m, &s, &open, err);
        if (!st) {
            int rc = drop_items(&s, m->entry[i]);
            if (rc != SQLITE_OK) st = db_fail(m, rc, err);
        }
    }
    sqlite3_finalize(s.drop);
    sqlite3_finalize(s.add);
    sqlite3_finalize(s.mark);
    sqlite3_finalize(s.forget);
    if (open && !st) st = exec(m, "COMMIT", err);
    if (open && st) {
        sqlite3_exec(m->db, "ROLLBACK", NULL, NULL, NULL);
        m->data_version = -1; /* what the entries say was rolled back */
    }
    sy_buf_free(&keys);
    return st;
}

/* The user's words as an FTS5 query in which nothing is an operator: each quoted, each a prefix, all required. */
static symbi_status match_text(symbi_memory_store *m, symbi_str query, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    int words = 0;
    sy_buf_init(&b, m->alloc, 65536);
    for (size_t i = 0; i < query.n;) {
        if ((unsigned char)query.p[i] <= ' ') {
            i++;
            continue;
        }
        if (words++) sy_buf_addc(&b, ' ');
        sy_buf_addc(&b, '"');
        for (; i < query.n && (unsigned char)query.p[i] > ' '; i++) {
            if (query.p[i] == '"') sy_buf_addc(&b, '"');
            sy_buf_addc(&b, query.p[i]);
        }
        sy_buf_addz(&b, "\"*");
    }
    if (words > SY_MEMORY_WORDS) {
        sy_buf_free(&b);
        return sy_fail(err, SYMBI_ELIMIT, "a search takes at most %d words", (int)SY_MEMORY_WORDS);
    }
    if (!words) {
        sy_buf_free(&b);
        return sy_fail(err, SYMBI_EINVAL, "the search has no words");
    }
    return sy_buf_take(&b, out, "the search", err);
}

static symbi_str column(symbi_doc *doc, sqlite3_stmt *q, int i)
{
    const char *p = (const char *)sqlite3_column_text(q, i);
    return sy_arena_dup(&doc->arena, (symbi_str){ p ? p : "", (size_t)sqlite3_column_bytes(q, i) });
}

static symbi_status select_items(symbi_memory_store *m, symbi_str match, symbi_str agent, symbi_str section, size_t limit, symbi_doc *doc, symbi_err *err)
{
    sqlite3_stmt *q = NULL;
    sy_arr list = sy_arr_new(&doc->arena);
    int rc = sqlite3_prepare_v2(m->db, "SELECT agent, section, text, bm25(item) FROM item WHERE item MATCH ?1 AND (?2 = '' OR agent = ?2) AND (?3 = '' OR section = ?3) ORDER BY bm25(item), rowid LIMIT ?4", -1, &q, NULL);
    if (rc == SQLITE_OK) rc = bind(q, 1, match);
    if (rc == SQLITE_OK) rc = bind(q, 2, agent);
    if (rc == SQLITE_OK) rc = bind(q, 3, section);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(q, 4, (int64_t)limit);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(q);
        if (rc != SQLITE_ROW) break;
        sy_obj o = sy_obj_new(&doc->arena);
        sy_obj_str(&o, "agent_id", column(doc, q, 0));
        sy_obj_str(&o, "section", column(doc, q, 1));
        sy_obj_str(&o, "text", column(doc, q, 2));
        sy_obj_put(&o, "score", sy_val_double(-sqlite3_column_double(q, 3))); /* bm25 is better the smaller it is */
        sy_arr_add(&list, sy_obj_value(&o));
    }
    sqlite3_finalize(q);
    doc->root = sy_arr_value(&list);
    if (rc != SQLITE_DONE) return db_fail(m, rc, err);
    return doc->arena.status ? sy_arena_fail(&doc->arena, "the search", err) : SYMBI_OK;
}

symbi_status sy_memory_index_search(symbi_memory_store *m, symbi_str query, symbi_str agent, symbi_str section, size_t limit, symbi_doc **out, size_t *unread, symbi_err *err)
{
    symbi_text match = { 0 };
    symbi_doc *doc = NULL;
    symbi_status st = match_text(m, query, &match, err);
    if (!st) st = open_index(m, err);
    if (!st) st = sync_all(m, unread, err);
    if (!st && !(doc = sy_doc_new(m->cx))) st = sy_fail_nomem(err);
    if (!st) st = select_items(m, symbi_text_str(&match), agent, section, limit, doc, err);
    symbi_text_free(&match);
    if (st) symbi_doc_unref(doc);
    else *out = doc;
    return st;
}
