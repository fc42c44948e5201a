/* io/http_xfer.c: one transfer: request in curl's terms, response collected under its cap, and what went wrong in ours. */
#define _GNU_SOURCE
#include "io/http_int.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/wire.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { WAITING_MAX = 256 << 10, HEAD_MAX = 256 << 10, MAX_REQUEST_HEADERS = 256, HEADER_MAX = 1 << 20, SPARE_MAX = 16 << 10 };

/* ---- response ------------------------------------------------------------------------------------------------------ */
static bool counts(symbi_xfer *x, size_t n)
{
    if (n > x->max - x->total) x->too_large = true;
    else x->total += n;
    return !x->too_large;
}

static size_t on_body(char *p, size_t size, size_t n, void *ud)
{
    symbi_xfer *x = ud;
    n *= size;
    if (sy_guard_hop_body(x)) return counts(x, n) ? n : 0;
    if (x->stream && x->body.n && x->body.n + n > WAITING_MAX) {
        x->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (!counts(x, n)) return 0;
    sy_buf_add(&x->body, p, n);
    return sy_buf_status(&x->body) ? 0 : n;
}

/* Digits, and the same ones in each such line: curl would take "7, 9" and "0x7" for something, and whoever stands between for something else. */
static bool one_length(const symbi_xfer *x, symbi_str now)
{
    symbi_str was = sy_xfer_header(x, "content-length");
    while (now.n && (unsigned char)*now.p <= ' ') now.p++, now.n--;
    while (now.n && (unsigned char)now.p[now.n - 1] <= ' ') now.n--;
    for (size_t i = 0; i < now.n; i++)
        if (now.p[i] < '0' || now.p[i] > '9') return false;
    return now.n && (!was.n || sy_str_eq(was, now));
}

static size_t on_header(char *p, size_t size, size_t n, void *ud)
{
    symbi_xfer *x = ud;
    const char *colon;
    size_t all = n * size, end = all;
    if (all > x->max_head - x->head_total) x->too_large = true;
    if (x->too_large) return 0;
    x->head_total += all;
    if (memchr(p, 0, all)) {
        x->garbled = true;
        return 0;
    }
    if (all >= 5 && !memcmp(p, "HTTP/", 5)) { /* a new response: the earlier one was interim or a redirect */
        sy_buf_clear(&x->head);
        x->nlines = 0;
        x->hop = 0;
        x->whole_head = false;
        return all;
    }
    if (*p == '\r' || *p == '\n') x->whole_head = true;
    colon = memchr(p, ':', all);
    if (!colon || ++x->nlines > x->h->cx->limits.http_headers) {
        if (colon) x->too_large = true;
        return colon ? 0 : all;
    }
    if (sy_http_nocase((symbi_str){ p, (size_t)(colon - p) }, "content-length") && !one_length(x, (symbi_str){ colon + 1, all - (size_t)(colon + 1 - p) })) {
        x->garbled = true;
        return 0;
    }
    while (end && (p[end - 1] == '\n' || p[end - 1] == '\r' || p[end - 1] == ' ' || p[end - 1] == '\t')) end--;
    sy_buf_add(&x->head, p, (size_t)(colon - p));
    sy_buf_addc(&x->head, 0);
    for (colon++; colon < p + end && (*colon == ' ' || *colon == '\t'); colon++) continue;
    if (colon < p + end) sy_buf_add(&x->head, colon, (size_t)(p + end - colon));
    sy_buf_addc(&x->head, 0);
    return sy_buf_status(&x->head) ? 0 : all;
}

/* ---- request ------------------------------------------------------------------------------------------------------- */
bool sy_http_nocase(symbi_str s, const char *lower)
{
    size_t n = strlen(lower);
    if (s.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if ((s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]) != lower[i]) return false;
    return true;
}

/* One bit for each character that a token may have (RFC 9110, 5.6.2): all that is visible but ()<>@,;:\"/[]?={} */
static bool token(symbi_str s)
{
    static const uint32_t may[8] = { 0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff, 0, 0, 0, 0 };
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!(may[c >> 5] >> (c & 31) & 1)) return false;
    }
    return s.n > 0;
}

