/* dsl/extract.c: what a file defines, as data (spec section 3). Values are as upstream takes them out of the tree, except that a block
 * with a problem does not take the others of its kind along: it is left out and named. */
#include "base/ctx.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "codec/build.h"
#include "dsl/dsl.h"
#include "symbi/json.h"

#include <stdio.h>
#include <string.h>

typedef struct ex {
    symbi_ctx *cx;
    const symbi_dsl *d;
    sy_arena *a;
    sy_arr problems;
} ex;

static symbi_value str(ex *x, symbi_str s) { return sy_val_str(sy_arena_dup(x->a, s)); }

static int64_t line_of(ex *x, uint32_t node)
{
    uint32_t line, col;
    sy_dsl_place(x->d, sy_n(x->d, node)->start, &line, &col);
    return line;
}

static bool problem(ex *x, const char *kind, uint32_t node, symbi_str name, const char *fmt, ...) SYMBI_PRINTF(5, 6);
static bool problem(ex *x, const char *kind, uint32_t node, symbi_str name, const char *fmt, ...)
{
    char line[600];
    sy_obj o = sy_obj_new(x->a);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    sy_obj_str(&o, "kind", symbi_str_z(kind));
    sy_obj_put(&o, "name", str(x, name));
    sy_obj_int(&o, "line", line_of(x, node));
    sy_obj_put(&o, "message", str(x, symbi_str_z(line)));
    sy_arr_add(&x->problems, sy_obj_value(&o));
    return false;
}

/* Key and value of a pair, whatever stands between them. */
static symbi_str key_of(ex *x, uint32_t pair) { return sy_dsl_text(x->d, sy_n(x->d, pair)->first); }
static uint32_t value_node(ex *x, uint32_t pair) { return sy_n(x->d, pair)->last; }
static symbi_str raw_of(ex *x, uint32_t pair) { return sy_dsl_text(x->d, value_node(x, pair)); }
static symbi_str unquoted(ex *x, uint32_t pair) { return sy_dsl_unquote(raw_of(x, pair)); }

/* The last pair of kind k called key, or 0. */
static uint32_t last_pair(ex *x, uint32_t block, sy_dsl_kind k, const char *key)
{
    uint32_t found = 0;
    for (uint32_t c = sy_n(x->d, block)->first; c; c = sy_n(x->d, c)->next)
        if (sy_n(x->d, c)->kind == k && sy_str_eqz(key_of(x, c), key)) found = c;
    return found;
}

static void put_text(ex *x, sy_obj *o, uint32_t block, sy_dsl_kind k, const char *key, const char *dflt)
{
    uint32_t p = last_pair(x, block, k, key);
    sy_obj_put(o, key, p ? str(x, unquoted(x, p)) : dflt ? sy_val_str(symbi_str_z(dflt)) : sy_val_null());
}

static bool same_word(symbi_str s, const char *lower)
{
    size_t n = strlen(lower);
    if (s.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if ((s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]) != lower[i]) return false;
    return true;
}

/* String literals below node, in order. */
static void strings_below(ex *x, uint32_t node, sy_arr *out)
{
    if (sy_n(x->d, node)->kind == SY_N_STRING) sy_arr_add(out, str(x, sy_dsl_unquote(sy_dsl_text(x->d, node))));
    for (uint32_t c = sy_n(x->d, node)->first; c; c = sy_n(x->d, c)->next) strings_below(x, c, out);
}

/* ---- metadata ---- */

static symbi_value metadata_value(ex *x, uint32_t v)
{
    uint32_t bare = sy_dsl_bare(x->d, v);
    if (sy_n(x->d, bare)->kind == SY_N_ARRAY) {
        sy_arr r = sy_arr_new(x->a);
        for (uint32_t e = sy_n(x->d, bare)->first; e; e = sy_n(x->d, e)->next) sy_arr_add(&r, metadata_value(x, e));
        return sy_arr_value(&r);
    }
    return str(x, sy_n(x->d, bare)->kind == SY_N_STRING ? sy_dsl_unquote(sy_dsl_text(x->d, bare)) : sy_dsl_text(x->d, bare));
}

