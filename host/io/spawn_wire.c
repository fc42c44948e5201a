/* io/spawn_wire.c: encoding and strict decoding of the spawner's frames. Every length is checked against what is left before
 * it is used; trailing bytes, a missing NUL, a NUL inside a string and an unknown type are errors of the whole frame. */
#include "io/spawn_wire.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

static const char magic[4] = { 'S', 'Y', 'X', '1' };

void sy_xw_put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

void sy_xw_put64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint32_t get32(const char *p)
{
    const uint8_t *u = (const uint8_t *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static uint64_t get64(const char *p) { return (uint64_t)get32(p) << 32 | get32(p + 4); }

/* What is left of a payload; ok turns false at the first thing that does not fit, and stays so. */
typedef struct reader {
    const char *p, *end;
    bool ok;
} reader;

static const char *take(reader *r, size_t n)
{
    const char *p = r->p;
    if (!r->ok || (size_t)(r->end - r->p) < n) {
        r->ok = false;
        return NULL;
    }
    r->p += n;
    return p;
}

static uint32_t take32(reader *r)
{
    const char *p = take(r, 4);
    return p ? get32(p) : 0;
}

static uint64_t take64(reader *r)
{
    const char *p = take(r, 8);
    return p ? get64(p) : 0;
}

static symbi_str take_str(reader *r, bool text)
{
    symbi_str s = { "", 0 };
    uint32_t n = take32(r);
    const char *p = take(r, (size_t)n + 1);
    if (!p) return s;
    if (p[n] != 0 || (text && memchr(p, 0, n))) {
        r->ok = false;
        return s;
    }
    s.p = p;
    s.n = n;
    return s;
}

symbi_status sy_xw_read_head(symbi_str b, size_t max, sy_xw_head *out, symbi_err *err)
{
    size_t n = b.n < sizeof magic ? b.n : sizeof magic;
    if (n && memcmp(b.p, magic, n)) return sy_fail(err, SYMBI_EPARSE, "not a frame of the spawner (it starts with SYX1)");
    if (b.n < SY_XW_HEAD) return SYMBI_EAGAIN;
    out->len = get32(b.p + 4);
    out->id = get64(b.p + 8);
    if (!out->len || out->len > max) return sy_fail(err, SYMBI_EPARSE, "a frame of %lu bytes, at most %lu are allowed", (unsigned long)out->len, (unsigned long)max);
    return SYMBI_OK;
}

void sy_xw_write_head(uint8_t out[SY_XW_HEAD], uint64_t id, size_t payload)
{
    memcpy(out, magic, sizeof magic);
    sy_xw_put32(out + 4, (uint32_t)payload);
    sy_xw_put64(out + 8, id);
}

static void put_str(sy_buf *b, symbi_str s)
{
    sy_buf_u32be(b, (uint32_t)s.n);
    sy_buf_adds(b, s);
    sy_buf_addc(b, 0);
}

/* Flags of a request, in its second byte: which of the parts after the environment are there. */
enum { X_BWRAP = 1, X_NETWORK = 2, X_OUTPUT = 4, X_FILES = 8, X_PARSER = 16, X_CAPTURE = 32, X_ALL = 63 };

static symbi_status check_text(symbi_str s, const char *what, symbi_err *err)
{
    if (s.n && memchr(s.p, 0, s.n)) return sy_fail(err, SYMBI_EINVAL, "the plan's %s holds a NUL byte", what);
    return SYMBI_OK;
}

static symbi_status check_list(const symbi_str *s, size_t n, const char *what, size_t *size, symbi_err *err)
{
    if (n > SY_XW_MAX_PATHS) return sy_fail(err, SYMBI_ELIMIT, "the plan's %s are more than %d", what, SY_XW_MAX_PATHS);
    for (size_t i = 0; i < n; i++) {
        symbi_status st = check_text(s[i], what, err);
        if (st) return st;
        if (!s[i].n || s[i].n > SY_XW_MAX_PATH) return sy_fail(err, SYMBI_EINVAL, "the plan's %s: a path is empty or longer than %d bytes", what, SY_XW_MAX_PATH);
        *size += s[i].n + 5;
    }
    *size += 4;
    return SYMBI_OK;
}

static bool names_evidence(const symbi_plan *p) { return p->capture || (p->box && p->box_output); }

static symbi_status check_plan(const symbi_plan *plan, symbi_str args_json, symbi_str permit, size_t *size, symbi_err *err)
{
    const struct { symbi_str s; const char *what; } one[] = { { plan->tool, "tool name" }, { plan->scan_id, "scan id" }, { plan->cwd, "folder" } };
    size_t n = 4 + 24 + 32 + 8 + 5 * 5 + args_json.n + permit.n;
    symbi_status st;
    if (plan->kind != SYMBI_BACKEND_SHELL) return sy_fail(err, SYMBI_EINVAL, "only a plan of kind shell can be run as a process");
    if (!plan->argc || !plan->argv[0].n) return sy_fail(err, SYMBI_EINVAL, "the plan names no program");
    if (plan->argc > SY_XW_MAX_WORDS || plan->nenv > SY_XW_MAX_WORDS) return sy_fail(err, SYMBI_ELIMIT, "the plan has more than %d arguments or environment entries", SY_XW_MAX_WORDS);
    for (size_t i = 0; i < 3; i++) {
        if ((st = check_text(one[i].s, one[i].what, err))) return st;
        n += one[i].s.n;
    }
    for (size_t i = 0; i < plan->argc; i++) {
        if ((st = check_text(plan->argv[i], "arguments", err))) return st;
        if (plan->argv[i].n > SY_XW_MAX_EXEC) n = SIZE_MAX / 2;
        n += plan->argv[i].n + 5;
    }
    for (size_t i = 0; i < plan->nenv; i++) {
        if ((st = check_text(plan->env[i], "environment", err))) return st;
        if (plan->env[i].n > SY_XW_MAX_EXEC) n = SIZE_MAX / 2;
        n += plan->env[i].n + 5;
    }
    if (plan->box && (plan->box != SYMBI_BOX_BWRAP)) return sy_fail(err, SYMBI_EINVAL, "the plan asks for an unknown sandbox");
    if ((st = check_list(plan->check_files, plan->ncheck_files, "files to check", &n, err)) || (st = check_list(&plan->parser, plan->parser.n ? 1 : 0, "parser", &n, err))) return st;
    if (plan->box && ((st = check_list(plan->box_write, plan->nbox_write, "sandbox_write", &n, err)) || (st = check_list(plan->box_hide, plan->nbox_hide, "sandbox_hide", &n, err)))) return st;
    if ((st = check_list(&plan->output_file, names_evidence(plan), "evidence file", &n, err))) return st;
    if (n > SY_XW_MAX_EXEC) return sy_fail(err, SYMBI_ELIMIT, "the command and its environment are larger than %d bytes", SY_XW_MAX_EXEC);
    *size = n;
    return SYMBI_OK;
}

static void put_list(sy_buf *b, const symbi_str *s, size_t n)
{
    sy_buf_u32be(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++) put_str(b, s[i]);
}

symbi_status sy_xw_write_exec(sy_buf *b, const symbi_plan *plan, symbi_str args_json, symbi_str permit, uint64_t id, symbi_err *err)
{
    uint8_t head[SY_XW_HEAD], type[4] = { SY_XW_EXEC, 0, 0, 0 };
    size_t size = 0, at = b->n;
    symbi_status st = check_plan(plan, args_json, permit, &size, err);
    if (st) return st;
    sy_buf_reserve(b, SY_XW_HEAD + size);
    memset(head, 0, sizeof head);
    sy_buf_add(b, head, sizeof head);
    if (plan->box) type[1] = (uint8_t)(X_BWRAP | (plan->box_network ? X_NETWORK : 0) | (plan->box_output ? X_OUTPUT : 0));
    if (plan->ncheck_files) type[1] |= X_FILES;
    if (plan->parser.n) type[1] |= X_PARSER;
    if (plan->capture) type[1] |= X_CAPTURE;
    sy_buf_add(b, type, sizeof type);
    sy_buf_u64be(b, plan->timeout_ms > 0 ? (uint64_t)plan->timeout_ms : 0);
    sy_buf_u64be(b, plan->stdout_max);
    sy_buf_u64be(b, plan->stderr_max);
    sy_buf_add(b, plan->digest, sizeof plan->digest);
    put_str(b, permit);
    put_str(b, plan->tool);
    put_str(b, plan->scan_id);
    put_str(b, plan->cwd);
    put_str(b, args_json);
    put_list(b, plan->argv, plan->argc);
    put_list(b, plan->env, plan->nenv);
    if (plan->ncheck_files) put_list(b, plan->check_files, plan->ncheck_files);
    if (plan->box) put_list(b, plan->box_write, plan->nbox_write), put_list(b, plan->box_hide, plan->nbox_hide);
    if (names_evidence(plan)) put_str(b, plan->output_file);
    if (plan->parser.n) put_str(b, plan->parser);
    if (sy_buf_status(b)) return sy_buf_status(b) == SYMBI_ENOMEM ? sy_fail_nomem(err) : sy_fail(err, SYMBI_ELIMIT, "too many requests wait for the spawner");
    sy_xw_write_head(head, id, b->n - at - SY_XW_HEAD);
    memcpy(b->p + at, head, sizeof head);
    return SYMBI_OK;
}

void sy_xw_write_kill(sy_buf *b, uint64_t id)
{
    uint8_t f[SY_XW_HEAD + 1];
    sy_xw_write_head(f, id, 1);
    f[SY_XW_HEAD] = SY_XW_KILL;
    sy_buf_add(b, f, sizeof f);
}

static void take_words(reader *r, symbi_str *out, char **z, uint32_t n)
{
    for (uint32_t i = 0; i < n && r->ok; i++) {
        symbi_str s = take_str(r, true);
        if (out) out[i] = s, memcpy(&z[i], &s.p, sizeof z[i]); /* execve wants char *, and does not write */
    }
}

/* The lists after the environment: counted with out NULL, taken into out otherwise. */
static uint32_t take_paths(reader *r, symbi_str *out)
{
    uint32_t n = take32(r);
    if (n > SY_XW_MAX_PATHS) r->ok = false;
    for (uint32_t i = 0; i < n && r->ok; i++) {
        symbi_str s = take_str(r, true);
        if (!s.n || s.n > SY_XW_MAX_PATH) r->ok = false;
        if (out) out[i] = s;
    }
    return r->ok ? n : 0;
}

symbi_status sy_xw_read_exec(symbi_str payload, const symbi_alloc *a, sy_xw_exec *out, symbi_err *err)
{
    reader r = { payload.p, payload.p + payload.n, true }, words;
    symbi_plan *p = &out->rq.plan;
    uint32_t flags, nfiles = 0, nwrite = 0, nhide = 0;
    const char *d;
    uint32_t argc, nenv;
    uint64_t timeout, omax, emax;
    symbi_str *av, *ev, *fv, *wv, *hv;
    char **az, **ez;
    memset(out, 0, sizeof *out);
    d = take(&r, 4);
    if (!d || d[0] != SY_XW_EXEC || ((uint8_t)d[1] & ~X_ALL) || d[2] || d[3]) return sy_fail(err, SYMBI_EPARSE, "not a request to run a tool");
    flags = (uint8_t)d[1];
    if ((flags & (X_NETWORK | X_OUTPUT)) && !(flags & X_BWRAP)) r.ok = false;
    timeout = take64(&r);
    omax = take64(&r);
    emax = take64(&r);
    d = take(&r, 32);
    if (d) memcpy(p->digest, d, 32);
    out->rq.permit = take_str(&r, false);
    p->tool = take_str(&r, true);
    p->scan_id = take_str(&r, true);
    p->cwd = take_str(&r, true);
    out->rq.args_json = take_str(&r, false);
    words = r;
    argc = take32(&r);
    if (argc == 0 || argc > SY_XW_MAX_WORDS) r.ok = false;
    take_words(&r, NULL, NULL, argc);
    nenv = take32(&r);
    if (nenv > SY_XW_MAX_WORDS) r.ok = false;
    take_words(&r, NULL, NULL, nenv);
    if ((flags & X_FILES) && !(nfiles = take_paths(&r, NULL))) r.ok = false; /* there to say something */
    if (flags & X_BWRAP) nwrite = take_paths(&r, NULL), nhide = take_paths(&r, NULL);
    p->output_file.p = "";
    if (flags & (X_OUTPUT | X_CAPTURE)) {
        p->output_file = take_str(&r, true);
        if (!p->output_file.n || p->output_file.n > SY_XW_MAX_PATH) r.ok = false;
    }
    p->parser.p = "";
    if (flags & X_PARSER) {
        p->parser = take_str(&r, true);
        if (!p->parser.n || p->parser.n > SY_XW_MAX_PATH || p->parser.p[0] != '/') r.ok = false;
    }
    if (!r.ok || r.p != r.end || timeout > INT64_MAX || omax > SIZE_MAX / 4 || emax > SIZE_MAX / 4) return sy_fail(err, SYMBI_EPARSE, "the request to run a tool is cut or malformed");
    out->size = ((size_t)argc + nenv + nfiles + nwrite + nhide) * sizeof(symbi_str) + ((size_t)argc + nenv + 2) * sizeof(char *);
    out->mem = sy_alloc(a, out->size);
    if (!out->mem) return sy_fail_nomem(err);
    av = out->mem;
    ev = av + argc;
    fv = ev + nenv;
    wv = fv + nfiles;
    hv = wv + nwrite;
    az = (char **)(hv + nhide);
    ez = az + argc + 1;
    (void)take32(&words);
    take_words(&words, av, az, argc);
    (void)take32(&words);
    take_words(&words, ev, ez, nenv);
    if (flags & X_FILES) take_paths(&words, fv);
    if (flags & X_BWRAP) take_paths(&words, wv), take_paths(&words, hv);
    az[argc] = ez[nenv] = NULL;
    if (!av[0].n) {
        sy_xw_exec_free(out, a);
        return sy_fail(err, SYMBI_EPARSE, "the request names no program");
    }
    p->kind = SYMBI_BACKEND_SHELL;
    p->argv = av;
    p->argc = argc;
    p->env = ev;
    p->nenv = nenv;
    p->check_files = fv;
    p->ncheck_files = nfiles;
    p->box = flags & X_BWRAP ? SYMBI_BOX_BWRAP : SYMBI_BOX_NONE;
    p->box_network = flags & X_NETWORK;
    p->box_output = flags & X_OUTPUT;
    p->capture = flags & X_CAPTURE;
    p->box_write = wv;
    p->nbox_write = nwrite;
    p->box_hide = hv;
    p->nbox_hide = nhide;
    p->timeout_ms = (int64_t)timeout;
    p->stdout_max = (size_t)omax;
    p->stderr_max = (size_t)emax;
    out->argv = az;
    out->envp = ez;
    return SYMBI_OK;
}

void sy_xw_exec_free(sy_xw_exec *x, const symbi_alloc *a)
{
    sy_free(a, x->mem, x->size);
    memset(x, 0, sizeof *x);
}

enum { F_OUT_CUT = 1, F_ERR_CUT = 2, F_TIMED_OUT = 4, F_PARSED = 8, F_EVIDENCE = 16, F_ALL = 31 };

void sy_xw_write_result_fixed(uint8_t o[SY_XW_RESULT_FIXED], symbi_status status, const symbi_exec_result *r)
{
    memset(o, 0, SY_XW_RESULT_FIXED);
    o[0] = SY_XW_RESULT;
    o[1] = (uint8_t)((r->out_truncated ? F_OUT_CUT : 0) | (r->err_truncated ? F_ERR_CUT : 0) | (r->timed_out ? F_TIMED_OUT : 0) | (r->parsed.tried ? F_PARSED : 0) | (r->output_file.n ? F_EVIDENCE : 0));
    sy_xw_put32(o + 4, (uint32_t)status);
    sy_xw_put32(o + 8, (uint32_t)r->exit_code);
    sy_xw_put32(o + 12, (uint32_t)r->signal);
    sy_xw_put32(o + 16, (uint32_t)r->start_errno);
    sy_xw_put64(o + 20, r->out_bytes);
    sy_xw_put64(o + 28, (uint64_t)r->started_ms);
    sy_xw_put64(o + 36, (uint64_t)r->duration_ms);
    memcpy(o + 44, r->out_sha256, 32);
}

void sy_xw_write_parsed_fixed(uint8_t o[SY_XW_PARSED_FIXED], const symbi_parse_run *r)
{
    memset(o, 0, SY_XW_PARSED_FIXED);
    o[0] = (uint8_t)((r->out_truncated ? F_OUT_CUT : 0) | (r->timed_out ? F_TIMED_OUT : 0));
    sy_xw_put32(o + 4, (uint32_t)r->exit_code);
    sy_xw_put32(o + 8, (uint32_t)r->signal);
    sy_xw_put32(o + 12, (uint32_t)r->start_errno);
    sy_xw_put64(o + 16, (uint64_t)r->duration_ms);
    memcpy(o + 24, r->sha256, 32);
}

static void take_parsed(reader *r, symbi_parse_run *out)
{
    const char *d = take(r, 4), *h;
    if (!d || ((uint8_t)d[0] & ~(F_OUT_CUT | F_TIMED_OUT)) || d[1] || d[2] || d[3]) {
        r->ok = false;
        return;
    }
    out->tried = true;
    out->out_truncated = d[0] & F_OUT_CUT;
    out->timed_out = d[0] & F_TIMED_OUT;
    out->exit_code = (int32_t)take32(r);
    out->signal = (int32_t)take32(r);
    out->start_errno = (int32_t)take32(r);
    out->duration_ms = (int64_t)take64(r);
    h = take(r, 32);
    if (h) memcpy(out->sha256, h, 32);
    out->out = take_str(r, false);
    out->err = take_str(r, false);
    if (out->duration_ms < 0) r->ok = false;
}

symbi_status sy_xw_read_result(symbi_str payload, symbi_status *status, symbi_str *message, symbi_exec_result *out, symbi_err *err)
{
    reader r = { payload.p, payload.p + payload.n, true };
    const char *d = take(&r, 4), *h;
    int32_t st;
    memset(out, 0, sizeof *out);
    if (!d || d[0] != SY_XW_RESULT || ((uint8_t)d[1] & ~F_ALL) || d[2] || d[3]) return sy_fail(err, SYMBI_EPARSE, "not a result of the spawner");
    out->out_truncated = d[1] & F_OUT_CUT;
    out->err_truncated = d[1] & F_ERR_CUT;
    out->timed_out = d[1] & F_TIMED_OUT;
    st = (int32_t)take32(&r);
    out->exit_code = (int32_t)take32(&r);
    out->signal = (int32_t)take32(&r);
    out->start_errno = (int32_t)take32(&r);
    out->out_bytes = take64(&r);
    out->started_ms = (int64_t)take64(&r);
    out->duration_ms = (int64_t)take64(&r);
    h = take(&r, 32);
    if (h) memcpy(out->out_sha256, h, 32);
    *message = take_str(&r, true);
    out->out = take_str(&r, false);
    out->err = take_str(&r, false);
    if (d[1] & F_PARSED) take_parsed(&r, &out->parsed);
    out->output_file.p = "";
    if (d[1] & F_EVIDENCE) {
        out->output_file = take_str(&r, true);
        if (!out->output_file.n) r.ok = false;
    }
    if (!r.ok || r.p != r.end || st > 0 || st < -1000 || out->started_ms < 0 || out->duration_ms < 0) {
        memset(out, 0, sizeof *out);
        return sy_fail(err, SYMBI_EPARSE, "the result of the spawner is cut or malformed");
    }
    *status = (symbi_status)st;
    return SYMBI_OK;
}
