/* cedar/schema_text.c: the text form of schemas into the JSON form. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cedar/ast.h"
#include "cedar/lex.h"
#include "cedar/schema.h"

#include <string.h>

/* A list being made: arrays grow in temporary memory and are copied into the document when complete. */
typedef struct members {
    symbi_member *v;
    size_t n, cap;
} members;

typedef struct space { /* one namespace */
    symbi_str name;
    members entities, actions, commons, notes;
    sy_map seen; /* "e"/"a"/"t" + name */
} space;

typedef struct parser {
    symbi_ctx *cx;
    symbi_err *err;
    symbi_doc *doc;
    sy_arena *a;
    symbi_str text;
    sy_ctok tok;
    const char *why;
    sy_buf buf;
    size_t depth;
    space *spaces;
    size_t nspaces, cap_spaces;
    sy_cschema_warns *warns;
    sy_arena *warn_mem;
    bool oom;
} parser;

static void next(parser *p) { p->tok = sy_clex(p->text, p->tok.end, true, &p->why); }
static bool is(const parser *p, sy_ctok_kind k) { return p->tok.kind == k; }
static symbi_str tok_text(const parser *p) { return sy_ctok_text(p->text, p->tok); }
static bool word(const parser *p, const char *w) { return is(p, SY_TK_IDENT) && sy_str_eqz(tok_text(p), w); }
static bool take(parser *p, sy_ctok_kind k)
{
    if (!is(p, k)) return false;
    next(p);
    return true;
}
static bool take_word(parser *p, const char *w)
{
    if (!word(p, w)) return false;
    next(p);
    return true;
}

SYMBI_PRINTF(3, 4) static bool fail(parser *p, uint32_t pos, const char *fmt, ...)
{
    uint32_t line, col;
    va_list ap;
    sy_cpos(p->text, pos, &line, &col);
    va_start(ap, fmt);
    sy_vfail(p->err, SYMBI_EPARSE, line, col, fmt, ap);
    va_end(ap);
    return false;
}
static bool unexpected(parser *p, const char *expected)
{
    symbi_str t = tok_text(p);
    if (is(p, SY_TK_BAD)) return fail(p, p->tok.pos, "invalid token: %s", p->why);
    if (is(p, SY_TK_EOF)) return fail(p, p->tok.pos, "unexpected end of the schema, expected %s", expected);
    return fail(p, p->tok.pos, "unexpected token `%.*s`, expected %s", t.n > 40 ? 40 : (int)t.n, t.p, expected);
}
static bool need(parser *p, sy_ctok_kind k, const char *expected) { return take(p, k) || unexpected(p, expected); }
static bool oom(parser *p)
{
    p->oom = true;
    if (p->a->status == SYMBI_ELIMIT) sy_arena_fail(p->a, "the schema", p->err);
    else sy_fail_nomem(p->err);
    return false;
}

static bool push(parser *p, members *m, symbi_str key, symbi_value val)
{
    if (sy_grow(&p->cx->alloc, (void **)&m->v, &m->cap, m->n + 1, sizeof *m->v)) return oom(p);
    m->v[m->n].key = key;
    m->v[m->n++].val = val;
    return true;
}
/* The members as an object of the document; empties and frees the list. */
static bool close_object(parser *p, members *m, symbi_value *out)
{
    symbi_member *own = sy_arena_memdup(p->a, m->v ? (const void *)m->v : "", m->n * sizeof *own);
    *out = sy_val_object(own, m->n);
    sy_free(&p->cx->alloc, m->v, m->cap * sizeof *m->v);
    memset(m, 0, sizeof *m);
    return own ? true : oom(p);
}
static bool close_array(parser *p, members *m, symbi_value *out) /* the keys are not used */
{
    symbi_value *own = sy_arena_calloc(p->a, m->n + 1, sizeof *own);
    for (size_t i = 0; own && i < m->n; i++) own[i] = m->v[i].val;
    *out = sy_val_array(own, m->n);
    sy_free(&p->cx->alloc, m->v, m->cap * sizeof *m->v);
    memset(m, 0, sizeof *m);
    return own ? true : oom(p);
}
static void drop(parser *p, members *m)
{
    sy_free(&p->cx->alloc, m->v, m->cap * sizeof *m->v);
    memset(m, 0, sizeof *m);
}

static bool dup_str(parser *p, symbi_str s, symbi_str *out)
{
    *out = sy_arena_dup(p->a, s);
    return out->p ? true : oom(p);
}

