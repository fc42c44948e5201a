/* run/conv.c: storage of a conversation. One block per message keeps a run of thousands of turns at one allocation each and
 * makes windows cheap; the blocks are counted without atomics because a run belongs to one thread. */
#include "run/conv.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "run/conv_in.h"

#define KNOWLEDGE_PREFIX "[KNOWLEDGE_CONTEXT]\n"

const char *sy_role_name(sy_role r)
{
    switch (r) {
    case SY_ROLE_SYSTEM: return "system";
    case SY_ROLE_USER: return "user";
    case SY_ROLE_ASSISTANT: return "assistant";
    case SY_ROLE_TOOL: break;
    }
    return "tool";
}

/* ---- blocks ------------------------------------------------------------------------------------------------------- */

/* Length of s once every invalid byte is written as U+FFFD. */
static size_t clean_len(symbi_str s)
{
    size_t bad, n = 0;
    while (s.n && !sy_utf8_valid(s, &bad)) {
        if (__builtin_add_overflow(n, bad + 3, &n)) return SIZE_MAX;
        s.p += bad + 1;
        s.n -= bad + 1;
    }
    return __builtin_add_overflow(n, s.n, &n) ? SIZE_MAX : n;
}

static char *clean_put(char *d, symbi_str s)
{
    size_t bad;
    while (s.n && !sy_utf8_valid(s, &bad)) {
        if (bad) memcpy(d, s.p, bad);
        memcpy(d + bad, "\xef\xbf\xbd", 3);
        d += bad + 3;
        s.p += bad + 1;
        s.n -= bad + 1;
    }
    if (s.n) memcpy(d, s.p, s.n);
    return d + s.n;
}

static symbi_str place(char **d, symbi_str prefix, symbi_str s)
{
    symbi_str r = { *d, 0 };
    if (prefix.n) memcpy(*d, prefix.p, prefix.n);
    *d = clean_put(*d + prefix.n, s);
    r.n = (size_t)(*d - r.p);
    *(*d)++ = 0;
    return r;
}

/* Adds the room of one string and its NUL; false on overflow. */
static bool room(size_t *total, symbi_str s)
{
    size_t n = clean_len(s);
    return n < SIZE_MAX && !__builtin_add_overflow(*total, n + 1, total);
}

symbi_status sy_msg_new(symbi_ctx *cx, const sy_msg *from, symbi_str prefix, sy_msg **out, symbi_err *err)
{
    size_t total, calls;
    bool fits;
    sy_msg *m;
    sy_call *c;
    char *d;
    *out = NULL;
    fits = !__builtin_mul_overflow(from->ncalls, sizeof *c, &calls) && !__builtin_add_overflow(calls, sizeof *m + prefix.n, &total)
        && room(&total, from->content) && room(&total, from->tool_call_id) && room(&total, from->tool_name);
    for (size_t i = 0; fits && i < from->ncalls; i++)
        fits = room(&total, from->calls[i].id) && room(&total, from->calls[i].name) && room(&total, from->calls[i].arguments);
    if (!fits || total > cx->limits.run_bytes)
        return sy_fail(err, SYMBI_ELIMIT, "one message is larger than the %zu bytes a run may hold", cx->limits.run_bytes);
    m = sy_alloc(&cx->alloc, total);
    if (!m) return sy_fail_nomem(err);
    *m = *from;
    m->bytes_ = total;
    m->refs_ = 1;
    c = (sy_call *)(m + 1);
    d = (char *)(c + from->ncalls);
    m->calls = c;
    m->content = place(&d, prefix, from->content);
    m->tool_call_id = place(&d, SY_LIT(""), from->tool_call_id);
    m->tool_name = place(&d, SY_LIT(""), from->tool_name);
    for (size_t i = 0; i < from->ncalls; i++) {
        c[i].id = place(&d, SY_LIT(""), from->calls[i].id);
        c[i].name = place(&d, SY_LIT(""), from->calls[i].name);
        c[i].arguments = place(&d, SY_LIT(""), from->calls[i].arguments);
    }
    *out = m;
    return SYMBI_OK;
}

void sy_msg_unref(symbi_ctx *cx, sy_msg *m)
{
    if (m && --m->refs_ == 0) sy_free(&cx->alloc, m, m->bytes_);
}

/* ---- lists -------------------------------------------------------------------------------------------------------- */

symbi_status sy_msg_list_reserve(sy_msg_list *l, symbi_ctx *cx, size_t cap, symbi_err *err)
{
    memset(l, 0, sizeof *l);
    l->cx = cx;
    return sy_grow(&cx->alloc, (void **)&l->m, &l->cap, cap, sizeof *l->m) ? sy_fail_nomem(err) : SYMBI_OK;
}

void sy_msg_list_own(sy_msg_list *l, sy_msg *m)
{
    l->m[l->n++] = m;
    l->bytes += m->bytes_;
}

void sy_msg_list_share(sy_msg_list *l, sy_msg *m)
{
    m->refs_++;
    sy_msg_list_own(l, m);
}

void sy_msg_list_drop(sy_msg_list *l)
{
    for (size_t i = 0; i < l->n; i++) sy_msg_unref(l->cx, l->m[i]);
    sy_free(&l->cx->alloc, l->m, l->cap * sizeof *l->m);
    memset(l, 0, sizeof *l);
}

