/* Fuzz target: Cedar policy text. What is refused has a place in the text; what is accepted decides a request over a small
 * entity store without surprises, the same way twice, and its texts parse again to as many policies. */
#include "symbi/cedar.h"
#include "symbi/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static const char world[] =
    "{\"e\":[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{\"n\":1,\"s\":\"x*y\",\"m\":{\"__entity\":{\"type\":\"User\",\"id\":\"b\"}}},\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],"
    "\"tags\":{\"t\":\"v\"}},{\"uid\":{\"type\":\"G\",\"id\":\"g\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":\"h\"}]}],"
    "\"c\":{\"n\":5,\"s\":\"hello\",\"b\":true,\"set\":[1,2,\"a\"],\"r\":{\"a\":{\"b\":1}},\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1\"}}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    static symbi_cedar_entities *ents;
    static symbi_cedar_eval *ev;
    static symbi_doc *doc;
    symbi_cedar_source src = { { "fuzz", 4 }, { (const char *)data, size } };
    symbi_cedar *set = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer a, b;
    symbi_err err;
    symbi_status st;
    unsigned flags = 0;
    if (!cx) {
        symbi_str w = { world, sizeof world - 1 };
        must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
        symbi_ctx_limits(cx)->eval_steps = 100000;
        symbi_ctx_limits(cx)->arena_bytes = 64u << 20;
        must(symbi_json_parse(cx, w, &doc, &err) == SYMBI_OK);
        must(symbi_cedar_entities_new(cx, symbi_value_getz(symbi_doc_root(doc), "e"), &ents, &err) == SYMBI_OK);
        must(symbi_cedar_eval_new(cx, &ev, &err) == SYMBI_OK);
    }
    if (size && data[0] < 16) { /* the first byte may choose options */
        flags = data[0];
        src.text.p++;
        src.text.n--;
    }
    st = symbi_cedar_parse(cx, &src, 1, flags, &set, &err);
    if (st) {
        must(set == NULL && err.code == st && err.msg[0]);
        must(st != SYMBI_EPARSE || (err.line > 0 && err.col > 0));
        return 0;
    }
    memset(&rq, 0, sizeof rq);
    rq.principal.type = symbi_str_z("User"), rq.principal.id = symbi_str_z("a");
    rq.action.type = symbi_str_z("Action"), rq.action.id = symbi_str_z("view");
    rq.resource.type = symbi_str_z("G"), rq.resource.id = symbi_str_z("g");
    rq.context = symbi_value_getz(symbi_doc_root(doc), "c");
    rq.entities = ents;
    st = symbi_cedar_authorize(ev, set, &rq, &a, &err);
    if (st) {
        must(a.decision == SYMBI_DENY && err.code == st);
    } else {
        size_t nr = a.nreasons, ne = a.nerrors;
        must(a.decision == SYMBI_DENY || (a.decision == SYMBI_ALLOW && a.nreasons));
        must(symbi_cedar_authorize(ev, set, &rq, &b, &err) == SYMBI_OK);
        must(b.decision == a.decision && b.nreasons == nr && b.nerrors == ne && b.steps == a.steps);
    }
    if (src.text.n < 1500 && symbi_cedar_count(set) < 16 && st == SYMBI_OK) { /* the same policies sixteen times go through the index */
        enum { TIMES = 16 };
        char *many = malloc(src.text.n * TIMES + TIMES);
        symbi_cedar_source big = { { "", 0 }, { many, 0 } };
        symbi_cedar *set2 = NULL;
        size_t nr, ne;
        must(many != NULL);
        for (int i = 0; i < TIMES; i++) {
            if (src.text.n) memcpy(many + big.text.n, src.text.p, src.text.n);
            big.text.n += src.text.n;
            many[big.text.n++] = '\n'; /* ends a comment */
        }
        must(symbi_cedar_authorize(ev, set, &rq, &a, &err) == SYMBI_OK);
        nr = a.nreasons, ne = a.nerrors;
        if (symbi_cedar_parse(cx, &big, 1, flags & ~8u, &set2, &err) == SYMBI_OK && symbi_cedar_authorize(ev, set2, &rq, &b, &err) == SYMBI_OK)
            must(b.decision == a.decision && b.nreasons == nr * TIMES && b.nerrors == ne * TIMES);
        symbi_cedar_unref(set2);
        free(many);
    }
    for (size_t i = 0; i < symbi_cedar_count(set) && i < 8; i++) {
        symbi_cedar_policy_info p;
        symbi_cedar *one = NULL;
        symbi_cedar_policy(set, i, &p);
        must(p.line && p.col && p.text.n);
        src.text = p.text;
        must(symbi_cedar_parse(cx, &src, 1, flags, &one, &err) == SYMBI_OK && symbi_cedar_count(one) == 1);
        symbi_cedar_unref(one);
    }
    symbi_cedar_unref(set);
    return 0;
}
