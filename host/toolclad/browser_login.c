/* toolclad/browser_login.c: the command login: an auth flow of the manifest, carried out without the model. Credentials go only into a document of
 * login_url's own scheme, host and port: our functions run in the world of one document, which is asked first where it is from, and what they are given
 * goes nowhere else if the page goes on meanwhile. */
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"
#include "toolclad/browser_auth.h"
#include "toolclad/browser_in.h"
#include "toolclad/totp.h"

enum { FIND_MS = 15000 }; /* for the fields to appear, and for what shows that it went well */

static symbi_str field(const symbi_browser *b, const char *key) { return symbi_value_str(b->login, key, SY_LIT("")); }

static symbi_str secret(const symbi_browser *b, const char *key)
{
    symbi_str name = symbi_value_str(symbi_value_getz(b->login, key), "secret", SY_LIT("")), none = { NULL, 0 };
    for (size_t i = 0; i < SY_CDP_SECRETS; i++)
        if (b->secrets[i].value && sy_str_eqz(name, b->secrets[i].name)) return (symbi_str){ b->secrets[i].value, b->secrets[i].n };
    return none;
}

static void give_up(symbi_browser *b, const char *why)
{
    sy_do_fail(b, "%s", why);
    sy_do_end_page(b);
}

/* Is url of the place where credentials belong? */
static bool at_home(const symbi_browser *b, symbi_str url)
{
    sy_scope_host here, home;
    return !sy_scope_read(url, &here) && !sy_scope_read(field(b, "login_url"), &home) && here.n == home.n && !memcmp(here.host, home.host, home.n) && here.port == home.port && here.tls == home.tls;
}

bool sy_login_begin(symbi_browser *b)
{
    b->login = symbi_value_get(symbi_value_getz(b->settings, "auth_flows"), symbi_value_str(b->plan->args, "service", SY_LIT("")));
    b->phase = SY_LOGIN_OPEN;
    b->coded = b->code_sent = false;
    if (!b->login || b->login->kind != SYMBI_OBJECT || !secret(b, "username").p || !secret(b, "password").p || (field(b, "mfa_selector").n && !secret(b, "totp").p)) {
        give_up(b, "the secrets of this login were not given");
        return false;
    }
    return true;
}

static void look_for(symbi_browser *b, sy_login_phase phase)
{
    int64_t last = b->deadline - sy_do_reserve(b);
    b->phase = phase;
    b->poll_until = sy_browser_now(b) + FIND_MS < last ? sy_browser_now(b) + FIND_MS : last;
    sy_page_world(b, SY_STEP_WORLD);
}

void sy_login_settled(symbi_browser *b)
{
    if (b->error[0]) sy_do_end_page(b);
    else look_for(b, b->phase == SY_LOGIN_OPEN ? SY_LOGIN_FIELDS : SY_LOGIN_CHECK);
}

void sy_login_world(symbi_browser *b)
{
    symbi_str sel[3];
    if (b->phase == SY_LOGIN_FIELDS) {
        sel[0] = field(b, "username_selector"), sel[1] = field(b, "password_selector"), sel[2] = field(b, "submit_selector");
        sy_page_call(b, SY_STEP_CALL, SY_FN_ALL, sel, 3, NULL, true);
    } else {
        sel[0] = field(b, "element"), sel[1] = field(b, "mfa_selector");
        sy_page_call(b, SY_STEP_CALL, SY_FN_LOGGED_IN, sel, 2, NULL, true);
    }
}

static void fill(symbi_browser *b, sy_login_phase phase, const char *selector, symbi_str value, const char *type)
{
    symbi_str text[3] = { field(b, selector), value, symbi_str_z(type) };
    b->phase = phase;
    b->wipe = true;
    sy_page_call(b, SY_STEP_CALL, SY_FN_FILL, text, 3, NULL, true);
}

