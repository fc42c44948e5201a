/* skills/lines.c: the lines of a text that have to be looked at in another form: normalised, unquoted, joined with those that go on where
 * they end, and paragraphs of prose as one line. A plain line of prose is passed over without being read again. */
#include "base/alloc.h"
#include "base/err.h"
#include "codec/value.h"
#include "skills/sift.h"
#include "skills/strict_in.h"
#include <string.h>

enum { PARAGRAPH_MAX = 4096, PARAGRAPH_LINES = 40 };

symbi_str sy_cursor_line(sy_cursor *c)
{
    const char *e = c->i < c->t.n ? memchr(c->t.p + c->i, '\n', c->t.n - c->i) : NULL;
    size_t end = e ? (size_t)(e - c->t.p) : c->t.n;
    symbi_str l = { c->t.p + c->i, end - c->i };
    c->i = end + 1;
    if (l.n && l.p[l.n - 1] == '\r') l.n--;
    return l;
}

static symbi_status too_much(sy_stext *x, const sy_buf *b) { return sy_fail(x->err, sy_buf_status(b), "the views of the text need too much memory"); }

/* The first byte at or behind i that is not ASCII; n: there is none. */
static size_t next_high(symbi_str t, size_t i)
{
    uint64_t w;
    while (i + 8 <= t.n && (memcpy(&w, t.p + i, 8), !(w & 0x8080808080808080u))) i += 8;
    while (i < t.n && (unsigned char)t.p[i] < 0x80) i++;
    return i;
}

/* ---- what a line is ---- */

/* A line that has quotes, but no escapes, is worth rewriting only where a quote stands inside a word, two stand together, two texts
 * are added, or a command is a list of words. */
static bool quotes_tell(symbi_str l)
{
    bool argv = true;
    for (size_t i = 0; i < l.n; i++) {
        char c = l.p[i], next = i + 1 < l.n ? l.p[i + 1] : ' ';
        if (c != '\'' && c != '"' && c != '`') continue;
        if (next == c || next == '+' || next == '.' || (next == ',' && argv && sy_view_argv(l))) return true;
        if (next == ',') argv = false; /* asked once */
        if (i && next != ' ' && l.p[i - 1] != ' ' && ((next | 32) >= 'a' || next >= '0') && ((l.p[i - 1] | 32) >= 'a' || l.p[i - 1] >= '0')) return true;
        if (next == ' ' && i + 2 < l.n && (l.p[i + 2] == '+' || l.p[i + 2] == '.')) return true;
    }
    return false;
}

static bool fence(symbi_str l)
{
    size_t i = 0;
    while (i < l.n && (l.p[i] == ' ' || l.p[i] == '>')) i++;
    return l.n - i >= 3 && (l.p[i] == '`' || l.p[i] == '~') && l.p[i + 1] == l.p[i] && l.p[i + 2] == l.p[i];
}

/* A line that parts what stands around it: ---, ===, a heading. */
static bool rule_off(symbi_str l) { return l.n && (l.p[0] == '#' || (l.n >= 3 && (!memcmp(l.p, "---", 3) || !memcmp(l.p, "===", 3)))); }

static bool blank(symbi_str l)
{
    for (size_t i = 0; i < l.n; i++)
        if (l.p[i] != ' ' && l.p[i] != '\t') return false;
    return true;
}

static size_t lead(symbi_str l)
{
    size_t i = 0;
    while (i < l.n && (l.p[i] == ' ' || l.p[i] == '\t' || l.p[i] == '>')) i++;
    return i;
}
static char last_char(symbi_str l)
{
    size_t n = l.n;
    while (n && (l.p[n - 1] == ' ' || l.p[n - 1] == '\t')) n--;
    return n ? l.p[n - 1] : '\0';
}

