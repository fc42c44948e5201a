/* cedar/ast.h: the one form of a policy set: nodes of 16 bytes in one array, names interned. It keeps the surface operators
 * (the JSON form, the printer and the validator need them); the evaluator reads it as it stands, so nothing is kept twice.
 * Chains of && || + - * are one node with a list, whatever their length. Immutable once built. */
#ifndef SY_CEDAR_AST_H
#define SY_CEDAR_AST_H
#include "base/map.h"
#include "base/ref.h"
#include "cedar/ext.h"
#include "cedar/scratch.h"
#include "cedar/value.h"

typedef enum sy_cop {
    SY_OP_BOOL,   /* a: 0 or 1 */
    SY_OP_LONG,   /* a, b: low and high half */
    SY_OP_STR,    /* a: string */
    SY_OP_UID,    /* a: uid */
    SY_OP_VAR,    /* sub: sy_cvar */
    SY_OP_SLOT,   /* sub: SY_VAR_PRINCIPAL or SY_VAR_RESOURCE; never in an evaluated condition */
    SY_OP_NOT,    /* a */
    SY_OP_NEG,    /* a */
    SY_OP_AND,    /* list a, count b */
    SY_OP_OR,     /* list a, count b */
    SY_OP_ADD,    /* list a, count b; an operand with SY_MINUS is subtracted */
    SY_OP_MUL,    /* list a, count b */
    SY_OP_EQ, SY_OP_NE, SY_OP_LT, SY_OP_LE, SY_OP_GT, SY_OP_GE, SY_OP_IN, /* a, b */
    SY_OP_HAS,    /* a; list b of n strings: has x.y.z */
    SY_OP_GET,    /* a; string b */
    SY_OP_LIKE,   /* a; string b, in which the byte 0xFF is the wildcard */
    SY_OP_IS,     /* a; string b: the type */
    SY_OP_ISIN,   /* list a: expression, container; string b */
    SY_OP_IF,     /* list a: condition, then, else */
    SY_OP_SET,    /* list a, count b, then constant + 1 or 0 */
    SY_OP_RECORD, /* list a: (string, node) by key order, count b */
    SY_OP_CALL,   /* sub: sy_cfn; list a, count b, then constant + 1 or 0 */
    SY_OP_CONTAINS, SY_OP_CONTAINSALL, SY_OP_CONTAINSANY, SY_OP_GETTAG, SY_OP_HASTAG, /* a, b */
    SY_OP_ISEMPTY /* a */
} sy_cop;
typedef enum sy_cvar { SY_VAR_PRINCIPAL, SY_VAR_ACTION, SY_VAR_RESOURCE, SY_VAR_CONTEXT } sy_cvar;
#define SY_MINUS 0x80000000u  /* flag of an operand of SY_OP_ADD */
#define SY_UNLESS 0x80000000u /* flag of a condition */
#define SY_NONE UINT32_MAX

typedef struct sy_cnode {
    uint8_t op, sub;
    uint16_t n;
    uint32_t a, b;
    uint32_t pos; /* byte offset in the source */
} sy_cnode;

typedef enum sy_cscope_op { SY_SC_ANY, SY_SC_EQ, SY_SC_IN, SY_SC_IS, SY_SC_ISIN, SY_SC_INLIST } sy_cscope_op;
typedef struct sy_cscope {
    uint8_t op;
    bool slot;     /* the entity is the slot of this variable */
    uint32_t type; /* IS, ISIN: string */
    uint32_t uid;  /* EQ, IN, ISIN: uid; INLIST: list of uids, count in n */
    uint32_t n;
} sy_cscope;

typedef struct sy_cann {
    uint32_t key, val; /* strings; val SY_NONE when there is none */
} sy_cann;

typedef struct sy_cpolicy {
    uint32_t id; /* string */
    uint32_t source, pos, end; /* of its text; end 0 when it did not come from text */
    uint32_t line, col;
    uint8_t effect, role; /* symbi_cedar_effect, symbi_cedar_role */
    uint8_t slots;        /* bit SY_VAR_PRINCIPAL, bit SY_VAR_RESOURCE */
    sy_cscope scope[3];   /* principal, action, resource */
    uint32_t cond, ncond; /* list of nodes, SY_UNLESS */
    uint32_t ann, nann;
    uint32_t tmpl;        /* LINK: the template's index */
    uint32_t fill[2];     /* LINK: uids for ?principal and ?resource, or SY_NONE */
} sy_cpolicy;

typedef struct sy_csource {
    symbi_str name, text;
} sy_csource;

struct sy_cindex;
struct symbi_cedar {
    sy_ref refs;
    symbi_alloc alloc;
    sy_scratch mem;
    uint64_t seed[2];
    unsigned flags;
    const sy_cnode *nodes;
    const uint32_t *list;
    const symbi_str *strs;
    const sy_cuid *uids;
    const uint32_t *uid_type, *uid_id; /* strings of a uid */
    const sy_cval *vals;
    const sy_cpolicy *policies;
    const sy_cann *anns;
    const sy_csource *sources;
    const symbi_str *warnings;
    uint32_t nnodes, nlist, nstrs, nuids, nvals, npolicies, nanns, nsources, nwarnings;
    const uint32_t *str_slots, *uid_slots, *id_slots; /* open addressing, index + 1 */
    uint32_t str_mask, uid_mask, id_mask;
    uint8_t hash[32];
    struct sy_cindex *index;
};

uint32_t sy_cset_str(const symbi_cedar *s, symbi_str t);                 /* SY_NONE when the set never names it */
uint32_t sy_cset_uid(const symbi_cedar *s, uint32_t type, symbi_str id); /* type: a string of the set */

static inline int64_t sy_cnode_long(const sy_cnode *n) { return (int64_t)((uint64_t)n->b << 32 | n->a); }
/* Line and column (1-based, bytes) of a byte offset. */
void sy_cpos(symbi_str text, uint32_t pos, uint32_t *line, uint32_t *col);
#endif
