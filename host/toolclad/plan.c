/* toolclad/plan.c: from validated arguments to what an executor does (spec toolclad.md 7, 8.4). Pure: the plan is data; seal.c makes the
 * digest that binds a permit to it. Arguments are checked again, so that nothing reaches argv that symbi_tool_validate would
 * not have let through, whoever calls. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/num.h"
#include "codec/value.h"
#include "toolclad/backends.h"
#include "toolclad/custom_parser.h"
#include "toolclad/plan_in.h"
#include "toolclad/sandbox.h"
#include "toolclad/subst.h"
#include "toolclad/types.h"
#include <stdio.h>

enum { HOST_TIMEOUT_MS = 300000, COMMAND_TEXT_MAX = 8 << 20, FEW = 24 };

typedef struct planner {
    symbi_ctx *cx;
    const symbi_tool *t;
    const symbi_plan_options *o;
    sy_arena *a;
    symbi_plan *p;
    symbi_value *args; /* the plan's own copy */
    symbi_err *err;
    symbi_str *text; /* of each argument */
    bool *is_default;
    symbi_str evidence_dir, run_dir;
    symbi_str few_text[FEW];
    bool few_default[FEW];
} planner;

static symbi_status nomem(planner *pl) { return sy_arena_fail(pl->a, "the plan", pl->err); }

/* The parts, one behind the other, then the last. */
static symbi_str join(sy_arena *a, const symbi_str *part, size_t n, symbi_str last)
{
    size_t total = last.n, at = 0;
    char *o;
    for (size_t i = 0; i < n; i++) total += part[i].n;
    if (!(o = sy_arena_bytes(a, total + 1))) return (symbi_str){ NULL, 0 };
    for (size_t i = 0; i < n; i++) {
        sy_str_copy(o + at, part[i].p, part[i].n);
        at += part[i].n;
    }
    sy_str_copy(o + at, last.p, last.n);
    o[total] = 0;
    return (symbi_str){ o, total };
}

static symbi_str concat(sy_arena *a, symbi_str x, symbi_str y, symbi_str z)
{
    symbi_str part[2] = { x, y };
    return join(a, part, 2, z);
}

/* ---- arguments ---- */

static inline symbi_status set_text(planner *pl, size_t i, const symbi_value *v)
{
    const sy_arg *a = &pl->t->args[i];
    if (v->kind == SYMBI_STRING && v->u.s.p) pl->text[i] = v->u.s;
    else if (!(pl->text[i] = sy_arg_text(v, pl->a)).p) return nomem(pl);
    /* of others sy_arg_check said that there is none */
    if (((a->type->flags & SY_TYPE_REWRITES) || pl->is_default[i]) && memchr(pl->text[i].p, 0, pl->text[i].n))
        return sy_fail(pl->err, SYMBI_ESCHEMA, "argument '%.*s' contains a NUL: the arguments were not validated", SY_FMT(a->name));
    return SYMBI_OK;
}

/* One argument, checked again; *out is a copy of it. */
static symbi_status take_arg(planner *pl, size_t i, const symbi_value *v, symbi_value *out)
{
    const sy_arg *a = &pl->t->args[i];
    bool rewrites = a->type->flags & SY_TYPE_REWRITES;
    symbi_status st;
    pl->is_default[i] = a->dflt && symbi_value_equal(v, &a->dflt_value);
    if (pl->is_default[i]) {
        if ((st = sy_value_copy(pl->a, v, out, 500, pl->err))) return st;
    } else {
        if ((st = sy_arg_check(pl->cx, a, v, pl->a, out, pl->err))) return st;
        if (rewrites && v->kind == SYMBI_STRING && sy_str_eq(out->u.s, sy_trim_space(v->u.s)) && (st = sy_value_copy(pl->a, v, out, 500, pl->err))) return st; /* it may end in a blank that trimming takes */
        if (!symbi_value_equal(out, v)) return sy_fail(pl->err, SYMBI_ESCHEMA, "argument '%.*s': not in canonical form: the arguments were not validated", SY_FMT(a->name));
    }
    return set_text(pl, i, out);
}

/* Of a call, as it came. */
static symbi_status check_args(planner *pl, const symbi_value *args, symbi_member *m)
{
    const symbi_tool *t = pl->t;
    symbi_status st = sy_args_check(pl->cx, t, args, pl->a, m, pl->err);
    for (size_t i = 0; i < t->nargs && !st; i++) {
        const symbi_value *v = &m[t->rank[i]].val;
        if (v->kind == SYMBI_NULL) continue;
        pl->is_default[i] = t->args[i].dflt && symbi_value_equal(v, &t->args[i].dflt_value);
        st = set_text(pl, i, v);
    }
    return st;
}

