/* tests/unit/agentpin_attacks_test.c: the table of attacks. Each row is an attack with a valid credential spoilt in one way, and ends in a
 * code and reason that no other row ends in. The rows about HTTP answers and bundles go through their own functions. scripts/guide/agentpin.md
 * has the same table. */
#include "agentpin_expect.h"
#include "symbi/crypto.h"

static const char k_claims[] = "{\"iss\":\"example.com\",\"sub\":\"a\",\"iat\":1780000000,\"exp\":1780003600,\"jti\":\"j\",\"agentpin_version\":\"0.1\",\"capabilities\":[\"read:x\"]}";

static char *b64url(char *o, const uint8_t *p, size_t n)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        *o++ = abc[v >> 18];
        *o++ = abc[v >> 12 & 63];
        if (i + 1 < n) *o++ = abc[v >> 6 & 63];
        if (i + 2 < n) *o++ = abc[v & 63];
    }
    return o;
}

/* header.claims in out; returns the end. */
static char *signed_part(char *out, const char *header, const char *body)
{
    char *o = b64url(out, (const uint8_t *)header, strlen(header));
    *o++ = '.';
    return b64url(o, (const uint8_t *)body, strlen(body));
}

/* ---- spoiling a signature: DER of our own making from a good r and s ---- */

typedef enum spoil { GOOD, LEADING_ZERO, TRAILING, NEGATIVE, RAW, CUT, HMAC_OF_PEM, NOTHING, LONG_LENGTH } spoil;

static size_t put_int(uint8_t *o, const uint8_t *m, size_t n, bool zero, bool bare)
{
    size_t k = 2;
    while (n > 1 && !*m) m++, n--;
    if (zero) o[k++] = 0;
    if ((*m & 0x80) && !bare) o[k++] = 0;
    memcpy(o + k, m, n);
    o[0] = 2;
    o[1] = (uint8_t)(k - 2 + n);
    return k + n;
}

/* A token whose r and s are properly signed, in a form that is not the one form. NEGATIVE wants an r with its top bit set. */
static symbi_str spoilt(fixture *f, const char *header, spoil how, char *out)
{
    uint8_t raw[72], sig[160];
    size_t n, at = 2;
    char *end = signed_part(out, header, k_claims);
    symbi_err err;
    symbi_str msg = { out, (size_t)(end - out) };
    do CHECK_OK(symbi_es256_sign(f->cx, f->k, msg, SYMBI_ES256_RAW, raw, &n, &err), err);
    while (!(raw[0] & 0x80));
    if (how == RAW) {
        memcpy(sig, raw, at = 64);
    } else if (how == HMAC_OF_PEM) {
        symbi_text pem;
        CHECK_OK(symbi_key_public_pem(f->cx, f->k, &pem, &err), err);
        CHECK_OK(symbi_hmac_sha256(f->cx, symbi_text_str(&pem), msg, sig, &err), err);
        symbi_text_free(&pem);
        at = 32;
    } else if (how == NOTHING) {
        at = 0;
    } else {
        at += put_int(sig + at, raw, 32, how == LEADING_ZERO, how == NEGATIVE);
        at += put_int(sig + at, raw + 32, 32, false, false);
        sig[0] = 0x30;
        sig[1] = (uint8_t)(at - 2);
        if (how == LONG_LENGTH) {
            memmove(sig + 3, sig + 2, at - 2);
            sig[2] = sig[1];
            sig[1] = 0x81;
            at++;
        }
        if (how == TRAILING) sig[at++] = 0;
        if (how == CUT) at -= 20; /* never 64 bytes: those would look like another form */
    }
    *end++ = '.';
    end = b64url(end, sig, at);
    return (symbi_str){ out, (size_t)(end - out) };
}

/* ---- keys that are none ---- */

/* The document's JWK with `from` replaced by `to` (same place, any length). */
static void change_document(fixture *f, const char *from, const char *to)
{
    char text[8192];
    const char *was = text_of(f->cx, symbi_doc_root(f->doc)), *at = strstr(was, from);
    REQUIRE(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - was), was, to, at + strlen(from));
    symbi_doc_unref(f->doc);
    f->doc = parse(f->cx, "%s", text);
}

