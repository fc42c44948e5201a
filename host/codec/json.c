/* codec/json.c: a JSON text as a tree in one arena. The tape knows all sizes: each array and object is one allocation,
 * all strings together are one. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "codec/value.h"
#include "symbi/json.h"

#include <string.h>

typedef struct builder {
    const symbi_json_view *v;
    sy_arena *arena;
    char *text; /* what is left of the block for strings */
} builder;

static symbi_str put_string(builder *b, const symbi_json_item *k)
{
    symbi_str s = { b->text, k->u.s.len };
    if (s.n) memcpy(b->text, b->v->base[k->escaped] + k->u.s.off, s.n);
    b->text[s.n] = 0;
    b->text += s.n + 1;
    return s;
}

/* Builds the value at item i, returns the index after it; 0 when the arena fails. Recursion is bounded: the tape let no
 * more than SYMBI_JSON_MAX_DEPTH levels through. */
static size_t build(builder *b, size_t i, symbi_value *out)
{
    const symbi_json_item *k = &b->v->items[i++];
    memset(out, 0, sizeof *out);
    out->line = k->line;
    switch ((symbi_json_event)k->kind) {
    case SYMBI_JSON_BOOL:
        out->kind = SYMBI_BOOL;
        out->u.b = k->u.b;
        break;
    case SYMBI_JSON_INT:
        out->kind = SYMBI_INT;
        out->u.i = k->u.i;
        break;
    case SYMBI_JSON_DOUBLE:
        out->kind = SYMBI_DOUBLE;
        out->u.d = k->u.d;
        break;
    case SYMBI_JSON_STRING:
        out->kind = SYMBI_STRING;
        out->u.s = put_string(b, k);
        break;
    case SYMBI_JSON_ARRAY: {
        size_t n = k->u.c.n;
        symbi_value *items = sy_arena_alloc(b->arena, n * sizeof *items);
        if (!items) return 0;
        out->kind = SYMBI_ARRAY;
        out->u.a.items = items;
        out->u.a.n = n;
        for (size_t e = 0; e < n; e++)
            if (!(i = build(b, i, &items[e]))) return 0;
        break;
    }
    case SYMBI_JSON_OBJECT: {
        size_t n = k->u.c.n;
        symbi_member *m = sy_arena_alloc(b->arena, n * sizeof *m);
        if (!m) return 0;
        out->kind = SYMBI_OBJECT;
        out->u.o.members = m;
        out->u.o.n = n;
        for (size_t e = 0; e < n; e++) {
            m[e].key = put_string(b, &b->v->items[i]);
            if (!(i = build(b, i + 1, &m[e].val))) return 0;
        }
        break;
    }
    default: break; /* null */
    }
    return i;
}

symbi_status symbi_json_parse(symbi_ctx *cx, symbi_str text, symbi_doc **out, symbi_err *err)
{
    symbi_json_tape *tape;
    symbi_json_view v;
    symbi_doc *d = NULL;
    builder b;
    symbi_status st = symbi_json_tape_new(cx, &tape, err);
    *out = NULL;
    if (st) return st;
    st = symbi_json_tape_read(tape, text, 0, &v, err);
    if (!st && !(d = sy_doc_new(cx))) st = sy_fail_nomem(err);
    if (!st) {
        b.v = &v;
        b.arena = &d->arena;
        b.text = sy_arena_alloc(&d->arena, v.string_bytes + v.strings);
        if (!b.text || !build(&b, 0, &d->root)) st = sy_arena_fail(&d->arena, "the JSON document", err);
    }
    symbi_json_tape_free(tape);
    if (st) symbi_doc_unref(d);
    else *out = d;
    return st;
}
