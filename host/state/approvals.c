/* state/approvals.c: the record of a step-up is one canonical JSON object. Every change names the record it replaces, byte for byte
 * (kv check), so that two processes cannot both take the same step. */
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/build.h"
#include "state/audit_in.h"
#include "symbi/approval.h"
#include "symbi/json.h"

#include <string.h>

enum { SY_TTL_MS = 300000, SY_ARGS_SHOWN = 65536, SY_LIST_MAX = 10000, SY_KEY = 64 };

static const char *const k_status[] = { "none", "pending", "approved", "denied", "used", "expired" };

const char *symbi_approval_status_name(symbi_approval_status s)
{
    return (unsigned)s < sizeof k_status / sizeof k_status[0] ? k_status[s] : k_status[0];
}

static void hex_key(const uint8_t digest[32], char out[SY_KEY + 1])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    out[SY_KEY] = 0;
}

static int64_t field_int(const symbi_value *v, const char *key)
{
    const symbi_value *m = symbi_value_getz(v, key);
    return m && m->kind == SYMBI_INT ? m->u.i : 0;
}

/* What a stored record means at this moment. A record that says something unknown is no approval. */
static symbi_approval_status status_now(const symbi_value *rec, int64_t now)
{
    symbi_str s = symbi_value_str(rec, "status", SY_LIT(""));
    symbi_approval_status st = SYMBI_APPROVAL_NONE;
    for (size_t i = 1; i < sizeof k_status / sizeof k_status[0]; i++)
        if (sy_str_eqz(s, k_status[i])) st = (symbi_approval_status)i;
    if (st != SYMBI_APPROVAL_USED && st != SYMBI_APPROVAL_NONE && field_int(rec, "expires_ms") < now) st = SYMBI_APPROVAL_EXPIRED;
    return st;
}

/* One record: its bytes (copied) and its parsed form. Absent: OK with *doc NULL. */
static symbi_status read_record(symbi_ctx *cx, symbi_audit *a, symbi_str key, symbi_text *bytes, symbi_doc **doc, symbi_err *err)
{
    symbi_str v;
    sy_buf b;
    symbi_status st;
    *doc = NULL;
    memset(bytes, 0, sizeof *bytes);
    if (a->detached) return sy_audit_closed(err);
    st = a->store.get(a->store.ud, SY_LIT("approvals"), key, &v, err);
    if (st == SYMBI_ENOTFOUND) return SYMBI_OK;
    if (st) return st;
    sy_buf_init(&b, cx->alloc, cx->limits.doc_bytes);
    sy_buf_adds(&b, v);
    if ((st = sy_buf_take(&b, bytes, "an approval record", err))) return st;
    st = symbi_json_parse(cx, symbi_text_str(bytes), doc, err);
    if (!st && symbi_doc_root(*doc)->kind != SYMBI_OBJECT) st = sy_fail(err, SYMBI_EVERIFY, "an approval record is no object");
    if (st) {
        symbi_doc_unref(*doc);
        *doc = NULL;
        symbi_text_free(bytes);
    }
    return st;
}

/* Writes the new record and one audit entry in one transaction. old: the bytes it replaces, or p NULL for none. */
static symbi_status write_record(symbi_ctx *cx, symbi_audit *a, symbi_str key, symbi_str old, const symbi_value *rec, symbi_value event,
                                 symbi_str loop_id, symbi_str agent, uint64_t iteration, symbi_err *err)
{
    symbi_text rt, et;
    symbi_store_kv kv = { .ns = SY_LIT("approvals"), .key = key };
    symbi_audit_event ev = { .loop_id = loop_id, .agent_id = agent, .iteration = iteration };
    symbi_status st = symbi_json_write(cx, rec, SYMBI_JSON_CANONICAL, &rt, err);
    if (st) return st;
    if (!(st = symbi_json_write(cx, &event, SYMBI_JSON_CANONICAL, &et, err))) {
        kv.value = symbi_text_str(&rt);
        kv.check = old.p ? SYMBI_KV_EQUALS : SYMBI_KV_ABSENT;
        kv.expect = old;
        ev.event = symbi_text_str(&et);
        st = symbi_audit_commit(a, &ev, 1, &kv, 1, true, err);
        symbi_text_free(&et);
    }
    symbi_text_free(&rt);
    return st;
}

