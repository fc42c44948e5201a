/* crypto/der.h: strict DER (X.690), as much as keys and signatures need: definite minimal lengths, minimal integers, nothing
 * left over. Our own, so that one key or signature has one encoding and a refusal can say what is wrong. */
#ifndef SY_CRYPTO_DER_H
#define SY_CRYPTO_DER_H
#include "symbi/base.h"

enum {
    SY_DER_INTEGER = 0x02,
    SY_DER_BITS = 0x03,
    SY_DER_OCTETS = 0x04,
    SY_DER_NULL = 0x05,
    SY_DER_OID = 0x06,
    SY_DER_SEQUENCE = 0x30
};

typedef struct sy_der {
    const uint8_t *p, *end;
} sy_der;

static inline sy_der sy_der_over(const void *p, size_t n) { sy_der d = { p, (const uint8_t *)p + n }; return d; }
static inline size_t sy_der_left(const sy_der *d) { return (size_t)(d->end - d->p); }
static inline bool sy_der_is(const sy_der *d, unsigned tag) { return d->p < d->end && *d->p == tag; }

/* Each returns NULL on success, else what is wrong (static text); *d then stays where it was. */
const char *sy_der_get(sy_der *d, unsigned tag, sy_der *body);
/* A positive INTEGER: its magnitude without the sign byte. */
const char *sy_der_uint(sy_der *d, symbi_str *mag);
/* A BIT STRING of whole bytes. */
const char *sy_der_bits(sy_der *d, sy_der *body);
/* The next element is this OID, which is skipped; false otherwise. */
bool sy_der_oid(sy_der *d, const void *oid, size_t n);

/* The texts of refusals that others tell apart. */
#define SY_DER_CUT "the DER is cut off"
#define SY_DER_NEGATIVE "an INTEGER is negative"
#define SY_DER_ZEROS "an INTEGER has leading zeros"

/* es256.c: what is wrong with a signature that should be DER; where it is well formed, it simply does not verify. */
typedef enum sy_es256_flaw { SY_ES256_WELL_FORMED = 0, SY_ES256_MALFORMED, SY_ES256_RAW_FORM, SY_ES256_CUT, SY_ES256_TRAILING, SY_ES256_ZEROS, SY_ES256_NEGATIVE } sy_es256_flaw;
sy_es256_flaw sy_es256_look(symbi_str sig);

/* Writing, for contents of at most 65535 bytes. Each returns the end. */
uint8_t *sy_der_put_head(uint8_t *o, unsigned tag, size_t n);
size_t sy_der_head_len(size_t n);
/* INTEGER of a magnitude that has leading zeros removed here. */
uint8_t *sy_der_put_uint(uint8_t *o, const uint8_t *mag, size_t n);
size_t sy_der_uint_len(const uint8_t *mag, size_t n);
#endif
