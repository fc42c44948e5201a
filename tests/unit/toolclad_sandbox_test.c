/* The sandbox keys of a manifest: what loads, what is refused and how, and what of it stands in the plan and its digest. */
#include "base/str.h"
#include "symbi/json.h"
#include "symbi/session.h"
#include "symbi/toolclad.h"
#include "test.h"

#define SESSION "[session]\nstartup_command = \"sqlite3\"\nready_pattern = '^sqlite> $'\n[session.commands.q]\ndescription = \"d\"\npattern = '^SELECT .*$'\n"
#define BROWSER "[browser.scope]\nallowed_domains = [\"localhost\"]\n[browser.commands.snapshot]\ndescription = \"s\"\n"
#define MCP "[mcp]\nserver = \"s\"\ntool = \"x\"\n"

static symbi_ctx *cx;
static symbi_err err;

static symbi_tool *load(const char *keys, const char *rest)
{
    char text[2000];
    symbi_tool *t = NULL;
    snprintf(text, sizeof text, "[tool]\nname = \"t\"\nversion = \"1\"\ndescription = \"d\"\n%s\n%s\n[output]\nformat = \"text\"\n[output.schema]\ntype = \"object\"\n", keys,
             rest ? rest : "[command]\nexec = [\"true\"]");
    if (symbi_tool_parse(cx, symbi_str_z(text), symbi_str_z("t.toml"), &t, &err)) return NULL;
    return t;
}

static symbi_plan *plan(symbi_tool *t, symbi_box box, const char *evidence)
{
    static const symbi_str env[] = { SYMBI_STR_INIT("PATH=/bin"), SYMBI_STR_INIT("TMPDIR=/tmp/user/7"), SYMBI_STR_INIT("TZ=UTC") };
    symbi_plan_options o;
    symbi_plan *p = NULL;
    memset(&o, 0, sizeof o);
    o.box = box;
    o.scan_id = symbi_str_z("1-a");
    o.project_dir = symbi_str_z("/srv/p");
    o.evidence_dir = symbi_str_z(evidence ? evidence : "/ev");
    o.base_env = env;
    o.nbase_env = 3;
    if (symbi_tool_plan(cx, t, NULL, &o, &p, &err) || symbi_plan_seal(cx, p, &err)) return NULL;
    return p;
}

