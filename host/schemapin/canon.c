/* schemapin/canon.c: the canonical form "schemapin-v1": members sorted by key in byte order, no white space, strings with the
 * short escapes and nothing else escaped, integers exact, floats as Python's repr writes them. It has a reader of its own above
 * the JSON tokeniser, since signatures made elsewhere must verify here: with duplicate members (the last wins, as everywhere)
 * and with integers beyond 64 bits, both of which symbi_json_parse refuses. */
#include "schemapin/canon.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "codec/json_read.h"
#include "codec/num.h"
#include "symbi/json.h"

#include <math.h>

/* ---- reading --------------------------------------------------------------------------------------------------------- */

typedef struct reader {
    symbi_ctx *cx;
    sy_arena *a;
    symbi_json_reader r;
    symbi_member *stack; /* members and items whose container is still open */
    size_t n, cap, nodes;
    unsigned flags, notes;
    symbi_err *err;
} reader;

/* Where the next value goes: on the stack, or outermost. Filled there, not copied there: what was just written in small pieces is slow to
 * read as a whole. NULL: out of memory. */
static inline symbi_value *place(reader *r, size_t depth, symbi_value *root, symbi_str key)
{
    symbi_member *m;
    if (!depth) return root;
    if (r->n == r->cap && sy_grow(&r->cx->alloc, (void **)&r->stack, &r->cap, r->n + 1, sizeof *r->stack)) return NULL;
    m = &r->stack[r->n++];
    m->key = key;
    return &m->val;
}

static symbi_str string_of(reader *r, const symbi_json_token *t)
{
    char *p;
    symbi_str s = t->u.s;
    if (!t->escaped) return s;
    p = sy_arena_alloc(r->a, s.n + 1);
    if (!p) return (symbi_str){ NULL, 0 };
    s.n = symbi_json_unescape(t->u.s, p);
    s.p = p;
    return s;
}

/* Keys of one object often have one length and one beginning; their ends differ. */
static inline bool same_key(symbi_str a, symbi_str b)
{
    return a.n == b.n && (a.n == 0 || (a.p[a.n - 1] == b.p[b.n - 1] && memcmp(a.p, b.p, a.n) == 0));
}

/* The key stays, and how it was written with it. */
static void overwrite(symbi_member *m, const symbi_value *v)
{
    uint8_t key = m->val.sub & SY_SP_PLAIN_KEY;
    m->val = *v;
    m->val.sub = (uint8_t)((m->val.sub & ~SY_SP_PLAIN_KEY) | key);
}

/* Members m[0..n): a key seen again overwrites the first. Returns how many are left, SIZE_MAX when out of memory. */
static size_t merge_pairwise(reader *r, symbi_member *m, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = 0;
        while (j < k && !same_key(m[j].key, m[i].key)) j++;
        if (j < k) {
            overwrite(&m[j], &m[i].val);
            r->notes |= SYMBI_SCHEMAPIN_NOTE_DUPLICATE;
        } else {
            if (k != i) m[k] = m[i];
            k++;
        }
    }
    return k;
}

static size_t merge(reader *r, symbi_member *m, size_t n)
{
    sy_map map;
    size_t k = 0;
    if (n <= 24) return merge_pairwise(r, m, n);
    sy_map_init(&map, r->cx->alloc, r->cx->seed);
    for (size_t i = 0; i < n; i++) {
        bool fresh;
        sy_map_entry *e = sy_map_put(&map, m[i].key, &fresh);
        if (!e) {
            sy_map_free(&map);
            return SIZE_MAX;
        }
        if (fresh) {
            e->val.u = k;
            m[k++] = m[i];
        } else {
            overwrite(&m[e->val.u], &m[i].val);
            r->notes |= SYMBI_SCHEMAPIN_NOTE_DUPLICATE;
        }
    }
    sy_map_free(&map);
    return k;
}

