/* Secrets: containers against the vectors and against whoever alters them, the map, scopes, the redactor, masking, memory. */
#include "test.h"

#include "codec/base64.h"
#include "symbi/json.h"
#include "symbi/secrets.h"

static symbi_ctx *cx;

static symbi_str Z(const char *z) { return symbi_str_z(z); }

static symbi_doc *parse(symbi_str text)
{
    symbi_doc *d = NULL;
    symbi_err err;
    CHECK_OK(symbi_json_parse(cx, text, &d, &err), err);
    return d;
}

static symbi_doc *vectors(const char *name)
{
    char path[300];
    symbi_doc *d;
    symbi_str text;
    if (!vectors_dir()) return NULL;
    snprintf(path, sizeof path, "%s/%s", vectors_dir(), name);
    text = slurp(path);
    if (!text.p) return NULL;
    for (char *p = (char *)(uintptr_t)text.p; (p = strstr(p, "18446744073709551615"));) memcpy(p, "1                   ", 20); /* of other areas; no INT */
    d = parse(text);
    free((char *)(uintptr_t)text.p);
    return d;
}

static symbi_str unbase64(const symbi_value *c, const char *key)
{
    symbi_str t = symbi_value_str(c, key, Z(""));
    char *p = malloc(sy_base64_decoded_max(t.n) + 1);
    size_t n = 0;
    symbi_err err;
    CHECK_OK(sy_base64_decode(t, SY_BASE64, p, &n, &err), err);
    return (symbi_str){ p, n };
}
static void drop(symbi_str s) { free((char *)(uintptr_t)s.p); }
static bool same(symbi_str a, symbi_str b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

/* A random source that gives what a vector fixes: salt, then nonce. */
typedef struct fixed { symbi_str part[2]; int at; } fixed;
static int fixed_fill(void *ud, void *buf, size_t n)
{
    fixed *f = ud;
    if (f->at > 1 || f->part[f->at].n != n) return 1;
    memcpy(buf, f->part[f->at++].p, n);
    return 0;
}

static symbi_text envelope_text(const symbi_value *v)
{
    symbi_text t = { 0 };
    symbi_err err;
    CHECK_OK(symbi_json_write(cx, v, 0, &t, &err), err);
    return t;
}

/* ---- vectors ---- */

static void envelope_case(const symbi_value *c, symbi_str op)
{
    const symbi_value *in = symbi_value_getz(c, "in"), *out = symbi_value_getz(c, "out");
    symbi_str id = symbi_value_str(c, "id", Z("")), error = symbi_value_str(out, "error", Z(""));
    symbi_text got = { 0 };
    symbi_box_reason why = SYMBI_BOX_R_OK;
    symbi_status st = SYMBI_OK;
    symbi_err err;
    symbi_str want = { NULL, 0 };
    symbi_err_clear(&err);
    if (same(op, Z("crypto.decrypt_with_password"))) {
        symbi_text box = envelope_text(symbi_value_getz(in, "envelope"));
        st = symbi_box_open(cx, SYMBI_BOX_ENVELOPE, symbi_value_str(in, "password", Z("")), symbi_text_str(&box), SYMBI_BOX_LEGACY_KDF, &got, &why, &err);
        symbi_text_free(&box);
        if (!error.n) want = unbase64(out, "ok_b64");
    } else if (same(op, Z("crypto.direct_decrypt"))) {
        symbi_str box = unbase64(in, "blob_b64");
        st = symbi_box_open(cx, SYMBI_BOX_RAW, symbi_value_str(in, "key_b64", Z("")), box, 0, &got, &why, &err);
        drop(box);
        if (!error.n) want = unbase64(out, "ok_b64");
    } else if (same(op, Z("crypto.shell_secrets"))) {
        symbi_str box = unbase64(in, "file_b64");
        st = symbi_box_open(cx, SYMBI_BOX_SHELL, symbi_value_str(in, "passphrase", Z("")), box, 0, &got, &why, &err);
        drop(box);
        CHECK(st == SYMBI_OK && same(symbi_text_str(&got), symbi_value_str(out, "json", Z("?"))));
    } else { /* encryption, with the vector's salt and nonce */
        bool direct = same(op, Z("crypto.direct_encrypt"));
        symbi_str plain = unbase64(in, "plaintext_b64"), salt = direct ? (symbi_str){ NULL, 0 } : unbase64(in, "salt_b64"), nonce = unbase64(in, "nonce_b64");
        fixed f = { { direct ? nonce : salt, nonce }, 0 };
        symbi_env env;
        symbi_ctx *own;
        symbi_env_init(&env);
        env.rand.fill = fixed_fill;
        env.rand.ud = &f;
        if (!direct && (!same(symbi_value_str(in, "kdf", Z("")), Z(SYMBI_BOX_LABEL_UPSTREAM)) || !symbi_value_str(in, "password", Z("")).n)) {
            /* a label that nobody writes any more, or an empty password, which seals nothing: the opposite case is read */
        } else if (symbi_ctx_new(&env, &own, &err) == SYMBI_OK) {
            st = symbi_box_seal(own, direct ? SYMBI_BOX_RAW : SYMBI_BOX_ENVELOPE, symbi_value_str(in, direct ? "key_b64" : "password", Z("")), plain, SYMBI_BOX_UPSTREAM, &got, &err);
            if (direct) {
                symbi_str blob = unbase64(out, "blob_b64");
                CHECK(st == SYMBI_OK && same(symbi_text_str(&got), blob));
                drop(blob);
            } else if (st == SYMBI_OK) {
                symbi_doc *d = parse(symbi_text_str(&got));
                CHECK(d && symbi_value_equal(symbi_doc_root(d), symbi_value_getz(out, "envelope")));
                symbi_doc_unref(d);
            }
            symbi_ctx_free(own);
        }
        drop(plain), drop(salt), drop(nonce);
    }
    if (want.p) CHECK(st == SYMBI_OK && same(symbi_text_str(&got), want));
    if (error.n) {
        bool fits = same(error, Z("DecryptionFailed")) ? why == SYMBI_BOX_R_DECRYPT || why == SYMBI_BOX_R_NONCE || (why == SYMBI_BOX_R_TRUNCATED)
                    : same(error, Z("Base64Error"))    ? why == SYMBI_BOX_R_BASE64
                    : same(error, Z("InvalidCiphertext")) ? why == SYMBI_BOX_R_TRUNCATED || why == SYMBI_BOX_R_NONCE
                    : same(error, Z("InvalidKey"))     ? why == SYMBI_BOX_R_KEY
                    : same(error, Z("KeyDerivationFailed")) ? why == SYMBI_BOX_R_NONCE || why == SYMBI_BOX_R_KEY
                                                       : why != SYMBI_BOX_R_OK;
        if (st == SYMBI_OK || !fits) printf("%.*s: %.*s expected, got %s %s\n", (int)id.n, id.p, (int)error.n, error.p, symbi_box_reason_name(why), err.msg), t_now_failed = 1;
    } else if (st) printf("%.*s: %s\n", (int)id.n, id.p, err.msg), t_now_failed = 1;
    drop(want);
    symbi_text_wipe(&got);
}

static void test_vectors_envelope(void)
{
    symbi_doc *d = vectors("orga/crypto_envelope.json");
    const symbi_value *cases;
    if (!d) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) envelope_case(&cases->u.a.items[i], symbi_value_str(&cases->u.a.items[i], "op", Z("")));
    symbi_doc_unref(d);
}

