/* The cost of raw libcurl for what client_bench.lua does: GET over one kept connection. client_bench URL. Prints JSON. */
#include <curl/curl.h>
#include <stdio.h>
#include <time.h>

enum { ROUNDS = 20, CALLS = 250 };

static size_t body(char *p, size_t size, size_t n, void *ud)
{
    (void)p;
    *(size_t *)ud += size * n;
    return size * n;
}

static double now(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    double wall = 1e18, cpu = 1e18;
    size_t got = 0;
    struct curl_slist *l = NULL;
    CURL *e;
    if (argc < 2 || curl_global_init(CURL_GLOBAL_DEFAULT) || !(e = curl_easy_init())) return 1;
    l = curl_slist_append(l, "Accept: application/json");
    l = curl_slist_append(l, "Authorization: Bearer test-key");
    curl_easy_setopt(e, CURLOPT_URL, argv[1]);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, l);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, &got);
    for (int r = 0; r < ROUNDS; r++) {
        double w = now(CLOCK_MONOTONIC), c = now(CLOCK_PROCESS_CPUTIME_ID);
        for (int i = 0; i < CALLS; i++)
            if (curl_easy_perform(e)) return 1;
        w = (now(CLOCK_MONOTONIC) - w) / CALLS;
        c = (now(CLOCK_PROCESS_CPUTIME_ID) - c) / CALLS;
        if (w < wall) wall = w;
        if (c < cpu) cpu = c;
    }
    printf("{\"bench\": \"client\", \"what\": \"GET over a kept connection, raw libcurl\", \"us\": %.1f, \"cpu_us\": %.1f}\n", wall, cpu);
    curl_slist_free_all(l);
    curl_easy_cleanup(e);
    curl_global_cleanup();
    return got ? 0 : 1;
}
