/* tests/unit/agentpin_store_test.c: pin stores (text form, damage, merging), nonce stores, documents that are edited, cards. */
#include "agentpin_make.h"

static symbi_doc *jwk(symbi_ctx *cx, const char *kid, const char *x) { return parse(cx, "{\"kid\":\"%s\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"y\"}", kid, x); }

static symbi_agentpin_pinning check(symbi_ctx *cx, symbi_agentpin_pins *p, const char *domain, const char *x, int64_t now)
{
    symbi_agentpin_pinning is = SYMBI_AGENTPIN_PIN_NONE;
    symbi_doc *k = jwk(cx, "k", x);
    symbi_err err;
    CHECK_OK(symbi_agentpin_pins_check(cx, p, zs(domain), symbi_doc_root(k), now, &is, &err), err);
    symbi_doc_unref(k);
    return is;
}

static void add(symbi_ctx *cx, symbi_agentpin_pins *p, const char *domain, const char *x)
{
    symbi_doc *k = jwk(cx, "k", x);
    symbi_err err;
    CHECK_OK(symbi_agentpin_pins_add(cx, p, zs(domain), symbi_doc_root(k), NOW, &err), err);
    symbi_doc_unref(k);
}

static symbi_agentpin_pins *reread(symbi_ctx *cx, const symbi_agentpin_pins *p, unsigned flags)
{
    symbi_agentpin_pins *q = NULL;
    symbi_text t;
    symbi_err err;
    CHECK_OK(symbi_agentpin_pins_write(cx, p, flags, &t, &err), err);
    CHECK_OK(symbi_agentpin_pins_parse(cx, symbi_text_str(&t), &q, NULL, &err), err);
    symbi_text_free(&t);
    return q;
}

static void test_pins(void)
{
    symbi_ctx *cx = new_ctx();
    symbi_agentpin_pins *p, *q;
    symbi_doc *d;
    symbi_err err;
    CHECK_OK(symbi_agentpin_pins_new(cx, &p, &err), err);
    CHECK(!symbi_agentpin_pins_changed(p));
    CHECK(check(cx, p, "a.com", "1", NOW) == SYMBI_AGENTPIN_PIN_FIRST_USE);
    CHECK(symbi_agentpin_pins_changed(p));
    CHECK(check(cx, p, "a.com", "1", NOW + 5) == SYMBI_AGENTPIN_PIN_MATCHED);
    CHECK(check(cx, p, "a.com", "2", NOW) == SYMBI_AGENTPIN_PIN_CHANGED);
    CHECK(check(cx, p, "a.com", "2", NOW) == SYMBI_AGENTPIN_PIN_CHANGED); /* asking twice does not help */
    CHECK(check(cx, p, "A.com", "2", NOW) == SYMBI_AGENTPIN_PIN_FIRST_USE);
    add(cx, p, "a.com", "2");
    CHECK(check(cx, p, "a.com", "2", NOW) == SYMBI_AGENTPIN_PIN_MATCHED);
    CHECK(symbi_agentpin_pins_count(p) == 2);
    for (unsigned flags = 0; flags <= SYMBI_AGENTPIN_PINS_RUNTIME; flags++) { /* both forms come back */
        q = reread(cx, p, flags);
        REQUIRE(q);
        CHECK(!symbi_agentpin_pins_changed(q));
        CHECK(check(cx, q, "a.com", "2", NOW) == SYMBI_AGENTPIN_PIN_MATCHED && check(cx, q, "a.com", "3", NOW) == SYMBI_AGENTPIN_PIN_CHANGED);
        symbi_agentpin_pins_free(q);
    }
    CHECK_OK(symbi_agentpin_pins_get(cx, p, zs("a.com"), &d, &err), err);
    CHECK_STR(symbi_value_str(&symbi_value_getz(symbi_doc_root(d), "pinned_keys")->u.a.items[0], "last_seen", zs("")), "2026-05-28T20:26:45Z");
    CHECK_STR(symbi_value_str(&symbi_value_getz(symbi_doc_root(d), "pinned_keys")->u.a.items[0], "trust_level", zs("")), "tofu");
    symbi_doc_unref(d);
    CHECK_OK(symbi_agentpin_pins_get(cx, p, zs("none"), &d, &err), err);
    CHECK(d == NULL);
    CHECK(symbi_agentpin_pins_remove(p, zs("none"), zs(""), &err) == SYMBI_ENOTFOUND);
    CHECK(symbi_agentpin_pins_remove(p, zs("a.com"), zs("xx"), &err) == SYMBI_ENOTFOUND);
    CHECK_OK(symbi_agentpin_pins_remove(p, zs("a.com"), zs(""), &err), err);
    CHECK(symbi_agentpin_pins_count(p) == 1 && check(cx, p, "A.com", "2", NOW) == SYMBI_AGENTPIN_PIN_MATCHED);
    CHECK(check(cx, p, "a.com", "9", NOW) == SYMBI_AGENTPIN_PIN_FIRST_USE);
    symbi_agentpin_pins_free(p);
    symbi_ctx_free(cx);
}

