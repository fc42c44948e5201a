/* dsl/parse.c: from text to tree: the frame, building nodes, and the small pieces that every construct uses. Recursive descent with a
 * counted depth; an error is recorded where it is seen, and the list it stands in goes on with its next entry. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "dsl/dsl.h"

#include <string.h>

uint32_t sy_dsl_node(sy_parser *p, sy_dsl_kind k, uint32_t start)
{
    symbi_dsl *d = p->d;
    sy_node *n;
    if (p->status) return 0;
    if (d->nnodes >= SYMBI_DSL_MAX_NODES) {
        sy_dsl_stop(p, SYMBI_ELIMIT, start, "the file has more than %d nodes", SYMBI_DSL_MAX_NODES);
        return 0;
    }
    if (sy_grow(&d->alloc, (void **)&d->nodes, &d->nodes_cap, d->nnodes + 1, sizeof *d->nodes)) {
        sy_dsl_stop(p, SYMBI_ENOMEM, start, "out of memory");
        return 0;
    }
    n = &d->nodes[d->nnodes];
    memset(n, 0, sizeof *n);
    n->kind = (uint8_t)k;
    n->depth = 1;
    n->start = n->end = start;
    return (uint32_t)d->nnodes++;
}

bool sy_dsl_add(sy_parser *p, uint32_t parent, uint32_t child)
{
    sy_node *n, *c;
    if (!child) return false;
    n = &p->d->nodes[parent];
    c = &p->d->nodes[child];
    if (n->last) p->d->nodes[n->last].next = child;
    else n->first = child;
    n->last = child;
    if (c->end > n->end) n->end = c->end;
    if (c->depth >= n->depth) n->depth = (uint16_t)(c->depth + 1);
    if (n->depth > SYMBI_DSL_MAX_DEPTH) return sy_dsl_stop(p, SYMBI_ELIMIT, n->start, "nested deeper than %d levels", SYMBI_DSL_MAX_DEPTH);
    return true;
}

void sy_dsl_close(sy_parser *p, uint32_t node)
{
    if (!p->status && p->last_end > p->d->nodes[node].end) p->d->nodes[node].end = p->last_end;
}

bool sy_dsl_enter(sy_parser *p)
{
    if (p->depth >= SYMBI_DSL_MAX_DEPTH) return sy_dsl_stop(p, SYMBI_ELIMIT, p->cur.start, "nested deeper than %d levels", SYMBI_DSL_MAX_DEPTH);
    p->depth++;
    return true;
}

bool sy_dsl_take(sy_parser *p, int token, const char *what)
{
    if (p->cur.kind != token) return sy_dsl_expected(p, what);
    sy_dsl_advance(p);
    return true;
}

uint32_t sy_dsl_leaf(sy_parser *p, sy_dsl_kind k)
{
    uint32_t n = sy_dsl_node(p, k, p->cur.start);
    if (!n) return 0;
    p->d->nodes[n].end = p->cur.end;
    sy_dsl_advance(p);
    return n;
}

bool sy_dsl_word(sy_parser *p, uint32_t parent, const char *what)
{
    if (p->cur.kind != SY_T_IDENT) return sy_dsl_expected(p, what);
    return sy_dsl_add(p, parent, sy_dsl_leaf(p, SY_N_IDENT));
}

/* ---- the whole ---- */

static bool add_line(symbi_dsl *d, uint32_t at)
{
    if (sy_grow(&d->alloc, (void **)&d->lines, &d->lines_cap, d->nlines + 1, sizeof *d->lines)) return false;
    d->lines[d->nlines++] = at;
    return true;
}

static bool index_lines(symbi_dsl *d)
{
    if (!add_line(d, 0)) return false;
    for (size_t i = 0; i < d->text.n; i++)
        if (d->text.p[i] == '\n' && !add_line(d, (uint32_t)i + 1)) return false;
    return true;
}

/* What makes the text no text at all is one error, and nothing is read. */
static bool readable(sy_parser *p)
{
    size_t bad;
    const char *nul = p->n ? memchr(p->s, 0, p->n) : NULL;
    sy_token t = { SY_T_OTHER, 0, 0 };
    if (p->n >= 2 && (!memcmp(p->s, "\xff\xfe", 2) || !memcmp(p->s, "\xfe\xff", 2)))
        return sy_dsl_error_here(p, t, "UTF-8 text", "this is UTF-16; save the file as UTF-8");
    if (!sy_utf8_valid(p->d->text, &bad)) {
        t.start = t.end = (uint32_t)bad;
        return sy_dsl_error_here(p, t, "UTF-8 text", "the bytes from here on are not UTF-8");
    }
    if (nul) {
        t.start = (uint32_t)(nul - p->s);
        t.end = t.start + 1;
        return sy_dsl_error_here(p, t, "text", "the file holds a NUL byte");
    }
    return true;
}

static void program(sy_parser *p)
{
    uint32_t root = sy_dsl_node(p, SY_N_PROGRAM, 0);
    unsigned agents = 0;
    if (p->status || !readable(p)) return;
    if (p->n >= 3 && !memcmp(p->s, "\xef\xbb\xbf", 3)) p->cur.end = p->seen = 3;
    sy_dsl_advance(p);
    while (p->cur.kind != SY_T_EOF) {
        uint32_t item = sy_dsl_item(p);
        if (item) {
            if (p->d->nodes[item].kind == SY_N_AGENT && ++agents > SYMBI_DSL_MAX_AGENTS) {
                sy_dsl_stop(p, SYMBI_ELIMIT, p->d->nodes[item].start, "more than %d agents in one file", SYMBI_DSL_MAX_AGENTS);
                return;
            }
            sy_dsl_add(p, root, item);
            continue;
        }
        if (p->status) return;
        if (!p->to_top) sy_dsl_skip(p, sy_dsl_top_words, false);
        if (!p->to_top && p->cur.kind == '}') sy_dsl_advance(p);
        p->to_top = false;
        p->depth = 0;
    }
    if (!p->status) p->d->nodes[root].end = p->n;
}

symbi_status symbi_dsl_parse(symbi_ctx *cx, symbi_str text, symbi_str source, symbi_dsl **out, symbi_err *err)
{
    symbi_dsl *d;
    sy_parser p;
    *out = NULL;
    if (text.n > SYMBI_DSL_MAX_BYTES) {
        sy_fail(err, SYMBI_ELIMIT, "the file is larger than %d bytes", SYMBI_DSL_MAX_BYTES);
        sy_err_path(err, source);
        return SYMBI_ELIMIT;
    }
    d = sy_calloc(&cx->shared, 1, sizeof *d);
    if (!d) return sy_fail_nomem(err);
    sy_ref_init(&d->refs);
    d->alloc = cx->shared;
    sy_arena_init(&d->arena, cx->shared, cx->limits.arena_bytes);
    d->text = sy_arena_dup(&d->arena, text);
    d->source = sy_arena_dup(&d->arena, source);
    if (d->arena.status || !index_lines(d)) {
        symbi_dsl_unref(d);
        return sy_fail_nomem(err);
    }
    memset(&p, 0, sizeof p);
    p.cx = cx;
    p.d = d;
    p.s = d->text.p;
    p.n = (uint32_t)d->text.n;
    program(&p);
    if (p.status) {
        if (err) *err = p.err;
        sy_err_path(err, source);
        symbi_dsl_unref(d);
        return p.status;
    }
    *out = d;
    return SYMBI_OK;
}
