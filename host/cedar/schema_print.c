/* cedar/schema_print.c: the JSON form of a schema as text: sorted by name, attributes indented by two. */
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/schema.h"

typedef struct printer {
    sy_buf b;
    sy_scratch mem; /* sorted lists */
    bool unsupported, oom;
} printer;

static void indent(printer *p, unsigned n)
{
    while (n--) sy_buf_addz(&p->b, "  ");
}
static void name_or_string(printer *p, symbi_str s)
{
    if (sy_cident_shape(s) && !sy_cident_reserved(s)) sy_buf_adds(&p->b, s);
    else sy_cstr_print(&p->b, s);
}

/* The members of an object by name, as an array of pointers; NULL when there are none or no memory. */
static const symbi_member **sorted(printer *p, const symbi_value *v)
{
    const symbi_member **m;
    size_t n = v && v->kind == SYMBI_OBJECT ? v->u.o.n : 0;
    if (!n) return NULL;
    m = sy_scratch_array(&p->mem, n + 1, sizeof *m);
    if (!m) {
        p->oom = true;
        return NULL;
    }
    for (size_t i = 0; i < n; i++) m[i] = &v->u.o.members[i];
    m[n] = NULL;
    for (size_t start = n / 2, end = n; end > 1;) { /* heap sort */
        size_t i, k;
        const symbi_member *x;
        if (start > 0) {
            x = m[--start];
        } else {
            x = m[--end];
            m[end] = m[0];
            m[0] = x;
        }
        for (i = start; (k = 2 * i + 1) < end; i = k) {
            if (k + 1 < end && sy_str_cmp(m[k]->key, m[k + 1]->key) < 0) k++;
            if (sy_str_cmp(x->key, m[k]->key) >= 0) break;
            m[i] = m[k];
        }
        m[i] = x;
    }
    return m;
}
static const symbi_value *object(const symbi_value *v, const char *name)
{
    const symbi_value *x = symbi_value_getz(v, name);
    return x && x->kind == SYMBI_OBJECT ? x : NULL;
}

static void annotations(printer *p, const symbi_value *v, unsigned level)
{
    const symbi_member **list = sorted(p, object(v, "annotations")), *m;
    for (; list && (m = *list); list++) {
        indent(p, level);
        sy_buf_addc(&p->b, '@');
        sy_buf_adds(&p->b, m->key);
        if (m->val.kind == SYMBI_STRING) {
            sy_buf_addc(&p->b, '(');
            sy_cstr_print(&p->b, m->val.u.s);
            sy_buf_addc(&p->b, ')');
        }
        sy_buf_addc(&p->b, '\n');
    }
}

static void type(printer *p, const symbi_value *v, unsigned level);

static void record(printer *p, const symbi_value *attrs, unsigned level)
{
    const symbi_member **list = sorted(p, attrs), *m;
    bool first = true;
    sy_buf_addc(&p->b, '{');
    for (; list && (m = *list); list++, first = false) {
        const symbi_value *req = symbi_value_getz(&m->val, "required");
        sy_buf_addz(&p->b, first ? "\n" : ",\n");
        annotations(p, &m->val, level + 1);
        indent(p, level + 1);
        name_or_string(p, m->key);
        sy_buf_addz(&p->b, req && req->kind == SYMBI_BOOL && !req->u.b ? "?: " : ": ");
        type(p, &m->val, level + 1);
    }
    if (!first) {
        sy_buf_addc(&p->b, '\n');
        indent(p, level);
    }
    sy_buf_addc(&p->b, '}');
}

static void type(printer *p, const symbi_value *v, unsigned level)
{
    symbi_str t = symbi_value_str(v, "type", SY_LIT("")), n = symbi_value_str(v, "name", SY_LIT(""));
    if (sy_buf_status(&p->b)) return;
    if (sy_str_eqz(t, "Set")) {
        sy_buf_addz(&p->b, "Set<");
        type(p, symbi_value_getz(v, "element"), level);
        sy_buf_addc(&p->b, '>');
    } else if (sy_str_eqz(t, "Record")) {
        record(p, symbi_value_getz(v, "attributes"), level);
    } else if (sy_str_eqz(t, "Long") || sy_str_eqz(t, "String")) {
        sy_buf_addz(&p->b, "__cedar::");
        sy_buf_adds(&p->b, t);
    } else if (sy_str_eqz(t, "Boolean")) {
        sy_buf_addz(&p->b, "__cedar::Bool");
    } else if (sy_str_eqz(t, "Extension")) {
        sy_buf_addz(&p->b, "__cedar::");
        sy_buf_adds(&p->b, n);
    } else {
        sy_buf_adds(&p->b, sy_str_eqz(t, "Entity") || sy_str_eqz(t, "EntityOrCommon") ? n : t);
    }
}

static void names(printer *p, const symbi_value *list)
{
    sy_buf_addc(&p->b, '[');
    for (size_t i = 0; i < list->u.a.n; i++) {
        if (i) sy_buf_addz(&p->b, ", ");
        sy_buf_adds(&p->b, list->u.a.items[i].u.s);
    }
    sy_buf_addc(&p->b, ']');
}

