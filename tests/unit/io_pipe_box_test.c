/* Unit tests: a long-lived child in bubblewrap (symbi/io_pipe.h with `box`), at pipes and at a terminal: what it sees and may write, that its
 * terminal is its own in there, how it is told to go, and that all of it dies with its supervisor. Skipped, visibly, where bwrap cannot run. */
#define _GNU_SOURCE
#include "base/str.h"
#include "symbi/io.h"
#include "symbi/io_pipe.h"
#include "spawn_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static symbi_ctx *cx;
static symbi_err err;
static char project[64] = "/tmp/symbi-pipe-box-XXXXXX";
static bool usable;
#define NEED_BWRAP do { if (!usable) SKIP("bubblewrap does not work here"); } while (0)

static symbi_pipe *start(cmd *c, bool terminal, const char *script)
{
    symbi_pipe_options o;
    symbi_pipe *p = NULL;
    symbi_pipe_options_init(&o);
    SH(c, 0, script);
    c->plan.cwd = symbi_str_z(project);
    c->plan.box = SYMBI_BOX_BWRAP;
    c->write[0] = symbi_str_z("out");
    c->plan.nbox_write = 1;
    c->hide[0] = symbi_str_z("secret");
    c->plan.nbox_hide = 1;
    o.argv = c->plan.argv;
    o.argc = c->plan.argc;
    o.env = c->plan.env;
    o.nenv = c->plan.nenv;
    o.terminal = terminal;
    o.box = &c->plan;
    if (symbi_pipe_open(cx, &o, &p, &err)) return NULL;
    return p;
}

/* Everything until the end, or until `until` was said. */
static char *hear(symbi_pipe *p, const char *until)
{
    static char buf[32768];
    size_t n = 0;
    symbi_err e;
    for (int64_t end = ms() + 20000; ms() < end;) {
        symbi_str b;
        symbi_status st = symbi_pipe_read(p, &b, &e);
        if (!st && n + b.n < sizeof buf) memcpy(buf + n, b.p, b.n), n += b.n;
        buf[n] = 0;
        if ((st && st != SYMBI_EAGAIN) || (until && strstr(buf, until))) break;
        if (st) (void)!symbi_pipe_wait(p, 200, &e);
    }
    return buf;
}

static bool has_file(const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", project, name);
    return access(path, F_OK) == 0;
}

static bool comes(const char *name)
{
    for (int i = 0; i < 500; i++) {
        if (has_file(name)) return true;
        usleep(10000);
    }
    return false;
}

static void test_world(void)
{
    NEED_BWRAP;
    /* a listener of the host's, which nobody in there reaches */
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int ear = socket(AF_INET, SOCK_STREAM, 0);
    char script[2000];
    REQUIRE(ear >= 0 && bind(ear, (struct sockaddr *)&a, len) == 0 && listen(ear, 4) == 0 && getsockname(ear, (struct sockaddr *)&a, &len) == 0);
    snprintf(script, sizeof script,
             "uname -n; (echo x >here) 2>/dev/null && echo wrote-project; (echo x >/etc/symbi-x) 2>/dev/null && echo wrote-root; echo x >out/y && echo wrote-out; ls /tmp; ls secret;"
             "grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; ls /proc/self/fd | tr '\\n' ' '; env | sort | tr '\\n' ' '; (exec 9<>/dev/tcp/127.0.0.1/%d) 2>/dev/null && echo connected; echo end", ntohs(a.sin_port));
    for (int terminal = 0; terminal < 2; terminal++) {
        cmd c;
        symbi_pipe *p = start(&c, terminal, script);
        char *s;
        if (!p) printf("%s\n", err.msg);
        REQUIRE(p);
        s = hear(p, NULL);
        if (!strstr(s, "end")) printf("%s\n", s);
        CHECK(strstr(s, "sandbox") && strstr(s, "wrote-out") && strstr(s, "end"));
        CHECK(!strstr(s, "wrote-project") && !strstr(s, "wrote-root") && !strstr(s, "connected") && !strstr(s, "hidden.txt"));
        CHECK(strstr(s, "CapEff:\t0000000000000000") && strstr(s, "CapBnd:\t0000000000000000") && strstr(s, "NoNewPrivs:\t1"));
        CHECK(strstr(s, "0 1 2 3 ") && !strstr(s, "0 1 2 3 4")); /* 3 is the folder that ls reads: nothing of bwrap or the host is open */
        CHECK(strstr(s, "PATH=/usr/bin:/bin") && !strstr(s, "HOME=")); /* PWD and the like are the shell's own */
        CHECK(has_file("out/y") && !has_file("here"));
        symbi_pipe_free(p);
    }
    close(ear);
}

