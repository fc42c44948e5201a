/* dsl/parse_expr.c: expressions, by precedence. Operands of one level form one flat node, so that long chains are not deep. Where a
 * block may follow (before_block), `name {` begins that block and no literal, unless only a literal fits. */
#include "base/str.h"
#include "dsl/dsl.h"

#include <string.h>

static uint32_t unary(sy_parser *p, bool before_block);

uint32_t sy_dsl_value(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_VALUE, p->cur.start), leaf;
    if (!n) return 0;
    if (p->cur.kind == SY_T_STRING) leaf = sy_dsl_leaf(p, SY_N_STRING);
    else if (p->cur.kind == SY_T_DURATION) leaf = sy_dsl_leaf(p, SY_N_DURATION);
    else if (p->cur.kind == SY_T_NUMBER) leaf = sy_dsl_leaf(p, SY_N_NUMBER);
    else if (sy_dsl_is(p, "true") || sy_dsl_is(p, "false")) leaf = sy_dsl_leaf(p, SY_N_BOOLEAN);
    else if (p->cur.kind == SY_T_IDENT) leaf = sy_dsl_leaf(p, SY_N_IDENT);
    else return sy_dsl_expected(p, "a value (string, number, duration, true, false or a name)");
    return sy_dsl_add(p, n, leaf) ? n : 0;
}

uint32_t sy_dsl_array(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_ARRAY, p->cur.start);
    if (!n || !sy_dsl_take(p, '[', "'['")) return 0;
    while (p->cur.kind != ']') {
        if (!sy_dsl_add(p, n, sy_dsl_expr(p, false))) return 0;
        if (p->cur.kind != ',' && p->cur.kind != ']') return sy_dsl_expected(p, "',' or ']'");
        if (p->cur.kind == ',') sy_dsl_advance(p);
    }
    sy_dsl_advance(p);
    sy_dsl_close(p, n);
    return n;
}

/* The fields of a record or type literal, from its '{'. */
static bool fields(sy_parser *p, uint32_t n)
{
    if (!sy_dsl_take(p, '{', "'{'")) return false;
    while (p->cur.kind != '}') {
        uint32_t f = sy_dsl_node(p, SY_N_RECORD_FIELD, p->cur.start), key;
        if (!f) return false;
        if (p->cur.kind != SY_T_IDENT && p->cur.kind != SY_T_STRING) return sy_dsl_expected(p, "a field's name or '}'");
        key = sy_dsl_leaf(p, p->cur.kind == SY_T_IDENT ? SY_N_IDENT : SY_N_STRING);
        if (!sy_dsl_add(p, f, key) || !sy_dsl_take(p, ':', "':'") || !sy_dsl_add(p, f, sy_dsl_expr(p, false)) || !sy_dsl_add(p, n, f)) return false;
        if (p->cur.kind == ',') sy_dsl_advance(p);
    }
    sy_dsl_advance(p);
    sy_dsl_close(p, n);
    return true;
}

uint32_t sy_dsl_record(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_RECORD, p->cur.start);
    return n && fields(p, n) ? n : 0;
}

/* cur is a name and `{` follows: a literal of that type? */
static bool literal_ahead(sy_parser *p, bool before_block)
{
    sy_token t = sy_dsl_peek(p, p->cur), u;
    if (t.kind != '{') return false;
    t = sy_dsl_peek(p, t);
    if (t.kind == '}') return !before_block || sy_dsl_peek(p, t).kind == '{';
    if (t.kind != SY_T_IDENT && t.kind != SY_T_STRING) return !before_block;
    u = sy_dsl_peek(p, t);
    return u.kind == ':' || !before_block;
}

static uint32_t if_expression(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_IF_EXPR, p->cur.start);
    if (!n || !sy_dsl_enter(p)) return 0;
    sy_dsl_advance(p);
    if (!sy_dsl_add(p, n, sy_dsl_expr(p, true))) return 0;
    p->block_of = 'i';
    if (!sy_dsl_add(p, n, sy_dsl_block(p))) return 0;
    if (!sy_dsl_is(p, "else")) return sy_dsl_expected(p, "'else'");
    sy_dsl_advance(p);
    if (!sy_dsl_add(p, n, sy_dsl_is(p, "if") ? if_expression(p) : sy_dsl_block(p))) return 0;
    p->depth--;
    return n;
}