static bool string(parser *p, symbi_str *out)
{
    uint32_t bad, n;
    if (!sy_cunescape(p->text, p->tok, false, &p->buf, &bad, &n)) return fail(p, bad, "`%.*s` is not a valid escape", (int)(n > 12 ? 12 : n), p->text.p + bad);
    if (sy_buf_status(&p->buf)) return oom(p);
    next(p);
    return dup_str(p, sy_buf_str(&p->buf), out);
}

static bool ident(parser *p, symbi_str *out)
{
    symbi_str t = tok_text(p);
    if (!is(p, SY_TK_IDENT)) return unexpected(p, "a name");
    if (sy_cident_reserved(t)) return fail(p, p->tok.pos, "`%.*s` is a reserved identifier", SY_FMT(t));
    next(p);
    return dup_str(p, t, out);
}
/* A declared name: not __cedar. */
static bool decl_name(parser *p, symbi_str *out)
{
    uint32_t pos = p->tok.pos;
    if (!ident(p, out)) return false;
    return sy_str_eqz(*out, "__cedar") ? fail(p, pos, "use of the reserved `__cedar` namespace") : true;
}

/* IDENT (:: IDENT)*; with an id after the last :: *id is set. builtin: a leading __cedar is allowed. */
static bool path(parser *p, bool allow_cedar, symbi_str *out, symbi_str *id)
{
    uint32_t pos = p->tok.pos;
    symbi_str part;
    unsigned n = 0;
    sy_buf b;
    bool ok = true;
    if (id) id->p = NULL;
    sy_buf_init(&b, p->cx->alloc, 65536);
    for (;;) {
        if (!(ok = ident(p, &part))) break;
        if (sy_str_eqz(part, "__cedar") && (n || !allow_cedar || !is(p, SY_TK_PATH))) {
            ok = fail(p, pos, "use of the reserved `__cedar` namespace");
            break;
        }
        if (n++) sy_buf_addz(&b, "::");
        sy_buf_adds(&b, part);
        if (!take(p, SY_TK_PATH)) break;
        if (id && is(p, SY_TK_STRING)) {
            ok = string(p, id);
            break;
        }
    }
    if (ok && sy_buf_status(&b)) ok = sy_buf_status(&b) == SYMBI_ENOMEM ? oom(p) : fail(p, pos, "this name is too long");
    if (ok) ok = dup_str(p, sy_buf_str(&b), out);
    sy_buf_free(&b);
    return ok;
}

static bool annotations(parser *p, members *out)
{
    memset(out, 0, sizeof *out);
    while (take(p, SY_TK_AT)) {
        symbi_str key, val = { "", 0 };
        uint32_t pos = p->tok.pos;
        if (!is(p, SY_TK_IDENT)) {
            unexpected(p, "the name of an annotation");
            goto bad;
        }
        if (!dup_str(p, tok_text(p), &key)) goto bad;
        next(p);
        if (take(p, SY_TK_LPAREN)) {
            if (!is(p, SY_TK_STRING)) {
                unexpected(p, "a string in double quotes");
                goto bad;
            }
            if (!string(p, &val) || !need(p, SY_TK_RPAREN, "`)` after the annotation's value")) goto bad;
        }
        for (size_t i = 0; i < out->n; i++)
            if (sy_str_eq(out->v[i].key, key)) {
                fail(p, pos, "duplicate annotation: `%.*s`", SY_FMT(key));
                goto bad;
            }
        if (out->n >= 1000) {
            fail(p, pos, "more than 1000 annotations");
            goto bad;
        }
        if (!push(p, out, key, sy_val_str(val))) goto bad;
    }
    return true;
bad:
    drop(p, out);
    return false;
}

static bool type(parser *p, symbi_value *out);

static void warn_dup(parser *p, symbi_str key, uint32_t pos)
{
    uint32_t line, col;
    sy_buf w;
    sy_cpos(p->text, pos, &line, &col);
    sy_buf_init(&w, p->cx->alloc, 1024);
    sy_buf_addf(&w, "%u:%u: attribute `%.*s` is declared twice; the last declaration holds", line, col, SY_FMT(key));
    if (sy_buf_status(&w) || sy_grow(&p->cx->alloc, (void **)&p->warns->v, &p->warns->cap, p->warns->n + 1, sizeof *p->warns->v)) {
        p->oom = p->oom || sy_buf_status(&w) != SYMBI_ELIMIT;
    } else {
        symbi_str own = sy_arena_dup(p->warn_mem, sy_buf_str(&w));
        if (own.p) p->warns->v[p->warns->n++] = own;
        else p->oom = p->oom || p->warn_mem->status == SYMBI_ENOMEM;
    }
    sy_buf_free(&w);
}

