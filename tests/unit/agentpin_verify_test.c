/* tests/unit/agentpin_verify_test.c: the steps of a verification, what each attack ends in, results, OOM. */
#include "agentpin_expect.h"

static void test_valid(void)
{
    fixture f;
    symbi_text t;
    symbi_agentpin_result *r;
    setup(&f);
    f.o.audience = zs("verifier.com");
    t = token(f.cx, f.k, (claims){ .aud = "verifier.com", .constraints = "{\"rate_limit\":\"5/hour\"}", .jti = "j-1", .caps = "[\"read:data\",\"write:report\"]" });
    r = verify(&f, symbi_text_str(&t));
    REQUIRE(r);
    CHECK(symbi_agentpin_result_valid(r));
    CHECK_STR(symbi_agentpin_result_agent_id(r), "a");
    CHECK_STR(symbi_agentpin_result_issuer(r), "example.com");
    CHECK_STR(symbi_agentpin_result_jti(r), "j-1");
    CHECK_STR(symbi_agentpin_result_kid(r), "k1");
    CHECK_STR(symbi_agentpin_result_audience(r), "verifier.com");
    CHECK_STR(symbi_agentpin_result_agent_name(r), "A");
    CHECK(symbi_agentpin_result_capability_count(r) == 2);
    CHECK_STR(symbi_agentpin_result_capability(r, 1), "write:report");
    CHECK_STR(symbi_agentpin_result_capability(r, 2), "");
    CHECK(symbi_agentpin_result_constraints(r) != NULL);
    CHECK(symbi_agentpin_result_iat(r) == NOW && symbi_agentpin_result_exp(r) == NOW + 3600);
    CHECK(symbi_agentpin_result_delegation_verified(r) == -1);
    CHECK(symbi_agentpin_result_valid_at(r, NOW + 3659) && !symbi_agentpin_result_valid_at(r, NOW + 3660));
    for (int s = 0; s < SYMBI_AGENTPIN_STEPS; s++) {
        bool skipped = s == SYMBI_AGENTPIN_STEP_DELEGATION || s == SYMBI_AGENTPIN_STEP_PIN || s == SYMBI_AGENTPIN_STEP_REPLAY;
        CHECK(symbi_agentpin_result_step(r, (symbi_agentpin_step)s) == (skipped ? SYMBI_AGENTPIN_SKIPPED : SYMBI_AGENTPIN_PASSED));
    }
    CHECK_STR(symbi_value_str(symbi_agentpin_result_claimed(r), "iss", zs("")), "example.com");
    { /* it outlives the ctx that made it, and everything it was made from */
        symbi_agentpin_result *same = symbi_agentpin_result_ref(r);
        symbi_agentpin_result_unref(r);
        symbi_text_free(&t);
        teardown(&f);
        CHECK_STR(symbi_agentpin_result_capability(same, 0), "read:data");
        symbi_agentpin_result_unref(same);
    }
}

/* Options that nobody initialised are a mistake, not a verification without limits. */
static void test_sizes(void)
{
    fixture f;
    symbi_agentpin_options zero;
    symbi_agentpin_result *r;
    symbi_agentpin_online *m;
    symbi_err err;
    setup(&f);
    memset(&zero, 0, sizeof zero);
    CHECK(symbi_agentpin_verify(f.cx, zs("a.b.c"), NULL, NULL, &zero, &r, &err) == SYMBI_EINVAL && !r);
    CHECK(symbi_agentpin_verify_with_bundle(f.cx, zs("a.b.c"), NULL, &zero, &r, &err) == SYMBI_EINVAL && !r);
    CHECK(symbi_agentpin_online_new(f.cx, zs("a.b.c"), &zero, false, &m, &err) == SYMBI_EINVAL && !m);
    CHECK(symbi_agentpin_verify(f.cx, zs("a.b.c"), NULL, NULL, NULL, &r, &err) == SYMBI_EINVAL && !r);
    CHECK(!symbi_agentpin_result_valid(NULL) && !symbi_agentpin_result_valid_at(NULL, 0));
    teardown(&f);
}

/* The order: with everything wrong at once, the first step decides; each repaired, the next. */
static void test_order(void)
{
    fixture f;
    symbi_text t;
    symbi_key *other;
    setup(&f);
    other = new_key(f.cx);
    symbi_doc_unref(f.doc);
    symbi_doc_unref(f.rev);
    f.doc = parse(f.cx, "{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"entity_type\":\"both\",\"public_keys\":[%s],\"agents\":[],\"max_delegation_depth\":0}", jwk_text(f.cx, other, "k1"));
    f.rev = parse(f.cx, "{\"entity\":\"example.com\",\"revoked_credentials\":[],\"revoked_agents\":[],\"revoked_keys\":[{\"kid\":\"k1\",\"reason\":\"superseded\"}]}");
    t = token(f.cx, f.k, (claims){ .now = NOW - 100000, .iss = "other.com", .kid = "zz" });
    expect(&f, symbi_text_str(&t), "CREDENTIAL_EXPIRED", "EXPIRED");
    symbi_text_free(&t);
    expect_token(&f, (claims){ .iss = "other.com", .kid = "zz" }, "DISCOVERY_INVALID", "DOCUMENT_ENTITY");
    expect_token(&f, (claims){ .kid = "zz" }, "KEY_NOT_FOUND", "KEY_UNKNOWN");
    expect_token(&f, (claims){ 0 }, "SIGNATURE_INVALID", "SIGNATURE");
    t = token(f.cx, other, (claims){ 0 });
    expect(&f, symbi_text_str(&t), "KEY_REVOKED", "REVOKED_KEY");
    symbi_doc_unref(f.rev);
    f.rev = no_revocations(f.cx, "example.com");
    expect(&f, symbi_text_str(&t), "AGENT_NOT_FOUND", "AGENT_UNKNOWN");
    symbi_text_free(&t);
    symbi_key_unref(other);
    teardown(&f);
}

