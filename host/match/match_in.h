/* match/match_in.h: the inside of pattern sets.
 *
 *   parse.c    pattern text -> tree                     class.c  sets of characters
 *   prog.c     trees -> program of a group              nfa.c    one step of a program; search without remembering; positions
 *   table.c    a small program as a table     shape.c  a pattern that is one character after the other
 *   lits.c     tree -> literals one of which every match contains
 *   ac.c       all literals of the set in one pass over the bytes (Aho-Corasick, several streams side by side)
 *   dfa.c      programs run as automata whose states are made when first met and remembered in the scratch
 *   set.c      compile, reference, scratch, run, find, test      lines.c  line by line
 *
 * A rule that has literals ("filtered") is a group of its own and runs only around them: from where a match that has this literal can
 * begin at the earliest (sy_mlits.before) to where no match is open any more. The others share groups of up to 64 rules, which run
 * over every line. */
#ifndef SY_MATCH_IN_H
#define SY_MATCH_IN_H
#include "base/arena.h"
#include "base/ref.h"
#include "match/class.h"
#include "match/hits.h"

/* ---- trees ---- */

typedef enum sy_mkind { SY_MN_EMPTY, SY_MN_CLASS, SY_MN_ASSERT, SY_MN_CAT, SY_MN_ALT, SY_MN_REPEAT } sy_mkind;
typedef enum sy_mop { SY_MO_CLASS, SY_MO_SPLIT, SY_MO_JUMP, SY_MO_START, SY_MO_END, SY_MO_LSTART, SY_MO_LEND, SY_MO_WORD, SY_MO_NOTWORD, SY_MO_MATCH } sy_mop;
typedef struct sy_mnode {
    sy_mkind kind;
    sy_mop op; /* ASSERT */
    sy_mclass cls;
    struct sy_mnode *first, *last, *next; /* children of CAT, ALT, REPEAT */
    int32_t min, max;                     /* REPEAT; max -1: no bound */
} sy_mnode;
/* The tree lives in a. err gets col; the caller puts in which pattern it is. */
symbi_status sy_mparse(sy_arena *a, symbi_str pattern, unsigned flags, sy_mnode **out, symbi_err *err);
bool sy_mnode_fixed(const sy_mnode *n, bool end); /* every match begins at the start / ends at the end of the text */

/* ---- programs ---- */

typedef struct sy_minst {
    uint8_t op;
    uint32_t x, y; /* SPLIT, JUMP: targets; CLASS: index of the class; MATCH: rule of the group */
} sy_minst;

typedef struct sy_mprog {
    uint32_t n, nroot, nsym, nclass, nword; /* nword: 64-bit words of a set of steps */
    const sy_minst *inst;
    const uint32_t *root;    /* where each rule begins */
    uint64_t anchored;       /* rules that can begin at the start of the text only */
    uint64_t all;            /* one bit per rule */
    /* The alphabet: code points that no class of the program tells apart are one symbol; symbol nsym is the end of the text. */
    uint16_t byte[256];      /* ASCII; others map to nsym + 1 */
    const uint32_t *bound;   /* nbound first code points of a run of one symbol, ascending, bound[0] == 0 */
    const uint16_t *sym;
    uint32_t nbound;
    const uint64_t *member;  /* class * symwords: which symbols are in it */
    uint32_t symwords;
    const uint64_t *wordsym; /* which symbols are word characters, NULL where no \b asks */
    uint32_t nlsym;          /* the symbol of \n where (?m) asks, else UINT32_MAX */
} sy_mprog;

/* Rules nodes[0..n) (n <= 64) into one program that lives in keep. */
symbi_status sy_mprog_make(sy_arena *keep, sy_arena *tmp, sy_mnode *const *nodes, size_t n, unsigned flags, sy_mprog *out, size_t *bad, symbi_err *err);
uint32_t sy_mprog_symbol(const sy_mprog *g, uint32_t cp);
/* One character at p (n > 0): valid UTF-8, or U+FFFD for a maximal piece of what is not. */
size_t sy_mdecode(const char *p, size_t n, uint32_t *cp);

