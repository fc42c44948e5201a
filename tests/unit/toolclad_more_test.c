/* What of toolclad needs no backend, beside loading, validating and planning: XML and nmap output, agent_summary, the grounded decision, a
 * project's limits, trace headers, the record of a run, the contract as data, the Cedar schema; allocation failures of each. */
#include "base/str.h"
#include "codec/value.h"
#include "symbi/json.h"
#include "symbi/toolclad.h"
#include "symbi/triage.h"
#include "test.h"
#include "toolclad/xml.h"

static symbi_ctx *cx;

/* Canonical JSON of the results, or "CODE line: message". */
static const char *xml(symbi_str text, bool nmap)
{
    static char out[4000];
    sy_arena a;
    counting_alloc ca = { 0 };
    symbi_value v;
    symbi_text t = { 0 };
    symbi_err e;
    symbi_status st;
    symbi_err_clear(&e);
    sy_arena_init(&a, (symbi_alloc){ counting_fn, &ca }, 0);
    st = nmap ? sy_nmap_parse(cx, text, &a, &v, &e) : sy_xml_parse(cx, text, &a, &v, &e);
    if (!st) st = symbi_json_write(cx, &v, SYMBI_JSON_CANONICAL, &t, &e);
    if (st) snprintf(out, sizeof out, "%s %u: %s", symbi_status_name(st), (unsigned)e.line, e.msg);
    else snprintf(out, sizeof out, "%.*s", (int)t.n, t.p);
    symbi_text_free(&t);
    sy_arena_free(&a);
    return out;
}

static void is(const char *text, const char *want, int line)
{
    const char *got = xml(symbi_str_z(text), false);
    if (want[0] == '{' ? strcmp(got, want) != 0 : !strstr(got, want)) {
        printf("%s:%d: %s\n  gives %s\n", __FILE__, line, text, got);
        t_now_failed = 1;
    }
}
#define XML(text, want) is(text, want, __LINE__)

static void test_xml_good(void)
{
    XML("<r/>", "{\"r\":{}}");
    XML("\xef\xbb\xbf<?xml version='1.0'?>\n<!-- c --><r a='1' b=\"2\"/>\n<!-- d -->\n", "{\"r\":{\"@a\":\"1\",\"@b\":\"2\"}}");
    XML("<?xml\nversion = \"1.1\" encoding='latin1' standalone=\"yes\" ?><?xml-stylesheet a?><r><?p?></r><?q\tx?>", "{\"r\":{}}");
    XML("<r> a <b/> tail <b>2</b> tail </r>", "{\"r\":{\"#text\":\"a\",\"b\":[{},{\"#text\":\"2\"}]}}");
    XML("<r>a<!-- c -->b<?pi x?>c</r>", "{\"r\":{\"#text\":\"abc\"}}");
    XML("<r><![CDATA[<x> & ]] ]]>&amp;&lt;&gt;&quot;&apos;&#65;&#x20AC;</r>", "{\"r\":{\"#text\":\"<x> & ]] &<>\\\"'A\xe2\x82\xac\"}}");
    XML("<r a='&lt;&#10;\n\t>'/>", "{\"r\":{\"@a\":\"<\\n  >\"}}");
    XML("<ns:r xmlns:ns='u' ns:a='1'><ns:b/></ns:r>", "{\"ns:r\":{\"@ns:a\":\"1\",\"@xmlns:ns\":\"u\",\"ns:b\":{}}}");
    XML("<r>\r\na\r\nb\rc</r>", "{\"r\":{\"#text\":\"a\\nb\\nc\"}}");
    XML("<!DOCTYPE r [ <!ELEMENT r ANY> <!-- % --> <!ATTLIST r a CDATA 'x]>'> ]><r/>", "{\"r\":{}}");
    XML("<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>", "{\"r\":{}}");
    XML("<r><a/><b/><a x='1'/><b/></r>", "{\"r\":{\"a\":[{},{\"@x\":\"1\"}],\"b\":[{},{}]}}");
    XML("<r a=\"x>y\">t</r >", "{\"r\":{\"#text\":\"t\",\"@a\":\"x>y\"}}");
    XML("<r>\xc2\xa0x\xe3\x80\x80</r>", "{\"r\":{\"#text\":\"x\"}}");
}

