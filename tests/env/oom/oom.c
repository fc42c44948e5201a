/* tests/env/oom/oom.c: the bindings when Lua runs out of memory: runs each scenario with the 1st, 2nd, 3rd ... allocation of
 * the Lua state failing (and all after it), until it gets through. Every failure must come out as an error of Lua or as
 * nil, message, err; the state must close; the leak checker of the sanitizer, which this is linked with, sees the rest: any
 * push may leave a binding by longjmp, and nothing in C may be lost then. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int luaopen_symbi_core(lua_State *L);

typedef struct failing {
    long count, fail_at; /* 0: never */
    int tripped;
} failing;

static void *alloc(void *ud, void *p, size_t o, size_t n)
{
    failing *f = ud;
    (void)o;
    if (n == 0) {
        free(p);
        return NULL;
    }
    /* shrinking must not fail: Lua relies on it */
    if ((!p || n > o) && f->fail_at && ++f->count >= f->fail_at) {
        f->tripped = 1;
        return NULL;
    }
    return realloc(p, n);
}

/* One try: 0 the scenario succeeded, 1 it failed as it should, 2 it misbehaved. */
static int attempt(const char *code, const char *name, failing *f, long fail_at)
{
    lua_State *L;
    int result = 2;
    f->fail_at = 0;
    f->tripped = 0;
    L = lua_newstate(alloc, f);
    if (!L) return 2;
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_symbi_core);
    lua_setfield(L, -2, "symbi.core");
    lua_settop(L, 0);
    if (luaL_loadstring(L, code) || lua_pcall(L, 0, 1, 0)) {
        printf("%s: %s\n", name, lua_tostring(L, -1));
        lua_close(L);
        return 2;
    }
    /* the chunk did its preparations and returned the function under test */
    f->count = 0;
    f->fail_at = fail_at;
    if (lua_pcall(L, 0, 2, 0)) {
        f->fail_at = 0;
        if (f->tripped) result = 1;
        else printf("%s: %s\n", name, lua_tostring(L, -1));
    } else {
        f->fail_at = 0;
        if (lua_toboolean(L, -2)) result = f->tripped ? 1 : 0; /* it may do without an allocation */
        else if (f->tripped) result = 1;
        else printf("%s: %s\n", name, lua_tostring(L, -1));
    }
    lua_gc(L, LUA_GCCOLLECT, 0);
    lua_close(L);
    return result;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        FILE *fp = fopen(argv[i], "rb");
        static char code[1 << 16];
        size_t n = fp ? fread(code, 1, sizeof code - 1, fp) : 0;
        failing f = { 0 };
        long at = 1;
        int r = 1;
        code[n] = 0;
        if (fp) fclose(fp);
        for (; n && at < 100000; at++) {
            r = attempt(code, argv[i], &f, at);
            if (r == 0 || r == 2) break;
            if (at > 3000) at += 6; /* the later ones are more of the same */
        }
        printf("%s: %ld allocations\n", argv[i], at);
        if (r == 0) passed++;
        else printf("FAIL %s at allocation %ld\n", argv[i], at), failed++;
    }
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed != 0;
}
