/* gate/retool.c: another set of tools, put in force whole, for the next check. A verdict keeps the tool it was about; a permit for a contract
 * that is another now opens nothing (commit.c). Signatures are looked at again: they prove a contract, not a name. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "gate/gate.h"

static void drop(symbi_gate *g, sy_proof *p, size_t n, size_t cap)
{
    for (size_t i = 0; i < n; i++) symbi_schemapin_result_unref(p[i].r);
    sy_free(&g->cx->alloc, p, cap * sizeof *p);
}

symbi_status symbi_gate_retool(symbi_gate *g, symbi_toolset *tools, symbi_err *err)
{
    symbi_toolset *old = g->tools;
    sy_proof *proofs = g->proofs;
    size_t n = g->nproofs, cap = g->proofs_cap;
    symbi_status st = SYMBI_OK;
    symbi_err_clear(err);
    g->tools = tools;
    g->proofs = NULL;
    g->nproofs = g->proofs_cap = 0;
    for (size_t i = 0; i < n && !st; i++) { /* the old tools still live */
        symbi_tool_info ti;
        symbi_tool_get_info(proofs[i].tool, &ti);
        if (tools && symbi_toolset_find(tools, ti.name)) st = symbi_gate_prove(g, ti.name, proofs[i].r, err);
    }
    if (st) { /* as it was */
        drop(g, g->proofs, g->nproofs, g->proofs_cap);
        g->tools = old;
        g->proofs = proofs;
        g->nproofs = n;
        g->proofs_cap = cap;
        return st;
    }
    if (tools) symbi_toolset_ref(tools);
    drop(g, proofs, n, cap);
    symbi_toolset_unref(old);
    g->generation++;
    return SYMBI_OK;
}