static void test_xml_bad(void)
{
    static const char *const bad[] = { "", "   ", "x", "<", "<r", "<r>", "<r></s>", "<r></r", "<r><a></r></a>", "<r a>", "<r a=>", "<r a=1/>", "<r a='1/>", "<r a='1'b='2'/>", "<r a='1' a='2'/>",
        "<r a='<'/>", "<r>&</r>", "<r>&x;</r>", "<r>&#;</r>", "<r>&#x;</r>", "<r>&#x110000;</r>", "<r>&#0;</r>", "<r>&#xD800;</r>", "<r>&#99999999999;</r>", "<r>&amp</r>", "<r a='&#6'5;/>", "<1/>", "< r/>",
        "<r/><s/>", "<r/>x", "<!-- a -- b --><r/>", "<!-- <r/>", "<?x <r/>", "<![CDATA[x]]><r/>", "<r><![CDATA[x</r>", "<r>]]></r>", "<r>\x01</r>", "<!DOCTYPE r", "<!DOCTYPE r [", "<!DOCTYPE r><!DOCTYPE r><r/>", "<!DOCTYPE><r/>", "<!DOCTYPEr><r/>", "<!DOCTYPE r/x><r/>",
        "<r a='\x01'/>", "<r><!-- \x02 --></r>", "<r><![CDATA[\x1f]]></r>", "<r><?p \x03?></r>", "<!DOCTYPE r \x04><r/>", "<r>\xef\xbf\xbf</r>", "<r>\xff</r>", "<?xml?><r/>", "<?xml encoding='UTF-8'?><r/>",
        "<?xml version='1.0' encodng='UTF-8'?><r/>", "<?xml version='2.0'?><r/>", "<?xml version='1.0'encoding='x'?><r/>", "<?xml version='1.0' standalone='maybe'?><r/>", "<?xml version='1.0' standalone='no' encoding='x'?><r/>",
        " <?xml version='1.0'?><r/>", "<?xml version='1.0'?><?xml version='1.0'?><r/>", "<r><?XML x?></r>", "<r><?" "?></r>", "<r><? p?></r>", "<?xml version=1.0?><r/>", "<?xml version='1.0",
        "<r/ >", "<r//>", "</r>", "<r><!DOCTYPE r></r>", "<!DOCTYPE r [<!ENTITY a 'x'>]><r>&a;</r>", "<!DOCTYPE r [<!ENTITY % p 'x'> %p;]><r/>", "<!DOCTYPE r [ %p; ]><r/>",
        "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><lolz>&lol2;</lolz>", "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><r>&x;</r>" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *got = xml(symbi_str_z(bad[i]), false);
        if (got[0] == '{') printf("%s: %s\n", bad[i], got), t_now_failed = 1;
    }
    XML("<r>\n\n<a></b></r>", "EPARSE 3: an element is closed by another tag");
    CHECK(strstr(xml((symbi_str){ "<r>\0</r>", 8 }, false), "EPARSE"));
    for (size_t i = 0; i < 60; i++) /* every beginning of a good document is refused */
        (void)xml((symbi_str){ "<?xml version='1.0'?><r a='1'><b>&amp;<![CDATA[x]]></b><!-- c --></r>", i }, false);
}

