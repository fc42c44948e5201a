/* state/mask.c: what looks like a secret: the patterns of spec orga-runtime.md section 4, in their order, each over the result of the one
 * before. Written out by hand rather than as expressions: each pass is linear, and what is left of a word boundary is visible. Letters
 * and digits are ASCII; white space is Unicode's. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/value.h"
#include "symbi/secrets.h"

#include <string.h>

/* A match: from..end is replaced. */
typedef struct sy_match {
    size_t from, end;
} sy_match;

typedef bool sy_class(unsigned char c);

static bool is_lower_eq(char c, char low) { return (c | 32) == low && (c & 64); }
static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
static bool is_alpha(unsigned char c) { return (c | 32) >= 'a' && (c | 32) <= 'z' && c < 128; }
static bool is_alnum(unsigned char c) { return is_digit(c) || is_alpha(c); }
static bool is_word(unsigned char c) { return is_alnum(c) || c == '_'; }
static bool is_token(unsigned char c) { return is_word(c) || c == '-'; }
static bool is_dash(unsigned char c) { return is_alnum(c) || c == '-'; }
static bool is_upnum(unsigned char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); }
static bool is_bearer(unsigned char c) { return is_token(c) || c == '.'; }
static bool is_b64(unsigned char c) { return is_token(c) || c == '+' || c == '/'; }
static bool is_local(unsigned char c) { return is_token(c) || c == '.' || c == '%' || c == '+'; }
static bool is_domain(unsigned char c) { return is_dash(c) || c == '.'; }

static unsigned char at(symbi_str s, size_t i) { return i < s.n ? (unsigned char)s.p[i] : 0; }
/* A boundary before byte i; a zero byte is no word either. */
static bool bound(symbi_str s, size_t i) { return is_word(i ? at(s, i - 1) : 0) != is_word(at(s, i)); }

/* Bytes of the white space at i, 0 for none. */
static size_t space(symbi_str s, size_t i)
{
    uint32_t cp;
    size_t n;
    unsigned char c = at(s, i);
    if (c < 128) return i < s.n && (c == ' ' || (c >= 9 && c <= 13));
    n = sy_utf8_next(s.p + i, s.n - i, &cp);
    if (!n) return 0;
    return cp == 0x85 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000 ? n : 0;
}

static size_t run(symbi_str s, size_t i, sy_class *in)
{
    while (i < s.n && in((unsigned char)s.p[i])) i++;
    return i;
}
/* The last boundary in from+min..end; 0 when there is none. */
static size_t back(symbi_str s, size_t from, size_t end, size_t min)
{
    for (; end >= from + min; end--)
        if (bound(s, end)) return end;
    return 0;
}
/* The word at i, lower-case letters given, in any case. */
static bool word_at(symbi_str s, size_t i, const char *low)
{
    size_t n = strlen(low);
    if (s.n - i < n) return false;
    for (size_t k = 0; k < n; k++)
        if (!is_lower_eq(s.p[i + k], low[k])) return false;
    return true;
}
static bool lit(symbi_str s, size_t i, const char *z) { return sy_str_starts((symbi_str){ s.p + i, s.n - i }, symbi_str_z(z)); }

/* ---- patterns that begin with a literal, at position i ---- */

static size_t tail(symbi_str s, size_t i, sy_class *in, size_t min)
{
    size_t e = run(s, i, in);
    return e - i < min ? 0 : back(s, i, e, min);
}
static size_t exact(symbi_str s, size_t i, sy_class *in, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (i + k >= s.n || !in((unsigned char)s.p[i + k])) return 0;
    return bound(s, i + n) ? i + n : 0;
}

static size_t p_sk(symbi_str s, size_t i) { return lit(s, i, "sk-") ? tail(s, i + 3, is_token, 20) : 0; }
static size_t p_slack(symbi_str s, size_t i) { return lit(s, i, "xox") && at(s, i + 3) && strchr("bapre", at(s, i + 3)) && at(s, i + 4) == '-' ? tail(s, i + 5, is_dash, 10) : 0; }
static size_t p_github(symbi_str s, size_t i) { return lit(s, i, "gh") && at(s, i + 2) && strchr("pousr", at(s, i + 2)) && at(s, i + 3) == '_' ? tail(s, i + 4, is_alnum, 30) : 0; }
static size_t p_aws(symbi_str s, size_t i) { return lit(s, i, "AKIA") ? exact(s, i + 4, is_upnum, 16) : 0; }
static size_t p_google(symbi_str s, size_t i) { return lit(s, i, "AIza") ? exact(s, i + 4, is_token, 35) : 0; }
static size_t p_stripe(symbi_str s, size_t i) { return lit(s, i, "sk_live_") || lit(s, i, "sk_test_") ? tail(s, i + 8, is_alnum, 20) : 0; }

