/* codec/json_write.c: JSON text, plain, pretty and canonical. What is written can be read back: strings must be UTF-8,
 * numbers finite, keys unique, nesting within the limit. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "codec/json_scan.h"
#include "codec/num.h"
#include "symbi/json.h"

/* ---- pieces ---- */

void symbi_json_out_init(symbi_ctx *cx, symbi_json_out *o)
{
    memset(o, 0, sizeof *o);
    o->alloc = cx->alloc;
    o->max = cx->limits.output_bytes;
}

void symbi_json_out_free(symbi_json_out *o)
{
    sy_free(&o->alloc, o->p, o->cap);
    o->p = NULL;
    o->n = o->cap = 0;
    o->status = SYMBI_OK;
}

static char *out_fail(symbi_json_out *o, symbi_status st)
{
    if (!o->status) o->status = st;
    return NULL;
}

static char *out_grow(symbi_json_out *o, size_t n)
{
    size_t cap = o->cap ? o->cap : 256;
    char *p;
    if (n > SIZE_MAX / 4) return out_fail(o, SYMBI_ENOMEM);
    while (cap < o->n + n) cap *= 2;
    p = sy_realloc(&o->alloc, o->p, o->cap, cap);
    if (!p) return out_fail(o, SYMBI_ENOMEM);
    o->p = p;
    o->cap = cap;
    return p + o->n;
}

/* Room is asked for at worst-case size; the limit is on what is really written, so it is checked against n already there
 * plus the little that any single call can overshoot, and exactly at the end of each piece. */
static inline char *room(symbi_json_out *o, size_t n)
{
    if (o->status) return NULL;
    if (o->n > o->max) return out_fail(o, SYMBI_ELIMIT);
    return o->n + n <= o->cap ? o->p + o->n : out_grow(o, n);
}

char *symbi_json_out_room(symbi_json_out *o, size_t n)
{
    return room(o, n);
}

/* Most of what is written is a few bytes: two moves that may overlap, without a call. */
static inline void copy(char *d, const char *s, size_t n)
{
    if (n > 16) {
        memcpy(d, s, n);
    } else if (n >= 8) {
        uint64_t a, b;
        memcpy(&a, s, 8);
        memcpy(&b, s + n - 8, 8);
        memcpy(d, &a, 8);
        memcpy(d + n - 8, &b, 8);
    } else if (n >= 4) {
        uint32_t a, b;
        memcpy(&a, s, 4);
        memcpy(&b, s + n - 4, 4);
        memcpy(d, &a, 4);
        memcpy(d + n - 4, &b, 4);
    } else {
        for (size_t i = 0; i < n; i++) d[i] = s[i];
    }
}

void symbi_json_out_raw(symbi_json_out *o, symbi_str s)
{
    char *d;
    if (s.n > o->max || o->n > o->max - s.n) {
        out_fail(o, SYMBI_ELIMIT);
        return;
    }
    d = room(o, s.n);
    if (!d) return;
    copy(d, s.p, s.n);
    o->n += s.n;
}

static char *put_escape(char *d, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char e = 0;
    switch (c) {
    case '"': e = '"'; break;
    case '\\': e = '\\'; break;
    case '\b': e = 'b'; break;
    case '\f': e = 'f'; break;
    case '\n': e = 'n'; break;
    case '\r': e = 'r'; break;
    case '\t': e = 't'; break;
    default: break;
    }
    *d++ = '\\';
    if (e) {
        *d++ = e;
        return d;
    }
    memcpy(d, "u00", 3);
    d[3] = hex[c >> 4];
    d[4] = hex[c & 15];
    return d + 5;
}

void symbi_json_out_string(symbi_json_out *o, symbi_str s)
{
    const char *p = s.n ? s.p : "", *end = p + s.n; /* an empty string may have no address */
    char *d;
    if (s.n > o->max) {
        out_fail(o, SYMBI_ELIMIT);
        return;
    }
    d = room(o, s.n + 2);
    if (!d) return;
    *d++ = '"';
    for (;;) {
        const char *q = sy_json_plain(p, end);
        copy(d, p, (size_t)(q - p));
        d += q - p;
        p = q;
        if (p == end) break;
        if ((unsigned char)*p >= 0x80) {
            do {
                size_t k = sy_json_utf8(p, end);
                if (!k) {
                    out_fail(o, SYMBI_ESCHEMA);
                    return;
                }
                memcpy(d, p, k);
                d += k;
                p += k;
            } while (p < end && (unsigned char)*p >= 0x80);
        } else { /* up to six bytes for one: room for the rest of the string and these */
            o->n = (size_t)(d - o->p);
            d = room(o, (size_t)(end - p) + 7);
            if (!d) return;
            d = put_escape(d, (unsigned char)*p++);
        }
    }
    *d++ = '"';
    o->n = (size_t)(d - o->p);
    if (o->n > o->max) out_fail(o, SYMBI_ELIMIT);
}

void symbi_json_out_int(symbi_json_out *o, int64_t i)
{
    char *d = room(o, 24);
    if (!d) return;
    o->n += sy_num_write_int64(i, d);
    if (o->n > o->max) out_fail(o, SYMBI_ELIMIT);
}

