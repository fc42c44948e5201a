/* skills/sift.h: the lines of a text, each with what stands in it that calls for a closer look, found in one pass over the bytes
 * (64 at a time), so that a line of plain prose is not read letter by letter again. */
#ifndef SY_SKILLS_SIFT_H
#define SY_SKILLS_SIFT_H
#include "symbi/ctx.h"

enum {
    SY_LINE_HIGH = 1,    /* a byte that is not ASCII */
    SY_LINE_QUOTE = 2,   /* ' " ` */
    SY_LINE_ESCAPE = 4,  /* \ $ % & { or a control character */
    SY_LINE_PAYLOAD = 8  /* it may hold something encoded (payload.c) */
};
enum { SY_SIFT_AHEAD = 72, SY_SIFT_LINES = 512 };

typedef struct sy_sline {
    symbi_str t; /* without its end, \n or \r\n */
    unsigned kinds;
} sy_sline;

typedef struct sy_sift {
    symbi_str text;
    size_t at, start; /* everything before at is sifted; where the line that goes on there begins */
    unsigned kinds;   /* of that line, so far */
    size_t commas;
    uint64_t pay, pay2, pay4, pay8, pay12; /* of the 64 bytes before: payload bytes, ends of runs of 2, 4, 8, 12 */
    size_t i, n;      /* line[i] is the present one */
    bool end;
    sy_sline line[SY_SIFT_LINES];
} sy_sift;

void sy_sift_begin(sy_sift *f, symbi_str text);
void sy_sift_fill(sy_sift *f);
/* The line k (at most SY_SIFT_AHEAD) behind the present one; NULL: the text has ended. Good until sy_sift_next. */
static inline const sy_sline *sy_sift_line(const sy_sift *f, size_t k) { return f->i + k < f->n ? &f->line[f->i + k] : NULL; }
static inline void sy_sift_next(sy_sift *f)
{
    f->i++;
    if (f->n - f->i <= SY_SIFT_AHEAD && !f->end) sy_sift_fill(f);
}
#endif
