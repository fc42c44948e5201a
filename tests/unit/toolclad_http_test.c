/* HTTP tools without a network: the request that a plan stands for, secrets, and what an answer says. The shared vectors, then what must not get
 * through at each place. */
#include "base/str.h"
#include "codec/build.h"
#include "symbi/json.h"
#include "symbi/tool_request.h"
#include "symbi/toolclad.h"
#include "test.h"
#include "toolclad/http_in.h"
#include "toolclad/trace.h"
#include "toolclad_vectors.h"

static symbi_ctx *cx;

#define HEAD "[tool]\nname = \"h\"\nversion = \"1\"\ndescription = \"d\"\n"
#define ARG(name, type) "[args." name "]\ntype = \"" type "\"\n"
#define TAIL "[output]\nformat = \"json\"\n"

typedef struct call {
    symbi_tool *t;
    symbi_doc *args, *secrets;
    symbi_plan *p;
    symbi_plan_request q;
    symbi_err e;
    symbi_status st;
} call;

static symbi_doc *json(const char *text)
{
    symbi_doc *d = NULL;
    symbi_err e;
    CHECK_OK(symbi_json_parse(cx, symbi_str_z(text), &d, &e), e);
    return d;
}

/* Loads, validates, plans and resolves; stops at the first failure, which is in c->st and c->e. */
static void begin(call *c, symbi_str toml, const symbi_value *args, const symbi_value *secrets, const symbi_plan_options *o)
{
    symbi_doc *v = NULL;
    memset(c, 0, sizeof *c);
    if ((c->st = symbi_tool_parse(cx, toml, SY_LIT("h.clad.toml"), &c->t, &c->e))) return;
    if ((c->st = symbi_tool_validate(cx, c->t, args, &v, &c->e))) return;
    c->st = symbi_tool_plan(cx, c->t, symbi_doc_root(v), o, &c->p, &c->e);
    symbi_doc_unref(v);
    if (!c->st) c->st = symbi_plan_resolve(cx, c->p, secrets, &c->q, &c->e);
}

static void end(call *c)
{
    symbi_plan_request_wipe(&c->q);
    symbi_plan_unref(c->p);
    symbi_tool_unref(c->t);
    symbi_doc_unref(c->args);
    symbi_doc_unref(c->secrets);
}

static void run(call *c, const char *toml, const char *args, const char *secrets)
{
    symbi_doc *a = json(args), *s = json(secrets);
    begin(c, symbi_str_z(toml), symbi_doc_root(a), symbi_doc_root(s), NULL);
    c->args = a;
    c->secrets = s;
}

static symbi_str header(const call *c, const char *name)
{
    for (size_t i = 0; i < c->q.nheaders; i++)
        if (sy_str_eqz(c->q.headers[i].name, name)) return c->q.headers[i].value;
    return (symbi_str){ NULL, 0 };
}

/* ---- vectors ---- */

/* TOOLCLAD_SECRET_<NAME> of an environment, for the names that a plan wants. */
static symbi_value secrets_of(const symbi_plan *p, const symbi_value *env, symbi_member *m)
{
    size_t n = 0;
    for (size_t i = 0; i < p->nsecrets; i++) {
        char name[200] = "TOOLCLAD_SECRET_";
        size_t k = strlen(name);
        const symbi_value *v;
        for (size_t j = 0; j < p->secrets[i].n; j++) name[k++] = (char)(p->secrets[i].p[j] >= 'a' && p->secrets[i].p[j] <= 'z' ? p->secrets[i].p[j] - 32 : p->secrets[i].p[j]);
        name[k] = 0;
        v = symbi_value_getz(env, name);
        if (v) m[n].key = p->secrets[i], m[n++].val = *v;
    }
    return (symbi_value){ .kind = SYMBI_OBJECT, .u = { .o = { m, n } } };
}

