/* toolclad/mcp_registry.c: mcp-config.toml (spec toolclad.md 11): which MCP servers there are and how they are reached. Immutable after
 * reading. Every fault names file, line and key, and no server of a faulty file is used: a dropped line could be the one that sets a
 * server's key. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/ref.h"
#include "base/str.h"
#include "symbi/toml.h"
#include "symbi/wire.h"
#include "toolclad/mcp_in.h"
#include "toolclad/read.h"
#include <stdarg.h>
#include <stdio.h>

enum { MAX_SERVERS = 1000, MAX_WORDS = 256, MAX_WARNINGS = 100 };

struct symbi_mcp_registry {
    sy_ref refs;
    symbi_alloc alloc;
    sy_arena arena;
    symbi_doc *doc; /* strings below point into it */
    symbi_str source;
    symbi_mcp_server *servers;
    size_t n;
    symbi_str warnings[MAX_WARNINGS];
    size_t nwarnings;
};

typedef struct rd {
    symbi_ctx *cx;
    symbi_mcp_registry *r;
    symbi_mcp_server *s;
    symbi_err *err;
    char at[120]; /* servers.NAME */
} rd;

static symbi_status fail(rd *x, const symbi_value *v, const char *key, const char *fmt, ...) SYMBI_PRINTF(4, 5);
static symbi_status fail(rd *x, const symbi_value *v, const char *key, const char *fmt, ...)
{
    char text[240];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)sy_fail_at(x->err, SYMBI_ESCHEMA, v ? v->line : 0, 0, "%s%s%s: %s", x->at, x->at[0] && key[0] ? "." : "", key, text);
    sy_err_path(x->err, x->r->source);
    return SYMBI_ESCHEMA;
}

static void warn(rd *x, uint32_t line, const char *key, symbi_str name, const char *near)
{
    char text[400];
    int n;
    if (x->r->nwarnings == MAX_WARNINGS) return;
    n = snprintf(text, sizeof text, "%.*s:%u: %s%s%.*s: unknown key%s%s%s", SY_FMT(x->r->source), (unsigned)line, key, key[0] ? "." : "", (int)(name.n > 60 ? 60 : name.n), name.p, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    if (n > 0) x->r->warnings[x->r->nwarnings++] = sy_arena_dup(&x->r->arena, symbi_str_z(text));
}

static symbi_status string(rd *x, const symbi_value *t, const char *key, symbi_str *out)
{
    const symbi_value *v = symbi_value_getz(t, key);
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_STRING) return fail(x, v, key, "string expected, got %s", symbi_kind_name((symbi_kind)v->kind));
    if (memchr(v->u.s.p, 0, v->u.s.n)) return fail(x, v, key, "holds a zero byte");
    *out = v->u.s;
    return SYMBI_OK;
}

bool sy_mcp_secret_next(symbi_str s, size_t *at, size_t *begin, symbi_str *name)
{
    static const char mark[] = "{_secret:";
    for (size_t i = *at; i + sizeof mark < s.n + 1; i++) {
        size_t k = i + sizeof mark - 1;
        if (memcmp(s.p + i, mark, sizeof mark - 1)) continue;
        while (k < s.n && ((s.p[k] >= 'a' && s.p[k] <= 'z') || (s.p[k] >= 'A' && s.p[k] <= 'Z') || (s.p[k] >= '0' && s.p[k] <= '9') || s.p[k] == '_')) k++;
        if (k == s.n || s.p[k] != '}' || k == i + sizeof mark - 1) continue;
        *begin = i;
        *name = (symbi_str){ s.p + i + sizeof mark - 1, k - i - (sizeof mark - 1) };
        *at = k + 1;
        return true;
    }
    return false;
}

static symbi_status no_secrets(rd *x, const symbi_value *v, const char *key, symbi_str s)
{
    size_t at = 0, begin;
    symbi_str name;
    if (!sy_mcp_secret_next(s, &at, &begin, &name)) return SYMBI_OK;
    return fail(x, v, key, "a secret may stand in env and headers only: everybody on this machine can read a command line");
}

