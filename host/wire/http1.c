/* wire/http1.c: incremental reader of HTTP/1 messages. The head is collected whole (it is small and bounded), the body is
 * handed out as it lies in the input. Everything that request smuggling lives on is refused: bare LF, folded lines, blanks
 * before a colon, Content-Length beside Transfer-Encoding or twice with different values, codings other than chunked. */
#include "wire/http1.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/chars.h"

typedef enum step { IN_HEAD, IN_LENGTH, IN_CHUNK_SIZE, IN_CHUNK, IN_CHUNK_END, IN_TRAILER, UNTIL_CLOSE, COMPLETE, DEAD } step;

struct symbi_http1 {
    symbi_alloc alloc;
    symbi_http1_options o;
    size_t max_fields;
    step at;
    sy_buf head;       /* start line and fields with their CRLFs */
    sy_buf line;       /* chunk size or trailer line */
    symbi_http1_field *f;
    size_t cap;
    symbi_http1_message m;
    bool have_head, has_host, conn_close, conn_keep;
    uint64_t left, body; /* of the present chunk or length; total so far */
    size_t trailer;
    symbi_err err;
};

bool sy_http1_is(symbi_str s, const char *lower)
{
    size_t n = strlen(lower);
    if (s.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if (sy_lower(s.p[i]) != lower[i]) return false;
    return true;
}

bool sy_http1_token(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!sy_is_tchar(s.p[i])) return false;
    return s.n > 0;
}

bool sy_http1_value(symbi_str s)
{
    if (s.n && (sy_in(s.p[0], " \t") || sy_in(s.p[s.n - 1], " \t"))) return false;
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f) return false;
    return true;
}

symbi_status symbi_http1_new(symbi_ctx *cx, const symbi_http1_options *o, symbi_http1 **out, symbi_err *err)
{
    symbi_http1 *h = *out = sy_calloc(&cx->alloc, 1, sizeof *h);
    if (!h) return sy_fail_nomem(err);
    h->alloc = cx->alloc;
    if (o) h->o = *o;
    if (!h->o.max_head) h->o.max_head = 64 << 10;
    if (!h->o.max_body) h->o.max_body = cx->limits.doc_bytes;
    h->max_fields = cx->limits.http_headers;
    sy_buf_init(&h->head, cx->alloc, h->o.max_head);
    sy_buf_init(&h->line, cx->alloc, 4096);
    return SYMBI_OK;
}

void symbi_http1_free(symbi_http1 *h)
{
    symbi_alloc a;
    if (!h) return;
    a = h->alloc;
    sy_buf_free(&h->head);
    sy_buf_free(&h->line);
    sy_free(&a, h->f, h->cap * sizeof *h->f);
    sy_free(&a, h, sizeof *h);
}

void symbi_http1_reset(symbi_http1 *h, bool head)
{
    sy_buf_clear(&h->head);
    sy_buf_clear(&h->line);
    memset(&h->m, 0, sizeof h->m);
    h->o.head = head;
    h->at = IN_HEAD;
    h->have_head = h->has_host = h->conn_close = h->conn_keep = false;
    h->left = h->body = 0;
    h->trailer = 0;
}

const symbi_http1_message *symbi_http1_head(const symbi_http1 *h) { return h->have_head ? &h->m : NULL; }

symbi_str symbi_http1_get(const symbi_http1_message *m, const char *name)
{
    symbi_str none = { NULL, 0 };
    for (size_t i = 0; i < m->nfields; i++) {
        size_t k = 0, n = m->fields[i].name.n;
        while (k < n && name[k] && sy_lower(m->fields[i].name.p[k]) == sy_lower(name[k])) k++;
        if (k == n && !name[k]) return m->fields[i].value;
    }
    return none;
}

static symbi_status dead(symbi_http1 *h, symbi_status st, const char *what, symbi_err *err)
{
    const char *who = h->o.kind == SYMBI_HTTP1_REQUEST ? "request" : "response";
    if (st == SYMBI_ENOMEM) sy_fail_nomem(&h->err);
    else sy_fail(&h->err, st, "bad HTTP %s: %s", who, what);
    h->at = DEAD;
    if (err) *err = h->err;
    return st;
}

/* "HTTP/1.x" */
static bool version(symbi_str s, int *minor)
{
    if (s.n != 8 || memcmp(s.p, "HTTP/1.", 7) || !sy_is_digit(s.p[7])) return false;
    *minor = s.p[7] - '0';
    return true;
}

