/* state/auth_tokens.c: signed tokens and what roles grant. A session is a family: every token of it carries the family's name, so that one
 * refresh token seen twice, or one logout, ends all of it. What was used or revoked is remembered until it would have expired anyway. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "symbi/auth.h"
#include "webhook/replay.h"

#include <stdio.h>
#include <string.h>

enum { SY_ID_HEX = 32, SY_MAX_SECONDS = 10 * 366 * 86400 };

typedef struct sy_role {
    symbi_str name; /* owned */
    unsigned permissions;
    int64_t expires_at;
} sy_role;

struct symbi_auth {
    symbi_ctx *cx;
    symbi_jwt_alg alg;
    symbi_jwt_key verify, sign; /* references; secrets owned, wiped */
    symbi_str issuer, audience; /* owned */
    int64_t access_seconds, refresh_seconds, leeway;
    bool refresh, plain, can_sign;
    sy_role *roles;
    size_t nroles, cap_roles;
    sy_replay spent;
};

const char *symbi_auth_reason_name(symbi_auth_reason r)
{
#define NAME(name, st, text) #name,
    static const char *const t[] = { SYMBI_AUTH_REASON_LIST(NAME) };
#undef NAME
    return (size_t)r < SYMBI_AUTH_REASON_COUNT ? t[r] : "NONE";
}

const char *symbi_auth_reason_text(symbi_auth_reason r)
{
#define TEXT(name, st, text) text,
    static const char *const t[] = { SYMBI_AUTH_REASON_LIST(TEXT) };
#undef TEXT
    return (size_t)r < SYMBI_AUTH_REASON_COUNT ? t[r] : "not checked";
}

const char *symbi_token_type_name(symbi_token_type t) { return t == SYMBI_TOKEN_ACCESS ? "access" : t == SYMBI_TOKEN_REFRESH ? "refresh" : t == SYMBI_TOKEN_API_KEY ? "api_key" : ""; }

/* ---- making one ---- */

void symbi_auth_options_init(symbi_auth_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
    o->alg = SYMBI_JWT_HS256;
    o->issuer = SY_LIT("symbiont");
    o->audience = SY_LIT("symbiont-api");
    o->access_seconds = 3600;
    o->refresh_seconds = 86400;
    o->refresh = true;
    o->max_revoked = 65536;
}

static bool dup(symbi_ctx *cx, symbi_str s, symbi_str *out)
{
    char *p = sy_alloc(&cx->alloc, s.n ? s.n : 1);
    *out = (symbi_str){ p, p ? s.n : 0 };
    if (p && s.n) memcpy(p, s.p, s.n);
    return p != NULL;
}
static void drop(symbi_ctx *cx, symbi_str *s, bool secret)
{
    char *p = (char *)(uintptr_t)s->p;
    if (p && secret) symbi_wipe(p, s->n);
    sy_free(&cx->alloc, p, s->n ? s->n : 1);
    *s = (symbi_str){ NULL, 0 };
}

static bool is_hs(symbi_jwt_alg a) { return a == SYMBI_JWT_HS256 || a == SYMBI_JWT_HS384 || a == SYMBI_JWT_HS512; }

static symbi_status take_key(symbi_auth *a, const symbi_jwt_key *from, symbi_jwt_key *to, symbi_err *err)
{
    to->short_secret_ok = from->short_secret_ok;
    if (is_hs(a->alg)) return dup(a->cx, from->secret, &to->secret) ? SYMBI_OK : sy_fail_nomem(err);
    to->key = from->key ? symbi_key_ref((symbi_key *)(uintptr_t)from->key) : NULL;
    return SYMBI_OK;
}

