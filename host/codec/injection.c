/* codec/injection.c: phrases that speak to the model instead of to the reader: finding and replacing them. The list is upstream's, in its
 * order: the first that matches at a place wins. */
#include "codec/sanitize.h"

#include "base/ctx.h"
#include "base/err.h"
#include "base/utf8.h"
#include "codec/unicode.h"

#include <string.h>

static const char *const markers[] = {
    "ignore previous instructions", "ignore prior instructions", "ignore above instructions", "ignore all previous", "disregard previous",
    "disregard prior", "disregard above", "from now on", "you are now", "you are the", "new system instructions", "new system prompt",
    "new system directive", "new routing rule", "new rule", "new directive", "new protocol", "system instruction:", "system instructions:",
    "system override", "system directive:", "system update:", "critical system", "mandatory directive", "routing directive", "escalation directive",
    "policy update", "policy override", "escalation policy", "escalation protocol", "triage protocol", "supersedes all", "supersedes the default",
    "supersedes prior", "supersedes previous", "<|system|>", "<|im_start|>system", "[inst] system", "assistant:", "supervisor:", "pretend you are",
    "pretend to be", "roleplay as", "elevate your privileges", "elevate your permissions", "elevate your capabilities", "grant yourself admin",
    "grant yourself root", "grant yourself sudo", "grant me admin", "grant me root", "bypass the filter", "bypass the guardrail", "bypass the safety",
    "bypass the policy", "route this to", "route the ticket to", "you must route", "you must send", "you must escalate", "you must forward",
    "override the default", "override your default", "override the previous", "override your priority", "only acceptable destination",
    "treated as a misroute", "requires post-mortem",
};
enum { MARKERS = sizeof markers / sizeof *markers };
static const char token[] = "[redacted:injection]";

const char *symbi_injection_marker(size_t i) { return i < MARKERS ? markers[i] : NULL; }

/* Markers by their first character, and which second ones follow it: most places are passed over at a glance. */
typedef struct index {
    uint64_t second[128];
    uint8_t head[128], next[MARKERS + 1]; /* number + 1 of a marker; 0 ends the list */
    const char *text[MARKERS];
} index_t;

static void index_make(index_t *x, const char *const *text)
{
    memset(x, 0, sizeof *x);
    for (size_t i = MARKERS; i-- > 0;) { /* backwards, so that lists are in the order of the markers */
        unsigned first = (unsigned char)text[i][0] & 127;
        x->text[i] = text[i];
        if (!text[i][0]) continue;
        x->second[first] |= text[i][1] ? (uint64_t)1 << (text[i][1] & 63) : ~(uint64_t)0;
        x->next[i + 1] = x->head[first];
        x->head[first] = (uint8_t)(i + 1);
    }
}

