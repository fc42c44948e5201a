/* Fuzz target: the sanitiser. The first byte chooses profile and flags. The result is valid UTF-8 without listed characters, without
 * openers where markup was to go, without markers where they were to go, and sanitising it again changes nothing. NFKC is stable, and
 * its map leads into the input, in order. */
#include "symbi/sanitize.h"
#include "symbi/unicode.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static bool has(symbi_str s, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= s.n; i++)
        if (!memcmp(s.p + i, what, n)) return true;
    return false;
}

static void sanitise(symbi_ctx *cx, symbi_str in, symbi_sanitize_profile p, unsigned flags)
{
    symbi_text a, b;
    symbi_sanitize_report r;
    symbi_str s;
    const char *hits[100];
    size_t n;
    if (symbi_sanitize(cx, in, p, flags, &a, &r, NULL)) return;
    s = symbi_text_str(&a);
    must(symbi_sanitize(cx, s, p, flags & ~(unsigned)SYMBI_SANITIZE_LOSSY, &b, &r, NULL) == SYMBI_OK);
    if (!(flags & SYMBI_SANITIZE_ONCE)) {
        must(a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)));
        must(!r.comments && !r.fences && !r.redacted && !r.dropped);
        if (flags & SYMBI_SANITIZE_COMMENTS) must(!has(s, "<!--"));
        if (flags & SYMBI_SANITIZE_FENCES) must(!has(s, "```"));
    }
    if (p != SYMBI_SANITIZE_KEEP) must(!has(s, "\xe2\x80\x8b") && !has(s, "\xe2\x80\xae") && !has(s, "\xf3\xa0\x81"));
    must(symbi_injection_detect(cx, s, hits, 100, &n, NULL) == SYMBI_OK && n <= 100);
    symbi_text_free(&a);
    symbi_text_free(&b);
}

static void normalise(symbi_ctx *cx, symbi_str in, unsigned flags)
{
    symbi_nfkc_text t, again;
    size_t last = 0;
    if (symbi_nfkc(cx, in, flags, &t, NULL)) return;
    for (size_t i = 0; i <= t.text.n; i++) {
        size_t at = symbi_nfkc_at(&t, i);
        must(at >= last && at <= in.n);
        last = at;
    }
    must(last == in.n);
    if (symbi_nfkc(cx, symbi_text_str(&t.text), flags & ~(unsigned)SYMBI_NFKC_CASEFOLD, &again, NULL) == SYMBI_OK) {
        /* dropping an ignorable may bring together what then composes, and long runs of marks are cut: only shorter is possible */
        must(again.text.n <= t.text.n);
        symbi_nfkc_free(&again);
    }
    symbi_nfkc_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    symbi_str in = { (const char *)data + 1, size - 1 };
    if (!size) return 0;
    if (!cx) must(symbi_ctx_new(NULL, &cx, NULL) == SYMBI_OK);
    sanitise(cx, in, (symbi_sanitize_profile)(data[0] & 3), (unsigned)data[0] >> 2 & 31);
    normalise(cx, in, data[0] & 7);
    return 0;
}
