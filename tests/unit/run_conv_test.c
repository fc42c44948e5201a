/* Unit tests of run/conv: storage, estimate, windows, JSON form; the shared vectors of the conversation suite. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"
#include "base/utf8.h"
#include "run/conv.h"
#include "symbi/json.h"
#include "test.h"

static symbi_ctx *new_ctx(size_t run_bytes)
{
    symbi_env env;
    symbi_ctx *cx = NULL;
    symbi_env_init(&env);
    if (run_bytes) env.limits.run_bytes = run_bytes;
    return symbi_ctx_new(&env, &cx, NULL) ? NULL : cx;
}

/* Roles and ids as one line: "s u a:c1,c2 t=c1 a". */
static const char *shape(const sy_conv *c)
{
    static char out[2000];
    size_t o = 0;
    out[0] = 0;
    for (size_t i = 0; i < sy_conv_count(c); i++) {
        const sy_msg *m = sy_conv_at(c, i);
        o += (size_t)snprintf(out + o, sizeof out - o, "%s%c", i ? " " : "", sy_role_name(m->role)[0]);
        for (size_t k = 0; k < m->ncalls; k++) o += (size_t)snprintf(out + o, sizeof out - o, "%c%.*s", k ? ',' : ':', (int)m->calls[k].id.n, m->calls[k].id.p);
        if (m->has_call_id) o += (size_t)snprintf(out + o, sizeof out - o, "=%.*s", (int)m->tool_call_id.n, m->tool_call_id.p);
    }
    return out;
}
#define CHECK_SHAPE(c, want) \
    do { \
        if (strcmp(shape(c), want)) { \
            printf("%s:%d: shape \"%s\", expected \"%s\"\n", __FILE__, __LINE__, shape(c), want); \
            t_now_failed = 1; \
        } \
    } while (0)

static symbi_status add_round(sy_conv *c, const char *id, const char *result)
{
    sy_call call = { symbi_str_z(id), SY_LIT("t"), SY_LIT("{}") };
    symbi_status st = sy_conv_add_calls(c, SY_LIT(""), &call, 1, NULL);
    return st ? st : sy_conv_add_result(c, symbi_str_z(id), SY_LIT("t"), "", symbi_str_z(result), false, NULL);
}

static void test_copies_and_cleans(void)
{
    symbi_ctx *cx = new_ctx(0);
    sy_conv c;
    char text[] = "caf\xc3\xa9 \xff\xc3 end";
    sy_call call = { SY_LIT("i\xff"), SY_LIT("n"), SY_LIT("{}") };
    sy_conv_init(&c, cx);
    CHECK(!sy_conv_add_text(&c, SY_ROLE_USER, symbi_str_z(text), NULL));
    memset(text, 'x', sizeof text - 1); /* the conversation holds its own copy */
    CHECK_STR(sy_conv_at(&c, 0)->content, "caf\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd end");
    CHECK(!sy_conv_add_calls(&c, SY_LIT("say"), &call, 1, NULL));
    CHECK_STR(sy_conv_at(&c, 1)->calls[0].id, "i\xef\xbf\xbd");
    CHECK(!sy_conv_add_result(&c, SY_LIT("i"), SY_LIT("n"), "[Policy denied] ", SY_LIT("no"), true, NULL));
    CHECK_STR(sy_conv_at(&c, 2)->content, "[Policy denied] no");
    CHECK(sy_conv_at(&c, 2)->is_error);
    /* a message that points into the conversation itself */
    CHECK(!sy_conv_add(&c, sy_conv_at(&c, 1), NULL));
    CHECK_STR(sy_conv_at(&c, 3)->calls[0].id, "i\xef\xbf\xbd");
    sy_conv_free(&c);
    sy_conv_free(&c);
    symbi_ctx_free(cx);
}

