/* agentpin/pins.c: which keys a domain has shown (trust on first use). Domains stay in the order in which they came, as
 * upstream's file has them. Every change since the store was read is marked, so that merge can tell what is ours. */
#include "agentpin/pins.h"

symbi_status symbi_agentpin_pins_new(symbi_ctx *cx, symbi_agentpin_pins **out, symbi_err *err)
{
    symbi_agentpin_pins *p = *out = sy_calloc(&cx->alloc, 1, sizeof *p);
    if (!p) return sy_fail_nomem(err);
    p->alloc = cx->alloc;
    sy_arena_init(&p->arena, cx->alloc, cx->limits.arena_bytes);
    sy_map_init(&p->map, cx->alloc, cx->seed);
    return SYMBI_OK;
}

void symbi_agentpin_pins_free(symbi_agentpin_pins *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->n; i++) sy_free(&p->alloc, p->d[i].k, p->d[i].cap * sizeof *p->d[i].k);
    sy_free(&p->alloc, p->d, p->cap * sizeof *p->d);
    sy_free(&p->alloc, p->removed, p->cap_removed * sizeof *p->removed);
    sy_map_free(&p->map);
    sy_arena_free(&p->arena);
    sy_free(&p->alloc, p, sizeof *p);
}

const char *sy_pin_trust(symbi_str s)
{
    static const char *const names[] = { "tofu", "verified", "pinned" };
    for (int i = 0; i < 3; i++) {
        if (sy_str_eqz(s, names[i])) return names[i];
    }
    return NULL;
}

sy_pin_domain *sy_pin_find(const symbi_agentpin_pins *p, symbi_str domain)
{
    sy_map_entry *e = sy_map_find(&p->map, domain);
    return e ? &p->d[e->val.u] : NULL;
}

sy_pin_key *sy_pin_key_find(const sy_pin_domain *d, symbi_str hash)
{
    for (size_t i = 0; i < d->n; i++) {
        if (sy_str_eq(d->k[i].hash, hash)) return &d->k[i];
    }
    return NULL;
}

/* A failed arena refuses everything from then on; what is stored stays readable. */
static symbi_str keep(symbi_agentpin_pins *p, symbi_str s, symbi_err *err)
{
    symbi_str r = sy_arena_dup(&p->arena, s);
    if (!r.p) {
        (void)sy_arena_fail(&p->arena, "the pin store", err);
        if (p->arena.status == SYMBI_ENOMEM) p->arena.status = SYMBI_OK; /* the next attempt may find memory */
    }
    return r;
}

sy_pin_domain *sy_pin_domain_add(symbi_agentpin_pins *p, symbi_str domain, symbi_err *err)
{
    symbi_str name;
    sy_map_entry *e;
    bool fresh;
    void *list = p->d;
    if (p->n >= SYMBI_AGENTPIN_MAX_DOMAINS) {
        (void)sy_fail(err, SYMBI_ELIMIT, "the pin store holds %d domains, and that is the limit", SYMBI_AGENTPIN_MAX_DOMAINS);
        return NULL;
    }
    if (domain.n > SY_PIN_TEXT) {
        (void)sy_fail(err, SYMBI_ELIMIT, "a domain name of %zu bytes cannot be pinned", domain.n);
        return NULL;
    }
    if (sy_grow(&p->alloc, &list, &p->cap, p->n + 1, sizeof *p->d)) {
        (void)sy_fail_nomem(err);
        return NULL;
    }
    p->d = list;
    name = keep(p, domain, err);
    if (!name.p) return NULL;
    e = sy_map_put(&p->map, name, &fresh);
    if (!e) {
        (void)sy_fail_nomem(err);
        return NULL;
    }
    e->val.u = p->n;
    memset(&p->d[p->n], 0, sizeof *p->d);
    p->d[p->n].name = name;
    return &p->d[p->n++];
}

sy_pin_key *sy_pin_key_add(symbi_agentpin_pins *p, sy_pin_domain *d, symbi_str kid, symbi_str hash, symbi_err *err)
{
    void *list = d->k;
    sy_pin_key k = { .trust = "tofu" };
    if (d->n >= SYMBI_AGENTPIN_MAX_KEYS) {
        (void)sy_fail(err, SYMBI_ELIMIT, "'%.*s' has %d pinned keys, and that is the limit", SY_FMT(d->name), SYMBI_AGENTPIN_MAX_KEYS);
        return NULL;
    }
    if (kid.n > SY_PIN_TEXT || hash.n > SY_PIN_TEXT) {
        (void)sy_fail(err, SYMBI_ELIMIT, "a key id or hash longer than %d bytes cannot be pinned", SY_PIN_TEXT);
        return NULL;
    }
    if (sy_grow(&p->alloc, &list, &d->cap, d->n + 1, sizeof *d->k)) {
        (void)sy_fail_nomem(err);
        return NULL;
    }
    d->k = list;
    k.kid = keep(p, kid, err);
    if (k.kid.p) k.hash = keep(p, hash, err);
    if (!k.hash.p) return NULL;
    d->k[d->n] = k;
    return &d->k[d->n++];
}

