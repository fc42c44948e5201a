// tests/tools/failure-table.mjs: rows of gate_failures_test --json in, the page scripts/guide/failures.md out. Where a row is a matter of
// policies and a request, cedar-wasm is asked the same, with the entities and the context that the gate would show it.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(path.resolve(process.env.CEDAR_WASM), "x.js"));
const cedar = require("@cedar-policy/cedar-wasm/nodejs");
const version = cedar.getCedarSDKVersion();

const text = (hex) => Buffer.from(hex, "hex").toString("utf8");

// The request as symbi.gate builds it (scripts/guide/gate.md).
function request(row) {
  const name = text(row.name), action = { type: "Action", id: `tool_call::${name}` }, agent = { type: "Agent", id: "bot" };
  const resource = { type: "Resource", id: "default" };
  const input = JSON.parse(text(row.args));
  const facts = { input, loop: { id: "", iteration: 0, tool_calls: 0, denied: 0 }, budget: {}, now: 1700000000000, surface: "", has_human_approval: false };
  return {
    principal: agent, action, resource,
    context: { ...facts, ...JSON.parse(text(row.context)) },
    policies: { staticPolicies: text(row.policies) },
    entities: [
      { uid: agent, attrs: { id: "bot", name: "bot" }, parents: [] },
      { uid: action, attrs: {}, parents: [{ type: "Action", id: "tool_call" }] },
      { uid: resource, attrs: { kind: "tool_call", name, tool_name: name, verified: false }, parents: [{ type: "Tool", id: name }] },
    ],
  };
}

function ask(row) {
  if (!row.plain) return "not its business";
  let call;
  try { call = request(row); } catch { return "not asked: the caller's JSON.parse fails"; }
  let answer;
  try { answer = cedar.isAuthorized(call); } catch (e) { return `throws: ${String(e.message ?? e).split("\n")[0].slice(0, 60)}`; }
  if (answer.type !== "success") return "failure, no decision";
  const { decision, diagnostics } = answer.response, failed = diagnostics.errors.map((e) => e.policyId).sort();
  return (decision === "allow" ? "**allow**" : "deny") + (failed.length ? `, ${failed.join(", ")} skipped` : "");
}

const out = [`# Failure modes of the gate

Each row is a test (tests/unit/gate_failures_test.c): what goes wrong, the code the gate denies with (or the status with which nothing opens), and what
becomes of the trail. The last column is what the official engine says to the same policies and the same request (cedar-wasm ${version}, in Node; the
caller has parsed the arguments, and gives the entities and the context that the gate would). It decides policy alone, so that contracts, trails and
permits are its caller's business; what it answers where a policy fails, or where the request is not what it seems, is worth knowing.
\`tests/tools/failure-table\` writes this page.

| failure | what happens | verdict | trail | cedar-wasm |
|---|---|---|---|---|`];
let rows = 0, opens = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const row = JSON.parse(line), said = ask(row);
  rows++;
  if (said.startsWith("**allow**")) opens++;
  out.push(`${row.row} ${said} |`);
}
out.push("", `${rows} rows. In ${opens} of them cedar-wasm answers allow.`);
console.log(out.join("\n"));
