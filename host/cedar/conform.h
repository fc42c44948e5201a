/* cedar/conform.h: data read with a schema in hand (spec 9.4, 9.6). */
#ifndef SY_CEDAR_CONFORM_H
#define SY_CEDAR_CONFORM_H
#include "cedar/schema.h"

/* A value where t is expected: {"type","id"} for an entity, a bare string for an extension type. What cannot be read as t at
 * all is refused; whether it then is of type t is sy_cconform's question. */
symbi_status sy_cconvert_typed(sy_cconv *c, const sy_cschema *s, const symbi_value *v, const sy_ctype *t, const sy_cpath *at, sy_cval *out);
/* The members of an object as those of record type t: none undeclared, no required one missing. */
symbi_status sy_cconvert_record_typed(sy_cconv *c, const sy_cschema *s, const symbi_value *v, const sy_ctype *t, const sy_cpath *at, const sy_cattr **out, uint32_t *n);
/* Is v of type t? */
symbi_status sy_cconform(sy_cconv *c, const sy_cschema *s, const sy_cval *v, const sy_ctype *t, const sy_cpath *at);
symbi_status sy_cconform_record(sy_cconv *c, const sy_cschema *s, const sy_cattr *a, uint32_t n, const sy_ctype *t, const sy_cpath *at);
/* Principal, action, resource and context types of a request (9.6). */
symbi_status sy_cconform_request(sy_cconv *c, const sy_cschema *s, const sy_cuid uid[3], const sy_cval *context);
/* How messages call a type. */
symbi_str sy_ctype_print(const sy_ctype *t, char *buf, size_t cap);
#endif
