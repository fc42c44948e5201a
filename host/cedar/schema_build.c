/* cedar/schema_build.c: the JSON form of a schema checked (spec 11.2), its names resolved (11.3), its tables built. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/ast.h"
#include "cedar/schema.h"

#include <string.h>

typedef struct common {
    symbi_str full;
    size_t ns;
    const symbi_value *def;
    const sy_ctype *type;
    int state; /* 0 not yet, 1 being resolved, 2 done */
} common;

typedef struct resolver {
    symbi_ctx *cx;
    sy_cschema *s;
    sy_cconv c; /* messages with their place */
    const symbi_member *spaces;
    size_t nspaces;
    common *commons;
    uint32_t ncommons;
    sy_map common_map; /* full name -> common */
    symbi_doc *out;    /* the resolved JSON */
    size_t depth;
} resolver;

#define bad(r, at, ...) sy_cconv_fail(&(r)->c, SYMBI_ESCHEMA, at, __VA_ARGS__)
#define KIND(v) symbi_kind_name((symbi_kind)(v)->kind)

static symbi_status nomem(resolver *r)
{
    if (r->s->mem.limited) return sy_fail(r->c.err, SYMBI_ELIMIT, "the schema needs more than %zu bytes of memory", r->s->mem.limit);
    if (r->out && r->out->arena.status) return sy_arena_fail(&r->out->arena, "the schema", r->c.err);
    return sy_fail_nomem(r->c.err);
}

static symbi_status only(resolver *r, const symbi_value *v, const char *const names[], size_t required, const sy_cpath *at)
{
    if (v->kind != SYMBI_OBJECT) return bad(r, at, "expected an object, found %s", KIND(v));
    for (size_t i = 0; i < v->u.o.n; i++) {
        size_t k = 0;
        while (names[k] && !sy_str_eqz(v->u.o.members[i].key, names[k])) k++;
        if (!names[k]) return bad(r, at, "unknown field `%.*s`", SY_FMT(v->u.o.members[i].key));
    }
    for (size_t k = 0; k < required; k++)
        if (!symbi_value_getz(v, names[k])) return bad(r, at, "missing field `%s`", names[k]);
    return SYMBI_OK;
}

static symbi_status join(resolver *r, symbi_str ns, symbi_str name, symbi_str *out)
{
    char *p;
    if (!ns.n) {
        *out = name;
        return SYMBI_OK;
    }
    p = sy_scratch_alloc(&r->s->mem, ns.n + name.n + 3);
    if (!p) return nomem(r);
    memcpy(p, ns.p, ns.n);
    memcpy(p + ns.n, "::", 2);
    if (name.n) memcpy(p + ns.n + 2, name.p, name.n);
    out->p = p;
    out->n = ns.n + 2 + name.n;
    return SYMBI_OK;
}

/* Key of an action in action_map: the type, a byte no name has, the id. */
static symbi_status action_key(resolver *r, symbi_str type, symbi_str id, symbi_str *out)
{
    char *p = sy_scratch_alloc(&r->s->mem, type.n + id.n + 1);
    if (!p) return nomem(r);
    memcpy(p, type.p, type.n);
    p[type.n] = '"';
    if (id.n) memcpy(p + type.n + 1, id.p, id.n);
    out->p = p;
    out->n = type.n + id.n + 1;
    return SYMBI_OK;
}

static const sy_map_entry *find_joined(resolver *r, const sy_map *m, symbi_str ns, symbi_str name, symbi_status *st)
{
    symbi_str full;
    *st = join(r, ns, name, &full);
    return *st ? NULL : sy_map_find(m, full);
}

static const sy_ctype prims[] = { { .kind = SY_T_BOOL }, { .kind = SY_T_LONG }, { .kind = SY_T_STRING }, { .kind = SY_T_EXT, .ext = SY_CV_DECIMAL },
                                  { .kind = SY_T_EXT, .ext = SY_CV_IP }, { .kind = SY_T_EXT, .ext = SY_CV_DATETIME }, { .kind = SY_T_EXT, .ext = SY_CV_DURATION } };
static const sy_ctype *builtin(symbi_str n)
{
    static const char *const names[] = { "Bool", "Long", "String", "decimal", "ipaddr", "datetime", "duration" };
    if (sy_str_starts(n, SY_LIT("__cedar::"))) n.p += 9, n.n -= 9;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (sy_str_eqz(n, names[i])) return &prims[i];
    return NULL;
}

static symbi_status type(resolver *r, size_t ns, const symbi_value *v, bool attribute, bool notes, const sy_cpath *at, const sy_ctype **out, symbi_value *rv);

static symbi_status annotations(resolver *r, const symbi_value *v, const sy_cpath *at)
{
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_OBJECT) return bad(r, at, "annotations are an object, found %s", KIND(v));
    for (size_t i = 0; i < v->u.o.n; i++) {
        const symbi_member *m = &v->u.o.members[i];
        if (!sy_cident_shape(m->key)) return bad(r, at, "`%.*s` cannot be the name of an annotation", SY_FMT(m->key));
        if (m->val.kind != SYMBI_STRING && m->val.kind != SYMBI_NULL) return bad(r, at, "the annotation `%.*s` must be a string or null", SY_FMT(m->key));
    }
    return SYMBI_OK;
}

