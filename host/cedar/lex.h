/* cedar/lex.h: tokens of policies and schemas (spec 1). Tokens borrow from the text, which must be valid UTF-8. */
#ifndef SY_CEDAR_LEX_H
#define SY_CEDAR_LEX_H
#include "base/buf.h"
#include "symbi/base.h"

typedef enum sy_ctok_kind {
    SY_TK_EOF = 0,
    SY_TK_IDENT,  /* reserved words too */
    SY_TK_NUMBER,
    SY_TK_STRING, /* with its quotes, escapes as written */
    SY_TK_SLOT,   /* ?name */
    SY_TK_AT, SY_TK_DOT, SY_TK_COMMA, SY_TK_SEMI, SY_TK_COLON, SY_TK_PATH, SY_TK_LPAREN, SY_TK_RPAREN, SY_TK_LBRACE, SY_TK_RBRACE,
    SY_TK_LBRACK, SY_TK_RBRACK, SY_TK_EQ, SY_TK_NE, SY_TK_LT, SY_TK_LE, SY_TK_GT, SY_TK_GE, SY_TK_OR, SY_TK_AND, SY_TK_PLUS, SY_TK_MINUS,
    SY_TK_STAR, SY_TK_SLASH, SY_TK_PERCENT, SY_TK_NOT, SY_TK_ASSIGN, SY_TK_QUESTION,
    SY_TK_BAD
} sy_ctok_kind;

typedef struct sy_ctok {
    sy_ctok_kind kind;
    uint32_t pos, end;
} sy_ctok;

/* The token at or after pos. question: a lone `?` is a token (schemas). For SY_TK_BAD *why says what is wrong and, where it
 * is known, what to write instead. */
sy_ctok sy_clex(symbi_str text, uint32_t pos, bool question, const char **why);
static inline symbi_str sy_ctok_text(symbi_str text, sy_ctok t)
{
    symbi_str s = { text.p + t.pos, t.end - t.pos };
    return s;
}
/* A string token's content. pattern: for `like`, an unescaped star becomes the byte 0xFF and \* a star. The result is in out
 * (cleared first). false: *bad is the offset of the faulty escape in the text, *bad_n its length. */
bool sy_cunescape(symbi_str text, sy_ctok t, bool pattern, sy_buf *out, uint32_t *bad, uint32_t *bad_n);
#endif
