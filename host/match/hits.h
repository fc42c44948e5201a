/* match/hits.h: for the scanner: which literals a set looks for, and where in a text those of some rules stand, whether or not the
 * rules match there. */
#ifndef SY_MATCH_HITS_H
#define SY_MATCH_HITS_H
#include "symbi/match.h"

bool sy_match_filtered(const symbi_match *m, size_t rule); /* looked at only where one of its literals stands */
/* Literal i of the set: ASCII, lower case, for either case; n 0 past the last. */
symbi_str sy_match_literal(const symbi_match *m, size_t i);
/* From the next symbi_match_lines on: wherever a literal of one of `rules` (a bit set) ends, at byte k of the text, bit k >> shift of
 * map becomes 1. rules NULL: no more. */
void sy_match_mark(symbi_match_scratch *s, const uint64_t *rules, uint64_t *map, unsigned shift);
#endif
