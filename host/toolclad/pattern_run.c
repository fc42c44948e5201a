/* toolclad/pattern_run.c: simulates a compiled pattern with a set of states (Thompson, Pike), so that no pattern can
 * backtrack: cost is the length of the text times the size of the program, and both are capped. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/utf8.h"
#include "toolclad/pattern_in.h"
#include <string.h>

enum { RE_STEPS_MAX = 64 << 20 };

typedef struct re_states { /* a sparse set: membership is in[i] < n && list[in[i]] == i */
    uint32_t *list, *in, n;
} re_states;

typedef struct re_run {
    const sy_pattern *p;
    uint32_t *stack;
    bool start, end, word_before, word_after, hit;
} re_run;

static bool re_word(uint32_t c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= 'a' && c <= 'z'); }

/* Adds pc and all it leads to without reading; each state enters once, so the stack holds at most one entry per branch. */
static void re_follow(re_run *r, re_states *s, uint32_t pc)
{
    size_t sp = 0;
    r->stack[sp++] = pc;
    while (sp) {
        const re_inst *in;
        uint32_t i = r->stack[--sp];
        if (s->in[i] < s->n && s->list[s->in[i]] == i) continue;
        s->in[i] = s->n;
        s->list[s->n++] = i;
        in = &r->p->prog[i];
        switch (in->op) {
        case OP_SPLIT: r->stack[sp++] = in->y; r->stack[sp++] = in->x; break;
        case OP_JUMP: r->stack[sp++] = in->x; break;
        case OP_START: if (r->start) r->stack[sp++] = i + 1; break;
        case OP_END: if (r->end) r->stack[sp++] = i + 1; break;
        case OP_WORD: if (r->word_before != r->word_after) r->stack[sp++] = i + 1; break;
        case OP_NOT_WORD: if (r->word_before == r->word_after) r->stack[sp++] = i + 1; break;
        case OP_MATCH: r->hit = true; return;
        case OP_CLASS: break;
        }
    }
}

static bool re_in_class(const re_class *k, uint32_t c)
{
    bool in = false;
    uint32_t other = c;
    if (k->fold && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) other = c ^ 32;
    for (size_t i = 0; i < k->n && !in; i++) in = (c >= k->r[i].lo && c <= k->r[i].hi) || (other >= k->r[i].lo && other <= k->r[i].hi);
    return in != k->negated;
}

static void re_seed(re_states *s, uint32_t pc)
{
    if (s->in[pc] < s->n && s->list[s->in[pc]] == pc) return;
    s->in[pc] = s->n;
    s->list[s->n++] = pc;
}

static bool re_search(const sy_pattern *p, symbi_str text, uint32_t *mem)
{
    re_states seeds = { mem, mem + p->n, 0 }, cur = { mem + 2 * p->n, mem + 3 * p->n, 0 };
    re_run r = { p, mem + 4 * p->n, true, false, false, false, false };
    size_t i = 0;
    for (;;) {
        uint32_t c = 0;
        size_t k = i < text.n ? sy_utf8_next(text.p + i, text.n - i, &c) : 0;
        if (i < text.n && !k) k = 1, c = 0xfffd;
        r.start = i == 0;
        r.end = i == text.n;
        r.word_after = !r.end && re_word(c);
        cur.n = 0;
        for (uint32_t j = 0; j < seeds.n && !r.hit; j++) re_follow(&r, &cur, seeds.list[j]);
        if (!r.hit) re_follow(&r, &cur, 0); /* unanchored: a match may begin here */
        if (r.hit || r.end) return r.hit;
        seeds.n = 0;
        for (uint32_t j = 0; j < cur.n; j++) {
            const re_inst *in = &p->prog[cur.list[j]];
            if (in->op == OP_CLASS && re_in_class(in->cls, c)) re_seed(&seeds, cur.list[j] + 1);
        }
        r.word_before = r.word_after;
        i += k;
    }
}

symbi_status sy_pattern_search(symbi_ctx *cx, const sy_pattern *p, symbi_str text, bool *hit, symbi_err *err)
{
    /* lists and look-ups of two sets, and a stack: each state is pushed at most twice beyond its own entry */
    size_t words = 7 * p->n + 8;
    uint32_t small[2048], *mem = small;
    *hit = false;
    if (text.n >= (size_t)RE_STEPS_MAX / p->n) return sy_fail(err, SYMBI_ELIMIT, "the value is too long for its pattern");
    if (words > sizeof small / sizeof small[0] && !(mem = sy_alloc(&cx->alloc, words * sizeof *mem))) return sy_fail_nomem(err);
    memset(mem, 0, words * sizeof *mem);
    *hit = re_search(p, text, mem);
    if (mem != small) sy_free(&cx->alloc, mem, words * sizeof *mem);
    return SYMBI_OK;
}
