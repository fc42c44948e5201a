/* toolclad/mcp_rpc.c: JSON-RPC 2.0 as the Model Context Protocol uses it: what an incoming message is, and the few messages we send.
 * Pure text and values; mcp_client.c knows what they mean. */
#include "base/err.h"
#include "base/str.h"
#include "symbi/json.h"
#include "toolclad/mcp_in.h"
#include <stdio.h>

const char *const sy_mcp_legacy[] = { "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", NULL };

const char *sy_mcp_version(symbi_str s)
{
    for (size_t i = 0; sy_mcp_legacy[i]; i++)
        if (sy_str_eqz(s, sy_mcp_legacy[i])) return sy_mcp_legacy[i];
    return NULL;
}

/* ---- reading ---- */

static symbi_status read_error(const symbi_value *e, sy_rpc *out, symbi_err *err)
{
    const symbi_value *code = symbi_value_getz(e, "code"), *text = symbi_value_getz(e, "message");
    if (e->kind != SYMBI_OBJECT || !code || code->kind != SYMBI_INT || !text || text->kind != SYMBI_STRING) return sy_fail(err, SYMBI_ESCHEMA, "its error has no code or no message");
    out->kind = SY_RPC_ERROR;
    out->body = e;
    out->code = code->u.i;
    out->message = text->u.s;
    return SYMBI_OK;
}

symbi_status sy_rpc_read(const symbi_value *v, sy_rpc *out, symbi_err *err)
{
    const symbi_value *method, *result, *error;
    *out = (sy_rpc){ 0 };
    if (v->kind == SYMBI_ARRAY) return sy_fail(err, SYMBI_ESCHEMA, "it is a batch, which MCP does not have");
    if (v->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "it is no JSON object");
    if (!sy_str_eqz(symbi_value_str(v, "jsonrpc", SY_LIT("")), "2.0")) return sy_fail(err, SYMBI_ESCHEMA, "it does not say jsonrpc \"2.0\"");
    method = symbi_value_getz(v, "method");
    result = symbi_value_getz(v, "result");
    error = symbi_value_getz(v, "error");
    out->id = symbi_value_getz(v, "id");
    if (out->id && out->id->kind != SYMBI_INT && out->id->kind != SYMBI_STRING && !(out->id->kind == SYMBI_NULL && error)) return sy_fail(err, SYMBI_ESCHEMA, "its id is neither a text nor an integer");
    if ((method != NULL) + (result != NULL) + (error != NULL) != 1) return sy_fail(err, SYMBI_ESCHEMA, "it must have exactly one of method, result and error");
    if (method) {
        if (method->kind != SYMBI_STRING || !method->u.s.n) return sy_fail(err, SYMBI_ESCHEMA, "its method is no name");
        out->kind = out->id ? SY_RPC_REQUEST : SY_RPC_NOTE;
        out->method = method->u.s;
        out->body = symbi_value_getz(v, "params");
        return SYMBI_OK;
    }
    if (error) return read_error(error, out, err);
    if (!out->id) return sy_fail(err, SYMBI_ESCHEMA, "it is an answer without an id");
    if (result->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "its result is no object");
    out->kind = SY_RPC_RESULT;
    out->body = result;
    return SYMBI_OK;
}

/* ---- writing ---- */

#define RAW(o, lit) symbi_json_out_raw(o, SY_LIT(lit))

static void head(symbi_json_out *o, int64_t id, const char *method)
{
    RAW(o, "{\"jsonrpc\":\"2.0\",\"id\":");
    symbi_json_out_int(o, id);
    RAW(o, ",\"method\":");
    symbi_json_out_string(o, symbi_str_z(method));
}

static void client_info(symbi_json_out *o) { RAW(o, "{\"name\":\"symbi-lua\",\"version\":\"" SYMBI_VERSION "\"}"); }

