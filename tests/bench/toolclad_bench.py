#!/usr/bin/env python3
"""toolclad_bench.py BUILD [ROUNDS]: a call of each of five tools, from C and with the reference implementation (PyPI toolclad), in turns in the
same run, contracts loaded before; for each the least of the rounds' medians, for each row and for the five together. What is timed:

validate                the arguments that are given, checked. Theirs: validate_arg for each. Ours: symbi_tool_validate, which also refuses what is
                        not declared or missing, puts defaults in, and makes (and frees) a document of canonical values.
plan                    checked and made a command. Theirs: build_command_argv, or build_command of a template, which leaves one line that is not
                        split yet: defaults, id, evidence paths, mappings, conditionals. Ours: symbi_tool_plan_args, the same, split, with the
                        rule on option injection, the environment and the command as people read it; made and freed.
sealed                  ours with the digest that an order is bound to; theirs has none and is the same as in plan.
validate_then_plan      ours as the gate calls it: checked, and then planned with a second look at what somebody checked; theirs as in plan.
validate_then_sealed    that and the digest.

The same argv must come out, which the reference may write otherwise in two known ways (see words). Nothing is taken from it: its patterns stay
compiled (re) and its URLs parsed (urllib) from call to call, while ours are looked at anew. Target: validate and plan 50 times as fast."""
import json, os, statistics, subprocess, sys, tempfile, time
from toolclad.executor import build_command, build_command_argv
from toolclad.manifest import load_manifest
from toolclad.validator import validate_arg

build, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7
CASES = [
    ("web_probe, ten arguments, mappings and a conditional", """
[tool]
name = "web_probe"
version = "1.2.0"
binary = "webprobe"
description = "Requests a page of a host in scope and checks what comes back"
timeout_seconds = 120
risk_tier = "medium"
[args.target]
position = 1
required = true
type = "scope_target"
[args.url]
position = 2
required = true
type = "url"
schemes = ["http", "https"]
[args.method]
position = 3
type = "enum"
allowed = ["GET", "HEAD", "POST"]
default = "GET"
[args.port]
position = 4
type = "port"
default = 443
[args.timeout]
position = 5
type = "duration"
default = "30s"
[args.retries]
position = 6
type = "integer"
min = 0
max = 10
default = 2
[args.expect]
position = 7
type = "regex_match"
pattern = "^[A-Za-z0-9 ._-]{1,64}$"
[args.wordlist]
position = 8
type = "path"
[args.proxy_net]
position = 9
type = "cidr"
[args.verbose]
position = 10
type = "boolean"
default = false
[command]
exec = ["webprobe", "{_method_flags}", "--connect={target}:{port}", "--timeout", "{timeout}", "--retries", "{retries}", "{_expecting}", "-w", "{wordlist}", "--via", "{proxy_net}", "{_verbose_flags}", "-o", "{_output_file}", "--", "{url}"]
[command.mappings.method]
GET = "--get"
HEAD = "--head"
POST = "--post"
[command.mappings.verbose]
true = "-v"
false = ""
[command.conditionals.expecting]
when = "expect != ''"
template = "--expect {expect}"
[output]
format = "json"
[output.schema]
type = "object"
""",
     {"target": "shop.example.org", "url": "https://shop.example.org/catalogue/items?page=3", "method": "POST", "port": "8443", "timeout": "1m30s", "retries": "3", "expect": "200 OK", "wordlist": "lists/common.txt", "proxy_net": "10.20.0.0/16", "verbose": "true"}),
    ("scan, six arguments, a pattern, a path, a duration", """
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
""",
     {"target": "scanme.example.org", "scan_type": "service", "ports": "22,80,443,8000-8100", "rate": "500", "report": "out/scan.xml", "wait": "1m30s"}),
    ("nmap, a template with mappings, three of four given", """
[tool]
name = "nmap_scan"
version = "1.0.0"
binary = "nmap"
description = "Port scan"
timeout_seconds = 600
risk_tier = "low"
[args.target]
position = 1
required = true
type = "scope_target"
[args.scan_type]
position = 2
required = true
type = "enum"
allowed = ["ping", "service", "version", "syn"]
[args.extra_flags]
position = 3
type = "string"
default = ""
[args.max_rate]
position = 4
type = "integer"
min = 1
max = 10000
default = 1000
[command]
template = "nmap {_scan_flags} --max-rate {max_rate} -oX {_output_file} --no-stylesheet -v {target}"
[command.mappings.scan_type]
ping = "-sn -PE"
service = "-sT -sV --version-intensity 5"
version = "-sV --version-all --top-ports 1000"
syn = "-sS --top-ports 1000"
[output]
format = "xml"
[output.schema]
type = "object"
""",
     {"target": "10.0.1.0/24", "scan_type": "service", "max_rate": "500"}),
    ("psql, four arguments, two patterns", """
[tool]
name = "psql_report"
version = "1.0.0"
binary = "psql"
description = "A prepared report of the warehouse"
timeout_seconds = 60
risk_tier = "medium"
[args.report]
position = 1
required = true
type = "enum"
allowed = ["daily_sales", "open_orders", "stock"]
[args.customer]
position = 2
type = "string"
pattern = "^[A-Z]{2}[0-9]{6}$"
[args.limit]
position = 3
type = "integer"
min = 1
max = 1000
default = 100
clamp = true
[args.since]
position = 4
type = "regex_match"
pattern = "^20[0-9]{2}-[01][0-9]-[0-3][0-9]$"
required = true
[command]
exec = ["psql", "--no-psqlrc", "-v", "customer={customer}", "-v", "limit={limit}", "-v", "since={since}", "-f", "reports/{report}.sql"]
[output]
format = "csv"
[output.schema]
type = "object"
""",
     {"report": "open_orders", "customer": "DE004711", "limit": "250", "since": "2026-11-01"}),
    ("whois, one argument", """
[tool]
name = "whois_lookup"
version = "1.0.0"
binary = "whois"
description = "WHOIS record of a domain or an address"
timeout_seconds = 30
risk_tier = "low"
[args.target]
position = 1
required = true
type = "scope_target"
[command]
exec = ["whois", "--", "{target}"]
[output]
format = "text"
[output.schema]
type = "object"
""",
     {"target": "scanme.example.org"}),
]


