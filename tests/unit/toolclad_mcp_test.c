/* The MCP client without a wire: arguments (shared vectors), plans and envelopes, the conversation message by message and byte by byte,
 * approvals, and every allocation failing in turn. */
#include "base/ctx.h"
#include "base/str.h"
#include "symbi/json.h"
#include "symbi/mcp.h"
#include "test.h"
#include "toolclad/mcp_in.h"
#include "toolclad/mcp_result.h"

static symbi_ctx *cx;

#define S(lit) symbi_str_z(lit)
static const char MANIFEST[] = "[tool]\nname='t'\nversion='1'\ndescription='d'\n[args.q]\nposition=0\ntype='string'\n[args.n]\nposition=1\ntype='integer'\n[args.f]\nposition=2\ntype='number'\n"
                               "[args.p]\nposition=3\ntype='port'\n[args.l]\nposition=4\ntype='array'\n[mcp]\nserver='s'\ntool='up'\n[mcp.field_map]\nq='query'\n[output]\nformat='json'\n";
static const char REGISTRY[] = "[servers.s]\ncommand='x'\nargs=['a']\nenv={K='v{_secret:A}w'}\n[servers.h]\nurl='https://h.example/mcp'\nheaders={Authorization='Bearer {_secret:A}'}\n[servers.f]\ncommand='x'\ntrust='first-use'\n";

static symbi_doc *json(const char *text)
{
    symbi_doc *d = NULL;
    symbi_err e;
    CHECK_OK(symbi_json_parse(cx, S(text), &d, &e), e);
    return d;
}

static symbi_tool *tool(symbi_ctx *c, const char *text)
{
    symbi_tool *t = NULL;
    symbi_err e;
    return symbi_tool_parse(c, S(text), S("t.clad.toml"), &t, &e) ? NULL : t;
}

static symbi_plan *plan(symbi_ctx *c, symbi_tool *t, const char *args)
{
    symbi_plan_options o = { 0 };
    symbi_plan *p = NULL;
    symbi_doc *d = NULL, *v = NULL;
    symbi_err e;
    o.scan_id = S("id");
    if (!symbi_json_parse(c, S(args), &d, &e) && !symbi_tool_validate(c, t, symbi_doc_root(d), &v, &e) && symbi_tool_plan(c, t, symbi_doc_root(v), &o, &p, &e)) p = NULL;
    symbi_doc_unref(d);
    symbi_doc_unref(v);
    return p;
}

/* ---- arguments ---- */

static void test_vectors(void)
{
    char path[600];
    symbi_str text;
    symbi_doc *d;
    symbi_err e;
    symbi_tool *t;
    const symbi_value *cases;
    size_t ok = 0;
    if (!vectors_dir()) SKIP("no shared vectors");
    snprintf(path, sizeof path, "%s/toolclad/mcp_args.json", vectors_dir());
    text = slurp(path);
    if (!text.p) SKIP("mcp_args.json");
    REQUIRE(symbi_json_parse(cx, text, &d, &e) == SYMBI_OK);
    { /* upstream takes an enum without words; we do not, and here it does not matter which they are */
        symbi_str m = symbi_value_str(symbi_doc_root(d), "manifest", S(""));
        const char *at = strstr(m.p, "type = \"enum\"\n");
        char manifest[8192];
        snprintf(manifest, sizeof manifest, "%.*s%s%s", at ? (int)(at - m.p) : (int)m.n, m.p, at ? "allowed = [\"fast\"]\n" : "", at ? at : "");
        CHECK_OK(symbi_tool_parse(cx, S(manifest), S("m"), &t, &e), e);
        REQUIRE(t);
    }
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *want = symbi_value_getz(c, "expected");
        sy_arena a;
        symbi_value got;
        sy_arena_init(&a, cx->alloc, 0);
        CHECK_OK(sy_mcp_args(cx, t, symbi_value_getz(t->backend_table, "field_map"), symbi_value_getz(c, "validated"), &a, &got, &e), e);
        if (symbi_value_equal(&got, want)) ok++;
        else {
            symbi_text x;
            if (!symbi_json_write(cx, &got, 0, &x, &e)) printf("%.*s: %s\n", (int)symbi_value_str(c, "id", S("?")).n, symbi_value_str(c, "id", S("?")).p, x.p), symbi_text_free(&x);
        }
        sy_arena_free(&a);
    }
    printf("mcp_args.json: %zu of %zu\n", ok, cases->u.a.n);
    CHECK(ok == cases->u.a.n);
    symbi_tool_unref(t);
    symbi_doc_unref(d);
    free((char *)(uintptr_t)text.p);
}

static void check_detail(const symbi_plan *p, const char *want)
{
    symbi_text t;
    symbi_err e;
    REQUIRE(p && p->detail);
    CHECK_OK(symbi_json_write(cx, p->detail, SYMBI_JSON_CANONICAL, &t, &e), e);
    CHECK_STR(symbi_text_str(&t), want);
    symbi_text_free(&t);
}

static void test_plan(void)
{
    symbi_tool *t = tool(cx, MANIFEST);
    symbi_plan *p = plan(cx, t, "{\"q\":\"x\",\"n\":9007199254740993,\"f\":2,\"p\":80,\"l\":[1,{\"a\":null}]}");
    check_detail(p, "{\"arguments\":{\"f\":2,\"l\":[1,{\"a\":null}],\"n\":9007199254740993,\"p\":\"80\",\"query\":\"x\"},\"server\":\"s\",\"tool\":\"up\"}");
    CHECK_STR(p->command, "mcp://s/up");
    symbi_plan_unref(p);
    p = plan(cx, t, "{}");
    check_detail(p, "{\"arguments\":{},\"server\":\"s\",\"tool\":\"up\"}");
    symbi_tool_unref(t);
    CHECK_STR(symbi_value_str(p->detail, "server", S("")), "s"); /* outlives the tool */
    symbi_plan_unref(p);
    t = tool(cx, "[tool]\nname='t'\nversion='1'\ndescription='d'\n[args.a]\nposition=0\ntype='string'\n[args.b]\nposition=1\ntype='string'\n[mcp]\nserver='s'\ntool='up'\n[mcp.field_map]\na='b'\n[output]\nformat='json'\n");
    CHECK(t && !plan(cx, t, "{\"a\":\"1\",\"b\":\"2\"}")); /* one would swallow the other */
    p = plan(cx, t, "{\"a\":\"1\"}");
    CHECK(p);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
}

static void envelope(const char *raw, const char *key, const char *want)
{
    symbi_tool *t = tool(cx, MANIFEST);
    symbi_plan *p = plan(cx, t, "{\"q\":\"x\"}");
    symbi_doc *r = json(raw), *out;
    symbi_text x;
    symbi_err e;
    const symbi_value *v;
    CHECK_OK(symbi_tool_envelope_of(cx, t, p, symbi_doc_root(r), &out, &e), e);
    if (out) {
        v = symbi_value_getz(symbi_doc_root(out), key);
        if (!v) {
            CHECK(!want);
        } else if (!symbi_json_write(cx, v, SYMBI_JSON_CANONICAL, &x, &e)) {
            CHECK_STR(symbi_text_str(&x), want ? want : "(nothing)");
            symbi_text_free(&x);
        }
    }
    symbi_doc_unref(out);
    symbi_doc_unref(r);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
}

