/* Credential files: inside the project, regular, and looked at before a tool starts, in this process or behind a socket. */
#include "symbi/io.h"
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_spawner *sp;
static char dir[64];

static symbi_status start(const char *cwd, const char *file, bool frame, symbi_err *err)
{
    symbi_str argv[1] = { symbi_str_z("/bin/true") }, check[1] = { symbi_str_z(file) };
    symbi_plan p;
    symbi_job *j = NULL;
    symbi_status st;
    memset(&p, 0, sizeof p);
    p.kind = SYMBI_BACKEND_SHELL;
    p.argv = argv;
    p.argc = 1;
    p.tool = symbi_str_z("t");
    p.scan_id = symbi_str_z("s");
    p.cwd = symbi_str_z(cwd);
    p.timeout_ms = 5000;
    p.stdout_max = p.stderr_max = 1000;
    p.check_files = check;
    p.ncheck_files = 1;
    if (frame) {
        symbi_text t = { 0 };
        st = symbi_exec_encode(cx, &p, symbi_str_z(""), 1, &t, err);
        symbi_text_free(&t);
        return st;
    }
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
        { "missing.txt", SYMBI_ENOTFOUND }, { "creds.txt/x", SYMBI_ENOTFOUND }, { "sub", SYMBI_EDENIED }, { "", SYMBI_EDENIED }, { "fifo", SYMBI_EDENIED }, { "null", SYMBI_EDENIED },
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
        for (int frame = 0; frame < 2; frame++) {
            symbi_status st = start(cwd, t[i].file, frame, &e);
            if (st != t[i].want) printf("  '%s': %s\n", t[i].file, st ? e.msg : "let through");
            CHECK(st == t[i].want);
        }
    snprintf(path, sizeof path, "%s/none", dir);
    CHECK(start(path, "creds.txt", false, &e) == SYMBI_EDENIED);
    snprintf(path, sizeof path, "%s/plink", dir); /* the project may itself be a link */
    put("plink", "project");
    CHECK_OK(start(path, "creds.txt", false, &e), e);
    snprintf(path, sizeof path, "rm -rf '%s'", dir);
    CHECK(system(path) == 0);
}

int main(void)
{
    symbi_err e;
    strcpy(dir, "/tmp/symbi-check-XXXXXX");
    if (!mkdtemp(dir) || symbi_ctx_new(NULL, &cx, &e) || symbi_spawner_new(cx, NULL, &sp, &e)) return 1;
    RUN(test_files);
    symbi_spawner_free(sp);
    symbi_ctx_free(cx);
    return test_end();
}
