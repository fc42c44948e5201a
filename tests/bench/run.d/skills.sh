# 1,000 skills from Lua.
add skills lua lua5.4 tests/bench/skills_bench.lua
