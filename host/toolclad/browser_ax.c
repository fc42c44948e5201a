/* toolclad/browser_ax.c: an accessibility tree (what Accessibility.getFullAXTree gives) as the outline that a model reads: one line per node,
 * "- role "name": value", indented by depth. The list comes from the browser: it may name nodes that are not there, or itself. */
#include "base/map.h"
#include "base/str.h"
#include "toolclad/browser_in.h"

enum { STACK = 4096, DEPTH = 40, NAME = 400 };

typedef struct item {
    uint32_t index, depth;
    symbi_str above; /* name of the nearest node that was written */
} item;

/* The text of {"value": {...}} under key. */
static symbi_str text_of(const symbi_value *node, const char *key) { return symbi_value_str(symbi_value_getz(node, key), "value", SY_LIT("")); }

static bool is_quiet(symbi_str role)
{
    static const char *const quiet[] = { "none", "generic", "presentation", "InlineTextBox", "LineBreak", "GenericContainer", "" };
    for (size_t i = 0; i < sizeof quiet / sizeof quiet[0]; i++)
        if (sy_str_eqz(role, quiet[i])) return true;
    return false;
}

static void clean(sy_buf *o, symbi_str s)
{
    size_t n = sy_utf8_cut(s, NAME);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        sy_buf_addc(o, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
    if (n < s.n) sy_buf_addz(o, "...");
}

static void line(sy_buf *o, const symbi_value *node, symbi_str role, symbi_str name, uint32_t depth)
{
    static const char *const told[] = { "checked", "disabled", "expanded", "selected", "required", "invalid", "level", NULL };
    const symbi_value *props = symbi_value_getz(node, "properties");
    symbi_str value = text_of(node, "value");
    for (uint32_t i = 0; i < depth; i++) sy_buf_addz(o, "  ");
    sy_buf_addz(o, "- ");
    clean(o, role);
    if (name.n) {
        sy_buf_addz(o, " \"");
        clean(o, name);
        sy_buf_addz(o, "\"");
    }
    for (size_t i = 0; props && props->kind == SYMBI_ARRAY && i < props->u.a.n; i++) {
        symbi_str key = symbi_value_str(&props->u.a.items[i], "name", SY_LIT(""));
        const symbi_value *v = symbi_value_getz(symbi_value_getz(&props->u.a.items[i], "value"), "value");
        for (size_t k = 0; v && told[k]; k++) {
            if (!sy_str_eqz(key, told[k])) continue;
            if (v->kind == SYMBI_BOOL && v->u.b) sy_buf_addf(o, " [%s]", told[k]);
            else if (v->kind == SYMBI_STRING && sy_str_eqz(v->u.s, "true")) sy_buf_addf(o, " [%s]", told[k]);
            else if (v->kind == SYMBI_INT) sy_buf_addf(o, " [%s=%lld]", told[k], (long long)v->u.i);
        }
    }
    if (value.n) {
        sy_buf_addz(o, ": ");
        clean(o, value);
    }
    sy_buf_addc(o, '\n');
}

symbi_str sy_ax_text(symbi_ctx *cx, sy_arena *a, const symbi_value *nodes, size_t max, bool *cut)
{
    symbi_str none = { NULL, 0 }, s = none;
    size_t n = nodes && nodes->kind == SYMBI_ARRAY ? nodes->u.a.n : 0, top = 0;
    bool *seen = sy_arena_calloc(a, n + 1, sizeof *seen);
    item *stack = sy_arena_calloc(a, STACK, sizeof *stack);
    sy_map ids;
    sy_buf o;
    *cut = false;
    if (!seen || !stack) return none;
    sy_map_init(&ids, cx->alloc, cx->seed);
    sy_buf_init(&o, cx->alloc, max + 8192);
    for (size_t i = 0; i < n; i++) {
        symbi_str id = symbi_value_str(&nodes->u.a.items[i], "nodeId", SY_LIT(""));
        bool fresh;
        sy_map_entry *e = id.n ? sy_map_put(&ids, id, &fresh) : NULL;
        if (id.n && !e) goto nomem;
        if (e && fresh) e->val.u = i;
    }
    for (size_t start = 0; start < n && !*cut; start++) { /* roots in order; in a list that is no tree each node still comes once */
        if (seen[start]) continue;
        stack[top++] = (item){ (uint32_t)start, 0, none };
        while (top && !*cut) {
            item it = stack[--top];
            const symbi_value *node = &nodes->u.a.items[it.index], *ignored = symbi_value_getz(node, "ignored"), *kids = symbi_value_getz(node, "childIds");
            symbi_str role = text_of(node, "role"), name = text_of(node, "name");
            if (seen[it.index]) continue;
            seen[it.index] = true;
            if (!(ignored && ignored->kind == SYMBI_BOOL && ignored->u.b) && !(is_quiet(role) && (!name.n || sy_str_eqz(role, "InlineTextBox"))) &&
                !(sy_str_eqz(role, "StaticText") && sy_str_eq(name, it.above))) {
                line(&o, node, role, name, it.depth);
                if (it.depth < DEPTH) it.depth++;
                it.above = name;
                *cut = o.n > max;
            }
            for (size_t k = kids && kids->kind == SYMBI_ARRAY ? kids->u.a.n : 0; k--;) {
                sy_map_entry *e = kids->u.a.items[k].kind == SYMBI_STRING ? sy_map_find(&ids, kids->u.a.items[k].u.s) : NULL;
                if (!e || seen[e->val.u]) continue;
                if (top == STACK) break; /* the rest is found by the loop around */
                stack[top++] = (item){ (uint32_t)e->val.u, it.depth, it.above };
            }
        }
        top = 0;
    }
    if (sy_buf_status(&o) == SYMBI_ENOMEM) goto nomem;
    s = sy_arena_dup(a, (symbi_str){ o.p, sy_utf8_cut(sy_buf_str(&o), max) });
    sy_map_free(&ids);
    sy_buf_free(&o);
    return s;
nomem:
    sy_map_free(&ids);
    sy_buf_free(&o);
    a->status = SYMBI_ENOMEM;
    return none;
}
