/* toolclad/browser_scope.h: which URLs a browser may touch (spec toolclad.md 14): [browser.scope] as one object, and the check of one URL. */
#ifndef SY_TOOLCLAD_BROWSER_SCOPE_H
#define SY_TOOLCLAD_BROWSER_SCOPE_H
#include "base/buf.h"
#include "symbi/browser.h"
#include "symbi/value.h"

enum { SY_SCOPE_ENTRIES = 256, SY_SCOPE_HOST = 254 };

/* Is s an entry of a list: "host", "*.host", an IPv4 address, an IPv6 address with or without brackets, and with `tail` also "name.*"?
 * NULL, or what is wrong with it. */
const char *sy_scope_entry(symbi_str s, bool tail);
/* The scheme, host and port of url in the strict reading: host canonical, no brackets. NULL, or what is wrong with it. */
typedef struct sy_scope_host {
    char host[SY_SCOPE_HOST + 1];
    size_t n;
    bool tls, v6;
    uint16_t port;
} sy_scope_host;
const char *sy_scope_read(symbi_str url, sy_scope_host *out);
/* Chromium's --host-resolver-rules and a PAC script that keep the network stack inside scope, whatever slips past Fetch (WebSockets,
 * prefetches). pac stays empty where it is not needed. */
void sy_scope_network(const symbi_value *scope, sy_buf *rules, sy_buf *pac);
#endif
