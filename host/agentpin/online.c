/* agentpin/online.c: verification over the network as a machine without I/O. It asks for one thing at a time and is told what
 * came; whom it asks, and what counts as an answer, is decided here: only https, only names that are domain names, no redirect,
 * 64 KiB, and every failure on the way ends in a refusal. */
#include "agentpin/result.h"
#include "agentpin/url.h"

typedef struct subject {
    symbi_str domain; /* borrowed from the token */
    symbi_doc *discovery, *revocation;
    bool refetched;
} subject;

typedef enum phase { DISCOVERY, REVOCATION, DNS, FINISH, OVER } phase;

struct symbi_agentpin_online {
    symbi_ctx *cx;
    sy_arena arena; /* copies of the options' texts, URLs */
    symbi_agentpin_options o;
    sy_ap_token t;
    symbi_agentpin_result *r;
    subject s[SYMBI_AGENTPIN_MAX_CHAIN + 1]; /* the issuer, then the other domains of the chain */
    size_t n, at;
    phase phase;
    bool dns, open, https_given, announced; /* announced: the revocation URL stands in the document, so a 404 is a failure */
    uint64_t id;
    symbi_str url, name;
    symbi_doc *fetched;
};

static void refuse(symbi_agentpin_online *m, symbi_agentpin_step step, symbi_agentpin_code code, symbi_agentpin_reason reason, const char *fmt, ...) SYMBI_PRINTF(5, 6);
static void refuse(symbi_agentpin_online *m, symbi_agentpin_step step, symbi_agentpin_code code, symbi_agentpin_reason reason, const char *fmt, ...)
{
    symbi_err e;
    va_list ap;
    va_start(ap, fmt);
    (void)sy_vfail(&e, SYMBI_EVERIFY, 0, 0, fmt, ap);
    va_end(ap);
    (void)sy_ap_result_refuse(m->r, step, code, reason, "%s", e.msg);
    m->phase = OVER;
}

/* What goes wrong with the issuer's own documents, and with those of a delegating domain. */
static void refuse_document(symbi_agentpin_online *m, symbi_agentpin_reason reason, const char *why)
{
    bool revocation = m->phase == REVOCATION;
    if (m->at) {
        refuse(m, SYMBI_AGENTPIN_STEP_DELEGATION, SYMBI_AGENTPIN_DELEGATION_INVALID, SYMBI_AGENTPIN_R_CHAIN_DOCUMENT, "%s document of delegating domain '%.*s': %s",
               revocation ? "Revocation" : "Discovery", SY_FMT(m->s[m->at].domain), why);
    } else if (revocation) {
        refuse(m, SYMBI_AGENTPIN_STEP_REVOCATION, SYMBI_AGENTPIN_DISCOVERY_FETCH_FAILED, reason, "Revocation endpoint unreachable (fail-closed)");
    } else {
        refuse(m, SYMBI_AGENTPIN_STEP_DISCOVERY, SYMBI_AGENTPIN_DISCOVERY_FETCH_FAILED, reason, "Failed to fetch discovery document: %s", why);
    }
}

symbi_status symbi_agentpin_url(symbi_ctx *cx, symbi_str domain, symbi_agentpin_document what, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    memset(out, 0, sizeof *out);
    if (!symbi_agentpin_domain_ok(domain)) return sy_fail(err, SYMBI_EINVAL, "'%.*s' is not a domain name", SY_FMT(domain));
    sy_buf_init(&b, cx->alloc, 1024);
    sy_buf_addz(&b, "https://");
    sy_buf_adds(&b, domain);
    sy_buf_addz(&b, what == SYMBI_AGENTPIN_DOC_DISCOVERY ? SY_AP_DISCOVERY_PATH : SY_AP_REVOCATION_PATH);
    return sy_buf_take(&b, out, "the URL", err);
}

