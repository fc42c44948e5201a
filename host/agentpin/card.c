/* agentpin/card.c: A2A agent cards. The signature of a card says only that its own key signed it, and its endpoint is outside
 * the signed bytes: card_verify_with_discovery adds what makes it an identity. */
#include "agentpin/url.h"

#define INVALID SYMBI_AGENTPIN_DISCOVERY_INVALID
#define CARD_PATH "/.well-known/agent-card.json"

/* ---- the signed bytes ---- */

static void sift(const symbi_member **v, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        const symbi_member *t = v[at];
        if (child + 1 < n && sy_str_cmp(v[child]->key, v[child + 1]->key) < 0) child++;
        if (sy_str_cmp(t->key, v[child]->key) >= 0) return;
        v[at] = v[child];
        v[child] = t;
    }
}

static symbi_status write(symbi_ctx *cx, const symbi_value *v, bool top, size_t depth, symbi_json_out *o, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    if (!depth) return sy_fail(err, SYMBI_ELIMIT, "nested more than %zu deep", cx->limits.doc_depth);
    switch ((symbi_kind)v->kind) {
    case SYMBI_NULL: symbi_json_out_raw(o, SY_LIT("null")); break;
    case SYMBI_BOOL: symbi_json_out_raw(o, v->u.b ? SY_LIT("true") : SY_LIT("false")); break;
    case SYMBI_INT: symbi_json_out_int(o, v->u.i); break;
    case SYMBI_DOUBLE: symbi_json_out_double(o, v->u.d, 0); break;
    case SYMBI_STRING:
    case SYMBI_TIME: symbi_json_out_string(o, v->u.s); break;
    case SYMBI_ARRAY:
        symbi_json_out_raw(o, SY_LIT("["));
        for (size_t i = 0; !st && i < v->u.a.n; i++) {
            if (i) symbi_json_out_raw(o, SY_LIT(","));
            st = write(cx, &v->u.a.items[i], false, depth - 1, o, err);
        }
        symbi_json_out_raw(o, SY_LIT("]"));
        break;
    case SYMBI_OBJECT: {
        size_t n = v->u.o.n, bytes = (n + 1) * sizeof(const symbi_member *);
        const symbi_member **m = sy_calloc(&cx->alloc, n + 1, sizeof *m);
        bool first = true;
        if (!m) return sy_fail_nomem(err);
        for (size_t i = 0; i < n; i++) m[i] = &v->u.o.members[i];
        for (size_t i = n / 2; i-- > 0;) sift(m, i, n);
        for (size_t end = n; end-- > 1;) {
            const symbi_member *t = m[0];
            m[0] = m[end];
            m[end] = t;
            sift(m, 0, end);
        }
        symbi_json_out_raw(o, SY_LIT("{"));
        for (size_t i = 0; !st && i < n; i++) {
            if (top && sy_str_eqz(m[i]->key, "agentpin")) continue;
            if (!first) symbi_json_out_raw(o, SY_LIT(","));
            first = false;
            symbi_json_out_string(o, m[i]->key);
            symbi_json_out_raw(o, SY_LIT(":"));
            st = write(cx, &m[i]->val, false, depth - 1, o, err);
        }
        symbi_json_out_raw(o, SY_LIT("}"));
        sy_free(&cx->alloc, (void *)m, bytes);
        break;
    }
    }
    return st;
}

/* without_extension: the bytes that a card's signature is over. */
static symbi_status canonical(symbi_ctx *cx, const symbi_value *value, bool without_extension, symbi_text *out, symbi_err *err)
{
    symbi_json_out o;
    sy_buf b;
    symbi_status st;
    memset(out, 0, sizeof *out);
    symbi_json_out_init(cx, &o);
    st = write(cx, value, without_extension, cx->limits.doc_depth, &o, err);
    if (!st && o.status) st = sy_fail(err, o.status, "the card cannot be written: %s", symbi_status_text(o.status));
    if (!st) {
        sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
        sy_buf_add(&b, o.p, o.n);
        st = sy_buf_take(&b, out, "the card", err);
    }
    symbi_json_out_free(&o);
    return st;
}

symbi_status symbi_agentpin_card_canonical(symbi_ctx *cx, const symbi_value *value, symbi_text *out, symbi_err *err) { return canonical(cx, value, false, out, err); }

