/* gate/instead.c: reading @instead:
 *
 *   "step_up"                  a person must approve
 *   "defer", "defer 30s"       not now; ms, s, m, h
 *   "modify ARG = JSON; ..."   with these arguments; "drop ARG" leaves one out */
#include "gate/instead.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/value.h"
#include "symbi/json.h"

#include <string.h>

enum { SY_CHANGES_MAX = 16 };

static bool space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static symbi_str trim(symbi_str s)
{
    while (s.n && space(s.p[0])) s.p++, s.n--;
    while (s.n && space(s.p[s.n - 1])) s.n--;
    return s;
}

/* Takes a leading word that is followed by white space or the end. */
static bool word(symbi_str *s, const char *w)
{
    size_t n = strlen(w);
    if (s->n < n || memcmp(s->p, w, n) != 0 || (s->n > n && !space(s->p[n]))) return false;
    s->p += n;
    s->n -= n;
    *s = trim(*s);
    return true;
}

static bool name_ok(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) return false;
    }
    return s.n && s.n <= 128;
}

/* "30s": at most a day, so that nothing overflows and a hint stays one. */
static bool duration(symbi_str s, int64_t *ms)
{
    int64_t n = 0, unit;
    size_t i = 0;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        n = n * 10 + (s.p[i] - '0');
        if (n > 86400000) return false;
    }
    if (!i) return false;
    s.p += i;
    s.n -= i;
    if (sy_str_eqz(s, "ms")) unit = 1;
    else if (sy_str_eqz(s, "s")) unit = 1000;
    else if (sy_str_eqz(s, "m")) unit = 60000;
    else if (sy_str_eqz(s, "h")) unit = 3600000;
    else return false;
    *ms = n * unit;
    return *ms > 0 && *ms <= 86400000;
}

/* The text up to the next ';' that is not inside a JSON string; *rest: what follows. */
static symbi_str part(symbi_str s, symbi_str *rest)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < s.n; i++) {
        if (quoted && s.p[i] == '\\') i++;
        else if (s.p[i] == '"') quoted = !quoted;
        else if (s.p[i] == ';' && !quoted) break;
    }
    if (i > s.n) i = s.n;
    rest->p = s.p + (i < s.n ? i + 1 : i);
    rest->n = i < s.n ? s.n - i - 1 : 0;
    s.n = i;
    return trim(s);
}

/* NULL when all is well, else what is wrong. */
static const char *read_change(symbi_ctx *cx, sy_arena *a, symbi_str s, sy_change *c, symbi_status *st)
{
    const char *eq;
    symbi_doc *d;
    symbi_str json;
    memset(c, 0, sizeof *c);
    if (word(&s, "drop")) {
        if (!name_ok(s)) return "'drop' needs the name of one argument";
        c->drop = true;
        c->arg = sy_arena_dup(a, s);
        return NULL;
    }
    eq = s.n ? memchr(s.p, '=', s.n) : NULL;
    if (!eq) return "a change is ARGUMENT = JSON value, or drop ARGUMENT";
    json.p = eq + 1;
    json.n = s.n - (size_t)(eq + 1 - s.p);
    s.n = (size_t)(eq - s.p);
    s = trim(s);
    if (!name_ok(s)) return "the name of the argument to change is malformed";
    if ((*st = symbi_json_parse(cx, trim(json), &d, NULL))) return *st == SYMBI_ENOMEM ? "out of memory" : "the new value is not valid JSON";
    c->arg = sy_arena_dup(a, s);
    *st = sy_value_copy(a, symbi_doc_root(d), &c->value, cx->limits.doc_depth, NULL);
    symbi_doc_unref(d);
    return *st ? "the new value cannot be kept" : NULL;
}

static const char *read_changes(symbi_ctx *cx, sy_arena *a, symbi_str s, sy_instead *in, symbi_status *st)
{
    in->changes = sy_arena_calloc(a, SY_CHANGES_MAX, sizeof *in->changes);
    if (!in->changes) return "out of memory";
    for (;;) {
        symbi_str rest, one = part(s, &rest);
        const char *bad;
        if (in->nchanges == SY_CHANGES_MAX) return "more than 16 changes";
        if ((bad = read_change(cx, a, one, &in->changes[in->nchanges], st))) return bad;
        for (size_t i = 0; i < in->nchanges; i++)
            if (sy_str_eq(in->changes[i].arg, in->changes[in->nchanges].arg)) return "an argument is changed twice";
        in->nchanges++;
        if (!trim(rest).n) return NULL;
        s = rest;
    }
}

