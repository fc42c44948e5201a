/* dsl/repl.c: the REPL language's declarations, read into the reference's tree (spec section 6). Nothing of it is run: Lua is the language
 * of scripts here. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "dsl/repl.h"

#include <string.h>

static bool block(sy_repl *r, symbi_value *out);

/* ---- statements ---- */

static bool if_statement(sy_repl *r, symbi_value *out)
{
    sy_obj o = sy_obj_new(r->a);
    sy_arr others = sy_arr_new(r->a);
    symbi_value then, last = sy_val_null();
    sy_repl_ex cond;
    if (!sy_repl_expression(r, &cond) || !block(r, &then)) return false;
    while (sy_repl_takes(r, "else")) {
        sy_obj e = sy_obj_new(r->a);
        sy_repl_ex c;
        symbi_value b;
        if (!sy_repl_takes(r, "if")) {
            if (!block(r, &last)) return false;
            break;
        }
        if (!sy_repl_expression(r, &c) || !block(r, &b)) return false;
        sy_obj_put(&e, "block", b);
        sy_obj_put(&e, "condition", c.v);
        sy_arr_add(&others, sy_obj_value(&e));
    }
    sy_obj_put(&o, "condition", cond.v);
    sy_obj_put(&o, "else_block", last);
    sy_obj_put(&o, "else_ifs", sy_arr_value(&others));
    sy_obj_put(&o, "then_block", then);
    *out = sy_repl_one(r, "If", sy_obj_value(&o));
    return true;
}

static bool require_statement(sy_repl *r, symbi_value *out)
{
    symbi_value v;
    sy_arr list = sy_arr_new(r->a);
    if (sy_repl_takes(r, "capability")) {
        if (!sy_repl_name(r, "Expected capability name", &v)) return false;
        v = sy_repl_one(r, "Capability", v);
    } else if (sy_repl_takes(r, "capabilities")) {
        if (!sy_repl_take(r, SY_R_LeftBracket, "Expected '[' after 'capabilities'")) return false;
        while (!sy_repl_is(r, SY_R_RightBracket) && !sy_repl_at_end(r)) {
            if (!sy_repl_name(r, "Expected capability name", &v)) return false;
            sy_arr_add(&list, v);
            if (!sy_repl_is(r, SY_R_RightBracket) && !sy_repl_take(r, SY_R_Comma, "Expected ',' between capabilities")) return false;
        }
        if (!sy_repl_take(r, SY_R_RightBracket, "Expected ']' after capabilities")) return false;
        v = sy_repl_one(r, "Capabilities", sy_arr_value(&list));
    } else {
        return sy_repl_fail(r, "Expected 'capability' or 'capabilities'");
    }
    *out = sy_repl_one(r, "Require", sy_repl_one(r, "requirement", v));
    return true;
}

static bool statement(sy_repl *r, symbi_value *out)
{
    sy_obj o = sy_obj_new(r->a);
    sy_repl_ex e = { sy_val_null(), 0 };
    if (sy_repl_takes(r, "let")) {
        symbi_value n, ty = sy_val_null();
        if (!sy_repl_name(r, "Expected variable name", &n) || (sy_repl_match(r, SY_R_Colon) && !sy_repl_type(r, &ty)) || !sy_repl_take(r, SY_R_Assign, "Expected '=' in let statement") || !sy_repl_expression(r, &e)) return false;
        sy_obj_put(&o, "name", n);
        sy_obj_put(&o, "value", e.v);
        sy_obj_put(&o, "var_type", ty);
        *out = sy_repl_one(r, "Let", sy_obj_value(&o));
        return true;
    }
    if (sy_repl_takes(r, "if")) return if_statement(r, out);
    if (sy_repl_takes(r, "return")) {
        if (!sy_repl_is(r, SY_R_Newline) && !sy_repl_is(r, SY_R_RightBrace) && !sy_repl_at_end(r) && !sy_repl_expression(r, &e)) return false;
        *out = sy_repl_one(r, "Return", sy_repl_one(r, "value", e.v));
        return true;
    }
    if (sy_repl_takes(r, "require")) return require_statement(r, out);
    if (!sy_repl_expression(r, &e)) return false;
    *out = sy_repl_one(r, "Expression", e.v);
    return true;
}

