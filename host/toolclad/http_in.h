/* toolclad/http_in.h: what the files of the http backend share: the places of a request, and how a value is written at each. */
#ifndef SY_TOOLCLAD_HTTP_IN_H
#define SY_TOOLCLAD_HTTP_IN_H
#include "base/buf.h"
#include "symbi/tool_request.h"
#include "toolclad/backends.h"

/* How a value is written. The names stand in plans ("as"). */
typedef enum sy_http_as {
    SY_AS_URL = 0,    /* percent-encoded, but for / : @ ! * ' , = + (path, query) */
    SY_AS_HOST,       /* letters, digits, '.', '-', and ':' before a port: nothing else may stand in an authority */
    SY_AS_JSON,       /* inside the quotes of a JSON string */
    SY_AS_JSON_VALUE, /* a whole value: a number, true, false or null, and nothing else */
    SY_AS_FORM,       /* percent-encoded, but for the unreserved characters */
    SY_AS_TEXT        /* as it is: headers, and bodies of other types */
} sy_http_as;
extern const char *const sy_http_as_names[6];

/* Where written bytes go: to out, or, when out is NULL, they are only counted in n. */
typedef struct sy_http_sink {
    char *out;
    size_t n;
} sy_http_sink;
/* Writes v. NULL, or why it cannot stand there ("holds a character that ..."). secret: '+' is encoded too, because tokens have it and a query reads it as a blank. */
const char *sy_http_write(sy_http_sink *s, sy_http_as as, symbi_str v, bool secret);

bool sy_http_dotted(symbi_str url);      /* its path has a segment "." or "..", percent-encoded or not */
const char *sy_http_header_problem(symbi_str value); /* NULL, or what a header value may not hold */

/* The next placeholder of a template at or after *i: literal text before it in *lit. Returns false at the end. */
typedef enum sy_http_piece_kind { SY_HTTP_LITERAL, SY_HTTP_ARG, SY_HTTP_SECRET } sy_http_piece_kind;
typedef struct sy_http_piece {
    sy_http_piece_kind kind;
    symbi_str text; /* the literal, or the name */
    bool braces;
} sy_http_piece;
bool sy_http_next(symbi_str tmpl, size_t *i, sy_http_piece *out);

enum { SY_HTTP_URL_MAX = 64 << 10, SY_HTTP_HEADER_MAX = 64 << 10, SY_HTTP_BODY_MAX = 4 << 20, SY_HTTP_HEADERS_MAX = 100 };
#endif
