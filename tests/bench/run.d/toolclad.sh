# One tool call, checked and planned, beside PyPI's toolclad in the same run.
toolclad_bench() {
    peer py && compile toolclad && "$build/peers/py/bin/python" tests/bench/toolclad_bench.py "$build"
}
add toolclad toolclad_bench
