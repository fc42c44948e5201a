/* symbi/schemapin_net.h: where SchemaPin's documents come from: domains and their URLs, DNS TXT records, trust bundles, and online
 * verification as a machine that says what to fetch and never fetches itself. */
#ifndef SYMBI_SCHEMAPIN_NET_H
#define SYMBI_SCHEMAPIN_NET_H
#include "symbi/schemapin.h"
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SYMBI_SCHEMAPIN_MAX_DOMAIN = 260,          /* host[:port] */
    SYMBI_SCHEMAPIN_FETCH_MS = 10000,
    SYMBI_SCHEMAPIN_MAX_BUNDLE = 16 << 20,
    SYMBI_SCHEMAPIN_MAX_BUNDLE_DOCUMENTS = 65536,
    SYMBI_SCHEMAPIN_MAX_BUNDLES = 64           /* merged at once */
};

/* host[:port] in lower case into buf, NUL-terminated. EINVAL for anything else: a scheme, a path, user information, a final dot, an
 * empty label, white space, letters outside ASCII (write xn--), a name that is a number. One host, one spelling: pins are kept by it,
 * and it goes into URLs and file names. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_domain(symbi_str text, char buf[SYMBI_SCHEMAPIN_MAX_DOMAIN + 1], symbi_err *err);
/* "https://{domain}/.well-known/schemapin.json". A URL is taken too, as SchemaPin does: its scheme and host count, and nothing else
 * of it. Online verification takes a bare domain only, and https only. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_url(symbi_ctx *cx, symbi_str domain, symbi_text *out, symbi_err *err);

/* ---- DNS TXT: _schemapin.{domain} "v=schemapin1; kid=...; fp=sha256:..." ---- */
typedef struct symbi_schemapin_txt { /* borrowed from the record; fingerprint in buf */
    symbi_str version, kid, fingerprint;
    char buf[256];
} symbi_schemapin_txt;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_txt_parse(symbi_str record, symbi_schemapin_txt *out, symbi_err *err);
/* The name to ask for. ELIMIT for a name that is too long. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_txt_name(symbi_ctx *cx, symbi_str domain, symbi_text *out, symbi_err *err);
/* The first record that holds "v=schemapin1" (chunks joined already). EPARSE when it cannot be parsed; ENOTFOUND without one. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_txt_pick(const symbi_str *records, size_t n, symbi_schemapin_txt *out, symbi_err *err);
/* OK, or EVERIFY with SchemaPin's words; ESCHEMA when the document has no usable key. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_txt_match(const symbi_schemapin_discovery *d, symbi_str fingerprint, symbi_err *err);

/* ---- trust bundles ---- */
/* The documents that a bundle holds for a domain: each a new document, or NULL. Of several entries the first counts. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_bundle_find(symbi_ctx *cx, const symbi_value *bundle, symbi_str domain, symbi_doc **discovery, symbi_doc **revocation, symbi_err *err);
/* What is signed: "schemapin-v1" of the whole with its signature set to "". From text where there is text (numbers stay exact). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_bundle_bytes(symbi_ctx *cx, symbi_str json, const symbi_value *bundle, symbi_text *out, symbi_err *err);
/* Signs bundle (documents, revocations, created_at) anew, as version 1.4. Members that other implementations would drop are ESCHEMA,
 * lists that they would add are written. expires_in 0: no expiry. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_bundle_sign(symbi_ctx *cx, const symbi_value *bundle, const symbi_key *key, symbi_str kid, int64_t now, int64_t expires_in, symbi_text *out, symbi_err *err);

typedef struct symbi_schemapin_bundle_check { /* zero-initialise, set size */
    uint32_t size;
    symbi_str json;            /* the bundle's text, or */
    const symbi_value *value;
    const symbi_str *authority; /* fingerprints of the keys that may sign; none: the first seen for its kid, by the pins */
    size_t nauthority;
    symbi_schemapin_pins *pins; /* also remember the newest signed_at: an older bundle is bundle_downgrade */
    int64_t max_age;            /* > 0: signed_at, which is signed here, may be this old */
    int64_t now;
} symbi_schemapin_bundle_check;
/* With neither authority nor pins nothing says whose bundle it is: bundle_authority_untrusted. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_check_bundle(symbi_ctx *cx, const symbi_schemapin_bundle_check *c, symbi_schemapin_result **out, symbi_err *err);
/* One unsigned bundle out of several: per domain the newest entry, and the union of everything that any of them revokes. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_bundle_merge(symbi_ctx *cx, const symbi_value *bundles, symbi_doc **out, symbi_err *err);

/* ---- looking a domain up ----
 *   while (!symbi_schemapin_online_next(m, &ask, &err) && ask.kind != SYMBI_SCHEMAPIN_ASK_DONE) { perform; symbi_schemapin_online_resolve(m, ask.id, &answer, &err); }
 * One thing is asked at a time. HTTP: GET of exactly this URL through the network guard, no redirects. What fails, fails closed:
 * a revocation list that is named and cannot be had is revocation_fetch_failed, never "not revoked". */
typedef enum symbi_schemapin_ask_kind { SYMBI_SCHEMAPIN_ASK_DONE = 0, SYMBI_SCHEMAPIN_ASK_HTTP, SYMBI_SCHEMAPIN_ASK_DNS } symbi_schemapin_ask_kind;
typedef struct symbi_schemapin_ask { /* borrowed until resolved */
    symbi_schemapin_ask_kind kind;
    uint64_t id;
    symbi_str domain, url; /* HTTP */
    symbi_str name;        /* DNS: whose TXT records */
    size_t max_bytes;
    int64_t timeout_ms;
} symbi_schemapin_ask;
typedef struct symbi_schemapin_answer {
    bool failed; /* nothing came; message says why */
    symbi_str message;
    int http_status;
    symbi_str url; /* that answered, where the transport tells; another one than asked is a redirect */
    symbi_str body;
    const symbi_str *records; /* DNS */
    size_t nrecords;
} symbi_schemapin_answer;

typedef struct symbi_schemapin_online symbi_schemapin_online;
/* dns: also ask for the TXT record; it then must be there or be known to be absent (an empty answer). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_online_new(symbi_ctx *cx, symbi_str domain, bool dns, symbi_schemapin_online **out, symbi_err *err);
SYMBI_API void symbi_schemapin_online_free(symbi_schemapin_online *m);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_online_next(symbi_schemapin_online *m, symbi_schemapin_ask *out, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_online_resolve(symbi_schemapin_online *m, uint64_t id, const symbi_schemapin_answer *a, symbi_err *err); /* ESTATE for an id that is not open */
/* After DONE: the documents (borrowed), "" or the TXT record's fingerprint, and why it failed, if it did. */
typedef struct symbi_schemapin_found {
    symbi_schemapin_code code; /* OK, or what to say instead of checking */
    symbi_str message;
    symbi_str domain; /* normalised */
    symbi_schemapin_discovery *discovery;
    symbi_schemapin_revocation *revocation;
    symbi_str dns_fingerprint;
} symbi_schemapin_found;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_online_found(const symbi_schemapin_online *m, symbi_schemapin_found *out, symbi_err *err); /* ESTATE before DONE */
/* A lookup that failed, as the result of a check. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_refusal(symbi_ctx *cx, symbi_schemapin_code code, symbi_str message, symbi_str domain, symbi_str tool_id, int64_t now, symbi_schemapin_result **out, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
