/* The Cedar vectors (spec cedar.md 17): every case of every file, compared by acceptance, decision, reasons and kinds. */
#include "test.h"

#include "symbi/cedar.h"
#include "symbi/json.h"

static symbi_ctx *cx;

typedef struct lines {
    char *text, *at;
    symbi_doc *doc;
    long n;
} lines;

static bool lines_open(lines *l, const char *name)
{
    char path[600];
    const char *dir = vectors_dir();
    memset(l, 0, sizeof *l);
    if (!dir) return false;
    snprintf(path, sizeof path, "%s/cedar/%s", dir, name);
    l->at = l->text = (char *)slurp(path).p;
    return l->text != NULL;
}
/* The next line as JSON, or NULL. */
static const symbi_value *lines_next(lines *l)
{
    symbi_err err;
    symbi_str s;
    char *e;
    symbi_doc_unref(l->doc);
    l->doc = NULL;
    while (*l->at == '\n') l->at++;
    if (!*l->at) {
        free(l->text);
        return NULL;
    }
    e = strchr(l->at, '\n');
    s.p = l->at;
    s.n = e ? (size_t)(e - l->at) : strlen(l->at);
    l->at += s.n;
    l->n++;
    if (symbi_json_parse(cx, s, &l->doc, &err)) {
        /* integers beyond 64 bits never get past our JSON: right where the case is to be refused */
        static char copy[1 << 20];
        snprintf(copy, sizeof copy, "%.*s", (int)(s.n < sizeof copy ? s.n : sizeof copy - 1), s.p);
        if (!strstr(err.msg, "beyond 64 bits") || !strstr(copy, "\"accept\":false")) {
            printf("line %ld is not JSON we can read: %s\n", l->n, err.msg);
            t_now_failed = 1;
        }
        return lines_next(l);
    }
    return symbi_doc_root(l->doc);
}

static symbi_str str(const symbi_value *v, const char *key)
{
    symbi_str none = { "", 0 };
    return symbi_value_str(v, key, none);
}
static bool flag(const symbi_value *v, const char *key)
{
    const symbi_value *b = symbi_value_getz(v, key);
    return b && b->kind == SYMBI_BOOL && b->u.b;
}
static bool eqz(symbi_str s, const char *z) { return s.n == strlen(z) && !memcmp(s.p, z, s.n); }

static int shown;
static void differ(const symbi_value *v, const char *what, const symbi_err *err)
{
    symbi_str id = str(v, "id");
    t_now_failed = 1;
    if (shown++ < 25) printf("%.*s: %s%s%s\n", (int)id.n, id.p, what, err && err->msg[0] ? ": " : "", err ? err->msg : "");
}

static symbi_status parse_text(symbi_str text, unsigned flags, symbi_cedar **set, symbi_err *err)
{
    symbi_cedar_source src = { { "", 0 }, text };
    return symbi_cedar_parse(cx, &src, 1, flags, set, err);
}

static void run_parse(const char *file)
{
    lines l;
    const symbi_value *v;
    if (!lines_open(&l, file)) SKIP("no vectors");
    while ((v = lines_next(&l))) {
        symbi_cedar *set = NULL;
        symbi_err err;
        symbi_status st = parse_text(str(v, "text"), 0, &set, &err);
        if ((st == SYMBI_OK) != flag(v, "accept")) differ(v, st ? "refused" : "accepted", st ? &err : NULL);
        if (!st && flag(v, "accept")) {
            int64_t n[2] = { 0, 0 };
            for (size_t i = 0; i < symbi_cedar_count(set); i++) {
                symbi_cedar_policy_info info;
                symbi_cedar_policy(set, i, &info);
                n[info.role == SYMBI_CEDAR_TEMPLATE]++;
            }
            if (n[0] != symbi_value_getz(v, "policies")->u.i || n[1] != symbi_value_getz(v, "templates")->u.i) differ(v, "wrong counts", NULL);
        }
        if (st && (st != SYMBI_EPARSE || !err.line || !err.col)) differ(v, "an error without its place", &err);
        symbi_cedar_unref(set);
    }
    printf("%s: %ld cases\n", file, l.n);
}
static void test_parse(void) { run_parse("parse.jsonl"); }
static void test_fuzz_parse(void) { run_parse("fuzz_parse.jsonl"); }