static void test_vectors_http(void)
{
    symbi_doc *d;
    const symbi_value *cases;
    int ok = 0;
    if (!(d = vectors(cx, "http_request.json"))) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *v = &cases->u.a.items[i], *want = symbi_value_getz(v, "expect_request"), *answer = symbi_value_getz(v, "response");
        symbi_str toml = str(v, "toml"), host = SY_LIT("127.0.0.1:8099");
        char *text = malloc(toml.n + 200), *o = text;
        symbi_doc *empty = json("{}");
        symbi_member m[16];
        symbi_value given;
        call c;
        bool agrees;
        for (size_t k = 0; k < toml.n; k++) {
            if (toml.n - k >= 4 && memcmp(toml.p + k, "HOST", 4) == 0) memcpy(o, host.p, host.n), o += host.n, k += 3;
            else *o++ = toml.p[k];
        }
        begin(&c, (symbi_str){ text, (size_t)(o - text) }, symbi_value_getz(v, "args"), symbi_doc_root(empty), NULL);
        if (c.p) {
            symbi_plan_request_wipe(&c.q);
            given = secrets_of(c.p, symbi_value_getz(v, "secrets_env"), m);
            c.st = symbi_plan_resolve(cx, c.p, &given, &c.q, &c.e);
        }
        if (!want || want->kind == SYMBI_NULL) {
            agrees = c.st != SYMBI_OK;
        } else if (c.st) {
            agrees = false;
        } else {
            symbi_str target = c.q.url;
            const symbi_value *headers = symbi_value_getz(want, "headers");
            size_t skip = strlen("http://") + host.n;
            symbi_member rm[2] = { { SY_LIT("http_status"), *symbi_value_getz(answer, "status") }, { SY_LIT("body"), *symbi_value_getz(answer, "body") } };
            symbi_value raw = { .kind = SYMBI_OBJECT, .u = { .o = { rm, 2 } } };
            symbi_doc *env = NULL;
            symbi_err e;
            target.p += skip, target.n -= skip;
            agrees = sy_str_eq(c.q.method, str(want, "method")) && sy_str_eq(target, str(want, "target")) && sy_str_eq(c.q.body.p ? c.q.body : SY_LIT(""), str(want, "body"));
            for (size_t k = 0; headers && k < headers->u.o.n; k++) agrees = agrees && sy_str_eq(header(&c, headers->u.o.members[k].key.p), headers->u.o.members[k].val.u.s);
            CHECK_OK(symbi_tool_envelope_of(cx, c.t, c.p, &raw, &env, &e), e);
            agrees = agrees && env && sy_str_eq(str(symbi_doc_root(env), "status"), str(v, "expect_status"));
            symbi_doc_unref(env);
        }
        if (agrees) ok++;
        else printf("  %.*s: %s %.*s\n", (int)str(v, "id").n, str(v, "id").p, c.st ? c.e.msg : "", (int)c.q.url.n, c.q.url.p ? c.q.url.p : "");
        CHECK(agrees);
        end(&c);
        symbi_doc_unref(empty);
        free(text);
    }
    printf("http_request.json            %d of %zu\n", ok, cases->u.a.n);
    symbi_doc_unref(d);
}

static void test_vectors_secrets(void)
{
    symbi_doc *d;
    const symbi_value *cases, *env;
    int ok = 0, rule = 0;
    if (!(d = vectors(cx, "secrets.json"))) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    env = symbi_value_getz(symbi_doc_root(d), "env");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *v = &cases->u.a.items[i];
        symbi_member http[3] = { { SY_LIT("url"), sy_val_str(SY_LIT("https://h.example/")) }, { SY_LIT("method"), sy_val_str(SY_LIT("POST")) }, { SY_LIT("body_template"), sy_val_str(str(v, "template")) } };
        symbi_member type = { SY_LIT("Content-Type"), sy_val_str(SY_LIT("text/plain")) };
        symbi_member h4[4] = { http[0], http[1], http[2], { SY_LIT("headers"), sy_val_object(&type, 1) } };
        symbi_member tool = { SY_LIT("name"), sy_val_str(SY_LIT("t")) }, out = { SY_LIT("format"), sy_val_str(SY_LIT("text")) };
        symbi_member top[3] = { { SY_LIT("tool"), sy_val_object(&tool, 1) }, { SY_LIT("http"), sy_val_object(h4, 4) }, { SY_LIT("output"), sy_val_object(&out, 1) } };
        symbi_value manifest = sy_val_object(top, 3), empty = sy_val_object(NULL, 0), given;
        symbi_tool *t = NULL;
        symbi_plan *p = NULL;
        symbi_plan_request q;
        symbi_member m[16];
        symbi_err e;
        bool agrees;
        symbi_status st = symbi_tool_from_value(cx, &manifest, SY_LIT("v"), &t, &e);
        memset(&q, 0, sizeof q);
        if (st && strstr(e.msg, "has no source")) { /* ours: a placeholder without a source is an error of the manifest */
            rule++;
            continue;
        }
        if (!st) st = symbi_tool_plan(cx, t, &empty, NULL, &p, &e);
        if (!st) {
            given = secrets_of(p, env, m);
            st = symbi_plan_resolve(cx, p, &given, &q, &e);
        }
        if (sy_str_eqz(str(v, "expect"), "ok")) agrees = !st && sy_str_eq(q.body, str(v, "value"));
        else agrees = st == SYMBI_ENOTFOUND;
        if (agrees) ok++;
        else printf("  %.*s: %s\n", (int)str(v, "id").n, str(v, "id").p, st ? e.msg : q.body.p);
        CHECK(agrees);
        symbi_plan_request_wipe(&q);
        symbi_plan_unref(p);
        symbi_tool_unref(t);
    }
    printf("secrets.json                 %d of %zu, %d decided by a rule of ours\n", ok, cases->u.a.n, rule);
    symbi_doc_unref(d);
}

/* ---- places ---- */

static void expect_url(const char *url, const char *args, const char *want, int line)
{
    char toml[1000];
    call c;
    snprintf(toml, sizeof toml, HEAD ARG("a", "string") ARG("b", "string") ARG("u", "url") ARG("n", "integer") "[http]\nurl = '%s'\n" TAIL, url);
    run(&c, toml, args, "{\"k\":\"s/e&c+r t\"}");
    if (want && (c.st || !sy_str_eqz(c.q.url, want))) printf("line %d: %s, expected %s\n", line, c.st ? c.e.msg : c.q.url.p, want), t_now_failed = 1;
    if (!want && !c.st) printf("line %d: %s was let through\n", line, c.q.url.p), t_now_failed = 1;
    if (!want && c.p && !c.p->nsecrets) printf("line %d: refused only after there was a plan\n", line), t_now_failed = 1;
    end(&c);
}
#define URL(url, args, want) expect_url(url, args, want, __LINE__)

