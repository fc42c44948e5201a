/* bench/commit_bench.c: microseconds per decision on the audit trail (SQLite, Ed25519 checkpoint), single and in groups, at
 * synchronous=FULL and without waiting for the disk; beside it what the disk, the signature and the hash cost alone.
 * Prints one JSON object. Usage: commit_bench [DIR]  (default: a new folder in the present one, since /tmp may be memory) */
#include "symbi/io_store.h"
#include "symbi/symbi.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}
static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The size and shape of a real policy_evaluated entry. */
static const char event[] =
    "{\"action_count\":1,\"decisions\":[{\"action_digest\":\"d1fdbca2f0e8931403e0a6ebca872c176780b4245243ebff5334ce8a499d2d1b\",\"call_id\":\"call_0001\",\"code\":\"ALLOWED\","
    "\"decision\":\"allow\",\"kind\":\"tool_call\",\"name\":\"line_count\",\"permit_nonce\":\"00112233445566778899aabbccddeeff\",\"policies\":[{\"effect\":\"permit\",\"id\":\"read-only\","
    "\"line\":3,\"source\":\"policies/quickstart.cedar\"}],\"reason\":\"permitted by read-only\"}],\"denied_count\":0,\"iteration\":1,"
    "\"policy_set_hash\":\"31ed2875e48e4f4046feb4d21f7d3122739730a08c01ef40652af08aeb851c94\",\"type\":\"policy_evaluated\"}";

enum { MAX_GROUP = 100, MAX_RUNS = 2000 };
static double sample[MAX_RUNS];

static void die(const symbi_err *err)
{
    char b[700];
    symbi_err_format(err, b, sizeof b);
    fprintf(stderr, "commit_bench: %s\n", b);
    exit(1);
}

static void run(symbi_audit *a, int group, bool durable, int runs, const char *comma)
{
    symbi_audit_event ev[MAX_GROUP];
    symbi_err err;
    double total = 0;
    for (int i = 0; i < group; i++) {
        ev[i].loop_id = symbi_str_z("6f1c9b1e-0c1e-4f3c-9d5e-0a1b2c3d4e5f");
        ev[i].agent_id = symbi_str_z("reporter");
        ev[i].iteration = 1;
        ev[i].event = symbi_str_z(event);
    }
    for (int i = 0; i < runs; i++) {
        double t = now_us();
        if (symbi_audit_commit(a, ev, (size_t)group, NULL, 0, durable, &err)) die(&err);
        sample[i] = now_us() - t;
        total += sample[i];
    }
    qsort(sample, (size_t)runs, sizeof *sample, by_value);
    printf("    {\"group\":%d,\"durable\":%s,\"commits\":%d,\"us_per_commit_median\":%.1f,\"us_per_commit_p99\":%.1f,\"us_per_decision\":%.1f}%s\n", group,
           durable ? "true" : "false", runs, sample[runs / 2], sample[runs - 1 - runs / 100], total / runs / group, comma);
}

int main(int argc, char **argv)
{
    char own[64], cmd[200];
    const char *dir = argc > 1 ? argv[1] : own;
    symbi_ctx *cx = NULL;
    symbi_store s;
    symbi_audit_options o;
    symbi_audit *a = NULL;
    symbi_err err;
    uint8_t digest[32], sig[64];
    double t, disk, sign, hash;
    char block[4096] = { 0 };
    int fd;
    snprintf(own, sizeof own, "./commit-bench-%ld", (long)getpid());
    if (symbi_ctx_new(NULL, &cx, &err) || symbi_io_store_open(cx, dir, NULL, &s, &err)) die(&err);
    memset(&o, 0, sizeof o);
    o.key = symbi_io_store_key(&s);
    if (symbi_audit_open(cx, &s, &o, &a, &err)) die(&err);

    snprintf(cmd, sizeof cmd, "%s/probe", dir);
    fd = open(cmd, O_CREAT | O_RDWR, 0600);
    if (fd < 0) return 1;
    t = now_us();
    for (int i = 0; i < 500; i++)
        if (pwrite(fd, block, sizeof block, (off_t)(i % 16) * 4096) < 0 || fdatasync(fd)) return 1;
    disk = (now_us() - t) / 500;
    close(fd);
    unlink(cmd);
    t = now_us();
    for (int i = 0; i < 2000; i++)
        if (symbi_ed25519_sign(cx, o.key, symbi_str_z("sixty-eight bytes are what a checkpoint signs, these are as many ..."), sig, &err)) die(&err);
    sign = (now_us() - t) / 2000;
    t = now_us();
    for (int i = 0; i < 200000; i++)
        if (symbi_sha256(cx, (symbi_str){ event, 200 }, digest, &err)) die(&err);
    hash = (now_us() - t) / 200000;
    t = now_us();
    for (int i = 0; i < 200000; i++)
        if (symbi_hmac_sha256(cx, (symbi_str){ event, 32 }, (symbi_str){ event, 150 }, digest, &err)) die(&err);
    printf("{\n  \"bench\":\"commit\",\"version\":\"%s\",\"event_bytes\":%zu,\"write_fdatasync_us\":%.1f,\"ed25519_sign_us\":%.1f,\"sha256_200_us\":%.3f,\"hmac_150_us\":%.3f,\n  \"runs\":[\n",
           symbi_version(), sizeof event - 1, disk, sign, hash, (now_us() - t) / 200000);
    run(a, 1, true, MAX_RUNS, ",");
    run(a, 10, true, 500, ",");
    run(a, 100, true, 100, ",");
    run(a, 1, false, MAX_RUNS, ",");
    run(a, 10, false, 500, "");
    symbi_audit_free(a);
    t = now_us();
    symbi_io_store_close(&s);
    printf("  ],\n  \"close_us\":%.0f", now_us() - t);
    {
        symbi_io_store_options ro = { sizeof ro, true, 0 };
        symbi_audit_report rep;
        uint8_t pub[32];
        t = now_us();
        if (symbi_io_store_open(cx, dir, &ro, &s, &err)) die(&err);
        printf(",\"open_readonly_us\":%.0f", now_us() - t);
        symbi_io_store_public(&s, pub);
        t = now_us();
        if (symbi_audit_verify(cx, &s, symbi_str_z(""), pub, NULL, &rep, &err)) die(&err);
        printf(",\n  \"verify\":{\"result\":\"%s\",\"entries\":%llu,\"checkpoints\":%llu,\"us_per_entry\":%.1f}", symbi_audit_result_name(rep.result),
               (unsigned long long)rep.entries, (unsigned long long)rep.checkpoints, (now_us() - t) / (double)rep.entries);
        symbi_io_store_close(&s);
        t = now_us();
        if (symbi_io_store_open(cx, dir, NULL, &s, &err)) die(&err);
        o.key = symbi_io_store_key(&s);
        if (symbi_audit_open(cx, &s, &o, &a, &err)) die(&err);
        printf(",\"open_writer_us\":%.0f\n}\n", now_us() - t);
        symbi_audit_free(a);
        symbi_io_store_close(&s);
    }
    symbi_ctx_free(cx);
    if (dir == own) {
        snprintf(cmd, sizeof cmd, "rm -rf ./commit-bench-%ld", (long)getpid());
        return system(cmd) != 0;
    }
    return 0;
}