static symbi_value obj(resolver *r, const char *k1, symbi_value v1, const char *k2, const symbi_value *v2)
{
    symbi_member *m = sy_arena_calloc(&r->out->arena, 4, sizeof *m);
    if (!m) return sy_val_null();
    m[0].key = symbi_str_z(k1);
    m[0].val = v1;
    if (v2) {
        m[1].key = symbi_str_z(k2);
        m[1].val = *v2;
    }
    return sy_val_object(m, v2 ? 2 : 1); /* room for required and annotations */
}

static symbi_status resolve_common(resolver *r, uint32_t k, const sy_cpath *at)
{
    common *c = &r->commons[k];
    symbi_status st;
    symbi_value rv;
    if (c->state == 2) return SYMBI_OK;
    if (c->state == 1) return bad(r, at, "cycle in common type references containing `%.*s`", SY_FMT(c->full));
    c->state = 1;
    st = type(r, c->ns, c->def, false, true, at, &c->type, &rv);
    c->state = 2;
    return st;
}

/* A name in namespace ns. entities, commons: what it may be. */
static symbi_status named(resolver *r, size_t ns, symbi_str name, bool entities, bool commons, const sy_cpath *at, const sy_ctype **out, symbi_value *rv)
{
    bool qualified = sy_cname_base(name).n != name.n;
    symbi_str spaces[2] = { r->spaces[ns].key, { "", 0 } };
    const sy_map_entry *e;
    const sy_ctype *b;
    symbi_status st;
    for (int pass = qualified ? 1 : 0; pass < 2; pass++) {
        if (pass == 1 && !qualified && !spaces[0].n) break; /* looked there already */
        if (commons) {
            e = find_joined(r, &r->common_map, spaces[pass], name, &st);
            if (st) return st;
            if (e) {
                uint32_t k = (uint32_t)e->val.u;
                if ((st = resolve_common(r, k, at))) return st;
                *out = r->commons[k].type;
                *rv = obj(r, "type", sy_val_str(r->commons[k].full), NULL, NULL);
                return SYMBI_OK;
            }
        }
        if (entities) {
            e = find_joined(r, &r->s->entity_map, spaces[pass], name, &st);
            if (st) return st;
            if (!e) {
                e = find_joined(r, &r->s->action_types, spaces[pass], name, &st);
                if (st) return st;
                if (e) { /* an attribute may hold an action */
                    sy_ctype *t = sy_scratch_alloc(&r->s->mem, sizeof *t);
                    symbi_value full = sy_val_str(e->key);
                    if (!t) return nomem(r);
                    memset(t, 0, sizeof *t);
                    t->kind = SY_T_ACTION;
                    t->name = e->key;
                    *out = t;
                    *rv = obj(r, "type", sy_val_str(SY_LIT("Entity")), "name", &full);
                    return SYMBI_OK;
                }
            }
            if (e) {
                sy_ctype *t = sy_scratch_alloc(&r->s->mem, sizeof *t);
                symbi_value full = sy_val_str(r->s->entities[e->val.u].name);
                if (!t) return nomem(r);
                memset(t, 0, sizeof *t);
                t->kind = SY_T_ENTITY;
                t->entity = (uint32_t)e->val.u;
                t->name = r->s->entities[t->entity].name;
                *out = t;
                *rv = obj(r, "type", sy_val_str(SY_LIT("Entity")), "name", &full);
                return SYMBI_OK;
            }
        }
    }
    /* an entity type of the empty namespace takes the short name of a built-in one */
    if (commons && (b = builtin(name)) && !sy_map_find(&r->s->entity_map, name)) {
        *out = b;
        *rv = obj(r, "type", sy_val_str(name), NULL, NULL);
        return SYMBI_OK;
    }
    return bad(r, at, "failed to resolve type: %.*s", SY_FMT(name));
}

static int cmp_attr(const sy_ctattr *a, const sy_ctattr *b) { return sy_str_cmp(a->name, b->name); }

static symbi_status record(resolver *r, size_t ns, const symbi_value *attrs, const sy_cpath *at, const sy_ctype **out, symbi_value *rv)
{
    sy_ctype *t = sy_scratch_alloc(&r->s->mem, sizeof *t);
    sy_ctattr *a;
    symbi_member *m;
    symbi_value inner;
    symbi_status st;
    if (attrs->kind != SYMBI_OBJECT) return bad(r, at, "attributes are an object, found %s", KIND(attrs));
    a = sy_scratch_array(&r->s->mem, attrs->u.o.n + 1, sizeof *a);
    m = sy_arena_calloc(&r->out->arena, attrs->u.o.n + 1, sizeof *m);
    if (!t || !a || !m) return nomem(r);
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < attrs->u.o.n; i++) {
        const symbi_member *in = &attrs->u.o.members[i];
        sy_cpath here = { at, in->key, 0 };
        const symbi_value *req = symbi_value_getz(&in->val, "required"), *notes = symbi_value_getz(&in->val, "annotations");
        symbi_member *rm;
        if (in->val.kind != SYMBI_OBJECT) return bad(r, &here, "expected a type object, found %s", KIND(&in->val));
        if (req && req->kind != SYMBI_BOOL) return bad(r, &here, "`required` must be a boolean, found %s", KIND(req));
        a[i].name = in->key;
        a[i].required = !req || req->u.b;
        if ((st = type(r, ns, &in->val, true, true, &here, &a[i].type, &m[i].val))) return st;
        m[i].key = in->key;
        rm = (symbi_member *)(uintptr_t)m[i].val.u.o.members; /* just made, with room for two more */
        if (!rm) return nomem(r);
        if (!a[i].required) {
            rm[m[i].val.u.o.n].key = SY_LIT("required");
            rm[m[i].val.u.o.n++].val = *req;
        }
        if (notes) {
            rm[m[i].val.u.o.n].key = SY_LIT("annotations");
            rm[m[i].val.u.o.n++].val = *notes;
        }
    }
    /* the order of names: insertion for few, else through a heap, whatever order they come in */
    for (size_t n = attrs->u.o.n, start = n / 2, end = n; end > 1;) {
        size_t i, k;
        sy_ctattr x;
        if (start > 0) {
            x = a[--start];
        } else {
            x = a[--end];
            a[end] = a[0];
            a[0] = x;
        }
        for (i = start; (k = 2 * i + 1) < end; i = k) {
            if (k + 1 < end && cmp_attr(&a[k], &a[k + 1]) < 0) k++;
            if (cmp_attr(&x, &a[k]) >= 0) break;
            a[i] = a[k];
        }
        a[i] = x;
    }
    t->kind = SY_T_RECORD;
    t->n = (uint32_t)attrs->u.o.n;
    t->attrs = a;
    inner = sy_val_object(m, attrs->u.o.n);
    *out = t;
    *rv = obj(r, "type", sy_val_str(SY_LIT("Record")), "attributes", &inner);
    return SYMBI_OK;
}

