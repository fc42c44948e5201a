/* toolclad/constraints.c: a project's limits on manifests (spec toolclad.md 5.3): how risky a tool may be, from which tier on evidence is
 * kept, and that free text does not feed a decision. It judges the text as it stands, whether or not it loads as a tool. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "symbi/toml.h"
#include "toolclad/types.h"

typedef struct linter {
    sy_arena *a;
    sy_arr issues;
    bool upstream;
} linter;

/* The message is before + x + between + y + after. */
static void issue(linter *l, const char *severity, const char *before, symbi_str x, const char *between, symbi_str y, const char *after)
{
    sy_obj o = sy_obj_new(l->a);
    char text[800], clean[800];
    snprintf(text, sizeof text, "%s%.*s%s%.*s%s", before, SY_FMT(x), between, SY_FMT(y), after);
    sy_clean_line(clean, sizeof clean, symbi_str_z(text));
    sy_obj_str(&o, "severity", symbi_str_z(severity));
    sy_obj_str(&o, "message", sy_arena_dup(l->a, symbi_str_z(clean)));
    sy_arr_add(&l->issues, sy_obj_value(&o));
}

/* Upstream knows three tiers and counts anything else, critical too, as none at all. */
static int tier(const linter *l, symbi_str s)
{
    static const char *const names[] = { "info", "low", "medium", "high", "critical" };
    for (int i = 0; i < 5; i++)
        if (sy_str_ieqz(s, names[i])) return l->upstream && (i == 0 || i == 4) ? 0 : i;
    return l->upstream ? 0 : 4; /* a word that nobody knows is not less than critical */
}

static int by_name(const symbi_member *a, const symbi_member *b) { return sy_str_cmp(a->key, b->key); }

static void args(linter *l, const symbi_value *t, bool scope)
{
    const symbi_member **sorted = sy_arena_calloc(l->a, t->u.o.n, sizeof *sorted);
    static const char *const free_text[] = { "string", "agent_summary", "regex_match", NULL };
    for (size_t i = 0; sorted && i < t->u.o.n; i++) {
        size_t k = i;
        for (; k && by_name(&t->u.o.members[i], sorted[k - 1]) < 0; k--) sorted[k] = sorted[k - 1];
        sorted[k] = &t->u.o.members[i];
    }
    for (int pass = 0; sorted && pass < 2; pass++)
        for (size_t i = 0; i < t->u.o.n; i++) {
            const symbi_value *a = &sorted[i]->val, *check = symbi_value_getz(a, "scope_check"), *feeds = symbi_value_getz(a, "feeds_decision");
            symbi_str type = symbi_value_str(a, "type", l->upstream ? SY_LIT("") : SY_LIT("string"));
            if (pass == 0 && scope && symbi_value_getz(a, "schemes") && !(check && check->kind == SYMBI_BOOL && check->u.b))
                issue(l, "warning", "Argument '", sorted[i]->key, "' has URL schemes but scope_check is not enabled", SY_LIT(""), "");
            for (size_t k = 0; pass == 1 && feeds && feeds->kind == SYMBI_BOOL && feeds->u.b && free_text[k]; k++)
                if (sy_str_eqz(type, free_text[k]))
                    issue(l, "error", "Argument '", sorted[i]->key, "' is free-text (type '", type,
                        "') but feeds a privileged decision; use an enum + Cedar grounding (see crates/runtime/src/toolclad/decision.rs)");
        }
}

static void lint(linter *l, const symbi_value *m, const symbi_value *c)
{
    const symbi_value *tool = symbi_value_getz(m, "tool"), *t, *scope = symbi_value_getz(c, "require_scope_check"), *evidence, *capture;
    symbi_str max = symbi_value_str(c, "max_risk_tier", SY_LIT("")), above = symbi_value_str(c, "require_evidence_above_tier", SY_LIT("")), risk = symbi_value_str(tool, "risk_tier", SY_LIT(""));
    if (max.n && risk.n && tier(l, risk) > tier(l, max)) issue(l, "error", "Risk tier '", risk, "' exceeds project maximum '", max, "'");
    evidence = symbi_value_getz(tool, "evidence");
    capture = symbi_value_getz(evidence, "capture");
    if (above.n && tier(l, risk.n ? risk : SY_LIT("low")) > tier(l, above) && !(capture && capture->kind == SYMBI_BOOL && capture->u.b))
        issue(l, "error", "Evidence capture required for tools above '", above, "' tier", SY_LIT(""), "");
    t = symbi_value_getz(m, "args");
    if (t && t->kind == SYMBI_OBJECT) args(l, t, scope && scope->kind == SYMBI_BOOL && scope->u.b);
}

symbi_status symbi_tool_constraints(symbi_ctx *cx, symbi_str text, const symbi_value *constraints, bool upstream_tiers, symbi_doc **out, symbi_err *err)
{
    sy_arena a;
    linter l;
    symbi_doc *m = NULL;
    symbi_value v, none = sy_val_object(NULL, 0);
    symbi_err why;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    if (text.n > cx->limits.manifest_bytes) return sy_fail(err, SYMBI_ELIMIT, "the manifest has %zu bytes, more than %zu (manifest_bytes)", text.n, cx->limits.manifest_bytes);
    st = symbi_toml_parse(cx, text, &m, &why);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    l.a = &a;
    l.upstream = upstream_tiers;
    l.issues = sy_arr_new(&a);
    if (st) {
        char line[600];
        symbi_err_format(&why, line, sizeof line);
        issue(&l, "error", "TOML parse error: ", symbi_str_z(line), "", SY_LIT(""), "");
    } else {
        lint(&l, symbi_doc_root(m), constraints && constraints->kind == SYMBI_OBJECT ? constraints : &none);
    }
    v = sy_arr_value(&l.issues);
    st = a.status ? sy_arena_fail(&a, "the issues", err) : symbi_doc_copy(cx, &v, out, err);
    sy_arena_free(&a);
    symbi_doc_unref(m);
    return st;
}
