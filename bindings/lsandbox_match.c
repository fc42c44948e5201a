/* bindings/lsandbox_match.c: find, match, gmatch and gsub of the sandbox. The patterns are Lua's, the matcher is our own: a pattern
 * is compiled into nodes once per call, and every step of the search is charged to the box, so that a pattern that backtracks
 * for ever meets the deadline like a loop does. Lua's own matcher cannot be interrupted on any VM. */
#include "lsandbox.h"

#include <ctype.h>
#include <string.h>

enum { MAX_PATTERN = 8192, MAX_CAPTURES = 32, MAX_DEPTH = 200, NO_END = -1, IS_POSITION = -2 };
typedef enum { ONE_OF, FRONTIER, BALANCED, OPEN, POSITION, CLOSE, REPEAT_CAPTURE, AT_END } kind;
typedef enum { ONCE, MOST, MOST_FROM_ONE, FEWEST, MAYBE } times;

/* ONE_OF: a byte of the set, so often. BALANCED: set[0] opens, set[1] closes. REPEAT_CAPTURE: capture n again. */
typedef struct node {
    uint8_t kind, times, n;
    uint8_t set[32];
} node;

typedef struct program {
    bool anchored;
    size_t count;
    node nodes[1];
} program;

typedef struct search {
    lua_State *L;
    box *b;
    const program *prog;
    const char *s, *end;
    uint32_t steps;
    int depth, level;
    struct { const char *at; ptrdiff_t len; } cap[MAX_CAPTURES];
} search;

/* ---- compiling -------------------------------------------------------------------------------------------------------- */

static void add(uint8_t *set, int c) { set[(uint8_t)c >> 3] |= (uint8_t)(1u << (c & 7)); }
static bool has(const uint8_t *set, int c) { return (set[(uint8_t)c >> 3] >> (c & 7)) & 1; }

/* The class that a letter after % names; any other byte stands for itself. */
static void add_class(uint8_t *set, int letter)
{
    int low = tolower(letter);
    bool inverse = isupper(letter) != 0;
    if (!strchr("acdglpsuwxz", low) || !low) {
        add(set, letter);
        return;
    }
    for (int c = 0; c < 256; c++) {
        bool in = false;
        switch (low) {
        case 'a': in = isalpha(c); break;
        case 'c': in = iscntrl(c); break;
        case 'd': in = isdigit(c); break;
        case 'g': in = isgraph(c); break;
        case 'l': in = islower(c); break;
        case 'p': in = ispunct(c); break;
        case 's': in = isspace(c); break;
        case 'u': in = isupper(c); break;
        case 'w': in = isalnum(c); break;
        case 'z': in = c == 0; break;
        default: in = isxdigit(c); break;
        }
        if (in != inverse) add(set, c);
    }
}

/* One single-byte item at p ('.', %class, [set], a byte). Returns what follows it. */
static const char *compile_item(lua_State *L, const char *p, const char *end, uint8_t set[32])
{
    memset(set, 0, 32);
    if (*p == '.') {
        memset(set, 0xff, 32);
        return p + 1;
    }
    if (*p == '%') {
        if (p + 1 >= end) luaL_error(L, "malformed pattern (ends with '%%')");
        add_class(set, (uint8_t)p[1]);
        return p + 2;
    }
    if (*p != '[') {
        add(set, (uint8_t)*p);
        return p + 1;
    }
    bool inverse = false, first = true;
    p++;
    if (p < end && *p == '^') {
        inverse = true;
        p++;
    }
    for (;; first = false) {
        if (p >= end) luaL_error(L, "malformed pattern (missing ']')");
        if (*p == ']' && !first) break;
        if (*p == '%') {
            if (p + 1 >= end) luaL_error(L, "malformed pattern (ends with '%%')");
            add_class(set, (uint8_t)p[1]);
            p += 2;
        } else if (end - p > 2 && p[1] == '-' && p[2] != ']') {
            for (int c = (uint8_t)p[0]; c <= (uint8_t)p[2]; c++) add(set, c);
            p += 3;
        } else {
            add(set, (uint8_t)*p++);
        }
    }
    for (int i = 0; inverse && i < 32; i++) set[i] = (uint8_t)~set[i];
    return p + 1;
}

