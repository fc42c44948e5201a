/* cedar/est.h: the JSON (EST) form of policies (spec 10). */
#ifndef SY_CEDAR_EST_H
#define SY_CEDAR_EST_H
#include "cedar/build.h"
#include "cedar/convert.h"
#include "codec/value.h"

/* One policy object; id as text, its JSON is kept as a source. want: SYMBI_CEDAR_STATIC or SYMBI_CEDAR_TEMPLATE. */
symbi_status sy_cest_read(sy_cbuild *b, const symbi_value *v, symbi_str id, symbi_cedar_role want, const sy_cpath *at);
/* Policy i as JSON, in the document's arena. */
symbi_status sy_cest_write(symbi_ctx *cx, const symbi_cedar *s, uint32_t i, symbi_doc *d, symbi_value *out, symbi_err *err);
#endif
