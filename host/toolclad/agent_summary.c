/* toolclad/agent_summary.c: the type agent_summary (spec toolclad.md 16.1): one agent's words for another. Text that speaks to the model is
 * refused, and what is left loses comments, fences and everything invisible. It is a filter over prose and can be talked around:
 * nothing privileged may hang on it (a decision takes an enum, see triage.c). */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/unicode.h"
#include "symbi/sanitize.h"
#include "toolclad/types.h"

enum { HITS_MAX = 80 };

symbi_str sy_trim_space(symbi_str s)
{
    uint32_t cp;
    size_t k;
    while (s.n && (k = sy_utf8_next(s.p, s.n, &cp)) && sy_unicode_space(cp)) s.p += k, s.n -= k;
    while (s.n) {
        for (k = s.n - 1; k && ((unsigned char)s.p[k] & 0xc0) == 0x80; k--) { }
        if (!sy_utf8_next(s.p + k, s.n - k, &cp) || !sy_unicode_space(cp)) break;
        s.n = k;
    }
    return s;
}

static bool contains(symbi_str s, const char *z)
{
    size_t n = strlen(z);
    for (size_t i = 0; i + n <= s.n; i++)
        if (memcmp(s.p + i, z, n) == 0) return true;
    return false;
}

/* Three markers are one ordinary word once their punctuation is gone: "the billing system is slow" would be refused. Those count
 * only where they stand as they are. */
static bool one_word(const char *marker) { return !strcmp(marker, "<|system|>") || !strcmp(marker, "assistant:") || !strcmp(marker, "supervisor:"); }

static symbi_status detect(const sy_check *c, symbi_str text)
{
    const char *hits[HITS_MAX];
    symbi_nfkc_text folded;
    size_t n = 0;
    sy_buf b;
    symbi_status st = symbi_injection_detect(c->cx, text, hits, HITS_MAX, &n, c->err);
    if (st || !n) return st;
    memset(&folded, 0, sizeof folded);
    if ((st = symbi_nfkc(c->cx, text, SYMBI_NFKC_CASEFOLD, &folded, c->err))) return st;
    sy_buf_init(&b, c->cx->alloc, 65536);
    for (size_t i = 0; i < n && i < HITS_MAX; i++) {
        if (one_word(hits[i]) && !contains(symbi_text_str(&folded.text), hits[i])) continue;
        if (b.n) sy_buf_addz(&b, ", ");
        sy_buf_addz(&b, hits[i]);
    }
    if (sy_buf_status(&b)) st = sy_fail_nomem(c->err);
    else if (b.n) st = sy_fail(c->err, SYMBI_ESCHEMA, "agent_summary rejected: matched injection markers: [%.*s]", SY_FMT(sy_buf_str(&b)));
    sy_buf_free(&b);
    symbi_nfkc_free(&folded);
    return st;
}

symbi_status sy_check_agent_summary(const sy_check *c, symbi_str v, symbi_value *out)
{
    symbi_text clean = { 0 };
    symbi_str s = sy_trim_space(v);
    symbi_status st;
    if (!s.n) return sy_fail(c->err, SYMBI_ESCHEMA, "agent_summary cannot be empty");
    if ((st = detect(c, s))) return st;
    /* not the single pass of upstream: what one step uncovers the next look would find */
    st = symbi_sanitize(c->cx, s, SYMBI_SANITIZE_SEED, SYMBI_SANITIZE_MARKUP | SYMBI_SANITIZE_REDACT, &clean, NULL, c->err);
    if (!st) {
        symbi_str kept = sy_arena_dup(c->arena, symbi_text_str(&clean));
        *out = sy_val_str(kept);
        if (!kept.p) st = sy_arena_fail(c->arena, "the arguments", c->err);
    }
    symbi_text_free(&clean);
    return st;
}
