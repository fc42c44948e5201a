/* tests/unit/failing_store.h: a store over a memory store whose next commits can be made to fail. */
#ifndef FAILING_STORE_H
#define FAILING_STORE_H
#include "symbi/audit.h"

typedef struct failing_store {
    symbi_store inner;
    int fail;              /* so many commits fail... */
    symbi_status code;     /* ...with this */
    int commits, durable;  /* that went through */
} failing_store;

static symbi_status fs_commit(void *ud, const symbi_store_batch *b, symbi_err *err)
{
    failing_store *f = ud;
    symbi_status st;
    if (f->fail > 0) {
        f->fail--;
        if (err) {
            symbi_err_clear(err);
            err->code = f->code;
            strcpy(err->msg, "the disk is full");
        }
        return f->code;
    }
    st = f->inner.commit(f->inner.ud, b, err);
    if (!st) f->commits++, f->durable += b->durable;
    return st;
}
static symbi_status fs_tail(void *ud, symbi_str c, uint64_t *len, uint8_t head[32], int64_t *ms, symbi_err *err)
{
    failing_store *f = ud;
    return f->inner.tail(f->inner.ud, c, len, head, ms, err);
}
static symbi_status fs_row(void *ud, symbi_str c, uint64_t i, symbi_store_row *out, symbi_err *err)
{
    failing_store *f = ud;
    return f->inner.row(f->inner.ud, c, i, out, err);
}
static symbi_status fs_checkpoint(void *ud, symbi_str c, uint64_t i, symbi_store_checkpoint *out, symbi_err *err)
{
    failing_store *f = ud;
    return f->inner.checkpoint(f->inner.ud, c, i, out, err);
}
static symbi_status fs_get(void *ud, symbi_str ns, symbi_str k, symbi_str *v, symbi_err *err)
{
    failing_store *f = ud;
    return f->inner.get(f->inner.ud, ns, k, v, err);
}
static symbi_status fs_next(void *ud, symbi_str ns, symbi_str a, symbi_str *k, symbi_str *v, symbi_err *err)
{
    failing_store *f = ud;
    return f->inner.next(f->inner.ud, ns, a, k, v, err);
}

static inline symbi_status failing_store_new(symbi_ctx *cx, failing_store *f, symbi_store *out, symbi_err *err)
{
    memset(f, 0, sizeof *f);
    memset(out, 0, sizeof *out);
    out->size = sizeof *out;
    out->ud = f;
    out->commit = fs_commit;
    out->tail = fs_tail;
    out->row = fs_row;
    out->checkpoint = fs_checkpoint;
    out->get = fs_get;
    out->next = fs_next;
    return symbi_memstore_new(cx, &f->inner, err);
}
#endif