static void test_envelope(void)
{
    envelope("{\"result\":{\"content\":[]}}", "status", "\"success\"");
    envelope("{\"result\":{\"content\":[]}}", "results", "{\"content\":[]}");
    envelope("{\"result\":{\"content\":[]}}", "output_bytes", "14");
    envelope("{\"result\":{\"content\":[],\"structuredContent\":{\"a\":1}}}", "results", "{\"a\":1}");
    envelope("{\"result\":{\"structuredContent\":7}}", "results", "{\"content\":[],\"structured\":7}");
    envelope("{\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"no\"}],\"isError\":true,\"structuredContent\":{}}}", "error", "\"tool 'up' reported error: no\"");
    envelope("{\"result\":{\"content\":7,\"isError\":true}}", "error", "\"tool 'up' reported error: it did not say why\"");
    envelope("{\"result\":{\"content\":[{\"text\":7}],\"isError\":true}}", "exit_code", "1");
    envelope("{\"error\":\"e\",\"code\":\"ETIMEOUT\"}", "status", "\"timeout\"");
    envelope("{\"error\":\"e\",\"code\":\"EDENIED\"}", "status", "\"denied\"");
    envelope("{\"error\":7}", "status", "\"error\"");
    envelope("{}", "exit_code", "-1");
    envelope("{}", "results", "{}");
    envelope("{\"result\":{\"content\":[]}}", "mcp_args", "{\"query\":\"x\"}");
    envelope("{\"result\":{\"content\":[]},\"started_ms\":-5,\"duration_ms\":\"x\"}", "duration_ms", "0");
}

/* ---- the conversation ---- */

static symbi_mcp *client(symbi_ctx *c, const char *server, size_t max)
{
    symbi_mcp_registry *r = NULL;
    symbi_mcp *m = NULL;
    symbi_err e;
    if (!symbi_mcp_registry_parse(c, S(REGISTRY), S("mcp-config.toml"), &r, &e) && symbi_mcp_new(c, r, S(server), max, &m, &e)) m = NULL;
    symbi_mcp_registry_unref(r);
    return m;
}

static symbi_status call(symbi_ctx *c, symbi_mcp *m, const char *server)
{
    char text[sizeof MANIFEST + 64];
    symbi_tool *t;
    symbi_plan *p;
    symbi_err e;
    symbi_status st = SYMBI_ENOMEM;
    snprintf(text, sizeof text, "%.*s[mcp]\nserver='%s'\ntool='up'\n[output]\nformat='json'\n", (int)(strstr(MANIFEST, "[mcp]") - MANIFEST), MANIFEST, server);
    t = tool(c, text);
    p = t ? plan(c, t, "{\"q\":\"x\"}") : NULL;
    if (p) st = symbi_mcp_call(m, p, &e);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return st;
}

/* The next message must be this one. */
static void sends(symbi_mcp *m, const char *want)
{
    symbi_mcp_message msg;
    symbi_err e;
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_SEND);
    CHECK_OK(symbi_mcp_take(m, &msg, &e), e);
    CHECK_STR(msg.body, want);
}

static void hears(symbi_mcp *m, const char *text)
{
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_RECEIVE);
    symbi_mcp_feed(m, S(text));
}

#define INIT "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"symbi-lua\",\"version\":\"" SYMBI_VERSION "\"}}}\n"
#define INIT_OK "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}}}}\n"
#define DEF "{\"name\":\"up\",\"inputSchema\":{\"type\":\"object\"}}"
#define LIST_OK "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[" DEF "]}}\n"

static void greet(symbi_mcp *m)
{
    sends(m, INIT);
    hears(m, INIT_OK);
    sends(m, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
    sends(m, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}\n");
}

static symbi_text approved(symbi_ctx *c, const char *server, const char *def)
{
    symbi_text out = { 0 };
    symbi_doc *d = NULL;
    symbi_err e;
    if (!symbi_json_parse(c, S(def), &d, &e) && symbi_mcp_approve(c, S(""), S(server), symbi_doc_root(d), S("me"), 0, &out, &e)) memset(&out, 0, sizeof out);
    symbi_doc_unref(d);
    return out;
}

static void test_conversation(void)
{
    symbi_mcp *m = client(cx, "s", 0);
    symbi_text record = approved(cx, "s", DEF), changed;
    symbi_err e;
    REQUIRE(m);
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_IDLE);
    CHECK(call(cx, m, "s") == SYMBI_OK);
    CHECK(call(cx, m, "s") == SYMBI_ESTATE); /* one at a time */
    CHECK(symbi_mcp_list(m, &e) == SYMBI_ESTATE);
    greet(m);
    CHECK_STR(symbi_mcp_version(m), "2025-06-18");
    hears(m, LIST_OK);
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_JUDGE);
    CHECK_OK(symbi_mcp_judge(m, symbi_text_str(&record), S(""), 0, &changed, &e), e);
    CHECK(changed.n == 0);
    sends(m, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"up\",\"arguments\":{\"q\":\"x\"}}}\n");
    hears(m, "\r\n\n{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"content\":[]}}\r\n");
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_DONE);
    CHECK(symbi_mcp_result(m) && symbi_value_getz(symbi_mcp_result(m), "content"));
    /* the second call goes out at once; and a list by request */
    CHECK(call(cx, m, "s") == SYMBI_OK);
    sends(m, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\",\"params\":{\"name\":\"up\",\"arguments\":{\"q\":\"x\"}}}\n");
    hears(m, "{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-1,\"message\":\"no\"}}\n");
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_FAILED);
    CHECK(symbi_mcp_failure(m, &e) == SYMBI_EEVAL);
    CHECK(!symbi_mcp_broken(m));
    CHECK_OK(symbi_mcp_list(m, &e), e);
    sends(m, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\"}\n");
    hears(m, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"tools\":[" DEF "],\"nextCursor\":\"n\\n\"}}\n");
    sends(m, "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/list\",\"params\":{\"cursor\":\"n\\n\"}}\n");
    hears(m, "{\"jsonrpc\":\"2.0\",\"id\":6,\"result\":{\"tools\":[{\"name\":\"other\"}]}}\n");
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_DONE);
    CHECK(symbi_value_getz(symbi_mcp_result(m), "tools")->u.a.n == 2);
    symbi_text_free(&record);
    symbi_mcp_free(m);
}

/* The same bytes in every split give the same. */
static void test_splits(void)
{
    static const char all[] = INIT_OK LIST_OK;
    symbi_text record = approved(cx, "s", DEF), changed;
    for (size_t cut = 1; cut < sizeof all - 1; cut++) {
        symbi_mcp *m = client(cx, "s", 0);
        symbi_mcp_message msg;
        symbi_err e;
        size_t first = strlen(INIT_OK);
        CHECK(call(cx, m, "s") == SYMBI_OK);
        CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
        symbi_mcp_feed(m, (symbi_str){ all, cut < first ? cut : first });
        if (cut < first) symbi_mcp_feed(m, (symbi_str){ all + cut, first - cut });
        CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK && symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
        if (cut > first) symbi_mcp_feed(m, (symbi_str){ all + first, cut - first });
        symbi_mcp_feed(m, (symbi_str){ all + (cut > first ? cut : first), sizeof all - 1 - (cut > first ? cut : first) });
        CHECK(symbi_mcp_next(m) == SYMBI_MCP_JUDGE);
        CHECK(symbi_mcp_judge(m, symbi_text_str(&record), S(""), 0, &changed, &e) == SYMBI_OK);
        symbi_mcp_free(m);
    }
    symbi_text_free(&record);
}

static void breaks(const char *answer, symbi_status code, const char *what)
{
    symbi_mcp *m = client(cx, "s", 300);
    symbi_err e;
    CHECK(call(cx, m, "s") == SYMBI_OK);
    greet(m);
    symbi_mcp_feed(m, S(answer));
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_FAILED);
    CHECK(symbi_mcp_broken(m));
    CHECK(symbi_mcp_failure(m, &e) == code);
    if (!strstr(e.msg, what)) printf("%s\n", e.msg);
    CHECK(strstr(e.msg, what));
    symbi_mcp_feed(m, S(LIST_OK)); /* deaf from now on */
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_FAILED);
    CHECK(call(cx, m, "s") == SYMBI_ESTATE);
    symbi_mcp_free(m);
}