static size_t p_bearer(symbi_str s, size_t i)
{
    size_t k, n;
    if (!word_at(s, i, "bearer")) return 0;
    for (k = i + 6; (n = space(s, k)); k += n) {}
    return k == i + 6 ? 0 : tail(s, k, is_bearer, 16);
}

static size_t p_jwt(symbi_str s, size_t i)
{
    size_t k = i + 3;
    if (!lit(s, i, "eyJ")) return 0;
    for (int part = 0; part < 2; part++) {
        size_t e = run(s, k, is_token);
        if (e - k < 5 || at(s, e) != '.') return 0;
        k = e + 1;
    }
    return tail(s, k, is_token, 5);
}

/* [\s:=]+ after a name */
static size_t separator(symbi_str s, size_t i)
{
    size_t k = i, n;
    while ((n = at(s, k) == ':' || at(s, k) == '=' ? 1 : space(s, k))) k += n;
    return k == i ? 0 : k;
}
static size_t named(symbi_str s, size_t i, size_t after, sy_class *in, size_t min)
{
    size_t k = separator(s, after);
    (void)i;
    return k ? tail(s, k, in, min) : 0;
}
static size_t p_apikey(symbi_str s, size_t i)
{
    size_t k = i + 3, n;
    if (!word_at(s, i, "api")) return 0;
    while ((n = at(s, k) == '_' || at(s, k) == '-' ? 1 : space(s, k))) k += n;
    return word_at(s, k < s.n ? k : s.n, "key") ? named(s, i, k + 3, is_b64, 12) : 0;
}
static size_t p_token(symbi_str s, size_t i) { return word_at(s, i, "token") ? named(s, i, i + 5, is_b64, 12) : 0; }
static size_t p_secret(symbi_str s, size_t i) { return word_at(s, i, "secret") ? named(s, i, i + 6, is_b64, 12) : 0; }
/* Six characters that are not white space, whatever they are: of the separators the last ones may be taken for the value. */
static size_t p_password(symbi_str s, size_t i)
{
    size_t k, e;
    if (!word_at(s, i, "password") || !(k = separator(s, i + 8))) return 0;
    for (e = k; e < s.n && !space(s, e);) e++;
    for (int back_off = 0; back_off < 8; back_off++, k--) {
        size_t chars = 0, min = 0, m;
        for (size_t p = k; p < e && chars < 7; p++) {
            if (((unsigned char)s.p[p] & 0xc0) != 0x80) chars++;
            if (chars <= 6) min = p + 1 - k;
        }
        if (chars >= 6 && (m = back(s, k, e, min))) return m;
        if (k - 1 <= i + 8 || (s.p[k - 1] != ':' && s.p[k - 1] != '=')) break;
    }
    return 0;
}

static size_t digits(symbi_str s, size_t i, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (!is_digit(at(s, i + k))) return 0;
    return i + n;
}
static size_t gap(symbi_str s, size_t i) { return at(s, i) == '-' ? i + 1 : i + space(s, i); }

static size_t p_ssn(symbi_str s, size_t i)
{
    size_t k = digits(s, i, 3);
    if (k && at(s, k) == '-') k = digits(s, k + 1, 2);
    else return 0;
    if (k && at(s, k) == '-') k = digits(s, k + 1, 4);
    else return 0;
    return k && bound(s, k) ? k : 0;
}
static size_t p_card(symbi_str s, size_t i)
{
    size_t k = digits(s, i, 4);
    for (int g = 0; g < 3 && k; g++) k = digits(s, gap(s, k), 4);
    return k && bound(s, k) ? k : 0;
}
static size_t p_phone(symbi_str s, size_t i)
{
    size_t k = digits(s, i, 3);
    if (k) k = digits(s, gap(s, k), 3);
    if (k) k = digits(s, gap(s, k), 4);
    return k && bound(s, k) ? k : 0;
}

/* ---- patterns that are found by what is in their middle ---- */

/* Every PEM block of a private key; without its end, to the end of the text. */
static bool next_pem(symbi_str s, size_t from, sy_match *m)
{
    static const char *const kind[] = { "PRIVATE KEY-----", "RSA PRIVATE KEY-----", "EC PRIVATE KEY-----", "OPENSSH PRIVATE KEY-----", "PGP PRIVATE KEY-----", "ENCRYPTED PRIVATE KEY-----" };
    for (size_t i = from; i + 11 <= s.n; i++) {
        const char *p = memchr(s.p + i, '-', s.n - i);
        size_t body = 0;
        if (!p) return false;
        i = (size_t)(p - s.p);
        if (!lit(s, i, "-----BEGIN ")) continue;
        for (size_t k = 0; k < sizeof kind / sizeof *kind && !body; k++)
            if (lit(s, i + 11, kind[k])) body = i + 11 + strlen(kind[k]);
        if (!body) continue;
        m->from = i;
        for (size_t e = body; e < s.n; e++) {
            if (!lit(s, e, "-----END ")) continue;
            for (size_t k = 0; k < sizeof kind / sizeof *kind; k++)
                if (lit(s, e + 9, kind[k])) {
                    m->end = e + 9 + strlen(kind[k]);
                    return true;
                }
        }
        m->end = s.n;
        return true;
    }
    return false;
}

