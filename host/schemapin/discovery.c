/* schemapin/discovery.c: discovery documents (.well-known/schemapin.json) and revocation lists, read once into immutable objects:
 * the key is parsed at that time, so that a check only looks things up. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "schemapin/docs.h"
#include "symbi/json.h"

#include <stdio.h>

symbi_status sy_sp_document(symbi_ctx *cx, symbi_str json, const symbi_value *value, size_t max, const char *what, symbi_doc **out, symbi_err *err)
{
    *out = NULL;
    if (!value) {
        if (json.n > max) return sy_fail(err, SYMBI_ELIMIT, "the %s is larger than %zu bytes", what, max);
        return symbi_json_parse(cx, json, out, err);
    }
    return symbi_doc_copy(cx, value, out, err);
}

symbi_status sy_sp_text_member(const symbi_value *v, const char *key, symbi_str *out, symbi_err *err)
{
    const symbi_value *m = symbi_value_getz(v, key);
    *out = SY_LIT("");
    if (!m || m->kind == SYMBI_NULL) return SYMBI_OK;
    if (m->kind != SYMBI_STRING) {
        sy_fail(err, SYMBI_ESCHEMA, "%s is not a string", key);
        sy_err_path(err, symbi_str_z(key));
        return SYMBI_ESCHEMA;
    }
    *out = m->u.s;
    return SYMBI_OK;
}

/* ---- discovery ------------------------------------------------------------------------------------------------------- */

static symbi_status read_revoked(symbi_schemapin_discovery *d, const symbi_value *root, symbi_err *err)
{
    const symbi_value *list = symbi_value_getz(root, "revoked_keys");
    if (!list || list->kind == SYMBI_NULL) return SYMBI_OK;
    if (list->kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_ESCHEMA, "revoked_keys is not a list");
    for (size_t i = 0; i < list->u.a.n; i++)
        if (list->u.a.items[i].kind != SYMBI_STRING) return sy_fail(err, SYMBI_ESCHEMA, "revoked_keys holds something that is no fingerprint (entry %zu)", i + 1);
    d->revoked = list;
    return SYMBI_OK;
}

static symbi_status read_discovery(symbi_ctx *cx, symbi_schemapin_discovery *d, symbi_err *err)
{
    static const char *const names[] = { "schema_version", "developer_name", "contact", "revocation_endpoint", "public_key_pem" };
    const symbi_value *root = &d->doc->root;
    symbi_str *const to[] = { &d->schema_version, &d->developer_name, &d->contact, &d->revocation_endpoint, &d->pem };
    symbi_err why;
    symbi_status st;
    if (root->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "the discovery document is not an object");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        st = sy_sp_text_member(root, names[i], to[i], err);
        if (st) return st;
    }
    st = read_revoked(d, root, err);
    if (st) return st;
    d->has_marker = sy_sp_contains(d->pem, SY_LIT("-----BEGIN PUBLIC KEY-----"));
    if (!d->pem.n) {
        d->key_status = SYMBI_ENOTFOUND;
        snprintf(d->key_problem, sizeof d->key_problem, "there is no public_key_pem");
        return SYMBI_OK;
    }
    d->key_status = symbi_schemapin_public_key(cx, d->pem, &d->key, &why);
    if (d->key_status == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (d->key_status) snprintf(d->key_problem, sizeof d->key_problem, "%.190s", why.msg);
    else symbi_schemapin_fingerprint(d->key, d->fingerprint);
    return SYMBI_OK;
}

symbi_status symbi_schemapin_discovery_read(symbi_ctx *cx, symbi_str json, const symbi_value *value, symbi_schemapin_discovery **out, symbi_err *err)
{
    symbi_schemapin_discovery *d = sy_alloc(&cx->shared, sizeof *d);
    symbi_status st;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    memset(d, 0, sizeof *d);
    sy_ref_init(&d->refs);
    d->alloc = cx->shared;
    st = sy_sp_document(cx, json, value, SYMBI_SCHEMAPIN_MAX_DOCUMENT, "discovery document", &d->doc, err);
    if (!st) st = read_discovery(cx, d, err);
    if (st) {
        symbi_schemapin_discovery_unref(d);
        return st;
    }
    *out = d;
    return SYMBI_OK;
}

symbi_schemapin_discovery *symbi_schemapin_discovery_ref(symbi_schemapin_discovery *d)
{
    if (d) sy_ref_inc(&d->refs);
    return d;
}

void symbi_schemapin_discovery_unref(symbi_schemapin_discovery *d)
{
    symbi_alloc a;
    if (!d || !sy_ref_dec(&d->refs)) return;
    a = d->alloc;
    symbi_key_unref(d->key);
    symbi_doc_unref(d->doc);
    sy_free(&a, d, sizeof *d);
}

