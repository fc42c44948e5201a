/* io/memory_search.c: search through memory without an index: every file is read (or its cached form looked at), every word
 * of the query must be somewhere in the item. */
#define _GNU_SOURCE
#include "io/memory_int.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/build.h"
#include "codec/fold.h"
#include "state/memory_text.h"

#include <stdlib.h>
#include <string.h>

typedef struct hit {
    symbi_str agent, text;
    int section;
    double score;
    size_t order;
} hit;

typedef struct search {
    symbi_memory_store *m;
    symbi_doc *doc;
    symbi_str word[SY_MEMORY_WORDS];
    size_t words;
    int section; /* -1: all */
    hit *hits;
    size_t n, cap, limit, order;
    sy_buf folded;
} search;

static int better(const void *a, const void *b)
{
    const hit *x = a, *y = b;
    int c;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    c = sy_str_cmp(x->agent, y->agent);
    if (c) return c;
    return (x->order > y->order) - (x->order < y->order);
}

/* Keeps the best: twice the limit is collected, then cut. */
static symbi_status add(search *s, symbi_str agent, int section, symbi_str text, double score, symbi_err *err)
{
    hit h = { .section = section, .score = score, .order = s->order++ };
    if (s->n >= 2 * s->limit && s->n) {
        qsort(s->hits, s->n, sizeof *s->hits, better);
        s->n = s->limit;
    }
    if (sy_grow(&s->m->alloc, (void **)&s->hits, &s->cap, s->n + 1, sizeof *s->hits)) return sy_fail_nomem(err);
    /* The text lives in a cached document, which the next file may push out. */
    h.agent = sy_arena_dup(&s->doc->arena, agent);
    h.text = sy_arena_dup(&s->doc->arena, text);
    if (s->doc->arena.status) return sy_arena_fail(&s->doc->arena, "the search", err);
    s->hits[s->n++] = h;
    return SYMBI_OK;
}

static bool holds(const char *p, size_t n, const search *s)
{
    for (size_t w = 0; w < s->words; w++)
        if (!n || !memmem(p, n, s->word[w].p, s->word[w].n)) return false;
    return true;
}

static symbi_status look(search *s, const char *key, symbi_str agent, symbi_err *err)
{
    sy_memory_entry *e;
    symbi_status st = sy_memory_get(s->m, key, agent, &e, err);
    size_t want = 0;
    if (!st) st = sy_memory_folded(s->m, e, err);
    if (st) return st;
    if (!holds(e->folded, e->folded_n, s)) return SYMBI_OK;
    for (size_t w = 0; w < s->words; w++) want += s->word[w].n;
    for (int k = 0; k < SY_MEMORY_SECTIONS; k++) {
        const symbi_value *v = symbi_value_getz(symbi_doc_root(e->doc), sy_memory_member[k]);
        for (size_t i = 0; i < v->u.a.n; i++) {
            /* Items of marked files may hold line ends, so the folded text is walked by folding again, not by lines. */
            sy_buf_clear(&s->folded);
            sy_fold(&s->folded, v->u.a.items[i].u.s);
            if (sy_buf_status(&s->folded)) return sy_fail_nomem(err);
            if ((s->section >= 0 && s->section != k) || !holds(s->folded.p, s->folded.n, s)) continue;
            st = add(s, agent, k, v->u.a.items[i].u.s, (double)want / (double)(s->folded.n ? s->folded.n : 1), err);
            if (st) return st;
        }
    }
    return SYMBI_OK;
}

static symbi_status words_of(search *s, symbi_str query, symbi_err *err)
{
    sy_fold(&s->folded, query);
    if (sy_buf_status(&s->folded)) return sy_fail_nomem(err);
    symbi_str all = sy_arena_dup(&s->doc->arena, sy_buf_str(&s->folded)), rest = sy_memory_trim(all, true);
    if (s->doc->arena.status) return sy_arena_fail(&s->doc->arena, "the search", err);
    while (rest.n) {
        size_t n = 0;
        while (n < rest.n && (unsigned char)rest.p[n] > ' ') n++;
        if (s->words == SY_MEMORY_WORDS) return sy_fail(err, SYMBI_ELIMIT, "a search takes at most %d words", (int)SY_MEMORY_WORDS);
        s->word[s->words++] = (symbi_str){ rest.p, n };
        rest = sy_memory_trim((symbi_str){ rest.p + n, rest.n - n }, true);
    }
    if (!s->words) return sy_fail(err, SYMBI_EINVAL, "the search has no words");
    return SYMBI_OK;
}

