/* codec/yaml_write.c: values as YAML in block style, two spaces a level. Text is plain where every reader takes it as the same
 * text (also one of YAML 1.1, for which yes and 12:30 are something else), else in double quotes. */
#include "symbi/yaml.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/num.h"
#include "codec/yaml_scalar.h"

typedef struct writer {
    symbi_ctx *cx;
    sy_buf b;
    symbi_err *err;
} writer;

/* Letters first, and nothing in it that could begin or end anything. */
static bool plain(symbi_str s)
{
    static const char *const words[] = { "yes", "no", "on", "off", "y", "n", "true", "false", "null", NULL };
    symbi_value v;
    const char *why;
    if (!s.n || s.n > 200 || !((s.p[0] >= 'a' && s.p[0] <= 'z') || (s.p[0] >= 'A' && s.p[0] <= 'Z') || s.p[0] == '/' || s.p[0] == '_')) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/') continue;
        if (c == ' ' && i + 1 < s.n && s.p[i + 1] != ' ') continue;
        return false;
    }
    for (const char *const *w = words; *w; w++) {
        size_t i = 0;
        while (i < s.n && (*w)[i] && (s.p[i] | 0x20) == (*w)[i]) i++;
        if (i == s.n && !(*w)[i]) return false;
    }
    return sy_yaml_plain(s, &v, &why) == SY_YAML_STRING;
}

static symbi_status quoted(writer *w, symbi_str s)
{
    uint32_t cp;
    sy_buf_addc(&w->b, '"');
    for (size_t i = 0, n; i < s.n; i += n) {
        n = sy_utf8_next(s.p + i, s.n - i, &cp);
        if (!n) return sy_fail(w->err, SYMBI_ESCHEMA, "a text is not valid UTF-8");
        if (cp == '"' || cp == '\\') sy_buf_addc(&w->b, '\\'), sy_buf_addc(&w->b, (char)cp);
        else if (cp == '\n') sy_buf_addz(&w->b, "\\n");
        else if (cp == '\t') sy_buf_addz(&w->b, "\\t");
        else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029 || cp == 0xfeff || (cp >= 0xfffe && cp <= 0xffff)) sy_buf_addf(&w->b, "\\u%04x", (unsigned)cp);
        else sy_buf_add(&w->b, s.p + i, n);
    }
    sy_buf_addc(&w->b, '"');
    return SYMBI_OK;
}

static symbi_status text(writer *w, symbi_str s)
{
    if (!plain(s)) return quoted(w, s);
    sy_buf_adds(&w->b, s);
    return SYMBI_OK;
}

static symbi_status scalar(writer *w, const symbi_value *v)
{
    char num[32];
    size_t n;
    switch ((symbi_kind)v->kind) {
    case SYMBI_NULL: sy_buf_addz(&w->b, "null"); return SYMBI_OK;
    case SYMBI_BOOL: sy_buf_addz(&w->b, v->u.b ? "true" : "false"); return SYMBI_OK;
    case SYMBI_INT: sy_buf_addi(&w->b, v->u.i); return SYMBI_OK;
    case SYMBI_DOUBLE:
        n = sy_num_write_double(v->u.d, SY_NUM_JSON, num);
        if (!n) return sy_fail(w->err, SYMBI_ESCHEMA, "a number is not finite");
        sy_buf_add(&w->b, num, n);
        return SYMBI_OK;
    case SYMBI_STRING:
    case SYMBI_TIME: return text(w, v->u.s);
    case SYMBI_ARRAY: sy_buf_addz(&w->b, "[]"); return SYMBI_OK;
    case SYMBI_OBJECT: sy_buf_addz(&w->b, "{}"); return SYMBI_OK;
    }
    return sy_fail(w->err, SYMBI_EINVAL, "a value of an unknown kind");
}

static bool block(const symbi_value *v) { return (v->kind == SYMBI_ARRAY && v->u.a.n) || (v->kind == SYMBI_OBJECT && v->u.o.n); }

static void indent(writer *w, size_t depth)
{
    for (size_t i = 0; i < depth; i++) sy_buf_addz(&w->b, "  ");
}

/* The lines of a non-empty collection. first: its first line goes on where something stands already ("- "). */
static symbi_status lines(writer *w, const symbi_value *v, size_t depth, bool first)
{
    size_t n = v->kind == SYMBI_ARRAY ? v->u.a.n : v->u.o.n;
    symbi_status st = SYMBI_OK;
    if (depth >= w->cx->limits.doc_depth) return sy_fail(w->err, SYMBI_ELIMIT, "nested deeper than limits.doc_depth");
    for (size_t i = 0; i < n && !st; i++) {
        const symbi_value *item = v->kind == SYMBI_ARRAY ? &v->u.a.items[i] : &v->u.o.members[i].val;
        if (!first || i) indent(w, depth);
        if (v->kind == SYMBI_ARRAY) {
            sy_buf_addz(&w->b, "- ");
            if (block(item)) {
                st = lines(w, item, depth + 1, true);
                continue;
            }
        } else {
            for (size_t k = 0; k < i && n <= 64; k++)
                if (sy_str_eq(v->u.o.members[k].key, v->u.o.members[i].key)) return sy_fail(w->err, SYMBI_ESCHEMA, "the key \"%.*s\" is there twice", SY_FMT(v->u.o.members[i].key));
            st = text(w, v->u.o.members[i].key);
            if (st) return st;
            sy_buf_addc(&w->b, ':');
            if (block(item)) {
                sy_buf_addc(&w->b, '\n');
                st = lines(w, item, depth + 1, false);
                continue;
            }
            sy_buf_addc(&w->b, ' ');
        }
        st = scalar(w, item);
        sy_buf_addc(&w->b, '\n');
    }
    return st ? st : sy_buf_status(&w->b) == SYMBI_ENOMEM ? sy_fail_nomem(w->err) : SYMBI_OK;
}

symbi_status symbi_yaml_write(symbi_ctx *cx, const symbi_value *v, symbi_text *out, symbi_err *err)
{
    writer w = { .cx = cx, .err = err };
    symbi_status st;
    memset(out, 0, sizeof *out);
    sy_buf_init(&w.b, cx->alloc, cx->limits.output_bytes);
    if (block(v)) st = lines(&w, v, 0, false);
    else {
        st = scalar(&w, v);
        sy_buf_addc(&w.b, '\n');
    }
    if (st) {
        sy_buf_free(&w.b);
        return st;
    }
    return sy_buf_take(&w.b, out, "the YAML document", err);
}
