/* codec/toml.c: TOML 1.0 documents: statements, tables and the rules of redefinition. Tables that may still grow are
 * nodes in a scratch arena, found through one hash map over (table, key), so that hostile documents cost linear time; what
 * is finished (scalars, arrays, inline tables) is a value in the document's arena at once, and therefore closed. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/toml_in.h"

enum { TOML_DEPTH_HARD = 2000 }; /* arrays and inline tables are read recursively; guards the stack against a huge limit */

typedef enum toml_node_kind {
    TOML_LEAF,  /* a value: closed */
    TOML_TABLE,
    TOML_TABLES /* an array of tables: children are its elements */
} toml_node_kind;

typedef enum toml_table_state {
    TOML_IMPLICIT, /* only named on the way to another; a header may still define it */
    TOML_HEADER,
    TOML_DOTTED    /* by dotted keys of node->section, which alone may add to it */
} toml_table_state;

struct sy_toml_node {
    symbi_str key;
    symbi_value val; /* LEAF */
    sy_toml_node *next, *first, *last;
    size_t n, depth;
    uint64_t id, section;
    uint32_t line;
    uint8_t kind, state;
};

symbi_status sy_toml_fail(sy_toml *t, const char *at, symbi_status code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)sy_vfail(t->err, code, t->line, (uint32_t)(at - t->bol) + 1, fmt, ap);
    va_end(ap);
    return code;
}

symbi_status sy_toml_nomem(sy_toml *t)
{
    if (t->doc->arena.status) return sy_arena_fail(&t->doc->arena, "the TOML document", t->err);
    if (t->scratch.status) return sy_arena_fail(&t->scratch, "reading the TOML document", t->err);
    return sy_fail_nomem(t->err);
}

symbi_status sy_toml_count(sy_toml *t)
{
    if (++t->nodes > t->nodes_max)
        return sy_toml_fail(t, t->p, SYMBI_ELIMIT, "the document has more than %zu values (doc_nodes)", t->nodes_max);
    return SYMBI_OK;
}

static symbi_status toml_deep(sy_toml *t, const char *at)
{
    return sy_toml_fail(t, at, SYMBI_ELIMIT, "nested deeper than %zu levels (doc_depth)", t->depth_max);
}

/* ---- nodes ---- */

static sy_toml_node *toml_node(sy_toml *t, toml_node_kind kind, size_t depth)
{
    sy_toml_node *n = sy_arena_calloc(&t->scratch, 1, sizeof *n);
    if (!n) return NULL;
    n->kind = (uint8_t)kind;
    n->depth = depth;
    n->line = t->line;
    n->id = ++t->next_id;
    return n;
}

static void toml_append(sy_toml_node *parent, sy_toml_node *n)
{
    if (parent->last) parent->last->next = n;
    else parent->first = n;
    parent->last = n;
    parent->n++;
}

/* The child of parent called key, or NULL. */
static symbi_status toml_child(sy_toml *t, sy_toml_node *parent, symbi_str key, sy_toml_node **out)
{
    char small[128], *k = small;
    symbi_str ck;
    sy_map_entry *e;
    if (key.n + sizeof parent->id > sizeof small) {
        k = sy_arena_alloc(&t->scratch, key.n + sizeof parent->id);
        if (!k) return sy_toml_nomem(t);
    }
    memcpy(k, &parent->id, sizeof parent->id);
    if (key.n) memcpy(k + sizeof parent->id, key.p, key.n);
    ck.p = k;
    ck.n = key.n + sizeof parent->id;
    e = sy_map_find(&t->index, ck);
    *out = e ? e->val.p : NULL;
    return SYMBI_OK;
}