/* The shape of a document that came from outside. */
static symbi_status check_document(const symbi_value *v, symbi_agentpin_document what, symbi_str domain, symbi_agentpin_code *code, symbi_agentpin_reason *reason, symbi_err *err)
{
    if (what == SYMBI_AGENTPIN_DOC_DISCOVERY) return symbi_agentpin_discovery_validate(v, domain, true, code, reason, err);
    return symbi_agentpin_revocation_check(v, domain, SY_LIT(""), SY_LIT(""), SY_LIT(""), code, reason, err);
}

symbi_status symbi_agentpin_document_parse(symbi_ctx *cx, symbi_str body, symbi_agentpin_document what, symbi_str domain, symbi_doc **out, symbi_agentpin_code *code, symbi_agentpin_reason *reason, symbi_err *err)
{
    symbi_agentpin_reason local;
    symbi_status st;
    symbi_err why;
    *out = NULL;
    if (!reason) reason = &local;
    *reason = SYMBI_AGENTPIN_R_OK;
    if (code) *code = SYMBI_AGENTPIN_NONE;
    if (body.n > SYMBI_AGENTPIN_MAX_DOCUMENT) {
        *reason = SYMBI_AGENTPIN_R_DOCUMENT_TOO_LARGE;
        return sy_ap_fail(err, SYMBI_ELIMIT, code, SYMBI_AGENTPIN_DISCOVERY_INVALID, "the document has %zu bytes, the limit is %d", body.n, SYMBI_AGENTPIN_MAX_DOCUMENT);
    }
    st = symbi_json_parse(cx, body, out, &why);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) {
        *reason = SYMBI_AGENTPIN_R_DOCUMENT_JSON;
        return sy_ap_fail(err, st, code, SYMBI_AGENTPIN_DISCOVERY_INVALID, "the document is not JSON: line %u: %s", (unsigned)why.line, why.msg);
    }
    st = check_document(symbi_doc_root(*out), what, domain, code, reason, err);
    if (st) {
        symbi_doc_unref(*out);
        *out = NULL;
    }
    return st;
}

/* ---- life ---- */

symbi_status symbi_agentpin_online_new(symbi_ctx *cx, symbi_str jwt, const symbi_agentpin_options *o, bool dns, symbi_agentpin_online **out, symbi_err *err)
{
    symbi_agentpin_online *m;
    symbi_status st;
    bool go;
    *out = NULL;
    SY_AP_SIZED(o, "symbi_agentpin_options");
    m = sy_calloc(&cx->alloc, 1, sizeof *m);
    if (!m) return sy_fail_nomem(err);
    m->cx = cx;
    m->o = *o;
    m->dns = dns;
    m->https_given = o->document_over_https;
    sy_arena_init(&m->arena, cx->alloc, cx->limits.arena_bytes);
    m->o.audience = sy_arena_dup(&m->arena, o->audience);
    m->o.delegation_documents = m->o.delegation_revocations = NULL;
    m->o.dns_txt = (symbi_str){ NULL, 0 };
    st = m->arena.status ? sy_arena_fail(&m->arena, "the verification", err) : sy_ap_result_new(cx, &m->r, err);
    if (!st) st = sy_ap_verify_token(cx, jwt, &m->o, &m->t, m->r, &go, err);
    if (st) {
        symbi_agentpin_online_free(m);
        return st;
    }
    if (!go || !sy_ap_verify_time(&m->t, &m->o, m->r)) m->phase = OVER; /* no questions for a token that is no good anyway */
    else if (!symbi_agentpin_domain_ok(m->t.iss)) {
        refuse(m, SYMBI_AGENTPIN_STEP_DISCOVERY, SYMBI_AGENTPIN_DISCOVERY_FETCH_FAILED, sy_ap_issuer_reason(m->t.iss), "Failed to fetch discovery document: issuer '%.*s' is not a domain name",
               SY_FMT(m->t.iss));
    } else {
        m->s[0].domain = m->t.iss;
        m->n = 1;
    }
    *out = m;
    return SYMBI_OK;
}