/* It is the controlling terminal in there too, and a resize, a hang-up and job control of it are the program's affair; what could be pushed into
 * it with TIOCSTI nobody outside ever reads, since nobody else has this terminal. */
static void test_terminal(void)
{
    NEED_BWRAP;
    cmd c;
    symbi_pipe *p = start(&c, true, "test -t 0 && test -t 2 && echo is-a-terminal; echo over-dev-tty >/dev/tty; stty size </dev/tty; read line </dev/tty; echo \"got $line\"; ls /dev/pts | wc -l");
    char *s;
    symbi_pipe_end e;
    REQUIRE(p);
    hear(p, "24 200");
    CHECK_OK(symbi_pipe_write(p, SY_LIT("typed\n"), &err), err);
    s = hear(p, NULL);
    CHECK(strstr(s, "got typed"));
    CHECK(symbi_pipe_ended(p, 5000, &e) && e.exit_code == 0 && e.not_run.n == 0);
    symbi_pipe_free(p);
    p = start(&c, true, "test -t 0 && test -t 2 && echo is-a-terminal; echo over-dev-tty >/dev/tty; ls /dev/pts; echo end");
    REQUIRE(p);
    s = hear(p, NULL);
    CHECK(strstr(s, "is-a-terminal") && strstr(s, "over-dev-tty") && strstr(s, "ptmx\r\nend")); /* no other terminal of the host */
    symbi_pipe_free(p);
}

/* Told to go, it may put its things in order; then all of it is gone, whatever it thinks of that. */
static void test_ends(void)
{
    NEED_BWRAP;
    cmd c;
    symbi_pipe_end e;
    symbi_pipe *p = start(&c, true, "trap 'echo bye >out/hup; exit 3' HUP; (trap '' HUP TERM; exec setsid sleep 3001.02468) & echo ready; while :; do sleep 0.05; done");
    REQUIRE(p && strstr(hear(p, "ready"), "ready") && becomes("3001.02468", true));
    symbi_pipe_hang_up(p);
    CHECK(symbi_pipe_ended(p, 5000, &e) && e.exit_code == 3);
    symbi_pipe_free(p);
    CHECK(has_file("out/hup") && gone("3001.02468"));

    p = start(&c, true, "trap 'echo bye >out/hup2; exit 3' HUP; echo ready; while :; do sleep 0.05; done"); /* closed without a word before */
    REQUIRE(p && strstr(hear(p, "ready"), "ready"));
    symbi_pipe_free(p);
    CHECK(comes("out/hup2"));

    p = start(&c, false, "trap 'echo bye >out/term; exit 3' TERM; echo ready; while :; do sleep 0.05; done"); /* does not mind the end of its input */
    REQUIRE(p && strstr(hear(p, "ready"), "ready"));
    symbi_pipe_free(p);
    CHECK(comes("out/term"));

    p = start(&c, false, "trap '' TERM HUP; sleep 3002.02468 & echo ready; while :; do sleep 3003.02468; done");
    REQUIRE(p && strstr(hear(p, "ready"), "ready"));
    symbi_pipe_free(p);
    CHECK(gone("3002.02468") && gone("3003.02468"));

    p = start(&c, false, "read x; echo \"read $x\"; read y || exit 7"); /* its input ends */
    REQUIRE(p);
    CHECK_OK(symbi_pipe_write(p, SY_LIT("one\n"), &err), err);
    CHECK(strstr(hear(p, "read one"), "read one"));
    symbi_pipe_hang_up(p);
    CHECK(symbi_pipe_ended(p, 5000, &e) && e.exit_code == 7 && e.not_run.n == 0);
    symbi_pipe_free(p);
}

