/* run/model_acc.c: the collector of one answer. Every limit on what a model may say is applied here: size of the answer,
 * number of calls, size of their arguments. A call is only handed on when it is complete, under an id that is its own. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "base/utf8.h"
#include "run/model_in.h"
#include "symbi/json.h"

#include <stdarg.h>
#include <stdio.h>

enum { ID_MAX = 256, NAME_MAX_BYTES = 256, KEY_MIN = 4 };

void sy_model_acc_init(sy_model_acc *k, symbi_ctx *cx, symbi_str key, uint64_t turn)
{
    memset(k, 0, sizeof *k);
    k->cx = cx;
    k->key = key;
    k->turn = turn;
    sy_arena_init(&k->arena, cx->alloc, cx->limits.arena_bytes);
    sy_buf_init(&k->content, cx->alloc, cx->limits.model_response);
}

void sy_model_acc_free(sy_model_acc *k)
{
    for (size_t i = 0; i < k->ncalls; i++) sy_buf_free(&k->calls[i].args);
    if (k->calls) sy_free(&k->cx->alloc, k->calls, k->cap * sizeof *k->calls);
    k->calls = NULL;
    k->ncalls = k->cap = 0;
    sy_buf_free(&k->content);
    sy_arena_free(&k->arena);
}

/* ---- messages ----------------------------------------------------------------------------------------------------- */

symbi_status sy_model_fail(sy_model_acc *k, sy_model_fault_kind kind, symbi_err *err, const char *fmt, ...)
{
    static const char *const prefix[] = { "Provider error: ", "Rate limited, ", "Context window exceeded: ", "Model not available: ",
        "Invalid request: ", "Timeout after ", "Response parse error: " };
    char text[700];
    va_list ap;
    k->fault.kind = kind;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return sy_fail(err, kind == SY_FAULT_TIMEOUT ? SYMBI_ETIMEOUT : SYMBI_EPROVIDER, "%s%s", prefix[kind], text);
}

static bool key_at(symbi_str key, symbi_str text, size_t i)
{
    return key.n >= KEY_MIN && text.n - i >= key.n && memcmp(text.p + i, key.p, key.n) == 0;
}

void sy_model_quote(symbi_str key, symbi_str text, char out[SY_MODEL_QUOTE + 1])
{
    size_t o = 0, i = 0;
    bool gap = false;
    while (i < text.n && o < SY_MODEL_QUOTE) {
        uint32_t cp;
        size_t n;
        if (key_at(key, text, i)) {
            if (SY_MODEL_QUOTE - o < 6) break;
            if (gap) out[o++] = ' ';
            memcpy(out + o, "[key]", 5);
            o += 5;
            i += key.n;
            gap = false;
            continue;
        }
        n = sy_utf8_next(text.p + i, text.n - i, &cp);
        if (n && (cp == ' ' || cp == '\n' || cp == '\r' || cp == '\t')) {
            gap = o > 0;
            i += n;
            continue;
        }
        if (gap) out[o++] = ' ', gap = false;
        if (!n || cp < 0x20 || cp == 0x7f) {
            if (o < SY_MODEL_QUOTE) out[o++] = '?';
            i += n ? n : 1;
            continue;
        }
        if (n > SY_MODEL_QUOTE - o) break;
        memcpy(out + o, text.p + i, n);
        o += n;
        i += n;
    }
    out[o] = 0;
}

static void scrub_field(symbi_str key, char *p)
{
    size_t n = strlen(p);
    for (size_t i = 0; i + key.n <= n;) {
        if (memcmp(p + i, key.p, key.n)) {
            i++;
            continue;
        }
        memset(p + i, '*', key.n);
        i += key.n;
    }
}

void sy_model_scrub(symbi_str key, symbi_err *err)
{
    if (!err || key.n < KEY_MIN) return;
    scrub_field(key, err->msg);
    scrub_field(key, err->path);
}

symbi_str sy_model_error_text(const symbi_value *root)
{
    const symbi_value *e = symbi_value_getz(root, "error");
    symbi_str none = { "", 0 };
    if (e && e->kind == SYMBI_STRING) return e->u.s;
    if (e && e->kind == SYMBI_OBJECT) return symbi_value_str(e, "message", symbi_value_str(e, "type", none));
    return symbi_value_str(root, "message", symbi_value_str(root, "detail", none));
}

/* ---- filling ------------------------------------------------------------------------------------------------------ */

