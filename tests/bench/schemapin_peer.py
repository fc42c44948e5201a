"""tests/bench/schemapin_peer.py BINARY: runs the native benchmark and, on the same schema, key and signature, PyPI schemapin in the
same process run, and prints the native object with the peer's times (microseconds, low decile) and the ratios."""
import json
import subprocess
import sys
import tempfile
import time


def measure(f, rounds=15, n=20):
    out = []
    for _ in range(rounds):
        t = time.perf_counter()
        for _ in range(n):
            f()
        out.append((time.perf_counter() - t) / n * 1e6)
    return sorted(out)[rounds // 10]


with tempfile.TemporaryDirectory() as folder:
    ours = json.loads(subprocess.run([sys.argv[1], folder], check=True, capture_output=True, text=True).stdout)
    read = lambda name: open(f"{folder}/{name}", encoding="utf-8").read()
    try:
        from schemapin.core import SchemaPinCore
        from schemapin.verification import KeyPinStore, verify_schema_offline
    except ImportError as e:
        ours["peer_skipped"] = str(e)
        print(json.dumps(ours))
        sys.exit(0)
    schema, signature = json.loads(read("schema.json")), read("signature.txt")
    discovery = {"schema_version": "1.2", "public_key_pem": read("public.pem"), "revoked_keys": []}
    pins = KeyPinStore()

    def check():
        assert verify_schema_offline(schema, signature, "example.com", "search_documents", discovery, None, pins).valid

    check()
    peer = measure(check)
    canonical = measure(lambda: SchemaPinCore.canonicalize_and_hash(schema), n=200)
    ours.update(
        peer="schemapin (PyPI)", peer_check_us=round(peer, 2), peer_canonical_and_hash_us=round(canonical, 2),
        peer_over_repeated=round(peer / ours["repeated_us"], 1), peer_over_known_key=round(peer / ours["known_key_us"], 2),
        peer_over_first_seen=round(peer / ours["first_seen_us"], 2),
    )
    print(json.dumps(ours))
