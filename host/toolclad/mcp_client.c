/* toolclad/mcp_client.c: one conversation with one MCP server, without the wire: what goes out next, and what each thing that comes in
 * means. The other side is not trusted: there is one open request at a time, and whatever answers another one, answers twice, is no
 * JSON, is too large or never ends, ends the conversation with one error. A call goes out once and never again.
 *
 *   initialize (or, refused, server/discover) -> tools/list, page by page -> judge -> tools/call
 *
 * A later call of a tool that was judged in this conversation goes out at once, unless the server said that its list changed. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"
#include "toolclad/mcp_client.h"
#include "toolclad/outschema.h"
#include "toolclad/sandbox.h"
#include <stdio.h>

/* ---- failing ---- */

static void drop_job(symbi_mcp *m)
{
    for (size_t i = 0; i < m->npages; i++) symbi_doc_unref(m->pages[i]);
    m->npages = m->ntools = m->messages = 0;
    symbi_doc_unref(m->def);
    m->def = NULL;
    sy_buf_free(&m->cursor);
    sy_buf_clear(&m->cursor);
}

void sy_mcp_fail(symbi_mcp *m, bool broken, symbi_status code, const char *fmt, ...)
{
    va_list ap;
    m->broken = m->broken || broken;
    if (m->job != J_CALL && m->job != J_LIST) return; /* the result stands; the connection may still be useless */
    va_start(ap, fmt);
    (void)sy_vfail(&m->why, code, 0, 0, fmt, ap);
    va_end(ap);
    m->job = J_FAILED;
    m->open_id = 0;
    if (m->phase == P_LIST || m->phase == P_JUDGE || m->phase == P_CALL) m->phase = P_READY;
    drop_job(m);
}

void sy_mcp_nomem(symbi_mcp *m) { sy_mcp_fail(m, true, SYMBI_ENOMEM, "%s", symbi_status_text(SYMBI_ENOMEM)); }

/* ---- sending ---- */

void sy_mcp_free_outgoing(symbi_mcp *m, outgoing *o)
{
    sy_free(&m->cx->alloc, o->p, o->cap);
    memset(o, 0, sizeof *o);
}

/* Takes over what was written. */
static void queue(symbi_mcp *m, symbi_json_out *o, const char *method)
{
    outgoing *q = &m->queue[m->nqueue];
    symbi_json_out_raw(o, SY_LIT("\n"));
    if (o->status == SYMBI_ENOMEM) sy_mcp_nomem(m);
    else if (o->status) sy_mcp_fail(m, true, o->status, "the message to MCP server '%.*s' cannot be written: %s", SERVER(m), symbi_status_text(o->status));
    else if (m->nqueue == MAX_QUEUE) LIES(m, "MCP server '%.*s' asks faster than its questions can be answered", SERVER(m));
    else {
        q->p = sy_alloc(&m->cx->alloc, o->n + 1);
        if (!q->p) {
            sy_mcp_nomem(m);
        } else {
            memcpy(q->p, o->p, o->n);
            q->p[o->n] = 0;
            q->n = o->n;
            q->cap = o->n + 1;
            q->wants_answer = method[0] != 0;
            q->method = method;
            q->id = m->open_id;
            m->nqueue++;
        }
    }
    symbi_json_out_free(o);
}

static void ask(symbi_mcp *m, const char *method)
{
    symbi_json_out o;
    int64_t id = ++m->last_id;
    symbi_json_out_init(m->cx, &o);
    if (!strcmp(method, "initialize")) sy_rpc_initialize(&o, id);
    else if (!strcmp(method, "tools/list")) sy_rpc_list(&o, id, sy_buf_str(&m->cursor), m->modern);
    else if (!strcmp(method, "tools/call")) sy_rpc_call(&o, id, sy_buf_str(&m->tool), sy_buf_str(&m->args), m->modern);
    else sy_rpc_simple(&o, id, method, m->modern);
    m->open_id = id;
    queue(m, &o, method);
}

static void note(symbi_mcp *m, const char *method)
{
    symbi_json_out o;
    symbi_json_out_init(m->cx, &o);
    sy_rpc_note(&o, method);
    queue(m, &o, "");
}

static void start_list(symbi_mcp *m)
{
    m->phase = P_LIST;
    m->changed = false;
    sy_buf_clear(&m->cursor);
    ask(m, "tools/list");
}

