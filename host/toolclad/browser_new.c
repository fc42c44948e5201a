/* toolclad/browser_new.c: the browser machine's life: made from a plan, one command after the other within its limits, and what chromium is
 * started with. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "symbi/crypto.h"
#include "toolclad/browser_in.h"
#include "toolclad/sandbox.h"

static int64_t setting(const symbi_value *s, const char *key, int64_t dflt)
{
    const symbi_value *v = symbi_value_getz(s, key);
    return v && v->kind == SYMBI_INT && v->u.i > 0 ? v->u.i : dflt;
}

static void argument(symbi_browser *b, const char *z)
{
    sy_buf_add(&b->argv, z, strlen(z) + 1);
    b->argc++;
}

/* Nothing that calls home, nothing that reaches around the scope: names and addresses outside it do not resolve, there is no proxy, no QUIC and
 * no WebRTC over UDP. */
static void make_arguments(symbi_browser *b)
{
    static const char *const plain[] = { "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-default-apps", "--disable-extensions", "--disable-domain-reliability", "--disable-client-side-phishing-detection", "--metrics-recording-only",
        "--no-pings", "--disable-breakpad", "--disable-crash-reporter", "--password-store=basic", "--disable-quic", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--deny-permission-prompts",
        "--disable-dev-shm-usage", "--mute-audio", "--disable-gpu", "--disable-session-crashed-bubble", "--hide-crash-restore-bubble", "--window-size=1280,900",
        "--disable-features=Translate,MediaRouter,DialMediaRouteProvider,OptimizationHints,AutofillServerCommunication,InterestFeedContentSuggestions,Prerender2,SpeculationRulesPrefetchFuture,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,PrivacySandboxSettings4" };
    const symbi_value *head = symbi_value_getz(b->settings, "headless");
    sy_buf rules, pac;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) argument(b, plain[i]);
    if (!head || head->kind != SYMBI_BOOL || head->u.b) argument(b, "--headless=new");
    sy_buf_init(&rules, b->cx->alloc, 256 << 10);
    sy_buf_init(&pac, b->cx->alloc, 256 << 10);
    sy_buf_addz(&rules, "--host-resolver-rules=");
    sy_scope_network(b->scope, &rules, &pac);
    if (sy_buf_status(&rules) || sy_buf_status(&pac)) {
        sy_buf_free(&b->argv);
        b->argv.status = SYMBI_ENOMEM;
    } else {
        argument(b, rules.p);
        if (pac.n) {
            sy_buf_addz(&b->argv, "--proxy-pac-url=data:application/x-ns-proxy-autoconfig;base64,");
            sy_base64_add(&b->argv, pac.p, pac.n, SY_BASE64);
            argument(b, "");
        } else {
            argument(b, "--no-proxy-server");
        }
        argument(b, "about:blank");
    }
    sy_buf_free(&rules);
    sy_buf_free(&pac);
}

const char *symbi_browser_argument(const symbi_browser *b, size_t i)
{
    const char *p = b->argv.p;
    if (i >= b->argc) return NULL;
    while (i--) p += strlen(p) + 1;
    return p;
}

symbi_status symbi_browser_new(symbi_ctx *cx, const symbi_plan *p, symbi_browser **out, symbi_err *err)
{
    const symbi_value *settings = symbi_value_getz(p->detail, "settings");
    symbi_browser *b;
    *out = NULL;
    symbi_err_clear(err);
    if (p->kind != SYMBI_BACKEND_BROWSER || !settings || settings->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_EINVAL, "not a plan of backend browser");
    b = sy_calloc(&cx->alloc, 1, sizeof *b);
    if (!b) return sy_fail_nomem(err);
    b->cx = cx;
    b->first = symbi_plan_ref((symbi_plan *)(uintptr_t)p);
    b->settings = settings;
    b->scope = symbi_value_getz(settings, "scope");
    b->live = sy_str_eqz(symbi_value_str(settings, "connect", SY_LIT("launch")), "live");
    b->max_interactions = setting(settings, "max_interactions", 200);
    b->session_ms = setting(settings, "session_timeout_ms", 600000);
    b->idle_ms = setting(settings, "idle_timeout_ms", 120000);
    b->startup_ms = setting(settings, "startup_timeout_ms", 10000);
    b->born = b->last_used = symbi_ctx_mono_ms(cx);
    sy_buf_init(&b->argv, cx->alloc, 1 << 20);
    sy_buf_init(&b->out, cx->alloc, SY_CDP_OUT);
    sy_buf_init(&b->picture, cx->alloc, 32 << 20);
    sy_arena_init(&b->a, cx->alloc, 64 << 20);
    if (!b->live) make_arguments(b);
    if (sy_buf_status(&b->argv)) {
        symbi_browser_free(b);
        return sy_fail_nomem(err);
    }
    *out = b;
    return SYMBI_OK;
}

void symbi_browser_free(symbi_browser *b)
{
    if (!b) return;
    while (b->targets) {
        sy_target *t = b->targets;
        b->targets = t->next;
        sy_free(&b->cx->alloc, t, sizeof *t);
    }
    while (b->fetches) {
        sy_fetch *f = b->fetches;
        b->fetches = f->next;
        sy_arena_free(&f->a);
        sy_free(&b->cx->alloc, f, sizeof *f);
    }
    sy_buf_free(&b->argv);
    sy_buf_free(&b->out);
    sy_buf_free(&b->picture);
    sy_browser_forget(b);
    sy_arena_free(&b->a);
    symbi_doc_unref(b->state);
    symbi_plan_unref(b->plan);
    symbi_plan_unref(b->first);
    sy_free(&b->cx->alloc, b, sizeof *b);
}

