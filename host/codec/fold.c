/* codec/fold.c: lower case through utf8proc's tables; ASCII, which is nearly everything, without it. */
#include "codec/fold.h"
#include "base/utf8.h"

#include <utf8proc.h>

void sy_fold(sy_buf *b, symbi_str s)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t cp;
        char out[4];
        size_t n;
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x80) {
            size_t from = i;
            char *to;
            while (i < s.n && (unsigned char)s.p[i] < 0x80) i++;
            to = sy_buf_reserve(b, i - from);
            if (!to) return;
            for (size_t k = 0; k < i - from; k++) to[k] = (char)(s.p[from + k] >= 'A' && s.p[from + k] <= 'Z' ? s.p[from + k] | 0x20 : s.p[from + k]);
            sy_buf_commit(b, i - from);
            continue;
        }
        n = sy_utf8_next(s.p + i, s.n - i, &cp);
        if (n) {
            cp = cp == 0x17f ? 's' : cp == 0x212a ? 'k' : (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
            sy_buf_add(b, out, sy_utf8_put(cp, out));
        } else sy_buf_addc(b, s.p[i]), n = 1;
        i += n;
    }
}
