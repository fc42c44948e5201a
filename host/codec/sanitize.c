/* codec/sanitize.c: text from outside without invisible characters, comments, fences and phrases that speak to the model. Invisible
 * characters go first, since one of them inside "<!--" would hide a comment from us and not from the reader; then markup, again and
 * again until nothing changes. */
#include "codec/sanitize.h"

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/unicode.h"

enum { MAX_PASSES = 64, MAX_MARKS = 8 };

/* ---- invisible characters ------------------------------------------------------------------------------------------------ */
typedef struct range {
    uint32_t from, to;
    bool seed; /* also on upstream's list */
} range;
static const range ranges[] = { /* ascending */
    { 0x0000, 0x0008, true }, { 0x000b, 0x000c, true }, { 0x000e, 0x001f, true }, { 0x007f, 0x009f, true }, { 0x00ad, 0x00ad, true }, { 0x0300, 0x036f, true },
    { 0x061c, 0x061c, false }, { 0x115f, 0x1160, false }, { 0x17b4, 0x17b5, false }, { 0x180b, 0x180d, false }, { 0x180e, 0x180e, true }, { 0x180f, 0x180f, false },
    { 0x1ab0, 0x1aff, false }, { 0x1dc0, 0x1dff, false }, { 0x200b, 0x200f, true }, { 0x2028, 0x2029, false }, { 0x202a, 0x202e, true }, { 0x2060, 0x206f, true },
    { 0x2070, 0x209f, true }, { 0x20d0, 0x20ff, false }, { 0x2800, 0x2800, false }, { 0x3164, 0x3164, false }, { 0xfdd0, 0xfdef, false }, { 0xfe00, 0xfe0f, true },
    { 0xfe20, 0xfe2f, false }, { 0xfeff, 0xfeff, true }, { 0xffa0, 0xffa0, false }, { 0xfff0, 0xfffb, false }, { 0x1bca0, 0x1bca3, false },
    { 0x1d159, 0x1d159, false }, { 0x1d173, 0x1d17a, true }, { 0xe0000, 0xe007f, true }, { 0xe0080, 0xe00ff, false }, { 0xe0100, 0xe01ef, true }, { 0xe01f0, 0xe0fff, false },
};

static bool listed(uint32_t c, bool seed_only)
{
    size_t lo = 0, hi = sizeof ranges / sizeof *ranges;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c > ranges[mid].to) lo = mid + 1;
        else if (c < ranges[mid].from) hi = mid;
        else return !seed_only || ranges[mid].seed;
    }
    return !seed_only && (c & 0xfffe) == 0xfffe; /* non-characters of every plane */
}

/* Scripts whose letters take other forms next to each other: a joiner or non-joiner between them is spelling. */
static bool joining_script(uint32_t c)
{
    return (c >= 0x0600 && c <= 0x07ff) || (c >= 0x0840 && c <= 0x109f) || (c >= 0x1780 && c <= 0x18af) || (c >= 0xa800 && c <= 0xabff) || (c >= 0xfb50 && c <= 0xfdff) || (c >= 0xfe70 && c <= 0xfefc) ||
           (c >= 0x10a00 && c <= 0x11fff);
}

/* What stands before the present character, of what was kept. */
typedef struct left {
    uint32_t base;  /* the last that is no mark and no selector */
    uint32_t last;
    unsigned marks; /* since base */
} left;

/* May a listed character stay in prose? */
static bool spelling(uint32_t c, const left *l, uint32_t next)
{
    if ((c >= 0x0300 && c <= 0x036f) || (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x1dc0 && c <= 0x1dff) || (c >= 0x20d0 && c <= 0x20ff) || (c >= 0xfe20 && c <= 0xfe2f)) {
        if (c == 0x034f) return false; /* the grapheme joiner has no glyph */
        if (c == 0x20e3) return l->marks < MAX_MARKS && ((l->base >= '0' && l->base <= '9') || l->base == '#' || l->base == '*'); /* keycaps */
        return l->marks < MAX_MARKS && sy_unicode_letter(l->base);
    }
    if ((c >= 0x2070 && c <= 0x209f)) return c != 0x2072 && c != 0x2073 && c != 0x208f && c <= 0x209c; /* superscripts and subscripts have glyphs */
    if (c == 0xfe0f || c == 0xfe0e) return l->last == l->base && (sy_unicode_pictograph(l->base) || ((l->base >= '0' && l->base <= '9') || l->base == '#' || l->base == '*'));
    if (c == 0x200d && sy_unicode_pictograph(next) && (sy_unicode_pictograph(l->base) || (l->base >= 0x1f3fb && l->base <= 0x1f3ff))) return l->last != 0x200d;
    if (c == 0x200c || c == 0x200d) return joining_script(l->base) && joining_script(next) && l->last != 0x200c && l->last != 0x200d;
    return false;
}

