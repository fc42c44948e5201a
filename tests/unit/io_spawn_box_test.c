/* Tools in bubblewrap, for real: what they see, what they may write, how they end, and what is refused instead of run. */
#define _GNU_SOURCE
#include "io/spawn_int.h"
#include "spawn_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

static symbi_ctx *cx;
static symbi_spawner *sp;
static symbi_err err;
static char project[] = "/tmp/symbi-box-XXXXXX";
static const symbi_str no_permit = { "", 0 };
static bool usable; /* bubblewrap works on this machine */

static const char *in_project(const char *name)
{
    static char path[4][300];
    static int i;
    char *p = path[i++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", project, name);
    return p;
}

static void put(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0);
    if (f) fclose(f);
    CHECK(chmod(path, mode) == 0);
}

static symbi_plan *box(cmd *c, int64_t timeout, const char *text)
{
    SH(c, timeout, text);
    c->plan.box = SYMBI_BOX_BWRAP;
    c->plan.cwd = symbi_str_z(project);
    return &c->plan;
}

static symbi_job *run(const symbi_plan *p, symbi_exec_result *r)
{
    symbi_job *j = NULL;
    memset(r, 0, sizeof *r);
    CHECK_OK(symbi_exec_blocking(sp, p, no_permit, &j, &err), err);
    if (j) CHECK_OK(symbi_job_result(j, r, &err), err);
    return j;
}

static bool says(symbi_str s, const char *text) { return s.n && memmem(s.p, s.n, text, strlen(text)); }

static void test_world(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    if (!usable) SKIP("bubblewrap does not work here");
    put("/tmp/symbi-box-of-the-host", "x", 0644);
    j = run(box(&c, 20000, "test -e /tmp/symbi-box-of-the-host && echo host-tmp; echo a > /tmp/f && cat /tmp/f; echo b > /var/tmp/f && cat /var/tmp/f;"
                           "ls /run; ls /dev/shm; ls /proc/self/fd | tr '\\n' ' '; echo;"
                           "for f in /etc/symbi-x ./x /usr/x; do (echo x > $f) 2>/dev/null && echo wrote $f; done;"
                           "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; uname -n; grep -c : /proc/net/dev;"
                           "ls -d /proc/[0-9]* | wc -l; pwd; echo end"), &r);
    REQUIRE(j);
    CHECK(r.exit_code == 0);
    CHECK_STR(r.err, "");
    /* descriptors: 0, 1, 2 and the folder that ls itself reads; three processes and those of the pipeline */
    CHECK(says(r.out, "a\nb\n0 1 2 3 \nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nsandbox\n1\n"));
    CHECK(says(r.out, project) && says(r.out, "\nend\n"));
    CHECK(!says(r.out, "host-tmp") && !says(r.out, "wrote"));
    symbi_job_free(j);
    unlink("/tmp/symbi-box-of-the-host");
    CHECK(access("/tmp/f", F_OK) != 0);
    /* the environment is the plan's (and where it stands, which bwrap adds) */
    j = run(box(&c, 20000, "env | grep -v -E '^(PWD|_|SHLVL|OLDPWD)='"), &r);
    REQUIRE(j);
    CHECK_STR(r.out, "PATH=/usr/bin:/bin\n");
    symbi_job_free(j);
    /* no user namespace inside the box: that is where kernels break */
    j = run(box(&c, 20000, "unshare -U true 2>/dev/null && echo nested; echo end"), &r);
    REQUIRE(j);
    CHECK_STR(r.out, "end\n");
    symbi_job_free(j);
}

static void test_network(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    char mine[100];
    ssize_t n = readlink("/proc/self/ns/net", mine, sizeof mine - 1);
    if (!usable) SKIP("bubblewrap does not work here");
    REQUIRE(n > 0);
    mine[n] = 0;
    j = run(box(&c, 20000, "readlink /proc/self/ns/net"), &r);
    REQUIRE(j);
    CHECK(r.exit_code == 0 && says(r.out, "net:[") && !says(r.out, mine));
    symbi_job_free(j);
    box(&c, 20000, "readlink /proc/self/ns/net");
    c.plan.box_network = true;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(says(r.out, mine));
    symbi_job_free(j);
}

