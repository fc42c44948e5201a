/* Fuzz target: everything of secrets and auth that reads a text. The first byte says what the rest is: a container (raw or envelope, with a
 * key that is cheap to use), a map in one of four formats, a text to mask, a value to mask, a scope, a file of API keys. What is refused
 * has words and nothing half-made; what is read reads back; masking never grows a text without bound and masks nothing twice. */
#include "symbi/auth.h"
#include "symbi/json.h"
#include "symbi/secrets.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}
static symbi_str Z(const char *z) { return symbi_str_z(z); }
static const char k_key[] = "LXLgFlAy70hL6LBG5CTk2TqjTBux4Nir7jYHWmPgXoc=";

static void maps(symbi_ctx *cx, symbi_secrets_format f, symbi_str text)
{
    symbi_secrets *s = NULL, *t = NULL;
    symbi_text box;
    symbi_err err;
    symbi_status st = symbi_secrets_read(cx, f, text, &s, &err);
    if (st) {
        must(!s && err.code == st && err.msg[0]);
        return;
    }
    must(symbi_secrets_seal(s, SYMBI_BOX_RAW, Z(k_key), 0, &box, &err) == SYMBI_OK);
    must(symbi_secrets_open(cx, SYMBI_BOX_RAW, Z(k_key), symbi_text_str(&box), SYMBI_SECRETS_JSON, 0, &t, NULL, &err) == SYMBI_OK);
    must(symbi_secrets_count(s) == symbi_secrets_count(t));
    for (size_t i = 0; i < symbi_secrets_count(s); i++) {
        symbi_str k = symbi_secrets_key(s, i), a, b;
        must(symbi_secrets_get(s, k, &a, &err) == SYMBI_OK && symbi_secrets_get(t, k, &b, &err) == SYMBI_OK);
        must(a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)));
    }
    symbi_secrets_free(s);
    symbi_secrets_free(t);
    symbi_text_free(&box);
}

static void boxes(symbi_ctx *cx, symbi_box_kind kind, symbi_str text)
{
    symbi_box_reason why;
    symbi_text t;
    symbi_err err;
    symbi_status st;
    /* an envelope that is well-formed costs 64 MiB: only its form is looked at here */
    if (kind == SYMBI_BOX_ENVELOPE && symbi_box_guess(cx, text) == SYMBI_BOX_ENVELOPE) kind = SYMBI_BOX_RAW;
    st = symbi_box_open(cx, kind, kind == SYMBI_BOX_RAW ? Z(k_key) : Z("k"), text, SYMBI_BOX_LEGACY_KDF, &t, &why, &err);
    must((st == SYMBI_OK) == (why == SYMBI_BOX_R_OK) || st == SYMBI_ELIMIT);
    must(st == SYMBI_OK || (!t.p && err.msg[0]));
    symbi_text_wipe(&t);
}

static void masks(symbi_ctx *cx, symbi_str text)
{
    symbi_redactor *r;
    symbi_text a, b, c;
    symbi_err err;
    size_t half = text.n / 2 > 64 ? 64 : text.n / 2;
    must(symbi_mask_text(cx, text, &a, &err) == SYMBI_OK);
    must(a.n <= text.n * 4 + 64);
    symbi_text_free(&a);
    /* the first half as a known value: it is nowhere in what comes out */
    must(symbi_redactor_new(cx, &r, &err) == SYMBI_OK);
    must(symbi_redactor_add(r, (symbi_str){ text.p, half }, &err) == SYMBI_OK);
    must(symbi_redactor_apply(r, cx, text, &b, &err) == SYMBI_OK);
    if (half >= SYMBI_SECRET_MIN_MASKED) {
        must(b.n >= 10 && !memcmp(b.p, "[REDACTED]", 10));
        must(symbi_redactor_apply(r, cx, symbi_text_str(&b), &c, &err) == SYMBI_OK);
        symbi_text_free(&c);
    } else must(b.n == text.n && (!b.n || !memcmp(b.p, text.p, b.n)));
    symbi_text_free(&b);
    symbi_redactor_free(r);
}

static void values(symbi_ctx *cx, symbi_str text)
{
    symbi_secret_scope *scope = NULL;
    symbi_doc *d = NULL, *m = NULL;
    symbi_err err;
    symbi_status st;
    if (symbi_json_parse(cx, text, &d, &err)) return;
    must(symbi_mask_value(cx, NULL, symbi_doc_root(d), &m, &err) == SYMBI_OK && symbi_doc_root(m)->kind == symbi_doc_root(d)->kind);
    symbi_doc_unref(m);
    st = symbi_secret_scope_parse(cx, symbi_doc_root(d), &scope, &err);
    must((st == SYMBI_OK) == (scope != NULL) && (st == SYMBI_OK || err.msg[0]));
    symbi_doc_unref(d);
    if (scope) {
        must(!symbi_secret_scope_allows(scope, Z(""), Z("a"), false) && !symbi_secret_scope_allows(scope, Z("a"), Z(""), false));
        symbi_secret_scope_allows(scope, Z("agent-1"), Z("db_password"), true);
    }
    symbi_secret_scope_free(scope);
}

static void keys(symbi_ctx *cx, symbi_str text)
{
    symbi_apikeys *k = NULL, *again = NULL;
    symbi_text t;
    symbi_err err;
    symbi_status st = symbi_apikeys_parse(cx, text, &k, &err);
    if (st) {
        must(!k && err.code == st && err.msg[0]);
        return;
    }
    must(symbi_apikeys_write(k, &t, &err) == SYMBI_OK);
    must(symbi_apikeys_parse(cx, symbi_text_str(&t), &again, &err) == SYMBI_OK && symbi_apikeys_count(k) == symbi_apikeys_count(again));
    symbi_text_free(&t);
    if (symbi_apikeys_count(k)) must(symbi_apikeys_revoke(k, symbi_value_str(symbi_apikeys_record(k, 0), "key_id", Z("")), &err) == SYMBI_OK);
    symbi_apikeys_free(k);
    symbi_apikeys_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    symbi_str text, token;
    symbi_environment e;
    symbi_err err;
    if (!size) return 0;
    if (!cx) must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    text = (symbi_str){ (const char *)data + 1, size - 1 };
    switch (data[0] % 10) {
    case 0: boxes(cx, SYMBI_BOX_RAW, text); break;
    case 1: boxes(cx, SYMBI_BOX_ENVELOPE, text); break;
    case 2: maps(cx, SYMBI_SECRETS_JSON, text); break;
    case 3: maps(cx, SYMBI_SECRETS_TOML, text); break;
    case 4: maps(cx, SYMBI_SECRETS_ENV, text); break;
    case 5: masks(cx, text); break;
    case 6: values(cx, text); break;
    case 7: keys(cx, text); break;
    case 8: maps(cx, SYMBI_SECRETS_YAML, text); break;
    default:
        must((symbi_environment_parse(text, &e, &err) == SYMBI_OK) == (e != SYMBI_ENV_UNKNOWN));
        must((symbi_static_token_check(text, &token, &err) == SYMBI_OK) == (token.p != NULL) && token.n <= text.n);
        symbi_mask_key(text);
    }
    return 0;
}
