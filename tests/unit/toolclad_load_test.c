/* Unit tests: loading manifests. Every fault of spec toolclad.md 5.1 (column R) with its key and line, every warning of 5.2,
 * custom types, allocation failures. */
#include "base/str.h"
#include "codec/value.h"
#include "symbi/toolclad.h"
#include "test.h"

static symbi_ctx *cx;

#define TOOL "[tool]\nname = \"t\"\nversion = \"1\"\ndescription = \"d\"\n" /* lines 1 to 4 */
#define CALLBACK TOOL "dispatch = \"callback\"\n"                            /* 5 */
#define OUTPUT "[output]\nformat = \"text\"\n[output.schema]\ntype = \"object\"\n"
#define EXEC "[command]\nexec = [\"true\"]\n"

static symbi_tool *load(const char *text, symbi_err *e)
{
    symbi_tool *t = NULL;
    symbi_status st = symbi_tool_parse(cx, symbi_str_z(text), SY_LIT("tools/t.clad.toml"), &t, e);
    if (!st != !!t) abort();
    return t;
}

static void refused(const char *text, unsigned line, const char *frag, int at)
{
    symbi_err e;
    symbi_tool *t = load(text, &e);
    if (t || e.line != line || !strstr(e.msg, frag) || strcmp(e.path, "tools/t.clad.toml") != 0) {
        printf("%s:%d: %s\n", __FILE__, at, t ? "accepted" : "");
        if (!t) printf("  %s:%u: %s\n", e.path, (unsigned)e.line, e.msg);
        t_now_failed = 1;
    }
    symbi_tool_unref(t);
}
#define REFUSED(text, line, frag) refused(text, line, frag, __LINE__)

static void accepted(const char *text, const char *warning, size_t n, int at)
{
    symbi_err e;
    symbi_tool *t = load(text, &e);
    symbi_tool_info in;
    bool found = warning == NULL;
    if (!t) {
        printf("%s:%d: %u: %s\n", __FILE__, at, (unsigned)e.line, e.msg);
        t_now_failed = 1;
        return;
    }
    symbi_tool_get_info(t, &in);
    for (size_t i = 0; i < in.warning_count; i++) {
        symbi_str w = symbi_tool_warning(t, i);
        if (warning && strstr(w.p, warning)) found = true;
    }
    if (!found || in.warning_count != n) {
        printf("%s:%d: %zu warnings\n", __FILE__, at, in.warning_count);
        for (size_t i = 0; i < in.warning_count; i++) printf("  %s\n", symbi_tool_warning(t, i).p);
        t_now_failed = 1;
    }
    CHECK(symbi_tool_warning(t, in.warning_count).n == 0);
    symbi_tool_unref(t);
}
#define ACCEPTED(text) accepted(text, NULL, 0, __LINE__)
#define WARNED(text, frag) accepted(text, frag, 1, __LINE__)

static void test_toml_faults(void)
{
    REFUSED("[tool", 1, "']'");
    REFUSED("[tool]\nname = \"a\"\nname = \"b\"", 3, "twice");
    REFUSED("[tool]\n[tool]\n", 2, "twice");
    REFUSED("[tool]\nname = \"a\xff\"", 2, "UTF-8");
}

