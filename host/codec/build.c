/* codec/build.c */
#include "codec/build.h"

#include <string.h>

static void *grow(sy_arena *a, void *old, size_t n, size_t *cap, size_t size)
{
    size_t ncap = *cap ? *cap * 2 : 8;
    void *p;
    if (n < *cap) return old;
    p = sy_arena_calloc(a, ncap, size);
    if (!p) return NULL;
    if (n) memcpy(p, old, n * size);
    *cap = ncap;
    return p;
}

void sy_obj_puts(sy_obj *o, symbi_str key, symbi_value v)
{
    symbi_member *m = grow(o->a, o->m, o->n, &o->cap, sizeof *m);
    if (!m) return;
    o->m = m;
    m[o->n].key = key;
    m[o->n++].val = v;
}

void sy_obj_put(sy_obj *o, const char *key, symbi_value v) { sy_obj_puts(o, symbi_str_z(key), v); }

void sy_obj_hex(sy_obj *o, const char *key, const uint8_t *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    char *d = sy_arena_alloc(o->a, n * 2);
    symbi_str s = { d, n * 2 };
    if (!d) return;
    for (size_t i = 0; i < n; i++) {
        d[2 * i] = hex[p[i] >> 4];
        d[2 * i + 1] = hex[p[i] & 15];
    }
    sy_obj_put(o, key, sy_val_str(s));
}

void sy_arr_add(sy_arr *r, symbi_value v)
{
    symbi_value *p = grow(r->a, r->v, r->n, &r->cap, sizeof *p);
    if (!p) return;
    r->v = p;
    p[r->n++] = v;
}
