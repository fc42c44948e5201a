/* io/spawn_sha.h: streaming SHA-256 without memory, locks or a library. It exists beside host/crypto because the spawner may
 * be cloned from a threaded parent, where OpenSSL's locks can be held for ever; everything else hashes through symbi_sha256. */
#ifndef SY_IO_SPAWN_SHA_H
#define SY_IO_SPAWN_SHA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sy_spawn_sha {
    uint32_t h[8];
    uint64_t n;
    uint8_t block[64];
    bool fast; /* the processor has SHA instructions */
} sy_spawn_sha;

void sy_spawn_sha_init(sy_spawn_sha *s);
void sy_spawn_sha_add(sy_spawn_sha *s, const void *p, size_t n);
void sy_spawn_sha_end(sy_spawn_sha *s, uint8_t out[32]);
#endif
