/* tests/unit/io_browser_test.c: a browser's process without a browser: what may be started and reached, programs that are none, and the profile
 * that goes with them (tests/env/browser has real ones). */
#include "symbi/io_browser.h"
#include "symbi/json.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOOL(more) "[tool]\nname = \"w\"\nversion = \"1\"\ndescription = \"d\"\ntimeout_seconds = 60\n[browser]\n" more "[browser.scope]\nallowed_domains = [\"a.test\"]\n[browser.commands.snapshot]\ndescription = \"d\"\n[output]\nformat = \"json\"\n"

typedef struct rig {
    symbi_ctx *cx;
    symbi_tool *tool;
    symbi_plan *plan;
    symbi_err err;
} rig;

static bool rig_open(rig *g, const char *toml)
{
    symbi_plan_options o = { 0 };
    symbi_doc *v = NULL;
    memset(g, 0, sizeof *g);
    if (symbi_ctx_new(NULL, &g->cx, NULL)) abort();
    o.scan_id = symbi_str_z("1-x");
    CHECK_OK(symbi_tool_parse(g->cx, symbi_str_z(toml), symbi_str_z("w"), &g->tool, &g->err), g->err);
    if (!g->tool) return false;
    CHECK_OK(symbi_tool_validate(g->cx, symbi_tool_command_at(g->tool, 0), NULL, &v, &g->err), g->err);
    CHECK_OK(symbi_tool_plan(g->cx, symbi_tool_command_at(g->tool, 0), symbi_doc_root(v), &o, &g->plan, &g->err), g->err);
    symbi_doc_unref(v);
    return g->plan != NULL;
}

static void rig_close(rig *g)
{
    symbi_plan_unref(g->plan);
    symbi_tool_unref(g->tool);
    symbi_ctx_free(g->cx);
}

static symbi_status open_with(rig *g, const char *program, bool no_sandbox, const char *endpoint, symbi_chrome **c)
{
    symbi_chrome_options o;
    symbi_chrome_options_init(&o);
    o.program = symbi_str_z(program);
    o.no_sandbox = no_sandbox;
    o.endpoint = symbi_str_z(endpoint);
    return symbi_chrome_open(g->cx, g->plan, &o, c, &g->err);
}

static void nap(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&t, NULL);
}

/* The status of one command with such a browser; its text goes to out. */
static void command(rig *g, symbi_chrome *c, char *out, size_t cap)
{
    symbi_browser *b = symbi_chrome_machine(c);
    symbi_doc *d = NULL;
    symbi_text t = { 0 };
    CHECK_OK(symbi_browser_begin(b, g->plan, &g->err), g->err);
    for (int i = 0; i < 9000 && !symbi_browser_done(b); i++) {
        CHECK_OK(symbi_chrome_step(c, &g->err), g->err);
        nap(10);
    }
    out[0] = 0;
    CHECK(symbi_browser_done(b));
    if (!symbi_browser_reply(b, &d, &g->err) && !symbi_json_write(g->cx, symbi_doc_root(d), 0, &t, &g->err)) snprintf(out, cap, "%s", t.p);
    symbi_text_free(&t);
    symbi_doc_unref(d);
}

