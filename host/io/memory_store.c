/* io/memory_store.c: memory files on disk: open, load through the cache, save, delete, list, compact, statistics. */
#define _GNU_SOURCE
#include "io/memory_int.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/build.h"
#include "codec/fold.h"
#include "io/file_int.h"
#include "state/memory_text.h"
#include "symbi/sanitize.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GONE ".gone." /* what is being removed is called so */
enum { MKDIR_TRIES = 100, DELETE_TRIES = 100 };

void symbi_memory_store_options_init(symbi_memory_store_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
    o->retention_days = 30;
    o->lock_ms = 10000;
    o->cache_bytes = 64u << 20;
}

static char *copy(symbi_memory_store *m, const char *z, size_t *n)
{
    char *p;
    *n = strlen(z) + 1;
    p = sy_calloc(&m->alloc, 1, *n);
    if (p) memcpy(p, z, *n);
    return p;
}

symbi_status symbi_memory_store_open(symbi_ctx *cx, const char *root, const symbi_memory_store_options *o, symbi_memory_store **out, symbi_err *err)
{
    symbi_memory_store *m;
    symbi_status st;
    uint64_t seed[2];
    *out = NULL;
    if (!*root) return sy_fail(err, SYMBI_EINVAL, "the folder of the memory store has no name");
    st = symbi_ctx_random(cx, seed, sizeof seed, err);
    if (!st) st = symbi_file_mkdir(cx, root, 0700, true, err);
    if (st) return st;
    m = sy_calloc(&cx->alloc, 1, sizeof *m);
    if (!m) return sy_fail_nomem(err);
    m->cx = cx;
    m->alloc = cx->alloc;
    m->dir = m->watch.fd = -1;
    if (o) m->o = *o;
    else symbi_memory_store_options_init(&m->o);
    sy_map_init(&m->map, cx->alloc, seed);
    m->root = copy(m, root, &m->root_n);
    if (m->o.index) m->index_path = copy(m, m->o.index, &m->index_n);
    if (!m->root || (m->o.index && !m->index_path)) st = sy_fail_nomem(err);
    if (!st && (m->dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) st = sy_file_fail(err, errno, "open", root);
    if (!st) sy_memory_watch_open(m);
    if (st) symbi_memory_store_close(m);
    else *out = m;
    return st;
}

static void drop(symbi_memory_store *m, sy_memory_entry *e)
{
    m->cached_bytes -= e->bytes;
    symbi_doc_unref(e->doc);
    sy_free(&m->alloc, e->folded, e->folded_n);
    e->doc = NULL;
    e->folded = NULL;
    e->is_folded = false;
    e->folded_n = e->bytes = 0;
}

void symbi_memory_store_close(symbi_memory_store *m)
{
    symbi_alloc a;
    if (!m) return;
    a = m->alloc;
    sy_memory_index_close(m);
    sy_memory_watch_close(m);
    for (size_t i = 0; i < m->entries; i++) {
        drop(m, m->entry[i]);
        sy_free(&a, m->entry[i], sizeof **m->entry);
    }
    sy_free(&a, m->entry, m->cap_entries * sizeof *m->entry);
    sy_map_free(&m->map);
    if (m->dir >= 0) close(m->dir);
    if (m->root) sy_free(&a, m->root, m->root_n);
    if (m->index_path) sy_free(&a, m->index_path, m->index_n);
    sy_free(&a, m, sizeof *m);
}

/* ---- names and stamps ---- */

/* "<root>/<key><rest>" for messages and for the functions that take whole paths. */
static bool path_of(const symbi_memory_store *m, const char *key, const char *rest, char buf[PATH_MAX])
{
    int n = snprintf(buf, PATH_MAX, "%s/%s%s", m->root, key, rest);
    return n > 0 && n < PATH_MAX;
}

static symbi_status too_long(symbi_err *err, const symbi_memory_store *m) { return sy_fail(err, SYMBI_EINVAL, "the path below %s is too long", m->root); }

/* "Failed to <verb> context for agent <a>: <reason>", as the seed words it. */
static symbi_status failed(symbi_err *err, symbi_status st, const char *verb, symbi_str agent)
{
    char why[sizeof err->msg];
    if (!err || st == SYMBI_OK) return st;
    memcpy(why, err->msg, sizeof why);
    snprintf(err->msg, sizeof err->msg, "Failed to %s context for agent %.*s: %.200s", verb, (int)(agent.n > 100 ? 100 : agent.n), agent.p, why);
    return st;
}

bool sy_memory_stamp(const struct stat *st, sy_file_stamp *out)
{
    struct timespec now;
    out->ino = (uint64_t)st->st_ino;
    out->size = (uint64_t)st->st_size;
    out->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    out->ctime_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
    /* File times advance in ticks: within one, a second change of the same size would go unseen. */
    if (clock_gettime(CLOCK_REALTIME, &now)) return false;
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - out->ctime_ns > 50000000;
}

bool sy_memory_same(const sy_file_stamp *a, const sy_file_stamp *b)
{
    return a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

symbi_status sy_memory_look(symbi_memory_store *m, sy_memory_entry *e, sy_file_stamp *out, bool *settled)
{
    char name[SYMBI_MEMORY_KEY_BYTES + 16];
    struct stat st;
    size_t n = strlen(e->key);
    if (sy_memory_watch_quiet(m, e)) {
        *out = e->last;
        *settled = e->last_settled;
        return SYMBI_OK;
    }
    memcpy(name, e->key, n);
    memcpy(name + n, "/memory.md", 11);
    sy_memory_watch_add(m, e);
    if (fstatat(m->dir, name, &st, AT_SYMLINK_NOFOLLOW)) return SYMBI_ENOTFOUND;
    e->quiet = e->wd && S_ISREG(st.st_mode) && st.st_nlink == 1;
    if (S_ISLNK(st.st_mode) && fstatat(m->dir, name, &st, 0)) return SYMBI_ENOTFOUND;
    *settled = e->last_settled = sy_memory_stamp(&st, out);
    e->last = *out;
    e->looked_ms = sy_memory_now_ms();
    return SYMBI_OK;
}

/* ---- reading ---- */

symbi_status sy_memory_slot(symbi_memory_store *m, const char *key, sy_memory_entry **out, symbi_err *err)
{
    sy_map_entry *e = sy_map_find(&m->map, symbi_str_z(key));
    sy_memory_entry *s;
    bool fresh;
    *out = e ? e->val.p : NULL;
    if (e) return SYMBI_OK;
    if (sy_grow(&m->alloc, (void **)&m->entry, &m->cap_entries, m->entries + 1, sizeof *m->entry)) return sy_fail_nomem(err);
    s = sy_calloc(&m->alloc, 1, sizeof *s);
    if (!s) return sy_fail_nomem(err);
    strcpy(s->key, key);
    e = sy_map_put(&m->map, symbi_str_z(s->key), &fresh);
    if (!e) {
        sy_free(&m->alloc, s, sizeof *s);
        return sy_fail_nomem(err);
    }
    e->val.p = m->entry[m->entries++] = s;
    *out = s;
    return SYMBI_OK;
}

symbi_status sy_memory_folded(symbi_memory_store *m, sy_memory_entry *e, symbi_err *err)
{
    const symbi_value *root = symbi_doc_root(e->doc);
    symbi_status st;
    sy_buf b;
    if (e->is_folded) return SYMBI_OK;
    sy_buf_init(&b, m->alloc, m->cx->limits.output_bytes);
    for (int k = 0; k < SY_MEMORY_SECTIONS; k++) {
        const symbi_value *v = symbi_value_getz(root, sy_memory_member[k]);
        for (size_t i = 0; i < v->u.a.n; i++) {
            sy_fold(&b, v->u.a.items[i].u.s);
            sy_buf_addc(&b, '\n');
        }
    }
    st = sy_buf_status(&b);
    if (!st && b.n) {
        e->folded = sy_calloc(&m->alloc, 1, b.n);
        if (e->folded) memcpy(e->folded, b.p, e->folded_n = b.n);
        else st = SYMBI_ENOMEM;
    }
    sy_buf_free(&b);
    e->is_folded = !st;
    return st ? sy_fail_nomem(err) : SYMBI_OK;
}

/* Room for what was just read: the cache is emptied when it is full, which costs reading again, never correctness. */
static void make_room(symbi_memory_store *m, const sy_memory_entry *keep)
{
    if (m->cached_bytes <= m->o.cache_bytes) return;
    for (size_t i = 0; i < m->entries; i++)
        if (m->entry[i] != keep && m->entry[i]->doc) drop(m, m->entry[i]);
}

static symbi_status cannot_read(symbi_memory_store *m, const char *key, int why, symbi_err *err)
{
    char path[PATH_MAX];
    (void)path_of(m, key, "/memory.md", path);
    return sy_file_fail(err, why, "read", path);
}

static symbi_status read_entry(symbi_memory_store *m, int fd, const struct stat *info, const char *key, symbi_str agent, sy_memory_entry *e, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    size_t max = m->cx->limits.doc_bytes;
    sy_buf b;
    if (!S_ISREG(info->st_mode)) return cannot_read(m, key, S_ISDIR(info->st_mode) ? EISDIR : SY_NO_FILE, err);
    sy_buf_init(&b, m->alloc, max);
    if (info->st_size > 0 && (uint64_t)info->st_size <= max) sy_buf_reserve(&b, (size_t)info->st_size + 1);
    for (;;) {
        char piece[16384];
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) st = cannot_read(m, key, errno, err);
        if (n <= 0) break;
        sy_buf_add(&b, piece, (size_t)n);
        if (sy_buf_status(&b)) break;
        if ((size_t)n < sizeof piece && b.n == (uint64_t)info->st_size) break; /* all there was; what came since has another stamp */
    }
    if (!st && sy_buf_status(&b)) st = sy_buf_status(&b) == SYMBI_ELIMIT ? sy_fail(err, SYMBI_ELIMIT, "the memory file is larger than limits.doc_bytes (%lu)", (unsigned long)max) : sy_fail_nomem(err);
    if (!st) st = symbi_memory_parse(m->cx, sy_buf_str(&b), agent, m->o.form, &e->doc, err);
    if (!st) e->bytes = b.n * 3 + 1024, m->cached_bytes += e->bytes; /* about what text, values and folded text take */
    sy_buf_free(&b);
    if (st) drop(m, e);
    return st;
}

symbi_status sy_memory_get(symbi_memory_store *m, const char *key, symbi_str agent, sy_memory_entry **out, symbi_err *err)
{
    char name[SYMBI_MEMORY_KEY_BYTES + 16], path[PATH_MAX];
    sy_memory_entry *e;
    sy_file_stamp stamp;
    struct stat st;
    symbi_status r;
    size_t n;
    bool settled;
    int fd;
    *out = NULL;
    r = sy_memory_slot(m, key, &e, err);
    if (r) return r;
    if (e->doc && !sy_memory_look(m, e, &stamp, &settled) && sy_memory_same(&stamp, &e->stamp)) {
        *out = e;
        return SYMBI_OK;
    }
    drop(m, e);
    n = strlen(key);
    if (m->root_n + n + 16 >= sizeof path) return too_long(err, m);
    memcpy(name, key, n);
    memcpy(name + n, "/memory.md", 11);
    fd = openat(m->dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st)) {
        r = cannot_read(m, key, errno, err);
        if (fd < 0) return r;
    } else {
        settled = sy_memory_stamp(&st, &e->stamp);
        r = read_entry(m, fd, &st, key, agent, e, err);
        if (!r && !settled) memset(&e->stamp, 0xff, sizeof e->stamp); /* read it again next time */
    }
    close(fd);
    if (r) {
        (void)path_of(m, key, "/memory.md", path);
        sy_err_path(err, symbi_str_z(path));
        return r;
    }
    make_room(m, e);
    *out = e;
    return SYMBI_OK;
}

