/* symbi/sanitize.h: text from outside (tool output, delegated results, messages, memory, knowledge) without what a person does not
 * see and a model does: invisible characters, comments, fences, and phrases that speak to the model. Where two steps could undo
 * each other they are repeated until nothing changes: sanitising twice is sanitising once. */
#ifndef SYMBI_SANITIZE_H
#define SYMBI_SANITIZE_H
#include "symbi/ctx.h"
#ifdef __cplusplus
extern "C" {
#endif

/* What counts as invisible.
 * SEED: upstream's list, combining marks U+0300-036F included.
 * IDENTIFIER: that, and every character without a glyph that it forgot (line and paragraph separators, fillers, tags, variation selectors,
 *   interlinear marks, unassigned default-ignorables): for names, keys, headings.
 * PROSE: the same list, but text stays text: NFC first, combining marks stay on their letters (at most 8 in a row), a zero-width joiner
 *   stays between emoji and between letters of scripts that join, a variation selector 15 or 16 after what it can select. */
typedef enum symbi_sanitize_profile { SYMBI_SANITIZE_PROSE = 0, SYMBI_SANITIZE_IDENTIFIER = 1, SYMBI_SANITIZE_SEED = 2, SYMBI_SANITIZE_KEEP = 3 /* all characters stay */ } symbi_sanitize_profile;

enum {
    SYMBI_SANITIZE_COMMENTS = 1, /* drop <!-- comments -->; an opener that is not closed takes the rest along */
    SYMBI_SANITIZE_FENCES = 2,   /* likewise ``` fences ``` */
    SYMBI_SANITIZE_MARKUP = 3,
    SYMBI_SANITIZE_REDACT = 4,   /* injection markers become [redacted:injection]; seen through compatibility forms, case, invisible characters */
    SYMBI_SANITIZE_LOSSY = 8,    /* each byte that is no UTF-8 becomes U+FFFD instead of an error */
    SYMBI_SANITIZE_ONCE = 16     /* upstream's single pass in upstream's order (markup first, ASCII markers), for comparison with it */
};
typedef struct symbi_sanitize_report {
    size_t dropped;          /* invisible characters */
    size_t comments, fences;
    size_t redacted;
    size_t invalid;          /* bytes that were no UTF-8 */
    bool cut;                /* markup was nested in itself beyond all sense: the rest was dropped */
} symbi_sanitize_report;
/* The result may be no larger than limits.output_bytes, the input than limits.doc_bytes. report may be NULL. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_sanitize(symbi_ctx *cx, symbi_str text, symbi_sanitize_profile profile, unsigned flags, symbi_text *out, symbi_sanitize_report *report, symbi_err *err);

/* Injection markers in text (NFKC, lower case, also with spaces and punctuation taken out), in the order of the list; "mixed-script"
 * last, when Latin and Cyrillic letters occur together. Advisory: ordinary English hits them too. Returns how many there are; *hits (cap of
 * them) are static strings. */
SYMBI_API SYMBI_MUST_USE symbi_status symbi_injection_detect(symbi_ctx *cx, symbi_str text, const char **hits, size_t cap, size_t *n, symbi_err *err);
SYMBI_API const char *symbi_injection_marker(size_t i); /* NULL past the end */

#ifdef __cplusplus
}
#endif
#endif
