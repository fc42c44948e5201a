/* toolclad/xml.c: XML output as a value (spec toolclad.md 9.5): {root: node}; a node has its attributes under "@name", the text before
 * its first child under "#text", and its children under their names, repeated ones as a list. Written for output that a stranger
 * controls: no DTD is obeyed, no entity but the five of XML exists, nothing is fetched; depth and size are bounded. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/build.h"
#include "toolclad/types.h"
#include "toolclad/xml.h"

enum { DEPTH_MAX = 200 };

typedef struct xml {
    symbi_ctx *cx;
    symbi_str s;
    size_t i, nodes;
    sy_arena *a;
    symbi_err *err;
} xml;

static symbi_status bad(xml *x, const char *what)
{
    uint32_t line = 1;
    for (size_t k = 0; k < x->i && k < x->s.n; k++) line += x->s.p[k] == '\n';
    return sy_fail_at(x->err, SYMBI_EPARSE, line, 0, "%s", what);
}
static symbi_status nomem(xml *x) { return sy_arena_fail(x->a, "the output", x->err); }

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool at(const xml *x, const char *z)
{
    size_t n = strlen(z);
    return x->s.n - x->i >= n && memcmp(x->s.p + x->i, z, n) == 0;
}
static bool skip_blanks(xml *x)
{
    size_t from = x->i;
    while (x->i < x->s.n && blank(x->s.p[x->i])) x->i++;
    return x->i > from;
}

/* Goes behind the next z; false when there is none. */
static bool skip_past(xml *x, const char *z)
{
    size_t n = strlen(z);
    for (; x->s.n - x->i >= n; x->i++)
        if (memcmp(x->s.p + x->i, z, n) == 0) {
            x->i += n;
            return true;
        }
    return false;
}

static symbi_status skip_comment(xml *x)
{
    x->i += 4;
    if (!skip_past(x, "--")) return bad(x, "a comment is not closed");
    if (x->i >= x->s.n || x->s.p[x->i] != '>') return bad(x, "a comment contains '--'");
    x->i++;
    return SYMBI_OK;
}

static bool name_char(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (unsigned char)c >= 0x80) return true;
    return !first && ((c >= '0' && c <= '9') || c == '-' || c == '.');
}

static symbi_str name(xml *x)
{
    size_t from = x->i;
    while (x->i < x->s.n && name_char(x->s.p[x->i], x->i == from)) x->i++;
    return (symbi_str){ x->s.p + from, x->i - from };
}

static symbi_status skip_pi(xml *x)
{
    symbi_str target;
    x->i += 2;
    target = name(x);
    if (!target.n || (x->i < x->s.n && !blank(x->s.p[x->i]) && !at(x, "?>"))) return bad(x, "a processing instruction is malformed");
    if (target.n == 3 && (target.p[0] | 32) == 'x' && (target.p[1] | 32) == 'm' && (target.p[2] | 32) == 'l') return bad(x, "the XML declaration stands at the beginning only");
    return skip_past(x, "?>") ? SYMBI_OK : bad(x, "a processing instruction is not closed");
}

/* ` key="value"` of the XML declaration; absent (*value without text): nothing is read. */
static bool declared(xml *x, const char *key, symbi_str *value)
{
    size_t from = x->i, n = strlen(key);
    char quote;
    *value = (symbi_str){ NULL, 0 };
    if (!skip_blanks(x) || !at(x, key)) {
        x->i = from;
        return true;
    }
    x->i += n;
    skip_blanks(x);
    if (x->i >= x->s.n || x->s.p[x->i++] != '=') return false;
    skip_blanks(x);
    if (x->i >= x->s.n || ((quote = x->s.p[x->i]) != '"' && quote != '\'')) return false;
    for (from = ++x->i; x->i < x->s.n && x->s.p[x->i] != quote; x->i++) { }
    *value = (symbi_str){ x->s.p + from, x->i - from };
    return x->i++ < x->s.n;
}