static void start_call(symbi_mcp *m)
{
    m->phase = P_CALL;
    ask(m, "tools/call");
}

static const symbi_value *judged(const symbi_mcp *m, symbi_str tool)
{
    for (size_t i = 0; i < m->njudged; i++)
        if (sy_str_eq(symbi_value_str(symbi_doc_root(m->judged[i]), "name", SY_LIT("")), tool)) return symbi_doc_root(m->judged[i]);
    return NULL;
}

static void forget_judged(symbi_mcp *m)
{
    for (size_t i = 0; i < m->njudged; i++) symbi_doc_unref(m->judged[i]);
    m->njudged = 0;
}

/* What comes after the handshake, or first where that is over. */
static void proceed(symbi_mcp *m)
{
    if (m->phase == P_FRESH) {
        m->phase = P_INIT;
        ask(m, "initialize");
        return;
    }
    if (m->changed) forget_judged(m);
    if (m->job == J_CALL && judged(m, sy_buf_str(&m->tool))) start_call(m);
    else start_list(m);
}

/* ---- what answers mean ---- */

static void got_init(symbi_mcp *m, const symbi_value *result)
{
    symbi_str v = symbi_value_str(result, "protocolVersion", SY_LIT(""));
    const symbi_value *caps = symbi_value_getz(result, "capabilities");
    m->version = sy_mcp_version(v);
    if (!m->version) LIES(m, "MCP server '%.*s' speaks revision '%.*s', which this client does not", SERVER(m), SY_FMT(v));
    else if (!symbi_value_getz(caps, "tools")) LIES(m, "MCP server '%.*s' offers no tools", SERVER(m));
    if (m->job == J_FAILED) return;
    m->phase = P_READY;
    note(m, "notifications/initialized");
    if (m->job != J_FAILED) proceed(m);
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
    proceed(m);
}

static bool definition_ok(symbi_mcp *m, const symbi_value *t)
{
    const symbi_value *schema = symbi_value_getz(t, "inputSchema"), *out = symbi_value_getz(t, "outputSchema");
    symbi_str name = symbi_value_str(t, "name", SY_LIT(""));
    if (!schema || schema->kind != SYMBI_OBJECT || !sy_str_eqz(symbi_value_str(schema, "type", SY_LIT("")), "object")) LIES(m, "MCP server '%.*s': tool '%.*s' has no inputSchema of type object", SERVER(m), SY_FMT(name));
    else if (out && out->kind != SYMBI_OBJECT) LIES(m, "MCP server '%.*s': the outputSchema of tool '%.*s' is no object", SERVER(m), SY_FMT(name));
    else return true;
    return false;
}

static void listed_all(symbi_mcp *m)
{
    if (m->job == J_CALL) {
        sy_mcp_fail(m, false, SYMBI_ENOTFOUND, "MCP server '%.*s' has no tool '%.*s'", SERVER(m), SY_FMT(sy_buf_str(&m->tool)));
        return;
    }
    { /* the pages as one list */
        sy_arena a;
        sy_arr all;
        sy_obj o;
        symbi_value v;
        symbi_err e;
        symbi_status st;
        sy_arena_init(&a, m->cx->alloc, m->cx->limits.arena_bytes);
        all = sy_arr_new(&a);
        o = sy_obj_new(&a);
        for (size_t i = 0; i < m->npages; i++) {
            const symbi_value *t = symbi_value_getz(symbi_value_getz(symbi_doc_root(m->pages[i]), "result"), "tools");
            for (size_t k = 0; k < t->u.a.n; k++) sy_arr_add(&all, t->u.a.items[k]);
        }
        sy_obj_put(&o, "tools", sy_arr_value(&all));
        v = sy_obj_value(&o);
        st = a.status ? sy_arena_fail(&a, "the list of tools", &e) : symbi_doc_copy(m->cx, &v, &m->result, &e);
        sy_arena_free(&a);
        if (st) {
            sy_mcp_fail(m, true, st, "%s", e.msg);
            return;
        }
    }
    m->value = symbi_doc_root(m->result);
    m->phase = P_READY;
    m->job = J_DONE;
    drop_job(m);
}

