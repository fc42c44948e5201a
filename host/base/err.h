/* base/err.h: filling a symbi_err. Each function returns the code it was given, so that `return sy_fail(...)` reads
 * well. err may be NULL. Messages are made one clean line: control characters become '?', invalid UTF-8 is replaced, a
 * cut never splits a character. Set an error once, at the place that knows most. */
#ifndef SY_BASE_ERR_H
#define SY_BASE_ERR_H
#include "symbi/base.h"
#include <stdarg.h>

symbi_status sy_fail(symbi_err *err, symbi_status code, const char *fmt, ...) SYMBI_PRINTF(3, 4);
symbi_status sy_fail_at(symbi_err *err, symbi_status code, uint32_t line, uint32_t col, const char *fmt, ...) SYMBI_PRINTF(5, 6);
symbi_status sy_vfail(symbi_err *err, symbi_status code, uint32_t line, uint32_t col, const char *fmt, va_list ap) SYMBI_PRINTF(5, 0);
symbi_status sy_fail_nomem(symbi_err *err);
/* Puts a path (file name, JSON pointer, policy id) into an error that has none yet. */
void sy_err_path(symbi_err *err, symbi_str path);
/* Copies src into dst (capacity cap, terminated) as one clean line of UTF-8. */
void sy_clean_line(char *dst, size_t cap, symbi_str src);
/* printf arguments for "%.*s" of a symbi_str, cut at 200 bytes. */
#define SY_FMT(s) (int)((s).n > 200 ? 200 : (s).n), ((s).p ? (s).p : "")
#endif
