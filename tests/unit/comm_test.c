/* The Communication Policy Gate: the rules of spec gates.md 9.1 one by one, the runtime's vectors (9.2), limits, bad input, memory. */
#include "test.h"

#include "symbi/comm.h"
#include "symbi/json.h"

#include <inttypes.h>

static symbi_ctx *cx;

static symbi_str Z(const char *z) { return symbi_str_z(z); }

static symbi_doc *json(const char *text)
{
    symbi_doc *d = NULL;
    symbi_err err;
    CHECK_OK(symbi_json_parse(cx, Z(text), &d, &err), err);
    return d;
}

static symbi_comm_rules *rules_with(const char *text, unsigned flags)
{
    symbi_doc *d = json(text);
    symbi_comm_rules *r = NULL;
    symbi_err err;
    if (!d) return NULL;
    CHECK_OK(symbi_comm_rules_parse(cx, symbi_doc_root(d), flags, &r, &err), err);
    symbi_doc_unref(d); /* the rules keep nothing of the document */
    return r;
}
static symbi_comm_rules *rules(const char *text) { return rules_with(text, 0); }

static symbi_comm_answer ask_at(const symbi_comm_rules *r, const char *from, const char *to, const char *action, uint32_t depth)
{
    symbi_comm_answer a;
    memset(&a, 0xff, sizeof a);
    symbi_comm_check(r, Z(from), Z(to), Z(action), depth, &a);
    return a;
}
static symbi_comm_answer ask(const symbi_comm_rules *r, const char *from, const char *to, const char *action) { return ask_at(r, from, to, action, 1); }

#define ALLOWS(r, f, t, a) CHECK(ask(r, f, t, a).allowed)
#define DENIES(r, f, t, a) CHECK(!ask(r, f, t, a).allowed)

/* Expects the document refused with this status, path and (in part) message. */
static void refused_with(const char *text, unsigned flags, symbi_status want, const char *path, const char *part, int line)
{
    symbi_doc *d = json(text);
    symbi_comm_rules *r = (symbi_comm_rules *)(uintptr_t)text; /* must come back NULL */
    symbi_err err;
    symbi_status st;
    if (!d) return;
    memset(&err, 0, sizeof err);
    st = symbi_comm_rules_parse(cx, symbi_doc_root(d), flags, &r, &err);
    if (st != want || r != NULL || err.code != st || strcmp(err.path, path) || !strstr(err.msg, part)) {
        printf("line %d: %s gives %s, path \"%s\", \"%s\"; expected %s, \"%s\", \"%s\"\n", line, text, symbi_status_name(st), err.path, err.msg, symbi_status_name(want), path, part);
        t_now_failed = 1;
    }
    if (st == SYMBI_OK) symbi_comm_rules_unref(r);
    symbi_doc_unref(d);
}
#define REFUSED(text, path, part) refused_with(text, 0, SYMBI_ESCHEMA, path, part, __LINE__)

/* ---- 9.1, point by point ---- */

static void test_seed_example(void)
{
    /* the README of the seed: the effect stands in action */
    symbi_comm_rules *r = rules("[{\"from_agent\":\"analyst\",\"to_agent\":\"reporter\",\"action\":\"allow\",\"priority\":10,\"max_depth\":3}]");
    symbi_comm_answer a;
    REQUIRE(r);
    a = ask(r, "analyst", "reporter", "send_message");
    CHECK(a.allowed && a.cause == SYMBI_COMM_RULE);
    CHECK_STR(a.rule_id, "rule-1");
    CHECK_STR(a.reason, "matched rule rule-1");
    a = ask(r, "reporter", "analyst", "send_message");
    CHECK(!a.allowed && !a.rule && a.cause == SYMBI_COMM_NO_RULE);
    CHECK_STR(a.reason, "No matching rule and default is deny");
    symbi_comm_rules_unref(r);
}

static void test_camel_case(void)
{
    symbi_comm_rules *r = rules("[{\"id\":\"js\",\"fromAgent\":\"a\",\"toAgent\":\"b\",\"action\":\"send_message\",\"effect\":\"allow\",\"maxDepth\":2}]");
    const symbi_value *v;
    REQUIRE(r);
    v = symbi_comm_rules_get(r, Z("js"));
    REQUIRE(v);
    CHECK_STR(symbi_value_str(v, "from_agent", Z("?")), "a");
    CHECK_STR(symbi_value_str(v, "to_agent", Z("?")), "b");
    CHECK(symbi_value_getz(v, "max_depth")->u.i == 2);
    CHECK(!symbi_value_getz(v, "fromAgent"));
    ALLOWS(r, "a", "b", "send_message");
    symbi_comm_rules_unref(r);
}

static void test_effective_effect(void)
{
    static const struct {
        const char *action, *effect;
        bool allow, warning;
    } t[] = {
        { "allow", NULL, true, false },  { "deny", NULL, false, false },   { "send_message", NULL, true, false },  { "*", NULL, true, false },
        { "allow", "allow", true, false }, { "allow", "deny", false, true }, { "deny", "allow", false, true },      { "deny", "deny", false, false },
        { "*", "deny", false, false },   { "send_message", "deny", false, false }, { "send_message", "allow", true, false },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[300], eff[40] = "";
        symbi_comm_rules *r;
        const symbi_value *v;
        if (t[i].effect) snprintf(eff, sizeof eff, ",\"effect\":\"%s\"", t[i].effect);
        snprintf(text, sizeof text, "[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"%s\"%s}]", t[i].action, eff);
        r = rules_with(text, SYMBI_COMM_DEFAULT_ALLOW); /* so that a rule that is not there shows */
        REQUIRE(r);
        if (ask(r, "a", "b", "send_message").allowed != t[i].allow) printf("%s\n", text), t_now_failed = 1;
        v = &symbi_comm_rules_value(r)->u.a.items[0];
        CHECK_STR(symbi_value_str(v, "action", Z("?")), t[i].action);
        CHECK_STR(symbi_value_str(v, "effect", Z("?")), t[i].allow ? "allow" : "deny");
        if ((symbi_value_getz(v, "warning") != NULL) != t[i].warning) printf("warning: %s\n", text), t_now_failed = 1;
        symbi_comm_rules_unref(r);
    }
}

static void test_action_filter(void)
{
    symbi_comm_rules *r = rules("[{\"from_agent\":\"*\",\"to_agent\":\"*\",\"action\":\"send_*\"},{\"from_agent\":\"x\",\"to_agent\":\"*\",\"action\":\"*\"}]");
    REQUIRE(r);
    ALLOWS(r, "a", "b", "send_message");
    ALLOWS(r, "a", "b", "send_");
    DENIES(r, "a", "b", "delegate");
    DENIES(r, "a", "b", "Send_message"); /* case-sensitive */
    ALLOWS(r, "x", "b", "delegate");
    DENIES(r, "X", "b", "delegate");
    symbi_comm_rules_unref(r);
}