static void test_tool_faults(void)
{
    REFUSED("", 0, "the table [tool] is missing");
    REFUSED("tool = 1", 1, "tool: table expected, got integer");
    REFUSED("[tool]\n", 1, "tool.name: is missing");
    REFUSED("[tool]\nname = \"\"", 2, "tool.name: must not be empty");
    REFUSED("[tool]\nname = 1", 2, "tool.name: string expected");
    REFUSED("[tool]\nname = \"a b\"", 2, "letters, digits");
    REFUSED("[tool]\nname = \"../x\"", 2, "letters, digits");
    REFUSED("[tool]\nname = \".x\"", 2, "letters, digits");
    REFUSED("[tool]\nname = \"-x\"", 2, "letters, digits");
    REFUSED("[tool]\nname = \"a\\nb\"", 2, "letters, digits");
    REFUSED(TOOL "dispatch = \"Callback\"\n" EXEC OUTPUT, 5, "invalid dispatch 'Callback', must be one of: exec, callback");
    REFUSED(TOOL "timeout_seconds = \"30\"\n" EXEC OUTPUT, 5, "tool.timeout_seconds: integer expected, got string");
    REFUSED(TOOL "timeout_seconds = -1\n" EXEC OUTPUT, 5, "must not be negative");
    REFUSED(TOOL "timeout_seconds = 9223372036854775807\n" EXEC OUTPUT, 5, "timeout_seconds");
    REFUSED(TOOL "risk_tier = \"meduim\"\n" EXEC OUTPUT, 5, "invalid risk_tier 'meduim', must be one of: info, low, medium, high, critical; did you mean 'medium'?");
    REFUSED(TOOL "risk_tier = \"LOW\"\n" EXEC OUTPUT, 5, "invalid risk_tier");
    REFUSED(TOOL "human_approval = \"yes\"\n" EXEC OUTPUT, 5, "tool.human_approval: boolean expected, got string");
    REFUSED(TOOL "mode = \"pty\"\n" EXEC OUTPUT, 5, "must be one of: oneshot, session, browser");
    REFUSED(TOOL "mode = \"session\"\n" EXEC OUTPUT, 5, "contradicts [command]");
    REFUSED(TOOL "[tool.cedar]\nresource = \"Tool::X\"\n" EXEC OUTPUT, 5, "tool.cedar.action: is missing");
    REFUSED(TOOL "[tool.cedar]\nresource = \"Tool::X) || (\"\naction = \"a\"\n" EXEC OUTPUT, 6, "a Cedar type is expected");
    REFUSED(TOOL "[tool.evidence]\nhash = \"md5\"\n" EXEC OUTPUT, 6, "sha256 is");
    REFUSED(TOOL "[tool.evidence]\noutput_dir = \"x/{scanid}\"\n" EXEC OUTPUT, 6, "unknown placeholder {scanid}");
    REFUSED(TOOL "[tool.evidence]\noutput_dir = \"x/{scan_id\"\n" EXEC OUTPUT, 6, "unknown placeholder");
    REFUSED("[tool]\nname = \"t\"\ndescription = \"a\\u0000b\"\ndispatch = \"callback\"", 3, "U+0000");
}

static void test_backend_faults(void)
{
    REFUSED(TOOL OUTPUT, 1, "manifest must define at least one execution backend");
    REFUSED(TOOL "[command]\ndefaults = {}\n" OUTPUT, 1, "at least one execution backend");
    REFUSED(TOOL EXEC, 0, "manifest is missing [output] block");
    REFUSED(TOOL "[http]\nurl = \"http://h/\"\n", 0, "missing [output]");
    REFUSED(TOOL "[http]\n" OUTPUT, 5, "http.url: is missing");
    REFUSED(TOOL "[http]\nurl = \"http://h/{q}\"\n" OUTPUT, 6, "placeholder {q} has no source");
    REFUSED(TOOL "[http]\nurl = \"http://h/\"\nmethod = \"TRACE\"\n" OUTPUT, 7, "Unsupported HTTP method: TRACE");
    REFUSED(TOOL "[http]\nurl = \"http://h/\"\nsuccess_status = [99]\n" OUTPUT, 7, "HTTP status codes");
    REFUSED(TOOL "[mcp]\nserver = \"s\"\n" OUTPUT, 5, "mcp.tool: is missing");
    REFUSED(TOOL "[mcp]\ntool = \"s\"\n" OUTPUT, 5, "mcp.server: is missing");
    REFUSED(TOOL "[session]\nready_pattern = \"x\"\n" OUTPUT, 5, "session.startup_command: is missing");
    REFUSED(TOOL "[session]\nstartup_command = \"x\"\n" OUTPUT, 5, "session.ready_pattern: is missing");
    REFUSED(TOOL "[session]\nstartup_command = \"x\"\nready_pattern = \"(\"\n" OUTPUT, 7, "does not compile");
    REFUSED(TOOL "[session]\nstartup_command = \"x\"\nready_pattern = \"x\"\n[session.commands.go]\ndescription = \"d\"\n" OUTPUT, 8, "session.commands.go.pattern: is missing");
    REFUSED("[tool]\nname = \"a.b\"\n[session]\nstartup_command = \"x\"\nready_pattern = \"x\"\n" OUTPUT, 2, "a dot separates");
    REFUSED(TOOL EXEC "[output]\nformat = \"yaml\"\n", 8, "unknown format 'yaml'");
    REFUSED(TOOL EXEC "[output]\nformat = \"jsno\"\n", 8, "did you mean 'json'?");
    REFUSED(TOOL EXEC "[output]\nparser = \"builtin:yaml\"\n", 8, "unknown parser 'builtin:yaml'");
}

