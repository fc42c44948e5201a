/* comm/rule.c: one rule from its object. Both shapes are read strictly: what cannot be understood would otherwise be a rule that
 * never matches, and a deny rule that never matches opens what it was to close. */
#include "comm/comm.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/build.h"

#include <stdio.h>

enum { F_ID, F_NAME, F_FROM, F_TO, F_ACTION, F_EFFECT, F_REASON, F_PRIORITY, F_DEPTH, F_CONDITION, F_WARNING, NFIELD };
static const struct {
    const char *key;
    int field;
} keys[] = {
    { "id", F_ID },           { "name", F_NAME },         { "from_agent", F_FROM },  { "fromAgent", F_FROM },  { "from", F_FROM },
    { "to_agent", F_TO },     { "toAgent", F_TO },        { "to", F_TO },            { "action", F_ACTION },   { "effect", F_EFFECT },
    { "reason", F_REASON },   { "priority", F_PRIORITY }, { "max_depth", F_DEPTH },  { "maxDepth", F_DEPTH },  { "condition", F_CONDITION },
    { "warning", F_WARNING }, /* ours, in answers: a rule that was listed can be added again */
};

typedef struct reader {
    const symbi_value *v;
    sy_comm_where at;
    symbi_err *err;
    sy_comm_rule *r;
    const symbi_value *f[NFIELD];
    symbi_str key[NFIELD]; /* as the caller wrote it */
} reader;

/* "rule 2 ('ops'): max_depth must be …", with the place as a JSON pointer. */
static symbi_status fail(reader *rd, symbi_status st, const symbi_value *v, symbi_str key, const char *text)
{
    char label[96] = "the rule", path[240];
    const symbi_value *id = symbi_value_getz(rd->v, "id");
    int n = 0;
    if (rd->at.index != SIZE_MAX) n = snprintf(label, sizeof label, "rule %zu", rd->at.index + 1);
    if (id && id->kind == SYMBI_STRING && id->u.s.n && id->u.s.n <= 64 && n >= 0)
        snprintf(label + (n ? (size_t)n : 8), sizeof label - (n ? (size_t)n : 8), " ('%.*s')", SY_FMT(id->u.s));
    if (key.n) sy_fail_at(rd->err, st, v ? v->line : 0, 0, "%s: %.*s %s", label, SY_FMT(key), text);
    else sy_fail_at(rd->err, st, v ? v->line : 0, 0, "%s %s", label, text);
    if (rd->at.index != SIZE_MAX) n = snprintf(path, sizeof path, "%s/%zu", rd->at.base, rd->at.index);
    else n = snprintf(path, sizeof path, "%s", rd->at.base);
    if (key.n && n >= 0) snprintf(path + n, sizeof path - (size_t)n, "/%.*s", SY_FMT(key));
    sy_err_path(rd->err, symbi_str_z(path));
    return st;
}

static symbi_status fail_field(reader *rd, int field, const char *text) { return fail(rd, SYMBI_ESCHEMA, rd->f[field], rd->key[field], text); }

static symbi_status gather(reader *rd, unsigned flags)
{
    char text[160];
    if (rd->v->kind != SYMBI_OBJECT) return fail(rd, SYMBI_ESCHEMA, rd->v, SY_LIT(""), "must be an object with from_agent, to_agent and action");
    for (size_t i = 0; i < rd->v->u.o.n; i++) {
        const symbi_member *m = &rd->v->u.o.members[i];
        size_t k = 0;
        while (k < sizeof keys / sizeof *keys && !sy_str_eqz(m->key, keys[k].key)) k++;
        if (k == sizeof keys / sizeof *keys) {
            if (flags & SYMBI_COMM_KEEP_UNKNOWN) continue;
            return fail(rd, SYMBI_ESCHEMA, &m->val, m->key,
                        "is no field of a rule: id, name, from_agent, to_agent, action, effect, reason, priority, max_depth; or condition");
        }
        if (rd->f[keys[k].field]) {
            snprintf(text, sizeof text, "is there already%s%.*s; keep one", sy_str_eq(m->key, rd->key[keys[k].field]) ? "" : " as ",
                     sy_str_eq(m->key, rd->key[keys[k].field]) ? 0 : (int)rd->key[keys[k].field].n, rd->key[keys[k].field].p);
            return fail(rd, SYMBI_ESCHEMA, &m->val, m->key, text);
        }
        rd->f[keys[k].field] = &m->val;
        rd->key[keys[k].field] = m->key;
    }
    return SYMBI_OK;
}

static symbi_status wrong_type(reader *rd, int field, const char *wanted)
{
    char text[120];
    snprintf(text, sizeof text, "must be %s, not %s", wanted, symbi_kind_name((symbi_kind)rd->f[field]->kind));
    return fail_field(rd, field, text);
}

