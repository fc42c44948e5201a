/* state/redact.c: known values taken out of texts. Each value is looked for in the forms that texts carry it in. The forms stand in one
 * table sorted by their beginnings, so that a text is read once. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ref.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/base64.h"
#include "codec/value.h"
#include "state/secrets_in.h"
#include "symbi/json.h"
#include "symbi/secrets.h"

#include <string.h>

enum { PERCENT = 8, HEX = PERCENT + 8, BASE64 = HEX + 2, FORMS = BASE64 + 2 }; /* the forms of a value; most values have few that differ */
enum { SY_FORMS_MAX = 60000, SY_PREFIX = SYMBI_SECRET_MIN_MASKED, SY_SIEVE = 1 << 16 };

struct symbi_redactor {
    sy_ref refs;
    symbi_ctx *cx;
    sy_wiping mem;
    symbi_str *form; /* by their first four bytes, longer ones first; owned through mem */
    size_t n, cap, values;
    uint64_t sieve[SY_SIEVE / 64]; /* a bit for each beginning that there is: most places of a text are passed by one look */
};

static unsigned sieve_bit(const char *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return (x * 2654435761u) >> 16;
}

symbi_status symbi_redactor_new(symbi_ctx *cx, symbi_redactor **out, symbi_err *err)
{
    symbi_redactor *r = sy_calloc(&cx->alloc, 1, sizeof *r);
    *out = r;
    if (!r) return sy_fail_nomem(err);
    sy_ref_init(&r->refs);
    r->cx = cx;
    sy_wiping_init(&r->mem, cx->alloc);
    return SYMBI_OK;
}

void symbi_redactor_clear(symbi_redactor *r)
{
    for (size_t i = 0; i < r->n; i++) sy_free(&r->mem.wiping, (char *)(uintptr_t)r->form[i].p, r->form[i].n);
    sy_free(&r->cx->alloc, r->form, r->cap * sizeof *r->form);
    r->form = NULL;
    r->n = r->cap = r->values = 0;
    memset(r->sieve, 0, sizeof r->sieve);
}

symbi_redactor *symbi_redactor_ref(symbi_redactor *r)
{
    sy_ref_inc(&r->refs);
    return r;
}

void symbi_redactor_free(symbi_redactor *r)
{
    symbi_alloc a;
    if (!r || !sy_ref_dec(&r->refs)) return;
    symbi_redactor_clear(r);
    a = r->cx->alloc;
    sy_free(&a, r, sizeof *r);
}

size_t symbi_redactor_count(const symbi_redactor *r) { return r->values; }

/* The beginning, then longer before shorter, then bytes. */
static int order(symbi_str a, symbi_str b)
{
    int c = memcmp(a.p, b.p, SY_PREFIX);
    if (c) return c;
    if (a.n != b.n) return a.n > b.n ? -1 : 1;
    return memcmp(a.p, b.p, a.n);
}

static symbi_status insert(symbi_redactor *r, symbi_str f, symbi_err *err, bool *fresh)
{
    size_t lo = 0, hi = r->n;
    char *p;
    *fresh = false;
    if (f.n < SYMBI_SECRET_MIN_MASKED) return SYMBI_OK;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = order(r->form[mid], f);
        if (!c) return SYMBI_OK;
        if (c < 0) lo = mid + 1;
        else hi = mid;
    }
    if (r->n >= SY_FORMS_MAX) return sy_fail(err, SYMBI_ELIMIT, "more values than the redactor keeps");
    if (sy_grow(&r->cx->alloc, (void **)&r->form, &r->cap, r->n + 1, sizeof *r->form)) return sy_fail_nomem(err);
    p = sy_alloc(&r->mem.wiping, f.n);
    if (!p) return sy_fail_nomem(err);
    memcpy(p, f.p, f.n);
    memmove(&r->form[lo + 1], &r->form[lo], (r->n - lo) * sizeof *r->form);
    r->form[lo] = (symbi_str){ p, f.n };
    r->n++;
    r->sieve[sieve_bit(p) / 64] |= (uint64_t)1 << sieve_bit(p) % 64;
    *fresh = true;
    return SYMBI_OK;
}

static void add_u(sy_buf *b, uint32_t unit, bool upper) { sy_buf_addf(b, upper ? "\\u%04X" : "\\u%04x", (unsigned)unit); }

