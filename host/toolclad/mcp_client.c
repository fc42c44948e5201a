/* toolclad/mcp_client.c: one conversation with one MCP server, without the wire: what goes out next. The other side is not trusted: there is
 * one open request at a time, and whatever answers another one, answers twice, is no JSON, is too large or never ends, ends the
 * conversation with one error. A call goes out once; a second time only where the server said that it did nothing (the session was over, or
 * its headers were not the ones it wanted).
 *
 *   initialize (or, refused, server/discover) -> tools/list, page by page -> judge -> tools/call
 *
 * A later call of a tool that was judged in this conversation goes out at once, unless the server said that its list changed, or, where
 * servers do not tell (2026-07-28), its list is no longer fresh. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "toolclad/mcp_client.h"

/* ---- failing ---- */

/* What was listed so far. */
static void drop_list(symbi_mcp *m)
{
    for (size_t i = 0; i < m->npages; i++) symbi_doc_unref(m->pages[i].doc);
    m->npages = m->ntools = 0;
    symbi_doc_unref(m->def);
    m->def = NULL;
    sy_buf_free(&m->cursor);
    sy_buf_clear(&m->cursor);
}

void sy_mcp_drop_job(symbi_mcp *m)
{
    drop_list(m);
    m->messages = 0;
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
    sy_mcp_drop_job(m);
}

void sy_mcp_nomem(symbi_mcp *m) { sy_mcp_fail(m, true, SYMBI_ENOMEM, "%s", symbi_status_text(SYMBI_ENOMEM)); }

/* ---- the queue ---- */

void sy_mcp_free_outgoing(symbi_mcp *m, outgoing *o)
{
    sy_free(&m->cx->alloc, o->p, o->cap);
    memset(o, 0, sizeof *o);
}

void sy_mcp_clear_queue(symbi_mcp *m)
{
    for (size_t i = 0; i < m->nqueue; i++) sy_mcp_free_outgoing(m, &m->queue[i]);
    m->nqueue = 0;
}