/* The map knows no removal: it is filled again. On failure the store is as before. */
static symbi_status drop_domain(symbi_agentpin_pins *p, size_t at, symbi_err *err)
{
    sy_map fresh;
    sy_map_init(&fresh, p->alloc, p->map.seed);
    for (size_t i = 0, k = 0; i < p->n; i++) {
        sy_map_entry *e;
        bool is_new;
        if (i == at) continue;
        e = sy_map_put(&fresh, p->d[i].name, &is_new);
        if (!e) {
            sy_map_free(&fresh);
            return sy_fail_nomem(err);
        }
        e->val.u = k++;
    }
    sy_map_free(&p->map);
    p->map = fresh;
    sy_free(&p->alloc, p->d[at].k, p->d[at].cap * sizeof *p->d[at].k);
    memmove(&p->d[at], &p->d[at + 1], (p->n - at - 1) * sizeof *p->d);
    p->n--;
    return SYMBI_OK;
}

/* ---- checking ---- */

symbi_agentpin_pinning sy_ap_pins_look(const symbi_agentpin_pins *p, symbi_str domain, const char hash[65], symbi_str *first_seen)
{
    const sy_pin_domain *d = sy_pin_find(p, domain);
    if (!d) return SYMBI_AGENTPIN_PIN_NONE;
    if (d->n && first_seen) *first_seen = symbi_str_z(d->k[0].first);
    return sy_pin_key_find(d, symbi_str_z(hash)) ? SYMBI_AGENTPIN_PIN_MATCHED : SYMBI_AGENTPIN_PIN_CHANGED;
}

bool sy_ap_pins_room(const symbi_agentpin_pins *p, symbi_str domain)
{
    const sy_pin_domain *d = sy_pin_find(p, domain);
    return d ? d->n < SYMBI_AGENTPIN_MAX_KEYS : p->n < SYMBI_AGENTPIN_MAX_DOMAINS;
}

/* The first key of a domain: everything that can fail comes before the domain is there, for one without keys refuses all. */
static sy_pin_key *first_key(symbi_agentpin_pins *p, symbi_str domain, symbi_str kid, symbi_str hash, symbi_err *err)
{
    sy_pin_domain one = { .name = domain }, *d;
    sy_pin_key *k = sy_pin_key_add(p, &one, kid, hash, err);
    if (!k) {
        sy_free(&p->alloc, one.k, one.cap * sizeof *one.k);
        return NULL;
    }
    d = sy_pin_domain_add(p, domain, err);
    if (!d) {
        sy_free(&p->alloc, one.k, one.cap * sizeof *one.k);
        return NULL;
    }
    one.name = d->name;
    one.fresh = true;
    *d = one;
    return k;
}

symbi_status sy_ap_pins_put(symbi_agentpin_pins *p, symbi_str domain, symbi_str kid, const char hash[65], int64_t now, bool added, symbi_err *err)
{
    char t[SYMBI_AGENTPIN_TIME_CHARS];
    sy_pin_domain *d = sy_pin_find(p, domain);
    sy_pin_key *k = d ? sy_pin_key_find(d, symbi_str_z(hash)) : NULL;
    symbi_err local;
    symbi_err *e = err ? err : &local;
    symbi_agentpin_format_time(now, t);
    if (!k) {
        k = d ? sy_pin_key_add(p, d, kid, symbi_str_z(hash), e) : first_key(p, domain, kid, symbi_str_z(hash), e);
        if (!k) return e->code;
        k->fresh = !added;
        k->added = added;
        memcpy(k->first, t, sizeof t);
    }
    p->changed = true;
    memcpy(k->last, t, sizeof t);
    return SYMBI_OK;
}

