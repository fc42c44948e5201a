/* state/secrets.c: the map of names and values, in memory that is overwritten; reading it from JSON, TOML and env files, and sealing
 * it. Sorted by name, so that one map has one text. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "state/secrets_in.h"
#include "symbi/json.h"
#include "symbi/secrets.h"
#include "symbi/toml.h"
#include "symbi/yaml.h"

#include <string.h>

typedef struct sy_secret {
    symbi_str key, value; /* one block: key, then value */
} sy_secret;

struct symbi_secrets {
    symbi_ctx *cx;
    sy_wiping mem;
    sy_secret *e;
    size_t n, cap;
};

bool symbi_secret_key_valid(symbi_str key)
{
    if (!key.n || key.n > SYMBI_SECRET_MAX_KEY) return false;
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.')) return false;
        if (c == '.' && (key.n == 1 || (i && key.p[i - 1] == '.'))) return false;
    }
    return true;
}

symbi_status symbi_secrets_new(symbi_ctx *cx, symbi_secrets **out, symbi_err *err)
{
    symbi_secrets *s = sy_calloc(&cx->alloc, 1, sizeof *s);
    *out = s;
    if (!s) return sy_fail_nomem(err);
    s->cx = cx;
    sy_wiping_init(&s->mem, cx->alloc);
    return SYMBI_OK;
}

static void drop(symbi_secrets *s, sy_secret *e) { sy_free(&s->mem.wiping, (char *)(uintptr_t)e->key.p, e->key.n + e->value.n + 1); }

void symbi_secrets_free(symbi_secrets *s)
{
    symbi_alloc a;
    if (!s) return;
    a = s->cx->alloc;
    for (size_t i = 0; i < s->n; i++) drop(s, &s->e[i]);
    sy_free(&a, s->e, s->cap * sizeof *s->e);
    sy_free(&a, s, sizeof *s);
}

size_t symbi_secrets_count(const symbi_secrets *s) { return s->n; }
symbi_str symbi_secrets_key(const symbi_secrets *s, size_t i) { return i < s->n ? s->e[i].key : (symbi_str){ NULL, 0 }; }