static void test_order(void)
{
    /* higher priority first, whatever the order of insertion; negative and far numbers too */
    symbi_comm_rules *r = rules("[{\"id\":\"low\",\"from_agent\":\"*\",\"to_agent\":\"*\",\"action\":\"deny\",\"priority\":-9223372036854775808},"
                                "{\"id\":\"mid\",\"from_agent\":\"a*\",\"to_agent\":\"*\",\"action\":\"allow\"},"
                                "{\"id\":\"high\",\"from_agent\":\"ab\",\"to_agent\":\"*\",\"action\":\"deny\",\"priority\":9223372036854775807}]");
    REQUIRE(r);
    CHECK_STR(ask(r, "ab", "b", "x").rule_id, "high");
    CHECK_STR(ask(r, "aa", "b", "x").rule_id, "mid");
    CHECK_STR(ask(r, "b", "b", "x").rule_id, "low");
    symbi_comm_rules_unref(r);
}

static void test_ties(void)
{
    static const char text[] = "[{\"id\":\"a1\",\"from_agent\":\"*\",\"to_agent\":\"*\",\"action\":\"allow\"},"
                               "{\"id\":\"a2\",\"from_agent\":\"*\",\"to_agent\":\"*\",\"action\":\"allow\"},"
                               "{\"id\":\"d1\",\"from_agent\":\"bad\",\"to_agent\":\"*\",\"action\":\"deny\"},"
                               "{\"id\":\"d2\",\"from_agent\":\"*\",\"to_agent\":\"b\",\"action\":\"deny\"}]";
    symbi_comm_rules *r = rules(text);
    REQUIRE(r);
    CHECK_STR(ask(r, "bad", "x", "m").rule_id, "d1"); /* deny before allow */
    CHECK_STR(ask(r, "bad", "b", "m").rule_id, "d1"); /* then insertion */
    CHECK_STR(ask(r, "ok", "b", "m").rule_id, "d2");
    CHECK_STR(ask(r, "ok", "x", "m").rule_id, "a1");
    symbi_comm_rules_unref(r);
    r = rules_with(text, SYMBI_COMM_FIRST_WINS);
    REQUIRE(r);
    CHECK_STR(ask(r, "bad", "b", "m").rule_id, "a1"); /* the runtime's order */
    symbi_comm_rules_unref(r);
}

static void test_depth(void)
{
    symbi_comm_rules *r = rules("[{\"id\":\"three\",\"from_agent\":\"a\",\"to_agent\":\"*\",\"action\":\"allow\",\"priority\":9,\"max_depth\":3},"
                                "{\"id\":\"more\",\"from_agent\":\"a\",\"to_agent\":\"m\",\"action\":\"allow\"},"
                                "{\"id\":\"none\",\"from_agent\":\"z\",\"to_agent\":\"*\",\"action\":\"allow\",\"max_depth\":0},"
                                "{\"id\":\"no\",\"from_agent\":\"d\",\"to_agent\":\"*\",\"action\":\"deny\",\"max_depth\":1,\"priority\":1},"
                                "{\"id\":\"yes\",\"from_agent\":\"d\",\"to_agent\":\"*\",\"action\":\"allow\"},"
                                "{\"id\":\"seven\",\"from_agent\":\"a\",\"to_agent\":\"s\",\"action\":\"allow\",\"max_depth\":7}]");
    symbi_comm_answer a;
    REQUIRE(r);
    CHECK_STR(ask_at(r, "a", "b", "m", 3).rule_id, "three");
    CHECK(ask_at(r, "a", "b", "m", 3).allowed);
    CHECK(ask_at(r, "a", "b", "m", 0).allowed); /* not given */
    a = ask_at(r, "a", "b", "m", 4);
    CHECK(!a.allowed && a.cause == SYMBI_COMM_TOO_DEEP);
    CHECK_STR(a.reason, "max_depth exceeded");
    CHECK_STR(a.rule_id, "three");
    a = ask_at(r, "a", "m", "m", 4); /* falls through to a later allow */
    CHECK(a.allowed);
    CHECK_STR(a.rule_id, "more");
    CHECK_STR(ask_at(r, "a", "s", "m", 7).rule_id, "seven");
    a = ask_at(r, "a", "s", "m", 8);
    CHECK(!a.allowed && a.cause == SYMBI_COMM_TOO_DEEP);
    CHECK_STR(a.rule_id, "three");
    CHECK(ask_at(r, "z", "b", "m", 1).cause == SYMBI_COMM_TOO_DEEP);
    CHECK_STR(ask_at(r, "d", "b", "m", 5).rule_id, "no"); /* deny ignores max_depth */
    CHECK(ask_at(r, "a", "b", "m", UINT32_MAX).cause == SYMBI_COMM_TOO_DEEP);
    symbi_comm_rules_unref(r);
    /* a default of allow does not help a message that is too deep; a later deny has the word before both */
    r = rules_with("[{\"id\":\"one\",\"from_agent\":\"a\",\"to_agent\":\"*\",\"action\":\"allow\",\"max_depth\":1,\"priority\":2},"
                   "{\"id\":\"d\",\"from_agent\":\"a\",\"to_agent\":\"x\",\"action\":\"deny\"}]",
                   SYMBI_COMM_DEFAULT_ALLOW);
    REQUIRE(r);
    CHECK(!ask_at(r, "a", "b", "m", 2).allowed);
    a = ask_at(r, "a", "x", "m", 2);
    CHECK(a.cause == SYMBI_COMM_RULE);
    CHECK_STR(a.rule_id, "d");
    symbi_comm_rules_unref(r);
}

static void test_default(void)
{
    symbi_comm_rules *r = rules("[]");
    REQUIRE(r);
    DENIES(r, "a", "b", "m");
    symbi_comm_rules_unref(r);
    r = rules_with("[]", SYMBI_COMM_DEFAULT_ALLOW);
    REQUIRE(r);
    ALLOWS(r, "a", "b", "m");
    CHECK_STR(ask(r, "a", "b", "m").reason, "No matching rule and default is allow");
    symbi_comm_rules_unref(r);
    DENIES(NULL, "a", "b", "m");
    r = rules("{\"rules\":{},\"default\":\"allow\"}"); /* an empty Lua table */
    REQUIRE(r);
    ALLOWS(r, "a", "b", "m");
    symbi_comm_rules_unref(r);
    r = rules_with("{\"rules\":[],\"default\":\"deny\"}", SYMBI_COMM_DEFAULT_ALLOW); /* the document has the last word */
    REQUIRE(r);
    DENIES(r, "a", "b", "m");
    symbi_comm_rules_unref(r);
    r = rules("{\"ties\":\"first\",\"rules\":[{\"from\":\"a\",\"to\":\"b\",\"action\":\"allow\"},{\"from\":\"a\",\"to\":\"b\",\"action\":\"deny\"}]}");
    REQUIRE(r);
    ALLOWS(r, "a", "b", "m");
    symbi_comm_rules_unref(r);
}

