# Memory files: ours in C, the Python SDK's store over the same folder.
memory() {
    local dir
    dir=$(mktemp -d)
    compile memory && peer py && "$build/bench-memory" "$dir/m" | "$build/peers/py/bin/python" tests/bench/peers/memory.py "$dir/m"
    rm -rf "$dir"
}
add memory memory
