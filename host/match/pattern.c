/* match/pattern.c: a pattern as a value of an arena. */
#include "match/pattern.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "codec/value.h"
#include "match/match_in.h"
#include "match/shape.h"
#include "match/table.h"

enum { WORKING_MAX = 32 << 20 };

struct sy_mpattern {
    sy_mprog prog;
    const sy_mtable *table; /* or NULL */
    const sy_mshape *shape; /* or NULL */
    bool anchored;
};

static symbi_status compile(sy_arena *keep, sy_arena *tmp, symbi_str text, unsigned flags, const sy_mpattern **out, symbi_err *err)
{
    sy_mpattern *p = sy_arena_calloc(keep, 1, sizeof *p);
    sy_mshape shape;
    sy_mnode *node;
    size_t bad;
    symbi_status st;
    if (!p) return sy_arena_fail(keep, "the pattern", err);
    if ((st = sy_mparse(tmp, text, flags, &node, err))) return st;
    if ((st = sy_mprog_make(keep, tmp, &node, 1, flags, &p->prog, &bad, err))) return st;
    if (!sy_mtable_make(keep, tmp, &p->prog, &p->table)) return sy_arena_fail(keep->status ? keep : tmp, "the pattern", err);
    if (sy_mshape_make(node, &shape) && !(p->shape = sy_arena_memdup(keep, &shape, sizeof shape))) return sy_arena_fail(keep, "the pattern", err);
    p->anchored = sy_mnode_fixed(node, false) && sy_mnode_fixed(node, true);
    *out = p;
    return SYMBI_OK;
}

symbi_status sy_mpattern_compile(sy_arena *keep, symbi_str text, unsigned flags, const sy_mpattern **out, symbi_err *err)
{
    sy_arena tmp;
    symbi_status st;
    *out = NULL;
    sy_arena_init(&tmp, keep->alloc, WORKING_MAX);
    st = compile(keep, &tmp, text, flags, out, err);
    sy_arena_free(&tmp);
    return st;
}

static symbi_status simulate(symbi_ctx *cx, const sy_mpattern *p, symbi_str text, bool *hit, symbi_err *err)
{
    uint64_t small[512];
    size_t need = sy_mprog_need(&p->prog);
    void *mem = small;
    if (need > sizeof small && !(mem = sy_alloc(&cx->alloc, need))) return sy_fail_nomem(err);
    *hit = sy_mprog_search(&p->prog, text, mem) != 0;
    if (mem != small) sy_free(&cx->alloc, mem, need);
    return SYMBI_OK;
}

symbi_status sy_mpattern_search(symbi_ctx *cx, const sy_mpattern *p, symbi_str text, size_t steps, bool *hit, symbi_err *err)
{
    size_t cost;
    *hit = false;
    /* text.n >= steps / prog.n, without dividing */
    if (steps && (__builtin_mul_overflow(text.n + 1, p->prog.n, &cost) || cost > steps)) return sy_fail(err, SYMBI_ELIMIT, "the value is too long for its pattern");
    if (p->shape) *hit = sy_mshape_match(p->shape, text);
    else if (p->table) *hit = sy_mtable_search(p->table, &p->prog, text);
    else return simulate(cx, p, text, hit, err);
    return SYMBI_OK;
}

bool sy_mpattern_may_have(const sy_mpattern *p, unsigned char byte) { return !p->shape || p->shape->member[byte]; }
bool sy_mpattern_quick(const sy_mpattern *p, symbi_str text) { return p->shape && sy_mshape_match(p->shape, text); }
bool sy_mpattern_anchored(const sy_mpattern *p) { return p->anchored; }
