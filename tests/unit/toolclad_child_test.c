/* Unit tests: child sessions: whose prompt stands there, who may be typed to, what a transcript and an envelope say of it; allocation failures. The
 * programs are in tests/spec/toolclad_child_spec.lua. */
#include "base/str.h"
#include "session_rig.h"
#include "symbi/json.h"

#define MANIFEST(name, ready, more) \
    "[tool]\nname = \"" name "\"\nversion = \"1\"\ndescription = \"d\"\n[session]\nstartup_command = \"x\"\nready_pattern = '" ready "'\n" more \
    "[session.commands.any]\npattern = '^.+$'\ndescription = \"d\"\n[output]\nformat = \"text\"\n[output.schema]\ntype = \"object\"\n"
#define DETECT "[session.child_detection]\npattern = 'session [0-9]+ opened|^\\$ $'\ntype = \"shell\"\n"
static const char parent_text[] = MANIFEST("db", "^db> $", DETECT "manifest = \"c.clad.toml\"\n"), alone_text[] = MANIFEST("db", "^db> $", DETECT),
                  child_text[] = MANIFEST("sh", "^(\\$|root#) $", "[session.states]\nroot = '^root'\n");

typedef struct two {
    rig r;          /* r.p: the parent's command */
    symbi_plan *cp; /* the child's; NULL without a contract */
} two;

static symbi_status make(symbi_ctx *c, bool contract, symbi_tool **t, symbi_err *e)
{
    symbi_tool *child = NULL;
    symbi_status st = contract ? symbi_tool_parse(c, SY_LIT(child_text), SY_LIT("c.clad.toml"), &child, e) : SYMBI_OK;
    if (!st) st = symbi_tool_parse_child(c, symbi_str_z(contract ? parent_text : alone_text), SY_LIT("db.clad.toml"), NULL, child, t, e);
    symbi_tool_unref(child); /* the parent keeps it */
    return st;
}

static bool up(two *x, bool contract)
{
    symbi_err e;
    memset(x, 0, sizeof *x);
    x->r.now = 1000;
    CHECK_OK(make(cx, contract, &x->r.t, &e), e);
    if (!x->r.t) return false;
    CHECK(symbi_tool_command_count(x->r.t) == (contract ? 2u : 1u));
    x->r.p = plan_of(cx, x->r.t, 0, "go");
    if (contract) x->cp = plan_of(cx, x->r.t, 1, "ls");
    if (!x->r.p || (contract && !x->cp)) return false;
    CHECK_OK(symbi_session_new(cx, x->r.p, x->r.now, 5000, &x->r.s, &e), e);
    says(&x->r, "db> ");
    return after(&x->r, 40) == SYMBI_SESSION_READY;
}

static void down(two *x)
{
    symbi_plan_unref(x->cp);
    rig_down(&x->r);
}

static symbi_status try(two *x, const symbi_plan *p, symbi_err *e)
{
    symbi_str typed;
    return symbi_session_begin(x->r.s, p, x->r.now, x->r.now + 4000, &typed, e);
}

static bool in_child(two *x)
{
    symbi_session_info in;
    symbi_session_get_info(x->r.s, &in);
    return in.child.n > 0;
}

