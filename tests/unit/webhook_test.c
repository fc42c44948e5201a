/* Webhooks: the schemes as the services specify them, the vectors, each attack with a reason of its own, replay, limits, memory. */
#include "test.h"

#include "symbi/audit.h"
#include "symbi/json.h"
#include "symbi/webhook.h"
#include "codec/base64.h"

#include <ctype.h>

static symbi_ctx *cx;

static symbi_str Z(const char *z) { return symbi_str_z(z); }

static symbi_webhook *make(symbi_webhook_scheme scheme, const char *secret, void (*set)(symbi_webhook_options *))
{
    symbi_webhook_options o;
    symbi_str s = Z(secret);
    symbi_webhook *w = NULL;
    symbi_err err;
    symbi_webhook_options_init(&o, scheme);
    o.secrets = &s;
    o.nsecrets = 1;
    if (set) set(&o);
    CHECK_OK(symbi_webhook_new(cx, &o, &w, &err), err);
    return w;
}

typedef struct answer {
    symbi_status st;
    symbi_webhook_result r;
    symbi_err err;
} answer;

static answer ask(symbi_webhook *w, const symbi_webhook_header *h, size_t n, symbi_str body, int64_t now)
{
    answer a;
    memset(&a, 0xff, sizeof a);
    symbi_err_clear(&a.err);
    a.st = symbi_webhook_verify(w, h, n, body, now, &a.r, &a.err);
    CHECK((a.st == SYMBI_OK) == (a.r.reason == SYMBI_WEBHOOK_R_OK));
    CHECK(a.st == SYMBI_OK || (a.err.code == a.st && a.err.msg[0]));
    CHECK(a.st == SYMBI_OK || !a.r.token);
    return a;
}
static answer ask1(symbi_webhook *w, const char *name, const char *value, const char *body, int64_t now)
{
    symbi_webhook_header h = { Z(name), Z(value) };
    return ask(w, &h, 1, Z(body), now);
}
#define REFUSED(a, why)                                                                                                                        \
    do {                                                                                                                                       \
        answer a_ = (a);                                                                                                                       \
        if (a_.r.reason != SYMBI_WEBHOOK_R_##why || a_.st == SYMBI_OK) {                                                                       \
            printf("%s:%d: %s (%s), expected %s\n", __FILE__, __LINE__, symbi_webhook_reason_name(a_.r.reason), a_.err.msg, #why);             \
            t_now_failed = 1;                                                                                                                  \
        }                                                                                                                                      \
    } while (0)
#define ACCEPTED(a)                                                                                                                            \
    do {                                                                                                                                       \
        answer a_ = (a);                                                                                                                       \
        if (a_.st != SYMBI_OK) {                                                                                                               \
            printf("%s:%d: %s (%s)\n", __FILE__, __LINE__, symbi_webhook_reason_name(a_.r.reason), a_.err.msg);                                \
            t_now_failed = 1;                                                                                                                  \
        }                                                                                                                                      \
        symbi_jwt_free(a_.r.token);                                                                                                            \
    } while (0)

static void hex_of(const uint8_t *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) snprintf(out + 2 * i, 3, "%02x", p[i]);
}
/* prefix + hex HMAC of text under key, by the one-shot function */
static const char *sign(const char *key, const char *text, const char *prefix)
{
    static char buf[4][200];
    static int at;
    uint8_t m[32];
    char *b = buf[at = (at + 1) % 4];
    symbi_err err;
    CHECK_OK(symbi_hmac_sha256(cx, Z(key), Z(text), m, &err), err);
    strcpy(b, prefix);
    hex_of(m, 32, b + strlen(prefix));
    return b;
}

/* ---- the services' published examples ---- */

static const char k_slack_key[] = "8f742231b10e8888abcd99yyyzzz85a5";
static const char k_slack_body[] = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&"
                                   "command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

static void test_published(void)
{
    symbi_webhook *g = make(SYMBI_WEBHOOK_GITHUB, "It's a Secret to Everybody", NULL), *s = make(SYMBI_WEBHOOK_SLACK, k_slack_key, NULL);
    symbi_webhook_header h[] = { { Z("x-slack-signature"), Z("v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503") },
                                 { Z("X-SLACK-Request-Timestamp"), Z("1531420618") } };
    answer a;
    REQUIRE(g && s);
    for (int i = 0; i < 3; i++) /* the key stays set */
        ACCEPTED(ask1(g, "X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "Hello, World!", 0));
    a = ask1(g, "X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "Hello, World?", 0);
    REFUSED(a, MISMATCH);
    CHECK(strcmp(a.err.msg, "HMAC signature mismatch") == 0 && strcmp(a.r.header, "x-hub-signature-256") == 0);
    a = ask(s, h, 2, Z(k_slack_body), 1531420618);
    ACCEPTED(a);
    CHECK(a.r.has_timestamp && a.r.timestamp == 1531420618 && !a.r.has_key);
    ACCEPTED(ask(s, h, 2, Z(k_slack_body), 1531420918));
    REFUSED(ask(s, h, 2, Z(k_slack_body), 1531420919), TOO_OLD);
    ACCEPTED(ask(s, h, 2, Z(k_slack_body), 1531420318));
    REFUSED(ask(s, h, 2, Z(k_slack_body), 1531420317), IN_FUTURE);
    symbi_webhook_free(g);
    symbi_webhook_free(s);
}

/* ---- the shared vectors ---- */

static symbi_str unbase64(const symbi_value *c, const char *key)
{
    symbi_str t = symbi_value_str(c, key, Z(""));
    char *p = malloc(sy_base64_decoded_max(t.n) + 1);
    size_t n = 0;
    symbi_err err;
    CHECK_OK(sy_base64_decode(t, SY_BASE64, p, &n, &err), err);
    return (symbi_str){ p, n };
}

static symbi_doc *vectors(const char *name)
{
    char path[300];
    symbi_doc *d = NULL;
    symbi_err err;
    symbi_str text;
    if (!vectors_dir()) return NULL;
    snprintf(path, sizeof path, "%s/%s", vectors_dir(), name);
    text = slurp(path);
    if (!text.p) return NULL;
    CHECK_OK(symbi_json_parse(cx, text, &d, &err), err);
    free((char *)(uintptr_t)text.p);
    return d;
}

static bool flag(const symbi_value *v, const char *who)
{
    const symbi_value *r = symbi_value_getz(symbi_value_getz(v, who), "ok");
    return r && r->kind == SYMBI_BOOL && r->u.b;
}
static size_t headers_of(const symbi_value *c, symbi_webhook_header h[16])
{
    const symbi_value *o = symbi_value_getz(c, "headers");
    size_t n = 0;
    for (size_t i = 0; o && i < o->u.o.n && n < 16; i++, n++) h[n] = (symbi_webhook_header){ o->u.o.members[i].key, o->u.o.members[i].val.u.s };
    return n;
}
static bool same_name(symbi_str a, symbi_str b)
{
    for (size_t i = 0; a.n == b.n && i < a.n; i++)
        if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)b.p[i])) return false;
    return a.n == b.n;
}
static bool starts(symbi_str s, symbi_str p) { return s.n >= p.n && !memcmp(s.p, p.p, p.n); }
static bool same_text(symbi_str a, symbi_str b) { return a.n == b.n && !memcmp(a.p, b.p, a.n); }

