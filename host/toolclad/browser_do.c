/* toolclad/browser_do.c: the commands of section 14, step by step. Our own functions run in an isolated world of the page: what its scripts did
 * to the DOM's prototypes does not reach them. URL and title come from the browser's history, not from the page. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/base64.h"
#include "toolclad/browser_in.h"
#include <stdarg.h>
#include <stdio.h>

enum {
    SETTLE_MS = 120,      /* what a page does a moment later on its own */
    IDLE_MS = 1000,       /* after a page has loaded: for its network to be quiet */
    SETTLE_MAX_MS = 15000,
    /* Each of these is for what a browser announced and then did not do (a window that was blocked, an address that is no page): what it does is
     * seen to the end, however slow the machine is. */
    ANNOUNCED_MS = 2500,
    HANGS_MS = 5000,
    POLL_MS = 100,
    STATE_MS = 3000,      /* for the page's state; a page that hangs has none */
    PICTURE_MAX = 12 << 20
};

const char *const sy_browser_commands[SY_DO_COUNT + 1] = { "navigate", "click", "type_text", "submit_form", "snapshot", "extract_html", "screenshot",
    "execute_js", "wait_for", "go_back", "list_tabs", "network_timing", "scroll", NULL };

sy_do sy_browser_do(symbi_str s)
{
    size_t i = 0;
    if (sy_str_eqz(s, "extract")) return SY_DO_HTML; /* upstream's other name for it */
    while (i < SY_DO_COUNT && !sy_str_eqz(s, sy_browser_commands[i])) i++;
    return (sy_do)i;
}

/* ---- functions that run in the page's isolated world ---- */

#define WELL "const w=s=>(s=String(s),s.toWellFormed?s.toWellFormed():s);"
#define PICK "const e=document.querySelector(s);if(!e)return{error:'no element matches '+s};"
static const char f_point[] = "function(s){" PICK
    "e.scrollIntoView({block:'center',inline:'center',behavior:'instant'});const r=e.getBoundingClientRect();"
    "if(!r.width||!r.height)return{error:'the element has no size on the page'};"
    "const x=Math.min(Math.max(r.left+r.width/2,0),innerWidth-1),y=Math.min(Math.max(r.top+r.height/2,0),innerHeight-1),h=document.elementFromPoint(x,y);"
    "if(h&&h!==e&&!e.contains(h)&&!h.contains(e))return{error:'another element covers it'};return{x:x,y:y};}";
static const char f_focus[] = "function(s){" PICK "e.focus();return{ok:document.activeElement===e};}";
static const char f_submit[] = "function(s){" PICK "const f=e.closest('form');if(!f)return{error:'no form there'};"
    "HTMLFormElement.prototype.requestSubmit.call(f);return{ok:true};}";
static const char f_html[] = "function(s,n){" WELL "const e=s?document.querySelector(s):document.documentElement;if(!e)return{error:'no element matches '+s};"
    "const h=e.outerHTML;return{text:w(h.slice(0,n)),cut:h.length>n};}";
static const char f_text[] = "function(s,n){" WELL "const e=s?document.querySelector(s):(document.body||document.documentElement);if(!e)return{error:'no element matches '+s};"
    "const h=e.innerText||e.textContent||'';return{text:w(h.slice(0,n)),cut:h.length>n};}";
static const char f_there[] = "function(s){const e=document.querySelector(s);return{ok:!!e};}";
static const char f_node[] = "function(s){return document.querySelector(s);}";
static const char f_scroll[] = "function(d,n){const y=d==='up'?-n:d==='down'?n:0,x=d==='left'?-n:d==='right'?n:0;scrollBy({left:x,top:y,behavior:'instant'});"
    "return{value:{x:Math.round(scrollX),y:Math.round(scrollY),height:document.documentElement.scrollHeight}};}";
static const char f_timing[] = "function(){" WELL "const r=performance.getEntriesByType('resource'),n=performance.getEntriesByType('navigation')[0],"
    "k=e=>({name:w(e.name).slice(0,300),type:e.initiatorType,start_ms:Math.round(e.startTime),duration_ms:Math.round(e.duration),bytes:e.transferSize});"
    "return{value:{navigation:n?{duration_ms:Math.round(n.duration),dom_ms:Math.round(n.domContentLoadedEventEnd),load_ms:Math.round(n.loadEventEnd),bytes:n.transferSize}:null,"
    "resources:r.slice(0,200).map(k),resource_count:r.length}};}";
