/* Fuzz target: policies with @instead against the same policies without. Whatever the text says: what is allowed as it was asked is what plain
 * policies allow; what is changed becomes something that they allow, with its digest; only what they forbid can be put off, changed or shown to
 * a person; and a person's yes opens nothing that a plain forbid keeps shut. */
#include "symbi/symbi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char manifest[] = "[tool]\nname = \"count\"\nversion = \"1\"\ndescription = \"d\"\ndispatch = \"callback\"\n[args.path]\ntype = \"path\"\nrequired = true\n[args.n]\ntype = \"integer\"\n"
                               "[args.b]\ntype = \"boolean\"\n";
static const char *const asked[] = { "{\"path\":\"docs/a\"}", "{\"path\":\"x\",\"n\":5,\"b\":true}", "{\"path\":\"x\",\"n\":500}", NULL };
enum { ASKED = sizeof asked / sizeof *asked };

static symbi_ctx *cx;
static symbi_toolset *tools;

static void must(int ok, const char *what, const uint8_t *data, size_t size)
{
    if (ok) return;
    fprintf(stderr, "%s\n%.*s\n", what, (int)size, (const char *)data);
    abort();
}

static symbi_action action_of(const char *args)
{
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.kind = args ? SYMBI_ACTION_TOOL_CALL : SYMBI_ACTION_RESPOND;
    a.agent = symbi_str_z("bot");
    a.name = symbi_str_z(args ? "count" : "");
    a.args_text = symbi_str_z(args);
    return a;
}

static symbi_gate *gate_of(const char *text, size_t n)
{
    symbi_cedar_source src = { { "f", 1 }, { text, n } };
    symbi_gate_options o;
    symbi_cedar *set;
    symbi_gate *g = NULL;
    symbi_err err;
    if (symbi_cedar_parse(cx, &src, 1, SYMBI_CEDAR_IDS_ANNOTATED | SYMBI_CEDAR_LEGACY_SCOPE, &set, &err)) return NULL;
    symbi_gate_options_init(&o);
    o.policies = set;
    o.tools = tools;
    if (symbi_gate_new(cx, &o, &g, &err)) g = NULL;
    symbi_cedar_unref(set);
    return g;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_gate *soft, *hard;
    symbi_err err;
    char *plain;
    if (!cx) {
        symbi_tool *t;
        if (symbi_ctx_new(NULL, &cx, &err) || symbi_toolset_new(cx, &tools, &err) || symbi_tool_parse(cx, symbi_str_z(manifest), symbi_str_z("m"), &t, &err) || symbi_toolset_add(tools, t, &err)) abort();
        symbi_tool_unref(t);
    }
    if (size > 20000 || !(soft = gate_of((const char *)data, size))) return 0;
    plain = malloc(size + 1);
    memcpy(plain, data, size);
    plain[size] = 0;
    for (size_t i = 0; i + 7 <= size; i++)
        if (!memcmp(plain + i, "instead", 7)) plain[i + 6] = 'D';
    hard = gate_of(plain, size);
    for (size_t i = 0; hard && i < ASKED; i++) {
        symbi_action a = action_of(asked[i]), b;
        symbi_verdict v, w;
        memset(&v, 0, sizeof v);
        memset(&w, 0, sizeof w);
        symbi_gate_check(soft, &a, NULL, &v);
        symbi_gate_check(hard, &a, NULL, &w);
        must(v.has_permit == (v.decision == SYMBI_ALLOW || v.decision == SYMBI_MODIFY), "a permit out of place", data, size);
        must((v.decision == SYMBI_ALLOW) == (w.decision == SYMBI_ALLOW), "allowed otherwise than by plain policies", data, size);
        must(v.code == w.code || w.code == SYMBI_CODE_FORBIDDEN, "another code where nothing is forbidden", data, size);
        if (v.decision == SYMBI_MODIFY) {
            b = action_of("");
            b.args = symbi_doc_root(v.input);
            symbi_verdict_clear(&w);
            symbi_gate_check(hard, &b, NULL, &w);
            must(w.decision == SYMBI_ALLOW && !memcmp(w.action_digest, v.action_digest, 32) && !memcmp(v.permit.bytes + 28, w.action_digest, 32), "changed into what plain policies do not allow", data, size);
        }
        if (v.decision == SYMBI_STEP_UP) {
            uint8_t digest[32];
            memcpy(digest, v.action_digest, 32);
            if (symbi_gate_approve(soft, digest, true, symbi_str_z("p"), 0, &err)) abort();
            symbi_verdict_clear(&v);
            symbi_gate_check(soft, &a, NULL, &v);
            must(v.decision == SYMBI_ALLOW || v.decision == SYMBI_MODIFY, "approved, and of no use", data, size);
            must(!memcmp(digest, v.action_digest, 32), "approved, and something else is allowed", data, size);
            symbi_verdict_clear(&v);
            symbi_gate_check(soft, &a, NULL, &v);
            must(v.decision == SYMBI_STEP_UP, "approved once, used twice", data, size);
        }
        symbi_verdict_clear(&v);
        symbi_verdict_clear(&w);
    }
    free(plain);
    symbi_gate_free(soft);
    symbi_gate_free(hard);
    return 0;
}