/* At the limit, and one past it. */
static void test_xml_limits(void)
{
    static char text[400000];
    symbi_limits lim;
    int deepest;
    symbi_limits_default(&lim);
    deepest = (int)lim.doc_depth - 8;
    for (int over = 0; over < 2; over++) {
        size_t n = 0;
        for (int i = 0; i < deepest + over; i++) n += (size_t)sprintf(text + n, "<a>");
        for (int i = 0; i < deepest + over; i++) n += (size_t)sprintf(text + n, "</a>");
        CHECK(!strncmp(xml((symbi_str){ text, n }, false), over ? "ELIMIT" : "{", over ? 6 : 1));
    }
    {
        size_t n = (size_t)sprintf(text, "<r>");
        for (int i = 0; i < 20000; i++) n += (size_t)sprintf(text + n, "<a%d/>", i); /* many names: no quadratic time */
        n += (size_t)sprintf(text + n, "</r>");
        CHECK(xml((symbi_str){ text, n }, false)[0] == '{');
    }
}

/* Output as deep as it may be still becomes an envelope; what is deeper stands as raw_output: the run is never lost. */
static void test_deep_output(void)
{
    static const char *const format[] = { "json", "xml", "jsonl" }, *const open[] = { "[", "<a>", "[" }, *const shut[] = { "]", "</a>", "]" };
    for (int k = 0; k < 3; k++)
        for (int depth = 110; depth < 140; depth++) {
            char manifest[200], text[2000];
            size_t n = 0;
            symbi_tool *t = NULL;
            symbi_plan *p = NULL;
            symbi_doc *d = NULL;
            symbi_exec_result r;
            symbi_err e;
            for (int i = 0; i < depth; i++) n += (size_t)sprintf(text + n, "%s", open[k]);
            for (int i = 0; i < depth; i++) n += (size_t)sprintf(text + n, "%s", shut[k]);
            snprintf(manifest, sizeof manifest, "[tool]\nname = \"t\"\n[command]\nexec = [\"p\"]\n[output]\nformat = \"%s\"\n", format[k]);
            memset(&r, 0, sizeof r);
            r.out = (symbi_str){ text, n };
            CHECK(symbi_tool_parse(cx, symbi_str_z(manifest), SY_LIT("t"), &t, &e) == SYMBI_OK && symbi_tool_plan(cx, t, NULL, NULL, &p, &e) == SYMBI_OK);
            if (symbi_tool_envelope(cx, t, p, &r, &d, &e)) printf("%s, %d deep: %s\n", format[k], depth, e.msg), t_now_failed = 1;
            else CHECK((symbi_value_getz(symbi_value_getz(symbi_doc_root(d), "results"), "raw_output") != NULL) == (depth > 120));
            symbi_doc_unref(d);
            symbi_plan_unref(p);
            symbi_tool_unref(t);
        }
}

static const char nmap_out[] = "<?xml version=\"1.0\"?><!DOCTYPE nmaprun><nmaprun scanner=\"nmap\"><host><status state=\"up\"/><address addr=\"00:11:22:33:44:55\" addrtype=\"mac\"/><address addr=\"10.0.0.1\" addrtype=\"ipv4\"/>"
                               "<hostnames><hostname name=\"h1\"/><hostname name=\"h2\"/></hostnames><ports><port protocol=\"tcp\" portid=\"22\"><state state=\"open\"/><service name=\"ssh\" version=\"8.9\"/></port>"
                               "<port protocol=\"udp\" portid=\"x\"/></ports></host><host><status state=\"down\"/></host></nmaprun>";

static void test_nmap(void)
{
    const char *got = xml(SY_LIT(nmap_out), true);
    const char *want = "{\"hosts\":[{\"hostname\":\"h1\",\"ip\":\"10.0.0.1\",\"ports\":[{\"port\":22,\"protocol\":\"tcp\",\"service\":\"ssh\",\"state\":\"open\",\"version\":\"8.9\"},"
                       "{\"port\":\"x\",\"protocol\":\"udp\",\"service\":\"\",\"state\":\"\",\"version\":\"\"}],\"state\":\"up\"},{\"hostname\":\"\",\"ip\":\"\",\"ports\":[],\"state\":\"down\"}]}";
    if (strcmp(got, want)) printf("%s\n", got), t_now_failed = 1;
    CHECK(strstr(xml(SY_LIT("<r/>"), true), "not nmaprun"));
    CHECK(!strcmp(xml(SY_LIT("<nmaprun/>"), true), "{\"hosts\":[]}"));
}