static void test_reasons(void)
{
    symbi_comm_rules *r = rules("[{\"id\":\"r1\",\"from_agent\":\"a\",\"to_agent\":\"*\",\"action\":\"allow\",\"reason\":\"works together\"},"
                                "{\"id\":\"r2\",\"from_agent\":\"b\",\"to_agent\":\"*\",\"action\":\"deny\",\"reason\":\"on leave\"},"
                                "{\"id\":\"r3\",\"name\":\"quiet\",\"from_agent\":\"c\",\"to_agent\":\"*\",\"action\":\"deny\",\"reason\":\"hush\"},"
                                "{\"id\":\"r4\",\"from_agent\":\"d\",\"to_agent\":\"*\",\"action\":\"deny\",\"reason\":\"\"},"
                                "{\"id\":\"r5\",\"name\":\"n\",\"from_agent\":\"e\",\"to_agent\":\"*\",\"action\":\"allow\"}]");
    REQUIRE(r);
    CHECK_STR(ask(r, "a", "x", "m").reason, "works together");
    CHECK_STR(ask(r, "b", "x", "m").reason, "[r2] on leave");
    CHECK_STR(ask(r, "c", "x", "m").reason, "[quiet] hush");
    CHECK_STR(ask(r, "d", "x", "m").reason, "[r4] matched rule r4");
    CHECK_STR(ask(r, "e", "x", "m").reason, "matched rule r5");
    symbi_comm_rules_unref(r);
}

static void test_shapes(void)
{
    /* the response as it goes over the wire, and rules that can be fed back */
    symbi_comm_rules *r = rules("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"deny\",\"effect\":\"allow\"}]"), *again = NULL;
    symbi_doc *d = json("{\"sender\":\"a\",\"recipient\":\"b\",\"action\":\"send_message\",\"depth\":2}");
    symbi_comm_answer a;
    symbi_comm_view view;
    symbi_text t = { 0 };
    symbi_err err;
    REQUIRE(r && d);
    CHECK_OK(symbi_comm_evaluate(r, symbi_doc_root(d), &a, &err), err);
    CHECK_OK(symbi_json_write(cx, symbi_comm_answer_value(&a, &view), 0, &t, &err), err);
    CHECK_STR(symbi_text_str(&t),
              "{\"allowed\":false,\"effect\":\"deny\",\"reason\":\"[rule-1] matched rule rule-1\",\"rule\":{\"id\":\"rule-1\",\"from_agent\":\"a\",\"to_agent\":\"b\","
              "\"action\":\"deny\",\"effect\":\"deny\",\"reason\":\"\",\"priority\":0,\"max_depth\":null,"
              "\"warning\":\"action and effect contradict each other; the rule denies\"}}");
    symbi_text_free(&t);
    CHECK_OK(symbi_comm_rules_parse(cx, symbi_comm_rules_value(r), 0, &again, &err), err);
    symbi_comm_rules_unref(r);
    REQUIRE(again);
    DENIES(again, "a", "b", "m");
    symbi_comm_check(again, Z("x"), Z("y"), Z("m"), 1, &a);
    CHECK_OK(symbi_json_write(cx, symbi_comm_answer_value(&a, &view), 0, &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "{\"allowed\":false,\"effect\":\"deny\",\"reason\":\"No matching rule and default is deny\",\"rule\":null}");
    symbi_text_free(&t);
    symbi_comm_rules_unref(again);
    symbi_doc_unref(d);
}

static void test_ids(void)
{
    /* made ids keep clear of given ones, before and after them */
    symbi_comm_rules *r = rules("[{\"from\":\"a\",\"to\":\"b\",\"action\":\"*\"},{\"id\":\"rule-3\",\"from\":\"a\",\"to\":\"b\",\"action\":\"*\"},"
                                "{\"id\":null,\"from\":\"a\",\"to\":\"b\",\"action\":\"*\"},{\"from\":\"a\",\"to\":\"b\",\"action\":\"*\"}]");
    static const char *const want[] = { "rule-1", "rule-3", "rule-4", "rule-5" };
    REQUIRE(r);
    REQUIRE(symbi_comm_rules_count(r) == 4);
    for (size_t i = 0; i < 4; i++) CHECK_STR(symbi_value_str(&symbi_comm_rules_value(r)->u.a.items[i], "id", Z("?")), want[i]);
    CHECK(!symbi_comm_rules_get(r, Z("rule-2")));
    symbi_comm_rules_unref(r);
}

/* ---- patterns ---- */

/* What a pattern means, written down without thought of speed: over code points that are single bytes here. */
static bool means(const char *p, const char *s)
{
    if (!*p) return !*s;
    if (*p == '*') return means(p + 1, s) || (*s && means(p, s + 1));
    return *s && (*p == '?' || *p == *s) && means(p + 1, s + 1);
}

static symbi_comm_rules *one_pattern(const char *pattern)
{
    char text[700];
    snprintf(text, sizeof text, "[{\"from_agent\":\"%s\",\"to_agent\":\"*\",\"action\":\"*\"}]", pattern);
    return rules(text);
}

static void test_patterns(void)
{
    static const struct {
        const char *pattern, *name;
        bool match;
    } t[] = {
        { "a", "a", true },          { "a", "ab", false },         { "ab", "a", false },          { "*", "x", true },           { "**", "x", true },
        { "a*", "a", true },         { "a*", "abc", true },        { "a*", "ba", false },         { "*a", "ba", true },         { "*a", "ab", false },
        { "a*b", "ab", true },       { "a*a", "a", false },        { "ab*ba", "aba", false },     { "ab*ba", "abba", true },    { "a**b", "axxb", true },
        { "?", "a", true },          { "?", "ab", false },         { "?", "\xc3\xa9", true },     { "??", "\xc3\xa9", false },  { "a?c", "a\xe2\x82\xac" "c", true },
        { "*?", "\xf0\x9f\x98\x80", true }, { "\xc3\xa9*", "\xc3\xa9t", true }, { "*a*b*", "xxaxxbxx", true }, { "*a*b*", "xxbxxa", false }, { "a*b*c", "abbcc", true },
        { "a*?", "a", false },       { "a*?", "ab", true },        { "?*?", "a", false },         { "?*?", "ab", true },        { "*-?-*", "a-b-c", true },
        { "*-?-*", "a-bb-c", false },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        symbi_comm_rules *r = one_pattern(t[i].pattern);
        REQUIRE(r);
        if (ask(r, t[i].name, "x", "m").allowed != t[i].match) printf("%s against %s\n", t[i].pattern, t[i].name), t_now_failed = 1;
        symbi_comm_rules_unref(r);
    }
}

/* Every pattern up to 5 of a, b, *, ? against every name up to 5 of a, b. */
static void test_patterns_all(void)
{
    static const char pc[] = "ab*?";
    for (unsigned len = 1; len <= 5; len++) {
        for (unsigned code = 0; code < 1u << (2 * len); code++) {
            char pattern[8] = "";
            symbi_comm_rules *r;
            for (unsigned i = 0; i < len; i++) pattern[i] = pc[(code >> (2 * i)) & 3];
            r = one_pattern(pattern);
            REQUIRE(r);
            for (unsigned n = 1; n <= 5; n++) {
                for (unsigned bits = 0; bits < 1u << n; bits++) {
                    char name[8] = "";
                    for (unsigned i = 0; i < n; i++) name[i] = (bits >> i) & 1 ? 'b' : 'a';
                    if (ask(r, name, "x", "m").allowed != means(pattern, name)) {
                        printf("%s against %s\n", pattern, name);
                        t_now_failed = 1;
                    }
                }
            }
            symbi_comm_rules_unref(r);
            if (t_now_failed) return;
        }
    }
}

/* The longest patterns: states beyond one machine word, and the shape that makes backtracking explode. */
static void test_patterns_long(void)
{
    char pattern[260], name[260];
    symbi_comm_rules *r;
    memset(pattern, '?', 256);
    pattern[256] = 0;
    memset(name, 'n', 256);
    name[256] = 0;
    r = one_pattern(pattern); /* 256 characters exactly */
    REQUIRE(r);
    ALLOWS(r, name, "x", "m");
    name[255] = 0;
    DENIES(r, name, "x", "m");
    symbi_comm_rules_unref(r);
    for (int i = 0; i < 250; i += 2) pattern[i] = '*', pattern[i + 1] = 'n';
    strcpy(pattern + 250, "*b");
    r = one_pattern(pattern);
    REQUIRE(r);
    memset(name, 'n', 256);
    name[256] = 0;
    DENIES(r, name, "x", "m");
    name[255] = 'b';
    ALLOWS(r, name, "x", "m");
    name[140] = 'b';
    ALLOWS(r, name, "x", "m"); /* 254 n are left for 125 */
    symbi_comm_rules_unref(r);
    for (int at = 60; at < 70; at++) { /* around the border of a word */
        memset(pattern, 'p', 130);
        pattern[130] = 0;
        pattern[at] = '*';
        pattern[at + 40] = '?';
        r = one_pattern(pattern);
        REQUIRE(r);
        memset(name, 'p', 256);
        name[200] = 0;
        ALLOWS(r, name, "x", "m");
        name[129] = 0;
        ALLOWS(r, name, "x", "m");
        name[128] = 0;
        DENIES(r, name, "x", "m");
        name[128] = 'q';
        name[129] = 0;
        DENIES(r, name, "x", "m");
        symbi_comm_rules_unref(r);
    }
}

/* ---- bad input ---- */

static void test_bad_requests(void)
{
    symbi_comm_rules *r = rules_with("[{\"from_agent\":\"*\",\"to_agent\":\"*\",\"action\":\"allow\"}]", SYMBI_COMM_DEFAULT_ALLOW);
    char name[SYMBI_COMM_MAX_NAME + 2];
    symbi_comm_answer a;
    symbi_str null = { NULL, 0 };
    REQUIRE(r);
    memset(name, 'x', sizeof name);
    name[SYMBI_COMM_MAX_NAME] = 0;
    ALLOWS(r, name, name, name);
    name[SYMBI_COMM_MAX_NAME] = 'x';
    name[SYMBI_COMM_MAX_NAME + 1] = 0;
    DENIES(r, name, "b", "m");
    DENIES(r, "a", name, "m");
    DENIES(r, "a", "b", name);
    DENIES(r, "", "b", "m");
    DENIES(r, "a", "", "m");
    DENIES(r, "a", "b", "");
    DENIES(r, "\xff", "b", "m");
    DENIES(r, "a", "\xc0\x80", "m");
    DENIES(r, "a", "b", "\xed\xa0\x80");
    a = ask(r, "a", "", "m");
    CHECK(a.cause == SYMBI_COMM_BAD_REQUEST);
    CHECK_STR(a.reason, "the recipient is empty");
    symbi_comm_check(r, null, null, null, 1, &a);
    CHECK(!a.allowed);
    symbi_comm_rules_unref(r);
}

static void test_bad_evaluate(void)
{
    static const struct {
        const char *text, *path, *part;
    } t[] = {
        { "[]", "/", "an object" },
        { "\"x\"", "/", "an object" },
        { "{}", "/sender", "missing" },
        { "{\"sender\":\"a\"}", "/recipient", "missing" },
        { "{\"sender\":\"a\",\"recipient\":\"b\"}", "/action", "missing" },
        { "{\"sender\":1,\"recipient\":\"b\",\"action\":\"m\"}", "/sender", "string" },
        { "{\"sender\":\"a\",\"recipient\":null,\"action\":\"m\"}", "/recipient", "string" },
        { "{\"sender\":\"a\",\"recipient\":\"b\",\"action\":\"\"}", "/action", "empty" },
        { "{\"sender\":\"a\",\"recipient\":\"b\",\"action\":\"m\",\"dept\":2}", "/dept", "unknown" },
        { "{\"sender\":\"a\",\"recipient\":\"b\",\"action\":\"m\",\"depth\":0}", "/depth", "integer" },
        { "{\"sender\":\"a\",\"recipient\":\"b\",\"action\":\"m\",\"depth\":4294967296}", "/depth", "integer" },
        { "{\"sender\":\"a\",\"recipient\":\"b\",\"action\":\"m\",\"depth\":1.0}", "/depth", "integer" },
        { "{\"sender\":\"a\",\"recipient\":\"b\",\"action\":\"m\",\"depth\":\"1\"}", "/depth", "integer" },
    };
    symbi_comm_rules *r = rules_with("[{\"from_agent\":\"*\",\"to_agent\":\"*\",\"action\":\"allow\"}]", SYMBI_COMM_DEFAULT_ALLOW);
    REQUIRE(r);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        symbi_doc *d = json(t[i].text);
        symbi_comm_answer a;
        symbi_err err;
        REQUIRE(d);
        memset(&a, 0xff, sizeof a);
        if (symbi_comm_evaluate(r, symbi_doc_root(d), &a, &err) != SYMBI_ESCHEMA || a.allowed || a.rule || strcmp(err.path, t[i].path) || !strstr(err.msg, t[i].part)) {
            printf("%s: %d %s %s\n", t[i].text, a.allowed, err.path, err.msg);
            t_now_failed = 1;
        }
        symbi_doc_unref(d);
    }
    symbi_comm_rules_unref(r);
}

