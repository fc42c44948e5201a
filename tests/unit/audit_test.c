/* audit_test.c: the audit trail over the in-memory store: formats against the vectors, gaps, clock, contention, batches,
 * every way of tampering, hostile batches, memory. */
#include "test.h"
#include "state/audit_chain.h"
#include "state/memstore.h"
#include "symbi/audit.h"
#include "symbi/json.h"

static symbi_ctx *cx;
static fake_clock clk;
static symbi_err err;

static void unhex(symbi_str h, uint8_t *out, size_t n)
{
    memset(out, 0, n);
    for (size_t i = 0; i < n && 2 * i + 1 < h.n; i++) {
        unsigned v = 0;
        char t[3] = { h.p[2 * i], h.p[2 * i + 1], 0 };
        sscanf(t, "%2x", &v);
        out[i] = (uint8_t)v;
    }
}
static symbi_str bytes(const void *p, size_t n)
{
    symbi_str s = { p, n };
    return s;
}

/* ---- a trail to play with ------------------------------------------------------------------------------------------ */

typedef struct rig {
    symbi_store mem;   /* the real one */
    symbi_store front; /* what the audit sees: fails on demand */
    symbi_key *key;
    uint8_t pub[32];
    symbi_audit *a;
    symbi_status fail_with; /* of commit, while fail_times > 0 */
    int fail_times;
    bool store_first; /* commit really stores, and then says that it failed */
    int tail_fails;
    int commits;
} rig;

static symbi_status f_commit(void *ud, const symbi_store_batch *b, symbi_err *e)
{
    rig *r = ud;
    r->commits++;
    if (r->fail_times > 0) {
        r->fail_times--;
        if (r->store_first) {
            symbi_status st = r->mem.commit(r->mem.ud, b, e);
            if (st) return st;
        }
        if (e) {
            symbi_err_clear(e);
            e->code = r->fail_with;
            snprintf(e->msg, sizeof e->msg, "made to fail");
        }
        return r->fail_with;
    }
    return r->mem.commit(r->mem.ud, b, e);
}
static symbi_status f_tail(void *ud, symbi_str c, uint64_t *len, uint8_t h[32], int64_t *ms, symbi_err *e)
{
    rig *r = ud;
    if (r->tail_fails > 0) {
        r->tail_fails--;
        return SYMBI_EIO;
    }
    return r->mem.tail(r->mem.ud, c, len, h, ms, e);
}
static symbi_status f_row(void *ud, symbi_str c, uint64_t s, symbi_store_row *o, symbi_err *e) { return ((rig *)ud)->mem.row(((rig *)ud)->mem.ud, c, s, o, e); }
static symbi_status f_cp(void *ud, symbi_str c, uint64_t i, symbi_store_checkpoint *o, symbi_err *e) { return ((rig *)ud)->mem.checkpoint(((rig *)ud)->mem.ud, c, i, o, e); }

static const uint8_t seed1[32] = { 1, 2, 3 };

static symbi_status rig_open(rig *r, symbi_ctx *c, bool sign_entries)
{
    symbi_audit_options o = { 0 };
    symbi_status st;
    memset(r, 0, sizeof *r);
    st = symbi_memstore_new(c, &r->mem, &err);
    if (st) return st;
    r->front = r->mem;
    r->front.ud = r;
    r->front.commit = f_commit;
    r->front.tail = f_tail;
    r->front.row = f_row;
    r->front.checkpoint = f_cp;
    st = symbi_ed25519_from_seed(c, seed1, &r->key, &err);
    if (st) return st;
    symbi_ed25519_public(r->key, r->pub);
    o.key = r->key;
    o.sign_entries = sign_entries;
    return symbi_audit_open(c, &r->front, &o, &r->a, &err);
}
static void rig_close(rig *r)
{
    symbi_audit_free(r->a);
    symbi_key_unref(r->key);
    symbi_memstore_free(&r->mem);
}
static symbi_audit_event ev(const char *json)
{
    symbi_audit_event e = { 0 };
    e.loop_id = symbi_str_z("loop-1");
    e.agent_id = symbi_str_z("agent-1");
    e.iteration = 7;
    e.event = symbi_str_z(json);
    return e;
}
static symbi_status put(rig *r, const char *json)
{
    symbi_audit_event e = ev(json);
    return symbi_audit_commit(r->a, &e, 1, NULL, 0, true, &err);
}
static sy_mem_chain *chain(rig *r) { return &((sy_memstore *)r->mem.ud)->chains[0]; }
static symbi_audit_report verify(rig *r, const symbi_store_checkpoint *anchor)
{
    symbi_audit_report rep;
    CHECK_OK(symbi_audit_verify(cx, &r->mem, symbi_str_z(""), r->pub, anchor, &rep, &err), err);
    return rep;
}
#define EVENT(r, i) (chain(r)->rows[i].event)

static void test_commit_and_read(void)
{
    rig r;
    symbi_audit_event two[2];
    symbi_audit_report rep;
    uint8_t head[32];
    clk.wall = 1000;
    REQUIRE(rig_open(&r, cx, false) == SYMBI_OK);
    CHECK(symbi_audit_len(r.a) == 0);
    CHECK(verify(&r, NULL).result == SYMBI_AUDIT_OK); /* an empty trail is whole */
    CHECK_OK(put(&r, "{\"type\":\"a\"}"), err);
    clk.wall = 1005;
    two[0] = ev("{\"type\":\"b\"}");
    two[1] = ev("{ \"type\" : \"c\" }"); /* kept byte for byte */
    CHECK_OK(symbi_audit_commit(r.a, two, 2, NULL, 0, false, &err), err);
    CHECK(symbi_audit_len(r.a) == 3);
    CHECK(chain(&r)->nrows == 3 && chain(&r)->ncps == 2);
    CHECK_STR(EVENT(&r, 2), "{ \"type\" : \"c\" }");
    CHECK_STR(chain(&r)->rows[1].loop_id, "loop-1");
    CHECK(chain(&r)->rows[1].iteration == 7 && chain(&r)->rows[1].timestamp_ms == 1005);
    rep = verify(&r, NULL);
    CHECK(rep.result == SYMBI_AUDIT_OK && rep.entries == 3 && rep.anchored == 3 && rep.checkpoints == 2 && rep.gaps == 0 && rep.clock_back == 0);
    symbi_audit_head(r.a, head);
    CHECK(memcmp(head, rep.head, 32) == 0);
    CHECK_OK(symbi_audit_commit(r.a, NULL, 0, NULL, 0, true, &err), err); /* nothing: no entry, no call */
    CHECK(r.commits == 2 && symbi_audit_len(r.a) == 3);
    rig_close(&r);
}

