/* toolclad/scope.c: whether a target lies in the scope (spec toolclad.md section 12). Addresses of both families are compared as 128 bits, IPv4 as
 * ::ffff:0:0/96: an exclusion then overlaps whatever form it was written in; but what is inside an entry must be of its family. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/chars.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/ref.h"
#include "base/str.h"
#include "codec/value.h"
#include "symbi/crypto.h"
#include "symbi/json.h"
#include "symbi/netguard.h"
#include "symbi/scope.h"
#include "symbi/toml.h"
#include "toolclad/session.h"
#include "toolclad/tool.h"

typedef struct range {
    uint8_t b[16]; /* host bits zero */
    unsigned bits; /* of the prefix, of 128 */
    bool v4;
} range;
typedef struct entry {
    bool is_range, below; /* below: "*.name" */
    range r;
    symbi_str name;       /* lower case, no final dot */
} entry;
typedef struct entries {
    entry *e;
    size_t n;
} entries;

struct symbi_scope {
    sy_ref refs;
    symbi_alloc alloc;
    sy_arena arena;
    entries targets, domains, exclude;
    symbi_str problem, shown; /* shown: what is allowed, for messages */
    uint8_t hash[32];
};

/* ---- targets ---- */

static void from_addr(const symbi_netaddr *a, range *r)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    memset(r, 0, sizeof *r);
    if (a->v6) {
        memcpy(r->b, a->b, 16);
    } else {
        memcpy(r->b, mapped, 12);
        memcpy(r->b + 12, a->b, 4);
    }
    r->v4 = memcmp(r->b, mapped, 12) == 0;
    r->bits = 128;
}

static void cut(range *r, unsigned bits)
{
    r->bits = bits;
    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = bits > i * 8 ? bits - i * 8 : 0;
        if (keep < 8) r->b[i] = (uint8_t)(r->b[i] & (keep ? 0xff << (8 - keep) : 0));
    }
    r->v4 = r->v4 && bits >= 96;
}

/* "addr" or "addr/n"; any number form of an IPv4 address when legacy. False: it is neither. *bad: it has a '/' and is still none. */
static bool read_range(symbi_str s, bool legacy, range *r, bool *bad)
{
    const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
    symbi_str ip = s, len = { NULL, 0 };
    symbi_netaddr a;
    unsigned n = 0, most;
    *bad = slash != NULL;
    if (slash) {
        ip.n = (size_t)(slash - s.p);
        len.p = slash + 1;
        len.n = s.n - ip.n - 1;
        if (len.n < 1 || len.n > 3) return false;
        for (size_t i = 0; i < len.n; i++) {
            if (len.p[i] < '0' || len.p[i] > '9') return false;
            n = n * 10 + (unsigned)(len.p[i] - '0');
        }
    }
    if (symbi_netaddr_parse(ip, &a, NULL)) {
        if (slash || !legacy || !symbi_netaddr_legacy_v4(ip, &a)) return false;
    } else if (a.zone || memchr(ip.p, '%', ip.n)) {
        *bad = true;
        return false;
    }
    from_addr(&a, r);
    if (!slash) return true;
    most = a.v6 ? 128 : 32;
    if (n > most) return false;
    cut(r, a.v6 ? n : n + 96);
    *bad = false;
    return true;
}

static bool same_bits(const range *a, const range *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a->b, b->b, whole) != 0) return false;
    return !rest || ((a->b[whole] ^ b->b[whole]) >> (8 - rest)) == 0;
}
static bool inside(const range *x, const range *of) { return x->v4 == of->v4 && x->bits >= of->bits && same_bits(x, of, of->bits); }
static bool overlap(const range *x, const range *y) { return same_bits(x, y, x->bits < y->bits ? x->bits : y->bits); }

/* Labels of letters, digits, '-' and '_', at most 253 bytes together. */
static bool is_name(symbi_str s)
{
    for (size_t from = 0, i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '.') {
            char c = s.p[i];
            if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) return false;
            continue;
        }
        if (i == from || i - from > 63 || s.p[from] == '-' || s.p[i - 1] == '-') return false;
        from = i + 1;
    }
    return s.n > 0 && s.n <= 253;
}

