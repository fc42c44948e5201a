/* Fuzz target: the skill scanner. First byte: profile (low two bits) and kind of name; the rest is the content of a file, text or
 * archive. Every finding is well-formed and in order, the verdict follows from the findings, what was found is found again, and
 * the strict profile finds what stands in plain lines whatever surrounds it. */
#include "symbi/skills.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(c) (void)((c) || (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c), abort(), 0))

static symbi_str Z(const char *z) { return symbi_str_z(z); }

static symbi_skill_scan *scan(symbi_ctx *cx, symbi_skill_scanner *sc, const char *path, symbi_str text)
{
    symbi_skill_scan *s;
    symbi_err err;
    symbi_status st;
    MUST(symbi_skill_scan_new(cx, sc, &s, &err) == SYMBI_OK);
    st = symbi_skill_scan_content(s, Z(path), text, &err);
    MUST(st == SYMBI_OK || (st == SYMBI_ELIMIT && !symbi_skill_scan_passed(s)));
    return s;
}

static void check(const symbi_skill_scan *s, symbi_skill_profile p)
{
    size_t grave = 0, line = 0;
    bool archive = false;
    symbi_skill_totals t;
    symbi_skill_scan_totals(s, &t);
    for (size_t i = 0; i < symbi_skill_scan_count(s); i++) {
        const symbi_skill_finding *f = symbi_skill_scan_at(s, i);
        MUST(f->rule.n && f->message.n && f->category.n && f->file.n && (unsigned)f->severity <= SYMBI_SKILL_CRITICAL && f->excerpt.n <= 160);
        MUST(!memchr(f->excerpt.p, '\n', f->excerpt.n));
        archive = archive || memchr(f->file.p, '!', f->file.n);
        if (!archive) MUST(f->line >= line);
        line = f->line;
        grave += f->severity == SYMBI_SKILL_CRITICAL || (p != SYMBI_SKILL_SEED && f->severity == SYMBI_SKILL_HIGH);
    }
    MUST(symbi_skill_scan_passed(s) == (grave == 0));
    if (p == SYMBI_SKILL_STRICT && t.unread) MUST(!symbi_skill_scan_passed(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    static symbi_skill_scanner *sc[3];
    static const char *const names[] = { "SKILL.md", "run.sh", "a.zip", "x" };
    symbi_skill_scan *a, *b;
    symbi_skill_profile p;
    symbi_str text;
    symbi_err err;
    const char *name;
    if (!cx) {
        MUST(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
        for (int i = 0; i < 3; i++) MUST(symbi_skill_scanner_new(cx, (symbi_skill_profile)i, NULL, 0, 0, &sc[i], &err) == SYMBI_OK);
    }
    if (!size) return 0;
    p = (symbi_skill_profile)((data[0] & 3u) % 3);
    name = names[data[0] >> 2 & 3];
    text = (symbi_str){ (const char *)data + 1, size - 1 };
    a = scan(cx, sc[p], name, text);
    check(a, p);
    b = scan(cx, sc[p], name, text);
    MUST(symbi_skill_scan_count(a) == symbi_skill_scan_count(b) && symbi_skill_scan_passed(a) == symbi_skill_scan_passed(b));
    symbi_skill_scan_free(b);
    /* a plain command on a line of its own is found whatever stands before it */
    if (p == SYMBI_SKILL_STRICT && size < 60000 && !memchr(text.p, '\0', text.n)) {
        char *buf = malloc(size + 40);
        size_t n = size - 1;
        memcpy(buf, text.p, n);
        memcpy(buf + n, "\n\nrm -rf /etc\n", 14);
        b = scan(cx, sc[p], "run.sh", (symbi_str){ buf, n + 14 });
        MUST(!symbi_skill_scan_passed(b));
        symbi_skill_scan_free(b);
        free(buf);
    }
    symbi_skill_scan_free(a);
    return 0;
}