/* Where key is, or belongs. */
static size_t place(const symbi_secrets *s, symbi_str key, bool *there)
{
    size_t lo = 0, hi = s->n;
    *there = false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = sy_str_cmp(s->e[mid].key, key);
        if (!c) {
            *there = true;
            return mid;
        }
        if (c < 0) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

symbi_status symbi_secrets_get(const symbi_secrets *s, symbi_str key, symbi_str *value, symbi_err *err)
{
    bool there;
    size_t i = place(s, key, &there);
    *value = (symbi_str){ NULL, 0 };
    if (!there) return sy_fail(err, SYMBI_ENOTFOUND, "Secret not found: %.*s", SY_FMT(key));
    *value = s->e[i].value;
    return SYMBI_OK;
}

/* The rules for what is read are wider than for what is made: a name in an existing file is a name. */
static symbi_status put(symbi_secrets *s, symbi_str key, symbi_str value, symbi_err *err)
{
    bool there;
    size_t i = place(s, key, &there);
    sy_secret e;
    char *p;
    if (!key.n || key.n > SYMBI_SECRET_MAX_KEY) return sy_fail(err, SYMBI_EINVAL, "Invalid secret key format: a name has 1 to %d bytes", SYMBI_SECRET_MAX_KEY);
    if (value.n > SYMBI_SECRET_MAX_VALUE) return sy_fail(err, SYMBI_ELIMIT, "the value of %.*s is longer than %d bytes", SY_FMT(key), SYMBI_SECRET_MAX_VALUE);
    if (!there && s->n == SYMBI_SECRETS_MAX) return sy_fail(err, SYMBI_ELIMIT, "more than %d secrets", SYMBI_SECRETS_MAX);
    if (sy_grow(&s->cx->alloc, (void **)&s->e, &s->cap, s->n + 1, sizeof *s->e)) return sy_fail_nomem(err);
    p = sy_alloc(&s->mem.wiping, key.n + value.n + 1);
    if (!p) return sy_fail_nomem(err);
    memcpy(p, key.p, key.n);
    if (value.n) memcpy(p + key.n, value.p, value.n);
    p[key.n + value.n] = 0;
    e = (sy_secret){ { p, key.n }, { p + key.n, value.n } };
    if (there) drop(s, &s->e[i]);
    else {
        memmove(&s->e[i + 1], &s->e[i], (s->n - i) * sizeof *s->e);
        s->n++;
    }
    s->e[i] = e;
    return SYMBI_OK;
}

symbi_status symbi_secrets_set(symbi_secrets *s, symbi_str key, symbi_str value, symbi_err *err)
{
    if (!symbi_secret_key_valid(key))
        return sy_fail(err, SYMBI_EINVAL, "Invalid secret key format: %.*s (letters, digits, '_', '-', '.', no \"..\", at most %d)", SY_FMT(key), SYMBI_SECRET_MAX_KEY);
    if (!sy_utf8_valid(value, NULL)) return sy_fail(err, SYMBI_EINVAL, "Invalid secret value: %.*s is not UTF-8; keep bytes as base64", SY_FMT(key));
    return put(s, key, value, err);
}

symbi_status symbi_secrets_delete(symbi_secrets *s, symbi_str key, symbi_err *err)
{
    bool there;
    size_t i = place(s, key, &there);
    if (!there) return sy_fail(err, SYMBI_ENOTFOUND, "Secret not found: %.*s", SY_FMT(key));
    drop(s, &s->e[i]);
    s->n--;
    memmove(&s->e[i], &s->e[i + 1], (s->n - i) * sizeof *s->e);
    return SYMBI_OK;
}

/* ---- reading ---- */

static symbi_status from_value(symbi_secrets *s, symbi_ctx *wipe, const symbi_value *v, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    if (v->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "Parse error: a map of names to values is expected, this is %s", symbi_kind_name((symbi_kind)v->kind));
    for (size_t i = 0; i < v->u.o.n && !st; i++) {
        const symbi_member *m = &v->u.o.members[i];
        symbi_text t = { 0 };
        if (m->val.kind == SYMBI_STRING || m->val.kind == SYMBI_TIME) {
            st = put(s, m->key, m->val.u.s, err);
            continue;
        }
        st = symbi_json_write(wipe, &m->val, 0, &t, err);
        if (!st) st = put(s, m->key, symbi_text_str(&t), err);
        symbi_text_free(&t);
    }
    return st;
}

static symbi_status env_fail(symbi_err *err, size_t line, const char *why)
{
    return sy_fail_at(err, SYMBI_EPARSE, (uint32_t)line, 1, "Parse error: %s", why);
}

static bool blank(char c) { return c == ' ' || c == '\t'; }

/* One value: bare to the end of the line, or quoted. buf has room for the line. */
static const char *env_value(symbi_str v, char *buf, size_t *n)
{
    char q = v.n ? v.p[0] : 0;
    size_t i;
    *n = 0;
    if (q != '"' && q != '\'') {
        for (i = 0; i < v.n; i++)
            if (v.p[i] == '#' && i && blank(v.p[i - 1])) break; /* a comment after a value */
        v.n = i;
        while (v.n && blank(v.p[v.n - 1])) v.n--;
        memcpy(buf, v.p, *n = v.n);
        return NULL;
    }
    for (i = 1; i < v.n && v.p[i] != q; i++) {
        char c = v.p[i];
        if (c == '\\' && q == '"') {
            if (++i == v.n) break;
            c = v.p[i] == 'n' ? '\n' : v.p[i] == 't' ? '\t' : v.p[i] == 'r' ? '\r' : v.p[i];
            if (!strchr("ntr\\\"$", v.p[i]) || !v.p[i]) return "an escape other than \\n \\t \\r \\\\ \\\" \\$";
        }
        buf[(*n)++] = c;
    }
    if (i >= v.n) return "a quote that does not end on its line";
    for (i++; i < v.n && v.p[i] != '#'; i++)
        if (!blank(v.p[i])) return "text after a quoted value";
    return NULL;
}

static symbi_status env_read(symbi_secrets *s, symbi_str text, symbi_err *err)
{
    size_t line = 0, pos = 0;
    symbi_status st = SYMBI_OK;
    if (!sy_utf8_valid(text, NULL)) return sy_fail(err, SYMBI_EPARSE, "Parse error: the text is not UTF-8");
    if (text.n && memchr(text.p, 0, text.n)) return sy_fail(err, SYMBI_EPARSE, "Parse error: the text holds a zero byte");
    while (pos < text.n && !st) {
        const char *p = text.p + pos, *nl = memchr(p, '\n', text.n - pos), *eq, *why;
        symbi_str l = { p, nl ? (size_t)(nl - p) : text.n - pos }, key, old;
        size_t n = 0;
        char *buf;
        pos += l.n + 1;
        line++;
        if (l.n && l.p[l.n - 1] == '\r') l.n--;
        while (l.n && blank(l.p[0])) l.p++, l.n--;
        if (!l.n || l.p[0] == '#') continue;
        if (l.n > 7 && !memcmp(l.p, "export", 6) && blank(l.p[6]))
            for (l.p += 6, l.n -= 6; l.n && blank(l.p[0]); l.p++) l.n--;
        eq = memchr(l.p, '=', l.n);
        if (!eq) return env_fail(err, line, "NAME=value is expected");
        key = (symbi_str){ l.p, (size_t)(eq - l.p) };
        while (key.n && blank(key.p[key.n - 1])) key.n--;
        if (!symbi_secret_key_valid(key)) return env_fail(err, line, "the name before '=' is no name");
        if (symbi_secrets_get(s, key, &old, NULL) == SYMBI_OK) return env_fail(err, line, "a name that stands there twice");
        l.n -= (size_t)(eq + 1 - l.p);
        l.p = eq + 1;
        while (l.n && blank(l.p[0])) l.p++, l.n--;
        buf = sy_alloc(&s->mem.wiping, l.n + 1);
        if (!buf) return sy_fail_nomem(err);
        why = env_value(l, buf, &n);
        st = why ? env_fail(err, line, why) : put(s, key, (symbi_str){ buf, n }, err);
        sy_free(&s->mem.wiping, buf, l.n + 1);
    }
    return st;
}

/* An error about a text of secrets must not quote it. */
static symbi_status unquoted(symbi_status st, symbi_err *err, const char *what)
{
    uint32_t line = err ? err->line : 0, col = err ? err->col : 0;
    if (!st || st == SYMBI_ENOMEM || st == SYMBI_ELIMIT) return st;
    return sy_fail_at(err, st, line, col, "Parse error: not %s", what);
}

symbi_status symbi_secrets_read(symbi_ctx *cx, symbi_secrets_format format, symbi_str text, symbi_secrets **out, symbi_err *err)
{
    symbi_secrets *s;
    symbi_doc *d = NULL;
    symbi_ctx wipe;
    symbi_err own;
    symbi_status st = symbi_secrets_new(cx, &s, err);
    *out = NULL;
    if (st) return st;
    if (!err) err = &own;
    wipe = sy_wiping_ctx(cx, &s->mem);
    if (text.n > SYMBI_SECRETS_MAX_BYTES) st = sy_fail(err, SYMBI_ELIMIT, "the file is larger than %d bytes", SYMBI_SECRETS_MAX_BYTES);
    else if (format == SYMBI_SECRETS_JSON) st = unquoted(symbi_json_parse(&wipe, text, &d, err), err, "JSON");
    else if (format == SYMBI_SECRETS_TOML) st = unquoted(symbi_toml_parse(&wipe, text, &d, err), err, "TOML");
    else if (format == SYMBI_SECRETS_YAML) st = unquoted(symbi_yaml_parse(&wipe, text, SYMBI_YAML_CORE, &d, err), err, "YAML");
    else if (format == SYMBI_SECRETS_ENV) st = env_read(s, text, err);
    else st = sy_fail(err, SYMBI_EINVAL, "no such format");
    if (!st && d) st = from_value(s, &wipe, symbi_doc_root(d), err);
    symbi_doc_unref(d);
    if (st) symbi_secrets_free(s);
    else *out = s;
    return st;
}

symbi_status symbi_secrets_open(symbi_ctx *cx, symbi_box_kind kind, symbi_str key, symbi_str box, symbi_secrets_format format, unsigned flags, symbi_secrets **out, symbi_box_reason *reason, symbi_err *err)
{
    symbi_box_reason r;
    symbi_text plain;
    symbi_status st;
    *out = NULL;
    if (!reason) reason = &r;
    st = symbi_box_open(cx, kind, key, box, flags, &plain, reason, err);
    if (st) return st;
    st = symbi_secrets_read(cx, format, symbi_text_str(&plain), out, err);
    if (st && st != SYMBI_ENOMEM) *reason = SYMBI_BOX_R_CONTENT;
    symbi_text_wipe(&plain);
    return st;
}

/* ---- writing ---- */

symbi_status symbi_secrets_seal(const symbi_secrets *s, symbi_box_kind kind, symbi_str key, unsigned flags, symbi_text *out, symbi_err *err)
{
    symbi_ctx wipe = sy_wiping_ctx(s->cx, &s->mem);
    symbi_json_out o;
    symbi_status st;
    memset(out, 0, sizeof *out);
    symbi_json_out_init(&wipe, &o);
    symbi_json_out_raw(&o, SY_LIT("{"));
    for (size_t i = 0; i < s->n; i++) {
        if (i) symbi_json_out_raw(&o, SY_LIT(","));
        symbi_json_out_string(&o, s->e[i].key);
        symbi_json_out_raw(&o, SY_LIT(":"));
        symbi_json_out_string(&o, s->e[i].value);
    }
    symbi_json_out_raw(&o, SY_LIT("}"));
    if (o.status == SYMBI_ENOMEM) st = sy_fail_nomem(err);
    else if (o.status) st = sy_fail(err, o.status, "the secrets cannot be written as JSON");
    else st = symbi_box_seal(s->cx, kind, key, (symbi_str){ o.p, o.n }, flags, out, err);
    symbi_json_out_free(&o);
    return st;
}