static void test_lies(void)
{
    char line[400];
    breaks("x\n", SYMBI_EIO, "no JSON message");
    breaks("null\n", SYMBI_EIO, "no JSON object");
    breaks("[]\n", SYMBI_EIO, "batch");
    breaks("{}\n", SYMBI_EIO, "jsonrpc");
    breaks("{\"jsonrpc\":\"2.0\"}\n", SYMBI_EIO, "exactly one");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"result\":{}}\n", SYMBI_EIO, "id is neither");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n", SYMBI_EIO, "id is neither");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":[]}\n", SYMBI_EIO, "result is no object");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{}}\n", SYMBI_EIO, "no code");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"parse\"}}\n", SYMBI_EIO, "did not understand: parse");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n", SYMBI_EIO, "a request twice");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\n", SYMBI_EIO, "never sent");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":-2,\"result\":{}}\n", SYMBI_EIO, "never sent");
    breaks("{\"jsonrpc\":\"2.0\",\"method\":7}\n", SYMBI_EIO, "method is no name");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[{}]}}\n", SYMBI_EIO, "without a name");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[" DEF "," DEF "]}}\n", SYMBI_EIO, "twice");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[{\"name\":\"up\",\"inputSchema\":{\"type\":\"string\"}}]}}\n", SYMBI_EIO, "no inputSchema");
    breaks("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[],\"nextCursor\":7}}\n", SYMBI_EIO, "leads nowhere");
    /* at the limit, and one past it */
    for (int over = 0; over < 2; over++) {
        symbi_mcp *m = client(cx, "s", 300);
        size_t n = 300 + (size_t)over;
        CHECK(call(cx, m, "s") == SYMBI_OK);
        greet(m);
        memset(line, ' ', sizeof line);
        memcpy(line, LIST_OK, strlen(LIST_OK) - 1);
        line[n] = '\n';
        symbi_mcp_feed(m, (symbi_str){ line, n + 1 });
        CHECK(symbi_mcp_next(m) == (over ? SYMBI_MCP_FAILED : SYMBI_MCP_JUDGE));
        symbi_mcp_free(m);
    }
}

static void test_questions(void)
{
    symbi_mcp *m = client(cx, "s", 0);
    CHECK(call(cx, m, "s") == SYMBI_OK);
    greet(m);
    hears(m, "{\"jsonrpc\":\"2.0\",\"id\":\"a\\n\",\"method\":\"ping\"}\n");
    sends(m, "{\"jsonrpc\":\"2.0\",\"id\":\"a\\n\",\"result\":{}}\n");
    hears(m, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"sampling/createMessage\",\"params\":{}}\n"); /* their numbers are not ours */
    sends(m, "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32601,\"message\":\"this client does not offer sampling/createMessage\"}}\n");
    hears(m, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/whatever\"}\n");
    for (int i = 0; i < 65; i++) symbi_mcp_feed(m, S("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"));
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_FAILED); /* nobody reads the answers */
    symbi_mcp_free(m);
}

static void test_http(void)
{
    symbi_mcp *m = client(cx, "h", 0);
    symbi_mcp_message msg;
    symbi_err e;
    const symbi_mcp_pair session = { S("MCP-SESSION-ID"), S("abc") }, bad = { S("Mcp-Session-Id"), S("a b") };
    CHECK(call(cx, m, "h") == SYMBI_OK);
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_ENOTFOUND); /* the secret */
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_FAILED);
    symbi_mcp_free(m);
    m = client(cx, "h", 0);
    CHECK_OK(symbi_mcp_set_secret(m, S("A"), S("tok{_secret:A}"), &e), e); /* a value is not looked at again */
    CHECK(symbi_mcp_set_secret(m, S("B"), S("x"), &e) == SYMBI_ENOTFOUND);
    CHECK(call(cx, m, "h") == SYMBI_OK);
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
    CHECK(msg.wants_answer && msg.nheaders == 3 && msg.body.p[msg.body.n - 1] == '}');
    CHECK_STR(msg.headers[2].value, "Bearer tok{_secret:A}");
    symbi_mcp_feed(m, S(" \n"));
    symbi_mcp_feed(m, S("id: 1\ndata:\n\nevent: message\ndata: " INIT_OK "\n"));
    CHECK(!symbi_mcp_answered(m)); /* the headers are still to come */
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_RECEIVE);
    symbi_mcp_http_end(m, 200, &session, 1, S(""));
    CHECK_STR(symbi_mcp_session(m), "abc");
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK && !msg.wants_answer);
    CHECK(msg.nheaders == 5);
    symbi_mcp_http_end(m, 202, NULL, 0, S(""));
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK && msg.wants_answer);
    symbi_mcp_http_end(m, 404, NULL, 0, S("gone")); /* a new session, once */
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK && strstr(msg.body.p, "initialize"));
    symbi_mcp_feed(m, S("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"protocolVersion\":\"2024-11-05\",\"capabilities\":{\"tools\":{}}}}"));
    symbi_mcp_http_end(m, 200, &session, 1, S(""));
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
    symbi_mcp_http_end(m, 500, NULL, 0, S("")); /* a note that it does not want */
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
    symbi_mcp_http_end(m, 404, NULL, 0, S("gone"));
    CHECK(symbi_mcp_failure(m, &e) == SYMBI_EIO && strstr(e.msg, "404"));
    symbi_mcp_free(m);
    m = client(cx, "h", 0);
    CHECK_OK(symbi_mcp_set_secret(m, S("A"), S("x\r\nHost: evil"), &e), e);
    CHECK(call(cx, m, "h") == SYMBI_OK);
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_EINVAL);
    symbi_mcp_free(m);
    m = client(cx, "h", 0);
    CHECK_OK(symbi_mcp_set_secret(m, S("A"), S("x"), &e), e);
    CHECK(call(cx, m, "h") == SYMBI_OK && symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
    symbi_mcp_http_end(m, 200, &bad, 1, S(""));
    CHECK(symbi_mcp_failure(m, &e) == SYMBI_EIO);
    symbi_mcp_free(m);
}

