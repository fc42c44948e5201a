/* schemapin/bundle.c: trust bundles: what is signed, signing, and checking. Merging and finding are in bundle_docs.c. */
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "schemapin/canon.h"
#include "schemapin/docs.h"
#include "schemapin/pins.h"
#include "symbi/json.h"
#include "symbi/schemapin_net.h"

#define AUTHORITY_DOMAIN "_bundle_authority"
#define NEWEST_DOMAIN "_bundle_signed_at" /* a record whose "fingerprint" is the newest signed_at that was accepted */

/* root with its member signature set to "", or added. */
static symbi_status blanked(sy_arena *a, const symbi_value *root, symbi_value *out, symbi_err *err)
{
    symbi_member *m;
    size_t n = root->u.o.n;
    bool there = false;
    m = sy_arena_calloc(a, n + 1, sizeof *m);
    if (!m) return sy_arena_fail(a, "the bundle", err);
    for (size_t i = 0; i < n; i++) {
        m[i] = root->u.o.members[i];
        if (!sy_str_eqz(m[i].key, "signature")) continue;
        m[i].val = sy_val_str(SY_LIT(""));
        there = true;
    }
    if (!there) {
        m[n].key = SY_LIT("signature");
        m[n++].val = sy_val_str(SY_LIT(""));
    }
    *out = sy_val_object(m, n);
    return SYMBI_OK;
}

static symbi_status bytes_of(symbi_ctx *cx, sy_arena *a, const symbi_value *root, symbi_text *out, symbi_err *err)
{
    symbi_value with;
    unsigned notes = 0;
    symbi_status st = blanked(a, root, &with, err);
    return st ? st : sy_sp_write(cx, &with, SY_SP_SORTED, 0, (symbi_str){ NULL, 0 }, out, &notes, err);
}

symbi_status symbi_schemapin_bundle_bytes(symbi_ctx *cx, symbi_str json, const symbi_value *bundle, symbi_text *out, symbi_err *err)
{
    sy_arena a;
    symbi_value root;
    unsigned notes = 0;
    symbi_status st = SYMBI_OK;
    memset(out, 0, sizeof *out);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    if (!bundle) {
        st = sy_sp_read(cx, &a, json, SYMBI_SCHEMAPIN_STRICT, &root, &notes, err);
        bundle = &root;
    }
    if (!st && bundle->kind != SYMBI_OBJECT) st = sy_fail(err, SYMBI_ESCHEMA, "a trust bundle is an object");
    if (!st) st = bytes_of(cx, &a, bundle, out, err);
    sy_arena_free(&a);
    return st;
}

/* ---- signing --------------------------------------------------------------------------------------------------------- */

static bool known(symbi_str key, const char *const names[])
{
    for (; *names; names++)
        if (sy_str_eqz(key, *names)) return true;
    return false;
}

/* v with only known members; lists that every implementation expects are added. */
static symbi_status portable(sy_arena *a, const symbi_value *v, const char *const names[], const char *what, symbi_value *out, symbi_err *err)
{
    const symbi_value *revoked = symbi_value_getz(v, "revoked_keys");
    symbi_member *m;
    size_t n = 0;
    if (v->kind != SYMBI_OBJECT || !symbi_value_getz(v, "domain") || symbi_value_getz(v, "domain")->kind != SYMBI_STRING)
        return sy_fail(err, SYMBI_ESCHEMA, "a %s without a domain", what);
    m = sy_arena_calloc(a, v->u.o.n + 1, sizeof *m);
    if (!m) return sy_arena_fail(a, "the bundle", err);
    for (size_t i = 0; i < v->u.o.n; i++) {
        if (!known(v->u.o.members[i].key, names))
            return sy_fail(err, SYMBI_ESCHEMA, "member '%.*s' of a %s is not signed: other implementations drop it and could not verify", SY_FMT(v->u.o.members[i].key), what);
        if (v->u.o.members[i].val.kind == SYMBI_NULL) continue; /* written by some, left out by others */
        m[n++] = v->u.o.members[i];
    }
    if (!revoked || revoked->kind == SYMBI_NULL) {
        m[n].key = SY_LIT("revoked_keys");
        m[n++].val = sy_val_array(NULL, 0);
    }
    *out = sy_val_object(m, n);
    return SYMBI_OK;
}

