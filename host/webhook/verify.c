/* webhook/verify.c: the verdict on one request. Order: headers, size, signature (every secret), age, delivery id, replay; each step
 * only narrows, and what is remembered is remembered last, so that a refused request leaves no trace. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/json.h"
#include "webhook/webhook.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct sy_request {
    symbi_webhook *w;
    symbi_str found[SY_WH_HEADERS], body, time;
    int64_t now;
    symbi_webhook_result *out;
    symbi_err *err;
} sy_request;

/* Refuses: the reason goes to the result, the text to err. */
static symbi_status refuse(sy_request *q, symbi_webhook_reason r, int header, const char *fmt, ...) SYMBI_PRINTF(4, 5);
static symbi_status refuse(sy_request *q, symbi_webhook_reason r, int header, const char *fmt, ...)
{
#define STATUS(name, st, text) st,
    static const symbi_status t[] = { SYMBI_WEBHOOK_REASON_LIST(STATUS) };
#undef STATUS
    va_list ap;
    q->out->reason = r;
    q->out->header = header >= 0 && q->w->name[header][0] ? q->w->name[header] : NULL;
    va_start(ap, fmt);
    sy_vfail(q->err, t[r], 0, 0, fmt, ap);
    va_end(ap);
    return t[r];
}

/* ---- HMAC schemes ---- */

/* Seed's words, whatever it is about the signature that is wrong; the reason tells more. */
static symbi_status mismatch(sy_request *q, symbi_webhook_reason r) { return refuse(q, r, SY_WH_SIGNATURE, "HMAC signature mismatch"); }

static symbi_status sum(const sy_request *q, sy_mac *m, uint8_t out[SY_WH_MAC])
{
    const symbi_webhook *w = q->w;
    symbi_str part[SY_WH_MAX_PARTS];
    for (size_t i = 0; i < w->nparts; i++) {
        if (w->part[i].kind == SY_WH_PART_BODY) part[i] = q->body;
        else if (w->part[i].kind == SY_WH_PART_TIMESTAMP) part[i] = q->time;
        else if (w->part[i].kind == SY_WH_PART_ID) part[i] = q->found[SY_WH_DELIVERY];
        else part[i] = (symbi_str){ w->payload + w->part[i].off, w->part[i].n };
    }
    return sy_mac_sum(m, part, w->nparts, out, q->err);
}

static bool same(const uint8_t a[SY_WH_MAC], const uint8_t b[SY_WH_MAC])
{
    return symbi_ct_equal((symbi_str){ (const char *)a, SY_WH_MAC }, (symbi_str){ (const char *)b, SY_WH_MAC });
}

/* Whether any signature of the header is that MAC. All are looked at. */
static bool given(const sy_request *q, const uint8_t mac[SY_WH_MAC])
{
    const symbi_webhook *w = q->w;
    symbi_str h = q->found[SY_WH_SIGNATURE], v;
    uint8_t sig[SY_WH_MAC];
    bool hit = false, any;
    if (w->scheme == SYMBI_WEBHOOK_STANDARD) {
        for (size_t pos = 0; sy_wh_standard_next(h, &pos, sig, &any);) hit |= same(sig, mac);
        return hit;
    }
    if (w->scheme != SYMBI_WEBHOOK_STRIPE)
        return sy_wh_unhex((symbi_str){ h.p + w->nprefix, h.n - w->nprefix }, w->lower_hex, sig) && same(sig, mac);
    for (size_t pos = 0; sy_wh_stripe_next(h, &pos, &v);)
        if (sy_wh_unhex(v, true, sig)) hit |= same(sig, mac);
    return hit;
}

/* A sender that signs the body alone: worth its own word, because the request looks right to who wrote it. */
static bool body_alone(const sy_request *q)
{
    uint8_t mac[SY_WH_MAC];
    if (q->w->body_only) return false;
    for (size_t i = 0; i < q->w->nsecrets; i++)
        if (sy_mac_sum(q->w->mac[i], &q->body, 1, mac, NULL) == SYMBI_OK && given(q, mac)) return true;
    return false;
}

