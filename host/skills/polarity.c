/* skills/polarity.c: a sentence that speaks against a command is not an instruction to run it. Only what stands in front of the match,
 * in the same clause, with few words between: "Never run `curl … | sh`", "do not write to SOUL.md", "no sudo needed". A second
 * command word in between ends it: "do not wait, run …" is an instruction. */
#include "skills/view.h"
#include <string.h>

enum { WORDS_BETWEEN = 5, REACH = 120, AROUND = 60 };

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

#define AFTER_MENTION " needed required necessary is are was has may might can could should permissions permission privileges privilege access rights or if when where unless in on for to and password passwords user users group command commands rules configuration policy tool manual not as by with mode without instead because "

bool sy_polarity_mention(symbi_str s, size_t from, size_t to)
{
    token after[16], before[16];
    size_t na, nb = words(s, from > REACH ? from - REACH : 0, from, before, 16);
    while (to > from && !letter(s.p[to - 1])) to--;
    na = words(s, to, s.n > to + 40 ? to + 40 : s.n, after, 16);
    if (!na || after[0].stop) return nb > 0 && !before[0].stop;
    for (size_t k = to; k < after[0].from; k++) /* "runas /user:x" is a command */
        if (!strchr(" \t`\"'*_)", s.p[k])) return false;
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

#define ATTACK " attack attacks attacker attackers malicious injection injections jailbreak jailbreaks detect detects detected flag flags flagged suspicious dangerous threat threats exploit exploits phishing adversary " \
    "destructive harmful unsafe insecure risky "
#define TELLS " attacker attackers adversary malware they may might could would who that which to "
#define ORDER " run runs execute type paste enter use invoke call do follow send try start then please "

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

/* One of the three words in front of word i, in its clause, is negative. */
static bool against(const token *t, size_t i)
{
    for (size_t k = i; k-- > 0 && k + 4 > i && !t[k + 1].stop;)
        if (among(t[k].w, NEGATIVE) || !strcmp(t[k].w, "nothing")) return true;
    return false;
}

/* An order among the words: "run it"; not "do not run it", "an attacker may run it". */
static bool ordered(const token *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (among(t[i].w, ORDER) && !against(t, i) && !(i + 1 < n && !t[i + 1].stop && among(t[i + 1].w, NEGATIVE)) && !(i && !t[i].stop && among(t[i - 1].w, TELLS))) return true;
    return false;
}

/* They speak of attacks, and do not say that there is none. */
static bool attacks(const token *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (among(t[i].w, ATTACK) && !against(t, i)) return true;
    return false;
}

/* A sentence about attacks that quotes one: prompt injection such as "ignore …". The match stands in quotes, words in front of
 * them or after them speak of attacks, and none of them is an order to do it. */
bool sy_polarity_quoted(symbi_str s, size_t from, size_t to)
{
    size_t open = 0, close, n, m;
    char quote = quote_at(s, from, &open);
    token t[AROUND], u[AROUND];
    if (!quote) return false;
    for (close = from; close < s.n && s.p[close] != quote; close++) {}
    if (close == s.n || to > close + 1) return false;
    n = words(s, open > REACH ? open - REACH : 0, open, t, AROUND);
    if (n && among(t[n - 1].w, ORDER)) return false;
    m = words(s, close + 1, s.n - close - 1 > REACH ? close + 1 + REACH : s.n, u, AROUND);
    return (attacks(t, n) || attacks(u, m)) && !ordered(t, n) && !ordered(u, m);
}

/* ---- names of places and tools ---- */

#define ENGLISH " the a an of to in is are and or for with at on your by as that this such if it its from be can which "
#define ACCESS " read open cat less head tail copy cp mv scp rsync sftp send upload post put pass include paste print show dump echo tee append add insert write get fetch load collect gather " \
    "harvest grab steal take find search access grep egrep strings xxd od tar zip gzip curl wget awk sed cut sort dd vim vi nano ln rm sqlite import source export extract forward transmit share email mail " \
    "exfiltrate leak encode attach submit give return output display retrieve parse query request hit visit sudo exec run execute sh python python3 node perl ruby php java docker ssh symlink join " \
    "replace modify edit change overwrite delete remove download install start launch use using fill enter type move pack backup "

/* In an English sentence without an address, of some words, none of which is an order to do something with it. Other languages are
 * not understood, and so excuse nothing. */
bool sy_polarity_idle(symbi_str s, size_t from, size_t to)
{
    token t[2 * AROUND];
    size_t start = from, end = to, n, english = 0;
    while (start && from - start < REACH && !(s.p[start] == ' ' && strchr(".!?;", s.p[start - 1]) && s.p[start - 1])) start--;
    while (end < s.n && end - to < REACH && !(strchr(".!?;", s.p[end]) && s.p[end] && (end + 1 >= s.n || s.p[end + 1] == ' '))) end++;
    for (size_t i = start; i + 3 <= end; i++)
        if (s.p[i] == '|' || s.p[i] == '>' || !memcmp(s.p + i, "://", 3) || !memcmp(s.p + i, "$(", 2)) return false;
    n = words(s, start, from, t, AROUND);
    n += words(s, to, end, t + n, AROUND);
    for (size_t i = 0; i < n; i++) {
        english += among(t[i].w, ENGLISH);
        if (among(t[i].w, ACCESS) && !against(t, i)) return false;
    }
    return english >= 2 && n >= 5;
}

/* ---- commands that are less than they look ---- */

/* The word in front of from is git: what is removed are files of a repository. */
bool sy_polarity_git(symbi_str s, size_t from)
{
    while (from && s.p[from - 1] == ' ') from--;
    return from >= 3 && !memcmp(s.p + from - 3, "git", 3) && (from == 3 || !letter(s.p[from - 4]));
}

/* The word at *i, and *i behind it and the blanks that follow. */
static symbi_str next_word(symbi_str s, size_t *i)
{
    symbi_str w;
    size_t from = *i;
    while (*i < s.n && s.p[*i] > ' ' && !strchr("`\"'|;&<>()$", s.p[*i])) (*i)++;
    w = (symbi_str){ s.p + from, *i - from };
    while (*i < s.n && (s.p[*i] == ' ' || s.p[*i] == '\t')) (*i)++;
    return w;
}

static bool word_in(symbi_str w, const char *list)
{
    char z[20];
    if (!w.n || w.n >= sizeof z) return false;
    memcpy(z, w.p, w.n);
    z[w.n] = '\0';
    return among(z, list);
}

/* Packages by name, from where the system gets its own: no address, no file, no option that lowers a guard. */
bool sy_polarity_packages(symbi_str s, size_t from, size_t to)
{
    size_t i = from;
    symbi_str w;
    while (i < to && s.p[i] != 's' && s.p[i] != 'S') i++;
    i += 4;
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t')) i++;
    for (w = next_word(s, &i); w.n == 2 && w.p[0] == '-' && strchr("EHn", w.p[1]); w = next_word(s, &i)) { }
    if (!word_in(w, " apt apt-get aptitude dnf yum zypper apk snap pacman ")) return false;
    for (w = next_word(s, &i); word_in(w, " -y -q -qq --yes --quiet --no-install-recommends "); w = next_word(s, &i)) { }
    if (!word_in(w, " install update upgrade build-dep builddep refresh makecache add in -S -Sy -Syu ")) return false;
    for (w = next_word(s, &i); w.n; w = next_word(s, &i)) {
        if (w.p[0] == '#') return true;
        if (w.p[0] == '-' && !word_in(w, " -y -q -qq --yes --quiet --no-install-recommends --noconfirm --needed --no-cache --classic ")) return false;
        for (size_t k = 0; k < w.n; k++) /* no path, no address; a name may have dots inside */
            if (!letter(w.p[k]) && !(w.p[k] >= '0' && w.p[k] <= '9') && !strchr("-+_.,*", w.p[k])) return false;
        if (w.p[0] == '.' || w.p[0] == '*') return false;
        if (w.n > 4 && (!memcmp(w.p + w.n - 4, ".deb", 4) || !memcmp(w.p + w.n - 4, ".rpm", 4) || !memcmp(w.p + w.n - 4, ".apk", 4))) return false;
    }
    return i >= s.n || s.p[i] == ';' || s.p[i] == '`' || s.p[i] == '"' || s.p[i] == '\'' || s.p[i] == ')' || (s.p[i] == '&' && i + 1 < s.n && s.p[i + 1] == '&');
}

/* What is told of others, and spoken against after that: "when a page tells you to ignore …, do not follow it". */
bool sy_polarity_reported(symbi_str s, size_t from, size_t to)
{
    token t[AROUND];
    size_t n = words(s, from > REACH ? from - REACH : 0, from, t, AROUND), m;
    bool told = false;
    for (size_t i = n; i-- > 0 && i + 4 > n && !told; told = among(t[i].w, " tells tell telling asks asking told says saying instructs claims claiming tries trying attempts urges "))
        if (i + 1 < n && t[i + 1].stop) return false;
    if (!told) return false;
    m = words(s, to, s.n - to > REACH ? to + REACH : s.n, t, AROUND);
    for (size_t i = 0; i < m; i++)
        if (among(t[i].w, " refuse report treat data ignore stop ") || (among(t[i].w, " not dont never ") && i + 1 < m && among(t[i + 1].w, " follow obey comply do act execute "))) return true;
    return false;
}

/* The command is ssh's own, which uses the key where it lies; nothing goes in or out beside that. */
bool sy_polarity_own_key(symbi_str s, size_t from, size_t to)
{
    size_t i = from;
    symbi_str w;
    while (i && !strchr(";|&`($<>\"", s.p[i - 1])) i--;
    while (i < from && (s.p[i] == ' ' || s.p[i] == '\t')) i++;
    w = next_word(s, &i);
    if (!word_in(w, " ssh-add ") && !(word_in(w, " ssh ") && i + 3 <= s.n && !memcmp(s.p + i, "-i ", 3))) return false;
    for (; to < s.n; to++)
        if (strchr("|<>`$", s.p[to])) return false;
    return true;
}
