/* run/model_sse.h: splits a stream of server-sent events (WHATWG HTML, "event stream") into the data of each event. Bytes
 * may be cut anywhere. Line ends are LF, CR or CRLF; comments and the fields id, retry and event are passed over, as both
 * providers repeat the event's name inside the data. */
#ifndef SY_RUN_MODEL_SSE_H
#define SY_RUN_MODEL_SSE_H
#include "base/buf.h"

typedef struct sy_sse {
    sy_buf line, data;
    bool has_data, after_cr, started;
} sy_sse;
void sy_sse_init(sy_sse *s, symbi_alloc alloc, size_t max); /* max: of one line and of one event */
void sy_sse_free(sy_sse *s);
/* Takes bytes from *in up to the end of the next event. *event: the data of that event (valid until the next call) and true;
 * false when *in is used up first. A failure (ELIMIT, ENOMEM) sticks. */
symbi_status sy_sse_next(sy_sse *s, symbi_str *in, symbi_str *event, bool *got);
#endif
