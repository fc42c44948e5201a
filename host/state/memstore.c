/* state/memstore.c: a symbi_store in memory. A commit allocates everything it needs first and changes the store only when
 * nothing can fail any more. */
#include "state/memstore.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

static sy_mem_chain *find_chain(const sy_memstore *m, symbi_str name)
{
    for (size_t i = 0; i < m->nchains; i++)
        if (sy_str_eq((symbi_str){ m->chains[i].name, m->chains[i].name_n }, name)) return &m->chains[i];
    return NULL;
}

/* Index of (ns, key), or where it belongs. */
static size_t find_kv(const sy_memstore *m, symbi_str ns, symbi_str key, bool *found)
{
    size_t lo = 0, hi = m->nkv;
    *found = false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = sy_str_cmp(m->kv[mid].ns, ns);
        if (c == 0) c = sy_str_cmp(m->kv[mid].key, key);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

static size_t block_size(symbi_str a, symbi_str b, symbi_str c) { return a.n + b.n + c.n + 1; }

/* Copies three strings into one block and points them there. */
static bool copy3(const symbi_alloc *al, symbi_str *a, symbi_str *b, symbi_str *c)
{
    symbi_str in[3] = { *a, *b, *c }, *out[3] = { a, b, c };
    char *p = sy_alloc(al, block_size(*a, *b, *c));
    if (!p) return false;
    for (int i = 0; i < 3; i++) {
        if (in[i].n) memcpy(p, in[i].p, in[i].n);
        out[i]->p = p;
        p += in[i].n;
    }
    *p = 0;
    return true;
}

static void free_row(const symbi_alloc *al, symbi_store_row *r)
{
    sy_free(al, (void *)(uintptr_t)r->loop_id.p, block_size(r->loop_id, r->agent_id, r->event));
}
static void free_kv(const symbi_alloc *al, sy_mem_kv *e)
{
    sy_free(al, (void *)(uintptr_t)e->ns.p, block_size(e->ns, e->key, e->value));
}

static symbi_status check_kv(const sy_memstore *m, const symbi_store_batch *b, symbi_err *err)
{
    for (size_t i = 0; i < b->nkv; i++) {
        const symbi_store_kv *c = &b->kv[i];
        bool found;
        size_t at;
        if (c->check == SYMBI_KV_ANY) continue;
        at = find_kv(m, c->ns, c->key, &found);
        if (c->check == SYMBI_KV_ABSENT ? found : !found || !sy_str_eq(m->kv[at].value, c->expect))
            return sy_fail(err, SYMBI_EEXISTS, "record %.*s/%.*s changed since it was read", SY_FMT(c->ns), SY_FMT(c->key));
    }
    return SYMBI_OK;
}

static sy_mem_chain *add_chain(sy_memstore *m, symbi_str name)
{
    sy_mem_chain *c;
    if (sy_grow(&m->alloc, (void **)&m->chains, &m->cap_chains, m->nchains + 1, sizeof *c)) return NULL;
    c = &m->chains[m->nchains];
    memset(c, 0, sizeof *c);
    c->name = sy_alloc(&m->alloc, name.n + 1);
    if (!c->name) return NULL;
    if (name.n) memcpy(c->name, name.p, name.n);
    c->name_n = name.n;
    m->nchains++;
    return c;
}

static symbi_status mem_commit(void *ud, const symbi_store_batch *b, symbi_err *err)
{
    static const uint8_t zeros[32];
    sy_memstore *m = ud;
    sy_mem_chain *c = find_chain(m, b->chain);
    size_t len = c ? c->nrows : 0, made = 0, kvmade = 0;
    symbi_store_row *rows = NULL;
    sy_mem_kv *kv = NULL;
    symbi_status st;
    if (len != b->expect_len || memcmp(len ? c->rows[len - 1].hash : zeros, b->expect_head, 32) != 0)
        return sy_fail(err, SYMBI_ESTATE, "chain %.*s has moved on", SY_FMT(b->chain));
    st = check_kv(m, b, err);
    if (st) return st;
    if (!c && !(c = add_chain(m, b->chain))) return sy_fail_nomem(err);
    /* allocate */
    st = SYMBI_ENOMEM;
    if (b->nrows && !(rows = sy_calloc(&m->alloc, b->nrows, sizeof *rows))) goto out;
    if (b->nkv && !(kv = sy_calloc(&m->alloc, b->nkv, sizeof *kv))) goto out;
    if (sy_grow(&m->alloc, (void **)&c->rows, &c->cap_rows, c->nrows + b->nrows, sizeof *rows)) goto out;
    if (sy_grow(&m->alloc, (void **)&c->cps, &c->cap_cps, c->ncps + 1, sizeof *c->cps)) goto out;
    if (sy_grow(&m->alloc, (void **)&m->kv, &m->cap_kv, m->nkv + b->nkv, sizeof *kv)) goto out;
    for (; made < b->nrows; made++) {
        rows[made] = b->rows[made];
        if (!copy3(&m->alloc, &rows[made].loop_id, &rows[made].agent_id, &rows[made].event)) goto out;
    }
    for (; kvmade < b->nkv; kvmade++) {
        kv[kvmade].ns = b->kv[kvmade].ns;
        kv[kvmade].key = b->kv[kvmade].key;
        if (b->kv[kvmade].value.p) kv[kvmade].value = b->kv[kvmade].value;
        if (!copy3(&m->alloc, &kv[kvmade].ns, &kv[kvmade].key, &kv[kvmade].value)) goto out;
    }
    /* change: nothing below fails */
    st = SYMBI_OK;
    for (size_t i = 0; i < made; i++) c->rows[c->nrows++] = rows[i];
    made = 0;
    if (b->checkpoint) c->cps[c->ncps++] = *b->checkpoint;
    for (size_t i = 0; i < b->nkv; i++) {
        bool found;
        size_t at = find_kv(m, kv[i].ns, kv[i].key, &found);
        if (!b->kv[i].value.p) { /* delete: kv[i] itself is freed below */
            if (!found) continue;
            free_kv(&m->alloc, &m->kv[at]);
            memmove(&m->kv[at], &m->kv[at + 1], (m->nkv - at - 1) * sizeof *kv);
            m->nkv--;
            continue;
        }
        if (found) free_kv(&m->alloc, &m->kv[at]);
        else {
            memmove(&m->kv[at + 1], &m->kv[at], (m->nkv - at) * sizeof *kv);
            m->nkv++;
        }
        m->kv[at] = kv[i];
        memset(&kv[i], 0, sizeof kv[i]);
    }
out:
    for (size_t i = 0; i < made; i++) free_row(&m->alloc, &rows[i]);
    for (size_t i = 0; i < kvmade; i++)
        if (kv[i].ns.p) free_kv(&m->alloc, &kv[i]);
    sy_free(&m->alloc, rows, b->nrows * sizeof *rows);
    sy_free(&m->alloc, kv, b->nkv * sizeof *kv);
    return st == SYMBI_ENOMEM ? sy_fail_nomem(err) : st;
}

static symbi_status mem_tail(void *ud, symbi_str chain, uint64_t *len, uint8_t head[32], int64_t *last_ms, symbi_err *err)
{
    const sy_mem_chain *c = find_chain(ud, chain);
    (void)err;
    *len = c ? c->nrows : 0;
    *last_ms = 0;
    memset(head, 0, 32);
    if (*len) {
        memcpy(head, c->rows[c->nrows - 1].hash, 32);
        *last_ms = c->rows[c->nrows - 1].timestamp_ms;
    }
    return SYMBI_OK;
}

static symbi_status mem_row(void *ud, symbi_str chain, uint64_t seq, symbi_store_row *out, symbi_err *err)
{
    const sy_mem_chain *c = find_chain(ud, chain);
    if (!c || seq >= c->nrows) return sy_fail(err, SYMBI_ENOTFOUND, "no entry %llu", (unsigned long long)seq);
    *out = c->rows[seq];
    return SYMBI_OK;
}

static symbi_status mem_checkpoint(void *ud, symbi_str chain, uint64_t i, symbi_store_checkpoint *out, symbi_err *err)
{
    const sy_mem_chain *c = find_chain(ud, chain);
    if (c && i == UINT64_MAX && c->ncps) i = c->ncps - 1;
    if (!c || i >= c->ncps) return sy_fail(err, SYMBI_ENOTFOUND, "no such checkpoint");
    *out = c->cps[i];
    return SYMBI_OK;
}

static symbi_status mem_get(void *ud, symbi_str ns, symbi_str key, symbi_str *value, symbi_err *err)
{
    const sy_memstore *m = ud;
    bool found;
    size_t at = find_kv(m, ns, key, &found);
    if (!found) return sy_fail(err, SYMBI_ENOTFOUND, "no record %.*s/%.*s", SY_FMT(ns), SY_FMT(key));
    *value = m->kv[at].value;
    return SYMBI_OK;
}

static symbi_status mem_next(void *ud, symbi_str ns, symbi_str after, symbi_str *key, symbi_str *value, symbi_err *err)
{
    const sy_memstore *m = ud;
    bool found;
    size_t at = find_kv(m, ns, after, &found);
    if (found) at++;
    if (at >= m->nkv || !sy_str_eq(m->kv[at].ns, ns)) return sy_fail(err, SYMBI_ENOTFOUND, "no more records");
    *key = m->kv[at].key;
    *value = m->kv[at].value;
    return SYMBI_OK;
}

symbi_status symbi_memstore_new(symbi_ctx *cx, symbi_store *out, symbi_err *err)
{
    sy_memstore *m = sy_calloc(&cx->alloc, 1, sizeof *m);
    memset(out, 0, sizeof *out);
    if (!m) return sy_fail_nomem(err);
    m->alloc = cx->alloc;
    out->size = sizeof *out;
    out->ud = m;
    out->commit = mem_commit;
    out->tail = mem_tail;
    out->row = mem_row;
    out->checkpoint = mem_checkpoint;
    out->get = mem_get;
    out->next = mem_next;
    return SYMBI_OK;
}

void symbi_memstore_free(symbi_store *s)
{
    sy_memstore *m = s->ud;
    symbi_alloc a;
    if (!m) return;
    a = m->alloc;
    for (size_t i = 0; i < m->nchains; i++) {
        sy_mem_chain *c = &m->chains[i];
        for (size_t k = 0; k < c->nrows; k++) free_row(&a, &c->rows[k]);
        sy_free(&a, c->rows, c->cap_rows * sizeof *c->rows);
        sy_free(&a, c->cps, c->cap_cps * sizeof *c->cps);
        sy_free(&a, c->name, c->name_n + 1);
    }
    sy_free(&a, m->chains, m->cap_chains * sizeof *m->chains);
    for (size_t i = 0; i < m->nkv; i++) free_kv(&a, &m->kv[i]);
    sy_free(&a, m->kv, m->cap_kv * sizeof *m->kv);
    sy_free(&a, m, sizeof *m);
    memset(s, 0, sizeof *s);
}