static void test_triage(void)
{
    symbi_severity s;
    symbi_err e;
    CHECK(symbi_severity_of(SY_LIT("\xe2\x80\x83 HIGH\xc2\xa0\n")) == SYMBI_SEVERITY_HIGH && symbi_severity_of(SY_LIT("urgent")) == SYMBI_SEVERITY_LOW && symbi_severity_of(SY_LIT("")) == SYMBI_SEVERITY_LOW);
    CHECK(symbi_category_of(SY_LIT("Billing")) == SYMBI_CATEGORY_BILLING && symbi_category_of(SY_LIT("billings")) == SYMBI_CATEGORY_OTHER);
    CHECK_OK(symbi_ticket_severity(cx, SY_LIT("PRODUCTION IS DOWN!"), false, &s, &e), e);
    CHECK(s == SYMBI_SEVERITY_CRITICAL);
    CHECK_OK(symbi_ticket_severity(cx, SY_LIT("production is down"), true, &s, &e), e);
    CHECK(s == SYMBI_SEVERITY_HIGH);
    CHECK_OK(symbi_ticket_severity(cx, SY_LIT("breaches are bleached"), false, &s, &e), e); /* whole words */
    CHECK(s == SYMBI_SEVERITY_LOW);
    CHECK(symbi_triage_grounded(SYMBI_CATEGORY_UI, SYMBI_SEVERITY_CRITICAL, SYMBI_SEVERITY_HIGH) == SYMBI_QUEUE_FRONTEND);
    CHECK(symbi_triage_grounded(SYMBI_CATEGORY_UI, SYMBI_SEVERITY_CRITICAL, SYMBI_SEVERITY_CRITICAL) == SYMBI_QUEUE_EXEC_ESCALATION);
    CHECK(!strcmp(symbi_severity_name((symbi_severity)99), "low") && !strcmp(symbi_category_name((symbi_category)99), "other") && !strcmp(symbi_queue_name((symbi_queue)99), "frontend"));
}

static void test_constraints(void)
{
    static const char m[] = "[tool]\nrisk_tier = \"critical\"\n[args.a]\nfeeds_decision = true\n[args.b]\ntype = \"enum\"\nfeeds_decision = true\n[args.u]\ntype = \"url\"\nschemes = [\"https\"]\n";
    symbi_doc *c = NULL, *d = NULL;
    symbi_text t = { 0 };
    symbi_err e;
    REQUIRE(symbi_json_parse(cx, SY_LIT("{\"max_risk_tier\":\"medium\",\"require_evidence_above_tier\":\"high\",\"require_scope_check\":true}"), &c, &e) == SYMBI_OK);
    CHECK_OK(symbi_tool_constraints(cx, SY_LIT(m), symbi_doc_root(c), false, &d, &e), e); /* ours: critical is the highest, a type left out is string */
    CHECK(d && symbi_json_write(cx, symbi_doc_root(d), SYMBI_JSON_CANONICAL, &t, &e) == SYMBI_OK);
    CHECK(t.p && symbi_doc_root(d)->u.a.n == 4 && strstr(t.p, "Risk tier 'critical' exceeds project maximum 'medium'") && strstr(t.p, "Evidence capture required for tools above 'high' tier") &&
          strstr(t.p, "Argument 'u' has URL schemes") && strstr(t.p, "Argument 'a' is free-text (type 'string')") && !strstr(t.p, "'b'"));
    symbi_text_free(&t);
    symbi_doc_unref(d);
    CHECK_OK(symbi_tool_constraints(cx, SY_LIT("[tool]\nrisk_tier = \"frightful\"\n"), symbi_doc_root(c), false, &d, &e), e);
    CHECK(symbi_doc_root(d)->u.a.n == 2); /* an unknown tier is not a low one */
    symbi_doc_unref(d);
    CHECK_OK(symbi_tool_constraints(cx, SY_LIT("[tool"), symbi_doc_root(c), false, &d, &e), e);
    CHECK(symbi_doc_root(d)->u.a.n == 1);
    symbi_doc_unref(d);
    CHECK_OK(symbi_tool_constraints(cx, SY_LIT("tool = 1\nargs = 2\n"), NULL, false, &d, &e), e);
    CHECK(symbi_doc_root(d)->u.a.n == 0);
    symbi_doc_unref(d);
    symbi_doc_unref(c);
}

