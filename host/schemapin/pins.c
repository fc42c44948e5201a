/* schemapin/pins.c: the pin store in memory: which key was seen for (tool, domain). Keyed by both, never by a joined text, so that
 * tool a@b of domain c and tool a of domain b@c are two. A host name has no case, and a dot at its end changes nothing: however a
 * domain is spelled, it finds the same pin, or else another spelling would be a way to be "seen for the first time" again. */
#include "schemapin/pins.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "base/utf8.h"
#include "schemapin/docs.h"

static uint64_t hash_of(const symbi_ctx *cx, symbi_str tool, symbi_str domain)
{
    uint64_t h = sy_siphash(cx->seed, tool.p, tool.n);
    const uint64_t seed[2] = { cx->seed[0] ^ h, cx->seed[1] };
    char low[SYMBI_SCHEMAPIN_MAX_NAME];
    size_t n = 0;
    while (domain.n && domain.p[domain.n - 1] == '.') domain.n--;
    for (; n < domain.n && n < sizeof low; n++) low[n] = domain.p[n] >= 'A' && domain.p[n] <= 'Z' ? (char)(domain.p[n] + 32) : domain.p[n];
    return sy_siphash(seed, low, n);
}

void sy_sp_pinset_free(symbi_ctx *cx, sy_sp_pinset *s)
{
    for (size_t i = 0; i < s->n; i++) sy_free(&cx->alloc, s->e[i].block, s->e[i].size);
    for (size_t i = 0; i < s->npolicy; i++) sy_free(&cx->alloc, s->policy[i].domain, s->policy[i].n + 1);
    sy_free(&cx->alloc, s->e, s->cap * sizeof *s->e);
    sy_free(&cx->alloc, s->slot, s->nslot * sizeof *s->slot);
    sy_free(&cx->alloc, s->policy, s->policy_cap * sizeof *s->policy);
    memset(s, 0, sizeof *s);
}

static void index_one(sy_sp_pinset *s, size_t i)
{
    size_t k = (size_t)s->e[i].hash & (s->nslot - 1);
    while (s->slot[k]) k = (k + 1) & (s->nslot - 1);
    s->slot[k] = (uint32_t)i + 1;
}

static bool reindex(symbi_ctx *cx, sy_sp_pinset *s, size_t need)
{
    size_t nslot = s->nslot ? s->nslot : 16;
    while (nslot < need * 2) nslot *= 2;
    if (nslot != s->nslot) {
        uint32_t *slot = sy_calloc(&cx->alloc, nslot, sizeof *slot);
        if (!slot) return false;
        sy_free(&cx->alloc, s->slot, s->nslot * sizeof *s->slot);
        s->slot = slot;
        s->nslot = nslot;
    } else memset(s->slot, 0, nslot * sizeof *s->slot);
    for (size_t i = 0; i < s->n; i++) index_one(s, i);
    return true;
}

static void place(char **at, symbi_str *s)
{
    if (s->n) memcpy(*at, s->p, s->n);
    (*at)[s->n] = 0;
    s->p = *at;
    *at += s->n + 1;
}

/* A copy of pin in a block of its own. */
static bool copy_pin(symbi_ctx *cx, sy_sp_pin *to, const symbi_schemapin_pin *pin)
{
    symbi_str *const parts[] = { &to->pin.tool_id,   &to->pin.domain,      &to->pin.fingerprint,    &to->pin.first_seen,
                                 &to->pin.last_seen, &to->pin.trust_level, &to->pin.developer_name, &to->pin.public_key_pem };
    size_t size = 0;
    char *at;
    to->pin = *pin;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) size += parts[i]->n + 1;
    at = sy_alloc(&cx->alloc, size);
    if (!at) return false;
    to->block = at;
    to->size = size;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) place(&at, parts[i]);
    to->hash = hash_of(cx, pin->tool_id, pin->domain);
    return true;
}