/* Our rule for a case of verifiers.json, read off the case and written down apart from the code that is tested: the specification's "We" lines. */
static bool hex_mac_fits(symbi_str secret, symbi_str body, symbi_str hex, bool lower_only)
{
    uint8_t mac[32];
    char want[65];
    symbi_err err;
    CHECK_OK(symbi_hmac_sha256(cx, secret, body, mac, &err), err);
    hex_of(mac, 32, want);
    if (hex.n != 64) return false;
    for (size_t i = 0; i < 64; i++)
        if (want[i] != (lower_only ? hex.p[i] : (char)tolower((unsigned char)hex.p[i]))) return false;
    return true;
}

/* A part of a token as bytes: the strict alphabet, no padding. */
static symbi_doc *token_part(symbi_str s)
{
    char buf[20000];
    size_t n = 0;
    symbi_doc *d = NULL;
    symbi_err err;
    if (s.n > sizeof buf || sy_base64_decode(s, SY_BASE64_URL | SY_BASE64_NOPAD, buf, &n, &err)) return NULL;
    if (symbi_json_parse(cx, (symbi_str){ buf, n }, &d, &err)) return NULL;
    if (symbi_doc_root(d)->kind == SYMBI_OBJECT) return d;
    symbi_doc_unref(d);
    return NULL;
}
static bool number(const symbi_value *v, double *out)
{
    if (v && (v->kind == SYMBI_INT || v->kind == SYMBI_DOUBLE)) *out = v->kind == SYMBI_INT ? (double)v->u.i : v->u.d;
    return v && (v->kind == SYMBI_INT || v->kind == SYMBI_DOUBLE);
}
static bool token_fits(symbi_str secret, symbi_str token, symbi_str issuer, double now)
{
    const char *a, *b;
    symbi_doc *h = NULL, *c = NULL;
    bool ok = false;
    double exp = 0, t = 0;
    if (starts(token, Z("Bearer "))) token.p += 7, token.n -= 7;
    a = memchr(token.p, '.', token.n);
    b = a ? memchr(a + 1, '.', token.n - (size_t)(a + 1 - token.p)) : NULL;
    if (b && !memchr(b + 1, '.', token.n - (size_t)(b + 1 - token.p))) {
        h = token_part((symbi_str){ token.p, (size_t)(a - token.p) });
        c = token_part((symbi_str){ a + 1, (size_t)(b - a - 1) });
    }
    if (h && c) {
        const symbi_value *claims = symbi_doc_root(c), *nbf = symbi_value_getz(claims, "nbf"), *iat = symbi_value_getz(claims, "iat");
        uint8_t mac[32];
        char sig[64];
        size_t n;
        symbi_err err;
        CHECK_OK(symbi_hmac_sha256(cx, secret, (symbi_str){ token.p, (size_t)(b - token.p) }, mac, &err), err);
        n = sy_base64_encode(mac, 32, SY_BASE64_URL | SY_BASE64_NOPAD, sig);
        ok = same_text((symbi_str){ b + 1, token.n - (size_t)(b + 1 - token.p) }, (symbi_str){ sig, n });
        ok = ok && same_text(symbi_value_str(symbi_doc_root(h), "alg", Z("")), Z("HS256")) && !symbi_value_getz(symbi_doc_root(h), "crit");
        ok = ok && number(symbi_value_getz(claims, "exp"), &exp) && now < exp + 60;
        ok = ok && (!nbf || (number(nbf, &t) && t <= now + 60)) && (!iat || (number(iat, &t) && t <= now + 60));
        ok = ok && !symbi_value_getz(claims, "aud"); /* no audience is configured in these cases */
        ok = ok && (!issuer.n || same_text(symbi_value_str(claims, "iss", Z("")), issuer));
    }
    symbi_doc_unref(h);
    symbi_doc_unref(c);
    return ok;
}

static bool verifier_rule(const symbi_value *c, symbi_str secret, symbi_str body, const symbi_webhook_header *h, size_t n)
{
    symbi_str kind = symbi_value_str(c, "kind", Z("")), provider = symbi_value_str(c, "provider", Z("")), value = { NULL, 0 };
    symbi_str name = symbi_value_str(c, "header", Z("")), prefix = symbi_value_str(c, "prefix", Z(""));
    bool github = same_name(provider, Z("github"));
    size_t seen = 0;
    if (same_name(provider, Z("stripe")) || same_name(provider, Z("slack"))) return false; /* the real schemes, and these requests are years old or not of them */
    if (github) name = Z("X-Hub-Signature-256"), prefix = Z("sha256=");
    if (same_name(provider, Z("custom"))) name = Z("X-Signature");
    for (size_t i = 0; i < n; i++)
        if (same_name(h[i].name, name)) value = h[i].value, seen++;
    if (!secret.n || seen != 1) return false;
    if (same_text(kind, Z("jwt"))) return token_fits(secret, value, symbi_value_str(c, "issuer", Z("")), (double)symbi_ctx_now_ms(cx) / 1000);
    return starts(value, prefix) && hex_mac_fits(secret, body, (symbi_str){ value.p + prefix.n, value.n - prefix.n }, github);
}

static unsigned rnd(size_t n)
{
    static uint32_t seed = 12345;
    seed = seed * 1664525u + 1013904223u;
    return (unsigned)((seed >> 8) % n);
}
/* Tokens put together at random from odd pieces, signed rightly most of the time: the verifier and the rule above agree on each. */
static void test_tokens_at_random(void)
{
    static const char *const header[] = { "\"alg\":\"HS256\"", "\"alg\":\"HS256\"", "\"alg\":\"HS256\"", "\"alg\":\"HS256\",\"typ\":\"JWT\"", "\"alg\":\"none\"", "\"alg\":\"hs256\"", "\"typ\":\"JWT\"",
                                          "\"alg\":\"HS256\",\"crit\":[]", "\"alg\":\"HS256\",\"kid\":\"../x\"", "\"alg\":[\"HS256\"]", "\"alg\":\"HS256\",\"alg\":\"HS256\"" };
    static const char *const value[] = { "0", "1", "999", "1000", "1001", "1060", "1061", "939", "940", "941", "1e3", "1000.5", "1060.5", "-1", "1e300", "-1e300", "null", "true", "\"2000\"", "\"x\"", "[]", "{}",
                                         "9223372036854775807", "-9223372036854775808", "2000", "2000", "2000" };
    static const char *const text[] = { "\"iss\":\"me\"", "\"iss\":\"ME\"", "\"iss\":5", "\"aud\":\"x\"", "\"aud\":[]", "\"sub\":null" };
    size_t good = 0;
    symbi_str secret = Z("0123456789abcdef0123456789abcdef"), issuer = Z("me");
    symbi_webhook_options o;
    symbi_webhook *plain = NULL, *mine = NULL;
    symbi_err err;
    symbi_webhook_options_init(&o, SYMBI_WEBHOOK_JWT);
    o.secrets = &secret;
    o.nsecrets = 1;
    CHECK_OK(symbi_webhook_new(cx, &o, &plain, &err), err);
    o.issuer = issuer;
    CHECK_OK(symbi_webhook_new(cx, &o, &mine, &err), err);
    REQUIRE(plain && mine);
    for (int i = 0; i < 20000; i++) {
        char h[200], c[400], t[1200], *p = t;
        const char *sep = "";
        uint8_t mac[32];
        symbi_webhook_header hd;
        bool with_issuer = rnd(2), want;
        answer a;
        snprintf(h, sizeof h, "{%s}", header[rnd(sizeof header / sizeof *header)]);
        strcpy(c, "{");
        if (rnd(10)) snprintf(c + strlen(c), 60, "\"exp\":%s", value[rnd(sizeof value / sizeof *value)]), sep = ",";
        if (!rnd(3)) snprintf(c + strlen(c), 60, "%s\"nbf\":%s", sep, value[rnd(sizeof value / sizeof *value)]), sep = ",";
        if (!rnd(3)) snprintf(c + strlen(c), 60, "%s\"iat\":%s", sep, value[rnd(sizeof value / sizeof *value)]), sep = ",";
        if (rnd(2)) snprintf(c + strlen(c), 60, "%s%s", sep, text[rnd(sizeof text / sizeof *text)]);
        strcat(c, rnd(40) ? "}" : "");
        if (rnd(3)) p += sprintf(p, "Bearer ");
        p += sy_base64_encode(h, strlen(h), SY_BASE64_URL | SY_BASE64_NOPAD, p);
        *p++ = '.';
        p += sy_base64_encode(c, strlen(c), SY_BASE64_URL | SY_BASE64_NOPAD, p);
        {
            const char *begin = t[0] == 'B' && t[6] == ' ' ? t + 7 : t;
            CHECK_OK(symbi_hmac_sha256(cx, secret, (symbi_str){ begin, (size_t)(p - begin) }, mac, &err), err);
        }
        *p++ = '.';
        p += sy_base64_encode(mac, 32, SY_BASE64_URL | SY_BASE64_NOPAD, p);
        if (!rnd(20)) p[-1 - (int)rnd(60)] = "=.A+ "[rnd(5)]; /* somewhere in the signature or the claims */
        hd = (symbi_webhook_header){ Z("authorization"), { t, (size_t)(p - t) } };
        want = token_fits(secret, hd.value, with_issuer ? issuer : Z(""), 1000);
        a = ask(with_issuer ? mine : plain, &hd, 1, Z(""), 1000);
        symbi_jwt_free(a.r.token);
        good += want;
        if ((a.st == SYMBI_OK) != want) {
            printf("%s . %s: %s, the rule says %d\n", h, c, a.err.msg, want);
            t_now_failed = 1;
            break;
        }
    }
    CHECK(good > 500);
    symbi_webhook_free(plain);
    symbi_webhook_free(mine);
}

