/* toolclad/mcp_answer.c: what each message of an MCP server means for the conversation (mcp_client.c): answers to our requests, its own
 * questions, its notes. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "toolclad/mcp_client.h"
#include "toolclad/outschema.h"
#include <stdio.h>

enum { HEADER_MISMATCH = -32020 };

/* ---- the beginning ---- */

static void got_init(symbi_mcp *m, const symbi_value *result)
{
    symbi_str v = symbi_value_str(result, "protocolVersion", SY_LIT(""));
    const symbi_value *caps = symbi_value_getz(result, "capabilities");
    m->version = sy_mcp_version(v);
    if (!m->version) LIES(m, "MCP server '%.*s' speaks revision '%.*s', which this client does not", SERVER(m), SY_FMT(v));
    else if (!symbi_value_getz(caps, "tools")) LIES(m, "MCP server '%.*s' offers no tools", SERVER(m));
    if (m->job == J_FAILED) return;
    m->phase = P_READY;
    sy_mcp_note(m, "notifications/initialized");
    if (m->job != J_FAILED) sy_mcp_proceed(m);
}

static void got_discover(symbi_mcp *m, const symbi_value *result)
{
    const symbi_value *v = symbi_value_getz(result, "supportedVersions");
    bool ok = false;
    for (size_t i = 0; v && v->kind == SYMBI_ARRAY && i < v->u.a.n; i++) ok = ok || (v->u.a.items[i].kind == SYMBI_STRING && sy_str_eqz(v->u.a.items[i].u.s, SY_MCP_MODERN));
    if (!ok) {
        LIES(m, "MCP server '%.*s' speaks no revision that this client does", SERVER(m));
        return;
    }
    if (!symbi_value_getz(symbi_value_getz(result, "capabilities"), "tools")) {
        LIES(m, "MCP server '%.*s' offers no tools", SERVER(m));
        return;
    }
    m->version = SY_MCP_MODERN;
    m->phase = P_READY;
    sy_mcp_proceed(m);
}

/* ---- the list ---- */

static bool definition_ok(symbi_mcp *m, const symbi_value *t)
{
    const symbi_value *schema = symbi_value_getz(t, "inputSchema"), *out = symbi_value_getz(t, "outputSchema");
    symbi_str name = symbi_value_str(t, "name", SY_LIT(""));
    symbi_err e;
    if (!schema || schema->kind != SYMBI_OBJECT || !sy_str_eqz(symbi_value_str(schema, "type", SY_LIT("")), "object")) LIES(m, "MCP server '%.*s': tool '%.*s' has no inputSchema of type object", SERVER(m), SY_FMT(name));
    else if (out && out->kind != SYMBI_OBJECT) LIES(m, "MCP server '%.*s': the outputSchema of tool '%.*s' is no object", SERVER(m), SY_FMT(name));
    else if (m->modern && sy_mcp_http(m) && sy_mcp_params_check(t, &e)) sy_mcp_fail(m, false, SYMBI_EUNSUPPORTED, "MCP server '%.*s': tool '%.*s' cannot be used over HTTP: %s", SERVER(m), SY_FMT(name), e.msg);
    else return true;
    return false;
}

/* Where the revision says so, tools that break the rules of x-mcp-header are left out, and named beside the list. */
static void add_tool(symbi_mcp *m, const symbi_value *t, sy_arr *all, sy_arr *left_out)
{
    sy_obj o = sy_obj_new(all->a);
    symbi_err e;
    if (!m->modern || !sy_mcp_http(m) || !sy_mcp_params_check(t, &e)) {
        sy_arr_add(all, *t);
        return;
    }
    sy_obj_str(&o, "name", symbi_value_str(t, "name", SY_LIT("")));
    sy_obj_str(&o, "reason", sy_arena_dup(all->a, symbi_str_z(e.msg)));
    sy_arr_add(left_out, sy_obj_value(&o));
}

