/* Unit tests: sessions (spec toolclad.md 13): each command a tool of its own, the text that may be typed, the machine that follows a
 * program's output, its limits, events and transcript; the shared vectors of both files; allocation failures. */
#include "base/str.h"
#include "codec/value.h"
#include "symbi/crypto.h"
#include "symbi/json.h"
#include "symbi/scope.h"
#include "toolclad/session_screen.h"
#include "toolclad/tool.h"
#include "toolclad_vectors.h"
#include "session_rig.h" /* last: the name of its context is one of parameters above */

#define HEAD "[tool]\nname = \"db\"\nversion = \"1\"\ndescription = \"d\"\n"
#define SESSION "[session]\nstartup_command = \"psql -q 'a b'\"\nready_pattern = \"^db=> $\"\n"
#define TAIL "[output]\nformat = \"text\"\n[output.schema]\ntype = \"object\"\n"
#define CMD(name, pattern) "[session.commands." name "]\npattern = '" pattern "'\ndescription = \"" name "\"\n"
#define PLAIN HEAD SESSION CMD("any", "^.+$") CMD("pick", "SELECT [a-z0-9]+") TAIL

static void refused(const char *text, const char *frag, int line)
{
    symbi_err e;
    symbi_tool *t = NULL;
    if (symbi_tool_parse(cx, symbi_str_z(text), SY_LIT("db.clad.toml"), &t, &e) == SYMBI_OK || !strstr(e.msg, frag)) {
        printf("%s:%d: %s\n", __FILE__, line, t ? "accepted" : e.msg);
        t_now_failed = 1;
    }
    symbi_tool_unref(t);
}
#define REFUSED(text, frag) refused(text, frag, __LINE__)

/* ---- commands as tools ---- */

static void test_commands(void)
{
    symbi_tool *t = load("[tool]\nname = \"db\"\nversion = \"1\"\ndescription = \"d\"\nrisk_tier = \"medium\"\nhuman_approval = true\ncapability = \"query\"\n" SESSION
                         CMD("zeta", "^z$") "risk_tier = \"high\"\n" CMD("alpha", "^a$") "[session.commands.alpha.args.n]\ntype = \"integer\"\nposition = 3\n" TAIL),
               *c;
    symbi_tool_info in, own;
    symbi_toolset *s;
    symbi_err e;
    REQUIRE(t && symbi_tool_command_count(t) == 2);
    CHECK(!symbi_tool_command_at(t, 2));
    symbi_tool_get_info(t, &own);
    CHECK_STR(own.manifest, "db");
    symbi_tool_get_info(symbi_tool_command_at(t, 0), &in);
    CHECK_STR(in.name, "db.alpha");
    CHECK_STR(in.manifest, "db");
    CHECK_STR(in.risk_tier, "medium");
    CHECK_STR(in.capability, "query");
    CHECK(in.human_approval && in.arg_count == 2 && in.backend == SYMBI_BACKEND_SESSION);
    CHECK(memcmp(in.sha256, own.sha256, 32) && !memcmp(in.manifest_sha256, own.sha256, 32));
    symbi_tool_get_info(symbi_tool_command_at(t, 1), &own);
    CHECK_STR(own.name, "db.zeta");
    CHECK_STR(own.risk_tier, "high");
    CHECK(memcmp(in.sha256, own.sha256, 32));
    CHECK_OK(symbi_toolset_new(cx, &s, &e), e);
    CHECK_OK(symbi_toolset_add(s, t, &e), e);
    CHECK(symbi_toolset_count(s) == 2 && !symbi_toolset_find(s, SY_LIT("db")));
    CHECK(symbi_toolset_add(s, t, &e) == SYMBI_EEXISTS && symbi_toolset_count(s) == 2);
    c = symbi_toolset_find(s, SY_LIT("db.zeta"));
    REQUIRE(c != NULL);
    symbi_tool_ref(c);
    symbi_tool_unref(t);
    symbi_toolset_unref(s);
    symbi_tool_get_info(c, &in); /* a command alone keeps its manifest */
    CHECK_STR(in.name, "db.zeta");
    symbi_tool_unref(c);
}

static void test_set(void)
{
    static const char *const rival[] = { "db.any", "db" };
    symbi_tool *t = load(PLAIN);
    symbi_err e;
    REQUIRE(t != NULL);
    for (int i = 0; i < 4; i++) { /* either order: neither name is taken twice, and nothing is half added */
        char text[200];
        symbi_toolset *s;
        symbi_tool *o;
        snprintf(text, sizeof text, "[tool]\nname = \"%s\"\nversion = \"1\"\ndescription = \"d\"\ndispatch = \"callback\"\n", rival[i / 2]);
        o = load(text);
        CHECK_OK(symbi_toolset_new(cx, &s, &e), e);
        CHECK_OK(symbi_toolset_add(s, i & 1 ? o : t, &e), e);
        CHECK(symbi_toolset_add(s, i & 1 ? t : o, &e) == SYMBI_EEXISTS);
        CHECK(symbi_toolset_count(s) == (i & 1 ? 1u : 2u));
        symbi_toolset_unref(s);
        symbi_tool_unref(o);
    }
    symbi_tool_unref(t);
    t = load(HEAD SESSION TAIL);
    if (t) {
        symbi_toolset *s;
        CHECK_OK(symbi_toolset_new(cx, &s, &e), e);
        CHECK(symbi_toolset_add(s, t, &e) == SYMBI_ESCHEMA && symbi_toolset_count(s) == 0);
        symbi_toolset_unref(s);
    }
    symbi_tool_unref(t);
}

