/* wire/http1_write.c: writing HTTP/1 messages. Names and values are checked, so that nothing a caller passes on can start a
 * second header or a second message. */
#include "wire/http1.h"

#include "base/buf.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

static const struct { int status; const char *text; } reasons[] = {
    { 100, "Continue" }, { 101, "Switching Protocols" }, { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 206, "Partial Content" },
    { 301, "Moved Permanently" }, { 302, "Found" }, { 303, "See Other" }, { 304, "Not Modified" }, { 307, "Temporary Redirect" }, { 308, "Permanent Redirect" },
    { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
    { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" }, { 411, "Length Required" }, { 413, "Content Too Large" }, { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" }, { 422, "Unprocessable Content" }, { 425, "Too Early" }, { 426, "Upgrade Required" }, { 428, "Precondition Required" },
    { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 502, "Bad Gateway" },
    { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
};

const char *symbi_http_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status) return reasons[i].text;
    return "";
}

static symbi_status fields(sy_buf *b, const symbi_http1_field *f, size_t n, symbi_err *err)
{
    static const char *const ours[] = { "host", "content-length", "transfer-encoding", "connection" };
    for (size_t i = 0; i < n; i++) {
        if (!sy_http1_token(f[i].name)) return sy_fail(err, SYMBI_EINVAL, "header %lu: the name is empty or holds a character that no header name has", (unsigned long)i + 1);
        if (!sy_http1_value(f[i].value)) return sy_fail(err, SYMBI_EINVAL, "header %.*s: the value holds a control character or a blank at an end", SY_FMT(f[i].name));
        for (size_t k = 0; k < 4; k++)
            if (sy_http1_is(f[i].name, ours[k])) return sy_fail(err, SYMBI_EINVAL, "header %.*s is written by the codec itself", SY_FMT(f[i].name));
        sy_buf_adds(b, f[i].name);
        sy_buf_addz(b, ": ");
        sy_buf_adds(b, f[i].value);
        sy_buf_addz(b, "\r\n");
    }
    return SYMBI_OK;
}

symbi_status symbi_http1_write_request(symbi_ctx *cx, symbi_str method, const symbi_url *u, const symbi_http1_field *f, size_t n, symbi_str body, bool keep_alive, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    symbi_status st;
    if (!sy_http1_token(method)) return sy_fail(err, SYMBI_EINVAL, "the method is empty or no token");
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    sy_buf_adds(&b, method);
    sy_buf_addc(&b, ' ');
    if (!u->path.n) sy_buf_addc(&b, '/');
    sy_buf_adds(&b, u->path);
    if (u->has_query) sy_buf_addc(&b, '?'), sy_buf_adds(&b, u->query);
    sy_buf_addz(&b, " HTTP/1.1\r\nHost: ");
    if (u->ipv6) sy_buf_addc(&b, '[');
    sy_buf_adds(&b, u->host);
    if (u->ipv6) sy_buf_addc(&b, ']');
    if (u->port != (u->tls ? 443 : 80)) sy_buf_addf(&b, ":%u", (unsigned)u->port);
    sy_buf_addz(&b, "\r\n");
    st = fields(&b, f, n, err);
    if (st) {
        sy_buf_free(&b);
        return st;
    }
    if (body.n || sy_str_eqz(method, "POST") || sy_str_eqz(method, "PUT") || sy_str_eqz(method, "PATCH")) {
        sy_buf_addz(&b, "Content-Length: ");
        sy_buf_addu(&b, body.n);
        sy_buf_addz(&b, "\r\n");
    }
    sy_buf_addz(&b, keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
    sy_buf_adds(&b, body);
    return sy_buf_take(&b, out, "the HTTP request", err);
}

symbi_status symbi_http1_write_response(symbi_ctx *cx, int status, const symbi_http1_field *f, size_t n, symbi_str body, bool chunked, bool keep_alive, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    symbi_status st;
    bool bare = status == 204 || status == 304 || status < 200;
    if (status < 100 || status > 999) return sy_fail(err, SYMBI_EINVAL, "%d is no HTTP status", status);
    if (bare && (body.n || chunked)) return sy_fail(err, SYMBI_EINVAL, "a response with status %d has no body", status);
    if (chunked && body.n) return sy_fail(err, SYMBI_EINVAL, "the body of a chunked response is written chunk by chunk");
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    sy_buf_addf(&b, "HTTP/1.1 %d %s\r\n", status, symbi_http_reason(status));
    st = fields(&b, f, n, err);
    if (st) {
        sy_buf_free(&b);
        return st;
    }
    if (chunked) sy_buf_addz(&b, "Transfer-Encoding: chunked\r\n");
    else if (!bare) {
        sy_buf_addz(&b, "Content-Length: ");
        sy_buf_addu(&b, body.n);
        sy_buf_addz(&b, "\r\n");
    }
    sy_buf_addz(&b, keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
    sy_buf_adds(&b, body);
    return sy_buf_take(&b, out, "the HTTP response", err);
}

symbi_status symbi_http1_write_chunk(symbi_ctx *cx, symbi_str data, symbi_text *out, symbi_err *err)
{
    sy_buf b;
    sy_buf_init(&b, cx->alloc, cx->limits.output_bytes);
    sy_buf_addf(&b, "%llx\r\n", (unsigned long long)data.n);
    sy_buf_adds(&b, data);
    sy_buf_addz(&b, "\r\n");
    return sy_buf_take(&b, out, "the chunk", err);
}