/* name (any case) against one that is lower case already */
static bool name_is(symbi_str name, symbi_str of)
{
    if (name.n != of.n) return false;
    for (size_t i = 0; i < of.n; i++)
        if (sy_lower(name.p[i]) != of.p[i]) return false;
    return true;
}
static bool name_below(symbi_str name, symbi_str of)
{
    return name.n > of.n + 1 && name.p[name.n - of.n - 1] == '.' && name_is((symbi_str){ name.p + name.n - of.n, of.n }, of);
}

/* ---- the file ---- */

static symbi_status read_entry(symbi_scope *s, symbi_str text, const char *list, entry *e)
{
    bool bad;
    char *low;
    if (read_range(text, false, &e->r, &bad)) {
        e->is_range = true;
        return strcmp(list, "domains") == 0 ? SYMBI_ESCHEMA : SYMBI_OK;
    }
    if (bad) return SYMBI_ESCHEMA;
    if (sy_str_starts(text, SY_LIT("*."))) {
        if (strcmp(list, "targets") == 0) return SYMBI_ESCHEMA;
        e->below = true;
        text.p += 2, text.n -= 2;
    }
    if (text.n && text.p[text.n - 1] == '.') text.n--;
    if (!is_name(text)) return SYMBI_ESCHEMA;
    low = sy_arena_alloc(&s->arena, text.n + 1);
    if (!low) return SYMBI_ENOMEM;
    for (size_t i = 0; i < text.n; i++) low[i] = sy_lower(text.p[i]);
    low[text.n] = 0;
    e->name = (symbi_str){ low, text.n };
    {
        symbi_netaddr a;
        return symbi_netaddr_legacy_v4(e->name, &a) ? SYMBI_ESCHEMA : SYMBI_OK; /* 10.1 is neither an address nor a name */
    }
}

static symbi_status fail(symbi_str source, const symbi_value *v, const char *list, const char *what, symbi_str text, symbi_err *err)
{
    char echo[SY_ECHO];
    (void)sy_fail_at(err, SYMBI_ESCHEMA, v ? v->line : 0, 0, "scope%s%s: %s%s%s%s", list[0] ? "." : "", list, what, text.n ? " '" : "", text.n ? sy_echo(text, echo) : "", text.n ? "'" : "");
    sy_err_path(err, source);
    return SYMBI_ESCHEMA;
}

static symbi_status read_list(symbi_scope *s, const symbi_value *scope, const char *key, symbi_str source, entries *out, symbi_err *err)
{
    const symbi_value *v = symbi_value_getz(scope, key);
    const symbi_str none = { NULL, 0 };
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_ARRAY) {
        if (v->kind == SYMBI_OBJECT && !v->u.o.n) return SYMBI_OK; /* an empty Lua table */
        return fail(source, v, key, "a list of texts is expected", none, err);
    }
    if (v->u.a.n > SYMBI_SCOPE_ENTRIES) return fail(source, v, key, "more than 10000 entries", none, err);
    out->e = sy_arena_calloc(&s->arena, v->u.a.n, sizeof *out->e);
    if (!out->e) return sy_arena_fail(&s->arena, "the scope", err);
    for (size_t i = 0; i < v->u.a.n; i++) {
        const symbi_value *t = &v->u.a.items[i];
        symbi_status st;
        if (t->kind != SYMBI_STRING) return fail(source, t, key, "a list of texts is expected", none, err);
        st = read_entry(s, t->u.s, key, &out->e[i]);
        if (st == SYMBI_ENOMEM) return sy_arena_fail(&s->arena, "the scope", err);
        if (st && strcmp(key, "domains") == 0) return fail(source, t, key, "a name, or *. and a name, is expected, got", t->u.s, err);
        if (st && strcmp(key, "targets") == 0) return fail(source, t, key, "an address, a range or an exact name is expected (*.names stand in domains), got", t->u.s, err);
        if (st) return fail(source, t, key, "an address, a range or a name is expected, got", t->u.s, err);
        out->n++;
    }
    return SYMBI_OK;
}

