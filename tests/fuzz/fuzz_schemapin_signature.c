/* tests/fuzz/fuzz_schemapin_signature.c: signature files, signed schema files and SKILL.md from anybody. The first byte chooses. The
 * key is a fixed one whose private half nobody kept, so nothing verifies; names are the same for the same text. */
#include "symbi/schemapin_skill.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] = "{\"schema_version\":\"1.2\",\"public_key_pem\":\"-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\\n"
                               "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\\n-----END PUBLIC KEY-----\\n\"}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static symbi_ctx *cx;
    static symbi_schemapin_discovery *d;
    symbi_schemapin_result *r;
    symbi_schemapin_info i;
    symbi_str s;
    symbi_err err;
    if (!cx && (symbi_ctx_new(NULL, &cx, NULL) || symbi_schemapin_discovery_read(cx, symbi_str_z(document), NULL, &d, &err))) abort();
    if (!size) return 0;
    s.p = (const char *)data + 1;
    s.n = size - 1;
    if (data[0] == 'n') {
        char a[SYMBI_SCHEMAPIN_MAX_NAME], b[SYMBI_SCHEMAPIN_MAX_NAME];
        symbi_str x = symbi_schemapin_skill_name(s, symbi_str_z("dir"), a), y = symbi_schemapin_skill_name(s, symbi_str_z("dir"), b);
        if (!x.n || x.n != y.n || memcmp(x.p, y.p, x.n) || memchr(x.p, '\n', x.n)) abort();
    } else if (data[0] == 'f') { /* path and content from the same bytes */
        symbi_schemapin_folder *f;
        symbi_schemapin_skill_check c;
        bool wanted;
        if (symbi_schemapin_folder_new(cx, s.n & 1, &f, &err)) abort();
        if (!symbi_schemapin_folder_begin(f, s, SYMBI_SCHEMAPIN_ENTRY_FILE, &wanted, &err) && wanted) {
            if (symbi_schemapin_folder_data(f, s, &err) || symbi_schemapin_folder_end(f, &err)) abort();
        }
        memset(&c, 0, sizeof c);
        c.size = sizeof c;
        c.folder = f;
        c.signature_json = s;
        c.discovery = d;
        c.now = 1780000000;
        if (symbi_schemapin_check_skill(cx, &c, &r, &err)) abort();
        symbi_schemapin_result_info(r, &i);
        if (i.valid) abort();
        symbi_schemapin_result_unref(r);
        symbi_schemapin_folder_free(f);
    } else {
        symbi_schemapin_check c;
        memset(&c, 0, sizeof c);
        c.size = sizeof c;
        c.json = s;
        c.signed_file = data[0] == 's';
        c.embedded = data[0] == 'e';
        c.allow_single = c.allow_runtime = true;
        c.signature = symbi_str_z("AAAA");
        c.discovery = d;
        c.now = 1780000000;
        if (symbi_schemapin_check_schema(cx, &c, &r, &err)) abort();
        symbi_schemapin_result_info(r, &i);
        if (i.valid) abort();
        symbi_schemapin_result_unref(r);
    }
    return 0;
}