/* As JSON's writers spell it: with \u for what is not ASCII (Python, PHP), with \/ (PHP), or without either. */
static void add_json(sy_buf *b, symbi_str v, bool ascii, bool slash, bool upper)
{
    for (size_t i = 0; i < v.n;) {
        unsigned char c = (unsigned char)v.p[i];
        uint32_t cp;
        size_t n = ascii && c >= 0x80 ? sy_utf8_next(v.p + i, v.n - i, &cp) : 0;
        if (n) {
            if (cp > 0xffff) add_u(b, 0xd7c0 + (cp >> 10), upper);
            add_u(b, cp > 0xffff ? 0xdc00 + (cp & 0x3ff) : cp, upper);
            i += n;
            continue;
        }
        i++;
        switch (c) {
        case '"': sy_buf_addz(b, "\\\""); break;
        case '\\': sy_buf_addz(b, "\\\\"); break;
        case '\n': sy_buf_addz(b, "\\n"); break;
        case '\r': sy_buf_addz(b, "\\r"); break;
        case '\t': sy_buf_addz(b, "\\t"); break;
        case '\b': sy_buf_addz(b, "\\b"); break;
        case '\f': sy_buf_addz(b, "\\f"); break;
        case '/': sy_buf_addz(b, slash ? "\\/" : "/"); break;
        default:
            if (c < 0x20) add_u(b, c, upper);
            else sy_buf_addc(b, (char)c);
        }
    }
}

/* As URLs and forms spell it: + for a blank (forms), / as it is (paths), digits of either case. */
static void add_percent(sy_buf *b, symbi_str v, bool form, bool path, bool upper)
{
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
        if (plain || (path && c == '/')) sy_buf_addc(b, (char)c);
        else if (form && c == ' ') sy_buf_addc(b, '+');
        else sy_buf_addf(b, upper ? "%%%02X" : "%%%02x", c);
    }
}

symbi_status symbi_redactor_add(symbi_redactor *r, symbi_str value, symbi_err *err)
{
    symbi_status st;
    bool fresh, again;
    sy_buf b;
    if (value.n < SYMBI_SECRET_MIN_MASKED || value.n > SYMBI_SECRET_MAX_VALUE) return SYMBI_OK;
    st = insert(r, value, err, &fresh);
    if (st || !fresh) return st;
    r->values++;
    for (int form = 0; form < FORMS && !st; form++) {
        sy_buf_init(&b, r->mem.wiping, (size_t)SYMBI_SECRET_MAX_VALUE * 6 + 64);
        if (form < PERCENT) {
            add_json(&b, value, form & 1, form & 2, form & 4);
        } else if (form < HEX) {
            int k = form - PERCENT;
            add_percent(&b, value, k & 1, k & 2, k & 4);
        } else if (form < BASE64) {
            for (size_t i = 0; i < value.n; i++) sy_buf_addf(&b, form == HEX ? "%02x" : "%02X", (unsigned char)value.p[i]);
        } else {
            /* without the last characters, which what follows in a longer text would change */
            sy_base64_add(&b, value.p, value.n - value.n % 3, form == BASE64 ? SY_BASE64 : SY_BASE64_URL | SY_BASE64_NOPAD);
            if (b.n < 8) sy_buf_clear(&b); /* few characters match by chance */
        }
        if (sy_buf_status(&b)) st = sy_fail_nomem(err);
        else if (b.n) st = insert(r, sy_buf_str(&b), err, &again);
        sy_buf_free(&b);
    }
    return st;
}

/* Length of the longest form that begins at p (at least four bytes), 0 for none. */
static size_t hit(const symbi_redactor *r, const char *p, size_t n)
{
    size_t lo = 0, hi = r->n;
    if (!(r->sieve[sieve_bit(p) / 64] >> sieve_bit(p) % 64 & 1)) return 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (memcmp(r->form[mid].p, p, SY_PREFIX) < 0) lo = mid + 1;
        else hi = mid;
    }
    for (; lo < r->n && memcmp(r->form[lo].p, p, SY_PREFIX) == 0; lo++)
        if (r->form[lo].n <= n && memcmp(r->form[lo].p, p, r->form[lo].n) == 0) return r->form[lo].n;
    return 0;
}

symbi_status symbi_redactor_apply(const symbi_redactor *r, symbi_ctx *cx, symbi_str text, symbi_text *out, symbi_err *err)
{
    size_t from = 0;
    sy_buf b;
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    sy_buf_reserve(&b, text.n + 1);
    for (size_t i = 0; r && r->n && i + SYMBI_SECRET_MIN_MASKED <= text.n;) {
        size_t n = hit(r, text.p + i, text.n - i);
        if (!n) {
            i++;
            continue;
        }
        sy_buf_add(&b, text.p + from, i - from);
        sy_buf_addz(&b, "[REDACTED]");
        from = i += n;
    }
    sy_buf_add(&b, text.p ? text.p + from : "", text.n - from);
    return sy_buf_take(&b, out, "the redacted text", err);
}

