/* Fuzz target: the front matter of symbi/skill_load.h. Any text is taken; the body begins inside it; a name is never empty. */
#include "symbi/skill_load.h"

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
    symbi_doc *d = NULL;
    symbi_err err;
    must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    must(symbi_skill_frontmatter(cx, (symbi_str){ (const char *)data, size }, (symbi_str){ "folder", 6 }, &d, &err) == SYMBI_OK);
    const symbi_value *root = symbi_doc_root(d), *found = symbi_value_getz(root, "found"), *at = symbi_value_getz(root, "body_offset"), *name = symbi_value_getz(root, "name");
    must(found->kind == SYMBI_BOOL && at->kind == SYMBI_INT && at->u.i >= 0 && (uint64_t)at->u.i <= size);
    must(found->u.b == (at->u.i >= 7) || (!found->u.b && at->u.i == 0));
    must(name->kind == SYMBI_STRING && name->u.s.n > 0);
    must(found->u.b || (name->u.s.n == 6 && !memcmp(name->u.s.p, "folder", 6)));
    must(symbi_value_getz(root, "raw")->kind == SYMBI_OBJECT);
    symbi_doc_unref(d);
    symbi_ctx_free(cx);
    return 0;
}
