/* dsl/target.c: what a rule is about: names of actions, arguments that it binds, values that it asks for. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "dsl/compile.h"
#include "symbi/json.h"

#include <string.h>

static bool everything(symbi_str s) { return sy_str_eqz(s, "any") || sy_str_eqz(s, "all") || sy_str_eqz(s, "all_operations"); }

bool sy_comp_is_target(const symbi_dsl *d, uint32_t expr)
{
    uint32_t n = sy_dsl_bare(d, expr), callee;
    switch (sy_n(d, n)->kind) {
    case SY_N_IDENT:
    case SY_N_STRING:
    case SY_N_ARRAY: return true;
    case SY_N_CALL:
        callee = sy_dsl_bare(d, sy_n(d, n)->first);
        return sy_n(d, callee)->kind == SY_N_IDENT;
    default: return false;
    }
}

typedef struct actions {
    sy_buf *b;
    size_t n;
    bool all;
} actions;

static void add(actions *x, const char *prefix, symbi_str id)
{
    size_t n = strlen(prefix), at;
    if (x->n++) sy_buf_addz(x->b, ", ");
    sy_buf_addz(x->b, "Action::");
    at = x->b->n + 1;
    sy_comp_quote(x->b, id, false);
    if (!n || x->b->status || !sy_buf_reserve(x->b, n)) return;
    memmove(x->b->p + at + n, x->b->p + at, x->b->n - at);
    memcpy(x->b->p + at, prefix, n);
    sy_buf_commit(x->b, n);
}

static bool known_tool(const sy_comp *c, symbi_str name) { return !c->tools || symbi_toolset_find(c->tools, name) != NULL; }

static bool action(sy_comp *c, actions *x, uint32_t node, symbi_str name, bool literal, char effect)
{
    bool group = sy_str_eqz(name, "delegate") || sy_str_eqz(name, "send_message") || sy_str_eqz(name, "tool_call");
    if (!literal && everything(name)) {
        x->all = true;
        return true;
    }
    if (memchr(name.p, '*', name.n))
        return sy_comp_refuse(c, node, "action", "any if starts_with(tool.name, \"...\")", "'%.*s': names of actions have no wildcards", SY_FMT(name));
    if (!name.n) return sy_comp_refuse(c, node, "action", "the name of a tool", "an action without a name");
    for (size_t i = 0; i + 1 < name.n; i++)
        if (name.p[i] == ':' && name.p[i + 1] == ':') {
            add(x, "", name);
            return true;
        }
    if (group || sy_str_eqz(name, "respond") || sy_str_eqz(name, "terminate")) {
        add(x, "", name);
        if (effect == 'a' && name.p[0] == 'r') c->names_respond = true;
        if (effect == 'a' && sy_str_eqz(name, "terminate")) c->names_terminate = true;
        if (sy_str_eqz(name, "tool_call")) return true;
    } else if (!known_tool(c, name)) {
        sy_comp_note(c, node, "action", "no tool is called '%.*s' here: the rule waits for one", SY_FMT(name));
    }
    add(x, "tool_call::", name);
    return true;
}

/* The name of the tool's argument at a position (from 0), from its manifest; "" when there is none. In *at the position of `name`, or -1. */
static symbi_str argument_at(sy_comp *c, symbi_str tool, size_t pos, symbi_str name, int *at)
{
    symbi_tool *t = c->tools ? symbi_toolset_find(c->tools, tool) : NULL;
    symbi_doc *d = NULL;
    symbi_str found = { "", 0 };
    const symbi_value *props;
    symbi_err err;
    *at = -1;
    if (!t) return found;
    if (symbi_tool_schema(c->cx, t, &d, &err)) {
        if (err.code == SYMBI_ENOMEM && !c->a->status) c->a->status = SYMBI_ENOMEM; /* not to be taken for a tool without the argument */
        return found;
    }
    props = symbi_value_getz(symbi_value_getz(symbi_doc_root(d), "inputSchema"), "properties");
    for (size_t i = 0; props && props->kind == SYMBI_OBJECT && i < props->u.o.n; i++) {
        if (i == pos) found = sy_arena_dup(c->a, props->u.o.members[i].key);
        if (sy_str_eq(props->u.o.members[i].key, name)) *at = (int)i;
    }
    symbi_doc_unref(d);
    return found;
}

static bool bind(sy_comp *c, uint32_t node, symbi_str name, symbi_str arg, bool target)
{
    for (size_t i = 0; i < c->nbinds; i++)
        if (sy_str_eq(c->binds[i].name, name)) return sy_comp_refuse(c, node, "argument", "names that differ", "'%.*s' is bound twice", SY_FMT(name));
    if (c->nbinds >= SY_BINDS_MAX) return sy_comp_refuse(c, node, "argument", "fewer arguments", "a rule binds at most %d arguments", SY_BINDS_MAX);
    c->binds[c->nbinds++] = (sy_bind){ name, arg, target };
    return true;
}

/* The argument must be there and have this value. */
static bool equals(sy_comp *c, sy_buf *conds, symbi_str arg, bool target, uint32_t value)
{
    if (target) {
        sy_buf_addz(conds, " && resource[\"name\"] == ");
        return sy_comp_literal(c, conds, value);
    }
    sy_buf_addz(conds, " && context[\"input\"] has ");
    sy_comp_quote(conds, arg, false);
    sy_buf_addz(conds, " && context[\"input\"][");
    sy_comp_quote(conds, arg, false);
    sy_buf_addz(conds, "] == ");
    return sy_comp_literal(c, conds, value);
}

