/* symbi/webhook.h: who sent this request? Verification of inbound webhooks over the raw body: an HMAC in a header, a JWT, or the
 * scheme of GitHub, Stripe or Slack as those services specify it. A verifier is made once (secrets are keyed then) and used for
 * many requests; one thread at a time. Nothing here reads a socket: headers and body come from the caller, unparsed.
 *
 * What every scheme keeps to: comparisons take the same time wherever the difference is; the signature is checked before the age of a
 * timestamp, so that an answer tells nothing about validity; a header that decides and stands there twice is a refusal; white
 * space is part of a value; an empty secret is no secret; several secrets may be valid at once (rotation), and each is tried. */
#ifndef SYMBI_WEBHOOK_H
#define SYMBI_WEBHOOK_H
#include "symbi/jwt.h"
#include "symbi/sys/store.h"
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SYMBI_WEBHOOK_MAX_SECRETS = 16,
    SYMBI_WEBHOOK_MAX_SECRET = 4096,    /* bytes of one */
    SYMBI_WEBHOOK_MAX_HEADER = 8192,    /* bytes of a signature header, 16391 where it carries a JWT */
    SYMBI_WEBHOOK_MAX_ID = 256,         /* bytes of a delivery id */
    SYMBI_WEBHOOK_MAX_REPLAY = 1 << 20, /* entries of a replay cache */
    SYMBI_WEBHOOK_NOW = -1              /* as `now`: the clock of the ctx */
};

typedef enum symbi_webhook_scheme {
    SYMBI_WEBHOOK_HMAC = 1, /* hex HMAC-SHA256 in `header`, after `prefix` (which then must stand there); either hex case */
    SYMBI_WEBHOOK_JWT,      /* HS256 token in `header`, with or without "Bearer " */
    SYMBI_WEBHOOK_GITHUB,   /* X-Hub-Signature-256: sha256=<64 lower-case hex digits> of the body */
    SYMBI_WEBHOOK_STRIPE,   /* Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>...] of "<t>.<body>" */
    SYMBI_WEBHOOK_SLACK,    /* X-Slack-Signature: v0=<hex> of "v0:<X-Slack-Request-Timestamp>:<body>" */
    SYMBI_WEBHOOK_CUSTOM,   /* HMAC with header X-Signature and no prefix unless given */
    SYMBI_WEBHOOK_STANDARD  /* Standard Webhooks: webhook-signature: v1,<base64>[ v1,<base64>...] of "<webhook-id>.<webhook-timestamp>.<body>"; a
                               secret is whsec_ and base64 */
} symbi_webhook_scheme;
/* "hmac" "jwt" "github" "stripe" "slack" "custom" "standard" in any case; 0 for another name. */
SYMBI_API symbi_webhook_scheme symbi_webhook_scheme_of(symbi_str name);
SYMBI_API const char *symbi_webhook_scheme_name(symbi_webhook_scheme s);

/* Why a request was refused: one distinct reason each. The second column is the status that goes with it. */
#define SYMBI_WEBHOOK_REASON_LIST(X)                                                                                         \
    X(NONE, SYMBI_EVERIFY, "not verified")                                                                                     \
    X(OK, SYMBI_OK, "ok")                                                                                                      \
    X(MISSING_HEADER, SYMBI_EVERIFY, "the signature header is missing")                                                        \
    X(DUPLICATE_HEADER, SYMBI_EVERIFY, "a header that decides stands there twice")                                             \
    X(HEADER_TOO_LONG, SYMBI_ELIMIT, "a header is longer than any genuine one")                                                \
    X(BODY_TOO_LONG, SYMBI_ELIMIT, "the body is longer than the limit")                                                        \
    X(FORMAT, SYMBI_EVERIFY, "the signature header does not have the form of the scheme")                                      \
    X(NO_SIGNATURE, SYMBI_EVERIFY, "no signature of the expected version")                                                     \
    X(MISSING_TIMESTAMP, SYMBI_EVERIFY, "the timestamp is missing")                                                            \
    X(UNSIGNED_TIMESTAMP, SYMBI_EVERIFY, "the signature does not cover the timestamp")                                         \
    X(MISMATCH, SYMBI_EVERIFY, "the signature does not verify")                                                                \
    X(BAD_TIMESTAMP, SYMBI_EVERIFY, "the timestamp is not a decimal number of seconds")                                        \
    X(TOO_OLD, SYMBI_EVERIFY, "the timestamp is too old")                                                                      \
    X(IN_FUTURE, SYMBI_EVERIFY, "the timestamp lies in the future")                                                            \
    X(JWT, SYMBI_EVERIFY, "the token was refused")                                                                             \
    X(MISSING_DELIVERY, SYMBI_EVERIFY, "the delivery id is missing or no id")                                                  \
    X(REPLAYED, SYMBI_EEXISTS, "this signature was seen before")                                                               \
    X(DELIVERED, SYMBI_EEXISTS, "this delivery id was seen before")                                                            \
    X(REPLAY_FULL, SYMBI_ELIMIT, "the replay cache is full")                                                                   \
    X(REPLAY_STORE, SYMBI_EIO, "the store of the replay cache failed")