static void test_vectors_verifiers(void)
{
    symbi_doc *d = vectors("webhooks/verifiers.json");
    const symbi_value *cases;
    size_t run = 0;
    if (!d) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    REQUIRE(cases && cases->u.a.n > 40);
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *seed = symbi_value_getz(c, "seed");
        symbi_str id = symbi_value_str(c, "id", Z("")), kind = symbi_value_str(c, "kind", Z(""));
        symbi_str secret = unbase64(c, "secret_b64"), body = unbase64(c, "body_b64"), text = symbi_value_str(seed, "error", Z(""));
        symbi_webhook_header h[16];
        symbi_webhook_options o;
        symbi_webhook *w = NULL;
        symbi_err err;
        bool ok = false, want;
        size_t nh = headers_of(c, h);
        want = verifier_rule(c, secret, body, h, nh);
        symbi_webhook_options_init(&o, symbi_webhook_scheme_of(kind.n == 6 ? symbi_value_str(c, "provider", Z("")) : kind));
        o.secrets = &secret;
        o.nsecrets = 1;
        if (kind.n != 6) {
            o.header = symbi_value_str(c, "header", Z(""));
            o.prefix = symbi_value_str(c, "prefix", Z(""));
            o.issuer = symbi_value_str(c, "issuer", Z(""));
        }
        if (symbi_webhook_new(cx, &o, &w, &err)) {
            CHECK(!secret.n && strcmp(err.msg, "secret must not be empty") == 0);
        } else {
            answer a = ask(w, h, nh, body, SYMBI_WEBHOOK_NOW);
            ok = a.st == SYMBI_OK;
            symbi_jwt_free(a.r.token);
            /* where the seed says that a header is missing, or that a signature of its own schemes does not fit, ours are the same words */
            if (!ok && (starts(text, Z("Missing ")) || (same_text(text, Z("HMAC signature mismatch")) && (o.scheme == SYMBI_WEBHOOK_GITHUB || o.scheme == SYMBI_WEBHOOK_CUSTOM || o.scheme == SYMBI_WEBHOOK_HMAC))) &&
                a.r.reason != SYMBI_WEBHOOK_R_DUPLICATE_HEADER)
                CHECK_STR(text, a.err.msg);
        }
        if (ok && !flag(c, "seed") && !flag(c, "runtime")) printf("verifiers.json %.*s: accepted, and neither the SDK nor the runtime does\n", (int)id.n, id.p), t_now_failed = 1;
        if (ok != want) {
            printf("verifiers.json %.*s: ok=%d, our rule says %d\n", (int)id.n, id.p, ok, want);
            t_now_failed = 1;
        }
        /* the seed's own construction, where it is asked for */
        if (w && kind.n == 6 && o.scheme != SYMBI_WEBHOOK_GITHUB && o.scheme != SYMBI_WEBHOOK_CUSTOM) {
            symbi_webhook_free(w);
            o.legacy = true;
            CHECK_OK(symbi_webhook_new(cx, &o, &w, &err), err);
            CHECK((ask(w, h, nh, body, SYMBI_WEBHOOK_NOW).st == SYMBI_OK) == flag(c, "runtime"));
        }
        symbi_webhook_free(w);
        free((char *)(uintptr_t)secret.p);
        free((char *)(uintptr_t)body.p);
        run++;
    }
    printf("verifiers.json: %zu cases\n", run);
    symbi_doc_unref(d);
}

/* What the service's own library accepts, and within the window on both sides, with a timestamp that is nothing but decimal digits, and
 * nothing behind the signature. */
static bool provider_rule(const symbi_value *c, const symbi_webhook_header *h, size_t n)
{
    symbi_str provider = symbi_value_str(c, "provider", Z("")), t = { NULL, 0 }, sig = { NULL, 0 };
    const symbi_value *tolerance = symbi_value_getz(c, "tolerance");
    long long at = 0, tol = tolerance && tolerance->kind == SYMBI_INT ? (long long)tolerance->u.i : 300, now = (long long)symbi_value_getz(c, "now")->u.i;
    if (!flag(c, "official")) return false;
    if (same_text(provider, Z("github"))) return true;
    for (size_t i = 0; i < n; i++) {
        if (same_name(h[i].name, Z("x-slack-request-timestamp"))) t = h[i].value;
        if (same_name(h[i].name, Z("x-slack-signature")) || same_name(h[i].name, Z("stripe-signature"))) sig = h[i].value;
    }
    if (same_text(provider, Z("slack")) && sig.n != 3 + 64) return false;
    if (same_text(provider, Z("stripe")))
        for (size_t i = 0; i + 2 <= sig.n; i++)
            if ((i == 0 || sig.p[i - 1] == ',') && sig.p[i] == 't' && sig.p[i + 1] == '=') {
                t = (symbi_str){ sig.p + i + 2, 0 };
                while (i + 2 + t.n < sig.n && sig.p[i + 2 + t.n] != ',') t.n++;
            }
    if (!t.n || t.n > 12 || (t.n > 1 && t.p[0] == '0')) return false;
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] < '0' || t.p[i] > '9') return false;
        at = at * 10 + (t.p[i] - '0');
    }
    return !tol || (now - at <= tol && at - now <= tol);
}

