/* skills/rules.c: names of severities and profiles, the rules of a profile by number, which files a profile looks at. */
#include "base/err.h"
#include "base/str.h"
#include "skills/rules_strict.h"
#include "skills/skills.h"

static const sy_rule_table *const strict[] = { &sy_rules_run, &sy_rules_save, &sy_rules_shell, &sy_rules_secrets, &sy_rules_away, &sy_rules_inside, &sy_rules_power, &sy_rules_damage, &sy_rules_stay, &sy_rules_agent,
    &sy_rules_path, &sy_rules_words, &sy_rules_tongues, &sy_rules_flow };
enum { STRICT_TABLES = sizeof strict / sizeof *strict };
static const char *const severity_names[] = { "info", "warning", "medium", "high", "critical" };
static const char *const profile_names[] = { "strict", "seed", "runtime" };

const char *symbi_skill_severity_name(symbi_skill_severity s) { return (unsigned)s < 5 ? severity_names[s] : "unknown"; }

symbi_status symbi_skill_severity_parse(symbi_str name, symbi_skill_severity *out)
{
    for (unsigned i = 0; i < 5; i++)
        if (sy_str_eqz(name, severity_names[i])) {
            *out = (symbi_skill_severity)i;
            return SYMBI_OK;
        }
    return SYMBI_ENOTFOUND;
}

symbi_status symbi_skill_profile_parse(symbi_str name, symbi_skill_profile *out)
{
    for (unsigned i = 0; i < 3; i++)
        if (sy_str_eqz(name, profile_names[i])) {
            *out = (symbi_skill_profile)i;
            return SYMBI_OK;
        }
    return SYMBI_ENOTFOUND;
}

size_t symbi_skill_rule_count(symbi_skill_profile p)
{
    size_t n = 0;
    if (p == SYMBI_SKILL_SEED) return SY_RULES_SEED;
    if (p == SYMBI_SKILL_RUNTIME) return SY_RULES_RUNTIME;
    for (size_t i = 0; i < STRICT_TABLES; i++) n += strict[i]->n;
    return n;
}

const symbi_skill_rule *symbi_skill_rule_at(symbi_skill_profile p, size_t i)
{
    if (p == SYMBI_SKILL_SEED) return i < SY_RULES_SEED ? &sy_rules_seed[i] : NULL;
    if (p == SYMBI_SKILL_RUNTIME) return i < SY_RULES_RUNTIME ? &sy_rules_runtime[i] : NULL;
    for (size_t t = 0; t < STRICT_TABLES; t++) {
        if (i < strict[t]->n) return &strict[t]->rule[i];
        i -= strict[t]->n;
    }
    return NULL;
}

/* ---- files ---- */

symbi_str sy_base_name(symbi_str path)
{
    size_t i = path.n;
    while (i && path.p[i - 1] != '/') i--;
    return (symbi_str){ path.p ? path.p + i : "", path.n - i };
}

bool sy_suffix_in(symbi_str path, const char *const *list, bool fold)
{
    symbi_str name = sy_base_name(path);
    size_t dot = name.n;
    char low[16];
    while (dot && name.p[dot - 1] != '.') dot--;
    /* as in the references: a leading dot alone begins no suffix */
    name = dot > 1 ? (symbi_str){ name.p + dot, name.n - dot } : (symbi_str){ "", 0 };
    if (name.n >= sizeof low) return false;
    for (size_t i = 0; i < name.n; i++) low[i] = (char)(fold && name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    for (; *list; list++)
        if (sy_str_eqz((symbi_str){ low, name.n }, *list)) return true;
    return false;
}

static const char *const seed_suffixes[] = { "md", "txt", "py", "js", "ts", "sh", "yaml", "yml", "json", "toml", NULL };
static const char *const runtime_suffixes[] = { "", "md", "txt", "yaml", "yml", "json", "toml", "sh", "bash", "py", "js", "ts", "rs", "go", "rb", "conf", "cfg", "ini", NULL };

symbi_skill_plan symbi_skill_plan_file(symbi_skill_profile p, symbi_str path)
{
    if (p == SYMBI_SKILL_SEED) return sy_suffix_in(path, seed_suffixes, true) ? SYMBI_SKILL_READ : SYMBI_SKILL_PASS_OVER;
    if (p == SYMBI_SKILL_RUNTIME) {
        if (sy_str_eq(sy_base_name(path), SY_LIT(".schemapin.sig"))) return SYMBI_SKILL_PASS_OVER;
        return sy_suffix_in(path, runtime_suffixes, false) ? SYMBI_SKILL_READ : SYMBI_SKILL_PASS_OVER;
    }
    return SYMBI_SKILL_READ; /* strict: whatever it is called */
}

void symbi_skill_limits_of(symbi_skill_profile p, symbi_skill_limits *out)
{
    if (p == SYMBI_SKILL_SEED) *out = (symbi_skill_limits){ SIZE_MAX, SIZE_MAX, SIZE_MAX };
    else if (p == SYMBI_SKILL_RUNTIME) *out = (symbi_skill_limits){ 1u << 20, 1000, 20 };
    else *out = (symbi_skill_limits){ 8u << 20, 10000, 32 };
}