static symbi_cedar_uid uid_of(const symbi_value *v)
{
    symbi_cedar_uid u;
    const symbi_value *e = symbi_value_getz(v, "__entity");
    if (e) v = e;
    u.type = str(v, "type");
    u.id = str(v, "id");
    return u;
}

static void request_of(const symbi_value *v, symbi_cedar_request *rq)
{
    memset(rq, 0, sizeof *rq);
    rq->principal = uid_of(symbi_value_getz(v, "principal"));
    rq->action = uid_of(symbi_value_getz(v, "action"));
    rq->resource = uid_of(symbi_value_getz(v, "resource"));
    rq->context = symbi_value_getz(v, "context");
}

static void run_eval(const char *file)
{
    lines l;
    const symbi_value *v;
    char path[600];
    symbi_doc *fixture = NULL;
    symbi_cedar_entities *ents = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_request rq;
    symbi_err err;
    symbi_str text;
    if (!lines_open(&l, file)) SKIP("no vectors");
    snprintf(path, sizeof path, "%s/cedar/eval-fixture.json", vectors_dir());
    text = slurp(path);
    CHECK_OK(symbi_json_parse(cx, text, &fixture, &err), err);
    free((char *)text.p);
    REQUIRE(fixture);
    CHECK_OK(symbi_cedar_entities_new(cx, symbi_value_getz(symbi_doc_root(fixture), "entities"), &ents, &err), err);
    CHECK_OK(symbi_cedar_eval_new(cx, &ev, &err), err);
    REQUIRE(ents && ev);
    request_of(symbi_value_getz(symbi_doc_root(fixture), "request"), &rq);
    rq.entities = ents;
    while ((v = lines_next(&l))) {
        static char buf[200000];
        symbi_str expr = str(v, "expr"), want = str(v, "result"), kind = str(v, "kind");
        const char *got;
        const char *got_kind = "";
        symbi_cedar *set = NULL;
        symbi_cedar_answer a;
        symbi_status st;
        symbi_str t = { buf, 0 };
        t.n = (size_t)snprintf(buf, sizeof buf, "permit(principal,action,resource) when { %.*s };", (int)expr.n, expr.p);
        st = parse_text(t, 0, &set, &err);
        if (st) {
            got = "parse_error";
        } else {
            st = symbi_cedar_authorize(ev, set, &rq, &a, &err);
            got = st ? "failure" : a.nerrors ? "error" : a.decision == SYMBI_ALLOW ? "true" : "false";
            if (!st && a.nerrors) got_kind = symbi_cedar_error_name(a.errors[0].kind);
        }
        if (!eqz(want, got) || (kind.n && !eqz(kind, got_kind))) {
            char what[200];
            snprintf(what, sizeof what, "got %s %s, expected %.*s %.*s", got, got_kind, (int)want.n, want.p, (int)kind.n, kind.p);
            differ(v, what, st ? &err : NULL);
        }
        symbi_cedar_unref(set);
    }
    printf("%s: %ld cases\n", file, l.n);
    symbi_cedar_eval_free(ev);
    symbi_cedar_entities_unref(ents);
    symbi_doc_unref(fixture);
}
static void test_eval(void) { run_eval("eval.jsonl"); }
static void test_fuzz_eval(void) { run_eval("fuzz_eval.jsonl"); }

static symbi_cedar_schema *schema_file(const char *name)
{
    char path[600];
    symbi_cedar_schema *s = NULL;
    symbi_str t;
    symbi_err err;
    snprintf(path, sizeof path, "%s/cedar/%s", vectors_dir(), name);
    t = slurp(path);
    CHECK_OK(symbi_cedar_schema_parse(cx, t, &s, &err), err);
    free((char *)t.p);
    return s;
}

