/* tests/fuzz/cedar_diff.h: the comparing half of the differential test of Cedar: takes a case with the official engine's answers
 * (lines of cedar_diff.mjs, tests/vectors/cedar/diff) through this engine. What must agree: whether the input is accepted, the
 * decision, the reasons, which policies failed and of what kind. A single policy is also taken through its JSON form, whose
 * value must be the oracle's, and through its printed text; both must decide the same. */
#ifndef CEDAR_DIFF_H
#define CEDAR_DIFF_H
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbi/cedar.h"
#include "symbi/cedar_format.h"
#include "symbi/json.h"

typedef struct diff {
    symbi_ctx *cx;
    symbi_cedar_eval *ev;
    const char *id;       /* of the case */
    long cases, requests, divergences, refused, allows, failing, schemas, valid;
} diff;

static inline void diff_found(diff *d, const char *fmt, ...)
{
    va_list ap;
    d->divergences++;
    printf("DIVERGENCE %s: ", d->id);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
}

static inline symbi_cedar_uid diff_uid(const symbi_value *v)
{
    symbi_str none = { "", 0 };
    symbi_cedar_uid u;
    u.type = symbi_value_str(v, "type", none);
    u.id = symbi_value_str(v, "id", none);
    return u;
}

static inline bool diff_listed(const symbi_value *list, symbi_str id)
{
    for (size_t i = 0; i < list->u.a.n; i++)
        if (list->u.a.items[i].u.s.n == id.n && !memcmp(list->u.a.items[i].u.s.p, id.p, id.n)) return true;
    return false;
}

/* One answer against the oracle's; how names the form of the policies. */
static inline void diff_answer(diff *d, const symbi_cedar *set, const symbi_cedar_answer *a, const symbi_value *want, size_t r, const char *how)
{
    const symbi_value *reasons = symbi_value_getz(want, "reasons"), *errors = symbi_value_getz(want, "errors");
    symbi_str none = { "", 0 };
    symbi_cedar_policy_info p;
    bool allow = symbi_value_str(want, "decision", none).n == 5;
    if ((a->decision == SYMBI_ALLOW) != allow) diff_found(d, "request %zu (%s): decided %s, the oracle says %s", r, how, symbi_decision_name(a->decision), allow ? "allow" : "deny");
    if (a->nreasons != reasons->u.a.n) diff_found(d, "request %zu (%s): %zu reasons, the oracle has %zu", r, how, a->nreasons, reasons->u.a.n);
    for (size_t i = 0; i < a->nreasons; i++) {
        symbi_cedar_policy(set, a->reasons[i], &p);
        if (!diff_listed(reasons, p.id)) diff_found(d, "request %zu (%s): reason %.*s is not the oracle's", r, how, (int)p.id.n, p.id.p);
    }
    if (a->nerrors != errors->u.o.n) diff_found(d, "request %zu (%s): %zu errors, the oracle has %zu", r, how, a->nerrors, errors->u.o.n);
    for (size_t i = 0; i < a->nerrors; i++) {
        const char *kind = symbi_cedar_error_name(a->errors[i].kind);
        const symbi_value *w;
        symbi_cedar_policy(set, a->errors[i].policy, &p);
        w = symbi_value_get(errors, p.id);
        if (!w || w->u.s.n != strlen(kind) || memcmp(w->u.s.p, kind, w->u.s.n))
            diff_found(d, "request %zu (%s): %.*s fails with %s, the oracle says %.*s", r, how, (int)p.id.n, p.id.p, kind, w ? (int)w->u.s.n : 7, w ? w->u.s.p : "nothing");
    }
    if (allow) d->allows++;
    if (a->nerrors) d->failing++;
}

