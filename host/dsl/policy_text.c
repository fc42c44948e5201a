/* dsl/policy_text.c: the line-oriented policy notation of upstream's REPL (spec section 7), read only. */
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/build.h"
#include "dsl/dsl.h"

#include <string.h>

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

static symbi_str trim(symbi_str s)
{
    while (s.n && is_space(s.p[0])) s.p++, s.n--;
    while (s.n && is_space(s.p[s.n - 1])) s.n--;
    return s;
}

/* The next line of *rest that is not blank, trimmed; false at the end. */
static bool next_line(symbi_str *rest, symbi_str *line)
{
    while (rest->n) {
        const char *e = memchr(rest->p, '\n', rest->n);
        size_t n = e ? (size_t)(e - rest->p) : rest->n;
        *line = trim((symbi_str){ rest->p, n });
        rest->p += n + (e != NULL);
        rest->n -= n + (e != NULL);
        if (line->n) return true;
    }
    return false;
}

static size_t find(symbi_str s, const char *z)
{
    size_t n = strlen(z);
    for (size_t i = 0; i + n <= s.n; i++)
        if (!memcmp(s.p + i, z, n)) return i;
    return SIZE_MAX;
}

static symbi_status rule(sy_arr *rules, sy_arena *a, symbi_str line, symbi_err *err)
{
    static const char *const actions[] = { "allow", "deny", "audit", "limit", "require", "apply" };
    sy_obj o = sy_obj_new(a);
    size_t when = find(line, " when "), blank;
    symbi_str head = when == SIZE_MAX ? line : (symbi_str){ line.p, when }, action, target;
    bool known = false;
    head = trim(head);
    blank = find(head, " ");
    if (blank == SIZE_MAX) return sy_fail(err, SYMBI_EPARSE, "Policy parsing failed: Rule '%.*s' missing target (expected '<action> <target>')", SY_FMT(head));
    action = (symbi_str){ head.p, blank };
    target = trim((symbi_str){ head.p + blank, head.n - blank });
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) known = known || sy_str_eqz(action, actions[i]);
    if (!known) return sy_fail(err, SYMBI_EPARSE, "Policy parsing failed: Unknown policy action '%.*s'; expected one of: allow, deny, audit, limit, require, apply", SY_FMT(action));
    sy_obj_put(&o, "action", sy_val_str(sy_arena_dup(a, action)));
    sy_obj_put(&o, "condition", when == SIZE_MAX ? sy_val_null() : sy_val_str(sy_arena_dup(a, trim((symbi_str){ line.p + when + 6, line.n - when - 6 }))));
    sy_obj_put(&o, "target", sy_val_str(sy_arena_dup(a, target)));
    sy_arr_add(rules, sy_obj_value(&o));
    return SYMBI_OK;
}

static symbi_status read(symbi_str text, symbi_doc *d, symbi_err *err)
{
    sy_obj o = sy_obj_new(&d->arena);
    sy_arr rules = sy_arr_new(&d->arena);
    symbi_str rest = text, line, name;
    symbi_status st;
    bool shown = false;
    if (!text.n) return sy_fail(err, SYMBI_EPARSE, "Policy parsing failed: Empty policy");
    if (!next_line(&rest, &line)) return sy_fail(err, SYMBI_EPARSE, "Policy parsing failed: Policy contains only whitespace");
    if (!sy_str_starts(line, SY_LIT("policy")))
        return sy_fail(err, SYMBI_EPARSE, "Policy parsing failed: Policy text must begin with a 'policy <name>' header; got \"%.*s\". Inline/implicit policies are no longer accepted.", SY_FMT(line));
    name = trim((symbi_str){ line.p + 6, line.n - 6 });
    if (!name.n) return sy_fail(err, SYMBI_EPARSE, "Policy parsing failed: Policy name missing after 'policy' keyword");
    while (next_line(&rest, &line)) {
        if (sy_str_eqz(line, "end")) break;
        if (line.p[0] == '#' || sy_str_starts(line, SY_LIT("//"))) continue;
        if ((st = rule(&rules, &d->arena, line, err))) return st;
        shown = true;
    }
    if (!shown) return sy_fail(err, SYMBI_EPARSE, "Policy parsing failed: Policy '%.*s' has no rules", SY_FMT(name));
    sy_obj_put(&o, "name", sy_val_str(sy_arena_dup(&d->arena, name)));
    sy_obj_put(&o, "rules", sy_arr_value(&rules));
    d->root = sy_obj_value(&o);
    return d->arena.status ? sy_arena_fail(&d->arena, "the policy", err) : SYMBI_OK;
}

symbi_status symbi_dsl_policy_text(symbi_ctx *cx, symbi_str text, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d;
    symbi_status st;
    *out = NULL;
    if (text.n > SYMBI_DSL_MAX_BYTES) return sy_fail(err, SYMBI_ELIMIT, "the policy is larger than %d bytes", SYMBI_DSL_MAX_BYTES);
    if (!sy_utf8_valid(text, NULL)) return sy_fail(err, SYMBI_EPARSE, "Policy parsing failed: the text is not UTF-8");
    if (!(d = sy_doc_new(cx))) return sy_fail_nomem(err);
    if ((st = read(text, d, err))) {
        symbi_doc_unref(d);
        return st;
    }
    *out = d;
    return SYMBI_OK;
}