static symbi_status over(sy_model_acc *k, symbi_err *err, const char *what, size_t max, const char *unit)
{
    k->over = true;
    return sy_model_fail(k, SY_FAULT_PARSE, err, "%s than %zu %s", what, max, unit);
}

static symbi_status count(sy_model_acc *k, size_t n, symbi_err *err)
{
    size_t max = k->cx->limits.model_response;
    if (k->bytes > max || n > max - k->bytes) return over(k, err, "the answer is larger", max, "bytes");
    k->bytes += n;
    return SYMBI_OK;
}

symbi_status sy_model_text(sy_model_acc *k, symbi_str s, symbi_err *err)
{
    symbi_status st = count(k, s.n, err);
    if (st) return st;
    sy_buf_adds(&k->content, s);
    return sy_buf_status(&k->content) ? sy_fail_nomem(err) : SYMBI_OK;
}

static symbi_status keep(sy_model_acc *k, symbi_str s, symbi_str *out, symbi_err *err)
{
    symbi_status st = count(k, s.n, err);
    symbi_str copy;
    if (st) return st;
    copy = sy_arena_dup(&k->arena, s);
    if (!copy.p) return sy_fail_nomem(err);
    *out = copy;
    return SYMBI_OK;
}

symbi_status sy_model_call(sy_model_acc *k, int64_t index, symbi_str id, symbi_str name, sy_acc_call **out, symbi_err *err)
{
    size_t max = k->cx->limits.tool_calls_per_turn;
    sy_acc_call c = { .index = index };
    symbi_status st;
    *out = NULL;
    if (k->ncalls >= max) return over(k, err, "the answer has more", max, "tool calls");
    st = keep(k, id, &c.id, err);
    if (!st) st = keep(k, name, &c.name, err);
    if (st) return st;
    if (sy_grow(&k->cx->alloc, (void **)&k->calls, &k->cap, k->ncalls + 1, sizeof *k->calls)) return sy_fail_nomem(err);
    sy_buf_init(&c.args, k->cx->alloc, k->cx->limits.arg_bytes);
    k->calls[k->ncalls] = c;
    *out = &k->calls[k->ncalls++];
    return SYMBI_OK;
}

symbi_status sy_model_args(sy_model_acc *k, sy_acc_call *c, symbi_str piece, symbi_err *err)
{
    symbi_status st = count(k, piece.n, err);
    if (st) return st;
    sy_buf_adds(&c->args, piece);
    if (sy_buf_status(&c->args) == SYMBI_ELIMIT)
        return over(k, err, "the arguments of one tool call are larger", k->cx->limits.arg_bytes, "bytes");
    return sy_buf_status(&c->args) ? sy_fail_nomem(err) : SYMBI_OK;
}

symbi_status sy_model_args_value(sy_model_acc *k, sy_acc_call *c, const symbi_value *v, symbi_err *err)
{
    symbi_text text;
    symbi_status st;
    if (!v || v->kind == SYMBI_NULL) return SYMBI_OK;
    if (v->kind == SYMBI_STRING) return sy_model_args(k, c, v->u.s, err);
    st = symbi_json_write(k->cx, v, 0, &text, err);
    if (st == SYMBI_ENOMEM) return st;
    if (st) return sy_model_fail(k, SY_FAULT_PARSE, err, "the arguments of tool call %zu cannot be written as JSON", (size_t)(c - k->calls) + 1);
    st = sy_model_args(k, c, symbi_text_str(&text), err);
    symbi_text_free(&text);
    return st;
}

symbi_status sy_model_set_model(sy_model_acc *k, symbi_str name, symbi_err *err)
{
    if (!name.n || k->model.n) return SYMBI_OK; /* a stream repeats it in every event */
    return keep(k, name, &k->model, err);
}

uint64_t sy_model_count(const symbi_value *usage, const char *name)
{
    const symbi_value *v = symbi_value_getz(usage, name);
    const uint64_t max = UINT64_C(1) << 53;
    if (!v) return 0;
    if (v->kind == SYMBI_INT) return v->u.i < 0 || (uint64_t)v->u.i > max ? 0 : (uint64_t)v->u.i;
    if (v->kind == SYMBI_DOUBLE && v->u.d >= 0 && v->u.d <= (double)max) return (uint64_t)v->u.d;
    return 0;
}

/* ---- handing on --------------------------------------------------------------------------------------------------- */

