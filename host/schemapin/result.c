/* schemapin/result.c: the outcome of a check: codes and names, one immutable block, and what it proves. Kept apart from the
 * checks so that only one place decides that something is valid. */
#include "schemapin/result.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/ref.h"
#include "base/str.h"
#include "codec/build.h"

#include <stdarg.h>
#include <stdio.h>

struct symbi_schemapin_result {
    sy_ref refs;
    symbi_alloc alloc;
    size_t size; /* of this block, its texts included */
    symbi_schemapin_info info;
    symbi_str warning[SYMBI_SCHEMAPIN_MAX_WARNINGS];
};

const char *symbi_schemapin_code_name(symbi_schemapin_code c)
{
    static const char *const names[] = {
#define NAME(name, text) text,
        SYMBI_SCHEMAPIN_CODE_LIST(NAME)
#undef NAME
    };
    return (unsigned)c < SYMBI_SCHEMAPIN_CODE_COUNT ? names[c] : "unknown";
}

const char *symbi_schemapin_status_name(symbi_schemapin_status s)
{
    static const char *const names[] = { "invalid", "unsigned", "revoked", "pinned", "verified" };
    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "invalid";
}

const char *symbi_schemapin_subject_name(symbi_schemapin_subject s)
{
    static const char *const names[] = { "none", "schema", "folder", "file", "bundle" };
    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "none";
}

const char *symbi_schemapin_form_name(symbi_schemapin_form f)
{
    static const char *const names[] = { "none", "schemapin-v1", "single-hash", "runtime-native" };
    return (unsigned)f < sizeof names / sizeof *names ? names[f] : "none";
}

/* ---- drafts ---------------------------------------------------------------------------------------------------------- */

