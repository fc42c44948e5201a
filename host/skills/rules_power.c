/* skills/rules_power.c: strict rules: more rights than the skill was given. Letters match in either case unless a rule says otherwise; each
 * example is a test (tests/unit/skills_rules_test.c). */
#include "skills/skills.h"
#include "skills/rules_strict.h"

static const symbi_skill_rule rules[] = {
    { "sudo", "privilege", "A command is run as root",
     "(?:^|[\\s;&|(`\"\\x27$=>:])sudo(?:$|[\\s;|&)`\"\\x27.,])",
     SYMBI_SKILL_HIGH, { "sudo rm x", "SUDO ls", "curl x | sudo tee y" }, { "pseudo random", "sudoers" }, SY_RULE_MENTION },
    { "su", "privilege", "A command is run as another user",
     "(?:^|[\\s;&|(`\"\\x27])su[ \\t]+(?:-\\s*(?:$|[;&|])|-(?:c|l|s)\\b|--?(?:login|command)\\b|root\\b|-\\s+-?\\w)",
     SYMBI_SKILL_HIGH, { "su -c \"id\" root", "su - postgres", "su - -c id" }, { "su is short", "the result" }, 0 },
    { "other-elevation", "privilege", "A command is run with more rights",
     "(?:^|[;&|(`]\\s*|\\$\\s)(?:pkexec|doas|gsudo)\\s+\\S|\\brunas(?:\\.exe)?\\s+/|\\bstart-process\\b.*-verb\\s+runas|\\bwith administrator privileges\\b",
     SYMBI_SKILL_HIGH, { "pkexec sh", "Start-Process x -Verb RunAs" }, { "the doas manual" }, SY_RULE_MENTION },
    { "setuid", "privilege", "A program gets the rights of its owner (setuid, setgid)",
     "\\bchmod\\s+(?:-\\S+\\s+)*(?:(?:[ugoa]*[-+=][rwxst]*,)*[ugoa]*[+=][rwxt]*s[rwxt]*|0?[2-7][0-7]{3})(?:$|\\s)|\\bchmod(?:sync)?\\s*\\([^)]*\\b0?o?[2467][0-7]{3}\\b",
     SYMBI_SKILL_HIGH, { "chmod u+s /tmp/x", "chmod 4755 x", "chmod g+s,u+s x", "chmod -R u+s x", "os.chmod(p, 0o4755)" }, { "chmod 755 x", "chmod 400 key" }, 0 },
    { "world-writable", "privilege", "Everybody may write",
     "\\bchmod\\s+(?:-\\S+\\s+)*[+=]?(?:0o)?(?:[0-7]?[0-7]?777|0?666)(?:$|\\W)|\\bchmod\\s+(?:-\\S+\\s+)*[ugo]*[oa][ugo]*[+=][rxst]*w|\\bchmod(?:sync)?"
     "\\s*\\(.*\\b(?:0?o?[0-7]?777\\b|s_iwoth|s_irwxo)|\\bumask\\s+0?000\\b|\\bicacls\\b.*\\b(?:everyone|users)\\b.*:\\(?f",
     SYMBI_SKILL_HIGH, { "chmod 777 x", "chmod -R 0777 /", "chmod ugo+rwx x", "os.chmod(\"x\", 0o777)", "chmod +777 x", "os.chmod(p, stat.S_IRWXO)" }, { "chmod 755 x", "chmod 7770x", "chmod u+w x" }, 0 },
    { "install-mode", "privilege", "A program is installed with the rights of its owner, or for everybody to change",
     "\\binstall -(?:\\S+ +(?:-|\\S+ +-))*m ?0?(?:777|[2467][0-7]{3})\\b",
     SYMBI_SKILL_HIGH, { "install -m 4755 -o root sh /tmp/s", "install -D -m 777 x y", "install -o root -m4755 x y" }, { "install -m 755 app /usr/local/bin/app", "pip install -m 1" }, 0 },
    { "capabilities", "privilege", "A program gets capabilities of root",
     "\\bcapsh\\b.*--caps=|\\bsetcap\\s+(?:-\\S+\\s+)*[\"\\x27]?\\S*cap_\\w+|\\bsetcap\\s+-r\\s+/|--cap-add[= ](?:all|sys_admin|sys_ptrace|net_admin)",
     SYMBI_SKILL_HIGH, { "setcap cap_setuid+ep /tmp/x", "capsh --caps=cap_sys_admin+ep --" }, { "the setcap tool", "setcapacity(10)" }, 0 },
    { "chown-root", "privilege", "A file is given to root",
     "\\bchown\\s+(?:-\\S+\\s+)*(?:root|0)(?:[:.]\\S*)?\\s+\\S",
     SYMBI_SKILL_HIGH, { "chown root x", "chown -R 0:0 x" }, { "chown rooted x", "chown me x" }, 0 },
    { "namespaces", "privilege", "Namespaces: a way out of a container",
     "\\bnsenter\\s+(?:-\\S|\\S+\\s+-)|\\bunshare\\s+-\\S|\\bsetns\\s*\\(|\\bpivot_root\\b\\s|\\bchroot\\s+(?:-\\S+\\s+)*/(?:host|mnt/host|rootfs|hostfs|proc/1/root)\\b|\\bdebugfs\\s+-w",
     SYMBI_SKILL_HIGH, { "nsenter -t 1 -m sh", "unshare -rm sh", "chroot /host sh" }, { "unshare", "unshared state" }, 0 },
    { "container-escape", "privilege", "A container that can reach the machine",
     "\\b(?:docker|podman|nerdctl)\\s+(?:.*\\s)?run\\b.*(?:--privileged|\\s-v\\s*[\"\\x27]?/:|--volume[= ][\"\\x27]?/:|--pid[= ]host|--cap-add[= ](?:all|sys"
     "_admin)|/var/run/docker\\.sock|--security-opt[= ]\\S*unconfined|--userns[= ]host)|\"?privileged\"?\\s*:\\s*true\\b|\\bhostpid\\s*:\\s*true\\b|/sys/fs/"
     "cgroup/\\S*release_agent",
     SYMBI_SKILL_CRITICAL, { "docker run --privileged -v /:/host x", "privileged: true" }, { "docker run -v ./data:/data x" }, 0 },
    { "docker-socket", "privilege", "The socket of the container engine",
     "/(?:var/)?run/(?:docker|containerd/containerd|crio/crio)\\.sock\\b",
     SYMBI_SKILL_HIGH, { "curl --unix-socket /var/run/docker.sock http://x/" }, { "docker ps" }, 0 },
    { "mount", "privilege", "A file system is mounted",
     "\\bmount\\s+(?:.*\\s)?(?:--r?bind\\b|-o\\s*\\S*\\b(?:bind|remount)\\b|-t\\s+\\w+\\s+\\S)|\\bmount\\s+/dev/\\S+\\s+/",
     SYMBI_SKILL_HIGH, { "mount --bind / /mnt", "mount -o remount,rw /" }, { "a mount point", "volumes mount" }, 0 },
    { "sudoers", "privilege", "Who may become root is changed",
     "/etc/sudoers(?:\\.d\\b)?|\\bnopasswd\\s*:|\\bvisudo\\b",
     SYMBI_SKILL_CRITICAL, { "echo \"x ALL=(ALL) NOPASSWD: ALL\" >> /etc/sudoers" }, { "ask an administrator" }, 0 },
    { "accounts", "privilege", "Accounts of the system are changed",
     "\\b(?:useradd|adduser|usermod|gpasswd)\\s+(?:.*\\s)?(?:-\\w*[ag]\\w*\\s*\\S*\\s*(?:sudo|wheel|root|docker|admin)|-o\\s+-u\\s*0)|\\b(?:sudo|wheel)"
     "\\s+\\S+\\s*>>\\s*/etc/group|\\bnet1?\\s+(?:user|localgroup)\\s+.*/add\\b|\\bpasswd\\s+(?:-\\S+\\s+)*root\\b|\\bchpasswd\\b|>>?\\s*/etc/passwd"
     "\\b|\\bdscl\\b.*-(?:create|append)\\s+/(?:users|groups)",
     SYMBI_SKILL_HIGH, { "usermod -aG sudo x", "net user x y /add", "echo x >> /etc/passwd" }, { "add a user to the list", "cat /etc/passwd" }, 0 },
    { "cloud-rights", "privilege", "Somebody becomes the master of a cluster or an account in a cloud",
     "\\bclusterrole(?:binding)?\\b.*\\bcluster-admin\\b|\\bpolicy/(?:administratoraccess|iamfullaccess|poweruseraccess)\\b|\\badd-iam-policy-binding\\b.*\\broles/(?:owner|editor|iam\\.)|\\brole\\s+assignment\\s+create\\b.*\\b(?:owner|contributor|administrator)\\b|\\bcreate-(?:access-key|login-profile)\\b.*--user-name|\\bgh\\s+(?:api|repo)\\b.*(?:collaborators|--add-collaborator)",
     SYMBI_SKILL_HIGH, { "kubectl create clusterrolebinding x --clusterrole=cluster-admin --serviceaccount=d:d", "aws iam attach-user-policy --user-name x --policy-arn arn:aws:iam::aws:policy/AdministratorAccess", "gcloud projects add-iam-policy-binding p --member=user:a@b.example --role=roles/owner" }, { "kubectl get clusterroles", "--role=roles/storage.objectViewer" }, 0 },
    { "remote-login-opened", "privilege", "Who may log in over the network is widened",
     "\\bpermit(?:rootlogin|emptypasswords)\\s+yes\\b|\\bpam_permit\\.so\\b|\\bpg_hba\\.conf\\b.*\\btrust\\b|\\bhost\\s+all\\s+all\\s+0\\.0\\.0\\.0/0\\s+trust",
     SYMBI_SKILL_HIGH, { "sed -i 's/PermitRootLogin no/PermitRootLogin yes/' /etc/ssh/sshd_config", "echo \"auth sufficient pam_permit.so\" >> /etc/pam.d/sshd" }, { "Set PermitRootLogin no" }, SY_RULE_NAME },
    { "chroot", "privilege", "The root folder is changed",
     "\\bchroot\\s+(?:-\\S+\\s+)*/\\S*",
     SYMBI_SKILL_MEDIUM, { "chroot /mnt sh" }, { "a chroot jail" }, 0 },
};
const sy_rule_table sy_rules_power = { rules, sizeof rules / sizeof *rules };
