/* toolclad/browser_in.h: what the files of the browser machine share. Each calls only those above it: browser_cdp.c (messages out), browser_end.c (how
 * commands end), browser_tabs.c (who is attached), browser_request.c (the decision on requests), browser_page.c (what a page is asked),
 * browser_settle.c (waiting, and the page's state), browser_login.c (auth flows), browser_do.c (the commands), browser_feed.c (messages in), browser_new.c (its life). Beside them
 * browser_ax.c turns an accessibility tree into text, browser.c and browser_auth.c read manifests, and browser_plan.c makes plans. */
#ifndef SY_TOOLCLAD_BROWSER_IN_H
#define SY_TOOLCLAD_BROWSER_IN_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "codec/build.h"
#include "symbi/browser.h"
#include "symbi/json.h"
#include "toolclad/browser_scope.h"

enum {
    SY_CDP_ID = 64,           /* longest id of a session, target, frame or request that is kept */
    SY_CDP_TARGETS = 128,     /* attached at once; one more ends the browser */
    SY_CDP_TABS = 16,         /* more are closed again */
    SY_CDP_BLOCKED = 16,      /* refused requests that a result tells of; all are counted */
    SY_CDP_FETCHES = 32,      /* open requests to hosts outside */
    SY_CDP_OUT = 24 << 20,    /* bytes waiting to be sent */
    SY_CDP_CONTENT = 1 << 20, /* characters of a page that a result carries */
    SY_CDP_URL = 2048,
    SY_CDP_SECRETS = 3,
    SY_CDP_SECRET = 4096,     /* bytes of one */
    SY_CDP_SETTLE_MS = 120,   /* what a page does a moment later on its own */
    SY_CDP_PICTURE_MS = 10000,
    SY_CDP_STATE_MS = 3000    /* for the page's state; a page that hangs has none */
};

typedef struct sy_cdp_id { char s[SY_CDP_ID + 1]; } sy_cdp_id;

typedef enum sy_target_kind { SY_TARGET_PAGE, SY_TARGET_FRAME, SY_TARGET_WORKER } sy_target_kind;
typedef struct sy_target {
    struct sy_target *next;
    sy_target_kind kind;
    sy_cdp_id session, target; /* of a page: the id of its main frame, too */
    bool ready;                /* requests are held; only then does it run */
    bool paused;               /* it waits for our word to run */
    bool was_somewhere;        /* a page of the scope was there once */
    bool closing;              /* we closed it, and wait for it to go */
    int64_t fetch_id;          /* of Fetch.enable */
    bool asked;                /* the page asked for another page, of which nothing is seen yet */
    bool loading, idle;
    bool begun, awaited;       /* a navigation began; its document is not there yet */
    int64_t changed_at;        /* of asked, of attaching, of closing: whatever came last */
    int64_t stopped_at;        /* when loading ended */
    uint64_t order;            /* of attaching */
    sy_cdp_id loader;          /* of the document that is there */
    char host[SY_SCOPE_HOST + 1]; /* likewise */
} sy_target;

typedef struct sy_fetch {
    struct sy_fetch *next;
    uint64_t id;
    bool given;
    sy_cdp_id session, request;
    sy_arena a; /* what out borrows from */
    symbi_browser_request out;
} sy_fetch;

/* Where a command stands. */
typedef enum sy_step {
    SY_STEP_NONE = 0,
    SY_STEP_UP,      /* for a tab that is ready */
    SY_STEP_NAVIGATE,
    SY_STEP_WORLD,   /* an isolated world for our own functions, then CALL */
    SY_STEP_CALL,
    SY_STEP_MOUSE,
    SY_STEP_INSERT,
    SY_STEP_SETTLE,  /* whatever was set off loads */
    SY_STEP_POLL,    /* wait_for: between two looks */
    SY_STEP_HISTORY, /* go_back: what is there */
    SY_STEP_GO,
    SY_STEP_TREE,
    SY_STEP_SHOT,
    SY_STEP_EVAL,
    SY_STEP_TABS,
    SY_STEP_END_SHOT,    /* every command ends with the page's state, and a picture where evidence wants one */
    SY_STEP_END_HISTORY,
    SY_STEP_END_WORLD,
    SY_STEP_END_STATE,
    SY_STEP_DONE
} sy_step;

