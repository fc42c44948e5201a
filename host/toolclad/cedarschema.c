/* toolclad/cedarschema.c: a Cedar schema of the gate's requests (design.md section 6) with what each tool of a set takes, so that a policy
 * that reads context.input.<argument> is checked before it is in force: a misspelt argument, a text compared with a number, an
 * optional one read without `has`. */
#include "base/ctx.h"
#include "base/err.h"
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

static void action(sy_buf *b, const char *id, const symbi_tool *t, symbi_str facts)
{
    sy_buf_addz(b, "action \"");
    sy_buf_addz(b, id);
    if (t) escaped(b, t->info.name);
    sy_buf_addz(b, "\"");
    if (t) sy_buf_addz(b, " in [\"tool_call\"]");
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

symbi_status symbi_toolset_cedar_schema(symbi_ctx *cx, const symbi_toolset *s, symbi_str facts, symbi_text *out, symbi_err *err)
{
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
    for (size_t i = 0; s && i < symbi_toolset_count(s); i++) action(&b, "tool_call::", symbi_toolset_at(s, i), facts);
    action(&b, "respond", NULL, facts);
    action(&b, "terminate", NULL, facts);
    return sy_buf_take(&b, out, "the schema", err);
}