static void test_vectors_providers(void)
{
    symbi_doc *d = vectors("webhooks/providers.json");
    const symbi_value *cases;
    if (!d) SKIP("no shared vectors");
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    REQUIRE(cases && cases->u.a.n > 30);
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *tol = symbi_value_getz(c, "tolerance");
        symbi_str id = symbi_value_str(c, "id", Z("")), secret = unbase64(c, "secret_b64"), body = unbase64(c, "body_b64");
        bool want, ok;
        symbi_webhook_header h[16];
        size_t nh = headers_of(c, h);
        symbi_webhook_options o;
        symbi_webhook *w = NULL;
        symbi_err err;
        answer a;
        symbi_webhook_options_init(&o, symbi_webhook_scheme_of(symbi_value_str(c, "provider", Z(""))));
        o.secrets = &secret;
        o.nsecrets = 1;
        if (tol && tol->kind == SYMBI_INT) o.tolerance = tol->u.i;
        CHECK_OK(symbi_webhook_new(cx, &o, &w, &err), err);
        if (w) {
            want = provider_rule(c, h, nh);
            a = ask(w, h, nh, body, symbi_value_getz(c, "now")->u.i);
            ok = a.st == SYMBI_OK;
            if (ok != want) {
                printf("providers.json %.*s: ok=%d (%s), our rule says %d\n", (int)id.n, id.p, ok, a.err.msg, want);
                t_now_failed = 1;
            }
        }
        symbi_webhook_free(w);
        free((char *)(uintptr_t)secret.p);
        free((char *)(uintptr_t)body.p);
    }
    printf("providers.json: %zu cases\n", cases->u.a.n);
    symbi_doc_unref(d);
}

/* ---- attacks, each with a reason of its own ---- */

static void with_replay(symbi_webhook_options *o) { o->replay = true; }

static void test_attack_unsigned_timestamp(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_SLACK, "k", NULL), *s = make(SYMBI_WEBHOOK_STRIPE, "k", NULL);
    symbi_webhook_header h[2] = { { Z("X-Slack-Signature"), Z(sign("k", "{}", "v0=")) }, { Z("X-Slack-Request-Timestamp"), Z("1000") } };
    char stripe[200];
    symbi_webhook_options o;
    symbi_str secret = Z("k");
    symbi_webhook *no = NULL;
    symbi_err err;
    REQUIRE(w && s);
    REFUSED(ask(w, h, 2, Z("{}"), 1000), UNSIGNED_TIMESTAMP);
    snprintf(stripe, sizeof stripe, "t=1000,v1=%s", sign("k", "{}", ""));
    REFUSED(ask1(s, "Stripe-Signature", stripe, "{}", 1000), UNSIGNED_TIMESTAMP);
    REFUSED(ask(w, h, 1, Z("{}"), 1000), MISSING_TIMESTAMP);
    snprintf(stripe, sizeof stripe, "v1=%s", sign("k", "1000.{}", ""));
    REFUSED(ask1(s, "Stripe-Signature", stripe, "{}", 1000), MISSING_TIMESTAMP);
    /* another timestamp than the signed one */
    h[0].value = Z(sign("k", "v0:1000:{}", "v0="));
    ACCEPTED(ask(w, h, 2, Z("{}"), 1000));
    h[1].value = Z("1001");
    REFUSED(ask(w, h, 2, Z("{}"), 1000), MISMATCH);
    /* and a verifier that would look at an unsigned one cannot be made */
    symbi_webhook_options_init(&o, SYMBI_WEBHOOK_HMAC);
    o.secrets = &secret;
    o.nsecrets = 1;
    o.header = Z("X-Sig");
    o.timestamp_header = Z("X-Time");
    CHECK(symbi_webhook_new(cx, &o, &no, &err) == SYMBI_EINVAL && !no && strstr(err.msg, "not signed"));
    symbi_webhook_free(w);
    symbi_webhook_free(s);
}

static void test_attack_replayed(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_SLACK, "k", with_replay);
    symbi_webhook_header h[2] = { { Z("X-Slack-Signature"), Z(sign("k", "v0:1000:{}", "v0=")) }, { Z("X-Slack-Request-Timestamp"), Z("1000") } };
    answer a;
    REQUIRE(w);
    REFUSED(ask(w, h, 2, Z("{ }"), 1000), MISMATCH); /* remembers nothing */
    CHECK(symbi_webhook_remembered(w) == 0);
    a = ask(w, h, 2, Z("{}"), 1000);
    ACCEPTED(a);
    CHECK(a.r.has_key && a.r.keep_until == 1600 && symbi_webhook_remembered(w) == 1);
    a = ask(w, h, 2, Z("{}"), 1001);
    REFUSED(a, REPLAYED);
    CHECK(a.st == SYMBI_EEXISTS);
    REFUSED(ask(w, h, 2, Z("{}"), 1300), REPLAYED);
    REFUSED(ask(w, h, 2, Z("{}"), 1301), TOO_OLD);
    symbi_webhook_free(w);
}

static void with_short_replay(symbi_webhook_options *o) { o->replay = true, o->replay_seconds = 10; }

/* A sender whose clock is fast: the request is remembered until the last second in which its timestamp passes. */
static void test_attack_replayed_late(void)
{
    for (int i = 0; i < 2; i++) {
        symbi_webhook *w = make(SYMBI_WEBHOOK_SLACK, "k", i ? with_short_replay : with_replay), *s = make(SYMBI_WEBHOOK_STRIPE, "k", i ? with_short_replay : with_replay);
        symbi_webhook_header h[2] = { { Z("X-Slack-Signature"), Z(sign("k", "v0:1300:{}", "v0=")) }, { Z("X-Slack-Request-Timestamp"), Z("1300") } };
        char stripe[200];
        REQUIRE(w && s);
        ACCEPTED(ask(w, h, 2, Z("{}"), 1000));
        REFUSED(ask(w, h, 2, Z("{}"), 1011), REPLAYED);
        REFUSED(ask(w, h, 2, Z("{}"), 1599), REPLAYED);
        REFUSED(ask(w, h, 2, Z("{}"), 1600), REPLAYED);
        REFUSED(ask(w, h, 2, Z("{}"), 1601), TOO_OLD);
        snprintf(stripe, sizeof stripe, "t=1300,v1=%s", sign("k", "1300.{}", ""));
        ACCEPTED(ask1(s, "Stripe-Signature", stripe, "{}", 1000));
        REFUSED(ask1(s, "Stripe-Signature", stripe, "{}", 1600), REPLAYED);
        REFUSED(ask1(s, "Stripe-Signature", stripe, "{}", 1601), TOO_OLD);
        symbi_webhook_free(w);
        symbi_webhook_free(s);
    }
}