static void test_url(void)
{
    URL("https://h.example/s?q={a}", "{\"a\":\"x y#z?%2e/é\"}", "https://h.example/s?q=x%20y%23z%3F%252e/%C3%A9");
    URL("https://h.example/s?q={a}&r=1", "{\"a\":\"1'*,=+:@\"}", "https://h.example/s?q=1'*,=+:@&r=1");
    URL("https://h.example/{a}/x", "{\"a\":\"{b}\"}", NULL); /* metacharacters are refused before */
    URL("https://h.example/{n}", "{\"n\":-5}", "https://h.example/-5");
    URL("{u}", "{\"u\":\"https://other.example/p?q=1#f\"}", "https://other.example/p?q=1#f");
    URL("{u}/x?y={a}", "{\"u\":\"https://other.example/p\",\"a\":\"1/2\"}", "https://other.example/p/x?y=1/2");
    URL("https://h.example/{{a}}", "{\"a\":\"v\"}", "https://h.example/%7Bv%7D");
    URL("https://h.example/%7Bx%7D/{{zz}}", "{}", "https://h.example/%7Bx%7D/%7Bzz%7D");
    URL("https://h.example/?k={_secret:k}", "{}", "https://h.example/?k=s/e%26c%2Br%20t");
    URL("https://{a}.h.example/", "{\"a\":\"eu-1\"}", "https://eu-1.h.example/");
    URL("https://h.example{a}", "{\"a\":\"/p/q\"}", "https://h.example/p/q");
    /* the host is the author's */
    URL("https://{a}.h.example/", "{\"a\":\"evil.example/x\"}", NULL);
    URL("https://{a}.h.example/", "{\"a\":\"evil.example#\"}", NULL);
    URL("https://{a}.h.example/", "{\"a\":\"evil.example?\"}", NULL);
    URL("https://{a}.h.example/", "{\"a\":\"user@evil.example\"}", NULL);
    URL("https://{a}.h.example/", "{\"a\":\"evil.example:80\"}", NULL);
    URL("https://{a}.h.example/", "{\"a\":\"evil.example%2f\"}", NULL);
    URL("https://{a}.h.example/", "{\"a\":\"e\\u0007vil\"}", NULL);
    URL("https://{a}.h.example/", "{\"a\":\"évil\"}", NULL);
    URL("https://h.example{a}/p", "{\"a\":\"@evil.example\"}", NULL);
    URL("https://h.example{a}/p", "{\"a\":\".evil.example\"}", NULL);
    URL("https://h.example{a}", "{\"a\":\"x\"}", NULL);
    URL("https://h.example{a}{b}", "{\"a\":\".evil\",\"b\":\"/p\"}", NULL);
    URL("https://h.example{a}{b}", "{\"a\":\":8443\",\"b\":\"/p\"}", "https://h.example:8443/p");
    URL("https://h.example{a}{b}", "{\"a\":\":84\",\"b\":\"43\"}", "https://h.example:8443");
    URL("https://h.example{a}?q=1", "{\"a\":\"-2.evil.example\"}", NULL);
    URL("https://h.example{a}?q=1", "{}", "https://h.example?q=1");
    URL("https://node{n}/p", "{\"n\":7}", "https://node7/p");
    URL("https://node{a}/p", "{\"a\":\".evil.example\"}", NULL);
    URL("https://eu{a}.h.example/p", "{\"a\":\"-1\"}", "https://eu-1.h.example/p");
    URL("https://h.{a}/p", "{\"a\":\"example\"}", "https://h.example/p");
    URL("https://{a}{b}/p", "{\"a\":\"h\",\"b\":\".example\"}", NULL); /* whose host it is is not clear: one placeholder names it */
    URL("https://{a}/p", "{\"a\":\"h.example\"}", "https://h.example/p");
    URL("https://h.example{a}/p", "{\"a\":\"/../../x\"}", NULL);
    URL("https://h.example:{a}/p", "{\"a\":\"80@evil.example\"}", NULL);
    URL("{a}://h.example/p", "{\"a\":\"file\"}", NULL);
    URL("{a}://h.example/p", "{\"a\":\"http://evil.example/\"}", "http://evil.example/://h.example/p"); /* who begins with a value lets it decide */
    URL("https://{_secret:k}/", "{}", NULL);
    /* dot segments, however they come about */
    URL("https://h.example/a/{a}/b", "{\"a\":\"..\"}", NULL);
    URL("https://h.example/a/{a}/b", "{\"a\":\".\"}", NULL);
    URL("https://h.example/a/{a}", "{\"a\":\"x/../../y\"}", NULL);
    URL("https://h.example/a/{a}", "{\"a\":\"..\"}", NULL);
    URL("https://h.example/a/.{a}", "{\"a\":\".\"}", NULL);
    URL("https://h.example/a/%2e{a}/x", "{\"a\":\".\"}", NULL);
    URL("https://h.example/a/%2{a}/x", "{\"a\":\"e\"}", NULL);
    URL("https://h.example/a/%2E%2e/x", "{}", NULL);
    URL("{u}", "{\"u\":\"https://h.example/a/../b\"}", NULL);
    URL("https://h.example/a/{a}/b", "{\"a\":\"...\"}", "https://h.example/a/.../b");
    URL("https://h.example/a/{a}", "{\"a\":\".git\"}", "https://h.example/a/.git");
    URL("https://h.example/a?p={a}", "{\"a\":\"../..\"}", "https://h.example/a?p=../..");
    URL("ftp://h.example/", "{}", NULL);
    URL("h.example/x", "{}", NULL);
    URL("https://user:pw@h.example/", "{}", NULL);
}

