/* agentpin/pins_text.c: the text form of a pin store: upstream's JSON array, and the runtime's file, which holds that array once
 * more encoded as a JSON string. Reading is all or nothing: a store that cannot be read whole is an error, never an empty store. */
#include "agentpin/pins.h"

static symbi_status bad(symbi_agentpin_code *code, symbi_err *err, size_t at, const char *what)
{
    return sy_ap_fail(err, SYMBI_ESCHEMA, code, SYMBI_AGENTPIN_PIN_STORE_INVALID, "the pin store cannot be read: entry %zu %s", at + 1, what);
}

static bool time_text(const symbi_value *v, const char *key, char out[SY_PIN_TIME])
{
    symbi_str s;
    int64_t t;
    if (!sy_ap_str(v, key, &s) || s.n >= SY_PIN_TIME || !symbi_agentpin_parse_time(s, &t)) return false;
    memcpy(out, s.p, s.n);
    out[s.n] = 0;
    return true;
}

static symbi_status read_keys(symbi_agentpin_pins *p, sy_pin_domain *d, const symbi_value *keys, size_t at, symbi_agentpin_code *code, symbi_err *err)
{
    symbi_err local;
    symbi_err *e = err ? err : &local;
    for (size_t i = 0; i < keys->u.a.n; i++) {
        const symbi_value *k = &keys->u.a.items[i];
        symbi_str kid, hash, trust;
        sy_pin_key in = { 0 }, *out;
        if (!sy_ap_str(k, "kid", &kid) || !sy_ap_str(k, "public_key_hash", &hash) || !hash.n) return bad(code, err, at, "has a key without kid or public_key_hash");
        if (!time_text(k, "first_seen", in.first) || !time_text(k, "last_seen", in.last)) return bad(code, err, at, "has a key without readable first_seen and last_seen");
        if (!sy_ap_str(k, "trust_level", &trust) || !(in.trust = sy_pin_trust(trust))) return bad(code, err, at, "has a key with an unknown trust_level");
        if (sy_pin_key_find(d, hash)) return bad(code, err, at, "names one key twice");
        out = sy_pin_key_add(p, d, kid, hash, e);
        if (!out) {
            if (code) *code = e->code == SYMBI_ENOMEM ? SYMBI_AGENTPIN_NONE : SYMBI_AGENTPIN_PIN_STORE_INVALID;
            return e->code;
        }
        in.kid = out->kid;
        in.hash = out->hash;
        *out = in;
    }
    return SYMBI_OK;
}

static symbi_status read_list(symbi_agentpin_pins *p, const symbi_value *list, symbi_agentpin_code *code, symbi_err *err)
{
    symbi_err local;
    symbi_err *e = err ? err : &local;
    for (size_t i = 0; i < list->u.a.n; i++) {
        const symbi_value *v = &list->u.a.items[i], *keys = sy_ap_array(v, "pinned_keys");
        sy_pin_domain *d;
        symbi_str name;
        symbi_status st;
        if (!sy_ap_str(v, "domain", &name)) return bad(code, err, i, "has no domain");
        if (!keys) return bad(code, err, i, "has no pinned_keys");
        d = sy_pin_find(p, name);
        if (d) d->n = 0; /* the last entry of a domain wins, as upstream reads it */
        else if (!(d = sy_pin_domain_add(p, name, e))) {
            if (code) *code = e->code == SYMBI_ENOMEM ? SYMBI_AGENTPIN_NONE : SYMBI_AGENTPIN_PIN_STORE_INVALID;
            return e->code;
        }
        if ((st = read_keys(p, d, keys, i, code, err))) return st;
    }
    return SYMBI_OK;
}