/* Would curl take it for a request with a body? */
static bool has_body(const symbi_xfer *x) { return x->body_out.n || !strcmp(x->method, "POST") || !strcmp(x->method, "PUT") || !strcmp(x->method, "PATCH"); }

/* One array and one text (x->nodes, x->lines) instead of curl_slist_append, which allocates twice for each line. */
static void add_line(symbi_xfer *x, size_t *n, char *line)
{
    x->nodes[*n].data = line;
    x->nodes[*n].next = NULL;
    if (*n) x->nodes[*n - 1].next = &x->nodes[*n];
    else x->headers_out = x->nodes;
    ++*n;
}

static symbi_status add_headers(symbi_xfer *x, const symbi_http_request *rq, symbi_err *err)
{
    static const char *const ours[] = { "host", "content-length", "transfer-encoding", "connection", "expect" };
    static char no_expect[] = "Expect:", no_type[] = "Content-Type:";
    bool typed = false;
    size_t all = 0, n = 0;
    symbi_status st;
    if (rq->nheaders > MAX_REQUEST_HEADERS) return sy_fail(err, SYMBI_ELIMIT, "more than %d request headers", MAX_REQUEST_HEADERS);
    for (size_t i = 0; i < rq->nheaders; i++) {
        symbi_str name = rq->headers[i].name, value = rq->headers[i].value;
        if (!token(name)) return sy_fail(err, SYMBI_EINVAL, "header %lu: the name is empty or holds a character that no header name has", (unsigned long)i + 1);
        for (size_t k = 0; k < value.n; k++)
            if (((unsigned char)value.p[k] < 0x20 && value.p[k] != '\t') || value.p[k] == 0x7f) return sy_fail(err, SYMBI_EINVAL, "header %.*s: the value holds a control character", SY_FMT(name));
        for (size_t k = 0; k < 5; k++)
            if (sy_http_nocase(name, ours[k])) return sy_fail(err, SYMBI_EINVAL, "header %.*s is written by the client itself", SY_FMT(name));
        if (name.n + value.n > HEADER_MAX) return sy_fail(err, SYMBI_ELIMIT, "header %.*s is larger than 1 MiB", (int)(name.n < 100 ? name.n : 100), name.p);
        typed = typed || sy_http_nocase(name, "content-type");
        x->own_agent = x->own_agent || sy_http_nocase(name, "user-agent");
        all += name.n + value.n + 3;
    }
    /* all the room first: the list points into it */
    sy_buf_reserve(&x->lines, all);
    if ((st = sy_buf_status(&x->lines))) return st == SYMBI_ENOMEM ? sy_fail_nomem(err) : sy_fail(err, st, "the request headers are too large");
    if (sy_grow(&x->alloc, (void **)&x->nodes, &x->cap_nodes, rq->nheaders + 2, sizeof *x->nodes)) return sy_fail_nomem(err);
    for (size_t i = 0; i < rq->nheaders; i++) {
        size_t at = x->lines.n;
        sy_buf_adds(&x->lines, rq->headers[i].name);
        sy_buf_add(&x->lines, rq->headers[i].value.n ? ": " : ";", rq->headers[i].value.n ? 2 : 1); /* curl's way to send an empty value */
        sy_buf_adds(&x->lines, rq->headers[i].value);
        sy_buf_addc(&x->lines, 0);
        add_line(x, &n, x->lines.p + at);
    }
    if (has_body(x)) { /* curl would add its own; no redirect makes a body where there was none */
        add_line(x, &n, no_expect);
        if (!typed) add_line(x, &n, no_type);
    }
    return SYMBI_OK;
}

/* libcurl sends a request again when a kept connection breaks before any answer came, though the server may have acted on it. A body
 * that cannot be rewound keeps it from that. */
static size_t on_send(char *p, size_t size, size_t n, void *ud)
{
    symbi_xfer *x = ud;
    size_t left = x->body_out.n - x->sent;
    n *= size;
    if (n > left) n = left;
    memcpy(p, x->body_out.p + x->sent, n);
    x->sent += n;
    return n;
}

