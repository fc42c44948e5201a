/* Fuzz target: what a browser says. The input is a list of messages, one a line, fed to a machine with an open command; a line that begins with
 * '!' passes time. A first byte from '0' to '4' is the command. No request to a host outside the scope is ever let through, credentials go nowhere
 * before a page has said that it is of their host, nothing is answered that is no JSON, and whatever comes, the command ends. The first line is also a URL for the scope check: what it allows has the host that is named. */
#include "symbi/browser.h"
#include "symbi/json.h"
#include "symbi/websocket.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char k_tool[] = "[tool]\nname = \"w\"\nversion = \"1\"\ndescription = \"d\"\n[tool.evidence]\nscreenshots = true\n[browser]\n[browser.state]\nfields = [\"url\", \"domain\"]\n"
                             "[browser.scope]\nallowed_domains = [\"a.test\"]\n[browser.commands.snapshot]\ndescription = \"d\"\n"
                             "[browser.commands.click]\ndescription = \"d\"\n[browser.commands.click.args.selector]\nrequired = true\n"
                             "[browser.commands.execute_js]\ndescription = \"d\"\n[browser.commands.execute_js.args.expression]\nrequired = true\n"
                             "[browser.commands.login]\ndescription = \"d\"\n[browser.commands.login.args.service]\nrequired = true\n"
                             "[browser.auth_flows.s]\nlogin_url = \"https://a.test/login\"\nusername_selector = \"u\"\npassword_selector = \"p\"\nsubmit_selector = \"g\"\n"
                             "success_indicator = \"url_contains=/home\"\nsecret_ref = \"vault:s\"\nmfa_handler = \"totp\"\nmfa_selector = \"o\"\nmfa_secret_ref = \"vault:t\"\n"
                             "[browser.commands.wait_for]\ndescription = \"d\"\n[browser.commands.wait_for.args.selector]\nrequired = true\n[output]\nformat = \"json\"\n";
/* in order of their names */
static const char *const k_args[] = { "{\"selector\":\"p\"}", "{\"expression\":\"1\"}", "{\"service\":\"s\"}", "{}", "{\"selector\":\"p\"}" };
static const char k_secret[] = "QQOJQGEZDGNBVGY3T"; /* no base32 length that matters, and nothing that stands elsewhere */

static void must(int ok)
{
    if (!ok) abort();
}

static int64_t g_now;
static int64_t now(void *ud)
{
    (void)ud;
    return g_now;
}

static bool has(symbi_str s, const char *z)
{
    size_t n = strlen(z);
    for (size_t i = 0; i + n <= s.n; i++)
        if (!memcmp(s.p + i, z, n)) return true;
    return false;
}

/* Everything said must be JSON; a request is let through only when the message before it was for our host or carries nothing. */
static void listen(symbi_ctx *cx, symbi_browser *b, symbi_str cause, bool home)
{
    symbi_str s;
    while ((s = symbi_browser_out(b)).n) {
        symbi_doc *d;
        symbi_err err;
        must(symbi_json_parse(cx, s, &d, &err) == SYMBI_OK);
        if (has(s, "Fetch.continueRequest")) must(has(cause, "a.test") || has(cause, "A.") || has(cause, "data:") || has(cause, "blob:") || has(cause, "about:") || has(cause, "\\"));
        must(!has(s, "Fetch.fulfillRequest"));
        must(home || !has(s, k_secret));
        symbi_doc_unref(d);
        symbi_browser_sent(b);
    }
}

