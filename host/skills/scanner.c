/* skills/scanner.c: a profile and custom rules as one set of patterns. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/value.h"
#include "match/hits.h"
#include "skills/skills.h"
#include <stdio.h>
#include <string.h>

typedef struct mk {
    symbi_skill_scanner *s;
    symbi_match_rule *rule;
    sy_arena tmp;
    symbi_err *err;
} mk;

static symbi_str join(sy_arena *a, symbi_str x, symbi_str y)
{
    char *p = sy_arena_alloc(a, x.n + y.n + 1);
    if (!p) return (symbi_str){ NULL, 0 };
    memcpy(p, x.p, x.n);
    if (y.n) memcpy(p + x.n, y.p, y.n);
    p[x.n + y.n] = 0;
    return (symbi_str){ p, x.n + y.n };
}

/* Text as a pattern that matches just that. */
static symbi_str escaped(sy_arena *a, symbi_str s)
{
    char *p = sy_arena_alloc(a, 2 * s.n + 1);
    size_t n = 0;
    if (!p) return (symbi_str){ NULL, 0 };
    for (size_t i = 0; i < s.n; i++) {
        if (memchr("\\.+*?()|[]{}^$#&-~/", s.p[i], 19)) p[n++] = '\\';
        p[n++] = s.p[i];
    }
    return (symbi_str){ p, n };
}

static symbi_status fail_custom(mk *m, size_t i, const char *what)
{
    char path[32];
    sy_fail(m->err, SYMBI_EINVAL, "custom rule %zu: %s", i + 1, what);
    snprintf(path, sizeof path, "/%zu", i);
    sy_err_path(m->err, symbi_str_z(path));
    return SYMBI_EINVAL;
}

static symbi_status add_list(mk *m, symbi_str names, symbi_str *lists)
{
    /* an empty list allows nothing; it is a list all the same */
    lists[m->s->nlists] = sy_arena_dup(&m->s->arena, names);
    if (!lists[m->s->nlists].p) return sy_arena_fail(&m->s->arena, "the custom rules", m->err);
    m->s->nlists++;
    return SYMBI_OK;
}

/* Does this pattern compile alone? The place in the list goes into the error. */
static symbi_status try_pattern(symbi_ctx *cx, mk *m, const symbi_match_rule *r, size_t i)
{
    symbi_match *one;
    symbi_status st = symbi_match_compile(cx, r, 1, &one, m->err);
    symbi_match_unref(one);
    if (st && m->err) {
        char path[32];
        snprintf(path, sizeof path, "/%zu", i);
        m->err->path[0] = '\0';
        sy_err_path(m->err, symbi_str_z(path));
    }
    return st;
}

static symbi_status add_custom(symbi_ctx *cx, mk *m, const symbi_skill_custom *c, size_t i, unsigned flags, unsigned match_flags, symbi_str *lists)
{
    symbi_skill_scanner *s = m->s;
    sy_skill_entry e = { { NULL, 0 }, SY_LIT("custom"), { NULL, 0 }, SYMBI_SKILL_WARNING, 0, false };
    symbi_match_rule r = { c->value, match_flags };
    symbi_status st;
    switch (c->kind) {
    case SYMBI_SKILL_CUSTOM_RULE:
        if (!c->id.n) return fail_custom(m, i, "it has no name");
        if ((unsigned)c->severity > SYMBI_SKILL_CRITICAL) return fail_custom(m, i, "unknown severity");
        e.id = sy_arena_dup(&s->arena, c->id);
        e.message = sy_arena_dup(&s->arena, c->message);
        e.severity = c->severity;
        break;
    case SYMBI_SKILL_CUSTOM_CONTENT:
        e.id = join(&s->arena, SY_LIT("custom:"), c->value);
        e.message = join(&s->arena, SY_LIT("Matched custom deny pattern: "), c->value);
        break;
    case SYMBI_SKILL_CUSTOM_FILE:
        r.pattern = escaped(&m->tmp, c->value);
        e.id = join(&s->arena, SY_LIT("deny-file:"), c->value);
        e.message = join(&s->arena, SY_LIT("Reference to blocked file: "), c->value);
        break;
    case SYMBI_SKILL_CUSTOM_SHELL:
        e.id = join(&s->arena, SY_LIT("deny-shell:"), c->value);
        e.message = join(&s->arena, SY_LIT("Matched blocked shell pattern: "), c->value);
        e.severity = SYMBI_SKILL_CRITICAL;
        break;
    case SYMBI_SKILL_CUSTOM_EXECUTABLES: return add_list(m, c->value, lists);
    default: return fail_custom(m, i, "unknown kind");
    }
    if (s->arena.status) return sy_arena_fail(&s->arena, "the custom rules", m->err);
    if (m->tmp.status) return sy_arena_fail(&m->tmp, "the custom rules", m->err);
    if ((st = try_pattern(cx, m, &r, i))) {
        if (flags & SYMBI_SKILL_DROP_BAD && st == SYMBI_EPARSE) {
            symbi_err_clear(m->err);
            return SYMBI_OK;
        }
        return st;
    }
    m->rule[s->n] = r;
    s->entry[s->n++] = e;
    return SYMBI_OK;
}

