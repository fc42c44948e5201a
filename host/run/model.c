/* run/model.c: endpoints and requests: which providers there are, checking that nothing unsafe gets into a request line or a
 * header, and encoding. What differs between providers is in the table; their bodies are in model_<provider>.c. */
#include "run/model.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "run/model_in.h"
#include "symbi/json.h"

enum { MAX_TOKENS_DEFAULT = 4096, STREAM_FACTOR = 8 };

static const sy_model_provider providers[] = {
    { "openai", "https://api.openai.com/v1", "/chat/completions", SY_AUTH_BEARER, sy_openai_body, sy_openai_answer, sy_openai_event },
    { "openrouter", "https://openrouter.ai/api/v1", "/chat/completions", SY_AUTH_BEARER, sy_openai_body, sy_openai_answer, sy_openai_event },
    { "anthropic", "https://api.anthropic.com/v1", "/messages", SY_AUTH_ANTHROPIC, sy_anthropic_body, sy_anthropic_answer, sy_anthropic_event },
};

const sy_model_provider *sy_model_provider_find(symbi_str name)
{
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++)
        if (!name.n || sy_str_eqz(name, providers[i].name)) return &providers[i];
    return NULL;
}

symbi_str sy_model_wire_name(sy_arena *a, symbi_str name)
{
    size_t dots = 0, n = 0;
    char *p;
    for (size_t i = 0; i < name.n; i++) dots += name.p[i] == '.';
    if (!dots) return name;
    p = sy_arena_alloc(a, name.n + dots + 1);
    if (!p) return (symbi_str){ "", 0 }; /* the arena's status fails the request */
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '.') p[n++] = '_', p[n++] = '_';
        else p[n++] = name.p[i];
    }
    p[n] = 0;
    return (symbi_str){ p, n };
}

/* ---- checks ------------------------------------------------------------------------------------------------------- */

/* Every byte printable ASCII, spaces only when allowed: what may stand in a header. */
static bool header_safe(symbi_str s, bool spaces)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x7f || (unsigned char)s.p[i] < (spaces ? 0x20 : 0x21)) return false;
    return true;
}

static bool name_safe(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return false;
    return sy_utf8_valid(s, NULL);
}

static size_t scheme_length(symbi_str url)
{
    static const char *const schemes[] = { "https://", "http://" };
    for (size_t k = 0; k < 2; k++) {
        size_t n = strlen(schemes[k]), i = 0;
        while (i < n && i < url.n && (url.p[i] | (url.p[i] >= 'A' && url.p[i] <= 'Z' ? 0x20 : 0)) == schemes[k][i]) i++;
        if (i == n) return n;
    }
    return 0;
}

static symbi_str authority(symbi_str url)
{
    size_t start = scheme_length(url), end = start;
    symbi_str s;
    while (end < url.n && url.p[end] != '/' && url.p[end] != '?' && url.p[end] != '#') end++;
    s.p = url.p + start;
    s.n = end - start;
    return s;
}

static bool loopback(symbi_str host)
{
    size_t i = 0; /* "127.0.0.1.example.com" is somebody else */
    while (i < host.n && ((host.p[i] >= '0' && host.p[i] <= '9') || host.p[i] == '.' || host.p[i] == ':')) i++;
    return (i == host.n && sy_str_starts(host, SY_LIT("127."))) || sy_str_starts(host, SY_LIT("[::1]")) || sy_str_eqz(host, "localhost")
        || sy_str_starts(host, SY_LIT("localhost:"));
}

static symbi_status check_url(symbi_str url, symbi_err *err)
{
    symbi_str host = authority(url);
    if (!header_safe(url, false)) return sy_fail(err, SYMBI_EINVAL, "the model's base URL contains white space, control or non-ASCII characters");
    for (size_t i = 0; i < host.n; i++) /* before any message that repeats the URL */
        if (host.p[i] == '@') return sy_fail(err, SYMBI_EINVAL, "the model's base URL carries a user name; give the key in its own option");
    if (!scheme_length(url)) return sy_fail(err, SYMBI_EINVAL, "the model's base URL must begin with http:// or https://, got '%.*s'", SY_FMT(url));
    if (!host.n || host.p[0] == ':') return sy_fail(err, SYMBI_EINVAL, "the model's base URL names no host: '%.*s'", SY_FMT(url));
    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] == '#') return sy_fail(err, SYMBI_EINVAL, "the model's base URL has a fragment ('#'), which is never sent");
        if (url.p[i] == '\\' || url.p[i] == '"' || url.p[i] == '<' || url.p[i] == '>')
            return sy_fail(err, SYMBI_EINVAL, "the model's base URL contains '%c'", url.p[i]);
    }
    return SYMBI_OK;
}

