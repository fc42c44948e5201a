/* agentpin/names.c: names of codes, reasons and steps; what a domain name is; RFC 3339 times; the small helpers of int.h. */
#include "agentpin/int.h"
#include "base/time.h"
#include "codec/num.h"

#include <stdio.h>

const char *symbi_agentpin_code_name(symbi_agentpin_code c)
{
    static const char *const names[] = {
        "",
#define NAME(name) #name,
        SYMBI_AGENTPIN_CODE_LIST(NAME)
#undef NAME
    };
    return (unsigned)c < SYMBI_AGENTPIN_CODE_COUNT ? names[c] : "";
}

static const struct {
    const char *name, *text;
} reasons[] = {
#define REASON(name, text) { #name, text },
    SYMBI_AGENTPIN_REASON_LIST(REASON)
#undef REASON
};
const char *symbi_agentpin_reason_name(symbi_agentpin_reason r) { return (unsigned)r < SYMBI_AGENTPIN_REASON_COUNT ? reasons[r].name : "UNKNOWN"; }
const char *symbi_agentpin_reason_text(symbi_agentpin_reason r) { return (unsigned)r < SYMBI_AGENTPIN_REASON_COUNT ? reasons[r].text : ""; }

const char *symbi_agentpin_step_name(symbi_agentpin_step s)
{
    static const char *const names[] = {
#define STEP(name, text) text,
        SYMBI_AGENTPIN_STEP_LIST(STEP)
#undef STEP
    };
    return (unsigned)s < SYMBI_AGENTPIN_STEPS ? names[s] : "";
}

const char *symbi_agentpin_step_state_name(symbi_agentpin_step_state s)
{
    static const char *const names[] = { "not_reached", "passed", "skipped", "failed" };
    return (unsigned)s < 4 ? names[s] : "";
}

const char *symbi_agentpin_pinning_name(symbi_agentpin_pinning p)
{
    static const char *const names[] = { "", "first_use", "pinned", "changed", "rotated" };
    return (unsigned)p < 5 ? names[p] : "";
}

symbi_status sy_ap_fail(symbi_err *err, symbi_status st, symbi_agentpin_code *code, symbi_agentpin_code c, const char *fmt, ...)
{
    va_list ap;
    if (code) *code = c;
    va_start(ap, fmt);
    st = sy_vfail(err, st, 0, 0, fmt, ap);
    va_end(ap);
    return st;
}

/* ---- names of domains ---- */

static bool label_ok(const char *p, size_t n, bool last)
{
    bool letter = false;
    if (!n || n > 63 || p[0] == '-' || p[n - 1] == '-') return false;
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (c >= 'a' && c <= 'z') letter = true;
        else if (!(c >= '0' && c <= '9') && c != '-') return false;
    }
    /* A last label of digits makes an IPv4 address of it, and so does 0x...: the URL standard reads both as numbers. */
    if (last && (!letter || (n >= 2 && p[0] == '0' && p[1] == 'x'))) return false;
    return true;
}

bool symbi_agentpin_domain_ok(symbi_str d)
{
    size_t start = 0, labels = 0;
    if (!d.n || d.n > SYMBI_AGENTPIN_MAX_DOMAIN) return false;
    for (size_t i = 0; i <= d.n; i++) {
        if (i < d.n && d.p[i] != '.') continue;
        if (!label_ok(d.p + start, i - start, i == d.n)) return false;
        labels++;
        start = i + 1;
    }
    return labels >= 2;
}

symbi_agentpin_reason sy_ap_issuer_reason(symbi_str iss)
{
    char low[254];
    bool upper = false;
    for (size_t i = 0; i < iss.n; i++)
        if ((unsigned char)iss.p[i] >= 0x80) return SYMBI_AGENTPIN_R_ISSUER_IDN;
    if (iss.n > 1 && iss.p[iss.n - 1] == '.' && symbi_agentpin_domain_ok((symbi_str){ iss.p, iss.n - 1 })) return SYMBI_AGENTPIN_R_ISSUER_DOT;
    for (size_t i = 0; i < iss.n && i < sizeof low; i++) {
        bool is = iss.p[i] >= 'A' && iss.p[i] <= 'Z';
        low[i] = (char)(is ? iss.p[i] | 32 : iss.p[i]);
        upper |= is;
    }
    return upper && iss.n <= sizeof low && symbi_agentpin_domain_ok((symbi_str){ low, iss.n }) ? SYMBI_AGENTPIN_R_ISSUER_CASE : SYMBI_AGENTPIN_R_ISSUER_DOMAIN;
}