symbi_status symbi_memory_store_load(symbi_memory_store *m, symbi_str agent, symbi_doc **out, symbi_err *err)
{
    char key[SYMBI_MEMORY_KEY_BYTES];
    sy_memory_entry *e;
    symbi_status st = symbi_memory_key(agent, key, err);
    *out = NULL;
    if (!st) st = sy_memory_get(m, key, agent, &e, err);
    if (!st) *out = symbi_doc_ref(e->doc);
    else if (st == SYMBI_EIO) failed(err, st, "load", agent);
    return st;
}

/* ---- saving ---- */

/* Whether the file that stands holds lines that a context has no place for. Where it cannot be read, it does: then it is kept. */
static symbi_status has_other(symbi_memory_store *m, const char *key, symbi_str agent, bool *other, symbi_err *err)
{
    sy_memory_entry *e;
    symbi_status st = sy_memory_get(m, key, agent, &e, err);
    *other = st && st != SYMBI_ENOTFOUND;
    if (st == SYMBI_ENOMEM) return st;
    if (!st) *other = symbi_value_getz(symbi_doc_root(e->doc), "other")->u.a.n > 0;
    symbi_err_clear(err);
    return SYMBI_OK;
}

/* memory.md under a name of its own; a second one in the same second gets a number. */
static symbi_status keep_old(symbi_memory_store *m, const char *key, int64_t now_ms, symbi_err *err)
{
    char from[PATH_MAX], to[PATH_MAX], rest[64], t[SY_RFC3339_MS];
    if (!path_of(m, key, "/memory.md", from)) return too_long(err, m);
    sy_time_rfc3339(now_ms, t);
    for (int i = 0; i < 1000; i++) {
        snprintf(rest, sizeof rest, i ? "/memory.%.4s%.2s%.2sT%.2s%.2s%.2sZ-%d.md" : "/memory.%.4s%.2s%.2sT%.2s%.2s%.2sZ.md", t, t + 5, t + 8, t + 11, t + 14, t + 17, i);
        if (!path_of(m, key, rest, to)) return too_long(err, m);
        if (link(from, to) == 0) return SYMBI_OK;
        if (errno != EEXIST) return sy_file_fail(err, errno, "keep a copy of", from);
    }
    return sy_fail(err, SYMBI_ELIMIT, "a thousand copies of %s in one second", from);
}

