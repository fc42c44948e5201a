# Whole AgentPin verifications and issues: C against raw OpenSSL, then Lua and the npm and PyPI packages on the same case, with ratios to ours.
agentpin_bench() {
    local case=$build/bench-agentpin.case rows
    compile agentpin && rows=$("$build/bench-agentpin" "$case") || return 1
    { printf '%s\n' "$rows" | tr -d '\n'; echo; lua lua5.4 tests/bench/agentpin_bench.lua "$case"; lua luajit tests/bench/agentpin_bench.lua "$case"
      peer npm && AGENTPIN=$(realpath "$build")/peers/npm/node_modules/agentpin/src/index.js node tests/bench/peers/agentpin_peer.mjs "$case"
      peer py && "$build/peers/py/bin/python" tests/bench/peers/agentpin_peer.py "$case"; } | python3 -c '
import json, sys
runs = [json.loads(l) for l in sys.stdin if l.strip()]
ours = {"verify": runs[0]["rows"][0]["us"], "issue": runs[0]["rows"][2]["us"]}
for r in runs[1:]:
    for row in r["rows"]: row["times_ours_in_c"] = round(row["us"] / ours[row["name"].split(",")[0]], 2)
print(json.dumps({"bench": "agentpin", "runs": runs}))'
}
add agentpin agentpin_bench
