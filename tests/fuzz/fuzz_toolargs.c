/* Fuzz target: one value against every type, and through every form of a command. What a type lets through is its own canonical form
 * afterwards (but for summaries, which are trimmed again), comes out as exactly one word in an exec command, and never as an option; a
 * template never makes an option of it either. */
#include "symbi/json.h"
#include "symbi/toolclad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static const char *const types[] = { "\"string\"", "\"string\"\npattern = '^[a-z]+(-[0-9]{1,4})*$'", "\"integer\"\nmin = -5\nmax = 5000\nclamp = true", "\"number\"\nmin_float = -0.5", "\"port\"", "\"boolean\"",
    "\"enum\"\nallowed = [\"a\", \"-b\", \"c d\"]", "\"scope_target\"", "\"url\"\nschemes = [\"https\", \"http\"]", "\"path\"", "\"ip_address\"", "\"cidr\"", "\"duration\"", "\"msf_options\"", "\"credential_file\"",
    "\"regex_match\"\npattern = '(a|b)*c$'", "\"agent_summary\"" };
static const char *const forms[] = { "exec = [\"p\", \"{x}\"]", "exec = [\"p\", \"--n={x}\"]", "exec = [\"p\", \"--{x}\"]", "template = \"p -- {x} '{x}' end\"", "template = \"p a{x} \\\"{x}\\\"\"",
    "exec = [\"p\", \"{_c}\", \"{_x_flags}\"]\nmappings.x = {a = \"-A 'b c'\"}\nconditionals.c = {when = \"x != 'a' and x != ''\", template = \"-c {x}\"}" };
enum { TYPES = sizeof types / sizeof *types, FORMS = sizeof forms / sizeof *forms };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_ctx *cx;
    symbi_err err;
    symbi_member m;
    symbi_value args;
    if (size < 2) return 0;
    memset(&m, 0, sizeof m);
    memset(&args, 0, sizeof args);
    m.key.p = "x";
    m.key.n = 1;
    m.val.kind = SYMBI_STRING;
    m.val.u.s.p = (const char *)data + 2;
    m.val.u.s.n = size - 2;
    args.kind = SYMBI_OBJECT;
    args.u.o.members = &m;
    args.u.o.n = 1;
    must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    {
        const char *type = types[data[0] % TYPES], *form = forms[data[1] % FORMS];
        int summary = strstr(type, "agent_summary") != NULL, may_dash = strstr(type, "integer") || strstr(type, "number") || strstr(type, "enum");
        char text[600];
        symbi_tool *t = NULL;
        symbi_doc *d = NULL, *again = NULL;
        symbi_plan *p = NULL, *one = NULL;
        symbi_plan_options o;
        symbi_status st;
        snprintf(text, sizeof text, "[tool]\nname = \"t\"\n[args.x]\ntype = %s\n[command]\n%s\n[output]\n", type, form);
        memset(&o, 0, sizeof o);
        o.checks_files = true;
        o.scan_id = symbi_str_z("1-a");
        must(symbi_tool_parse(cx, symbi_str_z(text), symbi_str_z("f"), &t, &err) == SYMBI_OK);
        if (symbi_tool_validate(cx, t, &args, &d, &err)) {
            must(!d && err.msg[0] && strcmp(err.path, "x") == 0);
        } else {
            const symbi_value *x = symbi_value_getz(symbi_doc_root(d), "x");
            must(x != NULL && (x->kind != SYMBI_STRING || !x->u.s.n || !memchr(x->u.s.p, 0, x->u.s.n)));
            must(symbi_tool_validate(cx, t, symbi_doc_root(d), &again, &err) == SYMBI_OK || summary);
            must(summary || symbi_value_equal(symbi_doc_root(again), symbi_doc_root(d)));
            if (symbi_tool_plan(cx, t, symbi_doc_root(d), &o, &p, &err)) {
                must(!p && (err.code == SYMBI_EDENIED || err.code == SYMBI_ESCHEMA || err.code == SYMBI_EPARSE || (summary && err.code == SYMBI_ELIMIT)));
            } else {
                must(p->argc >= 1 && strcmp(p->argv[0].p, "p") == 0);
                for (size_t i = 0; i < p->argc; i++) must(strlen(p->argv[i].p) == p->argv[i].n);
                if (data[1] % FORMS == 0) must(p->argc == 2 && (may_dash || p->argv[1].p[0] != '-'));
                if (data[1] % FORMS == 1) must(p->argc == 2 && strncmp(p->argv[1].p, "--n=", 4) == 0);
                if (data[1] % FORMS == 2) must(size == 2 || may_dash || strstr(type, "port") || strstr(type, "boolean"));
                if (data[1] % FORMS == 4)
                    for (size_t i = 1; i < p->argc; i++) must(may_dash || p->argv[i].p[0] != '-');
            }
        }
        st = symbi_tool_plan_args(cx, t, &args, &o, &one, &err); /* one step says the same as two */
        if (p) must(symbi_plan_seal(cx, p, &err) == SYMBI_OK);
        if (one) must(symbi_plan_seal(cx, one, &err) == SYMBI_OK);
        must(summary || ((st == SYMBI_OK) == (p != NULL) && (!p || memcmp(p->digest, one->digest, 32) == 0)));
        symbi_plan_unref(one);
        symbi_plan_unref(p);
        symbi_doc_unref(again);
        symbi_doc_unref(d);
        symbi_tool_unref(t);
    }
    symbi_ctx_free(cx);
    return 0;
}
