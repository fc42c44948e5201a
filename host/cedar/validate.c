/* cedar/validate.c: the passes over each policy (spec 12.1), its environments (12.2), the findings. */
#include "cedar/validate.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

struct symbi_cedar_report {
    symbi_alloc alloc;
    sy_scratch mem;
    symbi_cedar_finding *v;
    size_t n, cap;
};

enum { FINDINGS_PER_POLICY = 2000 };

typedef struct run {
    symbi_ctx *cx;
    const symbi_cedar *set;
    const sy_cschema *schema;
    unsigned flags;
    symbi_cedar_report *rep;
    sy_scratch mem;     /* types of one environment */
    uint32_t policy;    /* the one being looked at, and whose id findings carry */
    const sy_cpolicy *at; /* whose text positions are in */
    size_t first;       /* its first finding */
    bool *p_ok, *r_ok;  /* entity types that the scope lets through */
    bool failed, limited;
} run;

static void add(run *r, const char *kind, bool warning, uint32_t pos, symbi_str message)
{
    symbi_cedar_report *rep = r->rep;
    const sy_cpolicy *p = r->at;
    symbi_cedar_finding f;
    memset(&f, 0, sizeof f);
    f.policy = r->policy;
    f.kind = kind;
    f.warning = warning;
    f.message = message;
    if (p->line && p->source < r->set->nsources && pos >= p->pos && pos <= p->end) {
        symbi_str t = { r->set->sources[p->source].text.p + p->pos, p->end - p->pos };
        sy_cpos(t, pos - p->pos, &f.line, &f.col);
        if (f.line == 1) f.col += p->col - 1;
        f.line += p->line - 1;
    }
    for (size_t i = r->first; i < rep->n; i++) /* the same fault in another environment */
        if (rep->v[i].kind == kind && rep->v[i].line == f.line && rep->v[i].col == f.col && sy_str_eq(rep->v[i].message, message)) return;
    if (rep->n - r->first >= FINDINGS_PER_POLICY) return;
    f.message = sy_scratch_dup(&rep->mem, message);
    if (!f.message.p || sy_grow(&rep->alloc, (void **)&rep->v, &rep->cap, rep->n + 1, sizeof *rep->v)) r->failed = true;
    else rep->v[rep->n++] = f;
}

SYMBI_PRINTF(5, 6) static void addf(run *r, const char *kind, bool warning, uint32_t pos, const char *fmt, ...)
{
    char buf[700];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    add(r, kind, warning, pos, symbi_str_z(buf));
}

static void from_typecheck(void *ud, const char *kind, uint32_t pos, symbi_str message) { add(ud, kind, false, pos, message); }

/* ---- names that must be declared (passes 1 to 3) ---- */

static void check_type(run *r, symbi_str type, uint32_t pos)
{
    if (sy_cschema_entity(r->schema, type) == SY_NONE && !sy_map_find(&r->schema->action_types, type))
        addf(r, "unrecognized_entity_type", false, pos, "unrecognized entity type `%.*s`", SY_FMT(type));
}

static void check_uid(run *r, uint32_t uid, uint32_t pos)
{
    const sy_cuid *u = &r->set->uids[uid];
    uint32_t k;
    if (sy_str_eqz(sy_cname_base(u->type), "Action")) {
        if (sy_cschema_action(r->schema, u) == SY_NONE)
            addf(r, "unrecognized_action_id", false, pos, "unrecognized action `%.*s::\"%.*s\"`", SY_FMT(u->type), SY_FMT(u->id));
        return;
    }
    check_type(r, u->type, pos);
    k = sy_cschema_entity(r->schema, u->type);
    if (k != SY_NONE && r->schema->entities[k].is_enum && !sy_cschema_enum_has(&r->schema->entities[k], u->id))
        addf(r, "invalid_enum_entity", false, pos, "entity `%.*s::\"%.*s\"` is of an enumerated entity type, but its id is not declared", SY_FMT(u->type), SY_FMT(u->id));
}

