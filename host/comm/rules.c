/* comm/rules.c: immutable rule sets: reading a document whole or not at all, the order of decision, sharing. */
#include "comm/rules.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "codec/value.h"
#include "symbi/crypto.h"
#include "symbi/json.h"

#include <stdio.h>

symbi_comm_rules *sy_comm_rules_new(symbi_ctx *cx, size_t cap, bool default_allow, bool first_wins)
{
    size_t size = sizeof(symbi_comm_rules) + cap * (sizeof(symbi_value) + sizeof(sy_comm_rule *) + sizeof(uint32_t));
    symbi_comm_rules *s = sy_calloc(&cx->shared, 1, size);
    if (!s) return NULL;
    sy_ref_init(&s->refs);
    s->alloc = cx->shared;
    s->size = size;
    s->default_allow = default_allow;
    s->first_wins = first_wins;
    s->shown = (symbi_value *)(void *)(s + 1);
    s->rule = (sy_comm_rule **)(void *)(s->shown + cap);
    s->order = (uint32_t *)(void *)(s->rule + cap);
    return s;
}

void sy_comm_rules_push(symbi_comm_rules *s, sy_comm_rule *r)
{
    s->memory += r->arena.used;
    s->shown[s->n] = r->shown;
    s->rule[s->n++] = r;
}

/* True when rule a is to be asked before rule b, both given by their place in insertion order. */
static bool before(const symbi_comm_rules *s, uint32_t a, uint32_t b)
{
    const sy_comm_rule *x = s->rule[a], *y = s->rule[b];
    if (x->priority != y->priority) return x->priority > y->priority;
    if (!s->first_wins && x->allow != y->allow) return y->allow;
    return a < b;
}

/* Puts rule i among the n that stand in order already. */
static void place(symbi_comm_rules *s, size_t n, uint32_t i)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (before(s, i, s->order[mid])) hi = mid;
        else lo = mid + 1;
    }
    memmove(s->order + lo + 1, s->order + lo, (n - lo) * sizeof *s->order);
    s->order[lo] = i;
}

/* Insertion with binary search: no memory of its own, and a set has at most 4,096 rules. */
void sy_comm_rules_seal(symbi_comm_rules *s)
{
    for (uint32_t i = 0; i < s->n; i++) place(s, i, i);
    s->value = sy_val_array(s->shown, s->n);
}

void sy_comm_rules_derive(symbi_comm_rules *s, const symbi_comm_rules *old, size_t gone, sy_comm_rule *fresh, size_t at)
{
    size_t n = 0;
    for (size_t i = 0; i <= old->n; i++) {
        if (fresh && i == at) sy_comm_rules_push(s, fresh);
        if (i == old->n || i == gone) continue;
        sy_ref_inc(&old->rule[i]->refs);
        sy_comm_rules_push(s, old->rule[i]);
    }
    for (size_t k = 0; k < old->n; k++) { /* the others keep their order; only their places may have moved */
        size_t i = old->order[k];
        if (i == gone) continue;
        s->order[n++] = (uint32_t)(i - (i > gone) + (fresh && i - (i > gone) >= at));
    }
    if (fresh) place(s, n, (uint32_t)at);
    s->value = sy_val_array(s->shown, s->n);
}

symbi_comm_rules *symbi_comm_rules_ref(symbi_comm_rules *s)
{
    if (s) sy_ref_inc(&s->refs);
    return s;
}

void symbi_comm_rules_unref(symbi_comm_rules *s)
{
    if (s && sy_ref_dec(&s->refs)) {
        symbi_alloc a = s->alloc;
        for (size_t i = 0; i < s->n; i++) sy_comm_rule_unref(s->rule[i]);
        sy_free(&a, s, s->size);
    }
}

size_t symbi_comm_rules_count(const symbi_comm_rules *s) { return s->n; }
const symbi_value *symbi_comm_rules_value(const symbi_comm_rules *s) { return &s->value; }

size_t sy_comm_rules_index(const symbi_comm_rules *s, symbi_str id)
{
    for (size_t i = 0; i < s->n; i++)
        if (sy_str_eq(s->rule[i]->id, id)) return i;
    return SIZE_MAX;
}

