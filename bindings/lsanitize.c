/* bindings/lsanitize.c: symbi.sanitize: text from outside without what a person does not see (symbi/sanitize.h).
 *
 *   text, report = sanitize.clean(text[, {profile="prose"|"identifier"|"seed"|"keep", markup=, comments=, fences=, redact=, lossy=, once=}])
 *       report: {dropped=, comments=, fences=, redacted=, invalid=, cut=}; nil, msg, err for what is no UTF-8 (unless lossy) or too large
 *       profile "prose" and markup=true unless said otherwise; markup is comments and fences together
 *   list, msg, err = sanitize.detect(text)      injection markers in it, in the order of sanitize.markers; then "mixed-script"
 *   sanitize.markers */
#include "symL.h"
#include "symbi/sanitize.h"

#include <string.h>

static int s_clean(lua_State *L)
{
    static const char *const known[] = { "profile", "markup", "comments", "fences", "redact", "lossy", "once", NULL };
    static const char *const names[] = { "prose", "identifier", "seed", "keep" };
    symbi_str in = symL_checkstr(L, 1), name;
    symbi_sanitize_profile profile = SYMBI_SANITIZE_PROSE;
    symbi_sanitize_report r;
    symbi_text *t;
    symbi_err err;
    unsigned flags = SYMBI_SANITIZE_MARKUP;
    symL_checkopts(L, 2, known);
    if (lua_istable(L, 2)) {
        bool markup = symL_optfield_bool(L, 2, "markup", true);
        int i = 0;
        name = symL_optfield_str(L, 2, "profile", symbi_str_z("prose"));
        while (i < 4 && (name.n != symbi_str_z(names[i]).n || memcmp(name.p, names[i], name.n))) i++;
        if (i == 4) return luaL_error(L, "profile must be \"prose\", \"identifier\", \"seed\" or \"keep\"");
        profile = (symbi_sanitize_profile)i;
        flags = (symL_optfield_bool(L, 2, "comments", markup) ? (unsigned)SYMBI_SANITIZE_COMMENTS : 0u) | (symL_optfield_bool(L, 2, "fences", markup) ? (unsigned)SYMBI_SANITIZE_FENCES : 0u);
        if (symL_optfield_bool(L, 2, "redact", false)) flags |= SYMBI_SANITIZE_REDACT;
        if (symL_optfield_bool(L, 2, "lossy", false)) flags |= SYMBI_SANITIZE_LOSSY;
        if (symL_optfield_bool(L, 2, "once", false)) flags |= SYMBI_SANITIZE_ONCE;
    }
    t = symL_text(L);
    if (symbi_sanitize(symL_ctx(L), in, profile, flags, t, &r, &err)) return symL_fail(L, &err);
    symL_pushtext(L, t);
    lua_createtable(L, 0, 6);
    symL_pushint(L, (int64_t)r.dropped);
    lua_setfield(L, -2, "dropped");
    symL_pushint(L, (int64_t)r.comments);
    lua_setfield(L, -2, "comments");
    symL_pushint(L, (int64_t)r.fences);
    lua_setfield(L, -2, "fences");
    symL_pushint(L, (int64_t)r.redacted);
    lua_setfield(L, -2, "redacted");
    symL_pushint(L, (int64_t)r.invalid);
    lua_setfield(L, -2, "invalid");
    lua_pushboolean(L, r.cut);
    lua_setfield(L, -2, "cut");
    return 2;
}

static int s_detect(lua_State *L)
{
    enum { MAX = 128 };
    symbi_str in = symL_checkstr(L, 1);
    const char *hits[MAX];
    size_t n;
    symbi_err err;
    if (symbi_injection_detect(symL_ctx(L), in, hits, MAX, &n, &err)) return symL_fail(L, &err);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n && i < MAX; i++) {
        lua_pushstring(L, hits[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

void l_sanitize_open(lua_State *L);
void l_sanitize_open(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "clean", s_clean }, { "detect", s_detect }, { NULL, NULL } };
    const char *m;
    lua_newtable(L);
    symL_setfuncs(L, funcs);
    lua_newtable(L);
    for (size_t i = 0; (m = symbi_injection_marker(i)); i++) {
        lua_pushstring(L, m);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "markers");
}
