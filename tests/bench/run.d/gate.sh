# The check of the gate from C and from every Lua, side by side.
gate_bench() { compile gate && python3 tests/bench/gate_bench.py "$build"; }
add gate gate_bench
