/* skills/payload.c: text that is written as something else: base64, hexadecimal, lists of character codes, UTF-16. A run is decoded
 * only to be looked at, and only what reads as text is. */
#include "base/utf8.h"
#include "skills/view.h"
#include <string.h>

enum { RUN_LEAST = SY_PAYLOAD_RUN, CODES_LEAST = SY_PAYLOAD_COMMAS + 1 };

/* Value in base64 + 1; the URL alphabet too. */
static const uint8_t values[256] = {
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8, ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17,
    ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33,
    ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
    ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['-'] = 63, ['/'] = 64, ['_'] = 64 };
static int b64(char c) { return (int)values[(unsigned char)c] - 1; }
static int hexv(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

/* 99, 117, 114, 108: at least six numbers that are printable characters. */
static size_t codes(symbi_str s, size_t i)
{
    size_t count = 0, end = i;
    for (;;) {
        size_t v = 0, d = i;
        while (i < s.n && i < d + 3 && s.p[i] >= '0' && s.p[i] <= '9') v = v * 10 + (size_t)(s.p[i++] - '0');
        if (i == d || v < 9 || v > 126) break;
        count++;
        end = i;
        while (i < s.n && (s.p[i] == ' ' || s.p[i] == ',')) i++;
    }
    return count >= CODES_LEAST ? end : 0;
}

/* Eleven hexadecimal digits at i. */
static bool digits_at(const unsigned char *p, size_t i)
{
    for (size_t k = 0; k < RUN_LEAST - 1; k++)
        if (hexv((char)p[i + k]) < 0) return false;
    return true;
}

/* A path or hyphenated words are runs, too, but have neither a capital letter nor digits alone. Digits are sought where the run begins
 * and at every twelfth byte of the line. */
bool sy_payload_run(symbi_str text, size_t line, size_t from)
{
    enum { LONG = 61 };
    const unsigned char *p = (const unsigned char *)text.p;
    size_t to = from;
    for (; to < text.n && values[p[to]]; to++)
        if ((p[to] >= 'A' && p[to] <= 'Z') || to - from + 1 >= LONG) return true;
    if (to - from < RUN_LEAST) return false;
    if (digits_at(p, from)) return true;
    for (size_t i = from + (RUN_LEAST - 1 + RUN_LEAST - (from - line) % RUN_LEAST) % RUN_LEAST; i + RUN_LEAST < to; i += RUN_LEAST)
        if (digits_at(p, i)) return true;
    return false;
}

bool sy_payload_next(symbi_str s, size_t *at, sy_payload *out)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = *at;
    while (i < s.n) {
        size_t from, digits = 0, upper = 0, pad = 0, e;
        while (i < s.n && !values[p[i]]) i++;
        from = i;
        while (i < s.n && values[p[i]]) i++;
        for (e = i; e < s.n && p[e] == '=' && pad < 2; e++) pad++;
        if (from < s.n && p[from] >= '0' && p[from] <= '9' && i - from <= 3 && (e = codes(s, from)) > 0) {
            *out = (sy_payload){ from, e - from, SY_HOW_CODES };
            *at = e;
            return true;
        }
        if (i - from + pad < (pad ? 8u : (unsigned)RUN_LEAST)) continue;
        for (size_t k = from; k < i; k++) digits += hexv(s.p[k]) >= 0, upper += p[k] >= 'A' && p[k] <= 'Z';
        if (digits == i - from && !((i - from) & 1)) *out = (sy_payload){ from, i - from, SY_HOW_HEX };
        else if (upper || pad || i - from > 60) *out = (sy_payload){ from, i - from, SY_HOW_BASE64 };
        else continue;
        *at = i;
        return true;
    }
    *at = s.n;
    return false;
}

/* What may stand around an encoded run that goes on in the next line: the author's quotes and marks. */
static bool around(char c) { return c == ' ' || c == '\t' || c == '"' || c == '\'' || c == '`' || c == '\\' || c == '>' || c == '+' || c == ',' || c == '\r'; }

