/* io_store_test.c: the SQLite store: the plug point, files and modes, every refusal with its message, tampering by hand with
 * SQLite, roll-back against the anchor, several processes, and kill -9 in the middle of commits. */
#include "test.h"
#include "io/store_in.h"
#include "symbi/io_store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_err err;
static char base[64];

static const char *tmp(const char *name) /* the last 64 stay valid */
{
    static char p[64][200];
    static int i;
    i = (i + 1) % 64;
    snprintf(p[i], sizeof p[i], "%s/%s", base, name);
    return p[i];
}
/* A shell command with the folder in $D. */
static int sh(const char *cmd, const char *dir)
{
    setenv("D", dir, 1);
    return system(cmd);
}
static bool exists(const char *dir, const char *file, unsigned *mode)
{
    char p[300];
    struct stat sb;
    snprintf(p, sizeof p, "%s/%s", dir, file);
    if (stat(p, &sb)) return false;
    if (mode) *mode = sb.st_mode & 0777;
    return true;
}
static bool has(const char *needle)
{
    char b[800];
    symbi_err_format(&err, b, sizeof b);
    if (strstr(b, needle)) return true;
    printf("no \"%s\" in: %s\n", needle, b);
    return false;
}
static symbi_str bytes(const void *p, size_t n)
{
    symbi_str s = { p, n };
    return s;
}

typedef struct rig {
    symbi_store s;
    symbi_audit *a;
    uint8_t pub[32];
} rig;
static symbi_status rig_open(rig *r, symbi_ctx *c, const char *dir)
{
    symbi_audit_options o = { 0 };
    symbi_status st;
    memset(r, 0, sizeof *r);
    st = symbi_io_store_open(c, dir, NULL, &r->s, &err);
    if (st) return st;
    symbi_io_store_public(&r->s, r->pub);
    o.key = symbi_io_store_key(&r->s);
    return symbi_audit_open(c, &r->s, &o, &r->a, &err);
}
static void rig_close(rig *r)
{
    symbi_audit_free(r->a);
    r->a = NULL;
    symbi_io_store_close(&r->s);
}
static symbi_status put(rig *r, const char *json, bool durable)
{
    symbi_audit_event e = { SYMBI_STR_INIT("l"), SYMBI_STR_INIT("agent"), 1, symbi_str_z(json) };
    return symbi_audit_commit(r->a, &e, 1, NULL, 0, durable, &err);
}
/* Read-only, against audit.pub and the anchor, as the command line does it. */
static symbi_audit_report verify(const char *dir)
{
    symbi_io_store_options o = { .size = sizeof o, .readonly = true };
    symbi_store s;
    symbi_store_checkpoint an;
    symbi_audit_report rep;
    uint8_t pub[32];
    symbi_status st;
    memset(&rep, 0, sizeof rep);
    st = symbi_io_store_open(cx, dir, &o, &s, &err);
    CHECK_OK(st, err);
    if (st) return rep;
    CHECK(symbi_io_store_public(&s, pub));
    CHECK(symbi_io_store_key(&s) == NULL);
    st = symbi_io_store_anchor(&s, symbi_str_z(""), &an, &err);
    CHECK(st == SYMBI_OK || st == SYMBI_ENOTFOUND);
    CHECK_OK(symbi_audit_verify(cx, &s, symbi_str_z(""), pub, st ? NULL : &an, &rep, &err), err);
    symbi_io_store_close(&s);
    return rep;
}
/* What an attacker with the file can do. */
static void tamper(const char *dir, const char *sql)
{
    char p[300], *msg = NULL;
    sqlite3 *db = NULL;
    snprintf(p, sizeof p, "%s/symbi.db", dir);
    CHECK(sqlite3_open(p, &db) == SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK) {
        printf("tampering failed: %s: %s\n", sql, msg ? msg : "");
        t_now_failed = 1;
    }
    sqlite3_free(msg);
    sqlite3_close(db);
}

