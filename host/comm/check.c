/* comm/check.c: one message against a rule set. Reads only; no memory, no locks. */
#include "comm/comm.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/value.h"

static const char *name_fault(symbi_str s, const char *const text[3])
{
    if (!s.p || !s.n) return text[0];
    if (s.n > SYMBI_COMM_MAX_NAME) return text[1];
    return sy_utf8_valid(s, NULL) ? NULL : text[2];
}

static const char *const sender_faults[3] = { "the sender is empty", "the sender is longer than 256 bytes", "the sender is not valid UTF-8" };
static const char *const recipient_faults[3] = { "the recipient is empty", "the recipient is longer than 256 bytes", "the recipient is not valid UTF-8" };
static const char *const action_faults[3] = { "the action is empty", "the action is longer than 256 bytes", "the action is not valid UTF-8" };

static bool matches(const sy_comm_rule *r, symbi_str from, symbi_str to, symbi_str action)
{
    if (r->cond) return sy_cond_match(r->cond, from, to);
    return sy_glob_match(&r->from, from) && sy_glob_match(&r->to, to) && sy_glob_match(&r->action, action);
}

static void answer_rule(symbi_comm_answer *out, const symbi_comm_rules *s, uint32_t i)
{
    out->rule = &s->shown[i];
    out->rule_id = s->rule[i]->id;
}

void symbi_comm_check(const symbi_comm_rules *s, symbi_str from, symbi_str to, symbi_str action, uint32_t depth, symbi_comm_answer *out)
{
    const char *fault;
    bool deep = false;
    memset(out, 0, sizeof *out);
    out->rule_id = (symbi_str)SY_LIT("");
    if ((fault = name_fault(from, sender_faults)) || (fault = name_fault(to, recipient_faults)) || (fault = name_fault(action, action_faults))) {
        out->reason = symbi_str_z(fault);
        return;
    }
    if (!depth) depth = 1;
    for (size_t k = 0; s && k < s->n; k++) {
        const sy_comm_rule *r = s->rule[s->order[k]];
        if (!matches(r, from, to, action)) continue;
        if (r->allow && r->has_depth && depth > r->max_depth) {
            if (!deep) answer_rule(out, s, s->order[k]);
            deep = true;
            continue;
        }
        answer_rule(out, s, s->order[k]);
        out->cause = SYMBI_COMM_RULE;
        out->allowed = r->allow;
        out->reason = r->reason;
        return;
    }
    if (deep) {
        out->cause = SYMBI_COMM_TOO_DEEP;
        out->reason = (symbi_str)SY_LIT("max_depth exceeded");
        return;
    }
    out->cause = SYMBI_COMM_NO_RULE;
    out->allowed = s && s->default_allow;
    out->reason = out->allowed ? (symbi_str)SY_LIT("No matching rule and default is allow") : (symbi_str)SY_LIT("No matching rule and default is deny");
}

static symbi_status refuse(symbi_err *err, const symbi_value *v, symbi_str key, const char *text)
{
    char path[80] = "/";
    sy_fail_at(err, SYMBI_ESCHEMA, v->line, 0, "evaluate: %.*s%s%s", SY_FMT(key), key.n ? " " : "", text);
    if (key.n < sizeof path - 2) {
        memcpy(path + 1, key.p, key.n);
        path[1 + key.n] = 0;
    }
    sy_err_path(err, symbi_str_z(path));
    return SYMBI_ESCHEMA;
}

symbi_status symbi_comm_evaluate(const symbi_comm_rules *s, const symbi_value *rq, symbi_comm_answer *out, symbi_err *err)
{
    static const char *const names[4] = { "sender", "recipient", "action", "depth" };
    const symbi_value *f[4] = { NULL };
    uint32_t depth = 1;
    memset(out, 0, sizeof *out);
    out->rule_id = (symbi_str)SY_LIT("");
    out->reason = (symbi_str)SY_LIT("the request is malformed");
    symbi_err_clear(err);
    if (rq->kind != SYMBI_OBJECT) return refuse(err, rq, (symbi_str)SY_LIT(""), "an object with sender, recipient and action is needed");
    for (size_t i = 0; i < rq->u.o.n; i++) {
        const symbi_member *m = &rq->u.o.members[i];
        size_t k = 0;
        while (k < 4 && !sy_str_eqz(m->key, names[k])) k++;
        if (k == 4) return refuse(err, &m->val, m->key, "is unknown; sender, recipient, action and depth are known");
        if (f[k]) return refuse(err, &m->val, m->key, "is there twice");
        f[k] = &m->val;
    }
    for (size_t k = 0; k < 3; k++) {
        if (!f[k]) return refuse(err, rq, symbi_str_z(names[k]), "is missing");
        if (f[k]->kind != SYMBI_STRING) return refuse(err, f[k], symbi_str_z(names[k]), "must be a string");
        if (!f[k]->u.s.n) return refuse(err, f[k], symbi_str_z(names[k]), "must not be empty");
    }
    if (f[3] && f[3]->kind != SYMBI_NULL) {
        if (f[3]->kind != SYMBI_INT || f[3]->u.i < 1 || f[3]->u.i > UINT32_MAX) return refuse(err, f[3], symbi_str_z(names[3]), "must be an integer from 1 to 4294967295");
        depth = (uint32_t)f[3]->u.i;
    }
    symbi_comm_check(s, f[0]->u.s, f[1]->u.s, f[2]->u.s, depth, out);
    if (out->cause == SYMBI_COMM_BAD_REQUEST) {
        sy_fail(err, SYMBI_ESCHEMA, "evaluate: %.*s", SY_FMT(out->reason));
        return SYMBI_ESCHEMA;
    }
    return SYMBI_OK;
}

const symbi_value *symbi_comm_answer_value(const symbi_comm_answer *a, symbi_comm_view *room)
{
    const symbi_value none = sy_val_null();
    room->m[0] = (symbi_member){ SY_LIT("allowed"), sy_val_bool(a->allowed) };
    room->m[1] = (symbi_member){ SY_LIT("effect"), sy_val_str(a->allowed ? (symbi_str)SY_LIT("allow") : (symbi_str)SY_LIT("deny")) };
    room->m[2] = (symbi_member){ SY_LIT("reason"), sy_val_str(a->reason) };
    room->m[3] = (symbi_member){ SY_LIT("rule"), a->rule ? *a->rule : none };
    room->v = sy_val_object(room->m, 4);
    return &room->v;
}
