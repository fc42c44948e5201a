/* io/exec_path.h: execve of a name along PATH, for children that were cloned from a threaded parent: system calls and pure code only. */
#ifndef SY_IO_EXEC_PATH_H
#define SY_IO_EXEC_PATH_H
/* Returns only where it failed: the errno. PATH is that of envp. */
int sy_exec_path(char *const argv[], char *const envp[]);
#endif
