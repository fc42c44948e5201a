"""The same delivery verified by the Python SDK, and by hmac of the standard library (C, OpenSSL) alone. Prints JSON lines."""
import hashlib
import hmac
import json
import time

from symbiont.webhooks import WebhookProvider

KEY, BODY = b"It's a Secret to Everybody", b"x" * 10000
HEADERS = {"Host": "example.org", "User-Agent": "GitHub-Hookshot/1", "Accept": "*/*", "Content-Type": "application/json", "X-GitHub-Event": "push",
           "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "X-Hub-Signature-256": "sha256=" + hmac.new(KEY, BODY, hashlib.sha256).hexdigest()}


def best(f):
    t_best = 1e9
    for _ in range(40):
        t = time.process_time()
        for _ in range(400):
            f()
        t_best = min(t_best, (time.process_time() - t) / 400 * 1e6)
    return round(t_best, 2)


verifier = WebhookProvider.GITHUB.verifier(secret=KEY)
print(json.dumps({"bench": "webhook", "what": "GitHub delivery of 10 kB, Python SDK", "us": best(lambda: verifier.verify(HEADERS, BODY))}))
print(json.dumps({"bench": "webhook", "what": "hmac of Python's standard library alone", "us": best(lambda: hmac.new(KEY, BODY, hashlib.sha256).digest())}))
