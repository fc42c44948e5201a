/* symbi/skills.h: the skill scanner: what stands in the files of a skill that an agent should not be made to do.
 *
 * Profiles: SEED and RUNTIME give exactly the findings of the two reference scanners (10 and 40 rules); STRICT, ours and the
 * default, normalises first (see skills/strict.c) and reports whatever it could not read: a partial scan never passes.
 *
 * A scanner (profile and custom rules) is immutable, refcounted and may be shared between threads. A scan collects the findings of
 * any number of files; one thread at a time. Nothing here opens a file: the caller reads and hands over bytes, and says with
 * symbi_skill_scan_unread what it could not or would not read. Time is linear in the bytes. */
#ifndef SYMBI_SKILLS_H
#define SYMBI_SKILLS_H

#include "symbi/value.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum symbi_skill_profile { SYMBI_SKILL_STRICT = 0, SYMBI_SKILL_SEED = 1, SYMBI_SKILL_RUNTIME = 2 } symbi_skill_profile;
/* From mild to grave. SEED fails on critical alone, the others on critical and high. */
typedef enum symbi_skill_severity { SYMBI_SKILL_INFO = 0, SYMBI_SKILL_WARNING, SYMBI_SKILL_MEDIUM, SYMBI_SKILL_HIGH, SYMBI_SKILL_CRITICAL } symbi_skill_severity;
SYMBI_API const char *symbi_skill_severity_name(symbi_skill_severity s); /* "info" "warning" "medium" "high" "critical" */
/* SYMBI_ENOTFOUND for a name that is none. */
SYMBI_API symbi_status symbi_skill_severity_parse(symbi_str name, symbi_skill_severity *out);
SYMBI_API symbi_status symbi_skill_profile_parse(symbi_str name, symbi_skill_profile *out);

/* ---- rules ---- */

enum { SYMBI_SKILL_EXAMPLES = 8, SYMBI_SKILL_MAX_CUSTOM = 1000, SYMBI_SKILL_MAX_FINDINGS = 100000 };
/* One built-in rule. All strings static; examples end with NULL: texts that must and must not give this rule. A pattern with a line feed
 * in it is two: the second is found on the line of the first or some lines (20) after it. */
typedef struct symbi_skill_rule {
    const char *id, *category, *message, *pattern;
    symbi_skill_severity severity;
    const char *yes[SYMBI_SKILL_EXAMPLES], *no[SYMBI_SKILL_EXAMPLES];
    unsigned flags; /* internal */
} symbi_skill_rule;
SYMBI_API size_t symbi_skill_rule_count(symbi_skill_profile p);
SYMBI_API const symbi_skill_rule *symbi_skill_rule_at(symbi_skill_profile p, size_t i); /* NULL past the end */

typedef enum symbi_skill_custom_kind {
    SYMBI_SKILL_CUSTOM_RULE = 0, /* id, pattern, severity, message as given */
    SYMBI_SKILL_CUSTOM_CONTENT,  /* "custom:p", warning */
    SYMBI_SKILL_CUSTOM_FILE,     /* value is text: "deny-file:f", warning */
    SYMBI_SKILL_CUSTOM_SHELL,    /* "deny-shell:p", critical */
    SYMBI_SKILL_CUSTOM_EXECUTABLES /* value: names separated by line feeds; other interpreters give "executable-not-allowed:NAME", high */
} symbi_skill_custom_kind;
typedef struct symbi_skill_custom {
    symbi_skill_custom_kind kind;
    symbi_str id, value, message; /* value: the pattern, text or list; all copied */
    symbi_skill_severity severity;
} symbi_skill_custom;

typedef struct symbi_skill_scanner symbi_skill_scanner;
enum { SYMBI_SKILL_DROP_BAD = 1 }; /* custom patterns that do not compile are left out, as the references do; else they are an error */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_skill_scanner_new(symbi_ctx *cx, symbi_skill_profile p, const symbi_skill_custom *custom, size_t n, unsigned flags, symbi_skill_scanner **out, symbi_err *err);
SYMBI_API symbi_skill_scanner *symbi_skill_scanner_ref(symbi_skill_scanner *s);
SYMBI_API void symbi_skill_scanner_unref(symbi_skill_scanner *s); /* NULL is fine */
SYMBI_API symbi_skill_profile symbi_skill_scanner_profile(const symbi_skill_scanner *s);

/* ---- files ---- */