static bool block(sy_repl *r, symbi_value *out)
{
    sy_arr list = sy_arr_new(r->a);
    if (++r->depth > SY_REPL_DEPTH / 2) {
        r->st = sy_fail_at(r->err, SYMBI_ELIMIT, sy_repl_peek(r)->line, 0, "blocks nested deeper than %d levels", SY_REPL_DEPTH / 2);
        return false;
    }
    if (!sy_repl_take(r, SY_R_LeftBrace, "Expected '{'")) return false;
    while (!sy_repl_is(r, SY_R_RightBrace) && !sy_repl_at_end(r)) {
        symbi_value s;
        sy_repl_trivia(r);
        if (sy_repl_is(r, SY_R_RightBrace)) break;
        if (!statement(r, &s)) return false;
        sy_arr_add(&list, s);
        sy_repl_trivia(r);
    }
    r->depth--;
    *out = sy_repl_one(r, "statements", sy_arr_value(&list));
    return sy_repl_take(r, SY_R_RightBrace, "Expected '}'");
}

/* ---- declarations ---- */

static bool colon(sy_repl *r, const char *message) { return sy_repl_take(r, SY_R_Colon, message); }

static bool resources(sy_repl *r, symbi_value *out)
{
    symbi_value memory = sy_val_null(), cpu = memory, network = memory, storage = memory;
    sy_obj o = sy_obj_new(r->a);
    if (!sy_repl_take(r, SY_R_LeftBrace, "Expected '{' after 'resources'")) return false;
    while (!sy_repl_is(r, SY_R_RightBrace) && !sy_repl_at_end(r)) {
        const sy_repl_token *t;
        sy_repl_trivia(r);
        if (sy_repl_takes(r, "memory")) {
            if (!colon(r, "Expected ':' after 'memory'") || !sy_repl_measure(r, SY_R_Size, "Expected size value", &memory)) return false;
        } else if (sy_repl_takes(r, "cpu")) {
            if (!colon(r, "Expected ':' after 'cpu'") || !sy_repl_measure(r, SY_R_Duration, "Expected duration value", &cpu)) return false;
        } else if (sy_repl_takes(r, "network")) {
            if (!colon(r, "Expected ':' after 'network'")) return false;
            t = sy_repl_advance(r);
            if (!sy_repl_word(t, "true") && !sy_repl_word(t, "false") && !sy_repl_word(t, "allow")) return sy_repl_fail(r, "Expected boolean value");
            network = sy_val_bool(t->text.p[0] != 'f');
        } else if (sy_repl_takes(r, "storage")) {
            if (!colon(r, "Expected ':' after 'storage'") || !sy_repl_measure(r, SY_R_Size, "Expected size value", &storage)) return false;
        } else {
            return sy_repl_fail(r, "Unexpected token in resources block");
        }
        sy_repl_trivia(r);
    }
    sy_obj_put(&o, "cpu", cpu);
    sy_obj_put(&o, "memory", memory);
    sy_obj_put(&o, "network", network);
    sy_obj_put(&o, "storage", storage);
    *out = sy_obj_value(&o);
    return sy_repl_take(r, SY_R_RightBrace, "Expected '}' after resources");
}

static bool security(sy_repl *r, symbi_value *out)
{
    static const char *const tiers[] = { "Tier1", "Tier2", "Tier3", "Tier4", NULL }, *const modes[] = { "strict", "moderate", "permissive", NULL };
    symbi_value tier = sy_val_null(), sandbox = tier, s;
    sy_arr caps = sy_arr_new(r->a);
    sy_obj o = sy_obj_new(r->a);
    if (!sy_repl_take(r, SY_R_LeftBrace, "Expected '{' after 'security'")) return false;
    while (!sy_repl_is(r, SY_R_RightBrace) && !sy_repl_at_end(r)) {
        sy_repl_trivia(r);
        if (sy_repl_takes(r, "tier")) {
            if (!colon(r, "Expected ':' after 'tier'") || !sy_repl_choice(r, tiers, "Expected security tier", &tier)) return false;
        } else if (sy_repl_takes(r, "capabilities")) {
            if (!colon(r, "Expected ':' after 'capabilities'") || !sy_repl_take(r, SY_R_LeftBracket, "Expected '[' for string list")) return false;
            caps = sy_arr_new(r->a);
            while (!sy_repl_is(r, SY_R_RightBracket) && !sy_repl_at_end(r)) {
                if (!sy_repl_string(r, &s)) return false;
                sy_arr_add(&caps, s);
                if (!sy_repl_is(r, SY_R_RightBracket) && !sy_repl_take(r, SY_R_Comma, "Expected ',' between list items")) return false;
            }
            if (!sy_repl_take(r, SY_R_RightBracket, "Expected ']' after string list")) return false;
        } else if (sy_repl_takes(r, "sandbox")) {
            if (!colon(r, "Expected ':' after 'sandbox'") || !sy_repl_choice(r, modes, "Expected sandbox mode", &sandbox)) return false;
        } else {
            return sy_repl_fail(r, "Unexpected token in security block");
        }
        sy_repl_trivia(r);
    }
    sy_obj_put(&o, "capabilities", sy_arr_value(&caps));
    sy_obj_put(&o, "sandbox", sandbox);
    sy_obj_put(&o, "tier", tier);
    *out = sy_obj_value(&o);
    return sy_repl_take(r, SY_R_RightBrace, "Expected '}' after security");
}

