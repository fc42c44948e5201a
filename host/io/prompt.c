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

symbi_status symbi_io_prompt(symbi_ctx *cx, const char *prompt, symbi_text *out, symbi_err *err)
{
    struct termios old, quiet;
    char *line;
    size_t n = 0;
    ssize_t got = 0;
    symbi_status st = SYMBI_OK;
    memset(out, 0, sizeof *out);
    if (tcgetattr(STDIN_FILENO, &old)) return sy_fail(err, SYMBI_EUNSUPPORTED, "standard input is no terminal");
    line = sy_alloc(&cx->alloc, SY_LINE);
    if (!line) return sy_fail_nomem(err);
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    quiet.c_lflag |= ICANON;
    say(prompt);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet)) st = sy_fail(err, SYMBI_EIO, "the terminal cannot be silenced: %s", strerror(errno));
    while (!st && n + 1 < SY_LINE && (got = read(STDIN_FILENO, line + n, 1)) == 1 && line[n] != '\n') n++;
    if (!st && got < 0) st = sy_fail(err, errno == EINTR ? SYMBI_EABORT : SYMBI_EIO, "no line from the terminal: %s", strerror(errno));
    if (!st && got == 0 && !n) st = sy_fail(err, SYMBI_EABORT, "nothing was typed");
    if (!st && n + 1 == SY_LINE) st = sy_fail(err, SYMBI_ELIMIT, "the line is longer than %d bytes", SY_LINE - 2);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
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