static symbi_status too_big(const symbi_ctx *cx, symbi_err *err)
{
    return sy_fail(err, SYMBI_ELIMIT, "the conversation is larger than the %zu bytes a run may hold", cx->limits.run_bytes);
}

symbi_status sy_msg_list_commit(sy_msg_list *l, sy_conv *c, symbi_err *err)
{
    if (l->bytes > c->cx->limits.run_bytes) {
        sy_msg_list_drop(l);
        return too_big(c->cx, err);
    }
    sy_conv_free(c);
    c->m = l->m;
    c->n = l->n;
    c->cap = l->cap;
    c->bytes = l->bytes;
    memset(l, 0, sizeof *l);
    return SYMBI_OK;
}

/* ---- conversations ------------------------------------------------------------------------------------------------ */

void sy_conv_init(sy_conv *c, symbi_ctx *cx)
{
    memset(c, 0, sizeof *c);
    c->cx = cx;
}

void sy_conv_free(sy_conv *c)
{
    for (size_t i = 0; i < c->n; i++) sy_msg_unref(c->cx, c->m[i]);
    if (c->m) sy_free(&c->cx->alloc, c->m, c->cap * sizeof *c->m);
    c->m = NULL;
    c->n = c->cap = c->bytes = 0;
}

static symbi_status insert(sy_conv *c, size_t at, const sy_msg *from, symbi_str prefix, symbi_err *err)
{
    sy_msg *m;
    symbi_status st;
    if (sy_grow(&c->cx->alloc, (void **)&c->m, &c->cap, c->n + 1, sizeof *c->m)) return sy_fail_nomem(err);
    st = sy_msg_new(c->cx, from, prefix, &m, err);
    if (st) return st;
    if (m->bytes_ > c->cx->limits.run_bytes - c->bytes) { /* c->bytes never exceeds the limit, see below */
        sy_msg_unref(c->cx, m);
        return too_big(c->cx, err);
    }
    memmove(c->m + at + 1, c->m + at, (c->n - at) * sizeof *c->m);
    c->m[at] = m;
    c->n++;
    c->bytes += m->bytes_;
    return SYMBI_OK;
}

/* The limit may have been lowered since: then nothing more fits. */
static symbi_status append(sy_conv *c, const sy_msg *from, symbi_str prefix, symbi_err *err)
{
    if (c->bytes > c->cx->limits.run_bytes) return too_big(c->cx, err);
    return insert(c, c->n, from, prefix, err);
}

symbi_status sy_conv_add(sy_conv *c, const sy_msg *m, symbi_err *err)
{
    return append(c, m, SY_LIT(""), err);
}

symbi_status sy_conv_add_text(sy_conv *c, sy_role role, symbi_str content, symbi_err *err)
{
    sy_msg m = { .role = role, .content = content };
    return append(c, &m, SY_LIT(""), err);
}

symbi_status sy_conv_add_calls(sy_conv *c, symbi_str content, const sy_call *calls, size_t n, symbi_err *err)
{
    sy_msg m = { .role = SY_ROLE_ASSISTANT, .content = content, .calls = calls, .ncalls = n };
    return append(c, &m, SY_LIT(""), err);
}

symbi_status sy_conv_add_result(sy_conv *c, symbi_str call_id, symbi_str tool_name, const char *prefix, symbi_str content, bool is_error, symbi_err *err)
{
    sy_msg m = { .role = SY_ROLE_TOOL, .has_call_id = true, .has_tool_name = true, .is_error = is_error, .content = content,
        .tool_call_id = call_id, .tool_name = tool_name };
    return append(c, &m, symbi_str_z(prefix), err);
}

symbi_status sy_conv_copy(sy_conv *dst, const sy_conv *src, symbi_err *err)
{
    sy_msg_list l;
    symbi_status st = sy_msg_list_reserve(&l, src->cx, src->n, err);
    if (st) return st;
    for (size_t i = 0; i < src->n; i++) sy_msg_list_share(&l, src->m[i]);
    return sy_msg_list_commit(&l, dst, err);
}

symbi_status sy_conv_inject_knowledge(sy_conv *c, symbi_str text, symbi_err *err)
{
    sy_msg from = { .role = SY_ROLE_SYSTEM, .content = text }, *m;
    symbi_str prefix = SY_LIT(KNOWLEDGE_PREFIX);
    symbi_status st;
    for (size_t i = 0; i < c->n; i++) {
        size_t others;
        if (c->m[i]->role != SY_ROLE_SYSTEM || !sy_str_starts(c->m[i]->content, SY_LIT("[KNOWLEDGE_CONTEXT]"))) continue;
        st = sy_msg_new(c->cx, &from, prefix, &m, err);
        if (st) return st;
        others = c->bytes - c->m[i]->bytes_;
        if (others > c->cx->limits.run_bytes || m->bytes_ > c->cx->limits.run_bytes - others) {
            sy_msg_unref(c->cx, m);
            return too_big(c->cx, err);
        }
        c->bytes = others + m->bytes_;
        sy_msg_unref(c->cx, c->m[i]);
        c->m[i] = m;
        return SYMBI_OK;
    }
    if (c->bytes > c->cx->limits.run_bytes) return too_big(c->cx, err);
    return insert(c, c->n && c->m[0]->role == SY_ROLE_SYSTEM ? 1 : 0, &from, prefix, err);
}