static symbi_status metadata(ex *x, symbi_value *plain, symbi_value *raw)
{
    sy_obj p = sy_obj_new(x->a), r = sy_obj_new(x->a);
    sy_map seen;
    symbi_status st = SYMBI_OK;
    sy_map_init(&seen, x->cx->alloc, x->cx->seed);
    for (uint32_t b = sy_n(x->d, 0)->first; b && !st; b = sy_n(x->d, b)->next) {
        if (sy_n(x->d, b)->kind != SY_N_METADATA) continue;
        for (uint32_t c = sy_n(x->d, b)->first; c && !st; c = sy_n(x->d, c)->next) {
            symbi_str key = key_of(x, c);
            bool fresh;
            sy_map_entry *e = sy_map_put(&seen, key, &fresh);
            if (!e) {
                st = SYMBI_ENOMEM;
            } else if (fresh) {
                e->val.u = p.n;
                key = sy_arena_dup(x->a, key);
                sy_obj_puts(&p, key, metadata_value(x, value_node(x, c)));
                sy_obj_puts(&r, key, str(x, raw_of(x, c)));
                if (x->a->status) break;
            } else {
                p.m[e->val.u].val = metadata_value(x, value_node(x, c));
                r.m[e->val.u].val = str(x, raw_of(x, c));
            }
        }
    }
    sy_map_free(&seen);
    *plain = sy_obj_value(&p);
    *raw = sy_obj_value(&r);
    return st;
}

/* ---- with ---- */

/* Seconds of a timeout as upstream reads it: durations, or a bare whole number of seconds. */
static bool timeout_seconds(symbi_str raw, int64_t *secs)
{
    static const char *const from[] = { ".seconds", ".minutes", ".hours" };
    char buf[128], why[120];
    symbi_str s = sy_dsl_unquote(raw), t = { buf, 0 };
    int64_t ms;
    uint64_t n = 0;
    size_t i = 0;
    if (s.n >= sizeof buf) return false;
    while (i < s.n) {
        size_t k = 0;
        while (k < 3 && !(s.n - i >= strlen(from[k]) && !memcmp(s.p + i, from[k], strlen(from[k])))) k++;
        if (k < 3) {
            buf[t.n++] = from[k][1];
            i += strlen(from[k]);
        } else {
            buf[t.n++] = s.p[i++];
        }
    }
    if (!sy_dsl_human(t, &ms, why)) {
        *secs = ms / 1000;
        return true;
    }
    i = s.n > 1 && s.p[0] == '+';
    if (i >= s.n) return false;
    for (; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(n, (uint64_t)10, &n) || __builtin_add_overflow(n, (uint64_t)(s.p[i] - '0'), &n)) return false;
    *secs = n > INT64_MAX ? INT64_MAX : (int64_t)n;
    return true;
}

static bool with_block(ex *x, uint32_t w, symbi_str agent, symbi_value *out)
{
    sy_obj o = sy_obj_new(x->a);
    sy_arr attrs = sy_arr_new(x->a);
    symbi_value tier = sy_val_null(), timeout = sy_val_null();
    for (uint32_t c = sy_n(x->d, w)->first; c != sy_n(x->d, w)->last; c = sy_n(x->d, c)->next) {
        sy_arr two = sy_arr_new(x->a);
        symbi_str raw = raw_of(x, c);
        symbi_sandbox s;
        int64_t secs;
        sy_arr_add(&two, str(x, key_of(x, c)));
        sy_arr_add(&two, str(x, raw));
        sy_arr_add(&attrs, sy_arr_value(&two));
        if (sy_str_eqz(key_of(x, c), "sandbox")) {
            if (!symbi_sandbox_of(sy_dsl_unquote(raw), &s))
                return problem(x, "with", c, agent, "Invalid sandbox tier: %.*s. Valid options are: docker (tier1), gvisor (tier2), firecracker (tier3), e2b", SY_FMT(raw));
            tier = sy_val_str(symbi_str_z(symbi_sandbox_name(s)));
        } else if (sy_str_eqz(key_of(x, c), "timeout")) {
            if (!timeout_seconds(raw, &secs)) return problem(x, "with", c, agent, "Invalid timeout value: %.*s", SY_FMT(raw));
            timeout = sy_val_int(secs);
        }
    }
    sy_obj_put(&o, "attributes", sy_arr_value(&attrs));
    sy_obj_put(&o, "sandbox_tier", tier);
    sy_obj_put(&o, "timeout", timeout);
    *out = sy_obj_value(&o);
    return true;
}