static void entity(printer *p, const symbi_member *m, unsigned level)
{
    const symbi_value *v = &m->val, *x;
    annotations(p, v, level);
    indent(p, level);
    sy_buf_addz(&p->b, "entity ");
    sy_buf_adds(&p->b, m->key);
    if ((x = symbi_value_getz(v, "enum"))) {
        sy_buf_addz(&p->b, " enum [");
        for (size_t i = 0; i < x->u.a.n; i++) {
            if (i) sy_buf_addz(&p->b, ", ");
            sy_cstr_print(&p->b, x->u.a.items[i].u.s);
        }
        sy_buf_addc(&p->b, ']');
    }
    x = symbi_value_getz(v, "memberOfTypes");
    if (x && x->u.a.n) {
        sy_buf_addz(&p->b, " in ");
        names(p, x);
    }
    if ((x = symbi_value_getz(v, "shape"))) {
        const symbi_value *attrs = symbi_value_getz(x, "attributes");
        if (!attrs) p->unsupported = true;
        else if (attrs->u.o.n) sy_buf_addz(&p->b, " = "), record(p, attrs, level);
    }
    if ((x = symbi_value_getz(v, "tags"))) {
        sy_buf_addz(&p->b, " tags ");
        type(p, x, level);
    }
    sy_buf_addz(&p->b, ";\n");
}

static void action(printer *p, const symbi_member *m, const symbi_value *resolved, unsigned level)
{
    const symbi_value *v = &m->val, *x = object(v, "appliesTo"), *par = symbi_value_getz(resolved, "memberOf"), *ctx;
    annotations(p, v, level);
    indent(p, level);
    sy_buf_addz(&p->b, "action ");
    sy_cstr_print(&p->b, m->key);
    if (par && par->u.a.n) {
        sy_buf_addz(&p->b, " in [");
        for (size_t i = 0; i < par->u.a.n; i++) {
            if (i) sy_buf_addz(&p->b, ", ");
            sy_buf_adds(&p->b, symbi_value_str(&par->u.a.items[i], "type", SY_LIT("Action")));
            sy_buf_addz(&p->b, "::");
            sy_cstr_print(&p->b, symbi_value_str(&par->u.a.items[i], "id", SY_LIT("")));
        }
        sy_buf_addc(&p->b, ']');
    }
    /* a list that is empty applies to nothing, as no appliesTo does */
    if (x && symbi_value_getz(x, "principalTypes")->u.a.n && symbi_value_getz(x, "resourceTypes")->u.a.n) {
        sy_buf_addz(&p->b, " appliesTo {\n");
        indent(p, level + 1);
        sy_buf_addz(&p->b, "principal: ");
        names(p, symbi_value_getz(x, "principalTypes"));
        sy_buf_addz(&p->b, ",\n");
        indent(p, level + 1);
        sy_buf_addz(&p->b, "resource: ");
        names(p, symbi_value_getz(x, "resourceTypes"));
        sy_buf_addz(&p->b, ",\n");
        indent(p, level + 1);
        sy_buf_addz(&p->b, "context: ");
        if ((ctx = symbi_value_getz(x, "context"))) type(p, ctx, level + 1);
        else sy_buf_addz(&p->b, "{}");
        sy_buf_addc(&p->b, '\n');
        indent(p, level);
        sy_buf_addc(&p->b, '}');
    }
    sy_buf_addz(&p->b, ";\n");
}

static void declarations(printer *p, const symbi_value *space, const symbi_value *resolved, unsigned level)
{
    const symbi_member **list, *m;
    bool first = true;
    for (list = sorted(p, object(space, "commonTypes")); list && (m = *list); list++, first = false) {
        if (!first) sy_buf_addc(&p->b, '\n');
        annotations(p, &m->val, level);
        indent(p, level);
        sy_buf_addz(&p->b, "type ");
        sy_buf_adds(&p->b, m->key);
        sy_buf_addz(&p->b, " = ");
        type(p, &m->val, level);
        sy_buf_addz(&p->b, ";\n");
    }
    for (list = sorted(p, object(space, "entityTypes")); list && (m = *list); list++, first = false) {
        if (!first) sy_buf_addc(&p->b, '\n');
        entity(p, m, level);
    }
    for (list = sorted(p, object(space, "actions")); list && (m = *list); list++, first = false) {
        if (!first) sy_buf_addc(&p->b, '\n');
        action(p, m, symbi_value_get(object(resolved, "actions"), m->key), level);
    }
}

symbi_status symbi_cedar_schema_text(symbi_ctx *cx, const symbi_cedar_schema *s, symbi_text *out, symbi_err *err)
{
    const symbi_value *root = symbi_doc_root(s->doc), *res = symbi_doc_root(s->resolved);
    const symbi_member **list, *m;
    printer p;
    bool first = true;
    p.unsupported = p.oom = false;
    sy_scratch_init(&p.mem, cx->alloc, 0);
    sy_buf_init(&p.b, cx->alloc, cx->limits.output_bytes);
    for (list = sorted(&p, root); list && (m = *list); list++, first = false) {
        const symbi_value *r = symbi_value_get(res, m->key);
        if (!first && p.b.n) sy_buf_addc(&p.b, '\n');
        if (!m->key.n) {
            declarations(&p, &m->val, r, 0);
        } else {
            annotations(&p, &m->val, 0);
            sy_buf_addz(&p.b, "namespace ");
            sy_buf_adds(&p.b, m->key);
            sy_buf_addz(&p.b, " {\n");
            declarations(&p, &m->val, r, 1);
            sy_buf_addz(&p.b, "}\n");
        }
    }
    sy_scratch_free(&p.mem);
    if (p.oom) {
        sy_buf_free(&p.b);
        return sy_fail_nomem(err);
    }
    if (p.unsupported) {
        sy_buf_free(&p.b);
        return sy_fail(err, SYMBI_EUNSUPPORTED, "a shape that is a common type has no text form");
    }
    return sy_buf_take(&p.b, out, "the schema text", err);
}