static int no_rewind(void *ud, curl_off_t offset, int origin)
{
    (void)ud;
    (void)offset;
    (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

#define SET(o, v) \
    c = c ? c : curl_easy_setopt(e, o, v)

/* What of a request changes from one to the next, be it a redirect or another request with the same handle: each of these is set every
 * time, whatever was set before. */
symbi_status sy_xfer_method(symbi_xfer *x)
{
    CURL *e = x->easy;
    CURLcode c = CURLE_OK;
    const char *method = x->method;
    bool body = has_body(x);
    int64_t left = x->until - sy_http_ms();
    if (left < 1) left = 1;
    if (x->target.tls || x->proxy != SY_PROXY_NONE) x->h->tls = true; /* before the first byte of it */
    SET(CURLOPT_URL, x->url.p);
    SET(CURLOPT_CURLU, sy_guard_url(x)); /* the same, already taken apart; NULL: curl does that */
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(left < x->h->connect_ms ? left : x->h->connect_ms));
    SET(CURLOPT_TIMEOUT_MS, (long)(left > 86400000 ? 86400000 : left));
    SET(CURLOPT_HTTPHEADER, x->headers_out);
    SET(CURLOPT_ACCEPT_ENCODING, x->gzip ? "gzip" : NULL); /* the caps count what comes out of it */
    if (x->agent != !x->own_agent) SET(CURLOPT_USERAGENT, x->own_agent ? NULL : "symbi-lua/" SYMBI_VERSION);
    x->agent = !x->own_agent;
    SET(CURLOPT_CUSTOMREQUEST, NULL);
    if (body) {
        bool pieces = x->once && x->body_out.n;
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body_out.n);
        SET(CURLOPT_POSTFIELDS, pieces ? NULL : x->body_out.n ? x->body_out.p : "");
        x->sent = 0;
        SET(CURLOPT_READFUNCTION, pieces ? on_send : NULL);
        SET(CURLOPT_READDATA, (void *)x);
        SET(CURLOPT_SEEKFUNCTION, pieces ? no_rewind : NULL);
    } else {
        if (x->bodied) {
            SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
            SET(CURLOPT_POSTFIELDS, NULL);
            SET(CURLOPT_READFUNCTION, NULL);
            SET(CURLOPT_SEEKFUNCTION, NULL);
        }
        SET(CURLOPT_HTTPGET, 1L); /* after those, which make it a POST */
    }
    x->bodied = body;
    SET(CURLOPT_FRESH_CONNECT, x->apart || x->fresh || (x->once && !x->body_out.n) ? 1L : 0L);
    if (!strcmp(method, "HEAD")) SET(CURLOPT_NOBODY, 1L); /* POST and HTTPGET put it back */
    else if (strcmp(method, body ? "POST" : "GET")) SET(CURLOPT_CUSTOMREQUEST, method);
    return c ? SYMBI_ENOMEM : SYMBI_OK;
}

static void reset(symbi_xfer *x)
{
    if (x->easy) curl_easy_reset(x->easy);
    x->plain = x->agent = x->bodied = false;
}

/* Most requests are plain ones: no proxy, no authorities or certificate of their own, no socket. What such a request sets stays set for the
 * next one that is plain, too, but for what sy_xfer_method sets. Before and after any other request everything is reset. */
static symbi_status set_up(symbi_xfer *x, const symbi_http_route *route)
{
    CURL *e;
    CURLcode c = CURLE_OK;
    bool kept = x->plain && sy_route_plain(x, route);
    x->ordinary = sy_route_plain(x, route);
    if (!x->easy && !(x->easy = curl_easy_init())) return SYMBI_ENOMEM;
    if (!kept) reset(x);
    x->plain = false;
    e = x->easy;
    if (!kept) {
        c = sy_guard_setopt(x);
        c = c ? c : sy_route_setopt(x, route);
        SET(CURLOPT_PRIVATE, (void *)x);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_FOLLOWLOCATION, 0L); /* each hop is judged first: http_guard.c */
        SET(CURLOPT_SSL_VERIFYPEER, 1L);
        SET(CURLOPT_SSL_VERIFYHOST, 2L);
        SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* what a proxy says is no answer of the server */
        SET(CURLOPT_ERRORBUFFER, x->message);
        SET(CURLOPT_WRITEFUNCTION, on_body);
        SET(CURLOPT_WRITEDATA, (void *)x);
        SET(CURLOPT_HEADERFUNCTION, on_header);
        SET(CURLOPT_HEADERDATA, (void *)x);
    }
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)x->max);
    return c ? SYMBI_ENOMEM : sy_xfer_method(x);
}
#undef SET

