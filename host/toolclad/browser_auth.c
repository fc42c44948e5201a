/* toolclad/browser_auth.c: [browser.auth_flows.SERVICE] of a manifest (spec toolclad.md 14): where one logs in, which fields it takes, which secrets go
 * into them, and what shows that it went well. A flow that could not be carried out is an error at load. */
#include "toolclad/browser_auth.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "toolclad/browser_in.h"

/* secret_ref names a record of a store ("vault:github/web-credentials"). Names of our stores have letters, digits and '_' (they are names of the
 * environment, too): github_web_credentials, and behind it what is wanted of the record. */
static symbi_status secret_name(sy_rd *rd, const symbi_value *f, const char *key, const char *tail, symbi_value *out)
{
    symbi_str ref = { NULL, 0 };
    const symbi_value *v = symbi_value_getz(f, key);
    size_t n = 0, more = strlen(tail);
    char name[SY_AUTH_NAME + 16];
    sy_obj o = sy_obj_new(&rd->t->arena);
    symbi_status st = sy_rd_need_str(rd, f, key, &ref);
    if (st) return st;
    if (sy_str_starts(ref, SY_LIT("vault:"))) ref.p += 6, ref.n -= 6;
    while (ref.n && ref.p[0] == '/') ref.p++, ref.n--;
    if (!ref.n || ref.n > SY_AUTH_NAME) return sy_rd_fail(rd, v, key, "names no secret: vault:PATH, at most %d characters", SY_AUTH_NAME);
    for (size_t i = 0; i < ref.n; i++) {
        char c = ref.p[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_') name[n++] = c;
        else if (c == '/' || c == '-' || c == '.') name[n++] = '_';
        else return sy_rd_fail(rd, v, key, "names no secret: letters, digits, '_', '-', '.' and '/' only");
    }
    memcpy(name + n, tail, more);
    sy_obj_str(&o, "secret", sy_arena_dup(&rd->t->arena, (symbi_str){ name, n + more }));
    *out = sy_obj_value(&o);
    return SYMBI_OK;
}

/* The part of a URL before '?' and '#'. */
static symbi_str place(symbi_str url)
{
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] == '?' || url.p[i] == '#') url.n = i;
    return url;
}

bool sy_url_place_contains(symbi_str url, symbi_str part)
{
    url = place(url);
    for (size_t i = 0; part.n && i + part.n <= url.n; i++)
        if (!memcmp(url.p + i, part.p, part.n)) return true;
    return false;
}

static symbi_status success(sy_rd *rd, const symbi_value *f, symbi_str login_url, sy_obj *o)
{
    static const char k_url[] = "url_contains=", k_element[] = "element=";
    const symbi_value *v = symbi_value_getz(f, "success_indicator");
    symbi_str s = { NULL, 0 };
    symbi_status st = sy_rd_need_str(rd, f, "success_indicator", &s);
    if (st) return st;
    if (sy_str_starts(s, SY_LIT("element=")) && s.n > sizeof k_element - 1) {
        sy_obj_str(o, "element", (symbi_str){ s.p + sizeof k_element - 1, s.n - (sizeof k_element - 1) });
        return SYMBI_OK;
    }
    if (!sy_str_starts(s, SY_LIT("url_contains=")) || s.n == sizeof k_url - 1)
        return sy_rd_fail(rd, v, "success_indicator", "'%.*s' cannot be checked: url_contains=TEXT (of the address before '?' and '#') and element=SELECTOR can", SY_FMT(s));
    s.p += sizeof k_url - 1, s.n -= sizeof k_url - 1;
    if (sy_url_place_contains(login_url, s)) return sy_rd_fail(rd, v, "success_indicator", "login_url itself contains it: nobody would notice that a login failed");
    if (place(s).n < s.n) return sy_rd_fail(rd, v, "success_indicator", "only the address before '?' and '#' is looked at: what follows is often the page that was asked for");
    sy_obj_str(o, "url_contains", s);
    return SYMBI_OK;
}

static symbi_status second_factor(sy_rd *rd, const symbi_value *f, sy_obj *o)
{
    const symbi_value *v = symbi_value_getz(f, "mfa_handler");
    symbi_str how = { NULL, 0 }, sel = { NULL, 0 };
    symbi_value seed;
    symbi_status st = sy_rd_str(rd, f, "mfa_handler", &how);
    if (st) return st;
    if (!v) {
        for (size_t i = 0; i < 2; i++) {
            const char *key = i ? "mfa_secret_ref" : "mfa_selector";
            if (symbi_value_getz(f, key)) return sy_rd_fail(rd, symbi_value_getz(f, key), key, "goes with mfa_handler = \"totp\"");
        }
        return SYMBI_OK;
    }
    if (!sy_str_eqz(how, "totp"))
        return sy_rd_fail(rd, v, "mfa_handler", "'%.*s' is not supported: \"totp\" is; where a person has to help, let them log in and use connect = \"live\"", SY_FMT(how));
    if ((st = sy_rd_need_str(rd, f, "mfa_selector", &sel)) || (st = secret_name(rd, f, "mfa_secret_ref", "", &seed))) return st;
    sy_obj_str(o, "mfa_selector", sel);
    sy_obj_put(o, "totp", seed);
    return SYMBI_OK;
}

