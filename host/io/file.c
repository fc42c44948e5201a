/* io/file.c: files and folders for the host and its scripts: read whole with a cap, write whole or not at all, list sorted. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "io/file_int.h"
#include "symbi/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

symbi_status sy_file_fail(symbi_err *err, int e, const char *what, const char *path)
{
    symbi_status st = e == ENOENT || e == ENOTDIR ? SYMBI_ENOTFOUND : e == EEXIST ? SYMBI_EEXISTS : e == ENOMEM ? SYMBI_ENOMEM : SYMBI_EIO;
    sy_fail(err, st, "cannot %s %s: %s", what, path, e == SY_NO_FILE ? "it is no file, but a pipe, a device or a socket" : strerror(e));
    sy_err_path(err, symbi_str_z(path));
    return st;
}

static char type_of(mode_t m) { return S_ISREG(m) ? 'f' : S_ISDIR(m) ? 'd' : S_ISLNK(m) ? 'l' : 'o'; }

static void info_of(const struct stat *st, symbi_file_info *out)
{
    out->type = type_of(st->st_mode);
    out->size = st->st_size > 0 ? (uint64_t)st->st_size : 0;
    out->mtime_ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
    out->mode = st->st_mode & 07777;
    snprintf(out->version, sizeof out->version, "%llx.%llx.%llx.%llx.%lx.%llx.%lx", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
             (unsigned long long)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec, (unsigned long long)st->st_ctim.tv_sec, (unsigned long)st->st_ctim.tv_nsec);
}

symbi_status symbi_file_read(symbi_ctx *cx, const char *path, size_t max, symbi_text *out, symbi_err *err)
{
    symbi_file_info info;
    return symbi_file_read_info(cx, path, max, true, out, &info, err);
}

symbi_status symbi_file_read_info(symbi_ctx *cx, const char *path, size_t max, bool follow, symbi_text *out, symbi_file_info *info, symbi_err *err)
{
    /* The open of a named pipe must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
    struct stat st;
    sy_buf b;
    symbi_status r;
    memset(out, 0, sizeof *out);
    memset(info, 0, sizeof *info);
    if (fd < 0) return sy_file_fail(err, errno, "read", path);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return sy_file_fail(err, S_ISDIR(st.st_mode) ? EISDIR : SY_NO_FILE, "read", path);
    }
    info_of(&st, info);
    sy_buf_init(&b, cx->alloc, max);
    if (st.st_size > 0 && (uint64_t)st.st_size <= max) sy_buf_reserve(&b, (size_t)st.st_size);
    while (!sy_buf_status(&b)) { /* to the end, whatever the size said: it may grow, and /proc says 0 */
        char piece[65536];
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            int e = errno;
            close(fd);
            sy_buf_free(&b);
            return sy_file_fail(err, e, "read", path);
        }
        if (n == 0) break;
        sy_buf_add(&b, piece, (size_t)n);
    }
    close(fd);
    r = sy_buf_take(&b, out, path, err);
    sy_err_path(r ? err : NULL, symbi_str_z(path));
    return r;
}

int sy_file_write_all(int fd, symbi_str s)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        s.p += n, s.n -= (size_t)n;
    }
    return 0;
}

/* The entry of a renamed file is on disk only once its folder is. */
int sy_file_sync_folder_of(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    int fd, e = 0;
    if (n >= sizeof dir) return ENAMETOOLONG;
    memcpy(dir, path, n);
    strcpy(dir + n, n ? "" : slash ? "/" : ".");
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    if (fsync(fd) && errno != EINVAL && errno != EROFS) e = errno;
    close(fd);
    return e;
}

symbi_status symbi_file_write(symbi_ctx *cx, const char *path, symbi_str data, unsigned mode, symbi_err *err)
{
    char tmp[PATH_MAX];
    uint8_t r[8];
    symbi_status st = symbi_ctx_random(cx, r, sizeof r, err);
    int fd, e, n;
    if (st) return st;
    n = snprintf(tmp, sizeof tmp, "%s.%02x%02x%02x%02x%02x%02x.tmp", path, r[0], r[1], r[2], r[3], r[4], r[5]);
    if (n < 0 || (size_t)n >= sizeof tmp) return sy_file_fail(err, ENAMETOOLONG, "write", path);
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode ? mode : 0666u & ~0022u);
    if (fd < 0) return sy_file_fail(err, errno, "write", path);
    e = sy_file_write_all(fd, data);
    if (!e && fsync(fd)) e = errno;
    if (close(fd) && !e) e = errno;
    if (!e && rename(tmp, path)) e = errno;
    if (e) {
        unlink(tmp);
        return sy_file_fail(err, e, "write", path);
    }
    e = sy_file_sync_folder_of(path);
    return e ? sy_file_fail(err, e, "sync the folder of", path) : SYMBI_OK;
}

