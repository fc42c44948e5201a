/* Unit tests: argument types one by one beyond the shared vectors, conditions, and the pattern engine (compared with what
 * the texts mean, and for its cost). */
#include "base/ctx.h"
#include "base/str.h"
#include "codec/value.h"
#include "symbi/toolclad.h"
#include "test.h"
#include "toolclad/pattern.h"
#include "toolclad/tool.h"
#include <time.h>

static symbi_ctx *cx;

/* The canonical text of value for an argument with these lines, or NULL with the message in msg. */
static const char *check(const char *arg, const symbi_value *v, char msg[500])
{
    static char out[400];
    char manifest[600];
    symbi_member m = { SY_LIT("x"), *v };
    symbi_value args = sy_val_object(&m, 1);
    symbi_tool *t = NULL;
    symbi_doc *d = NULL;
    symbi_err e;
    sy_arena a;
    const char *res = NULL;
    snprintf(manifest, sizeof manifest, "[tool]\nname = \"t\"\ndispatch = \"callback\"\n[args.x]\n%s\n", arg);
    msg[0] = 0;
    if (symbi_tool_parse(cx, symbi_str_z(manifest), SY_LIT("t"), &t, &e)) {
        printf("manifest: %s\n", e.msg);
        t_now_failed = 1;
        return NULL;
    }
    if (symbi_tool_validate(cx, t, &args, &d, &e)) {
        snprintf(msg, 500, "%s", e.msg);
        if (strcmp(e.path, "x") != 0 || strncmp(e.msg, "argument 'x': ", 14) != 0) printf("badly wrapped: %s\n", e.msg), t_now_failed = 1;
    } else {
        symbi_str s;
        sy_arena_init(&a, (symbi_alloc){ counting_fn, &(counting_alloc){ 0 } }, 0);
        s = sy_arg_text(symbi_value_getz(symbi_doc_root(d), "x"), &a);
        snprintf(out, sizeof out, "%.*s", (int)s.n, s.p);
        sy_arena_free(&a);
        res = out;
    }
    symbi_doc_unref(d);
    symbi_tool_unref(t);
    return res;
}

static void accepts(const char *arg, const char *text, const char *canon, int line)
{
    symbi_value v = sy_val_str(symbi_str_z(text));
    char msg[500];
    const char *got = check(arg, &v, msg);
    if (!got || strcmp(got, canon) != 0) {
        printf("%s:%d: '%s' gives %s%s\n", __FILE__, line, text, got ? got : "", msg);
        t_now_failed = 1;
    }
}
static void rejects(const char *arg, const char *text, size_t n, const char *frag, int line)
{
    symbi_value v = sy_val_str((symbi_str){ text, n });
    char msg[500];
    const char *got = check(arg, &v, msg);
    if (got || !strstr(msg, frag)) {
        printf("%s:%d: '%s' gives %s%s\n", __FILE__, line, text, got ? got : "", msg);
        t_now_failed = 1;
    }
}
#define OK(arg, text, canon) accepts(arg, text, canon, __LINE__)
#define NO(arg, text, frag) rejects(arg, text, sizeof(text) - 1, frag, __LINE__)

static void test_every_type(void)
{
    static const char *const bad[] = { "\0x", "\xff", "a\xed\xa0\x80" };
    static const size_t len[] = { 2, 1, 4 };
    char arg[200];
    for (size_t i = 0; sy_type_at(i); i++) {
        const sy_type *t = sy_type_at(i);
        if (t->flags & (SY_TYPE_MCP_ONLY | SY_TYPE_REWRITES)) continue;
        snprintf(arg, sizeof arg, "type = \"%s\"\n%s", t->name, strcmp(t->name, "enum") == 0 ? "allowed = [\"a\"]\n" : "");
        if (strcmp(t->name, "regex_match") == 0) snprintf(arg, sizeof arg, "type = \"regex_match\"\npattern = \"^.*$\"\n");
        for (size_t k = 0; k < 3; k++) rejects(arg, bad[k], len[k], k ? "UTF-8" : "forbidden character", __LINE__);
        CHECK(sy_type_find(symbi_str_z(t->name)) == t);
    }
}