/* The form of the header, before anything is computed. */
static symbi_status shape(sy_request *q)
{
    const symbi_webhook *w = q->w;
    symbi_str h = q->found[SY_WH_SIGNATURE], v;
    uint8_t sig[SY_WH_MAC];
    size_t pos = 0;
    bool any = false;
    if (w->scheme == SYMBI_WEBHOOK_STRIPE) {
        q->time = sy_wh_stripe_time(h);
        if (!q->time.p) return refuse(q, SYMBI_WEBHOOK_R_MISSING_TIMESTAMP, SY_WH_SIGNATURE, "no timestamp in %s", w->name[SY_WH_SIGNATURE]);
        while (sy_wh_stripe_next(h, &pos, &v)) any = true;
        if (!any) return refuse(q, SYMBI_WEBHOOK_R_NO_SIGNATURE, SY_WH_SIGNATURE, "no signature of version v1 in %s", w->name[SY_WH_SIGNATURE]);
        return SYMBI_OK;
    }
    if (w->name[SY_WH_TIMESTAMP][0]) {
        q->time = q->found[SY_WH_TIMESTAMP];
        if (!q->time.p) return refuse(q, SYMBI_WEBHOOK_R_MISSING_TIMESTAMP, SY_WH_TIMESTAMP, "Missing timestamp header: %s", w->name[SY_WH_TIMESTAMP]);
    }
    if (w->id_signed && !q->found[SY_WH_DELIVERY].p) return refuse(q, SYMBI_WEBHOOK_R_MISSING_DELIVERY, SY_WH_DELIVERY, "Missing delivery header: %s", w->name[SY_WH_DELIVERY]);
    if (w->scheme == SYMBI_WEBHOOK_STANDARD) {
        while (sy_wh_standard_next(h, &pos, sig, &any)) {}
        if (!any) return refuse(q, SYMBI_WEBHOOK_R_NO_SIGNATURE, SY_WH_SIGNATURE, "no signature of version v1 in %s", w->name[SY_WH_SIGNATURE]);
        return SYMBI_OK;
    }
    if (!sy_str_starts(h, (symbi_str){ w->prefix, w->nprefix }) || !sy_wh_unhex((symbi_str){ h.p + w->nprefix, h.n - w->nprefix }, w->lower_hex, sig))
        return mismatch(q, SYMBI_WEBHOOK_R_FORMAT);
    return SYMBI_OK;
}

static symbi_status check_hmac(sy_request *q)
{
    symbi_webhook *w = q->w;
    uint8_t mac[SY_WH_MAC], first[SY_WH_MAC];
    size_t i;
    symbi_status st = shape(q);
    if (st) return st;
    for (i = 0; i < w->nsecrets; i++) {
        if ((st = sum(q, w->mac[i], mac))) return st;
        if (!i) memcpy(first, mac, sizeof first);
        if (given(q, mac)) break;
    }
    if (i == w->nsecrets) {
        if (body_alone(q))
            return refuse(q, SYMBI_WEBHOOK_R_UNSIGNED_TIMESTAMP, SY_WH_SIGNATURE, "the signature covers the body and not the timestamp");
        return mismatch(q, SYMBI_WEBHOOK_R_MISMATCH);
    }
    q->out->secret = i;
    if (w->replay) {
        /* Under the first secret whichever it was: a sender that signs with two gives one request one name. */
        char text[1 + SY_WH_MAC];
        text[0] = (char)w->named;
        memcpy(text + 1, first, SY_WH_MAC);
        if ((st = symbi_sha256(w->cx, (symbi_str){ text, sizeof text }, q->out->key, q->err))) return st;
        q->out->has_key = true;
        q->out->keep_until = q->now + w->replay_seconds;
    }
    return SYMBI_OK;
}

