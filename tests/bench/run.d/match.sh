# The matcher and the scanner profiles against RE2::Set and Hyperscan (Debian: g++ libre2-dev libhyperscan-dev, for this only) and the
# Python SDK's scanner, over real documentation; hostile texts at one and two sizes; a folder of 1,000 skills.
match_all() {
    local dir=$build/match-bench peer
    mkdir -p "$dir"
    python3 tests/bench/match_corpus.py "$dir/corpus.txt" 8000000 >&2
    compile match && compile skills || return
    for peer in re2 hs; do
        g++ -O2 -o "$dir/$peer" "tests/bench/match_$peer.cc" "-l$peer" 2>/dev/null || echo "no $peer to compare with: apt-get install g++ libre2-dev libhyperscan-dev" >&2
    done
    [ -x "$build/peers/py/bin/python" ] || peer_py
    python3 tests/bench/match_compare.py "$build"
}
peer_py() { tests/bench/peers/install py "$build" >&2; }
add match match_all
