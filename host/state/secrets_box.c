/* state/secrets_box.c: the containers of spec orga-runtime.md section 2. AES-256-GCM throughout; what differs is where the key comes
 * from. Nothing is derived before the form of a container is known to be right, because deriving costs 64 MiB. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "state/secrets_in.h"
#include "symbi/json.h"
#include "symbi/secrets.h"

#include <string.h>

enum { SY_NONCE = 12, SY_TAG = 16, SY_SALT = 32, SY_KEY = 32 };
static const char k_algorithm[] = "AES-256-GCM";

/* ---- wiping memory ---- */

static void *wiping_fn(void *ud, void *p, size_t o, size_t n)
{
    symbi_alloc *under = ud;
    void *q = NULL;
    if (n) {
        q = under->fn(under->ud, NULL, 0, n);
        if (!q || !p) return q;
        memcpy(q, p, o < n ? o : n);
    }
    if (p) {
        symbi_wipe(p, o);
        under->fn(under->ud, p, o, 0);
    }
    return q;
}

void sy_wiping_init(sy_wiping *w, symbi_alloc under)
{
    w->under = under;
    w->wiping.fn = wiping_fn;
    w->wiping.ud = &w->under;
}

symbi_ctx sy_wiping_ctx(const symbi_ctx *cx, const sy_wiping *w)
{
    symbi_ctx t = *cx;
    t.alloc = t.shared = w->wiping;
    memset(t.slot, 0, sizeof t.slot);
    return t;
}

/* ---- words ---- */

const char *symbi_box_reason_name(symbi_box_reason r)
{
#define NAME(name, text) #name,
    static const char *const t[] = { SYMBI_BOX_REASON_LIST(NAME) };
#undef NAME
    return (size_t)r < SYMBI_BOX_REASON_COUNT ? t[r] : "NOT_BOX";
}

const char *symbi_box_reason_text(symbi_box_reason r)
{
#define TEXT(name, text) text,
    static const char *const t[] = { SYMBI_BOX_REASON_LIST(TEXT) };
#undef TEXT
    return (size_t)r < SYMBI_BOX_REASON_COUNT ? t[r] : "not a container";
}

static symbi_status bad(symbi_box_reason *reason, symbi_box_reason r, symbi_status st, symbi_err *err)
{
    *reason = r;
    return sy_fail(err, st, "%s", symbi_box_reason_text(r));
}

/* ---- keys ---- */

static symbi_status raw_key(symbi_str text, uint8_t key[SY_KEY])
{
    uint8_t b[SY_KEY + 8];
    size_t n = 0;
    symbi_status st = SYMBI_EINVAL;
    if (text.n == 44 && sy_base64_decode(text, SY_BASE64, b, &n, NULL) == SYMBI_OK && n == SY_KEY) {
        memcpy(key, b, SY_KEY);
        st = SYMBI_OK;
    }
    symbi_wipe(b, sizeof b);
    return st;
}

/* The key for a kind that has no salt. */
static symbi_status plain_key(symbi_ctx *cx, symbi_box_kind kind, symbi_str text, uint8_t key[SY_KEY], symbi_box_reason *reason, symbi_err *err)
{
    if (kind == SYMBI_BOX_RAW) return raw_key(text, key) ? bad(reason, SYMBI_BOX_R_KEY, SYMBI_EINVAL, err) : SYMBI_OK;
    if (!text.n) return bad(reason, SYMBI_BOX_R_KEY, SYMBI_EINVAL, err);
    return symbi_sha256(cx, text, key, err);
}

typedef struct sy_kdf {
    symbi_argon2_cost cost;
    bool ad;
} sy_kdf;

/* What a label means; false for an unknown one. */
static bool kdf_of(symbi_str label, unsigned flags, sy_kdf *out)
{
    static const symbi_argon2_cost now = { 65536, 3, 1 }, old = { 19456, 2, 1 };
    out->ad = sy_str_eqz(label, SYMBI_BOX_LABEL);
    out->cost = now;
    if (out->ad || sy_str_eqz(label, SYMBI_BOX_LABEL_UPSTREAM)) return true;
    out->cost = old;
    return (flags & SYMBI_BOX_LEGACY_KDF) != 0;
}

