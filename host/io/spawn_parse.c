/* io/spawn_parse.c: the custom parser of a tool's output (spec toolclad.md 9.5), in the spawner: the job of a tool that succeeded goes on with
 * the parser, under the same order, containment and deadline, over a private file that nobody else was shown. Here is what is around that:
 * may this file be started at all, what is it, and where does it read.
 *
 * It is started by its path, so whoever could change a part of that path could change what runs: none of it may be a symbolic link, and all
 * of it must belong to root or to us and be writable by nobody else (a folder with the sticky bit may be: what lies in there is its owner's). */
#define _GNU_SOURCE
#include "io/spawn_int.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HASH_MAX = 32 << 20 };
#define FILE_NAME "/output"

/* One part of the path; NULL, or what is wrong with it. */
static const char *wrong(const char *path, bool last, int *e)
{
    struct stat st;
    *e = EACCES;
    if (lstat(path, &st)) {
        *e = errno;
        return errno == ENOENT || errno == ENOTDIR ? "is not there" : "cannot be looked at";
    }
    if (S_ISLNK(st.st_mode)) return "is a symbolic link: list the parser by its real path";
    if (last ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode)) return last ? "is no regular file" : "is no folder";
    if (st.st_uid != 0 && st.st_uid != geteuid()) return "belongs to another user";
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) && (last || !(st.st_mode & S_ISVTX))) return "can be written by others";
    if (last && access(path, X_OK)) return "is not executable";
    return NULL;
}

int sy_sp_parser_check(const char *path, symbi_err *err)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    int e = EINVAL;
    const char *why = NULL;
    if (!n || path[0] != '/' || n >= sizeof part) {
        (void)sy_fail(err, SYMBI_EDENIED, "the custom parser has no absolute path");
        return e;
    }
    memcpy(part, path, n + 1);
    for (size_t i = 0; i <= n && !why; i++) {
        char c = part[i];
        if (i && c && c != '/') continue;
        part[i ? i : 1] = 0; /* "/" itself first */
        why = wrong(part, i == n, &e);
        if (why) (void)sy_fail(err, SYMBI_EDENIED, "custom parser %s: %s %s", path, i == n ? "it" : part, why);
        part[i ? i : 1] = i ? c : path[1];
    }
    return why ? e : 0;
}

/* Zeros where it is too large to be read in passing, or may only be executed. */
static void hash_file(const char *path, char *scratch, uint8_t out[32])
{
    sy_spawn_sha h;
    struct stat st;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = -1;
    memset(out, 0, 32);
    if (fd < 0) return;
    sy_spawn_sha_init(&h);
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= HASH_MAX)
        while ((n = read(fd, scratch, SY_SP_READ)) > 0 || (n < 0 && errno == EINTR))
            if (n > 0) sy_spawn_sha_add(&h, scratch, (size_t)n);
    close(fd);
    if (n == 0) sy_spawn_sha_end(&h, out);
}

/* TMPDIR of the tool, or /tmp: if others can put things there, then not over ours. */
static const char *tmp_of(char *const *envp)
{
    struct stat st;
    for (; *envp; envp++) {
        const char *t = *envp + 7;
        if (strncmp(*envp, "TMPDIR=", 7)) continue;
        if (t[0] == '/' && strlen(t) < SY_SP_DIR - 32 && !stat(t, &st) && S_ISDIR(st.st_mode) && (st.st_uid == 0 || st.st_uid == geteuid()) &&
            (!(st.st_mode & (S_IWGRP | S_IWOTH)) || (st.st_mode & S_ISVTX)))
            return t;
        break;
    }
    return "/tmp";
}

/* 0 or an errno. */
static int write_file(sy_sp_job *j, char *const *envp)
{
    static const char mark[] = "/symbi-parse-XXXXXX";
    const char *tmp = tmp_of(envp), *p = j->buf[0].p + SY_SP_HOLE;
    size_t n = strlen(tmp), left = j->buf[0].n - SY_SP_HOLE;
    int fd, e = 0;
    memcpy(j->dir, tmp, n);
    memcpy(j->dir + n, mark, sizeof mark);
    if (!mkdtemp(j->dir)) {
        e = errno;
        j->dir[0] = 0;
        return e;
    }
    n = strlen(j->dir);
    memcpy(j->file, j->dir, n);
    memcpy(j->file + n, FILE_NAME, sizeof FILE_NAME);
    fd = open(j->file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    if (fd < 0) return errno;
    while (left && !e) {
        ssize_t k = write(fd, p, left);
        if (k > 0) p += k, left -= (size_t)k;
        else if (errno != EINTR) e = errno ? errno : EIO;
    }
    if (close(fd) && !e) e = errno;
    return e;
}

int sy_sp_parse_prepare(sy_sp_job *j, sy_xw_exec *x, char *argv[3], char *scratch, symbi_err *err)
{
    const char *path = x->rq.plan.parser.p;
    int e = sy_sp_parser_check(path, err);
    if (e) return e;
    hash_file(path, scratch, j->parsed.sha256);
    if ((e = write_file(j, x->envp))) {
        (void)sy_fail(err, SYMBI_EIO, "the file for the custom parser cannot be written: %s", strerrorname_np(e));
        return e;
    }
    memcpy(&argv[0], &path, sizeof argv[0]); /* execve wants char *, and does not write */
    argv[1] = j->file;
    argv[2] = NULL;
    x->argv = argv;
    return 0;
}

void sy_sp_parse_clean(sy_sp_job *j)
{
    if (!j->dir[0]) return;
    unlink(j->file);
    rmdir(j->dir); /* what else a parser wrote in there stays, and is seen */
    j->dir[0] = 0;
}