static void test_attack_token(void)
{
    /* a token signed with the public key of an RSA or EC pair as if it were a shared secret: the verifier has no public key to be
     * confused with; its algorithm is HS256 whatever the header says */
    static const struct { const char *header, *claims, *reason; } t[] = {
        { "{\"alg\":\"none\"}", "{\"exp\":2000}", "ALG" },
        { "{\"alg\":\"HS512\"}", "{\"exp\":2000}", "ALG" },
        { "{\"alg\":\"RS256\"}", "{\"exp\":2000}", "ALG" },
        { "{\"alg\":\"HS256\",\"crit\":[\"x\"]}", "{\"exp\":2000}", "CRIT" },
        { "{\"alg\":\"HS256\"}", "{\"exp\":2000,\"exp\":3000}", "DUPLICATE" },
        { "{\"alg\":\"HS256\"}", "{\"exp\":900}", "EXPIRED" },
        { "{\"alg\":\"HS256\"}", "{\"exp\":2000,\"nbf\":1500}", "NOT_YET" },
        { "{\"alg\":\"HS256\"}", "{\"exp\":2000,\"iat\":1500}", "FUTURE" },
        { "{\"alg\":\"HS256\"}", "{\"exp\":2000,\"aud\":\"other\"}", "AUDIENCE" },
        { "{\"alg\":\"HS256\"}", "{\"sub\":\"x\"}", "MISSING_EXP" },
        { "{\"alg\":\"HS256\"}", "{\"exp\":\"2000\"}", "CLAIM_TYPE" },
        { "{\"alg\":\"HS256\"}", "{\"exp\":2000}", "OK" },
        { "{\"alg\":\"HS256\"}", "{\"exp\":2000.5,\"nbf\":1059.5}", "OK" },
    };
    static const char key[] = "0123456789abcdef0123456789abcdef";
    symbi_webhook *w = make(SYMBI_WEBHOOK_JWT, key, NULL);
    REQUIRE(w);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[600] = "Bearer ", *p = text + 7;
        uint8_t mac[32];
        symbi_err err;
        answer a;
        p += sy_base64_encode(t[i].header, strlen(t[i].header), SY_BASE64_URL | SY_BASE64_NOPAD, p);
        *p++ = '.';
        p += sy_base64_encode(t[i].claims, strlen(t[i].claims), SY_BASE64_URL | SY_BASE64_NOPAD, p);
        CHECK_OK(symbi_hmac_sha256(cx, Z(key), (symbi_str){ text + 7, (size_t)(p - text) - 7 }, mac, &err), err);
        *p++ = '.';
        p += sy_base64_encode(mac, 32, SY_BASE64_URL | SY_BASE64_NOPAD, p);
        *p = 0;
        a = ask1(w, "Authorization", text, "{}", 1000);
        if (strcmp(t[i].reason, "OK") == 0) {
            ACCEPTED(a);
            continue;
        }
        REFUSED(a, JWT);
        if (strcmp(symbi_jwt_reason_name(a.r.jwt), t[i].reason)) printf("%s . %s: %s\n", t[i].header, t[i].claims, symbi_jwt_reason_name(a.r.jwt)), t_now_failed = 1;
        p[-1] = p[-1] == 'A' ? 'E' : 'A';
    }
    REFUSED(ask1(w, "Authorization", "", "{}", 1000), JWT);
    REFUSED(ask1(w, "Authorization", "Bearer ", "{}", 1000), JWT);
    REFUSED(ask1(w, "X", "Bearer ", "{}", 1000), MISSING_HEADER);
    symbi_webhook_free(w);
}

static void test_attack_truncated(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_GITHUB, "k", NULL), *s = make(SYMBI_WEBHOOK_STRIPE, "k", NULL);
    char full[200], cut[200];
    REQUIRE(w && s);
    strcpy(full, sign("k", "{}", "sha256="));
    for (size_t n = 0; n < strlen(full); n++) {
        memcpy(cut, full, n);
        cut[n] = 0;
        REFUSED(ask1(w, "X-Hub-Signature-256", cut, "{}", 0), FORMAT);
    }
    REFUSED(ask1(w, "X-Hub-Signature-256", strcat(strcpy(cut, full), "0"), "{}", 0), FORMAT);
    ACCEPTED(ask1(w, "X-Hub-Signature-256", full, "{}", 0));
    memcpy(full, "sha255=", 7); /* another prefix of the same length over the right digits */
    REFUSED(ask1(w, "X-Hub-Signature-256", full, "{}", 0), FORMAT);
    snprintf(full, sizeof full, "t=1000,v1=%s", sign("k", "1000.{}", ""));
    for (size_t n = 0; n < strlen(full); n++) {
        answer a;
        memcpy(cut, full, n);
        cut[n] = 0;
        a = ask1(s, "Stripe-Signature", cut, "{}", 1000);
        CHECK(a.st == SYMBI_EVERIFY);
    }
    ACCEPTED(ask1(s, "Stripe-Signature", full, "{}", 1000));
    symbi_webhook_free(w);
    symbi_webhook_free(s);
}

static void test_attack_duplicate_header(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_GITHUB, "k", NULL), *s = make(SYMBI_WEBHOOK_SLACK, "k", NULL);
    symbi_str good = Z(sign("k", "{}", "sha256="));
    symbi_webhook_header h[3] = { { Z("X-Hub-Signature-256"), good }, { Z("Host"), Z("x") }, { Z("x-hub-signature-256"), good } };
    REQUIRE(w && s);
    REFUSED(ask(w, h, 3, Z("{}"), 0), DUPLICATE_HEADER); /* even when both are right */
    ACCEPTED(ask(w, h, 2, Z("{}"), 0));
    h[0] = (symbi_webhook_header){ Z("X-Slack-Signature"), Z(sign("k", "v0:5:{}", "v0=")) };
    h[1] = h[2] = (symbi_webhook_header){ Z("X-Slack-Request-Timestamp"), Z("5") };
    REFUSED(ask(s, h, 3, Z("{}"), 5), DUPLICATE_HEADER);
    ACCEPTED(ask(s, h, 2, Z("{}"), 5));
    symbi_webhook_free(w);
    symbi_webhook_free(s);
}

static void refuse_options(void (*set)(symbi_webhook_options *), symbi_webhook_scheme scheme, const char *secret, const char *part, int line)
{
    symbi_webhook_options o;
    symbi_str s = Z(secret);
    symbi_webhook *w = (symbi_webhook *)(uintptr_t)&o; /* must come back NULL */
    symbi_err err;
    symbi_status st;
    symbi_webhook_options_init(&o, scheme);
    o.secrets = &s;
    o.nsecrets = 1;
    if (set) set(&o);
    st = symbi_webhook_new(cx, &o, &w, &err);
    if (st != SYMBI_EINVAL || w || !strstr(err.msg, part)) printf("line %d: %s, \"%s\", expected \"%s\"\n", line, symbi_status_name(st), err.msg, part), t_now_failed = 1;
}
static void o_none(symbi_webhook_options *o) { o->nsecrets = 0; }
static void o_header(symbi_webhook_options *o) { o->header = Z("X Sig"); }
static void o_both(symbi_webhook_options *o) { o->header = Z("X-A"), o->timestamp_header = Z("x-a"), o->payload = Z("{timestamp}{body}"); }
static void o_nobody(symbi_webhook_options *o) { o->payload = Z("{timestamp}"); }
static void o_twobody(symbi_webhook_options *o) { o->payload = Z("{body}{body}"); }
static void o_notime(symbi_webhook_options *o) { o->payload = Z("{timestamp}{body}"); }
static void o_legacy(symbi_webhook_options *o) { o->legacy = true; }
static void o_delivery(symbi_webhook_options *o) { o->delivery = true; }
static void o_prefix(symbi_webhook_options *o) { o->prefix = Z("x"); }
static void o_size(symbi_webhook_options *o) { o->size--; }
static void o_tolerance(symbi_webhook_options *o) { o->tolerance = -1; }
static void o_cache(symbi_webhook_options *o) { o->replay_max = SYMBI_WEBHOOK_MAX_REPLAY + 1; }
static void o_issuer(symbi_webhook_options *o) { o->issuer = Z("x"); }

