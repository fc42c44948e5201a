/* One policy set and one entity store shared by threads while another one reloads them: what an nginx worker pool or a game server
 * does. Each thread has its own ctx and scratch. `make tsan` runs this under ThreadSanitizer; without it, it still checks that each
 * decision belongs wholly to one of the sets and that nothing leaks. */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "symbi/cedar.h"
#include "symbi/json.h"

enum { READERS = 4, RELOADS = 300, MIN_DECISIONS = 2000 };

/* What is in force. A reader takes a reference under the lock and decides outside of it. */
static struct {
    pthread_mutex_t lock;
    symbi_cedar *set;
    symbi_cedar_entities *ents;
} now = { PTHREAD_MUTEX_INITIALIZER, NULL, NULL };
static atomic_int stop, wrong, failed;
static atomic_long decisions;

static const char *const texts[2] = {
    "permit(principal in Group::\"staff\", action == Action::\"read\", resource) when { principal.level >= 3 && resource.labels.contains(\"even\") };"
    "forbid(principal, action, resource) when { context.risk > 10 };",
    "@generation(\"odd\") permit(principal in Group::\"staff\", action == Action::\"read\", resource) when { principal.level < 3 || resource.labels.contains(\"odd\") };"
    "forbid(principal, action, resource) when { context.risk > 10 };"
    "permit(principal, action == Action::\"list\", resource) when { context.missing };",
};
static const char *const stores[2] = {
    "[{\"uid\":{\"type\":\"User\",\"id\":\"u\"},\"attrs\":{\"level\":5},\"parents\":[{\"type\":\"Group\",\"id\":\"staff\"}]},"
    "{\"uid\":{\"type\":\"Doc\",\"id\":\"d\"},\"attrs\":{\"labels\":[\"even\",\"odd\"]},\"parents\":[]}]",
    "[{\"uid\":{\"type\":\"Group\",\"id\":\"team\"},\"attrs\":{},\"parents\":[{\"type\":\"Group\",\"id\":\"staff\"}]},"
    "{\"uid\":{\"type\":\"User\",\"id\":\"u\"},\"attrs\":{\"level\":7},\"parents\":[{\"type\":\"Group\",\"id\":\"team\"}]},"
    "{\"uid\":{\"type\":\"Doc\",\"id\":\"d\"},\"attrs\":{\"labels\":[\"odd\",\"even\"]},\"parents\":[]}]",
};

static symbi_doc *json(symbi_ctx *cx, const char *text)
{
    symbi_doc *d = NULL;
    symbi_err err;
    if (symbi_json_parse(cx, symbi_str_z(text), &d, &err)) atomic_fetch_add(&failed, 1);
    return d;
}

static bool load(symbi_ctx *cx, int which, symbi_cedar **set, symbi_cedar_entities **ents)
{
    symbi_cedar_source src = { { "", 0 }, { "", 0 } };
    symbi_doc *d = json(cx, stores[which]);
    symbi_err err;
    bool ok;
    src.text = symbi_str_z(texts[which]);
    *set = NULL, *ents = NULL;
    ok = symbi_cedar_parse(cx, &src, 1, 0, set, &err) == SYMBI_OK && symbi_cedar_entities_new(cx, symbi_doc_root(d), ents, &err) == SYMBI_OK;
    symbi_doc_unref(d);
    return ok;
}

/* Reads of a set that are no decision: they too must not write. */
static void look(const symbi_cedar *set)
{
    uint8_t hash[32];
    symbi_cedar_policy_info p;
    symbi_str k, v;
    symbi_cedar_hash(set, hash);
    for (size_t i = 0; i < symbi_cedar_count(set); i++) {
        symbi_cedar_policy(set, i, &p);
        symbi_cedar_annotation(set, i, 0, &k, &v);
        if (symbi_cedar_find(set, p.id) != i) atomic_fetch_add(&wrong, 1);
    }
}

