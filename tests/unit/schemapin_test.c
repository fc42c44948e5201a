/* symbi/schemapin.h: checks of schemas: the attacks, the order of things, the decision cache, limits, memory. What a signature must
 * verify as is in the shared vectors (tests/spec/schemapin_vectors_spec.lua); here keys are made on the spot. */
#include "symbi/json.h"
#include "symbi/schemapin_net.h"
#include "symbi/schemapin_skill.h"
#include "test.h"

#define S(lit) ((symbi_str){ (lit), sizeof(lit) - 1 })
static const char schema_text[] = "{\"name\":\"add\",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"}}}}";
enum { NOW = 1780000000 };

typedef struct fixture {
    symbi_ctx *cx;
    symbi_key *key;
    symbi_text pem, sig;
    symbi_schemapin_discovery *doc;
    symbi_schemapin_pins *pins;
    uint8_t hash[32];
} fixture;

static symbi_schemapin_discovery *discovery_of(symbi_ctx *cx, symbi_str pem, symbi_str more)
{
    symbi_value v[2];
    symbi_member m[3];
    symbi_schemapin_discovery *d = NULL;
    symbi_err err;
    memset(v, 0, sizeof v);
    memset(m, 0, sizeof m);
    v[0].kind = SYMBI_OBJECT;
    v[0].u.o.members = m;
    v[0].u.o.n = more.n ? 3 : 2;
    m[0].key = S("schema_version");
    m[0].val.kind = SYMBI_STRING;
    m[0].val.u.s = S("1.2");
    m[1].key = S("public_key_pem");
    m[1].val.kind = SYMBI_STRING;
    m[1].val.u.s = pem;
    m[2].key = S("revoked_keys");
    m[2].val.kind = SYMBI_ARRAY;
    v[1].kind = SYMBI_STRING;
    v[1].u.s = more;
    m[2].val.u.a.items = &v[1];
    m[2].val.u.a.n = 1;
    return symbi_schemapin_discovery_read(cx, S(""), &v[0], &d, &err) ? NULL : d;
}

static void open_fixture(fixture *f)
{
    symbi_err err;
    memset(f, 0, sizeof *f);
    CHECK_OK(symbi_ctx_new(NULL, &f->cx, &err), err);
    CHECK_OK(symbi_p256_generate(f->cx, &f->key, &err), err);
    CHECK_OK(symbi_key_public_pem(f->cx, f->key, &f->pem, &err), err);
    CHECK_OK(symbi_schemapin_hash(f->cx, symbi_str_z(schema_text), NULL, 0, f->hash, NULL, &err), err);
    CHECK_OK(symbi_schemapin_sign(f->cx, f->key, (symbi_str){ (const char *)f->hash, 32 }, &f->sig, &err), err);
    f->doc = discovery_of(f->cx, symbi_text_str(&f->pem), S(""));
    CHECK(f->doc != NULL);
    CHECK_OK(symbi_schemapin_pins_new(f->cx, &f->pins, &err), err);
}

static void close_fixture(fixture *f)
{
    symbi_schemapin_pins_free(f->pins);
    symbi_schemapin_discovery_unref(f->doc);
    symbi_text_free(&f->sig);
    symbi_text_free(&f->pem);
    symbi_key_unref(f->key);
    symbi_ctx_free(f->cx);
}

static symbi_schemapin_check check_of(const fixture *f)
{
    symbi_schemapin_check c;
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.json = symbi_str_z(schema_text);
    c.signature = symbi_text_str(&f->sig);
    c.domain = S("example.com");
    c.tool_id = S("add");
    c.discovery = f->doc;
    c.pins = f->pins;
    c.now = NOW;
    return c;
}

/* Runs c, checks the code and that an invalid one pins nothing and proves nothing. Returns the info (strings void). */
static symbi_schemapin_info run(const fixture *f, const symbi_schemapin_check *c, symbi_schemapin_code want)
{
    symbi_schemapin_result *r = NULL;
    symbi_schemapin_info i;
    symbi_err err;
    size_t before = c->pins ? symbi_schemapin_pins_count(c->pins) : 0;
    memset(&i, 0, sizeof i);
    CHECK_OK(symbi_schemapin_check_schema(f->cx, c, &r, &err), err);
    if (!r) return i;
    symbi_schemapin_result_info(r, &i);
    if (i.code != want) printf("code %s, expected %s: %s (%s)\n", symbi_schemapin_code_name(i.code), symbi_schemapin_code_name(want), i.message.p, i.detail.p);
    CHECK(i.code == want);
    CHECK(i.valid == (want == SYMBI_SCHEMAPIN_OK));
    CHECK(symbi_schemapin_result_proves(r, SYMBI_SCHEMAPIN_SCHEMA, f->hash, c->now) == (i.valid && !i.expired && !i.expiry_unreadable));
    if (!i.valid && c->pins) CHECK(symbi_schemapin_pins_count(c->pins) == before);
    symbi_schemapin_result_unref(r);
    return i;
}

static void test_good_then_pinned(void)
{
    fixture f;
    symbi_schemapin_check c;
    symbi_schemapin_result *r;
    symbi_err err;
    uint8_t other[32] = { 1 };
    open_fixture(&f);
    c = check_of(&f);
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_OK).status == SYMBI_SCHEMAPIN_S_PINNED);
    CHECK(symbi_schemapin_pins_count(f.pins) == 1);
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_OK).status == SYMBI_SCHEMAPIN_S_VERIFIED);
    c.pins = NULL;
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_OK).status == SYMBI_SCHEMAPIN_S_VERIFIED);
    /* what a result proves: this subject, this digest, until it expires */
    c.meta.expires_at = S("2026-05-28T20:26:45Z"); /* NOW + 5 */
    CHECK_OK(symbi_schemapin_check_schema(f.cx, &c, &r, &err), err);
    CHECK(symbi_schemapin_result_proves(r, SYMBI_SCHEMAPIN_SCHEMA, f.hash, NOW));
    CHECK(symbi_schemapin_result_proves(r, SYMBI_SCHEMAPIN_SCHEMA, f.hash, NOW + 5));
    CHECK(!symbi_schemapin_result_proves(r, SYMBI_SCHEMAPIN_SCHEMA, f.hash, NOW + 6));
    CHECK(!symbi_schemapin_result_proves(r, SYMBI_SCHEMAPIN_FOLDER, f.hash, NOW));
    CHECK(!symbi_schemapin_result_proves(r, SYMBI_SCHEMAPIN_SCHEMA, other, NOW));
    CHECK(!symbi_schemapin_result_proves(NULL, SYMBI_SCHEMAPIN_SCHEMA, f.hash, NOW));
    symbi_schemapin_result_unref(r);
    close_fixture(&f);
}

