/* base/random.c: random bytes, and a supply of them for names. A call of getrandom(2) costs more than planning a tool call does, so bytes for
 * names are read many at a time. A child of fork(2) must never give out what its parent gives out: the supply lies in a page that the kernel
 * hands to a child full of zeros (MADV_WIPEONFORK), which reads as "nothing left". Where there is no such page every call asks the system. */
#include "base/ctx.h"
#include "base/err.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum { SUPPLY = 256 }; /* what getrandom gives without being interrupted */

struct sy_supply { /* all zeros: empty */
    size_t left;
    uint8_t bytes[SUPPLY];
};

int sy_random_default(void *ud, void *buf, size_t n)
{
    unsigned char *p = buf;
    (void)ud;
    while (n) {
        ssize_t k = getrandom(p, n, 0);
        if (k < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

#ifdef MADV_WIPEONFORK
static struct sy_supply *page(void)
{
    void *p = mmap(NULL, sizeof(struct sy_supply), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    if (madvise(p, sizeof(struct sy_supply), MADV_WIPEONFORK)) {
        (void)munmap(p, sizeof(struct sy_supply));
        return NULL;
    }
    return p;
}
#else
static struct sy_supply *page(void) { return NULL; }
#endif

void sy_supply_free(symbi_ctx *cx)
{
    if (cx->supply) (void)munmap(cx->supply, sizeof *cx->supply); /* the kernel clears it before anybody else has it */
    cx->supply = NULL;
}

symbi_status sy_ctx_random_name(symbi_ctx *cx, void *buf, size_t n, symbi_err *err)
{
    struct sy_supply *s = cx->supply;
    if (!s && !cx->no_supply && cx->rand.fill == sy_random_default) { /* a host's own source is asked each time */
        s = cx->supply = page();
        cx->no_supply = !s;
    }
    if (!s || n > SUPPLY) return symbi_ctx_random(cx, buf, n, err);
    if (s->left < n) {
        symbi_status st;
        s->left = 0; /* of a failed call nothing is used */
        if ((st = symbi_ctx_random(cx, s->bytes, SUPPLY, err))) return st;
        s->left = SUPPLY;
    }
    s->left -= n;
    memcpy(buf, s->bytes + s->left, n);
    memset(s->bytes + s->left, 0, n);
    return SYMBI_OK;
}
