/* run/model_decode.c: taking in one answer. Whether a body is a stream of events is seen from its first bytes, not from
 * what was asked for: servers ignore "stream", and drivers may hand over a streamed body in one piece. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "run/model_in.h"
#include "symbi/json.h"
#include "symbi/wire.h"

enum { HEAD_MAX = 4096, STREAM_FACTOR = 8 };
typedef enum mode { MODE_UNKNOWN, MODE_BODY, MODE_EVENTS } mode;

struct sy_model_decoder {
    symbi_ctx *cx;
    const sy_model_provider *p;
    sy_model_acc acc;
    char *text; /* the strings of the request that are needed later, in one block */
    size_t ntext;
    symbi_str key, model, url;
    mode mode;
    sy_buf body;   /* all of it, or the head of an event stream */
    symbi_sse *sse;
    size_t seen;   /* bytes fed */
    size_t max_body, max_events;
    bool too_large, done;
    symbi_status bad; /* first failure in the stream, told at the end */
    symbi_err bad_err;
};

/* The allocator may outlive the answer; the key must not. */
static void wipe(void *p, size_t n)
{
    volatile char *v = p;
    while (n--) *v++ = 0;
}

static symbi_str keep(char **at, symbi_str s)
{
    symbi_str r = { *at, s.n };
    if (s.n) memcpy(*at, s.p, s.n);
    *at += s.n;
    return r;
}

symbi_status sy_model_decoder_new(symbi_ctx *cx, const sy_model_endpoint *ep, const sy_model_request *rq, sy_model_decoder **out, symbi_err *err)
{
    const sy_model_provider *p = sy_model_provider_find(ep->provider);
    symbi_str model = rq->model.n ? rq->model : ep->model;
    size_t max = cx->limits.model_response;
    sy_model_decoder *d;
    char *at;
    *out = NULL;
    if (!p) return sy_fail(err, SYMBI_ENOTFOUND, "unknown model provider '%.*s'", SY_FMT(ep->provider));
    d = sy_calloc(&cx->alloc, 1, sizeof *d);
    if (!d) return sy_fail_nomem(err);
    d->ntext = ep->key.n + model.n + ep->base_url.n + 1;
    at = d->text = sy_alloc(&cx->alloc, d->ntext);
    if (!at) {
        sy_free(&cx->alloc, d, sizeof *d);
        return sy_fail_nomem(err);
    }
    d->cx = cx;
    d->p = p;
    d->key = keep(&at, ep->key);
    d->model = keep(&at, model);
    d->url = ep->base_url.n ? keep(&at, ep->base_url) : symbi_str_z(p->base_url);
    for (size_t i = 0; i < d->url.n; i++) /* a query may hold what is not for messages */
        if (d->url.p[i] == '?') d->url.n = i;
    d->max_body = max;
    /* an event carries a few bytes of answer in a few hundred of wrapping */
    d->max_events = max > SIZE_MAX / STREAM_FACTOR ? SIZE_MAX : max * STREAM_FACTOR;
    sy_model_acc_init(&d->acc, cx, d->key, rq->turn);
    sy_buf_init(&d->body, cx->alloc, max < HEAD_MAX ? HEAD_MAX : max);
    if (symbi_sse_new(cx, max, &d->sse, err)) {
        sy_model_decoder_free(d);
        return SYMBI_ENOMEM;
    }
    *out = d;
    return SYMBI_OK;
}

void sy_model_decoder_free(sy_model_decoder *d)
{
    symbi_alloc a;
    if (!d) return;
    a = d->cx->alloc;
    sy_model_acc_free(&d->acc);
    sy_buf_free(&d->body);
    symbi_sse_free(d->sse);
    wipe(d->text, d->ntext);
    sy_free(&a, d->text, d->ntext);
    sy_free(&a, d, sizeof *d);
}

symbi_str sy_model_decoder_text(const sy_model_decoder *d) { return sy_buf_str(&d->acc.content); }

/* ---- feeding ------------------------------------------------------------------------------------------------------ */

