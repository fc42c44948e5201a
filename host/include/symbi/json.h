/* symbi/json.h: strict JSON (RFC 8259 + I-JSON, RFC 7493): duplicate keys, invalid UTF-8, lone surrogates, NaN, leading
 * zeros, comments, trailing commas and trailing bytes are errors with line and column. Integers without fraction or
 * exponent that fit in 64 bits are exact SYMBI_INT; other numbers are SYMBI_DOUBLE; an integer beyond 64 bits, or a
 * number that overflows a double, is an error. */
#ifndef SYMBI_JSON_H
#define SYMBI_JSON_H
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Parses text into a new document (one reference, the caller's). *out is NULL on failure. Limits: doc_bytes, doc_depth,
 * doc_nodes. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_json_parse(symbi_ctx *cx, symbi_str text, symbi_doc **out, symbi_err *err);

enum {
    SYMBI_JSON_PRETTY = 1,    /* two spaces, one member per line */
    SYMBI_JSON_CANONICAL = 2  /* one text for one value: keys sorted by UTF-16 code unit (RFC 8785), no white space, shortest
                                 numbers in RFC 8785 form except that 64-bit integers stay exact; what is hashed or signed */
};
/* Writes v; *out is freed with symbi_text_free. Doubles: shortest text that reads back equal; integral ones below 2^53 as
 * integers only in canonical form, else with ".0" so that the kind survives. NaN and infinities are ESCHEMA, and so are
 * strings that are not UTF-8 and duplicate keys in a tree that the caller built; deeper than doc_depth is ELIMIT. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_json_write(symbi_ctx *cx, const symbi_value *v, unsigned flags, symbi_text *out, symbi_err *err);

/* ---- Reading without a tree ----
 * Two steps below symbi_json_parse, for consumers that build something of their own (the Lua binding builds tables). Both
 * keep to the same grammar; the reader alone does not see duplicate keys, the tape does. */

enum {
    SYMBI_JSON_MAX_DEPTH = 2048, /* no limit of a ctx reaches above this */
    SYMBI_JSON_BIGINT = 4        /* flag of the reader and the tape: integers beyond 64 bits come as BIGINT tokens */
};

typedef enum symbi_json_event {
    SYMBI_JSON_EOF = 0, /* the document is complete */
    SYMBI_JSON_NULL,
    SYMBI_JSON_BOOL,    /* u.b */
    SYMBI_JSON_INT,     /* u.i */
    SYMBI_JSON_DOUBLE,  /* u.d */
    SYMBI_JSON_BIGINT_TEXT, /* u.s: its digits, with the sign */
    SYMBI_JSON_STRING,  /* u.s: between the quotes; escaped: run it through symbi_json_unescape */
    SYMBI_JSON_KEY,     /* as STRING; its value follows */
    SYMBI_JSON_ARRAY,   /* [ */
    SYMBI_JSON_OBJECT,  /* { */
    SYMBI_JSON_END      /* ] or } */
} symbi_json_event;

typedef struct symbi_json_token {
    uint8_t event; /* symbi_json_event */
    bool escaped;
    uint32_t line, col; /* 1-based, of its first byte; col in bytes */
    union {
        bool b;
        int64_t i;
        double d;
        symbi_str s; /* borrowed from the text */
    } u;
} symbi_json_token;

/* A tokeniser with explicit state: no recursion, no memory but this struct. Fields are private. */
typedef struct symbi_json_reader {
    const char *p, *end, *begin, *line_start;
    uint32_t line;
    uint32_t depth, max_depth;
    uint8_t state, flags;
    uint8_t nest[SYMBI_JSON_MAX_DEPTH / 8]; /* one bit per open level: 1 for an object */
} symbi_json_reader;

/* text is borrowed. max_depth counts open arrays and objects. flags: 0 or SYMBI_JSON_BIGINT. */
SYMBI_API void symbi_json_reader_init(symbi_json_reader *r, symbi_str text, size_t max_depth, unsigned flags);
/* The next token. After an error or EOF every further call gives the same again. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_json_next(symbi_json_reader *r, symbi_json_token *t, symbi_err *err);
/* The content of an escaped STRING or KEY token: raw is its u.s, dst has room for raw.n bytes. Returns the length. */
SYMBI_API size_t symbi_json_unescape(symbi_str raw, char *dst);
/* The double nearest to a number's text (BIGINT_TEXT, say). False when it is none, or too large. */
SYMBI_API bool symbi_json_number(symbi_str text, double *out);

/* A whole document as one array of items in document order, checked to the last byte (duplicate keys too) and counted, so
 * that a builder knows every size before it allocates. An array is followed by its u.c.n values, an object by u.c.n pairs
 * of KEY and value; u.c.end is the index of the first item after it. */
typedef struct symbi_json_item {
    uint8_t kind;    /* symbi_json_event, NULL to OBJECT */
    uint8_t escaped; /* which base of the view a string counts from */
    uint16_t hash;   /* private */
    uint32_t line;
    union {
        bool b;
        int64_t i;
        double d;
        struct { uint32_t off, len; } s;
        struct { uint32_t n, end; } c;
    } u;
} symbi_json_item;

typedef struct symbi_json_view {
    const symbi_json_item *items; /* items[0] is the root */
    size_t n;
    const char *base[2];          /* string k: base[k->escaped] + k->u.s.off, k->u.s.len bytes of valid UTF-8 */
    size_t strings, string_bytes; /* keys included */
} symbi_json_view;

typedef struct symbi_json_tape symbi_json_tape; /* memory for reading one document after the other; from the ctx's allocator */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_json_tape_new(symbi_ctx *cx, symbi_json_tape **out, symbi_err *err);
SYMBI_API void symbi_json_tape_free(symbi_json_tape *t); /* NULL is fine */
/* Limits as symbi_json_parse. The view borrows from t (until the next read) and from text. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_json_tape_read(symbi_json_tape *t, symbi_str text, unsigned flags, symbi_json_view *out, symbi_err *err);
/* Gives buffers larger than `keep` bytes back; views are void afterwards. */
SYMBI_API void symbi_json_tape_trim(symbi_json_tape *t, size_t keep);

/* ---- Writing piece by piece ----
 * A growing text with the limit output_bytes and a sticky status: check `status` once at the end. The caller sees to commas
 * and brackets. */
typedef struct symbi_json_out {
    char *p;
    size_t n, cap, max;
    symbi_status status; /* OK, ENOMEM, ELIMIT; ESCHEMA after a string that is not UTF-8 or a number that is not finite */
    symbi_alloc alloc;
} symbi_json_out;
SYMBI_API void symbi_json_out_init(symbi_ctx *cx, symbi_json_out *o); /* allocates nothing yet */
SYMBI_API void symbi_json_out_free(symbi_json_out *o);                /* usable again afterwards */
SYMBI_API char *symbi_json_out_room(symbi_json_out *o, size_t n);     /* for n more bytes, then add to o->n; NULL on failure */
SYMBI_API void symbi_json_out_raw(symbi_json_out *o, symbi_str s);
SYMBI_API void symbi_json_out_string(symbi_json_out *o, symbi_str s); /* quoted and escaped */
SYMBI_API void symbi_json_out_int(symbi_json_out *o, int64_t i);
SYMBI_API void symbi_json_out_double(symbi_json_out *o, double d, unsigned flags);
/* Order of keys in canonical JSON (UTF-16 code units): negative, zero, positive. */
SYMBI_API int symbi_json_key_cmp(symbi_str a, symbi_str b);

#ifdef __cplusplus
}
#endif
#endif