/* ---- policies, agents, functions, types ---- */

static symbi_value policy(ex *x, uint32_t p, symbi_str agent)
{
    sy_obj o = sy_obj_new(x->a);
    sy_arr rules = sy_arr_new(x->a);
    for (uint32_t r = sy_n(x->d, p)->first; r; r = sy_n(x->d, r)->next) {
        const sy_node *n = sy_n(x->d, r);
        sy_obj q = sy_obj_new(x->a);
        uint32_t line, col;
        if (n->kind != SY_N_RULE) continue;
        sy_dsl_place(x->d, n->start, &line, &col);
        sy_obj_str(&q, "effect", symbi_str_z(n->op == 'a' ? "allow" : n->op == 'd' ? "deny" : n->op == 'r' ? "require" : "audit"));
        sy_obj_put(&q, "expression", str(x, sy_dsl_text(x->d, n->first)));
        sy_obj_put(&q, "guard", n->first != n->last ? str(x, sy_dsl_text(x->d, n->last)) : sy_val_null());
        sy_obj_int(&q, "line", line);
        sy_obj_int(&q, "col", col);
        sy_arr_add(&rules, sy_obj_value(&q));
    }
    sy_obj_put(&o, "name", str(x, sy_dsl_name(x->d, p)));
    sy_obj_int(&o, "line", line_of(x, p));
    sy_obj_put(&o, "agent", agent.n ? str(x, agent) : sy_val_null());
    sy_obj_put(&o, "rules", sy_arr_value(&rules));
    return sy_obj_value(&o);
}

/* {name, line, parameters, returns} of an agent or a function. */
static void signature(ex *x, uint32_t n, sy_obj *o)
{
    sy_arr params = sy_arr_new(x->a);
    uint32_t type = sy_dsl_child(x->d, n, SY_N_TYPE);
    for (uint32_t c = sy_n(x->d, n)->first; c; c = sy_n(x->d, c)->next) {
        sy_obj p = sy_obj_new(x->a);
        if (sy_n(x->d, c)->kind != SY_N_PARAM) continue;
        sy_obj_put(&p, "name", str(x, sy_dsl_name(x->d, c)));
        sy_obj_put(&p, "type", str(x, sy_dsl_text(x->d, sy_n(x->d, c)->last)));
        sy_arr_add(&params, sy_obj_value(&p));
    }
    sy_obj_put(o, "name", str(x, sy_dsl_name(x->d, n)));
    sy_obj_int(o, "line", line_of(x, n));
    sy_obj_put(o, "parameters", sy_arr_value(&params));
    sy_obj_put(o, "returns", type ? str(x, sy_dsl_text(x->d, type)) : sy_val_null());
}

typedef struct lists {
    sy_arr agents, policies, functions, types, schedules, channels, memories, webhooks, withs, capabilities;
} lists;

static void agent(ex *x, uint32_t n, lists *l)
{
    sy_obj o = sy_obj_new(x->a);
    sy_arr caps = sy_arr_new(x->a), names = sy_arr_new(x->a), withs = sy_arr_new(x->a), functions = sy_arr_new(x->a);
    symbi_str name = sy_dsl_name(x->d, n);
    bool has_caps = false;
    signature(x, n, &o);
    for (uint32_t c = sy_n(x->d, n)->first; c; c = sy_n(x->d, c)->next) {
        symbi_value v;
        sy_obj f = sy_obj_new(x->a);
        switch (sy_n(x->d, c)->kind) {
        case SY_N_CAPABILITIES:
            has_caps = true;
            strings_below(x, c, &caps);
            strings_below(x, c, &l->capabilities);
            break;
        case SY_N_POLICY:
            sy_arr_add(&names, str(x, sy_dsl_name(x->d, c)));
            sy_arr_add(&l->policies, policy(x, c, name));
            break;
        case SY_N_FUNCTION:
            signature(x, c, &f);
            sy_arr_add(&functions, sy_obj_value(&f));
            break;
        case SY_N_WITH:
            if (!with_block(x, c, name, &v)) break;
            sy_arr_add(&withs, v);
            sy_arr_add(&l->withs, v);
            break;
        default: break;
        }
    }
    sy_obj_put(&o, "capabilities", has_caps ? sy_arr_value(&caps) : sy_val_null());
    sy_obj_put(&o, "policies", sy_arr_value(&names));
    sy_obj_put(&o, "functions", sy_arr_value(&functions));
    sy_obj_put(&o, "with", sy_arr_value(&withs));
    sy_arr_add(&l->agents, sy_obj_value(&o));
}