static symbi_status portable_list(sy_arena *a, const symbi_value *list, const char *const names[], const char *what, symbi_value *out, symbi_err *err)
{
    symbi_value *v;
    *out = sy_val_array(NULL, 0);
    if (!list || list->kind == SYMBI_NULL) return SYMBI_OK;
    if (list->kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_ESCHEMA, "%ss is not a list", what);
    if (list->u.a.n > SYMBI_SCHEMAPIN_MAX_BUNDLE_DOCUMENTS) return sy_fail(err, SYMBI_ELIMIT, "more than %d documents in one bundle", SYMBI_SCHEMAPIN_MAX_BUNDLE_DOCUMENTS);
    v = sy_arena_calloc(a, list->u.a.n, sizeof *v);
    if (!v) return sy_arena_fail(a, "the bundle", err);
    for (size_t i = 0; i < list->u.a.n; i++) {
        symbi_status st = portable(a, &list->u.a.items[i], names, what, &v[i], err);
        if (st) return st;
    }
    *out = sy_val_array(v, list->u.a.n);
    return SYMBI_OK;
}

static symbi_status sign_in(symbi_ctx *cx, sy_arena *a, const symbi_value *bundle, const symbi_key *key, symbi_str kid, int64_t now, int64_t expires_in, symbi_text *out, symbi_err *err)
{
    static const char *const document[] = { "domain", "schema_version", "developer_name", "public_key_pem", "contact", "revoked_keys", "revocation_endpoint", NULL };
    static const char *const revocation[] = { "schemapin_version", "domain", "updated_at", "revoked_keys", NULL };
    char signed_at[21], expires_at[21];
    symbi_value documents, revocations, root;
    symbi_text pem = { 0 }, bytes = { 0 }, sig = { 0 };
    sy_obj o = sy_obj_new(a), authority = sy_obj_new(a);
    symbi_status st = portable_list(a, symbi_value_getz(bundle, "documents"), document, "document", &documents, err);
    if (!st) st = portable_list(a, symbi_value_getz(bundle, "revocations"), revocation, "revocation", &revocations, err);
    if (!st) st = symbi_key_public_pem(cx, key, &pem, err);
    if (st) return st;
    sy_sp_time_text(now, signed_at);
    sy_obj_str(&authority, "kid", kid);
    sy_obj_str(&authority, "public_key_pem", sy_arena_dup(a, symbi_text_str(&pem)));
    symbi_text_free(&pem);
    sy_obj_str(&o, "schemapin_bundle_version", SY_LIT("1.4"));
    sy_obj_str(&o, "created_at", symbi_value_str(bundle, "created_at", symbi_str_z(signed_at)));
    sy_obj_put(&o, "documents", documents);
    sy_obj_put(&o, "revocations", revocations);
    sy_obj_put(&o, "bundle_authority", sy_obj_value(&authority));
    sy_obj_str(&o, "signed_at", symbi_str_z(signed_at));
    if (expires_in) {
        sy_sp_time_text(now + expires_in, expires_at);
        sy_obj_str(&o, "expires_at", symbi_str_z(expires_at));
    }
    sy_obj_str(&o, "signature", SY_LIT(""));
    if (a->status) return sy_arena_fail(a, "the bundle", err);
    root = sy_obj_value(&o);
    st = bytes_of(cx, a, &root, &bytes, err);
    if (!st) st = symbi_schemapin_sign(cx, key, symbi_text_str(&bytes), &sig, err);
    if (!st) {
        o.m[o.n - 1].val = sy_val_str(symbi_text_str(&sig));
        root = sy_obj_value(&o);
        st = symbi_json_write(cx, &root, SYMBI_JSON_PRETTY, out, err);
    }
    symbi_text_free(&bytes);
    symbi_text_free(&sig);
    return st;
}

symbi_status symbi_schemapin_bundle_sign(symbi_ctx *cx, const symbi_value *bundle, const symbi_key *key, symbi_str kid, int64_t now, int64_t expires_in, symbi_text *out, symbi_err *err)
{
    sy_arena a;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (bundle->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "a trust bundle is an object");
    if (!symbi_key_is_private(key) || symbi_key_kind_of(key) != SYMBI_KEY_P256) return sy_fail(err, SYMBI_EINVAL, "signing needs a P-256 private key");
    if (!kid.n || kid.n > SYMBI_SCHEMAPIN_MAX_NAME) return sy_fail(err, SYMBI_EINVAL, "the authority needs a key id of at most %d bytes", SYMBI_SCHEMAPIN_MAX_NAME);
    if (expires_in < 0 || expires_in > INT64_C(1) << 40) return sy_fail(err, SYMBI_EINVAL, "expires_in is out of range");
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    st = sign_in(cx, &a, bundle, key, kid, now, expires_in, out, err);
    sy_arena_free(&a);
    return st;
}

/* ---- checking -------------------------------------------------------------------------------------------------------- */

static bool list_of_documents(const symbi_value *v)
{
    if (!v || v->kind == SYMBI_NULL) return true;
    if (v->kind != SYMBI_ARRAY || v->u.a.n > SYMBI_SCHEMAPIN_MAX_BUNDLE_DOCUMENTS) return false;
    for (size_t i = 0; i < v->u.a.n; i++) {
        const symbi_value *d = symbi_value_getz(&v->u.a.items[i], "domain");
        if (!d || d->kind != SYMBI_STRING) return false;
    }
    return true;
}

