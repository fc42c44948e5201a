/* state/auth_keys.c: API keys: the records of the runtime's key file, checked with Argon2id. Whatever is presented costs the same work, so
 * that time does not tell which ids there are. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/base64.h"
#include "codec/build.h"
#include "symbi/auth.h"
#include "symbi/json.h"

#include <stdio.h>
#include <string.h>

static const symbi_argon2_cost k_cost = { 19456, 2, 1 };

typedef struct sy_record {
    symbi_doc *doc;
    const symbi_value *v;
    symbi_str id, hash;
    bool revoked, has_permissions;
    unsigned permissions;
    int64_t expires; /* INT64_MAX: never */
} sy_record;

typedef struct sy_cached {
    uint8_t digest[32];
    int64_t until;
    size_t record;
} sy_cached;

struct symbi_apikeys {
    symbi_ctx *cx;
    sy_record *r;
    size_t n, cap;
    sy_cached *cache; /* SYMBI_APIKEY_CACHE, made on the first hit */
};

const char *symbi_apikey_reason_name(symbi_apikey_reason r)
{
#define NAME(name, text) #name,
    static const char *const t[] = { SYMBI_APIKEY_REASON_LIST(NAME) };
#undef NAME
    return (size_t)r < SYMBI_APIKEY_REASON_COUNT ? t[r] : "NONE";
}

const char *symbi_apikey_reason_text(symbi_apikey_reason r)
{
#define TEXT(name, text) text,
    static const char *const t[] = { SYMBI_APIKEY_REASON_LIST(TEXT) };
#undef TEXT
    return (size_t)r < SYMBI_APIKEY_REASON_COUNT ? t[r] : "not checked";
}

/* ---- records ---- */

static symbi_status record_fault(symbi_err *err, size_t i, const char *why)
{
    char path[32];
    snprintf(path, sizeof path, "/%zu", i);
    sy_fail(err, SYMBI_ESCHEMA, "Failed to parse API keys JSON: record %zu: %s", i + 1, why);
    sy_err_path(err, symbi_str_z(path));
    return SYMBI_ESCHEMA;
}

/* Reads what counts; null counts as absent. */
static symbi_status read_record(sy_record *r, size_t i, symbi_err *err)
{
    static const symbi_str none = { NULL, 0 };
    const symbi_value *v = r->v, *f;
    if (v->kind != SYMBI_OBJECT) return record_fault(err, i, "not an object");
    r->id = symbi_value_str(v, "key_id", none);
    r->hash = symbi_value_str(v, "key_hash", none);
    if (!r->id.n || r->id.n > SYMBI_APIKEY_MAX_BYTES) return record_fault(err, i, "key_id is missing, or no text");
    if (!r->hash.n) return record_fault(err, i, "key_hash is missing, or no text");
    f = symbi_value_getz(v, "revoked");
    if (f && f->kind != SYMBI_BOOL) return record_fault(err, i, "revoked is neither true nor false");
    r->revoked = f && f->u.b;
    f = symbi_value_getz(v, "agent_scope");
    if (f && f->kind != SYMBI_NULL && f->kind != SYMBI_ARRAY) return record_fault(err, i, "agent_scope is neither a list nor null");
    for (size_t k = 0; f && f->kind == SYMBI_ARRAY && k < f->u.a.n; k++)
        if (f->u.a.items[k].kind != SYMBI_STRING) return record_fault(err, i, "agent_scope holds something that is no text");
    f = symbi_value_getz(v, "permissions");
    if (f && f->kind != SYMBI_NULL && f->kind != SYMBI_ARRAY) return record_fault(err, i, "permissions is neither a list nor null");
    r->has_permissions = f && f->kind == SYMBI_ARRAY;
    r->permissions = r->has_permissions ? 0 : SYMBI_PERM_ALL;
    for (size_t k = 0; r->has_permissions && k < f->u.a.n; k++)
        if (f->u.a.items[k].kind == SYMBI_STRING) r->permissions |= symbi_permission_of(f->u.a.items[k].u.s);
    if (r->permissions & SYMBI_PERM_ADMIN) r->permissions = SYMBI_PERM_ALL;
    f = symbi_value_getz(v, "expires_at");
    r->expires = INT64_MAX;
    if (f && f->kind == SYMBI_INT) r->expires = f->u.i;
    else if (f && f->kind == SYMBI_STRING ? !sy_time_parse(f->u.s, SY_TIME_ANY_CASE | SY_TIME_SPACE | SY_TIME_LEAP, &r->expires, NULL) : f && f->kind != SYMBI_NULL) return record_fault(err, i, "expires_at is neither RFC 3339 nor seconds");
    return SYMBI_OK;
}

