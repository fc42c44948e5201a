/* The custom parser of a tool's output in the spawner: it takes the tool's place, nothing stays behind however it ends, and what both printed comes
 * back whole. What may be a parser, and what becomes of its answer, is in tests/spec/toolclad_parser_spec.lua. */
#define _GNU_SOURCE
#include "spawn_cmd.h"
#include "base/str.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

enum { MANY = 200 };
static symbi_ctx *cx;
static symbi_spawner *sp;
static symbi_err err;
static char dir[] = "/tmp/symbi-parsetest-XXXXXX", tmp[64], file[128], env_tmp[80];
static const symbi_str no_permit = { "", 0 };

/* The next program's text; its path. */
static symbi_str parser(const char *name, const char *text)
{
    FILE *f;
    snprintf(file, sizeof file, "%s/%s", dir, name);
    f = fopen(file, "w");
    fputs(text, f);
    fclose(f);
    chmod(file, 0700);
    return symbi_str_z(file);
}

static symbi_plan *with(cmd *c, symbi_plan *p, symbi_str path)
{
    c->env[1] = symbi_str_z(env_tmp);
    p->nenv = 2;
    p->parser = path;
    return p;
}

static symbi_job *run(const symbi_plan *p, symbi_exec_result *r)
{
    symbi_job *j = NULL;
    memset(r, 0, sizeof *r);
    CHECK_OK(symbi_exec_blocking(sp, p, no_permit, &j, &err), err);
    if (j) CHECK_OK(symbi_job_result(j, r, &err), err);
    return j;
}

static int entries(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n - 2;
}

static int entries_of(int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    return entries(path);
}

static bool comes(const char *text)
{
    for (int i = 0; i < 20; i++)
        if (becomes(text, true)) return true;
    return false;
}

static bool goes(const char *text)
{
    for (int i = 0; i < 20; i++)
        if (gone(text)) return true;
    return false;
}

static bool emptied(void)
{
    for (int i = 0; i < 1000 && entries(tmp); i++) usleep(10000);
    return entries(tmp) == 0;
}

static void test_both(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j = run(with(&c, SH(&c, 20000, "printf out; printf err >&2"), parser("p", "#!/bin/sh\nprintf '<'; cat \"$1\"; printf '>'; echo said >&2; exit 5\n")), &r);
    CHECK(r.exit_code == 0 && r.parsed.tried && r.parsed.exit_code == 5 && !r.parsed.start_errno && r.parsed.duration_ms >= 0);
    CHECK_STR(r.out, "out");
    CHECK_STR(r.err, "err");
    CHECK_STR(r.parsed.out, "<out>");
    CHECK_STR(r.parsed.err, "said\n");
    symbi_job_free(j);
    j = run(with(&c, SH(&c, 20000, "printf out; exit 1"), parser("p", "#!/bin/sh\nprintf x\n")), &r);
    CHECK(r.exit_code == 1 && !r.parsed.tried);
    symbi_job_free(j);
    CHECK(emptied());
}

/* Streams of the full size, all three. */
static void test_large(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j = run(with(&c, SH(&c, 60000, "head -c 9000000 /dev/zero; head -c 9000000 /dev/zero >&2"), parser("p", "#!/bin/sh\nhead -c 12000000 /dev/zero; cat \"$1\" >&2\n")), &r);
    CHECK(r.out.n == 9000000 && r.err.n == 9000000 && !r.out_truncated && r.out_bytes == 9000000);
    CHECK(r.parsed.out.n == 10u << 20 && r.parsed.out_truncated && r.parsed.err.n == 4096);
    symbi_job_free(j);
    CHECK(emptied());
}

static void test_many(void)
{
    static symbi_job *jobs[MANY];
    cmd c;
    symbi_plan *p = with(&c, SH(&c, 60000, "echo $$"), parser("p", "#!/bin/sh\nexec cat \"$1\"\n"));
    symbi_exec_result r;
    int pid = symbi_spawner_pid(sp), before = entries_of(pid);
    for (int i = 0; i < MANY; i++) CHECK_OK(symbi_spawner_start(sp, p, no_permit, &jobs[i], &err), err);
    for (int i = 0; i < MANY; i++) {
        CHECK_OK(symbi_job_wait(jobs[i], -1, &err), err);
        CHECK_OK(symbi_job_result(jobs[i], &r, &err), err);
        CHECK(r.parsed.tried && r.out.n > 1 && r.out.n == r.parsed.out.n && !memcmp(r.out.p, r.parsed.out.p, r.out.n)); /* each its own */
        symbi_job_free(jobs[i]);
    }
    CHECK(entries_of(pid) == before);
    CHECK(emptied());
}

