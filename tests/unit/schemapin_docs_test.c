/* symbi/schemapin_net.h, symbi/schemapin_skill.h and the pin store: files of pins, domains, TXT records, bundles, lookups, folders. */
#include "symbi/json.h"
#include "symbi/schemapin_net.h"
#include "symbi/schemapin_skill.h"
#include "test.h"

#define S(lit) ((symbi_str){ (lit), sizeof(lit) - 1 })
enum { NOW = 1780000000 };
static symbi_ctx *cx;

/* ---- pins ------------------------------------------------------------------------------------------------------------ */

static symbi_schemapin_pin pin_of(const char *tool, const char *domain, const char *fp)
{
    symbi_schemapin_pin p;
    memset(&p, 0, sizeof p);
    p.tool_id = symbi_str_z(tool);
    p.domain = symbi_str_z(domain);
    p.fingerprint = symbi_str_z(fp);
    return p;
}

static void test_pins(void)
{
    symbi_schemapin_pins *p, *q;
    symbi_schemapin_pin a = pin_of("a@b", "c", "f1"), b = pin_of("a", "b@c", "f2"), got;
    symbi_text t;
    symbi_err err;
    uint64_t g;
    char name[24];
    REQUIRE(!symbi_schemapin_pins_new(cx, &p, &err) && !symbi_schemapin_pins_new(cx, &q, &err));
    CHECK(symbi_schemapin_pins_generation(p) != symbi_schemapin_pins_generation(q));
    CHECK_OK(symbi_schemapin_pins_add(p, &a, NOW, false, &err), err);
    CHECK_OK(symbi_schemapin_pins_add(p, &b, NOW, false, &err), err); /* the joined names are the same, the pairs are not */
    CHECK(symbi_schemapin_pins_count(p) == 2);
    g = symbi_schemapin_pins_generation(p);
    CHECK_OK(symbi_schemapin_pins_add(p, &a, NOW + 60, false, &err), err); /* seen again: no change */
    CHECK(symbi_schemapin_pins_generation(p) == g && symbi_schemapin_pins_count(p) == 2);
    CHECK(symbi_schemapin_pins_find(p, a.tool_id, a.domain, &got));
    CHECK_STR(got.first_seen, "2026-05-28T20:26:40Z");
    CHECK_STR(got.last_seen, "2026-05-28T20:27:40Z");
    a.fingerprint = S("f3");
    CHECK(symbi_schemapin_pins_add(p, &a, NOW, false, &err) == SYMBI_EEXISTS);
    CHECK_OK(symbi_schemapin_pins_add(p, &a, NOW, true, &err), err);
    CHECK(symbi_schemapin_pins_count(p) == 2 && symbi_schemapin_pins_find(p, a.tool_id, a.domain, &got));
    CHECK_STR(got.fingerprint, "f3");
    CHECK_OK(symbi_schemapin_pins_set_policy(p, S("c"), SYMBI_SCHEMAPIN_POLICY_NEVER_TRUST, &err), err);
    /* another spelling of the domain is the same domain: nobody gets a second "first use" by it */
    CHECK(symbi_schemapin_pins_find(p, S("a@b"), S("C"), &got) && symbi_schemapin_pins_find(p, S("a@b"), S("c."), &got) && !symbi_schemapin_pins_find(p, S("A@b"), S("c"), &got));
    CHECK(symbi_schemapin_pins_policy(p, S("C.")) == SYMBI_SCHEMAPIN_POLICY_NEVER_TRUST);
    b = pin_of("a@b", "C.", "f9");
    CHECK(symbi_schemapin_pins_add(p, &b, NOW, false, &err) == SYMBI_EEXISTS);
    /* many, and some of them removed again */
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "tool%d", i);
        b = pin_of(name, "d.com", "f");
        CHECK_OK(symbi_schemapin_pins_add(p, &b, NOW, false, &err), err);
    }
    for (int i = 0; i < 500; i += 2) {
        snprintf(name, sizeof name, "tool%d", i);
        CHECK(symbi_schemapin_pins_remove(p, symbi_str_z(name), S("d.com")));
        CHECK(!symbi_schemapin_pins_remove(p, symbi_str_z(name), S("d.com")));
    }
    CHECK(symbi_schemapin_pins_count(p) == 252);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "tool%d", i);
        CHECK(symbi_schemapin_pins_find(p, symbi_str_z(name), S("d.com"), &got) == (i % 2 == 1));
    }
    /* written and read again */
    CHECK_OK(symbi_schemapin_pins_json(p, false, &t, &err), err);
    CHECK_OK(symbi_schemapin_pins_load(q, symbi_text_str(&t), NULL, &err), err);
    symbi_text_free(&t);
    CHECK(symbi_schemapin_pins_count(q) == 252 && symbi_schemapin_pins_find(q, S("a@b"), S("c"), &got));
    CHECK_STR(got.first_seen, "2026-05-28T20:26:40Z");
    CHECK(symbi_schemapin_pins_policy(q, S("c")) == SYMBI_SCHEMAPIN_POLICY_NEVER_TRUST);
    CHECK(symbi_schemapin_pins_json(p, true, &t, &err) == SYMBI_ESCHEMA); /* a domain with @ has no joined form */
    /* limits of a pin */
    {
        char big[SYMBI_SCHEMAPIN_MAX_NAME + 2];
        memset(big, 'x', sizeof big);
        a = pin_of("", "d.com", "f");
        a.tool_id = (symbi_str){ big, SYMBI_SCHEMAPIN_MAX_NAME };
        CHECK_OK(symbi_schemapin_pins_add(p, &a, NOW, false, &err), err);
        a.tool_id.n++;
        CHECK(symbi_schemapin_pins_add(p, &a, NOW, false, &err) == SYMBI_ELIMIT);
        a = pin_of("\xff", "d.com", "f");
        CHECK(symbi_schemapin_pins_add(p, &a, NOW, false, &err) == SYMBI_ESCHEMA);
        a = pin_of("t", "d.com", "");
        CHECK(symbi_schemapin_pins_add(p, &a, NOW, false, &err) == SYMBI_EINVAL);
    }
    symbi_schemapin_pins_free(p);
    symbi_schemapin_pins_free(q);
}

