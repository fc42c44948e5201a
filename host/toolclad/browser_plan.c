/* toolclad/browser_plan.c: the plan of one command of a browser tool, and the envelope of what it gave.
 *
 * plan->detail is {"command", "settings", "picture", "evidence"}; settings is the same for all commands of a manifest: a browser that was started with
 * others is not used. The executor's object is what symbi_browser_reply gives, with "screenshot": {"sha256", "bytes"} when it wrote the picture to
 * detail.picture, and "output_file" when it wrote the content to detail.evidence ([tool.evidence] capture). */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"
#include "symbi/json.h"
#include "toolclad/browser_auth.h"
#include "toolclad/browser_in.h"

/* For people: the command and its arguments, without what is typed. */
static symbi_str describe(sy_backend_plan *b, sy_do what)
{
    char line[1200];
    sy_buf buf;
    sy_buf_init(&buf, b->cx->alloc, 1 << 20);
    sy_buf_addz(&buf, "browser ");
    sy_buf_addz(&buf, sy_browser_commands[what]);
    for (size_t i = 0; i < b->t->nargs; i++) {
        symbi_str name = b->t->args[i].name;
        if (!b->text[i].p || !b->text[i].n) continue;
        sy_buf_addf(&buf, " %.*s=", SY_FMT(name));
        if (what == SY_DO_TYPE && sy_str_eqz(name, "text")) sy_buf_addf(&buf, "(%llu bytes)", (unsigned long long)b->text[i].n);
        else sy_buf_add(&buf, b->text[i].p, b->text[i].n > 500 ? 500 : b->text[i].n);
    }
    sy_clean_line(line, sizeof line, sy_buf_str(&buf));
    if (sy_buf_status(&buf) == SYMBI_ENOMEM) b->a->status = SYMBI_ENOMEM;
    sy_buf_free(&buf);
    return sy_arena_dup(b->a, symbi_str_z(line));
}

static symbi_str picture_path(sy_backend_plan *b)
{
    static const char name[] = "screenshot.png";
    symbi_str p = b->p->output_file;
    char *out;
    while (p.n && p.p[p.n - 1] != '/') p.n--;
    out = sy_arena_alloc(b->a, p.n + sizeof name);
    if (!out) return (symbi_str){ NULL, 0 };
    memcpy(out, p.p, p.n);
    memcpy(out + p.n, name, sizeof name);
    return (symbi_str){ out, p.n + sizeof name - 1 };
}

symbi_status sy_browser_plan(sy_backend_plan *b, symbi_value *detail)
{
    const sy_browser_def *d = b->t->backend_data;
    sy_do what = sy_browser_do(b->t->command_name);
    const char *need;
    sy_obj o = sy_obj_new(b->a), s = sy_obj_new(b->a);
    symbi_value copy;
    symbi_browser_where where;
    symbi_str picture = { NULL, 0 };
    symbi_status st;
    if (!d || !b->t->owner) return sy_fail(b->err, SYMBI_ENOTFOUND, "a browser is used through its commands (TOOL.COMMAND)");
    if (d->playwright) return sy_fail(b->err, SYMBI_EUNSUPPORTED, "engine 'playwright' is not available here: use engine = \"cdp\"");
    if (what == SY_DO_COUNT) return sy_fail(b->err, SYMBI_EUNSUPPORTED, "Unknown browser command: %.*s", SY_FMT(b->t->command_name));
    need = sy_browser_needs(what);
    if (need && symbi_value_str(b->p->args, need, SY_LIT("")).n == 0) return sy_fail(b->err, SYMBI_ESCHEMA, "Missing required arg: %s", need);
    if (what == SY_DO_LOGIN && (st = sy_browser_plan_login(b, &d->settings))) return st;
    if (what == SY_DO_NAVIGATE && (st = symbi_browser_judge_url(symbi_value_getz(&d->settings, "scope"), symbi_value_str(b->p->args, "url", SY_LIT("")), false, &where, b->err))) return st;
    if ((st = sy_value_copy(b->a, &d->settings, &copy, 16, b->err))) return st;
    for (size_t i = 0; i < copy.u.o.n; i++) sy_obj_puts(&s, copy.u.o.members[i].key, copy.u.o.members[i].val);
    sy_obj_hex(&s, "manifest", b->t->owner->info.sha256, 32);
    sy_obj_str(&s, "tool", sy_arena_dup(b->a, b->t->owner->info.name));
    sy_obj_str(&o, "command", symbi_str_z(sy_browser_commands[what]));
    sy_obj_put(&o, "settings", sy_obj_value(&s));
    if (what == SY_DO_SCREENSHOT || sy_flag(&d->settings, "screenshots")) sy_obj_str(&o, "picture", picture = picture_path(b));
    if (b->t->capture && what != SY_DO_SCREENSHOT) sy_obj_str(&o, "evidence", b->p->output_file);
    else b->p->output_file = picture.n ? picture : SY_LIT("");
    b->p->command = describe(b, what);
    *detail = sy_obj_value(&o);
    return b->a->status ? sy_arena_fail(b->a, "the plan", b->err) : SYMBI_OK;
}

/* ---- envelope ---- */

static bool is_hex(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) return false;
    return s.n == 64;
}

/* "sha256:" and 64 digits. */
static symbi_str digest_text(sy_arena *a, symbi_str hex)
{
    char *p = sy_arena_alloc(a, 72);
    if (!p) return (symbi_str){ NULL, 0 };
    memcpy(p, "sha256:", 7);
    memcpy(p + 7, hex.p, 64);
    p[71] = 0;
    return (symbi_str){ p, 71 };
}