/* Known secrets do not reach the trail, in whatever form and place, and the entries stay JSON that verifies. */
static void test_redacted(void)
{
    static const struct { const char *in, *out; } k[] = {
        { "{\"type\":\"x\",\"a\":\"is hunter-2-hunter, yes\"}", "{\"a\":\"is [REDACTED], yes\",\"type\":\"x\"}" },
        { "{\"type\":\"x\",\"hunter-2-hunter\":[{\"b\":\"68756e7465722d322d68756e746572\"}]}", "{\"[REDACTED]\":[{\"b\":\"[REDACTED]\"}],\"type\":\"x\"}" },
        { "{\"type\":\"x\",\"n\":9087654321}", "{\"n\":\"[REDACTED]\",\"type\":\"x\"}" },
        { "{\"type\":\"x\",\"a\":\"q\",\"b\":\"c\"}", "{\"a\":\"q\",\"b\":\"c\",\"type\":\"x\"}" }, /* a secret that spans two members is none */
        { "{\"type\":\"x\",\"z\":1,\"a\":2}", "{\"type\":\"x\",\"z\":1,\"a\":2}" }, /* untouched: as it came */
    };
    rig r;
    symbi_redactor *red;
    REQUIRE(rig_open(&r, cx, false) == SYMBI_OK);
    CHECK_OK(symbi_redactor_new(cx, &red, &err), err);
    CHECK_OK(symbi_redactor_add(red, symbi_str_z("hunter-2-hunter"), &err), err);
    CHECK_OK(symbi_redactor_add(red, symbi_str_z("9087654321"), &err), err);
    CHECK_OK(symbi_redactor_add(red, symbi_str_z("q\",\"b\":\"c"), &err), err);
    symbi_audit_redact(r.a, red);
    symbi_redactor_free(red);
    for (size_t i = 0; i < sizeof k / sizeof k[0]; i++) {
        CHECK(put(&r, k[i].in) == SYMBI_OK);
        CHECK_STR(chain(&r)->rows[i].event, k[i].out);
    }
    CHECK(verify(&r, NULL).result == SYMBI_AUDIT_OK);
    symbi_audit_redact(r.a, NULL);
    CHECK(put(&r, k[0].in) == SYMBI_OK);
    CHECK_STR(chain(&r)->rows[5].event, k[0].in);
    rig_close(&r);
}

