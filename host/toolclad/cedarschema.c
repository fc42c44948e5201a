/* toolclad/cedarschema.c: a Cedar schema of the gate's requests (design.md section 6) with what each tool of a set takes, so that a policy
 * that reads context.input.<argument> is checked before it is in force: a misspelt argument, a text compared with a number, an
 * optional one read without `has`. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "base/utf8.h"
#include "toolclad/tool.h"

/* Inside a Cedar string literal; anything that is not printable ASCII or a letter of another script is written as an escape. */
static void escaped(sy_buf *b, symbi_str s)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t cp;
        size_t k = sy_utf8_next(s.p + i, s.n - i, &cp);
        if (!k) k = 1, cp = 0xfffd;
        if (cp == '"' || cp == '\\' || cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) sy_buf_addf(b, "\\u{%x}", (unsigned)cp);
        else sy_buf_add(b, s.p + i, k);
        i += k;
    }
}

/* NULL: no one Cedar type (a fraction is a decimal, or a text where four digits do not hold it). */
static const char *cedar_type(const sy_arg *a)
{
    switch (a->type->kind) {
    case SYMBI_STRING: return "String";
    case SYMBI_INT: return "Long";
    case SYMBI_BOOL: return "Bool";
    default: return NULL;
    }
}

static void input(sy_buf *b, const symbi_tool *t)
{
    bool any = false;
    sy_buf_addz(b, "{ ");
    for (size_t i = 0; i < t->nargs; i++) {
        const sy_arg *a = &t->args[t->by_name[i]];
        const char *type = cedar_type(a);
        /* a default that its own type refuses stays what it is, maybe of another kind */
        if (!type || (a->dflt && a->dflt_value.kind != (uint8_t)a->type->kind)) continue;
        if (any) sy_buf_addz(b, ", ");
        sy_buf_addc(b, '"');
        escaped(b, a->name);
        sy_buf_addc(b, '"');
        sy_buf_addz(b, a->required || a->dflt ? ": " : "?: ");
        sy_buf_addz(b, type);
        any = true;
    }
    sy_buf_addz(b, any ? " }" : "}");
}

/* group "": an action by itself. t NULL: nothing is known of its input. */
static void action(sy_buf *b, symbi_str group, symbi_str name, const symbi_tool *t, symbi_str facts)
{
    sy_buf_addz(b, "action \"");
    sy_buf_adds(b, group);
    if (group.n) sy_buf_addz(b, "::");
    escaped(b, name);
    sy_buf_addz(b, "\"");
    if (group.n) {
        sy_buf_addz(b, " in [\"");
        sy_buf_adds(b, group);
        sy_buf_addz(b, "\"]");
    }
    sy_buf_addz(b, " appliesTo {\n  principal: [Agent], resource: [Resource],\n  context: { input: ");
    if (t) input(b, t);
    else sy_buf_addz(b, "{}");
    sy_buf_addz(b, ", loop: Loop, budget: Budget, now: Long, surface: String, has_human_approval: Bool");
    if (facts.n) {
        sy_buf_addz(b, ", ");
        sy_buf_adds(b, facts);
    }
    sy_buf_addz(b, " }\n};\n");
}

/* Actions that a policy's text names, each once (seen). */
static symbi_status named(sy_buf *b, symbi_str text, bool tools, symbi_str facts, sy_map *seen, symbi_err *err)
{
    static const char begin[] = "Action::\"";
    const size_t nbegin = sizeof begin - 1;
    symbi_str groups[] = { SY_LIT("delegate"), SY_LIT("send_message"), SY_LIT("tool_call") };
    for (size_t i = 0; i + nbegin < text.n;) {
        const char *p = memchr(text.p + i, begin[0], text.n - i);
        symbi_str id;
        bool fresh;
        if (!p) break;
        i = (size_t)(p - text.p) + 1;
        if (text.n - i + 1 <= nbegin || memcmp(p, begin, nbegin) != 0) continue;
        id = (symbi_str){ p + nbegin, 0 };
        while (id.p + id.n < text.p + text.n && id.p[id.n] != '"' && id.p[id.n] != '\\') id.n++;
        if (id.p + id.n == text.p + text.n || id.p[id.n] != '"') continue;
        for (size_t g = 0; g < (tools ? 3 : 2); g++) {
            size_t head = groups[g].n + 2;
            if (id.n <= head || !sy_str_starts(id, groups[g]) || memcmp(id.p + groups[g].n, "::", 2) != 0) continue;
            if (!sy_map_put(seen, id, &fresh)) return sy_fail_nomem(err);
            if (fresh) action(b, groups[g], (symbi_str){ id.p + head, id.n - head }, NULL, facts);
        }
    }
    return SYMBI_OK;
}

symbi_status symbi_toolset_cedar_schema(symbi_ctx *cx, const symbi_toolset *s, symbi_str facts, const symbi_str *policies, size_t npolicies, symbi_text *out, symbi_err *err)
{
    symbi_str none = SY_LIT("");
    symbi_status st = SYMBI_OK;
    sy_map seen;
    sy_buf b;
    memset(out, 0, sizeof *out);
    symbi_err_clear(err);
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    sy_buf_addz(&b,
        "entity Agent = { id: String, name: String, verified: Bool, capabilities?: Set<String>, domain?: String, tags?: Set<String> };\n"
        "entity Tool;\n"
        "entity Resource in [Tool] = {\n"
        "  kind: String, name: String, verified: Bool, verified_by?: String, tool_name?: String, risk_tier?: String, backend?: String, human_approval?: Bool, capability?: String\n"
        "};\n"
        "type Loop = { id: String, iteration: Long, tool_calls: Long, denied: Long };\n"
        "type Budget = { tokens?: Long, time_ms?: Long, tool_calls?: Long };\n"
        "action \"tool_call\", \"delegate\", \"send_message\";\n");
    for (size_t i = 0; s && i < symbi_toolset_count(s); i++) action(&b, SY_LIT("tool_call"), symbi_toolset_at(s, i)->info.name, symbi_toolset_at(s, i), facts);
    sy_map_init(&seen, cx->alloc, cx->seed);
    for (size_t i = 0; i < npolicies && !st; i++) st = named(&b, policies[i], !s, facts, &seen, err);
    sy_map_free(&seen);
    if (st) {
        sy_buf_free(&b);
        return st;
    }
    action(&b, none, SY_LIT("respond"), NULL, facts);
    action(&b, none, SY_LIT("terminate"), NULL, facts);
    return sy_buf_take(&b, out, "the schema", err);
}
