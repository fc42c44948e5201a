/* cli/options.c: the command line. */
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const option_names[] = { "--policies", "--tools", "--state", "--memory", "--time", "--sandbox", "--version", "--help", "-e", "-h", "-i", "-v" };

bool cli_is_script(const char *w)
{
    size_t n = strlen(w);
    return strchr(w, '/') || (n > 4 && strcmp(w + n - 4, ".lua") == 0) || strcmp(w, "-") == 0;
}

const char *cli_nearest(const char *word, const char *const *cand, size_t n)
{
    enum { MAX = 32 };
    const char *best = NULL;
    size_t len = strlen(word), least = len / 3 + 1;
    if (len > MAX) return NULL;
    for (size_t c = 0; c < n; c++) { /* edit distance, one row at a time */
        size_t row[MAX + 1], m = strlen(cand[c]), diag, up;
        for (size_t j = 0; j <= len; j++) row[j] = j;
        for (size_t i = 1; i <= m; i++) {
            diag = row[0];
            row[0] = i;
            for (size_t j = 1; j <= len; j++) {
                size_t v = diag + (word[j - 1] != cand[c][i - 1]);
                up = row[j];
                if (up + 1 < v) v = up + 1;
                if (row[j - 1] + 1 < v) v = row[j - 1] + 1;
                diag = up;
                row[j] = v;
            }
        }
        if (row[len] <= least && row[len] < m) {
            if (!best || row[len] < least) best = cand[c];
            least = row[len];
        }
    }
    return best;
}

static int usage(const char *what, const char *word, const char *hint)
{
    fprintf(stderr, "symbi-lua: %s '%s'", what, word);
    if (hint) fprintf(stderr, "; did you mean '%s'?", hint);
    fprintf(stderr, " (symbi-lua --help lists what there is)\n");
    return CLI_USAGE;
}

/* Handles argv[*i] when it is one of the folder options: 1 taken, 0 not one, -1 after a message. *i moves to its last word. */
static int folder_option(cli_options *o, int argc, char **argv, int *i)
{
    const char **const slots[] = { &o->policies, &o->tools, &o->state };
    for (size_t k = 0; k < 3; k++) {
        size_t n = strlen(option_names[k]);
        const char *value;
        if (strncmp(argv[*i], option_names[k], n) != 0 || (argv[*i][n] && argv[*i][n] != '=')) continue;
        if (argv[*i][n] == '=') {
            value = argv[*i] + n + 1;
        } else if (*i + 1 < argc) {
            value = argv[++*i];
        } else {
            value = "";
        }
        if (!*value) {
            fprintf(stderr, "symbi-lua: %s needs a folder: %s DIR\n", option_names[k], option_names[k]);
            return -1;
        }
        *slots[k] = value;
        return 1;
    }
    return 0;
}

/* A whole number with K, M or G after it (scale), above 0; 0 for anything else. */
static long long quantity(const char *s, bool scale)
{
    char *end;
    long long n, by = 1;
    if (*s < '0' || *s > '9') return 0;
    errno = 0;
    n = strtoll(s, &end, 10);
    if (scale && *end) {
        by = *end == 'K' ? 1024 : *end == 'M' ? 1024 * 1024 : *end == 'G' ? 1024 * 1024 * 1024 : 0;
        end++;
    }
    return errno || *end || !by || n > (1LL << 40) / by ? 0 : n * by;
}

/* --memory and --time, as folder_option. */
static int limit_option(cli_options *o, int argc, char **argv, int *i)
{
    bool memory = strncmp(argv[*i], "--memory", 8) == 0;
    size_t n = memory ? 8 : 6;
    const char *value;
    long long q;
    if ((!memory && strncmp(argv[*i], "--time", 6) != 0) || (argv[*i][n] && argv[*i][n] != '=')) return 0;
    value = argv[*i][n] ? argv[*i] + n + 1 : *i + 1 < argc ? argv[++*i] : "";
    q = quantity(value, memory);
    if (memory ? q < 256 * 1024 : q < 1 || q > 3600000) {
        fprintf(stderr, memory ? "symbi-lua: --memory needs a number of bytes from 256K up: --memory 64M\n"
                               : "symbi-lua: --time needs a number of milliseconds from 1 to 3600000: --time 1000\n");
        return -1;
    }
    if (memory) o->memory = q;
    else o->time_ms = q;
    return 1;
}

