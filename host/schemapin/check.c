/* schemapin/check.c: checking a schema: the steps that every check shares, and the order of SchemaPin. One departure, on purpose: a
 * key is looked up before the signature and pinned after it, so that a forged artefact cannot fill the pin store. */
#include "base/err.h"
#include "base/str.h"
#include "schemapin/cache.h"
#include "schemapin/canon.h"
#include "schemapin/docs.h"
#include "schemapin/pins.h"

#include <stdio.h>

/* ---- the steps that schemas and folders share ------------------------------------------------------------------------- */

/* A document has one key, so the tools of one domain usually share theirs: a new tool with another key may be a rotation, or somebody
 * who took over the domain and chose a name that was not pinned. Only said: SchemaPin lets it pass. */
static void note_other_tools(sy_sp_draft *d, const sy_sp_common *c)
{
    symbi_schemapin_pin p;
    for (size_t i = 0; symbi_schemapin_pins_at(c->pins, i, &p); i++)
        if (sy_sp_same_domain(p.domain, c->domain) && !sy_str_eq(p.fingerprint, d->info.fingerprint)) {
            sy_sp_detail(d, "another tool of this domain, %.*s, is pinned to another key, %.*s", SY_FMT(p.tool_id), SY_FMT(p.fingerprint));
            return;
        }
}

bool sy_sp_before_signature(sy_sp_draft *d, const sy_sp_common *c, const symbi_key **key)
{
    const symbi_schemapin_discovery *doc = c->discovery;
    const sy_sp_pin *found;
    char why[200];
    bool other = false;
    *key = NULL;
    if (!symbi_schemapin_canonicalization_ok(c->canonicalization))
        return sy_sp_refuse(d, SYMBI_SCHEMAPIN_CANONICALIZATION_UNSUPPORTED, "Unsupported canonicalization algorithm: %.*s", SY_FMT(c->canonicalization));
    if (!doc) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_DISCOVERY_FETCH_FAILED, "Could not resolve discovery for domain: %.*s", SY_FMT(c->domain));
    if (!doc->pem.n || !doc->has_marker) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_DISCOVERY_INVALID, "Discovery document missing or invalid public_key_pem");
    if (!doc->key) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_KEY_NOT_FOUND, "Failed to load public key: %s", doc->key_problem);
    d->info.fingerprint = (symbi_str){ doc->fingerprint, SYMBI_SCHEMAPIN_FINGERPRINT };
    if (symbi_schemapin_revoked(d->info.fingerprint, doc, c->revocation, why)) return sy_sp_refuse(d, SYMBI_SCHEMAPIN_KEY_REVOKED, "%s", why);
    if (c->pins) {
        if (symbi_schemapin_pins_policy(c->pins, c->domain) == SYMBI_SCHEMAPIN_POLICY_NEVER_TRUST)
            return sy_sp_refuse(d, SYMBI_SCHEMAPIN_KEY_NOT_PINNED, "The pin store's policy for domain %.*s is never_trust", SY_FMT(c->domain));
        if (sy_sp_pins_look(c->pins, c->tool_id, c->domain, d->info.fingerprint, &other, &found) == SYMBI_SCHEMAPIN_PIN_PINNED) {
            d->info.pinning = SYMBI_SCHEMAPIN_PIN_PINNED;
            d->info.first_seen = found->pin.first_seen;
        } else if (other) {
            sy_sp_detail(d, "the discovery document now has key %s; if that is a planned rotation, remove the pin", doc->fingerprint);
            return sy_sp_refuse(d, SYMBI_SCHEMAPIN_KEY_PIN_MISMATCH, "Key fingerprint changed since last use");
        } else {
            d->info.pinning = SYMBI_SCHEMAPIN_PIN_FIRST_USE;
            note_other_tools(d, c);
        }
    }
    if (c->only_pinned && d->info.pinning != SYMBI_SCHEMAPIN_PIN_PINNED)
        return sy_sp_refuse(d, SYMBI_SCHEMAPIN_KEY_NOT_PINNED, "Key %s is not pinned for %.*s of %.*s", doc->fingerprint, SY_FMT(c->tool_id), SY_FMT(c->domain));
    *key = doc->key;
    return true;
}

