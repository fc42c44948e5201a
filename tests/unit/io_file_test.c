/* Files and folders. */
#define _GNU_SOURCE
#include "symbi/io.h"
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_err err;
static char dir[] = "/tmp/symbi-file-XXXXXX";

static const char *at(const char *name)
{
    static char buf[4][300];
    static int k;
    char *b = buf[k++ % 4];
    snprintf(b, sizeof buf[0], "%s/%s", dir, name);
    return b;
}

static void test_read_write(void)
{
    symbi_text t;
    symbi_file_info i;
    symbi_str data = { "a\0b\n", 4 };
    CHECK_OK(symbi_file_write(cx, at("x"), data, 0600, &err), err);
    CHECK_OK(symbi_file_read(cx, at("x"), 4, &t, &err), err);
    CHECK(t.n == 4 && !memcmp(t.p, data.p, 4));
    symbi_text_free(&t);
    CHECK(symbi_file_read(cx, at("x"), 3, &t, &err) == SYMBI_ELIMIT && !t.p && strstr(err.path, "/x"));
    CHECK_OK(symbi_file_stat(cx, at("x"), true, &i, &err), err);
    CHECK(i.type == 'f' && i.size == 4 && i.mode == 0600 && i.mtime_ms > 1600000000000);
    CHECK_OK(symbi_file_write(cx, at("x"), symbi_str_z(""), 0, &err), err);
    CHECK_OK(symbi_file_read(cx, at("x"), 0, &t, &err), err);
    CHECK(t.n == 0);
    symbi_text_free(&t);
    CHECK_OK(symbi_file_read(cx, "/proc/self/status", 100000, &t, &err), err);
    CHECK(t.n > 100);
    symbi_text_free(&t);
}

static void test_failures(void)
{
    symbi_text t;
    symbi_doc *d;
    symbi_file_info i;
    symbi_str data = { "new", 3 };
    CHECK(symbi_file_read(cx, at("none"), 9, &t, &err) == SYMBI_ENOTFOUND && strstr(err.msg, "No such file"));
    CHECK(symbi_file_read(cx, dir, 9, &t, &err) == SYMBI_EIO);
    CHECK(mkfifo(at("fifo"), 0600) == 0);
    CHECK(symbi_file_read(cx, at("fifo"), 9, &t, &err) == SYMBI_EIO); /* at once */
    CHECK(strstr(err.msg, "no file, but a pipe"));
    CHECK(symbi_file_write(cx, at("no/such/folder"), data, 0, &err) == SYMBI_ENOTFOUND);
    CHECK(symbi_file_write(cx, "/dev/full/x", data, 0, &err) == SYMBI_ENOTFOUND);
    CHECK(symbi_file_stat(cx, at("none"), true, &i, &err) == SYMBI_ENOTFOUND && !i.type);
    CHECK(symbi_file_list(cx, at("none"), 0, &d, &err) == SYMBI_ENOTFOUND && !d);
    CHECK(symbi_file_list(cx, at("x"), 0, &d, &err) == SYMBI_ENOTFOUND);
    CHECK(symbi_file_mkdir(cx, "", 0, true, &err) == SYMBI_ENOTFOUND);
    CHECK(symlink("self", at("self")) == 0);
    CHECK(symbi_file_read(cx, at("self"), 9, &t, &err) == SYMBI_EIO);
    CHECK(symbi_file_stat(cx, at("self"), false, &i, &err) == SYMBI_OK && i.type == 'l');
}

/* A write that fails leaves the old file and nothing beside it: the target is a folder, so the rename fails. */
static void test_nothing_half(void)
{
    symbi_doc *d;
    symbi_str data = { "new", 3 };
    CHECK_OK(symbi_file_mkdir(cx, at("half/target"), 0, true, &err), err);
    CHECK(symbi_file_write(cx, at("half/target"), data, 0, &err) == SYMBI_EIO);
    CHECK_OK(symbi_file_list(cx, at("half"), 0, &d, &err), err);
    CHECK(symbi_doc_root(d)->u.a.n == 1);
    symbi_doc_unref(d);
}