static void test_bad_rules(void)
{
    REFUSED("3", "", "list of rules");
    REFUSED("\"x\"", "", "list of rules");
    REFUSED("null", "", "list of rules");
    REFUSED("{}", "/rules", "missing");
    REFUSED("{\"rules\":3}", "/rules", "list of rules");
    REFUSED("{\"rules\":{\"a\":1}}", "/rules", "list of rules");
    REFUSED("{\"rule\":[]}", "/", "unknown");
    REFUSED("{\"rules\":[],\"default\":\"open\"}", "/default", "must be \"deny\" or \"allow\"");
    REFUSED("{\"rules\":[],\"default\":true}", "/default", "must be");
    REFUSED("{\"rules\":[],\"ties\":\"last\"}", "/ties", "must be \"deny\" or \"first\"");
    REFUSED("{\"rules\":[],\"mode\":\"x\"}", "/mode", "must be");
    REFUSED("{\"rules\":[],\"mode\":\"permissive\",\"ties\":\"deny\"}", "/mode", "already");
    REFUSED("[3]", "/0", "rule 1 must be an object");
    REFUSED("[{}]", "/0/from_agent", "rule 1: from_agent is missing");
    REFUSED("[{\"from_agent\":\"a\"}]", "/0/to_agent", "to_agent is missing");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\"}]", "/0/action", "action is missing");
    REFUSED("[{\"id\":\"ops\",\"from_agent\":7,\"to_agent\":\"b\",\"action\":\"m\"}]", "/0/from_agent", "rule 1 ('ops'): from_agent must be a string, not integer");
    REFUSED("{\"rules\":[{\"from\":\"a\",\"to\":\"b\",\"action\":\"m\"},{\"from\":\"a\",\"to\":\"\",\"action\":\"m\"}]}", "/rules/1/to", "rule 2: to must not be empty");
    REFUSED("[{\"from_agent\":\"a\",\"fromAgent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\"}]", "/0/fromAgent", "is there already as from_agent");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"max_dept\":1}]", "/0/max_dept", "no field of a rule");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"max_depth\":-1}]", "/0/max_depth", "negative");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"max_depth\":1.5}]", "/0/max_depth", "integer");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"max_depth\":\"1\"}]", "/0/max_depth", "integer");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"priority\":1.0}]", "/0/priority", "integer");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"priority\":null}]", "/0/priority", "integer");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"effect\":\"Deny\"}]", "/0/effect", "\"allow\" or \"deny\"");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"effect\":null}]", "/0/effect", "\"allow\" or \"deny\"");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"effect\":{\"deny\":\"x\"}}]", "/0/effect", "\"allow\" or \"deny\"");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"Deny\"}]", "/0/action", "lower case"); /* else a deny that denies nothing */
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"ALLOW\"}]", "/0/action", "lower case");
    REFUSED("[{\"from_agent\":\" a\",\"to_agent\":\"b\",\"action\":\"m\"}]", "/0/from_agent", "space");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b \",\"action\":\"m\"}]", "/0/to_agent", "space");
    REFUSED("[{\"from_agent\":\"a\\u0000\",\"to_agent\":\"b\",\"action\":\"m\"}]", "/0/from_agent", "control");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"reason\":\"x\\ny\"}]", "/0/reason", "control");
    REFUSED("[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"reason\":null}]", "/0/reason", "string");
    REFUSED("[{\"id\":\"\",\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\"}]", "/0/id", "empty");
    REFUSED("[{\"id\":1,\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\"}]", "/0/id", "string");
    REFUSED("[{\"id\":\"x\",\"from\":\"a\",\"to\":\"b\",\"action\":\"m\"},{\"from\":\"a\",\"to\":\"b\",\"action\":\"m\"},{\"id\":\"x\",\"from\":\"a\",\"to\":\"b\",\"action\":\"m\"}]", "/2/id",
            "rule 3: id 'x' is the id of rule 1 already");
    /* the runtime's form */
    REFUSED("[{\"condition\":{\"always\":true}}]", "/0/effect", "missing");
    REFUSED("[{\"condition\":{\"always\":true},\"effect\":\"allow\"}]", "/0/effect", "beside condition");
    REFUSED("[{\"condition\":{\"always\":true},\"effect\":{\"allow\":false}}]", "/0/effect", "beside condition");
    REFUSED("[{\"condition\":{\"always\":true},\"effect\":{\"deny\":true}}]", "/0/effect", "beside condition");
    REFUSED("[{\"condition\":{\"always\":true},\"effect\":{\"allow\":true,\"deny\":\"x\"}}]", "/0/effect", "beside condition");
    REFUSED("[{\"condition\":{\"always\":true},\"effect\":{\"allow\":true},\"from_agent\":\"a\"}]", "/0/from_agent", "no meaning");
    REFUSED("[{\"condition\":{\"always\":true},\"effect\":{\"allow\":true},\"priority\":-1}]", "/0/priority", "4294967295");
    REFUSED("[{\"condition\":{\"always\":true},\"effect\":{\"allow\":true},\"priority\":4294967296}]", "/0/priority", "4294967295");
    REFUSED("[{\"condition\":null,\"effect\":{\"allow\":true}}]", "/0/condition", "must be an object");
    REFUSED("[{\"condition\":{},\"effect\":{\"allow\":true}}]", "/0/condition", "one member");
    REFUSED("[{\"condition\":{\"always\":false},\"effect\":{\"allow\":true}}]", "/0/condition", "must be true");
    REFUSED("[{\"condition\":{\"topic_is\":\"x\"},\"effect\":{\"allow\":true}}]", "/0/condition", "unknown kind 'topic_is'");
    REFUSED("[{\"condition\":{\"sender_is\":1},\"effect\":{\"allow\":true}}]", "/0/condition", "string");
    REFUSED("[{\"condition\":{\"sender_is\":\"\"},\"effect\":{\"allow\":true}}]", "/0/condition", "empty");
    REFUSED("[{\"condition\":{\"all\":[{\"any\":3}]},\"effect\":{\"allow\":true}}]", "/0/condition", "list of conditions in 'any'");
    REFUSED("[{\"condition\":{\"always\":true,\"any\":[]},\"effect\":{\"allow\":true}}]", "/0/condition", "one member");
}

