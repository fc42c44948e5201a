/* Over the spawner's socket as through the spawner of this process: credential files (inside the project, regular, looked at before a tool
 * starts), and the evidence that a run leaves. */
#include "symbi/io.h"
#include "test.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_spawner *sp;
static char dir[64];

/* What a client of the socket does (lua/symbi/io/ngx.lua): one frame there, one frame back. */
static char answer[1 << 16];
static symbi_status over_socket(const symbi_plan *p, symbi_exec_result *r, symbi_err *err)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    symbi_text t = { 0 };
    symbi_str s;
    symbi_status st = symbi_exec_encode(cx, p, symbi_str_z(""), 1, &t, err);
    size_t n = 0, whole = 0;
    uint64_t id;
    int fd;
    if (st) return st;
    snprintf(a.sun_path, sizeof a.sun_path, "%s/spawn.sock", dir);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    s = symbi_text_str(&t);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) || send(fd, s.p, s.n, MSG_NOSIGNAL) != (ssize_t)s.n) st = SYMBI_EIO;
    while (!st && (!whole || n < whole)) {
        ssize_t k = recv(fd, answer + n, sizeof answer - n, 0);
        if (k <= 0 || symbi_exec_frame_len((symbi_str){ answer, n += (size_t)k }, &whole, err)) st = SYMBI_EIO;
    }
    if (fd >= 0) close(fd);
    symbi_text_free(&t);
    return st ? st : symbi_exec_decode((symbi_str){ answer, n }, &id, r, err);
}

static symbi_status anything(void *ud, const symbi_exec_request *rq, int64_t now_ms, symbi_err *err)
{
    (void)ud, (void)rq, (void)now_ms, (void)err;
    return SYMBI_OK;
}

static symbi_plan plan_of(const char *cwd, const symbi_str *argv, size_t argc)
{
    symbi_plan p;
    memset(&p, 0, sizeof p);
    p.kind = SYMBI_BACKEND_SHELL;
    p.argv = argv;
    p.argc = argc;
    p.tool = symbi_str_z("t");
    p.scan_id = symbi_str_z("s");
    p.cwd = symbi_str_z(cwd);
    p.output_file = p.parser = symbi_str_z("");
    p.timeout_ms = 5000;
    p.stdout_max = p.stderr_max = 1000;
    return p;
}

static symbi_status start(const char *cwd, const char *file, bool socket, symbi_err *err)
{
    symbi_str argv[1] = { symbi_str_z("/bin/true") }, check[1] = { symbi_str_z(file) };
    symbi_plan p = plan_of(cwd, argv, 1);
    symbi_exec_result r;
    symbi_job *j = NULL;
    symbi_status st;
    p.check_files = check;
    p.ncheck_files = 1;
    if (socket) return over_socket(&p, &r, err);
    st = symbi_exec_blocking(sp, &p, symbi_str_z(""), &j, err);
    symbi_job_free(j);
    return st;
}

static void put(const char *name, const char *link)
{
    char path[200];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (link) {
        CHECK(symlink(link, path) == 0);
        return;
    }
    f = fopen(path, "w");
    if (f) fclose(f);
    CHECK(f != NULL);
}

