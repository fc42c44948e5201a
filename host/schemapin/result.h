/* schemapin/result.h: how the checks of this folder make a result: they fill a draft, which is copied into one immutable block. */
#ifndef SY_SCHEMAPIN_RESULT_H
#define SY_SCHEMAPIN_RESULT_H
#include "base/ctx.h"
#include "symbi/schemapin.h"

/* Zero-initialise (a zero draft is an invalid result). The strings of info are borrowed until the result is made; message and
 * detail come from these buffers. */
typedef struct sy_sp_draft {
    symbi_schemapin_info info;
    char message[512], detail[400];
    symbi_str warning[SYMBI_SCHEMAPIN_MAX_WARNINGS];
    char warning_text[160]; /* room for the one warning that is made up */
} sy_sp_draft;

/* The check failed: code with SchemaPin's words. Leaves valid false whatever was there. Returns false. */
bool sy_sp_refuse(sy_sp_draft *d, symbi_schemapin_code code, const char *fmt, ...) SYMBI_PRINTF(3, 4);
void sy_sp_detail(sy_sp_draft *d, const char *fmt, ...) SYMBI_PRINTF(2, 3);
void sy_sp_warn(sy_sp_draft *d, symbi_str text); /* borrowed; beyond the limit it is dropped */
/* Settles status from code and pinning, copies everything. */
symbi_status sy_sp_result_make(symbi_ctx *cx, sy_sp_draft *d, symbi_schemapin_result **out, symbi_err *err);
#endif