static inline void diff_requests(diff *d, const symbi_value *c, const symbi_cedar_schema *schema, const symbi_cedar *set, const symbi_cedar_entities *ents, const symbi_err *refusal, const char *how)
{
    const symbi_value *requests = symbi_value_getz(c, "requests"), *expect = symbi_value_getz(c, "expect");
    for (size_t r = 0; r < requests->u.a.n; r++) {
        const symbi_value *q = &requests->u.a.items[r], *want = &expect->u.a.items[r];
        symbi_cedar_request rq;
        symbi_cedar_answer a;
        symbi_err err;
        if (want->kind == SYMBI_STRING) continue; /* the oracle crashed */
        d->requests++;
        if (want->kind == SYMBI_BOOL) d->refused++;
        memset(&err, 0, sizeof err);
        if (!refusal) {
            memset(&rq, 0, sizeof rq);
            rq.principal = diff_uid(symbi_value_getz(q, "principal"));
            rq.action = diff_uid(symbi_value_getz(q, "action"));
            rq.resource = diff_uid(symbi_value_getz(q, "resource"));
            rq.context = symbi_value_getz(q, "context");
            rq.entities = ents;
            rq.schema = schema;
            rq.unchecked = symbi_value_getz(q, "validateRequest") && !symbi_value_getz(q, "validateRequest")->u.b;
            if (symbi_cedar_authorize(d->ev, set, &rq, &a, &err) == SYMBI_OK) {
                if (want->kind == SYMBI_BOOL) diff_found(d, "request %zu (%s): accepted, the oracle refuses", r, how);
                else diff_answer(d, set, &a, want, r, how);
                continue;
            }
        } else err = *refusal;
        if (want->kind != SYMBI_BOOL) diff_found(d, "request %zu (%s): refused (%s: %s), the oracle decides", r, how, err.path, err.msg);
    }
}

/* The policy's JSON form and its printed text: the same policy? */
static inline void diff_forms(diff *d, const symbi_value *c, const symbi_cedar *set, const symbi_cedar_entities *ents, const symbi_value *est)
{
    symbi_doc *doc = NULL;
    symbi_cedar *again = NULL;
    symbi_text text = { 0 };
    symbi_err err;
    if (symbi_cedar_policy_to_json(d->cx, set, 0, &doc, &err)) diff_found(d, "no JSON form: %s", err.msg);
    else if (!symbi_value_equal(symbi_doc_root(doc), est)) {
        symbi_text ours = { 0 };
        if (symbi_json_write(d->cx, symbi_doc_root(doc), SYMBI_JSON_CANONICAL, &ours, &err) == SYMBI_OK) diff_found(d, "another JSON form: %.*s", (int)ours.n, ours.p);
        symbi_text_free(&ours);
    }
    symbi_doc_unref(doc);
    if (symbi_cedar_from_json(d->cx, est, 0, &again, &err)) diff_found(d, "the oracle's JSON form is refused: %s", err.msg);
    else diff_requests(d, c, NULL, again, ents, NULL, "from JSON");
    symbi_cedar_unref(again);
    again = NULL;
    if (symbi_cedar_to_text(d->cx, set, 0, &text, &err)) diff_found(d, "cannot be printed: %s", err.msg);
    else {
        symbi_cedar_source src = { { "", 0 }, { "", 0 } };
        src.text.p = text.p, src.text.n = text.n;
        if (symbi_cedar_parse(d->cx, &src, 1, 0, &again, &err)) diff_found(d, "the printed text is refused: %s: %.*s", err.msg, (int)text.n, text.p);
        else diff_requests(d, c, NULL, again, ents, NULL, "printed");
        symbi_cedar_unref(again);
    }
    symbi_text_free(&text);
}

/* A case with a schema (cedar_diff_schema.mjs). */

static inline bool diff_has_kind(const symbi_value *kinds, symbi_str policy, symbi_str kind)
{
    const symbi_value *list = symbi_value_get(kinds, policy);
    return list && diff_listed(list, kind);
}

/* What the validator found, by policy and kind, one way (warnings or errors) at a time. */
static inline void diff_kinds(diff *d, const symbi_cedar *set, const symbi_cedar_report *rep, const symbi_value *want, bool warnings)
{
    symbi_cedar_policy_info p;
    for (size_t k = 0; k < symbi_cedar_report_count(rep); k++) {
        const symbi_cedar_finding *f = symbi_cedar_report_at(rep, k);
        symbi_str kind;
        kind.p = f->kind, kind.n = strlen(f->kind);
        symbi_cedar_policy(set, f->policy, &p);
        if (f->warning == warnings && !diff_has_kind(want, p.id, kind)) diff_found(d, "%.*s: surplus %s: %s", (int)p.id.n, p.id.p, f->kind, f->message.p);
    }
    for (size_t i = 0; i < want->u.o.n; i++)
        for (size_t j = 0; j < want->u.o.members[i].val.u.a.n; j++) {
            symbi_str id = want->u.o.members[i].key, kind = want->u.o.members[i].val.u.a.items[j].u.s;
            bool found = false;
            for (size_t k = 0; k < symbi_cedar_report_count(rep) && !found; k++) {
                const symbi_cedar_finding *f = symbi_cedar_report_at(rep, k);
                symbi_cedar_policy(set, f->policy, &p);
                found = f->warning == warnings && strlen(f->kind) == kind.n && !memcmp(f->kind, kind.p, kind.n) && p.id.n == id.n && !memcmp(p.id.p, id.p, id.n);
            }
            if (!found) diff_found(d, "%.*s: missing %.*s", (int)id.n, id.p, (int)kind.n, kind.p);
        }
}

