/* codec/unicode_map.c: NFKC of long texts with a map back to the input. The text is cut where nothing to the right can join what is to
 * the left; each piece is normalised by itself, which gives the places for nothing. Runs of ASCII are copied. */
#include "codec/unicode.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

/* Longer runs of combining marks are cut, so that sorting them stays cheap; Unicode's own stream-safe format cuts at 30. */
enum { PIECE = 128, EXPANSION = 32 };

typedef struct mapper {
    symbi_nfkc_text *t;
    symbi_alloc alloc;
    sy_buf out;
    utf8proc_option_t options;
    bool fold, nomem;
    int32_t cp[PIECE + EXPANSION];
    size_t n, from; /* the piece: decomposed, and where it begins in the input */
} mapper;

static void add_span(mapper *m, size_t in, bool straight)
{
    symbi_nfkc_text *t = m->t;
    size_t at = m->out.n;
    if (straight && t->nmap) {
        const symbi_nfkc_span *last = &t->map[t->nmap - 1];
        if (last->straight && at - last->out == in - last->in) return; /* goes on */
    }
    if (t->nmap && t->map[t->nmap - 1].out == at) t->nmap--; /* that one gave nothing */
    if (sy_grow(&m->alloc, (void **)&t->map, &t->cap, t->nmap + 1, sizeof *t->map)) {
        m->nomem = true;
        return;
    }
    t->map[t->nmap].out = (uint32_t)at;
    t->map[t->nmap].in = (uint32_t)in;
    t->map[t->nmap++].straight = straight;
}