static symbi_str associated(const sy_kdf *k)
{
    return k->ad ? SY_LIT("AES-256-GCM" SYMBI_BOX_LABEL) : SY_LIT("");
}

/* ---- sealing ---- */

/* Seals, and opens what was sealed once more: a container that cannot be read must never replace one that can. */
static symbi_status seal_into(symbi_ctx *cx, const uint8_t key[SY_KEY], const uint8_t nonce[SY_NONCE], symbi_str ad, symbi_str plain, uint8_t *out, symbi_err *err)
{
    symbi_status st = symbi_aes256gcm_seal(cx, key, nonce, ad, plain, out, out + plain.n, err);
    uint8_t *again;
    if (st) return st;
    again = sy_alloc(&cx->alloc, plain.n + 1);
    if (!again) return sy_fail_nomem(err);
    st = symbi_aes256gcm_open(cx, key, nonce, ad, (symbi_str){ (const char *)out, plain.n }, out + plain.n, again, err);
    if (!st && plain.n && memcmp(again, plain.p, plain.n) != 0) st = sy_fail(err, SYMBI_ECRYPTO, "what was encrypted cannot be read back");
    symbi_wipe(again, plain.n);
    sy_free(&cx->alloc, again, plain.n + 1);
    return st;
}

static void add_field(sy_buf *b, const char *name, const void *p, size_t n)
{
    sy_buf_addc(b, b->n ? ',' : '{');
    sy_buf_addf(b, "\"%s\":\"", name);
    sy_base64_add(b, p, n, SY_BASE64);
    sy_buf_addc(b, '"');
}

symbi_status symbi_box_seal(symbi_ctx *cx, symbi_box_kind kind, symbi_str key_text, symbi_str plain, unsigned flags, symbi_text *out, symbi_err *err)
{
    uint8_t key[SY_KEY], nonce[SY_NONCE], salt[SY_SALT], *body = NULL;
    size_t nbody = plain.n + SY_TAG;
    const char *label = flags & SYMBI_BOX_UPSTREAM ? SYMBI_BOX_LABEL_UPSTREAM : SYMBI_BOX_LABEL;
    symbi_box_reason why = SYMBI_BOX_R_OK;
    sy_kdf kdf = { { 0, 0, 0 }, false };
    symbi_status st;
    sy_buf b;
    memset(out, 0, sizeof *out);
    if (kind == SYMBI_BOX_SHELL) return sy_fail(err, SYMBI_EUNSUPPORTED, "the shell's container is read, not written: its key is not stretched");
    if (kind != SYMBI_BOX_ENVELOPE && kind != SYMBI_BOX_RAW) return sy_fail(err, SYMBI_EINVAL, "no such container");
    if (plain.n > SYMBI_SECRETS_MAX_BYTES) return sy_fail(err, SYMBI_ELIMIT, "more than %d bytes to encrypt", SYMBI_SECRETS_MAX_BYTES);
    if (kind == SYMBI_BOX_ENVELOPE) {
        if (!key_text.n) return bad(&why, SYMBI_BOX_R_KEY, SYMBI_EINVAL, err);
        if ((st = symbi_ctx_random(cx, salt, sizeof salt, err))) return st;
        kdf_of(symbi_str_z(label), 0, &kdf);
        st = symbi_argon2id(cx, key_text, (symbi_str){ (const char *)salt, sizeof salt }, kdf.cost, key, sizeof key, err);
    } else st = plain_key(cx, kind, key_text, key, &why, err);
    if (!st) st = symbi_ctx_random(cx, nonce, sizeof nonce, err);
    if (!st && !(body = sy_alloc(&cx->alloc, nbody))) st = sy_fail_nomem(err);
    if (!st) st = seal_into(cx, key, nonce, associated(&kdf), plain, body, err);
    symbi_wipe(key, sizeof key);
    if (!st) {
        sy_buf_init(&b, cx->alloc, SIZE_MAX / 4);
        if (kind == SYMBI_BOX_ENVELOPE) {
            add_field(&b, "ciphertext", body, nbody);
            add_field(&b, "nonce", nonce, sizeof nonce);
            add_field(&b, "salt", salt, sizeof salt);
            sy_buf_addf(&b, ",\"algorithm\":\"%s\",\"kdf\":\"%s\"}", k_algorithm, label);
        } else {
            sy_buf_add(&b, nonce, sizeof nonce);
            sy_buf_add(&b, body, nbody);
        }
        st = sy_buf_take(&b, out, "the container", err);
    }
    sy_free(&cx->alloc, body, nbody);
    return st;
}