static symbi_status take_validated(planner *pl, const symbi_value *validated, symbi_member *m)
{
    const symbi_tool *t = pl->t;
    const symbi_value *few[32], **given = few;
    symbi_status st;
    if (validated->kind != SYMBI_OBJECT) return sy_fail(pl->err, SYMBI_EINVAL, "validated arguments must be an object");
    if (t->nargs > sizeof few / sizeof few[0] && !(given = sy_arena_alloc(pl->a, t->nargs * sizeof *given))) return nomem(pl);
    memset(given, 0, t->nargs * sizeof *given);
    for (size_t i = 0; i < validated->u.o.n; i++) {
        const symbi_member *v = &validated->u.o.members[i];
        const sy_arg *a = sy_tool_arg(t, v->key);
        if (!a) return sy_fail(pl->err, SYMBI_ESCHEMA, "argument '%.*s' is not declared", SY_FMT(v->key));
        if (given[a - t->args]) return sy_fail(pl->err, SYMBI_ESCHEMA, "argument '%.*s' stands twice", SY_FMT(v->key));
        given[a - t->args] = &v->val;
    }
    for (size_t i = 0; i < t->nargs; i++) {
        const sy_arg *a = &t->args[i];
        if (given[i]) {
            if ((st = take_arg(pl, i, given[i], &m[t->rank[i]].val))) return st;
        } else if (a->required || a->dflt) {
            return sy_fail(pl->err, SYMBI_ESCHEMA, "argument '%.*s' is missing: the arguments were not validated", SY_FMT(a->name));
        }
    }
    return SYMBI_OK;
}

static symbi_status take_args(planner *pl, const symbi_value *args, bool validated)
{
    const symbi_tool *t = pl->t;
    symbi_member *m = sy_arena_calloc(pl->a, t->nargs, sizeof *m);
    symbi_status st;
    pl->text = pl->few_text;
    pl->is_default = pl->few_default;
    if (t->nargs > FEW) {
        pl->text = sy_arena_alloc(pl->a, t->nargs * sizeof *pl->text);
        pl->is_default = sy_arena_alloc(pl->a, t->nargs * sizeof *pl->is_default);
    }
    if (!pl->text || !pl->is_default || !m) return nomem(pl);
    memset(pl->text, 0, t->nargs * sizeof *pl->text);
    memset(pl->is_default, 0, t->nargs * sizeof *pl->is_default);
    if ((st = validated ? take_validated(pl, args, m) : check_args(pl, args, m))) return st;
    if ((st = sy_args_object(t, m, pl->a, true, pl->args, pl->err))) return st;
    pl->p->args = pl->args;
    return SYMBI_OK;
}

/* ---- names ---- */

static symbi_status make_scan_id(planner *pl)
{
    uint8_t rnd[4];
    char *buf;
    size_t n;
    symbi_str s = pl->o->scan_id;
    symbi_status st;
    if (s.n) { /* it becomes part of a path */
        for (size_t i = 0; i < s.n; i++) {
            char c = s.p[i];
            bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (i && (c == '-' || c == '_'));
            if (!ok || s.n > 64) return sy_fail(pl->err, SYMBI_EINVAL, "a scan id has letters, digits, '-' and '_' only, at most 64");
        }
        pl->p->scan_id = sy_arena_dup(pl->a, s);
        return pl->p->scan_id.p ? SYMBI_OK : nomem(pl);
    }
    if ((st = sy_ctx_random_name(pl->cx, rnd, sizeof rnd, pl->err))) return st;
    if (!(buf = sy_arena_bytes(pl->a, 40))) return nomem(pl);
    n = sy_num_write_int64(symbi_ctx_now_ms(pl->cx) / 1000, buf);
    buf[n++] = '-';
    for (size_t i = 0; i < sizeof rnd; i++) {
        buf[n++] = "0123456789abcdef"[rnd[i] >> 4];
        buf[n++] = "0123456789abcdef"[rnd[i] & 15];
    }
    buf[n] = 0;
    pl->p->scan_id.p = buf;
    pl->p->scan_id.n = n;
    return SYMBI_OK;
}