static void answer(search *s)
{
    sy_arr list = sy_arr_new(&s->doc->arena);
    if (s->n) qsort(s->hits, s->n, sizeof *s->hits, better);
    for (size_t i = 0; i < s->n && i < s->limit; i++) {
        sy_obj o = sy_obj_new(&s->doc->arena);
        sy_obj_str(&o, "agent_id", s->hits[i].agent);
        sy_obj_str(&o, "section", symbi_str_z(sy_memory_member[s->hits[i].section]));
        sy_obj_str(&o, "text", s->hits[i].text);
        sy_obj_put(&o, "score", sy_val_double(s->hits[i].score));
        sy_arr_add(&list, sy_obj_value(&o));
    }
    s->doc->root = sy_arr_value(&list);
}

static symbi_status run(search *s, symbi_str query, symbi_str agent, size_t *unread, symbi_err *err)
{
    char key[SYMBI_MEMORY_KEY_BYTES];
    sy_buf keys;
    symbi_status st = words_of(s, query, err);
    if (!st && agent.n) {
        st = symbi_memory_key(agent, key, err);
        if (!st) st = look(s, key, agent, err);
        return st == SYMBI_ENOTFOUND ? SYMBI_OK : st;
    }
    if (st) return st;
    sy_buf_init(&keys, s->m->alloc, s->m->cx->limits.output_bytes);
    st = sy_memory_keys(s->m, &keys, err);
    sy_memory_watch_pass(s->m, true);
    for (size_t i = 0, k; !st && i < keys.n; i += k + 1) {
        char name[SYMBI_MEMORY_KEY_BYTES];
        size_t n = 0;
        k = strlen(keys.p + i);
        symbi_memory_agent((symbi_str){ keys.p + i, k }, name, &n);
        st = look(s, keys.p + i, (symbi_str){ name, n }, err);
        if (st == SYMBI_ENOMEM) break;
        if (st && st != SYMBI_ENOTFOUND) ++*unread;
        st = SYMBI_OK;
    }
    sy_memory_watch_pass(s->m, false);
    sy_buf_free(&keys);
    return st;
}

static int section_named(symbi_str s)
{
    for (int k = 0; k < SY_MEMORY_SECTIONS; k++)
        if (sy_str_eqz(s, sy_memory_member[k])) return k;
    return -1;
}

/* Thai and Lao, Myanmar, Khmer, Han and kana stand without blanks between words: the index has whole sentences of them for one word, of
 * which a search would find the first one only. */
static bool unspaced(symbi_str s)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t c;
        size_t n = (unsigned char)s.p[i] < 0x80 ? 1 : sy_utf8_next(s.p + i, s.n - i, &c);
        if (n > 1 && ((c >= 0xe00 && c <= 0xeff) || (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff) || (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff))) return true;
        i += n ? n : 1;
    }
    return false;
}

symbi_status symbi_memory_store_search(symbi_memory_store *m, symbi_str query, symbi_str agent, symbi_str section, size_t limit, symbi_doc **out, size_t *unread, symbi_err *err)
{
    search s = { .m = m, .section = section_named(section), .limit = limit ? limit : 50 };
    size_t ignored;
    symbi_status st;
    *out = NULL;
    if (!unread) unread = &ignored;
    *unread = 0;
    if (section.n && s.section < 0) return sy_fail(err, SYMBI_EINVAL, "no section \"%.*s\": facts, procedures or learned_patterns", SY_FMT(section));
    if (m->index_path && !unspaced(query)) return sy_memory_index_search(m, query, agent, section, s.limit, out, unread, err);
    s.doc = sy_doc_new(m->cx);
    if (!s.doc) return sy_fail_nomem(err);
    sy_buf_init(&s.folded, m->alloc, m->cx->limits.output_bytes);
    st = run(&s, query, agent, unread, err);
    if (!st) answer(&s);
    if (!st && s.doc->arena.status) st = sy_arena_fail(&s.doc->arena, "the search", err);
    sy_buf_free(&s.folded);
    sy_free(&m->alloc, s.hits, s.cap * sizeof *s.hits);
    if (st) symbi_doc_unref(s.doc);
    else *out = s.doc;
    return st;
}