/* Broken tokens of all kinds (agentpin_attacks_test.c has the table of attacks). */
static void test_attacks(void)
{
    static const char *body = "{\"iss\":\"example.com\",\"sub\":\"a\",\"iat\":1780000000,\"exp\":1780003600,\"jti\":\"j\",\"agentpin_version\":\"0.1\",\"capabilities\":[\"read:x\"]}";
    fixture f;
    char *big;
    symbi_text t;
    setup(&f);
    expect_raw(&f, HEADER, body, "", "OK");
    expect(&f, zs(""), "ALGORITHM_REJECTED", "TOKEN_EMPTY");
    expect(&f, zs("a.b"), "ALGORITHM_REJECTED", "TOKEN_PARTS");
    big = malloc(10 << 20);
    memset(big, 'A', 10 << 20);
    expect(&f, (symbi_str){ big, 10 << 20 }, "ALGORITHM_REJECTED", "TOKEN_TOO_LONG");
    free(big);
    expect_raw(&f, "{\"alg\":\"RS256\",\"typ\":\"agentpin-credential+jwt\",\"kid\":\"k1\"}", body, "ALGORITHM_REJECTED", "TOKEN_ALG");
    expect_raw(&f, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"k1\"}", body, "ALGORITHM_REJECTED", "TOKEN_TYP");
    expect_raw(&f, "{\"alg\":\"ES256\",\"typ\":\"agentpin-credential+jwt\",\"kid\":\"k1\",\"crit\":[\"x\"],\"x\":1}", body, "ALGORITHM_REJECTED", "TOKEN_CRIT");
    expect_raw(&f, "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"typ\":\"agentpin-credential+jwt\",\"kid\":\"k1\"}", body, "ALGORITHM_REJECTED", "TOKEN_DUPLICATE");
    expect_raw(&f, "{\"alg\":\"ES256\",\"typ\":\"agentpin-credential+jwt\"}", body, "ALGORITHM_REJECTED", "TOKEN_KID");
    expect_raw(&f, HEADER, "[1]", "ALGORITHM_REJECTED", "TOKEN_CLAIMS");
    expect_raw(&f, HEADER, "{\"iss\":\"example.com\"}", "ALGORITHM_REJECTED", "CLAIM");
    expect_raw(&f, HEADER, "{\"iss\":\"example.com\",\"sub\":\"a\",\"iat\":1780000000,\"exp\":1780003600.5,\"jti\":\"j\",\"agentpin_version\":\"0.1\",\"capabilities\":[]}", "ALGORITHM_REJECTED", "CLAIM");
    expect_raw(&f, HEADER, "{\"iss\":\"example.com\",\"sub\":\"a\",\"iat\":1780000000,\"exp\":1780003600,\"jti\":\"j\",\"agentpin_version\":\"9.9\",\"capabilities\":[]}", "ALGORITHM_REJECTED", "VERSION");
    /* kid injection: a kid is compared, never a path, a URL or SQL */
    expect_raw(&f, "{\"alg\":\"ES256\",\"typ\":\"agentpin-credential+jwt\",\"kid\":\"../../../etc/passwd\"}", body, "KEY_NOT_FOUND", "KEY_UNKNOWN");
    expect_raw(&f, "{\"alg\":\"ES256\",\"typ\":\"agentpin-credential+jwt\",\"kid\":\"k1\\u0000\"}", body, "KEY_NOT_FOUND", "KEY_UNKNOWN");
    /* a key that the token brings along is not looked at */
    expect_raw(&f, "{\"alg\":\"ES256\",\"typ\":\"agentpin-credential+jwt\",\"kid\":\"zz\",\"jwk\":{\"kty\":\"EC\"},\"jku\":\"https://evil.example/k\"}", body, "KEY_NOT_FOUND", "KEY_UNKNOWN");
    /* truncated */
    t = token(f.cx, f.k, (claims){ 0 });
    for (size_t n = 0; n < t.n; n++) {
        symbi_agentpin_result *r = verify(&f, (symbi_str){ t.p, n });
        REQUIRE(r);
        CHECK(!symbi_agentpin_result_valid(r));
        symbi_agentpin_result_unref(r);
    }
    {
        size_t sig = t.n - (size_t)(strrchr(t.p, '.') + 1 - t.p); /* whole groups of base64 stay: bits left over would be another fault */
        expect(&f, (symbi_str){ t.p, t.n - (sig % 4 ? sig % 4 : 4) }, "SIGNATURE_INVALID", "SIGNATURE_CUT");
    }
    symbi_text_free(&t);
    /* times: 1960, 9999, the future, both ends of 64 bits */
    expect_token(&f, (claims){ .now = -315619200 }, "CREDENTIAL_EXPIRED", "EXPIRED");
    expect_token(&f, (claims){ .now = 253402300000 }, "CREDENTIAL_EXPIRED", "ISSUED_IN_FUTURE");
    expect_token(&f, (claims){ .ttl = 251622300000 }, "CREDENTIAL_EXPIRED", "LIFETIME");
    expect_raw(&f, HEADER, "{\"iss\":\"example.com\",\"sub\":\"a\",\"iat\":-9223372036854775808,\"exp\":9223372036854775807,\"jti\":\"j\",\"agentpin_version\":\"0.1\",\"capabilities\":[]}", "CREDENTIAL_EXPIRED", "LIFETIME");
    expect_raw(&f, HEADER, "{\"iss\":\"example.com\",\"sub\":\"a\",\"iat\":1780000000,\"exp\":1780003600,\"nbf\":1780000061,\"jti\":\"j\",\"agentpin_version\":\"0.1\",\"capabilities\":[]}", "CREDENTIAL_EXPIRED", "NOT_YET");
    expect_token(&f, (claims){ .now = NOW + 30, .ttl = -60 }, "CREDENTIAL_EXPIRED", "EXP_BEFORE_IAT");
    /* each end of the skew and of the longest life */
    expect_token(&f, (claims){ .now = NOW - 3659 }, "", "OK");
    expect_token(&f, (claims){ .now = NOW - 3660 }, "CREDENTIAL_EXPIRED", "EXPIRED");
    expect_token(&f, (claims){ .now = NOW + 60 }, "", "OK");
    expect_token(&f, (claims){ .now = NOW + 61 }, "CREDENTIAL_EXPIRED", "ISSUED_IN_FUTURE");
    expect_token(&f, (claims){ .ttl = 86400 }, "", "OK");
    expect_token(&f, (claims){ .ttl = 86401 }, "CREDENTIAL_EXPIRED", "LIFETIME");
    /* capabilities */
    expect_token(&f, (claims){ .caps = "[\"write:all\"]" }, "CAPABILITY_EXCEEDED", "CAPABILITY");
    expect_token(&f, (claims){ .caps = "[\"write:report.eu\",\"write:report\"]" }, "", "OK");
    expect_token(&f, (claims){ .caps = "[\"write:reports\"]" }, "CAPABILITY_EXCEEDED", "CAPABILITY");
    expect_token(&f, (claims){ .caps = "[\"write:*\"]" }, "CAPABILITY_EXCEEDED", "CAPABILITY");
    expect_token(&f, (claims){ .caps = "[\"nocolon\"]" }, "CAPABILITY_EXCEEDED", "CAPABILITY");
    expect_token(&f, (claims){ .caps = "[\"admin:users\"]" }, "CAPABILITY_EXCEEDED", "CAPABILITY_ADMIN");
    f.o.flags = SYMBI_AGENTPIN_NO_ADMIN;
    expect_token(&f, (claims){ .caps = "[\"admin:users\"]" }, "", "OK");
    f.o.flags = 0;
    /* audience */
    f.o.audience = zs("verifier.com");
    expect_token(&f, (claims){ .aud = "someone.else" }, "AUDIENCE_MISMATCH", "AUDIENCE");
    expect_token(&f, (claims){ .aud = "verifier.com." }, "AUDIENCE_MISMATCH", "AUDIENCE");
    expect_token(&f, (claims){ .aud = "*" }, "", "OK");
    expect_token(&f, (claims){ 0 }, "", "OK");
    f.o.require_audience = true;
    expect_token(&f, (claims){ 0 }, "AUDIENCE_MISMATCH", "AUDIENCE");
    teardown(&f);
}

