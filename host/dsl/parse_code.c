/* dsl/parse_code.c: blocks and statements. They are read, kept and formatted; nothing runs them. */
#include "base/str.h"
#include "dsl/dsl.h"

#include <stdio.h>

static uint32_t statement(sy_parser *p, bool *value);

/* Whether an if and all its else-ifs have their else: then it is an expression as well as a statement. */
static bool has_value(const sy_parser *p, uint32_t k)
{
    for (;;) {
        const sy_node *n = &p->d->nodes[k];
        if (n->op == 'l' || !p->d->nodes[p->d->nodes[n->first].next].next) return false;
        if (p->d->nodes[n->last].kind != SY_N_IF) return true;
        k = n->last;
    }
}

static void make_value(sy_parser *p, uint32_t k)
{
    for (; p->d->nodes[k].kind == SY_N_IF; k = p->d->nodes[k].last) p->d->nodes[k].kind = SY_N_IF_EXPR;
}

/* An if with an else at the end of a block is both its last statement and its value. Which of the two the reference's parser settles on is
 * an accident of how it merges its readings; what was found out: the value, where something stands before it in the block, unless the
 * block is followed by the end of the file or by what goes on with the construct that it is part of. Nothing depends on it but the tree. */
static void settle_last(sy_parser *p, uint32_t block, uint32_t open, char part_of)
{
    symbi_dsl *d = p->d;
    uint32_t last = d->nodes[block].last, end = p->last_end;
    bool before, comment = d->ncomments && d->comments[d->ncomments - 1].start >= end;
    if (!last || d->nodes[last].kind != SY_N_STATEMENT || d->nodes[d->nodes[last].first].kind != SY_N_IF || !has_value(p, d->nodes[last].first)) return;
    before = d->nodes[block].first != last || sy_dsl_has_comment(d, open, d->nodes[last].start);
    if (!before || sy_dsl_has_comment(d, d->nodes[last].end, end)) return;
    if (!comment && (p->cur.kind == SY_T_EOF || (part_of == 'i' && sy_dsl_is(p, "else")) || (part_of == 't' && sy_dsl_is(p, "catch")) || (part_of == 'a' && p->cur.kind == ','))) return;
    make_value(p, d->nodes[last].first);
    d->nodes[last].kind = SY_N_EXPR;
}

uint32_t sy_dsl_block(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_BLOCK, p->cur.start), open = p->cur.start;
    bool value = false; /* the expression that ends the block was read */
    unsigned depth = p->depth;
    char part_of = p->block_of;
    p->block_of = 0;
    if (!n || !sy_dsl_take(p, '{', "'{'") || !sy_dsl_enter(p)) return 0;
    while (p->cur.kind != '}' && p->cur.kind != SY_T_EOF && !value) {
        uint32_t s = statement(p, &value);
        if (s) {
            if (!sy_dsl_add(p, n, s)) return 0;
            continue;
        }
        if (p->status || p->to_top) return 0;
        value = false;
        p->depth = depth + 1;
        while (p->cur.kind != ';' && p->cur.kind != '}' && p->cur.kind != SY_T_EOF && !p->to_top) {
            static const char *const words[] = { "let", "return", "if", "for", "match", "try", NULL };
            uint32_t at = p->cur.start;
            bool word = false;
            if (p->cur.kind == '{' || p->cur.kind == '(' || p->cur.kind == '[') {
                sy_dsl_skip(p, words, false);
            } else {
                sy_dsl_skip(p, words, true);
            }
            for (size_t i = 0; words[i]; i++) word = word || sy_dsl_is(p, words[i]);
            if (word || p->cur.start == at || p->cur.kind == SY_T_IDENT) break;
        }
        if (p->status || p->to_top) return 0;
        if (p->cur.kind == ';') sy_dsl_advance(p);
    }
    p->depth--;
    if (p->cur.kind != '}') {
        char hint[96];
        uint32_t line, col;
        if (p->cur.kind != SY_T_EOF) return sy_dsl_expected(p, value ? "';'" : "a statement or '}'");
        sy_dsl_place(p->d, open, &line, &col);
        snprintf(hint, sizeof hint, "the '{' of line %u is not closed", line);
        return (uint32_t)sy_dsl_error_here(p, p->cur, "a statement or '}'", hint);
    }
    sy_dsl_advance(p);
    sy_dsl_close(p, n);
    settle_last(p, n, open, part_of);
    return n;
}

/* The same as a part of something that may go on after it. */
static uint32_t block_of(sy_parser *p, char what)
{
    p->block_of = what;
    return sy_dsl_block(p);
}

