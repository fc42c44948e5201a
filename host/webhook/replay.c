/* webhook/replay.c: see replay.h. In a store an entry is kv <ns>/<hex of the key> = <seconds in decimal>. Single use across
 * processes comes from the store's own check (the key must be absent); expired entries are swept a few at a time, so that no
 * request pays for all. */
#include "webhook/replay.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { SY_TAKE_MAX = 4, SY_SWEEP = 8, SY_FIRST_SLOTS = 64 };

void sy_replay_init(sy_replay *r, symbi_alloc alloc, size_t max, const char *ns)
{
    memset(r, 0, sizeof *r);
    r->alloc = alloc;
    r->ns = ns;
    r->max = max;
    r->earliest = INT64_MAX;
}

void sy_replay_free(sy_replay *r)
{
    sy_free(&r->alloc, r->slot, r->nslot * sizeof *r->slot);
    r->slot = NULL;
    r->nslot = r->n = 0;
}

void sy_replay_use_store(sy_replay *r, const symbi_store *store)
{
    r->stored = store != NULL;
    r->has_cursor = false;
    if (store) r->store = *store;
    else memset(&r->store, 0, sizeof r->store);
}

/* The slot that holds key, or the free one where it belongs. The table is never full. */
static sy_replay_slot *find(sy_replay_slot *t, size_t nslot, const uint8_t key[32])
{
    uint64_t h;
    memcpy(&h, key, sizeof h); /* keys are digests: any part of them is spread */
    for (size_t i = (size_t)h & (nslot - 1);; i = (i + 1) & (nslot - 1))
        if (!t[i].until || memcmp(t[i].key, key, 32) == 0) return &t[i];
}

/* Room for n more: expired entries go; the table grows with what is left. */
static symbi_status make_room(sy_replay *r, size_t n, int64_t now, symbi_err *err)
{
    size_t live = 0, want = SY_FIRST_SLOTS;
    sy_replay_slot *t;
    if (r->nslot && (r->n + n) * 4 <= r->nslot * 3 && r->n + n <= r->max) return SYMBI_OK;
    if (r->n + n > r->max && now < r->earliest) return sy_fail(err, SYMBI_ELIMIT, "the replay cache is full: %zu requests are remembered", r->n);
    for (size_t i = 0; i < r->nslot; i++) live += r->slot[i].until > now;
    if (live + n <= r->max) {
        while ((live + n) * 2 > want) want *= 2;
        t = sy_calloc(&r->alloc, want, sizeof *t);
        if (!t) return sy_fail_nomem(err);
    } else t = NULL;
    r->earliest = INT64_MAX;
    for (size_t i = 0; i < r->nslot; i++) {
        if (r->slot[i].until <= now) continue;
        if (r->slot[i].until < r->earliest) r->earliest = r->slot[i].until;
        if (t) *find(t, want, r->slot[i].key) = r->slot[i];
    }
    if (!t) return sy_fail(err, SYMBI_ELIMIT, "the replay cache is full: %zu requests are remembered", live);
    sy_free(&r->alloc, r->slot, r->nslot * sizeof *r->slot);
    r->slot = t;
    r->nslot = want;
    r->n = live;
    return SYMBI_OK;
}

/* ---- the store ---- */

static symbi_str hex_key(const uint8_t key[32], char out[64])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++) {
        out[2 * i] = hex[key[i] >> 4];
        out[2 * i + 1] = hex[key[i] & 15];
    }
    return (symbi_str){ out, 64 };
}

/* A value that is no number counts as one that never ends. */
static bool expired(symbi_str v, int64_t now)
{
    int64_t t = 0;
    if (!v.n || v.n > 18) return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9') return false;
        t = t * 10 + (v.p[i] - '0');
    }
    return t <= now;
}

static symbi_status commit(sy_replay *r, const symbi_store_kv *kv, size_t n, bool durable, symbi_err *err)
{
    /* A chain of this name has no entries, ever: records alone do not contend for its end. */
    symbi_store_batch b = { .chain = symbi_str_z(r->ns), .kv = kv, .nkv = n, .durable = durable };
    return r->store.commit(r->store.ud, &b, err);
}

