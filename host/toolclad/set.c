/* toolclad/set.c: tools by name. Building is for one thread; a finished set is only read, and may be shared. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "toolclad/tool.h"

struct symbi_toolset {
    sy_ref refs;
    symbi_alloc alloc;
    sy_map map; /* name -> tool; names belong to the tools */
};

symbi_status symbi_toolset_new(symbi_ctx *cx, symbi_toolset **out, symbi_err *err)
{
    symbi_toolset *s = sy_calloc(&cx->shared, 1, sizeof *s);
    symbi_err_clear(err);
    *out = s;
    if (!s) return sy_fail_nomem(err);
    sy_ref_init(&s->refs);
    s->alloc = cx->shared;
    sy_map_init(&s->map, cx->shared, cx->seed);
    return SYMBI_OK;
}

symbi_status symbi_toolset_add(symbi_toolset *s, symbi_tool *t, symbi_err *err)
{
    bool fresh;
    sy_map_entry *e;
    symbi_err_clear(err);
    e = sy_map_find(&s->map, t->info.name);
    if (e) {
        const symbi_tool *first = e->val.p;
        return sy_fail(err, SYMBI_EEXISTS, "tool '%.*s' stands twice: in %.*s and in %.*s; the first is kept", SY_FMT(t->info.name), SY_FMT(first->info.source), SY_FMT(t->info.source));
    }
    e = sy_map_put(&s->map, t->info.name, &fresh);
    if (!e) return sy_fail_nomem(err);
    e->val.p = symbi_tool_ref(t);
    return SYMBI_OK;
}

symbi_toolset *symbi_toolset_ref(symbi_toolset *s)
{
    sy_ref_inc(&s->refs);
    return s;
}

void symbi_toolset_unref(symbi_toolset *s)
{
    if (s && sy_ref_dec(&s->refs)) {
        symbi_alloc a = s->alloc;
        for (size_t i = 0; i < s->map.n; i++) symbi_tool_unref(s->map.e[i].val.p);
        sy_map_free(&s->map);
        sy_free(&a, s, sizeof *s);
    }
}

symbi_tool *symbi_toolset_find(const symbi_toolset *s, symbi_str name)
{
    sy_map_entry *e = sy_map_find(&s->map, name);
    return e ? e->val.p : NULL;
}

size_t symbi_toolset_count(const symbi_toolset *s) { return s->map.n; }
symbi_tool *symbi_toolset_at(const symbi_toolset *s, size_t i) { return i < s->map.n ? s->map.e[i].val.p : NULL; }