/* [tool.evidence] output_dir with its placeholders, or <evidence dir>/<scan id>-<tool>. */
static symbi_status make_dirs(planner *pl)
{
    symbi_str tmpl = pl->t->evidence_dir, sep = SY_LIT("/"), ext = symbi_str_z(sy_format_ext(pl->t->format));
    pl->evidence_dir = pl->o->evidence_dir.n ? pl->o->evidence_dir : SY_LIT("/tmp/toolclad-evidence");
    if (pl->o->evidence_dir.n && memchr(pl->evidence_dir.p, 0, pl->evidence_dir.n)) return sy_fail(pl->err, SYMBI_EINVAL, "evidence_dir contains a NUL");
    if (!tmpl.n) {
        symbi_str part[6] = { pl->evidence_dir, sep, pl->p->scan_id, SY_LIT("-"), pl->t->info.name, SY_LIT("/scan.") };
        pl->p->output_file = join(pl->a, part, 6, ext);
        if (!pl->p->output_file.p) return nomem(pl);
        pl->run_dir = (symbi_str){ pl->p->output_file.p, pl->p->output_file.n - part[5].n - ext.n };
        return SYMBI_OK;
    } else {
        sy_buf b;
        sy_buf_init(&b, pl->cx->alloc, 8192);
        for (size_t i = 0; i < tmpl.n; i++) {
            size_t k = i + 1;
            symbi_str name;
            if (tmpl.p[i] != '{') {
                sy_buf_addc(&b, tmpl.p[i]);
                continue;
            }
            while (tmpl.p[k] != '}') k++; /* checked at load */
            name = (symbi_str){ tmpl.p + i + 1, k - i - 1 };
            if (name.n && name.p[0] == '_') name.p++, name.n--;
            if (sy_str_eqz(name, "evidence_dir")) sy_buf_adds(&b, pl->evidence_dir);
            else if (sy_str_eqz(name, "tool")) sy_buf_adds(&b, pl->t->info.name);
            else sy_buf_adds(&b, pl->p->scan_id); /* scan_id; a oneshot run is its own session */
            i = k;
        }
        if (sy_buf_status(&b)) return sy_buf_status(&b) == SYMBI_ENOMEM ? sy_fail_nomem(pl->err) : sy_fail(pl->err, SYMBI_ELIMIT, "the evidence folder's name is too long");
        pl->run_dir = sy_arena_dup(pl->a, sy_buf_str(&b));
        sy_buf_free(&b);
    }
    if (!pl->run_dir.p) return nomem(pl);
    pl->p->output_file = concat(pl->a, pl->run_dir, SY_LIT("/scan."), ext);
    return pl->p->output_file.p ? SYMBI_OK : nomem(pl);
}

/* ---- environment ---- */

bool sy_env_passes(symbi_str e)
{
    static const char *const names[] = { "PATH", "HOME", "LANG", "TZ", "TMPDIR" };
    const char *eq = e.n ? memchr(e.p, '=', e.n) : NULL;
    symbi_str name;
    if (!eq || memchr(e.p, 0, e.n) || !sy_utf8_valid(e, NULL)) return false;
    name = (symbi_str){ e.p, (size_t)(eq - e.p) };
    if (sy_str_starts(name, SY_LIT("LC_"))) return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (sy_str_eqz(name, names[i])) return true;
    return false;
}

static bool same_name(symbi_str a, symbi_str b)
{
    const char *eq = memchr(a.p, '=', a.n);
    size_t n = (size_t)(eq - a.p) + 1;
    return b.n >= n && memcmp(a.p, b.p, n) == 0;
}

typedef struct env_list {
    planner *pl;
    symbi_str *e;
    size_t n;
} env_list;

static void env_put(env_list *l, const char *name, symbi_str v) { l->e[l->n++] = concat(l->pl->a, symbi_str_z(name), SY_LIT("="), v); }

