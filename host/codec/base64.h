/* codec/base64.h: base64 as RFC 4648 section 4 (standard) and section 5 (URL). Strict: one text for one value, so that a
 * signature or a digest cannot be written in two ways: no white space, padding exactly as the form says, unused bits zero. */
#ifndef SY_CODEC_BASE64_H
#define SY_CODEC_BASE64_H
#include "base/buf.h"

enum {
    SY_BASE64 = 0,       /* + and /, padded */
    SY_BASE64_URL = 1,   /* - and _ */
    SY_BASE64_NOPAD = 2, /* without '='; JOSE is URL | NOPAD */
    SY_BASE64_ANYPAD = 4 /* decoding only: padded or not */
};

/* Characters that n bytes take; SIZE_MAX when that does not fit. */
size_t sy_base64_encoded_len(size_t n, unsigned flags);
/* Writes the text (not NUL-terminated) and returns its length. */
size_t sy_base64_encode(const void *data, size_t n, unsigned flags, char *out);
void sy_base64_add(sy_buf *b, const void *data, size_t n, unsigned flags);

/* Bytes that a text of n characters gives at most: room for decode. */
size_t sy_base64_decoded_max(size_t n);
/* Decodes all of s to out (sy_base64_decoded_max(s.n) bytes) and sets *n. EPARSE with column otherwise, *n 0; what out then
 * holds means nothing. */
SYMBI_MUST_USE symbi_status sy_base64_decode(symbi_str s, unsigned flags, void *out, size_t *n, symbi_err *err);
#endif
