"""tests/env/repl/session.py SYMBI_LUA FOLDER: symbi-lua -i on a real terminal (a PTY): what a person types, what the screen shows."""
import os, pty, re, select, signal, stat, sys, termios, time

symbi, folder = sys.argv[1], sys.argv[2]
passed = failed = 0


def result(ok, what, screen=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print("FAIL", what)
        print("   ", repr(screen[-200:]))


class Session:
    def __init__(self, *words, home=None, term="xterm", **env):
        self.home = home or folder
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.clear()
            os.environ.update({"HOME": self.home, "TERM": term, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **env})
            os.execv(symbi, [symbi, *words])
        self.screen = ""

    def until(self, pattern, seconds=20):
        """Reads until the new output matches; returns it (and takes it away)."""
        end = time.monotonic() + seconds
        while True:
            text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", self.screen)
            m = re.search(pattern, text, re.S | re.M)
            if m:
                self.screen = ""
                return text
            left = end - time.monotonic()
            if left <= 0:
                return None
            if select.select([self.fd], [], [], left)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    data = b""
                if not data:
                    text = self.screen
                    return text if re.search(pattern, text, re.S | re.M) else None
                self.screen += data.decode("utf-8", "replace")

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, typed, pattern, what):
        self.type(typed)
        got = self.until(pattern)
        result(got is not None, what, self.screen)
        return got

    def end(self):
        stop = time.monotonic() + 20
        while time.monotonic() < stop:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    if not os.read(self.fd, 65536):
                        time.sleep(0.05)
                except OSError:
                    time.sleep(0.05)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return "hangs"


s = Session("-i")
result(s.until(r"Ctrl-D ends\.\s+> ") is not None, "it greets and asks", s.screen)
s.expect("1 + 2\r", r"^3\s+> ", "an expression shows its value")
s.expect("=nil, 'a\\27b'\r", r'^nil\t"a\\027b"\s+> ', "=expr, and nothing that the terminal obeys")
s.expect("x = { list = { 1, 2 }, name = 'n' }\r", r"\n> ", "a statement shows nothing")
s.expect("x\r", r'\{ list = \{ 1, 2 \}, name = "n" \}\s+> ', "a table is readable")
s.expect("function f(a)\r", r">> ", "an incomplete chunk asks for more")
s.expect("  return a * 2\r", r">> ", "and more")
s.expect("end\r", r"\n> ", "until it is complete")
s.expect("f(21)\r", r"^42\s+> ", "and it was one function")
s.expect("x = = 1\r", r"stdin:1: unexpected symbol near '='\s+> ", "a syntax error is one line, and the session goes on")
got = s.expect("local function g() error('boom') end g()\r", r"stdin:1: boom\s+stack traceback:.*\n> ", "an error has a traceback")
result(got is not None and "repl.lua" not in got and "protect" not in got, "the traceback shows the user's own code only", got or "")
s.expect("error(setmetatable({}, { __tostring = function() return 'as text' end }))\r", r"as text.*> ", "an error object is shown as text")
s.expect("error()\r", r"nil.*> ", "an error without a value")
# completion
s.expect("symbi.jso\t", r"symbi\.jso\s*n$", "a module of symbi is completed")
s.expect(".decode('[1]')\r", r"\{ 1 \}\s+> ", "and is the module")
s.expect("symbi.too\t", r"symbi\.too\s*l", "so far as the candidates agree")
s.expect("\t", r"tool +toolclad", "a second Tab shows them")
s.expect("\x15", r"", "the line is thrown away")
s.until(r".", 0.3)
s.expect("string.le\t('abc')\r", r"^3\s+> ", "a library's field is completed")
s.expect("x.na\t\r", r'"n"\s+> ', "a table's own field")
# history
s.expect("\x10\r", r'"n"\s+> ', "the line before comes back")
# Ctrl-C
s.type("print('be' .. 'gun') while true do end\r")
s.until(r"begun\s")
s.expect("\x03", r"interrupted\s+> ", "Ctrl-C ends a chunk, not the session")
s.type("print('again ' .. 'begun') while true do pcall(function() while true do end end) end\r")
s.until(r"again begun\s")
s.expect("\x03", r"interrupted\s+> ", "also one that catches errors")
s.expect("'still ' .. 'here'\r", r'"still here"\s+> ', "and what was typed before is there")
s.type("half a line")
s.until("half a line")
s.expect("\x03", r"\^C\s+> ", "Ctrl-C throws a half-typed line away")
s.expect("f(\r", r">> ", "an open call")
s.expect("\x03", r"\^C\s+> ", "Ctrl-C leaves the continuation")
s.expect("1\r", r"^1\s+> ", "and the next line begins anew")
s.expect(" secret = 'hidden'\r", r"\n> ", "a line that begins with a space")
s.expect("'äö'\r", r'"äö"\s+> ', "letters beyond ASCII")
s.type("\x04")
result(s.end() == 0, "Ctrl-D ends with status 0")

