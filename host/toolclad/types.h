/* toolclad/types.h: what the files of the type table share. */
#ifndef SY_TOOLCLAD_TYPES_H
#define SY_TOOLCLAD_TYPES_H
#include "toolclad/tool.h"
#include <stdio.h>

symbi_status sy_check_meta(const sy_check *c, symbi_str v, char except); /* refuses metacharacters and NUL */
symbi_status sy_check_bad(const sy_check *c, symbi_str v, const char *what); /* "'V' WHAT" */
sy_quick sy_quick_of(const sy_arg *a); /* for an argument that is loaded */
symbi_value sy_number_value(double d); /* INT where integral and exact, else DOUBLE */
bool sy_str_ieqz(symbi_str a, const char *lower); /* equal but for ASCII case */

/* types_net.c */
symbi_status sy_check_scope_target(const sy_check *c, symbi_str v, symbi_value *out);
symbi_status sy_check_url(const sy_check *c, symbi_str v, symbi_value *out);
symbi_status sy_check_ip_address(const sy_check *c, symbi_str v, symbi_value *out);
symbi_status sy_check_cidr(const sy_check *c, symbi_str v, symbi_value *out);

/* agent_summary.c */
symbi_str sy_trim_space(symbi_str s); /* without White_Space (Unicode) at both ends */
symbi_status sy_check_agent_summary(const sy_check *c, symbi_str v, symbi_value *out);
#endif
