/* cedar/convert.c: see convert.h. */
#include "cedar/convert.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

symbi_status sy_cconv_fail(sy_cconv *c, symbi_status code, const sy_cpath *at, const char *fmt, ...)
{
    char path[240];
    size_t n = sizeof path - 1; /* filled from the end: the chain goes upward */
    va_list ap;
    path[n] = 0;
    for (; at; at = at->up) {
        char num[24];
        symbi_str s = at->key;
        if (!s.p) {
            snprintf(num, sizeof num, "%zu", at->index);
            s = symbi_str_z(num);
        }
        for (size_t i = s.n; i-- > 0 && n > 2;) {
            if (s.p[i] == '/') path[--n] = '1', path[--n] = '~';
            else if (s.p[i] == '~') path[--n] = '0', path[--n] = '~';
            else path[--n] = s.p[i];
        }
        if (n) path[--n] = '/';
    }
    va_start(ap, fmt);
    sy_vfail(c->err, code, 0, 0, fmt, ap);
    va_end(ap);
    sy_err_path(c->err, symbi_str_z(path + n));
    return code;
}

symbi_status sy_cconv_nomem(sy_cconv *c)
{
    if (c->mem->limited) return sy_fail(c->err, SYMBI_ELIMIT, "the data needs more than %zu bytes of memory", c->mem->limit);
    return sy_fail_nomem(c->err);
}

symbi_status sy_cconv_str(sy_cconv *c, symbi_str s, const sy_cpath *at, symbi_str *out)
{
    if (s.n > UINT32_MAX - 16) return sy_cconv_fail(c, SYMBI_ELIMIT, at, "this string is too long");
    if (!sy_utf8_valid(s, NULL)) return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "this string is not valid UTF-8");
    *out = s;
    if (!s.p) out->p = "";
    if (c->copy) {
        *out = sy_scratch_dup(c->mem, s);
        if (!out->p) return sy_cconv_nomem(c);
    }
    return SYMBI_OK;
}

int sy_ctype_and_id(const symbi_value *v, sy_cuid *out)
{
    const symbi_value *t = symbi_value_getz(v, "type"), *i = symbi_value_getz(v, "id");
    if (!t || !i || t->kind != SYMBI_STRING || i->kind != SYMBI_STRING) return 0;
    out->type = t->u.s;
    out->id = i->u.s;
    return sy_cname_valid(t->u.s) ? 1 : -1;
}

static symbi_status own_uid(sy_cconv *c, const sy_cpath *at, sy_cuid *u)
{
    symbi_status st = sy_cconv_str(c, u->type, at, &u->type);
    return st ? st : sy_cconv_str(c, u->id, at, &u->id);
}

static symbi_status bad_type(sy_cconv *c, const sy_cpath *at, symbi_str type)
{
    return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "`%.*s` is not an entity type: names joined by `::`, without spaces or reserved words", SY_FMT(type));
}

symbi_status sy_cconvert_uid(sy_cconv *c, const symbi_value *v, const sy_cpath *at, sy_cuid *out)
{
    const symbi_value *e = symbi_value_getz(v, "__entity"), *x = symbi_value_getz(v, "__expr");
    int r;
    if (v->kind == SYMBI_STRING)
        return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "expected an entity reference {\"type\":...,\"id\":...}, found a string");
    if (x && x->kind == SYMBI_STRING) return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "the `__expr` escape is no longer supported");
    r = e ? sy_ctype_and_id(e, out) : 0;
    if (!r) r = sy_ctype_and_id(v, out);
    if (!r)
        return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "expected an entity reference {\"type\":...,\"id\":...} with two strings, found %s", v->kind == SYMBI_OBJECT ? "another object" : symbi_kind_name((symbi_kind)v->kind));
    if (r < 0) return bad_type(c, at, out->type);
    return own_uid(c, at, out);
}

