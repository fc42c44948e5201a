/* toolclad/seal.c: the digest of a plan. Planning and sealing are two things: a dry run only looks at a plan, while the gate seals it in
 * the moment in which it binds an order to it, before anybody else has it. A sealed plan is immutable; whoever depends on that has it checked. */
#include "base/err.h"
#include "base/str.h"
#include "symbi/crypto.h"
#include "symbi/json.h"
#include "toolclad/plan_in.h"
#include "toolclad/sandbox.h"

static void put_list(symbi_json_out *o, const symbi_str *s, size_t n)
{
    symbi_json_out_raw(o, SY_LIT("["));
    for (size_t i = 0; i < n; i++) {
        if (i) symbi_json_out_raw(o, SY_LIT(","));
        symbi_json_out_string(o, s[i]);
    }
    symbi_json_out_raw(o, SY_LIT("]"));
}

static int64_t count(size_t n) { return n > INT64_MAX ? INT64_MAX : (int64_t)n; }

static size_t list_bytes(const symbi_str *s, size_t n)
{
    size_t all = 2;
    for (size_t i = 0; i < n; i++) all += s[i].n + 3;
    return all;
}

/* The canonical JSON of validated arguments, which stand in order of name: ASCII, so that their order is that of canonical JSON. */
static symbi_status put_args(symbi_ctx *cx, symbi_json_out *o, const symbi_value *args, symbi_err *err)
{
    for (size_t i = 0; i < args->u.o.n; i++) {
        const symbi_member *m = &args->u.o.members[i];
        symbi_text text = { 0 };
        symbi_status st;
        symbi_json_out_raw(o, i ? SY_LIT(",") : SY_LIT("{"));
        symbi_json_out_string(o, m->key);
        symbi_json_out_raw(o, SY_LIT(":"));
        switch ((symbi_kind)m->val.kind) {
        case SYMBI_STRING: symbi_json_out_string(o, m->val.u.s); break;
        case SYMBI_INT: symbi_json_out_int(o, m->val.u.i); break;
        case SYMBI_BOOL: symbi_json_out_raw(o, m->val.u.b ? SY_LIT("true") : SY_LIT("false")); break;
        case SYMBI_DOUBLE: symbi_json_out_double(o, m->val.u.d, SYMBI_JSON_CANONICAL); break;
        default:
            if ((st = symbi_json_write(cx, &m->val, SYMBI_JSON_CANONICAL, &text, err))) return st;
            symbi_json_out_raw(o, symbi_text_str(&text));
            symbi_text_free(&text);
            break;
        }
    }
    symbi_json_out_raw(o, args->u.o.n ? SY_LIT("}") : SY_LIT("{}"));
    return SYMBI_OK;
}