static uint32_t begin(sy_parser *p, sy_dsl_kind k)
{
    uint32_t n = sy_dsl_node(p, k, p->cur.start);
    if (n) sy_dsl_advance(p);
    return n;
}

static bool semicolon(sy_parser *p, uint32_t n)
{
    if (!sy_dsl_take(p, ';', "';'")) return false;
    sy_dsl_close(p, n);
    return true;
}

static bool wild(const sy_parser *p) { return sy_dsl_is(p, "_"); }

static uint32_t pattern(sy_parser *p)
{
    uint32_t n;
    if (wild(p)) return sy_dsl_leaf(p, SY_N_WILD);
    n = sy_dsl_node(p, SY_N_PATTERN, p->cur.start);
    if (!n || !sy_dsl_word(p, n, "a pattern")) return 0;
    if (p->cur.kind != '(') return n;
    p->d->nodes[n].op = '(';
    sy_dsl_advance(p);
    if (!sy_dsl_enter(p)) return 0;
    while (p->cur.kind != ')') {
        if (!sy_dsl_add(p, n, pattern(p))) return 0;
        if (p->cur.kind == ',') sy_dsl_advance(p);
    }
    p->depth--;
    sy_dsl_advance(p);
    sy_dsl_close(p, n);
    return n;
}

static uint32_t if_statement(sy_parser *p)
{
    uint32_t n = begin(p, SY_N_IF);
    if (!n || !sy_dsl_enter(p)) return 0;
    if (sy_dsl_is(p, "let")) {
        p->d->nodes[n].op = 'l';
        sy_dsl_advance(p);
        if (!sy_dsl_add(p, n, pattern(p)) || !sy_dsl_take(p, '=', "'='")) return 0;
    }
    if (!sy_dsl_add(p, n, sy_dsl_expr(p, true)) || !sy_dsl_add(p, n, block_of(p, 'i'))) return 0;
    if (sy_dsl_is(p, "else")) {
        sy_dsl_advance(p);
        if (!sy_dsl_add(p, n, sy_dsl_is(p, "if") ? if_statement(p) : sy_dsl_block(p))) return 0;
    }
    p->depth--;
    return n;
}

static uint32_t for_statement(sy_parser *p)
{
    uint32_t n = begin(p, SY_N_FOR);
    if (!n || !sy_dsl_word(p, n, "a name")) return 0;
    if (!sy_dsl_is(p, "in")) return sy_dsl_expected(p, "'in'");
    sy_dsl_advance(p);
    return sy_dsl_add(p, n, sy_dsl_expr(p, true)) && sy_dsl_add(p, n, sy_dsl_block(p)) ? n : 0;
}

/* `{` begins a record here, no block: empty, or a name or string and then ':'. */
static bool record_ahead(sy_parser *p)
{
    sy_token t = sy_dsl_peek(p, p->cur);
    return (t.kind == SY_T_IDENT || t.kind == SY_T_STRING) && sy_dsl_peek(p, t).kind == ':';
}

static uint32_t match_arm(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_ARM, p->cur.start), pat;
    if (!n) return 0;
    if (wild(p)) pat = sy_dsl_leaf(p, SY_N_WILD);
    else if (p->cur.kind == SY_T_STRING) pat = sy_dsl_leaf(p, SY_N_STRING);
    else if (p->cur.kind == SY_T_NUMBER) pat = sy_dsl_leaf(p, SY_N_NUMBER);
    else if (sy_dsl_is(p, "true") || sy_dsl_is(p, "false")) pat = sy_dsl_leaf(p, SY_N_BOOLEAN);
    else if (p->cur.kind == SY_T_IDENT) pat = sy_dsl_leaf(p, SY_N_IDENT);
    else return sy_dsl_expected(p, "a string, a number, true, false, a name, _ or '}'");
    if (!sy_dsl_add(p, n, pat) || !sy_dsl_take(p, SY_T_FAT, "'=>'")) return 0;
    if (!sy_dsl_add(p, n, p->cur.kind == '{' && !record_ahead(p) ? block_of(p, 'a') : sy_dsl_expr(p, false))) return 0;
    if (p->cur.kind == ',') sy_dsl_advance(p);
    sy_dsl_close(p, n);
    return n;
}

static uint32_t match_statement(sy_parser *p)
{
    uint32_t n = begin(p, SY_N_MATCH);
    if (!n || !sy_dsl_add(p, n, sy_dsl_expr(p, true)) || !sy_dsl_take(p, '{', "'{'")) return 0;
    while (p->cur.kind != '}')
        if (!sy_dsl_add(p, n, match_arm(p))) return 0;
    sy_dsl_advance(p);
    sy_dsl_close(p, n);
    return n;
}