static void test_files(void)
{
    const char *dir = tmp("a/b/state/");
    unsigned mode = 0;
    uint8_t pub1[32], pub2[32], seed[32];
    rig r;
    symbi_store_checkpoint an;
    CHECK_OK(rig_open(&r, cx, dir), err);
    REQUIRE(r.a);
    symbi_io_store_public(&r.s, pub1);
    CHECK(exists(tmp("a/b"), "state", &mode) && mode == 0700);
    CHECK(exists(dir, "symbi.db", &mode) && mode == 0600);
    CHECK(exists(dir, "symbi.db-wal", &mode) && mode == 0600);
    CHECK(exists(dir, "audit.key", &mode) && mode == 0600);
    CHECK(exists(dir, "audit.pub", &mode));
    CHECK(!exists(dir, "anchor.json", NULL));
    CHECK(symbi_io_store_anchor(&r.s, symbi_str_z(""), &an, &err) == SYMBI_ENOTFOUND);
    CHECK_OK(put(&r, "{}", true), err);
    CHECK(exists(dir, "anchor.json", &mode) && mode == 0600);
    CHECK_OK(symbi_io_store_anchor(&r.s, symbi_str_z(""), &an, &err), err);
    CHECK(an.len == 1 && memcmp(an.public_key, pub1, 32) == 0);
    CHECK_OK(put(&r, "{}", false), err); /* not waited for: the anchor must not run ahead of the disk */
    CHECK_OK(symbi_io_store_anchor(&r.s, symbi_str_z(""), &an, &err), err);
    CHECK(an.len == 1);
    CHECK_OK(symbi_ed25519_seed(symbi_io_store_key(&r.s), seed, &err), err);
    rig_close(&r);
    rig_close(&r); /* closing twice is fine */
    CHECK_OK(rig_open(&r, cx, dir), err); /* the same key again */
    symbi_io_store_public(&r.s, pub2);
    CHECK(memcmp(pub1, pub2, 32) == 0 && symbi_audit_len(r.a) == 2);
    CHECK_OK(symbi_io_store_anchor(&r.s, symbi_str_z(""), &an, &err), err);
    CHECK(an.len == 2); /* written at close */
    rig_close(&r);
    CHECK(verify(dir).result == SYMBI_AUDIT_OK && verify(dir).anchored == 2);
    { /* a raw seed is fine as well */
        FILE *f;
        char p[300];
        snprintf(p, sizeof p, "%s/audit.key", dir);
        f = fopen(p, "wb");
        REQUIRE(f);
        fwrite(seed, 1, 32, f);
        fclose(f);
        CHECK_OK(rig_open(&r, cx, dir), err);
        symbi_io_store_public(&r.s, pub2);
        CHECK(memcmp(pub1, pub2, 32) == 0);
        rig_close(&r);
    }
    CHECK(sh("test -z \"$(ls -A \"$D\" | grep '^\\.audit')\"", dir) == 0); /* no temporary file left */
}

