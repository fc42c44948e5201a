/* schemapin/net.c: domains, the URLs made of them, and DNS TXT records. A domain becomes part of a URL, of a file name and of a pin's
 * key, so it has one spelling, checked here before it goes anywhere. */
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "schemapin/docs.h"
#include "symbi/schemapin_net.h"
#include "symbi/wire.h"

static bool label_ok(const char *p, size_t n)
{
    if (!n || n > 63 || p[0] == '-' || p[n - 1] == '-') return false;
    for (size_t i = 0; i < n; i++)
        if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9') || p[i] == '-')) return false;
    return true;
}

/* "12" and "0x7f" as the last label make a name that some readers take for an address. */
static bool numeric(const char *p, size_t n)
{
    size_t i = 0;
    if (n > 1 && p[0] == '0' && p[1] == 'x') return true;
    while (i < n && p[i] >= '0' && p[i] <= '9') i++;
    return i == n;
}

static symbi_status no_domain(symbi_err *err, symbi_str text, const char *why)
{
    return sy_fail(err, SYMBI_EINVAL, "'%.*s' is not a domain: %s", SY_FMT(text), why);
}

symbi_status symbi_schemapin_domain(symbi_str text, char buf[SYMBI_SCHEMAPIN_MAX_DOMAIN + 1], symbi_err *err)
{
    size_t host = text.n, from = 0;
    unsigned port = 0;
    buf[0] = 0;
    if (!text.n) return no_domain(err, text, "it is empty");
    if (text.n > SYMBI_SCHEMAPIN_MAX_DOMAIN - 1) return no_domain(err, text, "it is too long");
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c & (char)0x80) return no_domain(err, text, "write letters outside ASCII in their xn-- form");
        if (c == ':' && host == text.n) host = i;
        buf[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    buf[text.n] = 0;
    if (host > 253) return no_domain(err, text, "it is too long");
    if (host && text.p[host - 1] == '.') return no_domain(err, text, "it ends in a dot");
    for (size_t i = 0; i <= host; i++) {
        if (i < host && buf[i] != '.') continue;
        if (!label_ok(buf + from, i - from)) return no_domain(err, text, "a host and nothing else is expected (letters, digits, hyphens, dots)");
        if (i == host && numeric(buf + from, i - from)) return no_domain(err, text, "it ends in a number, as an address does");
        from = i + 1;
    }
    if (host == text.n) return SYMBI_OK;
    if (text.n - host - 1 > 5 || text.n - host == 1 || text.p[host + 1] == '0') return no_domain(err, text, "the port is not a number");
    for (size_t i = host + 1; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return no_domain(err, text, "the port is not a number");
        port = port * 10 + (unsigned)(text.p[i] - '0');
    }
    if (port > 65535) return no_domain(err, text, "the port is too large");
    if (port == 443) buf[host] = 0; /* the same place: one spelling */
    return SYMBI_OK;
}

symbi_status symbi_schemapin_url(symbi_ctx *cx, symbi_str domain, symbi_text *out, symbi_err *err)
{
    char buf[SYMBI_SCHEMAPIN_MAX_DOMAIN + 1];
    const char *scheme = "https://";
    symbi_text authority = { 0 };
    sy_buf b;
    symbi_status st;
    memset(out, 0, sizeof *out);
    if (sy_sp_contains(domain, SY_LIT("://"))) {
        symbi_url u;
        st = symbi_url_parse(domain, &u, err);
        if (st) return st;
        st = symbi_url_authority(cx, &u, &authority, err);
        if (st) return st;
        if (!u.tls) scheme = "http://";
        st = symbi_schemapin_domain(symbi_text_str(&authority), buf, err);
    } else st = symbi_schemapin_domain(domain, buf, err);
    symbi_text_free(&authority);
    if (st) return st;
    sy_buf_init(&b, cx->alloc, 1024);
    sy_buf_addz(&b, scheme);
    sy_buf_addz(&b, buf);
    sy_buf_addz(&b, "/.well-known/schemapin.json");
    return sy_buf_take(&b, out, "the URL", err);
}

/* ---- DNS TXT --------------------------------------------------------------------------------------------------------- */

