/* gate/lint_expr.c: which conditions can fail on some request of the gate. A walk that knows what the gate puts into a request
 * (request.c), what a `has` to the left has proved, and, where the scope names them, the arguments that tools declare. It says nothing
 * about the type of facts that the host adds: Cedar could not test it. */
#include "base/str.h"
#include "gate/lint_policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void sy_lint_at(const sy_lint_policy *lp, const sy_cnode *n, uint32_t *line, uint32_t *col)
{
    *line = lp->policy->line;
    *col = lp->policy->col;
    if (lp->policy->end && lp->policy->source < lp->set->nsources) sy_cpos(lp->set->sources[lp->policy->source].text, n->pos, line, col);
}

static void report(sy_lint_policy *lp, const sy_cnode *n, const char *severity, const char *fmt, ...) SYMBI_PRINTF(4, 5);
static void report(sy_lint_policy *lp, const sy_cnode *n, const char *severity, const char *fmt, ...)
{
    char msg[600];
    uint32_t line, col;
    va_list ap;
    if (lp->reported >= 8) return; /* enough for one policy */
    lp->reported++;
    sy_lint_at(lp, n, &line, &col);
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    sy_lint_add(lp->l, "can_error", severity, line, col, symbi_str_z(msg));
}

/* A path as a reader writes it. */
static const char *shown(symbi_str path, char *buf, size_t cap)
{
    symbi_str s;
    char raw[200];
    size_t n = path.n < sizeof raw ? path.n : sizeof raw;
    if (!path.p) return "this";
    for (size_t i = 0; i < n; i++) raw[i] = path.p[i] == 1 ? '.' : path.p[i];
    s.p = raw;
    s.n = n;
    sy_clean_line(buf, cap, s);
    return buf;
}

static symbi_str sub_path(sy_lint_policy *lp, symbi_str base, symbi_str attr)
{
    symbi_str s = { NULL, 0 };
    char *p;
    if (!base.p) return s;
    p = sy_arena_alloc(lp->l->a, base.n + 1 + attr.n);
    if (!p) return s;
    memcpy(p, base.p, base.n);
    p[base.n] = 1;
    if (attr.n) memcpy(p + base.n + 1, attr.p, attr.n);
    s.p = p;
    s.n = base.n + 1 + attr.n;
    return s;
}

static void add_fact(sy_lint_policy *lp, symbi_str path)
{
    if (!path.p) return;
    if (lp->nfacts == lp->cap) {
        size_t cap = lp->cap ? lp->cap * 2 : 16;
        symbi_str *f = sy_arena_calloc(lp->l->a, cap, sizeof *f);
        if (!f) return;
        if (lp->nfacts) memcpy(f, lp->facts, lp->nfacts * sizeof *f);
        lp->facts = f;
        lp->cap = cap;
    }
    lp->facts[lp->nfacts++] = path;
}
static bool has_fact(const sy_lint_policy *lp, symbi_str path)
{
    for (size_t i = 0; path.p && i < lp->nfacts; i++)
        if (sy_str_eq(lp->facts[i], path)) return true;
    return false;
}

/* ---- the walk ---- */

static sy_shape look(sy_lint_policy *lp, uint32_t node);
static symbi_str path_of(sy_lint_policy *lp, uint32_t node);
static void assume(sy_lint_policy *lp, uint32_t node, bool truth);

static sy_shape of(unsigned mask)
{
    sy_shape s = { mask, true, { NULL, 0 }, false };
    return s;
}

static const char *mask_name(unsigned m)
{
    switch (m) {
    case T_BOOL: return "a boolean";
    case T_LONG: return "a number";
    case T_STR: return "a string";
    case T_ENT: return "an entity";
    case T_SET: return "a set";
    case T_REC: return "a record";
    case T_DEC: return "a decimal";
    case T_IP: return "an IP address";
    case T_DATE: return "a datetime";
    case T_DUR: return "a duration";
    case T_SET | T_ENT: return "an entity or a set of them";
    case T_REC | T_ENT: return "a record or an entity";
    case T_ORDERED: return "a number or a time";
    default: return "something else";
    }
}