static void test_line(void)
{
    symbi_doc *d = json("[\n {\"from_agent\":\"a\",\n  \"to_agent\":\"b\",\n  \"action\":7}]");
    symbi_comm_rules *r;
    symbi_err err;
    REQUIRE(d);
    CHECK(symbi_comm_rules_parse(cx, symbi_doc_root(d), 0, &r, &err) == SYMBI_ESCHEMA);
    CHECK(err.line == 4);
    symbi_doc_unref(d);
}

static void test_keep_unknown(void)
{
    static const char text[] = "[{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\",\"owner\":{\"team\":[\"x\",1]},\"note\":null}]";
    symbi_comm_rules *r = rules_with(text, SYMBI_COMM_KEEP_UNKNOWN);
    const symbi_value *v;
    REQUIRE(r);
    v = &symbi_comm_rules_value(r)->u.a.items[0];
    CHECK_STR(symbi_value_str(symbi_value_getz(v, "owner"), "team", Z("-")), "-");
    CHECK(symbi_value_getz(symbi_value_getz(v, "owner"), "team")->u.a.n == 2);
    CHECK(symbi_value_getz(v, "note") && symbi_value_getz(v, "note")->kind == SYMBI_NULL);
    symbi_comm_rules_unref(r);
    REFUSED(text, "/0/owner", "no field of a rule");
}

/* ---- limits: at, and one past ---- */

static char *filled(const char *head, const char *unit, size_t times, const char *sep, const char *tail)
{
    size_t n = strlen(head) + times * (strlen(unit) + strlen(sep)) + strlen(tail) + 1;
    char *p = malloc(n), *q = p;
    q += sprintf(q, "%s", head);
    for (size_t i = 0; i < times; i++) q += sprintf(q, "%s%s", i ? sep : "", unit);
    sprintf(q, "%s", tail);
    return p;
}

static void at_limit(const char *head, const char *unit, size_t max, const char *sep, const char *tail, const char *path, const char *part)
{
    char *text = filled(head, unit, max, sep, tail);
    symbi_comm_rules *r = rules(text);
    CHECK(r);
    symbi_comm_rules_unref(r);
    free(text);
    text = filled(head, unit, max + 1, sep, tail);
    refused_with(text, 0, SYMBI_ELIMIT, path, part, (int)max);
    free(text);
}