static void o_id(symbi_webhook_options *o) { o->payload = Z("{id}.{body}"); }

static void test_attack_empty_secret(void)
{
    refuse_options(NULL, SYMBI_WEBHOOK_GITHUB, "", "secret must not be empty", __LINE__);
    refuse_options(NULL, SYMBI_WEBHOOK_JWT, "", "secret must not be empty", __LINE__);
    refuse_options(o_none, SYMBI_WEBHOOK_GITHUB, "k", "a secret is missing", __LINE__);
    /* the public key as the secret of HS256 */
    refuse_options(NULL, SYMBI_WEBHOOK_JWT, "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n", "is a key and no secret", __LINE__);
}

static void test_options(void)
{
    refuse_options(NULL, (symbi_webhook_scheme)99, "k", "unknown scheme", __LINE__);
    refuse_options(NULL, SYMBI_WEBHOOK_HMAC, "k", "header is missing", __LINE__);
    refuse_options(o_header, SYMBI_WEBHOOK_HMAC, "k", "no header name", __LINE__);
    refuse_options(o_header, SYMBI_WEBHOOK_GITHUB, "k", "of its own", __LINE__);
    refuse_options(o_both, SYMBI_WEBHOOK_HMAC, "k", "serves for something else", __LINE__);
    refuse_options(o_nobody, SYMBI_WEBHOOK_CUSTOM, "k", "{body}", __LINE__);
    refuse_options(o_twobody, SYMBI_WEBHOOK_CUSTOM, "k", "{body}", __LINE__);
    refuse_options(o_notime, SYMBI_WEBHOOK_CUSTOM, "k", "timestamp_header", __LINE__);
    refuse_options(o_legacy, SYMBI_WEBHOOK_GITHUB, "k", "legacy", __LINE__);
    refuse_options(o_delivery, SYMBI_WEBHOOK_CUSTOM, "k", "delivery_header", __LINE__);
    refuse_options(o_prefix, SYMBI_WEBHOOK_JWT, "k", "prefix", __LINE__);
    refuse_options(o_size, SYMBI_WEBHOOK_GITHUB, "k", "size", __LINE__);
    refuse_options(o_tolerance, SYMBI_WEBHOOK_STRIPE, "k", "tolerance", __LINE__);
    refuse_options(o_cache, SYMBI_WEBHOOK_GITHUB, "k", "replay_max", __LINE__);
    refuse_options(o_issuer, SYMBI_WEBHOOK_GITHUB, "k", "issuer", __LINE__);
    CHECK(symbi_webhook_scheme_of(Z("GitHub")) == SYMBI_WEBHOOK_GITHUB && symbi_webhook_scheme_of(Z("gitlab")) == 0 && symbi_webhook_scheme_of(Z("")) == 0);
}

static void test_attack_huge_header(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_GITHUB, "k", NULL), *j = make(SYMBI_WEBHOOK_JWT, "0123456789abcdef0123456789abcdef", NULL), *s = make(SYMBI_WEBHOOK_STRIPE, "k", NULL);
    size_t n = 10u << 20;
    char *big = malloc(n);
    symbi_webhook_header h = { Z("X-Hub-Signature-256"), { big, n } };
    answer a;
    REQUIRE(w && j && s && big);
    memset(big, 'a', n);
    a = ask(w, &h, 1, Z("{}"), 0);
    REFUSED(a, HEADER_TOO_LONG);
    CHECK(a.st == SYMBI_ELIMIT && strlen(a.err.msg) < 200);
    h.value.n = SYMBI_WEBHOOK_MAX_HEADER + 1;
    REFUSED(ask(w, &h, 1, Z("{}"), 0), HEADER_TOO_LONG);
    h.value.n--;
    REFUSED(ask(w, &h, 1, Z("{}"), 0), FORMAT);
    h = (symbi_webhook_header){ Z("Authorization"), { big, n } };
    REFUSED(ask(j, &h, 1, Z("{}"), 0), HEADER_TOO_LONG);
    h = (symbi_webhook_header){ { big, n }, Z("x") }; /* a name of 10 MB is another header */
    REFUSED(ask(w, &h, 1, Z("{}"), 0), MISSING_HEADER);
    memset(big, ',', SYMBI_WEBHOOK_MAX_HEADER);
    h = (symbi_webhook_header){ Z("Stripe-Signature"), { big, SYMBI_WEBHOOK_MAX_HEADER } };
    REFUSED(ask(s, &h, 1, Z("{}"), 0), MISSING_TIMESTAMP);
    free(big);
    symbi_webhook_free(w);
    symbi_webhook_free(j);
    symbi_webhook_free(s);
}

static void o_body(symbi_webhook_options *o) { o->max_body = 10; }
static void test_body_limit(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_GITHUB, "k", o_body);
    REQUIRE(w);
    ACCEPTED(ask1(w, "X-Hub-Signature-256", sign("k", "0123456789", "sha256="), "0123456789", 0));
    REFUSED(ask1(w, "X-Hub-Signature-256", sign("k", "0123456789a", "sha256="), "0123456789a", 0), BODY_TOO_LONG);
    symbi_webhook_free(w);
}

/* ---- rotation, custom timestamps, deliveries ---- */

static void test_rotation(void)
{
    symbi_webhook_options o;
    symbi_str two[] = { Z("new"), Z("old") };
    symbi_webhook *w = NULL;
    char both[300];
    symbi_err err;
    answer a;
    symbi_webhook_options_init(&o, SYMBI_WEBHOOK_STRIPE);
    o.secrets = two;
    o.nsecrets = 2;
    o.replay = true;
    CHECK_OK(symbi_webhook_new(cx, &o, &w, &err), err);
    REQUIRE(w);
    snprintf(both, sizeof both, "t=7,v1=%s", sign("old", "7.{}", ""));
    a = ask1(w, "Stripe-Signature", both, "{}", 7);
    ACCEPTED(a);
    CHECK(a.r.secret == 1);
    /* the same request with the other signature, or with both, is the same request */
    snprintf(both, sizeof both, "t=7,v1=%s", sign("new", "7.{}", ""));
    REFUSED(ask1(w, "Stripe-Signature", both, "{}", 7), REPLAYED);
    snprintf(both, sizeof both, "t=7,v1=%s,v1=%s", sign("none", "7.{}", ""), sign("old", "7.{}", ""));
    REFUSED(ask1(w, "Stripe-Signature", both, "{}", 7), REPLAYED);
    snprintf(both, sizeof both, "t=7,v1=%s", sign("none", "7.{}", ""));
    REFUSED(ask1(w, "Stripe-Signature", both, "{}", 7), MISMATCH);
    symbi_webhook_free(w);
}

