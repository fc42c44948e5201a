/* symbi/yaml.h: YAML 1.2 documents as values, through libyaml's parser; written in block style. One document, UTF-8 (a byte
 * order mark is skipped). Refused with line and column: duplicate keys, a second document, keys that are no scalars, aliases
 * to what they are inside of, tags other than !!str and the non-specific "!", numbers that are not finite or beyond 64 bits.
 *
 * What a plain scalar is depends on the kind of document, chosen by the caller:
 *   CORE     the core schema: null ~ and nothing, true false, integers (decimal, 0o, 0x), numbers; everything else is text. yes, no,
 *            on, off, dates and 1:30 are text, unlike YAML 1.1. For configuration.
 *   TEXT     every scalar is text, nothing is null. For front matter, where name: 123 and name: yes are names.
 * "<<" is a key like any other.
 *
 * Limits: doc_bytes, doc_depth, doc_nodes; and SYMBI_YAML_ANCHORS anchors, SYMBI_YAML_ALIASED values through aliases, each counted
 * as often as it appears. libyaml takes its memory from malloc and has no hook for another allocator: at most a small multiple
 * of the text, which is why SYMBI_YAML_BYTES bounds that. */
#ifndef SYMBI_YAML_H
#define SYMBI_YAML_H
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { SYMBI_YAML_CORE = 0, SYMBI_YAML_TEXT = 1 };
enum { SYMBI_YAML_BYTES = 1 << 20, SYMBI_YAML_ANCHORS = 256, SYMBI_YAML_ALIASED = 100000 };

/* An empty document (nothing, or comments only) is null. Text above SYMBI_YAML_BYTES: ELIMIT. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_yaml_parse(symbi_ctx *cx, symbi_str text, unsigned flags, symbi_doc **out, symbi_err *err);
/* v in block style, ending in a line feed; text that CORE would read as something else is quoted. What is written reads back equal. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_yaml_write(symbi_ctx *cx, const symbi_value *v, symbi_text *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
