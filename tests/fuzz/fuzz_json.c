/* Fuzz target: symbi/json.h. A text that is accepted must read back equal from each form that is written, canonical text
 * must be its own canonical text, and the reader and the tape must agree with the tree. */
#include "symbi/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static symbi_text write_form(symbi_ctx *cx, const symbi_value *v, unsigned flags)
{
    symbi_text t;
    symbi_err err;
    must(symbi_json_write(cx, v, flags, &t, &err) == SYMBI_OK);
    return t;
}

/* Tokens until the end or an error; every string token must unescape within its own length. */
static symbi_status drain(symbi_str text, unsigned flags)
{
    symbi_json_reader r;
    symbi_json_token t;
    symbi_err err;
    symbi_status st;
    symbi_json_reader_init(&r, text, 128, flags);
    while ((st = symbi_json_next(&r, &t, &err)) == SYMBI_OK && t.event != SYMBI_JSON_EOF) {
        must(t.line >= 1 && t.col >= 1);
        if ((t.event == SYMBI_JSON_KEY || t.event == SYMBI_JSON_STRING) && t.escaped) {
            char *p = malloc(t.u.s.n);
            must(p != NULL && symbi_json_unescape(t.u.s, p) < t.u.s.n);
            free(p);
        }
    }
    if (st) must(err.code == st && err.msg[0] && strlen(err.msg) < sizeof err.msg);
    return st;
}

/* Canonical text again through the tape, where integers beyond 64 bits (doubles such as 1e20) are let through. */
static void canonical_again(symbi_ctx *cx, symbi_str text)
{
    symbi_json_tape *tape;
    symbi_json_view v;
    symbi_doc *d = NULL;
    symbi_text t;
    symbi_err err;
    must(symbi_json_tape_new(cx, &tape, &err) == SYMBI_OK);
    must(symbi_json_tape_read(tape, text, SYMBI_JSON_BIGINT, &v, &err) == SYMBI_OK);
    symbi_json_tape_free(tape);
    if (symbi_json_parse(cx, text, &d, &err)) {
        must(strstr(err.msg, "beyond 64 bits") != NULL);
        return;
    }
    t = write_form(cx, symbi_doc_root(d), SYMBI_JSON_CANONICAL);
    must(t.n == text.n && memcmp(t.p, text.p, t.n) == 0);
    symbi_text_free(&t);
    symbi_doc_unref(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_str text = { (const char *)data, size };
    symbi_ctx *cx;
    symbi_doc *d = NULL, *back = NULL;
    symbi_text t;
    symbi_err err;
    symbi_status st, loose;
    must(symbi_ctx_new(NULL, &cx, NULL) == SYMBI_OK);
    st = symbi_json_parse(cx, text, &d, &err);
    must((st == SYMBI_OK) == (d != NULL));
    loose = drain(text, 0);
    if (st == SYMBI_OK) must(loose == SYMBI_OK);
    else must(loose == st || strncmp(err.msg, "duplicate key", 13) == 0);
    (void)drain(text, SYMBI_JSON_BIGINT);
    if (d) {
        for (unsigned flags = 0; flags <= SYMBI_JSON_PRETTY; flags++) {
            t = write_form(cx, symbi_doc_root(d), flags);
            must(symbi_json_parse(cx, symbi_text_str(&t), &back, &err) == SYMBI_OK);
            must(symbi_value_equal(symbi_doc_root(d), symbi_doc_root(back)));
            symbi_doc_unref(back);
            symbi_text_free(&t);
        }
        t = write_form(cx, symbi_doc_root(d), SYMBI_JSON_CANONICAL);
        canonical_again(cx, symbi_text_str(&t));
        symbi_text_free(&t);
        symbi_doc_unref(d);
    }
    symbi_ctx_free(cx);
    return 0;
}