typedef enum sy_do {
    SY_DO_NAVIGATE, SY_DO_CLICK, SY_DO_TYPE, SY_DO_SUBMIT, SY_DO_SNAPSHOT, SY_DO_HTML, SY_DO_SCREENSHOT, SY_DO_JS, SY_DO_WAIT, SY_DO_BACK, SY_DO_TABS,
    SY_DO_TIMING, SY_DO_SCROLL, SY_DO_LOGIN, SY_DO_COUNT
} sy_do;
/* The commands of section 14 by name; SY_DO_COUNT when s is none. */
sy_do sy_browser_do(symbi_str s);
extern const char *const sy_browser_commands[SY_DO_COUNT + 1];

/* How far an auth flow is. */
typedef enum sy_login_phase { SY_LOGIN_OPEN, SY_LOGIN_FIELDS, SY_LOGIN_USER, SY_LOGIN_PASSWORD, SY_LOGIN_SUBMIT, SY_LOGIN_CHECK, SY_LOGIN_CODE } sy_login_phase;
typedef struct sy_secret {
    char name[144];
    char *value; /* NULL: none */
    size_t n;
} sy_secret;

typedef struct sy_blocked {
    char url[200], reason[200];
} sy_blocked;

struct symbi_browser {
    symbi_ctx *cx;
    symbi_plan *first;           /* the plan that it was made from: settings and scope borrow from it */
    const symbi_value *settings, *scope;
    bool live;
    int64_t max_interactions, session_ms, idle_ms, startup_ms;
    int64_t born, last_used;
    sy_buf argv;                 /* NUL-separated */
    size_t argc;

    sy_buf out;
    size_t out_at;
    int64_t last_id;

    sy_target *targets;
    size_t ntargets;
    uint64_t orders;
    sy_target *tab;              /* the one that commands act on */
    sy_cdp_id made;              /* live: the tab that we made */
    int64_t made_id, attach_id;  /* requests for a tab, and for all targets */
    size_t popups;               /* windows that our tabs are about to open */
    int64_t popup_at;            /* when the last was announced */
    uint64_t news, news_asked;   /* what happened to tabs; how much of it when the page was last asked whether it is there */
    bool looked;                 /* and that was after everything had become quiet */
    int64_t looked_at;
    bool started;
    const char *ended;           /* why nothing more can be done */
    char ended_text[160];

    sy_fetch *fetches;
    uint64_t last_fetch;

    /* the open command, and the last */
    symbi_plan *plan;
    sy_do what;
    sy_step step;
    int64_t want;                /* the reply that it waits for; 0: none */
    int64_t began, deadline, step_at, poll_until;
    int interactions;
    int64_t world;
    int mouse;
    double x, y;
    sy_arena a;                  /* of the result */
    symbi_value content;
    bool has_content, truncated, timed_out, denied;
    char error[300];
    sy_blocked blocked[SY_CDP_BLOCKED];
    size_t nblocked;
    char url[SY_CDP_URL + 1], title[301], domain[SY_SCOPE_HOST + 1];
    bool has_forms, authenticated, loaded;
    sy_buf picture;
    bool pictured;               /* it was asked for, for the evidence */
    symbi_doc *state;            /* what the gate decides by */
    uint64_t state_tab;          /* the tab that it is of */
    bool replied;

    /* auth flows */
    const symbi_value *login;    /* the open one; of settings */
    sy_login_phase phase;
    bool coded, code_sent;
    bool wipe;                   /* a secret is in out */
    char login_host[SY_SCOPE_HOST + 1]; /* where a login succeeded */
    sy_secret secrets[SY_CDP_SECRETS];  /* for the command that begins or is open */
};

static inline bool sy_flag(const symbi_value *v, const char *key)
{
    const symbi_value *f = symbi_value_getz(v, key);
    return f && f->kind == SYMBI_BOOL && f->u.b;
}
static inline int64_t sy_browser_now(const symbi_browser *b) { return symbi_ctx_mono_ms(b->cx); }

/* browser_cdp.c */
bool sy_cdp_take_id(symbi_str s, sy_cdp_id *out); /* false: empty, too long, or not of the characters that ids have */
bool sy_cdp_is(const sy_cdp_id *id, symbi_str s);
/* Starts a message; params follow as raw JSON text ("{...}"), then sy_cdp_end. t NULL: to the browser itself. Returns its id. */
int64_t sy_cdp_begin(symbi_browser *b, const char *method, const sy_target *t);
void sy_cdp_z(symbi_browser *b, const char *raw);
void sy_cdp_str(symbi_browser *b, symbi_str s); /* quoted and escaped */
void sy_cdp_int(symbi_browser *b, int64_t i);
void sy_cdp_end(symbi_browser *b);
int64_t sy_cdp_simple(symbi_browser *b, const char *method, const sy_target *t, const char *params);
int64_t sy_cdp_text(symbi_browser *b, const char *method, const sy_target *t, const char *head, symbi_str text, const char *tail); /* params: head, text as a string, tail */

