/* match/lines.c: a large text line by line. Literals of all rules are looked for over whole blocks; only around a hit are the ends
 * of its line sought and its rules run. Lines in between are counted, not read. */
#include "match/match_in.h"
#include <string.h>

/* Characters that rules must see themselves: those that stand for ASCII ones of their literals. */
static size_t exotic_hits(const symbi_match *m, const char *text, size_t n, size_t after, sy_mhit *out)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t k = 0, i = 0;
    while (i < n) {
        uint64_t w;
        while (i + 8 <= n && (memcpy(&w, p + i, 8), !(w & 0x8080808080808080u))) i += 8;
        while (i < n && p[i] < 0x80) i++; /* fewer than eight */
        if (i >= n) break;
        if (m->exotic_lead[p[i] / 64] >> (p[i] % 64) & 1) {
            uint32_t cp;
            size_t len = sy_mdecode(text + i, n - i + after, &cp);
            if (sy_mclass_has(m->exotic, cp)) out[k++] = (sy_mhit){ (uint32_t)i, UINT32_MAX };
            i += len;
        } else {
            i++;
        }
    }
    return k;
}

size_t sy_mscratch_block(symbi_match_scratch *s, const char *p, size_t n, size_t before, size_t after)
{
    const symbi_match *m = s->m;
    size_t k = sy_mac_scan(&m->ac, p, n, before, s->hits), more, i, j;
    if (!m->exotic.n || !(more = exotic_hits(m, p, n, after, s->more))) return k;
    /* merged in order, from the end */
    i = k;
    j = more;
    for (size_t to = k + more; j > 0;) {
        if (i > 0 && s->hits[i - 1].at > s->more[j - 1].at) s->hits[--to] = s->hits[--i];
        else s->hits[--to] = s->more[--j];
    }
    return k + more;
}

/* ---- ends of lines ---- */

/* 1: a line may end here (CR only before LF, C2 and E2 only with what follows). */
static bool ends_at(symbi_match_ends ends, const unsigned char *p, size_t i, size_t n, size_t *len)
{
    unsigned char c = p[i];
    *len = 1;
    if (c == '\n') return true;
    if (ends == SYMBI_MATCH_END_CRLF) {
        *len = 2;
        return c == '\r' && i + 1 < n && p[i + 1] == '\n';
    }
    if (ends != SYMBI_MATCH_END_PYTHON) return false;
    if (c == '\r') {
        if (i + 1 < n && p[i + 1] == '\n') *len = 2;
        return true;
    }
    if (c == 0x0b || c == 0x0c || (c >= 0x1c && c <= 0x1e)) return true;
    if (c == 0xc2 && i + 1 < n && p[i + 1] == 0x85) {
        *len = 2;
        return true;
    }
    *len = 3;
    return c == 0xe2 && i + 2 < n && p[i + 1] == 0x80 && (p[i + 2] == 0xa8 || p[i + 2] == 0xa9);
}

/* The end of the line that begins at or before i: *len is the length of the end itself, 0 at the end of the text. */
static size_t line_end(const symbi_match_scratch *s, size_t i, size_t *len)
{
    const unsigned char *p = (const unsigned char *)s->text.p;
    size_t n = s->text.n;
    *len = 0;
    if (s->ends == SYMBI_MATCH_END_NONE || i >= n) return n;
    if (!s->odd) {
        const unsigned char *e = memchr(p + i, '\n', n - i);
        if (!e) return n;
        *len = 1;
        return (size_t)(e - p);
    }
    for (; i < n; i++) {
        if (p[i] > 0x1e && p[i] < 0x80) continue;
        if (ends_at(s->ends, p, i, n, len)) return i;
    }
    *len = 0;
    return n;
}

/* Where the line that holds i begins; nothing before `from` is looked at, where a line begins. */
static size_t line_start(const symbi_match_scratch *s, size_t from, size_t i)
{
    const unsigned char *p = (const unsigned char *)s->text.p;
    size_t at, len;
    if (s->ends == SYMBI_MATCH_END_NONE) return 0;
    if (!s->odd) {
        while (i > from && p[i - 1] != '\n') i--;
        return i;
    }
    /* forward, so that an end of two or three bytes is never seen in half */
    for (at = from; at < i;) {
        size_t e = line_end(s, at, &len);
        if (!len || e + len > i) break;
        at = e + len;
    }
    return at;
}

