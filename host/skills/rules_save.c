/* skills/rules_save.c: strict rules: files that arrive and cannot be read by this scanner. Letters match in either case unless a rule says otherwise; each
 * example is a test (tests/unit/skills_rules_test.c). */
#include "skills/skills.h"
#include "skills/rules_strict.h"

static const symbi_skill_rule rules[] = {
    { "download-opaque", "downloader", "A download is saved under a name that does not say what it is",
     "\\bcurl\\b.*\\s(?:-[a-z]*o|--output)[= ]?\\s*[\"\\x27]?(?:\\./|~/|\\$\\w+/|/(?:tmp|var|usr|opt|home|root|etc|bin|srv)/)?(?:[\\w-]+/)*\\w[\\w-]*["
     "\"\\x27]?(?:\\s|$|[;&|)`]).*https?://|\\bcurl\\b.*https?://.*\\s(?:-[a-z]*o|--output)[= ]?\\s*[\"\\x27]?(?:\\./|~/|\\$\\w+/|/(?:tmp|var|usr|opt|home|r"
     "oot|etc|bin|srv)/)?(?:[\\w-]+/)*\\w[\\w-]*[\"\\x27]?(?:\\s|$|[;&|)`])",
     SYMBI_SKILL_HIGH, { "curl -o x https://a.example/x", "curl https://a.example/x --output /tmp/x" }, { "curl -o data.json https://a.example/d", "curl -o /dev/null https://a.example/", "curl is a tool; use -o flag" }, 0 },
    { "download-redirect", "downloader", "A download is saved under a name that does not say what it is",
     "\\bcurl\\b.*https?://\\S+\\s*>+\\s*[\"\\x27]?(?:\\./|~/|\\$\\w+/|/(?:tmp|var|usr|opt|home|root|etc|bin|srv)/)?(?:[\\w-]+/)*\\w[\\w-]*[\"\\x27]?(?:"
     "\\s|$|[;&|)`])",
     SYMBI_SKILL_HIGH, { "curl https://a.example/x > x" }, { "curl https://a.example/x > out.json", "curl https://a.example/ > /dev/null" }, 0 },
    { "download-remote-name", "downloader", "A download is saved under a name that does not say what it is",
     "\\bcurl\\s+(?:-\\S+\\s+)*-[a-zA-Z]*O[a-zA-Z]*\\s+(?:-\\S+\\s+)*[\"\\x27]?https?://[^\\s/\"\\x27]+/(?:[^\\s\"\\x27/]*/)*[\\w-]+[\"\\x27]?\\s*(?:$|[;&|)])",
     SYMBI_SKILL_HIGH, { "curl -O https://a.example/x", "curl -LO https://a.example/x" }, { "curl -LO https://a.example/x.tar.gz", "curl -o x.json https://a.example/x" }, SY_RULE_CASE },
    { "wget-opaque", "downloader", "A download is saved under a name that does not say what it is",
     "\\bwget\\b.*\\s(?:-[a-zA-Z]*O|--output-document)[= ]?\\s*[\"\\x27]?(?:\\./|~/|\\$\\w+/|/(?:tmp|var|usr|opt|home|root|etc|bin|srv)/)?(?:[\\w-]+/)*"
     "\\w[\\w-]*[\"\\x27]?(?:\\s|$|[;&|)`]).*https?://|\\bwget\\b.*https?://.*\\s(?:-[a-zA-Z]*O|--output-document)[= ]?\\s*[\"\\x27]?(?:\\./|~/|\\$\\w+/|/(?"
     ":tmp|var|usr|opt|home|root|etc|bin|srv)/)?(?:[\\w-]+/)*\\w[\\w-]*[\"\\x27]?(?:\\s|$|[;&|)`])",
     SYMBI_SKILL_HIGH, { "wget -qO x https://a.example/x", "wget https://a.example/x -O /tmp/x" }, { "wget -O d.csv https://a.example/d", "wget docs - see -O", "wget -qO- https://a.example/x" }, SY_RULE_CASE },
    { "wget-plain-opaque", "downloader", "A download is saved under a name that does not say what it is",
     "\\bwget\\s+(?:-[a-zA-Z]+\\s+)*[\"\\x27]?https?://[^\\s/\"\\x27]+/(?:[^\\s\"\\x27/]*/)*[\\w-]+[\"\\x27]?\\s*(?:$|[;&)`])",
     SYMBI_SKILL_HIGH, { "wget https://a.example/x", "wget -q http://a.example/bin/agent && ls" }, { "wget https://a.example/f.tar.gz", "wget --spider https://a.example", "wget https://a.example" }, 0 },
    { "download-program", "downloader", "A program is downloaded",
     "\\b(?:curl|wget|aria2c)\\b.*https?://\\S+\\.(?:exe|msi|dll|scr|bat|cmd|ps1|vbs|hta|jar|apk|dmg|pkg|deb|rpm|appimage|run|bin|elf|so|dylib|sh|bash|pl|ps"
     "1|py)\\b|\\b(?:aria2c|axel)\\s+(?:-\\S+\\s+)*[\"\\x27]?https?://|\\burlretrieve\\s*\\(|\\s-outfile\\s+\\S|\\bwget\\b.*\\s(?:-P|--directory-prefix)[= ]"
     "?\\s*[\"\\x27]?/tmp",
     SYMBI_SKILL_HIGH, { "wget -P /tmp https://a.example/a.txt", "iwr https://a.example/x -OutFile x", "curl -LO https://a.example/x.exe", "wget https://a.example/x.deb" }, { "curl https://a.example/x.md", "wget https://a.example/notes.txt" }, 0 },
    { "make-opaque-executable", "downloader", "A file that the scanner cannot know is made executable for all",
     "\\bchmod\\s+(?:-\\S+\\s+)*(?:[ugo]*[ao][ugo]*)?\\+[rwst]*(?-i:x)[rwst]*\\s+[\"\\x27]?(?:\\./|~/|\\$\\w+/|/(?:tmp|var|usr|opt|home|root|etc|bin|srv)/)?(?:["
     "\\w-]+/)*\\w[\\w-]*[\"\\x27]?(?:\\s|$|[;&|)`])",
     SYMBI_SKILL_HIGH, { "chmod +x x", "chmod a+x ./agent", "chmod +rx /tmp/y" }, { "chmod u+x run.sh", "chmod -x file", "chmod +x run.sh", "chmod +X dir" }, 0 },
    { "make-executable", "downloader", "A file is made executable",
     "\\bchmod\\s+(?:-\\S+\\s+)*\\S*\\+[rwst]*(?-i:x)|\\bchmod\\s+(?:-\\S+\\s+)*[0-7]?(?:755|775|711|700|555)\\s+\\S*/?tmp/",
     SYMBI_SKILL_MEDIUM, { "chmod +x run.sh", "chmod 755 /tmp/run" }, { "chmod 644 a.txt", "chmod a=r x" }, 0 },
    { "make-executable-and-run", "downloader", "A file that the scanner cannot know is made executable and started",
     "\\bchmod\\s+(?:\\S*\\+\\w*x\\w*|0?7[0-7]{2})\\s+[\"\\x27]?(?:[\\w.~$\\{}-]*/)*[\\w-]+[\"\\x27]?\\s*(?:&&|;)\\s*(?:sudo\\s+)?(?:\\./|/|sh\\s|bash\\s)",
     SYMBI_SKILL_HIGH, { "chmod +x install && ./install", "chmod 755 x && ./x" }, { "chmod +x a.sh && ls", "chmod +x scripts/build.sh && ./scripts/build.sh" }, 0 },
    { "make-temporary-executable", "downloader", "A file in a temporary folder is made executable",
     "\\bchmod\\s+(?:-\\S+\\s+)*(?:\\S*\\+\\w*x\\w*|[0-7]?[1357][0-7][0-7])\\s+[\"\\x27]?(?:/tmp|/var/tmp|/dev/shm)/",
     SYMBI_SKILL_HIGH, { "chmod +x /tmp/a.sh", "chmod 755 /dev/shm/b" }, { "chmod 644 /tmp/a" }, 0 },
    { "onion", "downloader", "An address in the Tor network",
     "\\b[a-z2-7]{16,56}\\.onion\\b",
     SYMBI_SKILL_HIGH, { "http://expyuzz4wqqyqhjnexample234567.onion/" }, { "onion soup", "sub.onion" }, 0 },
};
const sy_rule_table sy_rules_save = { rules, sizeof rules / sizeof *rules };
