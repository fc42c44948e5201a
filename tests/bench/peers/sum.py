"""tests/bench/peers/sum.py RESULTS: joins the rows of the three engines, checks that they decided alike, and holds the ratios against the
targets. Prints one JSON object; a readable table goes to standard error."""
import json
import sys

rows, gate, skipped = {}, {}, []
for line in open(sys.argv[1]):
    r = json.loads(line)
    if "skipped" in r:
        skipped.append(r)
    elif r.get("bench") == "gate_check":
        t = r["table_us"]
        gate[r["peer"]] = t["median"] if isinstance(t, dict) else t
    else:
        rows.setdefault((r["kind"], r["policies"], r["entities"]), {})[r["peer"]] = r

# Wanted ratios by number of policies, for the kinds that the issue names.
WANT = {10: {"wasm": 100, "rust": 10}, 1000: {"wasm": 600, "rust": 50}}
table, targets, differ = [], [], []


def target(what, value, limit, at_least):
    if value is not None:
        targets.append({"target": what, "value": round(value, 2), "limit": limit, "met": value >= limit if at_least else value <= limit})


for (kind, n, m), peers in sorted(rows.items(), key=lambda x: (["gate", "guard", "abac", "worst"].index(x[0][0]), x[0][2], x[0][1])):
    ours = peers.get("symbi")
    if not ours:
        continue
    row = {"kind": kind, "policies": n, "entities": m, "symbi_ns": ours["median_ns"], "symbi_p99_ns": ours["p99_ns"], "candidates": ours["candidates"],
           "parse_ns": ours["parse_ns"], "set_bytes": ours["set_bytes"]}
    for peer in ("rust", "wasm"):
        p = peers.get(peer)
        if not p:
            continue
        row[peer + "_ns"] = p["median_ns"]
        row[peer + "_ratio"] = round(p["median_ns"] / ours["median_ns"], 1)
        row[peer + "_parse_ns"] = p["parse_ns"]
        row[peer + "_parse_ratio"] = round(p["parse_ns"] / ours["parse_ns"], 1)
        if p["answers"] != ours["answers"]:
            differ.append({"kind": kind, "policies": n, "entities": m, "peer": peer, "symbi": ours["answers"][:300], "other": p["answers"][:300]})
        if n in WANT and kind in ("gate", "abac"):
            target(f"{kind}, {n} policies, {m} entities: times as fast as {peer}", row[peer + "_ratio"], WANT[n][peer], True)
    table.append(row)

for kind in ("gate", "guard", "abac", "worst"):
    for m in (10, 1000):
        a, b = rows.get((kind, 10, m), {}).get("symbi"), rows.get((kind, 10000, m), {}).get("symbi")
        if a and b:
            growth = b["median_ns"] / a["median_ns"]
            if kind in ("gate", "guard"):
                target(f"{kind}, {m} entities: cost at 10,000 policies over cost at 10", growth, 4, False)
            else:
                targets.append({"target": f"{kind}, {m} entities: cost at 10,000 policies over cost at 10 (reported)", "value": round(growth, 1)})
for kind in ("gate", "guard", "abac", "worst"):
    r = rows.get((kind, 10000, 10), {})
    if "symbi" in r:
        target(f"{kind}: MiB of 10,000 policies", r["symbi"]["set_bytes"] / 1048576, 16, False)
    for n in (100, 1000, 10000):
        r = rows.get((kind, n, 10), {})
        if "symbi" in r and "rust" in r:
            target(f"{kind}, {n} policies: parsing, times as fast as rust", r["rust"]["parse_ns"] / r["symbi"]["parse_ns"], 5, True)
for vm, us in gate.items():
    if vm != "c" and "c" in gate:
        target(f"{vm}: microseconds above C for a check with its permit", us - gate["c"], 2, False)

for r in table:
    print("%-6s %6d policies %5d entities  %9d ns" % (r["kind"], r["policies"], r["entities"], r["symbi_ns"]),
          *("  %s %8.1fx (parse %.1fx)" % (p, r[p + "_ratio"], r[p + "_parse_ratio"]) for p in ("rust", "wasm") if p + "_ratio" in r), file=sys.stderr)
for t in targets:
    print("%s %s: %s%s" % ("  " if "met" not in t else "ok" if t["met"] else "--", t["target"], t["value"], " (%s)" % t["limit"] if "limit" in t else ""), file=sys.stderr)
for d in differ:
    print("DIFFERS", d, file=sys.stderr)
print(json.dumps({"bench": "cedar_peers", "versions": {"cedar-policy": "4.13.0", "cedar-wasm": "4.13.0"}, "agree": not differ, "differences": differ[:10], "gate_us": gate,
                  "met": sum(t.get("met", False) for t in targets), "missed": sum(not t.get("met", True) for t in targets), "targets": targets, "skipped": skipped, "rows": table}))
sys.exit(bool(differ))