/* A damaged store is an error with its code, never an empty store. */
static void test_damaged(void)
{
    static const char good[] = "[{\"domain\":\"a.com\",\"pinned_keys\":[{\"kid\":\"k\",\"public_key_hash\":\"aa\",\"first_seen\":\"2026-01-15T00:00:00Z\",\"last_seen\":\"2026-01-15T00:00:00.123456+00:00\",\"trust_level\":\"tofu\"}]}]";
    static const char *const bad[] = { "", " ", "{}", "null", "\"\"", "\"{}\"", "[1]", "[{}]", "[{\"domain\":\"a\"}]", "[{\"domain\":1,\"pinned_keys\":[]}]", "[{\"domain\":\"a\",\"pinned_keys\":[{}]}]",
                                       "[{\"domain\":\"a\",\"pinned_keys\":[{\"kid\":\"k\",\"public_key_hash\":\"\",\"first_seen\":\"2026-01-15T00:00:00Z\",\"last_seen\":\"2026-01-15T00:00:00Z\",\"trust_level\":\"tofu\"}]}]",
                                       "[{\"domain\":\"a\",\"pinned_keys\":[{\"kid\":\"k\",\"public_key_hash\":\"h\",\"first_seen\":\"yesterday\",\"last_seen\":\"2026-01-15T00:00:00Z\",\"trust_level\":\"tofu\"}]}]",
                                       "[{\"domain\":\"a\",\"pinned_keys\":[{\"kid\":\"k\",\"public_key_hash\":\"h\",\"first_seen\":\"2026-01-15T00:00:00Z\",\"last_seen\":\"2026-01-15T00:00:00Z\",\"trust_level\":\"absolute\"}]}]" };
    symbi_ctx *cx = new_ctx();
    symbi_agentpin_pins *p;
    symbi_agentpin_code code;
    symbi_err err;
    CHECK_OK(symbi_agentpin_pins_parse(cx, zs(good), &p, &code, &err), err);
    symbi_agentpin_pins_free(p);
    for (size_t n = 0; n < sizeof good - 1; n++) { /* half written, at every byte */
        CHECK(symbi_agentpin_pins_parse(cx, (symbi_str){ good, n }, &p, &code, &err) != SYMBI_OK && !p && code == SYMBI_AGENTPIN_PIN_STORE_INVALID);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!symbi_agentpin_pins_parse(cx, zs(bad[i]), &p, &code, &err) || code != SYMBI_AGENTPIN_PIN_STORE_INVALID) printf("accepted: %s\n", bad[i]), t_now_failed = 1;
    }
    symbi_ctx_free(cx);
}

static void test_limits(void)
{
    symbi_ctx *cx = new_ctx();
    symbi_agentpin_pins *p;
    symbi_agentpin_pinning is;
    symbi_doc *k = jwk(cx, "k", "1");
    symbi_err err;
    char name[64];
    CHECK_OK(symbi_agentpin_pins_new(cx, &p, &err), err);
    for (int i = 0; i < SYMBI_AGENTPIN_MAX_KEYS; i++) {
        snprintf(name, sizeof name, "%d", i);
        add(cx, p, "many.com", name);
    }
    {
        symbi_doc *more = jwk(cx, "k", "one more");
        CHECK(symbi_agentpin_pins_add(cx, p, zs("many.com"), symbi_doc_root(more), NOW, &err) == SYMBI_ELIMIT);
        symbi_doc_unref(more);
    }
    for (int i = 1; i < SYMBI_AGENTPIN_MAX_DOMAINS; i++) {
        snprintf(name, sizeof name, "d%d.com", i);
        if (symbi_agentpin_pins_check(cx, p, zs(name), symbi_doc_root(k), NOW, &is, &err)) break;
    }
    CHECK(symbi_agentpin_pins_count(p) == SYMBI_AGENTPIN_MAX_DOMAINS);
    CHECK(symbi_agentpin_pins_check(cx, p, zs("one.more"), symbi_doc_root(k), NOW, &is, &err) == SYMBI_ELIMIT);
    CHECK(symbi_agentpin_pins_count(p) == SYMBI_AGENTPIN_MAX_DOMAINS);
    CHECK(check(cx, p, "d7.com", "2", NOW) == SYMBI_AGENTPIN_PIN_CHANGED); /* full is not forgetful */
    symbi_doc_unref(k);
    symbi_agentpin_pins_free(p);
    symbi_ctx_free(cx);
}

