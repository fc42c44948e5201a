/* tests/unit/agentpin_online_test.c: verification over the network, told what a server would say. */
#include "agentpin_make.h"

typedef struct server {
    const char *url, *body;
    int status;
    const char *final_url; /* the transport followed a redirect all the same */
} server;

typedef struct run {
    symbi_ctx *cx;
    symbi_key *k;
    symbi_agentpin_options o;
    const server *s;
    size_t n;
    int asked;
    bool dns;
    const char *txt;       /* the TXT record; NULL: none */
    bool dns_failed;
    const symbi_value *cached; /* what a cache says to the first question, or always */
    bool stubborn;
    char urls[1024];
} run;

static symbi_agentpin_result *go(run *x, symbi_str jwt)
{
    symbi_agentpin_online *m;
    symbi_agentpin_ask ask;
    symbi_agentpin_result *r = NULL;
    symbi_err err;
    x->asked = 0;
    x->urls[0] = 0;
    if (symbi_agentpin_online_new(x->cx, jwt, &x->o, x->dns, &m, &err)) return NULL;
    CHECK(symbi_agentpin_online_resolve(m, 1, &(symbi_agentpin_answer){ .failed = true }, &err) == SYMBI_ESTATE);
    for (int i = 0; i < 20; i++) {
        symbi_agentpin_answer a = { 0 };
        symbi_str record;
        symbi_status st = symbi_agentpin_online_next(m, &ask, &err);
        CHECK_OK(st, err);
        if (st || ask.kind == SYMBI_AGENTPIN_ASK_DONE) break;
        CHECK(symbi_agentpin_online_next(m, &(symbi_agentpin_ask){ 0 }, &err) == SYMBI_EAGAIN);
        x->asked++;
        a.failed = true;
        a.message = zs("connection refused");
        if (ask.kind == SYMBI_AGENTPIN_ASK_DNS) {
            CHECK_STR(ask.name, "_agentpin.example.com");
            a.failed = x->dns_failed;
            record = zs(x->txt);
            a.records = &record;
            a.nrecords = x->txt != NULL;
        } else {
            CHECK(ask.max_bytes == 65536 && ask.timeout_ms == 10000);
            snprintf(x->urls + strlen(x->urls), sizeof x->urls - strlen(x->urls), "%.*s%s ", (int)ask.url.n, ask.url.p, ask.refetch ? "!" : "");
            if (x->cached && (x->asked == 1 || (x->stubborn && ask.document == SYMBI_AGENTPIN_DOC_DISCOVERY))) {
                a.failed = false;
                a.document = x->cached;
            }
            for (size_t k = 0; k < x->n && !a.document; k++) {
                if (ask.url.n != strlen(x->s[k].url) || memcmp(ask.url.p, x->s[k].url, ask.url.n)) continue;
                a.failed = false;
                a.http_status = x->s[k].status;
                a.body = zs(x->s[k].body);
                a.url = zs(x->s[k].final_url);
            }
        }
        CHECK(!symbi_agentpin_online_result(m));
        st = symbi_agentpin_online_resolve(m, ask.id, &a, &err);
        CHECK_OK(st, err);
        if (st) break;
    }
    r = symbi_agentpin_online_result(m);
    CHECK(r != NULL);
    if (r) symbi_agentpin_result_ref(r);
    symbi_agentpin_online_free(m);
    return r;
}

static void expect(run *x, claims c, const char *code, const char *why, int asked)
{
    symbi_text t = token(x->cx, x->k, c);
    symbi_agentpin_result *r = go(x, symbi_text_str(&t));
    symbi_text_free(&t);
    if (!r) return;
    if (strcmp(symbi_agentpin_code_name(symbi_agentpin_result_code(r)), code) || strcmp(symbi_agentpin_reason_name(symbi_agentpin_result_reason(r)), why) || x->asked != asked) {
        printf("got %s %s (%.*s) after %d questions %s, expected %s %s after %d\n", symbi_agentpin_code_name(symbi_agentpin_result_code(r)), symbi_agentpin_reason_name(symbi_agentpin_result_reason(r)),
               (int)symbi_agentpin_result_message(r).n, symbi_agentpin_result_message(r).p, x->asked, x->urls, code, why, asked);
        t_now_failed = 1;
    }
    CHECK(symbi_agentpin_result_valid(r) == !*code);
    symbi_agentpin_result_unref(r);
}