void sy_xfer_discard(symbi_xfer *x)
{
    symbi_alloc a = x->alloc;
    if (x->easy) curl_easy_cleanup(x->easy);
    sy_guard_forget(x);
    sy_buf_free(&x->lines);
    sy_buf_free(&x->body_out);
    sy_buf_free(&x->body);
    sy_buf_free(&x->taken);
    sy_buf_free(&x->head);
    sy_buf_free(&x->url);
    symbi_netguard_unref(x->guard);
    sy_free(&a, x->nodes, x->cap_nodes * sizeof *x->nodes);
    sy_free(&a, x->headers, x->cap_headers * sizeof *x->headers);
    sy_free(&a, x, sizeof *x);
}

/* Empties a buffer for the next request, and overwrites what was in it; false: no memory. */
static bool empty(sy_buf *b)
{
    sy_buf_clear(b);
    if (b->cap > SPARE_MAX) sy_buf_free(b);
    else if (b->p) memset(b->p, 0, b->cap);
    b->max = SPARE_MAX;
    return sy_buf_reserve(b, 200) != NULL; /* what a spare transfer holds does not depend on what it was used for */
}

/* x is not used any more: it waits for the next request, or goes. */
static void release(symbi_xfer *x)
{
    symbi_http *h = x->h;
    bool room = h && h->nspare < (h->own_loop ? 1 : sizeof h->spare / sizeof *h->spare);
    sy_buf_free(&x->body_out);
    sy_buf_free(&x->taken);
    if (!room || !empty(&x->lines) || !empty(&x->body) || !empty(&x->head) || !empty(&x->url) || sy_grow(&x->alloc, (void **)&x->nodes, &x->cap_nodes, 8, sizeof *x->nodes) ||
        sy_grow(&x->alloc, (void **)&x->headers, &x->cap_headers, 16, sizeof *x->headers)) {
        sy_xfer_discard(x);
        return;
    }
    symbi_netguard_unref(x->guard);
    memset((char *)x + offsetof(symbi_xfer, prev), 0, sizeof *x - offsetof(symbi_xfer, prev));
    h->spare[h->nspare++] = x;
}

