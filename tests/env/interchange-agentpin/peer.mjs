// tests/env/interchange-agentpin/peer.mjs: npm agentpin's side: make N SEED OUT, judge IN (see ours.lua). AGENTPIN names its entry file.
import fs from "node:fs";
const ap = await import(process.env.AGENTPIN);

let state = 1;
const rnd = () => (state = (state * 48271) % 2147483647) / 2147483647;
const int = (n) => Math.floor(rnd() * n);
const any = (list) => list[int(list.length)];
const PIECES = ["data", "report", "codebase.github.com/org/repo", "a.b.c", "ärger", "☃", "😀", 'q"uote', "back\\slash", "x:y", "tab\there", "<&>", "*", "7"];
const ACTIONS = ["read", "write", "execute", "delegate", "com.example.scan"];
const FAULTS = ["", "", "", "", "wrong_key", "exceed", "suspended", "revoked_agent", "revoked_credential", "revoked_key", "audience", "tampered", "expired", "unknown_agent", "unknown_kid", "constraint", "entity"];
const pair = () => {
    const k = ap.generateKeyPair();
    return { priv: k.privateKeyPem ?? k.privateKey ?? k[0], pub: k.publicKeyPem ?? k.publicKey ?? k[1] };
};
const CAPS = ["read:data", "write:x"];

function make(n) {
    const { priv, pub } = pair(), other = pair().priv, fault = any(FAULTS);
    const iss = `d${int(1e6)}.example`, kid = `kid-${int(1e6)}`, agent = any([`urn:agentpin:${iss}:a${n}`, "plain", `übung ☃ "${n}`]);
    const declared = [];
    for (let i = 0; i <= int(5); i++) declared.push(any(ACTIONS) + ":" + any(PIECES));
    const caps = declared.filter(() => rnd() < 0.7).map((c) => (rnd() < 0.5 || c.endsWith("*") ? c : c + ".sub"));
    if (fault === "exceed") caps.push(`write:never-declared-${n}`);
    let constraints = null;
    if (fault === "constraint" || rnd() < 0.4) constraints = { rate_limit: fault === "constraint" ? "101/hour" : `${1 + int(100)}/hour`, allowed_domains: ["a.client.com"], data_classification_max: "internal" };
    const audience = fault === "audience" ? "someone.else" : any(["verifier.com", "*", null]);
    let jwt = ap.issueCredential(fault === "wrong_key" ? other : priv, fault === "unknown_kid" ? "nope" : kid, iss, fault === "unknown_agent" ? "ghost" : agent, audience, caps.map((c) => new ap.Capability(c)),
        constraints, null, fault === "expired" ? -3600 : 60 + int(86341));
    if (fault === "tampered") {
        const [h, p, s] = jwt.split(".");
        jwt = [h, p, s.slice(0, 20) + (s[20] === "A" ? "B" : "A") + s.slice(21)].join(".");
    }
    const jti = ap.decodeJwtUnverified(jwt).payload.jti, jwk = ap.pemToJwk(pub, kid);
    const doc = ap.buildDiscoveryDocument(fault === "entity" ? "other.example" : iss, any(["maker", "deployer", "both"]), [jwk], [{
        agent_id: agent, name: "N", capabilities: declared, status: fault === "suspended" ? "suspended" : "active",
        constraints: { rate_limit: "100/hour", allowed_domains: ["*.client.com"], data_classification_max: "confidential" } }], int(4), "2026-01-15T00:00:00Z");
    const rev = ap.buildRevocationDocument(doc.entity);
    if (fault === "revoked_agent") ap.addRevokedAgent(rev, agent, "superseded");
    if (fault === "revoked_credential") ap.addRevokedCredential(rev, jti, "key_compromise");
    if (fault === "revoked_key") ap.addRevokedKey(rev, kid, "superseded");
    const pins = new ap.KeyPinStore(), r = ap.verifyCredentialOffline(jwt, doc, rev, pins, "verifier.com");
    const data = any(PIECES) + n, challenge = ap.createChallenge();
    return { n, fault, jwt, discovery: doc, revocation: rev, audience: "verifier.com", valid: r.valid, code: r.error_code ?? r.errorCode ?? null, public_key_pem: pub, private_key_pem: priv,
        key_id: ap.generateKeyId(pub), jwk, pins: pins.toJson(), thumbprint: ap.jwkThumbprint(jwk), data, signature: ap.signData(priv, Buffer.from(data)),
        attestation: ap.createAttestation(priv, kid, iss, "maker", "t", "d.example", "s", CAPS.map((c) => new ap.Capability(c))), challenge, response: ap.createResponse(challenge, priv, kid) };
}

function judge(c) {
    const r = ap.verifyCredentialOffline(c.jwt, c.discovery, c.revocation, new ap.KeyPinStore(), c.audience);
    const code = r.error_code ?? r.errorCode ?? null;
    if (r.valid !== c.valid || code !== (c.code ?? null)) return `verdict ${code} (${r.error_message ?? r.errorMessage}), ours is ${c.code}`;
    if (c.valid) {
        const again = ap.verifyCredentialOffline(c.jwt, c.discovery, c.revocation, ap.KeyPinStore.fromJson(c.pins), c.audience);
        if (!again.valid || !JSON.stringify(again.key_pinning ?? again.keyPinning).includes("pinned")) return `pins: ${again.error_message}`;
    }
    if (ap.generateKeyId(c.public_key_pem) !== c.key_id) return "key id";
    if (ap.jwkThumbprint(c.jwk) !== c.thumbprint) return "thumbprint";
    if (ap.jwkToPem(c.jwk) !== c.public_key_pem) return "PEM";
    if (!ap.verifySignature(c.public_key_pem, Buffer.from(c.data), c.signature)) return "signature";
    ap.verifyAttestation(c.attestation, c.public_key_pem, "d.example", "s", CAPS.map((x) => new ap.Capability(x)));
    if (!ap.verifyResponse(c.response, c.challenge, c.public_key_pem)) return "response";
    if (!ap.verifySignature(c.public_key_pem, Buffer.from("x"), ap.signData(c.private_key_pem, Buffer.from("x")))) return "private key";
    return null;
}

const [, , verb, a, b, out] = process.argv;
if (verb === "make") {
    state = Number(b) % 2147483647 || 1;
    let text = "";
    for (let n = 1; n <= Number(a); n++) text += JSON.stringify(make(n)) + "\n";
    fs.writeFileSync(out, text);
} else {
    for (const line of fs.readFileSync(a, "utf8").split("\n")) {
        if (!line) continue;
        const c = JSON.parse(line);
        let why;
        try { why = judge(c); } catch (e) { why = String(e); }
        console.log(why ? `bad case ${c.n} (${c.fault}): ${why}` : "ok");
    }
}