static uint32_t primary(sy_parser *p, bool before_block)
{
    uint32_t n;
    if (p->cur.kind == '[') return sy_dsl_array(p);
    if (p->cur.kind == '{') return sy_dsl_record(p);
    if (p->cur.kind == '(') {
        n = sy_dsl_node(p, SY_N_PAREN, p->cur.start);
        if (!n) return 0;
        sy_dsl_advance(p);
        if (!sy_dsl_add(p, n, sy_dsl_expr(p, false)) || !sy_dsl_take(p, ')', "')'")) return 0;
        sy_dsl_close(p, n);
        return n;
    }
    if (sy_dsl_is(p, "if")) return if_expression(p);
    if (sy_dsl_vault(p)) return sy_dsl_leaf(p, SY_N_VAULT);
    if (p->cur.kind == SY_T_IDENT && !sy_dsl_is(p, "true") && !sy_dsl_is(p, "false")) {
        if (sy_dsl_peek(p, p->cur).kind == SY_T_FAT) {
            n = sy_dsl_node(p, SY_N_LAMBDA, p->cur.start);
            if (!n || !sy_dsl_word(p, n, "a name")) return 0;
            sy_dsl_advance(p);
            return sy_dsl_add(p, n, sy_dsl_expr(p, before_block)) ? n : 0;
        }
        if (literal_ahead(p, before_block)) {
            n = sy_dsl_node(p, SY_N_TYPE_LITERAL, p->cur.start);
            return n && sy_dsl_word(p, n, "a name") && fields(p, n) ? n : 0;
        }
    }
    if (p->cur.kind != SY_T_IDENT && p->cur.kind != SY_T_STRING && p->cur.kind != SY_T_NUMBER && p->cur.kind != SY_T_DURATION)
        return sy_dsl_expected(p, "an expression");
    return sy_dsl_value(p);
}

static bool arguments(sy_parser *p, uint32_t call)
{
    while (p->cur.kind != ')') {
        uint32_t a;
        /* words that begin an expression are no names here */
        bool name = p->cur.kind == SY_T_IDENT && !sy_dsl_is(p, "if") && !sy_dsl_is(p, "not") && !sy_dsl_is(p, "true") && !sy_dsl_is(p, "false");
        sy_token t = name ? sy_dsl_peek(p, p->cur) : p->cur;
        if (name && (t.kind == '=' || (t.kind == ':' && !(sy_dsl_is(p, "vault") && t.start == p->cur.end && p->n - t.end > 1 && !memcmp(p->s + t.end, "//", 2))))) {
            a = sy_dsl_node(p, SY_N_NAMED_ARG, p->cur.start);
            if (!a || !sy_dsl_word(p, a, "a name")) return false;
            p->d->nodes[a].op = p->cur.kind;
            sy_dsl_advance(p);
            if (!sy_dsl_add(p, a, sy_dsl_expr(p, false))) return false;
        } else {
            a = sy_dsl_expr(p, false);
        }
        if (!sy_dsl_add(p, call, a)) return false;
        if (p->cur.kind != ',' && p->cur.kind != ')') return sy_dsl_expected(p, "',' or ')'");
        if (p->cur.kind == ',') sy_dsl_advance(p);
    }
    sy_dsl_advance(p);
    sy_dsl_close(p, call);
    return true;
}