static symbi_status type_in(resolver *r, size_t ns, const symbi_value *v, bool attribute, bool notes, const sy_cpath *at, const sy_ctype **out, symbi_value *rv)
{
    const symbi_value *t = symbi_value_getz(v, "type"), *name = symbi_value_getz(v, "name"), *e;
    const char *names[6] = { "type", NULL };
    size_t n = 1, required = 1;
    symbi_status st;
    symbi_str k;
    bool is_named, is_set, is_record;
    if (v->kind != SYMBI_OBJECT) return bad(r, at, "expected a type object, found %s", KIND(v));
    if (!t) return bad(r, at, "missing field `type`");
    if (t->kind != SYMBI_STRING) return bad(r, at, "`type` must be a string, found %s", KIND(t));
    k = t->u.s;
    is_named = sy_str_eqz(k, "Entity") || sy_str_eqz(k, "EntityOrCommon") || sy_str_eqz(k, "Extension");
    is_set = sy_str_eqz(k, "Set");
    is_record = sy_str_eqz(k, "Record");
    if (is_named) names[n++] = "name", required = 2;
    if (is_set) names[n++] = "element", required = 2;
    if (is_record) names[n++] = "attributes", names[n++] = "additionalAttributes", required = 2;
    if (attribute) names[n++] = "required";
    if (notes) names[n++] = "annotations";
    names[n] = NULL;
    if ((st = only(r, v, names, required, at))) return st;
    if (notes && (st = annotations(r, symbi_value_getz(v, "annotations"), at))) return st;
    if (is_named) {
        if (name->kind != SYMBI_STRING) return bad(r, at, "`name` must be a string, found %s", KIND(name));
        if (!sy_cname_valid(name->u.s) && !(sy_str_starts(name->u.s, SY_LIT("__cedar::")) && builtin(name->u.s) && !sy_str_eqz(k, "Entity")))
            return bad(r, at, "`%.*s` is not a type name", SY_FMT(name->u.s));
        if (sy_str_eqz(k, "Extension")) {
            const sy_ctype *b = builtin(name->u.s);
            if (!b || b->kind != SY_T_EXT) return bad(r, at, "unknown extension type `%.*s`; there are decimal, ipaddr, datetime and duration", SY_FMT(name->u.s));
            *out = b;
            *rv = obj(r, "type", *t, "name", name);
            return SYMBI_OK;
        }
        return named(r, ns, name->u.s, true, sy_str_eqz(k, "EntityOrCommon"), at, out, rv);
    }
    if (is_set) {
        sy_ctype *set = sy_scratch_alloc(&r->s->mem, sizeof *set);
        sy_cpath here = { at, SY_LIT("element"), 0 };
        symbi_value ev;
        if (!set) return nomem(r);
        memset(set, 0, sizeof *set);
        set->kind = SY_T_SET;
        if ((st = type(r, ns, symbi_value_getz(v, "element"), false, false, &here, &set->elem, &ev))) return st;
        *out = set;
        *rv = obj(r, "type", sy_val_str(SY_LIT("Set")), "element", &ev);
        return SYMBI_OK;
    }
    if (is_record) {
        sy_cpath here = { at, SY_LIT("attributes"), 0 };
        e = symbi_value_getz(v, "additionalAttributes");
        if (e && e->kind != SYMBI_BOOL) return bad(r, at, "`additionalAttributes` must be a boolean");
        if (e && e->u.b) return bad(r, at, "unsupported feature used in schema: `additionalAttributes`");
        return record(r, ns, symbi_value_getz(v, "attributes"), &here, out, rv);
    }
    if (sy_str_eqz(k, "Long") || sy_str_eqz(k, "String") || sy_str_eqz(k, "Boolean")) {
        *out = sy_str_eqz(k, "Long") ? &prims[1] : sy_str_eqz(k, "String") ? &prims[2] : &prims[0];
        *rv = obj(r, "type", *t, NULL, NULL);
        return SYMBI_OK;
    }
    if (!sy_cname_valid(k) && !(sy_str_starts(k, SY_LIT("__cedar::")) && builtin(k))) return bad(r, at, "`%.*s` is not a type name", SY_FMT(k));
    return named(r, ns, k, false, true, at, out, rv);
}

