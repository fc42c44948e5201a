/* symbi/yaml.h: YAML 1.1 syntax through libyaml, as far as configuration and front matter need it: one document, mappings with unique
 * plain keys, sequences, scalars. Refused: several documents, duplicate keys, keys that are no scalars, tags other than the standard
 * ones that agree with the kind of node, anchors and aliases (unless allowed, and then bounded), the merge key. Every value
 * carries its line.
 *
 * libyaml takes its memory from malloc, not from our allocators; what it may need is bounded by the input, which may be at most
 * `max_bytes`; the document itself comes from the shared allocator like every other. */
#ifndef SYMBI_YAML_H
#define SYMBI_YAML_H
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

/* What a plain (unquoted) scalar is. Quoted and block scalars are always strings.
 * CORE: YAML 1.2 core schema: null ~ "" / true false / integers, 0o 0x / floats; 1.1's yes, no, on, off, 0777, 1_000, 12:30 and dates
 *   are strings. .inf and .nan are errors, an integer beyond 64 bits too.
 * STRINGS: everything is a string, an empty one is "". For documents whose fields are text whatever it looks like (skill front
 *   matter: `version: 1.10` stays "1.10"). */
typedef enum symbi_yaml_typing { SYMBI_YAML_CORE = 0, SYMBI_YAML_STRINGS = 1 } symbi_yaml_typing;
typedef struct symbi_yaml_options {
    uint32_t size;
    symbi_yaml_typing typing;
    bool aliases;       /* allow anchors and aliases: copied, each copy counts as values of the document */
    size_t max_bytes;   /* 0 = 1 MiB; never more than limits.doc_bytes */
    size_t max_depth;   /* 0 = 64 */
    size_t max_nodes;   /* 0 = 100000 */
    size_t max_anchors; /* 0 = 100 */
} symbi_yaml_options;
SYMBI_API void symbi_yaml_options_init(symbi_yaml_options *o);
/* o NULL: the defaults (CORE, no aliases). An empty document is null. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_yaml_parse(symbi_ctx *cx, symbi_str text, const symbi_yaml_options *o, symbi_doc **out, symbi_err *err);
/* Block style, members in order, strings quoted wherever either typing would read something else. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_yaml_write(symbi_ctx *cx, const symbi_value *v, symbi_text *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
