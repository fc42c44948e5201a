/* toolclad/words.c: templates taken apart into words when the manifest is loaded, so that a call only puts its values in. What subst.c does
 * byte by byte is done here piece by piece, and a word that is one piece as it stands is not copied. A template whose words cannot be known
 * beforehand (a value behind a backslash, a mapping or conditional inside quotes) has no program and is expanded and split. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "toolclad/subst.h"

typedef enum wkind {
    W_TEXT,   /* the author's bytes, which mean nothing more; of none, for '' */
    W_WORD,   /* the author's bytes that are a word of their own */
    W_BREAK,  /* the end of a word, if one has begun */
    W_VALUE,  /* of argument index */
    W_NAME,   /* the id or a path: the host's, as if the author had written it */
    W_MAP,    /* the words of the mapping's text for its argument */
    W_FLAGS,  /* that text as it is */
    W_COND    /* the words of conditional index, if it holds */
} wkind;
typedef struct wop {
    wkind kind;
    bool quoted;
    size_t index;
    symbi_str text;        /* W_TEXT: NUL-terminated */
    const sy_piece *piece; /* W_NAME, W_FLAGS */
} wop;
struct sy_wprog {
    const wop *op;
    size_t n;
    unsigned depth; /* of conditionals in conditionals */
    bool plain;     /* W_TEXT and W_VALUE only */
};
enum { DEPTH = 32 };

/* ---- when the manifest is loaded ---- */

typedef struct compiler {
    sy_arena *a;
    const sy_command *c;
    wop *op;
    size_t n, cap;
    sy_buf text; /* the author's bytes since the last op */
    bool open;   /* and the quotes that stood there, maybe around nothing */
    char quote;  /* of the author, which is open */
    unsigned depth;
    bool nomem, large;
} compiler;

static void emit(compiler *k, wop o)
{
    if (sy_grow(&k->a->alloc, (void **)&k->op, &k->cap, k->n + 1, sizeof *k->op)) k->nomem = true;
    else k->op[k->n++] = o;
}

static void flush(compiler *k)
{
    wop o = { .kind = W_TEXT };
    if (sy_buf_status(&k->text)) {
        k->nomem = k->nomem || sy_buf_status(&k->text) == SYMBI_ENOMEM;
        k->large = true;
    } else if (k->open) {
        o.text = sy_arena_dup(k->a, k->text.n ? sy_buf_str(&k->text) : SY_LIT(""));
        if (!o.text.p) k->nomem = true;
        emit(k, o);
    }
    sy_buf_clear(&k->text);
    k->open = false;
}

static void byte(compiler *k, char c)
{
    sy_buf_addc(&k->text, c);
    k->open = true;
}

/* The author's text between two places where something comes in. false: what stands there decides what this means. */
static bool author(compiler *k, symbi_str s, bool as_word)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (as_word) {
            byte(k, c);
        } else if (c == '\\' && k->quote != '\'') {
            if (i + 1 == s.n) return false;
            if (!k->quote || s.p[i + 1] == '"' || s.p[i + 1] == '\\') c = s.p[++i];
            byte(k, c);
        } else if (k->quote) {
            if (c == k->quote) k->quote = 0;
            else byte(k, c);
        } else if (c == '\'' || c == '"') {
            k->quote = c;
            k->open = true;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            flush(k);
            emit(k, (wop){ .kind = W_BREAK });
        } else {
            byte(k, c);
        }
    }
    return true;
}

static bool piece(compiler *k, const sy_piece *p, bool as_word)
{
    wop o = { .kind = W_VALUE, .quoted = k->quote != 0, .index = p->index, .piece = p };
    if (!p->is_var || p->kind == SY_VAR_TEXT) return author(k, p->text, as_word);
    flush(k);
    switch (p->kind) {
    case SY_VAR_ARG: break;
    case SY_VAR_SCAN_ID:
    case SY_VAR_EVIDENCE_DIR:
    case SY_VAR_OUTPUT_FILE: o.kind = W_NAME; break;
    case SY_VAR_MAPPING:
        o.kind = as_word ? W_FLAGS : W_MAP;
        if (as_word) break;
        if (k->quote) return false;
        for (size_t i = 0; i < k->c->mappings[p->index].table->u.o.n; i++)
            if (!k->c->mappings[p->index].prog[i]) return false;
        break;
    case SY_VAR_COND:
        o.kind = W_COND;
        if (as_word || k->quote || !k->c->conds[p->index].tmpl.prog || k->c->conds[p->index].tmpl.prog->depth >= DEPTH) return false;
        if (k->depth <= k->c->conds[p->index].tmpl.prog->depth) k->depth = k->c->conds[p->index].tmpl.prog->depth + 1;
        break;
    case SY_VAR_TEXT: return false;
    }
    emit(k, o);
    return true;
}

