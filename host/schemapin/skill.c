/* schemapin/skill.c: signature files of skill folders and of single files: written, and checked. The signature covers paths and
 * contents only; everything else in the file can be edited by anybody. What can be compared with what was signed is compared
 * (hash, manifest, key id, the domain that was asked for); what cannot, the times above all, never makes a result better. */
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "schemapin/docs.h"
#include "schemapin/folder.h"
#include "symbi/json.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- signing --------------------------------------------------------------------------------------------------------- */

static void put_text(sy_obj *o, const char *key, symbi_str s)
{
    if (s.n) sy_obj_str(o, key, s);
}

static symbi_status signature_document(symbi_ctx *cx, symbi_schemapin_folder *f, const symbi_key *key, const symbi_schemapin_skill_options *o, symbi_str signature, const symbi_value *manifest, symbi_text *out, symbi_err *err)
{
    char hash[SYMBI_SCHEMAPIN_FINGERPRINT + 1], kid[SYMBI_SCHEMAPIN_FINGERPRINT + 1], signed_at[21], expires_at[21];
    bool v14 = o->has_expires_in || o->schema_version.n || o->previous_hash.n || o->canonicalization.n;
    symbi_status st;
    sy_arena a;
    sy_obj d;
    symbi_value root;
    sy_arena_init(&a, cx->alloc, 64 << 10);
    d = sy_obj_new(&a);
    sy_sp_hash_text(f->root, hash);
    symbi_schemapin_fingerprint(key, kid);
    sy_sp_time_text(o->now, signed_at);
    sy_obj_str(&d, "schemapin_version", v14 ? SY_LIT("1.4") : SY_LIT("1.3"));
    sy_obj_str(&d, "skill_name", o->skill_name);
    sy_obj_str(&d, "skill_hash", symbi_str_z(hash));
    sy_obj_str(&d, "signature", signature);
    sy_obj_str(&d, "signed_at", symbi_str_z(signed_at));
    if (o->has_expires_in) {
        sy_sp_time_text(o->now + o->expires_in, expires_at);
        sy_obj_str(&d, "expires_at", symbi_str_z(expires_at));
    }
    put_text(&d, "schema_version", o->schema_version);
    put_text(&d, "previous_hash", o->previous_hash);
    put_text(&d, "canonicalization", o->canonicalization);
    sy_obj_str(&d, "domain", o->domain);
    sy_obj_str(&d, "signer_kid", o->signer_kid.n ? o->signer_kid : symbi_str_z(kid));
    sy_obj_put(&d, "file_manifest", *manifest);
    root = sy_obj_value(&d);
    st = a.status ? sy_arena_fail(&a, "the signature file", err) : symbi_json_write(cx, &root, SYMBI_JSON_PRETTY, out, err);
    sy_arena_free(&a);
    return st;
}

symbi_status symbi_schemapin_skill_sign(symbi_ctx *cx, symbi_schemapin_folder *f, const symbi_key *key, const symbi_schemapin_skill_options *o, symbi_text *out, symbi_err *err)
{
    symbi_text sig;
    symbi_doc *manifest = NULL;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (o->size != sizeof *o) return sy_fail(err, SYMBI_EINVAL, "symbi_schemapin_skill_options of another version");
    if (!symbi_key_is_private(key) || symbi_key_kind_of(key) != SYMBI_KEY_P256) return sy_fail(err, SYMBI_EINVAL, "signing needs a P-256 private key");
    if (!o->skill_name.n) return sy_fail(err, SYMBI_EINVAL, "a skill needs a name");
    if (o->canonicalization.n && !symbi_schemapin_canonicalization_ok(o->canonicalization)) return sy_fail(err, SYMBI_EUNSUPPORTED, "Unsupported canonicalization algorithm: %.*s", SY_FMT(o->canonicalization));
    if (o->has_expires_in && (o->expires_in > INT64_C(1) << 40 || o->expires_in < -(INT64_C(1) << 40))) return sy_fail(err, SYMBI_EINVAL, "expires_in is out of range");
    st = sy_sp_folder_finish(f, err);
    if (st) return st;
    if (o->file && f->n != 1) return sy_fail(err, SYMBI_EINVAL, "a file's signature is over one file, not %zu", f->n);
    st = symbi_schemapin_sign(cx, key, (symbi_str){ (const char *)f->root, 32 }, &sig, err);
    if (st) return st;
    st = symbi_schemapin_folder_manifest(f, &manifest, err);
    if (!st) st = signature_document(cx, f, key, o, symbi_text_str(&sig), symbi_doc_root(manifest), out, err);
    symbi_doc_unref(manifest);
    symbi_text_free(&sig);
    if (!st && (!out->n || out->p[out->n - 1] != '\n')) { /* a final newline, as everybody writes it */
        sy_buf b;
        symbi_text with;
        sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
        sy_buf_add(&b, out->p, out->n);
        sy_buf_addc(&b, '\n');
        symbi_text_free(out);
        st = sy_buf_take(&b, &with, "the signature file", err);
        if (!st) *out = with;
    }
    return st;
}

