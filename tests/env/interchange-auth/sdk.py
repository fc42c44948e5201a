"""The SDK's side of tests/env/interchange-auth/run: `make FILE` writes signed things, `check VERDICTS OURS` judges what came back."""
import base64
import json
import random
import sys

from symbiont.auth import JWTHandler, Permission, TokenType
from symbiont.config import AuthConfig
from symbiont.webhooks import HmacVerifier, JwtVerifier, WebhookVerificationError

N = 200
rng = random.Random(int.from_bytes(__import__("os").urandom(4), "big"))
handlers = {a: JWTHandler(AuthConfig(jwt_secret_key="exchange-secret-%s-0123456789abcdef" % a, jwt_algorithm=a)) for a in ("HS256", "HS384", "HS512")}


def text(n=12):
    return "".join(rng.choice("abcXYZ0189 _-é日\"\\/.") for _ in range(rng.randint(1, n)))


def spoil(s):
    """Another character of the same alphabet somewhere: never the last one, whose unused bits some readers let pass."""
    i = rng.randrange(len(s) - 1)
    while s[i] in ".=":
        i = rng.randrange(len(s) - 1)
    return s[:i] + ("A" if s[i] != "A" else "B") + s[i + 1:]


def make(path):
    import hashlib
    import hmac
    with open(path, "w", encoding="utf-8") as f:
        for i in range(N):
            alg = rng.choice(sorted(handlers))
            kind = rng.choice([TokenType.ACCESS, TokenType.ACCESS, TokenType.REFRESH])
            user, roles = text(), [text(8) for _ in range(rng.randint(0, 3))]
            perms = set(rng.sample(list(Permission), rng.randint(0, 5)))
            life = rng.choice([None, 60, 86400, -10])
            token = handlers[alg].generate_token(user, roles, perms, kind, life).token
            bad = rng.random() < 0.4
            f.write(json.dumps({"kind": "token", "alg": alg, "type": kind.value, "user": user, "roles": roles, "permissions": sorted(p.value for p in perms),
                                "token": spoil(token) if bad else token, "good": not bad and life != -10}) + "\n")
        for i in range(N):
            secret, body = rng.randbytes(rng.randint(1, 100)), rng.randbytes(rng.choice([0, 1, 63, 64, 65, 1000, 9999]))
            prefix = rng.choice(["", "sha256=", "v1,"])
            sig = prefix + hmac.new(secret, body, hashlib.sha256).hexdigest()
            HmacVerifier(secret=secret, header_name="X-Sig", prefix=prefix or None).verify({"X-Sig": sig}, body)
            bad = rng.random() < 0.5
            if bad and body and rng.random() < 0.5:
                body = body[:-1] + bytes([body[-1] ^ 1])
            elif bad:
                sig = prefix + spoil(sig[len(prefix):].upper()).lower()
            f.write(json.dumps({"kind": "hmac", "secret": secret.hex(), "body": body.hex(), "prefix": prefix, "signature": sig, "good": not bad}) + "\n")


def check(verdicts, ours):
    wrong = 0
    with open(verdicts, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    for v in lines:
        if v["good"] != v["verdict"]:
            wrong += 1
            print("we say %s: %s" % (v["verdict"], json.dumps(v)[:300]))
    read = 0
    with open(ours, encoding="utf-8") as f:
        for line in f:
            o = json.loads(line)
            read += 1
            if o["kind"] == "token":
                p = handlers[o["alg"]].decode_token(o["token"])
                good = p is not None and p["sub"] == o["user"] and p["roles"] == o["roles"] and p["type"] == o["type"] and sorted(p["permissions"]) == sorted(o["permissions"])
            elif o["kind"] == "jwt-webhook":
                try:
                    JwtVerifier(secret=o["secret"].encode(), header_name="Authorization", required_issuer="me").verify({"Authorization": "Bearer " + o["token"]}, b"")
                    good = True
                except WebhookVerificationError:
                    good = False
            else:
                try:
                    HmacVerifier(secret=bytes.fromhex(o["secret"]), header_name="X-Sig", prefix=o["prefix"] or None).verify({"X-Sig": o["signature"]}, bytes.fromhex(o["body"]))
                    good = True
                except WebhookVerificationError:
                    good = False
            if not good:
                wrong += 1
                print("the SDK refuses ours: %s" % line[:300])
    print("%d verdicts, %d of ours read" % (len(lines), read))
    sys.exit(1 if wrong or len(lines) != 2 * N or read != 3 * N else 0)


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    check(sys.argv[2], sys.argv[3])
