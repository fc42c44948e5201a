/* cedar/parse.h: the state of reading one text, shared by the policy and the expression parser. Functions return false
 * after they have filled the builder's err. */
#ifndef SY_CEDAR_PARSE_H
#define SY_CEDAR_PARSE_H
#include "cedar/build.h"
#include "cedar/lex.h"

#include <string.h>

typedef struct sy_cparse {
    sy_cbuild *b;
    symbi_str name, text;
    sy_ctok tok;         /* the current token */
    uint32_t prev_end;
    const char *why;     /* of a bad token */
    unsigned depth;      /* expressions being read */
    const char *clause;  /* "when" or "unless" while a condition is read */
    sy_buf buf;          /* unescaped strings, names */
    const symbi_str *id; /* the id of the one policy in this text, or NULL: by name or number */
    size_t number_from;  /* policyN counts from here */
    uint32_t line, line_pos, line_at; /* cursor for positions of policies, which only go forward */
} sy_cparse;

/* An expression: its node and the height of its tree (which bounds the evaluator's recursion). */
typedef struct sy_cexpr {
    uint32_t node, height;
} sy_cexpr;

void sy_cparse_init(sy_cparse *p, sy_cbuild *b, symbi_str name, symbi_str text);
void sy_cparse_free(sy_cparse *p);
void sy_cparse_next(sy_cparse *p);
static inline bool sy_cparse_is(const sy_cparse *p, sy_ctok_kind k) { return p->tok.kind == k; }
/* The current token is this identifier. Inline, so that the length of a literal is known where it is asked for. */
static inline bool sy_cparse_word(const sy_cparse *p, const char *word)
{
    size_t n = strlen(word);
    return p->tok.kind == SY_TK_IDENT && p->tok.end - p->tok.pos == n && !memcmp(p->text.p + p->tok.pos, word, n);
}
bool sy_cparse_take(sy_cparse *p, sy_ctok_kind k);         /* if it is k, steps over it */
bool sy_cparse_fail(sy_cparse *p, uint32_t pos, const char *fmt, ...) SYMBI_PRINTF(3, 4);
bool sy_cparse_unexpected(sy_cparse *p, const char *expected); /* about the current token */
bool sy_cparse_need(sy_cparse *p, sy_ctok_kind k, const char *expected);
bool sy_cparse_mem(sy_cparse *p);                          /* reports failed_mem */

bool sy_cparse_string(sy_cparse *p, bool pattern, uint32_t *str); /* the current token, a string; steps over it */
/* IDENT (:: IDENT)* from the current token, into p->buf as "A::B" (alias applied when the builder's flags say so). Stops
 * before `:: "` . *parts counts the identifiers; *uid is set when a string follows the last `::` (which is stepped over). */
bool sy_cparse_path(sy_cparse *p, unsigned *parts, bool *uid);
/* Entity literal whose path is in p->buf and whose id is the current token. */
bool sy_cparse_uid(sy_cparse *p, uint32_t *type, uint32_t *uid);
bool sy_cparse_expr(sy_cparse *p, sy_cexpr *out);
/* All policies of the text. id_prefix "" means policyN. */
symbi_status sy_cparse_policies(sy_cparse *p);
#endif
