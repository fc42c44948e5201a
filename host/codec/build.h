/* codec/build.h: assembling objects and arrays of unknown length in an arena. Failures stick in the arena; check
 * arena->status once at the end. */
#ifndef SY_CODEC_BUILD_H
#define SY_CODEC_BUILD_H
#include "codec/value.h"

typedef struct sy_obj {
    sy_arena *a;
    symbi_member *m;
    size_t n, cap;
} sy_obj;
typedef struct sy_arr {
    sy_arena *a;
    symbi_value *v;
    size_t n, cap;
} sy_arr;

static inline sy_obj sy_obj_new(sy_arena *a) { sy_obj o = { a, NULL, 0, 0 }; return o; }
static inline sy_arr sy_arr_new(sy_arena *a) { sy_arr r = { a, NULL, 0, 0 }; return r; }
/* Keys and strings are borrowed: give literals, or text that lives as long as the arena. The caller keeps keys unique. */
void sy_obj_put(sy_obj *o, const char *key, symbi_value v);
void sy_obj_puts(sy_obj *o, symbi_str key, symbi_value v);
void sy_obj_hex(sy_obj *o, const char *key, const uint8_t *p, size_t n); /* lower-case hex, copied into the arena */
void sy_arr_add(sy_arr *r, symbi_value v);
static inline symbi_value sy_obj_value(const sy_obj *o) { return sy_val_object(o->m, o->n); }
static inline symbi_value sy_arr_value(const sy_arr *r) { return sy_val_array(r->v, r->n); }
static inline void sy_obj_str(sy_obj *o, const char *key, symbi_str s) { sy_obj_put(o, key, sy_val_str(s)); }
static inline void sy_obj_int(sy_obj *o, const char *key, int64_t i) { sy_obj_put(o, key, sy_val_int(i)); }
static inline void sy_obj_bool(sy_obj *o, const char *key, bool b) { sy_obj_put(o, key, sy_val_bool(b)); }
/* A count that JSON readers keep exact: clamped to INT64_MAX. */
static inline void sy_obj_count(sy_obj *o, const char *key, uint64_t u)
{
    sy_obj_put(o, key, sy_val_int(u > INT64_MAX ? INT64_MAX : (int64_t)u));
}
#endif