symbi_status sy_sp_pinset_add(symbi_ctx *cx, sy_sp_pinset *s, const symbi_schemapin_pin *pin, symbi_err *err)
{
    const symbi_str texts[] = { pin->tool_id, pin->domain, pin->fingerprint, pin->first_seen, pin->last_seen, pin->trust_level, pin->developer_name, pin->public_key_pem };
    if (s->n >= SYMBI_SCHEMAPIN_MAX_PINS) return sy_fail(err, SYMBI_ELIMIT, "more than %d pins", SYMBI_SCHEMAPIN_MAX_PINS);
    if (pin->tool_id.n > SYMBI_SCHEMAPIN_MAX_NAME) return sy_fail(err, SYMBI_ELIMIT, "a tool id of more than %d bytes", SYMBI_SCHEMAPIN_MAX_NAME);
    if (pin->domain.n > SYMBI_SCHEMAPIN_MAX_NAME) return sy_fail(err, SYMBI_ELIMIT, "a domain of more than %d bytes", SYMBI_SCHEMAPIN_MAX_NAME);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!sy_utf8_valid(texts[i], NULL)) return sy_fail(err, SYMBI_ESCHEMA, "a pin's names must be valid UTF-8: they could not be written");
    if (sy_grow(&cx->alloc, (void **)&s->e, &s->cap, s->n + 1, sizeof *s->e)) return sy_fail_nomem(err);
    if ((!s->nslot || s->nslot < (s->n + 1) * 2) && !reindex(cx, s, s->n + 1)) return sy_fail_nomem(err);
    if (!copy_pin(cx, &s->e[s->n], pin)) return sy_fail_nomem(err);
    index_one(s, s->n++);
    return SYMBI_OK;
}

symbi_status sy_sp_pinset_policy(symbi_ctx *cx, sy_sp_pinset *s, symbi_str domain, symbi_schemapin_policy policy, symbi_err *err)
{
    sy_sp_policy *p;
    for (size_t i = 0; i < s->npolicy; i++) {
        if (!sy_sp_same_domain((symbi_str){ s->policy[i].domain, s->policy[i].n }, domain)) continue;
        s->policy[i].policy = policy;
        return SYMBI_OK;
    }
    if (policy == SYMBI_SCHEMAPIN_POLICY_DEFAULT) return SYMBI_OK;
    if (domain.n > SYMBI_SCHEMAPIN_MAX_NAME) return sy_fail(err, SYMBI_ELIMIT, "a domain of more than %d bytes", SYMBI_SCHEMAPIN_MAX_NAME);
    if (!sy_utf8_valid(domain, NULL)) return sy_fail(err, SYMBI_ESCHEMA, "a domain must be valid UTF-8");
    if (s->npolicy >= 4096) return sy_fail(err, SYMBI_ELIMIT, "more than 4096 domain policies");
    if (sy_grow(&cx->alloc, (void **)&s->policy, &s->policy_cap, s->npolicy + 1, sizeof *s->policy)) return sy_fail_nomem(err);
    p = &s->policy[s->npolicy];
    p->domain = sy_alloc(&cx->alloc, domain.n + 1);
    if (!p->domain) return sy_fail_nomem(err);
    if (domain.n) memcpy(p->domain, domain.p, domain.n);
    p->domain[domain.n] = 0;
    p->n = domain.n;
    p->policy = policy;
    s->npolicy++;
    return SYMBI_OK;
}

const sy_sp_pin *sy_sp_pinset_next(const symbi_ctx *cx, const sy_sp_pinset *s, symbi_str tool_id, symbi_str domain, size_t *at)
{
    uint64_t h;
    if (!s->n) return NULL;
    h = hash_of(cx, tool_id, domain);
    for (; *at < s->nslot; ++*at) {
        uint32_t i = s->slot[((size_t)h + *at) & (s->nslot - 1)];
        const sy_sp_pin *e;
        if (!i) return NULL;
        e = &s->e[i - 1];
        if (e->hash == h && sy_str_eq(e->pin.tool_id, tool_id) && sy_sp_same_domain(e->pin.domain, domain)) {
            ++*at;
            return e;
        }
    }
    return NULL;
}

