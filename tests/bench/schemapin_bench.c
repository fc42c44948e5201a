/* tests/bench/schemapin_bench.c: what a SchemaPin check costs: repeated and identical (decision cache), with a known key, with a key
 * seen for the first time, against OpenSSL's raw ECDSA verification of the same signature. Interleaved, low deciles of rounds; one JSON
 * object, times in microseconds. argv[1]: a folder for the inputs that tests/bench/peers/schemapin.py measures the same with. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "symbi/schemapin_skill.h"

enum { ROUNDS = 41, KEYS = 256 }; /* KEYS: more than any cache of keys holds */
static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}
static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double quiet(double *v)
{
    qsort(v, ROUNDS, sizeof *v, by_value);
    return v[ROUNDS / 10]; /* others use the machine: the quiet rounds */
}
#define DIE(what) do { fprintf(stderr, "%s failed\n", what); exit(1); } while (0)

static char schema[2200];
static size_t schema_n;

/* A tool schema of about 2 kB, members unsorted as people write them. */
static void make_schema(void)
{
    size_t n = (size_t)snprintf(schema, sizeof schema, "{\"name\":\"search_documents\",\"description\":\"Searches the documents of a project\",\"parameters\":{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < 18; i++)
        n += (size_t)snprintf(schema + n, sizeof schema - n, "%s\"field_%02d\":{\"type\":\"string\",\"description\":\"What field %d means to the search\",\"minLength\":1,\"maxLength\":%d}", i ? "," : "", 17 - i, i, 64 + i);
    n += (size_t)snprintf(schema + n, sizeof schema - n, "},\"required\":[\"field_00\",\"field_01\"]}}");
    schema_n = n;
}

static void save(const char *dir, const char *name, const void *p, size_t n)
{
    char path[600];
    FILE *f;
    if (!dir) return;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "wb");
    if (!f || fwrite(p, 1, n, f) != n) DIE(path);
    fclose(f);
}

static symbi_text pems[KEYS], sigs[KEYS];
static char domains[KEYS][32];

static symbi_schemapin_discovery *document(symbi_ctx *cx, const symbi_text *pem)
{
    char doc[900];
    size_t n = (size_t)snprintf(doc, sizeof doc, "{\"schema_version\":\"1.2\",\"public_key_pem\":\"");
    symbi_schemapin_discovery *d;
    symbi_err err;
    for (size_t i = 0; i < pem->n; i++) {
        if (pem->p[i] == '\n') doc[n++] = '\\', doc[n++] = 'n';
        else doc[n++] = pem->p[i];
    }
    memcpy(doc + n, "\"}", 2);
    if (symbi_schemapin_discovery_read(cx, (symbi_str){ doc, n + 2 }, NULL, &d, &err)) DIE("document");
    return d;
}