/* sy_view_continues, for most lines decided by a byte of each. */
static bool continues(symbi_str a, symbi_str b)
{
    static const bool ends[256] = { ['\\'] = true, ['|'] = true, ['&'] = true, ['('] = true, ['`'] = true, ['^'] = true }, begins[256] = { ['|'] = true, ['&'] = true, ['.'] = true };
    size_t n = a.n, i = lead(b);
    while (n && (a.p[n - 1] == ' ' || a.p[n - 1] == '\t' || a.p[n - 1] == '\r')) n--;
    if (!(n && ends[(unsigned char)a.p[n - 1]]) && !(i < b.n && begins[(unsigned char)b.p[i]])) return false;
    return sy_view_continues(a, b);
}

/* Normalising changed nothing but the case of ASCII letters: the rules look over that anyway. */
static bool same_folded(symbi_str raw, symbi_str norm)
{
    if (raw.n != norm.n) return false;
    for (size_t i = 0; i < raw.n; i++)
        if (raw.p[i] != norm.p[i] && !(raw.p[i] >= 'A' && raw.p[i] <= 'Z' && raw.p[i] + 32 == norm.p[i])) return false;
    return true;
}

/* ---- lines of the views ---- */

/* The bytes of *b from off on become a line of it. */
static symbi_status push_line(sy_stext *x, sy_buf *b, sy_vline **lines, size_t *n, size_t *cap, size_t off, size_t line, size_t last, sy_how how)
{
    if (sy_buf_status(b)) return too_much(x, b);
    if (sy_grow(&x->s->alloc, (void **)lines, cap, *n + 1, sizeof **lines)) return sy_fail_nomem(x->err);
    /* one line of the buffer, whatever stands in it */
    for (char *p = b->p ? memchr(b->p + off, '\n', b->n - off) : NULL; p; p = memchr(p, '\n', b->n - (size_t)(p - b->p))) *p = ' ';
    (*lines)[(*n)++] = (sy_vline){ off, b->n - off, x->line ? x->line : line, x->line ? x->line : last, (uint8_t)(x->how ? x->how : how) };
    sy_buf_addc(b, '\n');
    return SYMBI_OK;
}
static symbi_status push_view(sy_stext *x, size_t off, size_t line, size_t last, sy_how how)
{
    symbi_skill_scan *s = x->s;
    return push_line(x, &s->view, &s->vline, &s->nvline, &s->capvline, off, line, last, how);
}
static symbi_status push_paragraph(sy_stext *x, size_t off, size_t line, size_t last)
{
    symbi_skill_scan *s = x->s;
    return push_line(x, &s->paras, &s->pline, &s->npline, &s->cappline, off, line, last, SY_HOW_JOINED);
}

/* A joined with what follows: the backslash goes, and all white space in front of the next is one blank. */
static void join(sy_buf *b, symbi_str next)
{
    size_t i = lead(next), n = b->n;
    bool cut = false;
    while (n && (b->p[n - 1] == ' ' || b->p[n - 1] == '\t')) n--;
    if (n && b->p[n - 1] == '\\') b->n = n - 1, cut = true;
    if (!cut || i) sy_buf_addc(b, ' ');
    sy_buf_adds(b, (symbi_str){ next.p + i, next.n - i });
}

/* The unquoted form of a line, where it differs. */
static symbi_status unquoted(sy_stext *x, symbi_str of, size_t line, size_t last)
{
    sy_buf *b = &x->s->view;
    size_t off = b->n;
    if (!sy_view_unquote(of, b)) return sy_buf_status(b) ? too_much(x, b) : SYMBI_OK;
    return push_view(x, off, line, last, SY_HOW_UNQUOTED);
}

/* … of a line of the view itself, which may move. */
static symbi_status unquoted_at(sy_stext *x, size_t off, size_t len, size_t line, size_t last)
{
    sy_buf *b = &x->s->view;
    if (!sy_buf_reserve(b, len + 1)) return too_much(x, b);
    return unquoted(x, (symbi_str){ b->p + off, len }, line, last);
}

/* ---- paragraphs ---- */

static bool goes_on(symbi_str b, size_t len, size_t lines) { return !blank(b) && !fence(b) && !rule_off(b) && len < PARAGRAPH_MAX && lines < PARAGRAPH_LINES; }