/* ---- the store ------------------------------------------------------------------------------------------------------- */

symbi_status symbi_schemapin_pins_new(symbi_ctx *cx, symbi_schemapin_pins **out, symbi_err *err)
{
    symbi_schemapin_pins *p = sy_calloc(&cx->alloc, 1, sizeof *p);
    symbi_status st;
    *out = NULL;
    if (!p) return sy_fail_nomem(err);
    p->cx = cx;
    st = symbi_ctx_random(cx, &p->base, sizeof p->base, err);
    if (st) {
        sy_free(&cx->alloc, p, sizeof *p);
        return st;
    }
    *out = p;
    return SYMBI_OK;
}

void symbi_schemapin_pins_free(symbi_schemapin_pins *p)
{
    if (!p) return;
    sy_sp_pinset_free(p->cx, &p->set);
    sy_free(&p->cx->alloc, p, sizeof *p);
}

uint64_t symbi_schemapin_pins_generation(const symbi_schemapin_pins *p)
{
    return p->base + p->changes;
}

size_t symbi_schemapin_pins_count(const symbi_schemapin_pins *p)
{
    return p->set.n;
}

bool symbi_schemapin_pins_at(const symbi_schemapin_pins *p, size_t i, symbi_schemapin_pin *out)
{
    memset(out, 0, sizeof *out);
    if (i >= p->set.n) return false;
    *out = p->set.e[i].pin;
    return true;
}

bool symbi_schemapin_pins_find(const symbi_schemapin_pins *p, symbi_str tool_id, symbi_str domain, symbi_schemapin_pin *out)
{
    size_t at = 0;
    const sy_sp_pin *e = sy_sp_pinset_next(p->cx, &p->set, tool_id, domain, &at);
    memset(out, 0, sizeof *out);
    if (!e) return false;
    *out = e->pin;
    return true;
}

symbi_schemapin_pinning sy_sp_pins_look(const symbi_schemapin_pins *p, symbi_str tool_id, symbi_str domain, symbi_str fingerprint, bool *other, const sy_sp_pin **found)
{
    size_t at = 0;
    const sy_sp_pin *e;
    *other = false;
    *found = NULL;
    while ((e = sy_sp_pinset_next(p->cx, &p->set, tool_id, domain, &at))) {
        if (sy_str_eq(e->pin.fingerprint, fingerprint)) {
            *found = e;
            *other = false;
            return SYMBI_SCHEMAPIN_PIN_PINNED;
        }
        *other = true;
    }
    return SYMBI_SCHEMAPIN_PIN_NONE;
}

void sy_sp_pins_seen(symbi_schemapin_pins *p, const sy_sp_pin *pin, int64_t now)
{
    sy_sp_pin *e = &p->set.e[pin - p->set.e], fresh;
    symbi_schemapin_pin with = e->pin;
    char text[21];
    sy_sp_time_text(now, text);
    if (with.last_seen.n == 20 && e->pin.last_seen.p) { /* the usual length: in place */
        memcpy(e->block + (e->pin.last_seen.p - e->block), text, 20);
        return;
    }
    with.last_seen = (symbi_str){ text, 20 };
    if (!copy_pin(p->cx, &fresh, &with)) return;
    sy_free(&p->cx->alloc, e->block, e->size);
    *e = fresh;
}