static void test_command_faults(void)
{
    REFUSED(TOOL "[command]\ntemplate = \"\"\n" OUTPUT, 6, "command.template: must not be empty");
    REFUSED(TOOL "[command]\ntemplate = \"  \"\n" OUTPUT, 6, "must not be empty");
    REFUSED(TOOL "[command]\nexec = []\n" OUTPUT, 6, "the list is empty");
    REFUSED(TOOL "[command]\nexec = [\"\"]\n" OUTPUT, 6, "the program is empty");
    REFUSED(TOOL "[command]\nexec = \"true\"\n" OUTPUT, 6, "list of strings expected");
    REFUSED(TOOL "[command]\nexec = [\"true\", 1]\n" OUTPUT, 6, "command.exec[1]: string expected");
    REFUSED(TOOL "[args.path]\n[command]\nexec = [\"wc\", \"{pth}\"]\n" OUTPUT, 7, "placeholder {pth} has no source, did you mean {path}?");
    REFUSED(TOOL "[command]\ntemplate = \"awk {print}\"\n" OUTPUT, 6, "write {{print}} for the text itself");
    REFUSED(TOOL "[command]\ntemplate = \"echo 'x\"\n" OUTPUT, 6, "a ' is not closed");
    REFUSED(TOOL "[command]\ntemplate = \"echo \\\"x\"\n" OUTPUT, 6, "a \" is not closed");
    REFUSED(TOOL "[command]\ntemplate = 'echo x\\'\n" OUTPUT, 6, "backslash");
    REFUSED(TOOL "[command]\nexec = [\"curl\", \"{_secret:key}\"]\n" OUTPUT, 6, "can be read by everyone");
    REFUSED(TOOL "[command]\nexec = [\"x\", \"{_x_flags}\"]\n[command.mappings.x]\na = \"b\"\n" OUTPUT, 7, "mapping references unknown argument 'x'");
    REFUSED(TOOL "[args.x]\n[command]\nexec = [\"x\", \"{_x_flags}\"]\n[command.mappings.x]\na = 1\n" OUTPUT, 9, "command.mappings.x.a: string expected");
    REFUSED(TOOL "[args.x]\n[command]\nexec = [\"x\"]\n[command.mappings.x]\na = \"'\"\n" OUTPUT, 9, "not closed");
    REFUSED(TOOL "[command]\nexec = [\"x\"]\n[command.conditionals.c]\ntemplate = \"-x\"\n" OUTPUT, 7, "command.conditionals.c.when: is missing");
    REFUSED(TOOL "[command]\nexec = [\"x\"]\n[command.conditionals.c]\nwhen = \"a == 'b'\"\n" OUTPUT, 7, "command.conditionals.c.template: is missing");
    REFUSED(TOOL "[command]\nexec = [\"x\"]\n[command.conditionals.c]\nwhen = \"a = 'b'\"\ntemplate = \"\"\n" OUTPUT, 8, "== or != is expected");
    REFUSED(TOOL "[command]\nexec = [\"x\"]\n[command.conditionals.c]\nwhen = \"os.exit()\"\ntemplate = \"\"\n" OUTPUT, 8, "condition");
    REFUSED(TOOL "[args.a]\n[command]\nexec = [\"x\"]\n[command.conditionals.c]\nwhen = \"a != ''\"\ntemplate = \"{b}\"\n" OUTPUT, 10, "placeholder {b} has no source");
    REFUSED(TOOL "[args.a]\n[command]\nexec = [\"x\"]\n[command.conditionals]\nb = {when = \"a != ''\", template = \"{_c}\"}\nc = {when = \"a != ''\", template = \"x\"}\n" OUTPUT, 9, "{_c} has no source");
    REFUSED(TOOL "[command]\nexec = [\"x\"]\n[command.conditionals.scan_id]\nwhen = \"a != ''\"\ntemplate = \"\"\n" OUTPUT, 7, "the name is taken");
    REFUSED(TOOL "[command]\nexec = [\"x\"]\n[command.defaults]\na = [1]\n" OUTPUT, 8, "command.defaults.a: string, number or boolean expected");
    REFUSED(TOOL "[command]\nexecutor = \"/bin/sh\"\n" OUTPUT, 6, "not absolute");
    REFUSED(TOOL "[command]\nexecutor = \"a/../../b\"\n" OUTPUT, 6, "no '..'");
    REFUSED(TOOL "[command]\nexecutor = \"\"\n" OUTPUT, 6, "must not be empty");
}

