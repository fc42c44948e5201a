/* Fuzz target: what a program writes to its terminal. The input drives one session: bytes are fed, and 0xFE N begins an action (time passes,
 * a command is typed, a reply is fetched, the program ends). Whatever comes, memory is bounded, states only go the ways they may, a reply is
 * valid UTF-8 within its limit, and the screen is the same in one piece as byte by byte. */
#include "symbi/json.h"
#include "symbi/session.h"
#include "symbi/sys/clock.h"
#include "toolclad/session_screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 200 };
static const char manifest[] =
    "[tool]\nname = \"f\"\nversion = \"1\"\ndescription = \"d\"\n"
    "[session]\nstartup_command = \"x\"\nready_pattern = '^(a+|[^>]*)> $'\nmax_interactions = 5\nidle_timeout_seconds = 2\nsession_timeout_seconds = 60\n"
    "[session.interaction]\noutput_max_bytes = 200\noutput_wait_ms = 100\n[session.events]\nmax_queue_depth = 3\nttl_seconds = 1\n[session.states]\nerr = 'oops'\n"
    "%s[session.commands.any]\npattern = '^.+$'\ndescription = \"d\"\n[output]\nformat = \"json\"\n";
/* Of what the first byte chooses: no child session, one without a contract, one with it. */
static const char *const children[] = { "", "[session.child_detection]\npattern = 'opened|^c'\n", "[session.child_detection]\npattern = 'opened|^c'\nmanifest = \"c\"\n" };
static const char child_manifest[] = "[tool]\nname = \"c\"\n[session]\nstartup_command = \"x\"\nready_pattern = '^c*[$] $'\n[session.states]\nup = 'c'\n[session.commands.any]\npattern = '^.+$'\ndescription = \"d\"\n[output]\nformat = \"text\"\n";

static void must(int ok)
{
    if (!ok) abort();
}

static void *heap(void *ud, void *p, size_t o, size_t n)
{
    (void)ud, (void)o;
    if (n) return realloc(p, n);
    free(p);
    return NULL;
}

static void same_screen(const uint8_t *data, size_t size)
{
    const symbi_alloc a = { heap, NULL };
    sy_screen one, many;
    sy_screen_init(&one, a, CAP);
    sy_screen_init(&many, a, CAP);
    must(sy_screen_feed(&one, (symbi_str){ (const char *)data, size }) == SYMBI_OK);
    for (size_t i = 0; i < size; i++) must(sy_screen_feed(&many, (symbi_str){ (const char *)data + i, 1 }) == SYMBI_OK);
    must(one.text.n == many.text.n && one.line.n == many.line.n && one.text.n <= CAP && one.line.n <= SY_SCREEN_LINE);
    must(!one.text.n || !memcmp(one.text.p, many.text.p, one.text.n));
    must(!one.line.n || !memcmp(one.line.p, many.line.p, one.line.n));
    for (size_t i = 0; i < one.line.n; i++) must((unsigned char)one.line.p[i] >= 0x20 || one.line.p[i] == '\t');
    for (size_t i = 0; i < one.text.n; i++) must((unsigned char)one.text.p[i] >= 0x20 || one.text.p[i] == '\t' || one.text.p[i] == '\n');
    sy_screen_free(&one);
    sy_screen_free(&many);
}

