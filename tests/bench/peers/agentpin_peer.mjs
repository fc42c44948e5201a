// npm agentpin on the case that tests/bench/agentpin_bench.c wrote: whole verifications and issues, microseconds of CPU time, medians.
import fs from "node:fs";
const ap = await import(process.env.AGENTPIN);
const c = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const caps = ["read:data", "write:report"].map((x) => new ap.Capability(x)), pins = new ap.KeyPinStore();
const verify = () => { if (!ap.verifyCredentialOffline(c.jwt, c.discovery, c.revocation, pins, "verifier.com").valid) throw new Error("not valid"); };
const issue = () => ap.issueCredential(c.private_key_pem, "k-2026-01", "d0.example.com", "urn:agentpin:x:a", "verifier.com", caps, null, null, 3600);
const measure = (run) => {
    const rounds = [];
    for (let r = 0; r < 60; r++) {
        const t = process.cpuUsage();
        for (let i = 0; i < 20; i++) run();
        const d = process.cpuUsage(t);
        rounds.push((d.user + d.system) / 20);
    }
    return rounds.sort((a, b) => a - b)[30];
};
console.log(JSON.stringify({ bench: "agentpin-npm", rows: [{ name: "verify", us: measure(verify) }, { name: "issue", us: measure(issue) }] }));