static void test_arg_faults(void)
{
    REFUSED(CALLBACK "[args._x]\n", 6, "no name for an argument");
    REFUSED(CALLBACK "[args.\"a-b\"]\n", 6, "no name for an argument");
    REFUSED(CALLBACK "[args]\nx = 1\n", 7, "args.x: table expected");
    REFUSED(CALLBACK "[args.x]\ntype = \"pth\"\n", 7, "args.x.type: unknown type 'pth', did you mean 'path'?");
    REFUSED(CALLBACK "[args.x]\ntype = \"String\"\n", 7, "did you mean 'string'?");
    REFUSED(CALLBACK "[args.x]\ntype = \"\"\n", 7, "unknown type ''");
    REFUSED(CALLBACK "[args.x]\ntype = \"frobnicate\"\n", 7, "unknown type 'frobnicate' for argument 'x'");
    REFUSED(CALLBACK "[args.x]\ntype = \"array\"\n", 7, "for [mcp] tools only");
    REFUSED(CALLBACK "[args.x]\ntype = \"enum\"\n", 6, "argument 'x' is type 'enum' but has no 'allowed' list");
    REFUSED(CALLBACK "[args.x]\ntype = \"enum\"\nallowed = []\n", 8, "the list is empty");
    REFUSED(CALLBACK "[args.x]\ntype = \"enum\"\nallowed = \"a\"\n", 8, "list of strings expected");
    REFUSED(CALLBACK "[args.x]\ntype = \"enum\"\nallowed = [1, 2]\n", 8, "list of strings expected");
    REFUSED(CALLBACK "[args.x]\ntype = \"regex_match\"\n", 6, "type regex_match needs one");
    REFUSED(CALLBACK "[args.x]\npattern = \"(\"\n", 7, "args.x.pattern: the pattern does not compile at character 1");
    REFUSED(CALLBACK "[args.x]\npattern = '(?=a)'\n", 7, "look-around");
    REFUSED(CALLBACK "[args.x]\npattern = '(a)\\1'\n", 7, "back-references");
    REFUSED(CALLBACK "[args.x]\ntype = \"integer\"\nmin = \"a\"\n", 8, "args.x.min: integer expected");
    REFUSED(CALLBACK "[args.x]\ntype = \"integer\"\nmin = 1.5\n", 8, "integer expected");
    REFUSED(CALLBACK "[args.x]\ntype = \"integer\"\nmin = 2\nmax = 1\n", 8, "2 is above max 1");
    REFUSED(CALLBACK "[args.x]\ntype = \"number\"\nmin_float = 2.0\nmax_float = 1.0\n", 6, "lower bound is above");
    REFUSED(CALLBACK "[args.x]\nrequired = 1\n", 7, "args.x.required: boolean expected");
    REFUSED(CALLBACK "[args.x]\nposition = \"1\"\n", 7, "integer expected");
    REFUSED(CALLBACK "[args.x]\ndefault = []\n", 7, "string, number or boolean expected");
}