/* <?xml version="1.N" encoding=... standalone=...?>; the text is UTF-8 by now, whatever it says of itself. */
static symbi_status declaration(xml *x)
{
    symbi_str v, e, s;
    bool good;
    if (!at(x, "<?xml") || x->s.n - x->i < 6 || !blank(x->s.p[x->i + 5])) return SYMBI_OK;
    x->i += 5;
    good = declared(x, "version", &v) && v.n > 2 && v.p[0] == '1' && v.p[1] == '.' && declared(x, "encoding", &e) && (!e.p || e.n) && declared(x, "standalone", &s) &&
           (!s.p || sy_str_eqz(s, "yes") || sy_str_eqz(s, "no"));
    if (good) skip_blanks(x);
    if (!good || !at(x, "?>")) return bad(x, "the XML declaration is malformed");
    x->i += 2;
    return SYMBI_OK;
}

/* A declaration may name external things (nothing is fetched) and may have an internal subset, as long as it defines no entity. */
static symbi_status skip_doctype(xml *x)
{
    bool inside = false;
    x->i += 9;
    if (!skip_blanks(x) || !name(x).n || x->i >= x->s.n || !(blank(x->s.p[x->i]) || x->s.p[x->i] == '[' || x->s.p[x->i] == '>')) return bad(x, "the document type declaration is malformed");
    while (x->i < x->s.n) {
        char c = x->s.p[x->i];
        if (at(x, "<!--")) {
            symbi_status st = skip_comment(x);
            if (st) return st;
            continue;
        }
        if (at(x, "<!ENTITY") || c == '%') return bad(x, "entities are not accepted");
        if (c == '"' || c == '\'') {
            char q[2] = { c, 0 };
            x->i++;
            if (!skip_past(x, q)) break;
            continue;
        }
        if (c == '[') inside = true;
        if (c == ']') inside = false;
        x->i++;
        if (c == '>' && !inside) return SYMBI_OK;
    }
    return bad(x, "the document type declaration is not closed");
}

/* A character that XML allows. */
static bool legal(uint32_t c) { return c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff); }

/* Whether all of it is characters that XML allows; else x->i is where it is not. */
static bool all_legal(xml *x)
{
    uint32_t cp;
    for (size_t i = 0, n; i < x->s.n; i += n) {
        n = sy_utf8_next(x->s.p + i, x->s.n - i, &cp);
        if (n && legal(cp)) continue;
        x->i = i;
        return false;
    }
    return true;
}

/* "&...;" at i: appends what it stands for. */
static symbi_status reference(xml *x, char *o, size_t *n)
{
    static const struct { const char *name; char c; } known[] = { { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' }, { "&apos;", '\'' } };
    uint32_t cp = 0;
    bool hex;
    size_t digits = 0;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (at(x, known[k].name)) {
            x->i += strlen(known[k].name);
            o[(*n)++] = known[k].c;
            return SYMBI_OK;
        }
    if (!at(x, "&#")) return bad(x, "an unknown entity, or '&' on its own");
    x->i += 2;
    hex = x->i < x->s.n && x->s.p[x->i] == 'x';
    if (hex) x->i++;
    for (; x->i < x->s.n && x->s.p[x->i] != ';'; x->i++, digits++) {
        char c = x->s.p[x->i];
        unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 99;
        if (d >= (hex ? 16u : 10u) || (cp = cp * (hex ? 16 : 10) + d) > 0x10ffff) return bad(x, "a character reference is malformed");
    }
    if (x->i >= x->s.n || !digits || !legal(cp)) return bad(x, "a character reference is malformed");
    x->i++;
    *n += sy_utf8_put(cp, o + *n); /* never longer than the reference */
    return SYMBI_OK;
}

static symbi_status attribute_value(xml *x, symbi_str *out)
{
    char quote, *o;
    size_t end, n = 0;
    symbi_status st;
    if (x->i >= x->s.n || (x->s.p[x->i] != '"' && x->s.p[x->i] != '\'')) return bad(x, "the value of an attribute stands in quotes");
    quote = x->s.p[x->i++];
    for (end = x->i; end < x->s.n && x->s.p[end] != quote; end++) { }
    if (end >= x->s.n) return bad(x, "a quote is not closed");
    o = sy_arena_alloc(x->a, end - x->i + 1);
    if (!o) return nomem(x);
    while (x->i < end) {
        char c = x->s.p[x->i];
        if (c == '<') return bad(x, "'<' in the value of an attribute");
        if (c == '&') {
            if ((st = reference(x, o, &n))) return st;
            continue;
        }
        x->i++;
        if (c == '\r' && x->i < end && x->s.p[x->i] == '\n') continue;
        o[n++] = blank(c) ? ' ' : c;
    }
    if (x->i != end) return bad(x, "a reference runs out of the value of an attribute");
    x->i = end + 1;
    o[n] = 0;
    *out = (symbi_str){ o, n };
    return SYMBI_OK;
}