/* ---- trees ---- */

typedef struct sy_cleaning {
    const symbi_redactor *r;
    symbi_ctx *cx;
    sy_arena *a;
    symbi_err *err;
} sy_cleaning;

static symbi_status clean_text(sy_cleaning *c, symbi_str s, symbi_str *out)
{
    symbi_text t = { 0 };
    symbi_status st = symbi_redactor_apply(c->r, c->cx, s, &t, c->err);
    if (!st) *out = sy_arena_dup(c->a, symbi_text_str(&t));
    symbi_text_free(&t);
    return st;
}

/* A number of an object's text that is a secret's becomes a text: there is no other way to take it out. */
static symbi_status clean_number(sy_cleaning *c, const symbi_value *v, symbi_value *out)
{
    symbi_text t = { 0 }, bare = { 0 };
    symbi_status st = symbi_json_write(c->cx, v, 0, &t, c->err);
    if (!st) st = symbi_redactor_apply(c->r, c->cx, symbi_text_str(&t), &bare, c->err);
    if (!st && !sy_str_eq(symbi_text_str(&t), symbi_text_str(&bare))) *out = sy_val_str(sy_arena_dup(c->a, symbi_text_str(&bare)));
    symbi_text_free(&t);
    symbi_text_free(&bare);
    return st;
}

static symbi_status clean(sy_cleaning *c, const symbi_value *v, symbi_value *out, size_t depth)
{
    symbi_status st = SYMBI_OK;
    *out = *v;
    if (!depth) return sy_fail(c->err, SYMBI_ELIMIT, "the value is nested too deeply");
    switch (v->kind) {
    case SYMBI_STRING:
        *out = sy_val_str(SY_LIT(""));
        st = clean_text(c, v->u.s, &out->u.s);
        break;
    case SYMBI_TIME: out->u.s = sy_arena_dup(c->a, v->u.s); break;
    case SYMBI_INT:
    case SYMBI_DOUBLE: st = clean_number(c, v, out); break;
    case SYMBI_ARRAY: {
        symbi_value *items = sy_arena_calloc(c->a, v->u.a.n + 1, sizeof *items);
        out->u.a.items = items;
        for (size_t i = 0; items && i < v->u.a.n && !st; i++) st = clean(c, &v->u.a.items[i], &items[i], depth - 1);
        break;
    }
    case SYMBI_OBJECT: {
        symbi_member *m = sy_arena_calloc(c->a, v->u.o.n + 1, sizeof *m);
        out->u.o.members = m;
        for (size_t i = 0; m && i < v->u.o.n && !st; i++) {
            st = clean_text(c, v->u.o.members[i].key, &m[i].key);
            if (!st) st = clean(c, &v->u.o.members[i].val, &m[i].val, depth - 1);
        }
        break;
    }
    default: break;
    }
    if (!st && c->a->status) st = sy_arena_fail(c->a, "the value", c->err);
    return st;
}

symbi_status symbi_redactor_apply_value(const symbi_redactor *r, symbi_ctx *cx, const symbi_value *v, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d = sy_doc_new(cx);
    sy_cleaning c = { r, cx, NULL, err };
    symbi_status st;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    c.a = &d->arena;
    st = clean(&c, v, &d->root, cx->limits.doc_depth + 1);
    if (st) symbi_doc_unref(d);
    else *out = d;
    return st;
}

symbi_status sy_redact_json(const symbi_redactor *r, symbi_ctx *cx, symbi_str json, symbi_text *out, symbi_err *err)
{
    symbi_doc *d = NULL, *bare = NULL;
    symbi_status st;
    bool hit;
    memset(out, 0, sizeof *out);
    if (!r || !r->values) return SYMBI_OK;
    if ((st = symbi_redactor_apply(r, cx, json, out, err))) return st;
    hit = !sy_str_eq(symbi_text_str(out), json);
    symbi_text_free(out);
    if (!hit) return SYMBI_OK;
    st = symbi_json_parse(cx, json, &d, err);
    if (!st) st = symbi_redactor_apply_value(r, cx, symbi_doc_root(d), &bare, err);
    if (!st) st = symbi_json_write(cx, symbi_doc_root(bare), SYMBI_JSON_CANONICAL, out, err);
    symbi_doc_unref(d);
    symbi_doc_unref(bare);
    return st;
}
