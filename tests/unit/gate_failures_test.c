/* The failure modes of the gate, as a table: what goes wrong, and the code that the gate denies with. Every row is a deny; every row
 * whose trail still stands leaves an entry there. scripts/guide/failures.md is this table as a page, and a test here says when it is not
 * current. `gate_failures_test --json` prints the rows for tests/tools/failure-table.mjs, which asks cedar-wasm the same. */
#include "test.h"

#include "failing_store.h"
#include "identity_make.h"
#include "symbi/gate_refuse.h"

#define S(lit) ((symbi_str){ lit, sizeof(lit) - 1 })

typedef enum how {
    CHECK_ONLY = 0,
    /* the set or the gate does not come to be */
    LOAD, LOAD_STRICT, LOAD_IDS, LOAD_DEEP, LOAD_BIG, LOAD_MANY, LOAD_JSON, LOAD_COMPAT, PRODUCTION, RELOAD_BROKEN, TRAIL_DAMAGED,
    /* special circumstances of a check */
    NO_SET, NO_TOOLS, PROFILE_OTHER, PROFILE_EMPTY, STEPS, BUDGET, LONG_NAME, LONG_AGENT, NO_AGENT, NO_KIND, BAD_KIND, NAMED_ANSWER, BAD_CONTENT, DEEP_ARGS, BIG_ARGS,
    NOT_OBJECT, COMM_NO_RULE, COMM_DEEP, ASK, ASKED_DENIED, ASKED_EXPIRED, ASKED_OTHER, ASKED_TWICE, ASKED_FORBIDDEN, STORED_GONE, RANDOM, MEMORY, CLOCK, SHADOW, UNFILLED,
    DELEGATE, ANSWER, ID_NONE, ID_FORGED, ID_LATE, ID_OTHER, ID_ISSUER, PROOF_NONE, PROOF_FORGED, PROOF_LATE, PROOF_OTHER,
    SCOPE_OUTSIDE, SCOPE_NONE, SCOPE_BROKEN,
    /* at commit */
    COMMIT_CLOCK, STORE_DOWN, DISK_FULL, RACE,
    /* at redeem */
    UNCOMMITTED, EXPIRED, REUSED, FOREIGN, ALTERED, CUT, EMPTY, OF_ANOTHER, STALE, REPLAN, REPLAN_GONE, STORE_FULL, OF_DENIED, ORDER_PLAN, ORDER_ALTERED, ORDER_LATE
} how;

typedef struct row {
    const char *id, *what;
    symbi_code code;         /* CODE_UNSPECIFIED with status: nothing opens */
    symbi_status status;
    how how;
    const char *policies, *name, *args, *context; /* defaults: permit all, "count", {"path":"a"}, none */
    size_t name_len;         /* where the name holds a NUL */
} row;