/* The items of a section without what a person would not see. */
static symbi_status clean_items(symbi_memory_store *m, symbi_doc *doc, const symbi_value *list, symbi_value *out, symbi_err *err)
{
    sy_arr a = sy_arr_new(&doc->arena);
    symbi_status st = SYMBI_OK;
    for (size_t i = 0; !st && i < list->u.a.n; i++) {
        symbi_text t;
        if (list->u.a.items[i].kind != SYMBI_STRING) {
            sy_arr_add(&a, list->u.a.items[i]); /* refused where it is written */
            continue;
        }
        st = symbi_sanitize(m->cx, list->u.a.items[i].u.s, SYMBI_SANITIZE_PROSE, SYMBI_SANITIZE_COMMENTS | SYMBI_SANITIZE_LOSSY, &t, NULL, err);
        if (st) break;
        sy_arr_add(&a, sy_val_str(sy_arena_dup(&doc->arena, symbi_text_str(&t))));
        symbi_text_free(&t);
    }
    *out = sy_arr_value(&a);
    return st;
}

/* context with clean items, as a document that borrows the rest. */
static symbi_status clean_context(symbi_memory_store *m, const symbi_value *context, symbi_doc **out, symbi_err *err)
{
    symbi_doc *doc = sy_doc_new(m->cx);
    symbi_status st = SYMBI_OK;
    sy_obj o;
    *out = NULL;
    if (!doc) return sy_fail_nomem(err);
    o = sy_obj_new(&doc->arena);
    for (size_t i = 0; !st && context->kind == SYMBI_OBJECT && i < context->u.o.n; i++) {
        symbi_value v = context->u.o.members[i].val;
        for (int k = 0; k < SY_MEMORY_SECTIONS; k++)
            if (v.kind == SYMBI_ARRAY && sy_str_eqz(context->u.o.members[i].key, sy_memory_member[k])) st = clean_items(m, doc, &context->u.o.members[i].val, &v, err);
        sy_obj_puts(&o, context->u.o.members[i].key, v);
    }
    doc->root = sy_obj_value(&o);
    if (!st && doc->arena.status) st = sy_arena_fail(&doc->arena, "the memory context", err);
    if (st) symbi_doc_unref(doc);
    else *out = doc;
    return st;
}

