/* cedar/value.c: order, equality and text of Cedar values. Recursion follows the nesting of a value, which the parsers
 * (expr_depth) and the converters (doc_depth) bound. */
#include "cedar/value.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

bool sy_cuid_eq(const sy_cuid *a, const sy_cuid *b)
{
    return a == b || (sy_str_eq(a->id, b->id) && sy_str_eq(a->type, b->type));
}

static int cmp_i64(int64_t a, int64_t b) { return (a > b) - (a < b); }

int sy_cval_cmp(const sy_cval *a, const sy_cval *b, uint64_t *work)
{
    int c;
    ++*work;
    if (a->tag != b->tag) return a->tag < b->tag ? -1 : 1;
    switch ((sy_ctag)a->tag) {
    case SY_CV_BOOL: return (int)a->u.b - (int)b->u.b;
    case SY_CV_LONG:
    case SY_CV_DECIMAL:
    case SY_CV_DATETIME:
    case SY_CV_DURATION: return cmp_i64(a->u.i, b->u.i);
    case SY_CV_STRING:
        *work += (a->n < b->n ? a->n : b->n) >> 6;
        return sy_str_cmp(sy_cv_text(*a), sy_cv_text(*b));
    case SY_CV_ENTITY:
        if (a->u.uid == b->u.uid) return 0;
        c = sy_str_cmp(a->u.uid->id, b->u.uid->id);
        return c ? c : sy_str_cmp(a->u.uid->type, b->u.uid->type);
    case SY_CV_SET:
        if (a->n != b->n) return a->n < b->n ? -1 : 1;
        if (a->u.items == b->u.items) return 0;
        for (uint32_t i = 0; i < a->n; i++)
            if ((c = sy_cval_cmp(&a->u.items[i], &b->u.items[i], work))) return c;
        return 0;
    case SY_CV_RECORD:
        if (a->n != b->n) return a->n < b->n ? -1 : 1;
        if (a->u.attrs == b->u.attrs) return 0;
        for (uint32_t i = 0; i < a->n; i++) {
            const sy_cattr *x = &a->u.attrs[i], *y = &b->u.attrs[i];
            if ((c = sy_str_cmp(x->key, y->key)) || (c = sy_cval_cmp(&x->val, &y->val, work))) return c;
        }
        return 0;
    case SY_CV_IP: return memcmp(a->u.ip, b->u.ip, sizeof *a->u.ip);
    }
    return 0;
}

/* Heap sort: no memory, no bad case, no recursion. Small inputs go through insertion sort. */
static void sift(sy_cval *v, uint32_t i, uint32_t n, uint64_t *work)
{
    sy_cval x = v[i];
    for (;;) {
        uint32_t k = 2 * i + 1;
        if (k >= n) break;
        if (k + 1 < n && sy_cval_cmp(&v[k], &v[k + 1], work) < 0) k++;
        if (sy_cval_cmp(&x, &v[k], work) >= 0) break;
        v[i] = v[k];
        i = k;
    }
    v[i] = x;
}

uint32_t sy_cset_normalise(sy_cval *v, uint32_t n, uint64_t *work)
{
    uint32_t i, j;
    bool sorted = true;
    if (n < 2) return n;
    for (i = 1; i < n && sorted; i++) sorted = sy_cval_cmp(&v[i - 1], &v[i], work) <= 0;
    if (!sorted && n <= 12) {
        for (i = 1; i < n; i++) {
            sy_cval x = v[i];
            for (j = i; j && sy_cval_cmp(&v[j - 1], &x, work) > 0; j--) v[j] = v[j - 1];
            v[j] = x;
        }
    } else if (!sorted) {
        for (i = n / 2; i-- > 0;) sift(v, i, n, work);
        for (i = n - 1; i > 0; i--) {
            sy_cval x = v[0];
            v[0] = v[i];
            v[i] = x;
            sift(v, 0, i, work);
        }
    }
    for (i = j = 1; i < n; i++)
        if (sy_cval_cmp(&v[j - 1], &v[i], work)) v[j++] = v[i];
    return j;
}

bool sy_cset_has(const sy_cval *set, const sy_cval *x, uint64_t *work)
{
    uint32_t lo = 0, hi = set->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = sy_cval_cmp(&set->u.items[mid], x, work);
        if (!c) return true;
        if (c < 0) lo = mid + 1;
        else hi = mid;
    }
    return false;
}

