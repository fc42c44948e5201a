/* symbi/match.h: sets of patterns, searched for in time linear in the text. All rules of a set go over the text together; no
 * construct can backtrack. A set is immutable, refcounted and may be shared between threads; what a search needs besides lies in
 * a scratch, one per caller (thread), which stops allocating once it is warm.
 *
 * Dialect (common to RE2, Rust's regex, Python and JavaScript): literals; . (not \n, unless (?s)); [classes] with ranges, negation,
 * \d \w \s inside and [:posix:] names; \d \D \w \W \s \S; \b \B; ^ $ (start and end of the text; of each line with (?m)); \A \z \Z;
 * groups (…), (?:…), (?P<name>…), (?i:…); flags (?i) (?s) (?m) to the end of the group; alternation; ? * + {m} {m,} {m,n} and their
 * lazy forms (which match the same texts). Escapes: \t \n \r \f \v \xHH \x{H…} \uHHHH and any punctuation. Anything else (look-around,
 * back-references, \p{…}, possessive repetition) is refused with EPARSE; err->col points into the pattern, err->path is its index.
 *
 * Text is UTF-8; a byte that is not part of valid UTF-8 counts as U+FFFD (one per maximal piece, as Python and Rust replace it).
 * Patterns themselves must be valid UTF-8. Limits: SYMBI_MATCH_MAX_*. */
#ifndef SYMBI_MATCH_H
#define SYMBI_MATCH_H

#include "symbi/ctx.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SYMBI_MATCH_MAX_RULES = 4096,    /* patterns in one set */
    SYMBI_MATCH_MAX_PATTERN = 4096,  /* bytes of one pattern */
    SYMBI_MATCH_MAX_PROGRAM = 8192,  /* steps of one pattern, repetitions written out */
    SYMBI_MATCH_MAX_DEPTH = 100,     /* nested groups */
    SYMBI_MATCH_MAX_REPEAT = 1000    /* m and n of {m,n} */
};

/* Flags of one pattern. Without UNICODE and PYTHON the classes \d \w \s, \b and (?i) are ASCII; classes and . are characters always. */
enum {
    SYMBI_MATCH_NOCASE = 1,    /* as if it began with (?i) */
    SYMBI_MATCH_MULTILINE = 2, /* (?m) */
    SYMBI_MATCH_DOTALL = 4,    /* (?s) */
    SYMBI_MATCH_UNICODE = 8,   /* \d \w \s \b (?i) as Rust's regex has them */
    SYMBI_MATCH_PYTHON = 16,   /* … as Python's re has them */
    SYMBI_MATCH_WHOLE = 32     /* the whole text must match */
};

typedef struct symbi_match_rule {
    symbi_str pattern;
    unsigned flags;
} symbi_match_rule;

typedef struct symbi_match symbi_match;
typedef struct symbi_match_scratch symbi_match_scratch;

/* Compiles all or nothing. EPARSE, ELIMIT: err->path is the index of the pattern ("/3"), err->col the byte in it (1-based). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_match_compile(symbi_ctx *cx, const symbi_match_rule *rules, size_t n, symbi_match **out, symbi_err *err);
SYMBI_API symbi_match *symbi_match_ref(symbi_match *m); /* NULL is fine */
SYMBI_API void symbi_match_unref(symbi_match *m);       /* NULL is fine */
SYMBI_API size_t symbi_match_count(const symbi_match *m);
/* True when every match of the rule begins at the start and ends at the end of the text by the pattern's own anchors. */
SYMBI_API bool symbi_match_anchored(const symbi_match *m, size_t rule);

/* What a search writes to. Holds a reference to the set and memory from cx: at most about `bytes` (0: 32 MiB) for remembered
 * states; when that is full it starts over, and when that happens too often it goes on without remembering. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_match_scratch_new(symbi_ctx *cx, symbi_match *m, size_t bytes, symbi_match_scratch **out, symbi_err *err);
SYMBI_API void symbi_match_scratch_free(symbi_match_scratch *s); /* NULL is fine */

/* Which rules match somewhere in text: *rules (borrowed until the next search) holds their indices in ascending order. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_match_run(symbi_match_scratch *s, symbi_str text, const uint32_t **rules, size_t *n, symbi_err *err);
/* Where a rule matches first: the leftmost start, and the first end of a match from there. *hit false: nowhere. */
typedef struct symbi_match_span {
    bool hit;
    size_t start, end; /* byte offsets */
} symbi_match_span;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_match_find(symbi_match_scratch *s, size_t rule, symbi_str text, symbi_match_span *out, symbi_err *err);
/* For one pattern and short texts: does a rule of the set match? Needs no scratch. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_match_test(symbi_ctx *cx, const symbi_match *m, symbi_str text, bool *hit, symbi_err *err);

/* Line by line over a large text, each line a text of its own; only lines with a match come out.
 *   symbi_match_lines(s, text, ends);
 *   while (!(st = symbi_match_line(s, &line, err)) && line.n) …
 * The text must stay as it is until the last line is out. */
typedef enum symbi_match_ends {
    SYMBI_MATCH_END_LF = 0,     /* \n */
    SYMBI_MATCH_END_CRLF = 1,   /* \n or \r\n, as Rust's str::lines */
    SYMBI_MATCH_END_PYTHON = 2, /* as Python's str.splitlines */
    SYMBI_MATCH_END_NONE = 3    /* the text is one line */
} symbi_match_ends;
typedef struct symbi_match_lineinfo {
    size_t line;           /* 1-based */
    size_t offset, length; /* of the line in the text, without its end */
    const uint32_t *rules; /* ascending; borrowed until the next call */
    size_t n;              /* 0: the text is at its end */
} symbi_match_lineinfo;
SYMBI_API void symbi_match_lines(symbi_match_scratch *s, symbi_str text, symbi_match_ends ends);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_match_line(symbi_match_scratch *s, symbi_match_lineinfo *out, symbi_err *err);

/* Figures for tests and benchmarks. */
typedef struct symbi_match_stats {
    size_t rules, groups, literals, filtered; /* filtered: rules that are looked at only where one of their literals stands */
    size_t states, flushes, bytes;            /* of the scratch */
} symbi_match_stats;
SYMBI_API void symbi_match_scratch_stats(const symbi_match_scratch *s, symbi_match_stats *out);

#ifdef __cplusplus
}
#endif
#endif
