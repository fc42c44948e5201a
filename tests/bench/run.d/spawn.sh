# A governed oneshot beside PyPI's toolclad in the same run; 100,000 tools through one spawner, after which nothing may have grown.
spawn_peer() {
    [ -x "$build/peers/py/bin/python" ] || { echo '{"bench": "spawn-peer", "skipped": "PyPI toolclad is not installed"}'; return 0; }
    for vm in lua5.1 lua5.4 luajit; do
        v=${vm#lua}
        [ "$vm" = luajit ] && v=5.1
        LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH="$build/$v/?.so;;" "$build/peers/py/bin/python" tests/bench/spawn_peer.py "$vm"
    done
}
peer py || true
add spawn-peer spawn_peer
add spawn-soak native spawnsoak