static void want(sy_lint_policy *lp, const sy_cnode *n, sy_shape s, unsigned mask, const char *what)
{
    char b[200], m[480];
    if (s.mask & mask) {
        if (s.known && s.mask & ~mask)
            report(lp, n, "warning", "can fail: %s needs %s, and %s may be something else", what, mask_name(mask), s.path.p ? shown(s.path, b, sizeof b) : "this");
        return;
    }
    snprintf(m, sizeof m, "%s needs %s, and %s is %s", what, mask_name(mask), s.path.p ? shown(s.path, b, sizeof b) : "this", mask_name(s.mask));
    report(lp, n, "error", "always fails: %s%s", m,
           (n->op == SY_OP_LIKE && s.mask == T_ENT) ? "; write `action in Action::\"tool_call\"` for the group, or compare with ==" : "");
}

/* The shape alone: what can fail in it was reported when it was looked at. */
static sy_shape quiet(sy_lint_policy *lp, uint32_t node)
{
    unsigned reported = lp->reported;
    sy_shape s;
    lp->reported = 99;
    s = look(lp, node);
    lp->reported = reported;
    return s;
}

static sy_shape look_get(sy_lint_policy *lp, const sy_cnode *n)
{
    symbi_str attr = lp->set->strs[n->b];
    sy_shape base = look(lp, n->a), out = of(T_ANY);
    char b[240];
    sy_presence p;
    out.known = false;
    want(lp, n, base, T_REC | T_ENT, ".");
    out.path = sub_path(lp, base.path, attr);
    if (!out.path.p) {
        const sy_cnode *r = &lp->set->nodes[n->a];
        out.untrusted = base.untrusted;
        if (r->op == SY_OP_RECORD) {
            for (uint32_t i = 0; i < r->b; i++)
                if (sy_str_eq(lp->set->strs[lp->set->list[r->a + 2 * i]], attr)) return quiet(lp, lp->set->list[r->a + 2 * i + 1]);
            report(lp, n, "error", "always fails: the record has no attribute %.*s", (int)(attr.n > 100 ? 100 : attr.n), attr.p);
        } else if (base.mask & (T_ENT | T_REC)) {
            report(lp, n, "warning", "can fail: %s; test it with `has`", base.mask & T_ENT ? "the entity may not exist, or lack the attribute" : "the record may lack the attribute");
        }
        return out;
    }
    p = sy_lint_lookup(lp, out.path, attr, &out);
    if (has_fact(lp, out.path)) return out;
    if (p == SY_NEVER) report(lp, n, "error", "always fails: %s does not exist in the gate's requests%s", shown(out.path, b, sizeof b), lp->scope.kinds == 1u << SYMBI_ACTION_TOOL_CALL ? "" : " for these actions");
    else if (p == SY_SOMETIMES) {
        char base_text[240];
        report(lp, n, "warning", "can fail: %s may be absent; test it first with `%s has %.*s`", shown(out.path, b, sizeof b), shown(base.path, base_text, sizeof base_text), (int)(attr.n > 100 ? 100 : attr.n), attr.p);
    }
    return out;
}

static sy_shape look_chain(sy_lint_policy *lp, const sy_cnode *n)
{
    size_t before = lp->nfacts;
    for (uint32_t i = 0; i < n->b; i++) {
        uint32_t x = lp->set->list[n->a + i];
        sy_shape s = look(lp, x);
        want(lp, &lp->set->nodes[x], s, T_BOOL, n->op == SY_OP_AND ? "&&" : "||");
        assume(lp, x, n->op == SY_OP_AND);
    }
    lp->nfacts = before;
    return of(T_BOOL);
}

static sy_shape look_if(sy_lint_policy *lp, const sy_cnode *n)
{
    const uint32_t *x = lp->set->list + n->a;
    size_t before = lp->nfacts;
    sy_shape c = look(lp, x[0]), a, b;
    want(lp, &lp->set->nodes[x[0]], c, T_BOOL, "if");
    assume(lp, x[0], true);
    a = look(lp, x[1]);
    lp->nfacts = before;
    assume(lp, x[0], false);
    b = look(lp, x[2]);
    lp->nfacts = before;
    a.mask |= b.mask;
    a.known = a.known && b.known;
    a.untrusted = a.untrusted || b.untrusted;
    a.path.p = NULL;
    return a;
}

