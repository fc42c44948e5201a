/* run/model_sse.c: the line and event splitter of model_sse.h. */
#include "run/model_sse.h"
#include "base/str.h"

void sy_sse_init(sy_sse *s, symbi_alloc alloc, size_t max)
{
    memset(s, 0, sizeof *s);
    sy_buf_init(&s->line, alloc, max);
    sy_buf_init(&s->data, alloc, max);
}

void sy_sse_free(sy_sse *s)
{
    sy_buf_free(&s->line);
    sy_buf_free(&s->data);
}

/* One whole line. True when it ends an event that has data. */
static bool line(sy_sse *s, symbi_str l)
{
    size_t colon = 0;
    symbi_str v;
    if (!l.n) {
        bool got = s->has_data;
        s->has_data = false;
        return got;
    }
    while (colon < l.n && l.p[colon] != ':') colon++;
    if (colon != 4 || memcmp(l.p, "data", 4)) return false;
    v.p = l.p + (colon < l.n ? colon + 1 : colon);
    v.n = l.n - (colon < l.n ? colon + 1 : colon);
    if (v.n && v.p[0] == ' ') v.p++, v.n--;
    if (s->has_data) sy_buf_addc(&s->data, '\n');
    else sy_buf_clear(&s->data);
    s->has_data = true;
    sy_buf_adds(&s->data, v);
    return false;
}

symbi_status sy_sse_next(sy_sse *s, symbi_str *in, symbi_str *event, bool *got)
{
    *got = false;
    while (in->n) {
        size_t n = 0;
        bool end;
        if (s->after_cr && in->p[0] == '\n') n = 1; /* the second half of a CRLF */
        s->after_cr = false;
        in->p += n;
        in->n -= n;
        for (n = 0; n < in->n && in->p[n] != '\n' && in->p[n] != '\r';) n++;
        sy_buf_add(&s->line, in->p, n);
        if (sy_buf_status(&s->line)) return sy_buf_status(&s->line);
        if (n == in->n) {
            in->p += n;
            in->n = 0;
            return SYMBI_OK;
        }
        s->after_cr = in->p[n] == '\r';
        in->p += n + 1;
        in->n -= n + 1;
        if (!s->started && sy_str_starts(sy_buf_str(&s->line), SY_LIT("\xef\xbb\xbf"))) {
            symbi_str l = { s->line.p + 3, s->line.n - 3 };
            end = line(s, l);
        } else {
            end = line(s, sy_buf_str(&s->line));
        }
        s->started = true;
        if (sy_buf_status(&s->data)) return sy_buf_status(&s->data);
        sy_buf_clear(&s->line);
        if (end) {
            *event = sy_buf_str(&s->data);
            *got = true;
            return SYMBI_OK;
        }
    }
    return SYMBI_OK;
}