static symbi_str trim(symbi_str s)
{
    while (s.n && (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r'))) s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || (s.p[s.n - 1] >= '\t' && s.p[s.n - 1] <= '\r'))) s.n--;
    return s;
}

static bool is_name(symbi_str s, const char *lower)
{
    return sy_sp_same_hash(s, symbi_str_z(lower));
}

symbi_status symbi_schemapin_txt_parse(symbi_str record, symbi_schemapin_txt *out, symbi_err *err)
{
    symbi_str version = { NULL, 0 }, kid = { NULL, 0 }, fp = { NULL, 0 };
    size_t from = 0;
    memset(out, 0, sizeof *out);
    if (record.n > 4096) return sy_fail(err, SYMBI_ELIMIT, "a DNS TXT record of more than 4096 bytes");
    for (size_t i = 0; i <= record.n; i++) {
        symbi_str part, name, value;
        const char *eq;
        if (i < record.n && record.p[i] != ';') continue;
        part = i > from ? trim((symbi_str){ record.p + from, i - from }) : SY_LIT("");
        from = i + 1;
        if (!part.n) continue;
        eq = memchr(part.p, '=', part.n);
        if (!eq) return sy_fail(err, SYMBI_EPARSE, "DNS TXT field missing '=': %.*s", SY_FMT(part));
        name = trim((symbi_str){ part.p, (size_t)(eq - part.p) });
        value = trim((symbi_str){ eq + 1, part.n - (size_t)(eq - part.p) - 1 });
        if (is_name(name, "v")) version = value;
        else if (is_name(name, "kid")) kid = value;
        else if (is_name(name, "fp")) fp = value;
    }
    if (!version.p) return sy_fail(err, SYMBI_EPARSE, "DNS TXT record missing required 'v' field");
    if (!sy_str_eqz(version, "schemapin1")) return sy_fail(err, SYMBI_EPARSE, "DNS TXT unsupported version: %.*s", SY_FMT(version));
    if (!fp.p) return sy_fail(err, SYMBI_EPARSE, "DNS TXT record missing required 'fp' field");
    if (fp.n < 7 || !sy_sp_same_hash((symbi_str){ fp.p, 7 }, SY_LIT("sha256:")) || fp.n > sizeof out->buf)
        return sy_fail(err, SYMBI_EPARSE, "DNS TXT 'fp' must be sha256:<hex>: %.*s", SY_FMT(fp));
    for (size_t i = 0; i < fp.n; i++) out->buf[i] = fp.p[i] >= 'A' && fp.p[i] <= 'Z' ? (char)(fp.p[i] + 32) : fp.p[i];
    out->version = version;
    out->kid = kid; /* empty: absent */
    out->fingerprint = (symbi_str){ out->buf, fp.n };
    return SYMBI_OK;
}

symbi_status symbi_schemapin_txt_name(symbi_ctx *cx, symbi_str domain, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    memset(out, 0, sizeof *out);
    while (domain.n && domain.p[domain.n - 1] == '.') domain.n--;
    if (domain.n > SYMBI_SCHEMAPIN_MAX_DOMAIN) return sy_fail(err, SYMBI_ELIMIT, "the name is too long");
    sy_buf_init(&b, cx->alloc, 1024);
    sy_buf_addz(&b, "_schemapin.");
    sy_buf_adds(&b, domain);
    return sy_buf_take(&b, out, "the name", err);
}

symbi_status symbi_schemapin_txt_pick(const symbi_str *records, size_t n, symbi_schemapin_txt *out, symbi_err *err)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < n; i++)
        if (sy_sp_contains(records[i], SY_LIT("v=schemapin1"))) return symbi_schemapin_txt_parse(records[i], out, err);
    return sy_fail(err, SYMBI_ENOTFOUND, "no DNS TXT record of SchemaPin");
}

symbi_status symbi_schemapin_txt_match(const symbi_schemapin_discovery *d, symbi_str fingerprint, symbi_err *err)
{
    if (!d->pem.n) return sy_fail(err, SYMBI_ESCHEMA, "Discovery document missing 'public_key_pem'; cannot compute fingerprint");
    if (!d->key) return sy_fail(err, SYMBI_ESCHEMA, "%s", d->key_problem);
    if (sy_sp_same_hash(fingerprint, symbi_str_z(d->fingerprint))) return SYMBI_OK;
    return sy_fail(err, SYMBI_EVERIFY, "DNS TXT fingerprint mismatch: discovery=%s, dns=%.*s", d->fingerprint, SY_FMT(fingerprint));
}
