/* toolclad/mcp_pins.c: is this definition the one that somebody approved? (spec toolclad.md 11: fail closed.) An MCP server may change
 * what a tool is from one listing to the next; so a definition counts only while it is, byte for byte of its canonical form, the approved
 * one, or while its author's key signs it. The record is text in and text out; keeping the file is the caller's business. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "symbi/crypto.h"
#include "symbi/schemapin.h"
#include "toolclad/mcp_in.h"
#include <stdio.h>

static const char *const members[] = { "annotations", "description", "inputSchema", "name", "outputSchema" };
enum { NMEMBERS = sizeof members / sizeof members[0], MAX_ENTRIES = 100000, DIFF_LINES = 200, DIFF_DEPTH = 64, SHOWN = 120 };

symbi_value sy_mcp_definition(sy_arena *a, const symbi_value *v)
{
    sy_obj o = sy_obj_new(a);
    for (size_t i = 0; i < NMEMBERS; i++) {
        const symbi_value *m = symbi_value_getz(v, members[i]);
        if (m && m->kind != SYMBI_NULL) sy_obj_put(&o, members[i], *m);
    }
    return sy_obj_value(&o);
}

symbi_str sy_mcp_signature(const symbi_value *definition)
{
    return symbi_value_str(symbi_value_getz(definition, "inputSchema"), "signature", SY_LIT(""));
}

/* ---- the record ---- */

typedef struct record {
    symbi_doc *doc; /* NULL: nothing yet */
    const symbi_value *tools, *keys; /* arrays or NULL */
} record;

static symbi_status list_of(const symbi_value *root, const char *key, const symbi_value **out, symbi_err *err)
{
    const symbi_value *v = symbi_value_getz(root, key);
    if (!v) return SYMBI_OK;
    if (v->kind != SYMBI_ARRAY || v->u.a.n > MAX_ENTRIES) return sy_fail(err, SYMBI_ESCHEMA, "the record of approved MCP tools is damaged: '%s' is no list", key);
    for (size_t i = 0; i < v->u.a.n; i++) {
        const symbi_value *e = &v->u.a.items[i], *definition = symbi_value_getz(e, "definition");
        bool ok = symbi_value_str(e, "server", SY_LIT("")).n > 0;
        if (strcmp(key, "tools") == 0) ok = ok && symbi_value_str(e, "tool", SY_LIT("")).n && symbi_value_str(e, "digest", SY_LIT("")).n && definition && definition->kind == SYMBI_OBJECT;
        else ok = ok && symbi_value_str(e, "fingerprint", SY_LIT("")).n;
        if (!ok) return sy_fail(err, SYMBI_ESCHEMA, "the record of approved MCP tools is damaged: %s, entry %zu", key, i + 1);
    }
    *out = v;
    return SYMBI_OK;
}

/* Fails for everything it does not understand: a record that counts for less than it says would approve by accident or forget. */
static symbi_status record_open(symbi_ctx *cx, symbi_str text, record *r, symbi_err *err)
{
    const symbi_value *root, *version;
    symbi_status st;
    *r = (record){ NULL, NULL, NULL };
    if (!text.n) return SYMBI_OK;
    if ((st = symbi_json_parse(cx, text, &r->doc, err))) return st;
    root = symbi_doc_root(r->doc);
    version = symbi_value_getz(root, "version");
    if (!version || version->kind != SYMBI_INT || version->u.i != 1) st = sy_fail(err, SYMBI_ESCHEMA, "the record of approved MCP tools is damaged, or of a newer version");
    if (st || (st = list_of(root, "tools", &r->tools, err)) || (st = list_of(root, "keys", &r->keys, err))) {
        symbi_doc_unref(r->doc);
        r->doc = NULL;
    }
    return st;
}

static bool is_of(const symbi_value *e, symbi_str server, symbi_str tool)
{
    return sy_str_eq(symbi_value_str(e, "server", SY_LIT("")), server) && (!tool.n || sy_str_eq(symbi_value_str(e, "tool", SY_LIT("")), tool));
}

static const symbi_value *entry(const symbi_value *list, symbi_str server, symbi_str tool)
{
    for (size_t i = 0; list && i < list->u.a.n; i++)
        if (is_of(&list->u.a.items[i], server, tool)) return &list->u.a.items[i];
    return NULL;
}

