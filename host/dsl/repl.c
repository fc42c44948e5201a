/* dsl/repl.c: the REPL language's declarations, read into the reference's tree (spec section 6). Nothing of it is run: Lua is the language
 * of scripts here. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "dsl/repl.h"

#include <string.h>

enum { REPL_DEPTH = 48 }; /* of an expression: its JSON stays within every reader's limit */

typedef struct ex {
    symbi_value v;
    unsigned depth;
} ex;

static bool expression(sy_repl *r, ex *out);
static bool block(sy_repl *r, symbi_value *out);

static const sy_repl_token *peek(const sy_repl *r) { return &r->t[r->at]; }
static bool at_end(const sy_repl *r) { return peek(r)->kind == SY_R_Eof; }

/* The token that is taken; at the end the one before it, again. */
static const sy_repl_token *advance(sy_repl *r)
{
    if (!at_end(r)) r->at++;
    return &r->t[r->at ? r->at - 1 : 0];
}

static bool is(const sy_repl *r, int kind) { return peek(r)->kind == kind; }

static bool match(sy_repl *r, int kind)
{
    if (!is(r, kind)) return false;
    advance(r);
    return true;
}

static bool word(sy_repl *r, const char *keyword)
{
    if (!sy_repl_word(peek(r), keyword)) return false;
    advance(r);
    return true;
}

static void trivia(sy_repl *r)
{
    while (is(r, SY_R_Newline) || is(r, SY_R_Comment)) advance(r);
}

static bool fail(sy_repl *r, const char *text)
{
    r->st = sy_fail(r->err, SYMBI_EPARSE, "Parsing failed: %s", text);
    return false;
}

static bool fail_token(sy_repl *r, const char *text, const sy_repl_token *t, bool line)
{
    sy_buf b;
    sy_buf_init(&b, r->alloc, 2 * SYMBI_DSL_MAX_BYTES);
    sy_repl_show(&b, t);
    if (b.status) r->st = sy_fail_nomem(r->err);
    else if (line) r->st = sy_fail(r->err, SYMBI_EPARSE, "Parsing failed: %s %.*s at line %u", text, SY_FMT(sy_buf_str(&b)), t->line);
    else r->st = sy_fail(r->err, SYMBI_EPARSE, "Parsing failed: %s %.*s", text, SY_FMT(sy_buf_str(&b)));
    sy_buf_free(&b);
    return false;
}

static bool take(sy_repl *r, int kind, const char *message)
{
    sy_buf b;
    if (match(r, kind)) return true;
    sy_buf_init(&b, r->alloc, 4096);
    sy_buf_addf(&b, "%s: expected %s, found", message, sy_repl_names[kind]);
    if (b.status) r->st = sy_fail_nomem(r->err);
    else fail_token(r, b.p, peek(r), true);
    sy_buf_free(&b);
    return false;
}

static bool name(sy_repl *r, const char *message, symbi_value *out)
{
    const sy_repl_token *t = advance(r);
    if (t->kind != SY_R_Identifier) return fail(r, message);
    *out = sy_val_str(t->text);
    return true;
}

static bool string(sy_repl *r, symbi_value *out)
{
    const sy_repl_token *t = advance(r);
    if (t->kind != SY_R_String) return fail(r, "Expected string literal");
    *out = sy_val_str(t->text);
    return true;
}

static symbi_value one(sy_repl *r, const char *key, symbi_value v)
{
    sy_obj o = sy_obj_new(r->a);
    sy_obj_put(&o, key, v);
    return sy_obj_value(&o);
}

static bool node(sy_repl *r, ex *out, const char *kind, const sy_obj *o, unsigned below)
{
    if (below >= REPL_DEPTH) {
        r->st = sy_fail_at(r->err, SYMBI_ELIMIT, peek(r)->line, 0, "expressions nested deeper than %d levels", REPL_DEPTH);
        return false;
    }
    out->v = one(r, kind, sy_obj_value(o));
    out->depth = below + 1;
    return true;
}

/* ---- values with units ---- */

