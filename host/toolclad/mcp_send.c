/* toolclad/mcp_send.c: what leaves a conversation: the next message with its headers, the last words, and the command line and environment of a
 * server's process. Secrets are put in here, at the last moment, and their values are not looked at again. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "symbi/crypto.h"
#include "toolclad/mcp_client.h"
#include "toolclad/types.h"

symbi_status symbi_mcp_set_secret(symbi_mcp *m, symbi_str name, symbi_str value, symbi_err *err)
{
    symbi_err_clear(err);
    for (size_t i = 0; i < m->s.nsecrets; i++) {
        sy_buf *b = &m->secrets[i].value;
        if (!sy_str_eq(m->secrets[i].name, name)) continue;
        if (b->p) symbi_wipe(b->p, b->cap);
        sy_buf_clear(b);
        if (!sy_buf_reserve(b, value.n + 1)) return sy_fail_nomem(err);
        sy_buf_adds(b, value);
        return sy_buf_status(b) ? sy_fail_nomem(err) : SYMBI_OK;
    }
    return sy_fail(err, SYMBI_ENOTFOUND, "MCP server '%.*s' names no secret '%.*s'", SERVER(m), SY_FMT(name));
}

static symbi_status substitute(symbi_mcp *m, symbi_str pre, symbi_str s, symbi_str *out, bool is_header, symbi_err *err)
{
    size_t at = 0, from = 0, begin, total = pre.n + s.n + 1;
    symbi_str name;
    char *p;
    while (sy_mcp_secret_next(s, &at, &begin, &name))
        for (size_t i = 0; i < m->s.nsecrets; i++)
            if (sy_str_eq(m->secrets[i].name, name)) total += m->secrets[i].value.n;
    p = sy_arena_alloc(&m->arena, total);
    if (!p) return sy_fail_nomem(err);
    out->p = p;
    if (pre.n) memcpy(p, pre.p, pre.n);
    p += pre.n;
    for (at = 0; sy_mcp_secret_next(s, &at, &begin, &name); from = at) {
        const secret *sec = NULL;
        for (size_t i = 0; i < m->s.nsecrets; i++)
            if (sy_str_eq(m->secrets[i].name, name)) sec = &m->secrets[i];
        if (!sec || !sec->value.p) return sy_fail(err, SYMBI_ENOTFOUND, "MCP server '%.*s': Secret '%.*s' not found (set TOOLCLAD_SECRET_%.*s)", SERVER(m), SY_FMT(name), SY_FMT(name));
        for (size_t i = 0; i < sec->value.n; i++)
            if (!sec->value.p[i] || (is_header && ((unsigned char)sec->value.p[i] < 0x20 || sec->value.p[i] == 0x7f)))
                return sy_fail(err, SYMBI_EINVAL, "MCP server '%.*s': the value of secret '%.*s' holds a control character", SERVER(m), SY_FMT(name));
        memcpy(p, s.p + from, begin - from);
        p += begin - from;
        memcpy(p, sec->value.p, sec->value.n);
        p += sec->value.n;
    }
    memcpy(p, s.p + from, s.n - from);
    p += s.n - from;
    *p = 0;
    out->n = (size_t)(p - out->p);
    return SYMBI_OK;
}

static void add_header(symbi_mcp *m, size_t *n, const char *name, symbi_str value)
{
    m->headers[(*n)++] = (symbi_mcp_pair){ symbi_str_z(name), value };
}

/* The arguments that the tool's definition wants in headers. */
static symbi_status add_params(symbi_mcp *m, size_t *n, symbi_err *err)
{
    symbi_doc *args;
    size_t added;
    symbi_status st = symbi_json_parse(m->cx, sy_buf_str(&m->args), &args, err);
    if (st) return st;
    st = sy_mcp_params_make(sy_mcp_judged(m, sy_buf_str(&m->tool)), symbi_doc_root(args), &m->arena, m->headers + *n, &added, err);
    symbi_doc_unref(args);
    *n += added;
    return st;
}

/* What a call has beside other requests. */
static symbi_status add_call(symbi_mcp *m, size_t *n, symbi_err *err)
{
    bool traced = !m->trace[0];
    if (m->modern) {
        symbi_str v = sy_mcp_header_value(&m->arena, sy_buf_str(&m->tool));
        symbi_status st;
        if (!v.p) return sy_fail_nomem(err);
        add_header(m, n, "Mcp-Name", v);
        if ((st = add_params(m, n, err))) return st;
    }
    for (size_t i = 0; i < m->s.nheaders; i++) traced = traced || sy_str_ieqz(m->s.headers[i].name, "traceparent");
    if (!traced) add_header(m, n, "traceparent", symbi_str_z(m->trace));
    return SYMBI_OK;
}