/* What the algorithm needs, said at once rather than at the first request. */
static symbi_status check_options(const symbi_auth_options *o, symbi_err *err)
{
    symbi_key_kind need = o->alg == SYMBI_JWT_ES256 ? SYMBI_KEY_P256 : o->alg == SYMBI_JWT_RS256 ? SYMBI_KEY_RSA : o->alg == SYMBI_JWT_EDDSA ? SYMBI_KEY_ED25519 : SYMBI_KEY_NONE;
    if (o->size != sizeof *o) return sy_fail(err, SYMBI_EINVAL, "symbi_auth_options: wrong size; use symbi_auth_options_init");
    if (is_hs(o->alg)) {
        if (!o->verify.secret.n) return sy_fail(err, SYMBI_EINVAL, "JWT secret key is required");
        if (o->verify.secret.n < 32 && !o->verify.short_secret_ok) return sy_fail(err, SYMBI_EINVAL, "the JWT secret key has %zu bytes; 32 are the least", o->verify.secret.n);
    } else {
        if (!need) return sy_fail(err, SYMBI_EINVAL, "JWT algorithm is required: HS256, HS384, HS512, EdDSA, ES256 or RS256");
        if (!o->verify.key || symbi_key_kind_of(o->verify.key) != need) return sy_fail(err, SYMBI_EINVAL, "%s needs a key of kind %s", symbi_jwt_alg_name(o->alg), symbi_key_kind_name(need));
        if (o->sign.key && (symbi_key_kind_of(o->sign.key) != need || !symbi_key_is_private(o->sign.key)))
            return sy_fail(err, SYMBI_EINVAL, "signing with %s needs a private key of kind %s", symbi_jwt_alg_name(o->alg), symbi_key_kind_name(need));
    }
    if (!o->issuer.n || !o->audience.n) return sy_fail(err, SYMBI_EINVAL, "issuer and audience must not be empty");
    if (o->access_seconds < 0 || o->access_seconds > SY_MAX_SECONDS || o->refresh_seconds < 0 || o->refresh_seconds > SY_MAX_SECONDS || o->leeway < 0 || o->leeway > 3600)
        return sy_fail(err, SYMBI_EINVAL, "lifetimes lie between 0 and ten years, leeway between 0 and 3600 seconds");
    if (o->max_revoked < 16 || o->max_revoked > 1 << 20) return sy_fail(err, SYMBI_EINVAL, "max_revoked must lie between 16 and %d", 1 << 20);
    return SYMBI_OK;
}

symbi_status symbi_auth_new(symbi_ctx *cx, const symbi_auth_options *o, symbi_auth **out, symbi_err *err)
{
    symbi_auth *a;
    symbi_status st = check_options(o, err);
    *out = NULL;
    if (st) return st;
    a = sy_calloc(&cx->alloc, 1, sizeof *a);
    if (!a) return sy_fail_nomem(err);
    a->cx = cx;
    a->alg = o->alg;
    a->access_seconds = o->access_seconds;
    a->refresh_seconds = o->refresh_seconds;
    a->leeway = o->leeway;
    a->refresh = o->refresh;
    a->plain = o->plain;
    sy_replay_init(&a->spent, cx->alloc, o->max_revoked, "auth");
    st = take_key(a, &o->verify, &a->verify, err);
    if (!st) st = take_key(a, is_hs(o->alg) ? &o->verify : &o->sign, &a->sign, err);
    a->can_sign = is_hs(o->alg) || a->sign.key;
    if (!st && (!dup(cx, o->issuer, &a->issuer) || !dup(cx, o->audience, &a->audience))) st = sy_fail_nomem(err);
    if (!st) st = symbi_auth_role_set(a, SY_LIT("admin"), SYMBI_PERM_ALL, 0, err);
    if (!st) st = symbi_auth_role_set(a, SY_LIT("user"), SYMBI_PERM_READ | SYMBI_PERM_WRITE | SYMBI_PERM_EXECUTE, 0, err);
    if (!st) st = symbi_auth_role_set(a, SY_LIT("readonly"), SYMBI_PERM_READ, 0, err);
    if (st) symbi_auth_free(a);
    else *out = a;
    return st;
}

