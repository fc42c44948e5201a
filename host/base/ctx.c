/* base/ctx.c: contexts and limits. */
#include "base/ctx.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/time.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void symbi_limits_default(symbi_limits *l)
{
#define ROW(name, def, text) l->name = (size_t)(def);
    SYMBI_LIMIT_LIST(ROW)
#undef ROW
}

symbi_status symbi_limits_set(symbi_limits *l, const char *key, size_t value)
{
#define ROW(name, def, text)                                                                       \
    if (strcmp(key, #name) == 0) {                                                                 \
        l->name = value;                                                                           \
        return SYMBI_OK;                                                                           \
    }
    SYMBI_LIMIT_LIST(ROW)
#undef ROW
    return SYMBI_ENOTFOUND;
}

void symbi_env_init(symbi_env *env)
{
    memset(env, 0, sizeof *env);
    env->size = sizeof *env;
    symbi_limits_default(&env->limits);
}

symbi_status symbi_ctx_new(const symbi_env *in, symbi_ctx **out, symbi_err *err)
{
    symbi_env env;
    symbi_ctx *cx;
    *out = NULL;
    symbi_env_init(&env);
    if (in) {
        if (in->size < offsetof(symbi_env, limits) || in->size > 4096)
            return sy_fail(err, SYMBI_EINVAL, "symbi_env.size is not set; call symbi_env_init first");
        memcpy(&env, in, in->size < sizeof env ? in->size : sizeof env);
    }
    if (!env.alloc.fn) env.alloc = sy_alloc_default();
    if (!env.shared_alloc.fn) env.shared_alloc = sy_alloc_default();
    if (!env.clock.wall_ms || !env.clock.mono_ms) env.clock = sy_clock_default();
    if (!env.rand.fill) env.rand.fill = sy_random_default;
    cx = sy_alloc(&env.alloc, sizeof *cx);
    if (!cx) return sy_fail_nomem(err);
    cx->alloc = env.alloc;
    cx->shared = env.shared_alloc;
    cx->clock = env.clock;
    cx->rand = env.rand;
    cx->log = env.log;
    cx->limits = env.limits;
    memset(cx->slot, 0, sizeof cx->slot);
    cx->supply = NULL;
    cx->no_supply = false;
    memset(cx->crypto_mem, 0, sizeof cx->crypto_mem);
    if (cx->rand.fill(cx->rand.ud, cx->seed, sizeof cx->seed)) {
        sy_free(&env.alloc, cx, sizeof *cx);
        return sy_fail(err, SYMBI_ECRYPTO, "the random source gave no bytes");
    }
    *out = cx;
    return SYMBI_OK;
}

void symbi_ctx_free(symbi_ctx *cx)
{
    if (cx) {
        symbi_alloc a = cx->alloc;
        for (size_t i = sizeof cx->slot / sizeof *cx->slot; i-- > 0;)
            if (cx->slot[i]) cx->slot_free[i](cx, cx->slot[i]);
        sy_supply_free(cx);
        sy_free(&a, cx, sizeof *cx);
    }
}

symbi_limits *symbi_ctx_limits(symbi_ctx *cx) { return &cx->limits; }
int64_t symbi_ctx_now_ms(const symbi_ctx *cx) { return cx->clock.wall_ms(cx->clock.ud); }
int64_t symbi_ctx_mono_ms(const symbi_ctx *cx) { return cx->clock.mono_ms(cx->clock.ud); }

symbi_status symbi_ctx_random(symbi_ctx *cx, void *buf, size_t n, symbi_err *err)
{
    if (cx->rand.fill(cx->rand.ud, buf, n)) return sy_fail(err, SYMBI_ECRYPTO, "the random source gave no bytes");
    return SYMBI_OK;
}

void sy_log(const symbi_ctx *cx, symbi_level lv, const char *module, const char *fmt, ...)
{
    char raw[512], line[512];
    symbi_str s;
    va_list ap;
    int n;
    if (!cx->log.fn) return;
    va_start(ap, fmt);
    n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    s.p = raw;
    s.n = n < 0 ? 0 : (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1;
    sy_clean_line(line, sizeof line, s);
    cx->log.fn(cx->log.ud, lv, module, line);
}