/* Never repeats the key. */
static symbi_status check(const sy_model_endpoint *ep, symbi_err *err)
{
    symbi_status st;
    if (!sy_model_provider_find(ep->provider))
        return sy_fail(err, SYMBI_ENOTFOUND, "unknown model provider '%.*s', known are openai, openrouter and anthropic", SY_FMT(ep->provider));
    st = ep->base_url.n ? check_url(ep->base_url, err) : SYMBI_OK;
    if (st) return st;
    if (!header_safe(ep->key, false))
        return sy_fail(err, SYMBI_EINVAL, "the model key contains a line end, white space or another character that no key has");
    if (!name_safe(ep->model)) return sy_fail(err, SYMBI_EINVAL, "the model name contains control characters or is not UTF-8");
    if (!header_safe(ep->referer, true) || !header_safe(ep->title, true))
        return sy_fail(err, SYMBI_EINVAL, "referer and title must be printable ASCII");
    return SYMBI_OK;
}

symbi_status sy_model_check(symbi_ctx *cx, const sy_model_endpoint *ep, symbi_err *err)
{
    symbi_status st = check(ep, err);
    symbi_str host = authority(ep->base_url);
    if (!st && ep->key.n && ep->base_url.n && scheme_length(ep->base_url) == 7 && !loopback(host))
        sy_log(cx, SYMBI_LOG_WARN, "model", "the key goes to %.*s without encryption: use https", SY_FMT(host));
    return st;
}

/* ---- neutral form ------------------------------------------------------------------------------------------------- */

symbi_value sy_model_parameters(const sy_model_tool *t)
{
    static const symbi_member members[] = {
        { SYMBI_STR_INIT("type"), { .kind = SYMBI_STRING, .u = { .s = SYMBI_STR_INIT("object") } } },
        { SYMBI_STR_INIT("properties"), { .kind = SYMBI_OBJECT, .u = { .o = { NULL, 0 } } } },
    };
    return t->parameters ? *t->parameters : sy_val_object(members, 2);
}

static symbi_str model_of(const sy_model_endpoint *ep, const sy_model_request *rq) { return rq->model.n ? rq->model : ep->model; }

static symbi_value neutral_format(sy_arena *a, const sy_model_request *rq)
{
    sy_obj f = sy_obj_new(a);
    sy_obj_str(&f, "type", rq->format == SY_FORMAT_JSON_OBJECT ? SY_LIT("json_object") : SY_LIT("json_schema"));
    if (rq->format == SY_FORMAT_JSON_SCHEMA) {
        sy_obj_put(&f, "schema", rq->schema ? *rq->schema : sy_val_object(NULL, 0));
        if (rq->schema_name.n) sy_obj_str(&f, "name", rq->schema_name);
    }
    return sy_obj_value(&f);
}

symbi_status sy_model_request_value(const sy_model_endpoint *ep, const sy_model_request *rq, sy_arena *a, symbi_value *out, symbi_err *err)
{
    static const char *const choices[] = { "", "auto", "any", "tool" };
    sy_obj o = sy_obj_new(a), c = sy_obj_new(a);
    sy_arr tools = sy_arr_new(a);
    symbi_value messages;
    symbi_status st = sy_conv_messages(rq->conv, a, &messages, err);
    *out = sy_val_null();
    if (st) return st;
    for (size_t i = 0; i < rq->ntools; i++) {
        sy_obj t = sy_obj_new(a);
        sy_obj_str(&t, "name", rq->tools[i].name);
        sy_obj_str(&t, "description", rq->tools[i].description);
        sy_obj_put(&t, "parameters", sy_model_parameters(&rq->tools[i]));
        sy_arr_add(&tools, sy_obj_value(&t));
    }
    sy_obj_str(&o, "model", model_of(ep, rq));
    sy_obj_put(&o, "messages", messages);
    sy_obj_put(&o, "tools", sy_arr_value(&tools));
    sy_obj_count(&o, "max_tokens", rq->max_tokens ? rq->max_tokens : MAX_TOKENS_DEFAULT);
    if (rq->temperature == rq->temperature) sy_obj_put(&o, "temperature", sy_val_double(rq->temperature));
    if (rq->choice != SY_CHOICE_UNSET) {
        sy_obj_str(&c, "type", symbi_str_z(choices[rq->choice]));
        if (rq->choice == SY_CHOICE_TOOL) sy_obj_str(&c, "name", rq->choice_name);
        sy_obj_put(&o, "tool_choice", sy_obj_value(&c));
    }
    if (rq->format != SY_FORMAT_TEXT) sy_obj_put(&o, "response_format", neutral_format(a, rq));
    sy_obj_bool(&o, "stream", rq->stream);
    *out = sy_obj_value(&o);
    return a->status ? sy_arena_fail(a, "the model request", err) : SYMBI_OK;
}

