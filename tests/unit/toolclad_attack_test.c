/* The attack table of spec orga-oats.md 4.1 row 15: hostile values in an argument of a permitted tool, against every type whose values are
 * text, in every form of a command. An escape is a value that becomes another number of words, an option, the name of the program, or
 * anything but one word of its own bytes; a false refusal is a clean value of the control arm that does not get through. Also options
 * that GNU programs complete from their beginning, and the shared attack_suite.json. */
#include "base/str.h"
#include "codec/value.h"
#include "symbi/json.h"
#include "symbi/toolclad.h"
#include "test.h"

static symbi_ctx *cx;

/* The eight sub-shapes, further spellings of each, and options. */
static const char *const attacks[] = {
    "example.com; touch /tmp/canary-1", "example.com;touch${IFS}/tmp/canary-1", "example.com && id", "example.com | sh", "x\ttouch", /* metacharacters, blanks */
    "$(touch /tmp/canary-2).example.com", "${IFS}example.com", "$HOME", "<(id)", ">(id)", ">/tmp/canary",                             /* command substitution */
    "`touch /tmp/canary-3`.example.com", "`id`",                                                                                     /* backticks */
    "*.example.com", "?.example.com", "[a-z].example.com",                                                                           /* wildcards */
    "example.com\nINJECTED-4", "example.com\rINJECTED", "\nexample.com", "example.com\n",                                              /* newlines */
    "../../tmp/canary-5", "..", "a/../../b", "..\\..\\x", "/etc/passwd", "..//..//etc/passwd",                                          /* traversal */
    "ex\xd0\xb0mple.com", "\xef\xbd\x85xample.com", "example\xe3\x80\x82" "com",                                                      /* homoglyphs */
    "xn--example-9c.com", "XN--example-9c.com", "a.xn--p1ai",                                                                        /* punycode */
    "--output=/etc/passwd", "-oX", "--", "-", "-o/etc/x", "--out", "--checkpoint-action=exec=sh", "-iL/etc/passwd", "--config", "-K/tmp/x", /* options */
    "'; id; '", "\" ; id", "a\\", "a' -o 'x", "{x}", "{_secret:k}", "{{x}}", "%s%n", "\xe2\x80\xae" "moc.elpmaxe", "127.1", "0x7f.0.0.1", "2130706433", "user@example.com",
};
enum { NATTACKS = sizeof attacks / sizeof *attacks };

typedef struct kind {
    const char *toml;    /* of the argument, without required */
    const char *clean[4];
} kind;
static const kind kinds[] = {
    { "type = \"string\"", { "container_exit", "ok prose with spaces", "caf\xc3\xa9", "a=b" } },
    { "type = \"string\"\npattern = \"^[a-z.]+$\"", { "abc", "a.b", "z", "x.y.z" } },
    { "type = \"enum\"\nallowed = [\"fast\", \"-slow\"]", { "fast", "-slow", "fast", "-slow" } },
    { "type = \"scope_target\"", { "api.example.com", "1.2.3.4", "2001:db8::1", "10.0.0.0/8" } },
    { "type = \"url\"\nschemes = [\"https\"]", { "https://example.com/", "https://a.example.com:8443/x?y=1", "https://10.0.0.1", "https://example.com/a%20b#c" } },
    { "type = \"path\"", { "a.txt", "dir/a.txt", "a-b/.c", "caf\xc3\xa9" } },
    { "type = \"ip_address\"", { "10.0.0.1", "::1", "fe80::1", "::ffff:1.2.3.4" } },
    { "type = \"cidr\"", { "10.0.0.0/8", "::/0", "10.0.0.1/32", "2001:db8::/32" } },
    { "type = \"duration\"", { "30", "5m", "1h30m", "500ms" } },
    { "type = \"msf_options\"", { "RHOSTS 10.0.0.1", "set RHOSTS 10.0.0.1", "A b; C d", "LPORT 4444" } },
    { "type = \"credential_file\"", { "creds.txt", "sub/creds.txt", "a", "b.c" } },
    { "type = \"regex_match\"\npattern = \"^[A-Z]+-[0-9]+$\"", { "ABC-1", "X-22", "Q-0", "AA-99" } },
    { "type = \"agent_summary\"", { "The billing system is slow", "three failed logins", "ok", "it's fine" } },
    { "type = \"integer\"", { "1", "-3", "0", "+7" } },
    { "type = \"number\"", { "1.5", "-3", ".5", "1e3" } },
    { "type = \"port\"", { "80", "443", "1", "65535" } },
    { "type = \"boolean\"", { "true", "false", "TRUE", "False" } },
};
enum { NKINDS = sizeof kinds / sizeof *kinds };

