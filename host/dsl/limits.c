/* dsl/limits.c: the settings of `with` blocks. Each is one of a fixed list that something here enforces; any other is refused. */
#include "base/err.h"
#include "base/str.h"
#include "dsl/compile.h"
#include "toolclad/read.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef enum form { COUNT, TIME, SANDBOX, MEMORY, MEMORY_MB, TOOLS } form;

static const struct setting {
    const char *name;
    form form;
    size_t at; /* in symbi_narrow_limits */
    int64_t least;
} k_settings[] = {
#define AT(field) offsetof(symbi_narrow_limits, field)
    { "sandbox", SANDBOX, 0, 0 },
    { "timeout", TIME, AT(timeout_ms), 1 },
    { "tool_timeout", TIME, AT(tool_timeout_ms), 1 },
    { "approval_timeout", TIME, AT(approval_timeout_ms), 1 },
    { "max_iterations", COUNT, AT(max_iterations), 1 },
    { "max_turns", COUNT, AT(max_iterations), 1 },
    { "max_tokens", COUNT, AT(max_total_tokens), 1 },
    { "max_total_tokens", COUNT, AT(max_total_tokens), 1 },
    { "budget_tokens", COUNT, AT(max_total_tokens), 1 },
    { "max_output_tokens", COUNT, AT(max_output_tokens), 1 },
    { "context_tokens", COUNT, AT(context_token_budget), 1 },
    { "max_tool_calls", COUNT, AT(max_tool_calls), 0 },
    { "max_concurrent_tools", COUNT, AT(max_concurrent_tools), 1 },
    { "memory", MEMORY, AT(memory_bytes), 1 },
    { "max_memory", MEMORY, AT(memory_bytes), 1 },
    { "max_memory_mb", MEMORY_MB, AT(memory_bytes), 1 },
    { "tools", TOOLS, 0, 0 },
    { "allowed_tools", TOOLS, 0, 0 },
#undef AT
};

/* What upstream's samples set, with the form that does something. */
static const struct {
    const char *name, *nearest;
} k_foreign[] = {
    { "privacy", "deny rules for what must not leave, for example deny: http_post(any)" },
    { "security", "sandbox = \"docker\", and policy rules" },
    { "requires", "require rules, for example require: approved == true" },
    { "network_policy", "deny rules for the tools that reach the network" },
    { "network", "deny rules for the tools that reach the network" },
    { "max_cpu_cores", "timeout and tool_timeout" },
    { "max_retries", "max_iterations" },
    { "policy", "policy blocks of the agent" },
};

static int64_t *field(sy_comp *c, const struct setting *s) { return (int64_t *)(void *)((char *)&c->limits + s->at); }

static bool whole(symbi_str s, int64_t *out)
{
    *out = 0;
    if (!s.n) return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '_' && i) continue;
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(*out, (int64_t)10, out) || __builtin_add_overflow(*out, (int64_t)(s.p[i] - '0'), out)) return false;
    }
    return true;
}

/* A duration, as in `30.seconds`, 5m or "1h 30m"; bare numbers only where seconds are meant beyond doubt. */
static bool time_of(sy_comp *c, uint32_t attr, symbi_str s, int64_t *ms)
{
    static const char *const from[] = { ".seconds", ".minutes", ".hours" };
    char buf[128], why[120];
    symbi_str t = { buf, 0 };
    int64_t n;
    if (s.n >= sizeof buf) return sy_comp_refuse(c, attr, "setting", "timeout = 5m", "a duration of that length is no duration");
    for (size_t i = 0; i < s.n;) {
        size_t k = 0;
        while (k < 3 && !(s.n - i >= strlen(from[k]) && !memcmp(s.p + i, from[k], strlen(from[k])))) k++;
        buf[t.n++] = k < 3 ? from[k][1] : s.p[i];
        i += k < 3 ? strlen(from[k]) : 1;
    }
    if (!sy_dsl_human(t, ms, why)) return true;
    if (!whole(s, &n)) return sy_comp_refuse(c, attr, "setting", "30s, 5m, 2.hours or \"1h 30m\"", "'%.*s' is no duration: %s", SY_FMT(s), why);
    if (n >= 1000)
        return sy_comp_refuse(c, attr, "setting", "the unit, for example \"120000ms\" or 2m", "whether %.*s means seconds or milliseconds is not certain, and the looser reading would be no limit", SY_FMT(s));
    *ms = n * 1000;
    return true;
}