void symbi_auth_free(symbi_auth *a)
{
    symbi_ctx *cx;
    if (!a) return;
    cx = a->cx;
    drop(cx, &a->verify.secret, true);
    drop(cx, &a->sign.secret, true);
    symbi_key_unref((symbi_key *)(uintptr_t)a->verify.key);
    symbi_key_unref((symbi_key *)(uintptr_t)a->sign.key);
    drop(cx, &a->issuer, false);
    drop(cx, &a->audience, false);
    for (size_t i = 0; i < a->nroles; i++) drop(cx, &a->roles[i].name, false);
    sy_free(&cx->alloc, a->roles, a->cap_roles * sizeof *a->roles);
    sy_replay_free(&a->spent);
    sy_free(&cx->alloc, a, sizeof *a);
}

void symbi_auth_use_store(symbi_auth *a, const symbi_store *store) { sy_replay_use_store(&a->spent, store); }

/* ---- roles ---- */

symbi_status symbi_auth_role_set(symbi_auth *a, symbi_str name, unsigned permissions, int64_t expires_at, symbi_err *err)
{
    sy_role *r = NULL;
    if (!name.n || name.n > SYMBI_AUTH_MAX_NAME) return sy_fail(err, SYMBI_EINVAL, "a role has a name of 1 to %d bytes", SYMBI_AUTH_MAX_NAME);
    if (permissions & ~(unsigned)SYMBI_PERM_ALL || expires_at < 0) return sy_fail(err, SYMBI_EINVAL, "role %.*s: unknown permissions, or a negative time", SY_FMT(name));
    for (size_t i = 0; i < a->nroles; i++)
        if (sy_str_eq(a->roles[i].name, name)) r = &a->roles[i];
    if (!r) {
        if (a->nroles == SYMBI_AUTH_MAX_ROLES) return sy_fail(err, SYMBI_ELIMIT, "more than %d roles", SYMBI_AUTH_MAX_ROLES);
        if (sy_grow(&a->cx->alloc, (void **)&a->roles, &a->cap_roles, a->nroles + 1, sizeof *a->roles)) return sy_fail_nomem(err);
        r = &a->roles[a->nroles];
        if (!dup(a->cx, name, &r->name)) return sy_fail_nomem(err);
        a->nroles++;
    }
    r->permissions = permissions;
    r->expires_at = expires_at;
    return SYMBI_OK;
}

unsigned symbi_auth_permissions(const symbi_auth *a, const symbi_str *roles, size_t n, int64_t now)
{
    unsigned have = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < a->nroles; k++)
            if (sy_str_eq(a->roles[k].name, roles[i]) && (!a->roles[k].expires_at || now < a->roles[k].expires_at)) have |= a->roles[k].permissions;
    return have & SYMBI_PERM_ADMIN ? SYMBI_PERM_ALL : have;
}

bool symbi_auth_permitted(const symbi_auth *a, const symbi_str *roles, size_t n, symbi_str action, int64_t now)
{
    unsigned want = symbi_permission_of(action);
    return want && (symbi_auth_permissions(a, roles, n, now) & want) == want;
}

/* ---- issuing ---- */

static symbi_status new_id(symbi_ctx *cx, char out[SY_ID_HEX], symbi_err *err)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t r[SY_ID_HEX / 2];
    symbi_status st = symbi_ctx_random(cx, r, sizeof r, err);
    for (size_t i = 0; !st && i < sizeof r; i++) {
        out[2 * i] = hex[r[i] >> 4];
        out[2 * i + 1] = hex[r[i] & 15];
    }
    return st;
}

static int64_t session_seconds(const symbi_auth *a) { return a->refresh_seconds > a->access_seconds ? a->refresh_seconds : a->access_seconds; }
static bool name_ok(symbi_str s) { return s.n && s.n <= SYMBI_AUTH_MAX_NAME; }

