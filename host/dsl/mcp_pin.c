/* dsl/mcp_pin.c: what pins the configuration of an MCP server (spec section 12): a hash of its entry in one canonical text, which is not RFC
 * 8785 but the reference's: keys by bytes, integers up to 64 unsigned bits, other numbers in its own shortest form. */
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "codec/num.h"
#include "dsl/dsl.h"
#include "symbi/crypto.h"
#include "symbi/json.h"

#include <stdlib.h>
#include <string.h>

typedef struct pin {
    symbi_ctx *cx;
    const symbi_json_view *view;
    symbi_json_out *o;
    sy_arena *a;
} pin;

static void raw(pin *p, const char *z) { symbi_json_out_raw(p->o, symbi_str_z(z)); }

/* The shortest digits in the reference's layout: a fraction always, an exponent from 17 digits on and below 1e-5. */
static void number(pin *p, double d)
{
    char es[32], digits[32], out[64], *w = out;
    size_t len = sy_num_write_double(d, SY_NUM_ES, es), n = 0;
    int point = 0, exp = 0, before = 0;
    bool seen = false, lead = true, e = false, eneg = false;
    if (d == 0) {
        raw(p, es[0] == '-' || 1 / d < 0 ? "-0.0" : "0.0");
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (es[i] == '-' && !e) *w++ = '-';
        else if (es[i] == '-') eneg = true;
        else if (es[i] == 'e') e = true;
        else if (es[i] == '.') seen = true;
        else if (e && es[i] != '+') exp = exp * 10 + (es[i] - '0');
        else if (!e) {
            if (!seen) before++;
            if (lead && es[i] == '0') {
                if (seen) point--;
                else before--;
                continue;
            }
            lead = false;
            digits[n++] = es[i];
        }
    }
    point += before + (eneg ? -exp : exp); /* the decimal point stands after that many digits */
    while (n > 1 && digits[n - 1] == '0') n--;
    if (point > 16 || point <= -5) {
        *w++ = digits[0];
        if (n > 1) *w++ = '.';
        memcpy(w, digits + 1, n - 1);
        w += n - 1;
        *w++ = 'e';
        w += sy_num_write_int64(point - 1, w);
    } else if (point <= 0) {
        *w++ = '0';
        *w++ = '.';
        for (int i = point; i < 0; i++) *w++ = '0';
        memcpy(w, digits, n);
        w += n;
    } else {
        for (int i = 0; i < point; i++) *w++ = (size_t)i < n ? digits[i] : '0';
        *w++ = '.';
        if ((size_t)point >= n) *w++ = '0';
        for (size_t i = (size_t)point; i < n; i++) *w++ = digits[i];
    }
    symbi_json_out_raw(p->o, (symbi_str){ out, (size_t)(w - out) });
}

typedef struct member {
    symbi_str key;
    uint32_t at; /* of its value */
} member;

static int by_bytes(const void *a, const void *b) { return sy_str_cmp(((const member *)a)->key, ((const member *)b)->key); }

static symbi_str text_of(const pin *p, const symbi_json_item *it)
{
    return (symbi_str){ p->view->base[it->escaped] + it->u.s.off, it->u.s.len };
}

static uint32_t after(const pin *p, uint32_t i)
{
    const symbi_json_item *it = &p->view->items[i];
    return it->kind == SYMBI_JSON_ARRAY || it->kind == SYMBI_JSON_OBJECT ? it->u.c.end : i + 1;
}

static void integer_text(pin *p, symbi_str s)
{
    double d = 0;
    char digits[24];
    if (s.n <= 20 && s.p[0] != '-') { /* up to 2^64 - 1 it is one */
        uint64_t u = 0;
        bool fits = true;
        for (size_t i = 0; i < s.n && fits; i++) fits = !__builtin_mul_overflow(u, (uint64_t)10, &u) && !__builtin_add_overflow(u, (uint64_t)(s.p[i] - '0'), &u);
        if (fits) {
            symbi_json_out_raw(p->o, (symbi_str){ digits, sy_num_write_uint64(u, digits) });
            return;
        }
    }
    if (symbi_json_number(s, &d)) number(p, d);
    else p->o->status = SYMBI_ESCHEMA;
}