/* ---- lineage --------------------------------------------------------------------------------------------------------- */

symbi_status symbi_schemapin_chain(const symbi_value *current, const symbi_value *previous, symbi_err *err)
{
    symbi_str p = symbi_value_str(current, "previous_hash", SY_LIT("")), h = symbi_value_str(previous, "skill_hash", SY_LIT(""));
    if (!p.n) return sy_fail(err, SYMBI_EVERIFY, "current signature has no previous_hash field");
    if (!sy_str_eq(p, h)) return sy_fail(err, SYMBI_EVERIFY, "previous_hash mismatch: current.previous_hash = %.*s, previous.skill_hash = %.*s", SY_FMT(p), SY_FMT(h));
    return SYMBI_OK;
}

static int by_key(const void *a, const void *b)
{
    return sy_str_cmp((*(const symbi_member *const *)a)->key, (*(const symbi_member *const *)b)->key);
}

/* The members of v (an object, checked) in order of their keys; NULL when out of memory, in the arena. */
static const symbi_member **sorted(sy_arena *a, const symbi_value *v)
{
    const symbi_member **m = sy_arena_calloc(a, v->u.o.n + 1, sizeof *m);
    if (!m) return NULL;
    for (size_t i = 0; i < v->u.o.n; i++) m[i] = &v->u.o.members[i];
    if (v->u.o.n > 1) qsort(m, v->u.o.n, sizeof *m, by_key);
    return m;
}

static bool is_manifest(const symbi_value *v)
{
    if (!v || v->kind != SYMBI_OBJECT) return false;
    for (size_t i = 0; i < v->u.o.n; i++)
        if (v->u.o.members[i].val.kind != SYMBI_STRING) return false;
    return true;
}

typedef struct difference {
    sy_arr modified, added, removed;
} difference;

static bool compare(sy_arena *a, const symbi_value *current, const symbi_value *old, difference *d)
{
    const symbi_member **c = sorted(a, current), **o = sorted(a, old);
    size_t i = 0, k = 0;
    d->modified = d->added = d->removed = sy_arr_new(a);
    while (c && o && (i < current->u.o.n || k < old->u.o.n)) {
        int order = i == current->u.o.n ? 1 : k == old->u.o.n ? -1 : sy_str_cmp(c[i]->key, o[k]->key);
        if (order < 0) sy_arr_add(&d->added, sy_val_str(c[i++]->key));
        else if (order > 0) sy_arr_add(&d->removed, sy_val_str(o[k++]->key));
        else {
            if (!sy_str_eq(c[i]->val.u.s, o[k]->val.u.s)) sy_arr_add(&d->modified, sy_val_str(c[i]->key));
            i++;
            k++;
        }
    }
    return !a->status;
}