static void got_page(symbi_mcp *m, symbi_doc *d, const symbi_value *result)
{
    const symbi_value *tools = symbi_value_getz(result, "tools"), *next = symbi_value_getz(result, "nextCursor"), *found = NULL;
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
    for (size_t i = 0; i < tools->u.a.n; i++) {
        const symbi_value *t = &tools->u.a.items[i];
        symbi_str name = symbi_value_str(t, "name", SY_LIT(""));
        if (!name.n) {
            LIES(m, "MCP server '%.*s' lists a tool without a name", SERVER(m));
            return;
        }
        if (m->job != J_CALL || !sy_str_eq(name, sy_buf_str(&m->tool))) continue;
        if (found) {
            LIES(m, "MCP server '%.*s' lists tool '%.*s' twice", SERVER(m), SY_FMT(name));
            return;
        }
        found = t;
    }
    if (found) {
        if (!definition_ok(m, found)) return;
        if (symbi_doc_copy(m->cx, found, &m->def, &e)) sy_mcp_nomem(m);
        else m->phase = P_JUDGE;
        return;
    }
    if (m->job == J_LIST) m->pages[m->npages] = symbi_doc_ref(d);
    else m->pages[m->npages] = NULL;
    m->npages++;
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
    else ask(m, "tools/list");
}

/* The result against the definition's outputSchema; false: the job failed. */
static bool output_ok(symbi_mcp *m, const symbi_value *result)
{
    const symbi_value *def = judged(m, sy_buf_str(&m->tool)), *schema = symbi_value_getz(def, "outputSchema"), *made = symbi_value_getz(result, "structuredContent");
    const symbi_value *bad = symbi_value_getz(result, "isError"), *content = symbi_value_getz(result, "content");
    sy_arena a;
    sy_arr warnings;
    symbi_err e;
    symbi_status st;
    bool ok = false;
    if (bad && bad->kind != SYMBI_BOOL) LIES(m, "MCP server '%.*s': isError is neither true nor false", SERVER(m));
    else if (content && content->kind != SYMBI_ARRAY) LIES(m, "MCP server '%.*s': the content of its answer is no list", SERVER(m));
    else if (!content && !made) LIES(m, "MCP server '%.*s': its answer has neither content nor structuredContent", SERVER(m));
    else if (made && !m->modern && made->kind != SYMBI_OBJECT) LIES(m, "MCP server '%.*s': structuredContent is no object", SERVER(m));
    else ok = true;
    if (!ok || !schema || (bad && bad->u.b)) return ok;
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
    drop_job(m);
}

static void got_result(symbi_mcp *m, symbi_doc *d, const symbi_value *result)
{
    if (m->modern && !sy_str_eqz(symbi_value_str(result, "resultType", SY_LIT("complete")), "complete")) {
        sy_mcp_fail(m, false, SYMBI_EUNSUPPORTED, "MCP server '%.*s' asks for input in the middle of %s (resultType '%.*s'), which this client does not give", SERVER(m), m->phase == P_CALL ? "a call" : "a list",
                 SY_FMT(symbi_value_str(result, "resultType", SY_LIT(""))));
        return;
    }
    switch (m->phase) {
    case P_INIT: got_init(m, result); break;
    case P_DISCOVER: got_discover(m, result); break;
    case P_LIST: got_page(m, d, result); break;
    case P_CALL: got_call(m, d, result); break;
    default: LIES(m, "MCP server '%.*s' answered what nobody asked", SERVER(m)); break;
    }
}

void sy_mcp_error(symbi_mcp *m, const sy_rpc *r)
{
    if (m->phase == P_INIT && !m->fell_forward) { /* perhaps a revision without a handshake */
        (void)sy_fail(&m->why, SYMBI_EIO, "MCP server '%.*s' refused to begin: %.*s (%lld)", SERVER(m), SY_FMT(r->message), (long long)r->code);
        m->fell_forward = m->modern = true;
        m->phase = P_DISCOVER;
        ask(m, "server/discover");
        return;
    }
    if (m->phase == P_DISCOVER) { /* what it said to initialize tells more */
        char first[sizeof m->why.msg];
        memcpy(first, m->why.msg, sizeof first);
        LIES(m, "%s", first);
        return;
    }
    if (m->phase == P_CALL) sy_mcp_fail(m, false, SYMBI_EEVAL, "MCP tool '%.*s' of server '%.*s' failed: %.*s (%lld)", SY_FMT(sy_buf_str(&m->tool)), SERVER(m), SY_FMT(r->message), (long long)r->code);
    else sy_mcp_fail(m, false, SYMBI_EIO, "MCP server '%.*s' refused to list its tools: %.*s (%lld)", SERVER(m), SY_FMT(r->message), (long long)r->code);
}

