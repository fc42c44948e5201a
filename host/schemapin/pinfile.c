/* schemapin/pinfile.c: pins as text. Written: an array of records as SchemaPin's Rust has them (policies of a domain stand in the
 * record of tool "*"). Read: that, the joined map of its other implementations, and the file of its JavaScript key store. A text
 * that is anything else is an error and never "no pins": forgetting pins is what an attacker wants. */
#include "base/err.h"
#include "base/str.h"
#include "schemapin/docs.h"
#include "schemapin/pins.h"
#include "symbi/json.h"

static symbi_status bad(symbi_err *err, const char *what)
{
    return sy_fail(err, SYMBI_ESCHEMA, "not a pin store: %s", what);
}

static symbi_status add(symbi_ctx *cx, sy_sp_pinset *s, const symbi_schemapin_pin *pin, symbi_err *err)
{
    size_t at = 0;
    const sy_sp_pin *e;
    if (!pin->fingerprint.n) return bad(err, "a key without a fingerprint");
    if (pin->fingerprint.n > 256) return bad(err, "a fingerprint of more than 256 bytes");
    while ((e = sy_sp_pinset_next(cx, s, pin->tool_id, pin->domain, &at)))
        if (sy_str_eq(e->pin.fingerprint, pin->fingerprint)) return SYMBI_OK;
    return sy_sp_pinset_add(cx, s, pin, err);
}

static symbi_status texts(const symbi_value *v, const char *const names[], symbi_str *const to[], size_t n, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    for (size_t i = 0; i < n && !st; i++) st = sy_sp_text_member(v, names[i], to[i], err);
    return st;
}

static symbi_status read_record(symbi_ctx *cx, sy_sp_pinset *s, const symbi_value *v, symbi_err *err)
{
    static const char *const names[] = { "fingerprint", "first_seen", "last_seen", "trust_level", "developer_name", "public_key_pem" };
    symbi_schemapin_pin pin = { 0 };
    symbi_str *const to[] = { &pin.fingerprint, &pin.first_seen, &pin.last_seen, &pin.trust_level, &pin.developer_name, &pin.public_key_pem };
    const symbi_value *tool, *domain, *keys, *policy;
    symbi_status st;
    if (v->kind != SYMBI_OBJECT) return bad(err, "a record that is no object");
    tool = symbi_value_getz(v, "tool_id");
    domain = symbi_value_getz(v, "domain");
    if (!tool || tool->kind != SYMBI_STRING || !domain || domain->kind != SYMBI_STRING) return bad(err, "a record without tool_id or domain");
    pin.tool_id = tool->u.s;
    pin.domain = domain->u.s;
    policy = symbi_value_getz(v, "policy");
    if (policy) {
        symbi_schemapin_policy p;
        if (policy->kind != SYMBI_STRING || !symbi_schemapin_policy_parse(policy->u.s, &p)) return bad(err, "an unknown policy");
        st = sy_sp_pinset_policy(cx, s, pin.domain, p, err);
        if (st) return st;
    }
    keys = symbi_value_getz(v, "pinned_keys");
    if (!keys || keys->kind != SYMBI_ARRAY) return bad(err, "a record without pinned_keys");
    for (size_t i = 0; i < keys->u.a.n; i++) {
        if (keys->u.a.items[i].kind != SYMBI_OBJECT) return bad(err, "a pinned key that is no object");
        st = texts(&keys->u.a.items[i], names, to, sizeof to / sizeof *to, err);
        if (!st) st = add(cx, s, &pin, err);
        if (st) return st;
    }
    return SYMBI_OK;
}

/* {"tool@domain": "sha256:..."} */
static symbi_status read_joined(symbi_ctx *cx, sy_sp_pinset *s, const symbi_value *v, symbi_err *err)
{
    for (size_t i = 0; i < v->u.o.n; i++) {
        const symbi_member *m = &v->u.o.members[i];
        symbi_schemapin_pin pin = { 0 };
        size_t at = m->key.n;
        symbi_status st;
        if (m->val.kind != SYMBI_STRING) return bad(err, "a fingerprint that is no string");
        while (at && m->key.p[at - 1] != '@') at--;
        if (!at) return bad(err, "a name without @");
        pin.tool_id = (symbi_str){ m->key.p, at - 1 };
        pin.domain = (symbi_str){ m->key.p + at, m->key.n - at };
        pin.fingerprint = m->val.u.s;
        st = add(cx, s, &pin, err);
        if (st) return st;
    }
    return SYMBI_OK;
}

