/* dsl/repl.h: the tokens of the REPL language (spec section 6). */
#ifndef SY_DSL_REPL_H
#define SY_DSL_REPL_H
#include "base/arena.h"
#include "base/buf.h"
#include "codec/build.h"
#include "symbi/dsl.h"

/* Name as the reference shows it in messages, and its text where it is always the same. */
#define SY_REPL_TOKENS(X)                                                                          \
    X(String, NULL) X(Number, NULL) X(Integer, NULL) X(Duration, NULL) X(Size, NULL) X(Identifier, NULL) X(Keyword, NULL) \
    X(Arrow, "->") X(Equal, "==") X(FatArrow, "=>") X(NotEqual, "!=") X(LessThanOrEqual, "<=") X(LeftShift, "<<") \
    X(GreaterThanOrEqual, ">=") X(RightShift, ">>") X(And, "&&") X(Or, "||") X(Plus, "+") X(Minus, "-") X(Multiply, "*") \
    X(Divide, "/") X(Modulo, "%") X(Assign, "=") X(Not, "!") X(LessThan, "<") X(GreaterThan, ">") X(BitwiseAnd, "&") \
    X(BitwiseOr, "|") X(BitwiseXor, "^") X(BitwiseNot, "~") X(Question, "?") X(LeftParen, "(") X(RightParen, ")") X(LeftBrace, "{") \
    X(RightBrace, "}") X(LeftBracket, "[") X(RightBracket, "]") X(Comma, ",") X(Semicolon, ";") X(Colon, ":") X(Dot, ".") \
    X(Newline, "\n") X(Eof, NULL) X(Comment, NULL)

typedef enum sy_repl_kind {
#define SY_REPL_ENUM(name, text) SY_R_##name,
    SY_REPL_TOKENS(SY_REPL_ENUM)
#undef SY_REPL_ENUM
    SY_R_COUNT_
} sy_repl_kind;

typedef struct sy_repl_token {
    uint8_t kind;
    uint32_t line;
    symbi_str text; /* content of a string, name, comment; unit of a duration or size; digits of a number */
    union {
        int64_t i;
        uint64_t u;
        double d;
    } v;
} sy_repl_token;

typedef struct sy_repl {
    sy_repl_token *t; /* the last is Eof */
    size_t n, cap, at;
    sy_arena *a;
    symbi_alloc alloc;
    unsigned depth;
    symbi_err *err;
    symbi_status st;
} sy_repl;

symbi_status sy_repl_lex(sy_repl *r, symbi_str text);
bool sy_repl_word(const sy_repl_token *t, const char *keyword); /* is that keyword */
void sy_repl_show(sy_buf *b, const sy_repl_token *t);           /* as messages show it */
extern const char *const sy_repl_names[];
#endif