symbi_status symbi_http_start(symbi_http *h, const symbi_http_request *rq, symbi_xfer **out, symbi_err *err)
{
    symbi_xfer *x;
    symbi_status st;
    *out = NULL;
    if (rq->method.n >= sizeof x->method || (rq->method.n && !token(rq->method))) return sy_fail(err, SYMBI_EINVAL, "the method is no token");
    if (h->nspare) {
        x = h->spare[--h->nspare];
    } else {
        x = sy_calloc(&h->cx->alloc, 1, sizeof *x);
        if (!x) return sy_fail_nomem(err);
        x->h = h;
        x->alloc = h->cx->alloc;
        sy_buf_init(&x->lines, x->alloc, 0);
        sy_buf_init(&x->body, x->alloc, 0);
        sy_buf_init(&x->head, x->alloc, 0);
        sy_buf_init(&x->url, x->alloc, 0);
    }
    x->stream = rq->stream;
    x->once = rq->once;
    x->gzip = rq->gzip;
    x->max = rq->max_bytes ? rq->max_bytes : h->max_bytes;
    x->max_head = HEAD_MAX;
    x->until = sy_http_ms() + (rq->timeout_ms > 0 ? rq->timeout_ms < (int64_t)1 << 40 ? rq->timeout_ms : (int64_t)1 << 40 : h->timeout_ms);
    memcpy(x->method, rq->method.n ? rq->method.p : "GET", rq->method.n ? rq->method.n : 3);
    x->url.max = 64 << 10;
    x->lines.max = (size_t)MAX_REQUEST_HEADERS * (HEADER_MAX + 4);
    x->head.max = 2 * HEAD_MAX;
    if ((st = sy_route_start(x, rq, err)) || (st = sy_guard_start(x, rq, err))) {
        release(x);
        return st;
    }
    x->body.max = x->max;
    sy_buf_init(&x->body_out, x->alloc, h->cx->limits.output_bytes);
    sy_buf_init(&x->taken, x->alloc, x->max);
    if (rq->body.n) sy_buf_adds(&x->body_out, rq->body);
    st = sy_buf_status(&x->body_out);
    if (st) sy_fail(err, st, st == SYMBI_ENOMEM ? "out of memory" : "the request body is too large");
    else st = add_headers(x, rq, err);
    if (!st && set_up(x, rq->route)) st = sy_fail_nomem(err);
    if (!st && curl_multi_add_handle(h->multi, x->easy)) st = sy_fail_nomem(err);
    if (st) {
        reset(x);
        release(x);
        return st;
    }
    x->next = h->xfers;
    if (x->next) x->next->prev = x;
    h->xfers = x;
    h->open++;
    *out = x;
    return SYMBI_OK;
}

/* ---- end ------------------------------------------------------------------------------------------------------------ */
static void unlink_from(symbi_xfer **list, symbi_xfer *x)
{
    if (x->prev) x->prev->next = x->next;
    else *list = x->next;
    if (x->next) x->next->prev = x->prev;
    x->prev = x->next = NULL;
}

static void leave(symbi_xfer *x)
{
    symbi_http *h = x->h;
    sy_http_guard g;
    unlink_from(&h->xfers, x);
    h->open--;
    sy_http_guard_on(h, &g); /* a connection that is dropped half-way says goodbye over TLS */
    curl_multi_remove_handle(h->multi, x->easy);
    sy_http_guard_off(h, &g);
    if (!x->plain) reset(x);
    x->done = true;
    x->next = h->ended;
    if (x->next) x->next->prev = x;
    h->ended = x;
}

void sy_xfer_fail(symbi_xfer *x, symbi_status st, symbi_http_error why, const char *message)
{
    leave(x);
    x->result = st;
    x->why = why;
    sy_fail(&x->err, st, "%s", message);
}

void sy_xfer_cancel(symbi_xfer *x)
{
    symbi_http *h = x->h;
    sy_xfer_fail(x, SYMBI_EABORT, SYMBI_HTTP_ERROR_CANCELLED, "the request was cancelled");
    unlink_from(&h->ended, x);
    x->h = NULL;
}

static symbi_http_error reason(const symbi_xfer *x, CURLcode c, long os)
{
    switch (c) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return SYMBI_HTTP_ERROR_RESOLVE;
    case CURLE_PROXY: return SYMBI_HTTP_ERROR_CONNECT;
    case CURLE_COULDNT_CONNECT: return os == ECONNREFUSED ? SYMBI_HTTP_ERROR_REFUSED : SYMBI_HTTP_ERROR_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: return SYMBI_HTTP_ERROR_TIMEOUT;
    case CURLE_FILESIZE_EXCEEDED: return SYMBI_HTTP_ERROR_TOO_LARGE;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING: return SYMBI_HTTP_ERROR_TRUNCATED;
    case CURLE_SEND_FAIL_REWIND: return SYMBI_HTTP_ERROR_RESET; /* a kept connection broke, and the request is not sent twice */
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return os ? SYMBI_HTTP_ERROR_RESET : x->status ? SYMBI_HTTP_ERROR_PROTOCOL : SYMBI_HTTP_ERROR_RESET;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CRL_BADFILE: return SYMBI_HTTP_ERROR_TLS;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* an answer that is no HTTP; other schemes never get here */
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return SYMBI_HTTP_ERROR_PROTOCOL;
    default: return SYMBI_HTTP_ERROR_OTHER;
    }
}

