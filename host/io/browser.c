/* io/browser.c: chromium as a child (io/pipe.c) that talks over descriptors 3 and 4: no port is open, so nobody else on this machine can speak
 * to it. It gets a profile of its own, mode 0700, and an environment of its own; both go when it goes. */
#define _GNU_SOURCE
#include "io/browser_int.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "io/pipe_int.h"
#include "symbi/io.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LAST_WORDS_MS = 3000 /* a slow machine tells late that a process ended */, MAX_ARGS = 128, PER_STEP = 8 << 20, PREFIX = 256 };

struct symbi_chrome {
    symbi_ctx *cx;
    symbi_browser *b;
    symbi_pipe *pipe;
    sy_live *live;
    sy_buf frame;
    bool cut; /* the message is too long: its beginning stands in frame, the rest goes by */
    bool gone;
    char profile[256];
};

void symbi_chrome_options_init(symbi_chrome_options *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
}

/* Where chromium is, or false. */
static bool find_program(char *out, size_t cap)
{
    static const char *const names[] = { "chromium", "chromium-browser", "google-chrome-stable", "google-chrome" };
    const char *path = getenv("PATH");
    if (!path || !*path) path = "/usr/local/bin:/usr/bin:/bin";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (const char *p = path; *p;) {
            size_t n = strcspn(p, ":");
            if (*p == '/' && n + strlen(names[i]) + 2 < cap) {
                snprintf(out, cap, "%.*s/%s", (int)n, p, names[i]);
                if (access(out, X_OK) == 0) return true;
            }
            p += n + (p[n] == ':');
        }
    return false;
}

static symbi_status make_profile(symbi_chrome *c, symbi_err *err)
{
    const char *tmp = getenv("TMPDIR");
    if (!tmp || *tmp != '/' || strlen(tmp) > 60) tmp = "/tmp"; /* chromium puts sockets there: their paths are short */
    snprintf(c->profile, sizeof c->profile, "%s/symbi-browser-XXXXXX", tmp);
    if (mkdtemp(c->profile)) {
        char real[PATH_MAX];
        if (realpath(c->profile, real) && strlen(real) < sizeof c->profile) strcpy(c->profile, real); /* a box knows no links of /tmp */
        return SYMBI_OK;
    }
    c->profile[0] = 0;
    return sy_fail(err, SYMBI_EIO, "cannot make a folder for the browser's profile in %s: %s", tmp, strerror(errno));
}

