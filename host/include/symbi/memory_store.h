/* symbi/memory_store.h: a folder of memory files, one folder per agent: ROOT/<key>/memory.md and ROOT/<key>/logs/<day>.md (spec
 * services-memory-metrics.md section 1; the text is symbi/memory.h). Files are read and written here, so this belongs to the
 * I/O layer. Several processes may use one root: a save is whole or not at all (written beside, synced, renamed), and saves of
 * one agent exclude each other through ROOT/<key>/.lock. One thread at a time per object. */
#ifndef SYMBI_MEMORY_STORE_H
#define SYMBI_MEMORY_STORE_H
#include "symbi/memory.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct symbi_memory_store symbi_memory_store;
typedef struct symbi_memory_store_options {
    uint32_t size;
    symbi_memory_form form;
    int64_t retention_days;  /* of day logs, for compact; negative: also those of today. 30 by init */
    int64_t lock_ms;         /* how long a save waits for another one of the same agent; 10000 by init */
    size_t cache_bytes;      /* parsed files kept, checked against the file at each load; 64 MiB by init, 0: none */
    bool raw;                /* form AUTO saves items as they are; else without invisible characters and HTML comments
                                (symbi/sanitize.h, PROSE): what a model wrote into a memory is read by models again */
    const char *index;       /* SQLite file for full-text search, made when missing and safe to remove; NULL: none */
} symbi_memory_store_options;
SYMBI_API void symbi_memory_store_options_init(symbi_memory_store_options *o);

/* Makes the folder when missing (0700). o may be NULL. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_store_open(symbi_ctx *cx, const char *root, const symbi_memory_store_options *o, symbi_memory_store **out, symbi_err *err);
SYMBI_API void symbi_memory_store_close(symbi_memory_store *m); /* NULL is fine */

/* Replaces what is remembered about agent, durably, then adds to the day log. Where the file that it replaces holds lines that
 * are no part of a context (a person wrote them), that file is kept as memory.<UTC time>.md, and *kept (may be NULL) is true. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_store_save(symbi_memory_store *m, symbi_str agent, const symbi_value *context, int64_t now_ms, bool *kept, symbi_err *err);
/* The context, as symbi_memory_parse gives it; ENOTFOUND where there is none. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_store_load(symbi_memory_store *m, symbi_str agent, symbi_doc **out, symbi_err *err);
/* Removes the agent's folder; one that is not there is fine. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_store_delete(symbi_memory_store *m, symbi_str agent, symbi_err *err);
/* Names of the agents that have a folder, in byte order, as an array of texts. Folders with other names are left out. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_store_list(symbi_memory_store *m, symbi_doc **out, symbi_err *err);
/* Removes day logs that were last changed more than retention_days before now. *removed may be NULL. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_store_compact(symbi_memory_store *m, symbi_str agent, int64_t now_ms, size_t *removed, symbi_err *err);
/* {total_contexts, total_size_bytes, last_cleanup (ms of the last compact by this object, or null), storage_path}. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_store_stats(symbi_memory_store *m, symbi_doc **out, symbi_err *err);

/* Items that hold every word of query (case does not count), best first: [{agent_id, section, text, score}]. agent.n == 0:
 * of all agents. section: "facts", "procedures", "learned_patterns" or "". At most limit (0: 50). With an index, words match as
 * prefixes of words and the order is bm25's; without one, and where the query is in a script that has no blanks between words,
 * they match anywhere, and the order is how much of the item they make up. Files that cannot be read do not end the search: they are counted in *unread (may be NULL). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_memory_store_search(symbi_memory_store *m, symbi_str query, symbi_str agent, symbi_str section, size_t limit, symbi_doc **out, size_t *unread, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
