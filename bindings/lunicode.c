/* bindings/lunicode.c: symbi.unicode: normalisation with a way back (symbi/unicode.h).
 *
 *   text, msg, err = unicode.nfkc(text[, {casefold=, strip=, lossy=}])
 *   n, msg, err = unicode.normal(text[, options])       n:text(); n:at(i) where byte i of it came from; n:invalid() bytes, first offset
 *   line, column = unicode.position(text, i)            of byte i, both from 1 */
#include "symL.h"
#include "symbi/unicode.h"

#define UD_NORMAL "symbi.normal"
typedef struct ud_normal {
    symbi_nfkc_text t;
    bool open;
} ud_normal;

static int n_close(lua_State *L)
{
    ud_normal *u = symL_checkud(L, 1, UD_NORMAL);
    u->open = false;
    symbi_nfkc_free(&u->t);
    return 0;
}

static ud_normal *checknormal(lua_State *L)
{
    ud_normal *u = symL_checkud(L, 1, UD_NORMAL);
    if (!u->open) luaL_argerror(L, 1, "it is closed");
    return u;
}

static int u_normal(lua_State *L)
{
    static const char *const known[] = { "casefold", "strip", "lossy", NULL };
    symbi_str in = symL_checkstr(L, 1);
    unsigned flags = 0;
    ud_normal *u;
    symbi_err err;
    symL_checkopts(L, 2, known);
    if (lua_istable(L, 2)) {
        if (symL_optfield_bool(L, 2, "casefold", false)) flags |= SYMBI_NFKC_CASEFOLD;
        if (symL_optfield_bool(L, 2, "strip", false)) flags |= SYMBI_NFKC_STRIP;
        if (symL_optfield_bool(L, 2, "lossy", false)) flags |= SYMBI_NFKC_LOSSY;
    }
    u = symL_newud(L, sizeof *u, UD_NORMAL);
    if (symbi_nfkc(symL_ctx(L), in, flags, &u->t, &err)) return symL_fail(L, &err);
    u->open = true;
    return 1;
}

static int n_text(lua_State *L)
{
    symL_pushstr(L, symbi_text_str(&checknormal(L)->t.text));
    return 1;
}

static int u_nfkc(lua_State *L)
{
    int n = u_normal(L);
    if (n != 1) return n;
    lua_replace(L, 1);
    lua_settop(L, 1);
    n_text(L);
    n_close(L);
    return 1;
}

static int n_at(lua_State *L)
{
    ud_normal *u = checknormal(L);
    int64_t i = symL_checkint(L, 2, 1, (int64_t)u->t.text.n + 1);
    symL_pushint(L, (int64_t)symbi_nfkc_at(&u->t, (size_t)i - 1) + 1);
    return 1;
}

static int n_invalid(lua_State *L)
{
    ud_normal *u = checknormal(L);
    symL_pushint(L, (int64_t)u->t.invalid);
    if (!u->t.invalid) return 1;
    symL_pushint(L, (int64_t)u->t.first_invalid + 1);
    return 2;
}

static int u_position(lua_State *L)
{
    symbi_str s = symL_checkstr(L, 1);
    int64_t i = symL_checkint(L, 2, 1, (int64_t)s.n + 1);
    uint32_t line, col;
    symbi_text_position(s, (size_t)i - 1, &line, &col);
    symL_pushint(L, line);
    symL_pushint(L, col);
    return 2;
}

void l_unicode_open(lua_State *L);
void l_unicode_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "text", n_text }, { "at", n_at }, { "invalid", n_invalid }, { "close", n_close }, { NULL, NULL } };
    static const luaL_Reg meta[] = { { "__gc", n_close }, { NULL, NULL } };
    static const luaL_Reg funcs[] = { { "nfkc", u_nfkc }, { "normal", u_normal }, { "position", u_position }, { NULL, NULL } };
    symL_newtype(L, UD_NORMAL, methods, meta);
    lua_newtable(L);
    symL_setfuncs(L, funcs);
}