/* What a profile does with a file of this name (its path in the skill). */
typedef enum symbi_skill_plan {
    SYMBI_SKILL_READ = 0, /* read it and scan its content */
    SYMBI_SKILL_PASS_OVER /* the profile does not look at it, and reports nothing */
} symbi_skill_plan;
SYMBI_API symbi_skill_plan symbi_skill_plan_file(symbi_skill_profile p, symbi_str path);
/* The limits of a profile; SEED has none (SIZE_MAX). STRICT: 8 MiB, 10,000 files, depth 32. */
typedef struct symbi_skill_limits { size_t file_bytes, files, depth; } symbi_skill_limits;
SYMBI_API void symbi_skill_limits_of(symbi_skill_profile p, symbi_skill_limits *out);

/* Why something was not read. In STRICT each is a finding of severity high; RUNTIME reports SIZE (info) and FILES (warning) in its
 * own words, SEED nothing. */
typedef enum symbi_skill_unread {
    SYMBI_SKILL_UNREAD_SIZE = 0, /* file larger than the limit: amount is its size, limit the limit */
    SYMBI_SKILL_UNREAD_FILES,    /* more files than the limit */
    SYMBI_SKILL_UNREAD_DEPTH,    /* folder deeper than the limit */
    SYMBI_SKILL_UNREAD_KIND,     /* neither file nor folder: a device, FIFO, socket */
    SYMBI_SKILL_UNREAD_LINK,     /* a symbolic link */
    SYMBI_SKILL_UNREAD_IO        /* opening or reading failed */
} symbi_skill_unread;

/* ---- scans ---- */

typedef struct symbi_skill_finding {
    symbi_str rule, category, message, file;
    symbi_str excerpt;  /* of the line, one clean line of UTF-8 of at most 160 bytes; empty where the finding has no line */
    symbi_str how;      /* how STRICT came to see it: "" as it stands; else "normalised", "joined", "unquoted", "base64", "zip:…" */
    symbi_str reason;   /* of the suppression that covers it; empty otherwise */
    symbi_skill_severity severity;
    size_t line;        /* 1-based; 0: about the file */
    size_t column;      /* 1-based, in bytes; 0: unknown */
    bool suppressed;    /* counts for nothing */
} symbi_skill_finding;

typedef struct symbi_skill_scan symbi_skill_scan;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_skill_scan_new(symbi_ctx *cx, symbi_skill_scanner *s, symbi_skill_scan **out, symbi_err *err);
SYMBI_API void symbi_skill_scan_free(symbi_skill_scan *s); /* NULL is fine */
/* Back to the beginning, without findings and suppressions; what the matcher has learnt stays, so that one scan after the other is
 * faster than a new one for each skill. */
SYMBI_API void symbi_skill_scan_clear(symbi_skill_scan *s);
/* Adds the findings of one file. path: as findings shall show it (its suffix says what STRICT takes the content for). After an
 * error the scan is not complete, and symbi_skill_scan_passed is false whatever was found. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_skill_scan_content(symbi_skill_scan *s, symbi_str path, symbi_str content, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_skill_scan_unread_file(symbi_skill_scan *s, symbi_str path, symbi_skill_unread why, size_t amount, size_t limit, symbi_err *err);

/* A suppression: findings of `rule` (or "*") in `path` (exact, or "*"), on `line` (0: any), count for nothing until `until` (ms since
 * 1970; 0: no end; judged at the ctx's clock). Needs a reason. What was not read cannot be suppressed by "*". Holds for what is scanned later. */
typedef struct symbi_skill_suppression {
    symbi_str rule, path, reason;
    size_t line;
    int64_t until;
} symbi_skill_suppression;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_skill_scan_suppress(symbi_skill_scan *s, const symbi_skill_suppression *sup, symbi_err *err);

SYMBI_API size_t symbi_skill_scan_count(const symbi_skill_scan *s);
/* Findings file by file in the order given, within a file by line, then rule. Borrowed until the scan changes. */
SYMBI_API const symbi_skill_finding *symbi_skill_scan_at(const symbi_skill_scan *s, size_t i);
/* No finding that counts and is as grave as the profile fails on; and nothing went wrong, or unread. */
SYMBI_API bool symbi_skill_scan_passed(const symbi_skill_scan *s);
typedef struct symbi_skill_totals { size_t files, bytes, unread, suppressed, by_severity[5]; } symbi_skill_totals;
SYMBI_API void symbi_skill_scan_totals(const symbi_skill_scan *s, symbi_skill_totals *out);

#ifdef __cplusplus
}
#endif
#endif