void symbi_agentpin_online_free(symbi_agentpin_online *m)
{
    if (!m) return;
    for (size_t i = 0; i < sizeof m->s / sizeof *m->s; i++) {
        symbi_doc_unref(m->s[i].discovery);
        symbi_doc_unref(m->s[i].revocation);
    }
    symbi_doc_unref(m->fetched);
    sy_ap_token_free(&m->t);
    symbi_agentpin_result_unref(m->r);
    sy_arena_free(&m->arena);
    sy_free(&m->cx->alloc, m, sizeof *m);
}

symbi_agentpin_result *symbi_agentpin_online_result(symbi_agentpin_online *m) { return m->phase == OVER ? m->r : NULL; }
symbi_doc *symbi_agentpin_online_fetched(symbi_agentpin_online *m) { return m->fetched ? symbi_doc_ref(m->fetched) : NULL; }

/* ---- asking ---- */

static symbi_status own(symbi_agentpin_online *m, symbi_text *t, symbi_str *out, symbi_err *err)
{
    *out = sy_arena_dup(&m->arena, symbi_text_str(t));
    symbi_text_free(t);
    return out->p ? SYMBI_OK : sy_arena_fail(&m->arena, "the verification", err);
}

/* Where the revocations of this subject are: the document's endpoint, if it is one that we fetch, or the default. */
static symbi_status revocation_url(symbi_agentpin_online *m, bool *ok, symbi_err *err)
{
    const symbi_value *v = symbi_value_getz(symbi_doc_root(m->s[m->at].discovery), "revocation_endpoint");
    symbi_text t;
    symbi_status st;
    sy_ap_url u;
    *ok = true;
    m->announced = !sy_ap_is_null(v);
    if (m->announced) {
        if (v->kind != SYMBI_STRING || !sy_ap_url_fetchable(v->u.s, &u)) {
            *ok = false;
            refuse_document(m, SYMBI_AGENTPIN_R_REVOCATION_URL, "the revocation endpoint is not an https URL of a domain");
            return SYMBI_OK;
        }
        m->url = v->u.s;
        return SYMBI_OK;
    }
    st = symbi_agentpin_url(m->cx, m->s[m->at].domain, SYMBI_AGENTPIN_DOC_REVOCATION, &t, err);
    return st ? st : own(m, &t, &m->url, err);
}

static symbi_status finish(symbi_agentpin_online *m, symbi_err *err)
{
    symbi_value docs[SYMBI_AGENTPIN_MAX_CHAIN], revs[SYMBI_AGENTPIN_MAX_CHAIN], dv, rv;
    size_t nd = 0, nr = 0;
    symbi_status st;
    for (size_t i = 1; i < m->n; i++) {
        docs[nd++] = *symbi_doc_root(m->s[i].discovery);
        if (m->s[i].revocation) revs[nr++] = *symbi_doc_root(m->s[i].revocation);
    }
    dv = sy_val_array(docs, nd);
    rv = sy_val_array(revs, nr);
    m->o.delegation_documents = &dv;
    m->o.delegation_revocations = &rv;
    st = sy_ap_verify_rest(m->cx, &m->t, symbi_doc_root(m->s[0].discovery), m->s[0].revocation ? symbi_doc_root(m->s[0].revocation) : NULL, &m->o, m->r, err);
    m->o.delegation_documents = m->o.delegation_revocations = NULL;
    if (!st && m->r->arena.status && m->r->valid) {
        m->r->valid = false;
        st = sy_arena_fail(&m->r->arena, "the result", err);
    }
    if (!st) m->phase = OVER;
    return st;
}

