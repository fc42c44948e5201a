/* agentpin/url.h: the little about URLs that decides whom we talk to. */
#ifndef SY_AGENTPIN_URL_H
#define SY_AGENTPIN_URL_H
#include "agentpin/int.h"

/* Takes scheme, userinfo and host of an absolute URL apart. False for anything else. Everything is borrowed from url. */
typedef struct sy_ap_url {
    symbi_str scheme, user, host, port, path; /* user and port without their punctuation, p NULL when absent; path from / ? or # */
} sy_ap_url;
bool sy_ap_url_split(symbi_str url, sy_ap_url *out);
/* https, a domain name, no userinfo, no port but 443, no fragment, printable, at most 2048 bytes: may be fetched. */
bool sy_ap_url_fetchable(symbi_str url, sy_ap_url *out);
#endif