static const char f_state[] = "function(s){let a=false;try{a=!!(s&&document.querySelector(s))}catch(e){}return{forms:document.forms.length>0,auth:a,loaded:document.readyState==='complete'};}";

/* ---- small things ---- */

size_t sy_utf8_cut(symbi_str s, size_t max)
{
    size_t n = s.n < max ? s.n : max;
    if (n == s.n) return n;
    while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80) n--;
    return n;
}

static void copy_cut(char *dst, size_t cap, symbi_str s)
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
    copy_cut(b->error, sizeof b->error, symbi_str_z(e.msg));
    if (!b->error[0]) memcpy(b->error, "failed", 7);
}

static symbi_str arg(const symbi_browser *b, const char *name) { return symbi_value_str(b->plan->args, name, SY_LIT("")); }

static int64_t arg_int(const symbi_browser *b, const char *name, int64_t dflt)
{
    const symbi_value *v = symbi_value_getz(b->plan->args, name);
    return v && v->kind == SYMBI_INT ? v->u.i : dflt;
}

static int64_t mono(const symbi_browser *b) { return symbi_ctx_mono_ms(b->cx); }

static void step_to(symbi_browser *b, sy_step s)
{
    b->step = s;
    b->step_at = mono(b);
    b->want = 0;
}

static void ask(symbi_browser *b, sy_step s, const char *method, const char *params)
{
    step_to(b, s);
    b->want = sy_cdp_simple(b, method, b->tab, params);
}

static void make_world(symbi_browser *b, sy_step s)
{
    step_to(b, s);
    b->want = sy_cdp_begin(b, "Page.createIsolatedWorld", b->tab);
    sy_buf_addf(&b->out, "{\"frameId\":\"%s\",\"worldName\":\"symbi\"}", b->tab->target.s);
    sy_cdp_end(b);
}

/* Calls f(string or null, number or nothing) in the isolated world. */
static void call(symbi_browser *b, sy_step s, const char *f, const symbi_str *text, const int64_t *number, bool by_value)
{
    step_to(b, s);
    b->want = sy_cdp_begin(b, "Runtime.callFunctionOn", b->tab);
    sy_buf_addf(&b->out, "{\"executionContextId\":%lld,\"returnByValue\":%s,\"silent\":true,\"userGesture\":true,\"functionDeclaration\":", (long long)b->world, by_value ? "true" : "false");
    sy_cdp_str(b, symbi_str_z(f));
    sy_cdp_z(b, ",\"arguments\":[");
    if (text) {
        sy_cdp_z(b, "{\"value\":");
        if (text->n) sy_cdp_str(b, *text);
        else sy_cdp_z(b, "null");
        sy_cdp_z(b, "}");
    }
    if (number) {
        sy_cdp_z(b, ",{\"value\":");
        sy_cdp_int(b, *number);
        sy_cdp_z(b, "}");
    }
    sy_cdp_z(b, "]}");
    sy_cdp_end(b);
}

static const symbi_value *deep(const symbi_value *v, const char *a, const char *c) { return symbi_value_getz(symbi_value_getz(v, a), c); }

static void end_page(symbi_browser *b)
{
    b->ending = true;
    if (!b->tab || b->ended) sy_do_finish(b);
    else ask(b, SY_STEP_END_HISTORY, "Page.getNavigationHistory", "{}");
}

/* Does the page hear? Its answer comes after everything that it announced before: that is what makes "nothing was set off" certain. */
static void look(symbi_browser *b)
{
    int64_t since = b->step_at;
    ask(b, SY_STEP_SETTLE, "Runtime.evaluate", "{\"expression\":\"0\",\"silent\":true}");
    b->step_at = since;
    b->looked_at = mono(b);
    b->news_asked = b->news;
}