static symbi_status attributes(xml *x, sy_map *seen, sy_obj *node)
{
    for (;;) {
        bool gap = skip_blanks(x), fresh;
        symbi_str key, value = { NULL, 0 };
        char *k;
        symbi_status st;
        if (x->i >= x->s.n) return bad(x, "a tag is not closed");
        if (x->s.p[x->i] == '>' || x->s.p[x->i] == '/') return SYMBI_OK;
        key = name(x);
        if (!gap || !key.n) return bad(x, "a tag is malformed");
        k = sy_arena_alloc(x->a, key.n + 2);
        if (!k) return nomem(x);
        k[0] = '@';
        memcpy(k + 1, key.p, key.n);
        k[key.n + 1] = 0;
        skip_blanks(x);
        if (x->i >= x->s.n || x->s.p[x->i] != '=') return bad(x, "an attribute has no value");
        x->i++;
        skip_blanks(x);
        if ((st = attribute_value(x, &value))) return st;
        if (!sy_map_put(seen, (symbi_str){ k, key.n + 1 }, &fresh)) return sy_fail_nomem(x->err);
        if (!fresh) return bad(x, "an attribute stands twice");
        if (++x->nodes > x->cx->limits.doc_nodes) return sy_fail(x->err, SYMBI_ELIMIT, "more than %zu values (doc_nodes)", x->cx->limits.doc_nodes);
        sy_obj_puts(node, (symbi_str){ k, key.n + 1 }, sy_val_str(value));
    }
}

/* Text up to the next '<', appended to b where it is wanted (before the first child). */
static symbi_status text(xml *x, sy_buf *b, bool wanted)
{
    char c, one[8];
    symbi_status st;
    while (x->i < x->s.n && (c = x->s.p[x->i]) != '<') {
        size_t n = 0;
        if (c == '&') {
            if ((st = reference(x, one, &n))) return st;
            if (wanted) sy_buf_add(b, one, n);
            continue;
        }
        if (at(x, "]]>")) return bad(x, "']]>' in text");
        x->i++;
        if (c == '\r' && x->i < x->s.n && x->s.p[x->i] == '\n') continue;
        if (wanted) sy_buf_addc(b, c == '\r' ? '\n' : c);
    }
    return SYMBI_OK;
}

static symbi_status cdata(xml *x, sy_buf *b, bool wanted)
{
    size_t from = x->i += 9;
    if (!skip_past(x, "]]>")) return bad(x, "a CDATA section is not closed");
    if (wanted) sy_buf_add(b, x->s.p + from, x->i - 3 - from);
    return SYMBI_OK;
}

static symbi_status put_text(xml *x, sy_buf *b, sy_obj *node)
{
    symbi_str s;
    if (sy_buf_status(b)) return sy_fail_nomem(x->err);
    s = sy_trim_space(b->n ? sy_buf_str(b) : SY_LIT(""));
    if (!s.n) return SYMBI_OK;
    s = sy_arena_dup(x->a, s);
    sy_obj_str(node, "#text", s);
    return x->a->status ? nomem(x) : SYMBI_OK;
}

/* Puts a child under its name: alone, or in the list of those that share it. */
static symbi_status put_child(xml *x, sy_map *seen, sy_obj *node, symbi_str tag, symbi_value v)
{
    bool fresh;
    sy_map_entry *e = sy_map_put(seen, tag, &fresh);
    sy_arr *list;
    if (!e) return sy_fail_nomem(x->err);
    if (fresh) {
        list = sy_arena_calloc(x->a, 1, sizeof *list);
        if (!list) return nomem(x);
        *list = sy_arr_new(x->a);
        sy_arr_add(list, v);
        e->val.p = list;
        sy_obj_puts(node, tag, v);
    } else {
        list = e->val.p;
        sy_arr_add(list, v);
    }
    return x->a->status ? nomem(x) : SYMBI_OK;
}

