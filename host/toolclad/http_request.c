/* toolclad/http_request.c: from validated arguments to the request (spec toolclad.md 10). Every byte of a template is the author's and decides by itself
 * where the next value stands: in the host or behind it, inside the quotes of a JSON text or outside. Values are written for their place; secrets
 * stay names, with the place noted, until symbi_plan_resolve. */
#include "base/alloc.h"
#include "base/chars.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "symbi/crypto.h"
#include "symbi/wire.h"
#include "toolclad/http_in.h"
#include "toolclad/trace.h"
#include "toolclad/types.h"
#include <stdio.h>

typedef enum what { IN_URL, IN_HEADER, IN_BODY } what;
typedef enum url_state { U_SCHEME, U_HOST, U_PATH, U_QUERY } url_state;
typedef enum body_kind { BODY_JSON, BODY_JSON_LOOSE, BODY_FORM, BODY_TEXT } body_kind; /* LOOSE: nobody said JSON, and it does not look like it */

/* One template being filled. */
typedef struct filler {
    sy_backend_plan *b;
    what what;
    const char *where; /* for messages */
    sy_arr parts;
    sy_buf lit;        /* what was written since the last secret */
    sy_buf shown;      /* all of it, secrets as placeholders */
    bool has_secret;
    url_state url;
    size_t marks;      /* of "://" seen */
    body_kind body;
    bool in_string, escaped;
    char next;         /* the template's byte behind the placeholder at hand; 0 at its end */
} filler;

static symbi_status nomem(filler *f) { return sy_arena_fail(f->b->a, "the plan", f->b->err); }

static void filler_init(filler *f, sy_backend_plan *b, what w, const char *where, size_t max)
{
    memset(f, 0, sizeof *f);
    f->b = b;
    f->what = w;
    f->where = where;
    f->parts = sy_arr_new(b->a);
    sy_buf_init(&f->lit, b->cx->alloc, max);
    sy_buf_init(&f->shown, b->cx->alloc, max);
}

static void filler_free(filler *f)
{
    sy_buf_free(&f->lit);
    sy_buf_free(&f->shown);
}

/* What a byte of the author's does to the place. */
static void step(filler *f, char c)
{
    if (f->what == IN_URL) {
        if (f->url == U_SCHEME) {
            f->marks = c == "://"[f->marks] ? f->marks + 1 : c == ':' ? 1 : 0;
            if (f->marks == 3) f->url = U_HOST;
        } else if (f->url == U_HOST && (c == '/' || c == '\\')) {
            f->url = U_PATH;
        } else if (c == '?' || c == '#') {
            f->url = U_QUERY;
        }
    } else if (f->what == IN_BODY && (f->body == BODY_JSON || f->body == BODY_JSON_LOOSE)) {
        if (f->escaped) f->escaped = false;
        else if (c == '\\') f->escaped = f->in_string;
        else if (c == '"') f->in_string = !f->in_string;
    }
}

static void put(filler *f, symbi_str s)
{
    sy_buf_adds(&f->lit, s);
    sy_buf_adds(&f->shown, s);
}

static void author(filler *f, symbi_str s)
{
    for (size_t i = 0; i < s.n; i++) step(f, s.p[i]);
    if (f->what != IN_URL) {
        put(f, s);
        return;
    }
    for (size_t i = 0; i < s.n; i++) { /* a URL is ASCII, and some of that stands in none */
        char e[4];
        if ((unsigned char)s.p[i] < 0x80 && !memchr("{}|^\"<>`", s.p[i], 8)) put(f, (symbi_str){ s.p + i, 1 });
        else put(f, (symbi_str){ e, (size_t)snprintf(e, sizeof e, "%%%02X", (unsigned)(unsigned char)s.p[i]) });
    }
}