/* What is allowed, at most a line of it. */
static symbi_status make_shown(symbi_scope *s, const symbi_value *scope, symbi_err *err)
{
    static const char *const keys[] = { "targets", "domains" };
    sy_buf b;
    sy_buf_init(&b, s->alloc, 8192);
    for (size_t k = 0; k < 2; k++) {
        const symbi_value *v = symbi_value_getz(scope, keys[k]);
        for (size_t i = 0; v && v->kind == SYMBI_ARRAY && i < v->u.a.n; i++) {
            if (b.n > 160) {
                if (sy_buf_status(&b) == SYMBI_OK && b.p[b.n - 1] != '.') sy_buf_addz(&b, ", ...");
                break;
            }
            if (b.n) sy_buf_addz(&b, ", ");
            sy_buf_adds(&b, v->u.a.items[i].u.s);
        }
    }
    s->shown = sy_arena_dup(&s->arena, b.n ? sy_buf_str(&b) : SY_LIT("nothing"));
    {
        symbi_status st = sy_buf_status(&b) ? sy_fail_nomem(err) : SYMBI_OK;
        sy_buf_free(&b);
        return st ? st : s->shown.p ? SYMBI_OK : sy_arena_fail(&s->arena, "the scope", err);
    }
}

static symbi_scope *new_scope(symbi_ctx *cx)
{
    symbi_scope *s = sy_calloc(&cx->shared, 1, sizeof *s);
    if (!s) return NULL;
    sy_ref_init(&s->refs);
    s->alloc = cx->shared;
    sy_arena_init(&s->arena, cx->shared, cx->limits.arena_bytes);
    return s;
}

static symbi_status hash(symbi_ctx *cx, symbi_scope *s, const symbi_value *scope, symbi_err *err)
{
    symbi_text t = { 0 };
    symbi_status st = symbi_json_write(cx, scope, SYMBI_JSON_CANONICAL, &t, err);
    if (!st) st = symbi_sha256(cx, symbi_text_str(&t), s->hash, err);
    symbi_text_free(&t);
    return st;
}

symbi_status symbi_scope_from_value(symbi_ctx *cx, const symbi_value *scope, symbi_str source, symbi_scope **out, symbi_err *err)
{
    static const char *const keys[] = { "targets", "domains", "exclude" };
    const symbi_str none = { NULL, 0 };
    symbi_scope *s;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    symbi_err_clear(err);
    if (!scope || scope->kind != SYMBI_OBJECT) return fail(source, scope, "", "a table is expected", none, err);
    for (size_t i = 0; i < scope->u.o.n; i++) { /* a misspelt "exclude" must not be a missing one */
        size_t k;
        for (k = 0; k < 3 && !sy_str_eqz(scope->u.o.members[i].key, keys[k]); k++) { }
        if (k == 3) return fail(source, &scope->u.o.members[i].val, "", "targets, domains and exclude are known, and not", scope->u.o.members[i].key, err);
    }
    s = new_scope(cx);
    if (!s) return sy_fail_nomem(err);
    if (!(st = read_list(s, scope, "targets", source, &s->targets, err)) && !(st = read_list(s, scope, "domains", source, &s->domains, err)) &&
        !(st = read_list(s, scope, "exclude", source, &s->exclude, err)) && !(st = make_shown(s, scope, err)))
        st = hash(cx, s, scope, err);
    if (st) symbi_scope_unref(s);
    else *out = s;
    return st;
}

symbi_status symbi_scope_parse(symbi_ctx *cx, symbi_str toml, symbi_str source, symbi_scope **out, symbi_err *err)
{
    const symbi_str none = { NULL, 0 };
    const symbi_value *root;
    symbi_doc *d;
    symbi_status st;
    *out = NULL;
    st = symbi_toml_parse(cx, toml, &d, err);
    if (st) {
        sy_err_path(err, source);
        return st;
    }
    root = symbi_doc_root(d);
    for (size_t i = 0; i < root->u.o.n && !st; i++)
        if (!sy_str_eqz(root->u.o.members[i].key, "scope")) st = fail(source, &root->u.o.members[i].val, "", "the file has a table [scope], and not", root->u.o.members[i].key, err);
    if (!st && !symbi_value_getz(root, "scope")) st = fail(source, NULL, "", "the table [scope] is missing", none, err);
    if (!st) st = symbi_scope_from_value(cx, symbi_value_getz(root, "scope"), source, out, err);
    symbi_doc_unref(d);
    return st;
}

