/* Unit tests: from arguments to plans and envelopes: substitution, splitting, option injection, environment, digest,
 * envelopes, allocation failures. */
#include "base/str.h"
#include "codec/value.h"
#include "symbi/crypto.h"
#include "symbi/json.h"
#include "symbi/toolclad.h"
#include "test.h"
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static symbi_ctx *cx;

#define HEAD "[tool]\nname = \"t\"\nversion = \"1\"\ndescription = \"d\"\n"
#define OUT "[output]\nformat = \"text\"\n"

static symbi_tool *load(const char *text)
{
    symbi_err e;
    symbi_tool *t = NULL;
    if (symbi_tool_parse(cx, symbi_str_z(text), SY_LIT("t.clad.toml"), &t, &e)) {
        printf("manifest refused: %u: %s\n", (unsigned)e.line, e.msg);
        t_now_failed = 1;
    }
    return t;
}

static symbi_doc *json(const char *text)
{
    symbi_err e;
    symbi_doc *d = NULL;
    if (symbi_json_parse(cx, symbi_str_z(text), &d, &e)) abort();
    return d;
}

/* Two plans that differ in nothing but what chance made. */
static bool same_plan(const symbi_plan *p, const symbi_plan *q, bool same_id)
{
    bool same = p->kind == q->kind && p->argc == q->argc && p->nenv == q->nenv && p->ncheck_files == q->ncheck_files && p->timeout_ms == q->timeout_ms && symbi_value_equal(p->args, q->args);
    for (size_t i = 0; same && same_id && i < p->argc; i++) same = sy_str_eq(p->argv[i], q->argv[i]);
    return same && (!same_id || (sy_str_eq(p->command, q->command) && sy_str_eq(p->output_file, q->output_file) && memcmp(p->digest, q->digest, 32) == 0));
}

/* validate and plan; NULL with *e filled. One step must say the same as two. */
static symbi_plan *plan(const symbi_tool *t, const char *args, const symbi_plan_options *o, symbi_err *e)
{
    symbi_doc *given = json(args), *valid = NULL;
    symbi_plan *p = NULL, *q = NULL;
    symbi_err e2;
    symbi_status st = symbi_tool_validate(cx, t, symbi_doc_root(given), &valid, e), one = symbi_tool_plan_args(cx, t, symbi_doc_root(given), o, &q, &e2);
    symbi_doc_unref(given);
    if (!st) st = symbi_tool_plan(cx, t, symbi_doc_root(valid), o, &p, e);
    symbi_doc_unref(valid);
    if (st && st != e->code) abort();
    CHECK(st == one);
    if (!st && q) { /* planning and sealing are two things */
        static const uint8_t zeros[32];
        CHECK(!p->sealed && !q->sealed && memcmp(p->digest, zeros, 32) == 0);
        CHECK_OK(symbi_plan_seal(cx, p, e), *e);
        CHECK_OK(symbi_plan_seal(cx, q, e), *e);
        CHECK(p->sealed && q->sealed && memcmp(p->digest, zeros, 32) != 0);
    }
    if (st) CHECK(!q && strcmp(e->msg, e2.msg) == 0 && strcmp(e->path, e2.path) == 0);
    else CHECK(q && same_plan(p, q, o && o->scan_id.n));
    symbi_plan_unref(q);
    return p;
}

/* The words in brackets, or "CODE: message". */
static const char *show(const char *manifest, const char *args, const symbi_plan_options *o)
{
    static char out[2000];
    symbi_tool *t = load(manifest);
    symbi_plan *p;
    symbi_err e;
    size_t n = 0;
    out[0] = 0;
    if (!t) return out;
    p = plan(t, args, o, &e);
    if (!p) snprintf(out, sizeof out, "%s: %s", symbi_status_name(e.code), e.msg);
    for (size_t i = 0; p && i < p->argc; i++) {
        CHECK(p->argv[i].p[p->argv[i].n] == 0);
        n += (size_t)snprintf(out + n, sizeof out - n, "[%s]", p->argv[i].p);
    }
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return out;
}

static void shows(const char *manifest, const char *args, const char *want, bool part, int line)
{
    const char *got = show(manifest, args, NULL);
    if (part ? !strstr(got, want) : strcmp(got, want) != 0) {
        printf("%s:%d: got %s, expected %s\n", __FILE__, line, got, want);
        t_now_failed = 1;
    }
}
#define ARGV(manifest, args, want) shows(manifest, args, want, false, __LINE__)
#define DENIED(manifest, args, frag) shows(manifest, args, frag, true, __LINE__)

#define TWO HEAD "[args.a]\n[args.b]\n[args.n]\ntype = \"integer\"\n[args.e]\ntype = \"enum\"\nallowed = [\"-x\", \"y z\"]\n[args.free]\nallow_options = true\n[command]\n"

static void test_exec(void)
{
    ARGV(TWO "exec = [\"p\", \"{a}\", \"{b}\"]\n" OUT, "{\"a\":\"x  y\",\"b\":\"\"}", "[p][x  y][]");
    ARGV(TWO "exec = [\"p\", \"{a}{b}\", \"{a}-{b}\"]\n" OUT, "{\"a\":\"1\",\"b\":\"2\"}", "[p][12][1-2]");
    ARGV(TWO "exec = [\"p\", \"'{a}'\", \"\\\"\", \"\\\\\"]\n" OUT, "{\"a\":\"it's\"}", "[p]['it's'][\"][\\]");
    ARGV(TWO "exec = [\"p\", \"{{a}}\", \"{{zz}}\", \"{ a }\", \"{}\", \"{{a}\"]\n" OUT, "{\"a\":\"v\"}", "[p][{v}][{zz}][{ a }][{}][{v]");
    ARGV(TWO "exec = [\"p\", \"{a}\"]\n" OUT, "{}", "[p][]");
    /* a value is never read as a template */
    ARGV(TWO "exec = [\"p\", \"{e}\"]\n" OUT, "{\"e\":\"y z\"}", "[p][y z]");
    DENIED(TWO "exec = [\"p\", \"{a}\"]\n" OUT, "{\"a\":\"{b}\"}", "ESCHEMA: argument 'a': Injection detected");
}

