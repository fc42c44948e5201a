# Completion of symbi-lua for bash.
# Made by scripts/completion/generate.lua from the commands' own usage texts; `make completion` makes it anew.
_symbi_lua_rows() {
    case $1 in
    '') words='agentpin approvals audit auth client doctor dsl help mcp policy run schemapin secrets skills status tools version' opts='--help --memory=- --policies=d --sandbox --state=d --time=- --tools=d --version -e=- -h -i -v' ;;
    'agentpin') words='keygen issue verify discovery pin revoke bundle' opts='--help' ;;
    'agentpin keygen') words='' opts='--domain=- --format=pem,jwk,both --help --json --kid=- --output-dir=d' ;;
    'agentpin issue') words='' opts='--agent-id=- --audience=- --capabilities=- --constraints=f --delegation-chain=f --help --issuer=- --json --kid=- --private-key=f --ttl=-' ;;
    'agentpin verify') words='' opts='--audience=- --credential=f --discovery-dir=d --discovery=f --help --json --max-ttl=- --now=- --offline --pin-policy=tofu,rotate,strict --pin-store=f --revocation=f --skew=- --trust-bundle=f --upstream-checks --verify-delegation' ;;
    'agentpin discovery') words='build validate fetch' opts='--agents=f --depth=- --entity=- --help --key=f --output=f --type=maker,deployer,both' ;;
    'agentpin pin') words='list show add remove' opts='--hash=- --help --json --key=f --pin-store=f' ;;
    'agentpin revoke') words='' opts='--agent=- --credential=- --entity=- --file=f --help --key=- --reason=-' ;;
    'agentpin bundle') words='create check' opts='--discovery=f --help --json --max-age=- --output=f --previous=f --revocation=f --strict' ;;
    'approvals') words='list approve deny' opts='--help' ;;
    'approvals list') words='' opts='--all --help --json --state=d' ;;
    'approvals approve') words='' opts='--as=- --help --state=d' ;;
    'approvals deny') words='' opts='--as=- --help --state=d' ;;
    'audit') words='show verify export accept-clock' opts='--help' ;;
    'audit show') words='' opts='--chain=- --from=- --help --json --last=- --state=d' ;;
    'audit verify') words='' opts='--anchor=f --chain=- --file=f --help --json --key=f --state=d' ;;
    'audit export') words='' opts='--chain=- --help --output=f --state=d' ;;
    'audit accept-clock') words='' opts='--chain=- --help --state=d' ;;
    'auth') words='create-key list revoke' opts='--help --state=d' ;;
    'auth create-key') words='' opts='--agent --description=- --expires-in=- --file=f --help --id=- --json --permission --state=d' ;;
    'auth list') words='' opts='--file=f --help --json --state=d' ;;
    'auth revoke') words='' opts='--file=f --help --state=d' ;;
    'client') words='methods request' opts='--help' ;;
    'client methods') words='' opts='--help --json' ;;
    'client request') words='' opts='--help' ;;
    'doctor') words='' opts='--help --json --no-server --policies=d --state=d --tools=d' ;;
    'dsl') words='check fmt compile show' opts='--help' ;;
    'dsl check') words='' opts='--help --json --syntax --tools=d' ;;
    'dsl fmt') words='' opts='--check --help --stdin --write' ;;
    'dsl compile') words='' opts='--agent=- --help --json --tools=d' ;;
    'dsl show') words='' opts='--help --json' ;;
    'help') words='' opts='' ;;
    'mcp') words='servers tools show approve forget' opts='--help' ;;
    'mcp servers') words='' opts='--help' ;;
    'mcp tools') words='' opts='--help' ;;
    'mcp show') words='' opts='--help' ;;
    'mcp approve') words='' opts='--as=- --digest --help' ;;
    'mcp forget') words='' opts='--help --json --record=f --timeout=-' ;;
    'policy') words='check lint evaluate explain test replay validate schema format translate' opts='--help' ;;
    'policy check') words='' opts='--help --json --strict' ;;
    'policy lint') words='' opts='--help --json --tools=d --upstream' ;;
    'policy evaluate') words='' opts='--allow-empty --compat --errors=any,forbid,ignore --exit-code --help --input=f --json --missing=allow,deny --policies=d --stdin --vocabulary=both,gate,symbi' ;;
    'policy explain') words='' opts='--agent=- --agents=f --all --args=- --facts=- --help --input=f --json --memory=- --mode=strict,compat --policies=d --sandbox=- --stdin --tool=- --tools=d' ;;
    'policy test') words='' opts='--agents=f --help --json --memory=- --policies=d --sandbox=- --tools=d' ;;
    'policy replay') words='' opts='--agents=f --all --chain=- --help --json --memory=- --policies=d --sandbox=- --state=d --tools=d' ;;
    'policy validate') words='' opts='--facts=- --help --json --schema=f --tools=d' ;;
    'policy schema') words='' opts='--facts=- --help --tools=d' ;;
    'policy format') words='' opts='--check --help --indent=- --width=- --write' ;;
    'policy translate') words='' opts='--help --to=json,cedar' ;;
    'run') words='' opts='--agent=- --context=- --help --input=- --json --max-iterations=- --max-tokens=- --memory=- --policies=d --prompt=- --quiet --replay=f --sandbox=- --state=d --stdin --tools=d' ;;
    'schemapin') words='keygen sign verify skill pin' opts='--allow-runtime-form --allow-single-hash --authority --bundle=f --discovery-dir=d --discovery=f --expect-previous=- --expect-version=- --help --no-pins --now=- --only-pinned --pin-store=f --public-key=f --revocation=f --strict' ;;
    'schemapin keygen') words='' opts='--allow-runtime-form --allow-single-hash --authority --bundle=f --contact=- --developer=- --discovery-dir=d --discovery=f --expect-previous=- --expect-version=- --force --help --json --no-pins --now=- --only-pinned --output-dir=d --pin-store=f --prefix --public-key=f --revocation-endpoint=- --revocation=f --strict --well-known' ;;
    'schemapin sign') words='' opts='--allow-runtime-form --allow-single-hash --authority --bundle=f --discovery-dir=d --discovery=f --domain=- --expect-previous=- --expect-version=- --expires-in=- --file=f --help --json --key=f --kid=- --no-pins --now=- --only-pinned --output=f --pin-store=f --previous-hash=- --public-key=f --revocation=f --schema-version=- --schema=f --signature-only --strict' ;;
    'schemapin verify') words='' opts='--allow-runtime-form --allow-single-hash --authority --bundle=f --discovery-dir=d --discovery=f --domain=- --embedded --expect-previous=- --expect-version=- --file=f --help --json --no-pins --now=- --only-pinned --pin-store=f --public-key=f --revocation=f --schema=f --signature=- --strict --tool-id=-' ;;
    'schemapin skill') words='sign verify hash' opts='--allow-runtime-form --allow-single-hash --authority --bundle=f --discovery-dir=d --discovery=f --domain=- --expect-previous=- --expect-version=- --expires-in=- --help --json --key=f --kid=- --lenient --name=- --no-pins --now=- --only-pinned --pin-store=f --previous-hash=- --public-key=f --revocation=f --schema-version=- --strict' ;;
    'schemapin pin') words='list add remove policy' opts='--allow-runtime-form --allow-single-hash --authority --bundle=f --discovery-dir=d --discovery=f --expect-previous=- --expect-version=- --fingerprint=- --help --json --no-pins --now=- --only-pinned --pin-store=f --public-key=f --replace --revocation=f --strict' ;;
    'secrets') words='set get list delete rotate-key import' opts='--help --key-file=f --no-audit --state=d' ;;
    'secrets set') words='' opts='--create-key --file=f --help --key-file=f --no-audit --state=d' ;;
    'secrets get') words='' opts='--file=f --help --key-file=f --no-audit --reveal --state=d' ;;
    'secrets list') words='' opts='--file=f --help --json --key-file=f --no-audit --state=d' ;;
    'secrets delete') words='' opts='--file=f --help --key-file=f --no-audit --state=d' ;;
    'secrets rotate-key') words='' opts='--create-key --file=f --help --key-file=f --new-key-file=f --no-audit --state=d' ;;
    'secrets import') words='' opts='--create-key --file=f --from-key-file=f --from=- --help --key-file=f --no-audit --overwrite --state=d' ;;
    'skills') words='scan list show sign verify rules' opts='--help' ;;
    'skills scan') words='' opts='--deny --fail-on=- --format=text,json,sarif --help --output=f --profile=strict,seed,runtime --quiet --suppress=f' ;;
    'skills list') words='' opts='--allow-unsigned-from --discovery=f --help --json --path --profile=- --require-signed' ;;
    'skills show') words='' opts='--discovery=f --help --json' ;;
    'skills sign') words='' opts='--domain=- --expires=- --help --key=f --kid=-' ;;
    'skills verify') words='' opts='--discovery=f --domain=- --help --json --revocation=f' ;;
    'skills rules') words='' opts='--help --json --profile=-' ;;
    'status') words='' opts='--base-url=- --ca-file=f --ca-path=d --client-cert=f --client-key=f --config=f --help --http-version --json --proxy=- --timeout=- --unix-socket=-' ;;
    'tools') words='list validate lint schema cedar test run init' opts='--help' ;;
    'tools list') words='' opts='--help --json --tools=d' ;;
    'tools validate') words='' opts='--help --json --tools=d' ;;
    'tools lint') words='' opts='--constraints=f --help --json --strict --tools=d' ;;
    'tools schema') words='' opts='--form=mcp,anthropic,openai --help --tools=d' ;;
    'tools cedar') words='' opts='--help --schema --tools=d --upstream' ;;
    'tools test') words='' opts='--agent=- --arg=- --args=- --context=- --help --json --policies=d --tools=d' ;;
    'tools run') words='' opts='--agent=- --arg=- --args=- --context=- --help --policies=d --state=d --tools=d' ;;
    'tools init') words='' opts='--bare --help --max=- --stdout --tools=d' ;;
    'version') words='' opts='' ;;
    *) words='' opts='' ;;
    esac
}
_symbi_lua() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} at='' words opts word kind i=1 skip='' typed=0 IFS=$' \t\n'
    COMPREPLY=()
    _symbi_lua_rows ''
    while ((i < COMP_CWORD)); do
        word=${COMP_WORDS[i]}
        i=$((i + 1))
        if [[ -n $skip ]]; then
            skip=''
            continue
        fi
        case $word in
        =) skip=1 ;;
        -*) [[ " $opts " == *" $word="* ]] && skip=1 ;;
        *)
            if [[ -n $words && " $words " == *" $word "* ]]; then
                at="${at:+$at }$word"
                [[ $at == *' '*' '* ]] && at=${at% *} words='' || _symbi_lua_rows "$at"
            else
                typed=1 words=''
                [[ -z $at ]] && return 0 # a script has arguments of its own
            fi
            ;;
        esac
    done
    if [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
    if [[ $cur == = ]]; then cur=''; fi
    for word in $opts; do
        kind=${word#*=}
        [[ $word == *=* && $prev == "${word%%=*}" ]] || continue
        case $kind in
        f) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        d) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
        -) ;;
        *) mapfile -t COMPREPLY < <(compgen -W "${kind//,/ }" -- "$cur") ;;
        esac
        return 0
    done
    if [[ $cur == -* ]]; then
        kind=''
        for word in $opts; do kind="$kind ${word%%=*}"; done
        mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$cur")
    elif [[ -n $words && $cur != */* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        if [[ -z $at ]]; then
            compopt -o filenames 2>/dev/null
            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -X '!*.lua' -- "$cur"; compgen -d -- "$cur")
        fi
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -F _symbi_lua symbi-lua
