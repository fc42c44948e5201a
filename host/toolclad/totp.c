/* toolclad/totp.c: one-time codes for auth flows of browsers. Whatever is derived from the seed is wiped. */
#include "toolclad/totp.h"
#include "symbi/crypto.h"
#include "wire/sha1.h"
#include <stdio.h>
#include <string.h>

/* Bytes of s, or 0. */
static size_t base32(symbi_str s, uint8_t out[SY_TOTP_SEED])
{
    uint32_t bits = 0, have = 0;
    size_t n = 0;
    while (s.n && (s.p[s.n - 1] == '=' || s.p[s.n - 1] == ' ')) s.n--;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        uint32_t v;
        if (c == ' ' || c == '-') continue;
        if (c >= 'A' && c <= 'Z') v = (uint32_t)(c - 'A');
        else if (c >= 'a' && c <= 'z') v = (uint32_t)(c - 'a');
        else if (c >= '2' && c <= '7') v = (uint32_t)(c - '2') + 26;
        else return 0;
        bits = (bits << 5 | v) & 0xfff;
        if ((have += 5) < 8) continue;
        if (n == SY_TOTP_SEED) return 0;
        have -= 8;
        out[n++] = (uint8_t)(bits >> have);
    }
    return n;
}

static void hmac_sha1(const uint8_t *key, size_t nkey, const uint8_t message[8], uint8_t out[20])
{
    uint8_t k[64] = { 0 }, text[84];
    if (nkey > sizeof k) sy_sha1_short((const char *)key, nkey, k);
    else memcpy(k, key, nkey);
    for (size_t i = 0; i < 64; i++) text[i] = k[i] ^ 0x36;
    memcpy(text + 64, message, 8);
    sy_sha1_short((const char *)text, 72, out);
    for (size_t i = 0; i < 64; i++) text[i] = k[i] ^ 0x5c;
    memcpy(text + 64, out, 20);
    sy_sha1_short((const char *)text, 84, out);
    symbi_wipe(k, sizeof k);
    symbi_wipe(text, sizeof text);
}

bool sy_totp(symbi_str seed, int64_t unix_seconds, char out[7])
{
    uint8_t key[SY_TOTP_SEED], step[8], mac[20];
    uint64_t count = (uint64_t)(unix_seconds > 0 ? unix_seconds : 0) / 30;
    size_t n = base32(seed, key), at;
    uint32_t code;
    out[0] = 0;
    if (!n) return false;
    for (size_t i = 0; i < 8; i++) step[i] = (uint8_t)(count >> (56 - 8 * i));
    hmac_sha1(key, n, step, mac);
    symbi_wipe(key, sizeof key);
    at = mac[19] & 15;
    code = ((uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 | mac[at + 3]) % 1000000;
    snprintf(out, 7, "%06u", (unsigned)code);
    symbi_wipe(mac, sizeof mac);
    return true;
}
