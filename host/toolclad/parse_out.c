/* toolclad/parse_out.c: tool output as results (spec toolclad.md 9.5): text, json, jsonl, csv, xml, nmap. What does not parse stands as
 * raw_output with a reason: a run is never lost because its output was not what the manifest promised. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/build.h"
#include "symbi/json.h"
#include "toolclad/tool.h"
#include "toolclad/types.h"
#include "toolclad/xml.h"

symbi_str sy_utf8_lossy(sy_arena *a, symbi_str raw)
{
    size_t bad = 0, n = 0, i = 0;
    char *o;
    uint32_t cp;
    if (sy_utf8_valid(raw, NULL)) return sy_arena_dup(a, raw);
    for (i = 0; i < raw.n;) {
        size_t k = sy_utf8_next(raw.p + i, raw.n - i, &cp);
        if (!k) bad++, k = 1;
        i += k;
    }
    o = sy_arena_alloc(a, raw.n + 2 * bad + 1);
    if (!o) return (symbi_str){ NULL, 0 };
    for (i = 0; i < raw.n;) {
        size_t k = sy_utf8_next(raw.p + i, raw.n - i, &cp);
        if (k) memcpy(o + n, raw.p + i, k), n += k, i += k;
        else memcpy(o + n, "\xef\xbf\xbd", 3), n += 3, i++;
    }
    o[n] = 0;
    return (symbi_str){ o, n };
}

/* ---- JSON as tools write it: as strict as ours, but a repeated key takes its last value ---- */

typedef struct loose {
    symbi_ctx *cx;
    symbi_json_reader r;
    sy_arena *arena;
    symbi_err *err;
    size_t nodes;
} loose;

static symbi_str loose_text(loose *l, const symbi_json_token *t)
{
    char *o;
    symbi_str s;
    if (!t->escaped) return sy_arena_dup(l->arena, t->u.s);
    o = sy_arena_alloc(l->arena, t->u.s.n + 1);
    if (!o) return (symbi_str){ NULL, 0 };
    s.p = o;
    s.n = symbi_json_unescape(t->u.s, o);
    o[s.n] = 0;
    return s;
}

static symbi_status loose_value(loose *l, const symbi_json_token *t, symbi_value *out);

static symbi_status loose_object(loose *l, symbi_value *out)
{
    sy_obj o = sy_obj_new(l->arena);
    sy_map seen;
    symbi_json_token t;
    symbi_status st;
    sy_map_init(&seen, l->cx->alloc, l->cx->seed);
    while (!(st = symbi_json_next(&l->r, &t, l->err)) && t.event == SYMBI_JSON_KEY) {
        symbi_str key = loose_text(l, &t);
        symbi_value v = sy_val_null();
        sy_map_entry *e;
        bool fresh;
        if (!key.p || !(e = sy_map_put(&seen, key, &fresh))) {
            st = sy_fail_nomem(l->err);
            break;
        }
        if ((st = symbi_json_next(&l->r, &t, l->err)) || (st = loose_value(l, &t, &v))) break;
        e = sy_map_find(&seen, key);
        if (fresh) {
            e->val.u = o.n;
            sy_obj_puts(&o, key, v);
            if (l->arena->status) {
                st = sy_arena_fail(l->arena, "the output", l->err);
                break;
            }
        } else {
            o.m[e->val.u].val = v;
        }
    }
    sy_map_free(&seen);
    *out = sy_obj_value(&o);
    return st;
}