static void test_read_info(void)
{
    symbi_text t;
    symbi_file_info i;
    symbi_str data = { "abc", 3 };
    CHECK_OK(symbi_file_write(cx, at("secret"), data, 0640, &err), err);
    CHECK_OK(symbi_file_read_info(cx, at("secret"), 9, false, &t, &i, &err), err);
    CHECK(t.n == 3 && i.type == 'f' && i.mode == 0640 && i.size == 3);
    symbi_text_free(&t);
    CHECK(symlink("secret", at("tosecret")) == 0);
    CHECK(symbi_file_read_info(cx, at("tosecret"), 9, false, &t, &i, &err) == SYMBI_EIO);
    CHECK_OK(symbi_file_read_info(cx, at("tosecret"), 9, true, &t, &i, &err), err);
    symbi_text_free(&t);
}

static void test_append_and_remove(void)
{
    symbi_text t;
    symbi_file_info i;
    symbi_str one = { "1\n", 2 }, two = { "2\n", 2 };
    char deep[3000];
    size_t n;
    CHECK_OK(symbi_file_append(cx, at("log"), one, 0600, true, &err), err);
    CHECK_OK(symbi_file_append(cx, at("log"), two, 0600, false, &err), err);
    CHECK_OK(symbi_file_read(cx, at("log"), 9, &t, &err), err);
    CHECK(t.n == 4 && !memcmp(t.p, "1\n2\n", 4));
    symbi_text_free(&t);
    CHECK(symlink("log", at("tolog")) == 0);
    CHECK(symbi_file_append(cx, at("tolog"), one, 0, false, &err) == SYMBI_EIO); /* no link is followed */
    CHECK_OK(symbi_file_touch(cx, at("log"), 1000000500, &err), err);
    CHECK_OK(symbi_file_stat(cx, at("log"), false, &i, &err), err);
    CHECK(i.mtime_ms == 1000000500);
    /* A tree with a link to a file outside: the link goes, the file stays. */
    CHECK_OK(symbi_file_mkdir(cx, at("tree/a/b"), 0, true, &err), err);
    CHECK(symlink("../../../log", at("tree/a/b/link")) == 0 && symlink("..", at("tree/a/up")) == 0);
    CHECK_OK(symbi_file_write(cx, at("tree/a/x"), one, 0, &err), err);
    CHECK(symbi_file_remove(cx, at("tree"), &err) == SYMBI_EIO || err.code == SYMBI_EEXISTS);
    CHECK_OK(symbi_file_remove_tree(cx, at("tree"), &err), err);
    CHECK(symbi_file_stat(cx, at("tree"), false, &i, &err) == SYMBI_ENOTFOUND);
    CHECK_OK(symbi_file_stat(cx, at("log"), false, &i, &err), err);
    CHECK(symbi_file_remove_tree(cx, at("tolog"), &err) != SYMBI_OK && symbi_file_remove_tree(cx, at("log"), &err) != SYMBI_OK);
    CHECK_OK(symbi_file_remove(cx, at("tolog"), &err), err);
    CHECK(symbi_file_remove(cx, at("tolog"), &err) == SYMBI_ENOTFOUND);
    /* At the limit of nesting and one past it. */
    for (int extra = 0; extra < 2; extra++) {
        n = (size_t)snprintf(deep, sizeof deep, "%s", at("deep"));
        for (int k = 1; k < 64 + extra; k++) n += (size_t)snprintf(deep + n, sizeof deep - n, "/d");
        CHECK_OK(symbi_file_mkdir(cx, deep, 0, true, &err), err);
        if (extra) CHECK(symbi_file_remove_tree(cx, at("deep"), &err) == SYMBI_ELIMIT);
        else CHECK_OK(symbi_file_remove_tree(cx, at("deep"), &err), err);
    }
}