/* Forms of a command; {x} stands for the value. own: the word that must be the value itself; glued: what stands before it in that word. */
typedef struct form {
    const char *toml;
    size_t words, own;
    const char *glued;
    bool after_dashes;
} form;
static const form forms[] = {
    { "exec = [\"p\", \"{x}\"]", 2, 1, "", false },
    { "exec = [\"p\", \"--\", \"{x}\"]", 3, 2, "", true },
    { "exec = [\"p\", \"--name={x}\", \"z\"]", 3, 1, "--name=", true },
    { "exec = [\"p\", \"{_c}\", \"z\"]\nconditionals.c = {when = \"x != ''\", template = \"-n {x}\"}", 4, 2, "", false },
    { "template = \"p {x} z\"", 3, 1, "", false },
    { "template = \"p '{x}' z\"", 3, 1, "", false },
};
enum { NFORMS = sizeof forms / sizeof *forms };

static symbi_tool *load(const kind *k, const form *f)
{
    char text[900];
    symbi_tool *t = NULL;
    symbi_err e;
    snprintf(text, sizeof text, "[tool]\nname = \"t\"\n[args.x]\n%s\n[command]\n%s\n[output]\n", k->toml, f->toml);
    if (symbi_tool_parse(cx, symbi_str_z(text), SY_LIT("t"), &t, &e)) printf("%s\n%s\n", e.msg, text), abort();
    return t;
}

static symbi_plan *plan(const symbi_tool *t, const char *value, symbi_err *e)
{
    symbi_member m = { SY_LIT("x"), sy_val_str(symbi_str_z(value)) };
    symbi_value args = sy_val_object(&m, 1);
    symbi_plan_options o = { 0 };
    symbi_doc *d = NULL;
    symbi_plan *p = NULL;
    o.checks_files = true;
    if (!symbi_tool_validate(cx, t, &args, &d, e)) (void)!symbi_tool_plan(cx, t, symbi_doc_root(d), &o, &p, e);
    symbi_doc_unref(d);
    return p;
}

/* NULL, or what went wrong: the plan of a value that was let through. */
static const char *escaped(const symbi_plan *p, const form *f, const char *canonical, bool dash_is_fine)
{
    symbi_str w;
    size_t g = strlen(f->glued);
    if (!sy_str_eqz(p->argv[0], "p")) return "another program";
    if (p->argc != f->words) return "another number of words";
    w = p->argv[f->own];
    if (w.n < g || memcmp(w.p, f->glued, g) != 0) return "another word";
    if (!f->after_dashes && !dash_is_fine && w.p[0] == '-') return "an option";
    if (canonical && (w.n - g != strlen(canonical) || memcmp(w.p + g, canonical, w.n - g) != 0)) return "not the value itself";
    return NULL;
}

