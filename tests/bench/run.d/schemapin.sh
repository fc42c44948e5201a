# A SchemaPin check: repeated (decision cache), known key, first-seen key; against raw OpenSSL and PyPI schemapin in the same run.
schemapin_bench() { peer py; compile schemapin && "$([ -x "$build/peers/py/bin/python" ] && echo "$build/peers/py/bin/python" || echo python3)" tests/bench/schemapin_peer.py "$build/bench-schemapin"; }
add schemapin schemapin_bench
