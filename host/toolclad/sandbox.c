/* toolclad/sandbox.c: the keys sandbox, sandbox_network, sandbox_write and sandbox_hide of [tool], and what they make of a plan. Upstream's
 * words for what we do not have are refused by name: a tool whose author asked for a machine of its own must not run in less. */
#include "toolclad/sandbox.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "toolclad/read.h"

#include <string.h>

enum { PATHS_MAX = 32 };

const char *symbi_box_name(symbi_box b) { return b == SYMBI_BOX_BWRAP ? "bwrap" : "none"; }

static bool same(symbi_str a, const char *z)
{
    if (a.n != strlen(z)) return false;
    for (size_t i = 0; i < a.n; i++)
        if ((a.p[i] >= 'A' && a.p[i] <= 'Z' ? a.p[i] + 32 : a.p[i]) != z[i]) return false;
    return true;
}

bool symbi_box_of(symbi_str name, symbi_box *out)
{
    if (same(name, "none")) *out = SYMBI_BOX_NONE;
    else if (same(name, "bwrap") || same(name, "bubblewrap")) *out = SYMBI_BOX_BWRAP;
    else return false;
    return true;
}

/* Upstream's tiers, and why each is not run here. */
static const char *refused(symbi_str s)
{
    static const struct { const char *word, *why; } words[] = {
        { "docker", "no container is started here" },
        { "tier1", "that is docker, and no container is started here" },
        { "gvisor", "no gVisor is started here" },
        { "tier2", "that is gVisor, and none is started here" },
        { "firecracker", "no virtual machine is started here" },
        { "tier3", "that is Firecracker, and no virtual machine is started here" },
        { "e2b", "tools are not sent to E2B's machines" },
        { "native", "that is upstream's word for none" },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (same(s, words[i].word)) return words[i].why;
    return NULL;
}

static symbi_status load_kind(sy_rd *rd, const symbi_value *tool)
{
    static const char *const known[] = { "none", "bwrap", NULL };
    symbi_str s = SY_LIT("none");
    const symbi_value *v = symbi_value_getz(tool, "sandbox");
    symbi_status st = sy_rd_str(rd, tool, "sandbox", &s);
    const char *near;
    if (st || symbi_box_of(s, &rd->t->box)) return st;
    near = refused(s);
    if (near)
        return sy_rd_fail(rd, v, "sandbox", "'%.*s': %s. Write bwrap (read-only root, no network, but the host's kernel and readable files), or run all of symbi-lua inside one", SY_FMT(s), near);
    near = sy_suggest_list(s, known);
    return sy_rd_fail(rd, v, "sandbox", "unknown sandbox '%.*s', must be one of: none, bwrap%s%s%s", SY_FMT(s), near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* No "..", so that what a list says is where it leads (symbolic links apart, which the executor looks at). */
static symbi_status check_paths(sy_rd *rd, const symbi_value *tool, const char *key, const symbi_str *s, size_t n)
{
    const symbi_value *v = symbi_value_getz(tool, key);
    if (n > PATHS_MAX) return sy_rd_fail(rd, v, key, "more than %d paths", PATHS_MAX);
    for (size_t i = 0; i < n; i++) {
        symbi_str p = s[i];
        char echo[SY_ECHO];
        size_t at = 0;
        if (!p.n || p.n > 1000) return sy_rd_fail(rd, v, key, "a path is empty or has more than 1000 bytes");
        while (at <= p.n) {
            const char *e = at < p.n ? memchr(p.p + at, '/', p.n - at) : NULL;
            size_t len = e ? (size_t)(e - p.p) - at : p.n - at;
            if (len == 2 && p.p[at] == '.' && p.p[at + 1] == '.') return sy_rd_fail(rd, v, key, "'%s': '..' is not allowed", sy_echo(p, echo));
            at += len + 1;
        }
        at = 0;
        while (at < p.n && p.p[at] == '/') at++;
        if (at == p.n) return sy_rd_fail(rd, v, key, "'%s': the whole root cannot be named", sy_echo(p, echo));
        if (memchr(p.p, '{', p.n) && !sy_str_eqz(p, "{output_dir}")) return sy_rd_fail(rd, v, key, "'%s': the only placeholder is {output_dir}, by itself", sy_echo(p, echo));
    }
    return SYMBI_OK;
}

/* Why this browser cannot be put into a box, or NULL. */
static const char *outside(const symbi_tool *t)
{
    const symbi_value *head = symbi_value_getz(t->backend_table, "headless");
    if (t->info.backend != SYMBI_BACKEND_BROWSER) return NULL;
    if (sy_str_eqz(symbi_value_str(t->backend_table, "connect", SY_LIT("launch")), "live")) return "connect = \"live\" uses a browser that runs already, and nothing can be put around it";
    if (head && head->kind == SYMBI_BOOL && !head->u.b) return "headless = false needs the host's display, which is not in there";
    return NULL;
}

symbi_status sy_load_sandbox(sy_rd *rd, const symbi_value *tool)
{
    const char *why;
    symbi_tool *t = rd->t;
    size_t mark = sy_rd_enter(rd, SY_LIT("tool")), k = 0;
    symbi_str *w = NULL;
    symbi_status st;
    if ((st = load_kind(rd, tool)) || (st = sy_rd_bool(rd, tool, "sandbox_network", &t->box_network)) || (st = sy_rd_strs(rd, tool, "sandbox_write", &t->box_write, &t->nbox_write, NULL)) ||
        (st = sy_rd_strs(rd, tool, "sandbox_hide", &t->box_hide, &t->nbox_hide, NULL)) || (st = check_paths(rd, tool, "sandbox_write", t->box_write, t->nbox_write)) ||
        (st = check_paths(rd, tool, "sandbox_hide", t->box_hide, t->nbox_hide)))
        return st;
    for (size_t i = 0; i < t->nbox_hide; i++)
        if (memchr(t->box_hide[i].p, '{', t->box_hide[i].n) || sy_str_eqz(t->box_hide[i], ".")) return sy_rd_fail(rd, symbi_value_getz(tool, "sandbox_hide"), "sandbox_hide", "'%.*s' cannot be hidden", SY_FMT(t->box_hide[i]));
    if (t->nbox_write && !(w = sy_arena_calloc(&t->arena, t->nbox_write, sizeof *w))) return sy_rd_nomem(rd);
    for (size_t i = 0; i < t->nbox_write; i++) {
        if (sy_str_eqz(t->box_write[i], "{output_dir}")) t->box_output = true;
        else w[k++] = t->box_write[i];
    }
    t->box_write = w;
    t->nbox_write = k;
    if (t->box_output && t->info.backend != SYMBI_BACKEND_SHELL)
        return sy_rd_fail(rd, symbi_value_getz(tool, "sandbox_write"), "sandbox_write", "{output_dir} is for the program of [command]: of others the host writes the evidence, and nobody else");
    if (t->box_output && !t->capture)
        return sy_rd_fail(rd, symbi_value_getz(tool, "sandbox_write"), "sandbox_write", "{output_dir} is there only with [tool.evidence] capture = true");
    if (t->box && (t->info.backend == SYMBI_BACKEND_HTTP || t->info.backend == SYMBI_BACKEND_CALLBACK))
        return sy_rd_fail(rd, symbi_value_getz(tool, "sandbox"), "sandbox", "only a program can be run in %s; this tool is of backend %s, which starts none", symbi_box_name(t->box), symbi_backend_name(t->info.backend));
    if (t->box && (why = outside(t))) return sy_rd_fail(rd, symbi_value_getz(tool, "sandbox"), "sandbox", "%s", why);
    if (t->box && t->info.backend == SYMBI_BACKEND_BROWSER && !t->box_network &&
        (st = sy_rd_warn(rd, symbi_value_getz(tool, "sandbox"), "sandbox", "without sandbox_network = true the browser reaches no site")))
        return st;
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

symbi_status sy_sandbox_can(const symbi_tool *t, const symbi_plan_options *o, symbi_err *err)
{
    const char *why = o->box ? outside(t) : NULL;
    return why ? sy_fail(err, SYMBI_EUNSUPPORTED, "programs must run in %s here: %s", symbi_box_name(o->box), why) : SYMBI_OK;
}

/* TMPDIR names a folder of the host's; the box has an empty /tmp of its own. */
static symbi_status own_tmp(sy_arena *a, symbi_plan *p)
{
    symbi_str *e;
    size_t i = 0;
    while (i < p->nenv && !sy_str_starts(p->env[i], SY_LIT("TMPDIR="))) i++;
    if (i == p->nenv) return SYMBI_OK;
    e = sy_arena_memdup(a, p->env, p->nenv * sizeof *e);
    if (!e) return SYMBI_ENOMEM;
    e[i] = SY_LIT("TMPDIR=/tmp");
    p->env = e;
    return SYMBI_OK;
}

static symbi_str *dup_list(sy_arena *a, const symbi_str *s, size_t n, size_t first)
{
    symbi_str *o = sy_arena_calloc(a, n + first + 1, sizeof *o);
    for (size_t i = 0; o && i < n; i++)
        if (!(o[first + i] = sy_arena_dup(a, s[i])).p) return NULL;
    return o;
}

symbi_status sy_sandbox_plan(symbi_ctx *cx, const symbi_tool *t, const symbi_plan_options *o, sy_arena *a, symbi_plan *p, symbi_err *err)
{
    symbi_str *hide;
    (void)cx;
    if (t->owner) t = t->owner; /* a command runs in what its manifest says */
    if (p->kind == SYMBI_BACKEND_HTTP || p->kind == SYMBI_BACKEND_CALLBACK) return SYMBI_OK; /* this process connects, and calls */
    p->box = t->box > o->box ? t->box : o->box;
    if (!p->box) return SYMBI_OK;
    if (!p->cwd.n) { /* the project, which relative paths are of */
        if (o->project_dir.n && memchr(o->project_dir.p, 0, o->project_dir.n)) return sy_fail(err, SYMBI_EINVAL, "project_dir contains a NUL");
        p->cwd = sy_arena_dup(a, o->project_dir);
        if (!p->cwd.p) return sy_arena_fail(a, "the plan", err);
    }
    p->box_network = t->box_network;
    p->box_output = t->box_output;
    p->box_write = dup_list(a, t->box_write, t->nbox_write, 0);
    p->nbox_write = t->nbox_write;
    hide = dup_list(a, t->box_hide, t->nbox_hide, 1);
    if (!p->box_write || !hide || own_tmp(a, p)) return sy_arena_fail(a, "the plan", err);
    hide[0] = SY_LIT(".symbi"); /* the runtime's own state and keys */
    p->box_hide = hide;
    p->nbox_hide = t->nbox_hide + 1;
    return SYMBI_OK;
}

static bool same_list(const symbi_str *a, size_t n, const symbi_str *b, size_t m)
{
    if (n != m) return false;
    for (size_t i = 0; i < n; i++)
        if (!sy_str_eq(a[i], b[i])) return false;
    return true;
}

bool sy_sandbox_same(const symbi_plan *a, const symbi_plan *b)
{
    symbi_box x = a ? a->box : SYMBI_BOX_NONE, y = b ? b->box : SYMBI_BOX_NONE;
    if (x != y || !x) return x == y;
    return a->box_network == b->box_network && sy_str_eq(a->cwd, b->cwd) && same_list(a->box_write, a->nbox_write, b->box_write, b->nbox_write) &&
           same_list(a->box_hide, a->nbox_hide, b->box_hide, b->nbox_hide);
}

static void put_list(symbi_json_out *o, const symbi_str *s, size_t n)
{
    symbi_json_out_raw(o, SY_LIT("["));
    for (size_t i = 0; i < n; i++) {
        if (i) symbi_json_out_raw(o, SY_LIT(","));
        symbi_json_out_string(o, s[i]);
    }
    symbi_json_out_raw(o, SY_LIT("]"));
}

void sy_sandbox_digest(symbi_json_out *o, const symbi_plan *p)
{
    symbi_json_out_raw(o, SY_LIT(",\"sandbox\":{\"hide\":"));
    put_list(o, p->box_hide, p->nbox_hide);
    symbi_json_out_raw(o, SY_LIT(",\"kind\":"));
    symbi_json_out_string(o, symbi_str_z(symbi_box_name(p->box)));
    symbi_json_out_raw(o, p->box_network ? SY_LIT(",\"network\":true") : SY_LIT(",\"network\":false"));
    symbi_json_out_raw(o, SY_LIT(",\"output\":"));
    symbi_json_out_string(o, p->box_output ? p->output_file : SY_LIT(""));
    symbi_json_out_raw(o, SY_LIT(",\"write\":"));
    put_list(o, p->box_write, p->nbox_write);
    symbi_json_out_raw(o, SY_LIT("}"));
}
