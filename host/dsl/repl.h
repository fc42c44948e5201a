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

/* repl_expr.c. Each that can fail gives false with r->st and r->err filled. */
enum { SY_REPL_DEPTH = 48 }; /* of an expression: its JSON stays within every reader's limit */
typedef struct sy_repl_ex {
    symbi_value v;
    unsigned depth;
} sy_repl_ex;
const sy_repl_token *sy_repl_peek(const sy_repl *r);
bool sy_repl_at_end(const sy_repl *r);
const sy_repl_token *sy_repl_advance(sy_repl *r); /* the token that is taken; at the end the one before it, again */
bool sy_repl_is(const sy_repl *r, int kind);
bool sy_repl_match(sy_repl *r, int kind);           /* takes it when it is there */
bool sy_repl_takes(sy_repl *r, const char *keyword); /* the same for a keyword */
bool sy_repl_take(sy_repl *r, int kind, const char *message);
void sy_repl_trivia(sy_repl *r);
bool sy_repl_fail(sy_repl *r, const char *text);
bool sy_repl_fail_token(sy_repl *r, const char *text, const sy_repl_token *t, bool line);
bool sy_repl_name(sy_repl *r, const char *message, symbi_value *out);
bool sy_repl_string(sy_repl *r, symbi_value *out);
symbi_value sy_repl_one(sy_repl *r, const char *key, symbi_value v); /* an object with one member */
bool sy_repl_measure(sy_repl *r, int kind, const char *message, symbi_value *out);
bool sy_repl_choice(sy_repl *r, const char *const words[], const char *message, symbi_value *out);
bool sy_repl_expression(sy_repl *r, sy_repl_ex *out);
bool sy_repl_type(sy_repl *r, symbi_value *out);
bool sy_repl_parameters(sy_repl *r, symbi_value *out);
#endif
