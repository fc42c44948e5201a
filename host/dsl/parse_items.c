/* dsl/parse_items.c: what stands at the top of a file and inside an agent. Words are keywords only where the grammar asks for them. */
#include "base/str.h"
#include "dsl/dsl.h"

#include <stdio.h>
#include <string.h>

/* Opens a block: the offset of its '{', or UINT32_MAX. */
static uint32_t open_brace(sy_parser *p)
{
    uint32_t at = p->cur.start;
    return sy_dsl_take(p, '{', "'{'") ? at : UINT32_MAX;
}

static bool close_brace(sy_parser *p, uint32_t open, const char *entries)
{
    char what[120], hint[96];
    uint32_t line, col;
    if (p->cur.kind == '}') {
        sy_dsl_advance(p);
        return true;
    }
    if (p->to_top) return false; /* reported where it was noticed */
    snprintf(what, sizeof what, "%s or '}'", entries);
    if (p->cur.kind != SY_T_EOF) return sy_dsl_expected(p, what);
    sy_dsl_place(p->d, open, &line, &col);
    snprintf(hint, sizeof hint, "the '{' of line %u is not closed", line);
    return sy_dsl_error_here(p, p->cur, what, hint);
}

/* The entries of a block up to its '}'. one() gives a node or 0. Goes on after an error; false when the block did not end. */
typedef uint32_t entry_fn(sy_parser *p);
static bool entries(sy_parser *p, uint32_t node, uint32_t open, entry_fn *one, const char *const *words, const char *what)
{
    unsigned depth = p->depth;
    while (p->cur.kind != '}' && p->cur.kind != SY_T_EOF) {
        uint32_t e = one(p);
        if (e) {
            if (!sy_dsl_add(p, node, e)) return false;
            continue;
        }
        if (p->status || p->to_top) return false;
        p->depth = depth;
        sy_dsl_skip(p, words, words == NULL);
        if (p->status || p->to_top) return false;
    }
    if (!close_brace(p, open, what)) return false;
    sy_dsl_close(p, node);
    return true;
}

static void comma(sy_parser *p, uint32_t node)
{
    if (p->cur.kind == ',') sy_dsl_advance(p);
    sy_dsl_close(p, node);
}

enum { VALUE = 1, ARRAY = 2, RECORD = 4 };

/* NAME (=|:) VALUE ,? */
static uint32_t pair(sy_parser *p, sy_dsl_kind k, unsigned takes, bool with_comma)
{
    uint32_t n = sy_dsl_node(p, k, p->cur.start), v;
    if (!n || !sy_dsl_word(p, n, "a name or '}'")) return 0;
    if (p->cur.kind != '=' && (p->cur.kind != ':' || k == SY_N_WITH_ATTR)) return sy_dsl_expected(p, k == SY_N_WITH_ATTR ? "'='" : "'=' or ':'");
    p->d->nodes[n].op = p->cur.kind;
    sy_dsl_advance(p);
    if (p->cur.kind == '[' && (takes & ARRAY)) v = sy_dsl_array(p);
    else if (p->cur.kind == '{' && (takes & RECORD)) v = sy_dsl_record(p);
    else if (sy_dsl_is(p, "vault") && p->n - p->cur.end > 3 && !memcmp(p->s + p->cur.end, "://", 3))
        return (uint32_t)sy_dsl_error_here(p, p->cur, "a value", "a vault address stands in quotes here, because // begins a comment: \"vault://...\"");
    else v = sy_dsl_value(p);
    if (!sy_dsl_add(p, n, v)) return 0;
    if (with_comma) comma(p, n);
    return n;
}

/* NAME VALUE ,? — as memory and webhook blocks have it */
static uint32_t bare_pair(sy_parser *p, sy_dsl_kind k)
{
    uint32_t n = sy_dsl_node(p, k, p->cur.start);
    if (!n || !sy_dsl_word(p, n, "a name or '}'")) return 0;
    if (p->cur.kind == ':' || p->cur.kind == '=') return (uint32_t)sy_dsl_error_here(p, p->cur, "a value", "this block takes NAME VALUE, without ':' or '='");
    if (!sy_dsl_add(p, n, sy_dsl_value(p))) return 0;
    comma(p, n);
    return n;
}