symbi_status symbi_schemapin_pins_add(symbi_schemapin_pins *p, const symbi_schemapin_pin *pin, int64_t now, bool replace, symbi_err *err)
{
    const sy_sp_pin *found;
    symbi_schemapin_pin with = *pin;
    char text[21];
    bool other;
    symbi_status st;
    if (!pin->fingerprint.n) return sy_fail(err, SYMBI_EINVAL, "a pin needs a fingerprint");
    if (pin->fingerprint.n > 256 || pin->public_key_pem.n > (16 << 10) || pin->developer_name.n > 4096) return sy_fail(err, SYMBI_ELIMIT, "a pin this large is not kept");
    if (sy_sp_pins_look(p, pin->tool_id, pin->domain, pin->fingerprint, &other, &found) == SYMBI_SCHEMAPIN_PIN_PINNED) {
        sy_sp_pins_seen(p, found, now);
        return SYMBI_OK;
    }
    if (other && !replace)
        return sy_fail(err, SYMBI_EEXISTS, "another key is pinned for %.*s of %.*s", SY_FMT(pin->tool_id), SY_FMT(pin->domain));
    sy_sp_time_text(now, text);
    if (!with.first_seen.n) with.first_seen = (symbi_str){ text, 20 };
    with.last_seen = (symbi_str){ text, 20 };
    if (!with.trust_level.n) with.trust_level = SY_LIT("tofu");
    st = sy_sp_pinset_add(p->cx, &p->set, &with, err);
    if (st) return st;
    p->changes++;
    if (!other) return SYMBI_OK;
    { /* the new one is in: now the others may go */
        size_t k = 0, last = p->set.n - 1;
        for (size_t i = 0; i < p->set.n; i++) {
            sy_sp_pin *e = &p->set.e[i];
            if (i != last && e->hash == p->set.e[last].hash && sy_str_eq(e->pin.tool_id, p->set.e[last].pin.tool_id) && sy_sp_same_domain(e->pin.domain, p->set.e[last].pin.domain))
                sy_free(&p->cx->alloc, e->block, e->size);
            else p->set.e[k++] = *e;
        }
        p->set.n = k;
        (void)reindex(p->cx, &p->set, k); /* shrinks nothing: needs no memory */
    }
    return SYMBI_OK;
}

bool symbi_schemapin_pins_remove(symbi_schemapin_pins *p, symbi_str tool_id, symbi_str domain)
{
    size_t k = 0, n = p->set.n;
    for (size_t i = 0; i < n; i++) {
        sy_sp_pin *e = &p->set.e[i];
        if (sy_str_eq(e->pin.tool_id, tool_id) && sy_sp_same_domain(e->pin.domain, domain)) sy_free(&p->cx->alloc, e->block, e->size);
        else p->set.e[k++] = *e;
    }
    if (k == n) return false;
    p->set.n = k;
    (void)reindex(p->cx, &p->set, k);
    p->changes++;
    return true;
}

/* ---- policies and people --------------------------------------------------------------------------------------------- */

static const char *const policies[] = { "default", "always_trust", "never_trust", "interactive_only" };

const char *symbi_schemapin_policy_name(symbi_schemapin_policy p)
{
    return (unsigned)p < 4 ? policies[p] : "default";
}

bool symbi_schemapin_policy_parse(symbi_str name, symbi_schemapin_policy *out)
{
    for (unsigned i = 0; i < 4; i++) {
        if (!sy_str_eqz(name, policies[i])) continue;
        *out = (symbi_schemapin_policy)i;
        return true;
    }
    return false;
}

symbi_schemapin_policy symbi_schemapin_pins_policy(const symbi_schemapin_pins *p, symbi_str domain)
{
    for (size_t i = 0; i < p->set.npolicy; i++)
        if (sy_sp_same_domain((symbi_str){ p->set.policy[i].domain, p->set.policy[i].n }, domain)) return p->set.policy[i].policy;
    return SYMBI_SCHEMAPIN_POLICY_DEFAULT;
}

symbi_status symbi_schemapin_pins_set_policy(symbi_schemapin_pins *p, symbi_str domain, symbi_schemapin_policy policy, symbi_err *err)
{
    symbi_status st;
    if ((unsigned)policy > SYMBI_SCHEMAPIN_POLICY_INTERACTIVE_ONLY) return sy_fail(err, SYMBI_EINVAL, "no such policy");
    st = sy_sp_pinset_policy(p->cx, &p->set, domain, policy, err);
    if (!st) p->changes++;
    return st;
}