static void settle(symbi_browser *b)
{
    step_to(b, SY_STEP_SETTLE);
    b->looked = false;
    look(b);
}

static void set_content(symbi_browser *b, symbi_str s, bool cut)
{
    size_t n = sy_utf8_cut(s, SY_CDP_CONTENT);
    b->content = sy_val_str(sy_arena_dup(&b->a, (symbi_str){ s.p, n }));
    b->has_content = true;
    b->truncated = b->truncated || cut || n < s.n;
}

/* Any value; one that is too large to tell becomes the beginning of its JSON text. */
static void set_value(symbi_browser *b, const symbi_value *v)
{
    symbi_text t = { 0 };
    symbi_err e;
    if (v && v->kind == SYMBI_STRING) {
        set_content(b, v->u.s, false);
        return;
    }
    b->has_content = true;
    b->content = sy_val_null();
    if (!v || symbi_json_write(b->cx, v, 0, &t, &e)) return;
    if (t.n > SY_CDP_CONTENT) set_content(b, symbi_text_str(&t), true);
    else if (sy_value_copy(&b->a, v, &b->content, b->cx->limits.doc_depth, &e)) b->content = sy_val_null();
    symbi_text_free(&t);
}

/* What is left of a command's time for its end. */
static int64_t reserve(const symbi_browser *b)
{
    int64_t quarter = (b->deadline - b->began) / 4;
    return quarter < 2 * STATE_MS ? quarter : 2 * STATE_MS;
}

/* ---- the commands ---- */

static void navigate(symbi_browser *b)
{
    symbi_browser_where where;
    symbi_err e;
    if (symbi_browser_judge_url(b->scope, arg(b, "url"), false, &where, &e)) {
        b->denied = true;
        sy_do_fail(b, "%s", e.msg);
        end_page(b);
        return;
    }
    step_to(b, SY_STEP_NAVIGATE);
    b->want = sy_cdp_begin(b, "Page.navigate", b->tab);
    sy_cdp_z(b, "{\"url\":");
    sy_cdp_str(b, arg(b, "url"));
    sy_cdp_z(b, "}");
    sy_cdp_end(b);
}

static void insert_text(symbi_browser *b)
{
    step_to(b, SY_STEP_INSERT);
    b->want = sy_cdp_begin(b, "Input.insertText", b->tab);
    sy_cdp_z(b, "{\"text\":");
    sy_cdp_str(b, arg(b, "text"));
    sy_cdp_z(b, "}");
    sy_cdp_end(b);
}

static void evaluate(symbi_browser *b)
{
    step_to(b, SY_STEP_EVAL);
    b->want = sy_cdp_begin(b, "Runtime.evaluate", b->tab);
    sy_cdp_z(b, "{\"returnByValue\":true,\"awaitPromise\":true,\"silent\":true,\"userGesture\":true,\"expression\":");
    sy_cdp_str(b, arg(b, "expression"));
    sy_cdp_z(b, "}");
    sy_cdp_end(b);
}

static bool mode_is(const symbi_browser *b, const char *z) { return sy_str_eqz(symbi_value_str(b->settings, "extract_mode", SY_LIT("accessibility_tree")), z); }

static void begin_command(symbi_browser *b)
{
    switch (b->what) {
    case SY_DO_NAVIGATE: navigate(b); break;
    case SY_DO_SNAPSHOT:
        if (mode_is(b, "accessibility_tree") && !arg(b, "selector").n) ask(b, SY_STEP_TREE, "Accessibility.getFullAXTree", "{}");
        else make_world(b, SY_STEP_WORLD);
        break;
    case SY_DO_TYPE:
        if (arg(b, "selector").n) make_world(b, SY_STEP_WORLD);
        else insert_text(b);
        break;
    case SY_DO_SCREENSHOT: ask(b, SY_STEP_SHOT, "Page.captureScreenshot", "{\"format\":\"png\"}"); break;
    case SY_DO_JS: evaluate(b); break;
    case SY_DO_BACK: ask(b, SY_STEP_HISTORY, "Page.getNavigationHistory", "{}"); break;
    case SY_DO_TABS:
        step_to(b, SY_STEP_TABS);
        b->want = sy_cdp_simple(b, "Target.getTargets", NULL, "{}");
        break;
    default:
        if (b->what == SY_DO_WAIT) {
            b->poll_until = mono(b) + arg_int(b, "timeout_ms", 5000);
            if (b->poll_until > b->deadline - reserve(b)) b->poll_until = b->deadline - reserve(b);
        }
        make_world(b, SY_STEP_WORLD);
        break;
    }
}