static void test_load(void)
{
    REFUSED(HEAD SESSION "[session.commands.\"a.b\"]\npattern = \"x\"\ndescription = \"d\"\n" TAIL, "no name for a command");
    REFUSED(HEAD SESSION "[session.commands.\"\"]\npattern = \"x\"\ndescription = \"d\"\n" TAIL, "no name for a command");
    REFUSED(HEAD SESSION CMD("a", "x") "[session.commands.a.args.command]\ntype = \"string\"\n" TAIL, "is taken");
    REFUSED(HEAD SESSION CMD("a", "(") TAIL, "session.commands.a.pattern");
    REFUSED(HEAD "[session]\nstartup_command = \"psql; rm\"\nready_pattern = \"> $\"\n" TAIL, "no shell runs it");
    REFUSED(HEAD "[session]\nstartup_command = \"psql '\"\nready_pattern = \"> $\"\n" TAIL, "startup_command");
    REFUSED(HEAD "[session]\nstartup_command = \"''\"\nready_pattern = \"> $\"\n" TAIL, "names no program");
    REFUSED(HEAD "[session]\nstartup_command = \"psql\"\nready_pattern = \" *$\"\n" TAIL, "empty line");
    REFUSED(HEAD SESSION "max_interactions = 0\n" TAIL, "max_interactions");
    REFUSED(HEAD SESSION "idle_timeout_seconds = 604801\n" TAIL, "idle_timeout_seconds");
    REFUSED(HEAD SESSION "[session.interaction]\ninput_sanitize = [\"x\"]\n" TAIL, "input_sanitize");
    REFUSED(HEAD SESSION "[session.interaction]\noutput_max_bytes = 67108865\n" TAIL, "output_max_bytes");
    REFUSED(HEAD SESSION "[session.states]\nbad = \"(\"\n" TAIL, "session.states.bad");
    REFUSED("[tool]\nname = \"a.b\"\nversion = \"1\"\ndescription = \"d\"\n" SESSION CMD("c", "x") TAIL, "dot separates");
    symbi_tool_unref(load(HEAD SESSION "idle_timeout_seconds = 604800\nmax_interactions = 1000000\n[session.interaction]\noutput_max_bytes = 67108864\n" TAIL));
}

/* ---- what may be typed ---- */

static symbi_status type_with(symbi_tool *c, const char *text, size_t n, const char *also, symbi_err *e)
{
    symbi_member m[2] = { { SY_LIT("command"), { .kind = SYMBI_STRING, .u.s = { text, n } } }, { SY_LIT("x"), { .kind = SYMBI_STRING } } };
    symbi_value args = { .kind = SYMBI_OBJECT };
    symbi_doc *d = NULL;
    symbi_plan *p = NULL;
    symbi_status st;
    if (also) m[1].val.u.s = symbi_str_z(also);
    args.u.o.members = m;
    args.u.o.n = also ? 2 : 1;
    st = symbi_tool_validate(cx, c, &args, &d, e);
    if (!st) st = symbi_tool_plan(cx, c, symbi_doc_root(d), NULL, &p, e);
    symbi_plan_unref(p);
    symbi_doc_unref(d);
    return st;
}
static symbi_status type(symbi_tool *c, const char *text)
{
    symbi_err e;
    return type_with(c, text, strlen(text), NULL, &e);
}

static void test_text(void)
{
    symbi_tool *t = load(HEAD SESSION "[session.interaction]\ninput_sanitize = [\"injection\"]\n" CMD("any", "^.+$") CMD("alt", "a|b") TAIL), *any, *alt;
    symbi_err e;
    char big[4002];
    REQUIRE(t != NULL);
    alt = symbi_tool_command_at(t, 0);
    any = symbi_tool_command_at(t, 1);
    CHECK(type(any, "select 1") == SYMBI_OK);
    CHECK(type(alt, "a") == SYMBI_OK && type(alt, "b") == SYMBI_OK);
    CHECK(type(alt, "ab") == SYMBI_ESCHEMA && type(alt, "a; drop b") == SYMBI_ESCHEMA); /* alternatives are enclosed */
    CHECK(type(any, "select 1; x") == SYMBI_ESCHEMA); /* sanitized */
    CHECK(type(any, "") == SYMBI_ESCHEMA);
    CHECK(type(any, "a\nb") == SYMBI_ESCHEMA && type(any, "a\rb") == SYMBI_ESCHEMA && type(any, "a\tb") == SYMBI_ESCHEMA);
    CHECK(type(any, "a\x03") == SYMBI_ESCHEMA && type(any, "\x1b[A") == SYMBI_ESCHEMA && type(any, "a\x7f") == SYMBI_ESCHEMA);
    CHECK(type(any, "a\xc2\x85z") == SYMBI_ESCHEMA && type(any, "a\xe2\x80\xa8z") == SYMBI_ESCHEMA);
    CHECK(type_with(any, "a\0b", 3, NULL, &e) == SYMBI_ESCHEMA);
    CHECK(type(any, "a\xff") == SYMBI_ESCHEMA);
    CHECK(type(any, "\xc3\xa9t\xc3\xa9") == SYMBI_OK);
    memset(big, 'a', sizeof big);
    CHECK(type_with(any, big, 4000, NULL, &e) == SYMBI_OK);
    CHECK(type_with(any, big, 4001, NULL, &e) == SYMBI_ELIMIT);
    symbi_tool_unref(t);
    t = load(HEAD SESSION CMD("set", "^set RHOSTS .+$") "[session.commands.set.args.x]\ntype = \"string\"\n" TAIL);
    REQUIRE(t != NULL);
    any = symbi_tool_command_at(t, 0);
    CHECK(type_with(any, "set RHOSTS 10.0.0.1", 19, "10.0.0.1", &e) == SYMBI_OK);
    CHECK(type_with(any, "set RHOSTS 10.0.0.1", 19, "10.0.0.2", &e) == SYMBI_EDENIED);
    CHECK(type_with(any, "set RHOSTS 10.0.0.1", 19, "0.0.0", &e) == SYMBI_EDENIED);
    symbi_tool_unref(t);
}