static void test_vectors_file(void)
{
    symbi_doc *d = vectors("auth/secrets_file.json"), *e = vectors("auth/shell_secrets.json");
    const symbi_value *cases;
    if (!d || !e) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *r = symbi_value_getz(c, "result"), *ok = symbi_value_getz(r, "ok");
        symbi_text box = envelope_text(symbi_value_getz(c, "blob")), got;
        symbi_err err;
        symbi_status st = symbi_box_open(cx, SYMBI_BOX_ENVELOPE, symbi_value_str(c, "password", Z("")), symbi_text_str(&box), SYMBI_BOX_LEGACY_KDF, &got, NULL, &err);
        CHECK((st == SYMBI_OK) == (ok && ok->u.b));
        if (st == SYMBI_OK) {
            symbi_str want = unbase64(r, "plaintext_b64");
            CHECK(same(symbi_text_str(&got), want));
            drop(want);
        }
        symbi_text_wipe(&got);
        /* without the flag a label that is not known is refused before anything is derived */
        if (!same(symbi_value_str(symbi_value_getz(c, "blob"), "kdf", Z("")), Z(SYMBI_BOX_LABEL_UPSTREAM))) {
            symbi_box_reason why;
            CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("x"), symbi_text_str(&box), 0, &got, &why, &err) == SYMBI_ESCHEMA && why == SYMBI_BOX_R_KDF);
        }
        symbi_text_free(&box);
    }
    cases = symbi_value_getz(symbi_doc_root(e), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i];
        symbi_str box = unbase64(c, "file_b64"), key = symbi_value_str(c, "passphrase", Z(""));
        symbi_secrets *s = NULL;
        symbi_doc *plain = parse(symbi_value_str(c, "plaintext", Z("{}")));
        symbi_err err;
        CHECK_OK(symbi_secrets_open(cx, SYMBI_BOX_SHELL, key, box, SYMBI_SECRETS_JSON, 0, &s, NULL, &err), err);
        if (s && plain) {
            const symbi_value *o = symbi_doc_root(plain);
            CHECK(symbi_secrets_count(s) == o->u.o.n);
            for (size_t k = 0; k < o->u.o.n; k++) {
                symbi_str v;
                CHECK(symbi_secrets_get(s, o->u.o.members[k].key, &v, &err) == SYMBI_OK && same(v, o->u.o.members[k].val.u.s));
            }
        }
        symbi_secrets_free(s);
        symbi_doc_unref(plain);
        drop(box);
    }
    symbi_doc_unref(d);
    symbi_doc_unref(e);
}

/* ---- our own container ---- */