symbi_status sy_sp_after_signature(sy_sp_draft *d, const sy_sp_common *c, symbi_err *err)
{
    const symbi_schemapin_discovery *doc = c->discovery;
    symbi_schemapin_pin pin = { 0 };
    const sy_sp_pin *found;
    bool other;
    d->info.developer_name = doc->developer_name;
    if (!c->pins) return SYMBI_OK;
    if (d->info.pinning == SYMBI_SCHEMAPIN_PIN_PINNED) {
        if (sy_sp_pins_look(c->pins, c->tool_id, c->domain, d->info.fingerprint, &other, &found) == SYMBI_SCHEMAPIN_PIN_PINNED) {
            sy_sp_pins_seen(c->pins, found, c->now); /* may move its strings, not the pin */
            d->info.first_seen = found->pin.first_seen;
        }
        return SYMBI_OK;
    }
    pin.tool_id = c->tool_id;
    pin.domain = c->domain;
    pin.fingerprint = d->info.fingerprint;
    pin.developer_name = doc->developer_name.n <= 256 ? doc->developer_name : SY_LIT("");
    return symbi_schemapin_pins_add(c->pins, &pin, c->now, false, err);
}

bool sy_sp_judge_dns(sy_sp_draft *d, symbi_str dns_fingerprint)
{
    if (!dns_fingerprint.n || sy_sp_same_hash(dns_fingerprint, d->info.fingerprint)) return true;
    return sy_sp_refuse(d, SYMBI_SCHEMAPIN_DOMAIN_MISMATCH, "DNS TXT fingerprint mismatch: discovery=%.*s, dns=%.*s", SY_FMT(d->info.fingerprint), SY_FMT(dns_fingerprint));
}

bool sy_sp_judge_meta(sy_sp_draft *d, const symbi_schemapin_meta *m, int64_t now)
{
    int64_t ms;
    d->info.valid_until = INT64_MAX;
    d->info.schema_version = m->schema_version;
    d->info.previous_hash = m->previous_hash;
    if (m->expires_at.n) {
        if (!symbi_schemapin_time(m->expires_at, &ms)) {
            d->info.expiry_unreadable = true;
            sy_sp_warn(d, SY_LIT("signature_expires_at_unparseable"));
        } else {
            d->info.expires_at = m->expires_at;
            d->info.valid_until = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
            if (now > d->info.valid_until) {
                d->info.expired = true;
                sy_sp_warn(d, SY_LIT("signature_expired"));
            }
        }
        if (m->refuse_expired && (d->info.expired || d->info.expiry_unreadable))
            return sy_sp_refuse(d, SYMBI_SCHEMAPIN_SIGNATURE_EXPIRED, d->info.expired ? "The signature expired at %.*s" : "The signature's expires_at cannot be read: %.*s", SY_FMT(m->expires_at));
    }
    if (m->max_age > 0)
        return sy_sp_refuse(d, SYMBI_SCHEMAPIN_TIMESTAMP_UNSIGNED, "An age was asked for, but nobody signed the time of signing (signed_at is not covered by the signature)");
    if (m->expected_version.n && !sy_str_eq(m->expected_version, m->schema_version))
        return sy_sp_refuse(d, SYMBI_SCHEMAPIN_VERSION_MISMATCH, "schema_version is '%.*s', expected '%.*s'", SY_FMT(m->schema_version), SY_FMT(m->expected_version));
    if (m->expected_previous.n && !sy_sp_same_hash(m->expected_previous, m->previous_hash))
        return sy_sp_refuse(d, SYMBI_SCHEMAPIN_LINEAGE_MISMATCH, "previous_hash is '%.*s', expected '%.*s'", SY_FMT(m->previous_hash), SY_FMT(m->expected_previous));
    return true;
}

symbi_status sy_sp_try_forms(symbi_ctx *cx, sy_sp_draft *d, const symbi_key *key, symbi_str message, symbi_str preimage, bool allow_single, symbi_str signature, bool *good, symbi_err *err)
{
    symbi_err why;
    symbi_status st = symbi_schemapin_verify(cx, key, message, signature, &why);
    *good = !st;
    if (!st) {
        d->info.form = SYMBI_SCHEMAPIN_FORM_V1;
        return SYMBI_OK;
    }
    if (st == SYMBI_EVERIFY && allow_single) {
        symbi_err second;
        st = symbi_schemapin_verify(cx, key, preimage, signature, &second);
        *good = !st;
        if (!st) {
            d->info.form = SYMBI_SCHEMAPIN_FORM_SINGLE;
            sy_sp_warn(d, SY_LIT("signature_single_hash"));
            return SYMBI_OK;
        }
    }
    if (st != SYMBI_EVERIFY) {
        if (err) *err = why;
        return st;
    }
    sy_sp_detail(d, "%s", why.msg);
    return SYMBI_OK;
}