/* "_meta" of a request: what every one says in the revisions without a handshake, and the trace. It goes before the other parameters. */
static void meta(symbi_json_out *o, bool modern, symbi_str trace, bool more)
{
    if (!modern && !trace.n) return;
    RAW(o, "\"_meta\":{");
    if (modern) {
        RAW(o, "\"io.modelcontextprotocol/clientCapabilities\":{},\"io.modelcontextprotocol/clientInfo\":");
        client_info(o);
        RAW(o, ",\"io.modelcontextprotocol/protocolVersion\":\"" SY_MCP_MODERN "\"");
    }
    if (trace.n) {
        symbi_json_out_raw(o, modern ? SY_LIT(",\"traceparent\":") : SY_LIT("\"traceparent\":"));
        symbi_json_out_string(o, trace);
    }
    RAW(o, "}");
    if (more) RAW(o, ",");
}

void sy_rpc_initialize(symbi_json_out *o, int64_t id)
{
    head(o, id, "initialize");
    RAW(o, ",\"params\":{\"protocolVersion\":");
    symbi_json_out_string(o, symbi_str_z(sy_mcp_legacy[0]));
    RAW(o, ",\"capabilities\":{},\"clientInfo\":");
    client_info(o);
    RAW(o, "}}");
}

void sy_rpc_simple(symbi_json_out *o, int64_t id, const char *method, bool modern)
{
    head(o, id, method);
    if (modern) {
        RAW(o, ",\"params\":{");
        meta(o, true, SY_LIT(""), false);
        RAW(o, "}");
    }
    RAW(o, "}");
}

void sy_rpc_list(symbi_json_out *o, int64_t id, symbi_str cursor, bool modern)
{
    head(o, id, "tools/list");
    if (cursor.n || modern) {
        RAW(o, ",\"params\":{");
        meta(o, modern, SY_LIT(""), cursor.n > 0);
        if (cursor.n) {
            RAW(o, "\"cursor\":");
            symbi_json_out_string(o, cursor);
        }
        RAW(o, "}");
    }
    RAW(o, "}");
}

void sy_rpc_call(symbi_json_out *o, int64_t id, symbi_str tool, symbi_str args, symbi_str trace, bool modern)
{
    head(o, id, "tools/call");
    RAW(o, ",\"params\":{");
    meta(o, modern, trace, true);
    RAW(o, "\"name\":");
    symbi_json_out_string(o, tool);
    RAW(o, ",\"arguments\":");
    symbi_json_out_raw(o, args);
    RAW(o, "}}");
}

void sy_rpc_note(symbi_json_out *o, const char *method)
{
    RAW(o, "{\"jsonrpc\":\"2.0\",\"method\":");
    symbi_json_out_string(o, symbi_str_z(method));
    RAW(o, "}");
}

/* Texts that may be cut in the middle of a character, or hold anything at all. */
static void clean_string(symbi_json_out *o, symbi_str text)
{
    char clean[160];
    sy_clean_line(clean, sizeof clean, text);
    symbi_json_out_string(o, symbi_str_z(clean));
}

void sy_rpc_cancelled(symbi_json_out *o, int64_t id, symbi_str reason)
{
    RAW(o, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":");
    symbi_json_out_int(o, id);
    RAW(o, ",\"reason\":");
    clean_string(o, reason);
    RAW(o, "}}");
}

void sy_rpc_pong(symbi_json_out *o, symbi_str id)
{
    RAW(o, SY_RPC_REPLY);
    symbi_json_out_raw(o, id);
    RAW(o, ",\"result\":{}}");
}

void sy_rpc_refuse(symbi_json_out *o, symbi_str id, symbi_str method)
{
    char text[160];
    snprintf(text, sizeof text, "this client does not offer %.*s", (int)(method.n > 64 ? 64 : method.n), method.p);
    RAW(o, SY_RPC_REPLY);
    symbi_json_out_raw(o, id);
    RAW(o, ",\"error\":{\"code\":-32601,\"message\":");
    clean_string(o, symbi_str_z(text));
    RAW(o, "}}");
}
