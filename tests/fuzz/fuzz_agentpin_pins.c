/* Fuzz target: pin stores. What is read is written and read again the same, in both forms; a key that is not pinned for a known domain is a
 * change, whatever the file said; merging a store with itself changes nothing. */
#include "agentpin_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_agentpin_pins *p, *q;
    symbi_agentpin_pinning pinning;
    symbi_agentpin_code code;
    symbi_text a, b;
    symbi_doc *list;
    symbi_err err;
    size_t conflicts;
    begin();
    if (size > 20000) return 0;
    if (symbi_agentpin_pins_parse(cx, (symbi_str){ (const char *)data, size }, &p, &code, &err)) {
        must(p == NULL && code == SYMBI_AGENTPIN_PIN_STORE_INVALID && err.msg[0]);
        return 0;
    }
    must(!symbi_agentpin_pins_changed(p));
    for (unsigned form = 0; form <= SYMBI_AGENTPIN_PINS_RUNTIME; form++) {
        must(symbi_agentpin_pins_write(cx, p, form, &a, &err) == SYMBI_OK);
        must(symbi_agentpin_pins_parse(cx, symbi_text_str(&a), &q, &code, &err) == SYMBI_OK);
        must(symbi_agentpin_pins_write(cx, q, form, &b, &err) == SYMBI_OK);
        must(a.n == b.n && !memcmp(a.p, b.p, a.n));
        must(symbi_agentpin_pins_merge(p, q, &conflicts, &err) == SYMBI_OK && !conflicts);
        symbi_text_free(&b);
        must(symbi_agentpin_pins_write(cx, p, form, &b, &err) == SYMBI_OK);
        must(a.n == b.n && !memcmp(a.p, b.p, a.n));
        symbi_text_free(&a);
        symbi_text_free(&b);
        symbi_agentpin_pins_free(q);
    }
    must(symbi_agentpin_pins_list(cx, p, &list, &err) == SYMBI_OK);
    for (size_t i = 0; i < symbi_doc_root(list)->u.a.n; i++) {
        symbi_str domain = symbi_value_str(&symbi_doc_root(list)->u.a.items[i], "domain", symbi_str_z(""));
        must(symbi_agentpin_pins_check(cx, p, domain, symbi_doc_root(jwk), NOW, &pinning, &err) == SYMBI_OK && pinning == SYMBI_AGENTPIN_PIN_CHANGED);
        must(symbi_agentpin_pins_remove(p, domain, symbi_str_z(""), &err) == SYMBI_OK);
    }
    must(symbi_agentpin_pins_count(p) == 0);
    symbi_doc_unref(list);
    symbi_agentpin_pins_free(p);
    return 0;
}
