/* URLs: RFC 3986 examples for joining, and refusals of what two readers could take differently. */
#include "symbi/wire.h"
#include "test.h"

static symbi_ctx *cx;
static symbi_err err;

static void good(const char *text, const char *host, int port, const char *path, const char *query, bool tls)
{
    symbi_url u;
    symbi_status st = symbi_url_parse(symbi_str_z(text), &u, &err);
    if (st) printf("%s: %s\n", text, err.msg);
    CHECK(st == SYMBI_OK);
    if (st) return;
    CHECK_STR(u.host, host);
    CHECK(u.port == port && u.tls == tls);
    CHECK_STR(u.path, path);
    CHECK_STR(u.query, query ? query : "");
    CHECK(u.has_query == (query != NULL));
}

static void test_good(void)
{
    good("http://localhost", "localhost", 80, "", NULL, false);
    good("https://api.openai.com/v1", "api.openai.com", 443, "/v1", NULL, true);
    good("HTTP://EXAMPLE.com:8080/a/b?x=1&y=%20#frag", "EXAMPLE.com", 8080, "/a/b", "x=1&y=%20", false);
    good("http://127.0.0.1:65535?", "127.0.0.1", 65535, "", "", false);
    good("http://[::1]:11434/v1", "::1", 11434, "/v1", NULL, false);
    good("http://[2001:db8::ffff:192.168.0.1]/", "2001:db8::ffff:192.168.0.1", 80, "/", NULL, false);
    good("http://my_host-1.internal./x", "my_host-1.internal.", 80, "/x", NULL, false);
    good("http://a.b/?q=a/b?c:@!$&'()*+,;=", "a.b", 80, "/", "q=a/b?c:@!$&'()*+,;=", false);
    good("http://xn--bcher-kva.example/%C3%BC", "xn--bcher-kva.example", 80, "/%C3%BC", NULL, false);
    good("http://0xabc.example/", "0xabc.example", 80, "/", NULL, false);
}

static void test_bad(void)
{
    static const char *const bad[] = { "", "x", "http:", "http:/", "http://", "https:///path", "ftp://a/", "file:///etc/passwd", "javascript:alert(1)", "//a/b", "/a", "http//a", " http://a", "http://a ",
        "http://user@a/", "http://user:pw@a/", "http://a@b@c/", "http://a:0/", "http://a:65536/", "http://a:/", "http://a:x/", "http://a:1:2/", "http://a:-1/", "http://a:+1/", "http://a\\b/", "http://a/\\b",
        "http://a/ b", "http://a/\tb", "http://a/\r\nHost: b", "http://a/%", "http://a/%2", "http://a/%zz", "http://a/\x7f", "http://a/\xc3\xbc", "http://b\xc3\xbc.de/", "http://a..b/", "http://.a/", "http://[::1/",
        "http://[::1]x/", "http://[]/", "http://[:::]/", "http://[1:2:3:4:5:6:7]/", "http://[1:2:3:4:5:6:7:8:9]/", "http://[::1%25eth0]/", "http://[12345::]/", "http://[1::2::3]/", "http://[::1.2.3]/", "http://[1:2:]/",
        "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://256.1.1.1/", "http://1.2.3.4.5/", "http://1.2.3.4./", "http://a.0x1/", "http://a|b/", "http://a/<b>", "http://a/\"",
        "http://a/{x}", "http://a#\x01", "http://a?b^c", "http://a%41/" };
    symbi_url u;
    symbi_str nul = { "http://a\0b/", 11 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        symbi_status st = symbi_url_parse(symbi_str_z(bad[i]), &u, &err);
        if (st != SYMBI_EPARSE) printf("accepted: %s\n", bad[i]);
        CHECK(st == SYMBI_EPARSE && err.msg[0] && !u.host.n);
    }
    CHECK(symbi_url_parse(nul, &u, &err) == SYMBI_EPARSE);
    CHECK(symbi_url_parse(symbi_str_z("http://a/ b"), &u, &err) == SYMBI_EPARSE && err.line == 1 && err.col == 10);
}

static void test_long(void)
{
    static char big[20000];
    symbi_url u;
    symbi_str s = { big, 16384 };
    memset(big, 'a', sizeof big);
    memcpy(big, "http://h/", 9);
    CHECK(symbi_url_parse(s, &u, &err) == SYMBI_OK);
    s.n++;
    CHECK(symbi_url_parse(s, &u, &err) == SYMBI_ELIMIT);
    s.n = 9 + 300;
    big[8] = 'a';
    CHECK(symbi_url_parse(s, &u, &err) == SYMBI_EPARSE); /* a host of 300 bytes */
}

