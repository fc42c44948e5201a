/* codec/fold.h: text without the difference between upper and lower case, for searching. */
#ifndef SY_CODEC_FOLD_H
#define SY_CODEC_FOLD_H
#include "base/buf.h"

/* Appends s in lower case, character by character (Unicode's simple mapping, and U+017F and U+212A as what they look like);
 * bytes that are no UTF-8 stay. */
void sy_fold(sy_buf *b, symbi_str s);
#endif