static void test_limit(void)
{
    symbi_ctx *cx = new_ctx(4096);
    sy_conv c;
    symbi_err e;
    char big[5000];
    size_t n, bytes;
    memset(big, 'a', sizeof big);
    sy_conv_init(&c, cx);
    CHECK(sy_conv_add_text(&c, SY_ROLE_USER, (symbi_str){ big, sizeof big }, &e) == SYMBI_ELIMIT);
    CHECK(strstr(e.msg, "4096"));
    CHECK(sy_conv_count(&c) == 0);
    while (!sy_conv_add_text(&c, SY_ROLE_USER, (symbi_str){ big, 100 }, &e)) REQUIRE(sy_conv_count(&c) < 100);
    CHECK(e.code == SYMBI_ELIMIT);
    n = sy_conv_count(&c);
    bytes = c.bytes;
    CHECK(n > 10 && bytes <= 4096);
    CHECK(sy_conv_add_text(&c, SY_ROLE_USER, (symbi_str){ big, 100 }, &e) == SYMBI_ELIMIT && sy_conv_count(&c) == n && c.bytes == bytes);
    /* exactly the limit fits, one byte more does not */
    sy_conv_free(&c);
    CHECK(!sy_conv_add_text(&c, SY_ROLE_USER, SY_LIT(""), NULL));
    bytes = c.bytes;
    sy_conv_free(&c);
    CHECK(sy_conv_add_text(&c, SY_ROLE_USER, (symbi_str){ big, 4096 - bytes + 1 }, &e) == SYMBI_ELIMIT);
    CHECK(!sy_conv_add_text(&c, SY_ROLE_USER, (symbi_str){ big, 4096 - bytes }, &e));
    CHECK(c.bytes == 4096);
    sy_conv_free(&c);
    symbi_ctx_free(cx);
}

static void test_windows_share_messages(void)
{
    symbi_ctx *cx = new_ctx(0);
    sy_conv c, w;
    sy_conv_init(&c, cx);
    sy_conv_init(&w, cx);
    CHECK(!sy_conv_add_text(&c, SY_ROLE_SYSTEM, SY_LIT("s"), NULL) && !add_round(&c, "c1", "one") && !add_round(&c, "c2", "two"));
    CHECK(!sy_conv_copy(&w, &c, NULL));
    CHECK(sy_conv_at(&w, 1) == sy_conv_at(&c, 1));
    CHECK(!sy_conv_truncate(&w, 45, NULL));
    CHECK_SHAPE(&w, "s a:c2 t=c2");
    CHECK_SHAPE(&c, "s a:c1 t=c1 a:c2 t=c2");
    CHECK(!sy_conv_copy(&w, &c, NULL)); /* again over a window in use */
    CHECK(sy_conv_count(&w) == 5);
    sy_conv_free(&c);
    CHECK_SHAPE(&w, "s a:c1 t=c1 a:c2 t=c2"); /* outlives its source */
    sy_conv_free(&w);
    symbi_ctx_free(cx);
}

static void test_truncate_keeps_groups(void)
{
    symbi_ctx *cx = new_ctx(0);
    sy_conv c;
    sy_call two[2] = { { SY_LIT("p"), SY_LIT("t"), SY_LIT("{}") }, { SY_LIT("q"), SY_LIT("t"), SY_LIT("{}") } };
    for (uint64_t max = 0; max < 200; max++) { /* whatever the budget: no result without its call, no call without its results */
        sy_conv_init(&c, cx);
        CHECK(!sy_conv_add_text(&c, SY_ROLE_SYSTEM, SY_LIT("s"), NULL));
        for (int i = 0; i < 3; i++) {
            CHECK(!sy_conv_add_text(&c, SY_ROLE_USER, SY_LIT("go on"), NULL));
            CHECK(!sy_conv_add_calls(&c, SY_LIT(""), two, 2, NULL));
            CHECK(!sy_conv_add_result(&c, SY_LIT("q"), SY_LIT("t"), "", SY_LIT("second first"), false, NULL));
            CHECK(!sy_conv_add_result(&c, SY_LIT("p"), SY_LIT("t"), "", SY_LIT("then first"), false, NULL));
        }
        CHECK(!sy_conv_truncate(&c, max, NULL));
        CHECK(sy_conv_at(&c, 0)->role == SY_ROLE_SYSTEM && sy_conv_count(&c) >= 4);
        for (size_t i = 1; i < sy_conv_count(&c); i++) {
            const sy_msg *m = sy_conv_at(&c, i);
            if (m->ncalls) CHECK(i + 2 < sy_conv_count(&c) && sy_conv_at(&c, i + 1)->role == SY_ROLE_TOOL && sy_conv_at(&c, i + 2)->role == SY_ROLE_TOOL);
            if (m->role == SY_ROLE_TOOL) CHECK(i > 1 && (sy_conv_at(&c, i - 1)->ncalls || sy_conv_at(&c, i - 2)->ncalls));
        }
        CHECK(sy_conv_estimate(&c) <= max || sy_conv_count(&c) == 4); /* over only when the newest group alone is */
        sy_conv_free(&c);
    }
    symbi_ctx_free(cx);
}

