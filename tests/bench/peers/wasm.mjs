// tests/bench/peers/wasm.mjs: the official engine in Node, policies parsed beforehand (preparsePolicySet, statefulIsAuthorized). Entities
// go along with each call: the package has no call that keeps them. Usage: CEDAR_WASM=<folder of node_modules> node wasm.mjs DIR
// SECONDS_PER_ROW. One JSON line per row, in the form that cedar_bench prints.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const cedar = createRequire(path.join(path.resolve(process.env.CEDAR_WASM), "x.js"))("@cedar-policy/cedar-wasm/nodejs");
const [dir, secs] = [process.argv[2], Number(process.argv[3])];
const file = (name) => readFileSync(path.join(dir, name), "utf8");
const clock = () => Number(process.hrtime.bigint());
// CPU time, in steps of a microsecond: see cedar_bench.c.
const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) * 1000; };
const ids = (list) => list.map((id) => Number(id.replace("policy", ""))).sort((a, b) => a - b);

function measure(kind, n, m) {
  const text = file(`${kind}-${n}.cedar`), name = `${kind}-${n}`;
  const parses = [];
  let from = clock();
  do {
    const t = cpu(), r = cedar.checkParsePolicySet({ staticPolicies: text });
    if (r.type !== "success") throw new Error(JSON.stringify(r));
    parses.push(cpu() - t);
  } while (clock() - from < secs * 0.3e9 || parses.length < 3);
  const parse_ns = parses.sort((a, b) => a - b)[parses.length >> 1] / text.trimEnd().split("\n").length;
  cedar.preparsePolicySet(name, { staticPolicies: text });
  const entities = JSON.parse(file(`entities-${m}.json`));
  const calls = JSON.parse(file(`requests-${kind}-${n}.json`)).map((r) => ({ ...r, entities, preparsedPolicySetId: name }));
  const answers = calls.map((c) => {
    const a = cedar.statefulIsAuthorized(c);
    if (a.type !== "success") throw new Error(JSON.stringify(a));
    const d = a.response.diagnostics;
    return `${a.response.decision === "allow" ? "A" : "D"}:${ids(d.reason).join()}${ids(d.errors.map((e) => e.policyId)).map((e) => "!" + e).join()}`;
  });
  const round = (times) => {
    const t = cpu();
    for (let i = 0; i < times; i++) for (const c of calls) cedar.statefulIsAuthorized(c);
    return (cpu() - t) / times / calls.length;
  };
  const times = Math.max(1, Math.ceil(1e6 / (Math.max(round(1), 1000) * calls.length))), lat = [];
  from = clock();
  while (lat.length < 5 || clock() - from < secs * 1e9) lat.push(round(times));
  lat.sort((a, b) => a - b);
  cedar.preparsePolicySet(name, { staticPolicies: "" }); // gives the memory back
  return { peer: "wasm", kind, policies: n, entities: m, median_ns: Math.round(lat[lat.length >> 1]), p99_ns: Math.round(lat[Math.floor(lat.length * 0.99)]), parse_ns: Math.round(parse_ns), answers: answers.join(" ") };
}
for (const line of file("rows").trim().split("\n")) {
  const [kind, n, m] = line.split(" ");
  console.log(JSON.stringify(measure(kind, Number(n), Number(m))));
}
