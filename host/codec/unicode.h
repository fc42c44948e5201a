/* codec/unicode.h: Unicode normalisation for the library's own files, without memory of its own. This folder's unicode.c is the only
 * includer of utf8proc. */
#ifndef SY_CODEC_UNICODE_H
#define SY_CODEC_UNICODE_H
#include "symbi/base.h"

enum { SY_NFKC_FOLD = 1, SY_NFKC_STRIP = 2 }; /* fold case; drop default-ignorable characters */
/* NFKC of valid UTF-8 as code points. false: not valid, or more than cap of them. */
bool sy_unicode_nfkc(symbi_str utf8, unsigned flags, int32_t *out, size_t cap, size_t *n);
#endif
