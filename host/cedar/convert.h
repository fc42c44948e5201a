/* cedar/convert.h: symbi_value to Cedar value (spec 9.1, 9.2, and the plain rule for untrusted data). */
#ifndef SY_CEDAR_CONVERT_H
#define SY_CEDAR_CONVERT_H
#include "cedar/ext.h"

/* Where we are in the data: a chain of stack frames, made into a JSON pointer only when something is wrong. */
typedef struct sy_cpath {
    const struct sy_cpath *up;
    symbi_str key; /* p NULL: an index */
    size_t index;
} sy_cpath;

typedef struct sy_cconv {
    sy_scratch *mem;
    size_t depth;    /* levels left */
    bool copy;       /* strings are copied into mem; else they stay borrowed from the data */
    symbi_err *err;
    uint64_t work;
} sy_cconv;

/* All return a status; *absent (plain rule: null) means there is no value. */
symbi_status sy_cconvert(sy_cconv *c, const symbi_value *v, symbi_cedar_rule rule, const sy_cpath *at, sy_cval *out, bool *absent);
/* An object as attributes sorted by key. rules may give members a rule of their own. */
symbi_status sy_cconvert_record(sy_cconv *c, const symbi_value *v, symbi_cedar_rule rule, const symbi_cedar_member_rule *rules, size_t nrules, const sy_cpath *at,
                                const sy_cattr **out, uint32_t *n);
/* {"type","id"} or {"__entity":{...}}. */
symbi_status sy_cconvert_uid(sy_cconv *c, const symbi_value *v, const sy_cpath *at, sy_cuid *out);
/* {"type": string, "id": string} and nothing wrong: 1; not of this form: 0; of this form with a bad type name: -1. */
int sy_ctype_and_id(const symbi_value *v, sy_cuid *out);
symbi_status sy_cconv_fail(sy_cconv *c, symbi_status code, const sy_cpath *at, const char *fmt, ...) SYMBI_PRINTF(4, 5);
symbi_status sy_cconv_nomem(sy_cconv *c);
symbi_status sy_cconv_str(sy_cconv *c, symbi_str s, const sy_cpath *at, symbi_str *out); /* checked, copied when c->copy */
#endif
