/* bindings/lauth.h: what lauth.c (sessions, roles, small texts) and lauth_keys.c (API keys) share. */
#ifndef SYMBI_LAUTH_H
#define SYMBI_LAUTH_H
#include "symL.h"
#include "symbi/auth.h"

#define UD_ANSWER "symbi.auth_answer"
/* What is on its way into Lua: wiped or released whatever happens. */
typedef struct ud_answer {
    symbi_text a, b;
    symbi_doc *user;
} ud_answer;

int64_t lauth_now(lua_State *L, int arg); /* Unix seconds; nil is the clock */
void lauth_give(lua_State *L, symbi_text *t); /* the string of a text (nil for an empty one), which is wiped */
/* The list of texts in field name of the table at arg, or the list at arg itself without a name; at most max. Strings stay in it. */
size_t lauth_texts(lua_State *L, int arg, const char *name, symbi_str *out, size_t max, bool *there);
unsigned lauth_permissions(lua_State *L, int arg, const char *name);
void lauth_push_permissions(lua_State *L, unsigned have);
/* Registers the type of key stores and adds their functions to the table on the top. */
void lauth_keys_open(lua_State *L);
#endif
