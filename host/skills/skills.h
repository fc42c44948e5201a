/* skills/skills.h: the inside of the skill scanner.
 *
 *   rules_reference.c, rules_*.c   the tables of rules        rules.c    names, which files, limits
 *   scanner.c   a profile and custom rules, compiled          scan.c     a scan: findings, suppressions, verdict; the reference profiles
 *   strict.c    the strict profile: what a file is, verdict on a line
 *   lines.c     lines and paragraphs in other forms           sift.c     what stands in a line, 64 bytes at a time
 *   flow.c      rules of two patterns, one some lines after the other
 *   view.c      lines rewritten as a shell, a reader or a decoder would see them
 *   payload.c   decoding of base64, hexadecimal, escapes      polarity.c  "never run …"
 *   zip.c       archives, entry by entry, with limits */
#ifndef SY_SKILLS_SKILLS_H
#define SY_SKILLS_SKILLS_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/ref.h"
#include "symbi/match.h"
#include "symbi/skills.h"

enum { SY_RULES_SEED = 10, SY_RULES_RUNTIME = 40 };
extern const symbi_skill_rule sy_rules_seed[SY_RULES_SEED], sy_rules_runtime[SY_RULES_RUNTIME];
/* The strict rules, table by table. */
typedef struct sy_rule_table { const symbi_skill_rule *rule; size_t n; } sy_rule_table;

/* Flags of strict rules. */
enum {
    SY_RULE_MENTION = 1, /* prose may speak of it: "never run …", "no … needed" make it a note */
    SY_RULE_CASE = 2,    /* case matters */
    SY_RULE_PROSE = 4,   /* meant for instructions to a model: not looked for in program files */
    SY_RULE_CODE = 8,    /* only in program files */
    SY_RULE_NAME = 16,   /* names a place or a tool: a sentence that only speaks of it is no use of it */
    SY_RULE_EITHER = 32  /* of a rule of two patterns: in either order */
};
enum { SY_FLOW_LINES = 20 }; /* the lines within which the second pattern of a rule follows the first */

typedef struct sy_skill_entry { /* one rule of a scanner, built-in or custom */
    symbi_str id, category, message;
    symbi_skill_severity severity;
    unsigned flags;
    bool two; /* its pattern is the first of two */
} sy_skill_entry;

struct symbi_skill_scanner {
    sy_ref refs;
    symbi_alloc alloc;
    sy_arena arena;
    symbi_skill_profile profile;
    symbi_match *m, *prose; /* prose: the rules that go over whole paragraphs (strict), or NULL */
    uint32_t *prosemap;     /* rule of prose -> rule of m */
    uint64_t *prosebits;    /* those rules of m; NULL: some of them have no literals, or there are none */
    uint8_t *seam;          /* bit 128 * a + b: a blank between characters a and b may stand in a literal of one of them */
    sy_skill_entry *entry;  /* by rule of m */
    size_t n;
    uint32_t *flow; /* rules of m behind the n: the second patterns, each of the rule that has it */
    size_t nflow;
    const symbi_str *lists; /* EXECUTABLES: lists of allowed names */
    size_t nlists;
};

typedef struct sy_found {
    symbi_skill_finding f;
    uint32_t order; /* of the rule */
    size_t last;    /* strict: the last line that it was found over */
} sy_found;

/* A paragraph of lines that are all ASCII, [off, end) of the text, not joined yet. */
typedef struct sy_para { size_t off, end, line, last; bool wanted; } sy_para;
enum { SY_MARK_SHIFT = 4 };

/* One of the two patterns of a rule, found: second says which. */
typedef struct sy_part {
    uint32_t rule;
    bool second;
    uint8_t how;
    symbi_skill_severity severity;
    size_t line, last, at;
    symbi_str text; /* the line, good until the views of the text are built anew */
} sy_part;

typedef struct sy_spot { symbi_str text; size_t line; } sy_spot;

struct symbi_skill_scan {
    symbi_ctx *cx;
    symbi_alloc alloc;
    symbi_skill_scanner *s;
    symbi_match_scratch *scratch, *prose;
    sy_arena arena; /* strings of findings */
    sy_found *found;
    size_t n, cap, first; /* first: of the present file */
    symbi_skill_suppression *sup;
    size_t nsup, capsup;
    bool broken, truncated;
    symbi_skill_totals totals;
    /* strict: reused from file to file */
    sy_buf norm, paras;
    sy_buf view;
    struct sy_vline *vline, *pline; /* of view, of paras */
    size_t nvline, capvline, npline, cappline;
    sy_para *para;
    size_t npara, cappara;
    uint64_t *mark; /* by 16 bytes of the text: a literal of the rules about prose ends there */
    size_t capmark;
    sy_spot *spot; /* lines that may hold payloads */
    size_t nspot, capspot;
    size_t *fence; /* lines at which a fence begins or ends */
    size_t nfence, capfence;
    sy_part *part; /* of rules of two patterns (flow.c) */
    size_t npart, cappart;
    size_t budget; /* bytes that payloads and archives of the present file may still unfold to */
};

/* Adds a finding; strings are copied. line_text: the line for excerpt and column, or empty. */
symbi_status sy_scan_add(symbi_skill_scan *s, const symbi_skill_finding *f, uint32_t order, size_t last, symbi_err *err);
/* The executables check of the runtime, over all lines. */
symbi_status sy_scan_shebangs(symbi_skill_scan *s, symbi_str path, symbi_str content, symbi_err *err);
void sy_scan_excerpt(symbi_skill_scan *s, symbi_str line, size_t at, symbi_str *out);
/* strict.c: the content of a file or of an entry of an archive; depth: archives around it. */
symbi_status sy_strict_bytes(symbi_skill_scan *s, symbi_str path, symbi_str content, unsigned depth, symbi_err *err);
/* frontmatter.c: what is wrong with the front matter of a SKILL.md, as findings. */
symbi_status sy_strict_frontmatter(symbi_skill_scan *s, symbi_str path, symbi_str content, symbi_err *err);
symbi_status sy_strict_note(symbi_skill_scan *s, symbi_str path, const char *rule, const char *category, symbi_skill_severity severity, const char *message, symbi_err *err);
/* zip.c: what kind of archive this is, and its content. */
typedef enum sy_pack { SY_PACK_NONE = 0, SY_PACK_ZIP, SY_PACK_GZIP, SY_PACK_TAR, SY_PACK_OTHER } sy_pack;
sy_pack sy_pack_kind(symbi_str content);
symbi_status sy_pack_scan(symbi_skill_scan *s, symbi_str path, symbi_str content, sy_pack kind, unsigned depth, symbi_err *err);

symbi_status sy_strict_content(symbi_skill_scan *s, symbi_str path, symbi_str content, symbi_err *err);

bool sy_suffix_in(symbi_str path, const char *const *list, bool fold); /* without the dot; "" in the list: a name without suffix */
symbi_str sy_base_name(symbi_str path);
#endif