/* ---- making ---- */

symbi_status symbi_agentpin_card_build(symbi_ctx *cx, const symbi_value *decl, symbi_str url, const symbi_value *options, symbi_doc **out, symbi_err *err)
{
    static const char *const flags[] = { "streaming", "pushNotifications" }, *const texts[] = { "description", "version" };
    const symbi_value *caps = symbi_value_getz(decl, "capabilities"), *domains = sy_ap_array(options, "allowed_domains");
    symbi_status st;
    symbi_doc *d;
    symbi_str s;
    sy_obj o, c;
    sy_arr skills;
    *out = NULL;
    if (!sy_ap_str(decl, "name", &s)) return sy_fail(err, SYMBI_ESCHEMA, "the declaration has no name");
    if (caps && !sy_ap_strings(caps)) return sy_fail(err, SYMBI_ESCHEMA, "capabilities must be a list of strings");
    if (!domains || !domains->u.a.n) domains = sy_ap_array(symbi_value_getz(decl, "constraints"), "allowed_domains");
    if ((st = sy_ap_doc_new(cx, &d, err))) return st;
    o = sy_obj_new(&d->arena);
    c = sy_obj_new(&d->arena);
    skills = sy_arr_new(&d->arena);
    for (int i = 0; i < 2; i++) {
        const symbi_value *f = symbi_value_getz(options, flags[i]);
        sy_obj_bool(&c, flags[i], f && f->kind == SYMBI_BOOL && f->u.b);
    }
    if (domains && domains->u.a.n) sy_obj_put(&c, "allowed_domains", sy_ap_copy(cx, d, domains, &st, err));
    for (size_t i = 0; caps && i < caps->u.a.n; i++) {
        sy_obj k = sy_obj_new(&d->arena);
        symbi_value id = sy_ap_dup(d, caps->u.a.items[i].u.s);
        sy_obj_put(&k, "id", id);
        sy_obj_put(&k, "name", id);
        sy_arr_add(&skills, sy_obj_value(&k));
    }
    sy_obj_put(&o, "name", sy_ap_dup(d, s));
    for (int i = 0; i < 2; i++) {
        if (sy_ap_str(decl, texts[i], &s)) sy_obj_put(&o, texts[i], sy_ap_dup(d, s));
    }
    sy_obj_put(&o, "url", sy_ap_dup(d, url));
    sy_obj_put(&o, "capabilities", sy_obj_value(&c));
    sy_obj_put(&o, "skills", sy_arr_value(&skills));
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}

symbi_status symbi_agentpin_card_sign(symbi_ctx *cx, const symbi_value *card, symbi_str endpoint, const symbi_key *key, symbi_str kid, symbi_doc **out, symbi_err *err)
{
    symbi_text bytes, sig;
    symbi_doc *d, *jwk;
    symbi_status st;
    symbi_value copy;
    sy_ap_url u;
    sy_obj o, e;
    *out = NULL;
    if (!card || card->kind != SYMBI_OBJECT) return sy_fail(err, SYMBI_ESCHEMA, "a card is an object");
    if (!sy_ap_url_fetchable(endpoint, &u)) return sy_fail(err, SYMBI_EINVAL, "the endpoint '%.*s' is not an https URL of a domain", SY_FMT(endpoint));
    if ((st = canonical(cx, card, true, &bytes, err))) return st;
    st = symbi_agentpin_sign(cx, key, symbi_text_str(&bytes), &sig, err);
    symbi_text_free(&bytes);
    if (st) return st;
    if ((st = symbi_agentpin_jwk(cx, key, kid, &jwk, err))) {
        symbi_text_free(&sig);
        return st;
    }
    st = sy_ap_doc_new(cx, &d, err);
    if (!st) {
        copy = sy_ap_copy(cx, d, card, &st, err);
        o = sy_ap_open(d, &copy);
        e = sy_obj_new(&d->arena);
        sy_obj_put(&e, "agentpin_endpoint", sy_ap_dup(d, endpoint));
        sy_obj_put(&e, "public_key_jwk", sy_ap_copy(cx, d, symbi_doc_root(jwk), &st, err));
        sy_obj_put(&e, "signature", sy_ap_dup(d, symbi_text_str(&sig)));
        sy_ap_set(&o, "agentpin", sy_obj_value(&e));
        st = sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
    }
    symbi_doc_unref(jwk);
    symbi_text_free(&sig);
    return st;
}