static void test_bad_input(void)
{
    rig r;
    symbi_audit_event e;
    symbi_store_kv kv = { 0 };
    static const char *const bad[] = { "", "x", "[]", "\"a\"", "{", "{}x", "{\"a\":1,\"a\":2}", "null", "{\"a\":\"\xff\"}" };
    symbi_audit_options o = { 0 };
    symbi_audit *a2 = NULL;
    symbi_key *pubkey = NULL;
    REQUIRE(rig_open(&r, cx, false) == SYMBI_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(put(&r, bad[i]) == SYMBI_EPARSE);
    e = ev("{}");
    e.agent_id = bytes("\xff", 1);
    CHECK(symbi_audit_commit(r.a, &e, 1, NULL, 0, true, &err) == SYMBI_EINVAL);
    e = ev("{}");
    kv.ns = symbi_str_z("n");
    CHECK(symbi_audit_commit(r.a, &e, 1, &kv, 1, true, &err) == SYMBI_EINVAL); /* empty key */
    CHECK(symbi_audit_commit(r.a, &e, 1000000, NULL, 0, true, &err) == SYMBI_EINVAL);
    CHECK_OK(put(&r, "{}"), err);
    CHECK(verify(&r, NULL).gaps == 0 && verify(&r, NULL).entries == 1); /* mistakes of the caller are no gaps */
    o.key = r.key;
    o.chain = symbi_str_z("../x");
    CHECK(symbi_audit_open(cx, &r.front, &o, &a2, &err) == SYMBI_EINVAL && !a2);
    o.chain = symbi_str_z("");
    CHECK_OK(symbi_ed25519_from_public(cx, r.pub, &pubkey, &err), err);
    o.key = pubkey;
    CHECK(symbi_audit_open(cx, &r.front, &o, &a2, &err) == SYMBI_EINVAL && !a2);
    o.key = NULL;
    CHECK(symbi_audit_open(cx, &r.front, &o, &a2, &err) == SYMBI_EINVAL && !a2);
    symbi_key_unref(pubkey);
    rig_close(&r);
}

/* ---- gaps ------------------------------------------------------------------------------------------------------------ */

static void test_gap(void)
{
    rig r;
    symbi_audit_event three[3] = { ev("{}"), ev("{}"), ev("{}") };
    clk.wall = 50000;
    REQUIRE(rig_open(&r, cx, false) == SYMBI_OK);
    CHECK_OK(put(&r, "{\"n\":1}"), err);
    r.fail_times = 2;
    r.fail_with = SYMBI_EIO;
    CHECK(put(&r, "{\"n\":2}") == SYMBI_EIO);
    clk.wall = 50100;
    CHECK(symbi_audit_commit(r.a, three, 3, NULL, 0, true, &err) == SYMBI_EIO);
    CHECK(symbi_audit_len(r.a) == 1 && chain(&r)->nrows == 1);
    clk.wall = 50200;
    CHECK_OK(put(&r, "{\"n\":3}"), err);
    REQUIRE(chain(&r)->nrows == 3);
    CHECK_STR(EVENT(&r, 1), "{\"type\":\"audit_gap\",\"lost\":4,\"since_ms\":50000,\"code\":\"EIO\"}");
    CHECK_STR(EVENT(&r, 2), "{\"n\":3}");
    CHECK_OK(put(&r, "{\"n\":4}"), err); /* told once */
    CHECK(chain(&r)->nrows == 4);
    CHECK(verify(&r, NULL).result == SYMBI_AUDIT_OK && verify(&r, NULL).gaps == 1);
    /* the tail cannot be read on return: still a loss, still told */
    r.fail_times = 1;
    CHECK(put(&r, "{\"n\":5}") == SYMBI_EIO);
    r.tail_fails = 1;
    CHECK(put(&r, "{\"n\":6}") == SYMBI_EIO);
    CHECK_OK(put(&r, "{\"n\":7}"), err);
    REQUIRE(chain(&r)->nrows == 6);
    CHECK_STR(EVENT(&r, 4), "{\"type\":\"audit_gap\",\"lost\":2,\"since_ms\":50200,\"code\":\"EIO\"}");
    /* a gap whose own commit fails is not forgotten */
    r.fail_times = 2;
    CHECK(put(&r, "{\"n\":8}") == SYMBI_EIO);
    CHECK(put(&r, "{\"n\":9}") == SYMBI_EIO);
    CHECK_OK(symbi_audit_commit(r.a, NULL, 0, NULL, 0, true, &err), err); /* nothing but the gap */
    REQUIRE(chain(&r)->nrows == 7);
    CHECK_STR(EVENT(&r, 6), "{\"type\":\"audit_gap\",\"lost\":2,\"since_ms\":50200,\"code\":\"EIO\"}");
    CHECK(verify(&r, NULL).result == SYMBI_AUDIT_OK && verify(&r, NULL).gaps == 3);
    rig_close(&r);
}

/* The store wrote, and then reported a failure: the entries are there, so no gap may be claimed. */
static void test_no_false_gap(void)
{
    rig r;
    REQUIRE(rig_open(&r, cx, false) == SYMBI_OK);
    CHECK_OK(put(&r, "{\"n\":1}"), err);
    r.fail_times = 1;
    r.fail_with = SYMBI_EIO;
    r.store_first = true;
    CHECK(put(&r, "{\"n\":2}") == SYMBI_EIO);
    CHECK_OK(put(&r, "{\"n\":3}"), err);
    REQUIRE(chain(&r)->nrows == 3);
    CHECK_STR(EVENT(&r, 1), "{\"n\":2}");
    CHECK_STR(EVENT(&r, 2), "{\"n\":3}");
    CHECK(verify(&r, NULL).result == SYMBI_AUDIT_OK);
    rig_close(&r);
}

/* ---- clock ------------------------------------------------------------------------------------------------------------ */

static void test_clock(void)
{
    rig r;
    symbi_audit_report rep;
    clk.wall = 100000;
    REQUIRE(rig_open(&r, cx, false) == SYMBI_OK);
    CHECK_OK(put(&r, "{}"), err);
    clk.wall = 95000; /* at the limit */
    CHECK_OK(symbi_audit_check_clock(r.a, &err), err);
    CHECK_OK(put(&r, "{}"), err);
    CHECK(chain(&r)->rows[1].timestamp_ms == 100000); /* and no creeping back in small steps */
    clk.wall = 94999; /* one past */
    CHECK(symbi_audit_check_clock(r.a, &err) == SYMBI_ECLOCK);
    CHECK(put(&r, "{}") == SYMBI_ECLOCK);
    CHECK(chain(&r)->nrows == 2);
    clk.wall = -1;
    CHECK(symbi_audit_check_clock(r.a, &err) == SYMBI_ECLOCK);
    CHECK(symbi_audit_accept_clock(r.a, &err) == SYMBI_ECLOCK);
    clk.wall = 60000;
    CHECK_OK(symbi_audit_accept_clock(r.a, &err), err);
    REQUIRE(chain(&r)->nrows == 3);
    CHECK_STR(EVENT(&r, 2), "{\"type\":\"clock_accepted\",\"from_ms\":100000,\"to_ms\":60000}");
    CHECK(chain(&r)->rows[2].timestamp_ms == 60000);
    CHECK_OK(put(&r, "{}"), err);
    REQUIRE(chain(&r)->nrows == 5); /* the refused one left a gap */
    CHECK_STR(EVENT(&r, 3), "{\"type\":\"audit_gap\",\"lost\":1,\"since_ms\":94999,\"code\":\"ECLOCK\"}");
    CHECK_OK(symbi_audit_accept_clock(r.a, &err), err); /* nothing to accept */
    CHECK(chain(&r)->nrows == 5);
    rep = verify(&r, NULL);
    CHECK(rep.result == SYMBI_AUDIT_OK && rep.clock_back == 1);
    rig_close(&r);
}

/* ---- several writers -------------------------------------------------------------------------------------------------- */

static void test_two_writers(void)
{
    rig r;
    symbi_audit *b = NULL;
    symbi_audit_options o = { 0 };
    symbi_audit_event e = ev("{\"by\":\"b\"}");
    REQUIRE(rig_open(&r, cx, false) == SYMBI_OK);
    o.key = r.key;
    CHECK_OK(symbi_audit_open(cx, &r.front, &o, &b, &err), err);
    REQUIRE(b);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(put(&r, "{\"by\":\"a\"}"), err);
        CHECK_OK(symbi_audit_commit(b, &e, 1, NULL, 0, true, &err), err);
    }
    CHECK(chain(&r)->nrows == 10);
    CHECK(verify(&r, NULL).result == SYMBI_AUDIT_OK && verify(&r, NULL).gaps == 0);
    CHECK_STR(EVENT(&r, 3), "{\"by\":\"b\"}");
    /* for ever busy: given up after some tries, and remembered */
    r.fail_times = 1000;
    r.fail_with = SYMBI_ESTATE;
    CHECK(put(&r, "{}") == SYMBI_EIO);
    CHECK(r.fail_times > 900 && r.fail_times < 1000);
    r.fail_times = 0;
    CHECK_OK(put(&r, "{}"), err);
    CHECK(verify(&r, NULL).gaps == 1);
    symbi_audit_free(b);
    rig_close(&r);
}