/* y + 1: never the other half of x's points, so never on the curve. */
static void off_the_curve(fixture *f)
{
    uint8_t xy[64];
    char was[64], is[64];
    symbi_p256_point(f->k, xy);
    *b64url(was, xy + 32, 32) = 0;
    for (int i = 63; i >= 32 && !++xy[i]; i--) {}
    *b64url(is, xy + 32, 32) = 0;
    change_document(f, was, is);
}

/* ---- the table ---- */

typedef enum how { TOKEN, CLAIMS, SPOILT, BIG, REPLAY, POISONED, POISONING, BUNDLE, REDIRECT } how;
typedef struct row {
    const char *id, *what, *code, *why;
    how how;
    spoil spoil;
    const char *header, *body;
    claims c;
    const char *from, *to; /* of the discovery document */
} row;

#define H(members) "{" members "\"typ\":\"agentpin-credential+jwt\",\"kid\":\"k1\"}"
#define REJECTED "ALGORITHM_REJECTED"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* a row says only what is special about it */
static const row k_rows[] = {
    { "alg-none", "`alg` none, without a signature", REJECTED, "TOKEN_ALG_NONE", SPOILT, NOTHING, H("\"alg\":\"nOnE\",") },
    { "alg-hmac", "`alg` HS256, keyed with the published key's text", REJECTED, "TOKEN_ALG_HMAC", SPOILT, HMAC_OF_PEM, H("\"alg\":\"HS256\",") },
    { "alg-other", "another algorithm over the same key", REJECTED, "TOKEN_ALG", SPOILT, GOOD, H("\"alg\":\"ES384\",") },
    { "wrong-curve", "a published key of another curve", "KEY_NOT_FOUND", "KEY_CURVE", TOKEN, GOOD, HEADER, k_claims, .from = "\"P-256\"", .to = "\"P-384\"" },
    { "off-curve", "a published point that is not on the curve", "KEY_NOT_FOUND", "KEY_POINT", TOKEN, GOOD, HEADER, k_claims },
    { "kid-injection", "a `kid` that is a path, SQL or a URL", "KEY_NOT_FOUND", "KEY_UNKNOWN", TOKEN, GOOD, "{\"alg\":\"ES256\",\"typ\":\"agentpin-credential+jwt\",\"kid\":\"../../k1' OR '1'='1\"}", k_claims },
    { "der-zeros", "DER with leading zeros", "SIGNATURE_INVALID", "SIGNATURE_ZEROS", SPOILT, LEADING_ZERO, HEADER },
    { "der-trailing", "DER with bytes behind it", "SIGNATURE_INVALID", "SIGNATURE_TRAILING", SPOILT, TRAILING, HEADER },
    { "der-negative", "DER with a negative r", "SIGNATURE_INVALID", "SIGNATURE_NEGATIVE", SPOILT, NEGATIVE, HEADER },
    { "der-length", "DER with a length that is not the shortest", "SIGNATURE_INVALID", "SIGNATURE_FORM", SPOILT, LONG_LENGTH, HEADER },
    { "raw", "the 64 bytes of RFC 7518 in place of DER", "SIGNATURE_INVALID", "SIGNATURE_RAW", SPOILT, RAW, HEADER },
    { "truncated", "cut off within the signature", "SIGNATURE_INVALID", "SIGNATURE_CUT", SPOILT, CUT, HEADER },
    { "forged", "signed with another key", "SIGNATURE_INVALID", "SIGNATURE", TOKEN, GOOD, HEADER, k_claims },
    { "duplicate", "a claim that stands there twice", REJECTED, "TOKEN_DUPLICATE", TOKEN, GOOD, HEADER,
      "{\"iss\":\"example.com\",\"sub\":\"a\",\"sub\":\"admin\",\"iat\":1780000000,\"exp\":1780003600,\"jti\":\"j\",\"agentpin_version\":\"0.1\",\"capabilities\":[\"read:x\"]}" },
    { "crit", "an unknown critical extension", REJECTED, "TOKEN_CRIT", TOKEN, GOOD, H("\"alg\":\"ES256\",\"crit\":[\"exp\"],"), k_claims },
    { "expired", "expired", "CREDENTIAL_EXPIRED", "EXPIRED", CLAIMS, .c = { .now = NOW - 3660 } },
    { "future", "issued in the future", "CREDENTIAL_EXPIRED", "ISSUED_IN_FUTURE", CLAIMS, .c = { .now = NOW + 61 } },
    { "replayed", "shown a second time", "CREDENTIAL_REPLAYED", "REPLAYED", REPLAY },
    { "audience", "meant for someone else", "AUDIENCE_MISMATCH", "AUDIENCE", CLAIMS, .c = { .aud = "someone.else" } },
    { "huge", "a token of 10 MB", REJECTED, "TOKEN_TOO_LONG", BIG },
    { "pins-poisoned", "a key that is not the pinned one, in the domain's own document", "KEY_PIN_MISMATCH", "PIN_CHANGED", POISONED },
    { "pins-half", "a pin store that is cut off", "PIN_STORE_INVALID", "", POISONING },
    { "bundle-older", "a bundle older than the one in use", "BUNDLE_DOWNGRADE", "", BUNDLE },
    { "redirect", "a discovery document that redirects to another host", "DISCOVERY_FETCH_FAILED", "REDIRECT", REDIRECT },
    { "domain-case", "the issuer in another case", "DISCOVERY_INVALID", "ISSUER_CASE", CLAIMS, .c = { .iss = "Example.com" } },
    { "domain-dot", "the issuer with a trailing dot", "DISCOVERY_INVALID", "ISSUER_DOT", CLAIMS, .c = { .iss = "example.com." } },
    { "domain-idn", "a look-alike issuer (Cyrillic e)", "DISCOVERY_INVALID", "ISSUER_IDN", CLAIMS, .c = { .iss = "\xd0\xb5xample.com" } },
    { "domain-punycode", "the same look-alike in its ASCII form", "DISCOVERY_INVALID", "DOCUMENT_ENTITY", CLAIMS, .c = { .iss = "xn--xample-2of.com" } },
    { "domain-path", "an issuer that is more than a name", "DISCOVERY_INVALID", "ISSUER_DOMAIN", CLAIMS, .c = { .iss = "evil.com/x?" } },
};
enum { ROWS = sizeof k_rows / sizeof *k_rows };

