/* tests/unit/identity_make.h: credentials and signed schemas as their owners make them, verified, good and bad, for the tests of the gate. */
#ifndef IDENTITY_MAKE_H
#define IDENTITY_MAKE_H
#include "symbi/agentpin.h"
#include "symbi/json.h"
#include "symbi/schemapin.h"
#include "symbi/toolclad.h"
#include "test.h"

#include <time.h>

typedef enum proof_kind { GOOD = 0, FORGED, CHANGED, SHORT /* good for a minute */ } proof_kind;

static inline symbi_doc *made_json(symbi_ctx *cx, const char *text)
{
    symbi_doc *d = NULL;
    symbi_err err;
    if (symbi_json_parse(cx, symbi_str_z(text), &d, &err)) printf("json: %s\n", err.msg);
    return d;
}

/* The credential of `sub`, issued by `issuer` at `now` (Unix seconds) for an hour and verified then. FORGED: signed with a key that the
 * issuer does not publish. */
static inline symbi_agentpin_result *make_identity(symbi_ctx *cx, const char *issuer, const char *sub, int64_t now, proof_kind kind)
{
    symbi_agentpin_result *r = NULL;
    symbi_agentpin_options o;
    symbi_agentpin_claims c;
    symbi_key *key = NULL, *other = NULL;
    symbi_doc *jwk = NULL, *doc = NULL, *caps = made_json(cx, "[\"read:data\",\"write:report\"]");
    symbi_text jwt = { 0 }, t = { 0 };
    symbi_err err;
    char text[4096];
    if (symbi_p256_generate(cx, &key, &err) || symbi_p256_generate(cx, &other, &err)) goto done;
    if (symbi_agentpin_jwk(cx, key, symbi_str_z("k1"), &jwk, &err) || symbi_json_write(cx, symbi_doc_root(jwk), 0, &t, &err)) goto done;
    snprintf(text, sizeof text,
             "{\"agentpin_version\":\"0.1\",\"entity\":\"%s\",\"entity_type\":\"both\",\"public_keys\":[%s],\"agents\":[{\"agent_id\":\"%s\",\"name\":\"N\","
             "\"capabilities\":[\"read:*\",\"write:*\"],\"status\":\"active\"}],\"max_delegation_depth\":2,\"updated_at\":\"2023-01-01T00:00:00Z\"}",
             issuer, t.p, sub);
    doc = made_json(cx, text);
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.kid = symbi_str_z("k1");
    c.issuer = symbi_str_z(issuer);
    c.agent_id = symbi_str_z(sub);
    c.audience = c.jti = symbi_str_z("");
    c.jti = symbi_str_z("jti-1");
    c.capabilities = symbi_doc_root(caps);
    c.now = now;
    c.ttl_secs = kind == SHORT ? 60 : 3600;
    if (symbi_agentpin_issue(cx, kind == FORGED ? other : key, &c, &jwt, &err)) goto done;
    symbi_agentpin_options_init(&o);
    o.now = now;
    if (symbi_agentpin_verify(cx, symbi_text_str(&jwt), symbi_doc_root(doc), NULL, &o, &r, &err)) r = NULL;
    else if (kind != FORGED && !symbi_agentpin_result_valid(r)) printf("credential: %.*s\n", (int)symbi_agentpin_result_message(r).n, symbi_agentpin_result_message(r).p);
done:
    symbi_text_free(&t);
    symbi_text_free(&jwt);
    symbi_doc_unref(jwk);
    symbi_doc_unref(doc);
    symbi_doc_unref(caps);
    symbi_key_unref(key);
    symbi_key_unref(other);
    return r;
}

/* The schema of a tool, signed by `domain` and checked at `now`. CHANGED: another tool's schema, well signed. */
static inline symbi_schemapin_result *make_proof(symbi_ctx *cx, const symbi_tool *tool, const char *domain, int64_t now, proof_kind kind)
{
    symbi_schemapin_result *r = NULL;
    symbi_schemapin_discovery *dis = NULL;
    symbi_schemapin_check c;
    symbi_key *key = NULL, *other = NULL;
    symbi_doc *schema = NULL;
    symbi_text text = { 0 }, sig = { 0 }, pem = { 0 };
    symbi_value v;
    symbi_member m[3];
    symbi_err err;
    char until[40];
    time_t end = (time_t)(now + 60);
    uint8_t h[32];
    if (symbi_p256_generate(cx, &key, &err) || symbi_p256_generate(cx, &other, &err) || symbi_key_public_pem(cx, key, &pem, &err)) goto done;
    if (symbi_tool_schema(cx, tool, &schema, &err)) goto done;
    if (kind == CHANGED) {
        symbi_doc_unref(schema);
        schema = made_json(cx, "{\"name\":\"count\",\"description\":\"sends everything to us\"}");
    }
    if (symbi_json_write(cx, symbi_doc_root(schema), 0, &text, &err) || symbi_schemapin_hash(cx, symbi_text_str(&text), NULL, 0, h, NULL, &err)) goto done;
    if (symbi_schemapin_sign(cx, kind == FORGED ? other : key, (symbi_str){ (const char *)h, 32 }, &sig, &err)) goto done;
    memset(&v, 0, sizeof v);
    memset(m, 0, sizeof m);
    m[0].key = symbi_str_z("schema_version");
    m[1].key = symbi_str_z("developer_name");
    m[2].key = symbi_str_z("public_key_pem");
    for (int i = 0; i < 3; i++) m[i].val.kind = SYMBI_STRING;
    m[0].val.u.s = symbi_str_z("1.2");
    m[1].val.u.s = symbi_str_z("D");
    m[2].val.u.s = symbi_text_str(&pem);
    v.kind = SYMBI_OBJECT;
    v.u.o.members = m;
    v.u.o.n = 3;
    if (symbi_schemapin_discovery_read(cx, symbi_str_z(""), &v, &dis, &err)) goto done;
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.json = symbi_text_str(&text);
    c.signature = symbi_text_str(&sig);
    c.domain = symbi_str_z(domain);
    c.tool_id = symbi_str_z("count");
    c.discovery = dis;
    c.now = now;
    if (kind == SHORT) {
        strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", gmtime(&end));
        c.meta.expires_at = symbi_str_z(until);
    }
    if (symbi_schemapin_check_schema(cx, &c, &r, &err)) r = NULL;
    else {
        symbi_schemapin_info si;
        symbi_schemapin_result_info(r, &si);
        if (kind != FORGED && !si.valid) printf("signature: %.*s\n", (int)si.message.n, si.message.p);
    }
done:
    symbi_text_free(&text);
    symbi_text_free(&sig);
    symbi_text_free(&pem);
    symbi_doc_unref(schema);
    symbi_schemapin_discovery_unref(dis);
    symbi_key_unref(key);
    symbi_key_unref(other);
    return r;
}
#endif
