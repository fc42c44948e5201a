/* skills/flow.c: rules of two patterns: a download here, and a few lines on what came is run. Each pattern alone is ordinary; both near
 * each other are what the rule is about. Hits are noted while the lines and their views go by, in whatever order, and put together at
 * the end of the text. */
#include "base/alloc.h"
#include "base/err.h"
#include "codec/value.h"
#include "skills/strict_in.h"
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 1 << 16 };

static int by_place(const void *a, const void *b)
{
    const sy_part *x = a, *y = b;
    if (x->rule != y->rule) return x->rule < y->rule ? -1 : 1;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    if (x->second != y->second) return x->second - y->second;
    return x->at < y->at ? -1 : x->at > y->at;
}

static symbi_status found(sy_stext *x, const sy_part *p)
{
    symbi_skill_scan *s = x->s;
    const sy_skill_entry *e = &s->s->entry[p->rule];
    symbi_skill_finding f = { e->id, e->category, e->message, x->path, { "", 0 }, symbi_str_z(sy_how_names[p->how]), { "", 0 }, p->severity, p->line, 0, false };
    if (p->how == SY_HOW_PLAIN) f.column = p->at + 1;
    sy_scan_excerpt(s, p->text, p->at, &f.excerpt);
    if (s->arena.status) return sy_arena_fail(&s->arena, "the findings", x->err);
    return sy_scan_add(s, &f, p->rule, p->last, x->err);
}

/* Is one part near the other? On one line the order in it counts, unless all of the text stands at one line. */
static bool near(const sy_stext *x, const sy_part *first, const sy_part *second)
{
    if (second->line - first->line > SY_FLOW_LINES) return false;
    return first->line != second->line || x->line || x->s->s->entry[first->rule].flags & SY_RULE_EITHER || first->at <= second->at;
}

static symbi_status put_together(sy_stext *x)
{
    symbi_skill_scan *s = x->s;
    const sy_part *first = NULL, *second = NULL, *before = NULL; /* the last ones, of the present rule; before: on a line before first's */
    symbi_status st = SYMBI_OK;
    if (s->npart > 1) qsort(s->part, s->npart, sizeof *s->part, by_place);
    for (size_t i = 0; i < s->npart && !st; i++) {
        const sy_part *p = &s->part[i];
        bool either = s->s->entry[p->rule].flags & SY_RULE_EITHER;
        if (i && p[-1].rule != p->rule) first = second = before = NULL;
        if (p->second && ((first && near(x, first, p)) || (before && near(x, before, p)))) st = found(x, p);
        else if (!p->second && either && second && near(x, second, p)) st = found(x, p);
        if (p->second) second = p;
        else if (!first || first->line != p->line) before = first, first = p; /* of one line, the first one in it */
    }
    return st;
}

symbi_status sy_flow_note(sy_stext *x, const sy_part *p)
{
    symbi_skill_scan *s = x->s;
    if (p->severity == SYMBI_SKILL_INFO) return SYMBI_OK; /* spoken against */
    if (s->npart >= PARTS_MAX) { /* what lies far behind is done with */
        symbi_status st = put_together(x);
        size_t n = 0;
        if (st) return st;
        for (size_t i = 0; i < s->npart; i++)
            if (s->part[i].line + SY_FLOW_LINES >= p->line) s->part[n++] = s->part[i];
        if (n > PARTS_MAX / 2) n = PARTS_MAX / 2; /* so many in twenty lines have been found together already */
        s->npart = n;
    }
    if (sy_grow(&s->alloc, (void **)&s->part, &s->cappart, s->npart + 1, sizeof *s->part)) return sy_fail_nomem(x->err);
    s->part[s->npart++] = *p;
    return SYMBI_OK;
}

symbi_status sy_flow_end(sy_stext *x)
{
    symbi_status st = put_together(x);
    x->s->npart = 0;
    return st;
}
