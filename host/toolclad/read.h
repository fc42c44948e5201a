/* toolclad/read.h: reading a manifest's tables: typed fields, errors and warnings that name file, line and key. */
#ifndef SY_TOOLCLAD_READ_H
#define SY_TOOLCLAD_READ_H
#include "toolclad/tool.h"

typedef struct sy_rd {
    symbi_ctx *cx;
    symbi_tool *t;
    const symbi_tooltypes *types; /* custom types or NULL */
    const symbi_tool *child;      /* contract of child sessions or NULL */
    symbi_str source;
    symbi_err *err;
    char at[200]; /* key of the table being read: "args.path" */
    size_t nat;
} sy_rd;

/* Enters / leaves a table below the present one; enter returns what leave needs. */
size_t sy_rd_enter(sy_rd *rd, symbi_str name);
void sy_rd_leave(sy_rd *rd, size_t mark);

/* "KEY: text" with file and line (of v, or none when NULL). key may be "". */
symbi_status sy_rd_fail(sy_rd *rd, const symbi_value *v, const char *key, const char *fmt, ...) SYMBI_PRINTF(4, 5);
symbi_status sy_rd_warn(sy_rd *rd, const symbi_value *v, const char *key, const char *fmt, ...) SYMBI_PRINTF(4, 5);
symbi_status sy_rd_nomem(sy_rd *rd);

/* Fields of table. Absent: *out keeps its value (the default). present may be NULL. */
symbi_status sy_rd_str(sy_rd *rd, const symbi_value *table, const char *key, symbi_str *out);
symbi_status sy_rd_need_str(sy_rd *rd, const symbi_value *table, const char *key, symbi_str *out); /* ESCHEMA when absent or "" */
symbi_status sy_rd_bool(sy_rd *rd, const symbi_value *table, const char *key, bool *out);
symbi_status sy_rd_int(sy_rd *rd, const symbi_value *table, const char *key, int64_t *out, bool *present);
symbi_status sy_rd_num(sy_rd *rd, const symbi_value *table, const char *key, double *out, bool *present);
symbi_status sy_rd_table(sy_rd *rd, const symbi_value *table, const char *key, const symbi_value **out); /* NULL when absent */
symbi_status sy_rd_strs(sy_rd *rd, const symbi_value *table, const char *key, const symbi_str **out, size_t *n, bool *present);
/* Warns of every key that is not in known (NULL-terminated), with the nearest known one. */
symbi_status sy_rd_known(sy_rd *rd, const symbi_value *table, const char *const known[]);
/* The nearest name in a NULL-terminated list, or NULL. */
const char *sy_suggest_list(symbi_str s, const char *const known[]);

/* What of a manifest stands in which file: */
symbi_status sy_load_args(sy_rd *rd, const symbi_value *args, sy_arg **out, size_t *n, bool structured); /* args.c */
symbi_status sy_args_index(sy_rd *rd, symbi_tool *t); /* args.c: t->args by name */
symbi_status sy_session_child_commands(sy_rd *rd); /* session_child.c: those of child sessions, behind the manifest's own */
symbi_status sy_finish_commands(sy_rd *rd); /* commands.c: what commands have in common with their manifest, once all of it is read */
symbi_status sy_load_command(sy_rd *rd, const symbi_value *command);  /* command.c */
symbi_status sy_load_backend(sy_rd *rd, const symbi_value *manifest); /* backend.c: finds and loads it */
symbi_status sy_load_sandbox(sy_rd *rd, const symbi_value *tool);      /* sandbox.c; after the backend */
/* A template over the arguments of the tool; what = "exec[1]", for messages. */
symbi_status sy_load_template(sy_rd *rd, const symbi_value *v, const char *key, symbi_str text, sy_tmpl *out, size_t conds_known, bool secrets);
extern const char *const sy_risk_tiers[6]; /* NULL-terminated */
bool sy_risk_known(symbi_str s);

/* custom types (customtypes.c) */
typedef struct sy_custom {
    symbi_str name, description;
    const sy_type *base;
    const symbi_value *def; /* its table */
} sy_custom;
const sy_custom *sy_custom_find(const symbi_tooltypes *types, symbi_str name);
const char *sy_custom_name(const symbi_tooltypes *types, size_t i); /* NUL-terminated; NULL past the end */
symbi_tooltypes *sy_tooltypes_hold(const symbi_tooltypes *types);
#endif