static const char *read_one(symbi_ctx *cx, sy_arena *a, symbi_str s, sy_instead *in, symbi_status *st)
{
    s = trim(s);
    if (sy_str_eqz(s, "step_up")) {
        in->kind = SY_INSTEAD_STEP_UP;
    } else if (word(&s, "defer")) {
        in->kind = SY_INSTEAD_DEFER;
        if (s.n && !duration(s, &in->retry_ms)) return "how long to put it off is a number and ms, s, m or h, at most a day, as in \"defer 30s\"";
    } else if (word(&s, "modify")) {
        in->kind = SY_INSTEAD_MODIFY;
        return read_changes(cx, a, s, in, st);
    } else {
        return "it says \"step_up\", \"defer\", \"defer 30s\" or \"modify ARGUMENT = JSON value\"";
    }
    return NULL;
}

static symbi_status refuse(const symbi_cedar_policy_info *pi, const char *why, symbi_err *err)
{
    return sy_fail(err, SYMBI_ESCHEMA, "policy %.*s (%.*s:%u): @instead: %s", SY_FMT(pi->id), SY_FMT(pi->source), (unsigned)pi->line, why);
}

symbi_status sy_insteads_read(symbi_ctx *cx, const symbi_cedar *set, sy_insteads *out, symbi_err *err)
{
    size_t n = set ? symbi_cedar_count(set) : 0, cap = 0;
    bool nomem = false;
    memset(out, 0, sizeof *out);
    sy_arena_init(&out->arena, cx->alloc, cx->limits.arena_bytes);
    for (size_t pass = 0; pass < 2; pass++) {
        if (pass && cap && !(out->v = sy_arena_calloc(&out->arena, cap, sizeof *out->v))) break;
        for (size_t i = 0; i < n && !nomem; i++) {
            symbi_cedar_policy_info pi;
            symbi_status st = SYMBI_OK;
            symbi_str key, text = { NULL, 0 };
            sy_instead *x;
            const char *bad;
            bool found = false;
            for (size_t j = 0; !found && symbi_cedar_annotation(set, i, j, &key, &text); j++) found = sy_str_eqz(key, "instead");
            if (!found) continue;
            if (!pass) {
                cap++;
                continue;
            }
            x = &out->v[out->n++];
            x->policy = (uint32_t)i;
            symbi_cedar_policy(set, i, &pi);
            if (pi.effect != SYMBI_CEDAR_FORBID) bad = "only a forbid can ask for something instead; a permit with a condition would allow all the rest";
            else if (pi.role != SYMBI_CEDAR_STATIC) bad = "not on a template or a link";
            else bad = read_one(cx, &out->arena, text.p ? text : SY_LIT(""), x, &st);
            nomem = st == SYMBI_ENOMEM || out->arena.status;
            if (nomem) break;
            if (bad) {
                refuse(&pi, bad, err);
                sy_insteads_free(out);
                return SYMBI_ESCHEMA;
            }
        }
    }
    if (out->arena.status || nomem) {
        symbi_status st = out->arena.status ? sy_arena_fail(&out->arena, "the policies' @instead", err) : sy_fail_nomem(err);
        sy_insteads_free(out);
        return st;
    }
    return SYMBI_OK;
}

void sy_insteads_free(sy_insteads *in)
{
    sy_arena_free(&in->arena);
    memset(in, 0, sizeof *in);
}

const sy_instead *sy_instead_of(const sy_insteads *in, uint32_t policy)
{
    size_t lo = 0, hi = in->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (in->v[mid].policy == policy) return &in->v[mid];
        if (in->v[mid].policy < policy) lo = mid + 1;
        else hi = mid;
    }
    return NULL;
}

sy_instead_kind sy_instead_strongest(const sy_insteads *in, const symbi_cedar_answer *ans)
{
    sy_instead_kind most = SY_INSTEAD_NOTHING;
    for (size_t i = 0; i < ans->nreasons; i++) {
        const sy_instead *x = in->n ? sy_instead_of(in, ans->reasons[i]) : NULL;
        if (!x) return SY_INSTEAD_NOTHING;
        if (x->kind > most) most = x->kind;
    }
    return most;
}
