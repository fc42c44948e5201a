"""PyPI schemapin's half of the exchange.

peer.py make DIR SEED    writes what the peer signs: DIR/theirs.jsonl (schemas), DIR/theirs/N (skill folders), DIR/names.jsonl, DIR/pins.json
peer.py check DIR        verifies what ours wrote: DIR/ours.jsonl, DIR/ours/N; prints one line a failure and "P passed, F failed"
"""
import json
import os
import random
import sys

from schemapin.core import SchemaPinCore
from schemapin.crypto import KeyManager, SignatureManager
from schemapin.skill import SkillSigner
from schemapin.verification import KeyPinStore, verify_schema_offline

SCHEMAS, FOLDERS, NAMES = 150, 50, 200


def discovery(pem):
    return {"schema_version": "1.2", "developer_name": "Peer", "public_key_pem": pem, "revoked_keys": []}


def text(r):
    pools = ["abcxyz ", "äöüß", "日本語", "\U0001f600\U0001f680", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "\u2028\u2029\ufeff\ue000\uffff", "<>&'"]
    return "".join(r.choice(r.choice(pools)) for _ in range(r.randrange(0, 12)))


def number(r):
    return r.choice([
        lambda: r.randrange(-1000, 1000), lambda: r.randrange(-2**53, 2**53), lambda: r.randrange(-2**63, 2**64), lambda: r.randrange(2**64, 2**80),
        lambda: r.random(), lambda: r.uniform(-1e6, 1e6), lambda: float(r.randrange(-1000, 1000)), lambda: r.uniform(-1, 1) * 10.0 ** r.randrange(-320, 308),
        lambda: -0.0, lambda: r.choice([1e15, 1e16, 1e17, 123456789012345678.0, 1e-4, 1e-5, 5e-324, 1.7976931348623157e308]),
    ])()


def value(r, depth):
    if depth == 0 or r.random() < 0.4:
        return r.choice([lambda: None, lambda: True, lambda: False, lambda: number(r), lambda: text(r)])()
    if r.random() < 0.3:
        return [value(r, depth - 1) for _ in range(r.randrange(0, 5))]
    return {text(r): value(r, depth - 1) for _ in range(r.randrange(0, 7))}


def schema(r):
    return {"name": text(r), "type": "object", **{text(r): value(r, 4) for _ in range(r.randrange(0, 8))}}


def folder(r, path):
    names = ["SKILL.md", "a", "b/c.txt", "b/d/é.md", "日本.txt", ".hidden", "z z", "A", "b!", "b0", "\U0001f600"]
    for name in r.sample(names, r.randrange(1, len(names))):
        full = os.path.join(path, name)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        data = bytes(r.randrange(256) for _ in range(r.choice([0, 1, 100, 5000])))
        if name == "SKILL.md":
            data = front_matter(r).encode("utf-8", "surrogatepass")
        with open(full, "wb") as f:
            f.write(data)


def front_matter(r):
    parts = ["---", "\n", "\r\n", "name:", "name: ", " ", "'", '"', "x", "skill one", "ü", "#", "description: y", "\t", "Name: z", "---\n", "\n---", "\u00a0", "\u3000"]
    middle = "".join(r.choice(parts) for _ in range(r.randrange(0, 9)))
    return r.choice(["---\n%s\n---\nText", "---\nname: %s\n---\n", "---\n\n%s\n---", "%s", "---%s---", "---\nname: 'plain'\n%s\n---\n"]) % middle


def make(path, seed):
    r = random.Random(seed)
    private, public = KeyManager.generate_keypair()
    pem = KeyManager.export_public_key_pem(public)
    with open(f"{path}/theirs.jsonl", "w", encoding="utf-8") as f:
        for _ in range(SCHEMAS):
            s = schema(r)
            row = {
                "schema": json.dumps(s, ensure_ascii=r.random() < 0.5, indent=r.choice([None, 1, 4])), "signature": SignatureManager.sign_schema_hash(SchemaPinCore.canonicalize_and_hash(s), private),
                "canonical": SchemaPinCore.canonicalize_schema(s), "public_key_pem": pem, "fingerprint": KeyManager.calculate_key_fingerprint(public),
            }
            f.write(json.dumps(row) + "\n")
    for i in range(FOLDERS):
        os.makedirs(f"{path}/theirs/{i}")
        folder(r, f"{path}/theirs/{i}")
        SkillSigner.sign_skill(f"{path}/theirs/{i}", KeyManager.export_private_key_pem(private), "example.com")
        os.makedirs(f"{path}/unsigned/{i}")
        folder(r, f"{path}/unsigned/{i}")
    with open(f"{path}/names.jsonl", "w", encoding="utf-8") as f:
        for i in range(NAMES):
            os.makedirs(f"{path}/names/{i}")
            with open(f"{path}/names/{i}/SKILL.md", "w", encoding="utf-8", newline="") as g:
                g.write(front_matter(r))
            f.write(json.dumps({"name": SkillSigner.parse_skill_name(f"{path}/names/{i}")}) + "\n")
    with open(f"{path}/public.pem", "w") as f:
        f.write(pem)
    pins = KeyPinStore()
    pins.check_and_pin("add", "example.com", KeyManager.calculate_key_fingerprint(public))
    with open(f"{path}/pins.json", "w") as f:
        f.write(pins.to_json())


def check(path):
    passed = failed = 0

    def result(ok, what):
        nonlocal passed, failed
        if ok:
            passed += 1
        else:
            failed += 1
            print("FAIL peer refuses, or takes what it must not:", what)

    pem = open(f"{path}/ours.pem").read()
    for i, line in enumerate(open(f"{path}/ours.jsonl", encoding="utf-8")):
        row = json.loads(line)
        s = json.loads(row["schema"])
        good = verify_schema_offline(s, row["signature"], "example.com", "t", discovery(pem), None, KeyPinStore())
        s["tampered"] = 1
        bad = verify_schema_offline(s, row["signature"], "example.com", "t", discovery(pem), None, KeyPinStore())
        result(good.valid and not bad.valid, f"schema {i}")
    for i in sorted(os.listdir(f"{path}/ours")):
        d = f"{path}/ours/{i}"
        good = SkillSigner.verify_skill_offline(d, discovery(pem))
        with open(f"{d}/added", "w") as f:
            f.write("x")
        bad = SkillSigner.verify_skill_offline(d, discovery(pem))
        result(good.valid and good.domain == "example.com" and not bad.valid, f"folder {i}")
    pins = KeyPinStore.from_json(open(f"{path}/ours-pins.json").read())
    result(pins.get_pinned("add", "example.com") == KeyManager.calculate_key_fingerprint(KeyManager.load_public_key_pem(pem)), "pins")
    print(f"{passed} passed, {failed} failed")
    return failed == 0


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]))
else:
    sys.exit(0 if check(sys.argv[2]) else 1)
