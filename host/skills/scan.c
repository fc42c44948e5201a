/* skills/scan.c: a scan: findings, suppressions, the verdict, and the two reference profiles. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/value.h"
#include "skills/skills.h"
#include "skills/view.h"
#include <stdio.h>
#include <string.h>

symbi_status symbi_skill_scan_new(symbi_ctx *cx, symbi_skill_scanner *sc, symbi_skill_scan **out, symbi_err *err)
{
    symbi_skill_scan *s = sy_calloc(&cx->alloc, 1, sizeof *s);
    symbi_status st;
    *out = NULL;
    if (!s) return sy_fail_nomem(err);
    s->cx = cx;
    s->alloc = cx->alloc;
    s->s = symbi_skill_scanner_ref(sc);
    sy_arena_init(&s->arena, cx->alloc, cx->limits.arena_bytes);
    sy_buf_init(&s->view, cx->alloc, SY_VIEW_MAX);
    sy_buf_init(&s->norm, cx->alloc, SY_VIEW_MAX);
    sy_buf_init(&s->paras, cx->alloc, SY_VIEW_MAX);
    st = symbi_match_scratch_new(cx, sc->m, 0, &s->scratch, err);
    if (!st && sc->prose) st = symbi_match_scratch_new(cx, sc->prose, 0, &s->prose, err);
    if (st) symbi_skill_scan_free(s);
    else *out = s;
    return st;
}

void symbi_skill_scan_free(symbi_skill_scan *s)
{
    symbi_alloc a;
    if (!s) return;
    a = s->alloc;
    symbi_match_scratch_free(s->scratch);
    symbi_match_scratch_free(s->prose);
    symbi_skill_scanner_unref(s->s);
    sy_free(&a, s->found, s->cap * sizeof *s->found);
    sy_free(&a, s->sup, s->capsup * sizeof *s->sup);
    sy_free(&a, s->vline, s->capvline * sizeof *s->vline);
    sy_buf_free(&s->view);
    sy_free(&a, s->pline, s->cappline * sizeof *s->pline);
    sy_buf_free(&s->norm);
    sy_buf_free(&s->paras);
    sy_free(&a, s->spot, s->capspot * sizeof *s->spot);
    sy_free(&a, s->para, s->cappara * sizeof *s->para);
    sy_free(&a, s->mark, s->capmark * sizeof *s->mark);
    sy_free(&a, s->fence, s->capfence * sizeof *s->fence);
    sy_free(&a, s->part, s->cappart * sizeof *s->part);
    sy_arena_free(&s->arena);
    sy_free(&a, s, sizeof *s);
}

void symbi_skill_scan_clear(symbi_skill_scan *s)
{
    s->n = s->nsup = s->first = 0;
    s->broken = s->truncated = false;
    memset(&s->totals, 0, sizeof s->totals);
    sy_arena_reset(&s->arena);
}

/* ---- suppressions ---- */

symbi_status symbi_skill_scan_suppress(symbi_skill_scan *s, const symbi_skill_suppression *sup, symbi_err *err)
{
    symbi_skill_suppression *x;
    if (!sup->rule.n || !sup->path.n) return sy_fail(err, SYMBI_EINVAL, "a suppression names a rule and a path; \"*\" stands for any");
    if (!sup->reason.n) return sy_fail(err, SYMBI_EINVAL, "a suppression needs a reason");
    if (sy_grow(&s->alloc, (void **)&s->sup, &s->capsup, s->nsup + 1, sizeof *s->sup)) {
        s->broken = true;
        return sy_fail_nomem(err);
    }
    x = &s->sup[s->nsup];
    *x = *sup;
    x->rule = sy_arena_dup(&s->arena, sup->rule);
    x->path = sy_arena_dup(&s->arena, sup->path);
    x->reason = sy_arena_dup(&s->arena, sup->reason);
    if (s->arena.status) {
        s->broken = true;
        return sy_arena_fail(&s->arena, "the scan", err);
    }
    s->nsup++;
    return SYMBI_OK;
}

