/* state/memory_parse.c: memory files into contexts: the seed's reading, the runtime's, and ours, which takes both and says
 * what it could not use. */
#include "state/memory_text.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/build.h"
#include "symbi/json.h"

const char *const sy_memory_title[SY_MEMORY_SECTIONS] = { "Facts", "Procedures", "Learned Patterns" };
const char *const sy_memory_member[SY_MEMORY_SECTIONS] = { "facts", "procedures", "learned_patterns" };

bool sy_memory_line_end(uint32_t cp)
{
    return (cp >= 0x0a && cp <= 0x0d) || (cp >= 0x1c && cp <= 0x1e) || cp == 0x85 || cp == 0x2028 || cp == 0x2029;
}

bool sy_memory_blank(uint32_t cp, bool python)
{
    if (cp >= 0x1c && cp <= 0x1f) return python;
    return cp == ' ' || (cp >= 0x09 && cp <= 0x0d) || cp == 0x85 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028
        || cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

symbi_str sy_memory_trim(symbi_str s, bool python)
{
    uint32_t cp;
    size_t n;
    while (s.n && (n = sy_utf8_next(s.p, s.n, &cp)) && sy_memory_blank(cp, python)) s.p += n, s.n -= n;
    while (s.n) {
        size_t back = 1;
        while (back < 4 && back < s.n && ((uint8_t)s.p[s.n - back] & 0xc0) == 0x80) back++;
        if (sy_utf8_next(s.p + s.n - back, back, &cp) != back || !sy_memory_blank(cp, python)) break;
        s.n -= back;
    }
    return s;
}

typedef struct reader {
    symbi_ctx *cx;
    symbi_doc *doc;
    symbi_memory_form form; /* as asked */
    bool runtime;           /* the rules in force for this file */
    bool escaped, meta_seen;
    int section; /* -1: none */
    uint32_t line;
    size_t nodes;
    sy_arr items[SY_MEMORY_SECTIONS], problems, other;
    symbi_value metadata;
    symbi_status status;
} reader;

static void note(reader *r, sy_arr *to, const char *member, symbi_str text)
{
    sy_obj o = sy_obj_new(&r->doc->arena);
    if (r->form != SYMBI_MEMORY_AUTO) return;
    sy_obj_int(&o, "line", r->line);
    sy_obj_str(&o, member, text);
    sy_arr_add(to, sy_obj_value(&o));
    r->nodes += 3;
}

static void problem(reader *r, const char *message) { note(r, &r->problems, "message", symbi_str_z(message)); }

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* An item of a marked file. What is no escape stays as it is, and is a problem: a person may have typed it. */
static symbi_str unescape(reader *r, symbi_str s)
{
    char *dst;
    size_t n = 0;
    bool odd = false;
    if (!s.n || !memchr(s.p, '\\', s.n)) return s;
    dst = sy_arena_alloc(&r->doc->arena, s.n);
    if (!dst) return (symbi_str){ NULL, 0 };
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], e = i + 1 < s.n ? s.p[i + 1] : 0;
        int v;
        if (c != '\\') dst[n++] = c;
        else if (e == '\\' || e == 'n' || e == 'r') dst[n++] = e == 'n' ? '\n' : e == 'r' ? '\r' : e, i++;
        else if (e == '&') i++;
        else if (e == 'u' && s.n - i >= 6 && (v = hex4(s.p + i + 2)) >= 0 && !(v >= 0xd800 && v <= 0xdfff)) {
            char u[4];
            size_t k = sy_utf8_put((uint32_t)v, u);
            memcpy(dst + n, u, k);
            n += k, i += 5;
        } else dst[n++] = c, odd = true;
    }
    if (odd) problem(r, "a backslash that starts no escape: write \\\\ for one");
    return (symbi_str){ dst, n };
}

/* "<!-- symbi:metadata {...} -->" into the metadata; false where it is not that. */
static bool metadata(reader *r, symbi_str s)
{
    symbi_str close = SY_LIT(" -->"), open = SY_LIT(SY_MEMORY_META);
    symbi_doc *d = NULL;
    symbi_err e;
    symbi_str json;
    const symbi_value *v;
    bool good = true;
    if (!sy_str_starts(s, open) || !sy_str_ends(s, close) || s.n < open.n + close.n) return false;
    json = (symbi_str){ s.p + open.n, s.n - open.n - close.n };
    r->status = symbi_json_parse(r->cx, json, &d, &e);
    if (r->status == SYMBI_ENOMEM) return true;
    r->status = SYMBI_OK;
    v = d ? symbi_doc_root(d) : NULL;
    if (!v || v->kind != SYMBI_OBJECT) good = false;
    for (size_t i = 0; good && i < v->u.o.n; i++) good = v->u.o.members[i].val.kind == SYMBI_STRING;
    if (!good) problem(r, "the metadata comment does not hold a JSON object of texts");
    else if (r->meta_seen) problem(r, "a second metadata comment; the first one counts");
    else if (sy_value_copy(&r->doc->arena, v, &r->metadata, 4, &e)) r->status = SYMBI_ENOMEM;
    if (good && !r->meta_seen) r->meta_seen = true;
    else good = false;
    symbi_doc_unref(d);
    return good;
}

