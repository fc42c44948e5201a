/* symbi/io_evidence.h: where the output of a tool is kept, for executors that run no process ([tool.evidence] capture; the spawner does it by itself). */
#ifndef SYMBI_IO_EVIDENCE_H
#define SYMBI_IO_EVIDENCE_H
#include "symbi/ctx.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Makes the folder of that file, mode 0700, fresh and for this user alone, before the tool runs: a tool whose evidence cannot be kept is not run.
 * EIO when it exists already, or lies in somebody else's folder. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_evidence_prepare(symbi_ctx *cx, symbi_str path, symbi_err *err);
/* Writes the file, mode 0600; it may not exist yet. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_evidence_write(symbi_ctx *cx, symbi_str path, symbi_str data, symbi_err *err);

#ifdef __cplusplus
}
#endif
#endif
