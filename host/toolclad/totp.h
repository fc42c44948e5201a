/* toolclad/totp.h: one-time codes of authenticator programs (RFC 6238: HMAC-SHA-1, 30 seconds, six digits). */
#ifndef SY_TOOLCLAD_TOTP_H
#define SY_TOOLCLAD_TOTP_H
#include "symbi/value.h"
#include <stdbool.h>

enum { SY_TOTP_SEED = 119 }; /* longest seed, in bytes */

/* seed: base32 as services show it; blanks, '-', '=' at the end and small letters are fine. false: it is none, empty or too long. */
bool sy_totp(symbi_str seed, int64_t unix_seconds, char out[7]);
#endif
