/* toolclad/mcp_wire.c: from bytes to messages: lines from a pipe, the JSON or the event stream of an HTTP answer, and what its status and headers
 * say. Bounded by max_message; what is wrong ends the conversation. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "toolclad/mcp_client.h"

static bool take_in(symbi_mcp *m, symbi_str bytes)
{
    sy_buf_adds(&m->in, bytes);
    if (!sy_buf_status(&m->in)) return true;
    if (sy_buf_status(&m->in) == SYMBI_ENOMEM) sy_mcp_nomem(m);
    else sy_mcp_fail(m, true, SYMBI_ELIMIT, "MCP server '%.*s' sent a message of more than %zu bytes", SERVER(m), m->max_message);
    sy_buf_free(&m->in);
    sy_buf_clear(&m->in);
    return false;
}

static void lines(symbi_mcp *m, symbi_str bytes)
{
    while (bytes.n && !m->broken) {
        const char *nl = memchr(bytes.p, '\n', bytes.n);
        size_t n = nl ? (size_t)(nl - bytes.p) : bytes.n;
        symbi_str line = { bytes.p, n };
        bool whole = nl && !m->in.n; /* the usual case, without a copy */
        if (whole && n > m->max_message) whole = false;
        if (!whole && !take_in(m, line)) return;
        bytes.p += n + (nl ? 1 : 0);
        bytes.n -= n + (nl ? 1 : 0);
        if (!nl) return;
        if (!whole) line = sy_buf_str(&m->in);
        if (line.n && line.p[line.n - 1] == '\r') line.n--;
        if (line.n) sy_mcp_message(m, line);
        if (!whole) {
            sy_buf_free(&m->in);
            sy_buf_clear(&m->in);
        }
    }
}

static void events(symbi_mcp *m, symbi_str bytes)
{
    symbi_sse_event ev;
    symbi_err e;
    while (bytes.n && !m->broken) {
        symbi_status st = symbi_sse_next(m->sse, &bytes, &ev, &e);
        if (st == SYMBI_EAGAIN) return;
        if (st) {
            sy_mcp_fail(m, true, st, "MCP server '%.*s': its event stream: %s", SERVER(m), e.msg);
            return;
        }
        if (ev.data.n && (!ev.event.n || sy_str_eqz(ev.event, "message"))) sy_mcp_message(m, ev.data);
    }
}

void symbi_mcp_feed(symbi_mcp *m, symbi_str bytes)
{
    symbi_err e;
    if (m->broken) return;
    if (!sy_mcp_http(m)) {
        lines(m, bytes);
        return;
    }
    if (!m->in_http) return;
    while (!m->sniffed && bytes.n) { /* JSON begins with a brace; no line of an event stream that means anything does */
        char c = bytes.p[0];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            bytes.p++, bytes.n--;
            continue;
        }
        m->sniffed = c == '{' || c == '[' ? 1 : 2;
        if (m->sniffed == 2 && symbi_sse_new(m->cx, m->max_message, &m->sse, &e)) sy_mcp_nomem(m);
    }
    if (!bytes.n || m->broken) return;
    if (m->sniffed == 1) (void)take_in(m, bytes);
    else events(m, bytes);
}

/* The answer to initialize is read to its end: the session's id stands in its headers. */
bool symbi_mcp_answered(const symbi_mcp *m)
{
    return m->broken || (m->taken.wants_answer && m->open_id != m->taken.id && strcmp(m->taken.method, "initialize") != 0);
}

static symbi_str header(const symbi_mcp_pair *h, size_t n, const char *low)
{
    size_t len = strlen(low);
    for (size_t i = 0; i < n; i++) {
        size_t k;
        if (h[i].name.n != len) continue;
        for (k = 0; k < len && (h[i].name.p[k] | 0x20) == low[k]; k++) { }
        if (k == len) return h[i].value;
    }
    return SY_LIT("");
}

static void keep_session(symbi_mcp *m, symbi_str id)
{
    for (size_t i = 0; i < id.n; i++)
        if ((unsigned char)id.p[i] < 0x21 || (unsigned char)id.p[i] > 0x7e || id.n > MAX_SESSION) {
            LIES(m, "MCP server '%.*s' gave a session id that cannot be one", SERVER(m));
            return;
        }
    sy_buf_clear(&m->session);
    sy_buf_adds(&m->session, id);
    if (sy_buf_status(&m->session)) sy_mcp_nomem(m);
}

/* 404 for a session that the server ended: nothing was done over there, so a new session may begin, once. */
static bool begin_again(symbi_mcp *m, int status)
{
    if (status != 404 || !m->session.n || m->restarted || m->job == J_FAILED) return false;
    sy_mcp_restart(m);
    return true;
}

void sy_mcp_end_reading(symbi_mcp *m)
{
    symbi_sse_free(m->sse);
    m->sse = NULL;
    m->sniffed = 0;
    m->in_http = false;
    sy_buf_free(&m->in);
    sy_buf_clear(&m->in);
}

void symbi_mcp_http_end(symbi_mcp *m, int status, const symbi_mcp_pair *headers, size_t n, symbi_str body)
{
    bool was_init = m->taken.wants_answer && !strcmp(m->taken.method, "initialize");
    if (!m->in_http) return;
    if (status >= 200 && status < 300) {
        if (was_init) { /* before the answer is acted on: what it sets off goes out with the session's id */
            symbi_str s = header(headers, n, "mcp-session-id");
            if (s.n) keep_session(m, s);
        }
        if (m->sniffed == 1 && m->taken.wants_answer && !m->broken) {
            symbi_str text = sy_buf_str(&m->in);
            sy_mcp_message(m, text);
        }
        sy_mcp_end_reading(m);
        if (m->taken.wants_answer && m->open_id == m->taken.id) LIES(m, "MCP server '%.*s' ended its answer without having answered", SERVER(m));
        return;
    }
    sy_mcp_end_reading(m);
    if (!m->taken.wants_answer) return; /* a note that it did not want */
    if (begin_again(m, status)) return;
    if (body.n && body.n <= m->max_message && body.p[0] == '{') { /* the error in the words of JSON-RPC */
        symbi_doc *d;
        sy_rpc r;
        symbi_err e;
        if (!symbi_json_parse(m->cx, body, &d, &e)) {
            bool told = !sy_rpc_read(symbi_doc_root(d), &r, &e) && r.kind == SY_RPC_ERROR && (!r.id || r.id->kind == SYMBI_NULL || sy_mcp_is_open(m, r.id));
            if (told) m->open_id = 0, sy_mcp_error(m, &r);
            symbi_doc_unref(d);
            if (told) return;
        }
    }
    LIES(m, "MCP server '%.*s' answered with HTTP status %d%s", SERVER(m), status, status == 401 || status == 403 ? " (headers in mcp-config.toml say who you are)" : "");
}

void symbi_mcp_lost(symbi_mcp *m, symbi_status code, symbi_str why)
{
    sy_mcp_fail(m, true, code, "%.*s", SY_FMT(why));
    m->broken = true;
}
