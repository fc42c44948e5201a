/* cedar/parse_policy.c: policies: annotations, effect, scope, conditions (spec 2, 3), and the seed dialect (gates.md 4). */
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cedar/parse.h"

#include <stdio.h>
#include <string.h>

static const char *const var_names[] = { "principal", "action", "resource" };

static void position(sy_cparse *p, uint32_t pos, uint32_t *line, uint32_t *col)
{
    const char *q;
    while (p->line_at < pos && (q = memchr(p->text.p + p->line_at, '\n', pos - p->line_at))) {
        p->line++;
        p->line_at = p->line_pos = (uint32_t)(q - p->text.p) + 1;
    }
    *line = p->line;
    *col = pos - p->line_pos + 1;
}

static bool annotations(sy_cparse *p, sy_cpolicy *pol, uint32_t *id)
{
    sy_cbuild *b = p->b;
    size_t first = b->nanns;
    *id = SY_NONE;
    while (sy_cparse_take(p, SY_TK_AT)) {
        uint32_t key, val = SY_NONE, pos = p->tok.pos;
        sy_cann a;
        size_t i;
        if (!sy_cparse_is(p, SY_TK_IDENT)) return sy_cparse_unexpected(p, "the name of an annotation");
        key = sy_cbuild_str(b, sy_ctok_text(p->text, p->tok), true);
        sy_cparse_next(p);
        if (sy_cparse_take(p, SY_TK_LPAREN)) {
            if (!sy_cparse_is(p, SY_TK_STRING)) return sy_cparse_unexpected(p, "a string in double quotes");
            if (!sy_cparse_string(p, false, &val) || !sy_cparse_need(p, SY_TK_RPAREN, "`)` after the annotation's value")) return false;
        }
        if (b->failed_mem) return sy_cparse_mem(p);
        for (i = first; i < b->nanns; i++)
            if (b->anns[i].key == key) return sy_cparse_fail(p, pos, "duplicate annotation: @%.*s", SY_FMT(b->strs[key]));
        if (b->nanns - first >= 1000) return sy_cparse_fail(p, pos, "a policy can have at most 1000 annotations");
        if (sy_str_eqz(b->strs[key], "id")) *id = val;
        sy_cbuild_ann(b, key, val);
        if (b->failed_mem) return sy_cparse_mem(p);
        a = b->anns[b->nanns - 1];
        for (i = b->nanns - 1; i > first && sy_str_cmp(b->strs[b->anns[i - 1].key], b->strs[key]) > 0; i--) b->anns[i] = b->anns[i - 1];
        b->anns[i] = a;
    }
    pol->ann = (uint32_t)first;
    pol->nann = (uint32_t)(b->nanns - first);
    return true;
}

static void warn_rewrite(sy_cparse *p, int var, const char *op, uint32_t id, uint32_t pos)
{
    static const char *const types[] = { "Agent", "Action", "Resource" };
    uint32_t line, col;
    sy_buf w;
    sy_cuid u = { symbi_str_z(types[var]), p->b->strs[id] };
    sy_cpos(p->text, pos, &line, &col);
    sy_buf_init(&w, p->b->cx->alloc, 1u << 20);
    if (p->name.n) sy_buf_adds(&w, p->name), sy_buf_addc(&w, ':');
    sy_buf_addf(&w, "%u:%u: legacy scope literal rewritten: this now reads `%s %s ", line, col, var_names[var], op);
    sy_cuid_print(&w, &u);
    sy_buf_addz(&w, "`; write that instead");
    if (sy_buf_status(&w) == SYMBI_ENOMEM) p->b->failed_mem = true;
    else if (!sy_buf_status(&w)) sy_cbuild_warn(p->b, sy_buf_str(&w));
    sy_buf_free(&w);
}

