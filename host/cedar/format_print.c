/* cedar/format_print.c: decides group by group whether it fits on the line, and writes. Line ends and blanks are held back until
 * the next token, so that none stands at the end of a line and comments can end a line wherever they are. */
#include "cedar/format.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"

#include <string.h>

typedef struct printer {
    sy_fmt *f;
    uint32_t col, nest;
    size_t depth;   /* of nesting */
    size_t flat;    /* groups around here that are on one line */
    bool newline, blank;
    uint32_t indent; /* after newline */
    bool empty;     /* nothing of the policy is written yet */
} printer;

static void settle(printer *p)
{
    sy_buf *out = &p->f->out;
    if (p->newline && !p->empty) {
        sy_buf_addc(out, '\n');
        for (uint32_t i = 0; i < p->indent; i++) sy_buf_addc(out, ' ');
        p->col = p->indent;
    } else if (p->blank && !p->empty) {
        sy_buf_addc(out, ' ');
        p->col++;
    }
    p->newline = p->blank = p->empty = false;
}

static void end_line(printer *p)
{
    p->newline = true;
    p->indent = p->nest;
}

static void token(printer *p, const sy_ftok *t)
{
    sy_buf *out = &p->f->out;
    symbi_str s = sy_ctok_text(p->f->text, t->t);
    for (uint32_t i = 0; i < t->nlead; i++) {
        uint32_t indent;
        if (!p->newline) end_line(p);
        indent = p->indent;
        settle(p);
        sy_buf_adds(out, sy_fmt_comment(p->f->text, p->f->comments[t->lead + i]));
        p->newline = true;
        p->indent = indent;
    }
    settle(p);
    sy_buf_adds(out, s);
    p->col += t->width;
    for (size_t i = s.n; t->t.kind == SY_TK_STRING && i-- > 0;) { /* a string over several lines */
        if (s.p[i] != '\n') continue;
        p->col = 0;
        for (size_t k = i + 1; k < s.n; k++) p->col += ((unsigned char)s.p[k] & 0xc0) != 0x80;
        break;
    }
    if (!t->trail.end || t->t.kind == SY_TK_SEMI) return;
    sy_buf_addc(out, ' ');
    sy_buf_adds(out, sy_fmt_comment(p->f->text, t->trail));
    end_line(p);
}

static bool fits(const printer *p, const sy_fop *g)
{
    const sy_fmt *f = p->f;
    const sy_fop *e = &f->ops[g->next];
    uint32_t col = p->newline ? p->indent : p->col + p->blank;
    if (g->b > g->a && f->breaks[g->b] != f->breaks[g->a]) return false; /* a comment inside */
    return (uint64_t)col + (e->flat - g->flat) + e->tail <= f->width;
}

symbi_status sy_fmt_print(sy_fmt *f)
{
    printer p;
    memset(&p, 0, sizeof p);
    p.f = f;
    p.empty = true;
    for (size_t i = 0; i < f->nops && !sy_buf_status(&f->out); i++) {
        const sy_fop *o = &f->ops[i];
        switch ((sy_fop_kind)o->kind) {
        case SY_FOP_TEXT: token(&p, &f->toks[o->a]); break;
        case SY_FOP_SPACE: p.blank = true; break;
        case SY_FOP_HARD: end_line(&p); break;
        case SY_FOP_LINE:
        case SY_FOP_LINE0:
            if (!p.flat) end_line(&p);
            else if (o->kind == SY_FOP_LINE) p.blank = true;
            break;
        case SY_FOP_NEST:
            if (sy_grow(&f->cx->alloc, (void **)&f->nest, &f->cap_nest, p.depth + 1, sizeof *f->nest)) return sy_fail_nomem(f->err);
            f->nest[p.depth++] = p.nest;
            p.nest += o->a;
            break;
        case SY_FOP_UNNEST: p.nest = f->nest[--p.depth]; break;
        case SY_FOP_GROUP:
            if (p.flat || fits(&p, o)) p.flat++;
            break;
        case SY_FOP_END:
            if (p.flat) p.flat--;
            break;
        }
    }
    return SYMBI_OK; /* the buffer's status is looked at in the end */
}