static uint32_t postfix_from(sy_parser *p, uint32_t left)
{
    while (left) {
        uint32_t n, start = p->d->nodes[left].start;
        bool ok;
        if (p->cur.kind != '.' && p->cur.kind != '(' && p->cur.kind != '[') return left;
        n = sy_dsl_node(p, p->cur.kind == '.' ? SY_N_MEMBER : p->cur.kind == '(' ? SY_N_CALL : SY_N_INDEX, start);
        if (!n || !sy_dsl_add(p, n, left)) return 0;
        sy_dsl_advance(p);
        if (p->d->nodes[n].kind == SY_N_MEMBER) {
            ok = sy_dsl_word(p, n, "a member's name");
        } else if (p->d->nodes[n].kind == SY_N_CALL) {
            ok = arguments(p, n);
        } else {
            ok = sy_dsl_add(p, n, sy_dsl_expr(p, false)) && sy_dsl_take(p, ']', "']'");
            if (ok) sy_dsl_close(p, n);
        }
        if (!ok) return 0;
        left = n;
    }
    return 0;
}

uint32_t sy_dsl_postfix(sy_parser *p, bool before_block)
{
    uint32_t n = primary(p, before_block);
    if (!n || p->d->nodes[n].kind == SY_N_LAMBDA) return n; /* its body took what could follow */
    return postfix_from(p, n);
}

static uint32_t unary(sy_parser *p, bool before_block)
{
    uint32_t n;
    if (p->cur.kind != '!' && p->cur.kind != '-' && !sy_dsl_is(p, "not")) return sy_dsl_postfix(p, before_block);
    n = sy_dsl_node(p, SY_N_UNARY, p->cur.start);
    if (!n || !sy_dsl_enter(p)) return 0;
    p->d->nodes[n].op = p->cur.kind == '-' ? '-' : '!';
    sy_dsl_advance(p);
    if (!sy_dsl_add(p, n, unary(p, before_block))) return 0;
    p->depth--;
    return n;
}

static int level_of(const sy_parser *p)
{
    switch (p->cur.kind) {
    case SY_T_OR: return 1;
    case SY_T_AND: return 2;
    case SY_T_EQ:
    case SY_T_NE: return 3;
    case '<':
    case '>':
    case SY_T_LE:
    case SY_T_GE: return 4;
    case '+':
    case '-': return 5;
    case '*':
    case '/':
    case '%': return 6;
    default: return sy_dsl_is(p, "in") ? 3 : 0;
    }
}

bool sy_dsl_goes_on(const sy_parser *p) { return level_of(p) != 0; }

/* Operators of level `min` and above after `left`. */
static uint32_t binary(sy_parser *p, uint32_t left, int min, bool before_block)
{
    int flat = 0; /* the level of left, where left is a chain made here */
    for (int level; left && (level = level_of(p)) >= min && level; flat = level) {
        uint8_t op = p->cur.kind == SY_T_IDENT ? SY_T_IN : p->cur.kind;
        uint32_t right;
        if (flat != level) {
            uint32_t n = sy_dsl_node(p, SY_N_BINARY, p->d->nodes[left].start);
            if (!n || !sy_dsl_add(p, n, left)) return 0;
            left = n;
        }
        sy_dsl_advance(p);
        right = unary(p, before_block);
        if (right && level_of(p) > level) right = binary(p, right, level + 1, before_block);
        if (!right) return 0;
        p->d->nodes[right].link = op;
        if (!sy_dsl_add(p, left, right)) return 0;
    }
    return left;
}

uint32_t sy_dsl_expr_from(sy_parser *p, uint32_t left, bool before_block)
{
    uint32_t n, body;
    if (!left) return 0;
    n = sy_dsl_node(p, SY_N_EXPR, p->d->nodes[left].start);
    if (!n) return 0;
    if (p->d->nodes[left].kind == SY_N_IF_EXPR) left = postfix_from(p, left);
    body = p->d->nodes[left].kind == SY_N_LAMBDA ? left : binary(p, left, 1, before_block);
    return sy_dsl_add(p, n, body) ? n : 0;
}

uint32_t sy_dsl_expr(sy_parser *p, bool before_block)
{
    uint32_t n, left;
    if (!sy_dsl_enter(p)) return 0;
    n = sy_dsl_node(p, SY_N_EXPR, p->cur.start);
    if (!n) return 0;
    left = unary(p, before_block);
    if (!sy_dsl_add(p, n, left ? binary(p, left, 1, before_block) : 0)) return 0;
    p->depth--;
    return n;
}
