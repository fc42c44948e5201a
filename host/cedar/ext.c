/* cedar/ext.c: the table of extension functions and their evaluation. */
#include "cedar/ext.h"
#include "base/str.h"

#include <stdarg.h>
#include <string.h>

bool sy_cerr_set(sy_cerr *e, symbi_cedar_error_kind kind, const char *fmt, ...)
{
    va_list ap;
    size_t n = 0;
    const size_t cap = sizeof e->msg - 1;
    e->kind = kind;
    va_start(ap, fmt);
    for (; *fmt && n < cap; fmt++) {
        if (*fmt != '%') {
            e->msg[n++] = *fmt;
        } else {
            symbi_str s = va_arg(ap, symbi_str);
            size_t k = s.n < cap - n ? s.n : cap - n;
            if (k > 120) k = 120;
            while (k && k < s.n && ((unsigned char)s.p[k] & 0xC0) == 0x80) k--; /* never split a character */
            for (size_t i = 0; i < k; i++) { /* one line, whatever an id contains */
                unsigned char c = (unsigned char)s.p[i];
                e->msg[n++] = c < 0x20 || c == 0x7f ? '?' : s.p[i];
            }
        }
    }
    va_end(ap);
    e->msg[n] = 0;
    e->n = (uint32_t)n;
    return false;
}

bool sy_cerr_type(sy_cerr *e, const char *expected, const sy_cval *got)
{
    char buf[160];
    symbi_str t = sy_ctype_name(got, buf, sizeof buf);
    return sy_cerr_set(e, SYMBI_CEDAR_E_TYPE, "type error: expected %, got %", symbi_str_z(expected), t);
}

static const struct fn {
    const char *name;
    uint8_t nargs, args[2], result;
} fns[SY_CFN_COUNT] = {
    [SY_CFN_IP] = { "ip", 1, { SY_CV_STRING }, SY_CV_IP },
    [SY_CFN_DECIMAL] = { "decimal", 1, { SY_CV_STRING }, SY_CV_DECIMAL },
    [SY_CFN_DATETIME] = { "datetime", 1, { SY_CV_STRING }, SY_CV_DATETIME },
    [SY_CFN_DURATION] = { "duration", 1, { SY_CV_STRING }, SY_CV_DURATION },
    [SY_CFN_ISIPV4] = { "isIpv4", 1, { SY_CV_IP }, SY_CV_BOOL },
    [SY_CFN_ISIPV6] = { "isIpv6", 1, { SY_CV_IP }, SY_CV_BOOL },
    [SY_CFN_ISLOOPBACK] = { "isLoopback", 1, { SY_CV_IP }, SY_CV_BOOL },
    [SY_CFN_ISMULTICAST] = { "isMulticast", 1, { SY_CV_IP }, SY_CV_BOOL },
    [SY_CFN_ISINRANGE] = { "isInRange", 2, { SY_CV_IP, SY_CV_IP }, SY_CV_BOOL },
    [SY_CFN_LESSTHAN] = { "lessThan", 2, { SY_CV_DECIMAL, SY_CV_DECIMAL }, SY_CV_BOOL },
    [SY_CFN_LESSTHANOREQUAL] = { "lessThanOrEqual", 2, { SY_CV_DECIMAL, SY_CV_DECIMAL }, SY_CV_BOOL },
    [SY_CFN_GREATERTHAN] = { "greaterThan", 2, { SY_CV_DECIMAL, SY_CV_DECIMAL }, SY_CV_BOOL },
    [SY_CFN_GREATERTHANOREQUAL] = { "greaterThanOrEqual", 2, { SY_CV_DECIMAL, SY_CV_DECIMAL }, SY_CV_BOOL },
    [SY_CFN_OFFSET] = { "offset", 2, { SY_CV_DATETIME, SY_CV_DURATION }, SY_CV_DATETIME },
    [SY_CFN_DURATIONSINCE] = { "durationSince", 2, { SY_CV_DATETIME, SY_CV_DATETIME }, SY_CV_DURATION },
    [SY_CFN_TODATE] = { "toDate", 1, { SY_CV_DATETIME }, SY_CV_DATETIME },
    [SY_CFN_TOTIME] = { "toTime", 1, { SY_CV_DATETIME }, SY_CV_DURATION },
    [SY_CFN_TOMILLISECONDS] = { "toMilliseconds", 1, { SY_CV_DURATION }, SY_CV_LONG },
    [SY_CFN_TOSECONDS] = { "toSeconds", 1, { SY_CV_DURATION }, SY_CV_LONG },
    [SY_CFN_TOMINUTES] = { "toMinutes", 1, { SY_CV_DURATION }, SY_CV_LONG },
    [SY_CFN_TOHOURS] = { "toHours", 1, { SY_CV_DURATION }, SY_CV_LONG },
    [SY_CFN_TODAYS] = { "toDays", 1, { SY_CV_DURATION }, SY_CV_LONG },
};

