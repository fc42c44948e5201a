/* bindings/lcrypto.h: what lcrypto.c, lcrypto_key.c and lcrypto_seal.c share, and ljwt.c needs of them. */
#ifndef SYMBI_LCRYPTO_H
#define SYMBI_LCRYPTO_H
#include "symL.h"
#include "symbi/crypto.h"
#include "ud.h"

/* n bytes, raw when the argument is true, else as lower-case hex. Returns 1. */
int lcrypto_push(lua_State *L, const uint8_t *p, size_t n, int raw_arg);
void lcrypto_pushhex(lua_State *L, const uint8_t *p, size_t n);
/* Exactly n bytes from s: n bytes, or 2n hex digits. */
bool lcrypto_get(symbi_str s, uint8_t *out, size_t n);
/* The same for max bytes at most, where the bytes themselves can be told from hex by their first one; SIZE_MAX otherwise. */
size_t lcrypto_unhex(symbi_str s, uint8_t *out, size_t max);
/* nil, message, err for a text that is not what is expected. */
int lcrypto_fail(lua_State *L, symbi_status code, const char *msg);
symbi_key *lcrypto_checkkey(lua_State *L, int arg);

/* Adds to the table on the top of the stack. */
void lcrypto_key_open(lua_State *L);
void lcrypto_seal_open(lua_State *L);
#endif