/* A double as untrusted data sees it: decimal where four digits hold it exactly, else its shortest text. */
static symbi_status plain_double(sy_cconv *c, double d, const sy_cpath *at, sy_cval *out)
{
    char buf[40];
    double s = rint(d * 10000.0);
    symbi_str t;
    if (!isfinite(d)) return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "the number is not finite");
    if (fabs(s) < 9007199254740992.0 && s / 10000.0 == d) {
        *out = sy_cv_int(SY_CV_DECIMAL, (int64_t)s);
        return SYMBI_OK;
    }
    for (int prec = 15; prec <= 17; prec++) {
        double back;
        int n = snprintf(buf, sizeof buf, "%.*g", prec, d);
        char *end;
        back = strtod(buf, &end); /* the same locale wrote and reads it */
        for (int i = 0; i < n; i++) /* then the locale's decimal point becomes a dot */
            if (!(buf[i] >= '0' && buf[i] <= '9') && buf[i] != '-' && buf[i] != '+' && buf[i] != 'e') buf[i] = '.';
        if (back == d) break;
    }
    t = sy_scratch_dup(c->mem, symbi_str_z(buf));
    if (!t.p) return sy_cconv_nomem(c);
    *out = sy_cv_str(t);
    return SYMBI_OK;
}

static symbi_status extension(sy_cconv *c, const symbi_value *fn, const symbi_value *arg, const symbi_value *args, const sy_cpath *at, sy_cval *out)
{
    sy_cval v[2] = { { 0 }, { 0 } };
    const symbi_value *items = args ? args->u.a.items : arg;
    size_t n = args ? args->u.a.n : 1;
    sy_cfn f = sy_cfn_find(fn->u.s);
    sy_cerr e;
    bool absent;
    symbi_status st;
    for (size_t i = 0; i < n; i++) { /* every argument must be a value, the first two are kept */
        sy_cpath here = { at, { NULL, 0 }, i };
        sy_cval x;
        if ((st = sy_cconvert(c, &items[i], SYMBI_CEDAR_STRICT, &here, &x, &absent))) return st;
        if (i < 2) v[i] = x;
    }
    if (f == SY_CFN_NONE) return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "extension function `%.*s` does not exist", SY_FMT(fn->u.s));
    if (sy_cfn_call(f, v, n > UINT32_MAX ? UINT32_MAX : (uint32_t)n, c->mem, out, &e)) return SYMBI_OK;
    if (e.kind == SY_CEDAR_E_NOMEM) return sy_cconv_nomem(c);
    return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "%s", e.msg);
}

/* The escapes of the strict rule. *used: it was one. */
static symbi_status escape(sy_cconv *c, const symbi_value *v, const sy_cpath *at, sy_cval *out, bool *used)
{
    const symbi_value *x = symbi_value_getz(v, "__expr"), *e, *fn, *arg, *args;
    *used = false;
    if (v->u.o.n != 1) return SYMBI_OK; /* with a neighbour it is an ordinary record */
    if (x && x->kind == SYMBI_STRING) return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "the `__expr` escape is no longer supported");
    if ((e = symbi_value_getz(v, "__entity"))) {
        sy_cuid u, *own;
        int r = sy_ctype_and_id(e, &u);
        symbi_status st;
        if (r < 0) return bad_type(c, at, u.type);
        if (r > 0) {
            *used = true;
            if ((st = own_uid(c, at, &u))) return st;
            if (!(own = sy_scratch_alloc(c->mem, sizeof *own))) return sy_cconv_nomem(c);
            *own = u;
            *out = sy_cv_uid(own);
            return SYMBI_OK;
        }
    }
    if ((e = symbi_value_getz(v, "__extn"))) {
        fn = symbi_value_getz(e, "fn");
        arg = symbi_value_getz(e, "arg");
        args = symbi_value_getz(e, "args");
        if (args && args->kind != SYMBI_ARRAY) args = NULL;
        if (arg) args = NULL;
        if (fn && fn->kind == SYMBI_STRING && (arg || args)) {
            *used = true;
            return extension(c, fn, arg, args, at, out);
        }
    }
    return SYMBI_OK;
}

