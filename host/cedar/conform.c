/* cedar/conform.c: see conform.h. */
#include "cedar/conform.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/ast.h"

#include <stdio.h>
#include <string.h>

#define bad(c, at, ...) sy_cconv_fail(c, SYMBI_ESCHEMA, at, __VA_ARGS__)

symbi_str sy_ctype_print(const sy_ctype *t, char *buf, size_t cap)
{
    static const char *const names[] = { "never", "true", "false", "bool", "long", "string", "a set", "a record", "", "", "any entity", "" };
    symbi_str s = symbi_str_z(names[t->kind]);
    if (t->kind == SY_T_ENTITY || t->kind == SY_T_ACTION) {
        int n = snprintf(buf, cap, "(entity of type `%.*s`)", (int)(t->name.n > 100 ? 100 : t->name.n), t->name.p);
        s.p = buf;
        s.n = n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
    } else if (t->kind == SY_T_EXT) {
        s = symbi_str_z(t->ext == SY_CV_DECIMAL ? "decimal" : t->ext == SY_CV_IP ? "ipaddr" : t->ext == SY_CV_DATETIME ? "datetime" : "duration");
    }
    return s;
}

static symbi_status mismatch(sy_cconv *c, const sy_ctype *t, const sy_cval *v, const sy_cpath *at)
{
    char a[160], b[160];
    symbi_str want = sy_ctype_print(t, a, sizeof a), got = sy_ctype_name(v, b, sizeof b);
    return bad(c, at, "type mismatch: value was expected to have type %.*s, but it actually has type %.*s", SY_FMT(want), SY_FMT(got));
}

static bool is_call(const symbi_value *v)
{
    const symbi_value *fn = symbi_value_getz(v, "fn"), *args = symbi_value_getz(v, "args");
    return fn && fn->kind == SYMBI_STRING && (symbi_value_getz(v, "arg") || (args && args->kind == SYMBI_ARRAY));
}

/* {"fn":...,"arg":...} or the argument of the type's own constructor. */
static symbi_status extension(sy_cconv *c, const symbi_value *v, const sy_ctype *t, const sy_cpath *at, sy_cval *out)
{
    static const char *const ctors[] = { [SY_CV_DECIMAL] = "decimal", [SY_CV_IP] = "ip", [SY_CV_DATETIME] = "datetime", [SY_CV_DURATION] = "duration" };
    const symbi_value *e = symbi_value_getz(v, "__extn");
    symbi_member m[2], outer;
    symbi_value call, wrap;
    bool absent;
    memset(&call, 0, sizeof call);
    call.kind = SYMBI_OBJECT;
    if (is_call(e)) {
        call = *e; /* neighbours of the escape do not matter here */
    } else if (is_call(v)) {
        call = *v;
    } else {
        m[0].key = SY_LIT("fn");
        memset(&m[0].val, 0, sizeof m[0].val);
        m[0].val.kind = SYMBI_STRING;
        m[0].val.u.s = symbi_str_z(ctors[t->ext]);
        m[1].key = SY_LIT("arg");
        m[1].val = *v;
        call.u.o.members = m;
        call.u.o.n = 2;
    }
    outer.key = SY_LIT("__extn");
    outer.val = call;
    memset(&wrap, 0, sizeof wrap);
    wrap.kind = SYMBI_OBJECT;
    wrap.u.o.members = &outer;
    wrap.u.o.n = 1;
    return sy_cconvert(c, &wrap, SYMBI_CEDAR_STRICT, at, out, &absent);
}

