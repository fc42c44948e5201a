/* schemapin/folder.h: the inside of a hashed folder, for signing and checking. */
#ifndef SY_SCHEMAPIN_FOLDER_H
#define SY_SCHEMAPIN_FOLDER_H
#include "base/ctx.h"
#include "symbi/schemapin_skill.h"

typedef struct sy_sp_file {
    char *path; /* n + 1 bytes */
    size_t n;
    uint8_t digest[32]; /* of path and content */
} sy_sp_file;

struct symbi_schemapin_folder {
    symbi_ctx *cx;
    sy_sp_file *e;
    size_t n, cap;
    uint64_t bytes;
    symbi_hasher *open;  /* of the entry that is being fed */
    symbi_hasher *plain; /* of the first file's content alone */
    bool lenient, in_entry, done;
    char *hex; /* the root's preimage once done: 64 digits per file */
    uint8_t root[32], first[32];
    symbi_err failed; /* code OK: nothing refused so far */
};
/* Sorts and hashes, once; also fails where something was refused. */
symbi_status sy_sp_folder_finish(symbi_schemapin_folder *f, symbi_err *err);
#endif