static void test_modern(void)
{
    symbi_mcp *m = client(cx, "h", 0);
    symbi_text record = approved(cx, "h", DEF), changed;
    symbi_mcp_message msg;
    symbi_err e;
    CHECK_OK(symbi_mcp_set_secret(m, S("A"), S("x"), &e), e);
    CHECK(call(cx, m, "h") == SYMBI_OK && symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
    symbi_mcp_http_end(m, 400, NULL, 0, S("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32022,\"message\":\"Unsupported protocol version\",\"data\":{\"supported\":[\"2026-07-28\"]}}}"));
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
    CHECK(strstr(msg.body.p, "server/discover") && strstr(msg.body.p, "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\""));
    CHECK_STR(msg.headers[2].value, "2026-07-28");
    CHECK_STR(msg.headers[3].value, "server/discover");
    symbi_mcp_feed(m, S("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}}}}"));
    symbi_mcp_http_end(m, 200, NULL, 0, S(""));
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
    symbi_mcp_feed(m, S("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"resultType\":\"complete\",\"tools\":[" DEF "]}}"));
    symbi_mcp_http_end(m, 200, NULL, 0, S(""));
    CHECK_OK(symbi_mcp_judge(m, symbi_text_str(&record), S(""), 0, &changed, &e), e);
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
    CHECK_STR(msg.headers[4].name, "Mcp-Name");
    CHECK_STR(msg.headers[4].value, "up");
    symbi_mcp_feed(m, S("{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{\"resultType\":\"complete\",\"structuredContent\":[1]}}"));
    symbi_mcp_http_end(m, 200, NULL, 0, S(""));
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_DONE);
    symbi_text_free(&record);
    symbi_mcp_free(m);
    /* refuses both ways of beginning: its first words are the error */
    m = client(cx, "s", 0);
    CHECK(call(cx, m, "s") == SYMBI_OK && symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
    symbi_mcp_feed(m, S("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"licence expired\"}}\n"));
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
    symbi_mcp_feed(m, S("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}\n"));
    CHECK(symbi_mcp_failure(m, &e) == SYMBI_EIO && strstr(e.msg, "licence expired"));
    symbi_mcp_free(m);
}

static void header_value(const char *v, const char *want)
{
    sy_arena a;
    sy_arena_init(&a, cx->alloc, 0);
    CHECK_STR(sy_mcp_header_value(&a, S(v)), want);
    sy_arena_free(&a);
}

static void test_header_values(void) /* the table of the specification, 2026-07-28 */
{
    header_value("us-west1", "us-west1");
    header_value("Hello, \xe4\xb8\x96\xe7\x95\x8c", "=?base64?SGVsbG8sIOS4lueVjA==?=");
    header_value(" padded ", "=?base64?IHBhZGRlZCA=?=");
    header_value("line1\nline2", "=?base64?bGluZTEKbGluZTI=?=");
    header_value("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
    header_value("", "");
}

/* ---- x-mcp-header (specification 2026-07-28, "Custom Headers from Tool Parameters") ---- */

#define PROP(body) "{\"inputSchema\":{\"type\":\"object\",\"properties\":{" body "}}}"

static void params_bad(const char *def, const char *what)
{
    symbi_doc *d = json(def);
    symbi_err e;
    CHECK(sy_mcp_params_check(symbi_doc_root(d), &e) == SYMBI_ESCHEMA);
    if (!strstr(e.msg, what)) printf("%s\n", e.msg);
    CHECK(strstr(e.msg, what));
    symbi_doc_unref(d);
}

/* want: "Name: value" lines, or an error with this text */
static void params(const char *def, const char *args, const char *want)
{
    symbi_doc *d = json(def), *v = json(args);
    symbi_mcp_pair out[SY_MCP_MAX_PARAMS];
    char got[2000] = "";
    size_t n, at = 0;
    sy_arena a;
    symbi_err e;
    sy_arena_init(&a, cx->alloc, 0);
    CHECK_OK(sy_mcp_params_check(symbi_doc_root(d), &e), e);
    if (sy_mcp_params_make(symbi_doc_root(d), symbi_doc_root(v), &a, out, &n, &e)) {
        CHECK(strstr(e.msg, want));
    } else {
        for (size_t i = 0; i < n; i++) at += (size_t)snprintf(got + at, sizeof got - at, "%.*s: %.*s\n", (int)out[i].name.n, out[i].name.p, (int)out[i].value.n, out[i].value.p);
        CHECK_STR(symbi_str_z(got), want);
    }
    sy_arena_free(&a);
    symbi_doc_unref(d);
    symbi_doc_unref(v);
}

static void test_params(void)
{
    static const char ab[] = PROP("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"},\"b\":{\"type\":\"integer\",\"x-mcp-header\":\"N\"},\"c\":{\"type\":\"boolean\",\"x-mcp-header\":\"C\"},"
                                  "\"d\":{\"type\":\"object\",\"properties\":{\"e\":{\"type\":\"string\",\"x-mcp-header\":\"E\"}}}");
    char many[16000], *p = many;
    params(ab, "{}", "");
    params(ab, "{\"a\":\"us-west1\",\"b\":-7,\"c\":false,\"d\":{\"e\":\"x\"},\"z\":1}", "Mcp-Param-Region: us-west1\nMcp-Param-N: -7\nMcp-Param-C: false\nMcp-Param-E: x\n");
    params(ab, "{\"a\":null,\"b\":42.0,\"d\":7}", "Mcp-Param-N: 42\n");
    params(ab, "{\"a\":\"x\\r\\nHost: evil\"}", "Mcp-Param-Region: =?base64?eA0KSG9zdDogZXZpbA==?=\n");
    params(ab, "{\"b\":9007199254740991}", "Mcp-Param-N: 9007199254740991\n");
    params(ab, "{\"b\":9007199254740992}", "no integer that fits");
    params(ab, "{\"b\":-9007199254740992}", "no integer that fits");
    params(ab, "{\"b\":1.5}", "no integer that fits");
    params(ab, "{\"b\":\"7\"}", "not what its schema says");
    params(ab, "{\"a\":{}}", "not what its schema says");
    /* what only looks like an annotation */
    params(PROP("\"x-mcp-header\":{\"type\":\"string\"}"), "{\"x-mcp-header\":\"v\"}", "");
    params(PROP("\"a\":{\"type\":\"string\",\"default\":{\"x-mcp-header\":\"A\"},\"enum\":[{\"x-mcp-header\":7}]}"), "{}", "");
    params("{}", "{}", "");
    params("{\"inputSchema\":7}", "{}", "");
    /* each rule of the section */
    params_bad(PROP("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"\"}"), "name of a header");
    params_bad(PROP("\"a\":{\"type\":\"string\",\"x-mcp-header\":7}"), "name of a header");
    params_bad(PROP("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A B\"}"), "name of a header");
    params_bad(PROP("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\\r\\nB\"}"), "name of a header");
    params_bad(PROP("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\\u0000\"}"), "name of a header");
    params_bad(PROP("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"\u00e4\"}"), "name of a header");
    params_bad(PROP("\"a\":{\"type\":\"string\",\"x-mcp-header\":\"Ab\"},\"b\":{\"type\":\"string\",\"x-mcp-header\":\"aB\"}"), "twice");
    params_bad(PROP("\"a\":{\"type\":\"number\",\"x-mcp-header\":\"A\"}"), "neither string");
    params_bad(PROP("\"a\":{\"type\":\"object\",\"x-mcp-header\":\"A\"}"), "neither string");
    params_bad(PROP("\"a\":{\"x-mcp-header\":\"A\"}"), "neither string");
    params_bad("{\"inputSchema\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}", "where no argument is");
    params_bad(PROP("\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}"), "where no argument is");
    params_bad(PROP("\"a\":{\"anyOf\":[{\"type\":\"string\",\"x-mcp-header\":\"A\"}]}"), "where no argument is");
    params_bad(PROP("\"a\":{\"if\":{\"properties\":{\"b\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}}"), "where no argument is");
    params_bad("{\"inputSchema\":{\"$defs\":{\"d\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}}", "where no argument is");
    params_bad("{\"inputSchema\":{\"patternProperties\":{\"d\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}}", "where no argument is");
    for (int over = 0; over < 2; over++) { /* at the limit, and one past it */
        p = many + sprintf(many, "{\"inputSchema\":{\"properties\":{\"p\":{}");
        for (int i = 0; i < SY_MCP_MAX_PARAMS + over; i++) p += sprintf(p, ",\"p%d\":{\"type\":\"string\",\"x-mcp-header\":\"H%d\"}", i, i);
        strcpy(p, "}}}");
        if (over) params_bad(many, "more than 64");
        else params(many, "{\"p63\":\"x\"}", "Mcp-Param-H63: x\n");
        p = many + sprintf(many, "{\"inputSchema\":");
        for (int i = 0; i < 63 + over; i++) p += sprintf(p, "{\"not\":");
        p += sprintf(p, "{}");
        for (int i = 0; i < 63 + over; i++) *p++ = '}';
        strcpy(p, "}");
        if (over) params_bad(many, "deeper than 64");
        else params(many, "{}", "");
    }
}

/* ---- streams that break off ---- */

/* A client over HTTP whose call went out and whose answer comes as a stream. */
static symbi_mcp *calling(symbi_mcp_message *msg)
{
    symbi_mcp *m = client(cx, "h", 0);
    symbi_text record = approved(cx, "h", DEF), changed;
    const symbi_mcp_pair session = { S("Mcp-Session-Id"), S("abc") };
    symbi_err e;
    CHECK_OK(symbi_mcp_set_secret(m, S("A"), S("x"), &e), e);
    CHECK(call(cx, m, "h") == SYMBI_OK && symbi_mcp_take(m, msg, &e) == SYMBI_OK);
    symbi_mcp_feed(m, S("data: " INIT_OK "\n"));
    symbi_mcp_http_end(m, 200, &session, 1, S(""));
    CHECK(symbi_mcp_take(m, msg, &e) == SYMBI_OK);
    symbi_mcp_http_end(m, 202, NULL, 0, S(""));
    CHECK(symbi_mcp_take(m, msg, &e) == SYMBI_OK);
    symbi_mcp_feed(m, S("data: " LIST_OK "\n"));
    symbi_mcp_http_end(m, 200, NULL, 0, S(""));
    CHECK_OK(symbi_mcp_judge(m, symbi_text_str(&record), S(""), 0, &changed, &e), e);
    CHECK(symbi_mcp_take(m, msg, &e) == SYMBI_OK && strstr(msg->body.p, "tools/call"));
    symbi_text_free(&record);
    return m;
}

static void is_resume(symbi_mcp *m, const char *id, int64_t after)
{
    symbi_mcp_message msg;
    symbi_err e;
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_SEND);
    CHECK_OK(symbi_mcp_take(m, &msg, &e), e);
    CHECK_STR(S(msg.method), "GET");
    CHECK(msg.wants_answer && !msg.body.n && msg.after_ms == after && msg.nheaders == 5);
    CHECK_STR(msg.headers[0].value, "text/event-stream");
    CHECK_STR(msg.headers[1].name, "Last-Event-ID");
    CHECK_STR(msg.headers[1].value, id);
    CHECK_STR(msg.headers[2].value, "2025-06-18");
    CHECK_STR(msg.headers[3].value, "abc");
}