static void text(run *r, symbi_str s, bool ident, uint32_t pos)
{
    const char *kind = sy_ctext_warning(s, ident);
    if (!kind) return;
    addf(r, kind, true, pos, "`%.*s` contains %s", SY_FMT(s),
         !strcmp(kind, "bidi_chars") ? "characters that change the direction of text" : !strcmp(kind, "mixed_script") ? "letters of more than one script" : "characters that may be confused with others");
}
static void uid_text(run *r, uint32_t uid, uint32_t pos)
{
    symbi_str t = r->set->uids[uid].type;
    for (size_t i = 0; i < t.n;) { /* type names are ASCII: nothing to warn of, but the rule names them */
        size_t k = i;
        while (k < t.n && t.p[k] != ':') k++;
        text(r, (symbi_str){ t.p + i, k - i }, true, pos);
        i = k + 2;
    }
    text(r, r->set->uids[uid].id, true, pos);
}

/* All names and strings of an expression. Recursion is bounded by the height of the tree. */
static void walk(run *r, uint32_t node)
{
    const symbi_cedar *s = r->set;
    const sy_cnode *n = &s->nodes[node];
    const uint32_t *l = s->list + n->a;
    switch ((sy_cop)n->op) {
    case SY_OP_BOOL: case SY_OP_LONG: case SY_OP_VAR: case SY_OP_SLOT: return;
    case SY_OP_STR: text(r, s->strs[n->a], false, n->pos); return;
    case SY_OP_UID:
        check_uid(r, n->a, n->pos);
        uid_text(r, n->a, n->pos);
        return;
    case SY_OP_NOT: case SY_OP_NEG: case SY_OP_ISEMPTY: walk(r, n->a); return;
    case SY_OP_AND: case SY_OP_OR: case SY_OP_ADD: case SY_OP_MUL: case SY_OP_SET: case SY_OP_CALL:
        for (uint32_t i = 0; i < n->b; i++) walk(r, l[i] & ~SY_MINUS);
        return;
    case SY_OP_HAS:
        for (uint32_t i = 0; i < n->n; i++) text(r, s->strs[s->list[n->b + i]], true, n->pos);
        walk(r, n->a);
        return;
    case SY_OP_GET:
        text(r, s->strs[n->b], true, n->pos);
        walk(r, n->a);
        return;
    case SY_OP_LIKE: {
        symbi_str p = s->strs[n->b]; /* the wildcard is no character: pieces are looked at together, as the text they are */
        char *copy = sy_scratch_alloc(&r->mem, p.n + 1);
        if (!copy) {
            r->failed = true;
            return;
        }
        for (size_t i = 0; i < p.n; i++) copy[i] = (unsigned char)p.p[i] == 0xFF ? '*' : p.p[i];
        text(r, (symbi_str){ copy, p.n }, false, n->pos);
        walk(r, n->a);
        return;
    }
    case SY_OP_IS:
        check_type(r, s->strs[n->b], n->pos);
        walk(r, n->a);
        return;
    case SY_OP_ISIN:
        check_type(r, s->strs[n->b], n->pos);
        walk(r, l[0]);
        walk(r, l[1]);
        return;
    case SY_OP_IF:
        for (int i = 0; i < 3; i++) walk(r, l[i]);
        return;
    case SY_OP_RECORD:
        for (uint32_t i = 0; i < n->b; i++) {
            text(r, s->strs[l[2 * i]], true, n->pos);
            walk(r, l[2 * i + 1]);
        }
        return;
    default:
        walk(r, n->a);
        walk(r, n->b);
        return;
    }
}

static void walk_scope(run *r, const sy_cpolicy *p)
{
    for (int v = 0; v < 3; v++) {
        const sy_cscope *sc = &p->scope[v];
        if (sc->op == SY_SC_IS || sc->op == SY_SC_ISIN) check_type(r, r->set->strs[sc->type], p->pos);
        if (sc->op == SY_SC_INLIST) {
            for (uint32_t i = 0; i < sc->n; i++) {
                check_uid(r, r->set->list[sc->uid + i], p->pos);
                uid_text(r, r->set->list[sc->uid + i], p->pos);
            }
        } else if (sc->op != SY_SC_ANY && sc->op != SY_SC_IS && !sc->slot) {
            check_uid(r, sc->uid, p->pos);
            uid_text(r, sc->uid, p->pos);
        }
    }
}

/* ---- does any action apply (pass 4) ---- */

