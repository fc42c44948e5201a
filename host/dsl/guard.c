/* dsl/guard.c: the guard of a rule as a Cedar expression. Only what has a Cedar form is taken; everything else is refused by name. Missing
 * members are errors of the guard, as in Cedar; the gate denies where a deny or require rule cannot be evaluated. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "dsl/compile.h"

#include <stdio.h>
#include <string.h>

void sy_comp_quote(sy_buf *b, symbi_str s, bool pattern)
{
    sy_buf_addc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\' || (pattern && c == '*')) sy_buf_addc(b, '\\'), sy_buf_addc(b, (char)c);
        else if (c < 32 || c == 127) sy_buf_addf(b, "\\u{%x}", (unsigned)c);
        else sy_buf_addc(b, (char)c);
    }
    sy_buf_addc(b, '"');
}

bool sy_comp_string(sy_comp *c, uint32_t node, sy_buf *out)
{
    symbi_str s = sy_dsl_text(c->d, node);
    for (size_t i = 1; i + 1 < s.n; i++) {
        char e;
        if (s.p[i] != '\\') {
            sy_buf_addc(out, s.p[i]);
            continue;
        }
        e = s.p[++i];
        if (e == 'n') e = '\n';
        else if (e == 't') e = '\t';
        else if (e == 'r') e = '\r';
        else if (e != '"' && e != '\\')
            return sy_comp_refuse(c, node, "string", "\\\" \\\\ \\n \\t \\r", "the escape \\%c has no meaning here", (unsigned char)e < 32 || (unsigned char)e > 126 ? '?' : e);
        sy_buf_addc(out, e);
    }
    return true;
}

static bool quoted(sy_comp *c, sy_buf *b, uint32_t node, bool pattern, const char *before, const char *after)
{
    sy_buf t;
    bool ok;
    sy_buf_init(&t, c->cx->alloc, SYMBI_DSL_MAX_BYTES);
    ok = sy_comp_string(c, node, &t);
    if (ok && t.status) b->status = t.status;
    if (ok && !t.status) {
        if (pattern) { /* the stars of the pattern stand inside the quotes */
            size_t at = b->n;
            sy_comp_quote(b, sy_buf_str(&t), true);
            if (!b->status && *after == '*') b->p[b->n - 1] = '*', sy_buf_addc(b, '"');
            if (!b->status && *before == '*' && sy_buf_reserve(b, 1)) {
                memmove(b->p + at + 2, b->p + at + 1, b->n - at - 1);
                b->p[at + 1] = '*';
                sy_buf_commit(b, 1);
            }
        } else {
            sy_comp_quote(b, sy_buf_str(&t), false);
        }
    }
    sy_buf_free(&t);
    return ok;
}

static bool number(sy_comp *c, sy_buf *b, uint32_t node)
{
    symbi_str s = sy_dsl_text(c->d, node);
    int64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '_') continue;
        if (s.p[i] == '.') return sy_comp_refuse(c, node, "number", "a whole number", "%.*s: policies compare whole numbers only", SY_FMT(s));
        if (__builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_add_overflow(v, (int64_t)(s.p[i] - '0'), &v))
            return sy_comp_refuse(c, node, "number", "at most 9223372036854775807", "%.*s is too large", SY_FMT(s));
    }
    sy_buf_addi(b, v);
    return true;
}

bool sy_comp_literal(sy_comp *c, sy_buf *b, uint32_t node)
{
    uint32_t n = sy_dsl_bare(c->d, node);
    switch (sy_n(c->d, n)->kind) {
    case SY_N_STRING: return quoted(c, b, n, false, "", "");
    case SY_N_NUMBER: return number(c, b, n);
    case SY_N_BOOLEAN: sy_buf_adds(b, sy_dsl_text(c->d, n)); return true;
    case SY_N_DURATION: return sy_comp_refuse(c, n, "duration", "a number of milliseconds", "policies have no durations");
    default: return sy_comp_refuse(c, n, "value", "a string, a whole number, true or false", "'%.*s' is no plain value", SY_FMT(sy_dsl_text(c->d, n)));
    }
}

static void member(sy_buf *b, symbi_str name)
{
    sy_buf_addc(b, '[');
    sy_comp_quote(b, name, false);
    sy_buf_addc(b, ']');
}

static const sy_bind *bound(const sy_comp *c, symbi_str name)
{
    for (size_t i = 0; i < c->nbinds; i++)
        if (sy_str_eq(c->binds[i].name, name)) return &c->binds[i];
    return NULL;
}

static void approval(sy_comp *c, symbi_str name)
{
    if (sy_str_eqz(name, "has_human_approval")) c->approval = true;
}

