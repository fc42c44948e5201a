/* codec/unicode.c: NFKC through utf8proc, and properties of characters. */
#include "codec/unicode.h"

#include <utf8proc.h>

bool sy_unicode_nfkc(symbi_str s, unsigned flags, int32_t *out, size_t cap, size_t *n)
{
    utf8proc_option_t o = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE;
    utf8proc_ssize_t k;
    *n = 0;
    if (!s.n) return true;
    if (flags & SY_NFKC_FOLD) o |= UTF8PROC_CASEFOLD;
    if (flags & SY_NFKC_STRIP) o |= UTF8PROC_IGNORE;
    k = utf8proc_decompose((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, out, (utf8proc_ssize_t)cap, o);
    if (k < 0 || (size_t)k > cap) return false;
    k = utf8proc_normalize_utf32(out, k, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (k < 0) return false;
    *n = (size_t)k;
    return true;
}

static int category(uint32_t cp) { return (int)utf8proc_category((utf8proc_int32_t)cp); }

bool sy_unicode_letter(uint32_t cp)
{
    int c = category(cp);
    return (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO) || (c >= UTF8PROC_CATEGORY_ND && c <= UTF8PROC_CATEGORY_NO);
}

bool sy_unicode_mark(uint32_t cp)
{
    int c = category(cp);
    return c >= UTF8PROC_CATEGORY_MN && c <= UTF8PROC_CATEGORY_ME;
}

bool sy_unicode_pictograph(uint32_t cp) { return utf8proc_get_property((utf8proc_int32_t)cp)->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC; }

bool sy_unicode_space(uint32_t cp)
{
    return (cp >= 9 && cp <= 13) || cp == 0x20 || cp == 0x85 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}
