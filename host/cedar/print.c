/* cedar/print.c: policies as Cedar text (spec 13): one line per policy, every compound operand in parentheses. */
#include "cedar/print.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"

enum { PAREN_CHAIN = 100 }; /* longer chains are printed without the parentheses that would nest */

static void expr(sy_buf *b, const symbi_cedar *s, uint32_t i);

static void name_or_string(sy_buf *b, symbi_str k)
{
    if (sy_cident_valid(k)) sy_buf_adds(b, k);
    else sy_cstr_print(b, k);
}

static bool atomic(const symbi_cedar *s, uint32_t i)
{
    const sy_cnode *n = &s->nodes[i];
    switch (n->op) {
    case SY_OP_BOOL: case SY_OP_LONG: case SY_OP_STR: case SY_OP_UID: case SY_OP_VAR: case SY_OP_SLOT: case SY_OP_GET: case SY_OP_SET: case SY_OP_RECORD:
    case SY_OP_CALL: case SY_OP_CONTAINS: case SY_OP_CONTAINSALL: case SY_OP_CONTAINSANY: case SY_OP_GETTAG: case SY_OP_HASTAG: case SY_OP_ISEMPTY:
        return true;
    default: return false;
    }
}

static void operand(sy_buf *b, const symbi_cedar *s, uint32_t i)
{
    bool paren = !atomic(s, i);
    if (paren) sy_buf_addc(b, '(');
    expr(b, s, i);
    if (paren) sy_buf_addc(b, ')');
}

static void pattern(sy_buf *b, symbi_str p)
{
    size_t i = 0;
    sy_buf_addc(b, '"');
    while (i < p.n) {
        size_t k = i;
        if ((unsigned char)p.p[i] == 0xFF || p.p[i] == '*') {
            sy_buf_addz(b, p.p[i] == '*' ? "\\*" : "*");
            i++;
            continue;
        }
        while (k < p.n && (unsigned char)p.p[k] != 0xFF && p.p[k] != '*') k++;
        sy_cstr_escape(b, (symbi_str){ p.p + i, k - i });
        i = k;
    }
    sy_buf_addc(b, '"');
}

static void args(sy_buf *b, const symbi_cedar *s, const uint32_t *l, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        if (k) sy_buf_addz(b, ", ");
        expr(b, s, l[k]);
    }
}

static void chain(sy_buf *b, const symbi_cedar *s, const sy_cnode *n)
{
    const uint32_t *l = s->list + n->a;
    bool nest = n->b <= PAREN_CHAIN;
    for (uint32_t k = 2; nest && k < n->b; k++) sy_buf_addc(b, '(');
    for (uint32_t k = 0; k < n->b; k++) {
        if (k) sy_buf_addz(b, n->op == SY_OP_AND ? " && " : n->op == SY_OP_OR ? " || " : n->op == SY_OP_MUL ? " * " : l[k] & SY_MINUS ? " - " : " + ");
        operand(b, s, l[k] & ~SY_MINUS);
        if (nest && k && k + 1 < n->b) sy_buf_addc(b, ')');
    }
}

static void has(sy_buf *b, const symbi_cedar *s, const sy_cnode *n)
{
    const uint32_t *l = s->list + n->b;
    bool names = true;
    for (uint32_t k = 0; k < n->n && n->n > 1; k++) names = names && sy_cident_valid(s->strs[l[k]]);
    if (names) {
        operand(b, s, n->a);
        sy_buf_addz(b, " has ");
        for (uint32_t k = 0; k < n->n; k++) {
            if (k) sy_buf_addc(b, '.');
            name_or_string(b, s->strs[l[k]]);
        }
        return;
    }
    /* a path with a name that has to be quoted exists only in JSON: written out as what it means */
    for (uint32_t k = 0; k < n->n; k++) {
        if (k) sy_buf_addz(b, " && ");
        sy_buf_addc(b, '(');
        operand(b, s, n->a);
        for (uint32_t j = 0; j < k; j++) {
            sy_buf_addc(b, '[');
            sy_cstr_print(b, s->strs[l[j]]);
            sy_buf_addc(b, ']');
        }
        sy_buf_addz(b, " has ");
        name_or_string(b, s->strs[l[k]]);
        sy_buf_addc(b, ')');
    }
}

static void method(sy_buf *b, const symbi_cedar *s, const char *name, uint32_t self, const uint32_t *l, uint32_t n)
{
    operand(b, s, self);
    sy_buf_addc(b, '.');
    sy_buf_addz(b, name);
    sy_buf_addc(b, '(');
    args(b, s, l, n);
    sy_buf_addc(b, ')');
}

