/* skills/rules_damage.c: strict rules: what cannot be undone. Letters match in either case unless a rule says otherwise; each
 * example is a test (tests/unit/skills_rules_test.c). */
#include "skills/skills.h"
#include "skills/rules_strict.h"

static const symbi_skill_rule rules[] = {
    { "remove-root", "destruction", "The system or a whole home folder is deleted",
     "\\brm\\s+(?:-[\\w-]+(?:=\\S*)?\\s+)*(?:-[a-z]*r[a-z]*|--recursive)\\s+(?:-[\\w-]*\\s+)*[\"\\x27]?(?:/(?:\\*|\\.{1,2}(?:\\s|$|`)|[\"\\x27`]|\\s|$|[;&|)])|/(?:etc|bin|sbin|l"
     "ib\\w*|boot|dev|proc|sys)(?:/\\S*)?[\"\\x27]?(?:\\s|$|[;&|)`])|/(?:usr|var|home|root|opt|srv|users|mnt|data|library|system|windows)(?:/(?:bin|lib|sbin"
     "|share|log|www|\\*|\\$\\w+|\\w+))?/?\\*?[\"\\x27]?(?:\\s|$|[;&|)`])|~(?:/|/\\*|/\\.\\*)?[\"\\x27]?(?:\\s|$|[;&|)`])|\\$\\{?home\\}?(?:/|/"
     "\\*|/\\.\\*)?[\"\\x27]?(?:\\s|$|[;&|)`])|(?:\\./)?(?:\\*|\\.\\*)[\"\\x27]?(?:\\s|$|[;&|)`])|\\.{1,2}(?:/\\.\\.)*/?[\"\\x27]?(?:\\s|$|[;&|)`])|[a-z]:["
     "\\\\/][\"\\x27]?(?:\\s|$|\\*))",
     SYMBI_SKILL_CRITICAL, { "rm -fr /*", "rm -r -f ~", "rm --recursive --force /", "rm -rf -- /", "rm -rf \"$HOME\"", "rm -rf /.", "Run `rm -rf /` now", "rm -rfv /etc" }, { "rm -rf build/", "rm -r /tmp/cache", "rm -rf /var/lib/apt/lists/*", "farm -rf /x", "rm -f /tmp/l", "rm -rf /.cache/x" }, 0 },
    { "remove-no-preserve", "destruction", "The guard against deleting the system is switched off",
     "--no-preserve-root\\b",
     SYMBI_SKILL_CRITICAL, { "rm -rf --no-preserve-root /" }, { "rm --preserve-root x" }, 0 },
    { "find-delete", "destruction", "Files everywhere are deleted",
     "\\bfind\\s+[\"\\x27]?(?:/|~|\\$\\{?home\\}?|/etc|/home|/usr|/var)[\"\\x27]?/?\\s.*(?:-delete\\b|-exec(?:dir)?\\s+(?:rm|shred|unlink)\\b|\\|\\s*xargs"
     "\\s+(?:-\\S+\\s+)*(?:rm|shred)\\b)",
     SYMBI_SKILL_CRITICAL, { "find / -delete", "find ~ -name \"*\" -exec rm {} +" }, { "find . -name x -delete" }, 0 },
    { "overwrite-disk", "destruction", "A disk is overwritten",
     "\\bmkfs(?:\\.\\w+)?\\s+(?:-\\S+\\s+)*/dev/|\\bdd\\s+.*\\bof=/dev/(?:sd|hd|nvme|vd|xvd|mmcblk|disk|mem|mapper)|>\\s*/dev/(?:sd|nvme|hd|vd|xvd|mmcblk|me"
     "m)\\w*|\\bwipefs\\s+(?:-\\S+\\s+)*/dev|\\b(?:fdisk|parted|sgdisk|blkdiscard)\\s+(?:-\\S+\\s+)*/dev/|\\bdiskutil\\s+erase",
     SYMBI_SKILL_CRITICAL, { "dd if=/dev/zero of=/dev/sda", "mkfs.ext4 /dev/sda1" }, { "dd if=a of=b", "mkfs is a tool" }, 0 },
    { "fork-bomb", "destruction", "A fork bomb",
     ":\\(\\)\\s*\\{\\s*:\\s*\\|\\s*:|:\\s\\(\\)\\s*\\{\\s*:\\s*\\|\\s*:|\\bwhile\\s+true\\s*;?\\s*do\\s+(?:\\$0|bash|sh)\\s*&|\\bos\\.fork\\s*\\(\\s*\\).*w"
     "hile|while.*\\bos\\.fork\\s*\\(",
     SYMBI_SKILL_CRITICAL, { ":(){ :|:& };:" }, { "while true; do sleep 1; done" }, 0 },
    { "shred", "destruction", "Files are destroyed beyond recovery",
     "\\bmv\\s+(?:-\\S+\\s+)*[\"\\x27]?(?:/|~|\\$\\{?home)\\S*\\s+/dev/null|\\bshred\\s+(?:-\\S+\\s+(?:\\d+\\s+)?)*[\"\\x27]?(?:/|~|\\$\\{?home)|\\bsrm\\s+-\\w*r|\\bsdelete\\b\\s+-",
     SYMBI_SKILL_HIGH, { "shred -u ~/notes", "shred -n 3 /dev/sda", "mv ~ /dev/null" }, { "shred the carrots" }, 0 },
    { "program-removes", "destruction", "A program deletes the system or a whole home folder",
     "\\b(?:rmsync|rmdirsync|rimraf|removesync|rm_rf|remove_dir_all)\\s*\\(\\s*(?:require\\([\"\\x27](?:node:)?os[\"\\x27]\\)|os)\\.homedir|\\brmtree\\s*\\(\\s*[\"\\x27]?(?:/[\"\\x27]|~|/etc|/home|/root|os\\.path\\.expanduser|path\\.home|os\\.environ)|\\b(?:rmsync|rmdirsync|rm|rimraf|remov"
     "e|removesync)\\s*\\(\\s*[\"\\x27](?:/|~|/etc|/home|/root|/\\*)[\"\\x27]|\\bremove-item\\b.*-recurse\\b.*(?:[a-z]:\\\\(?:\\s|$|\\*|[\"\\x27])|\\$home"
     "\\b|\\$env:userprofile|~)|\\b(?:del|erase)\\s+(?:/[a-z]\\s+)*/s\\b.*[a-z]:\\\\|\\brd\\s+/s\\s+/q\\s+[a-z]:\\\\|\\bos\\.removeall\\s*\\(\\s*\"/",
     SYMBI_SKILL_CRITICAL, { "fs.rmSync(require('os').homedir(), {recursive: true})", "shutil.rmtree(\"/\")", "fs.rmSync(\"/\", {recursive: true})", "rd /s /q C:\\" }, { "shutil.rmtree(tmp)", "fs.rmSync(\"dist\")" }, 0 },
    { "ransom", "destruction", "What ransomware does",
     "\\bvssadmin(?:\\.exe)?\\s+delete\\s+shadows|\\bwbadmin\\s+delete\\s+catalog|\\bbcdedit\\b.*recoveryenabled\\s+no|\\bcipher\\s+/w:|\\bformat\\s+[a-z]:"
     "\\s*/|\\b(?:your files (?:have been|are) encrypted)\\b",
     SYMBI_SKILL_CRITICAL, { "vssadmin delete shadows /all" }, { "delete the shadow of the box" }, 0 },
    { "kill-all", "destruction", "All processes are killed",
     "\\bkill\\s+(?:-\\S+\\s+)*-1\\b|\\bkillall\\s+-9\\s+\\S|\\bpkill\\s+-9\\s+(?:-u\\s+\\S+|\\.)",
     SYMBI_SKILL_HIGH, { "kill -9 -1" }, { "kill -9 1234" }, 0 },
    { "machine-off", "destruction", "The machine is switched off",
     "(?:^|[;&|]\\s*|sudo\\s+)(?:shutdown|reboot|halt|poweroff|init [06])\\s*(?:-|now\\b|$|[;&|])",
     SYMBI_SKILL_HIGH, { "shutdown -h now", "sudo reboot" }, { "a graceful shutdown of the server" }, 0 },
    { "infrastructure-gone", "destruction", "Machines, clusters, buckets or repositories are deleted without a question",
     "\\bterraform (?:apply -destroy|destroy)\\b.*-auto-approve|\\bpulumi destroy\\b.*(?:-y\\b|--yes)|\\bkubectl delete (?:ns|namespaces?|all|nodes?|pvc?|deployments?|statefulsets?|crds?|persistentvolume\\w*)\\b.*(?:--all\\b|-A\\b)|\\baws s3 rb\\b.*--force|\\baws s3 rm s3://[^/\\s]+/?\\s.*--recursive|\\bgh repo delete\\b.*--(?:yes|confirm)|\\baz group delete\\b.*(?:--yes|-y\\b)|\\bgcloud projects delete\\b|\\bgit push\\b.*\\s--delete\\s+(?:main|master|production|release)\\b|\\bgit push\\b.*\\s(?:-f|--force)\\b.*--(?:all|mirror)\\b|\\bdrop database (?:if\\s+exists\\s+)?[\"`]?\\w*prod",
     SYMBI_SKILL_HIGH, { "terraform destroy -auto-approve", "kubectl delete namespace --all", "aws s3 rb s3://b --force", "git push origin --delete main", "gh repo delete a/b --yes", "DROP DATABASE production;" }, { "terraform destroy", "kubectl delete pod web-0", "git push origin --delete feature/x", "DROP DATABASE IF EXISTS test_db;" }, 0 },
    { "history-rewrite", "destruction", "The history of a repository is overwritten",
     "\\bgit\\s+push\\s+(?:.*\\s)?(?:--force|-f|--mirror|--delete)\\b|\\bgit\\s+(?:filter-branch|filter-repo|update-ref\\s+-d)\\b",
     SYMBI_SKILL_MEDIUM, { "git push --force origin main" }, { "git push origin main" }, 0 },
    { "database-drop", "destruction", "A database is deleted",
     "\\bdrop\\s+(?:database|schema)\\s+(?:if\\s+exists\\s+)?\\w+|\\bdropdatabase\\s*\\(|\\bflushall\\b|\\btruncate\\s+table\\s+\\w+",
     SYMBI_SKILL_MEDIUM, { "DROP DATABASE prod;" }, { "the drop in sales" }, 0 },
    { "system-file-write", "destruction", "A file of the system is written",
     "(?:(?:^|[\\s\\d&;\"\\x27)\\}])>>?|(?:^|[;&|(`])\\s*\\w[^<;&|]*[^<>;&|=/-]>>?|\\btee\\s+(?:-a\\s+)?|\\bcp\\s+\\S+\\s+|\\bmv\\s+\\S+\\s+|\\binstall\\s+(?:-\\S+\\s+)*\\S+\\s+)\\s*[\"\\x27]?/(?:etc|boot|usr/(?:s?bin|lib)|bin"
     "|sbin|lib)/",
     SYMBI_SKILL_HIGH, { "echo x >> /etc/hosts", "cp x /usr/bin/x", "echo x>/etc/hosts" }, { "cat /etc/hosts", "cp a /tmp/b", "lzless -> /usr/bin/xzless", "look in <prefix>/lib/cmake" }, 0 },
};
const sy_rule_table sy_rules_damage = { rules, sizeof rules / sizeof *rules };
