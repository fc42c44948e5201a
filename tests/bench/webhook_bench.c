/* The verification of a 10 kB GitHub delivery against the raw HMAC-SHA256 of the same body in the same process: OpenSSL's EVP_MAC with its context
 * kept, keyed anew for each message (what a careful program does), with its key kept, and the one-shot HMAC(). Rounds are interleaved
 * and the fastest of each is taken, because other work on the machine only ever adds. One JSON object per line. */
#include "symbi/webhook.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BODY = 10000, BATCH = 400, ROUNDS = 60 };
static unsigned char body[BODY];
static const char key[] = "It's a Secret to Everybody";

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}
static void must(int ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static EVP_MAC_CTX *mac;
static symbi_webhook *w;
static symbi_webhook_header headers[8];

static void raw_rekeyed(void)
{
    unsigned char out[32];
    size_t n;
    must(EVP_MAC_init(mac, (const unsigned char *)key, sizeof key - 1, NULL) == 1 && EVP_MAC_update(mac, body, BODY) == 1 && EVP_MAC_final(mac, out, &n, sizeof out) == 1, "EVP_MAC");
}
static void raw_kept(void)
{
    unsigned char out[32];
    size_t n;
    must(EVP_MAC_init(mac, NULL, 0, NULL) == 1 && EVP_MAC_update(mac, body, BODY) == 1 && EVP_MAC_final(mac, out, &n, sizeof out) == 1, "EVP_MAC");
}
static void raw_oneshot(void)
{
    unsigned char out[32];
    unsigned n;
    must(HMAC(EVP_sha256(), key, sizeof key - 1, body, BODY, out, &n) != NULL, "HMAC");
}
static void verify(void)
{
    symbi_webhook_result r;
    symbi_err err;
    must(symbi_webhook_verify(w, headers, 8, (symbi_str){ (const char *)body, BODY }, 1000, &r, &err) == SYMBI_OK, "verify");
}

int main(void)
{
    static const char *const other[] = { "Host", "User-Agent", "Accept", "Content-Type", "X-GitHub-Event", "X-GitHub-Delivery", "X-GitHub-Hook-ID" };
    static void (*const f[])(void) = { verify, raw_rekeyed, raw_kept, raw_oneshot };
    double best[4] = { 1e9, 1e9, 1e9, 1e9 };
    char digest[] = "SHA256", sig[80] = "sha256=";
    OSSL_PARAM p[2] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end() };
    symbi_webhook_options o;
    symbi_str secret = symbi_str_z(key);
    symbi_ctx *cx;
    symbi_err err;
    uint8_t m[32];
    for (int i = 0; i < BODY; i++) body[i] = (unsigned char)(i * 131 + i / 7);
    must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK, "ctx");
    symbi_webhook_options_init(&o, SYMBI_WEBHOOK_GITHUB);
    o.secrets = &secret;
    o.nsecrets = 1;
    must(symbi_webhook_new(cx, &o, &w, &err) == SYMBI_OK, "verifier");
    must(symbi_hmac_sha256(cx, secret, (symbi_str){ (const char *)body, BODY }, m, &err) == SYMBI_OK, "hmac");
    for (int i = 0; i < 32; i++) snprintf(sig + 7 + 2 * i, 3, "%02x", m[i]);
    for (int i = 0; i < 7; i++) headers[i] = (symbi_webhook_header){ symbi_str_z(other[i]), symbi_str_z("some value of usual length") };
    headers[7] = (symbi_webhook_header){ symbi_str_z("X-Hub-Signature-256"), symbi_str_z(sig) };
    mac = EVP_MAC_CTX_new(EVP_MAC_fetch(NULL, "HMAC", NULL));
    must(mac && EVP_MAC_init(mac, (const unsigned char *)key, sizeof key - 1, p) == 1, "EVP_MAC");
    for (int round = 0; round < ROUNDS; round++)
        for (int k = 0; k < 4; k++) {
            double t = now_us();
            for (int i = 0; i < BATCH; i++) f[k]();
            t = (now_us() - t) / BATCH;
            if (t < best[k]) best[k] = t;
        }
    printf("{\"bench\": \"webhook\", \"what\": \"GitHub delivery of 10 kB, verified in C\", \"us\": %.3f, \"raw_hmac_us\": %.3f, \"raw_hmac_key_kept_us\": %.3f, \"raw_hmac_oneshot_us\": %.3f, "
           "\"ratio_to_raw\": %.3f, \"ratio_to_key_kept\": %.3f, \"target\": 1.1}\n",
           best[0], best[1], best[2], best[3], best[0] / best[1], best[0] / best[2]);
    symbi_webhook_free(w);
    symbi_ctx_free(cx);
    return 0;
}