static bool is_authority(const symbi_schemapin_bundle_check *c, symbi_str fingerprint)
{
    for (size_t i = 0; i < c->nauthority; i++)
        if (sy_sp_same_hash(c->authority[i], fingerprint)) return true;
    return false;
}

/* Older than the newest that was accepted of this authority? With the time of the newest, "" when none is known. */
static bool fresh_enough(const symbi_schemapin_bundle_check *c, symbi_str kid, symbi_str signed_at, sy_sp_draft *d)
{
    int64_t ms, newest;
    bool readable = symbi_schemapin_time(signed_at, &ms);
    symbi_schemapin_pin seen;
    if (c->max_age > 0) {
        if (!readable) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_TIMESTAMP_UNSIGNED, "An age was asked for, but the trust bundle has no signed_at");
        if (c->now > ms / 1000 + c->max_age) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_BUNDLE_EXPIRED, "trust bundle was signed at %.*s, longer ago than %lld s", SY_FMT(signed_at), (long long)c->max_age);
    }
    if (!c->pins || !symbi_schemapin_pins_find(c->pins, kid, SY_LIT(NEWEST_DOMAIN), &seen) || !symbi_schemapin_time(seen.fingerprint, &newest)) return true;
    if (readable && ms >= newest) return true;
    return sy_sp_refuse(d, SYMBI_SCHEMAPIN_BUNDLE_DOWNGRADE, "trust bundle signed at '%.*s' is older than one accepted before, signed at %.*s", SY_FMT(signed_at), SY_FMT(seen.fingerprint));
}

static symbi_status remember(const symbi_schemapin_bundle_check *c, symbi_str kid, symbi_str signed_at, symbi_str fingerprint, bool first, symbi_err *err)
{
    symbi_schemapin_pin pin = { .tool_id = kid, .domain = SY_LIT(AUTHORITY_DOMAIN), .fingerprint = fingerprint };
    int64_t ms;
    symbi_status st = SYMBI_OK;
    if (!c->pins) return SYMBI_OK;
    if (first) st = symbi_schemapin_pins_add(c->pins, &pin, c->now, false, err);
    /* A time in the future is not remembered: it would lock out everything that is signed until then. */
    if (st || !symbi_schemapin_time(signed_at, &ms) || ms / 1000 > c->now + 86400) return st;
    pin.domain = SY_LIT(NEWEST_DOMAIN);
    pin.fingerprint = signed_at;
    return symbi_schemapin_pins_add(c->pins, &pin, c->now, true, err);
}