symbi_status symbi_agentpin_pins_check(symbi_ctx *cx, symbi_agentpin_pins *p, symbi_str domain, const symbi_value *jwk, int64_t now, symbi_agentpin_pinning *out, symbi_err *err)
{
    char hash[65];
    symbi_agentpin_pinning is;
    symbi_status st = symbi_agentpin_thumbprint(cx, jwk, hash, err);
    *out = SYMBI_AGENTPIN_PIN_CHANGED;
    if (st) return st;
    is = sy_ap_pins_look(p, domain, hash, NULL);
    if (is == SYMBI_AGENTPIN_PIN_CHANGED) return SYMBI_OK;
    st = sy_ap_pins_put(p, domain, symbi_value_str(jwk, "kid", SY_LIT("")), hash, now, false, err);
    if (!st) *out = is == SYMBI_AGENTPIN_PIN_NONE ? SYMBI_AGENTPIN_PIN_FIRST_USE : is;
    return st;
}

symbi_status symbi_agentpin_pins_add(symbi_ctx *cx, symbi_agentpin_pins *p, symbi_str domain, const symbi_value *jwk, int64_t now, symbi_err *err)
{
    char hash[65];
    symbi_status st = symbi_agentpin_thumbprint(cx, jwk, hash, err);
    sy_pin_domain *d = sy_pin_find(p, domain);
    sy_pin_key *k = d && !st ? sy_pin_key_find(d, symbi_str_z(hash)) : NULL;
    if (st) return st;
    if (k) { /* as upstream: nothing to do; but a key that only came along is now wanted */
        if (!k->added) p->changed = true;
        k->added = true;
        return SYMBI_OK;
    }
    return sy_ap_pins_put(p, domain, symbi_value_str(jwk, "kid", SY_LIT("")), hash, now, true, err);
}

symbi_status symbi_agentpin_pins_remove(symbi_agentpin_pins *p, symbi_str domain, symbi_str hash, symbi_err *err)
{
    sy_pin_domain *d = sy_pin_find(p, domain);
    sy_pin_key *k = d && hash.n ? sy_pin_key_find(d, hash) : NULL;
    sy_pin_removed gone;
    void *list = p->removed;
    symbi_status st;
    if (!d || (hash.n && !k)) return sy_fail(err, SYMBI_ENOTFOUND, "%s of '%.*s' is pinned", d ? "no such key" : "no key", SY_FMT(domain));
    if (sy_grow(&p->alloc, &list, &p->cap_removed, p->nremoved + 1, sizeof *p->removed)) return sy_fail_nomem(err);
    p->removed = list;
    gone.domain = d->name;
    gone.hash = k ? k->hash : (symbi_str){ "", 0 };
    if (k) {
        size_t at = (size_t)(k - d->k);
        memmove(k, k + 1, (d->n - at - 1) * sizeof *k);
        d->n--;
    } else if ((st = drop_domain(p, (size_t)(d - p->d), err))) {
        return st;
    }
    p->removed[p->nremoved++] = gone;
    p->changed = true;
    return SYMBI_OK;
}

size_t symbi_agentpin_pins_count(const symbi_agentpin_pins *p) { return p->n; }
bool symbi_agentpin_pins_changed(const symbi_agentpin_pins *p) { return p->changed; }

void symbi_agentpin_pins_saved(symbi_agentpin_pins *p)
{
    for (size_t i = 0; i < p->n; i++) {
        p->d[i].fresh = false;
        for (size_t k = 0; k < p->d[i].n; k++) p->d[i].k[k].fresh = p->d[i].k[k].added = false;
    }
    p->nremoved = 0;
    p->changed = false;
}

/* ---- two processes ---- */

static bool was_removed(const symbi_agentpin_pins *p, symbi_str domain, symbi_str hash)
{
    for (size_t i = 0; i < p->nremoved; i++) {
        if (sy_str_eq(p->removed[i].domain, domain) && (!p->removed[i].hash.n || sy_str_eq(p->removed[i].hash, hash))) return true;
    }
    return false;
}

static bool later(const char *a, const char *b)
{
    int64_t x, y;
    return symbi_agentpin_parse_time(symbi_str_z(a), &x) && (!symbi_agentpin_parse_time(symbi_str_z(b), &y) || x > y);
}

static symbi_status take_domain(symbi_agentpin_pins *out, const sy_pin_domain *from, symbi_err *err)
{
    symbi_err local;
    symbi_err *e = err ? err : &local;
    sy_pin_domain *d = sy_pin_domain_add(out, from->name, e);
    if (!d) return e->code;
    d->fresh = from->fresh;
    for (size_t i = 0; i < from->n; i++) {
        sy_pin_key *k = sy_pin_key_add(out, d, from->k[i].kid, from->k[i].hash, e), text;
        if (!k) return e->code;
        text = *k;
        *k = from->k[i];
        k->kid = text.kid;
        k->hash = text.hash;
    }
    return SYMBI_OK;
}

