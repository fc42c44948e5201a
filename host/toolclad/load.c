/* toolclad/load.c: manifests (spec toolclad.md 3, 5): [tool], [output] and the order in which the parts are read; life and
 * death of a symbi_tool. Loading is all or nothing. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"
#include "symbi/json.h"
#include "symbi/toml.h"
#include "toolclad/custom_parser.h"
#include "toolclad/read.h"
#include <stdlib.h>

enum { ARGS_MAX = 1000 };

const char *const sy_risk_tiers[6] = { "info", "low", "medium", "high", "critical", NULL };

bool sy_risk_known(symbi_str s)
{
    for (size_t i = 0; sy_risk_tiers[i]; i++)
        if (sy_str_eqz(s, sy_risk_tiers[i])) return true;
    return false;
}

static const struct { const char *name, *ext; } formats[] = { { "text", "txt" }, { "json", "json" }, { "jsonl", "jsonl" }, { "csv", "csv" }, { "xml", "xml" }, { "nmap", "xml" } };

sy_format sy_format_find(symbi_str name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (sy_str_eqz(name, formats[i].name)) return (sy_format)i;
    return SY_FORMAT_OTHER;
}
const char *sy_format_ext(sy_format f) { return f < SY_FORMAT_OTHER ? formats[f].ext : "txt"; }

/* ---- [tool] ---- */

static symbi_status load_name(sy_rd *rd, const symbi_value *t)
{
    symbi_str s = { NULL, 0 };
    symbi_status st = sy_rd_need_str(rd, t, "name", &s);
    char echo[SY_ECHO];
    if (st) return st;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (i && (c == '.' || c == '-'));
        if (!ok || i >= 128) return sy_rd_fail(rd, symbi_value_getz(t, "name"), "name", "'%s': letters, digits, '_', '.' and '-' only, at most 128, not beginning with '.' or '-'", sy_echo(s, echo));
    }
    rd->t->info.name = s;
    return SYMBI_OK;
}

static symbi_status load_evidence(sy_rd *rd, const symbi_value *t)
{
    static const char *const keys[] = { "output_dir", "capture", "hash", "screenshots", NULL };
    static const char *const names[] = { "evidence_dir", "scan_id", "session_id", "tool", "_scan_id", "_evidence_dir", NULL }; /* as commands call them, too: the seed's documents mix them */
    symbi_str hash = SY_LIT("sha256");
    bool screenshots;
    size_t mark = sy_rd_enter(rd, SY_LIT("evidence"));
    symbi_status st;
    rd->t->capture = true;
    if (!t) {
        rd->t->capture = false; /* without [tool.evidence] nothing is kept */
        sy_rd_leave(rd, mark);
        return SYMBI_OK;
    }
    if ((st = sy_rd_str(rd, t, "output_dir", &rd->t->evidence_dir)) || (st = sy_rd_bool(rd, t, "capture", &rd->t->capture)) || (st = sy_rd_str(rd, t, "hash", &hash)) ||
        (st = sy_rd_bool(rd, t, "screenshots", &screenshots)))
        return st;
    if (!sy_str_eqz(hash, "sha256")) return sy_rd_fail(rd, symbi_value_getz(t, "hash"), "hash", "'%.*s' is not supported; sha256 is", SY_FMT(hash));
    for (size_t i = 0; i < rd->t->evidence_dir.n; i++) { /* every {name} must be known */
        symbi_str s = rd->t->evidence_dir;
        size_t k = i + 1, n;
        if (s.p[i] != '{') continue;
        while (k < s.n && s.p[k] != '}') k++;
        for (n = 0; names[n] && !sy_str_eqz((symbi_str){ s.p + i + 1, k - i - 1 }, names[n]); n++) { }
        if (k >= s.n || !names[n])
            return sy_rd_fail(rd, symbi_value_getz(t, "output_dir"), "output_dir", "unknown placeholder {%.*s} (evidence_dir, scan_id, session_id and tool are known)", SY_FMT(((symbi_str){ s.p + i + 1, k - i - 1 })));
    }
    if ((st = sy_rd_known(rd, t, keys))) return st;
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

/* Identifiers joined by "::": it goes into policy text as it is. */
static bool entity_path(symbi_str s)
{
    bool start = true;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (alpha || (!start && c >= '0' && c <= '9')) start = false;
        else if (!start && c == ':' && i + 1 < s.n && s.p[i + 1] == ':') start = true, i++;
        else return false;
    }
    return !start;
}