/* ---- the attack table: one row each ---------------------------------------------------------------------------------- */

static void test_attack_poisoned_pins(void)
{
    fixture f, evil;
    symbi_schemapin_check c;
    open_fixture(&f);
    open_fixture(&evil);
    /* a forged artefact first: its key in the document, a signature that does not fit: nothing is pinned (run checks that) */
    c = check_of(&f);
    c.discovery = evil.doc;
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    /* so the real key still gets in, and another one afterwards does not */
    c = check_of(&f);
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    c.discovery = evil.doc;
    c.signature = symbi_text_str(&evil.sig);
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_PIN_MISMATCH);
    /* nor by another spelling of the domain */
    c.domain = S("Example.COM");
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_PIN_MISMATCH);
    c.domain = S("example.com.");
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_PIN_MISMATCH);
    /* another tool name gets in, as SchemaPin has it; the result says what it knows */
    c.domain = S("example.com");
    c.tool_id = S("add2");
    {
        symbi_schemapin_result *r;
        symbi_schemapin_info i;
        symbi_err err;
        CHECK_OK(symbi_schemapin_check_schema(f.cx, &c, &r, &err), err);
        symbi_schemapin_result_info(r, &i);
        CHECK(i.valid && !strncmp(i.detail.p, "another tool of this domain, add,", 33));
        symbi_schemapin_result_unref(r);
    }
    close_fixture(&evil);
    close_fixture(&f);
}

static symbi_str b64(const uint8_t *p, size_t n, char *buf)
{
    static const char t[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t k = 0;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        buf[k++] = t[v >> 18];
        buf[k++] = t[v >> 12 & 63];
        buf[k++] = i + 1 < n ? t[v >> 6 & 63] : '=';
        buf[k++] = i + 2 < n ? t[v & 63] : '=';
    }
    return (symbi_str){ buf, k };
}

static size_t unb64(symbi_str s, uint8_t *out)
{
    static const char t[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t v = 0;
    size_t n = 0, bits = 0;
    for (size_t i = 0; i < s.n && s.p[i] != '='; i++) {
        v = v << 6 | (uint32_t)(strchr(t, s.p[i]) - t);
        bits += 6;
        if (bits >= 8) out[n++] = (uint8_t)(v >> (bits -= 8));
    }
    return n;
}

static void test_attack_der_tricks(void)
{
    fixture f;
    symbi_schemapin_check c;
    uint8_t der[80], t[100];
    char text[160];
    size_t n;
    open_fixture(&f);
    c = check_of(&f);
    c.pins = NULL;
    n = unb64(symbi_text_str(&f.sig), der);
    REQUIRE(n > 60 && der[0] == 0x30);
    /* trailing byte */
    memcpy(t, der, n);
    t[n] = 0;
    c.signature = b64(t, n + 1, text);
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    /* a long form of the length */
    t[0] = 0x30, t[1] = 0x81, t[2] = der[1];
    memcpy(t + 3, der + 2, n - 2);
    c.signature = b64(t, n + 1, text);
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    /* an integer with a superfluous leading zero: r one byte longer */
    if (!(der[4] & 0x80) && der[4]) {
        t[0] = 0x30, t[1] = (uint8_t)(der[1] + 1), t[2] = 2, t[3] = (uint8_t)(der[3] + 1), t[4] = 0;
        memcpy(t + 5, der + 4, n - 4);
        c.signature = b64(t, n + 1, text);
        run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    }
    /* negative r: the same bytes without their leading zero */
    if (der[4] == 0) {
        t[0] = 0x30, t[1] = (uint8_t)(der[1] - 1), t[2] = 2, t[3] = (uint8_t)(der[3] - 1);
        memcpy(t + 4, der + 5, n - 5);
        c.signature = b64(t, n - 1, text);
        run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    }
    /* truncated, at every length; empty */
    for (size_t k = 0; k < n; k++) {
        c.signature = b64(der, k, text);
        run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    }
    /* any single bit */
    for (size_t k = 0; k < n; k++) {
        memcpy(t, der, n);
        t[k] ^= 1;
        c.signature = b64(t, n, text);
        run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    }
    close_fixture(&f);
}

static void test_attack_base64_spellings(void)
{
    static const char *const bad[] = { "", "=", "!!!", "AAAA", " ", "\n" };
    fixture f;
    symbi_schemapin_check c;
    char text[200];
    open_fixture(&f);
    c = check_of(&f);
    c.pins = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        c.signature = symbi_str_z(bad[i]);
        run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    }
    snprintf(text, sizeof text, " %.*s", (int)f.sig.n, f.sig.p);
    c.signature = symbi_str_z(text);
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    snprintf(text, sizeof text, "%.*s\n", (int)f.sig.n, f.sig.p);
    c.signature = symbi_str_z(text);
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    c.signature = (symbi_str){ NULL, 0 };
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID).status == SYMBI_SCHEMAPIN_S_UNSIGNED);
    close_fixture(&f);
}

static void test_attack_revoked(void)
{
    fixture f;
    symbi_schemapin_check c;
    symbi_schemapin_revocation *r = NULL;
    symbi_schemapin_discovery *d;
    symbi_err err;
    char fp[SYMBI_SCHEMAPIN_FINGERPRINT + 1], text[400], upper[SYMBI_SCHEMAPIN_FINGERPRINT + 1];
    open_fixture(&f);
    symbi_schemapin_fingerprint(f.key, fp);
    for (size_t i = 0; i <= SYMBI_SCHEMAPIN_FINGERPRINT; i++) upper[i] = fp[i] >= 'a' && fp[i] <= 'z' ? (char)(fp[i] - 32) : fp[i];
    c = check_of(&f);
    run(&f, &c, SYMBI_SCHEMAPIN_OK); /* pinned: revocation comes first all the same */
    snprintf(text, sizeof text, "{\"domain\":\"elsewhere.org\",\"revoked_keys\":[{\"fingerprint\":\"%s\",\"reason\":\"because\"}]}", upper);
    CHECK_OK(symbi_schemapin_revocation_read(f.cx, symbi_str_z(text), NULL, &r, &err), err);
    c.revocation = r;
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_KEY_REVOKED).status == SYMBI_SCHEMAPIN_S_REVOKED);
    c.revocation = NULL;
    d = discovery_of(f.cx, symbi_text_str(&f.pem), symbi_str_z(upper));
    c.discovery = d;
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_REVOKED);
    symbi_schemapin_discovery_unref(d);
    symbi_schemapin_revocation_unref(r);
    r = NULL;
    /* a list that cannot be read is an error, and no list */
    CHECK(symbi_schemapin_revocation_read(f.cx, S("{\"revoked_keys\":[{\"reason\":\"x\"}]}"), NULL, &r, &err) == SYMBI_ESCHEMA && !r);
    CHECK(symbi_schemapin_revocation_read(f.cx, S("{\"revoked_keys\":\"x\"}"), NULL, &r, &err) == SYMBI_ESCHEMA && !r);
    CHECK(symbi_schemapin_revocation_read(f.cx, S("{\"revoked_keys\":["), NULL, &r, &err) == SYMBI_EPARSE && !r);
    CHECK(symbi_schemapin_revocation_read(f.cx, S(""), NULL, &r, &err) == SYMBI_EPARSE && !r);
    close_fixture(&f);
}