/* Entity types that a constraint lets through. */
static void allowed(const run *r, const sy_cpolicy *p, int var, bool *out)
{
    const sy_cpolicy *body = p->role == SYMBI_CEDAR_LINK ? &r->set->policies[p->tmpl] : p;
    const sy_cscope *sc = &body->scope[var];
    const sy_cschema *s = r->schema;
    uint32_t uid = !sc->slot ? sc->uid : p->role == SYMBI_CEDAR_LINK ? p->fill[var == SY_VAR_RESOURCE] : SY_NONE;
    uint32_t t = SY_NONE, is = SY_NONE;
    bool needs_is = sc->op == SY_SC_IS || sc->op == SY_SC_ISIN;
    if (uid != SY_NONE && sc->op != SY_SC_ANY && sc->op != SY_SC_IS) t = sy_cschema_entity(s, r->set->uids[uid].type);
    if (needs_is) is = sy_cschema_entity(s, r->set->strs[sc->type]);
    for (uint32_t i = 0; i < s->nentities; i++) {
        bool ok = !needs_is || i == is;
        if (sc->op == SY_SC_EQ && uid != SY_NONE) ok = i == t;
        if ((sc->op == SY_SC_IN || sc->op == SY_SC_ISIN) && uid != SY_NONE) ok = ok && t != SY_NONE && (i == t || sy_cschema_under(s, i, t));
        out[i] = ok;
    }
}

static bool action_matches(const run *r, const sy_cpolicy *p, uint32_t action)
{
    const sy_cscope *sc = &p->scope[SY_VAR_ACTION];
    uint32_t k;
    bool in = false;
    switch (sc->op) {
    case SY_SC_ANY: return true;
    case SY_SC_EQ: return sy_cschema_action(r->schema, &r->set->uids[sc->uid]) == action;
    case SY_SC_IN:
        k = sy_cschema_action(r->schema, &r->set->uids[sc->uid]);
        return k != SY_NONE && sy_cschema_action_in(r->schema, action, k);
    case SY_SC_INLIST:
        for (uint32_t i = 0; i < sc->n; i++) {
            k = sy_cschema_action(r->schema, &r->set->uids[r->set->list[sc->uid + i]]);
            if (k == SY_NONE) return false;
            in = in || sy_cschema_action_in(r->schema, action, k);
        }
        return in;
    default: return false;
    }
}

static bool any(const bool *ok, const uint32_t *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (ok[v[i]]) return true;
    return false;
}

static void application(run *r, const sy_cpolicy *p)
{
    const sy_cpolicy *body = p->role == SYMBI_CEDAR_LINK ? &r->set->policies[p->tmpl] : p;
    allowed(r, p, SY_VAR_PRINCIPAL, r->p_ok);
    allowed(r, p, SY_VAR_RESOURCE, r->r_ok);
    for (uint32_t i = 0; i < r->schema->nactions; i++) {
        const sy_cst_action *a = &r->schema->actions[i];
        if (action_matches(r, body, i) && any(r->p_ok, a->principals, a->nprincipals) && any(r->r_ok, a->resources, a->nresources)) return;
    }
    addf(r, "invalid_action_application", !(r->flags & SYMBI_CEDAR_ACTION_ERRORS), body->pos, "no action applies to a principal and a resource that this policy's scope lets through");
}

/* ---- environments (12.2) ---- */

/* Types that a slot may have where its variable has type `t`: itself for ==, every type that may be above it for in. */
static uint32_t slot_types(const run *r, const sy_cscope *sc, uint32_t t, uint32_t i, uint32_t *out)
{
    const sy_cst_entity *e = &r->schema->entities[t];
    if (!sc->slot || sc->op == SY_SC_EQ) {
        *out = t;
        return i == 0;
    }
    if (i == 0) {
        *out = t;
        return 1;
    }
    if (i > e->nanc) return 0;
    *out = e->anc[i - 1];
    return 1;
}

