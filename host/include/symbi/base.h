/* symbi/base.h: strings, status codes, errors, owned text, decisions. C99 and C++ clean.
 * Thread rule: everything here is a value; nothing is shared. */
#ifndef SYMBI_BASE_H
#define SYMBI_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbi/sys/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SYMBI_VERSION "0.1.0"
#define SYMBI_VERSION_NUM 100 /* major*10000 + minor*100 + patch */

#if defined(__GNUC__)
#define SYMBI_API __attribute__((visibility("default")))
#define SYMBI_MUST_USE __attribute__((warn_unused_result))
#define SYMBI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define SYMBI_API
#define SYMBI_MUST_USE
#define SYMBI_PRINTF(f, a)
#endif

/* A borrowed run of bytes. Not NUL-terminated unless a comment says so; p may be NULL only when n is 0. */
typedef struct symbi_str {
    const char *p;
    size_t n;
} symbi_str;

/* SYMBI_STR("literal"): a symbi_str over a string literal, as an initialiser. */
#define SYMBI_STR_INIT(lit) { (lit), sizeof(lit) - 1 }
SYMBI_API symbi_str symbi_str_z(const char *z); /* over a NUL-terminated string; NULL gives the empty string */

/* The one list of status codes: enum, names, Lua constants and documentation are made from it. */
#define SYMBI_STATUS_LIST(X)                                                                       \
    X(OK, 0, "ok")                                                                                 \
    X(ENOMEM, -1, "out of memory")                                                                 \
    X(EINVAL, -2, "invalid argument (a mistake of the caller)")                                    \
    X(EPARSE, -3, "the text does not follow its grammar")                                          \
    X(ESCHEMA, -4, "well-formed, but not of the expected shape")                                   \
    X(ELIMIT, -5, "a configured limit was reached")                                                \
    X(EDENIED, -6, "denied")                                                                       \
    X(EBUDGET, -7, "a budget is used up")                                                          \
    X(ETIMEOUT, -8, "a deadline passed")                                                           \
    X(ECRYPTO, -9, "a cryptographic operation failed")                                             \
    X(EVERIFY, -10, "a signature, hash or chain does not verify")                                  \
    X(EIO, -11, "reading, writing or connecting failed")                                           \
    X(ESTATE, -12, "not possible in the present state")                                            \
    X(ENOTFOUND, -13, "no such thing")                                                             \
    X(EEXISTS, -14, "exists already")                                                              \
    X(ECLOCK, -15, "the clock went backward")                                                      \
    X(EPERMIT, -16, "the permit is used, expired, foreign or altered")                             \
    X(EUNSUPPORTED, -17, "not supported by this build or version")                                 \
    X(EABORT, -18, "cancelled")                                                                    \
    X(EAGAIN, -19, "more input is needed")                                                         \
    X(EEVAL, -20, "evaluation failed")                                                             \
    X(EPROVIDER, -21, "the model endpoint failed")

typedef enum symbi_status {
#define SYMBI_STATUS_ENUM(name, num, text) SYMBI_##name = num,
    SYMBI_STATUS_LIST(SYMBI_STATUS_ENUM)
#undef SYMBI_STATUS_ENUM
    SYMBI_STATUS_MIN_ = -1000 /* keeps the type signed and wide; never returned */
} symbi_status;

/* "EPARSE" for SYMBI_EPARSE; "EUNKNOWN" for a number outside the list. Static storage. */
SYMBI_API const char *symbi_status_name(symbi_status st);
/* The one-line meaning from the list above. Static storage. */
SYMBI_API const char *symbi_status_text(symbi_status st);
/* The i-th entry of the list (0-based) through *st and *name; false past the end. */
SYMBI_API bool symbi_status_at(size_t i, symbi_status *st, const char **name);

/* Caller-owned error: filled once, at the place that knows most; needs no memory.
 * msg: one line of valid UTF-8, no trailing dot. line/col: 1-based, col in bytes; 0 where the error is not about text.
 * path: JSON pointer, manifest key, policy id or file name; may be "". All strings NUL-terminated. */
typedef struct symbi_err {
    symbi_status code;
    uint32_t line, col;
    char path[240];
    char msg[400];
} symbi_err;

/* Clears *err (NULL is allowed everywhere an err is taken). */
SYMBI_API void symbi_err_clear(symbi_err *err);
/* "path:line:col: msg" into buf (always terminated when cap > 0); returns the full length as snprintf does. */
SYMBI_API size_t symbi_err_format(const symbi_err *err, char *buf, size_t cap);

/* Text that the callee allocated and the caller frees with symbi_text_free. p is NUL-terminated for
 * convenience (not counted in n). A zeroed symbi_text is empty and safe to free. */
typedef struct symbi_text {
    char *p;
    size_t n, cap;
    symbi_alloc alloc;
} symbi_text;
SYMBI_API void symbi_text_free(symbi_text *t);
SYMBI_API symbi_str symbi_text_str(const symbi_text *t);

/* The five decisions (OATS C3). Zero is deny, so that a forgotten assignment denies. */
typedef enum symbi_decision {
    SYMBI_DENY = 0,
    SYMBI_ALLOW = 1,
    SYMBI_MODIFY = 2,
    SYMBI_STEP_UP = 3,
    SYMBI_DEFER = 4
} symbi_decision;
SYMBI_API const char *symbi_decision_name(symbi_decision d); /* "deny" "allow" "modify" "step_up" "defer" */

SYMBI_API const char *symbi_version(void);

#ifdef __cplusplus
}
#endif
#endif