static void test_attack_expiry(void)
{
    static const char *const unreadable[] = { "never", "2030-01-01", "2030-02-30T00:00:00Z", "2030-01-01T00:00:00", "1e9", "9999-99-99T99:99:99Z", "-2030-01-01T00:00:00Z" };
    fixture f;
    symbi_schemapin_check c;
    symbi_schemapin_info i;
    open_fixture(&f);
    c = check_of(&f);
    c.meta.expires_at = S("2026-05-28T20:26:39Z"); /* NOW - 1 */
    i = run(&f, &c, SYMBI_SCHEMAPIN_OK);           /* as SchemaPin: valid, and degraded */
    CHECK(i.expired && i.warning_count == 1);
    c.meta.refuse_expired = true;
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_EXPIRED);
    for (size_t k = 0; k < sizeof unreadable / sizeof *unreadable; k++) {
        c.meta.expires_at = symbi_str_z(unreadable[k]);
        c.meta.refuse_expired = false;
        CHECK(run(&f, &c, SYMBI_SCHEMAPIN_OK).expiry_unreadable); /* proves nothing: run checks */
        c.meta.refuse_expired = true;
        run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_EXPIRED);
    }
    c.meta.expires_at = S("9999-12-31T23:59:59Z");
    CHECK(!run(&f, &c, SYMBI_SCHEMAPIN_OK).expired);
    c.meta.expires_at = S("0001-01-01T00:00:00Z");
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_EXPIRED);
    c.meta.expires_at = S("2026-05-28T20:26:40Z"); /* NOW itself */
    CHECK(!run(&f, &c, SYMBI_SCHEMAPIN_OK).expired);
    c.now = -300000000; /* 1960 */
    CHECK(!run(&f, &c, SYMBI_SCHEMAPIN_OK).expired);
    close_fixture(&f);
}

static void test_attack_unsigned_timestamp(void)
{
    fixture f;
    symbi_schemapin_check c;
    open_fixture(&f);
    c = check_of(&f);
    c.meta.signed_at = S("2026-05-28T20:26:40Z"); /* says "now": anybody can write that */
    c.meta.max_age = 3600;
    run(&f, &c, SYMBI_SCHEMAPIN_TIMESTAMP_UNSIGNED);
    close_fixture(&f);
}

static void test_version_and_lineage(void)
{
    fixture f;
    symbi_schemapin_check c;
    open_fixture(&f);
    c = check_of(&f);
    c.meta.expected_version = S("2.0.0");
    run(&f, &c, SYMBI_SCHEMAPIN_VERSION_MISMATCH);
    c.meta.schema_version = S("2.0.0");
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    c.meta.expected_previous = S("sha256:aa");
    run(&f, &c, SYMBI_SCHEMAPIN_LINEAGE_MISMATCH);
    c.meta.previous_hash = S("sha256:AA");
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    close_fixture(&f);
}

static void test_attack_single_hash_and_runtime_form(void)
{
    static const char signed_by_runtime[] = "{\"z\":1,\"a\":2.50}";
    fixture f;
    symbi_schemapin_check c;
    symbi_text canonical, single, runtime, bytes, none;
    char file[400];
    symbi_schemapin_info i;
    symbi_err err;
    open_fixture(&f);
    CHECK_OK(symbi_schemapin_canonical(f.cx, symbi_str_z(schema_text), NULL, 0, &canonical, NULL, &err), err);
    CHECK_OK(symbi_schemapin_sign(f.cx, f.key, symbi_text_str(&canonical), &single, &err), err);
    c = check_of(&f);
    c.signature = symbi_text_str(&single);
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    c.allow_single = true;
    i = run(&f, &c, SYMBI_SCHEMAPIN_OK);
    CHECK(i.form == SYMBI_SCHEMAPIN_FORM_SINGLE && i.warning_count == 1);
    /* the runtime's: over its own serialisation, hashed once, embedded */
    CHECK_OK(symbi_schemapin_runtime_input(f.cx, symbi_str_z(signed_by_runtime), &bytes, &none, &err), err);
    CHECK_STR(symbi_text_str(&bytes), "{\"z\":1,\"a\":2.5}");
    CHECK_OK(symbi_schemapin_sign(f.cx, f.key, symbi_text_str(&bytes), &runtime, &err), err);
    snprintf(file, sizeof file, "{\"z\":1,\"a\":2.50,\"signature\":\"%.*s\"}", (int)runtime.n, runtime.p);
    c = check_of(&f);
    c.json = symbi_str_z(file);
    c.embedded = true;
    CHECK_OK(symbi_schemapin_hash(f.cx, c.json, NULL, SYMBI_SCHEMAPIN_EMBEDDED, f.hash, NULL, &err), err);
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    c.allow_runtime = true;
    i = run(&f, &c, SYMBI_SCHEMAPIN_OK);
    CHECK(i.form == SYMBI_SCHEMAPIN_FORM_RUNTIME && i.warning_count == 1);
    /* embedded, and signed as schemapin-v1 */
    symbi_text_free(&single);
    CHECK_OK(symbi_schemapin_sign(f.cx, f.key, (symbi_str){ (const char *)f.hash, 32 }, &single, &err), err);
    snprintf(file, sizeof file, "{\"a\":2.50, \"signature\":\"%.*s\", \"z\":1}", (int)single.n, single.p);
    c.allow_runtime = false;
    c.json = symbi_str_z(file);
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_OK).form == SYMBI_SCHEMAPIN_FORM_V1);
    /* without one, or with something else there */
    c.json = S("{\"a\":1}");
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID).status == SYMBI_SCHEMAPIN_S_UNSIGNED);
    c.json = S("{\"a\":1,\"signature\":7}");
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID).status == SYMBI_SCHEMAPIN_S_UNSIGNED);
    c.json = S("[1]");
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID).status == SYMBI_SCHEMAPIN_S_UNSIGNED);
    symbi_text_free(&canonical);
    symbi_text_free(&single);
    symbi_text_free(&runtime);
    symbi_text_free(&bytes);
    symbi_text_free(&none);
    close_fixture(&f);
}

