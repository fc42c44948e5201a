/* toolclad/set.c: tools by name. Building is for one thread; a finished set is only read, and may be shared. A session or browser
 * manifest stands there as its commands, whose names begin with its own: that name is then taken as well, because policies may speak of it. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
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

bool sy_tool_same(const symbi_tool *a, const symbi_tool *b)
{
    const symbi_tool *x = a, *y = b;
    if (a == b) return true;
    if (!a || !b || memcmp(a->info.sha256, b->info.sha256, 32) != 0) return false; /* a command's covers its manifest's */
    if (x->owner) x = x->owner;
    if (y->owner) y = y->owner;
    return x->types == y->types && !x->child && !y->child; /* of other files: read again, they count as others */
}

/* The tool that has this name already, or whose manifest has it. */
static const symbi_tool *taken(const symbi_toolset *s, symbi_str name, bool manifests)
{
    const sy_map_entry *e = sy_map_find(&s->map, name);
    if (e) return e->val.p;
    for (size_t i = 0; manifests && i < s->map.n; i++) {
        const symbi_tool *t = s->map.e[i].val.p;
        if (t->owner && sy_str_eq(t->owner->info.name, name)) return t;
    }
    return NULL;
}

static symbi_status twice(const symbi_tool *first, const symbi_tool *t, symbi_err *err)
{
    return sy_fail(err, SYMBI_EEXISTS, "tool '%.*s' stands twice: in %.*s and in %.*s; the first is kept", SY_FMT(t->info.name), SY_FMT(first->info.source), SY_FMT(t->info.source));
}

/* All commands or none: into a copy of the map, which then takes the place of the old one. */
static symbi_status add_commands(symbi_toolset *s, symbi_tool *t, symbi_err *err)
{
    sy_map m;
    bool fresh;
    const symbi_tool *first = taken(s, t->info.name, true);
    for (size_t i = 0; !first && i < t->ncommands; i++) first = taken(s, t->commands[i].info.name, false);
    if (first) return twice(first, t, err);
    sy_map_init(&m, s->alloc, s->map.seed);
    for (size_t i = 0; i < s->map.n + t->ncommands; i++) {
        symbi_tool *one = i < s->map.n ? s->map.e[i].val.p : &t->commands[i - s->map.n];
        sy_map_entry *e = sy_map_put(&m, one->info.name, &fresh);
        if (!e) {
            sy_map_free(&m);
            return sy_fail_nomem(err);
        }
        e->val.p = one;
    }
    for (size_t i = 0; i < t->ncommands; i++) symbi_tool_ref(&t->commands[i]);
    sy_map_free(&s->map);
    s->map = m;
    return SYMBI_OK;
}

symbi_status symbi_toolset_add(symbi_toolset *s, symbi_tool *t, symbi_err *err)
{
    const symbi_tool *first;
    bool fresh;
    sy_map_entry *e;
    symbi_err_clear(err);
    if (t->ncommands) return add_commands(s, t, err);
    if (!t->owner && (t->info.backend == SYMBI_BACKEND_SESSION || t->info.backend == SYMBI_BACKEND_BROWSER))
        return sy_fail(err, SYMBI_ESCHEMA, "%.*s: tool '%.*s' has no commands: nothing of it can be called", SY_FMT(t->info.source), SY_FMT(t->info.name));
    first = taken(s, t->info.name, !t->owner);
    if (first) return twice(first, t, err);
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
