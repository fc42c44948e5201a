/* bindings/symL.h: the compatibility shim and the conventions of every binding. symL.c is the only file that mentions
 * LUA_VERSION_NUM. Builds for Lua 5.1 use only what PUC 5.1 exports (tests/tools/check-symbols).
 *
 * Rules that every l<module>.c keeps (style.md section 5, T7-T12):
 *  - Check all arguments first, acquire second, and acquire only into a userdata that already has its metatable: any push
 *    may longjmp on memory. No C allocation may live in a local across a Lua API call.
 *  - Never store a lua_State *. Never call back into Lua.
 *  - Failure: symL_fail (nil, message, err). Misuse: luaL_argerror / luaL_error. A denial is a result.
 *  - Metatables are registry entries named "symbi.<type>", with __metatable = false, __name, __gc, close, and __close on 5.4.
 */
#ifndef SYML_H
#define SYML_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "symbi/symbi.h"

/* The context of this Lua state: created on first use, closed with the state. Its allocator is the state's own. */
symbi_ctx *symL_ctx(lua_State *L);
/* Library allocations of this state that are still live (the ctx itself not counted), shared documents included. */
long symL_live(lua_State *L);
const symbi_doc **symL_slot(lua_State *L); /* for symL_pushdoc only */
/* The Lua version this build is for: "5.1" (also LuaJIT) to "5.4". */
const char *symL_vm(void);

/* Registers functions of l (no upvalues) into the table on the top of the stack. */
void symL_setfuncs(lua_State *L, const luaL_Reg *l);
/* Creates (once per state) metatable "symbi.<type>" with these methods (__index = methods, meta entries such as __gc given
 * in meta), __name, __metatable = false. Leaves the stack as it was. */
void symL_newtype(lua_State *L, const char *tname, const luaL_Reg *methods, const luaL_Reg *meta);
/* A zeroed userdata of that type with one uservalue slot, metatable set: finishable from its first instant. */
void *symL_newud(lua_State *L, size_t size, const char *tname);
/* The userdata at arg, or NULL when it is not of that type / raising "bad argument". */
void *symL_testud(lua_State *L, int arg, const char *tname);
void *symL_checkud(lua_State *L, int arg, const char *tname);
/* The uservalue (a table or nil), to keep parents alive: set pops it from the top. get pushes it. */
void symL_setuservalue(lua_State *L, int idx);
void symL_getuservalue(lua_State *L, int idx);

/* f with ud as its argument 1, protected: 0, or a status with the error on the top. Raises nothing, for a state of one's own. */
int symL_cpcall(lua_State *L, lua_CFunction f, void *ud);
/* lua_load where the VM can refuse what is no text. In Lua 5.1 the caller has to look. */
int symL_load_text(lua_State *L, lua_Reader reader, void *ud, const char *name);
/* Opens the libraries that reach nothing outside the state (and os, for its clock), and jit where there is one. Not io: in Lua 5.1 its
 * finaliser closes the standard streams of the process when memory ends while it is opened. */
void symL_openlibs(lua_State *L);

symbi_str symL_checkstr(lua_State *L, int arg); /* a string or number; borrowed while on the stack */
symbi_str symL_optstr(lua_State *L, int arg, symbi_str dflt);
symbi_str symL_tostr(lua_State *L, int idx);    /* no conversion: {NULL,0} when not a string */
/* An integer in [lo, hi], strictly: 1.5, NaN and 1e300 raise on every VM. */
int64_t symL_checkint(lua_State *L, int arg, int64_t lo, int64_t hi);
int64_t symL_optint(lua_State *L, int arg, int64_t dflt, int64_t lo, int64_t hi);
void symL_pushint(lua_State *L, int64_t i); /* a number where exact, else a decimal string (5.1, 5.2, LuaJIT beyond 2^53) */
void symL_pushstr(lua_State *L, symbi_str s);
void symL_setstr(lua_State *L, const char *key, symbi_str s);                       /* into the table on the top */
void symL_addpair(lua_State *L, size_t i, symbi_str name, symbi_str value);         /* {name, value} at i of the table on the top: a header */

