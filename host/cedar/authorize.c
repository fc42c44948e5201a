/* cedar/authorize.c: from a request to a decision (spec 8). */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cedar/conform.h"
#include "cedar/eval.h"
#include "cedar/index.h"

#include <string.h>

const char *symbi_cedar_error_name(symbi_cedar_error_kind k)
{
    static const char *const names[] = {
        "none",
#define NAME(name, text) text,
        SYMBI_CEDAR_ERROR_LIST(NAME)
#undef NAME
    };
    return (unsigned)k < sizeof names / sizeof names[0] ? names[k] : "unknown";
}

symbi_status symbi_cedar_eval_new(symbi_ctx *cx, symbi_cedar_eval **out, symbi_err *err)
{
    symbi_cedar_eval *ev = sy_calloc(&cx->alloc, 1, sizeof *ev);
    *out = ev;
    if (!ev) return sy_fail_nomem(err);
    ev->cx = cx;
    sy_scratch_init(&ev->mem, cx->alloc, cx->limits.arena_bytes);
    return SYMBI_OK;
}

void symbi_cedar_eval_free(symbi_cedar_eval *ev)
{
    symbi_alloc a;
    if (!ev) return;
    a = ev->cx->alloc;
    sy_ceval_unbind(ev);
    sy_scratch_free(&ev->mem);
    sy_free(&a, ev->uid_num, ev->cap_uid_num * sizeof *ev->uid_num);
    sy_free(&a, ev->above, ev->cap_above * sizeof *ev->above);
    sy_free(&a, ev->num_uid, ev->cap_num_uid * sizeof *ev->num_uid);
    sy_free(&a, ev->reasons, ev->cap_reasons * sizeof *ev->reasons);
    sy_free(&a, ev->errors, ev->cap_errors * sizeof *ev->errors);
    sy_free(&a, ev->cand, ev->cap_cand * sizeof *ev->cand);
    sy_free(&a, ev->stamp, ev->cap_stamp * sizeof *ev->stamp);
    sy_free(&a, ev, sizeof *ev);
}

static symbi_status take_uid(const symbi_cedar_uid *u, const char *what, sy_cuid *out, symbi_err *err)
{
    if (!sy_cname_valid(u->type))
        return sy_fail(err, SYMBI_EINVAL, "the %s's type `%.*s` is not an entity type: names joined by `::`", what, SY_FMT(u->type));
    if (u->id.n > UINT32_MAX - 16 || !sy_utf8_valid(u->id, NULL)) return sy_fail(err, SYMBI_EINVAL, "the %s's id is not valid UTF-8", what);
    out->type = u->type;
    out->id = u->id;
    return SYMBI_OK;
}

static symbi_status take_overlay(symbi_cedar_eval *ev, const symbi_cedar_request *rq, sy_cconv *c, symbi_err *err)
{
    sy_cpath top = { NULL, SY_LIT("overlay"), 0 };
    symbi_status st;
    if (rq->noverlay > 65536) return sy_fail(err, SYMBI_ELIMIT, "more than 65536 overlay entities");
    ev->overlay = sy_scratch_array(&ev->mem, rq->noverlay + 1, sizeof *ev->overlay);
    if (!ev->overlay) return sy_cconv_nomem(c);
    for (size_t i = 0; i < rq->noverlay; i++) {
        const symbi_cedar_entity *in = &rq->overlay[i];
        sy_coverlay *o = &ev->overlay[i];
        sy_cpath at = { &top, { NULL, 0 }, i }, pa = { &at, SY_LIT("attrs"), 0 }, pt = { &at, SY_LIT("tags"), 0 };
        sy_cuid *par;
        memset(o, 0, sizeof *o);
        o->e.num = SY_NONE;
        if ((st = take_uid(&in->uid, "overlay entity", &o->e.uid, err))) return st;
        if ((in->attrs && in->attrs->kind != SYMBI_OBJECT) || (in->tags && in->tags->kind != SYMBI_OBJECT))
            return sy_cconv_fail(c, SYMBI_ESCHEMA, &at, "attributes and tags are objects");
        if (in->attrs && (st = sy_cconvert_record(c, in->attrs, in->rule, NULL, 0, &pa, &o->e.attrs, &o->e.nattrs))) return st;
        if (in->tags && (st = sy_cconvert_record(c, in->tags, in->rule, NULL, 0, &pt, &o->e.tags, &o->e.ntags))) return st;
        if (in->nparents > 65536) return sy_fail(err, SYMBI_ELIMIT, "more than 65536 parents of one overlay entity");
        par = sy_scratch_array(&ev->mem, in->nparents + 1, sizeof *par);
        if (!par) return sy_cconv_nomem(c);
        for (size_t k = 0; k < in->nparents; k++)
            if ((st = take_uid(&in->parents[k], "parent of an overlay entity", &par[k], err))) return st;
        o->par = par;
        o->npar = (uint32_t)in->nparents;
        ev->noverlay++;
    }
    return SYMBI_OK;
}