static void url(const uint8_t *data, size_t n)
{
    static const symbi_value item = { .kind = SYMBI_STRING, .u = { .s = { "a.test", 6 } } };
    symbi_member m = { { "allowed_domains", 15 }, { .kind = SYMBI_ARRAY, .u = { .a = { &item, 1 } } } };
    symbi_value scope = { .kind = SYMBI_OBJECT, .u = { .o = { &m, 1 } } };
    symbi_str s = { (const char *)data, n };
    symbi_browser_where where;
    symbi_err err;
    if (symbi_browser_check_url(&scope, s, false, &where, &err)) {
        must(err.msg[0] && where == SYMBI_BROWSER_NOWHERE);
        return;
    }
    must(where == SYMBI_BROWSER_INSIDE);
    for (size_t i = 0; i < n && data[i] != '/' && data[i] != '#'; i++) must(data[i] != '@' && data[i] != '\\' && data[i] > 0x20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_env env;
    symbi_ctx *cx;
    symbi_tool *t;
    symbi_plan *p;
    symbi_browser *b;
    symbi_doc *args, *valid, *d;
    symbi_err err;
    symbi_str none = { "", 0 };
    symbi_plan_options o = { 0 };
    symbi_ws *ws;
    size_t at = 0, line = 0, which;
    bool home = false;
    symbi_env_init(&env);
    env.clock.mono_ms = env.clock.wall_ms = now;
    g_now = 1000;
    must(symbi_ctx_new(&env, &cx, NULL) == SYMBI_OK);
    must(symbi_tool_parse(cx, symbi_str_z(k_tool), symbi_str_z("w"), &t, &err) == SYMBI_OK);
    which = size && data[0] >= '0' && data[0] <= '4' ? (size_t)(data[0] - '0') : size && data[0] & 1 ? 4 : 3;
    t = symbi_tool_command_at(t, which);
    must(symbi_json_parse(cx, symbi_str_z(k_args[which]), &args, &err) == SYMBI_OK);
    must(symbi_tool_validate(cx, t, symbi_doc_root(args), &valid, &err) == SYMBI_OK);
    o.scan_id = symbi_str_z("1-x");
    must(symbi_tool_plan(cx, t, symbi_doc_root(valid), &o, &p, &err) == SYMBI_OK);
    must(symbi_browser_new(cx, p, &b, &err) == SYMBI_OK);
    for (size_t i = 0; i < p->nsecrets; i++) must(symbi_browser_secret(b, p->secrets[i], symbi_str_z(k_secret), &err) == SYMBI_OK);
    must(symbi_browser_begin(b, p, &err) == SYMBI_OK);
    listen(cx, b, none, home);
    while (at < size) {
        const uint8_t *nl = memchr(data + at, '\n', size - at);
        size_t n = nl ? (size_t)(nl - data) - at : size - at;
        symbi_str m = { (const char *)data + at, n };
        if (!line++) url(data + at, n);
        if (n && data[at] == '!') {
            g_now += 150;
            must(symbi_browser_tick(b, &err) == SYMBI_OK);
        } else {
            must(symbi_browser_feed(b, m, n > 200 && data[at + n - 1] == '~', &err) == SYMBI_OK);
        }
        home = home || has(m, "a.test") || has(m, "A.") || has(m, "\\");
        listen(cx, b, m, home);
        at += n + 1;
    }
    for (int i = 0; i < 400 && !symbi_browser_done(b); i++) {
        g_now += 1000;
        must(symbi_browser_tick(b, &err) == SYMBI_OK);
        listen(cx, b, none, home);
    }
    must(symbi_browser_done(b));
    must(symbi_browser_reply(b, &d, &err) == SYMBI_OK);
    must(symbi_value_str(symbi_doc_root(d), "status", none).n > 0);
    {
        symbi_doc *e;
        must(symbi_tool_envelope_of(cx, t, p, symbi_doc_root(d), &e, &err) == SYMBI_OK);
        symbi_doc_unref(e);
    }
    symbi_doc_unref(d);
    /* the same bytes as WebSocket frames: whole and byte by byte give the same */
    must(symbi_ws_new(cx, 4096, &ws, &err) == SYMBI_OK);
    {
        symbi_str in = { (const char *)data, size };
        symbi_ws_message whole[8], one;
        symbi_status st = SYMBI_OK, st2 = SYMBI_OK;
        size_t n = 0, k = 0;
        symbi_ws *slow;
        while (!st && n < 8)
            if (!(st = symbi_ws_next(ws, &in, &whole[n], &err))) n++;
        must(symbi_ws_new(cx, 4096, &slow, &err) == SYMBI_OK);
        for (size_t i = 0; i < size && k < n; i++) {
            symbi_str c = { (const char *)data + i, 1 };
            st2 = symbi_ws_next(slow, &c, &one, &err);
            if (!st2) must(one.op == whole[k].op && one.close_code == whole[k].close_code), k++;
            else if (st2 != SYMBI_EAGAIN) break;
        }
        must(k == n);
        symbi_ws_free(slow);
    }
    symbi_ws_free(ws);
    symbi_browser_free(b);
    symbi_plan_unref(p);
    symbi_doc_unref(valid);
    symbi_doc_unref(args);
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
    return 0;
}
