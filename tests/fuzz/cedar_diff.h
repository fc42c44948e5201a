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
#include "symbi/json.h"

typedef struct diff {
    symbi_ctx *cx;
    symbi_cedar_eval *ev;
    const char *id;       /* of the case */
    long cases, requests, divergences, refused, allows, failing;
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

static inline void diff_requests(diff *d, const symbi_value *c, const symbi_cedar *set, const symbi_cedar_entities *ents, const symbi_err *refusal, const char *how)
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
    else diff_requests(d, c, again, ents, NULL, "from JSON");
    symbi_cedar_unref(again);
    again = NULL;
    if (symbi_cedar_to_text(d->cx, set, 0, &text, &err)) diff_found(d, "cannot be printed: %s", err.msg);
    else {
        symbi_cedar_source src = { { "", 0 }, { "", 0 } };
        src.text.p = text.p, src.text.n = text.n;
        if (symbi_cedar_parse(d->cx, &src, 1, 0, &again, &err)) diff_found(d, "the printed text is refused: %s: %.*s", err.msg, (int)text.n, text.p);
        else diff_requests(d, c, again, ents, NULL, "printed");
        symbi_cedar_unref(again);
    }
    symbi_text_free(&text);
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
    diff_requests(d, c, set, ents, st ? &err : NULL, "as given");
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
