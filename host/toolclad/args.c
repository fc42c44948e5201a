/* toolclad/args.c: loads [args.<name>] tables (spec toolclad.md 3.2, 5.1): one sy_arg per argument, ordered by position, then
 * name. What cannot be meant is an error; what is legal but risky is a warning. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/read.h"
#include "toolclad/types.h"
#include <stdlib.h>

static const char *const arg_keys[] = { "position", "required", "type", "description", "default", "allowed", "pattern", "sanitize", "min", "max", "min_float",
    "max_float", "clamp", "schemes", "scope_check", "feeds_decision", "allow_options", NULL };

static bool good_name(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (i && ((c >= '0' && c <= '9') || c == '_')))) return false;
    }
    return s.n > 0 && s.n <= 128;
}

typedef struct type_names {
    const symbi_tooltypes *types;
    size_t nbuiltin;
    bool structured;
} type_names;

static const char *type_name_at(const void *ud, size_t i)
{
    const type_names *t = ud;
    const sy_type *b = sy_type_at(i);
    if (b) return (b->flags & SY_TYPE_MCP_ONLY) && !t->structured ? "" : b->name;
    return sy_custom_name(t->types, i - t->nbuiltin);
}

static symbi_status find_type(sy_rd *rd, const symbi_value *table, sy_arg *a, bool structured, const sy_custom **custom)
{
    const symbi_value *tv = symbi_value_getz(table, "type");
    type_names names = { rd->types, 0, structured };
    const char *near;
    char echo[SY_ECHO];
    symbi_status st;
    a->type_name = SY_LIT("string");
    if ((st = sy_rd_str(rd, table, "type", &a->type_name))) return st;
    *custom = sy_custom_find(rd->types, a->type_name);
    a->type = *custom ? (*custom)->base : sy_type_find(a->type_name);
    if (a->type && (!(a->type->flags & SY_TYPE_MCP_ONLY) || structured)) return SYMBI_OK;
    if (a->type) return sy_rd_fail(rd, tv, "type", "type '%s' is for [mcp] tools only", a->type->name);
    while (sy_type_at(names.nbuiltin)) names.nbuiltin++;
    near = sy_suggest(a->type_name, type_name_at, &names);
    if (near && *near) return sy_rd_fail(rd, tv, "type", "unknown type '%s', did you mean '%s'?", sy_echo(a->type_name, echo), near);
    return sy_rd_fail(rd, tv, "type", "unknown type '%s' for argument '%.*s'", sy_echo(a->type_name, echo), SY_FMT(a->name));
}

/* allowed, pattern and bounds of one table, over what stands there. */
static symbi_status constraints(sy_rd *rd, const symbi_value *t, sy_arg *a)
{
    symbi_status st;
    bool p;
    if ((st = sy_rd_strs(rd, t, "allowed", &a->allowed, &a->nallowed, &p))) return st;
    a->has_allowed = a->has_allowed || p;
    if ((st = sy_rd_int(rd, t, "min", &a->min, &p))) return st;
    a->has_min = a->has_min || p;
    if ((st = sy_rd_int(rd, t, "max", &a->max, &p))) return st;
    a->has_max = a->has_max || p;
    if ((st = sy_rd_num(rd, t, "min_float", &a->fmin, &p))) return st;
    a->has_fmin = a->has_fmin || p;
    if ((st = sy_rd_num(rd, t, "max_float", &a->fmax, &p))) return st;
    a->has_fmax = a->has_fmax || p;
    return sy_rd_str(rd, t, "pattern", &a->pattern_text);
}

static symbi_status options(sy_rd *rd, const symbi_value *t, sy_arg *a)
{
    symbi_status st;
    if ((st = sy_rd_bool(rd, t, "clamp", &a->clamp))) return st;
    if ((st = sy_rd_strs(rd, t, "schemes", &a->schemes, &a->nschemes, NULL))) return st;
    return sy_rd_bool(rd, t, "scope_check", &a->scope_check);
}

/* min_float, max_float, min and max together, as number uses them. */
static symbi_status check_bounds(sy_rd *rd, const symbi_value *t, const sy_arg *a)
{
    double lo = a->has_fmin ? a->fmin : (double)a->min, hi = a->has_fmax ? a->fmax : (double)a->max;
    if (a->has_min && a->has_max && a->min > a->max)
        return sy_rd_fail(rd, symbi_value_getz(t, "min") ? symbi_value_getz(t, "min") : t, "min", "%lld is above max %lld", (long long)a->min, (long long)a->max);
    if ((a->has_fmin || (a->has_min && a->has_fmax)) && (a->has_fmax || a->has_max) && lo > hi)
        return sy_rd_fail(rd, t, "min_float", "the lower bound is above the upper bound");
    return SYMBI_OK;
}

