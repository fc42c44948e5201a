/* cedar/format_doc.c: where the lines of a policy may break. It walks the tokens of a text that is known to parse, by the grammar
 * of spec 2 with nothing but nesting in mind; each token comes out once, in order. */
#include "cedar/format.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"

#include <string.h>

typedef struct walk {
    sy_fmt *f;
    size_t at; /* the token to come */
    size_t depth;
    symbi_status st;
} walk;

static symbi_status fail(walk *w, symbi_status st)
{
    if (!w->st) {
        w->st = st;
        if (st == SYMBI_ENOMEM) sy_fail_nomem(w->f->err);
        else if (st == SYMBI_ELIMIT) sy_fail(w->f->err, st, "an expression is nested too deeply to be formatted");
        else sy_fail(w->f->err, st, "byte %u: the formatter does not know this form", (unsigned)(w->at < w->f->ntoks ? w->f->toks[w->at].t.pos : w->f->text.n));
    }
    return w->st;
}

static size_t op(walk *w, sy_fop_kind kind, uint32_t a)
{
    sy_fmt *f = w->f;
    sy_fop *o;
    if (w->st) return 0;
    if (sy_grow(&f->cx->alloc, (void **)&f->ops, &f->cap_ops, f->nops + 1, sizeof *f->ops)) {
        fail(w, SYMBI_ENOMEM);
        return 0;
    }
    o = &f->ops[f->nops];
    memset(o, 0, sizeof *o);
    o->kind = kind;
    o->a = a;
    return f->nops++;
}

static sy_ctok_kind kind_at(const walk *w, size_t i) { return i < w->f->ntoks ? w->f->toks[i].t.kind : SY_TK_EOF; }
static sy_ctok_kind kind(const walk *w) { return w->st ? SY_TK_EOF : kind_at(w, w->at); }
static bool word(const walk *w, const char *z)
{
    symbi_str s;
    if (kind(w) != SY_TK_IDENT) return false;
    s = sy_ctok_text(w->f->text, w->f->toks[w->at].t);
    return s.n == strlen(z) && !memcmp(s.p, z, s.n);
}

static void text(walk *w)
{
    if (w->st || w->at >= w->f->ntoks) {
        fail(w, SYMBI_EUNSUPPORTED);
        return;
    }
    op(w, SY_FOP_TEXT, (uint32_t)w->at++);
}
static void need(walk *w, sy_ctok_kind k)
{
    if (kind(w) != k) fail(w, SYMBI_EUNSUPPORTED);
    else text(w);
}
static void space(walk *w) { op(w, SY_FOP_SPACE, 0); }
static void line(walk *w) { op(w, SY_FOP_LINE, 0); }
static void line0(walk *w) { op(w, SY_FOP_LINE0, 0); }
static void nest(walk *w, uint32_t n) { op(w, SY_FOP_NEST, n); }
static void unnest(walk *w) { op(w, SY_FOP_UNNEST, 0); }
static size_t group(walk *w) { return op(w, SY_FOP_GROUP, (uint32_t)w->at); }
static void end(walk *w, size_t g)
{
    size_t e = op(w, SY_FOP_END, 0);
    if (w->st) return;
    w->f->ops[g].b = (uint32_t)(w->at ? w->at - 1 : 0);
    w->f->ops[g].next = (uint32_t)e;
}

/* ---- expressions ---- */

static void expr(walk *w);

/* Items between commas up to `close`, each on a line of its own where the group is broken. */
static void items(walk *w, sy_ctok_kind close, bool record)
{
    while (!w->st && kind(w) != close) {
        if (record && kind_at(w, w->at + 1) == SY_TK_COLON) {
            text(w);
            text(w);
            space(w);
        }
        expr(w);
        if (kind(w) != SY_TK_COMMA) break;
        text(w);
        if (kind(w) != close) line(w);
    }
}

/* A parenthesis and a record are groups of their own; a list breaks with what is done to it. */
static void primary(walk *w)
{
    size_t g;
    switch (kind(w)) {
    case SY_TK_LPAREN:
        g = group(w);
        text(w);
        nest(w, 1);
        expr(w);
        unnest(w);
        need(w, SY_TK_RPAREN);
        end(w, g);
        break;
    case SY_TK_LBRACK:
        text(w);
        nest(w, 1);
        items(w, SY_TK_RBRACK, false);
        unnest(w);
        need(w, SY_TK_RBRACK);
        break;
    case SY_TK_LBRACE:
        g = group(w);
        text(w);
        if (kind(w) != SY_TK_RBRACE) {
            nest(w, w->f->indent);
            line(w);
            items(w, SY_TK_RBRACE, true);
            unnest(w);
            line(w);
        }
        need(w, SY_TK_RBRACE);
        end(w, g);
        break;
    case SY_TK_IDENT:
        text(w);
        while (kind(w) == SY_TK_PATH) {
            text(w);
            text(w);
        }
        break;
    case SY_TK_NUMBER:
    case SY_TK_STRING:
    case SY_TK_SLOT:
        text(w);
        break;
    default:
        fail(w, SYMBI_EUNSUPPORTED);
    }
}

