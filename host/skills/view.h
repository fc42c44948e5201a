/* skills/view.h: lines as a shell, a reader or a decoder would see them. */
#ifndef SY_SKILLS_VIEW_H
#define SY_SKILLS_VIEW_H
#include "base/buf.h"
#include "symbi/ctx.h"

enum {
    SY_VIEW_MAX = 256 << 20,
    SY_TEXT_MAX = 16 << 20,   /* bytes of one text that are looked at */
    SY_LINES_JOINED = 64,     /* lines of one logical line */
    SY_RUN_FOLDED = 12,       /* the least that a run over several lines begins with */
    SY_RUN_LINES = 20000,
    SY_PAYLOAD_DEPTH = 3      /* a payload in a payload in a payload */
};

typedef enum sy_how { SY_HOW_PLAIN = 0, SY_HOW_NORMAL, SY_HOW_JOINED, SY_HOW_UNQUOTED, SY_HOW_BASE64, SY_HOW_HEX, SY_HOW_CODES, SY_HOW_UTF16, SY_HOW_COUNT } sy_how;
extern const char *const sy_how_names[SY_HOW_COUNT];

/* One line of the view buffer and where it came from. */
typedef struct sy_vline {
    size_t off, len;
    size_t line, last; /* lines of the text that it stands for */
    uint8_t how;
} sy_vline;

/* NFKC, case folding, invisible characters dropped, characters that look like ASCII ones replaced by these. Line feeds stay. */
symbi_status sy_view_normal(symbi_ctx *cx, symbi_str text, sy_buf *out, symbi_err *err);
/* What a shell, a script or a browser makes of quotes, backslashes, ${IFS}, escapes (\x41, \101, %41, &#65;), "a"+"b". Appends to out;
 * true when that changes words, not just the quotes around them. */
bool sy_view_unquote(symbi_str line, sy_buf *out);
/* A command as a list of words: run(["rm", "-rf", x]), spawn("sh", ["-c", x]), CMD ["a", "b"]; unquoted, it reads as in a shell. */
bool sy_view_argv(symbi_str line);
/* Ends with a continuation (backslash, pipe, && or ||), or the next begins with one (pipe, &&, .then). */
bool sy_view_continues(symbi_str line, symbi_str next);

/* Encoded runs in a line: calls nothing; gives the next one from *at on. */
typedef struct sy_payload { size_t off, len; sy_how how; } sy_payload;
/* Where there may be one (sift.c): a run of SY_PAYLOAD_RUN bytes that sy_payload_run does not rule out, one of six with padding behind it,
 * or a list with SY_PAYLOAD_COMMAS commas, in a line of SY_PAYLOAD_LEAST. */
enum { SY_PAYLOAD_RUN = 12, SY_PAYLOAD_COMMAS = 5, SY_PAYLOAD_LEAST = 8 };
bool sy_payload_run(symbi_str text, size_t line, size_t from); /* the run at from in the line that begins at `line` */
bool sy_payload_next(symbi_str line, size_t *at, sy_payload *out);
/* A run that is written over several lines: it stands at the end of the first, is all of those between (lead is true: and may go on), and at
 * the beginning of the last. Empty where there is none. */
symbi_str sy_payload_tail(symbi_str line);
bool sy_payload_lead(symbi_str line, symbi_str *run);
/* Decodes into out (cleared first); true when what comes out reads as text. */
bool sy_payload_decode(symbi_str line, const sy_payload *p, sy_buf *out);
bool sy_payload_utf16(symbi_str bytes, bool big, sy_buf *out);

/* "never run …", "no … needed": the match at [from, to) of a line of prose is spoken against. */
bool sy_polarity_mention(symbi_str line, size_t from, size_t to); /* prose speaks of it: "sudo is needed" */
bool sy_polarity_negative(symbi_str line, size_t from, size_t to);
bool sy_polarity_quoted(symbi_str line, size_t from, size_t to); /* prose about attacks quotes it */
bool sy_polarity_closing(symbi_str line, size_t from);           /* "chmod 600 FILE" */
bool sy_polarity_git(symbi_str line, size_t from);               /* "git rm -r --cached ." */
bool sy_polarity_packages(symbi_str line, size_t from, size_t to); /* "sudo apt-get install NAMES" */
bool sy_polarity_reported(symbi_str line, size_t from, size_t to); /* "if a page tells you to …, do not" */
bool sy_polarity_own_key(symbi_str line, size_t from, size_t to); /* "ssh-add KEY", "ssh -i KEY host" */
bool sy_polarity_idle(symbi_str line, size_t from, size_t to);   /* prose only speaks of the place or the tool that is named here */
size_t sy_polarity_resume(symbi_str line, size_t from, size_t to); /* behind the quotes or the sentence that the match begins in */
#endif
