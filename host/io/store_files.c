/* io/store_files.c: the state folder and the files beside the database: signing key, public key, anchors. */
#include "io/store_in.h"
#include "base/alloc.h"
#include "base/chars.h"
#include "base/err.h"
#include "base/str.h"
#include "state/audit_chain.h"
#include "symbi/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_CAP = 4096 };

symbi_status sy_fail_errno(symbi_err *err, const char *path, const char *what, int e)
{
    char why[128];
    const char *fix = "";
    if (strerror_r(e, why, sizeof why)) snprintf(why, sizeof why, "error %d", e);
    if (e == ENOSPC || e == EDQUOT) fix = "; free space on that file system";
    else if (e == EACCES || e == EPERM) fix = "; give this user the permission, or choose another folder with --state DIR";
    else if (e == EROFS) fix = "; choose a folder on a writable file system with --state DIR";
    else if (e == ENOTDIR || e == EEXIST) fix = "; a file stands where a folder is needed";
    sy_fail(err, SYMBI_EIO, "%s: %s%s", what, why, fix);
    sy_err_path(err, symbi_str_z(path));
    return SYMBI_EIO;
}

bool sy_store_path(const sy_store *s, const char *name, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "%s/%s", s->dir, name);
    return n > 0 && (size_t)n < cap;
}

static symbi_status path_of(const sy_store *s, const char *name, char *buf, size_t cap, symbi_err *err)
{
    return sy_store_path(s, name, buf, cap) ? SYMBI_OK : sy_fail(err, SYMBI_EINVAL, "the path of the state folder is too long");
}

/* Puts the entries of a folder on the disk; best effort (some file systems cannot). */
static void sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

symbi_status sy_store_dir(sy_store *s, symbi_err *err)
{
    char p[PATH_CAP];
    struct stat sb;
    if (s->dir_n == 0 || s->dir_n >= sizeof p - 64) return sy_fail(err, SYMBI_EINVAL, "the state folder needs a name of 1 to %d bytes", PATH_CAP - 65);
    if (stat(s->dir, &sb) == 0) {
        if (S_ISDIR(sb.st_mode)) return SYMBI_OK;
        return sy_fail_errno(err, s->dir, "the state folder is not a folder", ENOTDIR);
    }
    if (errno != ENOENT) return sy_fail_errno(err, s->dir, "the state folder cannot be reached", errno);
    if (s->readonly) {
        sy_fail(err, SYMBI_ENOTFOUND, "there is no state folder of this name; nothing has run with it yet, or --state DIR names another");
        sy_err_path(err, symbi_str_z(s->dir));
        return SYMBI_ENOTFOUND;
    }
    memcpy(p, s->dir, s->dir_n + 1);
    for (size_t i = 1; i <= s->dir_n; i++) {
        if (i < s->dir_n && p[i] != '/') continue;
        p[i] = 0;
        if (mkdir(p, 0700) == 0) {
            char *slash = strrchr(p, '/');
            if (slash && slash != p) {
                *slash = 0;
                sync_dir(p);
                *slash = '/';
            } else sync_dir(slash ? "/" : ".");
        } else if (errno != EEXIST) return sy_fail_errno(err, s->dir, "the state folder cannot be made", errno);
        if (i < s->dir_n) p[i] = '/';
    }
    return SYMBI_OK;
}

/* ---- small files ----------------------------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0) {
            if (errno == EINTR) continue;
            return false;
        }
        p += k;
        n -= (size_t)k;
    }
    return true;
}

/* Makes <dir>/<name> with this content, whole or not at all; an existing file is left alone (EEXISTS). Synced. */
static symbi_status create_file(const sy_store *s, const char *name, symbi_str data, mode_t mode, symbi_err *err)
{
    char tmp[PATH_CAP], path[PATH_CAP], tname[96];
    uint64_t nonce;
    symbi_status st;
    int fd, e = 0;
    st = symbi_ctx_random(s->cx, &nonce, sizeof nonce, err);
    if (st) return st;
    snprintf(tname, sizeof tname, ".%s.%016" PRIx64, name, nonce);
    st = path_of(s, tname, tmp, sizeof tmp, err);
    if (!st) st = path_of(s, name, path, sizeof path, err);
    if (st) return st;
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) return sy_fail_errno(err, path, "cannot be made", errno);
    if (fchmod(fd, mode) || !write_all(fd, data.p, data.n) || fsync(fd)) e = errno;
    if (close(fd) && !e) e = errno;
    /* link, not rename: it never replaces a key that another process made in the meantime */
    if (!e && link(tmp, path)) e = errno;
    unlink(tmp);
    if (e == EEXIST) return SYMBI_EEXISTS;
    if (e) return sy_fail_errno(err, path, "cannot be made", e);
    sync_dir(s->dir);
    return SYMBI_OK;
}