static symbi_status loose_value(loose *l, const symbi_json_token *t, symbi_value *out)
{
    symbi_status st;
    symbi_json_token item;
    memset(out, 0, sizeof *out);
    if (++l->nodes > l->cx->limits.doc_nodes) return sy_fail(l->err, SYMBI_ELIMIT, "more than %zu values (doc_nodes)", l->cx->limits.doc_nodes);
    switch ((symbi_json_event)t->event) {
    case SYMBI_JSON_NULL: return SYMBI_OK;
    case SYMBI_JSON_BOOL: *out = sy_val_bool(t->u.b); return SYMBI_OK;
    case SYMBI_JSON_INT: *out = sy_val_int(t->u.i); return SYMBI_OK;
    case SYMBI_JSON_DOUBLE: *out = sy_val_double(t->u.d); return SYMBI_OK;
    case SYMBI_JSON_BIGINT_TEXT: /* its digits as text: exact, where a double would round */
    case SYMBI_JSON_STRING:
        *out = sy_val_str(t->event == SYMBI_JSON_STRING ? loose_text(l, t) : sy_arena_dup(l->arena, t->u.s));
        return out->u.s.p ? SYMBI_OK : sy_arena_fail(l->arena, "the output", l->err);
    case SYMBI_JSON_OBJECT: return loose_object(l, out);
    case SYMBI_JSON_ARRAY: {
        sy_arr a = sy_arr_new(l->arena);
        symbi_value v;
        while (!(st = symbi_json_next(&l->r, &item, l->err)) && item.event != SYMBI_JSON_END) {
            if ((st = loose_value(l, &item, &v))) return st;
            sy_arr_add(&a, v);
            if (l->arena->status) return sy_arena_fail(l->arena, "the output", l->err);
        }
        *out = sy_arr_value(&a);
        return st;
    }
    default: return sy_fail(l->err, SYMBI_EPARSE, "a value is missing");
    }
}

/* Results stand inside an envelope, and that inside an entry: what is as deep as a document may be would no longer fit, and the run be lost. */
size_t sy_output_depth(const symbi_ctx *cx)
{
    size_t depth = cx->limits.doc_depth < 500 ? cx->limits.doc_depth : 500;
    return depth > 8 ? depth - 8 : 1;
}

/* depth of the document is bounded by the reader, and with it the recursion above. */
static symbi_status parse_json(symbi_ctx *cx, symbi_str text, sy_arena *arena, symbi_value *out, symbi_err *err)
{
    loose l;
    symbi_json_token t;
    symbi_status st;
    size_t depth = sy_output_depth(cx);
    l.cx = cx;
    l.arena = arena;
    l.err = err;
    l.nodes = 0;
    symbi_json_reader_init(&l.r, text, depth, SYMBI_JSON_BIGINT);
    if ((st = symbi_json_next(&l.r, &t, err)) || (st = loose_value(&l, &t, out)) || (st = symbi_json_next(&l.r, &t, err))) return st;
    return SYMBI_OK;
}

/* ---- csv ---- */

static symbi_str trim(symbi_str s)
{
    while (s.n && memchr(" \t\r\n", s.p[0], 4)) s.p++, s.n--;
    while (s.n && memchr(" \t\r\n", s.p[s.n - 1], 4)) s.n--;
    return s;
}

static bool ieq(symbi_str a, const char *z)
{
    size_t i;
    for (i = 0; i < a.n && z[i]; i++)
        if ((a.p[i] | 32) != z[i]) return false;
    return i == a.n && !z[i];
}

static symbi_value infer(symbi_str s)
{
    size_t i = 0, whole = 0, frac = 0;
    symbi_value v;
    symbi_json_reader r;
    symbi_json_token t;
    double d;
    symbi_str body = s;
    if (ieq(s, "true") || ieq(s, "false")) return sy_val_bool((s.p[0] | 32) == 't');
    if (i < s.n && s.p[i] == '-') i++;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') i++, whole++;
    if (whole && i < s.n && s.p[i] == '.') {
        for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) frac++;
        if (!frac) return sy_val_str(s);
    }
    if (!whole || i < s.n) return sy_val_str(s);
    /* leading zeros are legal here (007 is 7) */
    if (body.p[0] == '-') body.p++, body.n--;
    while (body.n > 1 && body.p[0] == '0' && body.p[1] != '.') body.p++, body.n--;
    symbi_json_reader_init(&r, body, 1, SYMBI_JSON_BIGINT);
    if (symbi_json_next(&r, &t, NULL)) return sy_val_str(s);
    v = sy_val_str(s);
    if (t.event == SYMBI_JSON_INT) v = sy_val_int(s.p[0] == '-' ? -t.u.i : t.u.i);
    else if (t.event == SYMBI_JSON_DOUBLE && symbi_json_number(body, &d)) v = sy_val_double(s.p[0] == '-' ? -d : d);
    return v;
}

