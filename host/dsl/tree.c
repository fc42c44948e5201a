/* dsl/tree.c: a parsed file: its life, places, its tree as text, and whether two files say the same. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "dsl/dsl.h"

#include <string.h>

static const char *const g_names[] = {
#define NAME(k, name) name,
    SY_DSL_NODES(NAME)
#undef NAME
};

symbi_dsl *symbi_dsl_ref(symbi_dsl *d)
{
    sy_ref_inc(&d->refs);
    return d;
}

void symbi_dsl_unref(symbi_dsl *d)
{
    symbi_alloc al;
    if (!d || !sy_ref_dec(&d->refs)) return;
    al = d->alloc;
    sy_arena_free(&d->arena);
    sy_free(&al, d->nodes, d->nodes_cap * sizeof *d->nodes);
    sy_free(&al, d->comments, d->comments_cap * sizeof *d->comments);
    sy_free(&al, d->lines, d->lines_cap * sizeof *d->lines);
    sy_free(&al, d->errors, d->errors_cap * sizeof *d->errors);
    sy_free(&al, d, sizeof *d);
}

bool symbi_dsl_ok(const symbi_dsl *d) { return !d->nerrors; }
size_t symbi_dsl_error_count(const symbi_dsl *d) { return d->nerrors; }
symbi_str symbi_dsl_source(const symbi_dsl *d) { return d->source; }
symbi_str symbi_dsl_text(const symbi_dsl *d) { return d->text; }

bool symbi_dsl_error_at(const symbi_dsl *d, size_t i, symbi_dsl_error *out)
{
    if (i >= d->nerrors) return false;
    *out = d->errors[i];
    return true;
}

symbi_status sy_dsl_need_ok(const symbi_dsl *d, symbi_err *err)
{
    const symbi_dsl_error *e = d->errors;
    symbi_status st;
    if (!d->nerrors) return SYMBI_OK;
    st = sy_fail_at(err, SYMBI_EPARSE, e->line, e->col, "%s", e->message.p);
    sy_err_path(err, d->source);
    return st;
}

void sy_dsl_place(const symbi_dsl *d, uint32_t at, uint32_t *line, uint32_t *col)
{
    size_t lo = 0, hi = d->nlines;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (d->lines[mid] <= at) lo = mid;
        else hi = mid;
    }
    *line = (uint32_t)lo + 1;
    *col = at - (d->nlines ? d->lines[lo] : 0) + 1;
}

symbi_str sy_dsl_text(const symbi_dsl *d, uint32_t node)
{
    const sy_node *n = sy_n(d, node);
    return (symbi_str){ d->text.p + n->start, n->end - n->start };
}

uint32_t sy_dsl_child(const symbi_dsl *d, uint32_t node, sy_dsl_kind k)
{
    for (uint32_t c = sy_n(d, node)->first; c; c = sy_n(d, c)->next)
        if (sy_n(d, c)->kind == k) return c;
    return 0;
}

symbi_str sy_dsl_name(const symbi_dsl *d, uint32_t node)
{
    uint32_t c = sy_dsl_child(d, node, SY_N_IDENT);
    return c ? sy_dsl_text(d, c) : SY_LIT("");
}

size_t sy_dsl_comment_from(const symbi_dsl *d, uint32_t at)
{
    size_t lo = 0, hi = d->ncomments;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (d->comments[mid].start < at) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

bool sy_dsl_has_comment(const symbi_dsl *d, uint32_t from, uint32_t to)
{
    size_t i = sy_dsl_comment_from(d, from);
    return i < d->ncomments && d->comments[i].start < to;
}

uint32_t sy_dsl_bare(const symbi_dsl *d, uint32_t node)
{
    while (sy_n(d, node)->kind == SY_N_EXPR || sy_n(d, node)->kind == SY_N_PAREN || sy_n(d, node)->kind == SY_N_VALUE) node = sy_n(d, node)->first;
    return node;
}

symbi_str sy_dsl_unquote(symbi_str s)
{
    while (s.n && s.p[0] == '"') s.p++, s.n--;
    while (s.n && s.p[s.n - 1] == '"') s.n--;
    return s;
}

/* ---- as an S-expression ---- */

typedef struct writer {
    const symbi_dsl *d;
    sy_buf *b;
    size_t comment; /* the next one */
} writer;

static void put_comments(writer *w, uint32_t before, bool statement)
{
    for (; w->comment < w->d->ncomments && w->d->comments[w->comment].start < before; w->comment++)
        sy_buf_addz(w->b, statement ? " (statement (comment))" : " (comment)");
}

/* Depth is the tree's. A comment belongs to the innermost node that has tokens on both sides of it; in a block it counts as a
 * statement until the value that ends the block. */
static void put_node(writer *w, uint32_t node, bool first)
{
    const sy_node *n = sy_n(w->d, node);
    const char *name = g_names[n->kind];
    bool block = n->kind == SY_N_BLOCK;
    if (name) {
        if (!first) sy_buf_addc(w->b, ' ');
        sy_buf_addc(w->b, '(');
        sy_buf_addz(w->b, name);
    }
    for (uint32_t c = n->first; c; c = sy_n(w->d, c)->next) {
        put_comments(w, sy_n(w->d, c)->start, block);
        put_node(w, c, false);
        if (sy_n(w->d, c)->kind == SY_N_EXPR) block = false;
    }
    put_comments(w, n->end, block);
    if (name) sy_buf_addc(w->b, ')');
}

symbi_status symbi_dsl_sexp(symbi_ctx *cx, const symbi_dsl *d, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    writer w = { d, &b, 0 };
    symbi_status st;
    memset(out, 0, sizeof *out);
    if ((st = sy_dsl_need_ok(d, err))) return st;
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    put_node(&w, 0, true);
    return sy_buf_take(&b, out, "the tree's text", err);
}

/* ---- equality ---- */

static bool equal(const symbi_dsl *a, uint32_t x, const symbi_dsl *b, uint32_t y)
{
    const sy_node *m = sy_n(a, x), *n = sy_n(b, y);
    uint32_t c, e;
    if (m->kind != n->kind || m->op != n->op || m->link != n->link) return false;
    if (!m->first && m->kind != SY_N_PROGRAM && m->kind >= SY_N_VALUE && !sy_str_eq(sy_dsl_text(a, x), sy_dsl_text(b, y))) return false;
    for (c = m->first, e = n->first; c && e; c = sy_n(a, c)->next, e = sy_n(b, e)->next)
        if (!equal(a, c, b, e)) return false;
    return !c && !e;
}

bool symbi_dsl_equal(const symbi_dsl *a, const symbi_dsl *b) { return symbi_dsl_ok(a) && symbi_dsl_ok(b) && equal(a, 0, b, 0); }
