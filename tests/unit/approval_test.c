/* Unit tests of stored approvals: bound to the arguments, used once by however many gates, across restarts, never after their time. */
#include "test.h"

#include "failing_store.h"

#define S(lit) ((symbi_str){ lit, sizeof(lit) - 1 })

static const char k_tool[] =
    "[tool]\nname = \"wipe\"\nversion = \"1\"\ndescription = \"d\"\nhuman_approval = true\n[args.path]\ntype = \"path\"\nrequired = true\n"
    "[command]\nexec = [\"rm\", \"--\", \"{path}\"]\n[output]\nformat = \"text\"\n";

typedef struct rig {
    symbi_ctx *cx;
    fake_clock clock;
    symbi_toolset *tools;
    symbi_cedar *set;
    failing_store backing;
    symbi_store store;
    symbi_key *key;
    symbi_audit *audit[2];
    symbi_gate *gate[2];
    symbi_err err;
} rig;

static symbi_status open_gate(rig *r, int i)
{
    symbi_gate_options o;
    symbi_audit_options ao;
    symbi_status st;
    memset(&ao, 0, sizeof ao);
    ao.key = r->key;
    if ((st = symbi_audit_open(r->cx, &r->store, &ao, &r->audit[i], &r->err))) return st;
    symbi_gate_options_init(&o);
    o.policies = r->set;
    o.tools = r->tools;
    o.audit = r->audit[i];
    return symbi_gate_new(r->cx, &o, &r->gate[i], &r->err);
}

static void close_gate(rig *r, int i)
{
    symbi_gate_free(r->gate[i]);
    symbi_audit_free(r->audit[i]);
    r->gate[i] = NULL;
    r->audit[i] = NULL;
}

static symbi_status rig_open(rig *r)
{
    symbi_cedar_source src = { { "p", 1 }, { "permit(principal, action, resource);", 36 } };
    symbi_tool *t;
    symbi_status st;
    if ((st = symbi_toolset_new(r->cx, &r->tools, &r->err))) return st;
    if ((st = symbi_tool_parse(r->cx, symbi_str_z(k_tool), S("t"), &t, &r->err))) return st;
    st = symbi_toolset_add(r->tools, t, &r->err);
    symbi_tool_unref(t);
    if (st) return st;
    if ((st = symbi_cedar_parse(r->cx, &src, 1, 0, &r->set, &r->err))) return st;
    if ((st = failing_store_new(r->cx, &r->backing, &r->store, &r->err))) return st;
    if ((st = symbi_ed25519_generate(r->cx, &r->key, &r->err))) return st;
    return open_gate(r, 0);
}

static void rig_close(rig *r, bool with_cx)
{
    close_gate(r, 0);
    close_gate(r, 1);
    symbi_key_unref(r->key);
    symbi_memstore_free(&r->backing.inner);
    symbi_cedar_unref(r->set);
    symbi_toolset_unref(r->tools);
    if (with_cx) symbi_ctx_free(r->cx);
}

static bool setup(rig *r)
{
    symbi_env env;
    memset(r, 0, sizeof *r);
    r->clock.wall = 1700000000000;
    r->clock.mono = 1;
    symbi_env_init(&env);
    env.clock.wall_ms = fake_wall;
    env.clock.mono_ms = fake_mono;
    env.clock.ud = &r->clock;
    if (symbi_ctx_new(&env, &r->cx, &r->err) || rig_open(r)) {
        printf("setup: %s\n", r->err.msg);
        return false;
    }
    return true;
}

static void check(rig *r, int i, const char *args, symbi_verdict *v)
{
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = S("bot");
    a.name = S("wipe");
    a.args_text = symbi_str_z(args);
    symbi_verdict_clear(v);
    symbi_gate_check(r->gate[i], &a, NULL, v);
}

static void hex(const uint8_t d[32], char out[65])
{
    for (int i = 0; i < 32; i++) snprintf(out + 2 * i, 3, "%02x", d[i]);
}

#define A "{\"path\":\"a\"}"

