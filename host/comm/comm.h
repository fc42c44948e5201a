/* comm/comm.h: the inside of communication rules: one rule, its patterns and conditions. */
#ifndef SY_COMM_COMM_H
#define SY_COMM_COMM_H
#include "base/arena.h"
#include "base/ref.h"
#include "symbi/comm.h"

/* A pattern over names, compiled for what it needs. */
typedef enum sy_glob_kind { SY_GLOB_NONE = 0, SY_GLOB_ANY, SY_GLOB_EXACT, SY_GLOB_AFFIX, SY_GLOB_GENERAL } sy_glob_kind;
enum { SY_GLOB_WORDS = (SYMBI_COMM_MAX_NAME + 1 + 63) / 64 };
typedef struct sy_glob {
    uint8_t kind;
    uint8_t nwords;     /* GENERAL: words of one set of states */
    uint16_t nchars;    /* GENERAL: distinct characters of the pattern */
    uint16_t end;       /* GENERAL: the accepting state = characters other than * in the pattern */
    symbi_str pre, suf; /* EXACT: pre is the name; AFFIX: pre*suf */
    const uint32_t *chars; /* sorted */
    const uint64_t *step;  /* nchars + 1 rows of nwords: states that a character leaves forward; the last row: any other character */
    const uint64_t *loop;  /* states at which * stands */
} sy_glob;
/* text: valid UTF-8, 1..SYMBI_COMM_MAX_NAME bytes. Failures stick in the arena. */
void sy_glob_compile(sy_arena *a, symbi_str text, sy_glob *out);
/* name: valid UTF-8. */
bool sy_glob_match(const sy_glob *g, symbi_str name);

typedef enum sy_cond_kind { SY_COND_NEVER = 0, SY_COND_ALWAYS, SY_COND_SENDER, SY_COND_RECIPIENT, SY_COND_ALL, SY_COND_ANY } sy_cond_kind;
typedef struct sy_cond {
    uint8_t kind;
    symbi_str name;
    const struct sy_cond *kids;
    size_t n;
} sy_cond;

typedef struct sy_comm_rule {
    sy_ref refs;
    symbi_alloc alloc;
    sy_arena arena;
    bool allow, has_depth;
    uint32_t max_depth;
    int64_t priority;
    sy_glob from, to, action; /* without a condition */
    const sy_cond *cond;      /* the runtime's form, or NULL */
    symbi_str id, reason;     /* reason: as answered */
    symbi_value shown;
} sy_comm_rule;

/* Where a rule stands, for messages: base is the JSON pointer of the list ("" or "/rules"), index SIZE_MAX for a rule alone. */
typedef struct sy_comm_where {
    const char *base;
    size_t index;
} sy_comm_where;
/* id: the one to use where v has none. *out has one reference. */
symbi_status sy_comm_rule_new(symbi_ctx *cx, const symbi_value *v, symbi_str id, unsigned flags, sy_comm_where at, sy_comm_rule **out, symbi_err *err);
void sy_comm_rule_unref(sy_comm_rule *r);
symbi_status sy_cond_compile(sy_arena *a, const symbi_value *v, const sy_cond **out, char *why, size_t cap); /* why: on ESCHEMA and ELIMIT */
bool sy_cond_match(const sy_cond *c, symbi_str from, symbi_str to);
/* NULL when s may stand as a name, an id or a pattern; else what is wrong with it ("must not be empty"). */
const char *sy_comm_name_fault(symbi_str s, size_t max);

struct symbi_comm_rules {
    sy_ref refs;
    symbi_alloc alloc;
    size_t size;   /* of this allocation */
    size_t memory; /* of the rules in it */
    bool default_allow, first_wins;
    size_t n;
    sy_comm_rule **rule; /* insertion order; a reference each */
    uint32_t *order;     /* indices into rule, in the order of decision */
    symbi_value *shown;  /* what rule[i]->shown says, side by side */
    symbi_value value;
};
#endif
