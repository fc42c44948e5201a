/* toolclad/command.c: loads [command] (spec toolclad.md 3.3, 7): templates are taken apart here, so that a placeholder
 * without a source, a condition outside the grammar or a quote that is not closed is an error of the manifest, not of a
 * call. */
#include "base/err.h"
#include "base/str.h"
#include "toolclad/read.h"
#include "toolclad/subst.h"
#include <stdio.h>

static const char *const command_keys[] = { "exec", "template", "executor", "defaults", "mappings", "conditionals", NULL };
static const char *const cond_keys[] = { "when", "template", NULL };
static const char *const injected[] = { "_scan_id", "_evidence_dir", "_output_file", NULL };

static bool word_char(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/* Length of {name} or {{name}} at p, 0 when it is neither; *name the inside. */
static size_t placeholder(symbi_str s, size_t i, bool *braces, symbi_str *name)
{
    size_t k = i + 1;
    *braces = k < s.n && s.p[k] == '{';
    if (*braces) k++;
    name->p = s.p + k;
    while (k < s.n && word_char(s.p[k])) k++;
    name->n = (size_t)(s.p + k - name->p);
    if (!name->n || k >= s.n || s.p[k] != '}') return 0;
    k++;
    if (*braces) {
        if (k >= s.n || s.p[k] != '}') return 0; /* "{{x}": the inner one is read on its own */
        k++;
    }
    return k - i;
}

static bool is_flags_of(symbi_str name, symbi_str arg)
{
    return name.n == arg.n + 7 && name.p[0] == '_' && memcmp(name.p + 1, arg.p, arg.n) == 0 && memcmp(name.p + 1 + arg.n, "_flags", 6) == 0;
}

/* What a name stands for. conds_known: conditionals that may be named here. */
static bool resolve(const sy_rd *rd, symbi_str name, size_t conds_known, sy_piece *p)
{
    const sy_command *c = &rd->t->command;
    const sy_arg *a = sy_tool_arg(rd->t, name);
    const symbi_value *d;
    p->is_var = true;
    if (a) {
        p->kind = SY_VAR_ARG;
        p->index = (size_t)(a - rd->t->args);
        return true;
    }
    for (size_t i = 0; injected[i]; i++)
        if (sy_str_eqz(name, injected[i])) {
            p->kind = i == 0 ? SY_VAR_SCAN_ID : i == 1 ? SY_VAR_EVIDENCE_DIR : SY_VAR_OUTPUT_FILE;
            return true;
        }
    for (size_t i = conds_known; name.p[0] == '_' && i-- > 0;)
        if (name.n == c->conds[i].name.n + 1 && memcmp(name.p + 1, c->conds[i].name.p, name.n - 1) == 0) {
            p->kind = SY_VAR_COND;
            p->index = i;
            return true;
        }
    p->kind = SY_VAR_MAPPING;
    for (p->index = c->nmappings; p->index-- > 0;)
        if (is_flags_of(name, rd->t->args[c->mappings[p->index].arg].name)) return true;
    for (p->index = c->nmappings; p->index-- > 0;) { /* scan_type is also _scan_flags */
        symbi_str arg = rd->t->args[c->mappings[p->index].arg].name;
        if (sy_str_ends(arg, SY_LIT("_type")) && is_flags_of(name, (symbi_str){ arg.p, arg.n - 5 })) return true;
    }
    if (sy_str_eqz(name, "_scan_flags") && c->nmappings) {
        p->index = c->nmappings - 1; /* of any mapping, the last one wins */
        return true;
    }
    if (c->defaults && (d = symbi_value_get(c->defaults, name))) {
        p->kind = SY_VAR_TEXT;
        p->text = sy_arg_text(d, &rd->t->arena);
        return true;
    }
    return false;
}

typedef struct var_names { const sy_rd *rd; } var_names;
static const char *var_at(const void *ud, size_t i)
{
    const symbi_tool *t = ((const var_names *)ud)->rd->t;
    if (i < t->nargs) return t->args[i].name.p;
    i -= t->nargs;
    if (t->command.defaults) {
        if (i < t->command.defaults->u.o.n) return t->command.defaults->u.o.members[i].key.p;
        i -= t->command.defaults->u.o.n;
    }
    return i < 3 ? injected[i] : NULL;
}

static symbi_status unknown(sy_rd *rd, const symbi_value *v, const char *key, symbi_str name)
{
    var_names names = { rd };
    const char *near = sy_suggest(name, var_at, &names);
    if (near) return sy_rd_fail(rd, v, key, "placeholder {%.*s} has no source, did you mean {%s}?", SY_FMT(name), near);
    return sy_rd_fail(rd, v, key, "placeholder {%.*s} has no source; declare [args.%.*s], or write {{%.*s}} for the text itself", SY_FMT(name), SY_FMT(name), SY_FMT(name));
}

static symbi_status no_secret(sy_rd *rd, const symbi_value *v, const char *key, symbi_str s)
{
    for (size_t i = 0; i + 9 <= s.n; i++)
        if (memcmp(s.p + i, "{_secret:", 9) == 0)
            return sy_rd_fail(rd, v, key, "{_secret:...} may stand in [http] only: the arguments of a process can be read by everyone on the machine");
    return SYMBI_OK;
}

symbi_status sy_load_template(sy_rd *rd, const symbi_value *v, const char *key, symbi_str s, sy_tmpl *out, size_t conds_known, bool secrets)
{
    sy_piece *p;
    size_t n = 0, lit = 0, i = 0, most = 1;
    symbi_status st;
    if (!secrets && (st = no_secret(rd, v, key, s))) return st;
    for (size_t k = 0; k < s.n; k++) most += s.p[k] == '{' ? 2 : 0;
    p = sy_arena_calloc(&rd->t->arena, most, sizeof *p);
    if (!p) return sy_rd_nomem(rd);
    while (i < s.n) {
        symbi_str name;
        bool braces;
        size_t len = s.p[i] == '{' ? placeholder(s, i, &braces, &name) : 0;
        sy_piece var = { 0 };
        if (!len) {
            i++;
            continue;
        }
        if (i > lit) p[n++].text = (symbi_str){ s.p + lit, i - lit };
        if (resolve(rd, name, conds_known, &var)) {
            var.braces = braces;
            p[n++] = var;
        } else if (braces) {
            p[n++].text = (symbi_str){ s.p + i + 1, len - 2 }; /* {{name}} of an unknown name is the text {name} */
        } else {
            return unknown(rd, v, key, name);
        }
        i += len;
        lit = i;
    }
    if (i > lit) p[n++].text = (symbi_str){ s.p + lit, i - lit };
    out->source = s;
    out->p = p;
    out->n = n;
    return SYMBI_OK;
}

/* ---- the parts ---- */

static symbi_status load_defaults(sy_rd *rd, const symbi_value *t)
{
    size_t mark = sy_rd_enter(rd, SY_LIT("defaults"));
    for (size_t i = 0; t && i < t->u.o.n; i++) {
        const symbi_member *m = &t->u.o.members[i];
        symbi_status st;
        if (m->val.kind == SYMBI_ARRAY || m->val.kind == SYMBI_OBJECT || m->val.kind == SYMBI_NULL)
            return sy_rd_fail(rd, &m->val, m->key.p, "string, number or boolean expected, got %s", symbi_kind_name((symbi_kind)m->val.kind));
        if (m->val.kind == SYMBI_STRING && (st = no_secret(rd, &m->val, m->key.p, m->val.u.s))) return st;
    }
    rd->t->command.defaults = t;
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

static symbi_status load_mappings(sy_rd *rd, const symbi_value *t)
{
    sy_mapping *map = sy_arena_calloc(&rd->t->arena, t ? t->u.o.n : 0, sizeof *map);
    size_t mark = sy_rd_enter(rd, SY_LIT("mappings"));
    if (!map) return sy_rd_nomem(rd);
    for (size_t i = 0; t && i < t->u.o.n; i++) {
        const symbi_member *m = &t->u.o.members[i];
        const sy_arg *a = sy_tool_arg(rd->t, m->key);
        size_t inner = sy_rd_enter(rd, m->key);
        if (!a) return sy_rd_fail(rd, &m->val, "", "mapping references unknown argument '%.*s'", SY_FMT(m->key));
        if (m->val.kind != SYMBI_OBJECT) return sy_rd_fail(rd, &m->val, "", "table expected: value = \"flags\"");
        for (size_t k = 0; k < m->val.u.o.n; k++) {
            const symbi_member *e = &m->val.u.o.members[k];
            const char *problem;
            symbi_status st;
            char key[80];
            snprintf(key, sizeof key, "%.*s", (int)(e->key.n > 60 ? 60 : e->key.n), e->key.p);
            if (e->val.kind != SYMBI_STRING) return sy_rd_fail(rd, &e->val, key, "string expected, got %s", symbi_kind_name((symbi_kind)e->val.kind));
            if ((st = no_secret(rd, &e->val, key, e->val.u.s))) return st;
            if ((problem = sy_split_problem(e->val.u.s))) return sy_rd_fail(rd, &e->val, key, "%s", problem);
        }
        map[i].arg = (size_t)(a - rd->t->args);
        map[i].table = &m->val;
        sy_rd_leave(rd, inner);
    }
    rd->t->command.mappings = map;
    rd->t->command.nmappings = t ? t->u.o.n : 0;
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

static symbi_status load_when(sy_rd *rd, const symbi_value *t, sy_cond *c)
{
    symbi_str text = { NULL, 0 }, name;
    symbi_err e;
    symbi_status st = sy_rd_need_str(rd, t, "when", &text);
    if (st) return st;
    symbi_err_clear(&e);
    st = sy_when_parse(&rd->t->arena, text, &c->when, &e);
    if (st == SYMBI_ENOMEM || st == SYMBI_ELIMIT) return sy_rd_nomem(rd);
    if (st) return sy_rd_fail(rd, symbi_value_getz(t, "when"), "when", "%s", e.msg);
    for (size_t i = 0; (name = sy_when_name(c->when, i)).n; i++) {
        sy_piece p = { 0 };
        var_names names = { rd };
        const char *near;
        if (resolve(rd, name, 0, &p)) continue;
        near = sy_suggest(name, var_at, &names);
        if ((st = near ? sy_rd_warn(rd, symbi_value_getz(t, "when"), "when", "'%.*s' is no argument, did you mean '%s'? (it counts as empty)", SY_FMT(name), near)
                       : sy_rd_warn(rd, symbi_value_getz(t, "when"), "when", "'%.*s' is no argument; it counts as empty", SY_FMT(name))))
            return st;
    }
    return SYMBI_OK;
}

static symbi_status load_conditionals(sy_rd *rd, const symbi_value *t)
{
    size_t n = t ? t->u.o.n : 0, mark = sy_rd_enter(rd, SY_LIT("conditionals"));
    sy_cond *c = sy_arena_calloc(&rd->t->arena, n, sizeof *c);
    symbi_status st;
    if (!c) return sy_rd_nomem(rd);
    rd->t->command.conds = c;
    for (size_t i = 0; i < n; i++) {
        const symbi_member *m = &t->u.o.members[i];
        size_t inner = sy_rd_enter(rd, m->key);
        const char *problem;
        symbi_str text = { NULL, 0 };
        const symbi_value *v;
        if (m->val.kind != SYMBI_OBJECT) return sy_rd_fail(rd, &m->val, "", "table expected: { when = ..., template = ... }");
        for (size_t k = 0; injected[k]; k++)
            if (sy_str_eqz(m->key, injected[k] + 1)) return sy_rd_fail(rd, &m->val, "", "the name is taken: {%s} is always there", injected[k]);
        c[i].name = m->key;
        if ((st = load_when(rd, &m->val, &c[i]))) return st;
        v = symbi_value_getz(&m->val, "template");
        if (!v) return sy_rd_fail(rd, &m->val, "template", "is missing");
        if ((st = sy_rd_str(rd, &m->val, "template", &text)) || (st = sy_load_template(rd, v, "template", text, &c[i].tmpl, i, false))) return st;
        if ((problem = sy_split_problem(text))) return sy_rd_fail(rd, v, "template", "%s", problem);
        if ((st = sy_rd_known(rd, &m->val, cond_keys))) return st;
        rd->t->command.nconds = i + 1;
        sy_rd_leave(rd, inner);
    }
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

/* A value of this argument may begin with '-' and then be refused by the rule on option injection. */
static bool can_dash(const sy_arg *a)
{
    static const char *const never[] = { "scope_target", "url", "ip_address", "cidr", "duration", NULL };
    if (a->allow_options || a->pattern || (a->type->flags & SY_TYPE_NO_OPTION)) return false;
    for (size_t i = 0; never[i]; i++)
        if (strcmp(a->type->name, never[i]) == 0) return false;
    return true;
}

static symbi_status warn_word(sy_rd *rd, const symbi_value *v, const char *key, const sy_tmpl *t, bool program)
{
    const sy_arg *a = t->n && t->p[0].is_var && !t->p[0].braces && t->p[0].kind == SY_VAR_ARG ? &rd->t->args[t->p[0].index] : NULL;
    if (!a) return SYMBI_OK;
    if (program) return sy_rd_warn(rd, v, key, "argument '%.*s' names the program to run: calls are refused unless it is an enum or has allow_options", SY_FMT(a->name));
    if (!can_dash(a)) return SYMBI_OK;
    return sy_rd_warn(rd, v, key, "a value of '%.*s' that begins with '-' will be refused; put \"--\" before it, or set allow_options if options are meant", SY_FMT(a->name));
}

static symbi_status load_exec(sy_rd *rd, const symbi_value *v)
{
    sy_command *c = &rd->t->command;
    sy_tmpl *t;
    bool dashes = false, shell = false;
    symbi_status st;
    if (v->kind != SYMBI_ARRAY) return sy_rd_fail(rd, v, "exec", "list of strings expected, got %s", symbi_kind_name((symbi_kind)v->kind));
    if (!v->u.a.n) return sy_rd_fail(rd, v, "exec", "the list is empty: the program is missing");
    t = sy_arena_calloc(&rd->t->arena, v->u.a.n, sizeof *t);
    if (!t) return sy_rd_nomem(rd);
    for (size_t i = 0; i < v->u.a.n; i++) {
        const symbi_value *e = &v->u.a.items[i];
        char key[40];
        snprintf(key, sizeof key, "exec[%zu]", i);
        if (e->kind != SYMBI_STRING) return sy_rd_fail(rd, e, key, "string expected, got %s", symbi_kind_name((symbi_kind)e->kind));
        if (i == 0 && !e->u.s.n) return sy_rd_fail(rd, e, key, "the program is empty");
        if ((st = sy_load_template(rd, e, key, e->u.s, &t[i], c->nconds, false))) return st;
        if (!dashes && (st = warn_word(rd, e, key, &t[i], i == 0))) return st;
        if (sy_str_eqz(e->u.s, "--")) dashes = true;
        if (i == 0) shell = sy_str_eqz(e->u.s, "sh") || sy_str_eqz(e->u.s, "bash") || sy_str_ends(e->u.s, SY_LIT("/sh")) || sy_str_ends(e->u.s, SY_LIT("/bash"));
        if (i == 2 && shell && sy_str_eqz(v->u.a.items[1].u.s, "-c"))
            for (size_t k = 0; k < t[i].n; k++)
                if (t[i].p[k].is_var) {
                    if ((st = sy_rd_warn(rd, e, key, "a placeholder inside the program of a shell: pass it behind as \"$1\" instead"))) return st;
                    break;
                }
    }
    c->exec = t;
    c->nexec = v->u.a.n;
    c->has_exec = true;
    return SYMBI_OK;
}

static symbi_status load_template_key(sy_rd *rd, const symbi_value *v)
{
    sy_command *c = &rd->t->command;
    const char *problem;
    symbi_str text = { NULL, 0 }, rest;
    symbi_status st;
    if (v->kind != SYMBI_STRING) return sy_rd_fail(rd, v, "template", "string expected, got %s", symbi_kind_name((symbi_kind)v->kind));
    rest = text = v->u.s;
    while (rest.n && memchr(" \t\r\n", rest.p[0], 4)) rest.p++, rest.n--;
    if (!rest.n) return sy_rd_fail(rd, v, "template", "must not be empty");
    if ((problem = sy_split_problem(text))) return sy_rd_fail(rd, v, "template", "%s", problem);
    if ((st = sy_load_template(rd, v, "template", text, &c->tmpl, c->nconds, false)) || (st = warn_word(rd, v, "template", &c->tmpl, true))) return st;
    c->has_template = true;
    if (c->has_exec || c->executor.n) return SYMBI_OK;
    for (size_t i = 0; i < c->tmpl.n; i++) {
        const sy_piece *p = &c->tmpl.p[i];
        const sy_arg *a = p->is_var && p->kind == SY_VAR_ARG ? &rd->t->args[p->index] : NULL;
        if (a && (a->type->flags & SY_TYPE_FREE_TEXT) &&
            (st = sy_rd_warn(rd, v, "template", "free text of '%.*s' is split at blanks in a template; use exec to keep it one word", SY_FMT(a->name))))
            return st;
    }
    return SYMBI_OK;
}

static symbi_status load_executor(sy_rd *rd, const symbi_value *v)
{
    symbi_str s;
    if (v->kind != SYMBI_STRING) return sy_rd_fail(rd, v, "executor", "string expected, got %s", symbi_kind_name((symbi_kind)v->kind));
    s = v->u.s;
    if (!s.n) return sy_rd_fail(rd, v, "executor", "must not be empty");
    if (s.p[0] == '/' || s.p[0] == '\\') return sy_rd_fail(rd, v, "executor", "must be a path below the project's folder, not absolute");
    for (size_t from = 0, i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '/') continue;
        if (i - from == 2 && s.p[from] == '.' && s.p[from + 1] == '.') return sy_rd_fail(rd, v, "executor", "must stay inside the project's folder: no '..'");
        from = i + 1;
    }
    rd->t->command.executor = s;
    return SYMBI_OK;
}

symbi_status sy_load_command(sy_rd *rd, const symbi_value *t)
{
    const symbi_value *exec = symbi_value_getz(t, "exec"), *tmpl = symbi_value_getz(t, "template"), *executor = symbi_value_getz(t, "executor"), *sub;
    size_t mark = sy_rd_enter(rd, SY_LIT("command"));
    symbi_status st;
    if ((st = sy_rd_table(rd, t, "defaults", &sub)) || (st = load_defaults(rd, sub))) return st;
    if ((st = sy_rd_table(rd, t, "mappings", &sub)) || (st = load_mappings(rd, sub))) return st;
    if ((st = sy_rd_table(rd, t, "conditionals", &sub)) || (st = load_conditionals(rd, sub))) return st;
    if (executor && (st = load_executor(rd, executor))) return st;
    if (exec && (st = load_exec(rd, exec))) return st;
    if (tmpl && (st = load_template_key(rd, tmpl))) return st;
    if ((exec != NULL) + (tmpl != NULL) + (executor != NULL) > 1 &&
        (st = sy_rd_warn(rd, t, "", "more than one of executor, exec and template: %s is used", executor ? "executor" : "exec")))
        return st;
    if ((st = sy_rd_known(rd, t, command_keys))) return st;
    rd->t->plain_paths = !sy_means_more(rd->t->info.name) && !sy_means_more(rd->t->evidence_dir);
    if (!sy_words_compile(&rd->t->arena, &rd->t->command)) return sy_rd_nomem(rd);
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}
