// The sets and requests of tests/bench/cedar_bench.c on the Rust crate `cedar-policy`: policies and entities parsed once, one
// JSON line per row. Usage: cedar-peer [seconds per row]
use cedar_policy::{Authorizer, Context, Entities, EntityUid, PolicySet, Request};
use std::str::FromStr;
use std::time::Instant;

fn text_of(kind: &str, n: usize) -> String {
    let mut t = String::new();
    for i in 0..n {
        t.push_str(&match kind {
            "gate" if i % 10 == 9 => format!("forbid(principal, action == Action::\"tool_call::danger_{i}\", resource);\n"),
            "gate" => format!("permit(principal == Agent::\"agent-{i}\", action == Action::\"tool_call::tool_{i}\", resource);\n"),
            "guard" if i % 10 == 9 => format!("forbid(principal, action, resource) when {{ resource.tool_name == \"danger_{i}\" }};\n"),
            "guard" => format!("permit(principal, action, resource) when {{ resource.tool_name == \"tool_{i}\" && context.tier == \"gold\" }};\n"),
            "worst" => format!("permit(principal, action, resource) when {{ principal.name like \"*x{i}\" }};\n"),
            _ if i % 5 == 4 => format!("forbid(principal, action, resource) when {{ context.risk > {} && !(principal in Group::\"admins\") }};\n", 100 + i),
            _ => format!(
                "permit(principal in Group::\"g{}\", action in [Action::\"read\", Action::\"write\"], resource) when {{ principal.level >= {} && resource.labels.contains(\"l{}\") && context.ip.isInRange(ip(\"10.{}.0.0/16\")) }};\n",
                i % 7, i % 9, i % 13, i % 250
            ),
        });
    }
    if kind == "gate" {
        t.push_str("permit(principal, action == Action::\"respond\", resource);\n");
    }
    t
}

fn entities(extra: usize) -> String {
    let mut t = String::from("[{\"uid\":{\"type\":\"User\",\"id\":\"u\"},\"attrs\":{\"level\":5,\"name\":\"u\"},\"parents\":[{\"type\":\"Group\",\"id\":\"g3\"}]},{\"uid\":{\"type\":\"Doc\",\"id\":\"d\"},\"attrs\":{\"labels\":[\"l1\",\"l3\"],\"tool_name\":\"tool_0\"},\"parents\":[]}");
    for i in 0..extra {
        t.push_str(&format!(",{{\"uid\":{{\"type\":\"User\",\"id\":\"x{i}\"}},\"attrs\":{{\"level\":{i}}},\"parents\":[{{\"type\":\"Group\",\"id\":\"g{}\"}}]}}", i % 7));
    }
    t.push(']');
    t
}

fn row(kind: &str, n: usize, extra: usize, secs: f64) {
    let text = text_of(kind, n);
    let set = PolicySet::from_str(&text).expect("policies");
    let t0 = Instant::now();
    let mut parses = 0u64;
    while t0.elapsed().as_secs_f64() < secs * 0.3 || parses < 3 {
        std::hint::black_box(PolicySet::from_str(&text).expect("policies"));
        parses += 1;
    }
    let parse_ns = t0.elapsed().as_nanos() as f64 / parses as f64 / set.policies().count() as f64;
    let gate = kind == "gate";
    let uid = |s: &str| EntityUid::from_str(s).expect("uid");
    let (p, a, r) = if gate {
        (uid("Agent::\"agent-0\""), uid("Action::\"tool_call::tool_0\""), uid("Resource::\"default\""))
    } else {
        (uid("User::\"u\""), uid("Action::\"read\""), uid("Doc::\"d\""))
    };
    let ctx = if gate { "{}" } else { "{\"risk\":3,\"tier\":\"gold\",\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.3.4.5\"}}}" };
    let ents = if gate { Entities::empty() } else { Entities::from_json_str(&entities(extra), None).expect("entities") };
    let auth = Authorizer::new();
    // the request with its context is built for each call, as it is in the C program
    let ctx_value = Context::from_json_str(ctx, None).expect("context");
    let mut lat: Vec<f64> = Vec::new();
    let mut decision = String::new();
    let t0 = Instant::now();
    while t0.elapsed().as_secs_f64() < secs || lat.len() < 5 {
        let s = Instant::now();
        let rq = Request::new(p.clone(), a.clone(), r.clone(), ctx_value.clone(), None).expect("request");
        let ans = auth.is_authorized(&rq, &set, &ents);
        lat.push(s.elapsed().as_nanos() as f64);
        decision = format!("{:?}", ans.decision()).to_lowercase();
    }
    lat.sort_by(|x, y| x.partial_cmp(y).unwrap());
    println!(
        "{{\"bench\":\"cedar\",\"peer\":\"cedar-policy {}\",\"kind\":\"{kind}\",\"policies\":{n},\"entities\":{},\"median_ns\":{:.0},\"p99_ns\":{:.0},\"decision\":\"{decision}\",\"parse_ns\":{parse_ns:.0}}}",
        cedar_policy::get_sdk_version(), extra + 2, lat[lat.len() / 2], lat[lat.len() * 99 / 100]
    );
}

fn main() {
    let secs: f64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(0.5);
    for kind in ["gate", "guard", "abac", "worst"] {
        for n in [1usize, 10, 100, 1000, 10000] {
            row(kind, n, 8, secs);
            if kind == "abac" {
                row(kind, n, 998, secs);
            }
        }
    }
}