static void test_template(void)
{
    ARGV(TWO "template = \" p  {a}\\tx '{b} c' \\\"\\\" y\\\\\\\\ z \"\n" OUT, "{\"a\":\"1 2\",\"b\":\"3 4\"}", "[p][1][2][x][3 4 c][][y\\][z]");
    ARGV(TWO "template = 'p \"a\\\"b\" \"a\\xb\" a\\ b'\n" OUT, "{}", "[p][a\"b][a\\xb][a b]");
    ARGV(TWO "template = \"p # {a}\"\n" OUT, "{\"a\":\"$HOME\"}", "ESCHEMA: argument 'a': Injection detected: value contains forbidden character '$'");
    ARGV(TWO "template = \"p # {a} | > *\"\n" OUT, "{\"a\":\"x\"}", "[p][#][x][|][>][*]");
    DENIED(TWO "template = \"p {a}\"\n" OUT, "{\"a\":\"it's\"}", "ESCHEMA: argument 'a': a quote or backslash");
    DENIED(TWO "template = \"p {a}\"\n" OUT, "{\"a\":\"a\\\\b\"}", "a quote or backslash");
    DENIED(TWO "template = \"p '{a}'\"\n" OUT, "{\"a\":\"a\\\"b\"}", "a quote or backslash");
    ARGV(TWO "template = \"p {a} {b}\"\n" OUT, "{\"a\":\"\",\"b\":\" \"}", "[p]");
    DENIED(TWO "template = \"{free}\"\n" OUT, "{\"free\":\" \"}", "ESCHEMA: the template produced an empty command");
    DENIED(TWO "exec = [\"{free}\"]\n" OUT, "{\"free\":\"\"}", "ESCHEMA: exec array produced empty argv");
}

/* symbi/toolclad.h: a '-' out of a value does not begin a word. */
static void test_option_injection(void)
{
    symbi_plan_options o = { 0 };
    DENIED(TWO "exec = [\"p\", \"{a}\"]\n" OUT, "{\"a\":\"-rf\"}", "EDENIED: argument 'a': its value begins with '-'");
    DENIED(TWO "exec = [\"p\", \"{a}\"]\n" OUT, "{\"a\":\"-\"}", "EDENIED");
    DENIED(TWO "exec = [\"p\", \"{b}{a}\"]\n" OUT, "{\"a\":\"-rf\"}", "EDENIED: argument 'a'");
    DENIED(TWO "template = \"p {a}\"\n" OUT, "{\"a\":\"x --y\"}", "EDENIED: argument 'a'");
    DENIED(TWO "template = \"p '{a}'\"\n" OUT, "{\"a\":\"-y\"}", "EDENIED: argument 'a'");
    DENIED(TWO "template = \"p {a}\\\"\\\"\"\n" OUT, "{\"a\":\"-y\"}", "EDENIED: argument 'a'");
    DENIED(TWO "exec = [\"p\", \"{_c}\"]\nconditionals.c = {when = \"a != ''\", template = \"{a}\"}\n" OUT, "{\"a\":\"-y\"}", "EDENIED: argument 'a'");
    DENIED(TWO "exec = [\"p\", \"{a}\", \"{b}\"]\n" OUT, "{\"a\":\"--\",\"b\":\"-rf\"}", "EDENIED: argument 'a'"); /* a "--" of the value is none */
    DENIED(TWO "exec = [\"p\", \"{free}\", \"{a}\"]\n" OUT, "{\"free\":\"--\",\"a\":\"-rf\"}", "EDENIED: argument 'a'"); /* nor is one of an argument that may give options */
    DENIED(TWO "exec = [\"p\", \"-{free}\", \"{a}\"]\n" OUT, "{\"free\":\"-\",\"a\":\"-rf\"}", "EDENIED: argument 'a'");
    ARGV(TWO "exec = [\"p\", \"--\", \"{a}\"]\n" OUT, "{\"a\":\"-rf\"}", "[p][--][-rf]");
    ARGV(TWO "template = \"p -- {a}\"\n" OUT, "{\"a\":\"-rf x\"}", "[p][--][-rf][x]");
    ARGV(TWO "exec = [\"p\", \"--o={a}\", \"x{a}\"]\n" OUT, "{\"a\":\"-rf\"}", "[p][--o=-rf][x-rf]");
    ARGV(TWO "exec = [\"p\", \"{free}\"]\n" OUT, "{\"free\":\"-rf\"}", "[p][-rf]");
    ARGV(TWO "exec = [\"p\", \"{n}\", \"{e}\"]\n" OUT, "{\"n\":-3,\"e\":\"-x\"}", "[p][-3][-x]");
    ARGV(HEAD "[args.a]\ndefault = \"-d\"\n[command]\nexec = [\"p\", \"{a}\"]\n" OUT, "{}", "[p][-d]");
    DENIED(HEAD "[args.a]\ndefault = \"-d\"\n[command]\nexec = [\"p\", \"{a}\"]\n" OUT, "{\"a\":\"-e\"}", "EDENIED");
    DENIED(TWO "exec = [\"{a}\"]\n" OUT, "{\"a\":\"rm\"}", "EDENIED: argument 'a': its value would name the program");
    DENIED(TWO "template = \"{a} x\"\n" OUT, "{\"a\":\"rm\"}", "would name the program");
    ARGV(TWO "exec = [\"{e}\"]\n" OUT, "{\"e\":\"y z\"}", "[y z]");
    o.allow_options = true;
    CHECK(strcmp(show(TWO "exec = [\"p\", \"{a}\"]\n" OUT, "{\"a\":\"-rf\"}", &o), "[p][-rf]") == 0);
}