/* The container that began at stack[from], as a value. */
static symbi_status close_container(reader *r, size_t from, bool object, symbi_value *v)
{
    size_t n = r->n - from, left;
    r->n = from;
    if (!object) {
        symbi_value *items = sy_arena_alloc(r->a, n * sizeof *items);
        if (!items) return sy_arena_fail(r->a, "the document", r->err);
        for (size_t i = 0; i < n; i++) items[i] = r->stack[from + i].val;
        *v = sy_val_array(items, n);
        return SYMBI_OK;
    }
    if (!n) { /* the stack may not even exist yet */
        *v = sy_val_object(NULL, 0);
        return SYMBI_OK;
    }
    left = merge(r, r->stack + from, n);
    if (left == SIZE_MAX) return sy_fail_nomem(r->err);
    if (left < n && (r->flags & SYMBI_SCHEMAPIN_STRICT)) return sy_fail(r->err, SYMBI_ESCHEMA, "a member appears twice in one object");
    *v = sy_val_object(sy_arena_memdup(r->a, r->stack + from, left * sizeof *r->stack), left);
    if (!v->u.o.members) return sy_arena_fail(r->a, "the document", r->err);
    return SYMBI_OK;
}

/* A container that is open: where its members begin on the stack, and what it will be called itself. */
typedef struct frame {
    size_t from;
    symbi_str key;
    bool object;
    uint8_t key_plain;
} frame;

static symbi_status read_all(reader *r, size_t max_depth, symbi_value *root)
{
    frame *open = sy_arena_alloc(r->a, (max_depth + 1) * sizeof *open);
    size_t depth = 0;
    symbi_str key = { NULL, 0 };
    uint8_t key_plain = 0;
    symbi_json_token t;
    if (!open) return sy_arena_fail(r->a, "the document", r->err);
    for (;;) {
        symbi_status st = sy_json_next(&r->r, &t, r->err);
        symbi_value *v, whole = { 0 };
        if (st) return st;
        if (t.event == SYMBI_JSON_EOF) return SYMBI_OK;
        if (++r->nodes > r->cx->limits.doc_nodes) return sy_fail(r->err, SYMBI_ELIMIT, "more than %zu values in one document", r->cx->limits.doc_nodes);
        if (t.event == SYMBI_JSON_KEY) {
            key = string_of(r, &t);
            key_plain = t.escaped ? 0 : SY_SP_PLAIN_KEY;
            if (r->a->status) return sy_arena_fail(r->a, "the document", r->err);
            continue;
        }
        if (t.event == SYMBI_JSON_ARRAY || t.event == SYMBI_JSON_OBJECT) {
            open[depth].from = r->n;
            open[depth].key = key;
            open[depth].key_plain = key_plain;
            open[depth++].object = t.event == SYMBI_JSON_OBJECT;
            continue;
        }
        if (t.event == SYMBI_JSON_END) {
            depth--;
            st = close_container(r, open[depth].from, open[depth].object, &whole);
            if (st) return st;
            key = open[depth].key;
            key_plain = open[depth].key_plain;
        }
        v = place(r, depth, root, key);
        if (!v) return sy_fail_nomem(r->err);
        v->line = t.line;
        v->sub = key_plain;
        switch ((symbi_json_event)t.event) {
        case SYMBI_JSON_END:
            v->kind = whole.kind;
            v->u = whole.u;
            break;
        case SYMBI_JSON_BOOL:
            v->kind = SYMBI_BOOL;
            v->u.b = t.u.b;
            break;
        case SYMBI_JSON_INT:
            v->kind = SYMBI_INT;
            v->u.i = t.u.i;
            break;
        case SYMBI_JSON_DOUBLE:
            v->kind = SYMBI_DOUBLE;
            v->u.d = t.u.d;
            break;
        case SYMBI_JSON_BIGINT_TEXT:
            v->kind = SY_SP_BIGINT;
            v->u.s = t.u.s;
            break;
        case SYMBI_JSON_STRING:
            v->kind = SYMBI_STRING;
            if (!t.escaped) v->sub |= SY_SP_PLAIN;
            v->u.s = string_of(r, &t);
            if (r->a->status) return sy_arena_fail(r->a, "the document", r->err);
            break;
        default: v->kind = SYMBI_NULL; /* EOF cannot be */
        }
    }
}

