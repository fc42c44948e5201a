/* toolclad/session_screen.h: what a terminal would show of a program's output, as plain lines: without escape sequences, with carriage
 * returns and backspaces carried out on the last line. Memory is bounded whatever comes. */
#ifndef SY_TOOLCLAD_SESSION_SCREEN_H
#define SY_TOOLCLAD_SESSION_SCREEN_H
#include "base/buf.h"

enum { SY_SCREEN_LINE = 8192 };

typedef struct sy_screen {
    sy_buf text;      /* finished lines, each with its '\n'; the first `cap` bytes of them */
    sy_buf line;      /* the last one, unfinished */
    size_t cap;
    bool cut;         /* text is not all of it */
    bool long_line;   /* the last line is longer than a prompt could be; its bytes went to text */
    bool cr;          /* the next character begins the line anew */
    uint8_t esc;      /* inside an escape sequence */
    uint64_t bytes;   /* fed in all */
} sy_screen;

void sy_screen_init(sy_screen *s, symbi_alloc a, size_t cap);
void sy_screen_free(sy_screen *s);
void sy_screen_clear(sy_screen *s); /* text and line; not the state of a sequence */
/* ENOMEM only. */
symbi_status sy_screen_feed(sy_screen *s, symbi_str bytes);
#endif
