/* schemapin/cache.c: the decision cache. A remembered result is found by the exact bytes of the schema and of everything else that
 * the check looked at: compared, not trusted to a hash, so that nobody can make two checks collide. Documents count by identity
 * (they are immutable, and the cache holds them, so that no other can get their address); pins count by their generation, which
 * changes with every pin and policy. Only valid results are kept: a refusal is always computed anew. */
#include "schemapin/cache.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

enum { WAYS = 4, MAX_TEXT = 64 << 10 };

typedef struct entry {
    uint64_t hash, used;
    char *bytes; /* key, then the schema's text */
    size_t nkey, njson;
    symbi_schemapin_result *result;
    const symbi_schemapin_discovery *discovery; /* references */
    const symbi_schemapin_revocation *revocation;
    int64_t from, until; /* of now, inclusive */
} entry;

struct symbi_schemapin_cache {
    symbi_ctx *cx;
    entry *e;
    size_t sets;
    size_t bytes, max_bytes;
    int64_t max_age;
    uint64_t tick, hits, misses;
};

symbi_status symbi_schemapin_cache_new(symbi_ctx *cx, size_t entries, size_t bytes, int64_t max_age, symbi_schemapin_cache **out, symbi_err *err)
{
    symbi_schemapin_cache *c;
    size_t sets = 1;
    *out = NULL;
    if (!entries) entries = 256;
    if (entries > 65536) return sy_fail(err, SYMBI_ELIMIT, "a cache of more than 65536 entries");
    while (sets * WAYS < entries) sets *= 2;
    c = sy_calloc(&cx->alloc, 1, sizeof *c);
    if (!c) return sy_fail_nomem(err);
    c->cx = cx;
    c->sets = sets;
    c->max_bytes = bytes ? bytes : (size_t)4 << 20;
    c->max_age = max_age > 0 ? max_age : 300;
    c->e = sy_calloc(&cx->alloc, sets * WAYS, sizeof *c->e);
    if (!c->e) {
        sy_free(&cx->alloc, c, sizeof *c);
        return sy_fail_nomem(err);
    }
    *out = c;
    return SYMBI_OK;
}

static void forget(symbi_schemapin_cache *c, entry *e)
{
    if (!e->result) return;
    c->bytes -= e->nkey + e->njson;
    sy_free(&c->cx->alloc, e->bytes, e->nkey + e->njson);
    symbi_schemapin_result_unref(e->result);
    symbi_schemapin_discovery_unref((symbi_schemapin_discovery *)(uintptr_t)e->discovery);
    symbi_schemapin_revocation_unref((symbi_schemapin_revocation *)(uintptr_t)e->revocation);
    memset(e, 0, sizeof *e);
}

void symbi_schemapin_cache_free(symbi_schemapin_cache *c)
{
    if (!c) return;
    for (size_t i = 0; i < c->sets * WAYS; i++) forget(c, &c->e[i]);
    sy_free(&c->cx->alloc, c->e, c->sets * WAYS * sizeof *c->e);
    sy_free(&c->cx->alloc, c, sizeof *c);
}

void symbi_schemapin_cache_stats(const symbi_schemapin_cache *c, uint64_t *hits, uint64_t *misses)
{
    *hits = c->hits;
    *misses = c->misses;
}

static bool add(sy_sp_cache_key *k, const void *p, size_t n)
{
    if (n > SY_SP_KEY_MAX - k->n) return false;
    if (n) memcpy(k->bytes + k->n, p, n);
    k->n += n;
    return true;
}

/* A length before each text, so that no two checks flatten to the same bytes; the length of NULL is one that no text has. */
static bool add_str(sy_sp_cache_key *k, symbi_str s)
{
    size_t n = s.p ? s.n : SIZE_MAX;
    return add(k, &n, sizeof n) && (!s.p || add(k, s.p, s.n));
}

