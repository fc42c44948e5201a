/* Endpoints: one /api/v1 whatever base and endpoint say, encoding that no id escapes from, Retry-After. */
#include "symbi/wire.h"
#include "test.h"

static symbi_ctx *cx;
static symbi_err err;

static void joined(const char *base, const char *endpoint, const char *want)
{
    symbi_text t = { 0 };
    symbi_status st = symbi_url_endpoint(cx, symbi_str_z(base), symbi_str_z(endpoint), &t, &err);
    CHECK(st == SYMBI_OK);
    if (st) return;
    CHECK_STR(symbi_text_str(&t), want);
    symbi_text_free(&t);
}

static void refused(const char *base, const char *endpoint, symbi_status want)
{
    symbi_text t = { 0 };
    CHECK(symbi_url_endpoint(cx, symbi_str_z(base), symbi_str_z(endpoint), &t, &err) == want);
}

static void test_endpoint(void)
{
    joined("http://h/api/v1", "agents", "http://h/api/v1/agents");
    joined("http://h/api/v1//", "/api/v1/api/v1/agents?x=1", "http://h/api/v1/agents?x=1");
    joined("http://h", "api/v1?x", "http://h/api/v1/?x");
    joined("http://h/api/v1/api/v1", "", "http://h/api/v1/");
    joined("http://h/p/api/v1", "api/v1x", "http://h/p/api/v1/api/v1x");
    joined("https://h/v1", "//agents", "https://h/v1/agents");
    joined("https://h:8443/xapi/v1", "a", "https://h:8443/xapi/v1/a");
    refused("http://h/?a=b", "agents", SYMBI_EINVAL);
    refused("http://h/#f", "agents", SYMBI_EINVAL);
    refused("http://u:p@h/", "agents", SYMBI_EPARSE);
    refused("ftp://h/", "agents", SYMBI_EPARSE);
    refused("http://h", "a b", SYMBI_EPARSE);
}

static void escaped(const char *text, size_t n, symbi_url_escape_form form, const char *want)
{
    symbi_text t = { 0 };
    symbi_status st = symbi_url_escape(cx, (symbi_str){ text, n }, form, &t, &err);
    CHECK(!want == !!st);
    if (st) return;
    if (want) CHECK_STR(symbi_text_str(&t), want);
    symbi_text_free(&t);
}

static void test_escape(void)
{
    static char longest[1025];
    memset(longest, 'a', sizeof longest);
    escaped("a/b?c#d..", 9, SYMBI_URL_SEGMENT, "a%2Fb%3Fc%23d..");
    escaped("\xc3\xa9 %~", 5, SYMBI_URL_SEGMENT, "%C3%A9%20%25~");
    escaped("me & you", 8, SYMBI_URL_FORM, "me+%26+you");
    escaped("", 0, SYMBI_URL_FORM, "");
    escaped("a\nb\0", 4, SYMBI_URL_FORM, "a%0Ab%00");
    escaped("", 0, SYMBI_URL_SEGMENT, NULL);
    escaped(".", 1, SYMBI_URL_SEGMENT, NULL);
    escaped("..", 2, SYMBI_URL_SEGMENT, NULL);
    escaped("...", 3, SYMBI_URL_SEGMENT, "...");
    escaped("a\0b", 3, SYMBI_URL_SEGMENT, NULL);
    escaped("\x7f", 1, SYMBI_URL_SEGMENT, NULL);
    {
        symbi_text t = { 0 };
        CHECK(symbi_url_escape(cx, (symbi_str){ longest, 1024 }, SYMBI_URL_SEGMENT, &t, &err) == SYMBI_OK);
        symbi_text_free(&t);
        CHECK(symbi_url_escape(cx, (symbi_str){ longest, 1025 }, SYMBI_URL_SEGMENT, &t, &err) == SYMBI_ELIMIT);
    }
}

static int64_t after(const char *value, int64_t now)
{
    int64_t s = 0;
    return symbi_http_retry_after(symbi_str_z(value), now, &s) ? s : -1;
}

static void test_retry_after(void)
{
    CHECK(after("120", 0) == 120);
    CHECK(after(" 0 ", 0) == 0);
    CHECK(after("99999999999999999999999999", 0) == SYMBI_RETRY_AFTER_MAX);
    CHECK(after("Sun, 06 Nov 1994 08:49:37 GMT", 784111770) == 7);
    CHECK(after("Sun, 06 Nov 1994 08:49:37 GMT", 784111778) == 0);
    CHECK(after("Sun, 31 Feb 1994 08:49:37 GMT", 0) == -1);
    CHECK(after("", 0) == -1);
    CHECK(after("-1", 0) == -1);
    CHECK(after("1.5", 0) == -1);
    CHECK(after("soon", 0) == -1);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_text t = { 0 };
    symbi_err e;
    symbi_status st = symbi_url_endpoint(c, symbi_str_z("http://h/p"), symbi_str_z(ud), &t, &e);
    symbi_text_free(&t);
    if (st) return st;
    st = symbi_url_escape(c, symbi_str_z(ud), SYMBI_URL_FORM, &t, &e);
    symbi_text_free(&t);
    return st;
}

static void test_memory(void)
{
    test_oom(scenario, (char[]){ "agents/%20" }, SYMBI_OK);
    test_oom(scenario, (char[]){ "a b" }, SYMBI_EPARSE);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_endpoint);
    RUN(test_escape);
    RUN(test_retry_after);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
