/* webhook/create.c: making a verifier: names, secrets, what is signed. Whatever cannot be meant is refused here, once, so that a request
 * never meets a verifier that would let it through by mistake. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "webhook/webhook.h"

#include <string.h>

static const char *const k_scheme[] = { "", "hmac", "jwt", "github", "stripe", "slack", "custom", "standard" };

const char *symbi_webhook_scheme_name(symbi_webhook_scheme s) { return (size_t)s < sizeof k_scheme / sizeof *k_scheme ? k_scheme[s] : ""; }

symbi_webhook_scheme symbi_webhook_scheme_of(symbi_str name)
{
    for (size_t i = 1; i < sizeof k_scheme / sizeof *k_scheme; i++) {
        size_t k = 0;
        if (strlen(k_scheme[i]) != name.n) continue;
        while (k < name.n && (name.p[k] | 32) == k_scheme[i][k] && name.p[k] >= 'A') k++;
        if (k == name.n) return (symbi_webhook_scheme)i;
    }
    return (symbi_webhook_scheme)0;
}

const char *symbi_webhook_reason_name(symbi_webhook_reason r)
{
#define NAME(name, st, text) #name,
    static const char *const t[] = { SYMBI_WEBHOOK_REASON_LIST(NAME) };
#undef NAME
    return (size_t)r < SYMBI_WEBHOOK_REASON_COUNT ? t[r] : "NONE";
}

const char *symbi_webhook_reason_text(symbi_webhook_reason r)
{
#define TEXT(name, st, text) text,
    static const char *const t[] = { SYMBI_WEBHOOK_REASON_LIST(TEXT) };
#undef TEXT
    return (size_t)r < SYMBI_WEBHOOK_REASON_COUNT ? t[r] : "not verified";
}

void symbi_webhook_options_init(symbi_webhook_options *o, symbi_webhook_scheme scheme)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
    o->scheme = scheme;
    o->tolerance = 300;
    o->leeway = 60;
    o->replay_max = 16384;
}

static symbi_status set_name(symbi_webhook *w, int k, symbi_str name, const char *what, symbi_err *err)
{
    if (!name.n) return SYMBI_OK;
    if (!sy_wh_name_valid(name)) return sy_fail(err, SYMBI_EINVAL, "%s \"%.*s\" is no header name", what, SY_FMT(name));
    for (size_t i = 0; i < name.n; i++) w->name[k][i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    w->name[k][name.n] = 0;
    for (int i = 0; i < SY_WH_HEADERS; i++)
        if (i != k && strcmp(w->name[i], w->name[k]) == 0) return sy_fail(err, SYMBI_EINVAL, "%s \"%s\" serves for something else already", what, w->name[k]);
    return SYMBI_OK;
}

/* Takes "{timestamp}.{body}" apart. The body stands there once. */
static symbi_status set_payload(symbi_webhook *w, symbi_str t, symbi_err *err)
{
    static const struct { const char *text; sy_wh_part kind; } mark[] = { { "{timestamp}", SY_WH_PART_TIMESTAMP }, { "{body}", SY_WH_PART_BODY }, { "{id}", SY_WH_PART_ID } };
    size_t count[SY_WH_PARTS] = { 0 }, i = 0;
    if (t.n > sizeof w->payload) return sy_fail(err, SYMBI_EINVAL, "payload is longer than %zu bytes", sizeof w->payload);
    if (t.n) memcpy(w->payload, t.p, t.n);
    while (i < t.n) {
        size_t n = 0, k;
        sy_wh_part kind = SY_WH_LITERAL;
        for (k = 0; k < sizeof mark / sizeof *mark; k++)
            if (sy_str_starts((symbi_str){ t.p + i, t.n - i }, symbi_str_z(mark[k].text))) kind = mark[k].kind, n = strlen(mark[k].text);
        if (kind == SY_WH_LITERAL)
            for (n = 1; i + n < t.n && t.p[i + n] != '{'; n++) {}
        if (w->nparts == SY_WH_MAX_PARTS) return sy_fail(err, SYMBI_EINVAL, "payload has more than %d parts", SY_WH_MAX_PARTS);
        w->part[w->nparts].kind = kind;
        w->part[w->nparts].off = i;
        w->part[w->nparts++].n = n;
        count[kind]++;
        i += n;
    }
    if (count[SY_WH_PART_BODY] != 1) return sy_fail(err, SYMBI_EINVAL, "payload must have {body} in it, once");
    w->body_only = !count[SY_WH_PART_TIMESTAMP];
    w->id_signed = count[SY_WH_PART_ID] != 0;
    return SYMBI_OK;
}