static void test_good(void)
{
    ACCEPTED(TOOL EXEC OUTPUT);
    ACCEPTED(CALLBACK);
    ACCEPTED("\xef\xbb\xbf" TOOL EXEC OUTPUT);
    ACCEPTED(TOOL "timeout_seconds = 0\nmode = \"oneshot\"\n" EXEC OUTPUT);
    ACCEPTED(TOOL "[http]\nurl = \"https://h/{{x}}\"\nheaders = {A = \"{_secret:k}\"}\n" OUTPUT);
    ACCEPTED(TOOL "[args.a]\ntype = \"array\"\n[mcp]\nserver = \"s\"\ntool = \"t\"\n" OUTPUT);
    ACCEPTED(TOOL "[session]\nstartup_command = \"psql\"\nready_pattern = \"=> $\"\n[session.commands.q]\npattern = \"^SELECT .+$\"\ndescription = \"d\"\n" OUTPUT);
    ACCEPTED(TOOL "[browser]\n[browser.scope]\n[browser.commands.go_back]\ndescription = \"d\"\n" OUTPUT);
    ACCEPTED(TOOL "[command]\nexec = [\"curl\", \"-w\", \"%{{http_code}}\", \"{ x }\", \"{}\"]\n" OUTPUT);
    ACCEPTED(TOOL "[tool.evidence]\noutput_dir = \"{evidence_dir}/{tool}/{scan_id}-{session_id}\"\n" EXEC OUTPUT);
}

static void test_warnings(void)
{
    WARNED("[tool]\nname = \"t\"\ndescription = \"d\"\n" EXEC OUTPUT, "tool.version: is missing");
    WARNED("[tool]\nname = \"t\"\nversion = \"1\"\n" EXEC OUTPUT, "tool.description: is missing");
    WARNED(TOOL EXEC "[output]\n", "output.schema: is missing");
    WARNED(TOOL "risktier = \"low\"\n" EXEC OUTPUT, "line 5: tool.risktier: unknown key, did you mean 'risk_tier'?");
    WARNED(TOOL EXEC OUTPUT "[outputs]\n", "outputs: unknown key, did you mean 'output'?");
    WARNED(CALLBACK "[args.x]\npattern = \"[a-z]+\"\n", "not anchored");
    WARNED(CALLBACK "[args.x]\npattern = \"^[a-z]+\"\n", "not anchored");
    WARNED(CALLBACK "[args.x]\ntype = \"url\"\n", "any scheme is accepted");
    WARNED(CALLBACK "[args.x]\ntype = \"port\"\ndefault = 0\n", "type port refuses it: argument 'x': Port must be 1-65535");
    WARNED(CALLBACK "[args.x]\ntype = \"integer\"\nmin = 3\ndefault = 1\nclamp = true\n", "Value 1 is below minimum 3");
    WARNED(CALLBACK "[args.x]\ntype = \"enum\"\nallowed = [\"a&b\"]\n", "shell metacharacter");
    WARNED(CALLBACK "[args.x]\nallowed = [\"a\"]\n", "type enum only");
    WARNED(TOOL "[http]\nurl = \"http://h/\"\nsuccess_status = [200]\nerror_status = [200]\n" OUTPUT, "stands in success_status too");
    WARNED(TOOL "[args.x]\n[command]\nexec = [\"echo\", \"{x}\"]\n" OUTPUT, "begins with '-' will be refused");
    WARNED(TOOL "[args.x]\nallow_options = true\n[command]\ntemplate = \"echo {x}\"\n" OUTPUT, "split at blanks");
    WARNED(TOOL "[args.x]\n[command]\nexec = [\"{x}\"]\n" OUTPUT, "names the program");
    WARNED(TOOL "[args.x]\n[command]\nexec = [\"sh\", \"-c\", \"echo {x}\"]\n" OUTPUT, "inside the program of a shell");
    WARNED(TOOL "[command]\nexec = [\"a\"]\ntemplate = \"a\"\n" OUTPUT, "more than one of executor, exec and template: exec is used");
    WARNED(TOOL "[http]\nurl = \"http://h/\"\n[mcp]\nserver = \"s\"\ntool = \"t\"\n" OUTPUT, "mcp: is not used");
    WARNED(TOOL "[args.x]\n[command]\nexec = [\"a\"]\n[command.conditionals.c]\nwhen = \"y == 'a'\"\ntemplate = \"b\"\n" OUTPUT, "'y' is no argument");
    WARNED(TOOL EXEC OUTPUT "[args.x]\nsanitize = [\"html\"]\n", "unknown value 'html'");
    ACCEPTED(TOOL "[args.x]\n[command]\nexec = [\"echo\", \"--\", \"{x}\"]\n" OUTPUT);
    ACCEPTED(TOOL "[args.x]\n[command]\nexec = [\"echo\", \"--x={x}\"]\n" OUTPUT);
    ACCEPTED(CALLBACK "[args.x]\npattern = \"^(?:a|b)$\"\n");
}

