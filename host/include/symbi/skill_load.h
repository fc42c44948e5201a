/* symbi/skill_load.h: what loading a skill decides: its front matter, and whether it may be used (spec services-skills.md
 * section 4). Reading the folder, its signature check (symbi/schemapin_skill.h) and its scan (symbi/skills.h) come before. */
#ifndef SYMBI_SKILL_LOAD_H
#define SYMBI_SKILL_LOAD_H
#include "symbi/schemapin.h"
#include "symbi/skills.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { SYMBI_SKILL_FRONTMATTER_BYTES = 64 << 10 };
/* Of SKILL.md's text: {found, name, description, raw, body_offset, problems: [{line, message}]}.
 * Front matter begins on the first line with "---" (blanks after it, a byte order mark before it and CRLF are fine) and ends at
 * the next line that is exactly that; the body between is YAML with every scalar a text. found is false where there is none,
 * or it does not end. YAML that is refused (duplicate keys too), or that is no mapping, gives raw {} and a problem. name is the
 * fallback where there is none that is a text with something in it; description is null where there is none. Any text is taken:
 * errors are out of memory only. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_skill_frontmatter(symbi_ctx *cx, symbi_str content, symbi_str fallback_name, symbi_doc **out, symbi_err *err);

typedef struct symbi_skill_admission { /* zero-initialise: nothing is admitted that is not scanned and signed */
    uint32_t size;
    bool unsigned_ok;   /* require_signed = false */
    bool no_scan;       /* scan_enabled = false */
    bool findings_ok;   /* block_on_scan = false */
    const symbi_str *allow_unsigned_from; /* resolved folders (no links, absolute); a skill below one needs no signature */
    size_t nallow;
} symbi_skill_admission;

/* Whether the skill in folder `path` (resolved, absolute) may be used. signature NULL: there is no signature file. scan NULL: not
 * scanned. SYMBI_OK; else EDENIED, and *reason is one static word: "unsigned" "invalid_signature" "expired_signature" "revoked"
 * "not_scanned" "scan_failed", with err's message for people. *status says what the signature is worth, in any case: a result that
 * does not speak of a folder, or has expired at now (Unix seconds), is worth nothing. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_skill_admit(const symbi_skill_admission *a, symbi_str path, const symbi_schemapin_result *signature, const symbi_skill_scan *scan, int64_t now, symbi_schemapin_status *status, const char **reason, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
