/* toolclad/cedargen.c: Cedar policy text for a tool (spec toolclad.md 18). */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "toolclad/tool.h"

/* In a Cedar string literal. */
static void escaped(sy_buf *b, symbi_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' || c == '\\') sy_buf_addc(b, '\\'), sy_buf_addc(b, c);
        else if (c == '\n') sy_buf_addz(b, "\\n");
        else if (c == '\r') sy_buf_addz(b, "\\r");
        else if (c == '\t') sy_buf_addz(b, "\\t");
        else sy_buf_addc(b, c);
    }
}

static void upstream(const symbi_tool *t, sy_buf *b)
{
    sy_buf_addz(b, "// Auto-generated from ");
    sy_buf_adds(b, t->info.name);
    sy_buf_addz(b, ".clad.toml (risk_tier = \"");
    sy_buf_adds(b, t->info.risk_tier);
    sy_buf_addz(b, t->info.human_approval ? "\", human_approval = true)\n" : "\")\n");
    if (sy_str_eqz(t->info.risk_tier, "high") && !t->info.human_approval)
        sy_buf_addz(b, "// WARNING: High-risk tool \xe2\x80\x94 review and add restrictions before production use\n");
    sy_buf_addz(b, "permit (\n    principal,\n    action == ");
    sy_buf_adds(b, t->cedar_resource);
    sy_buf_addz(b, "::Action::\"");
    escaped(b, t->cedar_action);
    sy_buf_addz(b, "\",\n    resource\n)\nwhen {\n    resource.tool_name == \"");
    escaped(b, t->info.name);
    sy_buf_addz(b, t->info.human_approval ? "\" &&\n    context.has_human_approval == true\n};\n" : "\"\n};\n");
}

static void gate(const symbi_tool *t, sy_buf *b)
{
    bool approval = t->info.human_approval || sy_str_eqz(t->info.risk_tier, "high") || sy_str_eqz(t->info.risk_tier, "critical");
    sy_buf_addz(b, "permit (\n    principal,\n    action == Action::\"tool_call::");
    escaped(b, t->info.name);
    sy_buf_addz(b, "\",\n    resource\n)");
    sy_buf_addz(b, approval ? "\nwhen { context.has_human_approval == true };\n" : ";\n");
}

symbi_status symbi_tool_cedar(symbi_ctx *cx, const symbi_tool *t, symbi_tool_cedar_form form, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    memset(out, 0, sizeof *out);
    symbi_err_clear(err);
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    if (form == SYMBI_TOOL_CEDAR_GATE) gate(t, &b);
    else if (t->has_cedar) upstream(t, &b);
    return sy_buf_take(&b, out, "the policy", err);
}
