/* io/spawn_sandbox.c: a plan's box as the command line of bubblewrap, and the look at files and folders that must come before. It runs in
 * the spawner, and in the host for what is talked to (pipe.c). Paths are resolved here, and what a symbolic link would lead somewhere else is
 * refused: a tool that may write to one folder must not choose with a link which folder the next tool may write to.
 *
 * Everything that bwrap mounts over its read-only root is put in order of depth, so that a folder inside another wins over it: what is
 * hidden inside a writable project stays hidden, and a project inside a hidden /home is there. */
#define _GNU_SOURCE
#include "io/spawn_int.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIXED_WORDS = 56, WORDS_PER_OP = 5, FIXED_OPS = 8, TREE_MAX = 512 };
#define TMP_BYTES "268435456" /* of each private folder */

typedef enum op_kind { OP_EMPTY, OP_READ, OP_WRITE, OP_HIDE_DIR, OP_HIDE_FILE } op_kind;
typedef struct op {
    op_kind kind;
    const char *path;
    size_t len;
} op;

typedef struct maker {
    sy_sp_mem *m;
    op *ops;
    size_t nops;
    char **argv;
    size_t argc;
    int cwd; /* descriptor of the plan's folder */
    int at;  /* of the folder that the program begins in */
    char root[PATH_MAX], start[PATH_MAX]; /* their real paths */
    symbi_err *err;
} maker;

/* The real path of name below dir, in out; what is there, in st. 0 or an errno. */
static int real_path(int dir, const char *name, struct stat *st, char out[PATH_MAX])
{
    char link[48];
    struct stat again;
    int fd = openat(dir, name, O_PATH | O_CLOEXEC), e = 0;
    ssize_t n;
    if (fd < 0) return errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, out, PATH_MAX);
    if (n < 0 || fstat(fd, st)) e = errno;
    else if (n >= PATH_MAX) e = ENAMETOOLONG;
    else {
        out[n] = 0;
        /* "/x (deleted)", or a place outside of our root */
        if (out[0] != '/' || stat(out, &again) || again.st_dev != st->st_dev || again.st_ino != st->st_ino) e = ENOENT;
    }
    close(fd);
    return e;
}

static bool below(const char *path, const char *root)
{
    size_t n = strlen(root);
    if (n == 1) return true; /* "/" */
    return strncmp(path, root, n) == 0 && (path[n] == '/' || !path[n]);
}

static int open_cwd(symbi_str cwd) { return open(cwd.n ? cwd.p : ".", O_PATH | O_DIRECTORY | O_CLOEXEC); }

/* Both names are resolved by the kernel's own rules; a tool that opens the name afterwards sees the same file unless somebody who may write to
 * the project changes it meanwhile. */
static symbi_status check_file(int dir, const char *root, symbi_str file, symbi_err *err)
{
    char path[PATH_MAX];
    struct stat st;
    int e;
    if (file.p[0] == '/') return sy_fail(err, SYMBI_EDENIED, "'%.*s' is no path inside the project", SY_FMT(file));
    e = real_path(dir, file.p, &st, path);
    if (e) return sy_fail(err, e == ENOENT || e == ENOTDIR ? SYMBI_ENOTFOUND : SYMBI_EDENIED, "the file '%.*s' cannot be used: %s", SY_FMT(file), strerrordesc_np(e));
    if (!below(path, root)) return sy_fail(err, SYMBI_EDENIED, "the file '%.*s' lies outside the project", SY_FMT(file));
    return S_ISREG(st.st_mode) ? SYMBI_OK : sy_fail(err, SYMBI_EDENIED, "'%.*s' is no regular file", SY_FMT(file));
}

symbi_status sy_sp_check_files(const sy_xw_exec *x, symbi_err *err)
{
    const symbi_plan *p = &x->rq.plan;
    char root[PATH_MAX];
    struct stat st;
    symbi_status r = SYMBI_OK;
    int dir = open_cwd(p->cwd), e = dir < 0 ? errno : real_path(dir, ".", &st, root);
    if (e) r = sy_fail(err, SYMBI_EDENIED, "the project's folder %s cannot be used: %s", p->cwd.p, strerrordesc_np(e));
    for (size_t i = 0; !r && i < p->ncheck_files; i++) r = check_file(dir, root, p->check_files[i], err);
    if (dir >= 0) close(dir);
    return r;
}

/* ---- memory: all of it was reserved before the first word, so nothing moves ---- */

static const char *keep(maker *k, const char *s)
{
    size_t n = strlen(s) + 1;
    char *o = k->m->p + k->m->n;
    memcpy(o, s, n);
    k->m->n += n;
    return o;
}