static void sift_attr(sy_cattr *v, uint32_t i, uint32_t n)
{
    sy_cattr x = v[i];
    for (;;) {
        uint32_t k = 2 * i + 1;
        if (k >= n) break;
        if (k + 1 < n && sy_str_cmp(v[k].key, v[k + 1].key) < 0) k++;
        if (sy_str_cmp(x.key, v[k].key) >= 0) break;
        v[i] = v[k];
        i = k;
    }
    v[i] = x;
}

bool sy_crec_normalise(sy_cattr *v, uint32_t n, uint32_t *dup)
{
    if (n > 12) {
        for (uint32_t i = n / 2; i-- > 0;) sift_attr(v, i, n);
        for (uint32_t i = n - 1; i > 0; i--) {
            sy_cattr x = v[0];
            v[0] = v[i];
            v[i] = x;
            sift_attr(v, 0, i);
        }
    } else {
        for (uint32_t i = 1; i < n; i++) {
            sy_cattr x = v[i];
            uint32_t j = i;
            for (; j && sy_str_cmp(v[j - 1].key, x.key) > 0; j--) v[j] = v[j - 1];
            v[j] = x;
        }
    }
    for (uint32_t i = 1; i < n; i++)
        if (sy_str_eq(v[i - 1].key, v[i].key)) {
            if (dup) *dup = i;
            return false;
        }
    return true;
}

const sy_cval *sy_crec_get(const sy_cattr *a, uint32_t n, symbi_str key)
{
    uint32_t lo = 0;
    if (n <= 8) { /* lengths differ for most keys: cheaper than ordering them */
        for (; lo < n; lo++)
            if (a[lo].key.n == key.n && (key.n == 0 || memcmp(a[lo].key.p, key.p, key.n) == 0)) return &a[lo].val;
        return NULL;
    }
    while (lo < n) {
        uint32_t mid = lo + (n - lo) / 2;
        int c = sy_str_cmp(a[mid].key, key);
        if (!c) return &a[mid].val;
        if (c < 0) lo = mid + 1;
        else n = mid;
    }
    return NULL;
}

symbi_str sy_ctype_name(const sy_cval *v, char *buf, size_t cap)
{
    static const char *const names[] = { "bool", "long", "string", "", "set", "record", "decimal", "ipaddr", "datetime", "duration" };
    if (v->tag == SY_CV_ENTITY) {
        symbi_str t = v->u.uid->type;
        int n = snprintf(buf, cap, "(entity of type `%.*s`)", (int)(t.n > 100 ? 100 : t.n), t.p);
        symbi_str r = { buf, n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1 };
        return r;
    }
    return symbi_str_z(names[v->tag]);
}

void sy_cstr_escape(struct sy_buf *b, symbi_str s)
{
    size_t i = 0;
    while (i < s.n) {
        uint32_t cp;
        size_t k = sy_utf8_next(s.p + i, s.n - i, &cp);
        if (!k) k = 1, cp = 0xFFFD;
        switch (cp) {
        case '\n': sy_buf_addz(b, "\\n"); break;
        case '\r': sy_buf_addz(b, "\\r"); break;
        case '\t': sy_buf_addz(b, "\\t"); break;
        case '\\': sy_buf_addz(b, "\\\\"); break;
        case '"': sy_buf_addz(b, "\\\""); break;
        case '\'': sy_buf_addz(b, "\\'"); break;
        case 0: sy_buf_addz(b, "\\0"); break;
        default:
            /* controls, separators and the invisible ones that reorder text are shown as escapes */
            if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
                (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || (cp >= 0xe000 && cp <= 0xf8ff) || cp >= 0xe0000)
                sy_buf_addf(b, "\\u{%x}", cp);
            else
                sy_buf_add(b, s.p + i, k);
        }
        i += k;
    }
}

void sy_cstr_print(struct sy_buf *b, symbi_str s)
{
    sy_buf_addc(b, '"');
    sy_cstr_escape(b, s);
    sy_buf_addc(b, '"');
}

void sy_cuid_print(struct sy_buf *b, const sy_cuid *u)
{
    sy_buf_adds(b, u->type);
    sy_buf_addz(b, "::");
    sy_cstr_print(b, u->id);
}

