/* Fuzz target: the guard and libcurl read URLs alike. For every URL that the strict policy and our URL parser let through, libcurl (which
 * makes the connection) must see the same scheme, host and port, and no user. */
#include "symbi/netguard.h"
#include "symbi/wire.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}

static void compare(CURLU *h, const symbi_netguard_target *t)
{
    char *host = NULL, *port = NULL, *scheme = NULL, *user = NULL;
    size_t n;
    must(!curl_url_get(h, CURLUPART_HOST, &host, 0) && !curl_url_get(h, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) && !curl_url_get(h, CURLUPART_SCHEME, &scheme, 0));
    must(curl_url_get(h, CURLUPART_USER, &user, 0) != CURLUE_OK);
    must(atoi(port) == t->port && !strcasecmp(scheme, t->tls ? "https" : "http"));
    n = strlen(host);
    if (host[0] == '[') {
        symbi_str in = { host + 1, n - 2 };
        symbi_netaddr a;
        must(t->is_addr && symbi_netaddr_parse(in, &a, NULL) == SYMBI_OK && a.v6 && !memcmp(a.b, t->addr.b, 16));
    } else {
        if (host[n - 1] == '.') n--;
        must(n == t->host_n && !strncasecmp(host, t->host, n));
    }
    curl_free(host);
    curl_free(port);
    curl_free(scheme);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_str s = { (const char *)data, size };
    symbi_netguard_target t;
    symbi_url u;
    CURLU *h;
    char *z;
    if (symbi_netguard_check_url(NULL, s, &t, NULL)) return 0;
    must(!memchr(s.p, 0, s.n));
    if (symbi_url_parse(s, &u, NULL)) return 0;
    z = malloc(size + 1);
    h = curl_url();
    must(z && h);
    memcpy(z, data, size);
    z[size] = 0;
    if (!curl_url_set(h, CURLUPART_URL, z, 0)) compare(h, &t);
    curl_url_cleanup(h);
    free(z);
    return 0;
}