static bool identifier(sy_comp *c, sy_buf *b, uint32_t node)
{
    symbi_str s = sy_dsl_text(c->d, node);
    const sy_bind *k = bound(c, s);
    if (k && k->target) {
        sy_buf_addz(b, "resource[\"name\"]");
    } else if (k && !k->arg.n) {
        sy_buf_addz(b, "context[\"input\"]");
    } else if (k) {
        sy_buf_addz(b, "context[\"input\"]");
        member(b, k->arg);
    } else if (sy_str_eqz(s, "agent")) {
        sy_buf_addz(b, "principal");
    } else if (sy_str_eqz(s, "context")) {
        sy_buf_addz(b, "context");
    } else if (sy_str_eqz(s, "tool")) {
        sy_buf_addz(b, "resource");
    } else if (sy_str_eqz(s, "human_approval")) {
        c->approval = true;
        sy_buf_addz(b, "context[\"has_human_approval\"]");
    } else { /* input among them; else a fact of the trusted context */
        approval(c, s);
        sy_buf_addz(b, "context");
        member(b, s);
    }
    return true;
}

static bool expr(sy_comp *c, sy_buf *b, uint32_t node);

static bool member_expression(sy_comp *c, sy_buf *b, uint32_t node)
{
    uint32_t left = sy_n(c->d, node)->first, bare = sy_dsl_bare(c->d, left);
    symbi_str name = sy_dsl_text(c->d, sy_n(c->d, node)->last);
    const sy_bind *k = sy_n(c->d, bare)->kind == SY_N_IDENT ? bound(c, sy_dsl_text(c->d, bare)) : NULL;
    if (k && k->target) {
        if (!sy_str_eqz(name, "name") && !sy_str_eqz(name, "id"))
            return sy_comp_refuse(c, node, "member", "the name alone", "of the agent that is addressed only its name is known, not '%.*s'", SY_FMT(name));
        sy_buf_addz(b, "resource[\"name\"]");
        return true;
    }
    if (sy_str_eqz(name, "length") || sy_str_eqz(name, "size"))
        return sy_comp_refuse(c, node, "member", "a pattern or max_length on the tool's argument", "a policy cannot measure '%.*s'", SY_FMT(sy_dsl_text(c->d, left)));
    approval(c, name);
    if (!expr(c, b, left)) return false;
    member(b, name);
    return true;
}

/* A list for sure, text for sure, or unknown: what `contains` would mean. */
enum { UNKNOWN, LIST, TEXT };
static int shape(const sy_comp *c, uint32_t node)
{
    uint32_t n = sy_dsl_bare(c->d, node), left;
    const sy_bind *k;
    symbi_str s;
    if (sy_n(c->d, n)->kind == SY_N_ARRAY) return LIST;
    if (sy_n(c->d, n)->kind == SY_N_STRING) return TEXT;
    if (sy_n(c->d, n)->kind == SY_N_IDENT) {
        k = bound(c, sy_dsl_text(c->d, n));
        return k && (k->arg.n || k->target) ? TEXT : UNKNOWN;
    }
    if (sy_n(c->d, n)->kind != SY_N_MEMBER) return UNKNOWN;
    left = sy_dsl_bare(c->d, sy_n(c->d, n)->first);
    if (sy_n(c->d, left)->kind != SY_N_IDENT) return UNKNOWN;
    s = sy_dsl_text(c->d, left);
    k = bound(c, s);
    if (k) return k->arg.n ? UNKNOWN : TEXT;
    if (sy_str_eqz(s, "input") || sy_str_eqz(s, "tool")) return TEXT;
    s = sy_dsl_text(c->d, sy_n(c->d, n)->last);
    if (sy_str_eqz(sy_dsl_text(c->d, left), "agent")) return sy_str_eqz(s, "capabilities") || sy_str_eqz(s, "tags") ? LIST : TEXT;
    return UNKNOWN;
}

static bool like(sy_comp *c, sy_buf *b, uint32_t on, uint32_t lit, const char *before, const char *after)
{
    uint32_t n = sy_dsl_bare(c->d, lit);
    if (sy_n(c->d, n)->kind != SY_N_STRING)
        return sy_comp_refuse(c, lit, "function", "a string in quotes", "'%.*s': the text to look for must be written out", SY_FMT(sy_dsl_text(c->d, lit)));
    sy_buf_addc(b, '(');
    if (!expr(c, b, on)) return false;
    sy_buf_addz(b, " like ");
    if (!quoted(c, b, n, true, before, after)) return false;
    sy_buf_addc(b, ')');
    return true;
}