static void test_ask_approve_use_once(void)
{
    rig r;
    symbi_verdict v, w;
    symbi_approval_status st;
    symbi_doc *d;
    uint8_t digest[32];
    char id[65];
    memset(&v, 0, sizeof v);
    memset(&w, 0, sizeof w);
    REQUIRE(setup(&r));
    check(&r, 0, A, &v);
    REQUIRE(v.decision == SYMBI_STEP_UP);
    memcpy(digest, v.action_digest, 32);
    hex(digest, id);
    CHECK_OK(symbi_gate_request_approval(r.gate[0], &v, NULL, 0, &st, &r.err), r.err);
    CHECK(st == SYMBI_APPROVAL_PENDING);
    CHECK(symbi_audit_len(r.audit[0]) == 1);
    CHECK_OK(symbi_gate_request_approval(r.gate[0], &v, NULL, 0, &st, &r.err), r.err); /* asked again: the same request */
    CHECK(st == SYMBI_APPROVAL_PENDING && symbi_audit_len(r.audit[0]) == 1);
    CHECK_OK(symbi_gate_load_approval(r.gate[0], digest, &st, &r.err), r.err);
    CHECK(st == SYMBI_APPROVAL_PENDING);
    check(&r, 0, A, &v);
    CHECK(v.code == SYMBI_CODE_APPROVAL_REQUIRED); /* pending is no yes */
    CHECK(symbi_approval_decide(r.cx, r.audit[0], S("00000000"), true, S("ann"), &r.err) == SYMBI_ENOTFOUND);
    CHECK(symbi_approval_decide(r.cx, r.audit[0], (symbi_str){ id, 7 }, true, S("ann"), &r.err) == SYMBI_EINVAL);
    CHECK(symbi_approval_decide(r.cx, r.audit[0], (symbi_str){ id, 8 }, true, S(""), &r.err) == SYMBI_EINVAL);
    CHECK(symbi_approval_decide(r.cx, r.audit[0], (symbi_str){ id, 8 }, true, S("bot"), &r.err) == SYMBI_EDENIED); /* it asked for this itself */
    CHECK_OK(symbi_approval_status_of(r.cx, r.audit[0], digest, &st, NULL, &r.err), r.err);
    CHECK(st == SYMBI_APPROVAL_PENDING && symbi_audit_len(r.audit[0]) == 1);
    CHECK_OK(symbi_approval_decide(r.cx, r.audit[0], (symbi_str){ id, 8 }, true, S("ann"), &r.err), r.err);
    CHECK(symbi_approval_decide(r.cx, r.audit[0], (symbi_str){ id, 64 }, false, S("bob"), &r.err) == SYMBI_ESTATE); /* decided already */
    CHECK_OK(symbi_approval_list(r.cx, r.audit[0], &d, &r.err), r.err);
    CHECK(symbi_doc_root(d)->u.a.n == 1);
    CHECK_STR(symbi_value_str(&symbi_doc_root(d)->u.a.items[0], "status", S("")), "approved");
    CHECK_STR(symbi_value_str(&symbi_doc_root(d)->u.a.items[0], "approver", S("")), "ann");
    CHECK_STR(symbi_value_str(symbi_value_getz(&symbi_doc_root(d)->u.a.items[0], "arguments"), "path", S("")), "a");
    symbi_doc_unref(d);
    /* a restart: another gate over the same store; and a second process beside it */
    close_gate(&r, 0);
    REQUIRE(open_gate(&r, 0) == SYMBI_OK && open_gate(&r, 1) == SYMBI_OK);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(symbi_gate_load_approval(r.gate[i], digest, &st, &r.err), r.err);
        CHECK(st == SYMBI_APPROVAL_APPROVED);
    }
    check(&r, 0, "{\"path\":\"b\"}", &v);
    CHECK(v.code == SYMBI_CODE_APPROVAL_REQUIRED); /* other arguments */
    check(&r, 0, A, &v);
    check(&r, 1, A, &w);
    CHECK(v.decision == SYMBI_ALLOW && w.decision == SYMBI_ALLOW && v.stored_approval && w.stored_approval);
    CHECK_OK(symbi_gate_commit(r.gate[0], &v, NULL, &r.err), r.err);
    CHECK(v.decision == SYMBI_ALLOW);
    CHECK_OK(symbi_gate_commit(r.gate[1], &w, NULL, &r.err), r.err); /* recorded, as the denial that it became */
    CHECK(w.decision == SYMBI_DENY && w.code == SYMBI_CODE_APPROVAL_EXPIRED && !w.has_permit);
    CHECK_OK(symbi_gate_load_approval(r.gate[0], digest, &st, &r.err), r.err);
    CHECK(st == SYMBI_APPROVAL_USED);
    check(&r, 0, A, &v);
    CHECK(v.code == SYMBI_CODE_APPROVAL_REQUIRED);
    CHECK_OK(symbi_gate_request_approval(r.gate[0], &v, NULL, 0, &st, &r.err), r.err); /* and may be asked for anew */
    CHECK(st == SYMBI_APPROVAL_PENDING);
    symbi_verdict_clear(&v);
    symbi_verdict_clear(&w);
    rig_close(&r, true);
}

static void test_time_runs_out(void)
{
    rig r;
    symbi_verdict v;
    symbi_approval_status st;
    char id[65];
    uint8_t digest[32];
    memset(&v, 0, sizeof v);
    REQUIRE(setup(&r));
    check(&r, 0, A, &v);
    memcpy(digest, v.action_digest, 32);
    hex(digest, id);
    CHECK_OK(symbi_gate_request_approval(r.gate[0], &v, NULL, 1000, &st, &r.err), r.err);
    r.clock.wall += 1001;
    CHECK(symbi_approval_decide(r.cx, r.audit[0], S("x"), true, S("ann"), &r.err) == SYMBI_EINVAL);
    CHECK(symbi_approval_decide(r.cx, r.audit[0], symbi_str_z(id), true, S("ann"), &r.err) == SYMBI_ESTATE);
    CHECK_OK(symbi_gate_request_approval(r.gate[0], &v, NULL, 1000, &st, &r.err), r.err);
    r.clock.wall += 1000; /* at the limit it still can be answered */
    CHECK_OK(symbi_approval_decide(r.cx, r.audit[0], symbi_str_z(id), true, S("ann"), &r.err), r.err);
    CHECK_OK(symbi_gate_load_approval(r.gate[0], digest, &st, &r.err), r.err);
    CHECK(st == SYMBI_APPROVAL_APPROVED);
    check(&r, 0, A, &v);
    CHECK(v.decision == SYMBI_ALLOW);
    r.clock.wall += 1001; /* the approval itself is past its time when the decision would be recorded */
    CHECK_OK(symbi_gate_commit(r.gate[0], &v, NULL, &r.err), r.err);
    CHECK(v.decision == SYMBI_DENY && v.code == SYMBI_CODE_APPROVAL_EXPIRED);
    symbi_verdict_clear(&v);
    rig_close(&r, true);
}

