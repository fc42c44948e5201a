/* skills/zip.c: archives: zip (and what is a zip under another name), gzip and tar, entry by entry, in memory, with limits on entries,
 * nesting and bytes. What is not unfolded is reported; bytes of a zip that belong to no entry are looked at as the file itself is. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "skills/skills.h"
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { ENTRIES_MAX = 4096, NESTED_MAX = 3, ENTRY_MAX = 16 << 20, NAME_MAX_ = 400 };

sy_pack sy_pack_kind(symbi_str c)
{
    static const struct { const char *magic; size_t n; } other[] = { { "7z\xbc\xaf\x27\x1c", 6 }, { "Rar!\x1a\x07", 6 }, { "\xfd" "7zXZ", 5 }, { "BZh", 3 }, { "\x28\xb5\x2f\xfd", 4 }, { "MSCF", 4 }, { "xar!", 4 }, { "LZIP", 4 },
        { "\x1f\x9d", 2 }, { "\x1f\xa0", 2 }, { "070701", 6 }, { "hsqs", 4 } };
    if (c.n >= 4 && (!memcmp(c.p, "PK\3\4", 4) || !memcmp(c.p, "PK\5\6", 4) || !memcmp(c.p, "PK\7\10", 4))) return SY_PACK_ZIP;
    if (c.n >= 3 && !memcmp(c.p, "\x1f\x8b\x08", 3)) return SY_PACK_GZIP;
    if (c.n >= 512 && !memcmp(c.p + 257, "ustar", 5)) return SY_PACK_TAR;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (c.n >= other[i].n && !memcmp(c.p, other[i].magic, other[i].n) && (other[i].n > 3 || c.n > 10)) return SY_PACK_OTHER;
    /* a zip with something in front of it is one to every program that opens zips */
    if (c.n >= 22) {
        size_t from = c.n > 66000 ? c.n - 66000 : 0;
        for (size_t i = c.n - 22 + 1; i-- > from;)
            if (c.p[i] == 'P' && !memcmp(c.p + i, "PK\5\6", 4)) return SY_PACK_ZIP;
    }
    return SY_PACK_NONE;
}

typedef struct pack {
    symbi_skill_scan *s;
    symbi_str path;
    symbi_err *err;
    unsigned depth;
} pack;

static symbi_status unread(pack *p, symbi_str path, const char *rule, const char *message)
{
    p->s->totals.unread++;
    return sy_strict_note(p->s, path, rule, "unread", SYMBI_SKILL_HIGH, message, p->err);
}

static symbi_str entry_path(char *buf, size_t cap, symbi_str path, symbi_str name)
{
    char clean[NAME_MAX_];
    sy_clean_line(clean, sizeof clean, name);
    snprintf(buf, cap, "%.*s!/%s", path.n > NAME_MAX_ ? NAME_MAX_ : (int)path.n, path.p, clean);
    return symbi_str_z(buf);
}

/* Inflates at most max bytes; raw: without header. */
static symbi_status unfold(pack *p, symbi_str in, bool gzip, size_t max, sy_buf *out, bool *cut, bool *bad)
{
    z_stream z;
    int r;
    *cut = *bad = false;
    memset(&z, 0, sizeof z);
    if (inflateInit2(&z, gzip ? 15 + 16 : -15) != Z_OK) return sy_fail_nomem(p->err);
    z.next_in = (Bytef *)(uintptr_t)in.p;
    z.avail_in = (uInt)in.n;
    do {
        size_t room = max - out->n < 65536 ? max - out->n : 65536;
        char *to;
        if (!room) {
            *cut = true;
            break;
        }
        if (!(to = sy_buf_reserve(out, room))) break;
        z.next_out = (Bytef *)to;
        z.avail_out = (uInt)room;
        r = inflate(&z, Z_NO_FLUSH);
        sy_buf_commit(out, room - z.avail_out);
        if (r == Z_STREAM_END && gzip && z.avail_in && inflateReset(&z) == Z_OK) r = Z_OK; /* one member after the other */
        else if (r != Z_OK && r != Z_STREAM_END) *bad = true;
    } while (!*bad && r != Z_STREAM_END && (z.avail_in || z.avail_out == 0));
    if (!*bad && !*cut && r != Z_STREAM_END) *bad = true; /* truncated */
    (void)inflateEnd(&z);
    return sy_buf_status(out) ? sy_fail(p->err, sy_buf_status(out), "an entry of the archive needs too much memory") : SYMBI_OK;
}