static void typecheck(run *r, const sy_cpolicy *p)
{
    sy_cenv e;
    bool possible = false;
    memset(&e, 0, sizeof e);
    e.cx = r->cx;
    e.set = r->set;
    e.schema = r->schema;
    e.mem = &r->mem;
    e.policy = p;
    e.report = from_typecheck;
    e.ud = r;
    e.budget = (uint64_t)r->cx->limits.eval_steps * 200;
    for (uint32_t a = 0; a < r->schema->nactions && !r->failed && !e.stop; a++) {
        const sy_cst_action *act = &r->schema->actions[a];
        e.action = a;
        for (uint32_t i = 0; i < act->nprincipals && !e.stop; i++)
            for (uint32_t j = 0; j < act->nresources && !e.stop; j++) {
                e.principal = act->principals[i];
                e.resource = act->resources[j];
                for (uint32_t si = 0; slot_types(r, &p->scope[SY_VAR_PRINCIPAL], e.principal, si, &e.slot[0]) && !e.stop; si++)
                    for (uint32_t sj = 0; slot_types(r, &p->scope[SY_VAR_RESOURCE], e.resource, sj, &e.slot[1]) && !e.stop; sj++) {
                        sy_scratch_reset(&r->mem);
                        if (sy_ctypecheck(&e) != 1) possible = true;
                    }
            }
    }
    if (e.stop) {
        r->failed = true;
        r->limited = e.work > e.budget;
    }
    if (!possible && !r->failed) addf(r, "impossible_policy", true, p->pos, "this policy can never apply: its scope and conditions are false for every request that the schema allows");
}

static void one(run *r, uint32_t i)
{
    const sy_cpolicy *p = &r->set->policies[i];
    r->policy = i;
    r->first = r->rep->n;
    r->at = p;
    if (p->role == SYMBI_CEDAR_LINK) { /* its slots' types, and whether it can apply; the template was typed as such */
        r->at = &r->set->policies[p->tmpl];
        for (int k = 0; k < 2; k++)
            if (p->fill[k] != SY_NONE) check_type(r, r->set->uids[p->fill[k]].type, r->at->pos);
        application(r, p);
        return;
    }
    sy_scratch_reset(&r->mem);
    walk_scope(r, p);
    for (uint32_t k = 0; k < p->ncond; k++) walk(r, r->set->list[p->cond + k] & ~SY_UNLESS);
    application(r, p);
    typecheck(r, p);
}

symbi_status symbi_cedar_validate(symbi_ctx *cx, const symbi_cedar *set, const symbi_cedar_schema *schema, unsigned flags, symbi_cedar_report **out, symbi_err *err)
{
    run r;
    size_t n = (size_t)schema->nentities + 1;
    symbi_status st = SYMBI_OK;
    memset(&r, 0, sizeof r);
    *out = NULL;
    r.cx = cx;
    r.set = set;
    r.schema = schema;
    r.flags = flags;
    r.rep = sy_calloc(&cx->alloc, 1, sizeof *r.rep);
    if (!r.rep) return sy_fail_nomem(err);
    r.rep->alloc = cx->alloc;
    sy_scratch_init(&r.rep->mem, cx->alloc, cx->limits.arena_bytes);
    sy_scratch_init(&r.mem, cx->alloc, cx->limits.arena_bytes);
    r.p_ok = sy_calloc(&cx->alloc, n, sizeof *r.p_ok);
    r.r_ok = sy_calloc(&cx->alloc, n, sizeof *r.r_ok);
    if (!r.p_ok || !r.r_ok) r.failed = true;
    for (uint32_t i = 0; i < set->npolicies && !r.failed; i++) one(&r, i);
    sy_free(&cx->alloc, r.p_ok, n * sizeof *r.p_ok);
    sy_free(&cx->alloc, r.r_ok, n * sizeof *r.r_ok);
    if (r.failed)
        st = r.limited || r.mem.limited || r.rep->mem.limited ? sy_fail(err, SYMBI_ELIMIT, "validating policy `%.*s` needs too much memory or work", SY_FMT(set->strs[set->policies[r.policy].id]))
                                                              : sy_fail_nomem(err);
    sy_scratch_free(&r.mem);
    if (st) symbi_cedar_report_free(r.rep);
    else *out = r.rep;
    return st;
}

void symbi_cedar_report_free(symbi_cedar_report *rep)
{
    symbi_alloc a;
    if (!rep) return;
    a = rep->alloc;
    sy_scratch_free(&rep->mem);
    sy_free(&a, rep->v, rep->cap * sizeof *rep->v);
    sy_free(&a, rep, sizeof *rep);
}

size_t symbi_cedar_report_count(const symbi_cedar_report *rep) { return rep->n; }
const symbi_cedar_finding *symbi_cedar_report_at(const symbi_cedar_report *rep, size_t i) { return i < rep->n ? &rep->v[i] : NULL; }

bool symbi_cedar_report_valid(const symbi_cedar_report *rep)
{
    for (size_t i = 0; i < rep->n; i++)
        if (!rep->v[i].warning) return false;
    return true;
}
