/* io/evidence.c: the evidence folder lies in a shared place by default (/tmp/toolclad-evidence), so nothing is followed, reused or
 * shared there: each run gets a folder of its own that did not exist before. The two sy_ functions also run in the spawner (spawn_int.h). */
#define _GNU_SOURCE
#include "io/evidence.h"

#include "base/err.h"
#include "symbi/io_evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of ours or root's that nobody else can write to, but for a sticky one such as /tmp. */
static bool trusted(const char *dir)
{
    struct stat st;
    if (lstat(dir, &st) || !S_ISDIR(st.st_mode)) return false;
    if (st.st_uid != geteuid() && st.st_uid != 0) return false;
    return !(st.st_mode & (S_IWGRP | S_IWOTH)) || (st.st_mode & S_ISVTX);
}

symbi_status sy_evidence_prepare(symbi_str path, symbi_err *err)
{
    char dir[PATH_MAX];
    char *slash;
    if (!path.n || path.n >= sizeof dir || memchr(path.p, 0, path.n)) return sy_fail(err, SYMBI_EINVAL, "the evidence file's name is too long or malformed");
    memcpy(dir, path.p, path.n);
    dir[path.n] = 0;
    slash = strrchr(dir, '/');
    if (!slash || slash == dir) return sy_fail(err, SYMBI_EINVAL, "the evidence file %s has no folder of its own", dir);
    *slash = 0;
    for (char *p = dir + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        if (mkdir(dir, 0700) && errno != EEXIST) return sy_fail(err, SYMBI_EIO, "cannot make the evidence folder %s: %s", dir, strerrordesc_np(errno));
        *p = '/';
    }
    slash = strrchr(dir, '/');
    if (slash && slash != dir) {
        *slash = 0;
        if (!trusted(dir)) return sy_fail(err, SYMBI_EIO, "the evidence folder %s belongs to somebody else, or others can write to it; name another with TOOLCLAD_EVIDENCE_DIR", dir);
        *slash = '/';
    }
    if (mkdir(dir, 0700)) return sy_fail(err, SYMBI_EIO, "cannot make the evidence folder %s: %s", dir, strerrordesc_np(errno));
    return SYMBI_OK;
}

bool sy_evidence_write(const char *path, symbi_str data)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), e = 0;
    struct stat st;
    if (fd < 0) {
        e = errno;
        if (e == EEXIST && lstat(path, &st) == 0 && S_ISREG(st.st_mode)) return true;
        errno = e;
        return false;
    }
    while (data.n) {
        ssize_t n = write(fd, data.p, data.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            e = errno;
            break;
        }
        data.p += n, data.n -= (size_t)n;
    }
    if (close(fd) && !e) e = errno;
    if (e) unlink(path);
    errno = e;
    return !e;
}

symbi_status symbi_evidence_prepare(symbi_ctx *cx, symbi_str path, symbi_err *err)
{
    (void)cx;
    return sy_evidence_prepare(path, err);
}

symbi_status symbi_evidence_write(symbi_ctx *cx, symbi_str path, symbi_str data, symbi_err *err)
{
    char z[PATH_MAX];
    struct stat st;
    (void)cx;
    if (!path.n || path.n >= sizeof z || memchr(path.p, 0, path.n)) return sy_fail(err, SYMBI_EINVAL, "the evidence file's name is too long or malformed");
    memcpy(z, path.p, path.n);
    z[path.n] = 0;
    if (lstat(z, &st) == 0) return sy_fail(err, SYMBI_EIO, "the evidence file %s is there already", z);
    return sy_evidence_write(z, data) ? SYMBI_OK : sy_fail(err, SYMBI_EIO, "cannot write the evidence file %s: %s", z, strerrordesc_np(errno));
}