/* A string literal where the scope needs an entity: the seed's dialect. */
static bool legacy(sy_cparse *p, int var, const char *op, uint32_t *uid)
{
    static const char *const types[] = { "Agent", "Action", "Resource" };
    uint32_t id, pos = p->tok.pos;
    symbi_str t = sy_ctok_text(p->text, p->tok);
    if (!(p->b->flags & SYMBI_CEDAR_LEGACY_SCOPE) || (var != SY_VAR_ACTION && !strcmp(op, "in")))
        return sy_cparse_fail(p, pos, "expected an entity uid, found the string %.*s; write `%s %s %s::%.*s`", t.n > 60 ? 60 : (int)t.n, t.p, var_names[var],
                              var == SY_VAR_ACTION ? "in" : op, types[var], t.n > 60 ? 60 : (int)t.n, t.p);
    if (!sy_cparse_string(p, false, &id)) return false;
    *uid = sy_cbuild_uid(p->b, sy_cbuild_str(p->b, symbi_str_z(types[var]), false), id);
    if (p->b->failed_mem) return sy_cparse_mem(p);
    warn_rewrite(p, var, var == SY_VAR_ACTION ? "in" : op, id, pos);
    return p->b->failed_mem ? sy_cparse_mem(p) : true;
}

/* An entity literal or, with slot != NULL, the slot of var. Parentheses around it are tolerated. *was_legacy may be NULL. */
static bool scope_entity(sy_cparse *p, int var, const char *op, uint32_t *uid, bool *slot, bool *was_legacy)
{
    unsigned parens = 0, parts;
    uint32_t type, pos;
    bool is_uid;
    if (slot) *slot = false;
    if (was_legacy) *was_legacy = false;
    while (sy_cparse_take(p, SY_TK_LPAREN)) parens++;
    pos = p->tok.pos;
    if (sy_cparse_is(p, SY_TK_SLOT)) {
        symbi_str t = sy_ctok_text(p->text, p->tok);
        if (!slot) return sy_cparse_fail(p, pos, "expected an entity uid, found template slot %.*s; actions cannot have slots", SY_FMT(t));
        if (t.n < 2 || !sy_str_eqz((symbi_str){ t.p + 1, t.n - 1 }, var_names[var]))
            return sy_cparse_fail(p, pos, "expected an entity uid or matching template slot, found %.*s instead of ?%s", SY_FMT(t), var_names[var]);
        *slot = true;
        sy_cparse_next(p);
    } else if (sy_cparse_is(p, SY_TK_STRING)) {
        if (!legacy(p, var, op, uid)) return false;
        if (was_legacy) *was_legacy = true;
    } else if (sy_cparse_is(p, SY_TK_LBRACK)) {
        return sy_cparse_fail(p, pos, "expected single entity uid%s, found set of entity uids", slot ? " or template slot" : "");
    } else if (sy_cparse_is(p, SY_TK_IDENT)) {
        if (!sy_cparse_path(p, &parts, &is_uid)) return false;
        if (!is_uid)
            return sy_cparse_fail(p, pos, "expected an entity uid%s, found the name `%.*s`; an entity is written Type::\"id\"", slot ? " or matching template slot" : "",
                                  SY_FMT(sy_buf_str(&p->buf)));
        if (var == SY_VAR_ACTION && !sy_str_eqz(sy_cname_base(sy_buf_str(&p->buf)), "Action"))
            return sy_cparse_fail(p, pos, "expected an entity uid with type `Action` but got type `%.*s`", SY_FMT(sy_buf_str(&p->buf)));
        if (!sy_cparse_uid(p, &type, uid)) return false;
    } else {
        return sy_cparse_unexpected(p, slot ? "an entity such as Type::\"id\" or a template slot" : "an entity such as Action::\"id\"");
    }
    for (; parens; parens--)
        if (!sy_cparse_need(p, SY_TK_RPAREN, "`)` after the entity")) return false;
    return true;
}

