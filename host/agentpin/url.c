/* agentpin/url.c: whose URL is this, and is it one that we fetch. Addresses behind the name are the network guard's business. */
#include "agentpin/url.h"

bool sy_ap_url_split(symbi_str url, sy_ap_url *out)
{
    size_t i = 0, end, at;
    memset(out, 0, sizeof *out);
    for (size_t k = 0; k < url.n; k++) {
        unsigned char c = (unsigned char)url.p[k];
        if (c <= ' ' || c >= 127 || c == '\\' || c == '"' || c == '<' || c == '>') return false;
    }
    while (i < url.n && ((url.p[i] >= 'a' && url.p[i] <= 'z') || (url.p[i] >= 'A' && url.p[i] <= 'Z'))) i++;
    if (!i || url.n - i < 3 || memcmp(url.p + i, "://", 3)) return false;
    out->scheme = (symbi_str){ url.p, i };
    i += 3;
    for (end = i; end < url.n && url.p[end] != '/' && url.p[end] != '?' && url.p[end] != '#'; end++) {}
    out->path = (symbi_str){ url.p + end, url.n - end };
    for (at = end; at > i && url.p[at - 1] != '@'; at--) {}
    if (at > i) {
        out->user = (symbi_str){ url.p + i, at - 1 - i };
        i = at;
    }
    if (i < end && url.p[i] == '[') {
        size_t close = i;
        while (close < end && url.p[close] != ']') close++;
        if (close == end) return false;
        out->host = (symbi_str){ url.p + i, close + 1 - i };
        i = close + 1;
    } else {
        size_t from = i;
        while (i < end && url.p[i] != ':') i++;
        out->host = (symbi_str){ url.p + from, i - from };
    }
    if (i < end) {
        if (url.p[i] != ':') return false;
        out->port = (symbi_str){ url.p + i + 1, end - i - 1 };
        for (size_t k = 0; k < out->port.n; k++) {
            if (out->port.p[k] < '0' || out->port.p[k] > '9') return false;
        }
    }
    return out->host.n != 0;
}

bool sy_ap_url_fetchable(symbi_str url, sy_ap_url *out)
{
    if (url.n > 2048 || !sy_ap_url_split(url, out)) return false;
    if (!sy_str_eqz(out->scheme, "https") || out->user.p || !symbi_agentpin_domain_ok(out->host)) return false;
    if (out->port.p && !sy_str_eqz(out->port, "443")) return false;
    return !out->path.n || !memchr(out->path.p, '#', out->path.n);
}