/* Takes over what was written. */
static outgoing *queue(symbi_mcp *m, symbi_json_out *o, const char *method)
{
    outgoing *q = NULL;
    symbi_json_out_raw(o, SY_LIT("\n"));
    if (o->status == SYMBI_ENOMEM) sy_mcp_nomem(m);
    else if (o->status) sy_mcp_fail(m, true, o->status, "the message to MCP server '%.*s' cannot be written: %s", SERVER(m), symbi_status_text(o->status));
    else if (m->nqueue == MAX_QUEUE) LIES(m, "MCP server '%.*s' asks faster than its questions can be answered", SERVER(m));
    else {
        q = &m->queue[m->nqueue];
        memset(q, 0, sizeof *q); /* what stood there may have been of another kind */
        q->p = sy_alloc(&m->cx->alloc, o->n + 1);
        if (!q->p) {
            q = NULL;
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
    return q;
}

void sy_mcp_ask(symbi_mcp *m, const char *method)
{
    symbi_json_out o;
    int64_t id = ++m->last_id;
    symbi_json_out_init(m->cx, &o);
    if (!strcmp(method, "initialize")) sy_rpc_initialize(&o, id);
    else if (!strcmp(method, "tools/list")) sy_rpc_list(&o, id, sy_buf_str(&m->cursor), m->modern);
    else if (!strcmp(method, "tools/call")) sy_rpc_call(&o, id, sy_buf_str(&m->tool), sy_buf_str(&m->args), symbi_str_z(m->trace), m->modern);
    else sy_rpc_simple(&o, id, method, m->modern);
    m->open_id = id;
    sy_buf_clear(&m->event_id);
    m->retry_ms = -1;
    (void)queue(m, &o, method);
}

void sy_mcp_note(symbi_mcp *m, const char *method)
{
    symbi_json_out o;
    symbi_json_out_init(m->cx, &o);
    sy_rpc_note(&o, method);
    (void)queue(m, &o, "");
}

void sy_mcp_reply(symbi_mcp *m, const sy_rpc *question)
{
    symbi_text id = { 0 };
    symbi_json_out o;
    outgoing *q;
    symbi_err e;
    symbi_status st = symbi_json_write(m->cx, question->id, 0, &id, &e);
    if (st) {
        sy_mcp_fail(m, true, st, "%s", e.msg);
        return;
    }
    symbi_json_out_init(m->cx, &o);
    if (sy_str_eqz(question->method, "ping")) sy_rpc_pong(&o, symbi_text_str(&id));
    else sy_rpc_refuse(&o, symbi_text_str(&id), question->method);
    q = queue(m, &o, "");
    if (q) q->reply_n = id.n;
    symbi_text_free(&id);
}

/* Only where the server gave the stream's events ids, and a revision whose streams can be gone on with. */
bool sy_mcp_go_on(symbi_mcp *m)
{
    outgoing *q = &m->queue[m->nqueue];
    if (m->modern || m->broken || !m->open_id || !m->event_id.n || m->resumes == MAX_RESUMES || m->nqueue == MAX_QUEUE) return false;
    m->resumes++;
    memset(q, 0, sizeof *q);
    q->wants_answer = true;
    q->way = W_RESUME;
    q->method = "";
    q->id = m->open_id;
    q->after_ms = m->retry_ms >= 0 ? m->retry_ms : RETRY_MS;
    m->nqueue++;
    return true;
}

/* ---- one thing after the other ---- */

void sy_mcp_start_list(symbi_mcp *m)
{
    m->phase = P_LIST;
    m->changed = false;
    m->fresh_until = INT64_MAX;
    drop_list(m);
    sy_mcp_ask(m, "tools/list");
}

void sy_mcp_start_call(symbi_mcp *m)
{
    m->phase = P_CALL;
    sy_mcp_ask(m, "tools/call");
}

static const judged *find_judged(const symbi_mcp *m, symbi_str tool)
{
    for (size_t i = 0; i < m->njudged; i++)
        if (sy_str_eq(symbi_value_str(symbi_doc_root(m->judged[i].def), "name", SY_LIT("")), tool)) return &m->judged[i];
    return NULL;
}

const symbi_value *sy_mcp_judged(const symbi_mcp *m, symbi_str tool)
{
    const judged *j = find_judged(m, tool);
    return j ? symbi_doc_root(j->def) : NULL;
}

void sy_mcp_forget_judged(symbi_mcp *m)
{
    for (size_t i = 0; i < m->njudged; i++) symbi_doc_unref(m->judged[i].def);
    m->njudged = 0;
}

void sy_mcp_proceed(symbi_mcp *m)
{
    const judged *j;
    if (m->phase == P_FRESH) {
        m->phase = P_INIT;
        sy_mcp_ask(m, "initialize");
        return;
    }
    j = m->job == J_CALL && !m->changed ? find_judged(m, sy_buf_str(&m->tool)) : NULL;
    if (j && (!m->modern || symbi_ctx_mono_ms(m->cx) < j->fresh_until)) {
        sy_mcp_start_call(m);
        return;
    }
    if (m->changed || j) sy_mcp_forget_judged(m);
    sy_mcp_start_list(m);
}

void sy_mcp_restart(symbi_mcp *m)
{
    m->restarted = true;
    m->open_id = m->unanswered = 0;
    sy_mcp_clear_queue(m);
    sy_mcp_forget_judged(m);
    sy_mcp_drop_job(m);
    sy_buf_clear(&m->session);
    m->version = NULL;
    m->phase = P_FRESH;
    sy_mcp_proceed(m);
}

void sy_mcp_fall_forward(symbi_mcp *m, symbi_str said)
{
    (void)sy_fail(&m->why, SYMBI_EIO, "MCP server '%.*s' refused to begin: %.*s", SERVER(m), SY_FMT(said));
    m->fell_forward = m->modern = true;
    m->phase = P_DISCOVER;
    sy_mcp_ask(m, "server/discover");
}