static symbi_value type_definition(ex *x, uint32_t n)
{
    sy_obj o = sy_obj_new(x->a);
    sy_obj_put(&o, "name", str(x, sy_dsl_name(x->d, n)));
    sy_obj_int(&o, "line", line_of(x, n));
    sy_obj_put(&o, "definition", str(x, sy_dsl_text(x->d, sy_n(x->d, n)->last)));
    return sy_obj_value(&o);
}

/* ---- blocks of settings ---- */

static bool schedule(ex *x, uint32_t n, symbi_value *out)
{
    static const char *const texts[] = { "agent", "at", "audit", "cron", "deliver", "policy" };
    sy_obj o = sy_obj_new(x->a);
    symbi_str name = sy_dsl_name(x->d, n);
    uint32_t cron = last_pair(x, n, SY_N_SCHEDULE_PROP, "cron"), at = last_pair(x, n, SY_N_SCHEDULE_PROP, "at"), once = last_pair(x, n, SY_N_SCHEDULE_PROP, "one_shot");
    if (!cron && !at) return problem(x, "schedule", n, name, "schedule '%.*s': must specify either 'cron' or 'at'", SY_FMT(name));
    if (cron && at) return problem(x, "schedule", n, name, "schedule '%.*s': cannot specify both 'cron' and 'at'", SY_FMT(name));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) put_text(x, &o, n, SY_N_SCHEDULE_PROP, texts[i], NULL);
    sy_obj_put(&o, "name", str(x, name));
    sy_obj_bool(&o, "one_shot", once && sy_str_eqz(unquoted(x, once), "true"));
    put_text(x, &o, n, SY_N_SCHEDULE_PROP, "timezone", "UTC");
    *out = sy_obj_value(&o);
    return true;
}

static bool weight(ex *x, uint32_t pair, symbi_str memory, const char *key, double *out)
{
    symbi_str raw = raw_of(x, pair);
    if (!sy_str_eqz(key_of(x, pair), key) || symbi_json_number(raw, out)) return true;
    return problem(x, "memory", pair, memory, "memory: invalid %s '%.*s': %s", key, SY_FMT(raw), raw.n ? "invalid float literal" : "cannot parse float from empty string");
}

static bool memory(ex *x, uint32_t n, symbi_value *out)
{
    sy_obj o = sy_obj_new(x->a);
    symbi_str name = sy_dsl_name(x->d, n), path = SY_LIT("data/agents");
    symbi_value search = sy_val_null();
    int64_t ms = 90LL * 86400000;
    char why[120];
    for (uint32_t c = sy_n(x->d, n)->first; c; c = sy_n(x->d, c)->next) {
        if (sy_n(x->d, c)->kind == SY_N_SEARCH) {
            double vector = 0.7, keyword = 0.3;
            sy_obj q = sy_obj_new(x->a);
            for (uint32_t p = sy_n(x->d, c)->first; p; p = sy_n(x->d, p)->next)
                if (!weight(x, p, name, "vector_weight", &vector) || !weight(x, p, name, "keyword_weight", &keyword)) return false;
            sy_obj_put(&q, "keyword_weight", sy_val_double(keyword));
            sy_obj_put(&q, "vector_weight", sy_val_double(vector));
            search = sy_obj_value(&q);
        } else if (sy_n(x->d, c)->kind == SY_N_MEMORY_PROP) {
            symbi_str key = key_of(x, c), v = unquoted(x, c);
            if (sy_str_eqz(key, "store") && !same_word(v, "markdown"))
                return problem(x, "memory", c, name, "memory '%.*s': unknown store type '%.*s'", SY_FMT(name), SY_FMT(v));
            if (sy_str_eqz(key, "path")) path = v;
            if (sy_str_eqz(key, "retention") && sy_dsl_human(v, &ms, why))
                return problem(x, "memory", c, name, "memory '%.*s': invalid retention '%.*s': %s", SY_FMT(name), SY_FMT(v), why);
        }
    }
    sy_obj_put(&o, "name", str(x, name));
    sy_obj_put(&o, "path", str(x, path));
    sy_obj_int(&o, "retention_secs", ms / 1000);
    sy_obj_put(&o, "search", search);
    sy_obj_str(&o, "store", SY_LIT("markdown"));
    *out = sy_obj_value(&o);
    return true;
}

