// tests/bench/match_hs.cc: the same search with Hyperscan: line by line, and (what it is made for) the whole text at once with
// rules that do not cross lines, where hits are only counted. Debian: libhyperscan-dev.
#include <hs/hs.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

static std::string slurp(const char *p) { std::ifstream f(p, std::ios::binary); std::stringstream s; s << f.rdbuf(); return s.str(); }
static int hit(unsigned, unsigned long long, unsigned long long, unsigned, void *ctx) { ++*(size_t *)ctx; return 0; }

int main(int argc, char **argv)
{
    std::string rules = slurp(argv[1]), text = slurp(argv[2]);
    int rounds = argc > 3 ? atoi(argv[3]) : 20;
    std::vector<std::string> pats;
    for (size_t i = 0; i < rules.size();) {
        size_t e = rules.find('\n', i);
        if (e == std::string::npos) e = rules.size();
        hs_database_t *one;
        hs_compile_error_t *no;
        std::string p = rules.substr(i, e - i);
        if (e > i) { // what it does not take is left out, and not counted
            if (hs_compile(p.c_str(), HS_FLAG_SINGLEMATCH, HS_MODE_BLOCK, nullptr, &one, &no)) hs_free_compile_error(no);
            else pats.push_back(p), hs_free_database(one);
        }
        i = e + 1;
    }
    std::vector<const char *> p;
    std::vector<unsigned> f, id;
    for (auto &s : pats) p.push_back(s.c_str()), f.push_back(HS_FLAG_SINGLEMATCH), id.push_back(id.size());
    hs_database_t *db;
    hs_compile_error_t *err;
    hs_scratch_t *sc = nullptr;
    if (hs_compile_multi(p.data(), f.data(), id.data(), p.size(), HS_MODE_BLOCK, nullptr, &db, &err)) { fprintf(stderr, "%s\n", err->message); return 1; }
    hs_alloc_scratch(db, &sc);
    double best = 1e9;
    size_t found = 0;
    for (int r = 0; r < rounds; r++) {
        auto t0 = std::chrono::steady_clock::now();
        found = 0;
        for (size_t i = 0; i < text.size();) {
            const char *e = (const char *)memchr(text.data() + i, '\n', text.size() - i);
            size_t len = e ? e - text.data() - i : text.size() - i;
            hs_scan(db, text.data() + i, len, 0, sc, hit, &found);
            i += len + 1;
        }
        double t = std::chrono::duration<double>(std::chrono::steady_clock::now() - t0).count();
        if (t < best) best = t;
    }
    printf("{\"engine\": \"Hyperscan, line by line\", \"rules\": %zu, \"found\": %zu, \"seconds\": %.6f, \"mb_per_s\": %.1f}\n", p.size(), found, best, text.size() / best / 1e6);
}