typedef struct csv {
    symbi_str s;
    size_t i;
    char sep;
    sy_arena *arena;
    symbi_str *f; /* fields of the present row */
    size_t n, cap;
} csv;

static bool csv_push(csv *c, symbi_str f)
{
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 16;
        symbi_str *n = sy_arena_calloc(c->arena, cap, sizeof *n);
        if (!n) return false;
        if (c->n) memcpy(n, c->f, c->n * sizeof *n);
        c->f = n;
        c->cap = cap;
    }
    c->f[c->n++] = f;
    return true;
}

/* One field; quotes as in RFC 4180 where the field begins with one. */
static bool csv_field(csv *c)
{
    char *o;
    size_t n = 0, from = c->i, rest, to;
    while (from < c->s.n && (c->s.p[from] == ' ' || (c->s.p[from] == '\t' && c->sep != '\t'))) from++;
    if (from >= c->s.n || c->s.p[from] != '"') {
        from = c->i;
        while (c->i < c->s.n && c->s.p[c->i] != c->sep && c->s.p[c->i] != '\n') c->i++;
        return csv_push(c, sy_trim_space((symbi_str){ c->s.p + from, c->i - from }));
    }
    c->i = from + 1;
    for (from = c->i; from < c->s.n; from++) /* room: up to the closing quote */
        if (c->s.p[from] == '"' && (from + 1 >= c->s.n || c->s.p[from + 1] != '"')) break;
        else if (c->s.p[from] == '"') from++;
    if (from > c->s.n) from = c->s.n;
    rest = from < c->s.n ? from + 1 : from;
    for (to = rest; to < c->s.n && c->s.p[to] != c->sep && c->s.p[to] != '\n';) to++;
    o = sy_arena_alloc(c->arena, from - c->i + (to - rest) + 1);
    if (!o) return false;
    while (c->i < from) {
        if (c->s.p[c->i] == '"') c->i++; /* the first of two */
        if (c->i < from) o[n++] = c->s.p[c->i++];
    }
    memcpy(o + n, c->s.p + rest, to - rest); /* text behind the quote belongs to the field: nothing that a tool printed is lost */
    c->i = to;
    return csv_push(c, sy_trim_space((symbi_str){ o, n + (to - rest) }));
}

/* The next row that is not blank; false at the end or when out of memory. */
static bool csv_row(csv *c)
{
    while (c->i < c->s.n) {
        c->n = 0;
        for (;;) {
            if (!csv_field(c)) return false;
            if (c->i < c->s.n && c->s.p[c->i] == c->sep) {
                c->i++;
                continue;
            }
            break;
        }
        if (c->i < c->s.n) c->i++; /* the newline */
        if (c->n > 1 || c->f[0].n) return true;
    }
    return false;
}

