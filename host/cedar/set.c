/* cedar/set.c: policy sets: from texts, their properties, their life. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cedar/index.h"
#include "cedar/parse.h"

#include <string.h>

symbi_status symbi_cedar_parse(symbi_ctx *cx, const symbi_cedar_source *src, size_t n, unsigned flags, symbi_cedar **out, symbi_err *err)
{
    sy_cbuild b;
    symbi_err e;
    symbi_status st;
    symbi_err_clear(&e);
    *out = NULL;
    st = sy_cbuild_init(&b, cx, flags, &e);
    for (size_t i = 0; i < n && !st; i++) {
        sy_csource own;
        sy_cparse p;
        size_t most = cx->limits.policy_bytes < UINT32_MAX - 16 ? cx->limits.policy_bytes : UINT32_MAX - 16;
        if (src[i].text.n > most) {
            st = sy_fail(&e, SYMBI_ELIMIT, "the policy text is larger than %zu bytes", most);
            sy_err_path(&e, src[i].name);
            break;
        }
        if (!sy_cbuild_source(&b, src[i].name, src[i].text, &own)) {
            st = sy_cbuild_nomem(&b, &e);
            break;
        }
        sy_cparse_init(&p, &b, own.name, own.text);
        st = sy_cparse_policies(&p);
        sy_cparse_free(&p);
    }
    if (st) {
        if (b.cx) sy_cbuild_abort(&b);
    } else {
        st = sy_cbuild_finish(&b, out);
    }
    if (st && err) *err = e;
    return st;
}

symbi_cedar *symbi_cedar_ref(symbi_cedar *s)
{
    sy_ref_inc(&s->refs);
    return s;
}

void symbi_cedar_unref(symbi_cedar *s)
{
    if (s && sy_ref_dec(&s->refs)) {
        symbi_alloc a = s->alloc;
        sy_scratch_free(&s->mem);
        sy_free(&a, s, sizeof *s);
    }
}

void symbi_cedar_hash(const symbi_cedar *s, uint8_t out[32]) { memcpy(out, s->hash, 32); }
size_t symbi_cedar_count(const symbi_cedar *s) { return s->npolicies; }

void symbi_cedar_policy(const symbi_cedar *s, size_t i, symbi_cedar_policy_info *out)
{
    const sy_cpolicy *p;
    memset(out, 0, sizeof *out);
    if (i >= s->npolicies) return;
    p = &s->policies[i];
    out->id = s->strs[p->id];
    if (p->source < s->nsources) {
        out->source = s->sources[p->source].name;
        out->text.p = s->sources[p->source].text.p + p->pos;
        out->text.n = p->end > p->pos ? p->end - p->pos : 0;
    }
    if (p->role == SYMBI_CEDAR_LINK) out->template_id = s->strs[s->policies[p->tmpl].id];
    out->effect = (symbi_cedar_effect)p->effect;
    out->role = (symbi_cedar_role)p->role;
    out->line = p->line;
    out->col = p->col;
    out->annotation_count = p->nann;
}

bool symbi_cedar_annotation(const symbi_cedar *s, size_t i, size_t k, symbi_str *key, symbi_str *value)
{
    const sy_cann *a;
    symbi_str none = { NULL, 0 };
    if (i >= s->npolicies || k >= s->policies[i].nann) return false;
    a = &s->anns[s->policies[i].ann + k];
    *key = s->strs[a->key];
    *value = a->val == SY_NONE ? none : s->strs[a->val];
    return true;
}

symbi_str symbi_cedar_annotation_get(const symbi_cedar *s, size_t i, symbi_str key)
{
    symbi_str k, v = { NULL, 0 };
    for (size_t j = 0; symbi_cedar_annotation(s, i, j, &k, &v); j++)
        if (sy_str_eq(k, key)) return v;
    v.p = NULL;
    v.n = 0;
    return v;
}

size_t symbi_cedar_warning_count(const symbi_cedar *s) { return s->nwarnings; }
symbi_str symbi_cedar_warning(const symbi_cedar *s, size_t i)
{
    symbi_str none = { "", 0 };
    return i < s->nwarnings ? s->warnings[i] : none;
}

/* Type and id as NUL-terminated texts in one allocation. */
static symbi_status keep_uid(symbi_ctx *cx, symbi_str t, symbi_str i, symbi_cedar_uid *out, symbi_text *hold, symbi_err *err)
{
    hold->alloc = cx->alloc;
    hold->cap = t.n + i.n + 2;
    hold->p = sy_alloc(&cx->alloc, hold->cap);
    if (!hold->p) {
        memset(hold, 0, sizeof *hold);
        return sy_fail_nomem(err);
    }
    memcpy(hold->p, t.p, t.n);
    hold->p[t.n] = 0;
    if (i.n) memcpy(hold->p + t.n + 1, i.p, i.n);
    hold->p[t.n + 1 + i.n] = 0;
    hold->n = t.n + 1 + i.n;
    out->type.p = hold->p;
    out->type.n = t.n;
    out->id.p = hold->p + t.n + 1;
    out->id.n = i.n;
    return SYMBI_OK;
}

/* The usual spelling, Type::"id" without spaces and escapes, which needs no parser. */
static bool plain_uid(symbi_str s, symbi_str *type, symbi_str *id)
{
    const char *q = s.n ? memchr(s.p, '"', s.n) : NULL;
    if (!q || q - s.p < 3 || s.p[s.n - 1] != '"' || q[-1] != ':' || q[-2] != ':') return false;
    type->p = s.p;
    type->n = (size_t)(q - s.p) - 2;
    id->p = q + 1;
    if (s.p + s.n - 1 <= q) return false;
    id->n = (size_t)(s.p + s.n - 1 - id->p);
    return !memchr(id->p, '"', id->n) && !memchr(id->p, '\\', id->n) && !memchr(id->p, '\r', id->n) && sy_cname_valid(*type);
}

symbi_status symbi_cedar_uid_parse(symbi_ctx *cx, symbi_str text, symbi_cedar_uid *out, symbi_text *hold, symbi_err *err)
{
    /* Read with the policy tokens, kept in one text: type, then id. */
    sy_cbuild b;
    sy_cparse p;
    symbi_err e;
    symbi_status st;
    uint32_t type, uid;
    unsigned parts;
    bool is_uid;
    symbi_err_clear(&e);
    memset(hold, 0, sizeof *hold);
    memset(out, 0, sizeof *out);
    if (text.n > 65536 || !sy_utf8_valid(text, NULL)) return sy_fail(err, SYMBI_EPARSE, "an entity uid is at most 65536 bytes of valid UTF-8");
    {
        symbi_str t, i;
        if (plain_uid(text, &t, &i)) return keep_uid(cx, t, i, out, hold, err);
    }
    if ((st = sy_cbuild_init(&b, cx, 0, &e))) goto out;
    sy_cparse_init(&p, &b, (symbi_str){ "", 0 }, text);
    sy_cparse_next(&p);
    if (!sy_cparse_path(&p, &parts, &is_uid) || (!is_uid && !sy_cparse_unexpected(&p, "`::` and the id in double quotes, as in User::\"alice\"")) ||
        !sy_cparse_uid(&p, &type, &uid) || (!sy_cparse_is(&p, SY_TK_EOF) && !sy_cparse_unexpected(&p, "the end of the entity uid"))) {
        st = e.code;
    } else {
        st = keep_uid(cx, b.uids[uid].type, b.uids[uid].id, out, hold, &e);
    }
    sy_cparse_free(&p);
    sy_cbuild_abort(&b);
out:
    if (st && err) *err = e;
    return st;
}