/* Two processes, A and B, that read the same file and change it. */
static void test_merge(void)
{
    symbi_ctx *cx = new_ctx();
    symbi_agentpin_pins *base, *a, *b, *disk;
    symbi_err err;
    size_t conflicts;
    CHECK_OK(symbi_agentpin_pins_new(cx, &base, &err), err);
    check(cx, base, "old.com", "1", NOW);
    check(cx, base, "gone.com", "1", NOW);
    a = reread(cx, base, 0);
    b = reread(cx, base, 0);
    check(cx, a, "a.com", "1", NOW);
    check(cx, a, "both.com", "1", NOW);
    check(cx, a, "clash.com", "1", NOW);
    check(cx, a, "old.com", "1", NOW + 100);
    add(cx, a, "old.com", "2");
    CHECK_OK(symbi_agentpin_pins_remove(a, zs("gone.com"), zs(""), &err), err);
    check(cx, b, "b.com", "1", NOW);
    check(cx, b, "both.com", "1", NOW);
    check(cx, b, "clash.com", "EVIL", NOW);
    add(cx, b, "old.com", "3");
    disk = reread(cx, base, 0); /* A saves */
    CHECK_OK(symbi_agentpin_pins_merge(a, disk, &conflicts, &err), err);
    CHECK(conflicts == 0);
    symbi_agentpin_pins_free(disk);
    disk = reread(cx, a, 0);
    symbi_agentpin_pins_saved(a);
    CHECK(!symbi_agentpin_pins_changed(a));
    CHECK_OK(symbi_agentpin_pins_merge(b, disk, &conflicts, &err), err); /* B saves */
    CHECK(conflicts == 1);
    CHECK(check(cx, b, "a.com", "1", NOW) == SYMBI_AGENTPIN_PIN_MATCHED);
    CHECK(check(cx, b, "b.com", "1", NOW) == SYMBI_AGENTPIN_PIN_MATCHED);
    CHECK(check(cx, b, "both.com", "1", NOW) == SYMBI_AGENTPIN_PIN_MATCHED);
    CHECK(check(cx, b, "clash.com", "1", NOW) == SYMBI_AGENTPIN_PIN_MATCHED);     /* first come, first pinned */
    CHECK(check(cx, b, "clash.com", "EVIL", NOW) == SYMBI_AGENTPIN_PIN_CHANGED);
    CHECK(check(cx, b, "old.com", "1", NOW) == SYMBI_AGENTPIN_PIN_MATCHED);
    CHECK(check(cx, b, "old.com", "2", NOW) == SYMBI_AGENTPIN_PIN_MATCHED);
    CHECK(check(cx, b, "old.com", "3", NOW) == SYMBI_AGENTPIN_PIN_MATCHED);
    CHECK(check(cx, b, "gone.com", "9", NOW) == SYMBI_AGENTPIN_PIN_FIRST_USE);    /* A's removal holds */
    symbi_agentpin_pins_free(disk);
    /* removed and pinned anew by the same hand: the new one stays */
    disk = reread(cx, a, 0);
    CHECK_OK(symbi_agentpin_pins_remove(a, zs("a.com"), zs(""), &err), err);
    check(cx, a, "a.com", "NEW", NOW);
    CHECK_OK(symbi_agentpin_pins_merge(a, disk, &conflicts, &err), err);
    CHECK(conflicts == 0 && check(cx, a, "a.com", "NEW", NOW) == SYMBI_AGENTPIN_PIN_MATCHED && check(cx, a, "a.com", "1", NOW) == SYMBI_AGENTPIN_PIN_CHANGED);
    symbi_agentpin_pins_free(disk);
    symbi_agentpin_pins_free(a);
    symbi_agentpin_pins_free(b);
    symbi_agentpin_pins_free(base);
    symbi_ctx_free(cx);
}

static symbi_status oom_pins(symbi_ctx *cx, void *ud)
{
    static const char text[] = "[{\"domain\":\"a.com\",\"pinned_keys\":[{\"kid\":\"k\",\"public_key_hash\":\"aa\",\"first_seen\":\"2026-01-15T00:00:00Z\",\"last_seen\":\"2026-01-15T00:00:00Z\",\"trust_level\":\"tofu\"}]}]";
    symbi_agentpin_pins *p = NULL, *q = NULL;
    symbi_agentpin_pinning is;
    symbi_text t;
    symbi_doc *k = NULL;
    symbi_err err;
    symbi_status st = symbi_agentpin_pins_parse(cx, zs(text), &p, NULL, &err);
    (void)ud;
    memset(&t, 0, sizeof t);
    if (!st) st = symbi_json_parse(cx, zs("{\"kid\":\"k\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"1\",\"y\":\"2\"}"), &k, &err);
    if (!st) st = symbi_agentpin_pins_check(cx, p, zs("b.com"), symbi_doc_root(k), NOW, &is, &err);
    if (!st) st = symbi_agentpin_pins_add(cx, p, zs("a.com"), symbi_doc_root(k), NOW, &err);
    if (!st) st = symbi_agentpin_pins_remove(p, zs("a.com"), zs("aa"), &err);
    if (!st) st = symbi_agentpin_pins_parse(cx, zs(text), &q, NULL, &err);
    if (!st) st = symbi_agentpin_pins_merge(p, q, NULL, &err);
    if (!st) st = symbi_agentpin_pins_write(cx, p, SYMBI_AGENTPIN_PINS_RUNTIME, &t, &err);
    if (!st && symbi_agentpin_pins_count(p) != 2) st = SYMBI_ESTATE;
    symbi_text_free(&t);
    symbi_doc_unref(k);
    symbi_agentpin_pins_free(p);
    symbi_agentpin_pins_free(q);
    return st;
}
static void test_oom_pins(void) { test_oom(oom_pins, NULL, SYMBI_OK); }

