/* codec/yaml.c: libyaml's events into a value tree. No recursion: open collections stand on a stack of our own. */
#include "symbi/yaml.h"
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/build.h"
#include "codec/yaml_scalar.h"

#include <yaml.h>

typedef struct level {
    bool map, have_key;
    symbi_str key;
    uint32_t line;
    sy_obj obj;
    sy_arr arr;
    sy_map keys;     /* of a mapping: seen so far */
    size_t nodes;    /* values inside, aliases counted in full */
    int anchor;      /* index, or -1 */
} level;

typedef struct anchor {
    symbi_str name;
    bool open; /* its value is not complete */
    size_t nodes;
    symbi_value v;
} anchor;

typedef struct reader {
    symbi_ctx *cx;
    symbi_doc *doc;
    unsigned flags;
    level *l;
    size_t depth, cap;
    anchor *a;
    size_t anchors, cap_anchors, nodes, aliased;
    bool have_root, ended;
    uint64_t seed[2];
    symbi_err *err;
} reader;

static symbi_status bad(reader *r, const yaml_mark_t *at, symbi_status st, const char *what)
{
    return sy_fail_at(r->err, st, (uint32_t)at->line + 1, (uint32_t)at->column + 1, "%s", what);
}

/* A complete value: the root, an item, or what belongs to the key before it. */
static symbi_status put(reader *r, symbi_value v, uint32_t line, size_t nodes, const yaml_mark_t *at)
{
    level *top = r->depth ? &r->l[r->depth - 1] : NULL;
    v.line = line;
    r->nodes++;
    if (r->nodes > r->cx->limits.doc_nodes) return bad(r, at, SYMBI_ELIMIT, "more values than limits.doc_nodes");
    if (!top) r->doc->root = v, r->have_root = true;
    else {
        top->nodes += nodes;
        if (!top->map) sy_arr_add(&top->arr, v);
        else sy_obj_puts(&top->obj, top->key, v), top->have_key = false;
    }
    return r->doc->arena.status ? sy_arena_fail(&r->doc->arena, "the YAML document", r->err) : SYMBI_OK;
}

static symbi_status key(reader *r, symbi_str k, const yaml_mark_t *at)
{
    level *top = &r->l[r->depth - 1];
    bool fresh;
    symbi_str own = sy_arena_dup(&r->doc->arena, k);
    if (r->doc->arena.status) return sy_arena_fail(&r->doc->arena, "the YAML document", r->err);
    if (!sy_map_put(&top->keys, own, &fresh)) return sy_fail_nomem(r->err);
    if (!fresh) return sy_fail_at(r->err, SYMBI_EPARSE, (uint32_t)at->line + 1, (uint32_t)at->column + 1, "the key \"%.*s\" is there twice", SY_FMT(own));
    top->key = own;
    top->have_key = true;
    return SYMBI_OK;
}

static bool expects_key(const reader *r) { return r->depth && r->l[r->depth - 1].map && !r->l[r->depth - 1].have_key; }

/* Notes the anchor of a value that begins. */
static symbi_status begin_anchor(reader *r, const yaml_char_t *name, const yaml_mark_t *at, int *index)
{
    *index = -1;
    if (!name) return SYMBI_OK;
    if (r->anchors == SYMBI_YAML_ANCHORS) return sy_fail_at(r->err, SYMBI_ELIMIT, (uint32_t)at->line + 1, (uint32_t)at->column + 1, "more than %d anchors", (int)SYMBI_YAML_ANCHORS);
    if (sy_grow(&r->cx->alloc, (void **)&r->a, &r->cap_anchors, r->anchors + 1, sizeof *r->a)) return sy_fail_nomem(r->err);
    *index = (int)r->anchors;
    r->a[r->anchors++] = (anchor){ .name = sy_arena_dup(&r->doc->arena, symbi_str_z((const char *)name)), .open = true };
    return r->doc->arena.status ? sy_arena_fail(&r->doc->arena, "the YAML document", r->err) : SYMBI_OK;
}

static void end_anchor(reader *r, int index, symbi_value v, size_t nodes)
{
    if (index < 0) return;
    r->a[index].open = false;
    r->a[index].v = v;
    r->a[index].nodes = nodes;
}