static void word(maker *k, const char *s) { k->argv[k->argc++] = (char *)(uintptr_t)s; /* execve does not write */ }
static void word3(maker *k, const char *a, const char *b, const char *c) { word(k, a), word(k, b), word(k, c); }

static void put_op(maker *k, op_kind kind, const char *path)
{
    op o = { kind, path, strlen(path) };
    size_t i = k->nops++;
    for (; i && k->ops[i - 1].len > o.len; i--) k->ops[i] = k->ops[i - 1]; /* stable: of one path the later holds */
    k->ops[i] = o;
}

static bool reserve(maker *k, const symbi_plan *p, char *const *argv)
{
    size_t ops = p->nbox_write + p->nbox_hide + FIXED_OPS, words = FIXED_WORDS + ops * WORDS_PER_OP;
    size_t at = ops * sizeof(op);
    while (*argv++) words++;
    k->m->n = 0;
    if (!sy_sp_mem_room(k->m, at + words * sizeof(char *) + (ops + 4) * PATH_MAX)) return false;
    k->ops = (op *)(void *)k->m->p;
    k->argv = (char **)(void *)(k->m->p + at);
    k->m->n = at + words * sizeof(char *);
    return true;
}

/* ---- what is mounted ---- */

/* Of these the box has its own; the host's must not come in through a bind. */
static bool special(const char *path) { return below(path, "/proc") || below(path, "/sys") || below(path, "/dev"); }

static symbi_status put_write(maker *k, symbi_str s, bool must_be_real)
{
    char path[PATH_MAX];
    struct stat st;
    bool relative = s.p[0] != '/';
    int e = real_path(k->cwd, s.p, &st, path);
    size_t n = s.n;
    while (n > 1 && s.p[n - 1] == '/') n--;
    if (e) return sy_fail(k->err, SYMBI_EINVAL, "the tool was not run: %s, which it may write to, is not there: %s", s.p, strerrorname_np(e));
    if (relative && !below(path, k->root)) return sy_fail(k->err, SYMBI_EINVAL, "the tool was not run: %s, which it may write to, leads out of the project, to %s", s.p, path);
    if (must_be_real && !relative && (strlen(path) != n || memcmp(path, s.p, n) != 0))
        return sy_fail(k->err, SYMBI_EINVAL, "the tool was not run: %s, which it may write to, leads to %s by a symbolic link; name that", s.p, path);
    if (!path[1] || special(path)) return sy_fail(k->err, SYMBI_EINVAL, "the tool was not run: %s cannot be made writable", path);
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) return sy_fail(k->err, SYMBI_EINVAL, "the tool was not run: %s, which it may write to, is neither folder nor file", s.p);
    put_op(k, OP_WRITE, keep(k, path));
    return SYMBI_OK;
}

static symbi_status put_output(maker *k, symbi_str file)
{
    char dir[PATH_MAX];
    const char *slash = memrchr(file.p, '/', file.n);
    symbi_str s = { dir, 0 };
    if (!slash || slash == file.p || (size_t)(slash - file.p) >= sizeof dir) return sy_fail(k->err, SYMBI_EINVAL, "the evidence file %s has no folder of its own", file.p);
    s.n = (size_t)(slash - file.p);
    memcpy(dir, file.p, s.n);
    dir[s.n] = 0;
    /* the host has just made it, and resolved a relative one against its own folder, which is ours: not the plan's */
    if (dir[0] == '/') return put_write(k, s, false);
    return sy_fail(k->err, SYMBI_EINVAL, "the tool was not run: {output_dir} needs an absolute evidence folder, not %s", dir);
}

static void put_hide(maker *k, symbi_str s)
{
    char path[PATH_MAX];
    struct stat st;
    if (real_path(k->cwd, s.p, &st, path)) return; /* nothing is there */
    if (!path[1] || special(path)) return;
    put_op(k, S_ISDIR(st.st_mode) ? OP_HIDE_DIR : OP_HIDE_FILE, keep(k, path));
}

/* A folder that the host has just made for this program alone. */
static symbi_status put_own(maker *k, const char *dir)
{
    char path[PATH_MAX];
    struct stat st;
    int e = real_path(AT_FDCWD, dir, &st, path);
    if (!e && (special(path) || strcmp(path, dir) != 0)) e = ELOOP; /* it knows the folder by this name */
    if (e) return sy_fail(k->err, SYMBI_EIO, "the tool was not run: the folder %s cannot be used: %s", dir, strerrorname_np(e));
    put_op(k, OP_WRITE, keep(k, path));
    return SYMBI_OK;
}

