/* codec/sanitize.h: between sanitize.c and injection.c. */
#ifndef SY_CODEC_SANITIZE_H
#define SY_CODEC_SANITIZE_H
#include "base/buf.h"
#include "symbi/sanitize.h"

/* text with its injection markers replaced, to out. ascii_only: found as upstream finds them, byte for byte but for case. */
symbi_status sy_redact(symbi_ctx *cx, symbi_str text, bool ascii_only, sy_buf *out, size_t *count, symbi_err *err);
#endif