static symbi_status check_age(sy_request *q)
{
    int64_t t, tol = q->w->tolerance, ahead;
    int at = q->w->name[SY_WH_TIMESTAMP][0] ? SY_WH_TIMESTAMP : SY_WH_SIGNATURE;
    if (q->w->body_only) return SYMBI_OK;
    if (!sy_wh_seconds(q->time, &t)) return refuse(q, SYMBI_WEBHOOK_R_BAD_TIMESTAMP, at, "the timestamp is not a decimal number of seconds");
    q->out->has_timestamp = true;
    q->out->timestamp = t;
    if (!tol) return SYMBI_OK;
    ahead = t - q->now; /* both lie within 15 digits */
    if (ahead < -tol) return refuse(q, SYMBI_WEBHOOK_R_TOO_OLD, at, "the timestamp is too old: %lld s, and %lld s are tolerated", (long long)-ahead, (long long)tol);
    if (ahead > tol) return refuse(q, SYMBI_WEBHOOK_R_IN_FUTURE, at, "the timestamp lies %lld s in the future, and %lld s are tolerated", (long long)ahead, (long long)tol);
    return SYMBI_OK;
}

/* ---- JWT ---- */

/* What PyJWT says through the seed, where it says something; our own words elsewhere. */
static symbi_status jwt_refused(sy_request *q, symbi_jwt_reason r, const symbi_err *why)
{
    const char *text;
    char missing[80];
    q->out->jwt = r;
    switch (r) {
    case SYMBI_JWT_R_EXPIRED: return refuse(q, SYMBI_WEBHOOK_R_JWT, SY_WH_SIGNATURE, "JWT token has expired");
    case SYMBI_JWT_R_ISSUER: return refuse(q, SYMBI_WEBHOOK_R_JWT, SY_WH_SIGNATURE, "JWT issuer mismatch");
    case SYMBI_JWT_R_PARTS: case SYMBI_JWT_R_EMPTY: text = "Not enough segments"; break;
    case SYMBI_JWT_R_ALG: text = "The specified alg value is not allowed"; break;
    case SYMBI_JWT_R_SIGNATURE: text = "Signature verification failed"; break;
    case SYMBI_JWT_R_NOT_YET: text = "The token is not yet valid (nbf)"; break;
    case SYMBI_JWT_R_FUTURE: text = "The token is not yet valid (iat)"; break;
    case SYMBI_JWT_R_MISSING_EXP: text = "Token is missing the \"exp\" claim"; break;
    case SYMBI_JWT_R_AUDIENCE: text = "Invalid audience"; break;
    case SYMBI_JWT_R_MISSING_CLAIM:
        snprintf(missing, sizeof missing, "Token is missing the \"%.20s\" claim", why->path);
        text = missing;
        break;
    default: text = why->msg[0] ? why->msg : symbi_jwt_reason_text(r); break;
    }
    return refuse(q, SYMBI_WEBHOOK_R_JWT, SY_WH_SIGNATURE, "JWT verification failed: %s", text);
}

static bool trouble(symbi_status st) { return st == SYMBI_ENOMEM || st == SYMBI_ECRYPTO; }

