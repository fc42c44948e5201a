"""spawn_peer.py VM: one oneshot of /bin/true, from arguments to evidence envelope: PyPI's toolclad in this process, and ours on one Lua VM in
another, turn by turn in one run. Prints one line of JSON with the medians and their ratio."""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from toolclad import executor, load_manifest

CALLS, TURNS = 200, 5
VM = sys.argv[1]
MANIFEST = '[tool]\nname = "t"\nversion = "1"\nbinary = "true"\ndescription = "d"\n[command]\nexec = ["/bin/true"]\n[output]\nformat = "text"\n[output.schema]\ntype = "object"\n'


def ours():
    out = subprocess.run([VM, "tests/bench/spawn_bench.lua", str(CALLS)], capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), None if out[1] == "-" else float(out[1])


def theirs(manifest):
    times = []
    for _ in range(CALLS):
        t = time.perf_counter()
        envelope = executor.execute(manifest, {})
        times.append((time.perf_counter() - t) * 1e6)
        assert envelope["status"] == "success", envelope
    return statistics.median(times)


def bare():
    times = []
    for _ in range(CALLS):
        t = time.perf_counter()
        subprocess.run(["/bin/true"], capture_output=True, check=True)
        times.append((time.perf_counter() - t) * 1e6)
    return statistics.median(times)


with tempfile.TemporaryDirectory() as d:
    os.environ["TOOLCLAD_EVIDENCE_DIR"] = d
    path = os.path.join(d, "t.clad.toml")
    with open(path, "w") as f:
        f.write(MANIFEST)
    loaded = load_manifest(path)
    own, boxed, py, sub = [], [], [], []
    for _ in range(TURNS):
        o, b = ours()
        own.append(o)
        boxed.append(b)
        py.append(theirs(loaded))
        sub.append(bare())
row = {"bench": "spawn-peer", "what": "oneshot of /bin/true, governed, with envelope", "vm": VM, "us": statistics.median(own), "python_toolclad_us": round(statistics.median(py), 1),
       "python_subprocess_us": round(statistics.median(sub), 1), "times_faster_than_python": round(statistics.median(py) / statistics.median(own), 2), "target": 1.0,
       "bwrap_us": None if None in boxed else statistics.median(boxed)}
row["pass"] = row["times_faster_than_python"] > 1
print(json.dumps(row))
