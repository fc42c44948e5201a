/* toolclad/mcp_job.c: a conversation with an MCP server from its beginning to its end, and the jobs in it: calls and lists. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"
#include "toolclad/mcp_client.h"
#include "toolclad/sandbox.h"

/* ---- a conversation ---- */

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
    sy_buf_init(&m->event_id, cx->alloc, MAX_EVENT_ID);
    m->retry_ms = -1;
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
    sy_mcp_clear_queue(m);
    sy_mcp_free_outgoing(m, &m->taken);
    sy_mcp_free_outgoing(m, &m->aside);
    sy_mcp_drop_job(m);
    sy_mcp_forget_judged(m);
    symbi_doc_unref(m->result);
    symbi_sse_free(m->sse);
    sy_buf_free(&m->session);
    sy_buf_free(&m->event_id);
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

/* ---- jobs ---- */

static symbi_status begin(symbi_mcp *m, job j, symbi_err *err)
{
    if (m->broken) return sy_fail(err, SYMBI_ESTATE, "the connection to MCP server '%.*s' is broken", SERVER(m));
    m->job = j;
    m->restarted = m->corrected = false;
    m->messages = m->resumes = m->relists = 0;
    symbi_doc_unref(m->result);
    m->result = NULL;
    m->value = NULL;
    symbi_err_clear(&m->why);
    sy_mcp_proceed(m);
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
    symbi_str trace = symbi_value_str(plan->detail, "traceparent", SY_LIT(""));
    const symbi_value *args = symbi_value_getz(plan->detail, "arguments");
    symbi_text text = { 0 };
    symbi_status st = idle(m, err);
    if (st) return st;
    if (plan->kind != SYMBI_BACKEND_MCP || !args || args->kind != SYMBI_OBJECT || !tool.n || trace.n >= sizeof m->trace) return sy_fail(err, SYMBI_EINVAL, "not a plan of backend mcp");
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
    memcpy(m->trace, trace.p, trace.n);
    m->trace[trace.n] = 0;
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

void symbi_mcp_lost(symbi_mcp *m, symbi_status code, symbi_str why)
{
    if (code == SYMBI_EIO) m->gone = true;
    sy_mcp_fail(m, true, code, "%.*s", SY_FMT(why));
    m->broken = true;
}

/* ---- judging ---- */

const symbi_value *symbi_mcp_definition(const symbi_mcp *m) { return m->def ? symbi_doc_root(m->def) : NULL; }

bool symbi_mcp_wants_key(const symbi_mcp *m)
{
    return m->phase == P_JUDGE && m->def && m->s.public_key_url.n && sy_mcp_signature(symbi_doc_root(m->def)).n;
}

/* The server said in the meantime that its list is another one: what was found counts for nothing. */
static symbi_status look_again(symbi_mcp *m, symbi_err *err)
{
    if (m->relists++ == MAX_RELISTS) LIES(m, "MCP server '%.*s' changes its list faster than it can be read", SERVER(m));
    else sy_mcp_start_list(m);
    return symbi_mcp_failure(m, err);
}

symbi_status symbi_mcp_judge(symbi_mcp *m, symbi_str record, symbi_str key_pem, int64_t now_ms, symbi_text *changed, symbi_err *err)
{
    symbi_err e = { 0 };
    symbi_status st;
    memset(changed, 0, sizeof *changed);
    symbi_err_clear(err);
    if (m->job != J_CALL || m->phase != P_JUDGE) return sy_fail(err, SYMBI_ESTATE, "there is nothing to judge");
    if (m->changed) return look_again(m, err);
    st = sy_mcp_judge(m->cx, &m->s, record, key_pem, symbi_doc_root(m->def), now_ms, changed, &e);
    if (st) {
        symbi_text_free(changed);
        memset(changed, 0, sizeof *changed);
        if (err) *err = e;
        sy_mcp_fail(m, false, st, "%s", e.msg);
        return st;
    }
    if (m->njudged == MAX_JUDGED) sy_mcp_forget_judged(m);
    m->judged[m->njudged++] = (judged){ symbi_doc_ref(m->def), m->fresh_until };
    sy_mcp_start_call(m);
    return symbi_mcp_failure(m, err);
}

const symbi_value *symbi_mcp_result(const symbi_mcp *m) { return m->job == J_DONE ? m->value : NULL; }
symbi_str symbi_mcp_version(const symbi_mcp *m) { return m->version ? symbi_str_z(m->version) : SY_LIT(""); }
symbi_str symbi_mcp_session(const symbi_mcp *m) { return m->session.n ? sy_buf_str(&m->session) : SY_LIT(""); }