static uint32_t try_statement(sy_parser *p)
{
    uint32_t n = begin(p, SY_N_TRY);
    if (!n || !sy_dsl_add(p, n, block_of(p, 't'))) return 0;
    while (sy_dsl_is(p, "catch")) {
        uint32_t c = begin(p, SY_N_CATCH);
        if (!c || !sy_dsl_take(p, '(', "'('") || !sy_dsl_word(p, c, "a name")) return 0;
        if (p->cur.kind == SY_T_IDENT && !sy_dsl_word(p, c, "a name")) return 0;
        if (!sy_dsl_take(p, ')', "')'") || !sy_dsl_add(p, c, sy_dsl_block(p)) || !sy_dsl_add(p, n, c)) return 0;
    }
    return n;
}

static uint32_t let_statement(sy_parser *p)
{
    uint32_t n = begin(p, SY_N_LET);
    if (!n || !sy_dsl_word(p, n, "a name") || !sy_dsl_take(p, '=', "'='") || !sy_dsl_add(p, n, sy_dsl_expr(p, false)) || !semicolon(p, n)) return 0;
    return n;
}

static uint32_t return_statement(sy_parser *p)
{
    uint32_t n = begin(p, SY_N_RETURN);
    if (!n) return 0;
    if (p->cur.kind != ';' && !sy_dsl_add(p, n, sy_dsl_expr(p, false))) return 0;
    return semicolon(p, n) ? n : 0;
}

static bool is_assign(const sy_parser *p) { return p->cur.kind == '=' || (p->cur.kind >= SY_T_ADD_SET && p->cur.kind <= SY_T_MOD_SET); }

/* An expression with ';', an assignment, or (value) the expression that is the block's value. start: a postfix expression that was read
 * already, or 0. */
static uint32_t plain_statement(sy_parser *p, uint32_t start, bool *value)
{
    uint32_t n, e, left = start;
    bool postfix;
    /* what begins with an operator is no target of an assignment */
    postfix = left || !(p->cur.kind == '!' || p->cur.kind == '-' || sy_dsl_is(p, "not"));
    if (!left && postfix && !(left = sy_dsl_postfix(p, false))) return 0;
    if (postfix && is_assign(p)) {
        n = sy_dsl_node(p, SY_N_ASSIGN, p->d->nodes[left].start);
        if (!n || !sy_dsl_add(p, n, left)) return 0;
        p->d->nodes[n].op = p->cur.kind;
        sy_dsl_advance(p);
        return sy_dsl_add(p, n, sy_dsl_expr(p, false)) && semicolon(p, n) ? n : 0;
    }
    e = postfix ? sy_dsl_expr_from(p, left, false) : sy_dsl_expr(p, false);
    if (!e) return 0;
    if (p->cur.kind == '}') {
        *value = true;
        return e;
    }
    n = sy_dsl_node(p, SY_N_EXPR_STMT, p->d->nodes[e].start);
    return n && sy_dsl_add(p, n, e) && semicolon(p, n) ? n : 0;
}

/* `if` begins a statement; it was an expression where something follows that only an expression can go on with. */
static uint32_t if_or_value(sy_parser *p, bool *value)
{
    uint32_t n = if_statement(p);
    const sy_node *i;
    if (!n) return 0;
    i = &p->d->nodes[n];
    if (i->op == 'l' || (p->cur.kind != ';' && p->cur.kind != '.' && !is_assign(p) && !(sy_dsl_goes_on(p) && p->cur.kind != '-'))) return n;
    if (!has_value(p, n)) return n;
    make_value(p, n); /* the same tree under its other name */
    return plain_statement(p, n, value);
}

static uint32_t statement(sy_parser *p, bool *value)
{
    uint32_t n, inner;
    if (sy_dsl_is(p, "let")) inner = let_statement(p);
    else if (sy_dsl_is(p, "if")) inner = if_or_value(p, value);
    else if (sy_dsl_is(p, "for")) inner = for_statement(p);
    else if (sy_dsl_is(p, "match")) inner = match_statement(p);
    else if (sy_dsl_is(p, "try")) inner = try_statement(p);
    else if (sy_dsl_is(p, "return")) inner = return_statement(p);
    else inner = plain_statement(p, 0, value);
    if (!inner || *value) return inner;
    n = sy_dsl_node(p, SY_N_STATEMENT, p->d->nodes[inner].start);
    return n && sy_dsl_add(p, n, inner) ? n : 0;
}