/* What is accessed with its first access stays together; the others get lines of their own. */
static void member(walk *w)
{
    size_t g = group(w);
    bool first = true;
    primary(w);
    nest(w, w->f->indent);
    for (;; first = false) {
        sy_ctok_kind k = kind(w);
        if (k != SY_TK_DOT && k != SY_TK_LBRACK && k != SY_TK_LPAREN) break;
        if (!first) line0(w);
        text(w);
        if (k == SY_TK_DOT) {
            text(w);
        } else if (k == SY_TK_LBRACK) {
            expr(w);
            need(w, SY_TK_RBRACK);
        } else {
            if (kind(w) != SY_TK_RPAREN) {
                nest(w, w->f->indent);
                line0(w);
                items(w, SY_TK_RPAREN, false);
                unnest(w);
                line0(w);
            }
            need(w, SY_TK_RPAREN);
        }
    }
    unnest(w);
    end(w, g);
}

enum { L_OR, L_AND, L_REL, L_ADD, L_MUL, L_UNARY };

static bool is_operator(const walk *w, unsigned level)
{
    sy_ctok_kind k = kind(w);
    switch (level) {
    case L_OR: return k == SY_TK_OR;
    case L_AND: return k == SY_TK_AND;
    case L_REL:
        return k == SY_TK_EQ || k == SY_TK_NE || k == SY_TK_LT || k == SY_TK_LE || k == SY_TK_GT || k == SY_TK_GE || word(w, "in") || word(w, "has") || word(w, "like") || word(w, "is");
    case L_ADD: return k == SY_TK_PLUS || k == SY_TK_MINUS;
    default: return k == SY_TK_STAR || k == SY_TK_SLASH || k == SY_TK_PERCENT;
    }
}

/* A chain of operators of one level breaks behind each of them: sums and products by themselves, && and || with what is around them.
 * Comparisons do not break, but the words do: has and like on both sides, in behind an is. */
static void binary(walk *w, unsigned level)
{
    size_t g = 0;
    if (level == L_UNARY) {
        while (kind(w) == SY_TK_NOT || kind(w) == SY_TK_MINUS) text(w);
        member(w);
        return;
    }
    if (level >= L_REL) g = group(w);
    binary(w, level + 1);
    while (!w->st && is_operator(w, level)) {
        bool both = word(w, "has") || word(w, "like"), is = word(w, "is");
        if (both) line(w);
        else space(w);
        text(w);
        if (level == L_REL && !both) space(w);
        else line(w);
        if (both || is) nest(w, w->f->indent);
        binary(w, level + 1);
        if (both || is) unnest(w);
        if (!is || !word(w, "in")) continue;
        line(w);
        text(w);
        space(w);
        nest(w, w->f->indent);
        binary(w, level + 1);
        unnest(w);
    }
    if (level >= L_REL) end(w, g);
}

static void branch(walk *w, const char *name)
{
    if (!word(w, name)) {
        fail(w, SYMBI_EUNSUPPORTED);
        return;
    }
    text(w);
    nest(w, w->f->indent);
    line(w);
    expr(w);
    unnest(w);
}

static void expr(walk *w)
{
    if (w->st) return;
    if (++w->depth > w->f->cx->limits.expr_depth + 8) {
        fail(w, SYMBI_ELIMIT);
        return;
    }
    if (word(w, "if")) {
        size_t g = group(w);
        branch(w, "if");
        line(w);
        branch(w, "then");
        line(w);
        branch(w, "else");
        end(w, g);
    } else {
        binary(w, L_OR);
    }
    w->depth--;
}

/* ---- policies ---- */

/* principal, action or resource with what it must be. */
static void variable(walk *w)
{
    size_t whole = group(w), head = group(w);
    text(w);
    if (word(w, "is")) {
        size_t g = group(w);
        line(w);
        text(w);
        end(w, g);
        nest(w, w->f->indent);
        g = group(w);
        line(w);
        member(w);
        end(w, g);
        unnest(w);
    }
    if (kind(w) != SY_TK_EQ && !word(w, "in")) {
        end(w, head);
        end(w, whole);
        return;
    }
    line(w);
    text(w);
    end(w, head);
    nest(w, w->f->indent);
    line(w);
    member(w);
    unnest(w);
    end(w, whole);
}