bool sy_payload_lead(symbi_str line, symbi_str *run)
{
    size_t i = 0, from, to;
    while (i < line.n && around(line.p[i]) && line.p[i] != '+') i++;
    for (from = i; i < line.n && values[(unsigned char)line.p[i]]; i++) { }
    for (to = i; i < line.n && line.p[i] == '='; i++) { }
    *run = (symbi_str){ line.p + from, to - from };
    if (i > to) return false; /* padding: here it ends */
    while (i < line.n && around(line.p[i])) i++;
    return i == line.n;
}

symbi_str sy_payload_tail(symbi_str line)
{
    size_t to = line.n, from;
    while (to > 0 && around(line.p[to - 1]) && line.p[to - 1] != '+') to--;
    for (from = to; from > 0 && values[(unsigned char)line.p[from - 1]]; from--) { }
    return (symbi_str){ line.p + from, to - from };
}

/* Text that a person or a shell would read. */
static bool readable(symbi_str s)
{
    size_t odd = 0, letters = 0;
    if (s.n < 4) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f) return false;
        if (c >= 0x80) odd++;
        if ((c | 32) >= 'a' && (c | 32) <= 'z') letters++;
    }
    if (odd && (odd > s.n / 4 || !sy_utf8_valid(s, NULL))) return false;
    return letters * 3 >= s.n;
}

bool sy_payload_utf16(symbi_str b, bool big, sy_buf *out)
{
    sy_buf_clear(out);
    for (size_t i = 0; i + 1 < b.n; i += 2) {
        uint32_t u = (uint32_t)(unsigned char)b.p[i + !big] << 8 | (unsigned char)b.p[i + big];
        char c[4];
        size_t n;
        if (u >= 0xd800 && u <= 0xdbff && i + 3 < b.n) {
            uint32_t v = (uint32_t)(unsigned char)b.p[i + 2 + !big] << 8 | (unsigned char)b.p[i + 2 + big];
            if (v >= 0xdc00 && v <= 0xdfff) u = 0x10000 + ((u - 0xd800) << 10) + (v - 0xdc00), i += 2;
        }
        n = sy_utf8_put(u, c);
        if (!n) n = sy_utf8_put(0xfffd, c);
        sy_buf_add(out, c, n);
    }
    return !sy_buf_status(out);
}

static void decode_b64(symbi_str s, sy_buf *out)
{
    uint32_t v = 0;
    int bits = 0;
    for (size_t i = 0; i < s.n; i++) {
        v = v << 6 | (uint32_t)b64(s.p[i]);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            sy_buf_addc(out, (char)(v >> bits & 0xff));
        }
    }
}

bool sy_payload_decode(symbi_str line, const sy_payload *p, sy_buf *out)
{
    symbi_str s = { line.p + p->off, p->len };
    sy_buf_clear(out);
    if (p->how == SY_HOW_BASE64) {
        decode_b64(s, out);
        /* PowerShell encodes UTF-16: every second byte is zero */
        if (out->n >= 8 && out->p[1] == '\0' && out->p[3] == '\0' && out->p[0]) {
            size_t n = 0;
            bool zero = true;
            for (size_t i = 1; i < out->n; i += 2) zero = zero && out->p[i] == '\0';
            for (size_t i = 0; zero && i < out->n; i += 2) out->p[n++] = out->p[i];
            if (zero) out->n = n;
        }
    } else if (p->how == SY_HOW_HEX) {
        for (size_t i = 0; i + 1 < s.n; i += 2) sy_buf_addc(out, (char)(hexv(s.p[i]) * 16 + hexv(s.p[i + 1])));
    } else {
        for (size_t i = 0; i < s.n;) {
            int v = 0; /* of three digits at most, as codes() has counted them */
            for (size_t d = i; i < s.n && i < d + 3 && s.p[i] >= '0' && s.p[i] <= '9'; i++) v = v * 10 + (s.p[i] - '0');
            sy_buf_addc(out, (char)v);
            while (i < s.n && (s.p[i] < '0' || s.p[i] > '9')) i++;
        }
    }
    return !sy_buf_status(out) && readable(sy_buf_str(out));
}
