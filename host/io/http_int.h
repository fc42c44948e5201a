/* io/http_int.h: the client and its transfers, shared by http.c and http_xfer.c. */
#ifndef SY_IO_HTTP_INT_H
#define SY_IO_HTTP_INT_H
#include "base/buf.h"
#include "base/ctx.h"
#include "symbi/io.h"
#include <curl/curl.h>
#include <signal.h>

struct symbi_http {
    symbi_ctx *cx;
    symbi_loop *loop;
    bool own_loop, broken, no_proxy; /* broken: memory ran out inside a callback of curl */
    uint64_t token, timer;
    CURLM *multi;
    CURL *pool[16]; /* finished handles, for their buffers; connections are kept by the multi handle */
    size_t npool, open;
    symbi_xfer *xfers;
    int64_t connect_ms, timeout_ms;
    size_t max_bytes;
    int max_redirects;
    sy_buf ca, proxy;
};

struct symbi_xfer {
    symbi_http *h; /* NULL once the client is gone */
    symbi_alloc alloc;
    symbi_xfer *prev, *next;
    CURL *easy;
    struct curl_slist *headers_out;
    sy_buf body_out, body, taken, head; /* head: "name\0value\0" of the last response's header lines */
    symbi_http_header *headers;
    size_t nheaders, cap_headers, nlines;
    size_t max, total, head_total;
    bool stream, paused, done, too_large, garbled, reused;
    int status;
    int64_t duration_ms;
    symbi_status result;
    symbi_http_error why;
    symbi_err err;
    char message[CURL_ERROR_SIZE];
};

/* A peer that goes away while TLS writes raises SIGPIPE, which belongs to the host: between these two it is held back and taken away. */
typedef struct sy_http_guard {
    sigset_t was;
    bool ours;
} sy_http_guard;
void sy_http_guard_on(sy_http_guard *g);
void sy_http_guard_off(sy_http_guard *g);

CURL *sy_http_easy(symbi_http *h);
void sy_http_easy_back(symbi_http *h, CURL *easy);
void sy_xfer_finish(symbi_xfer *x, CURLcode code);
void sy_xfer_fail(symbi_xfer *x, symbi_status st, symbi_http_error why, const char *message);
void sy_xfer_cancel(symbi_xfer *x); /* the client goes: ends as cancelled, and forgets it */
#endif
