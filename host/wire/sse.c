/* wire/sse.c: decoder of text/event-stream. Lines end with LF, CR or CRLF; a CR at the end of one piece of input and the LF
 * at the start of the next are one line end. */
#include "symbi/wire.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct symbi_sse {
    symbi_alloc alloc;
    sy_buf line, data, event, id, last; /* last: the id as of the last event that ended */
    size_t max, used; /* bytes of the lines of the present event */
    int64_t retry, wait; /* wait: what the stream said last */
    unsigned bom;     /* bytes of a leading byte order mark seen; 3: no more to come */
    bool after_cr, has_data, given, id_given, has_last;
    symbi_status dead;
};

symbi_status symbi_sse_new(symbi_ctx *cx, size_t max_event, symbi_sse **out, symbi_err *err)
{
    symbi_sse *s = *out = sy_calloc(&cx->alloc, 1, sizeof *s);
    if (!s) return sy_fail_nomem(err);
    s->alloc = cx->alloc;
    s->max = max_event ? max_event : 1u << 20;
    s->retry = s->wait = -1;
    /* Each may hold a whole event: what is counted is their sum. */
    sy_buf_init(&s->line, cx->alloc, s->max + 1);
    sy_buf_init(&s->data, cx->alloc, s->max + 1);
    sy_buf_init(&s->event, cx->alloc, s->max + 1);
    sy_buf_init(&s->id, cx->alloc, s->max + 1);
    sy_buf_init(&s->last, cx->alloc, s->max + 1);
    return SYMBI_OK;
}

void symbi_sse_free(symbi_sse *s)
{
    symbi_alloc a;
    if (!s) return;
    a = s->alloc;
    sy_buf_free(&s->line);
    sy_buf_free(&s->data);
    sy_buf_free(&s->event);
    sy_buf_free(&s->id);
    sy_buf_free(&s->last);
    sy_free(&a, s, sizeof *s);
}

bool symbi_sse_pending(const symbi_sse *s) { return s->line.n || (s->has_data && !s->given); }

bool symbi_sse_last_id(const symbi_sse *s, symbi_str *id)
{
    *id = s->last.n ? sy_buf_str(&s->last) : SY_LIT("");
    return s->has_last;
}

int64_t symbi_sse_retry_ms(const symbi_sse *s) { return s->wait; }

static void field(symbi_sse *s, symbi_str name, symbi_str value)
{
    if (sy_str_eqz(name, "data")) {
        if (s->has_data) sy_buf_addc(&s->data, '\n');
        sy_buf_adds(&s->data, value);
        s->has_data = true;
    } else if (sy_str_eqz(name, "event")) {
        sy_buf_clear(&s->event);
        sy_buf_adds(&s->event, value);
    } else if (sy_str_eqz(name, "id")) {
        if (value.n && memchr(value.p, 0, value.n)) return;
        sy_buf_clear(&s->id);
        sy_buf_adds(&s->id, value);
        s->id_given = true;
    } else if (sy_str_eqz(name, "retry")) {
        int64_t v = 0;
        for (size_t i = 0; i < value.n; i++) {
            if (value.p[i] < '0' || value.p[i] > '9' || v > INT64_MAX / 10 - 1) return;
            v = v * 10 + (value.p[i] - '0');
        }
        if (value.n) s->retry = s->wait = v;
    }
}

/* One whole line in s->line; true when it completes an event. */
static bool end_line(symbi_sse *s)
{
    symbi_str l = sy_buf_str(&s->line), name = l, value = { "", 0 };
    const char *colon;
    if (!l.n) {
        s->used = 0;
        if (s->id_given) { /* also of an event without data, which nobody is told of */
            sy_buf_clear(&s->last);
            sy_buf_adds(&s->last, sy_buf_str(&s->id));
            s->id_given = false;
            s->has_last = true;
        }
        if (s->has_data) return true;
        sy_buf_clear(&s->event);
        return false;
    }
    colon = memchr(l.p, ':', l.n);
    if (colon) {
        name.n = (size_t)(colon - l.p);
        value.p = colon + 1;
        value.n = l.n - name.n - 1;
        if (value.n && value.p[0] == ' ') value.p++, value.n--;
    }
    if (name.n) field(s, name, value);
    else s->used -= l.n + 1; /* a comment is no part of an event: a stream may be kept alive by them for hours */
    sy_buf_clear(&s->line);
    return false;
}

static symbi_status die(symbi_sse *s, symbi_err *err)
{
    return s->dead == SYMBI_ENOMEM ? sy_fail_nomem(err) : sy_fail(err, SYMBI_ELIMIT, "one event of the stream is larger than %lu bytes", (unsigned long)s->max);
}

symbi_status symbi_sse_next(symbi_sse *s, symbi_str *in, symbi_sse_event *out, symbi_err *err)
{
    static const char mark[3] = { '\xef', '\xbb', '\xbf' };
    memset(out, 0, sizeof *out);
    if (s->dead) return die(s, err);
    if (s->given) {
        s->given = s->has_data = false;
        s->retry = -1;
        sy_buf_clear(&s->data);
        sy_buf_clear(&s->event);
    }
    while (in->n) {
        const char *p = in->p;
        size_t n = 0;
        if (s->bom < 3) {
            if (*p == mark[s->bom]) {
                s->bom++, in->p++, in->n--;
                continue;
            }
            sy_buf_add(&s->line, mark, s->bom); /* it only looked like one */
            s->used += s->bom;
            s->bom = 3;
        }
        if (s->after_cr) {
            s->after_cr = false;
            if (*p == '\n') {
                in->p++, in->n--;
                continue;
            }
        }
        while (n < in->n && p[n] != '\n' && p[n] != '\r') n++;
        s->used += n;
        if (s->used > s->max) s->dead = SYMBI_ELIMIT;
        else sy_buf_add(&s->line, p, n);
        in->p += n, in->n -= n;
        if (!s->dead) s->dead = sy_buf_status(&s->line);
        if (!s->dead && in->n) {
            bool event;
            s->after_cr = *in->p == '\r';
            in->p++, in->n--;
            s->used++;
            event = end_line(s);
            if (sy_buf_status(&s->data)) s->dead = sy_buf_status(&s->data);
            if (sy_buf_status(&s->event)) s->dead = sy_buf_status(&s->event);
            if (sy_buf_status(&s->id)) s->dead = sy_buf_status(&s->id);
            if (sy_buf_status(&s->last)) s->dead = sy_buf_status(&s->last);
            if (event && !s->dead) {
                s->given = true;
                out->event = sy_buf_str(&s->event);
                out->data = sy_buf_str(&s->data);
                out->id = sy_buf_str(&s->id);
                out->retry_ms = s->retry;
                if (!out->event.p) out->event.p = "";
                if (!out->data.p) out->data.p = "";
                if (!out->id.p) out->id.p = "";
                return SYMBI_OK;
            }
        }
        if (s->dead) return die(s, err);
    }
    return SYMBI_EAGAIN;
}
