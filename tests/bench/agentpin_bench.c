/* agentpin_bench.c: a whole verification (all steps, pins, audience) and a whole issue against raw OpenSSL on the same bytes: short
 * rounds in turn, CPU time, medians; a ratio is that of neighbouring rounds. The argument is a file to which the case is written for
 * the peers (tests/bench/peers/agentpin_peer.*). One JSON object on the standard output. */
#include "symbi/agentpin.h"
#include "symbi/json.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 401, PER_ROUND = 10, DOMAINS = 600 /* more than the cache of keys holds */ };
#define NOW ((int64_t)time(NULL))

static symbi_ctx *cx;
static symbi_err err;
static symbi_key *priv[DOMAINS];
static symbi_doc *docs[DOMAINS], *rev[DOMAINS], *caps;
static symbi_text jwts[DOMAINS];
static char names[DOMAINS][32];
static symbi_agentpin_options o;
static symbi_agentpin_claims claims;
static EVP_PKEY_CTX *raw_verify_ctx, *raw_sign_ctx;
static EVP_MD_CTX *raw_md;
static uint8_t der[80];
static size_t der_n, signed_n, turn;

#define NEED(c)                                                                                    \
    do {                                                                                           \
        if (!(c)) {                                                                                \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #c, err.msg);                  \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void digest(uint8_t d[32])
{
    unsigned n;
    NEED(EVP_DigestInit_ex2(raw_md, NULL, NULL) == 1 && EVP_DigestUpdate(raw_md, jwts[0].p, signed_n) == 1 && EVP_DigestFinal_ex(raw_md, d, &n) == 1);
}
static void raw_verify(void)
{
    uint8_t d[32];
    digest(d);
    NEED(EVP_PKEY_verify(raw_verify_ctx, der, der_n, d, 32) == 1);
}
static void raw_sign(void)
{
    uint8_t d[32], s[80];
    size_t n = sizeof s;
    digest(d);
    NEED(EVP_PKEY_sign(raw_sign_ctx, s, &n, d, 32) == 1);
}

static void verify(size_t i)
{
    symbi_agentpin_result *r;
    NEED(symbi_agentpin_verify(cx, symbi_text_str(&jwts[i]), symbi_doc_root(docs[i]), symbi_doc_root(rev[i]), &o, &r, &err) == SYMBI_OK);
    NEED(symbi_agentpin_result_valid(r));
    symbi_agentpin_result_unref(r);
}
static void known(void) { verify(0); }
static void first_seen(void) { verify(turn++ % DOMAINS); }
static void issue(void)
{
    symbi_text t;
    NEED(symbi_agentpin_issue(cx, priv[0], &claims, &t, &err) == SYMBI_OK);
    symbi_text_free(&t);
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static bool begun;
static void compare(const char *name, const char *peer_name, void (*ours)(void), void (*peer)(void), double target)
{
    double a[ROUNDS], b[ROUNDS], ratio[ROUNDS];
    for (int r = -10; r < ROUNDS; r++) {
        double t0 = cpu(), t1, t2;
        for (int i = 0; i < PER_ROUND; i++) ours();
        t1 = cpu();
        for (int i = 0; i < PER_ROUND; i++) peer();
        t2 = cpu();
        if (r < 0) continue;
        a[r] = (t1 - t0) / PER_ROUND;
        b[r] = (t2 - t1) / PER_ROUND;
        ratio[r] = a[r] / b[r];
    }
    qsort(a, ROUNDS, sizeof *a, order);
    qsort(b, ROUNDS, sizeof *b, order);
    qsort(ratio, ROUNDS, sizeof *ratio, order);
    printf("%s{\"name\":\"%s\",\"us\":%.2f,\"peer\":\"%s\",\"peer_us\":%.2f,\"ratio\":%.3f,\"target\":%.2f,\"met\":%s}", begun ? ",\n" : "", name, a[ROUNDS / 2], peer_name, b[ROUNDS / 2],
           ratio[ROUNDS / 2], target, ratio[ROUNDS / 2] <= target ? "true" : "false");
    begun = true;
    fflush(stdout);
}

static void make(int i)
{
    char text[2048], domain[32];
    symbi_doc *jwk;
    symbi_text t;
    snprintf(domain, sizeof domain, "d%d.example.com", i);
    NEED(symbi_p256_generate(cx, &priv[i], &err) == SYMBI_OK);
    NEED(symbi_agentpin_jwk(cx, priv[i], symbi_str_z("k-2026-01"), &jwk, &err) == SYMBI_OK);
    NEED(symbi_json_write(cx, symbi_doc_root(jwk), 0, &t, &err) == SYMBI_OK);
    snprintf(text, sizeof text,
             "{\"agentpin_version\":\"0.1\",\"entity\":\"%s\",\"entity_type\":\"both\",\"public_keys\":[%.*s],\"agents\":[{\"agent_id\":\"urn:agentpin:x:other\",\"name\":\"B\",\"capabilities\":[\"read:*\"],"
             "\"status\":\"active\"},{\"agent_id\":\"urn:agentpin:x:a\",\"name\":\"A\",\"capabilities\":[\"read:*\",\"write:report\"],\"constraints\":{\"allowed_domains\":[\"*.client.com\"],"
             "\"rate_limit\":\"100/hour\",\"data_classification_max\":\"confidential\"},\"credential_ttl_max\":86400,\"status\":\"active\"}],\"revocation_endpoint\":"
             "\"https://%s/.well-known/agent-identity-revocations.json\",\"max_delegation_depth\":2,\"updated_at\":\"2026-01-15T00:00:00Z\"}",
             domain, (int)t.n, t.p, domain);
    NEED(symbi_json_parse(cx, symbi_str_z(text), &docs[i], &err) == SYMBI_OK);
    NEED(symbi_agentpin_revocation_build(cx, symbi_str_z(domain), NOW, &rev[i], &err) == SYMBI_OK);
    snprintf(names[i], sizeof names[i], "%s", domain);
    claims.issuer = symbi_str_z(names[i]);
    NEED(symbi_agentpin_issue(cx, priv[i], &claims, &jwts[i], &err) == SYMBI_OK);
    symbi_text_free(&t);
    symbi_doc_unref(jwk);
}

static EVP_PKEY *raw_key(symbi_text *pem)
{
    BIO *b = BIO_new_mem_buf(pem->p, (int)pem->n);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
    BIO_free(b);
    NEED(k);
    return k;
}

static void write_case(const char *path, const symbi_text *pem)
{
    symbi_member m[4];
    symbi_value v;
    symbi_text t;
    FILE *f;
    memset(m, 0, sizeof m);
    memset(&v, 0, sizeof v);
    m[0].key = symbi_str_z("jwt");
    m[0].val.kind = SYMBI_STRING;
    m[0].val.u.s = symbi_text_str(&jwts[0]);
    m[1].key = symbi_str_z("discovery");
    m[1].val = *symbi_doc_root(docs[0]);
    m[2].key = symbi_str_z("revocation");
    m[2].val = *symbi_doc_root(rev[0]);
    m[3].key = symbi_str_z("private_key_pem");
    m[3].val.kind = SYMBI_STRING;
    m[3].val.u.s = symbi_text_str(pem);
    v.kind = SYMBI_OBJECT;
    v.u.o.members = m;
    v.u.o.n = 4;
    NEED(symbi_json_write(cx, &v, 0, &t, &err) == SYMBI_OK);
    f = fopen(path, "wb");
    NEED(f && fwrite(t.p, 1, t.n, f) == t.n && fclose(f) == 0);
    symbi_text_free(&t);
}

int main(int argc, char **argv)
{
    EVP_MD *sha256;
    EVP_PKEY *raw;
    symbi_text pem;
    symbi_jwt *j;
    NEED(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    NEED(symbi_json_parse(cx, symbi_str_z("[\"read:data\",\"write:report\"]"), &caps, &err) == SYMBI_OK);
    claims.size = sizeof claims;
    claims.kid = symbi_str_z("k-2026-01");
    claims.agent_id = symbi_str_z("urn:agentpin:x:a");
    claims.audience = symbi_str_z("verifier.com");
    claims.capabilities = symbi_doc_root(caps);
    claims.now = NOW;
    claims.ttl_secs = 3600;
    for (int i = 0; i < DOMAINS; i++) make(i);
    symbi_agentpin_options_init(&o);
    o.now = NOW;
    o.audience = symbi_str_z("verifier.com");
    NEED(symbi_agentpin_pins_new(cx, &o.pins, &err) == SYMBI_OK);
    NEED(symbi_key_private_pem(cx, priv[0], &pem, &err) == SYMBI_OK);
    raw = raw_key(&pem);
    NEED(symbi_jwt_parse(cx, symbi_text_str(&jwts[0]), &j, NULL, &err) == SYMBI_OK);
    signed_n = symbi_jwt_signed_part(j).n;
    der_n = symbi_jwt_signature(j).n;
    memcpy(der, symbi_jwt_signature(j).p, der_n);
    symbi_jwt_free(j);
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    raw_md = EVP_MD_CTX_new();
    NEED(EVP_DigestInit_ex2(raw_md, sha256, NULL) == 1);
    raw_verify_ctx = EVP_PKEY_CTX_new_from_pkey(NULL, raw, NULL);
    raw_sign_ctx = EVP_PKEY_CTX_new_from_pkey(NULL, raw, NULL);
    NEED(EVP_PKEY_verify_init(raw_verify_ctx) == 1 && EVP_PKEY_sign_init(raw_sign_ctx) == 1);
    if (argc > 1) write_case(argv[1], &pem);
    printf("{\"bench\":\"agentpin\",\"token_bytes\":%zu,\"rows\":[\n", jwts[0].n);
    compare("verify, known key, pinned, with revocations", "EVP_PKEY_verify, context kept", known, raw_verify, 1.10);
    compare("verify, first-seen key", "EVP_PKEY_verify, context kept", first_seen, raw_verify, 1.5);
    compare("issue, key object", "EVP_PKEY_sign, context kept", issue, raw_sign, 1.3);
    printf("\n]}\n");
    return 0;
}