static bool literal(const sy_lint_policy *lp, uint32_t node)
{
    uint8_t op = lp->set->nodes[node & ~SY_MINUS].op;
    return op == SY_OP_LONG || op == SY_OP_STR || op == SY_OP_BOOL || op == SY_OP_UID;
}

static sy_shape look_sum(sy_lint_policy *lp, const sy_cnode *n)
{
    sy_shape out = of(T_LONG);
    bool constant = true, over = false;
    int64_t sum = n->op == SY_OP_MUL;
    for (uint32_t i = 0; i < n->b; i++) {
        uint32_t item = lp->set->list[n->a + i], x = item & ~SY_MINUS;
        const sy_cnode *c = &lp->set->nodes[x];
        sy_shape s = look(lp, x);
        int64_t v = c->op == SY_OP_LONG ? sy_cnode_long(c) : 0;
        if (n->op == SY_OP_MUL) over = __builtin_mul_overflow(sum, v, &sum) || over;
        else if (item & SY_MINUS) over = __builtin_sub_overflow(sum, v, &sum) || over;
        else over = __builtin_add_overflow(sum, v, &sum) || over;
        want(lp, &lp->set->nodes[x], s, T_LONG, n->op == SY_OP_ADD ? "+ or -" : "*");
        out.untrusted = out.untrusted || s.untrusted;
        if (c->op != SY_OP_LONG) constant = false;
    }
    if (constant && over) report(lp, n, "error", "always fails: this overflows 64 bits");
    if (!constant)
        report(lp, n, out.untrusted ? "warning" : "note", "can fail: this overflows 64 bits for large values%s", out.untrusted ? ", and a tool argument decides how large they are" : "");
    return out;
}

static unsigned mask_of_tag(sy_ctag t)
{
    switch (t) {
    case SY_CV_BOOL: return T_BOOL;
    case SY_CV_LONG: return T_LONG;
    case SY_CV_STRING: return T_STR;
    case SY_CV_ENTITY: return T_ENT;
    case SY_CV_SET: return T_SET;
    case SY_CV_RECORD: return T_REC;
    case SY_CV_DECIMAL: return T_DEC;
    case SY_CV_IP: return T_IP;
    case SY_CV_DATETIME: return T_DATE;
    case SY_CV_DURATION: return T_DUR;
    }
    return T_ANY;
}

static sy_shape look_call(sy_lint_policy *lp, const sy_cnode *n)
{
    sy_cfn f = (sy_cfn)n->sub;
    bool ctor = sy_cfn_is_ctor(f), untrusted = false, literals = true;
    if (f >= SY_CFN_COUNT) return of(T_ANY);
    if (n->b != sy_cfn_nargs(f)) report(lp, n, "error", "always fails: %s takes %u arguments", sy_cfn_name(f), sy_cfn_nargs(f));
    for (uint32_t i = 0; i < n->b; i++) {
        uint32_t x = lp->set->list[n->a + i];
        sy_shape s = look(lp, x);
        if (i < sy_cfn_nargs(f)) want(lp, &lp->set->nodes[x], s, mask_of_tag(sy_cfn_arg(f, i)), sy_cfn_name(f));
        untrusted = untrusted || s.untrusted;
        if (!literal(lp, x)) literals = false;
    }
    if (ctor && literals && n->b == 1 && !lp->set->list[n->a + n->b]) report(lp, n, "error", "always fails: %s cannot read this string", sy_cfn_name(f));
    else if (ctor && !literals) report(lp, n, "warning", "can fail: %s cannot read every string%s", sy_cfn_name(f), untrusted ? ", and a tool argument decides which it gets" : "");
    if (f == SY_CFN_OFFSET || f == SY_CFN_DURATIONSINCE || f == SY_CFN_TODATE) report(lp, n, "note", "can fail: %s overflows for extreme values", sy_cfn_name(f));
    return of(mask_of_tag(sy_cfn_result(f)));
}

static symbi_str tag_fact(sy_lint_policy *lp, const sy_cnode *n)
{
    const sy_cnode *t = &lp->set->nodes[n->b], *e = &lp->set->nodes[n->a];
    symbi_str none = { NULL, 0 };
    char head[40];
    if (t->op != SY_OP_STR || e->op != SY_OP_VAR) return none;
    snprintf(head, sizeof head, "tag %u", (unsigned)e->sub);
    return sub_path(lp, sy_arena_dup(lp->l->a, symbi_str_z(head)), lp->set->strs[t->a]);
}

