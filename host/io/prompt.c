/* io/prompt.c: one line from a terminal without showing it. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "symbi/io.h"
#include "symbi/crypto.h"

#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { SY_LINE = 65536 };

static void say(const char *p)
{
    size_t n = strlen(p);
    while (n) {
        ssize_t w = write(STDERR_FILENO, p, n);
        if (w < 0 && errno != EINTR) return;
        if (w > 0) p += w, n -= (size_t)w;
    }
}

/* One key at a time, so that Ctrl-C comes as a byte: were it a signal, the process could end with a terminal that shows nothing any
 * more. Backspace and Ctrl-U edit. OK at the end of the line. */
static symbi_status read_line(char *line, size_t *n, symbi_err *err)
{
    enum { CTRL_C = 3, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, DELETE = 127 };
    for (;;) {
        char c;
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return sy_fail(err, SYMBI_EIO, "no line from the terminal: %s", strerror(errno));
        if (got == 0 || c == CTRL_C || (c == CTRL_D && !*n)) return sy_fail(err, SYMBI_EABORT, "nothing was typed");
        if (c == '\n' || c == '\r' || c == CTRL_D) return SYMBI_OK;
        if (c == CTRL_U) *n = 0;
        else if (c == BACKSPACE || c == DELETE) {
            while (*n && ((unsigned char)line[--*n] & 0xc0) == 0x80) {} /* a whole character */
        } else if (*n + 1 == SY_LINE) return sy_fail(err, SYMBI_ELIMIT, "the line is longer than %d bytes", SY_LINE - 2);
        else line[(*n)++] = c;
    }
}

symbi_status symbi_io_prompt(symbi_ctx *cx, const char *prompt, symbi_text *out, symbi_err *err)
{
    struct termios old, quiet;
    char *line;
    size_t n = 0;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (tcgetattr(STDIN_FILENO, &old)) return sy_fail(err, SYMBI_EUNSUPPORTED, "standard input is no terminal");
    line = sy_alloc(&cx->alloc, SY_LINE);
    if (!line) return sy_fail_nomem(err);
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    say(prompt);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet)) st = sy_fail(err, SYMBI_EIO, "the terminal cannot be silenced: %s", strerror(errno));
    else st = read_line(line, &n, err);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &old);
    say("\n");
    if (st) {
        symbi_wipe(line, SY_LINE);
        sy_free(&cx->alloc, line, SY_LINE);
        return st;
    }
    line[n] = 0;
    *out = (symbi_text){ .p = line, .n = n, .cap = SY_LINE, .alloc = cx->alloc };
    return SYMBI_OK;
}
