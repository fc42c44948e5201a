/* toolclad/pattern.h: author-written patterns (spec 6.3) through host/match: unanchored search in linear time over the subset common
 * to RE2 and Rust, \d \w \s ASCII, $ the end of the text only. */
#ifndef SY_TOOLCLAD_PATTERN_H
#define SY_TOOLCLAD_PATTERN_H
#include "match/pattern.h"

typedef sy_mpattern sy_pattern;
enum { SY_PATTERN_STEPS = 64 << 20 }; /* what one value may cost: its length times the size of the pattern */

static inline symbi_status sy_pattern_compile(sy_arena *a, symbi_str text, const sy_pattern **out, symbi_err *err) { return sy_mpattern_compile(a, text, 0, out, err); }
/* True when it matches somewhere in text (valid UTF-8). */
static inline symbi_status sy_pattern_search(symbi_ctx *cx, const sy_pattern *p, symbi_str text, bool *hit, symbi_err *err)
{
    return sy_mpattern_search(cx, p, text, SY_PATTERN_STEPS, hit, err);
}
/* May a text that is one match from ^ to $ have this byte? True as well where that is not known without looking at a text. */
static inline bool sy_pattern_may_have(const sy_pattern *p, unsigned char byte) { return sy_mpattern_may_have(p, byte); }
static inline bool sy_pattern_quick(const sy_pattern *p, symbi_str text) { return sy_mpattern_quick(p, text); }
/* True when every match begins at the start / ends at the end of the text by the pattern's own ^ and $. */
static inline bool sy_pattern_anchored(const sy_pattern *p) { return sy_mpattern_anchored(p); }
#endif
