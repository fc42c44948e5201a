/* Fuzz target: policy sets as JSON. What is accepted is written as JSON that is accepted again as the same JSON, and decides. */
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
    static symbi_cedar_eval *ev;
    symbi_str text = { (const char *)data, size };
    symbi_doc *d = NULL, *j = NULL, *j2 = NULL;
    symbi_cedar *set = NULL, *again = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_text t;
    symbi_err err;
    symbi_status st;
    if (!cx) {
        must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
        symbi_ctx_limits(cx)->eval_steps = 100000;
        symbi_ctx_limits(cx)->arena_bytes = 64u << 20;
        must(symbi_cedar_eval_new(cx, &ev, &err) == SYMBI_OK);
    }
    if (symbi_json_parse(cx, text, &d, &err)) return 0;
    st = symbi_cedar_from_json(cx, symbi_doc_root(d), 0, &set, &err);
    if (st) {
        must(!set && err.code == st && err.msg[0]);
    } else {
        memset(&rq, 0, sizeof rq);
        rq.principal.type = rq.resource.type = symbi_str_z("U");
        rq.principal.id = symbi_str_z("a");
        rq.action.type = symbi_str_z("Action");
        if (!symbi_cedar_authorize(ev, set, &rq, &a, &err)) must(a.decision == SYMBI_DENY || a.nreasons);
        st = symbi_cedar_to_json(cx, set, &j, &err);
        must(st == SYMBI_OK || st == SYMBI_ELIMIT);
        if (!st) {
            must(symbi_cedar_from_json(cx, symbi_doc_root(j), 0, &again, &err) == SYMBI_OK);
            must(symbi_cedar_count(again) == symbi_cedar_count(set));
            must(symbi_cedar_to_json(cx, again, &j2, &err) == SYMBI_OK && symbi_value_equal(symbi_doc_root(j), symbi_doc_root(j2)));
        }
        st = symbi_cedar_to_text(cx, set, SIZE_MAX, &t, &err);
        must(st == SYMBI_OK || st == SYMBI_ELIMIT);
        if (!st) symbi_text_free(&t);
    }
    symbi_doc_unref(d), symbi_doc_unref(j), symbi_doc_unref(j2);
    symbi_cedar_unref(set), symbi_cedar_unref(again);
    return 0;
}