static void test_text_types(void)
{
    static const char meta[] = ";|&$`(){}[]<>!\n\r";
    for (size_t i = 0; meta[i]; i++) {
        char t[4] = { 'a', meta[i], 'b', 0 };
        rejects("type = \"string\"", t, 3, "Injection detected", __LINE__);
        rejects("type = \"path\"", t, 3, "Injection detected", __LINE__);
        rejects("type = \"url\"", t, 3, "Injection detected", __LINE__);
    }
    OK("type = \"string\"", "it's \"x\" \\ # \t", "it's \"x\" \\ # \t");
    OK("type = \"string\"", "", "");
    NO("required = true", "", "String argument cannot be empty");
    OK("required = true\ndefault = \"x\"", "", "");
    NO("pattern = \"^[a-z]+$\"", "ab1", "Value 'ab1' does not match pattern '^[a-z]+$'");
    NO("type = \"enum\"\nallowed = [\"a\", \"b c\"]", "A", "'A' is not in allowed values: a, b c");
    OK("type = \"boolean\"", "TrUe", "true");
    NO("type = \"boolean\"", " true", "is not a valid boolean (use 'true' or 'false')");
    NO("type = \"path\"", "a/../b", "Path traversal (..) is not allowed");
    NO("type = \"path\"", "..", "Path traversal");
    NO("type = \"path\"", "a\\..", "Path traversal");
    NO("type = \"path\"", "c:x", "must be relative");
    NO("type = \"path\"", "\\\\host", "must be relative");
    OK("type = \"path\"", "...", "...");
    OK("type = \"path\"", "a/..b/c..", "a/..b/c..");
    NO("type = \"string\"", "\x1b" "31m$", "forbidden character '$'");
    /* values are echoed as one short clean line */
    NO("type = \"integer\"", "\x1b[31m\n", "'\\u001b[31m\\n' is not a valid integer");
    NO("type = \"integer\"", "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789", "6789...' is not a valid integer");
}

static void test_numbers(void)
{
    OK("type = \"integer\"", "\t +007 \n", "7");
    OK("type = \"integer\"", "-0", "0");
    OK("type = \"integer\"", "-9223372036854775808", "-9223372036854775808");
    OK("type = \"integer\"", "9223372036854775807", "9223372036854775807");
    NO("type = \"integer\"", "9223372036854775808", "not a valid integer");
    NO("type = \"integer\"", "-9223372036854775809", "not a valid integer");
    NO("type = \"integer\"", "99999999999999999999999999", "not a valid integer");
    NO("type = \"integer\"", "", "not a valid integer");
    NO("type = \"integer\"", "+", "not a valid integer");
    NO("type = \"integer\"", "1_0", "not a valid integer");
    NO("type = \"integer\"", "\xc2\xa0" "1", "not a valid integer");
    NO("type = \"integer\"\nmin = 3", "2", "Value 2 is below minimum 3");
    NO("type = \"integer\"\nmax = 3", "4", "Value 4 is above maximum 3");
    OK("type = \"integer\"\nmin = 3\nclamp = true", "2", "3");
    OK("type = \"integer\"\nmax = 3\nclamp = true", "9", "3");
    OK("type = \"number\"", ".5", "0.5");
    OK("type = \"number\"", "5.", "5");
    OK("type = \"number\"", "-0.0", "0");
    OK("type = \"number\"", "1e308", "1e+308");
    OK("type = \"number\"", "00012.50", "12.5");
    OK("type = \"number\"", "1e21", "1e+21");
    NO("type = \"number\"", ".", "not a valid number");
    NO("type = \"number\"", "1e", "not a valid number");
    NO("type = \"number\"", "0x10", "not a valid number");
    NO("type = \"number\"", "nan", "not a valid number");
    NO("type = \"number\"", "1e999", "Number must be finite");
    NO("type = \"number\"\nmin_float = 0.5", "0.25", "Value 0.25 is below minimum 0.5");
    NO("type = \"number\"\nmax = 2", "2.5", "Value 2.5 is above maximum 2");
    OK("type = \"number\"\nmin_float = 0.5\nmin = 3\nclamp = true", "0", "0.5");
    NO("type = \"number\"\nclamp = true\nmax = 1", "1e999", "finite");
    OK("type = \"port\"", "65535", "65535");
    NO("type = \"port\"", "65536", "Port must be 1-65535");
    NO("type = \"port\"\nclamp = true\nmax = 10", "70000", "Port must be 1-65535");
    NO("type = \"port\"\nmax = 1024", "8080", "above maximum 1024");
}

