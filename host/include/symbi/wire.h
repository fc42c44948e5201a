/* symbi/wire.h: codecs of the wire, without sockets: URLs, server-sent events, HTTP/1. Decoders take input in any split, byte
 * by byte if need be, hold no more than their limits, and never look back. Strict where two readers could disagree: what
 * could be smuggled past one of them is an error. */
#ifndef SYMBI_WIRE_H
#define SYMBI_WIRE_H
#include "symbi/ctx.h"
#ifdef __cplusplus
extern "C" {
#endif

/* ---- URLs (RFC 3986, http and https only) ------------------------------------------------------------------------- */
/* All borrowed from the text. Host without brackets, as written; port 0 never (80 or 443 by default); path at least "/" when
 * sent (may be "" here); query and fragment without their mark. User information (user:password@) is refused: what a
 * reader takes for the host must be the host. */
typedef struct symbi_url {
    symbi_str scheme, host, path, query, fragment;
    uint16_t port;
    bool tls, ipv6, has_port, has_query, has_fragment;
} symbi_url;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_url_parse(symbi_str text, symbi_url *out, symbi_err *err);
/* What goes into the Host header: host[:port], brackets around IPv6, the port only when it is not the scheme's. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_url_authority(symbi_ctx *cx, const symbi_url *u, symbi_text *out, symbi_err *err);
/* Resolves ref against base (section 5.2): an absolute URL, dot segments removed, checked as parse does. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_url_join(symbi_ctx *cx, symbi_str base, symbi_str ref, symbi_text *out, symbi_err *err);

/* ---- endpoints of a REST service -------------------------------------------------------------------------------------- */
/* The URL of an endpoint ("agents/a?x=1", its parts encoded by symbi_url_escape) below a base URL. A base without path, or whose path
 * ends in /api/v1, gets exactly one /api/v1, however often base and endpoint name it; any other path is kept as it is. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_url_endpoint(symbi_ctx *cx, symbi_str base, symbi_str endpoint, symbi_text *out, symbi_err *err);
typedef enum symbi_url_escape_form {
    SYMBI_URL_SEGMENT = 0, /* one segment of a path: 1..1024 bytes, no control character, not "." or ".." (EINVAL, ELIMIT) */
    SYMBI_URL_FORM = 1     /* a name or value of a query: a space is "+" */
} symbi_url_escape_form;
/* Every byte but A-Z a-z 0-9 - . _ ~ as %XX. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_url_escape(symbi_ctx *cx, symbi_str text, symbi_url_escape_form form, symbi_text *out, symbi_err *err);
/* Retry-After: seconds, or a date against `now` (Unix seconds; a past one is 0). False when it is neither. */
enum { SYMBI_RETRY_AFTER_MAX = 86400 * 365 };
SYMBI_API bool symbi_http_retry_after(symbi_str value, int64_t now, int64_t *seconds);

/* ---- server-sent events (WHATWG HTML, section 9.2) ------------------------------------------------------------------ */
typedef struct symbi_sse symbi_sse;
typedef struct symbi_sse_event {
    symbi_str event; /* "" means "message" */
    symbi_str data, id;
    int64_t retry_ms; /* -1: none given since the last event */
} symbi_sse_event;
/* max_event: bytes of one event's lines (0 = 1 MiB), at which feeding ends with ELIMIT. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_sse_new(symbi_ctx *cx, size_t max_event, symbi_sse **out, symbi_err *err);
SYMBI_API void symbi_sse_free(symbi_sse *s);
/* Takes bytes from the front of *in. OK: *out holds an event, borrowed until the next call; call again. EAGAIN: *in is used up.
 * ELIMIT or ENOMEM: final. Bytes are passed on as they are; whoever reads the data checks its UTF-8. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_sse_next(symbi_sse *s, symbi_str *in, symbi_sse_event *out, symbi_err *err);
/* True when the stream ended inside an event or a line (which then is dropped, as the standard says). */
SYMBI_API bool symbi_sse_pending(const symbi_sse *s);
/* For going on with a stream that broke off: the id of the last event that was whole (also one without data, which is given to nobody), borrowed;
 * false: there was none. "": it took its id back. And how long the stream asks to wait before it is asked for again; -1: it did not say. */
