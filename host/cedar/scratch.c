/* cedar/scratch.c */
#include "cedar/scratch.h"

#include <string.h>

struct sy_scratch_chunk {
    sy_scratch_chunk *next;
    size_t size; /* whole allocation, this header included */
};
enum { HEAD = (sizeof(sy_scratch_chunk) + 15) & ~15u, FIRST = 8192, GROW_MAX = 1 << 20 };

void sy_scratch_init(sy_scratch *s, symbi_alloc alloc, size_t limit)
{
    memset(s, 0, sizeof *s);
    s->alloc = alloc;
    s->limit = limit;
}

static void use(sy_scratch *s, sy_scratch_chunk *c)
{
    s->at = c;
    s->cur = (char *)c + HEAD;
    s->end = (char *)c + c->size;
}

void *sy_scratch_slow(sy_scratch *s, size_t n)
{
    sy_scratch_chunk *c;
    size_t want;
    char *p;
    s->limited = false;
    if (n > (size_t)1 << 40) return NULL;
    n = n ? (n + 15) & ~(size_t)15 : 16;
    /* a chunk kept from an earlier round, if a later one is large enough; the ones stepped over are not used this round */
    for (c = s->at ? s->at->next : s->first; c; c = c->next)
        if (c->size - HEAD >= n) {
            use(s, c);
            goto take;
        }
    want = s->total ? s->total : FIRST;
    if (want > GROW_MAX) want = GROW_MAX;
    if (want < n) want = n;
    want += HEAD;
    if (s->limit && (s->total > s->limit || want > s->limit - s->total)) {
        s->limited = true;
        return NULL;
    }
    c = sy_alloc(&s->alloc, want);
    if (!c) return NULL;
    c->size = want;
    c->next = NULL;
    s->total += want;
    if (s->at) { /* behind the current one, before those that were too small */
        c->next = s->at->next;
        s->at->next = c;
    } else {
        c->next = s->first;
        s->first = c;
    }
    use(s, c);
take:
    p = s->cur;
    s->cur = p + n;
    return p;
}

symbi_str sy_scratch_dup(sy_scratch *s, symbi_str t)
{
    symbi_str r = { NULL, 0 };
    char *p = sy_scratch_alloc(s, t.n + 1);
    if (!p) return r;
    if (t.n) memcpy(p, t.p, t.n);
    p[t.n] = 0;
    r.p = p;
    r.n = t.n;
    return r;
}

void sy_scratch_reset(sy_scratch *s)
{
    if (s->first) use(s, s->first);
}

void sy_scratch_free(sy_scratch *s)
{
    sy_scratch_chunk *c = s->first, *next;
    for (; c; c = next) {
        next = c->next;
        sy_free(&s->alloc, c, c->size);
    }
    s->first = s->at = NULL;
    s->cur = s->end = NULL;
    s->total = 0;
}