static void seam(uint8_t *t, int before, int after) /* 0: any character */
{
    for (int a = before ? before : 0; a <= (before ? before : 127); a++)
        for (int b = after ? after : 0; b <= (after ? after : 127); b++) t[a * 16 + b / 8] |= (uint8_t)(1u << b % 8);
}

static int either_case(int c, bool upper) { return upper && c >= 'a' && c <= 'z' ? c - 32 : c; }

/* Where two lines of a paragraph meet, one blank stands between them: between which characters that may bring about a literal of the
 * n rules about prose. Elsewhere a literal stands in a line, where the rules of m find it. */
static symbi_status seams(mk *m, size_t n)
{
    symbi_skill_scanner *s = m->s;
    symbi_str l;
    uint64_t *bits = sy_arena_calloc(&s->arena, (s->n + s->nflow) / 64 + 1, sizeof *bits);
    s->seam = sy_arena_calloc(&s->arena, 128, 16);
    if (!bits || !s->seam) return sy_fail_nomem(m->err);
    for (size_t i = 0; i < n; i++) {
        bits[s->prosemap[i] / 64] |= (uint64_t)1 << s->prosemap[i] % 64;
        if (!sy_match_filtered(s->m, s->prosemap[i]) || !sy_match_filtered(s->prose, i)) bits = NULL;
        if (!bits) return SYMBI_OK;
    }
    for (size_t i = 0; (l = sy_match_literal(s->prose, i)).n; i++)
        for (size_t k = 0; k < l.n; k++) {
            size_t to = k;
            if (l.p[k] != ' ' && l.p[k] != '\t') continue;
            while (to < l.n && (l.p[to] == ' ' || l.p[to] == '\t')) to++;
            for (int u = 0; u < 4; u++) seam(s->seam, k ? either_case(l.p[k - 1], u & 1) : 0, to < l.n ? either_case(l.p[to], u & 2) : 0);
            k = to;
        }
    s->prosebits = bits;
    return SYMBI_OK;
}

/* The rules about prose once more, as a set of their own. */
static symbi_status prose_rules(symbi_ctx *cx, mk *m)
{
    symbi_skill_scanner *s = m->s;
    size_t n = 0;
    symbi_status st;
    s->prosemap = sy_arena_calloc(&s->arena, s->n + 1, sizeof *s->prosemap);
    if (!s->prosemap) return sy_fail_nomem(m->err);
    for (size_t i = 0; i < s->n; i++)
        if (s->entry[i].flags & SY_RULE_PROSE) {
            m->rule[n] = m->rule[i];
            s->prosemap[n++] = (uint32_t)i;
        }
    if ((st = symbi_match_compile(cx, m->rule, n, &s->prose, m->err))) return st;
    return seams(m, n);
}

/* A pattern of two: the second goes behind all rules. */
static void split(mk *m, size_t i, size_t at)
{
    symbi_skill_scanner *s = m->s;
    symbi_str p = m->rule[i].pattern;
    const char *lf = memchr(p.p, '\n', p.n);
    if (!lf) return;
    m->rule[i].pattern.n = (size_t)(lf - p.p);
    m->rule[at + s->nflow] = (symbi_match_rule){ { lf + 1, p.n - (size_t)(lf - p.p) - 1 }, m->rule[i].flags };
    s->entry[i].two = true;
    s->flow[s->nflow++] = (uint32_t)i;
}