static symbi_status type(resolver *r, size_t ns, const symbi_value *v, bool attribute, bool notes, const sy_cpath *at, const sy_ctype **out, symbi_value *rv)
{
    symbi_status st;
    *rv = sy_val_null();
    *out = NULL;
    if (!r->depth) return sy_cconv_fail(&r->c, SYMBI_ELIMIT, at, "this type is nested too deeply");
    r->depth--;
    st = type_in(r, ns, v, attribute, notes, at, out, rv);
    r->depth++;
    if (!st && rv->kind == SYMBI_NULL) st = nomem(r);
    return st;
}

/* ---- declarations ---- */

static symbi_status declare(resolver *r, sy_map *m, symbi_str key, uint64_t val, const sy_cpath *at)
{
    bool fresh;
    sy_map_entry *e = sy_map_put(m, key, &fresh);
    if (!e) return sy_fail_nomem(r->c.err);
    if (!fresh) return bad(r, at, "`%.*s` is declared twice", SY_FMT(key));
    e->val.u = val;
    return SYMBI_OK;
}

static const symbi_value *part(const symbi_value *space, const char *name)
{
    static const symbi_value none = { .kind = SYMBI_OBJECT };
    const symbi_value *v = symbi_value_getz(space, name);
    return v ? v : &none;
}

static symbi_status collect(resolver *r)
{
    static const char *const names[] = { "entityTypes", "actions", "commonTypes", "annotations", NULL };
    static const char *const reserved[] = { "Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String" };
    size_t ne = 0, na = 0, nc = 0;
    symbi_status st;
    for (size_t i = 0; i < r->nspaces; i++) {
        const symbi_member *m = &r->spaces[i];
        sy_cpath at = { NULL, m->key, 0 };
        if (m->key.n && !sy_cname_valid(m->key)) return bad(r, &at, "`%.*s` is not a namespace: names joined by `::`, none reserved", SY_FMT(m->key));
        if ((st = only(r, &m->val, names, 2, &at)) || (st = annotations(r, symbi_value_getz(&m->val, "annotations"), &at))) return st;
        if (!m->key.n && symbi_value_getz(&m->val, "annotations")) return bad(r, &at, "annotations are not allowed on the empty namespace");
        for (int k = 0; k < 3; k++)
            if (part(&m->val, names[k])->kind != SYMBI_OBJECT) return bad(r, &at, "`%s` must be an object", names[k]);
        ne += part(&m->val, "entityTypes")->u.o.n;
        na += part(&m->val, "actions")->u.o.n;
        nc += part(&m->val, "commonTypes")->u.o.n;
    }
    if (ne > 100000 || na > 100000 || nc > 100000) return sy_cconv_fail(&r->c, SYMBI_ELIMIT, NULL, "more than 100000 declarations of one kind");
    r->s->entities = sy_scratch_array(&r->s->mem, ne + 1, sizeof *r->s->entities);
    r->s->actions = sy_scratch_array(&r->s->mem, na + 1, sizeof *r->s->actions);
    r->commons = sy_scratch_array(&r->s->mem, nc + 1, sizeof *r->commons);
    if (!r->s->entities || !r->s->actions || !r->commons) return nomem(r);
    memset(r->s->entities, 0, (ne + 1) * sizeof *r->s->entities);
    memset(r->s->actions, 0, (na + 1) * sizeof *r->s->actions);
    memset(r->commons, 0, (nc + 1) * sizeof *r->commons);
    for (size_t i = 0; i < r->nspaces; i++) {
        const symbi_member *sp = &r->spaces[i];
        const symbi_value *v = part(&sp->val, "entityTypes");
        sy_cpath at = { NULL, sp->key, 0 }, pe = { &at, SY_LIT("entityTypes"), 0 }, pa = { &at, SY_LIT("actions"), 0 }, pc = { &at, SY_LIT("commonTypes"), 0 };
        symbi_str full;
        for (size_t k = 0; k < v->u.o.n; k++) {
            symbi_str name = v->u.o.members[k].key;
            sy_cpath here = { &pe, name, 0 };
            if (!sy_cident_valid(name)) return bad(r, &here, "`%.*s` is not a name (one identifier, not reserved)", SY_FMT(name));
            if (sy_str_eqz(name, "Action")) return bad(r, &here, "entity type `Action` declared in `entityTypes` list; actions are declared under `actions`");
            if ((st = join(r, sp->key, name, &full)) || (st = declare(r, &r->s->entity_map, full, r->s->nentities, &here))) return st;
            r->s->entities[r->s->nentities++].name = full;
        }
        v = part(&sp->val, "commonTypes");
        for (size_t k = 0; k < v->u.o.n; k++) {
            symbi_str name = v->u.o.members[k].key;
            sy_cpath here = { &pc, name, 0 };
            if (!sy_cident_valid(name)) return bad(r, &here, "`%.*s` is not a name (one identifier, not reserved)", SY_FMT(name));
            for (size_t j = 0; j < sizeof reserved / sizeof reserved[0]; j++)
                if (sy_str_eqz(name, reserved[j])) return bad(r, &here, "`%s` is reserved and cannot be the name of a common type", reserved[j]);
            if ((st = join(r, sp->key, name, &full)) || (st = declare(r, &r->common_map, full, r->ncommons, &here))) return st;
            r->commons[r->ncommons].full = full;
            r->commons[r->ncommons].ns = i;
            r->commons[r->ncommons++].def = &v->u.o.members[k].val;
        }
        v = part(&sp->val, "actions");
        if (v->u.o.n) {
            bool fresh;
            if ((st = join(r, sp->key, SY_LIT("Action"), &full))) return st;
            if (!sy_map_put(&r->s->action_types, full, &fresh)) return sy_fail_nomem(r->c.err);
        }
        for (size_t k = 0; k < v->u.o.n; k++) {
            symbi_str name = v->u.o.members[k].key, key;
            sy_cpath here = { &pa, name, 0 };
            if ((st = action_key(r, full, name, &key)) || (st = declare(r, &r->s->action_map, key, r->s->nactions, &here))) return st;
            r->s->actions[r->s->nactions].uid.type = full;
            r->s->actions[r->s->nactions++].uid.id = name;
        }
    }
    return SYMBI_OK;
}

