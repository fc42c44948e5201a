"""tests/bench/match_corpus.py OUT BYTES: real prose and markdown, from the documentation that Debian packages and npm, Python and
Rust packages install, one file after the other until there are BYTES. Prints how much and how many lines."""
import glob, gzip, os, sys
out, want = sys.argv[1], int(sys.argv[2])
names = []
for root in ("/usr/share/doc", "build/peers", "/usr/lib/node_modules", "/usr/share/perl", "/usr/lib/python3"):
    for folder, _, files in os.walk(root):
        for f in files:
            low = f.lower()
            if low.endswith((".md", ".md.gz")): names.append((0, os.path.join(folder, f)))
            elif low.startswith(("readme", "news", "changelog", "faq", "todo")) and low.endswith((".gz", ".txt", ".debian", ".rst")) or low in ("readme", "news", "copyright"):
                names.append((1, os.path.join(folder, f)))
names.sort()
size, data = 0, []
for _, f in names:
    try: t = gzip.open(f).read() if f.endswith(".gz") else open(f, "rb").read()
    except OSError: continue
    if len(t) > 400000: t = t[:400000]
    data.append(t + b"\n")
    size += len(t)
    if size >= want: break
data = b"".join(data)
open(out, "wb").write(data)
print(len(data), data.count(b"\n"))
