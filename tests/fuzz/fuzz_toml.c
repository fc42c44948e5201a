/* Fuzz target: symbi/toml.h. A document that is accepted can be copied, compared and written as JSON; a refusal names a place
 * inside the text. */
#include "symbi/json.h"
#include "symbi/toml.h"

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
    symbi_doc *d = NULL, *copy = NULL;
    symbi_text text = { 0 };
    symbi_err err;
    symbi_str s = { (const char *)data, size };
    symbi_status st;
    must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    st = symbi_toml_parse(cx, s, &d, &err);
    must((st == SYMBI_OK) == (d != NULL));
    if (st) {
        must(err.code == st && err.msg[0] && strlen(err.msg) < sizeof err.msg && err.line >= 1 && err.line <= size + 1 && err.col >= 1 && err.col <= size + 1);
    } else {
        must(symbi_doc_root(d)->kind == SYMBI_OBJECT);
        must(symbi_doc_copy(cx, symbi_doc_root(d), &copy, &err) == SYMBI_OK);
        must(symbi_value_equal(symbi_doc_root(d), symbi_doc_root(copy)));
        must(symbi_json_write(cx, symbi_doc_root(d), SYMBI_JSON_CANONICAL, &text, &err) == SYMBI_OK);
        symbi_doc_unref(copy);
        must(symbi_json_parse(cx, symbi_text_str(&text), &copy, &err) == SYMBI_OK || strstr(err.msg, "64 bits"));
        symbi_text_free(&text);
        symbi_doc_unref(copy);
        symbi_doc_unref(d);
    }
    symbi_ctx_free(cx);
    return 0;
}