symbi_status sy_cconvert_record_typed(sy_cconv *c, const sy_cschema *s, const symbi_value *v, const sy_ctype *t, const sy_cpath *at, const sy_cattr **out, uint32_t *n)
{
    sy_cattr *a;
    uint32_t dup = 0;
    symbi_status st;
    if (v->u.o.n > UINT32_MAX / 2) return sy_cconv_fail(c, SYMBI_ELIMIT, at, "too many members");
    a = sy_scratch_array(c->mem, v->u.o.n + 1, sizeof *a);
    if (!a) return sy_cconv_nomem(c);
    for (size_t i = 0; i < v->u.o.n; i++) {
        const symbi_member *m = &v->u.o.members[i];
        sy_cpath here = { at, m->key.p ? m->key : SY_LIT(""), 0 };
        const sy_ctattr *ta = sy_ctype_attr(t, m->key);
        if (!ta) return bad(c, &here, "attribute `%.*s` should not exist according to the schema", SY_FMT(m->key));
        if ((st = sy_cconv_str(c, m->key, &here, &a[i].key)) || (st = sy_cconvert_typed(c, s, &m->val, ta->type, &here, &a[i].val))) return st;
    }
    if (!sy_crec_normalise(a, (uint32_t)v->u.o.n, &dup)) return bad(c, at, "duplicate key `%.*s`", SY_FMT(a[dup].key));
    for (uint32_t i = 0; i < t->n; i++)
        if (t->attrs[i].required && !sy_crec_get(a, (uint32_t)v->u.o.n, t->attrs[i].name))
            return bad(c, at, "expected the attribute `%.*s`, which the schema requires", SY_FMT(t->attrs[i].name));
    *out = a;
    *n = (uint32_t)v->u.o.n;
    return SYMBI_OK;
}

symbi_status sy_cconvert_typed(sy_cconv *c, const sy_cschema *s, const symbi_value *v, const sy_ctype *t, const sy_cpath *at, sy_cval *out)
{
    symbi_status st;
    bool absent;
    if (!c->depth) return sy_cconv_fail(c, SYMBI_ELIMIT, at, "this data is nested too deeply for Cedar");
    switch ((sy_ctype_kind)t->kind) {
    case SY_T_ENTITY:
    case SY_T_ACTION: {
        sy_cuid *u = sy_scratch_alloc(c->mem, sizeof *u);
        if (!u) return sy_cconv_nomem(c);
        if ((st = sy_cconvert_uid(c, v, at, u))) return st;
        *out = sy_cv_uid(u);
        return SYMBI_OK;
    }
    case SY_T_EXT: return extension(c, v, t, at, out);
    case SY_T_SET: {
        sy_cval *items;
        if (v->kind != SYMBI_ARRAY) return bad(c, at, "type mismatch: value was expected to be a set, found %s", symbi_kind_name((symbi_kind)v->kind));
        if (v->u.a.n > UINT32_MAX / 2) return sy_cconv_fail(c, SYMBI_ELIMIT, at, "too many elements");
        if (!(items = sy_scratch_array(c->mem, v->u.a.n + 1, sizeof *items))) return sy_cconv_nomem(c);
        c->depth--;
        for (size_t i = 0; i < v->u.a.n; i++) {
            sy_cpath here = { at, { NULL, 0 }, i };
            if ((st = sy_cconvert_typed(c, s, &v->u.a.items[i], t->elem, &here, &items[i]))) return st;
        }
        c->depth++;
        memset(out, 0, sizeof *out);
        out->tag = SY_CV_SET;
        out->n = sy_cset_normalise(items, (uint32_t)v->u.a.n, &c->work);
        out->u.items = items;
        return SYMBI_OK;
    }
    case SY_T_RECORD:
        if (v->kind != SYMBI_OBJECT) return bad(c, at, "type mismatch: value was expected to be a record, found %s", symbi_kind_name((symbi_kind)v->kind));
        memset(out, 0, sizeof *out);
        out->tag = SY_CV_RECORD;
        c->depth--;
        st = sy_cconvert_record_typed(c, s, v, t, at, &out->u.attrs, &out->n);
        c->depth++;
        return st;
    default: return sy_cconvert(c, v, SYMBI_CEDAR_STRICT, at, out, &absent);
    }
}

symbi_status sy_cconform_record(sy_cconv *c, const sy_cschema *s, const sy_cattr *a, uint32_t n, const sy_ctype *t, const sy_cpath *at)
{
    symbi_status st;
    for (uint32_t i = 0; i < n; i++) {
        const sy_ctattr *ta = sy_ctype_attr(t, a[i].key);
        sy_cpath here = { at, a[i].key, 0 };
        if (!ta) return bad(c, &here, "attribute `%.*s` should not exist according to the schema", SY_FMT(a[i].key));
        if ((st = sy_cconform(c, s, &a[i].val, ta->type, &here))) return st;
    }
    for (uint32_t i = 0; i < t->n; i++)
        if (t->attrs[i].required && !sy_crec_get(a, n, t->attrs[i].name))
            return bad(c, at, "expected the attribute `%.*s`, which the schema requires", SY_FMT(t->attrs[i].name));
    return SYMBI_OK;
}