/* At most cap bytes of a regular file; *n = cap says that it is at least that long. ENOTFOUND without a message. */
static symbi_status read_small(const char *path, char *buf, size_t cap, size_t *n, struct stat *sb, symbi_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t k = 0;
    *n = 0;
    if (fd < 0) return errno == ENOENT ? SYMBI_ENOTFOUND : sy_fail_errno(err, path, "cannot be opened", errno);
    if (fstat(fd, sb) || !S_ISREG(sb->st_mode)) {
        close(fd);
        sy_fail(err, SYMBI_EIO, "is not a regular file");
        sy_err_path(err, symbi_str_z(path));
        return SYMBI_EIO;
    }
    while (*n < cap && (k = read(fd, buf + *n, cap - *n)) != 0) {
        if (k < 0) {
            int e = errno;
            if (e == EINTR) continue;
            close(fd);
            return sy_fail_errno(err, path, "cannot be read", e);
        }
        *n += (size_t)k;
    }
    close(fd);
    return SYMBI_OK;
}

static bool unhex(symbi_str h, uint8_t *out, size_t n)
{
    if (h.n != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        int a = sy_hex(h.p[2 * i]), b = sy_hex(h.p[2 * i + 1]);
        if (a < 0 || b < 0) return false;
        out[i] = (uint8_t)(a << 4 | b);
    }
    return true;
}
static void hex(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = 0;
}

/* 32 bytes, raw or as 64 hex digits with or without a line end. */
static bool decode_32(const char *p, size_t n, uint8_t out[32])
{
    symbi_str h = { p, n };
    if (n == 32) {
        memcpy(out, p, 32);
        return true;
    }
    if (h.n && h.p[h.n - 1] == '\n') h.n--;
    if (h.n && h.p[h.n - 1] == '\r') h.n--;
    return unhex(h, out, 32);
}

static symbi_status at_path(symbi_err *err, const char *path, symbi_status st)
{
    sy_err_path(err, symbi_str_z(path));
    return st;
}

/* ---- keys ------------------------------------------------------------------------------------------------------------- */

symbi_status sy_store_load_pub(sy_store *s, symbi_err *err)
{
    char path[PATH_CAP], buf[80];
    struct stat sb;
    size_t n;
    symbi_status st = path_of(s, "audit.pub", path, sizeof path, err);
    s->has_pub = false;
    if (!st) st = read_small(path, buf, sizeof buf, &n, &sb, err);
    if (st == SYMBI_ENOTFOUND) return SYMBI_OK;
    if (st) return st;
    if (!decode_32(buf, n, s->pub)) return at_path(err, path, sy_fail(err, SYMBI_EPARSE, "is not a public key: 64 hex digits are expected"));
    s->has_pub = true;
    return SYMBI_OK;
}

static symbi_status read_key(sy_store *s, const char *path, symbi_err *err)
{
    char buf[80];
    uint8_t seed[32];
    struct stat sb;
    size_t n;
    symbi_status st = read_small(path, buf, sizeof buf, &n, &sb, err);
    if (st) return st;
    if (sb.st_mode & 077)
        st = sy_fail(err, SYMBI_EIO, "the signing key may be read by others (mode %03o): run 'chmod 600' on it", (unsigned)(sb.st_mode & 0777));
    else if (sb.st_uid != geteuid() && geteuid() != 0)
        st = sy_fail(err, SYMBI_EIO, "the signing key belongs to another user");
    else if (!decode_32(buf, n, seed))
        st = sy_fail(err, SYMBI_EPARSE, "the signing key has a wrong size or content (64 hex digits are expected, %zu%s bytes are there): restore it from a backup, or move the whole state folder away to start afresh",
                     n, n == sizeof buf ? " or more" : "");
    else st = symbi_ed25519_from_seed(s->cx, seed, &s->key, err);
    symbi_wipe(seed, sizeof seed);
    symbi_wipe(buf, sizeof buf);
    return st ? at_path(err, path, st) : SYMBI_OK;
}