static symbi_value measured(sy_repl *r, const sy_repl_token *t)
{
    static const char *const units[][2] = { { "ms", "Milliseconds" }, { "s", "Seconds" }, { "m", "Minutes" }, { "h", "Hours" }, { "d", "Days" }, { "B", "Bytes" } };
    sy_obj o = sy_obj_new(r->a);
    symbi_str unit = t->text;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (sy_str_eqz(t->text, units[i][0])) unit = symbi_str_z(units[i][1]);
    sy_obj_str(&o, "unit", unit);
    sy_obj_count(&o, "value", t->v.u);
    return sy_obj_value(&o);
}

static bool measure(sy_repl *r, int kind, const char *message, symbi_value *out)
{
    const sy_repl_token *t = advance(r);
    if (t->kind != kind) return fail(r, message);
    *out = measured(r, t);
    return true;
}

/* One of the keywords; its value is the word with a capital. */
static bool choice(sy_repl *r, const char *const words[], const char *message, symbi_value *out)
{
    const sy_repl_token *t = advance(r);
    for (size_t i = 0; words[i]; i++) {
        char *p;
        if (!sy_repl_word(t, words[i])) continue;
        p = sy_arena_memdup(r->a, t->text.p, t->text.n);
        if (!p) return fail(r, "out of memory");
        if (p[0] >= 'a') p[0] = (char)(p[0] - 32);
        *out = sy_val_str((symbi_str){ p, t->text.n });
        return true;
    }
    return fail(r, message);
}

/* ---- expressions ---- */

static bool items(sy_repl *r, int close, const char *between, sy_arr *out, unsigned *depth)
{
    while (!is(r, close) && !at_end(r)) {
        ex e;
        if (!expression(r, &e)) return false;
        if (e.depth > *depth) *depth = e.depth;
        sy_arr_add(out, e.v);
        if (!is(r, close) && !take(r, SY_R_Comma, between)) return false;
    }
    return true;
}

static bool map_literal(sy_repl *r, ex *out)
{
    sy_arr entries = sy_arr_new(r->a);
    sy_obj o = sy_obj_new(r->a);
    unsigned depth = 0;
    while (!is(r, SY_R_RightBrace) && !at_end(r)) {
        sy_obj e = sy_obj_new(r->a);
        ex key, value;
        if (!expression(r, &key) || !take(r, SY_R_Colon, "Expected ':' after map key") || !expression(r, &value)) return false;
        sy_obj_put(&e, "key", key.v);
        sy_obj_put(&e, "value", value.v);
        sy_arr_add(&entries, sy_obj_value(&e));
        if (key.depth > depth) depth = key.depth;
        if (value.depth > depth) depth = value.depth;
        if (!is(r, SY_R_RightBrace) && !take(r, SY_R_Comma, "Expected ',' between map entries")) return false;
    }
    if (!take(r, SY_R_RightBrace, "Expected '}' after map entries")) return false;
    sy_obj_put(&o, "entries", sy_arr_value(&entries));
    return node(r, out, "Map", &o, depth);
}

static bool literal(sy_repl *r, ex *out, const char *kind, symbi_value v)
{
    sy_obj o = sy_obj_new(r->a);
    sy_obj_put(&o, kind, v);
    return node(r, out, "Literal", &o, 0);
}

static bool arguments(sy_repl *r, sy_obj *o, unsigned *depth)
{
    sy_arr args = sy_arr_new(r->a);
    advance(r); /* '(' */
    if (!items(r, SY_R_RightParen, "Expected ',' between arguments", &args, depth) || !take(r, SY_R_RightParen, "Expected ')' after arguments")) return false;
    sy_obj_put(o, "arguments", sy_arr_value(&args));
    return true;
}

