/* agentpin/caps.c: capabilities: "action:resource", what covers what, and the hash that an attestation is about. */
#include "agentpin/int.h"

bool symbi_agentpin_capability_parse(symbi_str c, symbi_str *action, symbi_str *resource)
{
    const char *colon = c.n ? memchr(c.p, ':', c.n) : NULL;
    if (!colon) return false;
    action->p = c.p;
    action->n = (size_t)(colon - c.p);
    resource->p = colon + 1;
    resource->n = c.n - action->n - 1;
    return true;
}

bool symbi_agentpin_capability_matches(symbi_str declared, symbi_str requested)
{
    symbi_str da, dr, ra, rr;
    if (!symbi_agentpin_capability_parse(declared, &da, &dr) || !symbi_agentpin_capability_parse(requested, &ra, &rr)) return false;
    if (!sy_str_eq(da, ra)) return false;
    if (sy_str_eqz(dr, "*") || sy_str_eq(dr, rr)) return true;
    return rr.n > dr.n && sy_str_starts(rr, dr) && rr.p[dr.n] == '.';
}

static bool covered(const symbi_value *declared, symbi_str requested, bool admin_wildcard)
{
    for (size_t i = 0; i < declared->u.a.n; i++) {
        const symbi_value *d = &declared->u.a.items[i];
        if (d->kind != SYMBI_STRING) continue;
        if (!admin_wildcard && sy_str_eqz(d->u.s, "admin:*")) continue;
        if (symbi_agentpin_capability_matches(d->u.s, requested)) return true;
    }
    return false;
}

bool symbi_agentpin_capabilities_subset(const symbi_value *declared, const symbi_value *requested, bool admin_wildcard)
{
    static const symbi_value none = { .kind = SYMBI_ARRAY };
    if (!requested || requested->kind != SYMBI_ARRAY) return false;
    if (!declared || declared->kind != SYMBI_ARRAY) declared = &none;
    for (size_t i = 0; i < requested->u.a.n; i++) {
        const symbi_value *r = &requested->u.a.items[i];
        if (r->kind != SYMBI_STRING || !covered(declared, r->u.s, admin_wildcard)) return false;
    }
    return true;
}

/* Heap sort: in place, and no input makes it slow. */
static void sift(symbi_str *v, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        symbi_str t = v[at];
        if (child + 1 < n && sy_str_cmp(v[child], v[child + 1]) < 0) child++;
        if (sy_str_cmp(t, v[child]) >= 0) return;
        v[at] = v[child];
        v[child] = t;
    }
}

static void sort(symbi_str *v, size_t n)
{
    for (size_t i = n / 2; i-- > 0;) sift(v, i, n);
    for (size_t end = n; end-- > 1;) {
        symbi_str t = v[0];
        v[0] = v[end];
        v[end] = t;
        sift(v, 0, end);
    }
}

symbi_status symbi_agentpin_capabilities_hash(symbi_ctx *cx, const symbi_value *caps, char out[65], symbi_err *err)
{
    symbi_json_out o;
    symbi_str *v;
    symbi_status st;
    size_t n;
    memset(out, 0, 65);
    if (!sy_ap_strings(caps)) return sy_fail(err, SYMBI_ESCHEMA, "capabilities must be a list of strings");
    n = caps->u.a.n;
    v = sy_calloc(&cx->alloc, n + 1, sizeof *v);
    if (!v) return sy_fail_nomem(err);
    for (size_t i = 0; i < n; i++) v[i] = caps->u.a.items[i].u.s;
    sort(v, n);
    symbi_json_out_init(cx, &o);
    symbi_json_out_raw(&o, SY_LIT("["));
    for (size_t i = 0; i < n; i++) {
        if (i) symbi_json_out_raw(&o, SY_LIT(","));
        symbi_json_out_string(&o, v[i]);
    }
    symbi_json_out_raw(&o, SY_LIT("]"));
    sy_free(&cx->alloc, v, (n + 1) * sizeof *v);
    st = o.status;
    if (st) sy_fail(err, st, st == SYMBI_ENOMEM ? "out of memory" : "a capability is not valid UTF-8, or the list is too long");
    else st = sy_ap_hash_hex(cx, (symbi_str){ o.p, o.n }, out, err);
    symbi_json_out_free(&o);
    return st;
}

static bool reverse_domain(symbi_str a)
{
    size_t start = 0, parts = 0;
    for (size_t i = 0; i <= a.n; i++) {
        if (i < a.n && a.p[i] != '.') continue;
        if (i == start) return false;
        parts++;
        start = i + 1;
    }
    return parts >= 2;
}

symbi_status symbi_agentpin_capability_validate(symbi_str c, symbi_err *err)
{
    static const char *const core[] = { "read", "write", "execute", "admin", "delegate", "delete" };
    symbi_str action, resource;
    if (!symbi_agentpin_capability_parse(c, &action, &resource)) {
        return sy_fail(err, SYMBI_ESCHEMA, "Invalid capability format (missing ':'): %.*s", SY_FMT(c));
    }
    if (sy_str_eqz(c, "admin:*")) return sy_fail(err, SYMBI_ESCHEMA, "admin:* wildcard is not allowed; admin capabilities must be explicitly scoped");
    for (size_t i = 0; i < sizeof core / sizeof *core; i++) {
        if (sy_str_eqz(action, core[i])) return SYMBI_OK;
    }
    if (reverse_domain(action)) return SYMBI_OK;
    return sy_fail(err, SYMBI_ESCHEMA, "Custom action '%.*s' must use reverse-domain prefix (e.g., com.example.%.*s)", SY_FMT(action), SY_FMT(action));
}
