/* symbi/cedar_format.h: the pretty printer of Cedar policies (spec cedar.md 13). It changes white space alone: the result has the
 * same tokens and the same comments in the same order (checked before it is handed out), so it means the same, and formatting
 * it again changes nothing. */
#ifndef SYMBI_CEDAR_FORMAT_H
#define SYMBI_CEDAR_FORMAT_H
#include "symbi/ctx.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { SYMBI_CEDAR_FORMAT_WIDTH = 80, SYMBI_CEDAR_FORMAT_INDENT = 2 }; /* what is customary */

/* text: policies and templates; what does not parse is refused as symbi_cedar_parse does. width: columns of a line (1 to 10000), as far
 * as tokens allow; indent: blanks of one level (0 to 64); EINVAL otherwise. One blank line stands between policies. A comment stays
 * behind the token that it stood behind on the same line, else on lines of its own before the next token; blank lines between
 * comments go. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_format(symbi_ctx *cx, symbi_str text, size_t width, size_t indent, symbi_text *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