/* The record anew: without the entries of (server, tool) in tools and, where drop_key, of server in keys; with the new ones. */
static symbi_status record_write(symbi_ctx *cx, const record *r, symbi_str server, symbi_str tool, bool drop_key, const symbi_value *new_tool, const symbi_value *new_key, sy_arena *a, symbi_text *out, symbi_err *err)
{
    sy_obj o = sy_obj_new(a);
    sy_arr tools = sy_arr_new(a), keys = sy_arr_new(a);
    symbi_value v;
    for (size_t i = 0; r->tools && i < r->tools->u.a.n; i++)
        if (!is_of(&r->tools->u.a.items[i], server, tool)) sy_arr_add(&tools, r->tools->u.a.items[i]);
    for (size_t i = 0; r->keys && i < r->keys->u.a.n; i++)
        if (!drop_key || !is_of(&r->keys->u.a.items[i], server, SY_LIT(""))) sy_arr_add(&keys, r->keys->u.a.items[i]);
    if (new_tool) sy_arr_add(&tools, *new_tool);
    if (new_key) sy_arr_add(&keys, *new_key);
    sy_obj_int(&o, "version", 1);
    sy_obj_put(&o, "tools", sy_arr_value(&tools));
    sy_obj_put(&o, "keys", sy_arr_value(&keys));
    if (a->status) return sy_arena_fail(a, "the record", err);
    v = sy_obj_value(&o);
    return symbi_json_write(cx, &v, SYMBI_JSON_PRETTY, out, err);
}

/* ---- digests ---- */

static symbi_status digest_of(symbi_ctx *cx, const symbi_value *reduced, char out[72], symbi_err *err)
{
    symbi_text t = { 0 };
    uint8_t h[32];
    symbi_status st = symbi_json_write(cx, reduced, SYMBI_JSON_CANONICAL, &t, err);
    if (!st) st = symbi_sha256(cx, symbi_text_str(&t), h, err);
    symbi_text_free(&t);
    memcpy(out, "sha256:", 8);
    for (size_t i = 0; !st && i < 32; i++) snprintf(out + 7 + 2 * i, 3, "%02x", h[i]);
    return st;
}

symbi_status symbi_mcp_definition_digest(symbi_ctx *cx, const symbi_value *definition, uint8_t out[32], symbi_err *err)
{
    sy_arena a;
    symbi_value v;
    symbi_text t = { 0 };
    symbi_status st;
    memset(out, 0, 32);
    symbi_err_clear(err);
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    v = sy_mcp_definition(&a, definition);
    st = a.status ? sy_arena_fail(&a, "the definition", err) : symbi_json_write(cx, &v, SYMBI_JSON_CANONICAL, &t, err);
    if (!st) st = symbi_sha256(cx, symbi_text_str(&t), out, err);
    symbi_text_free(&t);
    sy_arena_free(&a);
    return st;
}

/* ---- differences ---- */

typedef struct differ {
    symbi_ctx *cx;
    sy_buf *b;
    size_t lines;
    char path[400];
    symbi_status st;
    symbi_err *err;
} differ;

/* "NAME: A -> B"; a or b NULL: added, removed. */
static void line(differ *d, const symbi_value *a, const symbi_value *b)
{
    const symbi_value *side[2] = { a, b };
    if (d->st) return;
    if (d->lines++ == DIFF_LINES) sy_buf_addz(d->b, "... and more\n");
    if (d->lines > DIFF_LINES) return;
    sy_buf_addz(d->b, d->path);
    sy_buf_addz(d->b, !a ? ": added: " : !b ? ": removed: " : ": ");
    for (int i = 0; i < 2; i++) {
        symbi_text t = { 0 };
        symbi_str s;
        char shown[SHOWN + 8];
        if (!side[i]) continue;
        if ((d->st = symbi_json_write(d->cx, side[i], 0, &t, d->err))) return;
        s = symbi_text_str(&t);
        sy_clean_line(shown, SHOWN, s);
        if (s.n >= SHOWN) strcat(shown, "...");
        symbi_text_free(&t);
        if (i == 1 && a) sy_buf_addz(d->b, " -> ");
        sy_buf_addz(d->b, shown);
    }
    sy_buf_addc(d->b, '\n');
}

