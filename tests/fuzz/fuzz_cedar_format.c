/* Fuzz target: the Cedar pretty printer. The first two bytes choose width and indent. What is accepted comes out with the same policies
 * (checked inside by tokens and comments, here by what the parser makes of it), and a second run changes nothing. */
#include "symbi/cedar.h"
#include "symbi/cedar_format.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

/* What the parser makes of a text, as text of one line each; false where it is refused. */
static bool plain(symbi_ctx *cx, symbi_str text, symbi_text *out)
{
    symbi_cedar_source src = { { "", 0 }, { NULL, 0 } };
    symbi_cedar *set;
    symbi_err err;
    src.text = text;
    memset(out, 0, sizeof *out);
    if (symbi_cedar_parse(cx, &src, 1, 0, &set, &err)) return false;
    if (symbi_cedar_to_text(cx, set, SIZE_MAX, out, &err)) memset(out, 0, sizeof *out);
    symbi_cedar_unref(set);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_ctx *cx;
    symbi_err err;
    symbi_text a, b, out, again;
    symbi_str text;
    size_t width, indent;
    if (size < 2) return 0;
    width = data[0] % 130u + 1;
    indent = data[1] % 9u;
    text.p = (const char *)data + 2;
    text.n = size - 2;
    if (symbi_ctx_new(NULL, &cx, NULL)) return 0;
    if (symbi_cedar_format(cx, text, width, indent, &out, &err)) {
        must(err.msg[0] != 0 && err.code != SYMBI_EUNSUPPORTED); /* never the formatter's own fault */
        if (plain(cx, text, &a)) must(err.code == SYMBI_ELIMIT);
        else a.p = NULL;
        if (a.p) symbi_text_free(&a);
    } else {
        must(plain(cx, text, &a) && plain(cx, symbi_text_str(&out), &b));
        must(a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)));
        must(symbi_cedar_format(cx, symbi_text_str(&out), width, indent, &again, &err) == SYMBI_OK);
        must(out.n == again.n && (!out.n || !memcmp(out.p, again.p, out.n)));
        symbi_text_free(&a);
        symbi_text_free(&b);
        symbi_text_free(&out);
        symbi_text_free(&again);
    }
    symbi_ctx_free(cx);
    return 0;
}