/* ---- opening ---- */

/* nonce, then cipher text with its tag at the end. */
static symbi_status open_body(symbi_ctx *cx, const uint8_t key[SY_KEY], const uint8_t *nonce, symbi_str ad, symbi_str body, symbi_text *out, symbi_box_reason *reason, symbi_err *err)
{
    size_t n = body.n - SY_TAG;
    char *plain = sy_alloc(&cx->alloc, n + 1);
    symbi_status st;
    if (!plain) return sy_fail_nomem(err);
    st = symbi_aes256gcm_open(cx, key, nonce, ad, (symbi_str){ body.p, n }, (const uint8_t *)body.p + n, (uint8_t *)plain, err);
    if (st) {
        symbi_wipe(plain, n);
        sy_free(&cx->alloc, plain, n + 1);
        return st == SYMBI_EVERIFY ? bad(reason, SYMBI_BOX_R_DECRYPT, st, err) : st;
    }
    plain[n] = 0;
    *out = (symbi_text){ .p = plain, .n = n, .cap = n + 1, .alloc = cx->alloc };
    return SYMBI_OK;
}

static symbi_status open_bytes(symbi_ctx *cx, symbi_box_kind kind, symbi_str key_text, symbi_str box, symbi_text *out, symbi_box_reason *reason, symbi_err *err)
{
    uint8_t key[SY_KEY];
    symbi_status st = plain_key(cx, kind, key_text, key, reason, err);
    if (st) return st;
    if (box.n < SY_NONCE + SY_TAG) st = bad(reason, SYMBI_BOX_R_TRUNCATED, SYMBI_EPARSE, err);
    else st = open_body(cx, key, (const uint8_t *)box.p, SY_LIT(""), (symbi_str){ box.p + SY_NONCE, box.n - SY_NONCE }, out, reason, err);
    symbi_wipe(key, sizeof key);
    return st;
}

/* Decodes a field of at most max bytes into memory of the doc's own size class. */
static symbi_status field(symbi_ctx *cx, const symbi_value *v, const char *name, symbi_text *out, symbi_box_reason *reason, symbi_err *err)
{
    const symbi_value *f = symbi_value_getz(v, name);
    size_t cap, n = 0;
    if (!f || f->kind != SYMBI_STRING) {
        *reason = SYMBI_BOX_R_NOT_BOX;
        return sy_fail(err, SYMBI_ESCHEMA, "%s: %s is missing", symbi_box_reason_text(SYMBI_BOX_R_NOT_BOX), name);
    }
    cap = sy_base64_decoded_max(f->u.s.n) + 1;
    out->p = sy_alloc(&cx->alloc, cap);
    if (!out->p) return sy_fail_nomem(err);
    out->cap = cap;
    out->alloc = cx->alloc;
    if (sy_base64_decode(f->u.s, SY_BASE64, out->p, &n, NULL)) {
        *reason = SYMBI_BOX_R_BASE64;
        return sy_fail(err, SYMBI_EPARSE, "%s is not base64", name);
    }
    out->n = n;
    return SYMBI_OK;
}