static void diff(differ *d, const symbi_value *a, const symbi_value *b, size_t depth)
{
    size_t mark = strlen(d->path);
    if (symbi_value_equal(a, b)) return;
    if (a->kind != SYMBI_OBJECT || b->kind != SYMBI_OBJECT || !depth) {
        line(d, a, b);
        return;
    }
    for (int pass = 0; pass < 2; pass++) {
        const symbi_value *from = pass ? b : a;
        for (size_t i = 0; i < from->u.o.n && !d->st; i++) {
            symbi_str key = from->u.o.members[i].key;
            const symbi_value *other = symbi_value_get(pass ? a : b, key);
            char clean[80];
            if (pass && other) continue; /* seen in the first pass */
            sy_clean_line(clean, sizeof clean, key);
            snprintf(d->path + mark, sizeof d->path - mark, "%s%s", mark ? "." : "", clean);
            if (!pass && other) diff(d, &from->u.o.members[i].val, other, depth - 1);
            else if (pass) line(d, NULL, &from->u.o.members[i].val);
            else line(d, &from->u.o.members[i].val, NULL);
            d->path[mark] = 0;
        }
    }
}

static symbi_status diff_text(symbi_ctx *cx, const symbi_value *was, const symbi_value *is, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    differ d = { cx, &b, 0, "", SYMBI_OK, err };
    symbi_status st;
    sy_buf_init(&b, cx->alloc, 1u << 20);
    diff(&d, was, is, DIFF_DEPTH);
    st = d.st ? d.st : sy_buf_take(&b, out, "the difference", err);
    sy_buf_free(&b);
    return st;
}

/* ---- what the operator asks ---- */

typedef struct standing {
    symbi_mcp_standing is;
    char digest[72];
    symbi_value reduced;
    const symbi_value *old; /* the approved definition */
} standing;

static symbi_status look_up(symbi_ctx *cx, const record *r, symbi_str server, const symbi_value *definition, sy_arena *a, standing *out, symbi_err *err)
{
    symbi_str name = symbi_value_str(definition, "name", SY_LIT(""));
    const symbi_value *e;
    char recorded[72];
    symbi_status st;
    *out = (standing){ SYMBI_MCP_UNKNOWN, "", { 0 }, NULL };
    if (!name.n) return sy_fail(err, SYMBI_ESCHEMA, "the definition has no name");
    out->reduced = sy_mcp_definition(a, definition);
    if (a->status) return sy_arena_fail(a, "the definition", err);
    if ((st = digest_of(cx, &out->reduced, out->digest, err))) return st;
    e = entry(r->tools, server, name);
    if (!e) return SYMBI_OK;
    out->old = symbi_value_getz(e, "definition");
    /* The digest is what was approved; a definition beside it that somebody edited must not speak for it. */
    if ((st = digest_of(cx, out->old, recorded, err))) return st;
    if (!sy_str_eqz(symbi_value_str(e, "digest", SY_LIT("")), recorded)) return sy_fail(err, SYMBI_EVERIFY, "the record of approved MCP tools was altered: %.*s of %.*s does not have its digest", SY_FMT(name), SY_FMT(server));
    out->is = strcmp(recorded, out->digest) == 0 ? SYMBI_MCP_APPROVED : SYMBI_MCP_CHANGED;
    return SYMBI_OK;
}

symbi_status symbi_mcp_compare(symbi_ctx *cx, symbi_str text, symbi_str server, const symbi_value *definition, symbi_mcp_standing *out, symbi_text *difference, symbi_err *err)
{
    sy_arena a;
    record r;
    standing s;
    symbi_status st;
    *out = SYMBI_MCP_UNKNOWN;
    if (difference) memset(difference, 0, sizeof *difference);
    symbi_err_clear(err);
    if ((st = record_open(cx, text, &r, err))) return st;
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    st = look_up(cx, &r, server, definition, &a, &s, err);
    if (!st && s.is == SYMBI_MCP_CHANGED && difference) st = diff_text(cx, s.old, &s.reduced, difference, err);
    if (!st) *out = s.is;
    sy_arena_free(&a);
    symbi_doc_unref(r.doc);
    return st;
}