static void test_secret_dot_segments(void)
{
    call c;
    run(&c, HEAD "[http]\nurl = 'https://h.example/a/{_secret:k}/b'\n" TAIL, "{}", "{\"k\":\"..\"}");
    CHECK(c.st == SYMBI_EDENIED && strstr(c.e.msg, "'.' or '..'"));
    end(&c);
}

static void expect_body(const char *type, const char *body, const char *args, const char *want, int line)
{
    char toml[1200];
    call c;
    snprintf(toml, sizeof toml, HEAD ARG("a", "string") ARG("n", "integer") ARG("d", "number") ARG("f", "boolean") "[http]\nmethod = \"post\"\nurl = 'https://h.example/'\n%s%s%sbody_template = '''%s'''\n" TAIL,
        type[0] ? "headers = { \"content-type\" = \"" : "", type, type[0] ? "\" }\n" : "", body);
    run(&c, toml, args, "{\"k\":\"a\\\"b\\\\c\\nd&e\",\"n\":\"17\"}");
    if (want && (c.st || !sy_str_eqz(c.q.body, want))) printf("line %d: %s, expected %s\n", line, c.st ? c.e.msg : c.q.body.p, want), t_now_failed = 1;
    if (!want && !c.st) printf("line %d: %s was let through\n", line, c.q.body.p), t_now_failed = 1;
    end(&c);
}
#define BODY(type, body, args, want) expect_body(type, body, args, want, __LINE__)

static void test_body(void)
{
    const char *j = "application/json";
    BODY(j, "{\"t\": \"{a}\"}", "{\"a\":\"x\\\", \\\"admin\\\": true, \\\"y\\\": \\\"\"}", "{\"t\": \"x\\\", \\\"admin\\\": true, \\\"y\\\": \\\"\"}");
    BODY(j, "{\"t\": \"{a}\"}", "{\"a\":\"tab\\tback\\\\é\\u0001\\u001f\\u007f\"}", "{\"t\": \"tab\\tback\\\\é\\u0001\\u001f\x7f\"}");
    BODY("Application/JSON; charset=utf-8", "{\"t\": \"{a}\"}", "{\"a\":\"\\\"\"}", "{\"t\": \"\\\"\"}");
    BODY("application/problem+json", "{\"t\": \"{a}\"}", "{\"a\":\"\\\"\"}", "{\"t\": \"\\\"\"}");
    BODY("", "{\"t\": \"{a}\"}", "{\"a\":\"\\\"\"}", "{\"t\": \"\\\"\"}");
    BODY("", "{\"n\": {n}, \"d\": {d}, \"f\": {f}}", "{\"n\":3,\"d\":2.5,\"f\":true}", "{\"n\": 3, \"d\": 2.5, \"f\": true}");
    BODY(j, "{\"n\": {a}}", "{\"a\":\"12\"}", "{\"n\": 12}");
    BODY(j, "{\"n\": {a}}", "{\"a\":\"1, \\\"admin\\\": true\"}", NULL);
    BODY(j, "{\"n\": {a}}", "{\"a\":\"\\\"x\\\"\"}", NULL);
    BODY(j, "{\"n\": {a}}", "{\"a\":\"012\"}", NULL);
    BODY(j, "{\"n\": {a}}", "{}", NULL);
    BODY(j, "{\"n\": {a}}", "{\"a\":\"1e\"}", NULL);
    BODY(j, "{\"n\": \"\\{a}\"}", "{\"a\":\"\\\", \\\"x\\\": \\\"\"}", NULL); /* a backslash of the author's would undo the escape */
    BODY(j, "{\"n\": \"\\\\{a}\"}", "{\"a\":\"\\\"\"}", "{\"n\": \"\\\\\\\"\"}");
    BODY(j, "{\"k\": \"{_secret:k}\", \"n\": {_secret:n}}", "{}", "{\"k\": \"a\\\"b\\\\c\\nd&e\", \"n\": 17}");
    BODY(j, "{\"k\": {_secret:k}}", "{}", NULL);
    BODY("application/x-www-form-urlencoded", "a={a}&k={_secret:k}", "{\"a\":\"x=1+y z\"}", "a=x%3D1%2By%20z&k=a%22b%5Cc%0Ad%26e");
    BODY("text/plain", "a={a}", "{\"a\":\"x=1 \\\"y\\\"\"}", "a=x=1 \"y\"");
    BODY("", "a={a}", "{\"a\":\"x\\\"y\"}", "a=x\\\"y"); /* nobody said what it is: as JSON */
    BODY(j, "{\"t\": \"{{a}}\"}", "{\"a\":\"v\"}", "{\"t\": \"{v}\"}");
    BODY("text/plain", "{_secret:é} {_secret:} {_secret:a {a}", "{\"a\":\"v\"}", "{_secret:é} {_secret:} {_secret:a v");
}