symbi_status symbi_auth_issue(symbi_auth *a, symbi_token_type type, const symbi_auth_claims *c, int64_t now, symbi_text *out, symbi_err *err)
{
    symbi_value roles[SYMBI_AUTH_MAX_LIST], perms[5];
    symbi_member m[10];
    char jti[SY_ID_HEX], family[SY_ID_HEX];
    size_t n = 0, np = 0;
    int64_t life = c->seconds >= 0 ? c->seconds : type == SYMBI_TOKEN_REFRESH ? a->refresh_seconds : a->access_seconds;
    symbi_value claims;
    symbi_status st = SYMBI_OK;
    memset(out, 0, sizeof *out);
    if (!a->can_sign) return sy_fail(err, SYMBI_ESTATE, "there is no key to sign with");
    if (!symbi_token_type_name(type)[0] || !name_ok(c->user_id) || c->nroles > SYMBI_AUTH_MAX_LIST || c->permissions & ~(unsigned)SYMBI_PERM_ALL || life > SY_MAX_SECONDS || now < 0 || now > 1000000000000)
        return sy_fail(err, SYMBI_EINVAL, "a token needs a type, a user of 1 to %d bytes, at most %d roles, known permissions and a life of at most ten years", SYMBI_AUTH_MAX_NAME, SYMBI_AUTH_MAX_LIST);
    /* the end of a session is remembered as long as its tokens may live */
    if (c->family.n && (c->family.n > SYMBI_AUTH_MAX_NAME || life > session_seconds(a)))
        return sy_fail(err, SYMBI_EINVAL, "a token of a session that goes on lives no longer than its refresh token, and the session's name has at most %d bytes", SYMBI_AUTH_MAX_NAME);
    for (size_t i = 0; i < c->nroles; i++) {
        if (!name_ok(c->roles[i])) return sy_fail(err, SYMBI_EINVAL, "a role has a name of 1 to %d bytes", SYMBI_AUTH_MAX_NAME);
        roles[i] = sy_val_str(c->roles[i]);
    }
    for (unsigned bit = 1; bit <= SYMBI_PERM_EXECUTE; bit <<= 1)
        if (c->permissions & bit) perms[np++] = sy_val_str(symbi_str_z(symbi_permission_name(bit)));
#define CLAIM(k, v) (m[n].key = SY_LIT(k), m[n++].val = (v))
    CLAIM("sub", sy_val_str(c->user_id));
    CLAIM("iat", sy_val_int(now));
    CLAIM("exp", sy_val_int(now + life));
    CLAIM("iss", sy_val_str(a->issuer));
    CLAIM("aud", sy_val_str(a->audience));
    CLAIM("type", sy_val_str(symbi_str_z(symbi_token_type_name(type))));
    CLAIM("roles", sy_val_array(roles, c->nroles));
    CLAIM("permissions", sy_val_array(perms, np));
    if (!a->plain) {
        st = new_id(a->cx, jti, err);
        if (!st && !c->family.n) st = new_id(a->cx, family, err);
        CLAIM("jti", sy_val_str((symbi_str){ jti, SY_ID_HEX }));
        CLAIM("fam", sy_val_str(c->family.n ? c->family : (symbi_str){ family, SY_ID_HEX }));
    }
#undef CLAIM
    claims = sy_val_object(m, n);
    return st ? st : symbi_jwt_issue(a->cx, a->alg, &a->sign, NULL, &claims, out, err);
}

symbi_status symbi_auth_login(symbi_auth *a, const symbi_auth_claims *c, int64_t now, symbi_text *access, symbi_text *refresh, symbi_err *err)
{
    char family[SY_ID_HEX];
    symbi_auth_claims own = *c;
    symbi_status st = SYMBI_OK;
    memset(access, 0, sizeof *access);
    memset(refresh, 0, sizeof *refresh);
    own.seconds = -1;
    if (!own.family.n && !a->plain) {
        st = new_id(a->cx, family, err);
        own.family = (symbi_str){ family, sizeof family };
    }
    if (!st) st = symbi_auth_issue(a, SYMBI_TOKEN_ACCESS, &own, now, access, err);
    if (!st && a->refresh) st = symbi_auth_issue(a, SYMBI_TOKEN_REFRESH, &own, now, refresh, err);
    if (st) {
        symbi_text_wipe(access);
        symbi_text_wipe(refresh);
    }
    return st;
}

/* ---- checking ---- */

typedef struct sy_token {
    symbi_jwt *jwt;
    symbi_str sub, jti, fam, type;
    int64_t exp;
    char digest[SY_ID_HEX]; /* stands for jti and family where a token has none */
} sy_token;