static void world_made(symbi_browser *b, const symbi_value *r)
{
    static const int64_t max = SY_CDP_CONTENT;
    const symbi_value *id = symbi_value_getz(r, "executionContextId");
    symbi_str selector = arg(b, "selector"), direction = arg(b, "direction");
    int64_t amount = arg_int(b, "amount", 600);
    b->world = id && id->kind == SYMBI_INT ? id->u.i : 0;
    switch (b->what) {
    case SY_DO_CLICK: call(b, SY_STEP_CALL, f_point, &selector, NULL, true); break;
    case SY_DO_TYPE: call(b, SY_STEP_CALL, f_focus, &selector, NULL, true); break;
    case SY_DO_SUBMIT: call(b, SY_STEP_CALL, f_submit, &selector, NULL, true); break;
    case SY_DO_SNAPSHOT:
        if (mode_is(b, "accessibility_tree")) call(b, SY_STEP_CALL, f_node, &selector, NULL, false);
        else call(b, SY_STEP_CALL, mode_is(b, "html") ? f_html : f_text, &selector, &max, true);
        break;
    case SY_DO_HTML: call(b, SY_STEP_CALL, f_html, &selector, &max, true); break;
    case SY_DO_WAIT: call(b, SY_STEP_CALL, f_there, &selector, NULL, true); break;
    case SY_DO_TIMING: call(b, SY_STEP_CALL, f_timing, NULL, NULL, true); break;
    default:
        if (amount < 0) amount = 0;
        if (amount > 100000) amount = 100000;
        call(b, SY_STEP_CALL, f_scroll, &direction, &amount, true);
        break;
    }
}

static void mouse(symbi_browser *b)
{
    static const char *const kinds[] = { "mouseMoved", "mousePressed", "mouseReleased" };
    if (b->mouse == 3) {
        settle(b);
        return;
    }
    step_to(b, SY_STEP_MOUSE);
    b->want = sy_cdp_begin(b, "Input.dispatchMouseEvent", b->tab);
    sy_buf_addf(&b->out, "{\"type\":\"%s\",\"x\":%lld,\"y\":%lld,\"button\":\"%s\",\"buttons\":%d,\"clickCount\":%d}", kinds[b->mouse], (long long)b->x, (long long)b->y,
        b->mouse ? "left" : "none", b->mouse == 1, b->mouse != 0);
    sy_cdp_end(b);
    b->mouse++;
}

static bool coordinate(const symbi_value *v, double *out)
{
    if (!v || (v->kind != SYMBI_INT && v->kind != SYMBI_DOUBLE)) return false;
    *out = v->kind == SYMBI_INT ? (double)v->u.i : v->u.d;
    return *out >= 0 && *out < 100000;
}