/* Nothing of a box outlives those who look after it. */
static void test_orphans(void)
{
    NEED_BWRAP;
    for (int terminal = 0; terminal < 2; terminal++)
        for (int who = 0; who < 2; who++) { /* 0: the host is killed, 1: the supervisor */
            int status, line[2];
            pid_t host;
            char b[32] = { 0 };
            REQUIRE(pipe(line) == 0);
            host = fork();
            if (host == 0) {
                cmd c;
                symbi_pipe *p = start(&c, terminal, "setsid sleep 3004.02468 & sleep 3005.02468 & echo ready; while :; do sleep 3006.02468; done");
                char stat[600] = { 0 }, path[64];
                int fd, ppid = 0;
                if (!p || !strstr(hear(p, "ready"), "ready")) _exit(9);
                snprintf(path, sizeof path, "/proc/%d/stat", symbi_pipe_pid(p));
                fd = open(path, O_RDONLY);
                if (fd < 0 || read(fd, stat, sizeof stat - 1) < 0) _exit(8);
                sscanf(strrchr(stat, ')') + 1, " %*c %d", &ppid);
                snprintf(b, sizeof b, "%d", ppid);
                if (write(line[1], b, strlen(b)) < 0) _exit(7);
                for (;;) pause();
            }
            close(line[1]);
            REQUIRE(read(line[0], b, sizeof b - 1) > 0);
            close(line[0]);
            CHECK(becomes("3006.02468", true));
            kill(who ? (pid_t)atoi(b) : host, SIGKILL);
            CHECK(gone("3004.02468") && gone("3005.02468") && gone("3006.02468"));
            kill(host, SIGKILL);
            waitpid(host, &status, 0);
        }
}

static void test_refused(void)
{
    NEED_BWRAP;
    cmd c;
    symbi_pipe_options o;
    symbi_pipe_end e;
    symbi_pipe *p = NULL;
    char path[200];
    FILE *f;
    for (int terminal = 0; terminal < 2; terminal++) { /* bwrap starts, and cannot start the program */
        snprintf(path, sizeof path, "%s/bad-interpreter", project);
        f = fopen(path, "w");
        REQUIRE(f);
        fputs("#!/no/such/interpreter\n", f);
        fclose(f);
        chmod(path, 0755);
        p = start(&c, terminal, "true");
        REQUIRE(p);
        hear(p, NULL);
        CHECK(symbi_pipe_ended(p, 5000, &e) && e.exit_code == 0 && e.not_run.n == 0);
        symbi_pipe_free(p);
        symbi_pipe_options_init(&o);
        CMD(&c, 0, "./bad-interpreter");
        c.plan.cwd = symbi_str_z(project);
        c.plan.box = SYMBI_BOX_BWRAP;
        o.argv = c.plan.argv, o.argc = 1, o.env = c.plan.env, o.nenv = 1, o.box = &c.plan, o.terminal = terminal;
        REQUIRE(symbi_pipe_open(cx, &o, &p, &err) == SYMBI_OK);
        hear(p, NULL);
        CHECK(symbi_pipe_ended(p, 5000, &e) && sy_str_starts(e.not_run, SY_LIT("the tool was not run: bwrap: ")));
        symbi_pipe_free(p);
    }
    symbi_pipe_options_init(&o);
    CMD(&c, 0, "no-such-program-here");
    c.plan.box = SYMBI_BOX_BWRAP;
    o.argv = c.plan.argv, o.argc = 1, o.env = c.plan.env, o.nenv = 1, o.box = &c.plan;
    CHECK(symbi_pipe_open(cx, &o, &p, &err) == SYMBI_EIO && !p && strstr(err.msg, "cannot start 'no-such-program-here'"));
    CMD(&c, 0, "true");
    c.plan.box = SYMBI_BOX_BWRAP;
    c.write[0] = symbi_str_z("no/such/folder");
    c.plan.nbox_write = 1;
    o.argv = c.plan.argv;
    CHECK(symbi_pipe_open(cx, &o, &p, &err) == SYMBI_EINVAL && !p && strstr(err.msg, "which it may write to, is not there"));
    c.plan.nbox_write = 0;
    c.plan.cwd = symbi_str_z("/no/such/project");
    CHECK(symbi_pipe_open(cx, &o, &p, &err) == SYMBI_EIO && !p);
    c.plan.cwd = symbi_str_z("");
    c.plan.box = SYMBI_BOX_NONE; /* a plan without a box is none */
    REQUIRE(symbi_pipe_open(cx, &o, &p, &err) == SYMBI_OK);
    symbi_pipe_free(p);
}