static symbi_status refuse(symbi_auth_answer *out, symbi_auth_reason r, symbi_err *err, const char *text)
{
#define STATUS(name, st, words) st,
    static const symbi_status t[] = { SYMBI_AUTH_REASON_LIST(STATUS) };
#undef STATUS
    out->reason = r;
    return sy_fail(err, t[r], "%s", text ? text : symbi_auth_reason_text(r));
}

static bool trouble(symbi_status st) { return st == SYMBI_ENOMEM || st == SYMBI_ECRYPTO; }

/* Signature and registered claims, then the names. t->jwt is to be freed in any case. */
static symbi_status open_token(symbi_auth *a, symbi_str token, int64_t now, sy_token *t, symbi_auth_answer *out, symbi_err *err)
{
    static const char hex[] = "0123456789abcdef";
    symbi_jwt_rules rules = { .size = sizeof rules, .now = now, .leeway = a->leeway, .check_iat = true, .issuer = a->issuer, .audience = a->audience };
    const symbi_str none = { NULL, 0 };
    const symbi_value *c;
    uint8_t d[32];
    symbi_err why;
    symbi_status st;
    memset(t, 0, sizeof *t);
    symbi_err_clear(&why);
    st = symbi_jwt_verify(a->cx, token, a->alg, &a->verify, &rules, &t->jwt, &out->jwt, &why);
    if (trouble(st)) {
        if (err) *err = why;
        return st;
    }
    if (st) return refuse(out, SYMBI_AUTH_R_JWT, err, why.msg);
    c = symbi_jwt_claims(t->jwt);
    t->sub = symbi_value_str(c, "sub", none);
    t->type = symbi_value_str(c, "type", none);
    t->jti = symbi_value_str(c, "jti", none);
    t->fam = symbi_value_str(c, "fam", none);
    t->exp = symbi_value_getz(c, "exp")->u.i; /* the rules want an integer */
    if (!name_ok(t->sub)) return refuse(out, SYMBI_AUTH_R_SUBJECT, err, NULL);
    if (!t->jti.n || t->jti.n > SYMBI_AUTH_MAX_NAME || t->fam.n > SYMBI_AUTH_MAX_NAME) {
        /* over what is signed, so that no other spelling of the token has another name */
        if ((st = symbi_sha256(a->cx, symbi_jwt_signed_part(t->jwt), d, err))) return st;
        for (size_t i = 0; i < SY_ID_HEX / 2; i++) t->digest[2 * i] = hex[d[i] >> 4], t->digest[2 * i + 1] = hex[d[i] & 15];
        t->jti = (symbi_str){ t->digest, SY_ID_HEX };
        if (t->fam.n > SYMBI_AUTH_MAX_NAME) t->fam = none;
    }
    if (!t->fam.n) t->fam = t->jti;
    return SYMBI_OK;
}

/* The name of a fact about a token: used, revoked, session ended. */
static symbi_status fact(symbi_auth *a, char what, symbi_str id, uint8_t key[32], symbi_err *err)
{
    char text[1 + SYMBI_AUTH_MAX_NAME];
    text[0] = what;
    memcpy(text + 1, id.p, id.n);
    return symbi_sha256(a->cx, (symbi_str){ text, 1 + id.n }, key, err);
}

static symbi_status store_status(symbi_status st, symbi_auth_answer *out, symbi_err *err)
{
    char text[300];
    if (!st || trouble(st)) return st;
    if (st == SYMBI_ELIMIT) return refuse(out, SYMBI_AUTH_R_FULL, err, NULL);
    snprintf(text, sizeof text, "%s: %.200s", symbi_auth_reason_text(SYMBI_AUTH_R_STORE), err ? err->msg : "");
    return refuse(out, SYMBI_AUTH_R_STORE, err, text);
}

static symbi_status known(symbi_auth *a, char what, symbi_str id, int64_t now, bool *is, symbi_auth_answer *out, symbi_err *err)
{
    uint8_t key[32];
    symbi_status st = fact(a, what, id, key, err);
    *is = false;
    if (st) return st;
    st = sy_replay_known(&a->spent, key, now, err);
    *is = st == SYMBI_EEXISTS;
    return *is ? SYMBI_OK : store_status(st, out, err);
}