/* ---- checking ---- */

static const symbi_value *extension(const symbi_value *card, symbi_agentpin_code *code, symbi_err *err)
{
    const symbi_value *e = symbi_value_getz(card, "agentpin");
    if (e && e->kind == SYMBI_OBJECT) return e;
    (void)sy_ap_fail(err, SYMBI_EVERIFY, code, INVALID, "AgentCard has no agentpin extension");
    return NULL;
}

symbi_status symbi_agentpin_card_verify(symbi_ctx *cx, const symbi_value *card, symbi_agentpin_code *code, symbi_err *err)
{
    const symbi_value *e;
    symbi_text bytes;
    symbi_key *key;
    symbi_str sig;
    symbi_status st;
    if (code) *code = SYMBI_AGENTPIN_NONE;
    e = extension(card, code, err);
    if (!e) return SYMBI_EVERIFY;
    if ((st = symbi_agentpin_jwk_key(cx, symbi_value_getz(e, "public_key_jwk"), &key, err))) return st;
    st = canonical(cx, card, true, &bytes, err);
    if (!st) {
        if (sy_ap_str(e, "signature", &sig)) st = symbi_agentpin_check_signature(cx, key, symbi_text_str(&bytes), sig, err);
        else st = SYMBI_EVERIFY;
        symbi_text_free(&bytes);
    }
    symbi_key_unref(key);
    if (st == SYMBI_EVERIFY) return sy_ap_fail(err, st, code, INVALID, "A2A AgentCard signature did not verify against extension JWK");
    return st;
}

symbi_status symbi_agentpin_card_host(symbi_ctx *cx, const symbi_value *card, bool https_only, symbi_text *out, symbi_agentpin_code *code, symbi_err *err)
{
    const symbi_value *e;
    symbi_str endpoint;
    symbi_status st;
    sy_ap_url u;
    sy_buf b;
    memset(out, 0, sizeof *out);
    if (code) *code = SYMBI_AGENTPIN_NONE;
    e = extension(card, code, err);
    if (!e) return SYMBI_EVERIFY;
    if (!sy_ap_str(e, "agentpin_endpoint", &endpoint) || !sy_ap_url_split(endpoint, &u)) {
        return sy_ap_fail(err, SYMBI_EVERIFY, code, INVALID, "Invalid agentpin_endpoint URL: Invalid URL");
    }
    if (https_only && !sy_ap_url_fetchable(endpoint, &u)) {
        return sy_ap_fail(err, SYMBI_EVERIFY, code, INVALID, "Invalid agentpin_endpoint URL: '%.*s' is not an https URL of a domain", SY_FMT(endpoint));
    }
    sy_buf_init(&b, cx->alloc, SYMBI_AGENTPIN_MAX_DOCUMENT);
    for (size_t i = 0; i < u.host.n; i++) sy_buf_addc(&b, (char)(u.host.p[i] >= 'A' && u.host.p[i] <= 'Z' ? u.host.p[i] + 32 : u.host.p[i]));
    st = sy_buf_take(&b, out, "the host", err);
    return st;
}

/* Every skill of the card is covered by one active agent. */
static bool skills_declared(const symbi_value *card, const symbi_value *discovery)
{
    const symbi_value *skills = sy_ap_array(card, "skills"), *agents = sy_ap_array(discovery, "agents");
    for (size_t i = 0; agents && i < agents->u.a.n; i++) {
        const symbi_value *a = &agents->u.a.items[i], *declared = sy_ap_array(a, "capabilities");
        bool all = declared != NULL;
        if (!sy_str_eqz(symbi_value_str(a, "status", SY_LIT("")), "active")) continue;
        for (size_t k = 0; all && skills && k < skills->u.a.n; k++) {
            symbi_value id = sy_val_str(symbi_value_str(&skills->u.a.items[k], "id", SY_LIT(""))), one = sy_val_array(&id, 1);
            all = symbi_agentpin_capabilities_subset(declared, &one, false);
        }
        if (all) return true;
    }
    return false;
}