static sy_http_as place(const filler *f)
{
    if (f->what == IN_URL) return f->url <= U_HOST ? SY_AS_HOST : SY_AS_URL;
    if (f->what == IN_HEADER) return SY_AS_TEXT;
    switch (f->body) {
    case BODY_JSON: return f->in_string ? SY_AS_JSON : SY_AS_JSON_VALUE;
    case BODY_JSON_LOOSE: return SY_AS_JSON;
    case BODY_FORM: return SY_AS_FORM;
    case BODY_TEXT: break;
    }
    return SY_AS_TEXT;
}

static symbi_status refuse(filler *f, symbi_str arg, const char *why)
{
    (void)sy_fail(f->b->err, SYMBI_EDENIED, "argument '%.*s': its value, in the %s, %s", SY_FMT(arg), f->where, why);
    sy_err_path(f->b->err, arg);
    return SYMBI_EDENIED;
}

/* https://h.example{path}: a value glued to the end of the author's host would make another host of it, h.example.evil.example. Behind a dot, before
 * more of the author's host, or as the whole of it the author asks for that; a number behind a name without a dot (node{n}) is a name still. */
static bool other_host(const filler *f, symbi_str v)
{
    symbi_str host = sy_buf_str(&f->lit);
    size_t from = host.n;
    bool digits = true;
    if (f->next && !memchr("/:?#\\{", f->next, 6)) return false;
    while (from && !memchr("/@", host.p[from - 1], 2)) from--;
    host.p += from;
    host.n -= from;
    if (!v.n || v.p[0] == ':' || !host.n || memchr(host.p, ':', host.n) || host.p[host.n - 1] == '.') return false;
    for (size_t i = 0; i < v.n; i++) digits = digits && sy_is_digit(v.p[i]);
    return memchr(host.p, '.', host.n) ? true : !digits;
}

/* A value of an argument, or another text that the template names. */
static symbi_status value(filler *f, symbi_str name, symbi_str v, bool first, bool raw)
{
    sy_http_as as = place(f);
    sy_http_sink count = { NULL, 0 }, sink = { NULL, 0 };
    const char *why;
    if (f->escaped) return refuse(f, name, "stands behind a backslash of the template, which would change its first character");
    if (f->what == IN_URL && first) { /* {base}/path: what the value says is where the request goes, and decides where the next one stands */
        for (size_t i = 0; i < v.n; i++) step(f, v.p[i]);
        as = SY_AS_URL;
    } else if (as == SY_AS_HOST && f->url == U_HOST && v.n && v.p[0] == '/' && f->lit.n && f->lit.p[f->lit.n - 1] != '/') { /* http://host{path}: the host is over */
        f->url = U_PATH;
        as = SY_AS_URL;
    } else if (as == SY_AS_HOST && f->url == U_HOST && f->lit.n && other_host(f, v)) {
        return refuse(f, name, "would make another host of the author's; put a '/' before its placeholder, or let the value begin with one");
    }
    if (raw) {
        put(f, v);
        return SYMBI_OK;
    }
    if ((why = sy_http_write(&count, as, v, false))) return refuse(f, name, why);
    if (f->what == IN_HEADER && (why = sy_http_header_problem(v))) return refuse(f, name, why);
    sink.out = sy_arena_alloc(f->b->a, count.n + 1);
    if (!sink.out) return nomem(f);
    (void)sy_http_write(&sink, as, v, false);
    put(f, (symbi_str){ sink.out, sink.n });
    return SYMBI_OK;
}

static void flush(filler *f)
{
    if (!f->lit.n) return;
    sy_arr_add(&f->parts, sy_val_str(sy_arena_dup(f->b->a, sy_buf_str(&f->lit))));
    sy_buf_clear(&f->lit);
}

static symbi_status secret(filler *f, symbi_str name, symbi_str source, bool first)
{
    sy_obj o = sy_obj_new(f->b->a);
    sy_http_as as = place(f);
    if (f->what == IN_URL && first) { /* {_secret:webhook}: the operator's whole URL, or its beginning; what is sent is judged as any other */
        as = SY_AS_TEXT;
        f->url = U_HOST;
    }
    if (f->escaped) return sy_fail(f->b->err, SYMBI_ESCHEMA, "the %s: {_secret:%.*s} stands behind a backslash", f->where, SY_FMT(name));
    flush(f);
    f->has_secret = true;
    sy_obj_str(&o, "secret", sy_arena_dup(f->b->a, name));
    sy_obj_str(&o, "as", symbi_str_z(sy_http_as_names[as]));
    sy_arr_add(&f->parts, sy_obj_value(&o));
    sy_buf_adds(&f->shown, source);
    return f->b->a->status ? nomem(f) : SYMBI_OK;
}

