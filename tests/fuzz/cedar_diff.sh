#!/bin/bash
# tests/fuzz/cedar_diff.sh BUILD [COUNT] [SEED]: COUNT generated cases of Cedar, this engine against the official one (npm, fetched into
# BUILD/peers), in slices of 5,000, two at a time. Diverging lines stay in BUILD/cedar-diff/. Exit status 1 when anything diverged; the
# last line is the sum. Not part of `make check`: it needs node and the network once.
set -u
build=${1:-build}
count=${2:-100000}
seed=${3:-$(date +%s)}
here=$(dirname "$0")
dir=$build/cedar-diff
mkdir -p "$dir"
rm -f "$dir"/*.log "$dir"/*.jsonl
"$here/../bench/peers/install" npm "$build" || exit 2
${CC:-gcc} -std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L -O2 -g -Ihost/include -o "$dir/cedar_diff" "$here/cedar_diff.c" "$build/libsymbi.a" -lcrypto -lm || exit 2
slice() {
    local n=$((count - $1 < 5000 ? count - $1 : 5000))
    CEDAR_WASM=$build/peers/npm node "$here/cedar_diff.mjs" "$n" "$seed" "$1" 2>"$dir/$1.err" | "$dir/cedar_diff" "$dir/$1.jsonl" >"$dir/$1.log"
    cat "$dir/$1.err" >>"$dir/$1.log"
    [ -s "$dir/$1.jsonl" ] || rm -f "$dir/$1.jsonl"
    rm -f "$dir/$1.err"
    tail -n 1 "$dir/$1.log"
}
echo "seed $seed"
for ((at = 0; at < count; at += 5000)); do
    while [ "$(jobs -r | wc -l)" -ge 2 ]; do wait -n; done
    slice "$at" &
done
wait
cat "$dir"/*.log | grep '^DIVERGENCE' | head -n 40
cat "$dir"/*.log | awk '/ cases, .* divergences/ { c += $1; r += $3; for (i = 1; i <= NF; i++) if ($i ~ /^divergences/) d += $(i - 1) }
    END { printf "%d of %d cases, %d requests, %d divergences\n", c, '"$count"', r, d; exit d > 0 || c != '"$count"' }'