static void test_attack_schema_texts(void)
{
    static const struct {
        const char *text;
        symbi_schemapin_code code;
    } t[] = { { "", SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED },
              { "{", SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED },
              { "{}x", SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED },
              { "{\"a\":\"\xff\"}", SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED },
              { "{\"a\":1e999}", SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED },
              { "\xef\xbb\xbf{}", SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED },
              { "null", SYMBI_SCHEMAPIN_SIGNATURE_INVALID },
              { "{}", SYMBI_SCHEMAPIN_SIGNATURE_INVALID } };
    fixture f;
    symbi_schemapin_check c;
    char *big;
    open_fixture(&f);
    c = check_of(&f);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        c.json = symbi_str_z(t[i].text);
        run(&f, &c, t[i].code);
    }
    /* at the limit of size and one past it; too deep */
    big = malloc(SYMBI_SCHEMAPIN_MAX_SCHEMA + 2);
    REQUIRE(big);
    memset(big, ' ', SYMBI_SCHEMAPIN_MAX_SCHEMA + 1);
    big[0] = '1';
    c.json = (symbi_str){ big, SYMBI_SCHEMAPIN_MAX_SCHEMA };
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    c.json.n++;
    run(&f, &c, SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED);
    for (int deep = 128; deep <= 129; deep++) {
        memset(big, '[', (size_t)deep);
        memset(big + deep, ']', (size_t)deep);
        c.json = (symbi_str){ big, 2 * (size_t)deep };
        run(&f, &c, deep == 128 ? SYMBI_SCHEMAPIN_SIGNATURE_INVALID : SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED);
    }
    symbi_ctx_limits(f.cx)->doc_depth = 100000; /* whatever is allowed: there is a ceiling */
    for (int deep = 2048; deep <= 2049; deep++) {
        memset(big, '[', (size_t)deep);
        memset(big + deep, ']', (size_t)deep);
        c.json = (symbi_str){ big, 2 * (size_t)deep };
        run(&f, &c, deep == 2048 ? SYMBI_SCHEMAPIN_SIGNATURE_INVALID : SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED);
    }
    symbi_ctx_limits(f.cx)->doc_depth = 128;
    free(big);
    c.json = (symbi_str){ NULL, 0 };
    run(&f, &c, SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED);
    /* a member twice: the last counts, as elsewhere, and it shows; strict refuses */
    c = check_of(&f);
    c.json = S("{\"name\":\"evil\",\"name\":\"add\",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"}}}}");
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_OK).warning_count == 1);
    c.strict = true;
    run(&f, &c, SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED);
    close_fixture(&f);
}

static void test_attack_documents(void)
{
    fixture f;
    symbi_schemapin_check c;
    symbi_schemapin_discovery *d = NULL;
    symbi_text priv;
    symbi_err err;
    char text[900], two[500];
    open_fixture(&f);
    c = check_of(&f);
    c.discovery = NULL;
    run(&f, &c, SYMBI_SCHEMAPIN_DISCOVERY_FETCH_FAILED);
    d = discovery_of(f.cx, S(""), S(""));
    c.discovery = d;
    run(&f, &c, SYMBI_SCHEMAPIN_DISCOVERY_INVALID);
    symbi_schemapin_discovery_unref(d);
    d = discovery_of(f.cx, S("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), S(""));
    c.discovery = d;
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_NOT_FOUND);
    symbi_schemapin_discovery_unref(d);
    /* a private key is no public key, also not beside one; two keys are none */
    CHECK_OK(symbi_key_private_pem(f.cx, f.key, &priv, &err), err);
    d = discovery_of(f.cx, symbi_text_str(&priv), S(""));
    c.discovery = d;
    run(&f, &c, SYMBI_SCHEMAPIN_DISCOVERY_INVALID);
    symbi_schemapin_discovery_unref(d);
    snprintf(text, sizeof text, "%.*s%.*s", (int)f.pem.n, f.pem.p, (int)priv.n, priv.p);
    d = discovery_of(f.cx, symbi_str_z(text), S(""));
    c.discovery = d;
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_NOT_FOUND);
    symbi_schemapin_discovery_unref(d);
    snprintf(two, sizeof two, "%.*s%.*s", (int)f.pem.n, f.pem.p, (int)f.pem.n, f.pem.p);
    d = discovery_of(f.cx, symbi_str_z(two), S(""));
    c.discovery = d;
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_NOT_FOUND);
    symbi_schemapin_discovery_unref(d);
    symbi_text_wipe(&priv);
    CHECK(symbi_schemapin_discovery_read(f.cx, S("{\"schema_version\":1}"), NULL, &d, &err) == SYMBI_ESCHEMA && !d);
    CHECK(symbi_schemapin_discovery_read(f.cx, S("{\"revoked_keys\":[1]}"), NULL, &d, &err) == SYMBI_ESCHEMA && !d);
    CHECK(symbi_schemapin_discovery_read(f.cx, S("[]"), NULL, &d, &err) == SYMBI_ESCHEMA && !d);
    CHECK(symbi_schemapin_discovery_read(f.cx, S("{\"a\":1,\"a\":2}"), NULL, &d, &err) == SYMBI_EPARSE && !d);
    close_fixture(&f);
}