/* Pushes a userdata with the program. */
static const program *compile(lua_State *L, box *b, const char *p, size_t n, bool may_anchor)
{
    const char *end = p + n;
    uint8_t open[MAX_CAPTURES], closed[MAX_CAPTURES];
    unsigned opened = 0, captures = 0;
    program *g;
    node *at;
    if (n > MAX_PATTERN) luaL_error(L, "pattern too long (more than %d bytes)", (int)MAX_PATTERN);
    box_charge(L, b, n * 64);
    g = lua_newuserdata(L, sizeof *g + n * sizeof g->nodes[0]);
    g->anchored = may_anchor && p < end && *p == '^';
    g->count = 0;
    memset(closed, 0, sizeof closed);
    if (g->anchored) p++;
    while (p < end) {
        at = &g->nodes[g->count++];
        memset(at, 0, sizeof *at);
        if (*p == '(') {
            if (captures == MAX_CAPTURES) luaL_error(L, "too many captures");
            if (p + 1 < end && p[1] == ')') {
                at->kind = POSITION;
                closed[captures++] = 1;
                p += 2;
            } else {
                at->kind = OPEN;
                open[opened++] = (uint8_t)captures++;
                p++;
            }
            continue;
        }
        if (*p == ')') {
            if (!opened) luaL_error(L, "invalid pattern capture");
            at->kind = CLOSE;
            at->n = open[--opened];
            closed[at->n] = 1;
            p++;
            continue;
        }
        if (*p == '$' && p + 1 == end) {
            at->kind = AT_END;
            p++;
            continue;
        }
        if (*p == '%' && p + 1 < end && p[1] == 'b') {
            if (end - p < 4) luaL_error(L, "malformed pattern (missing arguments to '%%b')");
            at->kind = BALANCED;
            at->set[0] = (uint8_t)p[2];
            at->set[1] = (uint8_t)p[3];
            p += 4;
            continue;
        }
        if (*p == '%' && p + 1 < end && p[1] == 'f') {
            if (p + 2 >= end || p[2] != '[') luaL_error(L, "missing '[' after '%%f' in pattern");
            at->kind = FRONTIER;
            p = compile_item(L, p + 2, end, at->set);
            continue;
        }
        if (*p == '%' && p + 1 < end && isdigit((uint8_t)p[1])) {
            int which = p[1] - '1';
            if (which < 0 || (unsigned)which >= captures || !closed[which]) luaL_error(L, "invalid capture index %%%d", which + 1);
            at->kind = REPEAT_CAPTURE;
            at->n = (uint8_t)which;
            p += 2;
            continue;
        }
        at->kind = ONE_OF;
        p = compile_item(L, p, end, at->set);
        if (p < end) {
            at->times = *p == '*' ? MOST : *p == '+' ? MOST_FROM_ONE : *p == '-' ? FEWEST : *p == '?' ? MAYBE : ONCE;
            if (at->times != ONCE) p++;
        }
    }
    if (opened) luaL_error(L, "unfinished capture");
    return g;
}

/* ---- searching -------------------------------------------------------------------------------------------------------- */

static void step(search *m, uint32_t n)
{
    m->steps += n;
    if (m->steps >= 16384) {
        box_charge(m->L, m->b, m->steps);
        m->steps = 0;
    }
}

static const char *run(search *m, size_t i, const char *s);

static const char *deeper(search *m, size_t i, const char *s)
{
    const char *r;
    if (++m->depth > MAX_DEPTH) luaL_error(m->L, "pattern too complex");
    r = run(m, i, s);
    m->depth--;
    return r;
}