/* Each limit, at it and one past it. */
#define CLAIMS_OF "{\"iss\":\"example.com\",\"sub\":\"a\",\"iat\":1780000000,\"exp\":1780003600,\"jti\":\"j\",\"agentpin_version\":\"0.1\",\"capabilities\":[%s]%s}"
static void test_limits(void)
{
    fixture f;
    char list[20000], body[40000], kid[200], header[400];
    symbi_agentpin_bundle_rules rules = { sizeof rules, .strict = true, .now = NOW };
    symbi_agentpin_code code;
    symbi_err err;
    setup(&f);
    for (int more = 0; more < 2; more++) {
        size_t n = 0;
        for (int i = 0; i < SYMBI_AGENTPIN_MAX_CAPABILITIES + more; i++) n += (size_t)snprintf(list + n, sizeof list - n, "%s\"read:x\"", i ? "," : "");
        snprintf(body, sizeof body, CLAIMS_OF, list, "");
        expect_raw(&f, HEADER, body, more ? "ALGORITHM_REJECTED" : "", more ? "CLAIM" : "OK");
        memset(kid, 'k', sizeof kid);
        kid[128 + more] = 0;
        snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"typ\":\"agentpin-credential+jwt\",\"kid\":\"%s\"}", kid);
        snprintf(body, sizeof body, CLAIMS_OF, "", "");
        expect_raw(&f, header, body, more ? "ALGORITHM_REJECTED" : "KEY_NOT_FOUND", more ? "TOKEN_KID" : "KEY_UNKNOWN");
        n = 0;
        for (int i = 0; i < SYMBI_AGENTPIN_MAX_CHAIN + more; i++) {
            n += (size_t)snprintf(list + n, sizeof list - n, "%s{\"domain\":\"m.com\",\"role\":\"maker\",\"agent_id\":\"x\",\"kid\":\"k\",\"attestation\":\"y\"}", i ? "," : ",\"delegation_chain\":[");
        }
        snprintf(list + n, sizeof list - n, "]");
        snprintf(body, sizeof body, CLAIMS_OF, "", list);
        expect_raw(&f, HEADER, body, more ? "ALGORITHM_REJECTED" : "DELEGATION_DEPTH_EXCEEDED", "CHAIN_DEPTH");
        /* a token of exactly the largest size, and one byte more */
        {
            symbi_text t = raw_token(f.cx, f.k, HEADER, "{}");
            char *big = malloc(SYMBI_AGENTPIN_MAX_TOKEN + 2);
            symbi_agentpin_result *r;
            memset(big, 'A', SYMBI_AGENTPIN_MAX_TOKEN + 2);
            memcpy(big, t.p, t.n);
            r = verify(&f, (symbi_str){ big, (size_t)SYMBI_AGENTPIN_MAX_TOKEN + (size_t)more });
            REQUIRE(r);
            CHECK((symbi_agentpin_result_reason(r) == SYMBI_AGENTPIN_R_TOKEN_TOO_LONG) == (more == 1));
            symbi_agentpin_result_unref(r);
            free(big);
            raw_free(&t);
        }
        n = 0;
        for (int i = 0; i < SYMBI_AGENTPIN_STRICT_BUNDLE + more; i++) n += (size_t)snprintf(body + n, sizeof body - n, "%s{}", i ? "," : "");
        {
            symbi_doc *b = parse(f.cx, "{\"agentpin_bundle_version\":\"0.1\",\"created_at\":\"2026-05-01T00:00:00Z\",\"documents\":[%s]}", body);
            CHECK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_BUNDLE_INVALID);
            CHECK((strstr(err.msg, "more than") != NULL) == (more == 1));
            symbi_doc_unref(b);
        }
    }
    teardown(&f);
}

