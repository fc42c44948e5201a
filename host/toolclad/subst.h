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

/* The whole argv of a tool's command (not for executors). */
symbi_status sy_command_argv(const sy_vars *v, symbi_str **argv, size_t *argc);
bool sy_cond_true(const sy_vars *v, const sy_cond *c);
#endif