static bool next_email(symbi_str s, size_t from, sy_match *m)
{
    for (size_t i = from; i < s.n; i++) {
        const char *p = memchr(s.p + i, '@', s.n - i);
        size_t a, first, e, end;
        if (!p) return false;
        i = (size_t)(p - s.p);
        for (a = i; a > from && is_local((unsigned char)s.p[a - 1]);) a--;
        for (first = a; first < i && !bound(s, first);) first++; /* the leftmost start */
        if (first == i) continue;
        e = run(s, i + 1, is_domain);
        for (end = e; end > i + 1; end--) { /* the rightmost dot with two letters and a boundary after it */
            size_t l;
            if (s.p[end - 1] != '.' || end - 1 == i + 1) continue;
            l = run(s, end, is_alpha);
            if (l - end >= 2 && bound(s, l)) {
                m->from = first;
                m->end = l;
                return true;
            }
        }
    }
    return false;
}

typedef struct sy_pattern {
    size_t (*here)(symbi_str s, size_t i);          /* the end of a match that begins at i, which is a boundary; 0 for none */
    bool (*next)(symbi_str s, size_t from, sy_match *m); /* or the next match */
    const char *first;                              /* bytes that a match may begin with; NULL: digits */
    const char *with;
} sy_pattern;

static const sy_pattern k_pattern[] = {
    { p_sk, NULL, "s", "[REDACTED:API_KEY]" },
    { p_slack, NULL, "x", "[REDACTED:SLACK_TOKEN]" },
    { p_github, NULL, "g", "[REDACTED:GITHUB_TOKEN]" },
    { p_aws, NULL, "A", "[REDACTED:AWS_KEY_ID]" },
    { p_google, NULL, "A", "[REDACTED:GOOGLE_API_KEY]" },
    { p_stripe, NULL, "s", "[REDACTED:STRIPE_KEY]" },
    { p_bearer, NULL, "bB", "Bearer [REDACTED]" },
    { NULL, next_pem, "", "[REDACTED:PRIVATE_KEY]" },
    { p_jwt, NULL, "e", "[REDACTED:JWT]" },
    { p_apikey, NULL, "aA", "api_key=[REDACTED]" },
    { p_token, NULL, "tT", "token=[REDACTED]" },
    { p_secret, NULL, "sS", "secret=[REDACTED]" },
    { p_password, NULL, "pP", "password=[REDACTED]" },
    { p_ssn, NULL, NULL, "[REDACTED:SSN]" },
    { p_card, NULL, NULL, "[REDACTED:CC]" },
    { NULL, next_email, "", "[REDACTED:EMAIL]" },
    { p_phone, NULL, NULL, "[REDACTED:PHONE]" },
};

static bool next_here(const sy_pattern *p, symbi_str s, size_t from, sy_match *m)
{
    for (size_t i = from; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (p->first ? c != (unsigned char)p->first[0] && c != (unsigned char)p->first[p->first[1] != 0] : !is_digit(c)) continue;
        if (!bound(s, i) || !(m->end = p->here(s, i))) continue;
        m->from = i;
        return true;
    }
    return false;
}

/* Replaces in *s, which is text or one of the two buffers. False when there was nothing to replace. */
static bool pass(const sy_pattern *p, symbi_str s, sy_buf *b)
{
    sy_match m;
    size_t from = 0;
    if (!(p->next ? p->next(s, 0, &m) : next_here(p, s, 0, &m))) return false;
    sy_buf_clear(b);
    do {
        sy_buf_add(b, s.p + from, m.from - from);
        sy_buf_addz(b, p->with);
        from = m.end;
    } while (from < s.n && (p->next ? p->next(s, from, &m) : next_here(p, s, from, &m)));
    sy_buf_add(b, s.p + from, s.n - from);
    return true;
}

