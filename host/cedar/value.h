/* cedar/value.h: Cedar values as the evaluator sees them: 16 bytes each, payload borrowed from a policy set, an entity store
 * or a scratch arena. Sets are sorted by sy_cval_cmp and free of duplicates, records are sorted by key: so equality is one
 * walk and membership a binary search. */
#ifndef SY_CEDAR_VALUE_H
#define SY_CEDAR_VALUE_H
#include "cedar/scratch.h"
#include "symbi/cedar.h"

/* The order of the tags is the order of values of different types (only used to sort sets). */
typedef enum sy_ctag {
    SY_CV_BOOL = 0,
    SY_CV_LONG,
    SY_CV_STRING,
    SY_CV_ENTITY,
    SY_CV_SET,
    SY_CV_RECORD,
    SY_CV_DECIMAL,  /* i = value * 10^4 */
    SY_CV_IP,
    SY_CV_DATETIME, /* i = milliseconds since 1970 */
    SY_CV_DURATION  /* i = milliseconds */
} sy_ctag;

/* An entity uid. One object may stand for many equal ones; equality is by content. */
typedef struct sy_cuid {
    symbi_str type, id;
} sy_cuid;

typedef struct sy_cip {
    uint8_t v6, prefix;
    uint8_t addr[16]; /* the first 4 bytes for v4 */
} sy_cip;

typedef struct sy_cattr sy_cattr;
typedef struct sy_cval sy_cval;
struct sy_cval {
    uint8_t tag;
    uint32_t n; /* bytes of a string, elements of a set, members of a record */
    union {
        bool b;
        int64_t i;
        const char *s;
        const sy_cuid *uid;
        const sy_cval *items;
        const sy_cattr *attrs;
        const sy_cip *ip;
    } u;
};
struct sy_cattr {
    symbi_str key;
    sy_cval val;
};

static inline sy_cval sy_cv_bool(bool b) { sy_cval v = { .tag = SY_CV_BOOL, .u = { .b = b } }; return v; }
static inline sy_cval sy_cv_int(sy_ctag t, int64_t i) { sy_cval v = { .tag = (uint8_t)t, .u = { .i = i } }; return v; }
static inline sy_cval sy_cv_str(symbi_str s) { sy_cval v = { .tag = SY_CV_STRING, .n = (uint32_t)s.n, .u = { .s = s.p } }; return v; }
static inline sy_cval sy_cv_uid(const sy_cuid *u) { sy_cval v = { .tag = SY_CV_ENTITY, .u = { .uid = u } }; return v; }
static inline symbi_str sy_cv_text(sy_cval v) { symbi_str s = { v.u.s, v.n }; return s; }

bool sy_cuid_eq(const sy_cuid *a, const sy_cuid *b);
/* Total order. *work grows by the number of nodes compared (the caller charges it to a budget). */
int sy_cval_cmp(const sy_cval *a, const sy_cval *b, uint64_t *work);
static inline bool sy_cval_eq(const sy_cval *a, const sy_cval *b, uint64_t *work)
{
    if (a->tag != b->tag) return false;
    switch (a->tag) {
    case SY_CV_BOOL: return a->u.b == b->u.b;
    case SY_CV_LONG:
    case SY_CV_DECIMAL:
    case SY_CV_DATETIME:
    case SY_CV_DURATION: return a->u.i == b->u.i;
    default: return sy_cval_cmp(a, b, work) == 0;
    }
}
/* Sorts items[0..n) in place and drops duplicates; returns the new count. n log n comparisons in the worst case. */
uint32_t sy_cset_normalise(sy_cval *items, uint32_t n, uint64_t *work);
bool sy_cset_has(const sy_cval *set, const sy_cval *x, uint64_t *work);
/* Sorts members by key; false when a key occurs twice (*dup is its index after sorting). */
bool sy_crec_normalise(sy_cattr *attrs, uint32_t n, uint32_t *dup);
const sy_cval *sy_crec_get(const sy_cattr *attrs, uint32_t n, symbi_str key); /* NULL when absent */

/* "long", "set", "(entity of type `User`)" into buf; what error messages call a value's type. */
symbi_str sy_ctype_name(const sy_cval *v, char *buf, size_t cap);
/* Cedar source text of a value: used in messages. Cut at max bytes. */
struct sy_buf;
void sy_cuid_print(struct sy_buf *b, const sy_cuid *u);
void sy_cstr_print(struct sy_buf *b, symbi_str s);  /* quoted and escaped */
void sy_cstr_escape(struct sy_buf *b, symbi_str s); /* without the quotes */
void sy_cval_print(struct sy_buf *b, const sy_cval *v);

/* "A::B": identifiers joined by ::, none of them reserved (spec 1.2). */
bool sy_cname_valid(symbi_str name);
bool sy_cident_valid(symbi_str id);     /* [_a-zA-Z][_a-zA-Z0-9]*, not reserved, not __cedar */
bool sy_cident_shape(symbi_str id);     /* the same, reserved words allowed */
bool sy_cident_reserved(symbi_str id);  /* true false if then else in is like has */
symbi_str sy_cname_base(symbi_str name); /* after the last :: */
#endif