static symbi_value tool_entry(sy_arena *a, symbi_str server, symbi_str name, const standing *s, symbi_str by, int64_t now_ms)
{
    sy_obj o = sy_obj_new(a);
    char stamp[SY_RFC3339_MS];
    sy_time_rfc3339(now_ms, stamp);
    sy_obj_str(&o, "server", server);
    sy_obj_str(&o, "tool", name);
    sy_obj_str(&o, "digest", sy_arena_dup(a, symbi_str_z(s->digest)));
    sy_obj_str(&o, "approved_at", sy_arena_dup(a, symbi_str_z(stamp)));
    sy_obj_str(&o, "approved_by", by);
    sy_obj_put(&o, "definition", s->reduced);
    return sy_obj_value(&o);
}

symbi_status symbi_mcp_approve(symbi_ctx *cx, symbi_str text, symbi_str server, const symbi_value *definition, symbi_str by, int64_t now_ms, symbi_text *out, symbi_err *err)
{
    symbi_str name = symbi_value_str(definition, "name", SY_LIT(""));
    sy_arena a;
    record r;
    standing s = { SYMBI_MCP_UNKNOWN, "", { 0 }, NULL };
    symbi_value e;
    symbi_status st;
    memset(out, 0, sizeof *out);
    symbi_err_clear(err);
    if (!name.n || !server.n) return sy_fail(err, SYMBI_EINVAL, "a server and a definition with a name are needed");
    if ((st = record_open(cx, text, &r, err))) return st;
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    s.reduced = sy_mcp_definition(&a, definition);
    st = a.status ? sy_arena_fail(&a, "the definition", err) : digest_of(cx, &s.reduced, s.digest, err);
    if (!st) {
        e = tool_entry(&a, server, name, &s, by, now_ms);
        st = record_write(cx, &r, server, name, false, &e, NULL, &a, out, err);
    }
    sy_arena_free(&a);
    symbi_doc_unref(r.doc);
    return st;
}

symbi_status symbi_mcp_forget(symbi_ctx *cx, symbi_str text, symbi_str server, symbi_str tool, size_t *removed, symbi_text *out, symbi_err *err)
{
    sy_arena a;
    record r;
    symbi_status st;
    *removed = 0;
    memset(out, 0, sizeof *out);
    symbi_err_clear(err);
    if ((st = record_open(cx, text, &r, err))) return st;
    for (size_t i = 0; r.tools && i < r.tools->u.a.n; i++) *removed += is_of(&r.tools->u.a.items[i], server, tool);
    for (size_t i = 0; !tool.n && r.keys && i < r.keys->u.a.n; i++) *removed += is_of(&r.keys->u.a.items[i], server, SY_LIT(""));
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    st = record_write(cx, &r, server, tool, !tool.n, NULL, NULL, &a, out, err);
    sy_arena_free(&a);
    symbi_doc_unref(r.doc);
    return st;
}

/* ---- the decision ---- */

/* A signed definition: the server's key, pinned under the registry's name on first use, must have signed the input schema (SchemaPin,
 * signature embedded). */