/* Header names, prefix and payload of the scheme. */
static symbi_status set_scheme(symbi_webhook *w, const symbi_webhook_options *o, symbi_err *err)
{
    symbi_str name = o->header, prefix = o->prefix, time = { NULL, 0 }, payload = SY_LIT("{body}"), id = o->delivery_header;
    bool own = o->scheme == SYMBI_WEBHOOK_HMAC || o->scheme == SYMBI_WEBHOOK_CUSTOM;
    symbi_status st;
    w->named = o->scheme;
    w->scheme = own ? SYMBI_WEBHOOK_HMAC : o->scheme;
    if (!own && (o->timestamp_header.n || o->payload.n)) return sy_fail(err, SYMBI_EINVAL, "timestamp_header and payload are for the schemes hmac and custom");
    if (!own && o->scheme != SYMBI_WEBHOOK_JWT && (name.n || prefix.n)) return sy_fail(err, SYMBI_EINVAL, "the scheme %s has a header and a prefix of its own", symbi_webhook_scheme_name(o->scheme));
    if (o->legacy && o->scheme != SYMBI_WEBHOOK_STRIPE && o->scheme != SYMBI_WEBHOOK_SLACK) return sy_fail(err, SYMBI_EINVAL, "legacy is for the schemes stripe and slack");
    switch (o->scheme) {
    case SYMBI_WEBHOOK_HMAC:
        if (!name.n) return sy_fail(err, SYMBI_EINVAL, "header is missing: the name of the header with the signature");
        break;
    case SYMBI_WEBHOOK_CUSTOM:
        if (!name.n) name = SY_LIT("X-Signature");
        break;
    case SYMBI_WEBHOOK_JWT:
        if (prefix.n) return sy_fail(err, SYMBI_EINVAL, "prefix is not for the scheme jwt");
        if (!name.n) name = SY_LIT("Authorization");
        break;
    case SYMBI_WEBHOOK_GITHUB:
        w->scheme = SYMBI_WEBHOOK_HMAC;
        w->lower_hex = true;
        name = SY_LIT("X-Hub-Signature-256");
        prefix = SY_LIT("sha256=");
        if (!id.n && o->delivery) id = SY_LIT("X-GitHub-Delivery");
        break;
    case SYMBI_WEBHOOK_STRIPE:
        name = SY_LIT("Stripe-Signature");
        payload = o->legacy ? SY_LIT("{body}") : SY_LIT("{timestamp}.{body}");
        w->delivery_in_body = o->delivery && !id.n;
        break;
    case SYMBI_WEBHOOK_SLACK:
        name = SY_LIT("X-Slack-Signature");
        prefix = SY_LIT("v0=");
        payload = o->legacy ? SY_LIT("{body}") : SY_LIT("v0:{timestamp}:{body}");
        if (!o->legacy) time = SY_LIT("X-Slack-Request-Timestamp");
        break;
    case SYMBI_WEBHOOK_STANDARD:
        name = SY_LIT("webhook-signature");
        time = SY_LIT("webhook-timestamp");
        id = SY_LIT("webhook-id");
        payload = SY_LIT("{id}.{timestamp}.{body}");
        break;
    default: return sy_fail(err, SYMBI_EINVAL, "unknown scheme");
    }
    if (o->legacy) w->scheme = SYMBI_WEBHOOK_HMAC;
    else if (o->scheme == SYMBI_WEBHOOK_STRIPE || o->scheme == SYMBI_WEBHOOK_SLACK) w->lower_hex = true;
    if (own) {
        time = o->timestamp_header;
        if (o->payload.n) payload = o->payload;
    }
    if (prefix.n > sizeof w->prefix) return sy_fail(err, SYMBI_EINVAL, "prefix is longer than %zu bytes", sizeof w->prefix);
    if (prefix.n) memcpy(w->prefix, prefix.p, w->nprefix = prefix.n);
    if ((st = set_payload(w, payload, err))) return st;
    if (own && time.n && w->body_only) return sy_fail(err, SYMBI_EINVAL, "a timestamp that is not signed proves nothing: payload must have {timestamp} in it");
    if (own && !time.n && !w->body_only) return sy_fail(err, SYMBI_EINVAL, "payload has {timestamp} in it: timestamp_header must name the header that it comes from");
    if (own && w->id_signed && !id.n) return sy_fail(err, SYMBI_EINVAL, "payload has {id} in it: delivery_header must name the header that it comes from");
    w->replay = o->replay;
    w->delivery = o->delivery;
    if (o->delivery && !id.n && !w->delivery_in_body)
        return sy_fail(err, SYMBI_EINVAL, "delivery needs delivery_header: the scheme %s has no delivery id of its own", symbi_webhook_scheme_name(o->scheme));
    if ((st = set_name(w, SY_WH_SIGNATURE, name, "header", err))) return st;
    if ((st = set_name(w, SY_WH_TIMESTAMP, time, "timestamp_header", err))) return st;
    return set_name(w, SY_WH_DELIVERY, id, "delivery_header", err);
}

