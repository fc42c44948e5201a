/* Fuzz target: webhook headers. Input: one byte of scheme, then header lines "name: value\n" up to an empty line, then the body. The
 * secret is known here, so a second reading of the rules can say what the verdict must be: whatever is accepted carries the MAC of what
 * the scheme signs; whatever is refused has a reason and words. A second request with the same bytes is a replay exactly when the
 * first was accepted. */
#include "symbi/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1000000 };
static const char k_secret[] = "0123456789abcdef0123456789abcdef";

static void must(int ok)
{
    if (!ok) abort();
}
static symbi_str Z(const char *z) { return symbi_str_z(z); }

static bool has(symbi_str s, const char *part, size_t n)
{
    for (size_t i = 0; i + n <= s.n; i++)
        if (!memcmp(s.p + i, part, n)) return true;
    return false;
}

/* The hex MAC of a, b, c one after the other must stand in the header's value. */
static void signed_by(symbi_ctx *cx, symbi_str value, symbi_str a, symbi_str b, symbi_str c)
{
    char hex[65], *buf = malloc(a.n + b.n + c.n + 1);
    uint8_t mac[32];
    symbi_err err;
    bool upper, lower;
    must(buf != NULL);
    memcpy(buf, a.p, a.n);
    if (b.n) memcpy(buf + a.n, b.p, b.n);
    if (c.n) memcpy(buf + a.n + b.n, c.p, c.n);
    must(symbi_hmac_sha256(cx, Z(k_secret), (symbi_str){ buf, a.n + b.n + c.n }, mac, &err) == SYMBI_OK);
    for (int i = 0; i < 32; i++) hex[2 * i] = "0123456789abcdef"[mac[i] >> 4], hex[2 * i + 1] = "0123456789abcdef"[mac[i] & 15];
    lower = has(value, hex, 64);
    upper = false;
    for (size_t i = 0; !lower && i + 64 <= value.n && !upper; i++) {
        size_t k = 0;
        while (k < 64 && (value.p[i + k] >= 'A' && value.p[i + k] <= 'F' ? value.p[i + k] + 32 : value.p[i + k]) == hex[k]) k++;
        upper = k == 64;
    }
    must(lower || upper);
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    static const symbi_webhook_scheme scheme[] = { SYMBI_WEBHOOK_HMAC, SYMBI_WEBHOOK_JWT, SYMBI_WEBHOOK_GITHUB, SYMBI_WEBHOOK_STRIPE, SYMBI_WEBHOOK_SLACK, SYMBI_WEBHOOK_CUSTOM, SYMBI_WEBHOOK_STANDARD };
    symbi_str secrets[2] = { Z("another secret"), Z(k_secret) }, value = { NULL, 0 }, time = { NULL, 0 }, body;
    symbi_webhook_header h[16];
    symbi_webhook_options o;
    symbi_webhook_result r, again;
    symbi_webhook *w;
    symbi_err err;
    size_t n = 0, pos = 1;
    symbi_status st;
    if (!size) return 0;
    if (!cx) must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    symbi_webhook_options_init(&o, scheme[(data[0] & 7) % 7]);
    o.secrets = secrets;
    o.nsecrets = 2;
    o.replay = true;
    o.delivery = (data[0] & 64) && (o.scheme == SYMBI_WEBHOOK_GITHUB || o.scheme == SYMBI_WEBHOOK_STRIPE);
    o.legacy = (data[0] & 128) && (o.scheme == SYMBI_WEBHOOK_STRIPE || o.scheme == SYMBI_WEBHOOK_SLACK);
    if (o.scheme == SYMBI_WEBHOOK_STANDARD) secrets[0] = Z("whsec_AAAA"), secrets[1] = Z("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    if (o.scheme == SYMBI_WEBHOOK_HMAC) {
        o.header = Z("X-Sig");
        o.prefix = Z("v1=");
        o.timestamp_header = Z("X-Time");
        o.payload = Z("{timestamp}.{body}");
    }
    while (pos < size && n < 16) {
        const char *p = (const char *)data + pos, *nl = memchr(p, '\n', size - pos), *colon;
        size_t len = nl ? (size_t)(nl - p) : size - pos;
        pos += len + (nl != NULL);
        if (!len) break;
        colon = memchr(p, ':', len);
        if (!colon) continue;
        h[n].name = (symbi_str){ p, (size_t)(colon - p) };
        h[n].value = (symbi_str){ colon + 1, len - (size_t)(colon + 1 - p) };
        if (h[n].value.n && h[n].value.p[0] == ' ') h[n].value.p++, h[n].value.n--;
        n++;
    }
    body = (symbi_str){ (const char *)data + pos, size - pos };
    must(symbi_webhook_new(cx, &o, &w, &err) == SYMBI_OK);
    symbi_err_clear(&err);
    st = symbi_webhook_verify(w, h, n, body, NOW, &r, &err);
    must((st == SYMBI_OK) == (r.reason == SYMBI_WEBHOOK_R_OK) && r.reason != SYMBI_WEBHOOK_R_NONE);
    must(st == SYMBI_OK || (err.code == st && err.msg[0] && !r.token && !r.delivery.p && symbi_webhook_remembered(w) == 0));
    if (!st) {
        const char *sig = symbi_webhook_header_name(w, 0);
        size_t seen = 0;
        for (size_t i = 0; i < n; i++) {
            if (!symbi_webhook_wants(w, h[i].name)) continue;
            if (h[i].name.n == strlen(sig) && (h[i].name.p[h[i].name.n - 1] | 32) == (sig[h[i].name.n - 1] | 32)) value = h[i].value, seen++;
            else if (h[i].name.n > 6) time = h[i].value;
        }
        must(seen == 1 && r.secret == 1 && r.has_key && r.keep_until > NOW);
        if (r.has_timestamp) must(r.timestamp >= NOW - 300 && r.timestamp <= NOW + 300);
        if (o.scheme == SYMBI_WEBHOOK_JWT) must(r.token != NULL);
        else if (o.scheme == SYMBI_WEBHOOK_STANDARD) must(r.has_timestamp && value.n >= 47);
        else if (o.legacy || o.scheme == SYMBI_WEBHOOK_GITHUB || o.scheme == SYMBI_WEBHOOK_CUSTOM) signed_by(cx, value, body, Z(""), Z(""));
        else if (o.scheme == SYMBI_WEBHOOK_SLACK) {
            char t[32];
            must(r.has_timestamp && snprintf(t, sizeof t, "v0:%lld:", (long long)r.timestamp) > 0);
            signed_by(cx, value, Z(t), body, Z(""));
        } else {
            char t[32];
            must(r.has_timestamp && snprintf(t, sizeof t, "%lld.", (long long)r.timestamp) > 0);
            signed_by(cx, value, Z(t), body, Z(""));
        }
        (void)time;
        symbi_jwt_free(r.token);
        st = symbi_webhook_verify(w, h, n, body, NOW, &again, &err);
        must(st == SYMBI_EEXISTS && (again.reason == SYMBI_WEBHOOK_R_REPLAYED || again.reason == SYMBI_WEBHOOK_R_DELIVERED));
    }
    symbi_webhook_free(w);
    return 0;
}
