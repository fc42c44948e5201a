/* Fuzz target: what an MCP server may send, its registry, and the record of approvals. First byte: 'p' pieces from a pipe, 'h' HTTP answers, 'r' an
 * mcp-config.toml, 'd' a record and a definition, one NUL between them. Pieces and answers end with a NUL; an answer's first byte is its status
 * (2: 200, 1: 400, 4: 404, 5: 503, b: the connection breaks after what follows). 'x': a definition and arguments, one NUL between them.
 * Whatever comes: a job ends or waits, a call goes out only after a judgement, and again only where the server said by HTTP that it did nothing, a
 * failure has a message, there are at most two last words, and no header holds a control character. */
#include "base/ctx.h"
#include "symbi/json.h"
#include "symbi/mcp.h"
#include "toolclad/mcp_in.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static symbi_str take_piece(symbi_str *in)
{
    const char *nul = in->n ? memchr(in->p, 0, in->n) : NULL;
    symbi_str s = { in->p, nul ? (size_t)(nul - in->p) : in->n };
    in->p += s.n + (nul ? 1 : 0);
    in->n -= s.n + (nul ? 1 : 0);
    return s;
}

static int headers_are_clean(const symbi_mcp_message *msg)
{
    for (size_t i = 0; i < msg->nheaders; i++)
        for (int k = 0; k < 2; k++) {
            symbi_str s = k ? msg->headers[i].value : msg->headers[i].name;
            for (size_t j = 0; j < s.n; j++)
                if ((unsigned char)s.p[j] < 0x20 || (unsigned char)s.p[j] > 0x7e) return 0;
        }
    return 1;
}

static symbi_plan *plan_for(symbi_ctx *cx)
{
    static const char text[] = "[tool]\nname='t'\nversion='1'\ndescription='d'\n[mcp]\nserver='s'\ntool='up'\n[output]\nformat='json'\n";
    symbi_plan_options o = { 0 };
    const symbi_value none = { .kind = SYMBI_OBJECT };
    symbi_tool *t;
    symbi_plan *p;
    o.scan_id = symbi_str_z("id");
    must(!symbi_tool_parse(cx, symbi_str_z(text), symbi_str_z("t"), &t, NULL));
    must(!symbi_tool_plan(cx, t, &none, &o, &p, NULL));
    symbi_tool_unref(t);
    return p;
}

static void talk(symbi_ctx *cx, symbi_str in, int http)
{
    symbi_mcp_registry *r;
    symbi_mcp *m;
    symbi_plan *p = plan_for(cx);
    int calls = 0, judged = 0, jobs = 0;
    must(!symbi_mcp_registry_parse(cx, symbi_str_z(http ? "[servers.s]\nurl='https://a.example/'\ntrust='first-use'\n" : "[servers.s]\ncommand='x'\ntrust='first-use'\n"), symbi_str_z("c"), &r, NULL));
    must(!symbi_mcp_new(cx, r, symbi_str_z("s"), 4096, &m, NULL));
    must(!symbi_mcp_call(m, p, NULL));
    for (int steps = 0; steps < 100000; steps++) {
        symbi_mcp_want w = symbi_mcp_next(m);
        symbi_mcp_message msg;
        symbi_err e;
        if (w == SYMBI_MCP_DONE || w == SYMBI_MCP_FAILED) {
            if (w == SYMBI_MCP_FAILED) must(symbi_mcp_failure(m, &e) && e.msg[0]);
            else must(symbi_mcp_result(m) != NULL);
            if (symbi_mcp_broken(m)) {
                must(symbi_mcp_list(m, NULL) == SYMBI_ESTATE);
                break;
            }
            if (++jobs == 3) break;
            calls = 0;
            if (symbi_mcp_call(m, p, NULL)) break;
        } else if (w == SYMBI_MCP_SEND) {
            symbi_str piece;
            symbi_doc *d;
            if (symbi_mcp_take(m, &msg, &e)) {
                must(http && symbi_mcp_next(m) == SYMBI_MCP_FAILED);
                continue;
            }
            must(headers_are_clean(&msg));
            d = NULL;
            must(msg.method[0] == 'G' ? http && !msg.body.n && msg.wants_answer : !symbi_json_parse(cx, msg.body, &d, &e));
            if (d && symbi_value_str(symbi_doc_root(d), "method", symbi_str_z("")).n == 10 && !memcmp(symbi_value_str(symbi_doc_root(d), "method", symbi_str_z("")).p, "tools/call", 10)) {
                must(judged);
                must(++calls == 1 || http); /* HTTP: once more in a new session, where 404 said that nothing was done, and with other headers, where 400 did */
                must(calls <= 3);
            }
            symbi_doc_unref(d);
            if (!http) continue;
            piece = take_piece(&in);
            if (!msg.wants_answer) {
                symbi_mcp_http_end(m, 202, NULL, 0, symbi_str_z(""));
            } else {
                symbi_mcp_pair h = { symbi_str_z("Mcp-Session-Id"), { "s", 1 } };
                char how = piece.n ? piece.p[0] : '2';
                int status = how == '1' ? 400 : how == '4' ? 404 : how == '5' ? 503 : 200;
                symbi_str body = { piece.p + (piece.n ? 1 : 0), piece.n - (piece.n ? 1 : 0) };
                if (status == 200) {
                    size_t half = body.n / 2;
                    symbi_mcp_feed(m, (symbi_str){ body.p, half });
                    symbi_mcp_feed(m, (symbi_str){ body.p + half, body.n - half });
                    while (symbi_mcp_next(m) == SYMBI_MCP_SEND && !symbi_mcp_answered(m)) must(!symbi_mcp_take(m, &msg, &e) && !msg.wants_answer);
                }
                if (how == 'b') symbi_mcp_http_broken(m, SYMBI_EIO, symbi_str_z("broken"));
                else symbi_mcp_http_end(m, status, &h, 1, status == 200 ? symbi_str_z("") : body);
            }
        } else if (w == SYMBI_MCP_JUDGE) {
            symbi_text changed;
            must(symbi_mcp_definition(m) != NULL);
            if (!symbi_mcp_judge(m, symbi_str_z(""), symbi_str_z(""), 0, &changed, &e)) judged = 1;
            symbi_text_free(&changed);
        } else {
            must(!http && w == SYMBI_MCP_RECEIVE);
            if (!in.n) {
                symbi_mcp_lost(m, SYMBI_EIO, symbi_str_z("over"));
                continue;
            }
            symbi_mcp_feed(m, take_piece(&in));
        }
    }
    {
        symbi_mcp_message msg;
        int words = 0;
        while (symbi_mcp_part(m, &msg)) must(++words <= 2 && headers_are_clean(&msg));
        must(symbi_mcp_broken(m));
    }
    symbi_mcp_free(m);
    symbi_mcp_registry_unref(r);
    symbi_plan_unref(p);
}

