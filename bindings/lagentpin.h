/* bindings/lagentpin.h: what the files of the AgentPin binding share. */
#ifndef SYMBI_LAGENTPIN_H
#define SYMBI_LAGENTPIN_H
#include "symL.h"
#include "ud.h"

#define UD_AP_DOC "symbi.agentpin_document" /* lagentpin_doc.c: a parsed document; saves the conversion for each use */
#define UD_AP_PINS "symbi.agentpin_pins"
#define UD_AP_NONCES "symbi.agentpin_nonces"
#define UD_AP_ONLINE "symbi.agentpin_online"
typedef struct ud_ap_doc { symbi_doc *p; } ud_ap_doc;
typedef struct ud_ap_pins { symbi_agentpin_pins *p; } ud_ap_pins;
typedef struct ud_ap_nonces { symbi_agentpin_nonces *p; } ud_ap_nonces;
/* uservalue: the options table, which keeps pins and nonces alive */
typedef struct ud_ap_online { symbi_agentpin_online *p; } ud_ap_online;

/* nil, message, err with err.code = the protocol's code where there is one (err.status then holds the status). */
int ap_fail(lua_State *L, const symbi_err *err, symbi_agentpin_code code);
/* true, or the failure */
int ap_answer(lua_State *L, symbi_status st, const symbi_err *err, symbi_agentpin_code code);
/* The document at arg as a tree: a document object, a table, or JSON text; nil and null give a null value. Pushes one value that keeps
 * it alive. False (with err filled, nothing pushed) when it cannot be read. */
bool ap_value(lua_State *L, int arg, symbi_value *out, symbi_err *err);
/* The same for a field of the options table at arg. */
bool ap_field(lua_State *L, int arg, const char *name, symbi_value *out, symbi_err *err);
/* A key object, or PEM text: pushes a key object that holds it. NULL with err filled otherwise. */
symbi_key *ap_key(lua_State *L, int arg, symbi_err *err);
symbi_key *ap_key_field(lua_State *L, int arg, const char *const names[], symbi_err *err);
/* now: the integer at arg (or the field "now"), else the ctx's clock, in seconds. */
int64_t ap_now(lua_State *L, int arg);
int64_t ap_now_field(lua_State *L, int arg);
/* Options of a verification; pushes what keeps them alive. False with err filled. */
bool ap_options(lua_State *L, int arg, symbi_agentpin_options *o, bool *dns, symbi_err *err);
ud_ap_doc *ap_newdoc(lua_State *L);
int ap_pushdoc(lua_State *L, symbi_doc *d); /* as Lua data; returns 1 */

void ap_result_type(lua_State *L);
void ap_doc_type(lua_State *L);
void ap_store_types(lua_State *L);
void ap_online_type(lua_State *L);
extern const luaL_Reg ap_verify_funcs[], ap_store_funcs[], ap_more_funcs[];
#endif