/* What a function of ours gave. */
static void called(symbi_browser *b, const symbi_value *r)
{
    const symbi_value *thrown = symbi_value_getz(r, "exceptionDetails"), *object = symbi_value_getz(r, "result"), *v = symbi_value_getz(object, "value");
    symbi_str error = symbi_value_str(v, "error", SY_LIT("")), node = symbi_value_str(object, "objectId", SY_LIT(""));
    if (thrown) error = symbi_value_str(symbi_value_getz(thrown, "exception"), "description", symbi_value_str(thrown, "text", SY_LIT("the page refused")));
    if (error.n) {
        const char *nl = memchr(error.p, '\n', error.n);
        if (nl) error.n = (size_t)(nl - error.p);
        sy_do_fail(b, "%.*s", SY_FMT(error));
        end_page(b);
        return;
    }
    switch (b->what) {
    case SY_DO_CLICK:
        if (!coordinate(symbi_value_getz(v, "x"), &b->x) || !coordinate(symbi_value_getz(v, "y"), &b->y)) {
            sy_do_fail(b, "the element is nowhere on the page");
            end_page(b);
            return;
        }
        b->mouse = 0;
        mouse(b);
        return;
    case SY_DO_TYPE: insert_text(b); return;
    case SY_DO_SUBMIT: settle(b); return;
    case SY_DO_WAIT: {
        const symbi_value *ok = symbi_value_getz(v, "ok");
        if (ok && ok->kind == SYMBI_BOOL && ok->u.b) end_page(b);
        else step_to(b, SY_STEP_POLL);
        return;
    }
    case SY_DO_SNAPSHOT:
        if (mode_is(b, "accessibility_tree")) {
            if (!node.n) {
                symbi_str s = arg(b, "selector");
                sy_do_fail(b, "no element matches %.*s", SY_FMT(s));
                end_page(b);
                return;
            }
            step_to(b, SY_STEP_TREE);
            b->want = sy_cdp_begin(b, "Accessibility.queryAXTree", b->tab);
            sy_cdp_z(b, "{\"objectId\":");
            sy_cdp_str(b, node);
            sy_cdp_z(b, "}");
            sy_cdp_end(b);
            return;
        }
        /* fall through */
    case SY_DO_HTML: {
        const symbi_value *cut = symbi_value_getz(v, "cut");
        set_content(b, symbi_value_str(v, "text", SY_LIT("")), cut && cut->kind == SYMBI_BOOL && cut->u.b);
        break;
    }
    default: set_value(b, symbi_value_getz(v, "value")); break;
    }
    end_page(b);
}

static void evaluated(symbi_browser *b, const symbi_value *r)
{
    const symbi_value *thrown = symbi_value_getz(r, "exceptionDetails");
    if (thrown) {
        symbi_str why = symbi_value_str(symbi_value_getz(thrown, "exception"), "description", symbi_value_str(thrown, "text", SY_LIT("unknown")));
        sy_do_fail(b, "the script failed: %.*s", SY_FMT(why));
    } else {
        set_value(b, deep(r, "result", "value"));
    }
    settle(b);
}

static void took_picture(symbi_browser *b, const symbi_value *r)
{
    symbi_str data = symbi_value_str(r, "data", SY_LIT(""));
    size_t room = sy_base64_decoded_max(data.n), n = 0;
    char *p;
    sy_buf_clear(&b->picture);
    p = data.n && room <= PICTURE_MAX ? sy_buf_reserve(&b->picture, room) : NULL;
    if (p && !sy_base64_decode(data, SY_BASE64, p, &n, NULL) && n > 8 && !memcmp(p, "\x89PNG\r\n\x1a\n", 8)) sy_buf_commit(&b->picture, n);
    else sy_do_fail(b, "the browser gave no picture");
    end_page(b);
}

static const symbi_value *entry_at(const symbi_value *r, int64_t offset, int64_t *index)
{
    const symbi_value *now = symbi_value_getz(r, "currentIndex"), *list = symbi_value_getz(r, "entries");
    if (!now || now->kind != SYMBI_INT || !list || list->kind != SYMBI_ARRAY || now->u.i < 0 || now->u.i > 10000) return NULL;
    *index = now->u.i + offset;
    return *index >= 0 && (size_t)*index < list->u.a.n ? &list->u.a.items[*index] : NULL;
}

static void go_back(symbi_browser *b, const symbi_value *r)
{
    int64_t at;
    const symbi_value *e = entry_at(r, -1, &at), *id = symbi_value_getz(e, "id");
    symbi_str url = symbi_value_str(e, "url", SY_LIT(""));
    symbi_browser_where where;
    symbi_err why;
    if (!e || !id || id->kind != SYMBI_INT) {
        sy_do_fail(b, "there is no page before this one");
        end_page(b);
        return;
    }
    if (!sy_str_eqz(url, "about:blank") && symbi_browser_judge_url(b->scope, url, false, &where, &why)) {
        b->denied = true;
        sy_do_fail(b, "%s", why.msg);
        end_page(b);
        return;
    }
    step_to(b, SY_STEP_GO);
    b->want = sy_cdp_begin(b, "Page.navigateToHistoryEntry", b->tab);
    sy_buf_addf(&b->out, "{\"entryId\":%lld}", (long long)id->u.i);
    sy_cdp_end(b);
}

