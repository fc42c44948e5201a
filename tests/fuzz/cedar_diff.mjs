// tests/fuzz/cedar_diff.mjs: the generating half of the differential test of Cedar. Makes policies, entities and requests, directed
// by types but with mistakes strewn in, asks the official engine (npm @cedar-policy/cedar-wasm), and writes one JSON line per case
// with what it answered; tests/fuzz/cedar_diff.c reads the lines and compares. Every third case has a schema: those are made in
// cedar_diff_schema.mjs.
//
//   CEDAR_WASM=<folder of node_modules> node cedar_diff.mjs COUNT [SEED] [FIRST]      cases FIRST .. FIRST+COUNT-1 of that seed
//   CEDAR_WASM=... node cedar_diff.mjs ask < cases                                    fills in "expect" of given cases
//
// A line: {"case","policies" | "set","entities","requests":[{principal,action,resource,context}],"expect":[...],"est"?}; expect is
// false where the input is refused, else {decision, reasons, errors: {id: kind}}; est is the JSON form of a single policy.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";
import { schemaCases } from "./cedar_diff_schema.mjs";

// ---- the oracle ----
const base = createRequire(path.join(path.resolve(process.env.CEDAR_WASM ?? "build/peers/npm"), "x.js"));
const WASM = "@cedar-policy/cedar-wasm/nodejs";
let cedar = base(WASM);
// A trap leaves the instance in an unknown state: throw it away and load another.
function reload() {
  for (const k of Object.keys(base.cache)) if (k.includes("cedar-wasm")) delete base.cache[k];
  cedar = base(WASM);
}

// JSON with 64-bit integers as BigInt. The package speaks JSON.stringify and JSON.parse to its other half, so they are
// replaced while it is called.
const native = { parse: JSON.parse, stringify: JSON.stringify };
function toText(v) {
  if (typeof v === "bigint") return String(v);
  if (Array.isArray(v)) return `[${v.map((x) => toText(x) ?? "null").join()}]`;
  if (v === null || typeof v !== "object") return native.stringify(v);
  let out = "";
  for (const k in v) if (v[k] !== undefined) out += `${out && ","}${native.stringify(k)}:${toText(v[k])}`;
  return `{${out}}`;
}
function fromText(text) {
  if (!/[0-9]{16}/.test(text)) return native.parse(text);
  let i = 0;
  const space = () => { while (" \n\r\t".includes(text[i]) && i < text.length) i++; };
  const string = () => {
    const from = i++;
    while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
    return native.parse(text.slice(from, ++i));
  };
  function value() {
    space();
    if (text[i] === '"') return string();
    if (text[i] === "[" || text[i] === "{") {
      const obj = text[i++] === "{", out = obj ? {} : [];
      for (space(); text[i] !== "]" && text[i] !== "}"; space()) {
        if (text[i] === ",") { i++; space(); }
        if (obj) {
          const k = string();
          space(); i++;
          Object.defineProperty(out, k, { value: value(), enumerable: true, writable: true, configurable: true });
        } else out.push(value());
      }
      i++;
      return out;
    }
    const m = /[^\s,\]}]+/y;
    m.lastIndex = i;
    const word = m.exec(text)[0];
    i += word.length;
    return /^-?\d{16,}$/.test(word) ? BigInt(word) : native.parse(word);
  }
  return value();
}
function call(f) {
  JSON.stringify = toText; JSON.parse = fromText;
  try { return f(); } finally { JSON.stringify = native.stringify; JSON.parse = native.parse; }
}
// The same for what may be refused by the glue or trap.
function careful(f) {
  try { return call(f); } catch (e) {
    if (e instanceof WebAssembly.RuntimeError) reload();
    return { type: e instanceof WebAssembly.RuntimeError ? "trap" : "failure" };
  }
}
const KINDS = [
  [/recursion limit/, "recursion_limit"], [/wrong number of arguments/, "wrong_num_args"], [/does not have the tag/, "tag_does_not_exist"],
  [/does not have the attribute/, "attr_does_not_exist"], [/entity `[^]*` does not exist/, "entity_does_not_exist"],
  [/integer overflow/, "integer_overflow"], [/error while evaluating `\w+` extension function|extension function `.*` does not exist/, "extension_error"], [/type error/, "type_error"],
];
function kindOf(e) {
  const text = e.message + " " + (e.related ?? []).map((r) => r.message).join(" ");
  return KINDS.find(([re]) => re.test(text))?.[1] ?? "?" + text;
}
function ask(c, r) {
  const policies = c.set ?? { staticPolicies: c.policies };
  let a;
  try { a = call(() => cedar.isAuthorized({ ...r, policies, entities: c.entities, ...(c.schema !== undefined && { schema: c.schema }) })); } catch (e) {
    if (!(e instanceof WebAssembly.RuntimeError)) { why = String(e.message ?? e); return false; } // refused by the glue
    reload();
    return "trap " + e.message;
  }
  if (a.type !== "success") { why = a.errors.map((e) => e.message).join("; "); return false; }
  const d = a.response.diagnostics;
  return { decision: a.response.decision, reasons: d.reason.sort(), errors: Object.fromEntries(d.errors.map((e) => [e.policyId, kindOf(e.error)])) };
}
let why = "", sound = false; // sound: the generator put nothing bad into a context
function fill(c) {
  if (c.schema !== undefined) return withSchema.fill(c);
  // A refusal of the first request is one of all, where only the policies or the entities can be the reason.
  c.expect = [];
  for (const r of c.requests) c.expect.push(sound && c.expect[0] === false ? false : ask(c, r));
  if (c.policies !== undefined && c.single) {
    const j = call(() => cedar.policyToJson(c.policies));
    if (j.type === "success") c.est = j.json;
  }
  if (process.env.WHY && c.expect.includes(false)) c.why = why;
  return c;
}