#define DISC "https://example.com/.well-known/agent-identity.json"
#define REVS "https://example.com/.well-known/agent-identity-revocations.json"
#define NOREV "{\"entity\":\"example.com\",\"revoked_credentials\":[],\"revoked_agents\":[],\"revoked_keys\":[]}"

static void setup(run *x)
{
    memset(x, 0, sizeof *x);
    x->cx = new_ctx();
    x->k = new_key(x->cx);
    symbi_agentpin_options_init(&x->o);
    x->o.now = NOW;
}
static void teardown(run *x)
{
    symbi_key_unref(x->k);
    symbi_ctx_free(x->cx);
}

static void test_plain(void)
{
    run x;
    symbi_doc *d;
    static char body[8192], with[8192];
    setup(&x);
    d = discovery(x.cx, "example.com", x.k, "k1");
    snprintf(body, sizeof body, "%s", text_of(x.cx, symbi_doc_root(d)));
#define SERVE(...)                                                                                 \
    do {                                                                                           \
        const server rows[] = { __VA_ARGS__ };                                                     \
        static server keep[8];                                                                     \
        memcpy(keep, rows, sizeof rows);                                                           \
        x.s = keep;                                                                                \
        x.n = sizeof rows / sizeof *rows;                                                          \
    } while (0)
    SERVE({ DISC, body, 200, NULL }, { REVS, NOREV, 200, NULL });
    expect(&x, (claims){ 0 }, "", "OK", 2);
    CHECK(strstr(x.urls, DISC " " REVS));
    /* no endpoint in the document: the default is asked, and there a 404 means none */
    SERVE({ DISC, body, 200, NULL }, { REVS, "", 404, NULL });
    expect(&x, (claims){ 0 }, "", "OK", 2);
    SERVE({ DISC, body, 200, NULL }, { REVS, "", 500, NULL });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "REVOCATION_FETCH", 2);
    SERVE({ DISC, body, 200, NULL });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "REVOCATION_FETCH", 2);
    SERVE({ DISC, body, 200, NULL }, { REVS, "{\"entity\":\"evil.com\",\"revoked_credentials\":[],\"revoked_agents\":[],\"revoked_keys\":[]}", 200, NULL });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "REVOCATION_ENTITY", 2);
    SERVE({ DISC, body, 200, NULL }, { REVS, "<html>", 200, NULL });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "DOCUMENT_JSON", 2);
    SERVE({ DISC, body, 200, NULL }, { REVS, NOREV, 302, NULL });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "REDIRECT", 2);
    SERVE({ DISC, body, 200, NULL }, { REVS, "{\"entity\":\"example.com\",\"revoked_credentials\":[],\"revoked_agents\":[{\"agent_id\":\"a\",\"reason\":\"superseded\"}],\"revoked_keys\":[]}", 200, NULL });
    expect(&x, (claims){ 0 }, "AGENT_INACTIVE", "REVOKED_AGENT", 2);
    /* the discovery document itself */
    SERVE({ DISC, body, 302, NULL });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "REDIRECT", 1);
    SERVE({ DISC, body, 200, "https://evil.com/.well-known/agent-identity.json" });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "REDIRECT", 1);
    SERVE({ DISC, body, 404, NULL });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "FETCH", 1);
    SERVE({ "https://x.com/", "", 200, NULL });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "FETCH", 1);
    SERVE({ DISC, "{", 200, NULL });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "DOCUMENT_JSON", 1);
    SERVE({ DISC, "{\"agentpin_version\":\"0.1\",\"entity\":\"evil.com\"}", 200, NULL });
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "DOCUMENT_ENTITY", 1);
    {
        char *big = malloc(70000);
        memset(big, ' ', 70000);
        memcpy(big, "{}", 2);
        big[65536] = 0;
        SERVE({ DISC, big, 200, NULL });
        expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "DOCUMENT_VERSION", 1); /* at the limit: read */
        big[65536] = ' ';
        big[65537] = 0;
        SERVE({ DISC, big, 200, NULL });
        expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "DOCUMENT_TOO_LARGE", 1);
        free(big);
    }
    /* nobody is asked for a token that is no good, or whose issuer is no domain name */
    SERVE({ DISC, body, 200, NULL }, { REVS, NOREV, 200, NULL });
    expect(&x, (claims){ .now = NOW - 10000 }, "CREDENTIAL_EXPIRED", "EXPIRED", 0);
    expect(&x, (claims){ .iss = "evil.com/x?" }, "DISCOVERY_FETCH_FAILED", "ISSUER_DOMAIN", 0);
    expect(&x, (claims){ .iss = "127.0.0.1" }, "DISCOVERY_FETCH_FAILED", "ISSUER_DOMAIN", 0);
    expect(&x, (claims){ .iss = "a@evil.com" }, "DISCOVERY_FETCH_FAILED", "ISSUER_DOMAIN", 0);
    expect(&x, (claims){ .iss = "example.com:8080" }, "DISCOVERY_FETCH_FAILED", "ISSUER_DOMAIN", 0);
    expect(&x, (claims){ .kid = "zz" }, "KEY_NOT_FOUND", "KEY_UNKNOWN", 2);
    /* the TXT record */
    x.dns = true;
    expect(&x, (claims){ 0 }, "", "OK", 3);
    x.txt = "v=agentpin1; fp=sha256:00";
    expect(&x, (claims){ 0 }, "DISCOVERY_INVALID", "DNS", 3);
    x.txt = "v=spf1 -all";
    expect(&x, (claims){ 0 }, "", "OK", 3);
    x.dns_failed = true;
    expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "DNS", 3);
    x.dns = false;
    /* where revocations are, by the document */
    {
        static const char *const bad[] = { "\"http://example.com/r\"", "\"https://127.0.0.1/r\"", "\"https://user@example.com/r\"", "\"https://example.com:8443/r\"", "\"file:///etc/passwd\"", "\"\"", "7", "\"https://x.com/r#\"" };
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            snprintf(with, sizeof with, "%.*s,\"revocation_endpoint\":%s}", (int)strlen(body) - 1, body, bad[i]);
            SERVE({ DISC, with, 200, NULL });
            expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "REVOCATION_URL", 1);
        }
        snprintf(with, sizeof with, "%.*s,\"revocation_endpoint\":\"https://status.example.net/r?d=example.com\"}", (int)strlen(body) - 1, body);
        SERVE({ DISC, with, 200, NULL }, { "https://status.example.net/r?d=example.com", NOREV, 200, NULL });
        expect(&x, (claims){ 0 }, "", "OK", 2);
        SERVE({ DISC, with, 200, NULL }, { "https://status.example.net/r?d=example.com", NOREV, 404, NULL });
        expect(&x, (claims){ 0 }, "DISCOVERY_FETCH_FAILED", "REVOCATION_FETCH", 2); /* announced, so a 404 hides something */
    }
    /* a cached document that lacks the key is fetched once more */
    {
        symbi_key *old = new_key(x.cx);
        symbi_doc *stale = discovery(x.cx, "example.com", old, "k0");
        SERVE({ DISC, body, 200, NULL }, { REVS, NOREV, 200, NULL });
        x.cached = symbi_doc_root(stale);
        expect(&x, (claims){ 0 }, "", "OK", 3);
        CHECK(strstr(x.urls, DISC " " DISC "! " REVS));
        expect(&x, (claims){ .kid = "zz" }, "KEY_NOT_FOUND", "KEY_UNKNOWN", 3); /* once */
        x.stubborn = true; /* a cache that will not be refreshed */
        expect(&x, (claims){ .kid = "zz" }, "KEY_NOT_FOUND", "KEY_UNKNOWN", 3);
        x.stubborn = false;
        x.cached = symbi_doc_root(d);
        expect(&x, (claims){ 0 }, "", "OK", 2);
        x.cached = NULL;
        symbi_doc_unref(stale);
        symbi_key_unref(old);
    }
    symbi_doc_unref(d);
    teardown(&x);
}