static void test_targets(void)
{
    static const char *const in[] = { "set RHOSTS 10.0.1.5", "set RHOSTS 10.0.1.5,10.0.1.6", "scan 10.0.1.128/25", "open http://a.example.com/x?y=1", "ssh root@a.example.com", "connect a.example.com:443",
        "use exploit/windows/smb", "run -j 4", "ping 10.0.1.5.", "x (10.0.1.7)", "set RHOSTS=10.0.1.5", "route ::ffff:10.0.1.9", "[::ffff:10.0.1.9]:80", "select 42 at 12:30" };
    static const char *const out[] = { "set RHOSTS 10.0.2.5", "set RHOSTS 10.0.1.5,10.0.2.6", "scan 10.0.0.0/8", "scan 10.0.1.5-50", "open http://evil.org/a.example.com", "open http://a.example.com@evil.org/",
        "ssh root@evil.org", "connect evil.org:443", "set RHOSTS=evil.org", "x 2130706433", "x 0000000017700000001", "x 0x7f000001", "x 0x7f.1", "ping localhost", "ping LocalHost", "x ::1", "x [2001:db8::1]:80", "x 10.0.1.1",
        "//evil.org/share", "x *.example.org", "\\\\evil.org\\c", "x'evil.org'", "10.0.1.5@evil.org", "evil\xe3\x80\x82org.example.net" };
    symbi_tool *t = load(HEAD SESSION CMD("any", "^.+$") "extract_target = true\n" CMD("free", "^.+$") TAIL);
    symbi_scope *s = NULL;
    symbi_err e;
    CHECK_OK(symbi_scope_parse(cx, SY_LIT("[scope]\ntargets = [\"10.0.1.0/24\"]\ndomains = [\"*.example.com\"]\nexclude = [\"10.0.1.1\"]\n"), SY_LIT("scope.toml"), &s, &e), e);
    REQUIRE(t && s);
    for (size_t k = 0; k < 2 * (sizeof in / sizeof in[0] + sizeof out / sizeof out[0]); k++) {
        size_t i = k / 2, nin = sizeof in / sizeof in[0];
        const char *text = i < nin ? in[i] : out[i - nin];
        symbi_member m = { SY_LIT("command"), { .kind = SYMBI_STRING, .u.s = symbi_str_z(text) } };
        symbi_value args = { .kind = SYMBI_OBJECT };
        symbi_status st;
        args.u.o.members = &m;
        args.u.o.n = 1;
        st = symbi_tool_check_scope(symbi_tool_command_at(t, k & 1), &args, s, true, &e);
        if ((st == SYMBI_OK) != (i < nin || (k & 1))) printf("  %s: %s\n", text, st ? e.msg : "in scope"), t_now_failed = 1;
    }
    symbi_scope_unref(s);
    symbi_tool_unref(t);
}

/* ---- vectors ---- */

/* Upstream searches; ours is a match of the whole text. Decided by the rule: what upstream sends and we refuse must match somewhere, with
 * a pattern that is not anchored. */
static bool only_unanchored(symbi_tool *c, const symbi_value *args)
{
    const symbi_value *text = symbi_value_getz(args, "command");
    const symbi_str pattern = c ? str(c->command_table, "pattern") : (symbi_str){ NULL, 0 };
    const sy_pattern *p;
    sy_arena a;
    symbi_err e;
    bool hit = false, yes = false;
    counting_alloc ca = { 0 };
    sy_arena_init(&a, (symbi_alloc){ counting_fn, &ca }, 0);
    if (c && text && text->kind == SYMBI_STRING && !sy_pattern_compile(&a, pattern, &p, &e) && !sy_pattern_anchored(p) && !sy_pattern_search(cx, p, text->u.s, &hit, &e)) yes = hit;
    sy_arena_free(&a);
    return yes;
}