/* A handle that Lua holds (a userdata with one pointer p): check(L, arg) gives the pointer and raises once it was closed; close, also as __gc, frees
 * it once. */
#define SYML_HANDLE(check, close, ud, tname, type, release, what) \
    static type *check(lua_State *L, int arg) \
    { \
        ud *u = symL_checkud(L, arg, tname); \
        if (!u->p) luaL_argerror(L, arg, "the " what " is closed"); \
        return u->p; \
    } \
    static int close(lua_State *L) \
    { \
        ud *u = symL_checkud(L, 1, tname); \
        type *p = u->p; \
        u->p = NULL; \
        release(p); \
        return 0; \
    }
size_t symL_rawlen(lua_State *L, int idx);
int symL_absindex(lua_State *L, int idx);
bool symL_isinteger(lua_State *L, int idx, int64_t *out); /* a number with an integral value that fits and is exact */

/* Options table at arg (nil or absent is fine). Raise on a field of the wrong type; leave the stack as it was, except
 * that returned strings stay anchored by the table. */
/* Puts a copy of the table at arg in its place: its own fields, without metamethods, and nobody else can change it while it is read. What a
 * field's object points to is looked up after the last allocation: a finaliser may have closed it until then. */
void symL_owntable(lua_State *L, int arg);
/* The length of a list; raises, naming `what`, where the table has gaps or named fields: half a list would be another one. */
size_t symL_listlen(lua_State *L, int idx, const char *what);
void symL_checkopts(lua_State *L, int arg, const char *const known[]); /* raises on an unknown field, naming it; known ends with NULL */
symbi_str symL_optfield_str(lua_State *L, int arg, const char *name, symbi_str dflt);
bool symL_optfield_bool(lua_State *L, int arg, const char *name, bool dflt);
int64_t symL_optfield_int(lua_State *L, int arg, const char *name, int64_t dflt, int64_t lo, int64_t hi);

/* nil, message, err: err is a table {code="EPARSE", message=, line=, column=, path=} with __tostring. Returns 3. */
int symL_fail(lua_State *L, const symbi_err *err);
void symL_pusherr(lua_State *L, const symbi_err *err); /* only the table */
void symL_errtype(lua_State *L);                       /* pushes the metatable of error objects */

/* Values. symbi.null is lightuserdata(NULL); arrays carry the metatable "symbi.array", objects none. A number with an
 * integral value within 2^53 is an INT on every VM, so that 5.1 and 5.4 send the same; members are sorted by key.
 * tovalue: converts the Lua value at idx; the tree's memory is Lua's own and is anchored by one value that is pushed onto
 * the stack; strings stay borrowed from the Lua strings. Returns SYMBI_OK, or fills err (ESCHEMA with a path such as
 * /a/3, ELIMIT). On failure nothing is pushed. An empty table without metatable is an object. */
symbi_status symL_tovalue(lua_State *L, int idx, symbi_value *out, symbi_err *err);
void symL_pushvalue(lua_State *L, const symbi_value *v); /* v must be owned by something on the stack */
/* A document as Lua data: takes over the reference d (also when a push raises), pushes its root as Lua values. */
void symL_pushdoc(lua_State *L, symbi_doc *d);
void symL_pushnull(lua_State *L);
void symL_setarray(lua_State *L); /* gives the table on the top the array metatable */
bool symL_isarray(lua_State *L, int idx); /* marked as an array (ours or lua-cjson's), or a non-empty plain sequence */

/* Text owned by C on its way into Lua, safe against longjmp: call symL_text before the operation (pushes a userdata that
 * frees it), let the operation fill it, then symL_pushtext. */
symbi_text *symL_text(lua_State *L);
void symL_pushtext(lua_State *L, symbi_text *t); /* pushes the string and frees the text */

/* Each module adds its table to core: void l_<module>_open(lua_State *L), defined in bindings/l<module>.c, pushes one
 * table; the Makefile finds it there and core.c calls it. lvalue.c has one for what the value functions need. */
void symL_valuetypes(lua_State *L); /* registers the array type and what symL_pushdoc runs; called once by luaopen */
#endif