/* ---- one step ---- */

enum { SY_MF_START = 1, SY_MF_WORD = 2, SY_MF_NL = 4, SY_MF_IDLE = 8 }; /* what stands before: nothing, a word character, \n; of states: no match has begun */
unsigned sy_mafter(const sy_mprog *g, uint32_t sym); /* flags behind a symbol */
typedef struct sy_mwork { /* memory of a step: nword words and n + 1 numbers */
    uint64_t *seen;
    uint32_t *stack;
} sy_mwork;
/* From the steps in `from` with `before`, over symbol sym: fills to[nword] and *after; returns the rules that end before sym. */
uint64_t sy_mstep(const sy_mprog *g, const uint64_t *from, unsigned before, uint32_t sym, uint64_t *to, unsigned *after, const sy_mwork *w);
/* Bytes of working memory for sy_mprog_search, and the search: which rules match. mem aligned for uint64_t. */
size_t sy_mprog_need(const sy_mprog *g);
uint64_t sy_mprog_search(const sy_mprog *g, symbi_str text, void *mem);
size_t sy_mprog_findneed(const sy_mprog *g);
void sy_mprog_find(const sy_mprog *g, uint32_t rule, symbi_str text, void *mem, symbi_match_span *out);

/* ---- literals ---- */

enum { SY_MLIT_MAX = 15, SY_MLITS_MAX = 128 };
#define SY_MFAR UINT32_MAX /* no bound */
typedef struct sy_mlit { uint8_t n; char s[SY_MLIT_MAX]; } sy_mlit; /* ASCII, lower case */
typedef struct sy_mlits {
    uint32_t n; /* 0: none good enough, unless never */
    bool never; /* no match without an exotic character */
    int score;
    uint32_t before; /* the most characters that a match has in front of the first of them */
    sy_mlit lit[SY_MLITS_MAX];
} sy_mlits;
/* Every match contains one of out's literals in some case, or a character that goes into exotic. */
enum { SY_MLEVELS = 4 * SYMBI_MATCH_MAX_DEPTH + 8 };
typedef struct sy_mlevels { struct sy_mlevel *at[SY_MLEVELS]; } sy_mlevels; /* memory by depth of the tree, zero at first */
void sy_mlits_of(sy_arena *tmp, sy_mlevels *levels, const sy_mnode *root, sy_mlits *out, sy_mset *exotic);

typedef struct sy_mac {
    uint32_t nstate, maxlen, nlit;
    uint8_t col[256];
    uint16_t *t16;       /* state * SY_MCOLS + column -> state, bit 15: a literal ends; used when it fits */
    uint32_t *t32;       /* the same with bit 31, else */
    uint32_t *outstart;  /* nstate + 1 */
    uint32_t *outrule;
} sy_mac;
typedef struct sy_mhit { uint32_t at, state; } sy_mhit; /* at: of the literal's last byte, in the block; state UINT32_MAX: an exotic character */
enum { SY_MBLOCK = 8192, SY_MSTREAMS = 4, SY_MCOLS = 64 };
/* lits[i] belongs to rule[i]. */
symbi_status sy_mac_make(sy_arena *keep, sy_arena *tmp, const sy_mlit *lits, const uint32_t *rule, size_t n, sy_mac *out, symbi_err *err);
/* Hits in block p[0..n), n <= SY_MBLOCK, in order; before: how many bytes in front of p belong to the same text. hits has room
 * for SY_MBLOCK. Returns their number. */
size_t sy_mac_scan(const sy_mac *ac, const char *p, size_t n, size_t before, sy_mhit *hits);

/* ---- automata ---- */

