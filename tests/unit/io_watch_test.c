/* Unit tests of watched folders, with real files, as editors and deployments write them. */
#include "symbi/io_watch.h"
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct rig {
    symbi_ctx *cx;
    symbi_watch *w;
    char root[64], dir[80];
    symbi_err err;
} rig;

static const char *at(const rig *g, const char *name)
{
    static char buf[4][256];
    static int i;
    snprintf(buf[i = (i + 1) % 4], sizeof buf[0], "%s/%s", g->root, name);
    return buf[i];
}

static void put(const rig *g, const char *name, const char *text)
{
    FILE *f = fopen(at(g, name), "wb");
    REQUIRE(f);
    fputs(text, f);
    fclose(f);
}

static bool setup(rig *g, const char *dir, bool make)
{
    symbi_env env;
    memset(g, 0, sizeof *g);
    strcpy(g->root, "/tmp/symbi-watch-XXXXXX");
    if (!mkdtemp(g->root)) return false;
    snprintf(g->dir, sizeof g->dir, "%s/%s", g->root, dir);
    if (make && mkdir(g->dir, 0700)) return false;
    symbi_env_init(&env);
    if (symbi_ctx_new(&env, &g->cx, &g->err)) return false;
    if (symbi_watch_new(g->cx, 20, 300, &g->w, &g->err) || symbi_watch_add(g->w, g->dir, &g->err)) {
        printf("watch: %s\n", g->err.msg);
        return false;
    }
    return true;
}

static void teardown(rig *g)
{
    char cmd[128];
    symbi_watch_free(g->w);
    symbi_ctx_free(g->cx);
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", g->root);
    CHECK(system(cmd) == 0);
}

static bool changed(rig *g, int64_t ms)
{
    bool yes = false;
    CHECK_OK(symbi_watch_poll(g->w, ms, &yes, &g->err), g->err);
    return yes;
}

/* Told once, and then quiet. */
#define TOLD(g)                              \
    do {                                     \
        CHECK(changed(g, 2000));             \
        CHECK(!changed(g, 60));              \
        CHECK(symbi_watch_due((g)->w) < 0);  \
    } while (0)

static void test_edits(void)
{
    rig g;
    char cmd[300];
    REQUIRE(setup(&g, "policies", true));
    CHECK(!changed(&g, 30));
    put(&g, "policies/a.cedar", "one");
    TOLD(&g);
    put(&g, "policies/a.cedar", "two");
    TOLD(&g);
    put(&g, "policies/.a.swp", "x"); /* written beside and renamed over, as careful editors do */
    CHECK(rename(at(&g, "policies/.a.swp"), at(&g, "policies/a.cedar")) == 0);
    TOLD(&g);
    CHECK(unlink(at(&g, "policies/a.cedar")) == 0);
    put(&g, "policies/a.cedar", "again");
    TOLD(&g);
    put(&g, "elsewhere", "x");
    CHECK(rename(at(&g, "elsewhere"), at(&g, "policies/b.cedar")) == 0);
    TOLD(&g);
    CHECK(unlink(at(&g, "policies/b.cedar")) == 0);
    TOLD(&g);
    CHECK(chmod(at(&g, "policies/a.cedar"), 0) == 0);
    TOLD(&g);
    CHECK(mkdir(at(&g, "policies/run"), 0700) == 0);
    TOLD(&g);
    put(&g, "policies/run/x.cedar", "below is not ours");
    CHECK(!changed(&g, 60));
    put(&g, "neighbour", "nor beside");
    CHECK(!changed(&g, 60));
    /* the way a ConfigMap is swapped: the folder holds links through a link that is replaced */
    snprintf(cmd, sizeof cmd, "cd %s && mkdir v1 v2 && ln -s ../v1 policies/..data && ln -s ..data/x policies/x", g.root);
    CHECK(system(cmd) == 0);
    TOLD(&g);
    snprintf(cmd, sizeof cmd, "cd %s/policies && ln -s ../v2 ..tmp && mv -T ..tmp ..data", g.root);
    CHECK(system(cmd) == 0);
    TOLD(&g);
    teardown(&g);
}

static void test_the_folder_itself(void)
{
    rig g;
    char cmd[400];
    REQUIRE(setup(&g, "policies", false)); /* not there yet */
    CHECK(!changed(&g, 30));
    CHECK(mkdir(g.dir, 0700) == 0);
    TOLD(&g);
    put(&g, "policies/a.cedar", "x");
    TOLD(&g);
    CHECK(rename(g.dir, at(&g, "old")) == 0);
    TOLD(&g);
    put(&g, "old/b.cedar", "it is another folder now");
    CHECK(!changed(&g, 60));
    CHECK(mkdir(g.dir, 0700) == 0);
    TOLD(&g);
    put(&g, "policies/c.cedar", "x");
    TOLD(&g);
    snprintf(cmd, sizeof cmd, "cd %s && rm -r policies && cp -r old policies", g.root);
    CHECK(system(cmd) == 0);
    TOLD(&g);
    put(&g, "policies/d.cedar", "x");
    TOLD(&g);
    snprintf(cmd, sizeof cmd, "cd %s && mv policies r1 && cp -r r1 r2 && ln -s r1 policies", g.root);
    CHECK(system(cmd) == 0);
    TOLD(&g);
    snprintf(cmd, sizeof cmd, "cd %s && ln -s r2 next && mv -T next policies", g.root);
    CHECK(system(cmd) == 0);
    TOLD(&g);
    put(&g, "r1/e.cedar", "not the target any more");
    CHECK(!changed(&g, 60));
    put(&g, "r2/e.cedar", "x");
    TOLD(&g);
    teardown(&g);
}