static void test_container(void)
{
    symbi_text box, raw, got, bad;
    symbi_box_reason why;
    symbi_doc *d;
    symbi_err err;
    static const char raw_key[] = "LXLgFlAy70hL6LBG5CTk2TqjTBux4Nir7jYHWmPgXoc=";
    char *p;
    REQUIRE(symbi_box_seal(cx, SYMBI_BOX_ENVELOPE, Z("master"), Z("{\"a\":\"b\"}"), 0, &box, &err) == SYMBI_OK);
    d = parse(symbi_text_str(&box));
    CHECK_STR(symbi_value_str(symbi_doc_root(d), "kdf", Z("")), "Argon2id-m65536-t3-p1-ad");
    symbi_doc_unref(d);
    CHECK(symbi_box_guess(cx, symbi_text_str(&box)) == SYMBI_BOX_ENVELOPE && symbi_box_guess(cx, Z("{\"a\":\"b\"}")) == 0 && symbi_box_guess(cx, Z("")) == 0);
    CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("master"), symbi_text_str(&box), 0, &got, &why, &err) == SYMBI_OK);
    CHECK_STR(symbi_text_str(&got), "{\"a\":\"b\"}");
    symbi_text_wipe(&got);
    CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("Master"), symbi_text_str(&box), 0, &got, &why, &err) == SYMBI_EVERIFY && why == SYMBI_BOX_R_DECRYPT && !got.p);
    CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z(""), symbi_text_str(&box), 0, &got, &why, &err) == SYMBI_EVERIFY && why == SYMBI_BOX_R_DECRYPT);
    CHECK(symbi_box_seal(cx, SYMBI_BOX_ENVELOPE, Z(""), Z("x"), 0, &got, &err) == SYMBI_EINVAL && !got.p); /* an empty password seals nothing */
    /* the label of upstream over our container: the key is the same, what is authenticated is not */
    p = strstr(box.p, "-p1-ad");
    REQUIRE(p);
    bad = box;
    {
        char *copy = malloc(box.n);
        size_t at = (size_t)(p - box.p) + 3;
        memcpy(copy, box.p, at);
        memcpy(copy + at, box.p + at + 3, box.n - at - 3);
        CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("master"), (symbi_str){ copy, box.n - 3 }, 0, &got, &why, &err) == SYMBI_EVERIFY && why == SYMBI_BOX_R_DECRYPT);
        free(copy);
    }
    (void)bad;
    /* cut off anywhere: an error that says so, and quickly */
    for (size_t n = 0; n < box.n; n++) {
        symbi_status st = symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("master"), (symbi_str){ box.p, n }, 0, &got, &why, &err);
        CHECK(st == SYMBI_EPARSE && (n ? why == SYMBI_BOX_R_TRUNCATED : why == SYMBI_BOX_R_EMPTY));
    }
    CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("k"), Z("nonsense"), 0, &got, &why, &err) == SYMBI_EPARSE && why == SYMBI_BOX_R_NOT_BOX);
    CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("k"), Z("{}"), 0, &got, &why, &err) == SYMBI_ESCHEMA && why == SYMBI_BOX_R_NOT_BOX);
    CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("k"), Z("[1]"), 0, &got, &why, &err) == SYMBI_ESCHEMA && why == SYMBI_BOX_R_NOT_BOX);
    CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("k"), Z("{\"ciphertext\":\"\",\"nonce\":\"\",\"salt\":\"\",\"algorithm\":\"ChaCha\",\"kdf\":\"x\"}"), 0, &got, &why, &err) == SYMBI_ESCHEMA && why == SYMBI_BOX_R_ALGORITHM);
    CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("k"), Z("{\"ciphertext\":\"\",\"nonce\":\"\",\"salt\":\"\",\"algorithm\":\"AES-256-GCM\",\"kdf\":\"Argon2id-m65536-t3-p1\"}"), 0, &got, &why, &err) == SYMBI_ESCHEMA && why == SYMBI_BOX_R_NONCE);
    CHECK(symbi_box_open(cx, SYMBI_BOX_ENVELOPE, Z("k"), Z("{\"ciphertext\":\"*\",\"nonce\":\"\",\"salt\":\"\",\"algorithm\":\"AES-256-GCM\",\"kdf\":\"Argon2id-m65536-t3-p1\"}"), 0, &got, &why, &err) == SYMBI_EPARSE && why == SYMBI_BOX_R_BASE64);
    symbi_text_free(&box);
    /* the raw form: every byte counts */
    REQUIRE(symbi_box_seal(cx, SYMBI_BOX_RAW, Z(raw_key), Z("x"), 0, &raw, &err) == SYMBI_OK);
    for (size_t i = 0; i < raw.n; i++) {
        raw.p[i] ^= 1;
        CHECK(symbi_box_open(cx, SYMBI_BOX_RAW, Z(raw_key), symbi_text_str(&raw), 0, &got, &why, &err) == SYMBI_EVERIFY && why == SYMBI_BOX_R_DECRYPT);
        raw.p[i] ^= 1;
        CHECK(symbi_box_open(cx, SYMBI_BOX_RAW, Z(raw_key), (symbi_str){ raw.p, i }, 0, &got, &why, &err) != SYMBI_OK);
    }
    CHECK(symbi_box_open(cx, SYMBI_BOX_RAW, Z(raw_key), symbi_text_str(&raw), 0, &got, &why, &err) == SYMBI_OK);
    symbi_text_wipe(&got);
    /* SYMBIONT_MASTER_KEY as `symbi init` writes it is no key of this form */
    CHECK(symbi_box_seal(cx, SYMBI_BOX_RAW, Z("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"), Z("x"), 0, &got, &err) == SYMBI_EINVAL);
    CHECK(symbi_box_seal(cx, SYMBI_BOX_SHELL, Z("k"), Z("x"), 0, &got, &err) == SYMBI_EUNSUPPORTED);
    symbi_text_free(&raw);
    for (int r = 0; r < SYMBI_BOX_REASON_COUNT; r++) CHECK(symbi_box_reason_text((symbi_box_reason)r)[0] && symbi_box_reason_name((symbi_box_reason)r)[0]);
}

/* ---- the map ---- */