/* Looks at the first line's beginning; MODE_UNKNOWN while it is too short to tell. */
static mode sniff(symbi_str s)
{
    static const char *const fields[] = { "data:", "event:", "id:", "retry:" };
    bool maybe = false;
    if (sy_str_starts(s, SY_LIT("\xef\xbb\xbf"))) s.p += 3, s.n -= 3;
    else if (s.n && s.n < 3 && memcmp(s.p, "\xef\xbb\xbf", s.n) == 0) return MODE_UNKNOWN;
    while (s.n && (s.p[0] == '\n' || s.p[0] == '\r' || s.p[0] == ' ' || s.p[0] == '\t')) s.p++, s.n--;
    if (!s.n) return MODE_UNKNOWN;
    if (s.p[0] == ':') return MODE_EVENTS;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        symbi_str f = symbi_str_z(fields[i]);
        if (sy_str_starts(s, f)) return MODE_EVENTS;
        if (s.n < f.n && memcmp(s.p, f.p, s.n) == 0) maybe = true;
    }
    return maybe ? MODE_UNKNOWN : MODE_BODY;
}

static symbi_status event(sy_model_decoder *d, symbi_str data, symbi_err *err)
{
    symbi_doc *doc;
    symbi_status st;
    symbi_err e;
    if (d->done) return SYMBI_OK; /* nothing counts after the end */
    if (sy_str_eqz(data, "[DONE]")) {
        d->done = true;
        return SYMBI_OK;
    }
    st = symbi_json_parse(d->cx, data, &doc, &e);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) return sy_model_fail(&d->acc, SY_FAULT_PARSE, err, "an event of the stream is no JSON: %.200s", e.msg);
    if (symbi_doc_root(doc)->kind != SYMBI_OBJECT) st = sy_model_fail(&d->acc, SY_FAULT_PARSE, err, "an event of the stream is no object");
    else st = d->p->event(&d->acc, symbi_doc_root(doc), err);
    symbi_doc_unref(doc);
    return st;
}

/* What is wrong waits for finish, but running out of memory and limits, after which nothing more need be read. */
static symbi_status note(sy_model_decoder *d, symbi_status st, const symbi_err *e, symbi_err *err)
{
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st && !d->bad) {
        d->bad = st;
        d->bad_err = *e;
    }
    return d->acc.over ? sy_fail(err, SYMBI_ELIMIT, "%s", d->bad_err.msg) : SYMBI_OK;
}

static symbi_status feed_events(sy_model_decoder *d, symbi_str bytes, symbi_err *err)
{
    symbi_err e;
    while (!d->bad) {
        symbi_sse_event ev;
        symbi_status st = symbi_sse_next(d->sse, &bytes, &ev, NULL);
        if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
        if (st == SYMBI_EAGAIN) return SYMBI_OK;
        if (st) d->acc.over = true, st = sy_model_fail(&d->acc, SY_FAULT_PARSE, &e, "an event of the stream is larger than %zu bytes", d->max_body);
        else st = event(d, ev.data, &e);
        st = note(d, st, &e, err);
        if (st) return st;
    }
    return SYMBI_OK;
}

/* Takes up to HEAD_MAX bytes into the head and decides what the body is. */
static symbi_status feed_head(sy_model_decoder *d, symbi_str *bytes, symbi_err *err)
{
    size_t n = HEAD_MAX - d->body.n;
    if (n > bytes->n) n = bytes->n;
    sy_buf_add(&d->body, bytes->p, n);
    if (sy_buf_status(&d->body)) return sy_fail_nomem(err);
    bytes->p += n;
    bytes->n -= n;
    d->seen += n;
    d->mode = sniff(sy_buf_str(&d->body));
    if (d->mode == MODE_UNKNOWN && d->body.n == HEAD_MAX) d->mode = MODE_BODY;
    return d->mode == MODE_EVENTS ? feed_events(d, sy_buf_str(&d->body), err) : SYMBI_OK;
}