static void test_pin_files_that_are_none(void)
{
    static const char *const bad[] = { "", " ", "[", "[{", "{", "null", "1", "\"x\"", "[1]", "[{}]", "[null]", "{\"a\":1}", "{\"nodomain\":\"f\"}", "{\"t@d\":\"\"}", "{\"t@d\":\"f\"",
                                       "[{\"tool_id\":\"t\",\"domain\":\"d\"}]", "[{\"tool_id\":\"t\",\"domain\":\"d\",\"pinned_keys\":{}}]",
                                       "[{\"tool_id\":\"t\",\"domain\":\"d\",\"pinned_keys\":[{}]}]", "[{\"tool_id\":1,\"domain\":\"d\",\"pinned_keys\":[]}]",
                                       "[{\"tool_id\":\"*\",\"domain\":\"d\",\"pinned_keys\":[],\"policy\":\"trust_me\"}]",
                                       "{\"pinned_keys\":{\"t\":{\"domain\":\"d\",\"public_key_pem\":\"x\"}},\"domain_policies\":{}}", "{\"t@d\":\"f\",\"t@d\":\"g\"}" };
    symbi_schemapin_pins *p;
    symbi_err err;
    uint64_t g;
    REQUIRE(!symbi_schemapin_pins_new(cx, &p, &err));
    CHECK_OK(symbi_schemapin_pins_load(p, S("{\"t@d\":\"f\"}"), NULL, &err), err);
    g = symbi_schemapin_pins_generation(p);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        symbi_status st = symbi_schemapin_pins_load(p, symbi_str_z(bad[i]), NULL, &err);
        if (st != SYMBI_EPARSE && st != SYMBI_ESCHEMA) printf("%s: %s\n", bad[i], symbi_status_name(st));
        CHECK(st == SYMBI_EPARSE || st == SYMBI_ESCHEMA);
        CHECK(symbi_schemapin_pins_count(p) == 1 && symbi_schemapin_pins_generation(p) == g); /* what was there stays */
    }
    CHECK_OK(symbi_schemapin_pins_load(p, S("[]"), NULL, &err), err);
    CHECK(symbi_schemapin_pins_count(p) == 0 && symbi_schemapin_pins_generation(p) != g);
    symbi_schemapin_pins_free(p);
}

static void test_asking(void)
{
    symbi_schemapin_pins *p;
    symbi_schemapin_pin a = pin_of("t", "d", "f1"), b = pin_of("t", "d", "f2");
    symbi_schemapin_prompt ask;
    bool ok;
    symbi_err err;
    REQUIRE(!symbi_schemapin_pins_new(cx, &p, &err));
#define CONSIDER(pin, mode, force, can, revoked) CHECK_OK(symbi_schemapin_pins_consider(p, pin, mode, force, can, revoked, NOW, &ask, &ok, &err), err)
    CONSIDER(&a, SYMBI_SCHEMAPIN_STRICT_MODE, false, true, false);
    CHECK(!ok && !ask);
    CONSIDER(&a, SYMBI_SCHEMAPIN_INTERACTIVE, false, false, false); /* nobody to ask */
    CHECK(!ok && !ask);
    CONSIDER(&a, SYMBI_SCHEMAPIN_AUTOMATIC, true, false, false); /* must ask, cannot */
    CHECK(!ok && !ask);
    CONSIDER(&a, SYMBI_SCHEMAPIN_AUTOMATIC, false, true, true); /* revoked */
    CHECK(!ok && ask == SYMBI_SCHEMAPIN_ASK_REVOKED);
    CHECK_OK(symbi_schemapin_pins_answer(p, &a, ask, SYMBI_SCHEMAPIN_ACCEPT, NOW, &ok, &err), err);
    CHECK(!ok); /* only once, if at all */
    CHECK_OK(symbi_schemapin_pins_answer(p, &a, ask, SYMBI_SCHEMAPIN_TRUST_ALWAYS, NOW, &ok, &err), err);
    CHECK(!ok && symbi_schemapin_pins_policy(p, S("d")) == SYMBI_SCHEMAPIN_POLICY_DEFAULT);
    CHECK_OK(symbi_schemapin_pins_answer(p, &a, ask, SYMBI_SCHEMAPIN_ACCEPT_ONCE, NOW, &ok, &err), err);
    CHECK(ok && symbi_schemapin_pins_count(p) == 0);
    CHECK_OK(symbi_schemapin_pins_set_policy(p, S("d"), SYMBI_SCHEMAPIN_POLICY_INTERACTIVE_ONLY, &err), err);
    CONSIDER(&a, SYMBI_SCHEMAPIN_AUTOMATIC, false, true, false);
    CHECK(!ok && ask == SYMBI_SCHEMAPIN_ASK_FIRST_KEY);
    CONSIDER(&a, SYMBI_SCHEMAPIN_AUTOMATIC, false, false, false);
    CHECK(!ok && !ask);
    CHECK_OK(symbi_schemapin_pins_set_policy(p, S("d"), SYMBI_SCHEMAPIN_POLICY_ALWAYS_TRUST, &err), err);
    CONSIDER(&a, SYMBI_SCHEMAPIN_STRICT_MODE, false, false, false);
    CHECK(ok && symbi_schemapin_pins_count(p) == 1);
    CONSIDER(&a, SYMBI_SCHEMAPIN_AUTOMATIC, false, false, false); /* the second time, too */
    CHECK(ok);
    CONSIDER(&b, SYMBI_SCHEMAPIN_AUTOMATIC, false, true, false); /* another key is never followed */
    CHECK(!ok && !ask);
    CONSIDER(&a, SYMBI_SCHEMAPIN_AUTOMATIC, false, false, true); /* revoked, though pinned and trusted */
    CHECK(!ok && !ask);
    CHECK(symbi_schemapin_pins_answer(p, &a, SYMBI_SCHEMAPIN_ASK_NONE, SYMBI_SCHEMAPIN_ACCEPT, NOW, &ok, &err) == SYMBI_ESTATE && !ok);
    symbi_schemapin_pins_free(p);
}

/* ---- domains ----------------------------------------------------------------------------------------------------------- */

