/* codec/unicode.c: NFKC through utf8proc. */
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