static bool primary(sy_repl *r, ex *out)
{
    bool end = at_end(r);
    const sy_repl_token *t = advance(r);
    sy_obj o = sy_obj_new(r->a);
    sy_arr list = sy_arr_new(r->a);
    unsigned depth = 0;
    if (end && t->kind == SY_R_LeftParen) return fail_token(r, "Unexpected token in expression:", peek(r), false); /* the reference never comes back from here */
    switch (t->kind) {
    case SY_R_String: return literal(r, out, "String", sy_val_str(t->text));
    case SY_R_Number: return literal(r, out, "Number", sy_val_double(t->v.d));
    case SY_R_Integer: return literal(r, out, "Integer", sy_val_int(t->v.i));
    case SY_R_Duration: return literal(r, out, "Duration", measured(r, t));
    case SY_R_Size: return literal(r, out, "Size", measured(r, t));
    case SY_R_Keyword:
        if (sy_repl_word(t, "true") || sy_repl_word(t, "false")) return literal(r, out, "Boolean", sy_val_bool(t->text.p[0] == 't'));
        if (!sy_repl_word(t, "null")) break;
        out->v = one(r, "Literal", sy_val_str(SY_LIT("Null")));
        out->depth = 1;
        return true;
    case SY_R_Identifier:
        if (!is(r, SY_R_LeftParen)) {
            sy_obj_str(&o, "name", t->text);
            return node(r, out, "Identifier", &o, 0);
        }
        sy_obj_str(&o, "function", t->text);
        return arguments(r, &o, &depth) && node(r, out, "FunctionCall", &o, depth);
    case SY_R_LeftParen: return expression(r, out) && take(r, SY_R_RightParen, "Expected ')' after expression");
    case SY_R_LeftBracket:
        if (!items(r, SY_R_RightBracket, "Expected ',' between expressions", &list, &depth) || !take(r, SY_R_RightBracket, "Expected ']' after list elements")) return false;
        sy_obj_put(&o, "elements", sy_arr_value(&list));
        return node(r, out, "List", &o, depth);
    case SY_R_LeftBrace: return map_literal(r, out);
    default: break;
    }
    return fail_token(r, "Unexpected token in expression:", t, false);
}

static bool postfix(sy_repl *r, ex *out)
{
    if (!primary(r, out)) return false;
    for (;;) {
        sy_obj o = sy_obj_new(r->a);
        unsigned depth = out->depth;
        if (match(r, SY_R_Dot)) {
            symbi_value field;
            if (!name(r, "Expected field name after '.'", &field)) return false;
            sy_obj_put(&o, "object", out->v);
            if (is(r, SY_R_LeftParen)) {
                sy_obj_put(&o, "method", field);
                if (!arguments(r, &o, &depth) || !node(r, out, "MethodCall", &o, depth)) return false;
            } else {
                sy_obj_put(&o, "field", field);
                if (!node(r, out, "FieldAccess", &o, depth)) return false;
            }
        } else if (match(r, SY_R_LeftBracket)) {
            ex index;
            if (!expression(r, &index) || !take(r, SY_R_RightBracket, "Expected ']' after index")) return false;
            sy_obj_put(&o, "object", out->v);
            sy_obj_put(&o, "index", index.v);
            if (!node(r, out, "IndexAccess", &o, index.depth > depth ? index.depth : depth)) return false;
        } else {
            return true;
        }
    }
}

static bool unary(sy_repl *r, ex *out)
{
    sy_obj o = sy_obj_new(r->a);
    bool negate = is(r, SY_R_Minus);
    ex e;
    if (!negate && !is(r, SY_R_Not)) return postfix(r, out);
    advance(r);
    if (++r->depth > REPL_DEPTH) return node(r, out, "UnaryOp", &o, REPL_DEPTH);
    if (!unary(r, &e)) return false;
    r->depth--;
    sy_obj_str(&o, "operator", negate ? SY_LIT("Negate") : SY_LIT("Not"));
    sy_obj_put(&o, "operand", e.v);
    return node(r, out, "UnaryOp", &o, e.depth);
}

static const struct {
    uint8_t kind;
    int level;
    const char *name;
} k_binary[] = { { SY_R_Or, 1, "Or" }, { SY_R_And, 2, "And" }, { SY_R_Equal, 3, "Equal" }, { SY_R_NotEqual, 3, "NotEqual" }, { SY_R_GreaterThan, 4, "GreaterThan" },
                 { SY_R_GreaterThanOrEqual, 4, "GreaterThanOrEqual" }, { SY_R_LessThan, 4, "LessThan" }, { SY_R_LessThanOrEqual, 4, "LessThanOrEqual" }, { SY_R_Plus, 5, "Add" },
                 { SY_R_Minus, 5, "Subtract" }, { SY_R_Multiply, 6, "Multiply" }, { SY_R_Divide, 6, "Divide" }, { SY_R_Modulo, 6, "Modulo" } };