/* An id that may stand in a request, a log and an audit entry as it is. */
static bool usable_id(symbi_str id)
{
    if (!id.n || id.n > ID_MAX) return false;
    for (size_t i = 0; i < id.n; i++)
        if ((unsigned char)id.p[i] <= 0x20 || (unsigned char)id.p[i] >= 0x7f) return false;
    return true;
}

static symbi_status new_id(sy_model_acc *k, sy_arena *a, sy_map *seen, size_t i, symbi_str *id, symbi_err *err)
{
    char text[64];
    for (size_t try = 0;; try++) { /* ends: there are at most as many taken ids as calls */
        bool fresh;
        symbi_str s;
        if (!try) snprintf(text, sizeof text, "call_%llu_%zu", (unsigned long long)k->turn, i);
        else snprintf(text, sizeof text, "call_%llu_%zu_%zu", (unsigned long long)k->turn, i, try);
        if (sy_map_find(seen, symbi_str_z(text))) continue;
        s = sy_arena_dup(a, symbi_str_z(text));
        if (!s.p) return sy_arena_fail(a, "the answer", err);
        if (!sy_map_put(seen, s, &fresh)) return sy_fail_nomem(err);
        *id = s;
        return SYMBI_OK;
    }
}

/* The first call to use a good id keeps it; every other gets one made from turn and position. */
static symbi_status unique_ids(sy_model_acc *k, sy_arena *a, sy_call *calls, size_t n, symbi_err *err)
{
    sy_map seen;
    bool *own = sy_arena_calloc(a, n, sizeof *own);
    symbi_status st = SYMBI_OK;
    if (!own) return sy_arena_fail(a, "the answer", err);
    sy_map_init(&seen, k->cx->alloc, k->cx->seed);
    for (size_t i = 0; i < n && !st; i++)
        if (usable_id(calls[i].id) && !sy_map_put(&seen, calls[i].id, &own[i])) st = sy_fail_nomem(err);
    for (size_t i = 0; i < n && !st; i++)
        if (!own[i]) st = new_id(k, a, &seen, i, &calls[i].id, err);
    sy_map_free(&seen);
    return st;
}

static bool blank(symbi_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\n' && s.p[i] != '\r') return false;
    return true;
}

static symbi_status fill(sy_model_acc *k, symbi_str default_model, sy_model_response *out, symbi_err *err)
{
    sy_arena *a = &out->arena_;
    sy_call *calls = sy_arena_calloc(a, k->ncalls, sizeof *calls);
    size_t n = 0;
    if (!calls) return sy_arena_fail(a, "the answer", err);
    for (size_t i = 0; i < k->ncalls; i++) {
        sy_acc_call *c = &k->calls[i];
        symbi_str args = sy_buf_str(&c->args);
        if (!c->name.n || c->name.n > NAME_MAX_BYTES) {
            out->skipped++;
            continue;
        }
        calls[n].id = sy_arena_dup(a, c->id);
        calls[n].name = sy_arena_dup(a, c->name);
        calls[n].arguments = sy_arena_dup(a, blank(args) ? SY_LIT("{}") : args);
        n++;
    }
    out->skipped += k->skipped;
    if (out->skipped) sy_log(k->cx, SYMBI_LOG_WARN, "model", "%zu proposed tool calls without a usable name were left out", out->skipped);
    out->calls = calls;
    out->ncalls = n;
    out->content = sy_arena_dup(a, sy_buf_str(&k->content));
    out->model = sy_arena_dup(a, k->model.n ? k->model : default_model);
    if (a->status) return sy_arena_fail(a, "the answer", err);
    out->finish = k->refused ? SY_FINISH_REFUSAL : k->has_finish ? k->finish : n ? SY_FINISH_TOOL_CALLS : SY_FINISH_STOP;
    out->has_usage = k->has_usage;
    out->prompt_tokens = k->prompt;
    out->completion_tokens = k->completion;
    out->total_tokens = k->total;
    return unique_ids(k, a, calls, n, err);
}

symbi_status sy_model_acc_finish(sy_model_acc *k, symbi_str default_model, sy_model_response *out, symbi_err *err)
{
    symbi_status st;
    memset(out, 0, sizeof *out);
    sy_arena_init(&out->arena_, k->cx->alloc, k->cx->limits.arena_bytes);
    st = fill(k, default_model, out, err);
    if (st) sy_model_response_free(out);
    return st;
}