static symbi_status put_ops(maker *k, const sy_sp_inner *x)
{
    static const char *const own[] = { "/tmp", "/var/tmp", "/run", "/var/run" }; /* sockets in the last two reach the host's daemons */
    const symbi_plan *p = x->plan;
    symbi_status st = SYMBI_OK;
    struct stat s;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (lstat(own[i], &s) == 0 && S_ISDIR(s.st_mode)) put_op(k, OP_EMPTY, own[i]);
    if (k->root[1] && !special(k->root)) put_op(k, OP_READ, keep(k, k->root));
    if (k->start[1] && !special(k->start) && !below(k->start, k->root)) put_op(k, OP_READ, keep(k, k->start));
    if (x->own) st = put_own(k, x->own);
    for (size_t i = 0; !st && i < p->nbox_write; i++) st = put_write(k, p->box_write[i], true);
    if (!st && p->box_output) st = put_output(k, p->output_file);
    for (size_t i = 0; !st && i < p->nbox_hide; i++) put_hide(k, p->box_hide[i]);
    return st;
}

static void put_words(maker *k)
{
    for (size_t i = 0; i < k->nops; i++) {
        const char *p = k->ops[i].path;
        switch (k->ops[i].kind) {
        case OP_EMPTY:
        case OP_HIDE_DIR:
            word(k, "--size"), word(k, TMP_BYTES);
            word(k, "--tmpfs"), word(k, p);
            break;
        case OP_READ: word3(k, "--ro-bind", p, p); break;
        case OP_WRITE: word3(k, "--bind", p, p); break;
        case OP_HIDE_FILE: word3(k, "--ro-bind", "/dev/null", p); break;
        }
    }
}

/* ---- the program ---- */

/* Can this file be started as the kernel starts programs? bwrap would hand anything else to a shell. 0 or an errno. */
static int startable(int dir, const char *name)
{
    struct stat st;
    char head[4] = { 0 };
    ssize_t n;
    int fd;
    if (fstatat(dir, name, &st, 0)) return errno;
    if (!S_ISREG(st.st_mode) || faccessat(dir, name, X_OK, AT_EACCESS)) return EACCES;
    fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0; /* not readable: no shell can read it either */
    n = read(fd, head, sizeof head);
    close(fd);
    return (n == 4 && !memcmp(head, "\177ELF", 4)) || (n >= 2 && !memcmp(head, "#!", 2)) ? 0 : ENOEXEC;
}

/* The program as a path that means the same in there, or an errno. As exec_path: entries of PATH that are not absolute are passed over. */
static int find_program(maker *k, const sy_sp_inner *x, const char **out)
{
    const char *name = x->argv[0], *p = "/usr/local/bin:/usr/bin:/bin";
    size_t nlen = strlen(name);
    int best = ENOENT;
    char full[PATH_MAX];
    if (strchr(name, '/')) {
        *out = name;
        return startable(k->at, name);
    }
    for (char *const *e = x->envp; *e; e++)
        if (!strncmp(*e, "PATH=", 5)) {
            p = *e + 5;
            break;
        }
    while (*p) {
        const char *e = strchrnul(p, ':');
        size_t n = (size_t)(e - p);
        if (*p == '/' && n + 1 + nlen < sizeof full) {
            int r;
            memcpy(full, p, n);
            full[n] = '/';
            memcpy(full + n + 1, name, nlen + 1);
            r = startable(AT_FDCWD, full);
            if (!r) {
                *out = keep(k, full);
                return 0;
            }
            if (r == EACCES) best = EACCES;
            else if (r != ENOENT && r != ENOTDIR) return r;
        }
        p = *e ? e + 1 : e;
    }
    return best;
}

static const char *find_bwrap(const char *named)
{
    static const char *const places[] = { "/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap", "/run/wrappers/bin/bwrap" };
    if (named && named[0]) return access(named, X_OK) ? NULL : named;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], X_OK) == 0) return places[i];
    return NULL;
}

static void put_number(char *to, int n) /* of one or two digits */
{
    if (n > 9) *to++ = (char)('0' + n / 10);
    *to++ = (char)('0' + n % 10);
    *to = 0;
}

/* A program that makes user namespaces of its own keeps that right, and is not root where it does: root's browser has no sandbox otherwise. */
static void put_user(maker *k, const sy_sp_inner *x)
{
    if (!x->userns) word(k, "--disable-userns");
    else if (geteuid() == 0) word(k, "--uid"), word(k, "1000"), word(k, "--gid"), word(k, "1000");
}

/* No --new-session: who starts bwrap has made a session for it alone, and a program at a terminal must keep that as its controlling one. What
 * could be pushed into it (TIOCSTI) only the box itself reads: the host holds the other side. */