static void expr(sy_buf *b, const symbi_cedar *s, uint32_t i)
{
    static const char *const vars[] = { "principal", "action", "resource", "context" };
    static const char *const ops[] = { [SY_OP_EQ] = " == ", [SY_OP_NE] = " != ", [SY_OP_LT] = " < ", [SY_OP_LE] = " <= ", [SY_OP_GT] = " > ", [SY_OP_GE] = " >= ", [SY_OP_IN] = " in " };
    const sy_cnode *n = &s->nodes[i];
    const uint32_t *l = s->list + n->a;
    if (sy_buf_status(b)) return;
    switch ((sy_cop)n->op) {
    case SY_OP_BOOL: sy_buf_addz(b, n->a ? "true" : "false"); break;
    case SY_OP_LONG:
        if (sy_cnode_long(n) < 0) sy_buf_addc(b, '(');
        sy_buf_addi(b, sy_cnode_long(n));
        if (sy_cnode_long(n) < 0) sy_buf_addc(b, ')');
        break;
    case SY_OP_STR: sy_cstr_print(b, s->strs[n->a]); break;
    case SY_OP_UID: sy_cuid_print(b, &s->uids[n->a]); break;
    case SY_OP_VAR: sy_buf_addz(b, vars[n->sub]); break;
    case SY_OP_SLOT: sy_buf_addz(b, n->sub == SY_VAR_RESOURCE ? "?resource" : "?principal"); break;
    case SY_OP_NOT:
        sy_buf_addc(b, '!');
        operand(b, s, n->a);
        break;
    case SY_OP_NEG:
        sy_buf_addz(b, "-(");
        expr(b, s, n->a);
        sy_buf_addc(b, ')');
        break;
    case SY_OP_AND:
    case SY_OP_OR:
    case SY_OP_ADD:
    case SY_OP_MUL: chain(b, s, n); break;
    case SY_OP_EQ:
    case SY_OP_NE:
    case SY_OP_LT:
    case SY_OP_LE:
    case SY_OP_GT:
    case SY_OP_GE:
    case SY_OP_IN:
        operand(b, s, n->a);
        sy_buf_addz(b, ops[n->op]);
        operand(b, s, n->b);
        break;
    case SY_OP_HAS: has(b, s, n); break;
    case SY_OP_GET:
        operand(b, s, n->a);
        if (sy_cident_valid(s->strs[n->b])) {
            sy_buf_addc(b, '.');
            sy_buf_adds(b, s->strs[n->b]);
        } else {
            sy_buf_addc(b, '[');
            sy_cstr_print(b, s->strs[n->b]);
            sy_buf_addc(b, ']');
        }
        break;
    case SY_OP_LIKE:
        operand(b, s, n->a);
        sy_buf_addz(b, " like ");
        pattern(b, s->strs[n->b]);
        break;
    case SY_OP_IS:
        operand(b, s, n->a);
        sy_buf_addz(b, " is ");
        sy_buf_adds(b, s->strs[n->b]);
        break;
    case SY_OP_ISIN:
        operand(b, s, l[0]);
        sy_buf_addz(b, " is ");
        sy_buf_adds(b, s->strs[n->b]);
        sy_buf_addz(b, " in ");
        operand(b, s, l[1]);
        break;
    case SY_OP_IF:
        sy_buf_addz(b, "if ");
        operand(b, s, l[0]);
        sy_buf_addz(b, " then ");
        operand(b, s, l[1]);
        sy_buf_addz(b, " else ");
        operand(b, s, l[2]);
        break;
    case SY_OP_SET:
        sy_buf_addc(b, '[');
        args(b, s, l, n->b);
        sy_buf_addc(b, ']');
        break;
    case SY_OP_RECORD:
        sy_buf_addc(b, '{');
        for (uint32_t k = 0; k < n->b; k++) {
            if (k) sy_buf_addz(b, ", ");
            if (n->sub) sy_cstr_print(b, s->strs[l[2 * k]]);
            else name_or_string(b, s->strs[l[2 * k]]);
            sy_buf_addz(b, ": ");
            expr(b, s, l[2 * k + 1]);
        }
        sy_buf_addc(b, '}');
        break;
    case SY_OP_CALL:
        if (n->sub != SY_CFN_NONE && !sy_cfn_is_ctor((sy_cfn)n->sub) && n->b) {
            method(b, s, sy_cfn_name((sy_cfn)n->sub), l[0], l + 1, n->b - 1);
            break;
        }
        if (n->sub == SY_CFN_NONE) sy_buf_adds(b, s->strs[l[n->b + 1]]);
        else sy_buf_addz(b, sy_cfn_name((sy_cfn)n->sub));
        sy_buf_addc(b, '(');
        args(b, s, l, n->b);
        sy_buf_addc(b, ')');
        break;
    case SY_OP_CONTAINS: method(b, s, "contains", n->a, &n->b, 1); break;
    case SY_OP_CONTAINSALL: method(b, s, "containsAll", n->a, &n->b, 1); break;
    case SY_OP_CONTAINSANY: method(b, s, "containsAny", n->a, &n->b, 1); break;
    case SY_OP_GETTAG: method(b, s, "getTag", n->a, &n->b, 1); break;
    case SY_OP_HASTAG: method(b, s, "hasTag", n->a, &n->b, 1); break;
    case SY_OP_ISEMPTY: method(b, s, "isEmpty", n->a, NULL, 0); break;
    }
}

