/* match/class.h: sets of characters as sorted, disjoint ranges of code points: \d \w \s in their three readings (ASCII, Rust's
 * regex, Python's re), negation, case folding. */
#ifndef SY_MATCH_CLASS_H
#define SY_MATCH_CLASS_H
#include "base/arena.h"

typedef struct sy_mrange { uint32_t lo, hi; } sy_mrange;
typedef struct sy_mfold { uint32_t lo, hi; uint32_t step; int32_t delta; } sy_mfold;

/* An immutable class: n ranges, sorted, disjoint, not adjacent. */
typedef struct sy_mclass {
    const sy_mrange *r;
    size_t n;
} sy_mclass;

/* A class under construction: ranges in any order until sy_mset_seal. Grows in the arena; a failure sticks there. */
typedef struct sy_mset {
    sy_arena *a;
    sy_mrange *r;
    size_t n, cap;
} sy_mset;

enum { SY_CP_MAX = 0x10ffff };

void sy_mset_add(sy_mset *s, uint32_t lo, uint32_t hi);
void sy_mset_addclass(sy_mset *s, sy_mclass c);
void sy_mset_seal(sy_mset *s);                 /* sorts and joins */
void sy_mset_negate(sy_mset *s);               /* seals first */
/* Adds what differs only in case; seals. Python also takes for one letter what only its special cases make the same. */
typedef enum sy_mfolding { SY_MFOLD_ASCII = 0, SY_MFOLD_UNICODE, SY_MFOLD_PYTHON } sy_mfolding;
void sy_mset_fold(sy_mset *s, sy_mfolding how);
/* Adds \d \D \w \W \s \S; flags: SYMBI_MATCH_UNICODE, SYMBI_MATCH_PYTHON. */
void sy_mset_perl(sy_mset *s, char which, unsigned flags);
sy_mclass sy_mset_class(sy_mset *s);           /* seals */
bool sy_mclass_has(sy_mclass c, uint32_t cp);
bool sy_mclass_eq(sy_mclass a, sy_mclass b);
#endif
