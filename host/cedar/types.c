/* cedar/types.c: the validator's types: fit, least upper bound, text. */
#include "base/str.h"
#include "cedar/validate.h"

#include <string.h>

const sy_ctype sy_ty_never = { .kind = SY_T_NEVER }, sy_ty_true = { .kind = SY_T_TRUE }, sy_ty_false = { .kind = SY_T_FALSE }, sy_ty_bool = { .kind = SY_T_BOOL },
               sy_ty_long = { .kind = SY_T_LONG }, sy_ty_string = { .kind = SY_T_STRING }, sy_ty_any_entity = { .kind = SY_T_ANYENTITY }, sy_ty_any_set = { .kind = SY_T_SET },
               sy_ty_any_record = { .kind = SY_T_RECORD, .open = true }, sy_ty_entity_set = { .kind = SY_T_SET, .elem = &sy_ty_any_entity };

const sy_ctype *sy_ty_ext(sy_ctag tag)
{
    static const sy_ctype e[] = { { .kind = SY_T_EXT, .ext = SY_CV_DECIMAL }, { .kind = SY_T_EXT, .ext = SY_CV_IP }, { .kind = SY_T_EXT, .ext = SY_CV_DATETIME },
                                  { .kind = SY_T_EXT, .ext = SY_CV_DURATION } };
    switch (tag) {
    case SY_CV_BOOL: return &sy_ty_bool;
    case SY_CV_LONG: return &sy_ty_long;
    case SY_CV_STRING: return &sy_ty_string;
    case SY_CV_DECIMAL: return &e[0];
    case SY_CV_IP: return &e[1];
    case SY_CV_DATETIME: return &e[2];
    default: return &e[3];
    }
}

static bool is_bool(const sy_ctype *t) { return t->kind == SY_T_TRUE || t->kind == SY_T_FALSE || t->kind == SY_T_BOOL; }
static bool is_entity(const sy_ctype *t) { return t->kind == SY_T_ENTITY || t->kind == SY_T_ACTION || t->kind == SY_T_ANYENTITY; }

bool sy_ty_fits(const sy_ctype *is, const sy_ctype *want)
{
    if (is == want || is->kind == SY_T_NEVER) return true;
    switch ((sy_ctype_kind)want->kind) {
    case SY_T_BOOL: return is_bool(is);
    case SY_T_ANYENTITY: return is_entity(is);
    case SY_T_SET: return is->kind == SY_T_SET && (!want->elem || !is->elem || sy_ty_fits(is->elem, want->elem));
    case SY_T_RECORD: return is->kind == SY_T_RECORD && want->open;
    case SY_T_EXT: return is->kind == SY_T_EXT && is->ext == want->ext;
    default: return is->kind == want->kind;
    }
}

const sy_ctype *sy_ty_lub(const sy_ctype *a, const sy_ctype *b, sy_scratch *mem, bool *oom)
{
    sy_ctype *t;
    if (a == b || b->kind == SY_T_NEVER) return a;
    if (a->kind == SY_T_NEVER) return b;
    if (is_bool(a) && is_bool(b)) return a->kind == b->kind ? a : &sy_ty_bool;
    if (a->kind != b->kind) return NULL;
    switch ((sy_ctype_kind)a->kind) {
    case SY_T_LONG:
    case SY_T_STRING: return a;
    case SY_T_EXT: return a->ext == b->ext ? a : NULL;
    case SY_T_ENTITY: return a->entity == b->entity ? a : NULL;
    case SY_T_ACTION: return sy_str_eq(a->name, b->name) ? a : NULL;
    case SY_T_SET: {
        const sy_ctype *e;
        if (!a->elem) return b;
        if (!b->elem) return a;
        e = sy_ty_lub(a->elem, b->elem, mem, oom);
        if (!e || e == a->elem) return e ? a : NULL;
        if (e == b->elem) return b;
        if (!(t = sy_scratch_alloc(mem, sizeof *t))) return *oom = true, NULL;
        *t = *a;
        t->elem = e;
        return t;
    }
    case SY_T_RECORD: {
        sy_ctattr *attrs = NULL;
        if (a->n != b->n) return NULL;
        for (uint32_t i = 0; i < a->n; i++) {
            const sy_ctype *l;
            if (!sy_str_eq(a->attrs[i].name, b->attrs[i].name) || a->attrs[i].required != b->attrs[i].required) return NULL;
            l = sy_ty_lub(a->attrs[i].type, b->attrs[i].type, mem, oom);
            if (!l) return NULL;
            if (l == a->attrs[i].type) continue;
            if (!attrs) { /* only what differs is built anew */
                if (!(attrs = sy_scratch_array(mem, a->n, sizeof *attrs))) return *oom = true, NULL;
                memcpy(attrs, a->attrs, a->n * sizeof *attrs);
            }
            attrs[i].type = l;
        }
        if (!attrs) return a;
        if (!(t = sy_scratch_alloc(mem, sizeof *t))) return *oom = true, NULL;
        *t = *a;
        t->attrs = attrs;
        return t;
    }
    default: return NULL;
    }
}

void sy_ty_print(sy_buf *b, const sy_ctype *t, unsigned depth)
{
    static const char *const names[] = { "Never", "True", "False", "Bool", "Long", "String", "", "", "", "", "any entity", "" };
    if (!depth) {
        sy_buf_addz(b, "...");
        return;
    }
    switch ((sy_ctype_kind)t->kind) {
    case SY_T_SET:
        sy_buf_addz(b, "Set<");
        if (t->elem) sy_ty_print(b, t->elem, depth - 1);
        else sy_buf_addz(b, "any");
        sy_buf_addc(b, '>');
        return;
    case SY_T_RECORD:
        if (t->open) {
            sy_buf_addz(b, "a record");
            return;
        }
        sy_buf_addc(b, '{');
        for (uint32_t i = 0; i < t->n; i++) {
            if (i) sy_buf_addz(b, ", ");
            sy_buf_adds(b, t->attrs[i].name);
            sy_buf_addz(b, t->attrs[i].required ? ": " : "?: ");
            sy_ty_print(b, t->attrs[i].type, depth - 1);
        }
        sy_buf_addc(b, '}');
        return;
    case SY_T_ENTITY:
    case SY_T_ACTION: sy_buf_adds(b, t->name); return;
    case SY_T_EXT: sy_buf_addz(b, t->ext == SY_CV_DECIMAL ? "decimal" : t->ext == SY_CV_IP ? "ipaddr" : t->ext == SY_CV_DATETIME ? "datetime" : "duration"); return;
    default: sy_buf_addz(b, names[t->kind]); return;
    }
}
