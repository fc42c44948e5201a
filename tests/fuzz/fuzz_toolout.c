/* Fuzz target: what a tool prints, through each output parser and into an envelope. The first byte chooses the parser. Whatever comes out is
 * no lost run: the envelope is there, results is an object, it can be written as JSON and read again. */
#include "symbi/json.h"
#include "symbi/toolclad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = { "format = \"text\"", "format = \"json\"", "format = \"jsonl\"", "format = \"csv\"", "format = \"xml\"", "parser = \"builtin:nmap\"", "parser = \"custom:/p\"" };
    const symbi_str allowed = symbi_str_z("SYMBIONT_TOOLCLAD_ALLOWED_PARSERS=/p");
    symbi_plan_options o;
    char text[400];
    symbi_ctx *cx;
    symbi_tool *t = NULL;
    symbi_plan *p = NULL;
    symbi_doc *env = NULL, *again = NULL;
    symbi_exec_result r;
    symbi_text json;
    symbi_err err;
    const symbi_value *results;
    if (!size) return 0;
    must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    snprintf(text, sizeof text, "[tool]\nname = \"t\"\n[command]\nexec = [\"p\"]\n[output]\n%s\n[output.schema]\nproperties.a = {type = \"array\", items = {type = \"integer\", minimum = 3}}\nrequired = [\"b\"]\n",
        formats[data[0] % 7]);
    must(symbi_tool_parse(cx, symbi_str_z(text), symbi_str_z("f"), &t, &err) == SYMBI_OK);
    memset(&o, 0, sizeof o);
    o.base_env = &allowed;
    o.nbase_env = 1;
    must(symbi_tool_plan(cx, t, NULL, &o, &p, &err) == SYMBI_OK);
    memset(&r, 0, sizeof r);
    r.out.p = (const char *)data + 1;
    r.out.n = size - 1;
    if (p->parser.n) {
        r.parsed.tried = true;
        r.parsed.out = r.out;
        r.out = symbi_str_z("[what is to be parsed]");
    }
    must(symbi_tool_envelope(cx, t, p, &r, &env, &err) == SYMBI_OK);
    results = symbi_value_getz(symbi_doc_root(env), "results");
    must(results && results->kind == SYMBI_OBJECT);
    must(symbi_json_write(cx, symbi_doc_root(env), SYMBI_JSON_CANONICAL, &json, &err) == SYMBI_OK);
    must(symbi_json_parse(cx, symbi_text_str(&json), &again, &err) == SYMBI_OK);
    must(!p->parser.n || symbi_value_getz(symbi_doc_root(env), "parser"));
    symbi_text_free(&json);
    symbi_doc_unref(again);
    symbi_doc_unref(env);
    symbi_plan_unref(p);
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
    return 0;
}
