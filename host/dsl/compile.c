/* dsl/compile.c: an agent of a file as a Cedar set that narrows, a set of marks, and limits. Each rule becomes one policy on the line that
 * it has in the file, so that decisions name file and line. Semantics: spec dsl-cli.md section 4.
 *
 *   deny     forbid when guard            (an error of the guard forbids: the gate denies on failing forbids)
 *   require  forbid unless expression     (not true, or failing, forbids)
 *   allow    permit when guard; with any allow rule, what no rule allows is denied. `respond` and `terminate` reach nobody but the caller:
 *            they stay permitted unless a rule names them
 *   audit    permit in the set of marks */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "dsl/compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void symbi_dsl_compile_options_init(symbi_dsl_compile_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
}

static void tell(sy_comp *c, uint32_t node, bool refused, const char *construct, const char *nearest, const char *fmt, va_list ap)
{
    char line[400];
    sy_obj o = sy_obj_new(c->a);
    uint32_t at, col;
    symbi_str text;
    vsnprintf(line, sizeof line, fmt, ap);
    sy_dsl_place(c->d, sy_n(c->d, node)->start, &at, &col);
    text = sy_arena_dup(c->a, symbi_str_z(line));
    if (refused && !c->refused++) {
        c->first_node = node;
        c->first_text = text;
        c->first_nearest = sy_arena_dup(c->a, symbi_str_z(nearest ? nearest : ""));
    }
    sy_obj_int(&o, "line", at);
    sy_obj_int(&o, "col", col);
    sy_obj_str(&o, "severity", symbi_str_z(refused ? "refused" : "note"));
    sy_obj_put(&o, "construct", sy_val_str(sy_arena_dup(c->a, symbi_str_z(construct))));
    sy_obj_put(&o, "message", sy_val_str(text));
    if (nearest) sy_obj_put(&o, "nearest", sy_val_str(sy_arena_dup(c->a, symbi_str_z(nearest))));
    sy_arr_add(&c->problems, sy_obj_value(&o));
}

bool sy_comp_refuse(sy_comp *c, uint32_t node, const char *construct, const char *nearest, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tell(c, node, true, construct, nearest, fmt, ap);
    va_end(ap);
    return false;
}

void sy_comp_note(sy_comp *c, uint32_t node, const char *construct, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tell(c, node, false, construct, NULL, fmt, ap);
    va_end(ap);
}

/* One Cedar text under way: policies in the order of their discovery, put on the lines of their rules at the end. */
typedef struct entry {
    uint32_t line, order;
    size_t at, n;             /* the policy, in the pool */
    size_t shown_at, nshown;  /* as it is shown to people */
} entry;

typedef struct text_out {
    sy_buf pool;
    entry *e;
    size_t n, cap;
} text_out;

typedef struct build {
    sy_comp c;
    text_out rules, marks;
    sy_arr obligations;
    sy_arena *a; /* of the result's document */
    size_t nrules;
} build;

static void one_line(sy_buf *b, symbi_str s)
{
    bool blank = false;
    size_t n = 0;
    for (size_t i = 0; i < s.n && n < 160; i++) {
        char ch = s.p[i];
        if (ch == ' ' || (ch >= 9 && ch <= 13)) {
            blank = true;
            continue;
        }
        if (blank && b->n) sy_buf_addc(b, ' '), n++;
        blank = false;
        sy_buf_addc(b, ch);
        n++;
    }
    if (n < 160) return;
    while (b->n && ((unsigned char)b->p[b->n - 1] & 0xc0) == 0x80) b->n--; /* a cut character goes whole */
    if (b->n && (unsigned char)b->p[b->n - 1] >= 0xc0) b->n--;
    sy_buf_addz(b, "...");
}