#define MAPPED HEAD "[args.scan_type]\ntype = \"enum\"\nallowed = [\"ping\", \"none\"]\ndefault = \"none\"\n[args.x]\n[args.y]\n[command]\n"
#define MAPPING "[command.mappings.scan_type]\nping = \"-sn '-P E'\"\n"
static void test_mappings(void)
{
    ARGV(MAPPED "exec = [\"p\", \"{_scan_type_flags}\", \"a{_scan_flags}\"]\n" MAPPING OUT, "{\"scan_type\":\"ping\"}", "[p][-sn][-P E][a-sn '-P E']");
    ARGV(MAPPED "exec = [\"p\", \"{_scan_type_flags}\", \"{_scan_flags}\"]\n" MAPPING OUT, "{}", "[p]");
    ARGV(MAPPED "template = \"p {_scan_flags} z\"\n" MAPPING OUT, "{\"scan_type\":\"ping\"}", "[p][-sn][-P E][z]");
    /* the values of a fragment are words of their own in exec, and are split in a template */
    ARGV(MAPPED "exec = [\"p\", \"{_c}\"]\nconditionals.c = {when = \"x != ''\", template = \"-x {x} 'a {y}'\"}\n" OUT, "{\"x\":\"1 2\",\"y\":\"it's\"}", "[p][-x][1 2][a it's]");
    ARGV(MAPPED "template = \"p {_c}\"\nconditionals.c = {when = \"x != ''\", template = \"-x {x} 'a {y}'\"}\n" OUT, "{\"x\":\"1 2\",\"y\":\"3 4\"}", "[p][-x][1][2][a 3 4]");
    ARGV(MAPPED "exec = [\"p\", \"{_c}\", \"{_d}\"]\nconditionals.c = {when = \"x == 'a' or x == 'b' and y == 'c'\", template = \"C\"}\nconditionals.d = {when = \"y != ''\", template = \"{_c} {_evidence_dir}\"}\n" OUT,
        "{\"x\":\"a\",\"y\":\"z\"}", "[p][C][C][/tmp/toolclad-evidence]");
    ARGV(MAPPED "exec = [\"p\", \"{r}\", \"{x}\"]\ndefaults = {r = 1.50, x = \"default\"}\n" OUT, "{}", "[p][1.5][]"); /* an argument goes before a default of its name */
}

static void test_names(void)
{
    symbi_plan_options o = { 0 };
    symbi_tool *t = load(HEAD "[tool.evidence]\noutput_dir = \"{evidence_dir}/{tool}-{scan_id}\"\n[command]\nexec = [\"p\", \"{_scan_id}\", \"{_evidence_dir}\", \"{_output_file}\"]\n[output]\nformat = \"json\"\n");
    symbi_plan *p;
    symbi_err e;
    REQUIRE(t);
    o.scan_id = SY_LIT("77-ab");
    o.evidence_dir = SY_LIT("/ev");
    p = plan(t, "{}", &o, &e);
    REQUIRE(p);
    CHECK_STR(p->argv[1], "77-ab");
    CHECK_STR(p->argv[2], "/ev");
    CHECK_STR(p->argv[3], "/ev/t-77-ab/scan.json");
    CHECK_STR(p->output_file, "/ev/t-77-ab/scan.json");
    CHECK_STR(p->command, "p 77-ab /ev /ev/t-77-ab/scan.json");
    CHECK(p->capture);
    symbi_plan_unref(p);
    p = plan(t, "{}", NULL, &e);
    REQUIRE(p);
    CHECK(p->scan_id.n > 9 && p->scan_id.p[p->scan_id.n - 9] == '-' && strspn(p->scan_id.p + p->scan_id.n - 8, "0123456789abcdef") == 8);
    symbi_plan_unref(p);
    o.scan_id = SY_LIT("../../etc");
    CHECK(!plan(t, "{}", &o, &e) && e.code == SYMBI_EINVAL);
    o.scan_id = SY_LIT("-x");
    CHECK(!plan(t, "{}", &o, &e) && e.code == SYMBI_EINVAL);
    symbi_tool_unref(t);
}

static bool has_env(const symbi_plan *p, const char *z)
{
    for (size_t i = 0; i < p->nenv; i++)
        if (sy_str_eqz(p->env[i], z)) return true;
    return false;
}

static void test_environment(void)
{
    static const symbi_str base[] = { SYMBI_STR_INIT("TOOLCLAD_SECRET_KEY=s"), SYMBI_STR_INIT("AWS_KEY=1"), SYMBI_STR_INIT("HOME=/h"), SYMBI_STR_INIT("LC_TIME=C"), SYMBI_STR_INIT("LANG=C"),
        SYMBI_STR_INIT("TZ=UTC"), SYMBI_STR_INIT("TMPDIR=/t"), SYMBI_STR_INIT("PATH=/a"), SYMBI_STR_INIT("PATH=/evil"), SYMBI_STR_INIT("LD_PRELOAD=x"), SYMBI_STR_INIT("nonsense"),
        SYMBI_STR_INIT("PATHS=1"), SYMBI_STR_INIT("TOOLCLAD_ARG_X=evil"), SYMBI_STR_INIT("HOME=\xff") };
    symbi_plan_options o = { 0 };
    symbi_tool *t = load(HEAD "[command]\nexec = [\"p\"]\n" OUT);
    symbi_plan *p;
    symbi_err e;
    REQUIRE(t);
    o.base_env = base;
    o.nbase_env = sizeof base / sizeof base[0];
    o.project_dir = SY_LIT("/proj");
    p = plan(t, "{}", &o, &e);
    REQUIRE(p);
    CHECK(p->nenv == 6 && has_env(p, "HOME=/h") && has_env(p, "LC_TIME=C") && has_env(p, "LANG=C") && has_env(p, "TZ=UTC") && has_env(p, "TMPDIR=/t") && has_env(p, "PATH=/a"));
    CHECK_STR(p->cwd, "/proj");
    CHECK(p->stdout_max == symbi_ctx_limits(cx)->tool_output && p->timeout_ms == 60000 && !p->capture);
    symbi_plan_unref(p);
    p = plan(t, "{}", NULL, &e);
    REQUIRE(p);
    CHECK(p->nenv == 1 && has_env(p, "PATH=/usr/local/bin:/usr/bin:/bin"));
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    t = load(HEAD "timeout_seconds = 0\n[args.x]\n[args.long_name]\ntype = \"port\"\ndefault = 80\n[args.absent]\n[command]\nexecutor = \"run.sh\"\n" OUT);
    REQUIRE(t);
    o.scan_id = SY_LIT("1");
    o.evidence_dir = SY_LIT("/e");
    o.host_timeout_ms = 1234;
    p = plan(t, "{\"x\":\"a b\"}", &o, &e);
    REQUIRE(p);
    CHECK(p->argc == 1 && sy_str_eqz(p->argv[0], "./run.sh") && p->timeout_ms == 1234);
    CHECK_STR(p->command, "run.sh (custom executor)");
    CHECK(has_env(p, "TOOLCLAD_ARG_X=a b") && has_env(p, "TOOLCLAD_ARG_LONG_NAME=80") && has_env(p, "TOOLCLAD_SCAN_ID=1") && has_env(p, "TOOLCLAD_TOOL_NAME=t") &&
          has_env(p, "TOOLCLAD_EVIDENCE_DIR=/e") && has_env(p, "TOOLCLAD_OUTPUT_DIR=/e/1-t"));
    CHECK(p->nenv == 12);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
}

