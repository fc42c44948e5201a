/* toolclad/commands.c: the commands of [session] and [browser] (spec toolclad.md 13.1, 13.2, 14). Each becomes a tool of its own,
 * TOOL.C, so that the gate, the profile, approvals and the model see the command and not the terminal behind it. They stand in one block
 * of the manifest's arena and share its references. */
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"
#include "toolclad/backends.h"
#include "toolclad/session.h"
#include <stdlib.h>

enum { COMMANDS_MAX = 1000, NAME_MAX_ = 64 };

static bool good_name(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (i && c == '-'))) return false;
    }
    return s.n > 0 && s.n <= NAME_MAX_;
}

/* One command as a tool. What it has in common with its manifest comes in sy_finish_commands. */
static symbi_status load_one(sy_rd *rd, const symbi_value *c, symbi_str name, bool session, symbi_tool *o)
{
    static const char *const keys[] = { "pattern", "description", "risk_tier", "human_approval", "extract_target", "args", NULL };
    const symbi_value *args;
    bool approval = false;
    size_t mark;
    symbi_status st;
    char echo[SY_ECHO];
    if (c->kind != SYMBI_OBJECT) return sy_rd_fail(rd, c, "", "table expected");
    if (!good_name(name)) return sy_rd_fail(rd, c, "", "'%s' is no name for a command: letters, digits, '_' and '-' only, at most %d", sy_echo(name, echo), NAME_MAX_);
    o->owner = rd->t;
    o->alloc = rd->t->alloc;
    o->doc = rd->t->doc;
    o->command_name = name;
    o->command_table = c;
    o->info.risk_tier = rd->t->info.risk_tier;
    if ((st = sy_rd_str(rd, c, "risk_tier", &o->info.risk_tier)) || (st = sy_rd_bool(rd, c, "human_approval", &approval)) || (st = sy_rd_need_str(rd, c, "description", &o->info.description))) return st;
    if (!sy_risk_known(o->info.risk_tier))
        return sy_rd_fail(rd, symbi_value_getz(c, "risk_tier"), "risk_tier", "invalid risk_tier '%.*s', must be one of: info, low, medium, high, critical", SY_FMT(o->info.risk_tier));
    o->info.human_approval = approval || rd->t->info.human_approval;
    if ((st = sy_rd_table(rd, c, "args", &args))) return st;
    if (args && args->u.o.n > 1000) return sy_rd_fail(rd, args, "args", "more than 1000 arguments");
    mark = sy_rd_enter(rd, SY_LIT("args"));
    if ((st = sy_load_args(rd, args, &o->args, &o->nargs, false))) return st;
    sy_rd_leave(rd, mark);
    if (session && (st = sy_session_command(rd, c, o))) return st;
    if ((st = sy_args_index(rd, o))) return st;
    o->info.arg_count = o->nargs;
    return sy_rd_known(rd, c, keys);
}

static int by_name(const void *pa, const void *pb) { return sy_str_cmp(((const symbi_tool *)pa)->command_name, ((const symbi_tool *)pb)->command_name); }

/* [session.commands.X] and [browser.commands.X]. */
symbi_status sy_load_commands(sy_rd *rd, const symbi_value *t, bool session)
{
    const symbi_value *cmds;
    symbi_tool *list;
    size_t mark, n;
    symbi_status st = sy_rd_table(rd, t, "commands", &cmds);
    if (st) return st;
    n = cmds ? cmds->u.o.n : 0;
    if (!n) return sy_rd_warn(rd, t, "commands", "there is none: nothing can be called");
    if (n > COMMANDS_MAX) return sy_rd_fail(rd, cmds, "commands", "more than %d commands", COMMANDS_MAX);
    if (!(list = sy_arena_calloc(&rd->t->arena, n, sizeof *list))) return sy_rd_nomem(rd);
    mark = sy_rd_enter(rd, SY_LIT("commands"));
    for (size_t i = 0; i < n; i++) {
        size_t inner = sy_rd_enter(rd, cmds->u.o.members[i].key);
        if ((st = load_one(rd, &cmds->u.o.members[i].val, cmds->u.o.members[i].key, session, &list[i]))) return st;
        sy_rd_leave(rd, inner);
    }
    sy_rd_leave(rd, mark);
    if (rd->t->info.backend != (session ? SYMBI_BACKEND_SESSION : SYMBI_BACKEND_BROWSER)) return SYMBI_OK; /* [http] goes before it: only checked */
    qsort(list, n, sizeof *list, by_name);
    rd->t->commands = list;
    rd->t->ncommands = n;
    return SYMBI_OK;
}

symbi_status sy_finish_commands(sy_rd *rd)
{
    symbi_tool *t = rd->t;
    symbi_status st;
    for (size_t i = 0; i < t->ncommands; i++) {
        symbi_tool *c = &t->commands[i];
        size_t n = t->info.name.n + 1 + c->command_name.n;
        char *name = sy_arena_alloc(&t->arena, n + 1);
        uint8_t bytes[32 + 256];
        if (!name) return sy_rd_nomem(rd);
        memcpy(name, t->info.name.p, t->info.name.n);
        name[t->info.name.n] = '.';
        memcpy(name + t->info.name.n + 1, c->command_name.p, c->command_name.n);
        name[n] = 0;
        c->info.name = (symbi_str){ name, n };
        c->info.version = t->info.version;
        c->info.source = t->info.source;
        c->info.capability = t->info.capability;
        c->info.backend = t->info.backend;
        c->info.timeout_ms = t->info.timeout_ms;
        memcpy(bytes, t->info.sha256, 32);
        memcpy(bytes + 32, name, n); /* at most 128 + 1 + 64 */
        if ((st = symbi_sha256(rd->cx, (symbi_str){ (const char *)bytes, 32 + n }, c->info.sha256, rd->err))) return st;
        c->evidence_dir = t->evidence_dir;
        c->capture = t->capture;
        c->backend_table = t->backend_table;
        c->backend_data = t->backend_data;
        c->has_output = t->has_output;
        c->envelope = t->envelope;
        c->format_name = t->format_name;
        c->parser = t->parser;
        c->format = t->format;
        c->output_schema = t->output_schema;
        c->output_strict = t->output_strict;
    }
    if ((st = sy_session_child_commands(rd))) return st;
    if (t->ncommands && t->nargs) return sy_rd_warn(rd, symbi_value_getz(symbi_doc_root(t->doc), "args"), "args", "has no effect: each command has arguments of its own");
    return SYMBI_OK;
}

size_t symbi_tool_command_count(const symbi_tool *t) { return t->ncommands; }
symbi_tool *symbi_tool_command_at(const symbi_tool *t, size_t i) { return i < t->ncommands ? &t->commands[i] : NULL; }
