/* Fuzz target: symbi/memory.h. The first byte chooses the form to read in. What is read in our form is written so that it
 * reads back the same, and an old reader finds in that no item that is not one. */
#include "symbi/memory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const members[] = { "facts", "procedures", "learned_patterns", "metadata" };
    symbi_ctx *cx;
    symbi_doc *d = NULL, *again = NULL;
    symbi_text text = { 0 };
    symbi_err err;
    symbi_str s = { (const char *)data + 1, size - 1 };
    symbi_status st;
    char key[SYMBI_MEMORY_KEY_BYTES], agent[SYMBI_MEMORY_KEY_BYTES];
    size_t n;
    if (!size) return 0;
    must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    st = symbi_memory_parse(cx, s, (symbi_str){ "a", 1 }, (symbi_memory_form)(data[0] % 3), &d, &err);
    must((st == SYMBI_OK) == (d != NULL));
    must(st == SYMBI_OK || st == SYMBI_EUNSUPPORTED || st == SYMBI_ELIMIT);
    if (d) {
        must(symbi_memory_write(cx, symbi_doc_root(d), SYMBI_MEMORY_AUTO, 0, &text, &err) == SYMBI_OK);
        must(symbi_memory_parse(cx, symbi_text_str(&text), (symbi_str){ "a", 1 }, SYMBI_MEMORY_AUTO, &again, &err) == SYMBI_OK);
        for (int i = 0; i < 4; i++) must(symbi_value_equal(symbi_value_getz(symbi_doc_root(d), members[i]), symbi_value_getz(symbi_doc_root(again), members[i])));
        must(symbi_value_getz(symbi_doc_root(again), "other")->u.a.n == 0 && symbi_value_getz(symbi_doc_root(again), "problems")->u.a.n == 0);
        symbi_doc_unref(again);
        must(symbi_memory_parse(cx, symbi_text_str(&text), (symbi_str){ "a", 1 }, SYMBI_MEMORY_SEED, &again, &err) == SYMBI_OK);
        for (int i = 0; i < 3; i++)
            must(symbi_value_getz(symbi_doc_root(again), members[i])->u.a.n == symbi_value_getz(symbi_doc_root(d), members[i])->u.a.n);
        symbi_doc_unref(again);
        symbi_text_free(&text);
        symbi_doc_unref(d);
    }
    if (symbi_memory_key(s, key, &err) == SYMBI_OK) {
        must(!strchr(key, '/') && key[0] && key[0] != '.' && strlen(key) < 256);
        must(symbi_memory_agent(symbi_str_z(key), agent, &n) && n == s.n && !memcmp(agent, s.p, n));
    }
    symbi_ctx_free(cx);
    return 0;
}
