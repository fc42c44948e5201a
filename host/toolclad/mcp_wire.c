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

/* Where the stream stands, should it break off. An id that cannot be a header, or is too long, is as good as none. */
static void note_position(symbi_mcp *m)
{
    symbi_str id;
    if (symbi_sse_retry_ms(m->sse) >= 0) m->retry_ms = symbi_sse_retry_ms(m->sse);
    if (!symbi_sse_last_id(m->sse, &id)) return;
    sy_buf_clear(&m->event_id);
    if (id.n > MAX_EVENT_ID) return;
    for (size_t i = 0; i < id.n; i++)
        if ((unsigned char)id.p[i] < 0x20 || (unsigned char)id.p[i] > 0x7e) return;
    sy_buf_adds(&m->event_id, id);
    if (sy_buf_status(&m->event_id)) sy_mcp_nomem(m);
}

static void events(symbi_mcp *m, symbi_str bytes)
{
    symbi_sse_event ev;
    symbi_err e;
    while (bytes.n && !m->broken) {
        symbi_status st = symbi_sse_next(m->sse, &bytes, &ev, &e);
        if (st == SYMBI_EAGAIN) break;
        if (st) {
            sy_mcp_fail(m, true, st, "MCP server '%.*s': its event stream: %s", SERVER(m), e.msg);
            return;
        }
        if (ev.data.n && (!ev.event.n || sy_str_eqz(ev.event, "message"))) sy_mcp_message(m, ev.data);
    }
    if (!m->broken) note_position(m);
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
        if (m->sniffed == 1 && m->taken.way == W_RESUME) LIES(m, "MCP server '%.*s' was asked for the rest of a stream and sent something else", SERVER(m));
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

static bool is_open(const symbi_mcp *m) { return m->taken.wants_answer && m->open_id && m->open_id == m->taken.id; }
static bool is_init(const symbi_mcp *m) { return m->taken.wants_answer && !strcmp(m->taken.method, "initialize"); }

static void ended_well(symbi_mcp *m, const symbi_mcp_pair *headers, size_t n)
{
    bool stream = m->sniffed == 2 || m->taken.way == W_RESUME;
    if (is_init(m)) { /* before the answer is acted on: what it sets off goes out with the session's id */
        symbi_str s = header(headers, n, "mcp-session-id");
        if (s.n) keep_session(m, s);
    }
    if (m->sniffed == 1 && m->taken.wants_answer && !m->broken) {
        symbi_str text = sy_buf_str(&m->in);
        sy_mcp_message(m, text);
    }
    sy_mcp_end_reading(m);
    if (is_open(m) && !(stream && sy_mcp_go_on(m))) LIES(m, "MCP server '%.*s' ended its answer without having answered", SERVER(m));
}

/* The rest of a stream cannot be had now. A request is never sent again for that: it may have been carried out. */
static void not_resumed(symbi_mcp *m, int status)
{
    bool passing = status == 429 || status == 500 || (status >= 502 && status <= 504);
    if (passing && sy_mcp_go_on(m)) return;
    LIES(m, "MCP server '%.*s' broke off its answer and does not go on with it (HTTP status %d)", SERVER(m), status);
}

/* The error in the words of JSON-RPC, where there are any. */
static bool said_why(symbi_mcp *m, int status, symbi_str body)
{
    symbi_doc *d;
    sy_rpc r;
    symbi_err e;
    symbi_status st;
    bool told;
    if (!body.n || body.n > m->max_message || body.p[0] != '{') return false;
    if ((st = symbi_json_parse(m->cx, body, &d, &e))) {
        if (st == SYMBI_ENOMEM) sy_mcp_nomem(m);
        return st == SYMBI_ENOMEM;
    }
    told = !sy_rpc_read(symbi_doc_root(d), &r, &e) && r.kind == SY_RPC_ERROR && (!r.id || r.id->kind == SYMBI_NULL || sy_mcp_is_open(m, r.id));
    if (told) {
        m->open_id = m->unanswered = 0;
        sy_mcp_error(m, &r, status == 400);
    }
    symbi_doc_unref(d);
    return told;
}

void symbi_mcp_http_end(symbi_mcp *m, int status, const symbi_mcp_pair *headers, size_t n, symbi_str body)
{
    if (!m->in_http) return;
    if (status >= 200 && status < 300) {
        ended_well(m, headers, n);
        return;
    }
    sy_mcp_end_reading(m);
    if (!m->taken.wants_answer || m->broken) return; /* a note that it did not want */
    if (m->taken.way == W_RESUME) {
        not_resumed(m, status);
        return;
    }
    m->unanswered = 0;
    if (begin_again(m, status) || said_why(m, status, body)) return;
    if (status == 400 && m->phase == P_INIT && !m->fell_forward) { /* a proxy may have said so, which has no words for it */
        sy_mcp_fall_forward(m, SY_LIT("HTTP status 400"));
        return;
    }
    LIES(m, "MCP server '%.*s' answered with HTTP status %d%s", SERVER(m), status,
         status == 401 || status == 403 ? " (headers in mcp-config.toml say who you are)" : status == 405 && m->phase == P_INIT ? " (is it the old transport, HTTP+SSE? That is not spoken here)" : "");
}

void symbi_mcp_http_broken(symbi_mcp *m, symbi_status code, symbi_str why)
{
    bool stream = m->sniffed == 2 || m->taken.way == W_RESUME, open = m->in_http && is_open(m);
    bool answered = m->in_http && m->taken.wants_answer && !open && !is_init(m);
    sy_mcp_end_reading(m);
    if (answered && !m->broken) return; /* what was still to come does not matter */
    if (code == SYMBI_EIO && open && stream && !is_init(m) && sy_mcp_go_on(m)) return;
    symbi_mcp_lost(m, code, why);
}