static symbi_status append(symbi_apikeys *k, const symbi_value *v, symbi_err *err)
{
    sy_record r;
    symbi_status st;
    memset(&r, 0, sizeof r);
    if (sy_grow(&k->cx->alloc, (void **)&k->r, &k->cap, k->n + 1, sizeof *k->r)) return sy_fail_nomem(err);
    st = symbi_doc_copy(k->cx, v, &r.doc, err);
    if (st) return st;
    r.v = symbi_doc_root(r.doc);
    st = read_record(&r, k->n, err);
    if (st) symbi_doc_unref(r.doc);
    else k->r[k->n++] = r;
    return st;
}

symbi_status symbi_apikeys_parse(symbi_ctx *cx, symbi_str text, symbi_apikeys **out, symbi_err *err)
{
    symbi_apikeys *k = sy_calloc(&cx->alloc, 1, sizeof *k);
    const symbi_value *v;
    symbi_doc *d = NULL;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    if (!k) return sy_fail_nomem(err);
    k->cx = cx;
    if (text.n) {
        symbi_err why;
        symbi_err_clear(&why);
        st = symbi_json_parse(cx, text, &d, &why);
        if (st == SYMBI_EPARSE) sy_fail_at(err, st, why.line, why.col, "Failed to parse API keys JSON: %s", why.msg);
        else if (st && err) *err = why;
        v = st ? NULL : symbi_doc_root(d);
        if (!st && v->kind != SYMBI_ARRAY) st = sy_fail(err, SYMBI_ESCHEMA, "Failed to parse API keys JSON: a list of records is expected");
        if (!st && v->u.a.n > SYMBI_APIKEYS_MAX) st = sy_fail(err, SYMBI_ELIMIT, "more than %d API keys", SYMBI_APIKEYS_MAX);
        for (size_t i = 0; !st && i < v->u.a.n; i++) st = append(k, &v->u.a.items[i], err);
        symbi_doc_unref(d);
    }
    if (st) symbi_apikeys_free(k);
    else *out = k;
    return st;
}

static void forget(symbi_apikeys *k)
{
    if (!k->cache) return;
    symbi_wipe(k->cache, SYMBI_APIKEY_CACHE * sizeof *k->cache);
}

void symbi_apikeys_free(symbi_apikeys *k)
{
    symbi_alloc a;
    if (!k) return;
    a = k->cx->alloc;
    for (size_t i = 0; i < k->n; i++) symbi_doc_unref(k->r[i].doc);
    forget(k);
    sy_free(&a, k->cache, SYMBI_APIKEY_CACHE * sizeof *k->cache);
    sy_free(&a, k->r, k->cap * sizeof *k->r);
    sy_free(&a, k, sizeof *k);
}

size_t symbi_apikeys_count(const symbi_apikeys *k) { return k->n; }
const symbi_value *symbi_apikeys_record(const symbi_apikeys *k, size_t i) { return i < k->n ? k->r[i].v : NULL; }

symbi_status symbi_apikeys_write(const symbi_apikeys *k, symbi_text *out, symbi_err *err)
{
    symbi_value *items = sy_calloc(&k->cx->alloc, k->n + 1, sizeof *items), list;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (!items) return sy_fail_nomem(err);
    for (size_t i = 0; i < k->n; i++) items[i] = *k->r[i].v;
    list = sy_val_array(items, k->n);
    st = symbi_json_write(k->cx, &list, SYMBI_JSON_PRETTY, out, err);
    sy_free(&k->cx->alloc, items, (k->n + 1) * sizeof *items);
    return st;
}

/* ---- checking ---- */

static symbi_status refuse(symbi_apikey_hit *out, symbi_apikey_reason r, symbi_err *err)
{
    out->reason = r;
    return sy_fail(err, SYMBI_EVERIFY, "Invalid API key");
}

static symbi_status accept(const symbi_apikeys *k, size_t i, symbi_apikey_hit *out)
{
    const sy_record *r = &k->r[i];
    const symbi_value *scope = symbi_value_getz(r->v, "agent_scope");
    out->reason = SYMBI_APIKEY_R_OK;
    out->key_id = r->id;
    out->record = r->v;
    out->scoped = scope && scope->kind == SYMBI_ARRAY;
    out->has_permissions = r->has_permissions;
    out->permissions = r->permissions;
    return SYMBI_OK;
}

