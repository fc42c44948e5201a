/* io/exec_path.c: entries of PATH that are not absolute are passed over, because which program runs must not depend on the folder it works
 * in. Never a shell, also not for a script without a first line that names one. */
#define _GNU_SOURCE
#include "io/exec_path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static const char *path_of(char *const *envp)
{
    for (; *envp; envp++)
        if (!strncmp(*envp, "PATH=", 5)) return *envp + 5;
    return "/usr/local/bin:/usr/bin:/bin";
}

int sy_exec_path(char *const argv[], char *const envp[])
{
    const char *name = argv[0], *p = path_of(envp);
    size_t nlen = strlen(name);
    int best = ENOENT;
    char full[PATH_MAX];
    while (*p) {
        const char *e = strchrnul(p, ':');
        size_t n = (size_t)(e - p);
        if (*p == '/' && n + 1 + nlen < sizeof full) {
            memcpy(full, p, n);
            full[n] = '/';
            memcpy(full + n + 1, name, nlen + 1);
            execve(full, argv, envp);
            if (errno == EACCES) best = EACCES;
            else if (errno != ENOENT && errno != ENOTDIR) return errno;
        }
        p = *e ? e + 1 : e;
    }
    return best;
}
