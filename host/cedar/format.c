/* cedar/format.c: the pretty printer's front: reads tokens and comments policy by policy, and compares what comes out with what went
 * in, so that a mistake in the layout can never change a policy. */
#include "cedar/format.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "symbi/cedar.h"
#include "symbi/cedar_format.h"

#include <string.h>

enum { MAX_WIDTH = 10000, MAX_INDENT = 64 };

symbi_str sy_fmt_comment(symbi_str text, sy_fspan c)
{
    symbi_str s = { text.p + c.pos, c.end - c.pos };
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\v' || s.p[s.n - 1] == '\f')) s.n--;
    return s;
}

/* The next comment in text[pos, end), where only white space and comments are. *line tells whether a line ended before it. */
static bool next_comment(symbi_str text, uint32_t pos, uint32_t end, sy_fspan *c, bool *line)
{
    *line = false;
    for (; pos < end && text.p[pos] != '/'; pos++)
        if (text.p[pos] == '\n' || text.p[pos] == '\r') *line = true;
    if (pos >= end) return false;
    c->pos = pos;
    while (pos < end && text.p[pos] != '\n' && text.p[pos] != '\r') pos++;
    c->end = pos;
    return true;
}

/* The comments between the token before (it ends at pos; first: there is none) and t. */
static symbi_status take_comments(sy_fmt *f, uint32_t pos, bool first, sy_ftok *t, sy_fspan *trail)
{
    sy_fspan c;
    bool line;
    t->lead = (uint32_t)f->ncomments;
    for (bool begin = true; next_comment(f->text, pos, t->t.pos, &c, &line); pos = c.end, begin = false) {
        if (begin && !line && !first) {
            *trail = c;
            continue;
        }
        if (sy_grow(&f->cx->alloc, (void **)&f->comments, &f->cap_comments, f->ncomments + 1, sizeof *f->comments)) return sy_fail_nomem(f->err);
        f->comments[f->ncomments++] = c;
    }
    t->nlead = (uint32_t)f->ncomments - t->lead;
    return SYMBI_OK;
}