static void test_attack_keys(void)
{
    static const struct {
        const char *what, *pem;
    } t[] = {
        { "P-384", "-----BEGIN PUBLIC KEY-----\nMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEquZl3cmNCDHXso0OJKFb8Few91A5htFA\nhHUteZEp01nYZ9n2nbWZ03/8TCrIYdsEDGyJYrn9dHImrynZGsuyW60OUGMzvfkC\nYV+jpoiw9k7uW+Cn8FR+vaERCQSJnT3D\n-----END PUBLIC KEY-----\n" },
        { "secp256k1", "-----BEGIN PUBLIC KEY-----\nMFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE8HZrHbldnLzkNz3zAxSTzM8wyBKi1Zzz\nsl/bkxsWO/SOm79DNJX2CHiP3hsvwFNo4/lEDg/1185ooCGJX2zbXw==\n-----END PUBLIC KEY-----\n" },
        { "P-256 with explicit parameters", "-----BEGIN PUBLIC KEY-----\nMIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAA\nAAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////\n///////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSd\nNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5\nRdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA\n//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABI2n0CiCkJwXJsK6X0ebD5Xe\ndT/MJz5cQwosv99+hyi4qdWAi1JpuZ6RHSZiplck+qMY9NYwqVcWymcEyuHeOm8=\n-----END PUBLIC KEY-----\n" },
        { "RSA",
          "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtIOnjLXkFxj841AlfCYA\nV/25M9XvSEv5JBB/SZlIszK/KG+mgaZM2jbZuKhsaaYcr90qUgkUEKX+bVvAv7oU\nA5AUmD2YhauazR0H7jw4p8ymgSAGwEcvkNUxyhhS3gOTjp67P2dQibYQkkb70/dF\nbv0miYpKHco+ZLnwlfUySidARuQAB8At7fHs2d6JuyWOjtfwDuV2uPV9qyoi552n\nI+UpF5UgP9gHiKFWjtoC0XPqJNEZTfEgSSo0mdalq9iMszeUeAxaQWv9SEq6sy7p\nEJOWf2PCusE0qojFLOnkqEU6i7hxatFz9z0Fme+Hl09PUxglAeQEaGvD7Qs+agiu\nwwIDAQAB\n-----END PUBLIC KEY-----\n" },
        { "a point that is not on the curve",
          "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJ4Hh4NGE+M2gM4xK1yDBGyJYNk3h\nseWxuG9uh0O1hdvM4HuS9JsMwDBSI85xt5JYuoGPr8yaCcFCEAZOOhNImA==\n-----END PUBLIC KEY-----\n" },
        { "the point at infinity", "-----BEGIN PUBLIC KEY-----\nMBkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDAgAA\n-----END PUBLIC KEY-----\n" },
        { "nothing", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n" },
    };
    fixture f;
    symbi_schemapin_check c;
    symbi_key *ed;
    symbi_text pem;
    symbi_err err;
    open_fixture(&f);
    c = check_of(&f);
    for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
        symbi_schemapin_discovery *d = discovery_of(f.cx, symbi_str_z(t[k].pem), S(""));
        c.discovery = d;
        if (!d) printf("%s: no document\n", t[k].what);
        run(&f, &c, SYMBI_SCHEMAPIN_KEY_NOT_FOUND);
        symbi_schemapin_discovery_unref(d);
    }
    CHECK_OK(symbi_ed25519_generate(f.cx, &ed, &err), err);
    CHECK_OK(symbi_key_public_pem(f.cx, ed, &pem, &err), err);
    {
        symbi_schemapin_discovery *d = discovery_of(f.cx, symbi_text_str(&pem), S(""));
        c.discovery = d;
        run(&f, &c, SYMBI_SCHEMAPIN_KEY_NOT_FOUND);
        symbi_schemapin_discovery_unref(d);
    }
    symbi_text_free(&pem);
    symbi_key_unref(ed);
    close_fixture(&f);
}

static void test_trust_settings(void)
{
    fixture f;
    symbi_schemapin_check c;
    symbi_schemapin_a2a a = { .delegation_depth = 4 };
    symbi_str list[2];
    symbi_err err;
    open_fixture(&f);
    c = check_of(&f);
    c.only_pinned = true;
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_NOT_PINNED);
    c.only_pinned = false;
    CHECK_OK(symbi_schemapin_pins_set_policy(f.pins, S("example.com"), SYMBI_SCHEMAPIN_POLICY_NEVER_TRUST, &err), err);
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_NOT_PINNED);
    CHECK_OK(symbi_schemapin_pins_set_policy(f.pins, S("example.com"), SYMBI_SCHEMAPIN_POLICY_DEFAULT, &err), err);
    c.dns_fingerprint = S("sha256:00");
    run(&f, &c, SYMBI_SCHEMAPIN_DOMAIN_MISMATCH);
    c.dns_fingerprint = S("");
    c.canonicalization = S("");
    run(&f, &c, SYMBI_SCHEMAPIN_CANONICALIZATION_UNSUPPORTED);
    c.canonicalization = S("schemapin-v1");
    c.a2a = &a;
    run(&f, &c, SYMBI_SCHEMAPIN_A2A_SCOPE_VIOLATION);
    a.delegation_depth = -1;
    run(&f, &c, SYMBI_SCHEMAPIN_A2A_SCOPE_VIOLATION);
    a.delegation_depth = 3;
    list[0] = S("*.example.com"); /* not the apex */
    list[1] = S("other.com");
    a.trusted = list;
    a.ntrusted = 2;
    run(&f, &c, SYMBI_SCHEMAPIN_A2A_SCOPE_VIOLATION);
    a.ntrusted = 0;
    a.deny_all = true; /* an empty intersection is not "everybody" */
    run(&f, &c, SYMBI_SCHEMAPIN_A2A_SCOPE_VIOLATION);
    a.deny_all = false;
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    close_fixture(&f);
}

/* ---- the decision cache ---------------------------------------------------------------------------------------------- */

static uint64_t hits_of(const symbi_schemapin_cache *c)
{
    uint64_t h, m;
    symbi_schemapin_cache_stats(c, &h, &m);
    return h;
}

