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
    bool tls, guarded; /* TLS was spoken, or may have been; SIGPIPE is held back */
    bool own_loop, broken, no_proxy; /* broken: memory ran out inside a callback of curl */
    uint64_t token, timer;
    CURLM *multi;
    CURL *pool[16]; /* finished handles, for their buffers; connections are kept by the multi handle */
    size_t npool, open;
    symbi_xfer *xfers;
    int64_t connect_ms, timeout_ms;
    size_t max_bytes;
    symbi_netguard *guard;
    sy_buf ca, proxy;
    struct {
        uint8_t cert[32], key[32];
    } shown[8]; /* with which key a client's certificate is shown: http_route.c */
    size_t nshown;
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
    size_t max, max_head, total, head_total;
    bool stream, paused, done, too_large, garbled, reused, once;
    bool gzip;
    bool whole_head; /* the empty line after the last answer's header lines has come */
    size_t sent; /* of body_out, where it is handed out in pieces */
    /* where it may go: http_guard.c */
    symbi_netguard *guard;
    symbi_netguard_target target;
    bool by_operator, vet, refused; /* vet: the addresses are ours to judge, no proxy's */
    enum { SY_PROXY_NONE, SY_PROXY_ENVIRONMENT, SY_PROXY_CLIENT, SY_PROXY_ROUTE } proxy; /* whose word says where it goes through */
    bool stays;                     /* redirects are not for us: a socket's path or a certificate belongs to the first host */
    bool showing, apart;            /* a client's certificate; over a connection of its own, since another key is on the kept ones */
    uint8_t cert[32];
    int http_version;
    int hops;
    char hop;                       /* is this answer's body a redirect's? 0 not looked yet, 'y', 'n' */
    sy_buf url;
    char method[32];
    int64_t until;                  /* monotonic ms */
    int status;
    int64_t duration_ms;
    symbi_status result;
    symbi_http_error why;
    symbi_err err;
    char message[CURL_ERROR_SIZE];
};

/* A peer that goes away while TLS writes raises SIGPIPE, which belongs to the host: between these two it is held back and taken away.
 * Without TLS libcurl asks the system for no such signal, so a client that never spoke TLS is spared the calls; and once is enough. */
typedef struct sy_http_guard {
    sigset_t was;
    bool ours, on;
} sy_http_guard;
void sy_http_guard_on(symbi_http *h, sy_http_guard *g);
void sy_http_guard_off(symbi_http *h, sy_http_guard *g);

/* Judges rq's URL and keeps what later checks need. */
symbi_status sy_guard_start(symbi_xfer *x, const symbi_http_request *rq, symbi_err *err);
CURLcode sy_guard_setopt(symbi_xfer *x);
bool sy_guard_hop_body(symbi_xfer *x); /* the body of an answer that will be followed elsewhere: not kept */
/* http_route.c: judges rq->route, and says which proxy there will be (before sy_guard_start); in curl's terms. */
symbi_status sy_route_start(symbi_xfer *x, const symbi_http_request *rq, symbi_err *err);
CURLcode sy_route_setopt(symbi_xfer *x, const symbi_http_route *r);
void sy_route_failed(symbi_xfer *x); /* TLS did not come about */
bool sy_proxy_in_environment(void);
typedef enum sy_hop { SY_HOP_DONE, SY_HOP_AGAIN, SY_HOP_FAILED } sy_hop;
/* An answer is complete: the end, or x is set up for the next request. FAILED: x->err, x->result, x->why are set. */
sy_hop sy_guard_next(symbi_xfer *x);

symbi_status sy_xfer_method(symbi_xfer *x); /* http_xfer.c: method and body in curl's terms */
symbi_str sy_xfer_header(const symbi_xfer *x, const char *lower); /* of the answer so far; p NULL when absent */
bool sy_http_nocase(symbi_str s, const char *lower);
int64_t sy_http_ms(void);

CURL *sy_http_easy(symbi_http *h);
void sy_http_easy_back(symbi_http *h, CURL *easy);
void sy_xfer_finish(symbi_xfer *x, CURLcode code);
void sy_xfer_fail(symbi_xfer *x, symbi_status st, symbi_http_error why, const char *message);
void sy_xfer_cancel(symbi_xfer *x); /* the client goes: ends as cancelled, and forgets it */
#endif