static bool binary(sy_repl *r, ex *out, int level)
{
    if (level > 6) return unary(r, out);
    if (!binary(r, out, level + 1)) return false;
    for (;;) {
        sy_obj o = sy_obj_new(r->a);
        const char *op = NULL;
        ex right;
        for (size_t i = 0; i < sizeof k_binary / sizeof k_binary[0]; i++)
            if (k_binary[i].level == level && is(r, k_binary[i].kind)) op = k_binary[i].name;
        if (!op) return true;
        advance(r);
        if (!binary(r, &right, level + 1)) return false;
        sy_obj_put(&o, "left", out->v);
        sy_obj_str(&o, "operator", symbi_str_z(op));
        sy_obj_put(&o, "right", right.v);
        if (!node(r, out, "BinaryOp", &o, right.depth > out->depth ? right.depth : out->depth)) return false;
    }
}

static bool expression(sy_repl *r, ex *out)
{
    sy_obj o = sy_obj_new(r->a);
    bool ok;
    if (++r->depth > REPL_DEPTH) return node(r, out, "", &o, REPL_DEPTH);
    ok = binary(r, out, 1);
    if (ok && match(r, SY_R_Assign)) {
        ex value;
        ok = expression(r, &value);
        if (ok) {
            sy_obj_put(&o, "target", out->v);
            sy_obj_put(&o, "value", value.v);
            ok = node(r, out, "Assignment", &o, value.depth > out->depth ? value.depth : out->depth);
        }
    }
    r->depth--;
    return ok;
}

/* ---- types and parameters ---- */

static bool type(sy_repl *r, symbi_value *out)
{
    static const char *const plain[][2] = { { "string", "String" }, { "number", "Number" }, { "boolean", "Boolean" }, { "datetime", "DateTime" }, { "duration", "Duration" }, { "size", "Size" }, { "any", "Any" } };
    const sy_repl_token *t = advance(r);
    symbi_value inner, pair[2] = { sy_val_str(SY_LIT("String")), sy_val_str(SY_LIT("Any")) };
    sy_arr two = sy_arr_new(r->a);
    if (t->kind != SY_R_Identifier) return fail(r, "Expected type name");
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (sy_str_eqz(t->text, plain[i][0])) {
            *out = sy_val_str(symbi_str_z(plain[i][1]));
            return true;
        }
    if (++r->depth > REPL_DEPTH) {
        r->st = sy_fail_at(r->err, SYMBI_ELIMIT, t->line, 0, "types nested deeper than %d levels", REPL_DEPTH);
        return false;
    }
    if (sy_str_eqz(t->text, "list")) {
        inner = pair[1];
        if (match(r, SY_R_LessThan) && (!type(r, &inner) || !take(r, SY_R_GreaterThan, "Expected '>' after list type"))) return false;
        *out = one(r, "List", inner);
    } else if (sy_str_eqz(t->text, "map")) {
        if (match(r, SY_R_LessThan) &&
            (!type(r, &pair[0]) || !take(r, SY_R_Comma, "Expected ',' between map types") || !type(r, &pair[1]) || !take(r, SY_R_GreaterThan, "Expected '>' after map type")))
            return false;
        sy_arr_add(&two, pair[0]);
        sy_arr_add(&two, pair[1]);
        *out = one(r, "Map", sy_arr_value(&two));
    } else {
        *out = one(r, "Custom", sy_val_str(t->text));
    }
    r->depth--;
    return true;
}

static bool parameters(sy_repl *r, symbi_value *out)
{
    sy_arr list = sy_arr_new(r->a);
    while (!is(r, SY_R_RightParen) && !is(r, SY_R_RightBrace) && !at_end(r)) {
        sy_obj o = sy_obj_new(r->a);
        symbi_value n, ty;
        ex dflt = { sy_val_null(), 0 };
        trivia(r);
        if (is(r, SY_R_RightParen) || is(r, SY_R_RightBrace)) break;
        if (!name(r, "Expected parameter name", &n) || !take(r, SY_R_Colon, "Expected ':' after parameter name") || !type(r, &ty)) return false;
        if (match(r, SY_R_Assign) && !expression(r, &dflt)) return false;
        sy_obj_put(&o, "default_value", dflt.v);
        sy_obj_put(&o, "name", n);
        sy_obj_put(&o, "param_type", ty);
        sy_arr_add(&list, sy_obj_value(&o));
        trivia(r);
        if (!is(r, SY_R_RightParen) && !is(r, SY_R_RightBrace)) {
            if (!take(r, SY_R_Comma, "Expected ',' between parameters")) return false;
            trivia(r);
        }
    }
    *out = one(r, "parameters", sy_arr_value(&list));
    return true;
}

