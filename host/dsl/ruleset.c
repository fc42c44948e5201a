/* dsl/ruleset.c: the life of a compiled agent. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "dsl/dsl.h"
#include "symbi/crypto.h"
#include "symbi/json.h"

#include <string.h>

struct symbi_narrow {
    sy_ref refs;
    symbi_alloc alloc;
    sy_narrow_parts p;
    uint8_t hash[32];
};

static void drop(sy_narrow_parts *p)
{
    symbi_cedar_unref(p->rules);
    symbi_cedar_unref(p->audit);
    symbi_doc_unref(p->doc);
    memset(p, 0, sizeof *p);
}

symbi_status sy_narrow_new(symbi_ctx *cx, sy_narrow_parts *p, symbi_narrow **out, symbi_err *err)
{
    symbi_narrow *n = sy_calloc(&cx->shared, 1, sizeof *n);
    symbi_text t;
    symbi_status st;
    *out = NULL;
    if (!n) {
        drop(p);
        return sy_fail_nomem(err);
    }
    sy_ref_init(&n->refs);
    n->alloc = cx->shared;
    n->p = *p;
    memset(p, 0, sizeof *p);
    st = symbi_json_write(cx, symbi_doc_root(n->p.doc), SYMBI_JSON_CANONICAL, &t, err);
    if (!st) {
        st = symbi_sha256(cx, symbi_text_str(&t), n->hash, err);
        symbi_text_free(&t);
    }
    if (st) {
        symbi_narrow_unref(n);
        return st;
    }
    *out = n;
    return SYMBI_OK;
}

symbi_narrow *symbi_narrow_ref(symbi_narrow *n)
{
    if (n) sy_ref_inc(&n->refs);
    return n;
}

void symbi_narrow_unref(symbi_narrow *n)
{
    symbi_alloc al;
    if (!n || !sy_ref_dec(&n->refs)) return;
    al = n->alloc;
    drop(&n->p);
    sy_free(&al, n, sizeof *n);
}

symbi_cedar *symbi_narrow_rules(const symbi_narrow *n) { return n->p.rules; }
symbi_cedar *symbi_narrow_audit(const symbi_narrow *n) { return n->p.audit; }
const symbi_narrow_limits *symbi_narrow_get_limits(const symbi_narrow *n) { return &n->p.limits; }
bool symbi_narrow_asks_approval(const symbi_narrow *n) { return n->p.asks_approval; }
void symbi_narrow_hash(const symbi_narrow *n, uint8_t out[32]) { memcpy(out, n->hash, 32); }
symbi_doc *symbi_narrow_doc(const symbi_narrow *n) { return symbi_doc_ref(n->p.doc); }

static const char *const g_tiers[] = { "none", "docker", "gvisor", "firecracker", "e2b", "bwrap" };
enum { TIERS = sizeof g_tiers / sizeof g_tiers[0] };

const char *symbi_sandbox_name(symbi_sandbox s) { return (unsigned)s < TIERS ? g_tiers[s] : g_tiers[0]; }

static bool same(symbi_str a, const char *z)
{
    if (a.n != strlen(z)) return false;
    for (size_t i = 0; i < a.n; i++) {
        char c = a.p[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != z[i]) return false;
    }
    return true;
}

bool symbi_sandbox_of(symbi_str text, symbi_sandbox *out)
{
    static const char *const tiers[] = { "tier1", "tier2", "tier3" };
    for (unsigned i = 1; i < TIERS; i++) {
        if (!same(text, g_tiers[i]) && !(i < 4 && same(text, tiers[i - 1]))) continue;
        *out = (symbi_sandbox)i;
        return true;
    }
    return false;
}