static void print_ip(struct sy_buf *b, const sy_cip *ip)
{
    if (!ip->v6) {
        sy_buf_addf(b, "%u.%u.%u.%u", ip->addr[0], ip->addr[1], ip->addr[2], ip->addr[3]);
    } else {
        unsigned g[8], best = 8, bestn = 1;
        for (unsigned i = 0; i < 8; i++) g[i] = (unsigned)ip->addr[2 * i] << 8 | ip->addr[2 * i + 1];
        for (unsigned i = 0; i < 8; i++) { /* the longest run of zeros, at least two */
            unsigned n = 0;
            while (i + n < 8 && !g[i + n]) n++;
            if (n > bestn) best = i, bestn = n;
        }
        for (unsigned i = 0; i < 8; i++) {
            if (i == best) {
                sy_buf_addz(b, "::");
                i += bestn - 1;
                continue;
            }
            if (i && i != best + bestn) sy_buf_addc(b, ':');
            sy_buf_addf(b, "%x", g[i]);
        }
    }
    sy_buf_addf(b, "/%u", ip->prefix);
}

void sy_cval_print(struct sy_buf *b, const sy_cval *v)
{
    switch ((sy_ctag)v->tag) {
    case SY_CV_BOOL: sy_buf_addz(b, v->u.b ? "true" : "false"); return;
    case SY_CV_LONG: sy_buf_addi(b, v->u.i); return;
    case SY_CV_STRING: sy_cstr_print(b, sy_cv_text(*v)); return;
    case SY_CV_ENTITY: sy_cuid_print(b, v->u.uid); return;
    case SY_CV_SET:
        sy_buf_addc(b, '[');
        for (uint32_t i = 0; i < v->n; i++) {
            if (i) sy_buf_addz(b, ", ");
            sy_cval_print(b, &v->u.items[i]);
        }
        sy_buf_addc(b, ']');
        return;
    case SY_CV_RECORD:
        sy_buf_addc(b, '{');
        for (uint32_t i = 0; i < v->n; i++) {
            const sy_cattr *a = &v->u.attrs[i];
            if (i) sy_buf_addz(b, ", ");
            if (sy_cident_valid(a->key)) sy_buf_adds(b, a->key);
            else sy_cstr_print(b, a->key);
            sy_buf_addz(b, ": ");
            sy_cval_print(b, &a->val);
        }
        sy_buf_addc(b, '}');
        return;
    case SY_CV_DECIMAL: {
        uint64_t u = v->u.i < 0 ? 0 - (uint64_t)v->u.i : (uint64_t)v->u.i;
        unsigned frac = (unsigned)(u % 10000), digits = 4;
        while (digits > 1 && frac % 10 == 0) frac /= 10, digits--;
        sy_buf_addf(b, "decimal(\"%s%llu.%0*u\")", v->u.i < 0 ? "-" : "", (unsigned long long)(u / 10000), (int)digits, frac);
        return;
    }
    case SY_CV_IP:
        sy_buf_addz(b, "ip(\"");
        print_ip(b, v->u.ip);
        sy_buf_addz(b, "\")");
        return;
    case SY_CV_DATETIME: {
        char t[SY_RFC3339_MS];
        if (v->u.i >= -INT64_C(62167219200000) && v->u.i <= INT64_C(253402300799999)) {
            sy_time_rfc3339(v->u.i, t);
            sy_buf_addf(b, "datetime(\"%s\")", t);
        } else {
            sy_buf_addf(b, "datetime(\"1970-01-01\").offset(duration(\"%lldms\"))", (long long)v->u.i);
        }
        return;
    }
    case SY_CV_DURATION: sy_buf_addf(b, "duration(\"%lldms\")", (long long)v->u.i); return;
    }
}

bool sy_cident_reserved(symbi_str id)
{
    static const char *const words[] = { "true", "false", "if", "then", "else", "in", "is", "like", "has" };
    if (id.n < 2 || id.n > 5) return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (sy_str_eqz(id, words[i])) return true;
    return false;
}

bool sy_cident_shape(symbi_str id)
{
    if (!id.n || (id.p[0] >= '0' && id.p[0] <= '9')) return false;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
}

bool sy_cident_valid(symbi_str id)
{
    return sy_cident_shape(id) && !sy_cident_reserved(id) && !sy_str_eqz(id, "__cedar");
}

bool sy_cname_valid(symbi_str s)
{
    size_t i = 0;
    for (;;) {
        size_t j = i;
        symbi_str part;
        while (j < s.n && s.p[j] != ':') j++;
        part.p = s.p + i;
        part.n = j - i;
        if (!sy_cident_valid(part)) return false;
        if (j == s.n) return true;
        if (j + 2 > s.n || s.p[j + 1] != ':') return false;
        i = j + 2;
    }
}

symbi_str sy_cname_base(symbi_str s)
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == ':') {
            symbi_str r = { s.p + i, s.n - i };
            return r;
        }
    return s;
}