static void test_traceparent(void)
{
    static const char *const bad[] = { "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" };
    symbi_traceparent t;
    CHECK(symbi_traceparent_parse(SY_LIT("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"), &t) && !strcmp(t.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736") && !strcmp(t.parent_id, "00f067aa0ba902b7"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!symbi_traceparent_parse(symbi_str_z(bad[i]), &t) && !t.trace_id[0]);
}

static const char grep[] = "[tool]\nname = \"grep\"\nversion = \"2\"\ndescription = \"d\"\nbinary = \"grep\"\n[tool.cedar]\nresource = \"Tool::Grep\"\naction = \"run\"\n[args.pattern]\nposition = 1\nrequired = true\n[args.n]\nposition = 2\n"
                           "type = \"integer\"\n[args.mode]\nposition = 3\ntype = \"enum\"\nallowed = [\"a\", \"b\"]\ndefault = \"a\"\n[args.f]\ntype = \"number\"\n[args.ok]\ntype = \"boolean\"\n[args.p]\ntype = \"port\"\ndefault = 0\n"
                           "[command]\nexec = [\"grep\", \"--\", \"{pattern}\"]\n[output]\n";

static symbi_status evidence(symbi_ctx *c, char *out, size_t cap)
{
    static const symbi_str ids[] = { { "p0", 2 } };
    symbi_member m = { SY_LIT("pattern"), sy_val_str(SY_LIT("x")) };
    symbi_value args = sy_val_object(&m, 1);
    symbi_plan_options po = { 0 };
    symbi_exec_result x;
    symbi_evidence_facts f = { 0 };
    symbi_tool *t = NULL;
    symbi_doc *v = NULL, *env = NULL, *d = NULL;
    symbi_plan *p = NULL;
    symbi_text text = { 0 };
    symbi_status st;
    memset(&x, 0, sizeof x);
    x.out = SY_LIT("out");
    x.out_bytes = 99;
    x.out_truncated = true;
    x.started_ms = 5;
    x.duration_ms = 7;
    x.exit_code = -1;
    x.signal = 9;
    po.scan_id = SY_LIT("S");
    f.loop_id = SY_LIT("l");
    f.call_id = SY_LIT("c");
    f.agent = SY_LIT("a");
    f.user = SY_LIT("u");
    f.decision = SY_LIT("allow");
    f.policies = ids;
    f.npolicies = 1;
    f.has_sequence = true;
    f.journal_sequence = 3;
    st = symbi_tool_parse(c, SY_LIT(grep), SY_LIT("g"), &t, NULL);
    if (!st) st = symbi_tool_validate(c, t, &args, &v, NULL);
    if (!st) st = symbi_tool_plan(c, t, symbi_doc_root(v), &po, &p, NULL);
    if (!st) st = symbi_plan_seal(c, p, NULL);
    if (!st) st = symbi_tool_envelope(c, t, p, &x, &env, NULL);
    if (!st) st = symbi_tool_evidence(c, t, p, symbi_doc_root(env), &x, &f, &d, NULL);
    if (!st) st = symbi_json_write(c, symbi_doc_root(d), SYMBI_JSON_CANONICAL, &text, NULL);
    if (!st && out) snprintf(out, cap, "%s", text.p);
    symbi_text_free(&text);
    symbi_doc_unref(d);
    symbi_doc_unref(env);
    symbi_doc_unref(v);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return st;
}

static void test_evidence(void)
{
    static const char *const parts[] = { "\"call_id\":\"c\"", "\"loop_id\":\"l\"", "\"scan_id\":\"S\"", "\"decision\":{\"journal_sequence\":3,\"policies\":[\"p0\"],\"value\":\"allow\"}", "\"duration_ms\":7", "\"exit\":{\"signal\":9}",
        "\"identity\":{\"agent\":\"a\",\"user\":\"u\"}", "\"invocation\":{\"argv\":[\"grep\",\"--\",\"x\"],\"backend\":\"shell\"}", "\"output_bytes\":99", "\"output_sha256\":\"", "\"parameters\":{\"mode\":\"a\",\"p\":0,\"pattern\":\"x\"}",
        "\"started_at_ms\":5", "\"tool\":{\"manifest_sha256\":\"", "\"name\":\"grep\",\"version\":\"2\"}", "\"truncated\":true", "\"version\":1" };
    char out[3000] = "";
    CHECK(evidence(cx, out, sizeof out) == SYMBI_OK);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(out, parts[i])) printf("%s is missing in %s\n", parts[i], out), t_now_failed = 1;
}

static size_t actions(const char *schema)
{
    size_t n = 0;
    for (const char *p = schema; (p = strstr(p, "action \"")); p++) n++;
    return n;
}

static symbi_status contract(symbi_ctx *c, void *ud)
{
    symbi_tool *t = NULL;
    symbi_toolset *s = NULL;
    symbi_doc *d = NULL, *v = NULL;
    symbi_text text = { 0 };
    symbi_value n = sy_val_str(SY_LIT("7"));
    symbi_str policy = SY_LIT("permit(principal, action in [Action::\"delegate::a b\", Action::\"send_message::a b\", Action::\"delegate::a b\"], resource);"
                              "forbid(principal, action == Action::\"tool_call::other\", resource); Action::\"delegate::\" Action::\"delegate::x\\ny\" Action::\"delegate::open");
    bool check = ud != NULL;
    symbi_status st = symbi_tool_parse(c, SY_LIT(grep), SY_LIT("g"), &t, NULL);
    if (!st) st = symbi_toolset_new(c, &s, NULL);
    if (!st) st = symbi_toolset_add(s, t, NULL);
    if (!st) st = symbi_tool_describe(c, t, &d, NULL);
    if (!st) st = symbi_tool_check(c, t, SY_LIT("n"), &n, &v, NULL);
    if (!st) st = symbi_toolset_cedar_schema(c, s, SY_LIT("ticket?: String"), &policy, 1, &text, NULL);
    if (!st && check) {
        const symbi_value *args = symbi_value_getz(symbi_doc_root(d), "args");
        CHECK(args && args->u.a.n == 6 && sy_str_eqz(symbi_value_str(&args->u.a.items[0], "name", SY_LIT("")), "f"));
        CHECK(sy_str_eqz(symbi_value_str(symbi_value_getz(symbi_doc_root(d), "cedar"), "resource", SY_LIT("")), "Tool::Grep"));
        CHECK(symbi_doc_root(v)->kind == SYMBI_INT && symbi_doc_root(v)->u.i == 7);
        CHECK(strstr(text.p, "input: { \"mode\": String, \"n\"?: Long, \"ok\"?: Bool, \"p\": Long, \"pattern\": String }") && strstr(text.p, "ticket?: String }"));
        CHECK(strstr(text.p, "action \"delegate::a b\" in [\"delegate\"] appliesTo") && strstr(text.p, "action \"send_message::a b\" in [\"send_message\"] appliesTo"));
        CHECK(actions(text.p) == 6); /* one line for three groups, grep, two for a b, respond, terminate */
    }
    symbi_text_free(&text);
    symbi_doc_unref(v);
    symbi_doc_unref(d);
    symbi_toolset_unref(s);
    symbi_tool_unref(t);
    return st;
}

static void test_contract(void)
{
    symbi_tool *t = NULL;
    symbi_doc *d = NULL;
    symbi_value v = sy_val_str(SY_LIT("x"));
    symbi_err e;
    int check = 1;
    CHECK(contract(cx, &check) == SYMBI_OK);
    REQUIRE(symbi_tool_parse(cx, SY_LIT(grep), SY_LIT("g"), &t, &e) == SYMBI_OK);
    CHECK(symbi_tool_check(cx, t, SY_LIT("nope"), &v, &d, &e) == SYMBI_ENOTFOUND && !d);
    CHECK(symbi_tool_check(cx, t, SY_LIT("n"), &v, &d, &e) == SYMBI_ESCHEMA && !d && strstr(e.msg, "argument 'n'"));
    symbi_tool_unref(t);
}

static symbi_status envelope_oom(symbi_ctx *c, void *ud)
{
    symbi_tool *t = NULL;
    symbi_plan *p = NULL;
    symbi_doc *d = NULL;
    symbi_exec_result r;
    symbi_status st = symbi_tool_parse(c, symbi_str_z(ud), SY_LIT("s"), &t, NULL);
    memset(&r, 0, sizeof r);
    r.out = SY_LIT(nmap_out);
    if (!st) st = symbi_tool_plan(c, t, NULL, NULL, &p, NULL);
    if (!st) st = symbi_tool_envelope(c, t, p, &r, &d, NULL);
    symbi_doc_unref(d);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    return st;
}

static symbi_status summary_oom(symbi_ctx *c, void *ud)
{
    symbi_member m = { SY_LIT("x"), sy_val_str(SY_LIT("the system <!-- a --> is slow, the assistant says")) };
    symbi_value args = sy_val_object(&m, 1);
    symbi_tool *t = NULL;
    symbi_doc *d = NULL;
    symbi_severity s;
    symbi_status st = symbi_tool_parse(c, SY_LIT("[tool]\nname = \"t\"\ndispatch = \"callback\"\n[args.x]\ntype = \"agent_summary\"\n"), SY_LIT("s"), &t, NULL);
    (void)ud;
    if (!st) st = symbi_tool_validate(c, t, &args, &d, NULL);
    symbi_doc_unref(d);
    if (!st) st = symbi_ticket_severity(c, SY_LIT("urgent"), false, &s, NULL);
    if (!st) st = symbi_triage_context(c, SYMBI_CATEGORY_UI, SYMBI_SEVERITY_LOW, SYMBI_SEVERITY_HIGH, &d, NULL);
    if (!st) symbi_doc_unref(d);
    if (!st) st = symbi_tool_constraints(c, SY_LIT("[tool]\nrisk_tier = \"high\"\n[args.b]\nfeeds_decision = true\ntype = \"string\"\n[args.a]\n"), NULL, false, &d, NULL);
    if (!st) symbi_doc_unref(d);
    symbi_tool_unref(t);
    return st;
}

static symbi_status evidence_oom(symbi_ctx *c, void *ud)
{
    (void)ud;
    return evidence(c, NULL, 0);
}

#define CMD "[tool]\nname = \"t\"\n[command]\nexec = [\"p\"]\n"
static void test_oom_all(void)
{
    static char as_xml[] = CMD "[output]\nformat = \"xml\"\n", as_nmap[] = CMD "[output]\nparser = \"builtin:nmap\"\n";
    test_oom(envelope_oom, as_xml, SYMBI_OK);
    test_oom(envelope_oom, as_nmap, SYMBI_OK);
    test_oom(contract, NULL, SYMBI_OK);
    test_oom(evidence_oom, NULL, SYMBI_OK);
    test_oom(summary_oom, NULL, SYMBI_OK);
}

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_xml_good);
    RUN(test_xml_bad);
    RUN(test_xml_limits);
    RUN(test_deep_output);
    RUN(test_nmap);
    RUN(test_triage);
    RUN(test_constraints);
    RUN(test_traceparent);
    RUN(test_evidence);
    RUN(test_contract);
    RUN(test_oom_all);
    symbi_ctx_free(cx);
    return test_end();
}