static void listed_all(symbi_mcp *m)
{
    sy_arena a;
    sy_arr all, left_out;
    sy_obj o;
    symbi_value v;
    symbi_err e;
    symbi_status st;
    if (m->job == J_CALL) {
        sy_mcp_fail(m, false, SYMBI_ENOTFOUND, "MCP server '%.*s' has no tool '%.*s'", SERVER(m), SY_FMT(sy_buf_str(&m->tool)));
        return;
    }
    sy_arena_init(&a, m->cx->alloc, m->cx->limits.arena_bytes);
    all = sy_arr_new(&a);
    left_out = sy_arr_new(&a);
    o = sy_obj_new(&a);
    for (size_t i = 0; i < m->npages; i++)
        for (size_t k = 0; k < m->pages[i].tools->u.a.n; k++) add_tool(m, &m->pages[i].tools->u.a.items[k], &all, &left_out);
    sy_obj_put(&o, "tools", sy_arr_value(&all));
    if (left_out.n) sy_obj_put(&o, "left_out", sy_arr_value(&left_out));
    v = sy_obj_value(&o);
    st = a.status ? sy_arena_fail(&a, "the list of tools", &e) : symbi_doc_copy(m->cx, &v, &m->result, &e);
    sy_arena_free(&a);
    if (st) {
        sy_mcp_fail(m, true, st, "%s", e.msg);
        return;
    }
    m->value = symbi_doc_root(m->result);
    m->phase = P_READY;
    m->job = J_DONE;
    sy_mcp_drop_job(m);
}

/* How long a list may be relied on where the server will not tell of a change: as long as its page that ages fastest. */
static void note_freshness(symbi_mcp *m, const symbi_value *result)
{
    const symbi_value *ttl = symbi_value_getz(result, "ttlMs");
    int64_t ms = ttl && ttl->kind == SYMBI_INT && ttl->u.i > 0 ? ttl->u.i : 0, until;
    until = symbi_ctx_mono_ms(m->cx) + (ms < MAX_FRESH_MS ? ms : MAX_FRESH_MS);
    if (until < m->fresh_until) m->fresh_until = until;
}

/* The tool of the call among those of a page; false: the job failed. */
static bool find_tool(symbi_mcp *m, const symbi_value *tools, const symbi_value **found)
{
    *found = NULL;
    for (size_t i = 0; i < tools->u.a.n; i++) {
        const symbi_value *t = &tools->u.a.items[i];
        symbi_str name = symbi_value_str(t, "name", SY_LIT(""));
        if (!name.n) {
            LIES(m, "MCP server '%.*s' lists a tool without a name", SERVER(m));
            return false;
        }
        if (m->job != J_CALL || !sy_str_eq(name, sy_buf_str(&m->tool))) continue;
        if (*found) {
            LIES(m, "MCP server '%.*s' lists tool '%.*s' twice", SERVER(m), SY_FMT(name));
            return false;
        }
        *found = t;
    }
    return true;
}

static void got_page(symbi_mcp *m, symbi_doc *d, const symbi_value *result)
{
    const symbi_value *tools = symbi_value_getz(result, "tools"), *next = symbi_value_getz(result, "nextCursor"), *found;
    symbi_err e;
    if (!tools || tools->kind != SYMBI_ARRAY) {
        LIES(m, "MCP server '%.*s' answered tools/list without a list", SERVER(m));
        return;
    }
    m->ntools += tools->u.a.n;
    if (m->npages == MAX_PAGES || m->ntools > MAX_TOOLS) {
        LIES(m, "MCP server '%.*s' lists more than %d pages or %d tools", SERVER(m), MAX_PAGES, MAX_TOOLS);
        return;
    }
    note_freshness(m, result);
    if (!find_tool(m, tools, &found)) return;
    if (found) {
        if (!definition_ok(m, found)) return;
        if (symbi_doc_copy(m->cx, found, &m->def, &e)) sy_mcp_nomem(m);
        else m->phase = P_JUDGE;
        return;
    }
    m->pages[m->npages++] = (page){ m->job == J_LIST ? symbi_doc_ref(d) : NULL, m->job == J_LIST ? tools : NULL };
    if (!next || next->kind == SYMBI_NULL || (next->kind == SYMBI_STRING && !next->u.s.n)) {
        listed_all(m);
        return;
    }
    if (next->kind != SYMBI_STRING || sy_str_eq(next->u.s, sy_buf_str(&m->cursor))) {
        LIES(m, "MCP server '%.*s' gives a cursor that leads nowhere", SERVER(m));
        return;
    }
    sy_buf_clear(&m->cursor);
    sy_buf_adds(&m->cursor, next->u.s);
    if (sy_buf_status(&m->cursor)) sy_mcp_nomem(m);
    else sy_mcp_ask(m, "tools/list");
}

/* ---- the call ---- */

/* What every result must be. */
static bool shape_ok(symbi_mcp *m, const symbi_value *result)
{
    const symbi_value *made = symbi_value_getz(result, "structuredContent"), *bad = symbi_value_getz(result, "isError"), *content = symbi_value_getz(result, "content");
    symbi_err e;
    if (bad && bad->kind != SYMBI_BOOL) LIES(m, "MCP server '%.*s': isError is neither true nor false", SERVER(m));
    else if (content && sy_mcp_content_check(content, &e)) LIES(m, "MCP server '%.*s': %s", SERVER(m), e.msg);
    else if (!content && !made) LIES(m, "MCP server '%.*s': its answer has neither content nor structuredContent", SERVER(m));
    else if (made && !m->modern && made->kind != SYMBI_OBJECT) LIES(m, "MCP server '%.*s': structuredContent is no object", SERVER(m));
    else return true;
    return false;
}

