/* codec/toml_in.h: what the files of the TOML reader share. toml.c knows tables and redefinition rules, toml_lex.c reads
 * strings, numbers and white space, toml_time.c date-times. */
#ifndef SY_CODEC_TOML_IN_H
#define SY_CODEC_TOML_IN_H
#include "base/map.h"
#include "codec/value.h"
#include "symbi/toml.h"

typedef struct sy_toml_node sy_toml_node;

typedef struct sy_toml {
    symbi_ctx *cx;
    symbi_err *err;
    const char *p, *end; /* what is left */
    const char *bol;     /* start of the present line */
    uint32_t line;
    size_t depth_max;
    size_t nodes, nodes_max;
    symbi_doc *doc;      /* receives strings and finished values */
    sy_arena scratch;    /* nodes of tables that are still open */
    sy_map index;        /* (table id, key) -> node */
    symbi_value *stack;  /* items of arrays being read */
    size_t nstack, stack_cap;
    uint64_t next_id;    /* table ids */
    uint64_t section;    /* the header or inline table that dotted keys belong to */
} sy_toml;

/* Fails at a place in the text (on the present line). */
symbi_status sy_toml_fail(sy_toml *t, const char *at, symbi_status code, const char *fmt, ...) SYMBI_PRINTF(4, 5);
symbi_status sy_toml_nomem(sy_toml *t); /* out of memory or a memory limit: whichever the arenas say */
symbi_status sy_toml_count(sy_toml *t); /* one value more; ELIMIT past doc_nodes */

/* toml_lex.c */
void sy_toml_blanks(sy_toml *t);                /* spaces and tabs */
bool sy_toml_newline(sy_toml *t);               /* takes LF or CRLF */
symbi_status sy_toml_comment(sy_toml *t);       /* takes an optional comment, up to its newline */
symbi_status sy_toml_line_end(sy_toml *t, const char *after); /* blanks, comment, then newline or end of text */
symbi_status sy_toml_gap(sy_toml *t);           /* any run of blanks, comments and newlines */
symbi_status sy_toml_string(sy_toml *t, bool key, symbi_str *out); /* at a quote; key: no multi-line forms */
symbi_status sy_toml_scalar(sy_toml *t, symbi_value *out); /* a number, boolean or date-time */
bool sy_toml_bare(char c);                      /* may stand in a bare key */

/* toml_time.c: what: the token. ENOTFOUND (without an error set) when it does not look like a date or time at all. */
symbi_status sy_toml_time(sy_toml *t, symbi_str what, symbi_value *out);
#endif