/* What cannot go together. */
static bool fits(const cli_options *o)
{
    bool command = o->first < o->argc && !cli_is_script(o->argv[o->first]);
    const char *why = NULL;
    if (!o->sandbox && (o->memory || o->time_ms)) why = "--memory and --time go with --sandbox";
    else if (o->sandbox && o->interactive) why = "--sandbox and -i exclude each other";
    else if (o->sandbox && (o->policies || o->tools || o->state)) why = "--sandbox: nothing of --policies, --tools and --state is in reach there";
    else if (o->sandbox && command) why = "--sandbox runs a script (a word with a '/' or ending in .lua) or -e CODE, not a command";
    else if (o->sandbox && o->nchunks && o->first < o->argc) why = "--sandbox takes a script or -e CODE, not both";
    else if (o->interactive && command) why = "-i goes with a script or -e CODE, not with a command";
    if (why) fprintf(stderr, "symbi-lua: %s\n", why);
    return !why;
}

/* The state folder is made on first use; the other two must be there. */
static bool readable(const char *option, const char *path)
{
    DIR *d;
    if (!path) return true;
    d = opendir(path);
    if (!d) {
        fprintf(stderr, "symbi-lua: %s: cannot read folder '%s': %s\n", option, path, strerror(errno));
        return false;
    }
    closedir(d);
    return true;
}

int cli_parse(int argc, char **argv, cli_options *o)
{
    int i, r;
    bool command = false;
    memset(o, 0, sizeof *o);
    o->argv = argv;
    for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const char *a = argv[i];
        if (strcmp(a, "--") == 0) {
            i++;
            break;
        }
        r = folder_option(o, argc, argv, &i);
        if (r < 0) return CLI_USAGE;
        if (!r) r = limit_option(o, argc, argv, &i);
        if (r < 0) return CLI_USAGE;
        if (r > 0) continue;
        if (strcmp(a, "-i") == 0) {
            o->interactive = true;
        } else if (strcmp(a, "--sandbox") == 0) {
            o->sandbox = true;
        } else if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
            o->help = true;
        } else if (strcmp(a, "--version") == 0 || strcmp(a, "-v") == 0) {
            o->version = true;
        } else if (strncmp(a, "-e", 2) == 0) {
            const char *code = a[2] ? a + 2 : i + 1 < argc ? argv[++i] : NULL;
            if (!code) {
                fprintf(stderr, "symbi-lua: -e needs code: -e 'print(1)'\n");
                return CLI_USAGE;
            }
            if (o->nchunks == CLI_MAX_CHUNKS) {
                fprintf(stderr, "symbi-lua: more than %d times -e; put the code in a file\n", CLI_MAX_CHUNKS);
                return CLI_USAGE;
            }
            o->chunks[o->nchunks++] = code;
        } else {
            return usage("unknown option", a, cli_nearest(a, option_names, sizeof option_names / sizeof *option_names));
        }
    }
    o->first = i;
    if (i < argc && !cli_is_script(argv[i])) {
        int out = ++i;
        command = true;
        for (; i < argc; i++) {
            if (strcmp(argv[i], "--") == 0) {
                while (i < argc) argv[out++] = argv[i++];
                break;
            }
            r = folder_option(o, argc, argv, &i);
            if (r < 0) return CLI_USAGE;
            if (!r) argv[out++] = argv[i];
        }
        argc = out;
        argv[argc] = NULL;
    }
    o->argc = argc;
    if (!fits(o)) return CLI_USAGE;
    /* a sub-command says itself what a missing folder means to it */
    if (!command && (!readable("--policies", o->policies) || !readable("--tools", o->tools))) return CLI_USAGE;
    return CLI_OK;
}