static void fill_code(symbi_browser *b)
{
    char code[7];
    if (!sy_totp(secret(b, "totp"), symbi_ctx_now_ms(b->cx) / 1000, code)) {
        give_up(b, "the secret of mfa_secret_ref is no TOTP seed (base32)");
        return;
    }
    b->coded = true;
    fill(b, SY_LOGIN_CODE, "mfa_selector", (symbi_str){ code, 6 }, "");
    symbi_wipe(code, sizeof code);
}

static void logged_in(symbi_browser *b)
{
    sy_obj o = sy_obj_new(&b->a);
    sy_obj_bool(&o, "authenticated", true);
    sy_obj_str(&o, "service", sy_arena_dup(&b->a, symbi_value_str(b->plan->args, "service", SY_LIT(""))));
    b->content = sy_obj_value(&o);
    b->has_content = true;
    {
        sy_scope_host home;
        if (!sy_scope_read(field(b, "login_url"), &home)) memcpy(b->login_host, home.host, home.n + 1);
    }
    sy_do_end_page(b);
}

/* Nothing yet: look again a moment later. */
static void again(symbi_browser *b) { sy_step_to(b, SY_STEP_POLL); }

static void check(symbi_browser *b, const symbi_value *v)
{
    symbi_str href = symbi_value_str(v, "href", SY_LIT("")), part = field(b, "url_contains");
    if (part.n ? sy_url_place_contains(href, part) : sy_flag(v, "ok")) {
        logged_in(b);
    } else if (!sy_flag(v, "mfa")) {
        again(b);
    } else if (!at_home(b, href)) {
        give_up(b, "the second factor is asked for somewhere else than at login_url: it is not given");
    } else if (!b->coded) {
        fill_code(b);
    } else if (!b->code_sent) { /* a page that waits for a button; others have sent it by themselves */
        symbi_str sel = field(b, "mfa_selector");
        b->phase = SY_LOGIN_CODE;
        b->code_sent = true;
        sy_page_call(b, SY_STEP_CALL, SY_FN_SUBMIT, &sel, 1, NULL, true);
    } else {
        again(b);
    }
}

bool sy_login_called(symbi_browser *b, const symbi_value *v)
{
    switch (b->phase) {
    case SY_LOGIN_FIELDS:
        if (!at_home(b, symbi_value_str(v, "href", SY_LIT("")))) give_up(b, "login_url led somewhere else: no credentials are given there");
        else if (!sy_flag(v, "ok")) again(b);
        else fill(b, SY_LOGIN_USER, "username_selector", secret(b, "username"), "");
        return false;
    case SY_LOGIN_USER: fill(b, SY_LOGIN_PASSWORD, "password_selector", secret(b, "password"), "password"); return false;
    case SY_LOGIN_PASSWORD: {
        symbi_str sel = field(b, "submit_selector");
        b->phase = SY_LOGIN_SUBMIT;
        sy_page_call(b, SY_STEP_CALL, SY_FN_POINT, &sel, 1, NULL, true);
        return false;
    }
    case SY_LOGIN_SUBMIT: return true; /* where to click */
    case SY_LOGIN_CODE: sy_do_settle(b); return false;
    default: check(b, v); return false;
    }
}

bool sy_login_went_on(const symbi_browser *b) { return b->phase == SY_LOGIN_CODE; }
bool sy_login_waits(const symbi_browser *b) { return b->phase == SY_LOGIN_FIELDS || b->phase == SY_LOGIN_CHECK; }

void sy_login_late(symbi_browser *b)
{
    symbi_str part = field(b, "url_contains");
    if (b->phase == SY_LOGIN_FIELDS) sy_do_fail(b, "the login page does not show the fields of the flow");
    else if (part.n) sy_do_fail(b, "the login did not succeed: the address does not contain %.*s", SY_FMT(part));
    else sy_do_fail(b, "the login did not succeed: there is no element %.*s", SY_FMT(field(b, "element")));
    sy_do_end_page(b);
}
