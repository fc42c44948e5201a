/* toolclad/subst.h: substitution of values into templates, and splitting into words, with the origin of every byte. */
#ifndef SY_TOOLCLAD_SUBST_H
#define SY_TOOLCLAD_SUBST_H
#include "toolclad/tool.h"

/* Values of one call. text[i].p is NULL for an argument without a value. */
typedef struct sy_vars {
    symbi_ctx *cx;
    const symbi_tool *t;
    sy_arena *arena;
    const symbi_str *text;
    const bool *is_default; /* the author's own text */
    symbi_str scan_id, evidence_dir, output_file;
    bool allow_options;
    symbi_err *err;
    bool plain_paths; /* nothing in evidence_dir and output_file means more (sy_means_more) */
    bool expand; /* by expanding and splitting alone (tests: both ways say the same) */
} sy_vars;

/* Text with a tag for each byte: 0 = the author's, i + 1 = a value of argument i. */
typedef struct sy_tagged {
    sy_buf text, tag; /* tag: uint16_t each, in native order */
} sy_tagged;
void sy_tagged_init(sy_tagged *x, const sy_vars *v);
void sy_tagged_clear(sy_tagged *x);
void sy_tagged_free(sy_tagged *x);
symbi_status sy_expand(const sy_vars *v, const sy_tmpl *t, sy_tagged *out);

/* Words of a command under construction. */
typedef struct sy_words {
    const sy_vars *v;
    symbi_str *w;
    size_t n, cap;
    bool dashes; /* the author's "--" stands before */
} sy_words;
/* One word as it is (exec). */
symbi_status sy_words_add(sy_words *ws, const sy_tagged *x);
/* POSIX splitting (quotes, backslash; no comments, no expansion). atomic: bytes of values neither split nor quote (exec). */
symbi_status sy_words_split(sy_words *ws, const sy_tagged *x, bool atomic);
/* Whether the author's text splits at all: NULL, or what is wrong with it. */
const char *sy_split_problem(symbi_str text);

/* One word more, which stands in the arena or the tool: first, named: of which values (tags) its first byte and the name of its option are;
 * author: nothing of it comes from a value. Applies the rule on option injection. */
symbi_status sy_words_check(sy_words *ws, symbi_str w, uint16_t first, uint16_t named, bool author);
static inline symbi_status sy_words_push(sy_words *ws, symbi_str w, uint16_t first, uint16_t named, bool author)
{
    if (first || named || ws->n == ws->cap) return sy_words_check(ws, w, first, named, author);
    if (author && ws->n && w.n == 2 && w.p[0] == '-' && w.p[1] == '-') ws->dashes = true;
    ws->w[ws->n++] = w;
    return SYMBI_OK;
}
/* The author's part of a word, up to the first byte of a value: an option whose name is not complete yet? */
bool sy_open_name(symbi_str author);
symbi_status sy_no_quotes(const sy_vars *v, uint16_t tag); /* refuses a quote or backslash in a value of a template */
symbi_status sy_command_large(const sy_vars *v);
symbi_str sy_piece_text(const sy_vars *v, const sy_piece *p, uint16_t *tag); /* what stands for a piece that is no conditional, and whose it is */
enum { SY_COMMAND_MAX = 4 << 20 }; /* bytes of a command with its values */

/* words.c: templates that are taken apart into words when the manifest is loaded. false: out of memory. Then the words of a program; as_word:
 * all of it is one word, spread: values neither split nor quote. *done false: a folder's name has blanks or quotes, so that the text has to be
 * expanded and split; nothing was added. */
bool sy_words_compile(sy_arena *a, sy_command *c);
symbi_status sy_words_run(sy_words *ws, const sy_wprog *prog, bool as_word, bool spread, bool *done);

bool sy_means_more(symbi_str s); /* blanks, quotes, backslashes: in the author's text these would not be bytes of a word */

/* The whole argv of a tool's command (not for executors). */
symbi_status sy_command_argv(const sy_vars *v, symbi_str **argv, size_t *argc);
bool sy_cond_true(const sy_vars *v, const sy_cond *c);
#endif
