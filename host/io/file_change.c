/* io/file_change.c: files that grow, go away, or are shared between processes: append, remove, touch, lock. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "io/file_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

symbi_status symbi_file_append(symbi_ctx *cx, const char *path, symbi_str data, unsigned mode, bool sync, symbi_err *err)
{
    struct stat st;
    bool made = lstat(path, &st) != 0;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, mode ? mode : 0666u & ~0022u), e = 0;
    (void)cx;
    if (fd < 0) return sy_file_fail(err, errno, "append to", path);
    if (fstat(fd, &st)) e = errno;
    else if (!S_ISREG(st.st_mode)) e = S_ISDIR(st.st_mode) ? EISDIR : SY_NO_FILE;
    if (!e) e = sy_file_write_all(fd, data);
    if (!e && sync && fdatasync(fd)) e = errno;
    if (close(fd) && !e) e = errno;
    if (!e && sync && made) e = sy_file_sync_folder_of(path);
    return e ? sy_file_fail(err, e, "append to", path) : SYMBI_OK;
}

symbi_status symbi_file_remove(symbi_ctx *cx, const char *path, symbi_err *err)
{
    int e;
    (void)cx;
    if (remove(path)) return sy_file_fail(err, errno, "remove", path);
    e = sy_file_sync_folder_of(path);
    return e ? sy_file_fail(err, e, "sync the folder of", path) : SYMBI_OK;
}

enum { MAX_NESTING = 64 };

/* Empties the folder open as fd, which it closes. 0 or errno. */
static int empty(int fd, int depth)
{
    DIR *dir = fdopendir(fd);
    struct dirent *d;
    int e = 0;
    if (!dir) {
        e = errno;
        close(fd);
        return e;
    }
    for (errno = 0; !e && (d = readdir(dir)); errno = 0) {
        struct stat st;
        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..")) continue;
        if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW)) e = errno;
        else if (S_ISDIR(st.st_mode)) {
            /* O_NOFOLLOW: what was a folder a moment ago may be a link now. */
            int sub = depth < MAX_NESTING ? openat(dirfd(dir), d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
            e = sub >= 0 ? empty(sub, depth + 1) : depth < MAX_NESTING ? errno : ELOOP;
            if (!e && unlinkat(dirfd(dir), d->d_name, AT_REMOVEDIR)) e = errno;
        } else if (unlinkat(dirfd(dir), d->d_name, 0)) e = errno;
        if (e == ENOENT) e = 0; /* somebody else was faster */
    }
    if (!e && errno) e = errno;
    closedir(dir);
    return e;
}

symbi_status symbi_file_remove_tree(symbi_ctx *cx, const char *path, symbi_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), e;
    if (fd < 0) return sy_file_fail(err, errno, "remove", path);
    e = empty(fd, 1);
    if (e == ELOOP) {
        sy_fail(err, SYMBI_ELIMIT, "the folder %s is nested deeper than %d folders", path, (int)MAX_NESTING);
        return SYMBI_ELIMIT;
    }
    return e ? sy_file_fail(err, e, "remove", path) : symbi_file_remove(cx, path, err);
}

symbi_status symbi_file_touch(symbi_ctx *cx, const char *path, int64_t mtime_ms, symbi_err *err)
{
    struct timespec ts[2];
    (void)cx;
    ts[0].tv_sec = ts[1].tv_sec = (time_t)(mtime_ms / 1000 - (mtime_ms % 1000 < 0));
    ts[0].tv_nsec = ts[1].tv_nsec = (long)((mtime_ms % 1000 + 1000) % 1000 * 1000000);
    return utimensat(AT_FDCWD, path, ts, AT_SYMLINK_NOFOLLOW) ? sy_file_fail(err, errno, "change the time of", path) : SYMBI_OK;
}

struct symbi_file_lock {
    int fd;
    symbi_alloc alloc;
};

static bool lies_at(int fd, const char *path)
{
    struct stat a, b;
    return !fstat(fd, &a) && !lstat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

symbi_status symbi_file_lock_take(symbi_ctx *cx, const char *path, int64_t timeout_ms, symbi_file_lock **out, symbi_err *err)
{
    symbi_file_lock *l = sy_calloc(&cx->alloc, 1, sizeof *l);
    int64_t end = timeout_ms < 0 ? INT64_MAX : symbi_ctx_mono_ms(cx) + timeout_ms;
    int e = 0;
    *out = NULL;
    if (!l) return sy_fail_nomem(err);
    l->alloc = cx->alloc;
    l->fd = -1;
    /* flock belongs to the open file: two threads, or two states of one process, exclude each other too. There is no waiting
     * with a deadline in the system call, so it is tried again; and the file may have been removed or moved away meanwhile: then it
     * keeps nobody out any more, and the one that is there now is tried. */
    for (;;) {
        struct timespec pause = { 0, 2000000 };
        if (l->fd < 0 && (l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)) < 0) e = errno;
        else if (!flock(l->fd, LOCK_EX | LOCK_NB)) e = 0;
        else e = errno;
        if (l->fd < 0 || (e && e != EINTR && e != EWOULDBLOCK)) break;
        if (!lies_at(l->fd, path)) {
            close(l->fd);
            l->fd = -1;
        } else if (!e) {
            break;
        }
        if (symbi_ctx_mono_ms(cx) >= end) {
            e = ETIMEDOUT;
            break;
        }
        if (l->fd >= 0) nanosleep(&pause, NULL);
    }
    if (!e) {
        *out = l;
        return SYMBI_OK;
    }
    symbi_file_lock_release(l);
    if (e != ETIMEDOUT) return sy_file_fail(err, e, "lock", path);
    sy_fail(err, SYMBI_ETIMEOUT, "another process keeps the lock %s", path);
    sy_err_path(err, symbi_str_z(path));
    return SYMBI_ETIMEOUT;
}

void symbi_file_lock_release(symbi_file_lock *l)
{
    symbi_alloc a;
    if (!l) return;
    a = l->alloc;
    if (l->fd >= 0) close(l->fd);
    sy_free(&a, l, sizeof *l);
}