#define CALL_OK "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"content\":[]}}"

static void fails(symbi_mcp *m, symbi_status code, const char *what)
{
    symbi_err e;
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_FAILED);
    CHECK(symbi_mcp_failure(m, &e) == code);
    if (!strstr(e.msg, what)) printf("%s\n", e.msg);
    CHECK(strstr(e.msg, what));
    symbi_mcp_free(m);
}

static void test_resume(void)
{
    symbi_mcp_message msg;
    symbi_err e;
    symbi_mcp *m = calling(&msg);
    char big[1100];
    symbi_mcp_feed(m, S("id: a 1\ndata:\n\nretry: 250\n\nid: half\ndata: {"));
    symbi_mcp_http_end(m, 200, NULL, 0, S("")); /* ended, politely */
    is_resume(m, "a 1", 250);
    symbi_mcp_http_broken(m, SYMBI_EIO, S("connection refused")); /* the way there failed: once more */
    is_resume(m, "a 1", 250);
    symbi_mcp_feed(m, S("id: a2\n\n"));
    symbi_mcp_http_broken(m, SYMBI_EIO, S("reset")); /* in the middle */
    is_resume(m, "a2", 250);
    symbi_mcp_http_end(m, 503, NULL, 0, S("later"));
    is_resume(m, "a2", 250);
    symbi_mcp_feed(m, S("data: " CALL_OK "\n\n"));
    CHECK(symbi_mcp_answered(m));
    symbi_mcp_http_broken(m, SYMBI_EIO, S("reset")); /* after the answer that means nothing */
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_DONE && !symbi_mcp_broken(m));
    CHECK(call(cx, m, "h") == SYMBI_OK); /* the next call is a call like any other */
    CHECK_OK(symbi_mcp_take(m, &msg, &e), e);
    CHECK_STR(S(msg.method), "POST");
    CHECK(strstr(msg.body.p, "tools/call") && !msg.after_ms);
    symbi_mcp_free(m);
    /* without an id; with one that was taken back; that is no header; that is too long */
    memset(big, 'x', sizeof big);
    memcpy(big, "id: ", 4);
    strcpy(big + 4 + 1025, "\n\n");
    for (int i = 0; i < 5; i++) {
        static const char *const first[] = { "data:\n\n", "id: 1\n\nid\n\n", "id: \xc3\xa4\n\n", "id: a\tb\n\n" };
        m = calling(&msg);
        symbi_mcp_feed(m, S(i < 4 ? first[i] : big));
        symbi_mcp_http_end(m, 200, NULL, 0, S(""));
        fails(m, SYMBI_EIO, "without having answered");
    }
    big[4 + 1024] = 0; /* at the limit */
    strcat(big, "\n\n");
    m = calling(&msg);
    symbi_mcp_feed(m, S(big));
    symbi_mcp_http_end(m, 200, NULL, 0, S(""));
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_SEND);
    symbi_mcp_free(m);
    /* the session is gone: the call may have been carried out, so it is not sent again */
    m = calling(&msg);
    symbi_mcp_feed(m, S("id: 1\n\n"));
    symbi_mcp_http_end(m, 200, NULL, 0, S(""));
    is_resume(m, "1", 1000);
    symbi_mcp_http_end(m, 404, NULL, 0, S("{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-1,\"message\":\"no\"}}"));
    fails(m, SYMBI_EIO, "HTTP status 404");
    /* other failures than a broken connection end it */
    m = calling(&msg);
    symbi_mcp_feed(m, S("id: 1\n\n"));
    symbi_mcp_http_broken(m, SYMBI_ELIMIT, S("too large"));
    fails(m, SYMBI_ELIMIT, "too large");
    m = calling(&msg);
    symbi_mcp_http_broken(m, SYMBI_EIO, S("refused"));
    fails(m, SYMBI_EIO, "refused");
    /* a hundred times, and not once more */
    m = calling(&msg);
    symbi_mcp_feed(m, S("retry: 0\nid: 1\n\n"));
    for (int i = 0; i < 100; i++) {
        symbi_mcp_http_end(m, 200, NULL, 0, S(""));
        is_resume(m, "1", 0);
    }
    symbi_mcp_http_end(m, 200, NULL, 0, S(""));
    fails(m, SYMBI_EIO, "without having answered");
    /* what it asks meanwhile is answered beside it */
    m = calling(&msg);
    symbi_mcp_feed(m, S("id: 1\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}\n\n"));
    symbi_mcp_http_end(m, 200, NULL, 0, S(""));
    CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK && strstr(msg.body.p, "\"id\":7") && !msg.wants_answer);
    symbi_mcp_http_end(m, 202, NULL, 0, S(""));
    is_resume(m, "1", 1000);
    symbi_mcp_free(m);
}

/* ---- the last words ---- */

static void parts(symbi_mcp *m, const char *method, const char *body)
{
    symbi_mcp_message msg;
    bool is = symbi_mcp_part(m, &msg);
    CHECK(is == (method != NULL));
    if (!is || !method) return;
    CHECK_STR(S(msg.method), method);
    CHECK(!msg.wants_answer);
    CHECK_STR(msg.body, body);
}

static void test_part(void)
{
    symbi_mcp_message msg;
    symbi_mcp *m = client(cx, "s", 0);
    parts(m, NULL, NULL); /* nothing was ever said */
    symbi_mcp_free(m);
    m = client(cx, "s", 0); /* initialize must not be cancelled */
    CHECK(call(cx, m, "s") == SYMBI_OK);
    sends(m, INIT);
    symbi_mcp_lost(m, SYMBI_ETIMEOUT, S("late"));
    parts(m, NULL, NULL);
    symbi_mcp_free(m);
    m = client(cx, "s", 0); /* given up by closing */
    CHECK(call(cx, m, "s") == SYMBI_OK);
    greet(m);
    parts(m, "POST", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":2,\"reason\":\"the call to MCP server 's' was given up\"}}\n");
    parts(m, NULL, NULL);
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_FAILED && call(cx, m, "s") == SYMBI_ESTATE);
    symbi_mcp_free(m);
    m = client(cx, "s", 0); /* nobody is there any more */
    CHECK(call(cx, m, "s") == SYMBI_OK);
    greet(m);
    symbi_mcp_lost(m, SYMBI_EIO, S("it ended"));
    parts(m, NULL, NULL);
    symbi_mcp_free(m);
    m = client(cx, "s", 0); /* answered: nothing is open */
    CHECK(call(cx, m, "s") == SYMBI_OK);
    greet(m);
    hears(m, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[]}}\n");
    parts(m, NULL, NULL);
    symbi_mcp_free(m);
    m = calling(&msg); /* over HTTP the session too */
    symbi_mcp_lost(m, SYMBI_ETIMEOUT, S("late\nand \xff"));
    parts(m, "POST", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":3,\"reason\":\"late?and ?\"}}");
    CHECK(symbi_mcp_part(m, &msg));
    CHECK_STR(S(msg.method), "DELETE");
    CHECK(!msg.body.n && msg.nheaders == 3);
    CHECK_STR(msg.headers[0].name, "MCP-Protocol-Version");
    CHECK_STR(msg.headers[1].value, "abc");
    CHECK_STR(msg.headers[2].value, "Bearer x");
    parts(m, NULL, NULL);
    symbi_mcp_free(m);
    m = calling(&msg); /* refused by HTTP: it is not at work */
    symbi_mcp_http_end(m, 500, NULL, 0, S(""));
    parts(m, "DELETE", "");
    parts(m, NULL, NULL);
    symbi_mcp_free(m);
}

