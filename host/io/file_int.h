/* io/file_int.h: what the files about files share. */
#ifndef SY_IO_FILE_INT_H
#define SY_IO_FILE_INT_H
#include "symbi/io.h"

enum { SY_NO_FILE = -1 }; /* in place of an errno: neither a file nor a folder */
/* "cannot <what> <path>: <reason of errno e>", with the status that fits e. */
symbi_status sy_file_fail(symbi_err *err, int e, const char *what, const char *path);
int sy_file_write_all(int fd, symbi_str s);        /* 0 or errno */
int sy_file_sync_folder_of(const char *path);      /* 0 or errno */
#endif
