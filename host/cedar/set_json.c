/* cedar/set_json.c: policy sets as JSON (spec 10.3), templates and links. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/est.h"
#include "cedar/parse.h"
#include "symbi/json.h"

#include <stdio.h>
#include <string.h>

typedef struct loader {
    sy_cbuild b;
    sy_cconv c;
    sy_map templates; /* id -> policy index */
    symbi_err err;
} loader;

/* A policy text. want: exactly one policy of that role with that id; else any number of static ones, numbered from `first`. */
static symbi_status text(loader *l, symbi_str t, const symbi_str *id, symbi_cedar_role want, const sy_cpath *at)
{
    size_t before = l->b.npolicies;
    symbi_str none = { "", 0 };
    sy_csource own;
    sy_cparse p;
    symbi_status st;
    if (t.n > l->b.cx->limits.policy_bytes) return sy_cconv_fail(&l->c, SYMBI_ELIMIT, at, "the policy text is larger than %zu bytes", l->b.cx->limits.policy_bytes);
    if (!sy_cbuild_source(&l->b, id ? *id : none, t, &own)) return sy_cbuild_nomem(&l->b, &l->err);
    sy_cparse_init(&p, &l->b, own.name, own.text);
    p.id = id;
    p.number_from = before;
    st = sy_cparse_policies(&p);
    sy_cparse_free(&p);
    if (st) return st;
    if (id && l->b.npolicies != before + 1)
        return sy_cconv_fail(&l->c, SYMBI_ESCHEMA, at, "expected exactly one policy, found %zu", l->b.npolicies - before);
    for (size_t i = before; i < l->b.npolicies; i++)
        if (l->b.policies[i].role != want)
            return sy_cconv_fail(&l->c, SYMBI_ESCHEMA, at, want == SYMBI_CEDAR_TEMPLATE ? "expected a template, got a static policy" : "expected a static policy, got a template (slots belong into `templates`)");
    return SYMBI_OK;
}

static symbi_status named(loader *l, const symbi_value *v, symbi_cedar_role want, const sy_cpath *at)
{
    symbi_status st;
    for (size_t i = 0; i < v->u.o.n; i++) {
        const symbi_member *m = &v->u.o.members[i];
        sy_cpath here = { at, m->key, 0 };
        bool fresh;
        sy_map_entry *e;
        if (!here.key.p) here.key.p = "";
        if (m->val.kind == SYMBI_STRING) st = text(l, m->val.u.s, &here.key, want, &here);
        else st = sy_cest_read(&l->b, &m->val, m->key, want, &here);
        if (st) return st;
        if (want == SYMBI_CEDAR_TEMPLATE) {
            e = sy_map_put(&l->templates, m->key, &fresh);
            if (!e) return sy_fail_nomem(&l->err);
            e->val.u = l->b.npolicies - 1;
        }
    }
    return SYMBI_OK;
}

static symbi_status statics(loader *l, const symbi_value *v)
{
    sy_cpath at = { NULL, SY_LIT("staticPolicies"), 0 };
    symbi_status st;
    if (v->kind == SYMBI_STRING) return text(l, v->u.s, NULL, SYMBI_CEDAR_STATIC, &at);
    if (v->kind == SYMBI_OBJECT) return named(l, v, SYMBI_CEDAR_STATIC, &at);
    if (v->kind != SYMBI_ARRAY) return sy_cconv_fail(&l->c, SYMBI_ESCHEMA, &at, "static policies are a text, an object or an array");
    for (size_t i = 0; i < v->u.a.n; i++) {
        sy_cpath here = { &at, { NULL, 0 }, i };
        const symbi_value *e = &v->u.a.items[i];
        if (e->kind == SYMBI_STRING) st = text(l, e->u.s, NULL, SYMBI_CEDAR_STATIC, &here);
        else st = sy_cest_read(&l->b, e, SY_LIT("JSON policy"), SYMBI_CEDAR_STATIC, &here);
        if (st) return st;
    }
    return SYMBI_OK;
}

