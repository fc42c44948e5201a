/* skills/strict.c: the strict profile. A text is scanned as it stands, and again in every view that differs from it (view.c); what is
 * encoded in it is decoded and scanned as well (payload.c), archives are opened (zip.c). What cannot be read is a finding that fails. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/value.h"
#include "match/hits.h"
#include "skills/strict_in.h"
#include <stdlib.h>
#include <string.h>

enum { PACK_BUDGET = 64 << 20, PAYLOAD_FACTOR = 4, EXCUSES_MAX = 16 };

static const char *const program_suffixes[] = { "py", "js", "mjs", "cjs", "ts", "tsx", "jsx", "sh", "bash", "zsh", "fish", "ksh", "rs", "go", "rb", "pl", "pm", "php", "lua", "ps1", "psm1", "bat", "cmd", "c", "h", "cc",
    "cpp", "java", "kt", "cs", "swift", "awk", "sql", "r", "vbs", "service", "mk", "gradle", "groovy", "applescript", NULL };

symbi_status sy_strict_note(symbi_skill_scan *s, symbi_str path, const char *rule, const char *category, symbi_skill_severity severity, const char *message, symbi_err *err)
{
    symbi_skill_finding f = { symbi_str_z(rule), symbi_str_z(category), symbi_str_z(message), path, { "", 0 }, { "", 0 }, { "", 0 }, severity, 0, 0, false };
    return sy_scan_add(s, &f, 0, 0, err);
}

/* ---- findings of a line ---- */

static bool in_fence(const symbi_skill_scan *s, size_t line)
{
    size_t lo = 0, hi = s->nfence; /* fences that begin or end at or before the line */
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->fence[mid] <= line) lo = mid + 1;
        else hi = mid;
    }
    return lo & 1;
}

static bool comment(symbi_str l)
{
    size_t i = 0;
    while (i < l.n && (l.p[i] == ' ' || l.p[i] == '\t')) i++;
    if (i + 1 < l.n && l.p[i] == '#' && l.p[i + 1] == '!') return false;
    return i < l.n && (l.p[i] == '#' || (i + 1 < l.n && ((l.p[i] == '/' && (l.p[i + 1] == '/' || l.p[i + 1] == '*')) || (l.p[i] == '-' && l.p[i + 1] == '-') || (l.p[i] == '*' && l.p[i + 1] == ' '))));
}