/* Appends `body` (from the effect on) as the policy of `node`, with its annotations. */
static void emit(build *x, text_out *o, uint32_t node, symbi_str owner, const char *kind, symbi_str body)
{
    const symbi_dsl *d = x->c.d;
    uint32_t line, col;
    sy_buf rule, id;
    entry e;
    sy_buf_init(&rule, x->c.cx->alloc, 1024);
    sy_buf_init(&id, x->c.cx->alloc, 4096);
    sy_dsl_place(d, sy_n(d, node)->start, &line, &col);
    if (*kind) one_line(&rule, sy_dsl_text(d, node));
    sy_buf_adds(&id, owner.n > 64 ? (symbi_str){ owner.p, 64 } : owner);
    sy_buf_addf(&id, ":%u:%u", line, col);
    if (*kind) sy_buf_addf(&id, " %s", kind);
    if (rule.status || id.status) o->pool.status = rule.status ? rule.status : id.status;
    if (sy_grow(&x->c.cx->alloc, (void **)&o->e, &o->cap, o->n + 1, sizeof *o->e)) o->pool.status = SYMBI_ENOMEM;
    e = (entry){ line, (uint32_t)o->n, o->pool.n, 0, 0, 0 };
    for (int i = 0; i < 2; i++) {
        sy_buf *b = &o->pool;
        if (i) {
            e.n = b->n - e.at;
            e.shown_at = b->n;
        }
        if (i && *kind) {
            sy_buf_addf(b, "// line %u: ", line);
            sy_buf_adds(b, sy_buf_str(&rule));
            sy_buf_addc(b, '\n');
        }
        sy_buf_addz(b, "@id(");
        sy_comp_quote(b, sy_buf_str(&id), false);
        sy_buf_addc(b, ')');
        if (*kind) {
            sy_buf_addz(b, " @kind(");
            sy_comp_quote(b, symbi_str_z(kind), false);
            sy_buf_addz(b, ") @rule(");
            sy_comp_quote(b, sy_buf_str(&rule), false);
            sy_buf_addc(b, ')');
        }
        sy_buf_addz(b, i ? "\n" : " ");
        sy_buf_adds(b, body);
        sy_buf_addc(b, i ? '\n' : ' ');
    }
    e.nshown = o->pool.n - e.shown_at;
    if (!o->pool.status) o->e[o->n++] = e;
    if (*kind && (!strcmp(kind, "require") || !strcmp(kind, "audit"))) {
        sy_obj q = sy_obj_new(x->a);
        sy_obj_str(&q, "kind", symbi_str_z(kind));
        sy_obj_put(&q, "rule", sy_val_str(sy_arena_dup(x->a, sy_buf_str(&rule))));
        sy_obj_int(&q, "line", line);
        sy_arr_add(&x->obligations, sy_obj_value(&q));
    }
    sy_buf_free(&rule);
    sy_buf_free(&id);
}

static void principal(build *x, sy_buf *b)
{
    sy_buf_addz(b, "(principal == Agent::");
    sy_comp_quote(b, x->c.principal, false);
}

/* `require: { tls: true, region: "eu" }`: each field a fact that the context must hold. */
static bool required_record(build *x, sy_buf *b, uint32_t record)
{
    const symbi_dsl *d = x->c.d;
    bool ok = true;
    if (!sy_n(d, record)->first) return sy_comp_refuse(&x->c, record, "require", "require: { fact: true }", "nothing is required");
    for (uint32_t f = sy_n(d, record)->first; f; f = sy_n(d, f)->next) {
        symbi_str key = sy_dsl_text(d, sy_n(d, f)->first);
        if (f != sy_n(d, record)->first) sy_buf_addz(b, " && ");
        if (sy_str_eqz(sy_dsl_unquote(key), "human_approval")) key = SY_LIT("has_human_approval"), x->c.approval = true;
        sy_buf_addz(b, "context[");
        sy_comp_quote(b, sy_dsl_unquote(key), false);
        sy_buf_addz(b, "] == ");
        if (!sy_comp_literal(&x->c, b, sy_n(d, f)->last)) ok = false;
    }
    return ok;
}

static const char *effect_name(uint8_t op) { return op == 'a' ? "allow" : op == 'd' ? "deny" : op == 'r' ? "require" : "audit"; }