static bool pieces(compiler *k, const sy_tmpl *t, bool as_word)
{
    for (size_t i = 0; i < t->n; i++) {
        const sy_piece *p = &t->p[i];
        if (p->braces && !author(k, SY_LIT("{"), as_word)) return false;
        if (!piece(k, p, as_word) || (p->braces && !author(k, SY_LIT("}"), as_word))) return false;
    }
    flush(k);
    return !k->quote;
}

/* Texts between two ends of words (top: those of the program are such) become words. */
static size_t whole_words(wop *op, size_t n, bool top)
{
    size_t k = 0;
    bool ended = top; /* no word is open here */
    for (size_t i = 0; i < n; i++) {
        bool ends = i + 1 == n ? top : op[i + 1].kind == W_BREAK;
        if (ended && ends && op[i].kind == W_TEXT) {
            op[k] = op[i];
            op[k++].kind = W_WORD;
            i++; /* and the break */
        } else if (!ended || op[i].kind != W_BREAK) {
            ended = op[i].kind == W_BREAK;
            op[k++] = op[i];
        }
    }
    return k;
}

/* *out NULL: there is none. top: the program is not part of another. false: out of memory. */
static bool compile(sy_arena *a, const sy_command *c, const sy_tmpl *t, bool as_word, bool top, const sy_wprog **out)
{
    compiler k = { .a = a, .c = c };
    sy_wprog *p = NULL;
    bool ok;
    *out = NULL;
    sy_buf_init(&k.text, a->alloc, SY_COMMAND_MAX);
    ok = pieces(&k, t, as_word) && !k.large;
    if (ok && !k.nomem) {
        if (!as_word) k.n = whole_words(k.op, k.n, top);
        p = sy_arena_calloc(a, 1, sizeof *p);
        if (!p || !(p->op = sy_arena_memdup(a, k.op, k.n * sizeof *k.op))) k.nomem = true;
        else *out = p;
        if (*out) {
            p->n = k.n;
            p->depth = k.depth;
            p->plain = true;
            for (size_t i = 0; i < k.n; i++) p->plain = p->plain && (k.op[i].kind == W_TEXT || k.op[i].kind == W_VALUE);
        }
    }
    sy_buf_free(&k.text);
    sy_free(&a->alloc, k.op, k.cap * sizeof *k.op);
    return !k.nomem;
}

bool sy_words_compile(sy_arena *a, sy_command *c)
{
    for (size_t i = 0; i < c->nmappings; i++) {
        sy_mapping *m = (sy_mapping *)(uintptr_t)&c->mappings[i];
        if (!(m->prog = sy_arena_calloc(a, m->table->u.o.n, sizeof *m->prog))) return false;
        for (size_t k = 0; k < m->table->u.o.n; k++) {
            sy_piece p = { .text = m->table->u.o.members[k].val.u.s };
            sy_tmpl t = { .source = p.text, .p = &p, .n = 1 };
            if (!compile(a, c, &t, false, false, &m->prog[k])) return false;
        }
    }
    for (size_t i = 0; i < c->nconds; i++) {
        sy_tmpl *t = (sy_tmpl *)(uintptr_t)&c->conds[i].tmpl;
        if (!compile(a, c, t, false, false, &t->prog)) return false;
    }
    for (size_t i = 0; i < c->nexec; i++) {
        sy_tmpl *t = (sy_tmpl *)(uintptr_t)&c->exec[i];
        t->spreads = t->n == 1 && t->p[0].is_var && !t->p[0].braces && (t->p[0].kind == SY_VAR_MAPPING || t->p[0].kind == SY_VAR_COND);
        if (!compile(a, c, t, !t->spreads, true, &t->prog)) return false;
        if (t->prog && !t->spreads && !t->prog->n) t->word = SY_LIT("");
        if (t->prog && !t->spreads && t->prog->n == 1 && t->prog->op[0].kind == W_TEXT) t->word = t->prog->op[0].text;
    }
    return !c->has_template || compile(a, c, &c->tmpl, false, true, &c->tmpl.prog);
}