static void test_kv(void)
{
    rig r;
    symbi_audit *b = NULL;
    symbi_audit_options o = { 0 };
    symbi_audit_event e = ev("{}");
    symbi_store_kv kv[3] = { { .ns = SYMBI_STR_INIT("appr"), .key = SYMBI_STR_INIT("k1"), .value = SYMBI_STR_INIT("open") },
                             { .ns = SYMBI_STR_INIT("appr"), .key = SYMBI_STR_INIT("k2"), .value = SYMBI_STR_INIT("") },
                             { .ns = SYMBI_STR_INIT("zz"), .key = SYMBI_STR_INIT("a"), .value = SYMBI_STR_INIT("1") } };
    symbi_store_kv use = { .ns = SYMBI_STR_INIT("appr"), .key = SYMBI_STR_INIT("k1"), .value = SYMBI_STR_INIT("used"), .check = SYMBI_KV_EQUALS, .expect = SYMBI_STR_INIT("open") };
    symbi_str v, k;
    REQUIRE(rig_open(&r, cx, false) == SYMBI_OK);
    o.key = r.key;
    CHECK_OK(symbi_audit_open(cx, &r.front, &o, &b, &err), err);
    REQUIRE(b);
    CHECK_OK(symbi_audit_commit(r.a, &e, 1, kv, 3, true, &err), err);
    CHECK_OK(r.mem.get(r.mem.ud, kv[0].ns, kv[0].key, &v, &err), err);
    CHECK_STR(v, "open");
    CHECK_OK(r.mem.get(r.mem.ud, kv[1].ns, kv[1].key, &v, &err), err);
    CHECK(v.n == 0);
    CHECK_OK(r.mem.next(r.mem.ud, kv[0].ns, symbi_str_z(""), &k, &v, &err), err);
    CHECK_STR(k, "k1");
    CHECK_OK(r.mem.next(r.mem.ud, kv[0].ns, k, &k, &v, &err), err);
    CHECK_STR(k, "k2");
    CHECK(r.mem.next(r.mem.ud, kv[0].ns, k, &k, &v, &err) == SYMBI_ENOTFOUND);
    /* a single-use record is used once, although b knows nothing of a's commit and would rebuild its batch */
    CHECK_OK(symbi_audit_commit(r.a, &e, 1, &use, 1, true, &err), err);
    CHECK(symbi_audit_commit(b, &e, 1, &use, 1, true, &err) == SYMBI_EEXISTS);
    CHECK(chain(&r)->nrows == 2);
    use.check = SYMBI_KV_ABSENT;
    CHECK(symbi_audit_commit(b, &e, 1, &use, 1, true, &err) == SYMBI_EEXISTS);
    use.check = SYMBI_KV_ANY;
    use.value.p = NULL;
    CHECK_OK(symbi_audit_commit(b, NULL, 0, &use, 1, true, &err), err); /* records alone make no entry */
    CHECK(chain(&r)->nrows == 2);
    CHECK(r.mem.get(r.mem.ud, kv[0].ns, kv[0].key, &v, &err) == SYMBI_ENOTFOUND);
    use.check = SYMBI_KV_EQUALS;
    CHECK(symbi_audit_commit(b, &e, 1, &use, 1, true, &err) == SYMBI_EEXISTS);
    CHECK_OK(put(&r, "{}"), err);
    CHECK(verify(&r, NULL).gaps == 0); /* a refused condition is an answer, not a loss */
    symbi_audit_free(b);
    symbi_audit_detach(r.a); /* the store may go away now */
    CHECK(put(&r, "{}") == SYMBI_EIO && symbi_audit_check_clock(r.a, &err) == SYMBI_EIO && symbi_audit_accept_clock(r.a, &err) == SYMBI_EIO);
    rig_close(&r);
}

/* ---- tampering -------------------------------------------------------------------------------------------------------- */

/* Entries 0..5 in commits of 1, 1, 3, 1. */
static bool rig_six(rig *r, bool sign)
{
    symbi_audit_event three[3] = { ev("{\"n\":2,\"d\":\"deny\"}"), ev("{\"n\":3,\"d\":\"deny\"}"), ev("{\"n\":4,\"d\":\"deny\"}") };
    clk.wall = 1000000;
    if (rig_open(r, cx, sign)) return false;
    return !put(r, "{\"n\":0,\"d\":\"deny\"}") && !put(r, "{\"n\":1,\"d\":\"deny\"}") && !symbi_audit_commit(r->a, three, 3, NULL, 0, true, &err) &&
           !put(r, "{\"n\":5,\"d\":\"deny\"}");
}
static void poke(rig *r, size_t i) /* deny -> dent, in place */
{
    char *p = strstr((char *)(uintptr_t)EVENT(r, i).p, "deny");
    if (p) p[3] = 't';
}
/* What an attacker without the key can do: hashes and links again from row i on. */
static void rehash(rig *r, size_t i)
{
    sy_mem_chain *c = chain(r);
    sy_buf b;
    sy_buf_init(&b, (symbi_alloc){ counting_fn, &(counting_alloc){ 0 } }, 1 << 20);
    for (; i < c->nrows; i++) {
        if (i) memcpy(c->rows[i].prev_hash, c->rows[i - 1].hash, 32);
        else memset(c->rows[i].prev_hash, 0, 32);
        c->rows[i].sequence = i;
        CHECK_OK(sy_audit_hash(cx, &b, &c->rows[i], c->rows[i].hash, &err), err);
    }
    sy_buf_free(&b);
}
#define TAMPER(sign, code, want, at)                                                               \
    do {                                                                                           \
        rig r;                                                                                     \
        symbi_audit_report rep;                                                                    \
        REQUIRE(rig_six(&r, sign));                                                                \
        sy_mem_chain *c = chain(&r);                                                               \
        (void)c;                                                                                   \
        code;                                                                                      \
        rep = verify(&r, NULL);                                                                    \
        if (rep.result != (want) || rep.bad_sequence != (at))                                      \
            printf("%s:%d: %s at %llu: %s\n", __FILE__, __LINE__, symbi_audit_result_name(rep.result), (unsigned long long)rep.bad_sequence, rep.detail); \
        CHECK(rep.result == (want) && rep.bad_sequence == (at) && rep.detail[0]);                  \
        rig_close(&r);                                                                             \
    } while (0)

static void drop_row(rig *r, size_t i)
{
    sy_mem_chain *c = chain(r);
    sy_memstore *m = r->mem.ud;
    symbi_store_row *w = &c->rows[i];
    m->alloc.fn(m->alloc.ud, (void *)(uintptr_t)w->loop_id.p, w->loop_id.n + w->agent_id.n + w->event.n + 1, 0);
    memmove(w, w + 1, (c->nrows - i - 1) * sizeof *w);
    c->nrows--;
}
static void swap_rows(rig *r, size_t i, size_t k)
{
    symbi_store_row t = chain(r)->rows[i];
    chain(r)->rows[i] = chain(r)->rows[k];
    chain(r)->rows[k] = t;
}
static void resign(symbi_store_checkpoint *cp)
{
    symbi_key *k = NULL;
    CHECK_OK(symbi_ed25519_generate(cx, &k, &err), err);
    if (k) CHECK_OK(sy_checkpoint_sign(cx, k, cp, &err), err);
    symbi_key_unref(k);
}