static symbi_status make(maker *k, const sy_sp_inner *x, const char *bwrap, int *start_errno)
{
    static const char *const fixed[] = { "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--cap-drop", "ALL",
                                         "--hostname", "sandbox", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc" };
    const symbi_plan *p = x->plan;
    const char *program = NULL;
    char number[8];
    struct stat s;
    symbi_status st;
    k->cwd = open_cwd(p->cwd);
    *start_errno = k->cwd < 0 ? errno : real_path(k->cwd, ".", &s, k->root);
    if (*start_errno) return SYMBI_OK;
    k->at = x->at && x->at[0] ? open(x->at, O_PATH | O_DIRECTORY | O_CLOEXEC) : openat(k->cwd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    *start_errno = k->at < 0 ? errno : real_path(k->at, ".", &s, k->start);
    if (*start_errno) return SYMBI_OK;
    if (!reserve(k, p, x->argv)) return sy_fail_nomem(k->err);
    if ((*start_errno = find_program(k, x, &program))) return SYMBI_OK;
    if ((st = put_ops(k, x))) return st;
    word(k, bwrap);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) word(k, fixed[i]);
    put_user(k, x);
    put_number(number, x->status_fd);
    word(k, "--json-status-fd"), word(k, keep(k, number));
    if (!p->box_network) word(k, "--unshare-net");
    put_words(k);
    if (p->box_network) word3(k, "--ro-bind-try", "/run/systemd/resolve", "/run/systemd/resolve"); /* where /etc/resolv.conf may point */
    word(k, "--chdir"), word(k, keep(k, k->start));
    word(k, "--"), word(k, program);
    for (size_t i = 1; x->argv[i]; i++) word(k, x->argv[i]);
    word(k, NULL);
    return SYMBI_OK;
}

symbi_status sy_sp_box_make(sy_sp_mem *m, const sy_sp_inner *x, sy_sp_box *out, int *start_errno, symbi_err *err)
{
    const char *bwrap = find_bwrap(x->bwrap);
    maker k;
    symbi_status st;
    out->argv = NULL;
    *start_errno = 0;
    if (!bwrap) return sy_fail(err, SYMBI_EUNSUPPORTED, "the tool was not run: it runs in bwrap only, and bubblewrap is not installed here (Debian: apt install bubblewrap)");
    memset(&k, 0, sizeof k);
    k.m = m;
    k.err = err;
    k.at = -1;
    st = make(&k, x, bwrap, start_errno);
    if (k.cwd >= 0) close(k.cwd);
    if (k.at >= 0) close(k.at);
    if (!st && !*start_errno) out->argv = k.argv;
    return st;
}

/* ---- what bwrap says, and its processes ---- */

bool sy_sp_box_began(int fd)
{
    char b[1024];
    ssize_t n = fd < 0 ? 0 : read(fd, b, sizeof b); /* a few short lines; all of them, since bwrap has ended */
    return n > 0 && memmem(b, (size_t)n, "\"exit-code\"", 11);
}

size_t sy_sp_box_why(symbi_str said, char *msg, size_t cap)
{
    static const char head[] = "the tool was not run: ", none[] = "bwrap ended before it could start it",
                      userns[] = "bwrap may not make namespaces here (user namespaces are switched off, or this is a container that forbids them)";
    const char *t = said.p;
    size_t n = said.n, k = sizeof head - 1;
    while (n && (t[n - 1] == '\n' || t[n - 1] == '\r')) n--;
    memcpy(msg, head, k);
    if (n && memmem(t, n, "namespace", 9)) t = userns, n = sizeof userns - 1;
    else if (n < 7 || memcmp(t, "bwrap: ", 7)) t = none, n = sizeof none - 1;
    for (size_t i = 0; i < n && t[i] != '\n' && k < cap - 1; i++) msg[k++] = (char)(t[i] >= ' ' && t[i] < 127 ? t[i] : '?');
    msg[k] = 0;
    return k;
}

void sy_sp_box_signal(pid_t leader, int sig, char *scratch)
{
    pid_t seen[TREE_MAX];
    size_t n = 0, at = 0;
    seen[n++] = leader;
    while (at < n) { /* leader is bwrap, its child the box's first process: both outlive a signal that is not sent to them */
        const char *p = sy_sp_children(seen[at++], scratch, 4096);
        pid_t pid;
        while (n < TREE_MAX && (pid = sy_sp_next_pid(&p))) seen[n++] = pid;
    }
    for (size_t i = 2; i < n; i++) kill(seen[i], sig), kill(seen[i], SIGCONT);
    if (n <= 2) kill(-leader, SIGTERM); /* it is still being made */
}