static void test_limits(void)
{
    at_limit("[", "{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\"}", SYMBI_COMM_MAX_RULES, ",", "]", "", "4097 communication rules are more than the 4096");
    at_limit("[{\"to\":\"b\",\"action\":\"m\",\"from\":\"", "x", SYMBI_COMM_MAX_NAME, "", "\"}]", "/0/from", "longer than 256");
    at_limit("[{\"from\":\"b\",\"action\":\"m\",\"to\":\"", "?", SYMBI_COMM_MAX_NAME, "", "\"}]", "/0/to", "longer than 256");
    at_limit("[{\"from\":\"b\",\"to\":\"m\",\"action\":\"", "x", SYMBI_COMM_MAX_NAME, "", "\"}]", "/0/action", "longer than 256");
    at_limit("[{\"from\":\"b\",\"to\":\"m\",\"action\":\"m\",\"id\":\"", "x", SYMBI_COMM_MAX_NAME, "", "\"}]", "/0/id", "longer than 256");
    at_limit("[{\"from\":\"b\",\"to\":\"m\",\"action\":\"m\",\"name\":\"", "x", SYMBI_COMM_MAX_NAME, "", "\"}]", "/0/name", "longer than 256");
    at_limit("[{\"from\":\"b\",\"to\":\"m\",\"action\":\"deny\",\"reason\":\"", "x", SYMBI_COMM_MAX_REASON, "", "\"}]", "/0/reason", "longer than 1024");
    at_limit("[{\"condition\":{\"always\":true},\"effect\":{\"deny\":\"", "x", SYMBI_COMM_MAX_REASON, "", "\"}}]", "/0/effect", "longer than 1024");
    at_limit("[{\"effect\":{\"allow\":true},\"condition\":{\"any\":[", "{\"always\":true}", SYMBI_COMM_MAX_CONDITIONS - 1, ",", "]}}]", "/0/condition", "more than 256");
}

static void test_nesting(void)
{
    for (size_t n = SYMBI_COMM_MAX_NESTING; n <= SYMBI_COMM_MAX_NESTING + 1; n++) {
        char *open = filled("[{\"effect\":{\"allow\":true},\"condition\":", "{\"all\":[", n, "", ""), *text = filled(open, "]}", n, "", "}]");
        if (n == SYMBI_COMM_MAX_NESTING) {
            symbi_comm_rules *r = rules(text);
            REQUIRE(r);
            ALLOWS(r, "a", "b", "m");
            symbi_comm_rules_unref(r);
        } else {
            refused_with(text, 0, SYMBI_ELIMIT, "/0/condition", "nested", __LINE__);
        }
        free(open);
        free(text);
    }
}

/* Parts are counted over the whole rule, not list by list. */
static void test_conditions_in_all(void)
{
    for (int over = 0; over < 2; over++) {
        char *open = filled("[{\"effect\":{\"allow\":true},\"condition\":{\"any\":[{\"any\":[", "{\"always\":true}", SYMBI_COMM_MAX_CONDITIONS - 3, ",", "]},{\"always\":true}");
        char *text = filled(open, ",{\"always\":true}", (size_t)over, "", "]}}]");
        if (over) {
            refused_with(text, 0, SYMBI_ELIMIT, "/0/condition", "more than 256", __LINE__);
        } else {
            symbi_comm_rules *r = rules(text);
            CHECK(r);
            symbi_comm_rules_unref(r);
        }
        free(open);
        free(text);
    }
}

static void test_memory_limit(void)
{
    symbi_ctx *small = NULL;
    symbi_env env;
    symbi_err err;
    symbi_doc *d;
    symbi_comm_rules *r;
    char *text = filled("[", "{\"from_agent\":\"a?*b?*c?*d?*e?\",\"to_agent\":\"b\",\"action\":\"m\"}", 200, ",", "]");
    symbi_env_init(&env);
    env.limits.arena_bytes = 100000;
    CHECK_OK(symbi_ctx_new(&env, &small, &err), err);
    d = json(text);
    free(text);
    REQUIRE(small && d);
    CHECK(symbi_comm_rules_parse(small, symbi_doc_root(d), 0, &r, &err) == SYMBI_ELIMIT && !r);
    symbi_doc_unref(d);
    symbi_ctx_free(small);
}

/* ---- the list ---- */

static symbi_status add(symbi_comm_list *l, const char *text, bool replace, const symbi_value **added, symbi_err *err)
{
    symbi_doc *d = json(text);
    symbi_status st = d ? symbi_comm_list_add(l, symbi_doc_root(d), replace, added, err) : SYMBI_EPARSE;
    symbi_doc_unref(d);
    return st;
}

static void test_list(void)
{
    symbi_comm_list *l = NULL;
    symbi_comm_rules *before;
    const symbi_value *v;
    symbi_err err;
    CHECK_OK(symbi_comm_list_new(cx, NULL, 0, &l, &err), err);
    REQUIRE(l);
    DENIES(symbi_comm_list_rules(l), "a", "b", "m");
    CHECK_OK(add(l, "{\"from_agent\":\"a\",\"to_agent\":\"*\",\"action\":\"allow\"}", false, &v, &err), err);
    REQUIRE(v);
    CHECK_STR(symbi_value_str(v, "id", Z("?")), "rule-1");
    CHECK_OK(add(l, "{\"id\":\"x\",\"from_agent\":\"*\",\"to_agent\":\"b\",\"action\":\"deny\"}", false, &v, &err), err);
    CHECK_OK(add(l, "{\"from_agent\":\"c\",\"to_agent\":\"*\",\"action\":\"allow\"}", false, &v, &err), err);
    CHECK_STR(symbi_value_str(v, "id", Z("?")), "rule-2");
    before = symbi_comm_rules_ref(symbi_comm_list_rules(l));
    CHECK_STR(ask(before, "a", "b", "m").rule_id, "x");
    CHECK_STR(ask(before, "a", "c", "m").rule_id, "rule-1");

    /* a failure changes nothing */
    CHECK(add(l, "{\"id\":\"x\",\"from_agent\":\"*\",\"to_agent\":\"*\",\"action\":\"allow\"}", false, &v, &err) == SYMBI_EEXISTS && !v);
    CHECK(add(l, "{\"id\":\"y\",\"from_agent\":\"*\",\"to_agent\":\"*\"}", false, &v, &err) == SYMBI_ESCHEMA);
    CHECK(!strcmp(err.path, "/action") && strstr(err.msg, "the rule ('y'): action is missing"));
    CHECK(symbi_comm_list_remove(l, Z("nope"), &err) == SYMBI_ENOTFOUND && strstr(err.msg, "nope"));
    CHECK(symbi_comm_list_rules(l) == before);

    /* replace keeps the place */
    CHECK_OK(add(l, "{\"id\":\"x\",\"from_agent\":\"*\",\"to_agent\":\"c\",\"action\":\"deny\"}", true, &v, &err), err);
    CHECK(symbi_comm_rules_count(symbi_comm_list_rules(l)) == 3);
    CHECK_STR(symbi_value_str(&symbi_comm_rules_value(symbi_comm_list_rules(l))->u.a.items[1], "to_agent", Z("?")), "c");
    ALLOWS(symbi_comm_list_rules(l), "a", "b", "m");
    DENIES(symbi_comm_list_rules(l), "a", "c", "m");
    DENIES(before, "a", "b", "m"); /* who holds the old set still sees the old set */
    ALLOWS(before, "a", "c", "m");

    CHECK_OK(symbi_comm_list_remove(l, Z("rule-2"), &err), err);
    CHECK_OK(add(l, "{\"from_agent\":\"e\",\"to_agent\":\"*\",\"action\":\"allow\"}", false, &v, &err), err);
    CHECK_STR(symbi_value_str(v, "id", Z("?")), "rule-3"); /* an id does not come back */
    CHECK_OK(symbi_comm_list_remove(l, Z("rule-1"), &err), err);
    CHECK_OK(symbi_comm_list_remove(l, Z("x"), &err), err);
    CHECK_OK(symbi_comm_list_remove(l, Z("rule-3"), &err), err);
    CHECK(symbi_comm_rules_count(symbi_comm_list_rules(l)) == 0);
    DENIES(symbi_comm_list_rules(l), "a", "b", "m");
    symbi_comm_list_free(l);

    CHECK_OK(symbi_comm_list_new(cx, before, SYMBI_COMM_DEFAULT_ALLOW, &l, &err), err); /* the start's default holds */
    DENIES(symbi_comm_list_rules(l), "q", "q", "m");
    symbi_comm_list_free(l);
    symbi_comm_rules_unref(before);
    CHECK_OK(symbi_comm_list_new(cx, NULL, SYMBI_COMM_DEFAULT_ALLOW | SYMBI_COMM_FIRST_WINS, &l, &err), err);
    ALLOWS(symbi_comm_list_rules(l), "q", "q", "m");
    symbi_comm_list_free(l);
    symbi_comm_list_free(NULL);
}