/* ---- of a call ---- */

typedef struct run {
    sy_words *ws;
    const sy_vars *v;
    char *own;       /* what w is, when it was put together here */
    size_t cap;
    symbi_str w;     /* the word so far */
    bool ends;       /* a NUL stands behind it, where it will stay */
    bool open, author;
    uint16_t first, named;
    bool as_word, spread;
    bool unknown;    /* what came in decides what the words are */
    size_t total;
} run;

static symbi_status nomem(const run *r) { return sy_arena_fail(r->v->arena, "the command", r->v->err); }

static inline symbi_status append(run *r, symbi_str s, uint16_t tag, bool ends)
{
    if (!r->open) r->author = true, r->first = r->named = 0;
    r->open = true;
    if (!s.n) return SYMBI_OK;
    if (!r->w.n) r->first = tag;
    else if (tag && r->author && sy_open_name(r->w)) r->named = tag;
    r->author = r->author && !tag;
    r->total += s.n;
    if (r->total > SY_COMMAND_MAX) return sy_command_large(r->v);
    if (!r->w.n) {
        r->w = s;
        r->ends = ends;
        r->own = NULL;
        return SYMBI_OK;
    }
    if (!r->own || r->w.n + s.n >= r->cap) {
        size_t cap = (r->w.n + s.n) * (r->own ? 2 : 1) + 24;
        char *o = sy_arena_bytes(r->v->arena, cap);
        if (!o) return nomem(r);
        sy_str_copy(o, r->w.p, r->w.n);
        r->own = o;
        r->cap = cap;
        r->w.p = o;
    }
    sy_str_copy(r->own + r->w.n, s.p, s.n);
    r->w.n += s.n;
    return SYMBI_OK;
}

static inline symbi_status finish(run *r)
{
    symbi_str w = r->w;
    if (!r->open) return SYMBI_OK;
    if (!w.n) w = SY_LIT("");
    else if (r->own) r->own[w.n] = 0;
    else if (!r->ends && !(w = sy_arena_dup(r->v->arena, w)).p) return nomem(r);
    r->open = false;
    r->w.n = 0;
    return sy_words_push(r->ws, w, r->first, r->named, r->author);
}

static inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* A value in a template: blanks outside of the author's quotes end words, as in the text that it would be part of. */
static symbi_status put_value(run *r, symbi_str s, uint16_t tag, bool quoted)
{
    symbi_status st;
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c > '\\') continue;
        if (c == '\'' || c == '"' || c == '\\') {
            if (i > from && (st = append(r, (symbi_str){ s.p + from, i - from }, tag, false))) return st;
            return sy_no_quotes(r->v, tag);
        }
        if (quoted || !is_blank(c)) continue;
        if (i > from && (st = append(r, (symbi_str){ s.p + from, i - from }, tag, false))) return st;
        if ((st = finish(r))) return st;
        from = i + 1;
    }
    return from < s.n ? append(r, (symbi_str){ s.p + from, s.n - from }, tag, true) : SYMBI_OK;
}

bool sy_means_more(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_blank(s.p[i]) || s.p[i] == '\'' || s.p[i] == '"' || s.p[i] == '\\') return true;
    return false;
}

static const sy_wprog *flags_of(const sy_vars *v, size_t mapping)
{
    const sy_mapping *m = &v->t->command.mappings[mapping];
    symbi_str key = v->text[m->arg].p ? v->text[m->arg] : SY_LIT("");
    for (size_t i = 0; i < m->table->u.o.n; i++)
        if (sy_str_same(m->table->u.o.members[i].key, key)) return m->prog[i];
    return NULL;
}

