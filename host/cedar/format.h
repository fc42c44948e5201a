/* cedar/format.h: the parts of the pretty printer. format.c cuts the text into policies, format_doc.c says for each where lines may
 * break (groups of possible breaks that are taken all or none, and nesting), format_print.c decides and writes. */
#ifndef SY_CEDAR_FORMAT_H
#define SY_CEDAR_FORMAT_H
#include "base/buf.h"
#include "cedar/lex.h"
#include "symbi/ctx.h"

typedef struct sy_fspan {
    uint32_t pos, end;
} sy_fspan;

/* A token with the comments before it on lines of their own, and the one behind it on the same line. */
typedef struct sy_ftok {
    sy_ctok t;
    uint32_t width;       /* in characters */
    uint32_t lead, nlead; /* comments */
    sy_fspan trail;       /* end 0: none */
} sy_ftok;

typedef enum sy_fop_kind {
    SY_FOP_TEXT,  /* a: the token */
    SY_FOP_SPACE,
    SY_FOP_LINE,  /* a new line where the group is broken, else a blank */
    SY_FOP_LINE0, /* a new line where the group is broken, else nothing */
    SY_FOP_HARD,  /* a new line */
    SY_FOP_NEST,  /* a: columns that new lines get in addition */
    SY_FOP_UNNEST,
    SY_FOP_GROUP, /* tokens a to b; next: its end */
    SY_FOP_END
} sy_fop_kind;
typedef struct sy_fop {
    uint32_t kind, a, b, next;
    uint32_t flat; /* width of everything before it, on one line */
    uint32_t tail; /* width from here to the next place where a line may end */
} sy_fop;

/* The work on one text; the arrays hold one policy at a time. */
typedef struct sy_fmt {
    symbi_ctx *cx;
    symbi_err *err;
    symbi_str text;
    uint32_t width, indent;
    sy_ftok *toks;
    size_t ntoks, cap_toks;
    sy_fspan *comments;
    size_t ncomments, cap_comments;
    sy_fop *ops;
    size_t nops, cap_ops;
    uint32_t *breaks; /* per token: forced line ends before it, this policy's earlier ones included */
    size_t cap_breaks;
    uint32_t *nest;   /* while printing */
    size_t cap_nest;
    sy_buf out;
} sy_fmt;

symbi_status sy_fmt_doc(sy_fmt *f);   /* toks to ops */
symbi_status sy_fmt_print(sy_fmt *f); /* ops to out */
/* A comment's text without what cannot be seen at its end. */
symbi_str sy_fmt_comment(symbi_str text, sy_fspan c);
#endif
