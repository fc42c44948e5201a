/* Fuzz target: schemas in both forms (`{` begins JSON). What is accepted is printed as text that means the same, and a policy
 * set can be validated and entities checked against it. */
#include "symbi/cedar.h"
#include "symbi/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    static symbi_cedar *set;
    symbi_str text = { (const char *)data, size };
    symbi_doc *d = NULL;
    symbi_cedar_schema *s = NULL, *again = NULL;
    symbi_cedar_report *rep = NULL;
    symbi_cedar_entities *e = NULL;
    symbi_text t;
    symbi_err err;
    symbi_status st;
    if (!cx) {
        static const char policies[] =
            "permit(principal is User, action in [Action::\"view\", Action::\"edit\"], resource) when { principal.name like \"a*\" && resource has owner && resource.owner == principal };"
            "forbid(principal in ?principal, action, resource == ?resource) when { principal.hasTag(\"x\") && principal.getTag(\"x\") == 1 };"
            "forbid(principal, action, resource) unless { context has a.b.c && [1, 2].contains(context.a.b.c) || (if principal is N::T then {k: 1}.k < 2 else ip(\"::1\").isIpv6()) };";
        symbi_cedar_source src = { { "", 0 }, { policies, sizeof policies - 1 } };
        must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
        symbi_ctx_limits(cx)->arena_bytes = 64u << 20;
        symbi_ctx_limits(cx)->eval_steps = 20000;
        must(symbi_cedar_parse(cx, &src, 1, 0, &set, &err) == SYMBI_OK);
    }
    if (size && data[0] == '{') {
        if (symbi_json_parse(cx, text, &d, &err)) return 0;
        st = symbi_cedar_schema_from_json(cx, symbi_doc_root(d), &s, &err);
    } else {
        st = symbi_cedar_schema_parse(cx, text, &s, &err);
        must(st != SYMBI_EPARSE || (err.line && err.col));
    }
    if (st) {
        must(!s && err.code == st && err.msg[0]);
    } else {
        symbi_doc *r = symbi_cedar_schema_json(s, true);
        st = symbi_cedar_schema_text(cx, s, &t, &err);
        must(st == SYMBI_OK || st == SYMBI_EUNSUPPORTED || st == SYMBI_ELIMIT);
        if (!st) {
            if (!d) { /* from text: the printed text means the same */
                symbi_doc *r2;
                must(symbi_cedar_schema_parse(cx, symbi_text_str(&t), &again, &err) == SYMBI_OK);
                r2 = symbi_cedar_schema_json(again, true);
                must(symbi_value_equal(symbi_doc_root(r), symbi_doc_root(r2)));
                symbi_doc_unref(r2);
            }
            symbi_text_free(&t);
        }
        if (!symbi_cedar_validate(cx, set, s, 0, &rep, &err)) symbi_cedar_report_free(rep);
        must(symbi_cedar_entities_conform(cx, NULL, s, &e, &err) == SYMBI_OK);
        symbi_cedar_entities_unref(e);
        symbi_doc_unref(r);
    }
    symbi_doc_unref(d);
    symbi_cedar_schema_unref(s), symbi_cedar_schema_unref(again);
    return 0;
}