/* After `{`: attributes up to `}`. */
static bool record(parser *p, symbi_value *out)
{
    members attrs = { 0 }, notes, rec = { 0 };
    symbi_value v;
    sy_map seen;
    bool ok = false;
    sy_map_init(&seen, p->cx->alloc, p->cx->seed);
    while (!is(p, SY_TK_RBRACE)) {
        symbi_str key;
        uint32_t pos;
        bool optional, fresh;
        members t = { 0 };
        sy_map_entry *e;
        if (!annotations(p, &notes)) goto out;
        pos = p->tok.pos;
        if (is(p, SY_TK_STRING) ? !string(p, &key) : !ident(p, &key)) {
            drop(p, &notes);
            goto out;
        }
        optional = take(p, SY_TK_QUESTION);
        if (!need(p, SY_TK_COLON, "`:` and a type") || !type(p, &v)) {
            drop(p, &notes);
            goto out;
        }
        for (size_t i = 0; i < v.u.o.n; i++)
            if (!push(p, &t, v.u.o.members[i].key, v.u.o.members[i].val)) break;
        if (!p->oom && optional) push(p, &t, SY_LIT("required"), sy_val_bool(false));
        if (!p->oom && notes.n) {
            symbi_value nv;
            if (close_object(p, &notes, &nv)) push(p, &t, SY_LIT("annotations"), nv);
        }
        drop(p, &notes);
        if (p->oom || !close_object(p, &t, &v)) {
            drop(p, &t);
            goto out;
        }
        e = sy_map_put(&seen, key, &fresh);
        if (!e) {
            oom(p);
            goto out;
        }
        if (fresh) {
            e->val.u = attrs.n;
            if (!push(p, &attrs, key, v)) goto out;
        } else {
            attrs.v[e->val.u].val = v;
            warn_dup(p, key, pos);
        }
        if (!take(p, SY_TK_COMMA) && !is(p, SY_TK_RBRACE)) {
            unexpected(p, "`,` or `}` in this record");
            goto out;
        }
    }
    next(p);
    if (!push(p, &rec, SY_LIT("type"), sy_val_str(SY_LIT("Record"))) || !close_object(p, &attrs, &v) || !push(p, &rec, SY_LIT("attributes"), v)) goto out;
    ok = close_object(p, &rec, out);
out:
    sy_map_free(&seen);
    drop(p, &attrs);
    drop(p, &rec);
    return ok && !p->oom;
}

static bool type_in(parser *p, symbi_value *out)
{
    members m = { 0 };
    symbi_value v;
    symbi_str name;
    uint32_t pos = p->tok.pos;
    if (take(p, SY_TK_LBRACE)) return record(p, out);
    if (word(p, "Set")) {
        sy_ctok keep = p->tok;
        next(p);
        if (take(p, SY_TK_LT)) {
            if (!type(p, &v) || !need(p, SY_TK_GT, "`>` after the element type")) return false;
            if (push(p, &m, SY_LIT("type"), sy_val_str(SY_LIT("Set"))) && push(p, &m, SY_LIT("element"), v) && close_object(p, &m, out)) return true;
            drop(p, &m);
            return false;
        }
        p->tok = keep;
    }
    if (!is(p, SY_TK_IDENT)) return unexpected(p, "a type: a name, Set<...> or { ... }");
    if (!path(p, true, &name, NULL)) return false;
    (void)pos;
    if (push(p, &m, SY_LIT("type"), sy_val_str(SY_LIT("EntityOrCommon"))) && push(p, &m, SY_LIT("name"), sy_val_str(name)) && close_object(p, &m, out)) return true;
    drop(p, &m);
    return false;
}

static bool type(parser *p, symbi_value *out)
{
    bool ok;
    if (!p->depth) {
        uint32_t line, col;
        sy_cpos(p->text, p->tok.pos, &line, &col);
        sy_fail_at(p->err, SYMBI_ELIMIT, line, col, "this type is nested more than %zu levels deep", p->cx->limits.doc_depth / 4);
        return false;
    }
    p->depth--;
    ok = type_in(p, out);
    p->depth++;
    return ok;
}