static bool size_of(symbi_str s, int64_t *bytes)
{
    static const struct {
        const char *unit;
        int64_t factor;
    } units[] = { { "KiB", 1024 }, { "MiB", 1048576 }, { "GiB", 1073741824 }, { "KB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 }, { "B", 1 } };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        symbi_str u = symbi_str_z(units[i].unit), n = s;
        if (!sy_str_ends(s, u)) continue;
        n.n -= u.n;
        while (n.n && n.p[n.n - 1] == ' ') n.n--;
        return whole(n, bytes) && !__builtin_mul_overflow(*bytes, units[i].factor, bytes);
    }
    return false;
}

static bool memory(sy_comp *c, uint32_t attr, symbi_str s, int64_t *bytes)
{
    if (sy_str_eqz(s, "persistent") || sy_str_eqz(s, "encrypted") || sy_str_eqz(s, "shared"))
        return sy_comp_refuse(c, attr, "setting", "a memory block, opened by the script that runs the agent", "no memory is attached to an agent by a setting, so '%.*s' would promise what does not happen", SY_FMT(s));
    if (size_of(s, bytes)) return true;
    return sy_comp_refuse(c, attr, "setting", "memory = \"256MB\" or memory = \"ephemeral\"", "'%.*s' is no size", SY_FMT(s));
}

static void refuse_unknown(sy_comp *c, uint32_t attr, symbi_str name)
{
    const char *names[sizeof k_settings / sizeof k_settings[0] + 1], *near;
    for (size_t i = 0; i < sizeof k_foreign / sizeof k_foreign[0]; i++) {
        if (!sy_str_eqz(name, k_foreign[i].name)) continue;
        sy_comp_refuse(c, attr, "setting", k_foreign[i].nearest, "nothing enforces the setting '%.*s'", SY_FMT(name));
        return;
    }
    for (size_t i = 0; i < sizeof k_settings / sizeof k_settings[0]; i++) names[i] = k_settings[i].name;
    names[sizeof k_settings / sizeof k_settings[0]] = NULL;
    near = sy_suggest_list(name, names);
    sy_comp_refuse(c, attr, "setting", near ? near : "sandbox, timeout, tool_timeout, max_iterations, max_tokens, max_tool_calls, memory, tools", "nothing enforces the setting '%.*s'", SY_FMT(name));
}

static void set(sy_comp *c, uint32_t attr, const struct setting *s, uint32_t *seen)
{
    const sy_node *n = sy_n(c->d, attr);
    uint32_t v = sy_dsl_bare(c->d, n->last);
    symbi_str text = sy_dsl_unquote(sy_dsl_text(c->d, v)), name = symbi_str_z(s->name);
    bool persistence = s->form == MEMORY && (sy_str_eqz(text, "ephemeral") || sy_str_eqz(text, "session") || sy_str_eqz(text, "none"));
    uint32_t key = persistence ? 1u << 29 : s->form == SANDBOX ? 1u << 30 : s->form == TOOLS ? 1u << 31 : 1u << (s->at / sizeof(int64_t));
    int64_t value = -1;
    if (*seen & key) {
        sy_comp_refuse(c, attr, "setting", "one of them", "'%.*s' is set twice, or under two names", SY_FMT(name));
        return;
    }
    *seen |= key;
    if ((sy_n(c->d, v)->kind == SY_N_ARRAY) != (s->form == TOOLS)) {
        sy_comp_refuse(c, attr, "setting", s->form == TOOLS ? "tools = [\"name\"]" : "one value", "'%.*s' takes %s", SY_FMT(name), s->form == TOOLS ? "a list" : "no list");
        return;
    }
    switch (s->form) {
    case SANDBOX:
        if (!symbi_sandbox_of(text, &c->limits.sandbox)) sy_comp_refuse(c, attr, "setting", "docker (tier1), gvisor (tier2), firecracker (tier3), e2b, bwrap", "'%.*s' is no sandbox", SY_FMT(text));
        return;
    case TOOLS: c->tools_attr = attr; return;
    case TIME:
        if (!time_of(c, attr, text, &value)) return;
        break;
    case COUNT:
        if (!whole(text, &value)) {
            sy_comp_refuse(c, attr, "setting", "a whole number", "'%.*s' is no number", SY_FMT(text));
            return;
        }
        break;
    case MEMORY:
        if (persistence || !memory(c, attr, text, &value)) return; /* nothing of a run outlives it here, and no memory is attached: nothing is left to do */
        break;
    case MEMORY_MB:
        if (!whole(text, &value) || __builtin_mul_overflow(value, (int64_t)1000000, &value)) {
            sy_comp_refuse(c, attr, "setting", "a whole number", "'%.*s' is no number of megabytes", SY_FMT(text));
            return;
        }
        break;
    }
    if (value < s->least) sy_comp_refuse(c, attr, "setting", "at least 1", "'%.*s' cannot be %.*s", SY_FMT(name), SY_FMT(text));
    else *field(c, s) = value;
}

void sy_comp_with(sy_comp *c, uint32_t agent)
{
    uint32_t seen = 0;
    for (uint32_t w = sy_n(c->d, agent)->first; w; w = sy_n(c->d, w)->next) {
        if (sy_n(c->d, w)->kind != SY_N_WITH) continue;
        for (uint32_t a = sy_n(c->d, w)->first; a != sy_n(c->d, w)->last; a = sy_n(c->d, a)->next) {
            symbi_str name = sy_dsl_text(c->d, sy_n(c->d, a)->first);
            const struct setting *s = NULL;
            for (size_t i = 0; i < sizeof k_settings / sizeof k_settings[0] && !s; i++)
                if (sy_str_eqz(name, k_settings[i].name)) s = &k_settings[i];
            if (s) set(c, a, s, &seen);
            else refuse_unknown(c, a, name);
        }
        if (sy_n(c->d, sy_n(c->d, w)->last)->first) sy_comp_note(c, sy_n(c->d, w)->last, "block", "the statements of a with block are text for the model; nothing runs them");
    }
}