static void test_chain(void)
{
    run x;
    symbi_key *mk;
    symbi_doc *d, *md, *caps, *e;
    symbi_err err;
    static char body[8192], maker[8192], chain[4096];
    setup(&x);
    mk = new_key(x.cx);
    d = discovery(x.cx, "example.com", x.k, "k1");
    md = discovery(x.cx, "maker.com", mk, "m1");
    caps = parse(x.cx, "[\"read:data\"]");
    {
        symbi_agentpin_attestation a = { zs("maker.com"), zs("maker"), zs("t"), zs("example.com"), zs("a"), symbi_doc_root(caps) };
        CHECK_OK(symbi_agentpin_attestation_create(x.cx, mk, zs("m1"), &a, &e, &err), err);
    }
    snprintf(body, sizeof body, "%s", text_of(x.cx, symbi_doc_root(d)));
    snprintf(maker, sizeof maker, "%s", text_of(x.cx, symbi_doc_root(md)));
    snprintf(chain, sizeof chain, "[%s]", text_of(x.cx, symbi_doc_root(e)));
    x.o.verify_delegation = true;
#define MAKER "https://maker.com/.well-known/agent-identity.json"
#define MAKER_REVS "https://maker.com/.well-known/agent-identity-revocations.json"
    SERVE({ DISC, body, 200, NULL }, { REVS, "", 404, NULL }, { MAKER, maker, 200, NULL }, { MAKER_REVS, "", 404, NULL });
    expect(&x, (claims){ .chain = chain }, "", "OK", 4);
    SERVE({ DISC, body, 200, NULL }, { REVS, "", 404, NULL }, { MAKER, maker, 200, NULL },
          { MAKER_REVS, "{\"entity\":\"maker.com\",\"revoked_credentials\":[],\"revoked_agents\":[],\"revoked_keys\":[{\"kid\":\"m1\"}]}", 200, NULL });
    expect(&x, (claims){ .chain = chain }, "DELEGATION_INVALID", "CHAIN_KEY", 4);
    SERVE({ DISC, body, 200, NULL }, { REVS, "", 404, NULL }, { MAKER, maker, 500, NULL });
    expect(&x, (claims){ .chain = chain }, "DELEGATION_INVALID", "CHAIN_DOCUMENT", 3);
    expect(&x, (claims){ .chain = "[{\"domain\":\"127.0.0.1\",\"role\":\"maker\",\"agent_id\":\"x\",\"kid\":\"k\",\"attestation\":\"y\"}]" }, "DELEGATION_INVALID", "CHAIN_DOCUMENT", 2);
    { /* too deep: nobody else is asked */
        static char deep[16384];
        snprintf(deep, sizeof deep, "[%s,%s,%s]", text_of(x.cx, symbi_doc_root(e)), text_of(x.cx, symbi_doc_root(e)), text_of(x.cx, symbi_doc_root(e)));
        expect(&x, (claims){ .chain = deep }, "DELEGATION_DEPTH_EXCEEDED", "CHAIN_DEPTH", 2);
    }
    symbi_doc_unref(d);
    symbi_doc_unref(md);
    symbi_doc_unref(caps);
    symbi_doc_unref(e);
    symbi_key_unref(mk);
    teardown(&x);
}

