/* What the network guard costs: one URL, one address. Prints JSON lines; the ratio is to the strict
 * URL parser alone. */
#define _GNU_SOURCE
#include "symbi/netguard.h"
#include "symbi/wire.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

enum { ROUNDS = 15, N = 100000 };
static volatile int sink;

static double url(const symbi_netguard *g, const char *text, bool parse)
{
    double best = 1e18;
    symbi_str s = symbi_str_z(text);
    for (int r = 0; r < ROUNDS; r++) {
        double t = now();
        for (int i = 0; i < N; i++) {
            symbi_netguard_target target;
            symbi_url u;
            sink += parse ? symbi_url_parse(s, &u, NULL) : symbi_netguard_check_url(g, s, &target, NULL);
        }
        t = (now() - t) / N;
        if (t < best) best = t;
    }
    return best;
}

int main(void)
{
    symbi_ctx *cx;
    symbi_netguard *g;
    symbi_netguard_options o;
    symbi_netguard_target t;
    symbi_netaddr a;
    symbi_str allow[] = { SYMBI_STR_INIT("*.corp.example"), SYMBI_STR_INIT("10.0.0.0/8"), SYMBI_STR_INIT("localhost:8080"), SYMBI_STR_INIT("api.internal") };
    double best = 1e18;
    symbi_netguard_options_init(&o);
    o.allow = allow;
    o.nallow = 4;
    if (symbi_ctx_new(NULL, &cx, NULL) || symbi_netguard_new(cx, &o, &g, NULL)) return 1;
    {
        double parse = url(NULL, "https://api.example.com/v1/things?x=1", true), ours = url(NULL, "https://api.example.com/v1/things?x=1", false);
        printf("{\"name\": \"check_url\", \"ns\": %.1f, \"url_parse_alone_ns\": %.1f, \"ratio\": %.2f, \"target\": 4}\n", ours, parse, ours / parse);
    }
    printf("{\"name\": \"check_url_with_allow_list\", \"ns\": %.1f}\n", url(g, "https://api.example.com/v1/things?x=1", false));
    printf("{\"name\": \"check_url_refused_hex_address\", \"ns\": %.1f}\n", url(NULL, "http://0x7f.0.0.1/", false));
    printf("{\"name\": \"check_url_full_width_digits\", \"ns\": %.1f}\n", url(NULL, "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", false));
    if (symbi_netguard_check_url(NULL, symbi_str_z("https://api.example.com/"), &t, NULL) || symbi_netaddr_parse(symbi_str_z("2606:4700::6810:85e5"), &a, NULL)) return 1;
    for (int r = 0; r < ROUNDS; r++) {
        double b = now();
        for (int i = 0; i < N; i++) sink += symbi_netguard_check_addr(NULL, &t, &a, NULL);
        b = (now() - b) / N;
        if (b < best) best = b;
    }
    printf("{\"name\": \"check_addr\", \"ns\": %.1f}\n", best);
    symbi_netguard_unref(g);
    symbi_ctx_free(cx);
    return 0;
}