static void fresh(symbi_browser *b)
{
    sy_arena_reset(&b->a);
    b->a.status = SYMBI_OK;
    sy_buf_clear(&b->picture);
    b->content = sy_val_null();
    b->has_content = b->pictured = b->truncated = b->timed_out = b->denied = b->replied = false;
    b->error[0] = b->url[0] = b->title[0] = b->domain[0] = 0;
    b->has_forms = b->authenticated = b->loaded = false;
    b->nblocked = 0;
    b->want = 0;
    b->mouse = 0;
    b->popups = 0;
}

symbi_status symbi_browser_secret(symbi_browser *b, symbi_str name, symbi_str value, symbi_err *err)
{
    sy_secret *s = NULL;
    symbi_err_clear(err);
    if (b->plan && !b->replied) return sy_fail(err, SYMBI_ESTATE, "a command of this browser is open");
    for (size_t i = SY_CDP_SECRETS; i--;)
        if (!b->secrets[i].value || sy_str_eqz(name, b->secrets[i].name)) s = &b->secrets[i];
    if (!s || !name.n || name.n >= sizeof s->name || memchr(name.p, 0, name.n)) return sy_fail(err, SYMBI_EINVAL, "no auth flow has such a secret");
    if (!value.n || value.n > SY_CDP_SECRET) return sy_fail(err, SYMBI_ELIMIT, "secret '%.*s': 1 to %d bytes", SY_FMT(name), SY_CDP_SECRET);
    if (s->value) {
        symbi_wipe(s->value, s->n);
        sy_free(&b->cx->alloc, s->value, s->n);
    }
    s->value = sy_alloc(&b->cx->alloc, value.n);
    if (!s->value) return sy_fail_nomem(err);
    memcpy(s->value, value.p, value.n);
    memcpy(s->name, name.p, name.n);
    s->name[name.n] = 0;
    s->n = value.n;
    return SYMBI_OK;
}

symbi_status symbi_browser_begin(symbi_browser *b, const symbi_plan *p, symbi_err *err)
{
    int64_t now = symbi_ctx_mono_ms(b->cx);
    const symbi_value *settings = symbi_value_getz(p->detail, "settings");
    sy_do what = sy_browser_do(symbi_value_str(p->detail, "command", SY_LIT("")));
    symbi_err_clear(err);
    if (b->ended) return sy_fail(err, SYMBI_ESTATE, "the browser has ended: %s", b->ended);
    if (b->plan && !b->replied) return sy_fail(err, SYMBI_ESTATE, "a command of this browser is open");
    if (p->kind != SYMBI_BACKEND_BROWSER || what == SY_DO_COUNT) return sy_fail(err, SYMBI_EINVAL, "not a plan of backend browser");
    if (!settings || !symbi_value_equal(settings, b->settings)) return sy_fail(err, SYMBI_EDENIED, "the manifest's settings are not those that this browser was started with");
    if (!sy_sandbox_same(p, b->first)) return sy_fail(err, SYMBI_EDENIED, "the browser was started in another sandbox than the plan asks for");
    if (b->interactions >= b->max_interactions) {
        sy_browser_end(b, "max_interactions is used up");
        return sy_fail(err, SYMBI_ELIMIT, "Session '%.*s' exceeded max interactions (%lld)", SY_FMT(p->tool), (long long)b->max_interactions);
    }
    if (now - b->born > b->session_ms || (b->interactions && now - b->last_used > b->idle_ms)) {
        bool idle = now - b->born <= b->session_ms;
        sy_browser_end(b, idle ? "it was idle for too long" : "its session was over");
        return sy_fail(err, SYMBI_ELIMIT, "the browser session is over: %s timeout (%lld s)", idle ? "idle" : "session", (long long)((idle ? b->idle_ms : b->session_ms) / 1000));
    }
    fresh(b);
    symbi_plan_unref(b->plan);
    b->plan = symbi_plan_ref((symbi_plan *)(uintptr_t)p);
    b->what = what;
    b->interactions++;
    b->began = b->step_at = b->last_used = now;
    b->deadline = now + (p->timeout_ms > 0 ? p->timeout_ms : 60000);
    if (b->deadline > b->born + b->session_ms) b->deadline = b->born + b->session_ms;
    b->step = SY_STEP_UP;
    if (!b->started) {
        b->started = true;
        if (b->live) {
            sy_browser_need_tab(b);
        } else {
            sy_cdp_simple(b, "Browser.setDownloadBehavior", NULL, "{\"behavior\":\"deny\"}");
            b->attach_id = sy_cdp_simple(b, "Target.setAutoAttach", NULL, "{\"autoAttach\":true,\"waitForDebuggerOnStart\":true,\"flatten\":true,"
                                                                          "\"filter\":[{\"type\":\"browser\",\"exclude\":true},{\"type\":\"tab\",\"exclude\":true},{\"type\":\"browser_ui\",\"exclude\":true},{}]}");
        }
    } else {
        sy_browser_need_tab(b);
    }
    sy_do_advance(b, NULL, NULL);
    return sy_buf_status(&b->out) == SYMBI_ENOMEM ? sy_fail_nomem(err) : SYMBI_OK;
}

bool symbi_browser_live(const symbi_browser *b) { return b->live; }
int64_t symbi_browser_startup_ms(const symbi_browser *b) { return b->startup_ms; }