static symbi_status plan_raw(const symbi_tool *t, const char *args, symbi_err *e)
{
    symbi_doc *d = json(args);
    symbi_plan *p;
    symbi_status st = symbi_tool_plan(cx, t, symbi_doc_root(d), NULL, &p, e);
    symbi_plan_unref(p);
    symbi_doc_unref(d);
    return st;
}

/* What did not come out of symbi_tool_validate does not get into a plan. */
static void test_not_validated(void)
{
    symbi_tool *t = load(HEAD "[args.x]\nrequired = true\ntype = \"path\"\n[args.n]\ntype = \"integer\"\nmax = 5\ndefault = 9\n[command]\nexec = [\"p\", \"--\", \"{x}\", \"{n}\"]\n" OUT);
    symbi_err e;
    REQUIRE(t);
    CHECK(plan_raw(t, "{\"x\":\"a\",\"n\":9}", &e) == SYMBI_OK); /* a default is not bounded (spec 6.1) */
    CHECK(plan_raw(t, "{\"x\":\"a\",\"n\":8}", &e) == SYMBI_ESCHEMA);
    CHECK(plan_raw(t, "{\"x\":\"a\"}", &e) == SYMBI_ESCHEMA);
    CHECK(plan_raw(t, "{\"n\":1}", &e) == SYMBI_ESCHEMA);
    CHECK(plan_raw(t, "{\"x\":\"../a\",\"n\":1}", &e) == SYMBI_ESCHEMA);
    CHECK(plan_raw(t, "{\"x\":\"a\",\"n\":\"1\"}", &e) == SYMBI_ESCHEMA);
    CHECK(plan_raw(t, "{\"x\":\"a\",\"n\":1,\"z\":1}", &e) == SYMBI_ESCHEMA);
    CHECK(plan_raw(t, "[]", &e) == SYMBI_EINVAL);
    symbi_tool_unref(t);
}

static void test_backends(void)
{
    symbi_tool *t = load(HEAD "dispatch = \"callback\"\n[args.x]\n");
    symbi_plan *p;
    symbi_err e;
    REQUIRE(t);
    p = plan(t, "{\"x\":\"v\"}", NULL, &e);
    REQUIRE(p);
    CHECK(p->kind == SYMBI_BACKEND_CALLBACK && p->argc == 0 && sy_str_eqz(symbi_value_getz(p->args, "x")->u.s, "v"));
    CHECK(symbi_plan_ref(p) == p);
    symbi_plan_unref(p);
    symbi_plan_unref(p);
    symbi_plan_unref(NULL);
    symbi_tool_unref(t);
    t = load(HEAD "[http]\nurl = \"http://h/\"\n" OUT);
    REQUIRE(t);
    p = plan(t, "{}", NULL, &e);
    REQUIRE(p);
    CHECK(p->kind == SYMBI_BACKEND_HTTP && p->argc == 0 && p->detail && sy_str_eqz(p->command, "GET http://h/"));
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    t = load(HEAD "[args.f]\ntype = \"credential_file\"\n[command]\nexec = [\"p\", \"--\", \"{f}\"]\n" OUT);
    REQUIRE(t);
    CHECK(!plan(t, "{\"f\":\"a/b\"}", NULL, &e) && e.code == SYMBI_EUNSUPPORTED);
    p = plan(t, "{\"f\":\"a/b\"}", &(symbi_plan_options){ .checks_files = true }, &e);
    REQUIRE(p);
    CHECK(p->ncheck_files == 1 && sy_str_eqz(p->check_files[0], "a/b"));
    symbi_plan_unref(p);
    symbi_tool_unref(t);
}