static bool webhook(ex *x, uint32_t n, symbi_value *out)
{
    static const char *const known[] = { "github", "stripe", "slack" };
    sy_obj o = sy_obj_new(x->a);
    symbi_str name = sy_dsl_name(x->d, n);
    uint32_t p = last_pair(x, n, SY_N_WEBHOOK_PROP, "provider");
    const char *provider = "custom";
    symbi_value filter = sy_val_null();
    if (!last_pair(x, n, SY_N_WEBHOOK_PROP, "path")) return problem(x, "webhook", n, name, "webhook '%.*s': must specify 'path'", SY_FMT(name));
    for (size_t i = 0; p && i < 3; i++)
        if (same_word(unquoted(x, p), known[i])) provider = known[i];
    for (uint32_t c = sy_n(x->d, n)->first; c; c = sy_n(x->d, c)->next) {
        sy_obj f = sy_obj_new(x->a);
        if (sy_n(x->d, c)->kind != SY_N_FILTER) continue;
        put_text(x, &f, c, SY_N_FILTER_PROP, "contains", NULL);
        put_text(x, &f, c, SY_N_FILTER_PROP, "equals", NULL);
        put_text(x, &f, c, SY_N_FILTER_PROP, "json_path", "");
        filter = sy_obj_value(&f);
    }
    put_text(x, &o, n, SY_N_WEBHOOK_PROP, "agent", NULL);
    sy_obj_put(&o, "filter", filter);
    sy_obj_put(&o, "name", str(x, name));
    put_text(x, &o, n, SY_N_WEBHOOK_PROP, "path", NULL);
    sy_obj_str(&o, "provider", symbi_str_z(provider));
    put_text(x, &o, n, SY_N_WEBHOOK_PROP, "secret", "");
    *out = sy_obj_value(&o);
    return true;
}

static bool channel(ex *x, uint32_t n, symbi_value *out)
{
    static const char *const texts[] = { "audit_level", "default_agent", "dlp_profile", "platform", "workspace" };
    sy_obj o = sy_obj_new(x->a);
    sy_arr rules = sy_arr_new(x->a), classes = sy_arr_new(x->a), list = sy_arr_new(x->a);
    symbi_str name = sy_dsl_name(x->d, n);
    uint32_t deny = last_pair(x, n, SY_N_CHANNEL_PROP, "default_deny"), names = last_pair(x, n, SY_N_CHANNEL_PROP, "channels");
    if (!last_pair(x, n, SY_N_CHANNEL_PROP, "platform")) return problem(x, "channel", n, name, "channel '%.*s': must specify 'platform'", SY_FMT(name));
    if (names && sy_n(x->d, value_node(x, names))->kind == SY_N_ARRAY) strings_below(x, value_node(x, names), &list);
    for (uint32_t c = sy_n(x->d, n)->first; c; c = sy_n(x->d, c)->next) {
        if (sy_n(x->d, c)->kind == SY_N_CHANNEL_POLICY) {
            symbi_value v = policy(x, c, SY_LIT(""));
            const symbi_value *r = symbi_value_getz(&v, "rules");
            for (size_t i = 0; r && i < r->u.a.n; i++) sy_arr_add(&rules, r->u.a.items[i]);
        }
        if (sy_n(x->d, c)->kind != SY_N_CHANNEL_CLASS) continue;
        for (uint32_t r = sy_n(x->d, c)->first; r; r = sy_n(x->d, r)->next) {
            sy_obj q = sy_obj_new(x->a);
            sy_obj_put(&q, "category", str(x, sy_dsl_text(x->d, sy_n(x->d, r)->first)));
            sy_obj_put(&q, "action", str(x, sy_dsl_text(x->d, sy_n(x->d, r)->last)));
            sy_arr_add(&classes, sy_obj_value(&q));
        }
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) put_text(x, &o, n, SY_N_CHANNEL_PROP, texts[i], NULL);
    sy_obj_put(&o, "channels", sy_arr_value(&list));
    sy_obj_put(&o, "data_classification", sy_arr_value(&classes));
    sy_obj_bool(&o, "default_deny", deny && sy_str_eqz(unquoted(x, deny), "true"));
    sy_obj_put(&o, "name", str(x, name));
    sy_obj_put(&o, "policy_rules", sy_arr_value(&rules));
    *out = sy_obj_value(&o);
    return true;
}

