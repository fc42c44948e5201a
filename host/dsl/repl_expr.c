/* dsl/repl_expr.c: the REPL language's expressions, types and parameters, and how its tokens are taken. */
#include "base/err.h"
#include "base/str.h"
#include "dsl/repl.h"

#include <string.h>

const sy_repl_token *sy_repl_peek(const sy_repl *r) { return &r->t[r->at]; }
bool sy_repl_at_end(const sy_repl *r) { return sy_repl_peek(r)->kind == SY_R_Eof; }

/* The token that is taken; at the end the one before it, again. */
const sy_repl_token *sy_repl_advance(sy_repl *r)
{
    if (!sy_repl_at_end(r)) r->at++;
    return &r->t[r->at ? r->at - 1 : 0];
}

bool sy_repl_is(const sy_repl *r, int kind) { return sy_repl_peek(r)->kind == kind; }

bool sy_repl_match(sy_repl *r, int kind)
{
    if (!sy_repl_is(r, kind)) return false;
    sy_repl_advance(r);
    return true;
}

bool sy_repl_takes(sy_repl *r, const char *keyword)
{
    if (!sy_repl_word(sy_repl_peek(r), keyword)) return false;
    sy_repl_advance(r);
    return true;
}

void sy_repl_trivia(sy_repl *r)
{
    while (sy_repl_is(r, SY_R_Newline) || sy_repl_is(r, SY_R_Comment)) sy_repl_advance(r);
}

bool sy_repl_fail(sy_repl *r, const char *text)
{
    r->st = sy_fail(r->err, SYMBI_EPARSE, "Parsing failed: %s", text);
    return false;
}

bool sy_repl_fail_token(sy_repl *r, const char *text, const sy_repl_token *t, bool line)
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

bool sy_repl_take(sy_repl *r, int kind, const char *message)
{
    sy_buf b;
    if (sy_repl_match(r, kind)) return true;
    sy_buf_init(&b, r->alloc, 4096);
    sy_buf_addf(&b, "%s: expected %s, found", message, sy_repl_names[kind]);
    if (b.status) r->st = sy_fail_nomem(r->err);
    else sy_repl_fail_token(r, b.p, sy_repl_peek(r), true);
    sy_buf_free(&b);
    return false;
}

bool sy_repl_name(sy_repl *r, const char *message, symbi_value *out)
{
    const sy_repl_token *t = sy_repl_advance(r);
    if (t->kind != SY_R_Identifier) return sy_repl_fail(r, message);
    *out = sy_val_str(t->text);
    return true;
}

bool sy_repl_string(sy_repl *r, symbi_value *out)
{
    const sy_repl_token *t = sy_repl_advance(r);
    if (t->kind != SY_R_String) return sy_repl_fail(r, "Expected string literal");
    *out = sy_val_str(t->text);
    return true;
}

symbi_value sy_repl_one(sy_repl *r, const char *key, symbi_value v)
{
    sy_obj o = sy_obj_new(r->a);
    sy_obj_put(&o, key, v);
    return sy_obj_value(&o);
}