static void test_words(void)
{
    static const struct { const char *word; int box; const char *text; } t[] = {
        { "none", SYMBI_BOX_NONE, NULL }, { "NONE", SYMBI_BOX_NONE, NULL }, { "bwrap", SYMBI_BOX_BWRAP, NULL }, { "Bubblewrap", SYMBI_BOX_BWRAP, NULL },
        { "docker", -1, "no container is started here" }, { "Tier1", -1, "no container" }, { "gvisor", -1, "no gVisor" }, { "tier2", -1, "no" }, { "firecracker", -1, "no virtual machine" },
        { "tier3", -1, "no virtual machine" }, { "e2b", -1, "not sent" }, { "native", -1, "upstream's word for none" }, { "bwarp", -1, "did you mean 'bwrap'?" }, { "", -1, "unknown sandbox ''" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        char keys[100];
        symbi_tool *tool;
        snprintf(keys, sizeof keys, "sandbox = \"%s\"", t[i].word);
        tool = load(keys, NULL);
        if (!tool != (t[i].box < 0) || (!tool && (err.code != SYMBI_ESCHEMA || !strstr(err.msg, t[i].text) || err.line != 5))) printf("%s: %s line %u\n", t[i].word, tool ? "loads" : err.msg, err.line), t_now_failed = 1;
        if (tool) {
            symbi_plan *p = plan(tool, SYMBI_BOX_NONE, NULL);
            CHECK(p && (int)p->box == t[i].box && symbi_tool_warning(tool, 0).n == 0);
            symbi_plan_unref(p);
        }
        symbi_tool_unref(tool);
    }
}

static void test_refused(void)
{
    static const struct { const char *keys, *rest, *text; } t[] = {
        { "sandbox = 1", NULL, "string expected" },
        { "sandbox_network = \"yes\"", NULL, "boolean expected" },
        { "sandbox_write = \"out\"", NULL, "list of strings" },
        { "sandbox_write = [\"a/../b\"]", NULL, "'..' is not allowed" },
        { "sandbox_write = [\"..\"]", NULL, "'..' is not allowed" },
        { "sandbox_write = [\"/\"]", NULL, "the whole root" },
        { "sandbox_write = [\"//\"]", NULL, "the whole root" },
        { "sandbox_write = [\"\"]", NULL, "empty" },
        { "sandbox_write = [\"{evidence_dir}/x\"]", NULL, "only placeholder is {output_dir}" },
        { "sandbox_write = [\"{output_dir}\"]", NULL, "[tool.evidence] capture = true" },
        { "sandbox_hide = [\".\"]", NULL, "cannot be hidden" },
        { "sandbox_hide = [\"{output_dir}\"]", NULL, "cannot be hidden" },
        { "sandbox_hide = [\"/a/..\"]", NULL, "'..'" },
        { "sandbox = \"bwrap\"", "[http]\nmethod = \"GET\"\nurl = \"https://example.com/\"", "which starts none" },
        { "sandbox = \"bwrap\"\ndispatch = \"callback\"", "", "which starts none" },
        { "sandbox_write = [\"{output_dir}\"]\n[tool.evidence]\ncapture = true", SESSION, "{output_dir} is for the program of [command]" },
        { "sandbox = \"bwrap\"", "[browser]\nconnect = \"live\"\nendpoint = \"http://127.0.0.1:9222\"\n" BROWSER, "uses a browser that runs already" },
        { "sandbox = \"bwrap\"", "[browser]\nheadless = false\n" BROWSER, "needs the host's display" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        symbi_tool *tool = load(t[i].keys, t[i].rest);
        if (tool || !strstr(err.msg, t[i].text)) printf("%s: %s\n", t[i].keys, tool ? "loads" : err.msg), t_now_failed = 1;
        symbi_tool_unref(tool);
    }
}

static void test_limits(void)
{
    char keys[2000] = "sandbox_write = [";
    symbi_tool *t;
    for (int i = 0; i < 32; i++) strcat(keys, "\"a\",");
    strcat(keys, "]");
    t = load(keys, NULL);
    CHECK(t);
    symbi_tool_unref(t);
    keys[strlen(keys) - 1] = 0;
    strcat(keys, "\"b\"]");
    t = load(keys, NULL);
    CHECK(!t && strstr(err.msg, "more than 32 paths"));
    symbi_tool_unref(t);
}

static void test_plan(void)
{
    symbi_tool *t = load("sandbox = \"bwrap\"\nsandbox_network = true\nsandbox_write = [\".\", \"{output_dir}\", \"/var/lib/x\"]\nsandbox_hide = [\"/home\"]\n[tool.evidence]\ncapture = true", NULL);
    symbi_plan *p;
    REQUIRE(t);
    p = plan(t, SYMBI_BOX_NONE, NULL);
    REQUIRE(p);
    CHECK(p->box == SYMBI_BOX_BWRAP && p->box_network && p->box_output && p->nbox_write == 2 && p->nbox_hide == 2);
    CHECK_STR(p->box_write[0], ".");
    CHECK_STR(p->box_write[1], "/var/lib/x");
    CHECK_STR(p->box_hide[0], ".symbi");
    CHECK_STR(p->box_hide[1], "/home");
    CHECK_STR(p->env[1], "TMPDIR=/tmp");
    CHECK_STR(p->env[2], "TZ=UTC");
    symbi_plan_unref(p);
    symbi_tool_unref(t);
}

/* The digest binds a permit to the box: any other is another plan. */
static void test_digest(void)
{
    static const char *const keys[] = { "", "sandbox = \"bwrap\"", "sandbox = \"bwrap\"\nsandbox_network = true", "sandbox = \"bwrap\"\nsandbox_write = [\".\"]", "sandbox = \"bwrap\"\nsandbox_hide = [\"/x\"]",
        "sandbox = \"bwrap\"\n[tool.evidence]\ncapture = true", "sandbox = \"bwrap\"\nsandbox_write = [\"{output_dir}\"]\n[tool.evidence]\ncapture = true" };
    enum { N = sizeof keys / sizeof keys[0] };
    uint8_t d[N][32];
    symbi_tool *t;
    symbi_plan *p;
    for (size_t i = 0; i < N; i++) {
        t = load(keys[i], NULL);
        p = t ? plan(t, SYMBI_BOX_NONE, NULL) : NULL;
        REQUIRE(p);
        memcpy(d[i], p->digest, 32);
        for (size_t k = 0; k < i; k++) CHECK(memcmp(d[i], d[k], 32)); /* that evidence is kept, and where, is part of it */
        symbi_plan_unref(p);
        symbi_tool_unref(t);
    }
    t = load("sandbox_network = true", NULL); /* without a box the other keys are nothing */
    p = plan(t, SYMBI_BOX_NONE, NULL);
    CHECK(p && !p->box && !p->nbox_hide && memcmp(p->digest, d[0], 32) == 0);
    symbi_plan_unref(p);
    p = plan(t, SYMBI_BOX_BWRAP, NULL); /* and with the operator's they count */
    CHECK(p && p->box == SYMBI_BOX_BWRAP && p->box_network);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
}

/* A plan of the tool, or of its only command. */
static symbi_plan *plan_of(symbi_tool *t, symbi_box box)
{
    symbi_tool *c = symbi_tool_command_count(t) ? symbi_tool_command_at(t, 0) : t;
    symbi_doc *args = NULL;
    symbi_tool_info ti;
    symbi_plan_options o;
    symbi_plan *p = NULL;
    symbi_tool_get_info(t, &ti);
    memset(&o, 0, sizeof o);
    o.box = box;
    o.scan_id = symbi_str_z("1-a");
    o.project_dir = symbi_str_z("/srv/p");
    if (ti.backend == SYMBI_BACKEND_SESSION && symbi_json_parse(cx, symbi_str_z("{\"command\":\"SELECT 1;\"}"), &args, &err)) return NULL;
    if (symbi_tool_plan(cx, c, args ? symbi_doc_root(args) : NULL, &o, &p, &err) || symbi_plan_seal(cx, p, &err)) p = NULL;
    symbi_doc_unref(args);
    return p;
}

static void test_operator(void)
{
    static const struct { const char *keys, *rest, *refused; bool boxed; } t[] = {
        { "", NULL, NULL, true }, { "sandbox = \"none\"", NULL, NULL, true }, { "", MCP, NULL, true }, { "", SESSION, NULL, true }, { "", "[browser]\n" BROWSER, NULL, true },
        { "", "[http]\nmethod = \"GET\"\nurl = \"https://example.com/\"", NULL, false }, { "dispatch = \"callback\"", "", NULL, false },
        { "", "[browser]\nconnect = \"live\"\nendpoint = \"http://127.0.0.1:9222\"\n" BROWSER, "a browser that runs already", false },
        { "", "[browser]\nheadless = false\n" BROWSER, "the host's display", false },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        symbi_tool *tool = load(t[i].keys, t[i].rest);
        symbi_plan *p = tool ? plan_of(tool, SYMBI_BOX_BWRAP) : NULL;
        if (!tool || (!p && !t[i].refused)) printf("%s %s\n", t[i].rest, err.msg);
        REQUIRE(tool);
        if (t[i].refused) CHECK(!p && err.code == SYMBI_EUNSUPPORTED && strstr(err.msg, "programs must run in bwrap here") && strstr(err.msg, t[i].refused));
        else CHECK(p && p->box == (t[i].boxed ? SYMBI_BOX_BWRAP : SYMBI_BOX_NONE));
        symbi_plan_unref(p);
        symbi_tool_unref(tool);
    }
}

/* What the manifest says of a session, a server or a browser stands in the plan of each of its commands, and in its digest. */
static void test_backends(void)
{
    static const char *const rest[] = { MCP, SESSION, "[browser]\n" BROWSER };
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        symbi_tool *plain = load("", rest[i]), *boxed = load("sandbox = \"bwrap\"\nsandbox_network = true\nsandbox_write = [\"out\"]\nsandbox_hide = [\"/home\"]", rest[i]);
        symbi_tool *less = load("sandbox = \"bwrap\"", rest[i]);
        symbi_plan *p, *q, *r;
        REQUIRE(plain && boxed && less);
        p = plan_of(plain, SYMBI_BOX_NONE);
        q = plan_of(boxed, SYMBI_BOX_NONE);
        r = plan_of(less, SYMBI_BOX_NONE);
        REQUIRE(p && q && r);
        CHECK(!p->box && q->box == SYMBI_BOX_BWRAP && q->box_network && q->nbox_write == 1 && q->nbox_hide == 2 && !r->box_network);
        CHECK_STR(q->box_write[0], "out");
        CHECK_STR(q->box_hide[0], ".symbi");
        CHECK_STR(q->cwd, "/srv/p");
        CHECK(memcmp(p->digest, q->digest, 32) && memcmp(q->digest, r->digest, 32) && memcmp(p->digest, r->digest, 32));
        symbi_plan_unref(p);
        symbi_plan_unref(q);
        symbi_plan_unref(r);
        symbi_tool_unref(plain);
        symbi_tool_unref(boxed);
        symbi_tool_unref(less);
    }
}

/* One session, one box: a plan that asks for another is refused before anything is typed. */
static void test_one_box(void)
{
    symbi_tool *t = load("", SESSION);
    symbi_plan *p, *q;
    symbi_session *s = NULL;
    symbi_str typed;
    REQUIRE(t);
    p = plan_of(t, SYMBI_BOX_NONE);
    q = plan_of(t, SYMBI_BOX_BWRAP);
    REQUIRE(p && q && symbi_session_new(cx, p, 0, 0, &s, &err) == SYMBI_OK);
    CHECK(symbi_session_begin(s, q, 0, 0, &typed, &err) == SYMBI_EDENIED && strstr(err.msg, "another sandbox"));
    CHECK(symbi_session_begin(s, p, 0, 0, &typed, &err) == SYMBI_ESTATE); /* it has no prompt yet */
    symbi_session_free(s);
    symbi_plan_unref(p);
    symbi_plan_unref(q);
    symbi_tool_unref(t);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    static const char text[] = "[tool]\nname = \"t\"\nsandbox = \"bwrap\"\nsandbox_write = [\".\", \"{output_dir}\"]\nsandbox_hide = [\"/home\"]\n[tool.evidence]\ncapture = true\n[command]\nexec = [\"true\"]\n[output]\nformat = \"text\"\n";
    static const symbi_str env[] = { SYMBI_STR_INIT("TMPDIR=/x") };
    symbi_plan_options o;
    symbi_tool *t = NULL;
    symbi_plan *p = NULL;
    symbi_err e;
    symbi_status st = symbi_tool_parse(c, symbi_str_z(text), symbi_str_z("t"), &t, &e);
    (void)ud;
    memset(&o, 0, sizeof o);
    o.base_env = env;
    o.nbase_env = 1;
    if (!st) st = symbi_tool_plan(c, t, NULL, &o, &p, &e);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return st;
}

static void test_out_of_memory(void) { test_oom(scenario, NULL, SYMBI_OK); }

static void test_names(void)
{
    symbi_box b = SYMBI_BOX_BWRAP;
    CHECK(!strcmp(symbi_box_name(SYMBI_BOX_NONE), "none") && !strcmp(symbi_box_name(SYMBI_BOX_BWRAP), "bwrap"));
    CHECK(symbi_box_of(symbi_str_z("None"), &b) && b == SYMBI_BOX_NONE && symbi_box_of(symbi_str_z("BWRAP"), &b) && b == SYMBI_BOX_BWRAP);
    CHECK(!symbi_box_of(symbi_str_z("docker"), &b) && !symbi_box_of(symbi_str_z("bwra"), &b) && !symbi_box_of(symbi_str_z(""), &b) && b == SYMBI_BOX_BWRAP);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_names);
    RUN(test_words);
    RUN(test_refused);
    RUN(test_limits);
    RUN(test_plan);
    RUN(test_digest);
    RUN(test_operator);
    RUN(test_backends);
    RUN(test_one_box);
    RUN(test_out_of_memory);
    symbi_ctx_free(cx);
    return test_end();
}
