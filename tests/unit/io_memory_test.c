/* Memory files: limits, hostile text, out of memory, writers that are killed, searches. The reference vectors are run by
 * tests/spec/memory_spec.lua. */
#define _GNU_SOURCE
#include "codec/value.h"
#include "symbi/io.h"
#include "symbi/json.h"
#include "symbi/memory_store.h"
#include "test.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_err err;
static char dir[] = "/tmp/symbi-memory-XXXXXX";

static symbi_str z(const char *s) { return symbi_str_z(s); }

static symbi_doc *context(const char *json)
{
    symbi_doc *d = NULL;
    CHECK_OK(symbi_json_parse(cx, z(json), &d, &err), err);
    return d;
}

static size_t count(const symbi_doc *d, const char *member)
{
    const symbi_value *v = symbi_value_getz(symbi_doc_root(d), member);
    return v ? v->u.a.n : 999;
}

static void test_limits(void)
{
    symbi_limits *l = symbi_ctx_limits(cx), was = *l;
    symbi_doc *d = NULL;
    symbi_str three = z("## Facts\n- a\n- b\n");
    l->doc_bytes = three.n;
    CHECK_OK(symbi_memory_parse(cx, three, z("a"), SYMBI_MEMORY_AUTO, &d, &err), err);
    CHECK(count(d, "facts") == 2);
    symbi_doc_unref(d);
    l->doc_bytes = three.n - 1;
    CHECK(symbi_memory_parse(cx, three, z("a"), SYMBI_MEMORY_AUTO, &d, &err) == SYMBI_ELIMIT && !d);
    *l = was;
    l->doc_nodes = 5; /* three lines and two items */
    CHECK_OK(symbi_memory_parse(cx, three, z("a"), SYMBI_MEMORY_AUTO, &d, &err), err);
    symbi_doc_unref(d);
    l->doc_nodes = 4;
    CHECK(symbi_memory_parse(cx, three, z("a"), SYMBI_MEMORY_AUTO, &d, &err) == SYMBI_ELIMIT && err.line == 3);
    *l = was;
}

/* Long runs of one thing: 100,000 line ends, one line of 8 MB, only markers. */
static void test_hostile(void)
{
    static const char *const piece[] = { "\n", "\r", "- ", "## Facts\n", "\xe2\x80\xa8", "\xff", "\\u00", "<!-- symbi:metadata {} -->\n", "\xc2\xa0" };
    char *p = malloc(8 << 20);
    symbi_doc *d;
    for (size_t k = 0; k < sizeof piece / sizeof *piece; k++) {
        size_t n = strlen(piece[k]), total = k == 0 ? 100000 : 1 << 20;
        for (size_t i = 0; i + n <= total; i += n) memcpy(p + i, piece[k], n);
        for (int form = 0; form < 3; form++) {
            symbi_status st = symbi_memory_parse(cx, (symbi_str){ p, total - total % n }, z("a"), (symbi_memory_form)form, &d, &err);
            CHECK(st == SYMBI_OK || st == SYMBI_ELIMIT);
            if (!st) symbi_doc_unref(d);
        }
    }
    memcpy(p, "## Facts\n- ", 11);
    memset(p + 11, 'x', (8 << 20) - 11);
    CHECK_OK(symbi_memory_parse(cx, (symbi_str){ p, 8 << 20 }, z("a"), SYMBI_MEMORY_AUTO, &d, &err), err);
    CHECK(count(d, "facts") == 1);
    symbi_doc_unref(d);
    free(p);
}

/* Escapes that are cut off by the end of the item, or name no character. */
static void test_escapes(void)
{
    symbi_doc *d;
    const symbi_value *v;
    CHECK_OK(symbi_memory_parse(cx, z("# t\n<!-- symbi:escaped -->\n## Facts\n- a\\\n- b\\u\n- c\\u12\n- d\\ud800\n- e\\u0041\n- \\&\n- f\\\\n\n"), z("a"), SYMBI_MEMORY_AUTO, &d, &err), err);
    v = symbi_value_getz(symbi_doc_root(d), "facts");
    REQUIRE(v->u.a.n == 7);
    CHECK_STR(v->u.a.items[0].u.s, "a\\");
    CHECK_STR(v->u.a.items[1].u.s, "b\\u");
    CHECK_STR(v->u.a.items[2].u.s, "c\\u12");
    CHECK_STR(v->u.a.items[3].u.s, "d\\ud800");
    CHECK_STR(v->u.a.items[4].u.s, "eA");
    CHECK_STR(v->u.a.items[5].u.s, "");
    CHECK_STR(v->u.a.items[6].u.s, "f\\n");
    CHECK(count(d, "problems") == 4);
    symbi_doc_unref(d);
}