static void test_command_vectors(void)
{
    symbi_doc *vd = vectors(cx, "session_command.json");
    const symbi_value *cases;
    symbi_toolset *s;
    symbi_tool *t = NULL;
    symbi_err e;
    int ok = 0, rule = 0;
    if (!vd) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(vd), "cases");
    CHECK_OK(symbi_tool_parse(cx, str(symbi_doc_root(vd), "manifest"), SY_LIT("v"), &t, &e), e);
    REQUIRE(t != NULL);
    CHECK_OK(symbi_toolset_new(cx, &s, &e), e);
    CHECK_OK(symbi_toolset_add(s, t, &e), e);
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *args = symbi_value_getz(c, "args");
        symbi_tool *tool = symbi_toolset_find(s, str(c, "tool"));
        symbi_doc *d = NULL;
        symbi_plan *p = NULL;
        bool send = sy_str_eqz(str(c, "expect"), "send"), sent;
        sent = tool && !symbi_tool_validate(cx, tool, args, &d, &e) && !symbi_tool_plan(cx, tool, symbi_doc_root(d), NULL, &p, &e);
        if (sent) CHECK(sy_str_eq(str(p->detail, "command"), str(args, "command")));
        if (sent == send) ok++;
        else if (send && only_unanchored(tool, args)) rule++;
        else printf("  %.*s: %s\n", (int)str(c, "id").n, str(c, "id").p, sent ? "sent" : e.msg), t_now_failed = 1;
        symbi_plan_unref(p);
        symbi_doc_unref(d);
    }
    printf("session_command.json         %d agree, %d decided by a rule of ours (the whole text must match)\n", ok, rule);
    CHECK(ok > 0);
    symbi_toolset_unref(s);
    symbi_tool_unref(t);
    symbi_doc_unref(vd);
}

static bool has_text(const symbi_value *list, symbi_str s)
{
    for (size_t i = 0; i < list->u.a.n; i++)
        if (sy_str_eq(list->u.a.items[i].u.s, s)) return true;
    return false;
}

/* Name, description, the names and descriptions of the properties, and what is required. Types are ours: upstream calls all of them strings. */
static bool same_definition(const symbi_value *ours, const symbi_value *want)
{
    const symbi_value *in = symbi_value_getz(ours, "inputSchema"), *par = symbi_value_getz(want, "parameters");
    const symbi_value *po = symbi_value_getz(in, "properties"), *pw = symbi_value_getz(par, "properties"), *ro = symbi_value_getz(in, "required"), *rw = symbi_value_getz(par, "required");
    if (!sy_str_eq(str(ours, "name"), str(want, "name")) || !sy_str_eq(str(ours, "description"), str(want, "description"))) return false;
    if (!sy_str_eqz(str(in, "type"), "object") || po->u.o.n != pw->u.o.n || ro->u.a.n != rw->u.a.n) return false;
    for (size_t i = 0; i < pw->u.o.n; i++) {
        const symbi_value *p = symbi_value_get(po, pw->u.o.members[i].key), *w = &pw->u.o.members[i].val, *ew = symbi_value_getz(w, "enum"), *ep = p ? symbi_value_getz(p, "enum") : NULL;
        if (!p || !sy_str_eq(str(p, "description"), str(w, "description"))) return false;
        if (ew && (!ep || !symbi_value_equal(ew, ep))) return false;
    }
    for (size_t i = 0; i < rw->u.a.n; i++)
        if (!has_text(ro, rw->u.a.items[i].u.s)) return false;
    return true;
}

static void test_definition_vectors(void)
{
    symbi_doc *vd = vectors(cx, "session_browser_tooldefs.json");
    const symbi_value *cases;
    int ok = 0;
    if (!vd) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(vd), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i];
        symbi_toolset *s;
        symbi_tool *t = NULL, *one;
        symbi_doc *d = NULL;
        symbi_err e;
        CHECK_OK(symbi_toolset_new(cx, &s, &e), e);
        CHECK_OK(symbi_tool_parse(cx, str(c, "toml"), SY_LIT("v"), &t, &e), e);
        if (t) CHECK_OK(symbi_toolset_add(s, t, &e), e);
        one = symbi_toolset_find(s, str(c, "tool"));
        if (one && !symbi_tool_schema(cx, one, &d, &e) && same_definition(symbi_doc_root(d), symbi_value_getz(c, "definition"))) ok++;
        else printf("  %.*s differs\n", (int)str(c, "id").n, str(c, "id").p), t_now_failed = 1;
        symbi_doc_unref(d);
        symbi_toolset_unref(s);
        symbi_tool_unref(t);
    }
    printf("session_browser_tooldefs.json %d agree\n", ok);
    CHECK(ok > 0);
    symbi_doc_unref(vd);
}

/* ---- the screen ---- */