/* The same domain, written otherwise. */
static void test_domains(void)
{
    static const char *const bad[] = { "Example.com", "example.com.", "EXAMPLE.COM", "ex\xc3\xa4mple.com", "example.com:443", "user@example.com", "example.com/x", "example.com?x", "127.0.0.1", "0x7f.1",
                                       "10.0.0.0x1", "[::1]", "localhost", "..", "../x.com", "a..b.com", "-a.com", "a-.com", "", "ex ample.com", "example.com\\x" };
    static const char *const good[] = { "example.com", "a.b-c.example.com", "xn--bcher-kva.example", "1.example.com", "a1.x9" };
    char label[70], longest[300];
    fixture f;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (symbi_agentpin_domain_ok(zs(bad[i]))) printf("accepted: %s\n", bad[i]), t_now_failed = 1;
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK(symbi_agentpin_domain_ok(zs(good[i])));
    memset(label, 'a', sizeof label);
    snprintf(longest, sizeof longest, "%.63s.com", label);
    CHECK(symbi_agentpin_domain_ok(zs(longest)));
    snprintf(longest, sizeof longest, "%.64s.com", label);
    CHECK(!symbi_agentpin_domain_ok(zs(longest)));
    snprintf(longest, sizeof longest, "%.63s.%.63s.%.63s.%.61s", label, label, label, label);
    CHECK(strlen(longest) == 253 && symbi_agentpin_domain_ok(zs(longest)));
    snprintf(longest, sizeof longest, "%.63s.%.63s.%.63s.%.62s", label, label, label, label);
    CHECK(!symbi_agentpin_domain_ok(zs(longest)));
    setup(&f);
    expect_token(&f, (claims){ .iss = "Example.com" }, "DISCOVERY_INVALID", "ISSUER_CASE");
    expect_token(&f, (claims){ .iss = "example.com." }, "DISCOVERY_INVALID", "ISSUER_DOT");
    expect_token(&f, (claims){ .iss = "ex\xc3\xa4mple.com" }, "DISCOVERY_INVALID", "ISSUER_IDN");
    expect_token(&f, (claims){ .iss = "xn--exmple-cua.com" }, "DISCOVERY_INVALID", "DOCUMENT_ENTITY");
    f.o.flags = SYMBI_AGENTPIN_NO_ISSUER_DOMAIN;
    expect_token(&f, (claims){ .iss = "Example.com" }, "DISCOVERY_INVALID", "DOCUMENT_ENTITY");
    teardown(&f);
}

static void test_documents(void)
{
    fixture f;
    symbi_text t;
    const char *jwk;
    setup(&f);
    t = token(f.cx, f.k, (claims){ .jti = "j7" });
    jwk = jwk_text(f.cx, f.k, "k1");
#define DOC(...) (symbi_doc_unref(f.doc), f.doc = parse(f.cx, __VA_ARGS__))
#define AGENTS "\"agents\":[{\"agent_id\":\"a\",\"capabilities\":[\"read:*\"],\"status\":\"active\"}]"
    DOC("[]");
    expect(&f, symbi_text_str(&t), "DISCOVERY_INVALID", "DOCUMENT_VERSION");
    DOC("null");
    expect(&f, symbi_text_str(&t), "DISCOVERY_FETCH_FAILED", "NO_DOCUMENT");
    DOC("{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"public_keys\":{}}");
    expect(&f, symbi_text_str(&t), "DISCOVERY_INVALID", "DOCUMENT_KEYS");
    DOC("{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"public_keys\":[%s],\"max_delegation_depth\":4}", jwk);
    expect(&f, symbi_text_str(&t), "DISCOVERY_INVALID", "DOCUMENT_DEPTH");
    DOC("{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"public_keys\":[%s],\"max_delegation_depth\":1,\"entity_type\":\"alien\"}", jwk);
    expect(&f, symbi_text_str(&t), "DISCOVERY_INVALID", "DOCUMENT_SHAPE");
    DOC("{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"public_keys\":[{\"kid\":\"k1\",\"kty\":\"RSA\"}],\"max_delegation_depth\":1,\"entity_type\":\"both\"," AGENTS "}");
    expect(&f, symbi_text_str(&t), "KEY_NOT_FOUND", "KEY_UNUSABLE");
    DOC("{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"public_keys\":[{\"use\":\"enc\",\"kid\":\"k1\"}],\"max_delegation_depth\":1,\"entity_type\":\"both\"," AGENTS "}");
    expect(&f, symbi_text_str(&t), "KEY_NOT_FOUND", "KEY_USE");
    DOC("{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"public_keys\":[{\"exp\":\"2026-01-01T00:00:00Z\",\"kid\":\"k1\"}],\"max_delegation_depth\":1,\"entity_type\":\"both\"," AGENTS "}");
    expect(&f, symbi_text_str(&t), "KEY_EXPIRED", "KEY_EXPIRED");
    DOC("{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"public_keys\":[%s],\"max_delegation_depth\":1,\"entity_type\":\"both\",\"agents\":[{\"agent_id\":\"a\",\"capabilities\":[\"read:*\"],\"status\":\"active\",\"credential_ttl_max\":3599}]}", jwk);
    expect(&f, symbi_text_str(&t), "CREDENTIAL_EXPIRED", "AGENT_TTL");
    DOC("{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"public_keys\":[%s],\"max_delegation_depth\":1,\"entity_type\":\"both\",\"agents\":[{\"agent_id\":\"a\",\"capabilities\":[\"read:*\"],\"status\":\"active\",\"constraints\":{\"rate_limit\":\"5/hour\"}}]}", jwk);
    expect_token(&f, (claims){ .constraints = "{\"rate_limit\":\"5/hour\"}" }, "", "OK");
    expect_token(&f, (claims){ .constraints = "{\"rate_limit\":\"1/minute\"}" }, "CONSTRAINT_VIOLATION", "CONSTRAINT");
    DOC("{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"public_keys\":[%s],\"max_delegation_depth\":1,\"entity_type\":\"both\",\"agents\":[{\"agent_id\":\"a\",\"capabilities\":[\"read:*\"],\"status\":\"suspended\"}]}", jwk);
    expect(&f, symbi_text_str(&t), "AGENT_INACTIVE", "AGENT_STATUS");
    symbi_doc_unref(f.doc);
    f.doc = discovery(f.cx, "example.com", f.k, "k1");
#define REV(...) (symbi_doc_unref(f.rev), f.rev = parse(f.cx, __VA_ARGS__))
    REV("{\"entity\":\"evil.com\",\"revoked_credentials\":[],\"revoked_agents\":[],\"revoked_keys\":[]}");
    expect(&f, symbi_text_str(&t), "DISCOVERY_INVALID", "REVOCATION_ENTITY");
    REV("{\"entity\":\"example.com\",\"revoked_credentials\":[],\"revoked_keys\":[]}");
    expect(&f, symbi_text_str(&t), "DISCOVERY_INVALID", "REVOCATION_SHAPE");
    REV("{\"entity\":\"example.com\",\"revoked_credentials\":[7],\"revoked_agents\":[],\"revoked_keys\":[]}");
    expect(&f, symbi_text_str(&t), "DISCOVERY_INVALID", "REVOCATION_SHAPE");
    REV("{\"entity\":\"example.com\",\"revoked_credentials\":[{\"jti\":\"j7\"}],\"revoked_agents\":[],\"revoked_keys\":[]}");
    expect(&f, symbi_text_str(&t), "CREDENTIAL_REVOKED", "REVOKED_CREDENTIAL");
    REV("{\"entity\":\"example.com\",\"revoked_credentials\":[],\"revoked_agents\":[{\"agent_id\":\"a\"}],\"revoked_keys\":[{\"kid\":\"k1\"}]}");
    expect(&f, symbi_text_str(&t), "AGENT_INACTIVE", "REVOKED_AGENT");
    REV("{\"entity\":\"example.com\",\"revoked_credentials\":[],\"revoked_agents\":[],\"revoked_keys\":[]}");
    expect(&f, symbi_text_str(&t), "", "OK");
    /* the domain's TXT record */
    f.o.dns_txt = zs("v=agentpin1; fp=sha256:00");
    expect(&f, symbi_text_str(&t), "DISCOVERY_INVALID", "DNS");
    f.o.dns_txt = zs("v=agentpin1");
    expect(&f, symbi_text_str(&t), "DISCOVERY_INVALID", "DNS");
    symbi_text_free(&t);
    teardown(&f);
}