/* Adds a node under a key that toml_child did not find. */
static symbi_status toml_add(sy_toml *t, sy_toml_node *parent, symbi_str key, toml_node_kind kind, const char *at, sy_toml_node **out)
{
    sy_toml_node *n = toml_node(t, kind, parent->depth + 1);
    char *k;
    symbi_str ck;
    sy_map_entry *e;
    bool fresh;
    symbi_status st;
    if (kind != TOML_LEAF && parent->depth + 1 > t->depth_max) return toml_deep(t, at);
    if ((st = sy_toml_count(t))) return st;
    if (!n || !(k = sy_arena_alloc(&t->doc->arena, sizeof parent->id + key.n + 1))) return sy_toml_nomem(t);
    memcpy(k, &parent->id, sizeof parent->id);
    if (key.n) memcpy(k + sizeof parent->id, key.p, key.n);
    k[sizeof parent->id + key.n] = 0;
    ck.p = k;
    ck.n = sizeof parent->id + key.n;
    e = sy_map_put(&t->index, ck, &fresh);
    if (!e) return sy_fail_nomem(t->err);
    e->val.p = n;
    n->key.p = k + sizeof parent->id;
    n->key.n = key.n;
    toml_append(parent, n);
    *out = n;
    return SYMBI_OK;
}

/* A node and all below it as a value in the document. Depth was checked when the nodes were made. */
static symbi_status toml_value_of(sy_toml *t, const sy_toml_node *n, symbi_value *out)
{
    size_t i = 0;
    symbi_status st;
    if (n->kind == TOML_LEAF) {
        *out = n->val;
        return SYMBI_OK;
    }
    if (n->kind == TOML_TABLES) {
        symbi_value *items = sy_arena_calloc(&t->doc->arena, n->n, sizeof *items);
        if (!items) return sy_toml_nomem(t);
        for (const sy_toml_node *c = n->first; c; c = c->next)
            if ((st = toml_value_of(t, c, &items[i++]))) return st;
        *out = sy_val_array(items, n->n);
    } else {
        symbi_member *m = sy_arena_calloc(&t->doc->arena, n->n, sizeof *m);
        if (!m) return sy_toml_nomem(t);
        for (const sy_toml_node *c = n->first; c; c = c->next, i++) {
            m[i].key = c->key;
            if ((st = toml_value_of(t, c, &m[i].val))) return st;
        }
        *out = sy_val_object(m, n->n);
    }
    out->line = n->line;
    return SYMBI_OK;
}

/* ---- keys ---- */

static symbi_status toml_simple_key(sy_toml *t, symbi_str *out)
{
    const char *from = t->p;
    if (t->p < t->end && (*t->p == '"' || *t->p == '\'')) return sy_toml_string(t, true, out);
    while (t->p < t->end && sy_toml_bare(*t->p)) t->p++;
    if (t->p == from) {
        if (t->p < t->end && (unsigned char)*t->p >= 0x80)
            return sy_toml_fail(t, from, SYMBI_EPARSE, "a bare key has only A-Z a-z 0-9 _ and -; put other keys in quotes");
        return sy_toml_fail(t, from, SYMBI_EPARSE, "a key is missing here");
    }
    out->p = from;
    out->n = (size_t)(t->p - from);
    return SYMBI_OK;
}

static const char *toml_what(const sy_toml_node *n)
{
    if (n->kind == TOML_TABLES) return "an array of tables";
    if (n->kind == TOML_TABLE) return "a table";
    return n->val.kind == SYMBI_OBJECT ? "an inline table" : n->val.kind == SYMBI_ARRAY ? "an array" : "a value";
}

static symbi_status toml_taken(sy_toml *t, const char *at, symbi_str key, const sy_toml_node *n)
{
    return sy_toml_fail(t, at, SYMBI_EPARSE, "'%.*s' is already %s, defined on line %u", SY_FMT(key), toml_what(n), (unsigned)n->line);
}

/* One step of a dotted key: the table called key below *at, made when absent. */
static symbi_status toml_step_dotted(sy_toml *t, const char *pos, symbi_str key, sy_toml_node **at)
{
    sy_toml_node *c;
    symbi_status st = toml_child(t, *at, key, &c);
    if (st) return st;
    if (!c) {
        if ((st = toml_add(t, *at, key, TOML_TABLE, pos, &c))) return st;
        c->state = TOML_DOTTED;
        c->section = t->section;
    } else if (c->kind != TOML_TABLE) {
        return toml_taken(t, pos, key, c);
    } else if (c->state == TOML_HEADER || (c->state == TOML_DOTTED && c->section != t->section)) {
        return sy_toml_fail(t, pos, SYMBI_EPARSE, "table '%.*s' was defined on line %u; a dotted key cannot add to it from here", SY_FMT(key), (unsigned)c->line);
    } else {
        c->state = TOML_DOTTED;
        c->section = t->section;
    }
    *at = c;
    return SYMBI_OK;
}