static void test_entities(void)
{
    lines l;
    const symbi_value *v;
    long n = 0;
    symbi_cedar_schema *schema;
    if (!lines_open(&l, "entities.jsonl")) SKIP("no vectors");
    schema = schema_file("entities-fixture.cedarschema");
    REQUIRE(schema);
    while ((v = lines_next(&l))) {
        symbi_cedar_entities *e = NULL;
        symbi_err err;
        symbi_status st;
        if (symbi_value_getz(v, "quirk")) continue;
        n++;
        st = flag(v, "useSchema") ? symbi_cedar_entities_conform(cx, symbi_value_getz(v, "entities"), schema, &e, &err)
                                  : symbi_cedar_entities_new(cx, symbi_value_getz(v, "entities"), &e, &err);
        if ((st == SYMBI_OK) != flag(v, "accept")) differ(v, st ? "refused" : "accepted", st ? &err : NULL);
        symbi_cedar_entities_unref(e);
    }
    symbi_cedar_schema_unref(schema);
    printf("entities.jsonl: %ld cases\n", n);
}

static void test_context(void)
{
    lines l;
    const symbi_value *v;
    long n = 0;
    symbi_cedar *set = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_err err;
    symbi_str text = { "", 0 };
    symbi_cedar_schema *schema;
    if (!lines_open(&l, "context.jsonl")) SKIP("no vectors");
    schema = schema_file("entities-fixture.cedarschema");
    REQUIRE(schema);
    CHECK_OK(parse_text(text, 0, &set, &err), err);
    CHECK_OK(symbi_cedar_eval_new(cx, &ev, &err), err);
    while ((v = lines_next(&l))) {
        symbi_cedar_request rq;
        symbi_cedar_answer a;
        symbi_status st;
        n++;
        memset(&rq, 0, sizeof rq);
        rq.principal.type = rq.action.type = rq.resource.type = symbi_str_z("A");
        if (symbi_value_getz(v, "action")->kind != SYMBI_NULL) { /* principal and resource such as the action wants them */
            rq.action = uid_of(symbi_value_getz(v, "action"));
            rq.principal.type = symbi_str_z(eqz(rq.action.type, "N::Action") ? "N::T" : "User");
            rq.resource.type = symbi_str_z(eqz(rq.action.type, "N::Action") ? "N::T" : "Photo");
            rq.schema = schema;
        }
        rq.context = symbi_value_getz(v, "context");
        st = symbi_cedar_authorize(ev, set, &rq, &a, &err);
        if ((st == SYMBI_OK) != flag(v, "accept")) differ(v, st ? "refused" : "accepted", st ? &err : NULL);
        CHECK(a.decision == SYMBI_DENY);
    }
    symbi_cedar_schema_unref(schema);
    printf("context.jsonl: %ld cases\n", n);
    symbi_cedar_eval_free(ev);
    symbi_cedar_unref(set);
}

static bool id_listed(const symbi_value *list, symbi_str id)
{
    for (size_t i = 0; i < list->u.a.n; i++)
        if (list->u.a.items[i].u.s.n == id.n && !memcmp(list->u.a.items[i].u.s.p, id.p, id.n)) return true;
    return false;
}

static void check_answer(const symbi_value *v, const symbi_cedar *set, const symbi_cedar_answer *a, const char *reasons, const char *errors)
{
    const symbi_value *want = symbi_value_getz(v, reasons);
    symbi_cedar_policy_info info;
    if ((a->decision == SYMBI_ALLOW) != eqz(str(v, "decision"), "allow")) differ(v, "decision", NULL);
    if (want) {
        if (want->u.a.n != a->nreasons) differ(v, "number of reasons", NULL);
        for (size_t i = 0; i < a->nreasons; i++) {
            symbi_cedar_policy(set, a->reasons[i], &info);
            if (!id_listed(want, info.id)) differ(v, "reasons", NULL);
        }
    }
    want = symbi_value_getz(v, errors);
    if (want) {
        if (want->u.a.n != a->nerrors) differ(v, "number of errors", NULL);
        for (size_t i = 0; i < a->nerrors; i++) {
            symbi_cedar_policy(set, a->errors[i].policy, &info);
            if (!id_listed(want, info.id)) differ(v, "errors", NULL);
        }
    }
}

