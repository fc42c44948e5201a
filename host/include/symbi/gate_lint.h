/* symbi/gate_lint.h: what is wrong with policies although they load: characters that deceive a reader, and policies that cannot do
 * what they say. Findings are documents: an array of {"rule","severity","line","col","policy"?,"message"}, sorted by nothing but the
 * order in which they are found. Sources: spec gates.md 13 and 17. */
#ifndef SYMBI_GATE_LINT_H
#define SYMBI_GATE_LINT_H
#include "symbi/cedar.h"
#include "symbi/toolclad.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { SYMBI_LINT_UPSTREAM = 1 /* upstream's two rules alone, in its order and words */ };

/* The characters of one file. Rules: undecodable, non_ascii_id, invisible (upstream's); bidi, hidden, confusable, hidden_escape (ours).
 * Severity is "error" throughout: none of them has an honest use in a policy. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_policy_lint_text(symbi_ctx *cx, symbi_str text, unsigned flags, symbi_doc **out, symbi_err *err);

/* The policies of a set, for the gate's requests (design.md section 6). tools may be NULL: then no tool is unknown. Rules:
 * seed_dialect, can_error, never_matches, shadowed, unknown_tool, no_answer. "policy" is the id, and "source" names its file. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_policy_lint_set(symbi_ctx *cx, const symbi_cedar *set, const symbi_toolset *tools, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
