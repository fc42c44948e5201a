#!/usr/bin/env python3
"""toolclad_bench.py BUILD [ROUNDS]: one call of a tool with six arguments, from C and with the reference implementation (PyPI toolclad), in
turns in the same run: checking its arguments, and checking and planning it. For each the least of the rounds' medians. Target: 50 times as fast."""
import json, os, statistics, subprocess, sys, tempfile, time
from toolclad.executor import build_command_argv
from toolclad.manifest import load_manifest
from toolclad.validator import validate_arg

build, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 9
MANIFEST = """
[tool]
name = "scan"
version = "1.0.0"
binary = "nmap"
description = "Scans a target"
timeout_seconds = 60
[args.target]
position = 1
required = true
type = "scope_target"
[args.scan_type]
position = 2
type = "enum"
allowed = ["ping", "service", "version"]
default = "ping"
[args.ports]
position = 3
type = "string"
pattern = "^[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*$"
[args.rate]
position = 4
type = "integer"
min = 1
max = 10000
[args.report]
position = 5
type = "path"
[args.wait]
position = 6
type = "duration"
[command]
exec = ["nmap", "--script-timeout={wait}", "-p", "{ports}", "--max-rate", "{rate}", "-oX", "{report}", "--", "{target}"]
[output]
format = "text"
[output.schema]
type = "object"
"""
ARGS = {"target": "scanme.example.org", "scan_type": "service", "ports": "22,80,443,8000-8100", "rate": "500", "report": "out/scan.xml", "wait": "1m30s"}


def least(f, each=300):
    times = []
    for _ in range(7):
        start = time.perf_counter_ns()
        for _ in range(each):
            f()
        times.append((time.perf_counter_ns() - start) / each)
    return statistics.median(times)


with tempfile.TemporaryDirectory() as d:
    path, args = os.path.join(d, "scan.clad.toml"), os.path.join(d, "args.json")
    open(path, "w").write(MANIFEST)
    open(args, "w").write(json.dumps(ARGS))
    m = load_manifest(path)
    ours, theirs = {}, {}
    want = ["nmap", "--script-timeout=1m30s", "-p", "22,80,443,8000-8100", "--max-rate", "500", "-oX", "out/scan.xml", "--", "scanme.example.org"]
    assert build_command_argv(m, ARGS) == want
    for _ in range(rounds):
        row = json.loads(subprocess.run([build + "/bench-toolclad", path, args], capture_output=True, text=True, check=True).stdout)
        for k, v in row.items():
            ours[k] = min(ours.get(k, 1e12), v)
        peer = {"load_ns": least(lambda: load_manifest(path), 50), "validate_ns": least(lambda: [validate_arg(m.args[k], v) for k, v in ARGS.items()]),
                "validate_and_plan_ns": least(lambda: build_command_argv(m, ARGS))}
        for k, v in peer.items():
            theirs[k] = min(theirs.get(k, 1e12), v)

ratio = {k[:-3]: round(theirs[k] / ours[k], 1) for k in ours}
print(json.dumps({"bench": "toolclad", "peer": "PyPI toolclad", "arguments": len(ARGS), "rounds": rounds, "ours": ours, "theirs": {k: round(v) for k, v in theirs.items()}, "ratio": ratio, "target": 50,
                  "met": ratio["validate"] >= 50 and ratio["validate_and_plan"] >= 50}))
