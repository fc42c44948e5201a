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
    int64_t due; /* own_loop: when curl wants to be called, in monotonic ms; 0 at once, -1 never */
    CURLM *multi;
    symbi_xfer *spare[16]; /* freed transfers, emptied, for their memory and handles; connections are kept by the multi handle */
    size_t nspare, open;
    symbi_xfer *xfers, *ended; /* open ones; finished ones that somebody holds */
    int64_t connect_ms, timeout_ms;
    size_t max_bytes;
    symbi_netguard *guard;
    sy_buf ca, proxy;
    struct {
        uint8_t cert[32], key[32];
    } shown[8]; /* with which key a client's certificate is shown: http_route.c */
    size_t nshown;
    struct {
        int fd, port; /* 0: not asked yet */
    } *socks; /* of the connections that are there: http_kept.c */
    size_t nsocks, cap_socks;
};

struct symbi_xfer {
    /* These stay when the next request takes the transfer over; everything below is zero then. */
    symbi_http *h; /* NULL once the client is gone */
    symbi_alloc alloc;
    CURL *easy;
    bool plain;         /* easy has nothing set but what every plain request sets (http_xfer.c, set_up) */
    bool agent, bodied; /* it says who we are; it has been given a body */
    struct curl_slist *nodes; /* what headers_out is made of */
    size_t cap_nodes;
    sy_buf lines;       /* what its items point to */
    sy_buf body, head, url; /* head: "name\0value\0" of the last response's header lines */
    symbi_http_header *headers;
    size_t cap_headers;
    /* The URL of the plain request before, when no policy but the built-in one judged it and it can hold no secret: the same text again gets
     * the same judgement, and need not be read again. Addresses are judged at each connection whatever stands here. */
    char known[256];
    size_t known_n; /* 0: none */
    bool known_operator;
    symbi_netguard_target known_target;
    CURLU *known_url;

    symbi_xfer *prev, *next;
    struct curl_slist *headers_out;
    sy_buf body_out, taken;
    size_t nheaders, nlines;
    size_t max, max_head, total, head_total;
    bool stream, paused, done, too_large, garbled, reused, once;
    bool gzip;
    bool no_memory; /* in a callback of curl */
    bool stale, fresh; /* bytes waited on the kept connection; so a new one is made */
    bool whole_head; /* the empty line after the last answer's header lines has come */
    bool ordinary;  /* plain, if it ends well */
    bool again;     /* its URL is the known one */
    bool own_agent; /* headers_out names a User-Agent */
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

/* http_kept.c: a socket is there (false: no memory), and goes; does something wait on the kept connection with this port of ours? */
bool sy_kept_open(symbi_http *h, int fd);
int sy_kept_close(void *h, curl_socket_t fd);
bool sy_kept_stale(symbi_http *h, int local_port);

/* Judges rq's URL and keeps what later checks need. */
symbi_status sy_guard_start(symbi_xfer *x, const symbi_http_request *rq, symbi_err *err);
void sy_guard_remember(symbi_xfer *x); /* x ended well */
void sy_guard_forget(symbi_xfer *x);
CURLU *sy_guard_url(symbi_xfer *x); /* the known URL as curl reads it, or NULL when x's is another one */
CURLcode sy_guard_setopt(symbi_xfer *x);
bool sy_guard_hop_body(symbi_xfer *x); /* the body of an answer that will be followed elsewhere: not kept */
/* http_route.c: judges rq->route, and says which proxy there will be (before sy_guard_start); in curl's terms. */
symbi_status sy_route_start(symbi_xfer *x, const symbi_http_request *rq, symbi_err *err);
CURLcode sy_route_setopt(symbi_xfer *x, const symbi_http_route *r);
bool sy_route_plain(const symbi_xfer *x, const symbi_http_route *r); /* sy_route_setopt has nothing to set */
void sy_route_failed(symbi_xfer *x); /* TLS did not come about */
bool sy_proxy_in_environment(void);
typedef enum sy_hop { SY_HOP_DONE, SY_HOP_AGAIN, SY_HOP_FAILED } sy_hop;
/* An answer is complete: the end, or x is set up for the next request. FAILED: x->err, x->result, x->why are set. */
sy_hop sy_guard_next(symbi_xfer *x);

symbi_status sy_xfer_method(symbi_xfer *x); /* http_xfer.c: method and body in curl's terms */
symbi_str sy_xfer_header(const symbi_xfer *x, const char *lower); /* of the answer so far; p NULL when absent */
bool sy_http_nocase(symbi_str s, const char *lower);
int64_t sy_http_ms(void);

void sy_xfer_discard(symbi_xfer *x); /* a spare one, too */
void sy_xfer_finish(symbi_xfer *x, CURLcode code);
void sy_xfer_fail(symbi_xfer *x, symbi_status st, symbi_http_error why, const char *message);
void sy_xfer_cancel(symbi_xfer *x); /* the client goes: ends as cancelled, and forgets it */
#endif
