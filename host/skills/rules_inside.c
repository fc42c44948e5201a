/* skills/rules_inside.c: strict rules: other processes, the loader and the kernel. Letters match in either case unless a rule says otherwise; each
 * example is a test (tests/unit/skills_rules_test.c). */
#include "skills/skills.h"
#include "skills/rules_strict.h"

static const symbi_skill_rule rules[] = {
    { "ptrace", "injection", "Another process is taken over by ptrace",
     "\\bptrace\\s*\\(\\s*(?:ptrace_\\w|\\d+\\s*,)",
     SYMBI_SKILL_CRITICAL, { "ptrace(PTRACE_ATTACH, pid, 0, 0)", "libc.ptrace(16, pid, 0, 0)", "ptrace ( PTRACE_SEIZE, pid" }, { "PTRACE_ATTACH constant" }, 0 },
    { "preload", "injection", "A library is put in front of those a program loads",
     "\\b(?:ld_preload|ld_audit|dyld_insert_libraries|dyld_library_path|dyld_framework_path)(?:\\s*=(?:[^=]|$)|[\"\\x27]\\s*\\]?\\s*[=,]\\s*[frb]?[\"\\x27][/.~$])|\\bld_library_path\\s*=\\s*[\"\\x27]?(?:[^/$=\"\\x27\\s]|/[^ulo\\s]|$|\\$\\{?(?:pwd|home)|\\s)",
     SYMBI_SKILL_CRITICAL, { "LD_PRELOAD=/tmp/e.so ls", "export LD_LIBRARY_PATH=/tmp", "os.environ[\"LD_PRELOAD\"]=\"/tmp/e.so\"", "setenv(\"LD_PRELOAD\", \"/tmp/e.so\", 1)" }, { "LD_PRELOAD is a variable", "export LD_LIBRARY_PATH=/usr/local/lib", "if LD_PRELOAD == x" }, 0 },
    { "preload-file", "injection", "The configuration of the loader",
     "/etc/ld\\.so\\.preload\\b|/etc/ld\\.so\\.conf(?:\\.d)?\\b.*(?:>|tee)|(?:>|tee).*/etc/ld\\.so\\.conf",
     SYMBI_SKILL_CRITICAL, { "echo /tmp/e.so > /etc/ld.so.preload" }, { "ld.so is the loader" }, 0 },
    { "process-memory", "injection", "The memory of a process",
     "/proc/(?:\\d+|self|[$%{][^/\\s]{0,20}|\\*|[\"\\x27`]?\\s*\\+\\s*[\\w.()]+\\s*\\+\\s*[\"\\x27`]?)/mem(?:$|\\W)",
     SYMBI_SKILL_CRITICAL, { "dd if=/proc/1/mem", "/proc/self/mem", "open(\"/proc/%d/mem\" % pid)", "dd of=/proc/$$/mem" }, { "/proc/self/memory", "/proc/meminfo" }, 0 },
    { "debugger-attach", "injection", "A debugger is attached to a process",
     "\\bgdb\\s+(?:.*\\s)?(?:-p|--?pid|attach)(?:$|[\\s=\\d])|\\b(?:strace|ltrace|lldb|frida(?:-trace)?|gcore|dtruss)\\s+(?:.*\\s)?(?:-p|--pid|--attach-pid|-"
     "n)(?:$|[\\s=\\d])",
     SYMBI_SKILL_CRITICAL, { "gdb -p 1234", "strace -p 1", "gdb -pid 1" }, { "gdb -batch -ex bt ./core", "strace ls" }, 0 },
    { "environment-hijack", "injection", "A variable makes other programs run something",
     "\\b(?:pythonstartup|perl5opt|rubyopt|bash_env|prompt_command|git_external_diff|git_askpass|lesspipe|lessopen)\\s*=\\s*\\S|\\bgit_ssh_command\\s*=\\s*[\"\\x27]?(?:[^s\"\\x27\\s]|s[^s])|\\bnode_opti"
     "ons\\s*=\\s*[\"\\x27]?--(?:require|import|loader|experimental-loader)[= ]\\s*[\"\\x27]?(?:/tmp|/var/tmp|/dev/shm|https?:|data:|~/\\.|\\./\\.)",
     SYMBI_SKILL_HIGH, { "GIT_SSH_COMMAND=/tmp/x git pull", "export BASH_ENV=/tmp/x", "NODE_OPTIONS=\"--require /tmp/x.js\" node a" }, { "NODE_OPTIONS=--max-old-space-size=4096", "NODE_OPTIONS='--require ./a.js' node b", "GIT_SSH_COMMAND=\"ssh -i k\" git pull" }, 0 },
    { "raw-memory", "injection", "The memory of the machine",
     "/dev/(?:k?mem|port)(?:$|\\W)",
     SYMBI_SKILL_CRITICAL, { "dd if=/dev/mem of=x" }, { "/dev/memory", "/dev/null" }, 0 },
    { "process-vm", "injection", "The memory of another process is read or written",
     "\\bprocess_vm_(?:writev|readv)\\s*\\(",
     SYMBI_SKILL_CRITICAL, { "process_vm_writev(pid, l, 1, r, 1, 0)" }, { "process_vm is a word" }, 0 },
    { "windows-injection", "injection", "Code is put into another process",
     "\\b(?:createremotethread|writeprocessmemory|virtualallocex|ntmapviewofsection|queueuserapc|setwindowshookex[aw]?|ntunmapviewofsection|rtlcreateuserthr"
     "ead)\\b",
     SYMBI_SKILL_CRITICAL, { "CreateRemoteThread(h, 0, 0, a, 0, 0, 0)" }, { "CreateThread(0)" }, 0 },
    { "shellcode", "injection", "Machine code hidden in data",
     "\\bctypes\\b.*\\b(?:mmap|virtualalloc|memmove|cfunctype|rtlmovememory)\\b|\\bmprotect\\s*\\(.*prot_exec|(?:\\\\x[0-9a-f]{2}){24}|\\bmemfd_create"
     "\\b|\\bmsfvenom\\b|\\bmeterpreter\\b",
     SYMBI_SKILL_HIGH, { "memfd_create(\"x\", 1)", "ctypes.windll.kernel32.VirtualAlloc" }, { "import ctypes" }, 0 },
    { "kernel-module", "injection", "A kernel module is loaded",
     "\\b(?:insmod|kextload)\\s+(?:-\\S+\\s+)*[\"\\x27]?(?:[./~$]|\\S+\\.k(?:o|ext)\\b)|(?:^|[;&|(]\\s*|\\bsudo\\s+|\\$\\s)modprobe\\s+(?:-\\S+\\s+)*\\w|/li"
     "b/modules/\\S+\\.ko\\b|\\bkexec\\s+-\\w*[lep]\\b",
     SYMBI_SKILL_CRITICAL, { "insmod ./r.ko", "kexec -l /tmp/k" }, { "the insmod tool" }, SY_RULE_MENTION },
    { "binfmt", "injection", "A setting of the kernel is changed",
     "/proc/sysrq-trigger\\b|/proc/sys/(?:fs/binfmt_misc/register|kernel/(?:core_pattern|modprobe|sysrq|randomize_va_space|yama/ptrace_scope))|\\bsysctl\\s+-w\\s+\\S",
     SYMBI_SKILL_HIGH, { "echo \"|/tmp/x\" > /proc/sys/kernel/core_pattern", "sysctl -w kernel.yama.ptrace_scope=0" }, { "sysctl -a" }, 0 },
};
const sy_rule_table sy_rules_inside = { rules, sizeof rules / sizeof *rules };