symbi_status symbi_file_realpath(symbi_ctx *cx, const char *path, symbi_text *out, symbi_err *err)
{
    char full[PATH_MAX];
    sy_buf b;
    memset(out, 0, sizeof *out);
    if (!realpath(path, full)) return sy_file_fail(err, errno, "resolve", path);
    sy_buf_init(&b, cx->alloc, sizeof full);
    sy_buf_addz(&b, full);
    return sy_buf_take(&b, out, path, err);
}

symbi_status symbi_file_mkdir(symbi_ctx *cx, const char *path, unsigned mode, bool parents, symbi_err *err)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    struct stat st;
    (void)cx;
    if (!mode) mode = 0777;
    if (!n || n >= sizeof part) return sy_file_fail(err, n ? ENAMETOOLONG : ENOENT, "make folder", path);
    for (size_t i = 1; parents && i < n; i++) {
        if (path[i] != '/' || path[i - 1] == '/') continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0777) && errno != EEXIST) return sy_file_fail(err, errno, "make folder", part);
    }
    if (mkdir(path, (mode_t)mode) == 0) return SYMBI_OK;
    if (parents && errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return SYMBI_OK;
    return sy_file_fail(err, errno, "make folder", path);
}

symbi_status symbi_file_stat(symbi_ctx *cx, const char *path, bool follow, symbi_file_info *out, symbi_err *err)
{
    struct stat st;
    (void)cx;
    memset(out, 0, sizeof *out);
    if (follow ? stat(path, &st) : lstat(path, &st)) return sy_file_fail(err, errno, "look at", path);
    info_of(&st, out);
    return SYMBI_OK;
}

symbi_status symbi_file_disk(symbi_ctx *cx, const char *path, symbi_disk_info *out, symbi_err *err)
{
    struct statvfs v;
    (void)cx;
    memset(out, 0, sizeof *out);
    if (statvfs(path, &v)) return sy_file_fail(err, errno, "look at the disk of", path);
    out->total_bytes = (uint64_t)v.f_blocks * v.f_frsize;
    out->used_bytes = (uint64_t)(v.f_blocks - v.f_bfree) * v.f_frsize;
    out->free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    return SYMBI_OK;
}

typedef struct entry {
    symbi_str name;
    const char *type;
} entry;

static int by_name(const void *a, const void *b) { return sy_str_cmp(((const entry *)a)->name, ((const entry *)b)->name); }

static const char *entry_type(int dir, const struct dirent *d)
{
    struct stat st;
    switch (d->d_type) {
    case DT_REG: return "file";
    case DT_DIR: return "directory";
    case DT_LNK: return "link";
    case DT_UNKNOWN: break;
    default: return "other";
    }
    if (fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW)) return "other";
    return S_ISREG(st.st_mode) ? "file" : S_ISDIR(st.st_mode) ? "directory" : S_ISLNK(st.st_mode) ? "link" : "other";
}

symbi_status symbi_file_list(symbi_ctx *cx, const char *path, size_t max, symbi_doc **out, symbi_err *err)
{
    symbi_doc *doc = sy_doc_new(cx);
    DIR *dir = opendir(path);
    struct dirent *d;
    entry *e = NULL;
    size_t n = 0, cap = 0;
    symbi_status st = SYMBI_OK;
    int bad = dir ? 0 : errno;
    sy_arr list;
    *out = NULL;
    if (!doc) st = sy_fail_nomem(err);
    if (!max) max = 100000;
    for (errno = 0; !st && dir && (d = readdir(dir)); errno = 0) {
        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..")) continue;
        if (n == max) st = sy_fail(err, SYMBI_ELIMIT, "the folder %s has more than %lu entries", path, (unsigned long)max);
        else if (sy_grow(&cx->alloc, (void **)&e, &cap, n + 1, sizeof *e)) st = sy_fail_nomem(err);
        else {
            e[n].name = sy_arena_dup(&doc->arena, symbi_str_z(d->d_name));
            e[n].type = entry_type(dirfd(dir), d);
            if (!e[n++].name.p) st = sy_arena_fail(&doc->arena, "the listing", err);
        }
    }
    if (!st && !bad && errno) bad = errno;
    if (dir) closedir(dir);
    if (!st && bad) st = sy_file_fail(err, bad, "list", path);
    if (!st) {
        if (n) qsort(e, n, sizeof *e, by_name);
        list = sy_arr_new(&doc->arena);
        for (size_t i = 0; i < n; i++) {
            sy_obj o = sy_obj_new(&doc->arena);
            sy_obj_str(&o, "name", e[i].name);
            sy_obj_str(&o, "type", symbi_str_z(e[i].type));
            sy_arr_add(&list, sy_obj_value(&o));
        }
        doc->root = sy_arr_value(&list);
        if (doc->arena.status) st = sy_arena_fail(&doc->arena, "the listing", err);
    }
    sy_free(&cx->alloc, e, cap * sizeof *e);
    if (st) symbi_doc_unref(doc);
    else *out = doc;
    return st;
}