static symbi_secrets *reading(symbi_secrets_format f, const char *text)
{
    symbi_secrets *s = NULL;
    symbi_err err;
    CHECK_OK(symbi_secrets_read(cx, f, Z(text), &s, &err), err);
    return s;
}
static void refused(symbi_secrets_format f, const char *text, const char *part, uint32_t line, int at)
{
    symbi_secrets *s = (symbi_secrets *)(uintptr_t)text;
    symbi_err err;
    symbi_status st = symbi_secrets_read(cx, f, Z(text), &s, &err);
    if (!st || s || !strstr(err.msg, part) || (line && err.line != line)) printf("line %d: %s: %s (line %u)\n", at, symbi_status_name(st), err.msg, err.line), t_now_failed = 1;
    if (strstr(err.msg, "hunter2")) printf("line %d: the message quotes a secret\n", at), t_now_failed = 1;
}
#define IS(s, key, want)                                                                                                                       \
    do {                                                                                                                                       \
        symbi_str v_ = { NULL, 0 };                                                                                                            \
        symbi_err e_;                                                                                                                          \
        CHECK_OK(symbi_secrets_get(s, Z(key), &v_, &e_), e_);                                                                                  \
        CHECK_STR(v_, want);                                                                                                                   \
    } while (0)

static void test_map(void)
{
    symbi_secrets *s = NULL;
    symbi_str v;
    symbi_err err;
    char big[SYMBI_SECRET_MAX_VALUE + 2];
    CHECK_OK(symbi_secrets_new(cx, &s, &err), err);
    REQUIRE(s);
    CHECK_OK(symbi_secrets_set(s, Z("b"), Z("2"), &err), err);
    CHECK_OK(symbi_secrets_set(s, Z("a"), Z("1"), &err), err);
    CHECK_OK(symbi_secrets_set(s, Z("c.d-e_F"), Z(""), &err), err);
    CHECK_OK(symbi_secrets_set(s, Z("b"), Z("new"), &err), err);
    CHECK(symbi_secrets_count(s) == 3);
    CHECK_STR(symbi_secrets_key(s, 0), "a");
    CHECK_STR(symbi_secrets_key(s, 2), "c.d-e_F");
    CHECK(!symbi_secrets_key(s, 3).p);
    IS(s, "b", "new");
    IS(s, "c.d-e_F", "");
    CHECK(symbi_secrets_get(s, Z("B"), &v, &err) == SYMBI_ENOTFOUND && strcmp(err.msg, "Secret not found: B") == 0);
    CHECK(symbi_secrets_delete(s, Z("B"), &err) == SYMBI_ENOTFOUND);
    CHECK_OK(symbi_secrets_delete(s, Z("a"), &err), err);
    CHECK(symbi_secrets_count(s) == 2);
    CHECK(symbi_secrets_set(s, Z("a/b"), Z("x"), &err) == SYMBI_EINVAL && symbi_secrets_set(s, Z(""), Z("x"), &err) == SYMBI_EINVAL);
    CHECK(symbi_secrets_set(s, Z("a"), Z("\xff"), &err) == SYMBI_EINVAL);
    memset(big, 'x', sizeof big);
    CHECK_OK(symbi_secrets_set(s, Z("big"), (symbi_str){ big, SYMBI_SECRET_MAX_VALUE }, &err), err);
    CHECK(symbi_secrets_set(s, Z("big"), (symbi_str){ big, SYMBI_SECRET_MAX_VALUE + 1 }, &err) == SYMBI_ELIMIT);
    symbi_secrets_free(s);
    CHECK(!symbi_secret_key_valid(Z("a..b")) && !symbi_secret_key_valid(Z(".")) && !symbi_secret_key_valid(Z("..")) && !symbi_secret_key_valid(Z("a/b")) && !symbi_secret_key_valid(Z("a b")) && !symbi_secret_key_valid(Z("\xc3\xa9")));
    CHECK(symbi_secret_key_valid((symbi_str){ big, 128 }) && !symbi_secret_key_valid((symbi_str){ big, 129 }) && symbi_secret_key_valid(Z(".env")) && symbi_secret_key_valid(Z("A_1.b-c")));
    CHECK_OK(symbi_secrets_new(cx, &s, &err), err);
    for (int i = 0; i < SYMBI_SECRETS_MAX; i++) {
        char k[16];
        snprintf(k, sizeof k, "k%d", (i * 7919) % SYMBI_SECRETS_MAX);
        if (symbi_secrets_set(s, Z(k), Z("v"), &err)) t_now_failed = 1;
    }
    CHECK(symbi_secrets_count(s) == SYMBI_SECRETS_MAX && symbi_secrets_set(s, Z("one-more"), Z("v"), &err) == SYMBI_ELIMIT);
    symbi_secrets_free(s);
}