/* The lists of repeated children, in their final form. */
static void settle(sy_map *seen, sy_obj *node)
{
    for (size_t i = 0; i < node->n; i++) {
        sy_map_entry *e = node->m[i].key.p[0] == '@' || node->m[i].key.p[0] == '#' ? NULL : sy_map_find(seen, node->m[i].key);
        const sy_arr *list = e ? e->val.p : NULL;
        if (list && list->n > 1) node->m[i].val = sy_arr_value(list);
    }
}

static symbi_status element(xml *x, symbi_str *tag, symbi_value *out, size_t depth);

static symbi_status children(xml *x, sy_map *seen, sy_obj *node, sy_buf *b, size_t depth)
{
    bool child = false;
    symbi_status st;
    for (;;) {
        if ((st = text(x, b, !child))) return st;
        if (x->i >= x->s.n) return bad(x, "an element is not closed");
        if (at(x, "</")) return child ? SYMBI_OK : put_text(x, b, node);
        if (at(x, "<!--")) st = skip_comment(x);
        else if (at(x, "<![CDATA[")) st = cdata(x, b, !child);
        else if (at(x, "<?")) st = skip_pi(x);
        else {
            symbi_str inner = { NULL, 0 };
            symbi_value v = sy_val_null();
            if (!child) st = put_text(x, b, node); /* it is complete: what follows a child is not kept */
            child = true;
            if (!st) st = element(x, &inner, &v, depth - 1);
            if (!st) st = put_child(x, seen, node, inner, v);
        }
        if (st) return st;
    }
}

static symbi_status content(xml *x, symbi_str tag, sy_map *seen, sy_obj *node, size_t depth)
{
    sy_buf b;
    symbi_status st;
    sy_buf_init(&b, x->cx->alloc, x->s.n + 1);
    st = children(x, seen, node, &b, depth);
    sy_buf_free(&b);
    if (st) return st;
    x->i += 2;
    if (!sy_str_eq(name(x), tag)) return bad(x, "an element is closed by another tag");
    skip_blanks(x);
    if (x->i >= x->s.n || x->s.p[x->i] != '>') return bad(x, "a tag is malformed");
    x->i++;
    return SYMBI_OK;
}

static symbi_status element(xml *x, symbi_str *tag, symbi_value *out, size_t depth)
{
    sy_obj node = sy_obj_new(x->a);
    sy_map seen;
    symbi_str raw;
    symbi_status st;
    if (!depth) return sy_fail(x->err, SYMBI_ELIMIT, "elements are nested too deeply");
    if (++x->nodes > x->cx->limits.doc_nodes) return sy_fail(x->err, SYMBI_ELIMIT, "more than %zu values (doc_nodes)", x->cx->limits.doc_nodes);
    if (x->i >= x->s.n || x->s.p[x->i] != '<') return bad(x, "a tag is expected");
    x->i++;
    raw = name(x);
    if (!raw.n) return bad(x, "a tag is malformed");
    *tag = sy_arena_dup(x->a, raw);
    if (!tag->p) return nomem(x);
    sy_map_init(&seen, x->cx->alloc, x->cx->seed);
    st = attributes(x, &seen, &node);
    if (!st && x->s.p[x->i] == '/') {
        x->i++;
        if (x->i >= x->s.n || x->s.p[x->i] != '>') st = bad(x, "a tag is malformed");
        else x->i++;
    } else if (!st) {
        x->i++;
        st = content(x, *tag, &seen, &node, depth);
    }
    if (!st) settle(&seen, &node);
    sy_map_free(&seen);
    if (st) return st;
    *out = sy_obj_value(&node);
    return x->a->status ? nomem(x) : SYMBI_OK;
}

/* What may stand before and behind the root. */
static symbi_status misc(xml *x, bool prolog)
{
    symbi_status st = SYMBI_OK;
    bool doctype = false;
    while (!st) {
        skip_blanks(x);
        if (at(x, "<!--")) st = skip_comment(x);
        else if (at(x, "<?")) st = skip_pi(x);
        else if (prolog && !doctype && at(x, "<!DOCTYPE")) doctype = true, st = skip_doctype(x);
        else break;
    }
    return st;
}