static bool node(sy_repl *r, sy_repl_ex *out, const char *kind, const sy_obj *o, unsigned below)
{
    if (below >= SY_REPL_DEPTH) {
        r->st = sy_fail_at(r->err, SYMBI_ELIMIT, sy_repl_peek(r)->line, 0, "expressions nested deeper than %d levels", SY_REPL_DEPTH);
        return false;
    }
    out->v = sy_repl_one(r, kind, sy_obj_value(o));
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

bool sy_repl_measure(sy_repl *r, int kind, const char *message, symbi_value *out)
{
    const sy_repl_token *t = sy_repl_advance(r);
    if (t->kind != kind) return sy_repl_fail(r, message);
    *out = measured(r, t);
    return true;
}

/* One of the keywords; its value is the word with a capital. */
bool sy_repl_choice(sy_repl *r, const char *const words[], const char *message, symbi_value *out)
{
    const sy_repl_token *t = sy_repl_advance(r);
    for (size_t i = 0; words[i]; i++) {
        char *p;
        if (!sy_repl_word(t, words[i])) continue;
        p = sy_arena_memdup(r->a, t->text.p, t->text.n);
        if (!p) return sy_repl_fail(r, "out of memory");
        if (p[0] >= 'a') p[0] = (char)(p[0] - 32);
        *out = sy_val_str((symbi_str){ p, t->text.n });
        return true;
    }
    return sy_repl_fail(r, message);
}

/* ---- expressions ---- */

static bool items(sy_repl *r, int close, const char *between, sy_arr *out, unsigned *depth)
{
    while (!sy_repl_is(r, close) && !sy_repl_at_end(r)) {
        sy_repl_ex e;
        if (!sy_repl_expression(r, &e)) return false;
        if (e.depth > *depth) *depth = e.depth;
        sy_arr_add(out, e.v);
        if (!sy_repl_is(r, close) && !sy_repl_take(r, SY_R_Comma, between)) return false;
    }
    return true;
}

static bool map_literal(sy_repl *r, sy_repl_ex *out)
{
    sy_arr entries = sy_arr_new(r->a);
    sy_obj o = sy_obj_new(r->a);
    unsigned depth = 0;
    while (!sy_repl_is(r, SY_R_RightBrace) && !sy_repl_at_end(r)) {
        sy_obj e = sy_obj_new(r->a);
        sy_repl_ex key, value;
        if (!sy_repl_expression(r, &key) || !sy_repl_take(r, SY_R_Colon, "Expected ':' after map key") || !sy_repl_expression(r, &value)) return false;
        sy_obj_put(&e, "key", key.v);
        sy_obj_put(&e, "value", value.v);
        sy_arr_add(&entries, sy_obj_value(&e));
        if (key.depth > depth) depth = key.depth;
        if (value.depth > depth) depth = value.depth;
        if (!sy_repl_is(r, SY_R_RightBrace) && !sy_repl_take(r, SY_R_Comma, "Expected ',' between map entries")) return false;
    }
    if (!sy_repl_take(r, SY_R_RightBrace, "Expected '}' after map entries")) return false;
    sy_obj_put(&o, "entries", sy_arr_value(&entries));
    return node(r, out, "Map", &o, depth);
}

static bool literal(sy_repl *r, sy_repl_ex *out, const char *kind, symbi_value v)
{
    sy_obj o = sy_obj_new(r->a);
    sy_obj_put(&o, kind, v);
    return node(r, out, "Literal", &o, 0);
}

static bool arguments(sy_repl *r, sy_obj *o, unsigned *depth)
{
    sy_arr args = sy_arr_new(r->a);
    sy_repl_advance(r); /* '(' */
    if (!items(r, SY_R_RightParen, "Expected ',' between arguments", &args, depth) || !sy_repl_take(r, SY_R_RightParen, "Expected ')' after arguments")) return false;
    sy_obj_put(o, "arguments", sy_arr_value(&args));
    return true;
}

static bool primary(sy_repl *r, sy_repl_ex *out)
{
    bool end = sy_repl_at_end(r);
    const sy_repl_token *t = sy_repl_advance(r);
    sy_obj o = sy_obj_new(r->a);
    sy_arr list = sy_arr_new(r->a);
    unsigned depth = 0;
    if (end && t->kind == SY_R_LeftParen) return sy_repl_fail_token(r, "Unexpected token in expression:", sy_repl_peek(r), false); /* the reference never comes back from here */
    switch (t->kind) {
    case SY_R_String: return literal(r, out, "String", sy_val_str(t->text));
    case SY_R_Number: return literal(r, out, "Number", sy_val_double(t->v.d));
    case SY_R_Integer: return literal(r, out, "Integer", sy_val_int(t->v.i));
    case SY_R_Duration: return literal(r, out, "Duration", measured(r, t));
    case SY_R_Size: return literal(r, out, "Size", measured(r, t));
    case SY_R_Keyword:
        if (sy_repl_word(t, "true") || sy_repl_word(t, "false")) return literal(r, out, "Boolean", sy_val_bool(t->text.p[0] == 't'));
        if (!sy_repl_word(t, "null")) break;
        out->v = sy_repl_one(r, "Literal", sy_val_str(SY_LIT("Null")));
        out->depth = 1;
        return true;
    case SY_R_Identifier:
        if (!sy_repl_is(r, SY_R_LeftParen)) {
            sy_obj_str(&o, "name", t->text);
            return node(r, out, "Identifier", &o, 0);
        }
        sy_obj_str(&o, "function", t->text);
        return arguments(r, &o, &depth) && node(r, out, "FunctionCall", &o, depth);
    case SY_R_LeftParen: return sy_repl_expression(r, out) && sy_repl_take(r, SY_R_RightParen, "Expected ')' after expression");
    case SY_R_LeftBracket:
        if (!items(r, SY_R_RightBracket, "Expected ',' between expressions", &list, &depth) || !sy_repl_take(r, SY_R_RightBracket, "Expected ']' after list elements")) return false;
        sy_obj_put(&o, "elements", sy_arr_value(&list));
        return node(r, out, "List", &o, depth);
    case SY_R_LeftBrace: return map_literal(r, out);
    default: break;
    }
    return sy_repl_fail_token(r, "Unexpected token in expression:", t, false);
}

static bool postfix(sy_repl *r, sy_repl_ex *out)
{
    if (!primary(r, out)) return false;
    for (;;) {
        sy_obj o = sy_obj_new(r->a);
        unsigned depth = out->depth;
        if (sy_repl_match(r, SY_R_Dot)) {
            symbi_value field;
            if (!sy_repl_name(r, "Expected field name after '.'", &field)) return false;
            sy_obj_put(&o, "object", out->v);
            if (sy_repl_is(r, SY_R_LeftParen)) {
                sy_obj_put(&o, "method", field);
                if (!arguments(r, &o, &depth) || !node(r, out, "MethodCall", &o, depth)) return false;
            } else {
                sy_obj_put(&o, "field", field);
                if (!node(r, out, "FieldAccess", &o, depth)) return false;
            }
        } else if (sy_repl_match(r, SY_R_LeftBracket)) {
            sy_repl_ex index;
            if (!sy_repl_expression(r, &index) || !sy_repl_take(r, SY_R_RightBracket, "Expected ']' after index")) return false;
            sy_obj_put(&o, "object", out->v);
            sy_obj_put(&o, "index", index.v);
            if (!node(r, out, "IndexAccess", &o, index.depth > depth ? index.depth : depth)) return false;
        } else {
            return true;
        }
    }
}

static bool unary(sy_repl *r, sy_repl_ex *out)
{
    sy_obj o = sy_obj_new(r->a);
    bool negate = sy_repl_is(r, SY_R_Minus);
    sy_repl_ex e;
    if (!negate && !sy_repl_is(r, SY_R_Not)) return postfix(r, out);
    sy_repl_advance(r);
    if (++r->depth > SY_REPL_DEPTH) return node(r, out, "UnaryOp", &o, SY_REPL_DEPTH);
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

static bool binary(sy_repl *r, sy_repl_ex *out, int level)
{
    if (level > 6) return unary(r, out);
    if (!binary(r, out, level + 1)) return false;
    for (;;) {
        sy_obj o = sy_obj_new(r->a);
        const char *op = NULL;
        sy_repl_ex right;
        for (size_t i = 0; i < sizeof k_binary / sizeof k_binary[0]; i++)
            if (k_binary[i].level == level && sy_repl_is(r, k_binary[i].kind)) op = k_binary[i].name;
        if (!op) return true;
        sy_repl_advance(r);
        if (!binary(r, &right, level + 1)) return false;
        sy_obj_put(&o, "left", out->v);
        sy_obj_str(&o, "operator", symbi_str_z(op));
        sy_obj_put(&o, "right", right.v);
        if (!node(r, out, "BinaryOp", &o, right.depth > out->depth ? right.depth : out->depth)) return false;
    }
}

bool sy_repl_expression(sy_repl *r, sy_repl_ex *out)
{
    sy_obj o = sy_obj_new(r->a);
    bool ok;
    if (++r->depth > SY_REPL_DEPTH) return node(r, out, "", &o, SY_REPL_DEPTH);
    ok = binary(r, out, 1);
    if (ok && sy_repl_match(r, SY_R_Assign)) {
        sy_repl_ex value;
        ok = sy_repl_expression(r, &value);
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

bool sy_repl_type(sy_repl *r, symbi_value *out)
{
    static const char *const plain[][2] = { { "string", "String" }, { "number", "Number" }, { "boolean", "Boolean" }, { "datetime", "DateTime" }, { "duration", "Duration" }, { "size", "Size" }, { "any", "Any" } };
    const sy_repl_token *t = sy_repl_advance(r);
    symbi_value inner, pair[2] = { sy_val_str(SY_LIT("String")), sy_val_str(SY_LIT("Any")) };
    sy_arr two = sy_arr_new(r->a);
    if (t->kind != SY_R_Identifier) return sy_repl_fail(r, "Expected type name");
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (sy_str_eqz(t->text, plain[i][0])) {
            *out = sy_val_str(symbi_str_z(plain[i][1]));
            return true;
        }
    if (++r->depth > SY_REPL_DEPTH) {
        r->st = sy_fail_at(r->err, SYMBI_ELIMIT, t->line, 0, "types nested deeper than %d levels", SY_REPL_DEPTH);
        return false;
    }
    if (sy_str_eqz(t->text, "list")) {
        inner = pair[1];
        if (sy_repl_match(r, SY_R_LessThan) && (!sy_repl_type(r, &inner) || !sy_repl_take(r, SY_R_GreaterThan, "Expected '>' after list type"))) return false;
        *out = sy_repl_one(r, "List", inner);
    } else if (sy_str_eqz(t->text, "map")) {
        if (sy_repl_match(r, SY_R_LessThan) &&
            (!sy_repl_type(r, &pair[0]) || !sy_repl_take(r, SY_R_Comma, "Expected ',' between map types") || !sy_repl_type(r, &pair[1]) || !sy_repl_take(r, SY_R_GreaterThan, "Expected '>' after map type")))
            return false;
        sy_arr_add(&two, pair[0]);
        sy_arr_add(&two, pair[1]);
        *out = sy_repl_one(r, "Map", sy_arr_value(&two));
    } else {
        *out = sy_repl_one(r, "Custom", sy_val_str(t->text));
    }
    r->depth--;
    return true;
}

bool sy_repl_parameters(sy_repl *r, symbi_value *out)
{
    sy_arr list = sy_arr_new(r->a);
    while (!sy_repl_is(r, SY_R_RightParen) && !sy_repl_is(r, SY_R_RightBrace) && !sy_repl_at_end(r)) {
        sy_obj o = sy_obj_new(r->a);
        symbi_value n, ty;
        sy_repl_ex dflt = { sy_val_null(), 0 };
        sy_repl_trivia(r);
        if (sy_repl_is(r, SY_R_RightParen) || sy_repl_is(r, SY_R_RightBrace)) break;
        if (!sy_repl_name(r, "Expected parameter name", &n) || !sy_repl_take(r, SY_R_Colon, "Expected ':' after parameter name") || !sy_repl_type(r, &ty)) return false;
        if (sy_repl_match(r, SY_R_Assign) && !sy_repl_expression(r, &dflt)) return false;
        sy_obj_put(&o, "default_value", dflt.v);
        sy_obj_put(&o, "name", n);
        sy_obj_put(&o, "param_type", ty);
        sy_arr_add(&list, sy_obj_value(&o));
        sy_repl_trivia(r);
        if (!sy_repl_is(r, SY_R_RightParen) && !sy_repl_is(r, SY_R_RightBrace)) {
            if (!sy_repl_take(r, SY_R_Comma, "Expected ',' between parameters")) return false;
            sy_repl_trivia(r);
        }
    }
    *out = sy_repl_one(r, "parameters", sy_arr_value(&list));
    return true;
}