static void test_body_type_and_method(void)
{
    call c;
    run(&c, HEAD ARG("a", "string") "[http]\nmethod = \"post\"\nurl = 'https://h.example/'\nbody_template = '{\"a\":\"{a}\"}'\n" TAIL, "{\"a\":\"v\"}", "{}");
    CHECK_STR(c.q.method, "POST");
    CHECK_STR(header(&c, "Content-Type"), "application/json");
    CHECK(c.q.max_bytes > 0 && c.q.timeout_ms > 0);
    CHECK_STR(c.p->command, "POST https://h.example/");
    end(&c);
    run(&c, HEAD ARG("a", "string") "[http]\nmethod = \"HEAD\"\nurl = 'https://h.example/'\nbody_template = '{\"a\":\"{a}\"}'\n" TAIL, "{\"a\":\"v\"}", "{}");
    CHECK(!c.st && !c.q.has_body && !header(&c, "Content-Type").p);
    end(&c);
}

static void test_header(void)
{
#define H(v) HEAD ARG("a", "string") "[http]\nurl = 'https://h.example/'\nheaders = { \"X-A\" = '" v "' }\n" TAIL
    static const char *const bad[] = { "a\\r\\nX-B: 1", "a\\nb", "a\\u0000b", "a\\u001fb", "a\\u007fb" };
    call c;
    run(&c, H("v={a}; {_secret:k}"), "{\"a\":\"x \\\"y\\\" é\"}", "{\"k\":\"t:1\"}");
    CHECK_OK(c.st, c.e);
    CHECK_STR(header(&c, "X-A"), "v=x \"y\" é; t:1");
    CHECK(c.p->nsecrets == 1 && sy_str_eqz(c.p->secrets[0], "k"));
    end(&c);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char args[100];
        snprintf(args, sizeof args, "{\"a\":\"%s\"}", bad[i]);
        run(&c, H("{a}"), args, "{}");
        CHECK(c.st);
        end(&c);
        snprintf(args, sizeof args, "{\"k\":\"%s-hunter2\"}", bad[i]);
        run(&c, H("{_secret:k}"), "{}", args);
        CHECK(c.st == SYMBI_EDENIED && !strstr(c.e.msg, "hunter2"));
        end(&c);
    }
}

static void test_secret_nul(void)
{
    static const char *const types[] = { "text/plain", "application/json", "application/x-www-form-urlencoded" };
    for (size_t i = 0; i < 3; i++) {
        char toml[500];
        call c;
        snprintf(toml, sizeof toml, HEAD "[http]\nmethod = \"POST\"\nurl = 'https://h.example/'\nheaders = { Content-Type = \"%s\" }\nbody_template = '\"{_secret:k}\"'\n" TAIL, types[i]);
        run(&c, toml, "{}", "{\"k\":\"a\\u0000b\"}");
        CHECK(c.st == SYMBI_EDENIED && strstr(c.e.msg, "holds a NUL"));
        end(&c);
    }
}

/* A value never becomes a placeholder, and a secret never a template. */
static void test_one_pass(void)
{
    call c;
    run(&c, HEAD "[args.a]\ntype = \"enum\"\nallowed = [\"{_secret:k}\", \"{b}\"]\n" ARG("b", "string") "[http]\nmethod = \"POST\"\nurl = 'https://h.example/{a}'\nheaders = { A = '{a}' }\nbody_template = '{\"a\":\"{a}\",\"k\":\"{_secret:k}\"}'\n" TAIL,
        "{\"a\":\"{_secret:k}\",\"b\":\"bbb\"}", "{\"k\":\"{_secret:k}{a}\"}");
    CHECK_OK(c.st, c.e);
    CHECK_STR(c.q.url, "https://h.example/%7B_secret:k%7D");
    CHECK_STR(header(&c, "A"), "{_secret:k}");
    CHECK_STR(c.q.body, "{\"a\":\"{_secret:k}\",\"k\":\"{_secret:k}{a}\"}");
    CHECK(c.p->nsecrets == 1);
    end(&c);
}