static symbi_status parse_csv(symbi_ctx *cx, symbi_str text, sy_arena *arena, symbi_value *out, symbi_err *err)
{
    csv c = { text, 0, ',', arena, NULL, 0, 0 };
    symbi_str first = { text.p, 0 }, *head;
    size_t nhead, *at;
    sy_arr rows = sy_arr_new(arena);
    sy_map names;
    symbi_status st = SYMBI_OK;
    while (first.n < text.n && text.p[first.n] != '\n') first.n++;
    if (first.n && memchr(first.p, '\t', first.n)) c.sep = '\t';
    else if (first.n && memchr(first.p, '|', first.n) && !memchr(first.p, ',', first.n)) c.sep = '|';
    *out = sy_arr_value(&rows);
    if (!csv_row(&c)) return arena->status ? sy_arena_fail(arena, "the output", err) : SYMBI_OK;
    nhead = c.n;
    head = sy_arena_memdup(arena, c.f, c.n * sizeof *head);
    at = sy_arena_calloc(arena, c.n, sizeof *at); /* of two equal headers the last one gives the value */
    if (!head || !at) return sy_arena_fail(arena, "the output", err);
    sy_map_init(&names, cx->alloc, cx->seed);
    for (size_t i = 0; i < nhead && !st; i++) {
        bool fresh;
        sy_map_entry *e = sy_map_put(&names, head[i], &fresh);
        if (!e) st = sy_fail_nomem(err);
        else if (fresh) e->val.u = names.n - 1;
        if (e) at[i] = (size_t)e->val.u;
    }
    while (!st && csv_row(&c)) {
        symbi_member *m = sy_arena_calloc(arena, names.n, sizeof *m);
        if (!m) break;
        for (size_t i = 0; i < nhead; i++) {
            m[at[i]].key = head[i];
            m[at[i]].val = i < c.n ? infer(c.f[i]) : sy_val_str(SY_LIT(""));
        }
        sy_arr_add(&rows, sy_val_object(m, names.n));
    }
    sy_map_free(&names);
    *out = sy_arr_value(&rows);
    if (!st && arena->status) st = sy_arena_fail(arena, "the output", err);
    return st;
}

static symbi_status parse_jsonl(symbi_ctx *cx, symbi_str text, sy_arena *arena, symbi_value *out, symbi_err *err)
{
    sy_arr a = sy_arr_new(arena);
    size_t from = 0, line = 0;
    while (from < text.n) {
        size_t to = from;
        symbi_str l;
        symbi_value v;
        symbi_err e;
        symbi_status st;
        while (to < text.n && text.p[to] != '\n') to++;
        line++;
        l = trim((symbi_str){ text.p + from, to - from });
        from = to + 1;
        if (!sy_trim_space(l).n) continue;
        symbi_err_clear(&e);
        if ((st = parse_json(cx, l, arena, &v, &e))) return st == SYMBI_ENOMEM ? sy_fail_nomem(err) : sy_fail(err, st, "Failed to parse JSONL line %zu: %s", line, e.msg);
        sy_arr_add(&a, v);
        if (arena->status) return sy_arena_fail(arena, "the output", err);
    }
    *out = sy_arr_value(&a);
    return SYMBI_OK;
}

symbi_status sy_output_parse(symbi_ctx *cx, sy_format f, symbi_str text, sy_arena *arena, symbi_value *results, char why[160], symbi_err *err)
{
    symbi_value v = sy_val_null();
    sy_obj o = sy_obj_new(arena);
    symbi_err e;
    symbi_status st = SYMBI_OK;
    why[0] = 0;
    symbi_err_clear(&e);
    switch (f) {
    case SY_FORMAT_JSON: st = parse_json(cx, text, arena, &v, &e); break;
    case SY_FORMAT_JSONL: st = parse_jsonl(cx, text, arena, &v, &e); break;
    case SY_FORMAT_CSV: st = parse_csv(cx, text, arena, &v, &e); break;
    case SY_FORMAT_XML: st = sy_xml_parse(cx, text, arena, &v, &e); break;
    case SY_FORMAT_NMAP: st = sy_nmap_parse(cx, text, arena, &v, &e); break;
    default: st = SYMBI_ENOTFOUND; break;
    }
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (arena->status) return sy_arena_fail(arena, "the output", err);
    if (st) {
        if (st != SYMBI_ENOTFOUND) {
            char line[700];
            symbi_err_format(&e, line, sizeof line);
            sy_clean_line(why, 160, symbi_str_z(line));
        }
        sy_obj_str(&o, "raw_output", text);
    } else if (v.kind == SYMBI_OBJECT) {
        *results = v;
        return SYMBI_OK;
    } else {
        sy_obj_put(&o, "parsed_output", v);
    }
    *results = sy_obj_value(&o);
    return arena->status ? sy_arena_fail(arena, "the output", err) : SYMBI_OK;
}