static bool no_target(build *x, uint32_t rule, uint32_t e)
{
    const symbi_dsl *d = x->c.d;
    uint32_t bare = sy_dsl_bare(d, e);
    char nearest[200];
    const char *effect = effect_name(sy_n(d, rule)->op);
    symbi_str text = sy_dsl_text(d, e);
    if (sy_n(d, bare)->kind == SY_N_RECORD && sy_n(d, rule)->op == 'u')
        return sy_comp_refuse(&x->c, e, "audit", "audit: all", "the trail records every decision with its arguments; what it holds cannot be set here");
    if (sy_n(d, bare)->kind == SY_N_RECORD)
        return sy_comp_refuse(&x->c, e, effect, "a rule for each: NAME, NAME(arguments), \"name\" or [names]", "a record names no action");
    if (sy_n(d, bare)->kind == SY_N_CALL || sy_n(d, bare)->kind == SY_N_MEMBER)
        return sy_comp_refuse(&x->c, e, effect, "the tool's name in quotes", "'%.*s' names no action", SY_FMT(text));
    snprintf(nearest, sizeof nearest, "%s: any if %.*s", effect, (int)(text.n > 120 ? 120 : text.n), text.p);
    return sy_comp_refuse(&x->c, e, effect, nearest, "'%.*s' is a condition and names no action", SY_FMT(text));
}

/* A call of none of the functions that a guard knows: an action with its arguments. */
static bool names_action(const symbi_dsl *d, uint32_t call)
{
    static const char *const functions[] = { "starts_with", "ends_with", "contains", "matches", "size", "lower", "upper" };
    uint32_t callee = sy_dsl_bare(d, sy_n(d, call)->first);
    if (sy_n(d, callee)->kind != SY_N_IDENT) return false;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (sy_str_eqz(sy_dsl_text(d, callee), functions[i])) return false;
    return true;
}

/* The body of one rule into *b. */
static bool rule_body(build *x, uint32_t rule, sy_buf *b)
{
    const symbi_dsl *d = x->c.d;
    sy_comp *c = &x->c;
    const sy_node *n = sy_n(d, rule);
    uint32_t e = n->first, guard = n->first != n->last ? n->last : 0, bare = sy_dsl_bare(d, e);
    sy_buf scope, conds, g;
    bool ok = true, condition; /* a require without an action */
    c->nbinds = 0;
    c->approval = false;
    sy_buf_init(&scope, c->cx->alloc, SYMBI_DSL_MAX_CEDAR);
    sy_buf_init(&conds, c->cx->alloc, SYMBI_DSL_MAX_CEDAR);
    sy_buf_init(&g, c->cx->alloc, SYMBI_DSL_MAX_CEDAR);
    condition = n->op == 'r' && !guard;
    if (condition) {
        if (sy_n(d, bare)->kind == SY_N_RECORD) ok = required_record(x, &g, bare);
        else if (sy_n(d, bare)->kind == SY_N_CALL && names_action(d, bare))
            ok = sy_comp_refuse(c, e, "require", "require: NAME(arguments) if CONDITION", "a require with an action needs the condition that it requires");
        else if (sy_n(d, bare)->kind == SY_N_ARRAY || sy_n(d, bare)->kind == SY_N_STRING)
            ok = sy_comp_refuse(c, e, "require", "require: fact == true, one rule for each", "a require needs a condition");
        else ok = sy_comp_guard(c, &g, e);
        sy_buf_addz(&scope, c->approval ? ", action in [Action::\"tool_call\"]" : ", action");
        if (ok && c->approval) sy_comp_note(c, rule, "require", "only tool calls can be approved: the rule is asked for those");
    } else if (!sy_comp_is_target(d, e)) {
        ok = no_target(x, rule, e);
    } else {
        ok = sy_comp_target(c, &scope, &conds, e, (char)n->op);
        if (guard && !sy_comp_guard(c, &g, guard)) ok = false;
    }
    if (ok) {
        bool unless = n->op == 'r';
        sy_buf_addz(b, n->op == 'a' || n->op == 'u' ? "permit " : "forbid ");
        if (n->op == 'u') sy_buf_addz(b, "(principal"); /* marks are about the gate's agent, whatever it is called */
        else principal(x, b);
        sy_buf_adds(b, sy_buf_str(&scope));
        sy_buf_addz(b, ", resource)");
        if (conds.n) {
            sy_buf_addz(b, " when { ");
            sy_buf_adds(b, (symbi_str){ conds.p + 4, conds.n - 4 });
            sy_buf_addz(b, " }");
        }
        if (g.n) {
            sy_buf_addz(b, unless ? " unless { " : " when { ");
            sy_buf_adds(b, sy_buf_str(&g));
            sy_buf_addz(b, " }");
        }
        sy_buf_addc(b, ';');
        if (scope.status || conds.status || g.status) b->status = scope.status ? scope.status : conds.status ? conds.status : g.status;
        if (c->approval && n->op != 'u') c->any_approval = true;
    }
    sy_buf_free(&scope);
    sy_buf_free(&conds);
    sy_buf_free(&g);
    return ok;
}

