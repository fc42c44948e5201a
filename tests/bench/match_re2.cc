// tests/bench/match_re2.cc: the same search with RE2::Set, line by line. Debian: libre2-dev.
#include <re2/re2.h>
#include <re2/set.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

static std::string slurp(const char *p) { std::ifstream f(p, std::ios::binary); std::stringstream s; s << f.rdbuf(); return s.str(); }

int main(int argc, char **argv)
{
    RE2::Options o;
    o.set_log_errors(false);
    o.set_max_mem(256 << 20);
    RE2::Set set(o, RE2::UNANCHORED);
    std::string rules = slurp(argv[1]), text = slurp(argv[2]);
    int n = 0, rounds = argc > 3 ? atoi(argv[3]) : 20;
    for (size_t i = 0; i < rules.size();) {
        size_t e = rules.find('\n', i);
        if (e == std::string::npos) e = rules.size();
        if (e > i && set.Add(rules.substr(i, e - i), nullptr) >= 0) n++; // what it does not take is left out, and not counted
        i = e + 1;
    }
    if (!set.Compile()) return 1;
    double best = 1e9;
    size_t found = 0;
    std::vector<int> v;
    for (int r = 0; r < rounds; r++) {
        auto t0 = std::chrono::steady_clock::now();
        found = 0;
        for (size_t i = 0; i < text.size();) {
            const char *e = (const char *)memchr(text.data() + i, '\n', text.size() - i);
            size_t len = e ? e - text.data() - i : text.size() - i;
            v.clear();
            if (set.Match(re2::StringPiece(text.data() + i, len), &v)) found += v.size();
            i += len + 1;
        }
        double t = std::chrono::duration<double>(std::chrono::steady_clock::now() - t0).count();
        if (t < best) best = t;
    }
    printf("{\"engine\": \"RE2::Set\", \"rules\": %d, \"found\": %zu, \"seconds\": %.6f, \"mb_per_s\": %.1f}\n", n, found, best, text.size() / best / 1e6);
}
