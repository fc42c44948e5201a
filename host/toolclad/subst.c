/* toolclad/subst.c: commands from templates (spec toolclad.md section 7). One pass, values never scanned again. Each byte
 * remembers whether the author or an argument wrote it, which is what makes the rules of symbi/toolclad.h on option
 * injection, and of exec (values are never split), exact instead of a guess over the final text. */
#include "toolclad/subst.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

enum { COMMAND_MAX = 4 << 20 }; /* bytes of a command with its values */

void sy_tagged_init(sy_tagged *x, const sy_vars *v)
{
    sy_buf_init(&x->text, v->cx->alloc, COMMAND_MAX);
    sy_buf_init(&x->tag, v->cx->alloc, COMMAND_MAX * sizeof(uint16_t));
}

void sy_tagged_clear(sy_tagged *x)
{
    sy_buf_clear(&x->text);
    sy_buf_clear(&x->tag);
}

void sy_tagged_free(sy_tagged *x)
{
    sy_buf_free(&x->text);
    sy_buf_free(&x->tag);
}

static void put(sy_tagged *x, symbi_str s, uint16_t tag)
{
    sy_buf_adds(&x->text, s);
    for (size_t i = 0; i < s.n; i++) sy_buf_add(&x->tag, &tag, sizeof tag);
}

static uint16_t tag_at(const sy_tagged *x, size_t i)
{
    uint16_t t;
    memcpy(&t, x->tag.p + i * sizeof t, sizeof t);
    return t;
}

static symbi_str arg_text(const sy_vars *v, size_t i) { return v->text[i].p ? v->text[i] : SY_LIT(""); }

static symbi_str look_up(const void *ud, symbi_str name)
{
    const sy_vars *v = ud;
    const sy_arg *a = sy_tool_arg(v->t, name);
    if (a) return arg_text(v, (size_t)(a - v->t->args));
    if (sy_str_eqz(name, "_scan_id")) return v->scan_id;
    if (sy_str_eqz(name, "_evidence_dir")) return v->evidence_dir;
    if (sy_str_eqz(name, "_output_file")) return v->output_file;
    if (v->t->command.defaults) {
        const symbi_value *d = symbi_value_get(v->t->command.defaults, name);
        if (d) return sy_arg_text(d, v->arena);
    }
    return SY_LIT("");
}

bool sy_cond_true(const sy_vars *v, const sy_cond *c) { return sy_when_eval(c->when, look_up, v); }

/* depth: a conditional may only name earlier ones, so this ends; the limit is for the stack. */
static symbi_status expand(const sy_vars *v, const sy_tmpl *t, sy_tagged *out, unsigned depth)
{
    const sy_command *c = &v->t->command;
    symbi_status st;
    if (!depth) return sy_fail(v->err, SYMBI_ELIMIT, "conditionals are nested too deeply");
    for (size_t i = 0; i < t->n; i++) {
        const sy_piece *p = &t->p[i];
        const symbi_value *m;
        if (!p->is_var) {
            put(out, p->text, 0);
            continue;
        }
        if (p->braces) put(out, SY_LIT("{"), 0);
        switch (p->kind) {
        case SY_VAR_ARG: put(out, arg_text(v, p->index), (uint16_t)(p->index + 1)); break;
        case SY_VAR_TEXT: put(out, p->text, 0); break;
        case SY_VAR_SCAN_ID: put(out, v->scan_id, 0); break;
        case SY_VAR_EVIDENCE_DIR: put(out, v->evidence_dir, 0); break;
        case SY_VAR_OUTPUT_FILE: put(out, v->output_file, 0); break;
        case SY_VAR_MAPPING:
            m = symbi_value_get(c->mappings[p->index].table, arg_text(v, c->mappings[p->index].arg));
            if (m) put(out, m->u.s, 0);
            break;
        case SY_VAR_COND:
            if (sy_cond_true(v, &c->conds[p->index]) && (st = expand(v, &c->conds[p->index].tmpl, out, depth - 1))) return st;
            break;
        }
        if (p->braces) put(out, SY_LIT("}"), 0);
    }
    if ((st = sy_buf_status(&out->text)) || (st = sy_buf_status(&out->tag)))
        return st == SYMBI_ENOMEM ? sy_fail_nomem(v->err) : sy_fail(v->err, st, "the command is larger than %d bytes", COMMAND_MAX);
    return SYMBI_OK;
}