symbi_status symbi_mask_text(symbi_ctx *cx, symbi_str text, symbi_text *out, symbi_err *err)
{
    sy_buf b[2];
    int now = 0;
    symbi_str s = text.n ? text : SY_LIT("");
    symbi_status st = SYMBI_OK;
    memset(out, 0, sizeof *out);
    sy_buf_init(&b[0], cx->alloc, cx->limits.output_bytes);
    sy_buf_init(&b[1], cx->alloc, cx->limits.output_bytes);
    for (size_t i = 0; i < sizeof k_pattern / sizeof *k_pattern && !st; i++) {
        if (!pass(&k_pattern[i], s, &b[now])) continue;
        if ((st = sy_buf_status(&b[now]))) break;
        s = sy_buf_str(&b[now]);
        now = !now;
    }
    if (!st && (s.p == text.p || !text.n)) { /* nothing was replaced */
        sy_buf_clear(&b[now]);
        sy_buf_adds(&b[now], s);
        now = !now;
    }
    st = sy_buf_take(&b[st ? now : !now], out, "the masked text", err);
    sy_buf_free(&b[0]);
    sy_buf_free(&b[1]);
    return st;
}

bool symbi_mask_key(symbi_str name)
{
    static const char *const part[] = {
        "password", "passwd", "passphrase", "token", "bearer", "jwt", "auth", "authorization", "session", "cookie", "set_cookie", "api_key", "apikey", "access_key",
        "private_key", "client_secret", "client_id", "refresh_token", "id_token", "csrf", "otp", "totp", "secret", "credential", "signature", "hmac", "hash", "salt",
        "key", "ssn", "social_security", "credit_card", "card_number", "cvv", "pin", "date_of_birth", "dob", "phone", "address", "email", "dsn", "connection_string",
        "conn_str", "database_url", "db_url", "redis_url", "amqp_url", "postgres_url", "mongodb_uri", "url",
    };
    for (size_t i = 0; i < name.n; i++)
        for (size_t k = 0; k < sizeof part / sizeof *part; k++) {
            size_t n = 0;
            while (part[k][n] && i + n < name.n && (name.p[i + n] >= 'A' && name.p[i + n] <= 'Z' ? name.p[i + n] + 32 : name.p[i + n]) == part[k][n]) n++;
            if (!part[k][n]) return true;
        }
    return false;
}

/* ---- trees ---- */

typedef struct sy_masking {
    symbi_ctx *cx;
    const symbi_redactor *r;
    sy_arena *a;
    symbi_err *err;
} sy_masking;

static symbi_status mask_string(sy_masking *m, symbi_str s, symbi_value *out)
{
    symbi_text known = { 0 }, t = { 0 };
    symbi_status st = symbi_redactor_apply(m->r, m->cx, s, &known, m->err);
    if (!st) st = symbi_mask_text(m->cx, symbi_text_str(&known), &t, m->err);
    if (!st) *out = sy_val_str(sy_arena_dup(m->a, symbi_text_str(&t)));
    symbi_text_free(&known);
    symbi_text_free(&t);
    return st;
}

static symbi_status mask(sy_masking *m, const symbi_value *v, symbi_value *out, size_t depth)
{
    symbi_status st = SYMBI_OK;
    *out = *v;
    if (!depth) return sy_fail(m->err, SYMBI_ELIMIT, "the value is nested too deeply");
    if (v->kind == SYMBI_STRING) return mask_string(m, v->u.s, out);
    if (v->kind == SYMBI_TIME) out->u.s = sy_arena_dup(m->a, v->u.s);
    if (v->kind == SYMBI_ARRAY) {
        symbi_value *items = sy_arena_calloc(m->a, v->u.a.n + 1, sizeof *items);
        out->u.a.items = items;
        for (size_t i = 0; items && i < v->u.a.n && !st; i++) st = mask(m, &v->u.a.items[i], &items[i], depth - 1);
    } else if (v->kind == SYMBI_OBJECT) {
        symbi_member *mem = sy_arena_calloc(m->a, v->u.o.n + 1, sizeof *mem);
        out->u.o.members = mem;
        for (size_t i = 0; mem && i < v->u.o.n && !st; i++) {
            mem[i].key = sy_arena_dup(m->a, v->u.o.members[i].key);
            if (symbi_mask_key(v->u.o.members[i].key)) mem[i].val = sy_val_str(SY_LIT("***"));
            else st = mask(m, &v->u.o.members[i].val, &mem[i].val, depth - 1);
        }
    }
    if (!st && m->a->status) st = sy_arena_fail(m->a, "the masked value", m->err);
    return st;
}

symbi_status symbi_mask_value(symbi_ctx *cx, const symbi_redactor *r, const symbi_value *v, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d = sy_doc_new(cx);
    sy_masking m = { cx, r, NULL, err };
    symbi_status st;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    m.a = &d->arena;
    st = mask(&m, v, &d->root, cx->limits.doc_depth + 1);
    if (st) symbi_doc_unref(d);
    else *out = d;
    return st;
}
