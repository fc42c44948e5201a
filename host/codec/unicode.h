/* codec/unicode.h: Unicode normalisation and properties for the library's own files. unicode.c and unicode_map.c of this folder are the
 * only includers of utf8proc. */
#ifndef SY_CODEC_UNICODE_H
#define SY_CODEC_UNICODE_H
#include "symbi/unicode.h"

enum { SY_NFKC_FOLD = 1, SY_NFKC_STRIP = 2 }; /* fold case; drop default-ignorable characters */
/* NFKC of valid UTF-8 as code points, without memory of its own. false: not valid, or more than cap of them. */
bool sy_unicode_nfkc(symbi_str utf8, unsigned flags, int32_t *out, size_t cap, size_t *n);

enum { SY_NORM_CANONICAL = 1 << 16 }; /* a flag of symbi_nfkc for inside: NFC */

bool sy_unicode_letter(uint32_t cp);     /* a letter or a number */
bool sy_unicode_mark(uint32_t cp);       /* a combining mark */
bool sy_unicode_pictograph(uint32_t cp); /* Extended_Pictographic: emoji and what may become one */
bool sy_unicode_space(uint32_t cp);      /* White_Space */
#endif
