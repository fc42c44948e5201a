/* tests/bench/match_bench.c: bench-match RULES ENDS CLASSES [TEXT [ROUNDS]]: the fastest of ROUNDS searches of TEXT, line by line, for the
 * rules in RULES (one pattern a line); prints JSON. Without TEXT: hostile texts of one and of two sizes. */
#include "symbi/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static symbi_ctx *cx;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Time of this thread alone: for what is compared with itself on a busy machine. */
static double worked(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static symbi_str slurp_file(const char *path)
{
    symbi_str r = { NULL, 0 };
    FILE *f = fopen(path, "rb");
    char *p;
    long n;
    if (!f) return r;
    fseek(f, 0, SEEK_END);
    n = ftell(f);
    fseek(f, 0, SEEK_SET);
    p = malloc((size_t)n + 1);
    r.n = fread(p, 1, (size_t)n, f);
    p[r.n] = 0;
    r.p = p;
    fclose(f);
    return r;
}

static symbi_match *load(const char *path, unsigned flags)
{
    static symbi_match_rule r[SYMBI_MATCH_MAX_RULES];
    symbi_str text = slurp_file(path);
    symbi_match *m;
    symbi_err err;
    size_t n = 0;
    for (size_t i = 0; i < text.n;) {
        const char *e = memchr(text.p + i, '\n', text.n - i);
        size_t len = e ? (size_t)(e - text.p) - i : text.n - i;
        if (len) r[n++] = (symbi_match_rule){ { text.p + i, len }, flags };
        i += len + 1;
    }
    if (symbi_match_compile(cx, r, n, &m, &err)) {
        fprintf(stderr, "%s: %s\n", err.path, err.msg);
        exit(1);
    }
    return m;
}

static size_t search(symbi_match_scratch *s, symbi_str text, symbi_match_ends ends)
{
    symbi_match_lineinfo l;
    symbi_err err;
    size_t found = 0;
    symbi_match_lines(s, text, ends);
    while (!symbi_match_line(s, &l, &err) && l.n) found += l.n;
    return found;
}

static double best_of(symbi_match_scratch *s, symbi_str text, symbi_match_ends ends, int rounds, double (*clock_of)(void), size_t *found)
{
    double best = 1e9;
    for (int i = 0; i < rounds; i++) {
        double t = clock_of();
        *found = search(s, text, ends);
        t = clock_of() - t;
        if (t < best) best = t;
    }
    return best;
}

/* Texts made to be hard: long runs, lines that begin many matches and end none, all literals in one line, states that never repeat. */
static void fill(char *p, size_t n, int kind)
{
    static const char *const near[] = { "curl curl curl | ", "rm -rf rm -r -f ", "eval(fetch(eval(", "base64.decode(exec ", "write SOUL.mdx ", "\xc5\xbf\xe2\x84\xaa\xc2\xa0" };
    unsigned x = 1;
    size_t i = 0;
    if (kind == 0) memset(p, 'a', n);
    else if (kind == 1)
        for (; i < n; i++) p[i] = "curl aaaaaaaa |||||||| "[i % 23];
    else if (kind == 2)
        for (; i < n; i++) x = x * 1103515245u + 12345u, p[i] = "curlwgetvhbas|.( -/\t"[x >> 16 & 15];
    else
        while (i < n) {
            const char *w;
            x = x * 1103515245u + 12345u;
            w = near[(x >> 16) % 6];
            for (; *w && i < n; w++) p[i++] = *w;
            if (kind == 4 && x >> 28 == 0 && i < n) p[i++] = '\n';
        }
}

int main(int argc, char **argv)
{
    symbi_match_scratch *s;
    symbi_match_stats stats;
    symbi_match *m;
    symbi_err err;
    symbi_str text;
    unsigned flags;
    symbi_match_ends ends;
    size_t found = 0;
    if (argc < 4) return 2;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    flags = !strcmp(argv[3], "python") ? SYMBI_MATCH_PYTHON : !strcmp(argv[3], "unicode") ? SYMBI_MATCH_UNICODE : 0;
    ends = !strcmp(argv[2], "python") ? SYMBI_MATCH_END_PYTHON : !strcmp(argv[2], "crlf") ? SYMBI_MATCH_END_CRLF : SYMBI_MATCH_END_LF;
    m = load(argv[1], flags);
    if (symbi_match_scratch_new(cx, m, 0, &s, &err)) return 1;
    if (argc < 5) {
        static const char *const kinds[] = { "one letter", "open matches", "random", "near matches", "near matches in lines" };
        enum { N = 2 << 20 };
        char *buf = malloc(2 * N);
        double worst = 0, slow = 1e9;
        for (int kind = 0; kind < 5; kind++) {
            double t[2];
            fill(buf, 2 * N, kind);
            t[0] = t[1] = 1e9;
            for (int turn = 0; turn < 5; turn++) /* in turns, so that a busy machine is busy for both */
                for (int k = 0; k < 2; k++) {
                    double one = best_of(s, (symbi_str){ buf, (size_t)N << k }, ends, 1, worked, &found);
                    if (one < t[k]) t[k] = one;
                }
            printf("{\"text\": \"%s\", \"mb_per_s\": %.1f, \"twice_takes\": %.2f}\n", kinds[kind], 2 * N / t[1] / 1e6, t[1] / t[0]);
            if (t[1] / t[0] > worst) worst = t[1] / t[0];
            if (2 * N / t[1] / 1e6 < slow) slow = 2 * N / t[1] / 1e6;
        }
        printf("{\"text\": \"all\", \"slowest_mb_per_s\": %.1f, \"twice_takes\": %.2f, \"target\": \"twice the text takes at most 2.2 times\"}\n", slow, worst);
        return 0;
    }
    text = slurp_file(argv[4]);
    {
        double t = best_of(s, text, ends, argc > 5 ? atoi(argv[5]) : 20, now, &found);
        symbi_match_scratch_stats(s, &stats);
        printf("{\"engine\": \"symbi\", \"rules\": %zu, \"filtered\": %zu, \"literals\": %zu, \"bytes\": %zu, \"found\": %zu, \"seconds\": %.6f, \"mb_per_s\": %.1f, \"states\": %zu, \"memory\": %zu}\n",
            stats.rules, stats.filtered, stats.literals, text.n, found, t, (double)text.n / t / 1e6, stats.states, stats.bytes);
    }
    symbi_match_scratch_free(s);
    symbi_match_unref(m);
    symbi_ctx_free(cx);
    return 0;
}
