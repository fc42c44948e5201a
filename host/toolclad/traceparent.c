/* toolclad/traceparent.c: the W3C trace header (spec toolclad.md 20). What we send is checked like what we get. */
#include "base/str.h"
#include "symbi/toolclad.h"

/* n lower-case hexadecimal digits at p; zero: they may all be 0. */
static bool hex(const char *p, size_t n, bool zero)
{
    for (size_t i = 0; i < n; i++) {
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f'))) return false;
        zero = zero || p[i] != '0';
    }
    return zero;
}

bool symbi_traceparent_parse(symbi_str h, symbi_traceparent *out)
{
    memset(out, 0, sizeof *out);
    if (h.n != 55 || memcmp(h.p, "00-", 3) != 0 || h.p[35] != '-' || h.p[52] != '-') return false;
    if (!hex(h.p + 3, 32, false) || !hex(h.p + 36, 16, false) || !hex(h.p + 53, 2, true)) return false;
    memcpy(out->trace_id, h.p + 3, 32);
    memcpy(out->parent_id, h.p + 36, 16);
    return true;
}