bool symbi_apikey_may_agent(const symbi_apikey_hit *hit, symbi_str agent)
{
    const symbi_value *scope;
    if (hit->reason != SYMBI_APIKEY_R_OK) return false;
    if (!hit->scoped) return true;
    scope = symbi_value_getz(hit->record, "agent_scope");
    for (size_t i = 0; scope && i < scope->u.a.n; i++)
        if (sy_str_eq(scope->u.a.items[i].u.s, agent)) return true;
    return false;
}

/* The work of a check, for what there is no hash of. */
static symbi_status busy(symbi_apikeys *k, symbi_str secret, symbi_err *err)
{
    uint8_t out[32];
    return symbi_argon2id(k->cx, secret, SY_LIT("no key of that id"), k_cost, out, sizeof out, err);
}

static symbi_status verify(symbi_apikeys *k, const sy_record *r, symbi_str secret, symbi_apikey_reason *reason, symbi_err *err)
{
    symbi_status st = symbi_argon2id_phc_verify(k->cx, r->hash, secret, err);
    *reason = SYMBI_APIKEY_R_MISMATCH;
    if (st == SYMBI_EPARSE || st == SYMBI_ELIMIT) {
        *reason = SYMBI_APIKEY_R_BAD_HASH;
        st = busy(k, secret, err);
        return st ? st : SYMBI_EVERIFY;
    }
    return st;
}

static sy_cached *cached(symbi_apikeys *k, const uint8_t digest[32], int64_t now)
{
    for (size_t i = 0; k->cache && i < SYMBI_APIKEY_CACHE; i++)
        if (k->cache[i].until > now && memcmp(k->cache[i].digest, digest, 32) == 0) return &k->cache[i];
    return NULL;
}

/* A cache that cannot be had is a check more, no failure. */
static void keep(symbi_apikeys *k, const uint8_t digest[32], size_t record, int64_t now)
{
    sy_cached *c;
    if (!k->cache) k->cache = sy_calloc(&k->cx->alloc, SYMBI_APIKEY_CACHE, sizeof *k->cache);
    if (!k->cache) return;
    c = k->cache;
    for (size_t i = 1; i < SYMBI_APIKEY_CACHE; i++)
        if (k->cache[i].until < c->until) c = &k->cache[i];
    memcpy(c->digest, digest, 32);
    c->record = record;
    c->until = now + SYMBI_APIKEY_CACHE_SECONDS;
}

/* Revoked and expired are said only to who knows the secret. */
static symbi_status judge(const symbi_apikeys *k, size_t i, int64_t now, symbi_apikey_hit *out, symbi_err *err)
{
    out->key_id = k->r[i].id;
    if (k->r[i].revoked) return refuse(out, SYMBI_APIKEY_R_REVOKED, err);
    if (now >= k->r[i].expires) return refuse(out, SYMBI_APIKEY_R_EXPIRED, err);
    return accept(k, i, out);
}

static symbi_status by_id(symbi_apikeys *k, symbi_str id, symbi_str secret, int64_t now, size_t *which, symbi_apikey_hit *out, symbi_err *err)
{
    symbi_apikey_reason why;
    symbi_status st;
    for (size_t i = k->n; i-- > 0;) {
        if (!sy_str_eq(k->r[i].id, id)) continue;
        out->key_id = k->r[i].id;
        st = verify(k, &k->r[i], secret, &why, err);
        if (st == SYMBI_EVERIFY) return refuse(out, why, err);
        *which = i;
        return st ? st : judge(k, i, now, out, err);
    }
    st = busy(k, secret, err);
    return st ? st : refuse(out, SYMBI_APIKEY_R_UNKNOWN, err);
}

static symbi_status by_scan(symbi_apikeys *k, symbi_str whole, int64_t now, size_t *which, symbi_apikey_hit *out, symbi_err *err)
{
    symbi_apikey_reason why;
    size_t tried = 0;
    for (size_t i = 0; i < k->n && tried < SYMBI_APIKEY_LEGACY_SCAN; i++) {
        symbi_status st;
        if (k->r[i].revoked) continue;
        tried++;
        st = verify(k, &k->r[i], whole, &why, err);
        if (st == SYMBI_EVERIFY) continue;
        *which = i;
        out->legacy = true;
        return st ? st : judge(k, i, now, out, err);
    }
    return refuse(out, SYMBI_APIKEY_R_UNKNOWN, err);
}

