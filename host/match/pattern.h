/* match/pattern.h: one pattern inside somebody else's arena (a manifest's, a schema's), for short texts: nothing to free, nothing to
 * keep between searches. */
#ifndef SY_MATCH_PATTERN_H
#define SY_MATCH_PATTERN_H
#include "base/arena.h"
#include "symbi/match.h"

typedef struct sy_mpattern sy_mpattern;
/* flags: SYMBI_MATCH_*. EPARSE with message and col; ELIMIT when it is too large. Failures of the arena stick there. */
symbi_status sy_mpattern_compile(sy_arena *keep, symbi_str text, unsigned flags, const sy_mpattern **out, symbi_err *err);
/* Does it match somewhere? ELIMIT when text times program is more than `steps` (0: no limit). */
symbi_status sy_mpattern_search(symbi_ctx *cx, const sy_mpattern *p, symbi_str text, size_t steps, bool *hit, symbi_err *err);
/* Of a pattern that is anchored at both ends and one ASCII character after the other: may a match have this byte, and does all of text match?
 * Of others: true; false. */
bool sy_mpattern_may_have(const sy_mpattern *p, unsigned char byte);
bool sy_mpattern_quick(const sy_mpattern *p, symbi_str text);
bool sy_mpattern_anchored(const sy_mpattern *p); /* every match is the whole text by the pattern's own anchors */
#endif