static symbi_status words(rd *x, const symbi_value *t)
{
    const symbi_value *v = symbi_value_getz(t, "args");
    symbi_str *w;
    symbi_status st;
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_ARRAY) return fail(x, v, "args", "list of strings expected, got %s", symbi_kind_name((symbi_kind)v->kind));
    if (v->u.a.n > MAX_WORDS) return fail(x, v, "args", "more than %d words", MAX_WORDS);
    w = sy_arena_calloc(&x->r->arena, v->u.a.n, sizeof *w);
    if (!w) return sy_arena_fail(&x->r->arena, x->at, x->err);
    for (size_t i = 0; i < v->u.a.n; i++) {
        const symbi_value *e = &v->u.a.items[i];
        if (e->kind != SYMBI_STRING) return fail(x, e, "args", "string expected, got %s", symbi_kind_name((symbi_kind)e->kind));
        if (memchr(e->u.s.p, 0, e->u.s.n)) return fail(x, e, "args", "holds a zero byte");
        if ((st = no_secrets(x, e, "args", e->u.s))) return st;
        w[i] = e->u.s;
    }
    x->s->args = w;
    x->s->nargs = v->u.a.n;
    return SYMBI_OK;
}

static bool env_name(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9'))) return false;
    }
    return s.n > 0;
}

static bool header_name(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f || memchr("\"(),/:;<=>?@[\\]{}", c, 17)) return false;
    }
    return s.n > 0;
}

static bool ours(symbi_str name)
{
    static const char *const taken[] = { "host", "content-length", "content-type", "accept", "connection", "transfer-encoding", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id" };
    char low[24];
    if (name.n >= sizeof low) return false;
    for (size_t i = 0; i < name.n; i++) low[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    low[name.n] = 0;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (!strcmp(low, taken[i])) return true;
    return !strncmp(low, "mcp-param-", 10);
}

static symbi_status pairs(rd *x, const symbi_value *t, const char *key, bool headers, const symbi_mcp_pair **out, size_t *n)
{
    const symbi_value *v = symbi_value_getz(t, key);
    symbi_mcp_pair *p;
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_OBJECT) return fail(x, v, key, "table expected, got %s", symbi_kind_name((symbi_kind)v->kind));
    if (v->u.o.n > MAX_WORDS) return fail(x, v, key, "more than %d entries", MAX_WORDS);
    p = sy_arena_calloc(&x->r->arena, v->u.o.n, sizeof *p);
    if (!p) return sy_arena_fail(&x->r->arena, x->at, x->err);
    for (size_t i = 0; i < v->u.o.n; i++) {
        const symbi_member *m = &v->u.o.members[i];
        if (m->val.kind != SYMBI_STRING) return fail(x, &m->val, key, "'%.*s': string expected, got %s", SY_FMT(m->key), symbi_kind_name((symbi_kind)m->val.kind));
        if (headers ? !header_name(m->key) : !env_name(m->key)) return fail(x, &m->val, key, "'%.*s' is no name of %s", SY_FMT(m->key), headers ? "a header" : "a variable");
        if (headers && ours(m->key)) return fail(x, &m->val, key, "'%.*s' is set by the client itself", SY_FMT(m->key));
        for (size_t k = 0; k < m->val.u.s.n; k++) {
            unsigned char c = (unsigned char)m->val.u.s.p[k];
            if (!c || (headers && ((c < 0x20 && c != '\t') || c == 0x7f))) return fail(x, &m->val, key, "'%.*s' holds a control character", SY_FMT(m->key));
        }
        p[i].name = m->key;
        p[i].value = m->val.u.s;
    }
    *out = p;
    *n = v->u.o.n;
    return SYMBI_OK;
}

static void collect(rd *x, const symbi_mcp_pair *p, size_t n, symbi_str *list)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = 0, begin, k;
        symbi_str name;
        while (sy_mcp_secret_next(p[i].value, &at, &begin, &name)) {
            for (k = 0; k < x->s->nsecrets && !sy_str_eq(list[k], name); k++) { }
            if (k == x->s->nsecrets) {
                list[x->s->nsecrets] = sy_arena_dup(&x->r->arena, name);
                if (list[k].p) x->s->nsecrets++;
            }
        }
    }
}