/* A namespace may not declare again what the empty one declares. */
static symbi_status shadows(resolver *r)
{
    symbi_str key;
    symbi_status st;
    for (size_t i = 0; i < r->nspaces; i++) {
        const symbi_member *sp = &r->spaces[i];
        static const char *const parts[] = { "entityTypes", "commonTypes" };
        sy_cpath at = { NULL, sp->key, 0 };
        if (!sp->key.n) continue;
        for (int p = 0; p < 2; p++) {
            const symbi_value *v = part(&sp->val, parts[p]);
            for (size_t k = 0; k < v->u.o.n; k++) {
                symbi_str name = v->u.o.members[k].key;
                if (sy_map_find(&r->s->entity_map, name) || sy_map_find(&r->common_map, name))
                    return bad(r, &at, "definition of `%.*s::%.*s` illegally shadows the existing definition of `%.*s`", SY_FMT(sp->key), SY_FMT(name), SY_FMT(name));
            }
        }
        {
            const symbi_value *v = part(&sp->val, "actions");
            for (size_t k = 0; k < v->u.o.n; k++) {
                symbi_str name = v->u.o.members[k].key;
                if ((st = action_key(r, SY_LIT("Action"), name, &key))) return st;
                if (sy_map_find(&r->s->action_map, key))
                    return bad(r, &at, "definition of `%.*s::Action::\"%.*s\"` illegally shadows the existing definition of `Action::\"%.*s\"`", SY_FMT(sp->key), SY_FMT(name), SY_FMT(name));
            }
        }
    }
    return SYMBI_OK;
}

/* A list of entity type names; numbers into *out, full names into *rv. */
static symbi_status entity_list(resolver *r, size_t ns, const symbi_value *v, const sy_cpath *at, const uint32_t **out, uint32_t *n, symbi_value *rv)
{
    uint32_t *nums;
    symbi_value *items;
    symbi_status st;
    if (v->kind != SYMBI_ARRAY) return bad(r, at, "expected a list of entity types, found %s", KIND(v));
    nums = sy_scratch_array(&r->s->mem, v->u.a.n + 1, sizeof *nums);
    items = sy_arena_calloc(&r->out->arena, v->u.a.n + 1, sizeof *items);
    if (!nums || !items) return nomem(r);
    for (size_t i = 0; i < v->u.a.n; i++) {
        sy_cpath here = { at, { NULL, 0 }, i };
        const symbi_value *e = &v->u.a.items[i];
        const sy_map_entry *m = NULL;
        if (e->kind != SYMBI_STRING) return bad(r, &here, "expected the name of an entity type, found %s", KIND(e));
        if (!sy_cname_valid(e->u.s)) return bad(r, &here, "`%.*s` is not a type name", SY_FMT(e->u.s));
        if (sy_cname_base(e->u.s).n == e->u.s.n) {
            m = find_joined(r, &r->s->entity_map, r->spaces[ns].key, e->u.s, &st);
            if (st) return st;
        }
        if (!m) m = sy_map_find(&r->s->entity_map, e->u.s);
        if (!m) return bad(r, &here, "failed to resolve type: %.*s (undeclared entity type)", SY_FMT(e->u.s));
        nums[i] = (uint32_t)m->val.u;
        items[i] = sy_val_str(r->s->entities[nums[i]].name);
    }
    *out = nums;
    *n = (uint32_t)v->u.a.n;
    *rv = sy_val_array(items, v->u.a.n);
    return SYMBI_OK;
}

static void put(symbi_member *m, size_t *n, const char *key, symbi_value v)
{
    m[*n].key = symbi_str_z(key);
    m[(*n)++].val = v;
}

static const sy_ctype empty_record = { .kind = SY_T_RECORD };