symbi_status symbi_approval_ask(symbi_ctx *cx, symbi_audit *a, const symbi_approval_request *rq, symbi_approval_status *status, symbi_err *err)
{
    char key[SY_KEY + 1];
    int64_t now = symbi_ctx_now_ms(cx), ttl = rq->ttl_ms > 0 ? rq->ttl_ms : SY_TTL_MS;
    symbi_text old, shown;
    symbi_doc *doc;
    sy_arena ar;
    sy_obj o, e;
    symbi_value rec;
    symbi_status st;
    hex_key(rq->action_digest, key);
    *status = SYMBI_APPROVAL_NONE;
    if ((st = read_record(cx, a, symbi_str_z(key), &old, &doc, err))) return st;
    if (doc) *status = status_now(symbi_doc_root(doc), now);
    symbi_doc_unref(doc);
    if (*status == SYMBI_APPROVAL_PENDING || *status == SYMBI_APPROVAL_APPROVED || *status == SYMBI_APPROVAL_DENIED) {
        symbi_text_free(&old);
        return SYMBI_OK;
    }
    sy_arena_init(&ar, cx->alloc, cx->limits.arena_bytes);
    o = sy_obj_new(&ar);
    e = sy_obj_new(&ar);
    sy_obj_str(&o, "action_digest", symbi_str_z(key));
    sy_obj_str(&o, "agent", rq->agent);
    if (rq->args && !symbi_json_write(cx, rq->args, SYMBI_JSON_CANONICAL, &shown, NULL)) { /* what is too long to show cannot be judged: the digest alone then */
        if (shown.n <= SY_ARGS_SHOWN) sy_obj_put(&o, "arguments", *rq->args);
        symbi_text_free(&shown);
    }
    sy_obj_int(&o, "created_ms", now);
    sy_obj_int(&o, "expires_ms", now + ttl);
    sy_obj_str(&o, "kind", rq->kind);
    sy_obj_str(&o, "loop_id", rq->loop_id);
    sy_obj_str(&o, "name", rq->name);
    sy_obj_str(&o, "reason", rq->reason);
    sy_obj_str(&o, "status", SY_LIT("pending"));
    sy_obj_int(&o, "ttl_ms", ttl);
    sy_obj_str(&e, "action_digest", symbi_str_z(key));
    sy_obj_int(&e, "expires_ms", now + ttl);
    sy_obj_str(&e, "kind", rq->kind);
    sy_obj_str(&e, "name", rq->name);
    sy_obj_str(&e, "type", SY_LIT("step_up_requested"));
    rec = sy_obj_value(&o);
    st = ar.status ? sy_arena_fail(&ar, "the request", err)
                   : write_record(cx, a, symbi_str_z(key), symbi_text_str(&old), &rec, sy_obj_value(&e), rq->loop_id, rq->agent, rq->iteration, err);
    sy_arena_free(&ar);
    symbi_text_free(&old);
    if (!st) *status = SYMBI_APPROVAL_PENDING;
    return st;
}

/* The record again with another status; members that are replaced are left out of the copy. */
static symbi_value changed(sy_arena *ar, const symbi_value *rec, const char *status, symbi_str approver, int64_t now, int64_t expires)
{
    sy_obj o = sy_obj_new(ar);
    for (size_t i = 0; i < rec->u.o.n; i++) {
        symbi_str k = rec->u.o.members[i].key;
        if (sy_str_eqz(k, "status") || sy_str_eqz(k, "expires_ms") || (approver.p && (sy_str_eqz(k, "approver") || sy_str_eqz(k, "decided_ms")))) continue;
        sy_obj_puts(&o, k, rec->u.o.members[i].val);
    }
    if (approver.p) {
        sy_obj_str(&o, "approver", approver);
        sy_obj_int(&o, "decided_ms", now);
    }
    sy_obj_int(&o, "expires_ms", expires);
    sy_obj_str(&o, "status", symbi_str_z(status));
    return sy_obj_value(&o);
}