static uint32_t peek(symbi_str s, size_t i)
{
    uint32_t c = 0;
    return i < s.n && sy_utf8_next(s.p + i, s.n - i, &c) ? c : 0;
}

static void visible(symbi_str s, symbi_sanitize_profile profile, sy_buf *out, size_t *dropped)
{
    left l = { 0, 0, 0 };
    size_t from = 0, n;
    uint32_t c;
    for (size_t i = 0; i < s.n; i += n) {
        bool keep;
        if ((unsigned char)s.p[i] >= 0x20 && (unsigned char)s.p[i] < 0x7f) {
            n = 1;
            c = (unsigned char)s.p[i];
            keep = true;
        } else {
            n = sy_utf8_next(s.p + i, s.n - i, &c);
            if (!n) n = 1; /* was checked before */
            keep = !listed(c, profile == SYMBI_SANITIZE_SEED) || (profile == SYMBI_SANITIZE_PROSE && spelling(c, &l, peek(s, i + n)));
        }
        if (!keep) {
            sy_buf_add(out, s.p + from, i - from);
            from = i + n;
            (*dropped)++;
            continue;
        }
        if (profile == SYMBI_SANITIZE_PROSE) {
            if (c == 0xfe0e || c == 0xfe0f || c == 0x200c || c == 0x200d) {
                l.last = c;
            } else if (c >= 0x300 && sy_unicode_mark(c)) {
                l.marks++;
                l.last = c;
            } else {
                l.base = l.last = c;
                l.marks = 0;
            }
        }
    }
    if (from < s.n) sy_buf_add(out, s.p + from, s.n - from);
}

/* ---- markup ---------------------------------------------------------------------------------------------------------------- */
static const char *find(const char *p, const char *end, const char *what, size_t n)
{
    while ((size_t)(end - p) >= n) {
        p = memchr(p, what[0], (size_t)(end - p) - n + 1);
        if (!p) return NULL;
        if (!memcmp(p, what, n)) return p;
        p++;
    }
    return NULL;
}