symbi_status symbi_schemapin_tampered(symbi_ctx *cx, const symbi_value *current, const symbi_value *signed_manifest, symbi_doc **out, symbi_err *err)
{
    sy_arena a;
    difference d;
    sy_obj o;
    symbi_value root;
    symbi_status st;
    *out = NULL;
    if (!is_manifest(current) || !is_manifest(signed_manifest)) return sy_fail(err, SYMBI_ESCHEMA, "a manifest is an object of texts");
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    o = sy_obj_new(&a);
    if (compare(&a, current, signed_manifest, &d)) {
        sy_obj_put(&o, "modified", sy_arr_value(&d.modified));
        sy_obj_put(&o, "added", sy_arr_value(&d.added));
        sy_obj_put(&o, "removed", sy_arr_value(&d.removed));
    }
    root = sy_obj_value(&o);
    st = a.status ? sy_arena_fail(&a, "the comparison", err) : symbi_doc_copy(cx, &root, out, err);
    sy_arena_free(&a);
    return st;
}

/* ---- checking -------------------------------------------------------------------------------------------------------- */

static void list_names(char *buf, size_t cap, size_t *n, const char *what, const sy_arr *r)
{
    for (size_t i = 0; i < r->n && i < 4 && *n + 1 < cap; i++) {
        int w = snprintf(buf + *n, cap - *n, "%s%s %.*s", *n ? ", " : "", what, (int)(r->v[i].u.s.n > 60 ? 60 : r->v[i].u.s.n), r->v[i].u.s.p);
        if (w < 0) return;
        *n += (size_t)w < cap - *n ? (size_t)w : cap - *n - 1;
    }
}

/* Which files differ from the manifest that the signature file carries: into d's detail. True when none does. */
static symbi_status compare_files(symbi_ctx *cx, symbi_schemapin_folder *f, const symbi_value *listed, sy_sp_draft *d, bool *same, symbi_err *err)
{
    symbi_doc *now = NULL;
    symbi_status st = symbi_schemapin_folder_manifest(f, &now, err);
    sy_arena a;
    difference diff;
    *same = false;
    if (st) return st;
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    if (!compare(&a, symbi_doc_root(now), listed, &diff)) st = sy_arena_fail(&a, "the comparison", err);
    else {
        char names[300] = "";
        size_t n = 0;
        *same = !diff.modified.n && !diff.added.n && !diff.removed.n;
        list_names(names, sizeof names, &n, "modified", &diff.modified);
        list_names(names, sizeof names, &n, "added", &diff.added);
        list_names(names, sizeof names, &n, "removed", &diff.removed);
        if (!*same) sy_sp_detail(d, "%s", names);
    }
    sy_arena_free(&a);
    symbi_doc_unref(now);
    return st;
}

/* skill_hash in either meaning: of the root itself, or (Rust) of SHA-256 of the root. */
static symbi_status hash_fits(symbi_ctx *cx, const symbi_schemapin_folder *f, symbi_str said, bool *fits, symbi_err *err)
{
    char text[SYMBI_SCHEMAPIN_FINGERPRINT + 1];
    uint8_t twice[32];
    symbi_status st;
    sy_sp_hash_text(f->root, text);
    *fits = sy_sp_same_hash(said, symbi_str_z(text));
    if (*fits) return SYMBI_OK;
    st = symbi_sha256(cx, (symbi_str){ (const char *)f->root, 32 }, twice, err);
    if (st) return st;
    sy_sp_hash_text(twice, text);
    *fits = sy_sp_same_hash(said, symbi_str_z(text));
    return SYMBI_OK;
}