static int section_of(symbi_str name, bool exact)
{
    for (int k = 0; k < SY_MEMORY_SECTIONS; k++) {
        const char *t = sy_memory_title[k];
        size_t n = strlen(t), i = 0;
        if (name.n != n) continue;
        while (i < n && (name.p[i] == t[i] || (!exact && (name.p[i] | 0x20) == (t[i] | 0x20) && t[i] != ' '))) i++;
        if (i == n) return k;
    }
    return -1;
}

/* A line that our reading leaves alone: kept in `other`, with a problem where a person probably meant an item. */
static void leftover(reader *r, symbi_str s)
{
    if (r->form != SYMBI_MEMORY_AUTO || !s.n) return;
    if (sy_str_starts(s, SY_LIT("* ")) || sy_str_starts(s, SY_LIT("+ "))) problem(r, "not read as an item: items begin with \"- \"");
    else if (sy_str_starts(s, SY_LIT("- "))) problem(r, "an item outside the sections Facts, Procedures and Learned Patterns");
    note(r, &r->other, "text", s);
}

static void take_line(reader *r, symbi_str raw)
{
    symbi_str s = sy_memory_trim(raw, !r->runtime);
    r->line++;
    r->nodes++;
    if (r->runtime && (sy_str_starts(s, SY_LIT("# ")) || sy_str_starts(s, SY_LIT("## ")))) {
        r->section = s.p[1] == '#' ? section_of((symbi_str){ s.p + 3, s.n - 3 }, true) : -1;
        if (r->section >= 0 || r->line == 1) return;
        leftover(r, s);
    } else if (!r->runtime && sy_str_starts(s, SY_LIT("## "))) {
        r->section = section_of(sy_memory_trim((symbi_str){ s.p + 3, s.n - 3 }, true), false);
        if (r->section < 0) leftover(r, s);
    } else if (sy_str_starts(s, SY_LIT("- ")) && r->section >= 0) {
        symbi_str item = { s.p + 2, s.n - 2 };
        r->nodes++;
        sy_arr_add(&r->items[r->section], sy_val_str(r->escaped ? unescape(r, item) : item));
    } else if (r->form == SYMBI_MEMORY_AUTO && sy_str_starts(s, SY_LIT("<!-- symbi:"))) {
        if (sy_str_eqz(s, SY_MEMORY_MARK)) return;
        if (!metadata(r, s) && r->status == SYMBI_OK) {
            if (!sy_str_starts(s, SY_LIT(SY_MEMORY_META))) r->status = SYMBI_EUNSUPPORTED;
            leftover(r, s);
        }
    } else if (!(r->line == 1 && sy_str_starts(s, SY_LIT("# "))) && !(r->runtime && r->line == 2 && sy_str_starts(s, SY_LIT("Updated: ")))) leftover(r, s);
}

/* Where, from i on, the first byte stands that is neither ASCII nor printable; or a little in front of that. */
static size_t plain_run(symbi_str s, size_t i)
{
    uint64_t w;
    while (i + sizeof w <= s.n) {
        memcpy(&w, s.p + i, sizeof w);
        if ((w | (w - 0x2020202020202020u)) & 0x8080808080808080u) break;
        i += sizeof w;
    }
    return i;
}

/* The end of the line at p, and in *skip the bytes of its line end. */
static size_t line_length(const reader *r, symbi_str s, size_t *skip)
{
    for (size_t i = plain_run(s, 0); i < s.n;) {
        uint32_t cp = (uint8_t)s.p[i];
        size_t n = 1;
        if (r->runtime ? cp == '\n' : sy_memory_line_end(cp) && cp < 0x80) {
            *skip = cp == '\r' && i + 1 < s.n && s.p[i + 1] == '\n' ? 2 : 1;
            return i;
        }
        if (cp >= 0x80 && !r->runtime) {
            n = sy_utf8_next(s.p + i, s.n - i, &cp);
            if (n && sy_memory_line_end(cp)) {
                *skip = n;
                return i;
            }
            if (!n) n = 1;
            i = plain_run(s, i + n);
            continue;
        }
        i += n;
    }
    *skip = 0;
    return s.n;
}

