# Verification of a 10 kB GitHub delivery: from C against raw OpenSSL, from every Lua, and by the Python SDK.
webhook_bench() {
    native webhook
    for vm in lua5.1 lua5.4 luajit; do lua "$vm" tests/bench/webhook_bench.lua "$vm"; done
    [ -x "$build/peers/py/bin/python" ] && "$build/peers/py/bin/python" tests/bench/webhook_bench.py
    return 0
}
peer py || true
add webhook webhook_bench
