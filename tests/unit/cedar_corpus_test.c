/* Cedar's own corpus and handwritten tests (spec cedar.md 17.1): decision, reasons and errors of every request, and what the
 * validator says of every case. Unpacks corpus-tests.tar.gz into a temporary folder. */
#include "test.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbi/cedar.h"
#include "symbi/json.h"

static symbi_ctx *cx;
static long cases, requests, shown;

static symbi_doc *json_file(const char *path)
{
    symbi_str t = slurp(path);
    symbi_doc *d = NULL;
    symbi_err err;
    if (!t.p || symbi_json_parse(cx, t, &d, &err)) printf("%s: %s\n", path, t.p ? err.msg : "cannot be read"), t_now_failed = 1;
    free((char *)t.p);
    return d;
}

static symbi_str str(const symbi_value *v, const char *key)
{
    symbi_str none = { "", 0 };
    return symbi_value_str(v, key, none);
}

static void differ(const char *path, const char *what, const symbi_err *err)
{
    t_now_failed = 1;
    if (shown++ < 30) printf("%s: %s%s%s\n", path, what, err ? ": " : "", err ? err->msg : "");
}

static bool listed(const symbi_value *list, symbi_str id)
{
    for (size_t i = 0; list && i < list->u.a.n; i++)
        if (list->u.a.items[i].u.s.n == id.n && !memcmp(list->u.a.items[i].u.s.p, id.p, id.n)) return true;
    return false;
}

static symbi_cedar_uid uid_of(const symbi_value *v)
{
    symbi_cedar_uid u;
    u.type = str(v, "type");
    u.id = str(v, "id");
    return u;
}

static void one_request(const char *path, const symbi_value *r, symbi_cedar *set, const symbi_cedar_schema *schema, const symbi_cedar_entities *ents, symbi_cedar_eval *ev)
{
    const symbi_value *val = symbi_value_getz(r, "validateRequest"), *reason = symbi_value_getz(r, "reason"), *errors = symbi_value_getz(r, "errors");
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_cedar_policy_info p;
    symbi_err err;
    bool same;
    requests++;
    memset(&rq, 0, sizeof rq);
    rq.principal = uid_of(symbi_value_getz(r, "principal"));
    rq.action = uid_of(symbi_value_getz(r, "action"));
    rq.resource = uid_of(symbi_value_getz(r, "resource"));
    rq.context = symbi_value_getz(r, "context");
    rq.schema = schema;
    rq.entities = ents;
    rq.unchecked = val && !val->u.b;
    if (symbi_cedar_authorize(ev, set, &rq, &a, &err)) {
        differ(path, "request refused", &err);
        return;
    }
    same = (a.decision == SYMBI_ALLOW) == (str(r, "decision").n == 5) && reason->u.a.n == a.nreasons && errors->u.a.n == a.nerrors;
    for (size_t i = 0; i < a.nreasons; i++) {
        symbi_cedar_policy(set, a.reasons[i], &p);
        same = same && listed(reason, p.id);
    }
    for (size_t i = 0; i < a.nerrors; i++) {
        symbi_cedar_policy(set, a.errors[i].policy, &p);
        same = same && listed(errors, p.id);
    }
    if (!same) differ(path, "a request is decided differently", NULL);
}

static long kinds_same, kinds_all, warns_same;

/* Every (policy, kind) of one side occurs on the other; missing and surplus ones are printed. */
static bool same_findings(const symbi_cedar *set, const symbi_cedar_report *rep, const symbi_value *want, bool warnings, const char *path, bool print)
{
    bool same = true;
    for (size_t i = 0; i < want->u.a.n; i++) {
        const symbi_value *w = &want->u.a.items[i];
        bool found = false;
        for (size_t k = 0; k < symbi_cedar_report_count(rep) && !found; k++) {
            const symbi_cedar_finding *f = symbi_cedar_report_at(rep, k);
            symbi_cedar_policy_info p;
            symbi_cedar_policy(set, f->policy, &p);
            found = f->warning == warnings && p.id.n == str(w, "policyId").n && !memcmp(p.id.p, str(w, "policyId").p, p.id.n) && !strcmp(f->kind, str(w, "kind").p);
        }
        if (!found && print && shown++ < 30) printf("%s: missing %s %s\n", path, str(w, "policyId").p, str(w, "kind").p);
        same = same && found;
    }
    for (size_t k = 0; k < symbi_cedar_report_count(rep); k++) {
        const symbi_cedar_finding *f = symbi_cedar_report_at(rep, k);
        symbi_cedar_policy_info p;
        bool found = f->warning != warnings;
        symbi_cedar_policy(set, f->policy, &p);
        for (size_t i = 0; i < want->u.a.n && !found; i++) {
            const symbi_value *w = &want->u.a.items[i];
            found = p.id.n == str(w, "policyId").n && !memcmp(p.id.p, str(w, "policyId").p, p.id.n) && !strcmp(f->kind, str(w, "kind").p);
        }
        if (!found && print && shown++ < 30) printf("%s: surplus %s %s: %s\n", path, p.id.p, f->kind, f->message.p);
        same = same && found;
    }
    return same;
}

static void check_validation(const char *path, const symbi_cedar *set, const symbi_cedar_schema *schema, const symbi_value *expect)
{
    symbi_cedar_report *rep = NULL;
    const symbi_value *valid = symbi_value_getz(expect, "valid");
    symbi_err err;
    if (symbi_cedar_validate(cx, set, schema, 0, &rep, &err)) {
        differ(path, "cannot be validated", &err);
        return;
    }
    if (symbi_cedar_report_valid(rep) != valid->u.b) differ(path, valid->u.b ? "found invalid" : "found valid", NULL);
    kinds_all++;
    if (same_findings(set, rep, symbi_value_getz(expect, "errors"), false, path, true)) kinds_same++;
    if (same_findings(set, rep, symbi_value_getz(expect, "warnings"), true, path, getenv("SHOW_WARNINGS") != NULL)) warns_same++;
    symbi_cedar_report_free(rep);
}