void symbi_json_out_double(symbi_json_out *o, double v, unsigned flags)
{
    char *d = room(o, 32);
    size_t k;
    if (!d) return;
    k = sy_num_write_double(v, flags & SYMBI_JSON_CANONICAL ? SY_NUM_ES : SY_NUM_JSON, d);
    if (!k) {
        out_fail(o, SYMBI_ESCHEMA);
        return;
    }
    o->n += k;
    if (o->n > o->max) out_fail(o, SYMBI_ELIMIT);
}

/* UTF-8 bytes compare as code points do; UTF-16 units differ from that only in that pairs (lead bytes from 0xf0) come
 * before U+E000..U+FFFF (lead bytes 0xee and 0xef). */
static int unit_rank(unsigned char c)
{
    return c < 0xee ? c : c < 0xf0 ? c + 16 : c - 2;
}

int symbi_json_key_cmp(symbi_str a, symbi_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++)
        if (a.p[i] != b.p[i]) return unit_rank((unsigned char)a.p[i]) - unit_rank((unsigned char)b.p[i]);
    return (a.n > b.n) - (a.n < b.n);
}

/* ---- trees ---- */

typedef struct writer {
    symbi_json_out out;
    symbi_ctx *cx;
    symbi_err *err;
    unsigned flags;
    size_t max_depth;
} writer;

static void put(writer *w, const char *s, size_t n)
{
    symbi_str x = { s, n };
    symbi_json_out_raw(&w->out, x);
}

static void line_break(writer *w, size_t depth)
{
    char *d;
    if (!(w->flags & SYMBI_JSON_PRETTY)) return;
    d = room(&w->out, 1 + 2 * depth);
    if (!d) return;
    *d = '\n';
    memset(d + 1, ' ', 2 * depth);
    w->out.n += 1 + 2 * depth;
}

static symbi_status schema_fail(writer *w, const symbi_value *v, const char *what)
{
    return sy_fail_at(w->err, SYMBI_ESCHEMA, v->line, 0, "%s", what);
}

static symbi_status write_string(writer *w, const symbi_value *at, symbi_str s)
{
    symbi_json_out_string(&w->out, s);
    return w->out.status == SYMBI_ESCHEMA ? schema_fail(w, at, "a string is not valid UTF-8: encode binary data as base64") : SYMBI_OK;
}

static symbi_status dup_fail(writer *w, const symbi_value *v, symbi_str key)
{
    return sy_fail_at(w->err, SYMBI_ESCHEMA, v->line, 0, "duplicate key \"%.*s\"", SY_FMT(key));
}

enum { SMALL = 16 };

/* Merge sort (qsort may call malloc behind our allocators): runs of SMALL by insertion, then merged between a and tmp.
 * tmp is needed from SMALL + 1 members on. */
static void sort_members(const symbi_member **a, const symbi_member **tmp, size_t n)
{
    const symbi_member **src = a, **dst = tmp;
    for (size_t lo = 0; lo < n; lo += SMALL) {
        size_t hi = n - lo < SMALL ? n : lo + SMALL;
        for (size_t i = lo + 1; i < hi; i++) {
            const symbi_member *m = a[i];
            size_t j = i;
            for (; j > lo && symbi_json_key_cmp(a[j - 1]->key, m->key) > 0; j--) a[j] = a[j - 1];
            a[j] = m;
        }
    }
    for (size_t width = SMALL; width < n; width *= 2) {
        const symbi_member **t = src;
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = n - lo < width ? n : lo + width, hi = n - lo < 2 * width ? n : lo + 2 * width;
            size_t i = lo, j = mid, o = lo;
            while (i < mid && j < hi) dst[o++] = symbi_json_key_cmp(src[i]->key, src[j]->key) <= 0 ? src[i++] : src[j++];
            while (i < mid) dst[o++] = src[i++];
            while (j < hi) dst[o++] = src[j++];
        }
        src = dst;
        dst = t;
    }
    if (src != a) memcpy(a, src, n * sizeof *a);
}

static symbi_status check_unique(writer *w, const symbi_value *v)
{
    const symbi_member *m = v->u.o.members;
    size_t n = v->u.o.n;
    symbi_status st = SYMBI_OK;
    sy_map map;
    if (n <= SMALL) {
        for (size_t i = 1; i < n; i++)
            for (size_t j = 0; j < i; j++)
                if (sy_str_eq(m[i].key, m[j].key)) return dup_fail(w, v, m[i].key);
        return SYMBI_OK;
    }
    sy_map_init(&map, w->cx->alloc, w->cx->seed);
    for (size_t i = 0; i < n && !st; i++) {
        bool fresh;
        if (!sy_map_put(&map, m[i].key, &fresh)) st = sy_fail_nomem(w->err);
        else if (!fresh) st = dup_fail(w, v, m[i].key);
    }
    sy_map_free(&map);
    return st;
}

static symbi_status write_value(writer *w, const symbi_value *v, size_t depth);