static symbi_status make_headers(symbi_mcp *m, const outgoing *o, symbi_mcp_message *out, symbi_err *err)
{
    size_t n = 0;
    symbi_status st;
    if (o->way == W_POST) add_header(m, &n, "Content-Type", SY_LIT("application/json"));
    if (o->way == W_POST) add_header(m, &n, "Accept", SY_LIT("application/json, text/event-stream"));
    if (o->way == W_RESUME) add_header(m, &n, "Accept", SY_LIT("text/event-stream"));
    if (o->way == W_RESUME) add_header(m, &n, "Last-Event-ID", sy_buf_str(&m->event_id));
    if (m->modern) add_header(m, &n, "MCP-Protocol-Version", SY_LIT(SY_MCP_MODERN));
    else if (m->version) add_header(m, &n, "MCP-Protocol-Version", symbi_str_z(m->version));
    if (m->modern && o->wants_answer) add_header(m, &n, "Mcp-Method", symbi_str_z(o->method));
    if (m->session.n) add_header(m, &n, "Mcp-Session-Id", sy_buf_str(&m->session));
    if (o->wants_answer && !strcmp(o->method, "tools/call") && (st = add_call(m, &n, err))) return st;
    for (size_t i = 0; i < m->s.nheaders; i++) {
        m->headers[n].name = m->s.headers[i].name;
        if ((st = substitute(m, SY_LIT(""), m->s.headers[i].value, &m->headers[n].value, true, err))) return st;
        n++;
    }
    out->headers = m->headers;
    out->nheaders = n;
    return SYMBI_OK;
}

/* The message as its carrier takes it. */
static symbi_status hand_out(symbi_mcp *m, const outgoing *o, symbi_mcp_message *out, symbi_err *err)
{
    static const char *const methods[] = { "POST", "GET", "DELETE" };
    out->body = (symbi_str){ o->p ? o->p : "", o->n };
    out->wants_answer = o->wants_answer;
    out->after_ms = o->after_ms;
    out->method = methods[o->way];
    if (!sy_mcp_http(m)) return SYMBI_OK;
    if (out->body.n) out->body.n--; /* without the newline */
    sy_arena_reset(&m->arena);
    return make_headers(m, o, out, err);
}

static bool may_be_cancelled(const symbi_mcp *m, const outgoing *o)
{
    return o->wants_answer && (o->way == W_RESUME ? m->unanswered != 0 : !strcmp(o->method, "tools/call") || !strcmp(o->method, "tools/list"));
}

symbi_status symbi_mcp_take(symbi_mcp *m, symbi_mcp_message *out, symbi_err *err)
{
    symbi_status st;
    outgoing *o;
    memset(out, 0, sizeof *out);
    symbi_err_clear(err);
    if (!m->nqueue) return sy_fail(err, SYMBI_ESTATE, "there is nothing to send");
    o = m->in_http && !m->queue[0].wants_answer ? &m->aside : &m->taken;
    sy_mcp_free_outgoing(m, o);
    *o = m->queue[0];
    memmove(m->queue, m->queue + 1, (m->nqueue - 1) * sizeof *m->queue);
    m->nqueue--;
    if ((st = hand_out(m, o, out, err))) {
        symbi_err e = { 0 };
        if (err) e = *err;
        sy_mcp_fail(m, true, st, "%s", e.msg);
        return st;
    }
    if (may_be_cancelled(m, o)) m->unanswered = o->id;
    if (!sy_mcp_http(m) || o == &m->aside) return SYMBI_OK;
    sy_mcp_end_reading(m);
    m->in_http = true;
    return SYMBI_OK;
}

/* ---- the last words ---- */

static bool write_cancelled(symbi_mcp *m, outgoing *o)
{
    symbi_json_out j;
    symbi_json_out_init(m->cx, &j);
    sy_rpc_cancelled(&j, m->unanswered, m->job == J_FAILED ? symbi_str_z(m->why.msg) : SY_LIT("given up"));
    symbi_json_out_raw(&j, SY_LIT("\n"));
    m->unanswered = 0;
    o->method = "";
    o->p = j.status ? NULL : sy_alloc(&m->cx->alloc, j.n + 1);
    if (o->p) {
        memcpy(o->p, j.p, j.n);
        o->p[j.n] = 0;
        o->n = j.n;
        o->cap = j.n + 1;
    }
    symbi_json_out_free(&j);
    return o->p != NULL;
}