int main(int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : NULL;
    symbi_ctx *cx;
    symbi_key *key;
    symbi_text pem, sig;
    symbi_schemapin_pins *pins;
    symbi_schemapin_cache *cache;
    symbi_schemapin_discovery *d;
    symbi_schemapin_result *r;
    symbi_schemapin_info info;
    symbi_schemapin_check c, plain;
    symbi_err err;
    uint8_t hash[32], der[80];
    double cached[ROUNDS], known[ROUNDS], first[ROUNDS], raw[ROUNDS], canonical[ROUNDS], fetch[ROUNDS], nothing[ROUNDS];
    int turn = 0;
    int der_n = 0;
    EVP_PKEY *pkey;
    BIO *bio;
    make_schema();
    if (symbi_ctx_new(NULL, &cx, NULL) || symbi_p256_generate(cx, &key, &err) || symbi_key_public_pem(cx, key, &pem, &err)) DIE("setup");
    if (symbi_schemapin_hash(cx, (symbi_str){ schema, schema_n }, NULL, 0, hash, NULL, &err)) DIE("hash");
    if (symbi_schemapin_sign(cx, key, (symbi_str){ (char *)hash, 32 }, &sig, &err)) DIE("sign");
    for (int i = 0; i < KEYS; i++) {
        symbi_key *one;
        if (symbi_p256_generate(cx, &one, &err) || symbi_key_public_pem(cx, one, &pems[i], &err) || symbi_schemapin_sign(cx, one, (symbi_str){ (char *)hash, 32 }, &sigs[i], &err)) DIE("keys");
        symbi_key_unref(one);
        snprintf(domains[i], sizeof domains[i], "d%d.example.com", i);
    }
    save(dir, "schema.json", schema, schema_n);
    save(dir, "signature.txt", sig.p, sig.n);
    save(dir, "public.pem", pem.p, pem.n);
    if (symbi_schemapin_pins_new(cx, &pins, &err) || symbi_schemapin_cache_new(cx, 0, 0, 0, &cache, &err)) DIE("setup");
    d = document(cx, &pem);
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.json = (symbi_str){ schema, schema_n };
    c.signature = symbi_text_str(&sig);
    c.domain = symbi_str_z("example.com");
    c.tool_id = symbi_str_z("search_documents");
    c.discovery = d;
    c.pins = pins;
    c.cache = cache;
    c.now = 1780000000;
    plain = c;
    plain.cache = NULL;
    for (int i = 0; i < 3; i++) {
        if (symbi_schemapin_check_schema(cx, &c, &r, &err)) DIE("check");
        symbi_schemapin_result_info(r, &info);
        if (!info.valid) DIE(info.message.p);
        symbi_schemapin_result_unref(r);
    }
    bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    der_n = EVP_DecodeBlock(der, (unsigned char *)sig.p, (int)sig.n);
    while (der_n > 2 && der_n > der[1] + 2) der_n--; /* the padding that DecodeBlock leaves */
    for (int k = 0; k < ROUNDS; k++) {
        enum { FAST = 2000, SLOW = 20 };
        double t = now_us();
        for (int i = 0; i < FAST; i++) {
            if (symbi_schemapin_check_schema(cx, &c, &r, &err)) DIE("check");
            symbi_schemapin_result_unref(r);
        }
        cached[k] = (now_us() - t) / FAST;
        if (symbi_schemapin_check_schema(cx, &plain, &r, &err)) DIE("check"); /* the keys of the last round took the place of its context */
        symbi_schemapin_result_unref(r);
        t = now_us();
        for (int i = 0; i < SLOW; i++) {
            if (symbi_schemapin_check_schema(cx, &plain, &r, &err)) DIE("check");
            symbi_schemapin_result_unref(r);
        }
        known[k] = (now_us() - t) / SLOW;
        t = now_us();
        for (int i = 0; i < SLOW; i++) {
            EVP_MD_CTX *m = EVP_MD_CTX_new();
            if (EVP_DigestVerifyInit(m, NULL, EVP_sha256(), NULL, pkey) != 1 || EVP_DigestVerify(m, der, (size_t)der_n, hash, 32) != 1) DIE("raw verification");
            EVP_MD_CTX_free(m);
        }
        raw[k] = (now_us() - t) / SLOW;
        t = now_us();
        for (int i = 0; i < 200; i++)
            if (symbi_schemapin_hash(cx, c.json, NULL, 0, hash, NULL, &err)) DIE("hash");
        canonical[k] = (now_us() - t) / 200;
        { /* a first check: document read, key parsed, key pinned; of keys that no cache has any more */
            symbi_schemapin_check one = plain;
            double total = 0, read = 0;
            if (symbi_schemapin_pins_new(cx, &one.pins, &err)) DIE("setup");
            for (int i = 0; i < SLOW; i++, turn++) {
                symbi_schemapin_discovery *x;
                t = now_us();
                x = document(cx, &pems[turn % KEYS]);
                read += now_us() - t;
                one.discovery = x;
                one.signature = symbi_text_str(&sigs[turn % KEYS]);
                one.domain = symbi_str_z(domains[turn % KEYS]);
                if (symbi_schemapin_check_schema(cx, &one, &r, &err)) DIE("check");
                symbi_schemapin_result_info(r, &info);
                total += now_us() - t;
                if (!info.valid || info.pinning != SYMBI_SCHEMAPIN_PIN_FIRST_USE) DIE("first check");
                symbi_schemapin_result_unref(r);
                symbi_schemapin_discovery_unref(x);
            }
            first[k] = total / SLOW;
            fetch[k] = read / SLOW;
            symbi_schemapin_pins_free(one.pins);
        }
        { /* the same in a ctx of its own: with what OpenSSL sets up once */
            symbi_ctx *fresh;
            symbi_schemapin_check one = plain;
            double total = 0;
            for (int i = 0; i < SLOW; i++) {
                symbi_schemapin_discovery *x;
                if (symbi_ctx_new(NULL, &fresh, NULL) || symbi_schemapin_pins_new(fresh, &one.pins, &err)) DIE("setup");
                t = now_us();
                x = document(fresh, &pem);
                one.discovery = x;
                if (symbi_schemapin_check_schema(fresh, &one, &r, &err)) DIE("check");
                total += now_us() - t;
                symbi_schemapin_result_unref(r);
                symbi_schemapin_discovery_unref(x);
                symbi_schemapin_pins_free(one.pins);
                symbi_ctx_free(fresh);
            }
            nothing[k] = total / SLOW;
        }
    }
    {
        double a = quiet(cached), b = quiet(known), x = quiet(raw), h = quiet(canonical), f = quiet(first), g = quiet(fetch), z = quiet(nothing);
        printf("{\"bench\": \"schemapin\", \"schema_bytes\": %zu, \"repeated_us\": %.3f, \"repeated_target_us\": 3, \"known_key_us\": %.2f, \"raw_evp_verify_us\": %.2f, "
               "\"canonical_and_hash_us\": %.2f, \"known_key_ratio\": %.3f, \"known_key_without_canonical_ratio\": %.3f, \"known_key_target\": 1.10, \"first_seen_us\": %.2f, \"read_document_and_key_us\": %.2f, "
               "\"first_seen_ratio\": %.3f, \"first_seen_target\": 1.5, \"first_seen_in_a_new_ctx_us\": %.2f}\n",
               schema_n, a, b, x, h, b / x, (b - h) / x, f, g, f / x, z);
    }
    for (int i = 0; i < KEYS; i++) symbi_text_free(&pems[i]), symbi_text_free(&sigs[i]);
    EVP_PKEY_free(pkey);
    symbi_schemapin_discovery_unref(d);
    symbi_schemapin_cache_free(cache);
    symbi_schemapin_pins_free(pins);
    symbi_text_free(&pem);
    symbi_text_free(&sig);
    symbi_key_unref(key);
    symbi_ctx_free(cx);
    return 0;
}