/* One test file; root: what its paths are relative to. expect: the line of corpus-validate.jsonl, or NULL. */
static void one_case(const char *root, const char *path, const symbi_value *expect)
{
    char file[1200];
    symbi_doc *d = json_file(path), *ed = NULL;
    const symbi_value *v, *list;
    symbi_cedar_schema *schema = NULL;
    symbi_cedar_entities *ents = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar *set = NULL;
    symbi_cedar_source src = { { "", 0 }, { "", 0 } };
    symbi_str t;
    symbi_err err;
    if (!d) return;
    cases++;
    v = symbi_doc_root(d);
    snprintf(file, sizeof file, "%s/%s", root, str(v, "schema").p);
    t = slurp(file);
    if (symbi_cedar_schema_parse(cx, t, &schema, &err)) differ(path, "schema refused", &err);
    free((char *)t.p);
    snprintf(file, sizeof file, "%s/%s", root, str(v, "policies").p);
    src.text = slurp(file);
    if (symbi_cedar_parse(cx, &src, 1, 0, &set, &err)) differ(path, "policies refused", &err);
    free((char *)src.text.p);
    snprintf(file, sizeof file, "%s/%s", root, str(v, "entities").p);
    ed = json_file(file);
    if (ed && schema && symbi_cedar_entities_conform(cx, symbi_doc_root(ed), schema, &ents, &err)) differ(path, "entities refused", &err);
    if (set && schema && ents && !symbi_cedar_eval_new(cx, &ev, &err)) {
        list = symbi_value_getz(v, "requests");
        for (size_t i = 0; i < list->u.a.n; i++) one_request(path, &list->u.a.items[i], set, schema, ents, ev);
    }
    if (expect && set && schema) check_validation(path, set, schema, expect);
    symbi_cedar_eval_free(ev);
    symbi_cedar_entities_unref(ents);
    symbi_cedar_schema_unref(schema);
    symbi_cedar_unref(set);
    symbi_doc_unref(ed);
    symbi_doc_unref(d);
}

static void test_corpus(void)
{
    char tmp[] = "/tmp/symbi-corpus-XXXXXX", cmd[800], path[1200], root[700];
    const char *dir = vectors_dir();
    symbi_str lines;
    char *at, *end;
    if (!dir) SKIP("no vectors");
    snprintf(path, sizeof path, "%s/cedar/corpus-validate.jsonl", dir);
    lines = slurp(path);
    if (!lines.p) SKIP("no corpus");
    REQUIRE(mkdtemp(tmp));
    snprintf(cmd, sizeof cmd, "tar -xzf '%s/cedar/corpus-tests.tar.gz' -C '%s'", dir, tmp);
    CHECK(system(cmd) == 0);
    snprintf(root, sizeof root, "%s", tmp);
    cases = requests = 0;
    for (at = (char *)lines.p; *at; at = *end ? end + 1 : end) {
        symbi_doc *d = NULL;
        symbi_str s = { at, 0 };
        symbi_err err;
        end = strchr(at, '\n');
        if (!end) end = at + strlen(at);
        s.n = (size_t)(end - at);
        if (!s.n) continue;
        if (symbi_json_parse(cx, s, &d, &err)) {
            differ(path, "not JSON", &err);
            continue;
        }
        snprintf(path, sizeof path, "%s/corpus-tests/%s.json", root, str(symbi_doc_root(d), "id").p);
        one_case(root, path, symbi_doc_root(d));
        symbi_doc_unref(d);
    }
    free((char *)lines.p);
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", tmp);
    CHECK(system(cmd) == 0);
    printf("corpus: %ld cases, %ld requests; validation: error kinds equal in %ld of %ld, warning kinds in %ld\n", cases, requests, kinds_same, kinds_all, warns_same);
    CHECK(kinds_same == kinds_all);
    CHECK(warns_same * 1000 >= kinds_all * 998); /* script data differ a little between versions of Unicode */
}

static void test_handwritten(void)
{
    char root[600], path[1200];
    const char *dir = vectors_dir();
    DIR *d;
    struct dirent *e;
    if (!dir) SKIP("no vectors");
    snprintf(root, sizeof root, "%s/cedar/integration", dir);
    snprintf(path, sizeof path, "%s/tests", root);
    d = opendir(path);
    if (!d) SKIP("no handwritten tests");
    cases = requests = 0;
    while ((e = readdir(d))) {
        char sub[900];
        DIR *s;
        struct dirent *f;
        if (e->d_name[0] == '.') continue;
        snprintf(sub, sizeof sub, "%s/tests/%s", root, e->d_name);
        if (!(s = opendir(sub))) continue;
        while ((f = readdir(s))) {
            size_t n = strlen(f->d_name);
            if (n < 6 || strcmp(f->d_name + n - 5, ".json")) continue;
            snprintf(path, sizeof path, "%s/%s", sub, f->d_name);
            one_case(root, path, NULL);
        }
        closedir(s);
    }
    closedir(d);
    printf("handwritten: %ld cases, %ld requests\n", cases, requests);
}

int main(void)
{
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    symbi_ctx_limits(cx)->doc_depth = 1000;
    RUN(test_corpus);
    RUN(test_handwritten);
    symbi_ctx_free(cx);
    return test_end();
}
