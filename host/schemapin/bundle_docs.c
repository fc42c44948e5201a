/* schemapin/bundle_docs.c: what a trust bundle holds for a domain, and several bundles as one. Merging never forgets a revocation:
 * whatever any of the bundles revokes stays revoked, also where a newer one says less. */
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "codec/build.h"
#include "schemapin/docs.h"
#include "symbi/schemapin_net.h"

#include <stdlib.h>

static const symbi_value *entry_of(const symbi_value *list, symbi_str domain)
{
    if (!list || list->kind != SYMBI_ARRAY) return NULL;
    for (size_t i = 0; i < list->u.a.n; i++) {
        const symbi_value *d = symbi_value_getz(&list->u.a.items[i], "domain");
        if (d && d->kind == SYMBI_STRING && sy_str_eq(d->u.s, domain)) return &list->u.a.items[i];
    }
    return NULL;
}

symbi_status symbi_schemapin_bundle_find(symbi_ctx *cx, const symbi_value *bundle, symbi_str domain, symbi_doc **discovery, symbi_doc **revocation, symbi_err *err)
{
    const symbi_value *d = entry_of(symbi_value_getz(bundle, "documents"), domain), *r = entry_of(symbi_value_getz(bundle, "revocations"), domain);
    symbi_status st = SYMBI_OK;
    *discovery = *revocation = NULL;
    if (bundle->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "a trust bundle is an object");
    if (d) {
        sy_arena a;
        symbi_member *m;
        size_t n = 0;
        sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
        m = sy_arena_calloc(&a, d->u.o.n, sizeof *m);
        for (size_t i = 0; m && i < d->u.o.n; i++)
            if (!sy_str_eqz(d->u.o.members[i].key, "domain")) m[n++] = d->u.o.members[i];
        if (m) {
            symbi_value v = sy_val_object(m, n);
            st = symbi_doc_copy(cx, &v, discovery, err);
        } else st = sy_arena_fail(&a, "the document", err);
        sy_arena_free(&a);
    }
    if (!st && r) st = symbi_doc_copy(cx, r, revocation, err);
    if (st) {
        symbi_doc_unref(*discovery);
        *discovery = NULL;
    }
    return st;
}

/* ---- merging --------------------------------------------------------------------------------------------------------- */

/* One domain's entries: the newest, and all of them (a chain of indices + 1) for their revocations. */
typedef struct link {
    const symbi_value *v;
    size_t next;
} link;
typedef struct slot {
    const symbi_value *best;
    symbi_str stamp, domain;
    size_t first, last;
} slot;

typedef struct merge {
    symbi_ctx *cx;
    sy_arena *a;
    const symbi_value *bundles;
    sy_map map;
    symbi_err *err;
} merge;

/* Is a later than b? As times where both are, else as text. */
static bool later(symbi_str a, symbi_str b)
{
    int64_t x, y;
    if (symbi_schemapin_time(a, &x) && symbi_schemapin_time(b, &y)) return x > y;
    return sy_str_cmp(a, b) > 0;
}

static symbi_str stamp_of(const symbi_value *bundle)
{
    symbi_str s = symbi_value_str(bundle, "signed_at", SY_LIT(""));
    return s.n ? s : symbi_value_str(bundle, "created_at", SY_LIT(""));
}

static symbi_str identity(const symbi_value *entry)
{
    return entry->kind == SYMBI_STRING ? entry->u.s : symbi_value_str(entry, "fingerprint", SY_LIT(""));
}

static int by_domain(const void *a, const void *b)
{
    return sy_str_cmp(((const slot *)a)->domain, ((const slot *)b)->domain);
}

/* The entries of keys that were not seen yet, to all; false when out of memory. own: also those that were. */
static bool gather(sy_map *seen, sy_arr *all, const symbi_value *entry, bool own, size_t *extra)
{
    const symbi_value *keys = symbi_value_getz(entry, "revoked_keys");
    for (size_t i = 0; keys && keys->kind == SYMBI_ARRAY && i < keys->u.a.n; i++) {
        bool fresh;
        if (!sy_map_put(seen, identity(&keys->u.a.items[i]), &fresh)) return false;
        if (!fresh && !own) continue;
        sy_arr_add(all, keys->u.a.items[i]);
        if (!own) ++*extra;
    }
    return true;
}

/* revoked_keys of the best entry, and of every other entry of the domain what it has not. */
static symbi_status union_of(merge *m, const link *links, const slot *s, symbi_value *out)
{
    const symbi_value *own = symbi_value_getz(s->best, "revoked_keys");
    sy_arr all = sy_arr_new(m->a);
    sy_map seen;
    size_t extra = 0;
    symbi_member *members;
    bool ok;
    *out = *s->best;
    if (s->first == s->last) return SYMBI_OK;
    sy_map_init(&seen, m->cx->alloc, m->cx->seed);
    ok = gather(&seen, &all, s->best, true, &extra);
    for (size_t k = s->first; ok && k; k = links[k - 1].next) ok = gather(&seen, &all, links[k - 1].v, false, &extra);
    sy_map_free(&seen);
    if (!ok) return sy_fail_nomem(m->err);
    if (!extra) return SYMBI_OK;
    members = sy_arena_calloc(m->a, s->best->u.o.n + 1, sizeof *members);
    if (members) {
        size_t n = s->best->u.o.n, i = 0;
        for (; i < n; i++) {
            members[i] = s->best->u.o.members[i];
            if (own && &s->best->u.o.members[i].val == own) members[i].val = sy_arr_value(&all);
        }
        if (!own) {
            members[n].key = SY_LIT("revoked_keys");
            members[n++].val = sy_arr_value(&all);
        }
        *out = sy_val_object(members, n);
    }
    return m->a->status ? sy_arena_fail(m->a, "the bundle", m->err) : SYMBI_OK;
}

