/* io/evidence.h: where a tool's output is kept when its manifest asks for it ([tool.evidence] capture). */
#ifndef SY_IO_EVIDENCE_H
#define SY_IO_EVIDENCE_H
#include "symbi/io.h"

/* Makes the folder of that file, fresh and for this user alone, before the tool runs. Fails when it exists, or when its
 * parent is in somebody else's hands: a tool whose evidence cannot be kept is not run. */
symbi_status sy_evidence_prepare(symbi_str path, symbi_err *err);
/* Writes what was kept of stdout, mode 0600, unless the tool wrote that file itself. False: it could not (errno). */
bool sy_evidence_write(const char *path, symbi_str data);
#endif