static void test_store_contract(void)
{
    const char *dir = tmp("contract");
    rig r;
    symbi_audit_event e = { SYMBI_STR_INIT("loop \xc3\xa4"), SYMBI_STR_INIT(""), UINT64_MAX, SYMBI_STR_INIT("{\"a\":[1,2],\"b\":\"\\u0000\"}") };
    symbi_store_kv kv[3] = { { .ns = SYMBI_STR_INIT("n"), .key = SYMBI_STR_INIT("b"), .value = SYMBI_STR_INIT("2") },
                             { .ns = SYMBI_STR_INIT("n"), .key = SYMBI_STR_INIT("a"), .value = { "\0x", 2 } },
                             { .ns = SYMBI_STR_INIT("o"), .key = SYMBI_STR_INIT("a"), .value = SYMBI_STR_INIT("") } };
    symbi_store_kv use = { .ns = SYMBI_STR_INIT("n"), .key = SYMBI_STR_INIT("b"), .value = SYMBI_STR_INIT("3"), .check = SYMBI_KV_EQUALS, .expect = SYMBI_STR_INIT("2") };
    symbi_store_row row;
    symbi_store_checkpoint cp;
    symbi_store_batch b = { 0 };
    symbi_str k, v;
    uint64_t len;
    int64_t ms;
    uint8_t head[32], h2[32];
    CHECK_OK(rig_open(&r, cx, dir), err);
    REQUIRE(r.a);
    CHECK_OK(r.s.tail(r.s.ud, symbi_str_z("main"), &len, head, &ms, &err), err);
    CHECK(len == 0 && ms == 0);
    CHECK(r.s.row(r.s.ud, symbi_str_z("main"), 0, &row, &err) == SYMBI_ENOTFOUND);
    CHECK(r.s.checkpoint(r.s.ud, symbi_str_z("main"), UINT64_MAX, &cp, &err) == SYMBI_ENOTFOUND);
    CHECK_OK(symbi_audit_commit(r.a, &e, 1, kv, 3, true, &err), err);
    CHECK_OK(put(&r, "{}", true), err);
    CHECK_OK(put(&r, "{}", false), err);
    CHECK_OK(r.s.row(r.s.ud, symbi_str_z("main"), 0, &row, &err), err);
    CHECK_STR(row.event, "{\"a\":[1,2],\"b\":\"\\u0000\"}");
    CHECK_STR(row.loop_id, "loop \xc3\xa4");
    CHECK(row.iteration == UINT64_MAX && row.agent_id.n == 0 && !row.has_signature);
    CHECK(r.s.row(r.s.ud, symbi_str_z("other"), 0, &row, &err) == SYMBI_ENOTFOUND);
    CHECK(r.s.row(r.s.ud, symbi_str_z("main"), UINT64_MAX, &row, &err) == SYMBI_ENOTFOUND);
    for (uint64_t i = 0; i < 3; i++) CHECK(r.s.checkpoint(r.s.ud, symbi_str_z("main"), i, &cp, &err) == SYMBI_OK && cp.len == i + 1);
    CHECK(r.s.checkpoint(r.s.ud, symbi_str_z("main"), 3, &cp, &err) == SYMBI_ENOTFOUND);
    CHECK(r.s.checkpoint(r.s.ud, symbi_str_z("main"), 1, &cp, &err) == SYMBI_OK && cp.len == 2); /* and not only in a row */
    CHECK(r.s.checkpoint(r.s.ud, symbi_str_z("main"), UINT64_MAX, &cp, &err) == SYMBI_OK && cp.len == 3);
    CHECK_OK(r.s.tail(r.s.ud, symbi_str_z("main"), &len, head, &ms, &err), err);
    symbi_audit_head(r.a, h2);
    CHECK(len == 3 && memcmp(head, h2, 32) == 0 && ms > 0);
    /* records */
    CHECK_OK(r.s.get(r.s.ud, kv[1].ns, kv[1].key, &v, &err), err);
    CHECK(v.n == 2 && memcmp(v.p, "\0x", 2) == 0);
    CHECK_OK(r.s.get(r.s.ud, kv[2].ns, kv[2].key, &v, &err), err);
    CHECK(v.n == 0);
    CHECK_OK(r.s.next(r.s.ud, symbi_str_z("n"), symbi_str_z(""), &k, &v, &err), err);
    CHECK_STR(k, "a");
    CHECK_OK(r.s.next(r.s.ud, symbi_str_z("n"), k, &k, &v, &err), err);
    CHECK_STR(k, "b");
    CHECK(r.s.next(r.s.ud, symbi_str_z("n"), k, &k, &v, &err) == SYMBI_ENOTFOUND);
    CHECK_OK(symbi_audit_commit(r.a, &e, 1, &use, 1, true, &err), err);
    CHECK(symbi_audit_commit(r.a, &e, 1, &use, 1, true, &err) == SYMBI_EEXISTS);
    CHECK_OK(r.s.get(r.s.ud, use.ns, use.key, &v, &err), err);
    CHECK_STR(v, "3");
    use.value.p = NULL;
    use.check = SYMBI_KV_ANY;
    CHECK_OK(symbi_audit_commit(r.a, NULL, 0, &use, 1, true, &err), err);
    CHECK(r.s.get(r.s.ud, use.ns, use.key, &v, &err) == SYMBI_ENOTFOUND);
    /* another tail than the batch was made for */
    b.chain = symbi_str_z("main");
    b.expect_len = 3;
    memcpy(b.expect_head, head, 32);
    CHECK(r.s.commit(r.s.ud, &b, &err) == SYMBI_ESTATE);
    b.expect_len = 4;
    CHECK(r.s.commit(r.s.ud, &b, &err) == SYMBI_ESTATE);
    rig_close(&r);
    CHECK(verify(dir).result == SYMBI_AUDIT_OK);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------------- */

static void test_refusals(void)
{
    symbi_io_store_options ro = { .size = sizeof ro, .readonly = true };
    symbi_store s;
    rig r;
    CHECK(symbi_io_store_open(cx, tmp("none"), &ro, &s, &err) == SYMBI_ENOTFOUND && has("none"));
    CHECK(symbi_io_store_open(cx, "", NULL, &s, &err) == SYMBI_EINVAL);
    sh("echo x > \"$D\"", tmp("file"));
    CHECK(symbi_io_store_open(cx, tmp("file"), NULL, &s, &err) == SYMBI_EIO && has("a file stands where a folder is needed"));
    CHECK(symbi_io_store_open(cx, tmp("file/sub"), NULL, &s, &err) == SYMBI_EIO);
    /* not a database */
    sh("mkdir -p \"$D\" && head -c 5000 /dev/urandom > \"$D\"/symbi.db", tmp("garbage"));
    CHECK(symbi_io_store_open(cx, tmp("garbage"), NULL, &s, &err) == SYMBI_EIO && has("not a SQLite database") && has("garbage/symbi.db"));
    CHECK(symbi_io_store_open(cx, tmp("garbage"), &ro, &s, &err) == SYMBI_EIO && has("not a SQLite database"));
    /* somebody else's */
    sh("mkdir -p \"$D\"", tmp("other"));
    tamper(tmp("other"), "CREATE TABLE t(x)");
    CHECK(symbi_io_store_open(cx, tmp("other"), NULL, &s, &err) == SYMBI_EIO && has("another program"));
    /* a newer one, one with a trigger, one without a table */
    for (int i = 0; i < 4; i++) {
        static const char *const sql[] = { "PRAGMA user_version=99", "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM checkpoint; END",
                                           "DROP TABLE kv", "ALTER TABLE kv RENAME TO kw; CREATE VIEW kv AS SELECT * FROM kw" };
        static const char *const want[] = { "newer symbi-lua", "did not make", "lacks tables", "lacks tables" };
        char name[20];
        snprintf(name, sizeof name, "bad%d", i);
        CHECK_OK(rig_open(&r, cx, tmp(name)), err);
        CHECK_OK(put(&r, "{}", true), err);
        rig_close(&r);
        tamper(tmp(name), sql[i]);
        CHECK(symbi_io_store_open(cx, tmp(name), NULL, &s, &err) != SYMBI_OK && has(want[i]));
        CHECK(symbi_io_store_open(cx, tmp(name), &ro, &s, &err) != SYMBI_OK && has(want[i]));
    }
    /* an empty folder, read-only */
    sh("mkdir -p \"$D\"", tmp("empty"));
    CHECK(symbi_io_store_open(cx, tmp("empty"), &ro, &s, &err) == SYMBI_ENOTFOUND && has("nothing has been recorded"));
    sh("touch \"$D\"/symbi.db", tmp("empty"));
    CHECK(symbi_io_store_open(cx, tmp("empty"), &ro, &s, &err) == SYMBI_ENOTFOUND && has("nothing has been recorded"));
    /* a database that is a link, a device */
    sh("mkdir -p \"$D\" && ln -s /dev/null \"$D\"/symbi.db", tmp("dev"));
    CHECK(symbi_io_store_open(cx, tmp("dev"), NULL, &s, &err) == SYMBI_EIO && has("not a regular file"));
}

static void test_key_refusals(void)
{
    const char *dir = tmp("keys");
    symbi_store s;
    rig r;
    CHECK_OK(rig_open(&r, cx, dir), err);
    rig_close(&r);
    sh("chmod 644 \"$D\"/audit.key", dir);
    CHECK(symbi_io_store_open(cx, dir, NULL, &s, &err) == SYMBI_EIO && has("chmod 600") && has("audit.key"));
    sh("chmod 600 \"$D\"/audit.key; cp \"$D\"/audit.key \"$D\"/../key-copy", dir);
    sh("truncate -s 10 \"$D\"/audit.key", dir);
    CHECK(symbi_io_store_open(cx, dir, NULL, &s, &err) == SYMBI_EPARSE && has("wrong size"));
    sh("truncate -s 0 \"$D\"/audit.key", dir);
    CHECK(symbi_io_store_open(cx, dir, NULL, &s, &err) == SYMBI_EPARSE && has("wrong size"));
    sh("head -c 100000 /dev/zero > \"$D\"/audit.key", dir);
    CHECK(symbi_io_store_open(cx, dir, NULL, &s, &err) == SYMBI_EPARSE && has("wrong size"));
    sh("head -c 32 /dev/urandom > \"$D\"/audit.key", dir);
    CHECK(symbi_io_store_open(cx, dir, NULL, &s, &err) == SYMBI_EVERIFY && has("audit.pub"));
    sh("rm \"$D\"/audit.key", dir);
    CHECK(symbi_io_store_open(cx, dir, NULL, &s, &err) == SYMBI_ENOTFOUND && has("restore audit.key"));
    CHECK(!exists(dir, "audit.key", NULL)); /* and no new one was made */
    sh("ln -s \"$D\"/../key-copy \"$D\"/audit.key", dir);
    CHECK(symbi_io_store_open(cx, dir, NULL, &s, &err) == SYMBI_EIO);
    sh("rm \"$D\"/audit.key; mkfifo \"$D\"/audit.key", dir);
    CHECK(symbi_io_store_open(cx, dir, NULL, &s, &err) == SYMBI_EIO && has("regular file"));
    sh("rm \"$D\"/audit.key; mv \"$D\"/../key-copy \"$D\"/audit.key", dir);
    sh("echo zz > \"$D\"/audit.pub", dir);
    CHECK(symbi_io_store_open(cx, dir, NULL, &s, &err) == SYMBI_EPARSE && has("audit.pub"));
    sh("rm \"$D\"/audit.pub", dir);
    CHECK_OK(rig_open(&r, cx, dir), err); /* made again from the key */
    CHECK(exists(dir, "audit.pub", NULL));
    rig_close(&r);
}

/* Runs f in a child without root's powers; its exit status. */
static int as_nobody(int (*f)(const char *dir), const char *dir)
{
    int status = -1;
    pid_t pid;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgid(65534) || setuid(65534))) _exit(99);
        int rc = f(dir);
        fflush(NULL);
        _exit(rc);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