/* "1.10" is newer than "1.2": compared number by number. */
static bool older_than_1_2(symbi_str v)
{
    long major = 0, minor = 0;
    size_t i = 0;
    for (; i < v.n && v.p[i] >= '0' && v.p[i] <= '9' && major < 100000; i++) major = major * 10 + (v.p[i] - '0');
    if (!i) return false;
    if (i < v.n && v.p[i] == '.')
        for (i++; i < v.n && v.p[i] >= '0' && v.p[i] <= '9' && minor < 100000; i++) minor = minor * 10 + (v.p[i] - '0');
    return major < 1 || (major == 1 && minor < 2);
}

/* ---- A2A ------------------------------------------------------------------------------------------------------------- */

bool symbi_schemapin_a2a_allows(const symbi_schemapin_a2a *a, symbi_str domain)
{
    if (a->deny_all) return false;
    if (!a->ntrusted) return true;
    for (size_t i = 0; i < a->ntrusted; i++) {
        symbi_str t = a->trusted[i];
        if (sy_str_eq(t, domain)) return true;
        if (t.n > 2 && t.p[0] == '*' && t.p[1] == '.' && domain.n >= t.n - 1 && sy_str_ends(domain, (symbi_str){ t.p + 1, t.n - 1 })) return true;
    }
    return false;
}