static symbi_status make_env(planner *pl)
{
    env_list l = { pl, NULL, 0 };
    bool path = false;
    l.e = sy_arena_alloc(pl->a, (pl->o->nbase_env + 1 + (pl->t->command.executor.n ? pl->t->nargs + 4 : 0)) * sizeof *l.e);
    if (!l.e) return nomem(pl);
    for (size_t i = 0; i < pl->o->nbase_env; i++) {
        symbi_str e = pl->o->base_env[i];
        bool dup = false;
        if (!sy_env_passes(e)) continue;
        for (size_t k = 0; k < l.n && !dup; k++) dup = same_name(l.e[k], e);
        if (dup) continue;
        l.e[l.n] = sy_arena_dup(pl->a, e);
        if (!l.e[l.n].p) return nomem(pl);
        path = path || sy_str_starts(e, SY_LIT("PATH="));
        l.n++;
    }
    if (!path) l.e[l.n++] = SY_LIT("PATH=/usr/local/bin:/usr/bin:/bin");
    if (pl->t->command.executor.n) {
        for (size_t i = 0; i < pl->t->nargs; i++) {
            symbi_str name = pl->t->args[i].name;
            char *up;
            if (!pl->text[i].p) continue;
            up = sy_arena_alloc(pl->a, name.n + 14);
            if (!up) return nomem(pl);
            memcpy(up, "TOOLCLAD_ARG_", 13);
            for (size_t k = 0; k < name.n; k++) up[13 + k] = (char)(name.p[k] >= 'a' && name.p[k] <= 'z' ? name.p[k] - 32 : name.p[k]);
            up[13 + name.n] = 0;
            env_put(&l, up, pl->text[i]);
        }
        env_put(&l, "TOOLCLAD_SCAN_ID", pl->p->scan_id);
        env_put(&l, "TOOLCLAD_TOOL_NAME", pl->t->info.name);
        env_put(&l, "TOOLCLAD_EVIDENCE_DIR", pl->evidence_dir);
        env_put(&l, "TOOLCLAD_OUTPUT_DIR", pl->run_dir);
    }
    pl->p->env = l.e;
    pl->p->nenv = l.n;
    return pl->a->status ? nomem(pl) : SYMBI_OK;
}

/* ---- command ---- */

static symbi_status make_checks(planner *pl)
{
    symbi_str *f;
    size_t n = 0;
    if (!pl->t->has_files) return SYMBI_OK;
    if (!(f = sy_arena_calloc(pl->a, pl->t->nargs, sizeof *f))) return nomem(pl);
    for (size_t i = 0; i < pl->t->nargs; i++)
        if ((pl->t->args[i].type->flags & SY_TYPE_FILE) && pl->text[i].n) f[n++] = pl->text[i];
    pl->p->check_files = f;
    pl->p->ncheck_files = n;
    if (n && !pl->o->checks_files) return sy_fail(pl->err, SYMBI_EUNSUPPORTED, "'%.*s': nobody here checks that the file is inside the project (type credential_file)", SY_FMT(f[0]));
    return SYMBI_OK;
}

/* The command for people: words with blanks between. */
static symbi_status shown(planner *pl, const symbi_str *argv)
{
    size_t n = 0;
    char *o;
    for (size_t i = 0; i < pl->p->argc; i++) n += argv[i].n + 1;
    if (n - 1 > COMMAND_TEXT_MAX) return sy_fail(pl->err, SYMBI_ELIMIT, "the command is too long");
    if (!(o = sy_arena_bytes(pl->a, n))) return nomem(pl);
    pl->p->command = (symbi_str){ o, n - 1 };
    for (size_t i = 0; i < pl->p->argc; i++) {
        sy_str_copy(o, argv[i].p, argv[i].n);
        o += argv[i].n;
        *o++ = i + 1 < pl->p->argc ? ' ' : 0;
    }
    return SYMBI_OK;
}

static symbi_status make_shell(planner *pl)
{
    sy_vars v = { pl->cx, pl->t, pl->a, pl->text, pl->is_default, pl->p->scan_id, pl->evidence_dir, pl->p->output_file, pl->o->allow_options, pl->err, pl->t->plain_paths && !sy_means_more(pl->o->evidence_dir), false };
    symbi_str *argv = NULL;
    symbi_status st;
    if (pl->t->command.executor.n) {
        argv = sy_arena_calloc(pl->a, 1, sizeof *argv);
        if (!argv || !(argv[0] = sy_arena_dup(pl->a, pl->t->command.executor)).p) return nomem(pl);
        /* without a '/' it would be looked up in PATH */
        if (!memchr(argv[0].p, '/', argv[0].n) && !(argv[0] = concat(pl->a, SY_LIT("./"), argv[0], SY_LIT(""))).p) return nomem(pl);
        pl->p->argc = 1;
        pl->p->command = concat(pl->a, pl->t->command.executor, SY_LIT(" (custom executor)"), SY_LIT(""));
    } else {
        if ((st = sy_command_argv(&v, &argv, &pl->p->argc))) return st;
        if ((st = shown(pl, argv))) return st;
    }
    pl->p->argv = argv;
    if (!pl->p->command.p) return nomem(pl);
    if (pl->o->project_dir.n && memchr(pl->o->project_dir.p, 0, pl->o->project_dir.n)) return sy_fail(pl->err, SYMBI_EINVAL, "project_dir contains a NUL");
    if (pl->o->project_dir.n && !(pl->p->cwd = sy_arena_dup(pl->a, pl->o->project_dir)).p) return nomem(pl);
    pl->p->capture = pl->t->capture;
    if ((st = make_env(pl)) || (st = make_checks(pl)) || (st = sy_custom_parser_plan(pl->t, pl->o, pl->a, pl->p, pl->err))) return st;
    return sy_sandbox_plan(pl->cx, pl->t, pl->o, pl->a, pl->p, pl->err);
}