/* One entry of SchemaPin's key database, by its tool or with a member tool_id: the fingerprint comes from the key itself. */
static symbi_status read_key_entry(symbi_ctx *cx, sy_sp_pinset *s, symbi_str tool_id, const symbi_value *v, symbi_err *err)
{
    static const char *const names[] = { "domain", "developer_name", "public_key_pem", "pinned_at", "last_verified" };
    symbi_schemapin_pin pin = { 0 };
    symbi_str *const to[] = { &pin.domain, &pin.developer_name, &pin.public_key_pem, &pin.first_seen, &pin.last_seen };
    char fingerprint[SYMBI_SCHEMAPIN_FINGERPRINT + 1];
    symbi_key *k;
    symbi_status st;
    if (v->kind != SYMBI_OBJECT) return bad(err, "a key that is no object");
    st = texts(v, names, to, sizeof to / sizeof *to, err);
    if (!st) st = symbi_schemapin_public_key(cx, pin.public_key_pem, &k, err);
    if (st) return st;
    symbi_schemapin_fingerprint(k, fingerprint);
    symbi_key_unref(k);
    pin.tool_id = tool_id;
    pin.fingerprint = (symbi_str){ fingerprint, SYMBI_SCHEMAPIN_FINGERPRINT };
    return add(cx, s, &pin, err);
}

static symbi_status read_database(symbi_ctx *cx, sy_sp_pinset *s, const symbi_value *keys, const symbi_value *policies, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    if (keys->kind != SYMBI_OBJECT || (policies && policies->kind != SYMBI_OBJECT)) return bad(err, "pinned_keys or domain_policies is no object");
    for (size_t i = 0; i < keys->u.o.n && !st; i++) st = read_key_entry(cx, s, keys->u.o.members[i].key, &keys->u.o.members[i].val, err);
    for (size_t i = 0; policies && i < policies->u.o.n && !st; i++) {
        const symbi_value *v = &policies->u.o.members[i].val;
        symbi_schemapin_policy p;
        if (v->kind == SYMBI_OBJECT) v = symbi_value_getz(v, "policy");
        if (!v || v->kind != SYMBI_STRING || !symbi_schemapin_policy_parse(v->u.s, &p)) return bad(err, "an unknown policy");
        st = sy_sp_pinset_policy(cx, s, policies->u.o.members[i].key, p, err);
    }
    return st;
}

static symbi_status read_any(symbi_ctx *cx, sy_sp_pinset *s, const symbi_value *v, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    if (v->kind == SYMBI_OBJECT) {
        const symbi_value *keys = symbi_value_getz(v, "pinned_keys");
        if (keys && keys->kind != SYMBI_STRING) return read_database(cx, s, keys, symbi_value_getz(v, "domain_policies"), err);
        return read_joined(cx, s, v, err);
    }
    if (v->kind != SYMBI_ARRAY) return bad(err, "neither an array nor an object");
    for (size_t i = 0; i < v->u.a.n && !st; i++) {
        const symbi_value *e = &v->u.a.items[i], *tool;
        if (e->kind == SYMBI_OBJECT && !symbi_value_getz(e, "pinned_keys") && symbi_value_getz(e, "public_key_pem")) { /* an export */
            tool = symbi_value_getz(e, "tool_id");
            if (!tool || tool->kind != SYMBI_STRING) return bad(err, "a record without tool_id");
            st = read_key_entry(cx, s, tool->u.s, e, err);
        } else st = read_record(cx, s, e, err);
    }
    return st;
}

