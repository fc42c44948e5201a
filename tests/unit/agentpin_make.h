/* tests/unit/agentpin_make.h: documents and credentials for the AgentPin tests, made with fresh keys. */
#ifndef AGENTPIN_MAKE_H
#define AGENTPIN_MAKE_H
#include "test.h"
#include <stdarg.h>

#define NOW ((int64_t)1780000000)

static inline symbi_ctx *new_ctx(void)
{
    symbi_ctx *cx = NULL;
    symbi_err err;
    if (symbi_ctx_new(NULL, &cx, &err)) abort();
    return cx;
}

static inline symbi_str zs(const char *z) { return symbi_str_z(z); }

static inline symbi_doc *parse(symbi_ctx *cx, const char *fmt, ...)
{
    static char buf[65536];
    symbi_doc *d = NULL;
    symbi_err err;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    if (symbi_json_parse(cx, zs(buf), &d, &err)) {
        printf("test document: %s\n%s\n", err.msg, buf);
        abort();
    }
    return d;
}

/* The text of a value; freed by nobody: these are tests. */
static inline const char *text_of(symbi_ctx *cx, const symbi_value *v)
{
    static char ring[8][16384];
    static int at;
    symbi_text t;
    symbi_err err;
    char *out = ring[at++ % 8];
    if (symbi_json_write(cx, v, 0, &t, &err)) abort();
    snprintf(out, 16384, "%.*s", (int)t.n, t.p);
    symbi_text_free(&t);
    return out;
}

static inline const char *jwk_text(symbi_ctx *cx, const symbi_key *k, const char *kid)
{
    symbi_doc *d;
    symbi_err err;
    const char *t;
    if (symbi_agentpin_jwk(cx, k, zs(kid), &d, &err)) abort();
    t = text_of(cx, symbi_doc_root(d));
    symbi_doc_unref(d);
    return t;
}

static inline symbi_key *new_key(symbi_ctx *cx)
{
    symbi_key *k = NULL;
    symbi_err err;
    if (symbi_p256_generate(cx, &k, &err)) abort();
    return k;
}

/* A document of `entity` with one key and one active agent "a" (read:*, write:report). */
static inline symbi_doc *discovery(symbi_ctx *cx, const char *entity, const symbi_key *k, const char *kid)
{
    return parse(cx,
                 "{\"agentpin_version\":\"0.1\",\"entity\":\"%s\",\"entity_type\":\"both\",\"public_keys\":[%s],\"agents\":[{\"agent_id\":\"a\",\"name\":\"A\",\"capabilities\":"
                 "[\"read:*\",\"write:report\",\"admin:*\"],\"status\":\"active\"}],\"max_delegation_depth\":2,\"updated_at\":\"2026-01-01T00:00:00Z\"}",
                 entity, jwk_text(cx, k, kid));
}

static inline symbi_doc *no_revocations(symbi_ctx *cx, const char *entity)
{
    return parse(cx, "{\"agentpin_version\":\"0.1\",\"entity\":\"%s\",\"updated_at\":\"2026-01-01T00:00:00Z\",\"revoked_credentials\":[],\"revoked_agents\":[],\"revoked_keys\":[]}", entity);
}

typedef struct claims {
    const char *iss, *kid, *aud, *caps, *constraints, *chain, *jti;
    int64_t now, ttl;
} claims;

static inline symbi_text token(symbi_ctx *cx, const symbi_key *k, claims in)
{
    symbi_agentpin_claims c = { sizeof c, zs(in.kid ? in.kid : "k1"), zs(in.iss ? in.iss : "example.com"), zs("a"), zs(in.aud), NULL, NULL, NULL, in.now ? in.now : NOW,
                                in.ttl ? in.ttl : 3600, zs(in.jti) };
    symbi_doc *caps = parse(cx, "%s", in.caps ? in.caps : "[\"read:data\"]"), *cons = in.constraints ? parse(cx, "%s", in.constraints) : NULL, *chain = in.chain ? parse(cx, "%s", in.chain) : NULL;
    symbi_text t;
    symbi_err err;
    c.capabilities = symbi_doc_root(caps);
    c.constraints = cons ? symbi_doc_root(cons) : NULL;
    c.delegation_chain = chain ? symbi_doc_root(chain) : NULL;
    if (symbi_agentpin_issue(cx, k, &c, &t, &err)) {
        printf("token: %s\n", err.msg);
        abort();
    }
    symbi_doc_unref(caps);
    symbi_doc_unref(cons);
    symbi_doc_unref(chain);
    return t;
}

/* A token with any header and claims (JSON texts), properly signed. */
static inline symbi_text raw_token(symbi_ctx *cx, const symbi_key *k, const char *header, const char *body)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *in[2] = { header, body };
    uint8_t sig[72];
    size_t nsig = 0, n = 0, max;
    symbi_text t;
    symbi_err err;
    max = (strlen(header) + strlen(body)) * 2 + 256;
    memset(&t, 0, sizeof t);
    t.alloc.fn = counting_fn;
    t.alloc.ud = NULL;
    t.p = malloc(max);
    for (int part = 0; part < 3; part++) {
        const uint8_t *p = part < 2 ? (const uint8_t *)in[part] : sig;
        size_t len = part < 2 ? strlen(in[part]) : nsig;
        if (part == 2) {
            if (symbi_es256_sign(cx, k, (symbi_str){ t.p, n }, SYMBI_ES256_DER, sig, &nsig, &err)) abort();
            len = nsig;
        }
        if (part) t.p[n++] = '.';
        for (size_t i = 0; i < len; i += 3) {
            unsigned v = (unsigned)p[i] << 16 | (i + 1 < len ? (unsigned)p[i + 1] << 8 : 0) | (i + 2 < len ? p[i + 2] : 0);
            t.p[n++] = abc[v >> 18];
            t.p[n++] = abc[v >> 12 & 63];
            if (i + 1 < len) t.p[n++] = abc[v >> 6 & 63];
            if (i + 2 < len) t.p[n++] = abc[v & 63];
        }
    }
    t.p[n] = 0;
    t.n = n;
    return t;
}
static inline void raw_free(symbi_text *t) { free(t->p); t->p = NULL; }

#define HEADER "{\"alg\":\"ES256\",\"typ\":\"agentpin-credential+jwt\",\"kid\":\"k1\"}"
#endif
