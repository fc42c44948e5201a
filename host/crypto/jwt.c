/* crypto/jwt.c: taking a compact token apart (RFC 7515 section 7.1). Nothing is trusted here; nothing is believed of the
 * header but its form. */
#include "crypto/jwt.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "symbi/json.h"

#include <stdio.h>
#include <string.h>

struct symbi_jwt {
    symbi_alloc alloc;
    size_t size;
    symbi_doc *header, *claims;
    symbi_str signed_part, signature;
    char text[]; /* the token, then the decoded signature */
};

static const char *const g_alg[] = { "none", "HS256", "HS384", "HS512", "ES256", "ES256", "RS256", "EdDSA" };

const char *symbi_jwt_alg_name(symbi_jwt_alg alg)
{
    return (unsigned)alg < sizeof g_alg / sizeof *g_alg ? g_alg[alg] : g_alg[0];
}

const char *symbi_jwt_reason_name(symbi_jwt_reason r)
{
    static const char *const name[] = {
#define ROW(n, text) #n,
        SYMBI_JWT_REASON_LIST(ROW)
#undef ROW
    };
    return (unsigned)r < SYMBI_JWT_REASON_COUNT ? name[r] : "UNKNOWN";
}

const char *symbi_jwt_reason_text(symbi_jwt_reason r)
{
    static const char *const text[] = {
#define ROW(n, t) t,
        SYMBI_JWT_REASON_LIST(ROW)
#undef ROW
    };
    return (unsigned)r < SYMBI_JWT_REASON_COUNT ? text[r] : "unknown reason";
}

symbi_status sy_jwt_refuse(symbi_jwt_reason *reason, symbi_jwt_reason r, symbi_status st, symbi_err *err, const char *detail, ...)
{
    char more[300];
    va_list ap;
    if (reason) *reason = r;
    if (!detail) return sy_fail(err, st, "%s", symbi_jwt_reason_text(r));
    va_start(ap, detail);
    vsnprintf(more, sizeof more, detail, ap);
    va_end(ap);
    return sy_fail(err, st, "%s: %s", symbi_jwt_reason_text(r), more);
}

/* One part as a JSON object. room has sy_base64_decoded_max(part.n) bytes. */
static symbi_status read_object(symbi_ctx *cx, symbi_str part, char *room, symbi_jwt_reason bad, const char *what, symbi_doc **out, symbi_jwt_reason *reason, symbi_err *err)
{
    symbi_err why;
    symbi_str json = { room, 0 };
    symbi_status st;
    if (sy_base64_decode(part, SY_BASE64_URL | SY_BASE64_NOPAD, room, &json.n, &why))
        return sy_jwt_refuse(reason, SYMBI_JWT_R_BASE64, SYMBI_EPARSE, err, "the %s: %s at character %u", what, why.msg, (unsigned)why.col);
    st = symbi_json_parse(cx, json, out, &why);
    if (st == SYMBI_ENOMEM) {
        if (reason) *reason = bad;
        return sy_fail_nomem(err);
    }
    /* The parser's one message for it (codec/json_tape.c); tests/unit/jwt_test.c holds the two together. */
    if (st && strncmp(why.msg, "duplicate key", 13) == 0) return sy_jwt_refuse(reason, SYMBI_JWT_R_DUPLICATE, SYMBI_EPARSE, err, "the %s: %s", what, why.msg);
    if (st) return sy_jwt_refuse(reason, bad, st == SYMBI_ELIMIT ? st : SYMBI_EPARSE, err, "%s", why.msg);
    if (symbi_doc_root(*out)->kind != SYMBI_OBJECT) return sy_jwt_refuse(reason, bad, SYMBI_EPARSE, err, NULL);
    return SYMBI_OK;
}

symbi_status symbi_jwt_parse(symbi_ctx *cx, symbi_str token, symbi_jwt **out, symbi_jwt_reason *reason, symbi_err *err)
{
    char room[SYMBI_JWT_MAX_BYTES / 4 * 3 + 3];
    symbi_str part[3];
    symbi_err why;
    symbi_status st;
    symbi_jwt *j;
    size_t dots = 0, at = 0, size;
    *out = NULL;
    if (reason) *reason = SYMBI_JWT_R_OK;
    if (!token.n) return sy_jwt_refuse(reason, SYMBI_JWT_R_EMPTY, SYMBI_EPARSE, err, NULL);
    if (token.n > SYMBI_JWT_MAX_BYTES) return sy_jwt_refuse(reason, SYMBI_JWT_R_TOO_LONG, SYMBI_ELIMIT, err, "%zu bytes, at most %d", token.n, SYMBI_JWT_MAX_BYTES);
    for (size_t i = 0; i <= token.n; i++) {
        if (i < token.n && token.p[i] != '.') continue;
        if (dots < 3) {
            part[dots].p = token.p + at;
            part[dots].n = i - at;
        }
        dots++;
        at = i + 1;
    }
    if (dots != 3) return sy_jwt_refuse(reason, SYMBI_JWT_R_PARTS, SYMBI_EPARSE, err, NULL);
    size = sizeof *j + token.n + sy_base64_decoded_max(part[2].n);
    j = sy_calloc(&cx->alloc, 1, size);
    if (!j) {
        if (reason) *reason = SYMBI_JWT_R_PARTS;
        return sy_fail_nomem(err);
    }
    j->alloc = cx->alloc;
    j->size = size;
    memcpy(j->text, token.p, token.n);
    j->signed_part.p = j->text;
    j->signed_part.n = part[0].n + 1 + part[1].n;
    j->signature.p = j->text + token.n;
    st = read_object(cx, part[0], room, SYMBI_JWT_R_HEADER_JSON, "header", &j->header, reason, err);
    if (!st) st = read_object(cx, part[1], room, SYMBI_JWT_R_CLAIMS_JSON, "claims", &j->claims, reason, err);
    if (!st && sy_base64_decode(part[2], SY_BASE64_URL | SY_BASE64_NOPAD, j->text + token.n, &j->signature.n, &why))
        st = sy_jwt_refuse(reason, SYMBI_JWT_R_BASE64, SYMBI_EPARSE, err, "the signature: %s at character %u", why.msg, (unsigned)why.col);
    if (st) symbi_jwt_free(j);
    else *out = j;
    return st;
}

void symbi_jwt_free(symbi_jwt *j)
{
    if (!j) return;
    symbi_alloc a = j->alloc;
    symbi_doc_unref(j->header);
    symbi_doc_unref(j->claims);
    sy_free(&a, j, j->size);
}

const symbi_value *symbi_jwt_header(const symbi_jwt *j) { return symbi_doc_root(j->header); }
const symbi_value *symbi_jwt_claims(const symbi_jwt *j) { return symbi_doc_root(j->claims); }
symbi_str symbi_jwt_signed_part(const symbi_jwt *j) { return j->signed_part; }
symbi_str symbi_jwt_signature(const symbi_jwt *j) { return j->signature; }