static symbi_status toml_value(sy_toml *t, size_t depth, symbi_value *out);

/* key = value, into table. */
static symbi_status toml_pair(sy_toml *t, sy_toml_node *table)
{
    symbi_str key;
    symbi_status st;
    sy_toml_node *c;
    const char *pos;
    for (;;) {
        pos = t->p;
        if ((st = toml_simple_key(t, &key))) return st;
        sy_toml_blanks(t);
        if (t->p >= t->end || *t->p != '.') break;
        t->p++;
        sy_toml_blanks(t);
        if ((st = toml_step_dotted(t, pos, key, &table))) return st;
    }
    if (t->p >= t->end || *t->p != '=') {
        if (t->p < t->end && *t->p == ':') return sy_toml_fail(t, t->p, SYMBI_EPARSE, "'=' must follow the key, not ':'");
        return sy_toml_fail(t, t->p, SYMBI_EPARSE, "'=' must follow the key");
    }
    if ((st = toml_child(t, table, key, &c))) return st;
    if (c) return c->kind == TOML_LEAF ? sy_toml_fail(t, pos, SYMBI_EPARSE, "key '%.*s' is set twice, first on line %u", SY_FMT(key), (unsigned)c->line)
                                       : toml_taken(t, pos, key, c);
    t->p++;
    sy_toml_blanks(t);
    if ((st = toml_add(t, table, key, TOML_LEAF, pos, &c))) return st;
    t->nodes--; /* toml_value counts it */
    return toml_value(t, table->depth, &c->val);
}

/* ---- values ---- */

static symbi_status toml_push(sy_toml *t, const symbi_value *v)
{
    void *p = t->stack;
    if (sy_grow(&t->cx->alloc, &p, &t->stack_cap, t->nstack + 1, sizeof *t->stack)) return sy_fail_nomem(t->err);
    t->stack = p;
    t->stack[t->nstack++] = *v;
    return SYMBI_OK;
}

static symbi_status toml_array(sy_toml *t, size_t depth, symbi_value *out)
{
    size_t base = t->nstack, n;
    const char *open = t->p, *bol = t->bol;
    uint32_t line = t->line;
    symbi_value v, *items;
    symbi_status st;
    t->p++;
    for (;;) {
        if ((st = sy_toml_gap(t))) return st;
        if (t->p < t->end && *t->p == ']') break;
        if (t->p >= t->end) goto unclosed;
        if (*t->p == ',') return sy_toml_fail(t, t->p, SYMBI_EPARSE, "a value is missing before the ','");
        if ((st = toml_value(t, depth, &v)) || (st = toml_push(t, &v)) || (st = sy_toml_gap(t))) return st;
        if (t->p >= t->end) goto unclosed;
        if (*t->p == ',') {
            t->p++;
            continue;
        }
        if (*t->p != ']') return sy_toml_fail(t, t->p, SYMBI_EPARSE, "',' or ']' must follow a value of the array that began on line %u", (unsigned)line);
        break;
    }
    t->p++;
    n = t->nstack - base;
    items = sy_arena_calloc(&t->doc->arena, n, sizeof *items);
    if (!items) return sy_toml_nomem(t);
    if (n) memcpy(items, t->stack + base, n * sizeof *items);
    t->nstack = base;
    *out = sy_val_array(items, n);
    return SYMBI_OK;
unclosed:
    t->line = line;
    t->bol = bol;
    return sy_toml_fail(t, open, SYMBI_EPARSE, "the array is not closed: ']' is missing");
}