static void o_custom(symbi_webhook_options *o)
{
    o->header = Z("X-Sig");
    o->prefix = Z("v1=");
    o->timestamp_header = Z("X-Time");
    o->payload = Z("a{b:{timestamp}|{body}!");
    o->tolerance = 10;
    o->delivery_header = Z("X-Id");
    o->delivery = true;
}
static void test_custom_timestamp(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_HMAC, "k", o_custom);
    symbi_webhook_header h[3] = { { Z("X-Sig"), Z(sign("k", "a{b:50|{}!", "v1=")) }, { Z("X-Time"), Z("50") }, { Z("X-Id"), Z("id-1") } };
    answer a;
    char upper[80];
    REQUIRE(w);
    a = ask(w, h, 3, Z("{}"), 60);
    ACCEPTED(a);
    CHECK_STR(a.r.delivery, "id-1");
    a = ask(w, h, 3, Z("{}"), 60);
    REFUSED(a, DELIVERED);
    CHECK(strcmp(a.r.header, "x-id") == 0);
    h[2].value = Z("id 2");
    REFUSED(ask(w, h, 3, Z("{}"), 60), MISSING_DELIVERY);
    REFUSED(ask(w, h, 2, Z("{}"), 60), MISSING_DELIVERY);
    h[2].value = Z("id-2");
    REFUSED(ask(w, h, 3, Z("{}"), 61), TOO_OLD);
    snprintf(upper, sizeof upper, "%s", h[0].value.p);
    for (char *p = upper + 3; *p; p++)
        if (*p >= 'a' && *p <= 'f') *p = (char)(*p - 32);
    h[0].value = Z(upper); /* either case of hex */
    ACCEPTED(ask(w, h, 3, Z("{}"), 60));
    CHECK(symbi_webhook_wants(w, Z("x-TIME")) && !symbi_webhook_wants(w, Z("X-Times")) && !symbi_webhook_wants(w, Z("")));
    symbi_webhook_free(w);
}

static void o_stripe_id(symbi_webhook_options *o) { o->delivery = true; }
static void test_delivery(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_STRIPE, "k", o_stripe_id), *g = make(SYMBI_WEBHOOK_GITHUB, "k", o_stripe_id);
    static const char *const bad[] = { "{}", "{\"id\":5}", "{\"id\":\"\"}", "nope", "", "{\"id\":\"a\",\"id\":\"b\"}" };
    symbi_webhook_header h[2];
    char sig[200], text[100];
    answer a;
    REQUIRE(w && g);
    snprintf(sig, sizeof sig, "t=9,v1=%s", sign("k", "9.{\"id\":\"evt_1\"}", ""));
    a = ask1(w, "Stripe-Signature", sig, "{\"id\":\"evt_1\"}", 9);
    ACCEPTED(a);
    CHECK_STR(a.r.delivery, "evt_1");
    snprintf(sig, sizeof sig, "t=10,v1=%s", sign("k", "10.{\"id\":\"evt_1\"}", "")); /* Stripe tries again with a new signature */
    REFUSED(ask1(w, "Stripe-Signature", sig, "{\"id\":\"evt_1\"}", 10), DELIVERED);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "9.%s", bad[i]);
        snprintf(sig, sizeof sig, "t=9,v1=%s", sign("k", text, ""));
        REFUSED(ask1(w, "Stripe-Signature", sig, bad[i], 9), MISSING_DELIVERY);
    }
    h[0] = (symbi_webhook_header){ Z("X-Hub-Signature-256"), Z(sign("k", "{}", "sha256=")) };
    h[1] = (symbi_webhook_header){ Z("X-GitHub-Delivery"), Z("72d3162e-cc78-11e3-81ab-4c9367dc0958") };
    ACCEPTED(ask(g, h, 2, Z("{}"), 100));
    REFUSED(ask(g, h, 2, Z("{}"), 100), DELIVERED);
    REFUSED(ask(g, h, 2, Z("{}"), 699), DELIVERED);
    ACCEPTED(ask(g, h, 2, Z("{}"), 700)); /* forgotten */
    symbi_webhook_free(w);
    symbi_webhook_free(g);
}