static symbi_status scan_entry(pack *p, symbi_str name, symbi_str data, bool packed, bool gzip)
{
    char where[2 * NAME_MAX_ + 8];
    symbi_str path = entry_path(where, sizeof where, p->path, name);
    size_t max = p->s->budget < ENTRY_MAX ? p->s->budget : ENTRY_MAX;
    bool cut = false, bad = false;
    symbi_status st = SYMBI_OK;
    sy_buf b;
    if (memchr(name.p ? name.p : "", '\0', name.n) || (name.n && (name.p[0] == '/' || name.p[0] == '\\')) || (name.n >= 3 && (strstr(where, "!/../") || strstr(where, "/../") || strstr(where, "..\\"))))
        if ((st = sy_strict_note(p->s, path, "archive-escape", "traversal", SYMBI_SKILL_CRITICAL, "An entry of the archive would be unpacked outside its folder", p->err))) return st;
    sy_buf_init(&b, p->s->alloc, ENTRY_MAX + 1);
    if (packed) {
        st = unfold(p, data, gzip, max, &b, &cut, &bad);
        data = sy_buf_str(&b);
    } else if (data.n > max) {
        data.n = max;
        cut = true;
    }
    if (!st) {
        p->s->budget -= data.n < p->s->budget ? data.n : p->s->budget;
        if (cut) st = unread(p, path, "unread:bomb", "Not unfolded to its end: larger than the limit of what an archive may unfold to");
        if (!st && bad) st = unread(p, path, "unread:archive", "Not unfolded to its end: the archive is damaged");
        if (!st && data.n) st = sy_strict_bytes(p->s, path, data, p->depth + 1, p->err);
    }
    sy_buf_free(&b);
    return st;
}

static uint32_t le(const char *p, int n)
{
    uint32_t v = 0;
    while (n-- > 0) v = v << 8 | (unsigned char)p[n];
    return v;
}

/* How many headers of entries stand in these bytes; no further than one more than max. */
static size_t headers(symbi_str c, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i + 4 <= c.n && n <= max; i++) {
        const char *q = memchr(c.p + i, 'P', c.n - i);
        if (!q) break;
        i = (size_t)(q - c.p);
        n += i + 4 <= c.n && !memcmp(q, "PK\3\4", 4);
    }
    return n;
}

/* The central directory says what there is; programs differ in whether they believe it or the entries' own headers, so both count. */
static symbi_status scan_zip(pack *p, symbi_str c)
{
    size_t end = c.n, at, base, n, seen = 0, inside = 0; /* inside: what looks like an entry within the data of one */
    symbi_status st = SYMBI_OK;
    for (size_t i = c.n >= 22 ? c.n - 22 + 1 : 0; i-- > 0 && c.n - i < 66000;)
        if (!memcmp(c.p + i, "PK\5\6", 4)) {
            end = i;
            break;
        }
    if (end == c.n) return unread(p, p->path, "unread:archive", "Not unfolded: the archive has no directory");
    n = le(c.p + end + 10, 2);
    at = le(c.p + end + 16, 4);
    if (n == 0xffff || at == 0xffffffffu) return unread(p, p->path, "unread:archive", "Not unfolded: zip64");
    /* with bytes in front, offsets count from behind them */
    base = le(c.p + end + 12, 4);
    base = end >= base + at ? end - base - at : 0;
    at += base;
    for (; seen < n && !st; seen++) {
        size_t name, extra, note, local, packed, method, flags;
        symbi_str who, data;
        if (at + 46 > end || memcmp(c.p + at, "PK\1\2", 4)) return unread(p, p->path, "unread:archive", "Not unfolded to its end: the directory of the archive is damaged");
        if (seen >= ENTRIES_MAX) return unread(p, p->path, "unread:bomb", "Not unfolded to its end: more entries than the limit");
        flags = le(c.p + at + 8, 2);
        method = le(c.p + at + 10, 2);
        packed = le(c.p + at + 20, 4);
        name = le(c.p + at + 28, 2);
        extra = le(c.p + at + 30, 2);
        note = le(c.p + at + 32, 2);
        local = le(c.p + at + 42, 4) + base;
        if (at + 46 + name > c.n) return unread(p, p->path, "unread:archive", "Not unfolded to its end: the directory of the archive is damaged");
        who = (symbi_str){ c.p + at + 46, name };
        at += 46 + name + extra + note;
        if (name && who.p[name - 1] == '/' && !packed) continue;
        if (local + 30 > c.n || memcmp(c.p + local, "PK\3\4", 4)) {
            st = unread(p, p->path, "unread:archive", "Not unfolded: an entry lies outside the archive");
            continue;
        }
        data.p = c.p + local + 30 + le(c.p + local + 26, 2) + le(c.p + local + 28, 2);
        if (data.p > c.p + c.n || packed > (size_t)(c.p + c.n - data.p)) {
            st = unread(p, p->path, "unread:archive", "Not unfolded: an entry lies outside the archive");
            continue;
        }
        data.n = packed;
        inside += headers(data, SIZE_MAX);
        if (flags & 1) st = unread(p, p->path, "unread:archive", "Not unfolded: an entry is encrypted");
        else if (method != 0 && method != 8) st = unread(p, p->path, "unread:archive", "Not unfolded: an entry is packed in a way that is not known");
        else st = scan_entry(p, who, data, method == 8, false);
        if (!st && !p->s->budget) return unread(p, p->path, "unread:bomb", "Not unfolded to its end: the archive unfolds to more than the limit");
    }
    if (!st && headers(c, n + inside) > n + inside) st = unread(p, p->path, "unread:archive", "The archive holds entries that its directory does not name");
    return st;
}