symbi_status symbi_apikeys_check(symbi_apikeys *k, symbi_str presented, int64_t now, unsigned flags, symbi_apikey_hit *out, symbi_err *err)
{
    const char *dot = presented.n ? memchr(presented.p, '.', presented.n) : NULL;
    uint8_t digest[32];
    size_t which = 0;
    sy_cached *c;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (!presented.n || presented.n > SYMBI_APIKEY_MAX_BYTES) return refuse(out, SYMBI_APIKEY_R_MALFORMED, err);
    if ((st = symbi_sha256(k->cx, presented, digest, err))) return st;
    if (!(flags & SYMBI_APIKEY_NO_CACHE) && (c = cached(k, digest, now))) {
        out->cached = true;
        return judge(k, c->record, now, out, err);
    }
    if (dot && dot != presented.p && dot + 1 != presented.p + presented.n) {
        size_t n = (size_t)(dot - presented.p);
        st = by_id(k, (symbi_str){ presented.p, n }, (symbi_str){ dot + 1, presented.n - n - 1 }, now, &which, out, err);
    } else if (flags & SYMBI_APIKEY_LEGACY_KEYS) st = by_scan(k, presented, now, &which, out, err);
    else return refuse(out, dot ? SYMBI_APIKEY_R_MALFORMED : SYMBI_APIKEY_R_LEGACY, err);
    if (!st && !(flags & SYMBI_APIKEY_NO_CACHE)) keep(k, digest, which, now);
    return st;
}

/* ---- changing ---- */

static bool id_valid(symbi_str s)
{
    if (!s.n || s.n > 128) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) return false;
    }
    return true;
}

/* "<id>." and 32 random bytes. */
static symbi_status make_key(symbi_ctx *cx, symbi_str id, symbi_text *out, symbi_err *err)
{
    uint8_t r[32], made[8];
    symbi_status st = symbi_ctx_random(cx, r, sizeof r, err);
    sy_buf b;
    if (!st && !id.n) st = symbi_ctx_random(cx, made, sizeof made, err);
    if (st) return st;
    sy_buf_init(&b, cx->alloc, 4096);
    sy_buf_reserve(&b, 256); /* at once: nothing is moved, and so left behind */
    if (id.n) sy_buf_adds(&b, id);
    else {
        sy_buf_addz(&b, "sk_");
        sy_buf_addhex(&b, made, sizeof made);
    }
    sy_buf_addc(&b, '.');
    sy_base64_add(&b, r, sizeof r, SY_BASE64_URL | SY_BASE64_NOPAD);
    symbi_wipe(r, sizeof r);
    return sy_buf_take(&b, out, "the key", err);
}

static void put_record(sy_obj *o, sy_arena *a, const symbi_apikey_new *n, symbi_str id, symbi_str hash, int64_t now)
{
    char *t = sy_arena_alloc(a, 2 * SY_RFC3339_MS);
    sy_arr list = sy_arr_new(a);
    sy_obj_str(o, "key_id", id);
    sy_obj_str(o, "key_hash", hash);
    for (size_t i = 0; i < n->nscope; i++) sy_arr_add(&list, sy_val_str(n->scope[i]));
    sy_obj_put(o, "agent_scope", n->scoped ? sy_arr_value(&list) : sy_val_null());
    sy_obj_str(o, "description", n->description.p ? n->description : SY_LIT(""));
    if (!t) return;
    sy_time_rfc3339(now * 1000, t);
    sy_obj_str(o, "created_at", symbi_str_z(t));
    sy_obj_bool(o, "revoked", false);
    if (n->expires_at) {
        sy_time_rfc3339(n->expires_at * 1000, t + SY_RFC3339_MS);
        sy_obj_str(o, "expires_at", symbi_str_z(t + SY_RFC3339_MS));
    }
    if (n->permissions) {
        list = sy_arr_new(a);
        for (unsigned bit = 1; bit <= SYMBI_PERM_EXECUTE; bit <<= 1)
            if (n->permissions & bit) sy_arr_add(&list, sy_val_str(symbi_str_z(symbi_permission_name(bit))));
        sy_obj_put(o, "permissions", sy_arr_value(&list));
    }
}