static symbi_status named(filler *f, const sy_http_piece *p, bool first, bool whole)
{
    const symbi_tool *t = f->b->t;
    const sy_arg *a = sy_tool_arg(t, p->text);
    symbi_str v = SY_LIT("");
    symbi_status st;
    if (a) {
        v = f->b->text[a - t->args];
        if (!v.p) v = SY_LIT("");
    } else if (sy_str_eqz(p->text, "_scan_id")) {
        v = f->b->p->scan_id;
    } else if (sy_str_eqz(p->text, "_output_file")) {
        v = f->b->p->output_file;
    } else if (sy_str_eqz(p->text, "_evidence_dir")) {
        v = f->b->o->evidence_dir;
    } else if (p->braces) { /* {{x}} of an unknown name is the text {x} */
        author(f, SY_LIT("{"));
        author(f, p->text);
        author(f, SY_LIT("}"));
        return SYMBI_OK;
    } else {
        return sy_fail(f->b->err, SYMBI_ESCHEMA, "the %s: placeholder {%.*s} has no source", f->where, SY_FMT(p->text));
    }
    if (p->braces) author(f, SY_LIT("{"));
    st = value(f, p->text, v, first, whole && a && strcmp(a->type->name, "url") == 0);
    if (p->braces) author(f, SY_LIT("}"));
    return st;
}

static symbi_status fill(filler *f, symbi_str tmpl)
{
    sy_http_piece p;
    size_t i = 0, from = 0;
    bool first = true;
    symbi_status st;
    while (sy_http_next(tmpl, &i, &p)) {
        if (p.kind == SY_HTTP_LITERAL) author(f, p.text), st = SYMBI_OK;
        else if (p.kind == SY_HTTP_SECRET) st = secret(f, p.text, (symbi_str){ tmpl.p + from, i - from }, first);
        else f->next = i < tmpl.n ? tmpl.p[i] : 0, st = named(f, &p, first && !p.braces, first && !p.braces && i == tmpl.n);
        if (st) return st;
        first = false;
        from = i;
    }
    flush(f);
    if ((st = sy_buf_status(&f->lit)) || (st = sy_buf_status(&f->shown)))
        return st == SYMBI_ENOMEM ? sy_fail_nomem(f->b->err) : sy_fail(f->b->err, st, "the %s is longer than %zu bytes", f->where, f->lit.max);
    return f->b->a->status ? nomem(f) : SYMBI_OK;
}

/* ---- the parts of a request ---- */

static symbi_status make_url(sy_backend_plan *b, symbi_value *out, symbi_str *shown)
{
    filler f;
    symbi_url u;
    symbi_err why;
    symbi_str s;
    symbi_status st;
    filler_init(&f, b, IN_URL, "url", SY_HTTP_URL_MAX);
    st = fill(&f, symbi_value_str(b->t->backend_table, "url", SY_LIT("")));
    s = f.shown.n ? sy_buf_str(&f.shown) : SY_LIT("");
    if (!st && sy_http_dotted(s)) st = sy_fail(b->err, SYMBI_EDENIED, "the url has a path segment '.' or '..'");
    if (!st && !f.has_secret && symbi_url_parse(s, &u, &why)) st = sy_fail(b->err, SYMBI_EDENIED, "the url cannot be used: %s", why.msg);
    if (!st && !(shown->p = sy_arena_dup(b->a, s).p)) st = nomem(&f);
    shown->n = s.n;
    *out = sy_arr_value(&f.parts);
    filler_free(&f);
    return st;
}

