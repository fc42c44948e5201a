/* toolclad/tool.h: a loaded manifest, and what the files of this folder share. A tool is one arena, immutable after
 * loading, atomically refcounted. Types (types.c) and backends (backend.c) are tables: a new one is an entry. */
#ifndef SY_TOOLCLAD_TOOL_H
#define SY_TOOLCLAD_TOOL_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/ref.h"
#include "codec/value.h"
#include "symbi/toolclad.h"
#include "toolclad/pattern.h"

typedef struct sy_arg sy_arg;
typedef struct sy_type sy_type;

/* ---- types ---- */

/* What a type's check works with. On success the canonical value stands in *out, strings in the arena or borrowed from v. */
typedef struct sy_check {
    symbi_ctx *cx;
    const sy_arg *arg;
    sy_arena *arena;
    symbi_err *err; /* msg without the wrapper "argument 'x': " */
    unsigned classes; /* SY_HAS_* of the whole value */
} sy_check;

/* What stands in a text, found in one pass over it. */
enum {
    SY_HAS_META = 1,      /* a refused metacharacter of spec 6.2, or NUL */
    SY_HAS_NUL = 2,
    SY_HAS_HIGH = 4,      /* a byte outside of ASCII */
    SY_HAS_NO_URL = 8,    /* a control character, a blank or a backslash */
    SY_HAS_NO_HOST = 16,  /* anything but letters, digits, '.' and '-' */
    SY_HAS_SEPARATOR = 32 /* '/' or a backslash */
};
unsigned sy_classes(symbi_str v);

enum {
    SY_TYPE_FREE_TEXT = 1,  /* any text: lint looks at where it goes */
    SY_TYPE_NO_OPTION = 2,  /* a value that begins with '-' cannot be taken for an option of the author's program */
    SY_TYPE_MCP_ONLY = 4,   /* structured values, only where they travel as JSON */
    SY_TYPE_REWRITES = 16,  /* the canonical text is another one: what is refused elsewhere (NUL) is taken out, and a second check may trim again */
    SY_TYPE_FILE = 8,       /* the executor checks that the file exists (plan check_files) */
    SY_TYPE_PROGRAM = 32    /* a value may name the program to run: its words are the author's */
};
struct sy_type {
    const char *name, *json; /* json: type in the input schema */
    unsigned flags;
    symbi_kind kind;         /* of canonical values */
    symbi_status (*check)(const sy_check *c, symbi_str v, symbi_value *out);
    const char *format, *pattern; /* of the input schema, or NULL */
};
const sy_type *sy_type_find(symbi_str name); /* NULL when unknown */
const sy_type *sy_type_at(size_t i);         /* NULL past the end */

/* How most values of an argument are accepted without a look at what else might stand in them: what is accepted so has neither NUL nor
 * metacharacter, and is ASCII. Whatever is not accepted goes the long way, which says why. */
typedef enum sy_quick {
    SY_QUICK_NO,
    SY_QUICK_TYPE,   /* the type's check alone: numbers, booleans, enums of plain words */
    SY_QUICK_PATTERN /* the pattern alone: its characters are harmless */
} sy_quick;

struct sy_arg {
    symbi_str name, type_name, description;
    const sy_type *type; /* the base type of a custom one */
    int64_t position;
    bool required, clamp, scope_check, feeds_decision, allow_options, has_allowed, any_text; /* any_text: no metacharacter check (sanitize = [] of a browser's command) */
    bool has_min, has_max, has_fmin, has_fmax;
    int64_t min, max;
    double fmin, fmax;
    const symbi_value *dflt; /* as written, or NULL */
    symbi_value dflt_value;  /* what validate puts in */
    const symbi_str *allowed;
    size_t nallowed;
    const symbi_str *schemes;
    size_t nschemes;
    symbi_str pattern_text;
    const sy_pattern *pattern;
    sy_quick quick;
    const void *more; /* what a type of one backend only needs */
    uint32_t line;
};

