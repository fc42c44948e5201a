/* dsl/repl_lex.c: the tokens of the REPL language, with the reference's oddities: a number swallows the letters behind it when they are no
 * unit, and line ends are tokens. */
#include "base/alloc.h"
#include "base/chars.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "dsl/repl.h"
#include "symbi/json.h"

#include <stdlib.h>
#include <string.h>

const char *const sy_repl_names[] = {
#define NAME(name, text) #name,
    SY_REPL_TOKENS(NAME)
#undef NAME
};
static const char *const g_texts[] = {
#define TEXT(name, text) text,
    SY_REPL_TOKENS(TEXT)
#undef TEXT
};
static const char *const g_keywords[] = {
    "agent", "behavior", "function", "struct", "let", "if", "else", "match", "for", "while", "try", "catch", "return", "require", "check", "in", "invoke", "true", "false", "null",
    "capability", "capabilities", "policy", "has", "name", "version", "author", "description", "resources", "security", "policies", "input", "output", "steps", "memory", "cpu",
    "network", "storage", "tier", "sandbox", "allow", "strict", "moderate", "permissive", "timeout", "retry", "failure", "terminate", "restart", "escalate", "ignore", "Tier1",
    "Tier2", "Tier3", "Tier4",
};

bool sy_repl_word(const sy_repl_token *t, const char *keyword) { return t->kind == SY_R_Keyword && sy_str_eqz(t->text, keyword); }

static void quoted(sy_buf *b, symbi_str s)
{
    sy_buf_addc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\') sy_buf_addc(b, '\\'), sy_buf_addc(b, (char)c);
        else if (c == '\n') sy_buf_addz(b, "\\n");
        else if (c == '\t') sy_buf_addz(b, "\\t");
        else if (c == '\r') sy_buf_addz(b, "\\r");
        else if (c == 0) sy_buf_addz(b, "\\0");
        else if (c < 32 || c == 127) sy_buf_addf(b, "\\u{%x}", (unsigned)c);
        else sy_buf_addc(b, (char)c);
    }
    sy_buf_addc(b, '"');
}

void sy_repl_show(sy_buf *b, const sy_repl_token *t)
{
    sy_buf_addz(b, sy_repl_names[t->kind]);
    switch (t->kind) {
    case SY_R_String:
    case SY_R_Identifier:
    case SY_R_Comment:
        sy_buf_addc(b, '(');
        quoted(b, t->text);
        sy_buf_addc(b, ')');
        break;
    case SY_R_Keyword:
        sy_buf_addc(b, '(');
        sy_buf_addc(b, (char)(t->text.p[0] >= 'a' ? t->text.p[0] - 32 : t->text.p[0]));
        sy_buf_add(b, t->text.p + 1, t->text.n - 1);
        sy_buf_addc(b, ')');
        break;
    case SY_R_Integer:
        sy_buf_addc(b, '(');
        sy_buf_addi(b, t->v.i);
        sy_buf_addc(b, ')');
        break;
    case SY_R_Number: /* its digits, with a fraction in any case */
        sy_buf_addc(b, '(');
        sy_buf_adds(b, t->text);
        if (t->text.n && t->text.p[t->text.n - 1] == '.') sy_buf_addc(b, '0');
        sy_buf_addc(b, ')');
        break;
    case SY_R_Duration:
    case SY_R_Size:
        sy_buf_addc(b, '(');
        sy_buf_addu(b, t->v.u);
        sy_buf_addz(b, ", ");
        quoted(b, t->text);
        sy_buf_addc(b, ')');
        break;
    default: break;
    }
}

typedef struct lexer {
    sy_repl *r;
    symbi_str s;
    size_t i;
    uint32_t line, col;
} lexer;

/* The character at i: its code point and length; length 0 at the end. */
static size_t look(const lexer *x, size_t i, uint32_t *cp)
{
    *cp = 0;
    return i < x->s.n ? sy_utf8_next(x->s.p + i, x->s.n - i, cp) : 0;
}