sy_cfn sy_cfn_find(symbi_str name)
{
    for (unsigned i = 0; i < SY_CFN_COUNT; i++)
        if (sy_str_eqz(name, fns[i].name)) return (sy_cfn)i;
    return SY_CFN_NONE;
}
const char *sy_cfn_name(sy_cfn f) { return fns[f].name; }
unsigned sy_cfn_nargs(sy_cfn f) { return fns[f].nargs; }
sy_ctag sy_cfn_arg(sy_cfn f, unsigned i) { return (sy_ctag)fns[f].args[i]; }
sy_ctag sy_cfn_result(sy_cfn f) { return (sy_ctag)fns[f].result; }

static const char *tag_name(sy_ctag t)
{
    static const char *const names[] = { "bool", "long", "string", "entity", "set", "record", "decimal", "ipaddr", "datetime", "duration" };
    return names[t];
}

static symbi_str num(char *buf, size_t cap, uint32_t n) /* decimal digits, at the end of buf */
{
    symbi_str s;
    char *p = buf + cap;
    do *--p = (char)('0' + n % 10);
    while (n /= 10);
    s.p = p;
    s.n = (size_t)(buf + cap - p);
    return s;
}

static bool in_range(const sy_cip *a, const sy_cip *b)
{
    unsigned bits = a->v6 ? 128 : 32;
    /* network(a) >= network(b) and broadcast(a) <= broadcast(b), each by its own prefix */
    int lo = 0, hi = 0;
    for (unsigned i = 0; i < bits / 8; i++) {
        unsigned ka = a->prefix > 8 * i ? a->prefix - 8 * i : 0, kb = b->prefix > 8 * i ? b->prefix - 8 * i : 0;
        unsigned ma = ka >= 8 ? 0xFFu : 0xFFu & (0xFF00u >> ka), mb = kb >= 8 ? 0xFFu : 0xFFu & (0xFF00u >> kb);
        unsigned na = a->addr[i] & ma, nb = b->addr[i] & mb;
        unsigned ba = na | (~ma & 0xFFu), bb = nb | (~mb & 0xFFu);
        if (!lo) lo = (na > nb) - (na < nb);
        if (!hi) hi = (ba > bb) - (ba < bb);
    }
    return lo >= 0 && hi <= 0;
}