/* fresh: false when it was there already. */
static symbi_status remember(symbi_auth *a, char what, symbi_str id, int64_t until, int64_t now, bool *fresh, symbi_auth_answer *out, symbi_err *err)
{
    uint8_t key[1][32];
    size_t which;
    symbi_status st = fact(a, what, id, key[0], err);
    *fresh = false;
    if (st) return st;
    st = sy_replay_take(&a->spent, (const uint8_t(*)[32])key, 1, until, now, &which, err);
    *fresh = st == SYMBI_OK;
    return st == SYMBI_EEXISTS ? SYMBI_OK : store_status(st, out, err);
}

static symbi_status not_revoked(symbi_auth *a, const sy_token *t, int64_t now, symbi_auth_answer *out, symbi_err *err)
{
    bool gone = false;
    symbi_status st = known(a, 'b', t->jti, now, &gone, out, err);
    if (!st && !gone) st = known(a, 'f', t->fam, now, &gone, out, err);
    return !st && gone ? refuse(out, SYMBI_AUTH_R_REVOKED, err, NULL) : st;
}

/* The texts of a list member; false where it is no such list. Absent is empty. */
static bool texts(const symbi_value *c, const char *name, const symbi_value **items, size_t *n)
{
    const symbi_value *l = symbi_value_getz(c, name);
    *n = 0;
    if (!l || l->kind == SYMBI_NULL) return true;
    if (l->kind != SYMBI_ARRAY || l->u.a.n > SYMBI_AUTH_MAX_LIST) return false;
    for (size_t i = 0; i < l->u.a.n; i++)
        if (l->u.a.items[i].kind != SYMBI_STRING) return false;
    *items = l->u.a.items;
    *n = l->u.a.n;
    return true;
}

static symbi_status user_doc(symbi_auth *a, const sy_token *t, symbi_auth_answer *out, symbi_err *err)
{
    const symbi_value *c = symbi_jwt_claims(t->jwt), *roles = NULL, *perms = NULL;
    size_t nr, np;
    unsigned have = 0;
    symbi_value v;
    symbi_status st;
    sy_arena ar;
    sy_obj o;
    sy_arr rl, pl, dl;
    if (!texts(c, "roles", &roles, &nr) || !texts(c, "permissions", &perms, &np)) return refuse(out, SYMBI_AUTH_R_SHAPE, err, NULL);
    sy_arena_init(&ar, a->cx->alloc, a->cx->limits.arena_bytes);
    o = sy_obj_new(&ar);
    rl = sy_arr_new(&ar), pl = sy_arr_new(&ar), dl = sy_arr_new(&ar);
    for (size_t i = 0; i < nr; i++) sy_arr_add(&rl, roles[i]);
    for (size_t i = 0; i < np; i++) {
        unsigned bit = symbi_permission_of(perms[i].u.s);
        if (!bit) sy_arr_add(&dl, perms[i]);
        have |= bit;
    }
    for (unsigned bit = 1; bit <= SYMBI_PERM_EXECUTE; bit <<= 1)
        if (have & bit) sy_arr_add(&pl, sy_val_str(symbi_str_z(symbi_permission_name(bit))));
    sy_obj_str(&o, "user_id", t->sub);
    sy_obj_put(&o, "roles", sy_arr_value(&rl));
    sy_obj_put(&o, "permissions", sy_arr_value(&pl));
    sy_obj_put(&o, "dropped_permissions", sy_arr_value(&dl));
    sy_obj_str(&o, "type", t->type);
    sy_obj_str(&o, "jti", t->jti);
    sy_obj_str(&o, "family", t->fam);
    sy_obj_int(&o, "expires_at", t->exp);
    v = sy_obj_value(&o);
    st = ar.status ? sy_arena_fail(&ar, "the user", err) : symbi_doc_copy(a->cx, &v, &out->user, err);
    sy_arena_free(&ar);
    return st;
}