static const char *said(symbi_http_error why)
{
    switch (why) {
    case SYMBI_HTTP_ERROR_REFUSED: return "the connection was refused (is the server running?)";
    case SYMBI_HTTP_ERROR_RESOLVE: return "the host name cannot be resolved";
    case SYMBI_HTTP_ERROR_CONNECT: return "cannot connect";
    case SYMBI_HTTP_ERROR_TLS: return "TLS failed";
    case SYMBI_HTTP_ERROR_TIMEOUT: return "no answer in time";
    case SYMBI_HTTP_ERROR_TOO_LARGE: return "the answer is larger than allowed";
    case SYMBI_HTTP_ERROR_TRUNCATED: return "the answer was cut off";
    case SYMBI_HTTP_ERROR_PROTOCOL: return "the answer is not valid HTTP";
    case SYMBI_HTTP_ERROR_RESET: return "the connection was reset";
    default: return "the request failed";
    }
}

/* Names of the collected header lines; false: out of memory. */
static bool list_headers(symbi_xfer *x)
{
    const char *p = x->head.p, *end = p ? p + x->head.n : p;
    if (!p) return true;
    while (p < end) {
        symbi_http_header f;
        f.name.p = p;
        f.name.n = strlen(p);
        p += f.name.n + 1;
        f.value.p = p;
        f.value.n = strlen(p);
        p += f.value.n + 1;
        if (sy_grow(&x->alloc, (void **)&x->headers, &x->cap_headers, x->nheaders + 1, sizeof f)) return false;
        x->headers[x->nheaders++] = f;
    }
    return true;
}

void sy_xfer_finish(symbi_xfer *x, CURLcode code)
{
    long status = 0, os = 0, connects = 1, tunnel = 0, version = 0;
    curl_off_t us = 0;
    char *url = NULL, where[200] = "";
    if (x->stale) {
        x->stale = false;
        x->fresh = true;
        curl_multi_remove_handle(x->h->multi, x->easy);
        if (!sy_xfer_method(x) && !curl_multi_add_handle(x->h->multi, x->easy)) return;
        code = CURLE_OUT_OF_MEMORY;
    }
    if (!code && !x->whole_head) { /* for libcurl a connection that ends within the header lines is an answer without a body */
        code = CURLE_PARTIAL_FILE;
        memcpy(x->message, "within its header lines", sizeof "within its header lines");
    }
    if (!code) {
        sy_hop hop = sy_guard_next(x);
        if (hop == SY_HOP_AGAIN) return;
        if (hop == SY_HOP_FAILED) {
            leave(x);
            return;
        }
    }
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(x->easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(x->easy, CURLINFO_TOTAL_TIME_T, &us);
    if (code) {
        curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &os);
        curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
        curl_easy_getinfo(x->easy, CURLINFO_EFFECTIVE_URL, &url);
    }
    if (url) { /* without the query, which may hold a key */
        size_t n = strcspn(url, "?#");
        symbi_str s = { url, n < sizeof where ? n : sizeof where - 1 };
        sy_clean_line(where, sizeof where, s);
    }
    x->status = (int)status;
    x->duration_ms = (int64_t)(us / 1000);
    x->reused = connects == 0;
    x->http_version = version == CURL_HTTP_VERSION_2_0 ? 20 : version == CURL_HTTP_VERSION_1_0 ? 10 : 11;
    /* Only what came off as it should over a connection that was there leaves nothing behind in the handle: no retries that are counted,
     * no authentication that was asked for, no half body. */
    x->plain = !code && x->ordinary && !x->stream && !x->hops && x->reused && status >= 200 && status < 300;
    if (x->plain) sy_guard_remember(x);
    leave(x);
    /* libcurl calls a header line beyond its 100 KiB "out of memory"; nothing of the body had come then */
    if (code == CURLE_OUT_OF_MEMORY && status && !x->total && !sy_buf_status(&x->head)) x->too_large = true;
    if (!code && !list_headers(x)) code = CURLE_OUT_OF_MEMORY;
    if (!code) return;
    if (x->no_memory || sy_buf_status(&x->body) == SYMBI_ENOMEM || sy_buf_status(&x->head) == SYMBI_ENOMEM || (code == CURLE_OUT_OF_MEMORY && !x->too_large)) {
        x->result = sy_fail_nomem(&x->err);
        x->why = SYMBI_HTTP_ERROR_OTHER;
        return;
    }
    if (x->refused) {
        x->why = SYMBI_HTTP_ERROR_DENIED;
        x->result = x->err.code;
        return;
    }
    if (tunnel >= 300) { /* the proxy refused; the server was never asked */
        x->why = SYMBI_HTTP_ERROR_CONNECT;
        x->result = sy_fail(&x->err, SYMBI_EIO, "%s: the proxy answered %d%s", where, (int)tunnel, tunnel == 407 ? " (it wants user:password@ in its URL)" : "");
        return;
    }
    x->why = x->too_large ? SYMBI_HTTP_ERROR_TOO_LARGE : x->garbled ? SYMBI_HTTP_ERROR_PROTOCOL : reason(x, code, os);
    if (x->why == SYMBI_HTTP_ERROR_TLS) sy_route_failed(x);
    x->result = x->why == SYMBI_HTTP_ERROR_TIMEOUT ? SYMBI_ETIMEOUT : x->why == SYMBI_HTTP_ERROR_TOO_LARGE ? SYMBI_ELIMIT : SYMBI_EIO;
    if (x->too_large) sy_fail(&x->err, x->result, "%s: %s (body %lu bytes, headers %d)", where, said(x->why), (unsigned long)x->max, (int)x->max_head);
    else sy_fail(&x->err, x->result, "%s: %s (%s)", where, said(x->why),
                 x->garbled ? "its header lines have a NUL, two lengths, or a length that is no number" : x->message[0] ? x->message : curl_easy_strerror(code));
}