static bool contains(sy_comp *c, sy_buf *b, uint32_t node, uint32_t on, uint32_t what)
{
    int s = shape(c, on);
    if (s == TEXT) return like(c, b, on, what, "*", "*");
    if (s == UNKNOWN)
        return sy_comp_refuse(c, node, "function", "VALUE in LIST for a list, starts_with or ends_with for text", "whether '%.*s' is a list or a text is not known here", SY_FMT(sy_dsl_text(c->d, on)));
    if (!expr(c, b, on)) return false;
    sy_buf_addz(b, ".contains(");
    if (!expr(c, b, what)) return false;
    sy_buf_addc(b, ')');
    return true;
}

/* f(x, y) and x.f(y) alike. */
static bool call(sy_comp *c, sy_buf *b, uint32_t node)
{
    uint32_t callee = sy_n(c->d, node)->first, bare = sy_dsl_bare(c->d, callee), on, arg;
    symbi_str name;
    if (sy_n(c->d, bare)->kind == SY_N_MEMBER) {
        name = sy_dsl_text(c->d, sy_n(c->d, bare)->last);
        on = sy_n(c->d, bare)->first;
        arg = sy_n(c->d, callee)->next;
    } else {
        name = sy_dsl_text(c->d, bare);
        on = sy_n(c->d, callee)->next;
        arg = on ? sy_n(c->d, on)->next : 0;
    }
    if (on && arg && !sy_n(c->d, arg)->next && sy_n(c->d, arg)->kind == SY_N_EXPR && sy_n(c->d, on)->kind != SY_N_NAMED_ARG) {
        if (sy_str_eqz(name, "starts_with")) return like(c, b, on, arg, "", "*");
        if (sy_str_eqz(name, "ends_with")) return like(c, b, on, arg, "*", "");
        if (sy_str_eqz(name, "contains")) return contains(c, b, node, on, arg);
    }
    if (sy_str_eqz(name, "matches"))
        return sy_comp_refuse(c, node, "function", "starts_with, ends_with, contains, or a pattern on the tool's argument", "a policy cannot match regular expressions");
    if (sy_str_eqz(name, "size") || sy_str_eqz(name, "lower") || sy_str_eqz(name, "upper"))
        return sy_comp_refuse(c, node, "function", "a pattern or max_length on the tool's argument", "'%.*s' has no form that a policy can evaluate", SY_FMT(name));
    return sy_comp_refuse(c, node, "function", "starts_with(text, \"...\"), ends_with(text, \"...\"), contains(list, value)", "there is no function '%.*s' with these arguments", SY_FMT(name));
}

static bool list(sy_comp *c, sy_buf *b, uint32_t node)
{
    sy_buf_addc(b, '[');
    for (uint32_t e = sy_n(c->d, node)->first; e; e = sy_n(c->d, e)->next) {
        if (e != sy_n(c->d, node)->first) sy_buf_addz(b, ", ");
        if (!expr(c, b, e)) return false;
    }
    sy_buf_addc(b, ']');
    return true;
}

static const char *operator_text(uint8_t op)
{
    switch (op) {
    case SY_T_OR: return "||";
    case SY_T_AND: return "&&";
    case SY_T_EQ: return "==";
    case SY_T_NE: return "!=";
    case SY_T_LE: return "<=";
    case SY_T_GE: return ">=";
    case '<': return "<";
    case '>': return ">";
    case '+': return "+";
    case '-': return "-";
    case '*': return "*";
    default: return NULL;
    }
}

