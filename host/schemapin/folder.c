/* schemapin/folder.c: the root hash of a folder. Each file gives SHA-256(path, bytes) without a separator (the format's own
 * weakness: "ab"+"cd" is "a"+"bcd", which is why a check also compares the manifest); the root is SHA-256 over the digests' hex in
 * byte order of the paths. Refusals stick, so that a walker that ignores an error still gets no valid result. */
#include "schemapin/folder.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/build.h"
#include "schemapin/docs.h"

#include <stdlib.h>

symbi_status symbi_schemapin_folder_new(symbi_ctx *cx, bool lenient, symbi_schemapin_folder **out, symbi_err *err)
{
    symbi_schemapin_folder *f = sy_calloc(&cx->alloc, 1, sizeof *f);
    *out = NULL;
    if (!f) return sy_fail_nomem(err);
    f->cx = cx;
    f->lenient = lenient;
    *out = f;
    return SYMBI_OK;
}

void symbi_schemapin_folder_free(symbi_schemapin_folder *f)
{
    symbi_ctx *cx;
    if (!f) return;
    cx = f->cx;
    for (size_t i = 0; i < f->n; i++) sy_free(&cx->alloc, f->e[i].path, f->e[i].n + 1);
    sy_free(&cx->alloc, f->e, f->cap * sizeof *f->e);
    sy_free(&cx->alloc, f->hex, f->n * 64 + 1);
    symbi_hasher_free(f->open);
    symbi_hasher_free(f->plain);
    sy_free(&cx->alloc, f, sizeof *f);
}

/* Remembers the first refusal. */
static symbi_status refuse(symbi_schemapin_folder *f, symbi_status code, symbi_err *err, const char *what, symbi_str path)
{
    symbi_err e;
    sy_fail(&e, code, "%s%s%.*s%s", what, path.n ? ": '" : "", SY_FMT(path), path.n ? "'" : "");
    sy_err_path(&e, path);
    if (!f->failed.code) f->failed = e;
    if (err) *err = e;
    return code;
}

void symbi_schemapin_folder_spoil(symbi_schemapin_folder *f, symbi_str why)
{
    (void)refuse(f, SYMBI_EIO, NULL, "cannot be read", why);
}

/* What is wrong with a path, or NULL. */
static const char *path_problem(const symbi_schemapin_folder *f, symbi_str p)
{
    size_t parts = 1, from = 0;
    if (!p.n) return "an empty path";
    if (p.n > SYMBI_SCHEMAPIN_MAX_PATH) return "a path that is too long";
    if (memchr(p.p, 0, p.n)) return "a path with a zero byte";
    if (!sy_utf8_valid(p, NULL)) return "a path that is not UTF-8";
    if (p.p[0] == '/') return "a path that leaves the folder";
    if (!f->lenient && memchr(p.p, '\\', p.n)) return "a path with a backslash, which is a separator elsewhere";
    for (size_t i = 0; i <= p.n; i++) {
        symbi_str part;
        if (i < p.n && p.p[i] != '/') continue;
        part = (symbi_str){ p.p + from, i - from };
        if (!part.n) return "a path with an empty part";
        if (sy_str_eqz(part, ".") || sy_str_eqz(part, "..")) return "a path that leaves the folder";
        from = i + 1;
        if (i < p.n && ++parts > SYMBI_SCHEMAPIN_MAX_DEPTH) return "a path that is too deep";
    }
    return NULL;
}

static bool is_signature_file(symbi_str p, bool *below)
{
    symbi_str name = SY_LIT(SYMBI_SCHEMAPIN_SIGNATURE_FILE);
    if (!sy_str_ends(p, name)) return false;
    *below = p.n > name.n;
    return p.n == name.n || p.p[p.n - name.n - 1] == '/';
}

symbi_status symbi_schemapin_folder_begin(symbi_schemapin_folder *f, symbi_str path, symbi_schemapin_entry kind, bool *wanted, symbi_err *err)
{
    const char *problem;
    bool below;
    sy_sp_file *e;
    symbi_status st;
    *wanted = false;
    if (f->done || f->in_entry) return sy_fail(err, SYMBI_ESTATE, f->done ? "the folder's hash has been taken" : "the entry before was not ended");
    if (f->failed.code) {
        if (err) *err = f->failed;
        return f->failed.code;
    }
    problem = path_problem(f, path);
    if (problem) return refuse(f, SYMBI_ESCHEMA, err, problem, path);
    if (kind == SYMBI_SCHEMAPIN_ENTRY_DIRECTORY) return SYMBI_OK;
    if (kind == SYMBI_SCHEMAPIN_ENTRY_LINK) return f->lenient ? SYMBI_OK : refuse(f, SYMBI_ESCHEMA, err, "a symbolic link, which no signature covers", path);
    if (kind != SYMBI_SCHEMAPIN_ENTRY_FILE) return refuse(f, SYMBI_ESCHEMA, err, "neither a file nor a folder", path);
    if (is_signature_file(path, &below))
        return f->lenient || !below ? SYMBI_OK : refuse(f, SYMBI_ESCHEMA, err, "a signature file below the top, which no signature covers", path);
    if (f->n >= SYMBI_SCHEMAPIN_MAX_FILES) return refuse(f, SYMBI_ELIMIT, err, "more files than a signed folder may have", (symbi_str){ NULL, 0 });
    if (sy_grow(&f->cx->alloc, (void **)&f->e, &f->cap, f->n + 1, sizeof *f->e)) return sy_fail_nomem(err);
    st = symbi_hasher_new(f->cx, &f->open, err);
    if (!st) st = symbi_hasher_add(f->open, path, err);
    if (!st && !f->n) st = symbi_hasher_new(f->cx, &f->plain, err);
    e = &f->e[f->n];
    memset(e, 0, sizeof *e);
    if (!st) {
        e->path = sy_alloc(&f->cx->alloc, path.n + 1);
        if (!e->path) st = sy_fail_nomem(err);
    }
    if (st) {
        symbi_hasher_free(f->open);
        f->open = NULL;
        if (!f->n) {
            symbi_hasher_free(f->plain);
            f->plain = NULL;
        }
        return st;
    }
    memcpy(e->path, path.p, path.n);
    e->path[path.n] = 0;
    e->n = path.n;
    f->n++;
    f->in_entry = *wanted = true;
    return SYMBI_OK;
}

