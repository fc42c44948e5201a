/* toolclad/mcp_params.c: arguments that a server of the revision without a handshake wants in HTTP headers beside the body (x-mcp-header in the
 * inputSchema; specification 2026-07-28, "Custom Headers from Tool Parameters"). A definition that breaks a rule of that section is not used
 * over HTTP at all: proxies decide by these headers, and what they see must be what the server does. */
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "toolclad/mcp_in.h"
#include <stdio.h>

enum { MAX_DEPTH = 64, MAX_NAME = 128, MAX_VALUE = 8192 };
#define SAFE (((int64_t)1 << 53) - 1) /* the integers that every reader of JSON agrees about */
#define MARK "x-mcp-header"

typedef struct mirrored {
    symbi_str name;         /* of Mcp-Param-<name> */
    const symbi_value *arg; /* NULL: not given */
    bool integer;
} mirrored;

typedef struct walk {
    mirrored found[SY_MCP_MAX_PARAMS];
    size_t n;
    symbi_err *err;
} walk;

static bool token(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c)))) return false;
    }
    return s.n > 0 && s.n <= MAX_NAME;
}

static bool same_name(symbi_str a, symbi_str b)
{
    for (size_t i = 0; i < a.n && a.n == b.n; i++) {
        char x = a.p[i], y = b.p[i];
        if (x >= 'A' && x <= 'Z') x = (char)(x + 32);
        if (y >= 'A' && y <= 'Z') y = (char)(y + 32);
        if (x != y) return false;
    }
    return a.n == b.n;
}

static symbi_status annotated(walk *w, const symbi_value *schema, const symbi_value *mark, const symbi_value *arg)
{
    symbi_str type = symbi_value_str(schema, "type", SY_LIT(""));
    symbi_str name = mark->kind == SYMBI_STRING ? mark->u.s : SY_LIT("");
    if (!token(name)) return sy_fail(w->err, SYMBI_ESCHEMA, MARK " must be a name of a header, of 1 to %d characters", MAX_NAME);
    if (!sy_str_eqz(type, "string") && !sy_str_eqz(type, "integer") && !sy_str_eqz(type, "boolean")) return sy_fail(w->err, SYMBI_ESCHEMA, MARK " '%.*s' stands at what is neither string nor integer nor boolean", SY_FMT(name));
    for (size_t i = 0; i < w->n; i++)
        if (same_name(w->found[i].name, name)) return sy_fail(w->err, SYMBI_ESCHEMA, MARK " '%.*s' stands there twice", SY_FMT(name));
    if (w->n == SY_MCP_MAX_PARAMS) return sy_fail(w->err, SYMBI_ESCHEMA, "more than %d " MARK, SY_MCP_MAX_PARAMS);
    w->found[w->n++] = (mirrored){ name, arg, sy_str_eqz(type, "integer") };
    return SYMBI_OK;
}

/* Members whose values are data and not schemas. */
static bool is_data(symbi_str key)
{
    return sy_str_eqz(key, "const") || sy_str_eqz(key, "enum") || sy_str_eqz(key, "default") || sy_str_eqz(key, "examples") || sy_str_eqz(key, "required") || sy_str_eqz(key, MARK);
}

/* Members whose values are schemas under names. */
static bool is_map(symbi_str key)
{
    return sy_str_eqz(key, "$defs") || sy_str_eqz(key, "definitions") || sy_str_eqz(key, "patternProperties") || sy_str_eqz(key, "dependentSchemas") || sy_str_eqz(key, "dependencies");
}

/* v: a schema, or a list of some. arg: what the call gives for it. param: it is reached through properties alone, and is no root. The depth
 * of a document is limited too; this limit does not depend on that. */
static symbi_status look(walk *w, const symbi_value *v, const symbi_value *arg, bool root, bool param, size_t depth)
{
    symbi_status st = SYMBI_OK;
    const symbi_value *mark;
    if (v->kind != SYMBI_ARRAY && v->kind != SYMBI_OBJECT) return SYMBI_OK;
    if (depth == MAX_DEPTH) return sy_fail(w->err, SYMBI_ESCHEMA, "its inputSchema nests deeper than %d", MAX_DEPTH);
    for (size_t i = 0; v->kind == SYMBI_ARRAY && i < v->u.a.n && !st; i++) st = look(w, &v->u.a.items[i], NULL, false, false, depth + 1);
    if (v->kind == SYMBI_ARRAY) return st;
    if ((mark = symbi_value_getz(v, MARK))) {
        if (!param) return sy_fail(w->err, SYMBI_ESCHEMA, MARK " stands where no argument is (only properties, and properties of those, have one)");
        if ((st = annotated(w, v, mark, arg))) return st;
    }
    for (size_t i = 0; i < v->u.o.n && !st; i++) {
        const symbi_member *m = &v->u.o.members[i];
        bool properties = sy_str_eqz(m->key, "properties");
        if (is_data(m->key)) continue;
        if (!properties && !is_map(m->key)) {
            st = look(w, &m->val, NULL, false, false, depth + 1);
            continue;
        }
        for (size_t k = 0; m->val.kind == SYMBI_OBJECT && k < m->val.u.o.n && !st; k++) {
            const symbi_member *p = &m->val.u.o.members[k];
            const symbi_value *given = properties && arg && arg->kind == SYMBI_OBJECT ? symbi_value_get(arg, p->key) : NULL;
            st = look(w, &p->val, given, false, properties && (root || param), depth + 1);
        }
    }
    return st;
}