static void test_writing(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    char file[300];
    struct stat st;
    if (!usable) SKIP("bubblewrap does not work here");
    mkdir(in_project(".symbi"), 0700);
    put(in_project(".symbi/key"), "secret", 0600);
    put(in_project("note"), "n", 0644);
    box(&c, 20000, "echo 1 > out/a; (echo 2 > b) 2>/dev/null; (echo 3 > note) 2>/dev/null; cat .symbi/key 2>/dev/null; ls -A .symbi; cat note");
    c.write[0] = symbi_str_z("out");
    c.hide[0] = symbi_str_z(".symbi");
    c.hide[1] = symbi_str_z("not-there");
    c.plan.nbox_write = 1;
    c.plan.nbox_hide = 2;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK_STR(r.out, "n");
    CHECK(stat(in_project("out/a"), &st) == 0 && stat(in_project("b"), &st) != 0);
    symbi_job_free(j);
    /* all of the project, and what is hidden inside stays hidden: a file too */
    box(&c, 20000, "echo 2 > b; cat .symbi/key note 2>/dev/null; echo end");
    c.write[0] = symbi_str_z(".");
    c.hide[0] = symbi_str_z(".symbi");
    c.hide[1] = symbi_str_z("note");
    c.plan.nbox_write = 1;
    c.plan.nbox_hide = 2;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK_STR(r.out, "end\n");
    CHECK(stat(in_project("b"), &st) == 0);
    symbi_job_free(j);
    /* the folder of this run's evidence, and no other */
    mkdir(in_project("ev"), 0700);
    mkdir(in_project("ev/1-t"), 0700);
    snprintf(file, sizeof file, "%s/ev/1-t/scan.txt", project);
    box(&c, 20000, "echo kept > ev/1-t/scan.txt; (echo x > ev/other) 2>/dev/null; echo end");
    c.plan.output_file = symbi_str_z(file);
    c.plan.box_output = true;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(stat(file, &st) == 0 && st.st_size == 5 && stat(in_project("ev/other"), &st) != 0);
    symbi_job_free(j);
    /* a place inside something hidden is there, and writable when it is said so; the rest of it is not */
    mkdir(in_project("deep"), 0755);
    mkdir(in_project("deep/out"), 0755);
    put(in_project("deep/secret"), "s", 0644);
    box(&c, 20000, "echo z > deep/out/f; cat deep/secret 2>/dev/null; ls deep");
    c.write[0] = symbi_str_z("deep/out");
    c.hide[0] = symbi_str_z("deep");
    c.plan.nbox_write = c.plan.nbox_hide = 1;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK_STR(r.out, "out\n");
    CHECK(stat(in_project("deep/out/f"), &st) == 0);
    symbi_job_free(j);
    box(&c, 20000, "echo y > out/inside && ls");
    c.write[0] = symbi_str_z("out");
    c.hide[0] = symbi_str_z("ev");
    c.plan.nbox_write = c.plan.nbox_hide = 1;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(r.exit_code == 0 && stat(in_project("out/inside"), &st) == 0);
    symbi_job_free(j);
}

static void refused(symbi_plan *p, const char *text)
{
    symbi_job *j = NULL;
    symbi_status st = symbi_exec_blocking(sp, p, no_permit, &j, &err);
    symbi_job_free(j);
    if (st != SYMBI_EINVAL || !strstr(err.msg, text)) {
        printf("%s: %s, expected %s\n", symbi_status_name(st), err.msg, text);
        CHECK(!"refused as expected");
    }
}

static void test_refused_paths(void)
{
    cmd c;
    static const struct { const char *path, *text; } bad[] = {
        { "missing", "is not there: ENOENT" }, { "away", "leads out of the project, to /etc" }, { "/proc", "cannot be made writable" },
        { "/dev", "cannot be made writable" }, { "/sys/kernel", "cannot be made writable" }, { "loop", "ELOOP" }, { "null", "leads out" },
        { "up/etc", "leads out of the project" }, { "out/../../..", "leads out" },
    };
    if (!usable) SKIP("bubblewrap does not work here");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        box(&c, 5000, "echo ran > /dev/null");
        c.write[0] = symbi_str_z(bad[i].path);
        c.plan.nbox_write = 1;
        refused(&c.plan, bad[i].text);
    }
    box(&c, 5000, "true"); /* an absolute path by way of a link */
    c.write[0] = symbi_str_z(in_project("away"));
    c.plan.nbox_write = 1;
    refused(&c.plan, "by a symbolic link; name that");
    box(&c, 5000, "true");
    c.plan.cwd = symbi_str_z("/");
    c.write[0] = symbi_str_z(".");
    c.plan.nbox_write = 1;
    refused(&c.plan, "cannot be made writable");
    CMD(&c, 5000, "true");
    c.write[0] = symbi_str_z("");
    c.plan.box = SYMBI_BOX_BWRAP;
    c.plan.nbox_write = 1;
    refused(&c.plan, "a path is empty");
}

