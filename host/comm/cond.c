/* comm/cond.c: the conditions of the runtime's rules: sender_is, recipient_is, always, all, any. Names are compared exactly. */
#include "comm/comm.h"
#include "base/str.h"
#include "base/utf8.h"

#include <stdio.h>

const char *sy_comm_name_fault(symbi_str s, size_t max)
{
    if (!s.n) return "must not be empty";
    if (s.n > max) return max == SYMBI_COMM_MAX_NAME ? "must not be longer than 256 bytes" : "must not be longer than 1024 bytes";
    if (!sy_utf8_valid(s, NULL)) return "must be valid UTF-8";
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return "must not contain control characters";
    return NULL;
}

typedef struct build {
    sy_arena *a;
    size_t left; /* conditions that this rule may still have */
    char *why;
    size_t cap;
} build;

static symbi_status bad(build *b, symbi_status st, const char *text, symbi_str name)
{
    snprintf(b->why, b->cap, "%s%s%.*s%s", text, name.n ? " '" : "", (int)(name.n > 60 ? 60 : name.n), name.n ? name.p : "", name.n ? "'" : "");
    return st;
}

static const symbi_str nothing = { "", 0 };

static symbi_status one(build *b, const symbi_value *v, size_t depth, sy_cond *out);

static symbi_status kids(build *b, const symbi_value *v, symbi_str key, size_t depth, sy_cond *out)
{
    /* an empty Lua table arrives as an empty object; it is the empty list all the same */
    bool empty = v->kind == SYMBI_OBJECT && v->u.o.n == 0;
    sy_cond *c;
    if (v->kind != SYMBI_ARRAY && !empty) return bad(b, SYMBI_ESCHEMA, "needs a list of conditions in", key);
    if (depth >= SYMBI_COMM_MAX_NESTING) return bad(b, SYMBI_ELIMIT, "is nested more than 32 deep", nothing);
    out->n = empty ? 0 : v->u.a.n;
    if (out->n > b->left) return bad(b, SYMBI_ELIMIT, "has more than 256 parts", nothing);
    out->kids = c = sy_arena_calloc(b->a, out->n, sizeof *c);
    if (!c) return SYMBI_ENOMEM;
    for (size_t i = 0; i < out->n; i++) {
        symbi_status st = one(b, &v->u.a.items[i], depth + 1, &c[i]);
        if (st) return st;
    }
    return SYMBI_OK;
}

static symbi_status one(build *b, const symbi_value *v, size_t depth, sy_cond *out)
{
    const symbi_member *m;
    const char *fault;
    if (!b->left) return bad(b, SYMBI_ELIMIT, "has more than 256 parts", nothing);
    b->left--;
    if (v->kind != SYMBI_OBJECT || v->u.o.n != 1)
        return bad(b, SYMBI_ESCHEMA, "must be an object with one member: sender_is, recipient_is, always, all or any", nothing);
    m = v->u.o.members;
    if (sy_str_eqz(m->key, "always")) {
        if (m->val.kind != SYMBI_BOOL || !m->val.u.b) return bad(b, SYMBI_ESCHEMA, "must be true in", m->key);
        out->kind = SY_COND_ALWAYS;
        return SYMBI_OK;
    }
    if (sy_str_eqz(m->key, "all") || sy_str_eqz(m->key, "any")) {
        out->kind = m->key.p[1] == 'l' ? SY_COND_ALL : SY_COND_ANY;
        return kids(b, &m->val, m->key, depth, out);
    }
    if (!sy_str_eqz(m->key, "sender_is") && !sy_str_eqz(m->key, "recipient_is")) return bad(b, SYMBI_ESCHEMA, "has the unknown kind", m->key);
    if (m->val.kind != SYMBI_STRING) return bad(b, SYMBI_ESCHEMA, "needs a string in", m->key);
    if ((fault = sy_comm_name_fault(m->val.u.s, SYMBI_COMM_MAX_NAME))) return bad(b, SYMBI_ESCHEMA, fault, nothing);
    out->kind = m->key.p[0] == 's' ? SY_COND_SENDER : SY_COND_RECIPIENT;
    out->name = sy_arena_dup(b->a, m->val.u.s);
    return out->name.p ? SYMBI_OK : SYMBI_ENOMEM;
}

symbi_status sy_cond_compile(sy_arena *a, const symbi_value *v, const sy_cond **out, char *why, size_t cap)
{
    build b = { a, SYMBI_COMM_MAX_CONDITIONS, why, cap };
    sy_cond *c = sy_arena_calloc(a, 1, sizeof *c);
    why[0] = 0;
    *out = c;
    return c ? one(&b, v, 0, c) : SYMBI_ENOMEM;
}

/* Depth is bounded by sy_cond_compile. */
bool sy_cond_match(const sy_cond *c, symbi_str from, symbi_str to)
{
    switch ((sy_cond_kind)c->kind) {
    case SY_COND_ALWAYS: return true;
    case SY_COND_SENDER: return sy_str_eq(c->name, from);
    case SY_COND_RECIPIENT: return sy_str_eq(c->name, to);
    case SY_COND_ALL:
        for (size_t i = 0; i < c->n; i++)
            if (!sy_cond_match(&c->kids[i], from, to)) return false;
        return true;
    case SY_COND_ANY:
        for (size_t i = 0; i < c->n; i++)
            if (sy_cond_match(&c->kids[i], from, to)) return true;
        return false;
    case SY_COND_NEVER: break;
    }
    return false;
}
