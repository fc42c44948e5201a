/* symbi/toml.h: TOML 1.0, complete and strict. Date-times become SYMBI_TIME. Every value carries its line. inf and nan
 * (legal TOML) are ESCHEMA: no consumer of ours can use them. A leading byte order mark is skipped. */
#ifndef SYMBI_TOML_H
#define SYMBI_TOML_H
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif
/* Parses text into a new document whose root is an object. Limits as for JSON. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_toml_parse(symbi_ctx *cx, symbi_str text, symbi_doc **out, symbi_err *err);
#ifdef __cplusplus
}
#endif
#endif