static bool seam(const symbi_skill_scanner *sc, char before, char after) { return sc->seam[(before & 127) * 16 + (after & 127) / 8] >> (after % 8) & 1; }

/* The paragraph that begins with the present line, noted to be joined later where that may be worth it; false: it has to be joined at
 * once, because it is not all ASCII or a backslash ends a line. *lines: how many follow. */
static bool note_paragraph(sy_stext *x, const sy_sift *f, size_t line, size_t *lines, symbi_status *st)
{
    symbi_skill_scan *s = x->s;
    const sy_sline *a = sy_sift_line(f, 0), *b = sy_sift_line(f, 1);
    sy_para p = { (size_t)(a->t.p - x->t.p), 0, line, line, !s->s->prosebits };
    size_t len = a->t.n, k = 0;
    char end = last_char(a->t);
    if (a->kinds & SY_LINE_HIGH) return false;
    while (b && goes_on(b->t, len, k)) {
        size_t i = lead(b->t);
        char c = last_char(b->t);
        if (b->kinds & SY_LINE_HIGH || end == '\\') return false;
        if (i < b->t.n) {
            if (seam(s->s, end, b->t.p[i])) p.wanted = true;
            end = c;
        }
        len += 1 + b->t.n - i;
        a = b;
        b = sy_sift_line(f, ++k + 1);
    }
    p.end = (size_t)(a->t.p - x->t.p) + a->t.n;
    p.last = line + k;
    *lines = k;
    if (sy_grow(&s->alloc, (void **)&s->para, &s->cappara, s->npara + 1, sizeof *s->para)) *st = sy_fail_nomem(x->err);
    else s->para[s->npara++] = p;
    return true;
}

static symbi_status join_paragraph(sy_stext *x, const sy_sift *f, symbi_str base, sy_cursor norm, size_t line, size_t *lines)
{
    sy_buf *out = &x->s->paras;
    size_t off = out->n, k = 0;
    const sy_sline *b = sy_sift_line(f, 1);
    sy_buf_adds(out, base);
    while (b && goes_on(b->t, out->n - off, k)) {
        join(out, b->kinds & SY_LINE_HIGH ? sy_cursor_line(&norm) : b->t);
        b = sy_sift_line(f, ++k + 1);
    }
    *lines = k;
    return push_paragraph(x, off, line, line + k);
}

static bool marked(const symbi_skill_scan *s, size_t from, size_t to)
{
    for (size_t i = from >> SY_MARK_SHIFT; i <= to >> SY_MARK_SHIFT; i++)
        if (s->mark[i / 64] >> (i % 64) & 1) return true;
    return false;
}

symbi_status sy_lines_paragraphs(sy_stext *x)
{
    symbi_skill_scan *s = x->s;
    symbi_status st = SYMBI_OK;
    for (size_t i = 0; i < s->npara && !st; i++) {
        const sy_para *p = &s->para[i];
        sy_cursor c = { x->t, p->off };
        size_t off = s->paras.n;
        if (!p->wanted && !marked(s, p->off, p->end)) continue;
        sy_buf_adds(&s->paras, sy_cursor_line(&c));
        for (size_t k = p->line; k < p->last; k++) join(&s->paras, sy_cursor_line(&c));
        st = push_paragraph(x, off, p->line, p->last);
    }
    return st;
}

/* ---- all of them ---- */

symbi_status sy_lines_normal(sy_stext *x)
{
    sy_buf *b = &x->s->view; /* free until the views are built */
    symbi_status st;
    for (size_t i = next_high(x->t, 0); i < x->t.n; i = next_high(x->t, i)) {
        sy_cursor c = { x->t, i };
        while (c.i && x->t.p[c.i - 1] != '\n') c.i--;
        sy_buf_adds(b, sy_cursor_line(&c));
        sy_buf_addc(b, '\n');
        i = c.i;
    }
    sy_buf_clear(&x->s->norm);
    if (sy_buf_status(b)) return too_much(x, b);
    if (!b->n) return SYMBI_OK;
    st = sy_view_normal(x->s->cx, sy_buf_str(b), &x->s->norm, x->err);
    sy_buf_clear(b);
    return st;
}