static void suppress(symbi_skill_scan *s, symbi_skill_finding *f)
{
    bool unread = sy_str_starts(f->rule, SY_LIT("unread:"));
    for (size_t i = 0; i < s->nsup; i++) {
        const symbi_skill_suppression *x = &s->sup[i];
        if (!sy_str_eq(x->rule, f->rule) && (unread || !sy_str_eqz(x->rule, "*"))) continue;
        if (!sy_str_eq(x->path, f->file) && !sy_str_eqz(x->path, "*")) continue;
        if (x->line && x->line != f->line) continue;
        if (x->until && symbi_ctx_now_ms(s->cx) >= x->until) continue;
        f->suppressed = true;
        f->reason = x->reason;
        return;
    }
}

/* ---- findings ---- */

void sy_scan_excerpt(symbi_skill_scan *s, symbi_str line, size_t at, symbi_str *out)
{
    char clean[164];
    size_t from = at > 60 ? at - 60 : 0;
    if (from >= line.n) from = line.n;
    while (from < line.n && from > 0 && ((unsigned char)line.p[from] & 0xc0) == 0x80) from++;
    sy_clean_line(clean, 161, (symbi_str){ line.p + from, line.n - from });
    *out = sy_arena_dup(&s->arena, symbi_str_z(clean));
}

/* A file's name for reports, which are UTF-8: other bytes are written \xHH. */
static symbi_str name_of(symbi_skill_scan *s, symbi_str name)
{
    static const char hex[] = "0123456789abcdef";
    size_t bad, n = 0;
    char *p;
    if (sy_utf8_valid(name, NULL)) return sy_arena_dup(&s->arena, name);
    if (!(p = sy_arena_alloc(&s->arena, name.n * 4))) return SY_LIT("");
    while (name.n && !sy_utf8_valid(name, &bad)) {
        unsigned char c = (unsigned char)name.p[bad];
        memcpy(p + n, name.p, bad);
        n += bad;
        p[n++] = '\\', p[n++] = 'x', p[n++] = hex[c >> 4], p[n++] = hex[c & 15];
        name.p += bad + 1;
        name.n -= bad + 1;
    }
    if (name.n) memcpy(p + n, name.p, name.n);
    return (symbi_str){ p, n + name.n };
}

static symbi_status push(symbi_skill_scan *s, const symbi_skill_finding *f, uint32_t order, size_t last, symbi_err *err)
{
    sy_found *x;
    if (sy_grow(&s->alloc, (void **)&s->found, &s->cap, s->n + 1, sizeof *s->found)) return sy_fail_nomem(err);
    x = &s->found[s->n];
    x->order = order;
    x->last = last;
    x->f = *f;
    x->f.rule = sy_arena_dup(&s->arena, f->rule);
    x->f.category = sy_arena_dup(&s->arena, f->category);
    x->f.message = sy_arena_dup(&s->arena, f->message);
    x->f.how = f->how.n ? sy_arena_dup(&s->arena, f->how) : SY_LIT("");
    /* one copy of the name for all findings of a file */
    x->f.file = s->n > s->first && sy_str_eq(s->found[s->n - 1].f.file, f->file) ? s->found[s->n - 1].f.file : name_of(s, f->file);
    if (s->arena.status) return sy_arena_fail(&s->arena, "the findings", err);
    suppress(s, &x->f);
    s->n++;
    if (x->f.suppressed) s->totals.suppressed++;
    else s->totals.by_severity[x->f.severity]++;
    return SYMBI_OK;
}

symbi_status sy_scan_add(symbi_skill_scan *s, const symbi_skill_finding *f, uint32_t order, size_t last, symbi_err *err)
{
    symbi_skill_finding end = { SY_LIT("scan-limit:findings"), SY_LIT("unread"), SY_LIT("More findings than a scan keeps; the rest is not listed"), f->file, SY_LIT(""), SY_LIT(""), SY_LIT(""),
        SYMBI_SKILL_HIGH, 0, 0, false };
    if (s->n < SYMBI_SKILL_MAX_FINDINGS) return push(s, f, order, last, err);
    if (s->truncated) return SYMBI_OK;
    s->truncated = true;
    return push(s, &end, UINT32_MAX, 0, err);
}

size_t symbi_skill_scan_count(const symbi_skill_scan *s) { return s->n; }
const symbi_skill_finding *symbi_skill_scan_at(const symbi_skill_scan *s, size_t i) { return i < s->n ? &s->found[i].f : NULL; }

