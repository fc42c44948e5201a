"""health_check of the Python SDK (PyPI symbiont-sdk): client_bench.py BASE_URL. Prints JSON."""
import json
import os
import sys
import time

os.environ["SYMBIONT_AUTH_JWT_SECRET_KEY"] = "unit-test-secret-key-0123456789abcdef"
from symbiont import Client  # noqa: E402

client = Client(api_key="test-key", base_url=sys.argv[1])
wall = cpu = 1e18
for _ in range(5):
    w, c = time.perf_counter(), time.process_time()
    for _ in range(60):
        client.health_check()
    wall, cpu = min(wall, (time.perf_counter() - w) / 60 * 1e6), min(cpu, (time.process_time() - c) / 60 * 1e6)
print(json.dumps({"bench": "client", "what": "health_check, Python SDK", "us": round(wall, 1), "cpu_us": round(cpu, 1)}))