/* Path | '[' Path {',' Path} ']' */
static bool type_list(parser *p, bool may_be_empty, symbi_value *out)
{
    members m = { 0 };
    symbi_str none = { "", 0 }, name;
    if (!take(p, SY_TK_LBRACK)) {
        if (!path(p, false, &name, NULL)) return false;
        if (push(p, &m, none, sy_val_str(name)) && close_array(p, &m, out)) return true;
        drop(p, &m);
        return false;
    }
    if (is(p, SY_TK_RBRACK) && may_be_empty) {
        next(p);
        return close_array(p, &m, out);
    }
    do {
        if (!path(p, false, &name, NULL) || !push(p, &m, none, sy_val_str(name))) {
            drop(p, &m);
            return false;
        }
    } while (take(p, SY_TK_COMMA));
    if (need(p, SY_TK_RBRACK, "`,` or `]` in this list") && close_array(p, &m, out)) return true;
    drop(p, &m);
    return false;
}

/* Notes a declaration; false when the name was there before. */
static bool declare(parser *p, space *s, char kind, symbi_str name, uint32_t pos)
{
    bool fresh;
    char *k = sy_arena_alloc(p->a, name.n + 1);
    if (!k) return oom(p);
    k[0] = kind;
    if (name.n) memcpy(k + 1, name.p, name.n);
    if (!sy_map_put(&s->seen, (symbi_str){ k, name.n + 1 }, &fresh)) return oom(p);
    return fresh ? true : fail(p, pos, "`%.*s` is declared twice", SY_FMT(name));
}

static bool with_notes(parser *p, members *decl, const members *notes)
{
    members copy = { 0 };
    symbi_value v;
    if (!notes->n) return true;
    for (size_t i = 0; i < notes->n; i++)
        if (!push(p, &copy, notes->v[i].key, notes->v[i].val)) {
            drop(p, &copy);
            return false;
        }
    if (close_object(p, &copy, &v)) return push(p, decl, SY_LIT("annotations"), v);
    drop(p, &copy);
    return false;
}

typedef struct name_list {
    symbi_str v;
    uint32_t pos;
    struct name_list *next;
} name_list;

static bool names(parser *p, bool strings, const char *what, name_list **out)
{
    name_list **tail = out;
    *out = NULL;
    do {
        name_list *n = sy_arena_calloc(p->a, 1, sizeof *n);
        if (!n) return oom(p);
        n->pos = p->tok.pos;
        if (strings && is(p, SY_TK_STRING)) {
            if (!string(p, &n->v)) return false;
        } else if (strings ? !ident(p, &n->v) : !decl_name(p, &n->v)) {
            return false;
        }
        *tail = n;
        tail = &n->next;
    } while (take(p, SY_TK_COMMA));
    (void)what;
    return true;
}

static bool entity(parser *p, space *s, const members *notes)
{
    name_list *list;
    members d = { 0 };
    symbi_value v, enums = { 0 }, in = { 0 }, shape = { 0 }, tags = { 0 };
    bool has_enum = false, has_in = false, has_shape = false, has_tags = false;
    if (!names(p, false, "entity", &list)) return false;
    if (take_word(p, "enum")) {
        members m = { 0 };
        symbi_str none = { "", 0 }, id;
        has_enum = true;
        if (!need(p, SY_TK_LBRACK, "`[` and the ids of this enumeration")) return false;
        do {
            if (!is(p, SY_TK_STRING)) {
                unexpected(p, "an id in double quotes");
                drop(p, &m);
                return false;
            }
            if (!string(p, &id) || !push(p, &m, none, sy_val_str(id))) {
                drop(p, &m);
                return false;
            }
        } while (take(p, SY_TK_COMMA));
        if (!need(p, SY_TK_RBRACK, "`,` or `]` in this enumeration") || !close_array(p, &m, &enums)) {
            drop(p, &m);
            return false;
        }
    } else {
        if (take_word(p, "in")) {
            has_in = true;
            if (!type_list(p, true, &in)) return false;
        }
        if (is(p, SY_TK_ASSIGN) || is(p, SY_TK_LBRACE)) {
            take(p, SY_TK_ASSIGN);
            if (!need(p, SY_TK_LBRACE, "`{` and the attributes") || !record(p, &shape)) return false;
            has_shape = symbi_value_getz(&shape, "attributes")->u.o.n > 0;
        }
        if (take_word(p, "tags")) {
            has_tags = true;
            if (!type(p, &tags)) return false;
        }
    }
    if (!need(p, SY_TK_SEMI, has_enum ? "`;` after the enumeration" : "`;`, or `in`, `{`, `tags` in this order")) return false;
    for (; list; list = list->next) {
        if (!declare(p, s, 'e', list->v, list->pos)) return false;
        if (sy_str_eqz(list->v, "Action")) return fail(p, list->pos, "an entity type cannot be called `Action`; actions are declared with `action`");
        if ((has_in && in.u.a.n && !push(p, &d, SY_LIT("memberOfTypes"), in)) || (has_shape && !push(p, &d, SY_LIT("shape"), shape)) ||
            (has_tags && !push(p, &d, SY_LIT("tags"), tags)) || (has_enum && !push(p, &d, SY_LIT("enum"), enums)) || !with_notes(p, &d, notes) ||
            !close_object(p, &d, &v) || !push(p, &s->entities, list->v, v)) {
            drop(p, &d);
            return false;
        }
    }
    return true;
}

