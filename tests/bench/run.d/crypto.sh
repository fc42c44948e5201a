# Signatures, first-seen keys, tokens, HMAC, against raw OpenSSL.
add crypto native crypto
