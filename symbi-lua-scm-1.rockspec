rockspec_format = "3.0"
package = "symbi-lua"
version = "scm-1"
source = { url = "git+https://github.com/ThirdKeyAI/symbi-lua.git" }
description = {
    summary = "Governed agents: Cedar policies, tool contracts and a signed audit trail, for Lua and C",
    license = "Apache-2.0",
}
dependencies = { "lua >= 5.1, < 5.5" }
-- Libraries only: LuaRocks does not search Debian's /usr/include/x86_64-linux-gnu for headers.
external_dependencies = {
    CRYPTO = { library = "crypto" },
    ARGON2 = { library = "argon2" },
    CURL = { library = "curl" },
    SQLITE = { library = "sqlite3" },
}
-- The Makefile holds the one list of sources.
build = {
    type = "make",
    build_target = "rock",
    install_target = "rock-install",
    build_variables = {
        LUA_INCDIR = "$(LUA_INCDIR)",
        CC = "$(CC)",
        CFLAGS = "$(CFLAGS)",
    },
    install_variables = {
        LUA_INCDIR = "$(LUA_INCDIR)",
        LUADIR = "$(LUADIR)",
        LIBDIR = "$(LIBDIR)",
    },
}
test = { type = "busted" }