typedef enum symbi_webhook_reason {
#define SYMBI_WEBHOOK_REASON_ENUM(name, st, text) SYMBI_WEBHOOK_R_##name,
    SYMBI_WEBHOOK_REASON_LIST(SYMBI_WEBHOOK_REASON_ENUM)
#undef SYMBI_WEBHOOK_REASON_ENUM
    SYMBI_WEBHOOK_REASON_COUNT
} symbi_webhook_reason;
SYMBI_API const char *symbi_webhook_reason_name(symbi_webhook_reason r); /* "MISMATCH" */
SYMBI_API const char *symbi_webhook_reason_text(symbi_webhook_reason r);

/* Fill with symbi_webhook_options_init(o, scheme), then change what differs. Texts are copied. */
typedef struct symbi_webhook_options {
    uint32_t size; /* sizeof(symbi_webhook_options) at the caller */
    symbi_webhook_scheme scheme;
    const symbi_str *secrets; /* used as they are (Stripe's with its whsec_); STANDARD decodes them */
    size_t nsecrets;
    symbi_str header, prefix; /* HMAC, JWT (Authorization by default) and CUSTOM; the others have theirs */
    bool legacy;              /* STRIPE and SLACK as today's Symbiont SDKs compute them: HMAC of the body alone, no timestamp */
    int64_t tolerance;        /* seconds that a timestamp may lie on either side of now: 300; 0 turns the age check off */
    /* HMAC and CUSTOM: a signed timestamp. payload says what is signed, with {timestamp}, {id} (of delivery_header) and {body}:
     * "v1:{timestamp}:{body}". */
    symbi_str timestamp_header, payload;
    symbi_str issuer, audience; /* JWT: must be equal; a token with an audience is refused when none is given here */
    int64_t leeway;             /* JWT: 60 */
    bool replay;                /* refuse a signature that was accepted before */
    bool delivery;              /* refuse a delivery id that was accepted before: X-GitHub-Delivery, Stripe's event id, webhook-id, or delivery_header */
    symbi_str delivery_header;  /* HMAC, CUSTOM, SLACK */
    size_t replay_max;          /* entries kept: 16384 */
    int64_t replay_seconds;     /* how long they are kept: 2 * tolerance, at least 600 */
    size_t max_body;            /* 0: limits.doc_bytes */
} symbi_webhook_options;
SYMBI_API void symbi_webhook_options_init(symbi_webhook_options *o, symbi_webhook_scheme scheme);

typedef struct symbi_webhook symbi_webhook;
/* EINVAL for what cannot be meant: no or an empty secret, a timestamp that is not signed, a header name that is none. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_webhook_new(symbi_ctx *cx, const symbi_webhook_options *o, symbi_webhook **out, symbi_err *err);
SYMBI_API void symbi_webhook_free(symbi_webhook *w); /* NULL is fine; secrets are wiped */
/* From now on what was accepted is written to the store too (one transaction per request, single use across processes), so that a
 * restart forgets nothing. The struct is copied; what it points to must outlive w, or be taken away with NULL. */
SYMBI_API void symbi_webhook_use_store(symbi_webhook *w, const symbi_store *store);
SYMBI_API size_t symbi_webhook_remembered(const symbi_webhook *w); /* entries in memory */

typedef struct symbi_webhook_header {
    symbi_str name, value; /* name in any case */
} symbi_webhook_header;
/* True for a header that verification looks at: others need not be handed in. */
SYMBI_API bool symbi_webhook_wants(const symbi_webhook *w, symbi_str name);
/* The i-th such header in lower case (0-based), NULL past the end. */
SYMBI_API const char *symbi_webhook_header_name(const symbi_webhook *w, size_t i);

typedef struct symbi_webhook_result {
    symbi_webhook_reason reason;  /* OK exactly when the status is SYMBI_OK */
    symbi_jwt_reason jwt;         /* when reason is JWT */
    const char *header;           /* the header at fault or used, lower case, borrowed from the verifier; NULL where none is */
    size_t secret;                /* which of the secrets it was, when OK */
    bool has_timestamp, has_key;
    int64_t timestamp;            /* Unix seconds */
    symbi_str delivery;           /* borrowed from the headers, or from the verifier until the next call; p NULL where there is none */
    uint8_t key[32];              /* names this request for a replay cache kept elsewhere: no use to who reads it */
    int64_t keep_until;           /* Unix seconds until which such a cache must keep it */
    symbi_jwt *token;             /* JWT, when OK: the caller's, symbi_jwt_free */
} symbi_webhook_result;

/* Verifies one request. now: Unix seconds, or SYMBI_WEBHOOK_NOW. body: the bytes as they came, before any decoding. *out is written on
 * every path. A refusal has its reason in *out and the text that goes to the log in err; nothing of the secret, of the expected
 * signature or of the body is in it. ENOMEM and ECRYPTO have reason NONE. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_webhook_verify(symbi_webhook *w, const symbi_webhook_header *h, size_t n, symbi_str body, int64_t now, symbi_webhook_result *out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