symbi_status sy_sp_read(symbi_ctx *cx, sy_arena *a, symbi_str text, unsigned flags, symbi_value *out, unsigned *notes, symbi_err *err)
{
    reader r = { .cx = cx, .a = a, .flags = flags, .err = err };
    size_t max_depth = cx->limits.doc_depth < SYMBI_JSON_MAX_DEPTH ? cx->limits.doc_depth : SYMBI_JSON_MAX_DEPTH;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (text.n > cx->limits.doc_bytes) return sy_fail(err, SYMBI_ELIMIT, "the document is larger than %zu bytes", cx->limits.doc_bytes);
    symbi_json_reader_init(&r.r, text, max_depth, SYMBI_JSON_BIGINT);
    st = read_all(&r, max_depth, out);
    sy_free(&cx->alloc, r.stack, r.cap * sizeof *r.stack);
    *notes |= r.notes;
    return st;
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

/* The shortest digits of a finite d > 0 and the place of the point: value = 0.DIGITS * 10^point. Returns the digits' count. */
static size_t digits_of(double d, char digits[32], int *point)
{
    char es[32];
    size_t n = sy_num_write_double(d, SY_NUM_ES, es), k = 0, i = 0;
    int before = 0, exp = 0, lead = 0;
    bool seen_point = false;
    for (; i < n && es[i] != 'e'; i++) {
        if (es[i] == '.') {
            seen_point = true;
            continue;
        }
        if (!k && es[i] == '0') {
            if (seen_point) lead++;
            continue;
        }
        digits[k++] = es[i];
        if (!seen_point) before++;
    }
    if (i < n) {
        bool neg = es[i + 1] == '-';
        for (i += 2; i < n; i++) exp = exp * 10 + (es[i] - '0');
        if (neg) exp = -exp;
    }
    while (k > 1 && digits[k - 1] == '0') k--;
    *point = (before ? before : -lead) + exp;
    return k;
}

/* d as Python's repr or Rust's ryu spells it; both use the shortest digits and differ in where exponents begin. */
static size_t write_float(double d, bool serde, char out[48])
{
    char digits[32];
    size_t n = 0, k;
    int point;
    if (signbit(d)) out[n++] = '-', d = -d;
    if (d == 0) {
        memcpy(out + n, "0.0", 3);
        return n + 3;
    }
    k = digits_of(d, digits, &point);
    if (point > 16 || point <= (serde ? -5 : -4)) {
        int e = point - 1;
        out[n++] = digits[0];
        if (k > 1) {
            out[n++] = '.';
            memcpy(out + n, digits + 1, k - 1);
            n += k - 1;
        }
        out[n++] = 'e';
        if (e < 0) out[n++] = '-', e = -e;
        else if (!serde) out[n++] = '+';
        if (e >= 100) out[n++] = (char)('0' + e / 100);
        if (e >= 10 || !serde) out[n++] = (char)('0' + e / 10 % 10);
        out[n++] = (char)('0' + e % 10);
        return n;
    }
    if (point <= 0) {
        out[n++] = '0';
        out[n++] = '.';
        for (; point < 0; point++) out[n++] = '0';
        memcpy(out + n, digits, k);
        return n + k;
    }
    for (int i = 0; i < point; i++) out[n++] = (size_t)i < k ? digits[i] : '0';
    out[n++] = '.';
    if (k <= (size_t)point) out[n++] = '0';
    else {
        memcpy(out + n, digits + point, k - (size_t)point);
        n += k - (size_t)point;
    }
    return n;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

typedef struct writer {
    symbi_ctx *cx;
    symbi_json_out o;
    const symbi_member **order; /* scratch: the members of the objects that are open, sorted */
    size_t n, cap;
    unsigned how, flags, notes;
    symbi_err *err;
} writer;

static symbi_status unportable(writer *w, const char *what)
{
    w->notes |= SYMBI_SCHEMAPIN_NOTE_NUMBER;
    if (w->flags & SYMBI_SCHEMAPIN_FOR_SIGNING)
        return sy_fail(w->err, SYMBI_ESCHEMA, "a number that is not signed, because implementations write it differently: %s", what);
    return SYMBI_OK;
}

static symbi_status write_double(writer *w, double d)
{
    char b[48];
    size_t n;
    symbi_status st = SYMBI_OK;
    if (!isfinite(d)) return sy_fail(w->err, SYMBI_ESCHEMA, "JSON has no NaN and no infinity");
    n = write_float(d, (w->how & SY_SP_SERDE) != 0, b);
    if (memchr(b, 'e', n)) st = unportable(w, "a float that is written with an exponent; use a plain decimal or a string");
    else if (d == rint(d)) w->notes |= SYMBI_SCHEMAPIN_NOTE_NUMBER; /* 1.0 is 1 to JavaScript and Go */
    if (st) return st;
    symbi_json_out_raw(&w->o, (symbi_str){ b, n });
    return SYMBI_OK;
}

static symbi_status write_big(writer *w, symbi_str digits)
{
    double d;
    symbi_status st;
    if (w->how & SY_SP_SERDE) { /* up to 2^64-1 exact, beyond as a float */
        if (digits.p[0] != '-' && (digits.n < 20 || (digits.n == 20 && memcmp(digits.p, "18446744073709551615", 20) <= 0))) {
            symbi_json_out_raw(&w->o, digits);
            return SYMBI_OK;
        }
        if (!symbi_json_number(digits, &d)) return sy_fail(w->err, SYMBI_ESCHEMA, "a number too large for a double");
        return write_double(w, d);
    }
    st = unportable(w, "an integer beyond 64 bits; use a string");
    if (st) return st;
    symbi_json_out_raw(&w->o, digits);
    return SYMBI_OK;
}

static int by_key(const symbi_member *a, const symbi_member *b) { return sy_str_cmp(a->key, b->key); }

/* Merge sort (qsort may call malloc behind our allocators): runs by insertion, then merged between a and tmp. */
static void sort_members(const symbi_member **a, const symbi_member **tmp, size_t n)
{
    enum { RUN = 8 };
    const symbi_member **src = a, **dst = tmp;
    for (size_t lo = 0; lo < n; lo += RUN) {
        size_t hi = n - lo < RUN ? n : lo + RUN;
        for (size_t i = lo + 1; i < hi; i++) {
            const symbi_member *m = a[i];
            size_t j = i;
            for (; j > lo && by_key(a[j - 1], m) > 0; j--) a[j] = a[j - 1];
            a[j] = m;
        }
    }
    for (size_t width = RUN; width < n; width *= 2) {
        const symbi_member **t = src;
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = n - lo < width ? n : lo + width, hi = n - lo < 2 * width ? n : lo + 2 * width;
            size_t i = lo, j = mid, o = lo;
            while (i < mid && j < hi) dst[o++] = by_key(src[i], src[j]) <= 0 ? src[i++] : src[j++];
            while (i < mid) dst[o++] = src[i++];
            while (j < hi) dst[o++] = src[j++];
        }
        src = dst;
        dst = t;
    }
    if (src != a) memcpy(a, src, n * sizeof *a);
}

/* Room for n more bytes, NULL when there is none. The limit is looked at when the buffer grows, and at the end. */
static inline char *room(writer *w, size_t n)
{
    return w->o.n + n <= w->o.cap && !w->o.status ? w->o.p + w->o.n : symbi_json_out_room(&w->o, n);
}

static inline void put(writer *w, const char *s, size_t n)
{
    char *d = room(w, n);
    if (!d) return;
    memcpy(d, s, n);
    w->o.n += n;
}

/* Text that stood in a document without an escape is its own canonical form. */
static inline void put_plain(writer *w, symbi_str s)
{
    char *d = room(w, s.n + 2);
    if (!d) return;
    *d++ = '"';
    if (s.n) memcpy(d, s.p, s.n);
    d[s.n] = '"';
    w->o.n += s.n + 2;
}

static symbi_status write_value(writer *w, const symbi_value *v, symbi_str skip, size_t depth);

static symbi_status write_object(writer *w, const symbi_value *v, symbi_str skip, size_t depth)
{
    size_t from = w->n, n = v->u.o.n, k = 0;
    bool sorted = true;
    if (sy_grow(&w->cx->alloc, (void **)&w->order, &w->cap, w->n + 2 * n, sizeof *w->order)) return sy_fail_nomem(w->err);
    for (size_t i = 0; i < n; i++) {
        const symbi_member *m = &v->u.o.members[i];
        if (skip.p && sy_str_eq(m->key, skip)) {
            /* The runtime removes a member by moving the last one into its place. */
            if ((w->how & SY_SP_SORTED) == 0 && i + 1 < n) w->order[from + k++] = &v->u.o.members[--n];
            continue;
        }
        w->order[from + k++] = m;
    }
    w->n += k;
    if (w->how & SY_SP_SORTED) {
        for (size_t i = 1; i < k && sorted; i++) sorted = by_key(w->order[from + i - 1], w->order[from + i]) < 0;
        if (!sorted) {
            sort_members(w->order + from, w->order + from + n, k);
            for (size_t i = 1; i < k; i++)
                if (same_key(w->order[from + i - 1]->key, w->order[from + i]->key)) return sy_fail(w->err, SYMBI_ESCHEMA, "a member appears twice in one object");
        }
    }
    put(w, "{", 1);
    for (size_t i = 0; i < k; i++) {
        const symbi_member *m = w->order[from + i];
        symbi_status st;
        if (i) put(w, ",", 1);
        if (m->val.sub & SY_SP_PLAIN_KEY) put_plain(w, m->key);
        else symbi_json_out_string(&w->o, m->key);
        put(w, ":", 1);
        st = write_value(w, &m->val, (symbi_str){ NULL, 0 }, depth);
        if (st) return st;
    }
    put(w, "}", 1);
    w->n = from;
    return SYMBI_OK;
}

/* Recursion as deep as doc_depth, which has a ceiling. */
static symbi_status write_value(writer *w, const symbi_value *v, symbi_str skip, size_t depth)
{
    if (w->o.status == SYMBI_ELIMIT || w->o.status == SYMBI_ENOMEM) return SYMBI_OK; /* told at the end */
    switch (v->kind) {
    case SYMBI_NULL: put(w, "null", 4); return SYMBI_OK;
    case SYMBI_BOOL: put(w, v->u.b ? "true" : "false", v->u.b ? 4 : 5); return SYMBI_OK;
    case SYMBI_INT:
        if (v->u.i > (int64_t)1 << 53 || v->u.i < -((int64_t)1 << 53)) w->notes |= SYMBI_SCHEMAPIN_NOTE_NUMBER;
        symbi_json_out_int(&w->o, v->u.i);
        return SYMBI_OK;
    case SYMBI_DOUBLE: return write_double(w, v->u.d);
    case SY_SP_BIGINT: return write_big(w, v->u.s);
    case SYMBI_STRING:
        if (v->sub & SY_SP_PLAIN) put_plain(w, v->u.s);
        else symbi_json_out_string(&w->o, v->u.s);
        return SYMBI_OK;
    case SYMBI_TIME: symbi_json_out_string(&w->o, v->u.s); return SYMBI_OK;
    case SYMBI_ARRAY:
    case SYMBI_OBJECT: break;
    default: return sy_fail(w->err, SYMBI_EINVAL, "a value of an unknown kind");
    }
    if (!depth) return sy_fail(w->err, SYMBI_ELIMIT, "nested deeper than %zu", w->cx->limits.doc_depth);
    if (v->kind == SYMBI_OBJECT) return write_object(w, v, skip, depth - 1);
    put(w, "[", 1);
    for (size_t i = 0; i < v->u.a.n; i++) {
        symbi_status st;
        if (i) put(w, ",", 1);
        st = write_value(w, &v->u.a.items[i], (symbi_str){ NULL, 0 }, depth - 1);
        if (st) return st;
    }
    put(w, "]", 1);
    return SYMBI_OK;
}

symbi_status sy_sp_write(symbi_ctx *cx, const symbi_value *v, unsigned how, unsigned flags, symbi_str skip, symbi_text *out, unsigned *notes, symbi_err *err)
{
    writer w = { .cx = cx, .how = how, .flags = flags, .err = err };
    size_t depth = cx->limits.doc_depth < SYMBI_JSON_MAX_DEPTH ? cx->limits.doc_depth : SYMBI_JSON_MAX_DEPTH;
    symbi_status st;
    memset(out, 0, sizeof *out);
    symbi_json_out_init(cx, &w.o);
    room(&w, SY_SP_FIRST_ROOM);
    st = write_value(&w, v, skip, depth);
    sy_free(&cx->alloc, w.order, w.cap * sizeof *w.order);
    if (!w.o.status && w.o.n > w.o.max) w.o.status = SYMBI_ELIMIT;
    if (!st && w.o.status) {
        st = w.o.status;
        if (st == SYMBI_ENOMEM) sy_fail_nomem(err);
        else if (st == SYMBI_ELIMIT) sy_fail(err, st, "the canonical form is larger than %zu bytes", w.o.max);
        else sy_fail(err, st, "a string is not valid UTF-8");
    }
    *notes |= w.notes;
    if (st) {
        symbi_json_out_free(&w.o);
        return st;
    }
    out->p = w.o.p;
    out->n = w.o.n;
    out->cap = w.o.cap;
    out->alloc = w.o.alloc;
    return SYMBI_OK;
}

/* ---- public ---------------------------------------------------------------------------------------------------------- */

symbi_status symbi_schemapin_canonical(symbi_ctx *cx, symbi_str json, const symbi_value *value, unsigned flags, symbi_text *out, unsigned *notes, symbi_err *err)
{
    sy_arena a;
    symbi_value root;
    unsigned seen = 0;
    symbi_status st = SYMBI_OK;
    unsigned how = SY_SP_SORTED | (flags & SYMBI_SCHEMAPIN_SERDE ? SY_SP_SERDE : 0u);
    memset(out, 0, sizeof *out);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    if (!value) {
        st = sy_sp_read(cx, &a, json, flags, &root, &seen, err);
        value = &root;
    }
    if (!st) st = sy_sp_write(cx, value, how, flags, flags & SYMBI_SCHEMAPIN_EMBEDDED ? SY_LIT("signature") : (symbi_str){ NULL, 0 }, out, &seen, err);
    sy_arena_free(&a);
    if (notes) *notes = seen;
    return st;
}

symbi_status symbi_schemapin_hash(symbi_ctx *cx, symbi_str json, const symbi_value *value, unsigned flags, uint8_t out[32], unsigned *notes, symbi_err *err)
{
    symbi_text t;
    symbi_status st = symbi_schemapin_canonical(cx, json, value, flags, &t, notes, err);
    memset(out, 0, 32);
    if (!st) st = symbi_sha256(cx, symbi_text_str(&t), out, err);
    symbi_text_free(&t);
    return st;
}

symbi_status symbi_schemapin_runtime_input(symbi_ctx *cx, symbi_str json, symbi_text *signed_bytes, symbi_text *signature, symbi_err *err)
{
    sy_arena a;
    symbi_value root;
    unsigned notes = 0;
    symbi_status st;
    memset(signed_bytes, 0, sizeof *signed_bytes);
    memset(signature, 0, sizeof *signature);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    st = sy_sp_read(cx, &a, json, 0, &root, &notes, err);
    if (!st) {
        const symbi_value *s = symbi_value_getz(&root, "signature");
        bool embedded = s && s->kind == SYMBI_STRING;
        if (embedded) {
            signature->p = sy_alloc(&cx->alloc, s->u.s.n + 1);
            if (!signature->p) st = sy_fail_nomem(err);
            else {
                if (s->u.s.n) memcpy(signature->p, s->u.s.p, s->u.s.n);
                signature->p[s->u.s.n] = 0;
                signature->n = s->u.s.n;
                signature->cap = s->u.s.n + 1;
                signature->alloc = cx->alloc;
            }
        }
        if (!st) st = sy_sp_write(cx, &root, SY_SP_SERDE, 0, embedded ? SY_LIT("signature") : (symbi_str){ NULL, 0 }, signed_bytes, &notes, err);
    }
    sy_arena_free(&a);
    if (st) {
        symbi_text_free(signature);
        symbi_text_free(signed_bytes);
    }
    return st;
}
