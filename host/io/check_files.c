/* io/check_files.c: a credential file stays inside the project, whatever links say. Both names are resolved by the kernel's own rules; a tool that opens
 * the name afterwards sees the same file unless somebody who may write to the project changes it meanwhile. */
#define _GNU_SOURCE
#include "io/check_files.h"

#include "base/err.h"
#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static symbi_status check(const char *root, symbi_str dir, symbi_str file, symbi_err *err)
{
    char path[PATH_MAX], real[PATH_MAX];
    size_t n = strlen(root);
    struct stat st;
    if (file.n && (file.p[0] == '/' || memchr(file.p, 0, file.n))) return sy_fail(err, SYMBI_EDENIED, "'%.*s' is no path inside the project", SY_FMT(file));
    if (dir.n + file.n + 2 > sizeof path) return sy_fail(err, SYMBI_EDENIED, "'%.*s': the path is too long", SY_FMT(file));
    memcpy(path, dir.p, dir.n);
    path[dir.n] = '/';
    memcpy(path + dir.n + 1, file.p, file.n);
    path[dir.n + 1 + file.n] = 0;
    if (!realpath(path, real)) return sy_fail(err, errno == ENOENT || errno == ENOTDIR ? SYMBI_ENOTFOUND : SYMBI_EDENIED, "the file '%.*s' cannot be used: %s", SY_FMT(file), strerror(errno));
    if (n == 1) n = 0; /* "/" */
    if (strncmp(real, root, n) != 0 || real[n] != '/') return sy_fail(err, SYMBI_EDENIED, "the file '%.*s' lies outside the project", SY_FMT(file));
    if (stat(real, &st) || !S_ISREG(st.st_mode)) return sy_fail(err, SYMBI_EDENIED, "'%.*s' is no regular file", SY_FMT(file));
    return SYMBI_OK;
}

symbi_status sy_check_files(const symbi_plan *plan, symbi_err *err)
{
    char root[PATH_MAX], cwd[PATH_MAX];
    symbi_str dir = plan->cwd.n ? plan->cwd : SY_LIT(".");
    symbi_status st;
    if (!plan->ncheck_files) return SYMBI_OK;
    if (dir.n >= sizeof cwd) return sy_fail(err, SYMBI_EINVAL, "the name of the project's folder is too long");
    memcpy(cwd, dir.p, dir.n);
    cwd[dir.n] = 0;
    if (!realpath(cwd, root)) return sy_fail(err, SYMBI_EDENIED, "the project's folder %s cannot be used: %s", cwd, strerror(errno));
    for (size_t i = 0; i < plan->ncheck_files; i++)
        if ((st = check(root, dir, plan->check_files[i], err))) return st;
    return SYMBI_OK;
}