/* A copy in the arena with U+FFFD for each byte that is no UTF-8: the document outlives the text. */
static symbi_str clean(reader *r, symbi_str text, bool *bad)
{
    size_t extra = 0, n = 0;
    uint32_t cp;
    char *p;
    for (size_t i = 0, k; i < text.n; i += k ? k : 1) {
        uint64_t w;
        while (i + sizeof w <= text.n && (memcpy(&w, text.p + i, sizeof w), !(w & 0x8080808080808080u))) i += sizeof w;
        if (i == text.n) break;
        k = (uint8_t)text.p[i] < 0x80 ? 1 : sy_utf8_next(text.p + i, text.n - i, &cp);
        if (!k) extra += 2;
    }
    *bad = extra != 0;
    p = sy_arena_alloc(&r->doc->arena, text.n + extra + 1);
    if (!p) return (symbi_str){ NULL, 0 };
    if (!extra) {
        if (text.n) memcpy(p, text.p, text.n);
        return (symbi_str){ p, text.n };
    }
    for (size_t i = 0, k; i < text.n; i += k ? k : 1) {
        k = sy_utf8_next(text.p + i, text.n - i, &cp);
        memcpy(p + n, k ? text.p + i : "\xef\xbf\xbd", k ? k : 3);
        n += k ? k : 3;
    }
    return (symbi_str){ p, n };
}

/* The runtime writes "Updated: " into the second line. */
static bool looks_runtime(symbi_str text)
{
    const char *nl = text.n ? memchr(text.p, '\n', text.n) : NULL;
    symbi_str rest;
    if (!nl || !sy_str_starts(text, SY_LIT("# "))) return false;
    rest = (symbi_str){ nl + 1, (size_t)(text.p + text.n - nl - 1) };
    return sy_str_starts(rest, SY_LIT("Updated: "));
}

static bool marked(symbi_str text)
{
    const char *nl = text.n ? memchr(text.p, '\n', text.n) : NULL;
    symbi_str rest;
    if (!nl || !sy_str_starts(text, SY_LIT("# "))) return false;
    rest = (symbi_str){ nl + 1, (size_t)(text.p + text.n - nl - 1) };
    return sy_str_starts(rest, SY_LIT(SY_MEMORY_MARK));
}

static symbi_status finish(reader *r, symbi_str agent, symbi_err *err)
{
    sy_obj root = sy_obj_new(&r->doc->arena);
    if (r->status == SYMBI_ELIMIT) return sy_fail_at(err, SYMBI_ELIMIT, r->line, 1, "the memory file has more lines and items than limits.doc_nodes (%lu)", (unsigned long)r->cx->limits.doc_nodes);
    if (r->status == SYMBI_EUNSUPPORTED) return sy_fail_at(err, SYMBI_EUNSUPPORTED, r->line, 1, "this memory file was written by a newer version of symbi-lua: use that one, or remove the comment");
    if (r->status) return sy_fail_nomem(err);
    sy_obj_str(&root, "agent_id", sy_arena_dup(&r->doc->arena, agent));
    for (int k = 0; k < SY_MEMORY_SECTIONS; k++) sy_obj_put(&root, sy_memory_member[k], sy_arr_value(&r->items[k]));
    sy_obj_put(&root, "metadata", r->metadata);
    sy_obj_put(&root, "problems", sy_arr_value(&r->problems));
    sy_obj_put(&root, "other", sy_arr_value(&r->other));
    r->doc->root = sy_obj_value(&root);
    return r->doc->arena.status ? sy_arena_fail(&r->doc->arena, "the memory file", err) : SYMBI_OK;
}

symbi_status symbi_memory_parse(symbi_ctx *cx, symbi_str text, symbi_str agent, symbi_memory_form form, symbi_doc **out, symbi_err *err)
{
    reader r = { .cx = cx, .form = form, .section = -1 };
    symbi_status st;
    bool bad = false;
    *out = NULL;
    if (text.n > cx->limits.doc_bytes) return sy_fail(err, SYMBI_ELIMIT, "the memory file is larger than limits.doc_bytes (%lu)", (unsigned long)cx->limits.doc_bytes);
    r.doc = sy_doc_new(cx);
    if (!r.doc) return sy_fail_nomem(err);
    r.metadata = sy_val_object(NULL, 0);
    for (int k = 0; k < SY_MEMORY_SECTIONS; k++) r.items[k] = sy_arr_new(&r.doc->arena);
    r.problems = sy_arr_new(&r.doc->arena);
    r.other = sy_arr_new(&r.doc->arena);
    text = clean(&r, text, &bad);
    if (form == SYMBI_MEMORY_AUTO && sy_str_starts(text, SY_LIT("\xef\xbb\xbf"))) text.p += 3, text.n -= 3;
    r.runtime = form == SYMBI_MEMORY_RUNTIME || (form == SYMBI_MEMORY_AUTO && looks_runtime(text));
    r.escaped = form == SYMBI_MEMORY_AUTO && marked(text);
    if (bad) problem(&r, "the file is not valid UTF-8; what is not became U+FFFD");
    while (text.n && r.status == SYMBI_OK && !r.doc->arena.status) {
        size_t skip, n = line_length(&r, text, &skip);
        take_line(&r, (symbi_str){ text.p, n });
        text.p += n + skip, text.n -= n + skip;
        if (r.nodes > cx->limits.doc_nodes) r.status = SYMBI_ELIMIT;
    }
    st = finish(&r, agent, err);
    if (st) symbi_doc_unref(r.doc);
    else *out = r.doc;
    return st;
}
