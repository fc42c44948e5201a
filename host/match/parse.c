/* match/parse.c: pattern text to tree, with one clear refusal for what the dialect does not have. */
#include "base/err.h"
#include "base/utf8.h"
#include "codec/value.h"
#include "match/match_in.h"
#include <string.h>

typedef struct mparser {
    sy_arena *a;
    symbi_err *err;
    symbi_str s;
    size_t i, depth;
    unsigned flags; /* those that hold here */
} mparser;

static symbi_status mfail(mparser *p, size_t at, const char *what)
{
    return sy_fail_at(p->err, SYMBI_EPARSE, 1, (uint32_t)at + 1, "the pattern does not compile at character %zu: %s", at + 1, what);
}
static symbi_status mnomem(mparser *p) { return sy_arena_fail(p->a, "the pattern", p->err); }

static sy_mnode *mnew(mparser *p, sy_mkind kind)
{
    sy_mnode *n = sy_arena_calloc(p->a, 1, sizeof *n);
    if (n) n->kind = kind;
    return n;
}

static void mappend(sy_mnode *parent, sy_mnode *n)
{
    if (parent->last) parent->last->next = n;
    else parent->first = n;
    parent->last = n;
}

static bool mmore(const mparser *p) { return p->i < p->s.n; }
static char mpeek(const mparser *p) { return mmore(p) ? p->s.p[p->i] : '\0'; }
static bool mis(const mparser *p, const char *set) { return mmore(p) && mpeek(p) && strchr(set, mpeek(p)); }
static bool municode(const mparser *p) { return p->flags & (SYMBI_MATCH_UNICODE | SYMBI_MATCH_PYTHON); }

/* categories: \w and the like of a class whose case makes no difference (Python), or empty. */
static symbi_status mclass(mparser *p, sy_mset *set, sy_mset *categories, bool negated, sy_mnode **out)
{
    if (p->flags & SYMBI_MATCH_NOCASE) sy_mset_fold(set, p->flags & SYMBI_MATCH_PYTHON ? SY_MFOLD_PYTHON : municode(p) ? SY_MFOLD_UNICODE : SY_MFOLD_ASCII);
    if (categories) sy_mset_addclass(set, sy_mset_class(categories));
    if (negated) sy_mset_negate(set);
    if (!(*out = mnew(p, SY_MN_CLASS))) return mnomem(p);
    (*out)->cls = sy_mset_class(set);
    return p->a->status ? mnomem(p) : SYMBI_OK;
}

static int mhexval(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* At the character after a backslash: a literal one. */
static symbi_status mescape(mparser *p, uint32_t *cp)
{
    size_t at = p->i - 1;
    char c;
    if (!mmore(p)) return mfail(p, at, "a backslash ends it; write \\\\ for one");
    c = p->s.p[p->i++];
    switch (c) {
    case 't': *cp = '\t'; return SYMBI_OK;
    case 'n': *cp = '\n'; return SYMBI_OK;
    case 'r': *cp = '\r'; return SYMBI_OK;
    case 'f': *cp = '\f'; return SYMBI_OK;
    case 'v': *cp = '\v'; return SYMBI_OK;
    case 'x': case 'u': {
        size_t want = c == 'x' ? 2 : 4, n = 0;
        bool braces = mpeek(p) == '{';
        uint32_t v = 0;
        char out[4];
        if (braces) p->i++, want = 6;
        while (mmore(p) && n < want && mhexval(mpeek(p)) >= 0) v = v << 4 | (uint32_t)mhexval(p->s.p[p->i++]), n++;
        if (braces ? (!n || !mmore(p) || p->s.p[p->i++] != '}') : n != want) return mfail(p, at, "hexadecimal digits are missing");
        if (!sy_utf8_put(v, out)) return mfail(p, at, "no such character");
        *cp = v;
        return SYMBI_OK;
    }
    default:
        if (c >= '1' && c <= '9') return mfail(p, at, "back-references are not supported");
        if (c == 'k') return mfail(p, at, "back-references (\\k) are not supported");
        if (c == 'p' || c == 'P') return mfail(p, at, "Unicode classes (\\p) are not supported; list the characters");
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '0' || (unsigned char)c >= 0x80) return mfail(p, at, "unknown escape");
        *cp = (unsigned char)c;
        return SYMBI_OK;
    }
}

static void mchar(mparser *p, uint32_t *cp) { p->i += sy_utf8_next(p->s.p + p->i, p->s.n - p->i, cp); }

