// tests/fuzz/cedar_diff_schema.mjs: cases of the differential test of Cedar (cedar_diff.mjs) that have a schema. Makes a schema, as text
// or JSON, with policies, entities and requests that fit it but for strewn mistakes, and asks the official engine: is the schema
// accepted, what is its JSON form, what does the validator say, are the entities accepted, what is decided.
//
// A line: {"case","schema","policies" | "set","entities","requests":[{...,validateRequest}],"schemaOk","schemaJson"?,"resolved"?,
// "valid": false | {"errors": {policy id: [kinds]}, "warnings"}, "entitiesOk", "expect", "pretty"?: {text, width, indent, out}}.
export function schemaCases({ rnd, one, odds, times, quote, spoil, mutate, ask, call, oracle }) {
  const KINDS = [
    [/unrecognized entity type/, "unrecognized_entity_type"], [/unrecognized action/, "unrecognized_action_id"], [/is of an enumerated entity type/, "invalid_enum_entity"],
    [/unable to find an applicable action/, "invalid_action_application"], [/unexpected type:/, "unexpected_type"], [/^the types [^]* are not compatible/, "incompatible_types"],
    [/access to optional attribute/, "unsafe_optional_attribute_access"], [/access to tag/, "unsafe_tag_access"], [/policy is impossible/, "impossible_policy"],
    [/wrong number of arguments/, "wrong_number_arguments"], [/error during extension function argument validation/, "function_argument_validation"], [/empty set literals/, "empty_set_forbidden"],
    [/constructors may not be called with non-literal/, "non_lit_ext_constructor"], [/undefined extension function/, "undefined_function"], [/BIDI control/, "bidi_chars"], [/mixed scripts/, "mixed_script"],
    [/General Security Profile/, "confusable_identifier"], [/does not have any tags|no tags|tags are not|not allowed .*tags/i, "no_tags_allowed"], [/attribute `[^]*not found|attribute [^]* not found/, "unsafe_attribute_access"],
  ];
  const kindOf = (text) => KINDS.find(([re]) => re.test(text))?.[1] ?? "?" + text;

  // ---- types: { k: "Long" | "String" | "Bool" | "decimal" ... | "Set" (e) | "Record" (a: name -> [type, optional]) | "Entity" (n) | "Common" (n) } ----
  const EXTS = ["decimal", "ipaddr", "datetime", "duration"];
  const KEYS = ["n", "m", "s", "t", "b", "e", "g", "r", "d", "ip", "dt", "du", "xs", "a b", "if", "é", "", "type", "principal"];
  let S; // the schema of this case: { ns: [], types: {full: {enum?, attrs, tags, parents}}, commons: {full: type}, actions: [{ns, id, parents, applies?: {p, r, c}}] }
  const full = (ns, n) => (ns ? ns + "::" + n : n);
  const nsOf = (name) => name.includes("::") ? name.slice(0, name.lastIndexOf("::")) : "";
  const base = (name) => name.slice(name.lastIndexOf(":") + 1);
  const entityNames = () => Object.keys(S.types);
  const solve = (t) => { for (let i = 0; i < 9 && t?.k === "Common"; i++) t = S.commons[t.n]; return !t || t.k === "Common" ? { k: "Long" } : t; };
  function type(d, common = true) {
    const w = rnd(20);
    if (w < 3) return { k: "Long" };
    if (w < 6) return { k: "String" };
    if (w < 8) return { k: "Bool" };
    if (w < 11) return { k: one(EXTS) };
    if (w < 14 && entityNames().length) return { k: "Entity", n: one(entityNames()) };
    if (w < 16 && common && Object.keys(S.commons).length) return { k: "Common", n: one(Object.keys(S.commons)) };
    if (d <= 0) return { k: "Long" };
    return w < 18 ? { k: "Set", e: type(d - 1, common) } : record(d - 1, common);
  }
  function record(d, common = true, most = 4) {
    const a = {};
    for (const k of times(rnd(most + 1), () => one(odds(85) ? KEYS.slice(0, 13) : KEYS))) a[k] = [type(d, common), odds(35)];
    return { k: "Record", a };
  }
  const ID = ["a", "b", "c", "A", "x y", "", "é", "a\"b"];
  function build() {
    S = { ns: odds(50) ? [""] : odds(60) ? ["", "NS"] : odds(50) ? ["NS"] : ["", "NS", "NS::Sub"], types: {}, commons: {}, actions: [] };
    const names = ["User", "Group", "Doc", "Org", "Thing"];
    const used = new Set(), taken = (n) => odds(97) && used.has(n);
    for (const ns of S.ns) {
      for (let n = 1 + rnd(3); n > 0; n--) {
        const name = one(odds(94) ? names : ["String", "Long", "Set", "entity", "type", "ipaddr", "decimal", "Record", "Entity", "Bool", "Extension", "action", "Action"]);
        if (!taken(name)) S.types[full(ns, name)] = odds(8) ? { enum: times(1 + rnd(3), (i) => ID[i]) } : {}, used.add(name);
      }
      for (let n = rnd(3); n > 0; n--) {
        const name = one(odds(92) ? ["Addr", "Id", "Ref", "Many"] : ["decimal", "String", "Set", "User", "ipaddr", "Boolean", "datetime"]);
        if (!taken(name)) S.commons[full(ns, name)] = null, used.add(name);
      }
    }
    const all = entityNames(), done = {};
    for (const c in S.commons) {
      const keep = S.commons;
      S.commons = odds(97) ? done : keep; // else perhaps a cycle
      const t = odds(40) ? record(2) : type(2);
      S.commons = keep;
      S.commons[c] = done[c] = t;
    }
    for (const n of all) {
      const e = S.types[n];
      if (e.enum) continue;
      e.attrs = record(2, true, 6).a;
      if (odds(35)) e.tags = type(1);
      e.parents = times(odds(60) ? 1 + rnd(2) : 0, () => one(all)).filter((p) => !S.types[p].enum || odds(10));
    }
    for (const ns of S.ns)
      for (const id of ["view", "edit", "a b", "read"].slice(0, 1 + rnd(4))) {
        if (odds(96) && S.actions.some((a) => a.id === id)) continue;
        const a = { ns, id, parents: S.actions.length && odds(40) ? times(1 + rnd(2), () => one(S.actions)) : [] };
        if (odds(85)) a.applies = { p: times(1 + rnd(2), () => one(all)), r: times(1 + rnd(2), () => one(all)), c: odds(25) ? null : odds(20) && Object.values(S.commons).some((t) => t.k === "Record") ? { k: "Common", n: one(Object.keys(S.commons).filter((c) => S.commons[c].k === "Record")) } : record(2, true, 6) };
        S.actions.push(a);
      }
  }
  // -- as text --
  const isWord = (k) => /^[_a-zA-Z]\w*$/.test(k) && !["if", "in", "is", "has", "like", "then", "else", "true", "false", "__cedar"].includes(k);
  const short = (name, ns) => (nsOf(name) === ns || nsOf(name) === "" ? (odds(75) ? base(name) : name) : name); // a bare name finds its own namespace's, then the empty one's
  function typeText(t, ns) {
    switch (t.k) {
      case "Set": return `Set<${typeText(t.e, ns)}>`;
      case "Record": return attrsText(t.a, ns);
      case "Entity": case "Common": return short(t.n, ns);
      default: return odds(5) ? "__cedar::" + t.k : t.k;
    }
  }
  const note = () => (odds(6) ? `@${one(["doc", "if", "id"])}${odds(60) ? `(${quote(one(["x", "", "a\"b"]))})` : ""} ` : "");
  const attrsText = (a, ns) => `{${Object.keys(a).map((k) => `${note()}${isWord(k) && odds(85) ? k : quote(k)}${a[k][1] ? "?" : ""}: ${typeText(a[k][0], ns)}`).join(", ")}${Object.keys(a).length && odds(20) ? "," : ""}}`;
  const listText = (l, ns) => (l.length === 1 && odds(60) ? short(l[0], ns) : `[${l.map((n) => short(n, ns)).join(", ")}]`);
  const actionName = (id) => (isWord(id) && odds(80) ? id : quote(id));
  const actionRef = (a, ns) => (a.ns === ns && odds(70) || (a.ns === "" && odds(50)) ? actionName(a.id) : `${full(a.ns, "Action")}::${quote(a.id)}`);
  function declText(ns) {
    const out = [];
    for (const n of Object.keys(S.commons)) if (nsOf(n) === ns) out.push(`${note()}type ${base(n)} = ${typeText(S.commons[n], ns)};`);
    for (const n of entityNames()) {
      const e = S.types[n];
      if (nsOf(n) !== ns) continue;
      out.push(e.enum ? `${note()}entity ${base(n)} enum [${e.enum.map((i) => quote(i)).join(", ")}];`
        : `${note()}entity ${base(n)}${e.parents.length ? " in " + listText(e.parents, ns) : ""}${Object.keys(e.attrs).length || odds(30) ? ` ${odds(50) ? "= " : ""}${attrsText(e.attrs, ns)}` : ""}${e.tags ? " tags " + typeText(e.tags, ns) : ""};`);
    }
    for (const a of S.actions) {
      if (a.ns !== ns) continue;
      const parents = a.parents.length === 0 ? "" : a.parents.length === 1 && odds(60) ? " in " + actionRef(a.parents[0], ns) : ` in [${a.parents.map((p) => actionRef(p, ns)).join(", ")}]`;
      const ap = a.applies && [`principal: ${listText(a.applies.p, ns)}`, `resource: ${listText(a.applies.r, ns)}`, ...(a.applies.c ? [`context: ${typeText(a.applies.c, ns)}`] : [])];
      if (ap && odds(30)) ap.reverse();
      out.push(`${note()}action ${actionName(a.id)}${parents}${ap ? ` appliesTo { ${ap.join(", ")}${odds(20) ? "," : ""} }` : ""};`);
    }
    if (odds(40)) out.reverse();
    return out.join("\n");
  }
  const schemaText = () => S.ns.map((ns) => (ns ? `${note()}namespace ${ns} {\n${declText(ns)}\n}` : declText(ns))).join("\n");
  // -- as JSON --
  function typeJson(t, ns) {
    switch (t.k) {
      case "Set": return { type: "Set", element: typeJson(t.e, ns) };
      case "Record": return { type: "Record", attributes: attrsJson(t.a, ns), ...(odds(5) && { additionalAttributes: false }) };
      case "Entity": return odds(70) ? { type: "Entity", name: short(t.n, ns) } : { type: "EntityOrCommon", name: short(t.n, ns) };
      case "Common": return odds(60) ? { type: short(t.n, ns) } : { type: "EntityOrCommon", name: short(t.n, ns) };
      case "Bool": return odds(70) ? { type: "Boolean" } : odds(50) ? { type: "Bool" } : { type: "EntityOrCommon", name: "Bool" };
      case "Long": case "String": return odds(80) ? { type: t.k } : { type: "EntityOrCommon", name: t.k };
      default: return odds(70) ? { type: "Extension", name: t.k } : odds(50) ? { type: "EntityOrCommon", name: t.k } : { type: t.k };
    }
  }
  const attrsJson = (a, ns) => Object.fromEntries(Object.keys(a).map((k) => [k, { ...typeJson(a[k][0], ns), ...(a[k][1] ? { required: false } : odds(20) ? { required: true } : {}), ...(odds(4) && { annotations: { doc: "x" } }) }]));
  function schemaJson() {
    const out = {};
    for (const ns of S.ns) {
      const o = out[ns] = { entityTypes: {}, actions: {} };
      if (ns && odds(10)) o.annotations = { doc: "n" };
      for (const n of Object.keys(S.commons)) if (nsOf(n) === ns) (o.commonTypes ??= {})[base(n)] = typeJson(S.commons[n], ns);
      for (const n of entityNames()) {
        const e = S.types[n];
        if (nsOf(n) === ns) o.entityTypes[base(n)] = e.enum ? { enum: e.enum } : { ...((e.parents.length || odds(30)) && { memberOfTypes: e.parents.map((p) => short(p, ns)) }), ...((Object.keys(e.attrs).length || odds(30)) && { shape: typeJson({ k: "Record", a: e.attrs }, ns) }), ...(e.tags && { tags: typeJson(e.tags, ns) }) };
      }
      for (const a of S.actions) {
        if (a.ns !== ns) continue;
        o.actions[a.id] = { ...((a.parents.length || odds(20)) && { memberOf: a.parents.map((p) => ({ id: p.id, ...((p.ns !== ns || odds(30)) && { type: full(p.ns, "Action") }) })) }),
          ...(a.applies && { appliesTo: { principalTypes: a.applies.p.map((p) => short(p, ns)), resourceTypes: a.applies.r.map((p) => short(p, ns)), ...(a.applies.c && { context: typeJson(a.applies.c, ns) }) } }) };
      }
    }
    return out;
  }

  // ---- values ----
  const GOOD = { decimal: ["0.0", "1.0", "1.2345", "-1.5"], ipaddr: ["10.0.0.1", "10.0.0.0/8", "::1", "127.0.0.1"], datetime: ["2024-01-01", "2024-01-01T12:34:56Z", "1969-12-31T23:59:59.999Z"], duration: ["1h", "-1d2h", "0ms", "1d2h3m4s5ms"] };
  const CTOR = { decimal: "decimal", ipaddr: "ip", datetime: "datetime", duration: "duration" };
  let pool = [], slip = 1;
  function uidOf(t) {
    if (odds(slip)) t = one(entityNames());
    const e = S.types[t], there = pool.filter((u) => u.type === t);
    if (e?.enum && !odds(slip)) return { type: t, id: one(e.enum) };
    return there.length && odds(75) ? one(there) : { type: t, id: one(ID.slice(0, odds(90) ? 3 : ID.length)) };
  }
  const STR = ["", "a", "b", "ab", "10.0.0.1", "1.0", "x*y", "é", "abc"];
  const NUM = [0, 1, 2, 7, -1, 100, 9223372036854775807n, -9223372036854775808n, 86400000];
  let deep = 0; // a schema may hold itself
  function value(t) {
    t = solve(odds(slip) ? type(1) : t);
    if (deep > 12) return 0;
    deep++;
    try { return valueOf(t); } finally { deep--; }
  }
  function valueOf(t) {
    switch (t.k) {
      case "Long": return one(NUM);
      case "String": return one(STR);
      case "Bool": return odds(50);
      case "Set": return times(rnd(4), () => value(t.e));
      case "Record": return object(t.a);
      case "Entity": { const u = uidOf(t.n); return odds(60) ? { __entity: u } : u; }
      default: {
        const arg = one(odds(slip) ? ["x", ""] : GOOD[t.k]);
        return odds(50) ? { __extn: { fn: CTOR[t.k], arg } } : odds(50) ? { fn: CTOR[t.k], arg } : arg;
      }
    }
  }
  function object(a) {
    const out = {};
    for (const k in a) if (a[k][1] ? odds(60) : !odds(slip)) out[k] = value(a[k][0]);
    if (odds(slip)) out[one(KEYS)] = value(type(1));
    return out;
  }
  function entities() {
    const out = [], seen = new Set(), name = (u) => u.type + "\n" + u.id;
    pool = [];
    for (let i = rnd(6); i > 0; i--) {
      const t = one(entityNames()), u = uidOf(t);
      if (!seen.has(name(u))) pool.push(u);
      seen.add(name(u));
    }
    for (const u of pool) {
      const e = S.types[u.type];
      const parents = (e.parents?.length ? times(rnd(3), () => uidOf(one(odds(slip * 2) ? entityNames() : e.parents))) : odds(slip) ? [uidOf(one(entityNames()))] : []).filter((p) => name(p) < name(u) || odds(2));
      const o = { uid: odds(70) ? u : { __entity: u }, attrs: e.enum && !odds(slip) ? {} : object(e.attrs ?? {}), parents };
      if (e.tags && odds(70) || odds(slip)) o.tags = Object.fromEntries(times(rnd(3), () => [one(["k", "n", "s"]), value(e.tags ?? type(0))]));
      out.push(o);
    }
    if (odds(8) && S.actions.length) { // the schema's actions may be listed, if they are listed right
      const a = one(S.actions), up = new Set(), walk = (x) => x.parents.forEach((p) => { if (!up.has(p)) up.add(p), walk(p); });
      if (odds(85)) walk(a); else a.parents.forEach((p) => up.add(p));
      out.push({ uid: actionUid(a), attrs: odds(90) ? {} : { n: 1 }, parents: [...up].map(actionUid) });
    }
    return out;
  }
  const actionUid = (a) => ({ type: full(a.ns, "Action"), id: a.id });

  // ---- expressions of one environment: { p, r, c: attributes of the context, a } ----
  let E;
  const uidText = (t) => { const u = uidOf(t); return `${u.type}::${quote(u.id)}`; };
  const access = (e, k) => (isWord(k) && odds(85) ? `${e}.${k}` : `${e}[${quote(k)}]`);
  const hasText = (e, k) => `${e} has ${isWord(k) && odds(85) ? k : quote(k)}`;
  const same = (x, y, d = 9) => {
    x = solve(x); y = solve(y);
    if (x.k !== y.k || !d) return false;
    if (x.k === "Set") return same(x.e, y.e, d - 1);
    if (x.k === "Entity") return x.n === y.n;
    if (x.k === "Record") { const i = Object.keys(x.a), j = Object.keys(y.a); return i.length === j.length && i.every((k) => y.a[k] && y.a[k][1] === x.a[k][1] && same(x.a[k][0], y.a[k][0], d - 1)); }
    return true;
  };
  // Every way to read something of an entity or record: [text, type, guards].
  function paths() {
    const out = [], walk = (text, t, guards, d) => {
      t = solve(t);
      out.push([text, t, guards]);
      const attrs = t.k === "Entity" ? S.types[t.n]?.attrs : t.k === "Record" ? t.a : null;
      if (d <= 0 || !attrs) return;
      for (const k in attrs) walk(access(text, k), attrs[k][0], attrs[k][1] ? [...guards, hasText(text, k)] : guards, d - 1);
      if (t.k === "Entity" && S.types[t.n].tags && d > 1) { const k = quote(one(["k", "n"])); walk(`${text}.getTag(${k})`, S.types[t.n].tags, [...guards, `${text}.hasTag(${k})`], 1); }
    };
    walk("principal", { k: "Entity", n: E.p }, [], 2);
    walk("resource", { k: "Entity", n: E.r }, [], 2);
    walk("context", { k: "Record", a: E.c }, [], 2);
    return out;
  }
  let reads = [];
  const p = (s) => `(${s})`;
  function expr(t, d, guards) {
    if (d < -6) return "1";
    t = solve(odds(slip) ? type(1) : t);
    const fits = odds(55) ? reads.filter(([, x]) => same(x, t)) : [];
    if (fits.length) {
      const [text, , need] = one(fits);
      if (!odds(slip * 2)) guards.push(...need);
      return text;
    }
    if (d > 0 && odds(5)) return p(`if ${bool(d - 1)} then ${expr(t, d - 1, guards)} else ${expr(t, d - 1, guards)}`);
    switch (t.k) {
      case "Bool": return d > 0 ? bool(d - 1) : one(["true", "false"]);
      case "Long": return d > 0 && odds(30) ? p(`${expr(t, d - 1, guards)} ${one(["+", "-", "*"])} ${expr(t, d - 1, guards)}`) : d > 0 && odds(10) ? `${p(expr({ k: "duration" }, d - 1, guards))}.${one(["toDays", "toHours", "toMilliseconds"])}()` : odds(90) ? String(one([0, 1, 2, 7, 100])) : "-1";
      case "String": return quote(one(STR));
      case "Set": return odds(slip) ? "[]" : `[${times(1 + rnd(3), () => expr(t.e, d - 1, guards)).join(", ")}]`;
      case "Record": return `{${Object.keys(t.a).filter((k) => !t.a[k][1] || odds(50)).map((k) => `${isWord(k) && odds(80) ? k : quote(k)}: ${expr(t.a[k][0], d - 1, guards)}`).join(", ")}}`;
      case "Entity": return uidText(t.n);
      case "datetime": if (d > 0 && odds(30)) return odds(50) ? `${p(expr(t, d - 1, guards))}.offset(${expr({ k: "duration" }, d - 1, guards)})` : `${p(expr(t, d - 1, guards))}.toDate()`; // falls through
      case "duration": if (t.k === "duration" && d > 0 && odds(30)) return odds(50) ? `${p(expr({ k: "datetime" }, d - 1, guards))}.durationSince(${expr({ k: "datetime" }, d - 1, guards)})` : `${p(expr({ k: "datetime" }, d - 1, guards))}.toTime()`; // falls through
      default: return odds(slip) ? `${CTOR[t.k]}(${odds(50) ? expr({ k: "String" }, 0, guards) : odds(50) ? "" : quote("x")})` : `${CTOR[t.k]}(${quote(one(GOOD[t.k]))})`;
    }
  }
  const anyEntity = () => ({ k: "Entity", n: one(odds(70) ? [E.p, E.r] : entityNames()) });
  function bool(d) {
    const g = [], t = type(1), num = { k: one(["Long", "Long", "datetime", "duration"]) }, x = (ty) => p(expr(ty, d - 1, g));
    const test = one([
      () => `${x(t)} ${one(["==", "!="])} ${x(t)}`, () => `${x(num)} ${one(["<", "<=", ">", ">="])} ${x(num)}`, () => (d > 0 ? `${p(bool(d - 1))} && ${p(bool(d - 1))}` : "true"), () => (d > 0 ? `${p(bool(d - 1))} || ${p(bool(d - 1))}` : "false"),
      () => (d > 0 ? `!${p(bool(d - 1))}` : "!false"), () => `${x(anyEntity())} in ${odds(60) ? x(anyEntity()) : `[${times(1 + rnd(3), () => expr(anyEntity(), 0, g)).join(", ")}]`}`,
      () => `${x(anyEntity())} is ${one(entityNames())}${odds(40) ? " in " + x(anyEntity()) : ""}`, () => `action ${one(["==", "in"])} ${actText()}`, () => `action in [${times(rnd(3), actText).join(", ")}]`,
      () => `${x({ k: "String" })} like ${quote(one(["*", "a*", "a\\*b", "", "*é*"]), true)}`, () => { const e = type(0); return `${x({ k: "Set", e })}.contains(${expr(odds(90) ? e : type(0), 0, g)})`; },
      () => { const e = { k: "Set", e: type(0) }; return `${x(e)}.${one(["containsAll", "containsAny"])}(${expr(odds(90) ? e : { k: "Set", e: type(0) }, 0, g)})`; }, () => `${x({ k: "Set", e: type(0) })}.isEmpty()`,
      () => `${x({ k: "decimal" })}.${one(["lessThan", "greaterThanOrEqual"])}(${expr({ k: "decimal" }, 0, g)})`, () => `${x({ k: "ipaddr" })}.${one(["isIpv4()", "isLoopback()", "isMulticast()"])}`, () => `${x({ k: "ipaddr" })}.isInRange(${times(odds(95) ? 1 : rnd(3), () => expr({ k: "ipaddr" }, 0, g)).join(", ")})`,
      () => { const r = one(reads.filter(([, y]) => y.k === "Entity" || y.k === "Record")); g.push(...r[2]); return odds(60) ? hasText(r[0], one(KEYS.slice(0, 13))) : `${r[0]} has ${times(1 + rnd(3), () => one(["r", "e", "n", "s", "g"])).join(".")}`; },
      () => `${x(anyEntity())}.hasTag(${expr({ k: "String" }, 0, g)})`, () => { const r = one(reads); g.push(...(odds(80) ? r[2] : [])); return r[1].k === "Bool" ? r[0] : `${r[0]} == ${p(expr(r[1], d - 1, g))}`; },
      () => (odds(20) ? expr(type(1), 1, g) : one(["true", "false", "1 == 1", "1 == 2", "principal == resource", "\"a\" == \"b\""])),
    ])();
    return g.length ? p([...new Set(g), test].join(" && ")) : test;
  }
  const actText = () => { const a = odds(97) && S.actions.length ? one(S.actions) : { ns: "", id: "nope" }; return `${full(a.ns, "Action")}::${quote(a.id)}`; };
  function policy(slots) {
    const able = S.actions.filter((a) => a.applies), a = able.length ? one(able) : null;
    E = a ? { p: one(a.applies.p), r: one(a.applies.r), c: solve(a.applies.c ?? { k: "Record", a: {} }).a ?? {}, a } : { p: one(entityNames()), r: one(entityNames()), c: {} };
    reads = paths();
    const target = (v, t) => (slots && odds(75) ? "?" + v : uidText(odds(85) ? t : one(entityNames())));
    const part = (v, t) => one([() => v, () => `${v} is ${t}`, () => `${v} is ${t}`, () => `${v} == ${target(v, t)}`, () => `${v} in ${target(v, one([t, ...(S.types[t]?.parents ?? [])]))}`, () => `${v} is ${t} in ${target(v, one([t, ...(S.types[t]?.parents ?? [])]))}`])();
    const act = a && odds(70) ? `action == ${full(a.ns, "Action")}::${quote(a.id)}` : one([() => "action", () => `action in ${actText()}`, () => `action in [${times(rnd(3), actText).join(", ")}]`])();
    const conds = times(one([0, 1, 1, 1, 2]), () => ` ${odds(80) ? "when" : "unless"} { ${bool(1 + rnd(3))} }`).join("");
    return `${odds(65) ? "permit" : "forbid"}(${part("principal", E.p)}, ${act}, ${part("resource", E.r)})${conds};`;
  }
  function request() {
    const able = S.actions.filter((a) => a.applies), a = able.length && odds(95) ? one(able) : S.actions.length ? one(S.actions) : { ns: "", id: "nope", parents: [] };
    const ap = a.applies ?? { p: entityNames(), r: entityNames() };
    return { principal: uidOf(odds(96) ? one(ap.p) : one(entityNames())), action: odds(98) ? actionUid(a) : { type: "Action", id: "nope" }, resource: uidOf(odds(96) ? one(ap.r) : one(entityNames())),
      context: object(solve(ap.c ?? { k: "Record", a: {} }).a ?? {}), ...(odds(25) && { validateRequest: false }) };
  }

  // ---- one case ----
  const ok = (f) => { const r = call(f); return r.type === "success" ? r : false; };
  const grouped = (list) => { const out = {}; for (const f of list) (out[f.policyId] ??= []).push(kindOf(f.error.message)); for (const k in out) out[k] = [...new Set(out[k])].sort(); return out; };
  function layout(text) {
    const width = one([20, 40, 80, 80, 120]), indent = one([0, 2, 2, 4]), r = ok(() => oracle().formatPolicies({ policyText: text, lineWidth: width, indentWidth: indent }));
    return { text, width, indent, out: r ? r.formatted_policy : false };
  }
  function make(c) {
    slip = one([0, 1, 1, 3]);
    build();
    const what = rnd(100), list = times(1 + rnd(4), () => policy(0));
    c.schema = odds(50) ? schemaText() : schemaJson();
    c.entities = entities();
    c.requests = times(3, request);
    c.policies = list.join("\n");
    if (what < 12) c.schema = typeof c.schema === "string" ? mutate(c.schema) : spoil(c.schema);
    else if (what < 18) c.entities = spoil(c.entities);
    else if (what < 22) c.requests[0].context = spoil(c.requests[0].context);
    else if (what < 34) {
      const templates = Object.fromEntries(times(1 + rnd(2), (i) => ["t" + i, policy(1)]).filter(([, t]) => t.includes("?")));
      const links = times(Object.keys(templates).length ? rnd(4) : 0, (i) => {
        const id = one(Object.keys(templates)), values = {};
        for (const s of ["?principal", "?resource"]) if (templates[id].includes(s)) values[s] = uidOf(one(odds(95) ? entityNames() : [...entityNames(), "Nope"]));
        return { templateId: id, newId: "l" + i, values };
      });
      c.set = { staticPolicies: Object.fromEntries(list.map((t, i) => ["s" + i, t])), templates, templateLinks: links };
      delete c.policies;
    }
    return c;
  }
  function fill(c) {
    const cedar = oracle(), policies = c.set ?? { staticPolicies: c.policies };
    c.schemaOk = !!ok(() => cedar.checkParseSchema(c.schema));
    c.entitiesOk = c.schemaOk && !!ok(() => cedar.checkParseEntities({ entities: c.entities, schema: c.schema }));
    c.expect = c.requests.map((r) => ask(c, r));
    if (c.schemaOk && typeof c.schema === "string") {
      const j = ok(() => cedar.schemaToJson(c.schema)), r = ok(() => cedar.schemaToJsonWithResolvedTypes(c.schema));
      if (j) c.schemaJson = j.json;
      if (r) c.resolved = r.json;
    }
    const v = call(() => cedar.validate({ schema: c.schema, policies }));
    c.valid = v.type === "success" ? { errors: grouped(v.validationErrors), warnings: grouped(v.validationWarnings) } : false;
    if (c.policies) c.pretty = layout(c.policies);
    return c;
  }
  return { make, fill };
}