static void test_domains(void)
{
    static const struct {
        const char *text, *want;
    } t[] = { { "example.com", "example.com" }, { "EXAMPLE.Com", "example.com" }, { "a-b.c1.io:8443", "a-b.c1.io:8443" }, { "example.com:443", "example.com" },
              { "xn--bcher-kva.example", "xn--bcher-kva.example" }, { "localhost", "localhost" }, { "1password.com", "1password.com" },
              { "", NULL }, { ".", NULL }, { "example.com.", NULL }, { ".example.com", NULL }, { "a..b", NULL }, { "https://example.com", NULL }, { "example.com/", NULL },
              { "example.com/x", NULL }, { "user@example.com", NULL }, { "example.com?x", NULL }, { "example.com#x", NULL }, { "exa mple.com", NULL }, { "example.com\n", NULL },
              { "b\xc3\xbc" "cher.example", NULL }, { "\xd0\xb5xample.com", NULL }, { "example\\.com", NULL }, { "example%2ecom", NULL }, { "-a.com", NULL }, { "a-.com", NULL },
              { "127.0.0.1", NULL }, { "2130706433", NULL }, { "0x7f.1", NULL }, { "a.0x7f", NULL }, { "[::1]", NULL }, { "::1", NULL }, { "example.com:", NULL }, { "example.com:0", NULL },
              { "example.com:08", NULL }, { "example.com:65536", NULL }, { "example.com:80a", NULL }, { "example.com:1:2", NULL }, { "..", NULL }, { "../../etc/passwd", NULL }, { "_a.com", NULL } };
    char buf[SYMBI_SCHEMAPIN_MAX_DOMAIN + 1], big[300];
    symbi_err err;
    symbi_text url;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        symbi_status st = symbi_schemapin_domain(symbi_str_z(t[i].text), buf, &err);
        if ((st == SYMBI_OK) != (t[i].want != NULL) || (t[i].want && strcmp(buf, t[i].want))) printf("'%s': %s '%s'\n", t[i].text, symbi_status_name(st), buf);
        CHECK((st == SYMBI_OK) == (t[i].want != NULL));
        if (t[i].want) CHECK(!strcmp(buf, t[i].want));
    }
    CHECK(symbi_schemapin_domain((symbi_str){ "a\0b.com", 7 }, buf, &err) == SYMBI_EINVAL);
    memset(big, 'a', sizeof big);
    for (size_t i = 63; i < sizeof big; i += 64) big[i] = '.';
    CHECK(symbi_schemapin_domain((symbi_str){ big, 253 }, buf, &err) == SYMBI_OK);
    CHECK(symbi_schemapin_domain((symbi_str){ big, 254 }, buf, &err) == SYMBI_EINVAL);
    memset(big, 'a', sizeof big);
    CHECK(symbi_schemapin_domain((symbi_str){ big, 64 }, buf, &err) == SYMBI_EINVAL);
    CHECK(symbi_schemapin_url(cx, S("https://user:pw@example.com/"), &url, &err) != SYMBI_OK);
    CHECK(symbi_schemapin_url(cx, S("ftp://example.com/"), &url, &err) != SYMBI_OK);
    CHECK(symbi_schemapin_url(cx, S("https://127.0.0.1/"), &url, &err) != SYMBI_OK);
}

/* ---- looking up -------------------------------------------------------------------------------------------------------- */

static const char good_pem[] = "-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\\n6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\\n-----END PUBLIC KEY-----\\n";

/* The code after these answers; each is {status, body}. fields of a: url of the first answer. */
static symbi_schemapin_code lookup(const char *domain, const symbi_schemapin_answer *a, size_t n, bool dns, size_t *asked)
{
    symbi_schemapin_online *m;
    symbi_schemapin_ask ask;
    symbi_schemapin_found f;
    symbi_err err;
    symbi_schemapin_code code = SYMBI_SCHEMAPIN_CODE_COUNT;
    *asked = 0;
    if (symbi_schemapin_online_new(cx, symbi_str_z(domain), dns, &m, &err)) return code;
    while (!symbi_schemapin_online_next(m, &ask, &err) && ask.kind) {
        symbi_schemapin_found early;
        CHECK(symbi_schemapin_online_found(m, &early, &err) == SYMBI_ESTATE);
        CHECK(symbi_schemapin_online_resolve(m, ask.id + 1, &a[0], &err) == SYMBI_ESTATE);
        if (*asked == n) break;
        if (symbi_schemapin_online_resolve(m, ask.id, &a[(*asked)++], &err)) break;
        CHECK(symbi_schemapin_online_resolve(m, ask.id, &a[0], &err) == SYMBI_ESTATE); /* once */
    }
    if (!symbi_schemapin_online_found(m, &f, &err)) {
        code = f.code;
        CHECK((f.discovery != NULL) == (code == SYMBI_SCHEMAPIN_OK));
        CHECK((f.message.n > 0) == (code != SYMBI_SCHEMAPIN_OK));
    }
    symbi_schemapin_online_free(m);
    return code;
}