static void *reader(void *arg)
{
    symbi_env env;
    symbi_ctx *cx = NULL;
    symbi_cedar_eval *ev = NULL;
    symbi_cedar_request rq;
    symbi_cedar_answer a;
    symbi_doc *calm, *risky;
    symbi_err err;
    int turn = *(int *)arg;
    symbi_env_init(&env);
    if (symbi_ctx_new(&env, &cx, &err) || symbi_cedar_eval_new(cx, &ev, &err)) {
        atomic_fetch_add(&failed, 1);
        symbi_ctx_free(cx);
        return NULL;
    }
    calm = json(cx, "{\"risk\":1}");
    risky = json(cx, "{\"risk\":11}");
    for (long n = 0; !atomic_load(&stop) || n < MIN_DECISIONS; n++, turn++) {
        symbi_cedar *set;
        symbi_cedar_entities *ents;
        symbi_decision want;
        pthread_mutex_lock(&now.lock);
        set = symbi_cedar_ref(now.set);
        ents = symbi_cedar_entities_ref(now.ents);
        pthread_mutex_unlock(&now.lock);
        memset(&rq, 0, sizeof rq);
        rq.principal.type = symbi_str_z("User"), rq.principal.id = symbi_str_z("u");
        rq.action.type = symbi_str_z("Action"), rq.action.id = symbi_str_z(turn % 3 == 2 ? "list" : "read");
        rq.resource.type = symbi_str_z("Doc"), rq.resource.id = symbi_str_z("d");
        rq.context = symbi_doc_root(turn % 3 == 1 ? risky : calm);
        rq.entities = ents;
        /* Both sets and both stores answer alike: allow; the forbid; nothing applies (in the odd set: an error). */
        want = turn % 3 == 0 ? SYMBI_ALLOW : SYMBI_DENY;
        if (symbi_cedar_authorize(ev, set, &rq, &a, &err)) atomic_fetch_add(&failed, 1);
        else if (a.decision != want || a.nreasons != (turn % 3 == 2 ? 0u : 1u) || a.nerrors != (turn % 3 == 2 && symbi_cedar_count(set) == 3 ? 1u : 0u)) atomic_fetch_add(&wrong, 1);
        if (turn % 16 == 0) look(set);
        symbi_cedar_unref(set); /* often the last reference of an old set: freed here, made elsewhere */
        symbi_cedar_entities_unref(ents);
        atomic_fetch_add(&decisions, 1);
    }
    symbi_doc_unref(calm);
    symbi_doc_unref(risky);
    symbi_cedar_eval_free(ev);
    symbi_ctx_free(cx);
    return NULL;
}

static void test_shared_under_reload(void)
{
    pthread_t threads[READERS];
    int turns[READERS];
    symbi_env env;
    symbi_ctx *cx = NULL;
    symbi_err err;
    symbi_env_init(&env);
    REQUIRE(symbi_ctx_new(&env, &cx, &err) == SYMBI_OK);
    REQUIRE(load(cx, 0, &now.set, &now.ents));
    for (int i = 0; i < READERS; i++) {
        turns[i] = i;
        REQUIRE(pthread_create(&threads[i], NULL, reader, &turns[i]) == 0);
    }
    for (int i = 1; i <= RELOADS; i++) {
        symbi_cedar *set, *old;
        symbi_cedar_entities *ents, *gone;
        REQUIRE(load(cx, i % 2, &set, &ents));
        pthread_mutex_lock(&now.lock);
        old = now.set, now.set = set;
        gone = now.ents, now.ents = ents;
        pthread_mutex_unlock(&now.lock);
        symbi_cedar_unref(old);
        symbi_cedar_entities_unref(gone);
    }
    symbi_ctx_free(cx); /* sets outlive the ctx that made them */
    atomic_store(&stop, 1);
    for (int i = 0; i < READERS; i++) pthread_join(threads[i], NULL);
    symbi_cedar_unref(now.set);
    symbi_cedar_entities_unref(now.ents);
    CHECK(atomic_load(&failed) == 0);
    CHECK(atomic_load(&wrong) == 0);
    CHECK(atomic_load(&decisions) >= READERS * (long)MIN_DECISIONS);
}

int main(void)
{
    RUN(test_shared_under_reload);
    return test_end();
}