/* A string field that may be missing (out stays as it is); null counts as missing where null_ok. */
static symbi_status text_field(reader *rd, int field, bool null_ok, size_t max, symbi_str *out)
{
    const symbi_value *v = rd->f[field];
    const char *fault;
    if (!v || (null_ok && v->kind == SYMBI_NULL)) return SYMBI_OK;
    if (v->kind != SYMBI_STRING) return wrong_type(rd, field, "a string");
    if (!v->u.s.n && field == F_REASON) return SYMBI_OK;
    if ((fault = sy_comm_name_fault(v->u.s, max))) return fail(rd, v->u.s.n > max ? SYMBI_ELIMIT : SYMBI_ESCHEMA, v, rd->key[field], fault);
    *out = sy_arena_dup(&rd->r->arena, v->u.s);
    return SYMBI_OK;
}

static symbi_status pattern_field(reader *rd, int field, const char *name, sy_glob *out, symbi_str *text)
{
    symbi_status st;
    if (!rd->f[field]) return fail(rd, SYMBI_ESCHEMA, rd->v, symbi_str_z(name), "is missing");
    if ((st = text_field(rd, field, false, SYMBI_COMM_MAX_NAME, text))) return st;
    if (!text->p) return SYMBI_OK; /* out of memory, seen at the end */
    if (text->p[0] == ' ' || text->p[text->n - 1] == ' ') return fail_field(rd, field, "begins or ends with a space, so it would match nothing; remove it");
    sy_glob_compile(&rd->r->arena, *text, out);
    return SYMBI_OK;
}

static symbi_status priority_field(reader *rd)
{
    const symbi_value *v = rd->f[F_PRIORITY];
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_INT) return wrong_type(rd, F_PRIORITY, "an integer");
    rd->r->priority = v->u.i;
    return SYMBI_OK;
}