/* A question of the server. Notes are listened to only where they matter. */
static void got_question(symbi_mcp *m, const sy_rpc *r)
{
    symbi_text id = { 0 };
    symbi_json_out o;
    symbi_err e;
    symbi_status st;
    if (r->kind == SY_RPC_NOTE) {
        if (sy_str_eqz(r->method, "notifications/tools/list_changed")) m->changed = true;
        return;
    }
    if ((st = symbi_json_write(m->cx, r->id, 0, &id, &e))) {
        sy_mcp_fail(m, true, st, "%s", e.msg);
        return;
    }
    symbi_json_out_init(m->cx, &o);
    if (sy_str_eqz(r->method, "ping")) sy_rpc_pong(&o, symbi_text_str(&id));
    else sy_rpc_refuse(&o, symbi_text_str(&id), r->method);
    queue(m, &o, "");
    symbi_text_free(&id);
}

bool sy_mcp_is_open(const symbi_mcp *m, const symbi_value *id) { return m->open_id && id && id->kind == SYMBI_INT && id->u.i == m->open_id; }

void sy_mcp_message(symbi_mcp *m, symbi_str text)
{
    symbi_doc *d;
    sy_rpc r;
    symbi_err e;
    symbi_status st;
    if (++m->messages > MAX_MESSAGES) {
        LIES(m, "MCP server '%.*s' sent more than %d messages and no answer", SERVER(m), MAX_MESSAGES);
        return;
    }
    symbi_err_clear(&e);
    st = symbi_json_parse(m->cx, text, &d, &e);
    if (st) {
        char head[60];
        sy_clean_line(head, sizeof head, text);
        if (st == SYMBI_ENOMEM) sy_mcp_nomem(m);
        else LIES(m, "MCP server '%.*s' sent what is no JSON message: %s, in \"%s\"", SERVER(m), e.msg, head);
        return;
    }
    if (sy_rpc_read(symbi_doc_root(d), &r, &e)) {
        LIES(m, "MCP server '%.*s' sent a message that cannot be: %s", SERVER(m), e.msg);
    } else if (r.kind == SY_RPC_REQUEST || r.kind == SY_RPC_NOTE) {
        got_question(m, &r);
    } else if (r.kind == SY_RPC_ERROR && r.id && r.id->kind == SYMBI_NULL) {
        LIES(m, "MCP server '%.*s' did not understand: %.*s (%lld)", SERVER(m), SY_FMT(r.message), (long long)r.code);
    } else if (!sy_mcp_is_open(m, r.id)) {
        bool old = r.id && r.id->kind == SYMBI_INT && r.id->u.i > 0 && r.id->u.i <= m->last_id;
        LIES(m, "MCP server '%.*s' answered %s", SERVER(m), old ? "a request twice" : "a request that was never sent");
    } else {
        m->open_id = 0;
        if (r.kind == SY_RPC_ERROR) sy_mcp_error(m, &r);
        else got_result(m, d, r.body);
    }
    symbi_doc_unref(d);
}

/* ---- jobs ---- */

static void clear_queue(symbi_mcp *m)
{
    for (size_t i = 0; i < m->nqueue; i++) sy_mcp_free_outgoing(m, &m->queue[i]);
    m->nqueue = 0;
}

void sy_mcp_restart(symbi_mcp *m)
{
    m->restarted = true;
    m->open_id = 0;
    clear_queue(m);
    forget_judged(m);
    drop_job(m);
    sy_buf_clear(&m->session);
    m->version = NULL;
    m->phase = P_FRESH;
    proceed(m);
}