static void test_turns(void)
{
    two x;
    symbi_err e;
    symbi_doc *d, *env;
    symbi_session_info in;
    REQUIRE(up(&x, true));
    CHECK(try(&x, x.cp, &e) == SYMBI_EDENIED && strstr(e.msg, "no child session is open"));
    REQUIRE(try(&x, x.r.p, &e) == SYMBI_OK);
    says(&x.r, "go\r\nsession 1 opened\r\n");
    CHECK(after(&x.r, 2000) == SYMBI_SESSION_BUSY && !in_child(&x)); /* no prompt of anybody */
    says(&x.r, "root# ");
    CHECK(after(&x.r, 40) == SYMBI_SESSION_READY && in_child(&x));
    symbi_session_get_info(x.r.s, &in);
    CHECK_STR(in.inferred, "child.root");
    d = answer(&x.r);
    REQUIRE(d != NULL);
    CHECK(field(d, "output", "session 1 opened\n") && field(d, "prompt", "root# ") && !symbi_value_getz(symbi_doc_root(d), "parent_session_id"));
    CHECK_OK(symbi_tool_envelope_of(cx, symbi_tool_command_at(x.r.t, 0), x.r.p, symbi_doc_root(d), &env, &e), e);
    CHECK_STR(symbi_value_str(symbi_value_getz(symbi_value_getz(symbi_doc_root(env), "results"), "child"), "type", SY_LIT("")), "shell");
    symbi_doc_unref(env);
    symbi_doc_unref(d);
    CHECK(try(&x, x.r.p, &e) == SYMBI_EDENIED && strstr(e.msg, "only db.child.*"));
    REQUIRE(try(&x, x.cp, &e) == SYMBI_OK);
    says(&x.r, "ls\r\nfile\r\nsession 2 opened\r\n$ "); /* one level: words of the child open nothing */
    CHECK(after(&x.r, 40) == SYMBI_SESSION_READY && in_child(&x));
    d = answer(&x.r);
    REQUIRE(d != NULL);
    symbi_session_get_info(x.r.s, &in);
    CHECK(symbi_value_str(symbi_doc_root(d), "parent_session_id", SY_LIT("")).n == in.id.n && strstr(symbi_value_str(symbi_doc_root(d), "session_id", SY_LIT("")).p, ".child_1"));
    CHECK_OK(symbi_tool_envelope_of(cx, symbi_tool_command_at(x.r.t, 1), x.cp, symbi_doc_root(d), &env, &e), e);
    CHECK(symbi_value_getz(symbi_doc_root(env), "parent_session_id") != NULL);
    symbi_doc_unref(env);
    symbi_doc_unref(d);
    REQUIRE(try(&x, x.cp, &e) == SYMBI_OK);
    says(&x.r, "bye\r\ndb> ");
    CHECK(after(&x.r, 40) == SYMBI_SESSION_READY && !in_child(&x));
    symbi_doc_unref(answer(&x.r));
    CHECK(try(&x, x.cp, &e) == SYMBI_EDENIED);
    CHECK(try(&x, x.r.p, &e) == SYMBI_OK);
    down(&x);
}

/* The program says unasked that another one listens, or that it is back: the next line is for who listens then. */
static void test_between(void)
{
    two x;
    symbi_err e;
    REQUIRE(up(&x, true));
    REQUIRE(try(&x, x.r.p, &e) == SYMBI_OK);
    says(&x.r, "go\r\ndb> ");
    CHECK(after(&x.r, 40) == SYMBI_SESSION_READY);
    symbi_doc_unref(answer(&x.r));
    says(&x.r, "\r\nsession 7 opened\r\n$ ");
    CHECK(try(&x, x.r.p, &e) == SYMBI_EDENIED && in_child(&x)); /* not even quiet yet */
    CHECK(after(&x.r, 40) == SYMBI_SESSION_READY && in_child(&x));
    says(&x.r, "\r\nconnection lost\r\ndb> ");
    CHECK(after(&x.r, 40) == SYMBI_SESSION_READY && !in_child(&x));
    CHECK(try(&x, x.cp, &e) == SYMBI_EDENIED);
    CHECK(try(&x, x.r.p, &e) == SYMBI_OK);
    down(&x);
}

static void test_words(void)
{
    static const char *const said[] = { "session 1 opened\r\ndb> ", "$ \r\ndb> ", "root# \r\ndb> ", "session 1 opened\r\n$ \r\nroot# \r\ndb> " };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) { /* whatever is printed, the session's own prompt stands there */
        two x;
        symbi_err e;
        REQUIRE(up(&x, i & 1));
        REQUIRE(try(&x, x.r.p, &e) == SYMBI_OK);
        says(&x.r, said[i]);
        CHECK(after(&x.r, 40) == SYMBI_SESSION_READY && after(&x.r, 600) == SYMBI_SESSION_READY && !in_child(&x));
        down(&x);
    }
}