static symbi_status oom_text(symbi_ctx *c, void *ud)
{
    symbi_doc *ctx = ud, *d = NULL;
    symbi_text t = { 0 };
    symbi_status st = symbi_memory_write(c, symbi_doc_root(ctx), SYMBI_MEMORY_AUTO, 0, &t, NULL);
    if (!st) st = symbi_memory_parse(c, symbi_text_str(&t), z("a"), SYMBI_MEMORY_AUTO, &d, NULL);
    symbi_text_free(&t);
    symbi_doc_unref(d);
    return st;
}

static symbi_status oom_store(symbi_ctx *c, void *ud)
{
    symbi_doc *ctx = ud, *d = NULL;
    symbi_memory_store *m;
    char root[300];
    symbi_status st;
    snprintf(root, sizeof root, "%s/oom", dir);
    st = symbi_memory_store_open(c, root, NULL, &m, NULL);
    if (st) return st;
    st = symbi_memory_store_save(m, z("a"), symbi_doc_root(ctx), 1772600767000, NULL, NULL);
    if (!st) st = symbi_memory_store_load(m, z("a"), &d, NULL);
    symbi_doc_unref(d);
    d = NULL;
    if (!st) st = symbi_memory_store_search(m, z("one"), z(""), z(""), 0, &d, NULL, NULL);
    if (!st && symbi_doc_root(d)->u.a.n != 1) st = SYMBI_ESTATE;
    symbi_doc_unref(d);
    d = NULL;
    if (!st) st = symbi_memory_store_stats(m, &d, NULL);
    symbi_doc_unref(d);
    symbi_memory_store_close(m);
    return st;
}

static void test_memory(void)
{
    symbi_doc *c = context("{\"agent_id\":\"a\\nb\",\"facts\":[\"one\",\" \"],\"procedures\":[\"two\"],\"learned_patterns\":[],\"metadata\":{\"k\":\"v\"}}");
    test_oom(oom_text, c, SYMBI_OK);
    test_oom(oom_store, c, SYMBI_OK);
    symbi_doc_unref(c);
}

/* A writer is killed at a random moment, again and again: what is read is one of the contexts, never a mixture, never nothing. */
static void test_kill(void)
{
    symbi_memory_store *m;
    symbi_doc *d, *c = context("{\"agent_id\":\"a\",\"facts\":[\"first\"],\"procedures\":[],\"learned_patterns\":[]}");
    char root[300];
    snprintf(root, sizeof root, "%s/kill", dir);
    CHECK_OK(symbi_memory_store_open(cx, root, NULL, &m, &err), err);
    CHECK_OK(symbi_memory_store_save(m, z("a"), symbi_doc_root(c), 0, NULL, &err), err);
    symbi_doc_unref(c);
    for (int round = 0; round < 20; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (int i = 0;; i++) {
                char json[20000];
                int n = snprintf(json, sizeof json, "{\"agent_id\":\"a\",\"facts\":[");
                for (int k = 0; k < 50; k++) n += snprintf(json + n, sizeof json - (size_t)n, "%s\"value %d of all\"", k ? "," : "", i);
                snprintf(json + n, sizeof json - (size_t)n, "],\"procedures\":[],\"learned_patterns\":[]}");
                c = context(json);
                if (symbi_memory_store_save(m, z("a"), symbi_doc_root(c), 0, NULL, &err)) _exit(1);
                symbi_doc_unref(c);
            }
        }
        usleep((useconds_t)(500 + round * 700));
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        CHECK(WIFSIGNALED(status));
        CHECK_OK(symbi_memory_store_load(m, z("a"), &d, &err), err);
        const symbi_value *f = symbi_value_getz(symbi_doc_root(d), "facts");
        CHECK(f->u.a.n == 1 || f->u.a.n == 50);
        for (size_t i = 1; i < f->u.a.n; i++) CHECK(symbi_value_equal(&f->u.a.items[0], &f->u.a.items[i]));
        symbi_doc_unref(d);
    }
    symbi_memory_store_close(m);
}

/* Four processes add one to a number each, under their own lock of a save: with load and save not one step, updates can be
 * lost, but each save must be whole, and the log must hold one entry for each. */