static symbi_str lower(symbi_str s, char *buf, size_t cap)
{
    if (s.n > cap) return s;
    for (size_t i = 0; i < s.n; i++) buf[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
    return (symbi_str){ buf, s.n };
}

/* Names of hosts have no case: both sides in lower case. */
static bool in_scope(const symbi_schemapin_a2a *a, symbi_str domain)
{
    char d[SYMBI_SCHEMAPIN_MAX_NAME], t[SYMBI_SCHEMAPIN_MAX_NAME];
    symbi_str low = lower(domain, d, sizeof d);
    if (a->deny_all) return false;
    if (!a->ntrusted) return true;
    for (size_t i = 0; i < a->ntrusted; i++) {
        symbi_str one = lower(a->trusted[i], t, sizeof t);
        symbi_schemapin_a2a single = { .trusted = &one, .ntrusted = 1 };
        if (symbi_schemapin_a2a_allows(&single, low)) return true;
    }
    return false;
}

/* ---- a schema -------------------------------------------------------------------------------------------------------- */

typedef struct schema {
    sy_arena arena;
    symbi_value root;
    symbi_text canonical, runtime;
    const symbi_value *value;
} schema;

/* Reads and canonicalises; false with *d refused, or an error in *st. */
static bool canonicalise(symbi_ctx *cx, const symbi_schemapin_check *c, schema *s, sy_sp_draft *d, symbi_status *st, symbi_err *err)
{
    unsigned notes = 0;
    symbi_err why;
    symbi_str skip = c->embedded ? SY_LIT("signature") : (symbi_str){ NULL, 0 };
    if (!s->canonical.p) {
        *st = sy_sp_write(cx, s->value, SY_SP_SORTED, 0, skip, &s->canonical, &notes, &why);
        if (!*st) *st = symbi_sha256(cx, symbi_text_str(&s->canonical), d->info.digest, &why);
        if (*st == SYMBI_EPARSE || *st == SYMBI_ESCHEMA || *st == SYMBI_ELIMIT) {
            *st = SYMBI_OK;
            return sy_sp_refuse(d, SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED, "Failed to canonicalize schema: %s", why.msg);
        }
        if (*st) {
            if (err) *err = why;
            return false;
        }
        d->info.has_digest = true;
        if (notes & SYMBI_SCHEMAPIN_NOTE_NUMBER) sy_sp_warn(d, SY_LIT("schema_number_not_portable"));
    }
    return true;
}

/* The runtime's own form: over the text re-serialised in document order, hashed once. */
static symbi_status try_runtime(symbi_ctx *cx, schema *s, const symbi_key *key, symbi_str signature, sy_sp_draft *d, bool *good, symbi_err *err)
{
    unsigned notes = 0;
    symbi_err why;
    symbi_status st = sy_sp_write(cx, &s->root, SY_SP_SERDE, 0, SY_LIT("signature"), &s->runtime, &notes, err);
    if (st) return st;
    st = symbi_schemapin_verify(cx, key, symbi_text_str(&s->runtime), signature, &why);
    if (st == SYMBI_EVERIFY) return SYMBI_OK;
    if (st) {
        if (err) *err = why;
        return st;
    }
    *good = true;
    d->detail[0] = 0;
    d->info.form = SYMBI_SCHEMAPIN_FORM_RUNTIME;
    sy_sp_warn(d, SY_LIT("signature_runtime_native"));
    return SYMBI_OK;
}

/* The schema's value, read from text where there is text; false as canonicalise. */
static bool read_schema(symbi_ctx *cx, const symbi_schemapin_check *c, schema *s, sy_sp_draft *d, symbi_status *st, symbi_err *err)
{
    unsigned notes = 0;
    symbi_err why;
    *st = SYMBI_OK;
    s->value = c->value;
    if (c->value) return true;
    *st = c->json.n > SYMBI_SCHEMAPIN_MAX_SCHEMA ? sy_fail(&why, SYMBI_ELIMIT, "the schema is larger than %d bytes", SYMBI_SCHEMAPIN_MAX_SCHEMA)
                                                 : sy_sp_read(cx, &s->arena, c->json, c->strict ? SYMBI_SCHEMAPIN_STRICT : 0, &s->root, &notes, &why);
    if (*st == SYMBI_EPARSE || *st == SYMBI_ESCHEMA || *st == SYMBI_ELIMIT) {
        *st = SYMBI_OK;
        return sy_sp_refuse(d, SYMBI_SCHEMAPIN_SCHEMA_CANONICALIZATION_FAILED, "Failed to canonicalize schema: %s", why.msg);
    }
    if (*st) {
        if (err) *err = why;
        return false;
    }
    if (notes & SYMBI_SCHEMAPIN_NOTE_DUPLICATE) sy_sp_warn(d, SY_LIT("schema_duplicate_members"));
    s->value = &s->root;
    return true;
}

/* A signed file: its schema becomes the schema, what stands beside it the signature and its metadata. */
static bool open_file(schema *s, sy_sp_common *common, symbi_str *signature, symbi_schemapin_meta *meta)
{
    const symbi_value *file = s->value, *v = symbi_value_getz(file, "schema");
    const struct {
        const char *name;
        symbi_str *to;
    } texts[] = { { "signature", signature },           { "expires_at", &meta->expires_at },       { "signed_at", &meta->signed_at }, { "schema_version", &meta->schema_version },
                  { "previous_hash", &meta->previous_hash }, { "canonicalization", &common->canonicalization } };
    if (file->kind != SYMBI_OBJECT || !v) return false;
    *signature = (symbi_str){ NULL, 0 };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const symbi_value *m = symbi_value_getz(file, texts[i].name);
        if (!m || m->kind == SYMBI_NULL) continue;
        *texts[i].to = m->kind == SYMBI_STRING ? m->u.s : SY_LIT("(not a text)"); /* never as if it were absent */
    }
    s->value = v;
    return true;
}