symbi_status symbi_agentpin_online_next(symbi_agentpin_online *m, symbi_agentpin_ask *out, symbi_err *err)
{
    const subject *s = &m->s[m->at];
    symbi_text t;
    symbi_status st = SYMBI_OK;
    bool ok;
    memset(out, 0, sizeof *out);
    if (m->open) return sy_fail(err, SYMBI_EAGAIN, "question %llu is open", (unsigned long long)m->id);
    if (m->phase == FINISH && (st = finish(m, err))) return st;
    if (m->phase == DISCOVERY) {
        st = symbi_agentpin_url(m->cx, s->domain, SYMBI_AGENTPIN_DOC_DISCOVERY, &t, err);
        if (!st) st = own(m, &t, &m->url, err);
    } else if (m->phase == REVOCATION) {
        st = revocation_url(m, &ok, err);
    } else if (m->phase == DNS) {
        st = symbi_agentpin_dns_name(m->cx, m->t.iss, &t, err);
        if (!st) st = own(m, &t, &m->name, err);
    }
    if (st || m->phase == OVER) return st;
    m->open = true;
    out->id = ++m->id;
    out->kind = m->phase == DNS ? SYMBI_AGENTPIN_ASK_DNS : SYMBI_AGENTPIN_ASK_HTTP;
    out->document = m->phase == REVOCATION ? SYMBI_AGENTPIN_DOC_REVOCATION : SYMBI_AGENTPIN_DOC_DISCOVERY;
    out->domain = m->phase == DNS ? m->t.iss : s->domain;
    out->timeout_ms = SYMBI_AGENTPIN_FETCH_MS;
    if (m->phase == DNS) {
        out->name = m->name;
    } else {
        out->url = m->url;
        out->max_bytes = SYMBI_AGENTPIN_MAX_DOCUMENT;
        out->refetch = s->refetched;
    }
    return SYMBI_OK;
}

/* ---- being told ---- */

/* The document in an answer. *doc NULL: refused, or (a revocation that nobody announced, 404) there is none. */
static symbi_status receive(symbi_agentpin_online *m, const symbi_agentpin_answer *a, symbi_doc **doc, bool *none, symbi_err *err)
{
    symbi_agentpin_document what = m->phase == REVOCATION ? SYMBI_AGENTPIN_DOC_REVOCATION : SYMBI_AGENTPIN_DOC_DISCOVERY;
    symbi_agentpin_reason fetch = m->phase == REVOCATION ? SYMBI_AGENTPIN_R_REVOCATION_FETCH : SYMBI_AGENTPIN_R_FETCH, reason = fetch;
    symbi_err why;
    symbi_status st;
    *doc = NULL;
    *none = false;
    symbi_err_clear(&why);
    if (a->failed) {
        sy_clean_line(why.msg, sizeof why.msg, a->message);
        refuse_document(m, fetch, why.msg[0] ? why.msg : "no answer");
        return SYMBI_OK;
    }
    if (a->none && m->phase == REVOCATION) {
        *none = true;
        return SYMBI_OK;
    }
    if (a->document) {
        st = check_document(a->document, what, m->s[m->at].domain, NULL, &reason, &why);
        if (!st) st = symbi_doc_copy(m->cx, a->document, doc, &why);
    } else if ((a->http_status >= 300 && a->http_status < 400) || (a->url.n && !sy_str_eq(a->url, m->url))) {
        refuse_document(m, SYMBI_AGENTPIN_R_REDIRECT, "the server answered with a redirect, which is not followed");
        return SYMBI_OK;
    } else if (a->http_status == 404 && m->phase == REVOCATION && !m->announced) {
        *none = true;
        return SYMBI_OK;
    } else if (a->http_status != 200) {
        (void)sy_fail(&why, SYMBI_EVERIFY, "HTTP status %d", a->http_status);
        refuse_document(m, fetch, why.msg);
        return SYMBI_OK;
    } else {
        st = symbi_agentpin_document_parse(m->cx, a->body, what, m->s[m->at].domain, doc, NULL, &reason, &why);
        if (!st) {
            symbi_doc_unref(m->fetched);
            m->fetched = symbi_doc_ref(*doc);
        }
    }
    if (st == SYMBI_ENOMEM) {
        if (err) *err = why;
        return st;
    }
    if (st) refuse_document(m, reason ? reason : fetch, why.msg);
    return SYMBI_OK;
}

