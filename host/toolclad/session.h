/* toolclad/session.h: what the files of backend session share: [session] as read, and the check of a command's text. */
#ifndef SY_TOOLCLAD_SESSION_H
#define SY_TOOLCLAD_SESSION_H
#include "symbi/scope.h"
#include "toolclad/read.h"

/* [session.states]: the name of a state and what the prompt looks like in it. */
typedef struct sy_session_state {
    symbi_str name;
    symbi_str pattern_text;
    const sy_pattern *pattern;
} sy_session_state;

/* [session.child_detection] */
typedef struct sy_session_child {
    symbi_str pattern_text, type, manifest;
    const struct sy_session_def *def; /* of its contract; NULL: there is none */
    const symbi_tool *contract;
} sy_session_child;

typedef struct sy_session_def {
    const symbi_str *argv; /* startup_command, split; never a shell */
    size_t argc;
    symbi_str ready_text;
    const sy_pattern *ready;
    int64_t startup_ms, idle_ms, total_ms, max_interactions, reply_ms;
    int64_t output_max;
    bool sanitize; /* interaction.input_sanitize has "injection" */
    int64_t queue_max, ttl_ms;
    const sy_session_state *states;
    size_t nstates;
    const sy_session_child *child; /* NULL: no child session is looked for */
} sy_session_def;

/* A pattern of this table, compiled. */
symbi_status sy_session_pattern(sy_rd *rd, const symbi_value *t, const char *key, symbi_str text, const sy_pattern **out);
/* It must not fit an empty line; as says what would happen. */
symbi_status sy_session_not_empty(sy_rd *rd, const symbi_value *t, const char *key, const sy_pattern *p, const char *as);
/* session_child.c */
symbi_status sy_session_child_load(sy_rd *rd, const symbi_value *t, sy_session_def *d);

/* sy_arg.more of a command's text */
typedef struct sy_session_text {
    symbi_str shown; /* the pattern as written */
    bool sanitize, extract_target;
} sy_session_text;

/* extract_target (session_targets.c) */
bool sy_session_has_targets(const sy_arg *a);
symbi_status sy_session_check_targets(symbi_str text, const symbi_scope *s, symbi_err *err);
/* Adds the argument "command" to what [session.commands.C.args] has (session_cmd.c). */
symbi_status sy_session_command(sy_rd *rd, const symbi_value *c, symbi_tool *o);
#endif