symbi_status symbi_schemapin_folder_data(symbi_schemapin_folder *f, symbi_str bytes, symbi_err *err)
{
    symbi_status st;
    if (!f->in_entry) return sy_fail(err, SYMBI_ESTATE, "no file was begun");
    f->bytes += bytes.n;
    if (f->bytes > SYMBI_SCHEMAPIN_MAX_FOLDER) return refuse(f, SYMBI_ELIMIT, err, "more bytes than a signed folder may have", (symbi_str){ NULL, 0 });
    st = symbi_hasher_add(f->open, bytes, err);
    if (!st && f->n == 1) st = symbi_hasher_add(f->plain, bytes, err);
    return st;
}

symbi_status symbi_schemapin_folder_end(symbi_schemapin_folder *f, symbi_err *err)
{
    symbi_status st;
    if (!f->in_entry) return sy_fail(err, SYMBI_ESTATE, "no file was begun");
    f->in_entry = false;
    st = symbi_hasher_end(f->open, f->e[f->n - 1].digest, err);
    symbi_hasher_free(f->open);
    f->open = NULL;
    if (!st && f->n == 1) st = symbi_hasher_end(f->plain, f->first, err);
    if (st && !f->failed.code) sy_fail(&f->failed, st, "hashing failed");
    return st;
}

static int by_path(const void *a, const void *b)
{
    const sy_sp_file *x = a, *y = b;
    return sy_str_cmp((symbi_str){ x->path, x->n }, (symbi_str){ y->path, y->n });
}

symbi_status sy_sp_folder_finish(symbi_schemapin_folder *f, symbi_err *err)
{
    static const char digits[] = "0123456789abcdef";
    symbi_status st;
    if (f->in_entry && !f->failed.code) return sy_fail(err, SYMBI_ESTATE, "the last file was not ended");
    if (!f->failed.code && !f->n) sy_fail(&f->failed, SYMBI_ESCHEMA, "Skill directory is empty or contains no signable files");
    if (!f->failed.code && !f->done && f->n > 1) {
        qsort(f->e, f->n, sizeof *f->e, by_path);
        for (size_t i = 1; i < f->n && !f->failed.code; i++)
            if (!by_path(&f->e[i - 1], &f->e[i])) (void)refuse(f, SYMBI_ESCHEMA, NULL, "a path that came twice", (symbi_str){ f->e[i].path, f->e[i].n });
    }
    if (f->failed.code) {
        if (err) *err = f->failed;
        return f->failed.code;
    }
    if (f->done) return SYMBI_OK;
    if (!f->hex) f->hex = sy_alloc(&f->cx->alloc, f->n * 64 + 1);
    if (!f->hex) return sy_fail_nomem(err);
    for (size_t i = 0; i < f->n; i++)
        for (int k = 0; k < 32; k++) {
            f->hex[i * 64 + 2 * (size_t)k] = digits[f->e[i].digest[k] >> 4];
            f->hex[i * 64 + 2 * (size_t)k + 1] = digits[f->e[i].digest[k] & 15];
        }
    f->hex[f->n * 64] = 0;
    f->done = true; /* no more entries, whatever comes of it */
    st = symbi_sha256(f->cx, (symbi_str){ f->hex, f->n * 64 }, f->root, err);
    if (st) sy_fail(&f->failed, st, "hashing failed");
    return st;
}

symbi_status symbi_schemapin_folder_root(symbi_schemapin_folder *f, uint8_t root[32], symbi_err *err)
{
    symbi_status st = sy_sp_folder_finish(f, err);
    memset(root, 0, 32);
    if (!st) memcpy(root, f->root, 32);
    return st;
}

symbi_status symbi_schemapin_folder_manifest(symbi_schemapin_folder *f, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d;
    symbi_member *m;
    symbi_status st = sy_sp_folder_finish(f, err);
    *out = NULL;
    if (st) return st;
    d = sy_doc_new(f->cx);
    if (!d) return sy_fail_nomem(err);
    m = sy_arena_calloc(&d->arena, f->n, sizeof *m);
    for (size_t i = 0; m && i < f->n; i++) {
        char text[SYMBI_SCHEMAPIN_FINGERPRINT + 1];
        sy_sp_hash_text(f->e[i].digest, text);
        m[i].key = sy_arena_dup(&d->arena, (symbi_str){ f->e[i].path, f->e[i].n });
        m[i].val = sy_val_str(sy_arena_dup(&d->arena, (symbi_str){ text, SYMBI_SCHEMAPIN_FINGERPRINT }));
    }
    if (d->arena.status) {
        st = sy_arena_fail(&d->arena, "the manifest", err);
        symbi_doc_unref(d);
        return st;
    }
    d->root = sy_val_object(m, f->n);
    *out = d;
    return SYMBI_OK;
}

size_t symbi_schemapin_folder_files(const symbi_schemapin_folder *f)
{
    return f->n;
}