/* One parent of an action: name, "name" or NS::Action::"name". */
static bool action_parent(parser *p, members *out)
{
    members m = { 0 };
    symbi_str none = { "", 0 }, t, id;
    symbi_value v;
    bool typed = false;
    if (is(p, SY_TK_STRING)) {
        if (!string(p, &id)) return false;
    } else {
        uint32_t pos = p->tok.pos;
        if (!path(p, false, &t, &id)) return false;
        if (id.p) {
            typed = true;
        } else {
            if (sy_cname_base(t).n != t.n) return fail(p, pos, "an action of another namespace is written NS::Action::\"name\"");
            id = t;
        }
    }
    if (push(p, &m, SY_LIT("id"), sy_val_str(id)) && (!typed || push(p, &m, SY_LIT("type"), sy_val_str(t))) && close_object(p, &m, &v)) return push(p, out, none, v);
    drop(p, &m);
    return false;
}

static bool applies_to(parser *p, symbi_str action, symbi_value *out)
{
    symbi_value pr = { 0 }, rs = { 0 }, cx = { 0 };
    bool has[3] = { false, false, false }, ctx;
    members m = { 0 };
    if (!need(p, SY_TK_LBRACE, "`{` after appliesTo")) return false;
    do {
        int k = word(p, "principal") ? 0 : word(p, "resource") ? 1 : word(p, "context") ? 2 : -1;
        static const char *const kinds[] = { "principal", "resource", "context" };
        uint32_t pos = p->tok.pos;
        if (k < 0) {
            if (is(p, SY_TK_RBRACE) && (has[0] || has[1] || has[2])) break;
            return unexpected(p, "principal, resource or context");
        }
        if (has[k]) return fail(p, pos, "duplicate `%s` declaration in action `%.*s`", kinds[k], SY_FMT(action));
        has[k] = true;
        next(p);
        if (!need(p, SY_TK_COLON, "`:`")) return false;
        if (k < 2) {
            symbi_value *v = k ? &rs : &pr;
            if (!type_list(p, true, v)) return false;
            if (!v->u.a.n) return fail(p, pos, "the `%s` list of action `%.*s` is `[]`, which is invalid", kinds[k], SY_FMT(action));
        } else if (take(p, SY_TK_LBRACE)) {
            if (!record(p, &cx)) return false;
        } else {
            symbi_str name;
            members t = { 0 };
            if (!path(p, false, &name, NULL)) return false;
            if (!push(p, &t, SY_LIT("type"), sy_val_str(name)) || !close_object(p, &t, &cx)) {
                drop(p, &t);
                return false;
            }
        }
    } while (take(p, SY_TK_COMMA));
    if (!need(p, SY_TK_RBRACE, "`,` or `}` in this appliesTo")) return false;
    if (!has[0] || !has[1]) return fail(p, p->tok.pos, "missing `%s` declaration for `%.*s`", has[0] ? "resource" : "principal", SY_FMT(action));
    ctx = has[2] && !(symbi_value_getz(&cx, "attributes") && symbi_value_getz(&cx, "attributes")->u.o.n == 0);
    if (push(p, &m, SY_LIT("resourceTypes"), rs) && push(p, &m, SY_LIT("principalTypes"), pr) && (!ctx || push(p, &m, SY_LIT("context"), cx)) && close_object(p, &m, out))
        return true;
    drop(p, &m);
    return false;
}

