/* Fuzz target: sets of patterns. The input is up to four patterns, one a line (first byte: flags), an empty line, and a text. What
 * is refused has a place; what is accepted finds exactly what the naive reference finds: run, line by line, test and find agree,
 * with ample memory and with so little that states are forgotten all the time. */
#include "match_naive.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}
#define MUST(c) (void)((c) || (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), abort(), 0))

static size_t put(char *out, uint32_t c)
{
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
    return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)), 3;
}

/* Only what the reference knows: no posix names, \x, \u, named groups; these are run, but not compared. */
static bool plain(symbi_str p)
{
    for (size_t i = 0; i < p.n; i++) {
        if ((unsigned char)p.p[i] >= 0x80 || p.p[i] == 0) return false;
        if (p.p[i] == '\\' && ++i < p.n && strchr("xutnrfvZ", p.p[i])) return false;
        if (p.p[i] == '[' && i + 1 < p.n && p.p[i + 1] == ':') return false;
        if (p.p[i] == '(' && i + 2 < p.n && p.p[i + 1] == '?' && (p.p[i + 2] == 'P' || p.p[i + 2] == '<')) return false;
    }
    return true;
}

static bool listed(const uint32_t *rules, size_t n, uint32_t rule)
{
    for (size_t i = 0; i < n; i++)
        if (rules[i] == rule) return true;
    return false;
}

static void compare(symbi_match *m, symbi_match_scratch *s[2], const symbi_match_rule *r, size_t n, symbi_str raw)
{
    naive x;
    char buf[256];
    size_t off[65] = { 0 };
    symbi_str text = { buf, 0 };
    symbi_match_lineinfo l;
    symbi_err err;
    memset(&x, 0, sizeof x);
    for (size_t i = 0; i < raw.n && x.n < 62; i++) {
        x.text[x.n] = naive_alphabet[(unsigned char)raw.p[i] % NAIVE_ALPHABET];
        text.n += put(buf + text.n, x.text[x.n++]);
        off[x.n] = text.n;
    }
    for (uint32_t i = 0; i < n; i++) {
        int start = -1, end = -1;
        symbi_match_span at;
        if (!plain(r[i].pattern)) continue;
        for (int k = 0; k <= x.n && start < 0 && !x.bad; k++) {
            uint64_t e = naive_from(&x, r[i].pattern, r[i].flags, k);
            if (e) start = k, end = __builtin_ctzll(e);
        }
        if (x.bad) return;
        for (int k = 0; k < 2; k++) {
            const uint32_t *rules;
            size_t nr;
            must(symbi_match_run(s[k], text, &rules, &nr, &err) == SYMBI_OK);
            MUST(listed(rules, nr, i) == (start >= 0));
            must(symbi_match_find(s[k], i, text, &at, &err) == SYMBI_OK);
            MUST(at.hit == (start >= 0) && (!at.hit || (at.start == off[start] && at.end == off[end])));
            symbi_match_lines(s[k], text, SYMBI_MATCH_END_NONE);
            must(symbi_match_line(s[k], &l, &err) == SYMBI_OK);
            MUST(listed(l.rules, l.n, i) == (start >= 0));
        }
    }
    (void)m;
}

/* Line by line is the same as each line alone. */
static void lines(symbi_match_scratch *s[2], symbi_str text, symbi_match_ends ends)
{
    symbi_match_lineinfo l;
    symbi_err err;
    size_t last = 0, at = 0;
    symbi_match_lines(s[0], text, ends);
    for (;;) {
        const uint32_t *rules;
        size_t n;
        must(symbi_match_line(s[0], &l, &err) == SYMBI_OK);
        if (!l.n) break;
        MUST(l.line > last && l.offset >= at && l.offset + l.length <= text.n);
        must(symbi_match_run(s[1], (symbi_str){ text.p + l.offset, l.length }, &rules, &n, &err) == SYMBI_OK);
        MUST(n == l.n && !memcmp(rules, l.rules, n * sizeof *rules));
        last = l.line;
        at = l.offset + l.length;
    }
    must(symbi_match_line(s[0], &l, &err) == SYMBI_OK && !l.n);
    if (ends != SYMBI_MATCH_END_LF) return;
    /* and no line with a match was left out */
    last = 0;
    symbi_match_lines(s[0], text, ends);
    for (size_t i = 0, line = 1; i <= text.n; line++) {
        const char *e = i < text.n ? memchr(text.p + i, '\n', text.n - i) : NULL;
        size_t end = e ? (size_t)(e - text.p) : text.n, n;
        const uint32_t *rules;
        must(symbi_match_run(s[1], (symbi_str){ text.p + i, end - i }, &rules, &n, &err) == SYMBI_OK);
        if (n) {
            must(symbi_match_line(s[0], &l, &err) == SYMBI_OK);
            MUST(l.n == n && l.line == line && l.offset == i);
        }
        i = end + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    symbi_match_rule r[4];
    symbi_str text = { "", 0 };
    symbi_match *m = NULL;
    symbi_match_scratch *s[2] = { NULL, NULL };
    symbi_err err;
    symbi_status st;
    size_t n = 0, i = 0;
    bool hit, any;
    const uint32_t *rules;
    size_t nr;
    if (!cx) must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    while (i < size && n < 4) {
        const uint8_t *e = memchr(data + i, '\n', size - i);
        size_t end = e ? (size_t)(e - data) : size;
        if (end == i) break;
        r[n].flags = data[i] & 63u;
        if ((r[n].flags & 24) == 24) r[n].flags &= ~(unsigned)SYMBI_MATCH_UNICODE;
        r[n++].pattern = (symbi_str){ (const char *)data + i + 1, end - i - 1 };
        i = end + 1;
    }
    if (i < size) text = (symbi_str){ (const char *)data + i, size - i };
    st = symbi_match_compile(cx, r, n, &m, &err);
    if (st) {
        must(!m && err.code == st && err.msg[0] && err.path[0] && (st == SYMBI_EPARSE ? err.col > 0 : st == SYMBI_ELIMIT));
        return 0;
    }
    must(symbi_match_scratch_new(cx, m, 0, &s[0], &err) == SYMBI_OK);
    must(symbi_match_scratch_new(cx, m, 9000, &s[1], &err) == SYMBI_OK);
    compare(m, s, r, n, text);
    must(symbi_match_run(s[0], text, &rules, &nr, &err) == SYMBI_OK);
    any = nr > 0;
    must(symbi_match_test(cx, m, text, &hit, &err) == SYMBI_OK && hit == any);
    for (uint32_t k = 0; k < n; k++) {
        symbi_match_span at;
        must(symbi_match_run(s[1], text, &rules, &nr, &err) == SYMBI_OK);
        must(symbi_match_find(s[0], k, text, &at, &err) == SYMBI_OK);
        MUST(at.hit == listed(rules, nr, k) && at.start <= at.end && at.end <= text.n);
    }
    lines(s, text, SYMBI_MATCH_END_LF);
    lines(s, text, SYMBI_MATCH_END_CRLF);
    lines(s, text, SYMBI_MATCH_END_PYTHON);
    symbi_match_scratch_free(s[0]);
    symbi_match_scratch_free(s[1]);
    symbi_match_unref(m);
    return 0;
}