static symbi_status make_header(sy_backend_plan *b, sy_arr *list, symbi_str name, symbi_str tmpl, symbi_str *shown)
{
    filler f;
    symbi_value *pair = sy_arena_calloc(b->a, 2, sizeof *pair);
    const char *why;
    symbi_status st;
    char where[80], echo[SY_ECHO];
    if (!pair) return sy_arena_fail(b->a, "the plan", b->err);
    snprintf(where, sizeof where, "header %.60s", sy_echo(name, echo));
    filler_init(&f, b, IN_HEADER, where, SY_HTTP_HEADER_MAX);
    st = fill(&f, tmpl);
    if (!st && f.shown.n && (why = sy_http_header_problem(sy_buf_str(&f.shown)))) st = sy_fail(b->err, SYMBI_EDENIED, "the %s %s", where, why);
    if (!st && shown) {
        *shown = sy_arena_dup(b->a, f.shown.n ? sy_buf_str(&f.shown) : SY_LIT(""));
        if (!shown->p) st = nomem(&f);
    }
    pair[0] = sy_val_str(name);
    pair[1] = sy_arr_value(&f.parts);
    sy_arr_add(list, sy_val_array(pair, 2));
    filler_free(&f);
    return st;
}

/* The media type of a Content-Type value, compared without case and parameters. */
static bool media_is(symbi_str v, const char *want, bool suffix)
{
    size_t n = 0, w = strlen(want);
    while (v.n && (v.p[0] == ' ' || v.p[0] == '\t')) v.p++, v.n--;
    while (n < v.n && v.p[n] != ';' && v.p[n] != ' ' && v.p[n] != '\t') n++;
    return suffix ? n > w && sy_str_ieqz((symbi_str){ v.p + n - w, w }, want) : sy_str_ieqz((symbi_str){ v.p, n }, want);
}

static body_kind kind_of(const symbi_str *content_type, symbi_str tmpl)
{
    if (content_type) {
        if (media_is(*content_type, "application/json", false) || media_is(*content_type, "text/json", false) || media_is(*content_type, "+json", true)) return BODY_JSON;
        return media_is(*content_type, "application/x-www-form-urlencoded", false) ? BODY_FORM : BODY_TEXT;
    }
    while (tmpl.n && memchr(" \t\r\n", tmpl.p[0], 4)) tmpl.p++, tmpl.n--;
    return tmpl.n && memchr("{[\"", tmpl.p[0], 3) ? BODY_JSON : BODY_JSON_LOOSE;
}

static symbi_status make_headers(sy_backend_plan *b, symbi_str method, symbi_value *out, symbi_str **content_type, symbi_str *type_room)
{
    const symbi_value *table = symbi_value_getz(b->t->backend_table, "headers"), *body = symbi_value_getz(b->t->backend_table, "body_template");
    sy_arr list = sy_arr_new(b->a);
    bool traced = false, sends = body && !sy_str_eqz(method, "GET") && !sy_str_eqz(method, "HEAD");
    symbi_status st;
    *content_type = NULL;
    for (size_t i = 0; table && i < table->u.o.n; i++) {
        const symbi_member *m = &table->u.o.members[i];
        bool type = sy_str_ieqz(m->key, "content-type");
        traced = traced || sy_str_ieqz(m->key, "traceparent");
        if ((st = make_header(b, &list, m->key, m->val.u.s, type ? type_room : NULL))) return st;
        if (type) *content_type = type_room;
    }
    if (sends && !*content_type && kind_of(NULL, body->u.s) == BODY_JSON && (st = make_header(b, &list, SY_LIT("Content-Type"), SY_LIT("application/json"), NULL))) return st;
    if (!traced && b->o->trace_id.n) {
        char text[SY_TRACEPARENT];
        if ((st = sy_traceparent_make(b->cx, b->o->trace_id, text, b->err))) return st;
        if (text[0] && (st = make_header(b, &list, SY_LIT("traceparent"), sy_arena_dup(b->a, symbi_str_z(text)), NULL))) return st;
    }
    *out = sy_arr_value(&list);
    return b->a->status ? sy_arena_fail(b->a, "the plan", b->err) : SYMBI_OK;
}

