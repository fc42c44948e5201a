/* gate/lint_known.c: what the gate puts into a request (request.c): attributes, facts, and the arguments that tools declare. */
#include "base/str.h"
#include "gate/lint_policy.h"
#include "toolclad/tool.h"

#include <string.h>

typedef struct given {
    const char *path;
    unsigned mask;
    sy_presence in_tool_call, otherwise;
} given;
static const given k_given[] = {
    { "principal\1id", T_STR, SY_ALWAYS, SY_ALWAYS },
    { "principal\1name", T_STR, SY_ALWAYS, SY_ALWAYS },
    { "principal\1verified", T_BOOL, SY_ALWAYS, SY_ALWAYS },
    { "principal\1capabilities", T_ANY, SY_SOMETIMES, SY_SOMETIMES },
    { "principal\1domain", T_ANY, SY_SOMETIMES, SY_SOMETIMES },
    { "principal\1tags", T_ANY, SY_SOMETIMES, SY_SOMETIMES },
    { "resource\1kind", T_STR, SY_ALWAYS, SY_ALWAYS },
    { "resource\1name", T_STR, SY_ALWAYS, SY_ALWAYS },
    { "resource\1verified", T_BOOL, SY_ALWAYS, SY_ALWAYS },
    { "resource\1verified_by", T_STR, SY_SOMETIMES, SY_NEVER },
    { "resource\1tool_name", T_STR, SY_ALWAYS, SY_NEVER },
    { "resource\1risk_tier", T_STR, SY_ALWAYS, SY_NEVER },
    { "resource\1backend", T_STR, SY_ALWAYS, SY_NEVER },
    { "resource\1human_approval", T_BOOL, SY_ALWAYS, SY_NEVER },
    { "resource\1capability", T_STR, SY_SOMETIMES, SY_NEVER },
    { "context\1input", T_REC, SY_ALWAYS, SY_ALWAYS },
    { "context\1loop", T_REC, SY_ALWAYS, SY_ALWAYS },
    { "context\1loop\1id", T_STR, SY_ALWAYS, SY_ALWAYS },
    { "context\1loop\1iteration", T_LONG, SY_ALWAYS, SY_ALWAYS },
    { "context\1loop\1tool_calls", T_LONG, SY_ALWAYS, SY_ALWAYS },
    { "context\1loop\1denied", T_LONG, SY_ALWAYS, SY_ALWAYS },
    { "context\1budget", T_REC, SY_ALWAYS, SY_ALWAYS },
    { "context\1budget\1tokens", T_LONG, SY_SOMETIMES, SY_SOMETIMES },
    { "context\1budget\1time_ms", T_LONG, SY_SOMETIMES, SY_SOMETIMES },
    { "context\1budget\1tool_calls", T_LONG, SY_SOMETIMES, SY_SOMETIMES },
    { "context\1now", T_LONG, SY_ALWAYS, SY_ALWAYS },
    { "context\1surface", T_STR, SY_ALWAYS, SY_ALWAYS },
    { "context\1has_human_approval", T_BOOL, SY_ALWAYS, SY_ALWAYS },
};

static unsigned mask_of_kind(symbi_kind k)
{
    switch (k) {
    case SYMBI_BOOL: return T_BOOL;
    case SYMBI_INT: return T_LONG;
    case SYMBI_STRING: return T_STR;
    case SYMBI_ARRAY: return T_SET;
    case SYMBI_OBJECT: return T_REC;
    default: return T_ANY;
    }
}

static sy_presence worse(sy_presence a, sy_presence b) { return a == b ? a : SY_SOMETIMES; }

/* An argument over all tools that the scope leaves. */
static sy_presence argument(const sy_lint_policy *lp, symbi_str name, unsigned *mask)
{
    const unsigned tool_call = 1u << SYMBI_ACTION_TOOL_CALL;
    sy_presence p = SY_ALWAYS;
    bool first = true;
    *mask = 0;
    if (lp->scope.any_tool || !lp->scope.ntools) {
        *mask = T_ANY;
        return lp->scope.kinds & tool_call ? SY_SOMETIMES : SY_NEVER;
    }
    for (size_t i = 0; i < lp->scope.ntools; i++) {
        const sy_arg *a = sy_tool_arg(lp->scope.tools[i], name);
        sy_presence one = !a ? SY_NEVER : a->required || a->dflt ? SY_ALWAYS : SY_SOMETIMES;
        if (a) *mask |= mask_of_kind(a->type->kind);
        p = first ? one : worse(p, one);
        first = false;
    }
    if (!*mask) *mask = T_ANY;
    return lp->scope.kinds & ~tool_call ? worse(p, SY_NEVER) : p;
}

sy_presence sy_lint_lookup(const sy_lint_policy *lp, symbi_str path, symbi_str attr, sy_shape *out)
{
    static const char input[] = "context\1input\1";
    out->mask = T_ANY;
    out->known = false;
    out->untrusted = path.n > sizeof input - 1 && !memcmp(path.p, input, sizeof input - 1);
    for (size_t i = 0; i < sizeof k_given / sizeof *k_given; i++) {
        const unsigned tool_call = 1u << SYMBI_ACTION_TOOL_CALL;
        if (!sy_str_eqz(path, k_given[i].path)) continue;
        out->mask = k_given[i].mask;
        out->known = out->mask != T_ANY;
        if (!(lp->scope.kinds & tool_call)) return k_given[i].otherwise;
        if (!(lp->scope.kinds & ~tool_call)) return k_given[i].in_tool_call;
        return worse(k_given[i].in_tool_call, k_given[i].otherwise);
    }
    if (out->untrusted && path.n == sizeof input - 1 + attr.n) {
        sy_presence p = argument(lp, attr, &out->mask);
        out->known = out->mask != T_ANY;
        return p;
    }
    if (path.n > 10 && (!memcmp(path.p, "principal\1", 10) || !memcmp(path.p, "resource\1", 9))) {
        const char *rest = memchr(path.p, 1, path.n);
        return memchr(rest + 1, 1, path.n - (size_t)(rest + 1 - path.p)) ? SY_SOMETIMES : SY_NEVER;
    }
    if (path.n > 7 && !memcmp(path.p, "action\1", 7)) return SY_NEVER;
    return SY_SOMETIMES;
}