static bool dup(symbi_webhook *w, symbi_str s, symbi_str *out)
{
    char *p;
    if (!s.n) return true;
    p = sy_alloc(&w->alloc, s.n);
    if (!p) return false;
    memcpy(p, s.p, s.n);
    *out = (symbi_str){ p, s.n };
    return true;
}

/* A secret of Standard Webhooks is text for 24 to 64 bytes. */
static symbi_status set_standard(symbi_webhook *w, symbi_ctx *cx, symbi_str s, size_t i, symbi_err *err)
{
    uint8_t raw[128];
    size_t n = 0;
    symbi_status st;
    if (sy_str_starts(s, SY_LIT("whsec_"))) s.p += 6, s.n -= 6;
    if (sy_base64_decoded_max(s.n) > sizeof raw || sy_base64_decode(s, SY_BASE64 | SY_BASE64_ANYPAD, raw, &n, NULL) || !n)
        st = sy_fail(err, SYMBI_EINVAL, "a secret of Standard Webhooks is whsec_ and base64 of at most 64 bytes");
    else st = sy_mac_new(cx, (symbi_str){ (const char *)raw, n }, &w->mac[i], err);
    symbi_wipe(raw, sizeof raw);
    return st;
}

static symbi_status set_secrets(symbi_webhook *w, symbi_ctx *cx, const symbi_webhook_options *o, symbi_err *err)
{
    symbi_status st;
    if (!o->nsecrets) return sy_fail(err, SYMBI_EINVAL, "a secret is missing");
    if (o->nsecrets > SYMBI_WEBHOOK_MAX_SECRETS) return sy_fail(err, SYMBI_EINVAL, "more than %d secrets at once", SYMBI_WEBHOOK_MAX_SECRETS);
    for (size_t i = 0; i < o->nsecrets; i++) {
        symbi_str s = o->secrets[i];
        if (!s.n) return sy_fail(err, SYMBI_EINVAL, "secret must not be empty");
        if (s.n > SYMBI_WEBHOOK_MAX_SECRET) return sy_fail(err, SYMBI_EINVAL, "a secret is longer than %d bytes", SYMBI_WEBHOOK_MAX_SECRET);
        if (w->scheme == SYMBI_WEBHOOK_JWT) {
            if (sy_str_starts(s, SY_LIT("-----BEGIN "))) return sy_fail(err, SYMBI_EINVAL, "a PEM text is a key and no secret: who knows a public key could sign with it");
            if (!dup(w, s, &w->secret[i])) return sy_fail_nomem(err);
        } else if ((st = w->scheme == SYMBI_WEBHOOK_STANDARD ? set_standard(w, cx, s, i, err) : sy_mac_new(cx, s, &w->mac[i], err))) return st;
        w->nsecrets = i + 1;
    }
    return SYMBI_OK;
}