static void test_orphan_results_are_dropped(void)
{
    symbi_ctx *cx = new_ctx(0);
    sy_conv c;
    sy_conv_init(&c, cx);
    CHECK(!sy_conv_add_text(&c, SY_ROLE_USER, SY_LIT("an earlier question, long enough to be too much"), NULL));
    CHECK(!sy_conv_add_result(&c, SY_LIT("zz"), SY_LIT("t"), "", SY_LIT("r"), false, NULL));
    CHECK(!sy_conv_add_text(&c, SY_ROLE_USER, SY_LIT("q"), NULL));
    CHECK(!sy_conv_truncate(&c, 25, NULL));
    CHECK_SHAPE(&c, "u"); /* the result fits, but its call is gone */
    sy_conv_free(&c);
    symbi_ctx_free(cx);
}

static void test_summary_never_splits(void)
{
    symbi_ctx *cx = new_ctx(0);
    sy_conv_policy p = { SY_CONV_ANCHORED_SUMMARY, 1, false };
    sy_conv c;
    char filler[200];
    memset(filler, 'r', sizeof filler - 1);
    filler[sizeof filler - 1] = 0;
    for (int compat = 0; compat < 2; compat++) {
        p.compat = compat;
        sy_conv_init(&c, cx);
        CHECK(!sy_conv_add_text(&c, SY_ROLE_USER, SY_LIT("task"), NULL));
        for (int i = 0; i < 4; i++) CHECK(!add_round(&c, i == 3 ? "last" : "c", filler));
        CHECK(!sy_conv_manage(&c, &p, 200, NULL));
        CHECK_SHAPE(&c, compat ? "u u t=last" : "u u a:last t=last");
        CHECK_STR(sy_conv_at(&c, 1)->content, compat
            ? "[Context summary: 7 messages omitted (4 tool calls, 3 tool results). The conversation continued with the agent working on the task.]"
            : "[Context summary: 6 messages omitted (3 tool calls, 3 tool results). The conversation continued with the agent working on the task.]");
        sy_conv_free(&c);
    }
    symbi_ctx_free(cx);
}

static void test_saturation(void)
{
    sy_msg m = { .role = SY_ROLE_USER, .content = { NULL, SIZE_MAX } };
    CHECK(sy_msg_estimate(&m) > UINT64_MAX / 4); /* no wrap to something small */
    m.has_call_id = true;
    m.tool_call_id.n = SIZE_MAX;
    CHECK(sy_msg_estimate(&m) > UINT64_MAX / 4);
}

static symbi_status from_json(symbi_ctx *cx, sy_conv *c, const char *json, symbi_err *e)
{
    symbi_doc *d;
    symbi_status st = symbi_json_parse(cx, symbi_str_z(json), &d, e);
    if (st) return st;
    st = sy_conv_from_value(c, symbi_doc_root(d), e);
    symbi_doc_unref(d);
    return st;
}

static void test_from_value_is_strict(void)
{
    static const struct { const char *json, *path; } bad[] = {
        { "3", "" }, { "{}", "" }, { "{\"messages\":{}}", "" }, { "{\"messages\":[],\"x\":1}", "" },
        { "[1]", "/0" }, { "[{}]", "/0" }, { "[{\"role\":\"robot\"}]", "/0/role" }, { "[{\"role\":1}]", "/0/role" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":\"\"},{\"role\":\"user\",\"content\":null}]}", "/messages/1/content" },
        { "[{\"role\":\"user\",\"extra\":1}]", "/0" }, { "[{\"role\":\"user\",\"tool_calls\":[{\"id\":\"\",\"name\":\"\",\"arguments\":\"\"}]}]", "/0/tool_calls" },
        { "[{\"role\":\"assistant\",\"tool_calls\":{}}]", "/0/tool_calls" }, { "[{\"role\":\"assistant\",\"tool_calls\":[1]}]", "/0/tool_calls/0" },
        { "[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"name\":\"b\",\"arguments\":{}}]}]", "/0/tool_calls/0/arguments" },
        { "[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"name\":\"b\"}]}]", "/0/tool_calls/0" },
        { "[{\"role\":\"tool\",\"is_error\":1}]", "/0/is_error" }, { "[{\"role\":\"tool\",\"tool_call_id\":1}]", "/0/tool_call_id" },
    };
    symbi_ctx *cx = new_ctx(0);
    sy_conv c;
    symbi_err e;
    sy_conv_init(&c, cx);
    CHECK(!sy_conv_add_text(&c, SY_ROLE_USER, SY_LIT("before"), NULL));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        symbi_err_clear(&e);
        CHECK(from_json(cx, &c, bad[i].json, &e) == SYMBI_ESCHEMA);
        if (strcmp(e.path, bad[i].path)) printf("%s: path \"%s\", expected \"%s\"\n", bad[i].json, e.path, bad[i].path), t_now_failed = 1;
        CHECK(sy_conv_count(&c) == 1);
    }
    CHECK_OK(from_json(cx, &c, "{\"messages\":[{\"role\":\"tool\",\"content\":\"x\",\"tool_call_id\":\"\",\"is_error\":true}]}", &e), e);
    CHECK(sy_conv_count(&c) == 2 && sy_conv_at(&c, 1)->has_call_id && !sy_conv_at(&c, 1)->has_tool_name && sy_conv_at(&c, 1)->is_error);
    sy_conv_free(&c);
    symbi_ctx_free(cx);
}

