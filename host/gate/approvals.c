/* gate/approvals.c: answers of people to step-ups, bound to the action digest, single-use, expiring. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "gate/gate.h"

#include <string.h>

static void drop(symbi_gate *g, size_t i)
{
    g->approvals[i] = g->approvals[--g->napprovals];
}

static void drop_expired(symbi_gate *g, int64_t now_ms)
{
    for (size_t i = g->napprovals; i-- > 0;)
        if (g->approvals[i].expiry_ms < now_ms) drop(g, i);
}

int sy_approval_find(symbi_gate *g, const uint8_t digest[32], int64_t now_ms)
{
    for (size_t i = 0; i < g->napprovals; i++)
        if (memcmp(g->approvals[i].digest, digest, 32) == 0)
            return g->approvals[i].expiry_ms < now_ms ? -1 : g->approvals[i].approved;
    return -1;
}

void sy_approval_take(symbi_gate *g, const uint8_t digest[32])
{
    for (size_t i = 0; i < g->napprovals; i++)
        if (memcmp(g->approvals[i].digest, digest, 32) == 0) {
            drop(g, i);
            return;
        }
}

symbi_status symbi_gate_approve(symbi_gate *g, const uint8_t digest[32], bool approved, symbi_str approver, int64_t ttl_ms, symbi_err *err)
{
    int64_t now = symbi_ctx_now_ms(g->cx);
    sy_approval *p;
    if (!approver.n) return sy_fail(err, SYMBI_EINVAL, "an approval needs the name of the approver");
    drop_expired(g, now);
    sy_approval_take(g, digest); /* a later answer replaces an earlier one */
    if (g->napprovals >= SY_APPROVALS_MAX) return sy_fail(err, SYMBI_ELIMIT, "%d answers wait to be used", SY_APPROVALS_MAX);
    if (sy_grow(&g->cx->alloc, (void **)&g->approvals, &g->approvals_cap, g->napprovals + 1, sizeof *g->approvals)) return sy_fail_nomem(err);
    p = &g->approvals[g->napprovals++];
    memcpy(p->digest, digest, 32);
    p->approved = approved;
    p->expiry_ms = now + (ttl_ms > 0 ? ttl_ms : 300000);
    return SYMBI_OK;
}
