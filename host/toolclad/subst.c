/* toolclad/subst.c: commands from templates (spec toolclad.md section 7). One pass, values never scanned again. Each byte
 * remembers whether the author or an argument wrote it, which is what makes the rules of symbi/toolclad.h on option
 * injection, and of exec (values are never split), exact instead of a guess over the final text. */
#include "toolclad/subst.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

void sy_tagged_init(sy_tagged *x, const sy_vars *v)
{
    sy_buf_init(&x->text, v->cx->alloc, SY_COMMAND_MAX);
    sy_buf_init(&x->tag, v->cx->alloc, SY_COMMAND_MAX * sizeof(uint16_t));
    (void)sy_buf_reserve(&x->text, 255); /* most commands are shorter */
    (void)sy_buf_reserve(&x->tag, 511);
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
    char *d = sy_buf_reserve(&x->tag, s.n * sizeof tag);
    sy_buf_adds(&x->text, s);
    if (!d) return;
    for (size_t i = 0; i < s.n; i++) memcpy(d + i * sizeof tag, &tag, sizeof tag);
    sy_buf_commit(&x->tag, s.n * sizeof tag);
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

/* What stands for a piece that is not a conditional, and whose it is. */
symbi_str sy_piece_text(const sy_vars *v, const sy_piece *p, uint16_t *tag)
{
    const sy_mapping *map;
    const symbi_value *m;
    *tag = 0;
    if (!p->is_var) return p->text;
    switch (p->kind) {
    case SY_VAR_ARG: *tag = (uint16_t)(p->index + 1); return arg_text(v, p->index);
    case SY_VAR_SCAN_ID: return v->scan_id;
    case SY_VAR_EVIDENCE_DIR: return v->evidence_dir;
    case SY_VAR_OUTPUT_FILE: return v->output_file;
    case SY_VAR_MAPPING:
        map = &v->t->command.mappings[p->index];
        m = symbi_value_get(map->table, arg_text(v, map->arg));
        return m ? m->u.s : SY_LIT("");
    case SY_VAR_TEXT:
    case SY_VAR_COND: break;
    }
    return p->text;
}

symbi_status sy_command_large(const sy_vars *v) { return sy_fail(v->err, SYMBI_ELIMIT, "the command is larger than %d bytes", SY_COMMAND_MAX); }

/* depth: a conditional may only name earlier ones, so this ends; the limit is for the stack. */
static symbi_status expand(const sy_vars *v, const sy_tmpl *t, sy_tagged *out, unsigned depth)
{
    const sy_command *c = &v->t->command;
    symbi_status st;
    if (!depth) return sy_fail(v->err, SYMBI_ELIMIT, "conditionals are nested too deeply");
    for (size_t i = 0; i < t->n; i++) {
        const sy_piece *p = &t->p[i];
        uint16_t tag;
        if (p->braces) put(out, SY_LIT("{"), 0);
        if (p->is_var && p->kind == SY_VAR_COND) {
            if (sy_cond_true(v, &c->conds[p->index]) && (st = expand(v, &c->conds[p->index].tmpl, out, depth - 1))) return st;
        } else {
            symbi_str s = sy_piece_text(v, p, &tag);
            put(out, s, tag);
        }
        if (p->braces) put(out, SY_LIT("}"), 0);
    }
    if ((st = sy_buf_status(&out->text)) || (st = sy_buf_status(&out->tag))) return st == SYMBI_ENOMEM ? sy_fail_nomem(v->err) : sy_command_large(v);
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

/* "-" and "--" are, and so is
 * "--out" without an '=': GNU programs take the beginning of an option's name for the whole, and what follows would complete it. */
bool sy_open_name(symbi_str author)
{
    if (!author.n || author.p[0] != '-') return false;
    return author.n == 1 || (author.p[1] == '-' && !memchr(author.p, '=', author.n));
}

symbi_status sy_no_quotes(const sy_vars *v, uint16_t tag)
{
    const sy_arg *a = &v->t->args[tag - 1];
    (void)sy_fail(v->err, SYMBI_ESCHEMA, "argument '%.*s': a quote or backslash cannot stand in a value of a 'template' command; the manifest can use 'exec'", SY_FMT(a->name));
    sy_err_path(v->err, a->name);
    return SYMBI_ESCHEMA;
}

/* The rule on option injection. first: tag of the first byte; named: of a value that stands in the name of the author's option. */
static symbi_status check_word(const sy_words *ws, symbi_str w, uint16_t first, uint16_t named)
{
    const sy_arg *a;
    uint16_t tag = first ? first : named;
    if (!tag || ws->v->allow_options) return SYMBI_OK;
    a = &ws->v->t->args[tag - 1];
    if (a->allow_options || ws->v->is_default[tag - 1]) return SYMBI_OK;
    if (first && ws->n == 0) return a->type->flags & SY_TYPE_PROGRAM ? SYMBI_OK : refuse_option(ws->v, a, AS_PROGRAM);
    if (ws->dashes || !w.n || w.p[0] != '-' || (a->type->flags & SY_TYPE_NO_OPTION)) return SYMBI_OK;
    return refuse_option(ws->v, a, first ? AS_OPTION : AS_OPTION_NAME);
}

symbi_status sy_words_check(sy_words *ws, symbi_str w, uint16_t first, uint16_t named, bool author)
{
    symbi_status st = check_word(ws, w, first, named);
    if (st) return st;
    if (author && ws->n && w.n == 2 && w.p[0] == '-' && w.p[1] == '-') ws->dashes = true;
    if (ws->n == ws->cap) {
        size_t cap = ws->cap ? ws->cap * 2 : 16;
        symbi_str *n = sy_arena_alloc(ws->v->arena, cap * sizeof *n);
        if (!n) return sy_arena_fail(ws->v->arena, "the command", ws->v->err);
        if (ws->n) memcpy(n, ws->w, ws->n * sizeof *n);
        ws->w = n;
        ws->cap = cap;
    }
    ws->w[ws->n++] = w;
    return SYMBI_OK;
}

static symbi_status push_copy(sy_words *ws, symbi_str w, uint16_t first, uint16_t named, bool author)
{
    symbi_str c = sy_arena_dup(ws->v->arena, w);
    return c.p ? sy_words_push(ws, c, first, named, author) : sy_arena_fail(ws->v->arena, "the command", ws->v->err);
}

symbi_status sy_words_add(sy_words *ws, const sy_tagged *x)
{
    size_t i = 0;
    uint16_t named = 0;
    while (i < x->text.n && !tag_at(x, i)) i++;
    if (i && i < x->text.n && sy_open_name((symbi_str){ x->text.p, i })) named = tag_at(x, i);
    return push_copy(ws, x->text.n ? sy_buf_str(&x->text) : SY_LIT(""), x->text.n ? tag_at(x, 0) : 0, named, i == x->text.n);
}

typedef struct splitter {
    char *word; /* in the arena, with room for all words */
    size_t n;
    bool open, author; /* a word has begun; all its bytes are the author's */
    uint16_t first, named;
} splitter;

static inline void take(splitter *s, char c, uint16_t tag)
{
    if (!s->open || !s->n) s->first = tag;
    if (!s->open) s->author = true, s->named = 0;
    s->open = true;
    if (tag && s->author && s->n && sy_open_name((symbi_str){ s->word, s->n })) s->named = tag;
    s->author = s->author && !tag;
    s->word[s->n++] = c;
}

/* The byte at i, and those behind it that are of the same origin and have no meaning of their own. Gives the last one's place. */
static inline size_t take_run(splitter *s, const sy_tagged *x, size_t i)
{
    const char *p = x->text.p;
    uint16_t tag = tag_at(x, i);
    char *o;
    size_t k = i + 1;
    take(s, p[i], tag);
    o = s->word + s->n;
    for (; k < x->text.n && (unsigned char)p[k] > ' ' && p[k] != '\'' && p[k] != '"' && p[k] != '\\' && tag_at(x, k) == tag; k++) *o++ = p[k];
    s->n += k - i - 1;
    return k - 1;
}

symbi_status sy_words_split(sy_words *ws, const sy_tagged *x, bool atomic)
{
    const sy_vars *v = ws->v;
    const sy_tagged in = *x; /* of our own, so that writing to words is seen not to change it */
    splitter s = { NULL, 0, false, true, 0, 0 };
    char quote = 0;
    symbi_status st = SYMBI_OK;
    /* a word takes no more bytes than were written for it, and a NUL for the blank behind it */
    if (!(s.word = sy_arena_alloc(v->arena, in.text.n + 1))) return sy_arena_fail(v->arena, "the command", v->err);
    for (size_t i = 0; i <= in.text.n && !st; i++) {
        bool end = i == in.text.n;
        char c = end ? ' ' : in.text.p[i];
        uint16_t tag = end ? 0 : tag_at(&in, i);
        if (tag && (c == '\'' || c == '"' || c == '\\') && !atomic) {
            st = sy_no_quotes(v, tag);
        } else if (tag && (atomic || quote)) {
            i = take_run(&s, &in, i);
        } else if (quote) {
            if (end) st = sy_fail(v->err, SYMBI_EPARSE, "the command has a quote that is not closed");
            else if (c == quote) quote = 0;
            else if (c == '\\' && quote == '"' && i + 1 < in.text.n && !tag_at(&in, i + 1) && (in.text.p[i + 1] == '"' || in.text.p[i + 1] == '\\')) take(&s, in.text.p[++i], 0);
            else i = take_run(&s, &in, i);
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            if (s.open) {
                s.word[s.n] = 0;
                st = sy_words_push(ws, (symbi_str){ s.word, s.n }, s.first, s.named, s.author);
                s.word += s.n + 1;
                s.n = 0;
                s.open = false;
                s.first = 0;
            }
        } else if (c == '\'' || c == '"') {
            quote = c;
            if (!s.open) s.author = true, s.first = s.named = 0;
            s.open = true; /* '' is an empty word */
        } else if (c == '\\') {
            if (i + 1 >= in.text.n) st = sy_fail(v->err, SYMBI_EPARSE, "the command ends in a backslash");
            else take(&s, in.text.p[i + 1], tag_at(&in, i + 1)), i++;
        } else {
            i = take_run(&s, &in, i);
        }
    }
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

/* The words of the command, or of one element of exec (i), as they stand; x is made when it is first needed. */
static symbi_status add_words(sy_words *ws, const sy_tmpl *t, bool exec, sy_tagged *x, bool *tagged)
{
    symbi_status st;
    bool done = false;
    if (t->prog && !ws->v->expand && ((st = sy_words_run(ws, t->prog, exec && !t->spreads, exec, &done)) || done)) return st;
    if (*tagged) sy_tagged_clear(x);
    else sy_tagged_init(x, ws->v), *tagged = true;
    if ((st = sy_expand(ws->v, t, x))) return st;
    return exec && !t->spreads ? sy_words_add(ws, x) : sy_words_split(ws, x, exec);
}

symbi_status sy_command_argv(const sy_vars *v, symbi_str **argv, size_t *argc)
{
    const sy_command *c = &v->t->command;
    sy_words ws = { v, NULL, 0, 0, false };
    sy_tagged x;
    symbi_status st = SYMBI_OK;
    bool tagged = false;
    ws.cap = c->has_exec && c->nexec > 8 ? c->nexec : 8;
    if (!(ws.w = sy_arena_alloc(v->arena, ws.cap * sizeof *ws.w))) return sy_arena_fail(v->arena, "the command", v->err);
    if (c->has_exec) {
        for (size_t i = 0; i < c->nexec && !st; i++) {
            const sy_tmpl *t = &c->exec[i];
            if (t->word.p && !v->expand) st = sy_words_push(&ws, t->word, 0, 0, true);
            else st = add_words(&ws, t, true, &x, &tagged);
        }
    } else {
        st = add_words(&ws, &c->tmpl, false, &x, &tagged);
    }
    if (!st && (!ws.n || !ws.w[0].n)) st = sy_fail(v->err, SYMBI_ESCHEMA, c->has_exec ? "exec array produced empty argv" : "the template produced an empty command");
    if (tagged) sy_tagged_free(&x);
    *argv = ws.w;
    *argc = ws.n;
    return st;
}
