/* io/watch.c: folders under inotify. Each folder has a watch of its own and one on the folder it stands in, which sees it come, go and be
 * replaced. Events are only counted as "something": names are read to tell whether the parent's event is about us. */
#include "symbi/io_watch.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    IN_FOLDER = IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
    IN_PARENT = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
    LOST_MS = 1000 /* how often a folder is looked for that nothing can announce */
};

typedef struct place {
    char *path;   /* path, then parent, in one allocation */
    size_t bytes;
    const char *parent, *name; /* name NULL: it has no name to look for ("." or "/") */
    int wd, pwd;  /* -1: not there */
} place;

struct symbi_watch {
    unsigned refs;
    symbi_ctx *cx;
    int fd;
    long pid;
    int64_t quiet_ms, most_ms, first, last, looked;
    bool pending;
    place places[SYMBI_WATCH_FOLDERS];
    size_t n;
};

/* Adds a watch; -1 when the folder is not there. */
static symbi_status arm(symbi_watch *w, const char *path, uint32_t mask, int *wd, symbi_err *err)
{
    *wd = inotify_add_watch(w->fd, path, mask | IN_MASK_ADD); /* one folder may be watched for two reasons */
    if (*wd >= 0 || errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP || errno == ENAMETOOLONG) return SYMBI_OK;
    return sy_fail(err, errno == ENOMEM ? SYMBI_ENOMEM : SYMBI_EIO, "%s cannot be watched: %s%s", path, strerror(errno), errno == ENOSPC ? " (fs.inotify.max_user_watches)" : "");
}

/* Watches again what the paths mean now. An old folder that moved away must not be heard any more. */
static symbi_status rearm(symbi_watch *w, symbi_err *err)
{
    int old[2 * SYMBI_WATCH_FOLDERS];
    size_t n = 0;
    symbi_status st = SYMBI_OK;
    for (size_t i = 0; i < w->n; i++) {
        place *p = &w->places[i];
        old[n++] = p->wd;
        old[n++] = p->pwd;
        p->wd = p->pwd = -1;
        if (!st && p->name) st = arm(w, p->parent, IN_PARENT, &p->pwd, err);
        if (!st) st = arm(w, p->path, IN_FOLDER, &p->wd, err);
    }
    for (size_t i = 0; i < n; i++) {
        bool used = old[i] < 0;
        for (size_t k = 0; k < w->n; k++) used = used || w->places[k].wd == old[i] || w->places[k].pwd == old[i];
        if (!used) inotify_rm_watch(w->fd, old[i]);
    }
    return st;
}

static symbi_status begin(symbi_watch *w, symbi_err *err)
{
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    w->pid = (long)getpid();
    if (w->fd >= 0) return SYMBI_OK;
    return sy_fail(err, SYMBI_EUNSUPPORTED, "folders cannot be watched: %s%s", strerror(errno), errno == EMFILE ? " (fs.inotify.max_user_instances)" : "");
}

symbi_status symbi_watch_new(symbi_ctx *cx, int64_t quiet_ms, int64_t most_ms, symbi_watch **out, symbi_err *err)
{
    symbi_watch *w = sy_calloc(&cx->alloc, 1, sizeof *w);
    symbi_status st;
    *out = NULL;
    if (!w) return sy_fail_nomem(err);
    w->refs = 1;
    w->cx = cx;
    w->fd = -1;
    w->quiet_ms = quiet_ms > 0 ? quiet_ms : 50;
    w->most_ms = most_ms > 0 ? most_ms : 500;
    if ((st = begin(w, err))) symbi_watch_free(w);
    else *out = w;
    return st;
}

symbi_watch *symbi_watch_ref(symbi_watch *w)
{
    w->refs++;
    return w;
}

void symbi_watch_free(symbi_watch *w)
{
    symbi_alloc a;
    if (!w || --w->refs) return;
    a = w->cx->alloc;
    if (w->fd >= 0) close(w->fd);
    for (size_t i = 0; i < w->n; i++) sy_free(&a, w->places[i].path, w->places[i].bytes);
    sy_free(&a, w, sizeof *w);
}