static symbi_status scan_tar(pack *p, symbi_str c)
{
    size_t at = 0, seen = 0;
    symbi_status st = SYMBI_OK;
    while (at + 512 <= c.n && c.p[at] && !st) {
        size_t size = 0, name = 0;
        char type = c.p[at + 156];
        for (int i = 0; i < 12; i++) {
            char d = c.p[at + 124 + (size_t)i];
            if (d >= '0' && d <= '7') size = size * 8 + (size_t)(d - '0');
            else if (d != ' ' && d != '\0') return unread(p, p->path, "unread:archive", "Not unfolded to its end: the archive is damaged");
        }
        if (++seen > ENTRIES_MAX) return unread(p, p->path, "unread:bomb", "Not unfolded to its end: more entries than the limit");
        while (name < 100 && c.p[at + name]) name++;
        if (size > c.n - at - 512) return unread(p, p->path, "unread:archive", "Not unfolded to its end: the archive is damaged");
        if (type == '1' || type == '2') st = unread(p, p->path, "unread:link", "The archive holds a link");
        else if (size) {
            symbi_str data = { c.p + at + 512, size };
            while ((type == 'L' || type == 'K') && data.n && !data.p[data.n - 1]) data.n--; /* the long name of the next entry, with its NUL */
            st = scan_entry(p, (symbi_str){ c.p + at, name }, data, false, false);
        }
        at += 512 + (size + 511) / 512 * 512;
        if (at > c.n) break;
        if (!st && !p->s->budget) return unread(p, p->path, "unread:bomb", "Not unfolded to its end: the archive unfolds to more than the limit");
    }
    while (at < c.n && !c.p[at]) at++; /* the end is filled up with zeros */
    if (!st && at < c.n) st = unread(p, p->path, "unread:archive", "Not unfolded to its end: something stands behind the end of the archive");
    return st;
}

symbi_status sy_pack_scan(symbi_skill_scan *s, symbi_str path, symbi_str c, sy_pack kind, unsigned depth, symbi_err *err)
{
    pack p = { s, path, err, depth };
    if (depth >= NESTED_MAX) return unread(&p, path, "unread:bomb", "Not unfolded: archives nested too deeply");
    switch (kind) {
    case SY_PACK_ZIP: return scan_zip(&p, c);
    case SY_PACK_GZIP: {
        symbi_str name = sy_base_name(path);
        if (name.n > 3 && !memcmp(name.p + name.n - 3, ".gz", 3)) name.n -= 3;
        return scan_entry(&p, name, c, true, true);
    }
    case SY_PACK_TAR: return scan_tar(&p, c);
    default: return unread(&p, path, "unread:archive", "Not unfolded: a kind of archive that the scanner does not open");
    }
}
