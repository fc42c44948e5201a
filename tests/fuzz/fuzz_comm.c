/* Fuzz target: communication rules. The input is JSON: a document of rules, or {"doc": …, "ask": {…}, "flags": n}. What is
 * refused has a message; what is accepted decides without surprises: a deny-by-default set allows only by a rule that allows,
 * patterns mean what a plain matcher says they mean, and what is shown reads back to a set with the same decisions. */
#include "symbi/comm.h"
#include "symbi/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok) abort();
}
static symbi_str text_of(const symbi_value *v, const char *key)
{
    symbi_str none = { "", 0 };
    return symbi_value_str(v, key, none);
}
static bool is(symbi_str s, const char *z) { return s.n == strlen(z) && !memcmp(s.p, z, s.n); }

static size_t char_len(symbi_str s, size_t i)
{
    size_t n = 1;
    while (i + n < s.n && ((unsigned char)s.p[i + n] & 0xc0) == 0x80) n++;
    return n;
}

/* Patterns by table: row j says whether the pattern so far matches the first j characters of the name. */
static bool plain(symbi_str p, symbi_str s)
{
    bool row[2][260] = { { false } };
    size_t at[260], n = 0;
    int now = 0;
    for (size_t i = 0; i < s.n; i += char_len(s, i)) at[n++] = i;
    at[n] = s.n;
    row[0][0] = true;
    for (size_t i = 0, len; i < p.n; i += len, now = !now) {
        bool *a = row[now], *b = row[!now];
        len = char_len(p, i);
        b[0] = p.p[i] == '*' && a[0];
        for (size_t j = 1; j <= n; j++) {
            symbi_str c = { s.p + at[j - 1], at[j] - at[j - 1] };
            if (p.p[i] == '*') b[j] = a[j] || b[j - 1];
            else b[j] = a[j - 1] && (p.p[i] == '?' || (c.n == len && !memcmp(c.p, p.p + i, len)));
        }
    }
    return row[now][n];
}

/* What gates.md 9.1 says, read off the shown rules; only for sets whose rules are all of the seed's form. */
static bool by_the_book(const symbi_value *rules, bool first, bool dflt, symbi_str from, symbi_str to, symbi_str action, uint32_t depth)
{
    const symbi_value *best = NULL;
    bool deep = false;
    for (size_t i = 0; i < rules->u.a.n; i++) {
        const symbi_value *r = &rules->u.a.items[i], *d = symbi_value_getz(r, "max_depth");
        symbi_str act = text_of(r, "action");
        bool allow = is(text_of(r, "effect"), "allow");
        int64_t pr = symbi_value_getz(r, "priority")->u.i, bp = best ? symbi_value_getz(best, "priority")->u.i : 0;
        if (!plain(text_of(r, "from_agent"), from) || !plain(text_of(r, "to_agent"), to)) continue;
        if (!is(act, "allow") && !is(act, "deny") && !plain(act, action)) continue;
        if (allow && d->kind == SYMBI_INT && depth > d->u.i) {
            deep = true;
            continue;
        }
        if (!best || pr > bp || (pr == bp && !first && !allow && is(text_of(best, "effect"), "allow"))) best = r;
    }
    /* a rule that is too deep leaves the default out of it, wherever it stands, unless a rule decides */
    return best ? is(text_of(best, "effect"), "allow") : !deep && dflt;
}