static void test_tampering(void)
{
    /* edits */
    TAMPER(false, poke(&r, 0), SYMBI_AUDIT_CHAIN, 0);
    TAMPER(false, poke(&r, 3), SYMBI_AUDIT_CHAIN, 3);
    TAMPER(false, poke(&r, 5), SYMBI_AUDIT_CHAIN, 5);
    TAMPER(false, c->rows[2].timestamp_ms++, SYMBI_AUDIT_CHAIN, 2);
    TAMPER(false, c->rows[2].iteration++, SYMBI_AUDIT_CHAIN, 2);
    TAMPER(false, c->rows[2].hash[0] ^= 1, SYMBI_AUDIT_CHAIN, 2);
    TAMPER(false, c->rows[2].prev_hash[0] ^= 1, SYMBI_AUDIT_CHAIN, 2);
    /* a byte moved over a field border leaves the same bytes in a row */
    TAMPER(false, (c->rows[1].loop_id.n--, c->rows[1].agent_id.p--, c->rows[1].agent_id.n++), SYMBI_AUDIT_CHAIN, 1);
    /* edited and hashed again: the checkpoint knows */
    TAMPER(false, (poke(&r, 0), rehash(&r, 0)), SYMBI_AUDIT_CHAIN, 0);
    TAMPER(false, (poke(&r, 3), rehash(&r, 3)), SYMBI_AUDIT_CHAIN, 2);
    TAMPER(false, (poke(&r, 5), rehash(&r, 5)), SYMBI_AUDIT_CHAIN, 5);
    TAMPER(false, (poke(&r, 5), rehash(&r, 5), c->cps[3].head[0] ^= 1), SYMBI_AUDIT_SIGNATURE, 5);
    TAMPER(false, (poke(&r, 5), rehash(&r, 5), memcpy(c->cps[3].head, c->rows[5].hash, 32)), SYMBI_AUDIT_SIGNATURE, 5);
    /* signed again with another key */
    TAMPER(false, (poke(&r, 5), rehash(&r, 5), memcpy(c->cps[3].head, c->rows[5].hash, 32), resign(&c->cps[3])), SYMBI_AUDIT_SIGNATURE, 5);
    TAMPER(false, (resign(&c->cps[0]), resign(&c->cps[1]), resign(&c->cps[2]), resign(&c->cps[3])), SYMBI_AUDIT_SIGNATURE, 0);
    /* deletion */
    TAMPER(false, drop_row(&r, 0), SYMBI_AUDIT_SEQUENCE, 0);
    TAMPER(false, drop_row(&r, 3), SYMBI_AUDIT_SEQUENCE, 3);
    TAMPER(false, (drop_row(&r, 3), rehash(&r, 3)), SYMBI_AUDIT_CHAIN, 2);
    TAMPER(false, drop_row(&r, 5), SYMBI_AUDIT_TRUNCATED, 5);
    /* swap, with and without renumbering */
    TAMPER(false, swap_rows(&r, 2, 3), SYMBI_AUDIT_SEQUENCE, 2);
    TAMPER(false, (swap_rows(&r, 2, 3), c->rows[2].sequence = 2, c->rows[3].sequence = 3), SYMBI_AUDIT_CHAIN, 2);
    TAMPER(false, (swap_rows(&r, 2, 3), rehash(&r, 2)), SYMBI_AUDIT_CHAIN, 2);
    /* checkpoints: removed, copied, swapped */
    TAMPER(false, c->ncps--, SYMBI_AUDIT_UNANCHORED, 5);
    TAMPER(false, c->cps[3].public_key[0] ^= 1, SYMBI_AUDIT_SIGNATURE, 5);
    TAMPER(false, c->cps[3].timestamp_ms++, SYMBI_AUDIT_SIGNATURE, 5);
    TAMPER(false, c->ncps = 0, SYMBI_AUDIT_UNANCHORED, 0);
    TAMPER(false, c->cps[2] = c->cps[1], SYMBI_AUDIT_SEQUENCE, 2);
    TAMPER(false, (drop_row(&r, 5), c->ncps--, drop_row(&r, 4)), SYMBI_AUDIT_TRUNCATED, 4);
    /* entry signatures: moved, or by nobody */
    TAMPER(true, memcpy(c->rows[2].signature, c->rows[1].signature, 64), SYMBI_AUDIT_SIGNATURE, 2);
    TAMPER(true, memset(c->rows[4].signature, 0, 64), SYMBI_AUDIT_SIGNATURE, 4);
}

static void test_signed_entries_anchor(void)
{
    rig r;
    symbi_audit_report rep;
    REQUIRE(rig_six(&r, true));
    chain(&r)->ncps = 0;
    rep = verify(&r, NULL); /* each entry is signed: covered without checkpoints */
    CHECK(rep.result == SYMBI_AUDIT_OK && rep.anchored == 6 && rep.checkpoints == 0);
    rig_close(&r);
}

/* Entries of two trails of one key, each signed and whole in itself, spliced. */
static void test_spliced(void)
{
    rig a, b;
    symbi_audit_verifier *v = NULL;
    symbi_audit_report rep;
    REQUIRE(rig_six(&a, true));
    clk.wall++;
    REQUIRE(rig_open(&b, cx, true) == SYMBI_OK);
    CHECK_OK(put(&b, "{\"n\":100}"), err);
    CHECK_OK(put(&b, "{\"n\":101}"), err);
    CHECK_OK(symbi_audit_verifier_new(cx, a.pub, NULL, &v, &err), err);
    REQUIRE(v);
    CHECK_OK(symbi_audit_verifier_entry(v, &chain(&a)->rows[0], &err), err);
    CHECK_OK(symbi_audit_verifier_entry(v, &chain(&b)->rows[1], &err), err);
    symbi_audit_verifier_finish(v, &rep);
    CHECK(rep.result == SYMBI_AUDIT_CHAIN && rep.bad_sequence == 1);
    CHECK(symbi_audit_verifier_entry(v, &chain(&a)->rows[1], &err) == SYMBI_ESTATE);
    symbi_audit_verifier_free(v);
    rig_close(&b);
    rig_close(&a);
}

static void test_forged_tail(void)
{
    rig r, forged;
    symbi_audit_report rep;
    REQUIRE(rig_six(&r, false));
    REQUIRE(rig_six(&forged, false));
    CHECK_OK(put(&forged, "{\"n\":6,\"d\":\"allow\"}"), err);
    chain(&forged)->ncps--; /* what anyone can write: a well-linked row without a signature */
    rep = verify(&forged, NULL);
    CHECK(rep.result == SYMBI_AUDIT_UNANCHORED && rep.bad_sequence == 6 && rep.anchored == 6 && rep.entries == 7);
    rig_close(&forged);
    rig_close(&r);
}

