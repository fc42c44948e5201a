-- MCP: a registry, a conversation up to the answer, approvals.
local core = require "symbi.core"
local INIT = '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}}\n'
local LIST = '{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"echo","description":"d","inputSchema":{"type":"object"}}]}}\n'
return function()
    local registry, message = core.mcp.registry('[servers.s]\ncommand = "x"\nenv = { A = "{_secret:B}" }\nodd = 1\n[servers.h]\nurl = "https://a.example/"\nheaders = { X = "{_secret:B}" }\n')
    if not registry then return nil, message end
    assert(#registry:names() == 2 and #registry:warnings() == 1 and registry:server("s").command == "x")
    for _, name in ipairs { "s", "h" } do
        local client, why = core.mcp.client(registry, name)
        if not client then return nil, why end
        local function step(ok, m)
            if ok then return ok end
            if m == nil then m = client:failure() end
            client:close()
            return nil, m or "it failed"
        end
        local ok, m = step(client:secret("B", "value"))
        if not ok then return nil, m end
        ok, m = step(client:list())
        if not ok then return nil, m end
        for _, answer in ipairs { INIT, "", LIST } do
            if client:next() ~= "send" then return step(nil) end
            ok, m = step(client:take())
            if not ok then return nil, m end
            client:feed(name == "h" and answer ~= "" and "data: " .. answer .. "\n" or answer)
            if name == "h" then client:http_end(answer == "" and 202 or 200, { { "Mcp-Session-Id", "s1" } }, "") end
        end
        if client:next() ~= "done" then return step(nil) end
        local result
        result, m = client:result()
        if not result then return step(nil, m or "no memory for the result") end
        assert(result.tools[1].name == "echo" and client:version() == "2025-11-25")
        local record
        record, m = core.mcp.approve("", name, result.tools[1], "me", 0)
        if not record then return step(nil, m) end
        local standing
        standing, m = core.mcp.compare(record, name, result.tools[1])
        if not standing then return step(nil, m) end
        assert(standing == "approved")
        record, m = core.mcp.forget(record, name)
        if not record then return step(nil, m) end
        client:close()
    end
    registry:close()
    return true
end