/* ---- statements ---- */

static bool if_statement(sy_repl *r, symbi_value *out)
{
    sy_obj o = sy_obj_new(r->a);
    sy_arr others = sy_arr_new(r->a);
    symbi_value then, last = sy_val_null();
    ex cond;
    if (!expression(r, &cond) || !block(r, &then)) return false;
    while (word(r, "else")) {
        sy_obj e = sy_obj_new(r->a);
        ex c;
        symbi_value b;
        if (!word(r, "if")) {
            if (!block(r, &last)) return false;
            break;
        }
        if (!expression(r, &c) || !block(r, &b)) return false;
        sy_obj_put(&e, "block", b);
        sy_obj_put(&e, "condition", c.v);
        sy_arr_add(&others, sy_obj_value(&e));
    }
    sy_obj_put(&o, "condition", cond.v);
    sy_obj_put(&o, "else_block", last);
    sy_obj_put(&o, "else_ifs", sy_arr_value(&others));
    sy_obj_put(&o, "then_block", then);
    *out = one(r, "If", sy_obj_value(&o));
    return true;
}

static bool require_statement(sy_repl *r, symbi_value *out)
{
    symbi_value v;
    sy_arr list = sy_arr_new(r->a);
    if (word(r, "capability")) {
        if (!name(r, "Expected capability name", &v)) return false;
        v = one(r, "Capability", v);
    } else if (word(r, "capabilities")) {
        if (!take(r, SY_R_LeftBracket, "Expected '[' after 'capabilities'")) return false;
        while (!is(r, SY_R_RightBracket) && !at_end(r)) {
            if (!name(r, "Expected capability name", &v)) return false;
            sy_arr_add(&list, v);
            if (!is(r, SY_R_RightBracket) && !take(r, SY_R_Comma, "Expected ',' between capabilities")) return false;
        }
        if (!take(r, SY_R_RightBracket, "Expected ']' after capabilities")) return false;
        v = one(r, "Capabilities", sy_arr_value(&list));
    } else {
        return fail(r, "Expected 'capability' or 'capabilities'");
    }
    *out = one(r, "Require", one(r, "requirement", v));
    return true;
}

static bool statement(sy_repl *r, symbi_value *out)
{
    sy_obj o = sy_obj_new(r->a);
    ex e = { sy_val_null(), 0 };
    if (word(r, "let")) {
        symbi_value n, ty = sy_val_null();
        if (!name(r, "Expected variable name", &n) || (match(r, SY_R_Colon) && !type(r, &ty)) || !take(r, SY_R_Assign, "Expected '=' in let statement") || !expression(r, &e)) return false;
        sy_obj_put(&o, "name", n);
        sy_obj_put(&o, "value", e.v);
        sy_obj_put(&o, "var_type", ty);
        *out = one(r, "Let", sy_obj_value(&o));
        return true;
    }
    if (word(r, "if")) return if_statement(r, out);
    if (word(r, "return")) {
        if (!is(r, SY_R_Newline) && !is(r, SY_R_RightBrace) && !at_end(r) && !expression(r, &e)) return false;
        *out = one(r, "Return", one(r, "value", e.v));
        return true;
    }
    if (word(r, "require")) return require_statement(r, out);
    if (!expression(r, &e)) return false;
    *out = one(r, "Expression", e.v);
    return true;
}

static bool block(sy_repl *r, symbi_value *out)
{
    sy_arr list = sy_arr_new(r->a);
    if (++r->depth > REPL_DEPTH / 2) {
        r->st = sy_fail_at(r->err, SYMBI_ELIMIT, peek(r)->line, 0, "blocks nested deeper than %d levels", REPL_DEPTH / 2);
        return false;
    }
    if (!take(r, SY_R_LeftBrace, "Expected '{'")) return false;
    while (!is(r, SY_R_RightBrace) && !at_end(r)) {
        symbi_value s;
        trivia(r);
        if (is(r, SY_R_RightBrace)) break;
        if (!statement(r, &s)) return false;
        sy_arr_add(&list, s);
        trivia(r);
    }
    r->depth--;
    *out = one(r, "statements", sy_arr_value(&list));
    return take(r, SY_R_RightBrace, "Expected '}'");
}

