/* Fuzz target: entities, contexts and requests as JSON, with and without a schema: {"entities": [...], "request": {...}}. */
#include "symbi/cedar.h"
#include "symbi/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static symbi_cedar_uid uid(const symbi_value *v)
{
    symbi_str none = { "", 0 };
    symbi_cedar_uid u;
    u.type = symbi_value_str(v, "type", none);
    u.id = symbi_value_str(v, "id", none);
    return u;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    static symbi_cedar *set;
    static symbi_cedar_schema *schema;
    static symbi_cedar_eval *ev;
    symbi_str text = { (const char *)data, size };
    symbi_doc *d = NULL;
    symbi_err err;
    if (!cx) {
        static const char policies[] = "permit(principal in G::\"g\", action in Action::\"all\", resource) when { principal.a == resource.a && context.x.contains(principal) };"
                                       "forbid(principal, action, resource) when { context == {} || principal.hasTag(\"t\") && principal.getTag(\"t\") == context.y };";
        static const char st[] = "entity G; entity U in [G] { a: Long, b?: ipaddr, c?: Set<{ d: decimal, e?: datetime }>, f?: U, k?: K, h?: duration } tags Set<Long>; entity K enum [\"one\", \"two\"];"
                                 "action all; action view in all appliesTo { principal: U, resource: [U, G], context: { x: Set<U>, y?: Set<Long>, z?: { q: Bool } } };";
        symbi_cedar_source src = { { "", 0 }, { policies, sizeof policies - 1 } };
        must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
        symbi_ctx_limits(cx)->arena_bytes = 64u << 20;
        symbi_ctx_limits(cx)->eval_steps = 100000;
        must(symbi_cedar_parse(cx, &src, 1, 0, &set, &err) == SYMBI_OK);
        must(symbi_cedar_schema_parse(cx, symbi_str_z(st), &schema, &err) == SYMBI_OK);
        must(symbi_cedar_eval_new(cx, &ev, &err) == SYMBI_OK);
    }
    if (symbi_json_parse(cx, text, &d, &err)) return 0;
    for (int with = 0; with < 3; with++) {
        const symbi_value *r = symbi_value_getz(symbi_doc_root(d), "request");
        symbi_cedar_entities *e = NULL;
        symbi_cedar_request rq;
        symbi_cedar_answer a, b;
        symbi_status st = with ? symbi_cedar_entities_conform(cx, symbi_value_getz(symbi_doc_root(d), "entities"), schema, &e, &err)
                               : symbi_cedar_entities_new(cx, symbi_value_getz(symbi_doc_root(d), "entities"), &e, &err);
        if (st) {
            must(!e && err.code == st && err.msg[0]);
            continue;
        }
        memset(&rq, 0, sizeof rq);
        rq.principal = uid(symbi_value_getz(r, "principal"));
        rq.action = uid(symbi_value_getz(r, "action"));
        rq.resource = uid(symbi_value_getz(r, "resource"));
        rq.context = symbi_value_getz(r, "context");
        rq.context_rule = size % 3 ? SYMBI_CEDAR_STRICT : SYMBI_CEDAR_PLAIN;
        rq.entities = e;
        rq.schema = with ? schema : NULL;
        rq.unchecked = with == 2;
        st = symbi_cedar_authorize(ev, set, &rq, &a, &err);
        if (st) {
            must(a.decision == SYMBI_DENY && err.code == st && err.msg[0]);
        } else {
            size_t nr = a.nreasons, ne = a.nerrors;
            must(symbi_cedar_authorize(ev, set, &rq, &b, &err) == SYMBI_OK && b.decision == a.decision && b.nreasons == nr && b.nerrors == ne);
        }
        symbi_cedar_entities_unref(e);
    }
    symbi_doc_unref(d);
    return 0;
}