static void test_join(void)
{
    static const char *const c[][2] = { /* RFC 3986 5.4.1 and 5.4.2, base http://a/b/c/d?q (";p" left out of the base by us) */
        { "g", "http://a/b/c/g" }, { "./g", "http://a/b/c/g" }, { "g/", "http://a/b/c/g/" }, { "/g", "http://a/g" }, { "//g", "http://g" }, { "?y", "http://a/b/c/d;p?y" }, { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q#s" }, { "g#s", "http://a/b/c/g#s" }, { "g?y#s", "http://a/b/c/g?y#s" }, { ";x", "http://a/b/c/;x" }, { "g;x", "http://a/b/c/g;x" }, { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" }, { "./", "http://a/b/c/" }, { "..", "http://a/b/" }, { "../", "http://a/b/" }, { "../g", "http://a/b/g" }, { "../..", "http://a/" }, { "../../", "http://a/" }, { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" }, { "../../../../g", "http://a/g" }, { "/./g", "http://a/g" }, { "/../g", "http://a/g" }, { "g.", "http://a/b/c/g." }, { ".g", "http://a/b/c/.g" }, { "g..", "http://a/b/c/g.." },
        { "./../g", "http://a/b/g" }, { "./g/.", "http://a/b/c/g/" }, { "g/./h", "http://a/b/c/g/h" }, { "g/../h", "http://a/b/c/h" }, { "g;x=1/./y", "http://a/b/c/g;x=1/y" }, { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/./x", "http://a/b/c/g?y/./x" }, { "g#s/../x", "http://a/b/c/g#s/../x" }, { "https://x:444/y/../z", "https://x:444/z" }, { "http://x:80/", "http://x/" } };
    symbi_text t = { 0 };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        CHECK_OK(symbi_url_join(cx, symbi_str_z("http://a/b/c/d;p?q"), symbi_str_z(c[i][0]), &t, &err), err);
        CHECK_STR(symbi_text_str(&t), c[i][1]);
        symbi_text_free(&t);
    }
    CHECK_OK(symbi_url_join(cx, symbi_str_z("http://h:81"), symbi_str_z("x"), &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "http://h:81/x");
    symbi_text_free(&t);
    CHECK(symbi_url_join(cx, symbi_str_z("http://a/"), symbi_str_z("ftp://b/"), &t, &err) == SYMBI_EPARSE);
    CHECK(symbi_url_join(cx, symbi_str_z("http://a/"), symbi_str_z("//u@b/"), &t, &err) == SYMBI_EPARSE);
    CHECK(symbi_url_join(cx, symbi_str_z("http://a/"), symbi_str_z("a b"), &t, &err) == SYMBI_EPARSE);
    CHECK(symbi_url_join(cx, symbi_str_z("nonsense"), symbi_str_z("a"), &t, &err) == SYMBI_EPARSE && !t.p);
}

static void test_authority(void)
{
    static const char *const c[][2] = { { "http://a/", "a" }, { "http://a:80/", "a" }, { "https://a:80/", "a:80" }, { "http://[::1]:81/", "[::1]:81" }, { "https://[::1]:443/", "[::1]" } };
    symbi_url u;
    symbi_text t = { 0 };
    for (size_t i = 0; i < 5; i++) {
        CHECK_OK(symbi_url_parse(symbi_str_z(c[i][0]), &u, &err), err);
        CHECK_OK(symbi_url_authority(cx, &u, &t, &err), err);
        CHECK_STR(symbi_text_str(&t), c[i][1]);
        symbi_text_free(&t);
    }
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_text t = { 0 };
    symbi_err e;
    symbi_status st = symbi_url_join(c, symbi_str_z("http://a/b/c"), symbi_str_z(ud), &t, &e);
    symbi_text_free(&t);
    return st;
}
static void test_memory(void)
{
    test_oom(scenario, (char[]){ "../x/./y?z" }, SYMBI_OK);
    test_oom(scenario, (char[]){ "//h/x/../y" }, SYMBI_OK);
    test_oom(scenario, (char[]){ "a b" }, SYMBI_EPARSE);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_good);
    RUN(test_bad);
    RUN(test_long);
    RUN(test_join);
    RUN(test_authority);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