static void test_a_no_is_a_no(void)
{
    rig r;
    symbi_verdict v;
    symbi_approval_status st;
    char id[65];
    uint8_t digest[32];
    memset(&v, 0, sizeof v);
    REQUIRE(setup(&r));
    check(&r, 0, A, &v);
    memcpy(digest, v.action_digest, 32);
    hex(digest, id);
    CHECK_OK(symbi_gate_request_approval(r.gate[0], &v, NULL, 0, &st, &r.err), r.err);
    CHECK_OK(symbi_approval_decide(r.cx, r.audit[0], symbi_str_z(id), false, S("ann"), &r.err), r.err);
    CHECK_OK(symbi_gate_load_approval(r.gate[0], digest, &st, &r.err), r.err);
    CHECK(st == SYMBI_APPROVAL_DENIED);
    check(&r, 0, A, &v);
    CHECK(v.code == SYMBI_CODE_APPROVAL_DENIED);
    symbi_verdict_clear(&v);
    rig_close(&r, true);
}

static void test_store_failures(void)
{
    rig r;
    symbi_verdict v;
    symbi_approval_status st;
    symbi_store_kv kv = { .ns = { "approvals", 9 }, .value = { "{\"status\":\"approved\"", 20 } };
    symbi_audit_event ev = { .event = { "{}", 2 } };
    char id[65];
    memset(&v, 0, sizeof v);
    REQUIRE(setup(&r));
    check(&r, 0, A, &v);
    hex(v.action_digest, id);
    r.backing.fail = 1;
    r.backing.code = SYMBI_EIO;
    CHECK(symbi_gate_request_approval(r.gate[0], &v, NULL, 0, &st, &r.err) == SYMBI_EIO && st != SYMBI_APPROVAL_PENDING);
    kv.key = symbi_str_z(id); /* a damaged record approves nothing */
    CHECK_OK(symbi_audit_commit(r.audit[0], &ev, 1, &kv, 1, false, &r.err), r.err);
    CHECK(symbi_gate_load_approval(r.gate[0], v.action_digest, &st, &r.err) != SYMBI_OK && st == SYMBI_APPROVAL_NONE);
    check(&r, 0, A, &v);
    CHECK(v.decision == SYMBI_STEP_UP);
    symbi_verdict_clear(&v);
    rig_close(&r, true);
}

static symbi_status oom_scenario(symbi_ctx *cx, void *ud)
{
    rig r;
    symbi_verdict v;
    symbi_approval_status is;
    symbi_doc *d = NULL;
    char id[65];
    uint8_t digest[32] = { 0 };
    symbi_status st;
    (void)ud;
    memset(&r, 0, sizeof r);
    memset(&v, 0, sizeof v);
    r.cx = cx;
    st = rig_open(&r);
    if (!st) {
        check(&r, 0, A, &v);
        if (v.decision != SYMBI_STEP_UP) st = v.code == SYMBI_CODE_OUT_OF_MEMORY ? SYMBI_ENOMEM : SYMBI_EDENIED;
    }
    if (!st) {
        memcpy(digest, v.action_digest, 32);
        hex(digest, id);
        st = symbi_gate_request_approval(r.gate[0], &v, NULL, 0, &is, &r.err);
    }
    if (!st) st = symbi_approval_decide(cx, r.audit[0], symbi_str_z(id), true, S("ann"), &r.err);
    if (!st) st = symbi_gate_load_approval(r.gate[0], digest, &is, &r.err);
    if (!st) {
        check(&r, 0, A, &v);
        if (v.decision != SYMBI_ALLOW) st = v.code == SYMBI_CODE_OUT_OF_MEMORY ? SYMBI_ENOMEM : SYMBI_EDENIED;
    }
    if (!st) st = symbi_gate_commit(r.gate[0], &v, NULL, &r.err);
    if (!st) st = symbi_approval_list(cx, r.audit[0], &d, &r.err);
    symbi_doc_unref(d);
    symbi_verdict_clear(&v);
    rig_close(&r, false);
    return st;
}

static void test_oom_approvals(void) { test_oom(oom_scenario, NULL, SYMBI_OK); }

int main(void)
{
    RUN(test_ask_approve_use_once);
    RUN(test_time_runs_out);
    RUN(test_a_no_is_a_no);
    RUN(test_store_failures);
    RUN(test_oom_approvals);
    return test_end();
}