symbi_status sy_expand(const sy_vars *v, const sy_tmpl *t, sy_tagged *out) { return expand(v, t, out, 64); }

/* ---- words ---- */

typedef enum refusal { AS_OPTION, AS_OPTION_NAME, AS_PROGRAM } refusal;

static symbi_status refuse_option(const sy_vars *v, const sy_arg *a, refusal how)
{
    if (how == AS_OPTION_NAME)
        (void)sy_fail(v->err, SYMBI_EDENIED,
            "argument '%.*s': its value would say which option it is (it stands right behind the dashes, or before the '='); if that is meant, the manifest sets allow_options = true", SY_FMT(a->name));
    else if (how == AS_PROGRAM)
        (void)sy_fail(v->err, SYMBI_EDENIED, "argument '%.*s': its value would name the program to run; only an enum may, or an argument with allow_options = true", SY_FMT(a->name));
    else
        (void)sy_fail(v->err, SYMBI_EDENIED,
            "argument '%.*s': its value begins with '-' and would be taken for an option of the program; if that is meant, the manifest sets allow_options = true, or puts \"--\" before it",
            SY_FMT(a->name));
    sy_err_path(v->err, a->name);
    return SYMBI_EDENIED;
}

/* The author's part of a word, up to the first byte of a value: an option whose name is not complete yet. "-" and "--" are, and so is
 * "--out" without an '=': GNU programs take the beginning of an option's name for the whole, and what follows would complete it. */
static bool open_name(symbi_str author)
{
    if (!author.n || author.p[0] != '-') return false;
    return author.n == 1 || (author.p[1] == '-' && !memchr(author.p, '=', author.n));
}

/* The rule on option injection. first: tag of the first byte; named: of a value that stands in the name of the author's option. */
static symbi_status check_word(const sy_words *ws, symbi_str w, uint16_t first, uint16_t named)
{
    const sy_arg *a;
    uint16_t tag = first ? first : named;
    if (!tag || ws->v->allow_options) return SYMBI_OK;
    a = &ws->v->t->args[tag - 1];
    if (a->allow_options || ws->v->is_default[tag - 1]) return SYMBI_OK;
    if (first && ws->n == 0) return strcmp(a->type->name, "enum") == 0 ? SYMBI_OK : refuse_option(ws->v, a, AS_PROGRAM);
    if (ws->dashes || !w.n || w.p[0] != '-' || (a->type->flags & SY_TYPE_NO_OPTION)) return SYMBI_OK;
    return refuse_option(ws->v, a, first ? AS_OPTION : AS_OPTION_NAME);
}

static symbi_status push(sy_words *ws, symbi_str w, uint16_t first, uint16_t named, bool author)
{
    symbi_status st = check_word(ws, w, first, named);
    if (st) return st;
    if (author && ws->n && sy_str_eqz(w, "--")) ws->dashes = true;
    if (ws->n == ws->cap) {
        size_t cap = ws->cap ? ws->cap * 2 : 16;
        symbi_str *n = sy_arena_calloc(ws->v->arena, cap, sizeof *n);
        if (!n) return sy_arena_fail(ws->v->arena, "the command", ws->v->err);
        if (ws->n) memcpy(n, ws->w, ws->n * sizeof *n);
        ws->w = n;
        ws->cap = cap;
    }
    ws->w[ws->n] = sy_arena_dup(ws->v->arena, w);
    if (!ws->w[ws->n].p) return sy_arena_fail(ws->v->arena, "the command", ws->v->err);
    ws->n++;
    return SYMBI_OK;
}

symbi_status sy_words_add(sy_words *ws, const sy_tagged *x)
{
    size_t i = 0;
    uint16_t named = 0;
    while (i < x->text.n && !tag_at(x, i)) i++;
    if (i && i < x->text.n && open_name((symbi_str){ x->text.p, i })) named = tag_at(x, i);
    return push(ws, x->text.n ? sy_buf_str(&x->text) : SY_LIT(""), x->text.n ? tag_at(x, 0) : 0, named, i == x->text.n);
}

typedef struct splitter {
    sy_buf *word;
    bool open, author; /* a word has begun; all its bytes are the author's */
    uint16_t first, named;
} splitter;

static void take(splitter *s, char c, uint16_t tag)
{
    if (!s->open || !s->word->n) s->first = tag;
    if (!s->open) s->author = true, s->named = 0;
    s->open = true;
    if (tag && s->author && s->word->n && open_name(sy_buf_str(s->word))) s->named = tag;
    s->author = s->author && !tag;
    sy_buf_addc(s->word, c);
}