symbi_status symbi_scope_broken(symbi_ctx *cx, symbi_str why, symbi_scope **out, symbi_err *err)
{
    char line[300];
    symbi_scope *s = *out = NULL;
    symbi_status st;
    symbi_err_clear(err);
    sy_clean_line(line, sizeof line, why.n ? why : SY_LIT("it cannot be read"));
    s = new_scope(cx);
    if (!s) return sy_fail_nomem(err);
    s->problem = sy_arena_dup(&s->arena, symbi_str_z(line));
    st = s->problem.p ? symbi_sha256(cx, s->problem, s->hash, err) : sy_fail_nomem(err);
    if (st) symbi_scope_unref(s);
    else *out = s;
    return st;
}

symbi_scope *symbi_scope_ref(symbi_scope *s)
{
    if (s) sy_ref_inc(&s->refs);
    return s;
}

void symbi_scope_unref(symbi_scope *s)
{
    symbi_alloc a;
    if (!s || !sy_ref_dec(&s->refs)) return;
    a = s->alloc;
    sy_arena_free(&s->arena);
    sy_free(&a, s, sizeof *s);
}

symbi_str symbi_scope_problem(const symbi_scope *s) { return s->problem.n ? s->problem : SY_LIT(""); }
void symbi_scope_hash(const symbi_scope *s, uint8_t out[32]) { memcpy(out, s->hash, 32); }

/* ---- checks ---- */

static symbi_status deny(symbi_err *err, symbi_str target, const char *what, symbi_str more)
{
    char echo[SY_ECHO];
    return sy_fail(err, SYMBI_EDENIED, "Target '%s' %s%.*s%s", sy_echo(target, echo), what, SY_FMT(more), more.n ? ")" : "");
}

static symbi_status check_range(const symbi_scope *s, symbi_str target, const range *r, symbi_err *err)
{
    const symbi_str none = { NULL, 0 };
    for (size_t i = 0; i < s->exclude.n; i++)
        if (s->exclude.e[i].is_range && overlap(r, &s->exclude.e[i].r)) return deny(err, target, "is explicitly excluded from scope", none);
    for (size_t i = 0; i < s->targets.n; i++)
        if (s->targets.e[i].is_range && inside(r, &s->targets.e[i].r)) return SYMBI_OK;
    return deny(err, target, "is not in scope (allowed: ", s->shown);
}

static symbi_status check_name(const symbi_scope *s, symbi_str target, symbi_str name, symbi_err *err)
{
    const symbi_str none = { NULL, 0 };
    for (size_t i = 0; i < s->exclude.n; i++) {
        const entry *e = &s->exclude.e[i];
        if (!e->is_range && (name_is(name, e->name) || (e->below && name_below(name, e->name)))) return deny(err, target, "is explicitly excluded from scope", none);
    }
    for (size_t i = 0; i < s->targets.n; i++)
        if (!s->targets.e[i].is_range && name_is(name, s->targets.e[i].name)) return SYMBI_OK;
    for (size_t i = 0; i < s->domains.n; i++) {
        const entry *e = &s->domains.e[i];
        if (e->below ? name_below(name, e->name) : name_is(name, e->name)) return SYMBI_OK;
    }
    return deny(err, target, "is not in scope (allowed: ", s->shown);
}

symbi_status symbi_scope_check(const symbi_scope *s, symbi_str target, symbi_err *err)
{
    const symbi_str none = { NULL, 0 };
    symbi_str t = target;
    range r;
    bool bad;
    if (s->problem.n) return deny(err, target, "cannot be checked, so it is denied: the scope is not usable (", s->problem);
    if (t.n && t.p[t.n - 1] == '.') t.n--; /* one; "10.0.0.1." is the address to more than one reader */
    if (t.n && t.p[t.n - 1] == '.') return deny(err, target, "is no address, range or name, so it is not in scope", none);
    if (read_range(t, true, &r, &bad)) return check_range(s, target, &r, err);
    if (bad || !is_name(t)) return deny(err, target, "is no address, range or name, so it is not in scope", none);
    return check_name(s, target, t, err);
}

