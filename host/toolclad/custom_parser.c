/* toolclad/custom_parser.c: which program may read a tool's output, and what becomes of what it says. It runs in the executor, after a tool
 * that succeeded; here its path is checked as text, the operator's list is asked (before the tool runs: what cannot be read need not be
 * made), and its output is believed only as one JSON text of a program that ended well. */
#include "toolclad/custom_parser.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include <stdio.h>

enum { PATH_BYTES = 4095 };

/* NULL, or what is wrong with it: it must be written as the kernel would say it, and as the list can hold it. */
static const char *problem(symbi_str p)
{
    if (!p.n || p.p[0] != '/') return "an absolute path is expected: custom:/path/to/parser";
    if (p.n > PATH_BYTES) return "the path is too long";
    for (size_t i = 0, from = 1; i < p.n; i++) {
        size_t n;
        if ((unsigned char)p.p[i] < 0x20 || p.p[i] == 0x7f) return "the path has a control character";
        if (p.p[i] == ':') return "the path has a ':', which separates paths in SYMBIONT_TOOLCLAD_ALLOWED_PARSERS";
        if (i + 1 < p.n && p.p[i + 1] != '/') continue;
        n = i + 1 - from;
        if (!n || (n == 1 && p.p[from] == '.') || (n == 2 && p.p[from] == '.' && p.p[from + 1] == '.')) return "the path has an empty part, '.' or '..': write it as it is";
        from = i + 2;
    }
    return NULL;
}

symbi_status sy_custom_parser_load(sy_rd *rd, const symbi_value *v, symbi_str path)
{
    const char *why = problem(path);
    if (why) return sy_rd_fail(rd, v, "parser", "%s", why);
    if (rd->t->info.backend != SYMBI_BACKEND_SHELL)
        return sy_rd_fail(rd, v, "parser", "a custom: parser reads the output of a program that [command] runs; a tool of backend '%s' has builtin: parsers only", symbi_backend_name(rd->t->info.backend));
    rd->t->custom_parser = path;
    return SYMBI_OK;
}

static bool listed(symbi_str list, symbi_str path)
{
    for (size_t i = 0; i <= list.n;) {
        size_t from = i, to;
        while (i < list.n && list.p[i] != ':') i++;
        to = i++;
        while (from < to && memchr(" \t\r\n", list.p[from], 4)) from++;
        while (to > from && memchr(" \t\r\n", list.p[to - 1], 4)) to--;
        if (sy_str_eq((symbi_str){ list.p + from, to - from }, path)) return true;
    }
    return false;
}

symbi_status sy_custom_parser_plan(const symbi_tool *t, const symbi_plan_options *o, sy_arena *a, symbi_plan *p, symbi_err *err)
{
    static const char name[] = "SYMBIONT_TOOLCLAD_ALLOWED_PARSERS=";
    symbi_str list = { "", 0 };
    char echo[SY_ECHO];
    if (!t->custom_parser.n) return SYMBI_OK;
    for (size_t i = 0; i < o->nbase_env; i++) {
        symbi_str e = o->base_env[i];
        if (!sy_str_starts(e, SY_LIT(name))) continue;
        list = (symbi_str){ e.p + sizeof name - 1, e.n - (sizeof name - 1) };
        break; /* of two the first counts, as for getenv */
    }
    if (!listed(list, t->custom_parser)) return sy_fail(err, SYMBI_EDENIED, "Custom parser '%s' is not in SYMBIONT_TOOLCLAD_ALLOWED_PARSERS: the tool is not run", sy_echo(t->custom_parser, echo));
    p->parser = sy_arena_dup(a, t->custom_parser);
    return p->parser.p ? SYMBI_OK : sy_arena_fail(a, "the plan", err);
}

/* The first line of what it said, cut, for people. */
static void said(symbi_str s, char out[80])
{
    size_t n = 0;
    while (s.n && memchr(" \t\r\n", s.p[0], 4)) s.p++, s.n--;
    while (n < s.n && s.p[n] != '\n' && s.p[n] != '\r') n++;
    sy_clean_line(out, 80, (symbi_str){ s.p, n });
}

symbi_status sy_custom_parser_results(symbi_ctx *cx, const symbi_parse_run *r, sy_arena *a, symbi_value *results, char why[160], symbi_err *err)
{
    sy_obj none = sy_obj_new(a);
    char text[80], inner[160] = "";
    symbi_str json;
    symbi_status st;
    *results = sy_obj_value(&none);
    why[0] = 0;
    said(r->err, text);
    if (!r->tried) snprintf(why, 160, "the custom parser was not run: this executor does not run parsers");
    else if (r->start_errno) snprintf(why, 160, "the custom parser was not run: %s", text);
    else if (r->timed_out) snprintf(why, 160, "the custom parser did not end in what was left of the tool's time");
    else if (r->signal) snprintf(why, 160, "the custom parser was killed by signal %d", r->signal);
    else if (r->exit_code) snprintf(why, 160, "the custom parser exited with code %d%s%s", r->exit_code, text[0] ? ": " : "", text);
    else if (r->out_truncated) snprintf(why, 160, "the custom parser printed more than %zu bytes", r->out.n);
    if (why[0]) return SYMBI_OK;
    json = sy_utf8_lossy(a, r->out.p ? r->out : SY_LIT(""));
    if (!json.p) return sy_arena_fail(a, "the envelope", err);
    if ((st = sy_output_parse(cx, SY_FORMAT_JSON, json, a, results, inner, err))) return st;
    if (!inner[0]) return SYMBI_OK;
    snprintf(why, 160, "the custom parser gave no JSON: %.120s", inner);
    none = sy_obj_new(a);
    *results = sy_obj_value(&none);
    return SYMBI_OK;
}

symbi_value sy_custom_parser_record(sy_arena *a, const symbi_plan *p, const symbi_parse_run *r)
{
    static const uint8_t unknown[32];
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "path", p->parser);
    if (memcmp(r->sha256, unknown, 32)) sy_obj_hex(&o, "sha256", r->sha256, 32);
    sy_obj_int(&o, "exit_code", r->start_errno ? -1 : r->exit_code);
    sy_obj_int(&o, "duration_ms", r->duration_ms);
    return sy_obj_value(&o);
}