static symbi_status make_body(sy_backend_plan *b, const symbi_str *content_type, symbi_str tmpl, symbi_value *out)
{
    filler f;
    symbi_status st;
    filler_init(&f, b, IN_BODY, "body", SY_HTTP_BODY_MAX);
    f.body = kind_of(content_type, tmpl);
    st = fill(&f, tmpl);
    *out = sy_arr_value(&f.parts);
    filler_free(&f);
    return st;
}

/* Every name below v once. */
static void collect(symbi_str *names, size_t *n, size_t most, const symbi_value *v)
{
    symbi_str s = symbi_value_str(v, "secret", (symbi_str){ NULL, 0 });
    size_t i;
    if (v->kind == SYMBI_ARRAY)
        for (i = 0; i < v->u.a.n; i++) collect(names, n, most, &v->u.a.items[i]);
    if (!s.p) return;
    for (i = 0; i < *n && !sy_str_eq(names[i], s); i++) { }
    if (i == *n && *n < most) names[(*n)++] = s;
}

static size_t count_secrets(const symbi_value *v)
{
    size_t n = v->kind == SYMBI_OBJECT;
    if (v->kind == SYMBI_ARRAY)
        for (size_t i = 0; i < v->u.a.n; i++) n += count_secrets(&v->u.a.items[i]);
    return n;
}

symbi_status sy_http_plan(sy_backend_plan *b, symbi_value *detail)
{
    sy_obj o = sy_obj_new(b->a);
    const symbi_value *body = symbi_value_getz(b->t->backend_table, "body_template");
    symbi_value parts[3] = { sy_val_null(), sy_val_null(), sy_val_null() };
    symbi_str shown = { NULL, 0 }, type_room, *content_type, written = symbi_value_str(b->t->backend_table, "method", SY_LIT("GET")), method, *names;
    char *m = sy_arena_alloc(b->a, written.n + 1), *line;
    size_t n = 0, most;
    bool sends;
    symbi_status st;
    if (!m) return sy_arena_fail(b->a, "the plan", b->err);
    for (size_t i = 0; i < written.n; i++) m[i] = (char)(written.p[i] >= 'a' && written.p[i] <= 'z' ? written.p[i] - 32 : written.p[i]);
    m[written.n] = 0;
    method = (symbi_str){ m, written.n };
    sends = body && !sy_str_eqz(method, "GET") && !sy_str_eqz(method, "HEAD");
    if ((st = make_url(b, &parts[0], &shown)) || (st = make_headers(b, method, &parts[1], &content_type, &type_room))) return st;
    if (sends && (st = make_body(b, content_type, body->u.s, &parts[2]))) return st;
    if (sends) sy_obj_put(&o, "body", parts[2]);
    if (b->t->capture) sy_obj_str(&o, "evidence", b->p->output_file);
    sy_obj_put(&o, "headers", parts[1]);
    sy_obj_count(&o, "max_bytes", b->p->stdout_max);
    sy_obj_str(&o, "method", method);
    sy_obj_put(&o, "url", parts[0]);
    *detail = sy_obj_value(&o);
    most = count_secrets(&parts[0]) + count_secrets(&parts[1]) + count_secrets(&parts[2]);
    names = sy_arena_calloc(b->a, most, sizeof *names);
    line = sy_arena_alloc(b->a, method.n + shown.n + 2);
    if (!names || !line || b->a->status) return sy_arena_fail(b->a, "the plan", b->err);
    for (size_t i = 0; i < 3; i++) collect(names, &n, most, &parts[i]);
    b->p->secrets = names;
    b->p->nsecrets = n;
    memcpy(line, method.p, method.n);
    line[method.n] = ' ';
    memcpy(line + method.n + 1, shown.p, shown.n);
    line[method.n + 1 + shown.n] = 0;
    b->p->command = (symbi_str){ line, method.n + 1 + shown.n };
    return SYMBI_OK;
}