static void test_program(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    static const struct { const char *name; int e; } t[] = { { "no-such-program-here", ENOENT }, { "./plain", EACCES }, { "./shellish", ENOEXEC }, { "/etc", EACCES }, { "./gone/x", ENOENT } };
    if (!usable) SKIP("bubblewrap does not work here");
    put(in_project("plain"), "x", 0644);
    put(in_project("shellish"), "echo a shell ran me\n", 0755);
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        CMD(&c, 5000, t[i].name);
        c.plan.box = SYMBI_BOX_BWRAP;
        c.plan.cwd = symbi_str_z(project);
        j = run(&c.plan, &r);
        REQUIRE(j);
        CHECK(r.start_errno == t[i].e && r.exit_code == -1 && !r.out.n);
        symbi_job_free(j);
    }
    box(&c, 5000, "true");
    c.plan.cwd = symbi_str_z("/no/such/folder");
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(r.start_errno == ENOENT);
    symbi_job_free(j);
    put(in_project("script"), "#!/bin/sh\necho script $1\nexit 9\n", 0755);
    CMD(&c, 20000, "./script", "arg");
    c.plan.box = SYMBI_BOX_BWRAP;
    c.plan.cwd = symbi_str_z(project);
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(r.exit_code == 9);
    CHECK_STR(r.out, "script arg\n");
    symbi_job_free(j);
    CMD(&c, 20000, "echo", "--help-me", "--", "--bind", "/", "/"); /* the tool's words are never bwrap's */
    c.plan.box = SYMBI_BOX_BWRAP;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK_STR(r.out, "--help-me -- --bind / /\n");
    symbi_job_free(j);
    put(in_project("bad-interpreter"), "#!/no/such/thing\n", 0755); /* only the kernel finds out */
    CMD(&c, 20000, "./bad-interpreter");
    c.plan.box = SYMBI_BOX_BWRAP;
    c.plan.cwd = symbi_str_z(project);
    CHECK(symbi_exec_blocking(sp, &c.plan, no_permit, &j, &err) == SYMBI_EUNSUPPORTED && strstr(err.msg, "was not run: bwrap: execvp"));
}

static void test_without_bwrap(void)
{
    static const struct { const char *script, *text; } fakes[] = {
        { NULL, "bubblewrap is not installed here" },
        { "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n", "user namespaces are switched off" },
        { "#!/bin/sh\necho 'bwrap: Cannot mount: \001 odd' >&2; exit 1\n", "bwrap: Cannot mount: ? odd" },
        { "#!/bin/sh\nexit 0\n", "bwrap ended before it could start it" },
        { "#!/bin/sh\necho '{ \"child-pid\": 1 }' >&3; exit 1\n", "bwrap ended before it could start it" },
    };
    const char *ran = in_project("ran");
    char text[400], path[300];
    for (size_t i = 0; i < sizeof fakes / sizeof fakes[0]; i++) {
        symbi_spawner_options o;
        symbi_spawner *own;
        symbi_job *j = NULL;
        symbi_status st;
        cmd c;
        snprintf(path, sizeof path, "%s/fake%u", project, (unsigned)i);
        if (fakes[i].script) put(path, fakes[i].script, 0755);
        symbi_spawner_options_init(&o);
        o.bwrap = path;
        REQUIRE(symbi_spawner_new(cx, &o, &own, &err) == SYMBI_OK);
        snprintf(text, sizeof text, "touch %s", ran);
        box(&c, 5000, text);
        st = symbi_exec_blocking(own, &c.plan, no_permit, &j, &err);
        if (st != SYMBI_EUNSUPPORTED || !strstr(err.msg, fakes[i].text)) printf("%u: %s %s\n", (unsigned)i, symbi_status_name(st), st ? err.msg : "");
        CHECK(st == SYMBI_EUNSUPPORTED && strstr(err.msg, fakes[i].text));
        CHECK(access(ran, F_OK) != 0);
        symbi_job_free(j);
        c.plan.box = SYMBI_BOX_NONE; /* others run */
        CHECK_OK(symbi_exec_blocking(own, &c.plan, no_permit, &j, &err), err);
        CHECK(access(ran, F_OK) == 0);
        unlink(ran);
        symbi_job_free(j);
        symbi_spawner_free(own);
    }
}

