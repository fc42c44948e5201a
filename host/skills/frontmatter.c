/* skills/frontmatter.c: the front matter of SKILL.md. */
#include "symbi/skill_load.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"
#include "codec/build.h"
#include "skills/skills.h"
#include "symbi/yaml.h"

/* The line at s without its end; *used counts it. */
static symbi_str line_at(symbi_str s, size_t *used)
{
    const char *nl = s.n ? memchr(s.p, '\n', s.n) : NULL;
    symbi_str l = { s.p, nl ? (size_t)(nl - s.p) : s.n };
    *used = nl ? l.n + 1 : l.n;
    if (l.n && l.p[l.n - 1] == '\r') l.n--;
    return l;
}

static bool delimiter(symbi_str l)
{
    if (!sy_str_starts(l, SY_LIT("---"))) return false;
    for (size_t i = 3; i < l.n; i++)
        if (l.p[i] != ' ' && l.p[i] != '\t') return false;
    return true;
}

/* Finds the text between the delimiters; *after is where the body of the file begins. *open: it begins, and does not end. */
static bool find(symbi_str content, symbi_str *body, size_t *after, bool *open)
{
    size_t at = sy_str_starts(content, SY_LIT("\xef\xbb\xbf")) ? 3 : 0, used, start;
    *open = delimiter(line_at((symbi_str){ content.p + at, content.n - at }, &used));
    if (!*open) return false;
    start = at += used;
    while (at < content.n) {
        symbi_str l = line_at((symbi_str){ content.p + at, content.n - at }, &used);
        if (delimiter(l)) {
            *body = (symbi_str){ content.p + start, at - start };
            *after = at + used;
            *open = false;
            return true;
        }
        at += used;
    }
    return false;
}

static void problem(symbi_doc *d, sy_arr *list, uint32_t line, symbi_str message, bool unread)
{
    sy_obj o = sy_obj_new(&d->arena);
    sy_obj_int(&o, "line", line);
    sy_obj_str(&o, "message", sy_arena_dup(&d->arena, message));
    if (unread) sy_obj_bool(&o, "unread", true);
    sy_arr_add(list, sy_obj_value(&o));
}

/* The mapping in body, copied into d; {} and a problem where it is none. */
static symbi_status read_body(symbi_ctx *cx, symbi_doc *d, symbi_str body, symbi_value *raw, sy_arr *problems, symbi_err *err)
{
    symbi_doc *y = NULL;
    symbi_err why;
    symbi_status st;
    const symbi_value *root;
    if (body.n > SYMBI_SKILL_FRONTMATTER_BYTES) {
        problem(d, problems, 2, SY_LIT("the front matter is larger than 64 KiB and was not read"), true);
        return SYMBI_OK;
    }
    st = symbi_yaml_parse(cx, body, SYMBI_YAML_TEXT, &y, &why);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) {
        problem(d, problems, why.line + 1, symbi_str_z(why.msg), st == SYMBI_ELIMIT);
        return SYMBI_OK;
    }
    root = symbi_doc_root(y);
    if (root->kind == SYMBI_OBJECT) st = sy_value_copy(&d->arena, root, raw, cx->limits.doc_depth, err);
    else if (root->kind != SYMBI_NULL) problem(d, problems, root->line + 1, SY_LIT("the front matter is not a mapping of keys to values"), false);
    symbi_doc_unref(y);
    return st;
}

/* A text without white space around it, or empty. */
static symbi_str text(const symbi_value *raw, const char *key)
{
    symbi_str s = symbi_value_str(raw, key, SY_LIT(""));
    while (s.n && (unsigned char)s.p[0] <= ' ') s.p++, s.n--;
    while (s.n && (unsigned char)s.p[s.n - 1] <= ' ') s.n--;
    return s;
}

symbi_status symbi_skill_frontmatter(symbi_ctx *cx, symbi_str content, symbi_str fallback_name, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d = sy_doc_new(cx);
    symbi_value raw = sy_val_object(NULL, 0);
    symbi_str body = { NULL, 0 }, name, description;
    symbi_status st = SYMBI_OK;
    size_t after = 0;
    sy_arr problems;
    sy_obj o;
    bool found, open;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    problems = sy_arr_new(&d->arena);
    found = find(content, &body, &after, &open);
    if (found) st = read_body(cx, d, body, &raw, &problems, err);
    if (open) problem(d, &problems, 1, SY_LIT("the front matter that begins here does not end: the line with --- after it is missing"), false);
    if (st || d->arena.status) raw = sy_val_object(NULL, 0); /* half a copy is none */
    name = text(&raw, "name");
    description = text(&raw, "description");
    if (found && !name.n) problem(d, &problems, 1, SY_LIT("no name in the front matter: the folder's name is taken"), false);
    o = sy_obj_new(&d->arena);
    sy_obj_bool(&o, "found", found);
    sy_obj_str(&o, "name", name.n ? name : sy_arena_dup(&d->arena, fallback_name));
    sy_obj_put(&o, "description", description.n ? sy_val_str(description) : sy_val_null());
    sy_obj_put(&o, "raw", raw);
    sy_obj_count(&o, "body_offset", after);
    sy_obj_put(&o, "problems", sy_arr_value(&problems));
    d->root = sy_obj_value(&o);
    if (!st && d->arena.status) st = sy_arena_fail(&d->arena, "the front matter", err);
    if (st) symbi_doc_unref(d);
    else *out = d;
    return st;
}

symbi_status sy_strict_frontmatter(symbi_skill_scan *s, symbi_str path, symbi_str content, symbi_err *err)
{
    symbi_doc *d;
    symbi_status st = symbi_skill_frontmatter(s->cx, content, SY_LIT("-"), &d, err);
    const symbi_value *list;
    if (st) return st;
    list = symbi_value_getz(symbi_doc_root(d), "problems");
    for (size_t i = 0; list && i < list->u.a.n && !st; i++) {
        const symbi_value *p = &list->u.a.items[i], *line = symbi_value_getz(p, "line");
        bool unread = symbi_value_getz(p, "unread") != NULL;
        symbi_skill_finding f = { unread ? SY_LIT("unread:front-matter") : SY_LIT("front-matter"), SY_LIT("unread"), symbi_value_str(p, "message", SY_LIT("")), path, { "", 0 }, { "", 0 }, { "", 0 },
            unread ? SYMBI_SKILL_HIGH : SYMBI_SKILL_MEDIUM, line ? (size_t)line->u.i : 1, 0, false };
        if (f.line == 1 && sy_str_starts(f.message, SY_LIT("no name"))) continue; /* for the loader */
        s->totals.unread += unread;
        st = sy_scan_add(s, &f, 0, 0, err);
    }
    symbi_doc_unref(d);
    return st;
}