static symbi_status entity(resolver *r, size_t ns, const symbi_member *in, const sy_cpath *at, const uint32_t **parents, uint32_t *nparents, symbi_value *rv)
{
    static const char *const names[] = { "memberOfTypes", "shape", "tags", "enum", "annotations", NULL }, *const enum_names[] = { "enum", "annotations", NULL };
    const symbi_value *v = &in->val, *en = symbi_value_getz(v, "enum"), *x;
    sy_cpath here = { at, in->key, 0 }, pm = { &here, SY_LIT("memberOfTypes"), 0 }, ps = { &here, SY_LIT("shape"), 0 }, pt = { &here, SY_LIT("tags"), 0 };
    symbi_member *m = sy_arena_calloc(&r->out->arena, 5, sizeof *m);
    symbi_str full;
    symbi_status st;
    sy_cst_entity *e;
    symbi_value t;
    size_t n = 0;
    *nparents = 0;
    if (!m) return nomem(r);
    if ((st = only(r, v, en ? enum_names : names, 0, &here)) || (st = annotations(r, symbi_value_getz(v, "annotations"), &here)) || (st = join(r, r->spaces[ns].key, in->key, &full)))
        return st;
    e = &r->s->entities[sy_map_find(&r->s->entity_map, full)->val.u];
    e->shape = &empty_record;
    if (en) {
        symbi_str *ids;
        if (en->kind != SYMBI_ARRAY || !en->u.a.n) return bad(r, &here, "`enum` must be a list of at least one id");
        ids = sy_scratch_array(&r->s->mem, en->u.a.n, sizeof *ids);
        if (!ids) return nomem(r);
        for (size_t i = 0; i < en->u.a.n; i++) {
            if (en->u.a.items[i].kind != SYMBI_STRING) return bad(r, &here, "`enum` must be a list of strings");
            ids[i] = en->u.a.items[i].u.s;
        }
        e->is_enum = true;
        e->ids = ids;
        e->nids = (uint32_t)en->u.a.n;
        put(m, &n, "enum", *en);
    }
    if ((x = symbi_value_getz(v, "memberOfTypes"))) {
        if ((st = entity_list(r, ns, x, &pm, parents, nparents, &t))) return st;
        put(m, &n, "memberOfTypes", t);
    }
    if ((x = symbi_value_getz(v, "shape"))) {
        if ((st = type(r, ns, x, false, false, &ps, &e->shape, &t))) return st;
        if (e->shape->kind != SY_T_RECORD) return bad(r, &ps, "the shape of entity type %.*s is declared with a type other than `Record`", SY_FMT(full));
        put(m, &n, "shape", t);
    }
    if ((x = symbi_value_getz(v, "tags"))) {
        if ((st = type(r, ns, x, false, false, &pt, &e->tags, &t))) return st;
        put(m, &n, "tags", t);
    }
    if ((x = symbi_value_getz(v, "annotations"))) put(m, &n, "annotations", *x);
    *rv = sy_val_object(m, n);
    return SYMBI_OK;
}

static symbi_status action(resolver *r, size_t ns, const symbi_member *in, const sy_cpath *at, const uint32_t **parents, uint32_t *nparents, uint32_t *self, symbi_value *rv)
{
    static const char *const names[] = { "attributes", "appliesTo", "memberOf", "annotations", NULL }, *const app_names[] = { "principalTypes", "resourceTypes", "context", NULL },
                             *const mem_names[] = { "id", "type", NULL };
    const symbi_value *v = &in->val, *x, *ctx;
    sy_cpath here = { at, in->key, 0 }, pa = { &here, SY_LIT("appliesTo"), 0 }, pm = { &here, SY_LIT("memberOf"), 0 }, pc = { &pa, SY_LIT("context"), 0 };
    sy_cpath pp = { &pa, SY_LIT("principalTypes"), 0 }, pr = { &pa, SY_LIT("resourceTypes"), 0 };
    symbi_member *m = sy_arena_calloc(&r->out->arena, 4, sizeof *m), *am = sy_arena_calloc(&r->out->arena, 3, sizeof *am);
    symbi_str type_name, key;
    symbi_status st;
    sy_cst_action *a;
    symbi_value t;
    size_t n = 0, an = 0;
    *nparents = 0;
    if (!m || !am) return nomem(r);
    if ((st = only(r, v, names, 0, &here)) || (st = annotations(r, symbi_value_getz(v, "annotations"), &here)) || (st = join(r, r->spaces[ns].key, SY_LIT("Action"), &type_name)) ||
        (st = action_key(r, type_name, in->key, &key)))
        return st;
    *self = (uint32_t)sy_map_find(&r->s->action_map, key)->val.u;
    a = &r->s->actions[*self];
    a->context = &empty_record;
    if (symbi_value_getz(v, "attributes")) return bad(r, &here, "unsupported feature used in schema: action attributes");
    if ((x = symbi_value_getz(v, "appliesTo")) && x->kind != SYMBI_NULL) {
        if ((st = only(r, x, app_names, 2, &pa))) return st;
        if ((st = entity_list(r, ns, symbi_value_getz(x, "resourceTypes"), &pr, &a->resources, &a->nresources, &t))) return st;
        put(am, &an, "resourceTypes", t);
        if ((st = entity_list(r, ns, symbi_value_getz(x, "principalTypes"), &pp, &a->principals, &a->nprincipals, &t))) return st;
        put(am, &an, "principalTypes", t);
        if ((ctx = symbi_value_getz(x, "context"))) {
            if ((st = type(r, ns, ctx, false, false, &pc, &a->context, &t))) return st;
            if (a->context->kind != SY_T_RECORD) return bad(r, &pc, "the context of action `%.*s` is declared with a type other than `Record`", SY_FMT(in->key));
            put(am, &an, "context", t);
        }
        put(m, &n, "appliesTo", sy_val_object(am, an));
    }
    if ((x = symbi_value_getz(v, "memberOf")) && x->kind != SYMBI_NULL) {
        uint32_t *nums;
        symbi_value *items;
        if (x->kind != SYMBI_ARRAY) return bad(r, &pm, "`memberOf` must be a list");
        nums = sy_scratch_array(&r->s->mem, x->u.a.n + 1, sizeof *nums);
        items = sy_arena_calloc(&r->out->arena, x->u.a.n + 1, sizeof *items);
        if (!nums || !items) return nomem(r);
        for (size_t i = 0; i < x->u.a.n; i++) {
            const symbi_value *e = &x->u.a.items[i], *id, *ty;
            sy_cpath pi = { &pm, { NULL, 0 }, i };
            const sy_map_entry *found = NULL;
            symbi_str tn;
            bool unqualified;
            if ((st = only(r, e, mem_names, 1, &pi))) return st;
            id = symbi_value_getz(e, "id");
            ty = symbi_value_getz(e, "type");
            if (ty && ty->kind == SYMBI_NULL) ty = NULL;
            if (id->kind != SYMBI_STRING || (ty && ty->kind != SYMBI_STRING)) return bad(r, &pi, "`id` and `type` must be strings");
            if (ty && !sy_cname_valid(ty->u.s)) return bad(r, &pi, "`%.*s` is not a type name", SY_FMT(ty->u.s));
            tn = ty ? ty->u.s : SY_LIT("Action");
            unqualified = sy_cname_base(tn).n == tn.n;
            if (unqualified) { /* here first, then the empty namespace */
                symbi_str local;
                if ((st = join(r, r->spaces[ns].key, tn, &local)) || (st = action_key(r, local, id->u.s, &key))) return st;
                found = sy_map_find(&r->s->action_map, key);
            }
            if (!found) {
                if ((st = action_key(r, tn, id->u.s, &key))) return st;
                found = sy_map_find(&r->s->action_map, key);
            }
            if (!found) return bad(r, &pi, "undeclared action: %.*s::\"%.*s\"", SY_FMT(tn), SY_FMT(id->u.s));
            nums[i] = (uint32_t)found->val.u;
            t = sy_val_str(r->s->actions[nums[i]].uid.type);
            items[i] = obj(r, "id", *id, "type", &t);
        }
        *parents = nums;
        *nparents = (uint32_t)x->u.a.n;
        put(m, &n, "memberOf", sy_val_array(items, x->u.a.n));
    }
    if ((x = symbi_value_getz(v, "annotations"))) put(m, &n, "annotations", *x);
    *rv = sy_val_object(m, n);
    return SYMBI_OK;
}