static uint32_t metadata_pair(sy_parser *p) { return pair(p, SY_N_METADATA_PAIR, VALUE | ARRAY | RECORD, true); }
static uint32_t schedule_pair(sy_parser *p) { return pair(p, SY_N_SCHEDULE_PROP, VALUE, true); }
static uint32_t search_pair(sy_parser *p) { return bare_pair(p, SY_N_SEARCH_PROP); }
static uint32_t filter_pair(sy_parser *p) { return bare_pair(p, SY_N_FILTER_PROP); }

/* word NAME { entries } */
static uint32_t named_block(sy_parser *p, sy_dsl_kind k, bool named, entry_fn *one, const char *const *words, const char *what)
{
    uint32_t n = sy_dsl_node(p, k, p->cur.start), open;
    if (!n) return 0;
    sy_dsl_advance(p);
    if (named && !sy_dsl_word(p, n, "a name")) return 0;
    open = open_brace(p);
    if (open == UINT32_MAX || !entries(p, n, open, one, words, what)) return 0;
    return n;
}

static uint32_t memory_entry(sy_parser *p)
{
    if (sy_dsl_is(p, "search")) return named_block(p, SY_N_SEARCH, false, search_pair, NULL, "a name");
    return bare_pair(p, SY_N_MEMORY_PROP);
}

static uint32_t webhook_entry(sy_parser *p)
{
    if (sy_dsl_is(p, "filter")) return named_block(p, SY_N_FILTER, false, filter_pair, NULL, "a name");
    return bare_pair(p, SY_N_WEBHOOK_PROP);
}

static uint32_t class_rule(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_CLASS_RULE, p->cur.start);
    if (!n || !sy_dsl_word(p, n, "a name or '}'") || !sy_dsl_take(p, ':', "':'") || !sy_dsl_word(p, n, "a name")) return 0;
    comma(p, n);
    return n;
}

static uint32_t channel_entry(sy_parser *p)
{
    if (sy_dsl_is(p, "policy")) return sy_dsl_policy(p, SY_N_CHANNEL_POLICY);
    if (sy_dsl_is(p, "data_classification")) return named_block(p, SY_N_CHANNEL_CLASS, false, class_rule, NULL, "a name");
    return pair(p, SY_N_CHANNEL_PROP, VALUE | ARRAY, true);
}

/* ---- policies ---- */

static const char *const g_effects[] = { "allow", "deny", "require", "audit", NULL };

static uint32_t policy_rule(sy_parser *p)
{
    uint32_t n;
    uint8_t op = 0;
    for (size_t i = 0; g_effects[i]; i++)
        if (sy_dsl_is(p, g_effects[i])) op = (uint8_t)"adru"[i];
    if (!op) {
        if (p->cur.kind == ',') return (uint32_t)sy_dsl_error_here(p, p->cur, "a rule (allow, deny, require, audit) or '}'", "a rule has one expression: write a list [a, b], or one rule for each");
        return sy_dsl_expected(p, "a rule (allow, deny, require, audit) or '}'");
    }
    n = sy_dsl_node(p, SY_N_RULE, p->cur.start);
    if (!n) return 0;
    p->d->nodes[n].op = op;
    sy_dsl_advance(p);
    if (!sy_dsl_take(p, ':', "':'") || !sy_dsl_add(p, n, sy_dsl_expr(p, false))) return 0;
    if (sy_dsl_is(p, "if")) {
        sy_dsl_advance(p);
        if (!sy_dsl_add(p, n, sy_dsl_expr(p, false))) return 0;
    }
    return n;
}

uint32_t sy_dsl_policy(sy_parser *p, sy_dsl_kind k) { return named_block(p, k, true, policy_rule, g_effects, "a rule (allow, deny, require, audit)"); }

/* ---- types and functions ---- */

