/* codec/json_read.h: the tokeniser itself, inline so that the tape's loop and the public symbi_json_next share one grammar
 * without a call per token. Everything that ends in an error is out of line in json_fail.c. */
#ifndef SY_CODEC_JSON_READ_H
#define SY_CODEC_JSON_READ_H
#include "codec/json_scan.h"
#include "codec/num.h"
#include "symbi/json.h"

enum { SY_JSON_VALUE, SY_JSON_FIRST_ITEM, SY_JSON_FIRST_KEY, SY_JSON_AFTER, SY_JSON_FAILED };

/* Each fills err with the place and, where known, the fix, and returns the code. */
symbi_status sy_json_fail_value(symbi_json_reader *r, const char *p, bool after_comma, symbi_err *err);
symbi_status sy_json_fail_number(symbi_json_reader *r, const char *start, const sy_num *n, symbi_err *err);
symbi_status sy_json_fail_key(symbi_json_reader *r, const char *p, bool after_comma, symbi_err *err);
symbi_status sy_json_fail_colon(symbi_json_reader *r, const char *p, symbi_err *err);
symbi_status sy_json_fail_after(symbi_json_reader *r, const char *p, symbi_err *err);
symbi_status sy_json_fail_string(symbi_json_reader *r, const char *start, const char *p, symbi_err *err);
symbi_status sy_json_fail_depth(symbi_json_reader *r, const char *p, symbi_err *err);
symbi_status sy_json_fail_again(symbi_err *err);

/* Checks the escape at p (a backslash): its length, 0 when it is bad. A surrogate pair counts as one escape of twelve. */
size_t sy_json_escape_len(const char *p, const char *end);

static inline bool sy_json_in_object(const symbi_json_reader *r)
{
    uint32_t l = r->depth - 1;
    return r->nest[l >> 3] >> (l & 7) & 1;
}

static inline const char *sy_json_ws(symbi_json_reader *r, const char *p)
{
    const char *end = r->end;
    while (p < end && (unsigned char)*p <= ' ') {
        if (*p == '\n') {
            r->line++;
            r->line_start = ++p;
            p = sy_json_spaces(p, end);
        } else if (*p == ' ' || *p == '\r' || *p == '\t') {
            p++;
        } else {
            break;
        }
    }
    return p;
}

/* The string whose content starts at p (after the quote): sets t->u.s and t->escaped, returns the byte after the closing
 * quote, or NULL with *bad at the byte at fault (end of text when it is not closed). */
static inline const char *sy_json_string(const char *p, const char *end, symbi_json_token *t, const char **bad)
{
    const char *start = p;
    t->escaped = false;
    for (;;) {
        unsigned char c;
        p = sy_json_plain(p, end);
        if (p == end) break;
        c = (unsigned char)*p;
        if (c == '"') {
            t->u.s.p = start;
            t->u.s.n = (size_t)(p - start);
            return p + 1;
        }
        if (c == '\\') {
            size_t k = sy_json_escape_len(p, end);
            if (!k) break;
            t->escaped = true;
            p += k;
            continue;
        }
        if (c < 0x20) break;
        do {
            size_t k = sy_json_utf8(p, end);
            if (!k) {
                *bad = p;
                return NULL;
            }
            p += k;
        } while (p < end && (unsigned char)*p >= 0x80);
    }
    *bad = p;
    return NULL;
}

static inline symbi_status sy_json_open(symbi_json_reader *r, const char *p, bool object, symbi_err *err)
{
    uint32_t l = r->depth;
    if (l >= r->max_depth) return sy_json_fail_depth(r, p, err);
    if (object) r->nest[l >> 3] = (uint8_t)(r->nest[l >> 3] | 1u << (l & 7));
    else r->nest[l >> 3] = (uint8_t)(r->nest[l >> 3] & ~(1u << (l & 7)));
    r->depth = l + 1;
    r->state = object ? SY_JSON_FIRST_KEY : SY_JSON_FIRST_ITEM;
    r->p = p + 1;
    return SYMBI_OK;
}

static inline bool sy_json_word(const char *p, const char *end, const char *w, size_t n)
{
    return (size_t)(end - p) >= n && memcmp(p, w, n) == 0;
}