static symbi_status load_tool(sy_rd *rd, const symbi_value *t)
{
    static const char *const keys[] = { "name", "version", "description", "binary", "mode", "dispatch", "timeout_seconds", "risk_tier", "human_approval", "capability", "cedar", "evidence", "sandbox", "sandbox_network", "sandbox_write", "sandbox_hide", NULL };
    static const char *const cedar_keys[] = { "resource", "action", NULL };
    symbi_tool_info *in = &rd->t->info;
    symbi_str dispatch = SY_LIT("exec");
    const symbi_value *cedar, *evidence;
    int64_t timeout = 60;
    size_t mark = sy_rd_enter(rd, SY_LIT("tool"));
    symbi_status st;
    in->risk_tier = SY_LIT("low");
    if ((st = load_name(rd, t)) || (st = sy_rd_str(rd, t, "version", &in->version)) || (st = sy_rd_str(rd, t, "description", &in->description)) ||
        (st = sy_rd_str(rd, t, "binary", &rd->t->binary)) || (st = sy_rd_str(rd, t, "dispatch", &dispatch)) || (st = sy_rd_int(rd, t, "timeout_seconds", &timeout, NULL)) ||
        (st = sy_rd_str(rd, t, "risk_tier", &in->risk_tier)) || (st = sy_rd_bool(rd, t, "human_approval", &in->human_approval)) || (st = sy_rd_str(rd, t, "capability", &in->capability)) || (st = sy_rd_table(rd, t, "cedar", &cedar)) ||
        (st = sy_rd_table(rd, t, "evidence", &evidence)))
        return st;
    if (sy_str_eqz(dispatch, "callback")) in->backend = SYMBI_BACKEND_CALLBACK;
    else if (!sy_str_eqz(dispatch, "exec")) return sy_rd_fail(rd, symbi_value_getz(t, "dispatch"), "dispatch", "invalid dispatch '%.*s', must be one of: exec, callback", SY_FMT(dispatch));
    if (timeout < 0 || timeout > INT64_MAX / 1000) return sy_rd_fail(rd, symbi_value_getz(t, "timeout_seconds"), "timeout_seconds", "must not be negative (0 means: no limit of the tool's own)");
    in->timeout_ms = timeout * 1000;
    if (!sy_risk_known(in->risk_tier)) {
        const char *near = sy_suggest_list(in->risk_tier, sy_risk_tiers);
        return sy_rd_fail(rd, symbi_value_getz(t, "risk_tier"), "risk_tier", "invalid risk_tier '%.*s', must be one of: info, low, medium, high, critical%s%s%s", SY_FMT(in->risk_tier),
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    if (cedar) {
        size_t inner = sy_rd_enter(rd, SY_LIT("cedar"));
        if ((st = sy_rd_need_str(rd, cedar, "resource", &rd->t->cedar_resource)) || (st = sy_rd_need_str(rd, cedar, "action", &rd->t->cedar_action)) || (st = sy_rd_known(rd, cedar, cedar_keys))) return st;
        if (!entity_path(rd->t->cedar_resource)) return sy_rd_fail(rd, symbi_value_getz(cedar, "resource"), "resource", "a Cedar type is expected, such as Tool::Whois");
        rd->t->has_cedar = true;
        sy_rd_leave(rd, inner);
    }
    if ((st = load_evidence(rd, evidence)) || (st = sy_rd_known(rd, t, keys))) return st;
    if ((!in->version.n && (st = sy_rd_warn(rd, t, "version", "is missing"))) || (!in->description.n && (st = sy_rd_warn(rd, t, "description", "is missing: the model chooses tools by it")))) return st;
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

/* ---- [output] ---- */

static symbi_status load_output(sy_rd *rd, const symbi_value *t)
{
    static const char *const keys[] = { "format", "parser", "envelope", "schema", "strict", NULL };
    static const char *const names[] = { "text", "json", "jsonl", "csv", "xml", "nmap", NULL };
    symbi_tool *tool = rd->t;
    size_t mark = sy_rd_enter(rd, SY_LIT("output"));
    const char *near;
    symbi_str p;
    symbi_status st;
    tool->format_name = SY_LIT("text");
    tool->envelope = true;
    tool->has_output = t != NULL;
    if (!t) {
        sy_rd_leave(rd, mark);
        if (tool->info.backend == SYMBI_BACKEND_CALLBACK) return SYMBI_OK;
        return sy_rd_fail(rd, NULL, "", "manifest is missing [output] block (or set tool.dispatch = \"callback\" for validator-only manifests)");
    }
    if ((st = sy_rd_str(rd, t, "format", &tool->format_name)) || (st = sy_rd_str(rd, t, "parser", &tool->parser)) || (st = sy_rd_bool(rd, t, "envelope", &tool->envelope)) ||
        (st = sy_rd_bool(rd, t, "strict", &tool->output_strict)) || (st = sy_rd_table(rd, t, "schema", &tool->output_schema)))
        return st;
    tool->format = sy_format_find(tool->format_name);
    if (tool->format == SY_FORMAT_OTHER) {
        near = sy_suggest_list(tool->format_name, names);
        return sy_rd_fail(rd, symbi_value_getz(t, "format"), "format", "unknown format '%.*s', must be one of: text, json, jsonl, csv, xml, nmap%s%s%s", SY_FMT(tool->format_name),
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    p = tool->parser;
    if (sy_str_starts(p, SY_LIT("builtin:"))) {
        p.p += 8;
        p.n -= 8;
        tool->format = sy_format_find(p);
        if (tool->format == SY_FORMAT_OTHER) {
            near = sy_suggest_list(p, names);
            return sy_rd_fail(rd, symbi_value_getz(t, "parser"), "parser", "unknown parser 'builtin:%.*s'%s%s%s", SY_FMT(p), near ? ", did you mean 'builtin:" : "", near ? near : "", near ? "'?" : "");
        }
    } else if (sy_str_starts(p, SY_LIT("custom:"))) {
        if ((st = sy_custom_parser_load(rd, symbi_value_getz(t, "parser"), (symbi_str){ p.p + 7, p.n - 7 }))) return st;
    } else if (p.n) {
        tool->format = SY_FORMAT_TEXT;
        if ((st = sy_rd_warn(rd, symbi_value_getz(t, "parser"), "parser", "'%.*s' is not run: results are raw_output (known are builtin:FORMAT and custom:ABSOLUTE-PATH)", SY_FMT(p)))) return st;
    }
    if ((st = sy_rd_known(rd, t, keys))) return st;
    if (!tool->output_schema && (st = sy_rd_warn(rd, t, "schema", "is missing: the model is not told what comes back"))) return st;
    sy_rd_leave(rd, mark);
    return SYMBI_OK;
}

/* ---- the whole ---- */

/* A NUL in any text would end up cut somewhere behind the checks (argv, file names): no manifest needs one. */
static symbi_status no_nul(sy_rd *rd, const symbi_value *v, size_t depth)
{
    symbi_status st;
    if (!depth) return sy_rd_fail(rd, v, "", "nested too deeply");
    if ((v->kind == SYMBI_STRING) && v->u.s.n && memchr(v->u.s.p, 0, v->u.s.n)) return sy_rd_fail(rd, v, "", "a text contains the character U+0000");
    for (size_t i = 0; v->kind == SYMBI_ARRAY && i < v->u.a.n; i++)
        if ((st = no_nul(rd, &v->u.a.items[i], depth - 1))) return st;
    for (size_t i = 0; v->kind == SYMBI_OBJECT && i < v->u.o.n; i++) {
        if (v->u.o.members[i].key.n && memchr(v->u.o.members[i].key.p, 0, v->u.o.members[i].key.n)) return sy_rd_fail(rd, &v->u.o.members[i].val, "", "a key contains the character U+0000");
        if ((st = no_nul(rd, &v->u.o.members[i].val, depth - 1))) return st;
    }
    return SYMBI_OK;
}

static symbi_status load_manifest(sy_rd *rd, const symbi_value *m)
{
    static const char *const keys[] = { "tool", "args", "command", "output", "http", "mcp", "session", "browser", NULL };
    const symbi_value *tool, *args, *output;
    size_t mark;
    symbi_status st;
    if (m->kind != SYMBI_OBJECT) return sy_rd_fail(rd, m, "", "a manifest must be a table, got %s", symbi_kind_name((symbi_kind)m->kind));
    if ((st = no_nul(rd, m, 1000)) || (st = sy_rd_table(rd, m, "tool", &tool))) return st;
    if (!tool) return sy_rd_fail(rd, NULL, "", "the table [tool] is missing");
    if ((st = load_tool(rd, tool)) || (st = sy_rd_table(rd, m, "args", &args))) return st;
    if (args && args->u.o.n > ARGS_MAX) return sy_rd_fail(rd, args, "args", "more than %d arguments", ARGS_MAX);
    mark = sy_rd_enter(rd, SY_LIT("args"));
    if ((st = sy_load_args(rd, args, &rd->t->args, &rd->t->nargs, symbi_value_getz(m, "mcp") != NULL)) || (st = sy_args_index(rd, rd->t))) return st;
    rd->t->info.arg_count = rd->t->nargs;
    sy_rd_leave(rd, mark);
    if ((st = sy_load_backend(rd, m)) || (st = sy_load_sandbox(rd, tool)) || (st = sy_rd_table(rd, m, "output", &output)) || (st = load_output(rd, output))) return st;
    if ((st = sy_rd_known(rd, m, keys))) return st;
    return sy_finish_commands(rd);
}

static symbi_tool *tool_new(symbi_ctx *cx)
{
    symbi_tool *t = sy_calloc(&cx->shared, 1, sizeof *t);
    if (!t) return NULL;
    sy_ref_init(&t->refs);
    t->alloc = cx->shared;
    sy_arena_init(&t->arena, cx->shared, cx->limits.arena_bytes);
    return t;
}

/* Takes over doc. */
static symbi_status load(symbi_ctx *cx, symbi_doc *doc, symbi_str source, const symbi_tooltypes *types, const symbi_tool *child, const uint8_t sha256[32], symbi_tool **out, symbi_err *err)
{
    symbi_tool *t = tool_new(cx);
    sy_rd rd = { 0 };
    symbi_status st;
    if (!t) {
        symbi_doc_unref(doc);
        return sy_fail_nomem(err);
    }
    t->doc = doc;
    t->types = sy_tooltypes_hold(types);
    memcpy(t->info.sha256, sha256, 32);
    t->info.source = sy_arena_dup(&t->arena, source);
    rd.cx = cx;
    rd.t = t;
    rd.types = types;
    rd.child = child;
    rd.source = source;
    rd.err = err;
    st = t->info.source.p ? load_manifest(&rd, symbi_doc_root(doc)) : sy_rd_nomem(&rd);
    if (!st && t->arena.status) st = sy_rd_nomem(&rd);
    if (st) symbi_tool_unref(t);
    else *out = t;
    return st;
}

symbi_status symbi_tool_parse_child(symbi_ctx *cx, symbi_str text, symbi_str source, const symbi_tooltypes *types, const symbi_tool *child, symbi_tool **out, symbi_err *err)
{
    symbi_doc *doc;
    uint8_t hash[32];
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    if (text.n > cx->limits.manifest_bytes) {
        st = sy_fail(err, SYMBI_ELIMIT, "the manifest has %zu bytes, more than %zu (manifest_bytes)", text.n, cx->limits.manifest_bytes);
        sy_err_path(err, source);
        return st;
    }
    if ((st = symbi_sha256(cx, text, hash, err))) return st;
    if ((st = symbi_toml_parse(cx, text, &doc, err))) {
        sy_err_path(err, source);
        return st;
    }
    return load(cx, doc, source, types, child, hash, out, err);
}

symbi_status symbi_tool_parse_with(symbi_ctx *cx, symbi_str text, symbi_str source, const symbi_tooltypes *types, symbi_tool **out, symbi_err *err)
{
    return symbi_tool_parse_child(cx, text, source, types, NULL, out, err);
}

symbi_status symbi_tool_from_value_with(symbi_ctx *cx, const symbi_value *manifest, symbi_str source, const symbi_tooltypes *types, symbi_tool **out, symbi_err *err)
{
    symbi_doc *doc;
    symbi_text text;
    uint8_t hash[32];
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    if ((st = symbi_json_write(cx, manifest, SYMBI_JSON_CANONICAL, &text, err))) return st;
    if (text.n > cx->limits.manifest_bytes) st = sy_fail(err, SYMBI_ELIMIT, "the manifest has %zu bytes, more than %zu (manifest_bytes)", text.n, cx->limits.manifest_bytes);
    else st = symbi_sha256(cx, symbi_text_str(&text), hash, err);
    symbi_text_free(&text);
    if (st || (st = symbi_doc_copy(cx, manifest, &doc, err))) return st;
    return load(cx, doc, source, types, NULL, hash, out, err);
}

symbi_status symbi_tool_parse(symbi_ctx *cx, symbi_str text, symbi_str source, symbi_tool **out, symbi_err *err)
{
    return symbi_tool_parse_with(cx, text, source, NULL, out, err);
}

symbi_status symbi_tool_from_value(symbi_ctx *cx, const symbi_value *manifest, symbi_str source, symbi_tool **out, symbi_err *err)
{
    return symbi_tool_from_value_with(cx, manifest, source, NULL, out, err);
}

symbi_tool *symbi_tool_ref(symbi_tool *t)
{
    sy_ref_inc(&(t->owner ? t->owner : t)->refs);
    return t;
}

void symbi_tool_unref(symbi_tool *t)
{
    if (t && t->owner) t = t->owner;
    if (t && sy_ref_dec(&t->refs)) {
        symbi_alloc a = t->alloc;
        symbi_doc_unref(t->doc);
        symbi_tooltypes_unref(t->types);
        symbi_tool_unref(t->child);
        sy_arena_free(&t->arena);
        sy_free(&a, t, sizeof *t);
    }
}

void symbi_tool_get_info(const symbi_tool *t, symbi_tool_info *out)
{
    *out = t->info;
    out->manifest = t->owner ? t->owner->info.name : t->info.name;
    memcpy(out->manifest_sha256, t->owner ? t->owner->info.sha256 : t->info.sha256, 32);
}

symbi_str symbi_tool_warning(const symbi_tool *t, size_t i)
{
    const sy_warning *w = t->warn_first;
    while (w && i--) w = w->next;
    return w ? w->text : (symbi_str){ NULL, 0 };
}