/* The full key for an id that may be cut. */
static symbi_status find_key(symbi_audit *a, symbi_str id, char out[SY_KEY + 1], symbi_err *err)
{
    char after[SY_KEY + 1];
    symbi_str key, value, at = { after, 0 };
    symbi_status st;
    size_t n = id.n;
    if (n < 8 || n > SY_KEY) return sy_fail(err, SYMBI_EINVAL, "an approval is named by at least 8 of the 64 digits that `approvals list` shows");
    for (size_t i = 0; i < n; i++)
        if (!strchr("0123456789abcdef", id.p[i]) || !id.p[i]) return sy_fail(err, SYMBI_EINVAL, "an approval is named by lower-case hexadecimal digits");
    if (a->detached) return sy_audit_closed(err);
    memcpy(after, id.p, n); /* everything after the prefix's predecessor: back up one character */
    after[n] = 0;
    after[n - 1] = (char)(after[n - 1] - 1);
    at.n = n;
    for (int found = 0;; found++) {
        st = a->store.next(a->store.ud, SY_LIT("approvals"), at, &key, &value, err);
        while (!st && key.n <= SY_KEY && sy_str_cmp(key, id) < 0) { /* still before the prefix */
            memcpy(after, key.p, key.n);
            at.n = key.n;
            st = a->store.next(a->store.ud, SY_LIT("approvals"), at, &key, &value, err);
        }
        if (st == SYMBI_ENOTFOUND || (!st && (key.n != SY_KEY || !sy_str_starts(key, id)))) {
            if (found) return SYMBI_OK;
            return sy_fail(err, SYMBI_ENOTFOUND, "no approval begins with %.*s; `symbi-lua approvals list` shows them", SY_FMT(id));
        }
        if (st) return st;
        if (found) return sy_fail(err, SYMBI_EINVAL, "more than one approval begins with %.*s; give more digits", SY_FMT(id));
        memcpy(out, key.p, SY_KEY);
        out[SY_KEY] = 0;
        memcpy(after, key.p, SY_KEY);
        at.n = SY_KEY;
    }
}

symbi_status symbi_approval_decide(symbi_ctx *cx, symbi_audit *a, symbi_str id, bool approved, symbi_str approver, symbi_err *err)
{
    char key[SY_KEY + 1];
    int64_t now = symbi_ctx_now_ms(cx), ttl;
    symbi_text old;
    symbi_doc *doc;
    sy_arena ar;
    sy_obj e;
    symbi_value rec;
    symbi_approval_status is;
    symbi_status st;
    if (!approver.n) return sy_fail(err, SYMBI_EINVAL, "an approval needs the name of the approver");
    if ((st = find_key(a, id, key, err))) return st;
    if ((st = read_record(cx, a, symbi_str_z(key), &old, &doc, err))) return st;
    is = doc ? status_now(symbi_doc_root(doc), now) : SYMBI_APPROVAL_NONE;
    if (is != SYMBI_APPROVAL_PENDING) {
        symbi_doc_unref(doc);
        symbi_text_free(&old);
        return sy_fail(err, SYMBI_ESTATE, "approval %.12s is %s, not pending", key, symbi_approval_status_name(is));
    }
    if (approved && sy_str_eq(approver, symbi_value_str(symbi_doc_root(doc), "agent", SY_LIT("")))) {
        symbi_doc_unref(doc);
        symbi_text_free(&old);
        return sy_fail(err, SYMBI_EDENIED, "%.*s asked for this, and cannot approve it", SY_FMT(approver));
    }
    ttl = field_int(symbi_doc_root(doc), "ttl_ms");
    sy_arena_init(&ar, cx->alloc, cx->limits.arena_bytes);
    rec = changed(&ar, symbi_doc_root(doc), approved ? "approved" : "denied", approver, now, now + (ttl > 0 ? ttl : SY_TTL_MS));
    e = sy_obj_new(&ar);
    sy_obj_str(&e, "action_digest", symbi_str_z(key));
    sy_obj_bool(&e, "approved", approved);
    sy_obj_str(&e, "approver", approver);
    sy_obj_str(&e, "name", symbi_value_str(symbi_doc_root(doc), "name", SY_LIT("")));
    sy_obj_str(&e, "type", SY_LIT("step_up_resolved"));
    st = ar.status ? sy_arena_fail(&ar, "the record", err)
                   : write_record(cx, a, symbi_str_z(key), symbi_text_str(&old), &rec, sy_obj_value(&e), symbi_value_str(symbi_doc_root(doc), "loop_id", SY_LIT("")),
                                  symbi_value_str(symbi_doc_root(doc), "agent", SY_LIT("")), 0, err);
    if (st == SYMBI_EEXISTS) st = sy_fail(err, SYMBI_ESTATE, "approval %.12s was decided by somebody else at this moment", key);
    sy_arena_free(&ar);
    symbi_doc_unref(doc);
    symbi_text_free(&old);
    return st;
}

symbi_status symbi_approval_status_of(symbi_ctx *cx, symbi_audit *a, const uint8_t digest[32], symbi_approval_status *status, symbi_text *approver, symbi_err *err)
{
    char key[SY_KEY + 1];
    symbi_text bytes;
    symbi_doc *doc;
    symbi_status st;
    *status = SYMBI_APPROVAL_NONE;
    if (approver) memset(approver, 0, sizeof *approver);
    hex_key(digest, key);
    if ((st = read_record(cx, a, symbi_str_z(key), &bytes, &doc, err))) return st;
    if (doc) {
        *status = status_now(symbi_doc_root(doc), symbi_ctx_now_ms(cx));
        if (approver) {
            sy_buf b;
            sy_buf_init(&b, cx->alloc, 4096);
            sy_buf_adds(&b, symbi_value_str(symbi_doc_root(doc), "approver", SY_LIT("")));
            st = sy_buf_take(&b, approver, "the approver's name", err);
        }
    }
    symbi_doc_unref(doc);
    symbi_text_free(&bytes);
    if (st) *status = SYMBI_APPROVAL_NONE;
    return st;
}

