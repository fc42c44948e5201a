/* dsl/format.c: the canonical text (spec section 5). Structure is laid out anew: metadata, agent headers, capabilities, `with` headers;
 * everything else keeps its bytes. Where a comment stands inside a piece that would be laid out, that piece keeps its bytes too. The
 * result is read again and must say the same with the same comments. */
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "dsl/dsl.h"

#include <string.h>

typedef struct printer {
    const symbi_dsl *d;
    sy_buf *b;
} printer;

static void indent(printer *o, unsigned depth)
{
    while (depth--) sy_buf_addz(o->b, "    ");
}

static void text(printer *o, uint32_t node) { sy_buf_adds(o->b, sy_dsl_text(o->d, node)); }

static symbi_str between(const symbi_dsl *d, uint32_t from, uint32_t to) { return (symbi_str){ d->text.p + from, to - from }; }

static void comment(printer *o, size_t i, unsigned depth)
{
    const sy_span *c = &o->d->comments[i];
    indent(o, depth);
    sy_buf_adds(o->b, between(o->d, c->start, c->end));
    sy_buf_addc(o->b, '\n');
}

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

/* The next byte at or after `at` that is neither white space nor in a comment. */
static uint32_t significant(const symbi_dsl *d, uint32_t at)
{
    for (;;) {
        size_t i;
        while (at < d->text.n && is_space(d->text.p[at])) at++;
        i = sy_dsl_comment_from(d, at);
        if (i >= d->ncomments || d->comments[i].start != at) return at;
        at = d->comments[i].end;
    }
}

static const char *separator(const symbi_dsl *d, uint32_t node) { return sy_n(d, node)->op == '=' ? " = " : ": "; }

static void metadata_pair(printer *o, uint32_t n)
{
    const symbi_dsl *d = o->d;
    const sy_node *p = sy_n(d, n);
    if (sy_dsl_has_comment(d, p->start, p->end)) {
        text(o, n);
        if (d->text.p[p->end - 1] == ',') return;
    } else {
        text(o, p->first);
        sy_buf_addz(o->b, separator(d, n));
        text(o, p->last);
    }
    sy_buf_addc(o->b, ',');
}

static void metadata(printer *o, uint32_t n)
{
    const symbi_dsl *d = o->d;
    size_t c = sy_dsl_comment_from(d, sy_n(d, n)->start);
    sy_buf_addz(o->b, "metadata {\n");
    for (uint32_t k = sy_n(d, n)->first; k; k = sy_n(d, k)->next) {
        for (; c < d->ncomments && d->comments[c].start < sy_n(d, k)->start; c++) comment(o, c, 1);
        indent(o, 1);
        metadata_pair(o, k);
        sy_buf_addc(o->b, '\n');
        c = sy_dsl_comment_from(d, sy_n(d, k)->end);
    }
    for (; c < d->ncomments && d->comments[c].start < sy_n(d, n)->end; c++) comment(o, c, 1);
    sy_buf_addc(o->b, '}');
}

static void capabilities(printer *o, uint32_t n)
{
    const symbi_dsl *d = o->d;
    uint32_t list = sy_n(d, n)->first;
    if (sy_dsl_has_comment(d, sy_n(d, n)->start, sy_n(d, n)->end)) {
        text(o, n);
        return;
    }
    sy_buf_addz(o->b, "capabilities");
    sy_buf_addz(o->b, separator(d, n));
    sy_buf_addc(o->b, '[');
    for (uint32_t e = sy_n(d, list)->first; e; e = sy_n(d, e)->next) {
        if (e != sy_n(d, list)->first) sy_buf_addz(o->b, ", ");
        text(o, e);
    }
    sy_buf_addc(o->b, ']');
}

static void with_block(printer *o, uint32_t n, unsigned depth)
{
    const symbi_dsl *d = o->d;
    const sy_node *w = sy_n(d, n), *block = sy_n(d, w->last);
    if (sy_dsl_has_comment(d, w->start, block->start)) {
        uint32_t end = block->start;
        size_t last = sy_dsl_comment_from(d, block->start) - 1;
        while (is_space(d->text.p[end - 1])) end--;
        sy_buf_adds(o->b, between(d, w->start, end));
        if (d->comments[last].end >= end) { /* a comment ends the header: the brace on its own line */
            sy_buf_addc(o->b, '\n');
            indent(o, depth);
        } else {
            sy_buf_addc(o->b, ' ');
        }
    } else {
        sy_buf_addz(o->b, "with ");
        for (uint32_t a = w->first; a != w->last; a = sy_n(d, a)->next) {
            if (a != w->first) sy_buf_addz(o->b, ", ");
            text(o, sy_n(d, a)->first);
            sy_buf_addz(o->b, " = ");
            text(o, sy_n(d, a)->last);
        }
        sy_buf_addc(o->b, ' ');
    }
    if (block->first || sy_dsl_has_comment(d, block->start, block->end)) {
        text(o, w->last);
        return;
    }
    sy_buf_addz(o->b, "{\n");
    indent(o, depth);
    sy_buf_addc(o->b, '}');
}