static symbi_status launch(symbi_chrome *c, const symbi_plan *plan, const symbi_chrome_options *o, symbi_err *err)
{
    static const char *const passed[] = { "PATH", "LANG", "LC_ALL", "TZ", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "FONTCONFIG_PATH" };
    const symbi_value *life = symbi_value_getz(symbi_value_getz(plan->detail, "settings"), "session_timeout_ms");
    symbi_str argv[MAX_ARGS], env[16];
    char program[512], dir[300], vars[16][600];
    symbi_pipe_options po;
    size_t n = 0, k = 0;
    symbi_status st;
    if (o->program.n) {
        if (o->program.n >= sizeof program || memchr(o->program.p, 0, o->program.n)) return sy_fail(err, SYMBI_EINVAL, "the browser's program has no such name");
        memcpy(program, o->program.p, o->program.n);
        program[o->program.n] = 0;
    } else if (!find_program(program, sizeof program)) {
        return sy_fail(err, SYMBI_EUNSUPPORTED, "no chromium is installed: on Debian, apt-get install chromium");
    }
    if (geteuid() == 0 && !o->no_sandbox && !plan->box) /* in a box it is another user */
        return sy_fail(err, SYMBI_EUNSUPPORTED, "chromium has no sandbox when root runs it: use another user, or accept that with browser = {no_sandbox = true} or SYMBI_BROWSER_NO_SANDBOX=1");
    if ((st = make_profile(c, err))) return st;
    argv[n++] = symbi_str_z(program);
    if (o->no_sandbox) argv[n++] = SY_LIT("--no-sandbox");
    snprintf(dir, sizeof dir, "--user-data-dir=%s", c->profile);
    argv[n++] = symbi_str_z(dir);
    for (size_t i = 0; n < MAX_ARGS && symbi_browser_argument(c->b, i); i++) argv[n++] = symbi_str_z(symbi_browser_argument(c->b, i));
    snprintf(vars[k], sizeof vars[k], "HOME=%s", c->profile), k++;
    snprintf(vars[k], sizeof vars[k], "TMPDIR=%s", c->profile), k++;
    snprintf(vars[k], sizeof vars[k], "XDG_CONFIG_HOME=%s", c->profile), k++;
    snprintf(vars[k], sizeof vars[k], "XDG_CACHE_HOME=%s", c->profile), k++;
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        const char *v = getenv(passed[i]);
        if (v && strlen(v) < 500) snprintf(vars[k], sizeof vars[k], "%s=%s", passed[i], v), k++;
    }
    for (size_t i = 0; i < k; i++) env[i] = symbi_str_z(vars[i]);
    symbi_pipe_options_init(&po);
    po.argv = argv;
    po.argc = n;
    po.env = env;
    po.nenv = k;
    po.cwd = symbi_str_z(c->profile);
    po.max_out = 48u << 20;
    po.nofile = 8192;
    po.on_3_4 = true;
    po.trash = symbi_str_z(c->profile);
    po.box = plan;
    po.box_own = symbi_str_z(c->profile);
    po.box_userns = !o->no_sandbox; /* for its own sandbox, which stays */
    po.life_ms = life && life->kind == SYMBI_INT ? life->u.i + 5000 : 605000;
    st = symbi_pipe_open(c->cx, &po, &c->pipe, err);
    if (st) sy_pipe_trash(c->profile);
    return st;
}

symbi_status symbi_chrome_open(symbi_ctx *cx, const symbi_plan *plan, const symbi_chrome_options *given, symbi_chrome **out, symbi_err *err)
{
    symbi_chrome_options o;
    symbi_chrome *c;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    symbi_chrome_options_init(&o);
    if (given) memcpy(&o, given, given->size < sizeof o ? given->size : sizeof o);
    c = sy_calloc(&cx->alloc, 1, sizeof *c);
    if (!c) return sy_fail_nomem(err);
    c->cx = cx;
    sy_buf_init(&c->frame, cx->alloc, cx->limits.doc_bytes);
    st = symbi_browser_new(cx, plan, &c->b, err);
    if (!st) st = symbi_browser_live(c->b) ? sy_live_open(cx, o.endpoint, &c->live, err) : launch(c, plan, &o, err);
    if (st) symbi_chrome_free(c);
    else *out = c;
    return st;
}

void symbi_chrome_free(symbi_chrome *c)
{
    if (!c) return;
    if (c->live && !c->gone) {
        symbi_browser_goodbye(c->b);
        sy_live_flush(c->live, c->b);
    }
    symbi_pipe_free(c->pipe);
    if (c->pipe && c->profile[0]) sy_pipe_trash(c->profile); /* gone already, unless its supervisor was not let to */
    sy_live_free(c->live);
    symbi_browser_free(c->b);
    sy_buf_free(&c->frame);
    sy_free(&c->cx->alloc, c, sizeof *c);
}

symbi_browser *symbi_chrome_machine(symbi_chrome *c) { return c->b; }
int symbi_chrome_pid(const symbi_chrome *c) { return c->pipe ? symbi_pipe_pid(c->pipe) : 0; }
const char *symbi_chrome_profile(const symbi_chrome *c) { return c->profile; }
int symbi_chrome_fd(const symbi_chrome *c) { return c->pipe ? symbi_pipe_fd(c->pipe) : sy_live_fd(c->live); }

unsigned symbi_chrome_wants(const symbi_chrome *c)
{
    if (c->gone) return 0;
    return c->pipe ? symbi_pipe_wants(c->pipe) : sy_live_wants(c->live, symbi_browser_out(c->b).n > 0);
}