/* Blocks of a fixed size, so that the compiler makes vector code of the loops. */
static size_t count_plain(const char *p, size_t n)
{
    size_t total = 0;
    for (; n >= 128; p += 128, n -= 128) {
        unsigned char c = 0;
        for (size_t i = 0; i < 128; i++) c = (unsigned char)(c + (p[i] == '\n'));
        total += c;
    }
    for (size_t i = 0; i < n; i++) total += p[i] == '\n';
    return total;
}

/* 1: control characters that end lines for Python, 2: bytes that may begin such a character. */
static unsigned odd_byte(unsigned char c) { return (unsigned)((c >= 0x0b && c <= 0x0d) | (c >= 0x1c && c <= 0x1e)) | (unsigned)((c == 0xc2) | (c == 0xe2)) << 1; }

static bool python_odd(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t at = 0, len;
    unsigned char any = 0;
    for (; at + 128 <= n && !(any & 1); at += 128)
        for (size_t i = 0; i < 128; i++) any |= (unsigned char)odd_byte(p[at + i]);
    for (; at < n; at++) any |= (unsigned char)odd_byte(p[at]);
    if (any & 1) return true;
    for (unsigned c = 0xc2; any && c <= 0xe2; c += 0x20)
        for (const unsigned char *q = memchr(p, (int)c, n); q; q = memchr(q + 1, (int)c, n - (size_t)(q + 1 - p)))
            if (ends_at(SYMBI_MATCH_END_PYTHON, p, (size_t)(q - p), n, &len)) return true;
    return false;
}

/* The number of the line that begins at i. */
static size_t line_number(symbi_match_scratch *s, size_t i)
{
    size_t len;
    if (s->ends == SYMBI_MATCH_END_NONE) return 1;
    if (!s->odd) {
        s->line += count_plain(s->text.p + s->counted, i - s->counted);
        s->counted = i;
        return s->line;
    }
    while (s->counted < i) {
        size_t e = line_end(s, s->counted, &len);
        s->counted = e + len;
        s->line++;
        if (!len) break;
    }
    return s->line;
}

/* ---- the search ---- */

void symbi_match_lines(symbi_match_scratch *s, symbi_str text, symbi_match_ends ends)
{
    s->text = text;
    s->ends = ends;
    s->block = s->nblock = s->at = s->nhit = s->hit = s->counted = 0;
    s->line = 1;
    s->odd = text.n && (ends == SYMBI_MATCH_END_CRLF ? memchr(text.p, '\r', text.n) != NULL : ends == SYMBI_MATCH_END_PYTHON && python_odd(text.p, text.n));
}

/* Makes sure that s->hits[s->hit] is the next hit at or behind s->at; false when there is none. */
static bool next_hit(symbi_match_scratch *s)
{
    for (;;) {
        while (s->hit < s->nhit) {
            if (s->block + s->hits[s->hit].at >= s->at) return true;
            s->hit++;
        }
        s->block += s->nblock;
        s->hit = s->nhit = s->nblock = 0;
        if (s->block >= s->text.n) return false;
        s->nblock = s->text.n - s->block < SY_MBLOCK ? s->text.n - s->block : SY_MBLOCK;
        s->nhit = sy_mscratch_block(s, s->text.p + s->block, s->nblock, s->block, s->text.n - s->block - s->nblock);
    }
}

symbi_status symbi_match_line(symbi_match_scratch *s, symbi_match_lineinfo *out, symbi_err *err)
{
    bool every = s->m->nopen > 0;
    memset(out, 0, sizeof *out);
    out->rules = s->rules;
    /* an end of line at the end of the text begins one more line for LF alone */
    while (s->at < s->text.n || (s->at == s->text.n && (s->ends == SYMBI_MATCH_END_LF || s->ends == SYMBI_MATCH_END_NONE))) {
        size_t from = s->at, end, len;
        symbi_status st;
        if (!every) {
            if (!next_hit(s)) break;
            from = line_start(s, s->at, s->block + s->hits[s->hit].at);
        }
        end = line_end(s, from, &len);
        s->at = from;
        sy_mscratch_begin(s, (symbi_str){ s->text.p + from, end - from });
        st = SYMBI_OK;
        while (!st && s->m->nfiltered && next_hit(s) && s->block + s->hits[s->hit].at < end) {
            st = sy_mscratch_take(s, s->block + s->hits[s->hit].at - from, s->hits[s->hit].state, err);
            s->hit++;
        }
        s->at = end + len;
        if (!st) st = sy_mscratch_end(s, &out->n, err);
        if (!len) s->at = s->text.n + 1;
        if (st) return st;
        if (out->n) {
            out->line = line_number(s, from);
            out->offset = from;
            out->length = end - from;
            return SYMBI_OK;
        }
    }
    s->at = s->text.n + 1;
    return SYMBI_OK;
}