typedef struct sy_mdfa {
    const sy_mprog *g;
    symbi_alloc alloc;
    uint32_t *t;       /* nstate rows of width */
    uint64_t *sets;    /* nstate * nword */
    uint64_t *match;   /* rules that have ended when a state is entered */
    uint32_t *chain, *bucket; /* hash */
    uint8_t *before;
    uint64_t *mem;     /* one block for: set, seen, stack */
    uint64_t *tmpset;
    sy_mwork work;
    size_t own, *pool; /* bytes of states that it may have in any case; that are left to all automata of the scratch beside that */
    uint32_t idle[8];  /* by flags: 1 + the state in which no match has begun, 0: not made yet */
    uint32_t nstate, cap, max, width, start, nbucket, memwords;
    size_t flushes;
} sy_mdfa;
void sy_mdfa_init(sy_mdfa *d, const sy_mprog *g, symbi_alloc alloc, size_t own, size_t *pool);
void sy_mdfa_free(sy_mdfa *d);
symbi_status sy_mdfa_run(sy_mdfa *d, symbi_str text, uint64_t *hits, symbi_err *err);
/* A part of text: matches that begin at or behind *at, where the text or a character behind an ASCII one begins; up to a place behind
 * `until` over which no match extends. *at: that place, such a one again; SIZE_MAX: the text is at its end, or all rules have matched. */
symbi_status sy_mdfa_part(sy_mdfa *d, symbi_str text, size_t *at, size_t until, uint64_t *hits, symbi_err *err);
size_t sy_mdfa_bytes(const sy_mdfa *d);

/* ---- sets ---- */

typedef struct sy_mgroup {
    sy_mprog prog;
    uint32_t first, n; /* rules: member[first..first+n) of the set */
} sy_mgroup;

struct symbi_match {
    sy_ref refs;
    symbi_alloc alloc;
    sy_arena arena;
    size_t n, nfiltered, words; /* words: of a bit set of rules */
    uint32_t ngroup, nopen;     /* groups [0, nopen) run over every line */
    sy_mgroup *group;
    uint32_t *member;
    uint32_t *groupof, *indexof; /* of each rule */
    uint64_t *filtered;          /* bit set of rules */
    uint64_t *foreign;           /* those of them that an exotic character concerns */
    uint32_t *reach;             /* of a filtered rule: characters from the start of a match to the end of a literal in it, or SY_MFAR */
    uint8_t *anchored;
    sy_mac ac;
    const sy_mlit *lit;          /* its literals */
    sy_mclass exotic;            /* characters that may stand for ASCII ones of literals; none below 0x80 */
    uint64_t exotic_lead[4];     /* first bytes of these in UTF-8 */
};

struct symbi_match_scratch {
    symbi_alloc alloc;
    symbi_match *m;
    sy_mdfa *dfa;      /* one per group */
    size_t pool;       /* bytes of states for those that need more than their share */
    uint64_t *cand, *found; /* of the present line: rules of which a literal stood there; rules that match */
    size_t *done;      /* by rule in cand: how much of the line it has gone over; SIZE_MAX: all it has to */
    symbi_str now;     /* the line */
    const uint64_t *watch; /* hits.h: rules of which hits are marked, or NULL */
    uint64_t *map;
    unsigned shift;
    bool wide;         /* an exotic character stands in it: the rules that this concerns have to go over all of it */
    uint32_t *rules;   /* result */
    sy_mhit *hits, *more; /* room for 2 and 1 blocks */
    void *find;        /* grows to the largest need */
    size_t findn;
    /* lines.c */
    symbi_str text;
    symbi_match_ends ends;
    bool odd;          /* the text has line ends other than \n */
    size_t block, nblock, at, nhit, hit; /* the present block, its hits, the next of them; at: everything before is done */
    size_t counted, line;                /* line is the number of the line that begins at counted */
};
/* A line: begun, its hits (at: in the line) in order, ended: the rules that match stand in s->rules. */
void sy_mscratch_begin(symbi_match_scratch *s, symbi_str line);
symbi_status sy_mscratch_take(symbi_match_scratch *s, size_t at, uint32_t state, symbi_err *err);
symbi_status sy_mscratch_end(symbi_match_scratch *s, size_t *n, symbi_err *err);
/* Hits of a block, exotic characters included, in order. after: how many bytes behind it belong to the same text. */
size_t sy_mscratch_block(symbi_match_scratch *s, const char *p, size_t n, size_t before, size_t after);
#endif