static void test_digest(void)
{
    symbi_plan_options o = { 0 };
    symbi_tool *t = load(HEAD "timeout_seconds = 7\n[args.x]\n[command]\nexec = [\"p\", \"{x}\"]\n" OUT);
    symbi_plan *p, *q;
    symbi_err e;
    uint8_t want[32];
    char text[300];
    REQUIRE(t);
    o.scan_id = SY_LIT("1-a");
    o.project_dir = SY_LIT("/d");
    p = plan(t, "{\"x\":\"v\\u00e9\"}", &o, &e);
    REQUIRE(p);
    snprintf(text, sizeof text,
        "{\"args\":{\"x\":\"v\xc3\xa9\"},\"argv\":[\"p\",\"v\xc3\xa9\"],\"cwd\":\"/d\",\"env\":[\"PATH=/usr/local/bin:/usr/bin:/bin\"],\"kind\":\"shell\",\"scan_id\":\"1-a\","
        "\"stderr_max\":%zu,\"stdout_max\":%zu,\"timeout_ms\":7000,\"tool\":\"t\"}",
        p->stderr_max, p->stdout_max);
    CHECK(symbi_sha256(cx, symbi_str_z(text), want, &e) == SYMBI_OK && memcmp(want, p->digest, 32) == 0);
    CHECK(symbi_plan_digest(cx, p, SY_LIT("{\"x\":\"v\xc3\xa9\"}"), want, &e) == SYMBI_OK && memcmp(want, p->digest, 32) == 0);
    CHECK(symbi_plan_digest(cx, p, SY_LIT("{\"x\":\"w\"}"), want, &e) == SYMBI_OK && memcmp(want, p->digest, 32) != 0);
    q = plan(t, "{\"x\":\"v\\u00e9\"}", &o, &e);
    REQUIRE(q);
    CHECK(memcmp(q->digest, p->digest, 32) == 0);
    symbi_plan_unref(q);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
}

static symbi_plan *unsealed(const symbi_tool *t, const char *args)
{
    symbi_doc *d = json(args);
    symbi_plan *p = NULL;
    symbi_err e;
    CHECK_OK(symbi_tool_plan_args(cx, t, symbi_doc_root(d), NULL, &p, &e), e);
    symbi_doc_unref(d);
    return p;
}

static symbi_str evidence_digest(const symbi_doc *d) { return symbi_value_str(symbi_doc_root(d), "plan_digest", SY_LIT("")); }

/* A plan is sealed by whoever has it alone, once; what was sealed cannot be another one when somebody relies on it. */
static void test_seal(void)
{
    symbi_tool *t = load(HEAD "[args.x]\n[command]\nexec = [\"p\", \"{x}\"]\n" OUT);
    symbi_plan *p, copy;
    symbi_doc *env, *d = NULL;
    symbi_str word, args = SY_LIT("{\"x\":\"v\"}");
    uint8_t want[32], first[32];
    symbi_err e;
    REQUIRE(t);
    env = json("{}");
    p = unsealed(t, "{\"x\":\"v\"}");
    REQUIRE(p);
    CHECK(symbi_tool_evidence(cx, t, p, symbi_doc_root(env), NULL, NULL, &d, &e) == SYMBI_ESTATE && !d && strstr(e.msg, "not sealed"));
    (void)symbi_plan_ref(p);
    CHECK(symbi_plan_seal(cx, p, &e) == SYMBI_ESTATE && !p->sealed && strstr(e.msg, "somebody else has the plan"));
    symbi_plan_unref(p);
    CHECK_OK(symbi_plan_seal(cx, p, &e), e);
    CHECK(symbi_plan_digest(cx, p, args, want, &e) == SYMBI_OK && memcmp(want, p->digest, 32) == 0);
    memcpy(first, p->digest, 32);
    (void)symbi_plan_ref(p);
    CHECK_OK(symbi_plan_seal(cx, p, &e), e); /* checks, writes nothing: others may have it by now */
    symbi_plan_unref(p);
    CHECK_OK(symbi_tool_evidence(cx, t, p, symbi_doc_root(env), NULL, NULL, &d, &e), e);
    CHECK(evidence_digest(d).n == 64);
    symbi_doc_unref(d);
    word = p->argv[1]; /* a word, the limits, the folder: whatever is not what was sealed */
    ((symbi_str *)(uintptr_t)p->argv)[1] = SY_LIT("w");
    CHECK(symbi_plan_seal(cx, p, &e) == SYMBI_ESTATE && strstr(e.msg, "not what was sealed") && memcmp(first, p->digest, 32) == 0);
    CHECK(symbi_tool_evidence(cx, t, p, symbi_doc_root(env), NULL, NULL, &d, &e) == SYMBI_ESTATE && !d);
    ((symbi_str *)(uintptr_t)p->argv)[1] = word;
    CHECK_OK(symbi_plan_seal(cx, p, &e), e);
    p->timeout_ms++;
    CHECK(symbi_plan_seal(cx, p, &e) == SYMBI_ESTATE);
    p->timeout_ms--;
    p->cwd = SY_LIT("/");
    CHECK(symbi_plan_seal(cx, p, &e) == SYMBI_ESTATE);
    copy = *p; /* no plan of ours */
    copy.sealed = false;
    CHECK(symbi_plan_seal(cx, &copy, &e) == SYMBI_EINVAL && !copy.sealed);
    symbi_plan_unref(p);
    symbi_doc_unref(env);
    symbi_tool_unref(t);
}

/* What failed is as it was: no half of a seal. */
static symbi_status seal_oom(symbi_ctx *c, void *ud)
{
    symbi_plan *p = NULL;
    symbi_status st = symbi_tool_plan(c, ud, NULL, NULL, &p, NULL);
    static const uint8_t zeros[32];
    if (!st && (st = symbi_plan_seal(c, p, NULL))) CHECK(!p->sealed && memcmp(p->digest, zeros, 32) == 0);
    symbi_plan_unref(p);
    return st;
}
static void test_seal_oom(void)
{
    symbi_tool *t = load(HEAD "[command]\nexec = [\"p\"]\n" OUT);
    REQUIRE(t);
    test_oom(seal_oom, t, SYMBI_OK);
    symbi_tool_unref(t);
}

