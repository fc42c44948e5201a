/* comm/rules.h: making rule sets: empty, from a document, from another set by one change. */
#ifndef SY_COMM_RULES_H
#define SY_COMM_RULES_H
#include "comm/comm.h"

/* A set with room for cap rules and none in it, or NULL when out of memory. */
symbi_comm_rules *sy_comm_rules_new(symbi_ctx *cx, size_t cap, bool default_allow, bool first_wins);
/* Appends at the end of the insertion order; takes over the reference. There must be room. */
void sy_comm_rules_push(symbi_comm_rules *s, sy_comm_rule *r);
/* Everything is in: fixes the order of decision and what is shown. */
void sy_comm_rules_seal(symbi_comm_rules *s);
/* Fills s from old: without the rule at place `gone` (SIZE_MAX: none), with fresh (takes over its reference; NULL: none) at place
 * `at`, which is gone or the end. Seals it. */
void sy_comm_rules_derive(symbi_comm_rules *s, const symbi_comm_rules *old, size_t gone, sy_comm_rule *fresh, size_t at);
size_t sy_comm_rules_index(const symbi_comm_rules *s, symbi_str id); /* SIZE_MAX: no such rule */
#endif