static symbi_status build(symbi_ctx *cx, mk *m, const symbi_skill_custom *custom, size_t n, unsigned flags)
{
    symbi_skill_scanner *s = m->s;
    size_t built = symbi_skill_rule_count(s->profile);
    unsigned match_flags = s->profile == SYMBI_SKILL_SEED ? SYMBI_MATCH_PYTHON : SYMBI_MATCH_UNICODE;
    symbi_str *lists = sy_arena_calloc(&s->arena, n + 1, sizeof *lists);
    symbi_status st;
    s->entry = sy_arena_calloc(&s->arena, built + n + 1, sizeof *s->entry);
    s->flow = sy_arena_calloc(&s->arena, built + 1, sizeof *s->flow);
    m->rule = sy_arena_calloc(&m->tmp, 2 * built + n + 1, sizeof *m->rule);
    if (!s->entry || !lists || !s->flow || !m->rule) return sy_fail_nomem(m->err);
    s->lists = lists;
    for (size_t i = 0; i < built; i++) {
        const symbi_skill_rule *r = symbi_skill_rule_at(s->profile, i);
        unsigned f = s->profile != SYMBI_SKILL_STRICT ? match_flags : r->flags & SY_RULE_CASE ? 0 : SYMBI_MATCH_NOCASE;
        m->rule[i] = (symbi_match_rule){ symbi_str_z(r->pattern), f };
        s->entry[i] = (sy_skill_entry){ symbi_str_z(r->id), symbi_str_z(r->category), symbi_str_z(r->message), r->severity, r->flags, false };
    }
    s->n = built;
    for (size_t i = 0; i < n; i++)
        if ((st = add_custom(cx, m, &custom[i], i, flags, match_flags, lists))) return st;
    for (size_t i = 0; i < built && s->profile == SYMBI_SKILL_STRICT; i++) split(m, i, s->n);
    if ((st = symbi_match_compile(cx, m->rule, s->n + s->nflow, &s->m, m->err))) return st;
    return s->profile == SYMBI_SKILL_STRICT ? prose_rules(cx, m) : SYMBI_OK;
}

symbi_status symbi_skill_scanner_new(symbi_ctx *cx, symbi_skill_profile p, const symbi_skill_custom *custom, size_t n, unsigned flags, symbi_skill_scanner **out, symbi_err *err)
{
    symbi_err own;
    mk m = { .err = err ? err : &own };
    symbi_status st;
    *out = NULL;
    symbi_err_clear(m.err);
    if ((unsigned)p > SYMBI_SKILL_RUNTIME) return sy_fail(err, SYMBI_EINVAL, "there is no such profile");
    if (n > SYMBI_SKILL_MAX_CUSTOM) return sy_fail(err, SYMBI_ELIMIT, "%zu custom rules are more than the %d that a scanner may have", n, SYMBI_SKILL_MAX_CUSTOM);
    if (!(m.s = sy_calloc(&cx->shared, 1, sizeof *m.s))) return sy_fail_nomem(err);
    sy_ref_init(&m.s->refs);
    m.s->alloc = cx->shared;
    m.s->profile = p;
    sy_arena_init(&m.s->arena, cx->shared, cx->limits.arena_bytes);
    sy_arena_init(&m.tmp, cx->alloc, cx->limits.arena_bytes);
    st = build(cx, &m, custom, n, flags);
    sy_arena_free(&m.tmp);
    if (st) symbi_skill_scanner_unref(m.s);
    else *out = m.s;
    return st;
}

symbi_skill_scanner *symbi_skill_scanner_ref(symbi_skill_scanner *s)
{
    if (s) sy_ref_inc(&s->refs);
    return s;
}

void symbi_skill_scanner_unref(symbi_skill_scanner *s)
{
    if (s && sy_ref_dec(&s->refs)) {
        symbi_alloc a = s->alloc;
        symbi_match_unref(s->m);
        symbi_match_unref(s->prose);
        sy_arena_free(&s->arena);
        sy_free(&a, s, sizeof *s);
    }
}

symbi_skill_profile symbi_skill_scanner_profile(const symbi_skill_scanner *s) { return s->profile; }