/* The result against the definition's outputSchema; false: the job failed. */
static bool output_ok(symbi_mcp *m, const symbi_value *result)
{
    const symbi_value *schema = symbi_value_getz(sy_mcp_judged(m, sy_buf_str(&m->tool)), "outputSchema"), *made = symbi_value_getz(result, "structuredContent");
    const symbi_value *bad = symbi_value_getz(result, "isError");
    sy_arena a;
    sy_arr warnings;
    symbi_err e;
    symbi_status st;
    if (!shape_ok(m, result)) return false;
    if (!schema || (bad && bad->u.b)) return true;
    if (!made) {
        LIES(m, "MCP server '%.*s': tool '%.*s' promises structured output and gave none", SERVER(m), SY_FMT(sy_buf_str(&m->tool)));
        return false;
    }
    sy_arena_init(&a, m->cx->alloc, m->cx->limits.arena_bytes);
    warnings = sy_arr_new(&a);
    st = sy_output_schema_check(m->cx, schema, made, &a, &warnings, &e);
    if (!st && a.status) st = sy_arena_fail(&a, "the answer", &e);
    if (st) sy_mcp_fail(m, true, st, "%s", e.msg);
    else if (warnings.n) LIES(m, "MCP server '%.*s': the answer of tool '%.*s' is not what its outputSchema promises: %.*s", SERVER(m), SY_FMT(sy_buf_str(&m->tool)), SY_FMT(warnings.v[0].u.s));
    sy_arena_free(&a);
    return m->job == J_CALL;
}

static void got_call(symbi_mcp *m, symbi_doc *d, const symbi_value *result)
{
    if (!output_ok(m, result)) return;
    m->result = symbi_doc_ref(d);
    m->value = result;
    m->job = J_DONE;
    m->phase = P_READY;
    sy_mcp_drop_job(m);
}

/* ---- answers ---- */

static bool complete(symbi_mcp *m, const symbi_value *result)
{
    const symbi_value *type = symbi_value_getz(result, "resultType");
    if (!m->modern || !type) return true;
    if (type->kind != SYMBI_STRING) LIES(m, "MCP server '%.*s': the resultType of its answer is no text", SERVER(m));
    else if (sy_str_eqz(type->u.s, "complete")) return true;
    else if (sy_str_eqz(type->u.s, "input_required")) sy_mcp_fail(m, false, SYMBI_EUNSUPPORTED, "MCP server '%.*s' asks for input in the middle of %s, which this client does not give", SERVER(m), m->phase == P_CALL ? "a call" : "a list");
    else LIES(m, "MCP server '%.*s': nobody knows what resultType '%.*s' means", SERVER(m), SY_FMT(type->u.s));
    return false;
}

static void got_result(symbi_mcp *m, symbi_doc *d, const symbi_value *result)
{
    if (!complete(m, result)) return;
    switch (m->phase) {
    case P_INIT: got_init(m, result); break;
    case P_DISCOVER: got_discover(m, result); break;
    case P_LIST: got_page(m, d, result); break;
    case P_CALL: got_call(m, d, result); break;
    default: LIES(m, "MCP server '%.*s' answered what nobody asked", SERVER(m)); break;
    }
}

void sy_mcp_error(symbi_mcp *m, const sy_rpc *r, bool untouched)
{
    if (m->phase == P_INIT && !m->fell_forward) {
        char said[sizeof m->why.msg];
        snprintf(said, sizeof said, "%.*s (%lld)", SY_FMT(r->message), (long long)r->code);
        sy_mcp_fall_forward(m, symbi_str_z(said));
        return;
    }
    if (m->phase == P_DISCOVER) { /* what it said to initialize tells more */
        char first[sizeof m->why.msg];
        memcpy(first, m->why.msg, sizeof first);
        LIES(m, "%s", first);
        return;
    }
    if (m->phase == P_CALL && m->modern && untouched && r->code == HEADER_MISMATCH && !m->corrected) { /* perhaps it wants other headers by now */
        m->corrected = true;
        sy_mcp_forget_judged(m);
        sy_mcp_start_list(m);
        return;
    }
    if (m->phase == P_CALL) sy_mcp_fail(m, false, SYMBI_EEVAL, "MCP tool '%.*s' of server '%.*s' failed: %.*s (%lld)", SY_FMT(sy_buf_str(&m->tool)), SERVER(m), SY_FMT(r->message), (long long)r->code);
    else sy_mcp_fail(m, false, SYMBI_EIO, "MCP server '%.*s' refused to list its tools: %.*s (%lld)", SERVER(m), SY_FMT(r->message), (long long)r->code);
}

