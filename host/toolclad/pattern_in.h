/* toolclad/pattern_in.h: the program of a compiled pattern. */
#ifndef SY_TOOLCLAD_PATTERN_IN_H
#define SY_TOOLCLAD_PATTERN_IN_H
#include "toolclad/pattern.h"

typedef struct re_range { uint32_t lo, hi; } re_range;
typedef struct re_class {
    const re_range *r;
    size_t n;
    bool negated, fold; /* fold: ASCII case does not matter */
} re_class;

typedef enum re_op { OP_CLASS, OP_SPLIT, OP_JUMP, OP_START, OP_END, OP_WORD, OP_NOT_WORD, OP_MATCH } re_op;
typedef struct re_inst {
    re_op op;
    uint32_t x, y; /* targets */
    const re_class *cls;
} re_inst;

struct sy_pattern {
    const re_inst *prog;
    size_t n;
    bool anchored;
};
#endif