static symbi_status finish(symbi_status st, sy_token *t, symbi_auth_answer *out)
{
    symbi_jwt_free(t->jwt);
    if (!st) out->reason = SYMBI_AUTH_R_OK;
    else {
        symbi_doc_unref(out->user);
        out->user = NULL;
        if (out->reason == SYMBI_AUTH_R_OK) out->reason = SYMBI_AUTH_R_NONE;
    }
    return st;
}

symbi_status symbi_auth_validate(symbi_auth *a, symbi_str token, symbi_token_type type, int64_t now, symbi_auth_answer *out, symbi_err *err)
{
    sy_token t;
    symbi_status st;
    memset(out, 0, sizeof *out);
    st = open_token(a, token, now, &t, out, err);
    if (!st && !(symbi_token_type_name(type)[0] && sy_str_eqz(t.type, symbi_token_type_name(type)))) st = refuse(out, SYMBI_AUTH_R_TYPE, err, NULL);
    if (!st) st = not_revoked(a, &t, now, out, err);
    if (!st) st = user_doc(a, &t, out, err);
    return finish(st, &t, out);
}

static symbi_status end_session(symbi_auth *a, const sy_token *t, int64_t now, symbi_auth_answer *out, symbi_err *err)
{
    int64_t until = now + session_seconds(a) + a->leeway + 1;
    bool fresh;
    if (t->exp + a->leeway + 1 > until) until = t->exp + a->leeway + 1;
    return remember(a, 'f', t->fam, until, now, &fresh, out, err);
}

symbi_status symbi_auth_refresh(symbi_auth *a, symbi_str token, int64_t now, symbi_text *access, symbi_text *refresh, symbi_auth_answer *out, symbi_err *err)
{
    symbi_str roles[SYMBI_AUTH_MAX_LIST];
    symbi_auth_claims c = { .seconds = -1 };
    const symbi_value *r, *p;
    bool fresh = false;
    sy_token t;
    symbi_status st;
    memset(out, 0, sizeof *out);
    memset(access, 0, sizeof *access);
    memset(refresh, 0, sizeof *refresh);
    if (!a->refresh) return refuse(out, SYMBI_AUTH_R_DISABLED, err, NULL);
    st = open_token(a, token, now, &t, out, err);
    if (!st && !sy_str_eqz(t.type, "refresh")) st = refuse(out, SYMBI_AUTH_R_TYPE, err, NULL);
    if (!st) st = not_revoked(a, &t, now, out, err);
    if (!st) st = user_doc(a, &t, out, err);
    if (!st) st = remember(a, 'u', t.jti, t.exp + a->leeway + 1, now, &fresh, out, err);
    if (!st && !fresh) {
        st = end_session(a, &t, now, out, err);
        if (!st) st = refuse(out, SYMBI_AUTH_R_REUSED, err, NULL);
    }
    if (!st) {
        r = symbi_value_getz(symbi_doc_root(out->user), "roles");
        p = symbi_value_getz(symbi_doc_root(out->user), "permissions");
        c.user_id = t.sub;
        c.family = t.fam;
        for (; c.nroles < r->u.a.n; c.nroles++) roles[c.nroles] = r->u.a.items[c.nroles].u.s;
        c.roles = roles;
        for (size_t i = 0; i < p->u.a.n; i++) c.permissions |= symbi_permission_of(p->u.a.items[i].u.s);
        st = symbi_auth_login(a, &c, now, access, refresh, err);
    }
    return finish(st, &t, out);
}

symbi_status symbi_auth_logout(symbi_auth *a, symbi_str token, int64_t now, symbi_auth_answer *out, symbi_err *err)
{
    sy_token t;
    bool fresh;
    symbi_status st;
    memset(out, 0, sizeof *out);
    st = open_token(a, token, now, &t, out, err);
    if (st == SYMBI_EVERIFY && out->jwt == SYMBI_JWT_R_EXPIRED) st = SYMBI_OK;
    else {
        if (!st) st = remember(a, 'b', t.jti, t.exp + a->leeway + 1, now, &fresh, out, err);
        if (!st) st = end_session(a, &t, now, out, err);
    }
    return finish(st, &t, out);
}