/* A line that may hold a payload. */
static symbi_status note_spot(sy_stext *x, symbi_str l, size_t line)
{
    symbi_skill_scan *s = x->s;
    if (sy_grow(&s->alloc, (void **)&s->spot, &s->capspot, s->nspot + 1, sizeof *s->spot)) return sy_fail_nomem(x->err);
    s->spot[s->nspot++] = (sy_spot){ l, line };
    return SYMBI_OK;
}

static symbi_status note_fence(sy_stext *x, size_t line)
{
    symbi_skill_scan *s = x->s;
    if (sy_grow(&s->alloc, (void **)&s->fence, &s->capfence, s->nfence + 1, sizeof *s->fence)) return sy_fail_nomem(x->err);
    s->fence[s->nfence++] = line;
    return SYMBI_OK;
}

/* A logical line of several, built when it begins. *lines: how many follow. */
static symbi_status join_lines(sy_stext *x, const sy_sift *f, symbi_str base, sy_cursor norm, size_t line, size_t *lines)
{
    sy_buf *out = &x->s->view;
    size_t off = out->n, k = 0, len;
    const sy_sline *a = sy_sift_line(f, 0), *b = sy_sift_line(f, 1);
    symbi_status st;
    sy_buf_adds(out, base);
    while (b && k < SY_LINES_JOINED && !fence(b->t) && continues(a->t, b->t)) {
        join(out, b->kinds & SY_LINE_HIGH ? sy_cursor_line(&norm) : b->t);
        a = b;
        b = sy_sift_line(f, ++k + 1);
    }
    *lines = k;
    len = out->n - off;
    if ((st = push_view(x, off, line, line + k, SY_HOW_JOINED))) return st;
    return unquoted_at(x, off, len, line, line + k);
}

symbi_status sy_lines_views(sy_stext *x)
{
    symbi_skill_scan *s = x->s;
    sy_cursor norm = { sy_buf_str(&s->norm), 0 };
    size_t line = 0, para = 0, group = 0, lines = 0; /* para, group: the last line of the present one */
    bool open = false;
    symbi_status st = SYMBI_OK;
    sy_sift f;
    sy_sift_begin(&f, x->t);
    for (const sy_sline *l; !st && (l = sy_sift_line(&f, 0)) != NULL; sy_sift_next(&f)) {
        const sy_sline *ahead = sy_sift_line(&f, 1);
        symbi_str base = l->kinds & SY_LINE_HIGH ? sy_cursor_line(&norm) : l->t;
        size_t off = s->view.n;
        bool fenced = fence(l->t);
        line++;
        if (!x->line && x->fences && fenced) {
            open = !open;
            st = note_fence(x, line);
        }
        if (!st && l->kinds & SY_LINE_PAYLOAD && x->depth < SY_PAYLOAD_DEPTH) st = note_spot(x, l->t, line);
        if (!st && l->kinds & SY_LINE_HIGH && !same_folded(l->t, base)) {
            sy_buf_adds(&s->view, base);
            st = push_view(x, off, line, line, SY_HOW_NORMAL);
        }
        if (!st && (l->kinds & (SY_LINE_ESCAPE | SY_LINE_HIGH) || (l->kinds & SY_LINE_QUOTE && quotes_tell(base)))) st = unquoted(x, base, line, line);
        if (!st && group < line && ahead && !fenced && continues(l->t, ahead->t)) {
            st = join_lines(x, &f, base, norm, line, &lines);
            group = line + lines;
        }
        /* paragraphs of prose, so that a sentence may run over the end of a line */
        if (!st && para < line && ahead && !x->program && !open && !fenced && !blank(l->t) && !blank(ahead->t) && !fence(ahead->t)) {
            if (!note_paragraph(x, &f, line, &lines, &st)) st = join_paragraph(x, &f, base, norm, line, &lines);
            para = line + lines;
        }
    }
    return st;
}
