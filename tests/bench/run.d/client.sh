# A call of the client against a server that answers at once (nginx): beside raw libcurl and the Python SDK, same server. Targets: our own share
# of a call at most 25 us; CPU per call at most 1/20 of the Python SDK's.
# The least of each figure over the rounds; how many times our CPU the SDK takes.
client_least() {
    python3 -c '
import json, sys
rows = {}
for r in map(json.loads, sys.stdin):
    best = rows.setdefault(r["what"], r)
    for k, v in r.items():
        if k.endswith("us") or k.startswith("kib"): best[k] = min(best[k], v)
sdk = [r["cpu_us"] for w, r in rows.items() if "Python" in w]
for w, r in rows.items():
    if sdk and "lua" in w: r.update(sdk_cpu_ratio=round(sdk[0] / r["cpu_us"], 1), sdk_cpu_target=20)
    print(json.dumps(r))'
}
client_bench() {
    command -v nginx >/dev/null || { echo '{"bench": "client", "skipped": "nginx is not installed"}'; return 0; }
    local dir port
    dir=$(mktemp -d)
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat >"$dir/nginx.conf" <<EOF
worker_processes 1; daemon off; pid $dir/pid; error_log $dir/error.log;
events { worker_connections 64; }
http { access_log off; keepalive_requests 1000000; client_body_temp_path $dir/t1; proxy_temp_path $dir/t2; fastcgi_temp_path $dir/t3; uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
  server { listen 127.0.0.1:$port; location / { default_type application/json;
    return 200 '{"status":"healthy","uptime_seconds":12,"timestamp":"2026-01-01T00:00:00Z","version":"1.19.0"}'; } } }
EOF
    nginx -p "$dir" -c "$dir/nginx.conf" 2>/dev/null &
    local server=$! url="http://127.0.0.1:$port/api/v1" vm
    sleep 0.5
    for _ in 1 2 3 4 5; do # each in turn, so that a slow minute of the machine is everybody's
        native client "$url/health"
        for vm in lua5.1 lua5.4 luajit; do lua "$vm" tests/bench/client_bench.lua "$vm" "$url"; done
        [ -x "$build/peers/py/bin/python" ] && "$build/peers/py/bin/python" tests/bench/client_bench.py "$url"
    done | client_least
    kill "$server" && wait "$server" 2>/dev/null
    rm -rf "$dir"
    return 0
}
peer py || true
add client client_bench
