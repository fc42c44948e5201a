/* Lines sifted 64 bytes at a time are the lines, and say of each what one reads letter by letter. */
#include "skills/sift.h"
#include "skills/view.h"
#include "test.h"

static uint64_t seed = 88172645463325252u;
static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 33) % n);
}

static bool coded(char c) { return c && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-/_", c); }
static bool hexdigit(char c) { return c && strchr("0123456789abcdefABCDEF", c); }

/* A run of twelve encoded bytes with a capital letter, or longer than sixty, or with eleven hexadecimal digits where it begins (or at
 * a twelfth byte of the line inside it); six such bytes and a =; five commas. */
static bool payload(const char *p, size_t n)
{
    size_t commas = 0;
    if (n < 8) return false;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        commas += p[i] == ',';
        while (k < 6 && k < i && coded(p[i - 1 - k])) k++;
        if (p[i] == '=' && k == 6) return true;
    }
    if (commas >= 5) return true;
    for (size_t i = 0, to; i < n; i = to + 1) {
        for (to = i; to < n && coded(p[to]);) to++;
        if (to - i < 12) continue;
        if (to - i > 60) return true;
        for (size_t k = i; k < to; k++) {
            size_t d = 0;
            if (p[k] >= 'A' && p[k] <= 'Z') return true;
            if (k != i && (k % 12 != 11 || k + 12 >= to)) continue;
            while (d < 11 && hexdigit(p[k + d])) d++;
            if (d == 11) return true;
        }
    }
    return false;
}

static unsigned kinds(const char *p, size_t n)
{
    unsigned k = payload(p, n) ? SY_LINE_PAYLOAD : 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c >= 0x80) k |= SY_LINE_HIGH;
        if (c && strchr("'\"`", c)) k |= SY_LINE_QUOTE;
        if ((c && strchr("\\$%&{", c)) || (c >= 1 && c <= 8) || c == 11 || c == 12 || c == 27) k |= SY_LINE_ESCAPE;
    }
    return k;
}

static void same(const char *text, size_t n)
{
    char *own = malloc(n ? n : 1); /* no byte more, so that a sanitizer sees what is read too far */
    sy_sift f;
    size_t i = 0;
    memcpy(own, text, n);
    sy_sift_begin(&f, (symbi_str){ own, n });
    while (i < n) {
        const char *e = memchr(own + i, '\n', n - i);
        size_t end = e ? (size_t)(e - own) : n, len = end - i;
        const sy_sline *l = sy_sift_line(&f, 0);
        if (len && own[end - 1] == '\r') len--;
        CHECK(l && l->t.p == own + i && l->t.n == len);
        if (!l) break;
        if (l->kinds != kinds(own + i, len)) printf("%u, not %u: %.*s\n", l->kinds, kinds(own + i, len), (int)len, own + i);
        CHECK(l->kinds == kinds(own + i, len));
        sy_sift_next(&f);
        i = end + 1;
    }
    CHECK(!sy_sift_line(&f, 0));
    free(own);
}

static void test_random(void)
{
    static const char *const pieces[] = { "\n", "\n", "\r\n", " ", " ", "word", "a path/of/words-with_hyphens", "deadbeef", "cafe", "0123456789a", "Abc", "=", "==", ",", "1, 2, ", "'", "\"", "`", "\\", "$", "%", "&", "{", "\x01", "\x0b", "\x1b", "\r",
        "\xc3\xa9", "\x7f", "z", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "TG9uZyBydW4gb2YgYmFzZTY0" };
    static char text[20000];
    for (int turn = 0; turn < 3000; turn++) {
        size_t n = 0, most = turn % 50 ? 300 : sizeof text - 64;
        while (n < most && rnd(200)) {
            const char *p = pieces[rnd(sizeof pieces / sizeof *pieces)];
            size_t len = strlen(p);
            memcpy(text + n, p, len);
            n += len;
            if (rnd(100) == 0) text[n++] = '\0';
        }
        same(text, n);
    }
}

static void test_seams(void)
{
    char text[260];
    for (size_t at = 0; at < 130; at++) /* runs and ends of lines over every place of a block */
        for (size_t len = 5; len < 15; len++) {
            memset(text, ' ', sizeof text);
            memset(text + at, 'a', len);
            text[at + len] = '=';
            same(text, sizeof text);
            memset(text + at, 'x', len);
            text[at + len] = 'Y';
            text[at + len + 1] = '\n';
            same(text, sizeof text);
        }
    memset(text, '\n', sizeof text);
    for (size_t n = 0; n <= sizeof text; n++) same(text, n);
}

/* As many lines ahead as there are to be, whatever their lengths. */
static void test_ahead(void)
{
    size_t n = 100000;
    char *text = malloc(n);
    sy_sift f;
    memset(text, '\n', n);
    sy_sift_begin(&f, (symbi_str){ text, n });
    for (size_t i = 0; i < n; i++, sy_sift_next(&f))
        for (size_t k = 0; k <= SY_SIFT_AHEAD; k += 24) {
            const sy_sline *l = sy_sift_line(&f, k);
            CHECK(i + k < n ? l && l->t.p == text + i + k : !l);
        }
    free(text);
}

int main(void)
{
    RUN(test_random);
    RUN(test_seams);
    RUN(test_ahead);
    return test_end();
}