symbi_status symbi_agentpin_card_verify_with_discovery(symbi_ctx *cx, const symbi_value *card, const symbi_value *discovery, const symbi_value *revocation, int64_t now, symbi_agentpin_code *code, symbi_err *err)
{
    const symbi_value *ext, *mine, *keys, *held = NULL;
    char hash[65], have[65];
    symbi_agentpin_reason why;
    symbi_str kid, endpoint, path = SY_LIT(SY_AP_DISCOVERY_PATH);
    symbi_text host;
    symbi_status st;
    sy_ap_url u;
    if ((st = symbi_agentpin_card_verify(cx, card, code, err)) || (st = symbi_agentpin_card_host(cx, card, true, &host, code, err))) return st;
    ext = symbi_value_getz(card, "agentpin");
    mine = symbi_value_getz(ext, "public_key_jwk");
    if (!sy_ap_str(ext, "agentpin_endpoint", &endpoint) || !sy_ap_url_fetchable(endpoint, &u) || !sy_str_eq(u.path, path)) {
        st = sy_ap_fail(err, SYMBI_EVERIFY, code, INVALID, "agentpin_endpoint must be https://{host}" SY_AP_DISCOVERY_PATH);
    }
    if (!st) st = symbi_agentpin_discovery_validate(discovery, symbi_text_str(&host), true, code, &why, err);
    if (!st && !sy_ap_str(mine, "kid", &kid)) st = sy_ap_fail(err, SYMBI_EVERIFY, code, INVALID, "the card's key has no kid");
    if (!st && !sy_ap_is_null(revocation)) st = symbi_agentpin_revocation_check(revocation, symbi_text_str(&host), SY_LIT(""), SY_LIT(""), kid, code, &why, err);
    symbi_text_free(&host);
    if (!st) st = symbi_agentpin_thumbprint(cx, mine, hash, err);
    if (st) return st;
    keys = sy_ap_array(discovery, "public_keys");
    for (size_t i = 0; keys && i < keys->u.a.n && !held; i++) {
        st = symbi_agentpin_thumbprint(cx, &keys->u.a.items[i], have, err);
        if (st == SYMBI_ENOMEM || st == SYMBI_ECRYPTO) return st;
        if (!st && !memcmp(hash, have, 64) && sy_str_eq(symbi_value_str(&keys->u.a.items[i], "kid", SY_LIT("")), kid)) held = &keys->u.a.items[i];
    }
    if (!held) return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_KEY_NOT_FOUND, "the card's key '%.*s' is not published by the domain of its endpoint", SY_FMT(kid));
    if (sy_ap_key_expiry(held, now, 60)) return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_KEY_EXPIRED, "Key '%.*s' has expired", SY_FMT(kid));
    if (!sy_ap_key_use_ok(held)) return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_KEY_NOT_FOUND, "Key '%.*s' is not for verifying signatures", SY_FMT(kid));
    if (!skills_declared(card, discovery)) {
        return sy_ap_fail(err, SYMBI_EVERIFY, code, SYMBI_AGENTPIN_CAPABILITY_EXCEEDED, "no active agent of the domain declares all skills of the card");
    }
    return SYMBI_OK;
}

bool symbi_agentpin_card_same_key(symbi_ctx *cx, const symbi_value *card, const symbi_value *held)
{
    char a[65], b[65];
    if (symbi_agentpin_thumbprint(cx, symbi_value_getz(symbi_value_getz(card, "agentpin"), "public_key_jwk"), a, NULL)) return false;
    if (symbi_agentpin_thumbprint(cx, symbi_value_getz(symbi_value_getz(held, "agentpin"), "public_key_jwk"), b, NULL)) return false;
    return !memcmp(a, b, 64);
}

/* ---- a discovery document from a card ---- */