/* The right side of `in`: an entity, or a set of nothing else. */
static void want_entities(sy_lint_policy *lp, uint32_t node, sy_shape s, const char *what)
{
    const sy_cnode *n = &lp->set->nodes[node];
    want(lp, n, s, T_ENT | T_SET, what);
    for (uint32_t i = 0; n->op == SY_OP_SET && i < n->b; i++) {
        uint32_t x = lp->set->list[n->a + i];
        want(lp, &lp->set->nodes[x], quiet(lp, x), T_ENT, what);
    }
}

static sy_shape look_two(sy_lint_policy *lp, const sy_cnode *n)
{
    sy_shape a = look(lp, n->a), b = look(lp, n->b), out = of(T_BOOL);
    switch (n->op) {
    case SY_OP_LT: case SY_OP_LE: case SY_OP_GT: case SY_OP_GE:
        want(lp, &lp->set->nodes[n->a], a, T_ORDERED, "a comparison");
        want(lp, &lp->set->nodes[n->b], b, T_ORDERED, "a comparison");
        if (a.mask & b.mask & T_ORDERED || !(a.mask & T_ORDERED) || !(b.mask & T_ORDERED)) break;
        report(lp, n, "error", "always fails: %s cannot be compared with %s", mask_name(a.mask & T_ORDERED), mask_name(b.mask & T_ORDERED));
        break;
    case SY_OP_IN:
        want(lp, &lp->set->nodes[n->a], a, T_ENT, "in");
        want_entities(lp, n->b, b, "in");
        break;
    case SY_OP_CONTAINS: want(lp, n, a, T_SET, "contains"); break;
    case SY_OP_CONTAINSALL: case SY_OP_CONTAINSANY:
        want(lp, n, a, T_SET, "containsAll and containsAny");
        want(lp, n, b, T_SET, "containsAll and containsAny");
        break;
    case SY_OP_GETTAG:
        want(lp, n, a, T_ENT, "getTag");
        want(lp, n, b, T_STR, "getTag");
        if (!has_fact(lp, tag_fact(lp, n))) report(lp, n, "warning", "can fail: the tag may be absent; test it first with `hasTag`");
        out = of(T_ANY);
        out.known = false;
        break;
    case SY_OP_HASTAG:
        want(lp, n, a, T_ENT, "hasTag");
        want(lp, n, b, T_STR, "hasTag");
        break;
    default: break; /* == and != never fail */
    }
    return out;
}

/* x has a.b.c: what stands before the last name must be a record or an entity where it is present. */
static void look_has(sy_lint_policy *lp, const sy_cnode *n)
{
    symbi_str p = path_of(lp, n->a);
    for (uint16_t i = 0; i + 1 < n->n; i++) {
        sy_shape s;
        symbi_str attr = lp->set->strs[lp->set->list[n->b + i]];
        p = sub_path(lp, p, attr);
        if (!p.p) {
            report(lp, n, "note", "can fail: has looks into a value that may be no record");
            return;
        }
        if (sy_lint_lookup(lp, p, attr, &s) == SY_NEVER) return;
        s.path = p;
        want(lp, n, s, T_REC | T_ENT, "has");
    }
}