static bool action_list(sy_cparse *p, sy_cscope *sc)
{
    unsigned parens = 0;
    size_t base = p->b->nstack;
    while (sy_cparse_is(p, SY_TK_LPAREN)) {
        const char *why;
        sy_ctok_kind after = sy_clex(p->text, p->tok.end, false, &why).kind;
        if (after != SY_TK_LBRACK && after != SY_TK_LPAREN) break; /* a parenthesised single entity */
        sy_cparse_next(p);
        parens++;
    }
    if (!sy_cparse_is(p, SY_TK_LBRACK)) {
        bool was_legacy;
        sc->op = SY_SC_IN;
        if (!scope_entity(p, SY_VAR_ACTION, "in", &sc->uid, NULL, &was_legacy)) return false;
    } else {
        sy_cparse_next(p);
        sc->op = SY_SC_INLIST;
        while (!sy_cparse_is(p, SY_TK_RBRACK)) {
            uint32_t uid = 0;
            if (!scope_entity(p, SY_VAR_ACTION, "in", &uid, NULL, NULL)) return false;
            sy_cbuild_push(p->b, uid);
            if (!sy_cparse_take(p, SY_TK_COMMA) && !sy_cparse_is(p, SY_TK_RBRACK)) return sy_cparse_unexpected(p, "`,` or `]` in this list of actions");
        }
        sy_cparse_next(p);
        sc->n = (uint32_t)(p->b->nstack - base);
        sc->uid = sy_cbuild_list(p->b, base);
    }
    for (; parens; parens--)
        if (!sy_cparse_need(p, SY_TK_RPAREN, "`)` after the list")) return false;
    return p->b->failed_mem ? sy_cparse_mem(p) : true;
}

static bool scope_one(sy_cparse *p, int var, sy_cscope *sc)
{
    uint32_t pos = p->tok.pos;
    bool eq, was_legacy, uid;
    unsigned parts;
    if (sy_cparse_is(p, SY_TK_RPAREN)) return sy_cparse_fail(p, pos, "this policy is missing the `%s` variable in the scope; it reads (principal, action, resource)", var_names[var]);
    if (!sy_cparse_is(p, SY_TK_IDENT)) return sy_cparse_unexpected(p, "principal, action or resource");
    if (!sy_cparse_word(p, var_names[var])) {
        symbi_str t = sy_ctok_text(p->text, p->tok);
        for (int i = 0; i < 3; i++)
            if (sy_str_eqz(t, var_names[i])) return sy_cparse_fail(p, pos, "found the variable `%s` where the variable `%s` must be used", var_names[i], var_names[var]);
        return sy_cparse_fail(p, pos, "found an invalid variable in the policy scope: %.*s; the scope reads (principal, action, resource)", SY_FMT(t));
    }
    sy_cparse_next(p);
    pos = p->tok.pos;
    if (sy_cparse_is(p, SY_TK_COLON)) return sy_cparse_fail(p, pos, "type constraints using `:` are not supported; write `%s is Type`", var_names[var]);
    if (sy_cparse_is(p, SY_TK_ASSIGN)) return sy_cparse_fail(p, pos, "'=' is not a valid operator in Cedar; to compare, write `==`");
    if (sy_cparse_word(p, "is")) {
        if (var == SY_VAR_ACTION) return sy_cparse_fail(p, pos, "`is` cannot appear in the action scope; move it into `when { action is ... }`");
        sy_cparse_next(p);
        if (!sy_cparse_is(p, SY_TK_IDENT)) return sy_cparse_unexpected(p, "an entity type name after `is`");
        if (!sy_cparse_path(p, &parts, &uid)) return false;
        if (uid) return sy_cparse_unexpected(p, "an entity type name after `is`, not an entity");
        sc->type = sy_cbuild_str(p->b, sy_buf_str(&p->buf), false);
        sc->op = SY_SC_IS;
        if (p->b->failed_mem) return sy_cparse_mem(p);
        if (sy_cparse_is(p, SY_TK_EQ)) return sy_cparse_fail(p, p->tok.pos, "`is` cannot be used together with `==`");
        if (!sy_cparse_word(p, "in")) return true;
        sy_cparse_next(p);
        sc->op = SY_SC_ISIN;
        if (!scope_entity(p, var, "in", &sc->uid, &sc->slot, NULL)) return false;
        if (sy_cparse_word(p, "is")) return sy_cparse_fail(p, p->tok.pos, "`is` can stand only once, before `in`");
        return true;
    }
    eq = sy_cparse_is(p, SY_TK_EQ);
    if (!eq && !sy_cparse_word(p, "in")) {
        symbi_str t = sy_ctok_text(p->text, p->tok);
        switch (p->tok.kind) {
        case SY_TK_NE: case SY_TK_LT: case SY_TK_LE: case SY_TK_GT: case SY_TK_GE:
            return sy_cparse_fail(p, pos, "invalid operator in the policy scope: %.*s; move it into `when { ... }`", SY_FMT(t));
        default: return true;
        }
    }
    sy_cparse_next(p);
    if (!eq && var == SY_VAR_ACTION) {
        if (!action_list(p, sc)) return false;
    } else {
        sc->op = eq ? SY_SC_EQ : SY_SC_IN;
        if (!scope_entity(p, var, eq ? "==" : "in", &sc->uid, var == SY_VAR_ACTION ? NULL : &sc->slot, &was_legacy)) return false;
        if (was_legacy && var == SY_VAR_ACTION) sc->op = SY_SC_IN; /* the real actions are children of the named one */
    }
    if (sy_cparse_word(p, "is")) return sy_cparse_fail(p, p->tok.pos, "when `is` and `in` are used together, `is` must come first: %s is T in e", var_names[var]);
    return true;
}

