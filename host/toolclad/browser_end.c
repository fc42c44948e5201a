/* toolclad/browser_end.c: how a command ends, and the browser: errors, refused requests, and the reply that becomes an envelope. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "symbi/crypto.h"
#include "toolclad/browser_in.h"
#include <stdarg.h>

enum { PICTURE_MAX = 12 << 20 };

size_t sy_utf8_cut(symbi_str s, size_t max)
{
    size_t n = s.n < max ? s.n : max;
    if (n == s.n) return n;
    while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80) n--;
    return n;
}

void sy_cut_into(char *dst, size_t cap, symbi_str s)
{
    size_t n = sy_utf8_cut(s, cap - 1);
    if (n) memcpy(dst, s.p, n);
    dst[n] = 0;
}

void sy_do_fail(symbi_browser *b, const char *fmt, ...)
{
    symbi_err e;
    va_list ap;
    if (b->error[0]) return;
    va_start(ap, fmt);
    sy_vfail(&e, SYMBI_EIO, 0, 0, fmt, ap);
    va_end(ap);
    sy_cut_into(b->error, sizeof b->error, symbi_str_z(e.msg));
    if (!b->error[0]) memcpy(b->error, "failed", 7);
}

void sy_blocked_add(symbi_browser *b, symbi_str url, const char *reason)
{
    sy_blocked *k;
    if (b->nblocked++ >= SY_CDP_BLOCKED) return;
    k = &b->blocked[b->nblocked - 1];
    sy_clean_line(k->url, sizeof k->url, url);
    sy_clean_line(k->reason, sizeof k->reason, symbi_str_z(reason));
}

void sy_browser_end(symbi_browser *b, const char *why)
{
    if (b->ended) return;
    sy_clean_line(b->ended_text, sizeof b->ended_text, symbi_str_z(why));
    b->ended = b->ended_text;
    if (b->plan && b->step != SY_STEP_DONE) {
        if (!b->error[0]) sy_do_fail(b, "%s", b->ended_text);
        sy_do_finish(b);
    }
}

void symbi_browser_lost(symbi_browser *b, const char *why) { sy_browser_end(b, why); }

bool symbi_browser_ended(const symbi_browser *b, const char **why)
{
    if (why) *why = b->ended;
    return b->ended != NULL;
}

static symbi_value page_state(symbi_browser *b, sy_arena *a)
{
    const struct { const char *name; symbi_value v; } fields[] = {
        { "domain", sy_val_str(symbi_str_z(b->domain)) }, { "has_forms", sy_val_bool(b->has_forms) }, { "is_authenticated", sy_val_bool(b->authenticated) },
        { "page_loaded", sy_val_bool(b->loaded) }, { "tab_count", sy_val_int((int64_t)sy_browser_pages(b)) }, { "title", sy_val_str(symbi_str_z(b->title)) }, { "url", sy_val_str(symbi_str_z(b->url)) },
    };
    sy_obj o = sy_obj_new(a);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (sy_browser_tells(b->settings, fields[i].name)) sy_obj_put(&o, fields[i].name, fields[i].v);
    return sy_obj_value(&o);
}

void sy_browser_forget(symbi_browser *b)
{
    for (size_t i = 0; i < SY_CDP_SECRETS; i++) {
        sy_secret *s = &b->secrets[i];
        if (s->value) {
            symbi_wipe(s->value, s->n);
            sy_free(&b->cx->alloc, s->value, s->n);
        }
        memset(s, 0, sizeof *s);
    }
}

bool sy_take_picture(symbi_browser *b, const symbi_value *r)
{
    symbi_str data = symbi_value_str(r, "data", SY_LIT(""));
    size_t room = sy_base64_decoded_max(data.n), n = 0;
    char *p;
    sy_buf_clear(&b->picture);
    p = data.n && room <= PICTURE_MAX ? sy_buf_reserve(&b->picture, room) : NULL;
    if (!p || sy_base64_decode(data, SY_BASE64, p, &n, NULL) || n <= 8 || memcmp(p, "\x89PNG\r\n\x1a\n", 8)) return false;
    sy_buf_commit(&b->picture, n);
    return true;
}

void sy_do_finish(symbi_browser *b)
{
    if (!b->plan || b->step == SY_STEP_DONE) return;
    b->step = SY_STEP_DONE;
    b->want = 0;
    b->step_at = b->last_used = sy_browser_now(b);
    b->state_tab = b->tab ? b->tab->order : 0;
    sy_browser_forget(b);
}

const symbi_value *symbi_browser_state(const symbi_browser *b) { return b->state ? symbi_doc_root(b->state) : NULL; }

bool symbi_browser_done(const symbi_browser *b) { return b->plan && b->step == SY_STEP_DONE && !b->replied; }
symbi_str symbi_browser_picture(const symbi_browser *b) { return b->step == SY_STEP_DONE ? sy_buf_str(&b->picture) : (symbi_str){ NULL, 0 }; }

symbi_status symbi_browser_reply(symbi_browser *b, symbi_doc **out, symbi_err *err)
{
    sy_obj o = sy_obj_new(&b->a);
    sy_arr list = sy_arr_new(&b->a);
    int64_t ms = b->last_used - b->began;
    symbi_value v, state;
    symbi_doc *kept;
    symbi_status st;
    *out = NULL;
    symbi_err_clear(err);
    if (!symbi_browser_done(b)) return sy_fail(err, SYMBI_ESTATE, "no command of this browser is over");
    if (b->a.status == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (b->a.status && !b->error[0]) {
        memcpy(b->error, "the page's answer is too large", 31);
        b->has_content = false;
    }
    state = page_state(b, &b->a);
    for (size_t i = 0; i < b->nblocked && i < SY_CDP_BLOCKED; i++) {
        sy_obj k = sy_obj_new(&b->a);
        sy_obj_str(&k, "url", symbi_str_z(b->blocked[i].url));
        sy_obj_str(&k, "reason", symbi_str_z(b->blocked[i].reason));
        sy_arr_add(&list, sy_obj_value(&k));
    }
    sy_obj_int(&o, "started_ms", symbi_ctx_now_ms(b->cx) - (sy_browser_now(b) - b->began));
    sy_obj_int(&o, "duration_ms", ms > 0 ? ms : 0);
    sy_obj_str(&o, "status", b->timed_out ? SY_LIT("timeout") : b->denied ? SY_LIT("denied") : b->error[0] ? SY_LIT("error") : SY_LIT("success"));
    if (b->error[0]) sy_obj_str(&o, "error", symbi_str_z(b->error));
    sy_obj_str(&o, "url", symbi_str_z(b->url));
    sy_obj_str(&o, "title", symbi_str_z(b->title));
    sy_obj_str(&o, "domain", symbi_str_z(b->domain));
    if (b->has_content && !b->denied) sy_obj_put(&o, "content", b->content);
    if (b->truncated) sy_obj_bool(&o, "truncated", true);
    sy_obj_put(&o, "page_state", state);
    sy_obj_int(&o, "interaction_count", b->interactions);
    sy_obj_put(&o, "blocked", sy_arr_value(&list));
    sy_obj_count(&o, "blocked_count", b->nblocked);
    if (b->a.status) return sy_arena_fail(&b->a, "the result", err);
    v = sy_obj_value(&o);
    if ((st = symbi_doc_copy(b->cx, &state, &kept, err))) return st;
    if ((st = symbi_doc_copy(b->cx, &v, out, err))) {
        symbi_doc_unref(kept);
        return st;
    }
    symbi_doc_unref(b->state);
    b->state = kept;
    b->replied = true;
    return SYMBI_OK;
}
