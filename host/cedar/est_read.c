/* cedar/est_read.c: JSON policies into nodes. Everything is checked here: an AST built from JSON obeys the same rules as one
 * built from text, so that nothing later needs to know where it came from. */
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/est.h"
#include "symbi/json.h"

#include <string.h>

typedef struct reader {
    sy_cbuild *b;
    sy_cconv c;      /* for messages with their place */
    size_t depth;    /* levels left */
} reader;
typedef struct node {
    uint32_t n, height;
} node;

#define bad(r, at, ...) sy_cconv_fail(&(r)->c, SYMBI_ESCHEMA, at, __VA_ARGS__)

/* Only these members may occur; those before "|" must. */
static symbi_status members(reader *r, const symbi_value *v, const char *const names[], size_t required, const sy_cpath *at)
{
    if (v->kind != SYMBI_OBJECT) return bad(r, at, "expected an object, found %.*s", SY_FMT(symbi_str_z(symbi_kind_name((symbi_kind)v->kind))));
    for (size_t i = 0; i < v->u.o.n; i++) {
        size_t k = 0;
        while (names[k] && !sy_str_eqz(v->u.o.members[i].key, names[k])) k++;
        if (!names[k]) return bad(r, at, "unknown member `%.*s`", SY_FMT(v->u.o.members[i].key));
    }
    for (size_t k = 0; k < required; k++)
        if (!symbi_value_getz(v, names[k])) return bad(r, at, "the member `%.*s` is missing", SY_FMT(symbi_str_z(names[k])));
    return SYMBI_OK;
}

static symbi_status string_of(reader *r, const symbi_value *v, const sy_cpath *at, symbi_str *out)
{
    if (v->kind != SYMBI_STRING) return bad(r, at, "expected a string, found %.*s", SY_FMT(symbi_str_z(symbi_kind_name((symbi_kind)v->kind))));
    return sy_cconv_str(&r->c, v->u.s, at, out);
}

static uint32_t str(reader *r, symbi_str s) { return sy_cbuild_str(r->b, s, false); }

static symbi_status name_of(reader *r, const symbi_value *v, const sy_cpath *at, uint32_t *out)
{
    symbi_str s;
    symbi_status st = string_of(r, v, at, &s);
    if (st) return st;
    if (!sy_cname_valid(s)) return bad(r, at, "`%.*s` is not an entity type: names joined by `::`, without spaces or reserved words", SY_FMT(s));
    if ((r->b->flags & SYMBI_CEDAR_SYMBI_ALIAS) && sy_str_starts(s, SY_LIT("Symbi::"))) s.p += 7, s.n -= 7;
    *out = str(r, s);
    return SYMBI_OK;
}

static symbi_status uid_of(reader *r, const symbi_value *v, const sy_cpath *at, uint32_t *out)
{
    sy_cuid u;
    symbi_status st = sy_cconvert_uid(&r->c, v, at, &u);
    if (st) return st;
    if ((r->b->flags & SYMBI_CEDAR_SYMBI_ALIAS) && sy_str_starts(u.type, SY_LIT("Symbi::"))) u.type.p += 7, u.type.n -= 7;
    *out = sy_cbuild_uid(r->b, str(r, u.type), str(r, u.id));
    return SYMBI_OK;
}