static symbi_status check_jwt(sy_request *q)
{
    symbi_webhook *w = q->w;
    symbi_str token = q->found[SY_WH_SIGNATURE], bearer = SY_LIT("Bearer ");
    symbi_jwt_rules rules = { .size = sizeof rules, .now = q->now, .leeway = w->leeway, .float_times = true, .check_iat = true,
                              .issuer = w->issuer, .audience = w->audience, .refuse_audience = !w->audience.n };
    symbi_jwt_reason r = SYMBI_JWT_R_OK;
    symbi_jwt *j;
    symbi_err why;
    symbi_status st;
    symbi_err_clear(&why);
    if (sy_str_starts(token, bearer)) token.p += bearer.n, token.n -= bearer.n;
    st = symbi_jwt_parse(w->cx, token, &j, &r, &why);
    if (st) {
        if (!trouble(st)) return jwt_refused(q, r, &why);
        if (q->err) *q->err = why;
        return st;
    }
    st = SYMBI_EVERIFY;
    for (size_t i = 0; i < w->nsecrets && st; i++) {
        symbi_jwt_key key = { .secret = w->secret[i], .short_secret_ok = true }; /* how long it is, the operator chose */
        symbi_jwt_reason ri = SYMBI_JWT_R_SIGNATURE;
        st = symbi_jwt_check_signature(w->cx, j, SYMBI_JWT_HS256, &key, &ri, &why);
        if (trouble(st)) break;
        q->out->secret = i;
        r = ri;
    }
    if (!st) st = symbi_jwt_check_claims(j, &rules, &r, &why);
    if (!st && w->replay) {
        const symbi_value *exp = symbi_value_getz(symbi_jwt_claims(j), "exp");
        double e = exp && exp->kind == SYMBI_INT ? (double)exp->u.i : exp && exp->kind == SYMBI_DOUBLE ? exp->u.d : 0;
        st = symbi_sha256(w->cx, symbi_jwt_signed_part(j), q->out->key, &why);
        q->out->has_key = !st;
        q->out->keep_until = q->now + w->replay_seconds;
        e = ceil(e) + (double)w->leeway;
        if (e > (double)q->out->keep_until) q->out->keep_until = e > 1e15 ? (int64_t)1e15 : (int64_t)e;
    }
    if (!st) {
        q->out->token = j;
        return SYMBI_OK;
    }
    symbi_jwt_free(j);
    if (!trouble(st)) return jwt_refused(q, r, &why);
    if (q->err) *q->err = why;
    return st;
}

/* ---- who remembers ---- */

/* The event's id out of the signed body. */
static symbi_status body_id(sy_request *q, symbi_str *id)
{
    symbi_doc *d = NULL;
    symbi_status st = symbi_json_parse(q->w->cx, q->body, &d, q->err);
    if (st == SYMBI_ENOMEM) return st;
    *id = (symbi_str){ NULL, 0 };
    if (!st) {
        symbi_str s = symbi_value_str(symbi_doc_root(d), "id", *id);
        if (s.n && s.n <= sizeof q->w->id) {
            memcpy(q->w->id, s.p, s.n);
            *id = (symbi_str){ q->w->id, s.n };
        }
    }
    symbi_doc_unref(d);
    return SYMBI_OK;
}

static symbi_status find_delivery(sy_request *q)
{
    symbi_webhook *w = q->w;
    symbi_str id = q->found[SY_WH_DELIVERY];
    symbi_status st;
    if (w->delivery_in_body && (st = body_id(q, &id))) return st;
    for (size_t i = 0; id.p && i < id.n; i++)
        if (id.p[i] < 0x21 || id.p[i] > 0x7e) id.p = NULL;
    if (id.p && id.n && id.n <= SYMBI_WEBHOOK_MAX_ID) q->out->delivery = id;
    else if (w->delivery)
        return refuse(q, SYMBI_WEBHOOK_R_MISSING_DELIVERY, w->delivery_in_body ? -1 : SY_WH_DELIVERY, w->delivery_in_body ? "the body has no event id" : "Missing delivery header: %s", w->name[SY_WH_DELIVERY]);
    return SYMBI_OK;
}