static const char *status_line(symbi_http1 *h, symbi_str l)
{
    symbi_str v = { l.p, 8 };
    if (l.n < 12 || !version(v, &h->m.minor)) return "it does not start with HTTP/1.0 or HTTP/1.1";
    if (l.p[8] != ' ' || !sy_is_digit(l.p[9]) || !sy_is_digit(l.p[10]) || !sy_is_digit(l.p[11]) || (l.n > 12 && l.p[12] != ' ')) return "the status line holds no three-digit status";
    h->m.status = (l.p[9] - '0') * 100 + (l.p[10] - '0') * 10 + (l.p[11] - '0');
    if (h->m.status < 100) return "the status is below 100";
    h->m.reason.p = l.n > 12 ? l.p + 13 : "";
    h->m.reason.n = l.n > 12 ? l.n - 13 : 0;
    return NULL;
}

static const char *request_line(symbi_http1 *h, symbi_str l)
{
    const char *sp1 = memchr(l.p, ' ', l.n), *sp2;
    symbi_str v;
    if (!sp1) return "the request line has no target";
    h->m.method.p = l.p;
    h->m.method.n = (size_t)(sp1 - l.p);
    sp2 = memchr(sp1 + 1, ' ', (size_t)(l.p + l.n - sp1 - 1));
    if (!sp2) return "the request line has no version";
    h->m.target.p = sp1 + 1;
    h->m.target.n = (size_t)(sp2 - sp1 - 1);
    v.p = sp2 + 1;
    v.n = (size_t)(l.p + l.n - v.p);
    if (!sy_http1_token(h->m.method)) return "the method is no token";
    if (!version(v, &h->m.minor)) return "the version is not HTTP/1.0 or HTTP/1.1";
    if (!h->m.target.n) return "the target is empty";
    for (size_t i = 0; i < h->m.target.n; i++)
        if ((unsigned char)h->m.target.p[i] <= 0x20 || (unsigned char)h->m.target.p[i] >= 0x7f) return "the target holds a character that must be percent-encoded";
    return NULL;
}

static const char *content_length(symbi_http1 *h, symbi_str v)
{
    uint64_t n = 0;
    if (!v.n || v.n > 19) return "Content-Length is no number";
    for (size_t i = 0; i < v.n; i++) {
        if (!sy_is_digit(v.p[i])) return "Content-Length is no number";
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    if (h->m.has_length && h->m.length != n) return "two different values of Content-Length";
    h->m.has_length = true;
    h->m.length = n;
    return NULL;
}

static void connection(symbi_http1 *h, symbi_str v)
{
    while (v.n) {
        const char *c = memchr(v.p, ',', v.n);
        symbi_str w = { v.p, c ? (size_t)(c - v.p) : v.n };
        v.p += w.n + (c != NULL);
        v.n -= w.n + (c != NULL);
        while (w.n && sy_in(w.p[0], " \t")) w.p++, w.n--;
        while (w.n && sy_in(w.p[w.n - 1], " \t")) w.n--;
        if (sy_http1_is(w, "close")) h->conn_close = true;
        if (sy_http1_is(w, "keep-alive")) h->conn_keep = true;
    }
}

static const char *field_line(symbi_http1 *h, symbi_str l)
{
    const char *colon = memchr(l.p, ':', l.n);
    symbi_http1_field f;
    if (sy_in(l.p[0], " \t")) return "a folded header line";
    if (!colon) return "a header line without a colon";
    f.name.p = l.p;
    f.name.n = (size_t)(colon - l.p);
    f.value.p = colon + 1;
    f.value.n = l.n - f.name.n - 1;
    while (f.value.n && sy_in(f.value.p[0], " \t")) f.value.p++, f.value.n--;
    while (f.value.n && sy_in(f.value.p[f.value.n - 1], " \t")) f.value.n--;
    if (!sy_http1_token(f.name)) return "a header name that is no token";
    if (!sy_http1_value(f.value)) return "a control character in a header";
    h->f[h->m.nfields++] = f;
    if (sy_http1_is(f.name, "content-length")) return content_length(h, f.value);
    if (sy_http1_is(f.name, "transfer-encoding")) {
        if (h->m.chunked || !sy_http1_is(f.value, "chunked")) return "a Transfer-Encoding other than chunked";
        h->m.chunked = true;
    }
    if (sy_http1_is(f.name, "connection")) connection(h, f.value);
    if (sy_http1_is(f.name, "host")) {
        if (h->has_host) return "two Host headers";
        h->has_host = true;
    }
    return NULL;
}

static const char *framing(symbi_http1 *h)
{
    symbi_http1_message *m = &h->m;
    bool request = h->o.kind == SYMBI_HTTP1_REQUEST;
    if (m->chunked && m->has_length) return "Content-Length beside Transfer-Encoding";
    if (m->chunked && m->minor == 0) return "Transfer-Encoding in HTTP/1.0";
    if (request && m->minor > 0 && !h->has_host) return "the Host header is missing";
    m->keep_alive = m->minor == 0 ? h->conn_keep && !h->conn_close : !h->conn_close;
    if (!request && (h->o.head || m->status == 204 || m->status == 304 || m->status == 101)) {
        h->at = COMPLETE;
    } else if (m->chunked) {
        h->at = IN_CHUNK_SIZE;
    } else if (m->has_length) {
        if (m->length > h->o.max_body) return "";
        h->left = m->length;
        h->at = m->length ? IN_LENGTH : COMPLETE;
    } else if (request) {
        h->at = COMPLETE;
    } else {
        m->until_close = true;
        m->keep_alive = false;
        h->at = UNTIL_CLOSE;
    }
    return NULL;
}

/* The whole head lies in h->head, ended by an empty line. */
static symbi_status parse_head(symbi_http1 *h, symbi_err *err)
{
    const char *p = h->head.p, *end = p + h->head.n, *fault;
    size_t lines = 0;
    for (const char *q = p; q < end; q++) lines += *q == '\n';
    if (lines > h->max_fields + 2) return dead(h, SYMBI_ELIMIT, "too many header lines", err);
    if (sy_grow(&h->alloc, (void **)&h->f, &h->cap, lines, sizeof *h->f)) return dead(h, SYMBI_ENOMEM, "", err);
    memset(&h->m, 0, sizeof h->m);
    h->m.fields = h->f;
    h->m.reason.p = h->m.method.p = h->m.target.p = "";
    h->has_host = h->conn_close = h->conn_keep = false;
    for (bool first = true; p < end; first = false) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        symbi_str l = { p, (size_t)(nl - p) - 1 };
        if (memchr(l.p, '\r', l.n) || memchr(l.p, 0, l.n)) return dead(h, SYMBI_EPARSE, "a control character in the head", err);
        p = nl + 1;
        if (!l.n && !first) break;
        fault = first ? (h->o.kind == SYMBI_HTTP1_REQUEST ? request_line(h, l) : status_line(h, l)) : field_line(h, l);
        if (fault) return dead(h, SYMBI_EPARSE, fault, err);
    }
    fault = framing(h);
    if (fault) return *fault ? dead(h, SYMBI_EPARSE, fault, err) : dead(h, SYMBI_ELIMIT, "the body is larger than allowed", err);
    return SYMBI_OK;
}