static void test_reading(void)
{
    symbi_secrets *s = reading(SYMBI_SECRETS_JSON, "{\"api_key\":\"v1\",\"n\":5,\"f\":1.5,\"t\":true,\"z\":null,\"o\":{\"a\":[1,\"x\"]},\"\xc3\xa9\":\"\xe6\x97\xa5\"}");
    REQUIRE(s);
    IS(s, "api_key", "v1");
    IS(s, "n", "5");
    IS(s, "f", "1.5");
    IS(s, "t", "true");
    IS(s, "z", "null");
    IS(s, "o", "{\"a\":[1,\"x\"]}");
    IS(s, "\xc3\xa9", "\xe6\x97\xa5");
    symbi_secrets_free(s);
    s = reading(SYMBI_SECRETS_TOML, "a = \"x\"\nb = 5\nd = 2026-01-01\n[t]\nc = \"y\"\n");
    REQUIRE(s);
    IS(s, "a", "x");
    IS(s, "b", "5");
    IS(s, "d", "2026-01-01");
    IS(s, "t", "{\"c\":\"y\"}");
    symbi_secrets_free(s);
    s = reading(SYMBI_SECRETS_YAML, "a: x\nb: 5\nc: 'no'\nd: no\nl: [1, y]\n");
    REQUIRE(s);
    IS(s, "a", "x");
    IS(s, "b", "5");
    IS(s, "c", "no");
    IS(s, "d", "no");
    IS(s, "l", "[1,\"y\"]");
    symbi_secrets_free(s);
    refused(SYMBI_SECRETS_YAML, "a: hunter2\na: hunter2", "YAML", 2, __LINE__);
    refused(SYMBI_SECRETS_YAML, "- hunter2", "map", 0, __LINE__);
    s = reading(SYMBI_SECRETS_ENV, "# c\n\nA=1\n export B = two words  # not this\r\nC=\"q\\n\\\"#\" # c\nD='a\\n'\nE=\nF=a#b\nexported=1\nG=\"\"");
    REQUIRE(s);
    IS(s, "A", "1");
    IS(s, "B", "two words");
    IS(s, "C", "q\n\"#");
    IS(s, "D", "a\\n");
    IS(s, "E", "");
    IS(s, "F", "a#b");
    IS(s, "exported", "1");
    IS(s, "G", "");
    symbi_secrets_free(s);
    refused(SYMBI_SECRETS_JSON, "[\"hunter2\"]", "map", 0, __LINE__);
    refused(SYMBI_SECRETS_JSON, "{\"a\":\"hunter2", "JSON", 0, __LINE__);
    refused(SYMBI_SECRETS_JSON, "{\"a\":hunter2}", "JSON", 1, __LINE__);
    refused(SYMBI_SECRETS_JSON, "{\"hunter2\":1,\"hunter2\":2}", "JSON", 1, __LINE__);
    refused(SYMBI_SECRETS_JSON, "", "JSON", 0, __LINE__);
    refused(SYMBI_SECRETS_TOML, "a = hunter2", "TOML", 1, __LINE__);
    refused(SYMBI_SECRETS_ENV, "A=1\nhunter2", "NAME=value", 2, __LINE__);
    refused(SYMBI_SECRETS_ENV, "A=1\nA=hunter2", "twice", 2, __LINE__);
    refused(SYMBI_SECRETS_ENV, "A=\"hunter2", "quote", 1, __LINE__);
    refused(SYMBI_SECRETS_ENV, "A=\"hunter2\" x", "after", 1, __LINE__);
    refused(SYMBI_SECRETS_ENV, "A=\"hunter2\\", "quote", 1, __LINE__);
    refused(SYMBI_SECRETS_ENV, "A=\"\\qhunter2\"", "escape", 1, __LINE__);
    refused(SYMBI_SECRETS_ENV, "hunter2 x=1", "no name", 1, __LINE__);
    refused(SYMBI_SECRETS_ENV, "A=\xff", "UTF-8", 0, __LINE__);
    refused((symbi_secrets_format)9, "", "format", 0, __LINE__);
}

static void test_seal_map(void)
{
    symbi_secrets *s = reading(SYMBI_SECRETS_JSON, "{\"b\":\"2\\n\\u0001\",\"a\":\"\xe6\x97\xa5\"}"), *t = NULL;
    symbi_box_reason why;
    symbi_text box, plain;
    symbi_err err;
    REQUIRE(s);
    CHECK_OK(symbi_secrets_seal(s, SYMBI_BOX_ENVELOPE, Z("k"), 0, &box, &err), err);
    CHECK(!strstr(box.p, "\xe6"));
    CHECK_OK(symbi_secrets_open(cx, SYMBI_BOX_ENVELOPE, Z("k"), symbi_text_str(&box), SYMBI_SECRETS_JSON, 0, &t, &why, &err), err);
    REQUIRE(t);
    IS(t, "b", "2\n\x01");
    IS(t, "a", "\xe6\x97\xa5");
    symbi_secrets_free(t);
    CHECK(symbi_secrets_open(cx, SYMBI_BOX_ENVELOPE, Z("other"), symbi_text_str(&box), SYMBI_SECRETS_JSON, 0, &t, &why, &err) == SYMBI_EVERIFY && !t && why == SYMBI_BOX_R_DECRYPT);
    symbi_text_free(&box);
    symbi_secrets_free(s);
    CHECK_OK(symbi_box_seal(cx, SYMBI_BOX_ENVELOPE, Z("k"), Z("[\"hunter2\"]"), 0, &plain, &err), err);
    CHECK(symbi_secrets_open(cx, SYMBI_BOX_ENVELOPE, Z("k"), symbi_text_str(&plain), SYMBI_SECRETS_JSON, 0, &t, &why, &err) == SYMBI_ESCHEMA && !t && why == SYMBI_BOX_R_CONTENT);
    symbi_text_free(&plain);
}

/* ---- scopes ---- */