static bool nothing_applies(parser *p, symbi_value *out)
{
    members m = { 0 };
    symbi_value none = sy_val_array(NULL, 0);
    if (push(p, &m, SY_LIT("resourceTypes"), none) && push(p, &m, SY_LIT("principalTypes"), none) && close_object(p, &m, out)) return true;
    drop(p, &m);
    return false;
}

static bool action(parser *p, space *s, const members *notes)
{
    name_list *list;
    members parents = { 0 }, d = { 0 };
    symbi_value v, applies, par = { 0 };
    bool has_par = false;
    if (!names(p, true, "action", &list)) return false;
    if (take_word(p, "in")) {
        has_par = true;
        if (take(p, SY_TK_LBRACK)) {
            do {
                if (!action_parent(p, &parents)) goto bad;
            } while (take(p, SY_TK_COMMA));
            if (!need(p, SY_TK_RBRACK, "`,` or `]` in this list")) goto bad;
        } else if (!action_parent(p, &parents)) {
            goto bad;
        }
        if (!close_array(p, &parents, &par)) goto bad;
    }
    if (take_word(p, "appliesTo") ? !applies_to(p, list->v, &applies) : !nothing_applies(p, &applies)) return false;
    if (take_word(p, "attributes") && (!need(p, SY_TK_LBRACE, "`{`") || !need(p, SY_TK_RBRACE, "`}`: actions cannot have attributes"))) return false;
    if (!need(p, SY_TK_SEMI, "`;`, or `in`, `appliesTo` in this order")) return false;
    for (; list; list = list->next) {
        if (!declare(p, s, 'a', list->v, list->pos)) return false;
        if (!push(p, &d, SY_LIT("appliesTo"), applies) || (has_par && !push(p, &d, SY_LIT("memberOf"), par)) || !with_notes(p, &d, notes) || !close_object(p, &d, &v) ||
            !push(p, &s->actions, list->v, v)) {
            drop(p, &d);
            return false;
        }
    }
    return true;
bad:
    drop(p, &parents);
    return false;
}

static bool common(parser *p, space *s, const members *notes)
{
    static const char *const reserved[] = { "Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String" };
    symbi_str name;
    symbi_value t, v;
    members d = { 0 };
    uint32_t pos = p->tok.pos;
    if (!decl_name(p, &name)) return false;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (sy_str_eqz(name, reserved[i])) return fail(p, pos, "this uses a reserved schema keyword: `%s`", reserved[i]);
    if (!need(p, SY_TK_ASSIGN, "`=` and a type") || !type(p, &t) || !need(p, SY_TK_SEMI, "`;`") || !declare(p, s, 't', name, pos)) return false;
    for (size_t i = 0; i < t.u.o.n; i++)
        if (!push(p, &d, t.u.o.members[i].key, t.u.o.members[i].val)) goto bad;
    if (!with_notes(p, &d, notes) || !close_object(p, &d, &v) || !push(p, &s->commons, name, v)) goto bad;
    return true;
bad:
    drop(p, &d);
    return false;
}

/* 1 read a declaration, 0 there is none here, -1 failed. */
static int declaration(parser *p, size_t sp, const members *notes)
{
    if (take_word(p, "entity")) return entity(p, &p->spaces[sp], notes) ? 1 : -1;
    if (take_word(p, "action")) return action(p, &p->spaces[sp], notes) ? 1 : -1;
    if (take_word(p, "type")) return common(p, &p->spaces[sp], notes) ? 1 : -1;
    return 0;
}

static bool add_space(parser *p, symbi_str name, uint32_t pos, size_t *out)
{
    for (size_t i = 0; i < p->nspaces; i++)
        if (sy_str_eq(p->spaces[i].name, name)) return fail(p, pos, "duplicate namespace id: `%.*s`", SY_FMT(name));
    if (p->nspaces >= 10000) return fail(p, pos, "more than 10000 namespaces");
    if (sy_grow(&p->cx->alloc, (void **)&p->spaces, &p->cap_spaces, p->nspaces + 1, sizeof *p->spaces)) return oom(p);
    memset(&p->spaces[p->nspaces], 0, sizeof *p->spaces);
    p->spaces[p->nspaces].name = name;
    sy_map_init(&p->spaces[p->nspaces].seen, p->cx->alloc, p->cx->seed);
    *out = p->nspaces++;
    return true;
}