static void test_info(void)
{
    symbi_err e;
    symbi_tool *t = load("[tool]\nname = \"a.b-c_1\"\nversion = \"2\"\ndescription = \"d\"\nrisk_tier = \"high\"\nhuman_approval = true\n[args.x]\n[args.y]\n" EXEC OUTPUT, &e);
    symbi_tool_info in;
    static const uint8_t zero[32];
    REQUIRE(t);
    symbi_tool_get_info(t, &in);
    CHECK_STR(in.name, "a.b-c_1");
    CHECK_STR(in.version, "2");
    CHECK_STR(in.risk_tier, "high");
    CHECK_STR(in.source, "tools/t.clad.toml");
    CHECK(in.human_approval && in.arg_count == 2 && in.timeout_ms == 60000 && in.backend == SYMBI_BACKEND_SHELL);
    CHECK(memcmp(in.sha256, zero, 32) != 0);
    CHECK(symbi_tool_ref(t) == t);
    symbi_tool_unref(t);
    symbi_tool_unref(t);
    symbi_tool_unref(NULL);
}

static void test_limits(void)
{
    symbi_ctx *c2;
    symbi_tool *t;
    symbi_err e;
    const char *m = CALLBACK;
    if (symbi_ctx_new(NULL, &c2, &e)) abort();
    symbi_ctx_limits(c2)->manifest_bytes = strlen(m);
    CHECK(symbi_tool_parse(c2, symbi_str_z(m), SY_LIT("s"), &t, &e) == SYMBI_OK);
    symbi_tool_unref(t);
    symbi_ctx_limits(c2)->manifest_bytes = strlen(m) - 1;
    CHECK(symbi_tool_parse(c2, symbi_str_z(m), SY_LIT("s"), &t, &e) == SYMBI_ELIMIT && !t && strstr(e.msg, "manifest_bytes"));
    symbi_ctx_free(c2);
}

static void test_many_args(void)
{
    char *text = malloc(64 * 1002), *p = text;
    symbi_err e;
    symbi_tool *t;
    p += sprintf(p, "%s", CALLBACK);
    for (int i = 0; i < 1000; i++) p += sprintf(p, "[args.a%d]\nposition = %d\n", i, 1000 - i);
    t = load(text, &e);
    CHECK(t != NULL);
    symbi_tool_unref(t);
    sprintf(p, "[args.more]\n");
    t = load(text, &e);
    CHECK(!t && strstr(e.msg, "more than 1000"));
    symbi_tool_unref(t);
    free(text);
}