static symbi_secret_scope *scope(const char *text)
{
    symbi_doc *d = parse(Z(text));
    symbi_secret_scope *s = NULL;
    symbi_err err;
    CHECK_OK(symbi_secret_scope_parse(cx, symbi_doc_root(d), &s, &err), err);
    symbi_doc_unref(d); /* the scope keeps nothing of the document */
    return s;
}
static void no_scope(const char *text, const char *part, int line)
{
    symbi_doc *d = parse(Z(text));
    symbi_secret_scope *s = (symbi_secret_scope *)(uintptr_t)text;
    symbi_err err;
    if (symbi_secret_scope_parse(cx, symbi_doc_root(d), &s, &err) != SYMBI_ESCHEMA || s || !strstr(err.msg, part)) printf("line %d: %s\n", line, err.msg), t_now_failed = 1;
    symbi_doc_unref(d);
}
static void test_scope(void)
{
    symbi_secret_scope *s = scope("{\"agent-1\":[\"db_*\",\"api_key\"],\"ops-*\":{\"read\":[\"*\"],\"write\":[\"tmp_*\"]},\"none\":[],\"nothing\":{}}");
    REQUIRE(s);
#define YES(a, k, w) CHECK(symbi_secret_scope_allows(s, Z(a), Z(k), w))
#define NO(a, k, w) CHECK(!symbi_secret_scope_allows(s, Z(a), Z(k), w))
    YES("agent-1", "db_password", false);
    YES("agent-1", "api_key", false);
    NO("agent-1", "api_key2", false);
    NO("agent-1", "xdb_", false);
    NO("agent-1", "db_password", true);
    NO("agent-2", "api_key", false);
    NO("Agent-1", "api_key", false);
    YES("ops-7", "anything", false);
    YES("ops-7", "tmp_a", true);
    NO("ops-7", "anything", true);
    NO("none", "api_key", false);
    NO("nothing", "api_key", false);
    NO("", "api_key", false);
    NO("ops-7", "", false);
    NO("ops-\xff", "a", false);
    symbi_secret_scope_free(s);
    s = NULL;
    NO("agent-1", "api_key", false); /* no scope at all */
    no_scope("[]", "map", __LINE__);
    no_scope("{\"a\":\"b\"}", "list", __LINE__);
    no_scope("{\"a\":[1]}", "list", __LINE__);
    no_scope("{\"a\":[\"\"]}", "empty", __LINE__);
    no_scope("{\"\":[\"x\"]}", "name", __LINE__);
    no_scope("{\"a\":{\"reed\":[\"x\"]}}", "read and write", __LINE__);
    no_scope("{\"a\":{\"read\":\"x\"}}", "list", __LINE__);
}

/* ---- out of sight ---- */

static void redacts(const symbi_redactor *r, const char *text, const char *want, int line)
{
    symbi_text t;
    symbi_err err;
    CHECK_OK(symbi_redactor_apply(r, cx, Z(text), &t, &err), err);
    if (!same(symbi_text_str(&t), Z(want))) printf("line %d: \"%s\", expected \"%s\"\n", line, t.p, want), t_now_failed = 1;
    symbi_text_free(&t);
}
static void test_redactor(void)
{
    symbi_redactor *r = NULL;
    symbi_err err;
    CHECK_OK(symbi_redactor_new(cx, &r, &err), err);
    REQUIRE(r);
    redacts(r, "hunter2", "hunter2", __LINE__);
    CHECK_OK(symbi_redactor_add(r, Z("hunter2"), &err), err);
    CHECK_OK(symbi_redactor_add(r, Z("hunter2"), &err), err);
    CHECK_OK(symbi_redactor_add(r, Z("hunter22"), &err), err);
    CHECK_OK(symbi_redactor_add(r, Z("a\"b/c d\xc3\xa9"), &err), err);
    CHECK_OK(symbi_redactor_add(r, Z("p\xe2\x82\xac\xf0\x9f\x98\x80\b\f"), &err), err);
    CHECK_OK(symbi_redactor_add(r, Z("abc"), &err), err); /* too short to look for */
    CHECK_OK(symbi_redactor_add(r, Z(""), &err), err);
    CHECK(symbi_redactor_count(r) == 4);
    redacts(r, "", "", __LINE__);
    redacts(r, "hunter2", "[REDACTED]", __LINE__);
    redacts(r, "xhunter2y hunter22 hunte hunter", "x[REDACTED]y [REDACTED] hunte hunter", __LINE__);
    redacts(r, "hunter2hunter2", "[REDACTED][REDACTED]", __LINE__);
    redacts(r, "{\"k\":\"a\\\"b/c d\xc3\xa9\"}", "{\"k\":\"[REDACTED]\"}", __LINE__);
    redacts(r, "a\\\"b/c d\\u00e9 a\\\"b\\/c d\\u00e9 a\\\"b\\/c d\xc3\xa9", "[REDACTED] [REDACTED] [REDACTED]", __LINE__); /* Python's and PHP's */
    redacts(r, "[\"p\\u20ac\\ud83d\\ude00\\b\\f\"]", "[\"[REDACTED]\"]", __LINE__);
    redacts(r, "?k=a%22b%2Fc%20d%C3%A9&", "?k=[REDACTED]&", __LINE__);
    redacts(r, "a\\\"b/c d\\u00E9 [\"p\\u20AC\\uD83D\\uDE00\\b\\f\"]", "[REDACTED] [\"[REDACTED]\"]", __LINE__);
    redacts(r, "?k=a%22b%2Fc+d%C3%A9&k=a%22b/c%20d%c3%a9&k=a%22b%2fc+d%c3%a9", "?k=[REDACTED]&k=[REDACTED]&k=[REDACTED]", __LINE__); /* forms, paths, small digits */
    redacts(r, "68756e74657232", "[REDACTED]", __LINE__); /* hex of hunter2 */
    redacts(r, "\\x22 6122622F63206420 6122622F632064C3A9", "\\x22 6122622F63206420 [REDACTED]", __LINE__); /* hex dumps with large digits */
    redacts(r, "aHVudGVyMg==", "[REDACTED]Mg==", __LINE__); /* base64: the last characters depend on what follows */
    redacts(r, "abc", "abc", __LINE__);
    symbi_redactor_clear(r);
    redacts(r, "hunter2", "hunter2", __LINE__);
    redacts(NULL, "hunter2", "hunter2", __LINE__);
    symbi_redactor_free(r);
}

