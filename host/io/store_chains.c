/* io/store_chains.c: which chains a state folder knows: those with entries or checkpoints, and those of which only the
 * anchor file is left, so that a chain that was removed as a whole is still asked for. */
#include "io/store_in.h"
#include "base/err.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

/* The smallest chain name after `after` in the database into s->out; ENOTFOUND. */
static symbi_status next_in_db(sy_store *s, symbi_str after, symbi_err *err)
{
    sqlite3_stmt *q = NULL;
    symbi_status st = SYMBI_ENOTFOUND;
    int rc = sqlite3_prepare_v2(s->db,
                                "SELECT min(c) FROM (SELECT min(chain) AS c FROM entry WHERE chain > ?1 UNION ALL SELECT min(chain) FROM checkpoint WHERE chain > ?1)",
                                -1, &q, NULL);
    sy_buf_clear(&s->out);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text64(q, 1, after.n ? after.p : "", after.n, SQLITE_STATIC, SQLITE_UTF8);
    if (rc == SQLITE_OK) rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        if (sqlite3_column_type(q, 0) == SQLITE_TEXT) {
            sy_buf_add(&s->out, sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0));
            st = sy_buf_status(&s->out) ? sy_fail_nomem(err) : SYMBI_OK;
        }
    } else if (rc != SQLITE_DONE) st = sy_db_fail(s, rc, err);
    sqlite3_finalize(q);
    return st;
}

/* "main" for anchor.json, "x" for anchor-x.json, else empty. */
static symbi_str chain_of_file(const char *name)
{
    symbi_str f = symbi_str_z(name);
    if (sy_str_eqz(f, "anchor.json")) return SY_LIT("main");
    if (!sy_str_starts(f, SY_LIT("anchor-")) || !sy_str_ends(f, SY_LIT(".json")) || f.n <= 12) return SY_LIT("");
    return (symbi_str){ f.p + 7, f.n - 12 };
}

symbi_status symbi_io_store_next_chain(const symbi_store *store, symbi_str after, symbi_str *out, symbi_err *err)
{
    sy_store *s = store->ud;
    struct dirent *e;
    DIR *d;
    char best[256];
    symbi_str b = { best, 0 };
    symbi_status st = next_in_db(s, after, err);
    if (st && st != SYMBI_ENOTFOUND) return st;
    d = opendir(s->dir);
    if (!d) return sy_fail_errno(err, s->dir, "the state folder cannot be listed", errno);
    while ((e = readdir(d)) != NULL) {
        symbi_str c = chain_of_file(e->d_name);
        if (c.n == 0 || sy_str_cmp(c, after) <= 0 || (b.n && sy_str_cmp(c, b) >= 0)) continue;
        memcpy(best, c.p, c.n);
        b.n = c.n;
    }
    closedir(d);
    if (b.n && (st || sy_str_cmp(b, sy_buf_str(&s->out)) < 0)) {
        sy_buf_clear(&s->out);
        sy_buf_adds(&s->out, b);
        if (sy_buf_status(&s->out)) return sy_fail_nomem(err);
        st = SYMBI_OK;
    }
    if (st) return sy_fail(err, SYMBI_ENOTFOUND, "there are no more chains");
    *out = sy_buf_str(&s->out);
    return SYMBI_OK;
}
