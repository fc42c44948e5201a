/* agentpin/constraints.c: constraints of a credential against those of the document, and lists of allowed domains. */
#include "agentpin/int.h"
#include "base/chars.h"

bool symbi_agentpin_rate_limit(symbi_str t, int64_t *per_hour)
{
    const char *slash = t.n ? memchr(t.p, '/', t.n) : NULL;
    symbi_str period;
    uint64_t n = 0, factor;
    if (!slash || slash == t.p) return false;
    period.p = slash + 1;
    period.n = t.n - (size_t)(slash - t.p) - 1;
    if (sy_str_eqz(period, "second")) factor = 3600;
    else if (sy_str_eqz(period, "minute")) factor = 60;
    else if (sy_str_eqz(period, "hour")) factor = 1;
    else return false;
    for (const char *p = t.p; p < slash; p++) {
        if (*p < '0' || *p > '9' || __builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n)) return false;
    }
    /* more than anybody can send compares as the largest */
    *per_hour = n > INT64_MAX / factor ? INT64_MAX : (int64_t)(n * factor);
    return true;
}

static bool equal_ci(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (sy_lower(a[i]) != sy_lower(b[i])) return false;
    }
    return true;
}

bool symbi_agentpin_domain_matches(symbi_str pattern, symbi_str domain)
{
    size_t n;
    if (pattern.n == domain.n && equal_ci(pattern.p, domain.p, domain.n)) return true;
    if (pattern.n < 2 || pattern.p[0] != '*' || pattern.p[1] != '.') return false;
    n = pattern.n - 2;
    if (domain.n <= n || domain.p[domain.n - n - 1] != '.') return false;
    return equal_ci(domain.p + domain.n - n, pattern.p + 2, n);
}

static bool any_matches(const symbi_value *patterns, symbi_str domain)
{
    for (size_t i = 0; i < patterns->u.a.n; i++) {
        const symbi_value *p = &patterns->u.a.items[i];
        if (p->kind == SYMBI_STRING && symbi_agentpin_domain_matches(p->u.s, domain)) return true;
    }
    return false;
}

/* Every item of inner is covered by one of outer. */
static bool all_match(const symbi_value *outer, const symbi_value *inner)
{
    for (size_t i = 0; i < inner->u.a.n; i++) {
        const symbi_value *d = &inner->u.a.items[i];
        if (d->kind != SYMBI_STRING || !any_matches(outer, d->u.s)) return false;
    }
    return true;
}

static int class_rank(const symbi_value *v)
{
    static const char *const names[] = { "public", "internal", "confidential", "restricted" };
    for (int i = 0; v && v->kind == SYMBI_STRING && i < 4; i++) {
        if (sy_str_eqz(v->u.s, names[i])) return i;
    }
    return -1;
}

static bool rate_of(const symbi_value *v, int64_t *out) { return v && v->kind == SYMBI_STRING && symbi_agentpin_rate_limit(v->u.s, out); }

/* ---- the members that only strict compares ---- */

typedef struct cidr {
    uint8_t a[16];
    int bits, size; /* size: 4 or 16 bytes */
} cidr;

static bool ipv4(symbi_str s, uint8_t out[4])
{
    size_t i = 0;
    for (int part = 0; part < 4; part++) {
        unsigned v = 0, n = 0;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && n < 3) v = v * 10 + (unsigned)(s.p[i++] - '0'), n++;
        if (!n || v > 255 || (n > 1 && s.p[i - n] == '0')) return false;
        out[part] = (uint8_t)v;
        if (part < 3 && (i >= s.n || s.p[i++] != '.')) return false;
    }
    return i == s.n;
}

static bool ipv6(symbi_str s, uint8_t out[16])
{
    uint16_t g[8];
    int n = 0, gap = -1;
    size_t i = 0;
    memset(out, 0, 16);
    if (s.n >= 2 && s.p[0] == ':' && s.p[1] == ':') gap = 0, i = 2;
    while (i < s.n) {
        unsigned v = 0;
        int d = 0, h;
        if (n == 8) return false;
        while (i < s.n && (h = sy_hex(s.p[i])) >= 0 && d < 4) v = v * 16 + (unsigned)h, i++, d++;
        if (!d) return false;
        g[n++] = (uint16_t)v;
        if (i == s.n) break;
        if (s.p[i++] != ':') return false;
        if (i == s.n) return false;
        if (s.p[i] == ':') {
            if (gap >= 0) return false;
            gap = n;
            i++;
        }
    }
    if (gap < 0 ? n != 8 : n > 7) return false;
    for (int k = 0; k < n; k++) {
        int at = gap >= 0 && k >= gap ? 8 - n + k : k;
        out[2 * at] = (uint8_t)(g[k] >> 8);
        out[2 * at + 1] = (uint8_t)g[k];
    }
    return true;
}

