"""tests/bench/match_compare.py BUILD: the matcher and the scanner against RE2::Set, Hyperscan and the Python SDK over the same real text,
in turns, the fastest of each; one JSON object a line with ratios and targets."""
import json, os, subprocess, sys

build = sys.argv[1]
folder = os.path.join(build, "match-bench")
corpus = os.path.join(folder, "corpus.txt")
ours, scanner = os.path.join(build, "bench-match"), os.path.join(build, "bench-skills")

def run(*argv):
    try: out = subprocess.run(argv, capture_output=True, text=True)
    except OSError: return []
    return [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]

def best(rows, row):
    for r in row:
        old = rows.get(r["engine"])
        if not old or r["seconds"] < old["seconds"]: rows[r["engine"]] = r

for profile, ends, classes in (("seed", "python", "python"), ("runtime", "crlf", "unicode"), ("strict", "crlf", "ascii")):
    rules = os.path.join(folder, profile + ".txt")
    with open(rules, "w") as f: subprocess.run([scanner, "rules", profile], stdout=f)
    rows = {}
    for turn in range(3):
        best(rows, run(ours, rules, ends, classes, corpus, "20"))
        best(rows, run(scanner, profile, corpus, "20"))
        # as often as ours, but where one pass takes ten seconds
        for peer in ("re2", "hs"): best(rows, run(os.path.join(folder, peer), rules, corpus, "1" if peer == "re2" and profile == "strict" else "20"))
        if profile == "seed" and turn < 2: best(rows, run(os.path.join(build, "peers/py/bin/python"), "tests/bench/peers/scan.py", corpus, "1"))
    out = {"profile": profile, "rows": list(rows.values())}
    mine, scan = rows.get("symbi"), rows.get("symbi scanner, " + profile)
    for name, r in rows.items():
        if r is mine or r is scan or not mine: continue
        other = scan if "Python" in name else mine
        out["times faster than " + name] = round(r["seconds"] / other["seconds"], 2)
    out["target"] = {"seed": "scanner 40 times the Python SDK, matcher once RE2::Set", "runtime": "matcher once RE2::Set", "strict": "100 MB/s with 100 rules and more"}[profile]
    print(json.dumps(out))
    if profile != "runtime":
        for r in run(ours, rules, ends, classes): print(json.dumps({"profile": profile, **r}))
for r in run(scanner, "many", "1000"): print(json.dumps(r))
