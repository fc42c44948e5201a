"""tests/env/interchange-agentpin/peer.py: PyPI agentpin's side: make N SEED OUT, judge IN (see ours.lua)."""
import json
import random
import sys
import time

import agentpin as ap

PIECES = ["data", "report", "codebase.github.com/org/repo", "a.b.c", "ärger", "☃", "😀", 'q"uote', "back\\slash", "x:y", "tab\there", "<&>", "*", "7"]
ACTIONS = ["read", "write", "execute", "delegate", "com.example.scan"]
FAULTS = ["", "", "", "", "wrong_key", "exceed", "suspended", "revoked_agent", "revoked_credential", "revoked_key", "audience", "tampered", "expired", "unknown_agent", "unknown_kid", "constraint", "entity"]


def make(n):
    priv, pub = ap.generate_key_pair()
    other, _ = ap.generate_key_pair()
    fault = random.choice(FAULTS)
    iss = "d%d.example" % random.randrange(10**6)
    kid = "kid-%d" % random.randrange(10**6)
    agent = random.choice(["urn:agentpin:%s:a%d" % (iss, n), "plain", 'übung ☃ "%d' % n])
    declared = [random.choice(ACTIONS) + ":" + random.choice(PIECES) for _ in range(random.randrange(1, 6))]
    caps = [c if random.random() < 0.5 or c.endswith("*") else c + ".sub" for c in declared if random.random() < 0.7]
    if fault == "exceed":
        caps.append("write:never-declared-%d" % n)
    constraints = None
    if fault == "constraint" or random.random() < 0.4:
        constraints = {"rate_limit": "101/hour" if fault == "constraint" else "%d/hour" % random.randrange(1, 101), "allowed_domains": ["a.client.com"], "data_classification_max": "internal"}
    audience = "someone.else" if fault == "audience" else random.choice(["verifier.com", "*", None])
    jwt = ap.issue_credential(other if fault == "wrong_key" else priv, "nope" if fault == "unknown_kid" else kid, iss, "ghost" if fault == "unknown_agent" else agent, audience,
                              [ap.Capability(c) for c in caps], constraints, None, -3600 if fault == "expired" else random.randrange(60, 86401))
    if fault == "tampered":
        h, p, s = jwt.split(".")
        jwt = ".".join([h, p, s[:20] + ("B" if s[20] == "A" else "A") + s[21:]])
    jti = ap.decode_jwt_unverified(jwt)[1]["jti"]
    jwk = ap.pem_to_jwk(pub, kid)
    doc = ap.build_discovery_document("other.example" if fault == "entity" else iss, random.choice(["maker", "deployer", "both"]), [jwk], [{
        "agent_id": agent, "name": "N", "capabilities": declared, "status": "suspended" if fault == "suspended" else "active",
        "constraints": {"rate_limit": "100/hour", "allowed_domains": ["*.client.com"], "data_classification_max": "confidential"}}],
        random.randrange(4), "2026-01-15T00:00:00Z")
    rev = ap.build_revocation_document(doc["entity"])
    if fault == "revoked_agent":
        ap.add_revoked_agent(rev, agent, "superseded")
    if fault == "revoked_credential":
        ap.add_revoked_credential(rev, jti, "key_compromise")
    if fault == "revoked_key":
        ap.add_revoked_key(rev, kid, "superseded")
    pins = ap.KeyPinStore()
    result = ap.verify_credential_offline(jwt, doc, rev, pins, "verifier.com")
    data = random.choice(PIECES) + str(n)
    challenge = ap.create_challenge()
    plain = lambda x: x if isinstance(x, dict) else (x.to_dict() if hasattr(x, "to_dict") else vars(x))
    code = result.error_code
    return {"n": n, "fault": fault, "jwt": jwt, "discovery": doc, "revocation": rev, "audience": "verifier.com", "valid": result.valid, "code": getattr(code, "value", code),
            "public_key_pem": pub, "private_key_pem": priv, "key_id": ap.generate_key_id(pub), "jwk": jwk, "thumbprint": ap.jwk_thumbprint(jwk), "data": data,
            "pins": pins.to_json(), "signature": ap.sign_data(priv, data.encode()), "attestation": plain(ap.create_attestation(priv, kid, iss, "maker", "t", "d.example", "s", [ap.Capability("read:data"), ap.Capability("write:x")])),
            "challenge": plain(challenge), "response": plain(ap.create_response(challenge, priv, kid))}


def judge(c):
    r = ap.verify_credential_offline(c["jwt"], c["discovery"], c["revocation"], ap.KeyPinStore(), c["audience"])
    code = getattr(r.error_code, "value", r.error_code)
    if r.valid != c["valid"] or code != c.get("code"):
        return "verdict %s (%s), ours is %s" % (code, r.error_message, c.get("code"))
    pins = ap.KeyPinStore.from_json(c["pins"])
    if c["valid"]:
        again = ap.verify_credential_offline(c["jwt"], c["discovery"], c["revocation"], pins, c["audience"])
        if not again.valid or "pinned" not in json.dumps(vars(again.key_pinning) if hasattr(again.key_pinning, "__dict__") else again.key_pinning, default=str):
            return "pins: %s" % again.error_message
    if ap.generate_key_id(c["public_key_pem"]) != c["key_id"]:
        return "key id"
    if ap.jwk_thumbprint(c["jwk"]) != c["thumbprint"]:
        return "thumbprint"
    if ap.jwk_to_pem(c["jwk"]) != c["public_key_pem"]:
        return "PEM"
    if not ap.verify_signature(c["public_key_pem"], c["data"].encode(), c["signature"]):
        return "signature"
    ap.verify_attestation(c["attestation"], c["public_key_pem"], "d.example", "s", [ap.Capability("read:data"), ap.Capability("write:x")])
    if not ap.verify_response(c["response"], c["challenge"], c["public_key_pem"]):
        return "response"
    if not ap.verify_signature(c["public_key_pem"], b"x", ap.sign_data(c["private_key_pem"], b"x")):
        return "private key"


if sys.argv[1] == "make":
    random.seed(int(sys.argv[3]))
    with open(sys.argv[4], "w") as f:
        for i in range(int(sys.argv[2])):
            f.write(json.dumps(make(i + 1)) + "\n")
else:
    with open(sys.argv[2]) as f:
        for line in f:
            case = json.loads(line)
            try:
                why = judge(case)
            except Exception as e:  # a peer's exception is a difference, whatever it is
                why = repr(e)
            print("bad case %d (%s): %s" % (case["n"], case["fault"], why) if why else "ok")
