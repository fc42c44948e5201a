/* schemapin/canon.h: the JSON of this folder: read as SchemaPin reads it (duplicate members: the last wins; integers of any
 * size keep their digits), written in one form. */
#ifndef SY_SCHEMAPIN_CANON_H
#define SY_SCHEMAPIN_CANON_H
#include "base/arena.h"
#include "base/ctx.h"
#include "codec/value.h"
#include "symbi/schemapin.h"

/* A kind of symbi_value that exists only in this folder's trees: an integer beyond 64 bits, its digits in u.s. */
enum { SY_SP_BIGINT = 0x40 };

/* Notes in `sub` of values that sy_sp_read made, above the bits of symbi_time_kind: the string, or the key that the value stands under, was written without an escape. */
enum { SY_SP_PLAIN = 0x40, SY_SP_PLAIN_KEY = 0x80, SY_SP_FIRST_ROOM = 4000 };

/* text into a tree of a's. notes: SYMBI_SCHEMAPIN_NOTE_*. A member seen twice stays at its first place with its last value, or
 * is ESCHEMA where flags say STRICT. */
symbi_status sy_sp_read(symbi_ctx *cx, sy_arena *a, symbi_str text, unsigned flags, symbi_value *out, unsigned *notes, symbi_err *err);

enum {
    SY_SP_SORTED = 1,  /* members by key, in byte order */
    SY_SP_SERDE = 2    /* floats as Rust's serde_json writes them, else as Python's repr does */
};
/* Appends v to out. flags: SYMBI_SCHEMAPIN_FOR_SIGNING refuses numbers that implementations write differently. skip: a member of
 * the top level to leave out ({NULL,0}: none). swap: what is left out is replaced by the last member, as the runtime does. */
symbi_status sy_sp_write(symbi_ctx *cx, const symbi_value *v, unsigned how, unsigned flags, symbi_str skip, symbi_text *out, unsigned *notes, symbi_err *err);
#endif
