/* symbi/scope.h: what may be targeted (spec toolclad.md section 12). A scope file says it:
 *   [scope]
 *   targets = ["10.0.1.0/24", "203.0.113.7", "intranet"]      addresses, ranges, exact names
 *   domains = ["example.com", "*.test.example.com"]            names; "*." is any depth below, not the name itself
 *   exclude = ["10.0.1.1", "*.secret.example.com"]             wins over both; "*.x" is x as well here
 * Anything else in the file is an error, and an error keeps everything that is checked against a scope from running. Immutable, atomically refcounted. */
#ifndef SYMBI_SCOPE_H
#define SYMBI_SCOPE_H
#include "symbi/toolclad.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { SYMBI_SCOPE_ENTRIES = 10000 }; /* of one list */

typedef struct symbi_scope symbi_scope;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_scope_parse(symbi_ctx *cx, symbi_str toml, symbi_str source, symbi_scope **out, symbi_err *err);
/* From what stands below [scope]. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_scope_from_value(symbi_ctx *cx, const symbi_value *scope, symbi_str source, symbi_scope **out, symbi_err *err);
/* Stands for a file that cannot be read: everything is out of it, for that reason. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_scope_broken(symbi_ctx *cx, symbi_str why, symbi_scope **out, symbi_err *err);
SYMBI_API symbi_scope *symbi_scope_ref(symbi_scope *s);
SYMBI_API void symbi_scope_unref(symbi_scope *s); /* NULL is fine */
/* Why it is broken; "" when it is not. */
SYMBI_API symbi_str symbi_scope_problem(const symbi_scope *s);
SYMBI_API void symbi_scope_hash(const symbi_scope *s, uint8_t out[32]); /* of what was read */

/* One target: an address, a range or a name. OK, or EDENIED "Target 'T' is ...". A range must lie inside one entry completely; any overlap with
 * an exclusion denies. Addresses inside IPv6 (::ffff:a.b.c.d) are the IPv4 ones; number forms of addresses (0x7f.1) are read as such. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_scope_check(const symbi_scope *s, symbi_str target, symbi_err *err);
/* The host of a URL. User information before it denies. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_scope_check_url(const symbi_scope *s, symbi_str url, symbi_err *err);

/* The arguments of a call: those of type scope_target, ip_address and cidr, and any with scope_check = true (a url, or a text that names a target).
 * EDENIED with the argument's name as path. s NULL: OK, or EDENIED for such arguments when required. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_tool_check_scope(const symbi_tool *t, const symbi_value *validated, const symbi_scope *s, bool required, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
