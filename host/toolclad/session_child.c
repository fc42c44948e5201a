/* toolclad/session_child.c: [session.child_detection] (spec toolclad.md 13.3): a program that opens another one inside of itself (a remote shell, a
 * sub-interpreter) leaves the contract that its manifest states. What is typed there needs a contract of its own: that of another manifest,
 * whose commands become TOOL.child.COMMAND. One level; and never less restricted than the manifest that opened it. */
#include "toolclad/session.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"

enum { MANIFEST_BYTES = 1024 };

static bool good_type(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) return false;
    }
    return s.n > 0 && s.n <= 64;
}

/* A path inside the project. */
static bool good_path(symbi_str s)
{
    if (!s.n || s.n > MANIFEST_BYTES || s.p[0] == '/') return false;
    for (size_t i = 0, from = 0; i <= s.n; i++) {
        if (i < s.n && ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f || s.p[i] == '\\')) return false;
        if (i < s.n && s.p[i] != '/') continue;
        if (i == from || (i - from == 2 && s.p[from] == '.' && s.p[from + 1] == '.')) return false;
        from = i + 1;
    }
    return true;
}

static symbi_status take_contract(sy_rd *rd, const symbi_value *c, sy_session_child *k)
{
    const symbi_tool *t = rd->child;
    symbi_status st;
    if (!t) return sy_rd_warn(rd, c, k->manifest.n ? "manifest" : "", k->manifest.n ? "is not loaded here: nothing can be typed while a child session is open" : "names no manifest: nothing can be typed while a child session is open");
    if (!k->manifest.n) return sy_rd_fail(rd, c, "manifest", "is missing, and a contract was given");
    if (t->owner || t->info.backend != SYMBI_BACKEND_SESSION || !t->ncommands || !t->backend_data)
        return sy_rd_fail(rd, symbi_value_getz(c, "manifest"), "manifest", "'%.*s' is no manifest of a session with commands", SY_FMT(t->info.name));
    k->contract = t;
    k->def = t->backend_data;
    if (k->def->child && (st = sy_rd_warn(rd, symbi_value_getz(c, "manifest"), "manifest", "has child sessions of its own, which are not looked for: one level is supported"))) return st;
    rd->t->child = symbi_tool_ref((symbi_tool *)(uintptr_t)t);
    return SYMBI_OK;
}

symbi_status sy_session_child_load(sy_rd *rd, const symbi_value *t, sy_session_def *d)
{
    static const char *const keys[] = { "pattern", "type", "manifest", NULL };
    const symbi_value *c;
    const sy_pattern *p;
    sy_session_child *k;
    size_t mark;
    symbi_status st = sy_rd_table(rd, t, "child_detection", &c);
    if (st || !c) return st || !rd->child ? st : sy_rd_fail(rd, t, "child_detection", "is missing, and a contract was given");
    if (!(k = sy_arena_calloc(&rd->t->arena, 1, sizeof *k))) return sy_rd_nomem(rd);
    mark = sy_rd_enter(rd, SY_LIT("child_detection"));
    k->type = SY_LIT("child");
    k->manifest = SY_LIT("");
    if ((st = sy_rd_need_str(rd, c, "pattern", &k->pattern_text)) || (st = sy_session_pattern(rd, c, "pattern", k->pattern_text, &p)) ||
        (st = sy_session_not_empty(rd, c, "pattern", p, "a child session")) || (st = sy_rd_str(rd, c, "type", &k->type)) || (st = sy_rd_str(rd, c, "manifest", &k->manifest)))
        return st;
    if (!good_type(k->type)) return sy_rd_fail(rd, symbi_value_getz(c, "type"), "type", "letters, digits, '_' and '-' only, at most 64");
    if (symbi_value_getz(c, "manifest") && !good_path(k->manifest)) return sy_rd_fail(rd, symbi_value_getz(c, "manifest"), "manifest", "a path inside the project is expected, such as tools/children/shell.clad.toml");
    if ((st = take_contract(rd, c, k)) || (st = sy_rd_known(rd, c, keys))) return st;
    sy_rd_leave(rd, mark);
    rd->t->info.child_manifest = k->manifest;
    d->child = k;
    return SYMBI_OK;
}