uint32_t sy_dsl_type(sy_parser *p)
{
    static const char *const words[] = { "String", "int", "float", "bool", NULL };
    uint32_t n = sy_dsl_node(p, SY_N_TYPE, p->cur.start);
    bool named = true, ok;
    if (!n) return 0;
    if (p->cur.kind != SY_T_IDENT) return sy_dsl_expected(p, "a type");
    for (size_t i = 0; words[i]; i++) {
        if (!sy_dsl_is(p, words[i])) continue;
        p->d->nodes[n].op = (uint8_t)words[i][0];
        named = false;
    }
    if (!named) {
        sy_dsl_advance(p);
        sy_dsl_close(p, n);
        return n;
    }
    if (!sy_dsl_word(p, n, "a type")) return 0;
    if (p->cur.kind != '<') return n;
    if (!sy_dsl_enter(p)) return 0;
    do {
        sy_dsl_advance(p);
        ok = sy_dsl_add(p, n, sy_dsl_type(p));
    } while (ok && p->cur.kind == ',');
    p->depth--;
    if (ok && p->cur.kind == SY_T_GE) { /* here '>' ends the type, whatever follows it */
        p->cur.kind = '>';
        p->cur.end--;
    }
    if (!ok || !sy_dsl_take(p, '>', "',' or '>'")) return 0;
    sy_dsl_close(p, n);
    return n;
}

static uint32_t typed_name(sy_parser *p, sy_dsl_kind k, const char *what)
{
    uint32_t n = sy_dsl_node(p, k, p->cur.start);
    if (!n || !sy_dsl_word(p, n, what) || !sy_dsl_take(p, ':', "':' and a type") || !sy_dsl_add(p, n, sy_dsl_type(p))) return 0;
    return n;
}

bool sy_dsl_params(sy_parser *p, uint32_t parent)
{
    while (p->cur.kind != ')') {
        if (!sy_dsl_add(p, parent, typed_name(p, SY_N_PARAM, "a parameter or ')'"))) return false;
        if (p->cur.kind == ',') sy_dsl_advance(p);
    }
    sy_dsl_advance(p);
    return true;
}

uint32_t sy_dsl_function(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_FUNCTION, p->cur.start);
    if (!n) return 0;
    sy_dsl_advance(p);
    if (!sy_dsl_word(p, n, "a name") || !sy_dsl_take(p, '(', "'('") || !sy_dsl_params(p, n)) return 0;
    if (p->cur.kind == SY_T_ARROW) {
        sy_dsl_advance(p);
        if (!sy_dsl_add(p, n, sy_dsl_type(p))) return 0;
    }
    return sy_dsl_add(p, n, sy_dsl_block(p)) ? n : 0;
}

static uint32_t field(sy_parser *p)
{
    uint32_t n = typed_name(p, SY_N_FIELD, "a field or '}'");
    if (n && p->cur.kind == ',') sy_dsl_advance(p);
    return n;
}

static uint32_t type_definition(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_TYPEDEF, p->cur.start), spec, s, open;
    if (!n) return 0;
    sy_dsl_advance(p);
    if (!sy_dsl_word(p, n, "a name")) return 0;
    if (p->cur.kind == '{') return (uint32_t)sy_dsl_error_here(p, p->cur, "'='", "a structure is written: type Name = { field: Type }");
    if (!sy_dsl_take(p, '=', "'='")) return 0;
    spec = sy_dsl_node(p, SY_N_TYPESPEC, p->cur.start);
    if (!spec) return 0;
    if (p->cur.kind != '{') {
        if (!sy_dsl_word(p, spec, "'{' or a type's name") || !sy_dsl_add(p, n, spec)) return 0;
        if (p->cur.kind == '<') return (uint32_t)sy_dsl_error_here(p, p->cur, "the next item", "a type with arguments cannot be named; use it where it is needed");
        return n;
    }
    s = sy_dsl_node(p, SY_N_STRUCT, p->cur.start);
    if (!s) return 0;
    open = open_brace(p);
    return entries(p, s, open, field, NULL, "a field") && sy_dsl_add(p, spec, s) && sy_dsl_add(p, n, spec) ? n : 0;
}

/* ---- agents ---- */

