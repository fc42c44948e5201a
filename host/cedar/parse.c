/* cedar/parse.c: tokens in hand, messages, names and strings: what both parsers stand on. */
#include "cedar/parse.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>

void sy_cpos(symbi_str text, uint32_t pos, uint32_t *line, uint32_t *col)
{
    uint32_t at = 0, n = 1;
    if (pos > text.n) pos = (uint32_t)text.n;
    for (;;) {
        const char *q = memchr(text.p + at, '\n', pos - at);
        if (!q) break;
        at = (uint32_t)(q - text.p) + 1;
        n++;
    }
    *line = n;
    *col = pos - at + 1;
}

void sy_cparse_init(sy_cparse *p, sy_cbuild *b, symbi_str name, symbi_str text)
{
    memset(p, 0, sizeof *p);
    p->b = b;
    p->name = name;
    p->text = text;
    p->line = 1;
    sy_buf_init(&p->buf, b->cx->alloc, text.n + 64);
}

void sy_cparse_free(sy_cparse *p) { sy_buf_free(&p->buf); }

void sy_cparse_next(sy_cparse *p)
{
    p->prev_end = p->tok.end;
    p->tok = sy_clex(p->text, p->tok.end, false, &p->why);
}

bool sy_cparse_take(sy_cparse *p, sy_ctok_kind k)
{
    if (p->tok.kind != k) return false;
    sy_cparse_next(p);
    return true;
}

bool sy_cparse_fail(sy_cparse *p, uint32_t pos, const char *fmt, ...)
{
    uint32_t line, col;
    va_list ap;
    sy_cpos(p->text, pos, &line, &col);
    va_start(ap, fmt);
    sy_vfail(p->b->err, SYMBI_EPARSE, line, col, fmt, ap);
    va_end(ap);
    sy_err_path(p->b->err, p->name);
    return false;
}

bool sy_cparse_unexpected(sy_cparse *p, const char *expected)
{
    symbi_str t = sy_ctok_text(p->text, p->tok);
    const char *hint = "";
    if (p->tok.kind == SY_TK_BAD) return sy_cparse_fail(p, p->tok.pos, "invalid token: %s", p->why);
    if (p->tok.kind == SY_TK_EOF) return sy_cparse_fail(p, p->tok.pos, "unexpected end of the text, expected %s", expected);
    if (p->tok.kind == SY_TK_ASSIGN) hint = "; to compare, write `==`";
    else if (sy_cparse_word(p, "and")) hint = "; write `&&` for \"and\"";
    else if (sy_cparse_word(p, "or")) hint = "; write `||` for \"or\"";
    else if (sy_cparse_word(p, "not")) hint = "; write `!` for \"not\"";
    else if (sy_cparse_word(p, "if")) hint = "; an `if` inside an expression needs parentheses";
    return sy_cparse_fail(p, p->tok.pos, "unexpected token `%.*s`, expected %s%s", t.n > 40 ? 40 : (int)t.n, t.p, expected, hint);
}

bool sy_cparse_need(sy_cparse *p, sy_ctok_kind k, const char *expected)
{
    if (p->tok.kind != k) return sy_cparse_unexpected(p, expected);
    sy_cparse_next(p);
    return true;
}

bool sy_cparse_mem(sy_cparse *p)
{
    symbi_status st = sy_buf_status(&p->buf);
    if (st) p->b->failed_mem = true;
    sy_cbuild_nomem(p->b, p->b->err);
    return false;
}

bool sy_cparse_string(sy_cparse *p, bool pattern, uint32_t *str)
{
    symbi_str s = sy_ctok_text(p->text, p->tok);
    uint32_t bad, n;
    if (!memchr(s.p, '\\', s.n) && !memchr(s.p, '\r', s.n) && !(pattern && memchr(s.p, '*', s.n))) {
        s.p++;
        s.n -= 2;
        *str = sy_cbuild_str(p->b, s, true);
    } else {
        if (!sy_cunescape(p->text, p->tok, pattern, &p->buf, &bad, &n)) {
            if (p->text.p[bad] == '\r') return sy_cparse_fail(p, bad, "a string cannot contain a bare carriage return; write \\r");
            return sy_cparse_fail(p, bad, "`%.*s` is not a valid escape; there are \\n \\r \\t \\\\ \\\" \\' \\0 \\x41 \\u{1F600}%s", (int)(n > 12 ? 12 : n),
                                  p->text.p + bad, p->text.p[bad + 1] == '*' ? " (and \\* after `like`)" : "");
        }
        if (sy_buf_status(&p->buf)) return sy_cparse_mem(p);
        *str = sy_cbuild_str(p->b, sy_buf_str(&p->buf), false);
    }
    if (p->b->failed_mem) return sy_cparse_mem(p);
    sy_cparse_next(p);
    return true;
}

static bool part_ok(sy_cparse *p)
{
    symbi_str id = sy_ctok_text(p->text, p->tok);
    if (sy_cident_reserved(id)) return sy_cparse_fail(p, p->tok.pos, "this identifier is reserved and cannot be used: %.*s", SY_FMT(id));
    if (sy_str_eqz(id, "__cedar")) return sy_cparse_fail(p, p->tok.pos, "the name `__cedar` is reserved");
    return true;
}

bool sy_cparse_path(sy_cparse *p, unsigned *parts, bool *uid)
{
    uint32_t start = p->tok.pos;
    *parts = 0;
    *uid = false;
    sy_buf_clear(&p->buf);
    for (;;) {
        if (!sy_cparse_is(p, SY_TK_IDENT)) return sy_cparse_unexpected(p, *parts ? "a name or a string after `::`" : "a name");
        if (!part_ok(p)) return false;
        if (*parts) sy_buf_addz(&p->buf, "::");
        sy_buf_adds(&p->buf, sy_ctok_text(p->text, p->tok));
        ++*parts;
        sy_cparse_next(p);
        if (!sy_cparse_is(p, SY_TK_PATH)) break;
        sy_cparse_next(p);
        if (sy_cparse_is(p, SY_TK_STRING)) {
            *uid = true;
            break;
        }
    }
    if (sy_buf_status(&p->buf)) return sy_cparse_mem(p);
    if ((p->b->flags & SYMBI_CEDAR_SYMBI_ALIAS) && *parts > 1 && !memcmp(p->buf.p, "Symbi::", 7)) {
        p->buf.n -= 7;
        memmove(p->buf.p, p->buf.p + 7, p->buf.n + 1);
        --*parts;
    }
    if (p->buf.n > 4096) return sy_cparse_fail(p, start, "this name is longer than 4096 bytes");
    return true;
}

bool sy_cparse_uid(sy_cparse *p, uint32_t *type, uint32_t *uid)
{
    uint32_t id;
    *type = sy_cbuild_str(p->b, sy_buf_str(&p->buf), false);
    if (!sy_cparse_string(p, false, &id)) return false;
    *uid = sy_cbuild_uid(p->b, *type, id);
    return p->b->failed_mem ? sy_cparse_mem(p) : true;
}