static int child_readonly(const char *dir)
{
    symbi_store s;
    if (symbi_io_store_open(cx, dir, NULL, &s, &err) != SYMBI_EIO || !has(dir)) return 1;
    if (verify(dir).result != SYMBI_AUDIT_OK) return 2;
    return t_now_failed ? 3 : 0;
}
static int child_nofolder(const char *dir)
{
    symbi_store s;
    return symbi_io_store_open(cx, dir, NULL, &s, &err) == SYMBI_EIO && has("give this user the permission") ? 0 : 1;
}

static void test_read_only_folder(void)
{
    const char *dir = tmp("ro%dir ?#x"); /* and a name that an URI must escape */
    rig r;
    CHECK_OK(rig_open(&r, cx, dir), err);
    CHECK_OK(put(&r, "{}", true), err);
    rig_close(&r);
    (void)!sh("chmod 755 \"$(dirname \"$D\")\"", dir);
    sh("chmod 555 \"$D\"; chmod 444 \"$D\"/*", dir);
    if (geteuid() == 0) sh("chown -R 65534 \"$D\"", dir); /* the owner himself, in a read-only folder */
    CHECK(as_nobody(child_readonly, dir) == 0);
    sh("chmod 755 \"$D\"", dir);
    sh("mkdir -p \"$D\"; chmod 500 \"$D\"", tmp("locked"));
    if (geteuid() == 0) CHECK(as_nobody(child_nofolder, tmp("locked/x")) == 0);
}