bool sy_sp_refuse(sy_sp_draft *d, symbi_schemapin_code code, const char *fmt, ...)
{
    va_list ap;
    int n;
    char raw[sizeof d->message];
    va_start(ap, fmt);
    n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    if (n < 0) n = 0;
    sy_clean_line(d->message, sizeof d->message, (symbi_str){ raw, (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1 });
    d->info.code = code;
    d->info.valid = false;
    return false;
}

void sy_sp_detail(sy_sp_draft *d, const char *fmt, ...)
{
    va_list ap;
    int n;
    char raw[sizeof d->detail];
    va_start(ap, fmt);
    n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    if (n < 0) n = 0;
    sy_clean_line(d->detail, sizeof d->detail, (symbi_str){ raw, (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1 });
}

void sy_sp_warn(sy_sp_draft *d, symbi_str text)
{
    if (d->info.warning_count < SYMBI_SCHEMAPIN_MAX_WARNINGS) d->warning[d->info.warning_count++] = text;
}

/* The texts of a result, in the order in which they are laid out behind it. */
#define TEXTS(X)                                                                                                                                \
    X(message) X(detail) X(domain) X(tool_id) X(developer_name) X(fingerprint) X(expires_at) X(schema_version) X(previous_hash) X(first_seen)

static symbi_str put(char **at, symbi_str s)
{
    symbi_str r = { *at, s.n };
    if (s.n) memcpy(*at, s.p, s.n);
    (*at)[s.n] = 0;
    *at += s.n + 1;
    return r;
}

symbi_status sy_sp_result_make(symbi_ctx *cx, sy_sp_draft *d, symbi_schemapin_result **out, symbi_err *err)
{
    symbi_schemapin_result *r;
    symbi_schemapin_info *i = &d->info;
    size_t need = sizeof *r;
    char *at;
    *out = NULL;
    i->message = symbi_str_z(d->message);
    i->detail = symbi_str_z(d->detail);
    i->valid = false;
    switch (i->code) {
    case SYMBI_SCHEMAPIN_OK:
        /* A success without a digest or a signature form would prove nothing; it cannot be one. */
        if (!i->has_digest || i->form == SYMBI_SCHEMAPIN_FORM_NONE || !i->subject) {
            i->status = SYMBI_SCHEMAPIN_S_INVALID;
            i->code = SYMBI_SCHEMAPIN_SIGNATURE_INVALID;
            break;
        }
        i->valid = true;
        i->status = i->pinning == SYMBI_SCHEMAPIN_PIN_FIRST_USE ? SYMBI_SCHEMAPIN_S_PINNED : SYMBI_SCHEMAPIN_S_VERIFIED;
        break;
    case SYMBI_SCHEMAPIN_KEY_REVOKED: i->status = SYMBI_SCHEMAPIN_S_REVOKED; break;
    default:
        if (i->status != SYMBI_SCHEMAPIN_S_UNSIGNED) i->status = SYMBI_SCHEMAPIN_S_INVALID;
        break;
    }
    if (!i->valid) i->pinning = SYMBI_SCHEMAPIN_PIN_NONE;
#define ADD(field) need += i->field.n + 1;
    TEXTS(ADD)
#undef ADD
    for (size_t k = 0; k < i->warning_count; k++) need += d->warning[k].n + 1;
    r = sy_alloc(&cx->shared, need);
    if (!r) return sy_fail_nomem(err);
    memset(r, 0, sizeof *r);
    sy_ref_init(&r->refs);
    r->alloc = cx->shared;
    r->size = need;
    r->info = *i;
    at = (char *)(r + 1);
#define COPY(field) r->info.field = put(&at, i->field);
    TEXTS(COPY)
#undef COPY
    for (size_t k = 0; k < i->warning_count; k++) r->warning[k] = put(&at, d->warning[k]);
    *out = r;
    return SYMBI_OK;
}

/* ---- results --------------------------------------------------------------------------------------------------------- */

symbi_schemapin_result *symbi_schemapin_result_ref(symbi_schemapin_result *r)
{
    if (r) sy_ref_inc(&r->refs);
    return r;
}

void symbi_schemapin_result_unref(symbi_schemapin_result *r)
{
    symbi_alloc a;
    if (!r || !sy_ref_dec(&r->refs)) return;
    a = r->alloc;
    sy_free(&a, r, r->size);
}

void symbi_schemapin_result_info(const symbi_schemapin_result *r, symbi_schemapin_info *out)
{
    *out = r->info;
}

symbi_str symbi_schemapin_result_warning(const symbi_schemapin_result *r, size_t i)
{
    return i < r->info.warning_count ? r->warning[i] : (symbi_str){ NULL, 0 };
}

bool symbi_schemapin_result_proves(const symbi_schemapin_result *r, symbi_schemapin_subject subject, const uint8_t digest[32], int64_t now)
{
    if (!r || !r->info.valid || !r->info.has_digest || r->info.subject != subject) return false;
    if (r->info.expired || r->info.expiry_unreadable || now > r->info.valid_until) return false;
    return memcmp(r->info.digest, digest, 32) == 0; /* a hash of public data: no secret to time */
}

static void text(sy_obj *o, const char *key, symbi_str s)
{
    if (s.n) sy_obj_str(o, key, sy_arena_dup(o->a, s));
}

symbi_status symbi_schemapin_result_value(symbi_ctx *cx, const symbi_schemapin_result *r, symbi_doc **out, symbi_err *err)
{
    static const char *const pinning[] = { NULL, "first_use", "pinned" };
    const symbi_schemapin_info *i = &r->info;
    symbi_doc *d = sy_doc_new(cx);
    sy_obj o;
    sy_arr w;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    o = sy_obj_new(&d->arena);
    w = sy_arr_new(&d->arena);
    sy_obj_bool(&o, "valid", i->valid);
    sy_obj_str(&o, "status", symbi_str_z(symbi_schemapin_status_name(i->status)));
    sy_obj_str(&o, "subject", symbi_str_z(symbi_schemapin_subject_name(i->subject)));
    text(&o, "domain", i->domain);
    text(&o, "tool_id", i->tool_id);
    text(&o, "developer_name", i->developer_name);
    text(&o, "fingerprint", i->fingerprint);
    if (i->form) sy_obj_str(&o, "signature_form", symbi_str_z(symbi_schemapin_form_name(i->form)));
    if (i->has_digest) sy_obj_hex(&o, "digest", i->digest, 32);
    if (i->has_input) sy_obj_hex(&o, "input_sha256", i->input_sha256, 32);
    if (i->pinning) {
        sy_obj p = sy_obj_new(&d->arena);
        sy_obj_str(&p, "status", symbi_str_z(pinning[i->pinning]));
        text(&p, "first_seen", i->first_seen);
        sy_obj_put(&o, "key_pinning", sy_obj_value(&p));
    }
    if (i->code) {
        sy_obj_str(&o, "error_code", symbi_str_z(symbi_schemapin_code_name(i->code)));
        text(&o, "error_message", i->message);
    }
    text(&o, "detail", i->detail);
    for (size_t k = 0; k < i->warning_count; k++) sy_arr_add(&w, sy_val_str(sy_arena_dup(&d->arena, r->warning[k])));
    sy_obj_put(&o, "warnings", sy_arr_value(&w));
    sy_obj_bool(&o, "expired", i->expired);
    text(&o, "expires_at", i->expires_at);
    text(&o, "schema_version", i->schema_version);
    text(&o, "previous_hash", i->previous_hash);
    sy_obj_int(&o, "checked_at", i->checked_at);
    d->root = sy_obj_value(&o);
    if (d->arena.status) {
        symbi_status st = sy_arena_fail(&d->arena, "the result", err);
        symbi_doc_unref(d);
        return st;
    }
    *out = d;
    return SYMBI_OK;
}