static sy_shape look(sy_lint_policy *lp, uint32_t node)
{
    static const char *const vars[] = { "principal", "action", "resource", "context" };
    const sy_cnode *n = &lp->set->nodes[node];
    sy_shape s = of(T_ANY);
    if (!lp->depth || !lp->work) return s;
    lp->depth--;
    lp->work--;
    switch ((sy_cop)n->op) {
    case SY_OP_BOOL: s = of(T_BOOL); break;
    case SY_OP_LONG: s = of(T_LONG); break;
    case SY_OP_STR: s = of(T_STR); break;
    case SY_OP_UID: s = of(T_ENT); break;
    case SY_OP_SLOT: s = of(T_ENT); break;
    case SY_OP_VAR:
        s = of(n->sub == SY_VAR_CONTEXT ? T_REC : T_ENT);
        s.path = symbi_str_z(vars[n->sub]);
        break;
    case SY_OP_NOT:
        want(lp, n, look(lp, n->a), T_BOOL, "!");
        s = of(T_BOOL);
        break;
    case SY_OP_NEG:
        want(lp, n, look(lp, n->a), T_LONG, "-");
        if (lp->set->nodes[n->a].op != SY_OP_LONG) report(lp, n, "note", "can fail: this overflows 64 bits for the smallest value");
        s = of(T_LONG);
        break;
    case SY_OP_AND: case SY_OP_OR: s = look_chain(lp, n); break;
    case SY_OP_ADD: case SY_OP_MUL: s = look_sum(lp, n); break;
    case SY_OP_HAS:
        want(lp, n, look(lp, n->a), T_REC | T_ENT, "has");
        look_has(lp, n);
        s = of(T_BOOL);
        break;
    case SY_OP_GET: s = look_get(lp, n); break;
    case SY_OP_LIKE:
        want(lp, n, look(lp, n->a), T_STR, "like");
        s = of(T_BOOL);
        break;
    case SY_OP_IS:
        want(lp, n, look(lp, n->a), T_ENT, "is");
        s = of(T_BOOL);
        break;
    case SY_OP_ISIN:
        want(lp, n, look(lp, lp->set->list[n->a]), T_ENT, "is ... in");
        want_entities(lp, lp->set->list[n->a + 1], look(lp, lp->set->list[n->a + 1]), "is ... in");
        s = of(T_BOOL);
        break;
    case SY_OP_IF: s = look_if(lp, n); break;
    case SY_OP_SET:
        for (uint32_t i = 0; i < n->b; i++) s.untrusted = look(lp, lp->set->list[n->a + i]).untrusted || s.untrusted;
        s.mask = T_SET;
        break;
    case SY_OP_RECORD:
        for (uint32_t i = 0; i < n->b; i++) (void)look(lp, lp->set->list[n->a + 2 * i + 1]);
        s = of(T_REC);
        break;
    case SY_OP_CALL: s = look_call(lp, n); break;
    case SY_OP_ISEMPTY:
        want(lp, n, look(lp, n->a), T_SET, "isEmpty");
        s = of(T_BOOL);
        break;
    default: s = look_two(lp, n); break;
    }
    lp->depth++;
    return s;
}

static symbi_str path_of(sy_lint_policy *lp, uint32_t node)
{
    static const char *const vars[] = { "principal", "action", "resource", "context" };
    const sy_cnode *n = &lp->set->nodes[node];
    symbi_str none = { NULL, 0 };
    size_t depth = 0;
    while (n->op == SY_OP_GET && depth < 64) n = &lp->set->nodes[n->a], depth++;
    if (n->op != SY_OP_VAR) return none;
    if (!depth) return symbi_str_z(vars[n->sub]);
    n = &lp->set->nodes[node];
    return sub_path(lp, path_of(lp, n->a), lp->set->strs[n->b]);
}

/* resource.kind == "tool_call", or action in Action::"tool_call" */
static bool says_tool_call(sy_lint_policy *lp, const sy_cnode *n)
{
    const sy_cnode *b;
    if (n->op != SY_OP_EQ && n->op != SY_OP_IN) return false;
    b = &lp->set->nodes[n->b];
    if (n->op == SY_OP_EQ) return b->op == SY_OP_STR && sy_str_eqz(lp->set->strs[b->a], "tool_call") && sy_str_eqz(path_of(lp, n->a), "resource\1kind");
    return b->op == SY_OP_UID && sy_str_eqz(lp->set->uids[b->a].type, "Action") && sy_str_eqz(lp->set->uids[b->a].id, "tool_call") && sy_str_eqz(path_of(lp, n->a), "action");
}

