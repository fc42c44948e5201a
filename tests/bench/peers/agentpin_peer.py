"""PyPI agentpin on the case that tests/bench/agentpin_bench.c wrote: whole verifications and issues, microseconds of CPU time, medians."""
import json
import statistics
import sys
import time

import agentpin as ap

case = json.load(open(sys.argv[1]))
caps = [ap.Capability("read:data"), ap.Capability("write:report")]
pins = ap.KeyPinStore()


def verify():
    assert ap.verify_credential_offline(case["jwt"], case["discovery"], case["revocation"], pins, "verifier.com").valid


def issue():
    ap.issue_credential(case["private_key_pem"], "k-2026-01", "d0.example.com", "urn:agentpin:x:a", "verifier.com", caps, None, None, 3600)


def measure(run):
    rounds = []
    for _ in range(40):
        t = time.process_time()
        for _ in range(10):
            run()
        rounds.append((time.process_time() - t) / 10 * 1e6)
    return statistics.median(rounds)


print(json.dumps({"bench": "agentpin-pypi", "rows": [{"name": "verify", "us": measure(verify)}, {"name": "issue", "us": measure(issue)}]}))