/* The FFI's request shape: policies, templates and links as a policy set value built on the stack. */
static symbi_status set_of(const symbi_value *v, symbi_cedar **set, symbi_err *err)
{
    static const char *const from[] = { "policies", "templates", "templateLinks" }, *const to[] = { "staticPolicies", "templates", "templateLinks" };
    symbi_member m[3];
    symbi_value all;
    size_t n = 0;
    for (int i = 0; i < 3; i++) {
        const symbi_value *x = symbi_value_getz(v, from[i]);
        if (!x) continue;
        m[n].key = symbi_str_z(to[i]);
        m[n++].val = *x;
    }
    memset(&all, 0, sizeof all);
    all.kind = SYMBI_OBJECT;
    all.u.o.members = m;
    all.u.o.n = n;
    return symbi_cedar_from_json(cx, &all, 0, set, err);
}

static void test_authz(void)
{
    lines l;
    const symbi_value *v;
    symbi_cedar_eval *ev = NULL;
    symbi_err err;
    long n = 0;
    if (!lines_open(&l, "authz.jsonl")) SKIP("no vectors");
    CHECK_OK(symbi_cedar_eval_new(cx, &ev, &err), err);
    while ((v = lines_next(&l))) {
        symbi_cedar *set = NULL;
        symbi_cedar_entities *ents = NULL;
        symbi_cedar_request rq;
        symbi_cedar_answer a;
        const symbi_value *req = symbi_value_getz(v, "request"), *sv = symbi_value_getz(v, "schema"), *val = symbi_value_getz(v, "validateRequest");
        symbi_cedar_schema *schema = NULL;
        symbi_status st;
        n++;
        st = set_of(v, &set, &err);
        if (!st && sv) st = sv->kind == SYMBI_STRING ? symbi_cedar_schema_parse(cx, sv->u.s, &schema, &err) : symbi_cedar_schema_from_json(cx, sv, &schema, &err);
        if (!st) st = sv ? symbi_cedar_entities_conform(cx, symbi_value_getz(v, "entities"), schema, &ents, &err) : symbi_cedar_entities_new(cx, symbi_value_getz(v, "entities"), &ents, &err);
        if (!st) {
            request_of(req, &rq);
            rq.entities = ents;
            rq.schema = schema;
            rq.unchecked = val && !val->u.b;
            st = symbi_cedar_authorize(ev, set, &rq, &a, &err);
        }
        if ((st == SYMBI_OK) != flag(v, "accept")) differ(v, st ? "refused" : "accepted", st ? &err : NULL);
        else if (!st) check_answer(v, set, &a, "reasons", "errors");
        symbi_cedar_entities_unref(ents);
        symbi_cedar_schema_unref(schema);
        symbi_cedar_unref(set);
    }
    printf("authz.jsonl: %ld cases\n", n);
    symbi_cedar_eval_free(ev);
}

static void show(const char *what, const symbi_value *v)
{
    symbi_text t;
    symbi_err err;
    if (shown > 25) return;
    if (symbi_json_write(cx, v, SYMBI_JSON_CANONICAL, &t, &err)) return;
    printf("  %s %s\n", what, t.p);
    symbi_text_free(&t);
}

static void same_json(const symbi_value *v, symbi_cedar *set, const symbi_value *want, const char *what)
{
    symbi_doc *d = NULL;
    symbi_err err;
    if (symbi_cedar_policy_to_json(cx, set, 0, &d, &err)) {
        differ(v, what, &err);
        return;
    }
    if (!symbi_value_equal(symbi_doc_root(d), want)) {
        differ(v, what, NULL);
        show("got ", symbi_doc_root(d));
        show("want", want);
    }
    symbi_doc_unref(d);
}