static void test_cache_is_never_stale(void)
{
    fixture f;
    symbi_schemapin_check c;
    symbi_schemapin_cache *cache;
    symbi_schemapin_revocation *r;
    symbi_schemapin_pin pin;
    symbi_err err;
    char text[300], fp[SYMBI_SCHEMAPIN_FINGERPRINT + 1], sig[200];
    uint64_t h;
    open_fixture(&f);
    CHECK_OK(symbi_schemapin_cache_new(f.cx, 0, 0, 100, &cache, &err), err);
    c = check_of(&f);
    c.cache = cache;
    run(&f, &c, SYMBI_SCHEMAPIN_OK); /* pins: not kept */
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_OK).status == SYMBI_SCHEMAPIN_S_VERIFIED);
    CHECK(hits_of(cache) == 0);
    CHECK(run(&f, &c, SYMBI_SCHEMAPIN_OK).status == SYMBI_SCHEMAPIN_S_VERIFIED);
    CHECK(hits_of(cache) == 1);
    /* another byte of anything */
    snprintf(text, sizeof text, "%s ", schema_text);
    c.json = symbi_str_z(text);
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    c.json.n -= 2;
    run(&f, &c, SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED);
    c.json = symbi_str_z(schema_text);
    snprintf(sig, sizeof sig, "%.*s", (int)f.sig.n, f.sig.p);
    sig[20] = sig[20] == 'A' ? 'B' : 'A';
    c.signature = symbi_str_z(sig);
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    c.signature = symbi_text_str(&f.sig);
    c.only_pinned = c.strict = true;
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    c.only_pinned = c.strict = false;
    c.tool_id = S("other");
    run(&f, &c, SYMBI_SCHEMAPIN_OK); /* pins: another generation */
    c.tool_id = S("add");
    h = hits_of(cache);
    CHECK(h == 1);
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    CHECK(hits_of(cache) == h); /* generation changed */
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    CHECK(hits_of(cache) == h + 1);
    /* time: before, at the end of its age, past it */
    c.now = NOW - 1;
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    CHECK(hits_of(cache) == h + 1);
    c.now = NOW + 99;
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    CHECK(hits_of(cache) == h + 2);
    c.now = NOW + 100; /* 101 s after NOW - 1 */
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    CHECK(hits_of(cache) == h + 2);
    /* expiry inside the age */
    c.meta.expires_at = S("2026-05-28T20:28:25Z"); /* NOW + 105 */
    c.meta.refuse_expired = true;
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    c.now = NOW + 105;
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    CHECK(hits_of(cache) == h + 3);
    c.now = NOW + 106;
    run(&f, &c, SYMBI_SCHEMAPIN_SIGNATURE_EXPIRED);
    memset(&c.meta, 0, sizeof c.meta);
    /* revocation */
    symbi_schemapin_fingerprint(f.key, fp);
    snprintf(text, sizeof text, "{\"revoked_keys\":[{\"fingerprint\":\"%s\"}]}", fp);
    CHECK_OK(symbi_schemapin_revocation_read(f.cx, symbi_str_z(text), NULL, &r, &err), err);
    c.revocation = r;
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_REVOKED);
    c.revocation = NULL;
    symbi_schemapin_revocation_unref(r);
    /* the pin goes, and another key takes its place */
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    CHECK(symbi_schemapin_pins_remove(f.pins, S("add"), S("example.com")));
    memset(&pin, 0, sizeof pin);
    pin.tool_id = S("add");
    pin.domain = S("example.com");
    pin.fingerprint = S("sha256:other");
    CHECK_OK(symbi_schemapin_pins_add(f.pins, &pin, NOW, false, &err), err);
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_PIN_MISMATCH);
    /* a new document at the same address as the old one is not the old one: the cache holds what it compares by */
    CHECK(symbi_schemapin_pins_remove(f.pins, S("add"), S("example.com")));
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    run(&f, &c, SYMBI_SCHEMAPIN_OK);
    symbi_schemapin_discovery_unref(f.doc);
    f.doc = discovery_of(f.cx, symbi_text_str(&f.pem), symbi_str_z(fp));
    c.discovery = f.doc;
    run(&f, &c, SYMBI_SCHEMAPIN_KEY_REVOKED);
    symbi_schemapin_cache_free(cache);
    close_fixture(&f);
}

static void test_cache_is_bounded(void)
{
    fixture f;
    symbi_schemapin_check c;
    symbi_schemapin_cache *cache;
    symbi_err err;
    char text[4000];
    open_fixture(&f);
    CHECK_OK(symbi_schemapin_cache_new(f.cx, 8, 6000, 0, &cache, &err), err);
    c = check_of(&f);
    c.pins = NULL;
    c.cache = cache;
    for (int i = 0; i < 40; i++) { /* more entries, and more bytes, than it holds */
        memset(text, ' ', sizeof text);
        memcpy(text, schema_text, sizeof schema_text - 1);
        c.json = (symbi_str){ text, sizeof schema_text - 1 + (size_t)i * 90 };
        run(&f, &c, SYMBI_SCHEMAPIN_OK);
        run(&f, &c, SYMBI_SCHEMAPIN_OK);
    }
    CHECK(hits_of(cache) == 40);
    c.json.n = sizeof schema_text - 1;
    run(&f, &c, SYMBI_SCHEMAPIN_OK); /* long gone */
    CHECK(hits_of(cache) == 40);
    symbi_schemapin_cache_free(cache);
    CHECK(symbi_schemapin_cache_new(f.cx, 65537, 0, 0, &cache, &err) == SYMBI_ELIMIT && !cache);
    close_fixture(&f);
}

/* ---- memory ---------------------------------------------------------------------------------------------------------- */

typedef struct oom_input {
    symbi_str pem, sig;
} oom_input;

static symbi_status scenario(symbi_ctx *cx, void *ud)
{
    const oom_input *in = ud;
    symbi_schemapin_discovery *d = discovery_of(cx, in->pem, S("sha256:00"));
    symbi_schemapin_pins *pins = NULL;
    symbi_schemapin_cache *cache = NULL;
    symbi_schemapin_result *r = NULL, *again = NULL;
    symbi_text json;
    symbi_doc *doc = NULL;
    symbi_err err;
    symbi_status st;
    memset(&json, 0, sizeof json);
    if (!d) return SYMBI_ENOMEM;
    st = symbi_schemapin_pins_new(cx, &pins, &err);
    if (!st) st = symbi_schemapin_cache_new(cx, 4, 0, 0, &cache, &err);
    if (!st) {
        symbi_schemapin_check c;
        memset(&c, 0, sizeof c);
        c.size = sizeof c;
        c.json = symbi_str_z(schema_text);
        c.signature = in->sig;
        c.domain = S("example.com");
        c.tool_id = S("add");
        c.discovery = d;
        c.pins = pins;
        c.cache = cache;
        c.now = NOW;
        st = symbi_schemapin_check_schema(cx, &c, &r, &err);
        if (!st) {
            symbi_schemapin_info i;
            symbi_schemapin_result_info(r, &i);
            if (!i.valid) st = SYMBI_EVERIFY;
        }
        if (!st) st = symbi_schemapin_check_schema(cx, &c, &again, &err);
        symbi_schemapin_result_unref(again);
        again = NULL;
        if (!st) st = symbi_schemapin_check_schema(cx, &c, &again, &err);
    }
    if (!st) st = symbi_schemapin_pins_json(pins, false, &json, &err);
    if (!st) st = symbi_schemapin_pins_load(pins, symbi_text_str(&json), NULL, &err);
    if (!st) st = symbi_schemapin_result_value(cx, r, &doc, &err);
    symbi_doc_unref(doc);
    symbi_text_free(&json);
    symbi_schemapin_result_unref(r);
    symbi_schemapin_result_unref(again);
    symbi_schemapin_cache_free(cache);
    symbi_schemapin_pins_free(pins);
    symbi_schemapin_discovery_unref(d);
    return st;
}