static symbi_status toml_inline_table(sy_toml *t, size_t depth, symbi_value *out)
{
    sy_toml_node *n = toml_node(t, TOML_TABLE, depth);
    uint64_t section = t->section;
    symbi_status st;
    if (!n) return sy_toml_nomem(t);
    t->section = ++t->next_id;
    t->p++;
    sy_toml_blanks(t);
    if (t->p < t->end && *t->p == '}') {
        t->p++;
    } else {
        for (;;) {
            if (t->p < t->end && (*t->p == '\n' || *t->p == '\r' || *t->p == '#'))
                return sy_toml_fail(t, t->p, SYMBI_EPARSE, "an inline table must stay on one line; use a [table] for several");
            if (t->p < t->end && (*t->p == '}' || *t->p == ','))
                return sy_toml_fail(t, t->p, SYMBI_EPARSE, "a key is missing after the ',' (an inline table takes no trailing comma)");
            if ((st = toml_pair(t, n))) return st;
            sy_toml_blanks(t);
            if (t->p < t->end && *t->p == ',') {
                t->p++;
                sy_toml_blanks(t);
                continue;
            }
            if (t->p < t->end && *t->p == '}') break;
            if (t->p < t->end && (*t->p == '\n' || *t->p == '\r' || *t->p == '#'))
                return sy_toml_fail(t, t->p, SYMBI_EPARSE, "an inline table must stay on one line; use a [table] for several");
            return sy_toml_fail(t, t->p, SYMBI_EPARSE, "',' or '}' must follow a value of an inline table");
        }
        t->p++;
    }
    t->section = section;
    return toml_value_of(t, n, out);
}

/* depth: that of the container the value stands in. */
static symbi_status toml_value(sy_toml *t, size_t depth, symbi_value *out)
{
    uint32_t line = t->line;
    symbi_status st;
    symbi_str s;
    char c = t->p < t->end ? *t->p : 0;
    memset(out, 0, sizeof *out);
    if ((st = sy_toml_count(t))) return st;
    if ((c == '[' || c == '{') && depth + 1 > t->depth_max) return toml_deep(t, t->p);
    if (t->p < t->end && (c == '"' || c == '\'')) {
        if ((st = sy_toml_string(t, false, &s))) return st;
        *out = sy_val_str(s);
    } else if (c == '[') {
        if ((st = toml_array(t, depth + 1, out))) return st;
    } else if (c == '{') {
        if ((st = toml_inline_table(t, depth + 1, out))) return st;
    } else if ((st = sy_toml_scalar(t, out))) {
        return st;
    }
    out->line = line;
    return SYMBI_OK;
}

/* ---- headers ---- */

/* One step on the way of a header; the last element stands for an array of tables. */
static symbi_status toml_step_header(sy_toml *t, const char *pos, symbi_str key, sy_toml_node **at)
{
    sy_toml_node *c;
    symbi_status st = toml_child(t, *at, key, &c);
    if (st) return st;
    if (!c && (st = toml_add(t, *at, key, TOML_TABLE, pos, &c))) return st;
    if (c->kind == TOML_LEAF) return toml_taken(t, pos, key, c);
    *at = c->kind == TOML_TABLES ? c->last : c;
    return SYMBI_OK;
}

static symbi_status toml_define(sy_toml *t, const char *pos, symbi_str key, bool many, sy_toml_node **at)
{
    sy_toml_node *c, *el;
    symbi_status st = toml_child(t, *at, key, &c);
    if (st) return st;
    if (!many) {
        if (c && (c->kind != TOML_TABLE)) return toml_taken(t, pos, key, c);
        if (c && c->state != TOML_IMPLICIT)
            return sy_toml_fail(t, pos, SYMBI_EPARSE, "table [%.*s] is defined twice, first on line %u", SY_FMT(key), (unsigned)c->line);
        if (!c && (st = toml_add(t, *at, key, TOML_TABLE, pos, &c))) return st;
        c->state = TOML_HEADER;
        c->line = t->line;
        *at = c;
        return SYMBI_OK;
    }
    if (c && c->kind != TOML_TABLES) return toml_taken(t, pos, key, c);
    if (!c && (st = toml_add(t, *at, key, TOML_TABLES, pos, &c))) return st;
    if (c->depth + 1 > t->depth_max) return toml_deep(t, pos);
    if ((st = sy_toml_count(t))) return st;
    el = toml_node(t, TOML_TABLE, c->depth + 1);
    if (!el) return sy_toml_nomem(t);
    el->state = TOML_HEADER;
    toml_append(c, el);
    *at = el;
    return SYMBI_OK;
}

