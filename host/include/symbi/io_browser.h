/* symbi/io_browser.h: a browser with its machine (symbi/browser.h): chromium over a pipe, started here and ended with the object or with this
 * process, or one that runs already, over WebSocket on this machine. Linux only. */
#ifndef SYMBI_IO_BROWSER_H
#define SYMBI_IO_BROWSER_H
#include "symbi/browser.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct symbi_chrome symbi_chrome;
typedef struct symbi_chrome_options {
    uint32_t size;
    symbi_str program;  /* "" = chromium along PATH */
    bool no_sandbox;    /* the operator accepts a browser without its own sandbox; needed for root, unless the plan has a box; refused by nobody else */
    symbi_str endpoint; /* connect = "live": the webSocketDebuggerUrl of the whole browser ("ws://127.0.0.1:9222/devtools/browser/...") */
} symbi_chrome_options;
SYMBI_API void symbi_chrome_options_init(symbi_chrome_options *o);
/* For the settings of plan. EUNSUPPORTED: no chromium, or root without no_sandbox; EDENIED: an endpoint that is not on this machine. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_chrome_open(symbi_ctx *cx, const symbi_plan *plan, const symbi_chrome_options *o, symbi_chrome **out, symbi_err *err);
/* Ends what was started, with all its processes and its profile (at most about 1.5 s); leaves alone what ran already. */
SYMBI_API void symbi_chrome_free(symbi_chrome *c);
SYMBI_API symbi_browser *symbi_chrome_machine(symbi_chrome *c); /* borrowed */
SYMBI_API int symbi_chrome_pid(const symbi_chrome *c);          /* 0: not started by us */
/* For a loop: watch fd for these bits (SYMBI_LOOP_*), call step then and when the machine's due is over. */
SYMBI_API int symbi_chrome_fd(const symbi_chrome *c);
SYMBI_API unsigned symbi_chrome_wants(const symbi_chrome *c);
/* Carries what can be carried without waiting. Only out of memory fails: a browser that is gone is the machine's business. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_chrome_step(symbi_chrome *c, symbi_err *err);
SYMBI_API const char *symbi_chrome_profile(const symbi_chrome *c); /* "" for one that ran already */

#ifdef __cplusplus
}
#endif
#endif