/* What looks like a child's prompt is none while nothing said that a child began; what was said before the command does not count. */
static void test_prompt_alone(void)
{
    two x;
    symbi_err e;
    REQUIRE(up(&x, true));
    REQUIRE(try(&x, x.r.p, &e) == SYMBI_OK);
    says(&x.r, "session 1 opened\r\ndb> "); /* in the background */
    CHECK(after(&x.r, 40) == SYMBI_SESSION_READY && !in_child(&x));
    symbi_doc_unref(answer(&x.r));
    REQUIRE(try(&x, x.r.p, &e) == SYMBI_OK);
    says(&x.r, "go\r\nroot# ");
    CHECK(after(&x.r, 40) == SYMBI_SESSION_BUSY && after(&x.r, 1000) == SYMBI_SESSION_BUSY && !in_child(&x));
    says(&x.r, "\r\nsession 2 opened\r\nroot# ");
    CHECK(after(&x.r, 40) == SYMBI_SESSION_READY && in_child(&x));
    down(&x);
}

static void test_no_contract(void)
{
    two x;
    symbi_err e;
    symbi_session_info in;
    REQUIRE(up(&x, false));
    REQUIRE(try(&x, x.r.p, &e) == SYMBI_OK);
    says(&x.r, "go\r\nsession 1 opened\r\n> ");
    CHECK(after(&x.r, 40) == SYMBI_SESSION_BUSY); /* its prompt is not known: it might still be printing */
    CHECK(symbi_session_due(x.r.s, x.r.now) == 460);
    says(&x.r, "> ");
    CHECK(after(&x.r, 499) == SYMBI_SESSION_BUSY && after(&x.r, 1) == SYMBI_SESSION_READY && in_child(&x));
    symbi_session_get_info(x.r.s, &in);
    CHECK_STR(in.inferred, "child");
    symbi_doc_unref(answer(&x.r));
    CHECK(try(&x, x.r.p, &e) == SYMBI_EDENIED && strstr(e.msg, "no manifest says"));
    says(&x.r, "\r\ndb> "); /* it went away */
    CHECK(after(&x.r, 40) == SYMBI_SESSION_READY && !in_child(&x) && try(&x, x.r.p, &e) == SYMBI_OK);
    down(&x);
    REQUIRE(up(&x, false));
    REQUIRE(try(&x, x.r.p, &e) == SYMBI_OK);
    says(&x.r, "go\r\n$ "); /* the pattern is the prompt */
    CHECK(after(&x.r, 40) == SYMBI_SESSION_READY && in_child(&x));
    down(&x);
}

static symbi_status all_of_it(symbi_ctx *c, void *ud)
{
    kit k = { 0 };
    symbi_str typed;
    symbi_err e;
    symbi_status st = make(c, true, &k.t, &e);
    (void)ud;
    if (!st && !(k.p = plan_of(c, k.t, 0, "go"))) st = SYMBI_ENOMEM;
    if (!st && !(k.cp = plan_of(c, k.t, 1, "ls"))) st = SYMBI_ENOMEM;
    if (!st) st = symbi_session_new(c, k.p, 0, 0, &k.s, &e);
    if (!st) st = symbi_session_feed(k.s, SY_LIT("db> "), 0, 0, &e);
    if (!st) symbi_session_tick(k.s, 40, 0);
    if (!st) st = symbi_session_begin(k.s, k.p, 50, 0, &typed, &e);
    if (!st) st = symbi_session_feed(k.s, SY_LIT("session 1 opened\r\n$ "), 60, 0, &e);
    if (!st) symbi_session_tick(k.s, 100, 0);
    if (!st) st = symbi_session_begin(k.s, k.cp, 110, 0, &typed, &e);
    if (!st) st = symbi_session_feed(k.s, SY_LIT("x\r\n$ "), 120, 0, &e);
    if (!st) symbi_session_tick(k.s, 160, 0);
    if (!st) st = symbi_session_reply(k.s, 160, &k.d, &e);
    if (!st) st = symbi_tool_envelope_of(c, symbi_tool_command_at(k.t, 1), k.cp, symbi_doc_root(k.d), &k.env, &e);
    if (!st) st = symbi_session_transcript(k.s, &k.log, &e);
    kit_free(&k);
    /* A pattern that cannot be tried for want of memory is no match: then the command is refused, or there is no reply. */
    return st == SYMBI_EDENIED || st == SYMBI_ESTATE ? SYMBI_ENOMEM : st;
}

static void test_memory(void) { test_oom(all_of_it, NULL, SYMBI_OK); }

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_turns);
    RUN(test_between);
    RUN(test_words);
    RUN(test_prompt_alone);
    RUN(test_no_contract);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