#define ALL "permit(principal, action, resource);\n"
#define C(x) SYMBI_CODE_##x

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* a row says only what is special about it */
static const row k_rows[] = {
    /* policies that do not load */
    { "policy-syntax", "a policy does not parse", C(UNSPECIFIED), SYMBI_EPARSE, LOAD, ALL "permit(principal action, resource);" },
    { "policy-half", "a file ends in the middle of a policy", C(UNSPECIFIED), SYMBI_EPARSE, LOAD, ALL "forbid(principal, action, resource) when { context" },
    { "policy-semicolon", "a `;` is missing, so that two policies run together", C(UNSPECIFIED), SYMBI_EPARSE, LOAD, "permit(principal, action, resource)\nforbid(principal, action, resource);" },
    { "policy-string", "a string is not closed", C(UNSPECIFIED), SYMBI_EPARSE, LOAD, ALL "forbid(principal == Agent::\"x, action, resource);" },
    { "policy-utf8", "a policy holds bytes that are not UTF-8", C(UNSPECIFIED), SYMBI_EPARSE, LOAD, ALL "// \xff\xfe\n" },
    { "policy-function", "a policy calls a function that does not exist", C(UNSPECIFIED), SYMBI_EPARSE, LOAD, ALL "forbid(principal, action, resource) when { matches(context.input.path) };" },
    { "policy-integer", "an integer is beyond 64 bits", C(UNSPECIFIED), SYMBI_EPARSE, LOAD, ALL "forbid(principal, action, resource) when { 9223372036854775808 > 1 };" },
    { "policy-assign", "`=` stands for `==`", C(UNSPECIFIED), SYMBI_EPARSE, LOAD, ALL "forbid(principal, action, resource) when { resource.name = \"count\" };" },
    { "policy-dialect", "the seed's dialect, under strict_policies", C(UNSPECIFIED), SYMBI_EPARSE, LOAD_STRICT, ALL "forbid(principal, action == \"tool_call\", resource);" },
    { "policy-id-twice", "two policies have one @id", C(UNSPECIFIED), SYMBI_EEXISTS, LOAD_IDS, "@id(\"a\") permit(principal, action, resource);\n@id(\"a\") forbid(principal, action, resource);" },
    { "policy-deep", "1,000,000 nested parentheses", C(UNSPECIFIED), SYMBI_ELIMIT, LOAD_DEEP },
    { "policy-big", "a policy text larger than the limit", C(UNSPECIFIED), SYMBI_ELIMIT, LOAD_BIG },
    { "policy-many", "more policies than the limit", C(UNSPECIFIED), SYMBI_ELIMIT, LOAD_MANY },
    { "policy-json", "a JSON policy with an effect that does not exist", C(UNSPECIFIED), SYMBI_ESCHEMA, LOAD_JSON },
    { "compat-halves", "two broken halves that upstream's joining might make whole", C(UNSPECIFIED), SYMBI_EPARSE, LOAD_COMPAT, "permit(principal, action, resource)" },
    { "reload-broken", "a broken edit of the policies in force: the old set stays, forbids included", C(FORBIDDEN), SYMBI_OK, RELOAD_BROKEN, ALL "forbid(principal, action, resource);" },
    { "allow-all-production", "insecure_allow_all where SYMBIONT_ENV is production", C(UNSPECIFIED), SYMBI_EDENIED, PRODUCTION },
    { "trail-damaged", "the trail was tampered with before the start", C(UNSPECIFIED), SYMBI_EVERIFY, TRAIL_DAMAGED },

    /* what policies say */
    { "no-policies", "no policies", C(NO_POLICIES), SYMBI_OK, NO_SET },
    { "empty-file", "a policy file with nothing but a comment", C(NO_POLICIES), SYMBI_OK, CHECK_ONLY, "// nothing yet\n" },
    { "template-only", "only a template without a link", C(DEFAULT_DENY), SYMBI_OK, CHECK_ONLY, "permit(principal == ?principal, action, resource);" },
    { "nothing-permits", "no policy permits it", C(DEFAULT_DENY), SYMBI_OK, CHECK_ONLY, "permit(principal, action == Action::\"tool_call::other\", resource);" },
    { "answer-not-permitted", "tools are permitted, the answer is not", C(DEFAULT_DENY), SYMBI_OK, ANSWER, "permit(principal, action in Action::\"tool_call\", resource);" },
    { "forbidden", "a policy forbids it, another permits it", C(FORBIDDEN), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action == Action::\"tool_call::count\", resource);" },
    { "forbidden-dialect", "a policy in the seed's dialect forbids it", C(FORBIDDEN), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action == \"tool_call\", resource) when { resource.name == \"count\" };" },
    { "forbid-absent", "a forbid reads a fact that is absent", C(POLICY_ERROR), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action, resource) when { context.risk > 5 };" },
    { "forbid-type", "a forbid compares a string with a number", C(POLICY_ERROR), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action, resource) when { context.risk > 5 };", NULL, NULL, "{\"risk\":\"9\"}" },
    { "forbid-like-entity", "a forbid uses `like` on an entity, as a shipped example does", C(POLICY_ERROR), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action, resource) when { action like \"tool_call::*\" };" },
    { "forbid-overflow", "an argument makes a forbid overflow", C(POLICY_ERROR), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action, resource) when { context.input.n + 1 > 100 };", NULL, "{\"path\":\"a\",\"n\":9223372036854775807}" },
    { "forbid-argument-absent", "a model leaves out the argument that a forbid reads", C(POLICY_ERROR), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action, resource) when { context.input.n > 100 };" },
    { "forbid-entity", "a forbid reads an attribute of an entity that does not exist", C(POLICY_ERROR), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action, resource) when { Agent::\"boss\".away };" },
    { "forbid-ip", "an argument is no IP address where a forbid reads one", C(POLICY_ERROR), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action, resource) when { ip(context.input.path).isLoopback() };" },
    { "forbid-tag", "a forbid reads a tag that is absent", C(POLICY_ERROR), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action, resource) when { principal.getTag(\"team\") == \"red\" };" },
    { "permit-error", "the only permit cannot be evaluated", C(DEFAULT_DENY), SYMBI_OK, CHECK_ONLY, "permit(principal, action, resource) when { context.risk < 5 };" },
    { "too-many-steps", "deciding takes more steps than the limit", C(EVALUATION_LIMIT), SYMBI_OK, STEPS, "permit(principal, action, resource) when { 1 + 1 + 1 + 1 + 1 + context.now > 0 };" },
    { "other-namespace", "the policies speak of another namespace", C(DEFAULT_DENY), SYMBI_OK, CHECK_ONLY, "permit(principal == Other::Agent::\"bot\", action, resource);" },
    { "policy-other-case", "a policy writes the tool's name in another case", C(DEFAULT_DENY), SYMBI_OK, CHECK_ONLY, "permit(principal, action == Action::\"tool_call::Count\", resource);" },
    { "policy-homoglyph", "a policy permits a look-alike name", C(DEFAULT_DENY), SYMBI_OK, CHECK_ONLY, "permit(principal, action == Action::\"tool_call::c\xd0\xbeunt\", resource);" },
    { "policy-old-name", "the tool was renamed, the policy was not", C(DEFAULT_DENY), SYMBI_OK, CHECK_ONLY, "permit(principal, action == Action::\"tool_call::count_lines\", resource);" },
    { "shadow-permits", "a shadow set would permit it", C(FORBIDDEN), SYMBI_OK, SHADOW, ALL "forbid(principal, action, resource);" },

    { "put-off", "a policy puts it off", C(DEFERRED), SYMBI_OK, CHECK_ONLY, ALL "@instead(\"defer 1m\") forbid(principal, action, resource);" },
    { "policy-asks-person", "a policy wants a person's approval", C(APPROVAL_REQUIRED), SYMBI_OK, CHECK_ONLY, ALL "@instead(\"step_up\") forbid(principal, action, resource);" },
    { "person-beside-no", "a policy wants a person's approval, another forbids it anyway", C(FORBIDDEN), SYMBI_OK, CHECK_ONLY, ALL "@instead(\"step_up\") forbid(principal, action, resource); forbid(principal, action, resource);" },
    { "change-contract", "a policy wants other arguments, which break the contract", C(MODIFY_FAILED), SYMBI_OK, CHECK_ONLY, ALL "@instead(\"modify n = \\\"many\\\"\") forbid(principal, action, resource);" },
    { "change-again", "a policy wants other arguments, and forbids those too", C(MODIFY_FAILED), SYMBI_OK, CHECK_ONLY, ALL "@instead(\"modify n = 1\") forbid(principal, action, resource);" },
    { "change-forbidden", "a policy wants other arguments, which another forbids", C(FORBIDDEN), SYMBI_OK, CHECK_ONLY, ALL "@instead(\"modify n = 1\") forbid(principal, action, resource) unless { context.input has n }; forbid(principal, action, resource) when { context.input has n };" },
    { "change-not-permitted", "a policy wants other arguments, which nobody permits", C(DEFAULT_DENY), SYMBI_OK, CHECK_ONLY, "permit(principal, action, resource) unless { context.input has n }; @instead(\"modify n = 1\") forbid(principal, action, resource) unless { context.input has n };" },

    /* contracts */
    { "unknown-tool", "no such tool", C(UNKNOWN_TOOL), SYMBI_OK, CHECK_ONLY, NULL, "format_disk" },
    { "renamed-tool", "the model uses the tool's old name", C(UNKNOWN_TOOL), SYMBI_OK, CHECK_ONLY, ALL "permit(principal, action == Action::\"tool_call::count_lines\", resource);", "count_lines" },
    { "homoglyph-tool", "a look-alike of a tool's name (Cyrillic o)", C(UNKNOWN_TOOL), SYMBI_OK, CHECK_ONLY, NULL, "c\xd0\xbeunt" },
    { "tool-other-case", "the name in another case", C(UNKNOWN_TOOL), SYMBI_OK, CHECK_ONLY, NULL, "Count" },
    { "tool-space", "a space behind the name", C(UNKNOWN_TOOL), SYMBI_OK, CHECK_ONLY, NULL, "count " },
    { "tool-nul", "a NUL byte within the name", C(UNKNOWN_TOOL), SYMBI_OK, CHECK_ONLY, NULL, "count\0x", NULL, NULL, 7 },
    { "tool-zero-width", "a zero-width space within the name", C(UNKNOWN_TOOL), SYMBI_OK, CHECK_ONLY, NULL, "cou\xe2\x80\x8bnt" },
    { "no-tools", "no tools are declared at all", C(UNKNOWN_TOOL), SYMBI_OK, NO_TOOLS },
    { "profile-other", "the tool is not in the executor profile, whatever policy says", C(NOT_IN_PROFILE), SYMBI_OK, PROFILE_OTHER },
    { "profile-empty", "the executor profile is empty", C(NOT_IN_PROFILE), SYMBI_OK, PROFILE_EMPTY },
    { "args-none", "no arguments text", C(BAD_ARGUMENTS_JSON), SYMBI_OK, CHECK_ONLY, NULL, NULL, "" },
    { "args-cut", "the arguments are cut off", C(BAD_ARGUMENTS_JSON), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"a\"" },
    { "args-duplicate", "an argument is given twice", C(BAD_ARGUMENTS_JSON), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"a\",\"path\":\"/etc/shadow\"}" },
    { "args-trailing", "something follows the arguments", C(BAD_ARGUMENTS_JSON), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"a\"}{\"path\":\"b\"}" },
    { "args-nan", "NaN as an argument", C(BAD_ARGUMENTS_JSON), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"a\",\"n\":NaN}" },
    { "args-utf8", "an argument that is not UTF-8", C(BAD_ARGUMENTS_JSON), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"a\xff\"}" },
    { "args-surrogate", "half a surrogate pair", C(BAD_ARGUMENTS_JSON), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"\\ud800\"}" },
    { "args-huge-integer", "an integer beyond 64 bits", C(BAD_ARGUMENTS_JSON), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"a\",\"n\":9223372036854775808}" },
    { "args-deep", "100,000 nested lists", C(BAD_ARGUMENTS_JSON), SYMBI_OK, DEEP_ARGS },
    { "args-array", "the arguments are a list", C(ARGUMENTS_NOT_OBJECT), SYMBI_OK, CHECK_ONLY, NULL, NULL, "[\"a\"]" },
    { "args-null", "the arguments are null", C(ARGUMENTS_NOT_OBJECT), SYMBI_OK, CHECK_ONLY, NULL, NULL, "null" },
    { "args-missing", "a required argument is missing", C(INVALID_ARGUMENTS), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{}" },
    { "args-type", "an argument is of the wrong type", C(INVALID_ARGUMENTS), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"a\",\"n\":\"many\"}" },
    { "args-fraction", "a fraction where an integer is declared", C(INVALID_ARGUMENTS), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"a\",\"n\":1.5}" },
    { "args-undeclared", "an argument that the tool does not declare", C(INVALID_ARGUMENTS), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"a\",\"force\":true}" },
    { "args-traversal", "a path that leaves the project", C(INVALID_ARGUMENTS), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"../../etc/passwd\"}" },
    { "args-nul", "a NUL byte within an argument", C(INVALID_ARGUMENTS), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":\"a\\u0000b\"}" },
    { "args-entity", "an argument poses as an entity", C(INVALID_ARGUMENTS), SYMBI_OK, CHECK_ONLY, NULL, NULL, "{\"path\":{\"__entity\":{\"type\":\"Agent\",\"id\":\"root\"}}}" },
    { "args-large", "arguments larger than the limit", C(ARGUMENTS_TOO_LARGE), SYMBI_OK, BIG_ARGS },

    /* the action itself */
    { "action-kind", "an action without a kind", C(BAD_ACTION), SYMBI_OK, NO_KIND },
    { "action-kind-unknown", "an action of a kind that does not exist", C(BAD_ACTION), SYMBI_OK, BAD_KIND },
    { "action-agent", "an action without an agent", C(BAD_ACTION), SYMBI_OK, NO_AGENT },
    { "action-name", "a tool call without a name", C(BAD_ACTION), SYMBI_OK, CHECK_ONLY, NULL, "" },
    { "action-named-answer", "an answer that names a tool", C(BAD_ACTION), SYMBI_OK, NAMED_ANSWER },
    { "action-name-utf8", "a name that is not UTF-8", C(BAD_ACTION), SYMBI_OK, CHECK_ONLY, NULL, "count\xff" },
    { "action-name-long", "a name longer than 135 bytes", C(BAD_ACTION), SYMBI_OK, LONG_NAME },
    { "action-agent-long", "an agent id longer than 127 bytes", C(BAD_ACTION), SYMBI_OK, LONG_AGENT },
    { "action-content", "an answer that is not UTF-8", C(BAD_ACTION), SYMBI_OK, BAD_CONTENT },

    /* who is calling, and with what */
    { "identity-none", "the agent shows no credential, and must", C(IDENTITY_REQUIRED), SYMBI_OK, ID_NONE },
    { "identity-forged", "a credential signed with a key that its issuer does not publish", C(IDENTITY_INVALID), SYMBI_OK, ID_FORGED },
    { "identity-expired", "a credential that expired since it was verified", C(IDENTITY_EXPIRED), SYMBI_OK, ID_LATE },
    { "identity-other", "another agent's credential", C(IDENTITY_MISMATCH), SYMBI_OK, ID_OTHER },
    { "identity-issuer", "a good credential from a domain whose word does not count", C(IDENTITY_MISMATCH), SYMBI_OK, ID_ISSUER },
    { "tool-unsigned", "a tool whose contract must be signed, and is not", C(TOOL_UNVERIFIED), SYMBI_OK, PROOF_NONE },
    { "tool-forged", "a signature of the tool's contract that does not verify", C(TOOL_PROOF_INVALID), SYMBI_OK, PROOF_FORGED },
    { "tool-signature-expired", "a signature of the tool's contract that expired since", C(TOOL_PROOF_EXPIRED), SYMBI_OK, PROOF_LATE },
    { "tool-changed", "the signature is good, and of another contract under the tool's name", C(TOOL_CHANGED), SYMBI_OK, PROOF_OTHER },

    /* what it is aimed at */
    { "scope-outside", "a target that the scope file does not name", C(OUT_OF_SCOPE), SYMBI_OK, SCOPE_OUTSIDE, NULL, "scan", "{\"host\":\"10.9.0.1\"}" },
    { "scope-none", "a tool names a target, there is no scope file, and the host requires one", C(OUT_OF_SCOPE), SYMBI_OK, SCOPE_NONE, NULL, "scan", "{\"host\":\"10.0.0.1\"}" },
    { "scope-broken", "the scope file cannot be read", C(OUT_OF_SCOPE), SYMBI_OK, SCOPE_BROKEN, NULL, "scan", "{\"host\":\"10.0.0.1\"}" },

    /* trusted facts */
    { "context-input", "the host's facts use the key `input`", C(RESERVED_CONTEXT_KEY), SYMBI_OK, CHECK_ONLY, NULL, NULL, NULL, "{\"input\":{\"path\":\"ok\"}}" },
    { "context-approval", "the host's facts claim has_human_approval", C(RESERVED_CONTEXT_KEY), SYMBI_OK, CHECK_ONLY, NULL, NULL, NULL, "{\"has_human_approval\":true}" },
    { "context-now", "the host's facts claim a time", C(RESERVED_CONTEXT_KEY), SYMBI_OK, CHECK_ONLY, NULL, NULL, NULL, "{\"now\":0}" },
    { "context-float", "a fact that Cedar has no type for (a fraction)", C(BAD_CONTEXT), SYMBI_OK, CHECK_ONLY, NULL, NULL, NULL, "{\"load\":0.5}" },
    { "context-null", "a fact that is null", C(BAD_CONTEXT), SYMBI_OK, CHECK_ONLY, ALL "forbid(principal, action, resource) when { context has ticket && context.ticket == 1 };", NULL, NULL, "{\"ticket\":null}" },
    { "context-escape", "a fact with a malformed __extn", C(BAD_CONTEXT), SYMBI_OK, CHECK_ONLY, NULL, NULL, NULL, "{\"from\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"nowhere\"}}}" },
    { "context-not-object", "facts that are no object", C(BAD_CONTEXT), SYMBI_OK, NOT_OBJECT },

    /* budgets, communication, people */
    { "budget", "the tool-call budget is used up", C(BUDGET_TOOL_CALLS), SYMBI_OK, BUDGET },
    { "comm-no-rule", "no communication rule lets the two talk", C(COMM_DENIED), SYMBI_OK, COMM_NO_RULE },
    { "comm-deep", "a delegation deeper than its rule allows", C(COMM_DENIED), SYMBI_OK, COMM_DEEP },
    { "delegate-not-permitted", "a delegation that no policy permits", C(DEFAULT_DENY), SYMBI_OK, DELEGATE, "permit(principal, action in Action::\"tool_call\", resource);" },
    { "approval-required", "a tool that a person must approve", C(APPROVAL_REQUIRED), SYMBI_OK, ASK, NULL, "wipe" },
    { "approval-denied", "the person says no", C(APPROVAL_DENIED), SYMBI_OK, ASKED_DENIED, NULL, "wipe" },
    { "approval-expired", "the person's yes is too old", C(APPROVAL_REQUIRED), SYMBI_OK, ASKED_EXPIRED, NULL, "wipe" },
    { "approval-other-args", "the person's yes was for other arguments", C(APPROVAL_REQUIRED), SYMBI_OK, ASKED_OTHER, NULL, "wipe" },
    { "approval-twice", "the person's yes was used already", C(APPROVAL_REQUIRED), SYMBI_OK, ASKED_TWICE, NULL, "wipe" },
    { "approval-stored-gone", "another process uses the stored yes first", C(APPROVAL_EXPIRED), SYMBI_OK, STORED_GONE, NULL, "wipe" },
    { "approval-forbidden", "a person approved what a policy forbids", C(FORBIDDEN), SYMBI_OK, ASKED_FORBIDDEN, ALL "forbid(principal, action == Action::\"tool_call::wipe\", resource);", "wipe" },

    /* the machine */
    { "no-random", "the random source fails", C(NO_RANDOM), SYMBI_OK, RANDOM },
    { "no-memory", "out of memory, at each allocation of the check in turn", C(OUT_OF_MEMORY), SYMBI_OK, MEMORY },
    { "clock-back", "the clock was set back", C(CLOCK_BACKWARD), SYMBI_OK, CLOCK },
    { "clock-back-commit", "the clock is set back between check and commit", C(CLOCK_BACKWARD), SYMBI_OK, COMMIT_CLOCK },
    { "store-down", "the store is down", C(AUDIT_FAILED), SYMBI_OK, STORE_DOWN },
    { "disk-full", "the disk is full", C(AUDIT_FAILED), SYMBI_OK, DISK_FULL },
    { "store-race", "another writer always wins the race for the trail", C(AUDIT_FAILED), SYMBI_OK, RACE },
    { "verdict-unfilled", "a verdict that nobody filled in", C(UNSPECIFIED), SYMBI_OK, UNFILLED },

    /* permits */
    { "permit-uncommitted", "the decision is not on the trail yet", C(NOT_COMMITTED), SYMBI_OK, UNCOMMITTED },
    { "permit-expired", "the permit has expired", C(PERMIT_EXPIRED), SYMBI_OK, EXPIRED },
    { "permit-reused", "the permit was used already", C(PERMIT_USED), SYMBI_OK, REUSED },
    { "permit-foreign", "the permit of another gate", C(PERMIT_FOREIGN), SYMBI_OK, FOREIGN },
    { "permit-altered", "one bit of the permit is another", C(PERMIT_FOREIGN), SYMBI_OK, ALTERED },
    { "permit-cut", "a permit that is too short", C(PERMIT_FOREIGN), SYMBI_OK, CUT },
    { "permit-none", "no permit", C(PERMIT_FOREIGN), SYMBI_OK, EMPTY },
    { "permit-other-action", "the permit of another action", C(PERMIT_MISMATCH), SYMBI_OK, OF_ANOTHER },
    { "permit-denied", "a permit presented for a denied verdict", C(PERMIT_MISMATCH), SYMBI_OK, OF_DENIED },
    { "permit-replan", "the tool's manifest is another one between decision and use", C(TOOL_REPLAN), SYMBI_OK, REPLAN },
    { "permit-replan-gone", "the tool is gone between decision and use", C(TOOL_REPLAN), SYMBI_OK, REPLAN_GONE },
    { "permit-stale", "the policies are reloaded between decision and use", C(PERMIT_STALE), SYMBI_OK, STALE },
    { "permit-store-full", "more permits were redeemed than can be remembered", C(PERMIT_STORE_FULL), SYMBI_OK, STORE_FULL },
    { "order-other-plan", "an executor gets the order with another plan", C(PERMIT_MISMATCH), SYMBI_OK, ORDER_PLAN },
    { "order-altered", "an executor gets an altered order", C(PERMIT_FOREIGN), SYMBI_OK, ORDER_ALTERED },
    { "order-late", "an executor gets the order too late", C(PERMIT_EXPIRED), SYMBI_OK, ORDER_LATE },
};
enum { ROWS = sizeof k_rows / sizeof *k_rows };

/* ---- the world of a row ---- */

static const char k_count_more[] = "[tool]\nname = \"count\"\ndispatch = \"callback\"\n[args.path]\ntype = \"string\"\nrequired = true\n[args.more]\ntype = \"string\"\nrequired = true\n";
static const char k_count[] =
    "[tool]\nname = \"count\"\nversion = \"1\"\ndescription = \"d\"\n[args.path]\ntype = \"path\"\nrequired = true\n[args.n]\ntype = \"integer\"\n"
    "[command]\nexec = [\"wc\", \"-l\", \"--\", \"{path}\"]\n[output]\nformat = \"text\"\n";
static const char k_wipe[] =
    "[tool]\nname = \"wipe\"\nversion = \"1\"\ndescription = \"d\"\nhuman_approval = true\n[args.path]\ntype = \"path\"\nrequired = true\n"
    "[command]\nexec = [\"rm\", \"--\", \"{path}\"]\n[output]\nformat = \"text\"\n";

typedef struct world {
    symbi_ctx *cx;
    fake_clock clock;
    counting_alloc mem;
    int broken_random;
    symbi_toolset *tools;
    symbi_cedar *set, *other;
    symbi_comm_rules *comm;
    symbi_store store;
    failing_store backing;
    symbi_key *key;
    symbi_audit *audit;
    symbi_gate *gate;
    symbi_doc *context;
    char *big;
    symbi_agentpin_result *id;
    symbi_schemapin_result *proof;
    symbi_err err;
} world;

static int fill(void *ud, void *buf, size_t n)
{
    static uint32_t next;
    if (*(int *)ud) return -1;
    for (size_t i = 0; i < n; i++) ((uint8_t *)buf)[i] = (uint8_t)((next = next * 1664525u + 1013904223u) >> 24);
    return 0;
}

static const char k_scan[] = "[tool]\nname = \"scan\"\ndispatch = \"callback\"\n[args.host]\ntype = \"scope_target\"\nrequired = true\n";

static bool add_tool(world *w, const char *manifest)
{
    symbi_tool *t;
    bool ok = symbi_tool_parse(w->cx, symbi_str_z(manifest), S("t.clad.toml"), &t, &w->err) == SYMBI_OK;
    if (ok) {
        ok = symbi_toolset_add(w->tools, t, &w->err) == SYMBI_OK;
        symbi_tool_unref(t);
    }
    return ok;
}

static bool open_trail(world *w)
{
    symbi_audit_options ao;
    memset(&ao, 0, sizeof ao);
    ao.key = w->key;
    return symbi_audit_open(w->cx, &w->store, &ao, &w->audit, &w->err) == SYMBI_OK;
}

static bool open_world(world *w)
{
    symbi_env env;
    memset(w, 0, sizeof *w);
    w->clock.wall = 1700000000000;
    w->clock.mono = 1000;
    symbi_env_init(&env);
    env.clock = (symbi_clock){ .wall_ms = fake_wall, .mono_ms = fake_mono, .ud = &w->clock };
    env.alloc.fn = env.shared_alloc.fn = counting_fn;
    env.alloc.ud = env.shared_alloc.ud = &w->mem;
    env.rand.fill = fill;
    env.rand.ud = &w->broken_random;
    return symbi_ctx_new(&env, &w->cx, &w->err) == SYMBI_OK && symbi_toolset_new(w->cx, &w->tools, &w->err) == SYMBI_OK && add_tool(w, k_count) && add_tool(w, k_wipe) && add_tool(w, k_scan) &&
           failing_store_new(w->cx, &w->backing, &w->store, &w->err) == SYMBI_OK && symbi_ed25519_generate(w->cx, &w->key, &w->err) == SYMBI_OK && open_trail(w);
}

static void close_world(world *w)
{
    symbi_gate_free(w->gate);
    symbi_agentpin_result_unref(w->id);
    symbi_schemapin_result_unref(w->proof);
    symbi_audit_free(w->audit);
    symbi_key_unref(w->key);
    symbi_memstore_free(&w->backing.inner);
    symbi_cedar_unref(w->set);
    symbi_cedar_unref(w->other);
    symbi_comm_rules_unref(w->comm);
    symbi_toolset_unref(w->tools);
    symbi_doc_unref(w->context);
    free(w->big);
    symbi_ctx_free(w->cx);
    CHECK(w->mem.live_blocks == 0 && w->mem.live_bytes == 0);
}

enum { LENIENT = SYMBI_CEDAR_IDS_ANNOTATED | SYMBI_CEDAR_SYMBI_ALIAS | SYMBI_CEDAR_LEGACY_SCOPE };

static symbi_status parse(world *w, symbi_str text, unsigned flags, symbi_cedar **out)
{
    symbi_cedar_source src = { { "p.cedar", 7 }, text };
    return symbi_cedar_parse(w->cx, &src, 1, flags, out, &w->err);
}

static symbi_action action_of(const row *r)
{
    symbi_action a;
    memset(&a, 0, sizeof a);
    a.kind = SYMBI_ACTION_TOOL_CALL;
    a.agent = S("bot");
    a.name = symbi_str_z(r->name ? r->name : "count");
    if (r->name_len) a.name.n = r->name_len;
    a.args_text = symbi_str_z(r->args ? r->args : "{\"path\":\"a\"}");
    return a;
}

/* The last of len entries holds this text and this code. */
static bool last_entry(world *w, uint64_t len, const char *text, const char *code)
{
    symbi_store_row entry;
    symbi_err err;
    char want[80];
    if (symbi_audit_len(w->audit) != len) return false;
    if (w->store.row(w->store.ud, S("main"), len - 1, &entry, &err)) return false;
    snprintf(want, sizeof want, "\"code\":\"%s\"", code);
    return entry.event.n && strstr(entry.event.p, text) && strstr(entry.event.p, want);
}

/* ...and it is this decision. */
static bool on_trail(world *w, uint64_t len, const char *decision, const char *code)
{
    char want[80];
    snprintf(want, sizeof want, "\"decision\":\"%s\"", decision);
    return last_entry(w, len, "\"policy_evaluated\"", code) && last_entry(w, len, want, code);
}

static void fail_row(const row *r, const char *what, const char *detail)
{
    printf("%s: %s: %s\n", r->id, what, detail);
    t_now_failed = 1;
}

/* ---- rows that nothing opens for ---- */

static void run_load(const row *r, world *w)
{
    symbi_status st;
    symbi_cedar *set = NULL;
    symbi_gate *g = NULL;
    symbi_gate_options o;
    symbi_str text = symbi_str_z(r->policies ? r->policies : "");
    symbi_gate_options_init(&o);
    switch (r->how) {
    case LOAD_STRICT: st = parse(w, text, SYMBI_CEDAR_SYMBI_ALIAS, &set); break;
    case LOAD_DEEP: {
        static const char head[] = "permit(principal, action, resource) when { ", tail[] = " };";
        size_t n = 1000000, h = sizeof head - 1;
        w->big = malloc(h + 2 * n + 8);
        memcpy(w->big, head, h);
        memset(w->big + h, '(', n);
        w->big[h + n] = '1';
        memset(w->big + h + n + 1, ')', n);
        memcpy(w->big + h + 2 * n + 1, tail, sizeof tail);
        st = parse(w, symbi_str_z(w->big), LENIENT, &set);
        break;
    }
    case LOAD_BIG:
        symbi_ctx_limits(w->cx)->policy_bytes = 30;
        st = parse(w, S(ALL), LENIENT, &set);
        break;
    case LOAD_MANY:
        symbi_ctx_limits(w->cx)->policy_count = 2;
        st = parse(w, S(ALL ALL ALL), LENIENT, &set);
        break;
    case LOAD_JSON: {
        symbi_doc *d;
        CHECK_OK(symbi_json_parse(w->cx, S("{\"effect\":\"maybe\",\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"},\"conditions\":[]}"), &d, &w->err), w->err);
        st = symbi_cedar_from_json(w->cx, symbi_doc_root(d), LENIENT, &set, &w->err);
        symbi_doc_unref(d);
        break;
    }
    case LOAD_COMPAT: {
        symbi_cedar_source two[2] = { { S("a"), text }, { S("b"), S(ALL) } };
        st = symbi_compat_policies(w->cx, two, 2, &set, &w->err);
        break;
    }
    case PRODUCTION:
        o.insecure_allow_all = o.production = true;
        st = symbi_gate_new(w->cx, &o, &g, &w->err);
        break;
    case TRAIL_DAMAGED: {
        symbi_audit_event ev;
        symbi_key *other;
        symbi_audit_options ao;
        memset(&ev, 0, sizeof ev);
        ev.event = S("{\"type\":\"x\"}");
        CHECK_OK(symbi_audit_commit(w->audit, &ev, 1, NULL, 0, false, &w->err), w->err);
        symbi_audit_free(w->audit);
        w->audit = NULL;
        CHECK_OK(symbi_ed25519_generate(w->cx, &other, &w->err), w->err); /* the trail is another key's */
        memset(&ao, 0, sizeof ao);
        ao.key = other;
        st = symbi_audit_open(w->cx, &w->store, &ao, &w->audit, &w->err);
        symbi_key_unref(other);
        break;
    }
    default: st = parse(w, text, LENIENT, &set); break;
    }
    if (st != r->status) fail_row(r, "status", symbi_status_name(st));
    if (set || g) fail_row(r, "something", "was made all the same");
    if (!w->err.msg[0]) fail_row(r, "message", "none");
    symbi_cedar_unref(set);
    symbi_gate_free(g);
}

/* ---- rows that end in the check ---- */

static symbi_status oom_check(symbi_ctx *cx, void *ud)
{
    const row *r = ud;
    world w;
    symbi_gate_options o;
    symbi_verdict v;
    symbi_action a = action_of(r);
    symbi_status st;
    memset(&w, 0, sizeof w);
    memset(&v, 0, sizeof v);
    w.cx = cx;
    symbi_gate_options_init(&o);
    st = symbi_toolset_new(cx, &w.tools, &w.err);
    if (!st && !add_tool(&w, k_count)) st = w.err.code;
    if (!st) st = parse(&w, S(ALL), LENIENT, &w.set);
    o.tools = w.tools;
    o.policies = w.set;
    if (!st) st = symbi_gate_new(cx, &o, &w.gate, &w.err);
    if (!st) {
        symbi_gate_check(w.gate, &a, NULL, &v);
        if (v.decision != SYMBI_ALLOW) st = v.code == SYMBI_CODE_OUT_OF_MEMORY && !v.has_permit ? SYMBI_ENOMEM : SYMBI_EDENIED;
    }
    symbi_verdict_clear(&v);
    symbi_gate_free(w.gate);
    symbi_cedar_unref(w.set);
    symbi_toolset_unref(w.tools);
    return st;
}

static bool open_gate(const row *r, world *w)
{
    static const char rules[] = "[{\"from_agent\":\"bot\",\"to_agent\":\"writer\",\"action\":\"allow\",\"max_depth\":2}]";
    static const symbi_str others[] = { { "wipe", 4 }, { "zip", 3 } };
    symbi_gate_options o;
    symbi_doc *d;
    symbi_gate_options_init(&o);
    if (r->how != NO_SET) {
        if (parse(w, symbi_str_z(r->policies ? r->policies : ALL), LENIENT, &w->set)) return false;
        o.policies = w->set;
    }
    if (r->how != NO_TOOLS) o.tools = w->tools;
    if (r->how == PROFILE_OTHER || r->how == PROFILE_EMPTY) {
        o.has_profile = true;
        o.profile = others;
        o.nprofile = r->how == PROFILE_OTHER ? 2 : 0;
    }
    if (r->how == BUDGET) o.max_tool_calls = 3;
    o.require_identity = r->how == ID_NONE;
    o.require_verified = r->how == PROOF_NONE;
    if (r->how == ID_ISSUER) o.identity_issuer = S("example.com");
    if (r->how == COMM_NO_RULE || r->how == COMM_DEEP) {
        if (symbi_json_parse(w->cx, symbi_str_z(rules), &d, &w->err)) return false;
        if (symbi_comm_rules_parse(w->cx, symbi_doc_root(d), 0, &w->comm, &w->err)) return false;
        symbi_doc_unref(d);
        o.comm = w->comm;
    }
    o.require_scope = r->how == SCOPE_NONE;
    if (r->how == SCOPE_OUTSIDE && symbi_scope_parse(w->cx, S("[scope]\ntargets = [\"10.0.0.0/24\"]\n"), S("scope.toml"), &o.scope, &w->err)) return false;
    if (r->how == SCOPE_BROKEN && symbi_scope_broken(w->cx, S("scope.toml:1: broken"), &o.scope, &w->err)) return false;
    if (r->how == STORE_FULL) symbi_ctx_limits(w->cx)->permits_used = 1;
    o.audit = w->audit;
    if (symbi_gate_new(w->cx, &o, &w->gate, &w->err)) w->gate = NULL;
    symbi_scope_unref(o.scope);
    return w->gate != NULL;
}

/* A person's answer to this action, given before it is checked. */
static void answer(world *w, const symbi_action *a, bool yes)
{
    symbi_verdict v;
    memset(&v, 0, sizeof v);
    symbi_gate_check(w->gate, a, NULL, &v);
    CHECK(v.decision == SYMBI_STEP_UP && v.code == SYMBI_CODE_APPROVAL_REQUIRED && !v.has_permit);
    CHECK_OK(symbi_gate_approve(w->gate, v.action_digest, yes, S("ann"), 1000, &w->err), w->err);
    symbi_verdict_clear(&v);
}

static void arrange(const row *r, world *w, symbi_action *a, symbi_facts *f)
{
    static char name[200];
    symbi_action other = *a;
    symbi_verdict v;
    memset(&v, 0, sizeof v);
    memset(name, 'n', sizeof name);
    switch (r->how) {
    case NO_AGENT: a->agent = S(""); break;
    case NO_KIND: a->kind = SYMBI_ACTION_NONE; break;
    case BAD_KIND: a->kind = (symbi_action_kind)77; break;
    case NAMED_ANSWER: a->kind = SYMBI_ACTION_RESPOND; break;
    case ANSWER: case BAD_CONTENT:
        a->kind = SYMBI_ACTION_RESPOND;
        a->name = S("");
        a->content = r->how == ANSWER ? S("done") : S("do\xff");
        break;
    case LONG_NAME: a->name = (symbi_str){ name, 136 }; break;
    case LONG_AGENT: a->agent = (symbi_str){ name, 128 }; break;
    case DELEGATE: case COMM_NO_RULE: case COMM_DEEP:
        a->kind = SYMBI_ACTION_DELEGATE;
        a->name = r->how == COMM_NO_RULE ? S("publisher") : S("writer");
        f->depth = r->how == COMM_DEEP ? 3 : 1;
        break;
    case BUDGET: f->tool_calls = 3; break;
    case ID_FORGED: case ID_LATE: case ID_OTHER: case ID_ISSUER:
        w->id = make_identity(w->cx, r->how == ID_ISSUER ? "elsewhere.example" : "example.com", r->how == ID_OTHER ? "eve" : "bot", w->clock.wall / 1000, r->how == ID_FORGED ? FORGED : SHORT);
        CHECK(w->id != NULL);
        a->identity = w->id;
        if (r->how == ID_LATE) w->clock.wall += 121000;
        break;
    case PROOF_FORGED: case PROOF_LATE: case PROOF_OTHER:
        w->proof = make_proof(w->cx, symbi_toolset_find(w->tools, S("count")), "example.com", w->clock.wall / 1000, r->how == PROOF_FORGED ? FORGED : r->how == PROOF_OTHER ? CHANGED : SHORT);
        CHECK_OK(symbi_gate_prove(w->gate, S("count"), w->proof, &w->err), w->err);
        if (r->how == PROOF_LATE) w->clock.wall += 61000;
        break;
    case STEPS: symbi_ctx_limits(w->cx)->eval_steps = 3; break;
    case DEEP_ARGS:
        w->big = malloc(200001);
        memset(w->big, '[', 100000);
        memset(w->big + 100000, ']', 100000);
        w->big[200000] = 0;
        a->args_text = symbi_str_z(w->big);
        break;
    case BIG_ARGS:
        w->big = malloc((256u << 10) + 2);
        memset(w->big, ' ', (256u << 10) + 1);
        memcpy(w->big, "{\"path\":\"a\"}", 12);
        w->big[(256u << 10) + 1] = 0;
        a->args_text = symbi_str_z(w->big);
        break;
    case RANDOM:
        for (int i = 0; i < 32; i++) { /* the pool holds that many nonces */
            symbi_gate_check(w->gate, a, f, &v);
            symbi_verdict_clear(&v);
        }
        w->broken_random = 1;
        symbi_gate_check(w->gate, a, f, &v);
        symbi_verdict_clear(&v);
        break;
    case CLOCK:
        symbi_gate_check(w->gate, a, f, &v);
        CHECK_OK(symbi_gate_commit(w->gate, &v, f, &w->err), w->err);
        symbi_verdict_clear(&v);
        w->clock.wall -= 5001;
        break;
    case SHADOW:
        CHECK_OK(parse(w, S(ALL), LENIENT, &w->other), w->err);
        symbi_gate_shadow(w->gate, w->other);
        break;
    case RELOAD_BROKEN:
        CHECK(parse(w, S("permit(principal, action, resource"), LENIENT, &w->other) == SYMBI_EPARSE && !w->other);
        CHECK(symbi_gate_generation(w->gate) == 1);
        break;
    case ASKED_DENIED: answer(w, a, false); break;
    case ASKED_EXPIRED:
        answer(w, a, true);
        w->clock.wall += 1001;
        break;
    case ASKED_OTHER:
        other.args_text = S("{\"path\":\"b\"}");
        answer(w, &other, true);
        break;
    case ASKED_TWICE:
        answer(w, a, true);
        symbi_gate_check(w->gate, a, f, &v);
        CHECK(v.code == SYMBI_CODE_ALLOWED);
        symbi_verdict_clear(&v);
        break;
    default: break;
    }
}

static void run_check(const row *r, world *w)
{
    symbi_action a = action_of(r);
    symbi_value text = { .kind = SYMBI_STRING };
    symbi_facts f;
    symbi_verdict v;
    uint64_t len;
    memset(&f, 0, sizeof f);
    memset(&v, 0, sizeof v);
    f.tokens_left = f.time_left_ms = -1;
    if (r->context) {
        CHECK_OK(symbi_json_parse(w->cx, symbi_str_z(r->context), &w->context, &w->err), w->err);
        f.context = symbi_doc_root(w->context);
    }
    if (r->how == NOT_OBJECT) f.context = &text;
    if (!open_gate(r, w)) {
        fail_row(r, "the gate does not open", w->err.msg);
        return;
    }
    arrange(r, w, &a, &f);
    if (r->how == ASKED_FORBIDDEN) { /* nobody is even asked */
        symbi_gate_check(w->gate, &a, &f, &v);
        CHECK_OK(symbi_gate_approve(w->gate, v.action_digest, true, S("ann"), 1000, &w->err), w->err);
        symbi_verdict_clear(&v);
    }
    len = symbi_audit_len(w->audit);
    symbi_gate_check(w->gate, &a, &f, &v);
    if (v.code != r->code) fail_row(r, "code", symbi_code_name(v.code));
    if (v.decision != (v.code == SYMBI_CODE_APPROVAL_REQUIRED ? SYMBI_STEP_UP : v.code == SYMBI_CODE_DEFERRED ? SYMBI_DEFER : SYMBI_DENY)) fail_row(r, "decision", symbi_decision_name(v.decision));
    if (v.has_permit) fail_row(r, "permit", "minted");
    if (!v.reason[0]) fail_row(r, "reason", "none");
    if (r->how == CLOCK) {
        CHECK(symbi_gate_commit(w->gate, &v, &f, &w->err) == SYMBI_ECLOCK);
        CHECK(symbi_audit_len(w->audit) == len);
    } else {
        CHECK_OK(symbi_gate_commit(w->gate, &v, &f, &w->err), w->err);
        if (!on_trail(w, len + 1, symbi_decision_name(v.decision), symbi_code_name(r->code))) fail_row(r, "trail", "no such entry");
    }
    symbi_verdict_clear(&v);
}

/* A stored approval that somebody else uses between the check and the commit. */
static void run_stored_gone(const row *r, world *w)
{
    symbi_action a = action_of(r);
    symbi_verdict v, u;
    symbi_approval_status status;
    char id[65];
    uint64_t len;
    memset(&v, 0, sizeof v);
    memset(&u, 0, sizeof u);
    if (!open_gate(r, w)) {
        fail_row(r, "the gate does not open", w->err.msg);
        return;
    }
    symbi_gate_check(w->gate, &a, NULL, &v);
    CHECK_OK(symbi_gate_request_approval(w->gate, &v, NULL, 0, &status, &w->err), w->err);
    for (int i = 0; i < 32; i++) snprintf(id + 2 * i, 3, "%02x", v.action_digest[i]);
    CHECK_OK(symbi_approval_decide(w->cx, w->audit, symbi_str_z(id), true, S("ann"), &w->err), w->err);
    for (int i = 0; i < 2; i++) { /* two checks load the one approval; the first commit uses it */
        symbi_verdict *x = i ? &v : &u;
        CHECK_OK(symbi_gate_load_approval(w->gate, v.action_digest, &status, &w->err), w->err);
        symbi_verdict_clear(x);
        symbi_gate_check(w->gate, &a, NULL, x);
        CHECK(x->code == SYMBI_CODE_ALLOWED);
        memcpy(v.action_digest, x->action_digest, 32);
    }
    CHECK_OK(symbi_gate_commit(w->gate, &u, NULL, &w->err), w->err);
    len = symbi_audit_len(w->audit);
    CHECK(symbi_gate_commit(w->gate, &v, NULL, &w->err) == SYMBI_OK); /* the deny is recorded */
    if (v.code != r->code) fail_row(r, "code", symbi_code_name(v.code));
    if (v.decision != SYMBI_DENY || v.has_permit) fail_row(r, "decision", symbi_decision_name(v.decision));
    if (!on_trail(w, len + 1, "deny", symbi_code_name(r->code))) fail_row(r, "trail", "no such entry");
    symbi_verdict_clear(&v);
    symbi_verdict_clear(&u);
}

/* ---- rows that end in the commit ---- */

static void run_commit(const row *r, world *w)
{
    symbi_action a = action_of(r);
    symbi_verdict v;
    symbi_store_row entry;
    uint64_t len;
    memset(&v, 0, sizeof v);
    if (!open_gate(r, w)) {
        fail_row(r, "the gate does not open", w->err.msg);
        return;
    }
    symbi_gate_check(w->gate, &a, NULL, &v); /* so that the clock has an entry to stand behind */
    CHECK_OK(symbi_gate_commit(w->gate, &v, NULL, &w->err), w->err);
    symbi_verdict_clear(&v);
    len = symbi_audit_len(w->audit);
    symbi_gate_check(w->gate, &a, NULL, &v);
    CHECK(v.code == SYMBI_CODE_ALLOWED);
    if (r->how == COMMIT_CLOCK) w->clock.wall -= 5001;
    else w->backing.fail = 1000, w->backing.code = r->how == RACE ? SYMBI_ESTATE : SYMBI_EIO;
    if (symbi_gate_commit(w->gate, &v, NULL, &w->err) == SYMBI_OK) fail_row(r, "commit", "went through");
    if (v.code != r->code) fail_row(r, "code", symbi_code_name(v.code));
    if (v.decision != SYMBI_DENY || v.has_permit) fail_row(r, "the verdict", "still allows");
    CHECK(symbi_audit_len(w->audit) == len);
    symbi_verdict_clear(&v);
    w->backing.fail = 0;
    if (r->how == COMMIT_CLOCK) w->clock.wall += 6000;
    symbi_gate_check(w->gate, &a, NULL, &v); /* the trail is back */
    CHECK_OK(symbi_gate_commit(w->gate, &v, NULL, &w->err), w->err);
    if (r->how != COMMIT_CLOCK) {
        CHECK_OK(w->store.row(w->store.ud, S("main"), len, &entry, &w->err), w->err);
        if (!strstr(entry.event.p, "audit_gap")) fail_row(r, "the gap", "is not the first entry");
    }
    symbi_verdict_clear(&v);
}

/* ---- rows that end in the redeem ---- */

static symbi_str bytes_of(const symbi_permit *p) { return (symbi_str){ (const char *)p->bytes, SYMBI_PERMIT_BYTES }; }

static symbi_code redeem(world *w, symbi_verdict *v, symbi_str permit)
{
    symbi_plan_options po;
    symbi_plan *plan = NULL;
    symbi_order order;
    symbi_code c = SYMBI_CODE_UNSPECIFIED;
    memset(&po, 0, sizeof po);
    CHECK((symbi_gate_redeem(w->gate, v, permit, &po, &plan, &order, &c, &w->err) == SYMBI_OK) == (c == SYMBI_CODE_ALLOWED));
    CHECK((plan != NULL) == (c == SYMBI_CODE_ALLOWED));
    symbi_plan_unref(plan);
    return c;
}

static symbi_code order_code(const row *r, world *w, symbi_verdict *v)
{
    static const uint8_t other[32] = { 1 };
    symbi_plan_options po;
    symbi_plan *plan = NULL;
    symbi_order order;
    symbi_code c = SYMBI_CODE_UNSPECIFIED;
    uint8_t key[32];
    memset(&po, 0, sizeof po);
    CHECK_OK(symbi_gate_redeem(w->gate, v, bytes_of(&v->permit), &po, &plan, &order, NULL, &w->err), w->err);
    symbi_gate_key(w->gate, key);
    if (r->how == ORDER_ALTERED) order.bytes[130] ^= 1;
    CHECK(symbi_order_check(w->cx, key, (symbi_str){ (const char *)order.bytes, SYMBI_ORDER_BYTES }, r->how == ORDER_PLAN ? other : plan->digest,
                            w->clock.wall + (r->how == ORDER_LATE ? 60001 : 0), &c, &w->err) == SYMBI_EPERMIT);
    symbi_plan_unref(plan);
    return c;
}

/* What goes wrong between the permit and the order: the code says what, nothing leaves, and the permit can be tried again. */
static void test_no_order(void)
{
    static const row k_plain = { "no-order", "", C(ALLOWED) };
    world w;
    symbi_verdict v;
    symbi_action a = action_of(&k_plain);
    size_t refused = 0;
    memset(&v, 0, sizeof v);
    REQUIRE(open_world(&w) && open_gate(&k_plain, &w));
    symbi_gate_check(w.gate, &a, NULL, &v);
    CHECK_OK(symbi_gate_commit(w.gate, &v, NULL, &w.err), w.err);
    w.broken_random = 1;
    CHECK(redeem(&w, &v, bytes_of(&v.permit)) == SYMBI_CODE_NO_RANDOM);
    w.broken_random = 0;
    for (w.mem.fail_at = 1;; w.mem.fail_at++) {
        symbi_code c;
        w.mem.count = 0;
        w.mem.tripped = false;
        c = redeem(&w, &v, bytes_of(&v.permit));
        if (c == SYMBI_CODE_ALLOWED) break;
        CHECK(c == SYMBI_CODE_OUT_OF_MEMORY && w.mem.tripped && !v.redeemed);
        if (++refused > 100) break;
    }
    CHECK(refused > 1 && refused < 100);
    w.mem.fail_at = 0;
    CHECK(redeem(&w, &v, bytes_of(&v.permit)) == SYMBI_CODE_PERMIT_USED);
    symbi_verdict_clear(&v);
    close_world(&w);
}

static void run_redeem(const row *r, world *w)
{
    symbi_action a = action_of(r), b = a;
    symbi_verdict v, u;
    symbi_gate *g = NULL;
    symbi_gate_options o;
    symbi_code c;
    symbi_permit p;
    memset(&v, 0, sizeof v);
    memset(&u, 0, sizeof u);
    if (!open_gate(r, w)) {
        fail_row(r, "the gate does not open", w->err.msg);
        return;
    }
    b.args_text = S("{\"path\":\"b\"}");
    symbi_gate_check(w->gate, &a, NULL, &v);
    CHECK(v.has_permit);
    p = v.permit;
    if (r->how != UNCOMMITTED) CHECK_OK(symbi_gate_commit(w->gate, &v, NULL, &w->err), w->err);
    switch (r->how) {
    case EXPIRED:
        w->clock.wall += 60001;
        c = redeem(w, &v, bytes_of(&p));
        break;
    case REUSED:
        CHECK(redeem(w, &v, bytes_of(&p)) == SYMBI_CODE_ALLOWED);
        c = redeem(w, &v, bytes_of(&p));
        break;
    case FOREIGN:
        symbi_gate_options_init(&o);
        o.policies = w->set;
        o.tools = w->tools;
        CHECK_OK(symbi_gate_new(w->cx, &o, &g, &w->err), w->err);
        symbi_gate_check(g, &a, NULL, &u);
        CHECK(u.has_permit);
        c = redeem(w, &v, bytes_of(&u.permit));
        break;
    case ALTERED:
        c = r->code;
        for (size_t i = 0; i < SYMBI_PERMIT_BYTES && c == r->code; i++) {
            p = v.permit;
            p.bytes[i] ^= 1;
            c = redeem(w, &v, bytes_of(&p));
        }
        break;
    case CUT: c = redeem(w, &v, (symbi_str){ (const char *)p.bytes, SYMBI_PERMIT_BYTES - 1 }); break;
    case EMPTY: c = redeem(w, &v, S("")); break;
    case OF_ANOTHER:
        symbi_gate_check(w->gate, &b, NULL, &u);
        c = redeem(w, &v, bytes_of(&u.permit));
        break;
    case OF_DENIED:
        b.args_text = S("{}");
        symbi_gate_check(w->gate, &b, NULL, &u);
        CHECK(u.decision == SYMBI_DENY);
        CHECK_OK(symbi_gate_commit(w->gate, &u, NULL, &w->err), w->err);
        c = redeem(w, &u, bytes_of(&p)); /* a good permit, for a verdict that denies */
        break;
    case STALE:
        CHECK_OK(parse(w, S(ALL "forbid(principal == Agent::\"x\", action, resource);"), LENIENT, &w->other), w->err);
        CHECK_OK(symbi_gate_reload(w->gate, w->other, &w->err), w->err);
        c = redeem(w, &v, bytes_of(&p));
        break;
    case REPLAN: case REPLAN_GONE:
        CHECK_OK(symbi_gate_retool(w->gate, w->tools, &w->err), w->err); /* the same set read again is no other contract */
        symbi_toolset_unref(w->tools);
        CHECK_OK(symbi_toolset_new(w->cx, &w->tools, &w->err), w->err);
        CHECK(add_tool(w, k_wipe) && (r->how == REPLAN_GONE || add_tool(w, k_count_more)));
        CHECK_OK(symbi_gate_retool(w->gate, w->tools, &w->err), w->err);
        c = redeem(w, &v, bytes_of(&p));
        CHECK(!v.redeemed);
        break;
    case STORE_FULL:
        CHECK(redeem(w, &v, bytes_of(&p)) == SYMBI_CODE_ALLOWED);
        symbi_gate_check(w->gate, &b, NULL, &u);
        CHECK_OK(symbi_gate_commit(w->gate, &u, NULL, &w->err), w->err);
        c = redeem(w, &u, bytes_of(&u.permit));
        break;
    case ORDER_PLAN: case ORDER_ALTERED: case ORDER_LATE: c = order_code(r, w, &v); break;
    default: c = redeem(w, &v, bytes_of(&p)); break;
    }
    if (c != r->code) fail_row(r, "code", symbi_code_name(c));
    if (r->how < ORDER_PLAN) { /* an executor elsewhere has no trail; everybody else says what was refused */
        uint64_t len = symbi_audit_len(w->audit);
        CHECK(symbi_gate_refuse(w->gate, &v, SYMBI_CODE_ALLOWED, NULL, &w->err) == SYMBI_EINVAL);
        CHECK_OK(symbi_gate_refuse(w->gate, &v, c, NULL, &w->err), w->err);
        if (!last_entry(w, len + 1, "\"permit_refused\"", symbi_code_name(c))) fail_row(r, "trail", "no entry of the refusal");
    }
    symbi_verdict_clear(&v);
    symbi_verdict_clear(&u);
    symbi_gate_free(g);
}

static void run_row(const row *r)
{
    world w;
    if (r->how == UNFILLED) {
        symbi_verdict v;
        memset(&v, 0, sizeof v);
        CHECK(v.decision == SYMBI_DENY && v.code == r->code && !v.has_permit);
        return;
    }
    if (r->how == MEMORY) {
        union { const row *c; void *p; } u = { r };
        test_oom(oom_check, u.p, SYMBI_OK);
        return;
    }
    if (!open_world(&w)) fail_row(r, "the world does not open", w.err.msg);
    else if (r->status) run_load(r, &w);
    else if (r->how == STORED_GONE) run_stored_gone(r, &w);
    else if (r->how >= UNCOMMITTED) run_redeem(r, &w);
    else if (r->how >= COMMIT_CLOCK) run_commit(r, &w);
    else run_check(r, &w);
    close_world(&w);
}

/* ---- the page ---- */

static const char *trail_of(const row *r)
{
    if (r->how == TRAIL_DAMAGED) return "does not open; `audit verify` tells what";
    if (r->status) return "nothing opens; a failed reload is an entry";
    if (r->how == CLOCK || r->how == COMMIT_CLOCK) return "stands still until the clock catches up";
    if (r->how == STORE_DOWN || r->how == DISK_FULL || r->how == RACE) return "the gap is its first entry on return";
    if (r->how == UNFILLED || r->how == MEMORY) return "as far as memory goes";
    if (r->how >= ORDER_PLAN) return "the decision; nothing ran";
    if (r->how >= UNCOMMITTED) return "entry of the refusal";
    return "entry";
}

/* One row up to the last column, which the tool of another engine fills. */
static void row_text(const row *r, char *out, size_t cap)
{
    snprintf(out, cap, "| `%s` | %s | `%s` | %s |", r->id, r->what, r->status ? symbi_status_name(r->status) : symbi_code_name(r->code), trail_of(r));
}

static void test_page_is_current(void)
{
    symbi_str page = slurp("scripts/guide/failures.md");
    const char *at = page.p;
    size_t rows = 0;
    REQUIRE(page.p != NULL);
    for (size_t i = 0; i < ROWS; i++) {
        char text[600];
        const char *found;
        row_text(&k_rows[i], text, sizeof text);
        found = at ? strstr(at, text) : NULL;
        if (!found) {
            printf("scripts/guide/failures.md lacks, or has elsewhere: %s\n(tests/tools/failure-table writes the page)\n", text);
            t_now_failed = 1;
            break;
        }
        at = found;
    }
    for (const char *p = page.p; (p = strstr(p, "\n| `")); p++) rows++;
    if (rows != ROWS) printf("scripts/guide/failures.md has %zu rows, the table has %d\n", rows, (int)ROWS), t_now_failed = 1;
    free((char *)page.p);
}

static void test_table(void)
{
    CHECK(ROWS >= 60);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t k = 0; k < i; k++) CHECK(strcmp(k_rows[i].id, k_rows[k].id) != 0);
        CHECK(k_rows[i].code != SYMBI_CODE_ALLOWED);
        CHECK(k_rows[i].status || k_rows[i].code || k_rows[i].how == UNFILLED);
    }
}

