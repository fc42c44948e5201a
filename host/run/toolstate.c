/* run/toolstate.c: what the runtime knows of a session's program or a browser's page between calls. The gate gets it as context of the next
 * action: context.session_state or context.page_state, and context.interaction_count. Of a page, url and domain are what the browser says; its
 * title and its forms are what the page likes to show. */
#include "base/err.h"
#include "base/str.h"
#include "run/machine.h"

#include <string.h>

struct sy_tool_state {
    sy_tool_state *next;
    symbi_str manifest;
    char state[64];
    size_t nstate;
    int64_t interactions;
    /* a browser's page */
    char url[1024], title[256], domain[256];
    bool has_forms, authenticated, loaded;
    int64_t tabs;
    unsigned untold; /* bits: fields that [browser.state] leaves out; a policy gets none rather than a wrong one */
};

static const char *const page_fields[] = { "domain", "has_forms", "is_authenticated", "page_loaded", "tab_count", "title", "url" };

static bool is_browser(const symbi_tool *t)
{
    symbi_tool_info ti;
    symbi_tool_get_info(t, &ti);
    return ti.backend == SYMBI_BACKEND_BROWSER;
}

/* What does not fit whole counts as nothing: half a URL would be another one. */
static void take_text(char *dst, size_t cap, const symbi_value *from, const char *key)
{
    symbi_str s = symbi_value_str(from, key, SY_LIT(""));
    size_t n = s.n < cap && !(s.n && memchr(s.p, 0, s.n)) ? s.n : 0;
    if (n) memcpy(dst, s.p, n);
    dst[n] = 0;
}

static bool take_flag(const symbi_value *from, const char *key)
{
    const symbi_value *v = symbi_value_getz(from, key);
    return v && v->kind == SYMBI_BOOL && v->u.b;
}

static void take_page(sy_tool_state *s, const symbi_value *page)
{
    const symbi_value *n = symbi_value_getz(page, "tab_count");
    s->untold = 0;
    for (unsigned i = 0; i < sizeof page_fields / sizeof page_fields[0]; i++)
        if (page && page->kind == SYMBI_OBJECT && page->u.o.n && !symbi_value_getz(page, page_fields[i])) s->untold |= 1u << i;
    take_text(s->url, sizeof s->url, page, "url");
    take_text(s->title, sizeof s->title, page, "title");
    take_text(s->domain, sizeof s->domain, page, "domain");
    s->has_forms = take_flag(page, "has_forms");
    s->authenticated = take_flag(page, "is_authenticated");
    s->loaded = take_flag(page, "page_loaded");
    s->tabs = n && n->kind == SYMBI_INT ? n->u.i : 0;
}

static symbi_value page_of(symbi_run *r, const sy_tool_state *s)
{
    const symbi_value values[] = { /* in the order of page_fields */
        sy_val_str(sy_run_dup(&r->turn, symbi_str_z(s ? s->domain : ""))), sy_val_bool(s && s->has_forms), sy_val_bool(s && s->authenticated), sy_val_bool(s && s->loaded), sy_val_int(s ? s->tabs : 0),
        sy_val_str(sy_run_dup(&r->turn, symbi_str_z(s ? s->title : ""))), sy_val_str(sy_run_dup(&r->turn, symbi_str_z(s ? s->url : ""))),
    };
    sy_obj o = sy_obj_new(&r->turn);
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++)
        if (!s || !(s->untold >> i & 1)) sy_obj_put(&o, page_fields[i], values[i]);
    return sy_obj_value(&o);
}

static sy_tool_state *find(const symbi_run *r, symbi_str manifest)
{
    sy_tool_state *s = r->tool_states;
    while (s && !sy_str_eq(s->manifest, manifest)) s = s->next;
    return s;
}

symbi_status sy_run_note_session(symbi_run *r, const symbi_tool *tool, const symbi_value *results, symbi_err *err)
{
    symbi_tool_info ti;
    symbi_str state = symbi_value_str(results, "session_state", SY_LIT("")), inferred = symbi_value_str(results, "inferred_state", SY_LIT(""));
    const symbi_value *n = symbi_value_getz(results, "interaction_count");
    sy_tool_state *s;
    symbi_tool_get_info(tool, &ti);
    if (!(s = find(r, ti.manifest))) { /* at most one for each manifest of the gate */
        s = sy_arena_calloc(&r->life, 1, sizeof *s);
        if (!s || !(s->manifest = sy_run_dup(&r->life, ti.manifest)).p) return sy_arena_fail(&r->life, "the run", err);
        s->next = r->tool_states;
        r->tool_states = s;
    }
    if (ti.backend == SYMBI_BACKEND_BROWSER) take_page(s, symbi_value_getz(results, "page_state"));
    if (sy_str_eqz(state, "ready") && inferred.n) state = inferred; /* a state by the manifest's own names */
    s->nstate = state.n < sizeof s->state ? state.n : 0;
    if (s->nstate) memcpy(s->state, state.p, s->nstate);
    s->interactions = n && n->kind == SYMBI_INT && n->u.i >= 0 ? n->u.i : 0;
    return SYMBI_OK;
}

/* The given context with both keys, for an action on a session; else the given one. What the host says under these names is replaced. */
const symbi_value *sy_run_context_of(symbi_run *r, symbi_str action, const symbi_value *context)
{
    static const symbi_value broken = { .kind = SYMBI_BOOL }; /* out of memory: no object, so the gate denies */
    symbi_toolset *ts = symbi_gate_tools(r->o.gate);
    symbi_tool *t = ts ? symbi_toolset_find(ts, action) : NULL;
    const sy_tool_state *s;
    symbi_tool_info ti;
    sy_obj o;
    symbi_value v;
    const symbi_value *kept;
    if (!t) return context;
    symbi_tool_get_info(t, &ti);
    if (ti.backend != SYMBI_BACKEND_SESSION && !is_browser(t)) return context;
    s = find(r, ti.manifest);
    o = sy_obj_new(&r->turn);
    if (context && context->kind != SYMBI_OBJECT) return context; /* the gate says what is wrong with it */
    for (size_t i = 0; context && i < context->u.o.n; i++)
        if (!sy_str_eqz(context->u.o.members[i].key, "session_state") && !sy_str_eqz(context->u.o.members[i].key, "page_state") && !sy_str_eqz(context->u.o.members[i].key, "interaction_count"))
            sy_obj_puts(&o, context->u.o.members[i].key, context->u.o.members[i].val);
    if (is_browser(t)) sy_obj_put(&o, "page_state", page_of(r, s));
    else sy_obj_str(&o, "session_state", s && s->nstate ? sy_run_dup(&r->turn, (symbi_str){ s->state, s->nstate }) : SY_LIT("spawning"));
    sy_obj_int(&o, "interaction_count", s ? s->interactions : 0);
    v = sy_obj_value(&o);
    kept = sy_arena_memdup(&r->turn, &v, sizeof v);
    return kept && !r->turn.status ? kept : &broken;
}
