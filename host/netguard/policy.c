/* netguard/policy.c: the policy object: lists of hosts, domains, addresses and ranges, read once and then shared. */
#include "netguard/netguard.h"

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/value.h"

enum { MAX_ENTRIES = 4096, POLICY_BYTES = 4 << 20, MAX_REDIRECTS = 20 };
#define DEFAULT_HEADER_BYTES ((size_t)64 << 10)
#define MAX_TIMEOUT_MS ((int64_t)24 * 3600 * 1000)

static const char *const list_names[SY_NET_LISTS] = { "allow", "only", "deny" };

void symbi_netguard_options_init(symbi_netguard_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
}

/* ---- entries ------------------------------------------------------------------------------------------------------------ */
static symbi_status bad(symbi_err *err, int list, symbi_str text, const char *what)
{
    return sy_fail(err, SYMBI_ESCHEMA, "%s: '%.*s': %s", list_names[list], SY_FMT(text), what);
}

static const char *read_port(symbi_str s, uint16_t *port)
{
    uint32_t v = 0;
    if (!s.n || s.n > 5) return "the port must be a number from 1 to 65535";
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return "the port must be a number from 1 to 65535";
        v = v * 10 + (uint32_t)(s.p[i] - '0');
    }
    if (!v || v > 65535) return "the port must be a number from 1 to 65535";
    *port = (uint16_t)v;
    return NULL;
}

static const char *read_range(symbi_str s, const char *slash, sy_net_entry *e)
{
    symbi_str addr = { s.p, (size_t)(slash - s.p) };
    unsigned bits = 0, max;
    size_t digits = s.n - addr.n - 1;
    if (symbi_netaddr_parse(addr, &e->net, NULL) || e->net.zone) return "not an address before the slash";
    max = e->net.v6 ? 128 : 32;
    if (!digits || digits > 3) return "not a number of bits after the slash";
    for (const char *p = slash + 1; p < s.p + s.n; p++) {
        if (*p < '0' || *p > '9') return "not a number of bits after the slash";
        bits = bits * 10 + (unsigned)(*p - '0');
    }
    if (bits > max) return "more bits than the address has";
    for (unsigned i = bits; i < max; i++)
        if (e->net.b[i / 8] & (0x80u >> (i % 8))) return "the address has bits set beyond the range: write the range's first address";
    if (e->net.v6 && bits < 96 && !sy_netaddr_unmap(&e->net).v6) return "a range of mapped addresses: write it as an IPv4 range";
    e->bits = bits;
    return NULL;
}

static const char *read_name(sy_arena *a, symbi_str s, sy_net_entry *e)
{
    size_t label = 0;
    char *p;
    if (s.n >= 2 && s.p[0] == '*' && s.p[1] == '.') {
        e->suffix = true;
        s.p++;
        s.n--;
    }
    if (s.n > 1 && s.p[s.n - 1] == '.') s.n--;
    if (!s.n || s.n > 253) return "not a host name";
    if (sy_net_ends_in_number(s)) return "a number that is no plain IPv4 address";
    for (size_t i = e->suffix ? 1 : 0; i <= s.n; i++) {
        char c = i < s.n ? s.p[i] : '.';
        if (c == '.') {
            if (!label || label > 63) return "not a host name";
            label = 0;
        } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_') {
            label++;
        } else {
            return c == '*' ? "a star stands for whole labels at the front only: *.example.com" : "a character that no host name has (write names outside ASCII in their xn-- form)";
        }
    }
    e->name = sy_arena_dup(a, s);
    if (!(p = (char *)e->name.p)) return NULL; /* the arena remembers */
    for (size_t i = 0; i < e->name.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] + 32);
    return NULL;
}

