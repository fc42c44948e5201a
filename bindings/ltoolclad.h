/* bindings/ltoolclad.h: what ltoolclad.c and ltoolclad_more.c share. */
#ifndef LTOOLCLAD_H
#define LTOOLCLAD_H
#include "symL.h"
#include "symbi/toolclad.h"

symbi_tool *l_checktool(lua_State *L, int arg);   /* raises when it is closed */
symbi_toolset *l_checkset(lua_State *L, int arg);
/* {stdout=, stderr=, exit_code=, ...}: borrowed from the table. False: *err says why. */
bool l_check_exec(lua_State *L, int arg, symbi_exec_result *r, symbi_err *err);

int l_tool_evidence(lua_State *L);
int l_tool_describe(lua_State *L);
int l_tool_check(lua_State *L);
int l_set_cedar_schema(lua_State *L);
void l_toolclad_more(lua_State *L); /* adds to the module's table on the top of the stack */
#endif