static void expect_redirect(fixture *f, const row *r)
{
    symbi_agentpin_online *m;
    symbi_agentpin_ask ask;
    symbi_agentpin_result *res;
    symbi_err err;
    symbi_text t = token(f->cx, f->k, (claims){ 0 });
    const char *doc = text_of(f->cx, symbi_doc_root(f->doc));
    symbi_agentpin_answer a = { .http_status = 200, .body = zs(doc), .url = zs("https://evil.example/.well-known/agent-identity.json") };
    CHECK_OK(symbi_agentpin_online_new(f->cx, symbi_text_str(&t), &f->o, false, &m, &err), err);
    CHECK_OK(symbi_agentpin_online_next(m, &ask, &err), err);
    CHECK_OK(symbi_agentpin_online_resolve(m, ask.id, &a, &err), err);
    CHECK_OK(symbi_agentpin_online_next(m, &ask, &err), err);
    CHECK(ask.kind == SYMBI_AGENTPIN_ASK_DONE);
    res = symbi_agentpin_online_result(m);
    REQUIRE(res);
    CHECK(!symbi_agentpin_result_valid(res) && !strcmp(code_of(res), r->code) && !strcmp(why_of(res), r->why));
    symbi_agentpin_online_free(m);
    symbi_text_free(&t);
}