/* The link of template index t. fill: uids or SY_NONE. */
static symbi_status add_link(sy_cbuild *b, uint32_t t, symbi_str id, const uint32_t fill[2], symbi_err *err)
{
    const sy_cpolicy tp = b->policies[t];
    bool need[2] = { (tp.slots >> SY_VAR_PRINCIPAL) & 1, (tp.slots >> SY_VAR_RESOURCE) & 1 };
    static const char *const names[] = { "?principal", "?resource" };
    sy_cpolicy p;
    char note[200];
    for (int k = 0; k < 2; k++) {
        if (need[k] && fill[k] == SY_NONE) return sy_fail(err, SYMBI_ESCHEMA, "the following slots were not provided as arguments: %s", names[k]);
        if (!need[k] && fill[k] != SY_NONE)
            return sy_fail(err, SYMBI_ESCHEMA, "the following slots were provided as arguments, but did not exist in the template: %s", names[k]);
    }
    p = tp;
    p.role = SYMBI_CEDAR_LINK;
    p.tmpl = t;
    p.id = sy_cbuild_str(b, id, false);
    p.fill[0] = fill[0];
    p.fill[1] = fill[1];
    if (b->failed_mem || !sy_cbuild_policy(b, &p)) return sy_cbuild_nomem(b, err);
    /* so that the set's hash knows of the link: a source that no policy text is in */
    {
        sy_csource own;
        sy_buf w;
        symbi_status st;
        snprintf(note, sizeof note, "link %u", t);
        sy_buf_init(&w, b->cx->alloc, b->cx->limits.doc_bytes);
        sy_buf_addz(&w, note);
        for (int k = 0; k < 2; k++)
            if (fill[k] != SY_NONE) sy_buf_addc(&w, ' '), sy_cuid_print(&w, &b->uids[fill[k]]);
        st = sy_buf_status(&w);
        if (!st && !sy_cbuild_source(b, id, sy_buf_str(&w), &own)) st = SYMBI_ENOMEM;
        sy_buf_free(&w);
        if (st) return sy_cbuild_nomem(b, err);
    }
    return SYMBI_OK;
}

static symbi_status links(loader *l, const symbi_value *v)
{
    sy_cpath at = { NULL, SY_LIT("templateLinks"), 0 };
    symbi_status st;
    if (v->kind != SYMBI_ARRAY) return sy_cconv_fail(&l->c, SYMBI_ESCHEMA, &at, "template links are an array");
    for (size_t i = 0; i < v->u.a.n; i++) {
        sy_cpath here = { &at, { NULL, 0 }, i };
        const symbi_value *e = &v->u.a.items[i], *t = symbi_value_getz(e, "templateId"), *id = symbi_value_getz(e, "newId"), *val = symbi_value_getz(e, "values");
        uint32_t fill[2] = { SY_NONE, SY_NONE };
        sy_map_entry *m;
        if (!t || t->kind != SYMBI_STRING || !id || id->kind != SYMBI_STRING || !val || val->kind != SYMBI_OBJECT)
            return sy_cconv_fail(&l->c, SYMBI_ESCHEMA, &here, "a template link needs templateId, newId and values");
        m = sy_map_find(&l->templates, t->u.s);
        if (!m) return sy_cconv_fail(&l->c, SYMBI_ESCHEMA, &here, "failed to find a template with id `%.*s`", SY_FMT(t->u.s));
        for (size_t k = 0; k < val->u.o.n; k++) {
            symbi_str key = val->u.o.members[k].key;
            sy_cpath pk = { &here, key, 0 };
            int which = sy_str_eqz(key, "?principal") ? 0 : sy_str_eqz(key, "?resource") ? 1 : -1;
            sy_cuid u;
            if (which < 0) return sy_cconv_fail(&l->c, SYMBI_ESCHEMA, &pk, "`%.*s` is not a slot; there are ?principal and ?resource", SY_FMT(key));
            if ((st = sy_cconvert_uid(&l->c, &val->u.o.members[k].val, &pk, &u))) return st;
            fill[which] = sy_cbuild_uid(&l->b, sy_cbuild_str(&l->b, u.type, false), sy_cbuild_str(&l->b, u.id, false));
            if (l->b.failed_mem) return sy_cbuild_nomem(&l->b, &l->err);
        }
        if ((st = add_link(&l->b, (uint32_t)m->val.u, id->u.s, fill, &l->err))) {
            char msg[sizeof l->err.msg];
            memcpy(msg, l->err.msg, sizeof msg);
            return st == SYMBI_ESCHEMA ? sy_cconv_fail(&l->c, st, &here, "%s", msg) : st;
        }
    }
    return SYMBI_OK;
}