/* A parser that is given up, hangs, or is at work when the spawner goes. */
static void test_ends(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    char text[200];
    snprintf(text, sizeof text, "#!/bin/sh\nsleep %s & sleep %s\n", own("8801.02468"), own("8801.02468"));
    CHECK_OK(symbi_spawner_start(sp, with(&c, SH(&c, 60000, "echo x"), parser("p", text)), no_permit, &j, &err), err);
    CHECK(comes("8801.02468"));
    symbi_job_kill(j);
    CHECK_OK(symbi_job_wait(j, -1, &err), err);
    CHECK(symbi_job_result(j, &r, &err) == SYMBI_EABORT);
    symbi_job_free(j);
    CHECK(goes("8801.02468") && emptied());
    for (int64_t limit = 1200;; limit *= 2) { /* until the machine was fast enough for the tool itself */
        j = run(with(&c, SH(&c, limit, "echo x"), parser("p", text)), &r);
        if (!r.timed_out || limit > 60000) break;
        symbi_job_free(j);
    }
    CHECK(r.exit_code == 0 && !r.timed_out && r.parsed.timed_out && r.parsed.exit_code == -1);
    symbi_job_free(j);
    CHECK(goes("8801.02468") && emptied());
    CHECK_OK(symbi_spawner_start(sp, with(&c, SH(&c, 60000, "echo x"), parser("p", text)), no_permit, &j, &err), err);
    CHECK(comes("8801.02468"));
    symbi_spawner_free(sp);
    CHECK(symbi_job_result(j, &r, &err) == SYMBI_EABORT);
    symbi_job_free(j);
    CHECK(goes("8801.02468") && emptied());
    CHECK_OK(symbi_spawner_new(cx, NULL, &sp, &err), err);
}

/* What cannot be a parser is said before the tool does anything. */
static void test_refused(void)
{
    cmd c;
    char mark[160], text[200];
    symbi_job *j = NULL;
    symbi_exec_result r;
    static const char *const bad[] = { "/nonexistent/parser", "/etc", "/etc/passwd", "/tmp", "/" };
    snprintf(mark, sizeof mark, "%s/mark", dir);
    snprintf(text, sizeof text, "touch %s", mark);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(symbi_exec_blocking(sp, with(&c, SH(&c, 20000, text), symbi_str_z(bad[i])), no_permit, &j, &err) == SYMBI_EDENIED && strstr(err.msg, "custom parser"));
        CHECK(access(mark, F_OK) != 0);
    }
    CHECK(symbi_exec_blocking(sp, with(&c, SH(&c, 20000, text), symbi_str_z("relative")), no_permit, &j, &err) != SYMBI_OK); /* no frame of ours: the spawner ends */
    symbi_spawner_free(sp);
    CHECK_OK(symbi_spawner_new(cx, NULL, &sp, &err), err);
    j = run(with(&c, SH(&c, 20000, "true"), parser("p", "#!/bin/sh\nprintf '{}'\n")), &r);
    CHECK_STR(r.parsed.out, "{}");
    symbi_job_free(j);
    /* a place for its file that others could play with is not used */
    snprintf(env_tmp, sizeof env_tmp, "TMPDIR=%s/open", dir);
    snprintf(text, sizeof text, "%s/open", dir);
    CHECK(mkdir(text, 0700) == 0 && chmod(text, 0777) == 0);
    j = run(with(&c, SH(&c, 20000, "true"), parser("p", "#!/bin/sh\nprintf %s \"$1\"\n")), &r);
    CHECK(r.parsed.out.n > 5 && !memcmp(r.parsed.out.p, "/tmp/", 5) && !strstr(r.parsed.out.p, "/open/"));
    symbi_job_free(j);
    rmdir(text);
    snprintf(env_tmp, sizeof env_tmp, "TMPDIR=%s", tmp);
}

int main(void)
{
    char cmdline[100];
    if (symbi_ctx_new(NULL, &cx, &err) || !mkdtemp(dir)) return 1;
    snprintf(tmp, sizeof tmp, "%s/tmp", dir);
    snprintf(env_tmp, sizeof env_tmp, "TMPDIR=%s", tmp);
    if (mkdir(tmp, 0700) || symbi_spawner_new(cx, NULL, &sp, &err)) return 1;
    RUN(test_both);
    RUN(test_large);
    RUN(test_many);
    RUN(test_ends);
    RUN(test_refused);
    symbi_spawner_free(sp);
    symbi_ctx_free(cx);
    snprintf(cmdline, sizeof cmdline, "rm -rf %s", dir);
    if (system(cmdline)) return 1;
    return test_end();
}