static void shows(const char *in, size_t n, const char *text, const char *last, int at)
{
    for (size_t step = 1; step <= n; step += n > 1 ? n - 1 : 1) { /* byte by byte, and at once */
        counting_alloc ca = { 0 };
        sy_screen s;
        sy_screen_init(&s, (symbi_alloc){ counting_fn, &ca }, 100);
        for (size_t i = 0; i < n; i += step) CHECK(sy_screen_feed(&s, (symbi_str){ in + i, n - i < step ? n - i : step }) == SYMBI_OK);
        if (s.text.n != strlen(text) || memcmp(s.text.p ? s.text.p : "", text, s.text.n) || s.line.n != strlen(last) || memcmp(s.line.p ? s.line.p : "", last, s.line.n)) {
            printf("%s:%d: \"%.*s\" and \"%.*s\"\n", __FILE__, at, (int)s.text.n, s.text.p ? s.text.p : "", (int)s.line.n, s.line.p ? s.line.p : "");
            t_now_failed = 1;
        }
        sy_screen_free(&s);
        CHECK(ca.live_blocks == 0);
        if (step == n) break;
    }
}
#define SHOWS(in, text, last) shows(in, sizeof in - 1, text, last, __LINE__)

static void test_screen(void)
{
    SHOWS("a\r\nb", "a\n", "b");
    SHOWS("\x1b[31mred\x1b[0m\x1b[?25l> ", "", "red> ");
    SHOWS("\x1b]0;title\x07$ ", "", "$ ");
    SHOWS("\x1b]0;ti\x1b\\$ ", "", "$ ");
    SHOWS("\x1bP1;2q....\x1b\\x\x1b(By\x1b=z", "", "xyz");
    SHOWS("10%\r50%\rdone\r\n", "done\n", "");
    SHOWS("ab\b\bc", "", "c");
    SHOWS("\xc3\xa9\b!", "", "!");
    SHOWS("\b\b\bx", "", "x");
    SHOWS("a\x07\x0e\x0f\x7f" "b", "", "ab");
    SHOWS("\x1b[12\nx", "\n", ""); /* a line end acts inside a sequence, which goes on */
    SHOWS("\x1b[\x18x", "", "x");
    SHOWS("\x1b]never ends\n\n> ", "", "");
    SHOWS("\x1b\x1b[1mb", "", "b");
    SHOWS("tab\there", "", "tab\there");
}

static void test_screen_limits(void)
{
    counting_alloc ca = { 0 };
    sy_screen s;
    char x[SY_SCREEN_LINE + 1];
    memset(x, 'x', sizeof x);
    sy_screen_init(&s, (symbi_alloc){ counting_fn, &ca }, 10);
    CHECK(sy_screen_feed(&s, SY_LIT("123456789\n")) == SYMBI_OK);
    CHECK(s.text.n == 10 && !s.cut);
    CHECK(sy_screen_feed(&s, SY_LIT("1\n$ ")) == SYMBI_OK);
    CHECK(s.text.n == 10 && s.cut && s.line.n == 2);
    CHECK(sy_screen_feed(&s, (symbi_str){ x, SY_SCREEN_LINE - 2 }) == SYMBI_OK);
    CHECK(!s.long_line && s.line.n == SY_SCREEN_LINE);
    CHECK(sy_screen_feed(&s, (symbi_str){ x, 1 }) == SYMBI_OK);
    CHECK(s.long_line && s.line.n == 1);
    for (int i = 0; i < 2000; i++) CHECK(sy_screen_feed(&s, (symbi_str){ x, sizeof x }) == SYMBI_OK);
    CHECK(ca.live_bytes < 64 << 10); /* whatever comes */
    sy_screen_free(&s);
}

/* ---- the machine ---- */

static void test_machine(void)
{
    rig r;
    symbi_doc *d;
    REQUIRE(rig_up(&r, PLAIN));
    CHECK(r.p->argc == 3 && sy_str_eqz(r.p->argv[2], "a b"));
    CHECK(r.p->nenv == 2 && sy_str_eqz(r.p->env[0], "TERM=dumb") && sy_str_eqz(r.p->env[1], "PATH=/bin"));
    CHECK(symbi_session_due(r.s, r.now) == 30); /* silence at the start is looked at once */
    says(&r, "psql (15)\r\nType help\r\n");
    CHECK(after(&r, 100) == SYMBI_SESSION_SPAWNING);
    CHECK(!ask(&r, ""));
    says(&r, "\x1b[1mdb=> ");
    CHECK(after(&r, 29) == SYMBI_SESSION_SPAWNING && symbi_session_due(r.s, r.now) == 1);
    CHECK(after(&r, 1) == SYMBI_SESSION_READY);
    REQUIRE(ask(&r, "SELECT 1\n"));
    CHECK(after(&r, 0) == SYMBI_SESSION_BUSY);
    CHECK(after(&r, 500) == SYMBI_SESSION_BUSY); /* the old prompt does not count */
    says(&r, "SELECT 1\r\n 1\r\ndb=> x\r\n"); /* the echo, the reply, and a line that begins like a prompt */
    CHECK(after(&r, 50) == SYMBI_SESSION_BUSY);
    says(&r, "db=> ");
    CHECK(after(&r, 10) == SYMBI_SESSION_BUSY);
    says(&r, "\r\nmore\r\ndb=> "); /* it looked like the end for 10 ms */
    CHECK(after(&r, 10) == SYMBI_SESSION_BUSY);
    CHECK(after(&r, 20) == SYMBI_SESSION_READY);
    d = answer(&r);
    CHECK(field(d, "output", " 1\ndb=> x\ndb=> \nmore\n") && field(d, "prompt", "db=> ") && field(d, "state", "ready") && field(d, "inferred_state", "ready"));
    symbi_doc_unref(d);
    REQUIRE(ask(&r, "SELECT 1\n"));
    says(&r, "half"); /* no prompt, and it dies */
    symbi_session_ended(r.s, 3, 0, 0, 9000);
    CHECK(after(&r, 0) == SYMBI_SESSION_TERMINATED && symbi_session_due(r.s, r.now) == -1);
    d = answer(&r);
    CHECK(field(d, "output", "half") && field(d, "state", "terminated") && strstr(str(symbi_doc_root(d), "error").p, "exit code 3"));
    symbi_doc_unref(d);
    CHECK(!ask(&r, ""));
    rig_down(&r);
}