static void test_custom_types(void)
{
    symbi_tooltypes *ty;
    symbi_tool *t;
    symbi_err e;
    symbi_doc *d;
    symbi_member m = { SY_LIT("x"), { 0 } };
    symbi_value args;
    const char *defs = "[types.rate]\nbase = \"integer\"\nmin = 1\nmax = 10\n[types.string]\nbase = \"enum\"\n[types.nobase]\n[types.bad]\nbase = \"intger\"\n[types.chain]\nbase = \"rate\"\n[types.arr]\nbase = \"array\"\n"
                       "[types.web]\nbase = \"url\"\nschemes = [\"https\"]\n";
    CHECK_OK(symbi_tooltypes_parse(cx, symbi_str_z(defs), SY_LIT("toolclad.toml"), &ty, &e), e);
    REQUIRE(ty);
    CHECK(symbi_tooltypes_count(ty) == 2);
    CHECK(strstr(symbi_tooltypes_problem(ty, 0).p, "toolclad.toml:5: types.string: this is the name of a built-in type"));
    CHECK(strstr(symbi_tooltypes_problem(ty, 1).p, "types.nobase: base is missing"));
    CHECK(strstr(symbi_tooltypes_problem(ty, 2).p, "did you mean 'integer'?"));
    CHECK(strstr(symbi_tooltypes_problem(ty, 3).p, "types.chain: base: 'rate' is no built-in type"));
    CHECK(strstr(symbi_tooltypes_problem(ty, 4).p, "types.arr: base: 'array' is no built-in type"));
    CHECK(symbi_tooltypes_problem(ty, 5).n == 0);
    CHECK(symbi_tool_parse_with(cx, SY_LIT(CALLBACK "[args.x]\ntype = \"chain\"\n"), SY_LIT("s"), ty, &t, &e) == SYMBI_ESCHEMA && strstr(e.msg, "unknown type"));
    CHECK(symbi_tool_parse_with(cx, SY_LIT(CALLBACK "[args.x]\ntype = \"rat\"\n"), SY_LIT("s"), ty, &t, &e) == SYMBI_ESCHEMA && strstr(e.msg, "did you mean 'rate'?"));
    /* bounds of the type win over those of the argument; clamp is the argument's */
    CHECK_OK(symbi_tool_parse_with(cx, SY_LIT(CALLBACK "[args.x]\ntype = \"rate\"\nmin = 5\nmax = 100\nclamp = true\n"), SY_LIT("s"), ty, &t, &e), e);
    symbi_tooltypes_unref(ty); /* the tool holds on to it */
    REQUIRE(t);
    m.val = sy_val_int(50);
    args = sy_val_object(&m, 1);
    CHECK_OK(symbi_tool_validate(cx, t, &args, &d, &e), e);
    CHECK(d && symbi_value_getz(symbi_doc_root(d), "x")->u.i == 10);
    symbi_doc_unref(d);
    m.val = sy_val_int(2);
    CHECK_OK(symbi_tool_validate(cx, t, &args, &d, &e), e);
    CHECK(d && symbi_value_getz(symbi_doc_root(d), "x")->u.i == 2);
    symbi_doc_unref(d);
    symbi_tool_unref(t);
}

static symbi_status oom_load(symbi_ctx *c, void *ud)
{
    symbi_tool *t = NULL;
    symbi_tooltypes *ty = NULL;
    symbi_status st = symbi_tooltypes_parse(c, SY_LIT("[types.rate]\nbase = \"integer\"\nmax = 3\n[types.bad]\nbase = \"x\"\n"), SY_LIT("t"), &ty, NULL);
    if (!st) st = symbi_tool_parse_with(c, *(symbi_str *)ud, SY_LIT("s"), ty, &t, NULL);
    symbi_tooltypes_unref(ty);
    symbi_tool_unref(t);
    return st;
}

static void test_load_oom(void)
{
    symbi_str good = SY_LIT(TOOL "unknown = 1\n[tool.cedar]\nresource = \"A::B\"\naction = \"x\"\n[args.x]\ntype = \"rate\"\n[args.y]\npattern = \"^(a|b)+[c-d]{2,3}$\"\ndefault = \"ac\"\n"
                                 "[args.z]\ntype = \"enum\"\nallowed = [\"a\", \"b\"]\n[command]\ntemplate = \"x {x} {_c} {_z_flags} {r}\"\n[command.defaults]\nr = 1\n[command.mappings.z]\na = \"-a\"\n"
                                 "[command.conditionals.c]\nwhen = \"x == '1' or y != 'a'\"\ntemplate = \"-c {x}\"\n" OUTPUT);
    symbi_str bad = SY_LIT(TOOL EXEC OUTPUT "[args.x]\ntype = \"rate\"\n[args.y]\ntype = \"zzz\"\n");
    test_oom(oom_load, &good, SYMBI_OK);
    test_oom(oom_load, &bad, SYMBI_ESCHEMA);
}

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_toml_faults);
    RUN(test_tool_faults);
    RUN(test_backend_faults);
    RUN(test_command_faults);
    RUN(test_arg_faults);
    RUN(test_good);
    RUN(test_warnings);
    RUN(test_info);
    RUN(test_limits);
    RUN(test_many_args);
    RUN(test_custom_types);
    RUN(test_load_oom);
    symbi_ctx_free(cx);
    return test_end();
}
