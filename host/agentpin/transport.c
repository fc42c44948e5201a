/* agentpin/transport.c: where a credential travels (HTTP, MCP, WebSocket, gRPC), and the DNS TXT cross-check. */
#include "agentpin/int.h"

#define FETCH SYMBI_AGENTPIN_DISCOVERY_FETCH_FAILED
#define INVALID SYMBI_AGENTPIN_DISCOVERY_INVALID

symbi_status symbi_agentpin_http_extract(symbi_str h, symbi_str *jwt, symbi_agentpin_code *code, symbi_err *err)
{
    const symbi_str prefix = SY_LIT("AgentPin ");
    *jwt = (symbi_str){ "", 0 };
    if (code) *code = SYMBI_AGENTPIN_NONE;
    if (!sy_str_starts(h, prefix)) return sy_ap_fail(err, SYMBI_ESCHEMA, code, FETCH, "Missing 'AgentPin ' prefix in Authorization header");
    if (h.n == prefix.n) return sy_ap_fail(err, SYMBI_ESCHEMA, code, FETCH, "Empty credential in Authorization header");
    jwt->p = h.p + prefix.n;
    jwt->n = h.n - prefix.n;
    return SYMBI_OK;
}

symbi_status symbi_agentpin_mcp_extract(const symbi_value *meta, symbi_str *jwt, symbi_agentpin_code *code, symbi_err *err)
{
    const symbi_value *v = symbi_value_getz(meta, "agentpin_credential");
    *jwt = (symbi_str){ "", 0 };
    if (code) *code = SYMBI_AGENTPIN_NONE;
    if (!v) return sy_ap_fail(err, SYMBI_ESCHEMA, code, FETCH, "Missing 'agentpin_credential' field in MCP metadata");
    if (v->kind != SYMBI_STRING) return sy_ap_fail(err, SYMBI_ESCHEMA, code, FETCH, "'agentpin_credential' field is not a string");
    *jwt = v->u.s;
    return SYMBI_OK;
}

static symbi_status take(symbi_ctx *cx, symbi_str s, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    sy_buf_adds(&b, s);
    return sy_buf_take(&b, out, "the text", err);
}

symbi_status symbi_agentpin_ws_extract(symbi_ctx *cx, symbi_str message, symbi_text *jwt, symbi_agentpin_code *code, symbi_err *err)
{
    symbi_doc *d;
    symbi_err why;
    symbi_str credential;
    const symbi_value *type;
    symbi_status st;
    memset(jwt, 0, sizeof *jwt);
    if (code) *code = SYMBI_AGENTPIN_NONE;
    st = symbi_json_parse(cx, message, &d, &why);
    if (st == SYMBI_ENOMEM) return sy_fail_nomem(err);
    if (st) return sy_ap_fail(err, st, code, FETCH, "Invalid JSON: %s", why.msg);
    type = symbi_value_getz(symbi_doc_root(d), "type");
    if (!type || type->kind != SYMBI_STRING || !sy_str_eqz(type->u.s, "agentpin-auth")) {
        char buf[24];
        symbi_str s = sy_ap_show(type, buf);
        st = sy_ap_fail(err, SYMBI_ESCHEMA, code, FETCH, "Expected type 'agentpin-auth', got '%.*s'", SY_FMT(s));
    } else if (!sy_ap_str(symbi_doc_root(d), "credential", &credential)) {
        st = sy_ap_fail(err, SYMBI_ESCHEMA, code, FETCH, "Missing or non-string 'credential' field");
    } else {
        st = take(cx, credential, jwt, err);
    }
    symbi_doc_unref(d);
    return st;
}

symbi_status symbi_agentpin_ws_format(symbi_ctx *cx, symbi_str jwt, symbi_text *out, symbi_err *err)
{
    symbi_member m[2] = { { SY_LIT("type"), sy_val_str(SY_LIT("agentpin-auth")) }, { SY_LIT("credential"), sy_val_str(jwt) } };
    symbi_value v = sy_val_object(m, 2);
    return symbi_json_write(cx, &v, 0, out, err);
}

symbi_status symbi_agentpin_grpc_extract(symbi_str metadata, symbi_str *jwt, symbi_agentpin_code *code, symbi_err *err)
{
    *jwt = metadata;
    if (code) *code = SYMBI_AGENTPIN_NONE;
    if (!metadata.n) return sy_ap_fail(err, SYMBI_ESCHEMA, code, FETCH, "Empty gRPC metadata value");
    return SYMBI_OK;
}

/* ---- DNS ---- */

static bool space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static symbi_str trim(symbi_str s)
{
    while (s.n && space(s.p[0])) s.p++, s.n--;
    while (s.n && space(s.p[s.n - 1])) s.n--;
    return s;
}

static bool name_is(symbi_str s, const char *lower)
{
    if (s.n != strlen(lower)) return false;
    for (size_t i = 0; i < s.n; i++) {
        if ((s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]) != lower[i]) return false;
    }
    return true;
}