static void test_nonces(void)
{
    symbi_ctx *cx = new_ctx();
    symbi_agentpin_nonces *n;
    symbi_err err;
    char text[200], big[SYMBI_AGENTPIN_MAX_NONCE + 2];
    CHECK_OK(symbi_agentpin_nonces_new(cx, 3, &n, &err), err);
    CHECK_OK(symbi_agentpin_nonces_use(n, zs("a"), 100, 160, &err), err);
    CHECK(symbi_agentpin_nonces_use(n, zs("a"), 100, 160, &err) == SYMBI_EEXISTS);
    CHECK(symbi_agentpin_nonces_seen(n, zs("a"), 159) && !symbi_agentpin_nonces_seen(n, zs("a"), 160) && !symbi_agentpin_nonces_seen(n, zs("b"), 100));
    CHECK_OK(symbi_agentpin_nonces_use(n, zs("b"), 100, 170, &err), err);
    CHECK_OK(symbi_agentpin_nonces_use(n, zs("c"), 100, 180, &err), err);
    CHECK(symbi_agentpin_nonces_use(n, zs("d"), 100, 190, &err) == SYMBI_ELIMIT); /* full: nothing is forgotten */
    CHECK(symbi_agentpin_nonces_use(n, zs("a"), 159, 190, &err) == SYMBI_EEXISTS);
    CHECK_OK(symbi_agentpin_nonces_use(n, zs("d"), 160, 190, &err), err);          /* a's time is over */
    CHECK(symbi_agentpin_nonces_count(n) == 3);
    CHECK(symbi_agentpin_nonces_use(n, zs("b"), 160, 190, &err) == SYMBI_EEXISTS);
    CHECK_OK(symbi_agentpin_nonces_use(n, zs("b"), 170, 300, &err), err);
    CHECK(symbi_agentpin_nonces_use(n, zs("b"), 299, 400, &err) == SYMBI_EEXISTS);
    CHECK(symbi_agentpin_nonces_use(n, zs("x"), 10, 10, &err) == SYMBI_EINVAL);
    CHECK(symbi_agentpin_nonces_use(n, zs(""), 10, 20, &err) == SYMBI_EINVAL);
    memset(big, 'x', sizeof big);
    CHECK_OK(symbi_agentpin_nonces_use(n, (symbi_str){ big, SYMBI_AGENTPIN_MAX_NONCE }, 500, 600, &err), err);
    CHECK(symbi_agentpin_nonces_use(n, (symbi_str){ big, SYMBI_AGENTPIN_MAX_NONCE + 1 }, 500, 600, &err) == SYMBI_EINVAL);
    symbi_agentpin_nonces_free(n);
    CHECK_OK(symbi_agentpin_nonces_new(cx, 5000, &n, &err), err);
    for (int64_t i = 0; i < 20000; i++) { /* a window that moves on: never more than what is live */
        snprintf(text, sizeof text, "n%d", (int)i);
        CHECK_OK(symbi_agentpin_nonces_use(n, zs(text), i, i + 60, &err), err);
        CHECK(symbi_agentpin_nonces_use(n, zs(text), i, i + 60, &err) == SYMBI_EEXISTS);
    }
    CHECK(symbi_agentpin_nonces_count(n) <= 5000);
    symbi_agentpin_nonces_free(n);
    symbi_ctx_free(cx);
}