static symbi_status open_envelope(symbi_ctx *cx, symbi_str password, symbi_str box, unsigned flags, symbi_text *out, symbi_box_reason *reason, symbi_err *err)
{
    symbi_text cipher = { 0 }, nonce = { 0 }, salt = { 0 };
    const symbi_str none = { NULL, 0 };
    uint8_t key[SY_KEY];
    const symbi_value *v;
    symbi_doc *d = NULL;
    symbi_str alg, label;
    sy_kdf kdf;
    symbi_status st;
    st = symbi_json_parse(cx, box, &d, err); /* an empty password is a wrong one like any other: only sealing refuses it */
    if (st == SYMBI_ENOMEM) return st;
    if (st) { /* an envelope that stops before its brace was cut off */
        char last = 0;
        for (size_t i = box.n; i && !last; i--)
            if (!strchr(" \t\r\n", box.p[i - 1])) last = box.p[i - 1];
        return bad(reason, box.p[0] == '{' && last != '}' ? SYMBI_BOX_R_TRUNCATED : SYMBI_BOX_R_NOT_BOX, SYMBI_EPARSE, err);
    }
    v = symbi_doc_root(d);
    st = field(cx, v, "ciphertext", &cipher, reason, err);
    if (!st) st = field(cx, v, "nonce", &nonce, reason, err);
    if (!st) st = field(cx, v, "salt", &salt, reason, err);
    alg = symbi_value_str(v, "algorithm", none);
    label = symbi_value_str(v, "kdf", none);
    if (!st && (!alg.p || !sy_str_eqz(alg, k_algorithm))) st = bad(reason, SYMBI_BOX_R_ALGORITHM, SYMBI_ESCHEMA, err);
    if (!st && (!label.p || !kdf_of(label, flags, &kdf))) {
        *reason = SYMBI_BOX_R_KDF;
        st = sy_fail(err, SYMBI_ESCHEMA, "the key derivation \"%.*s\" is none we know (legacy_kdf reads old files)", SY_FMT(label));
    }
    if (!st && (nonce.n != SY_NONCE || salt.n < 8 || salt.n > 64)) st = bad(reason, SYMBI_BOX_R_NONCE, SYMBI_ESCHEMA, err);
    if (!st && cipher.n < SY_TAG) st = bad(reason, SYMBI_BOX_R_DECRYPT, SYMBI_EVERIFY, err);
    if (!st) {
        st = symbi_argon2id(cx, password, symbi_text_str(&salt), kdf.cost, key, sizeof key, err);
        if (!st) st = open_body(cx, key, (const uint8_t *)nonce.p, associated(&kdf), symbi_text_str(&cipher), out, reason, err);
        symbi_wipe(key, sizeof key);
    }
    symbi_text_free(&cipher);
    symbi_text_free(&nonce);
    symbi_text_free(&salt);
    symbi_doc_unref(d);
    return st;
}

symbi_status symbi_box_open(symbi_ctx *cx, symbi_box_kind kind, symbi_str key, symbi_str box, unsigned flags, symbi_text *out, symbi_box_reason *reason, symbi_err *err)
{
    symbi_box_reason r;
    if (!reason) reason = &r;
    *reason = SYMBI_BOX_R_OK;
    memset(out, 0, sizeof *out);
    if (!box.n) return bad(reason, SYMBI_BOX_R_EMPTY, SYMBI_EPARSE, err);
    if (box.n > (size_t)SYMBI_SECRETS_MAX_BYTES * 2) return sy_fail(err, SYMBI_ELIMIT, "the container is larger than %d bytes", SYMBI_SECRETS_MAX_BYTES * 2);
    switch (kind) {
    case SYMBI_BOX_ENVELOPE: return open_envelope(cx, key, box, flags, out, reason, err);
    case SYMBI_BOX_RAW:
    case SYMBI_BOX_SHELL: return open_bytes(cx, kind, key, box, out, reason, err);
    default: return sy_fail(err, SYMBI_EINVAL, "no such container");
    }
}

symbi_box_kind symbi_box_guess(symbi_ctx *cx, symbi_str box)
{
    symbi_doc *d = NULL;
    const symbi_value *v;
    sy_wiping mem;
    symbi_ctx wipe;
    bool is = false;
    sy_wiping_init(&mem, cx->alloc); /* it may be a file in plain text */
    wipe = sy_wiping_ctx(cx, &mem);
    if (symbi_json_parse(&wipe, box, &d, NULL) == SYMBI_OK) {
        v = symbi_doc_root(d);
        is = symbi_value_getz(v, "ciphertext") && symbi_value_getz(v, "nonce") && symbi_value_getz(v, "algorithm");
    }
    symbi_doc_unref(d);
    return is ? SYMBI_BOX_ENVELOPE : (symbi_box_kind)0;
}