/* Every deny of the gate has a row. INTERNAL and CRYPTO_FAILED are what cannot be brought about from outside; the two of .symbi
 * definitions have tests of their own (dsl_gate_test.c). */
static void test_every_code_has_a_row(void)
{
    symbi_code c;
    const char *name;
    for (size_t i = 0; symbi_code_at(i, &c, &name); i++) {
        bool found = c == SYMBI_CODE_ALLOWED || c == SYMBI_CODE_INTERNAL || c == SYMBI_CODE_CRYPTO_FAILED || c == SYMBI_CODE_DSL_DENIED || c == SYMBI_CODE_OBLIGATION_UNMET;
        for (size_t k = 0; k < ROWS && !found; k++) found = !k_rows[k].status && k_rows[k].code == c;
        if (!found) printf("no row for %s\n", name), t_now_failed = 1;
    }
}

/* What a plain Cedar engine can be asked about a row, as JSON Lines. */
static int print_json(void)
{
    symbi_ctx *cx;
    if (symbi_ctx_new(NULL, &cx, NULL)) return 2;
    for (size_t i = 0; i < ROWS; i++) {
        const row *r = &k_rows[i];
        bool plain = (r->how == CHECK_ONLY || r->how == LOAD || r->how == LOAD_STRICT || r->how == LOAD_COMPAT || r->how == SHADOW || r->how == RELOAD_BROKEN) && !r->name_len;
        char text[600];
        symbi_json_out o;
        row_text(r, text, sizeof text);
        symbi_json_out_init(cx, &o);
        symbi_json_out_raw(&o, S("{\"row\":"));
        symbi_json_out_string(&o, symbi_str_z(text));
        symbi_json_out_raw(&o, plain ? S(",\"plain\":true") : S(",\"plain\":false"));
        if (plain) {
            static const char digits[] = "0123456789abcdef";
            const char *parts[] = { r->policies ? r->policies : ALL, r->name ? r->name : "count", r->args ? r->args : "{\"path\":\"a\"}", r->context ? r->context : "{}" };
            const char *keys[] = { ",\"policies\":\"", ",\"name\":\"", ",\"args\":\"", ",\"context\":\"" };
            for (int k = 0; k < 4; k++) { /* hex: some of it is not UTF-8 on purpose */
                symbi_json_out_raw(&o, symbi_str_z(keys[k]));
                for (const char *p = parts[k]; *p; p++) {
                    char h[2] = { digits[(uint8_t)*p >> 4], digits[(uint8_t)*p & 15] };
                    symbi_json_out_raw(&o, (symbi_str){ h, 2 });
                }
                symbi_json_out_raw(&o, S("\""));
            }
        }
        printf("%.*s}\n", (int)o.n, o.p);
        symbi_json_out_free(&o);
    }
    symbi_ctx_free(cx);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--json") == 0) return print_json();
    RUN(test_table);
    RUN(test_every_code_has_a_row);
    RUN(test_no_order);
    for (size_t i = 0; i < ROWS; i++) {
        t_now_failed = t_now_skipped = 0;
        run_row(&k_rows[i]);
        if (t_now_failed) printf("FAIL %s\n", k_rows[i].id), t_failed++;
        else t_passed++;
    }
    RUN(test_page_is_current);
    return test_end();
}