/* ---- times ---- */

int64_t sy_ap_seconds(int64_t t)
{
    const int64_t far = (int64_t)1 << 50;
    return t < -far ? -far : t > far ? far : t;
}

bool symbi_agentpin_parse_time(symbi_str s, int64_t *out) { return sy_time_parse(s, SY_TIME_ANY_CASE | SY_TIME_LEAP, out, NULL); }

void symbi_agentpin_format_time(int64_t now, char out[21])
{
    char ms[SY_RFC3339_MS];
    if (now > 253402300799) now = 253402300799;
    if (now < -62167219200) now = -62167219200;
    sy_time_rfc3339(now * 1000, ms);
    memcpy(out, ms, 19);
    out[19] = 'Z';
    out[20] = 0;
}

/* ---- reading ---- */

bool sy_ap_str(const symbi_value *v, const char *key, symbi_str *out)
{
    const symbi_value *m = symbi_value_getz(v, key);
    if (!m || m->kind != SYMBI_STRING) return false;
    *out = m->u.s;
    return true;
}

bool sy_ap_int(const symbi_value *v, const char *key, int64_t *out)
{
    const symbi_value *m = symbi_value_getz(v, key);
    if (!m || m->kind != SYMBI_INT) return false;
    *out = m->u.i;
    return true;
}

const symbi_value *sy_ap_array(const symbi_value *v, const char *key)
{
    const symbi_value *m = symbi_value_getz(v, key);
    return m && m->kind == SYMBI_ARRAY ? m : NULL;
}

bool sy_ap_is_null(const symbi_value *v) { return !v || v->kind == SYMBI_NULL; }

bool sy_ap_strings(const symbi_value *v)
{
    if (!v || v->kind != SYMBI_ARRAY) return false;
    for (size_t i = 0; i < v->u.a.n; i++) {
        if (v->u.a.items[i].kind != SYMBI_STRING) return false;
    }
    return true;
}

symbi_str sy_ap_show(const symbi_value *v, char buf[24])
{
    if (!v) return SY_LIT("(none)");
    if (v->kind == SYMBI_STRING) return v->u.s;
    if (v->kind == SYMBI_INT) return (symbi_str){ buf, sy_num_write_int64(v->u.i, buf) };
    (void)snprintf(buf, 24, "(%s)", symbi_kind_name((symbi_kind)v->kind));
    return symbi_str_z(buf);
}

/* ---- building ---- */

symbi_status sy_ap_doc_new(symbi_ctx *cx, symbi_doc **d, symbi_err *err)
{
    *d = sy_doc_new(cx);
    return *d ? SYMBI_OK : sy_fail_nomem(err);
}

symbi_status sy_ap_doc_done(symbi_doc *d, symbi_status st, symbi_value root, symbi_doc **out, symbi_err *err)
{
    if (!st && d->arena.status) st = sy_arena_fail(&d->arena, "the document", err);
    if (st) {
        symbi_doc_unref(d);
        return st;
    }
    d->root = root;
    *out = d;
    return SYMBI_OK;
}

symbi_value sy_ap_dup(symbi_doc *d, symbi_str s) { return sy_val_str(sy_arena_dup(&d->arena, s)); }

symbi_value sy_ap_copy(symbi_ctx *cx, symbi_doc *d, const symbi_value *v, symbi_status *st, symbi_err *err)
{
    symbi_value out = sy_val_null();
    if (!*st) *st = sy_value_copy(&d->arena, v, &out, cx->limits.doc_depth, err);
    return out;
}

symbi_value sy_ap_time(symbi_doc *d, int64_t now)
{
    char t[SYMBI_AGENTPIN_TIME_CHARS];
    symbi_agentpin_format_time(now, t);
    return sy_ap_dup(d, symbi_str_z(t));
}

sy_obj sy_ap_open(symbi_doc *d, const symbi_value *v)
{
    sy_obj o = sy_obj_new(&d->arena);
    for (size_t i = 0; v && v->kind == SYMBI_OBJECT && i < v->u.o.n; i++) sy_obj_puts(&o, v->u.o.members[i].key, v->u.o.members[i].val);
    return o;
}

void sy_ap_set(sy_obj *o, const char *key, symbi_value v)
{
    for (size_t i = 0; i < o->n; i++) {
        if (sy_str_eqz(o->m[i].key, key)) {
            o->m[i].val = v;
            return;
        }
    }
    sy_obj_put(o, key, v);
}
