/* bindings/io_prompt.c: symbi.io.prompt(text): one line typed without echo, or nil, message, err: EUNSUPPORTED where standard input is no
 * terminal. */
#include "io_int.h"

#include "symbi/crypto.h"

#define UD_PROMPT "symbi.prompt"

static int prompt_gc(lua_State *L)
{
    symbi_text_wipe(symL_checkud(L, 1, UD_PROMPT));
    return 0;
}

static int f_prompt(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", prompt_gc }, { NULL, NULL } };
    const char *text = luaL_checkstring(L, 1);
    symbi_text *t;
    symbi_err err;
    symL_newtype(L, UD_PROMPT, NULL, meta);
    t = symL_newud(L, sizeof *t, UD_PROMPT);
    if (symbi_io_prompt(symL_ctx(L), text, t, &err)) return symL_fail(L, &err);
    lua_pushlstring(L, t->p, t->n);
    symbi_text_wipe(t);
    return 1;
}

void l_io_prompt_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "prompt", f_prompt }, { NULL, NULL } };
    symL_setfuncs(L, funcs);
}