static symbi_status flow(sy_rd *rd, const symbi_value *f, const symbi_value *scope, symbi_value *out)
{
    static const char *const keys[] = { "login_url", "username_selector", "password_selector", "submit_selector", "success_indicator", "secret_ref", "mfa_handler", "mfa_selector", "mfa_secret_ref", NULL };
    symbi_str url = { NULL, 0 }, sel = { NULL, 0 };
    symbi_browser_where where;
    symbi_value secret;
    symbi_err why;
    sy_obj o = sy_obj_new(&rd->t->arena);
    symbi_status st;
    if (f->kind != SYMBI_OBJECT) return sy_rd_fail(rd, f, "", "table expected");
    if ((st = sy_rd_need_str(rd, f, "login_url", &url))) return st;
    st = symbi_browser_judge_url(scope, url, false, &where, &why);
    if (st) return sy_rd_fail(rd, symbi_value_getz(f, "login_url"), "login_url", "%s", why.msg);
    if (where != SYMBI_BROWSER_INSIDE) return sy_rd_fail(rd, symbi_value_getz(f, "login_url"), "login_url", "its host has to stand in allowed_domains: credentials go nowhere else");
    sy_obj_str(&o, "login_url", url);
    for (size_t i = 0; i < 3; i++) {
        if ((st = sy_rd_need_str(rd, f, keys[i + 1], &sel))) return st;
        sy_obj_str(&o, keys[i + 1], sel);
    }
    if ((st = success(rd, f, url, &o)) || (st = secret_name(rd, f, "secret_ref", "_username", &secret))) return st;
    sy_obj_put(&o, "username", secret);
    if ((st = secret_name(rd, f, "secret_ref", "_password", &secret))) return st;
    sy_obj_put(&o, "password", secret);
    if ((st = second_factor(rd, f, &o)) || (st = sy_rd_known(rd, f, keys))) return st;
    *out = sy_obj_value(&o);
    return SYMBI_OK;
}

symbi_status sy_browser_load_auth(sy_rd *rd, const symbi_value *t, const symbi_value *scope, symbi_value *out)
{
    const symbi_value *all;
    sy_obj o = sy_obj_new(&rd->t->arena);
    size_t mark;
    symbi_status st = sy_rd_table(rd, t, "auth_flows", &all);
    *out = sy_val_object(NULL, 0);
    if (st || !all) return st;
    if (all->u.o.n > SY_AUTH_FLOWS) return sy_rd_fail(rd, all, "auth_flows", "more than %d", SY_AUTH_FLOWS);
    mark = sy_rd_enter(rd, SY_LIT("auth_flows"));
    for (size_t i = 0; i < all->u.o.n; i++) {
        size_t inner = sy_rd_enter(rd, all->u.o.members[i].key);
        symbi_value v;
        if ((st = flow(rd, &all->u.o.members[i].val, scope, &v))) return st;
        sy_obj_puts(&o, all->u.o.members[i].key, v);
        sy_rd_leave(rd, inner);
    }
    sy_rd_leave(rd, mark);
    *out = sy_obj_value(&o);
    return SYMBI_OK;
}

symbi_status sy_browser_check_login(sy_rd *rd, const symbi_tool *c, const symbi_value *flows)
{
    const sy_arg *a = sy_tool_arg(c, SY_LIT("service"));
    if (!flows->u.o.n) return sy_rd_fail(rd, c->command_table, c->command_name.p, "there is nothing to log in to: [browser.auth_flows.SERVICE] says where and how");
    for (size_t i = 0; a && i < a->nallowed; i++)
        if (!symbi_value_get(flows, a->allowed[i])) return sy_rd_fail(rd, c->command_table, c->command_name.p, "there is no [browser.auth_flows.%.*s]", SY_FMT(a->allowed[i]));
    return SYMBI_OK;
}

symbi_status sy_browser_plan_login(sy_backend_plan *b, const symbi_value *settings)
{
    static const char *const keys[] = { "username", "password", "totp" };
    symbi_str service = symbi_value_str(b->p->args, "service", SY_LIT(""));
    const symbi_value *f = symbi_value_get(symbi_value_getz(settings, "auth_flows"), service);
    symbi_str *names = sy_arena_calloc(b->a, 3, sizeof *names);
    char echo[SY_ECHO];
    size_t n = 0;
    if (!f) return sy_fail(b->err, SYMBI_ESCHEMA, "there is no auth flow for the service '%s'", sy_echo(service, echo));
    for (size_t i = 0; names && i < 3; i++) {
        symbi_str s = symbi_value_str(symbi_value_getz(f, keys[i]), "secret", SY_LIT(""));
        bool twice = !s.n;
        for (size_t k = 0; k < n; k++) twice = twice || sy_str_eq(names[k], s);
        if (!twice) names[n++] = sy_arena_dup(b->a, s);
    }
    b->p->secrets = names;
    b->p->nsecrets = n;
    return b->a->status ? sy_arena_fail(b->a, "the plan", b->err) : SYMBI_OK;
}