static inline void diff_json(diff *d, const char *what, symbi_doc *ours, const symbi_value *want)
{
    symbi_text t = { 0 };
    symbi_err err;
    if (want && !symbi_value_equal(symbi_doc_root(ours), want)) {
        if (symbi_json_write(d->cx, symbi_doc_root(ours), SYMBI_JSON_CANONICAL, &t, &err) == SYMBI_OK) diff_found(d, "%s differs: %.*s", what, (int)t.n, t.p);
        symbi_text_free(&t);
    }
    symbi_doc_unref(ours);
}

/* The schema's JSON forms, and its text form taken in again. */
static inline void diff_schema_forms(diff *d, const symbi_value *c, const symbi_cedar_schema *schema)
{
    symbi_cedar_schema *again = NULL;
    symbi_text t = { 0 };
    symbi_err err;
    symbi_status st = symbi_cedar_schema_text(d->cx, schema, &t, &err);
    diff_json(d, "the schema's JSON", symbi_cedar_schema_json(schema, false), symbi_value_getz(c, "schemaJson"));
    diff_json(d, "the resolved schema", symbi_cedar_schema_json(schema, true), symbi_value_getz(c, "resolved"));
    if (st && st != SYMBI_EUNSUPPORTED) diff_found(d, "the schema cannot be printed: %s", err.msg);
    if (!st) {
        if (symbi_cedar_schema_parse(d->cx, symbi_text_str(&t), &again, &err)) diff_found(d, "the printed schema is refused: %s: %.*s", err.msg, (int)t.n, t.p);
        else if (symbi_value_getz(c, "resolved")) diff_json(d, "the printed schema", symbi_cedar_schema_json(again, true), symbi_value_getz(c, "resolved"));
    }
    symbi_cedar_schema_unref(again);
    symbi_text_free(&t);
}

static inline void diff_pretty(diff *d, const symbi_value *v)
{
    const symbi_value *want = symbi_value_getz(v, "out");
    symbi_text t = { 0 };
    symbi_err err;
    symbi_status st;
    st = symbi_cedar_format(d->cx, symbi_value_getz(v, "text")->u.s, (size_t)symbi_value_getz(v, "width")->u.i, (size_t)symbi_value_getz(v, "indent")->u.i, &t, &err);
    if (st && want->kind == SYMBI_STRING) diff_found(d, "cannot be laid out: %s", err.msg);
    else if (!st && want->kind != SYMBI_STRING) diff_found(d, "laid out, the oracle refuses");
    else if (!st && (t.n != want->u.s.n || memcmp(t.p, want->u.s.p, t.n))) diff_found(d, "laid out differently:\n%.*s", (int)t.n, t.p);
    symbi_text_free(&t);
}