static void test_lookups(void)
{
    char doc[600], with_list[700];
    static char big[SYMBI_SCHEMAPIN_MAX_DOCUMENT + 2];
    const symbi_str record = S("v=schemapin1; fp=sha256:00"), junk = S("v=schemapin1; fp=md5:00"), foreign = S("v=spf1 -all");
    symbi_schemapin_answer a[3];
    size_t asked;
    memset(a, 0, sizeof a);
    snprintf(doc, sizeof doc, "{\"schema_version\":\"1.2\",\"public_key_pem\":\"%s\"}", good_pem);
    snprintf(with_list, sizeof with_list, "{\"schema_version\":\"1.2\",\"public_key_pem\":\"%s\",\"revocation_endpoint\":\"https://lists.example.org/r.json\"}", good_pem);
    a[0].http_status = a[1].http_status = 200;
    a[0].body = symbi_str_z(doc);
    CHECK(lookup("example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_OK && asked == 1);
    CHECK(lookup("Example.com.", a, 1, false, &asked) == SYMBI_SCHEMAPIN_DOMAIN_INVALID && asked == 0);
    CHECK(lookup("b\xc3\xbc" "cher.example", a, 1, false, &asked) == SYMBI_SCHEMAPIN_DOMAIN_INVALID && asked == 0);
    CHECK(lookup("evil.com/@example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_DOMAIN_INVALID && asked == 0);
    /* discovery that redirects to another host: whether the transport stops there or follows */
    a[0].http_status = 302;
    CHECK(lookup("example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_REDIRECT_REFUSED);
    a[0].http_status = 200;
    a[0].url = S("https://evil.com/.well-known/schemapin.json");
    CHECK(lookup("example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_REDIRECT_REFUSED);
    a[0].url = S("https://example.com/.well-known/schemapin.json");
    CHECK(lookup("EXAMPLE.COM", a, 1, false, &asked) == SYMBI_SCHEMAPIN_OK);
    a[0].url = S("");
    /* not there, broken, too large */
    a[0].http_status = 404;
    CHECK(lookup("example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_DISCOVERY_FETCH_FAILED);
    a[0].failed = true;
    a[0].message = S("connection refused");
    CHECK(lookup("example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_DISCOVERY_FETCH_FAILED);
    a[0].failed = false;
    a[0].http_status = 200;
    a[0].body = S("<html>");
    CHECK(lookup("example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_DISCOVERY_INVALID);
    a[0].body = S("");
    CHECK(lookup("example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_DISCOVERY_INVALID);
    a[0].body = S("{}");
    CHECK(lookup("example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_DISCOVERY_INVALID);
    memset(big, ' ', sizeof big);
    memcpy(big, doc, strlen(doc));
    a[0].body = (symbi_str){ big, SYMBI_SCHEMAPIN_MAX_DOCUMENT };
    CHECK(lookup("example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_OK);
    a[0].body.n++;
    CHECK(lookup("example.com", a, 1, false, &asked) == SYMBI_SCHEMAPIN_DISCOVERY_FETCH_FAILED);
    /* a revocation list that is named must be had */
    a[0].body = symbi_str_z(with_list);
    a[1].body = S("{\"revoked_keys\":[]}");
    CHECK(lookup("example.com", a, 2, false, &asked) == SYMBI_SCHEMAPIN_OK && asked == 2);
    a[1].http_status = 500;
    CHECK(lookup("example.com", a, 2, false, &asked) == SYMBI_SCHEMAPIN_REVOCATION_FETCH_FAILED);
    a[1].http_status = 301;
    CHECK(lookup("example.com", a, 2, false, &asked) == SYMBI_SCHEMAPIN_REDIRECT_REFUSED);
    a[1].http_status = 200;
    a[1].body = S("nothing");
    CHECK(lookup("example.com", a, 2, false, &asked) == SYMBI_SCHEMAPIN_REVOCATION_INVALID);
    snprintf(with_list, sizeof with_list, "{\"schema_version\":\"1.2\",\"public_key_pem\":\"%s\",\"revocation_endpoint\":\"http://lists.example.org/r.json\"}", good_pem);
    a[0].body = symbi_str_z(with_list);
    CHECK(lookup("example.com", a, 2, false, &asked) == SYMBI_SCHEMAPIN_REVOCATION_FETCH_FAILED && asked == 1);
    /* DNS */
    a[0].body = symbi_str_z(doc);
    a[1].records = &record;
    a[1].nrecords = 1;
    CHECK(lookup("example.com", a, 2, true, &asked) == SYMBI_SCHEMAPIN_OK && asked == 2);
    a[1].records = &junk;
    CHECK(lookup("example.com", a, 2, true, &asked) == SYMBI_SCHEMAPIN_DOMAIN_MISMATCH);
    a[1].records = &foreign;
    CHECK(lookup("example.com", a, 2, true, &asked) == SYMBI_SCHEMAPIN_OK);
    a[1].nrecords = 0;
    CHECK(lookup("example.com", a, 2, true, &asked) == SYMBI_SCHEMAPIN_OK);
    a[1].failed = true;
    CHECK(lookup("example.com", a, 2, true, &asked) == SYMBI_SCHEMAPIN_DISCOVERY_FETCH_FAILED);
}

/* ---- bundles ----------------------------------------------------------------------------------------------------------- */

static symbi_schemapin_code check_bundle(symbi_str json, symbi_schemapin_pins *pins, const symbi_str *authority, int64_t max_age, int64_t now)
{
    symbi_schemapin_bundle_check c;
    symbi_schemapin_result *r;
    symbi_schemapin_info i;
    symbi_err err;
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.json = json;
    c.pins = pins;
    c.authority = authority;
    c.nauthority = authority ? 1 : 0;
    c.max_age = max_age;
    c.now = now;
    if (symbi_schemapin_check_bundle(cx, &c, &r, &err)) return SYMBI_SCHEMAPIN_CODE_COUNT;
    symbi_schemapin_result_info(r, &i);
    symbi_schemapin_result_unref(r);
    return i.code;
}

static void test_bundles(void)
{
    static const char text[] = "{\"created_at\":\"2026-01-01T00:00:00Z\",\"documents\":[{\"domain\":\"a.com\",\"schema_version\":\"1.2\",\"public_key_pem\":\"x\"}],\"revocations\":[]}";
    symbi_key *key, *other;
    symbi_doc *d;
    symbi_text one, two, forged;
    symbi_schemapin_pins *pins;
    symbi_err err;
    char fp[SYMBI_SCHEMAPIN_FINGERPRINT + 1], *p;
    symbi_str authority, wrong = S("sha256:00");
    REQUIRE(!symbi_p256_generate(cx, &key, &err) && !symbi_p256_generate(cx, &other, &err) && !symbi_schemapin_pins_new(cx, &pins, &err));
    symbi_schemapin_fingerprint(key, fp);
    authority = symbi_str_z(fp);
    REQUIRE(!symbi_json_parse(cx, symbi_str_z(text), &d, &err));
    CHECK_OK(symbi_schemapin_bundle_sign(cx, symbi_doc_root(d), key, S("k"), NOW, 3600, &one, &err), err);
    CHECK_OK(symbi_schemapin_bundle_sign(cx, symbi_doc_root(d), key, S("k"), NOW + 60, 3600, &two, &err), err);
    CHECK_OK(symbi_schemapin_bundle_sign(cx, symbi_doc_root(d), other, S("k"), NOW + 90, 3600, &forged, &err), err);
    /* whose bundle is it? */
    CHECK(check_bundle(symbi_text_str(&one), NULL, NULL, 0, NOW) == SYMBI_SCHEMAPIN_BUNDLE_AUTHORITY);
    CHECK(check_bundle(symbi_text_str(&one), NULL, &wrong, 0, NOW) == SYMBI_SCHEMAPIN_BUNDLE_AUTHORITY);
    CHECK(check_bundle(symbi_text_str(&one), NULL, &authority, 0, NOW) == SYMBI_SCHEMAPIN_OK);
    /* time */
    CHECK(check_bundle(symbi_text_str(&one), NULL, &authority, 0, NOW + 3600) == SYMBI_SCHEMAPIN_OK);
    CHECK(check_bundle(symbi_text_str(&one), NULL, &authority, 0, NOW + 3601) == SYMBI_SCHEMAPIN_BUNDLE_EXPIRED);
    CHECK(check_bundle(symbi_text_str(&one), NULL, &authority, 100, NOW + 100) == SYMBI_SCHEMAPIN_OK);
    CHECK(check_bundle(symbi_text_str(&one), NULL, &authority, 100, NOW + 101) == SYMBI_SCHEMAPIN_BUNDLE_EXPIRED);
    /* downgrade: older than one that was accepted; the same one again is fine */
    CHECK(check_bundle(symbi_text_str(&one), pins, NULL, 0, NOW) == SYMBI_SCHEMAPIN_OK);
    CHECK(check_bundle(symbi_text_str(&two), pins, NULL, 0, NOW) == SYMBI_SCHEMAPIN_OK);
    CHECK(check_bundle(symbi_text_str(&two), pins, NULL, 0, NOW) == SYMBI_SCHEMAPIN_OK);
    CHECK(check_bundle(symbi_text_str(&one), pins, NULL, 0, NOW) == SYMBI_SCHEMAPIN_BUNDLE_DOWNGRADE);
    CHECK(check_bundle(symbi_text_str(&forged), pins, NULL, 0, NOW) == SYMBI_SCHEMAPIN_KEY_PIN_MISMATCH);
    /* edited */
    p = strstr(two.p, "a.com");
    REQUIRE(p);
    *p = 'b';
    CHECK(check_bundle(symbi_text_str(&two), NULL, &authority, 0, NOW) == SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    CHECK(check_bundle((symbi_str){ one.p, one.n - 3 }, NULL, &authority, 0, NOW) == SYMBI_SCHEMAPIN_BUNDLE_INVALID);
    CHECK(check_bundle(S("[]"), NULL, &authority, 0, NOW) == SYMBI_SCHEMAPIN_BUNDLE_INVALID);
    CHECK(check_bundle(S("{\"a\":1,\"a\":1}"), NULL, &authority, 0, NOW) == SYMBI_SCHEMAPIN_BUNDLE_INVALID);
    CHECK(check_bundle(S("{}"), NULL, &authority, 0, NOW) == SYMBI_SCHEMAPIN_BUNDLE_UNSIGNED);
    symbi_doc_unref(d);
    REQUIRE(!symbi_json_parse(cx, S("{\"documents\":[{\"domain\":\"a.com\",\"x\":1}]}"), &d, &err));
    symbi_text_free(&two);
    CHECK(symbi_schemapin_bundle_sign(cx, symbi_doc_root(d), key, S("k"), NOW, 0, &two, &err) == SYMBI_ESCHEMA);
    symbi_doc_unref(d);
    symbi_text_free(&one);
    symbi_text_free(&two);
    symbi_text_free(&forged);
    symbi_schemapin_pins_free(pins);
    symbi_key_unref(key);
    symbi_key_unref(other);
}

static void test_merging_forgets_no_revocation(void)
{
    static const char text[] = "[{\"created_at\":\"2026-01-01T00:00:00Z\",\"documents\":[{\"domain\":\"a.com\",\"revoked_keys\":[\"sha256:1\"]}],"
                               "\"revocations\":[{\"domain\":\"a.com\",\"revoked_keys\":[{\"fingerprint\":\"sha256:2\"},{\"fingerprint\":\"sha256:3\"}]}]},"
                               "{\"created_at\":\"2026-01-02T00:00:00+00:00\",\"documents\":[{\"domain\":\"a.com\",\"public_key_pem\":\"new\"}],"
                               "\"revocations\":[{\"domain\":\"a.com\",\"revoked_keys\":[{\"fingerprint\":\"sha256:3\"}]}]}]";
    symbi_doc *d, *out;
    symbi_text t;
    symbi_err err;
    REQUIRE(!symbi_json_parse(cx, symbi_str_z(text), &d, &err));
    CHECK_OK(symbi_schemapin_bundle_merge(cx, symbi_doc_root(d), &out, &err), err);
    CHECK_OK(symbi_json_write(cx, symbi_doc_root(out), SYMBI_JSON_CANONICAL, &t, &err), err);
    CHECK_STR(symbi_text_str(&t), "{\"created_at\":\"2026-01-02T00:00:00+00:00\",\"documents\":[{\"domain\":\"a.com\",\"public_key_pem\":\"new\",\"revoked_keys\":[\"sha256:1\"]}],"
                                  "\"revocations\":[{\"domain\":\"a.com\",\"revoked_keys\":[{\"fingerprint\":\"sha256:3\"},{\"fingerprint\":\"sha256:2\"}]}],\"schemapin_bundle_version\":\"1.4\"}");
    symbi_text_free(&t);
    symbi_doc_unref(out);
    symbi_doc_unref(d);
}

/* ---- folders ----------------------------------------------------------------------------------------------------------- */

static symbi_status put(symbi_schemapin_folder *f, const char *path, const char *content)
{
    bool wanted;
    symbi_err err;
    symbi_status st = symbi_schemapin_folder_begin(f, symbi_str_z(path), SYMBI_SCHEMAPIN_ENTRY_FILE, &wanted, &err);
    if (st || !wanted) return st;
    for (const char *p = content; *p && !st; p++) st = symbi_schemapin_folder_data(f, (symbi_str){ p, 1 }, &err);
    return st ? st : symbi_schemapin_folder_end(f, &err);
}

static void test_paths(void)
{
    static const char *const bad[] = { "", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", ".", "./a", "a//b", "a/", "a\\b", "\xff", "a/\xc3", "sub/.schemapin.sig" };
    static const char *const good[] = { "a", ".hidden", "...", "a b", "a/b/c", "\xc3\xa9", ".schemapin.sig", "x.schemapin.sig", "it's \"q\"" };
    symbi_schemapin_folder *f;
    uint8_t root[32];
    symbi_err err;
    bool wanted;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REQUIRE(!symbi_schemapin_folder_new(cx, false, &f, &err));
        CHECK(put(f, "fine", "x") == SYMBI_OK);
        if (put(f, bad[i], "x") != SYMBI_ESCHEMA) printf("accepted: %s\n", bad[i]);
        CHECK(put(f, bad[i], "x") == SYMBI_ESCHEMA);
        CHECK(symbi_schemapin_folder_root(f, root, &err) == SYMBI_ESCHEMA); /* it sticks */
        CHECK(put(f, "fine2", "x") == SYMBI_ESCHEMA);
        symbi_schemapin_folder_free(f);
    }
    REQUIRE(!symbi_schemapin_folder_new(cx, false, &f, &err));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK(put(f, good[i], "x") == SYMBI_OK);
    CHECK(symbi_schemapin_folder_files(f) == sizeof good / sizeof *good - 1);
    CHECK_OK(symbi_schemapin_folder_root(f, root, &err), err);
    CHECK(symbi_schemapin_folder_begin(f, S("late"), SYMBI_SCHEMAPIN_ENTRY_FILE, &wanted, &err) == SYMBI_ESTATE);
    symbi_schemapin_folder_free(f);
    /* twice, links, devices, what could not be read, nothing at all */
    REQUIRE(!symbi_schemapin_folder_new(cx, false, &f, &err));
    CHECK(put(f, "a", "1") == SYMBI_OK && put(f, "a", "2") == SYMBI_OK);
    CHECK(symbi_schemapin_folder_root(f, root, &err) == SYMBI_ESCHEMA);
    symbi_schemapin_folder_free(f);
    for (int kind = SYMBI_SCHEMAPIN_ENTRY_LINK; kind <= SYMBI_SCHEMAPIN_ENTRY_OTHER; kind++)
        for (int lenient = 0; lenient < 2; lenient++) {
            REQUIRE(!symbi_schemapin_folder_new(cx, lenient != 0, &f, &err));
            put(f, "a", "1");
            CHECK(symbi_schemapin_folder_begin(f, S("x"), (symbi_schemapin_entry)kind, &wanted, &err) == (lenient && kind == SYMBI_SCHEMAPIN_ENTRY_LINK ? SYMBI_OK : SYMBI_ESCHEMA) && !wanted);
            symbi_schemapin_folder_free(f);
        }
    REQUIRE(!symbi_schemapin_folder_new(cx, true, &f, &err));
    put(f, "a", "1");
    symbi_schemapin_folder_spoil(f, S("b: permission denied"));
    CHECK(symbi_schemapin_folder_root(f, root, &err) == SYMBI_EIO);
    symbi_schemapin_folder_free(f);
    REQUIRE(!symbi_schemapin_folder_new(cx, false, &f, &err));
    CHECK(symbi_schemapin_folder_root(f, root, &err) == SYMBI_ESCHEMA);
    symbi_schemapin_folder_free(f);
    /* limits */
    {
        char path[SYMBI_SCHEMAPIN_MAX_PATH + 2];
        memset(path, 'a', sizeof path);
        REQUIRE(!symbi_schemapin_folder_new(cx, false, &f, &err));
        CHECK(symbi_schemapin_folder_begin(f, (symbi_str){ path, SYMBI_SCHEMAPIN_MAX_PATH }, SYMBI_SCHEMAPIN_ENTRY_FILE, &wanted, &err) == SYMBI_OK && wanted);
        CHECK_OK(symbi_schemapin_folder_end(f, &err), err);
        CHECK(symbi_schemapin_folder_begin(f, (symbi_str){ path, SYMBI_SCHEMAPIN_MAX_PATH + 1 }, SYMBI_SCHEMAPIN_ENTRY_FILE, &wanted, &err) == SYMBI_ESCHEMA);
        symbi_schemapin_folder_free(f);
        for (size_t i = 1; i < 2 * SYMBI_SCHEMAPIN_MAX_DEPTH; i += 2) path[i] = '/';
        REQUIRE(!symbi_schemapin_folder_new(cx, false, &f, &err));
        CHECK(symbi_schemapin_folder_begin(f, (symbi_str){ path, 2 * SYMBI_SCHEMAPIN_MAX_DEPTH - 1 }, SYMBI_SCHEMAPIN_ENTRY_DIRECTORY, &wanted, &err) == SYMBI_OK);
        CHECK(symbi_schemapin_folder_begin(f, (symbi_str){ path, 2 * SYMBI_SCHEMAPIN_MAX_DEPTH + 1 }, SYMBI_SCHEMAPIN_ENTRY_DIRECTORY, &wanted, &err) == SYMBI_ESCHEMA);
        symbi_schemapin_folder_free(f);
        REQUIRE(!symbi_schemapin_folder_new(cx, false, &f, &err));
        for (int i = 0; i <= SYMBI_SCHEMAPIN_MAX_FILES; i++) {
            snprintf(path, 20, "f%d", i);
            CHECK(put(f, path, "") == (i < SYMBI_SCHEMAPIN_MAX_FILES ? SYMBI_OK : SYMBI_ELIMIT));
        }
        symbi_schemapin_folder_free(f);
    }
}

static symbi_schemapin_code check_folder(const char *content, symbi_str sig, const symbi_schemapin_discovery *d, symbi_str domain, bool plain)
{
    symbi_schemapin_skill_check c;
    symbi_schemapin_folder *f;
    symbi_schemapin_result *r;
    symbi_schemapin_info i;
    symbi_err err;
    memset(&i, 0, sizeof i);
    memset(&c, 0, sizeof c);
    if (symbi_schemapin_folder_new(cx, false, &f, &err)) return SYMBI_SCHEMAPIN_CODE_COUNT;
    put(f, "SKILL.md", content);
    c.size = sizeof c;
    c.folder = f;
    c.signature_json = sig;
    c.dir_name = S("dir");
    c.domain = domain;
    c.discovery = d;
    c.now = NOW;
    c.ignore_metadata = plain;
    if (!symbi_schemapin_check_skill(cx, &c, &r, &err)) {
        symbi_schemapin_result_info(r, &i);
        symbi_schemapin_result_unref(r);
    }
    symbi_schemapin_folder_free(f);
    return i.code;
}

/* text with the first `from` replaced */
static symbi_str swap(symbi_str s, const char *from, const char *to, char *buf)
{
    char *at;
    memcpy(buf, s.p, s.n);
    buf[s.n] = 0;
    at = strstr(buf, from);
    if (!at) return (symbi_str){ NULL, 0 };
    memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
    memcpy(at, to, strlen(to));
    return symbi_str_z(buf);
}

static void test_folder_signatures(void)
{
    symbi_schemapin_folder *f;
    symbi_schemapin_skill_options o;
    symbi_schemapin_discovery *d;
    symbi_key *key;
    symbi_text sig, pem;
    symbi_err err;
    char buf[4000], doc[900], kid[SYMBI_SCHEMAPIN_FINGERPRINT + 1], *p;
    size_t k = 0;
    REQUIRE(!symbi_p256_generate(cx, &key, &err) && !symbi_key_public_pem(cx, key, &pem, &err));
    snprintf(buf, sizeof buf, "{\"schema_version\":\"1.2\",\"public_key_pem\":\"");
    k = strlen(buf);
    for (size_t i = 0; i < pem.n; i++) {
        if (pem.p[i] == '\n') buf[k++] = '\\', buf[k++] = 'n';
        else buf[k++] = pem.p[i];
    }
    snprintf(buf + k, 4, "\"}");
    memcpy(doc, buf, sizeof doc);
    REQUIRE(!symbi_schemapin_discovery_read(cx, symbi_str_z(doc), NULL, &d, &err));
    REQUIRE(!symbi_schemapin_folder_new(cx, false, &f, &err));
    put(f, "SKILL.md", "hello");
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.skill_name = S("s");
    o.domain = S("example.com");
    o.now = NOW;
    CHECK_OK(symbi_schemapin_skill_sign(cx, f, key, &o, &sig, &err), err);
    symbi_schemapin_folder_free(f);
    CHECK(check_folder("hello", symbi_text_str(&sig), d, S("Example.com"), false) == SYMBI_SCHEMAPIN_OK);
    CHECK(check_folder("hellO", symbi_text_str(&sig), d, S(""), false) == SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    CHECK(check_folder("hello", (symbi_str){ NULL, 0 }, d, S(""), false) == SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    CHECK(check_folder("hello", (symbi_str){ sig.p, sig.n / 2 }, d, S(""), false) == SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    CHECK(check_folder("hello", S("[]"), d, S(""), false) == SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    CHECK(check_folder("hello", S("{}"), d, S(""), false) == SYMBI_SCHEMAPIN_SIGNATURE_INVALID);
    CHECK(check_folder("hello", symbi_text_str(&sig), NULL, S(""), false) == SYMBI_SCHEMAPIN_DISCOVERY_FETCH_FAILED);
    /* a folder signed by one domain, checked with another one's key and name */
    CHECK(check_folder("hello", symbi_text_str(&sig), d, S("evil.com"), false) == SYMBI_SCHEMAPIN_DOMAIN_MISMATCH);
    CHECK(check_folder("hello", symbi_text_str(&sig), d, S("example.com."), false) == SYMBI_SCHEMAPIN_DOMAIN_MISMATCH);
    /* what is not signed, and can be compared */
    symbi_schemapin_fingerprint(key, kid);
    p = strstr(sig.p, "\"skill_hash\": \"sha256:");
    REQUIRE(p);
    {
        char old[40], fresh[40];
        memcpy(old, p, 26);
        old[26] = 0;
        memcpy(fresh, old, 27);
        fresh[25] = fresh[25] == '0' ? '1' : '0';
        CHECK(check_folder("hello", swap(symbi_text_str(&sig), old, fresh, buf), d, S(""), false) == SYMBI_SCHEMAPIN_FILES_TAMPERED);
        CHECK(check_folder("hello", swap(symbi_text_str(&sig), old, fresh, buf), d, S(""), true) == SYMBI_SCHEMAPIN_OK);
    }
    CHECK(check_folder("hello", swap(symbi_text_str(&sig), "\"SKILL.md\"", "\"OTHER.md\"", buf), d, S(""), false) == SYMBI_SCHEMAPIN_FILES_TAMPERED);
    CHECK(check_folder("hello", swap(symbi_text_str(&sig), kid, "sha256:0000000000000000000000000000000000000000000000000000000000000000", buf), d, S(""), false) == SYMBI_SCHEMAPIN_SIGNER_MISMATCH);
    CHECK(check_folder("hello", swap(symbi_text_str(&sig), kid, "team-key-1", buf), d, S(""), false) == SYMBI_SCHEMAPIN_OK);
    symbi_text_free(&sig);
    symbi_text_free(&pem);
    symbi_schemapin_discovery_unref(d);
    symbi_key_unref(key);
}

static void test_names_in_front_matter(void)
{
    static char big[200000];
    char buf[SYMBI_SCHEMAPIN_MAX_NAME];
    symbi_str dir = S("dir");
    CHECK_STR(symbi_schemapin_skill_name(S("---\nname: x\n---\n"), dir, buf), "x");
    CHECK_STR(symbi_schemapin_skill_name(S("---\nname: \n---\n"), dir, buf), "dir"); /* empty is absent */
    CHECK_STR(symbi_schemapin_skill_name(S("---\n\n---\nname: no\n---\n"), dir, buf), "no"); /* as the expression backtracks */
    CHECK_STR(symbi_schemapin_skill_name((symbi_str){ NULL, 0 }, dir, buf), "dir");
    CHECK_STR(symbi_schemapin_skill_name(S("---\nname: \xff\n---\n"), dir, buf), "dir");
    /* nothing takes long: much white space, many lines that nearly match */
    memset(big, ' ', sizeof big);
    memcpy(big, "---\nname:", 9);
    memcpy(big + sizeof big - 5, "x#\n---", 5);
    CHECK_STR(symbi_schemapin_skill_name((symbi_str){ big, sizeof big }, dir, buf), "dir");
    for (size_t i = 4; i + 8 < sizeof big; i += 8) memcpy(big + i, "name: #\n", 8);
    memcpy(big + sizeof big - 8, "\n---\n   ", 8);
    CHECK_STR(symbi_schemapin_skill_name((symbi_str){ big, sizeof big }, dir, buf), "dir");
    memset(big + 3, '\n', sizeof big - 3);
    CHECK_STR(symbi_schemapin_skill_name((symbi_str){ big, sizeof big }, dir, buf), "dir");
}

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

static symbi_status scenario(symbi_ctx *c2, void *ud)
{
    const symbi_key *key = ud;
    static const char bundle[] = "[{\"created_at\":\"2026\",\"documents\":[{\"domain\":\"a.com\",\"revoked_keys\":[\"f\"]}],\"revocations\":[]},{\"created_at\":\"2027\",\"documents\":[{\"domain\":\"a.com\"}]}]";
    symbi_schemapin_folder *f = NULL;
    symbi_schemapin_result *r = NULL;
    symbi_schemapin_discovery *d = NULL;
    symbi_schemapin_online *m = NULL;
    symbi_doc *doc = NULL, *merged = NULL, *da = NULL, *db = NULL;
    symbi_text sig = { 0 }, signed_bundle = { 0 };
    symbi_schemapin_skill_options o;
    symbi_schemapin_skill_check c;
    symbi_schemapin_ask ask;
    symbi_schemapin_answer a;
    char text[600];
    bool wanted;
    symbi_err err;
    symbi_status st = symbi_schemapin_folder_new(c2, false, &f, &err);
    for (int i = 0; i < 3 && !st; i++) {
        char name[2] = { (char)('c' - i), 0 };
        st = symbi_schemapin_folder_begin(f, (symbi_str){ name, 1 }, SYMBI_SCHEMAPIN_ENTRY_FILE, &wanted, &err);
        if (!st) st = symbi_schemapin_folder_data(f, S("data"), &err);
        if (!st) st = symbi_schemapin_folder_end(f, &err);
    }
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.skill_name = S("s");
    o.domain = S("d.com");
    o.now = NOW;
    if (!st) st = symbi_schemapin_skill_sign(c2, f, key, &o, &sig, &err);
    snprintf(text, sizeof text, "{\"schema_version\":\"1.2\",\"public_key_pem\":\"%s\"}", good_pem);
    if (!st) st = symbi_schemapin_online_new(c2, S("d.com"), true, &m, &err);
    memset(&a, 0, sizeof a);
    a.http_status = 200;
    a.body = symbi_str_z(text);
    if (!st) st = symbi_schemapin_online_next(m, &ask, &err);
    if (!st) st = symbi_schemapin_online_resolve(m, ask.id, &a, &err);
    if (!st) st = symbi_schemapin_discovery_read(c2, symbi_str_z(text), NULL, &d, &err);
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    c.folder = f;
    c.signature_json = symbi_text_str(&sig);
    c.discovery = d;
    c.now = NOW;
    if (!st) st = symbi_schemapin_check_skill(c2, &c, &r, &err);
    if (!st) st = symbi_json_parse(c2, symbi_str_z(bundle), &doc, &err);
    if (!st) st = symbi_schemapin_bundle_merge(c2, symbi_doc_root(doc), &merged, &err);
    if (!st) st = symbi_schemapin_bundle_find(c2, symbi_doc_root(merged), S("a.com"), &da, &db, &err);
    if (!st) st = symbi_schemapin_bundle_sign(c2, symbi_doc_root(merged), key, S("k"), NOW, 10, &signed_bundle, &err);
    symbi_text_free(&signed_bundle);
    symbi_doc_unref(da);
    symbi_doc_unref(db);
    symbi_doc_unref(merged);
    symbi_doc_unref(doc);
    symbi_schemapin_result_unref(r);
    symbi_schemapin_discovery_unref(d);
    symbi_schemapin_online_free(m);
    symbi_text_free(&sig);
    symbi_schemapin_folder_free(f);
    return st;
}

/* An answer that there was no memory for was not given: the same one, once more, goes on from there. */
static void test_online_again(void)
{
    char text[700];
    bool through = false;
    snprintf(text, sizeof text, "{\"schema_version\":\"1.2\",\"public_key_pem\":\"%s\",\"revocation_endpoint\":\"https://r.d.com/list\"}", good_pem);
    for (long n = 1; n < 200 && !through; n++) {
        counting_alloc ca = { 0 };
        symbi_env env;
        symbi_ctx *c2;
        symbi_schemapin_online *m;
        symbi_schemapin_ask ask;
        symbi_schemapin_answer a = { .http_status = 200, .body = symbi_str_z(text) };
        symbi_err err;
        symbi_status st;
        symbi_env_init(&env);
        env.alloc.fn = env.shared_alloc.fn = counting_fn;
        env.alloc.ud = env.shared_alloc.ud = &ca;
        REQUIRE(!symbi_ctx_new(&env, &c2, &err) && !symbi_schemapin_online_new(c2, S("d.com"), false, &m, &err) && !symbi_schemapin_online_next(m, &ask, &err));
        ca.count = 0;
        ca.fail_at = n;
        st = symbi_schemapin_online_resolve(m, ask.id, &a, &err);
        through = !ca.tripped;
        ca.fail_at = 0;
        if (st) CHECK(st == SYMBI_ENOMEM && !symbi_schemapin_online_resolve(m, ask.id, &a, &err));
        CHECK(!symbi_schemapin_online_next(m, &ask, &err));
        CHECK_STR(ask.url, "https://r.d.com/list");
        symbi_schemapin_online_free(m);
        symbi_ctx_free(c2);
        CHECK(!ca.live_blocks);
    }
    CHECK(through);
}

static void test_out_of_memory(void)
{
    symbi_key *key;
    symbi_err err;
    REQUIRE(!symbi_p256_generate(cx, &key, &err));
    test_oom(scenario, key, SYMBI_OK);
    symbi_key_unref(key);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, NULL)) return 1;
    RUN(test_pins);
    RUN(test_pin_files_that_are_none);
    RUN(test_asking);
    RUN(test_domains);
    RUN(test_lookups);
    RUN(test_bundles);
    RUN(test_merging_forgets_no_revocation);
    RUN(test_paths);
    RUN(test_folder_signatures);
    RUN(test_names_in_front_matter);
    RUN(test_online_again);
    RUN(test_out_of_memory);
    symbi_ctx_free(cx);
    return test_end();
}