symbi_status symbi_scope_check_url(const symbi_scope *s, symbi_str url, symbi_err *err)
{
    const symbi_str none = { NULL, 0 };
    symbi_str a = { NULL, 0 };
    size_t i = 0, k;
    while (i + 2 < url.n && memcmp(url.p + i, "://", 3) != 0) i++;
    if (i + 2 >= url.n || !i) return deny(err, url, "is no URL, so it is not in scope", none);
    for (k = 0; k < i; k++) { /* what stands before must be a scheme: "x/y://..." has its host elsewhere */
        char c = sy_lower(url.p[k]);
        if (!((c >= 'a' && c <= 'z') || (k && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))) return deny(err, url, "is no URL, so it is not in scope", none);
    }
    a.p = url.p + i + 3;
    while (a.p + a.n < url.p + url.n && !memchr("/?#\\", a.p[a.n], 4)) a.n++;
    if (a.p + a.n < url.p + url.n && a.p[a.n] == '\\') return deny(err, url, "has a backslash, so it is not in scope", none);
    if (a.n && memchr(a.p, '@', a.n)) return deny(err, url, "has user information before its host, so it is not in scope", none);
    if (a.n && a.p[0] == '[') {
        const char *close = memchr(a.p, ']', a.n);
        symbi_str rest;
        if (!close) return deny(err, url, "is no URL, so it is not in scope", none);
        rest = (symbi_str){ close + 1, a.n - (size_t)(close + 1 - a.p) };
        if (rest.n && rest.p[0] != ':') return deny(err, url, "is no URL, so it is not in scope", none);
        a = (symbi_str){ a.p + 1, (size_t)(close - a.p) - 1 };
        if (!memchr(a.p, ':', a.n)) return deny(err, url, "is no URL, so it is not in scope", none);
    } else {
        const char *colon = a.n ? memchr(a.p, ':', a.n) : NULL;
        if (colon) {
            for (k = (size_t)(colon - a.p) + 1; k < a.n; k++)
                if (a.p[k] < '0' || a.p[k] > '9') return deny(err, url, "is no URL, so it is not in scope", none);
            a.n = (size_t)(colon - a.p);
        }
    }
    return symbi_scope_check(s, a, err);
}

/* A text that names a target somehow: a URL, host:port, or the target alone. */
static symbi_status check_text(const symbi_scope *s, symbi_str v, symbi_err *err)
{
    size_t colons = 0, at = 0, k;
    for (size_t i = 0; i + 2 < v.n; i++)
        if (memcmp(v.p + i, "://", 3) == 0) return symbi_scope_check_url(s, v, err);
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] == ':') colons++, at = i;
    for (k = at + 1; k < v.n && v.p[k] >= '0' && v.p[k] <= '9'; k++) { }
    if (colons == 1 && k == v.n && k > at + 1) v.n = at;
    return symbi_scope_check(s, v, err);
}

symbi_status symbi_tool_check_scope(const symbi_tool *t, const symbi_value *validated, const symbi_scope *s, bool required, symbi_err *err)
{
    symbi_err_clear(err);
    for (size_t i = 0; i < t->nargs; i++) {
        const sy_arg *a = &t->args[i];
        const symbi_value *v = symbi_value_get(validated, a->name);
        const char *type = a->type->name;
        bool target = strcmp(type, "scope_target") == 0 || strcmp(type, "ip_address") == 0 || strcmp(type, "cidr") == 0;
        bool typed = sy_session_has_targets(a);
        symbi_err why;
        symbi_status st;
        if (!v || !(target || a->scope_check || typed)) continue;
        if (!s && !required) continue;
        symbi_err_clear(&why);
        if (!s) st = sy_fail(&why, SYMBI_EDENIED, "there is no scope, and this host requires one (scope/scope.toml)");
        else if (v->kind != SYMBI_STRING) st = sy_fail(&why, SYMBI_EDENIED, "scope_check works on texts only");
        else if (typed) st = sy_session_check_targets(v->u.s, s, &why);
        else if (strcmp(type, "url") == 0) st = symbi_scope_check_url(s, v->u.s, &why);
        else st = target ? symbi_scope_check(s, v->u.s, &why) : check_text(s, v->u.s, &why);
        if (!st) continue;
        (void)sy_fail(err, st, "argument '%.*s': %s", (int)(a->name.n > 60 ? 60 : a->name.n), a->name.p, why.msg);
        sy_err_path(err, a->name);
        return st;
    }
    return SYMBI_OK;
}
