/* cedar/parse_expr.c: expressions (spec 2). Recursive descent: `depth` bounds the recursion of the parser, the height that
 * comes back with each node bounds that of everything which walks the tree. Chains of one precedence level are loops. */
#include "base/err.h"
#include "base/str.h"
#include "cedar/parse.h"

#include <string.h>

static bool too_deep(sy_cparse *p, uint32_t pos)
{
    uint32_t line, col;
    sy_cpos(p->text, pos, &line, &col);
    sy_fail_at(p->b->err, SYMBI_ELIMIT, line, col, "this expression is nested more than %zu levels deep", p->b->cx->limits.expr_depth);
    sy_err_path(p->b->err, p->name);
    return false;
}

static bool done(sy_cparse *p, sy_cexpr *out, uint32_t node, uint32_t height, uint32_t pos)
{
    if (p->b->failed_mem) return sy_cparse_mem(p);
    if (height > p->b->cx->limits.expr_depth) return too_deep(p, pos);
    out->node = node;
    out->height = height;
    return true;
}

static uint32_t max_u32(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* Number token. minus: directly under one minus sign, where 2^63 is allowed. */
static bool number(sy_cparse *p, bool minus, sy_cexpr *out)
{
    symbi_str t = sy_ctok_text(p->text, p->tok);
    uint32_t pos = p->tok.pos;
    uint64_t v = 0;
    for (size_t i = 0; i < t.n; i++)
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)(t.p[i] - '0'), &v))
            return sy_cparse_fail(p, pos, "integer literal `%.*s` is too large (at most 9223372036854775807)", SY_FMT(t));
    if (v > (uint64_t)INT64_MAX + (minus ? 1u : 0u))
        return sy_cparse_fail(p, pos, "integer literal `%.*s` is too large (at most 9223372036854775807)", SY_FMT(t));
    sy_cparse_next(p);
    return done(p, out, sy_cbuild_long(p->b, minus ? (int64_t)(0 - v) : (int64_t)v, pos), 1, pos);
}

/* Expr list up to `close`, pushed onto the stack. */
static bool args(sy_cparse *p, sy_ctok_kind close, const char *expected, uint32_t *height)
{
    *height = 0;
    while (!sy_cparse_is(p, close)) {
        sy_cexpr e;
        if (!sy_cparse_expr(p, &e)) return false;
        sy_cbuild_push(p->b, e.node);
        *height = max_u32(*height, e.height);
        if (p->b->failed_mem) return sy_cparse_mem(p);
        if (!sy_cparse_take(p, SY_TK_COMMA) && !sy_cparse_is(p, close)) return sy_cparse_unexpected(p, expected);
    }
    sy_cparse_next(p);
    return true;
}

static bool record(sy_cparse *p, uint32_t pos, sy_cexpr *out)
{
    size_t base = p->b->nstack;
    uint32_t key, node, dup = 0, h = 0;
    while (!sy_cparse_is(p, SY_TK_RBRACE)) {
        sy_cexpr e;
        uint32_t kpos = p->tok.pos;
        if (sy_cparse_is(p, SY_TK_STRING)) {
            if (!sy_cparse_string(p, false, &key)) return false;
        } else if (sy_cparse_is(p, SY_TK_IDENT)) {
            symbi_str id = sy_ctok_text(p->text, p->tok);
            if (sy_cident_reserved(id)) return sy_cparse_fail(p, kpos, "this identifier is reserved and cannot be used: %.*s; quote it", SY_FMT(id));
            if (sy_str_eqz(id, "__cedar")) return sy_cparse_fail(p, kpos, "the name `__cedar` is reserved; quote it");
            key = sy_cbuild_str(p->b, id, true);
            sy_cparse_next(p);
        } else {
            return sy_cparse_unexpected(p, "an attribute name, a string or `}`");
        }
        if (!sy_cparse_need(p, SY_TK_COLON, "`:` and the value of this attribute") || !sy_cparse_expr(p, &e)) return false;
        sy_cbuild_push(p->b, key);
        sy_cbuild_push(p->b, e.node);
        h = max_u32(h, e.height);
        if (p->b->failed_mem) return sy_cparse_mem(p);
        if (!sy_cparse_take(p, SY_TK_COMMA) && !sy_cparse_is(p, SY_TK_RBRACE)) return sy_cparse_unexpected(p, "`,` or `}` in this record");
    }
    sy_cparse_next(p);
    node = sy_cbuild_record(p->b, base, pos, &dup);
    if (node == SY_NONE) return sy_cparse_fail(p, pos, "duplicate key `%.*s` in record literal", SY_FMT(p->b->strs[dup]));
    return done(p, out, node, h + 1, pos);
}