/* Ids of one process and of its child never meet, however much either has in store. */
static void test_ids_after_fork(void)
{
    enum { EACH = 300, ID = 24 };
    static char ids[2 * EACH][ID];
    symbi_tool *t = load(HEAD "[command]\nexec = [\"p\"]\n" OUT);
    symbi_plan *p;
    int fd[2], ended = 0;
    size_t got = 0, same = 0;
    ssize_t k;
    pid_t child;
    REQUIRE(t);
    p = unsealed(t, "{}"); /* there is something in store */
    symbi_plan_unref(p);
    REQUIRE(pipe(fd) == 0);
    child = fork();
    for (size_t i = 0; child >= 0 && i < EACH; i++) {
        p = unsealed(t, "{}");
        if (!p) _exit(1);
        snprintf(ids[i], ID, "%s", strchr(p->scan_id.p, '-') + 1); /* the second may be another one */
        symbi_plan_unref(p);
    }
    if (child == 0) _exit(write(fd[1], ids, EACH * (size_t)ID) == EACH * ID ? 0 : 1);
    close(fd[1]);
    while (got < EACH * (size_t)ID && (k = read(fd[0], (char *)ids[EACH] + got, EACH * (size_t)ID - got)) > 0) got += (size_t)k;
    close(fd[0]);
    CHECK(child > 0 && waitpid(child, &ended, 0) == child && ended == 0 && got == EACH * (size_t)ID);
    for (size_t i = 0; i < 2 * EACH; i++)
        for (size_t j = 0; j < i; j++) same += strcmp(ids[i], ids[j]) == 0;
    CHECK(strlen(ids[0]) == 8 && same <= 1); /* 180,000 pairs of 32 bits: two of them alike once in a billion runs */
    symbi_tool_unref(t);
}

/* ---- envelopes ---- */

static symbi_doc *envelope(const char *manifest, const symbi_exec_result *r)
{
    symbi_tool *t = load(manifest);
    symbi_plan *p;
    symbi_doc *d = NULL;
    symbi_err e;
    if (!t) return NULL;
    p = plan(t, "{}", NULL, &e);
    if (p) CHECK_OK(symbi_tool_envelope(cx, t, p, r, &d, &e), e);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return d;
}
#define STR(d, key) symbi_value_str(symbi_doc_root(d), key, SY_LIT("(none)"))
#define CMD HEAD "[command]\nexec = [\"p\"]\n"

static void test_envelope(void)
{
    symbi_exec_result r;
    symbi_doc *d;
    memset(&r, 0, sizeof r);
    r.out = SY_LIT("a\xff" "b");
    r.err = SY_LIT("w\xff");
    r.started_ms = 1000;
    r.duration_ms = 3;
    r.out_truncated = true;
    r.out_bytes = 99;
    r.out_sha256[0] = 0xab;
    d = envelope(CMD OUT, &r);
    REQUIRE(d);
    CHECK_STR(STR(d, "status"), "success");
    CHECK_STR(symbi_value_str(symbi_value_getz(symbi_doc_root(d), "results"), "raw_output", SY_LIT("")), "a\xef\xbf\xbd" "b");
    CHECK_STR(STR(d, "stderr"), "w\xef\xbf\xbd");
    CHECK_STR(STR(d, "timestamp"), "1970-01-01T00:00:01.000Z");
    CHECK(strncmp(STR(d, "output_hash").p, "sha256:ab00", 11) == 0 && STR(d, "output_hash").n == 71);
    CHECK(symbi_value_getz(symbi_doc_root(d), "truncated") && symbi_value_getz(symbi_doc_root(d), "output_bytes")->u.i == 99);
    CHECK_STR(STR(d, "output_file"), "");
    symbi_doc_unref(d);

    memset(&r, 0, sizeof r);
    r.exit_code = 2;
    r.out = SY_LIT("{\"a\":1}");
    d = envelope(CMD "[output]\nformat = \"json\"\n", &r); /* output of a failed run is not parsed */
    REQUIRE(d);
    CHECK_STR(STR(d, "status"), "error");
    CHECK_STR(STR(d, "error"), "Process exited with code 2");
    CHECK(symbi_value_getz(symbi_value_getz(symbi_doc_root(d), "results"), "raw_output"));
    symbi_doc_unref(d);

    r.exit_code = -1;
    r.signal = 9;
    d = envelope(CMD OUT, &r);
    REQUIRE(d);
    CHECK_STR(STR(d, "error"), "Process was killed by signal 9");
    CHECK(symbi_value_getz(symbi_doc_root(d), "signal")->u.i == 9);
    symbi_doc_unref(d);

    r.timed_out = true;
    d = envelope(CMD OUT, &r);
    REQUIRE(d);
    CHECK_STR(STR(d, "status"), "timeout");
    CHECK_STR(symbi_value_str(symbi_value_getz(symbi_doc_root(d), "results"), "error", SY_LIT("")), "Command timed out after 60s");
    symbi_doc_unref(d);

    memset(&r, 0, sizeof r);
    r.exit_code = -1;
    r.start_errno = ENOENT;
    d = envelope(CMD OUT, &r);
    REQUIRE(d);
    CHECK_STR(STR(d, "status"), "error");
    CHECK_STR(STR(d, "stderr"), "No such file or directory");
    CHECK_STR(STR(d, "error"), "cannot start 'p': No such file or directory");
    symbi_doc_unref(d);
}