/* Ancestors of every node by a walk from each; the number of declarations is what a person wrote, so this is cheap enough.
 * cycles: NULL when they are allowed, else the node found in one. */
static symbi_status closure(resolver *r, uint32_t n, const uint32_t *const *parents, const uint32_t *nparents, const uint32_t **anc, uint32_t *nanc, uint32_t *cycle)
{
    const symbi_alloc *al = &r->cx->alloc;
    uint32_t *stamp = sy_calloc(al, (size_t)n + 1, sizeof *stamp), *queue = sy_calloc(al, (size_t)n + 1, sizeof *queue);
    symbi_status st = SYMBI_OK;
    if (!stamp || !queue) st = sy_fail_nomem(r->c.err);
    *cycle = SY_NONE;
    for (uint32_t i = 0; i < n && !st; i++) {
        uint32_t head = 0, tail = 0, at = i, *own;
        for (;;) {
            for (uint32_t k = 0; k < nparents[at]; k++) {
                uint32_t p = parents[at][k];
                if (stamp[p] == i + 1) continue;
                stamp[p] = i + 1;
                queue[tail++] = p;
                if (p == i && *cycle == SY_NONE) *cycle = i;
            }
            if (head == tail) break;
            at = queue[head++];
        }
        own = sy_scratch_array(&r->s->mem, (size_t)tail + 1, sizeof *own);
        if (!own) {
            st = nomem(r);
            break;
        }
        for (uint32_t k = 0, w = 0; k < n && w < tail; k++)
            if (stamp[k] == i + 1) own[w++] = k;
        anc[i] = own;
        nanc[i] = tail;
    }
    sy_free(al, stamp, ((size_t)n + 1) * sizeof *stamp);
    sy_free(al, queue, ((size_t)n + 1) * sizeof *queue);
    return st;
}