static sy_cop method_op(symbi_str name)
{
    static const struct { const char *name; sy_cop op; } m[] = {
        { "contains", SY_OP_CONTAINS }, { "containsAll", SY_OP_CONTAINSALL }, { "containsAny", SY_OP_CONTAINSANY },
        { "getTag", SY_OP_GETTAG }, { "hasTag", SY_OP_HASTAG }, { "isEmpty", SY_OP_ISEMPTY },
    };
    for (size_t i = 0; i < sizeof m / sizeof m[0]; i++)
        if (sy_str_eqz(name, m[i].name)) return m[i].op;
    return SY_OP_BOOL;
}

static int var_of(symbi_str name)
{
    static const char *const v[] = { "principal", "action", "resource", "context" };
    for (int i = 0; i < 4; i++)
        if (sy_str_eqz(name, v[i])) return i;
    return -1;
}

/* A name in expression position: variable, entity literal or function call. */
static bool name(sy_cparse *p, sy_cexpr *out)
{
    uint32_t pos = p->tok.pos, type, uid, h;
    unsigned parts;
    bool is_uid;
    symbi_str n;
    sy_cfn fn;
    int v;
    size_t base;
    if (sy_cparse_word(p, "true") || sy_cparse_word(p, "false")) {
        bool t = sy_cparse_word(p, "true");
        sy_cparse_next(p);
        if (sy_cparse_is(p, SY_TK_PATH)) return sy_cparse_fail(p, pos, "this identifier is reserved and cannot be used: %s", t ? "true" : "false");
        return done(p, out, sy_cbuild_node(p->b, SY_OP_BOOL, 0, t, 0, pos), 1, pos);
    }
    if (sy_cparse_word(p, "if")) return sy_cparse_unexpected(p, "an operand");
    if (!sy_cparse_path(p, &parts, &is_uid)) return false;
    if (is_uid) {
        if (!sy_cparse_uid(p, &type, &uid)) return false;
        return done(p, out, sy_cbuild_node(p->b, SY_OP_UID, 0, uid, 0, pos), 1, pos);
    }
    n = sy_buf_str(&p->buf);
    if (!sy_cparse_is(p, SY_TK_LPAREN)) {
        v = parts == 1 ? var_of(n) : -1;
        if (v >= 0) return done(p, out, sy_cbuild_node(p->b, SY_OP_VAR, (unsigned)v, 0, 0, pos), 1, pos);
        if (sy_str_eqz(n, "null") || sy_str_eqz(n, "None") || sy_str_eqz(n, "nil"))
            return sy_cparse_fail(p, pos, "invalid variable: %.*s; Cedar has no null, test for a missing attribute with `has`", SY_FMT(n));
        if (sy_str_eqz(n, "not")) return sy_cparse_fail(p, pos, "invalid variable: not; write `!` for \"not\"");
        return sy_cparse_fail(p, pos, "invalid variable: %.*s; there are principal, action, resource and context (a string needs double quotes, an entity is Type::\"id\")", SY_FMT(n));
    }
    fn = parts == 1 ? sy_cfn_find(n) : SY_CFN_NONE;
    if (fn == SY_CFN_NONE || !sy_cfn_is_ctor(fn)) {
        if (parts == 1 && var_of(n) >= 0) return sy_cparse_fail(p, pos, "`%.*s(...)` is not a valid function call: it is a variable", SY_FMT(n));
        if (fn != SY_CFN_NONE || (parts == 1 && method_op(n) != SY_OP_BOOL))
            return sy_cparse_fail(p, pos, "`%.*s` is a method, not a function; write x.%.*s(...)", SY_FMT(n), SY_FMT(n));
        return sy_cparse_fail(p, pos, "`%.*s` is not a valid function; there are ip, decimal, datetime and duration", SY_FMT(n));
    }
    sy_cparse_next(p);
    base = p->b->nstack;
    if (!args(p, SY_TK_RPAREN, "`,` or `)` in this call", &h)) return false;
    return done(p, out, sy_cbuild_call(p->b, fn, base, pos), h + 1, pos);
}