static void test_full_disk(void)
{
    const char *dir = tmp("full");
    rig r;
    symbi_status st = SYMBI_OK;
    symbi_audit_report rep;
    char big[3000];
    uint64_t before;
    memset(big, 'x', sizeof big);
    memcpy(big, "{\"a\":\"", 6);
    memcpy(big + sizeof big - 3, "\"}", 3);
    CHECK_OK(rig_open(&r, cx, dir), err);
    REQUIRE(r.a);
    CHECK_OK(put(&r, "{}", true), err);
    CHECK_OK(sy_db_exec(r.s.ud, "PRAGMA max_page_count=20", &err), err);
    for (int i = 0; i < 100 && !st; i++) st = put(&r, big, true);
    CHECK(st == SYMBI_EIO && has("disk is full") && has("symbi.db"));
    before = symbi_audit_len(r.a);
    CHECK(put(&r, big, true) == SYMBI_EIO);
    CHECK_OK(sy_db_exec(r.s.ud, "PRAGMA max_page_count=100000", &err), err);
    CHECK_OK(put(&r, "{}", true), err); /* space again: the gap comes first */
    CHECK(symbi_audit_len(r.a) == before + 2);
    rig_close(&r);
    rep = verify(dir);
    CHECK(rep.result == SYMBI_AUDIT_OK && rep.gaps == 1);
}

/* Every write fails from some point on (file size limit), and then again works. */
static void test_write_errors(void)
{
    const char *dir = tmp("limit");
    struct rlimit old, small;
    rig r;
    symbi_status st = SYMBI_OK;
    signal(SIGXFSZ, SIG_IGN);
    CHECK_OK(rig_open(&r, cx, dir), err);
    REQUIRE(r.a);
    CHECK_OK(put(&r, "{}", true), err);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 60000;
    setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 0; i < 200 && !st; i++) st = put(&r, "{}", true);
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK(st == SYMBI_EIO && has("symbi.db"));
    CHECK_OK(put(&r, "{}", true), err);
    rig_close(&r);
    CHECK(verify(dir).result == SYMBI_AUDIT_OK && verify(dir).gaps == 1);
}

/* ---- tampering ---------------------------------------------------------------------------------------------------------- */

