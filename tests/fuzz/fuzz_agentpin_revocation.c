/* Fuzz target: revocation documents. What is accepted has its three lists and names none of the ids; an id that is added is revoked from then
 * on; through the machine, a body that is refused never ends in a valid result. */
#include "agentpin_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lists(const symbi_value *list, const char *name, const char *id)
{
    if (!list || list->kind != SYMBI_ARRAY) return true;
    for (size_t i = 0; i < list->u.a.n; i++) {
        if (is(&list->u.a.items[i], name, id)) return true;
    }
    return false;
}

static void through_the_machine(const uint8_t *data, size_t size, bool fine)
{
    static const char discovery[] = "{\"agentpin_version\":\"0.1\",\"entity\":\"example.com\",\"entity_type\":\"both\",\"public_keys\":[{\"kid\":\"k1\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"@X@\",\"y\":\"@Y@\"}],"
                                    "\"agents\":[{\"agent_id\":\"a\",\"capabilities\":[\"read:*\"],\"status\":\"active\"}],\"max_delegation_depth\":0}";
    symbi_doc *d = document((const uint8_t *)discovery, sizeof discovery - 1);
    symbi_agentpin_online *m;
    symbi_agentpin_ask ask;
    symbi_err err;
    options.flags = 0;
    must(symbi_agentpin_online_new(cx, symbi_text_str(&jwt), &options, false, &m, &err) == SYMBI_OK);
    while (symbi_agentpin_online_next(m, &ask, &err) == SYMBI_OK && ask.kind) {
        symbi_agentpin_answer a = { 0 };
        a.http_status = 200;
        a.body = (symbi_str){ (const char *)data, size };
        if (ask.document == SYMBI_AGENTPIN_DOC_DISCOVERY) a.document = symbi_doc_root(d);
        must(symbi_agentpin_online_resolve(m, ask.id, &a, &err) == SYMBI_OK);
    }
    must(symbi_agentpin_online_result(m) != NULL);
    must(symbi_agentpin_result_valid(symbi_agentpin_online_result(m)) == fine);
    symbi_agentpin_online_free(m);
    symbi_doc_unref(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const symbi_str entity = { "example.com", 11 }, jti = { "j1", 2 }, agent = { "a", 1 }, kid = { "k1", 2 }, why = { "superseded", 10 }, fresh = { "fresh-id", 8 };
    symbi_agentpin_reason reason;
    symbi_agentpin_code code;
    symbi_doc *d, *more;
    symbi_err err;
    const symbi_value *root;
    bool fine = false;
    begin();
    if (size > 20000) return 0;
    d = document(data, size);
    if (d && size <= SYMBI_AGENTPIN_MAX_DOCUMENT) {
        root = symbi_doc_root(d);
        fine = symbi_agentpin_revocation_check(root, entity, jti, agent, kid, &code, &reason, &err) == SYMBI_OK;
        if (fine) {
            must(is(root, "entity", "example.com"));
            must(!lists(symbi_value_getz(root, "revoked_credentials"), "jti", "j1") && !lists(symbi_value_getz(root, "revoked_agents"), "agent_id", "a") &&
                 !lists(symbi_value_getz(root, "revoked_keys"), "kid", "k1"));
        } else {
            must(code != SYMBI_AGENTPIN_NONE && reason != SYMBI_AGENTPIN_R_OK);
        }
        for (int what = 0; what < 3; what++) {
            if (symbi_agentpin_revocation_add(cx, root, (symbi_agentpin_revoke)what, fresh, why, NOW, &more, &err)) continue;
            must(symbi_agentpin_revocation_check(symbi_doc_root(more), symbi_str_z(""), what == 0 ? fresh : jti, what == 1 ? fresh : agent, what == 2 ? fresh : kid, &code, &reason, &err) != SYMBI_OK);
            symbi_doc_unref(more);
        }
    }
    if (!memchr(data, '@', size)) through_the_machine(data, size, fine);
    symbi_doc_unref(d);
    return 0;
}