static size_t braces(const symbi_mcp_pair *p, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < p[i].value.n; k++) out += p[i].value.p[k] == '{';
    return out;
}

static symbi_status secrets(rd *x)
{
    symbi_str *list = sy_arena_calloc(&x->r->arena, braces(x->s->env, x->s->nenv) + braces(x->s->headers, x->s->nheaders), sizeof *list);
    if (!list) return sy_arena_fail(&x->r->arena, x->at, x->err);
    collect(x, x->s->env, x->s->nenv, list);
    collect(x, x->s->headers, x->s->nheaders, list);
    x->s->secrets = list;
    return x->r->arena.status ? sy_arena_fail(&x->r->arena, x->at, x->err) : SYMBI_OK;
}

static symbi_status url(rd *x, const symbi_value *t, const char *key, symbi_str *out, bool https)
{
    const symbi_value *v = symbi_value_getz(t, key);
    symbi_url u;
    symbi_err e;
    symbi_status st = string(x, t, key, out);
    if (st || !v) return st;
    if (symbi_url_parse(v->u.s, &u, &e)) return fail(x, v, key, "%s", e.msg);
    if (https && !u.tls) return fail(x, v, key, "must begin with https://: a key that came over http proves nothing");
    return SYMBI_OK;
}

static symbi_status server(rd *x, symbi_str name, const symbi_value *t)
{
    static const char *const known[] = { "command", "args", "env", "cwd", "url", "headers", "public_key_url", "trust", NULL };
    symbi_str trust = SY_LIT("approved");
    symbi_status st;
    x->s->name = name;
    x->s->source = x->r->source;
    x->s->command = x->s->cwd = x->s->url = x->s->public_key_url = SY_LIT("");
    if (t->kind != SYMBI_OBJECT) return fail(x, t, "", "table expected, got %s", symbi_kind_name((symbi_kind)t->kind));
    if ((st = string(x, t, "command", &x->s->command)) || (st = string(x, t, "cwd", &x->s->cwd)) || (st = words(x, t)) || (st = pairs(x, t, "env", false, &x->s->env, &x->s->nenv)) ||
        (st = url(x, t, "url", &x->s->url, false)) || (st = pairs(x, t, "headers", true, &x->s->headers, &x->s->nheaders)) ||
        (st = url(x, t, "public_key_url", &x->s->public_key_url, true)) || (st = string(x, t, "trust", &trust)) || (st = secrets(x)))
        return st;
    if (!x->s->command.n && !x->s->url.n) return fail(x, t, "", "needs command (a program to start) or url (streamable HTTP)");
    if (x->s->command.n && x->s->url.n) return fail(x, symbi_value_getz(t, "url"), "url", "a server is reached by command or by url, not by both");
    if (x->s->url.n && (x->s->nargs || x->s->nenv || x->s->cwd.n)) return fail(x, t, "", "args, env and cwd are of a command; this server has a url");
    if (x->s->command.n && x->s->nheaders) return fail(x, t, "headers", "headers are of a url; this server has a command");
    if ((st = no_secrets(x, symbi_value_getz(t, "command"), "command", x->s->command)) || (st = no_secrets(x, symbi_value_getz(t, "url"), "url", x->s->url)) || (st = no_secrets(x, symbi_value_getz(t, "cwd"), "cwd", x->s->cwd))) return st;
    if (sy_str_eqz(trust, "first-use")) x->s->first_use = true;
    else if (!sy_str_eqz(trust, "approved")) return fail(x, symbi_value_getz(t, "trust"), "trust", "must be \"approved\" or \"first-use\"");
    for (size_t i = 0; i < t->u.o.n; i++) {
        size_t k;
        for (k = 0; known[k] && !sy_str_eqz(t->u.o.members[i].key, known[k]); k++) { }
        if (!known[k]) warn(x, t->u.o.members[i].val.line, x->at, t->u.o.members[i].key, sy_suggest_list(t->u.o.members[i].key, known));
    }
    return SYMBI_OK;
}