/* Moves bytes up to and including LF into b. 1: a line is complete (CRLF at its end), 0: more needed, -1: too long, -2: bare LF. */
static int take_line(sy_buf *b, symbi_str *in)
{
    const char *nl = in->n ? memchr(in->p, '\n', in->n) : NULL;
    size_t n = nl ? (size_t)(nl - in->p) + 1 : in->n;
    sy_buf_add(b, in->p, n);
    in->p += n, in->n -= n;
    if (sy_buf_status(b)) return -1;
    if (!nl) return 0;
    return b->n >= 2 && b->p[b->n - 2] == '\r' ? 1 : -2;
}

static symbi_status line_fault(symbi_http1 *h, const sy_buf *b, int got, symbi_err *err)
{
    if (got == -2) return dead(h, SYMBI_EPARSE, "a line that does not end with CR LF", err);
    return dead(h, sy_buf_status(b), "the head or a line of it is too long", err);
}

static symbi_status read_head(symbi_http1 *h, symbi_str *in, symbi_err *err)
{
    while (in->n) {
        size_t from = h->head.n;
        int got;
        /* a line may have begun in an earlier piece of input */
        while (from && h->head.p[from - 1] != '\n') from--;
        got = take_line(&h->head, in);
        /* something else than HTTP is told from its first bytes: it may never send a line */
        if (got >= 0 && from == 0 && h->o.kind == SYMBI_HTTP1_RESPONSE && memcmp(h->head.p, "HTTP/1.", h->head.n < 7 ? h->head.n : 7)) return dead(h, SYMBI_EPARSE, "it does not start with HTTP/1", err);
        if (got < 0) return line_fault(h, &h->head, got, err);
        if (got == 0) return SYMBI_EAGAIN;
        if (from == 0) {
            if (h->head.n == 2 && h->o.kind == SYMBI_HTTP1_REQUEST) sy_buf_clear(&h->head); /* an empty line before a request (RFC 9112, 2.2) */
            else if (h->head.n < 2 + 12) return dead(h, SYMBI_EPARSE, "it does not start as HTTP/1 does", err);
            continue;
        }
        if (h->head.n - from == 2) return parse_head(h, err);
    }
    return SYMBI_EAGAIN;
}