bool symbi_skill_scan_passed(const symbi_skill_scan *s)
{
    const size_t *n = s->totals.by_severity;
    if (s->broken || s->truncated || n[SYMBI_SKILL_CRITICAL]) return false;
    return s->s->profile == SYMBI_SKILL_SEED || !n[SYMBI_SKILL_HIGH];
}

void symbi_skill_scan_totals(const symbi_skill_scan *s, symbi_skill_totals *out) { *out = s->totals; }

/* ---- the reference profiles ---- */

static symbi_status reference(symbi_skill_scan *s, symbi_str path, symbi_str text, symbi_match_ends ends, symbi_err *err)
{
    symbi_match_lineinfo l;
    symbi_status st;
    symbi_match_lines(s->scratch, text, ends);
    while (!(st = symbi_match_line(s->scratch, &l, err)) && l.n)
        for (size_t i = 0; i < l.n; i++) {
            const sy_skill_entry *e = &s->s->entry[l.rules[i]];
            symbi_skill_finding f = { e->id, e->category, e->message, path, { "", 0 }, { "", 0 }, { "", 0 }, e->severity, l.line, 0, false };
            symbi_str line = { text.p + l.offset, l.length };
            symbi_match_span at;
            if ((st = symbi_match_find(s->scratch, l.rules[i], line, &at, err))) return st;
            f.column = at.start + 1;
            sy_scan_excerpt(s, line, at.start, &f.excerpt);
            if ((st = sy_scan_add(s, &f, l.rules[i], l.line, err))) return st;
        }
    return st;
}

/* White space as Rust has it: the length of such a character at p, 0 where there is none. */
static size_t space_at(const char *p, const char *e)
{
    uint32_t cp;
    size_t k = p < e ? sy_utf8_next(p, (size_t)(e - p), &cp) : 0;
    if (!k) return 0;
    return (cp >= 9 && cp <= 13) || cp == ' ' || cp == 0x85 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000 ? k : 0;
}

static const char *skip(const char *p, const char *e, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(e - p) >= n && !memcmp(p, word, n) ? p + n : NULL;
}

/* The program that a "#!" line names: through env, or by a bin folder. Other folders are not seen, as in the reference. */
static symbi_str interpreter(symbi_str line)
{
    const char *p = line.p, *e = line.p + line.n, *q, *from;
    size_t k;
    if (line.n < 2 || memcmp(p, "#!", 2)) return (symbi_str){ NULL, 0 };
    for (p += 2; (k = space_at(p, e)) > 0;) p += k;
    from = p;
    if ((q = skip(p, e, "/usr/bin/env")) && space_at(q, e)) {
        for (p = q; (k = space_at(p, e)) > 0;) p += k;
        for (q = p; q < e && !space_at(q, e);) q++;
        if (q > p) return (symbi_str){ p, (size_t)(q - p) };
    }
    p = skip(from, e, "/");
    if (p && (q = skip(p, e, "usr/"))) p = q;
    if (p && (q = skip(p, e, "local/"))) p = q;
    if (!p || !(p = skip(p, e, "bin/"))) return (symbi_str){ NULL, 0 };
    for (q = p; q < e && !space_at(q, e);) q++;
    return q > p ? (symbi_str){ p, (size_t)(q - p) } : (symbi_str){ NULL, 0 };
}

static bool listed(symbi_str list, symbi_str name)
{
    for (size_t i = 0; i <= list.n;) {
        size_t e = i;
        while (e < list.n && list.p[e] != '\n') e++;
        if (sy_str_eq((symbi_str){ list.p + i, e - i }, name)) return true;
        i = e + 1;
    }
    return false;
}