static void test_policy_json(void)
{
    lines l;
    const symbi_value *v;
    symbi_err err;
    long texts = 0;
    if (!lines_open(&l, "policy_json.jsonl")) SKIP("no vectors");
    while ((v = lines_next(&l))) {
        symbi_cedar *set = NULL, *again = NULL;
        symbi_text t;
        const symbi_value *json = symbi_value_getz(v, "json"), *norm = symbi_value_getz(v, "normalizedJson"), *re = symbi_value_getz(v, "reparsedJson");
        symbi_status st;
        if (eqz(str(v, "op"), "text_to_json")) {
            st = parse_text(str(v, "text"), 0, &set, &err);
            if (st) {
                differ(v, "refused", &err);
                continue;
            }
            same_json(v, set, json, "text to JSON");
            if (symbi_cedar_to_text(cx, set, 0, &t, &err)) {
                differ(v, "to text", &err);
            } else {
                if (!eqz(str(v, "backText"), t.p)) texts++; /* the wording of the text is ours; what it means is not */
                st = parse_text(symbi_text_str(&t), 0, &again, &err);
                if (st) differ(v, "printed text refused", &err), printf("  %s\n", t.p);
                else same_json(v, again, json, "text to JSON to text to JSON");
                symbi_text_free(&t);
            }
        } else {
            symbi_member in = { symbi_str_z("p"), *json }, top;
            symbi_value all;
            memset(&all, 0, sizeof all);
            all.kind = SYMBI_OBJECT;
            all.u.o.n = 1;
            all.u.o.members = &top;
            top.key = symbi_str_z(eqz(str(v, "kind"), "template") ? "templates" : "staticPolicies");
            memset(&top.val, 0, sizeof top.val);
            top.val.kind = SYMBI_OBJECT;
            top.val.u.o.n = 1;
            top.val.u.o.members = &in;
            st = symbi_cedar_from_json(cx, &all, 0, &set, &err);
            if ((st == SYMBI_OK) != flag(v, "accept")) {
                differ(v, st ? "refused" : "accepted", st ? &err : NULL);
            } else if (!st) {
                same_json(v, set, norm ? norm : json, "JSON to JSON");
                if (symbi_cedar_to_text(cx, set, 0, &t, &err)) {
                    differ(v, "to text", &err);
                } else {
                    if (!eqz(str(v, "text"), t.p)) texts++;
                    if (flag(v, "textReparses")) {
                        st = parse_text(symbi_text_str(&t), 0, &again, &err);
                        if (st) differ(v, "printed text refused", &err), printf("  %s\n", t.p);
                        else same_json(v, again, re, "JSON to text to JSON");
                    }
                    symbi_text_free(&t);
                }
            }
        }
        symbi_cedar_unref(set);
        symbi_cedar_unref(again);
    }
    printf("policy_json.jsonl: %ld cases; %ld texts worded differently\n", l.n, texts);
}

static void test_request(void)
{
    lines l;
    const symbi_value *v;
    symbi_cedar *set = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_schema *schema;
    symbi_err err;
    if (!lines_open(&l, "request.jsonl")) SKIP("no vectors");
    schema = schema_file("entities-fixture.cedarschema");
    REQUIRE(schema);
    CHECK_OK(parse_text(symbi_str_z("permit(principal, action, resource);"), 0, &set, &err), err);
    CHECK_OK(symbi_cedar_eval_new(cx, &ev, &err), err);
    while ((v = lines_next(&l))) {
        symbi_cedar_request rq;
        symbi_cedar_answer a;
        symbi_cedar_entities *ents = NULL;
        symbi_status st = symbi_cedar_entities_conform(cx, symbi_value_getz(v, "entities"), schema, &ents, &err);
        const symbi_value *pid = symbi_value_getz(symbi_value_getz(symbi_value_getz(v, "request"), "principal"), "id");
        if (pid && pid->kind != SYMBI_STRING) st = SYMBI_ESCHEMA; /* no uid: cannot be said in our struct */
        if (!st) {
            request_of(symbi_value_getz(v, "request"), &rq);
            rq.entities = ents;
            rq.schema = schema;
            rq.unchecked = !flag(v, "validateRequest");
            st = symbi_cedar_authorize(ev, set, &rq, &a, &err);
        }
        if ((st == SYMBI_OK) != flag(v, "accept")) differ(v, st ? "refused" : "accepted", st ? &err : NULL);
        else if (!st && (a.decision == SYMBI_ALLOW) != eqz(str(v, "decision"), "allow")) differ(v, "decision", NULL);
        symbi_cedar_entities_unref(ents);
    }
    printf("request.jsonl: %ld cases\n", l.n);
    symbi_cedar_eval_free(ev);
    symbi_cedar_schema_unref(schema);
    symbi_cedar_unref(set);
}

