/* toolclad/trace.c: a traceparent for one call: the trace is the run, the parent is fresh. */
#include "toolclad/trace.h"
#include "base/ctx.h"
#include "base/str.h"

symbi_status sy_traceparent_make(symbi_ctx *cx, symbi_str id, char out[SY_TRACEPARENT], symbi_err *err)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t parent[8];
    char trace[32];
    size_t n = 0;
    bool zero = true;
    symbi_status st;
    out[0] = 0;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        if (c == '-' && id.n == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) continue;
        if (c >= 'A' && c <= 'F') c = (char)(c + 32);
        if (n == 32 || !memchr(hex, c, 16)) return SYMBI_OK;
        zero = zero && c == '0';
        trace[n++] = c;
    }
    if (n != 32 || zero) return SYMBI_OK;
    if ((st = symbi_ctx_random(cx, parent, sizeof parent, err))) return st;
    parent[0] |= 1; /* all zeros is no parent */
    memcpy(out, "00-", 3);
    memcpy(out + 3, trace, 32);
    out[35] = '-';
    for (size_t i = 0; i < 8; i++) out[36 + 2 * i] = hex[parent[i] >> 4], out[37 + 2 * i] = hex[parent[i] & 15];
    memcpy(out + 52, "-01", 4);
    return SYMBI_OK;
}
