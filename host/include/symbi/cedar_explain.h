/* symbi/cedar_explain.h: why a decision came out as it did: which policies applied, which condition of each did not hold, and with
 * what values. For people; it costs more than the decision. */
#ifndef SYMBI_CEDAR_EXPLAIN_H
#define SYMBI_CEDAR_EXPLAIN_H
#include "symbi/cedar.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Explains what ev decided last: call it right after a symbi_cedar_authorize that returned OK, while the set and everything that the
 * request borrowed are still alive. An array, one object per policy that decides, in the set's order:
 *   {"id","source","line","effect","outcome","scope"?,"conditions"?}
 * outcome: "satisfied", "not_satisfied" (a condition), "scope" (it is about something else) or "error". "scope" names the parts that did not
 * match: "principal", "action", "resource". conditions: {"clause":"when"|"unless","holds":bool,"error"?,"line","col","text","because":
 * [{"text","line","col","result":bool|"error","values":[{"text","value"}]}]}, up to the first that does not hold. Values are Cedar text. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_cedar_explain(symbi_cedar_eval *ev, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
