/* cedar/schema.h: schemas (spec 11). The JSON form is the one kept form: text is read into it and written from it; the
 * resolved tables below are what conversion and validation work with. Immutable once built. */
#ifndef SY_CEDAR_SCHEMA_H
#define SY_CEDAR_SCHEMA_H
#include "base/map.h"
#include "base/ref.h"
#include "cedar/convert.h"
#include "cedar/scratch.h"
#include "cedar/value.h"
#include "codec/value.h"

typedef enum sy_ctype_kind {
    SY_T_NEVER, SY_T_TRUE, SY_T_FALSE, SY_T_BOOL, SY_T_LONG, SY_T_STRING,
    SY_T_SET,       /* elem, NULL for a set of anything */
    SY_T_RECORD,    /* attrs, ascending by name */
    SY_T_ENTITY,    /* entity */
    SY_T_ACTION,    /* an action entity; name is its type */
    SY_T_ANYENTITY,
    SY_T_EXT        /* ext: SY_CV_DECIMAL, SY_CV_IP, SY_CV_DATETIME, SY_CV_DURATION */
} sy_ctype_kind;

typedef struct sy_ctype sy_ctype;
typedef struct sy_ctattr {
    symbi_str name;
    const sy_ctype *type;
    bool required;
} sy_ctattr;
struct sy_ctype {
    uint8_t kind, ext;
    bool open;       /* record: only as an expectation of the validator */
    uint32_t entity; /* number of the entity type */
    uint32_t n;
    symbi_str name;
    const sy_ctattr *attrs;
    const sy_ctype *elem;
};

typedef struct sy_cst_entity {
    symbi_str name;
    bool is_enum;
    const symbi_str *ids;
    uint32_t nids;
    const sy_ctype *shape, *tags; /* tags NULL: none */
    const uint32_t *anc;          /* entity types above, transitive, ascending; itself only in a cycle */
    uint32_t nanc;
} sy_cst_entity;

typedef struct sy_cst_action {
    sy_cuid uid;
    const uint32_t *anc; /* actions above, transitive, ascending */
    const uint32_t *principals, *resources; /* entity types, as listed */
    uint32_t nanc, nprincipals, nresources;
    const sy_ctype *context;
} sy_cst_action;

struct symbi_cedar_schema {
    sy_ref refs;
    symbi_alloc alloc;
    sy_scratch mem;
    symbi_doc *doc;      /* the JSON form */
    symbi_doc *resolved; /* the same with every name resolved */
    sy_map entity_map;   /* full name -> entity type */
    sy_map action_map;   /* uid key -> action */
    sy_map action_types; /* names of action entity types */
    sy_cst_entity *entities;
    sy_cst_action *actions;
    uint32_t nentities, nactions;
    const symbi_str *warnings;
    uint32_t nwarnings;
};
typedef struct symbi_cedar_schema sy_cschema;

uint32_t sy_cschema_entity(const sy_cschema *s, symbi_str name);          /* SY_NONE (UINT32_MAX) when undeclared */
uint32_t sy_cschema_action(const sy_cschema *s, const sy_cuid *u);        /* the same */
bool sy_cschema_enum_has(const sy_cst_entity *e, symbi_str id);
bool sy_cschema_under(const sy_cschema *s, uint32_t type, uint32_t above); /* is `above` an ancestor of the entity type */
bool sy_cschema_action_in(const sy_cschema *s, uint32_t action, uint32_t above); /* self or ancestor */
const sy_ctattr *sy_ctype_attr(const sy_ctype *record, symbi_str name);

/* Text to the JSON form. warn collects lines such as a duplicate attribute. */
typedef struct sy_cschema_warns {
    symbi_str *v;
    size_t n, cap;
} sy_cschema_warns;
symbi_status sy_cschema_read_text(symbi_ctx *cx, symbi_str text, symbi_doc **out, sy_cschema_warns *warns, sy_arena *warn_mem, symbi_err *err);
/* Takes over doc (also on failure). */
symbi_status sy_cschema_build(symbi_ctx *cx, symbi_doc *doc, sy_cschema **out, symbi_err *err);
#endif
