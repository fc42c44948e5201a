/* comm/list.c: rules added and removed one at a time. Each change copies the pointers into a new set and swaps it in at the end,
 * so that readers of the old one are undisturbed and a failure changes nothing. */
#include "comm/rules.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>

struct symbi_comm_list {
    symbi_ctx *cx;
    symbi_comm_rules *now;
    uint64_t made; /* ids made so far; one that was removed does not come back for another rule */
    unsigned flags;
};

symbi_status symbi_comm_list_new(symbi_ctx *cx, symbi_comm_rules *start, unsigned flags, symbi_comm_list **out, symbi_err *err)
{
    symbi_comm_list *l = sy_calloc(&cx->alloc, 1, sizeof *l);
    *out = NULL;
    symbi_err_clear(err);
    if (!l) return sy_fail_nomem(err);
    l->cx = cx;
    l->flags = flags;
    if (start) {
        l->now = symbi_comm_rules_ref(start);
    } else if ((l->now = sy_comm_rules_new(cx, 0, flags & SYMBI_COMM_DEFAULT_ALLOW, flags & SYMBI_COMM_FIRST_WINS))) {
        sy_comm_rules_seal(l->now);
    } else {
        symbi_comm_list_free(l);
        return sy_fail_nomem(err);
    }
    *out = l;
    return SYMBI_OK;
}

void symbi_comm_list_free(symbi_comm_list *l)
{
    if (!l) return;
    symbi_comm_rules_unref(l->now);
    sy_free(&l->cx->alloc, l, sizeof *l);
}

symbi_comm_rules *symbi_comm_list_rules(const symbi_comm_list *l) { return l->now; }

/* Puts a changed copy of the set in force; takes over fresh's reference on success only. */
static symbi_status change(symbi_comm_list *l, size_t gone, sy_comm_rule *fresh, size_t at, symbi_err *err)
{
    symbi_comm_rules *s = sy_comm_rules_new(l->cx, l->now->n + 1, l->now->default_allow, l->now->first_wins);
    if (!s) return sy_fail_nomem(err);
    sy_comm_rules_derive(s, l->now, gone, fresh, at);
    symbi_comm_rules_unref(l->now);
    l->now = s;
    return SYMBI_OK;
}

symbi_status symbi_comm_list_add(symbi_comm_list *l, const symbi_value *rule, bool replace, const symbi_value **added, symbi_err *err)
{
    uint64_t made = l->made;
    size_t at, gone, memory = l->now->memory;
    sy_comm_rule *r;
    symbi_status st;
    char id[32];
    if (added) *added = NULL;
    symbi_err_clear(err);
    do snprintf(id, sizeof id, "rule-%" PRIu64, ++made);
    while (sy_comm_rules_index(l->now, symbi_str_z(id)) != SIZE_MAX);
    if ((st = sy_comm_rule_new(l->cx, rule, symbi_str_z(id), l->flags, (sy_comm_where){ "", SIZE_MAX }, &r, err))) return st;
    gone = sy_comm_rules_index(l->now, r->id);
    at = gone == SIZE_MAX ? l->now->n : gone;
    if (gone != SIZE_MAX && !replace)
        st = sy_fail(err, SYMBI_EEXISTS, "there is a rule '%.*s' already; remove it first, or replace it", SY_FMT(r->id));
    else if (gone == SIZE_MAX && l->now->n >= SYMBI_COMM_MAX_RULES)
        st = sy_fail(err, SYMBI_ELIMIT, "%d communication rules are all that one set may have", SYMBI_COMM_MAX_RULES);
    else if (r->arena.used > l->cx->limits.arena_bytes || memory > l->cx->limits.arena_bytes - r->arena.used)
        st = sy_fail(err, SYMBI_ELIMIT, "the communication rules need more than %zu bytes of memory", l->cx->limits.arena_bytes);
    else
        st = change(l, gone, r, at, err);
    if (st) {
        sy_comm_rule_unref(r);
        return st;
    }
    if (sy_str_eqz(r->id, id)) l->made = made;
    if (added) *added = &l->now->shown[at];
    return SYMBI_OK;
}

symbi_status symbi_comm_list_remove(symbi_comm_list *l, symbi_str id, symbi_err *err)
{
    size_t at = sy_comm_rules_index(l->now, id);
    symbi_err_clear(err);
    if (at == SIZE_MAX) return sy_fail(err, SYMBI_ENOTFOUND, "there is no communication rule '%.*s'", SY_FMT(id));
    return change(l, at, NULL, 0, err);
}