/* Pins: written only when all passed; poisoning; replays; policies. */
static void test_pins_and_replays(void)
{
    fixture f;
    symbi_key *k2;
    symbi_text t, t2;
    symbi_agentpin_result *r;
    symbi_err err;
    setup(&f);
    CHECK_OK(symbi_agentpin_pins_new(f.cx, &f.o.pins, &err), err);
    CHECK_OK(symbi_agentpin_nonces_new(f.cx, 2, &f.o.replays, &err), err);
    f.o.audience = zs("verifier.com");
    /* a credential for someone else does not pin its key, and neither does a forged one */
    expect_token(&f, (claims){ .aud = "someone.else" }, "AUDIENCE_MISMATCH", "AUDIENCE");
    expect_token(&f, (claims){ .caps = "[\"x:y\"]" }, "CAPABILITY_EXCEEDED", "CAPABILITY");
    CHECK(symbi_agentpin_pins_count(f.o.pins) == 0 && symbi_agentpin_nonces_count(f.o.replays) == 0);
    t = token(f.cx, f.k, (claims){ .jti = "once" });
    r = verify(&f, symbi_text_str(&t));
    REQUIRE(r && symbi_agentpin_result_valid(r));
    CHECK(symbi_agentpin_result_pinning(r) == SYMBI_AGENTPIN_PIN_FIRST_USE);
    CHECK_STR(symbi_agentpin_result_first_seen(r), "2026-05-28T20:26:40Z");
    symbi_agentpin_result_unref(r);
    CHECK(symbi_agentpin_pins_count(f.o.pins) == 1);
    expect(&f, symbi_text_str(&t), "CREDENTIAL_REPLAYED", "REPLAYED");
    expect_token(&f, (claims){ .jti = "twice" }, "", "OK");
    expect_token(&f, (claims){ .jti = "thrice" }, "CREDENTIAL_REPLAYED", "REPLAY_FULL");
    symbi_agentpin_nonces_free(f.o.replays);
    f.o.replays = NULL;
    /* the domain shows another key */
    k2 = new_key(f.cx);
    symbi_doc_unref(f.doc);
    f.doc = discovery(f.cx, "example.com", k2, "k1");
    t2 = token(f.cx, k2, (claims){ 0 });
    expect(&f, symbi_text_str(&t2), "KEY_PIN_MISMATCH", "PIN_CHANGED");
    f.o.pin_policy = SYMBI_AGENTPIN_PIN_ROTATE; /* the old key is not there any more: no rotation, a takeover */
    f.o.document_over_https = true;
    expect(&f, symbi_text_str(&t2), "KEY_PIN_MISMATCH", "PIN_CHANGED");
    symbi_doc_unref(f.doc);
    f.doc = parse(f.cx, "{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"entity_type\":\"both\",\"public_keys\":[%s,%s],\"agents\":[{\"agent_id\":\"a\",\"capabilities\":[\"read:*\"],\"status\":\"active\"}],\"max_delegation_depth\":2}",
                  jwk_text(f.cx, k2, "k1"), jwk_text(f.cx, f.k, "old"));
    f.o.document_over_https = false;
    expect(&f, symbi_text_str(&t2), "KEY_PIN_MISMATCH", "PIN_CHANGED");
    f.o.document_over_https = true;
    f.o.pin_policy = SYMBI_AGENTPIN_PIN_TOFU;
    expect(&f, symbi_text_str(&t2), "KEY_PIN_MISMATCH", "PIN_CHANGED");
    f.o.pin_policy = SYMBI_AGENTPIN_PIN_ROTATE;
    symbi_doc_unref(f.rev);
    f.rev = parse(f.cx, "{\"entity\":\"example.com\",\"revoked_credentials\":[],\"revoked_agents\":[],\"revoked_keys\":[{\"kid\":\"old\"}]}");
    expect(&f, symbi_text_str(&t2), "KEY_PIN_MISMATCH", "PIN_CHANGED"); /* a revoked key vouches for nothing */
    symbi_doc_unref(f.rev);
    f.rev = no_revocations(f.cx, "example.com");
    r = verify(&f, symbi_text_str(&t2));
    REQUIRE(r);
    CHECK(symbi_agentpin_result_valid(r) && symbi_agentpin_result_pinning(r) == SYMBI_AGENTPIN_PIN_ROTATED);
    symbi_agentpin_result_unref(r);
    r = verify(&f, symbi_text_str(&t2));
    CHECK(r && symbi_agentpin_result_pinning(r) == SYMBI_AGENTPIN_PIN_MATCHED);
    symbi_agentpin_result_unref(r);
    /* strict: nothing new */
    symbi_agentpin_pins_free(f.o.pins);
    CHECK_OK(symbi_agentpin_pins_new(f.cx, &f.o.pins, &err), err);
    f.o.pin_policy = SYMBI_AGENTPIN_PIN_STRICT;
    expect(&f, symbi_text_str(&t2), "KEY_PIN_MISMATCH", "PIN_UNKNOWN");
    CHECK(symbi_agentpin_pins_count(f.o.pins) == 0);
    symbi_agentpin_pins_free(f.o.pins);
    symbi_text_free(&t);
    symbi_text_free(&t2);
    symbi_key_unref(k2);
    teardown(&f);
}