static void same_schema(const symbi_value *v, const symbi_cedar_schema *s, bool resolved, const char *key)
{
    symbi_doc *d = symbi_cedar_schema_json(s, resolved);
    const symbi_value *want = symbi_value_getz(v, key);
    if (want && !symbi_value_equal(symbi_doc_root(d), want)) {
        differ(v, key, NULL);
        show("got ", symbi_doc_root(d));
        show("want", want);
    }
    symbi_doc_unref(d);
}

static void test_schema(void)
{
    lines l;
    const symbi_value *v;
    symbi_err err;
    long texts = 0;
    if (!lines_open(&l, "schema.jsonl")) SKIP("no vectors");
    while ((v = lines_next(&l))) {
        const symbi_value *in = symbi_value_getz(v, "schema");
        bool text = eqz(str(v, "format"), "cedar");
        symbi_cedar_schema *s = NULL, *again = NULL;
        symbi_text t;
        symbi_status st = text ? symbi_cedar_schema_parse(cx, in->u.s, &s, &err) : symbi_cedar_schema_from_json(cx, in, &s, &err);
        if ((st == SYMBI_OK) != flag(v, "accept")) {
            differ(v, st ? "refused" : "accepted", st ? &err : NULL);
        } else if (!st) {
            if (text) {
                same_schema(v, s, false, "json");
                same_schema(v, s, true, "resolvedJson");
            }
            st = symbi_cedar_schema_text(cx, s, &t, &err);
            if (st != SYMBI_EUNSUPPORTED) {
                if (st) differ(v, "to text", &err);
                else {
                    symbi_str want = str(v, text ? "textFromJson" : "text");
                    if (want.p[0] && !eqz(want, t.p)) texts++;
                    st = symbi_cedar_schema_parse(cx, symbi_text_str(&t), &again, &err);
                    if (st) differ(v, "printed schema refused", &err), printf("%s\n", t.p);
                    else if (text) same_schema(v, again, true, "resolvedJson");
                    symbi_text_free(&t);
                }
            }
        }
        symbi_cedar_schema_unref(s);
        symbi_cedar_schema_unref(again);
    }
    printf("schema.jsonl: %ld cases; %ld texts worded differently\n", l.n, texts);
}

/* kinds: a JSON list of strings, or of {policyId, kind}. */
static bool finding_listed(const symbi_value *list, symbi_str policy, const char *kind)
{
    for (size_t i = 0; i < list->u.a.n; i++) {
        const symbi_value *w = &list->u.a.items[i];
        if (w->kind == SYMBI_STRING ? eqz(w->u.s, kind) : (eqz(str(w, "kind"), kind) && str(w, "policyId").n == policy.n && !memcmp(str(w, "policyId").p, policy.p, policy.n))) return true;
    }
    return false;
}

