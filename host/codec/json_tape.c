/* codec/json_tape.c: a whole document as a flat array of items. One pass of the tokeniser fills it; each container then
 * knows its size, so that tree and Lua tables are built without growing anything. Duplicate keys are found when an object
 * closes: small ones by comparing 16-bit hashes, large ones through a map seeded from the ctx. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "codec/json_read.h"

enum { SMALL_OBJECT = 32, MAP_KEEP = 4096, FIRST_ITEMS = 64, FIRST_EXTRA = 256 };

struct symbi_json_tape {
    symbi_ctx *cx;
    symbi_alloc alloc; /* the ctx's, kept apart so that freeing does not need the ctx */
    symbi_json_item *items;
    size_t n, cap;
    char *extra; /* strings that had escapes */
    size_t extra_n, extra_cap;
    sy_map keys;
    symbi_json_reader reader;
};

/* The first memory is taken here and never given back before the end, so that a tape holds the same number of blocks
 * between reads whatever it read: whoever counts live allocations sees no change. */
symbi_status symbi_json_tape_new(symbi_ctx *cx, symbi_json_tape **out, symbi_err *err)
{
    symbi_json_tape *t = sy_calloc(&cx->alloc, 1, sizeof *t);
    *out = NULL;
    if (!t) return sy_fail_nomem(err);
    t->cx = cx;
    t->alloc = cx->alloc;
    sy_map_init(&t->keys, cx->alloc, cx->seed);
    t->items = sy_alloc(&t->alloc, FIRST_ITEMS * sizeof *t->items);
    if (t->items) t->cap = FIRST_ITEMS;
    t->extra = sy_alloc(&t->alloc, FIRST_EXTRA);
    if (t->extra) t->extra_cap = FIRST_EXTRA;
    if (!t->items || !t->extra) {
        symbi_json_tape_free(t);
        return sy_fail_nomem(err);
    }
    *out = t;
    return SYMBI_OK;
}

void symbi_json_tape_trim(symbi_json_tape *t, size_t keep)
{
    void *p;
    if (t->cap > FIRST_ITEMS && t->cap * sizeof *t->items > keep &&
        (p = sy_realloc(&t->alloc, t->items, t->cap * sizeof *t->items, FIRST_ITEMS * sizeof *t->items))) {
        t->items = p;
        t->cap = FIRST_ITEMS;
    }
    if (t->extra_cap > FIRST_EXTRA && t->extra_cap > keep && (p = sy_realloc(&t->alloc, t->extra, t->extra_cap, FIRST_EXTRA))) {
        t->extra = p;
        t->extra_cap = FIRST_EXTRA;
    }
}

void symbi_json_tape_free(symbi_json_tape *t)
{
    symbi_alloc a;
    if (!t) return;
    a = t->alloc;
    sy_free(&a, t->items, t->cap * sizeof *t->items);
    sy_free(&a, t->extra, t->extra_cap);
    sy_map_free(&t->keys);
    sy_free(&a, t, sizeof *t);
}

static bool more_items(symbi_json_tape *t)
{
    size_t cap = t->cap * 2;
    symbi_json_item *p;
    if (cap > UINT32_MAX) return false;
    p = sy_realloc(&t->alloc, t->items, t->cap * sizeof *p, cap * sizeof *p);
    if (!p) return false;
    t->items = p;
    t->cap = cap;
    return true;
}

static bool add_unescaped(symbi_json_tape *t, symbi_str raw, symbi_json_item *k)
{
    size_t need = t->extra_n + raw.n, len;
    if (need > t->extra_cap) {
        size_t cap = t->extra_cap;
        char *p;
        while (cap < need) cap *= 2; /* the text is below 4 GiB */
        p = sy_realloc(&t->alloc, t->extra, t->extra_cap, cap);
        if (!p) return false;
        t->extra = p;
        t->extra_cap = cap;
    }
    len = symbi_json_unescape(raw, t->extra + t->extra_n);
    k->escaped = 1;
    k->u.s.off = (uint32_t)t->extra_n;
    k->u.s.len = (uint32_t)len;
    t->extra_n += len;
    return true;
}

static symbi_str text_of(const symbi_json_tape *t, const symbi_json_item *k)
{
    symbi_str s = { (k->escaped ? t->extra : t->reader.begin) + k->u.s.off, k->u.s.len };
    return s;
}

/* Not for tables that an attacker can fill: only to skip most comparisons among a few keys. */
static uint16_t quick_hash(const char *p, size_t n)
{
    uint64_t a = 0, b = 0;
    if (n >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + n - 8, 8);
    } else if (n >= 4) {
        uint32_t x, y;
        memcpy(&x, p, 4);
        memcpy(&y, p + n - 4, 4);
        a = x;
        b = y;
    } else if (n) {
        a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n >> 1] << 8 | (unsigned char)p[n - 1];
    }
    a = (a + n) * 0x9e3779b97f4a7c15u;
    b = (b ^ a >> 32) * 0xc2b2ae3d27d4eb4fu;
    return (uint16_t)((a ^ b) >> 48);
}

/* The item after the value at index i. */
static uint32_t after(const symbi_json_item *items, uint32_t i)
{
    return items[i].kind >= SYMBI_JSON_ARRAY ? items[i].u.c.end : i + 1;
}

static symbi_status duplicate(symbi_json_tape *t, const symbi_json_item *first, const symbi_json_item *second, symbi_err *err)
{
    symbi_str s = text_of(t, second);
    bool cut = s.n > 60;
    uint32_t col = 0;
    if (cut) s.n = 60;
    if (!second->escaped) { /* its column: back to the start of the line, quote included */
        const char *p = t->reader.begin + second->u.s.off - 1, *q = p;
        while (q > t->reader.begin && q[-1] != '\n') q--;
        col = (uint32_t)(p - q) + 1;
    }
    return sy_fail_at(err, SYMBI_EPARSE, second->line, col, "duplicate key \"%.*s%s\" (first on line %u)", SY_FMT(s), cut ? "..." : "", (unsigned)first->line);
}