static symbi_status done(reader *r, uint32_t n, uint32_t height, const sy_cpath *at, node *out)
{
    if (r->b->failed_mem) return sy_cbuild_nomem(r->b, r->b->err);
    if (height > r->b->cx->limits.expr_depth) return sy_cconv_fail(&r->c, SYMBI_ELIMIT, at, "this expression is nested too deeply");
    out->n = n;
    out->height = height;
    return SYMBI_OK;
}
static uint32_t mk(reader *r, sy_cop op, unsigned sub, uint32_t a, uint32_t b) { return sy_cbuild_node(r->b, op, sub, a, b, 0); }
static uint32_t max_u32(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* A JSON value (spec 9.2) as the nodes that make it. sub 1 marks what was written as a value. */
static symbi_status value(reader *r, const symbi_value *v, const sy_cpath *at, node *out)
{
    symbi_status st;
    size_t base = r->b->nstack;
    uint32_t h = 0, n, dup = 0;
    symbi_str s;
    node k;
    switch ((symbi_kind)v->kind) {
    case SYMBI_BOOL: return done(r, mk(r, SY_OP_BOOL, 0, v->u.b, 0), 1, at, out);
    case SYMBI_INT: return done(r, sy_cbuild_long(r->b, v->u.i, 0), 1, at, out);
    case SYMBI_STRING:
        if ((st = string_of(r, v, at, &s))) return st;
        return done(r, mk(r, SY_OP_STR, 0, str(r, s), 0), 1, at, out);
    case SYMBI_NULL: return bad(r, at, "found a `null`; JSON `null`s are not allowed in Cedar");
    case SYMBI_DOUBLE:
    case SYMBI_TIME: return bad(r, at, "Cedar numbers are 64-bit integers");
    case SYMBI_ARRAY:
    case SYMBI_OBJECT: break;
    }
    if (!r->depth) return sy_cconv_fail(&r->c, SYMBI_ELIMIT, at, "this value is nested too deeply");
    r->depth--;
    if (v->kind == SYMBI_ARRAY) {
        for (size_t i = 0; i < v->u.a.n; i++) {
            sy_cpath here = { at, { NULL, 0 }, i };
            if ((st = value(r, &v->u.a.items[i], &here, &k))) return st;
            h = max_u32(h, k.height);
            sy_cbuild_push(r->b, k.n);
        }
        n = sy_cbuild_set(r->b, base, 0);
        if (!r->b->failed_mem) r->b->nodes[n].sub = 1;
    } else {
        const symbi_value *e = symbi_value_getz(v, "__expr"), *fn, *arg, *args;
        sy_cuid u;
        if (v->u.o.n == 1 && e && e->kind == SYMBI_STRING) return bad(r, at, "the `__expr` escape is no longer supported");
        e = v->u.o.n == 1 ? symbi_value_getz(v, "__entity") : NULL;
        if (e) {
            int kind = sy_ctype_and_id(e, &u);
            if (kind < 0) return bad(r, at, "`%.*s` is not an entity type", SY_FMT(u.type));
            if (kind > 0) {
                sy_cpath here = { at, SY_LIT("__entity"), 0 };
                uint32_t uid;
                if ((st = uid_of(r, v, &here, &uid))) return st;
                r->depth++;
                return done(r, mk(r, SY_OP_UID, 0, uid, 0), 1, at, out);
            }
        }
        e = v->u.o.n == 1 ? symbi_value_getz(v, "__extn") : NULL;
        fn = symbi_value_getz(e, "fn");
        arg = symbi_value_getz(e, "arg");
        args = arg ? NULL : symbi_value_getz(e, "args");
        if (fn && fn->kind == SYMBI_STRING && (arg || (args && args->kind == SYMBI_ARRAY))) {
            sy_cfn f = sy_cfn_find(fn->u.s);
            size_t count = arg ? 1 : args->u.a.n;
            for (size_t i = 0; i < count; i++) {
                sy_cpath here = { at, { NULL, 0 }, i };
                if ((st = value(r, arg ? arg : &args->u.a.items[i], &here, &k))) return st;
                h = max_u32(h, k.height);
                sy_cbuild_push(r->b, k.n);
            }
            if (f == SY_CFN_NONE) { /* found out when it is evaluated */
                uint32_t at_list;
                sy_cbuild_push(r->b, 0);
                sy_cbuild_push(r->b, str(r, fn->u.s));
                at_list = sy_cbuild_list(r->b, base);
                n = mk(r, SY_OP_CALL, SY_CFN_NONE, at_list, (uint32_t)count);
            } else {
                n = sy_cbuild_call(r->b, f, base, 0);
            }
            if (!r->b->failed_mem) r->b->nodes[n].n = arg ? 1 : 2;
            r->depth++;
            return done(r, n, h + 1, at, out);
        }
        for (size_t i = 0; i < v->u.o.n; i++) {
            const symbi_member *m = &v->u.o.members[i];
            sy_cpath here = { at, m->key, 0 };
            if ((st = sy_cconv_str(&r->c, m->key, &here, &s)) || (st = value(r, &m->val, &here, &k))) return st;
            h = max_u32(h, k.height);
            sy_cbuild_push(r->b, str(r, s));
            sy_cbuild_push(r->b, k.n);
        }
        n = sy_cbuild_record(r->b, base, 0, &dup);
        if (n == SY_NONE) return bad(r, at, "duplicate key `%.*s`", SY_FMT(r->b->strs[dup]));
        if (!r->b->failed_mem) r->b->nodes[n].sub = 1;
    }
    r->depth++;
    return done(r, n, h + 1, at, out);
}

static symbi_status expr(reader *r, const symbi_value *v, const sy_cpath *up, node *out);

/* Member `name` of payload as an expression. */
static symbi_status sub_expr(reader *r, const symbi_value *payload, const char *name, const sy_cpath *at, node *out)
{
    sy_cpath here = { at, symbi_str_z(name), 0 };
    return expr(r, symbi_value_getz(payload, name), &here, out);
}

static symbi_status list_of(reader *r, const symbi_value *v, const sy_cpath *at, uint32_t *height)
{
    symbi_status st;
    node k;
    *height = 0;
    if (v->kind != SYMBI_ARRAY) return bad(r, at, "expected an array of expressions, found %.*s", SY_FMT(symbi_str_z(symbi_kind_name((symbi_kind)v->kind))));
    for (size_t i = 0; i < v->u.a.n; i++) {
        sy_cpath here = { at, { NULL, 0 }, i };
        if ((st = expr(r, &v->u.a.items[i], &here, &k))) return st;
        *height = max_u32(*height, k.height);
        sy_cbuild_push(r->b, k.n);
    }
    return SYMBI_OK;
}

static symbi_status binary(reader *r, sy_cop op, const symbi_value *p, const sy_cpath *at, node *out)
{
    static const char *const names[] = { "left", "right", NULL };
    symbi_status st;
    node a, b;
    size_t base;
    uint32_t h;
    bool minus = op == SY_OP_BOOL; /* "-" */
    if ((st = members(r, p, names, 2, at)) || (st = sub_expr(r, p, "left", at, &a)) || (st = sub_expr(r, p, "right", at, &b))) return st;
    h = max_u32(a.height, b.height) + 1;
    if (op == SY_OP_AND || op == SY_OP_OR || op == SY_OP_ADD || op == SY_OP_MUL || minus) {
        uint32_t at_list;
        base = r->b->nstack;
        sy_cbuild_push(r->b, a.n);
        sy_cbuild_push(r->b, b.n | (minus ? SY_MINUS : 0));
        at_list = sy_cbuild_list(r->b, base);
        return done(r, mk(r, minus ? SY_OP_ADD : op, 0, at_list, 2), h, at, out);
    }
    return done(r, mk(r, op, 0, a.n, b.n), h, at, out);
}

static symbi_status unary(reader *r, sy_cop op, const symbi_value *p, const sy_cpath *at, node *out)
{
    static const char *const names[] = { "arg", NULL };
    symbi_status st;
    node a;
    if ((st = members(r, p, names, 1, at)) || (st = sub_expr(r, p, "arg", at, &a))) return st;
    return done(r, mk(r, op, 0, a.n, 0), a.height + 1, at, out);
}

static symbi_status has(reader *r, const symbi_value *p, const sy_cpath *at, node *out)
{
    static const char *const names[] = { "left", "attr" };
    sy_cpath here = { at, SY_LIT("attr"), 0 };
    const symbi_value *attr = symbi_value_getz(p, "attr");
    symbi_status st;
    symbi_str s;
    size_t base, n = 1;
    uint32_t at_list, nd;
    node a;
    if (p->kind != SYMBI_OBJECT || !symbi_value_getz(p, names[0]) || !attr) return bad(r, at, "`has` needs the members left and attr");
    if ((st = sub_expr(r, p, "left", at, &a))) return st;
    base = r->b->nstack;
    if (attr->kind == SYMBI_ARRAY) {
        n = attr->u.a.n;
        if (!n || n > 0xFFFF) return bad(r, &here, "expected a name or a list of names");
        for (size_t i = 0; i < n; i++) {
            if ((st = string_of(r, &attr->u.a.items[i], &here, &s))) return st;
            sy_cbuild_push(r->b, str(r, s));
        }
    } else {
        if ((st = string_of(r, attr, &here, &s))) return st;
        sy_cbuild_push(r->b, str(r, s));
    }
    at_list = sy_cbuild_list(r->b, base);
    nd = mk(r, SY_OP_HAS, 0, a.n, at_list);
    if (!r->b->failed_mem) r->b->nodes[nd].n = (uint16_t)n;
    return done(r, nd, max_u32(a.height, (uint32_t)n) + 1, at, out);
}

static symbi_status like(reader *r, const symbi_value *p, const sy_cpath *at, node *out)
{
    sy_cpath here = { at, SY_LIT("pattern"), 0 };
    const symbi_value *pat = symbi_value_getz(p, "pattern");
    symbi_status st = SYMBI_OK;
    sy_buf buf;
    node a;
    uint32_t s = 0;
    if (p->kind != SYMBI_OBJECT || !symbi_value_getz(p, "left") || !pat || pat->kind != SYMBI_ARRAY)
        return bad(r, at, "`like` needs left and pattern, a list of \"Wildcard\" and {\"Literal\": text}");
    if ((st = sub_expr(r, p, "left", at, &a))) return st;
    sy_buf_init(&buf, r->b->cx->alloc, r->b->cx->limits.doc_bytes);
    for (size_t i = 0; i < pat->u.a.n && !st; i++) {
        sy_cpath el = { &here, { NULL, 0 }, i };
        const symbi_value *e = &pat->u.a.items[i], *l = symbi_value_getz(e, "Literal");
        symbi_str t;
        if (e->kind == SYMBI_STRING && sy_str_eqz(e->u.s, "Wildcard")) sy_buf_addc(&buf, (char)0xFF);
        else if (!l || e->u.o.n != 1) st = bad(r, &el, "expected \"Wildcard\" or {\"Literal\": text}");
        else if (!(st = string_of(r, l, &el, &t))) sy_buf_adds(&buf, t);
    }
    if (!st && sy_buf_status(&buf)) {
        st = sy_fail_nomem(r->b->err);
    } else if (!st) {
        s = str(r, sy_buf_str(&buf));
    }
    sy_buf_free(&buf);
    return st ? st : done(r, mk(r, SY_OP_LIKE, 0, a.n, s), a.height + 1, at, out);
}

static symbi_status is(reader *r, const symbi_value *p, const sy_cpath *at, node *out)
{
    sy_cpath here = { at, SY_LIT("entity_type"), 0 };
    const symbi_value *t = symbi_value_getz(p, "entity_type");
    symbi_status st;
    node a, b;
    size_t base;
    uint32_t type, at_list;
    if (p->kind != SYMBI_OBJECT || !symbi_value_getz(p, "left") || !t) return bad(r, at, "`is` needs the members left and entity_type");
    if ((st = sub_expr(r, p, "left", at, &a)) || (st = name_of(r, t, &here, &type))) return st;
    if (!symbi_value_getz(p, "in")) return done(r, mk(r, SY_OP_IS, 0, a.n, type), a.height + 1, at, out);
    if ((st = sub_expr(r, p, "in", at, &b))) return st;
    base = r->b->nstack;
    sy_cbuild_push(r->b, a.n);
    sy_cbuild_push(r->b, b.n);
    at_list = sy_cbuild_list(r->b, base);
    return done(r, mk(r, SY_OP_ISIN, 0, at_list, type), max_u32(a.height, b.height) + 2, at, out);
}

static symbi_status if_then_else(reader *r, const symbi_value *p, const sy_cpath *at, node *out)
{
    static const char *const names[] = { "if", "then", "else", NULL };
    symbi_status st;
    size_t base = r->b->nstack;
    uint32_t h = 0, at_list;
    node k;
    if (p->kind != SYMBI_OBJECT) return bad(r, at, "expected an object with if, then and else");
    for (int i = 0; i < 3; i++) {
        if (!symbi_value_getz(p, names[i])) return bad(r, at, "the member `%.*s` is missing", SY_FMT(symbi_str_z(names[i])));
        if ((st = sub_expr(r, p, names[i], at, &k))) return st;
        h = max_u32(h, k.height);
        sy_cbuild_push(r->b, k.n);
    }
    at_list = sy_cbuild_list(r->b, base);
    return done(r, mk(r, SY_OP_IF, 0, at_list, 0), h + 1, at, out);
}

static symbi_status record(reader *r, const symbi_value *p, const sy_cpath *at, node *out)
{
    size_t base = r->b->nstack;
    uint32_t h = 0, n, dup = 0;
    symbi_status st;
    symbi_str s;
    node k;
    if (p->kind != SYMBI_OBJECT) return bad(r, at, "expected an object of expressions, found %.*s", SY_FMT(symbi_str_z(symbi_kind_name((symbi_kind)p->kind))));
    for (size_t i = 0; i < p->u.o.n; i++) {
        const symbi_member *m = &p->u.o.members[i];
        sy_cpath here = { at, m->key, 0 };
        if ((st = sy_cconv_str(&r->c, m->key, &here, &s)) || (st = expr(r, &m->val, &here, &k))) return st;
        h = max_u32(h, k.height);
        sy_cbuild_push(r->b, str(r, s));
        sy_cbuild_push(r->b, k.n);
    }
    n = sy_cbuild_record(r->b, base, 0, &dup);
    if (n == SY_NONE) return bad(r, at, "duplicate key `%.*s`", SY_FMT(r->b->strs[dup]));
    return done(r, n, h + 1, at, out);
}

static const struct { const char *name; uint8_t op; } binaries[] = {
    { "==", SY_OP_EQ }, { "!=", SY_OP_NE }, { "<", SY_OP_LT }, { "<=", SY_OP_LE }, { ">", SY_OP_GT }, { ">=", SY_OP_GE }, { "in", SY_OP_IN },
    { "&&", SY_OP_AND }, { "||", SY_OP_OR }, { "+", SY_OP_ADD }, { "-", SY_OP_BOOL }, { "*", SY_OP_MUL }, { "contains", SY_OP_CONTAINS },
    { "containsAll", SY_OP_CONTAINSALL }, { "containsAny", SY_OP_CONTAINSANY }, { "getTag", SY_OP_GETTAG }, { "hasTag", SY_OP_HASTAG },
};

static symbi_status expr_in(reader *r, symbi_str key, const symbi_value *p, const sy_cpath *at, node *out)
{
    static const char *const vars[] = { "principal", "action", "resource", "context" };
    symbi_status st;
    symbi_str s;
    sy_cfn fn;
    size_t base = r->b->nstack;
    uint32_t h;
    if (sy_str_eqz(key, "Value")) return value(r, p, at, out);
    for (size_t i = 0; i < sizeof binaries / sizeof binaries[0]; i++)
        if (sy_str_eqz(key, binaries[i].name)) return binary(r, (sy_cop)binaries[i].op, p, at, out);
    if (sy_str_eqz(key, "Var")) {
        if ((st = string_of(r, p, at, &s))) return st;
        for (unsigned i = 0; i < 4; i++)
            if (sy_str_eqz(s, vars[i])) return done(r, mk(r, SY_OP_VAR, i, 0, 0), 1, at, out);
        return bad(r, at, "`%.*s` is not a variable; there are principal, action, resource and context", SY_FMT(s));
    }
    if (sy_str_eqz(key, "Slot")) return bad(r, at, "found a template slot in a condition; slots can only stand in the scope");
    if (sy_str_eqz(key, "!")) return unary(r, SY_OP_NOT, p, at, out);
    if (sy_str_eqz(key, "neg")) return unary(r, SY_OP_NEG, p, at, out);
    if (sy_str_eqz(key, "isEmpty")) return unary(r, SY_OP_ISEMPTY, p, at, out);
    if (sy_str_eqz(key, ".")) {
        static const char *const names[] = { "left", "attr", NULL };
        sy_cpath here = { at, SY_LIT("attr"), 0 };
        node a;
        if ((st = members(r, p, names, 2, at)) || (st = string_of(r, symbi_value_getz(p, "attr"), &here, &s)) || (st = sub_expr(r, p, "left", at, &a))) return st;
        return done(r, mk(r, SY_OP_GET, 0, a.n, str(r, s)), a.height + 1, at, out);
    }
    if (sy_str_eqz(key, "has")) return has(r, p, at, out);
    if (sy_str_eqz(key, "like")) return like(r, p, at, out);
    if (sy_str_eqz(key, "is")) return is(r, p, at, out);
    if (sy_str_eqz(key, "if-then-else")) return if_then_else(r, p, at, out);
    if (sy_str_eqz(key, "Set")) {
        if ((st = list_of(r, p, at, &h))) return st;
        return done(r, sy_cbuild_set(r->b, base, 0), h + 1, at, out);
    }
    if (sy_str_eqz(key, "Record")) return record(r, p, at, out);
    if ((fn = sy_cfn_find(key)) != SY_CFN_NONE) {
        if ((st = list_of(r, p, at, &h))) return st;
        return done(r, sy_cbuild_call(r->b, fn, base, 0), h + 1, at, out);
    }
    return bad(r, at, "`%.*s` is not an operator or function of Cedar", SY_FMT(key));
}

static symbi_status expr(reader *r, const symbi_value *v, const sy_cpath *up, node *out)
{
    symbi_status st;
    if (!r->depth) return sy_cconv_fail(&r->c, SYMBI_ELIMIT, up, "this expression is nested too deeply");
    if (v->kind != SYMBI_OBJECT || v->u.o.n != 1) {
        if (v->kind == SYMBI_OBJECT) return bad(r, up, v->u.o.n ? "an expression is an object with exactly one member" : "an expression cannot be an empty object");
        return bad(r, up, "an expression is an object with exactly one member, found %.*s", SY_FMT(symbi_str_z(symbi_kind_name((symbi_kind)v->kind))));
    }
    r->depth--;
    {
        sy_cpath here = { up, v->u.o.members[0].key, 0 };
        st = expr_in(r, v->u.o.members[0].key, &v->u.o.members[0].val, &here, out);
    }
    r->depth++;
    return st;
}

static symbi_status slot(reader *r, const symbi_value *v, int var, const sy_cpath *at, sy_cscope *sc)
{
    static const char *const slots[] = { "?principal", NULL, "?resource" };
    if (var == SY_VAR_ACTION) return bad(r, at, "actions cannot have slots");
    if (v->kind != SYMBI_STRING || !sy_str_eqz(v->u.s, slots[var])) return bad(r, at, "expected the slot %.*s", SY_FMT(symbi_str_z(slots[var])));
    sc->slot = true;
    return SYMBI_OK;
}

/* {"entity":...} or {"slot":...}; entity wins where both stand. */
static symbi_status entity_or_slot(reader *r, const symbi_value *v, int var, const sy_cpath *at, sy_cscope *sc)
{
    const symbi_value *e = symbi_value_getz(v, "entity"), *s = symbi_value_getz(v, "slot");
    sy_cpath pe = { at, SY_LIT("entity"), 0 }, ps = { at, SY_LIT("slot"), 0 };
    symbi_status st;
    if (e) {
        if ((st = uid_of(r, e, &pe, &sc->uid))) return st;
        if (var == SY_VAR_ACTION && !r->b->failed_mem && !sy_str_eqz(sy_cname_base(r->b->uids[sc->uid].type), "Action"))
            return bad(r, &pe, "expected an entity of type `Action`, found type `%.*s`", SY_FMT(r->b->uids[sc->uid].type));
        return SYMBI_OK;
    }
    if (s) return slot(r, s, var, &ps, sc);
    return bad(r, at, "expected the member `entity` or `slot`");
}

static symbi_status scope(reader *r, const symbi_value *v, int var, const sy_cpath *at, sy_cscope *sc)
{
    static const char *const is_names[] = { "op", "entity_type", "in", NULL };
    const symbi_value *op = symbi_value_getz(v, "op"), *in;
    symbi_status st;
    if (!op || op->kind != SYMBI_STRING) return bad(r, at, "a scope constraint is an object with `op`");
    if (sy_str_eqz(op->u.s, "All") || sy_str_eqz(op->u.s, "all")) return SYMBI_OK;
    if (sy_str_eqz(op->u.s, "==")) {
        sc->op = SY_SC_EQ;
        return entity_or_slot(r, v, var, at, sc);
    }
    if (sy_str_eqz(op->u.s, "in")) {
        const symbi_value *list = symbi_value_getz(v, "entities");
        sc->op = SY_SC_IN;
        if (var == SY_VAR_ACTION && list && !symbi_value_getz(v, "entity")) {
            size_t base = r->b->nstack;
            if (list->kind != SYMBI_ARRAY) return bad(r, at, "`entities` must be an array");
            for (size_t i = 0; i < list->u.a.n; i++) {
                sy_cpath pl = { at, SY_LIT("entities"), 0 }, here = { &pl, { NULL, 0 }, i };
                uint32_t uid;
                if ((st = uid_of(r, &list->u.a.items[i], &here, &uid))) return st;
                if (!r->b->failed_mem && !sy_str_eqz(sy_cname_base(r->b->uids[uid].type), "Action"))
                    return bad(r, &here, "expected an entity of type `Action`, found type `%.*s`", SY_FMT(r->b->uids[uid].type));
                sy_cbuild_push(r->b, uid);
            }
            sc->op = SY_SC_INLIST;
            sc->n = (uint32_t)(r->b->nstack - base);
            sc->uid = sy_cbuild_list(r->b, base);
            return SYMBI_OK;
        }
        return entity_or_slot(r, v, var, at, sc);
    }
    if (sy_str_eqz(op->u.s, "is") && var != SY_VAR_ACTION) {
        sy_cpath pt = { at, SY_LIT("entity_type"), 0 }, pi = { at, SY_LIT("in"), 0 };
        if ((st = members(r, v, is_names, 2, at)) || (st = name_of(r, symbi_value_getz(v, "entity_type"), &pt, &sc->type))) return st;
        sc->op = SY_SC_IS;
        in = symbi_value_getz(v, "in");
        if (!in || in->kind == SYMBI_NULL) return SYMBI_OK;
        sc->op = SY_SC_ISIN;
        return entity_or_slot(r, in, var, &pi, sc);
    }
    return bad(r, at, "`%.*s` is not a scope operator here; there are All, ==, in and (not for actions) is", SY_FMT(op->u.s));
}

static symbi_status annotations(reader *r, const symbi_value *v, const sy_cpath *at, sy_cpolicy *p)
{
    size_t first = r->b->nanns;
    p->ann = (uint32_t)first;
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_OBJECT) return bad(r, at, "annotations are an object");
    for (size_t i = 0; i < v->u.o.n; i++) {
        const symbi_member *m = &v->u.o.members[i];
        sy_cpath here = { at, m->key, 0 };
        symbi_status st;
        symbi_str s = { NULL, 0 };
        sy_cann a;
        size_t k;
        if (!sy_cident_shape(m->key)) return bad(r, &here, "`%.*s` cannot be the name of an annotation", SY_FMT(m->key));
        if (m->val.kind != SYMBI_NULL && (st = string_of(r, &m->val, &here, &s))) return st;
        a.key = str(r, m->key);
        a.val = m->val.kind == SYMBI_NULL ? SY_NONE : str(r, s);
        sy_cbuild_ann(r->b, a.key, a.val);
        if (r->b->failed_mem) return sy_cbuild_nomem(r->b, r->b->err);
        for (k = r->b->nanns - 1; k > first && sy_str_cmp(r->b->strs[r->b->anns[k - 1].key], m->key) > 0; k--) r->b->anns[k] = r->b->anns[k - 1];
        r->b->anns[k] = a;
    }
    p->nann = (uint32_t)(r->b->nanns - first);
    return SYMBI_OK;
}

