"""tests/bench/peers/scan.py TEXT ROUNDS: the scanner of the Python SDK (symbiont-sdk) over TEXT."""
import json, sys, time
from symbiont.skills import SkillScanner
text = open(sys.argv[1], encoding="utf-8", errors="replace").read()
s, best = SkillScanner(), 1e9
size = len(text.encode("utf-8"))
for _ in range(int(sys.argv[2])):
    t = time.perf_counter()
    found = s.scan_content(text) if hasattr(s, "scan_content") else s.scan_text(text)
    best = min(best, time.perf_counter() - t)
found = getattr(found, "findings", found)
print(json.dumps({"engine": "symbiont-sdk (Python)", "found": len(found), "seconds": round(best, 4), "mb_per_s": round(size / best / 1e6, 2)}))
