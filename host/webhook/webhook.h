/* webhook/webhook.h: the inside of a verifier, shared by the files of this folder. */
#ifndef SY_WEBHOOK_WEBHOOK_H
#define SY_WEBHOOK_WEBHOOK_H
#include "crypto/mac.h"
#include "symbi/webhook.h"
#include "webhook/replay.h"

enum { SY_WH_SIGNATURE, SY_WH_TIMESTAMP, SY_WH_DELIVERY, SY_WH_HEADERS };
enum { SY_WH_MAX_NAME = 128, SY_WH_MAX_PREFIX = 128, SY_WH_MAX_PAYLOAD = 256, SY_WH_MAX_PARTS = 8, SY_WH_MAC = 32 };

typedef enum sy_wh_part { SY_WH_LITERAL, SY_WH_PART_TIMESTAMP, SY_WH_PART_BODY, SY_WH_PART_ID, SY_WH_PARTS } sy_wh_part;

struct symbi_webhook {
    symbi_ctx *cx;
    symbi_alloc alloc;
    symbi_webhook_scheme scheme; /* what is computed: HMAC, JWT, STRIPE, SLACK or STANDARD; GitHub and custom are HMAC */
    symbi_webhook_scheme named;  /* what was asked for */
    sy_mac *mac[SYMBI_WEBHOOK_MAX_SECRETS];
    symbi_str secret[SYMBI_WEBHOOK_MAX_SECRETS]; /* JWT only: owned, wiped */
    size_t nsecrets;
    char name[SY_WH_HEADERS][SY_WH_MAX_NAME + 1]; /* lower case; "" where the scheme has none */
    char prefix[SY_WH_MAX_PREFIX];
    size_t nprefix;
    bool lower_hex;     /* upper-case digits are refused */
    bool body_only;     /* no timestamp is signed */
    bool id_signed;     /* the delivery id is part of what is signed */
    bool replay, delivery, delivery_in_body;
    char payload[SY_WH_MAX_PAYLOAD]; /* what is signed: literals between timestamp and body */
    struct { sy_wh_part kind; size_t off, n; } part[SY_WH_MAX_PARTS];
    size_t nparts;
    int64_t tolerance, leeway, replay_seconds;
    symbi_str issuer, audience; /* owned */
    size_t max_body;
    sy_replay seen;
    char id[SYMBI_WEBHOOK_MAX_ID]; /* Stripe's event id, out of the body */
};

/* headers.c */
bool sy_wh_name_valid(symbi_str s);
/* Finds the headers that decide. OK, or the reason with *at the one at fault. Absent ones have p NULL. */
symbi_webhook_reason sy_wh_headers(const symbi_webhook *w, const symbi_webhook_header *h, size_t n, symbi_str found[SY_WH_HEADERS], size_t *at);
/* 64 hex digits, no more. */
bool sy_wh_unhex(symbi_str s, bool lower_only, uint8_t out[SY_WH_MAC]);
/* Decimal digits, no sign, no leading zero, at most 15. */
bool sy_wh_seconds(symbi_str s, int64_t *out);
/* The timestamp text of a Stripe header (the last t), p NULL when there is none; and the next value of v1 after *pos. */
symbi_str sy_wh_stripe_time(symbi_str header);
bool sy_wh_stripe_next(symbi_str header, size_t *pos, symbi_str *value);
/* The next signature of version v1 in a Standard Webhooks header after *pos, as bytes; one that is not 32 bytes of base64 is passed over,
 * with *any set all the same. */
bool sy_wh_standard_next(symbi_str header, size_t *pos, uint8_t sig[SY_WH_MAC], bool *any);
#endif