/* A URL that is itself the secret (a webhook), or begins with one. */
static void test_secret_url(void)
{
    static const struct { const char *url, *secret, *args, *want; } t[] = {
        { "{_secret:k}", "https://hooks.example/T0/B0?x=1&y=%20", "{}", "https://hooks.example/T0/B0?x=1&y=%20" },
        { "{_secret:k}/{a}?q={a}", "https://api.example/v1", "{\"a\":\"b c\"}", "https://api.example/v1/b%20c?q=b%20c" },
        { "{_secret:k}/x", "https://u:p@api.example", "{}", NULL },
        { "{_secret:k}/x", "https://api.example/a/../b", "{}", NULL },
        { "{_secret:k}/x", "https://api.example/\\r\\nHost: x", "{}", NULL },
        { "{_secret:k}/x", "file:///etc", "{}", NULL },
        { "{_secret:k}{a}", "https://api.example", "{\"a\":\"@evil.example\"}", NULL },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        char toml[500], secrets[200];
        call c;
        snprintf(toml, sizeof toml, HEAD ARG("a", "string") "[http]\nurl = '%s'\n" TAIL, t[i].url);
        snprintf(secrets, sizeof secrets, "{\"k\":\"%s\"}", t[i].secret);
        run(&c, toml, t[i].args, secrets);
        if (t[i].want) CHECK_OK(c.st, c.e);
        if (t[i].want && !c.st) CHECK_STR(c.q.url, t[i].want);
        if (!t[i].want) CHECK(c.st && !strstr(c.e.msg, "api.example"));
        end(&c);
    }
}

/* Neither plan nor error has what only the resolved request has. */
static void test_secret_is_nowhere(void)
{
    call c;
    symbi_text t = { 0 };
    symbi_err e;
    run(&c, HEAD "[http]\nmethod = \"POST\"\nurl = 'https://h.example/{_secret:k}?x={_secret:Other_1}'\nheaders = { Authorization = 'Bearer {_secret:k}' }\nbody_template = '{\"k\":\"{_secret:k}\"}'\n" TAIL, "{}",
        "{\"k\":\"hunter2\",\"Other_1\":\"hunter3\"}");
    CHECK_OK(c.st, c.e);
    CHECK_STR(c.p->command, "POST https://h.example/{_secret:k}?x={_secret:Other_1}");
    CHECK_STR(c.q.url, "https://h.example/hunter2?x=hunter3");
    CHECK(c.p->nsecrets == 2);
    CHECK_OK(symbi_json_write(cx, c.p->detail, 0, &t, &e), e);
    CHECK(!strstr(t.p, "hunter"));
    symbi_text_free(&t);
    end(&c);
    run(&c, HEAD "[http]\nurl = 'https://h.example/?x={_secret:nope}'\n" TAIL, "{}", "{}");
    CHECK(c.st == SYMBI_ENOTFOUND && strcmp(c.e.msg, "Secret 'nope' not found (set TOOLCLAD_SECRET_NOPE)") == 0);
    end(&c);
    run(&c, HEAD "[http]\nurl = 'https://h.example/?x={_secret:nope}'\n" TAIL, "{}", "{\"nope\":\"\"}");
    CHECK(c.st == SYMBI_ENOTFOUND);
    end(&c);
}