symbi_status symbi_mcp_new(symbi_ctx *cx, symbi_mcp_registry *r, symbi_str name, size_t max_message, symbi_mcp **out, symbi_err *err)
{
    symbi_mcp_server s;
    symbi_mcp *m;
    *out = NULL;
    symbi_err_clear(err);
    if (!symbi_mcp_registry_find(r, name, &s)) return sy_fail(err, SYMBI_ENOTFOUND, "MCP server '%.*s' not in registry (mcp-config.toml)", SY_FMT(name));
    m = sy_calloc(&cx->alloc, 1, sizeof *m);
    if (!m) return sy_fail_nomem(err);
    m->cx = cx;
    m->reg = symbi_mcp_registry_ref(r);
    m->s = s;
    m->max_message = max_message ? max_message : cx->limits.tool_output;
    if (m->max_message > cx->limits.doc_bytes) m->max_message = cx->limits.doc_bytes;
    sy_buf_init(&m->session, cx->alloc, MAX_SESSION);
    sy_buf_init(&m->in, cx->alloc, m->max_message);
    sy_buf_init(&m->cursor, cx->alloc, m->max_message);
    sy_buf_init(&m->tool, cx->alloc, cx->limits.doc_bytes);
    sy_buf_init(&m->args, cx->alloc, cx->limits.output_bytes);
    sy_arena_init(&m->arena, cx->alloc, cx->limits.arena_bytes);
    m->secrets = s.nsecrets ? sy_calloc(&cx->alloc, s.nsecrets, sizeof *m->secrets) : NULL;
    if (s.nsecrets && !m->secrets) {
        symbi_mcp_free(m);
        return sy_fail_nomem(err);
    }
    for (size_t i = 0; i < s.nsecrets; i++) {
        m->secrets[i].name = s.secrets[i];
        sy_buf_init(&m->secrets[i].value, cx->alloc, 1u << 20);
    }
    *out = m;
    return SYMBI_OK;
}

void symbi_mcp_free(symbi_mcp *m)
{
    symbi_alloc a;
    if (!m) return;
    a = m->cx->alloc;
    clear_queue(m);
    sy_mcp_free_outgoing(m, &m->taken);
    sy_mcp_free_outgoing(m, &m->aside);
    drop_job(m);
    forget_judged(m);
    symbi_doc_unref(m->result);
    symbi_sse_free(m->sse);
    sy_buf_free(&m->session);
    sy_buf_free(&m->in);
    sy_buf_free(&m->cursor);
    sy_buf_free(&m->tool);
    sy_buf_free(&m->args);
    sy_arena_free(&m->arena);
    for (size_t i = 0; m->secrets && i < m->s.nsecrets; i++) {
        sy_buf *b = &m->secrets[i].value;
        if (b->p) symbi_wipe(b->p, b->cap);
        sy_buf_free(b);
    }
    sy_free(&a, m->secrets, m->s.nsecrets * sizeof *m->secrets);
    symbi_plan_unref(m->plan);
    symbi_plan_unref(m->began);
    symbi_mcp_registry_unref(m->reg);
    sy_free(&a, m, sizeof *m);
}

void symbi_mcp_get_server(const symbi_mcp *m, symbi_mcp_server *out) { *out = m->s; }

static symbi_status begin(symbi_mcp *m, job j, symbi_err *err)
{
    if (m->broken) return sy_fail(err, SYMBI_ESTATE, "the connection to MCP server '%.*s' is broken", SERVER(m));
    m->job = m->asked = j;
    m->restarted = false;
    m->messages = 0;
    symbi_doc_unref(m->result);
    m->result = NULL;
    m->value = NULL;
    symbi_err_clear(&m->why);
    proceed(m);
    if (m->job != J_FAILED) return SYMBI_OK;
    if (err) *err = m->why;
    return m->why.code;
}

static symbi_status idle(const symbi_mcp *m, symbi_err *err)
{
    symbi_err_clear(err);
    return m->job == J_CALL || m->job == J_LIST ? sy_fail(err, SYMBI_ESTATE, "MCP server '%.*s' is at work for somebody else", SERVER(m)) : SYMBI_OK;
}