/* ---- its notes and questions ---- */

/* It does not want an answer any more that has not gone out yet. What is not understood is ignored, as the specification says. */
static void cancelled(symbi_mcp *m, const symbi_value *params)
{
    const symbi_value *id = symbi_value_getz(params, "requestId");
    symbi_text t = { 0 };
    symbi_err e;
    if (!id || (id->kind != SYMBI_INT && id->kind != SYMBI_STRING) || symbi_json_write(m->cx, id, 0, &t, &e)) return;
    for (size_t i = 0; i < m->nqueue; i++) {
        outgoing *q = &m->queue[i];
        if (!q->reply_n || q->reply_n != t.n || memcmp(q->p + sizeof SY_RPC_REPLY - 1, t.p, t.n)) continue;
        sy_mcp_free_outgoing(m, q);
        memmove(q, q + 1, (m->nqueue - i - 1) * sizeof *q);
        m->nqueue--;
        break;
    }
    symbi_text_free(&t);
}

static void got_note(symbi_mcp *m, const sy_rpc *r)
{
    if (sy_str_eqz(r->method, "notifications/tools/list_changed")) m->changed = true;
    else if (sy_str_eqz(r->method, "notifications/cancelled")) cancelled(m, r->body);
}

static void got_question(symbi_mcp *m, const sy_rpc *r)
{
    if (m->modern) LIES(m, "MCP server '%.*s' asks for %.*s, and in its revision servers ask nothing", SERVER(m), SY_FMT(r->method));
    else sy_mcp_reply(m, r);
}

/* ---- messages ---- */

bool sy_mcp_is_open(const symbi_mcp *m, const symbi_value *id) { return m->open_id && id && id->kind == SYMBI_INT && id->u.i == m->open_id; }

static void one(symbi_mcp *m, symbi_doc *d, const symbi_value *v)
{
    sy_rpc r;
    symbi_err e;
    if (++m->messages > MAX_MESSAGES) {
        LIES(m, "MCP server '%.*s' sent more than %d messages and no answer", SERVER(m), MAX_MESSAGES);
        return;
    }
    symbi_err_clear(&e);
    if (sy_rpc_read(v, &r, &e)) {
        LIES(m, "MCP server '%.*s' sent a message that cannot be: %s", SERVER(m), e.msg);
    } else if (r.kind == SY_RPC_REQUEST) {
        got_question(m, &r);
    } else if (r.kind == SY_RPC_NOTE) {
        got_note(m, &r);
    } else if (r.kind == SY_RPC_ERROR && (!r.id || r.id->kind == SYMBI_NULL)) {
        LIES(m, "MCP server '%.*s' did not understand: %.*s (%lld)", SERVER(m), SY_FMT(r.message), (long long)r.code);
    } else if (!sy_mcp_is_open(m, r.id)) {
        bool old = r.id && r.id->kind == SYMBI_INT && r.id->u.i > 0 && r.id->u.i <= m->last_id;
        LIES(m, "MCP server '%.*s' answered %s", SERVER(m), old ? "a request twice" : "a request that was never sent");
    } else {
        m->open_id = m->unanswered = 0;
        if (r.kind == SY_RPC_ERROR) sy_mcp_error(m, &r, false);
        else got_result(m, d, r.body);
    }
}

/* One revision has batches, and whoever speaks it must understand them. */
static bool batches(const symbi_mcp *m) { return m->version && !strcmp(m->version, "2025-03-26"); }

void sy_mcp_message(symbi_mcp *m, symbi_str text)
{
    symbi_doc *d;
    const symbi_value *root;
    symbi_err e;
    symbi_status st;
    symbi_err_clear(&e);
    st = symbi_json_parse(m->cx, text, &d, &e);
    if (st) {
        char head[60];
        sy_clean_line(head, sizeof head, text);
        if (st == SYMBI_ENOMEM) sy_mcp_nomem(m);
        else LIES(m, "MCP server '%.*s' sent what is no JSON message: %s, in \"%s\"", SERVER(m), e.msg, head);
        return;
    }
    root = symbi_doc_root(d);
    if (root->kind != SYMBI_ARRAY || !root->u.a.n || !batches(m)) one(m, d, root);
    else for (size_t i = 0; i < root->u.a.n && !m->broken; i++) one(m, d, &root->u.a.items[i]);
    symbi_doc_unref(d);
}