static const char *balanced(search *m, const node *x, const char *s)
{
    size_t depth = 1;
    if (s >= m->end || (uint8_t)*s != x->set[0]) return NULL;
    for (s++; s < m->end; s++) {
        step(m, 1);
        if ((uint8_t)*s == x->set[1]) {
            if (--depth == 0) return s + 1;
        } else if ((uint8_t)*s == x->set[0]) {
            depth++;
        }
    }
    return NULL;
}

static const char *repeated(search *m, size_t i, const char *s)
{
    const node *x = &m->prog->nodes[i];
    const char *least = s + (x->times == MOST_FROM_ONE), *e = s, *r;
    if (x->times == FEWEST) {
        for (;; s++) {
            step(m, 1);
            if ((r = deeper(m, i + 1, s))) return r;
            if (s >= m->end || !has(x->set, (uint8_t)*s)) return NULL;
        }
    }
    while (e < m->end && has(x->set, (uint8_t)*e)) {
        step(m, 1);
        e++;
    }
    for (; e >= least; e--) {
        step(m, 1);
        if ((r = deeper(m, i + 1, e))) return r;
    }
    return NULL;
}

/* Where a match of nodes i... that begins at s ends, or NULL. */
static const char *run(search *m, size_t i, const char *s)
{
    for (; i < m->prog->count; i++) {
        const node *x = &m->prog->nodes[i];
        const char *r;
        step(m, 1);
        switch ((kind)x->kind) {
        case ONE_OF:
            if (x->times == MAYBE) {
                if (s < m->end && has(x->set, (uint8_t)*s) && (r = deeper(m, i + 1, s + 1))) return r;
                continue;
            }
            if (x->times != ONCE) return repeated(m, i, s);
            if (s >= m->end || !has(x->set, (uint8_t)*s)) return NULL;
            s++;
            continue;
        case FRONTIER: /* the places before and after the subject count as byte 0 */
            if (has(x->set, s == m->s ? 0 : (uint8_t)s[-1]) || !has(x->set, s < m->end ? (uint8_t)*s : 0)) return NULL;
            continue;
        case BALANCED:
            if (!(s = balanced(m, x, s))) return NULL;
            continue;
        case AT_END:
            if (s != m->end) return NULL;
            continue;
        case OPEN:
        case POSITION:
            m->cap[m->level].at = s;
            m->cap[m->level++].len = x->kind == OPEN ? NO_END : IS_POSITION;
            if (!(r = deeper(m, i + 1, s))) m->level--;
            return r;
        case CLOSE:
            m->cap[x->n].len = s - m->cap[x->n].at;
            if (!(r = deeper(m, i + 1, s))) m->cap[x->n].len = NO_END;
            return r;
        case REPEAT_CAPTURE: {
            size_t len = m->cap[x->n].len < 0 ? 0 : (size_t)m->cap[x->n].len;
            if (m->cap[x->n].len < 0) luaL_error(m->L, "invalid capture index %%%d", x->n + 1);
            step(m, (uint32_t)(len < 1u << 30 ? len : 1u << 30));
            if ((size_t)(m->end - s) < len || memcmp(m->cap[x->n].at, s, len) != 0) return NULL;
            s += len;
            continue;
        }
        }
    }
    return s;
}

static const char *attempt(search *m, const char *s)
{
    m->level = m->depth = 0;
    return run(m, 0, s);
}

static void start(search *m, lua_State *L, box *b, const program *g, const char *s, size_t n)
{
    memset(m, 0, offsetof(search, cap));
    m->L = L;
    m->b = b;
    m->prog = g;
    m->s = s;
    m->end = s + n;
}