symbi_status sy_cconform(sy_cconv *c, const sy_cschema *s, const sy_cval *v, const sy_ctype *t, const sy_cpath *at)
{
    symbi_status st;
    bool ok = false;
    switch ((sy_ctype_kind)t->kind) {
    case SY_T_BOOL: ok = v->tag == SY_CV_BOOL; break;
    case SY_T_LONG: ok = v->tag == SY_CV_LONG; break;
    case SY_T_STRING: ok = v->tag == SY_CV_STRING; break;
    case SY_T_EXT: ok = v->tag == t->ext; break;
    case SY_T_SET:
        if (v->tag != SY_CV_SET) break;
        for (uint32_t i = 0; i < v->n; i++)
            if ((st = sy_cconform(c, s, &v->u.items[i], t->elem, at))) return st;
        return SYMBI_OK;
    case SY_T_RECORD: return v->tag == SY_CV_RECORD ? sy_cconform_record(c, s, v->u.attrs, v->n, t, at) : mismatch(c, t, v, at);
    case SY_T_ENTITY:
        ok = v->tag == SY_CV_ENTITY && sy_str_eq(v->u.uid->type, t->name);
        if (ok && s->entities[t->entity].is_enum && !sy_cschema_enum_has(&s->entities[t->entity], v->u.uid->id))
            return bad(c, at, "entity `%.*s::\"%.*s\"` is of an enumerated entity type, but its id is not declared", SY_FMT(t->name), SY_FMT(v->u.uid->id));
        break;
    case SY_T_ACTION:
        ok = v->tag == SY_CV_ENTITY && sy_str_eq(v->u.uid->type, t->name);
        if (ok && sy_cschema_action(s, v->u.uid) == SY_NONE)
            return bad(c, at, "action `%.*s::\"%.*s\"` does not exist in the schema", SY_FMT(t->name), SY_FMT(v->u.uid->id));
        break;
    default: break;
    }
    return ok ? SYMBI_OK : mismatch(c, t, v, at);
}

static symbi_status type_of(sy_cconv *c, const sy_cschema *s, const sy_cuid *u, const char *what, uint32_t *out)
{
    *out = sy_cschema_entity(s, u->type);
    if (*out == SY_NONE) {
        if (sy_str_eqz(sy_cname_base(u->type), "Action") && sy_map_find(&s->action_types, u->type)) return SYMBI_OK; /* never in an appliesTo */
        return bad(c, NULL, "%s type `%.*s` is not declared in the schema", what, SY_FMT(u->type));
    }
    if (s->entities[*out].is_enum && !sy_cschema_enum_has(&s->entities[*out], u->id))
        return bad(c, NULL, "entity `%.*s::\"%.*s\"` is of an enumerated entity type, but its id is not declared", SY_FMT(u->type), SY_FMT(u->id));
    return SYMBI_OK;
}

static bool listed(const uint32_t *v, uint32_t n, uint32_t x)
{
    for (uint32_t i = 0; i < n; i++)
        if (v[i] == x) return true;
    return false;
}

symbi_status sy_cconform_request(sy_cconv *c, const sy_cschema *s, const sy_cuid uid[3], const sy_cval *context)
{
    sy_cpath top = { NULL, SY_LIT("context"), 0 };
    const sy_cst_action *a;
    uint32_t p, r, act;
    symbi_status st;
    if ((st = type_of(c, s, &uid[0], "principal", &p)) || (st = type_of(c, s, &uid[2], "resource", &r))) return st;
    act = sy_cschema_action(s, &uid[1]);
    if (act == SY_NONE) return bad(c, NULL, "action `%.*s::\"%.*s\"` does not exist in the supplied schema", SY_FMT(uid[1].type), SY_FMT(uid[1].id));
    a = &s->actions[act];
    if (!listed(a->principals, a->nprincipals, p))
        return bad(c, NULL, "principal type `%.*s` is not valid for `%.*s::\"%.*s\"`", SY_FMT(uid[0].type), SY_FMT(uid[1].type), SY_FMT(uid[1].id));
    if (!listed(a->resources, a->nresources, r))
        return bad(c, NULL, "resource type `%.*s` is not valid for `%.*s::\"%.*s\"`", SY_FMT(uid[2].type), SY_FMT(uid[1].type), SY_FMT(uid[1].id));
    return sy_cconform_record(c, s, context->u.attrs, context->n, a->context, &top);
}