/* Operands first..last of a flat chain, as the left-associative tree that it is. */
static bool chain(sy_comp *c, sy_buf *b, uint32_t node)
{
    size_t start = b->n;
    uint32_t k = sy_n(c->d, node)->first;
    if (!expr(c, b, k)) return false;
    for (k = sy_n(c->d, k)->next; k; k = sy_n(c->d, k)->next) {
        uint8_t op = sy_n(c->d, k)->link;
        const char *z = operator_text(op);
        bool text = sy_n(c->d, sy_dsl_bare(c->d, k))->kind == SY_N_STRING;
        if (op != SY_T_IN && !z) return sy_comp_refuse(c, k, "operator", "+, - or *", "policies have no %c", op);
        if ((op == '+' || op == '-' || op == '*') && text) return sy_comp_refuse(c, k, "operator", "starts_with, ends_with, contains", "policies cannot join texts");
        if (op == SY_T_IN) { /* (a) in b is b.contains(a) */
            symbi_str left;
            sy_buf t;
            bool ok;
            if (b->status) return true; /* told once at the end */
            left = (symbi_str){ b->p + start, b->n - start };
            sy_buf_init(&t, c->cx->alloc, SYMBI_DSL_MAX_CEDAR);
            ok = expr(c, &t, k);
            sy_buf_addz(&t, ".contains(");
            sy_buf_adds(&t, left);
            sy_buf_addc(&t, ')');
            if (ok) {
                if (t.status) b->status = t.status;
                b->n = start;
                sy_buf_adds(b, sy_buf_str(&t));
            }
            sy_buf_free(&t);
            if (!ok) return false;
            continue;
        }
        if (op != SY_T_AND && op != SY_T_OR && sy_n(c->d, k)->next && b->status == SYMBI_OK && sy_buf_reserve(b, 1)) { /* only && and || chain in Cedar */
            memmove(b->p + start + 1, b->p + start, b->n - start);
            b->p[start] = '(';
            sy_buf_commit(b, 1);
        }
        sy_buf_addf(b, " %s ", z);
        if (!expr(c, b, k)) return false;
        if (op != SY_T_AND && op != SY_T_OR && sy_n(c->d, k)->next) sy_buf_addc(b, ')');
    }
    return true;
}

static bool conditional(sy_comp *c, sy_buf *b, uint32_t node)
{
    uint32_t part[3] = { sy_n(c->d, node)->first, 0, 0 };
    static const char *const words[] = { "(if ", " then ", " else " };
    part[1] = sy_n(c->d, part[0])->next;
    part[2] = sy_n(c->d, part[1])->next;
    for (int i = 0; i < 3; i++) {
        uint32_t n = part[i];
        sy_buf_addz(b, words[i]);
        if (sy_n(c->d, n)->kind == SY_N_BLOCK) {
            n = sy_n(c->d, n)->first;
            if (!n || sy_n(c->d, n)->kind != SY_N_EXPR || sy_n(c->d, n)->next) return sy_comp_refuse(c, part[i], "block", "{ VALUE }", "in a guard a block is one expression");
        }
        if (!expr(c, b, n)) return false;
    }
    sy_buf_addc(b, ')');
    return true;
}

static bool expr(sy_comp *c, sy_buf *b, uint32_t node)
{
    const sy_node *n = sy_n(c->d, node);
    uint32_t key;
    bool ok;
    switch (n->kind) {
    case SY_N_EXPR:
    case SY_N_VALUE: return expr(c, b, n->first);
    case SY_N_PAREN:
    case SY_N_BINARY:
        sy_buf_addc(b, '(');
        ok = n->kind == SY_N_PAREN ? expr(c, b, n->first) : chain(c, b, node);
        sy_buf_addc(b, ')');
        return ok;
    case SY_N_UNARY:
        sy_buf_addc(b, '(');
        sy_buf_addc(b, (char)n->op);
        ok = expr(c, b, n->first);
        sy_buf_addc(b, ')');
        return ok;
    case SY_N_IDENT: return identifier(c, b, node);
    case SY_N_STRING:
    case SY_N_NUMBER:
    case SY_N_DURATION:
    case SY_N_BOOLEAN: return sy_comp_literal(c, b, node);
    case SY_N_MEMBER: return member_expression(c, b, node);
    case SY_N_CALL: return call(c, b, node);
    case SY_N_ARRAY: return list(c, b, node);
    case SY_N_IF_EXPR: return conditional(c, b, node);
    case SY_N_INDEX:
        key = sy_dsl_bare(c->d, n->last);
        if (sy_n(c->d, key)->kind != SY_N_STRING) return sy_comp_refuse(c, node, "index", "value[\"name\"]", "policies have no positions in lists");
        if (!expr(c, b, n->first)) return false;
        sy_buf_addc(b, '[');
        ok = quoted(c, b, key, false, "", "");
        sy_buf_addc(b, ']');
        return ok;
    case SY_N_LAMBDA: return sy_comp_refuse(c, node, "lambda", "VALUE in LIST", "a policy has no functions of its own");
    case SY_N_VAULT: return sy_comp_refuse(c, node, "vault address", "a fact of the context", "a policy cannot read secrets");
    case SY_N_RECORD:
    case SY_N_TYPE_LITERAL: return sy_comp_refuse(c, node, "record", "one comparison for each field", "a guard cannot compare records");
    default: return sy_comp_refuse(c, node, "expression", "comparisons, && || !, in, starts_with, ends_with, contains", "this has no form that a policy can evaluate");
    }
}

bool sy_comp_guard(sy_comp *c, sy_buf *b, uint32_t e) { return expr(c, b, e); }