static uint32_t capabilities(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_CAPABILITIES, p->cur.start);
    if (!n) return 0;
    sy_dsl_advance(p);
    if (p->cur.kind != '=' && p->cur.kind != ':') return sy_dsl_expected(p, "'=' or ':'");
    p->d->nodes[n].op = p->cur.kind;
    sy_dsl_advance(p);
    if (p->cur.kind != '[') return sy_dsl_expected(p, "'[' and a list");
    return sy_dsl_add(p, n, sy_dsl_array(p)) ? n : 0;
}

static uint32_t with_block(sy_parser *p)
{
    uint32_t n = sy_dsl_node(p, SY_N_WITH, p->cur.start);
    if (!n) return 0;
    sy_dsl_advance(p);
    while (p->cur.kind != '{') {
        if (p->cur.kind == '}') return (uint32_t)sy_dsl_error_here(p, p->cur, "a setting or '{'", "a with needs a block, even an empty one: with sandbox = \"docker\" { }");
        if (!sy_dsl_add(p, n, pair(p, SY_N_WITH_ATTR, VALUE | ARRAY, false))) return 0;
        if (p->cur.kind == ',') sy_dsl_advance(p);
    }
    return sy_dsl_add(p, n, sy_dsl_block(p)) ? n : 0;
}

static uint32_t agent_entry(sy_parser *p)
{
    if (sy_dsl_is(p, "capabilities")) return capabilities(p);
    if (sy_dsl_is(p, "policy")) return sy_dsl_policy(p, SY_N_POLICY);
    if (sy_dsl_is(p, "function")) return sy_dsl_function(p);
    if (sy_dsl_is(p, "with")) return with_block(p);
    if (sy_dsl_is(p, "metadata") || sy_dsl_is(p, "schedule") || sy_dsl_is(p, "memory") || sy_dsl_is(p, "webhook") || sy_dsl_is(p, "channel")) {
        sy_token t = sy_dsl_peek(p, p->cur);
        if (t.kind == '{' || (t.kind == SY_T_IDENT && sy_dsl_peek(p, t).kind == '{'))
            return (uint32_t)sy_dsl_error_here(p, p->cur, "capabilities, policy, function, with or '}'", "this block stands beside the agent, at the top of the file; or a '}' is missing before it");
    }
    return sy_dsl_expected(p, "capabilities, policy, function, with or '}'");
}

static uint32_t agent(sy_parser *p)
{
    static const char *const words[] = { "capabilities", "policy", "function", "with", NULL };
    uint32_t n = sy_dsl_node(p, SY_N_AGENT, p->cur.start), open;
    if (!n) return 0;
    sy_dsl_advance(p);
    if (!sy_dsl_word(p, n, "a name")) return 0;
    if (p->cur.kind == '(') {
        sy_dsl_advance(p);
        if (!sy_dsl_params(p, n)) return 0;
    }
    if (p->cur.kind == SY_T_ARROW) {
        sy_dsl_advance(p);
        if (!sy_dsl_add(p, n, sy_dsl_type(p))) return 0;
    }
    open = open_brace(p);
    return open != UINT32_MAX && entries(p, n, open, agent_entry, words, "capabilities, policy, function, with") ? n : 0;
}

uint32_t sy_dsl_item(sy_parser *p)
{
    if (sy_dsl_is(p, "metadata")) return named_block(p, SY_N_METADATA, false, metadata_pair, NULL, "a name");
    if (sy_dsl_is(p, "agent")) return agent(p);
    if (sy_dsl_is(p, "policy")) return sy_dsl_policy(p, SY_N_POLICY);
    if (sy_dsl_is(p, "type")) return type_definition(p);
    if (sy_dsl_is(p, "function")) return sy_dsl_function(p);
    if (sy_dsl_is(p, "schedule")) return named_block(p, SY_N_SCHEDULE, true, schedule_pair, NULL, "a name");
    if (sy_dsl_is(p, "channel")) return named_block(p, SY_N_CHANNEL, true, channel_entry, NULL, "a name");
    if (sy_dsl_is(p, "memory")) return named_block(p, SY_N_MEMORY, true, memory_entry, NULL, "a name");
    if (sy_dsl_is(p, "webhook")) return named_block(p, SY_N_WEBHOOK, true, webhook_entry, NULL, "a name");
    return sy_dsl_expected(p, "one of: metadata, agent, policy, type, function, schedule, channel, memory, webhook");
}