static void check_row(const row *r)
{
    static char buf[4096];
    fixture f;
    symbi_err err;
    setup(&f);
    f.o.audience = zs("verifier.com");
    if (r->from) change_document(&f, r->from, r->to);
    if (!strcmp(r->id, "off-curve")) off_the_curve(&f);
    if (!strcmp(r->id, "forged")) {
        symbi_key_unref(f.k);
        f.k = new_key(f.cx);
    }
    switch (r->how) {
    case TOKEN: expect_raw(&f, r->header, r->body, r->code, r->why); break;
    case CLAIMS: expect_token(&f, r->c, r->code, r->why); break;
    case SPOILT:
        expect(&f, spoilt(&f, r->header, r->spoil, buf), r->code, r->why);
        expect(&f, spoilt(&f, HEADER, GOOD, buf), "", "OK"); /* only that was wrong */
        break;
    case BIG: {
        char *big = malloc(10u << 20);
        REQUIRE(big);
        memset(big, 'A', 10u << 20);
        expect(&f, (symbi_str){ big, 10u << 20 }, r->code, r->why);
        free(big);
        break;
    }
    case REPLAY: {
        symbi_text t = token(f.cx, f.k, (claims){ .jti = "once" });
        CHECK_OK(symbi_agentpin_nonces_new(f.cx, 8, &f.o.replays, &err), err);
        expect(&f, symbi_text_str(&t), "", "OK");
        expect(&f, symbi_text_str(&t), r->code, r->why);
        symbi_agentpin_nonces_free(f.o.replays);
        symbi_text_free(&t);
        break;
    }
    case POISONED: {
        symbi_key *evil = new_key(f.cx);
        CHECK_OK(symbi_agentpin_pins_new(f.cx, &f.o.pins, &err), err);
        expect_token(&f, (claims){ .aud = "someone.else" }, "AUDIENCE_MISMATCH", "AUDIENCE"); /* what was not accepted pins nothing */
        CHECK(symbi_agentpin_pins_count(f.o.pins) == 0);
        expect_token(&f, (claims){ 0 }, "", "OK");
        symbi_doc_unref(f.doc);
        f.doc = discovery(f.cx, "example.com", evil, "k1");
        symbi_key_unref(f.k);
        f.k = evil;
        expect_token(&f, (claims){ 0 }, r->code, r->why);
        symbi_agentpin_pins_free(f.o.pins);
        break;
    }
    case POISONING: {
        static const char whole[] = "[{\"domain\":\"example.com\",\"pinned_keys\":[]}]";
        symbi_agentpin_pins *p;
        symbi_agentpin_code code;
        CHECK(symbi_agentpin_pins_parse(f.cx, (symbi_str){ whole, sizeof whole - 3 }, &p, &code, &err) != SYMBI_OK && !p && !strcmp(symbi_agentpin_code_name(code), r->code));
        break;
    }
    case BUNDLE: {
        symbi_agentpin_bundle_rules rules = { sizeof rules, .now = NOW, .not_before = zs("2026-05-02T00:00:00Z") };
        symbi_doc *b = parse(f.cx, "{\"agentpin_bundle_version\":\"0.1\",\"created_at\":\"2026-05-01T00:00:00Z\",\"documents\":[]}");
        symbi_agentpin_code code;
        CHECK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err) == SYMBI_EVERIFY && !strcmp(symbi_agentpin_code_name(code), r->code));
        symbi_doc_unref(b);
        break;
    }
    case REDIRECT: expect_redirect(&f, r); break;
    }
    teardown(&f);
}

static void test_rows(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        int before = t_now_failed;
        t_now_failed = 0;
        check_row(&k_rows[i]);
        if (t_now_failed) printf("in row %s\n", k_rows[i].id);
        t_now_failed |= before;
    }
}

static void test_each_row_has_a_code_of_its_own(void)
{
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < i; j++)
            if (!strcmp(k_rows[i].why, k_rows[j].why) && (*k_rows[i].why || !strcmp(k_rows[i].code, k_rows[j].code))) {
                printf("%s and %s end alike\n", k_rows[i].id, k_rows[j].id);
                t_now_failed = 1;
            }
}

/* The page has every row, and nothing else. */
static void test_the_page_is_current(void)
{
    static char page[200000];
    char line[400];
    size_t n, rows = 0;
    FILE *file = fopen("scripts/guide/agentpin.md", "r");
    REQUIRE(file);
    n = fread(page, 1, sizeof page - 1, file);
    page[n] = 0;
    fclose(file);
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(line, sizeof line, "\n| %s | `%s`%s%s%s |\n", k_rows[i].what, k_rows[i].code, *k_rows[i].why ? ", `" : "", k_rows[i].why, *k_rows[i].why ? "`" : "");
        if (!strstr(page, line)) {
            printf("scripts/guide/agentpin.md lacks:%s", line);
            t_now_failed = 1;
        }
    }
    for (const char *p = strstr(page, "| attack | code, reason |"); p && (p = strchr(p, '\n')) && p[1] == '|'; p++) rows++;
    CHECK(rows == ROWS + 1);
}

int main(void)
{
    RUN(test_rows);
    RUN(test_each_row_has_a_code_of_its_own);
    RUN(test_the_page_is_current);
    return test_end();
}
