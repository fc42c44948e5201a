/* Fuzz target: trust bundles. What a strict check lets pass, a permissive one does; a credential that verifies with a bundle is backed by a document
 * of its issuer in it, the first one. */
#include "agentpin_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const symbi_str domain = { "example.com", 11 };
    symbi_agentpin_bundle_rules rules = { 0 };
    symbi_agentpin_result *r;
    symbi_agentpin_code code;
    const symbi_value *root, *doc;
    symbi_doc *d;
    symbi_err err;
    bool strict, permissive;
    begin();
    if (size > 20000 || !(d = document(data, size))) return 0;
    root = symbi_doc_root(d);
    rules.size = sizeof rules;
    rules.now = NOW;
    permissive = symbi_agentpin_bundle_check(root, &rules, &code, &err) == SYMBI_OK;
    must(permissive || code == SYMBI_AGENTPIN_BUNDLE_INVALID);
    rules.strict = true;
    strict = symbi_agentpin_bundle_check(root, &rules, &code, &err) == SYMBI_OK;
    must(!strict || permissive);
    rules.not_before = symbi_str_z("9999-01-01T00:00:00Z");
    must(symbi_agentpin_bundle_check(root, &rules, &code, &err) != SYMBI_OK);
    options.flags = 0;
    must(symbi_agentpin_verify_with_bundle(cx, symbi_text_str(&jwt), root, &options, &r, &err) == SYMBI_OK);
    doc = symbi_agentpin_bundle_discovery(root, domain);
    if (symbi_agentpin_result_valid(r)) {
        must(doc != NULL);
        check_valid(doc, r);
    } else {
        check_refused(r);
        if (!doc) must(symbi_agentpin_result_reason(r) == SYMBI_AGENTPIN_R_NO_DOCUMENT);
    }
    symbi_agentpin_result_unref(r);
    symbi_doc_unref(d);
    return 0;
}