/* After any change the list decides as the same rules parsed afresh do. */
static void test_list_order(void)
{
    symbi_comm_list *l = NULL;
    symbi_err err;
    unsigned x = 12345;
    for (unsigned flags = 0; flags <= SYMBI_COMM_FIRST_WINS; flags += SYMBI_COMM_FIRST_WINS) {
        CHECK_OK(symbi_comm_list_new(cx, NULL, flags, &l, &err), err);
        REQUIRE(l);
        for (int step = 0; step < 400; step++) {
            symbi_comm_rules *now, *fresh = NULL;
            const symbi_value *v;
            char text[160], id[16];
            x = x * 1103515245u + 12345u;
            snprintf(id, sizeof id, "id%u", (x >> 8) % 20);
            if ((x >> 16) % 3 == 0) {
                symbi_status st = symbi_comm_list_remove(l, Z(id), &err);
                CHECK(st == SYMBI_OK || st == SYMBI_ENOTFOUND);
            } else {
                snprintf(text, sizeof text, "{\"id\":\"%s\",\"from\":\"%c*\",\"to\":\"*\",\"action\":\"%s\",\"priority\":%u}", id, "ab*"[(x >> 18) % 3], (x >> 20) & 1 ? "allow" : "deny", (x >> 22) % 3);
                CHECK_OK(add(l, text, true, &v, &err), err);
            }
            now = symbi_comm_list_rules(l);
            CHECK_OK(symbi_comm_rules_parse(cx, symbi_comm_rules_value(now), flags, &fresh, &err), err);
            REQUIRE(fresh);
            for (const char *name = "abc"; *name; name++) {
                char from[2] = { *name, 0 };
                symbi_comm_answer a = ask(now, from, "x", "m"), b = ask(fresh, from, "x", "m");
                CHECK(a.allowed == b.allowed && a.rule_id.n == b.rule_id.n && !memcmp(a.rule_id.p, b.rule_id.p, a.rule_id.n));
            }
            symbi_comm_rules_unref(fresh);
            if (t_now_failed) break;
        }
        symbi_comm_list_free(l);
    }
}

static void test_list_limit(void)
{
    symbi_comm_list *l = NULL;
    symbi_comm_rules *r;
    const symbi_value *v;
    symbi_err err;
    char *text = filled("[", "{\"from_agent\":\"a\",\"to_agent\":\"b\",\"action\":\"m\"}", SYMBI_COMM_MAX_RULES - 1, ",", "]");
    r = rules(text);
    free(text);
    REQUIRE(r);
    CHECK_OK(symbi_comm_list_new(cx, r, 0, &l, &err), err);
    symbi_comm_rules_unref(r);
    CHECK_OK(add(l, "{\"id\":\"last\",\"from_agent\":\"z\",\"to_agent\":\"b\",\"action\":\"m\"}", false, &v, &err), err);
    CHECK(add(l, "{\"from_agent\":\"z\",\"to_agent\":\"b\",\"action\":\"m\"}", false, &v, &err) == SYMBI_ELIMIT);
    CHECK_OK(add(l, "{\"id\":\"last\",\"from_agent\":\"y\",\"to_agent\":\"b\",\"action\":\"m\"}", true, &v, &err), err); /* replacing needs no room */
    ALLOWS(symbi_comm_list_rules(l), "y", "b", "m");
    symbi_comm_list_free(l);
}

static void test_hash(void)
{
    static const char *const t[] = { "[]", "{\"rules\":[],\"default\":\"allow\"}", "{\"rules\":[],\"ties\":\"first\"}",
                                     "[{\"id\":\"x\",\"from\":\"a\",\"to\":\"b\",\"action\":\"m\"}]", "[{\"id\":\"x\",\"from\":\"a\",\"to\":\"b\",\"action\":\"m\",\"priority\":1}]" };
    uint8_t h[5][32], again[32];
    symbi_err err;
    for (size_t i = 0; i < 5; i++) {
        symbi_comm_rules *r = rules(t[i]), *same = rules(t[i]);
        REQUIRE(r && same);
        CHECK_OK(symbi_comm_rules_hash(cx, r, h[i], &err), err);
        CHECK_OK(symbi_comm_rules_hash(cx, same, again, &err), err);
        CHECK(!memcmp(h[i], again, 32));
        for (size_t k = 0; k < i; k++) CHECK(memcmp(h[i], h[k], 32));
        symbi_comm_rules_unref(r);
        symbi_comm_rules_unref(same);
    }
}

/* ---- memory ---- */

static const char big_doc[] = "{\"rules\":[{\"from_agent\":\"a?*b*c\",\"to_agent\":\"x*\",\"action\":\"deny\",\"reason\":\"no\",\"max_depth\":2,\"effect\":\"allow\"},"
                              "{\"id\":\"k\",\"name\":\"n\",\"condition\":{\"all\":[{\"sender_is\":\"a\"},{\"any\":[{\"recipient_is\":\"b\"},{\"always\":true}]}]},\"effect\":{\"deny\":\"r\"}},"
                              "{\"from_agent\":\"*\",\"to_agent\":\"*\",\"action\":\"allow\"}],\"ties\":\"first\"}";