/* ---- encoding ----------------------------------------------------------------------------------------------------- */

/* base + path, before a query if there is one; a base that ends in the path already is used as it is. */
static symbi_status join_url(symbi_ctx *cx, symbi_str base, const char *path, symbi_text *out, symbi_err *err)
{
    symbi_str query = { "", 0 };
    sy_buf b;
    for (size_t i = 0; i < base.n; i++)
        if (base.p[i] == '?') {
            query.p = base.p + i;
            query.n = base.n - i;
            base.n = i;
        }
    while (base.n && base.p[base.n - 1] == '/') base.n--;
    sy_buf_init(&b, cx->alloc, 16384);
    sy_buf_adds(&b, base);
    if (!sy_str_ends(base, symbi_str_z(path))) sy_buf_addz(&b, path);
    sy_buf_adds(&b, query);
    return sy_buf_take(&b, out, "the model's URL", err);
}

static symbi_status merge_extra(sy_arena *a, const symbi_value *extra, sy_obj *body, symbi_err *err)
{
    static const char *const ours[] = { "messages", "tools", "stream", "stream_options" };
    if (!extra) return SYMBI_OK;
    if (extra->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_EINVAL, "extra request options must be an object");
    for (size_t i = 0; i < extra->u.o.n; i++) {
        const symbi_member *m = &extra->u.o.members[i];
        size_t k = 0;
        for (size_t r = 0; r < sizeof ours / sizeof ours[0]; r++)
            if (sy_str_eqz(m->key, ours[r])) return sy_fail(err, SYMBI_EINVAL, "extra request options must not set '%s'", ours[r]);
        while (k < body->n && !sy_str_eq(body->m[k].key, m->key)) k++;
        if (k < body->n) body->m[k].val = m->val;
        else sy_obj_puts(body, m->key, m->val);
    }
    return a->status ? sy_arena_fail(a, "the model request", err) : SYMBI_OK;
}

static symbi_status write_body(symbi_ctx *cx, const sy_model_provider *p, symbi_str model, const sy_model_request *rq, symbi_text *out, symbi_err *err)
{
    sy_model_body b = { .cx = cx };
    sy_obj o;
    symbi_value v;
    symbi_status st;
    sy_arena_init(&b.arena, cx->alloc, cx->limits.arena_bytes);
    o = sy_obj_new(&b.arena);
    st = p->body(&b, model, rq, &o, err);
    if (!st) st = merge_extra(&b.arena, rq->extra, &o, err);
    v = sy_obj_value(&o);
    if (!st) st = symbi_json_write(cx, &v, 0, out, err);
    for (size_t i = 0; i < b.ndocs; i++) symbi_doc_unref(b.docs[i]);
    if (b.docs) sy_free(&cx->alloc, b.docs, b.cap * sizeof *b.docs);
    sy_arena_free(&b.arena);
    return st;
}

static void put_header(sy_model_http *h, const char *name, symbi_str value)
{
    if (!value.n) return;
    h->headers[h->rq.nheaders].name = symbi_str_z(name);
    h->headers[h->rq.nheaders++].value = value;
}