symbi_str sy_xfer_header(const symbi_xfer *x, const char *lower)
{
    symbi_str none = { NULL, 0 };
    const char *p = x->head.p, *end = p ? p + x->head.n : p;
    while (p && p < end) {
        symbi_str name = { p, strlen(p) }, value = { p + name.n + 1, strlen(p + name.n + 1) };
        if (sy_http_nocase(name, lower)) return value;
        p = value.p + value.n + 1;
    }
    return none;
}

bool symbi_xfer_done(const symbi_xfer *x) { return x->done; }

int symbi_xfer_status(const symbi_xfer *x)
{
    long status = 0;
    if (x->done) return x->status;
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

symbi_str symbi_xfer_take(symbi_xfer *x)
{
    sy_buf was = x->taken;
    symbi_str s = { "", 0 };
    if (!x->stream) return s; /* its body is handed out whole */
    x->taken = x->body;
    x->body = was;
    sy_buf_clear(&x->body);
    if (x->paused && !x->done) {
        x->paused = false;
        curl_easy_pause(x->easy, CURLPAUSE_CONT); /* may deliver what it held back at once */
    }
    s = sy_buf_str(&x->taken);
    if (!s.p) s.p = "";
    return s;
}

symbi_status symbi_xfer_result(symbi_xfer *x, symbi_http_response *out, symbi_http_error *why, symbi_err *err)
{
    memset(out, 0, sizeof *out);
    if (why) *why = SYMBI_HTTP_ERROR_NONE;
    if (!x->done) return sy_fail(err, SYMBI_ESTATE, "the request is still open");
    if (x->result) {
        if (why) *why = x->why;
        if (err) *err = x->err;
        return x->result;
    }
    out->status = x->status;
    out->body = sy_buf_str(&x->body);
    if (!out->body.p) out->body.p = "";
    out->headers = x->headers;
    out->nheaders = x->nheaders;
    out->duration_ms = x->duration_ms;
    out->reused = x->reused;
    out->http_version = x->http_version;
    return SYMBI_OK;
}

void symbi_xfer_free(symbi_xfer *x)
{
    if (!x) return;
    if (!x->done) sy_xfer_cancel(x);
    else if (x->h) unlink_from(&x->h->ended, x);
    release(x);
}