static symbi_status read_all(rd *x)
{
    const symbi_value *root = symbi_doc_root(x->r->doc), *list = symbi_value_getz(root, "servers");
    symbi_status st;
    for (size_t i = 0; i < root->u.o.n; i++)
        if (!sy_str_eqz(root->u.o.members[i].key, "servers")) warn(x, root->u.o.members[i].val.line, "", root->u.o.members[i].key, NULL);
    if (!list) return SYMBI_OK;
    if (list->kind != SYMBI_OBJECT) return fail(x, list, "servers", "table expected, got %s", symbi_kind_name((symbi_kind)list->kind));
    if (list->u.o.n > MAX_SERVERS) return fail(x, list, "servers", "more than %d servers", MAX_SERVERS);
    x->r->servers = sy_arena_calloc(&x->r->arena, list->u.o.n, sizeof *x->r->servers);
    if (!x->r->servers) return sy_arena_fail(&x->r->arena, "the servers", x->err);
    for (size_t i = 0; i < list->u.o.n; i++) {
        symbi_str name = list->u.o.members[i].key;
        snprintf(x->at, sizeof x->at, "servers.%.*s", (int)(name.n > 80 ? 80 : name.n), name.p);
        x->s = &x->r->servers[i];
        if (!name.n || name.n > 128) return fail(x, &list->u.o.members[i].val, "", "the name of a server has 1 to 128 bytes");
        for (size_t k = 0; k < name.n; k++)
            if ((unsigned char)name.p[k] < 0x20) return fail(x, &list->u.o.members[i].val, "", "the name of a server holds a control character");
        if ((st = server(x, name, &list->u.o.members[i].val))) return st;
        x->r->n++;
    }
    return x->r->arena.status ? sy_arena_fail(&x->r->arena, "the servers", x->err) : SYMBI_OK;
}

symbi_status symbi_mcp_registry_parse(symbi_ctx *cx, symbi_str text, symbi_str source, symbi_mcp_registry **out, symbi_err *err)
{
    symbi_mcp_registry *r;
    rd x = { cx, NULL, NULL, err, "" };
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    r = x.r = sy_calloc(&cx->shared, 1, sizeof *r);
    if (!r) return sy_fail_nomem(err);
    sy_ref_init(&r->refs);
    r->alloc = cx->shared;
    sy_arena_init(&r->arena, cx->shared, cx->limits.arena_bytes);
    r->source = sy_arena_dup(&r->arena, source);
    if (!r->source.p) st = sy_fail_nomem(err);
    else if (text.n > cx->limits.manifest_bytes) st = sy_fail(err, SYMBI_ELIMIT, "more than %zu bytes (manifest_bytes)", cx->limits.manifest_bytes);
    else if (!(st = symbi_toml_parse(cx, text, &r->doc, err))) st = read_all(&x);
    if (st) {
        if (st != SYMBI_ENOMEM) sy_err_path(err, source);
        symbi_mcp_registry_unref(r);
        return st;
    }
    *out = r;
    return SYMBI_OK;
}

symbi_mcp_registry *symbi_mcp_registry_ref(symbi_mcp_registry *r)
{
    sy_ref_inc(&r->refs);
    return r;
}

void symbi_mcp_registry_unref(symbi_mcp_registry *r)
{
    if (r && sy_ref_dec(&r->refs)) {
        symbi_alloc a = r->alloc;
        symbi_doc_unref(r->doc);
        sy_arena_free(&r->arena);
        sy_free(&a, r, sizeof *r);
    }
}

size_t symbi_mcp_registry_count(const symbi_mcp_registry *r) { return r->n; }

bool symbi_mcp_registry_at(const symbi_mcp_registry *r, size_t i, symbi_mcp_server *out)
{
    if (i >= r->n) return false;
    *out = r->servers[i];
    return true;
}

bool symbi_mcp_registry_find(const symbi_mcp_registry *r, symbi_str name, symbi_mcp_server *out)
{
    for (size_t i = 0; i < r->n; i++)
        if (sy_str_eq(r->servers[i].name, name)) return symbi_mcp_registry_at(r, i, out);
    return false;
}

symbi_str symbi_mcp_registry_warning(const symbi_mcp_registry *r, size_t i) { return i < r->nwarnings ? r->warnings[i] : SY_LIT(""); }
