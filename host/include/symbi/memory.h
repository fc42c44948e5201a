/* symbi/memory.h: an agent's memory as a Markdown file that people read and edit (spec services-memory-metrics.md section 1).
 * This header is the text: parsing, writing, names of folders. symbi/memory_store.h reads and writes the files.
 *
 * A context is an object {agent_id, facts: [text], procedures: [text], learned_patterns: [text], metadata: {text: text}}.
 * Every function is pure. Limits: doc_bytes and doc_nodes for reading, output_bytes for writing. */
#ifndef SYMBI_MEMORY_H
#define SYMBI_MEMORY_H
#include "symbi/value.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Three forms of the file. AUTO is ours: it writes the seed's layout byte for byte wherever that loses nothing; where an item
 * would be lost (an empty one, a trailing blank, a line end, which could even open another section) it marks the file with
 * "<!-- symbi:escaped -->" and writes \n, \r, \uXXXX, \& (nothing) and \\ in titles and items. Metadata goes into a last
 * comment. It reads SEED and RUNTIME files, says what it could not use, and keeps it. */
typedef enum symbi_memory_form {
    SYMBI_MEMORY_AUTO = 0,
    SYMBI_MEMORY_SEED,   /* exactly as the Python SDK writes and reads, losses included */
    SYMBI_MEMORY_RUNTIME /* exactly as the runtime does */
} symbi_memory_form;

/* text -> {agent_id: agent, facts, procedures, learned_patterns, metadata, problems: [{line, message}], other: [{line, text}]}.
 * other: lines that are no part of the context (prose, other sections), so that nothing a person wrote is forgotten. Invalid
 * UTF-8 becomes U+FFFD and a problem. EUNSUPPORTED: the file was written by a newer version. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_parse(symbi_ctx *cx, symbi_str text, symbi_str agent, symbi_memory_form form, symbi_doc **out, symbi_err *err);
/* context -> text. updated_ms: wall clock for the line "Updated:" of RUNTIME. ESCHEMA names the member that is wrong. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_write(symbi_ctx *cx, const symbi_value *context, symbi_memory_form form, int64_t updated_ms, symbi_text *out, symbi_err *err);
/* The entry of the day log for a save: its lines, and the day as "YYYY-MM-DD" (UTC) with its NUL. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_log_entry(symbi_ctx *cx, const symbi_value *context, symbi_memory_form form, int64_t now_ms, char day[11], symbi_text *out, symbi_err *err);

enum { SYMBI_MEMORY_KEY_BYTES = 256 };
/* The name of an agent's folder: one path segment, 1 to 255 bytes. Control characters, DEL, '%' and bytes that are no UTF-8
 * are percent-encoded. EINVAL: empty, leading dot, '/' or '\', too long. key is NUL-terminated. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_key(symbi_str agent, char key[SYMBI_MEMORY_KEY_BYTES], symbi_err *err);
/* The way back. False for a name that symbi_memory_key never gives. */
SYMBI_API bool symbi_memory_agent(symbi_str key, char agent[SYMBI_MEMORY_KEY_BYTES], size_t *n);

/* Text for comparing without case: lower case, character by character (Unicode). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_fold(symbi_ctx *cx, symbi_str text, symbi_text *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