static bool conditions(sy_cparse *p, sy_cpolicy *pol)
{
    size_t base = p->b->nstack;
    while (sy_cparse_is(p, SY_TK_IDENT)) {
        sy_cexpr e;
        bool unless = sy_cparse_word(p, "unless");
        symbi_str t = sy_ctok_text(p->text, p->tok);
        if (!unless && !sy_cparse_word(p, "when")) {
            if (sy_cparse_word(p, "permit") || sy_cparse_word(p, "forbid"))
                return sy_cparse_fail(p, p->prev_end, "expected `;` at the end of this policy (or `when`, `unless`)");
            return sy_cparse_fail(p, p->tok.pos, "invalid policy condition: %.*s; there are `when` and `unless`", SY_FMT(t));
        }
        p->clause = unless ? "unless" : "when";
        sy_cparse_next(p);
        if (!sy_cparse_need(p, SY_TK_LBRACE, unless ? "`{` after `unless`" : "`{` after `when`")) return false;
        if (sy_cparse_is(p, SY_TK_RBRACE)) return sy_cparse_fail(p, p->tok.pos, "`%s` condition clause cannot be empty", p->clause);
        if (!sy_cparse_expr(p, &e)) return false;
        if (!sy_cparse_need(p, SY_TK_RBRACE, "an operator, or `}` at the end of the condition")) return false;
        sy_cbuild_push(p->b, e.node | (unless ? SY_UNLESS : 0));
        if (p->b->failed_mem) return sy_cparse_mem(p);
    }
    pol->ncond = (uint32_t)(p->b->nstack - base);
    pol->cond = sy_cbuild_list(p->b, base);
    p->clause = NULL;
    return p->b->failed_mem ? sy_cparse_mem(p) : true;
}