symbi_status sy_words_split(sy_words *ws, const sy_tagged *x, bool atomic)
{
    const sy_vars *v = ws->v;
    sy_buf word;
    splitter s = { &word, false, true, 0, 0 };
    char quote = 0;
    symbi_status st = SYMBI_OK;
    sy_buf_init(&word, v->cx->alloc, COMMAND_MAX);
    for (size_t i = 0; i <= x->text.n && !st; i++) {
        bool end = i == x->text.n;
        char c = end ? ' ' : x->text.p[i];
        uint16_t tag = end ? 0 : tag_at(x, i);
        if (tag && (c == '\'' || c == '"' || c == '\\') && !atomic) {
            const sy_arg *a = &v->t->args[tag - 1];
            st = sy_fail(v->err, SYMBI_ESCHEMA, "argument '%.*s': a quote or backslash cannot stand in a value of a 'template' command; the manifest can use 'exec'", SY_FMT(a->name));
            sy_err_path(v->err, a->name);
        } else if (tag && (atomic || quote)) {
            take(&s, c, tag);
        } else if (quote) {
            if (end) st = sy_fail(v->err, SYMBI_EPARSE, "the command has a quote that is not closed");
            else if (c == quote) quote = 0;
            else if (c == '\\' && quote == '"' && i + 1 < x->text.n && !tag_at(x, i + 1) && (x->text.p[i + 1] == '"' || x->text.p[i + 1] == '\\')) take(&s, x->text.p[++i], 0);
            else take(&s, c, tag);
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            if (s.open) {
                st = sy_buf_status(&word) ? sy_fail_nomem(v->err) : push(ws, word.n ? sy_buf_str(&word) : SY_LIT(""), s.first, s.named, s.author);
                sy_buf_clear(&word);
                s.open = false;
                s.first = 0;
            }
        } else if (c == '\'' || c == '"') {
            quote = c;
            if (!s.open) s.author = true, s.first = s.named = 0;
            s.open = true; /* '' is an empty word */
        } else if (c == '\\') {
            if (i + 1 >= x->text.n) st = sy_fail(v->err, SYMBI_EPARSE, "the command ends in a backslash");
            else take(&s, x->text.p[i + 1], tag_at(x, i + 1)), i++;
        } else {
            take(&s, c, tag);
        }
    }
    sy_buf_free(&word);
    return st;
}

const char *sy_split_problem(symbi_str t)
{
    char quote = 0;
    for (size_t i = 0; i < t.n; i++) {
        char c = t.p[i];
        if (c == '\\' && quote != '\'') {
            if (++i >= t.n && !quote) return "it ends in a backslash";
        } else if (quote) {
            if (c == quote) quote = 0;
        } else if (c == '\'' || c == '"') {
            quote = c;
        }
    }
    return quote == '\'' ? "a ' is not closed" : quote ? "a \" is not closed" : NULL;
}

/* An element that is one mapping or conditional and nothing else becomes any number of words. */
static bool spreads(const sy_tmpl *t) { return t->n == 1 && t->p[0].is_var && !t->p[0].braces && (t->p[0].kind == SY_VAR_MAPPING || t->p[0].kind == SY_VAR_COND); }

symbi_status sy_command_argv(const sy_vars *v, symbi_str **argv, size_t *argc)
{
    const sy_command *c = &v->t->command;
    sy_words ws = { v, NULL, 0, 0, false };
    sy_tagged x;
    symbi_status st = SYMBI_OK;
    sy_tagged_init(&x, v);
    if (c->has_exec) {
        for (size_t i = 0; i < c->nexec && !st; i++) {
            sy_tagged_clear(&x);
            if ((st = sy_expand(v, &c->exec[i], &x))) break;
            st = spreads(&c->exec[i]) ? sy_words_split(&ws, &x, true) : sy_words_add(&ws, &x);
        }
        if (!st && (!ws.n || !ws.w[0].n)) st = sy_fail(v->err, SYMBI_ESCHEMA, "exec array produced empty argv");
    } else {
        if (!(st = sy_expand(v, &c->tmpl, &x))) st = sy_words_split(&ws, &x, false);
        if (!st && (!ws.n || !ws.w[0].n)) st = sy_fail(v->err, SYMBI_ESCHEMA, "the template produced an empty command");
    }
    sy_tagged_free(&x);
    *argv = ws.w;
    *argc = ws.n;
    return st;
}