static symbi_status make_detail(planner *pl)
{
    sy_backend_plan b = { pl->cx, pl->t, pl->o, pl->a, pl->p, pl->text, pl->is_default, pl->err };
    symbi_value detail;
    symbi_status st = sy_backend_plan_make(&b, &detail);
    if (st) return st;
    pl->p->detail = sy_arena_memdup(pl->a, &detail, sizeof detail);
    if (!pl->p->detail || pl->a->status) return nomem(pl);
    return sy_sandbox_plan(pl->cx, pl->t, pl->o, pl->a, pl->p, pl->err);
}

static symbi_status make(planner *pl, const symbi_value *args, bool validated)
{
    symbi_plan *p = pl->p;
    int64_t cap = pl->o->host_timeout_ms > 0 ? pl->o->host_timeout_ms : HOST_TIMEOUT_MS;
    symbi_status st;
    p->kind = pl->t->info.backend;
    p->tool = pl->t->info.name;
    p->timeout_ms = pl->t->info.timeout_ms && pl->t->info.timeout_ms < cap ? pl->t->info.timeout_ms : cap;
    p->stdout_max = p->stderr_max = pl->cx->limits.tool_output;
    p->cwd = p->command = p->output_file = p->parser = SY_LIT("");
    if ((st = take_args(pl, args, validated)) || (st = make_scan_id(pl)) || (st = make_dirs(pl))) return st;
    if ((st = sy_sandbox_can(pl->t, pl->o, pl->err))) return st;
    switch (p->kind) {
    case SYMBI_BACKEND_SHELL: st = make_shell(pl); break;
    case SYMBI_BACKEND_CALLBACK: p->output_file = SY_LIT(""); break;
    default: st = make_detail(pl); break;
    }
    return st;
}

static symbi_status plan(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, bool validated, const symbi_plan_options *o, symbi_plan **out, symbi_err *err)
{
    static const symbi_plan_options none = { 0 };
    plan_impl *im;
    planner pl;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    if (!(im = sy_arena_self(cx->shared, cx->limits.arena_bytes, sizeof *im, offsetof(plan_impl, arena)))) return sy_fail_nomem(err);
    sy_ref_init(&im->refs);
    im->tool = symbi_tool_ref((symbi_tool *)(uintptr_t)t);
    im->pub.impl_ = im;
    pl.cx = cx;
    pl.t = t;
    pl.o = o ? o : &none;
    pl.a = &im->arena;
    pl.p = &im->pub;
    pl.args = &im->args;
    pl.err = err;
    pl.run_dir = SY_LIT("");
    st = make(&pl, args, validated);
    if (st) symbi_plan_unref(&im->pub);
    else *out = &im->pub;
    return st;
}

symbi_status symbi_tool_plan(symbi_ctx *cx, const symbi_tool *t, const symbi_value *validated, const symbi_plan_options *o, symbi_plan **out, symbi_err *err)
{
    symbi_value empty = sy_val_object(NULL, 0);
    return plan(cx, t, validated ? validated : &empty, true, o, out, err);
}

symbi_status symbi_tool_plan_args(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, const symbi_plan_options *o, symbi_plan **out, symbi_err *err)
{
    return plan(cx, t, args, false, o, out, err);
}

symbi_plan *symbi_plan_ref(symbi_plan *p)
{
    plan_impl *im = p->impl_;
    sy_ref_inc(&im->refs);
    return p;
}

void symbi_plan_unref(symbi_plan *p)
{
    plan_impl *im = p ? p->impl_ : NULL;
    if (im && sy_ref_dec(&im->refs)) {
        sy_arena a = im->arena; /* im goes with it */
        symbi_tool_unref(im->tool);
        sy_arena_free(&a);
    }
}