symbi_status symbi_cedar_from_json(symbi_ctx *cx, const symbi_value *v, unsigned flags, symbi_cedar **out, symbi_err *err)
{
    static const char *const known[] = { "staticPolicies", "templates", "templateLinks" };
    loader l;
    symbi_status st;
    const symbi_value *s = NULL, *t = NULL, *k = NULL;
    *out = NULL;
    memset(&l, 0, sizeof l);
    if ((st = sy_cbuild_init(&l.b, cx, flags, &l.err))) goto out;
    l.c.mem = &l.b.set->mem;
    l.c.depth = cx->limits.doc_depth;
    l.c.err = &l.err;
    sy_map_init(&l.templates, cx->alloc, cx->seed);
    if (symbi_value_getz(v, "effect")) { /* one policy by itself */
        st = sy_cest_read(&l.b, v, SY_LIT("policy0"), SYMBI_CEDAR_STATIC, NULL);
    } else if (v->kind != SYMBI_OBJECT) {
        st = statics(&l, v);
    } else {
        for (size_t i = 0; i < v->u.o.n && !st; i++) {
            size_t j = 0;
            while (j < 3 && !sy_str_eqz(v->u.o.members[i].key, known[j])) j++;
            if (j == 3)
                st = sy_cconv_fail(&l.c, SYMBI_ESCHEMA, NULL, "unknown member `%.*s`; a policy set has staticPolicies, templates and templateLinks", SY_FMT(v->u.o.members[i].key));
        }
        s = symbi_value_getz(v, known[0]);
        t = symbi_value_getz(v, known[1]);
        k = symbi_value_getz(v, known[2]);
        if (!st && s) st = statics(&l, s);
        if (!st && t) {
            sy_cpath at = { NULL, SY_LIT("templates"), 0 };
            st = t->kind == SYMBI_OBJECT ? named(&l, t, SYMBI_CEDAR_TEMPLATE, &at) : sy_cconv_fail(&l.c, SYMBI_ESCHEMA, &at, "templates are an object");
        }
        if (!st && k) st = links(&l, k);
    }
    sy_map_free(&l.templates);
    if (st) sy_cbuild_abort(&l.b);
    else st = sy_cbuild_finish(&l.b, out);
out:
    if (st && err) *err = l.err;
    return st;
}

/* Links are made by building the set again with one more policy: sets are immutable, and small next to what runs on them. */
symbi_status symbi_cedar_link(symbi_ctx *cx, const symbi_cedar *set, symbi_str template_id, symbi_str new_id, const symbi_cedar_uid *principal, const symbi_cedar_uid *resource,
                              symbi_cedar **out, symbi_err *err)
{
    sy_cbuild b;
    symbi_err e;
    symbi_status st;
    const symbi_cedar_uid *u[2] = { principal, resource };
    uint32_t fill[2] = { SY_NONE, SY_NONE };
    size_t t = symbi_cedar_find(set, template_id);
    *out = NULL;
    if (t == SIZE_MAX || set->policies[t].role != SYMBI_CEDAR_TEMPLATE)
        return sy_fail(err, SYMBI_ENOTFOUND, "failed to find a template with id `%.*s`", SY_FMT(template_id));
    for (int k = 0; k < 2; k++)
        if (u[k] && !sy_cname_valid(u[k]->type)) return sy_fail(err, SYMBI_EINVAL, "`%.*s` is not an entity type", SY_FMT(u[k]->type));
    symbi_err_clear(&e);
    st = sy_cbuild_copy(&b, cx, set, &e);
    for (int k = 0; k < 2 && !st; k++)
        if (u[k]) fill[k] = sy_cbuild_uid(&b, sy_cbuild_str(&b, u[k]->type, false), sy_cbuild_str(&b, u[k]->id, false));
    if (!st && b.failed_mem) st = sy_cbuild_nomem(&b, &e);
    if (!st) st = add_link(&b, (uint32_t)t, new_id, fill, &e);
    if (st) sy_cbuild_abort(&b);
    else st = sy_cbuild_finish(&b, out);
    if (st && err) *err = e;
    return st;
}