symbi_status symbi_mcp_call(symbi_mcp *m, const symbi_plan *plan, symbi_err *err)
{
    symbi_str server = symbi_value_str(plan->detail, "server", SY_LIT("")), tool = symbi_value_str(plan->detail, "tool", SY_LIT(""));
    const symbi_value *args = symbi_value_getz(plan->detail, "arguments");
    symbi_text text = { 0 };
    symbi_status st = idle(m, err);
    if (st) return st;
    if (plan->kind != SYMBI_BACKEND_MCP || !args || args->kind != SYMBI_OBJECT || !tool.n) return sy_fail(err, SYMBI_EINVAL, "not a plan of backend mcp");
    if (!sy_str_eq(server, m->s.name)) return sy_fail(err, SYMBI_EINVAL, "the plan is for MCP server '%.*s', not for '%.*s'", SY_FMT(server), SERVER(m));
    if (m->launched && !sy_sandbox_same(plan, m->began)) return sy_fail(err, SYMBI_EDENIED, "MCP server '%.*s' was started in another sandbox than the plan asks for", SERVER(m));
    if ((st = symbi_json_write(m->cx, args, 0, &text, err))) return st;
    symbi_plan_unref(m->plan);
    m->plan = symbi_plan_ref((symbi_plan *)(uintptr_t)plan);
    sy_buf_clear(&m->tool);
    sy_buf_clear(&m->args);
    sy_buf_adds(&m->tool, tool);
    sy_buf_adds(&m->args, symbi_text_str(&text));
    symbi_text_free(&text);
    if (sy_buf_status(&m->tool) || sy_buf_status(&m->args)) return sy_fail_nomem(err);
    return begin(m, J_CALL, err);
}

symbi_status symbi_mcp_list(symbi_mcp *m, symbi_err *err)
{
    symbi_status st = idle(m, err);
    if (st) return st;
    symbi_plan_unref(m->plan);
    m->plan = NULL;
    return begin(m, J_LIST, err);
}

symbi_mcp_want symbi_mcp_next(const symbi_mcp *m)
{
    if (m->job == J_NONE) return SYMBI_MCP_IDLE;
    if (m->job == J_FAILED) return SYMBI_MCP_FAILED;
    if (m->in_http && m->open_id != m->taken.id) return SYMBI_MCP_RECEIVE; /* the answer is in; its end is not */
    if (m->job == J_DONE) return m->nqueue && !m->broken ? SYMBI_MCP_SEND : SYMBI_MCP_DONE; /* what the server asked before is answered all the same */
    if (m->nqueue) return SYMBI_MCP_SEND;
    return m->phase == P_JUDGE ? SYMBI_MCP_JUDGE : SYMBI_MCP_RECEIVE;
}

bool symbi_mcp_broken(const symbi_mcp *m) { return m->broken; }

symbi_status symbi_mcp_failure(const symbi_mcp *m, symbi_err *err)
{
    symbi_err_clear(err);
    if (m->job != J_FAILED) return SYMBI_OK;
    if (err) *err = m->why;
    return m->why.code;
}

const symbi_value *symbi_mcp_definition(const symbi_mcp *m) { return m->def ? symbi_doc_root(m->def) : NULL; }

bool symbi_mcp_wants_key(const symbi_mcp *m)
{
    return m->phase == P_JUDGE && m->def && m->s.public_key_url.n && sy_mcp_signature(symbi_doc_root(m->def)).n;
}

symbi_status symbi_mcp_judge(symbi_mcp *m, symbi_str record, symbi_str key_pem, int64_t now_ms, symbi_text *changed, symbi_err *err)
{
    symbi_err e = { 0 };
    symbi_status st;
    memset(changed, 0, sizeof *changed);
    symbi_err_clear(err);
    if (m->job != J_CALL || m->phase != P_JUDGE) return sy_fail(err, SYMBI_ESTATE, "there is nothing to judge");
    st = sy_mcp_judge(m->cx, &m->s, record, key_pem, symbi_doc_root(m->def), now_ms, changed, &e);
    if (!st && m->njudged == MAX_JUDGED) forget_judged(m);
    if (st) {
        symbi_text_free(changed);
        memset(changed, 0, sizeof *changed);
        if (err) *err = e;
        sy_mcp_fail(m, false, st, "%s", e.msg);
        return st;
    }
    m->judged[m->njudged++] = symbi_doc_ref(m->def);
    start_call(m);
    return symbi_mcp_failure(m, err);
}

const symbi_value *symbi_mcp_result(const symbi_mcp *m) { return m->job == J_DONE ? m->value : NULL; }
symbi_str symbi_mcp_version(const symbi_mcp *m) { return m->version ? symbi_str_z(m->version) : SY_LIT(""); }
symbi_str symbi_mcp_session(const symbi_mcp *m) { return m->session.n ? sy_buf_str(&m->session) : SY_LIT(""); }
