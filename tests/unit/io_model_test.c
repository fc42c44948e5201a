/* The model codecs over the HTTP client against the stand-in server (tests/tools/model-server.py): whole answers, streams whose
 * chunks respect no boundary, and every way in which an endpoint fails. Each failure is one clear error within its time. */
#define _GNU_SOURCE
#include "base/str.h"
#include "run/model.h"
#include "symbi/io.h"
#include "symbi/json.h"
#include "test.h"

#include <unistd.h>

#define KEY "secret-key-0123456789"
enum { TIMEOUT_MS = 400 };

static symbi_ctx *cx;
static symbi_http *http;
static FILE *server;
static int port;
static char script[] = "/tmp/symbi-model-XXXXXX", record[sizeof script + 4];

static bool start_server(void)
{
    static const char turns[] = "{\"turns\":[{\"content\":\"gr\\u00fc\\u00df \\ud83c\\udf89\",\"tool_calls\":[{\"id\":\"a\",\"name\":\"one\",\"arguments\":{\"p\":\"x y\"}},"
        "{\"id\":\"b\",\"name\":\"two\",\"arguments\":{}}],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":5,\"total_tokens\":9}},{\"content\":\"done\"}]}";
    char cmd[300];
    int fd = mkstemp(script);
    bool ok = fd >= 0 && write(fd, turns, sizeof turns - 1) == (ssize_t)sizeof turns - 1;
    if (fd >= 0) close(fd);
    snprintf(record, sizeof record, "%s.log", script);
    snprintf(cmd, sizeof cmd, "exec python3 tests/tools/model-server.py %s --log %s --seconds 60 --parent %d", script, record, (int)getpid());
    server = ok ? popen(cmd, "r") : NULL;
    return server && fscanf(server, "%d", &port) == 1;
}

typedef struct outcome {
    symbi_status st;
    symbi_err err;
    sy_model_fault fault;
    sy_model_response r;
    size_t pieces;
} outcome;

/* One exchange as a driver does it: feed what arrives, then resolve. */
static void ask(const char *provider, const char *base, const char *model, bool stream, int answered, outcome *o)
{
    sy_model_endpoint ep = { .provider = symbi_str_z(provider), .base_url = symbi_str_z(base), .key = SY_LIT(KEY), .model = symbi_str_z(model) };
    sy_conv c;
    sy_model_request rq = { .conv = &c, .temperature = 0.5, .stream = stream };
    sy_model_http q;
    sy_model_decoder *d = NULL;
    symbi_http_response resp;
    symbi_http_error why;
    symbi_xfer *x = NULL;
    symbi_status fed = SYMBI_OK;
    memset(o, 0, sizeof *o);
    sy_conv_init(&c, cx);
    REQUIRE(!sy_conv_add_text(&c, SY_ROLE_USER, SY_LIT("q"), NULL));
    for (int i = 0; i < answered; i++) REQUIRE(!sy_conv_add_text(&c, SY_ROLE_ASSISTANT, SY_LIT("a"), NULL));
    REQUIRE(!sy_model_encode(cx, &ep, &rq, &q, &o->err));
    REQUIRE(!sy_model_decoder_new(cx, &ep, &rq, &d, &o->err));
    q.rq.timeout_ms = strstr(base, "hang") || strstr(base, "slow") ? TIMEOUT_MS : 60000; /* what is whole may take its time */
    q.rq.by_operator = true;
    REQUIRE(!symbi_http_start(http, &q.rq, &x, &o->err));
    while (!fed && !symbi_xfer_done(x)) {
        symbi_str piece;
        o->st = symbi_xfer_wait(x, -1, &o->err);
        piece = symbi_xfer_take(x);
        if (piece.n) o->pieces++, fed = sy_model_decoder_feed(d, piece, &o->err);
        if (o->st) break;
    }
    if (!fed && symbi_xfer_done(x)) o->st = symbi_xfer_result(x, &resp, &why, &o->err);
    if (fed) o->st = sy_model_decoder_finish(d, 200, NULL, 0, &o->r, &o->fault, &o->err);
    else if (o->st) o->st = sy_model_fault_driver(&o->err, TIMEOUT_MS, &o->fault, &o->err);
    else {
        symbi_str rest = symbi_xfer_take(x);
        if (!sy_model_decoder_feed(d, rest.n ? rest : resp.body, &o->err)) {}
        o->st = sy_model_decoder_finish(d, resp.status, resp.headers, resp.nheaders, &o->r, &o->fault, &o->err);
    }
    symbi_xfer_free(x);
    sy_model_decoder_free(d);
    sy_model_http_free(&q);
    sy_conv_free(&c);
}