// ---- the generator ----
let state = 1;
function rnd(n) { // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return Math.floor(((t ^ (t >>> 14)) >>> 0) / 4294967296 * n);
}
const one = (list) => list[rnd(list.length)];
const odds = (percent) => rnd(100) < percent;
const times = (n, f) => Array.from({ length: n }, (_, i) => f(i));

const ETYPES = ["User", "User", "Group", "Doc", "NS::Thing", "NS::Sub::Thing", "Action"];
const IDS = ["a", "b", "c", "d", "", "A", "é", "a\"b", "x y", "\u0000", "日本", "a*b"];
const STRINGS = ["", "a", "b", "ab", "abc", "a*b", "*", "é", "e\u0301", "a\"b\\", "\n\t", "日本語", "\u{1f600}", "1.0", "10.0.0.1", "1h", "2024-01-01", "\u0000", "aaaa", "abab", "A"];
const LONGS = ["0", "1", "2", "3", "7", "100", "9223372036854775807", "-9223372036854775808", "-1", "-2", "4611686018427387904", "3037000500", "0010", "9007199254740993", "86400000"];
const DECIMALS = ["0.0", "1.0", "1.00", "-0.0", "1.2345", "-1.5", "922337203685477.5807", "-922337203685477.5808", "922337203685477.5808", "1.", ".5", "1", "1.23456", "+1.0", " 1.0", "00.10", "-1.0", "1e5", "١.٠"];
const IPS = ["10.0.0.1", "10.0.0.0/8", "10.0.0.1/32", "127.0.0.1", "127.0.0.0/8", "127.0.0.0/7", "::1", "::1/128", "::1/127", "::", "::/0", "0.0.0.0/0", "224.0.0.1", "224.0.0.0/4", "224.0.0.0/3", "ff00::/8", "ff00::1", "ff00::/7",
  "2001:db8::1", "2001:DB8:0:0::1", "2001:db8::/32", "1.2.3.4/24", "1.2.3.5/24", "255.255.255.255", "01.2.3.4", "1.2.3", "1.2.3.4/33", "1.2.3.4/08", "::ffff:1.2.3.4", "::ffff:102:304", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "::1/129", "::1/0128", "fe80::1%eth0", "1.2.3.4/", "/8", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", ":", ":::", "1:2:3:4:5:6:7:8/64", "256.1.1.1", "1.1.1.1 "];
const TIMES = ["2024-01-01", "1970-01-01", "1969-12-31T23:59:59.999Z", "0000-01-01", "9999-12-31T23:59:59.999+0000", "2024-02-29", "2023-02-29", "2024-01-01T00:00:00Z", "2024-01-01T12:34:56.789Z", "2024-01-01T12:34:56+0130",
  "2024-01-01T12:34:56.000-2359", "2024-01-01T24:00:00Z", "2024-01-01T23:59:60Z", "2024-01-01T00:00:00+2400", "2024-01-01T00:00:00+0060", "2024-1-1", "2024-01-01T00:00Z", "2024-01-01t00:00:00z", "2024-01-01T00:00:00.0Z", "1900-02-29", "2000-02-29",
  "2024-01-01T00:00:00", "2024-13-01", "2024-00-10", "2024-04-31", "-001-01-01", "10000-01-01", "2024-01-01T00:00:00+01:30", "1969-12-31", "0000-01-01T00:00:00+2359", "2024-01-01 "];
const DURATIONS = ["1d", "1h", "1m", "1s", "1ms", "0ms", "-1ms", "1d2h3m4s5ms", "1d5ms", "-1d2h", "2h1d", "1h1h", "", "-", "1", "1.5h", "+1h", "9223372036854775807ms", "-9223372036854775808ms", "9223372036854775808ms", "106751991167d",
  "106751991168d", "-106751991167d7h12m55s808ms", "99999999999999999999d", "1 h", "00001h", "1ms1s", "86400000ms", "24h", "-0ms", "1D", "18446744073709551616ms", "-9223372036854775807ms"];

// Attributes by name: what they hold when they are there and right.
const LONG = "long", BOOL = "bool", STR = "string", ENT = "entity", DEC = "decimal", IP = "ip", TIME = "datetime", DUR = "duration", REC = "record";
const set = (t) => "set " + t;
const ATTRS = { n: LONG, m: LONG, s: STR, t: STR, b: BOOL, e: ENT, g: ENT, ss: set(STR), sl: set(LONG), se: set(ENT), si: set(IP), r: REC, d: DEC, ip: IP, dt: TIME, du: DUR, "a b": LONG, "if": STR, "é": BOOL, "": LONG };
const BASIC = [LONG, BOOL, STR, ENT, DEC, IP, TIME, DUR, REC, set(STR), set(LONG), set(ENT)];
const FIELDS = { n: LONG, s: STR, b: BOOL, e: ENT, d: DEC, ss: set(STR), r: REC };
const anyType = () => one(BASIC);

// -- as JSON --
let pool = []; // uids that exist in this case
const uid = () => (pool.length && odds(70) ? one(pool) : { type: one(ETYPES), id: one(IDS.slice(0, odds(90) ? 3 : IDS.length)) });
const ext = (fn, arg) => ({ __extn: odds(85) ? { fn, arg } : { fn, args: [arg] } });
let slips = 0; // percent of extension values that may be malformed: in an entity one such refuses the whole input
const good = (list, n) => (odds(slips) ? list : list.slice(0, n));
function jsonOf(type, depth) {
  if (type.startsWith("set ")) return times(rnd(4), () => jsonOf(odds(95) ? type.slice(4) : anyType(), depth - 1));
  switch (type) {
    case LONG: { const n = BigInt(one(LONGS)); return n >= -9007199254740991n && n <= 9007199254740991n ? Number(n) : n; }
    case BOOL: return odds(50);
    case STR: return one(STRINGS);
    case ENT: return { __entity: uid() };
    case DEC: return ext("decimal", one(good(DECIMALS, 8)));
    case IP: return ext("ip", one(good(IPS, 24)));
    case TIME: return ext("datetime", one(good(TIMES, 6)));
    case DUR: return ext("duration", one(good(DURATIONS, 10)));
    default: {
      const out = {};
      for (const k in FIELDS) if (odds(depth > 0 ? 60 : 20) && (k !== "r" || depth > 0)) out[k] = jsonOf(FIELDS[k], depth - 1);
      return out;
    }
  }
}
function record() {
  const out = {};
  for (const k in ATTRS) if (odds(55)) out[k] = jsonOf(odds(97) ? ATTRS[k] : anyType(), 2);
  return out;
}
function entities() {
  const seen = new Set(), out = [], name = (u) => u.type + "\n" + u.id, loose = odds(3);
  pool = [];
  for (let i = 1 + rnd(6); i > 0; i--) {
    const u = uid();
    if (!seen.has(name(u))) pool.push(u);
    seen.add(name(u));
  }
  for (const u of odds(90) ? pool : pool.slice(1)) {
    const parents = times(rnd(3), uid).filter((p) => loose || (name(u) > name(p) && (u.type !== "Action" || p.type === "Action")));
    const e = { uid: odds(80) ? u : { __entity: u }, attrs: record(), parents };
    if (odds(50)) e.tags = Object.fromEntries(times(rnd(4), () => [one(["k", "n", "s", "a b", ""]), jsonOf(anyType(), 1)]));
    out.push(e);
  }
  if (odds(5)) { // a long chain, with a rung missing now and then
    const rungs = times(10 + rnd(60), (i) => ({ type: i % 7 === 3 ? "NS::Thing" : "Group", id: "g" + i }));
    rungs.forEach((u, i) => { if (odds(98)) out.push({ uid: u, attrs: {}, parents: i ? (odds(10) && i > 3 ? [rungs[i - 1], rungs[i - 3]] : [rungs[i - 1]]) : [] }); });
    pool.push(...times(4, () => one(rungs)));
    if (out[0]?.uid.type !== "Action") out[0]?.parents.push(rungs.at(-1));
  }
  return out;
}
const ODD_VALUES = [null, 1.5, -1, "x", [], {}, [null], { __entity: { type: "User" } }, { __entity: { type: "User", id: "a", x: 1 } }, { __entity: "User::\"a\"" }, { __extn: { fn: "nope", arg: "1" } }, { __extn: { fn: "ip" } },
  { __extn: { fn: "ip", arg: 7 } }, { __extn: { fn: "ip", args: ["1.1.1.1", "x"] } }, { __expr: "1" }, { __entity: { type: "if", id: "a" } }, { __entity: { type: "A :: B", id: "a" } }, { __entity: { type: "__cedar::X", id: "a" } },
  { __entity: { type: "", id: "a" } }, { __extn: { fn: "decimal", arg: "1.0" }, x: 1 }, { __entity: { type: "User", id: "a" }, x: 1 }, 9223372036854775807n, -9223372036854775808n, 1e30,
  { __extn: { fn: "offset", args: [{ __extn: { fn: "datetime", arg: "2024-01-01" } }, { __extn: { fn: "duration", arg: "1h" } }] } }, { __extn: { fn: "isIpv4", args: [{ __extn: { fn: "ip", arg: "::1" } }] } }, { __extn: { fn: "decimal", arg: "x" } },
  { type: "User", id: "a" }, { type: "Action", id: "a" }, { type: "User::", id: "a" }, { type: "User", id: 1 }, { type: "é", id: "a" }, true];
// Puts something odd at a random place.
function spoil(v, depth = 0) {
  if (v === null || typeof v !== "object" || (depth && odds(30))) return one(ODD_VALUES);
  const keys = Object.keys(v);
  if (!keys.length) return one(ODD_VALUES);
  const k = one(keys), out = Array.isArray(v) ? [...v] : { ...v };
  if (odds(8) && !Array.isArray(v)) delete out[k];
  else if (odds(5) && Array.isArray(v)) out.push(v[k]);
  else out[k] = spoil(v[k], depth + 1);
  return out;
}

// -- as Cedar text --
function quote(s, pattern) {
  let out = '"';
  for (const ch of s) {
    const c = ch.codePointAt(0);
    if (ch === '"' || ch === "\\") out += "\\" + ch;
    else if (c === 0) out += odds(50) ? "\\0" : "\\u{0}";
    else if (ch === "\n" && odds(70)) out += "\\n";
    else if (ch === "*" && pattern) out += odds(50) ? "\\*" : odds(50) ? "*" : "\\u{2a}";
    else if (odds(4)) out += `\\u{${c.toString(16)}}`;
    else if (c < 128 && odds(3)) out += `\\x${c.toString(16).padStart(2, "0")}`;
    else out += ch;
  }
  return out + '"';
}
const uidText = () => { const u = uid(); return `${u.type}::${quote(u.id)}`; };
const isWord = (k) => /^[_a-zA-Z]\w*$/.test(k) && k !== "if";
const access = (e, k) => (isWord(k) && odds(85) ? `${e}.${k}` : `${e}[${quote(k)}]`);
const keyFor = (map, type) => { const l = Object.keys(map).filter((k) => map[k] === type); return l.length ? one(l) : undefined; };
const p = (s) => (odds(97) ? `(${s})` : s);
const VARS = ["principal", "resource", "action"];
const entity = (d) => (d > 0 && odds(20) ? access(entity(d - 1), one(["e", "g"])) : odds(75) ? one(VARS) : uidText());
const longLit = () => one(LONGS);
function tests(d) { // Bool
  const t = anyType(), l = () => expr(LONG, d - 1);
  switch (rnd(22)) {
    case 0: return `${p(expr(t, d - 1))} == ${p(expr(odds(85) ? t : anyType(), d - 1))}`;
    case 1: return `${p(expr(t, d - 1))} != ${p(expr(t, d - 1))}`;
    case 2: return `${p(l())} ${one(["<", "<=", ">", ">="])} ${p(l())}`;
    case 3: { const k = one([TIME, DUR]); return `${p(expr(k, d - 1))} ${one(["<", "<=", ">", ">="])} ${p(expr(odds(95) ? k : anyType(), d - 1))}`; }
    case 4: case 5: return `${p(expr(BOOL, d - 1))} && ${p(expr(BOOL, d - 1))}`;
    case 6: case 7: return `${p(expr(BOOL, d - 1))} || ${p(expr(BOOL, d - 1))}`;
    case 8: return one(["!", "!!", "! "]) + p(expr(BOOL, d - 1));
    case 9: return `${p(entity(1))} in ${odds(60) ? p(entity(1)) : `[${times(rnd(4), () => (odds(97) ? entity(1) : expr(anyType(), 1))).join(", ")}]`}`;
    case 10: return `${p(entity(1))} in ${p(expr(set(ENT), d - 1))}`;
    case 11: { const b = odds(80) ? entity(1) : expr(anyType(), 1); return `${p(b)} is ${one(ETYPES)}${odds(40) ? " in " + p(entity(1)) : ""}`; }
    case 12: { const k = one(Object.keys(ATTRS)), b = odds(70) ? entity(1) : odds(50) ? "context" : expr(REC, d - 1); return `${p(b)} has ${isWord(k) && odds(80) ? k : quote(k)}`; }
    case 13: return `${p(odds(50) ? entity(1) : "context")} has ${times(1 + rnd(4), () => one(["r", "e", "n", "s", "b"])).join(".")}`;
    case 14: return `${p(expr(STR, d - 1))} like ${quote(one(["*", "a*", "*b", "a*b", "*a*b*", "", "ab", "**", "a\\b", "*é*", "a*a*a*", "*本*", "?"]), true)}`;
    case 15: { const k = one([STR, LONG, ENT, IP]); return `${p(expr(set(k), d - 1))}.contains(${expr(odds(90) ? k : anyType(), d - 1)})`; }
    case 16: { const k = one([STR, LONG, ENT, IP]); return `${p(expr(set(k), d - 1))}.${one(["containsAll", "containsAny"])}(${expr(odds(95) ? set(k) : anyType(), d - 1)})`; }
    case 17: return `${p(expr(set(one([STR, LONG])), d - 1))}.isEmpty()`;
    case 18: return `${p(entity(1))}.hasTag(${odds(90) ? quote(one(["k", "n", "s", "a b"])) : expr(anyType(), 1)})`;
    case 19: return `${p(expr(DEC, d - 1))}.${one(["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"])}(${expr(odds(95) ? DEC : anyType(), d - 1)})`;
    case 20: return `${p(expr(odds(95) ? IP : anyType(), d - 1))}.${one(["isIpv4()", "isIpv6()", "isLoopback()", "isMulticast()"])}`;
    default: return `${p(expr(IP, d - 1))}.isInRange(${times(odds(97) ? 1 : rnd(3), () => expr(IP, d - 1)).join(", ")})`;
  }
}
const ctor = (fn, list, n) => `${fn}(${odds(96) ? quote(one(good(list, n))) : times(rnd(3), () => expr(STR, 0)).join(", ")})`;
function expr(type, d) {
  if (odds(2)) type = anyType();
  if (d > 0 && odds(6)) return `(if ${expr(BOOL, d - 1)} then ${expr(type, d - 1)} else ${expr(type, d - 1)})`;
  if (odds(30)) { // an attribute of that type, of an entity, the context or a record; or a tag
    const k = keyFor(ATTRS, type), base = odds(65) ? p(entity(1)) : "context";
    if (k !== undefined && odds(90)) {
      const read = access(base, k);
      return type === BOOL && odds(40) ? `(${base} has ${isWord(k) ? k : quote(k)} && ${read})` : read;
    }
    const f = keyFor(FIELDS, type);
    if (f && odds(70)) return access(d > 0 && odds(40) ? `(${expr(REC, d - 1)})` : access(base, "r"), f);
    return `${p(entity(1))}.getTag(${odds(95) ? quote(one(["k", "n", "s"])) : expr(anyType(), 0)})`;
  }
  if (type.startsWith("set ")) return `[${times(rnd(4), () => expr(odds(96) ? type.slice(4) : anyType(), d - 1)).join(", ")}${odds(5) ? "," : ""}]`;
  switch (type) {
    case BOOL: return d > 0 && odds(85) ? tests(d) : one(["true", "false"]);
    case LONG:
      if (d <= 0 || odds(45)) return odds(90) ? longLit() : one(["-", "--", "- "]) + p(longLit());
      if (odds(12)) return `${p(expr(DUR, d - 1))}.${one(["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"])}(${odds(98) ? "" : "1"})`;
      return odds(12) ? "-" + p(expr(LONG, d - 1)) : `${p(expr(LONG, d - 1))} ${one(["+", "-", "*", "-", odds(97) ? "+" : "/"])} ${p(expr(LONG, d - 1))}`;
    case STR: return quote(one(STRINGS));
    case ENT: return odds(60) ? one(VARS) : uidText();
    case DEC: return ctor("decimal", DECIMALS, 8);
    case IP: return ctor("ip", IPS, 24);
    case TIME:
      if (d > 0 && odds(40)) return odds(60) ? `${p(expr(TIME, d - 1))}.offset(${expr(DUR, d - 1)})` : `${p(expr(TIME, d - 1))}.toDate()`;
      return ctor("datetime", TIMES, 6);
    case DUR:
      if (d > 0 && odds(40)) return odds(60) ? `${p(expr(TIME, d - 1))}.durationSince(${expr(TIME, d - 1)})` : `${p(expr(TIME, d - 1))}.toTime()`;
      return ctor("duration", DURATIONS, 10);
    default: {
      const keys = Object.keys(FIELDS).filter(() => odds(40));
      if (odds(2) && keys.length) keys.push(keys[0]);
      if (odds(30)) keys.reverse();
      return odds(15) ? "context" : `{${keys.map((k) => `${odds(70) ? k : quote(k)}: ${expr(FIELDS[k], d - 1)}`).join(", ")}}`;
    }
  }
}
function policy(slots) {
  const target = (v) => (slots && odds(75) ? "?" + v : uidText());
  const part = (v) => slots && slots-- === 1 ? `${v} == ?${v}` : one([() => v, () => v, () => v, () => v, () => v, () => v, () => `${v} == ${target(v)}`, () => `${v} in ${target(v)}`, () => `${v} is ${one(ETYPES)}`, () => `${v} is ${one(ETYPES)} in ${target(v)}`])();
  const act = () => `Action::${quote(one(odds(97) ? IDS.slice(0, 4) : IDS))}`;
  const action = one([() => "action", () => "action", () => "action", () => "action", () => `action == ${act()}`, () => `action in ${act()}`, () => `action in [${times(rnd(4), act).join(", ")}]`])();
  const notes = odds(8) ? times(1 + rnd(2), (i) => `@${one(["id", "if", "note" + i, "x"])}${odds(60) ? `(${quote(one(STRINGS))})` : ""}\n`).join("") : "";
  // Most policies must apply, or little is compared: conditions lean towards one or two clauses.
  const conds = times(one([0, 1, 1, 1, 1, 2, 2, 3]), () => ` ${odds(75) ? "when" : "unless"} { ${expr(BOOL, 1 + rnd(4))} }`).join("");
  return `${notes}${odds(65) ? "permit" : "forbid"}(${part("principal")}, ${action}, ${part("resource")}${odds(3) ? "," : ""})${conds};`;
}
// Many policies with conjuncts that an index can use, among some that it cannot.
function guarded() {
  const literal = (t) => (t === STR ? quote(one(STRINGS.slice(0, 5))) : t === LONG ? one(LONGS.slice(0, 5)) : t === BOOL ? one(["true", "false"]) : uidText());
  const guard = () => {
    const t = one([STR, STR, LONG, BOOL, ENT]), k = keyFor(ATTRS, t), base = one(["principal", "resource", "context", "action"]), l = () => literal(odds(96) ? t : one([STR, LONG, BOOL, ENT]));
    const read = odds(12) ? access(access(base, one(["r", "e"])), keyFor(FIELDS, t)) : access(base, k), sets = one([STR, LONG, ENT]);
    return one([() => `${read} == ${l()}`, () => `${l()} == ${read}`, () => `${read} != ${l()}`, () => `[${times(rnd(4), l).join(", ")}].contains(${read})`,
      () => `${access(base, keyFor(ATTRS, set(sets)))}.contains(${literal(sets)})`, () => `${base} has ${isWord(k) ? k : quote(k)}`, () => `${access(base, "n")} ${one(["<", "<=", ">", ">="])} ${one(LONGS.slice(0, 6))}`,
      () => `${one(VARS)} ${one(["==", "in"])} ${uidText()}`, () => `${one(VARS)} is ${one(ETYPES)}`, () => `!(${read} == ${l()})`, () => expr(BOOL, 1)])();
  };
  const head = odds(70) ? "principal, action, resource" : `${one(["principal", "principal in " + uidText()])}, ${one(["action", "action in [Action::\"a\", Action::\"b\"]"])}, ${one(["resource", "resource == " + uidText()])}`;
  return `${odds(60) ? "permit" : "forbid"}(${head}) when { ${times(1 + rnd(4), guard).join(" && ")} }${odds(20) ? ` ${one(["when", "unless"])} { ${guard()} }` : ""};`;
}
const TOKENS = ["(", ")", "[", "]", "{", "}", ",", ";", ":", "::", ".", "==", "!=", "<", "<=", ">", ">=", "=", "&&", "||", "&", "|", "!", "-", "+", "*", "/", "%", "?principal", "?resource", "?x", "?", "@", "@a", "'", "`", "#", "$", "~", "^", "\\",
  "if", "then", "else", "in", "is", "has", "like", "true", "false", "principal", "action", "resource", "context", "permit", "forbid", "when", "unless", "__cedar", "ip", "decimal", "User", "User::\"a\"", "Action::\"a\"", "\"", "\"x\"", "\"\\q\"", "\"\\u{110000}\"",
  "\"\\u{d800}\"", "\"\\u{1_0}\"", "\"\\x80\"", "\"\\*\"", "0", "1", "9223372036854775808", "-9223372036854775808", "18446744073709551616", "1.0", "0x1", "// c\n", "/* c */", "\u00a0", "\ufeff", "\u2028", "\u0000", "é", "!!!!!", "-----", "- - - -", "contains", ".contains(", "isEmpty()"];
function mutate(text) {
  for (let k = 1 + rnd(3); k > 0; k--) {
    const parts = text.match(/"(?:\\[^]|[^"\\])*"|\w+|\s+|::|[=!<>]=|&&|\|\||[^]/gu) ?? [""];
    const i = rnd(parts.length), j = rnd(parts.length);
    switch (rnd(8)) {
      case 0: parts.splice(i, 1); break;
      case 1: parts.splice(i, 0, one(TOKENS)); break;
      case 2: parts[i] = one(TOKENS); break;
      case 3: [parts[i], parts[j]] = [parts[j], parts[i]]; break;
      case 4: parts.splice(i, 0, parts[j]); break;
      case 5: parts.splice(i, 0, " " + one(TOKENS) + " "); break;
      case 6: if (odds(20)) parts.length = i; else parts[i] += parts[i]; break;
      default: { const s = parts[i], at = rnd(s.length + 1); parts[i] = s.slice(0, at) + one(["", " ", "_", "\"", "\\", "\n", "0", "é"]) + s.slice(at + rnd(2)); }
    }
    text = parts.join("");
  }
  return text.toWellFormed ? text.toWellFormed() : text.replace(/[\ud800-\udfff]/gu, "?");
}
function estSpoil(j) { return spoil(j); }
function request() {
  return { principal: uid(), action: { type: odds(97) ? "Action" : one(ETYPES), id: one(IDS.slice(0, 4)) }, resource: uid(), context: record() };
}
function make(seed, n) {
  state = Math.imul(seed, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b);
  for (let i = 0; i < 4; i++) rnd(2);
  if (n % 3 === 2) return withSchema.make({ case: `${seed}/${n}` });
  const c = { case: `${seed}/${n}` }, what = rnd(100), count = odds(35) ? 1 : 1 + rnd(6);
  pool = [];
  slips = odds(2) ? 20 : 0;
  c.entities = entities();
  c.requests = times(3, request);
  sound = !slips;
  slips = 4;
  const many = what >= 60 && odds(35);
  const list = many ? times(10 + rnd(50), guarded) : times(count, () => policy(0));
  c.policies = list.join(odds(50) ? "\n" : odds(50) ? "" : " // c\n");
  if (count === 1 && !many) c.single = true;
  if (c.entities.length) for (const r of c.requests) { // mostly about entities that are there
    const pick = () => { const u = one(c.entities).uid; return u.__entity ?? u; };
    if (odds(70)) r.principal = pick();
    if (odds(70)) r.resource = pick();
  }
  if (what < 22) c.policies = mutate(c.policies);
  else if (what < 30) c.entities = spoil(c.entities);
  else if (what < 34) c.requests[0].context = spoil(c.requests[0].context), sound = false;
  else if (what < 44) { // templates
    const templates = Object.fromEntries(times(1 + rnd(2), (i) => ["t" + i, policy(1 + rnd(2))]));
    const links = times(rnd(4), (i) => {
      const id = odds(95) ? one(Object.keys(templates)) : "nope", text = templates[id] ?? "";
      const values = {};
      for (const s of ["?principal", "?resource"]) if (text.includes(s) ? odds(97) : odds(3)) values[s] = odds(90) ? uid() : { __entity: uid() };
      return { templateId: id, newId: odds(95) ? "l" + i : one(["l0", "t0", "s0", ""]), values };
    });
    c.set = { staticPolicies: Object.fromEntries(list.map((t, i) => ["s" + i, t])), templates, templateLinks: links };
    if (odds(10)) c.set.templateLinks = spoil(links);
    delete c.policies;
  } else if (what < 60) { // the JSON form, some of it spoilt
    const parts = list.map((t) => { const j = call(() => cedar.policyToJson(t)); return j.type === "success" ? j.json : t; });
    const spoilt = odds(50) ? rnd(parts.length) : -1;
    c.set = { staticPolicies: Object.fromEntries(parts.map((t, i) => ["s" + i, i === spoilt ? estSpoil(t) : t])), templates: {}, templateLinks: [] };
    delete c.policies;
  }
  return c;
}

const withSchema = schemaCases({ rnd, one, odds, times, quote, spoil, mutate, ask, call: careful, oracle: () => cedar });
const [how = "100", seed = "1", first = "0"] = process.argv.slice(2);
process.stdout.on("error", () => process.exit(1));
async function put(c) {
  fill(c);
  if (!process.stdout.write(toText(c) + "\n")) await new Promise((ok) => process.stdout.once("drain", ok));
}
if (how === "ask") {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) if (line.trim()) await put(fromText(line));
} else for (let n = Number(first); n < Number(first) + Number(how); n++) await put(make(Number(seed), n));