static void write(pin *p, uint32_t i) /* depth: the reader's limit */
{
    const symbi_json_item *it = &p->view->items[i];
    member *m;
    uint32_t k = i + 1;
    switch (it->kind) {
    case SYMBI_JSON_NULL: raw(p, "null"); break;
    case SYMBI_JSON_BOOL: raw(p, it->u.b ? "true" : "false"); break;
    case SYMBI_JSON_INT: symbi_json_out_int(p->o, it->u.i); break;
    case SYMBI_JSON_DOUBLE: number(p, it->u.d); break;
    case SYMBI_JSON_BIGINT_TEXT: integer_text(p, text_of(p, it)); break;
    case SYMBI_JSON_STRING: symbi_json_out_string(p->o, text_of(p, it)); break;
    case SYMBI_JSON_ARRAY:
        raw(p, "[");
        for (uint32_t n = 0; n < it->u.c.n; n++, k = after(p, k)) {
            if (n) raw(p, ",");
            write(p, k);
        }
        raw(p, "]");
        break;
    case SYMBI_JSON_OBJECT:
        raw(p, "{");
        m = sy_arena_calloc(p->a, it->u.c.n, sizeof *m);
        for (uint32_t n = 0; m && n < it->u.c.n; n++, k = after(p, k + 1)) m[n] = (member){ text_of(p, &p->view->items[k]), k + 1 };
        if (m && it->u.c.n) qsort(m, it->u.c.n, sizeof *m, by_bytes);
        for (uint32_t n = 0; m && n < it->u.c.n; n++) {
            if (n) raw(p, ",");
            symbi_json_out_string(p->o, m[n].key);
            raw(p, ":");
            write(p, m[n].at);
        }
        raw(p, "}");
        break;
    default: break;
    }
}

static void hex(const uint8_t h[32], size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[h[i] >> 4];
        out[2 * i + 1] = digits[h[i] & 15];
    }
}

/* Unlike upstream's, the file's name tells `a/b` and `a_b` apart: 8 digits of the name's own hash stand at its end. */
static symbi_status result(symbi_ctx *cx, symbi_str name, symbi_str canonical, symbi_doc *d, symbi_err *err)
{
    uint8_t h[32];
    char text[71] = "sha256:", file[200];
    size_t n = 0;
    sy_obj o = sy_obj_new(&d->arena);
    symbi_status st = symbi_sha256(cx, canonical, h, err);
    if (st) return st;
    hex(h, 32, text + 7);
    for (size_t i = 0; i < name.n && n < 150; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if ((c & 0xc0) == 0x80) continue; /* a character becomes one '_' */
        file[n++] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ? (char)c : '_';
    }
    if ((st = symbi_sha256(cx, name, h, err))) return st;
    file[n++] = '-';
    hex(h, 4, file + n);
    memcpy(file + n + 8, ".pin", 4);
    sy_obj_put(&o, "canonical", sy_val_str(sy_arena_dup(&d->arena, canonical)));
    sy_obj_put(&o, "config_hash", sy_val_str(sy_arena_dup(&d->arena, (symbi_str){ text, 71 })));
    sy_obj_put(&o, "file", sy_val_str(sy_arena_dup(&d->arena, (symbi_str){ file, n + 12 })));
    sy_obj_put(&o, "short", sy_val_str(sy_arena_dup(&d->arena, (symbi_str){ text, 19 })));
    d->root = sy_obj_value(&o);
    return d->arena.status ? sy_arena_fail(&d->arena, "the pin", err) : SYMBI_OK;
}

symbi_status symbi_dsl_mcp_pin(symbi_ctx *cx, symbi_str name, symbi_str entry, symbi_doc **out, symbi_err *err)
{
    symbi_json_tape *tape = NULL;
    symbi_json_view view;
    symbi_json_out o;
    symbi_doc *d;
    symbi_status st;
    *out = NULL;
    if (!(d = sy_doc_new(cx))) return sy_fail_nomem(err);
    symbi_json_out_init(cx, &o);
    if (!(st = symbi_json_tape_new(cx, &tape, err)) && !(st = symbi_json_tape_read(tape, entry, SYMBI_JSON_BIGINT, &view, err))) {
        pin p = { cx, &view, &o, &d->arena };
        write(&p, 0);
        if (o.status || d->arena.status) st = sy_fail(err, o.status ? o.status : d->arena.status, "the entry cannot be written: %s", symbi_status_text(o.status ? o.status : d->arena.status));
        else st = result(cx, name, (symbi_str){ o.p, o.n }, d, err);
    }
    symbi_json_out_free(&o);
    symbi_json_tape_free(tape);
    if (st) {
        symbi_doc_unref(d);
        return st;
    }
    *out = d;
    return SYMBI_OK;
}