static size_t tier(symbi_str s)
{
    size_t i = 0;
    while (sy_risk_tiers[i] && !sy_str_eqz(s, sy_risk_tiers[i])) i++;
    return i;
}

/* The arguments of a child's command, with the parent's metacharacter rule where the child has none. */
static symbi_status stricter(sy_rd *rd, symbi_tool *c)
{
    sy_arg *args;
    for (size_t i = 0; i < c->nargs; i++) {
        sy_session_text *x;
        if (!sy_str_eqz(c->args[i].name, "command") || !c->args[i].more) continue;
        args = sy_arena_memdup(&rd->t->arena, c->args, c->nargs * sizeof *args);
        x = sy_arena_memdup(&rd->t->arena, c->args[i].more, sizeof *x);
        if (!args || !x) return sy_rd_nomem(rd);
        x->sanitize = true;
        args[i].more = x;
        c->args = args;
        return SYMBI_OK;
    }
    return SYMBI_OK;
}

static symbi_status adopt(sy_rd *rd, const symbi_tool *from, symbi_tool *c)
{
    symbi_tool *t = rd->t;
    const sy_session_def *d = t->backend_data;
    size_t n = t->info.name.n + 7 + from->command_name.n;
    char *name = sy_arena_alloc(&t->arena, n + 1);
    uint8_t bytes[64 + 256];
    if (!name) return sy_rd_nomem(rd);
    memcpy(name, t->info.name.p, t->info.name.n);
    memcpy(name + t->info.name.n, ".child.", 7);
    memcpy(name + t->info.name.n + 7, from->command_name.p, from->command_name.n);
    name[n] = 0;
    *c = *from; /* what it points to lives as long as t->child */
    c->owner = t;
    c->alloc = t->alloc;
    c->doc = t->doc;
    c->info.name = (symbi_str){ name, n };
    c->command_name = (symbi_str){ name + t->info.name.n + 1, n - t->info.name.n - 1 };
    c->info.capability = t->info.capability;
    c->info.human_approval = from->info.human_approval || t->info.human_approval;
    if (tier(c->info.risk_tier) < tier(t->info.risk_tier)) c->info.risk_tier = t->info.risk_tier;
    c->info.timeout_ms = !from->info.timeout_ms || (t->info.timeout_ms && t->info.timeout_ms < from->info.timeout_ms) ? t->info.timeout_ms : from->info.timeout_ms;
    c->info.child_manifest = SY_LIT("");
    c->evidence_dir = t->evidence_dir; /* one transcript: the program is one */
    c->capture = t->capture;
    c->box = t->box;
    c->box_network = t->box_network;
    c->box_output = t->box_output;
    c->box_write = t->box_write;
    c->nbox_write = t->nbox_write;
    c->box_hide = t->box_hide;
    c->nbox_hide = t->nbox_hide;
    c->backend_table = t->backend_table;
    c->backend_data = d;
    c->in_child = true;
    memcpy(bytes, t->info.sha256, 32);
    memcpy(bytes + 32, from->info.sha256, 32);
    memcpy(bytes + 64, name, n); /* at most 128 + 7 + 64 */
    if (d->sanitize) {
        symbi_status st = stricter(rd, c);
        if (st) return st;
    }
    return symbi_sha256(rd->cx, (symbi_str){ (const char *)bytes, 64 + n }, c->info.sha256, rd->err);
}

symbi_status sy_session_child_commands(sy_rd *rd)
{
    symbi_tool *t = rd->t, *all;
    size_t n = t->child ? t->child->ncommands : 0, own = t->ncommands;
    symbi_status st;
    if (!n || t->info.backend != SYMBI_BACKEND_SESSION) return SYMBI_OK;
    for (size_t i = 0; i < n; i++)
        if (t->child->commands[i].in_child) n = i; /* those stand behind its own */
    if (!(all = sy_arena_calloc(&t->arena, own + n, sizeof *all))) return sy_rd_nomem(rd);
    if (own) memcpy(all, t->commands, own * sizeof *all);
    for (size_t i = 0; i < n; i++)
        if ((st = adopt(rd, &t->child->commands[i], &all[own + i]))) return st;
    t->commands = all;
    t->ncommands = own + n;
    return SYMBI_OK;
}