symbi_status sy_scan_shebangs(symbi_skill_scan *s, symbi_str path, symbi_str text, symbi_err *err)
{
    for (size_t k = 0; k < s->s->nlists; k++) {
        size_t line = 0;
        for (size_t i = 0; i < text.n;) {
            const char *e = memchr(text.p + i, '\n', text.n - i);
            size_t end = e ? (size_t)(e - text.p) : text.n, n = end - i;
            symbi_str l = { text.p + i, n && e && text.p[end - 1] == '\r' ? n - 1 : n }, name = interpreter(l);
            line++;
            if (name.p && !listed(s->s->lists[k], name)) {
                char id[120], msg[160];
                symbi_skill_finding f = { { NULL, 0 }, SY_LIT("custom"), { NULL, 0 }, path, { "", 0 }, { "", 0 }, { "", 0 }, SYMBI_SKILL_HIGH, line, 1, false };
                symbi_status st;
                snprintf(id, sizeof id, "executable-not-allowed:%.*s", name.n > 80 ? 80 : (int)name.n, name.p);
                snprintf(msg, sizeof msg, "Executable '%.*s' not in allowlist", name.n > 80 ? 80 : (int)name.n, name.p);
                f.rule = symbi_str_z(id);
                f.message = symbi_str_z(msg);
                sy_scan_excerpt(s, l, 0, &f.excerpt);
                if ((st = sy_scan_add(s, &f, UINT32_MAX, line, err))) return st;
            }
            i = end + 1;
        }
    }
    return SYMBI_OK;
}

symbi_status symbi_skill_scan_content(symbi_skill_scan *s, symbi_str path, symbi_str content, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    symbi_err_clear(err);
    s->first = s->n;
    s->totals.files++;
    s->totals.bytes += content.n;
    switch (s->s->profile) {
    case SYMBI_SKILL_SEED: st = reference(s, path, content, SYMBI_MATCH_END_PYTHON, err); break;
    case SYMBI_SKILL_RUNTIME:
        if (!sy_utf8_valid(content, NULL)) break; /* passed over without a word, as in the reference */
        st = reference(s, path, content, SYMBI_MATCH_END_CRLF, err);
        break;
    default: st = sy_strict_content(s, path, content, err); break;
    }
    if (!st && s->s->profile != SYMBI_SKILL_SEED) st = sy_scan_shebangs(s, path, content, err);
    if (st) s->broken = true;
    return st;
}

/* ---- what was not read ---- */

symbi_status symbi_skill_scan_unread_file(symbi_skill_scan *s, symbi_str path, symbi_skill_unread why, size_t amount, size_t limit, symbi_err *err)
{
    static const char *const rules[] = { "unread:size", "unread:files", "unread:depth", "unread:kind", "unread:link", "unread:io" };
    static const char *const texts[] = { "larger than the limit", "more files than the limit", "deeper than the limit", "neither a file nor a folder", "a symbolic link, not followed", "could not be read" };
    symbi_skill_finding f = { { NULL, 0 }, SY_LIT("unread"), { NULL, 0 }, path, { "", 0 }, { "", 0 }, { "", 0 }, SYMBI_SKILL_HIGH, 0, 0, false };
    char msg[200];
    symbi_status st;
    symbi_err_clear(err);
    s->first = s->n;
    if ((unsigned)why > SYMBI_SKILL_UNREAD_IO) return sy_fail(err, SYMBI_EINVAL, "unknown reason for not reading a file");
    s->totals.unread++;
    if (s->s->profile == SYMBI_SKILL_SEED) return SYMBI_OK;
    if (s->s->profile == SYMBI_SKILL_RUNTIME) {
        if (why == SYMBI_SKILL_UNREAD_SIZE) {
            f.rule = SY_LIT("scan-limit:file-size");
            f.severity = SYMBI_SKILL_INFO;
            snprintf(msg, sizeof msg, "Skipped: file size %zu bytes exceeds limit of %zu bytes", amount, limit);
        } else if (why == SYMBI_SKILL_UNREAD_FILES) {
            f.rule = SY_LIT("scan-limit:max-files");
            f.severity = SYMBI_SKILL_WARNING;
            snprintf(msg, sizeof msg, "Scan stopped after %zu files (limit reached)", limit);
        } else {
            return SYMBI_OK;
        }
    } else {
        f.rule = symbi_str_z(rules[why]);
        if (why <= SYMBI_SKILL_UNREAD_DEPTH) snprintf(msg, sizeof msg, "Not read: %s (%zu, limit %zu)", texts[why], amount, limit);
        else snprintf(msg, sizeof msg, "Not read: %s", texts[why]);
    }
    f.message = symbi_str_z(msg);
    if ((st = sy_scan_add(s, &f, 0, 0, err))) s->broken = true;
    return st;
}