static symbi_status judge_signed(symbi_ctx *cx, const symbi_mcp_server *s, const record *r, symbi_str key_pem, const symbi_value *definition, int64_t now_ms, sy_arena *a, symbi_text *changed, symbi_err *err)
{
    symbi_str name = symbi_value_str(definition, "name", SY_LIT(""));
    const symbi_value *pin = entry(r->keys, s->name, SY_LIT(""));
    char fp[SYMBI_SCHEMAPIN_FINGERPRINT + 1], stamp[SY_RFC3339_MS];
    uint8_t hash[32];
    symbi_key *key = NULL;
    symbi_err why;
    symbi_status st;
    symbi_err_clear(&why);
    if (!key_pem.n) return sy_fail(err, SYMBI_EDENIED, "MCP tool '%.*s' of server '%.*s' is signed, but its key at %.*s is not to be had", SY_FMT(name), SY_FMT(s->name), SY_FMT(s->public_key_url));
    st = symbi_schemapin_public_key(cx, key_pem, &key, &why);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) return sy_fail(err, SYMBI_EDENIED, "MCP server '%.*s': what stands at %.*s is no public key (%s)", SY_FMT(s->name), SY_FMT(s->public_key_url), why.msg);
    symbi_schemapin_fingerprint(key, fp);
    if (pin && !sy_str_eqz(symbi_value_str(pin, "fingerprint", SY_LIT("")), fp)) {
        st = sy_fail(err, SYMBI_EDENIED, "MCP server '%.*s': its key changed (pinned %.*s, now %s); if that is right: symbi-lua mcp forget %.*s", SY_FMT(s->name), SY_FMT(symbi_value_str(pin, "fingerprint", SY_LIT(""))), fp, SY_FMT(s->name));
    } else {
        st = symbi_schemapin_hash(cx, SY_LIT(""), symbi_value_getz(definition, "inputSchema"), SYMBI_SCHEMAPIN_EMBEDDED | SYMBI_SCHEMAPIN_STRICT, hash, NULL, &why);
        if (!st) st = symbi_schemapin_verify(cx, key, (symbi_str){ (const char *)hash, sizeof hash }, sy_mcp_signature(definition), &why);
        if (st == SYMBI_ENOMEM) st = sy_fail_nomem(err);
        else if (st) st = sy_fail(err, SYMBI_EDENIED, "MCP tool '%.*s' of server '%.*s': its signature is not good (%s)", SY_FMT(name), SY_FMT(s->name), why.msg);
    }
    if (!st && !pin) {
        sy_obj o = sy_obj_new(a);
        symbi_value e;
        sy_time_rfc3339(now_ms, stamp);
        sy_obj_str(&o, "server", s->name);
        sy_obj_str(&o, "fingerprint", symbi_str_z(fp));
        sy_obj_str(&o, "first_seen", symbi_str_z(stamp));
        e = sy_obj_value(&o);
        st = record_write(cx, r, s->name, SY_LIT("\n"), false, NULL, &e, a, changed, err); /* no tool has that name: none goes */
    }
    symbi_key_unref(key);
    return st;
}

static symbi_status judge_digest(symbi_ctx *cx, const symbi_mcp_server *s, const record *r, const symbi_value *definition, int64_t now_ms, sy_arena *a, symbi_text *changed, symbi_err *err)
{
    symbi_str name = symbi_value_str(definition, "name", SY_LIT(""));
    standing x;
    symbi_text difference = { 0 };
    symbi_status st = look_up(cx, r, s->name, definition, a, &x, err);
    if (st) return st;
    if (x.is == SYMBI_MCP_APPROVED) return SYMBI_OK;
    if (x.is == SYMBI_MCP_CHANGED) {
        if ((st = diff_text(cx, x.old, &x.reduced, &difference, err))) return st;
        st = sy_fail(err, SYMBI_EDENIED, "MCP tool '%.*s' of server '%.*s' changed since it was approved; if that is right: symbi-lua mcp approve %.*s %.*s. What changed: %.*s", SY_FMT(name), SY_FMT(s->name), SY_FMT(s->name),
                     SY_FMT(name), (int)(difference.n > 4000 ? 4000 : difference.n), difference.p ? difference.p : "");
        symbi_text_free(&difference);
        return st;
    }
    if (!s->first_use)
        return sy_fail(err, SYMBI_EDENIED, "MCP tool '%.*s' of server '%.*s' is not approved; look at it with: symbi-lua mcp show %.*s %.*s, and approve it with: symbi-lua mcp approve %.*s %.*s", SY_FMT(name), SY_FMT(s->name),
                       SY_FMT(s->name), SY_FMT(name), SY_FMT(s->name), SY_FMT(name));
    {
        symbi_value e = tool_entry(a, s->name, name, &x, SY_LIT("first use"), now_ms);
        return record_write(cx, r, s->name, name, false, &e, NULL, a, changed, err);
    }
}

symbi_status sy_mcp_judge(symbi_ctx *cx, const symbi_mcp_server *s, symbi_str text, symbi_str key_pem, const symbi_value *definition, int64_t now_ms, symbi_text *changed, symbi_err *err)
{
    sy_arena a;
    record r;
    symbi_status st;
    if ((st = record_open(cx, text, &r, err))) return st;
    sy_arena_init(&a, cx->alloc, cx->limits.arena_bytes);
    if (sy_mcp_signature(definition).n && s->public_key_url.n) st = judge_signed(cx, s, &r, key_pem, definition, now_ms, &a, changed, err);
    else st = judge_digest(cx, s, &r, definition, now_ms, &a, changed, err);
    sy_arena_free(&a);
    symbi_doc_unref(r.doc);
    return st;
}