static symbi_status alias(reader *r, const yaml_event_t *e)
{
    symbi_str name = symbi_str_z((const char *)e->data.alias.anchor);
    const anchor *a = NULL;
    if (expects_key(r)) return bad(r, &e->start_mark, SYMBI_EUNSUPPORTED, "an alias as a key is not supported: write the key itself");
    for (size_t i = r->anchors; i-- && !a;) /* the latest of that name */
        if (sy_str_eq(r->a[i].name, name)) a = &r->a[i];
    if (!a) return sy_fail_at(r->err, SYMBI_EPARSE, (uint32_t)e->start_mark.line + 1, (uint32_t)e->start_mark.column + 1, "no anchor &%.*s before this alias", SY_FMT(name));
    if (a->open) return bad(r, &e->start_mark, SYMBI_EPARSE, "an alias inside of what it stands for");
    r->aliased += a->nodes;
    if (r->aliased > SYMBI_YAML_ALIASED) return sy_fail_at(r->err, SYMBI_ELIMIT, (uint32_t)e->start_mark.line + 1, (uint32_t)e->start_mark.column + 1, "aliases repeat more than %d values", (int)SYMBI_YAML_ALIASED);
    return put(r, a->v, (uint32_t)e->start_mark.line + 1, a->nodes, &e->start_mark);
}

/* Whether the tag leaves the value as it is; *text: it makes a scalar text. */
static symbi_status tag(reader *r, const yaml_char_t *t, const char *own, const yaml_mark_t *at, bool *text)
{
    const char *z = (const char *)t;
    *text = false;
    if (!z || !strcmp(z, own)) return SYMBI_OK;
    if (!strcmp(z, "!")) return *text = true, SYMBI_OK;
    return sy_fail_at(r->err, SYMBI_EUNSUPPORTED, (uint32_t)at->line + 1, (uint32_t)at->column + 1, "the tag %.60s is not supported", z);
}

static symbi_status scalar(reader *r, const yaml_event_t *e)
{
    symbi_str s = { (const char *)e->data.scalar.value, e->data.scalar.length };
    const char *t = (const char *)e->data.scalar.tag;
    symbi_value v = { 0 };
    const char *why;
    bool text;
    int index;
    symbi_status st = tag(r, e->data.scalar.tag, YAML_STR_TAG, &e->start_mark, &text);
    if (st) return st;
    /* The parser decodes "\x00" and the like: what comes out must be text as anywhere else. */
    if (!sy_utf8_valid(s, NULL)) return bad(r, &e->start_mark, SYMBI_EPARSE, "an escape that is no Unicode character");
    if (expects_key(r)) {
        if (e->data.scalar.anchor) return bad(r, &e->start_mark, SYMBI_EUNSUPPORTED, "an anchor on a key is not supported");
        return key(r, s, &e->start_mark);
    }
    st = begin_anchor(r, e->data.scalar.anchor, &e->start_mark, &index);
    if (st) return st;
    if (r->flags & SYMBI_YAML_TEXT || e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || (t && text) || (t && !strcmp(t, YAML_STR_TAG))) why = NULL, text = true;
    if (!text) {
        sy_yaml_kind k = sy_yaml_plain(s, &v, &why);
        if (k == SY_YAML_BAD) return bad(r, &e->start_mark, SYMBI_ESCHEMA, why);
        text = k == SY_YAML_STRING;
    }
    if (text) v = sy_val_str(sy_arena_dup(&r->doc->arena, s));
    end_anchor(r, index, v, 1);
    return put(r, v, (uint32_t)e->start_mark.line + 1, 1, &e->start_mark);
}

static symbi_status open_level(reader *r, const yaml_event_t *e, bool map)
{
    level *l;
    bool text;
    int index;
    symbi_status st = map ? tag(r, e->data.mapping_start.tag, YAML_MAP_TAG, &e->start_mark, &text) : tag(r, e->data.sequence_start.tag, YAML_SEQ_TAG, &e->start_mark, &text);
    if (st) return st;
    if (expects_key(r)) return bad(r, &e->start_mark, SYMBI_EUNSUPPORTED, "a key must be a scalar");
    if (r->depth == r->cx->limits.doc_depth) return bad(r, &e->start_mark, SYMBI_ELIMIT, "nested deeper than limits.doc_depth");
    st = begin_anchor(r, map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor, &e->start_mark, &index);
    if (st) return st;
    if (sy_grow(&r->cx->alloc, (void **)&r->l, &r->cap, r->depth + 1, sizeof *r->l)) return sy_fail_nomem(r->err);
    l = &r->l[r->depth++];
    memset(l, 0, sizeof *l);
    l->map = map;
    l->anchor = index;
    l->line = (uint32_t)e->start_mark.line + 1;
    l->nodes = 1;
    l->obj = sy_obj_new(&r->doc->arena);
    l->arr = sy_arr_new(&r->doc->arena);
    sy_map_init(&l->keys, r->cx->alloc, r->seed);
    return SYMBI_OK;
}