static void test_files(void)
{
    static const struct { const char *file; symbi_status want; } t[] = {
        { "creds.txt", SYMBI_OK }, { "sub/creds.txt", SYMBI_OK }, { "link.txt", SYMBI_OK }, { "./creds.txt", SYMBI_OK }, { "sub/../creds.txt", SYMBI_OK },
        { "missing.txt", SYMBI_ENOTFOUND }, { "creds.txt/x", SYMBI_ENOTFOUND }, { "sub", SYMBI_EDENIED }, { "", SYMBI_EINVAL }, { ".", SYMBI_EDENIED }, { "fifo", SYMBI_EDENIED }, { "null", SYMBI_EDENIED },
        { "out.txt", SYMBI_EDENIED }, { "outdir/passwd", SYMBI_EDENIED }, { "../beside/creds.txt", SYMBI_EDENIED }, { "/etc/passwd", SYMBI_EDENIED }, { "loop", SYMBI_EDENIED },
    };
    char path[200], cwd[200];
    symbi_err e;
    snprintf(path, sizeof path, "%s/project/sub", dir);
    snprintf(cwd, sizeof cwd, "%s/project", dir);
    CHECK(mkdir(cwd, 0700) == 0 && mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/beside", dir);
    CHECK(mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/project-2", dir); /* begins like the project */
    CHECK(mkdir(path, 0700) == 0);
    put("beside/creds.txt", NULL);
    put("project-2/creds.txt", NULL);
    put("project/creds.txt", NULL);
    put("project/sub/creds.txt", NULL);
    put("project/link.txt", "creds.txt");
    put("project/out.txt", "../project-2/creds.txt");
    put("project/outdir", "/etc");
    put("project/null", "/dev/null");
    put("project/loop", "loop");
    snprintf(path, sizeof path, "%s/project/fifo", dir);
    CHECK(mkfifo(path, 0600) == 0);
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        for (int socket = 0; socket < 2; socket++) {
            symbi_status st = start(cwd, t[i].file, socket, &e);
            if (st != t[i].want) printf("  '%s': %s\n", t[i].file, st ? e.msg : "let through");
            CHECK(st == t[i].want);
        }
    snprintf(path, sizeof path, "%s/none", dir);
    CHECK(start(path, "creds.txt", false, &e) == SYMBI_EDENIED);
    snprintf(path, sizeof path, "%s/plink", dir); /* the project may itself be a link */
    put("plink", "project");
    CHECK_OK(start(path, "creds.txt", false, &e), e);
}

static bool file_is(const char *path, const char *text)
{
    symbi_text t = { 0 };
    struct stat st;
    symbi_err e;
    bool same = !symbi_file_read(cx, path, 10000, &t, &e) && symbi_text_str(&t).n == strlen(text) && !memcmp(symbi_text_str(&t).p, text, strlen(text)) && !stat(path, &st) && (st.st_mode & 0777) == 0600;
    symbi_text_free(&t);
    return same;
}

/* The same run leaves the same file, mode and name, whoever asked for it. */
static void test_evidence(void)
{
    symbi_str argv[3] = { symbi_str_z("/bin/sh"), symbi_str_z("-c"), symbi_str_z("echo kept; echo aside >&2; exit 3") };
    symbi_plan p = plan_of("", argv, 3);
    char path[200], folder[200];
    symbi_exec_result r, local;
    symbi_job *j = NULL;
    symbi_err e;
    struct stat st;
    p.capture = true;
    snprintf(path, sizeof path, "%s/evidence/1-t/scan.txt", dir);
    p.output_file = symbi_str_z(path);
    REQUIRE(symbi_exec_blocking(sp, &p, symbi_str_z(""), &j, &e) == SYMBI_OK && symbi_job_result(j, &local, &e) == SYMBI_OK);
    CHECK_STR(local.output_file, path);
    CHECK(file_is(path, "kept\n"));
    snprintf(path, sizeof path, "%s/evidence/2-t/scan.txt", dir);
    p.output_file = symbi_str_z(path);
    CHECK_OK(over_socket(&p, &r, &e), e);
    CHECK_STR(r.output_file, path);
    CHECK_STR(r.out, "kept\n");
    CHECK_STR(r.err, "aside\n");
    CHECK(file_is(path, "kept\n") && r.exit_code == 3 && local.exit_code == 3 && !memcmp(r.out_sha256, local.out_sha256, 32));
    symbi_job_free(j);
    snprintf(folder, sizeof folder, "%s/evidence/2-t", dir);
    CHECK(stat(folder, &st) == 0 && (st.st_mode & 0777) == 0700);
    CHECK(over_socket(&p, &r, &e) == SYMBI_EIO && strstr(e.msg, "cannot make the evidence folder")); /* the same run a second time */
    snprintf(folder, sizeof folder, "%s/evidence", dir);
    CHECK(chmod(folder, 0777) == 0);
    snprintf(path, sizeof path, "%s/evidence/3-t/scan.txt", dir);
    p.output_file = symbi_str_z(path);
    argv[2] = symbi_str_z("touch /tmp/symbi-check-ran");
    CHECK(over_socket(&p, &r, &e) == SYMBI_EIO && strstr(e.msg, "others can write to it") && access("/tmp/symbi-check-ran", F_OK)); /* and it was not run */
    CHECK(chmod(folder, 0700) == 0);
    p.output_file = symbi_str_z("no-folder");
    CHECK(over_socket(&p, &r, &e) == SYMBI_EINVAL);
    p.output_file = symbi_str_z("");
    CHECK(over_socket(&p, &r, &e) == SYMBI_EINVAL);
    argv[2] = symbi_str_z("yes | head -c 5000"); /* more than is kept: what is kept is in the file, and both say that it was cut */
    snprintf(path, sizeof path, "%s/evidence/4-t/scan.txt", dir);
    p.output_file = symbi_str_z(path);
    CHECK_OK(over_socket(&p, &r, &e), e);
    CHECK(r.out_truncated && r.out_bytes == 5000 && r.out.n == 1000 && stat(path, &st) == 0 && st.st_size == 1000);
    argv[0] = symbi_str_z("/no/such/program"); /* nothing to keep */
    snprintf(path, sizeof path, "%s/evidence/5-t/scan.txt", dir);
    CHECK_OK(over_socket(&p, &r, &e), e);
    CHECK(r.start_errno == 2 && r.output_file.n == 0 && access(path, F_OK));
}

/* Killed, it is there again for those who reach it over its socket: at once, at the same place, and nothing that was at work runs again. */
static void test_revived(void)
{
    symbi_str argv[3] = { symbi_str_z("/bin/sh"), symbi_str_z("-c"), symbi_str_z("") };
    symbi_plan p = plan_of("", argv, 3);
    symbi_exec_result r;
    symbi_err e;
    bool started = true;
    int pid = symbi_spawner_pid(sp);
    char text[300], path[200];
    struct stat st;
    CHECK_OK(symbi_spawner_revive(sp, &started, &e), e);
    CHECK(!started && symbi_spawner_pid(sp) == pid);
    snprintf(path, sizeof path, "%s/once", dir);
    snprintf(text, sizeof text, "echo x >>%s; kill -9 %d; sleep 5", path, pid); /* the tool itself kills it */
    argv[2] = symbi_str_z(text);
    CHECK(over_socket(&p, &r, &e) == SYMBI_EIO);
    argv[2] = symbi_str_z("echo again");
    CHECK(over_socket(&p, &r, &e) == SYMBI_EIO); /* nobody is there */
    CHECK_OK(symbi_spawner_revive(sp, &started, &e), e);
    CHECK(started && symbi_spawner_pid(sp) > 0 && symbi_spawner_pid(sp) != pid);
    CHECK_OK(over_socket(&p, &r, &e), e);
    CHECK_STR(r.out, "again\n");
    CHECK(stat(path, &st) == 0 && st.st_size == 2);
    CHECK_OK(symbi_spawner_revive(sp, &started, &e), e);
    CHECK(!started);
}

int main(void)
{
    symbi_spawner_options o;
    char path[200];
    symbi_err e;
    strcpy(dir, "/tmp/symbi-check-XXXXXX");
    if (!mkdtemp(dir) || symbi_ctx_new(NULL, &cx, &e)) return 1;
    snprintf(path, sizeof path, "%s/spawn.sock", dir);
    symbi_spawner_options_init(&o);
    o.listen_path = path;
    o.check = anything;
    if (symbi_spawner_new(cx, &o, &sp, &e)) return 1;
    RUN(test_files);
    RUN(test_evidence);
    RUN(test_revived);
    symbi_spawner_free(sp);
    symbi_ctx_free(cx);
    snprintf(path, sizeof path, "rm -rf '%s'", dir);
    return system(path) ? 1 : test_end();
}