static void test_echo(void)
{
    rig r;
    symbi_doc *d;
    REQUIRE(rig_up(&r, PLAIN));
    says(&r, "db=> ");
    (void)after(&r, 30);
    symbi_session_echo(r.s, false); /* then a first line like the command is what the program says */
    REQUIRE(ask(&r, "SELECT 1\n"));
    says(&r, "SELECT 1\r\ndb=> ");
    (void)after(&r, 30);
    d = answer(&r);
    CHECK(field(d, "output", "SELECT 1\n"));
    symbi_doc_unref(d);
    REQUIRE(ask(&r, "SELECT 1\n"));
    says(&r, "S\rdb=> SE\rdb=> SELECT 1\r\n1\r\ndb=> "); /* a line editor that writes the line anew at each key */
    (void)after(&r, 30);
    d = answer(&r);
    CHECK(field(d, "output", "1\n"));
    symbi_doc_unref(d);
    rig_down(&r);
}

static void test_trimmed_prompt(void)
{
    rig r;
    REQUIRE(rig_up(&r, HEAD "[session]\nstartup_command = \"x\"\nready_pattern = \"^>$\"\n" CMD("any", "^.+$") TAIL));
    says(&r, ">   ");
    CHECK(after(&r, 30) == SYMBI_SESSION_READY); /* right-trimmed */
    rig_down(&r);
    REQUIRE(rig_up(&r, PLAIN));
    says(&r, "   db=> ");
    CHECK(after(&r, 40) == SYMBI_SESSION_SPAWNING); /* never on the left */
    rig_down(&r);
}

static void test_limits(void)
{
    static const char limited[] = HEAD SESSION "startup_timeout_seconds = 2\nidle_timeout_seconds = 3\nsession_timeout_seconds = 10\nmax_interactions = 2\n[session.interaction]\noutput_wait_ms = 100\noutput_max_bytes = 8\n" CMD("any", "^.+$") TAIL;
    rig r;
    symbi_doc *d;
    symbi_str typed;
    symbi_err e;
    REQUIRE(rig_up(&r, limited));
    says(&r, "no prompt");
    CHECK(after(&r, 1999) == SYMBI_SESSION_SPAWNING && after(&r, 1) == SYMBI_SESSION_TIMED_OUT);
    d = answer(&r);
    CHECK(field(d, "state", "timed_out") && strstr(str(symbi_doc_root(d), "error").p, "startup_timeout_seconds") && field(d, "output", "no prompt"));
    symbi_doc_unref(d);
    rig_down(&r);
    REQUIRE(rig_up(&r, limited));
    says(&r, "db=> ");
    CHECK(after(&r, 30) == SYMBI_SESSION_READY && after(&r, 2999) == SYMBI_SESSION_READY && after(&r, 1) == SYMBI_SESSION_TIMED_OUT); /* idle */
    rig_down(&r);
    REQUIRE(rig_up(&r, limited));
    says(&r, "db=> ");
    (void)after(&r, 30);
    REQUIRE(ask(&r, "SELECT 1\n"));
    says(&r, "123456\r\n789\r\n");
    CHECK(after(&r, 499) == SYMBI_SESSION_BUSY && after(&r, 1) == SYMBI_SESSION_TIMED_OUT); /* 5 times output_wait_ms */
    d = answer(&r);
    CHECK(field(d, "output", "123456\n7") && symbi_value_getz(symbi_doc_root(d), "truncated")->u.b); /* 8 bytes */
    symbi_doc_unref(d);
    rig_down(&r);
    REQUIRE(rig_up(&r, limited));
    says(&r, "db=> ");
    (void)after(&r, 30);
    for (int i = 0; i < 2; i++) {
        REQUIRE(ask(&r, "SELECT 1\n"));
        says(&r, "\r\ndb=> ");
        CHECK(after(&r, 30) == SYMBI_SESSION_READY);
        symbi_doc_unref(answer(&r));
    }
    CHECK(symbi_session_begin(r.s, r.p, r.now, 0, &typed, &e) == SYMBI_ELIMIT && strstr(e.msg, "exceeded max interactions (2)"));
    CHECK(after(&r, 2900) == SYMBI_SESSION_READY);
    rig_down(&r);
    REQUIRE(rig_up(&r, limited));
    for (int i = 0; i < 5; i++) {
        says(&r, "\r\ndb=> ");
        (void)after(&r, 1900);
        if (i < 2) (void)ask(&r, "SELECT 1\n"), says(&r, "db=> "), (void)after(&r, 100), symbi_doc_unref(answer(&r));
    }
    CHECK(after(&r, 3000) == SYMBI_SESSION_TIMED_OUT);
    rig_down(&r);
}