symbi_status sy_model_decoder_feed(sy_model_decoder *d, symbi_str bytes, symbi_err *err)
{
    size_t max, room = HEAD_MAX - (d->body.n < HEAD_MAX ? d->body.n : HEAD_MAX);
    symbi_status st;
    if (d->mode == MODE_UNKNOWN && bytes.n && (st = feed_head(d, &bytes, err))) return st;
    max = d->mode == MODE_EVENTS ? d->max_events : d->max_body;
    if (d->too_large || d->seen > max || bytes.n > max - d->seen) {
        d->too_large = true;
        return sy_fail(err, SYMBI_ELIMIT, "Response parse error: the answer is larger than %zu bytes", max);
    }
    if (!bytes.n) return SYMBI_OK;
    d->seen += bytes.n;
    if (d->mode == MODE_BODY) sy_buf_adds(&d->body, bytes);
    else if (room) sy_buf_add(&d->body, bytes.p, room < bytes.n ? room : bytes.n); /* for the message of a bad status */
    if (sy_buf_status(&d->body)) return sy_fail_nomem(err);
    return d->mode == MODE_EVENTS ? feed_events(d, bytes, err) : SYMBI_OK;
}

/* ---- finishing ---------------------------------------------------------------------------------------------------- */

static symbi_status whole(sy_model_decoder *d, symbi_err *err)
{
    symbi_str body = sy_buf_str(&d->body);
    symbi_doc *doc;
    symbi_err e;
    symbi_status st;
    if (sy_str_starts(body, SY_LIT("\xef\xbb\xbf"))) body.p += 3, body.n -= 3;
    while (body.n && (body.p[0] == ' ' || body.p[0] == '\n' || body.p[0] == '\r' || body.p[0] == '\t')) body.p++, body.n--;
    if (!body.n) return sy_model_fail(&d->acc, SY_FAULT_PARSE, err, "the answer is empty");
    if (body.p[0] == '<')
        return sy_model_fail(&d->acc, SY_FAULT_PARSE, err, "the answer is a web page, not JSON; is %.*s the right base URL?", SY_FMT(d->url));
    st = symbi_json_parse(d->cx, body, &doc, &e);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) return sy_model_fail(&d->acc, SY_FAULT_PARSE, err, "line %u, column %u: %.250s", e.line, e.col, e.msg);
    st = d->p->answer(&d->acc, symbi_doc_root(doc), err);
    symbi_doc_unref(doc);
    return st;
}

static symbi_status streamed(sy_model_decoder *d, symbi_err *err)
{
    if (d->bad) {
        if (err) *err = d->bad_err;
        return d->bad;
    }
    if (!d->acc.ended && !d->done) {
        d->acc.fault.retryable = true;
        return sy_model_fail(&d->acc, SY_FAULT_PROVIDER, err, "the stream was cut off after %zu bytes", d->seen);
    }
    if (!d->acc.started) return sy_model_fail(&d->acc, SY_FAULT_PARSE, err, "the stream ended without an answer");
    return SYMBI_OK;
}

symbi_status sy_model_decoder_finish(sy_model_decoder *d, int status, const symbi_http_header *h, size_t nh, sy_model_response *out, sy_model_fault *fault, symbi_err *err)
{
    symbi_err own;
    symbi_status st;
    if (!err) err = &own;
    memset(out, 0, sizeof *out);
    d->acc.fault.http_status = status;
    if (status < 200 || status > 299) st = sy_model_status_fault(&d->acc, status, h, nh, sy_buf_str(&d->body), err);
    else if (d->too_large)
        st = sy_model_fail(&d->acc, SY_FAULT_PARSE, err, "the answer is larger than %zu bytes", d->mode == MODE_EVENTS ? d->max_events : d->max_body);
    else st = d->mode == MODE_EVENTS ? streamed(d, err) : whole(d, err);
    if (!st) st = sy_model_acc_finish(&d->acc, d->model, out, err);
    if (st) sy_model_scrub(d->key, err);
    *fault = d->acc.fault;
    return st;
}

symbi_status sy_model_decode(symbi_ctx *cx, const sy_model_endpoint *ep, const sy_model_request *rq, int status, const symbi_http_header *h, size_t nh, symbi_str body, sy_model_response *out, sy_model_fault *fault, symbi_err *err)
{
    sy_model_decoder *d;
    symbi_status st = sy_model_decoder_new(cx, ep, rq, &d, err);
    memset(out, 0, sizeof *out);
    memset(fault, 0, sizeof *fault);
    if (st) return st;
    st = sy_model_decoder_feed(d, body, err);
    if (st != SYMBI_ENOMEM) st = sy_model_decoder_finish(d, status, h, nh, out, fault, err); /* too large is told there */
    sy_model_decoder_free(d);
    return st;
}
