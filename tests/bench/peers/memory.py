"""The Python SDK's MarkdownMemoryStore over the folder that tests/bench/memory_bench.c made: loading all contexts, and the search
a Python user would write (load each, compare in lower case). Joins its figures with ours, read from standard input. Why a first load cannot
reach the target: scripts/guide/memory.md, "How fast"."""
import json
import sys
import time

from symbiont.markdown_memory import MarkdownMemoryStore

ours = json.load(sys.stdin)
store = MarkdownMemoryStore(sys.argv[1])
agents = [a for a in store.list_agent_contexts() if a.startswith("agent")]


def load_all():
    for agent in agents:
        store.load_context(agent)


def search():
    hits = 0
    for agent in store.list_agent_contexts():
        context = store.load_context(agent)
        if context is None:
            continue
        for item in context.facts + context.procedures + context.learned_patterns:
            low = item.lower()
            hits += "needle42" in low and "looked" in low
    return hits


def least(run):
    """The least of five runs, in seconds, as our side measures it."""
    best, result = float("inf"), None
    for _ in range(5):
        start = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - start)
    return best, result


load_us = least(load_all)[0] * 1e6 / len(agents)
search_s, hits = least(search)
search_ms = search_s * 1e3
ours.update(
    python_load_us=round(load_us, 2), python_search_ms=round(search_ms, 1), python_hits=hits,
    load_first_ratio=round(load_us / ours["load_first_us"], 1), load_again_ratio=round(load_us / ours["load_again_us"], 1),
    search_ratio=round(search_ms / ours["search_scan_ms"], 1), search_fts_ratio=round(search_ms / ours["search_fts_ms"], 1), target_ratio=20)
print(json.dumps(ours))