static symbi_status check_pattern(sy_rd *rd, const symbi_value *t, sy_arg *a)
{
    const symbi_value *v = symbi_value_getz(t, "pattern");
    bool regex = strcmp(a->type->name, "regex_match") == 0;
    symbi_err e;
    symbi_status st;
    if (regex && !a->pattern_text.n) return sy_rd_fail(rd, t, "pattern", "is missing: type regex_match needs one");
    if (!a->pattern_text.n) return SYMBI_OK;
    symbi_err_clear(&e);
    st = sy_pattern_compile(&rd->t->arena, a->pattern_text, &a->pattern, &e);
    if (st == SYMBI_ENOMEM) return sy_rd_nomem(rd);
    if (st) return sy_rd_fail(rd, v ? v : t, "pattern", "%s", e.msg);
    if (!regex && strcmp(a->type->name, "string") != 0) return sy_rd_warn(rd, v, "pattern", "has no effect on type %s", a->type->name);
    if (!sy_pattern_anchored(a->pattern)) return sy_rd_warn(rd, v ? v : t, "pattern", "is not anchored: it accepts any text that has a match somewhere; write ^...$");
    return SYMBI_OK;
}

static symbi_status check_allowed(sy_rd *rd, const symbi_value *t, const sy_arg *a)
{
    const symbi_value *v = symbi_value_getz(t, "allowed");
    symbi_status st;
    if (strcmp(a->type->name, "enum") == 0) {
        if (!a->has_allowed) return sy_rd_fail(rd, t, "allowed", "argument '%.*s' is type 'enum' but has no 'allowed' list", SY_FMT(a->name));
        if (!a->nallowed) return sy_rd_fail(rd, v ? v : t, "allowed", "the list is empty: no value could ever be given");
    } else if (a->has_allowed && (st = sy_rd_warn(rd, v, "allowed", "has an effect on type enum only"))) {
        return st;
    }
    for (size_t i = 0; i < a->nallowed; i++) {
        char echo[SY_ECHO];
        if (sy_metachar(a->allowed[i], 0) >= 0 && (st = sy_rd_warn(rd, v, "allowed", "'%s' contains a shell metacharacter", sy_echo(a->allowed[i], echo)))) return st;
    }
    return SYMBI_OK;
}

/* What validate puts in for an absent argument: the default as written, in the type's kind where it has that form. Bounds
 * are not applied (spec 6.1); a default that the type itself refuses is only a warning, because published manifests have
 * them (a port of 0 for "none"). */
static symbi_status load_default(sy_rd *rd, const symbi_value *t, sy_arg *a)
{
    const symbi_value *v = symbi_value_getz(t, "default");
    sy_arg plain = *a;
    symbi_value canon;
    symbi_err e;
    symbi_status st;
    if (!v) return SYMBI_OK;
    if (v->kind == SYMBI_NULL) return SYMBI_OK;
    if (v->kind == SYMBI_ARRAY || v->kind == SYMBI_OBJECT) {
        if (v->kind != (uint8_t)a->type->kind) return sy_rd_fail(rd, v, "default", "string, number or boolean expected, got %s", symbi_kind_name((symbi_kind)v->kind));
        a->dflt = v;
        a->dflt_value = *v;
        return SYMBI_OK;
    }
    a->dflt = v;
    plain.dflt = v;
    plain.clamp = false;
    symbi_err_clear(&e);
    st = sy_arg_check(rd->cx, &plain, v, &rd->t->arena, &canon, &e);
    if (st == SYMBI_ENOMEM) return sy_rd_nomem(rd);
    if (st && (st = sy_rd_warn(rd, v, "default", "type %.*s refuses it: %s", SY_FMT(a->type_name), e.msg))) return st;
    plain.has_min = plain.has_max = plain.has_fmin = plain.has_fmax = false;
    symbi_err_clear(&e);
    st = sy_arg_check(rd->cx, &plain, v, &rd->t->arena, &canon, &e);
    if (st == SYMBI_ENOMEM) return sy_rd_nomem(rd);
    if (st) {
        symbi_str text = sy_arg_text(v, &rd->t->arena);
        if (!text.p) return sy_rd_nomem(rd);
        canon = v->kind == SYMBI_INT ? *v : sy_val_str(text);
    }
    a->dflt_value = canon;
    return SYMBI_OK;
}

