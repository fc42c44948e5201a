/* agentpin/pins.h: the inside of a pin store, for pins.c (in memory) and pins_text.c (its text form). */
#ifndef SY_AGENTPIN_PINS_H
#define SY_AGENTPIN_PINS_H
#include "agentpin/int.h"
#include "base/arena.h"
#include "base/map.h"

enum { SY_PIN_TIME = 40, SY_PIN_TEXT = 1024 };

typedef struct sy_pin_key {
    symbi_str kid, hash;
    const char *trust;                 /* one of the three literals */
    char first[SY_PIN_TIME], last[SY_PIN_TIME];
    bool fresh, added;                 /* since it was read: pinned on first use, or put in by hand */
} sy_pin_key;

typedef struct sy_pin_domain {
    symbi_str name;
    sy_pin_key *k;
    size_t n, cap;
    bool fresh; /* the domain itself is new since it was read */
} sy_pin_domain;

typedef struct sy_pin_removed { symbi_str domain, hash; } sy_pin_removed; /* hash "": the whole domain */

struct symbi_agentpin_pins {
    symbi_alloc alloc;
    sy_arena arena; /* texts; what was removed stays until the store is freed */
    sy_map map;     /* name -> index into d */
    sy_pin_domain *d;
    size_t n, cap;
    sy_pin_removed *removed;
    size_t nremoved, cap_removed;
    bool changed;
};

sy_pin_domain *sy_pin_find(const symbi_agentpin_pins *p, symbi_str domain);
sy_pin_domain *sy_pin_domain_add(symbi_agentpin_pins *p, symbi_str domain, symbi_err *err); /* NULL on failure */
sy_pin_key *sy_pin_key_find(const sy_pin_domain *d, symbi_str hash);
sy_pin_key *sy_pin_key_add(symbi_agentpin_pins *p, sy_pin_domain *d, symbi_str kid, symbi_str hash, symbi_err *err);
const char *sy_pin_trust(symbi_str s); /* NULL for another word */
#endif