static bool primary(sy_cparse *p, sy_cexpr *out)
{
    uint32_t pos = p->tok.pos, h, s;
    size_t base;
    switch (p->tok.kind) {
    case SY_TK_STRING:
        if (!sy_cparse_string(p, false, &s)) return false;
        return done(p, out, sy_cbuild_node(p->b, SY_OP_STR, 0, s, 0, pos), 1, pos);
    case SY_TK_NUMBER: return number(p, false, out);
    case SY_TK_IDENT: return name(p, out);
    case SY_TK_SLOT: {
        symbi_str t = sy_ctok_text(p->text, p->tok);
        return sy_cparse_fail(p, pos, "found template slot %.*s in a `%s` clause; slots can only stand in the scope", SY_FMT(t), p->clause ? p->clause : "when");
    }
    case SY_TK_LPAREN:
        sy_cparse_next(p);
        return sy_cparse_expr(p, out) && sy_cparse_need(p, SY_TK_RPAREN, "an operator or `)`");
    case SY_TK_LBRACK:
        sy_cparse_next(p);
        base = p->b->nstack;
        if (!args(p, SY_TK_RBRACK, "`,` or `]` in this set", &h)) return false;
        return done(p, out, sy_cbuild_set(p->b, base, pos), h + 1, pos);
    case SY_TK_LBRACE: sy_cparse_next(p); return record(p, pos, out);
    default: return sy_cparse_unexpected(p, "an expression");
    }
}

static bool method(sy_cparse *p, symbi_str m, uint32_t pos, sy_cexpr *e)
{
    sy_cop op = method_op(m);
    sy_cfn fn = op == SY_OP_BOOL ? sy_cfn_find(m) : SY_CFN_NONE;
    size_t base = p->b->nstack, n;
    uint32_t h, arg;
    if (op == SY_OP_BOOL && fn == SY_CFN_NONE) return sy_cparse_fail(p, pos, "`%.*s` is not a valid method", SY_FMT(m));
    if (op == SY_OP_BOOL && sy_cfn_is_ctor(fn)) return sy_cparse_fail(p, pos, "`%.*s` is a function, not a method; write %.*s(...)", SY_FMT(m), SY_FMT(m));
    sy_cbuild_push(p->b, e->node);
    sy_cparse_next(p);
    if (!args(p, SY_TK_RPAREN, "`,` or `)` in this call", &h)) return false;
    h = max_u32(h, e->height) + 1;
    if (op == SY_OP_BOOL) return done(p, e, sy_cbuild_call(p->b, fn, base, pos), h, pos);
    n = p->b->nstack - base - 1;
    if (n != (op == SY_OP_ISEMPTY ? 0u : 1u))
        return sy_cparse_fail(p, pos, "call to `%.*s` requires exactly %d argument%s, but got %zu", SY_FMT(m), op != SY_OP_ISEMPTY, op == SY_OP_ISEMPTY ? "s" : "", n);
    arg = n ? p->b->stack[base + 1] : 0;
    p->b->nstack = base;
    return done(p, e, sy_cbuild_node(p->b, op, 0, e->node, arg, pos), h, pos);
}