static symbi_status judge(symbi_ctx *cx, const symbi_schemapin_bundle_check *c, sy_arena *a, const symbi_value *root, sy_sp_draft *d, symbi_key **key, char fp[SYMBI_SCHEMAPIN_FINGERPRINT + 1], symbi_err *err)
{
    const symbi_value *authority = symbi_value_getz(root, "bundle_authority"), *signature = symbi_value_getz(root, "signature"), *expires = symbi_value_getz(root, "expires_at");
    symbi_str kid, pem, signed_at = symbi_value_str(root, "signed_at", SY_LIT("")), expires_at = symbi_value_str(root, "expires_at", SY_LIT(""));
    symbi_text bytes = { 0 };
    symbi_err why;
    symbi_status st;
    int64_t ms;
    bool other = false;
    const sy_sp_pin *found;
    if (!authority || authority->kind == SYMBI_NULL) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_BUNDLE_UNSIGNED, "trust bundle has no bundle_authority"), SYMBI_OK;
    if (!signature || signature->kind != SYMBI_STRING || !signature->u.s.n) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_BUNDLE_UNSIGNED, "trust bundle has no signature"), SYMBI_OK;
    if (expires && expires->kind != SYMBI_NULL) {
        if (expires->kind != SYMBI_STRING || !symbi_schemapin_time(expires_at, &ms)) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_BUNDLE_EXPIRED, "unparseable expires_at '%.*s'", SY_FMT(expires_at)), SYMBI_OK;
        d->info.expires_at = expires_at;
        d->info.valid_until = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
        if (c->now > d->info.valid_until) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_BUNDLE_EXPIRED, "trust bundle expired at %.*s", SY_FMT(expires_at)), SYMBI_OK;
    }
    kid = symbi_value_str(authority, "kid", SY_LIT(""));
    pem = symbi_value_str(authority, "public_key_pem", SY_LIT(""));
    if (!kid.n || kid.n > SYMBI_SCHEMAPIN_MAX_NAME) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_BUNDLE_INVALID, "trust bundle's bundle_authority has no usable kid"), SYMBI_OK;
    d->info.tool_id = kid;
    st = symbi_schemapin_public_key(cx, pem, key, &why);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_KEY_NOT_FOUND, "Failed to load bundle authority key: %s", why.msg), SYMBI_OK;
    symbi_schemapin_fingerprint(*key, fp);
    d->info.fingerprint = (symbi_str){ fp, SYMBI_SCHEMAPIN_FINGERPRINT };
    if (c->nauthority ? !is_authority(c, d->info.fingerprint) : !c->pins)
        return sy_sp_refuse(d, SYMBI_SCHEMAPIN_BUNDLE_AUTHORITY, c->nauthority ? "bundle authority key %s is not one that may sign bundles" : "no authority is configured and no pins are kept: nothing says whose bundle this is (key %s)", fp), SYMBI_OK;
    if (c->pins) {
        if (sy_sp_pins_look(c->pins, kid, SY_LIT(AUTHORITY_DOMAIN), d->info.fingerprint, &other, &found) == SYMBI_SCHEMAPIN_PIN_PINNED) d->info.pinning = SYMBI_SCHEMAPIN_PIN_PINNED;
        else if (other) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_KEY_PIN_MISMATCH, "bundle authority key for kid '%.*s' changed since first use", SY_FMT(kid)), SYMBI_OK;
        else d->info.pinning = SYMBI_SCHEMAPIN_PIN_FIRST_USE;
    }
    st = bytes_of(cx, a, root, &bytes, err);
    if (!st) st = symbi_sha256(cx, symbi_text_str(&bytes), d->info.digest, err);
    if (!st) {
        st = symbi_schemapin_verify(cx, *key, symbi_text_str(&bytes), signature->u.s, &why);
        if (st && st != SYMBI_EVERIFY && err) *err = why;
    }
    symbi_text_free(&bytes);
    if (st == SYMBI_EVERIFY) {
        sy_sp_detail(d, "%s", why.msg);
        return sy_sp_refuse(d, SYMBI_SCHEMAPIN_SIGNATURE_INVALID, "trust bundle signature does not verify"), SYMBI_OK;
    }
    if (st) return st;
    d->info.has_digest = true;
    d->info.form = SYMBI_SCHEMAPIN_FORM_V1;
    if (!list_of_documents(symbi_value_getz(root, "documents")) || !list_of_documents(symbi_value_getz(root, "revocations")))
        return sy_sp_refuse(d, SYMBI_SCHEMAPIN_BUNDLE_INVALID, "trust bundle's documents or revocations are not lists of documents with a domain"), SYMBI_OK;
    if (!fresh_enough(c, kid, signed_at, d)) return SYMBI_OK;
    return remember(c, kid, signed_at, d->info.fingerprint, d->info.pinning == SYMBI_SCHEMAPIN_PIN_FIRST_USE, err);
}

symbi_status symbi_schemapin_check_bundle(symbi_ctx *cx, const symbi_schemapin_bundle_check *c, symbi_schemapin_result **out, symbi_err *err)
{
    sy_sp_draft d = { 0 };
    sy_arena a;
    symbi_value read;
    const symbi_value *root = c->value;
    symbi_key *key = NULL;
    char fp[SYMBI_SCHEMAPIN_FINGERPRINT + 1];
    unsigned notes = 0;
    symbi_err why;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    if (c->size != sizeof *c) return sy_fail(err, SYMBI_EINVAL, "symbi_schemapin_bundle_check of another version");
    d.info.subject = SYMBI_SCHEMAPIN_BUNDLE;
    d.info.checked_at = c->now;
    d.info.valid_until = INT64_MAX;
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    if (!root) {
        st = c->json.n > SYMBI_SCHEMAPIN_MAX_BUNDLE ? sy_fail(&why, SYMBI_ELIMIT, "larger than %d bytes", SYMBI_SCHEMAPIN_MAX_BUNDLE) : sy_sp_read(cx, &a, c->json, SYMBI_SCHEMAPIN_STRICT, &read, &notes, &why);
        root = &read;
        if (st == SYMBI_EPARSE || st == SYMBI_ESCHEMA || st == SYMBI_ELIMIT) {
            st = SYMBI_OK;
            root = NULL;
            sy_sp_refuse(&d, SYMBI_SCHEMAPIN_BUNDLE_INVALID, "trust bundle cannot be read: %s", why.msg);
        } else if (st && err) *err = why;
    }
    if (!st && root && root->kind != SYMBI_OBJECT) {
        sy_sp_refuse(&d, SYMBI_SCHEMAPIN_BUNDLE_INVALID, "trust bundle is not an object");
        root = NULL;
    }
    if (!st && root) st = judge(cx, c, &a, root, &d, &key, fp, err);
    if (!st) st = sy_sp_result_make(cx, &d, out, err);
    symbi_key_unref(key);
    sy_arena_free(&a);
    return st;
}
