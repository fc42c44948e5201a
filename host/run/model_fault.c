/* run/model_fault.c: what an HTTP status and its body say went wrong, in the words of spec orga-providers.md section 1, and
 * whether asking again may help. Bodies are foreign text: cut, on one line, without the key. */
#include "base/chars.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "run/model_in.h"
#include "symbi/json.h"

#include <stdio.h>

enum { RETRY_DEFAULT_MS = 1000, RETRY_MAX_MS = 24 * 3600 * 1000, ERROR_BODY_MAX = 64 << 10 };

/* ---- small readers ------------------------------------------------------------------------------------------------ */

static bool eq_nocase(symbi_str s, const char *z)
{
    size_t n = strlen(z);
    if (s.n != n) return false;
    for (size_t i = 0; i < n; i++) {
        char c = s.p[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        if (c != z[i]) return false;
    }
    return true;
}

static symbi_str header(const symbi_http_header *h, size_t n, const char *name)
{
    symbi_str v = { "", 0 };
    for (size_t i = 0; i < n; i++)
        if (eq_nocase(h[i].name, name)) {
            v = h[i].value;
            break;
        }
    while (v.n && (v.p[0] == ' ' || v.p[0] == '\t')) v.p++, v.n--;
    while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t')) v.n--;
    return v;
}

/* A run of digits at *i, saturating. */
static bool number(symbi_str s, size_t *i, int64_t *out)
{
    size_t at = *i;
    *out = 0;
    while (*i < s.n && sy_is_digit(s.p[*i])) {
        if (*out < INT64_C(1000000000000)) *out = *out * 10 + (s.p[*i] - '0');
        ++*i;
    }
    return *i > at;
}

/* "12" or "12.5", times scale, as milliseconds; -1 when it is something else. */
static int64_t decimal(symbi_str s, int64_t scale)
{
    size_t i = 0;
    int64_t whole, frac = 0, unit = scale;
    if (!number(s, &i, &whole)) return -1;
    if (i < s.n && s.p[i] == '.')
        for (i++; i < s.n && sy_is_digit(s.p[i]); i++)
            if ((unit /= 10)) frac += unit * (s.p[i] - '0');
    return i == s.n ? whole * scale + frac : -1;
}

/* What the server asks to wait, -1 when it does not say. */
static int64_t retry_after(const symbi_ctx *cx, const symbi_http_header *h, size_t n)
{
    symbi_str ms = header(h, n, "retry-after-ms"), after = header(h, n, "retry-after");
    int64_t at, t = ms.n ? decimal(ms, 1) : -1;
    if (t < 0 && after.n) t = decimal(after, 1000);
    if (t < 0 && sy_time_parse_http(after, &at)) {
        t = at * 1000 - symbi_ctx_now_ms(cx);
        if (t < 0) t = 0;
    }
    return t > RETRY_MAX_MS ? RETRY_MAX_MS : t;
}

static bool has_nocase(symbi_str s, const char *z)
{
    size_t n = strlen(z);
    for (size_t i = 0; i + n <= s.n; i++) {
        symbi_str part = { s.p + i, n };
        if (eq_nocase(part, z)) return true;
    }
    return false;
}

/* ---- faults ------------------------------------------------------------------------------------------------------- */

/* "maximum context length is 8192 tokens. However, you requested 9000 tokens" and "9000 tokens > 8192 maximum": the larger
 * of the first two numbers was asked for, the smaller is what there is. */
static symbi_status context_window(sy_model_acc *k, symbi_str text, const char *quoted, symbi_err *err)
{
    int64_t v[2] = { 0, 0 };
    size_t found = 0, i = 0;
    while (i < text.n && found < 2) {
        if (!sy_is_digit(text.p[i])) i++;
        else if (number(text, &i, &v[found]) && v[found] >= 16) found++; /* not the 4 of a model's name */
    }
    if (found < 2 || v[0] == v[1]) {
        symbi_status st = sy_model_fail(k, SY_FAULT_INVALID, err, "the conversation is too long for the model: %s", quoted);
        k->fault.kind = SY_FAULT_CONTEXT_WINDOW;
        return st;
    }
    return sy_model_fail(k, SY_FAULT_CONTEXT_WINDOW, err, "%lld tokens requested, %lld available", (long long)(v[0] > v[1] ? v[0] : v[1]),
        (long long)(v[0] > v[1] ? v[1] : v[0]));
}

static symbi_status client_fault(sy_model_acc *k, int status, symbi_str body, const symbi_value *root, symbi_err *err)
{
    const symbi_value *e = symbi_value_getz(root, "error");
    symbi_str code = symbi_value_str(e, "code", symbi_value_str(e, "type", SY_LIT("")));
    symbi_str text = sy_model_error_text(root);
    char quoted[SY_MODEL_QUOTE + 1];
    sy_model_quote(k->key, body, quoted);
    if (status == 400 || status == 413 || status == 422) {
        bool too_long = sy_str_eqz(code, "context_length_exceeded") || has_nocase(text, "context length") || has_nocase(text, "context window")
            || has_nocase(text, "prompt is too long");
        if (too_long) return context_window(k, text, quoted, err);
    }
    if (status == 404 && (sy_str_eqz(code, "model_not_found") || has_nocase(text, "model"))) {
        sy_model_quote(k->key, text, quoted);
        return sy_model_fail(k, SY_FAULT_NO_MODEL, err, "%s", quoted);
    }
    if (status == 400 || status == 413 || status == 422) return sy_model_fail(k, SY_FAULT_INVALID, err, "API error (%d): %s", status, quoted);
    return sy_model_fail(k, SY_FAULT_PROVIDER, err, "API error (%d): %s", status, quoted);
}

symbi_status sy_model_status_fault(sy_model_acc *k, int status, const symbi_http_header *h, size_t nh, symbi_str body, symbi_err *err)
{
    int64_t wait = retry_after(k->cx, h, nh);
    symbi_doc *d = NULL;
    symbi_status st;
    k->fault.http_status = status;
    k->fault.retry_after_ms = wait < 0 ? 0 : wait;
    k->fault.retryable = status == 408 || status == 409 || status == 429 || (status >= 500 && status <= 599);
    if (status < 100 || status > 999) return sy_model_fail(k, SY_FAULT_PROVIDER, err, "the driver gave no HTTP status");
    if (status < 200) return sy_model_fail(k, SY_FAULT_PROVIDER, err, "API error (%d): no final answer came", status);
    if (status == 429) {
        if (wait < 0) k->fault.retry_after_ms = RETRY_DEFAULT_MS;
        return sy_model_fail(k, SY_FAULT_RATE_LIMITED, err, "retry after %lldms", (long long)k->fault.retry_after_ms);
    }
    if (status >= 300 && status < 400)
        return sy_model_fail(k, SY_FAULT_PROVIDER, err, "API error (%d): the endpoint redirects, give its final URL", status);
    if (body.n <= ERROR_BODY_MAX && symbi_json_parse(k->cx, body, &d, err) == SYMBI_ENOMEM) return SYMBI_ENOMEM;
    st = client_fault(k, status, body, d ? symbi_doc_root(d) : NULL, err);
    symbi_doc_unref(d);
    return st;
}

static void duration(int64_t ms, char out[48])
{
    if (ms >= 1000 && ms % 1000 == 0) snprintf(out, 48, "%llds", (long long)(ms / 1000));
    else if (ms >= 1000) {
        int digits = ms % 100 == 0 ? 1 : ms % 10 == 0 ? 2 : 3;
        int64_t frac = ms % 1000;
        for (int i = digits; i < 3; i++) frac /= 10;
        snprintf(out, 48, "%lld.%0*llds", (long long)(ms / 1000), digits, (long long)frac);
    } else snprintf(out, 48, "%lldms", (long long)ms);
}

symbi_status sy_model_fault_driver(const symbi_err *e, int64_t timeout_ms, sy_model_fault *fault, symbi_err *err)
{
    symbi_err copy = *e; /* err may be e */
    char text[48];
    memset(fault, 0, sizeof *fault);
    if (copy.code == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (copy.code == SYMBI_ETIMEOUT) {
        fault->kind = SY_FAULT_TIMEOUT;
        fault->retryable = true;
        duration(timeout_ms, text);
        return sy_fail(err, SYMBI_ETIMEOUT, "Timeout after %s", text);
    }
    fault->retryable = copy.code == SYMBI_EIO;
    return sy_fail(err, SYMBI_EPROVIDER, "Provider error: %.360s", copy.msg[0] ? copy.msg : symbi_status_text(copy.code));
}