static void test_lock(void)
{
    symbi_file_lock *a, *b;
    CHECK_OK(symbi_file_lock_take(cx, at("lock"), 0, &a, &err), err);
    CHECK(symbi_file_lock_take(cx, at("lock"), 0, &b, &err) == SYMBI_ETIMEOUT && !b && strstr(err.path, "/lock"));
    CHECK(symbi_file_lock_take(cx, at("lock"), 20, &b, &err) == SYMBI_ETIMEOUT);
    symbi_file_lock_release(a);
    CHECK_OK(symbi_file_lock_take(cx, at("lock"), 0, &b, &err), err);
    symbi_file_lock_release(b);
    symbi_file_lock_release(NULL);
    CHECK(symbi_file_lock_take(cx, at("no/lock"), 0, &b, &err) == SYMBI_ENOTFOUND);
    CHECK(symlink("elsewhere", at("locklink")) == 0 && symbi_file_lock_take(cx, at("locklink"), 0, &b, &err) == SYMBI_EIO);
}

static void test_list(void)
{
    static const char *const names[] = { "b", "a", "B", "a1", "\xc3\xbc" }, *const want[] = { "B", "a", "a1", "b", "sub", "\xc3\xbc" };
    symbi_doc *d;
    const symbi_value *v;
    CHECK_OK(symbi_file_mkdir(cx, at("list"), 0, false, &err), err);
    CHECK(symbi_file_mkdir(cx, at("list"), 0, false, &err) == SYMBI_EEXISTS);
    CHECK_OK(symbi_file_mkdir(cx, at("list/sub"), 0700, true, &err), err);
    CHECK_OK(symbi_file_mkdir(cx, at("list/sub"), 0700, true, &err), err);
    for (int i = 0; i < 5; i++) {
        char p[40];
        snprintf(p, sizeof p, "list/%s", names[i]);
        CHECK_OK(symbi_file_write(cx, at(p), symbi_str_z("x"), 0, &err), err);
    }
    CHECK_OK(symbi_file_list(cx, at("list"), 6, &d, &err), err);
    v = symbi_doc_root(d);
    CHECK(v->kind == SYMBI_ARRAY && v->u.a.n == 6);
    for (size_t i = 0; i < 6 && i < v->u.a.n; i++) {
        CHECK_STR(symbi_value_str(&v->u.a.items[i], "name", symbi_str_z("")), want[i]);
        CHECK_STR(symbi_value_str(&v->u.a.items[i], "type", symbi_str_z("")), i == 4 ? "directory" : "file");
    }
    symbi_doc_unref(d);
    CHECK(symbi_file_list(cx, at("list"), 5, &d, &err) == SYMBI_ELIMIT && !d);
}

static void test_realpath(void)
{
    symbi_text t, u;
    CHECK_OK(symbi_file_realpath(cx, at("list/sub/../../x"), &t, &err), err);
    CHECK_OK(symbi_file_realpath(cx, at("x"), &u, &err), err);
    CHECK_STR(symbi_text_str(&t), u.p ? u.p : "");
    symbi_text_free(&t);
    symbi_text_free(&u);
    CHECK(symbi_file_realpath(cx, at("none"), &t, &err) == SYMBI_ENOTFOUND);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_text t = { 0 };
    symbi_doc *d = NULL;
    symbi_err e;
    symbi_status st = symbi_file_list(c, dir, 0, &d, &e);
    (void)ud;
    symbi_doc_unref(d);
    if (!st) st = symbi_file_read(c, "/proc/self/status", 100000, &t, &e);
    symbi_text_free(&t);
    if (!st) st = symbi_file_realpath(c, dir, &t, &e);
    symbi_text_free(&t);
    return st;
}
static void test_memory(void) { test_oom(scenario, NULL, SYMBI_OK); }

int main(void)
{
    char cmd[100];
    if (symbi_ctx_new(NULL, &cx, &err) || !mkdtemp(dir)) return 1;
    RUN(test_read_write);
    RUN(test_failures);
    RUN(test_nothing_half);
    RUN(test_read_info);
    RUN(test_append_and_remove);
    RUN(test_lock);
    RUN(test_list);
    RUN(test_realpath);
    RUN(test_memory);
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    if (system(cmd)) return 1;
    symbi_ctx_free(cx);
    return test_end();
}
