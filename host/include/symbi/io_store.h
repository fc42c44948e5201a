/* symbi/io_store.h: the durable store of one host: a state folder (".symbi" by default) with
 *   symbi.db      SQLite in WAL mode, behind the plug point of symbi/sys/store.h
 *   audit.key     the Ed25519 seed that signs the trail, 64 hex digits, mode 0600, made on first use
 *   audit.pub     its public key, 64 hex digits: copy it elsewhere to verify exports offline
 *   anchor.json   the last durable checkpoint of chain "main" outside the database (anchor-<chain>.json for others), so that
 *                 the removal of the end of the trail together with its checkpoints is noticed
 * One thread at a time; several processes may have the same folder open. */
#ifndef SYMBI_IO_STORE_H
#define SYMBI_IO_STORE_H
#include "symbi/audit.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct symbi_io_store_options {
    uint32_t size;   /* sizeof(symbi_io_store_options) */
    bool readonly;   /* for show and verify: creates and changes nothing, works in a read-only folder, reads what is there
                        even where a writer would refuse it */
    int64_t busy_ms; /* how long to wait for another process's transaction; 0 = 5000, at most 60000 */
} symbi_io_store_options;

/* Opens dir; unless readonly it is made (0700) when missing. o may be NULL. Clear messages, with path and fix, for: no
 * folder, no permission, not a database, another program's or a newer database, damage, full disk, wrong mode or size of
 * the key. *out is zeroed on failure. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_io_store_open(symbi_ctx *cx, const char *dir, const symbi_io_store_options *o, symbi_store *out, symbi_err *err);
/* Writes what is left to write. A zeroed struct is fine; zeroes it. */
SYMBI_API void symbi_io_store_close(symbi_store *s);

SYMBI_API symbi_key *symbi_io_store_key(const symbi_store *s); /* borrowed; NULL when readonly */
SYMBI_API bool symbi_io_store_public(const symbi_store *s, uint8_t pub[32]); /* false: no audit.pub in a read-only folder */
/* The outside copy of the last durable checkpoint of chain ("" = main). ENOTFOUND: there is none. EPARSE: it is damaged. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_io_store_anchor(const symbi_store *s, symbi_str chain, symbi_store_checkpoint *out, symbi_err *err);
/* The name of the chain after `after` in byte order ("" starts), borrowed until the next call; ENOTFOUND at the end. Chains of
 * which only the anchor is left count too. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_io_store_next_chain(const symbi_store *s, symbi_str after, symbi_str *out, symbi_err *err);
SYMBI_API const char *symbi_io_store_path(const symbi_store *s); /* of the database file */

#ifdef __cplusplus
}
#endif
#endif