static void test_anchor(void)
{
    rig r, other;
    symbi_store_checkpoint anchor, len_head = { 0 };
    symbi_audit_report rep;
    REQUIRE(rig_six(&r, false));
    anchor = chain(&r)->cps[3];
    CHECK(verify(&r, &anchor).result == SYMBI_AUDIT_OK);
    CHECK(verify(&r, &chain(&r)->cps[1]).result == SYMBI_AUDIT_OK); /* an older anchor holds too */
    /* the end removed with its checkpoint: only the outside copy knows */
    drop_row(&r, 5);
    chain(&r)->ncps--;
    CHECK(verify(&r, NULL).result == SYMBI_AUDIT_OK);
    rep = verify(&r, &anchor);
    CHECK(rep.result == SYMBI_AUDIT_TRUNCATED && rep.bad_sequence == 5 && rep.anchored == 5);
    len_head.len = 6;
    memcpy(len_head.head, anchor.head, 32);
    CHECK(verify(&r, &len_head).result == SYMBI_AUDIT_TRUNCATED); /* unsigned: len and head as given */
    anchor.len = 5; /* an anchor that somebody edited */
    CHECK(verify(&r, &anchor).result == SYMBI_AUDIT_SIGNATURE);
    /* the whole trail replaced by another one of the same key (an old copy that went on) */
    REQUIRE(rig_open(&other, cx, false) == SYMBI_OK);
    for (int i = 0; i < 7; i++) CHECK_OK(put(&other, "{\"other\":1}"), err);
    rep = verify(&r, &chain(&other)->cps[2]);
    CHECK(rep.result == SYMBI_AUDIT_ANCHOR && rep.bad_sequence == 2);
    rig_close(&other);
    rig_close(&r);
    /* everything gone */
    REQUIRE(rig_open(&r, cx, false) == SYMBI_OK);
    CHECK(verify(&r, &len_head).result == SYMBI_AUDIT_TRUNCATED);
    rig_close(&r);
}

/* A writer never signs over a tampered trail. */
static void test_writer_refuses(void)
{
    for (int how = 0; how < 7; how++) {
        rig r;
        symbi_audit *b = NULL;
        symbi_audit_options o = { 0 };
        symbi_key *k2 = NULL;
        REQUIRE(rig_six(&r, false));
        o.key = r.key;
        switch (how) {
        case 0: drop_row(&r, 5); break;
        case 1: chain(&r)->ncps--; break;
        case 2: poke(&r, 5); break;
        case 3: chain(&r)->rows[5].timestamp_ms = 9000000; break;
        case 4: poke(&r, 5), rehash(&r, 5); break;
        case 6: while (chain(&r)->nrows) drop_row(&r, 0); break;
        case 5: CHECK_OK(symbi_ed25519_generate(cx, &k2, &err), err); o.key = k2; break;
        }
        CHECK(symbi_audit_open(cx, &r.front, &o, &b, &err) == SYMBI_EVERIFY && !b);
        CHECK(err.msg[0]);
        symbi_key_unref(k2);
        rig_close(&r);
    }
    { /* one that is open already: a row is slipped in behind its back */
        rig r, tmp;
        REQUIRE(rig_six(&r, false));
        REQUIRE(rig_six(&tmp, false));
        CHECK_OK(put(&tmp, "{\"forged\":1}"), err);
        symbi_store_batch b = { 0 };
        b.chain = symbi_str_z("main");
        b.expect_len = 6;
        symbi_audit_head(r.a, b.expect_head);
        b.rows = &chain(&tmp)->rows[6];
        b.nrows = 1;
        CHECK_OK(r.mem.commit(r.mem.ud, &b, &err), err);
        CHECK(put(&r, "{}") == SYMBI_EVERIFY);
        CHECK(chain(&r)->nrows == 7);
        rig_close(&tmp);
        rig_close(&r);
    }
}

/* ---- batches ---------------------------------------------------------------------------------------------------------- */

static void test_batch(void)
{
    rig r;
    symbi_text t, t2;
    uint8_t rc[32], rc2[32];
    symbi_audit_event e = ev("{\"n\":1}");
    symbi_store_kv kv[2] = { { .ns = SYMBI_STR_INIT("n"), .key = SYMBI_STR_INIT("k"), .value = SYMBI_STR_INIT("v"), .check = SYMBI_KV_ABSENT },
                             { .ns = SYMBI_STR_INIT("n"), .key = SYMBI_STR_INIT("gone"), .value = { NULL, 0 } } };
    symbi_str v;
    uint8_t otherpub[32] = { 9 };
    REQUIRE(rig_open(&r, cx, true) == SYMBI_OK);
    CHECK(symbi_audit_confirm(r.a, symbi_str_z("x"), &err) == SYMBI_ESTATE);
    CHECK(symbi_audit_prepare(r.a, NULL, 0, NULL, 0, &t, &err) == SYMBI_EINVAL);
    CHECK_OK(symbi_audit_prepare(r.a, &e, 1, kv, 2, &t, &err), err);
    CHECK(symbi_audit_len(r.a) == 0 && r.commits == 0);
    CHECK(symbi_audit_prepare(r.a, &e, 1, NULL, 0, &t2, &err) == SYMBI_ESTATE);
    CHECK(put(&r, "{}") == SYMBI_ESTATE);
    CHECK(symbi_audit_apply_by(cx, &r.mem, symbi_text_str(&t), otherpub, rc, &err) == SYMBI_EVERIFY);
    CHECK_OK(symbi_audit_apply_by(cx, &r.mem, symbi_text_str(&t), r.pub, rc, &err), err);
    CHECK_OK(r.mem.get(r.mem.ud, kv[0].ns, kv[0].key, &v, &err), err);
    CHECK_STR(v, "v");
    CHECK_OK(symbi_audit_apply(cx, &r.mem, symbi_text_str(&t), rc2, &err), err); /* again: the same receipt, nothing written */
    CHECK(memcmp(rc, rc2, 32) == 0 && chain(&r)->nrows == 1);
    CHECK(symbi_audit_confirm(r.a, bytes("x", 1), &err) == SYMBI_EVERIFY);
    rc2[0] ^= 1;
    CHECK(symbi_audit_confirm(r.a, bytes(rc2, 32), &err) == SYMBI_EVERIFY);
    CHECK_OK(symbi_audit_confirm(r.a, bytes(rc, 32), &err), err);
    CHECK(symbi_audit_len(r.a) == 1);
    symbi_text_free(&t);
    CHECK_OK(put(&r, "{\"n\":2}"), err);
    /* abandoned and never written: a gap */
    CHECK_OK(symbi_audit_prepare(r.a, &e, 1, NULL, 0, &t, &err), err);
    symbi_audit_abandon(r.a);
    CHECK_OK(put(&r, "{\"n\":3}"), err);
    CHECK(verify(&r, NULL).gaps == 1);
    /* what was abandoned comes too late */
    CHECK(symbi_audit_apply(cx, &r.mem, symbi_text_str(&t), rc, &err) == SYMBI_ESTATE);
    symbi_text_free(&t);
    /* abandoned, but the writer had written it: no gap */
    CHECK_OK(symbi_audit_prepare(r.a, &e, 1, NULL, 0, &t, &err), err);
    CHECK_OK(symbi_audit_apply(cx, &r.mem, symbi_text_str(&t), rc, &err), err);
    symbi_audit_abandon(r.a);
    symbi_text_free(&t);
    CHECK_OK(put(&r, "{\"n\":4}"), err);
    CHECK(verify(&r, NULL).gaps == 1 && verify(&r, NULL).result == SYMBI_AUDIT_OK);
    /* retracted: no gap either */
    CHECK_OK(symbi_audit_prepare(r.a, &e, 1, NULL, 0, &t, &err), err);
    symbi_audit_retract(r.a);
    symbi_text_free(&t);
    CHECK_OK(put(&r, "{\"n\":5}"), err);
    CHECK(verify(&r, NULL).gaps == 1 && chain(&r)->nrows == 7);
    rig_close(&r);
}

