/* The spawner's own check of orders: right key, right plan, in time, once, and not older than the spawner. */
#define _GNU_SOURCE
#include "gate/permit.h"
#include "symbi/io.h"
#include "test.h"

#include <signal.h>
#include <unistd.h>

static symbi_ctx *cx;
static symbi_err err;
static const uint8_t key[32] = { 1, 2, 3 }, other_key[32] = { 9 }, action[32] = { 4 }, policy[32] = { 5 };
static symbi_str argv_[2] = { SYMBI_STR_INIT("/bin/echo"), SYMBI_STR_INIT("ran") }, env_[1] = { SYMBI_STR_INIT("PATH=/bin") };

static symbi_plan plan_of(void)
{
    symbi_plan p;
    memset(&p, 0, sizeof p);
    p.kind = SYMBI_BACKEND_SHELL;
    p.argv = argv_;
    p.argc = 2;
    p.env = env_;
    p.nenv = 1;
    p.tool = symbi_str_z("echo");
    p.cwd = p.scan_id = symbi_str_z("");
    p.timeout_ms = 5000;
    p.stdout_max = p.stderr_max = 1000;
    return p;
}

static symbi_order order_of(const symbi_plan *p, const uint8_t *k, uint8_t nonce, int64_t expiry)
{
    uint8_t n[16] = { 0 }, digest[32];
    symbi_permit permit;
    symbi_order o;
    symbi_str none = { "", 0 };
    memset(&o, 0, sizeof o);
    n[0] = nonce;
    CHECK_OK(symbi_plan_digest(cx, p, none, digest, &err), err);
    CHECK_OK(sy_permit_mint(cx, k, n, action, policy, expiry, &permit, &err), err);
    CHECK_OK(sy_order_mint(cx, k, &permit, digest, &o, &err), err);
    return o;
}

static symbi_exec_request ask(const symbi_plan *p, const symbi_order *o, int64_t since)
{
    symbi_exec_request rq;
    memset(&rq, 0, sizeof rq);
    rq.plan = *p;
    rq.args_json = symbi_str_z("");
    rq.permit.p = (const char *)o->bytes;
    rq.permit.n = sizeof o->bytes;
    rq.since_ms = since;
    return rq;
}

static void test_check(void)
{
    symbi_order_book *b;
    symbi_plan p = plan_of(), q;
    symbi_order o = order_of(&p, key, 1, 70000), f;
    symbi_exec_request rq = ask(&p, &o, 10000);
    REQUIRE(symbi_order_book_new(cx, key, 60000, 2, &b, &err) == SYMBI_OK);
    CHECK(symbi_order_book_check(b, &rq, 70001, &err) == SYMBI_EPERMIT); /* too late */
    q = plan_of();
    q.argc = 1;
    rq = ask(&q, &o, 10000);
    CHECK(symbi_order_book_check(b, &rq, 10000, &err) == SYMBI_EPERMIT); /* another plan, */
    memcpy(q.digest, p.digest, 32);
    rq = ask(&q, &o, 10000);
    CHECK(symbi_order_book_check(b, &rq, 10000, &err) == SYMBI_EPERMIT); /* whatever digest it claims */
    rq = ask(&p, &o, 10000);
    rq.args_json = symbi_str_z("{\"a\":1}");
    CHECK(symbi_order_book_check(b, &rq, 10000, &err) == SYMBI_EPERMIT);
    rq.args_json = symbi_str_z("{},\"argv\":[]");
    CHECK(symbi_order_book_check(b, &rq, 10000, &err) == SYMBI_EPERMIT);
    for (size_t i = 0; i < sizeof o.bytes; i += 7) { /* any byte altered */
        f = o;
        f.bytes[i] ^= 1;
        rq = ask(&p, &f, 10000);
        CHECK(symbi_order_book_check(b, &rq, 10000, &err) == SYMBI_EPERMIT);
    }
    rq = ask(&p, &o, 10000);
    rq.permit.n--;
    CHECK(symbi_order_book_check(b, &rq, 10000, &err) == SYMBI_EPERMIT);
    rq.permit.n = 0;
    CHECK(symbi_order_book_check(b, &rq, 10000, &err) == SYMBI_EPERMIT);
    f = order_of(&p, other_key, 1, 70000);
    rq = ask(&p, &f, 10000);
    CHECK(symbi_order_book_check(b, &rq, 10000, &err) == SYMBI_EPERMIT);
    rq = ask(&p, &o, 10001);
    CHECK(symbi_order_book_check(b, &rq, 10002, &err) == SYMBI_EPERMIT && strstr(err.msg, "older"));
    rq = ask(&p, &o, 10000);
    CHECK_OK(symbi_order_book_check(b, &rq, 10000, &err), err);
    CHECK(symbi_order_book_check(b, &rq, 10000, &err) == SYMBI_EPERMIT && strstr(err.msg, "used"));
    f = order_of(&p, key, 2, 70000);
    rq = ask(&p, &f, 10000);
    CHECK_OK(symbi_order_book_check(b, &rq, 10000, &err), err);
    f = order_of(&p, key, 3, 80000);
    rq = ask(&p, &f, 10000);
    CHECK(symbi_order_book_check(b, &rq, 20000, &err) == SYMBI_EPERMIT); /* the book is full */
    CHECK_OK(symbi_order_book_check(b, &rq, 70001, &err), err);          /* until others expire */
    symbi_order_book_free(b);
    symbi_order_book_free(NULL);
}

static symbi_status run(symbi_spawner *sp, const symbi_plan *p, const symbi_order *o)
{
    symbi_job *j = NULL;
    symbi_str permit = { (const char *)o->bytes, sizeof o->bytes };
    symbi_status st = symbi_exec_blocking(sp, p, permit, &j, &err);
    symbi_job_free(j);
    return st;
}

static void test_in_the_spawner(void)
{
    symbi_order_book *b;
    symbi_spawner_options so;
    symbi_spawner *sp;
    symbi_plan p = plan_of();
    symbi_order o, early;
    int pid;
    REQUIRE(symbi_order_book_new(cx, key, 60000, 0, &b, &err) == SYMBI_OK);
    symbi_spawner_options_init(&so);
    so.check = symbi_order_book_check;
    so.check_ud = b;
    early = order_of(&p, key, 7, symbi_ctx_now_ms(cx) - 1000 + 60000);
    REQUIRE(symbi_spawner_new(cx, &so, &sp, &err) == SYMBI_OK);
    usleep(5000);
    o = order_of(&p, key, 1, symbi_ctx_now_ms(cx) + 60000);
    CHECK(run(sp, &p, &early) == SYMBI_EPERMIT);
    CHECK_OK(run(sp, &p, &o), err);
    CHECK(run(sp, &p, &o) == SYMBI_EPERMIT);
    pid = symbi_spawner_pid(sp);
    kill(pid, SIGKILL); /* the next one has forgotten what was used, but not that it came later */
    usleep(50000);
    CHECK(run(sp, &p, &o) == SYMBI_EPERMIT && symbi_spawner_pid(sp) != pid);
    usleep(5000);
    o = order_of(&p, key, 2, symbi_ctx_now_ms(cx) + 60000);
    p.timeout_ms--;
    CHECK(run(sp, &p, &o) == SYMBI_EPERMIT);
    p.timeout_ms++;
    CHECK_OK(run(sp, &p, &o), err);
    symbi_spawner_free(sp);
    symbi_order_book_free(b);
}

int main(void)
{
    if (symbi_ctx_new(NULL, &cx, &err)) return 1;
    RUN(test_check);
    RUN(test_in_the_spawner);
    symbi_ctx_free(cx);
    return test_end();
}
