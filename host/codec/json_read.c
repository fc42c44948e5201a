/* codec/json_read.c: the public side of the JSON tokeniser. */
#include "base/utf8.h"
#include "codec/json_read.h"

void symbi_json_reader_init(symbi_json_reader *r, symbi_str text, size_t max_depth, unsigned flags)
{
    static const char none[1] = "";
    r->begin = r->p = r->line_start = text.p ? text.p : none;
    r->end = r->begin + text.n;
    r->line = 1;
    r->depth = 0;
    r->max_depth = max_depth > SYMBI_JSON_MAX_DEPTH ? SYMBI_JSON_MAX_DEPTH : (uint32_t)max_depth;
    r->state = SY_JSON_VALUE;
    r->flags = (uint8_t)flags;
}

symbi_status symbi_json_next(symbi_json_reader *r, symbi_json_token *t, symbi_err *err)
{
    return sy_json_next(r, t, err);
}

bool symbi_json_number(symbi_str text, double *out)
{
    return sy_num_parse_double(text, out);
}

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)p[i];
        v = v << 4 | (c <= '9' ? c & 15u : (c & 7u) + 9u); /* checked before: a letter's low bits count from 1 */
    }
    return v;
}

size_t symbi_json_unescape(symbi_str raw, char *dst)
{
    const char *p = raw.p, *end = raw.p + raw.n;
    char *o = dst;
    while (p < end) {
        const char *b = memchr(p, '\\', (size_t)(end - p));
        size_t k = (size_t)((b ? b : end) - p);
        uint32_t cp;
        memcpy(o, p, k);
        o += k;
        p += k;
        if (!b || sy_json_escape_len(p, end) == 0) break; /* a bad escape can only come from a caller's own raw */
        switch (p[1]) {
        case 'b': *o++ = '\b'; break;
        case 'f': *o++ = '\f'; break;
        case 'n': *o++ = '\n'; break;
        case 'r': *o++ = '\r'; break;
        case 't': *o++ = '\t'; break;
        case 'u':
            cp = hex4(p + 2);
            p += 4;
            if (cp >= 0xd800 && cp <= 0xdfff) {
                cp = 0x10000 + ((cp - 0xd800) << 10) + (hex4(p + 4) - 0xdc00);
                p += 6;
            }
            o += sy_utf8_put(cp, o);
            break;
        default: *o++ = p[1]; break;
        }
        p += 2;
    }
    return (size_t)(o - dst);
}
