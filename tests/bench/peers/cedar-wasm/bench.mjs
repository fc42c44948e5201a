// The sets and requests of tests/bench/cedar_bench.c on the npm package @cedar-policy/cedar-wasm, policies preparsed, one JSON
// line per row. Usage: node bench.mjs [seconds per row]
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
const cedar = createRequire(import.meta.url)("@cedar-policy/cedar-wasm/nodejs");
const secs = Number(process.argv[2] ?? 0.5);
const policy = {
  gate: (i) => (i % 10 === 9 ? `forbid(principal, action == Action::"tool_call::danger_${i}", resource);` : `permit(principal == Agent::"agent-${i}", action == Action::"tool_call::tool_${i}", resource);`),
  guard: (i) => (i % 10 === 9 ? `forbid(principal, action, resource) when { resource.tool_name == "danger_${i}" };` : `permit(principal, action, resource) when { resource.tool_name == "tool_${i}" && context.tier == "gold" };`),
  worst: (i) => `permit(principal, action, resource) when { principal.name like "*x${i}" };`,
  abac: (i) => i % 5 === 4 ? `forbid(principal, action, resource) when { context.risk > ${100 + i} && !(principal in Group::"admins") };`
    : `permit(principal in Group::"g${i % 7}", action in [Action::"read", Action::"write"], resource) when { principal.level >= ${i % 9} && resource.labels.contains("l${i % 13}") && context.ip.isInRange(ip("10.${i % 250}.0.0/16")) };`,
};
const ents = (n) => [{ uid: { type: "User", id: "u" }, attrs: { level: 5, name: "u" }, parents: [{ type: "Group", id: "g3" }] }, { uid: { type: "Doc", id: "d" }, attrs: { labels: ["l1", "l3"], tool_name: "tool_0" }, parents: [] },
  ...Array.from({ length: n }, (_, i) => ({ uid: { type: "User", id: "x" + i }, attrs: { level: i }, parents: [{ type: "Group", id: "g" + (i % 7) }] }))];
const version = cedar.getCedarSDKVersion ? cedar.getCedarSDKVersion() : "";
function row(kind, n, extra) {
  const text = Array.from({ length: n }, (_, i) => policy[kind](i)).join("\n") + (kind === "gate" ? '\npermit(principal, action == Action::"respond", resource);' : "");
  const policies = { staticPolicies: text };
  let t0 = performance.now(), parses = 0;
  do { cedar.checkParsePolicySet(policies); parses++; } while (performance.now() - t0 < secs * 300 || parses < 3);
  const parse_ns = ((performance.now() - t0) * 1e6) / parses / (n + (kind === "gate"));
  const pre = cedar.preparsePolicySet("p", policies);
  if (pre.type !== "success") throw new Error(JSON.stringify(pre));
  const rq = kind === "gate" ? { principal: { type: "Agent", id: "agent-0" }, action: { type: "Action", id: "tool_call::tool_0" }, resource: { type: "Resource", id: "default" }, context: {}, entities: [] }
    : { principal: { type: "User", id: "u" }, action: { type: "Action", id: "read" }, resource: { type: "Doc", id: "d" }, context: { risk: 3, tier: "gold", ip: { __extn: { fn: "ip", arg: "10.3.4.5" } } }, entities: ents(extra) };
  rq.preparsedPolicySetId = "p";
  const lat = []; let ans;
  t0 = performance.now();
  do { const s = performance.now(); ans = cedar.statefulIsAuthorized(rq); lat.push(performance.now() - s); } while (performance.now() - t0 < secs * 1000 || lat.length < 5);
  if (ans.type !== "success") throw new Error(JSON.stringify(ans));
  lat.sort((a, b) => a - b);
  console.log(JSON.stringify({ bench: "cedar", peer: "cedar-wasm " + version, kind, policies: n, entities: extra + 2, median_ns: Math.round(lat[lat.length >> 1] * 1e6), p99_ns: Math.round(lat[Math.floor(lat.length * 0.99)] * 1e6), decision: ans.response.decision, parse_ns: Math.round(parse_ns) }));
}
for (const kind of ["gate", "guard", "abac", "worst"])
  for (const n of [1, 10, 100, 1000, 10000]) {
    row(kind, n, 8);
    if (kind === "abac") row(kind, n, 998);
  }