static bool ci_equal(symbi_str s, const char *word)
{
    size_t n = strlen(word);
    if (s.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if ((s.p[i] | 0x20) != word[i]) return false;
    return true;
}

/* "[<name>] <text>", or what of it there is. */
static symbi_str bracket(sy_arena *a, symbi_str name, const char *mid, symbi_str text)
{
    size_t m = strlen(mid), n = name.n + 3 + m + text.n;
    char *p = sy_arena_alloc(a, n + 1);
    symbi_str out = { p, n };
    if (!p) return out;
    p[0] = '[';
    memcpy(p + 1, name.p, name.n);
    memcpy(p + 1 + name.n, "] ", 2);
    memcpy(p + 3 + name.n, mid, m);
    if (text.n) memcpy(p + 3 + name.n + m, text.p, text.n);
    p[n] = 0;
    return out;
}

static symbi_str matched(sy_arena *a, symbi_str id)
{
    symbi_str s = bracket(a, SY_LIT(""), "matched rule ", id); /* the same text without its "[] " */
    if (s.p) s.p += 3, s.n -= 3;
    return s;
}

static symbi_value text_value(symbi_str s) { return sy_val_str(s.p ? s : (symbi_str){ "", 0 }); }

/* The seed's form. */
static symbi_status read_seed(reader *rd, symbi_str name, sy_obj *o)
{
    sy_comm_rule *r = rd->r;
    sy_arena *a = &r->arena;
    symbi_str from = { 0 }, to = { 0 }, action = { 0 }, reason = { "", 0 }, effect = { 0 };
    bool says_allow = false, says_deny = false, act_allow, act_deny;
    const char *warning = NULL;
    symbi_status st;
    if ((st = pattern_field(rd, F_FROM, "from_agent", &r->from, &from)) || (st = pattern_field(rd, F_TO, "to_agent", &r->to, &to)) ||
        (st = pattern_field(rd, F_ACTION, "action", &r->action, &action)) || (st = text_field(rd, F_REASON, false, SYMBI_COMM_MAX_REASON, &reason)) ||
        (st = priority_field(rd)))
        return st;
    if (rd->f[F_EFFECT]) {
        if (rd->f[F_EFFECT]->kind != SYMBI_STRING) return wrong_type(rd, F_EFFECT, "\"allow\" or \"deny\"");
        effect = rd->f[F_EFFECT]->u.s;
        says_allow = sy_str_eqz(effect, "allow");
        says_deny = sy_str_eqz(effect, "deny");
        if (!says_allow && !says_deny) return fail_field(rd, F_EFFECT, "must be \"allow\" or \"deny\"");
    }
    if (rd->f[F_DEPTH] && rd->f[F_DEPTH]->kind != SYMBI_NULL) {
        const symbi_value *d = rd->f[F_DEPTH];
        if (d->kind != SYMBI_INT) return wrong_type(rd, F_DEPTH, "an integer, or null for no limit");
        if (d->u.i < 0) return fail_field(rd, F_DEPTH, "must not be negative");
        r->has_depth = true;
        r->max_depth = d->u.i > UINT32_MAX ? UINT32_MAX : (uint32_t)d->u.i;
    }
    if (a->status) return sy_arena_fail(a, "the rule", rd->err);
    act_allow = sy_str_eqz(action, "allow");
    act_deny = sy_str_eqz(action, "deny");
    if (!act_allow && !act_deny && (ci_equal(action, "allow") || ci_equal(action, "deny")))
        return fail_field(rd, F_ACTION, "must be \"allow\" or \"deny\" in lower case to be the effect");
    if (act_allow || act_deny) r->action.kind = SY_GLOB_ANY;
    r->allow = !says_deny && !act_deny;
    if ((act_deny && says_allow) || (act_allow && says_deny)) warning = "action and effect contradict each other; the rule denies";
    else if (!r->allow && r->has_depth) warning = "max_depth means nothing in a rule that denies; the rule denies at every depth";
    else if (r->allow && r->has_depth && !r->max_depth) warning = "max_depth 0 lets no message through; a direct message has depth 1";
    sy_obj_str(o, "from_agent", from);
    sy_obj_str(o, "to_agent", to);
    sy_obj_str(o, "action", action);
    sy_obj_put(o, "effect", sy_val_str(r->allow ? (symbi_str)SY_LIT("allow") : (symbi_str)SY_LIT("deny")));
    sy_obj_str(o, "reason", reason);
    sy_obj_int(o, "priority", r->priority);
    sy_obj_put(o, "max_depth", r->has_depth ? sy_val_int(rd->f[F_DEPTH]->u.i) : sy_val_null());
    if (warning) sy_obj_str(o, "warning", symbi_str_z(warning));
    if (r->allow) r->reason = reason.n ? reason : matched(a, r->id);
    else r->reason = reason.n ? bracket(a, name, "", reason) : bracket(a, name, "matched rule ", r->id);
    return SYMBI_OK;
}

/* The runtime's form. */
static symbi_status read_runtime(reader *rd, symbi_str name, sy_obj *o)
{
    static const int foreign[] = { F_FROM, F_TO, F_ACTION, F_REASON, F_DEPTH };
    sy_comm_rule *r = rd->r;
    sy_arena *a = &r->arena;
    const symbi_value *effect = rd->f[F_EFFECT], *m;
    symbi_value copy;
    symbi_str key, reason = { "", 0 };
    symbi_status st;
    char why[160];
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (rd->f[foreign[i]]) return fail_field(rd, foreign[i], "has no meaning beside condition");
    if ((st = priority_field(rd))) return st;
    if (r->priority < 0 || r->priority > UINT32_MAX) return fail_field(rd, F_PRIORITY, "must be 0 to 4294967295 beside condition");
    if (!effect) return fail(rd, SYMBI_ESCHEMA, rd->v, SY_LIT("effect"), "is missing");
    if (effect->kind != SYMBI_OBJECT || effect->u.o.n != 1) return fail_field(rd, F_EFFECT, "must be {\"allow\": true} or {\"deny\": \"reason\"} beside condition");
    key = effect->u.o.members[0].key;
    m = &effect->u.o.members[0].val;
    if (sy_str_eqz(key, "allow") && m->kind == SYMBI_BOOL && m->u.b) {
        r->allow = true;
    } else if (sy_str_eqz(key, "deny") && m->kind == SYMBI_STRING) {
        const char *fault = m->u.s.n ? sy_comm_name_fault(m->u.s, SYMBI_COMM_MAX_REASON) : NULL;
        if (fault) return fail(rd, m->u.s.n > SYMBI_COMM_MAX_REASON ? SYMBI_ELIMIT : SYMBI_ESCHEMA, effect, rd->key[F_EFFECT], fault);
        reason = m->u.s;
    } else {
        return fail_field(rd, F_EFFECT, "must be {\"allow\": true} or {\"deny\": \"reason\"} beside condition");
    }
    st = sy_cond_compile(a, rd->f[F_CONDITION], &r->cond, why, sizeof why);
    if (st == SYMBI_ENOMEM) return sy_arena_fail(a, "the rule", rd->err);
    if (st) return fail(rd, st, rd->f[F_CONDITION], rd->key[F_CONDITION], why);
    if ((st = sy_value_copy(a, rd->f[F_CONDITION], &copy, 2 * SYMBI_COMM_MAX_NESTING + 4, rd->err))) return st;
    sy_obj_put(o, "condition", copy);
    if ((st = sy_value_copy(a, effect, &copy, 3, rd->err))) return st;
    sy_obj_put(o, "effect", copy);
    sy_obj_int(o, "priority", r->priority);
    r->reason = r->allow ? matched(a, r->id) : bracket(a, name, "", reason);
    return SYMBI_OK;
}

static bool clean_text(const symbi_value *v, size_t left)
{
    if (!left) return false;
    if (v->kind == SYMBI_STRING) return sy_utf8_valid(v->u.s, NULL);
    for (size_t i = 0; v->kind == SYMBI_ARRAY && i < v->u.a.n; i++)
        if (!clean_text(&v->u.a.items[i], left - 1)) return false;
    for (size_t i = 0; v->kind == SYMBI_OBJECT && i < v->u.o.n; i++)
        if (!sy_utf8_valid(v->u.o.members[i].key, NULL) || !clean_text(&v->u.o.members[i].val, left - 1)) return false;
    return true;
}

/* Members that are no fields go after those that are. */
static symbi_status keep_unknown(reader *rd, sy_obj *o)
{
    for (size_t i = 0; i < rd->v->u.o.n; i++) {
        const symbi_member *m = &rd->v->u.o.members[i];
        symbi_value copy;
        symbi_str key;
        symbi_status st;
        size_t k = 0;
        while (k < sizeof keys / sizeof *keys && !sy_str_eqz(m->key, keys[k].key)) k++;
        if (k < sizeof keys / sizeof *keys) continue;
        if (!m->key.n || !sy_utf8_valid(m->key, NULL) || !clean_text(&m->val, 32)) return fail(rd, SYMBI_ESCHEMA, &m->val, m->key, "is not valid UTF-8, or nested too deeply");
        if ((st = sy_value_copy(&rd->r->arena, &m->val, &copy, 40, rd->err))) return st;
        key = sy_arena_dup(&rd->r->arena, m->key);
        if (symbi_value_get(&(symbi_value){ .kind = SYMBI_OBJECT, .u = { .o = { o->m, o->n } } }, m->key)) return fail(rd, SYMBI_ESCHEMA, &m->val, m->key, "is there twice");
        sy_obj_puts(o, key, copy);
    }
    return SYMBI_OK;
}

static symbi_status read_rule(reader *rd, symbi_str given_id, unsigned flags)
{
    sy_comm_rule *r = rd->r;
    sy_obj o = sy_obj_new(&r->arena);
    symbi_str name = { 0 };
    symbi_status st;
    if ((st = gather(rd, flags)) || (st = text_field(rd, F_ID, true, SYMBI_COMM_MAX_NAME, &r->id)) ||
        (st = text_field(rd, F_NAME, true, SYMBI_COMM_MAX_NAME, &name)))
        return st;
    if (!r->id.n) r->id = sy_arena_dup(&r->arena, given_id);
    if (r->arena.status) return sy_arena_fail(&r->arena, "the rule", rd->err);
    sy_obj_str(&o, "id", r->id);
    if (name.n) sy_obj_put(&o, "name", text_value(name));
    else name = r->id;
    st = rd->f[F_CONDITION] ? read_runtime(rd, name, &o) : read_seed(rd, name, &o);
    if (!st && (flags & SYMBI_COMM_KEEP_UNKNOWN)) st = keep_unknown(rd, &o);
    if (st) return st;
    if (r->arena.status) return sy_arena_fail(&r->arena, "the rule", rd->err);
    r->shown = sy_obj_value(&o);
    return SYMBI_OK;
}

symbi_status sy_comm_rule_new(symbi_ctx *cx, const symbi_value *v, symbi_str id, unsigned flags, sy_comm_where at, sy_comm_rule **out, symbi_err *err)
{
    reader rd = { .v = v, .at = at, .err = err };
    symbi_status st;
    *out = NULL;
    if (!(rd.r = sy_calloc(&cx->shared, 1, sizeof *rd.r))) return sy_fail_nomem(err);
    sy_ref_init(&rd.r->refs);
    rd.r->alloc = cx->shared;
    sy_arena_init(&rd.r->arena, cx->shared, 256u << 10);
    st = read_rule(&rd, id, flags);
    if (st) {
        sy_comm_rule_unref(rd.r);
        return st;
    }
    *out = rd.r;
    return SYMBI_OK;
}

void sy_comm_rule_unref(sy_comm_rule *r)
{
    if (r && sy_ref_dec(&r->refs)) {
        symbi_alloc a = r->alloc;
        sy_arena_free(&r->arena);
        sy_free(&a, r, sizeof *r);
    }
}