static symbi_status hash_of(sy_backend_reply *r, const symbi_value *content, symbi_str *out, size_t *bytes)
{
    symbi_text t = { 0 };
    uint8_t h[32];
    sy_obj o = sy_obj_new(r->a);
    symbi_status st;
    if (content->kind == SYMBI_STRING) st = symbi_sha256(r->cx, content->u.s, h, r->err);
    else if (!(st = symbi_json_write(r->cx, content, SYMBI_JSON_CANONICAL, &t, r->err))) st = symbi_sha256(r->cx, symbi_text_str(&t), h, r->err);
    *bytes = content->kind == SYMBI_STRING ? content->u.s.n : t.n;
    symbi_text_free(&t);
    if (st) return st;
    sy_obj_hex(&o, "h", h, 32);
    if (r->a->status) return sy_arena_fail(r->a, "the envelope", r->err);
    *out = digest_text(r->a, o.m[0].val.u.s);
    return r->a->status ? sy_arena_fail(r->a, "the envelope", r->err) : SYMBI_OK;
}

/* {url, title, domain, ...} of raw, and nothing else of it. */
static symbi_value state_of(const sy_backend_reply *r)
{
    static const char *const texts[] = { "domain", "title", "url" }, *const flags[] = { "has_forms", "is_authenticated", "page_loaded" };
    const symbi_value *settings = symbi_value_getz(r->p->detail, "settings"), *s = symbi_value_getz(r->raw, "page_state"), *n = symbi_value_getz(s, "tab_count");
    sy_obj o = sy_obj_new(r->a);
    for (size_t i = 0; i < 3; i++) {
        if (sy_browser_tells(settings, flags[i])) sy_obj_bool(&o, flags[i], sy_flag(s, flags[i]));
        if (sy_browser_tells(settings, texts[i])) sy_obj_str(&o, texts[i], symbi_value_str(s, texts[i], SY_LIT("")));
    }
    if (sy_browser_tells(settings, "tab_count")) sy_obj_int(&o, "tab_count", n && n->kind == SYMBI_INT ? n->u.i : 0);
    return sy_obj_value(&o);
}

symbi_status sy_browser_envelope(sy_backend_reply *r, sy_obj *o)
{
    static const char *const known[] = { "success", "error", "timeout", "denied" };
    symbi_str status = symbi_value_str(r->raw, "status", SY_LIT("")), error = symbi_value_str(r->raw, "error", SY_LIT("")), hash = SY_LIT("");
    const symbi_value *content = symbi_value_getz(r->raw, "content"), *n = symbi_value_getz(r->raw, "interaction_count"), *blocked = symbi_value_getz(r->raw, "blocked");
    const symbi_value *shot = symbi_value_getz(r->raw, "screenshot"), *cut = symbi_value_getz(r->raw, "truncated"), *size = symbi_value_getz(shot, "bytes");
    symbi_str digest = symbi_value_str(shot, "sha256", SY_LIT("")), picture = symbi_value_str(r->p->detail, "picture", SY_LIT("")), evidence = symbi_value_str(r->p->detail, "evidence", SY_LIT(""));
    sy_obj res = sy_obj_new(r->a);
    bool pictured = is_hex(digest) && picture.n, is_picture = sy_browser_do(r->t->command_name) == SY_DO_SCREENSHOT, kept;
    symbi_status st;
    size_t i = 0, bytes = 0;
    while (i < 4 && !sy_str_eqz(status, known[i])) i++;
    if (i == 4) status = SY_LIT("error"), error = error.n ? error : SY_LIT("the browser executor gave no result");
    kept = evidence.n && content && sy_str_eq(symbi_value_str(r->raw, "output_file", SY_LIT("")), evidence);
    if (i == 0 && picture.n && !pictured) i = 1, status = SY_LIT("error"), error = SY_LIT("the screenshot was not written");
    if (i == 0 && evidence.n && content && !kept) i = 1, status = SY_LIT("error"), error = SY_LIT("the evidence was not written");
    if (i) content = NULL;
    if (pictured && is_picture) hash = digest_text(r->a, digest), bytes = size && size->kind == SYMBI_INT && size->u.i > 0 ? (size_t)size->u.i : 0;
    else if (content && (st = hash_of(r, content, &hash, &bytes))) return st;
    sy_obj_str(&res, "url", symbi_value_str(r->raw, "url", SY_LIT("")));
    sy_obj_str(&res, "title", symbi_value_str(r->raw, "title", SY_LIT("")));
    sy_obj_str(&res, "domain", symbi_value_str(r->raw, "domain", SY_LIT("")));
    if (content) sy_obj_put(&res, "content", *content);
    if (pictured) sy_obj_str(&res, "screenshot_path", picture);
    if (pictured) sy_obj_str(&res, "screenshot_hash", digest_text(r->a, digest));
    sy_obj_put(&res, "page_state", state_of(r));
    sy_obj_int(&res, "interaction_count", n && n->kind == SYMBI_INT ? n->u.i : 0);
    if (blocked && blocked->kind == SYMBI_ARRAY && blocked->u.a.n) sy_obj_put(&res, "blocked", *blocked);
    sy_obj_str(o, "status", status);
    sy_obj_int(o, "exit_code", i ? -1 : 0);
    sy_obj_str(o, "stderr", SY_LIT(""));
    sy_obj_str(o, "output_file", kept && content ? evidence : pictured ? picture : SY_LIT(""));
    sy_obj_count(o, "output_bytes", bytes);
    sy_obj_str(o, "output_hash", hash);
    sy_obj_put(o, "results", sy_obj_value(&res));
    if (i) sy_obj_str(o, "error", error.n ? error : SY_LIT("the browser gave no reason"));
    if (cut && cut->kind == SYMBI_BOOL && cut->u.b) sy_obj_bool(o, "truncated", true);
    return SYMBI_OK;
}