/* Standard Webhooks, with the example of its documentation. */
static void o_delivery_on(symbi_webhook_options *o) { o->delivery = true; }
static void test_standard(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_STANDARD, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", o_delivery_on);
    symbi_webhook_header h[3] = { { Z("webhook-id"), Z("msg_p5jXN8AQM9LWM0D4loKWxJek") },
                                  { Z("webhook-timestamp"), Z("1614265330") },
                                  { Z("Webhook-Signature"), Z("v1,AAAA v1a,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v2,x") } };
    symbi_str body = Z("{\"test\": 2432232314}");
    answer a;
    REQUIRE(w);
    a = ask(w, h, 3, body, 1614265330);
    ACCEPTED(a);
    CHECK_STR(a.r.delivery, "msg_p5jXN8AQM9LWM0D4loKWxJek");
    REFUSED(ask(w, h, 3, body, 1614265330), DELIVERED);
    REFUSED(ask(w, h, 3, body, 1614265631), TOO_OLD);
    REFUSED(ask(w, h, 3, Z("{\"test\": 2432232315}"), 1614265330), MISMATCH);
    h[0].value = Z("msg_other"); /* the id is signed */
    REFUSED(ask(w, h, 3, body, 1614265330), MISMATCH);
    REFUSED(ask(w, h + 1, 2, body, 1614265330), MISSING_DELIVERY);
    REFUSED(ask(w, h + 2, 1, body, 1614265330), MISSING_TIMESTAMP);
    h[2].value = Z("v1a,AAAA v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    REFUSED(ask(w, h, 3, body, 1614265330), NO_SIGNATURE);
    h[2].value = Z("");
    REFUSED(ask(w, h, 3, body, 1614265330), NO_SIGNATURE);
    symbi_webhook_free(w);
    refuse_options(NULL, SYMBI_WEBHOOK_STANDARD, "whsec_", "base64", __LINE__);
    refuse_options(NULL, SYMBI_WEBHOOK_STANDARD, "whsec_!", "base64", __LINE__);
    refuse_options(NULL, SYMBI_WEBHOOK_STANDARD, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64", __LINE__);
    refuse_options(o_id, SYMBI_WEBHOOK_CUSTOM, "k", "delivery_header", __LINE__);
}

/* ---- the cache ---- */

static void o_small(symbi_webhook_options *o) { o->replay = true, o->replay_max = 16, o->replay_seconds = 100; }
static void test_cache_bounds(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_GITHUB, "k", o_small);
    char body[20];
    REQUIRE(w);
    for (int i = 0; i < 16; i++) {
        snprintf(body, sizeof body, "%d", i);
        ACCEPTED(ask1(w, "X-Hub-Signature-256", sign("k", body, "sha256="), body, 1000 + i));
    }
    REFUSED(ask1(w, "X-Hub-Signature-256", sign("k", "x", "sha256="), "x", 1016), REPLAY_FULL); /* full is a refusal, not a hole */
    REFUSED(ask1(w, "X-Hub-Signature-256", sign("k", "0", "sha256="), "0", 1099), REPLAY_FULL);
    ACCEPTED(ask1(w, "X-Hub-Signature-256", sign("k", "x", "sha256="), "x", 1100)); /* the first has gone */
    REFUSED(ask1(w, "X-Hub-Signature-256", sign("k", "15", "sha256="), "15", 1100), REPLAY_FULL);
    CHECK(symbi_webhook_remembered(w) == 16);
    for (int i = 0; i < 1000; i++) {
        snprintf(body, sizeof body, "later %d", i);
        ACCEPTED(ask1(w, "X-Hub-Signature-256", sign("k", body, "sha256="), body, 3000 + i * 10));
        CHECK(symbi_webhook_remembered(w) <= 16);
    }
    symbi_webhook_free(w);
}

static void o_big(symbi_webhook_options *o) { o->replay = true, o->replay_max = 5000; }
static void test_cache_many(void)
{
    symbi_webhook *w = make(SYMBI_WEBHOOK_GITHUB, "k", o_big);
    char body[20];
    REQUIRE(w);
    for (int i = 0; i < 5000; i++) {
        snprintf(body, sizeof body, "%d", i);
        ACCEPTED(ask1(w, "X-Hub-Signature-256", sign("k", body, "sha256="), body, 0));
    }
    symbi_webhook_free(w);
}

static void test_store(void)
{
    symbi_store store;
    symbi_webhook *a = make(SYMBI_WEBHOOK_GITHUB, "k", with_replay), *b = make(SYMBI_WEBHOOK_GITHUB, "k", with_replay);
    symbi_str after = { NULL, 0 }, k, v;
    char body[20], key[64];
    size_t left = 0;
    symbi_err err;
    CHECK_OK(symbi_memstore_new(cx, &store, &err), err);
    REQUIRE(a && b);
    symbi_webhook_use_store(a, &store);
    symbi_webhook_use_store(b, &store);
    ACCEPTED(ask1(a, "X-Hub-Signature-256", sign("k", "x", "sha256="), "x", 1000));
    REFUSED(ask1(a, "X-Hub-Signature-256", sign("k", "x", "sha256="), "x", 1000), REPLAYED);
    REFUSED(ask1(b, "X-Hub-Signature-256", sign("k", "x", "sha256="), "x", 1000), REPLAYED); /* another process, or after a restart */
    ACCEPTED(ask1(b, "X-Hub-Signature-256", sign("k", "x", "sha256="), "x", 1600));          /* expired, in the store too */
    REFUSED(ask1(a, "X-Hub-Signature-256", sign("k", "x", "sha256="), "x", 1600), REPLAYED);
    for (int i = 0; i < 300; i++) { /* what has expired is swept */
        snprintf(body, sizeof body, "%d", i);
        ACCEPTED(ask1(a, "X-Hub-Signature-256", sign("k", body, "sha256="), body, 2000 + i * 100));
    }
    while (store.next(store.ud, Z("webhook"), after, &k, &v, &err) == SYMBI_OK) {
        CHECK(k.n == 64);
        memcpy(key, k.p, 64);
        after = (symbi_str){ key, 64 };
        left++;
    }
    CHECK(left < 40);
    symbi_webhook_free(a);
    symbi_webhook_free(b);
    symbi_memstore_free(&store);
}

static symbi_status broken_get(void *ud, symbi_str ns, symbi_str key, symbi_str *value, symbi_err *err)
{
    (void)ud, (void)ns, (void)key, (void)value;
    if (err) snprintf(err->msg, sizeof err->msg, "disk is gone");
    return SYMBI_EIO;
}
static void test_store_broken(void)
{
    symbi_store s;
    symbi_webhook *w = make(SYMBI_WEBHOOK_GITHUB, "k", with_replay);
    answer a;
    REQUIRE(w);
    memset(&s, 0, sizeof s);
    s.get = broken_get;
    symbi_webhook_use_store(w, &s);
    a = ask1(w, "X-Hub-Signature-256", sign("k", "x", "sha256="), "x", 1000);
    REFUSED(a, REPLAY_STORE);
    CHECK(strstr(a.err.msg, "disk is gone") && symbi_webhook_remembered(w) == 0);
    symbi_webhook_free(w);
}

/* ---- memory ---- */

static symbi_status scenario(symbi_ctx *c, void *ud)
{
    symbi_webhook_scheme scheme = *(symbi_webhook_scheme *)ud;
    symbi_webhook_options o;
    symbi_str secret = Z("0123456789abcdef0123456789abcdef");
    symbi_webhook_header h[3];
    symbi_webhook_result r;
    symbi_webhook *w;
    symbi_err err;
    symbi_status st;
    symbi_webhook_options_init(&o, scheme);
    o.secrets = &secret;
    o.nsecrets = 1;
    o.replay = true;
    o.delivery = scheme != SYMBI_WEBHOOK_JWT;
    st = symbi_webhook_new(c, &o, &w, &err);
    if (st) return st;
    if (scheme == SYMBI_WEBHOOK_JWT) h[0] = (symbi_webhook_header){ Z("Authorization"), Z("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjIwMDB9.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") };
    else if (scheme == SYMBI_WEBHOOK_GITHUB) h[0] = (symbi_webhook_header){ Z("X-Hub-Signature-256"), Z("sha256=fad30a9ab1d8bf94e1bd56bc5ebf8cb32d9ba7a2a0e2b2d8c5a1bba1b9ee8ed5") };
    else h[0] = (symbi_webhook_header){ Z("Stripe-Signature"), Z("t=1000,v1=00") };
    h[1] = (symbi_webhook_header){ Z("X-GitHub-Delivery"), Z("d") };
    st = symbi_webhook_verify(w, h, 2, Z("{\"id\":\"x\"}"), 1000, &r, &err);
    symbi_jwt_free(r.token);
    symbi_webhook_free(w);
    return st;
}
static char k_good[3][200];
static symbi_status scenario_good(symbi_ctx *c, void *ud)
{
    int i = *(int *)ud;
    symbi_webhook_options o;
    symbi_str secret = Z("0123456789abcdef0123456789abcdef");
    symbi_webhook_header h[2] = { { i ? Z("Stripe-Signature") : Z("X-Hub-Signature-256"), Z(k_good[i]) }, { Z("X-GitHub-Delivery"), Z("d") } };
    symbi_webhook_result r;
    symbi_webhook *w;
    symbi_err err;
    symbi_status st;
    symbi_webhook_options_init(&o, i ? SYMBI_WEBHOOK_STRIPE : SYMBI_WEBHOOK_GITHUB);
    o.secrets = &secret;
    o.nsecrets = 1;
    o.replay = o.delivery = true;
    st = symbi_webhook_new(c, &o, &w, &err);
    if (st) return st;
    st = symbi_webhook_verify(w, h, 2, Z("{\"id\":\"x\"}"), 1000, &r, &err);
    symbi_webhook_free(w);
    return st;
}
static void test_memory(void)
{
    symbi_webhook_scheme s[] = { SYMBI_WEBHOOK_JWT, SYMBI_WEBHOOK_GITHUB, SYMBI_WEBHOOK_STRIPE };
    int i = 0;
    for (size_t k = 0; k < 3; k++) test_oom(scenario, &s[k], SYMBI_EVERIFY);
    strcpy(k_good[0], sign("0123456789abcdef0123456789abcdef", "{\"id\":\"x\"}", "sha256="));
    strcpy(k_good[1], sign("0123456789abcdef0123456789abcdef", "1000.{\"id\":\"x\"}", "t=1000,v1="));
    for (; i < 2; i++) test_oom(scenario_good, &i, SYMBI_OK);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, NULL)) return 1;
    RUN(test_published);
    RUN(test_tokens_at_random);
    RUN(test_vectors_verifiers);
    RUN(test_vectors_providers);
    RUN(test_attack_unsigned_timestamp);
    RUN(test_attack_replayed);
    RUN(test_attack_replayed_late);
    RUN(test_attack_token);
    RUN(test_attack_truncated);
    RUN(test_attack_duplicate_header);
    RUN(test_attack_empty_secret);
    RUN(test_attack_huge_header);
    RUN(test_options);
    RUN(test_body_limit);
    RUN(test_rotation);
    RUN(test_custom_timestamp);
    RUN(test_delivery);
    RUN(test_standard);
    RUN(test_cache_bounds);
    RUN(test_cache_many);
    RUN(test_store);
    RUN(test_store_broken);
    RUN(test_memory);
    symbi_ctx_free(cx);
    return test_end();
}
