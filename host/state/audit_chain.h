/* state/audit_chain.h: the formats of spec orga-oats.md 3.1: entry preimage, hash and signature, checkpoint signature. */
#ifndef SY_STATE_AUDIT_CHAIN_H
#define SY_STATE_AUDIT_CHAIN_H
#include "base/buf.h"
#include "symbi/audit.h"

enum { SY_CHECKPOINT_BYTES = 68 }; /* "symbi-checkpoint-v1" LF | u64be len | head | u64be timestamp_ms */

/* SHA-256 of the preimage: domain, prev_hash, sequence, timestamp, iteration, and the three strings with their lengths.
 * scratch keeps its memory between calls. Reads neither hash nor signature of r. */
symbi_status sy_audit_hash(symbi_ctx *cx, sy_buf *scratch, const symbi_store_row *r, uint8_t out[32], symbi_err *err);
symbi_status sy_audit_sign_hash(symbi_ctx *cx, const symbi_key *k, const uint8_t hash[32], uint8_t sig[64], symbi_err *err);
symbi_status sy_audit_check_hash(symbi_ctx *cx, const symbi_key *k, const uint8_t hash[32], const uint8_t sig[64], symbi_err *err);
/* Fills public_key and signature of cp from the rest. */
symbi_status sy_checkpoint_sign(symbi_ctx *cx, const symbi_key *k, symbi_store_checkpoint *cp, symbi_err *err);
/* EVERIFY unless cp carries k's public key and a good signature. */
symbi_status sy_checkpoint_check(symbi_ctx *cx, const symbi_key *k, const symbi_store_checkpoint *cp, symbi_err *err);
bool sy_chain_name_ok(symbi_str chain);
#endif