static void test_endings(void)
{
    cmd c;
    symbi_exec_result r;
    symbi_job *j;
    int64_t t;
    if (!usable) SKIP("bubblewrap does not work here");
    j = run(box(&c, 20000, "exit 7"), &r);
    REQUIRE(j);
    CHECK(r.exit_code == 7 && !r.timed_out);
    symbi_job_free(j);
    t = ms(); /* SIGTERM reaches the tool, which has its grace */
    j = run(box(&c, 700, "trap 'sleep 0.05; echo told; exit 0' TERM; sleep 1111.02468 & wait"), &r);
    REQUIRE(j);
    CHECK(r.timed_out && r.exit_code == -1);
    CHECK_STR(r.out, "told\n");
    symbi_job_free(j);
    CHECK(gone("1111.02468"));
    j = run(box(&c, 700, "trap '' TERM; (trap '' TERM; setsid sh -c \"trap '' TERM; sleep 1112.02468\") & sleep 1112.02468"), &r);
    REQUIRE(j);
    CHECK(r.timed_out && ms() - t < 15000);
    symbi_job_free(j);
    CHECK(gone("1112.02468"));
    j = run(box(&c, 20000, "setsid sh -c 'setsid sleep 1113.02468 </dev/null >/dev/null 2>&1 &' ; echo ok"), &r); /* dies with the box */
    REQUIRE(j);
    CHECK_STR(r.out, "ok\n");
    symbi_job_free(j);
    CHECK(gone("1113.02468"));
    REQUIRE(symbi_spawner_start(sp, box(&c, 20000, "sleep 1114.02468"), no_permit, &j, &err) == SYMBI_OK);
    CHECK(becomes("1114.02468", true));
    symbi_job_kill(j);
    CHECK_OK(symbi_job_wait(j, 5000, &err), err);
    CHECK(symbi_job_result(j, &r, &err) == SYMBI_EABORT);
    symbi_job_free(j);
    CHECK(gone("1114.02468"));
    REQUIRE(symbi_spawner_start(sp, box(&c, 20000, "setsid sleep 1115.02468 & sleep 1115.02468"), no_permit, &j, &err) == SYMBI_OK);
    CHECK(becomes("1115.02468", true));
    kill(symbi_spawner_pid(sp), SIGKILL);
    CHECK_OK(symbi_job_wait(j, 5000, &err), err);
    CHECK(symbi_job_result(j, &r, &err) == SYMBI_EIO);
    symbi_job_free(j);
    CHECK(gone("1115.02468"));
    CMD(&c, 60000, "head", "-c", "100000000", "/dev/zero"); /* the pipes are the same */
    c.plan.box = SYMBI_BOX_BWRAP;
    c.plan.stdout_max = 1000;
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK(r.exit_code == 0 && r.out_bytes == 100000000 && r.out.n == 1000 && r.out_truncated);
    symbi_job_free(j);
}

static void test_many(void)
{
    enum { N = 24 };
    symbi_job *jobs[N];
    symbi_exec_result r;
    cmd c;
    if (!usable) SKIP("bubblewrap does not work here");
    for (int i = 0; i < N; i++) {
        char text[40];
        snprintf(text, sizeof text, "echo %d", i);
        REQUIRE(symbi_spawner_start(sp, box(&c, 30000, text), no_permit, &jobs[i], &err) == SYMBI_OK);
    }
    for (int i = 0; i < N; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d\n", i);
        CHECK_OK(symbi_job_wait(jobs[i], 30000, &err), err);
        CHECK_OK(symbi_job_result(jobs[i], &r, &err), err);
        CHECK_STR(r.out, text);
        symbi_job_free(jobs[i]);
    }
}