const symbi_value *symbi_comm_rules_get(const symbi_comm_rules *s, symbi_str id)
{
    size_t i = sy_comm_rules_index(s, id);
    return i == SIZE_MAX ? NULL : &s->shown[i];
}

symbi_status symbi_comm_rules_hash(symbi_ctx *cx, const symbi_comm_rules *s, uint8_t out[32], symbi_err *err)
{
    symbi_member m[3] = {
        { SY_LIT("default"), sy_val_str(s->default_allow ? SY_LIT("allow") : SY_LIT("deny")) },
        { SY_LIT("rules"), s->value },
        { SY_LIT("ties"), sy_val_str(s->first_wins ? SY_LIT("first") : SY_LIT("deny")) },
    };
    symbi_value v = sy_val_object(m, 3);
    symbi_text text = { 0 };
    symbi_status st = symbi_json_write(cx, &v, SYMBI_JSON_CANONICAL, &text, err);
    if (!st) st = symbi_sha256(cx, symbi_text_str(&text), out, err);
    symbi_text_free(&text);
    return st;
}

/* ---- from a document ---- */

static symbi_status fail_key(symbi_err *err, const symbi_value *v, const char *key, const char *text)
{
    char path[64];
    sy_fail_at(err, SYMBI_ESCHEMA, v->line, 0, "communication rules: %s %s", key, text);
    snprintf(path, sizeof path, "/%s", key);
    sy_err_path(err, symbi_str_z(path));
    return SYMBI_ESCHEMA;
}

/* One of two words; sets or clears bit. */
static symbi_status choice(const symbi_value *v, const char *key, const char *off, const char *on, unsigned bit, unsigned *flags, symbi_err *err)
{
    char text[80];
    if (v->kind == SYMBI_STRING && sy_str_eqz(v->u.s, on)) {
        *flags |= bit;
        return SYMBI_OK;
    }
    if (v->kind == SYMBI_STRING && sy_str_eqz(v->u.s, off)) {
        *flags &= ~bit;
        return SYMBI_OK;
    }
    snprintf(text, sizeof text, "must be \"%s\" or \"%s\"", off, on);
    return fail_key(err, v, key, text);
}

/* The object form: finds the list of rules, and what the document says about default and ties. */
static symbi_status read_head(const symbi_value *doc, unsigned *flags, const symbi_value **rules, symbi_err *err)
{
    const symbi_value *mode = NULL, *dflt = NULL, *ties = NULL;
    symbi_status st = SYMBI_OK;
    *rules = NULL;
    for (size_t i = 0; i < doc->u.o.n; i++) {
        const symbi_member *m = &doc->u.o.members[i];
        const symbi_value **to = sy_str_eqz(m->key, "rules")     ? rules
                                 : sy_str_eqz(m->key, "mode")    ? &mode
                                 : sy_str_eqz(m->key, "default") ? &dflt
                                 : sy_str_eqz(m->key, "ties")    ? &ties
                                                                 : NULL;
        if (!to || *to) {
            sy_fail_at(err, SYMBI_ESCHEMA, m->val.line, 0, "communication rules: %.*s %s", SY_FMT(m->key),
                       to ? "is there twice" : "is unknown here; rules, default and ties are known, or rules and mode");
            sy_err_path(err, SY_LIT("/"));
            return SYMBI_ESCHEMA;
        }
        *to = &m->val;
    }
    if (mode && (dflt || ties)) return fail_key(err, mode, "mode", "says default and ties already; give mode, or the two");
    if (!*rules) return fail_key(err, doc, "rules", "is missing");
    if (mode && !(st = choice(mode, "mode", "deny_by_default", "permissive", SYMBI_COMM_DEFAULT_ALLOW, flags, err))) *flags |= SYMBI_COMM_FIRST_WINS;
    if (!st && dflt) st = choice(dflt, "default", "deny", "allow", SYMBI_COMM_DEFAULT_ALLOW, flags, err);
    if (!st && ties) st = choice(ties, "ties", "deny", "first", SYMBI_COMM_FIRST_WINS, flags, err);
    return st;
}

