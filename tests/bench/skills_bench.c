/* tests/bench/skills_bench.c: bench-skills PROFILE TEXT [ROUNDS]: the scanner over one text, fastest of ROUNDS; `rules PROFILE`: the patterns
 * of a profile, one a line; `many N`: N skills of three files each, made here, as a folder of skills is scanned. */
#include "symbi/skills.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static symbi_str whole(const char *path)
{
    symbi_str r = { NULL, 0 };
    FILE *f = fopen(path, "rb");
    char *p;
    long n;
    if (!f) return r;
    fseek(f, 0, SEEK_END);
    n = ftell(f);
    rewind(f);
    p = malloc((size_t)n + 1);
    r.n = fread(p, 1, (size_t)n, f);
    r.p = p;
    fclose(f);
    return r;
}

static int rules(symbi_skill_profile p)
{
    for (size_t i = 0; i < symbi_skill_rule_count(p); i++) {
        const symbi_skill_rule *r = symbi_skill_rule_at(p, i);
        printf("%s%s\n", p == SYMBI_SKILL_STRICT && !(r->flags & 2) ? "(?i)" : "", r->pattern);
    }
    return 0;
}

static int many(symbi_ctx *cx, int n)
{
    static const char body[] = "---\nname: skill\ndescription: Summarises a page and lists what to do next.\n---\n# Skill\n\nRead the page, then write five bullet points.\n\n```sh\nls -l | sort\ngit status\n```\n\n"
                               "- Use the tool that the user asks for.\n- Keep to the facts on the page.\n- Quote sparingly; name the source.\n\n";
    static const char script[] = "#!/usr/bin/env python3\nimport sys\n\ndef main():\n    for line in sys.stdin:\n        print(line.strip().title())\n\nif __name__ == '__main__':\n    main()\n";
    symbi_skill_scanner *sc;
    symbi_skill_scan *s;
    symbi_err err;
    double t = now();
    int failed = 0;
    char text[4 * sizeof body];
    size_t len = 0;
    for (int i = 0; i < 3; i++) memcpy(text + len, body, sizeof body - 1), len += sizeof body - 1;
    if (symbi_skill_scanner_new(cx, SYMBI_SKILL_STRICT, NULL, 0, 0, &sc, &err)) return 1;
    if (symbi_skill_scan_new(cx, sc, &s, &err)) return 1;
    for (int i = 0; i < n; i++) {
        symbi_skill_scan_clear(s);
        if (symbi_skill_scan_content(s, symbi_str_z("SKILL.md"), (symbi_str){ text, len }, &err) || symbi_skill_scan_content(s, symbi_str_z("run.py"), symbi_str_z(script), &err) ||
            symbi_skill_scan_content(s, symbi_str_z("notes.txt"), (symbi_str){ body, sizeof body - 1 }, &err))
            return 1;
        failed += !symbi_skill_scan_passed(s);
    }
    symbi_skill_scan_free(s);
    t = now() - t;
    printf("{\"engine\": \"symbi strict\", \"skills\": %d, \"failed\": %d, \"seconds\": %.3f, \"target\": \"1,000 skills in at most 2 s\"}\n", n, failed, t);
    symbi_skill_scanner_unref(sc);
    return 0;
}

int main(int argc, char **argv)
{
    symbi_skill_profile p;
    symbi_skill_scanner *sc;
    symbi_skill_scan *s;
    symbi_ctx *cx;
    symbi_err err;
    symbi_str text;
    double best = 1e9;
    size_t found = 0;
    if (argc < 3 || symbi_ctx_new(NULL, &cx, &err)) return 2;
    if (!strcmp(argv[1], "many")) return many(cx, atoi(argv[2]));
    if (!strcmp(argv[1], "rules")) return symbi_skill_profile_parse(symbi_str_z(argv[2]), &p) ? 2 : rules(p);
    if (symbi_skill_profile_parse(symbi_str_z(argv[1]), &p) || symbi_skill_scanner_new(cx, p, NULL, 0, 0, &sc, &err)) return 2;
    text = whole(argv[2]);
    if (symbi_skill_scan_new(cx, sc, &s, &err)) return 1;
    for (int i = 0; i < (argc > 3 ? atoi(argv[3]) : 5); i++) {
        double t = now();
        symbi_skill_scan_clear(s);
        if (symbi_skill_scan_content(s, symbi_str_z("corpus.md"), text, &err)) return 1;
        found = symbi_skill_scan_count(s);
        t = now() - t;
        if (t < best) best = t;
    }
    printf("{\"engine\": \"symbi scanner, %s\", \"rules\": %zu, \"found\": %zu, \"seconds\": %.6f, \"mb_per_s\": %.1f}\n", argv[1], symbi_skill_rule_count(p), found, best, (double)text.n / best / 1e6);
    symbi_skill_scan_free(s);
    symbi_skill_scanner_unref(sc);
    symbi_ctx_free(cx);
    return 0;
}
