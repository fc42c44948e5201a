/* io/browser_int.h: what browser.c and browser_live.c share. */
#ifndef SY_IO_BROWSER_INT_H
#define SY_IO_BROWSER_INT_H
#include "base/buf.h"
#include "base/ctx.h"
#include "symbi/io_browser.h"
#include "symbi/io_pipe.h"
#include "symbi/websocket.h"

typedef struct sy_live sy_live; /* a WebSocket to a browser on this machine */
symbi_status sy_live_open(symbi_ctx *cx, symbi_str url, sy_live **out, symbi_err *err);
void sy_live_free(sy_live *l);
int sy_live_fd(const sy_live *l);
unsigned sy_live_wants(const sy_live *l, bool more);
/* EIO and the like: the connection is over, err says why. */
symbi_status sy_live_step(sy_live *l, symbi_browser *b, symbi_err *err);
/* Writes what is still to be said, as far as it goes within a moment. */
void sy_live_flush(sy_live *l, symbi_browser *b);
#endif