static bool argument(sy_comp *c, sy_buf *conds, symbi_str tool, uint32_t node, size_t pos, bool addressed)
{
    const sy_node *n = sy_n(c->d, node);
    uint32_t value = sy_dsl_bare(c->d, n->kind == SY_N_NAMED_ARG ? n->last : node);
    bool name = sy_n(c->d, value)->kind == SY_N_IDENT;
    symbi_str text = sy_dsl_text(c->d, value), arg = { "", 0 };
    int at = -1;
    if (addressed) {
        if (n->kind == SY_N_NAMED_ARG || pos) return sy_comp_refuse(c, node, "argument", "delegate(NAME) or delegate(\"agent\")", "this action has one argument, the agent that it addresses");
        if (!name) return equals(c, conds, arg, true, value);
        return everything(text) || sy_str_eqz(text, "_") || bind(c, node, text, arg, true);
    }
    if (n->kind == SY_N_NAMED_ARG) arg = sy_dsl_text(c->d, n->first);
    else arg = argument_at(c, tool, pos, text, &at);
    if (name && (everything(text) || sy_str_eqz(text, "_"))) return true;
    if (!name) {
        if (!arg.n)
            return sy_comp_refuse(c, node, "argument", "NAME: VALUE", "which argument %.*s is for is not known: '%.*s' has no manifest here, or not that many arguments", SY_FMT(text), SY_FMT(tool));
        return equals(c, conds, arg, false, value);
    }
    if (n->kind != SY_N_NAMED_ARG && sy_str_eqz(text, "input") && at < 0) return bind(c, node, text, (symbi_str){ "", 0 }, false); /* the arguments as a whole */
    if (n->kind == SY_N_NAMED_ARG) return bind(c, node, text, arg, false);
    if (at >= 0 && (size_t)at != pos)
        return sy_comp_refuse(c, node, "argument", "the manifest's order, or NAME: NAME", "'%.*s' is argument %d of %.*s, not %zu", SY_FMT(text), at + 1, SY_FMT(tool), pos + 1);
    if (c->tools && symbi_toolset_find(c->tools, tool) && !arg.n)
        return sy_comp_refuse(c, node, "argument", "the arguments of its manifest", "%.*s has no argument %zu", SY_FMT(tool), pos + 1);
    return bind(c, node, text, arg.n ? arg : text, false);
}

static bool target(sy_comp *c, actions *x, sy_buf *conds, uint32_t node, char effect, bool top)
{
    uint32_t n = sy_dsl_bare(c->d, node), callee;
    size_t pos = 0;
    symbi_str name;
    bool ok = true;
    sy_buf t;
    switch (sy_n(c->d, n)->kind) {
    case SY_N_IDENT: return action(c, x, n, sy_dsl_text(c->d, n), false, effect);
    case SY_N_STRING:
        sy_buf_init(&t, c->cx->alloc, SYMBI_DSL_MAX_BYTES);
        ok = sy_comp_string(c, n, &t) && (t.status || action(c, x, n, (symbi_str){ t.p ? t.p : "", t.n }, true, effect));
        if (t.status) x->b->status = t.status;
        sy_buf_free(&t);
        return ok;
    case SY_N_ARRAY:
        if (!top) break;
        if (!sy_n(c->d, n)->first) return sy_comp_refuse(c, n, "list", "[\"name\"]", "an empty list names no action");
        for (uint32_t e = sy_n(c->d, n)->first; e; e = sy_n(c->d, e)->next)
            if (!target(c, x, conds, e, effect, false)) ok = false;
        return ok;
    case SY_N_CALL:
        callee = sy_dsl_bare(c->d, sy_n(c->d, n)->first);
        if (sy_n(c->d, callee)->kind != SY_N_IDENT || !top) break;
        name = sy_dsl_text(c->d, callee);
        if (!action(c, x, callee, name, false, effect)) return false;
        for (uint32_t a = sy_n(c->d, sy_n(c->d, n)->first)->next; a; a = sy_n(c->d, a)->next, pos++)
            if (!argument(c, conds, name, a, pos, sy_str_eqz(name, "delegate") || sy_str_eqz(name, "send_message"))) ok = false;
        return ok;
    default: break;
    }
    return sy_comp_refuse(c, n, "target", "NAME, NAME(arguments), \"name\", [names] or any", "'%.*s' names no action", SY_FMT(sy_dsl_text(c->d, n)));
}

bool sy_comp_target(sy_comp *c, sy_buf *scope, sy_buf *conds, uint32_t expr, char effect)
{
    sy_buf list;
    actions x = { &list, 0, false };
    bool ok;
    sy_buf_init(&list, c->cx->alloc, SYMBI_DSL_MAX_CEDAR);
    ok = target(c, &x, conds, expr, effect, true);
    if (list.status) scope->status = list.status;
    if (x.all || !ok) {
        sy_buf_addz(scope, ", action");
    } else {
        sy_buf_addz(scope, ", action in [");
        sy_buf_adds(scope, sy_buf_str(&list));
        sy_buf_addc(scope, ']');
    }
    sy_buf_free(&list);
    return ok;
}