static symbi_status build(resolver *r)
{
    sy_cschema *s = r->s;
    symbi_member *top = sy_arena_calloc(&r->out->arena, r->nspaces + 1, sizeof *top);
    const uint32_t **ep, **ap, **anc;
    uint32_t *nep, *nap, *nanc, cycle, most, ent = 0;
    symbi_status st;
    if (!top) return nomem(r);
    if ((st = collect(r)) || (st = shadows(r))) return st;
    most = s->nentities > s->nactions ? s->nentities : s->nactions;
    ep = sy_scratch_array(&s->mem, (size_t)most + 1, sizeof *ep);
    ap = sy_scratch_array(&s->mem, (size_t)most + 1, sizeof *ap);
    anc = sy_scratch_array(&s->mem, (size_t)most + 1, sizeof *anc);
    nep = sy_scratch_array(&s->mem, (size_t)most + 1, sizeof *nep);
    nap = sy_scratch_array(&s->mem, (size_t)most + 1, sizeof *nap);
    nanc = sy_scratch_array(&s->mem, (size_t)most + 1, sizeof *nanc);
    if (!ep || !ap || !anc || !nep || !nap || !nanc) return nomem(r);
    for (size_t i = 0; i < r->nspaces; i++) {
        const symbi_member *sp = &r->spaces[i];
        const symbi_value *ce = part(&sp->val, "commonTypes"), *ee = part(&sp->val, "entityTypes"), *ae = part(&sp->val, "actions"), *notes;
        sy_cpath at = { NULL, sp->key, 0 }, pe = { &at, SY_LIT("entityTypes"), 0 }, pa = { &at, SY_LIT("actions"), 0 }, pc = { &at, SY_LIT("commonTypes"), 0 };
        symbi_member *cm = sy_arena_calloc(&r->out->arena, ce->u.o.n + 1, sizeof *cm), *em = sy_arena_calloc(&r->out->arena, ee->u.o.n + 1, sizeof *em),
                     *am = sy_arena_calloc(&r->out->arena, ae->u.o.n + 1, sizeof *am), *m = sy_arena_calloc(&r->out->arena, 4, sizeof *m);
        size_t n = 0;
        if (!cm || !em || !am || !m) return nomem(r);
        for (size_t k = 0; k < ce->u.o.n; k++) {
            const symbi_member *in = &ce->u.o.members[k];
            sy_cpath here = { &pc, in->key, 0 };
            symbi_str full;
            const sy_ctype *t;
            symbi_member *rm;
            if ((st = join(r, sp->key, in->key, &full)) || (st = resolve_common(r, (uint32_t)sy_map_find(&r->common_map, full)->val.u, &here))) return st;
            cm[k].key = in->key;
            if ((st = type(r, i, &in->val, false, true, &here, &t, &cm[k].val))) return st; /* again, for its JSON */
            rm = (symbi_member *)(uintptr_t)cm[k].val.u.o.members;
            if ((notes = symbi_value_getz(&in->val, "annotations")) && rm) {
                rm[cm[k].val.u.o.n].key = SY_LIT("annotations");
                rm[cm[k].val.u.o.n++].val = *notes;
            }
        }
        for (size_t k = 0; k < ee->u.o.n; k++) {
            em[k].key = ee->u.o.members[k].key;
            if ((st = entity(r, i, &ee->u.o.members[k], &pe, &ep[ent], &nep[ent], &em[k].val))) return st;
            ent++; /* declared in this order */
        }
        for (size_t k = 0; k < ae->u.o.n; k++) {
            const uint32_t *parents = NULL;
            uint32_t np, self = 0;
            am[k].key = ae->u.o.members[k].key;
            if ((st = action(r, i, &ae->u.o.members[k], &pa, &parents, &np, &self, &am[k].val))) return st;
            ap[self] = parents;
            nap[self] = np;
        }
        top[i].key = sp->key;
        if (ce->u.o.n) put(m, &n, "commonTypes", sy_val_object(cm, ce->u.o.n));
        put(m, &n, "entityTypes", sy_val_object(em, ee->u.o.n));
        put(m, &n, "actions", sy_val_object(am, ae->u.o.n));
        if ((notes = symbi_value_getz(&sp->val, "annotations"))) put(m, &n, "annotations", *notes);
        top[i].val = sy_val_object(m, n);
    }
    r->out->root = sy_val_object(top, r->nspaces);
    if (r->out->arena.status) return nomem(r);
    if ((st = closure(r, s->nentities, ep, nep, anc, nanc, &cycle))) return st;
    for (uint32_t i = 0; i < s->nentities; i++) s->entities[i].anc = anc[i], s->entities[i].nanc = nanc[i];
    if ((st = closure(r, s->nactions, ap, nap, anc, nanc, &cycle))) return st;
    if (cycle != SY_NONE) return bad(r, NULL, "cycle in the action hierarchy containing `%.*s::\"%.*s\"`", SY_FMT(s->actions[cycle].uid.type), SY_FMT(s->actions[cycle].uid.id));
    for (uint32_t i = 0; i < s->nactions; i++) s->actions[i].anc = anc[i], s->actions[i].nanc = nanc[i];
    return SYMBI_OK;
}

symbi_status sy_cschema_build(symbi_ctx *cx, symbi_doc *doc, sy_cschema **out, symbi_err *err)
{
    resolver r;
    symbi_status st;
    sy_cschema *s = sy_calloc(&cx->shared, 1, sizeof *s);
    *out = NULL;
    memset(&r, 0, sizeof r);
    if (!s) {
        symbi_doc_unref(doc);
        return sy_fail_nomem(err);
    }
    sy_ref_init(&s->refs);
    s->alloc = cx->shared;
    s->doc = doc;
    sy_scratch_init(&s->mem, cx->shared, cx->limits.arena_bytes);
    sy_map_init(&s->entity_map, cx->shared, cx->seed);
    sy_map_init(&s->action_map, cx->shared, cx->seed);
    sy_map_init(&s->action_types, cx->shared, cx->seed);
    r.cx = cx;
    r.s = s;
    r.c.mem = &s->mem;
    r.c.err = err;
    r.depth = cx->limits.doc_depth;
    sy_map_init(&r.common_map, cx->alloc, cx->seed);
    if (symbi_doc_root(doc)->kind != SYMBI_OBJECT) {
        st = bad(&r, NULL, "a schema is an object of namespaces, found %s", KIND(symbi_doc_root(doc)));
    } else if (!(r.out = sy_doc_new(cx))) {
        st = sy_fail_nomem(err);
    } else {
        r.spaces = symbi_doc_root(doc)->u.o.members;
        r.nspaces = symbi_doc_root(doc)->u.o.n;
        st = build(&r);
        if (!st) st = symbi_doc_copy(cx, &r.out->root, &s->resolved, err); /* on its own feet */
    }
    symbi_doc_unref(r.out);
    sy_map_free(&r.common_map);
    if (st) symbi_cedar_schema_unref(s);
    else *out = s;
    return st;
}
