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

/* "chmod 600 ~/.netrc" takes rights away, from all but the owner. */
bool sy_polarity_closing(symbi_str s, size_t from)
{
    static const char verb[] = "chmod";
    size_t i = from, digits;
    while (i && s.p[i - 1] != ' ' && s.p[i - 1] != '\t') i--; /* the rest of the path in front of the match */
    while (i && (s.p[i - 1] == ' ' || s.p[i - 1] == '\t')) i--;
    digits = i;
    while (digits && s.p[digits - 1] >= '0' && s.p[digits - 1] <= '7') digits--;
    if (i - digits < 3 || i - digits > 4 || s.p[i - 1] != '0' || s.p[i - 2] != '0' || (i - digits == 4 && s.p[digits] != '0')) return false;
    while (digits && (s.p[digits - 1] == ' ' || s.p[digits - 1] == '\t')) digits--;
    return digits >= sizeof verb - 1 && !memcmp(s.p + digits - (sizeof verb - 1), verb, sizeof verb - 1) && (digits == sizeof verb - 1 || !letter(s.p[digits - sizeof verb]));
}

#define ATTACK " attack attacks attacker attackers malicious injection injections jailbreak jailbreaks detect detects detected flag flags flagged suspicious dangerous threat threats exploit exploits phishing adversary "
#define ORDER " run execute type paste enter use invoke call do follow send try start then please "

/* The quotes that stand open at i, and where; '\0' outside. */
static char quote_at(symbi_str s, size_t i, size_t *open)
{
    char quote = '\0';
    for (size_t k = 0; k < i; k++) {
        if (quote ? s.p[k] != quote : s.p[k] != '`' && s.p[k] != '"') continue;
        quote = quote ? '\0' : s.p[k];
        *open = k;
    }
    return quote;
}

size_t sy_polarity_resume(symbi_str s, size_t from, size_t to)
{
    size_t open = 0, i = from + 1;
    char quote = quote_at(s, from, &open);
    for (; i < to && i < s.n; i++) {
        if (s.p[i] == (quote ? quote : ';')) return i + 1;
        if (!quote && (s.p[i] == '.' || s.p[i] == '!' || s.p[i] == '?' || s.p[i] == ':') && i + 1 < s.n && s.p[i + 1] == ' ') return i + 1;
        if (!quote && s.p[i] == '&' && i + 1 < s.n && s.p[i + 1] == '&') return i + 2;
    }
    return i;
}

/* A sentence about attacks that quotes one: prompt injection such as "ignore …". The match stands in quotes, words in front of
 * them or after them speak of attacks, and the word in front of the quotes is not an order. */
bool sy_polarity_quoted(symbi_str s, size_t from, size_t to)
{
    size_t open = 0, close, n;
    char quote = quote_at(s, from, &open);
    token t[16];
    if (!quote) return false;
    for (close = from; close < s.n && s.p[close] != quote; close++) {}
    if (close == s.n || to > close + 1) return false;
    n = words(s, open > REACH ? open - REACH : 0, open, t, 16);
    if (n && among(t[n - 1].w, ORDER)) return false;
    for (size_t i = 0; i < n; i++)
        if (among(t[i].w, ATTACK)) return true;
    n = words(s, close + 1, s.n - close - 1 > REACH ? close + 1 + REACH : s.n, t, 16);
    for (size_t i = 0; i < n; i++)
        if (among(t[i].w, ATTACK)) return true;
    return false;
}