static bool member(sy_cparse *p, sy_cexpr *out)
{
    if (!primary(p, out)) return false;
    for (;;) {
        uint32_t pos = p->tok.pos, s;
        if (sy_cparse_take(p, SY_TK_DOT)) {
            symbi_str id;
            if (!sy_cparse_is(p, SY_TK_IDENT)) return sy_cparse_unexpected(p, "an attribute or method name after `.`");
            id = sy_ctok_text(p->text, p->tok);
            pos = p->tok.pos;
            if (sy_cident_reserved(id))
                return sy_cparse_fail(p, pos, "this identifier is reserved and cannot be used: %.*s; write [\"%.*s\"]", SY_FMT(id), SY_FMT(id));
            if (sy_str_eqz(id, "__cedar")) return sy_cparse_fail(p, pos, "the name `__cedar` is reserved; write [\"__cedar\"]");
            sy_cparse_next(p);
            if (sy_cparse_is(p, SY_TK_LPAREN)) {
                if (!method(p, id, pos, out)) return false;
                continue;
            }
            s = sy_cbuild_str(p->b, id, true);
        } else if (sy_cparse_take(p, SY_TK_LBRACK)) {
            if (!sy_cparse_is(p, SY_TK_STRING)) return sy_cparse_unexpected(p, "a string literal between the brackets, as in x[\"name\"]");
            if (!sy_cparse_string(p, false, &s) || !sy_cparse_need(p, SY_TK_RBRACK, "`]` after the attribute name")) return false;
        } else if (sy_cparse_is(p, SY_TK_LPAREN)) {
            return sy_cparse_fail(p, pos, "function calls must be of the form `<name>(arg1, arg2, ...)`");
        } else {
            return true;
        }
        if (!done(p, out, sy_cbuild_node(p->b, SY_OP_GET, 0, out->node, s, pos), out->height + 1, pos)) return false;
    }
}

static bool unary(sy_cparse *p, sy_cexpr *out)
{
    sy_ctok_kind k = p->tok.kind;
    uint32_t pos = p->tok.pos, n = 0;
    if (k != SY_TK_NOT && k != SY_TK_MINUS) return member(p, out);
    for (; sy_cparse_is(p, k); sy_cparse_next(p))
        if (++n > 4) return sy_cparse_fail(p, p->tok.pos, "too many occurrences of `%s` (at most 4)", k == SY_TK_NOT ? "!" : "-");
    if (k == SY_TK_MINUS && sy_cparse_is(p, SY_TK_NUMBER)) {
        const char *why;
        sy_ctok_kind after = sy_clex(p->text, p->tok.end, false, &why).kind;
        if (after != SY_TK_DOT && after != SY_TK_LBRACK && after != SY_TK_LPAREN) {
            if (!number(p, true, out)) return false;
            n--;
            goto fold;
        }
    }
    if (!member(p, out)) return false;
fold:
    while (n--)
        if (!done(p, out, sy_cbuild_node(p->b, k == SY_TK_NOT ? SY_OP_NOT : SY_OP_NEG, 0, out->node, 0, pos), out->height + 1, pos)) return false;
    return true;
}

static bool mult(sy_cparse *p, sy_cexpr *out)
{
    uint32_t pos = p->tok.pos, h;
    size_t base;
    if (!unary(p, out)) return false;
    if (sy_cparse_is(p, SY_TK_STAR)) {
        base = p->b->nstack;
        h = out->height;
        sy_cbuild_push(p->b, out->node);
        while (sy_cparse_take(p, SY_TK_STAR)) {
            if (!unary(p, out)) return false;
            h = max_u32(h, out->height);
            sy_cbuild_push(p->b, out->node);
        }
        uint32_t n = (uint32_t)(p->b->nstack - base), at = sy_cbuild_list(p->b, base);
        if (!done(p, out, sy_cbuild_node(p->b, SY_OP_MUL, 0, at, n, pos), h + 1, pos)) return false;
    }
    if (sy_cparse_is(p, SY_TK_SLASH)) return sy_cparse_fail(p, p->tok.pos, "division is not supported");
    if (sy_cparse_is(p, SY_TK_PERCENT)) return sy_cparse_fail(p, p->tok.pos, "remainder/modulo is not supported");
    return true;
}

static bool add(sy_cparse *p, sy_cexpr *out)
{
    uint32_t pos = p->tok.pos, h;
    size_t base;
    if (!mult(p, out)) return false;
    if (!sy_cparse_is(p, SY_TK_PLUS) && !sy_cparse_is(p, SY_TK_MINUS)) return true;
    base = p->b->nstack;
    h = out->height;
    sy_cbuild_push(p->b, out->node);
    while (sy_cparse_is(p, SY_TK_PLUS) || sy_cparse_is(p, SY_TK_MINUS)) {
        uint32_t flag = sy_cparse_is(p, SY_TK_MINUS) ? SY_MINUS : 0;
        sy_cparse_next(p);
        if (!mult(p, out)) return false;
        h = max_u32(h, out->height);
        sy_cbuild_push(p->b, out->node | flag);
    }
    uint32_t n = (uint32_t)(p->b->nstack - base), at = sy_cbuild_list(p->b, base);
    return done(p, out, sy_cbuild_node(p->b, SY_OP_ADD, 0, at, n, pos), h + 1, pos);
}