static bool blank(uint32_t c)
{
    return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Letters: exact in ASCII; beyond it everything but blanks and the blocks of punctuation and symbols. */
static bool letter(uint32_t c)
{
    if (c < 128) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba;
    return c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c <= 0x2bff) && !(c >= 0x3000 && c <= 0x3004) && !(c >= 0x3008 && c <= 0x3020) && !(c >= 0xe000 && c <= 0xf8ff) && !(c >= 0xfe00 && c <= 0xfe6f) &&
           !(c >= 0xff00 && c <= 0xff20) && !(c >= 0x1f000 && c <= 0x1faff) && c < 0x2fa20;
}

static void step(lexer *x, size_t n)
{
    x->i += n;
    x->col++;
}

static symbi_status lex_fail(lexer *x, const char *text) { return sy_fail(x->r->err, SYMBI_EPARSE, "Lexing failed: %s", text); }

static symbi_status string(lexer *x, sy_repl_token *t)
{
    sy_buf b;
    symbi_status st;
    sy_buf_init(&b, x->r->alloc, SYMBI_DSL_MAX_BYTES);
    step(x, 1);
    while (x->i < x->s.n && x->s.p[x->i] != '"') {
        uint32_t cp;
        size_t n;
        if (x->s.p[x->i] == '\\') {
            char e;
            step(x, 1);
            if (x->i >= x->s.n) break;
            e = x->s.p[x->i];
            if (e == 'n') sy_buf_addc(&b, '\n');
            else if (e == 't') sy_buf_addc(&b, '\t');
            else if (e == 'r') sy_buf_addc(&b, '\r');
            else if (e == '\\' || e == '"') sy_buf_addc(&b, e);
            else sy_buf_addc(&b, '\\'), sy_buf_add(&b, x->s.p + x->i, look(x, x->i, &cp));
            step(x, look(x, x->i, &cp));
            continue;
        }
        if (x->s.p[x->i] == '\n') x->line++, x->col = 1;
        n = look(x, x->i, &cp);
        sy_buf_add(&b, x->s.p + x->i, n);
        step(x, n);
    }
    if (x->i >= x->s.n) st = lex_fail(x, "Unterminated string literal");
    else st = b.status ? sy_fail_nomem(x->r->err) : SYMBI_OK;
    if (!st) {
        step(x, 1);
        t->kind = SY_R_String;
        t->text = sy_arena_dup(x->r->a, sy_buf_str(&b));
    }
    sy_buf_free(&b);
    return st;
}

static bool to_u64(symbi_str s, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.n; i++)
        if (__builtin_mul_overflow(*out, (uint64_t)10, out) || __builtin_add_overflow(*out, (uint64_t)(s.p[i] - '0'), out)) return false;
    return true;
}

static double to_double(symbi_str s)
{
    double d = 0;
    char buf[400];
    if (s.n >= sizeof buf) return 0;
    memcpy(buf, s.p, s.n);
    if (s.p[s.n - 1] == '.') buf[s.n++] = '0';
    while (s.n > 1 && buf[0] == '0' && sy_is_digit((unsigned char)buf[1])) memmove(buf, buf + 1, --s.n);
    return symbi_json_number((symbi_str){ buf, s.n }, &d) ? d : 0;
}

static symbi_status number(lexer *x, sy_repl_token *t)
{
    static const char *const durations[] = { "s", "m", "h", "d", "ms" }, *const sizes[] = { "B", "KB", "MB", "GB", "TB" };
    symbi_str s = { x->s.p + x->i, 0 }, unit = { NULL, 0 };
    bool dot = false;
    uint32_t cp;
    size_t n;
    while (x->i < x->s.n && (sy_is_digit((unsigned char)x->s.p[x->i]) || (x->s.p[x->i] == '.' && !dot))) {
        dot = dot || x->s.p[x->i] == '.';
        step(x, 1);
        s.n++;
    }
    unit.p = x->s.p + x->i;
    while ((n = look(x, x->i, &cp)) && letter(cp)) {
        step(x, n);
        unit.n += n;
    }
    t->text = sy_arena_dup(x->r->a, s);
    if (unit.n) {
        if (dot) t->v.u = (uint64_t)to_double(s);
        else if (!to_u64(s, &t->v.u)) return sy_fail(x->r->err, SYMBI_EPARSE, "Lexing failed: Invalid number: %.*s", SY_FMT(s));
        for (size_t i = 0; i < 5; i++) {
            bool d = sy_str_eqz(unit, durations[i]);
            if (!d && !sy_str_eqz(unit, sizes[i])) continue;
            t->kind = d ? SY_R_Duration : SY_R_Size;
            t->text = sy_arena_dup(x->r->a, unit);
            return SYMBI_OK;
        }
    }
    t->kind = dot ? SY_R_Number : SY_R_Integer;
    if (dot) t->v.d = to_double(s);
    else if (!to_u64(s, &t->v.u) || t->v.u > INT64_MAX) return sy_fail(x->r->err, SYMBI_EPARSE, "Lexing failed: Invalid number: %.*s", SY_FMT(s));
    return SYMBI_OK;
}