static symbi_status prepare(symbi_cedar_eval *ev, const symbi_cedar *set, const symbi_cedar_request *rq, symbi_err *err)
{
    sy_cconv c = { &ev->mem, ev->cx->limits.doc_depth, false, err, 0 };
    symbi_status st;
    const symbi_cedar_uid *in[3] = { &rq->principal, &rq->action, &rq->resource };
    static const char *const names[] = { "principal", "action", "resource" };
    sy_scratch_reset(&ev->mem);
    ev->set = set;
    ev->store = rq->entities;
    ev->overlay = NULL;
    ev->noverlay = 0;
    ev->steps = 0;
    ev->budget = ev->cx->limits.eval_steps;
    ev->nreasons = ev->nerrors = ev->ncand = 0;
    memset(&ev->context, 0, sizeof ev->context);
    ev->context.tag = SY_CV_RECORD;
    for (int k = 0; k < 3; k++)
        if ((st = take_uid(in[k], names[k], &ev->uid[k], err))) return st;
    if (rq->context) {
        sy_cpath top = { NULL, SY_LIT("context"), 0 };
        const symbi_value *x = symbi_value_getz(rq->context, "__entity");
        sy_cuid u;
        if (rq->context->kind != SYMBI_OBJECT)
            return sy_cconv_fail(&c, SYMBI_ESCHEMA, &top, "the context is not a record: found %s", symbi_kind_name((symbi_kind)rq->context->kind));
        if (rq->context_rule == SYMBI_CEDAR_STRICT && rq->context->u.o.n == 1) { /* the context as a whole may not be an escape either */
            if (x && sy_ctype_and_id(x, &u)) return sy_cconv_fail(&c, SYMBI_ESCHEMA, &top, "the context is not a record: found an entity reference");
            x = symbi_value_getz(rq->context, "__expr");
            if (x && x->kind == SYMBI_STRING) return sy_cconv_fail(&c, SYMBI_ESCHEMA, &top, "the `__expr` escape is no longer supported");
            x = symbi_value_getz(rq->context, "__extn");
            if (x && symbi_value_getz(x, "fn") && (symbi_value_getz(x, "arg") || symbi_value_getz(x, "args")))
                return sy_cconv_fail(&c, SYMBI_ESCHEMA, &top, "the context is not a record: found an extension value");
        }
        if (!rq->schema && (st = sy_cconvert_record(&c, rq->context, rq->context_rule, rq->rules, rq->nrules, &top, &ev->context.u.attrs, &ev->context.n))) return st;
    }
    if (rq->schema) {
        sy_cpath top = { NULL, SY_LIT("context"), 0 };
        symbi_value none = { .kind = SYMBI_OBJECT };
        uint32_t act = sy_cschema_action(rq->schema, &ev->uid[1]);
        if (act == SY_NONE)
            return sy_cconv_fail(&c, SYMBI_ESCHEMA, NULL, "action `%.*s::\"%.*s\"` does not exist in the supplied schema", SY_FMT(ev->uid[1].type), SY_FMT(ev->uid[1].id));
        if ((st = sy_cconvert_record_typed(&c, rq->schema, rq->context ? rq->context : &none, rq->schema->actions[act].context, &top, &ev->context.u.attrs, &ev->context.n))) return st;
        if (!rq->unchecked && (st = sy_cconform_request(&c, rq->schema, ev->uid, &ev->context))) return st;
    }
    if (rq->noverlay && (st = take_overlay(ev, rq, &c, err))) return st;
    for (int k = 0; k < 3; k++) ev->ent[k] = NULL;
    for (int k = 0; k < 3; k++) {
        sy_cuid u = ev->uid[k]; /* a copy: the search must not take the short cut that it fills */
        ev->ent[k] = sy_ceval_find(ev, &u);
    }
    ev->steps += c.work;
    return sy_ceval_bind(ev) ? SYMBI_OK : sy_fail_nomem(err);
}

