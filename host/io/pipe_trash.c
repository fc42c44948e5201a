/* io/pipe_trash.c: removes a folder for the supervisor of a child, which may be a copy of a threaded process: system calls only, no malloc, no
 * stdio. The path is taken apart from a folder that was opened without following links; what lies below is never followed either. */
#define _GNU_SOURCE
#include "io/pipe_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH = 24, ENTRIES = 4096 };

/* As the kernel lays it out. */
struct entry {
    uint64_t ino;
    int64_t off;
    unsigned short len;
    unsigned char type;
    char name[];
};

/* Empties the open folder; it is read anew after each round, since names go while it is read. */
static void empty(int dir, unsigned depth)
{
    _Alignas(8) char buf[ENTRIES];
    for (int round = 0; round < 100; round++) {
        bool any = false;
        long n;
        if (lseek(dir, 0, SEEK_SET) < 0) return;
        while ((n = syscall(SYS_getdents64, dir, buf, sizeof buf)) > 0)
            for (long at = 0; at < n;) {
                const struct entry *e = (const struct entry *)(const void *)(buf + at);
                int below;
                at += e->len;
                if (!strcmp(e->name, ".") || !strcmp(e->name, "..")) continue;
                if (unlinkat(dir, e->name, 0) == 0) {
                    any = true;
                    continue;
                }
                if ((errno != EISDIR && errno != EPERM) || !depth) continue;
                below = openat(dir, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (below < 0) continue;
                empty(below, depth - 1);
                close(below);
                if (unlinkat(dir, e->name, AT_REMOVEDIR) == 0) any = true;
            }
        if (!any) return;
    }
}

void sy_pipe_trash(const char *path)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) return;
    empty(dir, DEPTH);
    close(dir);
    rmdir(path);
}
