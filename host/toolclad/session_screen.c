/* toolclad/session_screen.c: escape sequences (ECMA-48 and OSC as xterm has them), carriage return, backspace. */
#include "toolclad/session_screen.h"
#include "base/str.h"

enum { E_NONE = 0, E_ESC, E_CSI, E_STRING, E_STRING_ESC, E_INTER };

void sy_screen_init(sy_screen *s, symbi_alloc a, size_t cap)
{
    memset(s, 0, sizeof *s);
    s->cap = cap;
    sy_buf_init(&s->text, a, cap + SY_SCREEN_LINE + 2);
    sy_buf_init(&s->line, a, SY_SCREEN_LINE + 1);
}

void sy_screen_free(sy_screen *s)
{
    sy_buf_free(&s->text);
    sy_buf_free(&s->line);
}

void sy_screen_clear(sy_screen *s)
{
    s->text.n = s->line.n = 0;
    s->cut = s->long_line = s->cr = false;
}

static void keep(sy_screen *s, const char *p, size_t n)
{
    size_t room = s->text.n < s->cap ? s->cap - s->text.n : 0;
    if (n > room) {
        n = room;
        s->cut = true;
    }
    if (n) sy_buf_add(&s->text, p, n);
}

static void end_line(sy_screen *s)
{
    if (s->line.n) keep(s, s->line.p, s->line.n);
    keep(s, "\n", 1);
    s->line.n = 0;
    s->long_line = s->cr = false;
}

static void put(sy_screen *s, char c)
{
    if (s->cr) { /* what is written now lies over the old text; a shorter text hides only its beginning, but nobody reads what is left */
        s->line.n = 0;
        s->cr = s->long_line = false;
    }
    if (s->line.n == SY_SCREEN_LINE) {
        keep(s, s->line.p, s->line.n);
        s->line.n = 0;
        s->long_line = true;
    }
    sy_buf_addc(&s->line, c);
}

static void back(sy_screen *s)
{
    while (s->line.n && ((unsigned char)s->line.p[s->line.n - 1] & 0xc0) == 0x80) s->line.n--;
    if (s->line.n) s->line.n--;
}

static void control(sy_screen *s, char c)
{
    switch (c) {
    case '\n': end_line(s); break;
    case '\r': s->cr = true; break;
    case '\t': put(s, c); break;
    case '\b': back(s); break;
    case 0x1b: s->esc = E_ESC; break;
    default: break; /* bells, shifts and the like show nothing */
    }
}

/* One byte inside a sequence. */
static void escape(sy_screen *s, unsigned char c)
{
    if (c == 0x18 || c == 0x1a) { /* CAN, SUB end any sequence */
        s->esc = E_NONE;
        return;
    }
    switch (s->esc) {
    case E_ESC:
        if (c == '[') s->esc = E_CSI;
        else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_') s->esc = E_STRING;
        else if (c >= 0x20 && c < 0x30) s->esc = E_INTER;
        else if (c == 0x1b) s->esc = E_ESC;
        else if (c < 0x20) control(s, (char)c);
        else s->esc = E_NONE;
        break;
    case E_CSI:
        if (c == 0x1b) s->esc = E_ESC;
        else if (c < 0x20) control(s, (char)c); /* they act inside a sequence as well */
        else if (c >= 0x40) s->esc = E_NONE;
        break;
    case E_INTER:
        if (c == 0x1b) s->esc = E_ESC;
        else if (c < 0x20) control(s, (char)c);
        else if (c >= 0x30) s->esc = E_NONE;
        break;
    case E_STRING:
        if (c == 0x07) s->esc = E_NONE;
        else if (c == 0x1b) s->esc = E_STRING_ESC;
        break;
    default: /* E_STRING_ESC: ESC \ ends it; another sequence ends it too and begins */
        s->esc = E_ESC;
        if (c == '\\') s->esc = E_NONE;
        else escape(s, c);
        break;
    }
}

symbi_status sy_screen_feed(sy_screen *s, symbi_str b)
{
    for (size_t i = 0; i < b.n; i++) {
        unsigned char c = (unsigned char)b.p[i];
        s->bytes++;
        if (s->esc) escape(s, c);
        else if (c < 0x20 || c == 0x7f) control(s, (char)c);
        else put(s, (char)c);
    }
    return sy_buf_status(&s->text) || sy_buf_status(&s->line) ? SYMBI_ENOMEM : SYMBI_OK;
}