static bool cidr_parse(const symbi_value *v, cidr *c)
{
    symbi_str s, len = { NULL, 0 };
    const char *slash;
    if (v->kind != SYMBI_STRING || !v->u.s.n) return false;
    s = v->u.s;
    slash = memchr(s.p, '/', s.n);
    if (slash) {
        len.p = slash + 1;
        len.n = s.n - (size_t)(slash - s.p) - 1;
        s.n = (size_t)(slash - s.p);
    }
    memset(c, 0, sizeof *c);
    if (ipv4(s, c->a)) c->size = 4;
    else if (ipv6(s, c->a)) c->size = 16;
    else return false;
    c->bits = c->size * 8;
    if (slash) {
        int b = 0;
        if (!len.n || len.n > 3) return false;
        for (size_t i = 0; i < len.n; i++) {
            if (len.p[i] < '0' || len.p[i] > '9') return false;
            b = b * 10 + (len.p[i] - '0');
        }
        if (b > c->bits) return false;
        c->bits = b;
    }
    return true;
}

static bool cidr_within(const cidr *outer, const cidr *inner)
{
    if (outer->size != inner->size || inner->bits < outer->bits) return false;
    for (int i = 0; i < outer->bits; i++) {
        if (((outer->a[i / 8] ^ inner->a[i / 8]) >> (7 - i % 8)) & 1) return false;
    }
    return true;
}

static bool addresses_within(const symbi_value *outer, const symbi_value *inner)
{
    for (size_t i = 0; i < inner->u.a.n; i++) {
        cidr c, o;
        bool found = false;
        if (!cidr_parse(&inner->u.a.items[i], &c)) return false;
        for (size_t k = 0; k < outer->u.a.n && !found; k++) found = cidr_parse(&outer->u.a.items[k], &o) && cidr_within(&o, &c);
        if (!found) return false;
    }
    return true;
}

static bool clock_of(const symbi_value *v, const char *key, int *out)
{
    symbi_str s;
    if (!sy_ap_str(v, key, &s) || s.n != 5 || s.p[2] != ':') return false;
    for (size_t i = 0; i < 5; i++) {
        if (i != 2 && (s.p[i] < '0' || s.p[i] > '9')) return false;
    }
    *out = ((s.p[0] - '0') * 10 + s.p[1] - '0') * 60 + (s.p[3] - '0') * 10 + s.p[4] - '0';
    return *out < 24 * 60 && s.p[3] < '6';
}

/* Hours are compared within one time zone only; another zone counts as wider. A range may go past midnight. */
static bool hours_within(const symbi_value *outer, const symbi_value *inner)
{
    symbi_str zo = { NULL, 0 }, zi = { NULL, 0 };
    int os, oe, is, ie;
    if (!clock_of(outer, "start", &os) || !clock_of(outer, "end", &oe) || !clock_of(inner, "start", &is) || !clock_of(inner, "end", &ie)) return false;
    (void)sy_ap_str(outer, "timezone", &zo);
    (void)sy_ap_str(inner, "timezone", &zi);
    if (!sy_str_eq(zo, zi)) return false;
    oe = (oe - os + 1440) % 1440; /* minutes from the outer start */
    ie = (ie - is + 1440) % 1440;
    is = (is - os + 1440) % 1440;
    return is + ie <= oe;
}

/* Both say something about key, and not the same. */
static bool both(const symbi_value *doc, const symbi_value *cred, const char *key, const symbi_value **d, const symbi_value **c)
{
    *d = symbi_value_getz(doc, key);
    *c = symbi_value_getz(cred, key);
    return !sy_ap_is_null(*d) && !sy_ap_is_null(*c) && !symbi_value_equal(*d, *c);
}

/* What upstream does not compare. A limit of the document that cannot be read is one that nothing stays within: whoever wrote it
 * meant something, and other readers may read it. */