static bool in_header(const symbi_dsl *d, uint32_t k)
{
    uint8_t kind = sy_n(d, k)->kind;
    return kind == SY_N_IDENT || kind == SY_N_PARAM || kind == SY_N_TYPE;
}

static void agent_item(printer *o, uint32_t n)
{
    indent(o, 1);
    if (sy_n(o->d, n)->kind == SY_N_CAPABILITIES) capabilities(o, n);
    else if (sy_n(o->d, n)->kind == SY_N_WITH) with_block(o, n, 1);
    else text(o, n);
    sy_buf_addc(o->b, '\n');
}

/* Writes the header up to the brace. Returns from where on comments belong to the body. */
static uint32_t agent_header(printer *o, uint32_t n)
{
    const symbi_dsl *d = o->d;
    const sy_node *a = sy_n(d, n);
    uint32_t last = a->first, at, type = 0;
    bool params = false;
    for (uint32_t k = a->first; k && in_header(d, k); k = sy_n(d, k)->next) last = k;
    if (sy_dsl_has_comment(d, a->start, sy_n(d, last)->end)) {
        uint32_t end = sy_n(d, last)->end;
        for (at = significant(d, end); d->text.p[at] == ',' || d->text.p[at] == ')' || d->text.p[at] == '('; at = significant(d, end)) end = at + 1;
        sy_buf_adds(o->b, between(d, a->start, end));
        return end;
    }
    sy_buf_addz(o->b, "agent ");
    text(o, a->first);
    for (uint32_t k = sy_n(d, a->first)->next; k && in_header(d, k); k = sy_n(d, k)->next) {
        if (sy_n(d, k)->kind == SY_N_TYPE) {
            type = k;
            continue;
        }
        sy_buf_addz(o->b, params ? ", " : "(");
        params = true;
        text(o, k);
    }
    if (params) sy_buf_addc(o->b, ')');
    if (type) {
        sy_buf_addz(o->b, " -> ");
        text(o, type);
    }
    return a->start;
}

static void agent(printer *o, uint32_t n)
{
    const symbi_dsl *d = o->d;
    const sy_node *a = sy_n(d, n);
    size_t c = sy_dsl_comment_from(d, agent_header(o, n));
    bool item = false; /* the last thing written was no comment: a blank line comes before the next */
    sy_buf_addz(o->b, " {\n");
    for (uint32_t k = a->first; k; k = sy_n(d, k)->next) {
        if (in_header(d, k)) continue;
        for (; c < d->ncomments && d->comments[c].start < sy_n(d, k)->start; c++, item = false) {
            if (item) sy_buf_addc(o->b, '\n');
            comment(o, c, 1);
        }
        if (item) sy_buf_addc(o->b, '\n');
        agent_item(o, k);
        item = true;
        c = sy_dsl_comment_from(d, sy_n(d, k)->end);
    }
    for (; c < d->ncomments && d->comments[c].start < a->end; c++, item = false) {
        if (item) sy_buf_addc(o->b, '\n');
        comment(o, c, 1);
    }
    sy_buf_addc(o->b, '}');
}

static void program(printer *o)
{
    const symbi_dsl *d = o->d;
    size_t c = 0;
    bool item = false;
    for (uint32_t k = sy_n(d, 0)->first; k; k = sy_n(d, k)->next) {
        for (; c < d->ncomments && d->comments[c].start < sy_n(d, k)->start; c++, item = false) {
            if (item) sy_buf_addc(o->b, '\n');
            comment(o, c, 0);
        }
        if (item) sy_buf_addc(o->b, '\n');
        if (sy_n(d, k)->kind == SY_N_METADATA) metadata(o, k);
        else if (sy_n(d, k)->kind == SY_N_AGENT) agent(o, k);
        else text(o, k);
        sy_buf_addc(o->b, '\n');
        item = true;
        c = sy_dsl_comment_from(d, sy_n(d, k)->end);
    }
    for (; c < d->ncomments; c++, item = false) {
        if (item) sy_buf_addc(o->b, '\n');
        comment(o, c, 0);
    }
    if (!o->b->n) sy_buf_addc(o->b, '\n');
}

static bool same_comments(const symbi_dsl *a, const symbi_dsl *b)
{
    if (a->ncomments != b->ncomments) return false;
    for (size_t i = 0; i < a->ncomments; i++)
        if (!sy_str_eq(between(a, a->comments[i].start, a->comments[i].end), between(b, b->comments[i].start, b->comments[i].end))) return false;
    return true;
}

symbi_status symbi_dsl_format(symbi_ctx *cx, const symbi_dsl *d, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    printer o = { d, &b };
    symbi_dsl *again = NULL;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if ((st = sy_dsl_need_ok(d, err))) return st;
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    program(&o);
    if ((st = sy_buf_take(&b, out, "the formatted text", err))) return st;
    st = symbi_dsl_parse(cx, symbi_text_str(out), d->source, &again, err);
    if (!st && !(symbi_dsl_equal(d, again) && same_comments(d, again)))
        st = sy_fail(err, SYMBI_ESTATE, "formatting would change what the file says; nothing was written (please report this file)");
    symbi_dsl_unref(again);
    if (st) symbi_text_free(out);
    return st;
}