static void test_start(void)
{
    rig g;
    symbi_chrome *c;
    struct stat st;
    char profile[300], text[2000];
    REQUIRE(rig_open(&g, TOOL("startup_timeout_seconds = 60\n")));
    CHECK(open_with(&g, "/nonexistent/chromium", true, "", &c) == SYMBI_EIO && !c && strstr(g.err.msg, "cannot start"));
    if (geteuid() == 0) CHECK(open_with(&g, "/bin/cat", false, "", &c) == SYMBI_EUNSUPPORTED && strstr(g.err.msg, "SYMBI_BROWSER_NO_SANDBOX=1"));
    setenv("PATH", "/nonexistent", 1);
    CHECK(open_with(&g, "", true, "", &c) == SYMBI_EUNSUPPORTED && strstr(g.err.msg, "apt-get install chromium"));
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    /* it ends at once */
    CHECK_OK(open_with(&g, "/bin/true", true, "", &c), g.err);
    REQUIRE(c);
    snprintf(profile, sizeof profile, "%s", symbi_chrome_profile(c));
    command(&g, c, text, sizeof text);
    CHECK(strstr(text, "the browser ended") && symbi_browser_ended(symbi_chrome_machine(c), NULL));
    symbi_chrome_free(c);
    CHECK(profile[0] && stat(profile, &st) != 0);
    rig_close(&g);
    /* it says nothing: its profile is private, and goes with all that is in it */
    REQUIRE(rig_open(&g, TOOL("startup_timeout_seconds = 1\n")));
    {
        char script[] = "/tmp/symbi-io-browser-XXXXXX", inner[400];
        int fd = mkstemp(script);
        static const char body[] = "#!/bin/sh\nmkdir -p \"$HOME/a/b\" && ln -s /etc \"$HOME/a/link\" && echo x >\"$HOME/a/b/f\"\nexec sleep 30\n";
        REQUIRE(fd >= 0 && write(fd, body, sizeof body - 1) == (ssize_t)sizeof body - 1);
        fchmod(fd, 0700);
        close(fd);
        CHECK_OK(open_with(&g, script, true, "", &c), g.err);
        REQUIRE(c);
        snprintf(profile, sizeof profile, "%s", symbi_chrome_profile(c));
        CHECK(stat(profile, &st) == 0 && (st.st_mode & 0777) == 0700);
        snprintf(inner, sizeof inner, "%s/a/b/f", profile);
        for (int i = 0; i < 6000 && stat(inner, &st); i++) nap(10);
        command(&g, c, text, sizeof text);
        CHECK(strstr(text, "\"status\":\"timeout\"") && strstr(text, "did not start"));
        CHECK(stat(inner, &st) == 0);
        symbi_chrome_free(c);
        CHECK(lstat(profile, &st) != 0 && stat("/etc/passwd", &st) == 0);
        unlink(script);
    }
    symbi_chrome_free(NULL);
    rig_close(&g);
}

static void test_live(void)
{
    static const char *const bad[] = { "", "ws://10.0.0.1:9222/devtools/browser/x", "ws://evil.test:9222/x", "wss://127.0.0.1:9222/x", "http://127.0.0.1:9222/x", "ws://127.0.0.1@evil.test:9222/x", "ws://127.0.0.1.evil.test/x",
        "ws://[::2]:9222/x", "ws://2130706433:9222/x", "ws://127.0.0.1:9222/a\r\nX: y" };
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t n = sizeof a;
    symbi_chrome *c;
    char url[100], text[2000];
    int ears, mouth;
    rig g;
    REQUIRE(rig_open(&g, TOOL("startup_timeout_seconds = 60\nconnect = \"live\"\n")));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (open_with(&g, "", false, bad[i], &c) != SYMBI_EDENIED) {
            printf("%s: %s\n", bad[i], g.err.msg);
            t_now_failed = 1;
        }
    /* one that answers, but no WebSocket */
    ears = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(ears >= 0 && !bind(ears, (struct sockaddr *)&a, sizeof a) && !listen(ears, 2) && !getsockname(ears, (struct sockaddr *)&a, &n));
    snprintf(url, sizeof url, "ws://localhost:%u/devtools/browser/x", ntohs(a.sin_port));
    CHECK_OK(open_with(&g, "", false, url, &c), g.err);
    REQUIRE(c);
    mouth = accept(ears, NULL, NULL);
    CHECK(write(mouth, "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n", 87) == 87);
    command(&g, c, text, sizeof text);
    CHECK(strstr(text, "does not answer our key"));
    symbi_chrome_free(c);
    close(mouth);
    /* one that goes away */
    CHECK_OK(open_with(&g, "", false, url, &c), g.err);
    mouth = accept(ears, NULL, NULL);
    close(mouth);
    command(&g, c, text, sizeof text);
    CHECK(strstr(text, "closed its connection"));
    symbi_chrome_free(c);
    close(ears);
    CHECK(open_with(&g, "", false, url, &c) == SYMBI_EIO && strstr(g.err.msg, "--remote-debugging-port"));
    rig_close(&g);
}

int main(void)
{
    RUN(test_start);
    RUN(test_live);
    return test_end();
}