/* ---- what revisions differ in ---- */

static void test_their_cancelled(void)
{
    symbi_mcp *m = client(cx, "s", 0);
    CHECK(call(cx, m, "s") == SYMBI_OK);
    greet(m);
    hears(m, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}\n{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"method\":\"ping\"}\n{\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"roots/list\"}\n");
    symbi_mcp_feed(m, S("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":7}}\n"));
    symbi_mcp_feed(m, S("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":2}}\n")); /* ours; and what cannot be understood */
    symbi_mcp_feed(m, S("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":[]}\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}\n"));
    sends(m, "{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":{}}\n");
    sends(m, "{\"jsonrpc\":\"2.0\",\"id\":77,\"error\":{\"code\":-32601,\"message\":\"this client does not offer roots/list\"}}\n");
    hears(m, LIST_OK);
    CHECK(symbi_mcp_next(m) == SYMBI_MCP_JUDGE);
    symbi_mcp_free(m);
}

static void test_batches(void)
{
    static const char *const versions[] = { "2024-11-05", "2025-03-26", "2025-06-18" };
    for (int i = 0; i < 3; i++) {
        symbi_mcp *m = client(cx, "s", 0);
        symbi_mcp_message msg;
        char line[300];
        symbi_err e;
        CHECK(symbi_mcp_list(m, &e) == SYMBI_OK && symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"%s\",\"capabilities\":{\"tools\":{}}}}\n", versions[i]);
        symbi_mcp_feed(m, S(line));
        CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK && symbi_mcp_take(m, &msg, &e) == SYMBI_OK);
        symbi_mcp_feed(m, S("[{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"},{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[" DEF "]}}]\n"));
        if (i == 1) {
            sends(m, "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"result\":{}}\n");
            CHECK(symbi_mcp_next(m) == SYMBI_MCP_DONE);
            CHECK(symbi_value_getz(symbi_mcp_result(m), "tools")->u.a.n == 1);
        } else {
            CHECK(symbi_mcp_failure(m, &e) == SYMBI_EIO && strstr(e.msg, "batch"));
        }
        symbi_mcp_free(m);
    }
}

/* A list that changes between being read and being used is read again. */
static void test_list_changed(void)
{
    static const char changed_note[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n";
    symbi_mcp *m = client(cx, "s", 0);
    symbi_text record = approved(cx, "s", DEF), changed;
    symbi_mcp_message msg;
    char line[300];
    symbi_err e;
    CHECK(call(cx, m, "s") == SYMBI_OK);
    greet(m);
    for (int id = 2; id < 10; id++) {
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"tools\":[" DEF "]}}\n%s", id, changed_note);
        hears(m, line);
        CHECK(symbi_mcp_next(m) == SYMBI_MCP_JUDGE);
        CHECK_OK(symbi_mcp_judge(m, symbi_text_str(&record), S(""), 0, &changed, &e), e);
        CHECK(symbi_mcp_take(m, &msg, &e) == SYMBI_OK && strstr(msg.body.p, "tools/list"));
    }
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":10,\"result\":{\"tools\":[" DEF "]}}\n%s", changed_note);
    hears(m, line);
    CHECK(symbi_mcp_judge(m, symbi_text_str(&record), S(""), 0, &changed, &e) == SYMBI_EIO && strstr(e.msg, "faster"));
    symbi_text_free(&record);
    symbi_mcp_free(m);
}

static void content(const char *items, const char *fault)
{
    symbi_doc *d = json(items);
    symbi_err e;
    symbi_status st = sy_mcp_content_check(symbi_doc_root(d), &e);
    CHECK((st != SYMBI_OK) == (fault != NULL));
    if (st && fault && !strstr(e.msg, fault)) printf("%s\n", e.msg);
    if (st && fault) CHECK(strstr(e.msg, fault));
    symbi_doc_unref(d);
}

static void test_content(void)
{
    sy_arena a;
    symbi_doc *d;
    symbi_value v;
    symbi_text t;
    symbi_err e;
    content("[]", NULL);
    content("[{\"type\":\"text\",\"text\":\"\"},{\"type\":\"new\"}]", NULL);
    content("[{\"type\":\"image\",\"data\":\"\",\"mimeType\":\"image/png\"},{\"type\":\"audio\",\"data\":\"AA==\",\"mimeType\":\"a/b\"}]", NULL);
    content("[{\"type\":\"resource_link\",\"uri\":\"u\",\"name\":\"n\"},{\"type\":\"resource\",\"resource\":{\"uri\":\"u\",\"text\":\"t\"}}]", NULL);
    content("{}", "no list");
    content("[7]", "has no type");
    content("[{}]", "has no type");
    content("[{\"type\":\"text\"}]", "has no text");
    content("[{\"type\":\"text\",\"text\":7}]", "has no text");
    content("[{\"type\":\"text\",\"text\":\"\"},{\"type\":\"image\",\"mimeType\":\"x\"}]", "item 2 of its content has no data");
    content("[{\"type\":\"image\",\"data\":\"AA=A\",\"mimeType\":\"x\"}]", "base64");
    content("[{\"type\":\"image\",\"data\":\"AAA\",\"mimeType\":\"x\"}]", "base64");
    content("[{\"type\":\"image\",\"data\":\"A===\",\"mimeType\":\"x\"}]", "base64");
    content("[{\"type\":\"audio\",\"data\":\"AAAA\"}]", "has no mimeType");
    content("[{\"type\":\"resource_link\",\"name\":\"n\"}]", "has no uri");
    content("[{\"type\":\"resource_link\",\"uri\":\"u\"}]", "has no name");
    content("[{\"type\":\"resource\"}]", "has no resource");
    content("[{\"type\":\"resource\",\"resource\":{\"uri\":\"u\",\"blob\":\"!\"}}]", "neither text nor blob");
    /* what a model is told */
    sy_arena_init(&a, cx->alloc, 0);
    d = json("{\"content\":[{\"type\":\"text\",\"text\":\"t\"},{\"type\":\"image\",\"data\":\"aGVsbG8=\",\"mimeType\":\"image/png\"},"
             "{\"type\":\"resource\",\"resource\":{\"uri\":\"u\",\"blob\":\"AAAA\"}},7],\"structured\":[1]}");
    v = sy_mcp_told(&a, symbi_doc_root(d));
    CHECK_OK(symbi_json_write(cx, &v, SYMBI_JSON_CANONICAL, &t, &e), e);
    CHECK_STR(symbi_text_str(&t), "{\"content\":[{\"text\":\"t\",\"type\":\"text\"},{\"data\":\"(5 bytes, in the evidence)\",\"mimeType\":\"image/png\",\"type\":\"image\"},"
                                  "{\"resource\":{\"blob\":\"(3 bytes, in the evidence)\",\"uri\":\"u\"},\"type\":\"resource\"},7],\"structured\":[1]}");
    symbi_text_free(&t);
    symbi_doc_unref(d);
    sy_arena_free(&a);
}

