/* symbi/json.h: strict JSON (RFC 8259 + I-JSON, RFC 7493): duplicate keys, invalid UTF-8, lone surrogates, NaN, leading
 * zeros, comments, trailing commas and trailing bytes are errors with line and column. Integers without fraction or
 * exponent that fit in 64 bits are exact SYMBI_INT; other numbers are SYMBI_DOUBLE; an integer beyond 64 bits, or a
 * number that overflows a double, is an error. */
#ifndef SYMBI_JSON_H
#define SYMBI_JSON_H
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Parses text into a new document (one reference, the caller's). *out is NULL on failure. Limits: doc_bytes, doc_depth,
 * doc_nodes. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_json_parse(symbi_ctx *cx, symbi_str text, symbi_doc **out, symbi_err *err);

enum {
    SYMBI_JSON_PRETTY = 1,    /* two spaces, one member per line */
    SYMBI_JSON_CANONICAL = 2  /* one text for one value: keys sorted by UTF-16 code unit (RFC 8785), no white space, shortest
                                 numbers in RFC 8785 form except that 64-bit integers stay exact; what is hashed or signed */
};
/* Writes v; *out is freed with symbi_text_free. Doubles: shortest text that reads back equal; integral ones below 2^53 as
 * integers only in canonical form, else with ".0" so that the kind survives. NaN and infinities are ESCHEMA. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_json_write(symbi_ctx *cx, const symbi_value *v, unsigned flags, symbi_text *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
