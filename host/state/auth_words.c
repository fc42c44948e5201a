/* state/auth_words.c: permissions, SYMBIONT_ENV, static tokens: the small texts that an operator sets. */
#include "base/chars.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "symbi/auth.h"

#include <stdio.h>
#include <string.h>

static bool same_word(symbi_str s, const char *low)
{
    for (size_t i = 0; i < s.n; i++)
        if (!low[i] || sy_lower(s.p[i]) != low[i]) return false;
    return !low[s.n];
}

static const char *const k_perm[] = { "read", "write", "delete", "admin", "execute" };

unsigned symbi_permission_of(symbi_str name)
{
    for (unsigned i = 0; i < 5; i++)
        if (same_word(name, k_perm[i])) return 1u << i;
    return 0;
}

const char *symbi_permission_name(unsigned bit)
{
    for (unsigned i = 0; i < 5; i++)
        if (bit == 1u << i) return k_perm[i];
    return "";
}

/* White space at the start of s, as Unicode has it. */
static size_t space_at(symbi_str s)
{
    uint32_t cp = 0;
    size_t n = sy_utf8_next(s.p, s.n, &cp);
    bool is = cp == ' ' || (cp >= 9 && cp <= 13) || cp == 0x85 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
              cp == 0x205f || cp == 0x3000;
    return n && is ? n : 0;
}

static symbi_str trim(symbi_str s)
{
    size_t n;
    while (s.n && (n = space_at(s))) s.p += n, s.n -= n;
    for (;;) {
        size_t back = 1;
        while (back < 4 && back < s.n && ((unsigned char)s.p[s.n - back] & 0xc0) == 0x80) back++;
        if (!s.n || space_at((symbi_str){ s.p + s.n - back, back }) != back) return s;
        s.n -= back;
    }
}

/* ---- environment ---- */

static const char *const k_env[] = { "unknown", "development", "staging", "production", "test" };

const char *symbi_environment_name(symbi_environment e) { return (size_t)e < sizeof k_env / sizeof *k_env ? k_env[e] : k_env[0]; }

symbi_status symbi_environment_parse(symbi_str text, symbi_environment *out, symbi_err *err)
{
    static const struct { const char *word; symbi_environment e; } t[] = {
        { "development", SYMBI_ENV_DEVELOPMENT }, { "dev", SYMBI_ENV_DEVELOPMENT }, { "local", SYMBI_ENV_DEVELOPMENT }, { "", SYMBI_ENV_DEVELOPMENT },
        { "staging", SYMBI_ENV_STAGING },         { "stage", SYMBI_ENV_STAGING },   { "preview", SYMBI_ENV_STAGING },   { "production", SYMBI_ENV_PRODUCTION },
        { "prod", SYMBI_ENV_PRODUCTION },         { "test", SYMBI_ENV_TEST },       { "ci", SYMBI_ENV_TEST },
    };
    symbi_str s = trim(text);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        if (same_word(s, t[i].word)) {
            *out = t[i].e;
            return SYMBI_OK;
        }
    *out = SYMBI_ENV_UNKNOWN;
    return sy_fail(err, SYMBI_EINVAL, "SYMBIONT_ENV has unknown value \"%.*s\"; allowed values are: development, staging, production, test", SY_FMT(s));
}

/* ---- static tokens ---- */

#define SY_INVALID "Invalid configuration value for auth_token: "

symbi_status symbi_static_token_check(symbi_str text, symbi_str *token, symbi_err *err)
{
    static const char *const weak[] = { "dev", "test", "password", "secret", "token", "api_key", "12345678", "admin", "root", "default", "changeme", "letmein", "qwerty", "abc123", "password123", "testtoken123" };
    symbi_str s = trim(text);
    *token = (symbi_str){ NULL, 0 };
    if (!s.n) return sy_fail(err, SYMBI_EINVAL, SY_INVALID "Token cannot be empty");
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++)
        if (same_word(s, weak[i])) return sy_fail(err, SYMBI_EINVAL, SY_INVALID "Token '%.*s' is a known weak/default token. Use a strong random token instead.", SY_FMT(s));
    if (s.n >= 4 && same_word((symbi_str){ s.p, 4 }, "test") && s.n < 20)
        return sy_fail(err, SYMBI_EINVAL, SY_INVALID "Token looks like a test/placeholder value (starts with 'test', shorter than 20 chars). Use a strong random token >=20 chars instead.");
    if (s.n < 8) return sy_fail(err, SYMBI_EINVAL, SY_INVALID "Token must be at least 8 characters long");
    if (memchr(s.p, ' ', s.n) && !sy_str_starts(s, SY_LIT("Bearer "))) return sy_fail(err, SYMBI_EINVAL, SY_INVALID "Token should not contain spaces (unless it's a Bearer token)");
    *token = s;
    return SYMBI_OK;
}

symbi_status symbi_static_token_verify(symbi_ctx *cx, symbi_str presented, symbi_str expected, symbi_err *err)
{
    uint8_t a[32], b[32];
    symbi_status st = symbi_sha256(cx, presented, a, err);
    if (!st) st = symbi_sha256(cx, expected, b, err);
    if (!st && (!symbi_ct_equal((symbi_str){ (const char *)a, 32 }, (symbi_str){ (const char *)b, 32 }) || !expected.n)) st = sy_fail(err, SYMBI_EVERIFY, "Invalid API key");
    return st;
}