/* ---- declarations ---- */

static bool colon(sy_repl *r, const char *message) { return take(r, SY_R_Colon, message); }

static bool resources(sy_repl *r, symbi_value *out)
{
    symbi_value memory = sy_val_null(), cpu = memory, network = memory, storage = memory;
    sy_obj o = sy_obj_new(r->a);
    if (!take(r, SY_R_LeftBrace, "Expected '{' after 'resources'")) return false;
    while (!is(r, SY_R_RightBrace) && !at_end(r)) {
        const sy_repl_token *t;
        trivia(r);
        if (word(r, "memory")) {
            if (!colon(r, "Expected ':' after 'memory'") || !measure(r, SY_R_Size, "Expected size value", &memory)) return false;
        } else if (word(r, "cpu")) {
            if (!colon(r, "Expected ':' after 'cpu'") || !measure(r, SY_R_Duration, "Expected duration value", &cpu)) return false;
        } else if (word(r, "network")) {
            if (!colon(r, "Expected ':' after 'network'")) return false;
            t = advance(r);
            if (!sy_repl_word(t, "true") && !sy_repl_word(t, "false") && !sy_repl_word(t, "allow")) return fail(r, "Expected boolean value");
            network = sy_val_bool(t->text.p[0] != 'f');
        } else if (word(r, "storage")) {
            if (!colon(r, "Expected ':' after 'storage'") || !measure(r, SY_R_Size, "Expected size value", &storage)) return false;
        } else {
            return fail(r, "Unexpected token in resources block");
        }
        trivia(r);
    }
    sy_obj_put(&o, "cpu", cpu);
    sy_obj_put(&o, "memory", memory);
    sy_obj_put(&o, "network", network);
    sy_obj_put(&o, "storage", storage);
    *out = sy_obj_value(&o);
    return take(r, SY_R_RightBrace, "Expected '}' after resources");
}

static bool security(sy_repl *r, symbi_value *out)
{
    static const char *const tiers[] = { "Tier1", "Tier2", "Tier3", "Tier4", NULL }, *const modes[] = { "strict", "moderate", "permissive", NULL };
    symbi_value tier = sy_val_null(), sandbox = tier, s;
    sy_arr caps = sy_arr_new(r->a);
    sy_obj o = sy_obj_new(r->a);
    if (!take(r, SY_R_LeftBrace, "Expected '{' after 'security'")) return false;
    while (!is(r, SY_R_RightBrace) && !at_end(r)) {
        trivia(r);
        if (word(r, "tier")) {
            if (!colon(r, "Expected ':' after 'tier'") || !choice(r, tiers, "Expected security tier", &tier)) return false;
        } else if (word(r, "capabilities")) {
            if (!colon(r, "Expected ':' after 'capabilities'") || !take(r, SY_R_LeftBracket, "Expected '[' for string list")) return false;
            caps = sy_arr_new(r->a);
            while (!is(r, SY_R_RightBracket) && !at_end(r)) {
                if (!string(r, &s)) return false;
                sy_arr_add(&caps, s);
                if (!is(r, SY_R_RightBracket) && !take(r, SY_R_Comma, "Expected ',' between list items")) return false;
            }
            if (!take(r, SY_R_RightBracket, "Expected ']' after string list")) return false;
        } else if (word(r, "sandbox")) {
            if (!colon(r, "Expected ':' after 'sandbox'") || !choice(r, modes, "Expected sandbox mode", &sandbox)) return false;
        } else {
            return fail(r, "Unexpected token in security block");
        }
        trivia(r);
    }
    sy_obj_put(&o, "capabilities", sy_arr_value(&caps));
    sy_obj_put(&o, "sandbox", sandbox);
    sy_obj_put(&o, "tier", tier);
    *out = sy_obj_value(&o);
    return take(r, SY_R_RightBrace, "Expected '}' after security");
}

