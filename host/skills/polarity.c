/* skills/polarity.c: a sentence that speaks against a command is not an instruction to run it. Only what stands in front of the match,
 * in the same clause, with few words between: "Never run `curl … | sh`", "do not write to SOUL.md", "no sudo needed". A second
 * command word in between ends it: "do not wait, run …" is an instruction. */
#include "skills/view.h"
#include <string.h>

enum { WORDS_BETWEEN = 5, REACH = 120 };

typedef struct token { char w[20]; size_t from, to; bool stop; } token; /* stop: a clause ends in front of it */

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\''; }
static char low(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool among(const char *w, const char *list) /* " a b c " */
{
    char probe[24];
    size_t n = strlen(w);
    probe[0] = ' ';
    memcpy(probe + 1, w, n);
    memcpy(probe + 1 + n, " ", 2);
    return strstr(list, probe) != NULL;
}

/* The words of line[from, to), at most max of the last ones. */
static size_t words(symbi_str s, size_t from, size_t to, token *t, size_t max)
{
    size_t n = 0;
    bool stop = false;
    for (size_t i = from; i < to;) {
        size_t k = 0, b = i;
        if (!letter(s.p[i])) {
            if (strchr(".;:!?,|&\n", s.p[i]) && s.p[i] && (i + 1 >= to || s.p[i + 1] == ' ' || s.p[i] != '.')) stop = true;
            if (s.p[i] == '-' && i + 1 < to && s.p[i + 1] == ' ' && i > from && s.p[i - 1] == ' ') stop = true; /* a dash */
            i++;
            continue;
        }
        if (n == max) {
            memmove(t, t + 1, (max - 1) * sizeof *t);
            n--;
        }
        for (; i < to && letter(s.p[i]); i++)
            if (k < sizeof t->w - 1 && s.p[i] != '\'') t[n].w[k++] = low(s.p[i]);
        t[n].w[k] = '\0';
        t[n].from = b;
        t[n].to = i;
        t[n].stop = stop;
        stop = false;
        n++;
    }
    return n;
}

#define NEGATIVE " never not dont doesnt mustnt shouldnt cannot cant wont avoid refuse forbid forbidden prohibited without nor no isnt neither refrain prevent block reject "
#define VERBS " run running use using execute executing pipe piping write writing modify modifying edit editing overwrite overwriting replace replacing touch touching call calling invoke require requires requiring need needs change changing read reading delete deleting send sending allow type paste try to "
#define TURN " but instead then rather just simply always unless except and afterwards now "
#define AFTER_NO " needed required necessary is are permissions privileges access rights allowed "

bool sy_polarity_negative(symbi_str s, size_t from, size_t to)
{
    token t[16];
    size_t start = from > REACH ? from - REACH : 0, n = words(s, start, from, t, 16), between = 0;
    bool verb = false, after_match = false;
    /* "no sudo needed", "without sudo" */
    for (size_t i = n; i-- > 0;) {
        if (i + 1 < n && t[i + 1].stop) return false;
        if (i + 1 == n && n) { /* a clause that ends between the last word and the match */
            for (size_t k = t[i].to; k < from; k++)
                if (strchr(".;:!?,|&", s.p[k]) && s.p[k]) return false;
        }
        if (among(t[i].w, NEGATIVE)) {
            token a[16];
            size_t na;
            if (strcmp(t[i].w, "no") != 0) return true;
            na = words(s, to, s.n > to + 30 ? to + 30 : s.n, a, 16);
            for (size_t k = 0; k < na && k < 3 && !a[k].stop; k++) after_match = after_match || among(a[k].w, AFTER_NO);
            return after_match;
        }
        if (among(t[i].w, TURN)) return false;
        if (among(t[i].w, VERBS)) {
            if (verb && strcmp(t[i].w, "to") != 0) return false; /* two commands: the second is one */
            verb = strcmp(t[i].w, "to") != 0;
        }
        if (++between > WORDS_BETWEEN) return false;
    }
    return false;
}

#define AFTER_MENTION " needed required necessary is are was has may might can could should permissions permission privileges privilege access rights or if when where unless in on for to and password passwords user users group command commands rules configuration policy tool manual not as by with mode "

bool sy_polarity_mention(symbi_str s, size_t from, size_t to)
{
    token after[16], before[16];
    size_t na, nb = words(s, from > REACH ? from - REACH : 0, from, before, 16);
    while (to > from && !letter(s.p[to - 1])) to--;
    na = words(s, to, s.n > to + 40 ? to + 40 : s.n, after, 16);
    if (!na || after[0].stop) return nb > 0 && !before[0].stop;
    return among(after[0].w, AFTER_MENTION);
}
