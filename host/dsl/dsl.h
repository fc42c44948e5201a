/* dsl/dsl.h: the inside of a parsed `.symbi` file: one array of nodes that point into the text, one of comments, the errors. Nodes
 * are numbers; 0 is the root and, as a child or sibling, none. Everything is written once, by the parser. */
#ifndef SY_DSL_DSL_H
#define SY_DSL_DSL_H
#include "base/arena.h"
#include "base/ref.h"
#include "codec/value.h"
#include "symbi/dsl.h"

/* Kinds of nodes: name in the reference grammar, NULL where that hides it and its children stand in its place. */
#define SY_DSL_NODES(X)                                                                            \
    X(PROGRAM, "program") X(METADATA, "metadata_block") X(METADATA_PAIR, "metadata_pair")          \
    X(AGENT, "agent_definition") X(CAPABILITIES, "capabilities_declaration")                       \
    X(POLICY, "policy_definition") X(RULE, "policy_rule") X(FUNCTION, "function_definition")       \
    X(SCHEDULE, "schedule_definition") X(SCHEDULE_PROP, "schedule_property")                       \
    X(CHANNEL, "channel_definition") X(CHANNEL_PROP, "channel_property")                           \
    X(CHANNEL_POLICY, "channel_policy_block") X(CHANNEL_CLASS, "channel_data_classification_block") \
    X(CLASS_RULE, "data_classification_rule") X(MEMORY, "memory_definition")                       \
    X(MEMORY_PROP, "memory_property") X(SEARCH, "memory_search_block")                             \
    X(SEARCH_PROP, "memory_search_property") X(WEBHOOK, "webhook_definition")                      \
    X(WEBHOOK_PROP, "webhook_property") X(FILTER, "webhook_filter_block")                          \
    X(FILTER_PROP, "webhook_filter_property") X(PARAM, "parameter") X(TYPEDEF, "type_definition")  \
    X(TYPESPEC, "type_spec") X(STRUCT, "struct_type") X(FIELD, "field") X(TYPE, "type")            \
    X(WITH, "with_block") X(WITH_ATTR, "with_attribute") X(BLOCK, "block") X(STATEMENT, "statement") \
    X(LET, "let_statement") X(IF, "if_statement") X(FOR, "for_statement") X(MATCH, "match_statement") \
    X(ARM, "match_arm") X(TRY, "try_statement") X(CATCH, "catch_clause")                           \
    X(RETURN, "return_statement") X(ASSIGN, "assignment_statement") X(EXPR_STMT, "expression_statement") \
    X(EXPR, "expression") X(BINARY, NULL) X(UNARY, NULL) X(PAREN, NULL) X(PATTERN, NULL) X(WILD, NULL) \
    X(MEMBER, "member_expression") X(CALL, "call_expression") X(INDEX, "index_expression")         \
    X(TYPE_LITERAL, "type_literal") X(IF_EXPR, "if_expression") X(LAMBDA, "lambda")                \
    X(RECORD, "record") X(RECORD_FIELD, "record_field") X(NAMED_ARG, "named_argument")             \
    X(ARRAY, "array") X(VALUE, "value") X(VAULT, "vault_url") X(IDENT, "identifier")               \
    X(STRING, "string") X(DURATION, "duration_literal") X(NUMBER, "number") X(BOOLEAN, "boolean")

typedef enum sy_dsl_kind {
#define SY_DSL_NODE_ENUM(k, name) SY_N_##k,
    SY_DSL_NODES(SY_DSL_NODE_ENUM)
#undef SY_DSL_NODE_ENUM
    SY_N_COUNT_
} sy_dsl_kind;

/* Tokens of more than one character; the others are their own character. */
enum { SY_T_ARROW = 128, SY_T_FAT, SY_T_EQ, SY_T_NE, SY_T_LE, SY_T_GE, SY_T_AND, SY_T_OR, SY_T_ADD_SET, SY_T_SUB_SET, SY_T_MUL_SET, SY_T_DIV_SET, SY_T_MOD_SET, SY_T_IN,
       SY_T_IDENT, SY_T_STRING, SY_T_NUMBER, SY_T_DURATION, SY_T_VAULT, SY_T_OTHER, SY_T_EOF };

typedef struct sy_node {
    uint8_t kind;
    uint8_t op;    /* token: separator of a pair, operator of UNARY and ASSIGN, kind of a RULE ('a' 'd' 'r' 'u'), 1 for a type's keyword */
    uint8_t link;  /* BINARY: the operator between this operand and the one before it */
    uint16_t depth;
    uint32_t start, end; /* bytes of the text */
    uint32_t first, last, next;
} sy_node;

typedef struct sy_span { uint32_t start, end; } sy_span;

struct symbi_dsl {
    sy_ref refs;
    symbi_alloc alloc;
    sy_arena arena; /* text, source, messages */
    symbi_str text, source;
    sy_node *nodes;
    size_t nnodes, nodes_cap;
    sy_span *comments; /* in order */
    size_t ncomments, comments_cap;
    uint32_t *lines; /* offset of each line */
    size_t nlines, lines_cap;
    symbi_dsl_error *errors;
    size_t nerrors, errors_cap;
    bool too_many;
};

typedef struct sy_token {
    uint8_t kind;
    uint32_t start, end;
} sy_token;