static symbi_status walk(run *r, const sy_wprog *p)
{
    const sy_vars *v = r->v;
    for (size_t i = 0; i < p->n; i++) {
        const wop *o = &p->op[i];
        symbi_status st = SYMBI_OK;
        const sy_wprog *inner;
        symbi_str s;
        uint16_t tag;
        switch (o->kind) {
        case W_TEXT: st = append(r, o->text, 0, true); break;
        case W_WORD:
            r->total += o->text.n;
            st = r->total > SY_COMMAND_MAX ? sy_command_large(v) : sy_words_push(r->ws, o->text, 0, 0, true);
            break;
        case W_BREAK: st = finish(r); break;
        case W_VALUE:
            s = v->text[o->index];
            if (!s.n) break;
            tag = (uint16_t)(o->index + 1);
            st = r->as_word || r->spread ? append(r, s, tag, true) : put_value(r, s, tag, o->quoted);
            break;
        case W_NAME:
            s = sy_piece_text(v, o->piece, &tag);
            if (!r->as_word && !v->plain_paths && o->piece->kind != SY_VAR_SCAN_ID && sy_means_more(s)) {
                r->unknown = true;
                return SYMBI_OK;
            }
            if (s.n) st = append(r, s, 0, o->piece->kind != SY_VAR_EVIDENCE_DIR);
            break;
        case W_FLAGS:
            s = sy_piece_text(v, o->piece, &tag);
            if (s.n) st = append(r, s, 0, false);
            break;
        case W_MAP:
            if ((inner = flags_of(v, o->index))) st = walk(r, inner);
            break;
        case W_COND:
            if (sy_cond_true(v, &v->t->command.conds[o->index])) st = walk(r, v->t->command.conds[o->index].tmpl.prog);
            break;
        }
        if (st || r->unknown) return st;
    }
    return SYMBI_OK;
}

/* What walk makes of a program of the author's texts and values that is one word. */
static symbi_status one_word(sy_words *ws, const sy_wprog *p)
{
    const symbi_str *text = ws->v->text;
    size_t total = 0, at = 0;
    uint16_t first = 0, named = 0;
    bool author = true;
    char *o;
    if (p->n == 1) { /* a value as it is */
        symbi_str s = text[p->op[0].index];
        return s.n ? sy_words_push(ws, s, (uint16_t)(p->op[0].index + 1), 0, false) : sy_words_push(ws, SY_LIT(""), 0, 0, true);
    }
    for (size_t i = 0; i < p->n; i++) {
        total += p->op[i].kind == W_TEXT ? p->op[i].text.n : text[p->op[i].index].n;
        if (total > SY_COMMAND_MAX) return sy_command_large(ws->v);
    }
    if (!(o = sy_arena_bytes(ws->v->arena, total + 1))) return sy_arena_fail(ws->v->arena, "the command", ws->v->err);
    for (size_t i = 0; i < p->n; i++) {
        const wop *x = &p->op[i];
        symbi_str s = x->kind == W_TEXT ? x->text : text[x->index];
        if (x->kind == W_VALUE && s.n && author) {
            author = false;
            if (!at) first = (uint16_t)(x->index + 1);
            else if (sy_open_name((symbi_str){ o, at })) named = (uint16_t)(x->index + 1);
        }
        sy_str_copy(o + at, s.p, s.n);
        at += s.n;
    }
    o[at] = 0;
    return sy_words_push(ws, (symbi_str){ o, at }, first, named, author);
}

symbi_status sy_words_run(sy_words *ws, const sy_wprog *prog, bool as_word, bool spread, bool *done)
{
    run r = { .ws = ws, .v = ws->v, .open = as_word, .author = true, .as_word = as_word, .spread = spread };
    size_t n = ws->n;
    bool dashes = ws->dashes;
    symbi_status st;
    if (as_word && prog->plain) {
        *done = true;
        return one_word(ws, prog);
    }
    st = walk(&r, prog);
    *done = !r.unknown;
    if (!r.unknown) return st ? st : finish(&r);
    ws->n = n;
    ws->dashes = dashes;
    return SYMBI_OK;
}