static bool strict_subset(const symbi_value *doc, const symbi_value *cred)
{
    const symbi_value *d, *c;
    int64_t rate;
    if (both(doc, cred, "data_classification_max", &d, &c) && class_rank(d) < 0) return false;
    if (both(doc, cred, "rate_limit", &d, &c) && !rate_of(d, &rate)) return false;
    if (both(doc, cred, "allowed_domains", &d, &c) && d->kind != SYMBI_ARRAY) return false;
    if (both(doc, cred, "denied_domains", &d, &c) && (d->kind != SYMBI_ARRAY || c->kind != SYMBI_ARRAY || !all_match(c, d))) return false;
    if (both(doc, cred, "ip_allowlist", &d, &c) && (d->kind != SYMBI_ARRAY || (d->u.a.n && (c->kind != SYMBI_ARRAY || !c->u.a.n || !addresses_within(d, c))))) return false;
    return !both(doc, cred, "valid_hours", &d, &c) || (d->kind == SYMBI_OBJECT && c->kind == SYMBI_OBJECT && hours_within(d, c));
}

bool symbi_agentpin_constraints_subset(const symbi_value *doc, const symbi_value *cred, bool strict)
{
    const symbi_value *d, *c;
    int64_t dr, cr;
    int dc, cc;
    if (sy_ap_is_null(doc) || sy_ap_is_null(cred)) return true;
    if (doc->kind != SYMBI_OBJECT || cred->kind != SYMBI_OBJECT) return false;
    c = symbi_value_getz(cred, "data_classification_max");
    dc = class_rank(symbi_value_getz(doc, "data_classification_max"));
    cc = class_rank(c);
    if (dc >= 0 && (cc > dc || (strict && cc < 0 && !sy_ap_is_null(c)))) return false;
    c = symbi_value_getz(cred, "rate_limit");
    if (rate_of(symbi_value_getz(doc, "rate_limit"), &dr)) {
        if (rate_of(c, &cr)) {
            if (cr > dr) return false;
        } else if (strict && !sy_ap_is_null(c)) {
            return false;
        }
    }
    d = sy_ap_array(doc, "allowed_domains");
    c = symbi_value_getz(cred, "allowed_domains");
    if (d && d->u.a.n && !sy_ap_is_null(c)) {
        if (c->kind != SYMBI_ARRAY || !c->u.a.n || !all_match(d, c)) return false;
    }
    return !strict || strict_subset(doc, cred);
}

/* ---- lists of allowed domains ---- */

bool symbi_agentpin_domains_allow(const symbi_value *list, symbi_str domain)
{
    if (sy_ap_is_null(list)) return true;
    if (list->kind != SYMBI_ARRAY) return false;
    return !list->u.a.n || any_matches(list, domain);
}

static bool unrestricted(const symbi_value *v) { return sy_ap_is_null(v) || (v->kind == SYMBI_ARRAY && !v->u.a.n); }

symbi_status symbi_agentpin_domains_intersect(symbi_ctx *cx, const symbi_value *a, const symbi_value *b, symbi_doc **out, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    symbi_value root;
    symbi_doc *d;
    *out = NULL;
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    if (unrestricted(a) || unrestricted(b)) {
        const symbi_value *other = unrestricted(a) ? b : a;
        if (unrestricted(other)) root = sy_val_array(NULL, 0);
        else if (!sy_ap_strings(other)) root = sy_val_bool(false);
        else root = sy_ap_copy(cx, d, other, &st, err);
    } else if (!sy_ap_strings(a) || !sy_ap_strings(b)) {
        root = sy_val_bool(false); /* nobody, or nothing that can be read */
    } else {
        sy_arr r = sy_arr_new(&d->arena);
        for (size_t i = 0; i < a->u.a.n; i++) {
            if (any_matches(b, a->u.a.items[i].u.s)) sy_arr_add(&r, sy_ap_dup(d, a->u.a.items[i].u.s));
        }
        for (size_t i = 0; i < b->u.a.n; i++) { /* narrower names of b under patterns of a */
            symbi_str s = b->u.a.items[i].u.s;
            bool same = false;
            for (size_t k = 0; k < a->u.a.n && !same; k++) same = symbi_agentpin_domain_matches(a->u.a.items[k].u.s, s) && symbi_agentpin_domain_matches(s, a->u.a.items[k].u.s);
            if (!same && any_matches(a, s)) sy_arr_add(&r, sy_ap_dup(d, s));
        }
        root = r.n ? sy_arr_value(&r) : sy_val_bool(false);
    }
    return sy_ap_doc_done(d, st, root, out, err);
}
