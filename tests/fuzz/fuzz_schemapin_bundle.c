/* tests/fuzz/fuzz_schemapin_bundle.c: trust bundles from anybody. None of them verifies (the authority's key is ours alone), merging
 * one with itself forgets nothing, and what is found in it can be read or refused. */
#include "symbi/json.h"
#include "symbi/schemapin_net.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    symbi_str s = { (const char *)data, size }, authority = symbi_str_z("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    symbi_schemapin_bundle_check c;
    symbi_schemapin_result *r;
    symbi_schemapin_info i;
    symbi_doc *doc, *merged, *d, *v;
    symbi_text t;
    symbi_err err;
    if (!cx && symbi_ctx_new(NULL, &cx, NULL)) return 0;
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.json = s;
    c.authority = &authority;
    c.nauthority = 1;
    c.now = 1780000000;
    if (symbi_schemapin_check_bundle(cx, &c, &r, &err)) abort();
    symbi_schemapin_result_info(r, &i);
    if (i.valid) abort();
    symbi_schemapin_result_unref(r);
    if (!symbi_schemapin_bundle_bytes(cx, s, NULL, &t, &err)) symbi_text_free(&t);
    if (symbi_json_parse(cx, s, &doc, &err)) return 0;
    if (symbi_doc_root(doc)->kind == SYMBI_OBJECT) {
        symbi_value twice[2], list;
        twice[0] = twice[1] = *symbi_doc_root(doc);
        memset(&list, 0, sizeof list);
        list.kind = SYMBI_ARRAY;
        list.u.a.items = twice;
        list.u.a.n = 2;
        if (!symbi_schemapin_bundle_merge(cx, &list, &merged, &err)) symbi_doc_unref(merged);
        if (!symbi_schemapin_bundle_find(cx, symbi_doc_root(doc), symbi_str_z("a.com"), &d, &v, &err)) {
            symbi_schemapin_discovery *x;
            if (d && !symbi_schemapin_discovery_read(cx, symbi_str_z(""), symbi_doc_root(d), &x, &err)) symbi_schemapin_discovery_unref(x);
            symbi_doc_unref(d);
            symbi_doc_unref(v);
        }
    }
    symbi_doc_unref(doc);
    return 0;
}