static char lower(char c, bool fold) { return fold && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

/* The list of markers that may begin at p (lower case unless fold). */
static uint8_t candidates(const index_t *x, const char *p, const char *end, bool fold)
{
    unsigned char first = (unsigned char)lower(*p, fold);
    if (first > 127 || !x->head[first]) return 0;
    if (p + 1 < end && !(x->second[first] >> (lower(p[1], fold) & 63) & 1)) return 0;
    return x->head[first];
}

static bool here(const char *m, const char *p, const char *end, bool fold)
{
    while (*m && p < end && lower(*p, fold) == *m) m++, p++;
    return !*m;
}

/* The first marker that begins at p, or NULL. */
static const char *at(const index_t *x, const char *p, const char *end, bool fold)
{
    for (uint8_t k = candidates(x, p, end, fold); k; k = x->next[k])
        if (here(x->text[k - 1], p, end, fold)) return x->text[k - 1];
    return NULL;
}

symbi_status sy_redact(symbi_ctx *cx, symbi_str text, bool ascii_only, sy_buf *out, size_t *count, symbi_err *err)
{
    symbi_nfkc_text t;
    symbi_str s = text;
    size_t last = 0; /* how far the input is written */
    index_t x;
    index_make(&x, markers);
    memset(&t, 0, sizeof t);
    if (!ascii_only) {
        symbi_status st = symbi_nfkc(cx, text, SYMBI_NFKC_CASEFOLD | SYMBI_NFKC_STRIP, &t, err);
        if (st) return st;
        s = symbi_text_str(&t.text);
    }
    for (size_t i = 0; i < s.n;) {
        const char *m = at(&x, s.p + i, s.p + s.n, ascii_only);
        size_t from, to;
        if (!m) {
            i++;
            continue;
        }
        from = ascii_only ? i : symbi_nfkc_at(&t, i);
        i += strlen(m);
        to = ascii_only ? i : symbi_nfkc_at(&t, i);
        if (from > last) sy_buf_add(out, text.p + last, from - last);
        sy_buf_addz(out, token);
        if (to > last) last = to;
        (*count)++;
    }
    if (last < text.n) sy_buf_add(out, text.p + last, text.n - last);
    symbi_nfkc_free(&t);
    return SYMBI_OK;
}

/* ---- detection ------------------------------------------------------------------------------------------------------------- */
static bool punctuation(char c) { return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~'); }

/* Notes which of the texts occur in s. */
static void search(symbi_str s, const char *const *text, bool found[MARKERS])
{
    const char *end = s.n ? s.p + s.n : s.p;
    index_t x;
    index_make(&x, text);
    for (const char *p = s.p; p < end; p++)
        for (uint8_t k = candidates(&x, p, end, false); k; k = x.next[k])
            if (!found[k - 1] && here(x.text[k - 1], p, end, false)) found[k - 1] = true;
}

/* Without white space and ASCII punctuation; notes which scripts there are. */
static void compact(symbi_str s, sy_buf *out, bool *latin, bool *cyrillic)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        uint32_t c;
        n = sy_utf8_next(s.p + i, s.n - i, &c);
        if (!n) n = 1, c = 0;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) *latin = true;
        if (c >= 0x0400 && c <= 0x04ff && sy_unicode_letter(c)) *cyrillic = true;
        if (c < 0x80 ? punctuation((char)c) || sy_unicode_space(c) : sy_unicode_space(c)) continue;
        sy_buf_add(out, s.p + i, n);
    }
}

symbi_status symbi_injection_detect(symbi_ctx *cx, symbi_str text, const char **hits, size_t cap, size_t *n, symbi_err *err)
{
    symbi_nfkc_text t;
    sy_buf squeezed;
    symbi_str s;
    char small[MARKERS][48];
    const char *texts[MARKERS];
    bool latin = false, cyrillic = false, found[MARKERS] = { false };
    symbi_status st;
    *n = 0;
    if ((st = symbi_nfkc(cx, text, SYMBI_NFKC_CASEFOLD | SYMBI_NFKC_LOSSY, &t, err))) return st;
    s = symbi_text_str(&t.text);
    sy_buf_init(&squeezed, cx->alloc, cx->limits.doc_bytes);
    compact(s, &squeezed, &latin, &cyrillic);
    st = sy_buf_status(&squeezed);
    for (size_t i = 0; i < MARKERS; i++) {
        size_t k = 0;
        for (const char *p = markers[i]; *p && k + 1 < sizeof small[i]; p++)
            if (*p != ' ' && !punctuation(*p)) small[i][k++] = *p;
        small[i][k] = 0;
        texts[i] = small[i];
    }
    if (!st) {
        search(s, markers, found);
        search(sy_buf_str(&squeezed), texts, found);
    }
    for (size_t i = 0; i < MARKERS && !st; i++) {
        if (!found[i]) continue;
        if (*n < cap) hits[*n] = markers[i];
        (*n)++;
    }
    if (!st && latin && cyrillic) {
        if (*n < cap) hits[*n] = "mixed-script";
        (*n)++;
    }
    sy_buf_free(&squeezed);
    symbi_nfkc_free(&t);
    if (st) return st == SYMBI_ENOMEM ? sy_fail_nomem(err) : sy_fail(err, st, "the text is too large");
    return SYMBI_OK;
}
