/* schemapin/online.c: what has to be fetched for a domain, one thing after the other: the discovery document, the revocation list it
 * names, the TXT record. A machine without I/O; what cannot be had is a refusal. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "schemapin/docs.h"
#include "symbi/schemapin_net.h"
#include "symbi/wire.h"

#include <stdio.h>

typedef enum step { DISCOVERY, REVOCATION, DNS, DONE } step;

struct symbi_schemapin_online {
    symbi_ctx *cx;
    step at;
    bool dns, open;
    uint64_t id;
    symbi_text url, name;
    char domain[SYMBI_SCHEMAPIN_MAX_DOMAIN + 1];
    char message[400];
    symbi_schemapin_code code;
    symbi_schemapin_discovery *discovery;
    symbi_schemapin_revocation *revocation;
    symbi_schemapin_txt txt;
};

static void fail(symbi_schemapin_online *m, symbi_schemapin_code code, const char *what, const char *why)
{
    char raw[600];
    int n = snprintf(raw, sizeof raw, "%s%s%s", what, why[0] ? ": " : "", why);
    sy_clean_line(m->message, sizeof m->message, (symbi_str){ raw, n < 0 ? 0 : (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1 });
    m->code = code;
    m->at = DONE;
}

symbi_status symbi_schemapin_online_new(symbi_ctx *cx, symbi_str domain, bool dns, symbi_schemapin_online **out, symbi_err *err)
{
    symbi_schemapin_online *m = sy_calloc(&cx->alloc, 1, sizeof *m);
    symbi_err why;
    symbi_status st;
    *out = NULL;
    if (!m) return sy_fail_nomem(err);
    m->cx = cx;
    m->dns = dns;
    if (symbi_schemapin_domain(domain, m->domain, &why)) {
        m->domain[0] = 0;
        fail(m, SYMBI_SCHEMAPIN_DOMAIN_INVALID, why.msg, "");
        *out = m;
        return SYMBI_OK;
    }
    st = symbi_schemapin_url(cx, symbi_str_z(m->domain), &m->url, err);
    if (!st && dns) {
        char *port = strchr(m->domain, ':');
        st = symbi_schemapin_txt_name(cx, (symbi_str){ m->domain, port ? (size_t)(port - m->domain) : strlen(m->domain) }, &m->name, err);
    }
    if (st) {
        symbi_schemapin_online_free(m);
        return st;
    }
    *out = m;
    return SYMBI_OK;
}

void symbi_schemapin_online_free(symbi_schemapin_online *m)
{
    if (!m) return;
    symbi_text_free(&m->url);
    symbi_text_free(&m->name);
    symbi_schemapin_discovery_unref(m->discovery);
    symbi_schemapin_revocation_unref(m->revocation);
    sy_free(&m->cx->alloc, m, sizeof *m);
}

symbi_status symbi_schemapin_online_next(symbi_schemapin_online *m, symbi_schemapin_ask *out, symbi_err *err)
{
    memset(out, 0, sizeof *out);
    (void)err;
    out->domain = symbi_str_z(m->domain);
    if (m->at == DONE) return SYMBI_OK;
    if (!m->open) {
        m->open = true;
        m->id++;
    }
    out->id = m->id;
    out->timeout_ms = SYMBI_SCHEMAPIN_FETCH_MS;
    if (m->at == DNS) {
        out->kind = SYMBI_SCHEMAPIN_ASK_DNS;
        out->name = symbi_text_str(&m->name);
        return SYMBI_OK;
    }
    out->kind = SYMBI_SCHEMAPIN_ASK_HTTP;
    out->url = symbi_text_str(&m->url);
    out->max_bytes = SYMBI_SCHEMAPIN_MAX_DOCUMENT;
    return SYMBI_OK;
}

/* The next thing after the discovery document. */
static symbi_status after_discovery(symbi_schemapin_online *m, symbi_err *err)
{
    symbi_str endpoint = m->discovery->revocation_endpoint;
    symbi_url u;
    symbi_err why;
    symbi_text url;
    symbi_status st;
    sy_buf b;
    if (!endpoint.n) {
        m->at = m->dns ? DNS : DONE;
        return SYMBI_OK;
    }
    if (symbi_url_parse(endpoint, &u, &why) || !u.tls || endpoint.n > 2048) {
        fail(m, SYMBI_SCHEMAPIN_REVOCATION_FETCH_FAILED, "revocation_endpoint is not an https URL", "");
        return SYMBI_OK;
    }
    sy_buf_init(&b, m->cx->alloc, 4096);
    sy_buf_add(&b, endpoint.p, u.has_fragment ? (size_t)(u.fragment.p - endpoint.p) - 1 : endpoint.n);
    st = sy_buf_take(&b, &url, "the URL", err);
    if (st) return st;
    symbi_text_free(&m->url);
    m->url = url;
    m->at = REVOCATION;
    return SYMBI_OK;
}