/* The domains of the chain, each once, in order; before any of them is asked, the depths that are known must allow the chain. */
static void add_chain(symbi_agentpin_online *m)
{
    const symbi_value *chain = m->t.chain;
    symbi_err why;
    int64_t depth = 0;
    if (!chain || !m->o.verify_delegation) return;
    (void)sy_ap_int(symbi_doc_root(m->s[0].discovery), "max_delegation_depth", &depth);
    if (symbi_agentpin_chain_depth((int64_t)chain->u.a.n, &depth, 1, NULL, &why)) {
        refuse(m, SYMBI_AGENTPIN_STEP_DELEGATION, SYMBI_AGENTPIN_DELEGATION_DEPTH_EXCEEDED, SYMBI_AGENTPIN_R_CHAIN_DEPTH, "%s", why.msg);
        return;
    }
    for (size_t i = 0; i < chain->u.a.n; i++) {
        symbi_str d = symbi_value_str(&chain->u.a.items[i], "domain", SY_LIT(""));
        bool known = false;
        for (size_t k = 0; k < m->n && !known; k++) known = sy_str_eq(m->s[k].domain, d);
        if (known) continue;
        if (!symbi_agentpin_domain_ok(d)) {
            refuse(m, SYMBI_AGENTPIN_STEP_DELEGATION, SYMBI_AGENTPIN_DELEGATION_INVALID, SYMBI_AGENTPIN_R_CHAIN_DOCUMENT, "Delegating domain '%.*s' is not a domain name", SY_FMT(d));
            return;
        }
        m->s[m->n++].domain = d;
    }
}

static void after_revocation(symbi_agentpin_online *m)
{
    if (!m->at) add_chain(m);
    if (m->phase == OVER) return;
    if (++m->at < m->n) {
        m->phase = DISCOVERY;
        return;
    }
    m->at = 0;
    m->phase = m->dns ? DNS : FINISH;
}

static symbi_status told_dns(symbi_agentpin_online *m, const symbi_agentpin_answer *a, symbi_err *err)
{
    int i;
    if (a->failed) {
        symbi_err why;
        sy_clean_line(why.msg, sizeof why.msg, a->message);
        refuse(m, SYMBI_AGENTPIN_STEP_DISCOVERY, SYMBI_AGENTPIN_DISCOVERY_FETCH_FAILED, SYMBI_AGENTPIN_R_DNS, "DNS TXT lookup of %.*s failed: %s", SY_FMT(m->name), why.msg[0] ? why.msg : "no answer");
        return SYMBI_OK;
    }
    i = symbi_agentpin_dns_pick(a->records, a->nrecords);
    if (i >= 0) {
        m->o.dns_txt = sy_arena_dup(&m->arena, a->records[i]);
        if (!m->o.dns_txt.p) return sy_arena_fail(&m->arena, "the verification", err);
    }
    m->phase = FINISH;
    return SYMBI_OK;
}

symbi_status symbi_agentpin_online_resolve(symbi_agentpin_online *m, uint64_t id, const symbi_agentpin_answer *a, symbi_err *err)
{
    subject *s = &m->s[m->at];
    symbi_status st;
    symbi_doc *doc;
    bool none;
    if (!m->open || id != m->id) return sy_fail(err, SYMBI_ESTATE, "question %llu is not open", (unsigned long long)id);
    if (m->phase == DNS) {
        st = told_dns(m, a, err);
        if (!st) m->open = false;
        return st;
    }
    if ((st = receive(m, a, &doc, &none, err))) return st; /* still open: may be told again */
    m->open = false;
    if (m->phase == OVER) return SYMBI_OK;
    if (m->phase == DISCOVERY) {
        symbi_doc_unref(s->discovery);
        s->discovery = doc;
        if (!m->at) m->o.document_over_https = m->https_given || a->https || !a->document;
        /* A key that a kept document does not know may be newer than it: fetched once more. */
        if (a->document && !s->refetched && !m->at && !symbi_agentpin_find_key(symbi_doc_root(doc), m->t.kid)) s->refetched = true;
        else m->phase = REVOCATION;
        return SYMBI_OK;
    }
    symbi_doc_unref(s->revocation);
    s->revocation = doc;
    after_revocation(m);
    return SYMBI_OK;
}