static void question(const symbi_comm_rules *r, unsigned flags, bool object_form, symbi_str from, symbi_str to, symbi_str action, uint32_t depth, symbi_comm_answer *a)
{
    const symbi_value *list = symbi_comm_rules_value(r);
    symbi_comm_view view;
    bool seed = true;
    memset(a, 0xff, sizeof *a);
    symbi_comm_check(r, from, to, action, depth, a);
    must(a->reason.p && a->reason.n && symbi_comm_answer_value(a, &view)->u.o.n == 4);
    if (a->cause == SYMBI_COMM_BAD_REQUEST || a->cause == SYMBI_COMM_TOO_DEEP) must(!a->allowed);
    if (a->cause == SYMBI_COMM_BAD_REQUEST) return;
    must((a->cause == SYMBI_COMM_NO_RULE) == (a->rule == NULL));
    if (object_form) return; /* default and ties may come from the document */
    for (size_t i = 0; i < list->u.a.n; i++) seed = seed && !symbi_value_getz(&list->u.a.items[i], "condition");
    if (seed) must(a->allowed == by_the_book(list, flags & SYMBI_COMM_FIRST_WINS, flags & SYMBI_COMM_DEFAULT_ALLOW, from, to, action, depth ? depth : 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    symbi_str text = { (const char *)data, size };
    const symbi_value *root, *doc, *ask, *fl;
    symbi_comm_rules *r = NULL, *again = NULL;
    symbi_comm_list *l = NULL;
    symbi_comm_answer a, b;
    symbi_doc *d = NULL;
    symbi_err err;
    symbi_status st;
    unsigned flags = 0;
    bool object_form;
    if (!cx) must(symbi_ctx_new(NULL, &cx, &err) == SYMBI_OK);
    if (symbi_json_parse(cx, text, &d, &err)) return 0;
    root = symbi_doc_root(d);
    doc = symbi_value_getz(root, "doc");
    ask = symbi_value_getz(root, "ask");
    fl = symbi_value_getz(root, "flags");
    if (!doc) doc = root;
    if (fl && fl->kind == SYMBI_INT) flags = (unsigned)fl->u.i & 7;
    st = symbi_comm_rules_parse(cx, doc, flags, &r, &err);
    if (st) {
        must(!r && err.code == st && err.msg[0] && (st == SYMBI_ESCHEMA || st == SYMBI_ELIMIT));
        must(symbi_comm_list_new(cx, NULL, flags, &l, &err) == SYMBI_OK);
    } else {
        uint8_t h[2][32];
        object_form = doc->kind == SYMBI_OBJECT;
        must(symbi_comm_rules_count(r) <= SYMBI_COMM_MAX_RULES);
        must(symbi_comm_rules_hash(cx, r, h[0], &err) == SYMBI_OK);
        if (!object_form) {
            must(symbi_comm_rules_parse(cx, symbi_comm_rules_value(r), flags, &again, &err) == SYMBI_OK);
            must(symbi_comm_rules_hash(cx, again, h[1], &err) == SYMBI_OK && !memcmp(h[0], h[1], 32));
        }
        if (ask) {
            question(r, flags, object_form, text_of(ask, "sender"), text_of(ask, "recipient"), text_of(ask, "action"), 1, &a);
            question(r, flags, object_form, text_of(ask, "sender"), text_of(ask, "recipient"), text_of(ask, "action"), 4, &b);
            must(a.allowed || !b.allowed || a.cause != SYMBI_COMM_TOO_DEEP); /* deeper is never freer where depth is the reason */
            if (again) {
                symbi_comm_check(again, text_of(ask, "sender"), text_of(ask, "recipient"), text_of(ask, "action"), 4, &a);
                must(a.allowed == b.allowed && a.cause == b.cause && a.reason.n == b.reason.n && !memcmp(a.reason.p, b.reason.p, a.reason.n));
            }
            st = symbi_comm_evaluate(r, ask, &a, &err);
            must(st == SYMBI_OK || (st == SYMBI_ESCHEMA && !a.allowed && err.msg[0]));
        }
        must(symbi_comm_list_new(cx, r, flags, &l, &err) == SYMBI_OK);
    }
    if (ask || doc->kind == SYMBI_OBJECT) { /* one more rule, and out again */
        const symbi_value *rule = ask ? ask : doc, *added;
        size_t n = symbi_comm_rules_count(symbi_comm_list_rules(l));
        st = symbi_comm_list_add(l, rule, false, &added, &err);
        must(symbi_comm_rules_count(symbi_comm_list_rules(l)) == n + (st == SYMBI_OK) && (st == SYMBI_OK) == (added != NULL));
        if (!st) must(symbi_comm_list_remove(l, text_of(added, "id"), &err) == SYMBI_OK);
        must(symbi_comm_rules_count(symbi_comm_list_rules(l)) == n);
    }
    symbi_comm_list_free(l);
    symbi_comm_rules_unref(r);
    symbi_comm_rules_unref(again);
    symbi_doc_unref(d);
    return 0;
}