static bool policy(sy_cparse *p, uint32_t nth)
{
    sy_cbuild *b = p->b;
    sy_cpolicy pol;
    uint32_t id;
    char num[32];
    memset(&pol, 0, sizeof pol);
    pol.source = (uint32_t)b->nsources - 1;
    pol.pos = p->tok.pos;
    pol.fill[0] = pol.fill[1] = pol.tmpl = SY_NONE;
    position(p, pol.pos, &pol.line, &pol.col);
    if (!annotations(p, &pol, &id)) return false;
    if (sy_cparse_word(p, "permit")) pol.effect = SYMBI_CEDAR_PERMIT;
    else if (sy_cparse_word(p, "forbid")) pol.effect = SYMBI_CEDAR_FORBID;
    else if (sy_cparse_is(p, SY_TK_IDENT)) {
        symbi_str t = sy_ctok_text(p->text, p->tok);
        return sy_cparse_fail(p, p->tok.pos, "invalid policy effect: %.*s; a policy begins with permit or forbid (lower case)", SY_FMT(t));
    } else {
        return sy_cparse_unexpected(p, "permit or forbid");
    }
    sy_cparse_next(p);
    if (!sy_cparse_need(p, SY_TK_LPAREN, "`(` and the scope (principal, action, resource)")) return false;
    for (int v = 0; v < 3; v++) {
        if (!scope_one(p, v, &pol.scope[v])) return false;
        if (pol.scope[v].slot) pol.slots |= (uint8_t)(1u << v);
        if (!sy_cparse_take(p, SY_TK_COMMA) && !sy_cparse_is(p, SY_TK_RPAREN))
            return sy_cparse_unexpected(p, v < 2 ? "`,` and the rest of the scope" : "`)` at the end of the scope (conditions go into `when { ... }`)");
    }
    if (!sy_cparse_is(p, SY_TK_RPAREN)) {
        symbi_str t = sy_ctok_text(p->text, p->tok);
        if (sy_cparse_is(p, SY_TK_IDENT)) return sy_cparse_fail(p, p->tok.pos, "this policy has an extra element in the scope: %.*s", SY_FMT(t));
        return sy_cparse_unexpected(p, "`)` at the end of the scope");
    }
    sy_cparse_next(p);
    if (!conditions(p, &pol)) return false;
    if (!sy_cparse_is(p, SY_TK_SEMI)) {
        if (sy_cparse_is(p, SY_TK_EOF) || sy_cparse_is(p, SY_TK_AT))
            return sy_cparse_fail(p, p->prev_end, "unexpected end of the policy: expected `;` (or `when`, `unless`)");
        return sy_cparse_unexpected(p, "`;` at the end of this policy (or `when`, `unless`)");
    }
    pol.end = p->tok.end;
    sy_cparse_next(p);
    pol.role = pol.slots ? SYMBI_CEDAR_TEMPLATE : SYMBI_CEDAR_STATIC;
    if (p->id) {
        pol.id = sy_cbuild_str(b, *p->id, false);
    } else if (id != SY_NONE && (b->flags & SYMBI_CEDAR_IDS_ANNOTATED)) {
        pol.id = id;
    } else if (!p->name.n || (b->flags & SYMBI_CEDAR_IDS_BY_POSITION)) {
        char *d = num + sizeof num;
        size_t n = b->npolicies - p->number_from;
        do *--d = (char)('0' + n % 10);
        while (n /= 10);
        d -= 6;
        memcpy(d, "policy", 6);
        pol.id = sy_cbuild_str(b, (symbi_str){ d, (size_t)(num + sizeof num - d) }, false);
    } else {
        sy_buf_clear(&p->buf);
        p->buf.max = p->buf.max < p->name.n + 64 ? p->name.n + 64 : p->buf.max;
        sy_buf_adds(&p->buf, p->name);
        sy_buf_addf(&p->buf, "#%u", nth);
        if (sy_buf_status(&p->buf)) return sy_cparse_mem(p);
        pol.id = sy_cbuild_str(b, sy_buf_str(&p->buf), false);
    }
    if (!sy_cbuild_policy(b, &pol)) return sy_cparse_mem(p);
    return true;
}

symbi_status sy_cparse_policies(sy_cparse *p)
{
    size_t bad, most = p->b->cx->limits.policy_count;
    uint32_t nth = 0;
    if (!sy_utf8_valid(p->text, &bad)) {
        sy_cparse_fail(p, (uint32_t)bad, "the text is not valid UTF-8 here");
        return SYMBI_EPARSE;
    }
    sy_cparse_next(p);
    while (!sy_cparse_is(p, SY_TK_EOF)) {
        if (p->b->npolicies >= most) {
            uint32_t line, col;
            sy_cpos(p->text, p->tok.pos, &line, &col);
            sy_fail_at(p->b->err, SYMBI_ELIMIT, line, col, "more than %zu policies in one set", most);
            sy_err_path(p->b->err, p->name);
            return SYMBI_ELIMIT;
        }
        if (!policy(p, nth++)) return p->b->err->code;
    }
    return SYMBI_OK;
}