/* Bytes that are no text match a pattern now and then; an instruction hidden in them can be read. */
static bool printable(symbi_str line, const symbi_match_span *at)
{
    size_t from = at->start, to = at->end < line.n ? at->end : line.n;
    while (from < to && line.p[from] == 0x7f) from++; /* what stands around it */
    while (to > from && line.p[to - 1] == 0x7f) to--;
    for (size_t i = from; i < to; i++)
        if (((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t') || (unsigned char)line.p[i] > 0x7e) return false;
    return true;
}

/* How grave a match is where it stands: prose may speak against it, or of it. */
static symbi_skill_severity judge(const sy_stext *x, const sy_skill_entry *e, symbi_str line, const symbi_match_span *at, bool code)
{
    bool plain = x->how == SY_HOW_PLAIN, prose = !code || comment(line);
    if (prose && plain && (sy_polarity_negative(line, at->start, at->end) || (e->flags & SY_RULE_MENTION && sy_polarity_mention(line, at->start, at->end)))) return SYMBI_SKILL_INFO;
    if (sy_str_eqz(e->category, "credentials") && sy_polarity_closing(line, at->start)) return SYMBI_SKILL_INFO;
    if (e->flags & SY_RULE_PROSE && !code && sy_polarity_reported(line, at->start, at->end)) return SYMBI_SKILL_MEDIUM;
    if (sy_str_eqz(e->id, "ssh-keys") && sy_polarity_own_key(line, at->start, at->end)) return SYMBI_SKILL_MEDIUM;
    if (sy_str_eqz(e->category, "destruction") && sy_polarity_git(line, at->start)) return SYMBI_SKILL_INFO;
    if (e->severity <= SYMBI_SKILL_MEDIUM) return e->severity;
    if (sy_str_eqz(e->id, "sudo") && sy_polarity_packages(line, at->start, at->end)) return SYMBI_SKILL_MEDIUM;
    if (!code && plain && (sy_polarity_quoted(line, at->start, at->end) || (e->flags & SY_RULE_NAME && sy_polarity_idle(line, at->start, at->end)))) return SYMBI_SKILL_MEDIUM;
    return e->severity;
}

/* local: the rule as scratch's set counts it. A match that is excused does not excuse a second one in the same line. */
static symbi_status add(sy_stext *x, symbi_match_scratch *scratch, uint32_t local, uint32_t rule, symbi_str line, const sy_vline *v, const symbi_match_span *span)
{
    const symbi_skill_scanner *sc = x->s->s;
    bool second = rule >= sc->n;
    uint32_t id = second ? sc->flow[rule - sc->n] : rule;
    const sy_skill_entry *e = &sc->entry[id];
    symbi_skill_finding f = { e->id, e->category, e->message, x->path, { "", 0 }, { "", 0 }, { "", 0 }, e->severity, v->line, 0, false };
    symbi_match_span at = *span, next = *span;
    bool code = x->program || (!x->line && in_fence(x->s, v->line));
    if (e->flags & SY_RULE_CODE && !code) return SYMBI_OK;
    if (x->binary && !printable(line, span)) return SYMBI_OK;
    f.severity = judge(x, e, line, &at, code);
    for (size_t i = 0; f.severity < e->severity; i++) {
        size_t from = sy_polarity_resume(line, next.start, next.end);
        symbi_skill_severity again = e->severity; /* where somebody writes the same thing over and over: grave */
        if (from >= line.n) break;
        if (i < EXCUSES_MAX) {
            symbi_status st = symbi_match_find(scratch, local, (symbi_str){ line.p + from, line.n - from }, &next, x->err);
            if (st) return st;
            if (!next.hit) break;
            next.start += from;
            next.end += from;
            again = judge(x, e, line, &next, code);
        }
        if (again > f.severity) f.severity = again, at = next;
    }
    if (second || e->two) return sy_flow_note(x, &(sy_part){ id, second, v->how, f.severity, v->line, v->last, at.start, line });
    f.how = symbi_str_z(sy_how_names[v->how]);
    if (v->how == SY_HOW_PLAIN) f.column = at.start + 1;
    sy_scan_excerpt(x->s, line, at.start, &f.excerpt);
    if (x->s->arena.status) return sy_arena_fail(&x->s->arena, "the findings", x->err);
    return sy_scan_add(x->s, &f, rule, v->last, x->err);
}

static symbi_status scan_plain(sy_stext *x)
{
    symbi_match_lineinfo l;
    symbi_status st;
    symbi_match_lines(x->s->scratch, x->t, SYMBI_MATCH_END_CRLF);
    while (!(st = symbi_match_line(x->s->scratch, &l, x->err)) && l.n) {
        sy_vline v = { l.offset, l.length, x->line ? x->line : l.line, 0, x->how };
        symbi_str line = { x->t.p + l.offset, l.length };
        symbi_match_span at;
        v.last = v.line;
        for (size_t i = 0; i < l.n; i++)
            if ((st = symbi_match_find(x->s->scratch, l.rules[i], line, &at, x->err)) || (st = add(x, x->s->scratch, l.rules[i], l.rules[i], line, &v, &at))) return st;
    }
    return st;
}

/* The lines of a buffer of views; map: rule of the set that goes over them -> rule, or NULL. */
static symbi_status scan_buffer(sy_stext *x, symbi_match_scratch *scratch, symbi_str views, const sy_vline *vline, size_t n, const uint32_t *map)
{
    symbi_match_lineinfo l;
    symbi_status st;
    if (!views.n) return SYMBI_OK;
    symbi_match_lines(scratch, views, SYMBI_MATCH_END_LF);
    while (!(st = symbi_match_line(scratch, &l, x->err)) && l.n) {
        symbi_str line = { views.p + l.offset, l.length };
        symbi_match_span at;
        if (l.line > n) continue;
        for (size_t i = 0; i < l.n; i++)
            if ((st = symbi_match_find(scratch, l.rules[i], line, &at, x->err)) || (st = add(x, scratch, l.rules[i], map ? map[l.rules[i]] : l.rules[i], line, &vline[l.line - 1], &at))) return st;
    }
    return st;
}

static symbi_status scan_views(sy_stext *x)
{
    symbi_skill_scan *s = x->s;
    symbi_status st = scan_buffer(x, s->scratch, sy_buf_str(&s->view), s->vline, s->nvline, NULL);
    return st ? st : scan_buffer(x, s->prose, sy_buf_str(&s->paras), s->pline, s->npline, s->s->prosemap);
}

/* ---- payloads ---- */

static symbi_status scan_text(sy_stext *x);

static symbi_status scan_payload(sy_stext *x, symbi_str line, const sy_payload *p, size_t at, sy_buf *b)
{
    symbi_skill_scan *s = x->s;
    sy_stext y = *x;
    symbi_str t;
    if (!sy_payload_decode(line, p, b)) return sy_buf_status(b) == SYMBI_ENOMEM ? sy_fail_nomem(x->err) : SYMBI_OK;
    t = sy_buf_str(b);
    if (t.n > s->budget) {
        s->totals.unread++;
        s->budget = 0;
        return sy_strict_note(s, x->path, "unread:payload", "unread", SYMBI_SKILL_HIGH, "Not read: more encoded text than the scanner unfolds", x->err);
    }
    s->budget -= t.n;
    y.t = t;
    y.line = at;
    y.how = (uint8_t)p->how;
    y.depth++;
    y.program = true; /* nobody encodes prose */
    return scan_text(&y);
}

/* A run that begins at the end of the line at spot and goes on in the lines after it, decoded as one. *last: the last of its lines. */
static symbi_status folded_payload(sy_stext *x, const sy_spot *spot, size_t *last, sy_buf *b, sy_buf *whole)
{
    sy_cursor c = { x->t, (size_t)(spot->text.p - x->t.p) };
    symbi_str run = sy_payload_tail(spot->text), more;
    sy_payload p = { 0, 0, SY_HOW_HEX };
    size_t lines = 0;
    bool on = true;
    *last = spot->line;
    if (run.n < SY_RUN_FOLDED) return SYMBI_OK;
    sy_cursor_line(&c);
    sy_buf_clear(whole);
    sy_buf_adds(whole, run);
    while (on && c.i < c.t.n && lines < SY_RUN_LINES) {
        on = sy_payload_lead(sy_cursor_line(&c), &more);
        if (!more.n) break;
        sy_buf_adds(whole, more);
        on = on && more.n >= 4; /* a short one is the rest, or the first word of what follows */
        lines++;
    }
    if (!lines) return SYMBI_OK;
    if (sy_buf_status(whole)) return sy_buf_status(whole) == SYMBI_ENOMEM ? sy_fail_nomem(x->err) : SYMBI_OK; /* its lines are looked at one by one in any case */
    *last = spot->line + lines;
    p.len = whole->n;
    for (size_t i = 0; i < whole->n && p.how == SY_HOW_HEX; i++) {
        char ch = whole->p[i];
        if (!((ch >= '0' && ch <= '9') || ((ch | 32) >= 'a' && (ch | 32) <= 'f'))) p.how = SY_HOW_BASE64;
    }
    return scan_payload(x, sy_buf_str(whole), &p, x->line ? x->line : spot->line, b);
}

/* from: the first of this text's lines; those of payloads go on top and are gone again afterwards. */
static symbi_status payloads(sy_stext *x, size_t from)
{
    symbi_skill_scan *s = x->s;
    size_t n = s->nspot, folded = 0;
    sy_buf b, whole;
    symbi_status st = SYMBI_OK;
    sy_buf_init(&b, s->alloc, SY_TEXT_MAX);
    sy_buf_init(&whole, s->alloc, SY_TEXT_MAX);
    for (size_t i = from; i < n && !st; i++) {
        sy_spot spot = s->spot[i];
        size_t at = 0;
        sy_payload p;
        if (spot.line > folded && s->budget) st = folded_payload(x, &spot, &folded, &b, &whole);
        while (!st && s->budget && sy_payload_next(spot.text, &at, &p)) st = scan_payload(x, spot.text, &p, x->line ? x->line : spot.line, &b);
    }
    sy_buf_free(&b);
    sy_buf_free(&whole);
    s->nspot = from;
    return st;
}

/* The lines as they stand; on the way, where a paragraph may hold what the rules about prose look for. */
static symbi_status scan_lines(sy_stext *x)
{
    symbi_skill_scan *s = x->s;
    size_t words = (x->t.n >> SY_MARK_SHIFT) / 64 + 1;
    symbi_status st;
    if (!s->npara || !s->s->prosebits) return scan_plain(x);
    if (sy_grow(&s->alloc, (void **)&s->mark, &s->capmark, words, sizeof *s->mark)) return sy_fail_nomem(x->err);
    memset(s->mark, 0, words * sizeof *s->mark);
    sy_match_mark(s->scratch, s->s->prosebits, s->mark, SY_MARK_SHIFT);
    st = scan_plain(x);
    sy_match_mark(s->scratch, NULL, NULL, 0);
    return st;
}

static symbi_status scan_text(sy_stext *x)
{
    symbi_skill_scan *s = x->s;
    size_t spots = s->nspot;
    symbi_status st;
    sy_buf_clear(&s->view);
    sy_buf_clear(&s->paras);
    s->nvline = s->npline = s->npara = s->npart = 0;
    if (!x->line) s->nfence = 0;
    st = sy_lines_normal(x);
    if (!st) st = sy_lines_views(x);
    if (!st) st = scan_lines(x);
    if (!st) st = sy_lines_paragraphs(x);
    if (!st) st = scan_views(x);
    if (!st) st = sy_flow_end(x);
    return st ? st : payloads(x, spots);
}

/* ---- what a file is ---- */

static bool begins(symbi_str c, const char *magic, size_t n) { return c.n >= n && !memcmp(c.p, magic, n); }

static const char *compiled(symbi_str c)
{
    static const struct { const char *magic; size_t n; const char *what; } t[] = { { "\x7f" "ELF", 4, "an ELF program" }, { "MZ", 2, "a Windows program" }, { "\xfe\xed\xfa\xce", 4, "a Mach-O program" },
        { "\xfe\xed\xfa\xcf", 4, "a Mach-O program" }, { "\xce\xfa\xed\xfe", 4, "a Mach-O program" }, { "\xcf\xfa\xed\xfe", 4, "a Mach-O program" }, { "\xca\xfe\xba\xbe", 4, "Java or Mach-O code" },
        { "\0asm", 4, "WebAssembly" }, { "\x1bLua", 4, "compiled Lua" }, { "\x1bLJ", 3, "compiled Lua" }, { "dex\n", 4, "Android code" }, { "!<arch>\n", 8, "a library of object code" }, { "BC\xc0\xde", 4, "LLVM code" } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        if (begins(c, t[i].magic, t[i].n) && (t[i].n > 2 || (c.n > 64 && memchr(c.p, '\0', 64)))) return t[i].what;
    return NULL;
}

static bool media(symbi_str c)
{
    static const struct { const char *magic; size_t n; } t[] = { { "\x89PNG\r\n\x1a\n", 8 }, { "\xff\xd8\xff", 3 }, { "GIF8", 4 }, { "RIFF", 4 }, { "wOFF", 4 }, { "wOF2", 4 }, { "\0\1\0\0\0", 5 }, { "OTTO", 4 }, { "ID3", 3 },
        { "\0\0\1\0", 4 }, { "OggS", 4 }, { "BM", 2 }, { "fLaC", 4 } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        if (begins(c, t[i].magic, t[i].n)) return true;
    return c.n >= 12 && !memcmp(c.p + 4, "ftyp", 4);
}

/* UTF-16 by its mark, or by every second byte being zero. 1 little, 2 big endian. */
static int utf16(symbi_str c)
{
    size_t n = c.n < 512 ? c.n & ~(size_t)1 : 512, even = 0, odd = 0;
    if (begins(c, "\xff\xfe", 2)) return 1;
    if (begins(c, "\xfe\xff", 2)) return 2;
    if (n < 8) return 0;
    for (size_t i = 0; i < n; i += 2) even += c.p[i] == '\0', odd += c.p[i + 1] == '\0';
    return odd * 10 >= n * 4 && !even ? 1 : even * 10 >= n * 4 && !odd ? 2 : 0;
}

static symbi_status unread(symbi_skill_scan *s, symbi_str path, const char *rule, const char *message, symbi_err *err)
{
    s->totals.unread++;
    return sy_strict_note(s, path, rule, "unread", SYMBI_SKILL_HIGH, message, err);
}

/* What in a file that is no text can be read. DEL stands for the rest, which is neither blank nor letter. */
static symbi_status strings_of(symbi_str *c, sy_buf *b, symbi_err *err)
{
    char *p = sy_buf_reserve(b, c->n + 1);
    if (!p) return sy_fail(err, sy_buf_status(b), "the file needs too much memory");
    for (size_t i = 0; i < c->n; i++) {
        unsigned char ch = (unsigned char)c->p[i];
        p[i] = (ch >= 0x20 && ch < 0x7f) || ch == '\n' || ch == '\t' ? (char)ch : 0x7f;
    }
    sy_buf_commit(b, c->n);
    *c = sy_buf_str(b);
    return SYMBI_OK;
}

static symbi_status scan_as(symbi_skill_scan *s, symbi_str path, symbi_str t, sy_how how, bool binary, symbi_err *err)
{
    static const char *const makefiles[] = { "Makefile", "makefile", "GNUmakefile", "Dockerfile", NULL };
    sy_stext x = { s, path, t, err, false, 0, (uint8_t)how, 0, false, binary };
    x.program = sy_suffix_in(path, program_suffixes, true) || begins(t, "#!", 2);
    for (size_t i = 0; makefiles[i]; i++) x.program = x.program || sy_str_eqz(sy_base_name(path), makefiles[i]);
    x.fences = !x.program;
    return scan_text(&x);
}

symbi_status sy_strict_bytes(symbi_skill_scan *s, symbi_str path, symbi_str c, unsigned depth, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    sy_pack pack = sy_pack_kind(c);
    int wide;
    bool text_like = true;
    if (c.n > SY_TEXT_MAX) {
        if ((st = unread(s, path, "unread:size", "Not read to its end: larger than the 16 MiB that are looked at", err))) return st;
        c.n = SY_TEXT_MAX;
    }
    if (pack != SY_PACK_NONE) {
        if ((st = sy_pack_scan(s, path, c, pack, depth, err))) return st;
        text_like = false;
    } else if (compiled(c)) {
        if ((st = unread(s, path, "unread:compiled", "Compiled code: what it does cannot be read", err))) return st;
        text_like = false;
    } else if (media(c)) {
        if ((st = sy_strict_note(s, path, "opaque-media", "unread", SYMBI_SKILL_INFO, "A picture, a sound or a font: looked at for text that stands in it, not for what it shows", err))) return st;
        text_like = false;
    } else if (begins(c, "%PDF-", 5)) {
        if ((st = sy_strict_note(s, path, "opaque-document", "unread", SYMBI_SKILL_MEDIUM, "A PDF may hold compressed text that the scanner does not unfold", err))) return st;
        text_like = false;
    } else if ((wide = utf16(c)) != 0) {
        sy_buf b;
        sy_buf_init(&b, s->alloc, 2 * (size_t)SY_TEXT_MAX);
        if (sy_payload_utf16(c, wide == 2, &b)) st = scan_as(s, path, sy_buf_str(&b), SY_HOW_UTF16, false, err);
        else st = sy_fail(err, sy_buf_status(&b), "the text in UTF-16 needs too much memory");
        sy_buf_free(&b);
        if (!st && c.n & 1) st = unread(s, path, "unread:encoding", "Ends in the middle of a UTF-16 character", err);
        if (st) return st;
        text_like = false; /* and as bytes, for those who do not read UTF-16 */
    } else if (c.n && memchr(c.p, '\0', c.n)) {
        if ((st = unread(s, path, "unread:binary", "Neither text nor a kind of file that is known: what it means cannot be read", err))) return st;
        text_like = false;
    }
    /* whatever it is, what stands in it as text is looked at */
    if (text_like && !sy_utf8_valid(c, NULL) && (st = unread(s, path, "unread:encoding", "Not valid UTF-8: what these bytes mean to a reader cannot be judged", err))) return st;
    if (!text_like && memchr(c.p, '\0', c.n)) {
        sy_buf b;
        sy_buf_init(&b, s->alloc, SY_TEXT_MAX + 1);
        if (!(st = strings_of(&c, &b, err))) st = scan_as(s, path, c, SY_HOW_PLAIN, true, err);
        sy_buf_free(&b);
        return st;
    }
    return scan_as(s, path, c, SY_HOW_PLAIN, false, err);
}

/* ---- order ---- */

static int by_line(const void *a, const void *b)
{
    const sy_found *x = a, *y = b;
    int c;
    if (x->f.line != y->f.line) return x->f.line < y->f.line ? -1 : 1;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    if ((c = sy_str_cmp(x->f.rule, y->f.rule))) return c;
    /* the gravest first, then the plainest */
    if (x->f.severity != y->f.severity) return x->f.severity > y->f.severity ? -1 : 1;
    if (x->f.how.n != y->f.how.n) return x->f.how.n < y->f.how.n ? -1 : 1;
    return x->f.column < y->f.column ? -1 : x->f.column > y->f.column;
}

static void forget(symbi_skill_scan *s, const symbi_skill_finding *f)
{
    if (f->suppressed) s->totals.suppressed--;
    else s->totals.by_severity[f->severity]--;
}

/* Found over several lines, where one of these alone gives it already. */
static bool covered(const symbi_skill_scan *s, size_t i)
{
    const sy_found *x = &s->found[i];
    if (x->last <= x->f.line) return false;
    for (size_t k = i + 1; k < s->n && s->found[k].f.line <= x->last; k++) {
        const sy_found *y = &s->found[k];
        if (y->order == x->order && y->last == y->f.line && y->f.line > x->f.line && y->f.severity >= x->f.severity && sy_str_eq(x->f.file, y->f.file)) return true;
    }
    return false;
}

/* One finding for a rule on a line of a file, however often a view shows it again. */
static void tidy(symbi_skill_scan *s, size_t from)
{
    size_t n = from;
    if (s->n - from < 2) return;
    qsort(s->found + from, s->n - from, sizeof *s->found, by_line);
    for (size_t i = from; i < s->n; i++) {
        const sy_found *x = &s->found[i], *last = n > from ? &s->found[n - 1] : NULL;
        if (covered(s, i)) forget(s, &x->f);
        else if (last && x->f.line && last->f.line == x->f.line && last->order == x->order && sy_str_eq(last->f.rule, x->f.rule) && sy_str_eq(last->f.file, x->f.file)) forget(s, &x->f);
        else s->found[n++] = *x;
    }
    s->n = n;
}

symbi_status sy_strict_content(symbi_skill_scan *s, symbi_str path, symbi_str content, symbi_err *err)
{
    size_t from = s->n;
    symbi_status st;
    s->nspot = 0;
    s->budget = PAYLOAD_FACTOR * (content.n < SY_TEXT_MAX ? content.n : SY_TEXT_MAX) + (1u << 20);
    if (sy_pack_kind(content) != SY_PACK_NONE) s->budget = PACK_BUDGET;
    st = sy_strict_bytes(s, path, content, 0, err);
    if (!st && sy_str_eqz(sy_base_name(path), "SKILL.md")) st = sy_strict_frontmatter(s, path, content, err);
    if (!st) tidy(s, from);
    return st;
}