static symbi_status toml_header(sy_toml *t, sy_toml_node *root, sy_toml_node **table)
{
    symbi_str key;
    symbi_status st;
    sy_toml_node *at = root;
    const char *pos;
    bool many = t->end - t->p >= 2 && t->p[1] == '[';
    t->p += many ? 2 : 1;
    t->section = ++t->next_id;
    for (;;) {
        sy_toml_blanks(t);
        pos = t->p;
        if (t->p < t->end && *t->p == ']') return sy_toml_fail(t, t->p, SYMBI_EPARSE, "the name of the table is missing");
        if ((st = toml_simple_key(t, &key))) return st;
        sy_toml_blanks(t);
        if (t->p >= t->end || *t->p != '.') break;
        t->p++;
        if ((st = toml_step_header(t, pos, key, &at))) return st;
    }
    if (t->p >= t->end || *t->p != ']') return sy_toml_fail(t, t->p, SYMBI_EPARSE, "']' must close the name of the table");
    t->p++;
    if (many) {
        if (t->p >= t->end || *t->p != ']') return sy_toml_fail(t, t->p, SYMBI_EPARSE, "']]' must close the name of an array of tables");
        t->p++;
    }
    if ((st = toml_define(t, pos, key, many, &at))) return st;
    *table = at;
    return sy_toml_line_end(t, "the name of a table");
}

/* ---- document ---- */

static symbi_status toml_document(sy_toml *t)
{
    sy_toml_node *root = toml_node(t, TOML_TABLE, 1), *table = root;
    symbi_status st;
    if (!root) return sy_toml_nomem(t);
    root->state = TOML_HEADER;
    if ((st = sy_toml_count(t))) return st;
    for (;;) {
        if ((st = sy_toml_gap(t))) return st;
        if (t->p >= t->end) break;
        if (*t->p == '[') st = toml_header(t, root, &table);
        else if (!(st = toml_pair(t, table))) st = sy_toml_line_end(t, "a value");
        if (st) return st;
    }
    return toml_value_of(t, root, &t->doc->root);
}

/* The place of the first byte that is not UTF-8. */
static symbi_status toml_bad_utf8(sy_toml *t, const char *text, size_t off)
{
    for (size_t i = 0; i < off; i++)
        if (text[i] == '\n') t->line++, t->bol = text + i + 1;
    return sy_toml_fail(t, text + off, SYMBI_EPARSE, "byte 0x%02x is not valid UTF-8; save the file as UTF-8", (unsigned char)text[off]);
}

symbi_status symbi_toml_parse(symbi_ctx *cx, symbi_str text, symbi_doc **out, symbi_err *err)
{
    sy_toml t;
    symbi_status st;
    size_t bad, lim;
    *out = NULL;
    symbi_err_clear(err);
    lim = cx->limits.doc_bytes;
    if (text.n > lim) return sy_fail(err, SYMBI_ELIMIT, "the document has %zu bytes, more than %zu (doc_bytes)", text.n, lim);
    memset(&t, 0, sizeof t);
    t.cx = cx;
    t.err = err;
    t.p = text.n ? text.p : "";
    t.end = t.p + text.n;
    if (text.n >= 3 && memcmp(t.p, "\xef\xbb\xbf", 3) == 0) t.p += 3;
    t.bol = t.p;
    t.line = 1;
    t.depth_max = cx->limits.doc_depth < TOML_DEPTH_HARD ? cx->limits.doc_depth : TOML_DEPTH_HARD;
    t.nodes_max = cx->limits.doc_nodes;
    if (!sy_utf8_valid(text, &bad)) return toml_bad_utf8(&t, text.p, bad);
    t.doc = sy_doc_new(cx);
    if (!t.doc) return sy_fail_nomem(err);
    sy_arena_init(&t.scratch, cx->alloc, cx->limits.arena_bytes);
    sy_map_init(&t.index, cx->alloc, cx->seed);
    st = toml_document(&t);
    sy_map_free(&t.index);
    sy_arena_free(&t.scratch);
    sy_free(&cx->alloc, t.stack, t.stack_cap * sizeof *t.stack);
    if (st) symbi_doc_unref(t.doc);
    else *out = t.doc;
    return st;
}