static void push_capture(search *m, int i, const char *s, const char *e)
{
    if (i >= m->level) {
        if (i != 0) luaL_error(m->L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(m->L, s, (size_t)(e - s));
    } else if (m->cap[i].len == IS_POSITION) {
        symL_pushint(m->L, m->cap[i].at - m->s + 1);
    } else {
        if (m->cap[i].len < 0) luaL_error(m->L, "unfinished capture");
        lua_pushlstring(m->L, m->cap[i].at, (size_t)m->cap[i].len);
        step(m, (uint32_t)(m->cap[i].len & 0xffffff));
    }
}

/* All captures, or the whole match where there are none and whole is set. */
static int push_captures(search *m, const char *s, const char *e, bool whole)
{
    int n = m->level == 0 && whole ? 1 : m->level;
    luaL_checkstack(m->L, n, "too many captures");
    for (int i = 0; i < n; i++) push_capture(m, i, s, e);
    return n;
}

/* ---- the functions ---------------------------------------------------------------------------------------------------- */

static const char *plain_find(lua_State *L, box *b, const char *s, const char *end, const char *p, size_t n)
{
    uint64_t work = 0;
    if (n == 0) return s;
    while ((size_t)(end - s) >= n) {
        const char *hit = memchr(s, (uint8_t)*p, (size_t)(end - s) - n + 1);
        if (!hit) return NULL;
        work += (uint64_t)(hit - s) + 1;
        if (memcmp(hit, p, n) == 0) return hit;
        work += n;
        if (work > 65536) {
            box_charge(L, b, work);
            work = 0;
        }
        s = hit + 1;
    }
    return NULL;
}

static bool no_specials(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] && strchr("^$*+?.([%-", p[i])) return false;
    return true;
}

/* The 0-based beginning that argument `arg` gives; false when it lies behind the subject. */
static bool first_byte(lua_State *L, int arg, size_t n, size_t *at)
{
    int64_t i = symL_optint(L, arg, 1, -((int64_t)1 << 53), (int64_t)1 << 53);
    if (i < 0) i = i < -(int64_t)n ? 1 : (int64_t)n + i + 1;
    if (i == 0) i = 1;
    *at = (size_t)i - 1;
    return (uint64_t)i <= (uint64_t)n + 1;
}

static int find_or_match(lua_State *L, bool find)
{
    size_t n, pn, at;
    const char *s = luaL_checklstring(L, 1, &n), *p = luaL_checklstring(L, 2, &pn), *e;
    box *b = box_of(L);
    search m;
    if (!first_byte(L, 3, n, &at)) {
        lua_pushnil(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || no_specials(p, pn))) {
        box_charge(L, b, 32);
        e = plain_find(L, b, s + at, s + n, p, pn);
        if (!e) {
            lua_pushnil(L);
            return 1;
        }
        symL_pushint(L, e - s + 1);
        symL_pushint(L, e - s + (int64_t)pn);
        return 2;
    }
    start(&m, L, b, compile(L, b, p, pn, true), s, n);
    for (const char *from = s + at; from <= m.end; from++) {
        if ((e = attempt(&m, from))) {
            box_charge(L, b, m.steps);
            if (!find) return push_captures(&m, from, e, true);
            symL_pushint(L, from - s + 1);
            symL_pushint(L, e - s);
            return 2 + push_captures(&m, from, e, false);
        }
        if (m.prog->anchored) break;
    }
    box_charge(L, b, m.steps);
    lua_pushnil(L);
    return 1;
}

int box_find(lua_State *L) { return find_or_match(L, true); }
int box_match(lua_State *L) { return find_or_match(L, false); }