static void test_trace(void)
{
    symbi_doc *none = json("{}");
    symbi_plan_options o;
    symbi_traceparent tp;
    call c, c2;
    memset(&o, 0, sizeof o);
    o.trace_id = SY_LIT("4BF92F35-77b3-4da6-a3ce-929d0e0e4736");
    begin(&c, SY_LIT(HEAD "[http]\nurl = 'https://h.example/'\n" TAIL), symbi_doc_root(none), NULL, &o);
    begin(&c2, SY_LIT(HEAD "[http]\nurl = 'https://h.example/'\n" TAIL), symbi_doc_root(none), NULL, &o);
    CHECK_OK(c.st, c.e);
    REQUIRE(symbi_traceparent_parse(header(&c, "traceparent"), &tp));
    CHECK(strcmp(tp.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736") == 0);
    CHECK(!sy_str_eq(header(&c, "traceparent"), header(&c2, "traceparent"))); /* a parent of its own for each call */
    end(&c);
    end(&c2);
    begin(&c, SY_LIT(HEAD "[http]\nurl = 'https://h.example/'\nheaders = { Traceparent = \"mine\" }\n" TAIL), symbi_doc_root(none), NULL, &o);
    CHECK(c.q.nheaders == 1);
    end(&c);
    o.trace_id = SY_LIT("4bf92f35");
    begin(&c, SY_LIT(HEAD "[http]\nurl = 'https://h.example/'\n" TAIL), symbi_doc_root(none), NULL, &o);
    CHECK(!c.st && c.q.nheaders == 0);
    end(&c);
    o.trace_id = SY_LIT("loop-1");
    begin(&c, SY_LIT(HEAD "[http]\nurl = 'https://h.example/'\n" TAIL), symbi_doc_root(none), NULL, &o);
    CHECK(!c.st && c.q.nheaders == 0);
    end(&c);
    symbi_doc_unref(none);
}

/* ---- manifests ---- */

static void refused(const char *toml, const char *want, int line)
{
    symbi_tool *t = NULL;
    symbi_err e;
    symbi_status st = symbi_tool_parse(cx, symbi_str_z(toml), SY_LIT("h"), &t, &e);
    if (!st || !strstr(e.msg, want)) printf("line %d: %s, expected %s\n", line, st ? e.msg : "loaded", want), t_now_failed = 1;
    symbi_tool_unref(t);
}

static void test_load(void)
{
    symbi_tool *t;
    symbi_err e;
#define NO(http, want) refused(HEAD ARG("a", "string") "[http]\n" http "\n" TAIL, want, __LINE__)
    NO("url = 'https://h/ x'", "blank");
    NO("url = 'https://h/'\nheaders = { 'X A' = 'v' }", "no name for a header");
    NO("url = 'https://h/'\nheaders = { '' = 'v' }", "no name for a header");
    NO("url = 'https://h/'\nheaders = { 'Content-Length' = '0' }", "client itself");
    NO("url = 'https://h/'\nheaders = { 'Transfer-Encoding' = 'chunked' }", "client itself");
    NO("url = 'https://h/'\nheaders = { 'HOST' = 'other' }", "client itself");
    NO("url = 'https://h/'\nheaders = { 'X-A' = '1', 'x-a' = '2' }", "stands twice");
    NO("url = 'https://h/'\nheaders = { 'X-A' = \"a\\nb\" }", "line break");
    NO("url = 'https://h/'\nmethod = 'CONNECT'", "Unsupported HTTP method");
    NO("url = 'https://h/'\nmethod = 'GETT'", "Unsupported HTTP method");
    CHECK_OK(symbi_tool_parse(cx, SY_LIT(HEAD ARG("a", "string") "[http]\nurl = 'https://{a}.h.example/'\n" TAIL), SY_LIT("h"), &t, &e), e);
    CHECK(strstr(symbi_tool_warning(t, 0).p, "decides who gets this request"));
    symbi_tool_unref(t);
}

/* ---- answers ---- */

static symbi_doc *envelope(const char *http, const char *output, const char *raw)
{
    char toml[1000];
    symbi_doc *r = json(raw), *env = NULL;
    call c;
    symbi_err e;
    snprintf(toml, sizeof toml, HEAD "[http]\nurl = 'https://h.example/?k={_secret:k}'\n%s\n[output]\n%s", http, output);
    run(&c, toml, "{}", "{\"k\":\"hunter2\"}");
    CHECK_OK(c.st, c.e);
    if (!c.st) CHECK_OK(symbi_tool_envelope_of(cx, c.t, c.p, symbi_doc_root(r), &env, &e), e);
    end(&c);
    symbi_doc_unref(r);
    return env;
}
static int64_t num(const symbi_doc *d, const char *key)
{
    const symbi_value *v = symbi_value_getz(symbi_doc_root(d), key);
    return v && v->kind == SYMBI_INT ? v->u.i : -999;
}

static void test_answers(void)
{
    symbi_doc *d = envelope("", "format = \"json\"", "{\"http_status\":200,\"body\":\"{\\\"ok\\\":true}\",\"duration_ms\":7,\"started_ms\":1700000000000}");
    const symbi_value *r;
    REQUIRE(d);
    CHECK_STR(str(symbi_doc_root(d), "status"), "success");
    CHECK_STR(str(symbi_doc_root(d), "http_url"), "https://h.example/?k={_secret:k}");
    CHECK_STR(str(symbi_doc_root(d), "http_method"), "GET");
    /* printf '{"ok":true}' | sha256sum */
    CHECK(symbi_value_getz(symbi_doc_root(d), "output_bytes")->u.i == 11);
    CHECK_STR(str(symbi_doc_root(d), "output_hash"), "sha256:4062edaf750fb8074e7e83e0c9028c94e32468a8b6f1614774328ef045150f93");
    CHECK_STR(str(symbi_doc_root(d), "timestamp"), "2023-11-14T22:13:20.000Z");
    CHECK(num(d, "exit_code") == 0 && num(d, "http_status") == 200 && num(d, "duration_ms") == 7);
    r = symbi_value_getz(symbi_doc_root(d), "results");
    CHECK(r && symbi_value_getz(r, "ok") && symbi_value_getz(r, "ok")->u.b);
    symbi_doc_unref(d);
    d = envelope("", "format = \"json\"", "{\"http_status\":429,\"body\":\"slow down\"}");
    CHECK_STR(str(symbi_doc_root(d), "status"), "client_error (HTTP 429)");
    CHECK(num(d, "exit_code") == 429);
    CHECK_STR(str(symbi_value_getz(symbi_doc_root(d), "results"), "raw_output"), "slow down");
    symbi_doc_unref(d);
    d = envelope("error_status = [204]", "format = \"text\"", "{\"http_status\":204,\"body\":\"\"}");
    CHECK_STR(str(symbi_doc_root(d), "status"), "error (HTTP 204)");
    symbi_doc_unref(d);
    d = envelope("success_status = [404]", "format = \"text\"", "{\"http_status\":404,\"body\":\"none\"}");
    CHECK_STR(str(symbi_doc_root(d), "status"), "success");
    CHECK(num(d, "exit_code") == 0);
    symbi_doc_unref(d);
    d = envelope("", "format = \"text\"", "{\"error\":\"SSRF: refused\"}");
    CHECK_STR(str(symbi_doc_root(d), "status"), "error");
    CHECK_STR(str(symbi_doc_root(d), "error"), "SSRF: refused");
    CHECK(num(d, "exit_code") == -1 && num(d, "http_status") == 0);
    symbi_doc_unref(d);
    d = envelope("", "format = \"text\"", "{\"error\":\"slow\",\"timed_out\":true}");
    CHECK_STR(str(symbi_doc_root(d), "status"), "timeout");
    symbi_doc_unref(d);
    d = envelope("", "format = \"json\"\nstrict = true\nschema = { type = \"object\", required = [\"id\"], properties = { id = { type = \"integer\" } } }", "{\"http_status\":200,\"body\":\"{}\"}");
    CHECK_STR(str(symbi_doc_root(d), "status"), "error");
    CHECK(symbi_value_getz(symbi_doc_root(d), "schema_warnings"));
    symbi_doc_unref(d);
    /* an executor that says nonsense is an error of the tool */
    d = envelope("", "format = \"json\"", "{\"http_status\":\"200\",\"body\":7}");
    CHECK_STR(str(symbi_doc_root(d), "status"), "error");
    symbi_doc_unref(d);
    d = envelope("", "format = \"json\"", "{\"http_status\":99999,\"body\":\"\"}");
    CHECK_STR(str(symbi_doc_root(d), "status"), "error");
    symbi_doc_unref(d);
}

/* ---- limits, memory ---- */

static void test_limits(void)
{
    /* a header at the limit of bytes goes, one more does not */
    for (int more = 0; more < 2; more++) {
        size_t n = SY_HTTP_HEADER_MAX + (size_t)more, k;
        char *toml = malloc(n + 2000);
        symbi_doc *none = json("{}");
        call c;
        k = (size_t)snprintf(toml, 1000, HEAD "[http]\nurl = 'https://h.example/'\nheaders = { A = '");
        memset(toml + k, 'x', n);
        memcpy(toml + k + n, "' }\n" TAIL, sizeof("' }\n" TAIL));
        begin(&c, symbi_str_z(toml), symbi_doc_root(none), NULL, NULL);
        if (more) CHECK(c.st == SYMBI_ELIMIT);
        else CHECK_OK(c.st, c.e);
        end(&c);
        symbi_doc_unref(none);
        free(toml);
    }
}

static symbi_status whole(symbi_ctx *x, void *ud)
{
    static const char toml[] = HEAD ARG("a", "string") "[http]\nmethod = \"POST\"\nurl = 'https://h.example/{a}?k={_secret:k}'\nheaders = { A = '{a} {_secret:b}' }\nbody_template = '{\"a\":\"{a}\",\"k\":\"{_secret:k}\"}'\n" TAIL;
    symbi_member am = { SY_LIT("a"), sy_val_str(SY_LIT("x y")) }, sm[2] = { { SY_LIT("k"), sy_val_str(SY_LIT("s1")) }, { SY_LIT("b"), sy_val_str(SY_LIT("s2")) } };
    symbi_member rm[2] = { { SY_LIT("http_status"), sy_val_int(200) }, { SY_LIT("body"), sy_val_str(SY_LIT("{\"a\":[1,2]}")) } };
    symbi_value args = sy_val_object(&am, 1), secrets = sy_val_object(sm, 2), raw = sy_val_object(rm, 2);
    symbi_plan_options o;
    symbi_tool *t = NULL;
    symbi_doc *v = NULL, *env = NULL;
    symbi_plan *p = NULL;
    symbi_plan_request q;
    symbi_err e;
    symbi_status st;
    (void)ud;
    memset(&o, 0, sizeof o);
    memset(&q, 0, sizeof q);
    o.trace_id = SY_LIT("4bf92f3577b34da6a3ce929d0e0e4736");
    st = symbi_tool_parse(x, SY_LIT(toml), SY_LIT("t"), &t, &e);
    if (!st) st = symbi_tool_validate(x, t, &args, &v, &e);
    if (!st) st = symbi_tool_plan(x, t, symbi_doc_root(v), &o, &p, &e);
    if (!st) st = symbi_plan_resolve(x, p, &secrets, &q, &e);
    if (!st) st = symbi_tool_envelope_of(x, t, p, &raw, &env, &e);
    symbi_plan_request_wipe(&q);
    symbi_doc_unref(env);
    symbi_plan_unref(p);
    symbi_doc_unref(v);
    symbi_tool_unref(t);
    return st;
}

static void test_no_memory(void) { test_oom(whole, NULL, SYMBI_OK); }

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_vectors_http);
    RUN(test_vectors_secrets);
    RUN(test_url);
    RUN(test_secret_dot_segments);
    RUN(test_body);
    RUN(test_body_type_and_method);
    RUN(test_header);
    RUN(test_secret_nul);
    RUN(test_one_pass);
    RUN(test_secret_url);
    RUN(test_secret_is_nowhere);
    RUN(test_trace);
    RUN(test_load);
    RUN(test_answers);
    RUN(test_limits);
    RUN(test_no_memory);
    symbi_ctx_free(cx);
    return test_end();
}