static void test_bundles(void)
{
    fixture f;
    symbi_text t;
    symbi_doc *b;
    symbi_agentpin_result *r;
    symbi_agentpin_code code;
    symbi_agentpin_bundle_rules rules = { sizeof rules, .strict = true, .now = NOW };
    symbi_err err;
    setup(&f);
    t = token(f.cx, f.k, (claims){ 0 });
    b = parse(f.cx, "{\"agentpin_bundle_version\":\"0.1\",\"created_at\":\"2026-05-01T00:00:00Z\",\"documents\":[%s],\"revocations\":[%s]}", text_of(f.cx, symbi_doc_root(f.doc)), text_of(f.cx, symbi_doc_root(f.rev)));
    CHECK_OK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err), err);
    CHECK_OK(symbi_agentpin_verify_with_bundle(f.cx, symbi_text_str(&t), symbi_doc_root(b), &f.o, &r, &err), err);
    CHECK(symbi_agentpin_result_valid(r));
    symbi_agentpin_result_unref(r);
    rules.not_before = zs("2026-05-01T00:00:00Z");
    CHECK_OK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err), err);
    rules.not_before = zs("2026-05-01T00:00:01Z"); /* the one in use is newer */
    CHECK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_BUNDLE_DOWNGRADE);
    rules.strict = false;
    CHECK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_BUNDLE_DOWNGRADE);
    rules.not_before = zs("");
    rules.max_age_secs = 1000;
    CHECK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_BUNDLE_INVALID);
    symbi_doc_unref(b);
    rules.max_age_secs = 0;
    rules.strict = true;
    {
        static const char *const bad[] = {
            "[]", "{}", "{\"documents\":{}}", "{\"documents\":[],\"revocations\":{}}", "{\"agentpin_bundle_version\":\"0.1\",\"documents\":[]}",
            "{\"agentpin_bundle_version\":\"0.2\",\"created_at\":\"2026-05-01T00:00:00Z\",\"documents\":[]}", "{\"agentpin_bundle_version\":\"0.1\",\"created_at\":\"9999-05-01T00:00:00Z\",\"documents\":[]}",
            "{\"agentpin_bundle_version\":\"0.1\",\"created_at\":\"2026-05-01T00:00:00Z\",\"documents\":[{\"entity\":\"example.com\"}]}",
            "{\"agentpin_bundle_version\":\"0.1\",\"created_at\":\"2026-05-01T00:00:00Z\",\"documents\":[],\"revocations\":[{\"entity\":\"example.com\"}]}",
        };
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            b = parse(f.cx, "%s", bad[i]);
            CHECK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_BUNDLE_INVALID);
            CHECK_OK(symbi_agentpin_verify_with_bundle(f.cx, symbi_text_str(&t), symbi_doc_root(b), &f.o, &r, &err), err);
            CHECK(!symbi_agentpin_result_valid(r));
            symbi_agentpin_result_unref(r);
            symbi_doc_unref(b);
        }
    }
    b = parse(f.cx, "{\"agentpin_bundle_version\":\"0.1\",\"created_at\":\"2026-05-01T00:00:00Z\",\"documents\":[%s,%s]}", text_of(f.cx, symbi_doc_root(f.doc)), text_of(f.cx, symbi_doc_root(f.doc)));
    CHECK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err) == SYMBI_EVERIFY && strstr(err.msg, "two documents"));
    rules.strict = false;
    CHECK_OK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err), err);
    rules = (symbi_agentpin_bundle_rules){ sizeof rules, .strict = true, .now = INT64_MIN, .max_age_secs = 60 };
    CHECK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err) == SYMBI_EVERIFY && strstr(err.msg, "future"));
    rules.strict = false;
    CHECK_OK(symbi_agentpin_bundle_check(symbi_doc_root(b), &rules, &code, &err), err); /* younger than any age */
    symbi_doc_unref(b);
    symbi_text_free(&t);
    teardown(&f);
}