static void masks(const char *text, const char *want, int line)
{
    symbi_text t;
    symbi_err err;
    CHECK_OK(symbi_mask_text(cx, Z(text), &t, &err), err);
    if (!same(symbi_text_str(&t), Z(want))) printf("line %d: \"%s\" gives \"%.*s\", expected \"%s\"\n", line, text, (int)t.n, t.p ? t.p : "", want), t_now_failed = 1;
    symbi_text_free(&t);
}
#define MASK(a, b) masks(a, b, __LINE__)

static void test_masking(void)
{
    char *big = malloc(400001), *p;
    symbi_text t;
    symbi_err err;
    MASK("", "");
    MASK("nothing", "nothing");
    MASK("a ghp_0123456789abcdefghijABCDEFGHIJ0123 b", "a [REDACTED:GITHUB_TOKEN] b");
    MASK("AKIAIOSFODNN7EXAMPLE", "[REDACTED:AWS_KEY_ID]");
    MASK("AKIAIOSFODNN7EXAMPLEX", "AKIAIOSFODNN7EXAMPLEX");
    MASK("sk-0123456789abcdefghij---", "[REDACTED:API_KEY]---"); /* ends at a boundary */
    MASK("xsk-0123456789abcdefghij", "xsk-0123456789abcdefghij");
    MASK("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nx", "[REDACTED:PRIVATE_KEY]\nx");
    MASK("-----BEGIN PRIVATE KEY-----\nabc", "[REDACTED:PRIVATE_KEY]");
    MASK("-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----");
    MASK("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefg-x", "[REDACTED:JWT]");
    MASK("eyJhbG.x.y", "eyJhbG.x.y");
    MASK("PASSWORD: hunter2!", "password=[REDACTED]!");
    MASK("password:=abcde", "password=[REDACTED]");
    MASK("password=abcd\xc3\xa9z", "password=[REDACTED]");
    MASK("secret = 0123456789ab token\xc2\xa0: 0123456789ab", "secret=[REDACTED] token=[REDACTED]");
    MASK("4111-1111 11111111", "[REDACTED:CC]");
    MASK("41111111111111112", "41111111111111112");
    MASK("call 555 123-4567.", "call [REDACTED:PHONE].");
    MASK("x@y.z a@b.com_ c@d.org, e.f@g.co.uk", "x@y.z a@b.com_ [REDACTED:EMAIL], [REDACTED:EMAIL]");
    MASK("@ @@ a@ @b.com a@.com", "@ @@ a@ @b.com a@.com");
    MASK("bearer\t0123456789abcdef.", "Bearer [REDACTED].");
    /* linear, and nothing read past the end */
    static const char *const unit[] = { "sk-", "-----BEGIN ", "a@", "password:", "eyJaaaaa.", "4111 ", "api_key=", "token ", "\xc2", "@a.", "xoxb-", "::" };
    for (size_t u = 0; big && u < sizeof unit / sizeof *unit; u++) {
        size_t n = strlen(unit[u]);
        p = big;
        while ((size_t)(p - big) + n <= 400000) memcpy(p, unit[u], n), p += n;
        CHECK_OK(symbi_mask_text(cx, (symbi_str){ big, (size_t)(p - big) }, &t, &err), err);
        symbi_text_free(&t);
    }
    free(big);
}

static void test_vectors_masking(void)
{
    symbi_doc *d = vectors("orga/primitives.json");
    const symbi_value *cases;
    size_t run = 0;
    if (!d) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *in = symbi_value_getz(c, "in"), *out = symbi_value_getz(c, "out");
        symbi_str op = symbi_value_str(c, "op", Z("")), id = symbi_value_str(c, "id", Z(""));
        bool good = true;
        symbi_err err;
        if (same(op, Z("logging.mask_text"))) {
            symbi_text t;
            CHECK_OK(symbi_mask_text(cx, symbi_value_str(in, "text", Z("")), &t, &err), err);
            good = same(symbi_text_str(&t), out->u.s);
            if (!good) printf("%.*s\n", (int)t.n, t.p);
            symbi_text_free(&t);
        } else if (same(op, Z("logging.mask_json"))) {
            symbi_doc *m = NULL;
            CHECK_OK(symbi_mask_value(cx, NULL, symbi_value_getz(in, "value"), &m, &err), err);
            good = m && symbi_value_equal(symbi_doc_root(m), out);
            symbi_doc_unref(m);
        } else if (same(op, Z("logging.sensitive_key"))) good = symbi_mask_key(symbi_value_str(in, "key", Z(""))) == out->u.b;
        else continue;
        run++;
        if (!good) printf("%.*s\n", (int)id.n, id.p), t_now_failed = 1;
    }
    CHECK(run > 20);
    printf("masking: %zu cases\n", run);
    symbi_doc_unref(d);
}

/* ---- memory ---- */