static symbi_status judge_metadata(symbi_ctx *cx, const symbi_schemapin_skill_check *c, const symbi_value *sig, sy_sp_draft *d, bool *good, symbi_err *err)
{
    symbi_str hash, kid;
    const symbi_value *manifest = symbi_value_getz(sig, "file_manifest");
    symbi_status st;
    *good = false;
    hash = symbi_value_str(sig, "skill_hash", SY_LIT(""));
    if (hash.n) {
        bool fits;
        st = hash_fits(cx, c->folder, hash, &fits, err);
        if (st) return st;
        if (!fits) {
            sy_sp_refuse(d, SYMBI_SCHEMAPIN_FILES_TAMPERED, "skill_hash of the signature file is not the folder's");
            return SYMBI_OK;
        }
    }
    if (manifest && manifest->kind != SYMBI_NULL) {
        bool same;
        if (!is_manifest(manifest)) {
            sy_sp_refuse(d, SYMBI_SCHEMAPIN_FILES_TAMPERED, "file_manifest of the signature file is not a list of files");
            return SYMBI_OK;
        }
        st = compare_files(cx, c->folder, manifest, d, &same, err);
        if (st) return st;
        if (!same) {
            sy_sp_refuse(d, SYMBI_SCHEMAPIN_FILES_TAMPERED, "file_manifest of the signature file is not the folder's");
            return SYMBI_OK;
        }
    }
    kid = symbi_value_str(sig, "signer_kid", SY_LIT(""));
    if (kid.n == SYMBI_SCHEMAPIN_FINGERPRINT && sy_sp_same_hash((symbi_str){ kid.p, 7 }, SY_LIT("sha256:")) && !sy_sp_same_hash(kid, d->info.fingerprint)) {
        sy_sp_refuse(d, SYMBI_SCHEMAPIN_SIGNER_MISMATCH, "signer_kid %.*s is not the key that verifies, %.*s", SY_FMT(kid), SY_FMT(d->info.fingerprint));
        return SYMBI_OK;
    }
    *good = true;
    return SYMBI_OK;
}

static bool hash_folder(const symbi_schemapin_skill_check *c, sy_sp_draft *d, symbi_status *st, symbi_err *err)
{
    symbi_err why;
    *st = sy_sp_folder_finish(c->folder, &why);
    if (!*st && c->file && c->folder->n != 1) *st = sy_fail(&why, SYMBI_ESCHEMA, "one file was expected, not %zu", c->folder->n);
    if (*st == SYMBI_ENOMEM || *st == SYMBI_ESTATE || *st == SYMBI_ECRYPTO) {
        if (err) *err = why;
        return false;
    }
    if (*st) {
        *st = SYMBI_OK;
        return sy_sp_refuse(d, SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED, "Failed to canonicalize skill: %s", why.msg);
    }
    memcpy(d->info.digest, c->file ? c->folder->first : c->folder->root, 32);
    d->info.has_digest = true;
    return true;
}

static symbi_status judge(symbi_ctx *cx, const symbi_schemapin_skill_check *c, const symbi_value *sig, sy_sp_draft *d, symbi_err *err)
{
    sy_sp_common common = { .discovery = c->discovery, .revocation = c->revocation, .pins = c->pins, .only_pinned = c->only_pinned, .now = c->now };
    symbi_schemapin_meta meta = c->meta;
    const symbi_value *canonicalization = symbi_value_getz(sig, "canonicalization"), *signature = symbi_value_getz(sig, "signature");
    const symbi_key *key;
    symbi_status st = SYMBI_OK;
    bool good = false;
    common.domain = d->info.domain = symbi_value_str(sig, "domain", SY_LIT(""));
    common.tool_id = c->tool_id.n ? c->tool_id : symbi_value_str(sig, "skill_name", SY_LIT(""));
    if (!common.tool_id.n) common.tool_id = c->dir_name;
    d->info.tool_id = common.tool_id;
    if (common.domain.n > SYMBI_SCHEMAPIN_MAX_NAME || common.tool_id.n > SYMBI_SCHEMAPIN_MAX_NAME) {
        d->info.domain = d->info.tool_id = SY_LIT("");
        sy_sp_refuse(d, SYMBI_SCHEMAPIN_SIGNATURE_INVALID, "The signature file's domain or skill_name is too long");
        return SYMBI_OK;
    }
    if (canonicalization && canonicalization->kind != SYMBI_NULL) common.canonicalization = canonicalization->kind == SYMBI_STRING ? canonicalization->u.s : SY_LIT("(not a text)");
    if (!sy_sp_before_signature(d, &common, &key)) return SYMBI_OK;
    if (!hash_folder(c, d, &st, err)) return st;
    if (signature && signature->kind == SYMBI_STRING) {
        st = sy_sp_try_forms(cx, d, key, (symbi_str){ (const char *)c->folder->root, 32 }, (symbi_str){ c->folder->hex, c->folder->n * 64 }, c->allow_single, signature->u.s, &good, err);
        if (st) return st;
    }
    if (!good) {
        const symbi_value *manifest = symbi_value_getz(sig, "file_manifest");
        bool same;
        if (is_manifest(manifest) && (st = compare_files(cx, c->folder, manifest, d, &same, err))) return st;
        sy_sp_refuse(d, SYMBI_SCHEMAPIN_SIGNATURE_INVALID, "Signature verification failed");
        return SYMBI_OK;
    }
    if (c->domain.n && !sy_sp_same_hash(c->domain, common.domain)) {
        sy_sp_refuse(d, SYMBI_SCHEMAPIN_DOMAIN_MISMATCH, "The signature file names domain '%.*s', the discovery document is of '%.*s'", SY_FMT(common.domain), SY_FMT(c->domain));
        return SYMBI_OK;
    }
    if (!c->ignore_metadata) {
        st = judge_metadata(cx, c, sig, d, &good, err);
        if (st || !good) return st;
    }
    if (!sy_sp_judge_dns(d, c->dns_fingerprint)) return SYMBI_OK;
    meta.expires_at = symbi_value_str(sig, "expires_at", SY_LIT(""));
    meta.signed_at = symbi_value_str(sig, "signed_at", SY_LIT(""));
    meta.schema_version = symbi_value_str(sig, "schema_version", SY_LIT(""));
    meta.previous_hash = symbi_value_str(sig, "previous_hash", SY_LIT(""));
    { /* an expires_at that is no text must not count as none */
        const symbi_value *e = symbi_value_getz(sig, "expires_at");
        if (e && e->kind != SYMBI_NULL && e->kind != SYMBI_STRING) meta.expires_at = SY_LIT("(not a text)");
    }
    if (!sy_sp_judge_meta(d, &meta, c->now)) return SYMBI_OK;
    return sy_sp_after_signature(d, &common, err);
}

