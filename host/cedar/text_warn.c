/* cedar/text_warn.c: strings and names that a reader may misread (spec 12.7): characters that reorder text, letters of
 * several scripts, and in names characters outside of the General Security Profile (UTS 39). */
#include "base/utf8.h"
#include "cedar/validate.h"

#include "cedar/text_table.h"

static bool is_allowed(uint32_t c)
{
    size_t lo = 0, hi = sizeof allowed / sizeof allowed[0];
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c < allowed[mid][0]) hi = mid;
        else if (c > allowed[mid][1]) lo = mid + 1;
        else return true;
    }
    return false;
}

static const uint64_t *scripts_of(uint32_t c) /* NULL: any */
{
    size_t lo = 0, hi = sizeof scripts / sizeof scripts[0];
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c < scripts[mid].from) hi = mid;
        else if (c > scripts[mid].to) lo = mid + 1;
        else return script_sets[scripts[mid].set];
    }
    return NULL;
}

const char *sy_ctext_warning(symbi_str s, bool ident)
{
    uint64_t common[3] = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
    bool bidi = false, odd = false, wide = false;
    for (size_t i = 0; i < s.n;) {
        uint32_t c;
        size_t k = sy_utf8_next(s.p + i, s.n - i, &c);
        const uint64_t *set;
        if (!k) break;
        i += k;
        wide = wide || c >= 0x80;
        bidi = bidi || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
        odd = odd || c < 0x20 || c == 0x7F || (c >= 0x80 && !is_allowed(c));
        if ((set = scripts_of(c)))
            for (int w = 0; w < 3; w++) common[w] &= set[w];
    }
    if (bidi) return "bidi_chars";
    if (ident && odd) return "confusable_identifier";
    return wide && !(common[0] | common[1] | common[2]) ? "mixed_script" : NULL;
}