symbi_status symbi_agentpin_dns_parse(symbi_ctx *cx, symbi_str value, symbi_doc **out, symbi_agentpin_code *code, symbi_err *err)
{
    symbi_str v = { NULL, 0 }, kid = v, fp = v, rest = value;
    symbi_status st;
    symbi_doc *d;
    sy_obj o;
    char *lower;
    *out = NULL;
    if (code) *code = SYMBI_AGENTPIN_NONE;
    if (value.n > SYMBI_AGENTPIN_MAX_DOCUMENT) return sy_ap_fail(err, SYMBI_ELIMIT, code, INVALID, "DNS TXT record of %zu bytes", value.n);
    while (rest.n) {
        const char *semi = memchr(rest.p, ';', rest.n), *eq;
        symbi_str part = { rest.p, semi ? (size_t)(semi - rest.p) : rest.n }, name, text;
        rest.p += part.n + (semi != NULL);
        rest.n -= part.n + (semi != NULL);
        part = trim(part);
        if (!part.n) continue;
        eq = memchr(part.p, '=', part.n);
        if (!eq) return sy_ap_fail(err, SYMBI_ESCHEMA, code, INVALID, "DNS TXT field missing '=': %.*s", SY_FMT(part));
        name = trim((symbi_str){ part.p, (size_t)(eq - part.p) });
        text = trim((symbi_str){ eq + 1, part.n - (size_t)(eq - part.p) - 1 });
        if (name_is(name, "v")) v = text;
        else if (name_is(name, "kid")) kid = text;
        else if (name_is(name, "fp")) fp = text;
    }
    if (!v.p) return sy_ap_fail(err, SYMBI_ESCHEMA, code, INVALID, "DNS TXT record missing required 'v' field");
    if (!sy_str_eqz(v, "agentpin1")) return sy_ap_fail(err, SYMBI_ESCHEMA, code, INVALID, "DNS TXT unsupported version: %.*s", SY_FMT(v));
    if (!fp.p) return sy_ap_fail(err, SYMBI_ESCHEMA, code, INVALID, "DNS TXT record missing required 'fp' field");
    if (fp.n < 7 || !name_is((symbi_str){ fp.p, 7 }, "sha256:")) return sy_ap_fail(err, SYMBI_ESCHEMA, code, INVALID, "DNS TXT 'fp' must be sha256:<hex>: %.*s", SY_FMT(fp));
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    o = sy_obj_new(&d->arena);
    sy_obj_put(&o, "version", sy_ap_dup(d, v));
    sy_obj_put(&o, "kid", kid.p ? sy_ap_dup(d, kid) : sy_val_null());
    lower = sy_arena_alloc(&d->arena, fp.n);
    for (size_t i = 0; lower && i < fp.n; i++) lower[i] = (char)(fp.p[i] >= 'A' && fp.p[i] <= 'Z' ? fp.p[i] + 32 : fp.p[i]);
    sy_obj_put(&o, "fingerprint", sy_val_str((symbi_str){ lower, fp.n }));
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}

symbi_status symbi_agentpin_dns_name(symbi_ctx *cx, symbi_str domain, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    while (domain.n && domain.p[domain.n - 1] == '.') domain.n--;
    sy_buf_init(&b, cx->alloc, 4096);
    sy_buf_addz(&b, "_agentpin.");
    sy_buf_adds(&b, domain);
    return sy_buf_take(&b, out, "the name", err);
}

symbi_status symbi_agentpin_dns_match(symbi_ctx *cx, const symbi_value *discovery, const symbi_value *record, symbi_agentpin_code *code, symbi_err *err)
{
    const symbi_value *keys = sy_ap_array(discovery, "public_keys");
    symbi_str fp, kid = { "", 0 }, have;
    if (code) *code = SYMBI_AGENTPIN_NONE;
    if (!sy_ap_str(record, "fingerprint", &fp)) return sy_ap_fail(err, SYMBI_ESCHEMA, code, INVALID, "DNS TXT record missing required 'fp' field");
    (void)sy_ap_str(record, "kid", &kid);
    for (size_t i = 0; keys && i < keys->u.a.n; i++) {
        const symbi_value *k = &keys->u.a.items[i];
        char hash[65];
        symbi_status st;
        if (kid.n && (!sy_ap_str(k, "kid", &have) || !sy_str_eq(have, kid))) continue;
        st = symbi_agentpin_thumbprint(cx, k, hash, err);
        if (st == SYMBI_ENOMEM || st == SYMBI_ECRYPTO) return st;
        if (st || fp.n != 71) continue;
        if (name_is((symbi_str){ fp.p, 7 }, "sha256:") && name_is((symbi_str){ fp.p + 7, 64 }, hash)) return SYMBI_OK;
    }
    return sy_ap_fail(err, SYMBI_EVERIFY, code, INVALID, "DNS TXT fingerprint %.*s does not match any key in the discovery document", SY_FMT(fp));
}

int symbi_agentpin_dns_pick(const symbi_str *records, size_t n)
{
    const size_t k = sizeof "v=agentpin1" - 1;
    for (size_t i = 0; i < n && i < 1000; i++) {
        for (size_t at = 0; at + k <= records[i].n; at++) {
            if (!memcmp(records[i].p + at, "v=agentpin1", k)) return (int)i;
        }
    }
    return -1;
}