/* Every prefix and every flipped byte of a batch is refused and changes nothing, also when the check sum is made to fit. */
static void batch_hostile(bool sign)
{
    rig r;
    symbi_text t;
    symbi_audit_event e = ev("{\"n\":1}");
    symbi_store_kv kv = { .ns = SYMBI_STR_INIT("n"), .key = SYMBI_STR_INIT("k"), .value = SYMBI_STR_INIT("v") };
    uint8_t rc[32];
    char *copy;
    size_t n, accepted = 0;
    REQUIRE(rig_open(&r, cx, sign) == SYMBI_OK);
    CHECK_OK(put(&r, "{}"), err);
    CHECK_OK(symbi_audit_prepare(r.a, &e, 1, &kv, 1, &t, &err), err);
    n = t.n;
    copy = malloc(n + 1);
    REQUIRE(copy);
    for (size_t i = 0; i < n; i++) {
        char *cut = malloc(i ? i : 1); /* its own block, so that the sanitizer sees an overrun */
        REQUIRE(cut);
        memcpy(cut, t.p, i);
        CHECK(symbi_audit_apply(cx, &r.mem, bytes(cut, i), rc, &err) != SYMBI_OK);
        free(cut);
        memcpy(copy, t.p, n);
        copy[i] ^= 0x41;
        CHECK(symbi_audit_apply(cx, &r.mem, bytes(copy, n), rc, &err) != SYMBI_OK);
        if (i + 32 < n) {
            for (int f = 0; f < 3; f++) {
                memcpy(copy, t.p, n);
                copy[i] = f == 0 ? (char)(copy[i] ^ 1) : f == 1 ? (char)0xff : 0;
                if (copy[i] == t.p[i]) continue;
                CHECK_OK(symbi_sha256(cx, bytes(copy, n - 32), (uint8_t *)copy + n - 32, &err), err);
                /* the records are not under the signature (they are the writer's own business), so some of those pass */
                if (symbi_audit_apply(cx, &r.mem, bytes(copy, n), rc, &err) == SYMBI_OK) {
                    CHECK(i > n - 64);
                    accepted++;
                    drop_row(&r, 1);
                    chain(&r)->ncps--;
                }
            }
        }
        CHECK(chain(&r)->nrows == 1);
    }
    CHECK(accepted < 40);
    copy[n] = 0;
    memcpy(copy, t.p, n);
    CHECK(symbi_audit_apply(cx, &r.mem, bytes(copy, n + 1), rc, &err) != SYMBI_OK);
    copy[n - 32] = 0; /* one byte more before a sum that fits */
    CHECK_OK(symbi_sha256(cx, bytes(copy, n - 31), (uint8_t *)copy + n - 31, &err), err);
    CHECK(symbi_audit_apply(cx, &r.mem, bytes(copy, n + 1), rc, &err) == SYMBI_EPARSE);
    memcpy(copy, "symbi-batch-v2\n", 15);
    CHECK(symbi_audit_apply(cx, &r.mem, bytes(copy, n), rc, &err) == SYMBI_EUNSUPPORTED);
    CHECK(symbi_audit_apply(cx, &r.mem, symbi_str_z(""), rc, &err) == SYMBI_EPARSE);
    CHECK_OK(symbi_audit_apply(cx, &r.mem, symbi_text_str(&t), rc, &err), err);
    CHECK_OK(symbi_audit_confirm(r.a, bytes(rc, 32), &err), err);
    symbi_text_free(&t);
    free(copy);
    rig_close(&r);
}

static void test_batch_hostile(void)
{
    batch_hostile(true);
    batch_hostile(false);
}

/* ---- vectors ---------------------------------------------------------------------------------------------------------- */

static symbi_store_row row_of(const symbi_value *v)
{
    symbi_store_row r;
    const symbi_value *s;
    symbi_str none = { "", 0 };
    memset(&r, 0, sizeof r);
    if ((s = symbi_value_getz(v, "sequence"))) r.sequence = (uint64_t)s->u.i;
    if ((s = symbi_value_getz(v, "timestamp_ms"))) r.timestamp_ms = s->u.i;
    if ((s = symbi_value_getz(v, "iteration"))) r.iteration = (uint64_t)s->u.i;
    r.loop_id = symbi_value_str(v, "loop_id", none);
    r.agent_id = symbi_value_str(v, "agent_id", none);
    r.event = symbi_value_str(v, "event", none);
    unhex(symbi_value_str(v, "prev_hash", none), r.prev_hash, 32);
    unhex(symbi_value_str(v, "hash", none), r.hash, 32);
    unhex(symbi_value_str(v, "signature", none), r.signature, 64);
    r.has_signature = symbi_value_getz(v, "signature") != NULL;
    return r;
}