static void test_json_form(void)
{
    static const char want[] = "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":"
        "[{\"id\":\"c\",\"name\":\"t\",\"arguments\":\"{}\"}]},{\"role\":\"tool\",\"content\":\"[Error] boom\",\"tool_call_id\":\"c\","
        "\"tool_name\":\"t\",\"is_error\":true}]}";
    symbi_ctx *cx = new_ctx(0);
    sy_call call = { SY_LIT("c"), SY_LIT("t"), SY_LIT("{}") };
    sy_conv c, back;
    sy_arena a;
    symbi_value v;
    symbi_text t;
    sy_conv_init(&c, cx);
    sy_conv_init(&back, cx);
    sy_arena_init(&a, sy_alloc_default(), 0);
    CHECK(!sy_conv_add_text(&c, SY_ROLE_SYSTEM, SY_LIT("s"), NULL) && !sy_conv_add_calls(&c, SY_LIT(""), &call, 1, NULL));
    CHECK(!sy_conv_add_result(&c, SY_LIT("c"), SY_LIT("t"), "[Error] ", SY_LIT("boom"), true, NULL));
    CHECK(!sy_conv_value(&c, &a, &v, NULL));
    REQUIRE(!symbi_json_write(cx, &v, 0, &t, NULL));
    CHECK_STR(symbi_text_str(&t), want);
    symbi_text_free(&t);
    CHECK(!sy_conv_from_value(&back, &v, NULL));
    CHECK_SHAPE(&back, "s a:c t=c");
    sy_arena_free(&a);
    sy_conv_free(&c);
    sy_conv_free(&back);
    symbi_ctx_free(cx);
}

/* ---- out of memory ------------------------------------------------------------------------------------------------ */

static symbi_status oom_scenario(symbi_ctx *cx, void *ud)
{
    sy_conv_policy p = { *(sy_conv_strategy *)ud, 2, false };
    sy_conv c, w;
    sy_arena a;
    symbi_value v;
    symbi_status st;
    size_t n;
    sy_conv_init(&c, cx);
    sy_conv_init(&w, cx);
    sy_arena_init(&a, cx->alloc, 0);
    st = sy_conv_add_text(&c, SY_ROLE_SYSTEM, SY_LIT("system"), NULL);
    if (!st) st = sy_conv_add_text(&c, SY_ROLE_USER, SY_LIT("user text"), NULL);
    for (int i = 0; i < 5 && !st; i++) st = add_round(&c, "call", "a result of some length, so that it costs something");
    if (!st) st = sy_conv_inject_knowledge(&c, SY_LIT("fact"), NULL);
    if (!st) st = sy_conv_inject_knowledge(&c, SY_LIT("another fact"), NULL);
    if (!st) st = sy_conv_copy(&w, &c, NULL);
    n = sy_conv_count(&w);
    if (!st && (st = sy_conv_manage(&w, &p, 120, NULL)) && sy_conv_count(&w) != n) st = SYMBI_ESTATE; /* changed though it failed */
    if (!st) st = sy_conv_value(&c, &a, &v, NULL);
    if (!st) st = sy_conv_from_value(&w, &v, NULL);
    sy_arena_free(&a);
    sy_conv_free(&c);
    sy_conv_free(&w);
    return st;
}

static void test_oom_all(void)
{
    for (sy_conv_strategy s = SY_CONV_SLIDING_WINDOW; s <= SY_CONV_ANCHORED_SUMMARY; s++) test_oom(oom_scenario, &s, SYMBI_OK);
}

/* ---- vectors ------------------------------------------------------------------------------------------------------ */

