/* tests/embed/gated_run.c: one gated run from C, without Lua and without I/O of ours. Compiled as C99 and as C++ against the
 * installed files: cc gated_run.c $(pkg-config --cflags --libs symbi). The "model" is two canned answers, the "executor" prints
 * the plan it was permitted to carry out. Exit 0 when the read was allowed, the deletion denied, and the trail verifies. */
#include <stdio.h>
#include <string.h>
#include <symbi/symbi.h>

static const char policy[] = "permit(principal, action in [Action::\"tool_call::count\", Action::\"respond\"], resource);";
static const char count[] = "[tool]\nname=\"count\"\nversion=\"1\"\ndescription=\"Counts lines\"\n[args.path]\ntype=\"path\"\nrequired=true\n"
                            "[command]\nexec=[\"wc\",\"-l\",\"--\",\"{path}\"]\n[output]\nformat=\"text\"\n";
static const char wipe[] = "[tool]\nname=\"wipe\"\nversion=\"1\"\ndescription=\"Deletes\"\n[args.path]\ntype=\"path\"\nrequired=true\n"
                           "[command]\nexec=[\"rm\",\"--\",\"{path}\"]\n[output]\nformat=\"text\"\n";
static const char *const answers[] = {
    "{\"tool_calls\":[{\"name\":\"count\",\"arguments\":{\"path\":\"README.md\"}},{\"name\":\"wipe\",\"arguments\":{\"path\":\"README.md\"}}]}",
    "{\"content\":\"counted; deleting was refused\"}" };

static symbi_err err;
static int failed(const char *what) { fprintf(stderr, "%s: %s\n", what, err.msg); return 1; }

int main(void)
{
    symbi_ctx *cx; symbi_toolset *tools; symbi_tool *tool; symbi_cedar *set; symbi_key *key;
    symbi_store store; symbi_audit *audit; symbi_gate *gate; symbi_run *run; symbi_plan *plan;
    symbi_order order; symbi_effect ef; symbi_exec_result out; symbi_reply reply; symbi_audit_report report;
    symbi_audit_options ao; symbi_gate_options go; symbi_run_options ro; symbi_cedar_source src; symbi_str permit;
    const char *const manifests[] = { count, wipe };
    uint8_t pub[32]; size_t i; int turn = 0; unsigned long long denied;

    memset(&ao, 0, sizeof ao); symbi_gate_options_init(&go); symbi_run_options_init(&ro);
    src.name = symbi_str_z("policy"); src.text = symbi_str_z(policy);
    if (symbi_ctx_new(NULL, &cx, &err) || symbi_toolset_new(cx, &tools, &err)) return failed("ctx");
    for (i = 0; i < 2; i++) {
        if (symbi_tool_parse(cx, symbi_str_z(manifests[i]), symbi_str_z("built in"), &tool, &err) || symbi_toolset_add(tools, tool, &err)) return failed("tool");
        symbi_tool_unref(tool);
    }
    if (symbi_cedar_parse(cx, &src, 1, 0, &set, &err)) return failed("policy");
    if (symbi_memstore_new(cx, &store, &err) || symbi_ed25519_generate(cx, &key, &err)) return failed("store");
    ao.key = key;
    if (symbi_audit_open(cx, &store, &ao, &audit, &err)) return failed("audit");
    go.policies = set; go.tools = tools; go.audit = audit;
    if (symbi_gate_new(cx, &go, &gate, &err)) return failed("gate");
    ro.gate = gate; ro.audit = audit; ro.agent_id = symbi_str_z("embedder"); ro.prompt = symbi_str_z("count the lines of README.md");
    if (symbi_run_new(cx, &ro, &run, &err)) return failed("run");

    while (symbi_run_next(run, &ef, &err) == SYMBI_OK && ef.kind != SYMBI_EFFECT_DONE) {
        memset(&reply, 0, sizeof reply);
        if (ef.kind == SYMBI_EFFECT_MODEL) {
            reply.neutral = symbi_str_z(answers[turn < 2 ? turn++ : 1]);
        } else if (ef.kind == SYMBI_EFFECT_TOOL) {
            permit.p = (const char *)ef.permit.bytes; permit.n = SYMBI_PERMIT_BYTES;
            if (symbi_run_redeem(run, ef.id, permit, &plan, &order, &err)) return failed("redeem");
            printf("permitted: %s %s\n", plan->argv[0].p, plan->argv[plan->argc - 1].p); /* a real executor runs plan->argv */
            memset(&out, 0, sizeof out); out.out = symbi_str_z("42 README.md\n"); reply.exec = &out;
            symbi_plan_unref(plan);
        }
        if (symbi_run_resolve(run, ef.kind == SYMBI_EFFECT_CANCEL ? ef.target : ef.id, &reply, &err)) return failed("resolve");
    }
    if (ef.kind != SYMBI_EFFECT_DONE || ef.result->end != SYMBI_END_COMPLETED) return failed("run");
    denied = (unsigned long long)ef.result->denied;
    printf("answer: %.*s (%llu denied)\n", (int)ef.result->output.n, ef.result->output.p, denied);
    symbi_ed25519_public(key, pub);
    if (symbi_audit_verify(cx, &store, symbi_str_z("main"), pub, NULL, &report, &err) || report.result != SYMBI_AUDIT_OK) return failed("verify");
    printf("trail: %llu entries verified\n", (unsigned long long)report.entries);
    symbi_run_free(run); symbi_gate_free(gate); symbi_audit_free(audit); symbi_key_unref(key); symbi_memstore_free(&store);
    symbi_cedar_unref(set); symbi_toolset_unref(tools); symbi_ctx_free(cx);
    return denied == 1 ? 0 : 1;
}