symbi_status sy_cconvert_record(sy_cconv *c, const symbi_value *v, symbi_cedar_rule rule, const symbi_cedar_member_rule *rules, size_t nrules, const sy_cpath *at,
                                const sy_cattr **out, uint32_t *n)
{
    sy_cattr *a;
    uint32_t k = 0, dup = 0;
    symbi_status st;
    if (v->u.o.n > UINT32_MAX / 2) return sy_cconv_fail(c, SYMBI_ELIMIT, at, "too many members");
    a = sy_scratch_array(c->mem, v->u.o.n + 1, sizeof *a);
    if (!a) return sy_cconv_nomem(c);
    for (size_t i = 0; i < v->u.o.n; i++) {
        const symbi_member *m = &v->u.o.members[i];
        sy_cpath here = { at, m->key, 0 };
        symbi_cedar_rule r = rule;
        bool absent;
        if (!here.key.p) here.key.p = "";
        for (size_t j = 0; j < nrules; j++)
            if (sy_str_eq(rules[j].key, m->key)) r = rules[j].rule;
        if ((st = sy_cconvert(c, &m->val, r, &here, &a[k].val, &absent))) return st;
        if (absent) continue;
        if ((st = sy_cconv_str(c, m->key, &here, &a[k].key))) return st;
        k++;
    }
    if (!sy_crec_normalise(a, k, &dup)) {
        sy_cpath here = { at, a[dup].key, 0 };
        return sy_cconv_fail(c, SYMBI_ESCHEMA, &here, "duplicate key `%.*s`", SY_FMT(a[dup].key));
    }
    *out = a;
    *n = k;
    return SYMBI_OK;
}

symbi_status sy_cconvert(sy_cconv *c, const symbi_value *v, symbi_cedar_rule rule, const sy_cpath *at, sy_cval *out, bool *absent)
{
    symbi_status st = SYMBI_OK;
    symbi_str s;
    *absent = false;
    switch ((symbi_kind)v->kind) {
    case SYMBI_NULL:
        if (rule == SYMBI_CEDAR_PLAIN) {
            *absent = true;
            return SYMBI_OK;
        }
        return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "found a `null`; JSON `null`s are not allowed in Cedar (leave the attribute out)");
    case SYMBI_BOOL: *out = sy_cv_bool(v->u.b); return SYMBI_OK;
    case SYMBI_INT: *out = sy_cv_int(SY_CV_LONG, v->u.i); return SYMBI_OK;
    case SYMBI_DOUBLE:
        if (rule == SYMBI_CEDAR_PLAIN) return plain_double(c, v->u.d, at, out);
        return sy_cconv_fail(c, SYMBI_ESCHEMA, at, "Cedar numbers are 64-bit integers; write others as {\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.5\"}}");
    case SYMBI_STRING:
    case SYMBI_TIME:
        if ((st = sy_cconv_str(c, v->u.s, at, &s))) return st;
        *out = sy_cv_str(s);
        return SYMBI_OK;
    case SYMBI_ARRAY: {
        sy_cval *items;
        uint32_t k = 0;
        if (!c->depth) break;
        if (v->u.a.n > UINT32_MAX / 2) return sy_cconv_fail(c, SYMBI_ELIMIT, at, "too many elements");
        if (!(items = sy_scratch_array(c->mem, v->u.a.n + 1, sizeof *items))) return sy_cconv_nomem(c);
        c->depth--;
        for (size_t i = 0; i < v->u.a.n; i++) {
            sy_cpath here = { at, { NULL, 0 }, i };
            bool gone;
            if ((st = sy_cconvert(c, &v->u.a.items[i], rule, &here, &items[k], &gone))) return st;
            if (!gone) k++;
        }
        c->depth++;
        out->tag = SY_CV_SET;
        out->n = sy_cset_normalise(items, k, &c->work);
        out->u.items = items;
        return SYMBI_OK;
    }
    case SYMBI_OBJECT: {
        bool used;
        if (!c->depth) break;
        c->depth--;
        if (rule == SYMBI_CEDAR_STRICT && v->u.o.n && ((st = escape(c, v, at, out, &used)) || used)) {
            c->depth++;
            return st;
        }
        out->tag = SY_CV_RECORD;
        st = sy_cconvert_record(c, v, rule, NULL, 0, at, &out->u.attrs, &out->n);
        c->depth++;
        return st;
    }
    }
    return sy_cconv_fail(c, SYMBI_ELIMIT, at, "this data is nested too deeply for Cedar");
}