static inline symbi_status sy_json_next(symbi_json_reader *r, symbi_json_token *t, symbi_err *err)
{
    const char *end = r->end, *p = sy_json_ws(r, r->p), *q, *bad;
    bool comma = false, key = false;
    sy_num num;
    switch (r->state) {
    case SY_JSON_AFTER:
        if (r->depth == 0) {
            if (p != end) return sy_json_fail_after(r, p, err);
            r->p = p;
            t->event = SYMBI_JSON_EOF;
            return SYMBI_OK;
        }
        if (p == end) return sy_json_fail_after(r, p, err);
        key = sy_json_in_object(r);
        if (*p == ',') {
            p = sy_json_ws(r, p + 1);
            comma = true;
        } else if (*p == (key ? '}' : ']')) {
            goto close;
        } else {
            return sy_json_fail_after(r, p, err);
        }
        break;
    case SY_JSON_FIRST_ITEM:
        if (p < end && *p == ']') goto close;
        break;
    case SY_JSON_FIRST_KEY:
        if (p < end && *p == '}') goto close;
        key = true;
        break;
    case SY_JSON_FAILED: return sy_json_fail_again(err);
    default: break;
    }
    t->line = r->line;
    t->col = (uint32_t)(p - r->line_start) + 1;
    if (key) {
        if (p == end || *p != '"') return sy_json_fail_key(r, p, comma, err);
        q = sy_json_string(p + 1, end, t, &bad);
        if (!q) return sy_json_fail_string(r, p, bad, err);
        q = sy_json_ws(r, q);
        if (q == end || *q != ':') return sy_json_fail_colon(r, q, err);
        r->p = q + 1;
        r->state = SY_JSON_VALUE;
        t->event = SYMBI_JSON_KEY;
        return SYMBI_OK;
    }
    if (p == end) return sy_json_fail_value(r, p, comma, err);
    switch (*p) {
    case '"':
        q = sy_json_string(p + 1, end, t, &bad);
        if (!q) return sy_json_fail_string(r, p, bad, err);
        t->event = SYMBI_JSON_STRING;
        break;
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        switch (sy_num_scan(p, end, &num)) {
        case SY_NUM_INT:
            t->event = SYMBI_JSON_INT;
            t->u.i = num.i;
            break;
        case SY_NUM_DOUBLE:
            t->event = SYMBI_JSON_DOUBLE;
            t->u.d = num.d;
            break;
        case SY_NUM_BIGINT:
            if (r->flags & SYMBI_JSON_BIGINT) {
                t->event = SYMBI_JSON_BIGINT_TEXT;
                t->escaped = false;
                t->u.s.p = p;
                t->u.s.n = (size_t)(num.p - p);
                break;
            } /* fall through */
        default: return sy_json_fail_number(r, p, &num, err);
        }
        q = num.p;
        break;
    case '{':
        t->event = SYMBI_JSON_OBJECT;
        return sy_json_open(r, p, true, err);
    case '[':
        t->event = SYMBI_JSON_ARRAY;
        return sy_json_open(r, p, false, err);
    case 't':
        if (!sy_json_word(p, end, "true", 4)) return sy_json_fail_value(r, p, comma, err);
        t->event = SYMBI_JSON_BOOL;
        t->u.b = true;
        q = p + 4;
        break;
    case 'f':
        if (!sy_json_word(p, end, "false", 5)) return sy_json_fail_value(r, p, comma, err);
        t->event = SYMBI_JSON_BOOL;
        t->u.b = false;
        q = p + 5;
        break;
    case 'n':
        if (!sy_json_word(p, end, "null", 4)) return sy_json_fail_value(r, p, comma, err);
        t->event = SYMBI_JSON_NULL;
        q = p + 4;
        break;
    default: return sy_json_fail_value(r, p, comma, err);
    }
    r->p = q;
    r->state = SY_JSON_AFTER;
    return SYMBI_OK;
close:
    t->line = r->line;
    t->col = (uint32_t)(p - r->line_start) + 1;
    t->event = SYMBI_JSON_END;
    r->depth--;
    r->state = SY_JSON_AFTER;
    r->p = p + 1;
    return SYMBI_OK;
}
#endif