static void params(symbi_ctx *cx, symbi_str in)
{
    symbi_str def = take_piece(&in);
    symbi_mcp_pair out[SY_MCP_MAX_PARAMS];
    symbi_doc *d = NULL, *args = NULL;
    symbi_mcp_message msg = { 0 };
    sy_arena a;
    symbi_err e;
    sy_arena_init(&a, cx->alloc, 0);
    if (!symbi_json_parse(cx, def, &d, NULL) && !symbi_json_parse(cx, in, &args, NULL)) {
        symbi_status checked = sy_mcp_params_check(symbi_doc_root(d), &e), made = sy_mcp_params_make(symbi_doc_root(d), symbi_doc_root(args), &a, out, &msg.nheaders, &e);
        must(made || !checked); /* what the check refuses is never made */
        msg.headers = out;
        must(made || headers_are_clean(&msg));
    }
    symbi_doc_unref(d);
    symbi_doc_unref(args);
    sy_arena_free(&a);
}

static void registry(symbi_ctx *cx, symbi_str in)
{
    symbi_mcp_registry *r;
    symbi_mcp_server s;
    symbi_err e;
    symbi_status st = symbi_mcp_registry_parse(cx, in, symbi_str_z("c"), &r, &e);
    if (st) {
        must(!r && e.msg[0]);
        return;
    }
    for (size_t i = 0; symbi_mcp_registry_at(r, i, &s); i++) {
        must((s.command.n > 0) != (s.url.n > 0));
        must(symbi_mcp_registry_find(r, s.name, &s));
    }
    symbi_mcp_registry_unref(r);
}

static void record(symbi_ctx *cx, symbi_str in)
{
    symbi_str text = take_piece(&in);
    symbi_mcp_standing st;
    symbi_text out, again;
    symbi_doc *d;
    size_t n;
    if (symbi_json_parse(cx, in, &d, NULL)) return;
    if (!symbi_mcp_compare(cx, text, symbi_str_z("s"), symbi_doc_root(d), &st, &out, NULL)) {
        must((st == SYMBI_MCP_CHANGED) == (out.n > 0));
        symbi_text_free(&out);
    }
    if (!symbi_mcp_approve(cx, text, symbi_str_z("s"), symbi_doc_root(d), symbi_str_z("me"), 0, &out, NULL)) {
        must(!symbi_mcp_compare(cx, symbi_text_str(&out), symbi_str_z("s"), symbi_doc_root(d), &st, NULL, NULL) && st == SYMBI_MCP_APPROVED);
        must(!symbi_mcp_forget(cx, symbi_text_str(&out), symbi_str_z("s"), symbi_str_z(""), &n, &again, NULL) && n >= 1);
        must(!symbi_mcp_compare(cx, symbi_text_str(&again), symbi_str_z("s"), symbi_doc_root(d), &st, NULL, NULL) && st == SYMBI_MCP_UNKNOWN);
        symbi_text_free(&again);
        symbi_text_free(&out);
    }
    symbi_doc_unref(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_ctx *cx;
    symbi_str in = { (const char *)data + 1, size - 1 };
    if (!size || symbi_ctx_new(NULL, &cx, NULL)) return 0;
    if (data[0] == 'p' || data[0] == 'h') talk(cx, in, data[0] == 'h');
    else if (data[0] == 'r') registry(cx, in);
    else if (data[0] == 'd') record(cx, in);
    else if (data[0] == 'x') params(cx, in);
    symbi_ctx_free(cx);
    return 0;
}