static bool vector_entry(const symbi_value *in, const symbi_value *out)
{
    symbi_str none = { "", 0 };
    symbi_store_row r = row_of(in);
    uint8_t seed[32], want[32], wsig[64], wpub[32], hash[32], sig[64], pub[32];
    symbi_key *k = NULL;
    sy_buf b;
    bool ok;
    unhex(symbi_value_str(in, "key_seed", none), seed, 32);
    unhex(symbi_value_str(out, "hash", none), want, 32);
    unhex(symbi_value_str(out, "signature", none), wsig, 64);
    unhex(symbi_value_str(out, "public_key", none), wpub, 32);
    sy_buf_init(&b, (symbi_alloc){ counting_fn, &(counting_alloc){ 0 } }, 1 << 20);
    ok = !sy_audit_hash(cx, &b, &r, hash, &err) && !memcmp(hash, want, 32) && !symbi_ed25519_from_seed(cx, seed, &k, &err) &&
         !sy_audit_sign_hash(cx, k, hash, sig, &err) && !memcmp(sig, wsig, 64);
    if (k) symbi_ed25519_public(k, pub), ok = ok && !memcmp(pub, wpub, 32);
    symbi_key_unref(k);
    sy_buf_free(&b);
    return ok;
}

static bool vector_verify(const symbi_value *in, const symbi_value *out)
{
    symbi_str none = { "", 0 };
    const symbi_value *list = symbi_value_getz(in, "entries"), *an = symbi_value_getz(in, "anchor"), *ok = symbi_value_getz(out, "ok"),
                      *idx = symbi_value_getz(out, "entry_index");
    symbi_str want = symbi_value_str(out, "error", none);
    uint8_t pub[32];
    symbi_store_checkpoint anchor = { 0 };
    symbi_audit_verifier *v = NULL;
    symbi_audit_report rep;
    unhex(symbi_value_str(in, "public_key", none), pub, 32);
    if (an && an->kind == SYMBI_OBJECT) {
        anchor.len = (uint64_t)symbi_value_getz(an, "len")->u.i;
        unhex(symbi_value_str(an, "head", none), anchor.head, 32);
    } else an = NULL;
    if (symbi_audit_verifier_new(cx, pub, an ? &anchor : NULL, &v, &err)) return false;
    for (size_t i = 0; list && i < list->u.a.n; i++) {
        symbi_store_row r = row_of(&list->u.a.items[i]);
        if (symbi_audit_verifier_entry(v, &r, &err)) return false;
    }
    symbi_audit_verifier_finish(v, &rep);
    symbi_audit_verifier_free(v);
    if (ok && ok->u.b) return rep.result == SYMBI_AUDIT_OK;
    /* The format has one word for both ways in which an anchor does not fit. */
    if (rep.result == SYMBI_AUDIT_ANCHOR) rep.result = SYMBI_AUDIT_TRUNCATED;
    if (want.n != strlen(symbi_audit_result_name(rep.result)) || memcmp(want.p, symbi_audit_result_name(rep.result), want.n)) return false;
    return !idx || idx->kind != SYMBI_INT || (uint64_t)idx->u.i == rep.bad_sequence;
}

static void test_vectors(void)
{
    const char *dir = vectors_dir();
    char path[512];
    symbi_str text;
    symbi_doc *doc = NULL;
    const symbi_value *cases;
    size_t n = 0;
    if (!dir) SKIP("no vectors");
    snprintf(path, sizeof path, "%s/orga/audit_chains.json", dir);
    text = slurp(path);
    if (!text.p) SKIP("no orga/audit_chains.json");
    CHECK_OK(symbi_json_parse(cx, text, &doc, &err), err);
    REQUIRE(doc);
    cases = symbi_value_getz(symbi_doc_root(doc), "cases");
    for (size_t i = 0; cases && i < cases->u.a.n; i++) {
        const symbi_value *c = &cases->u.a.items[i], *in = symbi_value_getz(c, "in"), *out = symbi_value_getz(c, "out");
        symbi_str op = symbi_value_str(c, "op", (symbi_str){ "", 0 }), id = symbi_value_str(c, "id", (symbi_str){ "", 0 });
        bool good;
        if (op.n == 13 && !memcmp(op.p, "journal.entry", 13)) good = vector_entry(in, out);
        else if (op.n == 14 && !memcmp(op.p, "journal.verify", 14)) good = vector_verify(in, out);
        else continue;
        n++;
        if (!good) printf("vector %.*s fails\n", (int)id.n, id.p);
        CHECK(good);
    }
    CHECK(n > 0);
    printf("%zu journal vectors\n", n);
    symbi_doc_unref(doc);
    free((void *)(uintptr_t)text.p);
}

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

static symbi_status oom_all(symbi_ctx *c, void *ud)
{
    rig r;
    symbi_text t = { 0 };
    uint8_t rc[32];
    symbi_audit_event e[2] = { ev("{\"n\":1}"), ev("{\"n\":2}") };
    symbi_store_kv kv[2] = { { .ns = SYMBI_STR_INIT("n"), .key = SYMBI_STR_INIT("k"), .value = SYMBI_STR_INIT("v") },
                             { .ns = SYMBI_STR_INIT("n"), .key = SYMBI_STR_INIT("k"), .value = { NULL, 0 } } };
    symbi_audit_report rep;
    symbi_status st;
    (void)ud;
    st = rig_open(&r, c, true);
    if (!st) st = symbi_audit_commit(r.a, e, 2, kv, 2, true, NULL);
    if (!st) st = symbi_audit_prepare(r.a, e, 2, kv, 2, &t, NULL);
    if (!st) st = symbi_audit_apply(c, &r.mem, symbi_text_str(&t), rc, NULL);
    if (!st) st = symbi_audit_confirm(r.a, bytes(rc, 32), NULL);
    if (!st) st = symbi_audit_verify(c, &r.mem, symbi_str_z(""), r.pub, NULL, &rep, NULL);
    if (!st && rep.result != SYMBI_AUDIT_OK) st = SYMBI_EVERIFY;
    symbi_text_free(&t);
    rig_close(&r);
    return st;
}
static void test_out_of_memory(void) { test_oom(oom_all, NULL, SYMBI_OK); }

int main(void)
{
    symbi_env env;
    symbi_env_init(&env);
    env.clock.wall_ms = fake_wall;
    env.clock.mono_ms = fake_mono;
    env.clock.ud = &clk;
    if (symbi_ctx_new(&env, &cx, &err)) return 1;
    RUN(test_commit_and_read);
    RUN(test_redacted);
    RUN(test_bad_input);
    RUN(test_gap);
    RUN(test_no_false_gap);
    RUN(test_clock);
    RUN(test_two_writers);
    RUN(test_kv);
    RUN(test_tampering);
    RUN(test_signed_entries_anchor);
    RUN(test_spliced);
    RUN(test_forged_tail);
    RUN(test_anchor);
    RUN(test_writer_refuses);
    RUN(test_batch);
    RUN(test_batch_hostile);
    RUN(test_vectors);
    RUN(test_out_of_memory);
    symbi_ctx_free(cx);
    return test_end();
}