/* Checks one value that was given for an argument (spec section 6), NUL and UTF-8 first. err is wrapped. */
symbi_status sy_arg_check(symbi_ctx *cx, const sy_arg *a, const symbi_value *v, sy_arena *arena, symbi_value *out, symbi_err *err);
/* The text of a canonical value, as commands and environments show it. */
symbi_str sy_arg_text(const symbi_value *v, sy_arena *arena);
/* v for an error message: control characters escaped, cut at 80 bytes. */
enum { SY_ECHO = 128 };
const char *sy_echo(symbi_str v, char out[SY_ECHO]);
/* The first of the refused metacharacters of spec 6.2 (or NUL) in v; -1 when none. except: one to let through, 0 for none. */
int sy_metachar(symbi_str v, char except);

/* ---- commands ---- */

typedef enum sy_var_kind {
    SY_VAR_ARG,
    SY_VAR_TEXT,    /* a value of command.defaults */
    SY_VAR_SCAN_ID,
    SY_VAR_EVIDENCE_DIR,
    SY_VAR_OUTPUT_FILE,
    SY_VAR_MAPPING, /* flag text of one mapping */
    SY_VAR_COND     /* template of one conditional, or nothing */
} sy_var_kind;

typedef struct sy_piece {
    bool is_var;
    bool braces;    /* {{name}}: the value between braces */
    sy_var_kind kind;
    size_t index;   /* of the argument, mapping or conditional */
    symbi_str text; /* literal, or the value of SY_VAR_TEXT */
} sy_piece;
typedef struct sy_wprog sy_wprog; /* words.c */
typedef struct sy_tmpl {
    symbi_str source;
    const sy_piece *p;
    size_t n;
    const sy_wprog *prog; /* how its words are made, or NULL: it is expanded and split */
    symbi_str word;       /* all of it, where nothing comes in and nothing means more (an element of exec); p NULL otherwise */
    bool spreads;         /* an element of exec that is one mapping or conditional and nothing else: any number of words */
} sy_tmpl;

typedef struct sy_when sy_when; /* when.c */
/* Parses a condition; what it says is checked completely. */
symbi_status sy_when_parse(sy_arena *a, symbi_str text, const sy_when **out, symbi_err *err);
typedef symbi_str sy_when_lookup(const void *ud, symbi_str name);
bool sy_when_eval(const sy_when *w, sy_when_lookup *look, const void *ud);
/* The i-th name a condition mentions; n 0 past the end. */
symbi_str sy_when_name(const sy_when *w, size_t i);

typedef struct sy_mapping {
    size_t arg;
    const symbi_value *table; /* object: canonical text -> flags */
    const sy_wprog **prog;    /* of each of its members */
} sy_mapping;
typedef struct sy_cond {
    symbi_str name;
    const sy_when *when;
    sy_tmpl tmpl;
} sy_cond;
typedef struct sy_command {
    bool has_exec, has_template;
    symbi_str executor;
    const sy_tmpl *exec;
    size_t nexec;
    sy_tmpl tmpl;
    const symbi_value *defaults; /* object or NULL */
    const sy_mapping *mappings;
    size_t nmappings;
    const sy_cond *conds;
    size_t nconds;
} sy_command;

/* ---- the tool ---- */

typedef enum sy_format { SY_FORMAT_TEXT, SY_FORMAT_JSON, SY_FORMAT_JSONL, SY_FORMAT_CSV, SY_FORMAT_XML, SY_FORMAT_NMAP, SY_FORMAT_OTHER } sy_format;
sy_format sy_format_find(symbi_str name);
const char *sy_format_ext(sy_format f); /* of the evidence file */

typedef struct sy_warning {
    struct sy_warning *next;
    symbi_str text;
} sy_warning;

