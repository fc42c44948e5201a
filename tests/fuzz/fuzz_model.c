/* tests/fuzz/fuzz_model.c: what a model endpoint may send. Byte 0 chooses provider and kind, byte 1 how the body is split, the
 * rest is the body. Whatever comes: a body in pieces means what it means in one piece, what is handed on keeps the promises of
 * run/model.h, no message contains the key, and what was taken in can be sent back. */
#include "base/ctx.h"
#include "base/str.h"
#include "run/model.h"
#include "symbi/json.h"
#include "symbi/symbi.h"

#include <stdlib.h>
#include <string.h>

#define KEY "kkkkkkkk-fuzz-key"
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) abort();
}

static void check_response(symbi_ctx *cx, const sy_model_response *r)
{
    must(r->ncalls <= cx->limits.tool_calls_per_turn && r->content.n <= cx->limits.model_response);
    for (size_t i = 0; i < r->ncalls; i++) {
        must(r->calls[i].id.n && r->calls[i].name.n && r->calls[i].arguments.n && r->calls[i].arguments.n <= cx->limits.arg_bytes);
        for (size_t j = 0; j < i; j++) must(!sy_str_eq(r->calls[i].id, r->calls[j].id));
    }
}

/* Back into a conversation and out again, for both providers. */
static void send_back(symbi_ctx *cx, const sy_model_response *r)
{
    static const char *const providers[] = { "openai", "anthropic" };
    sy_conv c;
    sy_conv_init(&c, cx);
    must(!sy_conv_add_text(&c, SY_ROLE_USER, SY_LIT("q"), NULL) && !sy_conv_add_calls(&c, r->content, r->calls, r->ncalls, NULL));
    for (size_t i = 0; i < r->ncalls; i++) must(!sy_conv_add_result(&c, r->calls[i].id, r->calls[i].name, "", r->calls[i].arguments, i & 1, NULL));
    for (size_t i = 0; i < 2; i++) {
        sy_model_endpoint ep = { .provider = symbi_str_z(providers[i]), .key = SY_LIT(KEY), .model = SY_LIT("m") };
        sy_model_request rq = { .conv = &c, .temperature = 0.5 };
        sy_model_http h;
        symbi_doc *d;
        must(!sy_model_encode(cx, &ep, &rq, &h, NULL));
        must(!symbi_json_parse(cx, h.rq.body, &d, NULL));
        symbi_doc_unref(d);
        sy_model_http_free(&h);
    }
    sy_conv_free(&c);
}

static symbi_status take(symbi_ctx *cx, uint8_t kind, unsigned step, symbi_str body, sy_model_response *r, sy_model_fault *f, symbi_err *e)
{
    static const int statuses[] = { 200, 200, 200, 400, 404, 429, 500, 201 };
    sy_model_endpoint ep = { .provider = kind & 1 ? SY_LIT("anthropic") : SY_LIT("openai"), .key = SY_LIT(KEY), .model = SY_LIT("m") };
    sy_model_request rq = { .stream = true, .turn = 1 };
    sy_model_decoder *d;
    symbi_status st = SYMBI_OK;
    symbi_http_header h = { SY_LIT("retry-after"), { body.p, body.n < 32 ? body.n : 32 } };
    if (kind & 2) return sy_model_decode_neutral(cx, body, SY_LIT("m"), 1, r, f, e);
    must(!sy_model_decoder_new(cx, &ep, &rq, &d, e));
    for (size_t i = 0; i < body.n;) {
        size_t n = step ? 1 + (i * 7 + step) % step : body.n;
        symbi_str piece = { body.p + i, n < body.n - i ? n : body.n - i };
        st = sy_model_decoder_feed(d, piece, e); /* a driver should stop on a failure, and may go on */
        i += piece.n;
    }
    must(st == SYMBI_OK || st == SYMBI_ELIMIT);
    st = sy_model_decoder_finish(d, statuses[kind >> 5], &h, 1, r, f, e);
    sy_model_decoder_free(d);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_env env;
    symbi_ctx *cx;
    sy_model_response a, b;
    sy_model_fault fa, fb;
    symbi_err ea, eb;
    symbi_status sa, sb;
    symbi_str body;
    if (size < 2) return 0;
    symbi_env_init(&env);
    env.limits.model_response = 1 << 14;
    env.limits.arg_bytes = 1 << 10;
    env.limits.tool_calls_per_turn = 8;
    if (symbi_ctx_new(&env, &cx, NULL)) return 0;
    body.p = (const char *)data + 2;
    body.n = size - 2;
    symbi_err_clear(&ea);
    symbi_err_clear(&eb);
    sa = take(cx, data[0], 0, body, &a, &fa, &ea);
    sb = take(cx, data[0], 1u + data[1], body, &b, &fb, &eb);
    must(sa == sb && (!sa || (fa.kind == fb.kind && fa.retryable == fb.retryable && !strcmp(ea.msg, eb.msg))));
    must(a.ncalls == b.ncalls && a.finish == b.finish && a.total_tokens == b.total_tokens && sy_str_eq(a.content, b.content) && sy_str_eq(a.model, b.model));
    for (size_t i = 0; i < a.ncalls; i++) must(sy_str_eq(a.calls[i].id, b.calls[i].id) && sy_str_eq(a.calls[i].arguments, b.calls[i].arguments));
    if (sa) {
        must(!strstr(ea.msg, KEY) && ea.msg[0] && !a.ncalls && !a.content.n);
    } else {
        check_response(cx, &a);
        send_back(cx, &a);
    }
    sy_model_response_free(&a);
    sy_model_response_free(&b);
    symbi_ctx_free(cx);
    return 0;
}