static void word(lexer *x, sy_repl_token *t)
{
    symbi_str s = { x->s.p + x->i, 0 };
    uint32_t cp;
    size_t n;
    while ((n = look(x, x->i, &cp)) && (letter(cp) || cp == '_' || (cp < 128 && sy_is_digit((unsigned char)cp)))) {
        step(x, n);
        s.n += n;
    }
    t->kind = SY_R_Identifier;
    t->text = sy_arena_dup(x->r->a, s);
    for (size_t i = 0; i < sizeof g_keywords / sizeof g_keywords[0]; i++)
        if (sy_str_eqz(s, g_keywords[i])) t->kind = SY_R_Keyword;
}

static symbi_status comment(lexer *x, sy_repl_token *t)
{
    bool block = x->s.p[x->i + 1] == '*';
    size_t start;
    uint32_t cp;
    step(x, 1);
    step(x, 1);
    start = x->i;
    t->kind = SY_R_Comment;
    for (;;) {
        if (!block && (x->i >= x->s.n || x->s.p[x->i] == '\n')) break;
        if (block && x->i + 1 >= x->s.n) return lex_fail(x, "Unterminated block comment");
        if (block && x->s.p[x->i] == '*' && x->s.p[x->i + 1] == '/') break;
        if (x->s.p[x->i] == '\n') x->line++, x->col = 1;
        step(x, look(x, x->i, &cp));
    }
    t->text = sy_arena_dup(x->r->a, (symbi_str){ x->s.p + start, x->i - start });
    if (block) step(x, 1), step(x, 1);
    return SYMBI_OK;
}

static symbi_status token(lexer *x, sy_repl_token *t)
{
    uint32_t cp;
    size_t n;
    char c;
    while ((n = look(x, x->i, &cp)) && blank(cp) && cp != '\n') step(x, n);
    memset(t, 0, sizeof *t);
    t->line = x->line;
    t->kind = SY_R_Eof;
    if (!n) return SYMBI_OK;
    c = x->s.p[x->i];
    if (c == '/' && x->i + 1 < x->s.n && (x->s.p[x->i + 1] == '/' || x->s.p[x->i + 1] == '*')) return comment(x, t);
    if (c == '"') return string(x, t);
    if (sy_is_digit((unsigned char)c)) return number(x, t);
    if (letter(cp) || cp == '_') {
        word(x, t);
        return SYMBI_OK;
    }
    for (size_t k = 0; k < SY_R_COUNT_; k++) { /* longer texts stand first */
        size_t len = g_texts[k] ? strlen(g_texts[k]) : 0;
        if (!len || x->s.n - x->i < len || memcmp(x->s.p + x->i, g_texts[k], len) != 0) continue;
        t->kind = (uint8_t)k;
        x->i += len;
        x->col += (uint32_t)len;
        if (k == SY_R_Newline) x->line++, x->col = 1;
        return SYMBI_OK;
    }
    return sy_fail(x->r->err, SYMBI_EPARSE, "Lexing failed: Unexpected character '%.*s' at line %u, column %u", (int)n, x->s.p + x->i, x->line, x->col);
}

symbi_status sy_repl_lex(sy_repl *r, symbi_str text)
{
    lexer x = { r, text, 0, 1, 1 };
    do {
        symbi_status st;
        if (sy_grow(&r->alloc, (void **)&r->t, &r->cap, r->n + 1, sizeof *r->t)) return sy_fail_nomem(r->err);
        if ((st = token(&x, &r->t[r->n]))) return st;
        r->n++;
    } while (r->t[r->n - 1].kind != SY_R_Eof);
    return r->a->status ? sy_arena_fail(r->a, "the tokens", r->err) : SYMBI_OK;
}