static symbi_status close_level(reader *r, const yaml_event_t *e)
{
    level *l = &r->l[--r->depth];
    symbi_value v = l->map ? sy_obj_value(&l->obj) : sy_arr_value(&l->arr);
    sy_map_free(&l->keys);
    v.line = l->line;
    end_anchor(r, l->anchor, v, l->nodes);
    return put(r, v, l->line, l->nodes, &e->start_mark);
}

static symbi_status event(reader *r, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_STREAM_END_EVENT: r->ended = true; return SYMBI_OK;
    case YAML_DOCUMENT_START_EVENT:
        if (r->have_root) return bad(r, &e->start_mark, SYMBI_EPARSE, "a second document: only one is read");
        return SYMBI_OK;
    case YAML_ALIAS_EVENT: return alias(r, e);
    case YAML_SCALAR_EVENT: return scalar(r, e);
    case YAML_SEQUENCE_START_EVENT: return open_level(r, e, false);
    case YAML_MAPPING_START_EVENT: return open_level(r, e, true);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return close_level(r, e);
    default: return SYMBI_OK;
    }
}

static symbi_status read_all(reader *r, yaml_parser_t *p)
{
    while (!r->ended) {
        yaml_event_t e;
        symbi_status st;
        if (!yaml_parser_parse(p, &e)) {
            if (p->error == YAML_MEMORY_ERROR) return sy_fail_nomem(r->err);
            return sy_fail_at(r->err, SYMBI_EPARSE, (uint32_t)p->problem_mark.line + 1, (uint32_t)p->problem_mark.column + 1, "%s%s%s", p->problem ? p->problem : "not YAML",
                              p->context ? ", " : "", p->context ? p->context : "");
        }
        st = event(r, &e);
        yaml_event_delete(&e);
        if (st) return st;
    }
    return SYMBI_OK;
}

symbi_status symbi_yaml_parse(symbi_ctx *cx, symbi_str text, unsigned flags, symbi_doc **out, symbi_err *err)
{
    reader r = { .cx = cx, .flags = flags, .err = err };
    yaml_parser_t p;
    symbi_status st;
    size_t at, line = 1, start = 0;
    *out = NULL;
    if (text.n > SYMBI_YAML_BYTES || text.n > cx->limits.doc_bytes) return sy_fail(err, SYMBI_ELIMIT, "the YAML document is larger than %lu bytes", (unsigned long)(cx->limits.doc_bytes < SYMBI_YAML_BYTES ? cx->limits.doc_bytes : SYMBI_YAML_BYTES));
    if (!sy_utf8_valid(text, &at)) {
        for (size_t i = 0; i < at; i++)
            if (text.p[i] == '\n') line++, start = i + 1;
        return sy_fail_at(err, SYMBI_EPARSE, (uint32_t)line, (uint32_t)(at - start + 1), "not valid UTF-8");
    }
    st = symbi_ctx_random(cx, r.seed, sizeof r.seed, err);
    if (st) return st;
    r.doc = sy_doc_new(cx);
    if (!r.doc) return sy_fail_nomem(err);
    if (!yaml_parser_initialize(&p)) st = sy_fail_nomem(err);
    else {
        yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
        if (sy_str_starts(text, SY_LIT("\xef\xbb\xbf"))) text.p += 3, text.n -= 3;
        yaml_parser_set_input_string(&p, (const unsigned char *)(text.p ? text.p : ""), text.n);
        st = read_all(&r, &p);
        yaml_parser_delete(&p);
    }
    while (r.depth) sy_map_free(&r.l[--r.depth].keys);
    sy_free(&cx->alloc, r.l, r.cap * sizeof *r.l);
    sy_free(&cx->alloc, r.a, r.cap_anchors * sizeof *r.a);
    if (st) symbi_doc_unref(r.doc);
    else *out = r.doc;
    return st;
}