static symbi_status oom_scenario(symbi_ctx *c, void *ud)
{
    symbi_doc *d = NULL;
    symbi_comm_rules *r = NULL;
    symbi_comm_list *l = NULL;
    symbi_comm_answer a;
    const symbi_value *root, *v;
    symbi_member lenient[4];
    symbi_value rule;
    symbi_status st = symbi_json_parse(c, Z(big_doc), &d, NULL);
    (void)ud;
    if (st) return st;
    root = symbi_doc_root(d);
    if ((st = symbi_comm_rules_parse(c, root, 0, &r, NULL))) goto out;
    if ((st = symbi_comm_list_new(c, r, SYMBI_COMM_KEEP_UNKNOWN, &l, NULL))) goto out;
    lenient[0].key = Z("from"), lenient[1].key = Z("to"), lenient[2].key = Z("action"), lenient[3].key = Z("extra");
    memset(&lenient[0].val, 0, sizeof lenient[0].val);
    lenient[0].val.kind = SYMBI_STRING;
    lenient[0].val.u.s = Z("*a?");
    lenient[1].val = lenient[2].val = lenient[0].val;
    lenient[3].val = symbi_value_getz(root, "rules")->u.a.items[1];
    memset(&rule, 0, sizeof rule);
    rule.kind = SYMBI_OBJECT;
    rule.u.o.members = lenient;
    rule.u.o.n = 4;
    if ((st = symbi_comm_list_add(l, &rule, false, &v, NULL))) {
        if (symbi_comm_rules_count(symbi_comm_list_rules(l)) != 3) st = SYMBI_ESTATE; /* half a change */
        goto out;
    }
    if ((st = symbi_comm_list_remove(l, Z("k"), NULL))) {
        if (symbi_comm_rules_count(symbi_comm_list_rules(l)) != 4) st = SYMBI_ESTATE;
        goto out;
    }
    symbi_comm_check(symbi_comm_list_rules(l), Z("q"), Z("q"), Z("m"), 1, &a);
    if (!a.allowed) st = SYMBI_ESTATE;
out:
    symbi_comm_list_free(l);
    symbi_comm_rules_unref(r);
    symbi_doc_unref(d);
    return st;
}

static void test_oom_everywhere(void) { test_oom(oom_scenario, NULL, SYMBI_OK); }

static void test_no_allocation(void)
{
    counting_alloc ca = { 0 };
    symbi_env env;
    symbi_ctx *c = NULL;
    symbi_doc *d = NULL, *q = NULL;
    symbi_comm_rules *r = NULL;
    symbi_comm_answer a;
    symbi_comm_view view;
    symbi_err err;
    symbi_env_init(&env);
    env.alloc.fn = env.shared_alloc.fn = counting_fn;
    env.alloc.ud = env.shared_alloc.ud = &ca;
    CHECK_OK(symbi_ctx_new(&env, &c, &err), err);
    CHECK_OK(symbi_json_parse(c, Z(big_doc), &d, &err), err);
    CHECK_OK(symbi_json_parse(c, Z("{\"sender\":\"axbc\",\"recipient\":\"x\",\"action\":\"m\"}"), &q, &err), err);
    CHECK_OK(symbi_comm_rules_parse(c, symbi_doc_root(d), 0, &r, &err), err);
    REQUIRE(r && q);
    ca.fail_at = 1; /* whatever asks now gets nothing, and is seen */
    ca.tripped = false;
    symbi_comm_check(r, Z("axbc"), Z("x"), Z("m"), 3, &a);
    CHECK(!a.allowed && a.cause == SYMBI_COMM_RULE);
    CHECK_OK(symbi_comm_evaluate(r, symbi_doc_root(q), &a, &err), err);
    CHECK(symbi_comm_answer_value(&a, &view)->kind == SYMBI_OBJECT);
    CHECK(!ca.tripped);
    ca.fail_at = 0;
    symbi_doc_unref(d);
    symbi_doc_unref(q);
    symbi_ctx_free(c);
    CHECK(!ask(r, "axbc", "x", "m").allowed); /* rules outlive their context */
    symbi_comm_rules_unref(r);
    CHECK(ca.live_blocks == 0 && ca.live_bytes == 0);
}

/* ---- the runtime's vectors ---- */

static void test_runtime_vectors(void)
{
    const char *dir = vectors_dir();
    char path[600];
    symbi_str file;
    long n = 0;
    if (!dir) SKIP("no vectors");
    snprintf(path, sizeof path, "%s/gates/communication_runtime.jsonl", dir);
    file = slurp(path);
    if (!file.p) SKIP("no gates/communication_runtime.jsonl");
    for (char *at = (char *)(uintptr_t)file.p; *at;) {
        char *end = strchr(at, '\n');
        const symbi_value *v, *rq, *expect;
        symbi_member head[2];
        symbi_value doc;
        symbi_comm_rules *r = NULL;
        symbi_comm_answer a;
        symbi_doc *d;
        symbi_err err;
        bool allow;
        if (end) *end = 0;
        if (!*at) break;
        d = json(at);
        REQUIRE(d);
        v = symbi_doc_root(d);
        rq = symbi_value_getz(v, "request");
        expect = symbi_value_getz(v, "expect");
        head[0].key = Z("mode"), head[0].val = *symbi_value_getz(v, "mode");
        head[1].key = Z("rules"), head[1].val = *symbi_value_getz(v, "rules");
        memset(&doc, 0, sizeof doc);
        doc.kind = SYMBI_OBJECT;
        doc.u.o.members = head;
        doc.u.o.n = 2;
        CHECK_OK(symbi_comm_rules_parse(cx, &doc, 0, &r, &err), err);
        REQUIRE(r);
        symbi_comm_check(r, symbi_value_str(rq, "sender", Z("")), symbi_value_str(rq, "recipient", Z("")), Z("send_message"), 1, &a);
        allow = !strcmp(symbi_value_str(expect, "decision", Z("?")).p, "allow");
        if (a.allowed != allow) printf("%s\n  got %d\n", at, a.allowed), t_now_failed = 1;
        if (!allow) {
            symbi_str want = symbi_value_str(expect, "reason", Z("?"));
            if (want.n != a.reason.n || memcmp(want.p, a.reason.p, want.n)) printf("%s\n  got %.*s\n", at, (int)a.reason.n, a.reason.p), t_now_failed = 1;
        }
        symbi_comm_rules_unref(r);
        symbi_doc_unref(d);
        n++;
        if (!end) break;
        at = end + 1;
    }
    free((void *)(uintptr_t)file.p);
    CHECK(n > 0);
    printf("%ld communication vectors\n", n);
}

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    symbi_ctx_limits(cx)->doc_depth = 200;
    RUN(test_seed_example);
    RUN(test_camel_case);
    RUN(test_effective_effect);
    RUN(test_action_filter);
    RUN(test_order);
    RUN(test_ties);
    RUN(test_depth);
    RUN(test_default);
    RUN(test_reasons);
    RUN(test_shapes);
    RUN(test_ids);
    RUN(test_patterns);
    RUN(test_patterns_all);
    RUN(test_patterns_long);
    RUN(test_bad_requests);
    RUN(test_bad_evaluate);
    RUN(test_bad_rules);
    RUN(test_line);
    RUN(test_keep_unknown);
    RUN(test_limits);
    RUN(test_nesting);
    RUN(test_conditions_in_all);
    RUN(test_memory_limit);
    RUN(test_list);
    RUN(test_list_order);
    RUN(test_list_limit);
    RUN(test_hash);
    RUN(test_oom_everywhere);
    RUN(test_no_allocation);
    RUN(test_runtime_vectors);
    symbi_ctx_free(cx);
    return test_end();
}
