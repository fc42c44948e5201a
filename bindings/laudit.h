/* bindings/laudit.h: what laudit.c (writing) and laudit_read.c (stores, reading, verification) share. */
#ifndef SYMBI_LAUDIT_H
#define SYMBI_LAUDIT_H
#include "symL.h"
#include "symbi/audit.h"
#include "ud.h"

int laudit_fail(lua_State *L, symbi_status code, const char *msg); /* nil, message, err */
void laudit_set_hex(lua_State *L, const char *name, const uint8_t *p, size_t n); /* a field of the table on the top; n at most 64 */
bool laudit_unhex(symbi_str s, uint8_t *out, size_t n);
ud_store *laudit_check_store(lua_State *L, int arg); /* an open one */
void laudit_store_release(ud_store *u);
/* For objects that keep a store in use: hold checks the one at arg (open, writable: raises) and pushes {the store}, to become the
 * object's uservalue while users goes up; drop ends that for the object at 1, whose store's last user may have the closing to do. */
ud_store *laudit_store_hold(lua_State *L, int arg);
void laudit_store_drop(lua_State *L);
/* Registers the types of stores and verifiers and adds their functions to the table on the top. */
void laudit_read_open(lua_State *L);
#endif
