/* toolclad/pattern.h: author-written patterns: unanchored search in linear time over the subset common to RE2 and Rust
 * (spec 6.3): literals, ., classes, \d \w \s \b, groups, alternation, greedy and lazy quantifiers, ^ $, (?i). No look-around,
 * no back-references. ASCII \d \w \s, $ is the end of the text only. A seam: host/match may replace what is behind it. */
#ifndef SY_TOOLCLAD_PATTERN_H
#define SY_TOOLCLAD_PATTERN_H
#include "base/arena.h"
#include "symbi/ctx.h"

typedef struct sy_pattern sy_pattern;
/* EPARSE with a message and col (1-based, in the pattern) when it does not compile; ELIMIT when it is too large. */
symbi_status sy_pattern_compile(sy_arena *a, symbi_str text, const sy_pattern **out, symbi_err *err);
/* True when it matches somewhere in text (valid UTF-8). Cost: length of text times size of pattern. */
symbi_status sy_pattern_search(symbi_ctx *cx, const sy_pattern *p, symbi_str text, bool *hit, symbi_err *err);
/* True when every match begins at the start / ends at the end of the text by the pattern's own ^ and $. */
bool sy_pattern_anchored(const sy_pattern *p);
#endif
