/* match/table.h: a small pattern as a table (table.c). */
#ifndef SY_MATCH_TABLE_H
#define SY_MATCH_TABLE_H
#include "match/match_in.h"

typedef struct sy_mtable sy_mtable;
/* *out NULL: too large for one, the program stays. false: out of memory. Working memory from tmp. */
bool sy_mtable_make(sy_arena *keep, sy_arena *tmp, const sy_mprog *g, const sy_mtable **out);
bool sy_mtable_search(const sy_mtable *t, const sy_mprog *g, symbi_str text); /* what sy_mprog_search says */
#endif