static void test_attacks(void)
{
    size_t tried = 0, refused = 0, carried = 0, escapes = 0, control = 0, false_refusals = 0;
    for (size_t k = 0; k < NKINDS; k++)
        for (size_t f = 0; f < NFORMS; f++) {
            symbi_tool *t = load(&kinds[k], &forms[f]);
            bool summary = strstr(kinds[k].toml, "agent_summary") != NULL, number = strstr(kinds[k].toml, "integer") || strstr(kinds[k].toml, "number");
            for (size_t a = 0; a < NATTACKS; a++) {
                symbi_err e;
                symbi_plan *p = plan(t, attacks[a], &e);
                const char *why = p ? escaped(p, &forms[f], summary ? NULL : attacks[a], number) : NULL;
                tried++;
                if (p) carried++;
                else refused++;
                /* the template form splits at blanks, as documented; what must hold is that no part of it is an option */
                if (why && p && strncmp(forms[f].toml, "template", 8) == 0 && strpbrk(attacks[a], " \t\n\r") && !strcmp(why, "another number of words")) {
                    why = NULL;
                    for (size_t i = 1; i < p->argc; i++) why = p->argv[i].n && p->argv[i].p[0] == '-' ? "an option" : why;
                }
                if (why) printf("ESCAPE %s | %s | %s: %s\n", kinds[k].toml, forms[f].toml, attacks[a], why), escapes++;
                symbi_plan_unref(p);
            }
            for (size_t c = 0; c < 4; c++) {
                symbi_err e;
                symbi_plan *p = plan(t, kinds[k].clean[c], &e);
                bool blanks = strncmp(forms[f].toml, "template", 8) == 0 && strchr(kinds[k].clean[c], ' ');
                bool quote = strncmp(forms[f].toml, "template", 8) == 0 && strpbrk(kinds[k].clean[c], "'\"\\"); /* documented: 'exec' takes it */
                control++;
                if (!p && !quote) printf("FALSE REFUSAL %s | %s | %s: %s\n", kinds[k].toml, forms[f].toml, kinds[k].clean[c], e.msg), false_refusals++;
                if (p && !blanks) CHECK(escaped(p, &forms[f], NULL, true) == NULL);
                symbi_plan_unref(p);
            }
            symbi_tool_unref(t);
        }
    printf("attacks: %zu tried over %d types and %d forms of a command, %zu refused, %zu carried as one harmless word, %zu escapes; control arm: %zu tried, %zu false refusals\n", tried,
        NKINDS, NFORMS, refused, carried, escapes, control, false_refusals);
    CHECK(escapes == 0 && false_refusals == 0 && tried == (size_t)NKINDS * NFORMS * NATTACKS);
}

/* Types with a grammar of their own refuse the sub-shapes by themselves, whatever the command is. */
static void test_types_refuse(void)
{
    static const char *const strict[] = { "scope_target", "ip_address", "cidr", "duration", "integer", "port", "boolean" };
    static const form callback = { "exec = [\"p\", \"--\", \"{x}\"]", 3, 2, "", true };
    size_t n = 0;
    for (size_t s = 0; s < sizeof strict / sizeof *strict; s++) {
        char toml[60];
        kind k;
        symbi_tool *t;
        snprintf(toml, sizeof toml, "type = \"%s\"", strict[s]);
        memset(&k, 0, sizeof k);
        k.toml = toml;
        t = load(&k, &callback);
        for (size_t a = 0; a < NATTACKS; a++) {
            symbi_err e;
            symbi_plan *p = plan(t, attacks[a], &e);
            n++;
            if (p && !(strcmp(strict[s], "integer") == 0 && strcmp(attacks[a], "2130706433") == 0) && !(strcmp(strict[s], "duration") == 0 && strcmp(attacks[a], "2130706433") == 0)) {
                printf("%s takes %s\n", strict[s], attacks[a]);
                t_now_failed = 1;
            }
            symbi_plan_unref(p);
        }
        symbi_tool_unref(t);
    }
    printf("types with a grammar: %zu hostile values refused by the type alone\n", n);
}