static symbi_status chunk_size(symbi_http1 *h, symbi_err *err)
{
    size_t i = 0, n = h->line.n - 2;
    uint64_t v = 0;
    for (; i < n && sy_hex(h->line.p[i]) >= 0; i++) {
        if (i == 15) return dead(h, SYMBI_EPARSE, "a chunk size out of all proportion", err);
        v = v << 4 | (uint64_t)sy_hex(h->line.p[i]);
    }
    if (!i || (i < n && !sy_in(h->line.p[i], "; \t"))) return dead(h, SYMBI_EPARSE, "a chunk without a size", err);
    for (; i < n; i++)
        if ((unsigned char)h->line.p[i] < 0x20 && h->line.p[i] != '\t') return dead(h, SYMBI_EPARSE, "a control character in a chunk extension", err);
    if (v > h->o.max_body - h->body) return dead(h, SYMBI_ELIMIT, "the body is larger than allowed", err);
    h->left = v;
    h->at = v ? IN_CHUNK : IN_TRAILER;
    sy_buf_clear(&h->line);
    return SYMBI_OK;
}

static symbi_status give(symbi_http1 *h, symbi_str *in, uint64_t most, symbi_http1_what *what, symbi_str *data)
{
    data->p = in->p;
    data->n = in->n < most ? in->n : (size_t)most;
    in->p += data->n, in->n -= data->n;
    h->body += data->n;
    *what = SYMBI_HTTP1_DATA;
    return SYMBI_OK;
}

symbi_status symbi_http1_next(symbi_http1 *h, symbi_str *in, symbi_http1_what *what, symbi_str *data, symbi_err *err)
{
    symbi_status st;
    int got;
    *what = 0;
    data->p = "";
    data->n = 0;
    for (;;) switch (h->at) {
        case IN_HEAD:
            if ((st = read_head(h, in, err))) return st;
            if (h->o.kind == SYMBI_HTTP1_RESPONSE && h->m.status < 200 && h->m.status != 101) {
                sy_buf_clear(&h->head); /* interim: the real one follows */
                h->at = IN_HEAD;
                continue;
            }
            h->have_head = true;
            *what = SYMBI_HTTP1_HEAD;
            return SYMBI_OK;
        case IN_LENGTH:
        case IN_CHUNK:
            if (!in->n) return SYMBI_EAGAIN;
            st = give(h, in, h->left, what, data);
            h->left -= data->n;
            if (!h->left) h->at = h->at == IN_CHUNK ? IN_CHUNK_END : COMPLETE;
            return st;
        case IN_CHUNK_SIZE:
            if ((got = take_line(&h->line, in)) == 0) return SYMBI_EAGAIN;
            if (got < 0) return line_fault(h, &h->line, got, err);
            if ((st = chunk_size(h, err))) return st;
            continue;
        case IN_CHUNK_END:
            if ((got = take_line(&h->line, in)) == 0) {
                if (h->line.n > 1 || (h->line.n && h->line.p[0] != '\r')) return dead(h, SYMBI_EPARSE, "a chunk is longer than its size", err);
                return SYMBI_EAGAIN;
            }
            if (got < 0 || h->line.n != 2) return dead(h, SYMBI_EPARSE, "a chunk is longer than its size", err);
            sy_buf_clear(&h->line);
            h->at = IN_CHUNK_SIZE;
            continue;
        case IN_TRAILER: /* read over: nothing of ours uses them */
            if ((got = take_line(&h->line, in)) == 0) return SYMBI_EAGAIN;
            if (got < 0) return line_fault(h, &h->line, got, err);
            if (h->line.n == 2) h->at = COMPLETE;
            h->trailer += h->line.n;
            if (h->trailer > h->o.max_head) return dead(h, SYMBI_ELIMIT, "the trailer is too long", err);
            sy_buf_clear(&h->line);
            continue;
        case UNTIL_CLOSE:
            if (!in->n) return SYMBI_EAGAIN;
            if (in->n > h->o.max_body - h->body) return dead(h, SYMBI_ELIMIT, "the body is larger than allowed", err);
            return give(h, in, in->n, what, data);
        case COMPLETE: *what = SYMBI_HTTP1_END; return SYMBI_OK;
        case DEAD:
            if (err) *err = h->err;
            return h->err.code ? h->err.code : SYMBI_ESTATE;
        }
}

symbi_status symbi_http1_eof(symbi_http1 *h, symbi_err *err)
{
    if (h->at == UNTIL_CLOSE) h->at = COMPLETE;
    if (h->at == COMPLETE) return SYMBI_OK;
    if (h->at == DEAD) {
        if (err) *err = h->err;
        return h->err.code;
    }
    if (h->at == IN_HEAD && !h->head.n) return sy_fail(err, SYMBI_EIO, "the connection was closed before %s began", h->o.kind == SYMBI_HTTP1_REQUEST ? "a request" : "the response");
    return sy_fail(err, SYMBI_EIO, "the HTTP %s was cut off", h->o.kind == SYMBI_HTTP1_REQUEST ? "request" : "response");
}
