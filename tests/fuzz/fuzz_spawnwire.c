/* Fuzz target: the frames of the spawner (host/io/spawn_wire.h). Whatever arrives is decoded within its bounds, and a request that is
 * accepted is written back byte for byte. The code is taken in here, because libsymbi alone does not hold the drivers. */
#include "io/spawn_wire.c"

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
        must(total(message) + total(r.out) + total(r.err) < SIZE_MAX / 2); /* reads them */
        must(st <= 0 && message.p[message.n] == 0);
    }
    return 0;
}