static void test_output_schema(void)
{
    symbi_exec_result r;
    symbi_doc *d;
    const symbi_value *w;
    memset(&r, 0, sizeof r);
    r.out = SY_LIT("{\"n\":\"x\",\"list\":[1],\"extra\":1}");
#define SCHEMA "[output.schema]\nrequired = [\"gone\"]\nadditionalProperties = false\n[output.schema.properties]\nn = {type = \"integer\"}\nlist = {type = \"array\", items = {type = \"string\"}}\n"
    d = envelope(CMD "[output]\nformat = \"json\"\n" SCHEMA, &r);
    REQUIRE(d);
    CHECK_STR(STR(d, "status"), "success");
    w = symbi_value_getz(symbi_doc_root(d), "schema_warnings");
    REQUIRE(w && w->u.a.n == 4);
    CHECK_STR(w->u.a.items[0].u.s, "Required property 'gone' missing from parsed output");
    CHECK_STR(w->u.a.items[1].u.s, "Property 'n' has type 'string' but expected 'integer'");
    CHECK_STR(w->u.a.items[2].u.s, "Property 'list[0]' has type 'number' but expected 'string'");
    CHECK_STR(w->u.a.items[3].u.s, "Property 'extra' is not declared");
    symbi_doc_unref(d);
    d = envelope(CMD "[output]\nformat = \"json\"\nstrict = true\n" SCHEMA, &r);
    REQUIRE(d);
    CHECK_STR(STR(d, "status"), "error");
    symbi_doc_unref(d);
    r.out = SY_LIT("\"seven\""); /* what is no object is checked as it came, before it was wrapped */
    d = envelope(CMD "[output]\nformat = \"json\"\nstrict = true\n[output.schema]\ntype = \"integer\"\n", &r);
    REQUIRE(d);
    CHECK_STR(STR(d, "status"), "error");
    symbi_doc_unref(d);
    r.out = SY_LIT("7");
    d = envelope(CMD "[output]\nformat = \"json\"\nstrict = true\n[output.schema]\ntype = \"integer\"\nmaximum = 7\n", &r);
    REQUIRE(d);
    CHECK_STR(STR(d, "status"), "success");
    symbi_doc_unref(d);
    r.out = SY_LIT("not json");
    d = envelope(CMD "[output]\nformat = \"json\"\n" SCHEMA, &r);
    REQUIRE(d);
    CHECK_STR(STR(d, "status"), "success");
    CHECK(symbi_value_getz(symbi_doc_root(d), "parse_error") && symbi_value_getz(symbi_value_getz(symbi_doc_root(d), "results"), "raw_output"));
    symbi_doc_unref(d);
}

static const symbi_value *results(const char *format, const char *text, symbi_doc **d)
{
    char m[400];
    symbi_exec_result r;
    memset(&r, 0, sizeof r);
    r.out = symbi_str_z(text);
    snprintf(m, sizeof m, CMD "[output]\nformat = \"%s\"\n", format);
    *d = envelope(m, &r);
    return *d ? symbi_value_getz(symbi_doc_root(*d), "results") : NULL;
}

static void test_parsers(void)
{
    symbi_doc *d;
    const symbi_value *v = results("csv", "a,a,b\n1,2\n-0.5,x,y,z\n\"q \"\"r\"\"\nline\",-007,TRUE\n9223372036854775808,,\n", &d);
    REQUIRE(v);
    v = symbi_value_getz(v, "parsed_output");
    REQUIRE(v && v->u.a.n == 4);
    CHECK(v->u.a.items[0].u.o.n == 2 && symbi_value_getz(&v->u.a.items[0], "a")->u.i == 2 && sy_str_eqz(symbi_value_getz(&v->u.a.items[0], "b")->u.s, ""));
    CHECK(sy_str_eqz(symbi_value_getz(&v->u.a.items[1], "a")->u.s, "x"));
    CHECK(symbi_value_getz(&v->u.a.items[2], "a")->u.i == -7 && symbi_value_getz(&v->u.a.items[2], "b")->u.b);
    CHECK(sy_str_eqz(symbi_value_getz(&v->u.a.items[3], "a")->u.s, ""));
    symbi_doc_unref(d);
    v = results("csv", "\"a\"+5 , b\xc2\xa0\n\"1\" x\"y\",\xe3\x80\x80true\n\"2\"\r\n\"3\"4", &d);
    REQUIRE(v && (v = symbi_value_getz(v, "parsed_output")) && v->u.a.n == 3);
    CHECK_STR(symbi_value_str(&v->u.a.items[0], "a+5", SY_LIT("")), "1 x\"y\"");
    CHECK(symbi_value_getz(&v->u.a.items[0], "b")->kind == SYMBI_BOOL && symbi_value_getz(&v->u.a.items[1], "a+5")->u.i == 2 && symbi_value_getz(&v->u.a.items[2], "a+5")->u.i == 34);
    symbi_doc_unref(d);
    v = results("csv", "n,m\n9223372036854775807,1.25\n9223372036854775808,-0\n", &d);
    REQUIRE(v && (v = symbi_value_getz(v, "parsed_output")));
    CHECK(symbi_value_getz(&v->u.a.items[0], "n")->u.i == INT64_MAX && symbi_value_getz(&v->u.a.items[0], "m")->u.d == 1.25);
    CHECK(symbi_value_getz(&v->u.a.items[1], "n")->kind == SYMBI_STRING); /* never rounded */
    symbi_doc_unref(d);
    v = results("json", "{\"a\":{\"b\":1,\"b\":[2]},\"a\":{\"c\":18446744073709551616}}", &d);
    REQUIRE(v && v->u.o.n == 1);
    CHECK_STR(symbi_value_str(symbi_value_getz(v, "a"), "c", SY_LIT("")), "18446744073709551616");
    symbi_doc_unref(d);
    v = results("jsonl", "{}\n \xc2\xa0\n[1]\nnope\n", &d);
    REQUIRE(v && symbi_value_getz(v, "raw_output"));
    CHECK(strstr(symbi_value_str(symbi_doc_root(d), "parse_error", SY_LIT("")).p, "Failed to parse JSONL line 4"));
    symbi_doc_unref(d);
}

static void test_cedar_text(void)
{
    symbi_tool *t = load("[tool]\nname = \"t\"\nversion = \"1\"\nrisk_tier = \"critical\"\n[command]\nexec = [\"p\"]\n" OUT);
    symbi_text text;
    symbi_err e;
    REQUIRE(t);
    CHECK_OK(symbi_tool_cedar(cx, t, SYMBI_TOOL_CEDAR_GATE, &text, &e), e);
    CHECK_STR(symbi_text_str(&text), "permit (\n    principal,\n    action == Action::\"tool_call::t\",\n    resource\n)\nwhen { context.has_human_approval == true };\n");
    symbi_text_free(&text);
    CHECK_OK(symbi_tool_cedar(cx, t, SYMBI_TOOL_CEDAR_UPSTREAM, &text, &e), e);
    CHECK(text.n == 0);
    symbi_text_free(&text);
    symbi_tool_unref(t);
}

