/* toolclad/session_cmd.c: the text that is typed into a session (spec toolclad.md 13.3). It is an argument of its command, "command", of
 * a type of its own, so that the contract is checked before policy is asked: one line without control characters, the command's pattern
 * over the whole of it, then metacharacters and scope where the manifest asks. */
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "toolclad/session.h"
#include "toolclad/types.h"

enum { TEXT_MAX = 4000 }; /* a terminal takes 4,095 bytes in one line, and drops the rest without a word */

/* C0, DEL, C1 and the separators that a terminal or a program might take for the end of a line. */
static bool control(uint32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029; }

static symbi_status check_text(const sy_check *c, symbi_str v, symbi_value *out)
{
    const sy_session_text *x = c->arg->more;
    char echo[SY_ECHO];
    bool hit;
    symbi_status st;
    if (!v.n) return sy_fail(c->err, SYMBI_ESCHEMA, "a command cannot be empty");
    if (v.n > TEXT_MAX) return sy_fail(c->err, SYMBI_ELIMIT, "the command has %zu bytes, more than %d: a terminal would cut it", v.n, TEXT_MAX);
    for (size_t i = 0; i < v.n;) {
        uint32_t cp;
        size_t n = sy_utf8_next(v.p + i, v.n - i, &cp);
        if (!n || control(cp)) return sy_fail(c->err, SYMBI_ESCHEMA, "the command contains a control character (byte %zu): one line of text is typed, nothing else", i + 1);
        i += n;
    }
    if ((st = sy_pattern_search(c->cx, c->arg->pattern, v, &hit, c->err))) return st;
    if (!hit) return sy_fail(c->err, SYMBI_ESCHEMA, "Command '%s' does not match pattern '%.*s' (all of it must match)", sy_echo(v, echo), SY_FMT(x->shown));
    if (x->sanitize && (st = sy_check_meta(c, v, 0))) return st;
    *out = sy_val_str(v);
    return SYMBI_OK;
}

static const sy_type text_type = { "session_command", "string", SY_TYPE_FREE_TEXT, SYMBI_STRING, check_text, NULL, NULL };

static symbi_str joined(sy_arena *a, const char *x, symbi_str y, const char *z)
{
    size_t nx = strlen(x), nz = strlen(z);
    char *p = sy_arena_alloc(a, nx + y.n + nz + 1);
    if (!p) return (symbi_str){ NULL, 0 };
    memcpy(p, x, nx);
    if (y.n) memcpy(p + nx, y.p, y.n);
    memcpy(p + nx + y.n, z, nz);
    p[nx + y.n + nz] = 0;
    return (symbi_str){ p, nx + y.n + nz };
}

/* The pattern of a command, made to cover the whole text. */
static symbi_status load_pattern(sy_rd *rd, const symbi_value *c, sy_arg *a, symbi_str text)
{
    const symbi_value *v = symbi_value_getz(c, "pattern");
    symbi_err e;
    symbi_status st;
    symbi_err_clear(&e);
    st = sy_pattern_compile(&rd->t->arena, text, &a->pattern, &e); /* by itself first: what stands in it must be whole */
    a->pattern_text = text;
    if (!st && !sy_pattern_anchored(a->pattern)) {
        a->pattern_text = joined(&rd->t->arena, "^(?:", text, ")$");
        if (!a->pattern_text.p) return sy_rd_nomem(rd);
        st = sy_pattern_compile(&rd->t->arena, a->pattern_text, &a->pattern, &e);
        if (!st && (st = sy_rd_warn(rd, v, "pattern", "is not anchored; it must match the whole command here, as ^(?:...)$"))) return st;
    }
    if (st == SYMBI_ENOMEM) return sy_rd_nomem(rd);
    return st ? sy_rd_fail(rd, v, "pattern", "%s", e.msg) : SYMBI_OK;
}

symbi_status sy_session_command(sy_rd *rd, const symbi_value *c, symbi_tool *o)
{
    const sy_session_def *def = rd->t->backend_data;
    symbi_str text = { NULL, 0 };
    sy_session_text *x = sy_arena_calloc(&rd->t->arena, 1, sizeof *x);
    sy_arg *all = sy_arena_calloc(&rd->t->arena, o->nargs + 1, sizeof *all), *a;
    symbi_status st;
    if (!x || !all) return sy_rd_nomem(rd);
    if ((st = sy_rd_need_str(rd, c, "pattern", &text)) || (st = sy_rd_bool(rd, c, "extract_target", &x->extract_target))) return st;
    for (size_t i = 0; i < o->nargs; i++)
        if (sy_str_eqz(o->args[i].name, "command")) return sy_rd_fail(rd, symbi_value_getz(c, "args"), "args.command", "is taken: the text that is typed has this name");
    a = &all[0];
    if (o->nargs) memcpy(all + 1, o->args, o->nargs * sizeof *all);
    a->name = SY_LIT("command");
    a->type_name = SY_LIT("session_command");
    a->type = &text_type;
    a->position = INT64_MIN;
    a->required = true;
    a->more = x;
    a->line = c->line;
    x->shown = text;
    x->sanitize = def && def->sanitize;
    a->description = joined(&rd->t->arena, "Command matching pattern: ", text, "");
    if (!a->description.p) return sy_rd_nomem(rd);
    o->args = all;
    o->nargs++;
    return load_pattern(rd, c, a, text);
}
