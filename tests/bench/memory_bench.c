/* Benchmark: 10,000 memory files: loading all (first time, again), searching all, and a durable save beside what it consists
 * of (write, fsync, rename, fsync of the folder). Prints one JSON object; argv[1] is the folder, made when missing, whose files
 * tests/bench/peers/memory.py then reads with the Python SDK. */
#define _GNU_SOURCE
#include "symbi/io.h"
#include "symbi/json.h"
#include "symbi/memory_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { AGENTS = 10000, SAVES = 150 };
static symbi_ctx *cx;
static symbi_err err;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(symbi_status st, const char *what)
{
    if (!st) return;
    fprintf(stderr, "%s: %s %s\n", what, err.path, err.msg);
    exit(1);
}

static symbi_doc *context(int i)
{
    char json[4000];
    symbi_doc *d;
    int n = snprintf(json, sizeof json, "{\"agent_id\":\"agent%05d\",\"facts\":[", i);
    for (int k = 0; k < 8; k++) n += snprintf(json + n, sizeof json - (size_t)n, "%s\"fact %d of agent %d: the customer prefers answers in %s\"", k ? "," : "", k, i, i % 2 ? "English" : "German");
    n += snprintf(json + n, sizeof json - (size_t)n, "],\"procedures\":[\"greet by name\",\"needle%d is looked up first\"],\"learned_patterns\":[\"short answers work better\"]}", i % 100);
    must(symbi_json_parse(cx, symbi_str_z(json), &d, &err), "json");
    return d;
}

static double load_all(symbi_memory_store *m)
{
    double t = now();
    for (int i = 0; i < AGENTS; i++) {
        char name[20];
        symbi_doc *d;
        snprintf(name, sizeof name, "agent%05d", i);
        must(symbi_memory_store_load(m, symbi_str_z(name), &d, &err), "load");
        symbi_doc_unref(d);
    }
    return (now() - t) * 1e6 / AGENTS;
}

static double search(symbi_memory_store *m, size_t *hits)
{
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        symbi_doc *d;
        double t = now();
        must(symbi_memory_store_search(m, symbi_str_z("NEEDLE42 looked"), symbi_str_z(""), symbi_str_z(""), 1000, &d, NULL, &err), "search");
        t = now() - t;
        if (t < best) best = t;
        *hits = symbi_doc_root(d)->u.a.n;
        symbi_doc_unref(d);
    }
    return best * 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What a durable replacement costs without us: two files take turns so that both grow old alike. */
static double bare_save(const char *dir, symbi_str text)
{
    char tmp[300], path[300];
    double t = now();
    int fd, d;
    snprintf(tmp, sizeof tmp, "%s/bare.tmp", dir);
    snprintf(path, sizeof path, "%s/bare.md", dir);
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n || fsync(fd) || close(fd) || rename(tmp, path)) exit(1);
    d = open(dir, O_RDONLY | O_DIRECTORY);
    if (d < 0 || fsync(d) || close(d)) exit(1);
    return now() - t;
}

int main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : "memory-bench";
    char index[300];
    symbi_memory_store_options o;
    symbi_memory_store *m;
    double cold, warm, scan, fts_first, fts, ours[SAVES], bare[SAVES], t;
    size_t hits, fts_hits;
    symbi_text text;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    must(symbi_memory_store_open(cx, root, NULL, &m, &err), "open");
    for (int i = 0; i < AGENTS; i++) { /* not through save: 20,000 syncs */
        char path[300];
        symbi_doc *c = context(i);
        must(symbi_memory_write(cx, symbi_doc_root(c), SYMBI_MEMORY_AUTO, 0, &text, &err), "write");
        snprintf(path, sizeof path, "%s/agent%05d", root, i);
        mkdir(path, 0700);
        strcat(path, "/memory.md");
        FILE *f = fopen(path, "w");
        if (!f || fwrite(text.p, 1, text.n, f) != text.n || fclose(f)) return 1;
        symbi_text_free(&text);
        symbi_doc_unref(c);
    }
    usleep(200000); /* so that file times are settled */
    /* The least of five each, as for the Python store: the machine has other work. A first load is that of a store just opened. */
    cold = warm = 1e9;
    for (int i = 0; i < 5; i++) {
        double first, again;
        symbi_memory_store_close(m);
        must(symbi_memory_store_open(cx, root, NULL, &m, &err), "open");
        first = load_all(m);
        (void)load_all(m); /* now the kernel watches the folders */
        again = load_all(m);
        if (first < cold) cold = first;
        if (again < warm) warm = again;
    }
    scan = search(m, &hits);
    symbi_memory_store_close(m);
    symbi_memory_store_options_init(&o);
    snprintf(index, sizeof index, "%s.index", root);
    unlink(index);
    o.index = index;
    must(symbi_memory_store_open(cx, root, &o, &m, &err), "open");
    t = now();
    symbi_doc *d;
    must(symbi_memory_store_search(m, symbi_str_z("needle42"), symbi_str_z(""), symbi_str_z(""), 1, &d, NULL, &err), "search");
    fts_first = (now() - t) * 1e3;
    symbi_doc_unref(d);
    fts = search(m, &fts_hits);
    symbi_doc *c = context(7);
    must(symbi_memory_write(cx, symbi_doc_root(c), SYMBI_MEMORY_AUTO, 0, &text, &err), "write");
    must(symbi_memory_store_save(m, symbi_str_z("agent00007"), symbi_doc_root(c), 0, NULL, &err), "save");
    for (int i = 0; i < SAVES; i++) {
        t = now();
        must(symbi_memory_store_save(m, symbi_str_z("agent00007"), symbi_doc_root(c), 0, NULL, &err), "save");
        ours[i] = now() - t;
        bare[i] = bare_save(root, symbi_text_str(&text));
    }
    qsort(ours, SAVES, sizeof *ours, by_value);
    qsort(bare, SAVES, sizeof *bare, by_value);
    printf("{\"bench\":\"memory\",\"contexts\":%d,\"load_first_us\":%.2f,\"load_again_us\":%.2f,\"search_scan_ms\":%.2f,\"search_fts_build_ms\":%.1f,\"search_fts_ms\":%.2f,"
           "\"hits\":%lu,\"save_us\":%.1f,\"write_fsync_rename_fsync_us\":%.1f,\"save_ratio\":%.3f,\"save_target\":1.3}\n",
           (int)AGENTS, cold, warm, scan, fts_first, fts, (unsigned long)hits, ours[SAVES / 2] * 1e6, bare[SAVES / 2] * 1e6, ours[SAVES / 2] / bare[SAVES / 2]);
    if (hits != fts_hits) fprintf(stderr, "the two searches differ: %lu and %lu\n", (unsigned long)hits, (unsigned long)fts_hits);
    unlink(index);
    symbi_text_free(&text);
    symbi_doc_unref(c);
    symbi_memory_store_close(m);
    symbi_ctx_free(cx);
    return 0;
}
