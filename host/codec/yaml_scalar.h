/* codec/yaml_scalar.h: the core schema of YAML 1.2: what a plain scalar is. Shared by reader and writer, so that what is
 * written unquoted cannot read back as something else. */
#ifndef SY_CODEC_YAML_SCALAR_H
#define SY_CODEC_YAML_SCALAR_H
#include "symbi/value.h"

typedef enum sy_yaml_kind { SY_YAML_STRING, SY_YAML_VALUE, SY_YAML_BAD } sy_yaml_kind;
/* STRING: text; VALUE: *out is it; BAD: a number that cannot be held (*why is a phrase). */
sy_yaml_kind sy_yaml_plain(symbi_str s, symbi_value *out, const char **why);
#endif
