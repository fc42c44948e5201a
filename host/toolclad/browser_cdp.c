/* toolclad/browser_cdp.c: messages to the browser: each a text with an id of its own, in a queue until the driver has sent it. */
#include "base/str.h"
#include "symbi/crypto.h"
#include "toolclad/browser_in.h"

int64_t sy_cdp_begin(symbi_browser *b, const char *method, const sy_target *t)
{
    int64_t id = ++b->last_id;
    sy_buf_addf(&b->out, "{\"id\":%lld,\"method\":\"%s\",", (long long)id, method);
    if (t) sy_buf_addf(&b->out, "\"sessionId\":\"%s\",", t->session.s); /* an id has no character that JSON escapes */
    sy_buf_addz(&b->out, "\"params\":");
    return id;
}

void sy_cdp_z(symbi_browser *b, const char *raw) { sy_buf_addz(&b->out, raw); }
void sy_cdp_int(symbi_browser *b, int64_t i) { sy_buf_addi(&b->out, i); }

void sy_cdp_str(symbi_browser *b, symbi_str s)
{
    symbi_json_out o;
    symbi_json_out_init(b->cx, &o);
    symbi_json_out_string(&o, s);
    if (o.status == SYMBI_ENOMEM) {
        sy_buf_free(&b->out);
        b->out.status = SYMBI_ENOMEM;
    } else if (o.status) {
        sy_buf_addz(&b->out, "\"\"");
    } else {
        sy_buf_add(&b->out, o.p, o.n);
    }
    symbi_json_out_free(&o);
}

void sy_cdp_end(symbi_browser *b)
{
    sy_buf_addc(&b->out, '}');
    sy_buf_addc(&b->out, 0);
    if (sy_buf_status(&b->out) == SYMBI_ELIMIT) {
        sy_browser_end(b, "the browser does not take what it is told");
        sy_buf_clear(&b->out);
        b->out_at = 0;
    }
}

int64_t sy_cdp_simple(symbi_browser *b, const char *method, const sy_target *t, const char *params)
{
    int64_t id = sy_cdp_begin(b, method, t);
    sy_cdp_z(b, params);
    sy_cdp_end(b);
    return id;
}

symbi_str symbi_browser_out(const symbi_browser *b)
{
    symbi_str s = { NULL, 0 };
    if (b->out.status || b->out_at >= b->out.n) return s;
    s.p = b->out.p + b->out_at;
    s.n = strlen(s.p);
    return s;
}

void symbi_browser_sent(symbi_browser *b)
{
    symbi_str s = symbi_browser_out(b);
    if (!s.p) return;
    if (b->wipe) symbi_wipe(b->out.p + b->out_at, s.n);
    b->out_at += s.n + 1;
    if (b->out_at < b->out.n) return;
    sy_buf_clear(&b->out);
    b->out_at = 0;
    b->wipe = false;
}

int64_t sy_cdp_text(symbi_browser *b, const char *method, const sy_target *t, const char *head, symbi_str text, const char *tail)
{
    int64_t id = sy_cdp_begin(b, method, t);
    sy_cdp_z(b, head);
    sy_cdp_str(b, text);
    sy_cdp_z(b, tail);
    sy_cdp_end(b);
    return id;
}

bool sy_cdp_take_id(symbi_str s, sy_cdp_id *out)
{
    out->s[0] = 0;
    if (!s.n || s.n > SY_CDP_ID) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_')) return false;
    }
    memcpy(out->s, s.p, s.n);
    out->s[s.n] = 0;
    return true;
}

bool sy_cdp_is(const sy_cdp_id *id, symbi_str s) { return id->s[0] && sy_str_eqz(s, id->s); }
