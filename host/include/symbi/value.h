/* symbi/value.h: the generic tree that JSON, TOML, tool arguments and Cedar contexts share.
 * A tree lives in one arena owned by a symbi_doc: immutable, atomically refcounted, freed in one call. Values may also
 * be built on the stack by a caller (items and members borrowed) and passed to any function that takes a
 * const symbi_value *. Strings are valid UTF-8 except where a caller built them otherwise. */
#ifndef SYMBI_VALUE_H
#define SYMBI_VALUE_H

#include "symbi/ctx.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum symbi_kind {
    SYMBI_NULL = 0,
    SYMBI_BOOL,
    SYMBI_INT,    /* 64-bit, exact */
    SYMBI_DOUBLE, /* finite */
    SYMBI_STRING,
    SYMBI_ARRAY,
    SYMBI_OBJECT, /* keys unique, in document order */
    SYMBI_TIME    /* TOML date-times: normalised RFC 3339 text in u.s, sub = symbi_time_kind; written to JSON as text */
} symbi_kind;

typedef enum symbi_time_kind {
    SYMBI_TIME_OFFSET_DATETIME = 1,
    SYMBI_TIME_LOCAL_DATETIME,
    SYMBI_TIME_LOCAL_DATE,
    SYMBI_TIME_LOCAL_TIME
} symbi_time_kind;

typedef struct symbi_value symbi_value;
typedef struct symbi_member symbi_member;

struct symbi_value {
    uint8_t kind; /* symbi_kind */
    uint8_t sub;  /* symbi_time_kind for SYMBI_TIME, else 0 */
    uint32_t line; /* 1-based line in the document it came from, 0 when built */
    union {
        bool b;
        int64_t i;
        double d;
        symbi_str s;
        struct { const symbi_value *items; size_t n; } a;
        struct { const symbi_member *members; size_t n; } o;
    } u;
};

struct symbi_member {
    symbi_str key;
    symbi_value val;
};

SYMBI_API const char *symbi_kind_name(symbi_kind k); /* "null" "boolean" "integer" "number" "string" "array" "object" "time" */
/* Member of an object, or NULL (also when v is NULL or no object). Linear in the number of members. */
SYMBI_API const symbi_value *symbi_value_get(const symbi_value *v, symbi_str key);
SYMBI_API const symbi_value *symbi_value_getz(const symbi_value *v, const char *key);
/* String content of member key, or dflt when absent or not a string. */
SYMBI_API symbi_str symbi_value_str(const symbi_value *v, const char *key, symbi_str dflt);
/* Same kind and content; objects regardless of member order; 1 and 1.0 differ. Depth is bounded by the document's. */
SYMBI_API bool symbi_value_equal(const symbi_value *a, const symbi_value *b);

typedef struct symbi_doc symbi_doc;
SYMBI_API const symbi_value *symbi_doc_root(const symbi_doc *d); /* borrowed while a reference is held */
SYMBI_API symbi_doc *symbi_doc_ref(symbi_doc *d);                /* returns d */
SYMBI_API void symbi_doc_unref(symbi_doc *d);                    /* NULL is fine */
/* A deep copy of v as a document of its own. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_doc_copy(symbi_ctx *cx, const symbi_value *v, symbi_doc **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