static bool is_relop(const sy_cparse *p)
{
    switch (p->tok.kind) {
    case SY_TK_EQ: case SY_TK_NE: case SY_TK_LT: case SY_TK_LE: case SY_TK_GT: case SY_TK_GE: return true;
    default: return sy_cparse_word(p, "in") || sy_cparse_word(p, "has") || sy_cparse_word(p, "like") || sy_cparse_word(p, "is");
    }
}

static bool rel_has(sy_cparse *p, sy_cexpr *out, uint32_t pos)
{
    size_t base = p->b->nstack;
    uint32_t s, n = 0, at, node;
    if (sy_cparse_is(p, SY_TK_STRING)) {
        if (!sy_cparse_string(p, false, &s)) return false;
        sy_cbuild_push(p->b, s);
        n = 1;
    } else {
        do {
            symbi_str id;
            if (!sy_cparse_is(p, SY_TK_IDENT)) return sy_cparse_unexpected(p, "an attribute name or a string after `has`");
            id = sy_ctok_text(p->text, p->tok);
            if (sy_cident_reserved(id)) return sy_cparse_fail(p, p->tok.pos, "this identifier is reserved and cannot be used: %.*s; quote it", SY_FMT(id));
            if (sy_str_eqz(id, "__cedar")) return sy_cparse_fail(p, p->tok.pos, "the name `__cedar` is reserved; quote it");
            sy_cbuild_push(p->b, sy_cbuild_str(p->b, id, true));
            n++;
            sy_cparse_next(p);
        } while (sy_cparse_take(p, SY_TK_DOT));
        if (n > 0xFFFF) return too_deep(p, pos);
    }
    at = sy_cbuild_list(p->b, base);
    node = sy_cbuild_node(p->b, SY_OP_HAS, 0, out->node, at, pos);
    if (!p->b->failed_mem) p->b->nodes[node].n = (uint16_t)n;
    return done(p, out, node, max_u32(out->height, n) + 1, pos);
}

static bool rel_is(sy_cparse *p, sy_cexpr *out, uint32_t pos)
{
    unsigned parts;
    bool uid;
    uint32_t type, at;
    sy_cexpr box;
    if (!sy_cparse_is(p, SY_TK_IDENT)) return sy_cparse_unexpected(p, "an entity type name after `is`");
    if (!sy_cparse_path(p, &parts, &uid)) return false;
    if (uid) return sy_cparse_unexpected(p, "an entity type name after `is`, not an entity (compare entities with `==`)");
    type = sy_cbuild_str(p->b, sy_buf_str(&p->buf), false);
    if (!sy_cparse_word(p, "in")) return done(p, out, sy_cbuild_node(p->b, SY_OP_IS, 0, out->node, type, pos), out->height + 1, pos);
    sy_cparse_next(p);
    if (!add(p, &box)) return false;
    at = (uint32_t)p->b->nstack;
    sy_cbuild_push(p->b, out->node);
    sy_cbuild_push(p->b, box.node);
    at = sy_cbuild_list(p->b, at);
    return done(p, out, sy_cbuild_node(p->b, SY_OP_ISIN, 0, at, type, pos), max_u32(out->height, box.height) + 2, pos);
}

