/* symbi/io_watch.h: folders whose changes are noticed (inotify). It says that something changed, never what: whoever asked looks at the folder
 * again, as a whole. */
#ifndef SYMBI_IO_WATCH_H
#define SYMBI_IO_WATCH_H
#include "symbi/ctx.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { SYMBI_WATCH_FOLDERS = 16 }; /* a watch has at most so many */

/* One thread at a time. Files in the folders count, not those in folders below. A folder that is missing, or goes away and comes back (also
 * as another folder, or as another target of a symbolic link), is noticed through the folder it stands in. Where that is gone too, where
 * the kernel lost events, and in a forked child, a change is reported to be on the safe side. */
typedef struct symbi_watch symbi_watch;
/* quiet_ms (0 = 50): a change is told when nothing happened for so long, so that an editor can finish; most_ms (0 = 500): and at
 * the latest so long after its beginning. EUNSUPPORTED where the system has no inotify or gives no more of it. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_watch_new(symbi_ctx *cx, int64_t quiet_ms, int64_t most_ms, symbi_watch **out, symbi_err *err);
/* path as given is looked up again when needed: keep the working folder, or give an absolute one. It may not exist yet. ELIMIT beyond
 * SYMBI_WATCH_FOLDERS. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_watch_add(symbi_watch *w, const char *path, symbi_err *err);
/* Waits up to timeout_ms (0: only looks; -1: as long as it takes) for a change to be told. *changed false: the time passed, or a signal
 * came. What happens from then on is the next change. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_watch_poll(symbi_watch *w, int64_t timeout_ms, bool *changed, symbi_err *err);
/* For a loop: readable when something happened; poll it then with 0. due: milliseconds until a change that was noticed will be told, -1: none. */
SYMBI_API int symbi_watch_fd(const symbi_watch *w);
SYMBI_API int64_t symbi_watch_due(const symbi_watch *w);
SYMBI_API symbi_watch *symbi_watch_ref(symbi_watch *w); /* one more owner, same thread */
SYMBI_API void symbi_watch_free(symbi_watch *w);        /* gives up one ownership; NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