/* Three bare names stay on one line, which may be a line of its own; a comment among them breaks all. */
static void scope(walk *w)
{
    size_t i = w->at + 1, g, whole = 0; /* i: at the opening parenthesis */
    bool plain = true, comments = false;
    sy_fop_kind brk, edge;
    for (size_t depth = 1; ++i < w->f->ntoks && depth;) { /* a bare name each? */
        sy_ctok_kind k = kind_at(w, i);
        comments = comments || w->f->toks[i].nlead || w->f->toks[i - 1].trail.end;
        if (k == SY_TK_LPAREN) depth++;
        else if (k == SY_TK_RPAREN) depth--;
        else if (k != SY_TK_COMMA && (k != SY_TK_IDENT || kind_at(w, i + 1) == SY_TK_IDENT)) plain = false;
    }
    brk = !plain ? SY_FOP_HARD : comments ? SY_FOP_LINE : SY_FOP_SPACE;
    edge = !plain ? SY_FOP_HARD : SY_FOP_LINE0;
    g = group(w);
    need(w, SY_TK_IDENT);
    line(w);
    need(w, SY_TK_LPAREN);
    end(w, g);
    if (plain && comments) whole = group(w);
    nest(w, w->f->indent);
    if (!plain || comments) op(w, edge, 0);
    while (!w->st && kind(w) != SY_TK_RPAREN) {
        variable(w);
        if (kind(w) != SY_TK_COMMA) break;
        text(w);
        if (kind(w) != SY_TK_RPAREN) op(w, brk, 0);
    }
    unnest(w);
    if (!plain || comments) op(w, edge, 0);
    if (plain && comments) end(w, whole);
    need(w, SY_TK_RPAREN);
}

static void condition(walk *w)
{
    size_t g = group(w), block, body;
    text(w);
    line(w);
    block = group(w);
    need(w, SY_TK_LBRACE);
    if (kind(w) != SY_TK_RBRACE) {
        nest(w, w->f->indent);
        line(w);
        body = group(w);
        expr(w);
        end(w, body);
        unnest(w);
        line(w);
    }
    need(w, SY_TK_RBRACE);
    end(w, block);
    end(w, g);
}

/* Widths, and where a comment ends a line. */
static symbi_status measure(sy_fmt *f)
{
    uint32_t sum = 0, tail = 0;
    if (sy_grow(&f->cx->alloc, (void **)&f->breaks, &f->cap_breaks, f->ntoks + 1, sizeof *f->breaks)) return sy_fail_nomem(f->err);
    for (size_t i = 0; i < f->ntoks; i++) f->breaks[i] = (i ? f->breaks[i - 1] : 0) + f->toks[i].nlead + (i && f->toks[i - 1].trail.end);
    for (size_t i = 0; i < f->nops; i++) {
        sy_fop *o = &f->ops[i];
        o->flat = sum;
        if (o->kind == SY_FOP_TEXT) sum += f->toks[o->a].width;
        else if (o->kind == SY_FOP_SPACE || o->kind == SY_FOP_LINE) sum++;
    }
    for (size_t i = f->nops; i-- > 0;) {
        sy_fop *o = &f->ops[i];
        const sy_ftok *t = o->kind == SY_FOP_TEXT ? &f->toks[o->a] : NULL;
        if (o->kind == SY_FOP_LINE || o->kind == SY_FOP_LINE0 || o->kind == SY_FOP_HARD || (t && t->nlead)) tail = 0;
        else if (t) tail = t->width + (t->trail.end ? 0 : tail);
        else if (o->kind == SY_FOP_SPACE) tail++;
        o->tail = tail;
    }
    return SYMBI_OK;
}

symbi_status sy_fmt_doc(sy_fmt *f)
{
    walk w = { f, 0, 0, SYMBI_OK };
    f->nops = 0;
    while (kind(&w) == SY_TK_AT) {
        text(&w);
        text(&w);
        if (kind(&w) == SY_TK_LPAREN) {
            text(&w);
            need(&w, SY_TK_STRING);
            need(&w, SY_TK_RPAREN);
        }
        op(&w, SY_FOP_HARD, 0);
    }
    scope(&w);
    while (kind(&w) == SY_TK_IDENT) {
        op(&w, SY_FOP_HARD, 0);
        condition(&w);
    }
    need(&w, SY_TK_SEMI);
    if (!w.st && w.at != f->ntoks) fail(&w, SYMBI_EUNSUPPORTED);
    return w.st ? w.st : measure(f);
}