/* What a save writes: made before anything is touched, so that a context that cannot be written leaves nothing behind. */
typedef struct written {
    symbi_text text, entry;
    char day[11];
} written;

static symbi_status save_locked(symbi_memory_store *m, const char *key, symbi_str agent, const written *w, int64_t now_ms, bool *kept, symbi_err *err)
{
    char path[PATH_MAX], rest[32];
    bool other = false;
    symbi_status st = SYMBI_OK;
    if (m->o.form == SYMBI_MEMORY_AUTO) st = has_other(m, key, agent, &other, err);
    if (!st && other) {
        st = keep_old(m, key, now_ms, err);
        *kept = st == SYMBI_OK;
    }
    if (!st && !path_of(m, key, "/memory.md", path)) st = too_long(err, m);
    if (!st) st = symbi_file_write(m->cx, path, symbi_text_str(&w->text), 0600, err);
    if (!st) {
        /* The context is saved: what follows can be said to have failed, not undone. */
        snprintf(rest, sizeof rest, "/logs/%s.md", w->day);
        if (!path_of(m, key, "/logs", path)) st = too_long(err, m);
        if (!st && access(path, F_OK)) st = symbi_file_mkdir(m->cx, path, 0700, true, err);
        if (!st && !path_of(m, key, rest, path)) st = too_long(err, m);
        if (!st) st = symbi_file_append(m->cx, path, symbi_text_str(&w->entry), 0600, false, err);
    }
    return st;
}