static symbi_status conditions(reader *r, const symbi_value *v, const sy_cpath *at, sy_cpolicy *p)
{
    static const char *const names[] = { "kind", "body", NULL };
    size_t base = r->b->nstack;
    symbi_status st;
    if (v->kind != SYMBI_ARRAY) return bad(r, at, "conditions are an array");
    for (size_t i = 0; i < v->u.a.n; i++) {
        sy_cpath here = { at, { NULL, 0 }, i }, body = { &here, SY_LIT("body"), 0 };
        const symbi_value *c = &v->u.a.items[i], *kind;
        bool unless;
        node n;
        if ((st = members(r, c, names, 2, &here))) return st;
        kind = symbi_value_getz(c, "kind");
        unless = kind->kind == SYMBI_STRING && sy_str_eqz(kind->u.s, "unless");
        if (!unless && (kind->kind != SYMBI_STRING || !sy_str_eqz(kind->u.s, "when"))) return bad(r, &here, "`kind` must be when or unless");
        if ((st = expr(r, symbi_value_getz(c, "body"), &body, &n))) return st;
        sy_cbuild_push(r->b, n.n | (unless ? SY_UNLESS : 0));
    }
    p->ncond = (uint32_t)(r->b->nstack - base);
    p->cond = sy_cbuild_list(r->b, base);
    return SYMBI_OK;
}