/* The author's dashes begin an option, the value would say which: GNU programs take "--outp" for "--output". */
static void test_abbreviations(void)
{
    static const struct { const char *command, *value; bool refused; } table[] = {
        { "exec = [\"tar\", \"-{x}\"]", "-checkpoint-action=exec=sh", true },
        { "exec = [\"tar\", \"-{x}\"]", "cf", true },
        { "exec = [\"tar\", \"--{x}\"]", "to-command=sh", true },
        { "exec = [\"tar\", \"--{x}\"]", "to-comm=sh", true },
        { "exec = [\"sort\", \"--{x}=1\"]", "compress-prog", true },
        { "exec = [\"curl\", \"--out{x}\"]", "put=/etc/x", true },
        { "exec = [\"curl\", \"--output={x}\"]", "-x", false },
        { "exec = [\"p\", \"-n{x}\"]", "5", false },
        { "exec = [\"p\", \"--level={x}\"]", "=x", false },
        { "exec = [\"p\", \"a-{x}\"]", "b", false },
        { "exec = [\"p\", \"--\", \"--{x}\"]", "b", false }, /* behind the author's "--" nothing is an option */
        { "exec = [\"p\", \"{x}\"]", "--outp=/etc/x", true },
        { "exec = [\"p\", \"{x}\"]", "--o", true },
        { "exec = [\"p\", \"{_c}\"]\nconditionals.c = {when = \"x != ''\", template = \"--{x}\"}", "eval=id", true },
        { "exec = [\"p\", \"{_c}\"]\nconditionals.c = {when = \"x != ''\", template = \"--opt {x}\"}", "--eval=id", true },
        { "exec = [\"p\", \"{_c}\"]\nconditionals.c = {when = \"x != ''\", template = \"--opt={x}\"}", "--eval=id", false },
        { "template = \"p --{x}\"", "eval", true },
        { "template = \"p a {x}\"", "b --eval=id", true }, /* split at the blank: the second word is an option */
        { "template = \"p --a={x}\"", "b --eval=id", true },
        { "template = \"p -- {x}\"", "b --eval=id", false },
        { "template = \"p \\\"--{x}\\\"\"", "eval", true },
        { "template = \"p ''{x}\"", "-e", true },
        { "exec = [\"p\", \"{_e}{x}\"]\nconditionals.e = {when = \"x == 'never'\", template = \"-\"}", "-e", true },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        static const kind text = { "type = \"string\"", { NULL } }, free_text = { "type = \"string\"\nallow_options = true", { NULL } };
        form f = { table[i].command, 0, 0, "", false };
        symbi_err e;
        symbi_tool *t = load(&text, &f);
        symbi_plan *p = plan(t, table[i].value, &e);
        if ((p == NULL) != table[i].refused || (!p && e.code != SYMBI_EDENIED)) {
            printf("row %zu: %s with %s is %s%s\n", i, table[i].command, table[i].value, p ? "planned" : "refused: ", p ? "" : e.msg);
            t_now_failed = 1;
        }
        symbi_plan_unref(p);
        symbi_tool_unref(t);
        t = load(&free_text, &f); /* the author says that options are meant */
        p = plan(t, table[i].value, &e);
        CHECK(p != NULL);
        symbi_plan_unref(p);
        symbi_tool_unref(t);
    }
}

static void test_attack_suite(void)
{
    char path[600];
    symbi_str text;
    symbi_doc *d;
    symbi_err e;
    const symbi_value *cases;
    size_t n = 0, bad = 0;
    if (!vectors_dir()) SKIP("no shared vectors");
    snprintf(path, sizeof path, "%s/orga/attack_suite.json", vectors_dir());
    text = slurp(path);
    if (!text.p) SKIP("no attack_suite.json");
    REQUIRE(symbi_json_parse(cx, text, &d, &e) == SYMBI_OK);
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *in = symbi_value_getz(c, "in");
        symbi_str op = symbi_value_str(c, "op", SY_LIT("")), type = symbi_value_str(in, "type", SY_LIT(""));
        char toml[200];
        symbi_tool *t = NULL;
        symbi_doc *v = NULL;
        symbi_member m = { SY_LIT("x"), sy_val_null() };
        symbi_value args;
        bool refused;
        if (!sy_str_eqz(op, "attack.scope_target") && !sy_str_eqz(op, "attack.string_arg")) continue;
        m.val = *symbi_value_getz(in, "value");
        args = sy_val_object(&m, 1);
        snprintf(toml, sizeof toml, "[tool]\nname = \"t\"\ndispatch = \"callback\"\n[args.x]\nrequired = true\ntype = \"%.*s\"\n", (int)type.n, type.p);
        REQUIRE(symbi_tool_parse(cx, symbi_str_z(toml), SY_LIT("t"), &t, &e) == SYMBI_OK);
        refused = symbi_tool_validate(cx, t, &args, &v, &e) != SYMBI_OK;
        n++;
        if (refused != sy_str_eqz(symbi_value_str(c, "out", SY_LIT("")), "refuse")) {
            symbi_str id = symbi_value_str(c, "id", SY_LIT("?"));
            printf("%.*s: %s\n", (int)id.n, id.p, refused ? e.msg : "accepted");
            bad++;
        }
        symbi_doc_unref(v);
        symbi_tool_unref(t);
    }
    printf("attack_suite.json: %zu arguments, %zu differ\n", n, bad);
    CHECK(bad == 0 && n > 0);
    symbi_doc_unref(d);
    free((char *)(uintptr_t)text.p);
}

int main(void)
{
    symbi_err e;
    if (symbi_ctx_new(NULL, &cx, &e)) return 1;
    RUN(test_attacks);
    RUN(test_types_refuse);
    RUN(test_abbreviations);
    RUN(test_attack_suite);
    symbi_ctx_free(cx);
    return test_end();
}
