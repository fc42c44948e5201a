/* symbi/schemapin_skill.h: signed skill folders (.schemapin.sig) and single signed files (FILE.sig, for tool manifests). The walk
 * and the reading of files are the caller's; what is hashed, in which order, which paths may be there, and the verdict are here. */
#ifndef SYMBI_SCHEMAPIN_SKILL_H
#define SYMBI_SCHEMAPIN_SKILL_H
#include "symbi/schemapin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define SYMBI_SCHEMAPIN_SIGNATURE_FILE ".schemapin.sig"
enum {
    SYMBI_SCHEMAPIN_MAX_FILES = 10000,        /* of one folder */
    SYMBI_SCHEMAPIN_MAX_PATH = 1024,          /* bytes of one path */
    SYMBI_SCHEMAPIN_MAX_DEPTH = 64,           /* parts of one path */
    SYMBI_SCHEMAPIN_MAX_FOLDER = 256 << 20,   /* bytes of all files */
    SYMBI_SCHEMAPIN_MAX_SIGNATURE = 4 << 20   /* bytes of a signature file */
};

/* The hash of a folder, fed in any order: for each entry begin, then (files only, when *wanted) data in pieces, then end. */
typedef struct symbi_schemapin_folder symbi_schemapin_folder;
typedef enum symbi_schemapin_entry {
    SYMBI_SCHEMAPIN_ENTRY_FILE = 1,
    SYMBI_SCHEMAPIN_ENTRY_DIRECTORY, /* says nothing: empty ones do not count */
    SYMBI_SCHEMAPIN_ENTRY_LINK,
    SYMBI_SCHEMAPIN_ENTRY_OTHER      /* devices, sockets, pipes: refused */
} symbi_schemapin_entry;
/* lenient: skip what SchemaPin skips, symbolic links and signature files below the top, instead of refusing the folder for them:
 * a signature does not see them, an agent that reads the folder does. A backslash in a name passes then, too. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_folder_new(symbi_ctx *cx, bool lenient, symbi_schemapin_folder **out, symbi_err *err);
SYMBI_API void symbi_schemapin_folder_free(symbi_schemapin_folder *f);
/* path: relative to the folder, with "/", no empty part, no "." or "..", UTF-8. A path that is refused, one that comes twice, and a
 * limit are ESCHEMA or ELIMIT and stick: the folder then hashes to nothing, and a check says why. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_folder_begin(symbi_schemapin_folder *f, symbi_str path, symbi_schemapin_entry kind, bool *wanted, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_folder_data(symbi_schemapin_folder *f, symbi_str bytes, symbi_err *err);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_folder_end(symbi_schemapin_folder *f, symbi_err *err);
/* The caller could not read or list something: the same as a refused path. */
SYMBI_API void symbi_schemapin_folder_spoil(symbi_schemapin_folder *f, symbi_str why);
/* The root hash; no more entries after that. Not one file: ESCHEMA "Skill directory is empty ...". */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_folder_root(symbi_schemapin_folder *f, uint8_t root[32], symbi_err *err);
/* {"path": "sha256:<hex>"}, in order of the paths. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_folder_manifest(symbi_schemapin_folder *f, symbi_doc **out, symbi_err *err);
SYMBI_API size_t symbi_schemapin_folder_files(const symbi_schemapin_folder *f);

/* The name in SKILL.md's front matter (p NULL: there is no such file), or dir_name. Borrowed from either, or from buf. */
SYMBI_API symbi_str symbi_schemapin_skill_name(symbi_str skill_md, symbi_str dir_name, char buf[SYMBI_SCHEMAPIN_MAX_NAME]);

typedef struct symbi_schemapin_skill_options { /* "" or false: absent */
    uint32_t size;
    symbi_str skill_name, domain, signer_kid; /* skill_name is required; signer_kid: else the key's fingerprint */
    bool has_expires_in;
    int64_t expires_in;                       /* seconds from now */
    symbi_str schema_version, previous_hash, canonicalization;
    bool file;                                /* the folder is one file: a signature for FILE.sig */
    int64_t now;
} symbi_schemapin_skill_options;
/* The text of a signature file. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_skill_sign(symbi_ctx *cx, symbi_schemapin_folder *f, const symbi_key *key, const symbi_schemapin_skill_options *o, symbi_text *out, symbi_err *err);

typedef struct symbi_schemapin_skill_check { /* zero-initialise, set size */
    uint32_t size;
    symbi_schemapin_folder *folder;
    symbi_str signature_json;             /* the signature file's text, or */
    const symbi_value *signature;         /* its value; neither: unsigned */
    bool file;                            /* one file: the result speaks of SHA-256 of its bytes */
    symbi_str dir_name, tool_id;          /* tool_id "": skill_name of the file, else dir_name */
    symbi_str domain;                     /* the domain whose discovery document this is; "": not compared */
    bool ignore_metadata;                 /* do not compare skill_hash, file_manifest and signer_kid, which are not signed */
    bool allow_single, only_pinned;
    const symbi_schemapin_discovery *discovery;
    const symbi_schemapin_revocation *revocation;
    symbi_schemapin_pins *pins;
    symbi_str dns_fingerprint;
    symbi_schemapin_meta meta;            /* expectations only; what the file says is filled in */
    int64_t now;
} symbi_schemapin_skill_check;
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_check_skill(symbi_ctx *cx, const symbi_schemapin_skill_check *c, symbi_schemapin_result **out, symbi_err *err);

/* {"modified":[...],"added":[...],"removed":[...]}, each sorted by bytes. Both are objects of texts. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_tampered(symbi_ctx *cx, const symbi_value *current, const symbi_value *signed_manifest, symbi_doc **out, symbi_err *err);
/* OK when current.previous_hash names previous.skill_hash; EVERIFY with SchemaPin's words when not. Empty counts as absent. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_schemapin_chain(const symbi_value *current, const symbi_value *previous, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