symbi_status symbi_agentpin_pins_parse(symbi_ctx *cx, symbi_str text, symbi_agentpin_pins **out, symbi_agentpin_code *code, symbi_err *err)
{
    symbi_doc *d = NULL, *inner = NULL;
    const symbi_value *root;
    symbi_agentpin_pins *p = NULL;
    symbi_err why;
    symbi_status st;
    *out = NULL;
    if (code) *code = SYMBI_AGENTPIN_NONE;
    symbi_err_clear(&why);
    st = symbi_json_parse(cx, text, &d, &why);
    root = st ? NULL : symbi_doc_root(d);
    if (root && root->kind == SYMBI_STRING) {
        st = symbi_json_parse(cx, root->u.s, &inner, &why);
        root = st ? NULL : symbi_doc_root(inner);
    }
    if (st) {
        if (st == SYMBI_ENOMEM) st = sy_fail_nomem(err);
        else st = sy_ap_fail(err, st, code, SYMBI_AGENTPIN_PIN_STORE_INVALID, "the pin store cannot be read: line %u: %s", (unsigned)why.line, why.msg);
    } else if (root->kind != SYMBI_ARRAY) {
        st = sy_ap_fail(err, SYMBI_ESCHEMA, code, SYMBI_AGENTPIN_PIN_STORE_INVALID, "the pin store cannot be read: it is no list");
    } else {
        st = symbi_agentpin_pins_new(cx, &p, err);
        if (!st) st = read_list(p, root, code, err);
    }
    symbi_doc_unref(inner);
    symbi_doc_unref(d);
    if (st) symbi_agentpin_pins_free(p);
    else *out = p;
    return st;
}

/* ---- writing ---- */

static symbi_value domain_value(symbi_doc *doc, const sy_pin_domain *d)
{
    sy_obj o = sy_obj_new(&doc->arena);
    sy_arr keys = sy_arr_new(&doc->arena);
    for (size_t i = 0; i < d->n; i++) {
        sy_obj k = sy_obj_new(&doc->arena);
        sy_obj_put(&k, "kid", sy_ap_dup(doc, d->k[i].kid));
        sy_obj_put(&k, "public_key_hash", sy_ap_dup(doc, d->k[i].hash));
        sy_obj_put(&k, "first_seen", sy_ap_dup(doc, symbi_str_z(d->k[i].first)));
        sy_obj_put(&k, "last_seen", sy_ap_dup(doc, symbi_str_z(d->k[i].last)));
        sy_obj_put(&k, "trust_level", sy_val_str(symbi_str_z(d->k[i].trust)));
        sy_arr_add(&keys, sy_obj_value(&k));
    }
    sy_obj_put(&o, "domain", sy_ap_dup(doc, d->name));
    sy_obj_put(&o, "pinned_keys", sy_arr_value(&keys));
    return sy_obj_value(&o);
}

symbi_status symbi_agentpin_pins_get(symbi_ctx *cx, const symbi_agentpin_pins *p, symbi_str domain, symbi_doc **out, symbi_err *err)
{
    const sy_pin_domain *d = sy_pin_find(p, domain);
    symbi_status st;
    symbi_doc *doc;
    *out = NULL;
    if (!d) return SYMBI_OK;
    if ((st = sy_ap_doc_new(cx, &doc, err))) return st;
    return sy_ap_doc_done(doc, st, domain_value(doc, d), out, err);
}

symbi_status symbi_agentpin_pins_list(symbi_ctx *cx, const symbi_agentpin_pins *p, symbi_doc **out, symbi_err *err)
{
    symbi_status st;
    symbi_doc *doc;
    sy_arr list;
    *out = NULL;
    if ((st = sy_ap_doc_new(cx, &doc, err))) return st;
    list = sy_arr_new(&doc->arena);
    for (size_t i = 0; i < p->n; i++) sy_arr_add(&list, domain_value(doc, &p->d[i]));
    return sy_ap_doc_done(doc, st, sy_arr_value(&list), out, err);
}

symbi_status symbi_agentpin_pins_write(symbi_ctx *cx, const symbi_agentpin_pins *p, unsigned flags, symbi_text *out, symbi_err *err)
{
    symbi_doc *d;
    symbi_text inner;
    symbi_value s;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if ((st = symbi_agentpin_pins_list(cx, p, &d, err))) return st;
    st = symbi_json_write(cx, symbi_doc_root(d), SYMBI_JSON_PRETTY, flags & SYMBI_AGENTPIN_PINS_RUNTIME ? &inner : out, err);
    symbi_doc_unref(d);
    if (st || !(flags & SYMBI_AGENTPIN_PINS_RUNTIME)) return st;
    s = sy_val_str(symbi_text_str(&inner));
    st = symbi_json_write(cx, &s, 0, out, err);
    symbi_text_free(&inner);
    return st;
}
