/* state/memory_write.c: contexts into memory files and day logs; names of agents into names of folders. */
#include "state/memory_text.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "base/utf8.h"
#include "codec/fold.h"
#include "symbi/json.h"

#include <stdio.h>

/* ---- what a context must look like ---- */

static symbi_status wrong(symbi_err *err, const char *path, const char *what)
{
    sy_fail(err, SYMBI_ESCHEMA, "%s", what);
    sy_err_path(err, symbi_str_z(path));
    return SYMBI_ESCHEMA;
}

static symbi_status check(const symbi_value *c, symbi_err *err)
{
    const symbi_value *v = symbi_value_getz(c, "agent_id");
    char path[64];
    if (!c || c->kind != SYMBI_OBJECT) return wrong(err, "", "a memory context must be an object with agent_id, facts, procedures and learned_patterns");
    if (!v || v->kind != SYMBI_STRING || !sy_utf8_valid(v->u.s, NULL)) return wrong(err, "/agent_id", "must be text (valid UTF-8)");
    for (int k = 0; k < SY_MEMORY_SECTIONS; k++) {
        v = symbi_value_getz(c, sy_memory_member[k]);
        snprintf(path, sizeof path, "/%s", sy_memory_member[k]);
        if (!v || v->kind == SYMBI_NULL) continue;
        if (v->kind == SYMBI_OBJECT && !v->u.o.n) continue; /* an empty table of Lua */
        if (v->kind != SYMBI_ARRAY) return wrong(err, path, "must be a list of texts");
        for (size_t i = 0; i < v->u.a.n; i++) {
            if (v->u.a.items[i].kind == SYMBI_STRING && sy_utf8_valid(v->u.a.items[i].u.s, NULL)) continue;
            snprintf(path, sizeof path, "/%s/%lu", sy_memory_member[k], (unsigned long)i);
            return wrong(err, path, "must be text (valid UTF-8)");
        }
    }
    v = symbi_value_getz(c, "metadata");
    if (!v || v->kind == SYMBI_NULL || (v->kind == SYMBI_ARRAY && !v->u.a.n)) return SYMBI_OK;
    if (v->kind != SYMBI_OBJECT) return wrong(err, "/metadata", "must be an object of texts");
    for (size_t i = 0; i < v->u.o.n; i++)
        if (v->u.o.members[i].val.kind != SYMBI_STRING) return wrong(err, "/metadata", "must be an object of texts");
    return SYMBI_OK;
}

static size_t count(const symbi_value *c, int k)
{
    const symbi_value *v = symbi_value_getz(c, sy_memory_member[k]);
    return v && v->kind == SYMBI_ARRAY ? v->u.a.n : 0;
}

static symbi_str item(const symbi_value *c, int k, size_t i) { return symbi_value_getz(c, sy_memory_member[k])->u.a.items[i].u.s; }

/* ---- escapes ---- */

/* True when the plain layout would give s back as it is. */
static bool survives(symbi_str s, bool title)
{
    uint32_t cp = 0;
    for (size_t i = 0, n; i < s.n; i += n) {
        n = sy_utf8_next(s.p + i, s.n - i, &cp);
        if (!n || sy_memory_line_end(cp)) return false;
    }
    return title || (s.n && !sy_memory_blank(cp, true));
}

static void put_escaped(sy_buf *b, symbi_str s, bool is_title)
{
    uint32_t cp;
    if (!s.n && !is_title) sy_buf_addz(b, "\\&");
    for (size_t i = 0, n; i < s.n; i += n) {
        n = sy_utf8_next(s.p + i, s.n - i, &cp);
        if (cp == '\\') sy_buf_addz(b, "\\\\");
        else if (cp == '\n') sy_buf_addz(b, "\\n");
        else if (cp == '\r') sy_buf_addz(b, "\\r");
        else if (sy_memory_line_end(cp) || (i + n == s.n && sy_memory_blank(cp, true))) sy_buf_addf(b, "\\u%04x", (unsigned)cp);
        else sy_buf_add(b, s.p + i, n);
    }
}

static bool needs_escapes(const symbi_value *c)
{
    if (!survives(symbi_value_str(c, "agent_id", SY_LIT("")), true)) return true;
    for (int k = 0; k < SY_MEMORY_SECTIONS; k++)
        for (size_t i = 0, n = count(c, k); i < n; i++)
            if (!survives(item(c, k, i), false)) return true;
    return false;
}

/* The metadata as the last line: "-->" cannot occur inside, since '>' is written as an escape. */
static symbi_status put_metadata(symbi_ctx *cx, sy_buf *b, const symbi_value *m, symbi_err *err)
{
    symbi_text json;
    symbi_status st;
    if (!m || m->kind != SYMBI_OBJECT || !m->u.o.n) return SYMBI_OK;
    st = symbi_json_write(cx, m, SYMBI_JSON_CANONICAL, &json, err);
    if (st) return st;
    sy_buf_addz(b, "\n" SY_MEMORY_META);
    for (size_t i = 0; i < json.n; i++) {
        unsigned char c = (unsigned char)json.p[i];
        uint32_t cp = 0;
        size_t n = c < 0x80 ? 1 : sy_utf8_next(json.p + i, json.n - i, &cp);
        if (c == '>' || c == '<') sy_buf_addf(b, "\\u%04x", c);
        else if (cp && sy_memory_line_end(cp)) sy_buf_addf(b, "\\u%04x", (unsigned)cp);
        else sy_buf_add(b, json.p + i, n ? n : 1);
        i += n ? n - 1 : 0;
    }
    sy_buf_addz(b, " -->\n");
    symbi_text_free(&json);
    return SYMBI_OK;
}