static void items(ex *x, lists *l)
{
    for (uint32_t c = sy_n(x->d, 0)->first; c; c = sy_n(x->d, c)->next) {
        symbi_value v;
        sy_obj f = sy_obj_new(x->a);
        switch (sy_n(x->d, c)->kind) {
        case SY_N_AGENT: agent(x, c, l); break;
        case SY_N_POLICY: sy_arr_add(&l->policies, policy(x, c, SY_LIT(""))); break;
        case SY_N_FUNCTION:
            signature(x, c, &f);
            sy_arr_add(&l->functions, sy_obj_value(&f));
            break;
        case SY_N_TYPEDEF: sy_arr_add(&l->types, type_definition(x, c)); break;
        case SY_N_SCHEDULE:
            if (schedule(x, c, &v)) sy_arr_add(&l->schedules, v);
            break;
        case SY_N_CHANNEL:
            if (channel(x, c, &v)) sy_arr_add(&l->channels, v);
            break;
        case SY_N_MEMORY:
            if (memory(x, c, &v)) sy_arr_add(&l->memories, v);
            break;
        case SY_N_WEBHOOK:
            if (webhook(x, c, &v)) sy_arr_add(&l->webhooks, v);
            break;
        default: break;
        }
    }
}

symbi_status symbi_dsl_extract(symbi_ctx *cx, const symbi_dsl *d, symbi_doc **out, symbi_err *err)
{
    symbi_doc *doc;
    sy_obj o;
    lists l;
    ex x;
    symbi_value plain, raw;
    symbi_status st;
    *out = NULL;
    if ((st = sy_dsl_need_ok(d, err))) return st;
    doc = sy_doc_new(cx);
    if (!doc) return sy_fail_nomem(err);
    x = (ex){ cx, d, &doc->arena, sy_arr_new(&doc->arena) };
    l = (lists){ x.problems, x.problems, x.problems, x.problems, x.problems, x.problems, x.problems, x.problems, x.problems, x.problems };
    st = metadata(&x, &plain, &raw);
    items(&x, &l);
    o = sy_obj_new(&doc->arena);
    sy_obj_put(&o, "metadata", plain);
    sy_obj_put(&o, "metadata_raw", raw);
    sy_obj_put(&o, "agents", sy_arr_value(&l.agents));
    sy_obj_put(&o, "policies", sy_arr_value(&l.policies));
    sy_obj_put(&o, "functions", sy_arr_value(&l.functions));
    sy_obj_put(&o, "types", sy_arr_value(&l.types));
    sy_obj_put(&o, "schedules", sy_arr_value(&l.schedules));
    sy_obj_put(&o, "channels", sy_arr_value(&l.channels));
    sy_obj_put(&o, "memories", sy_arr_value(&l.memories));
    sy_obj_put(&o, "webhooks", sy_arr_value(&l.webhooks));
    sy_obj_put(&o, "with_blocks", sy_arr_value(&l.withs));
    sy_obj_put(&o, "capabilities", sy_arr_value(&l.capabilities));
    sy_obj_put(&o, "problems", sy_arr_value(&x.problems));
    doc->root = sy_obj_value(&o);
    if (!st && doc->arena.status) st = sy_arena_fail(&doc->arena, "the file's data", err);
    else if (st) sy_fail_nomem(err);
    if (st) {
        symbi_doc_unref(doc);
        return st;
    }
    *out = doc;
    return SYMBI_OK;
}