static bool same_messages(symbi_ctx *cx, const sy_conv *c, const symbi_value *want)
{
    sy_arena a;
    symbi_value v;
    bool same;
    (void)cx;
    sy_arena_init(&a, sy_alloc_default(), 0);
    same = !sy_conv_messages(c, &a, &v, NULL) && symbi_value_equal(&v, want);
    sy_arena_free(&a);
    return same;
}

static bool run_vector(symbi_ctx *cx, const symbi_value *v, sy_conv *c)
{
    symbi_str op = symbi_value_str(v, "op", SY_LIT(""));
    const symbi_value *in = symbi_value_getz(v, "in"), *out = symbi_value_getz(v, "out"), *max = symbi_value_getz(in, "max_tokens"), *x;
    if (sy_conv_from_value(c, symbi_value_getz(in, "messages"), NULL)) return false;
    if (sy_str_eqz(op, "conv.estimate_tokens")) {
        const symbi_value *each = symbi_value_getz(out, "per_message");
        for (size_t i = 0; i < sy_conv_count(c); i++)
            if (sy_msg_estimate(sy_conv_at(c, i)) != (uint64_t)each->u.a.items[i].u.i) return false;
        return sy_conv_estimate(c) == (uint64_t)symbi_value_getz(out, "total")->u.i;
    }
    if (sy_str_eqz(op, "conv.inject_knowledge")) {
        x = symbi_value_getz(in, "contexts");
        for (size_t i = 0; i < x->u.a.n; i++)
            if (sy_conv_inject_knowledge(c, x->u.a.items[i].u.s, NULL)) return false;
        return same_messages(cx, c, out);
    }
    if (sy_str_eqz(op, "conv.truncate")) {
        if (sy_conv_truncate(c, (uint64_t)max->u.i, NULL)) return false;
    } else {
        sy_conv_policy p = { SY_CONV_SLIDING_WINDOW, (size_t)symbi_value_getz(in, "recent_count")->u.i, true };
        if (!sy_conv_strategy_named(symbi_value_str(in, "strategy", SY_LIT("")), &p.strategy)) return false;
        if (sy_conv_manage(c, &p, (uint64_t)max->u.i, NULL)) return false;
    }
    x = symbi_value_getz(out, "tokens");
    return same_messages(cx, c, symbi_value_getz(out, "messages")) && (!x || sy_conv_estimate(c) == (uint64_t)x->u.i);
}

static void test_vectors(void)
{
    static const char *const ops[] = { "conv.estimate_tokens", "conv.truncate", "ctx.manage", "conv.inject_knowledge" };
    char path[1000];
    symbi_ctx *cx;
    symbi_doc *d;
    symbi_err e;
    const symbi_value *cases;
    size_t ran = 0;
    symbi_str text;
    if (!vectors_dir()) SKIP("no shared vectors");
    snprintf(path, sizeof path, "%s/orga/conversation.json", vectors_dir());
    text = slurp(path);
    REQUIRE(text.p);
    cx = new_ctx(0);
    CHECK_OK(symbi_json_parse(cx, text, &d, &e), e);
    cases = symbi_value_getz(symbi_doc_root(d), "cases");
    for (size_t i = 0; i < cases->u.a.n; i++) {
        const symbi_value *v = &cases->u.a.items[i];
        sy_conv c;
        size_t k = 0;
        while (k < 4 && !sy_str_eqz(symbi_value_str(v, "op", SY_LIT("")), ops[k])) k++;
        if (k == 4) continue;
        sy_conv_init(&c, cx);
        if (!run_vector(cx, v, &c)) {
            symbi_str id = symbi_value_str(v, "id", SY_LIT("?"));
            printf("vector %.*s fails: %s\n", (int)id.n, id.p, shape(&c));
            t_now_failed = 1;
        }
        sy_conv_free(&c);
        ran++;
    }
    printf("%zu conversation vectors\n", ran);
    CHECK(ran > 0);
    symbi_doc_unref(d);
    symbi_ctx_free(cx);
    free((void *)(uintptr_t)text.p);
}

int main(void)
{
    RUN(test_copies_and_cleans);
    RUN(test_limit);
    RUN(test_windows_share_messages);
    RUN(test_truncate_keeps_groups);
    RUN(test_orphan_results_are_dropped);
    RUN(test_summary_never_splits);
    RUN(test_saturation);
    RUN(test_from_value_is_strict);
    RUN(test_json_form);
    RUN(test_oom_all);
    RUN(test_vectors);
    return test_end();
}