static bool policies(sy_repl *r, symbi_value *out)
{
    static const char *const actions[] = { "terminate", "restart", "escalate", "ignore", NULL };
    symbi_value timeout = sy_val_null(), retry = timeout, failure = timeout;
    sy_obj o = sy_obj_new(r->a);
    if (!sy_repl_take(r, SY_R_LeftBrace, "Expected '{' after 'policies'")) return false;
    while (!sy_repl_is(r, SY_R_RightBrace) && !sy_repl_at_end(r)) {
        sy_repl_trivia(r);
        if (sy_repl_takes(r, "timeout")) {
            if (!colon(r, "Expected ':' after 'timeout'") || !sy_repl_measure(r, SY_R_Duration, "Expected duration value", &timeout)) return false;
        } else if (sy_repl_takes(r, "retry")) {
            const sy_repl_token *t;
            if (!colon(r, "Expected ':' after 'retry'")) return false;
            t = sy_repl_advance(r);
            if (t->kind != SY_R_Integer) return sy_repl_fail(r, "Expected integer value");
            retry = sy_val_int(t->v.i & 0xffffffff);
        } else if (sy_repl_takes(r, "failure")) {
            if (!colon(r, "Expected ':' after 'failure'") || !sy_repl_choice(r, actions, "Expected failure action", &failure)) return false;
        } else {
            return sy_repl_fail(r, "Unexpected token in policies block");
        }
        sy_repl_trivia(r);
    }
    sy_obj_put(&o, "execution_timeout", timeout);
    sy_obj_put(&o, "failure_action", failure);
    sy_obj_put(&o, "retry_count", retry);
    *out = sy_obj_value(&o);
    return sy_repl_take(r, SY_R_RightBrace, "Expected '}' after policies");
}

static bool agent(sy_repl *r, symbi_value *out)
{
    static const char *const fields[] = { "name", "version", "author", "description" };
    static const char *const colons[] = { "Expected ':' after 'name'", "Expected ':' after 'version'", "Expected ':' after 'author'", "Expected ':' after 'description'" };
    symbi_value meta[4], part[3], n;
    sy_obj o = sy_obj_new(r->a), m = sy_obj_new(r->a);
    for (int i = 0; i < 4; i++) meta[i] = sy_val_null();
    for (int i = 0; i < 3; i++) part[i] = sy_val_null();
    if (!sy_repl_name(r, "Expected agent name", &n) || !sy_repl_take(r, SY_R_LeftBrace, "Expected '{' after agent name")) return false;
    while (!sy_repl_is(r, SY_R_RightBrace) && !sy_repl_at_end(r)) {
        int f = 0;
        sy_repl_trivia(r);
        if (sy_repl_is(r, SY_R_RightBrace)) break;
        while (f < 4 && !sy_repl_word(sy_repl_peek(r), fields[f])) f++;
        if (f < 4) {
            sy_repl_advance(r);
            if (!colon(r, colons[f]) || !sy_repl_string(r, &meta[f])) return false;
        } else if (sy_repl_takes(r, "resources")) {
            if (!resources(r, &part[0])) return false;
        } else if (sy_repl_takes(r, "security")) {
            if (!security(r, &part[1])) return false;
        } else if (sy_repl_takes(r, "policies")) {
            if (!policies(r, &part[2])) return false;
        } else {
            return sy_repl_fail_token(r, "Unexpected token in agent definition:", sy_repl_peek(r), false);
        }
        sy_repl_trivia(r);
    }
    if (!sy_repl_take(r, SY_R_RightBrace, "Expected '}' after agent definition")) return false;
    for (int i = 0; i < 4; i++) sy_obj_put(&m, fields[i], meta[i]);
    sy_obj_put(&o, "metadata", sy_obj_value(&m));
    sy_obj_put(&o, "name", n);
    sy_obj_put(&o, "policies", part[2]);
    sy_obj_put(&o, "resources", part[0]);
    sy_obj_put(&o, "security", part[1]);
    *out = sy_repl_one(r, "Agent", sy_obj_value(&o));
    return true;
}