static const char *read_entry(sy_arena *a, symbi_str s, sy_net_entry *e)
{
    const char *slash, *colon, *fault;
    symbi_str port = { NULL, 0 }, host = s;
    memset(e, 0, sizeof *e);
    if (!s.n) return "an empty entry";
    if (memchr(s.p, 0, s.n)) return "not a host name";
    if (s.p[0] == '[') {
        const char *close = memchr(s.p, ']', s.n);
        if (!close) return "the bracket is not closed";
        host.p = s.p + 1;
        host.n = (size_t)(close - s.p - 1);
        if (close + 1 < s.p + s.n) {
            if (close[1] != ':') return "only a port may follow the bracket";
            port.p = close + 2;
            port.n = (size_t)(s.p + s.n - port.p);
            if ((fault = read_port(port, &e->port))) return fault;
        }
        if (symbi_netaddr_parse(host, &e->net, NULL) || !e->net.v6 || e->net.zone) return "not an IPv6 address";
        e->bits = 128;
    } else if ((slash = memchr(s.p, '/', s.n))) {
        if ((fault = read_range(s, slash, e))) return fault;
    } else {
        colon = memchr(s.p, ':', s.n);
        if (colon && memchr(colon + 1, ':', (size_t)(s.p + s.n - colon - 1))) { /* bare IPv6 */
            if (symbi_netaddr_parse(s, &e->net, NULL) || e->net.zone) return "not an IPv6 address";
            e->bits = 128;
        } else {
            if (colon) {
                host.n = (size_t)(colon - s.p);
                port.p = colon + 1;
                port.n = s.n - host.n - 1;
                if ((fault = read_port(port, &e->port))) return fault;
            }
            if (host.n && symbi_netaddr_parse(host, &e->net, NULL) == SYMBI_OK) e->bits = 32;
            else return read_name(a, host, e);
        }
    }
    if (e->net.v6 && e->bits >= 96) { /* mapped ones are compared as IPv4 */
        symbi_netaddr v4 = sy_netaddr_unmap(&e->net);
        if (!v4.v6) e->net = v4, e->bits -= 96;
    }
    return NULL;
}

/* ---- the object --------------------------------------------------------------------------------------------------------- */
static symbi_status fill(symbi_netguard *g, const symbi_netguard_options *o, symbi_err *err)
{
    const symbi_str *text[SY_NET_LISTS] = { o->allow, o->only, o->deny };
    size_t n[SY_NET_LISTS] = { o->nallow, o->nonly, o->ndeny };
    uint16_t *ports;
    if (o->max_redirects < 0 || o->max_redirects > MAX_REDIRECTS) return sy_fail(err, SYMBI_ESCHEMA, "max_redirects must be 0 to %d", MAX_REDIRECTS);
    if (o->timeout_ms < 0 || o->timeout_ms > MAX_TIMEOUT_MS) return sy_fail(err, SYMBI_ESCHEMA, "timeout_ms must be 0 to %ld", (long)MAX_TIMEOUT_MS);
    if (o->nports > MAX_ENTRIES) return sy_fail(err, SYMBI_ELIMIT, "ports: more than %d", MAX_ENTRIES);
    for (int l = 0; l < SY_NET_LISTS; l++) {
        sy_net_list *list = &g->list[l];
        if (n[l] > MAX_ENTRIES) return sy_fail(err, SYMBI_ELIMIT, "%s: more than %d entries", list_names[l], MAX_ENTRIES);
        list->e = sy_arena_calloc(&g->arena, n[l] ? n[l] : 1, sizeof *list->e);
        for (size_t i = 0; i < n[l] && list->e; i++) {
            const char *fault = read_entry(&g->arena, text[l][i], &list->e[i]);
            if (fault) return bad(err, l, text[l][i], fault);
            if (!list->e[i].name.p) list->has_range = true;
            list->n++;
        }
    }
    ports = sy_arena_memdup(&g->arena, o->nports ? o->ports : (const uint16_t[1]){ 0 }, (o->nports ? o->nports : 1) * sizeof *ports);
    if (g->arena.status) return sy_fail_nomem(err);
    g->o = *o;
    g->o.size = sizeof g->o;
    g->o.allow = g->o.only = g->o.deny = NULL;
    g->o.nallow = g->o.nonly = g->o.ndeny = 0;
    g->o.ports = ports;
    if (!g->o.max_header_bytes) g->o.max_header_bytes = DEFAULT_HEADER_BYTES;
    return SYMBI_OK;
}

