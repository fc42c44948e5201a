/* io/store_open.c: opening and closing the SQLite store: folder, key, database file, schema. */
#include "io/store_in.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char schema[] =
    "CREATE TABLE entry(chain TEXT NOT NULL, seq INTEGER NOT NULL, ts INTEGER NOT NULL, iteration INTEGER NOT NULL, loop_id TEXT NOT NULL,"
    " agent_id TEXT NOT NULL, event TEXT NOT NULL, prev_hash BLOB NOT NULL, hash BLOB NOT NULL, signature BLOB, PRIMARY KEY(chain, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE checkpoint(chain TEXT NOT NULL, len INTEGER NOT NULL, head BLOB NOT NULL, ts INTEGER NOT NULL, public_key BLOB NOT NULL,"
    " signature BLOB NOT NULL, PRIMARY KEY(chain, len)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE kv(ns TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(ns, key)) STRICT, WITHOUT ROWID;";

/* One integer that a statement gives. */
static symbi_status ask(sy_store *s, const char *sql, int64_t *out, symbi_err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
    *out = 0;
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(q);
        if (rc == SQLITE_ROW) *out = sqlite3_column_int64(q, 0), rc = SQLITE_OK;
        else if (rc == SQLITE_DONE) rc = SQLITE_OK;
    }
    sqlite3_finalize(q);
    return rc == SQLITE_OK ? SYMBI_OK : sy_db_fail(s, rc, err);
}

static symbi_status wrong(const sy_store *s, symbi_err *err, symbi_status code, const char *what)
{
    sy_fail(err, code, "%s", what);
    sy_err_path(err, symbi_str_z(s->path));
    return code;
}

