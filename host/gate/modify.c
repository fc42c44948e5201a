/* gate/modify.c: the arguments that policies ask for instead (@instead("modify ...")). They go through the tool's contract like proposed ones. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/value.h"
#include "gate/gate.h"

#include <string.h>

/* Applies one change to n members; room for one more is there. */
static size_t apply(symbi_member *m, size_t n, const sy_change *c)
{
    size_t i = 0;
    while (i < n && !sy_str_eq(m[i].key, c->arg)) i++;
    if (c->drop) {
        if (i == n) return n;
        memmove(&m[i], &m[i + 1], (n - i - 1) * sizeof *m);
        return n - 1;
    }
    m[i].key = c->arg;
    m[i].val = c->value;
    return i == n ? n + 1 : n;
}

bool sy_gate_modify(symbi_gate *g, symbi_verdict *v)
{
    const symbi_value *old = v->input ? symbi_doc_root(v->input) : NULL;
    size_t n, most;
    symbi_doc *d = NULL;
    symbi_member *m;
    symbi_value args;
    symbi_err err;
    symbi_status st;
    sy_arena a;
    if (!v->tool || !old || old->kind != SYMBI_OBJECT) return sy_deny(v, SYMBI_CODE_MODIFY_FAILED, "a policy asks for other arguments, and a %s has none", symbi_action_kind_name(v->kind));
    most = n = old->u.o.n;
    for (size_t i = 0; i < g->nchanges; i++) most += g->changes[i]->nchanges;
    sy_arena_init(&a, g->cx->alloc, g->cx->limits.arena_bytes);
    m = sy_arena_calloc(&a, most + 1, sizeof *m);
    if (!m) {
        sy_arena_free(&a);
        return sy_deny(v, SYMBI_CODE_OUT_OF_MEMORY, "out of memory");
    }
    if (n) memcpy(m, old->u.o.members, n * sizeof *m);
    for (size_t i = 0; i < g->nchanges; i++)
        for (size_t k = 0; k < g->changes[i]->nchanges; k++) n = apply(m, n, &g->changes[i]->changes[k]);
    args = sy_val_object(m, n);
    st = symbi_tool_validate(g->cx, v->tool, &args, &d, &err);
    sy_arena_free(&a);
    if (st == SYMBI_ENOMEM) return sy_deny(v, SYMBI_CODE_OUT_OF_MEMORY, "out of memory");
    if (st) return sy_deny(v, SYMBI_CODE_MODIFY_FAILED, "the arguments that policy asks for break the contract of tool '%s': %s%s%s", v->name, err.path, err.path[0] ? ": " : "", err.msg);
    v->proposed_ = v->input;
    v->input = d;
    v->modified = true;
    return true;
}