static bool policies(sy_repl *r, symbi_value *out)
{
    static const char *const actions[] = { "terminate", "restart", "escalate", "ignore", NULL };
    symbi_value timeout = sy_val_null(), retry = timeout, failure = timeout;
    sy_obj o = sy_obj_new(r->a);
    if (!take(r, SY_R_LeftBrace, "Expected '{' after 'policies'")) return false;
    while (!is(r, SY_R_RightBrace) && !at_end(r)) {
        trivia(r);
        if (word(r, "timeout")) {
            if (!colon(r, "Expected ':' after 'timeout'") || !measure(r, SY_R_Duration, "Expected duration value", &timeout)) return false;
        } else if (word(r, "retry")) {
            const sy_repl_token *t;
            if (!colon(r, "Expected ':' after 'retry'")) return false;
            t = advance(r);
            if (t->kind != SY_R_Integer) return fail(r, "Expected integer value");
            retry = sy_val_int(t->v.i & 0xffffffff);
        } else if (word(r, "failure")) {
            if (!colon(r, "Expected ':' after 'failure'") || !choice(r, actions, "Expected failure action", &failure)) return false;
        } else {
            return fail(r, "Unexpected token in policies block");
        }
        trivia(r);
    }
    sy_obj_put(&o, "execution_timeout", timeout);
    sy_obj_put(&o, "failure_action", failure);
    sy_obj_put(&o, "retry_count", retry);
    *out = sy_obj_value(&o);
    return take(r, SY_R_RightBrace, "Expected '}' after policies");
}

static bool agent(sy_repl *r, symbi_value *out)
{
    static const char *const fields[] = { "name", "version", "author", "description" };
    static const char *const colons[] = { "Expected ':' after 'name'", "Expected ':' after 'version'", "Expected ':' after 'author'", "Expected ':' after 'description'" };
    symbi_value meta[4], part[3], n;
    sy_obj o = sy_obj_new(r->a), m = sy_obj_new(r->a);
    for (int i = 0; i < 4; i++) meta[i] = sy_val_null();
    for (int i = 0; i < 3; i++) part[i] = sy_val_null();
    if (!name(r, "Expected agent name", &n) || !take(r, SY_R_LeftBrace, "Expected '{' after agent name")) return false;
    while (!is(r, SY_R_RightBrace) && !at_end(r)) {
        int f = 0;
        trivia(r);
        if (is(r, SY_R_RightBrace)) break;
        while (f < 4 && !sy_repl_word(peek(r), fields[f])) f++;
        if (f < 4) {
            advance(r);
            if (!colon(r, colons[f]) || !string(r, &meta[f])) return false;
        } else if (word(r, "resources")) {
            if (!resources(r, &part[0])) return false;
        } else if (word(r, "security")) {
            if (!security(r, &part[1])) return false;
        } else if (word(r, "policies")) {
            if (!policies(r, &part[2])) return false;
        } else {
            return fail_token(r, "Unexpected token in agent definition:", peek(r), false);
        }
        trivia(r);
    }
    if (!take(r, SY_R_RightBrace, "Expected '}' after agent definition")) return false;
    for (int i = 0; i < 4; i++) sy_obj_put(&m, fields[i], meta[i]);
    sy_obj_put(&o, "metadata", sy_obj_value(&m));
    sy_obj_put(&o, "name", n);
    sy_obj_put(&o, "policies", part[2]);
    sy_obj_put(&o, "resources", part[0]);
    sy_obj_put(&o, "security", part[1]);
    *out = one(r, "Agent", sy_obj_value(&o));
    return true;
}

static bool parameter_block(sy_repl *r, symbi_value *out)
{
    return take(r, SY_R_LeftBrace, "Expected '{' after parameter block") && parameters(r, out) && take(r, SY_R_RightBrace, "Expected '}' after parameter block");
}

static bool behavior(sy_repl *r, symbi_value *out)
{
    symbi_value n, input = sy_val_null(), output = input, steps = input;
    sy_obj o = sy_obj_new(r->a);
    bool has = false;
    if (!name(r, "Expected behavior name", &n) || !take(r, SY_R_LeftBrace, "Expected '{' after behavior name")) return false;
    while (!is(r, SY_R_RightBrace) && !at_end(r)) {
        trivia(r);
        if (word(r, "input")) {
            if (!parameter_block(r, &input)) return false;
        } else if (word(r, "output")) {
            if (!parameter_block(r, &output)) return false;
        } else if (word(r, "steps")) {
            if (!block(r, &steps)) return false;
            has = true;
        } else {
            return fail_token(r, "Unexpected token in behavior definition:", peek(r), false);
        }
        trivia(r);
    }
    if (!take(r, SY_R_RightBrace, "Expected '}' after behavior definition")) return false;
    if (!has) return fail(r, "Behavior must have steps block");
    sy_obj_put(&o, "input", input);
    sy_obj_put(&o, "name", n);
    sy_obj_put(&o, "output", output);
    sy_obj_put(&o, "steps", steps);
    *out = one(r, "Behavior", sy_obj_value(&o));
    return true;
}