/* Ids that rules bring along, so that made ones keep clear of them; a repeated one refuses the document. */
static symbi_status collect_ids(const symbi_value *items, size_t n, const char *base, sy_map *ids, symbi_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const symbi_value *id = symbi_value_getz(&items[i], "id");
        sy_map_entry *e;
        bool fresh;
        char path[64];
        if (!id || id->kind != SYMBI_STRING || !id->u.s.n) continue; /* reading the rule says what is wrong */
        if (!(e = sy_map_put(ids, id->u.s, &fresh))) return sy_fail_nomem(err);
        if (!fresh) {
            sy_fail_at(err, SYMBI_ESCHEMA, id->line, 0, "rule %zu: id '%.*s' is the id of rule %zu already", i + 1, SY_FMT(id->u.s), (size_t)e->val.u);
            snprintf(path, sizeof path, "%s/%zu/id", base, i);
            sy_err_path(err, symbi_str_z(path));
            return SYMBI_ESCHEMA;
        }
        e->val.u = i + 1;
    }
    return SYMBI_OK;
}

static symbi_status read_rules(symbi_ctx *cx, const symbi_value *items, size_t n, const char *base, unsigned flags, const sy_map *ids, symbi_comm_rules *s, symbi_err *err)
{
    size_t next = 1;
    for (size_t i = 0; i < n; i++) {
        char made[32];
        sy_comm_rule *r;
        symbi_status st;
        if (next < i + 1) next = i + 1;
        for (;; next++) {
            snprintf(made, sizeof made, "rule-%zu", next);
            if (!sy_map_find(ids, symbi_str_z(made))) break;
        }
        st = sy_comm_rule_new(cx, &items[i], symbi_str_z(made), flags, (sy_comm_where){ base, i }, &r, err);
        if (st) return st;
        if (sy_str_eqz(r->id, made)) next++;
        sy_comm_rules_push(s, r);
        if (s->memory > cx->limits.arena_bytes)
            return sy_fail(err, SYMBI_ELIMIT, "the communication rules need more than %zu bytes of memory", cx->limits.arena_bytes);
    }
    return SYMBI_OK;
}

symbi_status symbi_comm_rules_parse(symbi_ctx *cx, const symbi_value *doc, unsigned flags, symbi_comm_rules **out, symbi_err *err)
{
    const symbi_value *list = doc;
    const char *base = "";
    symbi_comm_rules *s;
    symbi_status st;
    sy_map ids;
    size_t n;
    *out = NULL;
    symbi_err_clear(err);
    if (doc->kind == SYMBI_OBJECT) {
        if ((st = read_head(doc, &flags, &list, err))) return st;
        base = "/rules";
    }
    n = list->kind == SYMBI_ARRAY ? list->u.a.n : 0;
    /* an empty Lua table arrives as an empty object */
    if (list->kind != SYMBI_ARRAY && !(list != doc && list->kind == SYMBI_OBJECT && list->u.o.n == 0)) {
        sy_fail_at(err, SYMBI_ESCHEMA, list->line, 0, "communication rules must be a list of rules, not %s", symbi_kind_name((symbi_kind)list->kind));
        sy_err_path(err, symbi_str_z(base));
        return SYMBI_ESCHEMA;
    }
    if (n > SYMBI_COMM_MAX_RULES) {
        sy_fail(err, SYMBI_ELIMIT, "%zu communication rules are more than the %d that one set may have", n, SYMBI_COMM_MAX_RULES);
        sy_err_path(err, symbi_str_z(base));
        return SYMBI_ELIMIT;
    }
    if (!(s = sy_comm_rules_new(cx, n, flags & SYMBI_COMM_DEFAULT_ALLOW, flags & SYMBI_COMM_FIRST_WINS))) return sy_fail_nomem(err);
    sy_map_init(&ids, cx->alloc, cx->seed);
    st = collect_ids(list->u.a.items, n, base, &ids, err);
    if (!st) st = read_rules(cx, list->u.a.items, n, base, flags, &ids, s, err);
    sy_map_free(&ids);
    if (st) {
        symbi_comm_rules_unref(s);
        return st;
    }
    sy_comm_rules_seal(s);
    *out = s;
    return SYMBI_OK;
}