symbi_status symbi_netguard_new(symbi_ctx *cx, const symbi_netguard_options *o, symbi_netguard **out, symbi_err *err)
{
    symbi_netguard_options d;
    symbi_netguard *g;
    symbi_status st;
    *out = NULL;
    symbi_netguard_options_init(&d);
    if (o) memcpy(&d, o, o->size < sizeof d ? o->size : sizeof d);
    g = sy_calloc(&cx->shared, 1, sizeof *g);
    if (!g) return sy_fail_nomem(err);
    sy_ref_init(&g->refs);
    g->alloc = cx->shared;
    sy_arena_init(&g->arena, cx->shared, POLICY_BYTES);
    if ((st = fill(g, &d, err))) {
        symbi_netguard_unref(g);
        return st;
    }
    *out = g;
    return SYMBI_OK;
}

symbi_netguard *symbi_netguard_ref(symbi_netguard *g)
{
    if (g) sy_ref_inc(&g->refs);
    return g;
}

void symbi_netguard_unref(symbi_netguard *g)
{
    if (g && sy_ref_dec(&g->refs)) {
        symbi_alloc a = g->alloc;
        sy_arena_free(&g->arena);
        sy_free(&a, g, sizeof *g);
    }
}

const symbi_netguard_options *sy_net_options(const symbi_netguard *g)
{
    static const symbi_netguard_options strict = { .size = sizeof strict, .max_header_bytes = (size_t)64 << 10 };
    return g ? &g->o : &strict;
}

void symbi_netguard_limits(const symbi_netguard *g, symbi_netguard_options *out) { *out = *sy_net_options(g); }

/* ---- from a value --------------------------------------------------------------------------------------------------------- */
static symbi_status read_strings(sy_arena *a, const symbi_member *m, const symbi_str **out, size_t *n, symbi_err *err)
{
    symbi_str *list;
    if (m->val.kind == SYMBI_OBJECT && !m->val.u.o.n) return SYMBI_OK; /* an empty Lua table */
    if (m->val.kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_ESCHEMA, "%.*s must be a list of strings", SY_FMT(m->key));
    if (m->val.u.a.n > MAX_ENTRIES) return sy_fail(err, SYMBI_ELIMIT, "%.*s: more than %d entries", SY_FMT(m->key), MAX_ENTRIES);
    list = sy_arena_calloc(a, m->val.u.a.n + 1, sizeof *list);
    if (!list) return sy_fail_nomem(err);
    for (size_t i = 0; i < m->val.u.a.n; i++) {
        const symbi_value *v = &m->val.u.a.items[i];
        if (v->kind != SYMBI_STRING) return sy_fail(err, SYMBI_ESCHEMA, "%.*s must be a list of strings", SY_FMT(m->key));
        list[i] = v->u.s;
    }
    *out = list;
    *n = m->val.u.a.n;
    return SYMBI_OK;
}

static symbi_status read_ports(sy_arena *a, const symbi_member *m, symbi_netguard_options *o, symbi_err *err)
{
    uint16_t *list;
    if (m->val.kind == SYMBI_OBJECT && !m->val.u.o.n) return SYMBI_OK;
    if (m->val.kind != SYMBI_ARRAY) return sy_fail(err, SYMBI_ESCHEMA, "ports must be a list of numbers");
    if (m->val.u.a.n > MAX_ENTRIES) return sy_fail(err, SYMBI_ELIMIT, "ports: more than %d", MAX_ENTRIES);
    list = sy_arena_calloc(a, m->val.u.a.n + 1, sizeof *list);
    if (!list) return sy_fail_nomem(err);
    for (size_t i = 0; i < m->val.u.a.n; i++) {
        const symbi_value *v = &m->val.u.a.items[i];
        if (v->kind != SYMBI_INT || v->u.i < 1 || v->u.i > 65535) return sy_fail(err, SYMBI_ESCHEMA, "ports must be numbers from 1 to 65535");
        list[i] = (uint16_t)v->u.i;
    }
    o->ports = list;
    o->nports = m->val.u.a.n;
    return SYMBI_OK;
}