/* A chain maker -> deployer -> example.com/a, verified. */
static void test_delegation(void)
{
    fixture f;
    symbi_key *maker, *deployer;
    symbi_doc *caps, *e1, *e2, *docs, *md, *dd, *bad;
    symbi_agentpin_result *r;
    symbi_err err;
    symbi_text t;
    char chain[8192];
    setup(&f);
    maker = new_key(f.cx);
    deployer = new_key(f.cx);
    caps = parse(f.cx, "[\"read:data\"]");
    md = discovery(f.cx, "maker.com", maker, "m1");
    dd = discovery(f.cx, "deployer.com", deployer, "d1");
    {
        symbi_agentpin_attestation a = { zs("maker.com"), zs("maker"), zs("type"), zs("deployer.com"), zs("scout"), symbi_doc_root(caps) };
        symbi_agentpin_attestation b = { zs("deployer.com"), zs("deployer"), zs("scout"), zs("example.com"), zs("a"), symbi_doc_root(caps) };
        CHECK_OK(symbi_agentpin_attestation_create(f.cx, maker, zs("m1"), &a, &e1, &err), err);
        CHECK_OK(symbi_agentpin_attestation_create(f.cx, deployer, zs("d1"), &b, &e2, &err), err);
        a.agent_id = zs("a|b");
        CHECK(symbi_agentpin_attestation_create(f.cx, maker, zs("m1"), &a, &bad, &err) == SYMBI_EINVAL);
    }
    snprintf(chain, sizeof chain, "[%s,%s]", text_of(f.cx, symbi_doc_root(e1)), text_of(f.cx, symbi_doc_root(e2)));
    docs = parse(f.cx, "[%s,%s]", text_of(f.cx, symbi_doc_root(md)), text_of(f.cx, symbi_doc_root(dd)));
    t = token(f.cx, f.k, (claims){ .chain = chain });
    r = verify(&f, symbi_text_str(&t));
    REQUIRE(r && symbi_agentpin_result_valid(r));
    CHECK(symbi_agentpin_result_delegation_verified(r) == 0 && symbi_agentpin_result_warnings(r)->u.a.n == 1);
    symbi_agentpin_result_unref(r);
    f.o.verify_delegation = true;
    expect(&f, symbi_text_str(&t), "DELEGATION_INVALID", "CHAIN_DOCUMENT");
    f.o.delegation_documents = symbi_doc_root(docs);
    r = verify(&f, symbi_text_str(&t));
    REQUIRE(r && symbi_agentpin_result_valid(r));
    CHECK(symbi_agentpin_result_delegation_verified(r) == 1 && symbi_agentpin_result_warnings(r)->u.a.n == 0);
    CHECK(symbi_agentpin_result_delegation(r)->u.a.n == 2 && symbi_value_getz(&symbi_agentpin_result_delegation(r)->u.a.items[1], "verified")->u.b);
    symbi_agentpin_result_unref(r);
    symbi_text_free(&t);
    /* the attestations fit these capabilities, this order and this agent only */
    expect_token(&f, (claims){ .chain = chain, .caps = "[\"read:data\",\"read:more\"]" }, "DELEGATION_INVALID", "CHAIN_ATTESTATION");
    snprintf(chain, sizeof chain, "[%s,%s]", text_of(f.cx, symbi_doc_root(e2)), text_of(f.cx, symbi_doc_root(e1)));
    expect_token(&f, (claims){ .chain = chain }, "DELEGATION_INVALID", "CHAIN_ATTESTATION");
    snprintf(chain, sizeof chain, "[%s]", text_of(f.cx, symbi_doc_root(e1)));
    expect_token(&f, (claims){ .chain = chain }, "DELEGATION_INVALID", "CHAIN_ATTESTATION");
    snprintf(chain, sizeof chain, "[%s,%s,%s]", text_of(f.cx, symbi_doc_root(e1)), text_of(f.cx, symbi_doc_root(e2)), text_of(f.cx, symbi_doc_root(e2)));
    expect_token(&f, (claims){ .chain = chain }, "DELEGATION_DEPTH_EXCEEDED", "CHAIN_DEPTH");
    f.o.verify_delegation = false;
    expect_token(&f, (claims){ .chain = chain }, "DELEGATION_DEPTH_EXCEEDED", "CHAIN_DEPTH");
    f.o.flags = SYMBI_AGENTPIN_NO_DEPTH;
    expect_token(&f, (claims){ .chain = chain }, "", "OK");
    f.o.flags = 0;
    expect_token(&f, (claims){ .chain = "[{\"domain\":\"x.com\"}]" }, "ALGORITHM_REJECTED", "CHAIN_SHAPE");
    f.o.verify_delegation = true;
    { /* the maker's key was revoked meanwhile */
        symbi_doc *revs = parse(f.cx, "[{\"entity\":\"maker.com\",\"revoked_credentials\":[],\"revoked_agents\":[],\"revoked_keys\":[{\"kid\":\"m1\"}]}]");
        f.o.delegation_revocations = symbi_doc_root(revs);
        snprintf(chain, sizeof chain, "[%s,%s]", text_of(f.cx, symbi_doc_root(e1)), text_of(f.cx, symbi_doc_root(e2)));
        expect_token(&f, (claims){ .chain = chain }, "DELEGATION_INVALID", "CHAIN_KEY");
        symbi_doc_unref(revs);
    }
    symbi_doc_unref(caps);
    symbi_doc_unref(e1);
    symbi_doc_unref(e2);
    symbi_doc_unref(docs);
    symbi_doc_unref(md);
    symbi_doc_unref(dd);
    symbi_key_unref(maker);
    symbi_key_unref(deployer);
    teardown(&f);
}

