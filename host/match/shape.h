/* match/shape.h: patterns that are one character after the other (shape.c). */
#ifndef SY_MATCH_SHAPE_H
#define SY_MATCH_SHAPE_H
#include "match/match_in.h"

enum { SY_MSHAPE_MAX = 48 };
typedef struct sy_mshape {
    size_t n;              /* that many characters, each of need[i]'s class, */
    size_t more, most;     /* then at least `more` and at most `most` of the class of tail */
    uint8_t tail;
    uint8_t need[SY_MSHAPE_MAX];
    uint8_t member[256];   /* of each byte: one bit for each class that has it */
} sy_mshape;

/* false: the pattern is none such; *out is then of no use. */
bool sy_mshape_make(const sy_mnode *root, sy_mshape *out);

static inline bool sy_mshape_match(const sy_mshape *s, symbi_str text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    unsigned ok = 1;
    if (text.n < s->n + s->more || text.n - s->n > s->most) return false;
    for (size_t i = 0; i < s->n; i++) ok &= (s->member[p[i]] & s->need[i]) != 0;
    for (size_t i = s->n; i < text.n; i++) ok &= (s->member[p[i]] & s->tail) != 0;
    return ok;
}
#endif