static void test_events(void)
{
    rig r;
    symbi_doc *d;
    const symbi_value *ev;
    REQUIRE(rig_up(&r, HEAD SESSION "[session.events]\nmax_queue_depth = 2\nttl_seconds = 1\n[session.states]\nloaded = \"^db=> $\"\n" CMD("any", "^.+$") TAIL));
    says(&r, "db=> ");
    (void)after(&r, 30);
    REQUIRE(ask(&r, "SELECT 1\n"));
    says(&r, "db=> ");
    (void)after(&r, 30);
    says(&r, "late\r\n"); /* before anybody fetched the reply: part of it */
    (void)after(&r, 30);
    d = answer(&r);
    CHECK(field(d, "inferred_state", "loaded"));
    symbi_doc_unref(d);
    for (int i = 0; i < 3; i++) {
        char text[40];
        snprintf(text, sizeof text, "\r\nnews %d\r\ndb=> ", i);
        says(&r, text);
        CHECK(after(&r, 100) == SYMBI_SESSION_READY);
    }
    says(&r, "\r\ndb=> "); /* a prompt alone is no news */
    (void)after(&r, 100);
    REQUIRE(ask(&r, "SELECT 1\n"));
    says(&r, "db=> ");
    (void)after(&r, 40);
    d = answer(&r);
    ev = d ? symbi_value_getz(symbi_doc_root(d), "events") : NULL;
    REQUIRE(ev && ev->u.a.n == 2);
    CHECK(strstr(str(&ev->u.a.items[0], "content").p, "news 1") && strstr(str(&ev->u.a.items[1], "content").p, "news 2"));
    CHECK(symbi_value_getz(symbi_doc_root(d), "events_dropped")->u.i == 1);
    CHECK_STR(str(&ev->u.a.items[0], "timestamp"), "1970-01-01T00:00:05.290Z");
    CHECK(symbi_value_getz(&ev->u.a.items[0], "timestamp_ms")->u.i == 5290);
    symbi_doc_unref(d);
    says(&r, "\r\nold\r\n");
    (void)after(&r, 100);
    (void)after(&r, 1000);
    REQUIRE(ask(&r, "SELECT 1\n"));
    says(&r, "db=> ");
    (void)after(&r, 40);
    d = answer(&r);
    CHECK(d && !symbi_value_getz(symbi_doc_root(d), "events")); /* past its time */
    symbi_doc_unref(d);
    rig_down(&r);
    REQUIRE(rig_up(&r, HEAD SESSION "[session.events]\nenabled = false\nevent_types = [\"alert\"]\n" CMD("any", "^.+$") TAIL));
    CHECK(strstr(symbi_tool_warning(r.t, 0).p, "event_types: is not looked at"));
    says(&r, "db=> ");
    (void)after(&r, 30);
    says(&r, "\r\nnews\r\ndb=> ");
    (void)after(&r, 100);
    REQUIRE(ask(&r, "SELECT 1\n"));
    says(&r, "db=> ");
    (void)after(&r, 40);
    d = answer(&r);
    CHECK(d && !symbi_value_getz(symbi_doc_root(d), "events") && !symbi_value_getz(symbi_doc_root(d), "events_dropped") && field(d, "output", ""));
    symbi_doc_unref(d);
    rig_down(&r);
}

static void test_other_session(void)
{
    rig r;
    symbi_tool *other = load(HEAD "[session]\nstartup_command = \"psql -q 'a b'\"\nready_pattern = \"^db=> \"\n" CMD("any", "^.+$") TAIL);
    symbi_plan *p = plan_of(cx, other, 0, "SELECT 1");
    symbi_str typed;
    symbi_err e;
    REQUIRE(p && rig_up(&r, PLAIN));
    says(&r, "db=> ");
    (void)after(&r, 30);
    CHECK(symbi_session_begin(r.s, p, r.now, 0, &typed, &e) == SYMBI_EDENIED);
    symbi_session_note_denied(r.s, SY_LIT("SELECT 1"), symbi_str_z(e.msg), 1);
    CHECK(ask(&r, "SELECT 1\n"));
    rig_down(&r);
    symbi_plan_unref(p);
    symbi_tool_unref(other);
}