bool sy_cfn_call(sy_cfn f, const sy_cval *a, uint32_t n, sy_scratch *mem, sy_cval *out, sy_cerr *e)
{
    const struct fn *d = &fns[f];
    const char *why = "";
    int64_t r;
    if (n != d->nargs) {
        char x[12], y[12];
        return sy_cerr_set(e, SYMBI_CEDAR_E_NARGS, "wrong number of arguments provided to extension function `%`: expected %, got %",
                           symbi_str_z(d->name), num(x, sizeof x, d->nargs), num(y, sizeof y, n));
    }
    for (uint32_t i = 0; i < n; i++)
        if (a[i].tag != d->args[i]) return sy_cerr_type(e, tag_name((sy_ctag)d->args[i]), &a[i]);
    switch (f) {
    case SY_CFN_IP: {
        sy_cip ip, *p;
        if (!sy_cext_ip(sy_cv_text(a[0]), &ip, &why)) goto bad;
        if (!(p = sy_scratch_alloc(mem, sizeof *p))) return sy_cerr_set(e, SY_CEDAR_E_NOMEM, "out of memory");
        *p = ip;
        out->tag = SY_CV_IP;
        out->n = 0;
        out->u.ip = p;
        return true;
    }
    case SY_CFN_DECIMAL:
        if (!sy_cext_decimal(sy_cv_text(a[0]), &r, &why)) goto bad;
        break;
    case SY_CFN_DATETIME:
        if (!sy_cext_datetime(sy_cv_text(a[0]), &r, &why)) goto bad;
        break;
    case SY_CFN_DURATION:
        if (!sy_cext_duration(sy_cv_text(a[0]), &r, &why)) goto bad;
        break;
    case SY_CFN_ISIPV4: *out = sy_cv_bool(!a[0].u.ip->v6); return true;
    case SY_CFN_ISIPV6: *out = sy_cv_bool(a[0].u.ip->v6); return true;
    case SY_CFN_ISLOOPBACK: {
        static const uint8_t one[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
        const sy_cip *p = a[0].u.ip;
        *out = sy_cv_bool(p->v6 ? p->prefix == 128 && !memcmp(p->addr, one, 16) : p->addr[0] == 127 && p->prefix >= 8);
        return true;
    }
    case SY_CFN_ISMULTICAST: {
        const sy_cip *p = a[0].u.ip;
        *out = sy_cv_bool(p->v6 ? p->addr[0] == 0xFF && p->prefix >= 8 : (p->addr[0] & 0xF0) == 0xE0 && p->prefix >= 4);
        return true;
    }
    case SY_CFN_ISINRANGE: *out = sy_cv_bool(a[0].u.ip->v6 == a[1].u.ip->v6 && in_range(a[0].u.ip, a[1].u.ip)); return true;
    case SY_CFN_LESSTHAN: *out = sy_cv_bool(a[0].u.i < a[1].u.i); return true;
    case SY_CFN_LESSTHANOREQUAL: *out = sy_cv_bool(a[0].u.i <= a[1].u.i); return true;
    case SY_CFN_GREATERTHAN: *out = sy_cv_bool(a[0].u.i > a[1].u.i); return true;
    case SY_CFN_GREATERTHANOREQUAL: *out = sy_cv_bool(a[0].u.i >= a[1].u.i); return true;
    case SY_CFN_OFFSET:
        if (__builtin_add_overflow(a[0].u.i, a[1].u.i, &r)) {
            why = "overflows when adding an offset";
            goto over;
        }
        break;
    case SY_CFN_DURATIONSINCE:
        if (__builtin_sub_overflow(a[0].u.i, a[1].u.i, &r)) {
            why = "overflows when computing a duration";
            goto over;
        }
        break;
    case SY_CFN_TODATE:
    case SY_CFN_TOTIME: {
        int64_t day = 86400000, rest = a[0].u.i % day;
        if (rest < 0) rest += day;
        r = rest;
        if (f == SY_CFN_TODATE && __builtin_sub_overflow(a[0].u.i, rest, &r)) {
            why = "overflows when computing its date";
            goto over;
        }
        break;
    }
    case SY_CFN_TOMILLISECONDS: r = a[0].u.i; break;
    case SY_CFN_TOSECONDS: r = a[0].u.i / 1000; break;
    case SY_CFN_TOMINUTES: r = a[0].u.i / 1000 / 60; break;
    case SY_CFN_TOHOURS: r = a[0].u.i / 1000 / 60 / 60; break;
    case SY_CFN_TODAYS: r = a[0].u.i / 1000 / 60 / 60 / 24; break;
    case SY_CFN_COUNT:
    default: return sy_cerr_set(e, SYMBI_CEDAR_E_EXTENSION, "unknown extension function");
    }
    out->tag = d->result;
    out->n = 0;
    out->u.i = r;
    return true;
bad:
    return sy_cerr_set(e, SYMBI_CEDAR_E_EXTENSION, "error while evaluating `%` extension function: `%` %", symbi_str_z(tag_name((sy_ctag)d->result)),
                       sy_cv_text(a[0]), symbi_str_z(why));
over:
    return sy_cerr_set(e, SYMBI_CEDAR_E_EXTENSION, "error while evaluating `datetime` extension function: the value %", symbi_str_z(why));
}
