/* state/audit_in.h: what the files of the audit writer share. */
#ifndef SY_STATE_AUDIT_IN_H
#define SY_STATE_AUDIT_IN_H
#include "base/buf.h"
#include "symbi/audit.h"

struct symbi_audit {
    symbi_ctx *cx;
    symbi_store store;
    symbi_key *key;
    char chain[65];
    size_t chain_n;
    bool sign_entries, detached;
    int64_t slack_ms;

    /* the tail, as last read or written; stale: it must be read again before it is built upon */
    bool stale;
    uint64_t len;
    uint8_t head[32];
    int64_t last_ms;

    /* what could not be written since the last entry */
    uint64_t lost;
    int64_t lost_since;
    symbi_status lost_code;

    /* A batch whose fate is unknown (a failed commit, an abandoned preparation). When the tail turns out to hold it after
     * all, it was no loss. */
    struct sy_fate {
        bool open;
        uint64_t len;
        uint8_t head[32];
        uint64_t lost; /* losses that it either recorded or became */
    } doubt;

    /* the prepared batch */
    bool prepared;
    struct sy_draft {
        symbi_store_row *rows; /* kept between calls */
        size_t nrows, cap;
        symbi_store_checkpoint cp;
        char note[160]; /* text of the entry that the writer itself adds */
        uint64_t gap_lost; /* losses that the first row records */
        uint64_t events;   /* the caller's */
    } draft;
    sy_buf scratch; /* preimages */
    symbi_redactor *redactor;
    symbi_text *held;   /* events of the draft that had to be changed */
    size_t nheld, held_cap;
};

symbi_status sy_audit_closed(symbi_err *err); /* the error of a detached audit */
symbi_str sy_audit_chain(const symbi_audit *a);
/* EINVAL, EPARSE or ELIMIT for events and kv that no store should see. */
symbi_status sy_audit_check_input(symbi_audit *a, const symbi_audit_event *ev, size_t n, const symbi_store_kv *kv, size_t nkv, symbi_err *err);
/* Reads the tail again when it is stale. */
symbi_status sy_audit_refresh(symbi_audit *a, symbi_err *err);
enum sy_build { SY_BUILD_NORMAL = 0, SY_BUILD_ACCEPT_CLOCK };
/* Fills a->draft: rows, hashes, signatures, checkpoint, upon the present tail. */
symbi_status sy_audit_build(symbi_audit *a, enum sy_build how, const symbi_audit_event *ev, size_t n, symbi_err *err);
void sy_audit_advance(symbi_audit *a); /* the draft is stored: it is the tail now */
/* The draft is not stored, as far as is known: its events are lost. */
void sy_audit_lose(symbi_audit *a, symbi_status code);
#endif