static void test_out_of_memory(void)
{
    fixture f;
    oom_input in;
    open_fixture(&f);
    in.pem = symbi_text_str(&f.pem);
    in.sig = symbi_text_str(&f.sig);
    test_oom(scenario, &in, SYMBI_OK);
    close_fixture(&f);
}

static void test_canonical_of_values_and_texts_agree(void)
{
    static const char *const texts[] = { "{\"b\":[1,2,{\"y\":null,\"x\":true}],\"a\":\"\\u00e9\\n\\u0001\"}", "[1.5,-0.0,1e2,0.0001,123456789.25]", "\"x\"", "{}", "[]" };
    symbi_ctx *cx;
    symbi_err err;
    REQUIRE(!symbi_ctx_new(NULL, &cx, &err));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        symbi_doc *d;
        symbi_text a, b;
        CHECK_OK(symbi_json_parse(cx, symbi_str_z(texts[i]), &d, &err), err);
        CHECK_OK(symbi_schemapin_canonical(cx, symbi_str_z(texts[i]), NULL, 0, &a, NULL, &err), err);
        CHECK_OK(symbi_schemapin_canonical(cx, S(""), symbi_doc_root(d), 0, &b, NULL, &err), err);
        CHECK(a.n == b.n && !memcmp(a.p, b.p, a.n));
        symbi_text_free(&a);
        symbi_text_free(&b);
        symbi_doc_unref(d);
    }
    /* a member twice, among few and among many: the last value counts */
    {
        symbi_text t;
        unsigned notes;
        CHECK_OK(symbi_schemapin_canonical(cx, S("{\"b\":1,\"a\":2,\"b\":3}"), NULL, 0, &t, &notes, &err), err);
        CHECK_STR(symbi_text_str(&t), "{\"a\":2,\"b\":3}");
        CHECK(notes == SYMBI_SCHEMAPIN_NOTE_DUPLICATE);
        symbi_text_free(&t);
        CHECK_OK(symbi_schemapin_canonical(cx, S("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"c\":2}"), NULL, 0, &t, &notes, &err), err);
        CHECK_STR(symbi_text_str(&t), "{\"a\":1,\"b\":1,\"c\":2,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1}");
        CHECK(notes == SYMBI_SCHEMAPIN_NOTE_DUPLICATE);
        symbi_text_free(&t);
    }
    /* a key that is written now with an escape, now without: one member, spelled in one way, whatever came first */
    {
        static const char *const pairs[][2] = {
            { "{\"a\\u0062\":1,\"ab\":\"x\\/y\",\"c\":2}", "{\"ab\":\"x/y\",\"c\":2}" },
            { "{\"\\\"\":\"\\u0022\",\"\\u0022\":\"plain\",\"!\":[\"\\\\\",\"p\"]}", "{\"!\":[\"\\\\\",\"p\"],\"\\\"\":\"plain\"}" },
            { "{\"z\":{\"\\n\":{}},\"\\n\":{\"q\":[]}}", "{\"\\n\":{\"q\":[]},\"z\":{\"\\n\":{}}}" },
        };
        symbi_text t;
        unsigned notes;
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
            CHECK_OK(symbi_schemapin_canonical(cx, symbi_str_z(pairs[i][0]), NULL, 0, &t, &notes, &err), err);
            CHECK_STR(symbi_text_str(&t), pairs[i][1]);
            symbi_text_free(&t);
        }
    }
    /* a time from a TOML tree keeps notes of its own where ours would stand: its key is escaped all the same */
    {
        symbi_value v = { .kind = SYMBI_OBJECT };
        symbi_member m = { .key = S("\"") };
        symbi_text t;
        for (unsigned sub = 0; sub <= SYMBI_TIME_LOCAL_TIME; sub++) {
            m.val.kind = SYMBI_TIME;
            m.val.sub = (uint8_t)sub;
            m.val.u.s = S("07:32:00\"");
            v.u.o.members = &m;
            v.u.o.n = 1;
            CHECK_OK(symbi_schemapin_canonical(cx, S(""), &v, 0, &t, NULL, &err), err);
            CHECK_STR(symbi_text_str(&t), "{\"\\\"\":\"07:32:00\\\"\"}");
            symbi_text_free(&t);
        }
    }
    /* many members, in the worst order: merged and sorted beyond the sizes that are treated by hand */
    for (int n = 1; n <= 70; n++) {
        char in[1200], want[1200];
        size_t a = 0, b = 0;
        symbi_text t;
        in[a++] = want[b++] = '{';
        for (int i = 0; i < n; i++) {
            a += (size_t)snprintf(in + a, sizeof in - a, "%s\"k%02d\":%d", i ? "," : "", (n - i) * 37 % 71, i);
        }
        for (int k = 0; k < 71; k++)
            for (int i = 0; i < n; i++)
                if ((n - i) * 37 % 71 == k) b += (size_t)snprintf(want + b, sizeof want - b, "%s\"k%02d\":%d", b > 1 ? "," : "", k, i);
        in[a++] = want[b++] = '}';
        in[a] = want[b] = 0;
        CHECK_OK(symbi_schemapin_canonical(cx, symbi_str_z(in), NULL, 0, &t, NULL, &err), err);
        CHECK_STR(symbi_text_str(&t), want);
        symbi_text_free(&t);
    }
    /* what is not signed */
    {
        static const char *const bad[] = { "1e16", "1e-5", "[0.000001]", "18446744073709551616", "{\"a\":1e300}" };
        symbi_text t;
        unsigned notes;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            CHECK(symbi_schemapin_canonical(cx, symbi_str_z(bad[i]), NULL, SYMBI_SCHEMAPIN_FOR_SIGNING, &t, &notes, &err) == SYMBI_ESCHEMA);
            CHECK(t.p == NULL);
        }
        CHECK_OK(symbi_schemapin_canonical(cx, S("[1.0,9007199254740993]"), NULL, SYMBI_SCHEMAPIN_FOR_SIGNING, &t, &notes, &err), err);
        CHECK(notes == SYMBI_SCHEMAPIN_NOTE_NUMBER);
        symbi_text_free(&t);
    }
    /* a tree that a caller built: members twice, bytes that are not UTF-8 */
    {
        symbi_value v;
        symbi_member m[2];
        symbi_text t;
        memset(&v, 0, sizeof v);
        memset(m, 0, sizeof m);
        v.kind = SYMBI_OBJECT;
        v.u.o.members = m;
        v.u.o.n = 2;
        m[0].key = m[1].key = S("a");
        CHECK(symbi_schemapin_canonical(cx, S(""), &v, 0, &t, NULL, &err) == SYMBI_ESCHEMA);
        m[1].key = S("\xff");
        CHECK(symbi_schemapin_canonical(cx, S(""), &v, 0, &t, NULL, &err) == SYMBI_ESCHEMA);
    }
    symbi_ctx_free(cx);
}