symbi_status symbi_webhook_new(symbi_ctx *cx, const symbi_webhook_options *o, symbi_webhook **out, symbi_err *err)
{
    static const int64_t year = 366 * 86400;
    symbi_webhook *w;
    symbi_status st;
    *out = NULL;
    if (o->size != sizeof *o) return sy_fail(err, SYMBI_EINVAL, "symbi_webhook_options: wrong size; use symbi_webhook_options_init");
    if (o->tolerance < 0 || o->tolerance > year || o->leeway < 0 || o->leeway > year || o->replay_seconds < 0 || o->replay_seconds > 10 * year)
        return sy_fail(err, SYMBI_EINVAL, "tolerance, leeway and replay_seconds lie between 0 and a year (ten for replay_seconds)");
    if (o->replay_max < 16 || o->replay_max > SYMBI_WEBHOOK_MAX_REPLAY) return sy_fail(err, SYMBI_EINVAL, "replay_max must lie between 16 and %d", SYMBI_WEBHOOK_MAX_REPLAY);
    w = sy_calloc(&cx->alloc, 1, sizeof *w);
    if (!w) return sy_fail_nomem(err);
    w->cx = cx;
    w->alloc = cx->alloc;
    w->tolerance = o->tolerance;
    w->leeway = o->leeway;
    w->replay_seconds = o->replay_seconds ? o->replay_seconds : o->tolerance * 2 > 600 ? o->tolerance * 2 : 600;
    w->max_body = o->max_body ? o->max_body : cx->limits.doc_bytes;
    sy_replay_init(&w->seen, cx->alloc, o->replay_max, "webhook");
    st = set_scheme(w, o, err);
    if (!st) st = set_secrets(w, cx, o, err);
    if (!st && (!dup(w, o->issuer, &w->issuer) || !dup(w, o->audience, &w->audience))) st = sy_fail_nomem(err);
    if (!st && w->scheme != SYMBI_WEBHOOK_JWT && (o->issuer.n || o->audience.n)) st = sy_fail(err, SYMBI_EINVAL, "issuer and audience are for the scheme jwt");
    if (st) symbi_webhook_free(w);
    else *out = w;
    return st;
}

void symbi_webhook_free(symbi_webhook *w)
{
    symbi_alloc a;
    if (!w) return;
    a = w->alloc;
    for (size_t i = 0; i < SYMBI_WEBHOOK_MAX_SECRETS; i++) {
        sy_mac_free(w->mac[i]);
        if (w->secret[i].p) symbi_wipe((char *)(uintptr_t)w->secret[i].p, w->secret[i].n);
        sy_free(&a, (char *)(uintptr_t)w->secret[i].p, w->secret[i].n);
    }
    sy_free(&a, (char *)(uintptr_t)w->issuer.p, w->issuer.n);
    sy_free(&a, (char *)(uintptr_t)w->audience.p, w->audience.n);
    sy_replay_free(&w->seen);
    sy_free(&a, w, sizeof *w);
}

void symbi_webhook_use_store(symbi_webhook *w, const symbi_store *store) { sy_replay_use_store(&w->seen, store); }

size_t symbi_webhook_remembered(const symbi_webhook *w) { return w->seen.n; }