/* Where it begins, a folder of its own, the network, and user namespaces: each only when asked for. */
static void test_more(void)
{
    NEED_BWRAP;
    static const char script[] = "pwd; (echo x >own-file) 2>/dev/null && echo wrote-own; unshare -U true 2>/dev/null && echo namespaces; readlink /proc/self/ns/net; echo end";
    char own_dir[] = "/tmp/symbi-own-XXXXXX", net[64] = { 0 };
    REQUIRE(mkdtemp(own_dir));
    REQUIRE(readlink("/proc/self/ns/net", net, sizeof net - 1) > 0);
    for (int more = 0; more < 2; more++) {
        cmd c;
        symbi_pipe_options o;
        symbi_pipe *p = NULL;
        char *s;
        symbi_pipe_options_init(&o);
        SH(&c, 0, script);
        c.plan.cwd = symbi_str_z(project);
        c.plan.box = SYMBI_BOX_BWRAP;
        c.plan.box_network = more;
        o.argv = c.plan.argv, o.argc = c.plan.argc, o.env = c.plan.env, o.nenv = 1, o.box = &c.plan;
        o.cwd = symbi_str_z(more ? own_dir : project);
        if (more) o.box_own = symbi_str_z(own_dir);
        o.box_userns = more;
        REQUIRE(symbi_pipe_open(cx, &o, &p, &err) == SYMBI_OK);
        s = hear(p, NULL);
        CHECK(strstr(s, more ? own_dir : project) && strstr(s, "end"));
        CHECK(!strstr(s, "wrote-own") == !more && !strstr(s, net) == !more);
        CHECK(more || !strstr(s, "namespaces"));
        symbi_pipe_free(p);
    }
    snprintf(net, sizeof net, "rm -rf %s", own_dir);
    CHECK(system(net) == 0);
}

static void test_hygiene(void)
{
    NEED_BWRAP;
    int before = 0, status;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d)) before++;
    closedir(d);
    for (int i = 0; i < 20; i++) {
        cmd c;
        symbi_pipe *p = start(&c, i & 1, "echo end");
        REQUIRE(p && strstr(hear(p, NULL), "end"));
        symbi_pipe_free(p);
    }
    d = opendir("/proc/self/fd");
    while (readdir(d)) before--;
    closedir(d);
    CHECK(before == 0);
    CHECK(waitpid(-1, &status, __WALL | WNOHANG) < 0 && errno == ECHILD);
}

int main(void)
{
    cmd c;
    symbi_pipe *p;
    char text[300];
    if (symbi_ctx_new(NULL, &cx, &err) || !mkdtemp(project)) return 1;
    snprintf(text, sizeof text, "mkdir %s/out %s/secret && echo x >%s/secret/hidden.txt", project, project, project);
    if (system(text)) return 1;
    p = start(&c, false, "echo works");
    usable = p && strstr(hear(p, NULL), "works");
    symbi_pipe_free(p);
    RUN(test_world);
    RUN(test_terminal);
    RUN(test_ends);
    RUN(test_orphans);
    RUN(test_refused);
    RUN(test_more);
    RUN(test_hygiene);
    symbi_ctx_free(cx);
    snprintf(text, sizeof text, "rm -rf %s", project);
    return system(text) ? 1 : test_end();
}