/* Upvalues: subject, pattern's program, where to go on, where the last match ended (both 0-based; -1: none). */
static int gmatch_next(lua_State *L)
{
    size_t n;
    const char *s = lua_tolstring(L, lua_upvalueindex(1), &n), *e;
    ptrdiff_t from = (ptrdiff_t)lua_tointeger(L, lua_upvalueindex(3)), last = (ptrdiff_t)lua_tointeger(L, lua_upvalueindex(4));
    search m;
    start(&m, L, box_of(L), lua_touserdata(L, lua_upvalueindex(2)), s, n);
    for (; from <= (ptrdiff_t)n; from++) {
        e = attempt(&m, s + from);
        if (!e || e - s == last) continue;
        lua_pushinteger(L, (lua_Integer)(e - s));
        lua_pushvalue(L, -1);
        lua_replace(L, lua_upvalueindex(3));
        lua_replace(L, lua_upvalueindex(4));
        box_charge(L, m.b, m.steps + 32);
        return push_captures(&m, s + from, e, true);
    }
    lua_pushinteger(L, (lua_Integer)n + 1);
    lua_replace(L, lua_upvalueindex(3));
    box_charge(L, m.b, m.steps + 32);
    return 0;
}

int box_gmatch(lua_State *L)
{
    size_t pn;
    const char *p;
    luaL_checkstring(L, 1);
    p = luaL_checklstring(L, 2, &pn);
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    compile(L, box_of(L), p, pn, false);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, gmatch_next, 4);
    return 1;
}

/* Adds what replaces [s, e) to the buffer. Argument 3 is a string, a table or a function. */
static void replacement(search *m, luaL_Buffer *out, const char *s, const char *e)
{
    lua_State *L = m->L;
    int type = lua_type(L, 3);
    if (type == LUA_TTABLE) {
        push_capture(m, 0, s, e);
        box_depth(L); /* __index */
        lua_gettable(L, 3);
    } else if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        box_call(L, push_captures(m, s, e, true), 1);
    } else {
        size_t n;
        const char *r = lua_tolstring(L, 3, &n), *stop = r + n;
        while (r < stop) {
            const char *mark = memchr(r, '%', (size_t)(stop - r));
            luaL_addlstring(out, r, (size_t)((mark ? mark : stop) - r));
            if (!mark) break;
            r = mark + 2;
            if (mark + 1 < stop && mark[1] == '%') {
                luaL_addchar(out, '%');
            } else if (mark + 1 < stop && mark[1] == '0') {
                luaL_addlstring(out, s, (size_t)(e - s));
            } else if (mark + 1 < stop && isdigit((uint8_t)mark[1])) {
                push_capture(m, mark[1] - '1', s, e);
                lua_tostring(L, -1); /* a position capture is a number */
                luaL_addvalue(out);
            } else {
                luaL_error(L, "invalid use of '%%' in replacement string");
            }
        }
        step(m, (uint32_t)(n < 1u << 30 ? n : 1u << 30));
        return;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        lua_pushlstring(L, s, (size_t)(e - s));
    } else if (!lua_isstring(L, -1)) {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
    luaL_addvalue(out);
}

int box_gsub(lua_State *L)
{
    size_t n, pn;
    const char *s = luaL_checklstring(L, 1, &n), *p = luaL_checklstring(L, 2, &pn), *last = NULL, *at = s, *e;
    int type = lua_type(L, 3);
    int64_t most = symL_optint(L, 4, (int64_t)n + 1, -((int64_t)1 << 53), (int64_t)1 << 53), count = 0;
    box *b = box_of(L);
    const program *g;
    luaL_Buffer out;
    search m;
    if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TTABLE && type != LUA_TFUNCTION)
        luaL_argerror(L, 3, "string, table or function expected");
    lua_settop(L, 4);
    g = compile(L, b, p, pn, true);
    start(&m, L, b, g, s, n);
    luaL_buffinit(L, &out);
    while (count < most) {
        if ((e = attempt(&m, at)) && e != last) {
            count++;
            replacement(&m, &out, at, e);
            step(&m, 16);
            at = last = e;
        } else if (at < m.end) {
            luaL_addchar(&out, *at);
            at++;
        } else {
            break;
        }
        if (g->anchored) break;
    }
    luaL_addlstring(&out, at, (size_t)(m.end - at));
    luaL_pushresult(&out);
    box_charge(L, b, m.steps + n);
    symL_pushint(L, count);
    return 2;
}