static symbi_status merge_list(merge *m, const char *list, symbi_value *out)
{
    slot *s = NULL;
    link *links;
    size_t total = 0, n = 0, k = 0;
    symbi_value *v;
    for (size_t b = 0; b < m->bundles->u.a.n; b++) {
        const symbi_value *l = symbi_value_getz(&m->bundles->u.a.items[b], list);
        if (l && l->kind == SYMBI_ARRAY) total += l->u.a.n;
    }
    if (total > SYMBI_SCHEMAPIN_MAX_BUNDLE_DOCUMENTS) return sy_fail(m->err, SYMBI_ELIMIT, "more than %d documents", SYMBI_SCHEMAPIN_MAX_BUNDLE_DOCUMENTS);
    s = sy_arena_calloc(m->a, total + 1, sizeof *s);
    v = sy_arena_calloc(m->a, total + 1, sizeof *v);
    links = sy_arena_calloc(m->a, total + 1, sizeof *links);
    if (!s || !v || !links) return sy_arena_fail(m->a, "the bundle", m->err);
    sy_map_clear(&m->map);
    for (size_t b = 0; b < m->bundles->u.a.n; b++) {
        const symbi_value *l = symbi_value_getz(&m->bundles->u.a.items[b], list);
        symbi_str stamp = stamp_of(&m->bundles->u.a.items[b]);
        for (size_t i = 0; l && l->kind == SYMBI_ARRAY && i < l->u.a.n; i++) {
            const symbi_value *d = symbi_value_getz(&l->u.a.items[i], "domain");
            sy_map_entry *e;
            bool fresh;
            if (!d || d->kind != SYMBI_STRING) return sy_fail(m->err, SYMBI_ESCHEMA, "an entry of %s without a domain", list);
            e = sy_map_put(&m->map, d->u.s, &fresh);
            if (!e) return sy_fail_nomem(m->err);
            links[k++].v = &l->u.a.items[i];
            if (fresh) {
                e->val.u = n;
                s[n].first = s[n].last = k;
                s[n].domain = d->u.s;
                s[n].best = &l->u.a.items[i];
                s[n++].stamp = stamp;
            } else {
                slot *own = &s[e->val.u];
                links[own->last - 1].next = k;
                own->last = k;
                if (!later(stamp, own->stamp)) continue;
                own->best = &l->u.a.items[i];
                own->stamp = stamp;
            }
        }
    }
    if (n > 1) qsort(s, n, sizeof *s, by_domain);
    for (size_t i = 0; i < n; i++) {
        symbi_status st = union_of(m, links, &s[i], &v[i]);
        if (st) return st;
    }
    *out = sy_val_array(v, n);
    return SYMBI_OK;
}

symbi_status symbi_schemapin_bundle_merge(symbi_ctx *cx, const symbi_value *bundles, symbi_doc **out, symbi_err *err)
{
    sy_arena a;
    merge m = { .cx = cx, .a = &a, .bundles = bundles, .err = err };
    symbi_value documents, revocations, root;
    symbi_str newest = SY_LIT("");
    sy_obj o;
    symbi_status st;
    *out = NULL;
    if (bundles->kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_ESCHEMA, "a list of trust bundles is expected");
    if (bundles->u.a.n > SYMBI_SCHEMAPIN_MAX_BUNDLES) return sy_fail(err, SYMBI_ELIMIT, "more than %d bundles", SYMBI_SCHEMAPIN_MAX_BUNDLES);
    for (size_t i = 0; i < bundles->u.a.n; i++) {
        if (bundles->u.a.items[i].kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "a trust bundle is an object");
        if (!newest.n || later(stamp_of(&bundles->u.a.items[i]), newest)) newest = stamp_of(&bundles->u.a.items[i]);
    }
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    sy_map_init(&m.map, cx->alloc, cx->seed);
    st = merge_list(&m, "documents", &documents);
    if (!st) st = merge_list(&m, "revocations", &revocations);
    if (!st) {
        o = sy_obj_new(&a);
        sy_obj_str(&o, "schemapin_bundle_version", SY_LIT("1.4"));
        sy_obj_str(&o, "created_at", newest);
        sy_obj_put(&o, "documents", documents);
        sy_obj_put(&o, "revocations", revocations);
        root = sy_obj_value(&o);
        st = a.status ? sy_arena_fail(&a, "the bundle", err) : symbi_doc_copy(cx, &root, out, err);
    }
    sy_map_free(&m.map);
    sy_arena_free(&a);
    return st;
}