static void scope(sy_buf *b, const symbi_cedar *s, const sy_cpolicy *link, const sy_cscope *sc, int var)
{
    static const char *const names[] = { "principal", "action", "resource" };
    uint32_t uid = sc->slot ? link->fill[var == SY_VAR_RESOURCE] : sc->uid;
    sy_buf_addz(b, names[var]);
    if (sc->op == SY_SC_IS || sc->op == SY_SC_ISIN) {
        sy_buf_addz(b, " is ");
        sy_buf_adds(b, s->strs[sc->type]);
    }
    if (sc->op == SY_SC_ANY || sc->op == SY_SC_IS) return;
    sy_buf_addz(b, sc->op == SY_SC_EQ ? " == " : " in ");
    if (sc->op == SY_SC_INLIST) {
        if (sc->n != 1) sy_buf_addc(b, '[');
        for (uint32_t i = 0; i < sc->n; i++) {
            if (i) sy_buf_addz(b, ", ");
            sy_cuid_print(b, &s->uids[s->list[sc->uid + i]]);
        }
        if (sc->n != 1) sy_buf_addc(b, ']');
    } else if (sc->slot && uid == SY_NONE) {
        sy_buf_addz(b, var == SY_VAR_RESOURCE ? "?resource" : "?principal");
    } else {
        sy_cuid_print(b, &s->uids[uid]);
    }
}

void sy_cprint_policy(sy_buf *b, const symbi_cedar *s, uint32_t i)
{
    const sy_cpolicy *link = &s->policies[i], *p = link->role == SYMBI_CEDAR_LINK ? &s->policies[link->tmpl] : link;
    for (uint32_t k = 0; k < p->nann; k++) {
        const sy_cann *a = &s->anns[p->ann + k];
        sy_buf_addc(b, '@');
        sy_buf_adds(b, s->strs[a->key]);
        if (a->val != SY_NONE) {
            sy_buf_addc(b, '(');
            sy_cstr_print(b, s->strs[a->val]);
            sy_buf_addc(b, ')');
        }
        sy_buf_addc(b, '\n');
    }
    sy_buf_addz(b, p->effect == SYMBI_CEDAR_PERMIT ? "permit(" : "forbid(");
    for (int v = 0; v < 3; v++) {
        if (v) sy_buf_addz(b, ", ");
        scope(b, s, link, &p->scope[v], v);
    }
    sy_buf_addc(b, ')');
    for (uint32_t k = 0; k < p->ncond; k++) {
        uint32_t n = s->list[p->cond + k];
        sy_buf_addz(b, n & SY_UNLESS ? " unless { " : " when { ");
        expr(b, s, n & ~SY_UNLESS);
        sy_buf_addz(b, " }");
    }
    sy_buf_addc(b, ';');
}

void sy_cprint_expr(sy_buf *b, const symbi_cedar *s, uint32_t node) { expr(b, s, node); }

symbi_status symbi_cedar_to_text(symbi_ctx *cx, const symbi_cedar *set, size_t i, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    if (i != SIZE_MAX && i >= set->npolicies) return sy_fail(err, SYMBI_ENOTFOUND, "there is no policy %zu", i);
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    for (uint32_t k = 0; k < set->npolicies; k++) {
        if (i != SIZE_MAX && k != i) continue;
        sy_cprint_policy(&b, set, k);
        if (i == SIZE_MAX) sy_buf_addc(&b, '\n');
    }
    return sy_buf_take(&b, out, "the policy text", err);
}
