/* schemapin/pins.h: the inside of a pin store, for the files that read, write and question it. */
#ifndef SY_SCHEMAPIN_PINS_H
#define SY_SCHEMAPIN_PINS_H
#include "base/ctx.h"
#include "symbi/schemapin.h"

/* One key of one (tool, domain); several only where a file says so. Its strings lie in one block. */
typedef struct sy_sp_pin {
    symbi_schemapin_pin pin;
    char *block;
    size_t size;
    uint64_t hash; /* of tool and domain */
} sy_sp_pin;
typedef struct sy_sp_policy {
    char *domain;
    size_t n;
    symbi_schemapin_policy policy;
} sy_sp_policy;

/* What a file holds: replaced as a whole by a load. */
typedef struct sy_sp_pinset {
    sy_sp_pin *e;
    size_t n, cap;
    uint32_t *slot; /* index + 1 into e, 0 = free; a power of two, at most half full */
    size_t nslot;
    sy_sp_policy *policy;
    size_t npolicy, policy_cap;
} sy_sp_pinset;

struct symbi_schemapin_pins {
    symbi_ctx *cx;
    sy_sp_pinset set;
    uint64_t base, changes;
};

void sy_sp_pinset_free(symbi_ctx *cx, sy_sp_pinset *s);
/* Appends without looking for another key; EEXISTS is the caller's business. */
symbi_status sy_sp_pinset_add(symbi_ctx *cx, sy_sp_pinset *s, const symbi_schemapin_pin *pin, symbi_err *err);
symbi_status sy_sp_pinset_policy(symbi_ctx *cx, sy_sp_pinset *s, symbi_str domain, symbi_schemapin_policy policy, symbi_err *err);
/* The next key of (tool, domain) at or after *at (start with 0); NULL past the last. */
const sy_sp_pin *sy_sp_pinset_next(const symbi_ctx *cx, const sy_sp_pinset *s, symbi_str tool_id, symbi_str domain, size_t *at);
/* What the store says of this key: NONE unknown, PINNED; *other: another key is pinned. */
symbi_schemapin_pinning sy_sp_pins_look(const symbi_schemapin_pins *p, symbi_str tool_id, symbi_str domain, symbi_str fingerprint, bool *other, const sy_sp_pin **found);
/* last_seen of a pin: no change in the sense of the generation. Keeps what was there when memory is short. */
void sy_sp_pins_seen(symbi_schemapin_pins *p, const sy_sp_pin *pin, int64_t now);
#endif
