/* Unit tests of codec/base64: the samples of RFC 4648 section 10, both alphabets, and every way to write a value twice. */
#include "codec/base64.h"
#include "base/alloc.h"
#include "test.h"

static const struct {
    const char *plain, *text;
} g_rfc[] = { { "", "" },           { "f", "Zg==" },         { "fo", "Zm8=" },        { "foo", "Zm9v" },
              { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };

static symbi_status decode(const char *text, unsigned flags, char *out, size_t *n, symbi_err *e)
{
    return sy_base64_decode(symbi_str_z(text), flags, out, n, e);
}

static void test_rfc4648(void)
{
    char out[64], nopad[16];
    symbi_err e;
    size_t n;
    for (size_t i = 0; i < sizeof g_rfc / sizeof g_rfc[0]; i++) {
        size_t len = strlen(g_rfc[i].plain);
        n = sy_base64_encode(g_rfc[i].plain, len, SY_BASE64, out);
        CHECK_STR(((symbi_str){ out, n }), g_rfc[i].text);
        CHECK(n == sy_base64_encoded_len(len, SY_BASE64));
        CHECK_OK(decode(g_rfc[i].text, SY_BASE64, out, &n, &e), e);
        CHECK_STR(((symbi_str){ out, n }), g_rfc[i].plain);
        strcpy(nopad, g_rfc[i].text);
        nopad[strcspn(nopad, "=")] = 0;
        n = sy_base64_encode(g_rfc[i].plain, len, SY_BASE64_URL | SY_BASE64_NOPAD, out);
        CHECK_STR(((symbi_str){ out, n }), nopad);
        CHECK(n == sy_base64_encoded_len(len, SY_BASE64_NOPAD));
        CHECK_OK(decode(nopad, SY_BASE64_NOPAD, out, &n, &e), e);
        CHECK_STR(((symbi_str){ out, n }), g_rfc[i].plain);
        CHECK_OK(decode(nopad, SY_BASE64_ANYPAD, out, &n, &e), e);
        CHECK_OK(decode(g_rfc[i].text, SY_BASE64_ANYPAD, out, &n, &e), e);
    }
}

static void test_alphabets(void)
{
    static const unsigned char bytes[] = { 0xfb, 0xff, 0xbf };
    char out[16];
    symbi_err e;
    size_t n;
    CHECK_STR(((symbi_str){ out, sy_base64_encode(bytes, 3, SY_BASE64, out) }), "+/+/");
    CHECK_STR(((symbi_str){ out, sy_base64_encode(bytes, 3, SY_BASE64_URL, out) }), "-_-_");
    CHECK(decode("+/+/", SY_BASE64, out, &n, &e) == SYMBI_OK && n == 3 && memcmp(out, bytes, 3) == 0);
    CHECK(decode("-_-_", SY_BASE64_URL, out, &n, &e) == SYMBI_OK && n == 3 && memcmp(out, bytes, 3) == 0);
    CHECK(decode("-_-_", SY_BASE64, out, &n, &e) == SYMBI_EPARSE && e.col == 1 && strstr(e.msg, "URL"));
    CHECK(decode("AA+/", SY_BASE64_URL, out, &n, &e) == SYMBI_EPARSE && e.col == 3 && strstr(e.msg, "standard"));
}

static void test_refuses(void)
{
    static const struct {
        const char *text;
        unsigned flags;
        uint32_t col;
    } t[] = {
        { "Z", SY_BASE64, 1 },        { "Zg", SY_BASE64, 3 },      { "Zg=", SY_BASE64, 3 },       { "Zg===", SY_BASE64, 3 },  { "Zm8", SY_BASE64, 4 },
        { "Zm8==", SY_BASE64, 4 },    { "Zm9v=", SY_BASE64, 5 },   { "Zm9v==", SY_BASE64, 5 },    { "=", SY_BASE64, 1 },      { "==", SY_BASE64, 1 },
        { "====", SY_BASE64, 1 },     { "Zh==", SY_BASE64, 2 },    { "Zm9=", SY_BASE64, 3 },      { "Zg==Zg==", SY_BASE64, 3 }, { "Zm9v\n", SY_BASE64, 5 },
        { " Zm9v", SY_BASE64, 1 },    { "Zm 9v", SY_BASE64, 3 },   { "Zm9\xc3", SY_BASE64, 4 },   { "Zm9.", SY_BASE64, 4 },   { "Zg==", SY_BASE64_NOPAD, 3 },
        { "Zh", SY_BASE64_NOPAD, 2 }, { "Zm9", SY_BASE64_NOPAD, 3 }, { "A", SY_BASE64_ANYPAD, 1 }, { "Zg=", SY_BASE64_ANYPAD, 3 }, { "Zm9vA", SY_BASE64_NOPAD, 5 },
    };
    char out[32];
    symbi_err e;
    size_t n;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        symbi_status st = decode(t[i].text, t[i].flags, out, &n, &e);
        if (st != SYMBI_EPARSE || e.col != t[i].col || n != 0) printf("'%s': %s %u: %s\n", t[i].text, symbi_status_name(st), e.col, e.msg);
        CHECK(st == SYMBI_EPARSE && e.col == t[i].col && n == 0);
    }
}

/* Every text of four characters over a small alphabet is refused or is the only text of its value. */
static void test_one_text_per_value(void)
{
    static const char abc[] = "AQgw9/=";
    char text[5] = { 0 }, again[8], out[8];
    for (int i = 0; i < 7 * 7 * 7 * 7; i++) {
        size_t n, m;
        for (int k = 0, x = i; k < 4; k++, x /= 7) text[k] = abc[x % 7];
        if (decode(text, SY_BASE64, out, &n, NULL)) continue;
        m = sy_base64_encode(out, n, SY_BASE64, again);
        CHECK(m == 4 && memcmp(again, text, 4) == 0);
    }
}

static void test_long_and_buffer(void)
{
    unsigned char data[1000];
    char *text = malloc(sy_base64_encoded_len(sizeof data, SY_BASE64)), *out;
    size_t n, m;
    symbi_err e;
    sy_buf b;
    REQUIRE(text);
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * 151 + i / 7);
    for (size_t len = 990; len <= sizeof data; len++) {
        n = sy_base64_encode(data, len, SY_BASE64_URL, text);
        out = malloc(sy_base64_decoded_max(n));
        REQUIRE(out);
        CHECK_OK(sy_base64_decode((symbi_str){ text, n }, SY_BASE64_URL, out, &m, &e), e);
        CHECK(m == len && memcmp(out, data, m) == 0);
        free(out);
    }
    free(text);
    sy_buf_init(&b, sy_alloc_default(), 8);
    sy_base64_add(&b, "fooba", 5, SY_BASE64);
    CHECK_STR(sy_buf_str(&b), "Zm9vYmE=");
    sy_base64_add(&b, "f", 1, SY_BASE64);
    CHECK(sy_buf_status(&b) == SYMBI_ELIMIT);
    sy_buf_free(&b);
    CHECK(sy_base64_encoded_len(SIZE_MAX, SY_BASE64) == SIZE_MAX);
}

int main(void)
{
    RUN(test_rfc4648);
    RUN(test_alphabets);
    RUN(test_refuses);
    RUN(test_one_text_per_value);
    RUN(test_long_and_buffer);
    return test_end();
}