static bool function(sy_repl *r, symbi_value *out)
{
    symbi_value n, params, ret = sy_val_null(), body;
    sy_obj o = sy_obj_new(r->a);
    if (!name(r, "Expected function name", &n) || !take(r, SY_R_LeftParen, "Expected '(' after function name") || !parameters(r, &params) ||
        !take(r, SY_R_RightParen, "Expected ')' after parameters") || (match(r, SY_R_Arrow) && !type(r, &ret)) || !block(r, &body))
        return false;
    sy_obj_put(&o, "body", body);
    sy_obj_put(&o, "name", n);
    sy_obj_put(&o, "parameters", params);
    sy_obj_put(&o, "return_type", ret);
    *out = one(r, "Function", sy_obj_value(&o));
    return true;
}

static bool structure(sy_repl *r, symbi_value *out)
{
    symbi_value n;
    sy_arr fields = sy_arr_new(r->a);
    sy_obj o = sy_obj_new(r->a);
    if (!name(r, "Expected struct name", &n) || !take(r, SY_R_LeftBrace, "Expected '{' after struct name")) return false;
    while (!is(r, SY_R_RightBrace) && !at_end(r)) {
        sy_obj f = sy_obj_new(r->a);
        symbi_value fn, ft;
        trivia(r);
        if (is(r, SY_R_RightBrace)) break;
        if (!name(r, "Expected field name", &fn) || !take(r, SY_R_Colon, "Expected ':' after field name") || !type(r, &ft)) return false;
        sy_obj_put(&f, "field_type", ft);
        sy_obj_put(&f, "name", fn);
        sy_arr_add(&fields, sy_obj_value(&f));
        trivia(r);
    }
    sy_obj_put(&o, "fields", sy_arr_value(&fields));
    sy_obj_put(&o, "name", n);
    *out = one(r, "Struct", sy_obj_value(&o));
    return take(r, SY_R_RightBrace, "Expected '}' after struct fields");
}

static bool declaration(sy_repl *r, symbi_value *out)
{
    r->depth = 0;
    if (word(r, "agent")) return agent(r, out);
    if (word(r, "behavior")) return behavior(r, out);
    if (word(r, "function")) return function(r, out);
    if (word(r, "struct")) return structure(r, out);
    return fail_token(r, "Expected declaration, found", peek(r), true);
}

symbi_status symbi_dsl_repl(symbi_ctx *cx, symbi_str text, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d;
    symbi_err own;
    sy_repl r;
    sy_arr list;
    *out = NULL;
    if (text.n > SYMBI_DSL_MAX_BYTES) return sy_fail(err, SYMBI_ELIMIT, "the text is larger than %d bytes", SYMBI_DSL_MAX_BYTES);
    if (!sy_utf8_valid(text, NULL)) return sy_fail(err, SYMBI_EPARSE, "Lexing failed: the text is not UTF-8");
    if (!(d = sy_doc_new(cx))) return sy_fail_nomem(err);
    memset(&r, 0, sizeof r);
    r.a = &d->arena;
    r.alloc = cx->alloc;
    r.err = err ? err : &own;
    list = sy_arr_new(r.a);
    r.st = sy_repl_lex(&r, text);
    if (!r.st) trivia(&r);
    while (!r.st && !at_end(&r)) {
        symbi_value v;
        if (!declaration(&r, &v)) break;
        sy_arr_add(&list, v);
        trivia(&r);
    }
    sy_free(&cx->alloc, r.t, r.cap * sizeof *r.t);
    d->root = sy_arr_value(&list);
    if (d->arena.status) r.st = sy_arena_fail(&d->arena, "the declarations", err);
    if (r.st) {
        symbi_doc_unref(d);
        return r.st;
    }
    *out = d;
    return SYMBI_OK;
}