static bool flatten(const symbi_schemapin_check *c, sy_sp_cache_key *k)
{
    const symbi_schemapin_meta *m = &c->meta;
    const uint64_t generation = c->pins ? symbi_schemapin_pins_generation(c->pins) : 0;
    const void *const docs[] = { c->discovery, c->revocation, c->pins };
    const uint8_t bits[] = { c->embedded, c->allow_single, c->allow_runtime, c->only_pinned, c->strict, m->refuse_expired, c->signed_file };
    k->n = 0;
    return add(k, docs, sizeof docs) && add(k, &generation, sizeof generation) && add(k, bits, sizeof bits) && add(k, &m->max_age, sizeof m->max_age)
           && add_str(k, c->signature) && add_str(k, c->domain) && add_str(k, c->tool_id) && add_str(k, c->canonicalization) && add_str(k, c->dns_fingerprint)
           && add_str(k, m->expires_at) && add_str(k, m->schema_version) && add_str(k, m->previous_hash) && add_str(k, m->expected_version)
           && add_str(k, m->expected_previous);
}

bool sy_sp_cache_find(symbi_schemapin_cache *c, const symbi_schemapin_check *check, sy_sp_cache_key *key, symbi_schemapin_result **out)
{
    entry *e;
    key->n = 0;
    /* Calls of other agents carry lists that change from call to call. */
    if (check->value || check->a2a || check->json.n > MAX_TEXT || !flatten(check, key)) {
        key->n = 0;
        return false;
    }
    key->hash = sy_siphash(c->cx->seed, key->bytes, key->n) ^ sy_siphash(c->cx->seed, check->json.p, check->json.n);
    e = &c->e[(key->hash & (c->sets - 1)) * WAYS];
    for (int i = 0; i < WAYS; i++, e++) {
        if (!e->result || e->hash != key->hash || e->nkey != key->n || e->njson != check->json.n) continue;
        if (memcmp(e->bytes, key->bytes, key->n) || (e->njson && memcmp(e->bytes + e->nkey, check->json.p, e->njson))) continue;
        if (check->now < e->from || check->now > e->until) {
            forget(c, e);
            break;
        }
        e->used = ++c->tick;
        c->hits++;
        *out = symbi_schemapin_result_ref(e->result);
        return true;
    }
    c->misses++;
    return false;
}

void sy_sp_cache_put(symbi_schemapin_cache *c, const symbi_schemapin_check *check, const sy_sp_cache_key *key, symbi_schemapin_result *r)
{
    symbi_schemapin_info i;
    sy_sp_cache_key now_key;
    entry *e, *victim;
    size_t need = key->n + check->json.n;
    if (!key->n) return;
    symbi_schemapin_result_info(r, &i);
    if (!i.valid || i.expired || i.expiry_unreadable) return;
    /* A check that pinned something changed what it looked at: the next one is computed. */
    if (!flatten(check, &now_key) || now_key.n != key->n || memcmp(now_key.bytes, key->bytes, key->n)) return;
    e = victim = &c->e[(key->hash & (c->sets - 1)) * WAYS];
    for (int k = 0; k < WAYS; k++, e++) {
        if (!e->result) {
            victim = e;
            break;
        }
        if (e->used < victim->used) victim = e;
    }
    forget(c, victim);
    if (need > c->max_bytes) return;
    while (c->bytes + need > c->max_bytes) { /* rare: the oldest of all goes */
        entry *old = NULL;
        for (size_t k = 0; k < c->sets * WAYS; k++)
            if (c->e[k].result && (!old || c->e[k].used < old->used)) old = &c->e[k];
        if (!old) return;
        forget(c, old);
    }
    victim->bytes = sy_alloc(&c->cx->alloc, need);
    if (!victim->bytes) return;
    memcpy(victim->bytes, key->bytes, key->n);
    if (check->json.n) memcpy(victim->bytes + key->n, check->json.p, check->json.n);
    victim->nkey = key->n;
    victim->njson = check->json.n;
    victim->hash = key->hash;
    victim->used = ++c->tick;
    victim->result = symbi_schemapin_result_ref(r);
    victim->discovery = symbi_schemapin_discovery_ref((symbi_schemapin_discovery *)(uintptr_t)check->discovery);
    victim->revocation = symbi_schemapin_revocation_ref((symbi_schemapin_revocation *)(uintptr_t)check->revocation);
    victim->from = check->now;
    victim->until = check->now > INT64_MAX - c->max_age ? INT64_MAX : check->now + c->max_age;
    if (i.valid_until < victim->until) victim->until = i.valid_until;
    c->bytes += need;
}