/* browser_end.c */
void sy_do_fail(symbi_browser *b, const char *fmt, ...) SYMBI_PRINTF(2, 3);
void sy_do_finish(symbi_browser *b); /* no page to ask any more: over at once */
void sy_browser_end(symbi_browser *b, const char *why);
void sy_blocked_add(symbi_browser *b, symbi_str url, const char *reason);
size_t sy_utf8_cut(symbi_str s, size_t max);      /* length of the longest prefix of whole characters within max bytes */
bool sy_take_picture(symbi_browser *b, const symbi_value *r);
void sy_browser_forget(symbi_browser *b); /* wipes the secrets */
void sy_cut_into(char *dst, size_t cap, symbi_str s);

/* browser_tabs.c */
sy_target *sy_tab_find(const symbi_browser *b, symbi_str session);
size_t sy_browser_pages(const symbi_browser *b); /* tabs of ours, without those that are being closed */
void sy_browser_need_tab(symbi_browser *b);
void sy_tab_attached(symbi_browser *b, const sy_target *parent, const symbi_value *p, symbi_status *st);
void sy_tab_detached(symbi_browser *b, const symbi_value *p);
void sy_tab_held(symbi_browser *b, sy_target *t, bool fine); /* its requests are, or cannot be */
void sy_tab_drop(symbi_browser *b, sy_target *t);            /* closes a tab that may not stay */
void sy_tab_arrived(symbi_browser *b, sy_target *t);         /* a document is there */
void sy_tab_progress(symbi_browser *b, sy_target *t, symbi_str method, const symbi_value *p);

/* browser_request.c */
void sy_request_paused(symbi_browser *b, sy_target *t, const symbi_value *p, symbi_status *st);

/* browser_page.c */
typedef enum sy_fn { SY_FN_POINT, SY_FN_FOCUS, SY_FN_SUBMIT, SY_FN_HTML, SY_FN_TEXT, SY_FN_THERE, SY_FN_NODE, SY_FN_SCROLL, SY_FN_TIMING, SY_FN_STATE, SY_FN_ALL, SY_FN_FILL, SY_FN_LOGGED_IN } sy_fn;
void sy_step_to(symbi_browser *b, sy_step s);
void sy_page_ask(symbi_browser *b, sy_step s, const char *method, const char *params);
void sy_page_world(symbi_browser *b, sy_step s);
/* Calls f(strings ("": null), number or nothing) in the isolated world. */
void sy_page_call(symbi_browser *b, sy_step s, sy_fn f, const symbi_str *text, size_t n, const int64_t *number, bool by_value);
bool sy_page_mouse(symbi_browser *b); /* the next event of a click at b->x, b->y; false: all were sent */

/* browser_settle.c */
void sy_do_settle(symbi_browser *b);
bool sy_do_settled(symbi_browser *b, int64_t now); /* else it was seen to that it will be */
void sy_do_end_page(symbi_browser *b);
int64_t sy_do_reserve(const symbi_browser *b); /* what is left of a command's time for its end */
const symbi_value *sy_history_entry(const symbi_value *history, int64_t offset, int64_t *index);
void sy_do_history_came(symbi_browser *b, const symbi_value *r);
void sy_do_state_came(symbi_browser *b, const symbi_value *r);

/* browser_login.c */
bool sy_login_begin(symbi_browser *b); /* false: it cannot, and is over */
void sy_login_settled(symbi_browser *b);
void sy_login_world(symbi_browser *b);
bool sy_login_called(symbi_browser *b, const symbi_value *v); /* true: v says where to click */
bool sy_login_waits(const symbi_browser *b);                  /* for a page: a call that failed is no failure */
bool sy_login_went_on(const symbi_browser *b);                /* likewise: the page goes on by itself */
void sy_login_late(symbi_browser *b);

/* browser_do.c: the reply to b->want came (result NULL: error says why), or time passed (both NULL) */
void sy_do_advance(symbi_browser *b, const symbi_value *result, const char *error);

/* browser.c: settings, and what commands take */
typedef struct sy_browser_def {
    symbi_value settings; /* without the manifest's digest */
    bool playwright;
} sy_browser_def;
const char *sy_browser_needs(sy_do what);                                /* the argument without which it does nothing, or NULL */
bool sy_browser_tells(const symbi_value *settings, const char *field);   /* of the page's state */

/* browser_ax.c */
symbi_str sy_ax_text(symbi_ctx *cx, sy_arena *a, const symbi_value *nodes, size_t max, bool *cut);
#endif
