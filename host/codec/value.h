/* codec/value.h: building symbi_value trees inside a symbi_doc. */
#ifndef SY_CODEC_VALUE_H
#define SY_CODEC_VALUE_H
#include "base/arena.h"
#include "base/ref.h"
#include "symbi/value.h"

struct symbi_doc {
    sy_ref refs;
    symbi_alloc alloc; /* the ctx's shared allocator, which also feeds the arena */
    sy_arena arena;    /* the document itself lies in it */
    symbi_value root;
};

/* An empty document (root null, one reference) whose arena draws on cx->shared, or NULL. */
symbi_doc *sy_doc_new(symbi_ctx *cx);
/* Turns a sticky arena failure into an error: "… needs more than N bytes" or out of memory. */
symbi_status sy_arena_fail(const sy_arena *a, const char *what, symbi_err *err);
/* Deep copy of v into the arena; strings and keys are duplicated. depth_left guards the stack (ELIMIT). */
symbi_status sy_value_copy(sy_arena *a, const symbi_value *v, symbi_value *out, size_t depth_left, symbi_err *err);

static inline symbi_value sy_val_null(void) { symbi_value v = { 0 }; return v; }
static inline symbi_value sy_val_bool(bool b) { symbi_value v = { .kind = SYMBI_BOOL, .u = { .b = b } }; return v; }
static inline symbi_value sy_val_int(int64_t i) { symbi_value v = { .kind = SYMBI_INT, .u = { .i = i } }; return v; }
static inline symbi_value sy_val_double(double d) { symbi_value v = { .kind = SYMBI_DOUBLE, .u = { .d = d } }; return v; }
static inline symbi_value sy_val_str(symbi_str s) { symbi_value v = { .kind = SYMBI_STRING, .u = { .s = s } }; return v; }
/* The same into a place, field by field: a value put together elsewhere and moved there in one piece is waited for. */
static inline void sy_put_head(symbi_value *o, symbi_kind k)
{
    o->kind = (uint8_t)k;
    o->sub = 0;
    o->line = 0;
}
static inline void sy_put_bool(symbi_value *o, bool b)
{
    sy_put_head(o, SYMBI_BOOL);
    o->u.i = 0;
    o->u.b = b;
}
static inline void sy_put_int(symbi_value *o, int64_t i)
{
    sy_put_head(o, SYMBI_INT);
    o->u.i = i;
}
static inline void sy_put_str(symbi_value *o, symbi_str s)
{
    sy_put_head(o, SYMBI_STRING);
    o->u.s.p = s.p;
    o->u.s.n = s.n;
}
static inline void sy_put_object(symbi_value *o, const symbi_member *m, size_t n)
{
    sy_put_head(o, SYMBI_OBJECT);
    o->u.o.members = m;
    o->u.o.n = n;
}
static inline symbi_value sy_val_array(const symbi_value *items, size_t n)
{
    symbi_value v = { .kind = SYMBI_ARRAY, .u = { .a = { items, n } } };
    return v;
}
static inline symbi_value sy_val_object(const symbi_member *m, size_t n)
{
    symbi_value v = { .kind = SYMBI_OBJECT, .u = { .o = { m, n } } };
    return v;
}
#endif