/* One pass: drops from each opener to the closer that follows it. False: there was no opener. */
static bool strip(symbi_str s, const char *open, const char *close, sy_buf *out, size_t *count)
{
    const char *p = s.p, *end = s.p + s.n, *o;
    size_t no = strlen(open), nc = strlen(close);
    bool any = false;
    while (p < end && (o = find(p, end, open, no))) {
        const char *c = find(o + no, end, close, nc);
        any = true;
        (*count)++;
        sy_buf_add(out, p, (size_t)(o - p));
        p = c ? c + nc : end;
    }
    if (any && p < end) sy_buf_add(out, p, (size_t)(end - p));
    return any;
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------- */
typedef struct work {
    symbi_ctx *cx;
    sy_buf a, b; /* a: the text as it is now */
    symbi_sanitize_report r;
    symbi_err *err;
} work;

static symbi_status swap(work *w)
{
    sy_buf was = w->a;
    w->a = w->b;
    w->b = was;
    sy_buf_clear(&w->b);
    if (!w->a.status) return SYMBI_OK;
    if (w->a.status == SYMBI_ENOMEM) return sy_fail_nomem(w->err);
    return sy_fail(w->err, SYMBI_ELIMIT, "the text is larger than allowed");
}

static symbi_str now(const work *w)
{
    symbi_str s = sy_buf_str(&w->a);
    if (!s.p) s.p = "";
    return s;
}

static symbi_status drop_invisible(work *w, symbi_sanitize_profile profile)
{
    if (profile == SYMBI_SANITIZE_KEEP) return SYMBI_OK;
    if (profile != SYMBI_SANITIZE_PROSE) {
        visible(now(w), profile, &w->b, &w->r.dropped);
        return swap(w);
    }
    for (int pass = 0; pass < MAX_PASSES; pass++) { /* what is dropped brings others together; two or three passes at most */
        size_t before = w->r.dropped;
        symbi_nfkc_text t;
        symbi_status st = symbi_nfkc(w->cx, now(w), SY_NORM_CANONICAL, &t, w->err); /* NFC: fewer marks are left to judge */
        if (st) return st;
        visible(symbi_text_str(&t.text), profile, &w->b, &w->r.dropped);
        symbi_nfkc_free(&t);
        if ((st = swap(w))) return st;
        if (w->r.dropped == before) break;
    }
    return SYMBI_OK;
}

/* One pass over comments and fences; *changed when there were some. */
static symbi_status drop_markup(work *w, unsigned flags, bool *changed)
{
    symbi_status st;
    *changed = false;
    if ((flags & SYMBI_SANITIZE_COMMENTS) && strip(now(w), "<!--", "-->", &w->b, &w->r.comments)) {
        *changed = true;
        if ((st = swap(w))) return st;
    }
    if ((flags & SYMBI_SANITIZE_FENCES) && strip(now(w), "```", "```", &w->b, &w->r.fences)) {
        *changed = true;
        if ((st = swap(w))) return st;
    }
    return SYMBI_OK;
}

/* Nobody nests markup like this to be read: what is left of it goes with all that follows. */
static void cut(work *w, unsigned flags)
{
    symbi_str s = now(w);
    const char *end = s.p + s.n, *c = flags & SYMBI_SANITIZE_COMMENTS ? find(s.p, end, "<!--", 4) : NULL, *f = flags & SYMBI_SANITIZE_FENCES ? find(s.p, end, "```", 3) : NULL;
    const char *at = c && (!f || c < f) ? c : f;
    if (!at) return;
    w->a.n = (size_t)(at - s.p);
    w->a.p[w->a.n] = 0;
    w->r.cut = true;
}

static symbi_status clean(work *w, symbi_sanitize_profile profile, unsigned flags)
{
    bool changed = true;
    symbi_status st;
    if (flags & SYMBI_SANITIZE_ONCE) {
        if ((st = drop_markup(w, flags, &changed)) || (st = drop_invisible(w, profile))) return st;
    } else {
        if ((st = drop_invisible(w, profile))) return st;
        for (int pass = 0; changed; pass++) {
            if (pass == MAX_PASSES) cut(w, flags);
            if ((st = drop_markup(w, flags, &changed))) return st;
            if (changed && profile == SYMBI_SANITIZE_PROSE && (st = drop_invisible(w, profile))) return st; /* neighbours have changed */
            if (pass > MAX_PASSES) break;
        }
    }
    if (flags & SYMBI_SANITIZE_REDACT) {
        st = sy_redact(w->cx, now(w), (flags & SYMBI_SANITIZE_ONCE) != 0, &w->b, &w->r.redacted, w->err);
        if (!st) st = swap(w);
        if (!st && profile == SYMBI_SANITIZE_PROSE && w->r.redacted) st = drop_invisible(w, profile); /* a mark may have lost its letter */
        return st;
    }
    return SYMBI_OK;
}

/* The text into w->a; bytes that are no UTF-8 as U+FFFD. */
static symbi_status take(work *w, symbi_str s, bool lossy)
{
    size_t from = 0, bad;
    symbi_str rest = s;
    while (!sy_utf8_valid(rest, &bad)) {
        if (!lossy) {
            uint32_t line, col;
            symbi_text_position(s, bad, &line, &col);
            return sy_fail_at(w->err, SYMBI_EPARSE, line, col, "not valid UTF-8");
        }
        sy_buf_add(&w->b, s.p + from, bad);
        sy_buf_addz(&w->b, "\xef\xbf\xbd");
        w->r.invalid++;
        from += bad + 1;
        rest.p = s.p + from;
        rest.n = s.n - from;
        if (w->b.status) break;
    }
    if (rest.n) sy_buf_add(&w->b, rest.p, rest.n);
    return swap(w);
}

symbi_status symbi_sanitize(symbi_ctx *cx, symbi_str text, symbi_sanitize_profile profile, unsigned flags, symbi_text *out, symbi_sanitize_report *report, symbi_err *err)
{
    work w;
    symbi_status st;
    memset(out, 0, sizeof *out);
    memset(&w, 0, sizeof w);
    if (report) memset(report, 0, sizeof *report);
    if (text.n > cx->limits.doc_bytes) return sy_fail(err, SYMBI_ELIMIT, "the text is larger than %lu bytes", (unsigned long)cx->limits.doc_bytes);
    w.cx = cx;
    w.err = err;
    sy_buf_init(&w.a, cx->alloc, cx->limits.output_bytes);
    sy_buf_init(&w.b, cx->alloc, cx->limits.output_bytes);
    st = take(&w, text, (flags & SYMBI_SANITIZE_LOSSY) != 0);
    if (!st) st = clean(&w, profile, flags);
    if (!st) st = sy_buf_take(&w.a, out, "the text", err);
    sy_buf_free(&w.a);
    sy_buf_free(&w.b);
    if (report) *report = w.r;
    return st;
}