bool symbi_mcp_part(symbi_mcp *m, symbi_mcp_message *out)
{
    outgoing *o = &m->taken;
    bool http = sy_mcp_http(m), ok;
    memset(out, 0, sizeof *out);
    if (!m->broken) sy_mcp_fail(m, true, SYMBI_EABORT, "the call to MCP server '%.*s' was given up", SERVER(m));
    m->broken = true;
    if (m->gone || (http && m->modern)) return false; /* there the end of the connection says it */
    sy_mcp_end_reading(m);
    sy_mcp_free_outgoing(m, o);
    if (m->unanswered) {
        ok = write_cancelled(m, o);
    } else {
        ok = http && m->session.n;
        o->way = W_DELETE;
        o->method = "";
    }
    if (ok && hand_out(m, o, out, NULL)) ok = false;
    if (o->way == W_DELETE) m->gone = true;
    return ok;
}

symbi_status symbi_mcp_get_launch(symbi_mcp *m, const symbi_str *base_env, size_t n, symbi_mcp_launch *out, symbi_err *err)
{
    static const char *const pass[] = { "PATH", "HOME", "LANG", "TZ", "TMPDIR" };
    symbi_str *argv, *env;
    size_t k = 0;
    bool path = false, traced = !m->trace[0];
    symbi_status st;
    memset(out, 0, sizeof *out);
    symbi_err_clear(err);
    if (sy_mcp_http(m)) return sy_fail(err, SYMBI_EUNSUPPORTED, "MCP server '%.*s' is reached over HTTP; there is nothing to start", SERVER(m));
    if (m->job != J_CALL && m->job != J_LIST) return sy_fail(err, SYMBI_ESTATE, "MCP server '%.*s' is started for a call, and there is none", SERVER(m));
    sy_arena_reset(&m->arena);
    argv = sy_arena_calloc(&m->arena, m->s.nargs + 1, sizeof *argv);
    env = sy_arena_calloc(&m->arena, MAX_LAUNCH + m->s.nenv + 2, sizeof *env);
    if (!argv || !env) return sy_fail_nomem(err);
    argv[0] = m->s.command;
    for (size_t i = 0; i < m->s.nargs; i++) argv[i + 1] = m->s.args[i];
    for (size_t i = 0; i < m->s.nenv; i++) { /* the operator's own words first: they stand for the host's */
        size_t nn = m->s.env[i].name.n;
        char *name = sy_arena_alloc(&m->arena, nn + 2);
        if (!name) return sy_fail_nomem(err);
        memcpy(name, m->s.env[i].name.p, nn);
        memcpy(name + nn, "=", 2);
        if ((st = substitute(m, (symbi_str){ name, nn + 1 }, m->s.env[i].value, &env[k], false, err))) return st;
        path = path || sy_str_eqz(m->s.env[i].name, "PATH");
        traced = traced || sy_str_eqz(m->s.env[i].name, "TRACEPARENT");
        k++;
    }
    if (!traced) { /* of the call that it is started for; each call has its own */
        char *p = sy_arena_alloc(&m->arena, sizeof "TRACEPARENT=" + SY_TRACEPARENT);
        if (!p) return sy_fail_nomem(err);
        strcpy(stpcpy(p, "TRACEPARENT="), m->trace);
        env[k++] = symbi_str_z(p);
    }
    for (size_t i = 0; i < n && k < m->s.nenv + MAX_LAUNCH; i++) {
        const char *eq = base_env[i].n ? memchr(base_env[i].p, '=', base_env[i].n) : NULL;
        symbi_str name;
        bool ok = false;
        if (!eq || memchr(base_env[i].p, 0, base_env[i].n) || !sy_utf8_valid(base_env[i], NULL)) continue;
        name = (symbi_str){ base_env[i].p, (size_t)(eq - base_env[i].p) };
        ok = sy_str_starts(name, SY_LIT("LC_"));
        for (size_t p = 0; p < sizeof pass / sizeof pass[0]; p++) ok = ok || sy_str_eqz(name, pass[p]);
        for (size_t p = 0; ok && p < k; p++) ok = !(env[p].n > name.n && !memcmp(env[p].p, name.p, name.n) && env[p].p[name.n] == '=');
        if (!ok) continue;
        if (m->plan && m->plan->box && sy_str_eqz(name, "TMPDIR")) continue; /* a folder of the host's: a box has a /tmp of its own */
        path = path || sy_str_eqz(name, "PATH");
        env[k++] = base_env[i];
    }
    if (!path) env[k++] = SY_LIT("PATH=/usr/local/bin:/usr/bin:/bin");
    out->argv = argv;
    out->argc = m->s.nargs + 1;
    out->env = env;
    out->nenv = k;
    out->cwd = m->s.cwd;
    out->box = m->plan && m->plan->box ? m->plan : NULL;
    if (!m->launched && m->plan) m->began = symbi_plan_ref(m->plan);
    m->launched = true;
    return SYMBI_OK;
}
