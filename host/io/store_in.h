/* io/store_in.h: what the files of the SQLite store share. */
#ifndef SY_IO_STORE_IN_H
#define SY_IO_STORE_IN_H
#include "base/buf.h"
#include "base/ctx.h"
#include "symbi/io_store.h"

#include <sqlite3.h>

enum { SY_DB_APP_ID = 0x53594d42 /* "SYMB" */, SY_DB_VERSION = 1, SY_ANCHOR_BYTES = 512 };

/* A chain's copy of its last durable checkpoint, outside the database. */
typedef struct sy_anchor {
    char chain[65];
    int fd;       /* -1 until the first write */
    bool checked; /* compared with the database */
    bool pending; /* last is committed, but not known to be on stable storage yet */
    symbi_store_checkpoint last;
} sy_anchor;

enum sy_stmt {
    SY_Q_BEGIN, SY_Q_COMMIT, SY_Q_ROLLBACK, SY_Q_TAIL, SY_Q_ROW, SY_Q_ADD, SY_Q_CP_ADD, SY_Q_CP_LAST, SY_Q_CP_AT, SY_Q_CP_AFTER,
    SY_Q_KV_GET, SY_Q_KV_NEXT, SY_Q_KV_SET, SY_Q_KV_DEL, SY_Q_COUNT
};

typedef struct sy_store {
    symbi_ctx *cx;
    char *dir, *path; /* folder, database file */
    size_t dir_n, path_n;
    bool readonly;
    bool held; /* a transaction is open between begin and commit or end */
    int busy_ms;
    int64_t busy_since; /* monotonic: when the present wait for another process began */
    sqlite3 *db;
    sqlite3_stmt *q[SY_Q_COUNT]; /* prepared on first use */
    int sync_full;               /* present PRAGMA synchronous: 1 FULL, 0 NORMAL, -1 unknown */
    symbi_key *key;
    uint8_t pub[32];
    bool has_pub;
    sy_anchor *anchors;
    size_t nanchors, cap_anchors;
    sy_buf out; /* strings of the last answer, borrowed by the caller */
    /* where the walk over checkpoints stands, so that the i-th is found without counting */
    char walk_chain[65];
    uint64_t walk_i, walk_len;
} sy_store;

/* store_files.c: the folder and its small files */
symbi_status sy_store_dir(sy_store *s, symbi_err *err);
symbi_status sy_store_load_key(sy_store *s, symbi_err *err);
symbi_status sy_store_load_pub(sy_store *s, symbi_err *err);
symbi_status sy_anchor_read(const sy_store *s, symbi_str chain, symbi_store_checkpoint *out, symbi_err *err);
symbi_status sy_anchor_write(const sy_store *s, sy_anchor *a, symbi_err *err); /* a->last */
/* The slot of chain, made when missing; NULL when out of memory or when the chain's name fits no file name. */
sy_anchor *sy_anchor_of(sy_store *s, symbi_str chain);
/* "<dir>/<name>" into buf; false when it does not fit. */
bool sy_store_path(const sy_store *s, const char *name, char *buf, size_t cap);
symbi_status sy_fail_errno(symbi_err *err, const char *path, const char *what, int e);

/* store_sqlite.c: the transactions */
void sy_store_bind(sy_store *s, symbi_store *out);
/* What SQLite said, as one message with path and fix. rc: its result code. */
symbi_status sy_db_fail(const sy_store *s, int rc, symbi_err *err);
symbi_status sy_db_exec(sy_store *s, const char *sql, symbi_err *err);
#endif