static bool rel(sy_cparse *p, sy_cexpr *out)
{
    static const sy_cop ops[] = { [SY_TK_EQ] = SY_OP_EQ, [SY_TK_NE] = SY_OP_NE, [SY_TK_LT] = SY_OP_LT, [SY_TK_LE] = SY_OP_LE, [SY_TK_GT] = SY_OP_GT, [SY_TK_GE] = SY_OP_GE };
    uint32_t pos;
    sy_cexpr right;
    sy_cop op;
    bool was_in = false;
    if (!add(p, out)) return false;
    pos = p->tok.pos;
    if (!is_relop(p)) return true;
    if (sy_cparse_word(p, "has")) {
        sy_cparse_next(p);
        if (!rel_has(p, out, pos)) return false;
    } else if (sy_cparse_word(p, "like")) {
        uint32_t s;
        sy_cparse_next(p);
        if (!sy_cparse_is(p, SY_TK_STRING)) return sy_cparse_unexpected(p, "a string literal after `like`");
        if (!sy_cparse_string(p, true, &s) || !done(p, out, sy_cbuild_node(p->b, SY_OP_LIKE, 0, out->node, s, pos), out->height + 1, pos)) return false;
    } else if (sy_cparse_word(p, "is")) {
        sy_cparse_next(p);
        if (!rel_is(p, out, pos)) return false;
    } else {
        was_in = p->tok.kind == SY_TK_IDENT;
        op = was_in ? SY_OP_IN : ops[p->tok.kind];
        sy_cparse_next(p);
        if (!add(p, &right)) return false;
        if (!done(p, out, sy_cbuild_node(p->b, op, 0, out->node, right.node, pos), max_u32(out->height, right.height) + 1, pos)) return false;
    }
    if (was_in && sy_cparse_word(p, "is")) return sy_cparse_fail(p, p->tok.pos, "when `is` and `in` are used together, `is` must come first: x is T in y");
    if (is_relop(p))
        return sy_cparse_fail(p, p->tok.pos, "multiple relational operators (>, ==, in, has, etc.) must be used with parentheses to make ordering explicit");
    return true;
}

/* One level of && or ||. A macro would hide the recursion; two functions show it. */
static bool and_chain(sy_cparse *p, sy_cexpr *out)
{
    uint32_t pos = p->tok.pos, h;
    size_t base;
    if (!rel(p, out)) return false;
    if (!sy_cparse_is(p, SY_TK_AND)) return true;
    base = p->b->nstack;
    h = out->height;
    sy_cbuild_push(p->b, out->node);
    while (sy_cparse_take(p, SY_TK_AND)) {
        if (!rel(p, out)) return false;
        h = max_u32(h, out->height);
        sy_cbuild_push(p->b, out->node);
    }
    uint32_t n = (uint32_t)(p->b->nstack - base), at = sy_cbuild_list(p->b, base);
    return done(p, out, sy_cbuild_node(p->b, SY_OP_AND, 0, at, n, pos), h + 1, pos);
}

static bool or_chain(sy_cparse *p, sy_cexpr *out)
{
    uint32_t pos = p->tok.pos, h;
    size_t base;
    if (!and_chain(p, out)) return false;
    if (!sy_cparse_is(p, SY_TK_OR)) return true;
    base = p->b->nstack;
    h = out->height;
    sy_cbuild_push(p->b, out->node);
    while (sy_cparse_take(p, SY_TK_OR)) {
        if (!and_chain(p, out)) return false;
        h = max_u32(h, out->height);
        sy_cbuild_push(p->b, out->node);
    }
    uint32_t n = (uint32_t)(p->b->nstack - base), at = sy_cbuild_list(p->b, base);
    return done(p, out, sy_cbuild_node(p->b, SY_OP_OR, 0, at, n, pos), h + 1, pos);
}

static bool if_expr(sy_cparse *p, sy_cexpr *out)
{
    static const char *const words[] = { "then", "else" };
    static const char *const expected[] = { "an operator or `then`", "an operator or `else`" };
    uint32_t pos = p->tok.pos, h = 0;
    size_t base = p->b->nstack;
    sy_cexpr e;
    sy_cparse_next(p);
    for (int i = 0; i < 3; i++) {
        if (!sy_cparse_expr(p, &e)) return false;
        h = max_u32(h, e.height);
        sy_cbuild_push(p->b, e.node);
        if (i < 2) {
            if (!sy_cparse_word(p, words[i])) return sy_cparse_unexpected(p, expected[i]);
            sy_cparse_next(p);
        }
    }
    return done(p, out, sy_cbuild_node(p->b, SY_OP_IF, 0, sy_cbuild_list(p->b, base), 0, pos), h + 1, pos);
}

bool sy_cparse_expr(sy_cparse *p, sy_cexpr *out)
{
    bool ok;
    if (p->depth >= p->b->cx->limits.expr_depth) return too_deep(p, p->tok.pos);
    p->depth++;
    ok = sy_cparse_word(p, "if") ? if_expr(p, out) : or_chain(p, out);
    p->depth--;
    return ok;
}
