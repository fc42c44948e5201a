/* toolclad/http_answer.c: what came back from an HTTP tool, as an envelope (spec toolclad.md 9, 10). raw, from the executor:
 *   {"started_ms", "duration_ms", "http_status": n, "body": text[, "body_sha256": hex, "body_bytes": n][, "output_file": path]}   an answer
 *   {"started_ms", "duration_ms", "error": text[, "timed_out": true]}                                              none
 * body_sha256 and body_bytes are of the bytes as they came, where the body is given without the secrets that it repeated. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"
#include "toolclad/http_in.h"
#include "toolclad/outschema.h"
#include <stdio.h>

static bool listed(const symbi_value *list, int64_t status)
{
    for (size_t i = 0; list && list->kind == SYMBI_ARRAY && i < list->u.a.n; i++)
        if (list->u.a.items[i].kind == SYMBI_INT && list->u.a.items[i].u.i == status) return true;
    return false;
}

static bool success(const symbi_value *t, int64_t status)
{
    const symbi_value *ok = symbi_value_getz(t, "success_status");
    if (ok && ok->kind == SYMBI_ARRAY && ok->u.a.n) return listed(ok, status);
    return status >= 200 && status < 300 && !listed(symbi_value_getz(t, "error_status"), status);
}

/* "sha256:<hex>" of the body as it came. */
static symbi_status hash_text(sy_backend_reply *r, symbi_str body, symbi_str *out)
{
    static const char hex[] = "0123456789abcdef";
    symbi_str given = symbi_value_str(r->raw, "body_sha256", SY_LIT(""));
    uint8_t h[32];
    char text[72] = "sha256:";
    size_t i;
    symbi_status st;
    for (i = 0; i < given.n && memchr(hex, given.p[i], 16); i++) { }
    if (given.n == 64 && i == 64) {
        memcpy(text + 7, given.p, 64);
    } else {
        if ((st = symbi_sha256(r->cx, body, h, r->err))) return st;
        for (i = 0; i < 32; i++) text[7 + 2 * i] = hex[h[i] >> 4], text[8 + 2 * i] = hex[h[i] & 15];
    }
    *out = sy_arena_dup(r->a, (symbi_str){ text, 71 });
    return SYMBI_OK;
}

/* The command is "METHOD URL", secrets as placeholders. */
static void names(sy_backend_reply *r, sy_obj *o, int64_t status)
{
    symbi_str method = symbi_value_str(r->p->detail, "method", SY_LIT("GET")), url = r->p->command;
    if (url.n > method.n) url.p += method.n + 1, url.n -= method.n + 1;
    sy_obj_int(o, "http_status", status);
    sy_obj_str(o, "http_method", method);
    sy_obj_str(o, "http_url", url);
}

static symbi_status no_answer(sy_backend_reply *r, sy_obj *o)
{
    const symbi_value *timed = symbi_value_getz(r->raw, "timed_out");
    symbi_str text = sy_utf8_lossy(r->a, symbi_value_str(r->raw, "error", SY_LIT("the executor gave neither an answer nor an error"))), hash;
    sy_obj results = sy_obj_new(r->a);
    symbi_status st = hash_text(r, SY_LIT(""), &hash);
    if (st) return st;
    sy_obj_str(&results, "error", text);
    sy_obj_str(o, "status", timed && timed->kind == SYMBI_BOOL && timed->u.b ? SY_LIT("timeout") : SY_LIT("error"));
    sy_obj_int(o, "exit_code", -1);
    sy_obj_str(o, "stderr", text);
    sy_obj_str(o, "output_file", SY_LIT(""));
    sy_obj_int(o, "output_bytes", 0);
    sy_obj_str(o, "output_hash", hash);
    names(r, o, 0);
    sy_obj_put(o, "results", sy_obj_value(&results));
    sy_obj_str(o, "error", text);
    return SYMBI_OK;
}

symbi_status sy_http_envelope(sy_backend_reply *r, sy_obj *o)
{
    const symbi_value *sv = symbi_value_getz(r->raw, "http_status"), *bv = symbi_value_getz(r->raw, "body_bytes");
    int64_t code = sv && sv->kind == SYMBI_INT ? sv->u.i : 0;
    symbi_str body = symbi_value_str(r->raw, "body", SY_LIT("")), lossy, hash, text, error = SY_LIT("");
    sy_arr warnings = sy_arr_new(r->a);
    symbi_value results;
    char why[160] = "", status[64] = "success";
    bool good;
    symbi_status st;
    if (code < 100 || code > 999) return no_answer(r, o);
    good = success(r->t->backend_table, code);
    if (!good) snprintf(status, sizeof status, "%s (HTTP %d)", code >= 400 && code < 500 ? "client_error" : code >= 500 && code < 600 ? "server_error" : "error", (int)code);
    lossy = sy_utf8_lossy(r->a, body);
    if (!lossy.p) return sy_arena_fail(r->a, "the envelope", r->err);
    if ((st = hash_text(r, body, &hash)) || (st = sy_output_parse(r->cx, r->t->format, lossy, r->a, &results, why, r->err))) return st;
    if (good && r->t->output_schema && (st = sy_output_schema_check(r->cx, r->t->output_schema, &results, r->a, &warnings, r->err))) return st;
    text = sy_arena_dup(r->a, symbi_str_z(status));
    if (!good) error = text;
    if (good && r->t->output_strict && (warnings.n || why[0])) {
        text = SY_LIT("error");
        error = SY_LIT("The output does not match the manifest's schema");
    }
    sy_obj_str(o, "status", text);
    sy_obj_int(o, "exit_code", good ? 0 : code);
    sy_obj_str(o, "stderr", SY_LIT(""));
    sy_obj_str(o, "output_file", symbi_value_str(r->raw, "output_file", SY_LIT("")));
    sy_obj_int(o, "output_bytes", bv && bv->kind == SYMBI_INT && bv->u.i >= 0 ? bv->u.i : (int64_t)body.n);
    sy_obj_str(o, "output_hash", hash);
    names(r, o, code);
    sy_obj_put(o, "results", results);
    if (error.n) sy_obj_str(o, "error", error);
    if (why[0] && good) sy_obj_str(o, "parse_error", sy_arena_dup(r->a, symbi_str_z(why)));
    if (warnings.n) sy_obj_put(o, "schema_warnings", sy_arr_value(&warnings));
    return SYMBI_OK;
}