static void test_trace(void)
{
    static const char tp[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-";
    symbi_tool *t = tool(cx, "[tool]\nname='t'\nversion='1'\ndescription='d'\n[mcp]\nserver='s'\ntool='up'\n[output]\nformat='json'\n");
    symbi_plan_options o = { 0 };
    symbi_plan *p;
    symbi_mcp *m = client(cx, "s", 0);
    symbi_text record = approved(cx, "s", DEF), changed;
    symbi_mcp_message msg;
    symbi_mcp_launch l;
    symbi_value none = { .kind = SYMBI_OBJECT };
    symbi_str trace;
    char want[100];
    symbi_err e;
    o.scan_id = S("id");
    o.trace_id = S("4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
    CHECK_OK(symbi_tool_plan(cx, t, &none, &o, &p, &e), e);
    trace = symbi_value_str(p->detail, "traceparent", S(""));
    CHECK(trace.n == 55 && !memcmp(trace.p, tp, sizeof tp - 1));
    CHECK_OK(symbi_mcp_set_secret(m, S("A"), S("1"), &e), e);
    CHECK_OK(symbi_mcp_call(m, p, &e), e);
    CHECK_OK(symbi_mcp_get_launch(m, NULL, 0, &l, &e), e);
    snprintf(want, sizeof want, "TRACEPARENT=%.*s", (int)trace.n, trace.p);
    CHECK(l.nenv == 3);
    CHECK_STR(l.env[1], want);
    greet(m);
    hears(m, LIST_OK);
    CHECK_OK(symbi_mcp_judge(m, symbi_text_str(&record), S(""), 0, &changed, &e), e);
    CHECK_OK(symbi_mcp_take(m, &msg, &e), e);
    snprintf(want, sizeof want, "\"params\":{\"_meta\":{\"traceparent\":\"%.*s\"},\"name\":\"up\"", (int)trace.n, trace.p);
    CHECK(strstr(msg.body.p, want));
    symbi_text_free(&record);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    symbi_mcp_free(m);
}

static void test_launch(void)
{
    symbi_mcp *m = client(cx, "s", 0);
    symbi_mcp_launch l;
    symbi_err e;
    const symbi_str env[] = { S("PATH=/p"), S("TOOLCLAD_SECRET_A=x"), S("LC_ALL=C"), S("K=host"), S("PATHX=1"), S("noequals"), S("OPENAI_API_KEY=k"), S("LANG=de\xff") };
    CHECK_OK(symbi_mcp_set_secret(m, S("A"), S("1"), &e), e);
    CHECK(symbi_mcp_get_launch(m, env, 8, &l, &e) == SYMBI_ESTATE); /* nobody asked for it */
    CHECK(call(cx, m, "s") == SYMBI_OK);
    CHECK_OK(symbi_mcp_get_launch(m, env, 8, &l, &e), e);
    CHECK(l.argc == 2 && l.nenv == 3);
    CHECK_STR(l.env[0], "K=v1w");
    CHECK_STR(l.env[1], "PATH=/p");
    CHECK_STR(l.env[2], "LC_ALL=C");
    symbi_mcp_lost(m, SYMBI_ETIMEOUT, S("too slow"));
    CHECK(symbi_mcp_failure(m, &e) == SYMBI_ETIMEOUT);
    CHECK(symbi_mcp_get_launch(m, env, 8, &l, &e) == SYMBI_ESTATE);
    symbi_mcp_free(m);
    m = client(cx, "h", 0);
    CHECK(call(cx, m, "h") == SYMBI_OK && symbi_mcp_get_launch(m, env, 8, &l, &e) == SYMBI_EUNSUPPORTED);
    symbi_mcp_free(m);
}

/* ---- approvals ---- */

static symbi_mcp_standing standing(symbi_str record, const char *server, const char *def, const char *diff)
{
    symbi_mcp_standing s = SYMBI_MCP_UNKNOWN;
    symbi_doc *d = json(def);
    symbi_text t = { 0 };
    symbi_err e;
    CHECK_OK(symbi_mcp_compare(cx, record, S(server), symbi_doc_root(d), &s, &t, &e), e);
    CHECK_STR(symbi_text_str(&t), diff);
    symbi_text_free(&t);
    symbi_doc_unref(d);
    return s;
}

static void test_pins(void)
{
    symbi_text r = approved(cx, "s", "{\"name\":\"up\",\"description\":\"a\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"string\"}}},\"title\":\"T\"}"), r2, r3;
    symbi_str s = symbi_text_str(&r);
    symbi_doc *d;
    symbi_err e;
    size_t n;
    CHECK(standing(S(""), "s", DEF, "") == SYMBI_MCP_UNKNOWN);
    CHECK(standing(s, "other", DEF, "") == SYMBI_MCP_UNKNOWN);
    /* order of members and what does not count are no change */
    CHECK(standing(s, "s", "{\"icons\":[],\"inputSchema\":{\"properties\":{\"x\":{\"type\":\"string\"}},\"type\":\"object\"},\"description\":\"a\",\"name\":\"up\"}", "") == SYMBI_MCP_APPROVED);
    CHECK(standing(s, "s", "{\"name\":\"up\",\"description\":\"b\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"string\",\"maxLength\":3}}},\"outputSchema\":{}}",
                   "description: \"a\" -> \"b\"\ninputSchema.properties.x.maxLength: added: 3\noutputSchema: added: {}\n") == SYMBI_MCP_CHANGED);
    CHECK(standing(s, "s", "{\"name\":\"up\",\"inputSchema\":7}", "description: removed: \"a\"\ninputSchema: {\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"string\"}}} -> 7\n") == SYMBI_MCP_CHANGED);
    /* a second approval stands for the first; another server's stays */
    d = json(DEF);
    CHECK_OK(symbi_mcp_approve(cx, s, S("t"), symbi_doc_root(d), S("me"), 0, &r2, &e), e);
    CHECK_OK(symbi_mcp_approve(cx, symbi_text_str(&r2), S("s"), symbi_doc_root(d), S("me"), 0, &r3, &e), e);
    CHECK(standing(symbi_text_str(&r3), "s", DEF, "") == SYMBI_MCP_APPROVED);
    CHECK(standing(symbi_text_str(&r3), "t", DEF, "") == SYMBI_MCP_APPROVED);
    symbi_text_free(&r2);
    CHECK_OK(symbi_mcp_forget(cx, symbi_text_str(&r3), S("s"), S("up"), &n, &r2, &e), e);
    CHECK(n == 1);
    CHECK(standing(symbi_text_str(&r2), "s", DEF, "") == SYMBI_MCP_UNKNOWN);
    CHECK(standing(symbi_text_str(&r2), "t", DEF, "") == SYMBI_MCP_APPROVED);
    symbi_text_free(&r3);
    CHECK(symbi_mcp_approve(cx, S("[]"), S("s"), symbi_doc_root(d), S("me"), 0, &r3, &e) == SYMBI_ESCHEMA);
    CHECK(symbi_mcp_approve(cx, S("{\"version\":1,\"tools\":[{}]}"), S("s"), symbi_doc_root(d), S("me"), 0, &r3, &e) == SYMBI_ESCHEMA);
    symbi_doc_unref(d);
    symbi_text_free(&r2);
    symbi_text_free(&r);
}

/* ---- out of memory ---- */

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    const char *server = ud;
    bool h = server[0] == 'h';
    symbi_mcp *m = client(c, server, 0);
    symbi_text record, changed = { 0 };
    symbi_mcp_message msg;
    symbi_mcp_launch l;
    symbi_status st;
    symbi_err e;
    if (!m) return SYMBI_ENOMEM;
    record = approved(c, server, DEF);
    st = server[0] == 'f' ? SYMBI_OK : symbi_mcp_set_secret(m, S("A"), S("tok"), &e);
    if (!st) st = record.n ? call(c, m, server) : SYMBI_ENOMEM;
    if (!st && !h) st = symbi_mcp_get_launch(m, NULL, 0, &l, &e);
    if (server[0] == 'f') symbi_text_free(&record), record = (symbi_text){ 0 };
    while (!st) {
        symbi_mcp_want w = symbi_mcp_next(m);
        if (w == SYMBI_MCP_DONE) break;
        if (w == SYMBI_MCP_FAILED) st = symbi_mcp_failure(m, &e);
        else if (w == SYMBI_MCP_JUDGE) {
            symbi_text_free(&changed);
            st = symbi_mcp_judge(m, symbi_text_str(&record), S(""), 0, &changed, &e);
        } else if (w == SYMBI_MCP_SEND && !(st = symbi_mcp_take(m, &msg, &e))) {
            const char *answer = strstr(msg.body.p, "initialize\"") ? INIT_OK : strstr(msg.body.p, "tools/list") ? "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\"}\n" LIST_OK : strstr(msg.body.p, "tools/call") ? "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"content\":[]}}\n" : "";
            char sse[400];
            if (h && msg.wants_answer) {
                size_t n = 0;
                while (*answer) { /* each line an event */
                    const char *nl = strchr(answer, '\n');
                    n += (size_t)snprintf(sse + n, sizeof sse - n, "data: %.*s\n\n", (int)(nl - answer), answer);
                    answer = nl + 1;
                }
                symbi_mcp_feed(m, S(sse));
                while (symbi_mcp_next(m) == SYMBI_MCP_SEND && symbi_mcp_take(m, &msg, &e) == SYMBI_OK) { }
            } else if (!h) {
                symbi_mcp_feed(m, (symbi_str){ answer, strlen(answer) / 2 });
                symbi_mcp_feed(m, S(answer + strlen(answer) / 2));
            }
            if (h) symbi_mcp_http_end(m, 200, NULL, 0, S(""));
        } else if (w == SYMBI_MCP_RECEIVE) {
            st = SYMBI_EIO;
        }
    }
    symbi_text_free(&changed);
    symbi_text_free(&record);
    symbi_mcp_free(m);
    return st;
}

/* A stream that breaks off, and the last words of a call that is given up. */
static symbi_status resuming(symbi_ctx *c, void *ud)
{
    symbi_mcp *m = client(c, "h", 0);
    symbi_text record, changed = { 0 };
    symbi_mcp_message msg;
    symbi_status st;
    symbi_err e;
    int calls = 0, words = 0;
    (void)ud;
    if (!m) return SYMBI_ENOMEM;
    record = approved(c, "h", DEF);
    st = symbi_mcp_set_secret(m, S("A"), S("tok"), &e);
    if (!st) st = record.n ? call(c, m, "h") : SYMBI_ENOMEM;
    while (!st && calls < 2) {
        const symbi_mcp_pair session = { S("Mcp-Session-Id"), S("abc") };
        symbi_mcp_want w = symbi_mcp_next(m);
        if (w == SYMBI_MCP_FAILED) st = symbi_mcp_failure(m, &e);
        else if (w == SYMBI_MCP_JUDGE) st = symbi_mcp_judge(m, symbi_text_str(&record), S(""), 0, &changed, &e);
        else if (w != SYMBI_MCP_SEND) st = SYMBI_EIO;
        else if (!(st = symbi_mcp_take(m, &msg, &e))) {
            bool is_call = msg.method[0] == 'G' || strstr(msg.body.p, "tools/call");
            calls += is_call;
            symbi_mcp_feed(m, S(is_call ? "retry: 1\nid: 7\ndata:\n\n" : !msg.wants_answer ? "" : strstr(msg.body.p, "initialize\"") ? INIT_OK : "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[" DEF "]}}"));
            symbi_mcp_http_end(m, 200, &session, 1, S(""));
        }
    }
    if (!st && symbi_mcp_next(m) == SYMBI_MCP_FAILED) st = symbi_mcp_failure(m, &e);
    while (symbi_mcp_part(m, &msg)) words++;
    if (!st && words != 2) st = SYMBI_ENOMEM; /* the last words may be left unsaid; nothing else may go wrong */
    symbi_text_free(&changed);
    symbi_text_free(&record);
    symbi_mcp_free(m);
    return st;
}

/* The revision without a handshake, with arguments in headers that were wrong once. */
static symbi_status mirroring(symbi_ctx *c, void *ud)
{
    static const char def[] = "{\"name\":\"up\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"q\":{\"type\":\"string\",\"x-mcp-header\":\"Q\"}}}}";
    static const char *const answers[] = { "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32022,\"message\":\"no\"}}",
                                           "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}}}}", "",
                                           "{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-32020,\"message\":\"Header mismatch\"}}", "", "{\"jsonrpc\":\"2.0\",\"id\":6,\"result\":{\"content\":[]}}" };
    symbi_mcp *m = client(c, "h", 0);
    symbi_text record, changed = { 0 };
    symbi_mcp_message msg;
    symbi_status st;
    symbi_err e;
    size_t at = 0;
    (void)ud;
    if (!m) return SYMBI_ENOMEM;
    record = approved(c, "h", def);
    st = symbi_mcp_set_secret(m, S("A"), S("tok"), &e);
    if (!st) st = record.n ? call(c, m, "h") : SYMBI_ENOMEM;
    while (!st) {
        symbi_mcp_want w = symbi_mcp_next(m);
        if (w == SYMBI_MCP_DONE) break;
        if (w == SYMBI_MCP_FAILED) st = symbi_mcp_failure(m, &e);
        else if (w == SYMBI_MCP_JUDGE) st = symbi_mcp_judge(m, symbi_text_str(&record), S(""), 0, &changed, &e);
        else if (w != SYMBI_MCP_SEND || at == 6) st = SYMBI_EIO;
        else if (!(st = symbi_mcp_take(m, &msg, &e))) {
            bool bad = at == 0 || at == 3;
            char list[400];
            const char *answer = answers[at++];
            if (at == 4 || at == 6) {
                bool there = false;
                for (size_t i = 0; i < msg.nheaders; i++) there = there || (!strcmp(msg.headers[i].name.p, "Mcp-Param-Q") && msg.headers[i].value.n == 1);
                if (!there) st = SYMBI_EIO;
            }
            snprintf(list, sizeof list, "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"result\":{\"tools\":[%s]}}", at, def);
            if (!*answer) answer = list;
            if (!bad) symbi_mcp_feed(m, S(answer));
            symbi_mcp_http_end(m, bad ? 400 : 200, NULL, 0, S(bad ? answer : ""));
        }
    }
    symbi_text_free(&changed);
    symbi_text_free(&record);
    symbi_mcp_free(m);
    return st;
}

static void test_oom_resume(void) { test_oom(resuming, NULL, SYMBI_OK); }
static void test_oom_mirror(void) { test_oom(mirroring, NULL, SYMBI_OK); }
static void test_oom_pipe(void) { test_oom(scenario, (void *)(uintptr_t) "s", SYMBI_OK); }
static void test_oom_http(void) { test_oom(scenario, (void *)(uintptr_t) "h", SYMBI_OK); }
static void test_oom_first_use(void) { test_oom(scenario, (void *)(uintptr_t) "f", SYMBI_OK); }

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_vectors);
    RUN(test_plan);
    RUN(test_envelope);
    RUN(test_conversation);
    RUN(test_splits);
    RUN(test_lies);
    RUN(test_questions);
    RUN(test_http);
    RUN(test_modern);
    RUN(test_header_values);
    RUN(test_params);
    RUN(test_resume);
    RUN(test_part);
    RUN(test_their_cancelled);
    RUN(test_batches);
    RUN(test_list_changed);
    RUN(test_content);
    RUN(test_trace);
    RUN(test_launch);
    RUN(test_pins);
    RUN(test_oom_resume);
    RUN(test_oom_mirror);
    RUN(test_oom_pipe);
    RUN(test_oom_http);
    RUN(test_oom_first_use);
    symbi_ctx_free(cx);
    return test_end();
}
