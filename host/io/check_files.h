/* io/check_files.h: the files that a plan names (type credential_file), looked at before its order is acted on. */
#ifndef SY_IO_CHECK_FILES_H
#define SY_IO_CHECK_FILES_H
#include "symbi/toolclad.h"

/* Each of plan->check_files must be a regular file whose real path lies inside the real path of plan->cwd. EDENIED, or ENOTFOUND. */
symbi_status sy_check_files(const symbi_plan *plan, symbi_err *err);
#endif