/* One domain that both know. */
static symbi_status join(symbi_agentpin_pins *out, sy_pin_domain *d, const sy_pin_domain *ours, const symbi_agentpin_pins *p, size_t *conflicts, symbi_err *err)
{
    symbi_err local;
    symbi_err *e = err ? err : &local;
    bool conflict = false;
    for (size_t i = 0; i < ours->n; i++) {
        const sy_pin_key *mine = &ours->k[i];
        sy_pin_key *k = sy_pin_key_find(d, mine->hash);
        if (k) {
            if (later(mine->last, k->last)) memcpy(k->last, mine->last, sizeof k->last);
            if (later(k->first, mine->first)) memcpy(k->first, mine->first, sizeof k->first);
        } else if (mine->added || (mine->fresh && was_removed(p, ours->name, (symbi_str){ "", 0 }))) {
            k = sy_pin_key_add(out, d, mine->kid, mine->hash, e);
            if (!k) return e->code;
            memcpy(k->first, mine->first, sizeof k->first);
            memcpy(k->last, mine->last, sizeof k->last);
            k->trust = mine->trust;
        } else if (mine->fresh) {
            conflict = true; /* someone else was there first, with another key */
        } /* else: it was on disk, and someone took it out */
    }
    if (conflict) ++*conflicts;
    return SYMBI_OK;
}

symbi_status symbi_agentpin_pins_merge(symbi_agentpin_pins *p, const symbi_agentpin_pins *disk, size_t *conflicts, symbi_err *err)
{
    symbi_agentpin_pins out = *p, old;
    symbi_status st = SYMBI_OK;
    size_t clash = 0;
    if (conflicts) *conflicts = 0;
    /* Built beside the old one, so that a failure leaves the old one as it was. */
    sy_arena_init(&out.arena, p->alloc, p->arena.limit);
    sy_map_init(&out.map, p->alloc, p->map.seed);
    out.d = NULL;
    out.n = out.cap = 0;
    for (size_t i = 0; !st && i < disk->n; i++) {
        const sy_pin_domain *theirs = &disk->d[i], *ours = sy_pin_find(p, theirs->name);
        sy_pin_domain *d;
        if (!ours && was_removed(p, theirs->name, (symbi_str){ "", 0 })) continue;
        if ((st = take_domain(&out, theirs, err))) break;
        d = &out.d[out.n - 1];
        for (size_t k = 0; k < d->n;) {
            if ((!ours || !sy_pin_key_find(ours, d->k[k].hash)) && was_removed(p, d->name, d->k[k].hash)) {
                memmove(&d->k[k], &d->k[k + 1], (d->n - k - 1) * sizeof *d->k);
                d->n--;
            } else {
                k++;
            }
        }
        if (ours) st = join(&out, d, ours, p, &clash, err);
    }
    for (size_t i = 0; !st && i < p->n; i++) {
        if (sy_pin_find(disk, p->d[i].name)) continue;
        if (!p->d[i].fresh) { /* someone removed it: only what was put in by hand since then comes back */
            bool added = false;
            for (size_t k = 0; k < p->d[i].n; k++) added = added || p->d[i].k[k].added;
            if (!added) continue;
        }
        st = take_domain(&out, &p->d[i], err);
    }
    old = st ? out : *p;
    if (!st) {
        *p = out;
        p->changed = true;
        if (conflicts) *conflicts = clash;
    }
    for (size_t i = 0; i < old.n; i++) sy_free(&old.alloc, old.d[i].k, old.d[i].cap * sizeof *old.d[i].k);
    sy_free(&old.alloc, old.d, old.cap * sizeof *old.d);
    sy_map_free(&old.map);
    /* what was removed names texts of the old arena */
    for (size_t i = 0; !st && i < p->nremoved; i++) {
        symbi_str dn = sy_arena_dup(&p->arena, p->removed[i].domain), h = sy_arena_dup(&p->arena, p->removed[i].hash);
        if (!dn.p || !h.p) { /* they are done with: this store is what goes to disk now */
            p->arena.status = SYMBI_OK;
            p->nremoved = i;
            break;
        }
        p->removed[i].domain = dn;
        p->removed[i].hash = h;
    }
    sy_arena_free(&old.arena);
    return st;
}