symbi_status symbi_memory_write(symbi_ctx *cx, const symbi_value *context, symbi_memory_form form, int64_t updated_ms, symbi_text *out, symbi_err *err)
{
    symbi_status st = check(context, err);
    bool escape;
    sy_buf b;
    symbi_str title;
    memset(out, 0, sizeof *out);
    if (st) return st;
    escape = form == SYMBI_MEMORY_AUTO && needs_escapes(context);
    title = symbi_value_str(context, "agent_id", SY_LIT(""));
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    sy_buf_addz(&b, "# Agent Memory: ");
    if (escape) put_escaped(&b, title, true);
    else sy_buf_adds(&b, title);
    sy_buf_addc(&b, '\n');
    if (form == SYMBI_MEMORY_RUNTIME) {
        char t[SY_RFC3339_MS];
        sy_time_rfc3339(updated_ms, t);
        sy_buf_addf(&b, "Updated: %.19sZ\n", t);
    }
    if (escape) sy_buf_addz(&b, SY_MEMORY_MARK "\n");
    for (int k = 0; k < SY_MEMORY_SECTIONS; k++) {
        size_t n = count(context, k);
        if (form == SYMBI_MEMORY_RUNTIME && !n) continue;
        sy_buf_addf(&b, "\n## %s\n", sy_memory_title[k]);
        for (size_t i = 0; i < n; i++) {
            sy_buf_addz(&b, "- ");
            if (escape) put_escaped(&b, item(context, k, i), false);
            else sy_buf_adds(&b, item(context, k, i));
            sy_buf_addc(&b, '\n');
        }
    }
    if (form == SYMBI_MEMORY_AUTO) st = put_metadata(cx, &b, symbi_value_getz(context, "metadata"), err);
    if (st) {
        sy_buf_free(&b);
        return st;
    }
    return sy_buf_take(&b, out, "the memory file", err);
}

symbi_status symbi_memory_log_entry(symbi_ctx *cx, const symbi_value *context, symbi_memory_form form, int64_t now_ms, char day[11], symbi_text *out, symbi_err *err)
{
    symbi_status st = check(context, err);
    char t[SY_RFC3339_MS];
    sy_buf b;
    memset(out, 0, sizeof *out);
    if (st) return st;
    sy_time_rfc3339(now_ms, t);
    memcpy(day, t, 10);
    day[10] = 0;
    sy_buf_init(&b, cx->alloc, 4096);
    if (form == SYMBI_MEMORY_RUNTIME) {
        sy_buf_addf(&b, "### %.19sZ\n- Memory items: %lu\n- Knowledge items: %lu\n\n", t, (unsigned long)(count(context, 0) + count(context, 1)), (unsigned long)count(context, 2));
    } else {
        sy_buf_addf(&b, "### Update at %.8s\n", t + 11);
        for (int k = 0; k < SY_MEMORY_SECTIONS; k++) sy_buf_addf(&b, "- %s: %lu\n", sy_memory_title[k], (unsigned long)count(context, k));
    }
    return sy_buf_take(&b, out, "the day log", err);
}

/* ---- names ---- */

symbi_status symbi_memory_key(symbi_str agent, char key[SYMBI_MEMORY_KEY_BYTES], symbi_err *err)
{
    size_t n = 0;
    uint32_t cp;
    key[0] = 0;
    if (!agent.n) return sy_fail(err, SYMBI_EINVAL, "the agent's name is empty");
    if (agent.p[0] == '.') return sy_fail(err, SYMBI_EINVAL, "the agent's name \"%.*s\" begins with a dot", SY_FMT(agent));
    if (memchr(agent.p, '/', agent.n) || memchr(agent.p, '\\', agent.n))
        return sy_fail(err, SYMBI_EINVAL, "the agent's name \"%.*s\" holds a path separator; it names one folder", SY_FMT(agent));
    for (size_t i = 0, k; i < agent.n; i += k) {
        unsigned char c = (unsigned char)agent.p[i];
        bool plain;
        k = c < 0x80 ? 1 : sy_utf8_next(agent.p + i, agent.n - i, &cp);
        plain = c < 0x80 ? c >= 0x20 && c != 0x7f && c != '%' : k != 0;
        if (!k) k = 1;
        if (n + (plain ? k : 3) >= SYMBI_MEMORY_KEY_BYTES) return sy_fail(err, SYMBI_EINVAL, "the agent's name is longer than 255 bytes");
        if (plain) memcpy(key + n, agent.p + i, k), n += k;
        else snprintf(key + n, 4, "%%%02X", c), n += 3;
    }
    key[n] = 0;
    return SYMBI_OK;
}

bool symbi_memory_agent(symbi_str key, char agent[SYMBI_MEMORY_KEY_BYTES], size_t *n)
{
    char again[SYMBI_MEMORY_KEY_BYTES];
    size_t k = 0;
    if (key.n >= SYMBI_MEMORY_KEY_BYTES) return false;
    for (size_t i = 0; i < key.n; i++) {
        unsigned v;
        char two[3] = { 0 };
        if (key.p[i] != '%') {
            agent[k++] = key.p[i];
            continue;
        }
        if (key.n - i < 3) return false;
        memcpy(two, key.p + i + 1, 2);
        if (sscanf(two, "%2X", &v) != 1) return false;
        agent[k++] = (char)v;
        i += 2;
    }
    *n = k;
    return symbi_memory_key((symbi_str){ agent, k }, again, NULL) == SYMBI_OK && strlen(again) == key.n && !memcmp(again, key.p, key.n);
}

symbi_status symbi_memory_fold(symbi_ctx *cx, symbi_str text, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    memset(out, 0, sizeof *out);
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    sy_fold(&b, text);
    return sy_buf_take(&b, out, "the folded text", err);
}