static bool mposix(mparser *p, sy_mset *set)
{
    static const struct { const char *name; const char *ranges; } names[] = { { "alnum", "09AZaz" }, { "alpha", "AZaz" }, { "digit", "09" }, { "lower", "az" },
        { "upper", "AZ" }, { "xdigit", "09AFaf" }, { "word", "09AZ__az" }, { "space", "\t\r  " }, { "blank", "\t\t  " }, { "punct", "!/:@[`{~" }, { "graph", "!~" }, { "print", " ~" } };
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        size_t n = strlen(names[k].name);
        if (p->s.n - p->i >= n + 4 && memcmp(p->s.p + p->i + 2, names[k].name, n) == 0 && memcmp(p->s.p + p->i + 2 + n, ":]", 2) == 0) {
            for (const char *r = names[k].ranges; *r; r += 2) sy_mset_add(set, (unsigned char)r[0], (unsigned char)r[1]);
            p->i += n + 4;
            return true;
        }
    }
    return false;
}

/* At the character after '['. */
static symbi_status mbracket(mparser *p, sy_mnode **out)
{
    sy_mset set = { p->a, NULL, 0, 0 }, categories = { p->a, NULL, 0, 0 };
    size_t open = p->i - 1;
    bool negated = false, first = true;
    symbi_status st;
    if (mpeek(p) == '^') negated = true, p->i++;
    for (;; first = false) {
        uint32_t lo, hi;
        size_t at = p->i;
        if (!mmore(p)) return mfail(p, open, "the class is not closed: ']' is missing");
        if (mpeek(p) == ']' && !first) break;
        if (mpeek(p) == '[') {
            if (p->i + 1 < p->s.n && p->s.p[p->i + 1] == ':' && mposix(p, &set)) continue;
            return mfail(p, at, "'[' in a class must be written \\[");
        }
        if (p->i + 1 < p->s.n && mpeek(p) == p->s.p[p->i + 1] && mis(p, "&~-")) return mfail(p, at, "class operators are not supported; escape the character");
        if (mpeek(p) == '\\' && p->i + 1 < p->s.n && memchr("dDwWsS", p->s.p[p->i + 1], 6)) {
            sy_mset_perl(p->flags & SYMBI_MATCH_PYTHON ? &categories : &set, p->s.p[p->i + 1], p->flags);
            p->i += 2;
            continue;
        }
        if (mpeek(p) == '\\') {
            p->i++;
            if ((st = mescape(p, &lo))) return st;
        } else {
            mchar(p, &lo);
        }
        hi = lo;
        if (p->i + 1 < p->s.n && mpeek(p) == '-' && p->s.p[p->i + 1] != ']') {
            p->i++;
            if (mpeek(p) == '\\') {
                p->i++;
                if (mis(p, "dDwWsS")) return mfail(p, at, "a range cannot end in a class");
                if ((st = mescape(p, &hi))) return st;
            } else if (mpeek(p) == '[') {
                return mfail(p, p->i, "'[' in a class must be written \\[");
            } else {
                mchar(p, &hi);
            }
            if (hi < lo) return mfail(p, at, "the range is backwards");
        }
        sy_mset_add(&set, lo, hi);
    }
    p->i++;
    return mclass(p, &set, &categories, negated, out);
}

static symbi_status mliteral(mparser *p, uint32_t cp, sy_mnode **out)
{
    sy_mset set = { p->a, NULL, 0, 0 };
    sy_mset_add(&set, cp, cp);
    return mclass(p, &set, NULL, false, out);
}

static symbi_status massert(mparser *p, sy_mop op, sy_mnode **out)
{
    if (!(*out = mnew(p, SY_MN_ASSERT))) return mnomem(p);
    (*out)->op = op;
    return SYMBI_OK;
}

static symbi_status malternation(mparser *p, sy_mnode **out);

static symbi_status mname(mparser *p, size_t at)
{
    size_t n = 0;
    for (p->i++; mmore(p) && mpeek(p) != '>'; n++) {
        char c = p->s.p[p->i++];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (n && c >= '0' && c <= '9'))) return mfail(p, at, "bad name of a group");
    }
    if (!n || !mmore(p)) return mfail(p, at, "bad name of a group");
    p->i++;
    return SYMBI_OK;
}

