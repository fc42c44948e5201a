/* base/buf.h: growing byte buffer with a mandatory ceiling and a sticky status. The first failure frees the memory and
 * is remembered (too big is not out of memory); check once at the end. */
#ifndef SY_BASE_BUF_H
#define SY_BASE_BUF_H
#include "symbi/base.h"

typedef struct sy_buf {
    symbi_alloc alloc;
    char *p; /* NUL-terminated whenever non-NULL */
    size_t n, cap, max;
    symbi_status status;
} sy_buf;

void sy_buf_init(sy_buf *b, symbi_alloc alloc, size_t max);
void sy_buf_add(sy_buf *b, const void *p, size_t n);
void sy_buf_adds(sy_buf *b, symbi_str s);
void sy_buf_addz(sy_buf *b, const char *z);
void sy_buf_addc(sy_buf *b, char c);
void sy_buf_addf(sy_buf *b, const char *fmt, ...) SYMBI_PRINTF(2, 3); /* no floating point: locale */
void sy_buf_addi(sy_buf *b, int64_t i);
void sy_buf_addu(sy_buf *b, uint64_t u);
void sy_buf_addhex(sy_buf *b, const void *p, size_t n);  /* lower case */
void sy_buf_u32be(sy_buf *b, uint32_t v);
void sy_buf_u64be(sy_buf *b, uint64_t v);
char *sy_buf_reserve(sy_buf *b, size_t n); /* room for n more bytes, NULL on failure; follow with sy_buf_commit */
void sy_buf_commit(sy_buf *b, size_t n);
void sy_buf_clear(sy_buf *b);              /* n = 0, keeps memory, clears the status */
void sy_buf_free(sy_buf *b);
static inline symbi_status sy_buf_status(const sy_buf *b) { return b->status; }
static inline symbi_str sy_buf_str(const sy_buf *b) { symbi_str s = { b->p, b->n }; return s; }
/* Moves the content to *out; on a sticky failure sets *err ("<what> is larger than N bytes") and returns the code. */
symbi_status sy_buf_take(sy_buf *b, symbi_text *out, const char *what, symbi_err *err);
#endif