static void fetch(symbi_ctx *cx, symbi_tool *t, const symbi_plan *p, symbi_session *s, int64_t now)
{
    symbi_doc *d = NULL, *env = NULL;
    symbi_text text;
    symbi_err e;
    if (symbi_session_reply(s, now, &d, &e)) return;
    must(symbi_value_str(symbi_doc_root(d), "output", (symbi_str){ NULL, 0 }).n <= 3 * (CAP + 2 * SYMBI_SESSION_LINE_MAX));
    must(symbi_tool_envelope_of(cx, symbi_tool_command_at(t, 0), p, symbi_doc_root(d), &env, &e) == SYMBI_OK);
    must(symbi_json_write(cx, symbi_doc_root(env), 0, &text, &e) == SYMBI_OK); /* so it is valid UTF-8 */
    symbi_text_free(&text);
    symbi_doc_unref(env);
    symbi_doc_unref(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    symbi_ctx *cx = NULL;
    symbi_tool *t = NULL, *ct = NULL;
    symbi_doc *args = NULL;
    symbi_plan *p = NULL, *cp = NULL;
    symbi_session *s = NULL;
    char mtext[2000];
    unsigned how = size ? data[0] % 3 : 0;
    symbi_text log;
    symbi_member m = { { "command", 7 }, { .kind = SYMBI_STRING } };
    symbi_value given = { .kind = SYMBI_OBJECT };
    symbi_session_info in;
    symbi_err e;
    int64_t now = 1000;
    size_t from = 0;
    same_screen(data, size);
    m.val.u.s = symbi_str_z("go");
    given.u.o.members = &m;
    given.u.o.n = 1;
    must(symbi_ctx_new(NULL, &cx, &e) == SYMBI_OK);
    must(snprintf(mtext, sizeof mtext, manifest, children[how]) < (int)sizeof mtext);
    must(symbi_tool_parse(cx, symbi_str_z(child_manifest), symbi_str_z("c"), &ct, &e) == SYMBI_OK);
    must(symbi_tool_parse_child(cx, symbi_str_z(mtext), symbi_str_z("f"), NULL, how == 2 ? ct : NULL, &t, &e) == SYMBI_OK);
    must(symbi_tool_command_count(t) == (how == 2 ? 2 : 1));
    symbi_tool_unref(ct);
    if (how == 2) must(symbi_tool_plan(cx, symbi_tool_command_at(t, 1), &given, NULL, &cp, &e) == SYMBI_OK);
    must(symbi_tool_validate(cx, symbi_tool_command_at(t, 0), &given, &args, &e) == SYMBI_OK);
    must(symbi_tool_plan(cx, symbi_tool_command_at(t, 0), symbi_doc_root(args), NULL, &p, &e) == SYMBI_OK);
    must(symbi_session_new(cx, p, now, now, &s, &e) == SYMBI_OK);
    for (size_t i = 0; i <= size; i++) {
        symbi_session_state was;
        symbi_str typed;
        if (i < size && (data[i] != 0xfe || i + 1 == size)) continue;
        must(symbi_session_feed(s, (symbi_str){ (const char *)data + from, i - from }, now, now, &e) == SYMBI_OK);
        if (i == size) break;
        symbi_session_get_info(s, &in);
        was = in.state;
        i++;
        from = i + 1;
        switch (data[i] & 7) {
        case 0: now += 10; break;
        case 1: now += 40; break;
        case 2: now += data[i] * 10; break;
        case 3:
            if (symbi_session_begin(s, cp && data[i] & 16 ? cp : p, now, now, &typed, &e) == SYMBI_OK) {
                must(typed.n == 3 && !memcmp(typed.p, "go\n", 3));
                symbi_session_get_info(s, &in);
                must((in.child.n > 0) == (cp && data[i] & 16)); /* a line for one program is never typed into another */
                must(in.state == SYMBI_SESSION_BUSY && in.interactions <= 5);
            }
            break;
        case 4: fetch(cx, t, p, s, now); break;
        case 5: symbi_session_echo(s, data[i] & 8); break;
        case 6:
            if (symbi_session_transcript(s, &log, &e) == SYMBI_OK) symbi_text_free(&log);
            break;
        default: symbi_session_ended(s, data[i], 0, 0, now); break;
        }
        symbi_session_tick(s, now, now);
        symbi_session_get_info(s, &in);
        must(was <= SYMBI_SESSION_BUSY || in.state == was); /* an end is for good */
        must(in.state != SYMBI_SESSION_SPAWNING || was == SYMBI_SESSION_SPAWNING);
        must(in.events <= 3);
        must((in.state > SYMBI_SESSION_BUSY) == (symbi_session_due(s, now) == -1));
    }
    symbi_session_free(s);
    symbi_plan_unref(p);
    symbi_plan_unref(cp);
    symbi_doc_unref(args);
    symbi_tool_unref(t);
    symbi_ctx_free(cx);
    return 0;
}
