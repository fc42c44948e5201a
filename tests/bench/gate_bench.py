#!/usr/bin/env python3
"""gate_bench.py BUILD [ROUNDS]: one check from C and from every Lua, in turns, so that a busy moment hits all alike. For each the least of
the rounds' medians, and what the call from Lua costs above the call from C (target: 2 us). Prints one JSON object."""
import json, os, subprocess, sys

build, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 21
VMS = {"lua5.1": "5.1", "lua5.2": "5.2", "lua5.3": "5.3", "lua5.4": "5.4", "luajit": "5.1"}
KINDS = ("table_us", "used_us", "fresh_us", "json_us")
least = {}


def take(name, argv, env=None):
    try:
        r = subprocess.run(argv, env=env, capture_output=True, text=True)
    except OSError as e:
        least.setdefault(name, {})["skipped"] = str(e)
        return
    if r.returncode != 0:
        least.setdefault(name, {})["skipped"] = (r.stdout + r.stderr)[-300:]
        return
    row, best = json.loads(r.stdout), least.setdefault(name, {})
    for k in KINDS:
        if k in row:
            best[k] = min(best.get(k, 1e9), row[k]["median"])


for _ in range(rounds):
    take("C", [build + "/bench-gate"])
    for vm, abi in VMS.items():
        env = dict(os.environ, LUA_PATH="lua/?.lua;lua/?/init.lua;;", LUA_CPATH=f"{build}/{abi}/?.so;;")
        take(vm, [vm, "tests/bench/gate_bench.lua"], env)

c = least["C"]
out = {"bench": "gate_check", "policies": 10, "rounds": rounds, "target_above_c_us": 2, "c_us": c, "lua": {}}
for vm in VMS:
    row = least.get(vm, {})
    above = {k: round(row[k] - c["json_us" if k == "json_us" else "table_us"], 3) for k in KINDS if k in row and "table_us" in c}
    out["lua"][vm] = {"us": {k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}, "above_c_us": above,
                      "met": bool(above) and all(v <= 2 for v in above.values())}
print(json.dumps(out))
