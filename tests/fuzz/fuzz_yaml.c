/* Fuzz target: symbi/yaml.h. The first byte chooses the kind of document. What is accepted is written so that it reads back
 * equal; a refusal names a place inside the text. */
#include "symbi/yaml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_ctx *cx;
    symbi_doc *d = NULL, *again = NULL;
    symbi_text text = { 0 };
    symbi_err err;
    symbi_status st;
    if (!size) return 0;
    must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    st = symbi_yaml_parse(cx, (symbi_str){ (const char *)data + 1, size - 1 }, data[0] & 1, &d, &err);
    must((st == SYMBI_OK) == (d != NULL));
    if (st) must(err.code == st && err.msg[0] && err.line <= size + 1);
    else {
        st = symbi_yaml_write(cx, symbi_doc_root(d), &text, &err);
        if (!st && text.n <= SYMBI_YAML_BYTES) {
            must(symbi_yaml_parse(cx, symbi_text_str(&text), SYMBI_YAML_CORE, &again, &err) == SYMBI_OK);
            must(symbi_value_equal(symbi_doc_root(d), symbi_doc_root(again)));
            symbi_doc_unref(again);
        } else must(!st || st == SYMBI_ELIMIT);
        symbi_text_free(&text);
        symbi_doc_unref(d);
    }
    symbi_ctx_free(cx);
    return 0;
}