def median(f, each):
    """Batches as short as ours (a few hundred microseconds), so that a busy machine interrupts both alike."""
    times = []
    for _ in range(81):
        start = time.perf_counter_ns()
        for _ in range(each):
            f()
        times.append((time.perf_counter_ns() - start) / each)
    return statistics.median(times)


def words(argv):
    """What SAME allows: the reference keeps a conditional's text one word, an absent flag an empty one, and makes a path without the id."""
    return [w for a in argv for w in a.split() if "toolclad-evidence" not in w]


def row(d, name, manifest, args):
    path, given = os.path.join(d, "x.clad.toml"), os.path.join(d, "args.json")
    open(path, "w").write(manifest)
    open(given, "w").write(json.dumps(args))
    m = load_manifest(path)
    make = (lambda: build_command_argv(m, args)) if m.command.exec else (lambda: build_command(m, args))
    ours, theirs = {}, {}
    for _ in range(rounds):
        got = json.loads(subprocess.run([build + "/bench-toolclad", path, given], capture_output=True, text=True, check=True).stdout)
        made = make()
        assert words(got.pop("argv")) == words(made if m.command.exec else made.split()), (got, made)
        for k, v in got.items():
            ours[k] = min(ours.get(k, 1e12), v)
        peer = {"load_ns": median(lambda: load_manifest(path), 1), "validate_ns": median(lambda: [validate_arg(m.args[k], v) for k, v in args.items()], 15), "plan_ns": median(make, 8)}
        for k, v in peer.items():
            theirs[k] = min(theirs.get(k, 1e12), v)
    return result(name, ours, theirs)


def result(name, ours, theirs):
    ratio = {k[:-3]: round(theirs.get(k, theirs["plan_ns"]) / v, 1) for k, v in ours.items()}
    return {"case": name, "ours": ours, "theirs": {k: round(v) for k, v in theirs.items()}, "ratio": ratio, "met": {k: ratio[k] >= 50 for k in ("validate", "plan")}}


with tempfile.TemporaryDirectory() as d:
    rows = [row(d, *c) for c in CASES]
    rows.append(result("all five", *({k: sum(r[side][k] for r in rows) for k in rows[0][side]} for side in ("ours", "theirs"))))
print(json.dumps({"bench": "toolclad", "peer": "PyPI toolclad", "rounds": rounds, "target": 50, "met": all(all(r["met"].values()) for r in rows), "rows": rows}))