/* What chromium said last, for the message that it is gone. */
static void lost(symbi_chrome *c)
{
    symbi_pipe_end e;
    char text[400] = "the browser closed its pipe";
    if (symbi_pipe_ended(c->pipe, LAST_WORDS_MS, &e)) {
        symbi_str last = e.errors;
        while (last.n && (last.p[last.n - 1] == '\n' || last.p[last.n - 1] == '\r')) last.n--;
        for (size_t i = last.n; i--;)
            if (last.p[i] == '\n') {
                last.p += i + 1, last.n -= i + 1;
                break;
            }
        if (e.not_run.n) snprintf(text, sizeof text, "%.*s", SY_FMT(e.not_run));
        else if (e.signal) snprintf(text, sizeof text, "the browser was killed (signal %d)", e.signal);
        else snprintf(text, sizeof text, "the browser ended (exit code %d): %.*s", e.exit_code, (int)(last.n > 200 ? 200 : last.n), last.n ? last.p : "");
    }
    c->gone = true;
    symbi_browser_lost(c->b, text);
}

static symbi_status send_all(symbi_chrome *c, symbi_err *err)
{
    symbi_str m;
    while ((m = symbi_browser_out(c->b)).n) { /* with its terminating NUL, which the pipe wants too */
        symbi_status st = symbi_pipe_write(c->pipe, (symbi_str){ m.p, m.n + 1 }, err);
        if (st == SYMBI_ENOMEM) return st;
        if (st) {
            lost(c);
            return SYMBI_OK;
        }
        symbi_browser_sent(c->b);
    }
    return SYMBI_OK;
}

/* Takes the messages apart. */
static symbi_status take(symbi_chrome *c, symbi_str in, symbi_err *err)
{
    while (in.n) {
        const char *nul = memchr(in.p, 0, in.n);
        size_t n = nul ? (size_t)(nul - in.p) : in.n;
        symbi_status st;
        if (!c->cut && n > c->frame.max - c->frame.n) {
            c->cut = true;
            if (c->frame.n < PREFIX) sy_buf_add(&c->frame, in.p, PREFIX - c->frame.n < n ? PREFIX - c->frame.n : n);
            if (c->frame.n > PREFIX) c->frame.n = PREFIX;
        }
        if (!c->cut && n) sy_buf_add(&c->frame, in.p, n);
        if (sy_buf_status(&c->frame) == SYMBI_ENOMEM) return sy_fail_nomem(err);
        in.p += n, in.n -= n;
        if (!nul) break;
        in.p++, in.n--;
        st = c->frame.n ? symbi_browser_feed(c->b, sy_buf_str(&c->frame), c->cut, err) : SYMBI_OK;
        if (c->frame.cap > (1u << 20)) sy_buf_free(&c->frame); /* what was large once is not kept */
        sy_buf_clear(&c->frame);
        c->cut = false;
        if (st) return st;
    }
    return SYMBI_OK;
}

symbi_status symbi_chrome_step(symbi_chrome *c, symbi_err *err)
{
    size_t total = 0;
    symbi_status st;
    symbi_err_clear(err);
    if (c->gone) return SYMBI_OK;
    if (c->live) {
        st = sy_live_step(c->live, c->b, err);
        if (st == SYMBI_ENOMEM) return st;
        if (st) {
            c->gone = true;
            symbi_browser_lost(c->b, err->msg);
            return SYMBI_OK;
        }
        return symbi_browser_tick(c->b, err);
    }
    if ((st = send_all(c, err))) return st;
    while (!c->gone && total < PER_STEP) {
        symbi_str in;
        st = symbi_pipe_read(c->pipe, &in, err);
        if (st == SYMBI_EAGAIN) break;
        if (st) {
            lost(c);
            return SYMBI_OK;
        }
        total += in.n;
        if ((st = take(c, in, err)) || (st = send_all(c, err))) return st;
    }
    if ((st = symbi_browser_tick(c->b, err))) return st;
    return c->gone ? SYMBI_OK : send_all(c, err);
}