static void test_network(void)
{
    OK("type = \"ip_address\"", "::ffff:10.0.0.1", "::ffff:10.0.0.1");
    OK("type = \"ip_address\"", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8");
    OK("type = \"ip_address\"", "1::", "1::");
    OK("type = \"ip_address\"", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7::");
    static const char *const bad_ip[] = { "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1", "1:", ":::", "12345::", "fe80::1%eth0", "[::1]", "::1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4", "g::", "1.2.3.4::", "2130706433" };
    for (size_t i = 0; i < sizeof bad_ip / sizeof bad_ip[0]; i++) {
        rejects("type = \"ip_address\"", bad_ip[i], strlen(bad_ip[i]), "is not a valid IP address", __LINE__);
        rejects("type = \"scope_target\"", bad_ip[i], strlen(bad_ip[i]), "", __LINE__);
    }
    OK("type = \"cidr\"", "10.0.0.1/0", "10.0.0.1/0");
    OK("type = \"cidr\"", "::/128", "::/128");
    NO("type = \"cidr\"", "10.0.0.1/33", "CIDR");
    NO("type = \"cidr\"", "::/129", "CIDR");
    NO("type = \"cidr\"", "10.0.0.1/", "CIDR");
    NO("type = \"cidr\"", "10.0.0.1/0024", "CIDR");
    NO("type = \"cidr\"", "10.0.0.1/8/8", "CIDR");
    OK("type = \"url\"\nschemes = [\"https\"]", "HTTPS://u:p@h:443/x?y=1#z", "HTTPS://u:p@h:443/x?y=1#z");
    NO("type = \"url\"\nschemes = [\"https\", \"ftp\"]", "http://h/", "URL scheme 'http' not allowed (allowed: https, ftp)");
    NO("type = \"url\"", "http://", "host is missing");
    NO("type = \"url\"", "http://u@/x", "host is missing");
    NO("type = \"url\"", "http://h:65536/", "port is wrong");
    NO("type = \"url\"", "http://h:8x/", "port is wrong");
    NO("type = \"url\"", "http:/h", "not a valid URL");
    NO("type = \"url\"", "javascript:alert", "not a valid URL");
    NO("type = \"url\"", "http://h/a b", "blank");
    NO("type = \"url\"", "http://h\\@evil/", "backslash");
    OK("type = \"scope_target\"", "a-b.example.com", "a-b.example.com");
    OK("type = \"scope_target\"", "10.0.0.0/8", "10.0.0.0/8");
    NO("type = \"scope_target\"", "", "empty");
    NO("type = \"scope_target\"", " a.com", "whitespace");
    NO("type = \"scope_target\"", "a.com\xe3\x80\x80", "whitespace");
    NO("type = \"scope_target\"", "*.a.com", "wildcard");
    NO("type = \"scope_target\"", "a/../b", "traversal");
    NO("type = \"scope_target\"", "a/b", "'/'");
    NO("type = \"scope_target\"", "a\\b", "backslash");
    NO("type = \"scope_target\"", "b\xc3\xbc" "cher.de", "ASCII");
    NO("type = \"scope_target\"", "a.XN--b.com", "punycode");
    NO("type = \"scope_target\"", "-oX", "not a valid host name");
    NO("type = \"scope_target\"", "127.1", "not a valid host name");
    NO("type = \"scope_target\"", "0x7f.0.0.1", "not a valid host name");
    NO("type = \"scope_target\"", "a.0x7F", "not a valid host name");
    NO("type = \"scope_target\"", "a_b.com", "not a valid host name");
    NO("type = \"scope_target\"", "example.com.", "not a valid host name");
    {
        char host[300];
        memset(host, 'a', sizeof host);
        for (size_t i = 63; i < 253; i += 64) host[i] = '.';
        accepts("type = \"scope_target\"", (host[253] = 0, host), host, __LINE__);
        host[253] = 'a';
        rejects("type = \"scope_target\"", host, 254, "253", __LINE__);
        memset(host, 'a', 64);
        rejects("type = \"scope_target\"", host, 64, "not a valid host name", __LINE__);
    }
}

static void test_other(void)
{
    OK("type = \"duration\"", "1h30m5s500ms", "1h30m5s500ms");
    OK("type = \"duration\"", "90", "90");
    OK("type = \"duration\"", "500ms", "500ms");
    OK("type = \"duration\"", "9223372036854775807", "9223372036854775807");
    NO("type = \"duration\"", "9223372036854775808", "64 bits");
    NO("type = \"duration\"", "", "Duration cannot be empty");
    static const char *const bad[] = { "5m1h", "5m5m", "m", "5x", "5 m", "-5", "5m\n", "5m3", "1.5h", "5ms1s" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) rejects("type = \"duration\"", bad[i], strlen(bad[i]), "is not a valid duration", __LINE__);
    OK("type = \"msf_options\"", "RHOSTS 10.0.0.1; set lport 44 ;;", "RHOSTS 10.0.0.1; set lport 44 ;;");
    NO("type = \"msf_options\"", "rhosts x", "Invalid MSF option segment 'rhosts x'");
    NO("type = \"msf_options\"", "RHOSTS", "Invalid MSF option segment");
    NO("type = \"msf_options\"", "A b|c", "forbidden character '|'");
    NO("type = \"msf_options\"", "A b\nC d", "line break");
    NO("type = \"credential_file\"", "", "cannot be empty");
    NO("type = \"credential_file\"", "/etc/shadow", "must be relative");
}

static void test_values_of_other_kinds(void)
{
    symbi_value v, item = sy_val_int(1);
    char msg[500];
    v = sy_val_bool(true);
    CHECK(strcmp(check("", &v, msg), "true") == 0);
    v = sy_val_double(1.0);
    CHECK(strcmp(check("type = \"integer\"", &v, msg), "1") == 0);
    v = sy_val_double(1.5);
    CHECK(!check("type = \"integer\"", &v, msg) && strstr(msg, "'1.5' is not a valid integer"));
    v = sy_val_int(INT64_MIN);
    CHECK(strcmp(check("", &v, msg), "-9223372036854775808") == 0);
    v = sy_val_array(&item, 1);
    CHECK(!check("", &v, msg) && strstr(msg, "string expected, got array"));
    v = sy_val_object(NULL, 0);
    CHECK(!check("type = \"integer\"", &v, msg) && strstr(msg, "integer expected, got object"));
}

static void test_whole_call(void)
{
    symbi_err e;
    symbi_tool *t;
    symbi_doc *d;
    symbi_value v = sy_val_int(1);
    symbi_member m[2] = { { SY_LIT("b"), sy_val_str(SY_LIT("x")) }, { SY_LIT("a"), sy_val_str(SY_LIT("x")) } };
    symbi_limits *l = symbi_ctx_limits(cx);
    size_t keep = l->arg_bytes;
    CHECK_OK(symbi_tool_parse(cx, SY_LIT("[tool]\nname = \"t\"\ndispatch = \"callback\"\n[args.a]\nposition = 2\ntype = \"integer\"\n[args.b]\nposition = 1\ntype = \"port\"\n[args.c]\nposition = 1\n"), SY_LIT("t"), &t, &e), e);
    CHECK(symbi_tool_validate(cx, t, &v, &d, &e) == SYMBI_ESCHEMA && strstr(e.msg, "must be an object"));
    v = sy_val_object(m, 2);
    CHECK(symbi_tool_validate(cx, t, &v, &d, &e) == SYMBI_ESCHEMA && strcmp(e.path, "b") == 0); /* the first by position */
    m[0].key = SY_LIT("bb");
    CHECK(symbi_tool_validate(cx, t, &v, &d, &e) == SYMBI_ESCHEMA && !d && strcmp(e.path, "bb") == 0 && strstr(e.msg, "tool 't' has no such argument"));
    m[0].key = SY_LIT("B"); /* no folding */
    CHECK(symbi_tool_validate(cx, t, &v, &d, &e) == SYMBI_ESCHEMA && !d);
    m[0].key = SY_LIT("b");
    m[0].val = sy_val_int(80);
    m[1].val = sy_val_str(SY_LIT("7"));
    l->arg_bytes = 2 + 32 + 1;
    CHECK_OK(symbi_tool_validate(cx, t, &v, &d, &e), e);
    REQUIRE(d);
    CHECK(symbi_doc_root(d)->u.o.n == 2 && sy_str_eqz(symbi_doc_root(d)->u.o.members[0].key, "a") && symbi_doc_root(d)->u.o.members[0].val.u.i == 7);
    symbi_doc_unref(d);
    l->arg_bytes--;
    CHECK(symbi_tool_validate(cx, t, &v, &d, &e) == SYMBI_ELIMIT && strstr(e.msg, "arg_bytes"));
    l->arg_bytes = keep;
    CHECK(symbi_tool_validate(cx, t, NULL, &d, &e) == SYMBI_OK && symbi_doc_root(d)->u.o.n == 0);
    symbi_doc_unref(d);
    symbi_tool_unref(t);
}

/* ---- patterns ---- */

static int match(const char *pattern, symbi_str text, char msg[400])
{
    sy_arena a;
    counting_alloc ca = { 0 };
    const sy_pattern *p;
    symbi_err e;
    bool hit = false;
    int res;
    sy_arena_init(&a, (symbi_alloc){ counting_fn, &ca }, 0);
    if (sy_pattern_compile(&a, symbi_str_z(pattern), &p, &e)) {
        res = -1;
        if (msg) snprintf(msg, 400, "%s", e.msg);
    } else {
        res = sy_pattern_search(cx, p, text, &hit, &e) ? -2 : hit;
    }
    sy_arena_free(&a);
    if (ca.live_blocks) t_now_failed = 1;
    return res;
}

static void test_pattern_matches(void)
{
    static const struct { const char *p, *t; int hit; } c[] = {
        { "", "", 1 }, { "", "x", 1 }, { "a", "bab", 1 }, { "^a", "ba", 0 }, { "a$", "ab", 0 }, { "a$", "a\n", 0 }, { "^$", "", 1 }, { "^$", "x", 0 }, { "^a|b$", "ab", 1 }, { "^(a|b)$", "ab", 0 },
        { "^a*$", "aaaa", 1 }, { "^a+$", "", 0 }, { "^a?$", "aa", 0 }, { "^a{2,3}$", "aa", 1 }, { "^a{2,3}$", "aaaa", 0 }, { "^a{2}$", "aa", 1 }, { "^a{2,}$", "aaaaa", 1 }, { "^a{0}$", "", 1 }, { "^a{0,2}b$", "aab", 1 },
        { "^a*?b$", "aab", 1 }, { "^(ab)+$", "abab", 1 }, { "^(?:ab|c)*$", "abcab", 1 }, { "^(a*)*$", "aaa", 1 }, { "^(a*)+$", "b", 0 }, { "(|a)b", "b", 1 }, { "^[a-c]$", "b", 1 }, { "^[^a-c]$", "b", 0 }, { "^[^a-c]$", "d", 1 },
        { "^[]a]$", "]", 1 }, { "^[a\\]]$", "]", 1 }, { "^[-a]$", "-", 1 }, { "^[a-]$", "-", 1 }, { "^[\\d-x]+$", "7-x", 1 }, { "^[\\d_]$", "7", 1 }, { "^[^\\d]$", "7", 0 }, { "^[\\D]$", "x", 1 }, { "^\\d+$", "12", 1 }, { "^\\d$", "\xd9\xa3", 0 }, { "^\\D$", "\xd9\xa3", 1 },
        { "^\\w+$", "aZ_9", 1 }, { "^\\w$", "\xc3\xa9", 0 }, { "^\\s$", "\t", 1 }, { "^\\S$", "x", 1 }, { "^.$", "\n", 0 }, { "(?s)^.$", "\n", 1 }, { "^.$", "\xf0\x9f\x98\x80", 1 }, { "^..$", "\xc3\xa9" "a", 1 }, { "(?i)^AbC$", "aBc", 1 },
        { "(?i)[a-f]x", "FX", 1 }, { "a(?i)b", "aB", 1 }, { "a(?i:b)c", "aBC", 0 }, { "(?i)(?-i)a", "A", 0 }, { "\\bfoo\\b", "a foo b", 1 }, { "\\bfoo\\b", "food", 0 }, { "\\Boo", "foo", 1 }, { "\\Boo", "oo", 0 }, { "^\\x41\\u00e9\\x{1F600}$", "A\xc3\xa9\xf0\x9f\x98\x80", 1 },
        { "\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\^\\$\\\\\\/\\-", ".*+?()[]{}|^$\\/-", 1 }, { "^[[:alpha:]]+$", "abZ", 1 }, { "^[[:digit:][:space:]]+$", "1 2", 1 }, { "\\Aab\\z", "ab", 1 }, { "\\Aab\\z", "ab\n", 0 }, { "(?P<n>a)(?<m>b)", "ab", 1 },
        { "\xc3\xa9+$", "x\xc3\xa9\xc3\xa9", 1 }, { "^[\xc3\xa0-\xc3\xbf]$", "\xc3\xa9", 1 }, { "a||b", "", 1 }, { "^(a|ab)(c|bcd)$", "abcd", 1 }, { "^(?:(?:a{1,2}){1,2}){1,2}$", "aaaaaaaa", 1 }, { "^(?:(?:a{1,2}){1,2}){1,2}$", "aaaaaaaaa", 0 },
        { "^[\\t\\n]$", "\t", 1 }, { "x*", "", 1 }, { "$^", "", 1 }, { "a$b", "ab", 0 }, { "(^a)|(b$)", "xb", 1 }, { "^(?:a$|b)", "a", 1 }, { "\\b", "", 0 }, { "\\B", "", 1 },
    };
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        int got = match(c[i].p, symbi_str_z(c[i].t), NULL);
        if (got != c[i].hit) {
            printf("%s on '%s': %d\n", c[i].p, c[i].t, got);
            t_now_failed = 1;
        }
    }
}

static void test_pattern_refuses(void)
{
    static const char *const c[][2] = { { "(", "not closed" }, { ")", "closes nothing" }, { "[a", "not closed" }, { "[]", "not closed" }, { "a**", "repeated" }, { "*a", "nothing to repeat" }, { "a{2,1}", "backwards" }, { "a{", "repetition" },
        { "{", "brace" }, { "}", "brace" }, { "a{1001}", "1000" }, { "[z-a]", "backwards" }, { "[[a]]", "\\[" }, { "[a&&b]", "operators" }, { "\\1", "back-references" }, { "(?=a)", "look-around" }, { "(?!a)", "look-around" },
        { "(?<=a)", "look-around" }, { "(?<!a)", "look-around" }, { "\\pL", "Unicode classes" }, { "\\q", "unknown escape" }, { "\\", "backslash ends" }, { "(?x)a", "unknown flag" }, { "(?", "not closed" }, { "(?)", "flags are missing" },
        { "\\xg", "hexadecimal" }, { "\\x{110000}", "no such character" }, { "\\ud800", "no such character" }, { "(?P=n)", "back-references" }, { "(?P<>a)", "name" }, { "[a-\\d]", "cannot end in a class" }, { "(?P>x)", "unknown kind" },
        { "((a{1000}){1000}){1000}", "too large" }, { "[[:nope:]]", "\\[" }, { "\xff", "UTF-8" } };
    char msg[400], big[5000];
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        int got = match(c[i][0], SY_LIT("a"), msg);
        if (got != -1 || !strstr(msg, c[i][1])) {
            printf("%s: %d %s\n", c[i][0], got, got == -1 ? msg : "");
            t_now_failed = 1;
        }
    }
    memset(big, '(', 101);
    memset(big + 101, ')', 101);
    big[202] = 0;
    CHECK(match(big, SY_LIT(""), msg) == -1 && strstr(msg, "nested too deeply"));
    big[100] = 'a', big[101] = ')', big[201] = 0;
    memset(big + 101, ')', 100);
    CHECK(match(big, SY_LIT("a"), msg) == 1);
    memset(big, 'a', 4097);
    big[4097] = 0;
    CHECK(match(big, SY_LIT(""), msg) == -1 && strstr(msg, "4096"));
}