symbi_status sy_cest_read(sy_cbuild *b, const symbi_value *v, symbi_str id, symbi_cedar_role want, const sy_cpath *at)
{
    static const char *const names[] = { "effect", "principal", "action", "resource", "conditions", "annotations", NULL };
    reader r = { b, { &b->set->mem, b->cx->limits.doc_depth, false, b->err, 0 }, b->cx->limits.expr_depth };
    sy_cpolicy p;
    sy_csource own;
    symbi_text text;
    symbi_status st;
    const symbi_value *e;
    memset(&p, 0, sizeof p);
    p.tmpl = p.fill[0] = p.fill[1] = SY_NONE;
    if (b->npolicies >= b->cx->limits.policy_count) return sy_cconv_fail(&r.c, SYMBI_ELIMIT, at, "more than %zu policies in one set", b->cx->limits.policy_count);
    if ((st = members(&r, v, names, 5, at))) return st;
    e = symbi_value_getz(v, "effect");
    if (e->kind == SYMBI_STRING && sy_str_eqz(e->u.s, "permit")) p.effect = SYMBI_CEDAR_PERMIT;
    else if (e->kind == SYMBI_STRING && sy_str_eqz(e->u.s, "forbid")) p.effect = SYMBI_CEDAR_FORBID;
    else return bad(&r, at, "`effect` must be permit or forbid");
    for (int i = 0; i < 3; i++) {
        sy_cpath here = { at, symbi_str_z(names[1 + i]), 0 };
        if ((st = scope(&r, symbi_value_getz(v, names[1 + i]), i, &here, &p.scope[i]))) return st;
        if (p.scope[i].slot) p.slots |= (uint8_t)(1u << i);
    }
    {
        sy_cpath pc = { at, SY_LIT("conditions"), 0 }, pa = { at, SY_LIT("annotations"), 0 };
        if ((st = conditions(&r, symbi_value_getz(v, "conditions"), &pc, &p))) return st;
        if ((st = annotations(&r, symbi_value_getz(v, "annotations"), &pa, &p))) return st;
    }
    p.role = p.slots ? SYMBI_CEDAR_TEMPLATE : SYMBI_CEDAR_STATIC;
    if (p.role != want)
        return bad(&r, at, want == SYMBI_CEDAR_TEMPLATE ? "expected a template, got a static policy" : "expected a static policy, got a template");
    p.id = str(&r, id);
    memset(&text, 0, sizeof text);
    if ((st = symbi_json_write(b->cx, v, SYMBI_JSON_CANONICAL, &text, b->err))) return st;
    if (!sy_cbuild_source(b, id, symbi_text_str(&text), &own)) {
        symbi_text_free(&text);
        return sy_cbuild_nomem(b, b->err);
    }
    p.source = (uint32_t)b->nsources - 1;
    p.end = (uint32_t)text.n; /* line stays 0: this text is JSON */
    symbi_text_free(&text);
    if (!sy_cbuild_policy(b, &p)) return sy_cbuild_nomem(b, b->err);
    return SYMBI_OK;
}
