/* webhook/headers.c: reading the headers of a request: names without case, values byte for byte. */
#include "base/chars.h"
#include "base/str.h"
#include "codec/base64.h"
#include "webhook/webhook.h"

#include <string.h>

/* A token of RFC 9110. */
bool sy_wh_name_valid(symbi_str s)
{
    static const char extra[] = "!#$%&'*+-.^_`|~";
    if (!s.n || s.n > SY_WH_MAX_NAME) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = sy_lower(s.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr(extra, c)))) return false;
    }
    return true;
}

static bool same_name(symbi_str s, const char *low)
{
    for (size_t i = 0; i < s.n; i++)
        if (!low[i] || sy_lower(s.p[i]) != low[i]) return false;
    return !low[s.n];
}

static int wanted(const symbi_webhook *w, symbi_str name)
{
    for (int i = 0; i < SY_WH_HEADERS; i++)
        if (w->name[i][0] && same_name(name, w->name[i])) return i;
    return -1;
}

bool symbi_webhook_wants(const symbi_webhook *w, symbi_str name) { return name.n <= SY_WH_MAX_NAME && wanted(w, name) >= 0; }

const char *symbi_webhook_header_name(const symbi_webhook *w, size_t i)
{
    for (size_t k = 0; k < SY_WH_HEADERS; k++)
        if (w->name[k][0] && i-- == 0) return w->name[k];
    return NULL;
}

symbi_webhook_reason sy_wh_headers(const symbi_webhook *w, const symbi_webhook_header *h, size_t n, symbi_str found[SY_WH_HEADERS], size_t *at)
{
    size_t max = w->scheme == SYMBI_WEBHOOK_JWT ? SYMBI_JWT_MAX_BYTES + sizeof "Bearer " - 1 : SYMBI_WEBHOOK_MAX_HEADER;
    for (size_t i = 0; i < SY_WH_HEADERS; i++) found[i] = (symbi_str){ NULL, 0 };
    for (size_t i = 0; i < n; i++) {
        int k = h[i].name.n <= SY_WH_MAX_NAME ? wanted(w, h[i].name) : -1;
        if (k < 0) continue;
        *at = (size_t)k;
        if (found[k].p) return SYMBI_WEBHOOK_R_DUPLICATE_HEADER;
        if (h[i].value.n > max) return SYMBI_WEBHOOK_R_HEADER_TOO_LONG;
        found[k] = h[i].value.p ? h[i].value : SY_LIT("");
    }
    return SYMBI_WEBHOOK_R_OK;
}

bool sy_wh_unhex(symbi_str s, bool lower_only, uint8_t out[SY_WH_MAC])
{
    if (s.n != 2 * SY_WH_MAC) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' && !lower_only ? c - 'A' + 10 : -1;
        if (v < 0) return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
    }
    return true;
}

bool sy_wh_seconds(symbi_str s, int64_t *out)
{
    int64_t t = 0;
    *out = 0;
    if (!s.n || s.n > 15 || (s.n > 1 && s.p[0] == '0')) return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        t = t * 10 + (s.p[i] - '0');
    }
    *out = t;
    return true;
}

/* One item of a comma list from *pos: name and what stands behind the first '='. False at the end. */
static bool item(symbi_str header, size_t *pos, symbi_str *name, symbi_str *value)
{
    const char *p, *end, *eq;
    if (*pos > header.n) return false;
    p = header.p + *pos;
    end = memchr(p, ',', header.n - *pos);
    if (!end) end = header.p + header.n;
    *pos = (size_t)(end - header.p) + 1;
    eq = memchr(p, '=', (size_t)(end - p));
    *name = (symbi_str){ p, (size_t)((eq ? eq : end) - p) };
    *value = (symbi_str){ NULL, 0 };
    if (eq) *value = (symbi_str){ eq + 1, (size_t)(end - eq - 1) };
    return true;
}

symbi_str sy_wh_stripe_time(symbi_str header)
{
    symbi_str name, value, t = { NULL, 0 };
    for (size_t pos = 0; item(header, &pos, &name, &value);)
        if (sy_str_eqz(name, "t") && value.p) t = value;
    return t;
}

/* Stripe's own library splits an item at every '=', so that what follows a second one is no part of a signature. */
bool sy_wh_stripe_next(symbi_str header, size_t *pos, symbi_str *value)
{
    symbi_str name;
    while (item(header, pos, &name, value)) {
        const char *more;
        if (!sy_str_eqz(name, "v1") || !value->p) continue;
        more = memchr(value->p, '=', value->n);
        if (more) value->n = (size_t)(more - value->p);
        return true;
    }
    return false;
}

bool sy_wh_standard_next(symbi_str header, size_t *pos, uint8_t sig[SY_WH_MAC], bool *any)
{
    while (*pos <= header.n) {
        const char *p = header.p + *pos, *end = memchr(p, ' ', header.n - *pos);
        symbi_str one = { p, end ? (size_t)(end - p) : header.n - *pos };
        uint8_t raw[SY_WH_MAC + 8];
        size_t n = 0;
        *pos += one.n + 1;
        if (!sy_str_starts(one, SY_LIT("v1,"))) continue;
        *any = true;
        one.p += 3, one.n -= 3;
        if (one.n != sy_base64_encoded_len(SY_WH_MAC, SY_BASE64) || sy_base64_decode(one, SY_BASE64, raw, &n, NULL) || n != SY_WH_MAC) continue;
        memcpy(sig, raw, SY_WH_MAC);
        return true;
    }
    return false;
}