static void test_mutual(void)
{
    symbi_ctx *cx = new_ctx();
    symbi_key *k = new_key(cx), *other = new_key(cx);
    symbi_doc *c, *r, *bound;
    symbi_agentpin_mutual m = { sizeof m, .now = NOW };
    symbi_agentpin_code code;
    symbi_err err;
    bool ok;
    CHECK_OK(symbi_agentpin_challenge(cx, zs(""), NOW, &c, &err), err);
    CHECK(symbi_value_str(symbi_doc_root(c), "nonce", zs("")).n == 22);
    CHECK_OK(symbi_agentpin_response(cx, symbi_doc_root(c), k, zs("k1"), zs(""), &r, &err), err);
    CHECK_OK(symbi_agentpin_response(cx, symbi_doc_root(c), k, zs("k1"), zs("a asks b"), &bound, &err), err);
    CHECK_OK(symbi_agentpin_response_verify(cx, symbi_doc_root(r), symbi_doc_root(c), k, &m, &ok, &code, &err), err);
    CHECK(ok);
    CHECK_OK(symbi_agentpin_response_verify(cx, symbi_doc_root(r), symbi_doc_root(c), other, &m, &ok, &code, &err), err);
    CHECK(!ok);
    m.binding = zs("a asks b");
    CHECK_OK(symbi_agentpin_response_verify(cx, symbi_doc_root(r), symbi_doc_root(c), k, &m, &ok, &code, &err), err);
    CHECK(!ok); /* relayed from another conversation */
    CHECK_OK(symbi_agentpin_response_verify(cx, symbi_doc_root(bound), symbi_doc_root(c), k, &m, &ok, &code, &err), err);
    CHECK(ok);
    m.kid = zs("k2");
    CHECK_OK(symbi_agentpin_response_verify(cx, symbi_doc_root(bound), symbi_doc_root(c), k, &m, &ok, &code, &err), err);
    CHECK(!ok);
    m.kid = zs("");
    CHECK_OK(symbi_agentpin_nonces_new(cx, 0, &m.nonces, &err), err);
    CHECK_OK(symbi_agentpin_response_verify(cx, symbi_doc_root(r), symbi_doc_root(c), k, &m, &ok, &code, &err), err);
    CHECK(!ok && symbi_agentpin_nonces_count(m.nonces) == 0); /* junk uses up nothing */
    CHECK_OK(symbi_agentpin_response_verify(cx, symbi_doc_root(bound), symbi_doc_root(c), k, &m, &ok, &code, &err), err);
    CHECK(ok);
    CHECK(symbi_agentpin_response_verify(cx, symbi_doc_root(bound), symbi_doc_root(c), k, &m, &ok, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_NONCE_REPLAYED && !ok);
    m.now = NOW + 60;
    CHECK(symbi_agentpin_response_verify(cx, symbi_doc_root(bound), symbi_doc_root(c), k, &m, &ok, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_NONCE_REPLAYED);
    m.now = NOW + 61;
    CHECK(symbi_agentpin_response_verify(cx, symbi_doc_root(bound), symbi_doc_root(c), k, &m, &ok, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_NONCE_EXPIRED);
    m.now = NOW - 61;
    CHECK(symbi_agentpin_response_verify(cx, symbi_doc_root(bound), symbi_doc_root(c), k, &m, &ok, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_CHALLENGE_INVALID);
    m.now = INT64_MIN;
    CHECK(symbi_agentpin_response_verify(cx, symbi_doc_root(bound), symbi_doc_root(c), k, &m, &ok, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_CHALLENGE_INVALID);
    m.now = INT64_MAX;
    CHECK(symbi_agentpin_response_verify(cx, symbi_doc_root(bound), symbi_doc_root(c), k, &m, &ok, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_NONCE_EXPIRED);
    m.now = NOW + 61;
    m.ttl_secs = INT64_MAX; /* a nonce of the same name that is kept for ever */
    CHECK_OK(symbi_agentpin_response_verify(cx, symbi_doc_root(bound), symbi_doc_root(c), k, &m, &ok, &code, &err), err);
    CHECK(ok);
    m.ttl_secs = 0;
    m.now = NOW;
    CHECK(symbi_agentpin_response_verify(cx, symbi_doc_root(c), symbi_doc_root(c), k, &m, &ok, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_CHALLENGE_INVALID); /* a challenge reflected */
    CHECK(symbi_agentpin_response_verify(cx, NULL, NULL, k, &m, &ok, &code, &err) == SYMBI_EVERIFY && !ok);
    symbi_agentpin_nonces_free(m.nonces);
    symbi_doc_unref(c);
    symbi_doc_unref(r);
    symbi_doc_unref(bound);
    symbi_key_unref(k);
    symbi_key_unref(other);
    symbi_ctx_free(cx);
}

/* A card alone proves nothing; with the domain's document it does. */
static void test_cards(void)
{
    symbi_ctx *cx = new_ctx();
    symbi_key *k = new_key(cx), *mallory = new_key(cx);
    symbi_doc *doc = discovery(cx, "example.com", k, "k1"), *plain, *card, *forged, *derived, *rev;
    symbi_agentpin_code code;
    symbi_err err;
    CHECK_OK(symbi_agentpin_card_build(cx, symbi_agentpin_find_agent(symbi_doc_root(doc), zs("a")), zs("https://example.com/a"), NULL, &plain, &err), err);
    CHECK_OK(symbi_agentpin_card_sign(cx, symbi_doc_root(plain), zs("https://example.com/.well-known/agent-identity.json"), k, zs("k1"), &card, &err), err);
    CHECK_OK(symbi_agentpin_card_sign(cx, symbi_doc_root(plain), zs("https://example.com/.well-known/agent-identity.json"), mallory, zs("k1"), &forged, &err), err);
    CHECK(symbi_agentpin_card_sign(cx, symbi_doc_root(plain), zs("http://example.com/x"), k, zs("k1"), &derived, &err) == SYMBI_EINVAL);
    CHECK_OK(symbi_agentpin_card_verify(cx, symbi_doc_root(card), &code, &err), err);
    CHECK_OK(symbi_agentpin_card_verify(cx, symbi_doc_root(forged), &code, &err), err); /* upstream stops here */
    CHECK(symbi_agentpin_card_verify_with_discovery(cx, symbi_doc_root(forged), symbi_doc_root(doc), NULL, NOW, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_KEY_NOT_FOUND);
    CHECK(!symbi_agentpin_card_same_key(cx, symbi_doc_root(card), symbi_doc_root(forged)));
    CHECK(symbi_agentpin_card_verify_with_discovery(cx, symbi_doc_root(card), symbi_doc_root(doc), NULL, NOW, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_CAPABILITY_EXCEEDED); /* admin:* */
    symbi_doc_unref(plain);
    symbi_doc_unref(card);
    plain = parse(cx, "{\"name\":\"A\",\"url\":\"https://example.com/a\",\"capabilities\":{},\"skills\":[{\"id\":\"read:x\",\"name\":\"read:x\"}],\"extra\":[null,1.5]}");
    CHECK_OK(symbi_agentpin_card_sign(cx, symbi_doc_root(plain), zs("https://example.com/.well-known/agent-identity.json"), k, zs("k1"), &card, &err), err);
    CHECK_OK(symbi_agentpin_card_verify_with_discovery(cx, symbi_doc_root(card), symbi_doc_root(doc), NULL, NOW, &code, &err), err);
    rev = parse(cx, "{\"entity\":\"example.com\",\"revoked_credentials\":[],\"revoked_agents\":[],\"revoked_keys\":[{\"kid\":\"k1\",\"reason\":\"superseded\"}]}");
    CHECK(symbi_agentpin_card_verify_with_discovery(cx, symbi_doc_root(card), symbi_doc_root(doc), symbi_doc_root(rev), NOW, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_KEY_REVOKED);
    CHECK_OK(symbi_agentpin_card_discovery(cx, symbi_doc_root(card), NOW, &derived, &code, &err), err);
    CHECK_OK(symbi_agentpin_discovery_validate(symbi_doc_root(derived), zs("example.com"), true, &code, NULL, &err), err); /* usable, unlike upstream's */
    symbi_doc_unref(derived);
    symbi_doc_unref(card);
    CHECK_OK(symbi_agentpin_card_sign(cx, symbi_doc_root(plain), zs("https://example.com/mine.json"), k, zs("k1"), &card, &err), err);
    CHECK(symbi_agentpin_card_verify_with_discovery(cx, symbi_doc_root(card), symbi_doc_root(doc), NULL, NOW, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_DISCOVERY_INVALID);
    symbi_doc_unref(card);
    card = parse(cx, "{\"name\":\"A\",\"agentpin\":{\"agentpin_endpoint\":\"https://user@example.com/x\"}}");
    CHECK(symbi_agentpin_card_discovery(cx, symbi_doc_root(card), NOW, &derived, &code, &err) == SYMBI_EVERIFY && code == SYMBI_AGENTPIN_DISCOVERY_INVALID);
    symbi_doc_unref(card);
    symbi_doc_unref(forged);
    symbi_doc_unref(plain);
    symbi_doc_unref(rev);
    symbi_doc_unref(doc);
    symbi_key_unref(k);
    symbi_key_unref(mallory);
    symbi_ctx_free(cx);
}

static void test_documents(void)
{
    symbi_ctx *cx = new_ctx();
    symbi_key *k = new_key(cx), *k2 = new_key(cx);
    symbi_doc *doc = discovery(cx, "example.com", k, "k1"), *rev, *rev2, *more, *jwk2, *done, *done_rev;
    symbi_err err;
    CHECK_OK(symbi_agentpin_revocation_build(cx, zs("example.com"), NOW, &rev, &err), err);
    CHECK(symbi_agentpin_revocation_add(cx, symbi_doc_root(rev), SYMBI_AGENTPIN_REVOKE_AGENT, zs("a"), zs("because"), NOW, &rev2, &err) == SYMBI_EINVAL);
    CHECK(symbi_agentpin_revocation_add(cx, symbi_doc_root(doc), SYMBI_AGENTPIN_REVOKE_AGENT, zs("a"), zs("superseded"), NOW, &rev2, &err) == SYMBI_ESCHEMA);
    CHECK_OK(symbi_agentpin_revocation_add(cx, symbi_doc_root(rev), SYMBI_AGENTPIN_REVOKE_AGENT, zs("a"), zs("superseded"), NOW, &rev2, &err), err);
    symbi_doc_unref(rev);
    CHECK_OK(symbi_agentpin_revocation_add(cx, symbi_doc_root(rev2), SYMBI_AGENTPIN_REVOKE_AGENT, zs("a"), zs("key_compromise"), NOW + 9, &rev, &err), err);
    CHECK(symbi_value_equal(symbi_doc_root(rev), symbi_doc_root(rev2))); /* revoked once */
    CHECK_OK(symbi_agentpin_jwk(cx, k2, zs("k2"), &jwk2, &err), err);
    CHECK(symbi_agentpin_rotation_complete(cx, symbi_doc_root(doc), symbi_doc_root(rev), zs("k1"), zs("superseded"), NOW, &done, &done_rev, &err) == SYMBI_ESTATE && !done && !done_rev);
    CHECK_OK(symbi_agentpin_rotation_apply(cx, symbi_doc_root(doc), symbi_doc_root(jwk2), NOW, &more, &err), err);
    CHECK(symbi_agentpin_rotation_apply(cx, symbi_doc_root(more), symbi_doc_root(jwk2), NOW, &done, &err) == SYMBI_EEXISTS);
    CHECK_OK(symbi_agentpin_rotation_complete(cx, symbi_doc_root(more), symbi_doc_root(rev), zs("k1"), zs("superseded"), NOW, &done, &done_rev, &err), err);
    CHECK(!symbi_agentpin_find_key(symbi_doc_root(done), zs("k1")) && symbi_agentpin_find_key(symbi_doc_root(done), zs("k2")));
    CHECK(symbi_agentpin_revocation_check(symbi_doc_root(done_rev), zs("example.com"), zs("j"), zs("x"), zs("k1"), NULL, NULL, &err) == SYMBI_EVERIFY);
    symbi_doc_unref(done);
    symbi_doc_unref(done_rev);
    symbi_doc_unref(more);
    symbi_doc_unref(jwk2);
    symbi_doc_unref(rev);
    symbi_doc_unref(rev2);
    symbi_doc_unref(doc);
    symbi_key_unref(k);
    symbi_key_unref(k2);
    symbi_ctx_free(cx);
}

static void test_times(void)
{
    static const struct {
        const char *text;
        int64_t t;
    } good[] = { { "1970-01-01T00:00:00Z", 0 },           { "2026-05-28T20:26:40Z", NOW },      { "2026-05-28t20:26:40.999z", NOW }, { "2026-05-28T22:26:40+02:00", NOW },
                 { "1960-01-01T00:00:00Z", -315619200 }, { "9999-12-31T23:59:59Z", 253402300799 }, { "2024-02-29T00:00:00Z", 1709164800 } };
    static const char *const bad[] = { "", "2026-05-28", "2026-05-28 20:26:40Z", "2026-05-28T20:26:40", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-05-28T24:00:00Z",
                                       "2026-05-28T20:26:40.Z", "2026-05-28T20:26:40+0200", "2026-05-28T20:26:40Zx", "20260-5-28T20:26:40Z", "2026-05-28T20:26:40+25:00" };
    char out[21];
    int64_t t;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK(symbi_agentpin_parse_time(zs(good[i].text), &t) && t == good[i].t);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!symbi_agentpin_parse_time(zs(bad[i]), &t));
    symbi_agentpin_format_time(NOW, out);
    CHECK_STR(zs(out), "2026-05-28T20:26:40Z");
    symbi_agentpin_format_time(INT64_MAX, out);
    CHECK_STR(zs(out), "9999-12-31T23:59:59Z");
    symbi_agentpin_format_time(INT64_MIN, out);
    CHECK_STR(zs(out), "0000-01-01T00:00:00Z");
}

static void test_rates(void)
{
    static const struct {
        const char *text;
        int64_t n; /* -1: none */
    } rows[] = { { "5/hour", 5 }, { "2/minute", 120 }, { "1/second", 3600 }, { "0/hour", 0 }, { "/hour", -1 }, { "5", -1 }, { "", -1 }, { "5/", -1 }, { "5/day", -1 }, { "5/hour ", -1 }, { " 5/hour", -1 }, { "-5/hour", -1 },
                 { "5/Hour", -1 }, { "9223372036854775807/hour", INT64_MAX }, { "9223372036854775807/second", INT64_MAX }, { "9999999999999999999/hour", INT64_MAX },
                 { "18446744073709551616/hour", -1 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t n = -1;
        if (!symbi_agentpin_rate_limit(zs(rows[i].text), &n)) n = -1;
        if (n != rows[i].n) printf("%s: %lld\n", rows[i].text, (long long)n), t_now_failed = 1;
    }
}

/* Constraints that only the strict comparison looks at. */
static void test_strict_constraints(void)
{
    static const struct {
        const char *doc, *cred;
        bool upstream, strict;
    } rows[] = {
        { "{\"denied_domains\":[\"x.com\"]}", "{\"denied_domains\":[\"x.com\",\"y.com\"]}", true, true },
        { "{\"denied_domains\":[\"x.com\"]}", "{\"denied_domains\":[\"*.com\"]}", true, true },
        { "{\"denied_domains\":[\"*.x.com\"]}", "{\"denied_domains\":[\"a.x.com\"]}", true, false },
        { "{\"ip_allowlist\":[\"10.0.0.0/8\"]}", "{\"ip_allowlist\":[\"10.1.0.0/16\",\"10.2.3.4\"]}", true, true },
        { "{\"ip_allowlist\":[\"10.0.0.0/8\"]}", "{\"ip_allowlist\":[\"11.0.0.0/16\"]}", true, false },
        { "{\"ip_allowlist\":[\"10.0.0.0/8\"]}", "{\"ip_allowlist\":[\"10.0.0.0/7\"]}", true, false },
        { "{\"ip_allowlist\":[\"10.0.0.0/8\"]}", "{\"ip_allowlist\":[]}", true, false },
        { "{\"ip_allowlist\":[\"2001:db8::/32\"]}", "{\"ip_allowlist\":[\"2001:db8:1::/48\"]}", true, true },
        { "{\"ip_allowlist\":[\"2001:db8::/32\"]}", "{\"ip_allowlist\":[\"10.0.0.1\"]}", true, false },
        { "{\"valid_hours\":{\"start\":\"09:00\",\"end\":\"17:00\",\"timezone\":\"UTC\"}}", "{\"valid_hours\":{\"start\":\"10:00\",\"end\":\"17:00\",\"timezone\":\"UTC\"}}", true, true },
        { "{\"valid_hours\":{\"start\":\"09:00\",\"end\":\"17:00\",\"timezone\":\"UTC\"}}", "{\"valid_hours\":{\"start\":\"10:00\",\"end\":\"17:01\",\"timezone\":\"UTC\"}}", true, false },
        { "{\"valid_hours\":{\"start\":\"22:00\",\"end\":\"06:00\",\"timezone\":\"UTC\"}}", "{\"valid_hours\":{\"start\":\"23:30\",\"end\":\"05:00\",\"timezone\":\"UTC\"}}", true, true },
        { "{\"valid_hours\":{\"start\":\"09:00\",\"end\":\"17:00\",\"timezone\":\"UTC\"}}", "{\"valid_hours\":{\"start\":\"10:00\",\"end\":\"11:00\",\"timezone\":\"Asia/Tokyo\"}}", true, false },
        { "{\"rate_limit\":\"5/hour\"}", "{\"rate_limit\":\"lots\"}", true, false },
        { "{\"data_classification_max\":\"internal\"}", "{\"data_classification_max\":\"cosmic\"}", true, false },
        { "{\"allowed_domains\":[\"a.com\"]}", "{\"allowed_domains\":[]}", false, false },
        { "{\"allowed_domains\":[\"A.com\"]}", "{\"allowed_domains\":[\"a.COM\"]}", true, true },
        /* what the document says cannot be read: nothing is within it but the same again */
        { "{\"rate_limit\":\"+5/hour\"}", "{\"rate_limit\":\"100/hour\"}", true, false },
        { "{\"rate_limit\":\"100/day\"}", "{\"rate_limit\":\"100/day\"}", true, true },
        { "{\"rate_limit\":\"100/day\"}", "{}", true, true },
        { "{\"rate_limit\":5}", "{\"rate_limit\":\"5/hour\"}", true, false },
        { "{\"data_classification_max\":\"Public\"}", "{\"data_classification_max\":\"restricted\"}", true, false },
        { "{\"data_classification_max\":\"cosmic\"}", "{\"data_classification_max\":\"cosmic\"}", true, true },
        { "{\"allowed_domains\":\"a.com\"}", "{\"allowed_domains\":[\"b.com\"]}", true, false },
        { "{\"denied_domains\":\"a.com\"}", "{\"denied_domains\":[]}", true, false },
        { "{\"denied_domains\":[\"a.com\"]}", "{\"denied_domains\":[]}", true, false },
        { "{\"ip_allowlist\":\"10.0.0.0/8\"}", "{\"ip_allowlist\":[\"0.0.0.0/0\"]}", true, false },
        { "{\"ip_allowlist\":[]}", "{\"ip_allowlist\":[\"0.0.0.0/0\"]}", true, true },
        { "{\"valid_hours\":{\"start\":\"9:00\",\"end\":\"17:00\"}}", "{\"valid_hours\":{\"start\":\"00:00\",\"end\":\"23:59\"}}", true, false },
        { "{\"valid_hours\":\"nine to five\"}", "{\"valid_hours\":{\"start\":\"00:00\",\"end\":\"23:59\"}}", true, false },
        { "{\"valid_hours\":\"nine to five\"}", "{\"valid_hours\":\"nine to five\"}", true, true },
        { "{\"rate_limit\":\"5/day\",\"valid_hours\":null}", "{\"rate_limit\":null,\"valid_hours\":{\"start\":\"00:00\",\"end\":\"23:59\"}}", true, true },
    };
    symbi_ctx *cx = new_ctx();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        symbi_doc *d = parse(cx, "%s", rows[i].doc), *c = parse(cx, "%s", rows[i].cred);
        if (symbi_agentpin_constraints_subset(symbi_doc_root(d), symbi_doc_root(c), false) != rows[i].upstream || symbi_agentpin_constraints_subset(symbi_doc_root(d), symbi_doc_root(c), true) != rows[i].strict) {
            printf("%s against %s\n", rows[i].cred, rows[i].doc);
            t_now_failed = 1;
        }
        symbi_doc_unref(d);
        symbi_doc_unref(c);
    }
    symbi_ctx_free(cx);
}

int main(void)
{
    RUN(test_pins);
    RUN(test_damaged);
    RUN(test_limits);
    RUN(test_merge);
    RUN(test_oom_pins);
    RUN(test_nonces);
    RUN(test_mutual);
    RUN(test_cards);
    RUN(test_documents);
    RUN(test_times);
    RUN(test_rates);
    RUN(test_strict_constraints);
    return test_end();
}
