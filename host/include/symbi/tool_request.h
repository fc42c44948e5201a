/* symbi/tool_request.h: the request of an HTTP tool, as an executor sends it. A plan (symbi/toolclad.h) names secrets and does not know them: plan->detail
 * of kind HTTP is
 *   {"method": "POST", "url": PARTS, "headers": [["Name", PARTS], ...], "body": PARTS, "max_bytes": n[, "evidence": "path"]}
 * PARTS is a list of texts, which are final, and of {"secret": "NAME", "as": "url"|"host"|"json"|"json_value"|"form"|"text"}: where the value goes,
 * and with that how it is written there. body is absent where none is sent. */
#ifndef SYMBI_TOOL_REQUEST_H
#define SYMBI_TOOL_REQUEST_H
#include "symbi/toolclad.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct symbi_plan_header {
    symbi_str name, value;
} symbi_plan_header;

/* Holds secrets, in one piece of memory of the ctx: symbi_plan_request_wipe overwrites it. Strings NUL-terminated as well. */
typedef struct symbi_plan_request {
    symbi_str method, url, body;
    bool has_body;
    const symbi_plan_header *headers;
    size_t nheaders;
    size_t max_bytes;   /* of the answer's body */
    int64_t timeout_ms;
    void *mem_;
    size_t mem_n_;
    symbi_alloc alloc_;
} symbi_plan_request;

/* The final request of a plan of kind HTTP. secrets: an object, name -> text (NULL: {}), as plan->secrets lists them. A value is written for the
 * place it goes to, as values of arguments are. ENOTFOUND "Secret 'NAME' not found (set TOOLCLAD_SECRET_NAME)" when one is missing or empty;
 * EDENIED when one cannot stand where it should (a line break in a header, say). No message ever holds a value. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_plan_resolve(symbi_ctx *cx, const symbi_plan *p, const symbi_value *secrets, symbi_plan_request *out, symbi_err *err);
SYMBI_API void symbi_plan_request_wipe(symbi_plan_request *r); /* a zeroed one is fine */

#ifdef __cplusplus
}
#endif
#endif