static void rule(build *x, uint32_t r, symbi_str owner)
{
    const sy_node *n = sy_n(x->c.d, r);
    sy_buf b;
    if (++x->nrules == SYMBI_DSL_MAX_RULES + 1) {
        sy_comp_refuse(&x->c, r, "policy", "fewer rules", "an agent has at most %d rules", SYMBI_DSL_MAX_RULES);
        return;
    }
    if (x->nrules > SYMBI_DSL_MAX_RULES) return;
    if (n->op == 'a') x->c.allows = true;
    sy_buf_init(&b, x->c.cx->alloc, SYMBI_DSL_MAX_CEDAR);
    if (rule_body(x, r, &b)) {
        text_out *o = n->op == 'u' ? &x->marks : &x->rules;
        if (b.status) o->pool.status = b.status;
        emit(x, o, r, owner, effect_name(n->op), sy_buf_str(&b));
    }
    sy_buf_free(&b);
}

/* capabilities = ["read"]: tools whose manifest names another capability are denied. */
static void capabilities(build *x, uint32_t agent)
{
    const symbi_dsl *d = x->c.d;
    uint32_t first = 0;
    bool any = false;
    sy_buf b, set;
    sy_buf_init(&b, x->c.cx->alloc, SYMBI_DSL_MAX_CEDAR);
    sy_buf_init(&set, x->c.cx->alloc, SYMBI_DSL_MAX_CEDAR);
    for (uint32_t k = sy_n(d, agent)->first; k; k = sy_n(d, k)->next) {
        if (sy_n(d, k)->kind != SY_N_CAPABILITIES) continue;
        if (!first) first = k;
        for (uint32_t e = sy_n(d, sy_n(d, k)->first)->first; e; e = sy_n(d, e)->next) {
            uint32_t v = sy_dsl_bare(d, e);
            if (any) sy_buf_addz(&set, ", ");
            any = true;
            if (sy_n(d, v)->kind == SY_N_IDENT) sy_comp_quote(&set, sy_dsl_text(d, v), false);
            else if (sy_n(d, v)->kind != SY_N_STRING) sy_comp_refuse(&x->c, v, "capability", "its name in quotes", "'%.*s' names no capability", SY_FMT(sy_dsl_text(d, v)));
            else sy_comp_literal(&x->c, &set, v);
        }
    }
    if (first) {
        sy_buf_addz(&b, "forbid ");
        principal(x, &b);
        sy_buf_addz(&b, ", action in [Action::\"tool_call\"], resource) when { resource has \"capability\" && !([");
        sy_buf_adds(&b, sy_buf_str(&set));
        sy_buf_addz(&b, "].contains(resource[\"capability\"])) };");
        if (b.status || set.status) x->rules.pool.status = b.status ? b.status : set.status;
        emit(x, &x->rules, first, sy_dsl_name(d, agent), "capabilities", sy_buf_str(&b));
    }
    sy_buf_free(&b);
    sy_buf_free(&set);
}

/* with tools = ["a", "b"]: no other tool, whatever else allows it. */
static void only_tools(build *x)
{
    const symbi_dsl *d = x->c.d;
    uint32_t attr = x->c.tools_attr;
    sy_buf b;
    if (!attr) return;
    sy_buf_init(&b, x->c.cx->alloc, SYMBI_DSL_MAX_CEDAR);
    sy_buf_addz(&b, "forbid ");
    principal(x, &b);
    sy_buf_addz(&b, ", action in [Action::\"tool_call\"], resource) when { !([");
    for (uint32_t e = sy_n(d, sy_n(d, attr)->last)->first; e; e = sy_n(d, e)->next) {
        uint32_t v = sy_dsl_bare(d, e);
        if (e != sy_n(d, sy_n(d, attr)->last)->first) sy_buf_addz(&b, ", ");
        if (sy_n(d, v)->kind == SY_N_IDENT) sy_comp_quote(&b, sy_dsl_text(d, v), false);
        else if (sy_n(d, v)->kind != SY_N_STRING) sy_comp_refuse(&x->c, v, "setting", "names in quotes", "'%.*s' names no tool", SY_FMT(sy_dsl_text(d, v)));
        else sy_comp_literal(&x->c, &b, v);
    }
    sy_buf_addz(&b, "].contains(resource[\"name\"])) };");
    emit(x, &x->rules, attr, sy_dsl_name(d, x->c.agent), "tools", sy_buf_str(&b));
    sy_buf_free(&b);
}