symbi_status symbi_approval_use(symbi_ctx *cx, symbi_audit *a, const uint8_t digest[32], symbi_store_kv *kv, symbi_text *hold, symbi_err *err)
{
    char key[SY_KEY + 1];
    int64_t now = symbi_ctx_now_ms(cx);
    symbi_text old, fresh;
    symbi_doc *doc;
    sy_arena ar;
    sy_buf b;
    symbi_value rec;
    symbi_status st;
    memset(kv, 0, sizeof *kv);
    memset(hold, 0, sizeof *hold);
    hex_key(digest, key);
    if ((st = read_record(cx, a, symbi_str_z(key), &old, &doc, err))) return st;
    if (!doc || status_now(symbi_doc_root(doc), now) != SYMBI_APPROVAL_APPROVED) {
        st = sy_fail(err, SYMBI_ESTATE, "approval %.12s is %s, not approved", key,
                     symbi_approval_status_name(doc ? status_now(symbi_doc_root(doc), now) : SYMBI_APPROVAL_NONE));
        goto out;
    }
    sy_arena_init(&ar, cx->alloc, cx->limits.arena_bytes);
    rec = changed(&ar, symbi_doc_root(doc), "used", (symbi_str){ NULL, 0 }, now, field_int(symbi_doc_root(doc), "expires_ms"));
    st = ar.status ? sy_arena_fail(&ar, "the record", err) : symbi_json_write(cx, &rec, SYMBI_JSON_CANONICAL, &fresh, err);
    sy_arena_free(&ar);
    if (st) goto out;
    /* one block: key, new value, old value */
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    sy_buf_add(&b, key, SY_KEY);
    sy_buf_adds(&b, symbi_text_str(&fresh));
    sy_buf_adds(&b, symbi_text_str(&old));
    if (!(st = sy_buf_take(&b, hold, "an approval record", err))) {
        kv->ns = SY_LIT("approvals");
        kv->key = (symbi_str){ hold->p, SY_KEY };
        kv->value = (symbi_str){ hold->p + SY_KEY, fresh.n };
        kv->check = SYMBI_KV_EQUALS;
        kv->expect = (symbi_str){ hold->p + SY_KEY + fresh.n, old.n };
    }
    symbi_text_free(&fresh);
out:
    symbi_doc_unref(doc);
    symbi_text_free(&old);
    return st;
}

symbi_status symbi_approval_list(symbi_ctx *cx, symbi_audit *a, symbi_doc **out, symbi_err *err)
{
    symbi_doc *d = sy_doc_new(cx);
    int64_t now = symbi_ctx_now_ms(cx);
    char after[SY_KEY + 1];
    symbi_str key, value, at = { after, 0 };
    sy_arr list;
    symbi_status st = SYMBI_OK;
    *out = NULL;
    if (!d) return sy_fail_nomem(err);
    list = sy_arr_new(&d->arena);
    if (a->detached) st = sy_audit_closed(err);
    for (size_t n = 0; !st && n < SY_LIST_MAX; n++) {
        symbi_doc *one;
        symbi_value copy, shown;
        st = a->store.next(a->store.ud, SY_LIT("approvals"), at, &key, &value, err);
        if (st == SYMBI_ENOTFOUND) {
            st = SYMBI_OK;
            break;
        }
        if (st || key.n > SY_KEY) break;
        memcpy(after, key.p, key.n);
        at.n = key.n;
        if ((st = symbi_json_parse(cx, value, &one, err))) break;
        st = sy_value_copy(&d->arena, symbi_doc_root(one), &copy, cx->limits.doc_depth + 1, err);
        if (!st && copy.kind == SYMBI_OBJECT) {
            const symbi_value *x = symbi_value_getz(&copy, "expires_ms");
            shown = changed(&d->arena, &copy, symbi_approval_status_name(status_now(&copy, now)), (symbi_str){ NULL, 0 }, now, x ? x->u.i : 0);
            sy_arr_add(&list, shown);
        }
        symbi_doc_unref(one);
    }
    d->root = sy_arr_value(&list);
    if (!st && d->arena.status) st = sy_arena_fail(&d->arena, "the list", err);
    if (st) symbi_doc_unref(d);
    else *out = d;
    return st;
}