/* After "(?": flags or a name. *group: a group follows (else the flags hold to the end of the enclosing group). */
static symbi_status mgroup(mparser *p, bool *group)
{
    size_t at = p->i;
    bool on = true;
    *group = true;
    if (mpeek(p) == '#') return mfail(p, at, "comments (?#…) are not supported");
    if (mpeek(p) == '>') return mfail(p, at, "atomic groups (?>…) are not supported");
    if (mpeek(p) == '(') return mfail(p, at, "conditional groups are not supported");
    if (mpeek(p) == 'P') p->i++;
    if (mpeek(p) == '<') {
        char next = p->i + 1 < p->s.n ? p->s.p[p->i + 1] : '\0';
        if (next == '=' || next == '!') return mfail(p, at, "look-around (look-behind) is not supported");
        return mname(p, at);
    }
    if (p->i > at) return mfail(p, at, mpeek(p) == '=' ? "back-references (?P=…) are not supported" : "unknown kind of group");
    for (; mmore(p); p->i++) {
        char c = mpeek(p);
        unsigned bit = c == 'i' ? SYMBI_MATCH_NOCASE : c == 's' ? SYMBI_MATCH_DOTALL : c == 'm' ? SYMBI_MATCH_MULTILINE : 0;
        if (c == ':' || c == ')') break;
        if (c == '-' && on) on = false;
        else if (bit) p->flags = on ? p->flags | bit : p->flags & ~bit;
        else if (c == '=' || c == '!') return mfail(p, at, "look-around (look-ahead) is not supported");
        else return mfail(p, p->i, "unknown flag (i, s and m are known)");
    }
    if (!mmore(p)) return mfail(p, at, "the group is not closed: ')' is missing");
    *group = mpeek(p) == ':';
    if (!*group && p->i == at) return mfail(p, at, "flags are missing");
    p->i++;
    return SYMBI_OK;
}

static symbi_status mparen(mparser *p, sy_mnode **out)
{
    size_t at = p->i++;
    unsigned flags = p->flags;
    bool group = true;
    symbi_status st;
    if (++p->depth > SYMBI_MATCH_MAX_DEPTH) return mfail(p, at, "groups are nested too deeply");
    if (mpeek(p) == '?') {
        p->i++;
        if ((st = mgroup(p, &group))) return st;
    }
    if (!group) {
        p->depth--;
        *out = mnew(p, SY_MN_EMPTY);
        return *out ? SYMBI_OK : mnomem(p); /* the flags stay */
    }
    if ((st = malternation(p, out))) return st;
    if (!mmore(p)) return mfail(p, at, "the group is not closed: ')' is missing");
    p->i++;
    p->depth--;
    p->flags = flags;
    return SYMBI_OK;
}

static symbi_status matom(mparser *p, sy_mnode **out)
{
    size_t at = p->i;
    bool lines = p->flags & SYMBI_MATCH_MULTILINE;
    sy_mset set = { p->a, NULL, 0, 0 };
    uint32_t cp;
    symbi_status st;
    switch (mpeek(p)) {
    case '(': return mparen(p, out);
    case '[': p->i++; return mbracket(p, out);
    case '.':
        p->i++;
        if (!(p->flags & SYMBI_MATCH_DOTALL)) {
            sy_mset_add(&set, 0, 9);
            sy_mset_add(&set, 11, SY_CP_MAX);
        } else {
            sy_mset_add(&set, 0, SY_CP_MAX);
        }
        if (!(*out = mnew(p, SY_MN_CLASS))) return mnomem(p);
        (*out)->cls = sy_mset_class(&set);
        return p->a->status ? mnomem(p) : SYMBI_OK;
    case '^': p->i++; return massert(p, lines ? SY_MO_LSTART : SY_MO_START, out);
    case '$': p->i++; return massert(p, lines ? SY_MO_LEND : SY_MO_END, out);
    case '*': case '+': case '?': return mfail(p, at, "there is nothing to repeat");
    case '{': case '}': return mfail(p, at, "a brace must be written \\{ or \\} where it is no repetition");
    case '\\':
        p->i++;
        if (mis(p, "dDwWsS")) {
            sy_mset_perl(&set, p->s.p[p->i++], p->flags);
            if (!(*out = mnew(p, SY_MN_CLASS))) return mnomem(p);
            (*out)->cls = sy_mset_class(&set);
            return p->a->status ? mnomem(p) : SYMBI_OK;
        }
        if (mis(p, "bBAzZ")) {
            char e = p->s.p[p->i++];
            return massert(p, e == 'b' ? SY_MO_WORD : e == 'B' ? SY_MO_NOTWORD : e == 'A' ? SY_MO_START : SY_MO_END, out);
        }
        if ((st = mescape(p, &cp))) return st;
        return mliteral(p, cp, out);
    default: mchar(p, &cp); return mliteral(p, cp, out);
    }
}