symbi_status symbi_schemapin_pins_load(symbi_schemapin_pins *p, symbi_str json, const symbi_value *value, symbi_err *err)
{
    sy_sp_pinset fresh = { 0 };
    symbi_doc *doc = NULL;
    symbi_status st = SYMBI_OK;
    if (!value) {
        st = symbi_json_parse(p->cx, json, &doc, err);
        if (st) return st;
        value = symbi_doc_root(doc);
    }
    st = read_any(p->cx, &fresh, value, err);
    symbi_doc_unref(doc);
    if (st) {
        sy_sp_pinset_free(p->cx, &fresh);
        return st;
    }
    sy_sp_pinset_free(p->cx, &p->set);
    p->set = fresh;
    p->changes++;
    return SYMBI_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static void member(symbi_json_out *o, const char *key, symbi_str s, bool first)
{
    symbi_json_out_raw(o, first ? SY_LIT("") : SY_LIT(","));
    symbi_json_out_string(o, symbi_str_z(key));
    symbi_json_out_raw(o, SY_LIT(":"));
    symbi_json_out_string(o, s);
}

static void write_key(symbi_json_out *o, const symbi_schemapin_pin *p)
{
    symbi_json_out_raw(o, SY_LIT("{"));
    member(o, "fingerprint", p->fingerprint, true);
    member(o, "first_seen", p->first_seen, false);
    member(o, "last_seen", p->last_seen, false);
    member(o, "trust_level", p->trust_level.n ? p->trust_level : SY_LIT("tofu"), false);
    if (p->developer_name.n) member(o, "developer_name", p->developer_name, false);
    if (p->public_key_pem.n) member(o, "public_key_pem", p->public_key_pem, false);
    symbi_json_out_raw(o, SY_LIT("}"));
}

static void write_records(const symbi_schemapin_pins *p, symbi_json_out *o)
{
    bool first = true;
    symbi_json_out_raw(o, SY_LIT("["));
    for (size_t i = 0; i < p->set.n; i++) {
        const symbi_schemapin_pin *a = &p->set.e[i].pin;
        size_t at = 0;
        const sy_sp_pin *e = sy_sp_pinset_next(p->cx, &p->set, a->tool_id, a->domain, &at);
        if (e != &p->set.e[i]) continue; /* stands with its first key */
        symbi_json_out_raw(o, first ? SY_LIT("\n{") : SY_LIT(",\n{"));
        first = false;
        member(o, "tool_id", a->tool_id, true);
        member(o, "domain", a->domain, false);
        symbi_json_out_raw(o, SY_LIT(",\"pinned_keys\":["));
        for (bool head = true; e; e = sy_sp_pinset_next(p->cx, &p->set, a->tool_id, a->domain, &at), head = false) {
            if (!head) symbi_json_out_raw(o, SY_LIT(","));
            write_key(o, &e->pin);
        }
        symbi_json_out_raw(o, SY_LIT("]}"));
    }
    for (size_t i = 0; i < p->set.npolicy; i++) {
        if (p->set.policy[i].policy == SYMBI_SCHEMAPIN_POLICY_DEFAULT) continue;
        symbi_json_out_raw(o, first ? SY_LIT("\n{") : SY_LIT(",\n{"));
        first = false;
        member(o, "tool_id", SY_LIT("*"), true);
        member(o, "domain", (symbi_str){ p->set.policy[i].domain, p->set.policy[i].n }, false);
        symbi_json_out_raw(o, SY_LIT(",\"pinned_keys\":[]"));
        member(o, "policy", symbi_str_z(symbi_schemapin_policy_name(p->set.policy[i].policy)), false);
        symbi_json_out_raw(o, SY_LIT("}"));
    }
    symbi_json_out_raw(o, first ? SY_LIT("]\n") : SY_LIT("\n]\n"));
}

static symbi_status write_joined(const symbi_schemapin_pins *p, symbi_json_out *o, symbi_err *err)
{
    char key[2 * SYMBI_SCHEMAPIN_MAX_NAME + 2];
    bool first = true;
    symbi_json_out_raw(o, SY_LIT("{"));
    for (size_t i = 0; i < p->set.n; i++) {
        const symbi_schemapin_pin *a = &p->set.e[i].pin;
        size_t at = 0, n = a->tool_id.n;
        if (sy_sp_pinset_next(p->cx, &p->set, a->tool_id, a->domain, &at) != &p->set.e[i]) continue;
        if (a->domain.n && memchr(a->domain.p, '@', a->domain.n)) return sy_fail(err, SYMBI_ESCHEMA, "a domain with @ cannot be written in the joined form");
        if (n) memcpy(key, a->tool_id.p, n);
        key[n++] = '@';
        if (a->domain.n) memcpy(key + n, a->domain.p, a->domain.n);
        n += a->domain.n;
        if (!first) symbi_json_out_raw(o, SY_LIT(","));
        first = false;
        symbi_json_out_string(o, (symbi_str){ key, n });
        symbi_json_out_raw(o, SY_LIT(":"));
        symbi_json_out_string(o, a->fingerprint);
    }
    symbi_json_out_raw(o, SY_LIT("}"));
    return SYMBI_OK;
}

symbi_status symbi_schemapin_pins_json(symbi_schemapin_pins *p, bool joined, symbi_text *out, symbi_err *err)
{
    symbi_json_out o;
    symbi_status st = SYMBI_OK;
    memset(out, 0, sizeof *out);
    symbi_json_out_init(p->cx, &o);
    if (joined) st = write_joined(p, &o, err);
    else write_records(p, &o);
    if (!st && o.status) st = o.status == SYMBI_ENOMEM ? sy_fail_nomem(err) : sy_fail(err, o.status, o.status == SYMBI_ELIMIT ? "the pins take more than %zu bytes" : "a name in the pins is not valid UTF-8", o.max);
    if (st) {
        symbi_json_out_free(&o);
        return st;
    }
    out->p = o.p;
    out->n = o.n;
    out->cap = o.cap;
    out->alloc = o.alloc;
    return SYMBI_OK;
}