static symbi_status look_at_schema(sy_store *s, bool *empty, symbi_err *err)
{
    int64_t app = 0, version = 0, objects = 0, tables = 0;
    symbi_status st = ask(s, "PRAGMA application_id", &app, err);
    if (!st) st = ask(s, "PRAGMA user_version", &version, err);
    if (!st) st = ask(s, "SELECT count(*) FROM sqlite_schema", &objects, err);
    /* Triggers, views and generated columns could change or hide what is written: nothing but our tables may be there. */
    if (!st) st = ask(s, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('entry','checkpoint','kv')", &tables, err);
    if (st) return st;
    *empty = objects == 0 && app == 0 && version == 0;
    if (*empty) return SYMBI_OK;
    if (app != SY_DB_APP_ID) return wrong(s, err, SYMBI_EIO, "this database belongs to another program; choose another state folder with --state DIR");
    if (version > SY_DB_VERSION) return wrong(s, err, SYMBI_EUNSUPPORTED, "this database was made by a newer symbi-lua; use that one, or another state folder");
    if (version != SY_DB_VERSION || tables != 3) return wrong(s, err, SYMBI_EVERIFY, "this database lacks tables that it must have: it was altered or is damaged; restore it from a backup");
    if (objects != 3) return wrong(s, err, SYMBI_EVERIFY, "this database holds tables, triggers or views that symbi-lua did not make: it was altered; restore it from a backup");
    return SYMBI_OK;
}

/* The same in one snapshot: another process may be making the database at this moment. */
static symbi_status check_schema(sy_store *s, bool *empty, symbi_err *err)
{
    symbi_status st = sy_db_exec(s, "BEGIN", err);
    if (st) return st;
    st = look_at_schema(s, empty, err);
    sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

static symbi_status create_schema(sy_store *s, symbi_err *err)
{
    char text[128];
    bool empty = false;
    symbi_status st = sy_db_exec(s, "BEGIN IMMEDIATE", err);
    if (st) return st;
    st = look_at_schema(s, &empty, err); /* another process may have been faster */
    if (!st && empty) {
        st = sy_db_exec(s, schema, err);
        snprintf(text, sizeof text, "PRAGMA application_id=%d; PRAGMA user_version=%d", SY_DB_APP_ID, SY_DB_VERSION);
        if (!st) st = sy_db_exec(s, text, err);
    }
    if (!st) st = sy_db_exec(s, "COMMIT", err);
    if (st && !sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

/* A commit of ours takes a fraction of a millisecond: SQLite's own handler, which soon sleeps 100 ms at a time, would leave
 * the database idle while several processes wait for it. */
static int on_busy(void *ud, int count)
{
    sy_store *s = ud;
    struct timespec t, pause = { 0, (count < 15 ? count + 1 : 16) * 200000L };
    int64_t now;
    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    if (count == 0) s->busy_since = now;
    if (now - s->busy_since >= s->busy_ms) return 0;
    nanosleep(&pause, NULL);
    return 1;
}

static int open_db(sy_store *s, const char *name, int flags)
{
    int rc = sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (rc != SQLITE_OK) return rc;
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_handler(s->db, on_busy, s);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
    /* What we write is at most output_bytes; a larger field in a tampered file is not worth reading. */
    if (s->cx->limits.output_bytes < (900u << 20)) sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, (int)s->cx->limits.output_bytes + (64 << 10));
    return sqlite3_exec(s->db, "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY", NULL, NULL, NULL);
}

/* Switching to WAL takes an exclusive lock without calling the busy handler. */
static symbi_status set_wal(sy_store *s, symbi_err *err)
{
    struct timespec pause = { 0, 5 * 1000 * 1000 };
    int rc = SQLITE_BUSY;
    for (int waited = 0; waited <= s->busy_ms; waited += 5) {
        rc = sqlite3_exec(s->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if ((rc & 0xff) != SQLITE_BUSY) break;
        nanosleep(&pause, NULL);
    }
    return rc == SQLITE_OK ? SYMBI_OK : sy_db_fail(s, rc, err);
}

static symbi_status open_writer(sy_store *s, symbi_err *err)
{
    symbi_status st;
    bool empty = false;
    struct stat sb;
    int rc, fd;
    /* The file is made here, for its mode. An existing one is not opened by hand: closing it would drop the locks of another
     * connection of this process (POSIX). */
    if (lstat(s->path, &sb)) {
        fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno != EEXIST) return sy_fail_errno(err, s->path, "the database cannot be made", errno);
        if (fd >= 0) {
            int dfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            close(fd);
            if (dfd >= 0) { /* its entry in the folder must outlive a power failure as well as its content */
                fsync(dfd);
                close(dfd);
            }
        }
    } else if (!S_ISREG(sb.st_mode)) return wrong(s, err, SYMBI_EIO, "the database is not a regular file");
    rc = open_db(s, s->path, SQLITE_OPEN_READWRITE);
    if (rc != SQLITE_OK) return sy_db_fail(s, rc, err);
    if (sqlite3_db_readonly(s->db, "main") == 1) return sy_db_fail(s, SQLITE_READONLY, err);
    st = check_schema(s, &empty, err);
    if (!st) st = set_wal(s, err);
    if (!st && empty) st = create_schema(s, err);
    return st;
}

/* "file:<path>?immutable=1" with everything but the plainest characters escaped. */
static bool immutable_uri(const sy_store *s, sy_buf *b)
{
    sy_buf_addz(b, "file:");
    for (size_t i = 0; i < s->path_n; i++) {
        unsigned char c = (unsigned char)s->path[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '_' || c == '-') sy_buf_addc(b, (char)c);
        else sy_buf_addf(b, "%%%02x", c);
    }
    sy_buf_addz(b, "?immutable=1");
    return !sy_buf_status(b);
}

static symbi_status open_reader(sy_store *s, symbi_err *err)
{
    char wal[4096 + 8];
    struct stat sb;
    symbi_status st;
    bool empty = false;
    int rc;
    if (stat(s->path, &sb)) {
        if (errno != ENOENT) return sy_fail_errno(err, s->path, "the database cannot be reached", errno);
        return wrong(s, err, SYMBI_ENOTFOUND, "there is no database here: nothing has been recorded in this state folder yet");
    }
    rc = open_db(s, s->path, SQLITE_OPEN_READONLY);
    if (rc == SQLITE_OK) rc = sqlite3_exec(s->db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
    if ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY) {
        /* A folder in which SQLite cannot keep its shared memory. Without a log to replay the file alone is the database. */
        sy_buf uri;
        snprintf(wal, sizeof wal, "%s-wal", s->path);
        if (stat(wal, &sb) == 0 && sb.st_size > 0)
            return wrong(s, err, SYMBI_EIO, "the folder is read-only and the database has a log that must be replayed: copy the whole folder to a writable place and read it there");
        sqlite3_close_v2(s->db);
        s->db = NULL;
        sy_buf_init(&uri, s->cx->alloc, 64 << 10);
        if (!immutable_uri(s, &uri)) {
            sy_buf_free(&uri);
            return sy_fail_nomem(err);
        }
        rc = open_db(s, uri.p, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
        sy_buf_free(&uri);
    }
    if (rc != SQLITE_OK) return sy_db_fail(s, rc, err);
    st = check_schema(s, &empty, err);
    if (!st && empty) return wrong(s, err, SYMBI_ENOTFOUND, "the database is empty: nothing has been recorded in this state folder yet");
    return st;
}

/* What was committed without waiting for the disk gets its anchor once it is there. */
static void flush_anchors(sy_store *s)
{
    int log = -1, ckpt = -1;
    bool any = false;
    for (size_t i = 0; i < s->nanchors; i++) any = any || s->anchors[i].pending;
    if (!any || s->readonly) return;
    if (sqlite3_exec(s->db, "PRAGMA synchronous=FULL", NULL, NULL, NULL) != SQLITE_OK) return;
    if (sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &ckpt) != SQLITE_OK || log != ckpt) return;
    for (size_t i = 0; i < s->nanchors; i++)
        if (s->anchors[i].pending) (void)!sy_anchor_write(s, &s->anchors[i], NULL);
}

static void destroy(sy_store *s)
{
    symbi_alloc a = s->cx->alloc;
    if (s->db) flush_anchors(s);
    for (int i = 0; i < SY_Q_COUNT; i++) sqlite3_finalize(s->q[i]);
    sqlite3_close_v2(s->db);
    for (size_t i = 0; i < s->nanchors; i++)
        if (s->anchors[i].fd >= 0) close(s->anchors[i].fd);
    sy_free(&a, s->anchors, s->cap_anchors * sizeof *s->anchors);
    symbi_key_unref(s->key);
    sy_buf_free(&s->out);
    sy_free(&a, s->dir, s->dir_n + 1);
    sy_free(&a, s->path, s->path_n + 1);
    sy_free(&a, s, sizeof *s);
}

static symbi_status set_paths(sy_store *s, const char *dir, symbi_err *err)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') n--;
    s->dir = sy_alloc(&s->cx->alloc, n + 1);
    if (!s->dir) return sy_fail_nomem(err);
    s->dir_n = n;
    memcpy(s->dir, dir, n);
    s->dir[n] = 0;
    s->path = sy_alloc(&s->cx->alloc, n + sizeof "/symbi.db");
    if (!s->path) return sy_fail_nomem(err);
    s->path_n = n + sizeof "/symbi.db" - 1;
    memcpy(s->path, s->dir, n);
    memcpy(s->path + n, "/symbi.db", sizeof "/symbi.db");
    return SYMBI_OK;
}

symbi_status symbi_io_store_open(symbi_ctx *cx, const char *dir, const symbi_io_store_options *o, symbi_store *out, symbi_err *err)
{
    symbi_io_store_options opt = { 0 };
    symbi_status st;
    sy_store *s;
    memset(out, 0, sizeof *out);
    if (o) {
        if (o->size < sizeof opt) return sy_fail(err, SYMBI_EINVAL, "symbi_io_store_options.size is not set");
        opt = *o;
    }
    if (opt.busy_ms < 0 || opt.busy_ms > 60000) return sy_fail(err, SYMBI_EINVAL, "busy_ms must be 0 to 60000");
    s = sy_calloc(&cx->alloc, 1, sizeof *s);
    if (!s) return sy_fail_nomem(err);
    s->cx = cx;
    s->readonly = opt.readonly;
    s->busy_ms = opt.busy_ms ? (int)opt.busy_ms : 5000;
    s->sync_full = -1;
    s->walk_i = UINT64_MAX - 1;
    sy_buf_init(&s->out, cx->alloc, SIZE_MAX / 2);
    st = set_paths(s, dir, err);
    if (!st) st = sy_store_dir(s, err);
    if (!st) st = s->readonly ? sy_store_load_pub(s, err) : sy_store_load_key(s, err);
    if (!st) st = s->readonly ? open_reader(s, err) : open_writer(s, err);
    if (st) destroy(s);
    else sy_store_bind(s, out);
    return st;
}

void symbi_io_store_close(symbi_store *st)
{
    if (st->ud) destroy(st->ud);
    memset(st, 0, sizeof *st);
}

symbi_key *symbi_io_store_key(const symbi_store *st) { return ((const sy_store *)st->ud)->key; }
const char *symbi_io_store_path(const symbi_store *st) { return ((const sy_store *)st->ud)->path; }

bool symbi_io_store_public(const symbi_store *st, uint8_t pub[32])
{
    const sy_store *s = st->ud;
    if (s->has_pub) memcpy(pub, s->pub, 32);
    return s->has_pub;
}

symbi_status symbi_io_store_anchor(const symbi_store *st, symbi_str chain, symbi_store_checkpoint *out, symbi_err *err)
{
    return sy_anchor_read(st->ud, chain.n ? chain : SY_LIT("main"), out, err);
}
