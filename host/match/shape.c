/* match/shape.c: ^[A-Z]{2}[0-9]{6}$ and ^[a-z][a-z0-9_]{0,31}$ are what people write for identifiers, dates and numbers: anchored at both
 * ends, one class of ASCII characters after the other, and only the last a varying number of times. Then each character is looked at for
 * itself, without the chain from state to state that an automaton is. */
#include "match/shape.h"
#include <string.h>

typedef struct maker {
    sy_mshape *s;
    const sy_mclass *cls[8];
    unsigned ncls;
    bool begun, tail, ended; /* ^ was met; the varying part; $ */
} maker;

/* The bit of a class; 0: there are too many, or it has characters beyond ASCII. */
static uint8_t bit_of(maker *m, const sy_mclass *c)
{
    unsigned k;
    if (c->n && c->r[c->n - 1].hi > 0x7f) return 0;
    for (k = 0; k < m->ncls; k++)
        if (sy_mclass_eq(*m->cls[k], *c)) return (uint8_t)(1u << k);
    if (k == sizeof m->cls / sizeof m->cls[0]) return 0;
    m->cls[m->ncls++] = c;
    for (uint32_t b = 0; b < 0x80; b++)
        if (sy_mclass_has(*c, b)) m->s->member[b] |= (uint8_t)(1u << k);
    return (uint8_t)(1u << k);
}

static bool characters(maker *m, const sy_mclass *c, int32_t min, int32_t max)
{
    uint8_t bit = bit_of(m, c);
    if (!bit || !m->begun || m->ended || m->tail) return false;
    if (min != max) {
        m->tail = true;
        m->s->tail = bit;
        m->s->more = (size_t)min;
        m->s->most = max < 0 ? SIZE_MAX : (size_t)max;
        return true;
    }
    for (int32_t i = 0; i < min; i++) {
        if (m->s->n == SY_MSHAPE_MAX) return false;
        m->s->need[m->s->n++] = bit;
    }
    return true;
}

static bool take(maker *m, const sy_mnode *n, unsigned depth)
{
    if (!depth) return false;
    switch (n->kind) {
    case SY_MN_EMPTY: return true;
    case SY_MN_CLASS: return characters(m, &n->cls, 1, 1);
    case SY_MN_ASSERT:
        if (n->op == SY_MO_START && !m->begun) return m->begun = true;
        if (n->op == SY_MO_END && m->begun && !m->ended) return m->ended = true;
        return false;
    case SY_MN_CAT:
        for (const sy_mnode *c = n->first; c; c = c->next)
            if (!take(m, c, depth - 1)) return false;
        return true;
    case SY_MN_ALT: return n->first && n->first == n->last && take(m, n->first, depth - 1);
    case SY_MN_REPEAT: return n->first && n->first->kind == SY_MN_CLASS && characters(m, &n->first->cls, n->min, n->max);
    }
    return false;
}

bool sy_mshape_make(const sy_mnode *root, sy_mshape *out)
{
    maker m = { .s = out };
    memset(out, 0, sizeof *out);
    return take(&m, root, 8) && m.begun && m.ended;
}