static bool namespace_(parser *p, members *notes)
{
    symbi_str name;
    uint32_t pos = p->tok.pos;
    size_t sp;
    int r;
    if (!path(p, false, &name, NULL) || !add_space(p, name, pos, &sp)) return false;
    p->spaces[sp].notes = *notes;
    memset(notes, 0, sizeof *notes);
    if (!need(p, SY_TK_LBRACE, "`{` after the namespace")) return false;
    while (!is(p, SY_TK_RBRACE)) {
        members n;
        if (!annotations(p, &n)) return false;
        r = declaration(p, sp, &n);
        drop(p, &n);
        if (r < 0) return false;
        if (!r) return unexpected(p, "entity, action, type or `}`");
    }
    next(p);
    return true;
}

static bool all(parser *p)
{
    size_t top;
    if (!add_space(p, SY_LIT(""), 0, &top)) return false;
    next(p);
    while (!is(p, SY_TK_EOF)) {
        members n;
        int r;
        bool ok = true;
        if (!annotations(p, &n)) return false;
        r = declaration(p, top, &n);
        if (!r) ok = take_word(p, "namespace") ? namespace_(p, &n) : unexpected(p, "entity, action, type or namespace");
        drop(p, &n);
        if (r < 0 || !ok) return false;
    }
    return true;
}

static bool assemble(parser *p)
{
    members root = { 0 };
    bool ok = true;
    for (size_t i = 0; i < p->nspaces && ok; i++) {
        space *s = &p->spaces[i];
        members m = { 0 };
        symbi_value v, c, e, a, n;
        if (!s->name.n && !s->entities.n && !s->actions.n && !s->commons.n) continue;
        ok = (!s->commons.n || (close_object(p, &s->commons, &c) && push(p, &m, SY_LIT("commonTypes"), c))) && close_object(p, &s->entities, &e) &&
             push(p, &m, SY_LIT("entityTypes"), e) && close_object(p, &s->actions, &a) && push(p, &m, SY_LIT("actions"), a) &&
             (!s->notes.n || (close_object(p, &s->notes, &n) && push(p, &m, SY_LIT("annotations"), n))) && close_object(p, &m, &v) && push(p, &root, s->name, v);
        drop(p, &m);
    }
    ok = ok && close_object(p, &root, &p->doc->root);
    drop(p, &root);
    return ok;
}

symbi_status sy_cschema_read_text(symbi_ctx *cx, symbi_str text, symbi_doc **out, sy_cschema_warns *warns, sy_arena *warn_mem, symbi_err *err)
{
    parser p;
    size_t bad;
    bool ok;
    *out = NULL;
    memset(&p, 0, sizeof p);
    if (text.n > cx->limits.policy_bytes || text.n > UINT32_MAX - 16) return sy_fail(err, SYMBI_ELIMIT, "the schema is larger than %zu bytes", cx->limits.policy_bytes);
    p.cx = cx;
    p.err = err;
    p.text = text;
    p.depth = cx->limits.doc_depth / 4; /* a level of text is up to four levels of JSON */
    p.warns = warns;
    p.warn_mem = warn_mem;
    if (!sy_utf8_valid(text, &bad)) {
        fail(&p, (uint32_t)bad, "the text is not valid UTF-8 here");
        return SYMBI_EPARSE;
    }
    p.doc = sy_doc_new(cx);
    if (!p.doc) return sy_fail_nomem(err);
    p.a = &p.doc->arena;
    sy_buf_init(&p.buf, cx->alloc, text.n + 64);
    ok = all(&p) && !p.oom && assemble(&p);
    sy_buf_free(&p.buf);
    for (size_t i = 0; i < p.nspaces; i++) {
        drop(&p, &p.spaces[i].entities);
        drop(&p, &p.spaces[i].actions);
        drop(&p, &p.spaces[i].commons);
        drop(&p, &p.spaces[i].notes);
        sy_map_free(&p.spaces[i].seen);
    }
    sy_free(&cx->alloc, p.spaces, p.cap_spaces * sizeof *p.spaces);
    if (ok && !p.a->status) {
        *out = p.doc;
        return SYMBI_OK;
    }
    symbi_doc_unref(p.doc);
    if (p.oom && err->code != SYMBI_ENOMEM && err->code != SYMBI_ELIMIT) return sy_fail_nomem(err);
    return err->code;
}
