/* symbi/unicode.h: NFKC with a way back: what was found in the normalised text is reported at its place in the original. */
#ifndef SYMBI_UNICODE_H
#define SYMBI_UNICODE_H
#include "symbi/ctx.h"
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SYMBI_NFKC_CASEFOLD = 1, /* full case folding */
    SYMBI_NFKC_STRIP = 2,    /* default-ignorable characters (zero-width and the like) are dropped */
    SYMBI_NFKC_LOSSY = 4     /* each byte that is no UTF-8 becomes U+FFFD instead of an error */
};
/* A normalised text and where its bytes came from: from output offset `out` on, up to the next entry, bytes belong to the input
 * character or characters at `in`. straight: these were copied, so out + k stands for in + k. */
typedef struct symbi_nfkc_span {
    uint32_t out, in;
    bool straight;
} symbi_nfkc_span;
typedef struct symbi_nfkc_text {
    symbi_text text;
    symbi_nfkc_span *map;
    size_t nmap, cap;
    size_t invalid;        /* bytes that were no UTF-8 (LOSSY) */
    size_t first_invalid;  /* offset of the first of them */
} symbi_nfkc_text;
/* EPARSE: not UTF-8 (line and column of the first bad byte); ELIMIT: the input or the output larger than limits.doc_bytes. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_nfkc(symbi_ctx *cx, symbi_str text, unsigned flags, symbi_nfkc_text *out, symbi_err *err);
SYMBI_API size_t symbi_nfkc_at(const symbi_nfkc_text *t, size_t out_offset); /* offset in the input */
SYMBI_API void symbi_nfkc_free(symbi_nfkc_text *t);                         /* a zeroed one is fine */
/* Line and column (1-based, column in bytes) of an offset; lines end with LF, CR LF or CR. */
SYMBI_API void symbi_text_position(symbi_str text, size_t offset, uint32_t *line, uint32_t *col);

#ifdef __cplusplus
}
#endif
#endif