symbi_status symbi_schemapin_pins_consider(symbi_schemapin_pins *p, const symbi_schemapin_pin *pin, symbi_schemapin_mode mode, bool force_prompt, bool can_ask, bool revoked, int64_t now, symbi_schemapin_prompt *ask, bool *accepted, symbi_err *err)
{
    symbi_schemapin_policy policy = symbi_schemapin_pins_policy(p, pin->domain);
    const sy_sp_pin *found;
    bool other, known = sy_sp_pins_look(p, pin->tool_id, pin->domain, pin->fingerprint, &other, &found) == SYMBI_SCHEMAPIN_PIN_PINNED;
    symbi_status st;
    *ask = SYMBI_SCHEMAPIN_ASK_NONE;
    *accepted = false;
    if (policy == SYMBI_SCHEMAPIN_POLICY_NEVER_TRUST || (unsigned)mode > SYMBI_SCHEMAPIN_AUTOMATIC) return SYMBI_OK;
    if (revoked) { /* whatever is pinned or trusted: a person may let it through once */
        if (can_ask && mode != SYMBI_SCHEMAPIN_STRICT_MODE) *ask = SYMBI_SCHEMAPIN_ASK_REVOKED;
        return SYMBI_OK;
    }
    if (known) {
        sy_sp_pins_seen(p, found, now);
        *accepted = true;
        return SYMBI_OK;
    }
    if (policy == SYMBI_SCHEMAPIN_POLICY_ALWAYS_TRUST) {
        if (other) return SYMBI_OK;
        st = symbi_schemapin_pins_add(p, pin, now, false, err);
        *accepted = !st;
        return st;
    }
    if (mode == SYMBI_SCHEMAPIN_STRICT_MODE) return SYMBI_OK;
    if (mode == SYMBI_SCHEMAPIN_INTERACTIVE || policy == SYMBI_SCHEMAPIN_POLICY_INTERACTIVE_ONLY || (force_prompt && !other)) {
        if (can_ask) *ask = other ? SYMBI_SCHEMAPIN_ASK_KEY_CHANGE : SYMBI_SCHEMAPIN_ASK_FIRST_KEY;
        return SYMBI_OK;
    }
    if (other) return SYMBI_OK; /* automatic never follows a change */
    st = symbi_schemapin_pins_add(p, pin, now, false, err);
    *accepted = !st;
    return st;
}

symbi_status symbi_schemapin_pins_answer(symbi_schemapin_pins *p, const symbi_schemapin_pin *pin, symbi_schemapin_prompt asked, symbi_schemapin_choice answer, int64_t now, bool *accepted, symbi_err *err)
{
    symbi_status st = SYMBI_OK;
    bool keeps = asked == SYMBI_SCHEMAPIN_ASK_FIRST_KEY || asked == SYMBI_SCHEMAPIN_ASK_KEY_CHANGE;
    *accepted = false;
    if (asked == SYMBI_SCHEMAPIN_ASK_NONE) return sy_fail(err, SYMBI_ESTATE, "nothing was asked");
    if (answer == SYMBI_SCHEMAPIN_TRUST_NEVER) return symbi_schemapin_pins_set_policy(p, pin->domain, SYMBI_SCHEMAPIN_POLICY_NEVER_TRUST, err);
    if (answer == SYMBI_SCHEMAPIN_ACCEPT_ONCE) {
        *accepted = true;
        return SYMBI_OK;
    }
    if (!keeps || (answer != SYMBI_SCHEMAPIN_ACCEPT && answer != SYMBI_SCHEMAPIN_TRUST_ALWAYS)) return SYMBI_OK;
    if (answer == SYMBI_SCHEMAPIN_TRUST_ALWAYS) st = symbi_schemapin_pins_set_policy(p, pin->domain, SYMBI_SCHEMAPIN_POLICY_ALWAYS_TRUST, err);
    if (!st) st = symbi_schemapin_pins_add(p, pin, now, asked == SYMBI_SCHEMAPIN_ASK_KEY_CHANGE, err);
    *accepted = !st;
    return st;
}