static bool parameter_block(sy_repl *r, symbi_value *out)
{
    return sy_repl_take(r, SY_R_LeftBrace, "Expected '{' after parameter block") && sy_repl_parameters(r, out) && sy_repl_take(r, SY_R_RightBrace, "Expected '}' after parameter block");
}

static bool behavior(sy_repl *r, symbi_value *out)
{
    symbi_value n, input = sy_val_null(), output = input, steps = input;
    sy_obj o = sy_obj_new(r->a);
    bool has = false;
    if (!sy_repl_name(r, "Expected behavior name", &n) || !sy_repl_take(r, SY_R_LeftBrace, "Expected '{' after behavior name")) return false;
    while (!sy_repl_is(r, SY_R_RightBrace) && !sy_repl_at_end(r)) {
        sy_repl_trivia(r);
        if (sy_repl_takes(r, "input")) {
            if (!parameter_block(r, &input)) return false;
        } else if (sy_repl_takes(r, "output")) {
            if (!parameter_block(r, &output)) return false;
        } else if (sy_repl_takes(r, "steps")) {
            if (!block(r, &steps)) return false;
            has = true;
        } else {
            return sy_repl_fail_token(r, "Unexpected token in behavior definition:", sy_repl_peek(r), false);
        }
        sy_repl_trivia(r);
    }
    if (!sy_repl_take(r, SY_R_RightBrace, "Expected '}' after behavior definition")) return false;
    if (!has) return sy_repl_fail(r, "Behavior must have steps block");
    sy_obj_put(&o, "input", input);
    sy_obj_put(&o, "name", n);
    sy_obj_put(&o, "output", output);
    sy_obj_put(&o, "steps", steps);
    *out = sy_repl_one(r, "Behavior", sy_obj_value(&o));
    return true;
}

static bool function(sy_repl *r, symbi_value *out)
{
    symbi_value n, params, ret = sy_val_null(), body;
    sy_obj o = sy_obj_new(r->a);
    if (!sy_repl_name(r, "Expected function name", &n) || !sy_repl_take(r, SY_R_LeftParen, "Expected '(' after function name") || !sy_repl_parameters(r, &params) ||
        !sy_repl_take(r, SY_R_RightParen, "Expected ')' after parameters") || (sy_repl_match(r, SY_R_Arrow) && !sy_repl_type(r, &ret)) || !block(r, &body))
        return false;
    sy_obj_put(&o, "body", body);
    sy_obj_put(&o, "name", n);
    sy_obj_put(&o, "parameters", params);
    sy_obj_put(&o, "return_type", ret);
    *out = sy_repl_one(r, "Function", sy_obj_value(&o));
    return true;
}

static bool structure(sy_repl *r, symbi_value *out)
{
    symbi_value n;
    sy_arr fields = sy_arr_new(r->a);
    sy_obj o = sy_obj_new(r->a);
    if (!sy_repl_name(r, "Expected struct name", &n) || !sy_repl_take(r, SY_R_LeftBrace, "Expected '{' after struct name")) return false;
    while (!sy_repl_is(r, SY_R_RightBrace) && !sy_repl_at_end(r)) {
        sy_obj f = sy_obj_new(r->a);
        symbi_value fn, ft;
        sy_repl_trivia(r);
        if (sy_repl_is(r, SY_R_RightBrace)) break;
        if (!sy_repl_name(r, "Expected field name", &fn) || !sy_repl_take(r, SY_R_Colon, "Expected ':' after field name") || !sy_repl_type(r, &ft)) return false;
        sy_obj_put(&f, "field_type", ft);
        sy_obj_put(&f, "name", fn);
        sy_arr_add(&fields, sy_obj_value(&f));
        sy_repl_trivia(r);
    }
    sy_obj_put(&o, "fields", sy_arr_value(&fields));
    sy_obj_put(&o, "name", n);
    *out = sy_repl_one(r, "Struct", sy_obj_value(&o));
    return sy_repl_take(r, SY_R_RightBrace, "Expected '}' after struct fields");
}

static bool declaration(sy_repl *r, symbi_value *out)
{
    r->depth = 0;
    if (sy_repl_takes(r, "agent")) return agent(r, out);
    if (sy_repl_takes(r, "behavior")) return behavior(r, out);
    if (sy_repl_takes(r, "function")) return function(r, out);
    if (sy_repl_takes(r, "struct")) return structure(r, out);
    return sy_repl_fail_token(r, "Expected declaration, found", sy_repl_peek(r), true);
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
    if (!r.st) sy_repl_trivia(&r);
    while (!r.st && !sy_repl_at_end(&r)) {
        symbi_value v;
        if (!declaration(&r, &v)) break;
        sy_arr_add(&list, v);
        sy_repl_trivia(&r);
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