static symbi_status encode(symbi_ctx *cx, const sy_model_endpoint *ep, const sy_model_request *rq, sy_model_http *h, symbi_err *err)
{
    const sy_model_provider *p = sy_model_provider_find(ep->provider);
    size_t max = cx->limits.model_response;
    sy_buf auth;
    symbi_status st;
    if (!model_of(ep, rq).n) return sy_fail(err, SYMBI_EINVAL, "no model is named: set SYMBI_MODEL or the option model");
    if (!name_safe(rq->model)) return sy_fail(err, SYMBI_EINVAL, "the model name contains control characters or is not UTF-8");
    st = join_url(cx, ep->base_url.n ? ep->base_url : symbi_str_z(p->base_url), p->path, &h->url_, err);
    if (!st) st = write_body(cx, p, model_of(ep, rq), rq, &h->body_, err);
    if (st) return st;
    sy_buf_init(&auth, cx->alloc, 65536);
    if (ep->key.n) {
        if (p->auth == SY_AUTH_BEARER) sy_buf_addz(&auth, "Bearer ");
        sy_buf_adds(&auth, ep->key);
    }
    st = sy_buf_take(&auth, &h->auth_, "the model key", err);
    if (st) return st;
    h->rq.method = SY_LIT("POST");
    h->rq.url = symbi_text_str(&h->url_);
    h->rq.body = symbi_text_str(&h->body_);
    h->rq.headers = h->headers;
    h->rq.stream = rq->stream;
    h->rq.max_bytes = !rq->stream ? max : max > SIZE_MAX / STREAM_FACTOR ? SIZE_MAX : max * STREAM_FACTOR;
    put_header(h, "Content-Type", SY_LIT("application/json"));
    put_header(h, "Accept", rq->stream ? SY_LIT("text/event-stream, application/json") : SY_LIT("application/json"));
    put_header(h, p->auth == SY_AUTH_BEARER ? "Authorization" : "x-api-key", symbi_text_str(&h->auth_));
    if (p->auth == SY_AUTH_ANTHROPIC) put_header(h, "anthropic-version", SY_LIT("2023-06-01"));
    if (sy_str_eqz(ep->provider, "openrouter")) {
        put_header(h, "HTTP-Referer", ep->referer);
        put_header(h, "X-Title", ep->title);
    }
    return SYMBI_OK;
}

symbi_status sy_model_encode(symbi_ctx *cx, const sy_model_endpoint *ep, const sy_model_request *rq, sy_model_http *out, symbi_err *err)
{
    sy_model_request own = *rq;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (!own.max_tokens) own.max_tokens = MAX_TOKENS_DEFAULT;
    st = check(ep, err);
    if (!st) st = encode(cx, ep, &own, out, err);
    if (st) sy_model_http_free(out);
    return st;
}

void sy_model_http_free(sy_model_http *h)
{
    volatile char *p = h->auth_.p;
    for (size_t i = 0; p && i < h->auth_.n; i++) p[i] = 0;
    symbi_text_free(&h->auth_);
    symbi_text_free(&h->url_);
    symbi_text_free(&h->body_);
    memset(h, 0, sizeof *h);
}

/* ---- responses ---------------------------------------------------------------------------------------------------- */

const char *sy_model_finish_name(sy_model_finish f)
{
    static const char *const names[] = { "stop", "tool_calls", "max_tokens", "content_filter", "refusal" };
    return (unsigned)f < sizeof names / sizeof names[0] ? names[f] : "stop";
}

void sy_model_response_free(sy_model_response *r)
{
    if (r->arena_.alloc.fn) sy_arena_free(&r->arena_);
    memset(r, 0, sizeof *r);
}

symbi_status sy_model_response_value(const sy_model_response *r, sy_arena *a, symbi_value *out, symbi_err *err)
{
    sy_obj o = sy_obj_new(a), u = sy_obj_new(a);
    sy_arr calls = sy_arr_new(a);
    for (size_t i = 0; i < r->ncalls; i++) {
        sy_obj c = sy_obj_new(a);
        sy_obj_str(&c, "id", r->calls[i].id);
        sy_obj_str(&c, "name", r->calls[i].name);
        sy_obj_str(&c, "arguments", r->calls[i].arguments);
        sy_arr_add(&calls, sy_obj_value(&c));
    }
    sy_obj_count(&u, "prompt_tokens", r->prompt_tokens);
    sy_obj_count(&u, "completion_tokens", r->completion_tokens);
    sy_obj_count(&u, "total_tokens", r->total_tokens);
    sy_obj_str(&o, "content", r->content);
    sy_obj_put(&o, "tool_calls", sy_arr_value(&calls));
    sy_obj_str(&o, "finish_reason", symbi_str_z(sy_model_finish_name(r->finish)));
    sy_obj_put(&o, "usage", sy_obj_value(&u));
    sy_obj_str(&o, "model", r->model);
    *out = sy_obj_value(&o);
    return a->status ? sy_arena_fail(a, "the answer", err) : SYMBI_OK;
}