symbi_status symbi_memory_store_save(symbi_memory_store *m, symbi_str agent, const symbi_value *context, int64_t now_ms, bool *kept, symbi_err *err)
{
    char key[SYMBI_MEMORY_KEY_BYTES], path[PATH_MAX];
    symbi_file_lock *lock = NULL;
    symbi_doc *clean = NULL;
    written w = { 0 };
    bool unused;
    symbi_status st = symbi_memory_key(agent, key, err);
    if (!kept) kept = &unused;
    *kept = false;
    if (st) return st;
    if (!path_of(m, key, "/.lock", path)) return too_long(err, m);
    if (m->o.form == SYMBI_MEMORY_AUTO && !m->o.raw && context->kind == SYMBI_OBJECT) {
        st = clean_context(m, context, &clean, err);
        if (st) return st;
        context = symbi_doc_root(clean);
    }
    st = symbi_memory_write(m->cx, context, m->o.form, now_ms, &w.text, err);
    if (!st) st = symbi_memory_log_entry(m->cx, context, m->o.form, now_ms, w.day, &w.entry, err);
    if (!st) st = symbi_file_lock_take(m->cx, path, m->o.lock_ms, &lock, err);
    for (int i = 0; i < MKDIR_TRIES && st == SYMBI_ENOTFOUND; i++) { /* the agent's first save, or it was just deleted */
        path[strlen(path) - 6] = 0;
        st = symbi_file_mkdir(m->cx, path, 0700, true, err);
        if (!st) fsync(m->dir);
        strcat(path, "/.lock");
        if (!st) st = symbi_file_lock_take(m->cx, path, m->o.lock_ms, &lock, err);
    }
    if (!st) st = save_locked(m, key, agent, &w, now_ms, kept, err);
    symbi_file_lock_release(lock);
    symbi_text_free(&w.text);
    symbi_text_free(&w.entry);
    symbi_doc_unref(clean);
    return st == SYMBI_EIO || st == SYMBI_ETIMEOUT || st == SYMBI_ENOTFOUND ? failed(err, st, "save", agent) : st;
}

/* The folder goes out of the way at once and whole, under the lock, so that nobody saves into what is being removed; a name for the rest
 * that no agent has, the same for the same agent, so that what a killed process left is removed by the next. */