static void tabs(symbi_browser *b, const symbi_value *r)
{
    const symbi_value *list = symbi_value_getz(r, "targetInfos");
    sy_arr out = sy_arr_new(&b->a);
    for (size_t i = 0; list && list->kind == SYMBI_ARRAY && i < list->u.a.n && i < 1000; i++) {
        const symbi_value *v = &list->u.a.items[i];
        symbi_str id = symbi_value_str(v, "targetId", SY_LIT("")), url = symbi_value_str(v, "url", SY_LIT("")), title = symbi_value_str(v, "title", SY_LIT(""));
        sy_obj o = sy_obj_new(&b->a);
        symbi_browser_where where;
        sy_target *t = b->targets;
        while (t && !(t->kind == SY_TARGET_PAGE && id.n && sy_str_eqz(id, t->target.s))) t = t->next;
        if (!t || t->closing) continue;
        if (!sy_str_eqz(url, "about:blank") && symbi_browser_judge_url(b->scope, url, false, &where, NULL)) url = title = SY_LIT("");
        title.n = sy_utf8_cut(title, 300);
        url.n = sy_utf8_cut(url, SY_CDP_URL);
        sy_obj_bool(&o, "active", t == b->tab);
        sy_obj_str(&o, "title", sy_arena_dup(&b->a, title));
        sy_obj_str(&o, "url", sy_arena_dup(&b->a, url));
        sy_arr_add(&out, sy_obj_value(&o));
    }
    b->content = sy_arr_value(&out);
    b->has_content = true;
    end_page(b);
}

/* ---- the end of a command ---- */

static void history_came(symbi_browser *b, const symbi_value *r)
{
    int64_t at;
    const symbi_value *e = entry_at(r, 0, &at);
    symbi_str url = symbi_value_str(e, "url", SY_LIT("")), title = symbi_value_str(e, "title", SY_LIT(""));
    symbi_browser_where where;
    sy_scope_host h;
    symbi_err why;
    if (url.n && !sy_str_eqz(url, "about:blank") && symbi_browser_judge_url(b->scope, url, false, &where, &why)) {
        /* nothing of such a page is handed out */
        b->denied = true;
        b->has_content = false;
        sy_buf_clear(&b->picture);
        sy_do_fail(b, "%s", why.msg);
        sy_browser_end(b, "the browser left its scope");
        return;
    }
    copy_cut(b->url, sizeof b->url, url);
    copy_cut(b->title, sizeof b->title, title);
    if (!sy_scope_read(url, &h)) memcpy(b->domain, h.host, h.n + 1);
    make_world(b, SY_STEP_END_WORLD);
}

static bool flag(const symbi_value *v, const char *key)
{
    const symbi_value *f = symbi_value_getz(v, key);
    return f && f->kind == SYMBI_BOOL && f->u.b;
}

static void state_came(symbi_browser *b, const symbi_value *r)
{
    const symbi_value *v = deep(r, "result", "value");
    b->has_forms = flag(v, "forms");
    b->authenticated = flag(v, "auth");
    b->loaded = flag(v, "loaded");
    sy_do_finish(b);
}

static symbi_value page_state(symbi_browser *b, sy_arena *a)
{
    sy_obj o = sy_obj_new(a);
    sy_obj_str(&o, "domain", symbi_str_z(b->domain));
    sy_obj_bool(&o, "has_forms", b->has_forms);
    sy_obj_bool(&o, "is_authenticated", b->authenticated);
    sy_obj_bool(&o, "page_loaded", b->loaded);
    sy_obj_count(&o, "tab_count", sy_browser_pages(b));
    sy_obj_str(&o, "title", symbi_str_z(b->title));
    sy_obj_str(&o, "url", symbi_str_z(b->url));
    return sy_obj_value(&o);
}