static symbi_status read_member(sy_arena *a, const symbi_member *m, symbi_netguard_options *o, symbi_err *err)
{
    const symbi_value *v = &m->val;
    bool *flag = sy_str_eqz(m->key, "https_only") ? &o->https_only : sy_str_eqz(m->key, "lenient") ? &o->lenient : NULL;
    if (v->kind == SYMBI_NULL) v = NULL;
    if (sy_str_eqz(m->key, "allow")) return v ? read_strings(a, m, &o->allow, &o->nallow, err) : SYMBI_OK;
    if (sy_str_eqz(m->key, "only")) return v ? read_strings(a, m, &o->only, &o->nonly, err) : SYMBI_OK;
    if (sy_str_eqz(m->key, "deny")) return v ? read_strings(a, m, &o->deny, &o->ndeny, err) : SYMBI_OK;
    if (sy_str_eqz(m->key, "ports")) return v ? read_ports(a, m, o, err) : SYMBI_OK;
    if (flag) {
        if (v && v->kind != SYMBI_BOOL) return sy_fail(err, SYMBI_ESCHEMA, "%.*s must be true or false", SY_FMT(m->key));
        *flag = v && v->u.b;
        return SYMBI_OK;
    }
    if (sy_str_eqz(m->key, "max_redirects") || sy_str_eqz(m->key, "max_bytes") || sy_str_eqz(m->key, "max_header_bytes") || sy_str_eqz(m->key, "timeout_ms")) {
        int64_t i = v ? v->u.i : 0;
        if (v && (v->kind != SYMBI_INT || i < 0 || i > (int64_t)1 << 40)) return sy_fail(err, SYMBI_ESCHEMA, "%.*s must be a number that is not negative", SY_FMT(m->key));
        if (sy_str_eqz(m->key, "max_redirects")) o->max_redirects = i > 1000 ? 1000 : (int)i;
        else if (sy_str_eqz(m->key, "max_bytes")) o->max_bytes = (size_t)i;
        else if (sy_str_eqz(m->key, "max_header_bytes")) o->max_header_bytes = (size_t)i;
        else o->timeout_ms = i;
        return SYMBI_OK;
    }
    return sy_fail(err, SYMBI_ESCHEMA, "unknown field '%.*s' (known: allow, only, deny, ports, https_only, lenient, max_redirects, max_bytes, max_header_bytes, timeout_ms)", SY_FMT(m->key));
}

symbi_status symbi_netguard_from(symbi_ctx *cx, const symbi_value *v, symbi_netguard **out, symbi_err *err)
{
    symbi_netguard_options o;
    sy_arena a;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    if (v->kind == SYMBI_ARRAY && !v->u.a.n) return symbi_netguard_new(cx, NULL, out, err);
    if (v->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "a network policy must be an object");
    symbi_netguard_options_init(&o);
    sy_arena_init(&a, cx->alloc, POLICY_BYTES);
    for (size_t i = 0; i < v->u.o.n && !st; i++) st = read_member(&a, &v->u.o.members[i], &o, err);
    if (!st) st = symbi_netguard_new(cx, &o, out, err);
    sy_arena_free(&a);
    return st;
}

/* ---- asking --------------------------------------------------------------------------------------------------------------- */
bool sy_net_match_name(const symbi_netguard *g, int list, symbi_str name, uint16_t port)
{
    if (!g) return false;
    for (size_t i = 0; i < g->list[list].n; i++) {
        const sy_net_entry *e = &g->list[list].e[i];
        if (!e->name.p || (e->port && e->port != port)) continue;
        if (e->suffix ? name.n > e->name.n && sy_str_ends(name, e->name) : sy_str_eq(name, e->name)) return true;
    }
    return false;
}

bool sy_net_match_addr(const symbi_netguard *g, int list, const symbi_netaddr *a, uint16_t port, bool *exact)
{
    bool found = false;
    if (!g) return false;
    for (size_t i = 0; i < g->list[list].n; i++) {
        const sy_net_entry *e = &g->list[list].e[i];
        unsigned whole = e->bits / 8, rest = e->bits % 8;
        if (e->name.p || (e->port && e->port != port) || e->net.v6 != a->v6) continue;
        if (memcmp(e->net.b, a->b, whole) || (rest && ((e->net.b[whole] ^ a->b[whole]) & (0xff00u >> rest) & 0xff))) continue;
        found = true;
        if (exact && e->bits == (e->net.v6 ? 128u : 32u)) *exact = true;
    }
    return found;
}

bool sy_net_has(const symbi_netguard *g, int list) { return g && g->list[list].n; }
bool sy_net_has_range(const symbi_netguard *g, int list) { return g && g->list[list].has_range; }