static void test_the_parent_gone(void)
{
    rig g;
    char cmd[300];
    REQUIRE(setup(&g, "a", true));
    CHECK_OK(symbi_watch_add(g.w, at(&g, "a/run"), &g.err), g.err);
    CHECK(mkdir(at(&g, "a/run"), 0700) == 0);
    TOLD(&g);
    put(&g, "a/run/x.cedar", "x");
    TOLD(&g);
    snprintf(cmd, sizeof cmd, "rm -rf %s/a", g.root);
    CHECK(system(cmd) == 0);
    CHECK(changed(&g, 2000));
    snprintf(cmd, sizeof cmd, "mkdir -p %s/a/run", g.root);
    CHECK(system(cmd) == 0);
    CHECK(changed(&g, 3000));
    while (changed(&g, 100)) continue;
    put(&g, "a/run/y.cedar", "x");
    CHECK(changed(&g, 2000));
    teardown(&g);
}

static void test_debounce(void)
{
    rig g;
    int64_t t, due;
    REQUIRE(setup(&g, "policies", true));
    put(&g, "policies/a", "1");
    CHECK(!changed(&g, 0)); /* somebody may still be writing */
    due = symbi_watch_due(g.w);
    CHECK(due >= 0 && due <= 20);
    CHECK(changed(&g, 2000));
    /* written again and again: told all the same, in the end, and not before. Where the machine held this process up for as long as the
     * watch waits, that was a pause like any other: once more. */
    for (int tries = 0; tries < 20; tries++) {
        int64_t last, now, pause = 0;
        t = last = symbi_ctx_mono_ms(g.cx);
        for (bool told = false; !told;) {
            put(&g, "policies/a", "2");
            told = changed(&g, 3);
            now = symbi_ctx_mono_ms(g.cx);
            if (now - last > pause) pause = now - last;
            last = now;
            REQUIRE(now - t < 5000);
        }
        if (pause >= 15) continue;
        CHECK(last - t >= 290);
        break;
    }
    teardown(&g);
}

static void test_overflow(void)
{
    rig g;
    char name[64];
    REQUIRE(setup(&g, "policies", true));
    for (int i = 0; i < 9000; i++) { /* more than the kernel keeps (16384 events: each file gives four) */
        snprintf(name, sizeof name, "policies/%d", i % 50);
        put(&g, name, "x");
    }
    CHECK(changed(&g, 2000));
    while (changed(&g, 100)) continue;
    put(&g, "policies/a", "still watched");
    TOLD(&g);
    teardown(&g);
}

static void test_a_forked_child(void)
{
    rig g;
    pid_t pid;
    int status;
    REQUIRE(setup(&g, "policies", true));
    pid = fork();
    if (!pid) {
        bool yes = false, no = true;
        if (symbi_watch_poll(g.w, 2000, &yes, NULL) || !yes) _exit(1); /* to be on the safe side */
        if (symbi_watch_poll(g.w, 50, &no, NULL) || no) _exit(2);
        put(&g, "policies/a", "x");
        _exit(symbi_watch_poll(g.w, 2000, &yes, NULL) || !yes ? 3 : 0);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    TOLD(&g); /* the child took nothing away */
    teardown(&g);
}

static void test_limits(void)
{
    rig g;
    char path[5000];
    REQUIRE(setup(&g, "policies", true));
    for (int i = 1; i < SYMBI_WATCH_FOLDERS; i++) CHECK_OK(symbi_watch_add(g.w, g.dir, &g.err), g.err);
    CHECK(symbi_watch_add(g.w, g.dir, &g.err) == SYMBI_ELIMIT);
    put(&g, "policies/a", "x");
    TOLD(&g);
    symbi_watch_free(symbi_watch_ref(g.w));
    teardown(&g);
    REQUIRE(setup(&g, "policies", true));
    CHECK(symbi_watch_add(g.w, "", &g.err) == SYMBI_EINVAL);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = 0;
    CHECK(symbi_watch_add(g.w, path, &g.err) == SYMBI_EINVAL);
    path[3000] = 0;
    CHECK_OK(symbi_watch_add(g.w, path, &g.err), g.err); /* a name that no folder can have: never there */
    CHECK_OK(symbi_watch_add(g.w, "/", &g.err), g.err);
    CHECK_OK(symbi_watch_add(g.w, ".", &g.err), g.err);
    put(&g, "policies/a", "x");
    CHECK(changed(&g, 2000));
    symbi_watch_free(NULL);
    teardown(&g);
}

static symbi_status under_oom(symbi_ctx *cx, void *ud)
{
    symbi_err err;
    symbi_watch *w;
    bool yes;
    symbi_status st = symbi_watch_new(cx, 0, 0, &w, &err);
    if (st) return st;
    st = symbi_watch_add(w, ud, &err);
    if (!st) st = symbi_watch_poll(w, 0, &yes, &err);
    symbi_watch_free(w);
    return st;
}

static void test_memory(void) { test_oom(under_oom, "/tmp", SYMBI_OK); }

int main(void)
{
    RUN(test_edits);
    RUN(test_the_folder_itself);
    RUN(test_the_parent_gone);
    RUN(test_debounce);
    RUN(test_overflow);
    RUN(test_a_forked_child);
    RUN(test_limits);
    RUN(test_memory);
    return test_end();
}