path = os.path.join(folder, ".local/state/symbi-lua/history")
text = open(path).read() if os.path.exists(path) else ""
result(text.startswith("1 + 2\n"), "the history is a file of lines", text)
result("secret" not in text, "without what began with a space", text)
result(os.path.exists(path) and stat.S_IMODE(os.stat(path).st_mode) == 0o600, "that nobody else can read")
result(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700, "in a folder of the same kind")

s = Session("-i")
s.until(r"> ")
s.expect("\x10\r", r'"äö"\s+> ', "the next session has the lines of the last")
s.expect("os.exit(3)\r", r"", "os.exit")
result(s.end() == 3, "os.exit ends with its status")

# where the history goes, and where it cannot
state = os.path.join(folder, "state")
s = Session("-i", XDG_STATE_HOME=state)
s.until(r"> ")
s.expect("5\r", r"^5\s+> ", "with XDG_STATE_HOME")
s.type("\x04")
s.end()
result(os.path.exists(os.path.join(state, "symbi-lua/history")), "the history is there")
s = Session("-i", SYMBI_LUA_HISTORY="")
s.until(r"> ")
s.expect("6\r", r"^6\s+> ", "with no history")
s.type("\x04")
result(s.end() == 0 and "6\n" not in open(path).read().splitlines(True)[-1:], "nothing is kept")
s = Session("-i", XDG_STATE_HOME="/proc/nowhere")
result(s.until(r"no history.*> ") is not None, "a place that cannot be written is said once", s.screen)
s.expect("7\r8\r", r"^8\s+> ", "and the session goes on")
s.type("\x04")
result(s.end() == 0, "to its end")
big = os.path.join(folder, "big")
with open(big, "w") as f:
    f.writelines(f"x{i} = {i}\n" for i in range(5000))
s = Session("-i", SYMBI_LUA_HISTORY=big)
s.until(r"> ")
s.expect("\x10\r", r"x4999 = 4999\s+> ", "a long history ends with its last line")
s.type("\x04")
s.end()
result(len(open(big).readlines()) <= 1001 and stat.S_IMODE(os.stat(big).st_mode) == 0o600, "and is cut")

# a script first, a terminal that can do nothing, a hang-up
script = os.path.join(folder, "first.lua")
with open(script, "w") as f:
    f.write("loaded = ...\n")
s = Session("-i", script, "word")
s.until(r"> ")
s.expect("loaded\r", r'"word"\s+> ', "-i SCRIPT: the script ran before")
s.type("\x04")
result(s.end() == 0, "and the session ends")
s = Session("-i", "-e", "y = 9")
s.until(r"> ")
s.expect("y\r", r"^9\s+> ", "-e CODE -i")
s.type("\x04")
s.end()
s = Session("-i", term="dumb")
s.until(r"> ")
s.expect("3 * 3\r", r"9\s+> ", "on a dumb terminal")
s.type("\x04")
result(s.end() == 0, "to its end")
s = Session("-i")
s.until(r"> ")
os.close(s.fd)
s.fd = os.open("/dev/null", os.O_RDWR)
result(s.end() != "hangs", "a terminal that goes away ends it")

print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(failed != 0)