static symbi_status make_key(sy_store *s, symbi_err *err)
{
    char text[66];
    uint8_t seed[32];
    symbi_status st = symbi_ctx_random(s->cx, seed, sizeof seed, err);
    if (st) return st;
    hex(seed, 32, text);
    text[64] = '\n';
    st = create_file(s, "audit.key", (symbi_str){ text, 65 }, 0600, err);
    symbi_wipe(seed, sizeof seed);
    symbi_wipe(text, sizeof text);
    return st == SYMBI_EEXISTS ? SYMBI_OK : st; /* another process was faster: its key is read */
}

symbi_status sy_store_load_key(sy_store *s, symbi_err *err)
{
    char path[PATH_CAP], text[66];
    uint8_t pub[32];
    symbi_status st = path_of(s, "audit.key", path, sizeof path, err);
    if (!st) st = sy_store_load_pub(s, err);
    if (st) return st;
    st = read_key(s, path, err);
    if (st == SYMBI_ENOTFOUND) {
        if (s->has_pub)
            return at_path(err, path, sy_fail(err, SYMBI_ENOTFOUND, "the signing key is missing, but audit.pub is there: restore audit.key from a backup, or move the whole state folder away to start afresh"));
        st = make_key(s, err);
        if (!st) st = read_key(s, path, err);
        if (st == SYMBI_ENOTFOUND) st = sy_fail_errno(err, path, "the signing key vanished", ENOENT);
    }
    if (st) return st;
    symbi_ed25519_public(s->key, pub);
    if (!s->has_pub) {
        hex(pub, 32, text);
        text[64] = '\n';
        st = create_file(s, "audit.pub", (symbi_str){ text, 65 }, 0644, err);
        if (st == SYMBI_EEXISTS) st = sy_store_load_pub(s, err);
        if (st) return st;
    }
    if (s->has_pub && memcmp(pub, s->pub, 32) != 0)
        return at_path(err, path, sy_fail(err, SYMBI_EVERIFY, "the signing key does not belong to audit.pub beside it: one of the two was replaced; restore it from a backup"));
    memcpy(s->pub, pub, 32);
    s->has_pub = true;
    return SYMBI_OK;
}

/* ---- anchors ----------------------------------------------------------------------------------------------------------- */

static bool anchor_name(symbi_str chain, char *buf, size_t cap)
{
    int n;
    if (chain.n == 0 || chain.n > 64) return false;
    for (size_t i = 0; i < chain.n; i++) {
        char c = chain.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-')) return false;
    }
    n = sy_str_eq(chain, SY_LIT("main")) ? snprintf(buf, cap, "anchor.json") : snprintf(buf, cap, "anchor-%.*s.json", (int)chain.n, chain.p);
    return n > 0 && (size_t)n < cap;
}

static bool get_u63(const symbi_value *o, const char *key, int64_t *out)
{
    const symbi_value *v = symbi_value_getz(o, key);
    if (!v || v->kind != SYMBI_INT || v->u.i < 0) return false;
    *out = v->u.i;
    return true;
}

static symbi_status read_anchor(const sy_store *s, symbi_str chain, symbi_store_checkpoint *out, symbi_err *err)
{
    char name[96], path[PATH_CAP], buf[2048];
    struct stat sb;
    size_t n;
    symbi_doc *doc = NULL;
    const symbi_value *o;
    symbi_str none = { "", 0 };
    int64_t len = 0, ts = 0, version = 0;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (!anchor_name(chain, name, sizeof name)) return sy_fail(err, SYMBI_ENOTFOUND, "chain %.*s has no anchor", SY_FMT(chain));
    st = path_of(s, name, path, sizeof path, err);
    if (!st) st = read_small(path, buf, sizeof buf, &n, &sb, err);
    if (st == SYMBI_ENOTFOUND || (!st && n == 0)) { /* empty: a power failure right after its creation */
        sy_fail(err, SYMBI_ENOTFOUND, "there is no anchor");
        return at_path(err, path, SYMBI_ENOTFOUND);
    }
    if (st) return st;
    st = symbi_json_parse(s->cx, (symbi_str){ buf, n }, &doc, NULL);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) return at_path(err, path, sy_fail(err, SYMBI_EPARSE, "the anchor is damaged: it is not JSON"));
    o = symbi_doc_root(doc);
    if (o->kind != SYMBI_OBJECT || !get_u63(o, "version", &version) || version != 1 || !get_u63(o, "len", &len) || !get_u63(o, "timestamp_ms", &ts) ||
        !sy_str_eq(symbi_value_str(o, "chain", none), chain) || !unhex(symbi_value_str(o, "head", none), out->head, 32) ||
        !unhex(symbi_value_str(o, "public_key", none), out->public_key, 32) || !unhex(symbi_value_str(o, "signature", none), out->signature, 64))
        st = at_path(err, path, sy_fail(err, SYMBI_EPARSE, "the anchor is damaged: a field is missing or wrong"));
    out->len = (uint64_t)len;
    out->timestamp_ms = ts;
    symbi_doc_unref(doc);
    return st;
}