static void base_url(char out[128], const char *fault)
{
    snprintf(out, 128, "http://127.0.0.1:%d%s%s/v1", port, fault[0] ? "/fault/" : "", fault);
}

static void test_answers(void)
{
    static const char *const providers[] = { "openai", "anthropic" };
    char base[128];
    outcome o;
    base_url(base, "");
    for (int p = 0; p < 2; p++)
        for (int stream = 0; stream < 2; stream++) {
            ask(providers[p], base, "m-1", stream, 0, &o);
            CHECK_OK(o.st, o.err);
            CHECK_STR(o.r.content, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8e\x89");
            REQUIRE(o.r.ncalls == 2);
            CHECK_STR(o.r.calls[0].name, "one");
            CHECK(!strcmp(o.r.calls[0].arguments.p, "{\"p\": \"x y\"}") || !strcmp(o.r.calls[0].arguments.p, "{\"p\":\"x y\"}"));
            CHECK_STR(o.r.calls[1].id, "b");
            CHECK_STR(o.r.calls[1].arguments, "{}");
            CHECK_STR(o.r.model, "m-1");
            CHECK(o.r.total_tokens == 9 && o.r.finish == SY_FINISH_TOOL_CALLS && (o.pieces > 0) == (stream == 1));
            sy_model_response_free(&o.r);
            ask(providers[p], base, "m-1", stream, 1, &o);
            CHECK_OK(o.st, o.err);
            CHECK_STR(o.r.content, "done");
            CHECK(!o.r.ncalls && o.r.finish == SY_FINISH_STOP);
            sy_model_response_free(&o.r);
        }
}

static void test_every_fault(void)
{
    static const struct { const char *mode, *whole, *stream; sy_model_fault_kind kind_whole, kind_stream; } faults[] = {
        { "garbage", "Response parse error: line 1", NULL, SY_FAULT_PARSE, SY_FAULT_PARSE },
        { "html", "Response parse error: the answer is a web page", NULL, SY_FAULT_PARSE, SY_FAULT_PARSE },
        { "empty", "Response parse error: the answer is empty", NULL, SY_FAULT_PARSE, SY_FAULT_PARSE },
        { "shape", "Response parse error: No choices in response", NULL, SY_FAULT_PARSE, SY_FAULT_PARSE },
        { "401", "Provider error: API error (401): {\"error\": {\"message\": \"Incorrect API key provided: [key]\"", NULL, SY_FAULT_PROVIDER, SY_FAULT_PROVIDER },
        { "429", "Rate limited, retry after 0ms", NULL, SY_FAULT_RATE_LIMITED, SY_FAULT_RATE_LIMITED },
        { "500", "Provider error: API error (500): internal error of two lines", NULL, SY_FAULT_PROVIDER, SY_FAULT_PROVIDER },
        { "503", "Provider error: API error (503)", NULL, SY_FAULT_PROVIDER, SY_FAULT_PROVIDER },
        { "context", "Context window exceeded: 5000 tokens requested, 4096 available", NULL, SY_FAULT_CONTEXT_WINDOW, SY_FAULT_CONTEXT_WINDOW },
        { "redirect", "Provider error: API error (302)", NULL, SY_FAULT_PROVIDER, SY_FAULT_PROVIDER },
        { "hang", "Timeout after 400ms", NULL, SY_FAULT_TIMEOUT, SY_FAULT_TIMEOUT },
        { "slow", "Timeout after 400ms", NULL, SY_FAULT_TIMEOUT, SY_FAULT_TIMEOUT },
        { "cut", "Provider error: ", NULL, SY_FAULT_PROVIDER, SY_FAULT_PROVIDER },
        { "short", "Provider error: ", NULL, SY_FAULT_PROVIDER, SY_FAULT_PROVIDER },
        { "long", "Response parse error: line 1", NULL, SY_FAULT_PARSE, SY_FAULT_PARSE },
        { "huge", "Provider error: ", "Response parse error: the answer is larger than", SY_FAULT_PROVIDER, SY_FAULT_PARSE },
        { "hugeline", "Provider error: ", "Response parse error: an event of the stream is larger than", SY_FAULT_PROVIDER, SY_FAULT_PARSE },
        { "error", "Provider error: the stream ended with an error: the backend went away", NULL, SY_FAULT_PROVIDER, SY_FAULT_PROVIDER },
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        for (int stream = 0; stream < 2; stream++) {
            const char *want = stream && faults[i].stream ? faults[i].stream : faults[i].whole;
            char base[128];
            outcome o;
            base_url(base, faults[i].mode);
            ask("openai", base, "m", stream, 0, &o);
            if (!o.st || strncmp(o.err.msg, want, strlen(want)) || o.fault.kind != (stream ? faults[i].kind_stream : faults[i].kind_whole)) {
                printf("%s %s: %s, kind %d, \"%s\"\n", faults[i].mode, stream ? "streamed" : "whole", symbi_status_name(o.st), (int)o.fault.kind, o.err.msg);
                t_now_failed = 1;
            }
            CHECK(!strstr(o.err.msg, KEY) && !o.r.ncalls && !o.r.content.n);
            sy_model_response_free(&o.r);
        }
}

static void test_odd_but_whole(void)
{
    static const char *const modes[] = { "nodone", "badids" };
    for (size_t i = 0; i < 2; i++) {
        char base[128];
        outcome o;
        base_url(base, modes[i]);
        ask("openai", base, "m", true, 0, &o);
        CHECK_OK(o.st, o.err);
        CHECK(o.r.ncalls == 2 && !sy_str_eq(o.r.calls[0].id, o.r.calls[1].id));
        sy_model_response_free(&o.r);
    }
}

static void test_what_was_sent(void)
{
    symbi_str log = slurp(record), line = { log.p, 0 };
    symbi_doc *d;
    symbi_err e;
    const symbi_value *headers;
    REQUIRE(log.p);
    while (line.n < log.n && log.p[line.n] != '\n') line.n++;
    CHECK_OK(symbi_json_parse(cx, line, &d, &e), e);
    headers = symbi_value_getz(symbi_doc_root(d), "headers");
    CHECK_STR(symbi_value_str(headers, "authorization", SY_LIT("")), "Bearer " KEY);
    CHECK_STR(symbi_value_str(headers, "content-type", SY_LIT("")), "application/json");
    CHECK_STR(symbi_value_str(symbi_doc_root(d), "path", SY_LIT("")), "/v1/chat/completions");
    symbi_doc_unref(d);
    line.n = 0; /* nowhere but in a header */
    for (size_t i = 0; i + sizeof KEY - 1 <= log.n; i++) line.n += !memcmp(log.p + i, KEY, sizeof KEY - 1) && (i < 7 || memcmp(log.p + i - 7, "Bearer ", 7)) && (i < 14 || memcmp(log.p + i - 14, "\"x-api-key\": \"", 14));
    CHECK(line.n == 0);
    free((void *)(uintptr_t)log.p);
}

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e) || symbi_http_new(cx, NULL, NULL, 0, &http, &e)) return 1;
    if (!start_server()) {
        printf("cannot start tests/tools/model-server.py (is python3 installed?)\n0 passed, 1 failed, 0 skipped\n");
        return 1;
    }
    RUN(test_answers);
    RUN(test_every_fault);
    RUN(test_odd_but_whole);
    RUN(test_what_was_sent);
    { /* ends the server; its answer does not matter */
        symbi_http_request rq = { .method = SY_LIT("GET"), .timeout_ms = 2000, .by_operator = true };
        char url[64];
        symbi_xfer *x;
        rq.url = (symbi_str){ url, (size_t)snprintf(url, sizeof url, "http://127.0.0.1:%d/quit", port) };
        if (!symbi_http_start(http, &rq, &x, &e)) {
            while (!symbi_xfer_done(x) && !symbi_xfer_wait(x, -1, &e)) {}
            symbi_xfer_free(x);
        }
    }
    pclose(server);
    unlink(script);
    unlink(record);
    symbi_http_free(http);
    symbi_ctx_free(cx);
    return test_end();
}