static inline void diff_schema_case(diff *d, const symbi_value *c)
{
    const symbi_value *in = symbi_value_getz(c, "schema"), *valid = symbi_value_getz(c, "valid"), *policies = symbi_value_getz(c, "policies"), *pretty = symbi_value_getz(c, "pretty");
    bool schema_ok = symbi_value_getz(c, "schemaOk")->u.b, entities_ok = symbi_value_getz(c, "entitiesOk")->u.b;
    symbi_cedar_schema *schema = NULL;
    symbi_cedar *set = NULL;
    symbi_cedar_entities *ents = NULL;
    symbi_cedar_report *rep = NULL;
    symbi_err err, set_err;
    symbi_status st = in->kind == SYMBI_STRING ? symbi_cedar_schema_parse(d->cx, in->u.s, &schema, &err) : symbi_cedar_schema_from_json(d->cx, in, &schema, &err), set_st;
    /* the oracle's reader takes a list for an object with its members in order; nobody writes that, and this engine says so */
    if (!st != schema_ok && !(st && strstr(err.msg, "expected an object, found array"))) diff_found(d, "the schema is %s%s%s", st ? "refused: " : "accepted", st ? err.path : "", st ? err.msg : "");
    if (st || !schema_ok) {
        symbi_cedar_schema_unref(schema);
        return;
    }
    d->schemas++;
    diff_schema_forms(d, c, schema);
    if (policies) {
        symbi_cedar_source src = { { "", 0 }, { "", 0 } };
        src.text = policies->u.s;
        set_st = symbi_cedar_parse(d->cx, &src, 1, 0, &set, &set_err);
    } else set_st = symbi_cedar_from_json(d->cx, symbi_value_getz(c, "set"), 0, &set, &set_err);
    if (set_st) {
        if (valid->kind != SYMBI_BOOL) diff_found(d, "the policies are refused: %s", set_err.msg);
    } else if (valid->kind == SYMBI_BOOL) diff_found(d, "validated, the oracle refuses");
    else if (symbi_cedar_validate(d->cx, set, schema, 0, &rep, &err)) diff_found(d, "cannot be validated: %s", err.msg);
    else {
        diff_kinds(d, set, rep, symbi_value_getz(valid, "errors"), false);
        diff_kinds(d, set, rep, symbi_value_getz(valid, "warnings"), true);
        if (symbi_cedar_report_valid(rep)) d->valid++;
    }
    symbi_cedar_report_free(rep);
    st = symbi_cedar_entities_conform(d->cx, symbi_value_getz(c, "entities"), schema, &ents, &err);
    if (!st != entities_ok) diff_found(d, "the entities are %s%s%s", st ? "refused: " : "accepted", st ? err.path : "", st ? err.msg : "");
    else if (!set_st) diff_requests(d, c, schema, set, ents, st ? &err : NULL, "with schema");
    if (pretty && !getenv("NOPRETTY")) diff_pretty(d, pretty);
    symbi_cedar_entities_unref(ents);
    symbi_cedar_unref(set);
    symbi_cedar_schema_unref(schema);
}

static inline void diff_case(diff *d, const symbi_value *c)
{
    const symbi_value *policies = symbi_value_getz(c, "policies"), *est = symbi_value_getz(c, "est");
    symbi_cedar *set = NULL;
    symbi_cedar_entities *ents = NULL;
    symbi_err err;
    symbi_str none = { "?", 1 };
    symbi_status st;
    d->id = symbi_value_str(c, "case", none).p;
    d->cases++;
    if (symbi_value_getz(c, "schema")) {
        diff_schema_case(d, c);
        return;
    }
    if (policies) {
        symbi_cedar_source src = { { "", 0 }, { "", 0 } };
        src.text = policies->u.s;
        st = symbi_cedar_parse(d->cx, &src, 1, 0, &set, &err);
        if (st == SYMBI_OK) { /* staticPolicies holds no templates */
            for (size_t i = 0; i < symbi_cedar_count(set) && st == SYMBI_OK; i++) {
                symbi_cedar_policy_info p;
                symbi_cedar_policy(set, i, &p);
                if (p.role != SYMBI_CEDAR_STATIC) st = SYMBI_EPARSE, memset(&err, 0, sizeof err), snprintf(err.msg, sizeof err.msg, "a template");
            }
        } else if (est) diff_found(d, "refused (line %d, column %d: %s), the oracle parses it", (int)err.line, (int)err.col, err.msg);
    } else st = symbi_cedar_from_json(d->cx, symbi_value_getz(c, "set"), 0, &set, &err);
    if (st == SYMBI_OK) st = symbi_cedar_entities_new(d->cx, symbi_value_getz(c, "entities"), &ents, &err);
    diff_requests(d, c, NULL, set, ents, st ? &err : NULL, "as given");
    if (st == SYMBI_OK && est && symbi_cedar_count(set) == 1) diff_forms(d, c, set, ents, est);
    symbi_cedar_entities_unref(ents);
    symbi_cedar_unref(set);
}

/* False when the line is no case. */
static inline bool diff_line(diff *d, symbi_str line)
{
    symbi_doc *doc = NULL;
    symbi_err err;
    if (symbi_json_parse(d->cx, line, &doc, &err)) {
        printf("not JSON: %s: %.*s\n", err.msg, (int)(line.n < 400 ? line.n : 400), line.p);
        return false;
    }
    diff_case(d, symbi_doc_root(doc));
    symbi_doc_unref(doc);
    return true;
}
#endif
