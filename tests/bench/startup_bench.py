#!/usr/bin/env python3
"""tests/bench/startup_bench.py SYMBI_LUA: what starting costs, against lua5.4 in the same run, alternately: `-e ''`, and
`require "symbi"` (milliseconds above an empty script, kilobytes of peak memory above it). Prints one JSON object."""
import json, os, statistics, subprocess, sys, time

symbi = sys.argv[1]


def once(argv):
    t = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, os.environ)
    _, status = os.waitpid(pid, 0)
    assert status == 0, argv
    return (time.perf_counter() - t) * 1000


# The process reads its own peak: what wait4 reports of a spawned child begins with the peak of its parent.
PEAK = ' for l in io.lines("/proc/self/status") do local n = l:match("VmHWM:%s*(%d+)") if n then io.write(n) end end'


def peak(argv):
    return int(subprocess.run(argv[:-1] + [argv[-1] + PEAK], capture_output=True, text=True, check=True).stdout)


rows = {
    "lua54_empty": ["/usr/bin/lua5.4", "-e", ""],
    "symbi_empty": [symbi, "-e", ""],
    "symbi_require": [symbi, "-e", 'require "symbi"'],
    "symbi_gate": [symbi, "-e", 'local s = require "symbi"; assert(s.gate.open{policies = {}})'],
}
ms = {k: [] for k in rows}
for i in range(210):
    for k, argv in rows.items():
        t = once(argv)
        if i >= 10:
            ms[k].append(t)
med = {k: statistics.median(v) for k, v in ms.items()}
mem = {k: peak(argv) for k, argv in rows.items()}
print(json.dumps({
    "bench": "startup", "median_ms": {k: round(v, 3) for k, v in med.items()}, "peak_kb": mem,
    "ratio_empty": round(med["symbi_empty"] / med["lua54_empty"], 2), "target_ratio_empty": 2,
    "require_ms": round(med["symbi_require"] - med["symbi_empty"], 3), "target_require_ms": 5,
    "require_kb": mem["symbi_require"] - mem["symbi_empty"], "target_require_kb": 4096,
}))