/* ---- made elsewhere: by PyPI schemapin 1.3.0, with a key that nobody kept ---------------------------------------------- */

static const char foreign_pem[] = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJ4Hh4NGD+M2gM4xK1yDBGyJYNk3h\nseWxuG9uh0O1hdvM4HuS9JsMwDBSI85xt5JYuoGPr8yaCcFCEAZOOhNImA==\n-----END PUBLIC KEY-----\n";

static void test_foreign_signatures(void)
{
    symbi_ctx *cx;
    symbi_schemapin_discovery *d;
    symbi_schemapin_discovery_info di;
    symbi_schemapin_check c;
    symbi_schemapin_skill_check k;
    symbi_schemapin_folder *f;
    symbi_schemapin_result *r;
    symbi_schemapin_info i;
    symbi_text t;
    symbi_err err;
    bool wanted;
    REQUIRE(!symbi_ctx_new(NULL, &cx, &err));
    d = discovery_of(cx, symbi_str_z(foreign_pem), S(""));
    REQUIRE(d);
    symbi_schemapin_discovery_get(d, &di);
    CHECK_STR(di.fingerprint, "sha256:e896d9a6f436fbd36e789f49660dde26339d4e4a2a38abd2f537997fa56512fd");
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.json = S("{\"z\":[1,2.50,1e2,-0.0],\"a\":{\"\\u00e9\":\"caf\\u00e9 \\ud83d\\ude00\\n\",\"10\":null,\"9\":true},\"name\":\"count\"}");
    c.signature = S("MEQCIAXMuEEB6ewltAlA8l+T721RSR+hXea7VYr61dwJtS7nAiArvDudXT4dnVw5xWRIlo8FkbEOXDvLmcvCVVQlXQGv8g==");
    c.domain = S("example.com");
    c.discovery = d;
    c.now = NOW;
    CHECK_OK(symbi_schemapin_canonical(cx, c.json, NULL, 0, &t, NULL, &err), err);
    CHECK_STR(symbi_text_str(&t), "{\"a\":{\"10\":null,\"9\":true,\"\xc3\xa9\":\"caf\xc3\xa9 \xf0\x9f\x98\x80\\n\"},\"name\":\"count\",\"z\":[1,2.5,100.0,-0.0]}");
    symbi_text_free(&t);
    CHECK_OK(symbi_schemapin_check_schema(cx, &c, &r, &err), err);
    symbi_schemapin_result_info(r, &i);
    CHECK(i.valid && i.digest[0] == 0x8f && i.digest[31] == 0xb7);
    symbi_schemapin_result_unref(r);
    REQUIRE(!symbi_schemapin_folder_new(cx, false, &f, &err));
    CHECK_OK(symbi_schemapin_folder_begin(f, S("scripts/run.sh"), SYMBI_SCHEMAPIN_ENTRY_FILE, &wanted, &err), err);
    CHECK_OK(symbi_schemapin_folder_data(f, S("echo hi\n"), &err), err);
    CHECK_OK(symbi_schemapin_folder_end(f, &err), err);
    CHECK_OK(symbi_schemapin_folder_begin(f, S("SKILL.md"), SYMBI_SCHEMAPIN_ENTRY_FILE, &wanted, &err), err);
    CHECK_OK(symbi_schemapin_folder_data(f, S("---\nname: demo\n---\nHello\n"), &err), err);
    CHECK_OK(symbi_schemapin_folder_end(f, &err), err);
    memset(&k, 0, sizeof k);
    k.size = sizeof k;
    k.folder = f;
    k.signature_json = S("{\"schemapin_version\": \"1.3\", \"skill_name\": \"demo\", \"skill_hash\": \"sha256:a1efc23cebd13352c98c020a2c75d1ff88de3c6957a1791a214c51bf95e26ead\", "
                         "\"signature\": \"MEYCIQCgX2GpQ4ysTklNr8grYdX0VHun6NY6kaYOUqhdrOCF3AIhANPgtNOERUapCRBLghBhB8EDkIz9A+qy5oS2bN7amngD\", \"signed_at\": \"2026-11-22T18:31:28.510646+00:00\", "
                         "\"domain\": \"example.com\", \"signer_kid\": \"sha256:e896d9a6f436fbd36e789f49660dde26339d4e4a2a38abd2f537997fa56512fd\", \"file_manifest\": {\"SKILL.md\": "
                         "\"sha256:7d0548df6468566b55289fb88e2b42ea8a4cf954cf9a4d3f44934cb40a74138f\", \"scripts/run.sh\": \"sha256:63800c4fd433f9336eaa24ae73a4c7f7f0a8a1d35268e863a3635c58ecd65c61\"}}");
    k.dir_name = S("skill");
    k.domain = S("example.com");
    k.discovery = d;
    k.now = NOW;
    CHECK_OK(symbi_schemapin_check_skill(cx, &k, &r, &err), err);
    symbi_schemapin_result_info(r, &i);
    CHECK(i.valid);
    CHECK_STR(i.tool_id, "demo");
    symbi_schemapin_result_unref(r);
    symbi_schemapin_folder_free(f);
    symbi_schemapin_discovery_unref(d);
    symbi_ctx_free(cx);
}

int main(void)
{
    RUN(test_foreign_signatures);
    RUN(test_good_then_pinned);
    RUN(test_attack_poisoned_pins);
    RUN(test_attack_der_tricks);
    RUN(test_attack_base64_spellings);
    RUN(test_attack_revoked);
    RUN(test_attack_expiry);
    RUN(test_attack_unsigned_timestamp);
    RUN(test_version_and_lineage);
    RUN(test_attack_single_hash_and_runtime_form);
    RUN(test_attack_schema_texts);
    RUN(test_attack_documents);
    RUN(test_attack_keys);
    RUN(test_trust_settings);
    RUN(test_cache_is_never_stale);
    RUN(test_cache_is_bounded);
    RUN(test_canonical_of_values_and_texts_agree);
    RUN(test_out_of_memory);
    return test_end();
}
