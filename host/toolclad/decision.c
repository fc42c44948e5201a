/* toolclad/decision.c: the typed, grounded decision fence (spec toolclad.md 16.2, symbi/triage.h). */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "symbi/triage.h"
#include "toolclad/pattern.h"
#include "toolclad/types.h"

static const char *const severities[] = { "low", "medium", "high", "critical" };
static const char *const categories[] = { "other", "ui", "billing", "infra", "account" };
static const char *const queues[] = { "frontend", "billing", "infra", "exec_escalation" };

const char *symbi_severity_name(symbi_severity s) { return (unsigned)s < 4 ? severities[s] : severities[0]; }
const char *symbi_category_name(symbi_category c) { return (unsigned)c < 5 ? categories[c] : categories[0]; }
const char *symbi_queue_name(symbi_queue q) { return (unsigned)q < 4 ? queues[q] : queues[0]; }

/* The place of a word in a list of n, blanks and ASCII case aside; 0 for a word that is not in it. */
static unsigned word_of(symbi_str w, const char *const *list, unsigned n)
{
    w = sy_trim_space(w);
    for (unsigned i = 0; i < n; i++) {
        size_t k = 0;
        while (k < w.n && list[i][k] && (w.p[k] >= 'A' && w.p[k] <= 'Z' ? w.p[k] + 32 : w.p[k]) == list[i][k]) k++;
        if (k == w.n && !list[i][k]) return i;
    }
    return 0;
}

symbi_severity symbi_severity_of(symbi_str word) { return (symbi_severity)word_of(word, severities, 4); }
symbi_category symbi_category_of(symbi_str word) { return (symbi_category)word_of(word, categories, 5); }

static symbi_status says(symbi_ctx *cx, sy_arena *a, const char *pattern, symbi_str ticket, bool *hit, symbi_err *err)
{
    const sy_pattern *p;
    symbi_status st = sy_pattern_compile(a, symbi_str_z(pattern), &p, err);
    return st ? st : sy_pattern_search(cx, p, ticket, hit, err);
}

symbi_status symbi_ticket_severity(symbi_ctx *cx, symbi_str ticket, bool untrusted, symbi_severity *out, symbi_err *err)
{
    static const char critical[] = "(?i)\\b(?:outage|production (?:is )?down|service (?:is )?(?:down|unavailable)|breach|data ?loss|leaked?|ransom|sev-?1|p0|all customers|company-?wide|"
                                   "nobody can|everyone is locked out)\\b";
    static const char high[] = "(?i)\\b(?:urgent|asap|emergency|critical|escalate immediately|multiple customers|widespread|many users)\\b";
    sy_arena a;
    bool hit = false;
    symbi_status st;
    *out = SYMBI_SEVERITY_LOW;
    symbi_err_clear(err);
    if (ticket.n > cx->limits.doc_bytes) return sy_fail(err, SYMBI_ELIMIT, "the ticket has more than %zu bytes (doc_bytes)", cx->limits.doc_bytes);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    if (!(st = says(cx, &a, critical, ticket, &hit, err)) && hit) *out = untrusted ? SYMBI_SEVERITY_HIGH : SYMBI_SEVERITY_CRITICAL;
    else if (!st && !(st = says(cx, &a, high, ticket, &hit, err)) && hit) *out = SYMBI_SEVERITY_HIGH;
    sy_arena_free(&a);
    return st;
}

symbi_queue symbi_triage_decided(symbi_category c, bool permitted)
{
    if (permitted) return SYMBI_QUEUE_EXEC_ESCALATION;
    if (c == SYMBI_CATEGORY_BILLING) return SYMBI_QUEUE_BILLING;
    return c == SYMBI_CATEGORY_INFRA || c == SYMBI_CATEGORY_ACCOUNT ? SYMBI_QUEUE_INFRA : SYMBI_QUEUE_FRONTEND;
}

symbi_queue symbi_triage_route(symbi_category c, symbi_severity s) { return symbi_triage_decided(c, s == SYMBI_SEVERITY_CRITICAL); }

symbi_queue symbi_triage_grounded(symbi_category c, symbi_severity claimed, symbi_severity ticket) { return symbi_triage_route(c, claimed < ticket ? claimed : ticket); }

symbi_status symbi_triage_context(symbi_ctx *cx, symbi_category c, symbi_severity claimed, symbi_severity ticket, symbi_doc **out, symbi_err *err)
{
    symbi_member m[] = { { SY_LIT("category"), sy_val_str(symbi_str_z(symbi_category_name(c))) }, { SY_LIT("claimed_severity"), sy_val_str(symbi_str_z(symbi_severity_name(claimed))) },
        { SY_LIT("ticket_severity"), sy_val_str(symbi_str_z(symbi_severity_name(ticket))) } };
    symbi_value v = sy_val_object(m, 3);
    *out = NULL;
    symbi_err_clear(err);
    return symbi_doc_copy(cx, &v, out, err);
}