/* True when the answer is a document; else the machine has failed. */
static bool arrived(symbi_schemapin_online *m, const symbi_schemapin_answer *a, symbi_schemapin_code code)
{
    const char *what = m->at == DISCOVERY ? "Could not fetch the discovery document" : "Could not fetch the revocation list";
    char why[340];
    if (a->failed) {
        snprintf(why, sizeof why, "%.*s", (int)(a->message.n > 250 ? 250 : a->message.n), a->message.p ? a->message.p : "");
        fail(m, code, what, why);
    } else if ((a->http_status >= 300 && a->http_status < 400) || (a->url.n && !sy_str_eq(a->url, symbi_text_str(&m->url)))) {
        snprintf(why, sizeof why, "%s answered with a redirect%s%.*s; redirects are not followed", m->at == DISCOVERY ? m->domain : "the revocation endpoint", a->url.n ? " to " : "",
                 (int)(a->url.n > 120 ? 120 : a->url.n), a->url.p ? a->url.p : "");
        fail(m, SYMBI_SCHEMAPIN_REDIRECT_REFUSED, what, why);
    } else if (a->http_status != 200) {
        snprintf(why, sizeof why, "HTTP status %d", a->http_status);
        fail(m, code, what, why);
    } else if (a->body.n > SYMBI_SCHEMAPIN_MAX_DOCUMENT) fail(m, code, what, "it is larger than 64 KiB");
    else return true;
    return false;
}

symbi_status symbi_schemapin_online_resolve(symbi_schemapin_online *m, uint64_t id, const symbi_schemapin_answer *a, symbi_err *err)
{
    symbi_err why;
    symbi_status st;
    if (!m->open || id != m->id || m->at == DONE) return sy_fail(err, SYMBI_ESTATE, "nothing with this id is open");
    m->open = false;
    switch (m->at) {
    case DISCOVERY:
        if (!arrived(m, a, SYMBI_SCHEMAPIN_DISCOVERY_FETCH_FAILED)) return SYMBI_OK;
        st = symbi_schemapin_discovery_read(m->cx, a->body, NULL, &m->discovery, &why);
        if (st == SYMBI_ENOMEM) {
            m->open = true;
            return sy_fail_nomem(err);
        }
        if (st) fail(m, SYMBI_SCHEMAPIN_DISCOVERY_INVALID, "The discovery document cannot be used", why.msg);
        else if (!m->discovery->schema_version.n || !m->discovery->has_marker)
            fail(m, SYMBI_SCHEMAPIN_DISCOVERY_INVALID, "Discovery document missing or invalid public_key_pem", m->discovery->schema_version.n ? "" : "schema_version is missing");
        else if ((st = after_discovery(m, err))) { /* as if nothing had been said: it may be told again */
            symbi_schemapin_discovery_unref(m->discovery);
            m->discovery = NULL;
            m->open = true;
            return st;
        }
        return SYMBI_OK;
    case REVOCATION:
        if (!arrived(m, a, SYMBI_SCHEMAPIN_REVOCATION_FETCH_FAILED)) return SYMBI_OK;
        st = symbi_schemapin_revocation_read(m->cx, a->body, NULL, &m->revocation, &why);
        if (st == SYMBI_ENOMEM) {
            m->open = true;
            return sy_fail_nomem(err);
        }
        if (st) fail(m, SYMBI_SCHEMAPIN_REVOCATION_INVALID, "The revocation list cannot be used", why.msg);
        else m->at = m->dns ? DNS : DONE;
        return SYMBI_OK;
    case DNS:
        if (a->failed) {
            snprintf(why.msg, sizeof why.msg, "%.*s", (int)(a->message.n > 250 ? 250 : a->message.n), a->message.p ? a->message.p : "");
            fail(m, SYMBI_SCHEMAPIN_DISCOVERY_FETCH_FAILED, "Could not look up the DNS TXT record", why.msg);
            return SYMBI_OK;
        }
        st = symbi_schemapin_txt_pick(a->records, a->nrecords, &m->txt, &why);
        if (st == SYMBI_OK || st == SYMBI_ENOTFOUND) m->at = DONE;
        else fail(m, SYMBI_SCHEMAPIN_DOMAIN_MISMATCH, why.msg, "");
        return SYMBI_OK;
    case DONE: break;
    }
    return SYMBI_OK;
}

symbi_status symbi_schemapin_online_found(const symbi_schemapin_online *m, symbi_schemapin_found *out, symbi_err *err)
{
    memset(out, 0, sizeof *out);
    if (m->at != DONE) return sy_fail(err, SYMBI_ESTATE, "the lookup is not done");
    out->code = m->code;
    out->message = symbi_str_z(m->message);
    out->domain = symbi_str_z(m->domain);
    if (m->code) return SYMBI_OK; /* half of the documents is none */
    out->discovery = m->discovery;
    out->revocation = m->revocation;
    out->dns_fingerprint = m->txt.fingerprint;
    return SYMBI_OK;
}

symbi_status symbi_schemapin_refusal(symbi_ctx *cx, symbi_schemapin_code code, symbi_str message, symbi_str domain, symbi_str tool_id, int64_t now, symbi_schemapin_result **out, symbi_err *err)
{
    sy_sp_draft d = { 0 };
    *out = NULL;
    if (code <= SYMBI_SCHEMAPIN_OK || code >= SYMBI_SCHEMAPIN_CODE_COUNT) return sy_fail(err, SYMBI_EINVAL, "a refusal needs a code");
    d.info.domain = domain;
    d.info.tool_id = tool_id;
    d.info.checked_at = now;
    sy_sp_refuse(&d, code, "%.*s", (int)(message.n > 500 ? 500 : message.n), message.p ? message.p : "");
    return sy_sp_result_make(cx, &d, out, err);
}