/* A number of a repetition; -1 when there is none. */
static int32_t mcount(mparser *p)
{
    int32_t v = -1;
    while (mmore(p) && mpeek(p) >= '0' && mpeek(p) <= '9') {
        v = (v < 0 ? 0 : v) * 10 + (p->s.p[p->i++] - '0');
        if (v > SYMBI_MATCH_MAX_REPEAT) v = SYMBI_MATCH_MAX_REPEAT + 1;
    }
    return v;
}

static symbi_status mrepeat(mparser *p, sy_mnode **out)
{
    sy_mnode *atom, *r;
    symbi_status st = matom(p, &atom);
    int32_t min = 0, max = -1;
    size_t at = p->i;
    if (st) return st;
    *out = atom;
    switch (mpeek(p)) {
    case '*': p->i++; break;
    case '+': p->i++; min = 1; break;
    case '?': p->i++; max = 1; break;
    case '{':
        p->i++;
        max = min = mcount(p);
        if (mpeek(p) == ',') {
            p->i++;
            max = mcount(p);
        }
        if (min < 0 || mpeek(p) != '}') return mfail(p, at, "a repetition is written {m}, {m,} or {m,n}; a plain brace \\{");
        p->i++;
        if (min > SYMBI_MATCH_MAX_REPEAT || max > SYMBI_MATCH_MAX_REPEAT) return mfail(p, at, "a repetition goes to 1000 at most");
        if (max >= 0 && max < min) return mfail(p, at, "the repetition is backwards");
        break;
    default: return SYMBI_OK;
    }
    if (mpeek(p) == '?') p->i++; /* lazy: the same texts match */
    else if (mpeek(p) == '+') return mfail(p, p->i, "possessive repetitions are not supported");
    if (mis(p, "*+?{")) return mfail(p, p->i, "a repetition cannot be repeated; use a (?:group)");
    if (!(r = mnew(p, SY_MN_REPEAT))) return mnomem(p);
    r->min = min;
    r->max = max;
    mappend(r, atom);
    *out = r;
    return SYMBI_OK;
}

static symbi_status malternation(mparser *p, sy_mnode **out)
{
    sy_mnode *alt = mnew(p, SY_MN_ALT), *cat = mnew(p, SY_MN_CAT), *n;
    symbi_status st;
    if (!alt || !cat) return mnomem(p);
    mappend(alt, cat);
    while (mmore(p) && mpeek(p) != ')') {
        if (mpeek(p) == '|') {
            p->i++;
            if (!(cat = mnew(p, SY_MN_CAT))) return mnomem(p);
            mappend(alt, cat);
            continue;
        }
        if ((st = mrepeat(p, &n))) return st;
        mappend(cat, n);
    }
    *out = alt;
    return SYMBI_OK;
}

symbi_status sy_mparse(sy_arena *a, symbi_str pattern, unsigned flags, sy_mnode **out, symbi_err *err)
{
    mparser p = { a, err, pattern, 0, 0, flags };
    symbi_status st;
    size_t bad;
    *out = NULL;
    if (pattern.n > SYMBI_MATCH_MAX_PATTERN) return sy_fail(err, SYMBI_ELIMIT, "the pattern has more than %d bytes", SYMBI_MATCH_MAX_PATTERN);
    if (!sy_utf8_valid(pattern, &bad)) return mfail(&p, bad, "it is not valid UTF-8");
    if ((st = malternation(&p, out))) return st;
    if (mmore(&p)) return mfail(&p, p.i, "')' closes nothing; write \\)");
    if (flags & SYMBI_MATCH_WHOLE) {
        sy_mnode *cat = mnew(&p, SY_MN_CAT), *from, *to;
        if (!cat) return mnomem(&p);
        if ((st = massert(&p, SY_MO_START, &from)) || (st = massert(&p, SY_MO_END, &to))) return st;
        mappend(cat, from);
        mappend(cat, *out);
        mappend(cat, to);
        *out = cat;
    }
    return SYMBI_OK;
}

bool sy_mnode_fixed(const sy_mnode *n, bool end)
{
    switch (n->kind) {
    case SY_MN_ASSERT: return n->op == (end ? SY_MO_END : SY_MO_START);
    case SY_MN_ALT:
        for (const sy_mnode *c = n->first; c; c = c->next)
            if (!sy_mnode_fixed(c, end)) return false;
        return true;
    case SY_MN_CAT: {
        const sy_mnode *c = end ? n->last : n->first;
        while (c && !end && c->kind == SY_MN_EMPTY) c = c->next;
        return c && sy_mnode_fixed(c, end);
    }
    case SY_MN_REPEAT: return n->min > 0 && sy_mnode_fixed(n->first, end);
    default: return false;
    }
}