static void test_writers(void)
{
    char root[300], path[340], day[11];
    symbi_memory_store *m;
    symbi_text t;
    symbi_doc *c = context("{\"agent_id\":\"a\",\"facts\":[\"x\"],\"procedures\":[],\"learned_patterns\":[]}");
    pid_t pid[4];
    size_t entries = 0;
    symbi_text unused;
    snprintf(root, sizeof root, "%s/many", dir);
    for (int i = 0; i < 4; i++) {
        pid[i] = fork();
        if (pid[i]) continue;
        if (symbi_memory_store_open(cx, root, NULL, &m, &err)) _exit(2);
        for (int k = 0; k < 10; k++)
            if (symbi_memory_store_save(m, z("a"), symbi_doc_root(c), 1772600767000, NULL, &err)) _exit(1);
        _exit(0);
    }
    for (int i = 0; i < 4; i++) {
        int status;
        waitpid(pid[i], &status, 0);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    CHECK_OK(symbi_memory_log_entry(cx, symbi_doc_root(c), SYMBI_MEMORY_AUTO, 1772600767000, day, &unused, &err), err);
    symbi_text_free(&unused);
    snprintf(path, sizeof path, "%s/a/logs/%s.md", root, day);
    CHECK_OK(symbi_file_read(cx, path, 1 << 20, &t, &err), err);
    for (const char *p = t.p; p && (p = strstr(p, "### Update at")); p++) entries++;
    CHECK(entries == 40);
    symbi_text_free(&t);
    symbi_doc_unref(c);
}

/* Two save while two delete: nobody fails, and what is there in the end is whole. */
static void test_deletes(void)
{
    char root[300];
    symbi_memory_store *m;
    symbi_doc *d, *c = context("{\"agent_id\":\"a\",\"facts\":[\"x\",\"y\"],\"procedures\":[],\"learned_patterns\":[]}");
    pid_t pid[4];
    symbi_status st;
    snprintf(root, sizeof root, "%s/gone", dir);
    for (int i = 0; i < 4; i++) {
        pid[i] = fork();
        if (pid[i]) continue;
        if (symbi_memory_store_open(cx, root, NULL, &m, &err)) _exit(2);
        for (int k = 0; k < 120; k++) {
            st = i < 2 ? symbi_memory_store_save(m, z("a"), symbi_doc_root(c), 0, NULL, &err) : symbi_memory_store_delete(m, z("a"), &err);
            if (st) {
                printf("%s: %s\n", i < 2 ? "save" : "delete", err.msg);
                fflush(stdout);
                _exit(1);
            }
        }
        _exit(0);
    }
    for (int i = 0; i < 4; i++) {
        int status;
        waitpid(pid[i], &status, 0);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    CHECK_OK(symbi_memory_store_open(cx, root, NULL, &m, &err), err);
    CHECK_OK(symbi_memory_store_save(m, z("a"), symbi_doc_root(c), 0, NULL, &err), err);
    /* what a killed process left of an earlier removal is no context, and goes with the next */
    {
        char left[600];
        symbi_doc *info;
        DIR *all;
        struct dirent *e;
        size_t n = 0;
        CHECK_OK(symbi_memory_store_delete(m, z("a"), &err), err);
        CHECK_OK(symbi_memory_store_save(m, z("a"), symbi_doc_root(c), 0, NULL, &err), err);
        snprintf(left, sizeof left, "%s/.gone.af63dc4c8601ec8c.0/logs", root); /* FNV-1a of "a" */
        CHECK_OK(symbi_file_mkdir(cx, left, 0700, true, &err), err);
        CHECK_OK(symbi_memory_store_stats(m, &info, &err), err);
        CHECK(symbi_value_getz(symbi_doc_root(info), "total_contexts")->u.i == 1);
        symbi_doc_unref(info);
        CHECK_OK(symbi_memory_store_list(m, &d, &err), err);
        CHECK(symbi_doc_root(d)->u.a.n == 1);
        symbi_doc_unref(d);
        CHECK_OK(symbi_memory_store_delete(m, z("a"), &err), err);
        all = opendir(root);
        REQUIRE(all);
        while ((e = readdir(all))) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
        closedir(all);
        CHECK(n == 0);
    }
    /* a context that cannot be written leaves no folder */
    {
        char never[400];
        symbi_doc *bad = context("{\"agent_id\":\"n\",\"facts\":[1],\"procedures\":[],\"learned_patterns\":[]}");
        CHECK(symbi_memory_store_save(m, z("never"), symbi_doc_root(bad), 0, NULL, &err) == SYMBI_ESCHEMA);
        snprintf(never, sizeof never, "%s/never", root);
        CHECK(access(never, F_OK));
        symbi_doc_unref(bad);
    }
    /* a link is refused as it was, and what it leads to stays as it is */
    {
        char to[400], link[400], inside[500];
        snprintf(to, sizeof to, "%s/elsewhere", dir);
        snprintf(link, sizeof link, "%s/b", root);
        CHECK_OK(symbi_file_mkdir(cx, to, 0700, true, &err), err);
        CHECK(!symlink(to, link));
        CHECK(symbi_memory_store_delete(m, z("b"), &err) != SYMBI_OK);
        snprintf(inside, sizeof inside, "%s/.lock", to);
        CHECK(access(inside, F_OK) && !access(to, F_OK));
    }
    symbi_memory_store_close(m);
    symbi_doc_unref(c);
}

/* The lock file is moved away while another process waits for it: that one gets the lock of the path, not of the file. */
static void test_lock_moved(void)
{
    char path[300], away[310], byte;
    symbi_file_lock *lock, *second;
    int ready[2], status;
    pid_t pid;
    snprintf(path, sizeof path, "%s/moved.lock", dir);
    snprintf(away, sizeof away, "%s.away", path);
    CHECK_OK(symbi_file_lock_take(cx, path, 0, &lock, &err), err);
    REQUIRE(!pipe(ready));
    pid = fork();
    if (!pid) {
        symbi_file_lock *mine;
        symbi_file_lock_release(lock); /* its copy of it */
        if (write(ready[1], "x", 1) != 1 || symbi_file_lock_take(cx, path, 60000, &mine, &err)) _exit(1);
        _exit(symbi_file_lock_take(cx, path, 0, &second, &err) == SYMBI_ETIMEOUT ? 0 : 2); /* it keeps others from the path */
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    usleep(20000); /* by now it waits, most likely; where it does not, there is nothing to see */
    CHECK(!rename(path, away));
    symbi_file_lock_release(lock);
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(ready[0]);
    close(ready[1]);
}

/* The cache stays within its bound, and what it pushed out is read again. */
static void test_cache(void)
{
    char root[300], name[20], json[600];
    symbi_memory_store_options o;
    symbi_memory_store *m;
    symbi_doc *d;
    snprintf(root, sizeof root, "%s/cache", dir);
    symbi_memory_store_options_init(&o);
    o.cache_bytes = 4000;
    CHECK_OK(symbi_memory_store_open(cx, root, &o, &m, &err), err);
    for (int i = 0; i < 20; i++) {
        symbi_doc *c;
        snprintf(name, sizeof name, "agent%02d", i);
        snprintf(json, sizeof json, "{\"agent_id\":\"%s\",\"facts\":[\"fact of %s\"]}", name, name);
        c = context(json);
        CHECK_OK(symbi_memory_store_save(m, z(name), symbi_doc_root(c), 0, NULL, &err), err);
        symbi_doc_unref(c);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20; i++) {
            snprintf(name, sizeof name, "agent%02d", i);
            CHECK_OK(symbi_memory_store_load(m, z(name), &d, &err), err);
            CHECK(count(d, "facts") == 1);
            symbi_doc_unref(d);
        }
    }
    CHECK_OK(symbi_memory_store_search(m, z("FACT"), z(""), z("facts"), 7, &d, NULL, &err), err);
    CHECK(symbi_doc_root(d)->u.a.n == 7);
    symbi_doc_unref(d);
    symbi_memory_store_close(m);
}

static const char *first_fact(symbi_memory_store *m, const char *agent, char buf[100])
{
    symbi_doc *d = NULL;
    const symbi_value *v;
    symbi_status st = symbi_memory_store_load(m, z(agent), &d, &err);
    snprintf(buf, 100, "%s", st == SYMBI_ENOTFOUND ? "(none)" : "(error)");
    if (st) return buf;
    v = symbi_value_getz(symbi_doc_root(d), "facts");
    if (v->u.a.n) snprintf(buf, 100, "%.*s", (int)v->u.a.items[0].u.s.n, v->u.a.items[0].u.s.p);
    symbi_doc_unref(d);
    return buf;
}

#define SH(cmd) CHECK(system(cmd) == 0)
#define FACT(agent, want) CHECK_STR(z(first_fact(m, agent, buf)), want)

/* Whoever changes a file, and however: the next load sees it. Twice each, so that the second one would come from the cache. */
static void test_changed_by_others(void)
{
    symbi_memory_store *m;
    char root[300], buf[100], path[400];
    symbi_doc *d;
    FILE *f;
    int status;
    pid_t pid;
    snprintf(root, sizeof root, "%s/others", dir);
    CHECK_OK(symbi_memory_store_open(cx, root, NULL, &m, &err), err);
    setenv("R", root, 1);
    SH("cd $R && mkdir a b c && for k in a b c; do printf '## Facts\n- one %s\n' $k > $k/memory.md; done");
    for (int i = 0; i < 3; i++) FACT("a", "one a"); /* read, watched, known */
    SH("cd $R && printf '## Facts\n- two a\n' > a/memory.md"); /* of the same size */
    FACT("a", "two a");
    FACT("a", "two a");
    SH("cd $R && printf '## Facts\n- new a\n' > a/x && mv a/x a/memory.md");
    FACT("a", "new a");
    FACT("a", "new a");
    SH("cd $R && mv a away && mv b a");
    FACT("a", "one b");
    FACT("a", "one b");
    FACT("b", "(none)");
    SH("cd $R && rm -r a && mkdir a && printf '## Facts\n- again\n' > a/memory.md");
    FACT("a", "again");
    FACT("a", "again");
    SH("cd $R && rm a/memory.md");
    FACT("a", "(none)");
    SH("cd $R && ln -s ../c/memory.md a/memory.md"); /* a link: what it points to changes elsewhere */
    for (int i = 0; i < 3; i++) FACT("a", "one c");
    SH("cd $R && printf '## Facts\n- via c\n' > c/memory.md");
    FACT("a", "via c");
    SH("cd $R && rm a/memory.md && ln c/memory.md a/memory.md"); /* a second name: likewise */
    for (int i = 0; i < 3; i++) FACT("a", "via c");
    SH("cd $R && printf '## Facts\n- hard c\n' > c/memory.md");
    FACT("a", "hard c");
    CHECK_OK(symbi_memory_store_search(m, z("hard"), z(""), z(""), 0, &d, NULL, &err), err);
    CHECK(symbi_doc_root(d)->u.a.n == 2);
    symbi_doc_unref(d);
    SH("cd $R && printf '## Facts\n- soft c\n' > c/memory.md");
    CHECK_OK(symbi_memory_store_search(m, z("hard"), z(""), z(""), 0, &d, NULL, &err), err);
    CHECK(symbi_doc_root(d)->u.a.n == 0);
    symbi_doc_unref(d);
    CHECK_OK(symbi_memory_store_list(m, &d, &err), err);
    CHECK(symbi_doc_root(d)->u.a.n == 3); /* a, away, c */
    symbi_doc_unref(d);
    SH("cd $R && mv away f && mkdir g");
    CHECK_OK(symbi_memory_store_list(m, &d, &err), err);
    CHECK(symbi_doc_root(d)->u.a.n == 4);
    if (symbi_doc_root(d)->u.a.n == 4) CHECK_STR(symbi_doc_root(d)->u.a.items[2].u.s, "f");
    symbi_doc_unref(d);
    /* A child uses the store that it inherited: neither takes the other's news. */
    SH("cd $R && mkdir e && printf '## Facts\n- one e\n' > e/memory.md");
    for (int i = 0; i < 3; i++) FACT("e", "one e");
    snprintf(path, sizeof path, "%s/e/memory.md", root);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        f = fopen(path, "w");
        if (!f || fputs("## Facts\n- two e\n", f) < 0 || fclose(f)) _exit(1);
        first_fact(m, "e", buf);
        _exit(strcmp(buf, "two e") != 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    FACT("e", "two e");
    symbi_memory_store_close(m);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err) || !mkdtemp(dir)) return 1;
    RUN(test_limits);
    RUN(test_hostile);
    RUN(test_escapes);
    RUN(test_memory);
    RUN(test_kill);
    RUN(test_writers);
    RUN(test_deletes);
    RUN(test_lock_moved);
    RUN(test_cache);
    RUN(test_changed_by_others);
    if (symbi_file_remove_tree(cx, dir, &err)) printf("%s\n", err.msg);
    symbi_ctx_free(cx);
    return test_end();
}