static bool same_kinds(const symbi_value *v, const symbi_cedar *set, const symbi_cedar_report *rep, const symbi_value *want, bool warnings, bool print)
{
    bool same = true;
    for (size_t k = 0; k < symbi_cedar_report_count(rep); k++) {
        const symbi_cedar_finding *f = symbi_cedar_report_at(rep, k);
        symbi_cedar_policy_info p;
        symbi_cedar_policy(set, f->policy, &p);
        if (f->warning == warnings && !finding_listed(want, p.id, f->kind)) {
            symbi_str id = str(v, "id");
            same = false;
            if (print && shown++ < 60) printf("%.*s: surplus %s: %s\n", (int)id.n, id.p, f->kind, f->message.p);
        }
    }
    for (size_t i = 0; i < want->u.a.n; i++) {
        const symbi_value *w = &want->u.a.items[i];
        symbi_str kind = w->kind == SYMBI_STRING ? w->u.s : str(w, "kind");
        bool found = false;
        for (size_t k = 0; k < symbi_cedar_report_count(rep) && !found; k++) {
            const symbi_cedar_finding *f = symbi_cedar_report_at(rep, k);
            symbi_cedar_policy_info p;
            symbi_cedar_policy(set, f->policy, &p);
            found = f->warning == warnings && eqz(kind, f->kind) && (w->kind == SYMBI_STRING || (str(w, "policyId").n == p.id.n && !memcmp(str(w, "policyId").p, p.id.p, p.id.n)));
        }
        if (!found) {
            symbi_str id = str(v, "id");
            same = false;
            if (print && shown++ < 60) printf("%.*s: missing %.*s\n", (int)id.n, id.p, (int)kind.n, kind.p);
        }
    }
    return same;
}

static void run_validate(const char *file, const char *errors, const char *warnings)
{
    lines l;
    const symbi_value *v;
    symbi_cedar_schema *fixture;
    symbi_err err;
    long same_errors = 0, same_warnings = 0;
    if (!lines_open(&l, file)) SKIP("no vectors");
    fixture = schema_file("validate-fixture.cedarschema");
    REQUIRE(fixture);
    while ((v = lines_next(&l))) {
        static const symbi_value empty = { .kind = SYMBI_STRING, .u = { .s = { "", 0 } } };
        const symbi_value *sv = eqz(str(v, "id"), "schema-001") ? &empty : symbi_value_getz(v, "schema"); /* the file leaves an empty text out */
        symbi_cedar_schema *schema = NULL;
        symbi_cedar *set = NULL;
        symbi_cedar_report *rep = NULL;
        symbi_str result = str(v, "result");
        symbi_status st = !sv ? SYMBI_OK : sv->kind == SYMBI_STRING ? symbi_cedar_schema_parse(cx, sv->u.s, &schema, &err) : symbi_cedar_schema_from_json(cx, sv, &schema, &err);
        if (!st) st = set_of(v, &set, &err);
        if (!st) st = symbi_cedar_validate(cx, set, schema ? schema : fixture, 0, &rep, &err);
        if (st) {
            if (!eqz(result, "input_error")) differ(v, "refused", &err);
            else same_errors++, same_warnings++;
        } else if (eqz(result, "input_error")) {
            differ(v, "accepted", NULL);
        } else {
            if (symbi_cedar_report_valid(rep) != eqz(result, "valid")) differ(v, eqz(result, "valid") ? "found invalid" : "found valid", NULL);
            if (same_kinds(v, set, rep, symbi_value_getz(v, errors), false, true)) same_errors++;
            if (same_kinds(v, set, rep, symbi_value_getz(v, warnings), true, true)) same_warnings++;
        }
        symbi_cedar_report_free(rep);
        symbi_cedar_schema_unref(schema);
        symbi_cedar_unref(set);
    }
    symbi_cedar_schema_unref(fixture);
    CHECK(same_errors == l.n);
    CHECK(same_warnings == l.n);
    printf("%s: %ld cases; error kinds equal in %ld, warning kinds in %ld\n", file, l.n, same_errors, same_warnings);
}
static void test_validate(void) { run_validate("validate.jsonl", "errors", "warnings"); }
static void test_fuzz_validate(void) { run_validate("fuzz_validate.jsonl", "errorKinds", "warningKinds"); }

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_parse);
    RUN(test_fuzz_parse);
    RUN(test_eval);
    RUN(test_fuzz_eval);
    RUN(test_entities);
    RUN(test_context);
    RUN(test_authz);
    RUN(test_policy_json);
    RUN(test_request);
    RUN(test_schema);
    RUN(test_validate);
    RUN(test_fuzz_validate);
    symbi_ctx_free(cx);
    return test_end();
}