static uint32_t chars(symbi_str s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static symbi_status bad_token(sy_fmt *f, sy_ctok t, const char *why)
{
    return sy_fail(f->err, SYMBI_EPARSE, "byte %u: %s", (unsigned)t.pos, why ? why : "unexpected token");
}

/* Reads from *pos up to and including the next `;`; *t is the token after it, with its comments. */
static symbi_status read_policy(sy_fmt *f, sy_ftok *t)
{
    const size_t each = sizeof(sy_ftok) + 8 * sizeof(sy_fop);
    const char *why = NULL;
    symbi_status st;
    f->ntoks = 0;
    for (;;) {
        sy_ftok *last;
        if (f->ntoks >= f->cx->limits.arena_bytes / each) return sy_fail(f->err, SYMBI_ELIMIT, "a policy is too large to be formatted");
        if (sy_grow(&f->cx->alloc, (void **)&f->toks, &f->cap_toks, f->ntoks + 1, sizeof *f->toks)) return sy_fail_nomem(f->err);
        last = &f->toks[f->ntoks++];
        *last = *t;
        memset(t, 0, sizeof *t);
        t->t = sy_clex(f->text, last->t.end, false, &why);
        if (t->t.kind == SY_TK_BAD) return bad_token(f, t->t, why);
        t->width = chars(sy_ctok_text(f->text, t->t));
        if (last->t.kind == SY_TK_SEMI) {
            t->lead = (uint32_t)f->ncomments; /* those of this policy are dropped by the caller, then the next one's are read */
            return SYMBI_OK;
        }
        if (t->t.kind == SY_TK_EOF) return sy_fail(f->err, SYMBI_EPARSE, "the text ends within a policy");
        if ((st = take_comments(f, last->t.end, false, t, &last->trail))) return st;
    }
}

/* Comments in front of the token after a policy, or at the begin or the end of the text. */
static symbi_status between(sy_fmt *f, uint32_t pos, bool first, sy_ftok *t)
{
    sy_fspan trail = { 0, 0 };
    symbi_status st;
    f->ncomments = 0;
    if ((st = take_comments(f, pos, first, t, &trail))) return st;
    if (trail.end) {
        sy_buf_addc(&f->out, ' ');
        sy_buf_adds(&f->out, sy_fmt_comment(f->text, trail));
    }
    if (!first) sy_buf_addc(&f->out, '\n');
    if (!first && (t->t.kind != SY_TK_EOF || t->nlead)) sy_buf_addc(&f->out, '\n');
    return SYMBI_OK;
}

static symbi_status format(sy_fmt *f)
{
    const char *why = NULL;
    bool first = true;
    uint32_t pos = 0;
    sy_ftok t;
    symbi_status st;
    memset(&t, 0, sizeof t);
    t.t = sy_clex(f->text, 0, false, &why);
    if (t.t.kind == SY_TK_BAD) return bad_token(f, t.t, why);
    t.width = chars(sy_ctok_text(f->text, t.t));
    for (;;) {
        if ((st = between(f, pos, first, &t))) return st;
        if (t.t.kind == SY_TK_EOF) break;
        if ((st = read_policy(f, &t)) || (st = sy_fmt_doc(f)) || (st = sy_fmt_print(f))) return st;
        pos = f->toks[f->ntoks - 1].t.end;
        first = false;
    }
    for (uint32_t i = 0; i < t.nlead; i++) {
        sy_buf_adds(&f->out, sy_fmt_comment(f->text, f->comments[t.lead + i]));
        sy_buf_addc(&f->out, '\n');
    }
    return SYMBI_OK;
}

/* Both texts have the same tokens with the same comments between them. */
static bool same(symbi_str a, symbi_str b)
{
    const char *why;
    uint32_t i = 0, k = 0;
    for (;;) {
        sy_ctok x = sy_clex(a, i, false, &why), y = sy_clex(b, k, false, &why);
        symbi_str s, t;
        sy_fspan c, d;
        bool line;
        while (next_comment(a, i, x.pos, &c, &line)) {
            if (!next_comment(b, k, y.pos, &d, &line)) return false;
            s = sy_fmt_comment(a, c);
            t = sy_fmt_comment(b, d);
            if (s.n != t.n || memcmp(s.p, t.p, s.n)) return false;
            i = c.end;
            k = d.end;
        }
        if (next_comment(b, k, y.pos, &d, &line) || x.kind != y.kind || x.kind == SY_TK_BAD) return false;
        if (x.kind == SY_TK_EOF) return true;
        s = sy_ctok_text(a, x);
        t = sy_ctok_text(b, y);
        if (s.n != t.n || memcmp(s.p, t.p, s.n)) return false;
        i = x.end;
        k = y.end;
    }
}

symbi_status symbi_cedar_format(symbi_ctx *cx, symbi_str text, size_t width, size_t indent, symbi_text *out, symbi_err *err)
{
    const symbi_alloc *al = &cx->alloc;
    symbi_cedar_source src = { { "", 0 }, text };
    symbi_cedar *set;
    symbi_status st;
    sy_fmt f;
    memset(out, 0, sizeof *out);
    if (width < 1 || width > MAX_WIDTH) return sy_fail(err, SYMBI_EINVAL, "the width of a line must be 1 to %d columns", MAX_WIDTH);
    if (indent > MAX_INDENT) return sy_fail(err, SYMBI_EINVAL, "one level can be indented by at most %d columns", MAX_INDENT);
    if ((st = symbi_cedar_parse(cx, &src, 1, 0, &set, err))) return st; /* from here on the text is known to be valid */
    symbi_cedar_unref(set);
    if (text.n > UINT32_MAX / 16) return sy_fail(err, SYMBI_ELIMIT, "the text is too long to be formatted");
    memset(&f, 0, sizeof f);
    f.cx = cx;
    f.err = err;
    f.text = text;
    f.width = (uint32_t)width;
    f.indent = (uint32_t)indent;
    sy_buf_init(&f.out, *al, cx->limits.output_bytes);
    st = format(&f);
    if (!st && !sy_buf_status(&f.out) && !same(text, sy_buf_str(&f.out)))
        st = sy_fail(err, SYMBI_EUNSUPPORTED, "this text cannot be formatted without changing it (a mistake of the formatter; please report it)");
    sy_free(al, f.toks, f.cap_toks * sizeof *f.toks);
    sy_free(al, f.comments, f.cap_comments * sizeof *f.comments);
    sy_free(al, f.ops, f.cap_ops * sizeof *f.ops);
    sy_free(al, f.breaks, f.cap_breaks * sizeof *f.breaks);
    sy_free(al, f.nest, f.cap_nest * sizeof *f.nest);
    if (!st) return sy_buf_take(&f.out, out, "the formatted text", err);
    sy_buf_free(&f.out);
    return st;
}