static void test_tampering(void)
{
    static const struct { const char *sql; symbi_audit_result want; uint64_t at; } t[] = {
        { "UPDATE entry SET event = '{\"n\":9}' WHERE seq = 2", SYMBI_AUDIT_CHAIN, 2 },
        { "UPDATE entry SET agent_id = 'x' WHERE seq = 0", SYMBI_AUDIT_CHAIN, 0 },
        { "UPDATE entry SET ts = ts - 1 WHERE seq = 4", SYMBI_AUDIT_CHAIN, 4 },
        { "UPDATE entry SET hash = x'00' WHERE seq = 3", SYMBI_AUDIT_CHAIN, 3 },
        { "UPDATE entry SET hash = x'00' WHERE seq = 4", SYMBI_AUDIT_CHAIN, 4 },
        { "UPDATE entry SET signature = x'00' WHERE seq = 1", SYMBI_AUDIT_CHAIN, 1 },
        { "UPDATE entry SET signature = zeroblob(64) WHERE seq = 1", SYMBI_AUDIT_SIGNATURE, 1 },
        { "DELETE FROM entry WHERE seq = 0", SYMBI_AUDIT_SEQUENCE, 0 },
        { "DELETE FROM entry WHERE seq = 2", SYMBI_AUDIT_SEQUENCE, 2 },
        { "UPDATE entry SET seq = 100 WHERE seq = 2; UPDATE entry SET seq = 2 WHERE seq = 3; UPDATE entry SET seq = 3 WHERE seq = 100", SYMBI_AUDIT_CHAIN, 2 },
        { "DELETE FROM entry WHERE seq = 4", SYMBI_AUDIT_TRUNCATED, 4 },
        { "DELETE FROM entry", SYMBI_AUDIT_TRUNCATED, 0 },
        { "DELETE FROM entry WHERE seq = 4; DELETE FROM checkpoint WHERE len = 5", SYMBI_AUDIT_TRUNCATED, 4 }, /* the anchor knows */
        { "DELETE FROM entry; DELETE FROM checkpoint", SYMBI_AUDIT_TRUNCATED, 0 },
        { "UPDATE checkpoint SET head = zeroblob(32) WHERE len = 3", SYMBI_AUDIT_SIGNATURE, 2 },
        { "UPDATE checkpoint SET signature = x'' WHERE len = 3", SYMBI_AUDIT_SIGNATURE, 2 },
        { "UPDATE checkpoint SET public_key = zeroblob(32) WHERE len = 5", SYMBI_AUDIT_SIGNATURE, 4 },
        { "INSERT INTO entry SELECT chain, seq + 1, ts, iteration, loop_id, agent_id, event, hash, hash, NULL FROM entry WHERE seq = 4", SYMBI_AUDIT_CHAIN, 5 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char name[32];
        rig r;
        symbi_audit_report rep;
        snprintf(name, sizeof name, "t%zu", i);
        CHECK_OK(rig_open(&r, cx, tmp(name)), err);
        REQUIRE(r.a);
        for (int k = 0; k < 5; k++) CHECK_OK(put(&r, "{\"n\":1}", true), err);
        rig_close(&r);
        CHECK(verify(tmp(name)).result == SYMBI_AUDIT_OK);
        tamper(tmp(name), t[i].sql);
        rep = verify(tmp(name));
        if (rep.result != t[i].want || rep.bad_sequence != t[i].at) {
            printf("%s: %s at %llu: %s\n", t[i].sql, symbi_audit_result_name(rep.result), (unsigned long long)rep.bad_sequence, rep.detail);
            t_now_failed = 1;
        }
        if (t[i].at == 4 || t[i].want == SYMBI_AUDIT_TRUNCATED) { /* no writing over it */
            CHECK(rig_open(&r, cx, tmp(name)) == SYMBI_EVERIFY);
            rig_close(&r);
        }
    }
}

/* The whole database taken back to an earlier copy: in itself it is perfect. */
static void test_rollback(void)
{
    const char *dir = tmp("roll");
    rig r;
    symbi_audit_report rep;
    CHECK_OK(rig_open(&r, cx, dir), err);
    CHECK_OK(put(&r, "{\"n\":1}", true), err);
    rig_close(&r);
    CHECK(sh("cp \"$D\"/symbi.db \"$D\"/old.db", dir) == 0);
    CHECK_OK(rig_open(&r, cx, dir), err);
    CHECK_OK(put(&r, "{\"n\":2}", true), err);
    rig_close(&r);
    CHECK(sh("cp \"$D\"/symbi.db \"$D\"/new.db", dir) == 0);
    CHECK(sh("mv \"$D\"/old.db \"$D\"/symbi.db", dir) == 0);
    rep = verify(dir);
    CHECK(rep.result == SYMBI_AUDIT_TRUNCATED && rep.bad_sequence == 1 && rep.entries == 1);
    CHECK(rig_open(&r, cx, dir) == SYMBI_EVERIFY && has("cut or rolled back"));
    rig_close(&r);
    /* put right again */
    CHECK(sh("mv \"$D\"/new.db \"$D\"/symbi.db", dir) == 0);
    CHECK(verify(dir).result == SYMBI_AUDIT_OK);
    CHECK_OK(rig_open(&r, cx, dir), err);
    rig_close(&r);
    /* the anchor itself: edited, garbage, of nobody */
    CHECK(sh("cp \"$D\"/anchor.json \"$D\"/good", dir) == 0);
    CHECK(sh("sed -i 's/\"len\":2/\"len\":1/' \"$D\"/anchor.json", dir) == 0);
    CHECK(verify(dir).result == SYMBI_AUDIT_SIGNATURE);
    CHECK(rig_open(&r, cx, dir) == SYMBI_EVERIFY);
    rig_close(&r);
    CHECK(sh("echo garbage > \"$D\"/anchor.json", dir) == 0);
    CHECK(rig_open(&r, cx, dir) == SYMBI_EVERIFY && has("anchor"));
    rig_close(&r);
    CHECK(sh("mv \"$D\"/good \"$D\"/anchor.json", dir) == 0);
    CHECK_OK(rig_open(&r, cx, dir), err);
    rig_close(&r);
}

static void test_corrupt_pages(void)
{
    const char *dir = tmp("corrupt");
    symbi_io_store_options ro = { .size = sizeof ro, .readonly = true };
    rig r;
    char big[2100];
    symbi_store s;
    symbi_audit_report rep;
    uint8_t pub[32];
    memset(big, 'x', sizeof big);
    memcpy(big, "{\"a\":\"", 6);
    memcpy(big + sizeof big - 3, "\"}", 3);
    CHECK_OK(rig_open(&r, cx, dir), err);
    for (int i = 0; i < 40; i++) CHECK_OK(put(&r, big, true), err);
    rig_close(&r);
    CHECK(sh("dd if=/dev/urandom of=\"$D\"/symbi.db bs=4096 seek=8 count=4 conv=notrunc 2>/dev/null", dir) == 0);
    if (symbi_io_store_open(cx, dir, &ro, &s, &err) == SYMBI_OK) { /* never a crash, never "ok" */
        symbi_io_store_public(&s, pub);
        if (symbi_audit_verify(cx, &s, symbi_str_z(""), pub, NULL, &rep, &err) == SYMBI_OK) CHECK(rep.result != SYMBI_AUDIT_OK);
        else CHECK(has("damaged") && has("symbi.db"));
        symbi_io_store_close(&s);
    }
}

/* ---- several processes --------------------------------------------------------------------------------------------------- */

static void writer_process(const char *dir, int n, bool durable)
{
    symbi_ctx *c = NULL;
    rig r;
    if (symbi_ctx_new(NULL, &c, &err)) _exit(90);
    if (rig_open(&r, c, dir)) {
        char b[700];
        symbi_err_format(&err, b, sizeof b);
        fprintf(stderr, "writer: %s\n", b);
        _exit(91);
    }
    for (int i = 0; i < n; i++)
        if (put(&r, "{\"type\":\"tick\",\"pad\":\"0123456789012345678901234567890123456789\"}", durable ? true : i % 3 == 0)) _exit(92);
    rig_close(&r);
    symbi_ctx_free(c);
    _exit(0);
}
static pid_t start(const char *dir, int n, bool durable)
{
    pid_t pid;
    fflush(NULL);
    pid = fork();
    if (pid == 0) writer_process(dir, n, durable);
    return pid;
}

static void test_processes(void)
{
    const char *dir = tmp("procs");
    pid_t p[4];
    int status;
    symbi_audit_report rep;
    for (int i = 0; i < 4; i++) p[i] = start(dir, 50, true); /* they also race for making folder, key and schema */
    for (int i = 0; i < 4; i++) {
        CHECK(waitpid(p[i], &status, 0) == p[i]);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    rep = verify(dir);
    CHECK(rep.result == SYMBI_AUDIT_OK && rep.entries == 200 && rep.anchored == 200 && rep.gaps == 0);
}

static void test_chains(void)
{
    const char *dir = tmp("chains");
    static const char *const want[] = { "gone", "main", "w-1" };
    rig r;
    symbi_audit *b[2] = { NULL, NULL };
    symbi_audit_options o = { 0 };
    symbi_audit_event e = { .event = SYMBI_STR_INIT("{}") };
    symbi_str at = { "", 0 };
    char name[70];
    CHECK_OK(rig_open(&r, cx, dir), err);
    REQUIRE(r.a);
    CHECK(symbi_io_store_next_chain(&r.s, at, &at, &err) == SYMBI_ENOTFOUND);
    o.key = symbi_io_store_key(&r.s);
    for (int i = 0; i < 2; i++) {
        o.chain = symbi_str_z(i ? "w-1" : "gone");
        CHECK_OK(symbi_audit_open(cx, &r.s, &o, &b[i], &err), err);
        REQUIRE(b[i]);
        CHECK_OK(symbi_audit_commit(b[i], &e, 1, NULL, 0, true, &err), err);
        symbi_audit_free(b[i]);
    }
    CHECK_OK(put(&r, "{}", true), err);
    CHECK(exists(dir, "anchor-w-1.json", NULL));
    rig_close(&r);
    tamper(dir, "DELETE FROM entry WHERE chain = 'gone'; DELETE FROM checkpoint WHERE chain = 'gone'");
    CHECK_OK(rig_open(&r, cx, dir), err);
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(symbi_io_store_next_chain(&r.s, at, &at, &err), err);
        CHECK_STR(at, want[i]);
        snprintf(name, sizeof name, "%.*s", (int)at.n, at.p);
        at = symbi_str_z(name);
    }
    CHECK(symbi_io_store_next_chain(&r.s, at, &at, &err) == SYMBI_ENOTFOUND);
    rig_close(&r);
}

/* A trail is verified, against its moving anchor, while somebody writes. The writer goes on until it is stopped, so that
 * no machine is too fast or too slow for this. */
static void test_verify_while_written(void)
{
    const char *dir = tmp("live");
    rig r;
    pid_t pid;
    int status, grown = 0;
    uint64_t last = 0;
    int64_t give_up = time(NULL) + 60;
    CHECK_OK(rig_open(&r, cx, dir), err);
    CHECK_OK(put(&r, "{}", true), err);
    rig_close(&r);
    pid = start(dir, 1000000, true);
    REQUIRE(pid > 0);
    while (grown < 3 && time(NULL) < give_up) {
        symbi_audit_report rep = verify(dir);
        if (rep.result != SYMBI_AUDIT_OK) printf("while written: %s\n", rep.detail);
        CHECK(rep.result == SYMBI_AUDIT_OK && rep.entries >= last);
        if (rep.result != SYMBI_AUDIT_OK) break;
        if (rep.entries > last) grown++;
        last = rep.entries;
    }
    CHECK(grown == 3);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(verify(dir).entries >= last);
}

static void test_kill_9(void)
{
    const char *dir = tmp("kill");
    uint64_t last = 0;
    unsigned seed = 12345;
    for (int round = 0; round < 16; round++) {
        struct timespec nap = { 0, 0 };
        pid_t pid = start(dir, 1000000, round % 2 == 0);
        int status;
        symbi_audit_report rep;
        seed = seed * 1103515245 + 12345;
        nap.tv_nsec = 1000000;
        /* On a loaded machine the first one may take long to begin; later ones are also killed while they open. */
        for (int k = 0; round == 0 && k < 10000 && !exists(dir, "anchor.json", NULL); k++) nanosleep(&nap, NULL);
        nap.tv_nsec = (long)(3 + (seed >> 16) % 40) * 1000000;
        nanosleep(&nap, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        CHECK(WIFSIGNALED(status));
        {
            rig r; /* a writer goes on where the dead one stopped */
            CHECK_OK(rig_open(&r, cx, dir), err);
            if (r.a) CHECK_OK(put(&r, "{\"type\":\"resumed\"}", true), err);
            rig_close(&r);
        }
        rep = verify(dir);
        if (rep.result != SYMBI_AUDIT_OK) printf("round %d: %s\n", round, rep.detail);
        CHECK(rep.result == SYMBI_AUDIT_OK && rep.anchored == rep.entries && rep.entries > last);
        last = rep.entries;
    }
    printf("16 kills, %llu entries\n", (unsigned long long)last);
    CHECK(last >= 16);
}

static void test_busy(void)
{
    const char *dir = tmp("busy");
    symbi_io_store_options o = { .size = sizeof o, .busy_ms = 50 };
    symbi_store s;
    symbi_audit *a = NULL;
    symbi_audit_options ao = { 0 };
    symbi_audit_event e = { .event = SYMBI_STR_INIT("{}") };
    sqlite3 *db = NULL;
    char p[300];
    CHECK_OK(symbi_io_store_open(cx, dir, &o, &s, &err), err);
    ao.key = symbi_io_store_key(&s);
    CHECK_OK(symbi_audit_open(cx, &s, &ao, &a, &err), err);
    REQUIRE(a);
    snprintf(p, sizeof p, "%s/symbi.db", dir);
    CHECK(sqlite3_open(p, &db) == SQLITE_OK && sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    CHECK(symbi_audit_commit(a, &e, 1, NULL, 0, true, &err) == SYMBI_EIO && has("locked for more than 50 ms"));
    sqlite3_close(db);
    CHECK_OK(symbi_audit_commit(a, &e, 1, NULL, 0, true, &err), err);
    symbi_audit_free(a);
    symbi_io_store_close(&s);
    CHECK(verify(dir).gaps == 1);
}

/* ---- memory, descriptors -------------------------------------------------------------------------------------------------- */

static symbi_status oom_all(symbi_ctx *c, void *ud)
{
    rig r;
    symbi_audit_report rep;
    symbi_str k, v;
    symbi_store_kv kv = { .ns = SYMBI_STR_INIT("n"), .key = SYMBI_STR_INIT("k"), .value = SYMBI_STR_INIT("v") };
    symbi_audit_event e = { .event = SYMBI_STR_INIT("{}") };
    symbi_status st = rig_open(&r, c, ud);
    if (!st) st = symbi_audit_commit(r.a, &e, 1, &kv, 1, true, NULL);
    if (!st) st = r.s.next(r.s.ud, kv.ns, symbi_str_z(""), &k, &v, NULL);
    if (!st) st = symbi_audit_verify(c, &r.s, symbi_str_z(""), r.pub, NULL, &rep, NULL);
    if (!st && rep.result != SYMBI_AUDIT_OK) st = SYMBI_EVERIFY;
    rig_close(&r);
    return st;
}
static void test_out_of_memory(void)
{
    test_oom(oom_all, (void *)(uintptr_t)tmp("oom"), SYMBI_OK);
    CHECK(verify(tmp("oom")).result == SYMBI_AUDIT_OK);
}

static int open_fds(void)
{
    int n = 0;
    for (int i = 0; i < 256; i++) n += fcntl(i, F_GETFD) != -1;
    return n;
}

int main(void)
{
    int before, after;
    snprintf(base, sizeof base, "/tmp/symbi-store-test-%ld", (long)getpid());
    if (mkdir(base, 0755) || symbi_ctx_new(NULL, &cx, &err)) return 1;
    (void)bytes;
    before = open_fds();
    RUN(test_files);
    RUN(test_store_contract);
    RUN(test_refusals);
    RUN(test_key_refusals);
    RUN(test_read_only_folder);
    RUN(test_full_disk);
    RUN(test_write_errors);
    RUN(test_tampering);
    RUN(test_rollback);
    RUN(test_corrupt_pages);
    RUN(test_processes);
    RUN(test_chains);
    RUN(test_verify_while_written);
    RUN(test_kill_9);
    RUN(test_busy);
    RUN(test_out_of_memory);
    after = open_fds();
    if (before != after) {
        printf("%d descriptors before, %d after\n", before, after);
        t_failed++;
    }
    symbi_ctx_free(cx);
    if (!t_failed) sh("chmod -R u+w \"$D\"; rm -rf \"$D\"", base);
    return test_end();
}