static symbi_status delete_locked(symbi_memory_store *m, const char *key, const char *path, symbi_err *err)
{
    char gone[PATH_MAX], name[40];
    uint64_t h = 14695981039346656037u;
    for (const char *p = key; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    for (int i = 0; i < DELETE_TRIES; i++) {
        symbi_status st;
        snprintf(name, sizeof name, GONE "%016llx.%d", (unsigned long long)h, i);
        if (!path_of(m, name, "", gone)) return too_long(err, m);
        st = symbi_file_remove_tree(m->cx, gone, err);
        symbi_err_clear(err);
        if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
        if (!rename(path, gone)) return symbi_file_remove_tree(m->cx, gone, err);
        if (errno != ENOTEMPTY && errno != EEXIST) return sy_file_fail(err, errno, "remove", path);
    }
    return sy_fail(err, SYMBI_EIO, "cannot remove %s: others are removing it all the time", path);
}

symbi_status symbi_memory_store_delete(symbi_memory_store *m, symbi_str agent, symbi_err *err)
{
    char key[SYMBI_MEMORY_KEY_BYTES], path[PATH_MAX];
    symbi_file_lock *lock = NULL;
    symbi_status st = symbi_memory_key(agent, key, err);
    sy_map_entry *e;
    struct stat info;
    if (st) return st;
    if (!path_of(m, key, "/.lock", path)) return too_long(err, m);
    if ((e = sy_map_find(&m->map, symbi_str_z(key)))) drop(m, e->val.p);
    if (fstatat(m->dir, key, &info, AT_SYMLINK_NOFOLLOW)) {
        path[strlen(path) - 6] = 0;
        return errno == ENOENT ? SYMBI_OK : failed(err, sy_file_fail(err, errno, "remove", path), "delete", agent);
    }
    if (S_ISDIR(info.st_mode)) st = symbi_file_lock_take(m->cx, path, m->o.lock_ms, &lock, err);
    path[strlen(path) - 6] = 0;
    if (!S_ISDIR(info.st_mode)) st = sy_fail(err, SYMBI_EIO, "%s is no folder", path); /* a link leads to what is not ours */
    else if (!st) st = delete_locked(m, key, path, err);
    symbi_file_lock_release(lock);
    if (st == SYMBI_ENOTFOUND) symbi_err_clear(err), st = SYMBI_OK;
    return failed(err, st, "delete", agent);
}

/* ---- all agents ---- */

symbi_status sy_memory_keys(symbi_memory_store *m, sy_buf *out, symbi_err *err)
{
    size_t before = out->n;
    struct dirent *d;
    DIR *dir;
    int fd, e;
    if (sy_memory_watch_listed(m, out)) return sy_buf_status(out) ? sy_fail(err, sy_buf_status(out), "the list of agents below %s is too long", m->root) : SYMBI_OK;
    sy_memory_watch_root(m);
    fd = openat(m->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        e = errno;
        if (fd >= 0) close(fd);
        return sy_file_fail(err, e, "list", m->root);
    }
    for (errno = 0; (d = readdir(dir)) && !sy_buf_status(out); errno = 0) {
        char agent[SYMBI_MEMORY_KEY_BYTES];
        struct stat st;
        size_t n;
        if (d->d_name[0] == '.' || (d->d_type != DT_DIR && d->d_type != DT_UNKNOWN)) continue;
        if (d->d_type == DT_UNKNOWN && (fstatat(m->dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))) continue;
        if (symbi_memory_agent(symbi_str_z(d->d_name), agent, &n)) sy_buf_add(out, d->d_name, strlen(d->d_name) + 1);
    }
    e = errno;
    closedir(dir);
    if (sy_buf_status(out)) return sy_fail(err, sy_buf_status(out), "the list of agents below %s is too long", m->root);
    if (e) return sy_file_fail(err, e, "list", m->root);
    sy_memory_watch_keep(m, (symbi_str){ out->p + before, out->n - before });
    return SYMBI_OK;
}

static int by_text(const void *a, const void *b) { return sy_str_cmp(((const symbi_value *)a)->u.s, ((const symbi_value *)b)->u.s); }

symbi_status symbi_memory_store_list(symbi_memory_store *m, symbi_doc **out, symbi_err *err)
{
    symbi_doc *doc = sy_doc_new(m->cx);
    symbi_status st;
    sy_arr names;
    sy_buf keys;
    *out = NULL;
    if (!doc) return sy_fail_nomem(err);
    sy_buf_init(&keys, m->alloc, m->cx->limits.output_bytes);
    st = sy_memory_keys(m, &keys, err);
    names = sy_arr_new(&doc->arena);
    for (size_t i = 0, k; !st && i < keys.n; i += k + 1) {
        char agent[SYMBI_MEMORY_KEY_BYTES];
        size_t n;
        k = strlen(keys.p + i);
        if (symbi_memory_agent((symbi_str){ keys.p + i, k }, agent, &n)) sy_arr_add(&names, sy_val_str(sy_arena_dup(&doc->arena, (symbi_str){ agent, n })));
    }
    sy_buf_free(&keys);
    if (!st && !doc->arena.status && names.n) qsort(names.v, names.n, sizeof *names.v, by_text);
    doc->root = sy_arr_value(&names);
    if (!st && doc->arena.status) st = sy_arena_fail(&doc->arena, "the list of agents", err);
    if (st) symbi_doc_unref(doc);
    else *out = doc;
    return st;
}

symbi_status symbi_memory_store_compact(symbi_memory_store *m, symbi_str agent, int64_t now_ms, size_t *removed, symbi_err *err)
{
    char key[SYMBI_MEMORY_KEY_BYTES], path[PATH_MAX], file[PATH_MAX];
    symbi_doc *d;
    size_t n = 0;
    symbi_status st = symbi_memory_key(agent, key, err);
    if (removed) *removed = 0;
    if (st) return st;
    if (!path_of(m, key, "/logs", path)) return too_long(err, m);
    st = symbi_file_list(m->cx, path, 0, &d, err);
    if (st == SYMBI_ENOTFOUND) symbi_err_clear(err), st = SYMBI_OK, d = NULL;
    if (st) return st;
    for (size_t i = 0; d && !st && i < symbi_doc_root(d)->u.a.n; i++) {
        symbi_str name = symbi_value_str(&symbi_doc_root(d)->u.a.items[i], "name", SY_LIT(""));
        symbi_file_info info;
        int len = snprintf(file, sizeof file, "%s/%.*s", path, (int)name.n, name.p);
        if (len < 0 || (size_t)len >= sizeof file) continue;
        st = symbi_file_stat(m->cx, file, false, &info, err);
        if (!st && info.type == 'f' && (now_ms - info.mtime_ms) / 86400000 >= m->o.retention_days && now_ms - info.mtime_ms > m->o.retention_days * 86400000) {
            st = symbi_file_remove(m->cx, file, err);
            n += st == SYMBI_OK;
        }
        if (st == SYMBI_ENOTFOUND) st = SYMBI_OK; /* another process compacts as well */
    }
    symbi_doc_unref(d);
    if (!st) m->last_cleanup = now_ms;
    if (removed) *removed = n;
    return st;
}

/* Sum of the sizes of all files below the folder open as fd, which it closes. Our lock files are no part of it. */
static int measure(int fd, int depth, uint64_t *bytes, uint64_t *folders)
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
        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..") || !strcmp(d->d_name, ".lock") || (!depth && !strncmp(d->d_name, GONE, sizeof GONE - 1))) continue;
        if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW)) e = errno == ENOENT ? 0 : errno;
        else if (S_ISREG(st.st_mode)) *bytes += (uint64_t)st.st_size;
        else if (S_ISDIR(st.st_mode)) {
            int sub = depth < 64 ? openat(dirfd(dir), d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
            if (depth == 0) ++*folders;
            if (sub >= 0) e = measure(sub, depth + 1, bytes, folders);
        }
    }
    if (!e && errno) e = errno;
    closedir(dir);
    return e;
}

symbi_status symbi_memory_store_stats(symbi_memory_store *m, symbi_doc **out, symbi_err *err)
{
    uint64_t bytes = 0, folders = 0;
    int fd = open(m->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), e = fd < 0 ? errno : measure(fd, 0, &bytes, &folders);
    symbi_doc *doc;
    sy_obj o;
    *out = NULL;
    if (e) return sy_file_fail(err, e, "look through", m->root);
    doc = sy_doc_new(m->cx);
    if (!doc) return sy_fail_nomem(err);
    o = sy_obj_new(&doc->arena);
    sy_obj_count(&o, "total_contexts", folders);
    sy_obj_count(&o, "total_size_bytes", bytes);
    sy_obj_put(&o, "last_cleanup", m->last_cleanup ? sy_val_int(m->last_cleanup) : sy_val_null());
    sy_obj_str(&o, "storage_path", sy_arena_dup(&doc->arena, symbi_str_z(m->root)));
    doc->root = sy_obj_value(&o);
    if (doc->arena.status) {
        symbi_status st = sy_arena_fail(&doc->arena, "the statistics", err);
        symbi_doc_unref(doc);
        return st;
    }
    *out = doc;
    return SYMBI_OK;
}