/* Patterns that make backtracking engines explode. */
static void test_pattern_cost(void)
{
    static const char *const evil[] = { "^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "^(a?){100}a{100}$" };
    enum { N = 100000 };
    char *t = malloc(N + 1);
    clock_t from = clock();
    REQUIRE(t);
    memset(t, 'a', N);
    t[N] = '!';
    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) CHECK(match(evil[i], (symbi_str){ t, N + 1 }, NULL) == 0);
    if ((double)(clock() - from) / CLOCKS_PER_SEC > 20) {
        printf("patterns take %.1f s\n", (double)(clock() - from) / CLOCKS_PER_SEC);
        t_now_failed = 1;
    }
    CHECK(match("^(a?){1000}$", (symbi_str){ t, N }, NULL) == -2); /* more work than a value may cost */
    free(t);
}

static symbi_status pattern_oom(symbi_ctx *c, void *ud)
{
    sy_arena a;
    const sy_pattern *p;
    bool hit;
    symbi_status st;
    sy_arena_init(&a, c->shared, 0);
    st = sy_pattern_compile(&a, *(symbi_str *)ud, &p, NULL);
    if (!st) st = sy_pattern_search(c, p, SY_LIT("abcabcabc"), &hit, NULL);
    sy_arena_free(&a);
    return st;
}

