/* run/conv_window.c: the estimate and the strategies that make a conversation fit a budget. Everything works on groups: a
 * message with tool calls and all that follows until each of its calls is answered stays together or goes together, because
 * providers refuse a call without its result and the other way round. New lists are built beside and put in place at the
 * end, so that running out of memory changes nothing. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "run/conv.h"
#include "run/conv_in.h"

#include <stdio.h>

enum { MASK_KEEP = 6, MASK_MIN = 3 };

/* ---- estimate ----------------------------------------------------------------------------------------------------- */

static uint64_t sat_add(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

uint64_t sy_msg_estimate(const sy_msg *m)
{
    uint64_t chars = m->content.n, t;
    for (size_t i = 0; i < m->ncalls; i++) {
        const sy_call *k = &m->calls[i];
        chars = sat_add(chars, sat_add(sat_add(k->name.n, k->arguments.n), sat_add(k->id.n, 30)));
    }
    if (m->has_call_id) chars = sat_add(chars, sat_add(m->tool_call_id.n, 20));
    /* 3.3 bytes a token, in integers, without the product overflowing */
    t = chars > UINT64_MAX / 10 ? chars / 33 * 10 : chars * 10 / 33;
    return sat_add(t ? t : 1, 7);
}

uint64_t sy_conv_estimate(const sy_conv *c)
{
    uint64_t t = 0;
    for (size_t i = 0; i < c->n; i++) t = sat_add(t, sy_msg_estimate(c->m[i]));
    return t;
}

/* ---- groups ------------------------------------------------------------------------------------------------------- */

symbi_status sy_conv_groups(const sy_conv *c, size_t from, size_t *first, symbi_err *err)
{
    sy_map open; /* call id -> 1 while it waits for its result */
    size_t start = from, waiting = 0;
    sy_map_init(&open, c->cx->alloc, c->cx->seed);
    for (size_t i = from; i < c->n; i++) {
        const sy_msg *m = c->m[i];
        sy_map_entry *e;
        bool fresh;
        first[i] = start;
        for (size_t k = 0; k < m->ncalls; k++) {
            e = sy_map_put(&open, m->calls[k].id, &fresh);
            if (!e) {
                sy_map_free(&open);
                return sy_fail_nomem(err);
            }
            if (!e->val.u) e->val.u = 1, waiting++;
        }
        if (m->role == SY_ROLE_TOOL && m->has_call_id && (e = sy_map_find(&open, m->tool_call_id)) && e->val.u) e->val.u = 0, waiting--;
        if (!waiting) {
            start = i + 1;
            if (open.nslot > 256) sy_map_free(&open), sy_map_init(&open, c->cx->alloc, c->cx->seed); /* clearing a big one costs */
            else if (open.n) sy_map_clear(&open);
        }
    }
    sy_map_free(&open);
    return SYMBI_OK;
}

static symbi_status groups_new(const sy_conv *c, size_t from, size_t **first, symbi_err *err)
{
    symbi_status st;
    *first = sy_calloc(&c->cx->alloc, c->n, sizeof **first);
    if (!*first) return sy_fail_nomem(err);
    st = sy_conv_groups(c, from, *first, err);
    if (st) sy_free(&c->cx->alloc, *first, c->n * sizeof **first), *first = NULL;
    return st;
}

/* ---- strategies --------------------------------------------------------------------------------------------------- */

/* Index from which the newest groups fit into budget; the newest one is taken in any case. */
static size_t window_start(const sy_conv *c, size_t head, const size_t *first, uint64_t budget)
{
    size_t keep = c->n, end = c->n;
    uint64_t used = 0;
    while (end > head) {
        size_t start = first[end - 1];
        uint64_t cost = 0;
        for (size_t i = start; i < end; i++) cost = sat_add(cost, sy_msg_estimate(c->m[i]));
        if (keep < c->n && sat_add(used, cost) > budget) break;
        used = sat_add(used, cost);
        keep = end = start;
        if (used > budget) break; /* the newest alone is over already */
    }
    while (keep < c->n && c->m[keep]->role == SY_ROLE_TOOL) keep++; /* results whose call is gone */
    return keep;
}

symbi_status sy_conv_truncate(sy_conv *c, uint64_t max, symbi_err *err)
{
    size_t head = c->n && c->m[0]->role == SY_ROLE_SYSTEM, keep, *first;
    uint64_t budget = max, cost;
    symbi_status st;
    if (c->n == head || sy_conv_estimate(c) <= max) return SYMBI_OK;
    if (head) {
        cost = sy_msg_estimate(c->m[0]);
        budget = cost < max ? max - cost : 0;
    }
    st = groups_new(c, head, &first, err);
    if (st) return st;
    keep = window_start(c, head, first, budget);
    sy_free(&c->cx->alloc, first, c->n * sizeof *first);
    for (size_t i = head; i < keep; i++) {
        c->bytes -= c->m[i]->bytes_;
        sy_msg_unref(c->cx, c->m[i]);
    }
    memmove(c->m + head, c->m + keep, (c->n - keep) * sizeof *c->m);
    c->n -= keep - head;
    return SYMBI_OK;
}

/* All but the last messages lose the content of their tool results. */
static symbi_status mask(sy_conv *c, symbi_err *err)
{
    static const char tail[] = " result omitted for context management]";
    sy_msg_list l;
    symbi_status st = sy_msg_list_reserve(&l, c->cx, c->n, err);
    if (st) return st;
    for (size_t i = 0; i < c->n; i++) {
        sy_msg from = *c->m[i], *m;
        symbi_text text = { 0 };
        size_t len;
        if (from.role != SY_ROLE_TOOL || i + MASK_KEEP >= c->n) {
            sy_msg_list_share(&l, c->m[i]);
            continue;
        }
        if (!from.has_tool_name) from.tool_name = SY_LIT("tool");
        len = sizeof "[Previous " - 1 + from.tool_name.n + sizeof tail;
        text.p = sy_alloc(&c->cx->alloc, len);
        if (!text.p) {
            sy_msg_list_drop(&l);
            return sy_fail_nomem(err);
        }
        memcpy(text.p, "[Previous ", 10);
        memcpy(text.p + 10, from.tool_name.p, from.tool_name.n);
        memcpy(text.p + 10 + from.tool_name.n, tail, sizeof tail);
        from.content.p = text.p;
        from.content.n = len - 1;
        if (!from.has_tool_name) from.tool_name = SY_LIT("");
        st = sy_msg_new(c->cx, &from, SY_LIT(""), &m, err);
        sy_free(&c->cx->alloc, text.p, len);
        if (st) {
            sy_msg_list_drop(&l);
            return st;
        }
        sy_msg_list_own(&l, m);
    }
    return sy_msg_list_commit(&l, c, err);
}

/* Anchors (leading system messages, the user's first message) and the newest messages stay, one line stands for the rest. */
static symbi_status summarise(sy_conv *c, const sy_conv_policy *p, symbi_err *err)
{
    char line[200];
    size_t head = 0, cut, calls = 0, results = 0, *first;
    sy_msg from = { .role = SY_ROLE_USER }, *m;
    sy_msg_list l;
    symbi_status st;
    while (head < c->n && c->m[head]->role == SY_ROLE_SYSTEM) head++;
    if (head < c->n && head <= 1 && c->m[head]->role == SY_ROLE_USER) head++;
    cut = c->n > p->recent_count ? c->n - p->recent_count : 0;
    if (cut < head) cut = head;
    if (!p->compat && cut > head && cut < c->n) {
        st = groups_new(c, head, &first, err);
        if (st) return st;
        cut = first[cut];
        sy_free(&c->cx->alloc, first, c->n * sizeof *first);
    }
    if (cut == head) return SYMBI_OK;
    for (size_t i = head; i < cut; i++) {
        calls += c->m[i]->role == SY_ROLE_ASSISTANT && c->m[i]->ncalls;
        results += c->m[i]->role == SY_ROLE_TOOL;
    }
    snprintf(line, sizeof line, "[Context summary: %zu messages omitted (%zu tool calls, %zu tool results). "
        "The conversation continued with the agent working on the task.]", cut - head, calls, results);
    from.content = symbi_str_z(line);
    st = sy_msg_list_reserve(&l, c->cx, c->n - (cut - head) + 1, err);
    if (st) return st;
    st = sy_msg_new(c->cx, &from, SY_LIT(""), &m, err);
    if (st) {
        sy_msg_list_drop(&l);
        return st;
    }
    for (size_t i = 0; i < head; i++) sy_msg_list_share(&l, c->m[i]);
    sy_msg_list_own(&l, m);
    for (size_t i = cut; i < c->n; i++) sy_msg_list_share(&l, c->m[i]);
    return sy_msg_list_commit(&l, c, err);
}

bool sy_conv_strategy_named(symbi_str name, sy_conv_strategy *out)
{
    static const char *const names[] = { "sliding_window", "observation_masking", "anchored_summary" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (sy_str_eqz(name, names[i])) {
            *out = (sy_conv_strategy)i;
            return true;
        }
    return false;
}

symbi_status sy_conv_manage(sy_conv *c, const sy_conv_policy *p, uint64_t max, symbi_err *err)
{
    sy_conv w;
    symbi_status st;
    if (sy_conv_estimate(c) <= max) return SYMBI_OK;
    if (p->strategy == SY_CONV_SLIDING_WINDOW) return sy_conv_truncate(c, max, err);
    if (p->strategy == SY_CONV_OBSERVATION_MASKING && c->n <= MASK_MIN) return SYMBI_OK;
    sy_conv_init(&w, c->cx); /* two steps, one change */
    st = sy_conv_copy(&w, c, err);
    if (!st) st = p->strategy == SY_CONV_OBSERVATION_MASKING ? mask(&w, err) : summarise(&w, p, err);
    if (!st) st = sy_conv_truncate(&w, max, err);
    if (st) {
        sy_conv_free(&w);
        return st;
    }
    sy_conv_free(c);
    *c = w;
    return SYMBI_OK;
}
