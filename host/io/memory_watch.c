/* io/memory_watch.c: inotify watches on the folders of agents. They only spare looking: wherever one cannot be had, or tells something, the file
 * is looked at as before. What the kernel does not report through a folder (a second hard link of the file, a mapped page, a file behind a
 * symbolic link) is either not watched or seen within SY_LOOK_MS, since no answer is trusted for longer. */
#define _GNU_SOURCE
#include "io/memory_int.h"
#include "base/alloc.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
    SY_LOOK_MS = 1000,
    SY_WATCHES_MAX = 1 << 17, /* the kernel numbers them upwards and never again; beyond that files are looked at */
    SY_EVENTS = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF
};

/* File systems that only this machine's kernel changes. */
static bool local(int fd)
{
    static const unsigned long known[] = { 0xEF53 /* ext */, 0x58465342 /* XFS */, 0x9123683E /* Btrfs */, 0x01021994 /* tmpfs */, 0xF2F52010 /* F2FS */, 0x2FC12FC1 /* ZFS */ };
    struct statfs st;
    if (fstatfs(fd, &st)) return false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if ((unsigned long)st.f_type == known[i]) return true;
    return false;
}

int64_t sy_memory_now_ms(void)
{
    struct timespec t;
    return clock_gettime(CLOCK_MONOTONIC_COARSE, &t) ? 0 : (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sy_memory_watch_open(symbi_memory_store *m)
{
    m->watch.pid = (int)getpid();
    m->watch.fd = local(m->dir) ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
    sy_buf_init(&m->watch.keys, m->alloc, m->cx->limits.output_bytes);
}

void sy_memory_watch_close(symbi_memory_store *m)
{
    if (m->watch.fd >= 0) close(m->watch.fd);
    m->watch.fd = -1;
    sy_free(&m->alloc, m->watch.by_wd, m->watch.n * sizeof *m->watch.by_wd);
    m->watch.by_wd = NULL;
    m->watch.n = 0;
    m->watch.root_wd = 0;
    m->watch.listed = false;
    sy_buf_free(&m->watch.keys);
}

static void forget(symbi_memory_store *m, int wd, bool remove)
{
    sy_memory_entry *e = wd > 0 && (size_t)wd < m->watch.n ? m->watch.by_wd[wd] : NULL;
    if (remove) inotify_rm_watch(m->watch.fd, wd);
    if (!e) return;
    e->quiet = false;
    e->wd = 0;
    m->watch.by_wd[wd] = NULL;
}

/* The watches of a process are not its child's: both would take events from one queue. */
static void give_up(symbi_memory_store *m)
{
    for (size_t i = 0; i < m->entries; i++) m->entry[i]->quiet = false, m->entry[i]->wd = 0;
    sy_memory_watch_close(m);
}

void sy_memory_watch_add(symbi_memory_store *m, sy_memory_entry *e)
{
    char path[SYMBI_MEMORY_KEY_BYTES + 40];
    int wd;
    if (m->watch.fd < 0 || e->wd) return;
    if (m->watch.pid != (int)getpid()) {
        give_up(m);
        return;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", m->dir, e->key);
    wd = inotify_add_watch(m->watch.fd, path, SY_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK);
    if (wd <= 0) return;
    if ((size_t)wd >= m->watch.n) {
        size_t cap = m->watch.n;
        if (wd >= SY_WATCHES_MAX || sy_grow(&m->alloc, (void **)&m->watch.by_wd, &cap, (size_t)wd + 1, sizeof *m->watch.by_wd)) {
            inotify_rm_watch(m->watch.fd, wd);
            return;
        }
        while (m->watch.n < cap) m->watch.by_wd[m->watch.n++] = NULL;
    }
    if (m->watch.by_wd[wd]) m->watch.by_wd[wd]->wd = 0, m->watch.by_wd[wd]->quiet = false; /* one folder under two names */
    m->watch.by_wd[wd] = e;
    e->wd = wd;
}

static void take(symbi_memory_store *m, const struct inotify_event *ev)
{
    if (ev->wd == m->watch.root_wd || (ev->mask & IN_Q_OVERFLOW)) m->watch.listed = false;
    if (ev->mask & IN_Q_OVERFLOW) {
        for (size_t i = 0; i < m->entries; i++) m->entry[i]->quiet = false;
    } else if (ev->wd == m->watch.root_wd) {
        if (ev->mask & (IN_IGNORED | IN_UNMOUNT)) m->watch.root_wd = 0;
    } else if (ev->mask & (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF)) {
        forget(m, ev->wd, false);
    } else if (ev->mask & IN_MOVE_SELF) {
        forget(m, ev->wd, true);
    } else if (ev->wd > 0 && (size_t)ev->wd < m->watch.n && m->watch.by_wd[ev->wd]) {
        m->watch.by_wd[ev->wd]->quiet = false;
    }
}

static void drain(symbi_memory_store *m)
{
    union {
        char bytes[8192];
        struct inotify_event aligned;
    } b;
    for (;;) {
        ssize_t n = read(m->watch.fd, b.bytes, sizeof b.bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            give_up(m);
            return;
        }
        for (size_t at = 0; at + sizeof(struct inotify_event) <= (size_t)n;) {
            struct inotify_event ev;
            memcpy(&ev, b.bytes + at, sizeof ev);
            take(m, &ev);
            at += sizeof ev + ev.len;
        }
    }
}

static void ask(symbi_memory_store *m)
{
    if (m->watch.pid != (int)getpid()) give_up(m);
    else drain(m);
}

void sy_memory_watch_pass(symbi_memory_store *m, bool begin)
{
    m->watch.asked_ms = 0;
    if (!begin || m->watch.fd < 0) return;
    ask(m);
    m->watch.asked_ms = sy_memory_now_ms();
}

bool sy_memory_watch_quiet(symbi_memory_store *m, sy_memory_entry *e)
{
    int64_t now = m->watch.asked_ms;
    if (m->watch.fd < 0 || !e->quiet) return false;
    if (!now) {
        ask(m);
        now = sy_memory_now_ms();
    }
    return e->quiet && now - e->looked_ms < SY_LOOK_MS;
}

void sy_memory_watch_root(symbi_memory_store *m)
{
    char path[40];
    if (m->watch.fd < 0 || m->watch.root_wd || m->watch.pid != (int)getpid()) return;
    snprintf(path, sizeof path, "/proc/self/fd/%d/.", m->dir);
    m->watch.root_wd = inotify_add_watch(m->watch.fd, path, IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR);
    if (m->watch.root_wd < 0) m->watch.root_wd = 0;
}

void sy_memory_watch_keep(symbi_memory_store *m, symbi_str keys)
{
    if (m->watch.fd < 0 || !m->watch.root_wd) return;
    sy_buf_clear(&m->watch.keys);
    sy_buf_adds(&m->watch.keys, keys);
    m->watch.listed = !sy_buf_status(&m->watch.keys);
    m->watch.listed_ms = sy_memory_now_ms();
}

bool sy_memory_watch_listed(symbi_memory_store *m, sy_buf *out)
{
    if (m->watch.fd < 0 || !m->watch.listed) return false;
    ask(m);
    if (m->watch.fd < 0 || !m->watch.listed || sy_memory_now_ms() - m->watch.listed_ms >= SY_LOOK_MS) return false;
    sy_buf_adds(out, sy_buf_str(&m->watch.keys));
    return true;
}