/* What is known where node came out as truth. */
static void assume(sy_lint_policy *lp, uint32_t node, bool truth)
{
    const sy_cnode *n = &lp->set->nodes[node];
    if (!lp->depth) return;
    lp->depth--;
    if (n->op == SY_OP_NOT) assume(lp, n->a, !truth);
    else if ((n->op == SY_OP_AND && truth) || (n->op == SY_OP_OR && !truth)) {
        for (uint32_t i = 0; i < n->b; i++) assume(lp, lp->set->list[n->a + i], truth);
    } else if (n->op == SY_OP_HAS && truth) {
        symbi_str p = path_of(lp, n->a);
        for (uint16_t i = 0; i < n->n; i++) {
            p = sub_path(lp, p, lp->set->strs[lp->set->list[n->b + i]]);
            add_fact(lp, p);
        }
    } else if (n->op == SY_OP_HASTAG && truth) {
        add_fact(lp, tag_fact(lp, n));
    } else if (truth && says_tool_call(lp, n)) {
        static const char *const attrs[] = { "resource\1tool_name", "resource\1risk_tier", "resource\1backend", "resource\1human_approval" };
        for (size_t i = 0; i < sizeof attrs / sizeof *attrs; i++) add_fact(lp, symbi_str_z(attrs[i]));
    }
    lp->depth++;
}

void sy_lint_conditions(sy_lint_policy *lp)
{
    for (uint32_t i = 0; i < lp->policy->ncond; i++) {
        uint32_t c = lp->set->list[lp->policy->cond + i];
        sy_shape s = look(lp, c & ~SY_UNLESS);
        want(lp, &lp->set->nodes[c & ~SY_UNLESS], s, T_BOOL, c & SY_UNLESS ? "unless" : "when");
        assume(lp, c & ~SY_UNLESS, !(c & SY_UNLESS));
    }
}

/* ---- conditions that are decided before any request ---- */

static int truth_eq(sy_lint_policy *lp, const sy_cnode *n)
{
    const sy_cnode *a = &lp->set->nodes[n->a], *b = &lp->set->nodes[n->b], *t;
    static const unsigned literal_mask[] = { [SY_OP_BOOL] = T_BOOL, [SY_OP_LONG] = T_LONG, [SY_OP_STR] = T_STR, [SY_OP_UID] = T_ENT };
    sy_shape s;
    if (a->op <= SY_OP_UID && b->op <= SY_OP_UID) return a->op == b->op && a->a == b->a && (a->op != SY_OP_LONG || a->b == b->b);
    if (a->op <= SY_OP_UID) t = a, a = b, b = t;
    if (b->op > SY_OP_UID) return -1;
    if (a->op == SY_OP_VAR && a->sub != SY_VAR_CONTEXT && b->op == SY_OP_UID) {
        static const char *const types[] = { "Agent", "Action", "Resource" };
        const sy_cuid *u = &lp->set->uids[b->a];
        if (!sy_str_eqz(u->type, types[a->sub])) return 0;
        if (a->sub == SY_VAR_RESOURCE) return sy_str_eqz(u->id, "default");
        return -1;
    }
    s = quiet(lp, (uint32_t)(a - lp->set->nodes));
    return s.known && !(s.mask & literal_mask[b->op]) ? 0 : -1;
}

int sy_lint_truth(sy_lint_policy *lp, uint32_t node, size_t depth)
{
    const sy_cnode *n = &lp->set->nodes[node];
    int t, all = 1;
    if (!depth) return -1;
    switch ((sy_cop)n->op) {
    case SY_OP_BOOL: return n->a != 0;
    case SY_OP_NOT: t = sy_lint_truth(lp, n->a, depth - 1); return t < 0 ? t : !t;
    case SY_OP_AND:
        for (uint32_t i = 0; i < n->b; i++) {
            t = sy_lint_truth(lp, lp->set->list[n->a + i], depth - 1);
            if (t == 0) return 0;
            if (t < 0) all = -1;
        }
        return all;
    case SY_OP_OR:
        all = 0;
        for (uint32_t i = 0; i < n->b; i++) {
            t = sy_lint_truth(lp, lp->set->list[n->a + i], depth - 1);
            if (t == 1) return 1;
            if (t < 0) all = -1;
        }
        return all;
    case SY_OP_EQ: return truth_eq(lp, n);
    case SY_OP_NE: t = truth_eq(lp, n); return t < 0 ? t : !t;
    case SY_OP_IS: {
        static const char *const types[] = { "Agent", "Action", "Resource" };
        const sy_cnode *a = &lp->set->nodes[n->a];
        if (a->op == SY_OP_VAR && a->sub != SY_VAR_CONTEXT) return sy_str_eqz(lp->set->strs[n->b], types[a->sub]);
        return -1;
    }
    default: return -1;
    }
}