typedef struct sy_parser {
    symbi_ctx *cx;
    symbi_dsl *d;
    const char *s;
    uint32_t n;
    sy_token cur;
    uint32_t last_end;   /* of the token before cur */
    uint32_t seen;       /* up to here comments and bad characters were recorded */
    uint32_t error_at;   /* where the last error stands, so that one place is reported once */
    unsigned depth;
    char block_of;       /* what the next block is part of: 'i' an if before its else, 't' a try before its catch, 'a' an arm; 0 */
    bool to_top;         /* recovering: every list leaves until a top-level item begins */
    symbi_status status; /* ENOMEM or ELIMIT: everything stops */
    symbi_err err;
} sy_parser;

/* lex.c */
void sy_dsl_advance(sy_parser *p);
sy_token sy_dsl_peek(sy_parser *p, sy_token after); /* the token after that one; nothing is recorded */
bool sy_dsl_vault(sy_parser *p);                    /* makes an identifier `vault` before "://" one vault token */
bool sy_dsl_is(const sy_parser *p, const char *word); /* cur is that identifier */
bool sy_dsl_tok_is(const sy_parser *p, sy_token t, const char *word);
symbi_str sy_dsl_tok(const sy_parser *p, sy_token t);

/* report.c */
bool sy_dsl_expected(sy_parser *p, const char *what);                     /* false always; hint found by looking around */
bool sy_dsl_error_here(sy_parser *p, sy_token t, const char *expected, const char *hint); /* hint may be NULL */
bool sy_dsl_stop(sy_parser *p, symbi_status st, uint32_t at, const char *fmt, ...) SYMBI_PRINTF(4, 5);
void sy_dsl_skip(sy_parser *p, const char *const *words, bool lines); /* recovery inside a block; see there */
extern const char *const sy_dsl_top_words[];

/* parse.c, parse_items.c, parse_code.c, parse_expr.c: each gives a node or 0 (an error was recorded) */
uint32_t sy_dsl_node(sy_parser *p, sy_dsl_kind k, uint32_t start);
bool sy_dsl_add(sy_parser *p, uint32_t parent, uint32_t child); /* false when child is 0 or the tree is too deep */
void sy_dsl_close(sy_parser *p, uint32_t node);                 /* its end is the last token taken */
bool sy_dsl_take(sy_parser *p, int token, const char *what);
bool sy_dsl_word(sy_parser *p, uint32_t parent, const char *what); /* an identifier as a child */
uint32_t sy_dsl_leaf(sy_parser *p, sy_dsl_kind k);
bool sy_dsl_enter(sy_parser *p);
uint32_t sy_dsl_item(sy_parser *p);
uint32_t sy_dsl_policy(sy_parser *p, sy_dsl_kind k);
uint32_t sy_dsl_function(sy_parser *p);
bool sy_dsl_params(sy_parser *p, uint32_t parent);
uint32_t sy_dsl_type(sy_parser *p);
uint32_t sy_dsl_block(sy_parser *p);
uint32_t sy_dsl_value(sy_parser *p);
uint32_t sy_dsl_array(sy_parser *p);
uint32_t sy_dsl_record(sy_parser *p);
uint32_t sy_dsl_expr(sy_parser *p, bool before_block); /* an expression node */
uint32_t sy_dsl_postfix(sy_parser *p, bool before_block);
uint32_t sy_dsl_expr_from(sy_parser *p, uint32_t left, bool before_block); /* the expression that goes on after a postfix one */
bool sy_dsl_goes_on(const sy_parser *p); /* cur is a binary operator */

/* tree.c */
static inline const sy_node *sy_n(const symbi_dsl *d, uint32_t i) { return &d->nodes[i]; }
symbi_str sy_dsl_text(const symbi_dsl *d, uint32_t node);
void sy_dsl_place(const symbi_dsl *d, uint32_t at, uint32_t *line, uint32_t *col);
uint32_t sy_dsl_child(const symbi_dsl *d, uint32_t node, sy_dsl_kind k); /* the first of that kind, or 0 */
symbi_str sy_dsl_name(const symbi_dsl *d, uint32_t node);                /* text of its first identifier */
size_t sy_dsl_comment_from(const symbi_dsl *d, uint32_t at);             /* index of the first comment at or after */
bool sy_dsl_has_comment(const symbi_dsl *d, uint32_t from, uint32_t to);
symbi_status sy_dsl_need_ok(const symbi_dsl *d, symbi_err *err);         /* EPARSE with the first error */
/* An expression without its wrappers: EXPR and PAREN taken off, and VALUE down to its leaf. */
uint32_t sy_dsl_bare(const symbi_dsl *d, uint32_t node);
symbi_str sy_dsl_unquote(symbi_str s); /* all leading and trailing quotes off, as upstream does */

/* duration.c: ms of a human duration; *why gets the reference library's words */
symbi_status sy_dsl_human(symbi_str s, int64_t *ms, char why[120]);

/* ruleset.c */
typedef struct sy_narrow_parts {
    symbi_cedar *rules, *audit;
    symbi_narrow_limits limits;
    bool asks_approval;
    symbi_doc *doc;
} sy_narrow_parts;
/* Takes over what p holds, also on failure. */
symbi_status sy_narrow_new(symbi_ctx *cx, sy_narrow_parts *p, symbi_narrow **out, symbi_err *err);
#endif
