//! The official engine, native: the sets, entities and requests that `cedar_bench write DIR` wrote, policies and entities parsed
//! beforehand. Usage: cedar-peer DIR SECONDS_PER_ROW. One JSON line per row, in the form that cedar_bench prints.
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, Response};
use serde_json::{json, Value};
use std::collections::HashMap;
use std::str::FromStr;
use std::time::{Duration, Instant};
use std::{env, fs, hint};

#[repr(C)]
struct Timespec {
    sec: i64,
    nsec: i64,
}
extern "C" {
    fn clock_gettime(clock: i32, out: *mut Timespec) -> i32;
}
/// CPU time of the process: on a busy machine, wall time of a long round counts the other processes too.
fn cpu_ns() -> f64 {
    let mut t = Timespec { sec: 0, nsec: 0 };
    unsafe { clock_gettime(2, &mut t) };
    t.sec as f64 * 1e9 + t.nsec as f64
}

fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn uid(v: &Value) -> EntityUid {
    EntityUid::from_json(v.clone()).expect("uid")
}

fn requests(dir: &str, kind: &str, n: &str) -> Vec<Request> {
    let text = fs::read_to_string(format!("{dir}/requests-{kind}-{n}.json")).expect("requests");
    let list: Vec<Value> = serde_json::from_str(&text).expect("requests");
    list.iter()
        .map(|r| {
            let context = Context::from_json_value(r["context"].clone(), None).expect("context");
            Request::new(uid(&r["principal"]), uid(&r["action"]), uid(&r["resource"]), context, None).expect("request")
        })
        .collect()
}

/// "A:3,17" for an allow by policies 3 and 17, "D:!4" for a deny with an error in policy 4.
fn answer(r: &Response) -> String {
    let number = |id: String| id.trim_start_matches("policy").parse::<u32>().unwrap_or(u32::MAX);
    let mut why: Vec<u32> = r.diagnostics().reason().map(|id| number(id.to_string())).collect();
    let mut bad: Vec<u32> = r
        .diagnostics()
        .errors()
        .map(|e| match e {
            cedar_policy::AuthorizationError::PolicyEvaluationError(e) => number(e.policy_id().to_string()),
        })
        .collect();
    why.sort_unstable();
    bad.sort_unstable();
    let join = |l: &[u32], mark: &str| l.iter().map(|n| format!("{mark}{n}")).collect::<Vec<_>>().join(",");
    format!("{}:{}{}", if r.decision() == Decision::Allow { "A" } else { "D" }, join(&why, ""), join(&bad, "!"))
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let dir = &args[1];
    let secs = Duration::from_secs_f64(args[2].parse().expect("seconds"));
    let authorizer = Authorizer::new();
    let mut stores: HashMap<String, Entities> = HashMap::new();
    for line in fs::read_to_string(format!("{dir}/rows")).expect("rows").lines() {
        let f: Vec<&str> = line.split(' ').collect();
        let (kind, n, m) = (f[0], f[1], f[2]);
        let text = fs::read_to_string(format!("{dir}/{kind}-{n}.cedar")).expect("policies");
        let before = resident_bytes();
        let set = PolicySet::from_str(&text).expect("policies");
        let bytes = resident_bytes().saturating_sub(before);
        let count = set.policies().count();
        let mut parses = Vec::new();
        let start = Instant::now();
        while parses.len() < 3 || start.elapsed() < secs / 3 {
            let once = cpu_ns();
            drop(hint::black_box(PolicySet::from_str(&text).expect("policies")));
            parses.push(cpu_ns() - once);
        }
        parses.sort_by(|a, b| a.total_cmp(b));
        let parse_ns = parses[parses.len() / 2] / count as f64;
        let store = stores.entry(m.to_string()).or_insert_with(|| {
            let json = fs::read_to_string(format!("{dir}/entities-{m}.json")).expect("entities");
            Entities::from_json_str(&json, None).expect("entities")
        });
        let asked = requests(dir, kind, n);
        let answers: Vec<String> = asked.iter().map(|r| answer(&authorizer.is_authorized(r, &set, store))).collect();
        let round = |times: u32| {
            let start = cpu_ns();
            for _ in 0..times {
                for r in &asked {
                    hint::black_box(authorizer.is_authorized(r, &set, store));
                }
            }
            (cpu_ns() - start) / f64::from(times) / asked.len() as f64
        };
        let once = round(1) * asked.len() as f64;
        let times = (50_000.0 / once).ceil().max(1.0) as u32;
        let mut lat = Vec::new();
        let start = Instant::now();
        while lat.len() < 5 || start.elapsed() < secs {
            lat.push(round(times));
        }
        lat.sort_by(|a, b| a.total_cmp(b));
        println!(
            "{}",
            json!({"peer": "rust", "kind": kind, "policies": n.parse::<u32>().unwrap(), "entities": m.parse::<u32>().unwrap(),
                "median_ns": lat[lat.len() / 2].round(), "p99_ns": lat[lat.len() * 99 / 100].round(), "parse_ns": parse_ns.round(),
                "set_bytes": bytes, "answers": answers.join(" ")})
        );
    }
}