static symbi_status look_all(walk *w, const symbi_value *definition, const symbi_value *args, symbi_err *err)
{
    const symbi_value *schema = symbi_value_getz(definition, "inputSchema");
    w->n = 0;
    w->err = err;
    return schema ? look(w, schema, args, true, false, 0) : SYMBI_OK;
}

symbi_status sy_mcp_params_check(const symbi_value *definition, symbi_err *err)
{
    walk w;
    symbi_err_clear(err);
    return look_all(&w, definition, NULL, err);
}

/* ---- values ---- */

static bool plain_header(symbi_str v)
{
    if (!v.n) return true;
    if (v.p[0] == ' ' || v.p[v.n - 1] == ' ') return false;
    if (sy_str_starts(v, SY_LIT("=?base64?")) && sy_str_ends(v, SY_LIT("?="))) return false;
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] < 0x20 || (unsigned char)v.p[i] > 0x7e) return false;
    return true;
}

symbi_str sy_mcp_header_value(sy_arena *a, symbi_str v)
{
    size_t n = sy_base64_encoded_len(v.n, SY_BASE64);
    char *p;
    if (plain_header(v)) return sy_arena_dup(a, v);
    p = sy_arena_alloc(a, 9 + n + 3);
    if (!p) return (symbi_str){ NULL, 0 };
    memcpy(p, "=?base64?", 9);
    n = 9 + sy_base64_encode(v.p, v.n, SY_BASE64, p + 9);
    memcpy(p + n, "?=", 3);
    return (symbi_str){ p, n + 2 };
}

/* The value as text; false: it is of no kind that a header may have. */
static bool text_of(const mirrored *p, char room[24], symbi_str *out)
{
    const symbi_value *v = p->arg;
    int64_t i;
    if (v->kind == SYMBI_STRING) {
        *out = v->u.s;
        return !p->integer;
    }
    if (v->kind == SYMBI_BOOL) {
        *out = v->u.b ? SY_LIT("true") : SY_LIT("false");
        return !p->integer;
    }
    if (v->kind == SYMBI_INT) i = v->u.i;
    else if (v->kind == SYMBI_DOUBLE && v->u.d >= -(double)SAFE && v->u.d <= (double)SAFE && v->u.d == (double)(int64_t)v->u.d) i = (int64_t)v->u.d;
    else return false;
    if (i > SAFE || i < -SAFE) return false;
    snprintf(room, 24, "%lld", (long long)i);
    *out = symbi_str_z(room);
    return true;
}

symbi_status sy_mcp_params_make(const symbi_value *definition, const symbi_value *args, sy_arena *a, symbi_mcp_pair out[SY_MCP_MAX_PARAMS], size_t *n, symbi_err *err)
{
    walk w;
    symbi_status st;
    *n = 0;
    symbi_err_clear(err);
    if ((st = look_all(&w, definition, args, err))) return st;
    for (size_t i = 0; i < w.n; i++) {
        const mirrored *p = &w.found[i];
        char room[24], *name;
        symbi_str text;
        if (!p->arg || p->arg->kind == SYMBI_NULL) continue;
        if (!text_of(p, room, &text)) return sy_fail(err, SYMBI_EINVAL, "what is given for the header Mcp-Param-%.*s is not what its schema says, or no integer that fits", SY_FMT(p->name));
        text = sy_mcp_header_value(a, text);
        name = sy_arena_alloc(a, 10 + p->name.n + 1);
        if (!text.p || !name) return sy_fail_nomem(err);
        if (text.n > MAX_VALUE) return sy_fail(err, SYMBI_ELIMIT, "what is given for the header Mcp-Param-%.*s has more than %d bytes", SY_FMT(p->name), MAX_VALUE);
        memcpy(name, "Mcp-Param-", 10);
        memcpy(name + 10, p->name.p, p->name.n);
        name[10 + p->name.n] = 0;
        out[(*n)++] = (symbi_mcp_pair){ { name, 10 + p->name.n }, text };
    }
    return SYMBI_OK;
}