/* What is permitted where no rule speaks. */
static void base(build *x)
{
    sy_buf b;
    sy_buf_init(&b, x->c.cx->alloc, 4096);
    if (x->c.allows && x->c.names_respond && x->c.names_terminate) return;
    sy_buf_addz(&b, "permit ");
    principal(x, &b);
    if (!x->c.allows) sy_buf_addz(&b, ", action, resource);");
    else if (x->c.names_respond) sy_buf_addz(&b, ", action == Action::\"terminate\", resource);");
    else if (x->c.names_terminate) sy_buf_addz(&b, ", action == Action::\"respond\", resource);");
    else sy_buf_addz(&b, ", action in [Action::\"respond\", Action::\"terminate\"], resource);");
    if (b.status) x->rules.pool.status = b.status;
    emit(x, &x->rules, x->c.agent, sy_dsl_name(x->c.d, x->c.agent), "", sy_buf_str(&b));
    sy_buf_free(&b);
}

/* What a file also defines, and what nothing here acts upon: said once for each kind, so that nobody relies on it. */
static void not_in_force(build *x, uint32_t k, unsigned *told)
{
    static const struct { uint8_t kind; const char *construct, *note; } t[] = {
        { SY_N_SCHEDULE, "schedule", "a schedule is data here: nothing starts the agent by it, and its policy and audit settings are not in force" },
        { SY_N_WEBHOOK, "webhook", "a webhook is data here: nothing listens for it, and its filter and secret are not in force" },
        { SY_N_CHANNEL, "channel", "a channel is data here: nothing joins it, and its rules, which are about its messages and not about what the agent does, are not in force" },
        { SY_N_MEMORY, "memory", "a memory block is data here: runs of the agent do not use it" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        if (t[i].kind != sy_n(x->c.d, k)->kind || *told & 1u << i) continue;
        *told |= 1u << i;
        sy_comp_note(&x->c, k, t[i].construct, "%s", t[i].note);
    }
}

/* In the order of the file, so that lines ascend: items at the top, and the agent's own between them. */
static void gather(build *x)
{
    const symbi_dsl *d = x->c.d;
    unsigned told = 0;
    for (uint32_t k = sy_n(d, 0)->first; k; k = sy_n(d, k)->next) {
        uint8_t kind = sy_n(d, k)->kind;
        if (kind == SY_N_POLICY)
            for (uint32_t r = sy_n(d, k)->first; r; r = sy_n(d, r)->next)
                if (sy_n(d, r)->kind == SY_N_RULE) rule(x, r, sy_dsl_name(d, k));
        not_in_force(x, k, &told);
        if (k != x->c.agent) continue;
        for (uint32_t i = sy_n(d, k)->first; i; i = sy_n(d, i)->next) {
            if (sy_n(d, i)->kind == SY_N_FUNCTION) sy_comp_note(&x->c, i, "function", "functions are text for the model; nothing runs them");
            if (sy_n(d, i)->kind != SY_N_POLICY) continue;
            for (uint32_t r = sy_n(d, i)->first; r; r = sy_n(d, r)->next)
                if (sy_n(d, r)->kind == SY_N_RULE) rule(x, r, sy_dsl_name(d, i));
        }
    }
}

static uint32_t find_agent(const symbi_dsl *d, symbi_str name, symbi_err *err)
{
    uint32_t found = 0;
    for (uint32_t k = sy_n(d, 0)->first; k; k = sy_n(d, k)->next) {
        if (sy_n(d, k)->kind != SY_N_AGENT || (name.n && !sy_str_eq(sy_dsl_name(d, k), name))) continue;
        if (found) {
            uint32_t line, col;
            sy_dsl_place(d, sy_n(d, k)->start, &line, &col);
            if (name.n) sy_fail_at(err, SYMBI_ESCHEMA, line, col, "a second agent '%.*s'", SY_FMT(name));
            else sy_fail_at(err, SYMBI_ESCHEMA, line, col, "the file defines several agents; say which");
            sy_err_path(err, d->source);
            return 0;
        }
        found = k;
    }
    if (!found) {
        if (name.n) sy_fail(err, SYMBI_ENOTFOUND, "the file defines no agent '%.*s'", SY_FMT(name));
        else sy_fail(err, SYMBI_ENOTFOUND, "the file defines no agent");
        sy_err_path(err, d->source);
    }
    return found;
}

static int by_line(const void *p, const void *q)
{
    const entry *a = p, *b = q;
    if (a->line != b->line) return a->line < b->line ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Each policy on its line; *shown: the same for people, in the arena. */
static symbi_status parse(symbi_ctx *cx, const symbi_dsl *d, text_out *o, sy_arena *a, symbi_cedar **out, symbi_str *shown, symbi_err *err)
{
    symbi_cedar_source src = { d->source, { "", 0 } };
    symbi_status st;
    sy_buf padded, show;
    uint32_t line = 1;
    sy_buf_init(&padded, cx->alloc, 2 * SYMBI_DSL_MAX_CEDAR);
    sy_buf_init(&show, cx->alloc, 2 * SYMBI_DSL_MAX_CEDAR);
    if (o->n) qsort(o->e, o->n, sizeof *o->e, by_line);
    for (size_t i = 0; i < o->n && !o->pool.status; i++) {
        while (line < o->e[i].line) sy_buf_addc(&padded, '\n'), line++;
        sy_buf_add(&padded, o->pool.p + o->e[i].at, o->e[i].n);
        if (i) sy_buf_addc(&show, '\n');
        sy_buf_add(&show, o->pool.p + o->e[i].shown_at, o->e[i].nshown);
    }
    *shown = sy_arena_dup(a, sy_buf_str(&show));
    src.text = sy_buf_str(&padded);
    st = o->pool.status ? o->pool.status : padded.status ? padded.status : show.status;
    if (st) st = st == SYMBI_ELIMIT ? sy_fail(err, SYMBI_ELIMIT, "the rules need more than %d bytes of Cedar", SYMBI_DSL_MAX_CEDAR) : sy_fail_nomem(err);
    else st = symbi_cedar_parse(cx, &src, 1, SYMBI_CEDAR_IDS_ANNOTATED, out, err);
    sy_buf_free(&padded);
    sy_buf_free(&show);
    return st;
}

static symbi_status finish(symbi_ctx *cx, build *x, symbi_doc *doc, symbi_narrow **out, symbi_err *err)
{
    static const struct {
        const char *name;
        size_t at;
    } fields[] = {
#define ROW(name, text) { #name, offsetof(symbi_narrow_limits, name) },
        SYMBI_NARROW_LIMIT_LIST(ROW)
#undef ROW
    };
    const symbi_dsl *d = x->c.d;
    sy_narrow_parts p;
    sy_obj o = sy_obj_new(&doc->arena), l = sy_obj_new(&doc->arena);
    symbi_str rules, marks = { "", 0 };
    symbi_status st;
    memset(&p, 0, sizeof p);
    p.limits = x->c.limits;
    p.asks_approval = x->c.any_approval;
    st = parse(cx, d, &x->rules, &doc->arena, &p.rules, &rules, err);
    if (!st && (x->marks.n || x->marks.pool.status)) st = parse(cx, d, &x->marks, &doc->arena, &p.audit, &marks, err);
    if (st) {
        symbi_cedar_unref(p.rules);
        symbi_cedar_unref(p.audit);
        symbi_doc_unref(doc);
        return st;
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        int64_t v = *(const int64_t *)(const void *)((const char *)&p.limits + fields[i].at);
        if (v >= 0) sy_obj_int(&l, fields[i].name, v);
    }
    if (p.limits.sandbox) sy_obj_str(&l, "sandbox", symbi_str_z(symbi_sandbox_name(p.limits.sandbox)));
    sy_obj_put(&o, "agent", sy_val_str(sy_arena_dup(&doc->arena, sy_dsl_name(d, x->c.agent))));
    sy_obj_put(&o, "principal", sy_val_str(sy_arena_dup(&doc->arena, x->c.principal)));
    sy_obj_put(&o, "source", sy_val_str(sy_arena_dup(&doc->arena, d->source)));
    sy_obj_put(&o, "rules", sy_val_str(rules));
    sy_obj_put(&o, "audit", sy_val_str(marks));
    sy_obj_put(&o, "obligations", sy_arr_value(&x->obligations));
    sy_obj_put(&o, "limits", sy_obj_value(&l));
    doc->root = sy_obj_value(&o);
    p.doc = doc;
    if (doc->arena.status) {
        st = sy_arena_fail(&doc->arena, "the compiled agent", err);
        symbi_cedar_unref(p.rules);
        symbi_cedar_unref(p.audit);
        symbi_doc_unref(doc);
        return st;
    }
    return sy_narrow_new(cx, &p, out, err);
}

static symbi_status run(symbi_ctx *cx, build *x, symbi_doc *list, symbi_narrow **out, symbi_err *err)
{
    symbi_doc *doc = sy_doc_new(cx);
    symbi_status st;
    uint32_t line, col;
    if (!doc) return sy_fail_nomem(err);
    x->a = &doc->arena;
    x->obligations = sy_arr_new(&doc->arena);
    gather(x);
    sy_comp_with(&x->c, x->c.agent);
    capabilities(x, x->c.agent);
    only_tools(x);
    base(x);
    list->root = sy_arr_value(&x->c.problems);
    st = list->arena.status ? sy_arena_fail(&list->arena, "the list of problems", err) : doc->arena.status ? sy_arena_fail(&doc->arena, "the compiled agent", err) : SYMBI_OK;
    if (!st && x->c.refused) {
        sy_dsl_place(x->c.d, sy_n(x->c.d, x->c.first_node)->start, &line, &col);
        st = sy_fail_at(err, SYMBI_ESCHEMA, line, col, "%s%s%s%s", x->c.first_text.p, x->c.first_nearest.n ? "; what works: " : "", x->c.first_nearest.n ? x->c.first_nearest.p : "",
                        x->c.refused > 1 ? " (and more)" : "");
        sy_err_path(err, x->c.d->source);
    }
    if (st) {
        symbi_doc_unref(doc);
        return st;
    }
    return finish(cx, x, doc, out, err);
}

symbi_status symbi_dsl_compile(symbi_ctx *cx, const symbi_dsl *d, const symbi_dsl_compile_options *o, symbi_narrow **out, symbi_doc **problems, symbi_err *err)
{
    build x;
    symbi_doc *list;
    symbi_status st;
    uint32_t agent;
    *out = NULL;
    if (problems) *problems = NULL;
    if (o->size != sizeof *o) return sy_fail(err, SYMBI_EINVAL, "symbi_dsl_compile_options.size is wrong; call symbi_dsl_compile_options_init first");
    if ((st = sy_dsl_need_ok(d, err))) return st;
    if (!(agent = find_agent(d, o->agent, err))) return err ? err->code : SYMBI_ENOTFOUND;
    if (!(list = sy_doc_new(cx))) return sy_fail_nomem(err);
    memset(&x, 0, sizeof x);
    x.c.cx = cx;
    x.c.d = d;
    x.c.a = &list->arena;
    x.c.problems = sy_arr_new(&list->arena);
    x.c.tools = o->tools;
    x.c.agent = agent;
    x.c.principal = o->principal.n ? o->principal : sy_dsl_name(d, agent);
    x.c.limits = (symbi_narrow_limits){ -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, SYMBI_SANDBOX_NONE };
    sy_buf_init(&x.rules.pool, cx->alloc, 2 * SYMBI_DSL_MAX_CEDAR);
    sy_buf_init(&x.marks.pool, cx->alloc, 2 * SYMBI_DSL_MAX_CEDAR);
    st = run(cx, &x, list, out, err);
    sy_buf_free(&x.rules.pool);
    sy_buf_free(&x.marks.pool);
    sy_free(&cx->alloc, x.rules.e, x.rules.cap * sizeof *x.rules.e);
    sy_free(&cx->alloc, x.marks.e, x.marks.cap * sizeof *x.marks.e);
    if (problems && (!st || st == SYMBI_ESCHEMA)) *problems = list;
    else symbi_doc_unref(list);
    return st;
}