symbi_status symbi_cedar_policy_to_json(symbi_ctx *cx, const symbi_cedar *set, size_t i, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d;
    symbi_status st;
    *out = NULL;
    if (i >= set->npolicies) return sy_fail(err, SYMBI_ENOTFOUND, "there is no policy %zu", i);
    if (!(d = sy_doc_new(cx))) return sy_fail_nomem(err);
    st = sy_cest_write(cx, set, (uint32_t)i, d, &d->root, err);
    if (st) symbi_doc_unref(d);
    else *out = d;
    return st;
}

static symbi_value uid_json(sy_arena *a, const sy_cuid *u)
{
    symbi_member *m = sy_arena_calloc(a, 2, sizeof *m);
    if (!m) return sy_val_null();
    m[0].key = SY_LIT("type");
    m[0].val = sy_val_str(sy_arena_dup(a, u->type));
    m[1].key = SY_LIT("id");
    m[1].val = sy_val_str(sy_arena_dup(a, u->id));
    return sy_val_object(m, 2);
}

symbi_status symbi_cedar_to_json(symbi_ctx *cx, const symbi_cedar *set, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d = sy_doc_new(cx);
    symbi_member *top, *pol[2];
    symbi_value *link;
    size_t n[2] = { 0, 0 }, nl = 0;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    top = sy_arena_calloc(&d->arena, 3, sizeof *top);
    pol[0] = sy_arena_calloc(&d->arena, (size_t)set->npolicies + 1, sizeof *pol[0]);
    pol[1] = sy_arena_calloc(&d->arena, (size_t)set->npolicies + 1, sizeof *pol[1]);
    link = sy_arena_calloc(&d->arena, (size_t)set->npolicies + 1, sizeof *link);
    if (!top || !pol[0] || !pol[1] || !link) st = sy_arena_fail(&d->arena, "the JSON of this policy set", err);
    for (uint32_t i = 0; i < set->npolicies && !st; i++) {
        const sy_cpolicy *p = &set->policies[i];
        if (p->role != SYMBI_CEDAR_LINK) {
            symbi_member *m = &pol[p->role == SYMBI_CEDAR_TEMPLATE][n[p->role == SYMBI_CEDAR_TEMPLATE]++];
            m->key = sy_arena_dup(&d->arena, set->strs[p->id]);
            st = sy_cest_write(cx, set, i, d, &m->val, err);
        } else {
            symbi_member *m = sy_arena_calloc(&d->arena, 3, sizeof *m), *v = sy_arena_calloc(&d->arena, 2, sizeof *v);
            size_t k = 0;
            if (!m || !v) break;
            m[0].key = SY_LIT("templateId");
            m[0].val = sy_val_str(sy_arena_dup(&d->arena, set->strs[set->policies[p->tmpl].id]));
            m[1].key = SY_LIT("newId");
            m[1].val = sy_val_str(sy_arena_dup(&d->arena, set->strs[p->id]));
            for (int s = 0; s < 2; s++)
                if (p->fill[s] != SY_NONE) {
                    v[k].key = s ? SY_LIT("?resource") : SY_LIT("?principal");
                    v[k++].val = uid_json(&d->arena, &set->uids[p->fill[s]]);
                }
            m[2].key = SY_LIT("values");
            m[2].val = sy_val_object(v, k);
            link[nl++] = sy_val_object(m, 3);
        }
    }
    if (!st && d->arena.status) st = sy_arena_fail(&d->arena, "the JSON of this policy set", err);
    if (st) {
        symbi_doc_unref(d);
        return st;
    }
    top[0].key = SY_LIT("staticPolicies");
    top[0].val = sy_val_object(pol[0], n[0]);
    top[1].key = SY_LIT("templates");
    top[1].val = sy_val_object(pol[1], n[1]);
    top[2].key = SY_LIT("templateLinks");
    top[2].val = sy_val_array(link, nl);
    d->root = sy_val_object(top, 3);
    *out = d;
    return SYMBI_OK;
}
