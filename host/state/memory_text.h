/* state/memory_text.h: what reading and writing memory files share. */
#ifndef SY_STATE_MEMORY_TEXT_H
#define SY_STATE_MEMORY_TEXT_H
#include "symbi/memory.h"

enum { SY_MEMORY_SECTIONS = 3 };
extern const char *const sy_memory_title[SY_MEMORY_SECTIONS];  /* "Facts" ... */
extern const char *const sy_memory_member[SY_MEMORY_SECTIONS]; /* "facts" ... */
#define SY_MEMORY_MARK "<!-- symbi:escaped -->"
#define SY_MEMORY_META "<!-- symbi:metadata "

/* A character at which the seed's reader ends a line (Python's splitlines). */
bool sy_memory_line_end(uint32_t cp);
/* A character that trimming takes away: Unicode's White_Space, and for Python U+001C to U+001F as well. */
bool sy_memory_blank(uint32_t cp, bool python);
/* s without blanks at both ends. */
symbi_str sy_memory_trim(symbi_str s, bool python);
#endif