symbi_status symbi_apikeys_create(symbi_apikeys *k, const symbi_apikey_new *n, int64_t now, symbi_text *presented, symbi_err *err)
{
    symbi_argon2_cost cost = n->cost.m_kib ? n->cost : k_cost;
    symbi_text key = { 0 }, phc = { 0 };
    symbi_value v;
    symbi_str id;
    sy_arena a;
    sy_obj o;
    symbi_status st;
    memset(presented, 0, sizeof *presented);
    if (n->size != sizeof *n) return sy_fail(err, SYMBI_EINVAL, "symbi_apikey_new: wrong size");
    if (n->key_id.n && !id_valid(n->key_id)) return sy_fail(err, SYMBI_EINVAL, "a key id has letters, digits, '_' and '-', at most 128");
    if (n->permissions & ~(unsigned)SYMBI_PERM_ALL) return sy_fail(err, SYMBI_EINVAL, "unknown permissions");
    if (n->expires_at && n->expires_at <= now) return sy_fail(err, SYMBI_EINVAL, "expires_at lies in the past");
    if (n->expires_at > 253402300799) return sy_fail(err, SYMBI_EINVAL, "expires_at lies after the year 9999");
    if (k->n == SYMBI_APIKEYS_MAX) return sy_fail(err, SYMBI_ELIMIT, "more than %d API keys", SYMBI_APIKEYS_MAX);
    for (size_t i = 0; n->key_id.n && i < k->n; i++)
        if (sy_str_eq(k->r[i].id, n->key_id)) return sy_fail(err, SYMBI_EEXISTS, "there is a key %.*s already", SY_FMT(n->key_id));
    if ((st = make_key(k->cx, n->key_id, &key, err))) return st;
    id = (symbi_str){ key.p, (size_t)(strchr(key.p, '.') - key.p) };
    st = symbi_argon2id_phc(k->cx, (symbi_str){ key.p + id.n + 1, key.n - id.n - 1 }, cost, &phc, err);
    if (!st) {
        sy_arena_init(&a, k->cx->alloc, k->cx->limits.arena_bytes);
        o = sy_obj_new(&a);
        put_record(&o, &a, n, id, symbi_text_str(&phc), now);
        v = sy_obj_value(&o);
        st = a.status ? sy_arena_fail(&a, "the record", err) : append(k, &v, err);
        sy_arena_free(&a);
    }
    symbi_text_free(&phc);
    if (st) symbi_text_wipe(&key);
    else *presented = key;
    return st;
}

/* The record with revoked = true, every other member as it was. */
static symbi_status revoked_copy(symbi_apikeys *k, const symbi_value *v, symbi_doc **out, symbi_err *err)
{
    symbi_member *m = sy_calloc(&k->cx->alloc, v->u.o.n + 1, sizeof *m);
    bool there = false;
    size_t n = v->u.o.n;
    symbi_value o;
    symbi_status st;
    if (!m) return sy_fail_nomem(err);
    for (size_t i = 0; i < n; i++) {
        m[i] = v->u.o.members[i];
        if (!sy_str_eqz(m[i].key, "revoked")) continue;
        m[i].val = sy_val_bool(true);
        there = true;
    }
    if (!there) {
        m[n].key = SY_LIT("revoked");
        m[n].val = sy_val_bool(true);
    }
    o = sy_val_object(m, n + !there);
    st = symbi_doc_copy(k->cx, &o, out, err);
    sy_free(&k->cx->alloc, m, (v->u.o.n + 1) * sizeof *m);
    return st;
}

symbi_status symbi_apikeys_revoke(symbi_apikeys *k, symbi_str key_id, symbi_err *err)
{
    bool any = false;
    symbi_status st;
    for (size_t i = 0; i < k->n; i++) {
        sy_record r;
        symbi_doc *d;
        if (!sy_str_eq(k->r[i].id, key_id)) continue;
        any = true;
        if (k->r[i].revoked) continue;
        if ((st = revoked_copy(k, k->r[i].v, &d, err))) return st;
        memset(&r, 0, sizeof r);
        r.doc = d;
        r.v = symbi_doc_root(d);
        if ((st = read_record(&r, i, err))) {
            symbi_doc_unref(d);
            return st;
        }
        symbi_doc_unref(k->r[i].doc);
        k->r[i] = r;
    }
    forget(k);
    return any ? SYMBI_OK : sy_fail(err, SYMBI_ENOTFOUND, "there is no key %.*s", SY_FMT(key_id));
}
