/* tests/unit/toolclad_vectors.h: the files of vectors/toolclad. */
#ifndef TOOLCLAD_VECTORS_H
#define TOOLCLAD_VECTORS_H
#include "symbi/json.h"
#include "test.h"

/* NULL where there are none. */
static inline symbi_doc *vectors(symbi_ctx *cx_, const char *name)
{
    char path[600];
    symbi_str text;
    symbi_doc *d = NULL;
    symbi_err e;
    if (!vectors_dir()) return NULL;
    snprintf(path, sizeof path, "%s/toolclad/%s", vectors_dir(), name);
    text = slurp(path);
    if (!text.p) return NULL;
    CHECK_OK(symbi_json_parse(cx_, text, &d, &e), e);
    free((char *)(uintptr_t)text.p);
    return d;
}

static inline symbi_str str(const symbi_value *c, const char *key) { return symbi_value_str(c, key, (symbi_str){ NULL, 0 }); }
#endif