void sy_do_finish(symbi_browser *b)
{
    if (!b->plan || b->step == SY_STEP_DONE) return;
    step_to(b, SY_STEP_DONE);
    b->last_used = mono(b);
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
    sy_obj_int(&o, "started_ms", symbi_ctx_now_ms(b->cx) - (mono(b) - b->began));
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

/* ---- step by step ---- */

/* What was asked for was refused. */
static void step_failed(symbi_browser *b, const char *error)
{
    switch (b->step) {
    case SY_STEP_END_HISTORY:
    case SY_STEP_END_WORLD:
    case SY_STEP_END_STATE: /* the page went on meanwhile: there is no state */
        sy_do_finish(b);
        return;
    case SY_STEP_SETTLE: return; /* another page came while we asked this one: that is an answer */
    case SY_STEP_WORLD:
    case SY_STEP_CALL:
        if (b->what == SY_DO_WAIT) { /* a new page came: look again */
            step_to(b, SY_STEP_POLL);
            return;
        }
        break;
    case SY_STEP_MOUSE: /* a click that leads away may lose its answer */
        if (b->mouse == 3) {
            settle(b);
            return;
        }
        break;
    default: break;
    }
    sy_do_fail(b, "%s", error);
    end_page(b);
}

/* Is something under way in a tab? */
static bool tab_busy(const symbi_browser *b, const sy_target *t, int64_t now)
{
    if (!t->ready) return true;
    if (t->closing || t->asked) return now - t->changed_at < ANNOUNCED_MS;
    if (t->loading) return t == b->tab || t->begun || now - t->changed_at < ANNOUNCED_MS;
    return false;
}

/* A window that opened is where a person would look next, once there is a page in it. */
static void to_front(symbi_browser *b)
{
    for (sy_target *t = b->targets; t; t = t->next)
        if (t->kind == SY_TARGET_PAGE && t->was_somewhere && !t->closing && t->order > b->tab->order) b->tab = t;
}

static bool is_quiet(const symbi_browser *b, int64_t now)
{
    const sy_target *tab = b->tab;
    if (now - b->step_at < SETTLE_MS || (b->want && now - b->looked_at < HANGS_MS) || (b->popups && now - b->popup_at < ANNOUNCED_MS)) return false;
    for (const sy_target *t = b->targets; t; t = t->next)
        if (t->kind == SY_TARGET_PAGE && (t == tab || t->order > tab->order) && tab_busy(b, t, now)) return false;
    return b->denied || tab->stopped_at < b->began || tab->idle || now - tab->stopped_at > IDLE_MS;
}

/* Over when nothing is under way, and the page, asked after that, says that nothing began meanwhile. */
static void settling(symbi_browser *b, int64_t now)
{
    bool late = now - b->step_at > SETTLE_MAX_MS || now > b->deadline - reserve(b);
    to_front(b);
    if (!late && !is_quiet(b, now)) return;
    if (late || b->want || (b->looked && b->news == b->news_asked)) {
        end_page(b);
        return;
    }
    b->looked = true;
    look(b);
}

static void replied(symbi_browser *b, const symbi_value *r)
{
    symbi_str auth = symbi_value_str(b->settings, "authenticated_selector", SY_LIT("")), text;
    const symbi_value *id;
    bool cut;
    switch (b->step) {
    case SY_STEP_NAVIGATE:
        text = symbi_value_str(r, "errorText", SY_LIT(""));
        if (flag(r, "isDownload")) sy_do_fail(b, "the address is a download; downloads are refused");
        else if (text.n && !b->denied) sy_do_fail(b, "the page could not be loaded: %.*s", SY_FMT(text));
        settle(b);
        break;
    case SY_STEP_WORLD: world_made(b, r); break;
    case SY_STEP_CALL: called(b, r); break;
    case SY_STEP_SETTLE: settling(b, mono(b)); break;
    case SY_STEP_MOUSE: mouse(b); break;
    case SY_STEP_INSERT: settle(b); break;
    case SY_STEP_GO:
        b->tab->asked = true;
        b->tab->changed_at = mono(b);
        settle(b);
        break;
    case SY_STEP_HISTORY: go_back(b, r); break;
    case SY_STEP_TREE:
        text = sy_ax_text(b->cx, &b->a, symbi_value_getz(r, "nodes"), SY_CDP_CONTENT, &cut);
        b->content = sy_val_str(text);
        b->has_content = text.p != NULL;
        b->truncated = cut;
        end_page(b);
        break;
    case SY_STEP_SHOT: took_picture(b, r); break;
    case SY_STEP_EVAL: evaluated(b, r); break;
    case SY_STEP_TABS: tabs(b, r); break;
    case SY_STEP_END_HISTORY: history_came(b, r); break;
    case SY_STEP_END_WORLD:
        id = symbi_value_getz(r, "executionContextId");
        b->world = id && id->kind == SYMBI_INT ? id->u.i : 0;
        call(b, SY_STEP_END_STATE, f_state, &auth, NULL, true);
        break;
    case SY_STEP_END_STATE: state_came(b, r); break;
    default: break;
    }
}

/* No tab to ask: everything but waiting for one is over. */
static bool without_tab(symbi_browser *b)
{
    if (b->tab || b->step <= SY_STEP_UP || b->step == SY_STEP_DONE) return false;
    sy_do_fail(b, "the tab was closed");
    sy_do_finish(b);
    return true;
}

void sy_do_advance(symbi_browser *b, const symbi_value *result, const char *error)
{
    int64_t now = mono(b);
    if (!b->plan || b->step == SY_STEP_DONE || b->step == SY_STEP_NONE || without_tab(b)) return;
    if (error) {
        step_failed(b, error);
        return;
    }
    if (result) {
        replied(b, result);
        return;
    }
    if (b->step == SY_STEP_UP && b->tab && b->tab->ready && !b->tab->closing) begin_command(b);
    else if (b->step == SY_STEP_SETTLE) settling(b, now);
    else if (b->step == SY_STEP_POLL && now >= b->poll_until) {
        symbi_str s = arg(b, "selector");
        sy_do_fail(b, "nothing matched %.*s in time", SY_FMT(s));
        end_page(b);
    } else if (b->step == SY_STEP_POLL && now - b->step_at >= POLL_MS) make_world(b, SY_STEP_WORLD);
    else if (b->step >= SY_STEP_END_HISTORY && b->step < SY_STEP_DONE && now - b->step_at > STATE_MS) sy_do_finish(b);
}

static void out_of_time(symbi_browser *b, const char *what, int64_t ms)
{
    char text[120];
    snprintf(text, sizeof text, "%s within %lld ms", what, (long long)ms);
    b->timed_out = true;
    b->error[0] = 0;
    sy_do_fail(b, "%s", text);
    sy_browser_end(b, text); /* a page that hangs would hold up whatever comes next */
    sy_do_finish(b);
}

symbi_status symbi_browser_tick(symbi_browser *b, symbi_err *err)
{
    int64_t now = mono(b);
    symbi_err_clear(err);
    if (b->plan && b->step != SY_STEP_DONE && b->step != SY_STEP_NONE) {
        if (b->step == SY_STEP_UP && now - b->step_at > b->startup_ms) out_of_time(b, "the browser did not start", b->startup_ms);
        else if (now > b->deadline) out_of_time(b, "the command did not end", b->deadline - b->began);
        else sy_do_advance(b, NULL, NULL);
    }
    return sy_buf_status(&b->out) == SYMBI_ENOMEM || b->a.status == SYMBI_ENOMEM ? sy_fail_nomem(err) : SYMBI_OK;
}

int64_t symbi_browser_due(const symbi_browser *b)
{
    int64_t now = mono(b), at;
    if (!b->plan || b->step == SY_STEP_DONE || b->step == SY_STEP_NONE) return -1;
    at = b->deadline + 1;
    if (b->step == SY_STEP_UP) at = b->step_at + b->startup_ms + 1;
    else if (b->step == SY_STEP_SETTLE) at = b->step_at + SETTLE_MS > now ? b->step_at + SETTLE_MS : now + 50;
    else if (b->step == SY_STEP_POLL) at = b->step_at + POLL_MS;
    else if (b->step >= SY_STEP_END_HISTORY) at = b->step_at + STATE_MS + 1;
    if (at > b->deadline + 1) at = b->deadline + 1;
    return at > now ? at - now : 0;
}