static symbi_status check_large(symbi_json_tape *t, uint32_t obj, symbi_err *err)
{
    const symbi_json_item *items = t->items;
    uint32_t i = obj + 1;
    symbi_status st = SYMBI_OK;
    for (uint32_t k = 0; k < items[obj].u.c.n && !st; k++) {
        bool fresh;
        sy_map_entry *e = sy_map_put(&t->keys, text_of(t, &items[i]), &fresh);
        if (!e) st = sy_fail_nomem(err);
        else if (!fresh) st = duplicate(t, &items[e->val.u], &items[i], err);
        else e->val.u = i;
        i = after(items, i + 1);
    }
    /* clearing costs what the map has grown to: one huge object must not make every later one dear */
    if (t->keys.nslot > MAP_KEEP) sy_map_free(&t->keys);
    else sy_map_clear(&t->keys);
    return st;
}

static symbi_status check_keys(symbi_json_tape *t, uint32_t obj, symbi_err *err)
{
    const symbi_json_item *items = t->items;
    uint16_t hash[SMALL_OBJECT];
    uint32_t at[SMALL_OBJECT], n = items[obj].u.c.n, i = obj + 1;
    if (n < 2) return SYMBI_OK;
    if (n > SMALL_OBJECT) return check_large(t, obj, err);
    for (uint32_t k = 0; k < n; k++) {
        uint16_t h = items[i].hash;
        for (uint32_t j = 0; j < k; j++)
            if (hash[j] == h && sy_str_eq(text_of(t, &items[at[j]]), text_of(t, &items[i]))) return duplicate(t, &items[at[j]], &items[i], err);
        hash[k] = h;
        at[k] = i;
        i = after(items, i + 1);
    }
    return SYMBI_OK;
}

static symbi_status too_many(symbi_json_tape *t, const symbi_json_token *tok, symbi_err *err)
{
    return sy_fail_at(err, SYMBI_ELIMIT, tok->line, tok->col, "more than %zu values in one document", t->cx->limits.doc_nodes);
}

static symbi_status read_all(symbi_json_tape *t, symbi_str text, unsigned flags, symbi_json_view *out, symbi_err *err)
{
    const symbi_limits *lim = &t->cx->limits;
    symbi_json_reader *r = &t->reader;
    size_t nodes = lim->doc_nodes, strings = 0, string_bytes = 0;
    uint32_t open = UINT32_MAX; /* innermost container; its u.c.end holds the one around it until it closes */
    symbi_json_token tok;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (text.n > lim->doc_bytes || text.n >= UINT32_MAX)
        return sy_fail(err, SYMBI_ELIMIT, "the JSON text has %zu bytes, the limit is %zu", text.n, lim->doc_bytes);
    t->n = t->extra_n = 0;
    symbi_json_reader_init(r, text, lim->doc_depth, flags);
    for (;;) {
        symbi_json_item *k;
        if ((st = sy_json_next(r, &tok, err))) return st;
        if (tok.event >= SYMBI_JSON_END || tok.event == SYMBI_JSON_EOF) {
            uint32_t closing = open;
            if (tok.event == SYMBI_JSON_EOF) break;
            open = t->items[closing].u.c.end;
            t->items[closing].u.c.end = (uint32_t)t->n;
            if (t->items[closing].kind == SYMBI_JSON_OBJECT && (st = check_keys(t, closing, err))) return st;
            continue;
        }
        if (t->n == t->cap && !more_items(t)) return sy_fail_nomem(err);
        k = &t->items[t->n];
        k->kind = tok.event;
        k->escaped = 0;
        k->line = tok.line;
        if (tok.event != SYMBI_JSON_KEY) {
            if (!nodes--) return too_many(t, &tok, err);
            if (open != UINT32_MAX) t->items[open].u.c.n++;
        }
        switch ((symbi_json_event)tok.event) {
        case SYMBI_JSON_INT: k->u.i = tok.u.i; break;
        case SYMBI_JSON_DOUBLE: k->u.d = tok.u.d; break;
        case SYMBI_JSON_BOOL: k->u.b = tok.u.b; break;
        case SYMBI_JSON_KEY:
        case SYMBI_JSON_STRING:
        case SYMBI_JSON_BIGINT_TEXT:
            if (tok.escaped) {
                if (!add_unescaped(t, tok.u.s, k)) return sy_fail_nomem(err);
            } else {
                k->u.s.off = (uint32_t)(tok.u.s.p - r->begin);
                k->u.s.len = (uint32_t)tok.u.s.n;
            }
            strings++;
            string_bytes += k->u.s.len;
            if (tok.event == SYMBI_JSON_KEY) {
                symbi_str s = text_of(t, k);
                k->hash = quick_hash(s.p, s.n);
            }
            break;
        case SYMBI_JSON_ARRAY:
        case SYMBI_JSON_OBJECT:
            k->u.c.n = 0;
            k->u.c.end = open;
            open = (uint32_t)t->n;
            break;
        default: break;
        }
        t->n++;
    }
    out->items = t->items;
    out->n = t->n;
    out->base[0] = r->begin;
    out->base[1] = t->extra;
    out->strings = strings;
    out->string_bytes = string_bytes;
    return SYMBI_OK;
}

symbi_status symbi_json_tape_read(symbi_json_tape *t, symbi_str text, unsigned flags, symbi_json_view *out, symbi_err *err)
{
    symbi_status st = read_all(t, text, flags, out, err);
    if (t->keys.nslot) sy_map_free(&t->keys);
    return st;
}
