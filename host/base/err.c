/* base/err.c: status names and errors. */
#include "base/err.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static const struct {
    symbi_status st;
    const char *name, *text;
} g_status[] = {
#define ROW(name, num, text) { SYMBI_##name, #name, text },
    SYMBI_STATUS_LIST(ROW)
#undef ROW
};

const char *symbi_status_name(symbi_status st)
{
    for (size_t i = 0; i < sizeof g_status / sizeof g_status[0]; i++)
        if (g_status[i].st == st) return g_status[i].name;
    return "EUNKNOWN";
}

const char *symbi_status_text(symbi_status st)
{
    for (size_t i = 0; i < sizeof g_status / sizeof g_status[0]; i++)
        if (g_status[i].st == st) return g_status[i].text;
    return "unknown status";
}

bool symbi_status_at(size_t i, symbi_status *st, const char **name)
{
    if (i >= sizeof g_status / sizeof g_status[0]) return false;
    *st = g_status[i].st;
    *name = g_status[i].name;
    return true;
}

const char *symbi_decision_name(symbi_decision d)
{
    switch (d) {
    case SYMBI_ALLOW: return "allow";
    case SYMBI_MODIFY: return "modify";
    case SYMBI_STEP_UP: return "step_up";
    case SYMBI_DEFER: return "defer";
    case SYMBI_DENY: break;
    }
    return "deny";
}

const char *symbi_version(void)
{
    return SYMBI_VERSION;
}

symbi_str symbi_str_z(const char *z)
{
    symbi_str s = { z, z ? strlen(z) : 0 };
    return s;
}

void symbi_err_clear(symbi_err *err)
{
    if (err) {
        err->code = SYMBI_OK;
        err->line = err->col = 0;
        err->path[0] = err->msg[0] = 0;
    }
}

size_t symbi_err_format(const symbi_err *err, char *buf, size_t cap)
{
    int n;
    const char *sep = err->path[0] ? ":" : "", *sp = err->path[0] || err->line ? " " : "";
    if (err->line && err->col)
        n = snprintf(buf, cap, "%s%s%u:%u:%s%s", err->path, sep, err->line, err->col, sp, err->msg);
    else if (err->line)
        n = snprintf(buf, cap, "%s%s%u:%s%s", err->path, sep, err->line, sp, err->msg);
    else
        n = snprintf(buf, cap, "%s%s%s%s", err->path, sep, sp, err->msg);
    return n < 0 ? 0 : (size_t)n;
}

void sy_clean_line(char *dst, size_t cap, symbi_str src)
{
    size_t o = 0, i = 0;
    if (!cap) return;
    while (i < src.n) {
        uint32_t cp;
        size_t k = sy_utf8_next(src.p + i, src.n - i, &cp);
        if (k == 0 || cp < 0x20 || cp == 0x7f) { /* invalid byte or control character */
            if (o + 2 > cap) break;
            dst[o++] = '?';
            i += k ? k : 1;
            continue;
        }
        if (o + k + 1 > cap) break;
        memcpy(dst + o, src.p + i, k);
        o += k;
        i += k;
    }
    dst[o] = 0;
}

symbi_status sy_vfail(symbi_err *err, symbi_status code, uint32_t line, uint32_t col, const char *fmt, va_list ap)
{
    char tmp[sizeof err->msg * 2];
    symbi_str s;
    int n;
    if (!err) return code;
    symbi_err_clear(err);
    err->code = code;
    err->line = line;
    err->col = col;
    n = vsnprintf(tmp, sizeof tmp, fmt, ap);
    s.p = tmp;
    s.n = n < 0 ? 0 : (size_t)n < sizeof tmp ? (size_t)n : sizeof tmp - 1;
    sy_clean_line(err->msg, sizeof err->msg, s);
    return code;
}

symbi_status sy_fail(symbi_err *err, symbi_status code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    sy_vfail(err, code, 0, 0, fmt, ap);
    va_end(ap);
    return code;
}

symbi_status sy_fail_at(symbi_err *err, symbi_status code, uint32_t line, uint32_t col, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    sy_vfail(err, code, line, col, fmt, ap);
    va_end(ap);
    return code;
}

symbi_status sy_fail_nomem(symbi_err *err)
{
    return sy_fail(err, SYMBI_ENOMEM, "out of memory");
}

void sy_err_path(symbi_err *err, symbi_str path)
{
    if (err && !err->path[0]) sy_clean_line(err->path, sizeof err->path, path);
}