/* Freed blocks are kept and looked through for the secret. */
typedef struct watcher { counting_alloc c; bool seen; } watcher;
static void *watching(void *ud, void *p, size_t o, size_t n)
{
    watcher *w = ud;
    if (p && n < o)
        for (size_t i = n; i + 16 <= o; i++)
            if (!memcmp((char *)p + i, "correct-horse-01", 16)) w->seen = true;
    if (p && n > o) { /* realloc may move: make it */
        void *q = counting_fn(&w->c, NULL, 0, n);
        if (!q) return NULL;
        memcpy(q, p, o);
        for (size_t i = 0; i + 16 <= o; i++)
            if (!memcmp((char *)p + i, "correct-horse-01", 16)) w->seen = true;
        counting_fn(&w->c, p, o, 0);
        return q;
    }
    return counting_fn(&w->c, p, o, n);
}
static void test_wiped(void)
{
    watcher w;
    symbi_env env;
    symbi_ctx *own;
    symbi_secrets *s = NULL;
    symbi_redactor *r = NULL;
    symbi_text box;
    symbi_err err;
    memset(&w, 0, sizeof w);
    symbi_env_init(&env);
    env.alloc.fn = env.shared_alloc.fn = watching;
    env.alloc.ud = env.shared_alloc.ud = &w;
    REQUIRE(symbi_ctx_new(&env, &own, &err) == SYMBI_OK);
    CHECK_OK(symbi_secrets_read(own, SYMBI_SECRETS_JSON, Z("{\"k\":\"correct-horse-01\",\"x\":[\"correct-horse-01\\n\"]}"), &s, &err), err);
    CHECK_OK(symbi_secrets_seal(s, SYMBI_BOX_RAW, Z("LXLgFlAy70hL6LBG5CTk2TqjTBux4Nir7jYHWmPgXoc="), 0, &box, &err), err);
    symbi_secrets_free(s);
    CHECK_OK(symbi_secrets_open(own, SYMBI_BOX_RAW, Z("LXLgFlAy70hL6LBG5CTk2TqjTBux4Nir7jYHWmPgXoc="), symbi_text_str(&box), SYMBI_SECRETS_JSON, 0, &s, NULL, &err), err);
    CHECK_OK(symbi_secrets_set(s, Z("k"), Z("other"), &err), err);
    CHECK_OK(symbi_redactor_new(own, &r, &err), err);
    CHECK_OK(symbi_redactor_add(r, Z("correct-horse-01"), &err), err);
    symbi_redactor_free(r);
    symbi_secrets_free(s);
    symbi_text_free(&box);
    symbi_ctx_free(own);
    CHECK(!w.seen && w.c.live_blocks == 0);
}

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_secrets *s = NULL, *t = NULL;
    symbi_text box = { 0 };
    symbi_err err;
    symbi_status st = symbi_secrets_read(c, (symbi_secrets_format)*(int *)ud, *(int *)ud == SYMBI_SECRETS_JSON ? Z("{\"a\":\"b\",\"n\":[1,{\"x\":2}]}") : *(int *)ud == SYMBI_SECRETS_TOML ? Z("a=\"b\"\nn=[1,2]") : Z("a=b\nn='[1]'"), &s, &err);
    if (!st) st = symbi_secrets_set(s, Z("k"), Z("v"), &err);
    if (!st) st = symbi_secrets_seal(s, SYMBI_BOX_RAW, Z("LXLgFlAy70hL6LBG5CTk2TqjTBux4Nir7jYHWmPgXoc="), 0, &box, &err);
    if (!st) st = symbi_secrets_open(c, SYMBI_BOX_RAW, Z("LXLgFlAy70hL6LBG5CTk2TqjTBux4Nir7jYHWmPgXoc="), symbi_text_str(&box), SYMBI_SECRETS_JSON, 0, &t, NULL, &err);
    symbi_secrets_free(s);
    symbi_secrets_free(t);
    symbi_text_free(&box);
    return st;
}
static symbi_status scenario_mask(symbi_ctx *c, void *ud)
{
    symbi_doc *d = NULL, *m = NULL, *sc = NULL;
    symbi_secret_scope *s = NULL;
    symbi_redactor *r = NULL;
    symbi_err err;
    symbi_status st = symbi_json_parse(c, Z("{\"a\":[\"x@y.com\",\"hunter2\",1],\"key\":{\"b\":1}}"), &d, &err);
    (void)ud;
    if (!st) st = symbi_redactor_new(c, &r, &err);
    if (!st) st = symbi_redactor_add(r, Z("hunter2"), &err);
    if (!st) st = symbi_mask_value(c, r, symbi_doc_root(d), &m, &err);
    if (!st) {
        symbi_text t = { 0 };
        st = symbi_json_write(c, symbi_doc_root(m), 0, &t, &err);
        if (!st) CHECK_STR(symbi_text_str(&t), "{\"a\":[\"[REDACTED:EMAIL]\",\"[REDACTED]\",1],\"key\":\"***\"}");
        symbi_text_free(&t);
    }
    if (!st) st = symbi_json_parse(c, Z("{\"a*b?c\":[\"x*y\",\"z\"]}"), &sc, &err);
    if (!st) st = symbi_secret_scope_parse(c, symbi_doc_root(sc), &s, &err);
    symbi_secret_scope_free(s);
    symbi_redactor_free(r);
    symbi_doc_unref(d);
    symbi_doc_unref(m);
    symbi_doc_unref(sc);
    return st;
}
static void test_memory(void)
{
    for (int f = SYMBI_SECRETS_JSON; f <= SYMBI_SECRETS_ENV; f++) test_oom(scenario, &f, SYMBI_OK);
    test_oom(scenario_mask, NULL, SYMBI_OK);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, NULL)) return 1;
    RUN(test_vectors_envelope);
    RUN(test_vectors_file);
    RUN(test_container);
    RUN(test_map);
    RUN(test_reading);
    RUN(test_seal_map);
    RUN(test_scope);
    RUN(test_redactor);
    RUN(test_masking);
    RUN(test_vectors_masking);
    RUN(test_wiped);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