static symbi_status remember(sy_request *q)
{
    symbi_webhook *w = q->w;
    uint8_t keys[2][32];
    size_t n = 0, which = 0, at_id = 2;
    symbi_err why;
    symbi_status st;
    if (w->replay) memcpy(keys[n++], q->out->key, 32);
    if (w->delivery) {
        char text[1 + SYMBI_WEBHOOK_MAX_ID];
        text[0] = (char)(0x80 | (int)w->named);
        memcpy(text + 1, q->out->delivery.p, q->out->delivery.n);
        if ((st = symbi_sha256(w->cx, (symbi_str){ text, 1 + q->out->delivery.n }, keys[n], q->err))) return st;
        if (!q->out->has_key) {
            memcpy(q->out->key, keys[n], 32);
            q->out->has_key = true;
            q->out->keep_until = q->now + w->replay_seconds;
        }
        at_id = n++;
    }
    if (!n) return SYMBI_OK;
    /* As long as its timestamp is tolerated, whatever was asked for: one from the future is so for longer than its age. */
    if (q->out->has_timestamp && w->tolerance && q->out->keep_until <= q->out->timestamp + w->tolerance) q->out->keep_until = q->out->timestamp + w->tolerance + 1;
    symbi_err_clear(&why);
    st = sy_replay_take(&w->seen, (const uint8_t(*)[32])keys, n, q->out->keep_until, q->now, &which, &why);
    switch (st) {
    case SYMBI_OK: return SYMBI_OK;
    case SYMBI_ENOMEM: return sy_fail_nomem(q->err);
    case SYMBI_EEXISTS:
        if (which == at_id) return refuse(q, SYMBI_WEBHOOK_R_DELIVERED, w->delivery_in_body ? -1 : SY_WH_DELIVERY, "delivery %.*s was accepted before", SY_FMT(q->out->delivery));
        return refuse(q, SYMBI_WEBHOOK_R_REPLAYED, SY_WH_SIGNATURE, "the request was accepted before");
    case SYMBI_ELIMIT: return refuse(q, SYMBI_WEBHOOK_R_REPLAY_FULL, -1, "%s", why.msg);
    default: return refuse(q, SYMBI_WEBHOOK_R_REPLAY_STORE, -1, "the store of the replay cache failed: %s", why.msg);
    }
}

symbi_status symbi_webhook_verify(symbi_webhook *w, const symbi_webhook_header *h, size_t n, symbi_str body, int64_t now, symbi_webhook_result *out, symbi_err *err)
{
    static const int64_t far = 1000000000000000;
    sy_request q = { .w = w, .body = body, .out = out, .err = err };
    size_t at = 0;
    symbi_webhook_reason r;
    symbi_status st;
    memset(out, 0, sizeof *out);
    q.now = now == SYMBI_WEBHOOK_NOW ? symbi_ctx_now_ms(w->cx) / 1000 : now;
    if (q.now < 0) q.now = 0;
    if (q.now > far) q.now = far;
    r = sy_wh_headers(w, h, n, q.found, &at);
    if (r == SYMBI_WEBHOOK_R_DUPLICATE_HEADER) return refuse(&q, r, (int)at, "the header %s stands there twice", w->name[at]);
    if (r != SYMBI_WEBHOOK_R_OK) return refuse(&q, r, (int)at, "the header %s is longer than any genuine one", w->name[at]);
    if (!q.found[SY_WH_SIGNATURE].p)
        return refuse(&q, SYMBI_WEBHOOK_R_MISSING_HEADER, SY_WH_SIGNATURE, w->scheme == SYMBI_WEBHOOK_JWT ? "Missing JWT header: %s" : "Missing signature header: %s", w->name[SY_WH_SIGNATURE]);
    if (body.n > w->max_body) return refuse(&q, SYMBI_WEBHOOK_R_BODY_TOO_LONG, -1, "the body is longer than %zu bytes", w->max_body);
    if (w->scheme == SYMBI_WEBHOOK_JWT) st = check_jwt(&q);
    else if (!(st = check_hmac(&q))) st = check_age(&q);
    if (!st) st = find_delivery(&q);
    if (!st) st = remember(&q);
    if (st) {
        symbi_jwt_free(out->token);
        out->token = NULL;
        out->delivery = (symbi_str){ NULL, 0 };
        if (out->reason == SYMBI_WEBHOOK_R_OK) out->reason = SYMBI_WEBHOOK_R_NONE;
        return st;
    }
    out->reason = SYMBI_WEBHOOK_R_OK;
    out->header = w->name[SY_WH_SIGNATURE];
    return SYMBI_OK;
}
