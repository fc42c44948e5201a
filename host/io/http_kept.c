/* io/http_kept.c: what waits on a kept connection before it is asked again. HTTP/1 tells answers apart by their order alone, and libcurl takes
 * a connection that can be read for a live one: an answer that nobody asked for, or the late rest of one that was too long, would be taken
 * for the answer to the next request. Looked at when the connection is about to be used and nothing was sent; the request then goes out
 * over a new one. TLS has words of its own that may wait there, so this is for connections without it. */
#define _GNU_SOURCE
#include "io/http_int.h"

#include "base/alloc.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool sy_kept_open(symbi_http *h, int fd)
{
    if (sy_grow(&h->cx->alloc, (void **)&h->socks, &h->cap_socks, h->nsocks + 1, sizeof *h->socks)) return false;
    h->socks[h->nsocks].fd = fd;
    h->socks[h->nsocks++].port = 0;
    return true;
}

/* libcurl closes a connection. ud is the client: connections outlive the transfers that made them. */
int sy_kept_close(void *ud, curl_socket_t fd)
{
    symbi_http *h = ud;
    for (size_t i = 0; i < h->nsocks; i++)
        if (h->socks[i].fd == fd) {
            h->socks[i] = h->socks[--h->nsocks];
            break;
        }
    return close(fd);
}

static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } a;
    socklen_t n = sizeof a;
    memset(&a, 0, sizeof a);
    if (getsockname(fd, &a.any, &n)) return 0;
    return a.any.sa_family == AF_INET ? ntohs(a.in.sin_port) : a.any.sa_family == AF_INET6 ? ntohs(a.in6.sin6_port) : 0;
}

/* libcurl says which connection it is only by its own port. One that is met for the first time has just been made. Two of different families
 * may have the same port: then both are looked at, which at worst makes a connection more. */
bool sy_kept_stale(symbi_http *h, int local_port)
{
    bool stale = false, known = false;
    if (local_port <= 0) return false;
    for (size_t i = 0; i < h->nsocks; i++)
        if (h->socks[i].port == local_port) {
            char c;
            known = true;
            stale = stale || recv(h->socks[i].fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
        }
    for (size_t i = 0; !known && i < h->nsocks; i++)
        if (!h->socks[i].port && (h->socks[i].port = port_of(h->socks[i].fd)) == local_port) break;
    return stale;
}