static void test_set(void)
{
    symbi_toolset *s;
    symbi_tool *a = load("[tool]\nname = \"a\"\ndispatch = \"callback\"\n"), *b = load("[tool]\nname = \"b\"\ndispatch = \"callback\"\n"), *a2 = load("[tool]\nname = \"a\"\ndispatch = \"callback\"\n");
    symbi_err e;
    REQUIRE(a && b && a2);
    CHECK_OK(symbi_toolset_new(cx, &s, &e), e);
    CHECK_OK(symbi_toolset_add(s, a, &e), e);
    CHECK_OK(symbi_toolset_add(s, b, &e), e);
    CHECK(symbi_toolset_add(s, a2, &e) == SYMBI_EEXISTS && strstr(e.msg, "tool 'a' stands twice"));
    CHECK(symbi_toolset_count(s) == 2 && symbi_toolset_at(s, 0) == a && symbi_toolset_at(s, 1) == b && !symbi_toolset_at(s, 2));
    CHECK(symbi_toolset_find(s, SY_LIT("a")) == a && !symbi_toolset_find(s, SY_LIT("A")) && !symbi_toolset_find(s, SY_LIT("a ")) && !symbi_toolset_find(s, SY_LIT("")));
    symbi_tool_unref(a);
    symbi_tool_unref(b);
    symbi_tool_unref(a2);
    CHECK(symbi_toolset_ref(s) == s);
    symbi_toolset_unref(s);
    CHECK(symbi_toolset_find(s, SY_LIT("b")) != NULL);
    symbi_toolset_unref(s);
}

static symbi_status whole(symbi_ctx *c, void *ud)
{
    static const char *const m = HEAD "[tool.evidence]\noutput_dir = \"{evidence_dir}/{scan_id}\"\n[args.a]\npattern = \"^(x|y)+$\"\n[args.n]\ntype = \"number\"\n[args.e]\ntype = \"enum\"\nallowed = [\"u\"]\n"
                                 "[command]\nexec = [\"p\", \"{_c}\", \"{_e_flags}\", \"{a}-{n}\"]\nconditionals.c = {when = \"n != '0'\", template = \"-c {n} 'q r'\"}\nmappings.e = {u = \"-u 1\"}\n"
                                 "[output]\nformat = \"json\"\n[output.schema]\nproperties.k = {type = \"string\"}\nrequired = [\"z\"]\n";
    symbi_value args;
    symbi_member mem[3];
    symbi_tool *t = NULL;
    symbi_toolset *s = NULL;
    symbi_doc *v = NULL, *d = NULL, *sc = NULL;
    symbi_plan *p = NULL, *one = NULL;
    symbi_text text = { 0 };
    symbi_exec_result r;
    symbi_status st;
    (void)ud;
    memset(&r, 0, sizeof r);
    memset(mem, 0, sizeof mem);
    r.out = SY_LIT("{\"k\":1,\"l\":[\"\\u00e9\",2,{\"a\":1,\"a\":2}]}");
    mem[0].key = SY_LIT("a"), mem[0].val = sy_val_str(SY_LIT("xyx"));
    mem[1].key = SY_LIT("n"), mem[1].val = sy_val_str(SY_LIT("1.25"));
    mem[2].key = SY_LIT("e"), mem[2].val = sy_val_str(SY_LIT("u"));
    args = sy_val_object(mem, 3);
    st = symbi_tool_parse(c, symbi_str_z(m), SY_LIT("s"), &t, NULL);
    if (!st) st = symbi_toolset_new(c, &s, NULL);
    if (!st) st = symbi_toolset_add(s, t, NULL);
    if (!st) st = symbi_tool_validate(c, t, &args, &v, NULL);
    if (!st) st = symbi_tool_plan(c, t, symbi_doc_root(v), NULL, &p, NULL);
    if (!st) st = symbi_tool_plan_args(c, t, &args, NULL, &one, NULL);
    if (!st) st = symbi_plan_seal(c, one, NULL);
    symbi_plan_unref(one);
    if (!st) st = symbi_tool_envelope(c, t, p, &r, &d, NULL);
    if (!st) st = symbi_tool_schema(c, t, &sc, NULL);
    if (!st) st = symbi_tool_cedar(c, t, SYMBI_TOOL_CEDAR_GATE, &text, NULL);
    symbi_text_free(&text);
    symbi_doc_unref(sc);
    symbi_doc_unref(d);
    symbi_plan_unref(p);
    symbi_doc_unref(v);
    symbi_toolset_unref(s);
    symbi_tool_unref(t);
    return st;
}
static void test_whole_oom(void) { test_oom(whole, NULL, SYMBI_OK); }

static symbi_status csv_oom(symbi_ctx *c, void *ud)
{
    symbi_tool *t = NULL;
    symbi_plan *p = NULL;
    symbi_doc *d = NULL;
    symbi_exec_result r;
    symbi_status st = symbi_tool_parse(c, symbi_str_z(ud), SY_LIT("s"), &t, NULL);
    memset(&r, 0, sizeof r);
    r.out = SY_LIT("a,b\n1,\"x \"\"y\"\"\"\n2,3\n");
    if (!st) st = symbi_tool_plan(c, t, NULL, NULL, &p, NULL);
    if (!st) st = symbi_tool_envelope(c, t, p, &r, &d, NULL);
    symbi_doc_unref(d);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return st;
}
static void test_csv_oom(void) { test_oom(csv_oom, CMD "[output]\nformat = \"csv\"\n", SYMBI_OK); }

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_exec);
    RUN(test_template);
    RUN(test_option_injection);
    RUN(test_mappings);
    RUN(test_names);
    RUN(test_environment);
    RUN(test_not_validated);
    RUN(test_backends);
    RUN(test_digest);
    RUN(test_seal);
    RUN(test_seal_oom);
    RUN(test_ids_after_fork);
    RUN(test_envelope);
    RUN(test_output_schema);
    RUN(test_parsers);
    RUN(test_cedar_text);
    RUN(test_set);
    RUN(test_whole_oom);
    RUN(test_csv_oom);
    symbi_ctx_free(cx);
    return test_end();
}
