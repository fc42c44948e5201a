# tests/tools/tally.sh: sourced by the check scripts: ok MESSAGE, bad MESSAGE, skip MESSAGE count; tally prints the closing line
# and exits.
t_ok=0 t_bad=0 t_skip=0
ok() { t_ok=$((t_ok + 1)); }
bad() { t_bad=$((t_bad + 1)); printf 'FAIL %s\n' "$*"; }
skip() { t_skip=$((t_skip + 1)); printf 'skip %s\n' "$*"; }
check() { # check MESSAGE COMMAND...: the command's success is the result; its output is shown when it fails
    local what=$1 out
    shift
    if out=$("$@" 2>&1); then ok; else bad "$what"; printf '%s\n' "$out" | head -n 60; fi
}
tally() {
    echo "$t_ok passed, $t_bad failed, $t_skip skipped"
    [ "$t_bad" = 0 ]
    exit
}