static symbi_status write_member(writer *w, const symbi_value *obj, const symbi_member *m, size_t i, size_t depth)
{
    symbi_status st;
    if (i) put(w, ",", 1);
    line_break(w, depth);
    if ((st = write_string(w, obj, m->key))) return st;
    if (w->flags & SYMBI_JSON_PRETTY) put(w, ": ", 2);
    else put(w, ":", 1);
    return write_value(w, &m->val, depth);
}

static symbi_status write_object(writer *w, const symbi_value *v, size_t depth)
{
    size_t n = v->u.o.n;
    symbi_status st = SYMBI_OK;
    put(w, "{", 1);
    if (w->flags & SYMBI_JSON_CANONICAL) {
        const symbi_member *small[SMALL], **order = small;
        if (n > SMALL) order = sy_calloc(&w->cx->alloc, n, 2 * sizeof *order);
        if (!order) return sy_fail_nomem(w->err);
        for (size_t i = 0; i < n; i++) order[i] = &v->u.o.members[i];
        sort_members(order, order + n, n);
        for (size_t i = 1; i < n && !st; i++)
            if (sy_str_eq(order[i - 1]->key, order[i]->key)) st = dup_fail(w, v, order[i]->key);
        for (size_t i = 0; i < n && !st; i++) st = write_member(w, v, order[i], i, depth + 1);
        if (n > SMALL) sy_free(&w->cx->alloc, order, n * 2 * sizeof *order);
    } else {
        st = check_unique(w, v);
        for (size_t i = 0; i < n && !st; i++) st = write_member(w, v, &v->u.o.members[i], i, depth + 1);
    }
    if (st) return st;
    if (n) line_break(w, depth);
    put(w, "}", 1);
    return SYMBI_OK;
}

static symbi_status write_value(writer *w, const symbi_value *v, size_t depth)
{
    symbi_status st;
    if (w->out.status) return SYMBI_OK; /* nothing more fits; said once at the end */
    switch ((symbi_kind)v->kind) {
    case SYMBI_NULL: put(w, "null", 4); return SYMBI_OK;
    case SYMBI_BOOL:
        if (v->u.b) put(w, "true", 4);
        else put(w, "false", 5);
        return SYMBI_OK;
    case SYMBI_INT: symbi_json_out_int(&w->out, v->u.i); return SYMBI_OK;
    case SYMBI_DOUBLE:
        symbi_json_out_double(&w->out, v->u.d, w->flags);
        return w->out.status == SYMBI_ESCHEMA ? schema_fail(w, v, "NaN and infinities cannot be written as JSON: use null or a string") : SYMBI_OK;
    case SYMBI_STRING:
    case SYMBI_TIME: return write_string(w, v, v->u.s);
    case SYMBI_ARRAY:
    case SYMBI_OBJECT: break;
    default: return sy_fail(w->err, SYMBI_EINVAL, "a value of unknown kind %u", v->kind);
    }
    if (depth >= w->max_depth) return sy_fail(w->err, SYMBI_ELIMIT, "nested deeper than %zu levels", w->max_depth);
    if (v->kind == SYMBI_OBJECT) return write_object(w, v, depth);
    put(w, "[", 1);
    for (size_t i = 0; i < v->u.a.n; i++) {
        if (i) put(w, ",", 1);
        line_break(w, depth + 1);
        if ((st = write_value(w, &v->u.a.items[i], depth + 1))) return st;
        if (w->out.status) return SYMBI_OK;
    }
    if (v->u.a.n) line_break(w, depth);
    put(w, "]", 1);
    return SYMBI_OK;
}

symbi_status symbi_json_write(symbi_ctx *cx, const symbi_value *v, unsigned flags, symbi_text *out, symbi_err *err)
{
    writer w = { .cx = cx, .err = err, .flags = flags };
    symbi_status st;
    char *d;
    memset(out, 0, sizeof *out);
    if (flags & ~(unsigned)(SYMBI_JSON_PRETTY | SYMBI_JSON_CANONICAL)) return sy_fail(err, SYMBI_EINVAL, "unknown flags 0x%x", flags);
    if ((flags & SYMBI_JSON_PRETTY) && (flags & SYMBI_JSON_CANONICAL)) return sy_fail(err, SYMBI_EINVAL, "canonical JSON has no pretty form");
    w.max_depth = cx->limits.doc_depth < SYMBI_JSON_MAX_DEPTH ? cx->limits.doc_depth : SYMBI_JSON_MAX_DEPTH;
    symbi_json_out_init(cx, &w.out);
    st = write_value(&w, v, 0);
    d = st ? NULL : room(&w.out, 1);
    if (d) {
        *d = 0;
        if (w.out.n > w.out.max) w.out.status = SYMBI_ELIMIT;
    }
    if (!st && w.out.status == SYMBI_ELIMIT) st = sy_fail(err, SYMBI_ELIMIT, "the JSON text is larger than %zu bytes", w.out.max);
    else if (!st && w.out.status) st = sy_fail_nomem(err);
    if (st) {
        symbi_json_out_free(&w.out);
        return st;
    }
    out->p = w.out.p;
    out->n = w.out.n;
    out->cap = w.out.cap;
    out->alloc = w.out.alloc;
    return SYMBI_OK;
}