static const char *oom_jwt, *oom_doc;
static symbi_status oom_online(symbi_ctx *cx, void *ud)
{
    symbi_agentpin_online *m = NULL;
    symbi_agentpin_options o;
    symbi_agentpin_ask ask;
    symbi_err err;
    symbi_status st;
    (void)ud;
    symbi_agentpin_options_init(&o);
    o.now = NOW;
    st = symbi_agentpin_online_new(cx, zs(oom_jwt), &o, true, &m, &err);
    while (!st && !(st = symbi_agentpin_online_next(m, &ask, &err)) && ask.kind) {
        symbi_str record = zs("v=spf1");
        symbi_agentpin_answer a = { .http_status = ask.document == SYMBI_AGENTPIN_DOC_DISCOVERY ? 200 : 404, .body = zs(oom_doc), .records = &record, .nrecords = 1 };
        st = symbi_agentpin_online_resolve(m, ask.id, &a, &err);
    }
    if (!st && !symbi_agentpin_result_valid(symbi_agentpin_online_result(m))) st = SYMBI_EVERIFY;
    symbi_agentpin_online_free(m);
    return st;
}

static void test_oom_online(void)
{
    run x;
    symbi_doc *d;
    symbi_text t;
    static char doc[8192], jwt[4096];
    setup(&x);
    d = discovery(x.cx, "example.com", x.k, "k1");
    t = token(x.cx, x.k, (claims){ 0 });
    snprintf(doc, sizeof doc, "%s", text_of(x.cx, symbi_doc_root(d)));
    snprintf(jwt, sizeof jwt, "%.*s", (int)t.n, t.p);
    oom_doc = doc;
    oom_jwt = jwt;
    symbi_text_free(&t);
    symbi_doc_unref(d);
    test_oom(oom_online, NULL, SYMBI_OK);
    teardown(&x);
}

int main(void)
{
    RUN(test_plain);
    RUN(test_chain);
    RUN(test_oom_online);
    return test_end();
}