/* Its own signature, under the key that it names: whether that is the right key is for the verification to say. */
static bool is_torn(const sy_store *s, const symbi_store_checkpoint *cp)
{
    symbi_key *k = NULL;
    bool good = symbi_ed25519_from_public(s->cx, cp->public_key, &k, NULL) == SYMBI_OK && sy_checkpoint_check(s->cx, k, cp, NULL) == SYMBI_OK;
    symbi_key_unref(k);
    return !good;
}

symbi_status sy_anchor_read(const sy_store *s, symbi_str chain, symbi_store_checkpoint *out, symbi_err *err)
{
    struct timespec pause = { 0, 1000 * 1000 };
    symbi_status st = SYMBI_OK;
    for (int i = 0; i < 4; i++) { /* a writer may be in the middle of overwriting it */
        if (i) nanosleep(&pause, NULL);
        st = read_anchor(s, chain, out, err);
        if (st ? st != SYMBI_EPARSE : !is_torn(s, out)) break;
    }
    return st;
}

/* The file has one size and lies in one sector, and it is overwritten in place: as good as a rename against a crash of the
 * process or the machine (its signature tells a torn one), and a thousand times cheaper. */
static void anchor_text(const sy_anchor *a, char out[SY_ANCHOR_BYTES])
{
    char head[65], pub[65], sig[129];
    int n;
    hex(a->last.head, 32, head);
    hex(a->last.public_key, 32, pub);
    hex(a->last.signature, 64, sig);
    n = snprintf(out, SY_ANCHOR_BYTES, "{\"version\":1,\"chain\":\"%s\",\"len\":%" PRIu64 ",\"head\":\"%s\",\"timestamp_ms\":%" PRId64 ",\"public_key\":\"%s\",\"signature\":\"%s\"}",
                 a->chain, a->last.len, head, a->last.timestamp_ms, pub, sig);
    memset(out + n, ' ', (size_t)(SY_ANCHOR_BYTES - n));
    out[SY_ANCHOR_BYTES - 1] = '\n';
}

symbi_status sy_anchor_write(const sy_store *s, sy_anchor *a, symbi_err *err)
{
    char name[96], path[PATH_CAP], text[SY_ANCHOR_BYTES];
    symbi_status st;
    ssize_t k;
    if (!anchor_name(symbi_str_z(a->chain), name, sizeof name)) return SYMBI_OK;
    anchor_text(a, text);
    st = path_of(s, name, path, sizeof path, err);
    if (st) return st;
    if (a->fd < 0) {
        a->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (a->fd < 0 && errno == ENOENT) {
            st = create_file(s, name, (symbi_str){ text, sizeof text }, 0600, err);
            if (st && st != SYMBI_EEXISTS) return st;
            a->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        }
        if (a->fd < 0) return sy_fail_errno(err, path, "cannot be opened", errno);
    }
    do k = pwrite(a->fd, text, sizeof text, 0);
    while (k < 0 && errno == EINTR);
    if (k != (ssize_t)sizeof text) return sy_fail_errno(err, path, "cannot be written", k < 0 ? errno : ENOSPC);
    a->pending = false;
    return SYMBI_OK;
}

sy_anchor *sy_anchor_of(sy_store *s, symbi_str chain)
{
    char name[96];
    sy_anchor *a;
    if (!anchor_name(chain, name, sizeof name)) return NULL;
    for (size_t i = 0; i < s->nanchors; i++)
        if (sy_str_eqz(chain, s->anchors[i].chain)) return &s->anchors[i];
    if (sy_grow(&s->cx->alloc, (void **)&s->anchors, &s->cap_anchors, s->nanchors + 1, sizeof *a)) return NULL;
    a = &s->anchors[s->nanchors++];
    memset(a, 0, sizeof *a);
    memcpy(a->chain, chain.p, chain.n);
    a->fd = -1;
    return a;
}
