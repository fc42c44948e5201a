/* base/buf.c */
#include "base/buf.h"
#include "base/alloc.h"
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void sy_buf_init(sy_buf *b, symbi_alloc alloc, size_t max)
{
    memset(b, 0, sizeof *b);
    b->alloc = alloc;
    b->max = max;
}

static void fail(sy_buf *b, symbi_status st)
{
    symbi_status keep = b->status ? b->status : st;
    sy_buf_free(b);
    b->status = keep;
}

char *sy_buf_reserve(sy_buf *b, size_t n)
{
    if (b->status) return NULL;
    if (n > b->max - b->n) {
        fail(b, SYMBI_ELIMIT);
        return NULL;
    }
    if (b->n + n + 1 > b->cap) {
        size_t cap = b->cap ? b->cap : 64;
        char *p;
        while (cap < b->n + n + 1) {
            if (cap > SIZE_MAX / 2) {
                fail(b, SYMBI_ENOMEM);
                return NULL;
            }
            cap *= 2;
        }
        p = sy_realloc(&b->alloc, b->p, b->cap, cap);
        if (!p) {
            fail(b, SYMBI_ENOMEM);
            return NULL;
        }
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->n;
}

void sy_buf_commit(sy_buf *b, size_t n)
{
    b->n += n;
    b->p[b->n] = 0;
}

void sy_buf_add(sy_buf *b, const void *p, size_t n)
{
    char *d = sy_buf_reserve(b, n);
    if (!d) return;
    if (n) memcpy(d, p, n);
    sy_buf_commit(b, n);
}

void sy_buf_adds(sy_buf *b, symbi_str s) { sy_buf_add(b, s.p, s.n); }
void sy_buf_addz(sy_buf *b, const char *z) { sy_buf_add(b, z, strlen(z)); }
void sy_buf_addc(sy_buf *b, char c) { sy_buf_add(b, &c, 1); }

void sy_buf_addf(sy_buf *b, const char *fmt, ...)
{
    char tmp[512];
    va_list ap;
    int n;
    va_start(ap, fmt);
    n = vsnprintf(tmp, sizeof tmp, fmt, ap);
    va_end(ap);
    if (n < 0) {
        fail(b, SYMBI_EINVAL);
        return;
    }
    if ((size_t)n < sizeof tmp) {
        sy_buf_add(b, tmp, (size_t)n);
    } else {
        char *d = sy_buf_reserve(b, (size_t)n);
        if (!d) return;
        va_start(ap, fmt);
        vsnprintf(d, (size_t)n + 1, fmt, ap);
        va_end(ap);
        sy_buf_commit(b, (size_t)n);
    }
}

void sy_buf_addu(sy_buf *b, uint64_t u)
{
    char tmp[20];
    size_t i = sizeof tmp;
    do {
        tmp[--i] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    sy_buf_add(b, tmp + i, sizeof tmp - i);
}

void sy_buf_addi(sy_buf *b, int64_t v)
{
    if (v < 0) {
        sy_buf_addc(b, '-');
        sy_buf_addu(b, (uint64_t)0 - (uint64_t)v);
    } else {
        sy_buf_addu(b, (uint64_t)v);
    }
}

void sy_buf_addhex(sy_buf *b, const void *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *s = p;
    char *d = n <= SIZE_MAX / 2 ? sy_buf_reserve(b, n * 2) : NULL;
    if (!d) return;
    for (size_t i = 0; i < n; i++) {
        d[2 * i] = hex[s[i] >> 4];
        d[2 * i + 1] = hex[s[i] & 15];
    }
    sy_buf_commit(b, n * 2);
}

void sy_buf_u32be(sy_buf *b, uint32_t v)
{
    unsigned char t[4];
    for (int i = 0; i < 4; i++) t[i] = (unsigned char)(v >> (24 - 8 * i));
    sy_buf_add(b, t, sizeof t);
}

void sy_buf_u64be(sy_buf *b, uint64_t v)
{
    unsigned char t[8];
    for (int i = 0; i < 8; i++) t[i] = (unsigned char)(v >> (56 - 8 * i));
    sy_buf_add(b, t, sizeof t);
}

void sy_buf_clear(sy_buf *b)
{
    b->n = 0;
    b->status = SYMBI_OK;
    if (b->p) b->p[0] = 0;
}

void sy_buf_free(sy_buf *b)
{
    sy_free(&b->alloc, b->p, b->cap);
    b->p = NULL;
    b->n = b->cap = 0;
}

symbi_status sy_buf_take(sy_buf *b, symbi_text *out, const char *what, symbi_err *err)
{
    memset(out, 0, sizeof *out);
    if (!b->status && !b->p) sy_buf_reserve(b, 0), b->p ? (void)(b->p[0] = 0) : (void)0;
    if (b->status == SYMBI_ELIMIT) return sy_fail(err, SYMBI_ELIMIT, "%s is larger than %zu bytes", what, b->max);
    if (b->status == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (b->status) return sy_fail(err, b->status, "%s cannot be written", what);
    out->p = b->p;
    out->n = b->n;
    out->cap = b->cap;
    out->alloc = b->alloc;
    b->p = NULL;
    b->n = b->cap = 0;
    return SYMBI_OK;
}

void symbi_text_free(symbi_text *t)
{
    if (!t) return;
    if (t->p) sy_free(&t->alloc, t->p, t->cap);
    t->p = NULL;
    t->n = t->cap = 0;
}

symbi_str symbi_text_str(const symbi_text *t)
{
    symbi_str s = { t->p, t->n };
    return s;
}