/* A key's own end, at its bounds and in other spellings: 2026-05-28T20:26:40Z is NOW, 60 s are tolerated. */
static void test_key_expiry(void)
{
    static const struct { const char *exp; bool good, upstream; } t[] = {
        { "\"2026-05-28T20:25:40Z\"", true, true },       { "\"2026-05-28T20:25:39Z\"", false, false }, { "\"2026-05-28T22:25:40+02:00\"", true, true },
        { "\"2026-05-28T22:25:39+02:00\"", false, false }, { "\"9999-12-31T23:59:59Z\"", true, true },   { "\"1960-01-01T00:00:00Z\"", false, false },
        { "\"\"", true, true },                           { "null", true, true },                       { "\"soon\"", false, true },
        { "4102444800", false, true },                    { "\"2020-01-01\"", false, false },           { "\"2026-05-28T20:25:39\"", false, false },
        { "\"2026-05-28T20:25:40\"", false, true },        { "\"2030-01-01\"", false, true },            { "\"2026-13-01\"", false, true },
    };
    fixture f;
    symbi_text tok;
    setup(&f);
    tok = token(f.cx, f.k, (claims){ 0 });
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char key[600];
        snprintf(key, sizeof key, "%s", jwk_text(f.cx, f.k, "k1"));
        key[strlen(key) - 1] = 0;
        symbi_doc_unref(f.doc);
        f.doc = parse(f.cx, "{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"entity_type\":\"both\",\"public_keys\":[%s,\"exp\":%s}],\"agents\":[{\"agent_id\":\"a\","
                            "\"capabilities\":[\"read:*\"],\"status\":\"active\"}],\"max_delegation_depth\":2}", key, t[i].exp);
        f.o.flags = 0;
        expect(&f, symbi_text_str(&tok), t[i].good ? "" : "KEY_EXPIRED", t[i].good ? "OK" : "KEY_EXPIRED");
        f.o.flags = SYMBI_AGENTPIN_NO_KEY_USE;
        expect(&f, symbi_text_str(&tok), t[i].upstream ? "" : "KEY_EXPIRED", t[i].upstream ? "OK" : "KEY_EXPIRED");
        if (t_now_failed) printf("  exp %s\n", t[i].exp);
    }
    symbi_text_free(&tok);
    teardown(&f);
}

/* An entry of the issuer's own domain: the issuer's revocations are about its keys and agents, too. */
static void test_delegation_own(void)
{
    static const char *const revoked[] = { "\"revoked_agents\":[],\"revoked_keys\":[{\"kid\":\"k2\"}]", "\"revoked_agents\":[{\"agent_id\":\"lead\"}],\"revoked_keys\":[]",
                                           "\"revoked_agents\":[],\"revoked_keys\":[{\"kid\":\"k3\"}]" };
    fixture f;
    symbi_key *second;
    symbi_doc *caps, *e;
    symbi_err err;
    char chain[4096];
    setup(&f);
    second = new_key(f.cx);
    caps = parse(f.cx, "[\"read:data\"]");
    symbi_doc_unref(f.doc);
    f.doc = parse(f.cx, "{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"entity_type\":\"both\",\"public_keys\":[%s,%s],\"agents\":[{\"agent_id\":\"a\",\"capabilities\":"
                        "[\"read:*\"],\"status\":\"active\"}],\"max_delegation_depth\":2}", jwk_text(f.cx, f.k, "k1"), jwk_text(f.cx, second, "k2"));
    {
        symbi_agentpin_attestation a = { zs("example.com"), zs("deployer"), zs("lead"), zs("example.com"), zs("a"), symbi_doc_root(caps) };
        CHECK_OK(symbi_agentpin_attestation_create(f.cx, second, zs("k2"), &a, &e, &err), err);
    }
    snprintf(chain, sizeof chain, "[%s]", text_of(f.cx, symbi_doc_root(e)));
    f.o.verify_delegation = true;
    for (int i = 0; i < 3; i++) {
        symbi_doc_unref(f.rev);
        f.rev = parse(f.cx, "{\"entity\":\"example.com\",\"revoked_credentials\":[],%s}", revoked[i]);
        expect_token(&f, (claims){ .chain = chain }, i < 2 ? "DELEGATION_INVALID" : "", i < 2 ? "CHAIN_KEY" : "OK");
    }
    symbi_doc_unref(caps);
    symbi_doc_unref(e);
    symbi_key_unref(second);
    teardown(&f);
}

/* Everything of a verification with each allocation failing in turn. */
static const char *oom_jwt, *oom_doc;
static symbi_status oom_verify(symbi_ctx *cx, void *ud)
{
    symbi_agentpin_result *r = NULL;
    symbi_agentpin_options o;
    symbi_doc *d = NULL;
    symbi_err err;
    symbi_status st = symbi_json_parse(cx, zs(oom_doc), &d, &err);
    (void)ud;
    symbi_agentpin_options_init(&o);
    o.now = NOW;
    o.audience = zs("verifier.com");
    if (!st) st = symbi_agentpin_pins_new(cx, &o.pins, &err);
    if (!st) st = symbi_agentpin_nonces_new(cx, 0, &o.replays, &err);
    if (!st) st = symbi_agentpin_verify(cx, zs(oom_jwt), symbi_doc_root(d), NULL, &o, &r, &err);
    if (!st && !symbi_agentpin_result_valid(r)) st = SYMBI_EVERIFY;
    if (st && o.pins && symbi_agentpin_pins_count(o.pins) && (!r || !symbi_agentpin_result_valid(r)) && st != SYMBI_ENOMEM) st = SYMBI_ESTATE;
    symbi_agentpin_result_unref(r);
    symbi_agentpin_pins_free(o.pins);
    symbi_agentpin_nonces_free(o.replays);
    symbi_doc_unref(d);
    return st;
}

static void test_oom_verify(void)
{
    fixture f;
    symbi_text t;
    static char doc[4096], jwt[4096];
    setup(&f);
    t = token(f.cx, f.k, (claims){ .aud = "verifier.com", .constraints = "{\"rate_limit\":\"5/hour\"}",
                                   .chain = "[{\"domain\":\"m.com\",\"role\":\"maker\",\"agent_id\":\"x\",\"kid\":\"k\",\"attestation\":\"y\"}]" });
    snprintf(jwt, sizeof jwt, "%.*s", (int)t.n, t.p);
    snprintf(doc, sizeof doc, "%s", text_of(f.cx, symbi_doc_root(f.doc)));
    oom_jwt = jwt;
    oom_doc = doc;
    symbi_text_free(&t);
    test_oom(oom_verify, NULL, SYMBI_OK);
    teardown(&f);
}

int main(void)
{
    RUN(test_valid);
    RUN(test_sizes);
    RUN(test_order);
    RUN(test_attacks);
    RUN(test_limits);
    RUN(test_domains);
    RUN(test_documents);
    RUN(test_pins_and_replays);
    RUN(test_bundles);
    RUN(test_key_expiry);
    RUN(test_delegation);
    RUN(test_delegation_own);
    RUN(test_oom_verify);
    return test_end();
}
