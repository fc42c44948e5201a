/* symbi/browser.h: a browser under control (ToolClad backend browser). Pure: the machine here speaks the Chrome DevTools Protocol as texts
 * that go in and out, one JSON message at a time, and decides everything: where the browser may go (every request of every tab, frame and
 * worker is paused until it is judged here), which command is open, what its result is. Whoever owns a browser (symbi/io_browser.h)
 * carries the texts. The browser is not believed: messages may be anything. */
#ifndef SYMBI_BROWSER_H
#define SYMBI_BROWSER_H
#include "symbi/toolclad.h"
#ifdef __cplusplus
extern "C" {
#endif

/* ---- scope ------------------------------------------------------------------------------------------------------------ */
typedef enum symbi_browser_where {
    SYMBI_BROWSER_NOWHERE = 0, /* not at all */
    SYMBI_BROWSER_INSIDE,      /* a host that the scope names: the browser connects by itself, whatever its address is */
    SYMBI_BROWSER_OUTSIDE      /* allow_external: only through the network guard */
} symbi_browser_where;
/* scope: {allowed_domains=[], blocked_domains=[], allow_external=false, resource_domains=[]}, NULL for none (then nothing is allowed).
 * resource: not a page or frame but something that one loads; resource_domains then count too. EDENIED with the reason. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_browser_check_url(const symbi_value *scope, symbi_str url, bool resource, symbi_browser_where *where, symbi_err *err);
/* The same, and for OUTSIDE the strict network guard: addresses, names and ports that an agent must not reach. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_browser_judge_url(const symbi_value *scope, symbi_str url, bool resource, symbi_browser_where *where, symbi_err *err);

/* ---- the machine ------------------------------------------------------------------------------------------------------ */
typedef struct symbi_browser symbi_browser;

/* From the first plan of a browser tool: scope, limits and way of connecting are its. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_browser_new(symbi_ctx *cx, const symbi_plan *p, symbi_browser **out, symbi_err *err);
SYMBI_API void symbi_browser_free(symbi_browser *b);

/* For a plan that names secrets: the value of one, before begin. Wiped when the command is over. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_browser_secret(symbi_browser *b, symbi_str name, symbi_str value, symbi_err *err);
/* Begins the command of a plan. ESTATE: one is open, or the browser has ended; EDENIED: a plan of other settings than the machine's;
 * ELIMIT: max_interactions, session or idle time are used up (the browser has ended then). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_browser_begin(symbi_browser *b, const symbi_plan *p, symbi_err *err);
/* One message of the browser, without its terminator. cut: it was too long, and this is only its beginning. Anything but out of memory is
 * dealt with: what cannot be read answers nothing, and a browser that lies ends (symbi_browser_ended). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_browser_feed(symbi_browser *b, symbi_str message, bool cut, symbi_err *err);
/* To a browser that runs on without us: closes the tabs that were ours (nobody holds their requests any more). Then send what is out. */
SYMBI_API void symbi_browser_goodbye(symbi_browser *b);
/* The browser is gone. */
SYMBI_API void symbi_browser_lost(symbi_browser *b, const char *why);
/* Time passes: call it at least when due is over. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_browser_tick(symbi_browser *b, symbi_err *err);
SYMBI_API int64_t symbi_browser_due(const symbi_browser *b); /* ms from now; -1: nothing to wait for */
/* The next message to send, borrowed until sent says it is on its way; "" when there is none. */
SYMBI_API symbi_str symbi_browser_out(const symbi_browser *b);
SYMBI_API void symbi_browser_sent(symbi_browser *b);
/* The command that was begun is over: reply gives what symbi_tool_envelope_of takes, once. */
SYMBI_API bool symbi_browser_done(const symbi_browser *b);
SYMBI_API SYMBI_MUST_USE symbi_status symbi_browser_reply(symbi_browser *b, symbi_doc **out, symbi_err *err);
/* The picture that the command took (PNG), borrowed until the next begin; "" when there is none. */
SYMBI_API symbi_str symbi_browser_picture(const symbi_browser *b);
/* True when nothing more can be done with this browser (end it). why may be NULL. */
SYMBI_API bool symbi_browser_ended(const symbi_browser *b, const char **why);
/* {url, title, domain, has_forms, is_authenticated, page_loaded, tab_count}, or those of [browser.state] fields, as of the last command, for the next decision of the gate;
 * borrowed until the next call. NULL before the first. */
SYMBI_API const symbi_value *symbi_browser_state(const symbi_browser *b);

/* A request to a host outside (allow_external) that the browser makes through us: to be performed with exactly the strict guard and no
 * redirect followed, and answered with fetched. borrowed until then. false: none. */
typedef struct symbi_browser_request {
    uint64_t id;
    symbi_str method, url, body;
    const struct symbi_browser_header { symbi_str name, value; } *headers;
    size_t nheaders;
} symbi_browser_request;
SYMBI_API bool symbi_browser_wanted(symbi_browser *b, symbi_browser_request *out);
/* status 0: it failed. Headers and body are passed to the page. An unknown id is fine (the page has gone on). */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_browser_fetched(symbi_browser *b, uint64_t id, int status, const struct symbi_browser_header *h, size_t n, symbi_str body, symbi_err *err);

/* What chromium is started with (launch): its arguments after the program, each NUL-terminated, borrowed from b. */
SYMBI_API const char *symbi_browser_argument(const symbi_browser *b, size_t i); /* NULL past the end */
SYMBI_API bool symbi_browser_live(const symbi_browser *b); /* connect = "live" */
SYMBI_API int64_t symbi_browser_startup_ms(const symbi_browser *b);

#ifdef __cplusplus
}
#endif
#endif
