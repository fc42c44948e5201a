/* cedar/ext.h: the extension types (spec 7): their functions, and reading their constructors' strings. */
#ifndef SY_CEDAR_EXT_H
#define SY_CEDAR_EXT_H
#include "cedar/value.h"

/* An evaluation error being made: fixed size, so that reporting needs no memory. */
typedef struct sy_cerr {
    symbi_cedar_error_kind kind;
    uint32_t pos;    /* byte offset in the policy's source */
    uint32_t n;
    char msg[256];
} sy_cerr;
/* Each % in fmt takes one symbi_str. Always returns false, so that `return sy_cerr_set(...)` reads well. */
bool sy_cerr_set(sy_cerr *e, symbi_cedar_error_kind kind, const char *fmt, ...);
bool sy_cerr_type(sy_cerr *e, const char *expected, const sy_cval *got); /* "type error: expected X, got T" */
/* Out of scratch memory or over a limit: not an error of the policy. The caller stops the whole evaluation. */
#define SY_CEDAR_E_NOMEM SYMBI_CEDAR_E_COUNT_

/* Constructors first, then methods. */
#define SY_CFN_LIST(X)                                                                             \
    X(IP, "ip") X(DECIMAL, "decimal") X(DATETIME, "datetime") X(DURATION, "duration")              \
    X(ISIPV4, "isIpv4") X(ISIPV6, "isIpv6") X(ISLOOPBACK, "isLoopback") X(ISMULTICAST, "isMulticast") X(ISINRANGE, "isInRange") \
    X(LESSTHAN, "lessThan") X(LESSTHANOREQUAL, "lessThanOrEqual") X(GREATERTHAN, "greaterThan") X(GREATERTHANOREQUAL, "greaterThanOrEqual") \
    X(OFFSET, "offset") X(DURATIONSINCE, "durationSince") X(TODATE, "toDate") X(TOTIME, "toTime")  \
    X(TOMILLISECONDS, "toMilliseconds") X(TOSECONDS, "toSeconds") X(TOMINUTES, "toMinutes") X(TOHOURS, "toHours") X(TODAYS, "toDays")
typedef enum sy_cfn {
#define SY_CFN_ENUM(name, text) SY_CFN_##name,
    SY_CFN_LIST(SY_CFN_ENUM)
#undef SY_CFN_ENUM
    SY_CFN_COUNT,
    SY_CFN_NONE = SY_CFN_COUNT
} sy_cfn;
sy_cfn sy_cfn_find(symbi_str name); /* SY_CFN_NONE when unknown */
const char *sy_cfn_name(sy_cfn f);
static inline bool sy_cfn_is_ctor(sy_cfn f) { return f <= SY_CFN_DURATION; }
unsigned sy_cfn_nargs(sy_cfn f);
sy_ctag sy_cfn_arg(sy_cfn f, unsigned i);
sy_ctag sy_cfn_result(sy_cfn f);

/* Applies f to n evaluated arguments: arity, then types, then the function. */
bool sy_cfn_call(sy_cfn f, const sy_cval *args, uint32_t n, sy_scratch *mem, sy_cval *out, sy_cerr *e);

/* Constructors alone; false with *why a static text. */
bool sy_cext_decimal(symbi_str s, int64_t *out, const char **why);
bool sy_cext_ip(symbi_str s, sy_cip *out, const char **why);
bool sy_cext_datetime(symbi_str s, int64_t *out, const char **why);
bool sy_cext_duration(symbi_str s, int64_t *out, const char **why);
#endif