/* Everything up to the result: SYMBI_OK with *d filled, whatever it says. */
static symbi_status judge(symbi_ctx *cx, const symbi_schemapin_check *c, schema *s, sy_sp_draft *d, symbi_err *err)
{
    sy_sp_common common = { .canonicalization = c->canonicalization, .domain = c->domain, .tool_id = c->tool_id, .discovery = c->discovery,
                                  .revocation = c->revocation, .pins = c->pins, .only_pinned = c->only_pinned, .now = c->now };
    symbi_str signature = c->signature;
    symbi_schemapin_meta meta = c->meta;
    const symbi_key *key;
    symbi_status st = SYMBI_OK;
    bool good = false;
    if (c->a2a && (c->a2a->delegation_depth > SYMBI_SCHEMAPIN_MAX_DELEGATION || c->a2a->delegation_depth < 0)) {
        sy_sp_refuse(d, SYMBI_SCHEMAPIN_A2A_SCOPE_VIOLATION, "A2A delegation_depth %lld exceeds cap of %d", (long long)c->a2a->delegation_depth, SYMBI_SCHEMAPIN_MAX_DELEGATION);
        return SYMBI_OK;
    }
    if (c->signed_file) {
        if (!read_schema(cx, c, s, d, &st, err)) return st;
        if (!open_file(s, &common, &signature, &meta)) {
            sy_sp_refuse(d, SYMBI_SCHEMAPIN_SIGNATURE_INVALID, "The file is not a signed schema: an object with schema and signature is expected");
            return SYMBI_OK;
        }
    }
    if (!sy_sp_before_signature(d, &common, &key)) return SYMBI_OK;
    if (!c->signed_file && !read_schema(cx, c, s, d, &st, err)) return st;
    if (!canonicalise(cx, c, s, d, &st, err)) return st;
    if (c->embedded) {
        const symbi_value *m = symbi_value_getz(s->value, "signature");
        signature = m && m->kind == SYMBI_STRING ? m->u.s : (symbi_str){ NULL, 0 };
    }
    if (!signature.p) {
        d->info.status = SYMBI_SCHEMAPIN_S_UNSIGNED;
        sy_sp_refuse(d, SYMBI_SCHEMAPIN_SIGNATURE_INVALID, "No signature provided for verification");
        return SYMBI_OK;
    }
    st = sy_sp_try_forms(cx, d, key, (symbi_str){ (const char *)d->info.digest, 32 }, symbi_text_str(&s->canonical), c->allow_single, signature, &good, err);
    if (!st && !good && c->allow_runtime && c->embedded && !c->value && !c->signed_file) st = try_runtime(cx, s, key, signature, d, &good, err);
    if (st) return st;
    if (!good) {
        sy_sp_refuse(d, SYMBI_SCHEMAPIN_SIGNATURE_INVALID, "Signature verification failed");
        return SYMBI_OK;
    }
    /* From here on the signature is good; what is refused now pins nothing either. */
    if (!sy_sp_judge_dns(d, c->dns_fingerprint) || !sy_sp_judge_meta(d, &meta, c->now)) return SYMBI_OK;
    if (c->a2a && !in_scope(c->a2a, c->domain)) {
        sy_sp_refuse(d, SYMBI_SCHEMAPIN_A2A_SCOPE_VIOLATION, "Provider domain '%.*s' not in caller's A2A trusted_domains scope", SY_FMT(c->domain));
        return SYMBI_OK;
    }
    if (older_than_1_2(c->discovery->schema_version)) {
        snprintf(d->warning_text, sizeof d->warning_text, "Discovery uses schema version %.*s, consider upgrading to 1.2",
                 (int)(c->discovery->schema_version.n > 40 ? 40 : c->discovery->schema_version.n), c->discovery->schema_version.p);
        sy_sp_warn(d, symbi_str_z(d->warning_text));
    }
    return sy_sp_after_signature(d, &common, err);
}

symbi_status symbi_schemapin_check_schema(symbi_ctx *cx, const symbi_schemapin_check *c, symbi_schemapin_result **out, symbi_err *err)
{
    sy_sp_draft d = { 0 };
    schema s = { 0 };
    sy_sp_cache_key key;
    symbi_status st;
    *out = NULL;
    if (c->size != sizeof *c) return sy_fail(err, SYMBI_EINVAL, "symbi_schemapin_check of another version");
    if (c->domain.n > SYMBI_SCHEMAPIN_MAX_NAME || c->tool_id.n > SYMBI_SCHEMAPIN_MAX_NAME)
        return sy_fail(err, SYMBI_ELIMIT, "a domain or tool id of more than %d bytes", SYMBI_SCHEMAPIN_MAX_NAME);
    if (c->cache && sy_sp_cache_find(c->cache, c, &key, out)) return SYMBI_OK;
    d.info.subject = SYMBI_SCHEMAPIN_SCHEMA;
    d.info.domain = c->domain;
    d.info.tool_id = c->tool_id;
    d.info.checked_at = c->now;
    d.info.valid_until = INT64_MAX;
    if (!c->value) {
        st = symbi_sha256(cx, c->json, d.info.input_sha256, err);
        if (st) return st;
        d.info.has_input = true;
    }
    sy_arena_init(&s.arena, cx->alloc, cx->limits.arena_bytes);
    st = judge(cx, c, &s, &d, err);
    if (!st) st = sy_sp_result_make(cx, &d, out, err);
    symbi_text_free(&s.canonical);
    symbi_text_free(&s.runtime);
    sy_arena_free(&s.arena);
    if (!st && c->cache) sy_sp_cache_put(c->cache, c, &key, *out);
    return st;
}