SYMBI_API bool symbi_sse_last_id(const symbi_sse *s, symbi_str *id);
SYMBI_API int64_t symbi_sse_retry_ms(const symbi_sse *s);

/* ---- HTTP/1.0 and 1.1 messages (RFC 9112) ---------------------------------------------------------------------------- */
typedef struct symbi_http1_field {
    symbi_str name, value;
} symbi_http1_field;

typedef enum symbi_http1_kind { SYMBI_HTTP1_RESPONSE = 0, SYMBI_HTTP1_REQUEST = 1 } symbi_http1_kind;
typedef struct symbi_http1_options {
    symbi_http1_kind kind;
    bool head;          /* response to a HEAD request: no body whatever it says */
    size_t max_head;    /* bytes of start line and header lines; 0 = 64 KiB */
    size_t max_body;    /* 0 = limits.doc_bytes */
} symbi_http1_options;
typedef enum symbi_http1_what { SYMBI_HTTP1_HEAD = 1, SYMBI_HTTP1_DATA, SYMBI_HTTP1_END } symbi_http1_what;
typedef struct symbi_http1 symbi_http1;
typedef struct symbi_http1_message {
    int status;                    /* response */
    symbi_str reason;
    symbi_str method, target;      /* request */
    int minor;                     /* HTTP/1.<minor> */
    const symbi_http1_field *fields;
    size_t nfields;
    bool chunked, until_close, keep_alive;
    bool has_length;
    uint64_t length;
} symbi_http1_message;

SYMBI_API SYMBI_MUST_USE symbi_status symbi_http1_new(symbi_ctx *cx, const symbi_http1_options *o, symbi_http1 **out, symbi_err *err);
SYMBI_API void symbi_http1_free(symbi_http1 *h);
/* Takes bytes from the front of *in. OK: *what says what there is: HEAD (symbi_http1_head), DATA (*data borrowed from *in), END (the
 * message is complete; what is left in *in belongs to the next). EAGAIN: more input is needed. EPARSE, ELIMIT: final.
 * Interim responses (1xx but 101) are skipped. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_http1_next(symbi_http1 *h, symbi_str *in, symbi_http1_what *what, symbi_str *data, symbi_err *err);
/* The connection was closed by the other side: OK when that completes the message, EIO ("cut off …") otherwise. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_http1_eof(symbi_http1 *h, symbi_err *err);
SYMBI_API const symbi_http1_message *symbi_http1_head(const symbi_http1 *h); /* borrowed until reset or free; NULL before HEAD */
/* Value of the first field of that name (any case), p NULL when absent. */
SYMBI_API symbi_str symbi_http1_get(const symbi_http1_message *m, const char *name);
SYMBI_API void symbi_http1_reset(symbi_http1 *h, bool head); /* for the next message on the connection */

/* A request head with its body. Host, Content-Length (body not empty, or POST, PUT, PATCH) and Connection are ours: given by
 * the caller they are EINVAL, as are Transfer-Encoding, a name that is no token, a value with control characters. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_http1_write_request(symbi_ctx *cx, symbi_str method, const symbi_url *url, const symbi_http1_field *f, size_t n, symbi_str body, bool keep_alive, symbi_text *out, symbi_err *err);
/* A response with its body; chunked: head only, the body follows as chunks. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_http1_write_response(symbi_ctx *cx, int status, const symbi_http1_field *f, size_t n, symbi_str body, bool chunked, bool keep_alive, symbi_text *out, symbi_err *err);
/* One chunk; the empty one ends the body. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_http1_write_chunk(symbi_ctx *cx, symbi_str data, symbi_text *out, symbi_err *err);
SYMBI_API const char *symbi_http_reason(int status); /* "Not Found"; "" for an unknown one */

#ifdef __cplusplus
}
#endif
#endif
