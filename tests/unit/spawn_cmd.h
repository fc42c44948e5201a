/* tests/unit/spawn_cmd.h: plans made by hand, and a look at the processes of this machine: for the tests of the spawner. */
#ifndef SPAWN_CMD_H
#define SPAWN_CMD_H
#include "symbi/io.h"
#include "test.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 8 };
typedef struct cmd {
    symbi_plan plan;
    symbi_str argv[WORDS], env[WORDS], write[WORDS], hide[WORDS], files[WORDS];
} cmd;

/* "1234.02468", a time that a sleep of these tests is told, becomes one of this very process: several may run the same test. */
static inline const char *own(const char *text)
{
    static char pool[64][900];
    static int next, self; /* a forked host says the same as the test that made it */
    char *o = pool[next++ % 64], *to = o;
    const char *at;
    if (!self) self = (int)getpid() % 10000000;
    while ((at = strstr(text, ".02468"))) {
        to += sprintf(to, "%.*s.0%d", (int)(at - text), text, self);
        text = at + 6;
    }
    strcpy(to, text);
    return o;
}

static inline symbi_plan *set(cmd *c, int64_t timeout, const char *const *words)
{
    memset(c, 0, sizeof *c);
    c->plan.kind = SYMBI_BACKEND_SHELL;
    for (; words[c->plan.argc]; c->plan.argc++) c->argv[c->plan.argc] = symbi_str_z(strstr(words[c->plan.argc], ".02468") ? own(words[c->plan.argc]) : words[c->plan.argc]);
    c->env[0] = symbi_str_z("PATH=/usr/bin:/bin");
    c->plan.argv = c->argv;
    c->plan.env = c->env;
    c->plan.nenv = 1;
    c->plan.tool = symbi_str_z("t");
    c->plan.cwd = c->plan.scan_id = c->plan.output_file = symbi_str_z("");
    c->plan.timeout_ms = timeout;
    c->plan.stdout_max = c->plan.stderr_max = 10u << 20;
    c->plan.box_write = c->write;
    c->plan.box_hide = c->hide;
    c->plan.check_files = c->files;
    return &c->plan;
}
#define CMD(c, timeout, ...) set(c, timeout, (const char *const[]){ __VA_ARGS__, NULL })
#define SH(c, timeout, text) CMD(c, timeout, "/bin/sh", "-c", text)

static inline int64_t ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Is any process alive whose arguments hold this text? */
static inline bool alive(const char *what)
{
    const char *text = own(what);
    DIR *d = opendir("/proc");
    struct dirent *e;
    bool found = false;
    while (!found && (e = readdir(d))) {
        char path[300], buf[65536];
        FILE *f;
        size_t n, len = strlen(text);
        if (e->d_name[0] < '0' || e->d_name[0] > '9' || atoi(e->d_name) == getpid()) continue;
        snprintf(path, sizeof path, "/proc/%s/cmdline", e->d_name);
        if (!(f = fopen(path, "rb"))) continue;
        n = fread(buf, 1, sizeof buf, f);
        fclose(f);
        for (size_t i = 0; !found && i + len <= n; i++) found = memcmp(buf + i, text, len) == 0;
    }
    closedir(d);
    return found;
}

static inline bool becomes(const char *text, bool want)
{
    for (int i = 0; i < 300; i++) {
        if (alive(text) == want) return true;
        usleep(10000);
    }
    return false;
}
static inline bool gone(const char *text) { return becomes(text, false); }
#endif
