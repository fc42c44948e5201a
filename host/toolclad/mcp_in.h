/* toolclad/mcp_in.h: what the files of the MCP client share: JSON-RPC messages, definitions, the inside of a registry. */
#ifndef SY_TOOLCLAD_MCP_IN_H
#define SY_TOOLCLAD_MCP_IN_H
#include "base/buf.h"
#include "codec/build.h"
#include "symbi/json.h"
#include "symbi/mcp.h"
#include "toolclad/tool.h"

/* ---- JSON-RPC 2.0 (mcp_rpc.c) ---- */

typedef enum sy_rpc_kind { SY_RPC_REQUEST, SY_RPC_NOTE, SY_RPC_RESULT, SY_RPC_ERROR } sy_rpc_kind;
typedef struct sy_rpc {
    sy_rpc_kind kind;
    const symbi_value *id;     /* NULL for a note; string, integer, or (of an error) null */
    symbi_str method;
    const symbi_value *body;   /* params, result or error; NULL for a request without params */
    int64_t code;              /* of an error */
    symbi_str message;
} sy_rpc;
/* What a message is; ESCHEMA says what is wrong with it. */
symbi_status sy_rpc_read(const symbi_value *v, sy_rpc *out, symbi_err *err);

/* Revisions. */
#define SY_MCP_MODERN "2026-07-28"
extern const char *const sy_mcp_legacy[]; /* newest first, NULL-terminated */
const char *sy_mcp_version(symbi_str s);  /* the literal of a revision with a handshake that we speak, or NULL */

/* Requests, as text behind b. modern: with the metadata that every request carries there. */
void sy_rpc_initialize(symbi_json_out *o, int64_t id);
void sy_rpc_simple(symbi_json_out *o, int64_t id, const char *method, bool modern);              /* no parameters of its own */
void sy_rpc_list(symbi_json_out *o, int64_t id, symbi_str cursor, bool modern);
/* args: JSON text of an object. trace: a traceparent or "". */
void sy_rpc_call(symbi_json_out *o, int64_t id, symbi_str tool, symbi_str args, symbi_str trace, bool modern);
void sy_rpc_note(symbi_json_out *o, const char *method);
void sy_rpc_cancelled(symbi_json_out *o, int64_t id, symbi_str reason);
/* Answers to what a server asks. id: JSON text. Both begin with SY_RPC_REPLY and the id. */
#define SY_RPC_REPLY "{\"jsonrpc\":\"2.0\",\"id\":"
void sy_rpc_pong(symbi_json_out *o, symbi_str id);
void sy_rpc_refuse(symbi_json_out *o, symbi_str id, symbi_str method);

/* ---- arguments that an HTTP server wants in headers too: x-mcp-header (mcp_params.c) ---- */

enum { SY_MCP_MAX_PARAMS = 64 };
/* Whether a definition may be used over HTTP: ESCHEMA says where it breaks the rules of x-mcp-header. */
symbi_status sy_mcp_params_check(const symbi_value *definition, symbi_err *err);
/* The headers Mcp-Param-* of a call with these arguments (an object), into out. EINVAL: an argument cannot be such a header. */
symbi_status sy_mcp_params_make(const symbi_value *definition, const symbi_value *args, sy_arena *a, symbi_mcp_pair out[SY_MCP_MAX_PARAMS], size_t *n, symbi_err *err);
/* A value as the HTTP headers Mcp-Name and Mcp-Param-* carry it. */
symbi_str sy_mcp_header_value(sy_arena *a, symbi_str v);

/* ---- results (mcp_result.c) ---- */

/* Whether the content of a result is what the revisions allow: ESCHEMA says which item is not. */
symbi_status sy_mcp_content_check(const symbi_value *content, symbi_err *err);

/* ---- definitions (mcp_pins.c) ---- */

/* The members that count, in a fixed order, borrowed from v. */
symbi_value sy_mcp_definition(sy_arena *a, const symbi_value *v);
/* Decides for symbi_mcp_judge. */
symbi_status sy_mcp_judge(symbi_ctx *cx, const symbi_mcp_server *s, symbi_str record, symbi_str key_pem, const symbi_value *definition, int64_t now_ms, symbi_text *changed, symbi_err *err);
symbi_str sy_mcp_signature(const symbi_value *definition); /* in its inputSchema; n 0: unsigned */

/* ---- arguments (mcp.c) ---- */

/* args (an object of canonical values, or of their texts) as the upstream tool gets them: names through the field map, values by
 * declared type. */
symbi_status sy_mcp_args(symbi_ctx *cx, const symbi_tool *t, const symbi_value *field_map, const symbi_value *args, sy_arena *a, symbi_value *out, symbi_err *err);

/* ---- secrets in texts (mcp_registry.c) ---- */

/* The next {_secret:NAME} of s from *at on: its place and name; false when there is no more. */
bool sy_mcp_secret_next(symbi_str s, size_t *at, size_t *begin, symbi_str *name);
#endif