symbi_status symbi_schemapin_check_skill(symbi_ctx *cx, const symbi_schemapin_skill_check *c, symbi_schemapin_result **out, symbi_err *err)
{
    sy_sp_draft d = { 0 };
    symbi_doc *doc = NULL;
    const symbi_value *sig = c->signature;
    symbi_status st = SYMBI_OK;
    symbi_err why;
    *out = NULL;
    if (c->size != sizeof *c || !c->folder) return sy_fail(err, SYMBI_EINVAL, "symbi_schemapin_skill_check of another version, or without a folder");
    if (c->dir_name.n > SYMBI_SCHEMAPIN_MAX_NAME || c->tool_id.n > SYMBI_SCHEMAPIN_MAX_NAME) return sy_fail(err, SYMBI_ELIMIT, "a name of more than %d bytes", SYMBI_SCHEMAPIN_MAX_NAME);
    d.info.subject = c->file ? SYMBI_SCHEMAPIN_FILE : SYMBI_SCHEMAPIN_FOLDER;
    d.info.checked_at = c->now;
    d.info.valid_until = INT64_MAX;
    if (!sig && c->signature_json.p) {
        st = sy_sp_document(cx, c->signature_json, NULL, SYMBI_SCHEMAPIN_MAX_SIGNATURE, "signature file", &doc, &why);
        if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
        if (doc) sig = symbi_doc_root(doc);
        if (st) {
            sy_sp_refuse(&d, SYMBI_SCHEMAPIN_SIGNATURE_INVALID, "The signature file cannot be read: %s", why.msg);
            sy_sp_detail(&d, "line %u, column %u", (unsigned)why.line, (unsigned)why.col);
        }
    } else if (!sig) {
        d.info.status = SYMBI_SCHEMAPIN_S_UNSIGNED;
        sy_sp_refuse(&d, SYMBI_SCHEMAPIN_SIGNATURE_INVALID, c->file ? "No signature file found" : "No " SYMBI_SCHEMAPIN_SIGNATURE_FILE " found in skill directory");
    }
    if (sig && sig->kind != SYMBI_OBJECT) {
        sy_sp_refuse(&d, SYMBI_SCHEMAPIN_SIGNATURE_INVALID, "The signature file is not an object");
        sig = NULL;
    }
    st = sig ? judge(cx, c, sig, &d, err) : SYMBI_OK;
    if (!st) st = sy_sp_result_make(cx, &d, out, err);
    symbi_doc_unref(doc);
    return st;
}