symbi_status sy_xml_parse(symbi_ctx *cx, symbi_str s, sy_arena *a, symbi_value *out, symbi_err *err)
{
    xml x = { cx, s, 0, 0, a, err };
    sy_obj top = sy_obj_new(a);
    symbi_str tag = { NULL, 0 };
    symbi_value root = sy_val_null();
    size_t depth = sy_output_depth(cx) < DEPTH_MAX ? sy_output_depth(cx) : DEPTH_MAX;
    symbi_status st;
    if (!all_legal(&x)) return bad(&x, "a control character");
    if (s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0) x.i = 3;
    if ((st = declaration(&x)) || (st = misc(&x, true)) || (st = element(&x, &tag, &root, depth)) || (st = misc(&x, false))) return st;
    if (x.i < x.s.n) return bad(&x, "something stands behind the root element");
    sy_obj_puts(&top, tag, root);
    *out = sy_obj_value(&top);
    return a->status ? nomem(&x) : SYMBI_OK;
}

/* ---- nmap -oX: hosts and their ports ------------------------------------------------------------------------------------------ */

/* The i-th of what stands under a name: a node alone or in a list; NULL past the end. */
static const symbi_value *nth(const symbi_value *node, const char *key, size_t i)
{
    const symbi_value *v = node ? symbi_value_getz(node, key) : NULL;
    if (!v) return NULL;
    if (v->kind == SYMBI_ARRAY) return i < v->u.a.n ? &v->u.a.items[i] : NULL;
    return i == 0 ? v : NULL;
}

static symbi_str attr(const symbi_value *node, const char *key) { return node ? symbi_value_str(node, key, SY_LIT("")) : SY_LIT(""); }

static symbi_value port_number(symbi_str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n && i < 6; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return sy_val_str(s);
        n = n * 10 + (s.p[i] - '0');
    }
    return s.n && s.n < 6 ? sy_val_int(n) : sy_val_str(s);
}

static symbi_value nmap_ports(sy_arena *a, const symbi_value *host)
{
    sy_arr list = sy_arr_new(a);
    const symbi_value *ports = nth(host, "ports", 0), *p;
    for (size_t i = 0; (p = nth(ports, "port", i)); i++) {
        sy_obj o = sy_obj_new(a);
        const symbi_value *service = nth(p, "service", 0);
        sy_obj_put(&o, "port", port_number(attr(p, "@portid")));
        sy_obj_str(&o, "protocol", attr(p, "@protocol"));
        sy_obj_str(&o, "state", attr(nth(p, "state", 0), "@state"));
        sy_obj_str(&o, "service", attr(service, "@name"));
        sy_obj_str(&o, "version", attr(service, "@version"));
        sy_arr_add(&list, sy_obj_value(&o));
    }
    return sy_arr_value(&list);
}

symbi_status sy_nmap_parse(symbi_ctx *cx, symbi_str s, sy_arena *a, symbi_value *out, symbi_err *err)
{
    symbi_value doc = sy_val_null();
    sy_obj top = sy_obj_new(a);
    sy_arr hosts = sy_arr_new(a);
    const symbi_value *run, *h;
    symbi_status st = sy_xml_parse(cx, s, a, &doc, err);
    if (st) return st;
    run = symbi_value_getz(&doc, "nmaprun");
    if (!run) return sy_fail(err, SYMBI_EPARSE, "this is no output of nmap -oX: the root element is not nmaprun");
    for (size_t i = 0; (h = nth(run, "host", i)); i++) {
        sy_obj o = sy_obj_new(a);
        const symbi_value *ip = NULL, *addr;
        for (size_t k = 0; !ip && (addr = nth(h, "address", k)); k++)
            if (!sy_str_eqz(attr(addr, "@addrtype"), "mac")) ip = addr;
        sy_obj_str(&o, "ip", attr(ip, "@addr"));
        sy_obj_str(&o, "hostname", attr(nth(nth(h, "hostnames", 0), "hostname", 0), "@name"));
        sy_obj_str(&o, "state", attr(nth(h, "status", 0), "@state"));
        sy_obj_put(&o, "ports", nmap_ports(a, h));
        sy_arr_add(&hosts, sy_obj_value(&o));
    }
    sy_obj_put(&top, "hosts", sy_arr_value(&hosts));
    *out = sy_obj_value(&top);
    return a->status ? sy_arena_fail(a, "the output", err) : SYMBI_OK;
}