/* What the spawner itself says of the files, whoever has looked at them before. */
static symbi_status look(cmd *c, symbi_err *e)
{
    static const symbi_str no_args = { "{}", 2 };
    const symbi_alloc a = { counting_fn, &(counting_alloc){ 0 } };
    sy_xw_exec x;
    sy_buf b;
    symbi_str payload;
    symbi_status st;
    sy_buf_init(&b, a, 1 << 20);
    st = sy_xw_write_exec(&b, &c->plan, no_args, no_permit, 1, e);
    payload.p = b.p + SY_XW_HEAD;
    payload.n = b.n - SY_XW_HEAD;
    if (!st) st = sy_xw_read_exec(payload, &a, &x, e);
    if (!st) {
        st = sy_sp_check_files(&x, e);
        sy_xw_exec_free(&x, &a);
    }
    sy_buf_free(&b);
    return st;
}

static void test_check_files(void)
{
    static const struct { const char *file; symbi_status st; const char *text; } bad[] = {
        { "none.txt", SYMBI_ENOTFOUND, "No such file" }, { "out", SYMBI_EDENIED, "no regular file" }, { "away/passwd", SYMBI_EDENIED, "outside the project" }, { "loop", SYMBI_EDENIED, "cannot be used" },
        { "../../etc/passwd", SYMBI_EDENIED, "outside" }, { "null", SYMBI_EDENIED, "outside" }, { "fifo", SYMBI_EDENIED, "no regular file" }, { "/etc/passwd", SYMBI_EDENIED, "no path inside" },
        { ".", SYMBI_EDENIED, "no regular file" },
    };
    cmd c;
    symbi_exec_result r;
    symbi_job *j = NULL;
    put(in_project("creds.txt"), "c", 0600);
    put(in_project("out/a"), "a", 0600);
    CHECK(symlink("creds.txt", in_project("link.txt")) == 0 && mkfifo(in_project("fifo"), 0600) == 0);
    SH(&c, 5000, "echo ok");
    c.plan.cwd = symbi_str_z(project);
    c.files[0] = symbi_str_z("creds.txt");
    c.files[1] = symbi_str_z("link.txt");
    c.files[2] = symbi_str_z("out/a");
    c.plan.ncheck_files = 3;
    CHECK_OK(look(&c, &err), err);
    j = run(&c.plan, &r);
    REQUIRE(j);
    CHECK_STR(r.out, "ok\n");
    symbi_job_free(j);
    c.plan.ncheck_files = 2;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        symbi_status st;
        c.files[1] = symbi_str_z(bad[i].file);
        st = look(&c, &err);
        if (st != bad[i].st || !strstr(err.msg, bad[i].text)) printf("%s: %s %s\n", bad[i].file, symbi_status_name(st), err.msg), t_now_failed = 1;
        CHECK(symbi_exec_blocking(sp, &c.plan, no_permit, &j, &err) == bad[i].st && !j && strstr(err.msg, bad[i].text)); /* and so its caller hears */
    }
    c.plan.cwd = symbi_str_z("/no/such/folder");
    CHECK(look(&c, &err) == SYMBI_EDENIED && strstr(err.msg, "the project's folder"));
}

int main(void)
{
    cmd c;
    symbi_job *j = NULL;
    char text[300];
    if (symbi_ctx_new(NULL, &cx, &err) || symbi_spawner_new(cx, NULL, &sp, &err) || !mkdtemp(project)) return 1;
    CHECK(mkdir(in_project("out"), 0755) == 0 && symlink("/etc", in_project("away")) == 0 && symlink("loop", in_project("loop")) == 0);
    CHECK(symlink("/dev/null", in_project("null")) == 0 && symlink("/", in_project("up")) == 0);
    usable = symbi_exec_blocking(sp, box(&c, 20000, "true"), no_permit, &j, &err) == SYMBI_OK;
    if (!usable) printf("%s\n", err.msg);
    symbi_job_free(j);
    RUN(test_world);
    RUN(test_network);
    RUN(test_writing);
    RUN(test_refused_paths);
    RUN(test_program);
    RUN(test_without_bwrap);
    RUN(test_endings);
    RUN(test_many);
    RUN(test_check_files);
    symbi_spawner_free(sp);
    symbi_ctx_free(cx);
    snprintf(text, sizeof text, "rm -rf %s", project);
    return system(text) ? 1 : test_end();
}