static symbi_status load_arg(sy_rd *rd, const symbi_value *t, sy_arg *a, bool structured)
{
    const sy_custom *custom = NULL;
    const symbi_str *sanitize = NULL;
    size_t nsanitize = 0;
    bool listed = false;
    symbi_status st;
    if (t->kind != SYMBI_OBJECT) return sy_rd_fail(rd, t, "", "table expected, got %s", symbi_kind_name((symbi_kind)t->kind));
    a->line = t->line;
    if (!good_name(a->name)) {
        char echo[SY_ECHO];
        return sy_rd_fail(rd, t, "", "'%s' is no name for an argument: letters, digits and '_', beginning with a letter", sy_echo(a->name, echo));
    }
    if ((st = sy_rd_int(rd, t, "position", &a->position, NULL)) || (st = sy_rd_bool(rd, t, "required", &a->required)) || (st = sy_rd_str(rd, t, "description", &a->description)) ||
        (st = sy_rd_bool(rd, t, "feeds_decision", &a->feeds_decision)) || (st = sy_rd_bool(rd, t, "allow_options", &a->allow_options)) ||
        (st = sy_rd_strs(rd, t, "sanitize", &sanitize, &nsanitize, &listed)) || (st = find_type(rd, t, a, structured, &custom)))
        return st;
    for (size_t i = 0; i < nsanitize; i++)
        if (!sy_str_eqz(sanitize[i], "injection") && (st = sy_rd_warn(rd, symbi_value_getz(t, "sanitize"), "sanitize", "unknown value '%.*s' ('injection' is known, and always on)", SY_FMT(sanitize[i])))) return st;
    a->any_text = listed && !nsanitize && !strncmp(rd->at, "browser.commands.", 17); /* nothing of it reaches a command line (spec 14) */
    /* the argument's own constraints, then those of the custom type over them; options of the type first, for the argument
     * to override */
    if (custom && (st = options(rd, custom->def, a))) return st;
    if ((st = options(rd, t, a)) || (st = constraints(rd, t, a))) return st;
    if (custom && (st = constraints(rd, custom->def, a))) return st;
    if (custom && !a->description.n) a->description = custom->description;
    if ((st = check_bounds(rd, t, a)) || (st = check_allowed(rd, t, a)) || (st = check_pattern(rd, t, a)) || (st = load_default(rd, t, a))) return st;
    a->quick = sy_quick_of(a);
    if (strcmp(a->type->name, "url") == 0 && !a->nschemes && (st = sy_rd_warn(rd, t, "schemes", "is missing: any scheme is accepted, file: too"))) return st;
    return sy_rd_known(rd, t, arg_keys);
}

static int by_position(const void *pa, const void *pb)
{
    const sy_arg *a = pa, *b = pb;
    if (a->position != b->position) return a->position < b->position ? -1 : 1;
    return sy_str_cmp(a->name, b->name);
}

symbi_status sy_load_args(sy_rd *rd, const symbi_value *args, sy_arg **out, size_t *n, bool structured)
{
    sy_arg *a;
    *out = NULL;
    *n = 0;
    if (!args) return SYMBI_OK;
    a = sy_arena_calloc(&rd->t->arena, args->u.o.n, sizeof *a);
    if (!a) return sy_rd_nomem(rd);
    for (size_t i = 0; i < args->u.o.n; i++) {
        size_t mark = sy_rd_enter(rd, args->u.o.members[i].key);
        symbi_status st;
        a[i].name = args->u.o.members[i].key;
        if ((st = load_arg(rd, &args->u.o.members[i].val, &a[i], structured))) return st;
        sy_rd_leave(rd, mark);
    }
    if (args->u.o.n) qsort(a, args->u.o.n, sizeof *a, by_position);
    *out = a;
    *n = args->u.o.n;
    return SYMBI_OK;
}

symbi_status sy_args_index(sy_rd *rd, symbi_tool *t)
{
    size_t n = t->nargs, *idx = sy_arena_calloc(&rd->t->arena, n, sizeof *idx), *rank = sy_arena_calloc(&rd->t->arena, n, sizeof *rank), nslots = n ? 4 : 0;
    uint16_t *slots;
    char *names;
    if (!idx || !rank) return sy_rd_nomem(rd);
    t->names_n = 0;
    for (size_t i = 0; i < n; i++) { /* at most 1000: insertion */
        size_t k = i;
        for (; k && sy_str_cmp(t->args[i].name, t->args[idx[k - 1]].name) < 0; k--) idx[k] = idx[k - 1];
        idx[k] = i;
        t->names_n += t->args[i].name.n + 1;
        t->has_files = t->has_files || (t->args[i].type->flags & SY_TYPE_FILE);
    }
    while (nslots < 2 * n) nslots *= 2;
    if (!(slots = sy_arena_calloc(&rd->t->arena, nslots, sizeof *slots)) || !(names = sy_arena_alloc(&rd->t->arena, t->names_n))) return sy_rd_nomem(rd);
    t->names = names;
    for (size_t i = 0; i < n; i++) {
        symbi_str name = t->args[idx[i]].name;
        size_t at = sy_name_hash(name) & (nslots - 1);
        while (slots[at]) at = (at + 1) & (nslots - 1);
        slots[at] = (uint16_t)(idx[i] + 1);
        rank[idx[i]] = i;
        memcpy(names, name.p, name.n);
        names[name.n] = 0;
        names += name.n + 1;
    }
    t->by_name = idx;
    t->rank = rank;
    t->slots = slots;
    t->nslots = nslots;
    return SYMBI_OK;
}
