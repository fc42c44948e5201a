/* skills/strict_in.h: the inside of the strict profile: one text that is scanned (strict.c) and its views (lines.c). */
#ifndef SY_SKILLS_STRICT_IN_H
#define SY_SKILLS_STRICT_IN_H
#include "skills/skills.h"
#include "skills/view.h"

typedef struct sy_stext {
    symbi_skill_scan *s;
    symbi_str path, t;
    symbi_err *err;
    bool program;      /* not prose outside comments */
    size_t line;       /* 0: lines of t are lines of the file; else all of t stands at this line */
    uint8_t how;
    unsigned depth;
    bool fences;
    bool binary;       /* no text: what matches has to be printable */
} sy_stext;

typedef struct sy_cursor { symbi_str t; size_t i; } sy_cursor;
symbi_str sy_cursor_line(sy_cursor *c); /* the next line, without its end, \n or \r\n */

/* Lines that are not all ASCII, normalised, into s->norm; what of the text is to be looked at in another form into s->view, s->spot,
 * s->fence; paragraphs of prose into s->para. */
symbi_status sy_lines_normal(sy_stext *x);
symbi_status sy_lines_views(sy_stext *x);
/* Those paragraphs in which a literal of the rules about prose stands, each as one line, into s->paras. */
symbi_status sy_lines_paragraphs(sy_stext *x);

/* flow.c: a part of a rule of two patterns is found; what the parts of a text come to. */
symbi_status sy_flow_note(sy_stext *x, const sy_part *p);
symbi_status sy_flow_end(sy_stext *x);
#endif