/* Canonical order of marks, then composition, then the bytes. */
static void flush(mapper *m, symbi_str text, size_t end)
{
    char bytes[4 * (PIECE + EXPANSION)];
    size_t len = 0;
    utf8proc_ssize_t k;
    for (size_t i = 1; i < m->n; i++) {
        int32_t c = m->cp[i];
        utf8proc_propval_t class = utf8proc_get_property(c)->combining_class;
        size_t j = i;
        if (!class) continue;
        for (; j && utf8proc_get_property(m->cp[j - 1])->combining_class > class; j--) m->cp[j] = m->cp[j - 1];
        m->cp[j] = c;
    }
    k = (utf8proc_ssize_t)m->n; /* one alone has nothing to join with */
    if (k > 1) k = utf8proc_normalize_utf32(m->cp, k, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    for (utf8proc_ssize_t i = 0; i < k; i++) len += sy_utf8_put((uint32_t)m->cp[i], bytes + len);
    if (len) {
        add_span(m, m->from, len == end - m->from && !memcmp(bytes, text.p + m->from, len));
        sy_buf_add(&m->out, bytes, len);
    }
    m->n = 0;
    m->from = end;
}

/* Can this, the first character of a decomposition, join or move before what stands to its left? */
static bool joins_left(int32_t c)
{
    const utf8proc_property_t *p = utf8proc_get_property(c);
    if (p->combining_class) return true;
    if ((c >= 0x1161 && c <= 0x1175) || (c >= 0x11a8 && c <= 0x11c2)) return true; /* Hangul vowels and finals */
    return p->comb_index != UINT16_MAX && p->comb_index >= 0x8000;
}

static void take(mapper *m, symbi_str text, size_t at, uint32_t c)
{
    int32_t d[EXPANSION];
    int last = 0;
    utf8proc_ssize_t k = utf8proc_decompose_char((utf8proc_int32_t)c, d, EXPANSION, m->options, &last);
    if (k < 0 || k > EXPANSION) d[0] = (int32_t)c, k = 1; /* cannot be: 18 is the longest */
    if ((k && !joins_left(d[0])) || m->n + (size_t)k > PIECE) flush(m, text, at);
    if (k) memcpy(m->cp + m->n, d, (size_t)k * sizeof *d);
    m->n += (size_t)k;
}

static bool ascii(char c) { return (unsigned char)c < 0x80; }

static void run(mapper *m, symbi_str text)
{
    size_t i = 0, n;
    uint32_t c;
    while (i < text.n && !m->nomem && !m->out.status) {
        size_t from = i;
        while (i < text.n && ascii(text.p[i])) i++;
        if (i < text.n && i > from) i--; /* the last one may take a mark */
        if (i > from) {
            char *p;
            flush(m, text, from);
            add_span(m, from, true);
            p = sy_buf_reserve(&m->out, i - from);
            if (!p) return;
            memcpy(p, text.p + from, i - from);
            for (size_t k = 0; m->fold && k < i - from; k++)
                if (p[k] >= 'A' && p[k] <= 'Z') p[k] = (char)(p[k] + 32);
            sy_buf_commit(&m->out, i - from);
            m->from = i;
            if (i == text.n) return;
        }
        do { /* to the next run of ASCII */
            n = sy_utf8_next(text.p + i, text.n - i, &c);
            if (!n) {
                if (!m->t->invalid++) m->t->first_invalid = i;
                flush(m, text, i);
                add_span(m, i, false);
                sy_buf_addz(&m->out, "\xef\xbf\xbd");
                m->from = i + 1;
                n = 1;
            } else {
                take(m, text, i, c);
            }
            i += n;
        } while (i < text.n && !(ascii(text.p[i]) && (i + 1 == text.n || ascii(text.p[i + 1]))));
    }
    flush(m, text, text.n);
}

symbi_status symbi_nfkc(symbi_ctx *cx, symbi_str text, unsigned flags, symbi_nfkc_text *t, symbi_err *err)
{
    mapper m;
    size_t bad;
    symbi_status st;
    memset(t, 0, sizeof *t);
    t->text.alloc = cx->alloc;
    if (text.n > cx->limits.doc_bytes || text.n > UINT32_MAX / 4) return sy_fail(err, SYMBI_ELIMIT, "the text is larger than %lu bytes", (unsigned long)cx->limits.doc_bytes);
    if (!(flags & SYMBI_NFKC_LOSSY) && !sy_utf8_valid(text, &bad)) {
        uint32_t line, col;
        symbi_text_position(text, bad, &line, &col);
        return sy_fail_at(err, SYMBI_EPARSE, line, col, "not valid UTF-8");
    }
    memset(&m, 0, sizeof m);
    m.t = t;
    m.alloc = cx->alloc;
    m.fold = (flags & SYMBI_NFKC_CASEFOLD) != 0;
    m.options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
    if (!(flags & SY_NORM_CANONICAL)) m.options |= UTF8PROC_COMPAT;
    if (m.fold) m.options |= UTF8PROC_CASEFOLD;
    if (flags & SYMBI_NFKC_STRIP) m.options |= UTF8PROC_IGNORE;
    sy_buf_init(&m.out, cx->alloc, cx->limits.doc_bytes);
    if (text.n) run(&m, text);
    if (!m.out.status) add_span(&m, text.n, false); /* the end stands for the end */
    st = m.nomem ? sy_fail_nomem(err) : sy_buf_take(&m.out, &t->text, "the normalised text", err);
    if (st) {
        sy_buf_free(&m.out);
        sy_free(&cx->alloc, t->map, t->cap * sizeof *t->map);
        memset(t, 0, sizeof *t);
    }
    return st;
}

size_t symbi_nfkc_at(const symbi_nfkc_text *t, size_t at)
{
    size_t lo = 0, hi = t->nmap;
    if (!hi) return 0;
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;
        if (t->map[mid].out <= at) lo = mid;
        else hi = mid;
    }
    return t->map[lo].straight ? t->map[lo].in + (at - t->map[lo].out) : t->map[lo].in;
}

void symbi_nfkc_free(symbi_nfkc_text *t)
{
    if (!t) return;
    if (t->map) sy_free(&t->text.alloc, t->map, t->cap * sizeof *t->map);
    symbi_text_free(&t->text);
    t->map = NULL;
    t->nmap = t->cap = 0;
}

void symbi_text_position(symbi_str text, size_t offset, uint32_t *line, uint32_t *col)
{
    size_t start = 0;
    uint32_t n = 1;
    if (offset > text.n) offset = text.n;
    for (size_t i = 0; i < offset; i++) {
        if (text.p[i] == '\n') n++, start = i + 1;
        else if (text.p[i] == '\r' && !(i + 1 < text.n && text.p[i + 1] == '\n')) n++, start = i + 1;
    }
    *line = n;
    *col = (uint32_t)(offset - start) + 1;
}