void symbi_schemapin_discovery_get(const symbi_schemapin_discovery *d, symbi_schemapin_discovery_info *out)
{
    memset(out, 0, sizeof *out);
    out->schema_version = d->schema_version;
    out->developer_name = d->developer_name;
    out->contact = d->contact;
    out->revocation_endpoint = d->revocation_endpoint;
    out->public_key_pem = d->pem;
    out->key = d->key;
    out->key_problem = symbi_str_z(d->key_problem);
    out->fingerprint = symbi_str_z(d->fingerprint);
    out->revoked_count = d->revoked ? d->revoked->u.a.n : 0;
    out->valid = d->schema_version.n && d->has_marker;
}

const symbi_value *symbi_schemapin_discovery_value(const symbi_schemapin_discovery *d)
{
    return &d->doc->root;
}

/* ---- revocation ------------------------------------------------------------------------------------------------------ */

static symbi_status read_revocation(symbi_schemapin_revocation *r, symbi_err *err)
{
    const symbi_value *root = &r->doc->root, *list;
    symbi_status st;
    if (root->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "the revocation document is not an object");
    st = sy_sp_text_member(root, "domain", &r->domain, err);
    if (st) return st;
    list = symbi_value_getz(root, "revoked_keys");
    if (!list || list->kind == SYMBI_NULL) return SYMBI_OK;
    if (list->kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_ESCHEMA, "revoked_keys is not a list");
    for (size_t i = 0; i < list->u.a.n; i++) {
        const symbi_value *f = symbi_value_getz(&list->u.a.items[i], "fingerprint");
        /* Skipping what cannot be read would un-revoke a key. */
        if (!f || f->kind != SYMBI_STRING) return sy_fail(err, SYMBI_ESCHEMA, "entry %zu of revoked_keys has no fingerprint", i + 1);
    }
    r->entries = list;
    return SYMBI_OK;
}

symbi_status symbi_schemapin_revocation_read(symbi_ctx *cx, symbi_str json, const symbi_value *value, symbi_schemapin_revocation **out, symbi_err *err)
{
    symbi_schemapin_revocation *r = sy_alloc(&cx->shared, sizeof *r);
    symbi_status st;
    *out = NULL;
    if (!r) return sy_fail_nomem(err);
    memset(r, 0, sizeof *r);
    sy_ref_init(&r->refs);
    r->alloc = cx->shared;
    st = sy_sp_document(cx, json, value, SYMBI_SCHEMAPIN_MAX_DOCUMENT, "revocation document", &r->doc, err);
    if (!st) st = read_revocation(r, err);
    if (st) {
        symbi_schemapin_revocation_unref(r);
        return st;
    }
    *out = r;
    return SYMBI_OK;
}

symbi_schemapin_revocation *symbi_schemapin_revocation_ref(symbi_schemapin_revocation *r)
{
    if (r) sy_ref_inc(&r->refs);
    return r;
}

void symbi_schemapin_revocation_unref(symbi_schemapin_revocation *r)
{
    symbi_alloc a;
    if (!r || !sy_ref_dec(&r->refs)) return;
    a = r->alloc;
    symbi_doc_unref(r->doc);
    sy_free(&a, r, sizeof *r);
}

const symbi_value *symbi_schemapin_revocation_value(const symbi_schemapin_revocation *r)
{
    return &r->doc->root;
}

bool symbi_schemapin_revoked(symbi_str fingerprint, const symbi_schemapin_discovery *d, const symbi_schemapin_revocation *r, char why[200])
{
    if (why) why[0] = 0;
    for (size_t i = 0; d && d->revoked && i < d->revoked->u.a.n; i++) {
        if (!sy_sp_same_hash(d->revoked->u.a.items[i].u.s, fingerprint)) continue;
        if (why) snprintf(why, 200, "Key %.*s is in simple revocation list", SY_FMT(fingerprint));
        return true;
    }
    for (size_t i = 0; r && r->entries && i < r->entries->u.a.n; i++) {
        const symbi_value *e = &r->entries->u.a.items[i];
        if (!sy_sp_same_hash(symbi_value_str(e, "fingerprint", SY_LIT("")), fingerprint)) continue;
        if (why) {
            symbi_str reason = symbi_value_str(e, "reason", SY_LIT("unspecified"));
            snprintf(why, 200, "Key %.*s is revoked: %.*s", SY_FMT(fingerprint), (int)(reason.n > 80 ? 80 : reason.n), reason.p);
        }
        return true;
    }
    return false;
}