/* The chain over the lines of the transcript, computed here. */
static void test_transcript(void)
{
    rig r;
    symbi_text a, b;
    symbi_err e;
    uint8_t h[64] = { 0 }, got[32];
    int lines = 0;
    REQUIRE(rig_up(&r, PLAIN));
    says(&r, "hello \xff\r\ndb=> ");
    (void)after(&r, 30);
    REQUIRE(ask(&r, "SELECT 1\n"));
    CHECK_OK(symbi_session_transcript(r.s, &a, &e), e);
    says(&r, "1\r\ndb=> ");
    (void)after(&r, 30);
    symbi_doc_unref(answer(&r));
    CHECK_OK(symbi_session_transcript(r.s, &b, &e), e);
    symbi_session_transcript_hash(r.s, got);
    for (int part = 0; part < 2; part++) {
        symbi_str s = symbi_text_str(part ? &b : &a);
        while (s.n) {
            size_t n = (size_t)((const char *)memchr(s.p, '\n', s.n) - s.p) + 1;
            char *line = malloc(32 + n);
            symbi_doc *d = NULL;
            memcpy(line, h, 32);
            memcpy(line + 32, s.p, n);
            CHECK_OK(symbi_sha256(cx, (symbi_str){ line, 32 + n }, h, &e), e);
            CHECK_OK(symbi_json_parse(cx, (symbi_str){ s.p, n - 1 }, &d, &e), e);
            if (lines == 2) CHECK(field(d, "direction", "Command") && field(d, "content", "SELECT 1") && field(d, "command_name", "any"));
            if (lines == 3) CHECK(field(d, "direction", "Response") && field(d, "content", "1\n"));
            symbi_doc_unref(d);
            free(line);
            lines++;
            s.p += n;
            s.n -= n;
        }
    }
    CHECK(lines == 4 && !memcmp(h, got, 32));
    symbi_text_free(&a);
    symbi_text_free(&b);
    rig_down(&r);
}

static void test_envelope(void)
{
    rig r;
    symbi_doc *d, *env = NULL;
    symbi_err e;
    const symbi_value *res;
    REQUIRE(rig_up(&r, PLAIN));
    says(&r, "db=> ");
    (void)after(&r, 30);
    REQUIRE(ask(&r, "SELECT 1\n"));
    says(&r, "1\r\ndb=> ");
    (void)after(&r, 30);
    d = answer(&r);
    CHECK_OK(symbi_tool_envelope_of(cx, symbi_tool_command_at(r.t, 0), r.p, symbi_doc_root(d), &env, &e), e);
    REQUIRE(env != NULL);
    CHECK(field(env, "status", "success") && field(env, "tool", "db.any") && field(env, "command", "SELECT 1") && field(env, "stderr", ""));
    CHECK(symbi_value_getz(symbi_doc_root(env), "exit_code")->u.i == 0);
    CHECK(symbi_value_getz(symbi_doc_root(env), "output_bytes")->u.i == 2);
    CHECK(field(env, "output_hash", "sha256:4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865")); /* of "1\n" */
    res = symbi_value_getz(symbi_doc_root(env), "results");
    CHECK(res && sy_str_eqz(str(res, "output"), "1\n") && sy_str_eqz(str(res, "prompt"), "db=> ") && sy_str_eqz(str(res, "session_state"), "ready"));
    symbi_doc_unref(env);
    symbi_doc_unref(d);
    { /* nothing of what an executor gives is believed */
        symbi_value none = { .kind = SYMBI_OBJECT };
        CHECK_OK(symbi_tool_envelope_of(cx, symbi_tool_command_at(r.t, 0), r.p, &none, &env, &e), e);
        CHECK(env && field(env, "status", "error"));
        symbi_doc_unref(env);
    }
    rig_down(&r);
}

/* ---- memory ---- */

static symbi_status all_of_it(symbi_ctx *c, void *ud)
{
    kit k = { 0 };
    symbi_toolset *set = NULL;
    symbi_str typed;
    symbi_err e;
    symbi_status st = symbi_tool_parse(c, symbi_str_z(PLAIN), SY_LIT("x"), &k.t, &e);
    (void)ud;
    if (!st) st = symbi_toolset_new(c, &set, &e);
    if (!st) st = symbi_toolset_add(set, k.t, &e);
    if (!st && !(k.p = plan_of(c, k.t, 0, "SELECT 1"))) st = SYMBI_ENOMEM;
    if (!st) st = symbi_session_new(c, k.p, 0, 0, &k.s, &e);
    if (!st) st = symbi_session_feed(k.s, SY_LIT("hi\r\ndb=> "), 0, 0, &e);
    if (!st) symbi_session_tick(k.s, 40, 0);
    if (!st) st = symbi_session_begin(k.s, k.p, 50, 0, &typed, &e);
    if (!st) st = symbi_session_feed(k.s, SY_LIT("1\r\ndb=> "), 60, 0, &e);
    if (!st) symbi_session_tick(k.s, 100, 0);
    if (!st) st = symbi_session_reply(k.s, 100, &k.d, &e);
    if (!st) st = symbi_session_feed(k.s, SY_LIT("news\r\n"), 110, 0, &e);
    if (!st) symbi_session_tick(k.s, 200, 0);
    if (!st) st = symbi_tool_envelope_of(c, symbi_tool_command_at(k.t, 0), k.p, symbi_doc_root(k.d), &k.env, &e);
    if (!st) st = symbi_session_transcript(k.s, &k.log, &e);
    symbi_toolset_unref(set);
    kit_free(&k);
    return st;
}

static void test_memory(void) { test_oom(all_of_it, NULL, SYMBI_OK); }

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_commands);
    RUN(test_set);
    RUN(test_load);
    RUN(test_text);
    RUN(test_targets);
    RUN(test_command_vectors);
    RUN(test_definition_vectors);
    RUN(test_screen);
    RUN(test_screen_limits);
    RUN(test_machine);
    RUN(test_echo);
    RUN(test_trimmed_prompt);
    RUN(test_limits);
    RUN(test_events);
    RUN(test_other_session);
    RUN(test_transcript);
    RUN(test_envelope);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
