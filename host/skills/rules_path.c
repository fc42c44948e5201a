/* skills/rules_path.c: strict rules: files outside the skill. Letters match in either case unless a rule says otherwise; each
 * example is a test (tests/unit/skills_rules_test.c). */
#include "skills/skills.h"
#include "skills/rules_strict.h"

static const symbi_skill_rule rules[] = {
    { "traversal-to-system", "traversal", "A path that climbs out of the folder into the system",
     "(?:\\.\\.[/\\\\]){2,}(?:etc|root|home|proc|var|usr|tmp|boot|dev|windows|users|\\.ssh|\\.aws)\\b",
     SYMBI_SKILL_HIGH, { "cat ../../../etc/passwd", "..\\..\\windows\\win.ini" }, { "../../src/main.c", "import x from \"../../../lib\"" }, 0 },
    { "traversal-bare", "traversal", "A path that climbs out of the folder",
     "(?:^|[\\s\"\\x27=(])(?:(?:\\.\\./){3,}|(?:\\.\\./){2,}\\.\\.)(?:$|[\\s\"\\x27;)])|(?:\\.\\./){6,}|\\b(?:cat|less|more|head|tail|cp|mv|tar|source|rm|sc"
     "p|curl|open|grep)\\b[^|;&]*(?:\\.\\./){3,}|\\bfile:///(?:etc|root|proc)\\b",
     SYMBI_SKILL_HIGH, { "../../../", "cd ../../../..", "../../../../../../x" }, { "../..", "../../../lib/x" }, 0 },
    { "traversal-encoded", "traversal", "A path that climbs out of the folder, in disguise",
     "(?:\\.\\.(?:%2f|%5c|%252f|%c0%af|\\\\/)){2,}|(?:%2e%2e(?:/|%2f|%5c)){2,}|(?:\\.{4,}//+){2,}|(?:\\.\\.;/){2,}",
     SYMBI_SKILL_HIGH, { "..%2f..%2f..%2fetc", "....//....//etc", "%2e%2e/%2e%2e/" }, { "../%2f", "a%2fb" }, 0 },
    { "symlink-to-system", "traversal", "A link to a folder of the system",
     "\\bmklink\\s+(?:/\\w\\s+)*\\S+\\s+[\\x22]?(?:[a-z]:\\\\|\\\\\\\\)|\\bln\\s+(?:-\\S+\\s+)*(?:-\\w*s\\w*|--symbolic)\\s+(?:-\\S+\\s+)*[\"\\x27]?(?:(?:"
     "\\.\\./)*/?(?:etc|root|home|proc|dev|boot|sys|users)(?:/[^\\s\"\\x27]*)?|(?:\\.\\./)*/var(?:/[^\\s\"\\x27]*)?|(?:\\.\\./)*/tmp(?:/[^\\s\"\\x27]*)?|/|~"
     "(?:/[^\\s\"\\x27]*)?|\\$\\{?home\\}?(?:/[^\\s\"\\x27]*)?)[\"\\x27]?\\s",
     SYMBI_SKILL_HIGH, { "ln -s /etc/passwd ./p", "ln -sfn /etc x", "ln -s ../../etc/passwd x" }, { "ln -s /usr/local/bin/x y", "ln -s /etcetera x", "ln a b" }, 0 },
    { "program-symlink", "traversal", "A program makes a link to a folder of the system",
     "\\b(?:os\\.symlink|symlink(?:sync)?|symlink_to|os\\.link)\\s*\\(\\s*[\"\\x27](?:/etc|/root|/home|/proc|~|/var|/)",
     SYMBI_SKILL_HIGH, { "os.symlink(\"/etc/passwd\", \"x\")" }, { "os.symlink(\"a\", \"b\")" }, 0 },
    { "unpack-over-system", "traversal", "An archive is unpacked over the system",
     "\\btar(?: |\\t).*(?:-C|--directory[= ])\\s*[\"\\x27]?/(?:etc|usr|bin|root|lib)?(?:/\\S*)?[\"\\x27]?(?:\\s|$)|\\bunzip\\s+.*-d\\s*[\"\\x27]?/(?:etc|usr|bin|"
     "root|lib)?(?:/\\S*)?[\"\\x27]?(?:\\s|$)|\\btar(?: |\\t).*(?:--absolute-names|--unlink-first)\\b",
     SYMBI_SKILL_HIGH, { "tar xf x.tgz -C /", "unzip x.zip -d /usr/lib" }, { "tar xf x.tgz -C build" }, 0 },
};
const sy_rule_table sy_rules_path = { rules, sizeof rules / sizeof *rules };
