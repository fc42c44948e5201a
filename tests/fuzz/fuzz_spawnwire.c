/* Fuzz target: the frames of the spawner (host/io/spawn_wire.h), both ways. Whatever arrives is decoded within its bounds; a request or a
 * result that is accepted is written back byte for byte; a request for bubblewrap becomes a command line in which every word of the tool
 * stands behind "--". */
#define _GNU_SOURCE
#include "io/spawn_int.h"

#include "base/str.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static size_t total(symbi_str s) { return s.n ? (size_t)(unsigned char)s.p[0] + (unsigned char)s.p[s.n - 1] + s.n : 0; }

/* What the spawner would say of this result. */
static void again(symbi_str payload, symbi_status st, symbi_str message, const symbi_exec_result *r)
{
    uint8_t fixed[SY_XW_RESULT_FIXED];
    size_t n = sizeof fixed + 3 * 5 + message.n + r->out.n + r->err.n;
    sy_xw_write_result_fixed(fixed, st, r);
    must(payload.n >= n && !memcmp(payload.p, fixed, sizeof fixed));
    if (r->parsed.tried) {
        uint8_t more[SY_XW_PARSED_FIXED];
        sy_xw_write_parsed_fixed(more, &r->parsed);
        must(payload.n >= n + sizeof more && !memcmp(payload.p + n, more, sizeof more));
        n += sizeof more + 2 * 5 + r->parsed.out.n + r->parsed.err.n;
    }
    must(payload.n == n + (r->output_file.n ? r->output_file.n + 5 : 0)); /* where the evidence went stands last */
}

static void boxed(const sy_xw_exec *x)
{
    /* bwrap need not be there: a file that is stands for it */
    const sy_sp_inner inner = { .plan = &x->rq.plan, .argv = x->argv, .envp = x->envp, .bwrap = "/bin/sh", .status_fd = SY_SP_STATUS_FD };
    sy_sp_mem m = { NULL, 0, 0 };
    sy_sp_box box;
    symbi_err err;
    int start = 0;
    symbi_status st;
    size_t i = 0, n = 0;
    st = sy_sp_box_make(&m, &inner, &box, &start, &err);
    must(st == SYMBI_OK || (err.code == st && err.msg[0]));
    if (!st && !start) {
        must(box.argv && !strcmp(box.argv[0], inner.bwrap));
        while (box.argv[i] && strcmp(box.argv[i], "--")) i++;
        must(box.argv[i] && box.argv[i + 1]);
        for (i += 2, n = 1; box.argv[i]; i++, n++) must(n < x->rq.plan.argc && !strcmp(box.argv[i], x->argv[n]));
        must(n == x->rq.plan.argc);
    } else {
        must(!box.argv);
    }
    if (x->rq.plan.ncheck_files && sy_sp_check_files(x, &err)) must(err.msg[0]);
    sy_sp_mem_trim(&m, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const symbi_alloc a = { heap, NULL };
    symbi_str in = { (const char *)data, size }, payload, message;
    sy_xw_head h;
    sy_xw_exec x;
    symbi_exec_result r;
    symbi_err err;
    symbi_status st;
    if (sy_xw_read_head(in, 1 << 20, &h, &err) || (size_t)h.len > size - SY_XW_HEAD) return 0;
    payload.p = in.p + SY_XW_HEAD;
    payload.n = h.len;
    st = sy_xw_read_exec(payload, &a, &x, &err);
    if (!st) {
        sy_buf b;
        size_t n = 0;
        for (; x.argv[n]; n++) must(strlen(x.argv[n]) == x.rq.plan.argv[n].n);
        must(n == x.rq.plan.argc && n > 0);
        must(x.rq.plan.nbox_write <= SY_XW_MAX_PATHS && x.rq.plan.nbox_hide <= SY_XW_MAX_PATHS && x.rq.plan.ncheck_files <= SY_XW_MAX_PATHS);
        must(x.rq.plan.box || (!x.rq.plan.nbox_write && !x.rq.plan.nbox_hide && !x.rq.plan.box_network && !x.rq.plan.box_output));
        for (n = 0; n < x.rq.plan.nbox_write; n++) must(x.rq.plan.box_write[n].n && strlen(x.rq.plan.box_write[n].p) == x.rq.plan.box_write[n].n);
        for (n = 0; n < x.rq.plan.ncheck_files; n++) must(strlen(x.rq.plan.check_files[n].p) == x.rq.plan.check_files[n].n);
        if (x.rq.plan.parser.n) must(x.rq.plan.parser.p[0] == '/' && strlen(x.rq.plan.parser.p) == x.rq.plan.parser.n && ((sy_sp_parser_check(x.rq.plan.parser.p, &err) == 0) || err.msg[0]));
        if (x.rq.plan.box) boxed(&x);
        for (n = 0; x.envp[n]; n++) must(strlen(x.envp[n]) == x.rq.plan.env[n].n);
        must(n == x.rq.plan.nenv);
        sy_buf_init(&b, a, 8 << 20);
        must(sy_xw_write_exec(&b, &x.rq.plan, x.rq.args_json, x.rq.permit, h.id, &err) == SYMBI_OK);
        must(b.n == SY_XW_HEAD + payload.n && !memcmp(b.p, data, b.n));
        sy_buf_free(&b);
        sy_xw_exec_free(&x, &a);
    } else {
        must(err.code == st && err.msg[0]);
    }
    if (sy_xw_read_result(payload, &st, &message, &r, &err) == SYMBI_OK) {
        must(total(message) + total(r.out) + total(r.err) + total(r.parsed.out) + total(r.parsed.err) + total(r.output_file) < SIZE_MAX / 2); /* reads them */
        must(st <= 0 && message.p[message.n] == 0);
        again(payload, st, message, &r);
    }
    return 0;
}
