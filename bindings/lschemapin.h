/* bindings/lschemapin.h: what the files of symbi.schemapin share. */
#ifndef SYMBI_LSCHEMAPIN_H
#define SYMBI_LSCHEMAPIN_H
#include "symL.h"
#include "symbi/schemapin_net.h"
#include "symbi/schemapin_skill.h"
#include "ud.h"

#define UD_SP_DISCOVERY "symbi.schemapin_discovery"
#define UD_SP_REVOCATION "symbi.schemapin_revocation"
#define UD_SP_PINS "symbi.schemapin_pins"
#define UD_SP_CACHE "symbi.schemapin_cache"
#define UD_SP_FOLDER "symbi.schemapin_folder"
#define UD_SP_ONLINE "symbi.schemapin_online"
typedef struct ud_sp_discovery { symbi_schemapin_discovery *p; } ud_sp_discovery;
typedef struct ud_sp_revocation { symbi_schemapin_revocation *p; } ud_sp_revocation;
typedef struct ud_sp_pins { symbi_schemapin_pins *p; } ud_sp_pins;
typedef struct ud_sp_cache { symbi_schemapin_cache *p; } ud_sp_cache;
typedef struct ud_sp_folder { symbi_schemapin_folder *p; } ud_sp_folder;
typedef struct ud_sp_online { symbi_schemapin_online *p; } ud_sp_online;

/* A document at idx, as text or as a table: *json or *value (v is its memory); pushes one anchor in both cases. */
symbi_status lsp_document(lua_State *L, int idx, symbi_str *json, symbi_value *v, const symbi_value **value, symbi_err *err);
/* A userdata in field name of the options at arg, or NULL; raises on another type. Leaves the stack as it was. */
void *lsp_field_ud(lua_State *L, int arg, const char *name, const char *tname, const char *what);
symbi_str lsp_field_str(lua_State *L, int arg, const char *name); /* {NULL,0} when absent */
bool lsp_field_bool(lua_State *L, int arg, const char *name);
int64_t lsp_field_now(lua_State *L, int arg); /* field now, required: whole seconds; a fraction is cut */
/* The texts of a list at idx: pushes their memory and returns it. */
symbi_str *lsp_strings(lua_State *L, int idx, size_t *n, const char *what);
/* The key at arg, a symbi.key or PEM: a reference in *out, which the userdata that is pushed owns. */
symbi_status lsp_key(lua_State *L, int arg, bool want_private, const symbi_key **out, symbi_err *err);
ud_schemapin *lsp_push_result(lua_State *L); /* an empty one */
symbi_schemapin_pins *lsp_checkpins(lua_State *L, int arg);

/* Each adds its functions to the table on the top. */
void lsp_add_docs(lua_State *L);
void lsp_add_pins(lua_State *L);
void lsp_add_checks(lua_State *L);
void lsp_add_skill(lua_State *L);
void lsp_add_net(lua_State *L);
#endif