/* args: validated arguments; NULL: their canonical JSON is args_json. */
static symbi_status digest(symbi_ctx *cx, const symbi_plan *p, const symbi_value *args, symbi_str args_json, uint8_t out[32], symbi_err *err)
{
    symbi_json_out o;
    symbi_status st;
    memset(out, 0, 32);
    symbi_err_clear(err);
    symbi_json_out_init(cx, &o);
    (void)symbi_json_out_room(&o, 256 + p->command.n + args_json.n + list_bytes(p->argv, p->argc) + list_bytes(p->env, p->nenv));
    /* canonical: keys in order */
    symbi_json_out_raw(&o, SY_LIT("{\"args\":"));
    if (!args) {
        symbi_json_out_raw(&o, args_json.n ? args_json : SY_LIT("{}"));
    } else if ((st = put_args(cx, &o, args, err))) {
        symbi_json_out_free(&o);
        return st;
    }
    symbi_json_out_raw(&o, SY_LIT(",\"argv\":"));
    put_list(&o, p->argv, p->argc);
    if (p->ncheck_files) {
        symbi_json_out_raw(&o, SY_LIT(",\"check_files\":"));
        put_list(&o, p->check_files, p->ncheck_files);
    }
    symbi_json_out_raw(&o, SY_LIT(",\"cwd\":"));
    symbi_json_out_string(&o, p->cwd);
    if (p->detail) { /* only where there is one: the digests of command lines stay what they were */
        symbi_text detail = { 0 };
        st = symbi_json_write(cx, p->detail, SYMBI_JSON_CANONICAL, &detail, err);
        if (st) {
            symbi_json_out_free(&o);
            return st;
        }
        symbi_json_out_raw(&o, SY_LIT(",\"detail\":"));
        symbi_json_out_raw(&o, symbi_text_str(&detail));
        symbi_text_free(&detail);
    }
    symbi_json_out_raw(&o, SY_LIT(",\"env\":"));
    put_list(&o, p->env, p->nenv);
    if (p->capture) { /* an order is for a run that leaves its evidence there */
        symbi_json_out_raw(&o, SY_LIT(",\"evidence\":"));
        symbi_json_out_string(&o, p->output_file);
    }
    symbi_json_out_raw(&o, SY_LIT(",\"kind\":"));
    symbi_json_out_string(&o, symbi_str_z(symbi_backend_name(p->kind)));
    if (p->parser.n) {
        symbi_json_out_raw(&o, SY_LIT(",\"parser\":"));
        symbi_json_out_string(&o, p->parser);
    }
    if (p->box) sy_sandbox_digest(&o, p);
    symbi_json_out_raw(&o, SY_LIT(",\"scan_id\":"));
    symbi_json_out_string(&o, p->scan_id);
    symbi_json_out_raw(&o, SY_LIT(",\"stderr_max\":"));
    symbi_json_out_int(&o, count(p->stderr_max));
    symbi_json_out_raw(&o, SY_LIT(",\"stdout_max\":"));
    symbi_json_out_int(&o, count(p->stdout_max));
    symbi_json_out_raw(&o, SY_LIT(",\"timeout_ms\":"));
    symbi_json_out_int(&o, p->timeout_ms);
    symbi_json_out_raw(&o, SY_LIT(",\"tool\":"));
    symbi_json_out_string(&o, p->tool);
    symbi_json_out_raw(&o, SY_LIT("}"));
    if (o.status == SYMBI_ENOMEM) st = sy_fail_nomem(err);
    else if (o.status) st = sy_fail(err, o.status, o.status == SYMBI_ELIMIT ? "the plan is too large (output_bytes)" : "the plan has a text that is not valid UTF-8");
    else st = symbi_sha256(cx, (symbi_str){ o.p, o.n }, out, err);
    symbi_json_out_free(&o);
    return st;
}

symbi_status symbi_plan_digest(symbi_ctx *cx, const symbi_plan *p, symbi_str args_json, uint8_t out[32], symbi_err *err)
{
    return digest(cx, p, NULL, args_json, out, err);
}

symbi_status sy_plan_sealed(symbi_ctx *cx, const symbi_plan *p, symbi_err *err)
{
    uint8_t now[32];
    symbi_status st;
    if (!p->sealed) return sy_fail(err, SYMBI_ESTATE, "the plan is not sealed: it is of a dry run (symbi_plan_seal)");
    if ((st = digest(cx, p, p->args, SY_LIT(""), now, err))) return st;
    if (!symbi_ct_equal((symbi_str){ (const char *)now, 32 }, (symbi_str){ (const char *)p->digest, 32 })) return sy_fail(err, SYMBI_ESTATE, "the plan is not what was sealed");
    return SYMBI_OK;
}

symbi_status symbi_plan_seal(symbi_ctx *cx, symbi_plan *p, symbi_err *err)
{
    plan_impl *im = p->impl_;
    uint8_t d[32];
    symbi_status st;
    symbi_err_clear(err);
    if (!im || &im->pub != p) return sy_fail(err, SYMBI_EINVAL, "only a plan of symbi_tool_plan can be sealed");
    if (p->sealed) return sy_plan_sealed(cx, p, err);
    if (!sy_ref_sole(&im->refs)) return sy_fail(err, SYMBI_ESTATE, "somebody else has the plan already: it is sealed before it is given away");
    if ((st = digest(cx, p, p->args, SY_LIT(""), d, err))) return st;
    memcpy(p->digest, d, sizeof d);
    p->sealed = true;
    return SYMBI_OK;
}