struct symbi_tool {
    sy_ref refs;
    symbi_alloc alloc;
    sy_arena arena;
    symbi_doc *doc; /* the manifest; strings below point into it */
    symbi_tooltypes *types; /* kept alive: constraints point into it */
    symbi_tool_info info;
    symbi_str binary, cedar_resource, cedar_action;
    bool has_cedar;
    symbi_str evidence_dir;
    bool plain_paths; /* neither the name nor evidence_dir has blanks, quotes or backslashes */
    bool capture;
    symbi_box box; /* sandbox.c; likewise what follows */
    bool box_network, box_output;
    const symbi_str *box_write, *box_hide;
    size_t nbox_write, nbox_hide;
    sy_arg *args; /* by position, then name */
    size_t nargs;
    const size_t *by_name; /* indices of args in order of name */
    const size_t *rank;    /* of each argument: its place in that order */
    const uint16_t *slots; /* hash table of names: index of the argument + 1, 0 empty */
    size_t nslots;         /* a power of two; 0: there are no arguments */
    const char *names;     /* the names in order of name, each with a NUL behind it */
    size_t names_n;
    bool has_files;        /* an argument of a type with SY_TYPE_FILE */
    sy_command command;
    const symbi_value *backend_table; /* [http], [mcp], [session] or [browser] */
    bool has_output, envelope;
    symbi_str format_name, parser;
    symbi_str custom_parser; /* the path of parser = "custom:PATH" (custom_parser.c); "" for none */
    sy_format format;
    const symbi_value *output_schema; /* object or NULL */
    bool output_strict;
    sy_warning *warn_first, *warn_last;
    /* [session] and [browser]: each command is a tool of its own, in one block of this tool's arena. A command's references are its owner's. */
    symbi_tool *owner;    /* of a command: the manifest's tool; else NULL */
    symbi_tool *commands;
    size_t ncommands;
    symbi_str command_name;            /* the C of TOOL.C */
    const symbi_value *command_table;  /* [session.commands.C] or [browser.commands.C] */
    const void *backend_data;          /* what the backend's reader made of its table; shared by the commands */
    symbi_tool *child;                 /* of a session: the contract of its child sessions, a reference; else NULL */
    bool in_child;                     /* of a command: it is typed into the child session */
};

/* Are both the same contract? Either may be NULL. */
bool sy_tool_same(const symbi_tool *a, const symbi_tool *b);
const sy_arg *sy_tool_arg(const symbi_tool *t, symbi_str name); /* NULL when not declared */
/* For the table of names; the names are the author's, and at most 1000. */
static inline size_t sy_name_hash(symbi_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    return s.n ? (s.n * 0x9e5u) ^ (p[0] * 0x25u) ^ (p[s.n - 1] * 0x85bu) ^ (p[s.n / 2] * 0x3d1u) : 0;
}
/* The arguments of a call against the contract (what symbi_tool_validate does): m[rank of each argument].val, kind null where there is no value. */
symbi_status sy_args_check(symbi_ctx *cx, const symbi_tool *t, const symbi_value *args, sy_arena *arena, symbi_member *m, symbi_err *err);
/* m[rank of each argument] into an object with the declared names, copied into the arena unless the object goes with_tool; members of kind
 * null are left out. */
symbi_status sy_args_object(const symbi_tool *t, symbi_member *m, sy_arena *a, bool with_tool, symbi_value *out, symbi_err *err);

/* Output of a run as results (spec 9.5). *parsed false: it stands as raw_output, why says for what reason ("" when the
 * format is text). lossy: the output as UTF-8. */
symbi_status sy_output_parse(symbi_ctx *cx, sy_format f, symbi_str lossy, sy_arena *arena, symbi_value *results, char why[160], symbi_err *err);
symbi_str sy_utf8_lossy(sy_arena *a, symbi_str raw); /* invalid bytes become U+FFFD; p NULL when out of memory */

/* suggest.c: the known name nearest to s within edit distance 3 (and less than its length), or NULL. */
typedef const char *sy_name_at(const void *ud, size_t i); /* NULL past the end */
const char *sy_suggest(symbi_str s, sy_name_at *at, const void *ud);
#endif