/* Is the variable's entity in this uid of the set? */
static bool in_uid(symbi_cedar_eval *ev, int var, uint32_t uid, bool *ok)
{
    if (!ev->indexed || !ev->listed[var]) return sy_ceval_in(ev, &ev->uid[var], &ev->set->uids[uid], ok);
    *ok = ev->above[(size_t)var * ev->set->nuids + uid] == ev->epoch;
    return true;
}

static bool scope_ok(symbi_cedar_eval *ev, const sy_cpolicy *link, const sy_cscope *sc, int var, bool *ok)
{
    const symbi_cedar *s = ev->set;
    const sy_cuid *u = &ev->uid[var];
    uint32_t uid = sc->slot ? link->fill[var == SY_VAR_RESOURCE] : sc->uid;
    ev->steps++;
    switch ((sy_cscope_op)sc->op) {
    case SY_SC_ANY: *ok = true; return true;
    case SY_SC_EQ: *ok = ev->indexed ? ev->sidx[var] == uid : sy_cuid_eq(u, &s->uids[uid]); return true;
    case SY_SC_IN: return in_uid(ev, var, uid, ok);
    case SY_SC_IS: *ok = ev->indexed ? ev->tidx[var] == sc->type : sy_str_eq(u->type, s->strs[sc->type]); return true;
    case SY_SC_ISIN:
        *ok = ev->indexed ? ev->tidx[var] == sc->type : sy_str_eq(u->type, s->strs[sc->type]);
        return *ok ? in_uid(ev, var, uid, ok) : true;
    case SY_SC_INLIST:
        *ok = false;
        for (uint32_t i = 0; i < sc->n && !*ok; i++)
            if (!in_uid(ev, var, s->list[sc->uid + i], ok)) return false;
        return true;
    }
    *ok = false;
    return true;
}

/* 1 satisfied, 0 not, -1 error (ev->err tells). */
static int satisfied(symbi_cedar_eval *ev, const sy_cpolicy *p)
{
    const symbi_cedar *s = ev->set;
    const sy_cpolicy *body = p->role == SYMBI_CEDAR_LINK ? &s->policies[p->tmpl] : p;
    bool ok;
    ev->policy = p;
    for (int v = 0; v < 3; v++) {
        if (body->scope[v].op == SY_SC_ANY) continue;
        if (!scope_ok(ev, p, &body->scope[v], v, &ok)) return -1;
        if (!ok) return 0;
    }
    for (uint32_t i = 0; i < body->ncond; i++) {
        uint32_t c = s->list[body->cond + i];
        sy_cval r;
        if (!sy_ceval(ev, c & ~SY_UNLESS, &r)) return -1;
        if (r.tag != SY_CV_BOOL) {
            ev->err.pos = s->nodes[c & ~SY_UNLESS].pos;
            sy_cerr_type(&ev->err, "bool", &r);
            return -1;
        }
        if (r.u.b == ((c & SY_UNLESS) != 0)) return 0;
    }
    return 1;
}

static symbi_status note_error(symbi_cedar_eval *ev, uint32_t index, const sy_cpolicy *p, symbi_err *err)
{
    const symbi_cedar *s = ev->set;
    const sy_cpolicy *body = p->role == SYMBI_CEDAR_LINK ? &s->policies[p->tmpl] : p;
    symbi_cedar_error *e;
    symbi_str m = { ev->err.msg, ev->err.n };
    if (ev->err.kind == SY_CEDAR_E_STOP) return sy_fail(err, SYMBI_EBUDGET, "the decision needs more than %llu steps", (unsigned long long)ev->budget);
    if (ev->err.kind == SY_CEDAR_E_NOMEM) {
        if (ev->mem.limited) return sy_fail(err, SYMBI_ELIMIT, "the decision needs more than %zu bytes of memory", ev->mem.limit);
        return sy_fail_nomem(err);
    }
    if (sy_grow(&ev->cx->alloc, (void **)&ev->errors, &ev->cap_errors, ev->nerrors + 1, sizeof *ev->errors)) return sy_fail_nomem(err);
    m = sy_scratch_dup(&ev->mem, m);
    if (!m.p) return sy_fail_nomem(err);
    e = &ev->errors[ev->nerrors++];
    e->policy = index;
    e->kind = ev->err.kind;
    e->effect = (symbi_cedar_effect)body->effect;
    e->line = e->col = 0;
    e->message = m;
    if (body->line && body->source < s->nsources && ev->err.pos >= body->pos) {
        symbi_str t = { s->sources[body->source].text.p + body->pos, body->end - body->pos };
        sy_cpos(t, ev->err.pos - body->pos, &e->line, &e->col);
        if (e->line == 1) e->col += body->col - 1;
        e->line += body->line - 1;
    }
    return SYMBI_OK;
}

