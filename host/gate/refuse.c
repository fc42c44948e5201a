/* gate/refuse.c: the entry of a refused permit. Redeeming itself does no I/O; whoever may write calls this behind it. */
#include "symbi/gate_refuse.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "gate/gate.h"
#include "symbi/json.h"

#include <string.h>

bool sy_is_refusal(symbi_code code)
{
    switch (code) {
    case SYMBI_CODE_PERMIT_USED: case SYMBI_CODE_PERMIT_EXPIRED: case SYMBI_CODE_PERMIT_FOREIGN: case SYMBI_CODE_PERMIT_MISMATCH:
    case SYMBI_CODE_OUT_OF_SCOPE: case SYMBI_CODE_TOOL_REPLAN: case SYMBI_CODE_PERMIT_STALE: case SYMBI_CODE_PERMIT_STORE_FULL: case SYMBI_CODE_NOT_COMMITTED: return true;
    default: return false;
    }
}

symbi_status sy_refusal_event(symbi_ctx *cx, const symbi_verdict *v, symbi_code code, symbi_text *out, symbi_err *err)
{
    symbi_value root;
    symbi_status st;
    sy_arena a;
    sy_obj o;
    memset(out, 0, sizeof *out);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    o = sy_obj_new(&a);
    sy_obj_hex(&o, "action_digest", v->action_digest, sizeof v->action_digest);
    sy_obj_str(&o, "code", symbi_str_z(symbi_code_name(code)));
    sy_obj_str(&o, "kind", symbi_str_z(symbi_action_kind_name(v->kind)));
    sy_obj_str(&o, "name", symbi_str_z(v->name));
    sy_obj_str(&o, "reason", symbi_str_z(symbi_code_text(code)));
    sy_obj_str(&o, "type", SY_LIT("permit_refused"));
    root = sy_obj_value(&o);
    st = a.status ? sy_arena_fail(&a, "the audit event", err) : symbi_json_write(cx, &root, SYMBI_JSON_CANONICAL, out, err);
    sy_arena_free(&a);
    return st;
}

symbi_status symbi_gate_refuse(symbi_gate *g, const symbi_verdict *v, symbi_code code, const symbi_facts *f, symbi_err *err)
{
    symbi_audit_event ev;
    symbi_text t;
    symbi_status st;
    if (!sy_is_refusal(code)) return sy_fail(err, SYMBI_EINVAL, "%s is no refusal of a permit", symbi_code_name(code));
    if (!g->audit) return SYMBI_OK;
    if ((st = sy_refusal_event(g->cx, v, code, &t, err))) return st;
    memset(&ev, 0, sizeof ev);
    if (f) {
        ev.loop_id = f->loop_id;
        ev.iteration = f->iteration;
    }
    ev.agent_id = symbi_str_z(v->agent);
    ev.event = symbi_text_str(&t);
    st = symbi_audit_commit(g->audit, &ev, 1, NULL, 0, false, err);
    symbi_text_free(&t);
    return st;
}