symbi_status symbi_watch_add(symbi_watch *w, const char *path, symbi_err *err)
{
    place *p = &w->places[w->n];
    size_t n = strlen(path), slash;
    symbi_status st;
    if (!n || n >= PATH_MAX) return sy_fail(err, SYMBI_EINVAL, "a path to watch has 1 to %d bytes", PATH_MAX - 1);
    if (w->n == SYMBI_WATCH_FOLDERS) return sy_fail(err, SYMBI_ELIMIT, "a watch has at most %d folders", SYMBI_WATCH_FOLDERS);
    while (n > 1 && path[n - 1] == '/') n--;
    memset(p, 0, sizeof *p);
    p->bytes = 2 * (n + 2);
    p->path = sy_calloc(&w->cx->alloc, 1, p->bytes);
    if (!p->path) return sy_fail_nomem(err);
    memcpy(p->path, path, n);
    for (slash = n; slash && path[slash - 1] != '/'; slash--) continue;
    p->name = p->path + slash;
    if (!*p->name || strcmp(p->name, ".") == 0 || strcmp(p->name, "..") == 0) {
        p->name = NULL;
    } else {
        char *q = p->path + n + 2;
        p->parent = q;
        if (!slash) q[0] = '.';
        else memcpy(q, path, slash > 1 ? slash - 1 : 1);
    }
    p->wd = p->pwd = -1;
    w->n++;
    if ((st = rearm(w, err))) {
        sy_free(&w->cx->alloc, p->path, p->bytes);
        w->n--;
    }
    return st;
}

static void notice(symbi_watch *w)
{
    int64_t now = symbi_ctx_mono_ms(w->cx);
    if (!w->pending) w->first = now;
    w->last = now;
    w->pending = true;
}

static bool ours(const symbi_watch *w, const struct inotify_event *e)
{
    if (e->mask & IN_Q_OVERFLOW) return true;
    for (size_t i = 0; i < w->n; i++) {
        const place *p = &w->places[i];
        if (e->wd == p->wd) return true;
        if (e->wd == p->pwd && (!e->len || strcmp(e->name, p->name) == 0)) return true;
    }
    return false; /* of a folder that is not watched any more */
}

/* Reads what is there, at most a few buffers: a folder under constant fire is looked at again later, not for ever. */
static symbi_status drain(symbi_watch *w, symbi_err *err)
{
    union {
        struct inotify_event e;
        char bytes[8192];
    } buf;
    bool any = false, gone = false;
    for (int round = 0; round < 64; round++) {
        ssize_t n = read(w->fd, buf.bytes, sizeof buf.bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) return sy_fail(err, SYMBI_EIO, "the watch cannot be read: %s", strerror(errno));
        if (n <= 0) break;
        for (char *p = buf.bytes; p < buf.bytes + n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)p;
            if (ours(w, e)) any = true;
            if (e->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_MOVE_SELF | IN_DELETE_SELF | IN_UNMOUNT | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)) gone = true;
            p += sizeof *e + e->len;
        }
    }
    if (any) notice(w);
    return any && gone ? rearm(w, err) : SYMBI_OK;
}

/* Folders that no watch can announce, and a child that shares its parent's descriptor: looked at by the clock. */
static symbi_status look(symbi_watch *w, symbi_err *err)
{
    int64_t now = symbi_ctx_mono_ms(w->cx);
    bool lost = false;
    symbi_status st;
    if (w->pid != (long)getpid()) {
        close(w->fd);
        for (size_t i = 0; i < w->n; i++) w->places[i].wd = w->places[i].pwd = -1;
        if ((st = begin(w, err)) || (st = rearm(w, err))) return st;
        notice(w);
        return SYMBI_OK;
    }
    for (size_t i = 0; i < w->n; i++) lost = lost || (w->places[i].wd < 0 && w->places[i].pwd < 0);
    if (!lost || now - w->looked < LOST_MS) return SYMBI_OK;
    w->looked = now;
    notice(w);
    return rearm(w, err);
}

int64_t symbi_watch_due(const symbi_watch *w)
{
    int64_t now, quiet, most;
    if (!w->pending) return -1;
    now = symbi_ctx_mono_ms(w->cx);
    quiet = w->last + w->quiet_ms - now;
    most = w->first + w->most_ms - now;
    if (most < quiet) quiet = most;
    return quiet > 0 ? quiet : 0;
}

symbi_status symbi_watch_poll(symbi_watch *w, int64_t timeout_ms, bool *changed, symbi_err *err)
{
    int64_t until = symbi_ctx_mono_ms(w->cx) + timeout_ms;
    *changed = false;
    for (;;) {
        struct pollfd pfd = { w->fd, POLLIN, 0 };
        int64_t due, left;
        symbi_status st = look(w, err);
        if (!st) st = drain(w, err);
        if (st) return st;
        due = symbi_watch_due(w);
        if (due == 0) {
            w->pending = false;
            *changed = true;
            return SYMBI_OK;
        }
        left = timeout_ms < 0 ? LOST_MS : until - symbi_ctx_mono_ms(w->cx);
        if (left <= 0) return SYMBI_OK;
        if (left > LOST_MS) left = LOST_MS;
        if (due > 0 && due < left) left = due;
        pfd.fd = w->fd;
        if (poll(&pfd, 1, (int)left) < 0) {
            if (errno == EINTR) return SYMBI_OK;
            return sy_fail(err, SYMBI_EIO, "the watch cannot be waited for: %s", strerror(errno));
        }
    }
}

int symbi_watch_fd(const symbi_watch *w) { return w->fd; }
