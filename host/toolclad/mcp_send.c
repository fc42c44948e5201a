/* toolclad/mcp_send.c: what leaves a conversation: the next message with its headers, and the command line and environment of a server's
 * process. Secrets are put in here, at the last moment, and their values are not looked at again. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "symbi/crypto.h"
#include "toolclad/mcp_client.h"

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

static symbi_status make_headers(symbi_mcp *m, const outgoing *o, symbi_mcp_message *out, symbi_err *err)
{
    size_t n = 0;
    symbi_status st;
    m->headers[n++] = (symbi_mcp_pair){ SY_LIT("Content-Type"), SY_LIT("application/json") };
    m->headers[n++] = (symbi_mcp_pair){ SY_LIT("Accept"), SY_LIT("application/json, text/event-stream") };
    if (m->modern) {
        m->headers[n++] = (symbi_mcp_pair){ SY_LIT("MCP-Protocol-Version"), SY_LIT(SY_MCP_MODERN) };
        if (o->wants_answer) m->headers[n++] = (symbi_mcp_pair){ SY_LIT("Mcp-Method"), symbi_str_z(o->method) };
        if (o->wants_answer && !strcmp(o->method, "tools/call")) {
            symbi_str v = sy_mcp_header_value(&m->arena, sy_buf_str(&m->tool));
            if (!v.p) return sy_fail_nomem(err);
            m->headers[n++] = (symbi_mcp_pair){ SY_LIT("Mcp-Name"), v };
        }
    } else if (m->version) {
        m->headers[n++] = (symbi_mcp_pair){ SY_LIT("MCP-Protocol-Version"), symbi_str_z(m->version) };
    }
    if (m->session.n) m->headers[n++] = (symbi_mcp_pair){ SY_LIT("Mcp-Session-Id"), sy_buf_str(&m->session) };
    for (size_t i = 0; i < m->s.nheaders; i++) {
        m->headers[n].name = m->s.headers[i].name;
        if ((st = substitute(m, SY_LIT(""), m->s.headers[i].value, &m->headers[n].value, true, err))) return st;
        n++;
    }
    out->headers = m->headers;
    out->nheaders = n;
    return SYMBI_OK;
}

symbi_status symbi_mcp_take(symbi_mcp *m, symbi_mcp_message *out, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    outgoing *o;
    memset(out, 0, sizeof *out);
    symbi_err_clear(err);
    if (!m->nqueue) return sy_fail(err, SYMBI_ESTATE, "there is nothing to send");
    o = m->in_http && !m->queue[0].wants_answer ? &m->aside : &m->taken;
    sy_mcp_free_outgoing(m, o);
    *o = m->queue[0];
    memmove(m->queue, m->queue + 1, (m->nqueue - 1) * sizeof *m->queue);
    m->nqueue--;
    out->body = (symbi_str){ o->p, o->n };
    out->wants_answer = o->wants_answer;
    if (!sy_mcp_http(m)) return SYMBI_OK;
    out->body.n--; /* without the newline */
    sy_arena_reset(&m->arena);
    if ((st = make_headers(m, o, out, err))) {
        symbi_err e = { 0 };
        if (err) e = *err;
        sy_mcp_fail(m, true, st, "%s", e.msg);
        return st;
    }
    if (o == &m->aside) return SYMBI_OK;
    sy_mcp_end_reading(m);
    m->in_http = true;
    return SYMBI_OK;
}

symbi_status symbi_mcp_get_launch(symbi_mcp *m, const symbi_str *base_env, size_t n, symbi_mcp_launch *out, symbi_err *err)
{
    static const char *const pass[] = { "PATH", "HOME", "LANG", "TZ", "TMPDIR" };
    symbi_str *argv, *env;
    size_t k = 0;
    bool path = false;
    symbi_status st;
    memset(out, 0, sizeof *out);
    symbi_err_clear(err);
    if (sy_mcp_http(m)) return sy_fail(err, SYMBI_EUNSUPPORTED, "MCP server '%.*s' is reached over HTTP; there is nothing to start", SERVER(m));
    if (m->job != J_CALL && m->job != J_LIST) return sy_fail(err, SYMBI_ESTATE, "MCP server '%.*s' is started for a call, and there is none", SERVER(m));
    sy_arena_reset(&m->arena);
    argv = sy_arena_calloc(&m->arena, m->s.nargs + 1, sizeof *argv);
    env = sy_arena_calloc(&m->arena, MAX_LAUNCH + m->s.nenv + 1, sizeof *env);
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
        k++;
    }
    for (size_t i = 0; i < n && k < MAX_LAUNCH; i++) {
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