static void test_pattern_memory(void)
{
    symbi_str p = SY_LIT("^(?:[a-c]\\d*|(?i)[[:alpha:]x-z]{3,90}\\w\\s?)+$"), big = SY_LIT("(?:a|b){500}");
    test_oom(pattern_oom, &p, SYMBI_OK);
    test_oom(pattern_oom, &big, SYMBI_OK);
}

/* ---- conditions ---- */

static symbi_str var(const void *ud, symbi_str name)
{
    (void)ud;
    return sy_str_eqz(name, "a") ? SY_LIT("1") : sy_str_eqz(name, "b") ? SY_LIT("x and y") : sy_str_eqz(name, "c") ? SY_LIT("it's") : SY_LIT("");
}

static int cond(const char *text)
{
    sy_arena a;
    counting_alloc ca = { 0 };
    const sy_when *w;
    symbi_err e;
    int res;
    sy_arena_init(&a, (symbi_alloc){ counting_fn, &ca }, 0);
    res = sy_when_parse(&a, symbi_str_z(text), &w, &e) ? -1 : sy_when_eval(w, var, NULL);
    sy_arena_free(&a);
    return res;
}

static void test_conditions(void)
{
    static const struct { const char *t; int want; } c[] = { { "a == 1", 1 }, { "a==1", 1 }, { "a == '1'", 1 }, { "a == 01", 0 }, { "a != \"1\"", 0 }, { "b == 'x and y'", 1 }, { "c == \"it's\"", 1 }, { "z == ''", 1 },
        { "a == 1 or z == 'q' and z == 'q'", 1 }, { "z == 'q' and z == 'q' or a == 1", 1 }, { "a == 1 and z == 'q' or z == 'r'", 0 }, { "a == 2 or a == 3 or a == 1", 1 }, { "  a  ==  1  ", 1 }, { "and == ''", 1 }, { "a == and", 0 },
        { "", -1 }, { "a", -1 }, { "a =", -1 }, { "a = 1", -1 }, { "a === 1", -1 }, { "a == ", -1 }, { "a == 'x", -1 }, { "a == 1 and", -1 }, { "a == 1 xor b == 1", -1 }, { "a == 1 b == 1", -1 }, { "(a == 1)", -1 }, { "a == 1)", -1 },
        { "1 == a", -1 }, { "'1' == a", -1 }, { "a < 2", -1 }, { "not a == 1", -1 }, { "a == 1 && a == 1", -1 }, { "a == 'x'y", -1 }, { "a.b == 1", -1 }, { "a == b == c", -1 } };
    char big[4000] = "a == 1";
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++)
        if (cond(c[i].t) != c[i].want) {
            printf("%s: %d\n", c[i].t, cond(c[i].t));
            t_now_failed = 1;
        }
    for (int i = 1; i < 64; i++) strcat(big, " or a == 2");
    CHECK(cond(big) == 1);
    CHECK(cond(strcat(big, " or a == 2")) == -1);
}

static const char *names(const void *ud, size_t i)
{
    static const char *const n[] = { "path", "integer", "boolean", NULL };
    (void)ud;
    return n[i];
}
static void test_suggest(void)
{
    const char *s;
    CHECK((s = sy_suggest(SY_LIT("pth"), names, NULL)) && strcmp(s, "path") == 0);
    CHECK((s = sy_suggest(SY_LIT("PATH"), names, NULL)) && strcmp(s, "path") == 0);
    CHECK((s = sy_suggest(SY_LIT("intgeer"), names, NULL)) && strcmp(s, "integer") == 0);
    CHECK(!sy_suggest(SY_LIT("x"), names, NULL) && !sy_suggest(SY_LIT(""), names, NULL) && !sy_suggest(SY_LIT("something else"), names, NULL));
}

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_every_type);
    RUN(test_text_types);
    RUN(test_numbers);
    RUN(test_network);
    RUN(test_other);
    RUN(test_values_of_other_kinds);
    RUN(test_whole_call);
    RUN(test_pattern_matches);
    RUN(test_pattern_refuses);
    RUN(test_pattern_cost);
    RUN(test_pattern_memory);
    RUN(test_conditions);
    RUN(test_suggest);
    symbi_ctx_free(cx);
    return test_end();
}