static symbi_value slug(symbi_doc *d, symbi_str host, symbi_str name)
{
    sy_buf b;
    symbi_value v;
    size_t from = 0, to = name.n;
    sy_buf_init(&b, d->alloc, SYMBI_AGENTPIN_MAX_DOCUMENT);
    sy_buf_addz(&b, "urn:agentpin:");
    sy_buf_adds(&b, host);
    sy_buf_addc(&b, ':');
#define WORD(c) (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z') || ((c) >= '0' && (c) <= '9'))
    while (from < to && !WORD(name.p[from])) from++;
    while (to > from && !WORD(name.p[to - 1])) to--;
    for (size_t i = from; i < to; i++) {
        char c = name.p[i];
        if (((unsigned char)c & 0xc0) == 0x80) continue; /* one hyphen for one character */
        sy_buf_addc(&b, !WORD(c) ? '-' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
#undef WORD
    if (sy_buf_status(&b) && !d->arena.status) d->arena.status = sy_buf_status(&b);
    v = sy_ap_dup(d, sy_buf_str(&b));
    sy_buf_free(&b);
    return v;
}

symbi_status symbi_agentpin_card_discovery(symbi_ctx *cx, const symbi_value *card, int64_t now, symbi_doc **out, symbi_agentpin_code *code, symbi_err *err)
{
    static const char *const texts[] = { "description", "version" };
    const symbi_value *skills = sy_ap_array(card, "skills"), *domains = sy_ap_array(symbi_value_getz(card, "capabilities"), "allowed_domains");
    symbi_text host;
    symbi_str name, s;
    symbi_status st;
    symbi_doc *d;
    sy_obj o, a;
    sy_arr list, caps;
    sy_buf url;
    *out = NULL;
    if ((st = symbi_agentpin_card_host(cx, card, true, &host, code, err))) return st;
    st = !sy_ap_str(card, "name", &name) ? sy_ap_fail(err, SYMBI_ESCHEMA, code, INVALID, "the card has no name") : sy_ap_doc_new(cx, &d, err);
    if (st) {
        symbi_text_free(&host);
        return st;
    }
    o = sy_obj_new(&d->arena);
    a = sy_obj_new(&d->arena);
    caps = sy_arr_new(&d->arena);
    for (size_t i = 0; skills && i < skills->u.a.n; i++) {
        if (sy_ap_str(&skills->u.a.items[i], "id", &s)) sy_arr_add(&caps, sy_ap_dup(d, s));
    }
    sy_obj_put(&a, "agent_id", slug(d, symbi_text_str(&host), name));
    sy_obj_put(&a, "name", sy_ap_dup(d, name));
    for (int i = 0; i < 2; i++) {
        if (sy_ap_str(card, texts[i], &s)) sy_obj_put(&a, texts[i], sy_ap_dup(d, s));
    }
    sy_obj_put(&a, "capabilities", sy_arr_value(&caps));
    if (domains && domains->u.a.n) {
        sy_obj c = sy_obj_new(&d->arena);
        sy_obj_put(&c, "allowed_domains", sy_ap_copy(cx, d, domains, &st, err));
        sy_obj_put(&a, "constraints", sy_obj_value(&c));
    }
    sy_obj_str(&a, "status", SY_LIT("active"));
    sy_obj_str(&o, "agentpin_version", SY_LIT(SY_AP_VERSION));
    sy_obj_put(&o, "entity", sy_ap_dup(d, symbi_text_str(&host)));
    sy_obj_str(&o, "entity_type", SY_LIT("both"));
    list = sy_arr_new(&d->arena);
    {
        const symbi_value *jwk = symbi_value_getz(symbi_value_getz(card, "agentpin"), "public_key_jwk"), none = sy_val_null();
        sy_arr_add(&list, sy_ap_copy(cx, d, jwk ? jwk : &none, &st, err));
    }
    sy_obj_put(&o, "public_keys", sy_arr_value(&list));
    list = sy_arr_new(&d->arena);
    sy_arr_add(&list, sy_obj_value(&a));
    sy_obj_put(&o, "agents", sy_arr_value(&list));
    sy_buf_init(&url, d->alloc, 1024);
    sy_buf_addz(&url, "https://");
    sy_buf_adds(&url, symbi_text_str(&host));
    sy_buf_addz(&url, CARD_PATH);
    if (sy_buf_status(&url) && !d->arena.status) d->arena.status = sy_buf_status(&url);
    sy_obj_put(&o, "a2a_endpoint", sy_ap_dup(d, sy_buf_str(&url)));
    sy_buf_free(&url);
    sy_obj_int(&o, "max_delegation_depth", 0);
    sy_obj_put(&o, "updated_at", sy_ap_time(d, now));
    symbi_text_free(&host);
    return sy_ap_doc_done(d, st, sy_obj_value(&o), out, err);
}
