/* Fuzz target: discovery documents. A good credential is verified against them: valid only if the document is the issuer's, has this
 * key and an active agent; upstream's checks accept whatever ours accept. Also agent cards, TXT records and edits of the document. */
#include "agentpin_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_agentpin_result *r, *up;
    symbi_agentpin_code code;
    symbi_doc *d, *out;
    symbi_text t;
    symbi_err err;
    const symbi_value *root;
    begin();
    if (size > 20000 || !(d = document(data, size))) return 0;
    root = symbi_doc_root(d);
    options.flags = 0;
    must(symbi_agentpin_verify(cx, symbi_text_str(&jwt), root, NULL, &options, &r, &err) == SYMBI_OK);
    options.flags = SYMBI_AGENTPIN_UPSTREAM;
    must(symbi_agentpin_verify(cx, symbi_text_str(&jwt), root, NULL, &options, &up, &err) == SYMBI_OK);
    if (symbi_agentpin_result_valid(r)) {
        check_valid(root, r);
        must(symbi_agentpin_result_valid(up));
    } else {
        check_refused(r);
    }
    symbi_agentpin_result_unref(r);
    symbi_agentpin_result_unref(up);
    if (!symbi_agentpin_card_verify(cx, root, &code, &err)) must(symbi_value_getz(root, "agentpin") != NULL);
    if (!symbi_agentpin_card_verify_with_discovery(cx, root, root, NULL, NOW, &code, &err)) abort(); /* no document is both */
    if (!symbi_agentpin_card_discovery(cx, root, NOW, &out, &code, &err)) {
        symbi_str host = symbi_value_str(symbi_doc_root(out), "entity", symbi_str_z(""));
        must(symbi_agentpin_domain_ok(host));
        symbi_doc_unref(out);
    }
    if (!symbi_agentpin_card_canonical(cx, root, &t, &err)) {
        symbi_doc *again; /* the same value */
        must(symbi_json_parse(cx, symbi_text_str(&t), &again, &err) == SYMBI_OK);
        must(symbi_value_equal(root, symbi_doc_root(again)));
        symbi_doc_unref(again);
        symbi_text_free(&t);
    }
    if (!symbi_agentpin_rotation_apply(cx, root, symbi_doc_root(jwk), NOW, &out, &err)) {
        must(symbi_agentpin_find_key(symbi_doc_root(out), symbi_str_z("k1")) != NULL);
        symbi_doc_unref(out);
    }
    if (root->kind == SYMBI_STRING) {
        if (!symbi_agentpin_dns_parse(cx, root->u.s, &out, &code, &err)) {
            (void)!symbi_agentpin_dns_match(cx, root, symbi_doc_root(out), &code, &err);
            symbi_doc_unref(out);
        }
        (void)symbi_agentpin_dns_pick(&root->u.s, 1);
    }
    (void)symbi_agentpin_constraints_subset(root, symbi_value_getz(root, "c"), true);
    (void)symbi_agentpin_constraints_subset(symbi_value_getz(root, "c"), root, true);
    symbi_doc_unref(d);
    return 0;
}
