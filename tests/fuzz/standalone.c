/* tests/fuzz/standalone.c: main() for a fuzz target without libFuzzer: replays the files (and all files below the folders)
 * named on the command line through LLVMFuzzerTestOneInput, in sorted order, and prints "N passed, N failed, N skipped". A
 * finding crashes, as it does under libFuzzer; the file's name is printed before, so that the log ends with it. A path that
 * cannot be read counts as failed, a run without any input too. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int g_passed, g_failed;

static void fail(const char *path, const char *what)
{
    printf("FAIL %s: %s\n", path, what);
    g_failed++;
}

static void replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t n = 0, cap = 0, got = 1;
    if (!f) {
        fail(path, "cannot be opened");
        return;
    }
    while (got) {
        if (n == cap) {
            uint8_t *p = realloc(data, cap = cap ? cap * 2 : 4096);
            if (!p) abort();
            data = p;
        }
        n += got = fread(data + n, 1, cap - n, f);
    }
    if (ferror(f)) {
        fail(path, "cannot be read");
    } else {
        uint8_t *exact = malloc(n ? n : 1); /* no slack behind the input: the sanitizer sees reads past its end */
        if (!exact) abort();
        memcpy(exact, data, n);
        printf("%s\n", path);
        fflush(stdout);
        LLVMFuzzerTestOneInput(exact, n);
        free(exact);
        g_passed++;
    }
    free(data);
    fclose(f);
}

static void replay(const char *path)
{
    struct stat st;
    struct dirent **list;
    int n;
    if (stat(path, &st)) {
        fail(path, "cannot be opened");
        return;
    }
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path);
        return;
    }
    n = scandir(path, &list, NULL, alphasort);
    if (n < 0) {
        fail(path, "cannot be listed");
        return;
    }
    for (int i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.') {
            size_t len = strlen(path) + strlen(list[i]->d_name) + 2;
            char *sub = malloc(len);
            if (!sub) abort();
            snprintf(sub, len, "%s/%s", path, list[i]->d_name);
            replay(sub);
            free(sub);
        }
        free(list[i]);
    }
    free(list);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) replay(argv[i]);
    if (!g_passed && !g_failed) fail(argc > 1 ? argv[1] : "no input", "nothing to replay");
    printf("%d passed, %d failed, 0 skipped\n", g_passed, g_failed);
    return g_failed != 0;
}
