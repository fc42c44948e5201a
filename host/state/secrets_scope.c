/* state/secrets_scope.c: which agent may see which secret. Deny is what happens when nothing says otherwise. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/value.h"
#include "comm/comm.h"
#include "symbi/secrets.h"

#include <stdio.h>
#include <string.h>

enum { SY_SCOPE_AGENTS = 4096, SY_SCOPE_KEYS = 4096 };

typedef struct sy_grant {
    sy_glob agent;
    sy_glob *keys[2]; /* read, write */
    size_t n[2];
} sy_grant;

struct symbi_secret_scope {
    symbi_alloc alloc;
    sy_arena arena;
    sy_grant *g;
    size_t n;
};

static symbi_status fault(symbi_err *err, symbi_str agent, const char *why)
{
    symbi_status st = sy_fail(err, SYMBI_ESCHEMA, "scope of %.*s: %s", SY_FMT(agent), why);
    return st;
}

static symbi_status compile_list(symbi_secret_scope *s, sy_grant *g, int write, symbi_str agent, const symbi_value *v, symbi_err *err)
{
    if (v->kind == SYMBI_OBJECT && !v->u.o.n) return SYMBI_OK; /* an empty Lua table */
    if (v->kind != SYMBI_ARRAY) return fault(err, agent, "a list of names or patterns is expected");
    if (v->u.a.n > SY_SCOPE_KEYS) return sy_fail(err, SYMBI_ELIMIT, "scope of %.*s: more than %d patterns", SY_FMT(agent), SY_SCOPE_KEYS);
    g->keys[write] = sy_arena_calloc(&s->arena, v->u.a.n + 1, sizeof(sy_glob));
    if (!g->keys[write]) return SYMBI_OK; /* sticky */
    for (size_t i = 0; i < v->u.a.n; i++) {
        const symbi_value *k = &v->u.a.items[i];
        if (k->kind != SYMBI_STRING) return fault(err, agent, "a list of names or patterns is expected");
        if (!k->u.s.n || k->u.s.n > SYMBI_SECRET_MAX_KEY || !sy_utf8_valid(k->u.s, NULL)) return fault(err, agent, "a name or pattern is empty, too long or not UTF-8");
        sy_glob_compile(&s->arena, k->u.s, &g->keys[write][i]);
        g->n[write] = i + 1;
    }
    return SYMBI_OK;
}

static symbi_status compile(symbi_secret_scope *s, sy_grant *g, symbi_str agent, const symbi_value *v, symbi_err *err)
{
    static const char *const word[] = { "read", "write" };
    symbi_status st = SYMBI_OK;
    const char *why = sy_comm_name_fault(agent, SYMBI_COMM_MAX_NAME);
    if (why) {
        char b[120];
        snprintf(b, sizeof b, "the agent's name %s", why);
        return fault(err, agent, b);
    }
    sy_glob_compile(&s->arena, agent, &g->agent);
    if (v->kind != SYMBI_OBJECT) return compile_list(s, g, 0, agent, v, err);
    for (size_t i = 0; i < v->u.o.n && !st; i++) {
        const symbi_member *m = &v->u.o.members[i];
        int w = sy_str_eqz(m->key, word[1]);
        if (!w && !sy_str_eqz(m->key, word[0])) return fault(err, agent, "only read and write are known");
        st = compile_list(s, g, w, agent, &m->val, err);
    }
    return st;
}

symbi_status symbi_secret_scope_parse(symbi_ctx *cx, const symbi_value *doc, symbi_secret_scope **out, symbi_err *err)
{
    symbi_secret_scope *s;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    if (doc->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "scope: a map from agents to lists of names is expected");
    if (doc->u.o.n > SY_SCOPE_AGENTS) return sy_fail(err, SYMBI_ELIMIT, "scope: more than %d agents", SY_SCOPE_AGENTS);
    s = sy_calloc(&cx->alloc, 1, sizeof *s);
    if (!s) return sy_fail_nomem(err);
    s->alloc = cx->alloc;
    sy_arena_init(&s->arena, cx->alloc, cx->limits.arena_bytes);
    s->g = sy_arena_calloc(&s->arena, doc->u.o.n + 1, sizeof *s->g);
    for (size_t i = 0; s->g && i < doc->u.o.n && !st; i++, s->n++) {
        /* patterns outlive the document */
        symbi_str agent = sy_arena_dup(&s->arena, doc->u.o.members[i].key);
        symbi_value v;
        if (!agent.p) break;
        st = sy_value_copy(&s->arena, &doc->u.o.members[i].val, &v, 8, err);
        if (!st) st = compile(s, &s->g[i], agent, &v, err);
    }
    if (!st && s->arena.status) st = sy_arena_fail(&s->arena, "the scope", err);
    if (st) symbi_secret_scope_free(s);
    else *out = s;
    return st;
}

void symbi_secret_scope_free(symbi_secret_scope *s)
{
    symbi_alloc a;
    if (!s) return;
    a = s->alloc;
    sy_arena_free(&s->arena);
    sy_free(&a, s, sizeof *s);
}

bool symbi_secret_scope_allows(const symbi_secret_scope *s, symbi_str agent, symbi_str key, bool write)
{
    if (!s || sy_comm_name_fault(agent, SYMBI_COMM_MAX_NAME) || !key.n || key.n > SYMBI_SECRET_MAX_KEY || !sy_utf8_valid(key, NULL)) return false;
    for (size_t i = 0; i < s->n; i++) {
        const sy_grant *g = &s->g[i];
        if (!sy_glob_match(&g->agent, agent)) continue;
        for (size_t k = 0; k < g->n[write]; k++)
            if (sy_glob_match(&g->keys[write][k], key)) return true;
    }
    return false;
}