static void sweep(sy_replay *r, int64_t now)
{
    char dead[SY_SWEEP][64], value[SY_SWEEP][24];
    symbi_store_kv kv[SY_SWEEP];
    size_t n = 0;
    for (size_t i = 0; i < SY_SWEEP; i++) {
        symbi_str after = { (const char *)r->cursor, r->has_cursor ? 64u : 0u }, k, v;
        symbi_status st = r->store.next(r->store.ud, symbi_str_z(r->ns), after, &k, &v, NULL);
        r->has_cursor = st == SYMBI_OK && k.n == 64;
        if (!r->has_cursor) break; /* at the end the next sweep begins anew */
        memcpy(r->cursor, k.p, 64);
        if (!expired(v, now) || v.n >= sizeof value[0]) continue;
        memcpy(dead[n], k.p, 64);
        memcpy(value[n], v.p, v.n);
        kv[n] = (symbi_store_kv){ .ns = symbi_str_z(r->ns), .key = { dead[n], 64 }, .check = SYMBI_KV_EQUALS, .expect = { value[n], v.n } };
        n++;
    }
    if (n && commit(r, kv, n, false, NULL)) return; /* another process was there first: the next round sees to the rest */
}

static symbi_status store_take(sy_replay *r, const uint8_t (*keys)[32], size_t n, int64_t until, int64_t now, size_t *which, symbi_err *err)
{
    char hex[SY_TAKE_MAX][64], value[24], old[SY_TAKE_MAX][24];
    symbi_store_kv kv[SY_TAKE_MAX];
    symbi_status st = SYMBI_ESTATE;
    int len = snprintf(value, sizeof value, "%lld", (long long)until);
    for (int tries = 0; tries < 3; tries++) {
        for (size_t i = 0; i < n; i++) {
            symbi_str k = hex_key(keys[i], hex[i]), v;
            kv[i] = (symbi_store_kv){ .ns = symbi_str_z(r->ns), .key = k, .value = { value, (size_t)len }, .check = SYMBI_KV_ABSENT };
            st = r->store.get(r->store.ud, kv[i].ns, k, &v, err);
            if (st == SYMBI_ENOTFOUND) continue;
            if (st) return st;
            if (!expired(v, now) || v.n > sizeof old[i]) {
                *which = i;
                return sy_fail(err, SYMBI_EEXISTS, "seen before");
            }
            memcpy(old[i], v.p, v.n);
            kv[i].check = SYMBI_KV_EQUALS;
            kv[i].expect = (symbi_str){ old[i], v.n };
        }
        st = commit(r, kv, n, true, err);
        if (st != SYMBI_EEXISTS) break; /* EEXISTS: another process took one of them just now, and the next round finds it */
    }
    if (st == SYMBI_EEXISTS) st = sy_fail(err, SYMBI_EIO, "the replay records change faster than they can be read");
    if (!st) sweep(r, now);
    return st;
}

symbi_status sy_replay_take(sy_replay *r, const uint8_t (*keys)[32], size_t n, int64_t until, int64_t now, size_t *which, symbi_err *err)
{
    symbi_status st;
    *which = n;
    if (n > SY_TAKE_MAX) return sy_fail(err, SYMBI_EINVAL, "too many keys at once");
    if (until <= now) until = now + 1;
    if (until < 1) until = 1; /* 0 marks a free slot */
    if ((st = make_room(r, n, now, err))) return st;
    for (size_t i = 0; i < n; i++)
        if (find(r->slot, r->nslot, keys[i])->until > now) {
            *which = i;
            return sy_fail(err, SYMBI_EEXISTS, "seen before");
        }
    if (r->stored && (st = store_take(r, keys, n, until, now, which, err))) return st;
    for (size_t i = 0; i < n; i++) {
        sy_replay_slot *s = find(r->slot, r->nslot, keys[i]);
        r->n += !s->until;
        s->until = until;
        memcpy(s->key, keys[i], 32);
    }
    if (until < r->earliest) r->earliest = until;
    return SYMBI_OK;
}

symbi_status sy_replay_known(sy_replay *r, const uint8_t key[32], int64_t now, symbi_err *err)
{
    char hex[64];
    symbi_str v;
    symbi_status st;
    if (r->nslot && find(r->slot, r->nslot, key)->until > now) return sy_fail(err, SYMBI_EEXISTS, "seen before");
    if (!r->stored) return SYMBI_OK;
    st = r->store.get(r->store.ud, symbi_str_z(r->ns), hex_key(key, hex), &v, err);
    if (st == SYMBI_ENOTFOUND) {
        symbi_err_clear(err);
        return SYMBI_OK;
    }
    if (st) return st;
    return expired(v, now) ? SYMBI_OK : sy_fail(err, SYMBI_EEXISTS, "seen before");
}