static void sort_errors(symbi_cedar_error *v, size_t n)
{
    for (size_t start = n / 2, end = n; end > 1;) { /* heap sort by policy */
        size_t i, k;
        symbi_cedar_error x;
        if (start > 0) {
            x = v[--start];
        } else {
            x = v[--end];
            v[end] = v[0];
            v[0] = x;
        }
        for (i = start; (k = 2 * i + 1) < end; i = k) {
            if (k + 1 < end && v[k].policy < v[k + 1].policy) k++;
            if (x.policy >= v[k].policy) break;
            v[i] = v[k];
        }
        v[i] = x;
    }
}

static symbi_status decide(symbi_cedar_eval *ev, symbi_cedar_answer *out, symbi_err *err)
{
    const symbi_cedar *s = ev->set;
    size_t forbids = 0, k = 0, n = s->npolicies;
    symbi_status st;
    ev->indexed = false;
    if (s->index) {
        if (!sy_cindex_find(ev)) return sy_fail_nomem(err);
        n = ev->ncand;
    }
    if (sy_grow(&ev->cx->alloc, (void **)&ev->reasons, &ev->cap_reasons, n + 1, sizeof *ev->reasons)) return sy_fail_nomem(err);
    for (size_t j = 0; j < n; j++) {
        uint32_t i = s->index ? ev->cand[j] : (uint32_t)j;
        const sy_cpolicy *p = &s->policies[i];
        int r;
        if (p->role == SYMBI_CEDAR_TEMPLATE) continue;
        out->candidates++;
        if (++ev->steps > ev->budget) ev->err.kind = SY_CEDAR_E_STOP, r = -1;
        else r = satisfied(ev, p);
        if (r < 0) {
            if ((st = note_error(ev, i, p, err))) return st;
            if (ev->errors[ev->nerrors - 1].effect == SYMBI_CEDAR_FORBID) out->forbid_error = true;
        } else if (r) {
            ev->reasons[ev->nreasons++] = i;
            forbids += p->effect == SYMBI_CEDAR_FORBID;
        }
    }
    out->permits = ev->nreasons - forbids;
    for (size_t i = 0; i < ev->nreasons; i++)
        if (!forbids || s->policies[ev->reasons[i]].effect == SYMBI_CEDAR_FORBID) ev->reasons[k++] = ev->reasons[i];
    ev->nreasons = k;
    if (s->index) { /* candidates come bucket by bucket */
        sy_u32_sort(ev->reasons, k);
        sort_errors(ev->errors, ev->nerrors);
    }
    out->decision = !forbids && k ? SYMBI_ALLOW : SYMBI_DENY;
    out->reasons = ev->reasons;
    out->nreasons = k;
    out->errors = ev->errors;
    out->nerrors = ev->nerrors;
    return SYMBI_OK;
}

symbi_status symbi_cedar_authorize(symbi_cedar_eval *ev, const symbi_cedar *set, const symbi_cedar_request *rq, symbi_cedar_answer *out, symbi_err *err)
{
    symbi_status st;
    memset(out, 0, sizeof *out);
    st = prepare(ev, set, rq, err);
    if (!st) st = decide(ev, out, err);
    out->steps = ev->steps;
    if (st) {
        out->decision = SYMBI_DENY;
        out->nreasons = out->nerrors = out->permits = 0;
        out->forbid_error = false;
    }
    return st;
}
